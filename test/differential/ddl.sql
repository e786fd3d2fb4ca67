-- DDL on distributed, reference and local tables, and what statements see of it.

-- test: add column with a constant default
ALTER TABLE customers ADD COLUMN vip boolean NOT NULL DEFAULT false;
SELECT id, vip FROM customers WHERE id < 4;
UPDATE customers SET vip = true WHERE id = 2;
SELECT count(*) FILTER (WHERE vip) FROM customers;
-- test: add column with a volatile default has one value per row everywhere
ALTER TABLE regions ADD COLUMN code uuid DEFAULT gen_random_uuid();
SELECT count(DISTINCT code) = count(*) FROM regions;
SELECT count(DISTINCT r.code) FROM customers c JOIN regions r ON r.id = c.region_id;
-- test: add column with a stable default has one value everywhere
ALTER TABLE accounts ADD COLUMN since timestamptz DEFAULT now();
SELECT count(DISTINCT since) FROM accounts;
-- test: rename column
ALTER TABLE customers RENAME COLUMN email TO mail;
SELECT mail FROM customers WHERE id = 42;
SELECT email FROM customers WHERE id = 42;
-- test: rename table
ALTER TABLE devices RENAME TO machines;
SELECT * FROM machines WHERE name = 'dev-3';
SELECT count(*) FROM machines;
SELECT count(*) FROM devices;
INSERT INTO machines VALUES ('renamed', 'm');
SELECT m.name, count(*) FROM machines m JOIN events e ON e.device = m.name WHERE m.name = 'dev-3' GROUP BY 1;
-- test: change of a column's type
ALTER TABLE accounts ALTER COLUMN balance TYPE numeric USING balance / 2.0;
SELECT balance FROM accounts WHERE id = 5;
SELECT sum(balance) FROM accounts;
-- test: set and drop default, not null
ALTER TABLE documents ALTER COLUMN body SET DEFAULT 'nothing yet', ALTER COLUMN owner SET DEFAULT 7;
INSERT INTO documents (id, title) VALUES ('33333333-3333-3333-3333-333333333333', 'defaults') RETURNING body, owner;
ALTER TABLE documents ALTER COLUMN body SET NOT NULL;
INSERT INTO documents (title, body) VALUES ('x', NULL);
ALTER TABLE documents ALTER COLUMN body DROP NOT NULL;
-- test: not null that rows violate
ALTER TABLE customers ALTER COLUMN mail SET NOT NULL;
-- test: drop column
ALTER TABLE customers DROP COLUMN profile;
SELECT * FROM customers WHERE id = 42;
INSERT INTO customers (id, name) VALUES (7001, 'After drop'), (7002, 'After drop'), (7003, 'After drop') RETURNING *;
-- test: check constraint
ALTER TABLE customers ADD CONSTRAINT low CHECK (balance > -1000);
INSERT INTO customers (id, name, balance) VALUES (7004, 'Low', -5000);
ALTER TABLE customers ADD CONSTRAINT violated CHECK (balance > 0);
ALTER TABLE customers ADD CONSTRAINT later CHECK (balance > 100) NOT VALID;
INSERT INTO customers (id, name, balance) VALUES (7004, 'Low', 50);
ALTER TABLE customers VALIDATE CONSTRAINT later;
ALTER TABLE customers DROP CONSTRAINT later;
-- test: indexes
CREATE INDEX ON customers (name);
CREATE UNIQUE INDEX tickets_u ON tickets (project, title);
INSERT INTO tickets (project, title) VALUES (3, 'ticket 3');
CREATE INDEX CONCURRENTLY documents_title ON documents (title);
SELECT id FROM documents WHERE title = 'document 5';
DROP INDEX CONCURRENTLY documents_title;
REINDEX TABLE tickets;
DROP INDEX tickets_u;
-- test: primary key dropped and added
ALTER TABLE accounts DROP CONSTRAINT accounts_pkey;
ALTER TABLE accounts ADD PRIMARY KEY (id);
INSERT INTO accounts (id, owner, balance) VALUES (1, 'dup', 1);
-- test: foreign key between co-located tables
ALTER TABLE order_changes ADD FOREIGN KEY (customer_id, order_id) REFERENCES orders ON DELETE CASCADE;
UPDATE orders SET status = 'returned' WHERE customer_id = 44;
SELECT count(*) FROM order_changes;
INSERT INTO order_changes VALUES (1, 999999);
DELETE FROM orders WHERE customer_id = 44;
SELECT count(*) FROM order_changes;
-- test: foreign key to a reference table
ALTER TABLE documents ADD COLUMN region int REFERENCES regions;
UPDATE documents SET region = 2 WHERE version = 1;
UPDATE documents SET region = 1000 WHERE version = 1;
-- test: enum value
ALTER TYPE order_status ADD VALUE 'lost' AFTER 'sent';
UPDATE orders SET status = 'lost' WHERE customer_id = 43;
SELECT status, count(*) FROM orders GROUP BY status ORDER BY status;
-- test: new types and a table that uses them
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE DOMAIN short AS text CHECK (length(VALUE) < 5);
CREATE TABLE painted (id int PRIMARY KEY, c colour, s short);
INSERT INTO painted VALUES (1, 'red', 'abc'), (2, 'green', 'de');
INSERT INTO painted VALUES (3, 'red', 'abcdef');
SELECT * FROM painted;
-- test: DDL in a transaction, rolled back
BEGIN;
ALTER TABLE accounts ADD COLUMN gone int DEFAULT 3;
UPDATE accounts SET gone = 4 WHERE id < 5;
SELECT gone, count(*) FROM accounts GROUP BY gone;
CREATE TABLE gone_too (id int);
ROLLBACK;
SELECT gone FROM accounts;
SELECT * FROM gone_too;
-- test: DDL in a transaction, committed with rows
BEGIN;
ALTER TABLE accounts ADD COLUMN stays int DEFAULT 3;
UPDATE accounts SET stays = 4 WHERE id < 5;
COMMIT;
SELECT stays, count(*) FROM accounts GROUP BY stays;
-- test: DDL after a savepoint
BEGIN;
SAVEPOINT s;
ALTER TABLE accounts ADD COLUMN undone int;
ROLLBACK TO s;
ALTER TABLE accounts ADD COLUMN done int DEFAULT 9;
COMMIT;
SELECT sum(done) FROM accounts;
SELECT undone FROM accounts;
-- test: create table as
CREATE TABLE copied AS SELECT id, name FROM customers WHERE id < 50;
SELECT count(*), min(name) FROM copied;
SELECT c.id FROM copied c JOIN orders o ON o.customer_id = c.id AND o.total > 400;
CREATE TABLE copied_empty AS SELECT * FROM orders WITH NO DATA;
SELECT * FROM copied_empty;
SELECT id, balance INTO selected FROM accounts WHERE id IN (1, 2, 3);
SELECT * FROM selected;
-- test: create table like, inherits
CREATE TABLE like_accounts (LIKE accounts INCLUDING ALL);
INSERT INTO like_accounts SELECT * FROM accounts WHERE id < 10;
SELECT count(*) FROM like_accounts;
-- test: partitions
CREATE TABLE events_2032 PARTITION OF events FOR VALUES FROM ('2032-01-01') TO ('2033-01-01');
INSERT INTO events VALUES ('dev-9', '2032-05-05', 95001), ('dev-10', '2032-05-05', 95002), ('dev-11', '2032-05-05', 95003);
SELECT device FROM events_2032;
ALTER TABLE events DETACH PARTITION events_2032;
SELECT count(*) FROM events WHERE seq > 95000;
SELECT count(*) FROM events_2032;
ALTER TABLE events ATTACH PARTITION events_2032 FOR VALUES FROM ('2032-01-01') TO ('2033-01-01');
SELECT count(*) FROM events WHERE seq > 95000;
DROP TABLE events_2032;
SELECT count(*) FROM events;
-- test: schemas
CREATE SCHEMA other;
ALTER TABLE pairs SET SCHEMA other;
SELECT count(*) FROM other.pairs;
SELECT count(*) FROM pairs;
CREATE TABLE other.inside (id int);
DROP SCHEMA other CASCADE;
SELECT * FROM other.inside;
-- test: temporary table shadows
CREATE TEMP TABLE accounts (id int, x text);
INSERT INTO accounts VALUES (1, 'temp');
SELECT * FROM accounts;
CREATE INDEX ON accounts (x);
ALTER TABLE accounts ADD COLUMN y int;
SELECT count(*) FROM shop.accounts;
DROP TABLE accounts;
SELECT count(*) FROM accounts;
SELECT count(*) FROM shop.accounts;
-- test: temporary and permanent tables dropped together
CREATE TABLE permanent_one (id int);
CREATE TEMP TABLE temporary_one (id int);
CREATE TEMP TABLE documents (id int);
DROP TABLE permanent_one, temporary_one, documents;
SELECT count(*) FROM documents WHERE title LIKE 'document%';
SELECT * FROM permanent_one;
-- test: temporary view over a temporary table
CREATE TEMP TABLE temp_base AS SELECT 1 AS id;
CREATE VIEW temp_view AS SELECT id FROM temp_base;
SELECT * FROM temp_view;
DROP TABLE temp_base CASCADE;
-- test: several commands in one string
ALTER TABLE notes ADD COLUMN first_new int DEFAULT 1 \; ALTER TABLE notes ADD COLUMN second_new int DEFAULT 2 \; SELECT sum(first_new + second_new) FROM notes;
SELECT sum(first_new), sum(second_new) FROM notes;
-- test: DDL in a DO block
DO $$
BEGIN
    ALTER TABLE shop.notes ADD COLUMN by_block int DEFAULT 3;
    EXECUTE 'CREATE TABLE shop.' || quote_ident('By Block') || ' (id int PRIMARY KEY)';
    INSERT INTO shop."By Block" VALUES (1);
