-- Counts of every table: each node counts its own rows
SELECT (SELECT count(*) FROM packages) AS packages, (SELECT count(*) FROM dependencies) AS dependencies,
       (SELECT count(*) FROM sections) AS sections;
