-- Writes: an upsert of several rows, a delete that cascades to the co-located dependencies
INSERT INTO packages (name, version, section, architecture, summary)
VALUES ('herd-demo', '1.0', 'database', 'all', 'added by the demo'),
       ('bash', '1.0', 'shells', 'all', 'was there')
ON CONFLICT (name) DO UPDATE SET summary = excluded.summary || ' already';
SELECT name, summary FROM packages WHERE name IN ('bash', 'herd-demo') ORDER BY name;
DELETE FROM packages WHERE name LIKE '0ad%';
SELECT (SELECT count(*) FROM packages) AS packages, (SELECT count(*) FROM dependencies) AS dependencies;