END $$;
SELECT sum(by_block) FROM notes;
SELECT * FROM "By Block";
-- test: DDL in a function
CREATE FUNCTION add_column(t regclass, c text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ADD COLUMN %I int DEFAULT 4', t, c);
END $$;
SELECT add_column('notes', 'By Function');
SELECT sum("By Function") FROM notes;
SELECT add_column('notes', 'By Function');
-- test: DDL by a role that is not the session's user
GRANT CREATE ON SCHEMA shop TO diff_owner;
GRANT USAGE ON SCHEMA shop TO diff_owner;
SET ROLE diff_owner;
CREATE TABLE shop.of_owner (id int PRIMARY KEY);
INSERT INTO shop.of_owner VALUES (1);
SELECT tableowner FROM pg_tables WHERE tablename = 'of_owner';
ALTER TABLE shop.notes ADD COLUMN forbidden int;
DROP TABLE shop.notes;
RESET ROLE;
SELECT * FROM of_owner;
-- test: default privileges
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO diff_reader;
CREATE TABLE by_default (id int);
SET ROLE diff_reader;
SELECT count(*) FROM shop.by_default;
RESET ROLE;
-- test: event trigger
CREATE FUNCTION count_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO shop.local_notes SELECT max(id) + 1, NULL, tg_tag FROM shop.local_notes; END $$;
CREATE EVENT TRIGGER counted ON ddl_command_end EXECUTE FUNCTION count_ddl();
CREATE TABLE seen_by_trigger (id int);
ALTER TABLE notes ADD COLUMN seen int;
DROP EVENT TRIGGER counted;
SELECT body, count(*) FROM local_notes WHERE id > 50 GROUP BY body;
-- test: trigger created, disabled, dropped
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.owner := NEW.owner || ' stamped'; RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION stamp();
UPDATE accounts SET balance = 1 WHERE id IN (11, 12, 13) RETURNING owner;
ALTER TABLE accounts DISABLE TRIGGER stamp;
UPDATE accounts SET balance = 1 WHERE id IN (11, 12, 13) RETURNING owner;
DROP TRIGGER stamp ON accounts;
-- test: function replaced
CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 2';
SELECT id, answer() FROM accounts WHERE id = 4;
DROP FUNCTION answer();
SELECT answer();
-- test: rights
CREATE ROLE diff_new;
GRANT USAGE ON SCHEMA shop TO diff_new;
GRANT SELECT, INSERT ON accounts TO diff_new;
SET ROLE diff_new;
SELECT count(*) FROM shop.accounts;
SELECT id FROM shop.accounts WHERE id IN (1, 2, 3);
INSERT INTO shop.accounts (id, owner, balance) VALUES (9501, 'new', 1), (9502, 'new', 1), (9503, 'new', 1);
DELETE FROM shop.accounts WHERE id = 9501;
RESET ROLE;
REVOKE ALL ON accounts FROM diff_new;
SET ROLE diff_new;
SELECT count(*) FROM shop.accounts;
RESET ROLE;
-- test: owner
ALTER TABLE like_accounts OWNER TO diff_new;
SET ROLE diff_new;
ALTER TABLE shop.like_accounts ADD COLUMN mine int;
SELECT count(*) FROM shop.like_accounts;
RESET ROLE;
DROP OWNED BY diff_new;
DROP ROLE diff_new;
-- test: comment, statistics, vacuum, analyze, cluster
COMMENT ON TABLE accounts IS 'money';
SELECT obj_description('accounts'::regclass);
CREATE STATISTICS acc_stat ON owner, balance FROM accounts;
ANALYZE accounts;
VACUUM accounts;
VACUUM (ANALYZE) customers;
CLUSTER accounts USING accounts_pkey;
-- test: sequence
CREATE SEQUENCE numbers START 10;
INSERT INTO accounts (id, owner, balance) SELECT nextval('numbers') + 9600, 'seq', 1 FROM generate_series(1, 5);
SELECT id FROM accounts WHERE owner = 'seq';
ALTER SEQUENCE numbers RESTART 500;
SELECT nextval('numbers');
DROP SEQUENCE numbers;
-- test: identity changed
ALTER TABLE tickets ALTER COLUMN id RESTART WITH 5000;
INSERT INTO tickets (project, title) VALUES (1, 'restarted'), (2, 'restarted') RETURNING id;
-- test: generated column added
ALTER TABLE accounts ADD COLUMN twice numeric GENERATED ALWAYS AS (balance * 2) STORED;
SELECT id, twice FROM accounts WHERE id < 4;
-- test: view replaced and dropped
CREATE VIEW tmp_view AS SELECT id FROM accounts;
CREATE OR REPLACE VIEW tmp_view AS SELECT id, owner FROM accounts;
SELECT * FROM tmp_view WHERE id = 3;
DROP TABLE accounts;
DROP VIEW tmp_view;
-- test: drop
DROP TABLE order_items, order_changes;
SELECT * FROM order_items;
DROP TABLE IF EXISTS no_such_table;
DROP TABLE customers;
DROP TABLE customers CASCADE;
SELECT * FROM customers;
SELECT count(*) FROM orders;
-- test: extension and its functions
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TABLE insensitive (id int PRIMARY KEY, v citext);
INSERT INTO insensitive VALUES (1, 'ABC');
SELECT * FROM insensitive WHERE v = 'abc';
DROP EXTENSION citext;
DROP EXTENSION citext CASCADE;
SELECT * FROM insensitive;
-- test: errors leave nothing behind
CREATE TABLE regions (id int);
CREATE INDEX ON no_such_table (x);
ALTER TABLE regions ADD COLUMN name text;
-- compare: documents, tickets, machines, orders
