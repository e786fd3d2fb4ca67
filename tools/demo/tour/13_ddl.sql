-- DDL reaches every node, in the same transaction
BEGIN;
ALTER TABLE packages ADD COLUMN users bigint NOT NULL DEFAULT 0;
CREATE INDEX ON packages (section);
UPDATE packages p SET users = (SELECT count(*) FROM dependencies d WHERE d.package = p.name)
WHERE section = 'database';
COMMIT;
SELECT sum(users) AS dependencies_of_databases, count(*) FILTER (WHERE users > 20) AS with_many
FROM packages WHERE section = 'database';
