-- Row-by-row changes of reference tables that have no primary key. What the nodes hold shows in joins with a table that
-- has rows everywhere.

CREATE TABLE coded (code text NOT NULL UNIQUE, region int, label text, doubled text GENERATED ALWAYS AS (label || label) STORED);
CREATE TABLE loose (kind text, n int, data json, at point, note text);
CREATE TABLE parted (n int, v text) PARTITION BY LIST (n);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1, 2, NULL);
CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
INSERT INTO coded SELECT 'c' || n, n % 5, 'label ' || n FROM generate_series(1, 12) n;
INSERT INTO loose SELECT 'k' || n % 3, nullif(n % 4, 0), '{"a":  1}', point(n % 2, 1.5), NULL FROM generate_series(1, 24) n;
INSERT INTO parted SELECT nullif(n % 4, 0), 'v' || n % 6 FROM generate_series(1, 24) n;
SELECT herd.reference('coded');
SELECT herd.reference('loose');
SELECT herd.reference('parted');
CREATE SEQUENCE drawn;

-- test: by a unique key without NULLs
UPDATE coded c SET label = d.n::text || c.label FROM (SELECT owner, count(*) AS n FROM documents GROUP BY owner) d WHERE d.owner = c.region RETURNING c.*;
UPDATE coded SET code = code || 'x' || nextval('shop.drawn') * 0 WHERE region = 1;
DELETE FROM coded WHERE region IN (SELECT min(id) + 1 FROM customers) RETURNING code;
MERGE INTO coded c USING local_notes n ON c.region = n.id WHEN MATCHED AND n.id = 3 THEN DELETE WHEN MATCHED THEN UPDATE SET label = n.body WHEN NOT MATCHED AND n.id > 60 THEN INSERT (code, region) VALUES ('n' || n.id, n.id);
SELECT c.code, c.label, c.doubled, count(*) FROM accounts a, coded c GROUP BY 1, 2, 3;
-- test: by all values
UPDATE loose l SET note = n.body FROM local_notes n WHERE n.id = l.n;
SELECT l.kind, l.n, l.data::text, l.at::text, l.note, count(*) FROM accounts a, loose l GROUP BY 1, 2, 3, 4, 5;
DELETE FROM loose WHERE n IS NULL AND kind = (SELECT 'k' || count(*) * 0 FROM documents) RETURNING kind, n, data;
SELECT l.kind, l.n, count(*) FROM accounts a, loose l GROUP BY 1, 2;
-- test: rows that are alike get different values
UPDATE loose SET note = nextval('shop.drawn')::text, data = json_build_object('n', n) WHERE kind = 'k1';
SELECT kind, n, data::text, count(*), count(DISTINCT note) FROM loose GROUP BY 1, 2, 3;
SELECT kind, n, note IS NULL, data::text, bool_and(copies = (SELECT count(*) FROM accounts) * alike) FROM (SELECT l.kind, l.n, l.note, l.data::text, count(*) AS copies FROM accounts a, loose l GROUP BY 1, 2, 3, 4) c
    JOIN (SELECT kind, n, note, count(*) AS alike FROM loose GROUP BY 1, 2, 3) s USING (kind, n, note) GROUP BY 1, 2, 3, 4;
-- test: some of the rows that are alike
DELETE FROM loose WHERE ctid IN (SELECT min(ctid) FROM loose WHERE kind = 'k2' GROUP BY n, at::text);
SELECT l.kind, l.n, l.at::text, count(*) FROM accounts a, loose l GROUP BY 1, 2, 3;
WITH one AS (SELECT ctid AS place FROM loose WHERE kind = 'k2' LIMIT 1) UPDATE loose l SET note = 'one' || (SELECT count(*) FROM documents) FROM one WHERE l.ctid = one.place;
SELECT l.note, count(*) FROM accounts a, loose l WHERE l.kind = 'k2' GROUP BY 1;
-- test: rows of partitions, and those that move between them
UPDATE parted p SET v = v || '!' FROM local_notes n WHERE n.id = p.n OR p.n IS NULL;
UPDATE parted p SET n = n + 1 FROM (SELECT count(*) AS c FROM documents) d WHERE d.c > 0;
SELECT p.n, p.v, p.tableoid::regclass, count(*) FROM parted p GROUP BY 1, 2, 3;
SELECT p.n, p.v, count(*) FROM accounts a, parted p GROUP BY 1, 2;
-- test: merge by all values
MERGE INTO loose l USING (SELECT DISTINCT owner FROM documents WHERE owner < 3) d ON l.n = d.owner WHEN MATCHED AND l.kind = 'k0' THEN DELETE WHEN MATCHED THEN UPDATE SET note = 'merged', at = point(7, 7) WHEN NOT MATCHED THEN INSERT (kind, n) VALUES ('new', d.owner);
SELECT l.kind, l.n, l.at::text, count(*) FROM accounts a, loose l GROUP BY 1, 2, 3;
-- test: the current row of a cursor
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM loose ORDER BY kind, n, note FOR UPDATE;
MOVE 3 IN c;
UPDATE loose SET note = 'current' WHERE CURRENT OF c;
COMMIT;
SELECT l.note, count(*) FROM accounts a, loose l WHERE l.note = 'current' GROUP BY 1;
