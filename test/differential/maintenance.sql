-- Maintenance, explicit locks, sequences, identity, deferred constraints, privileges on columns.

-- test: vacuum
VACUUM customers;
VACUUM (ANALYZE, VERBOSE FALSE) orders, accounts;
VACUUM FULL pairs;
VACUUM events;
SELECT count(*) FROM pairs;
-- test: analyze
ANALYZE customers;
ANALYZE orders (total, status);
ANALYZE events;
ANALYZE products;
-- test: reindex
REINDEX TABLE customers;
REINDEX INDEX customers_region_id_idx;
REINDEX TABLE CONCURRENTLY orders;
REINDEX TABLE events;
SELECT count(*) FROM customers WHERE region_id = 2;
-- test: cluster
CLUSTER accounts USING accounts_pkey;
CLUSTER accounts;
ALTER TABLE accounts SET WITHOUT CLUSTER;
SELECT count(*), sum(balance) FROM accounts;
-- test: lock table
BEGIN;
LOCK TABLE customers IN SHARE MODE;
SELECT count(*) FROM customers;
UPDATE customers SET name = name WHERE id < 4;
COMMIT;
BEGIN;
LOCK TABLE orders, accounts IN ACCESS EXCLUSIVE MODE NOWAIT;
SELECT count(*) FROM orders;
ROLLBACK;
LOCK TABLE customers;
-- test: maintenance in a transaction
BEGIN;
VACUUM customers;
ROLLBACK;
BEGIN;
ANALYZE customers;
REINDEX TABLE accounts;
COMMIT;
-- test: sequence of a serial column
INSERT INTO logs (source, message) VALUES ('seq', 'one') RETURNING id;
SELECT currval('logs_id_seq'), lastval();
SELECT nextval('logs_id_seq');
INSERT INTO logs (source) VALUES ('seq'), ('seq2'), ('seq3') RETURNING id, source;
SELECT currval(pg_get_serial_sequence('shop.logs', 'id'));
SELECT setval('logs_id_seq', 500);
INSERT INTO logs (source) VALUES ('after setval') RETURNING id;
SELECT setval('logs_id_seq', 600, false), nextval('logs_id_seq');
-- test: sequence not used yet
CREATE SEQUENCE fresh;
SELECT currval('fresh');
SELECT nextval('fresh'), nextval('fresh'), currval('fresh'), lastval();
-- test: nextval over rows of a distributed table
SELECT count(DISTINCT n), min(n), max(n) FROM (SELECT nextval('fresh') AS n FROM customers WHERE id < 50) s;
SELECT currval('fresh');
INSERT INTO pairs (a, b, c) SELECT nextval('fresh') + 1000, 1, 'sequence' FROM generate_series(1, 5);
SELECT count(*), min(a), max(a) FROM pairs WHERE c = 'sequence';
-- test: identity
INSERT INTO tickets (project, title) VALUES (900, 'identity') RETURNING id > 0;
INSERT INTO tickets (project, id, title) VALUES (900, 1, 'own');
INSERT INTO tickets (project, id, title) OVERRIDING SYSTEM VALUE VALUES (900, 100001, 'overriding') RETURNING id;
INSERT INTO tickets (project, id, title) OVERRIDING USER VALUE VALUES (900, 5, 'user value') RETURNING id <> 5;
INSERT INTO notes (id, body) VALUES (100001, 'own id'), (DEFAULT, 'default id') RETURNING id > 100000;
INSERT INTO notes DEFAULT VALUES RETURNING body, words;
UPDATE tickets SET id = 3 WHERE project = 900;
ALTER TABLE notes ALTER COLUMN id RESTART WITH 200000;
INSERT INTO notes (body) VALUES ('restarted') RETURNING id;
-- test: generated columns
INSERT INTO notes (body, words) VALUES ('x', 3);
INSERT INTO notes (body, words) VALUES ('generated', DEFAULT) RETURNING words;
UPDATE notes SET body = body || ' and longer' WHERE body = 'generated' RETURNING words;
UPDATE notes SET words = 3;
UPDATE orders SET total = 100 WHERE customer_id = 44 RETURNING order_id, tax;
-- test: deferred foreign key
CREATE TABLE parents (k int, id int, PRIMARY KEY (k, id));
CREATE TABLE children (k int, id int, parent int, PRIMARY KEY (k, id),
    CONSTRAINT to_parent FOREIGN KEY (k, parent) REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
SELECT herd.distribute('shop.parents', 'k');
BEGIN;
INSERT INTO children VALUES (1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1);
INSERT INTO parents VALUES (1, 1), (2, 1), (3, 1), (4, 1);
COMMIT;
SELECT count(*) FROM children;
-- test: deferred foreign key violated at commit
BEGIN;
INSERT INTO children VALUES (5, 1, 77);
SELECT count(*) FROM children;
COMMIT;
SELECT count(*) FROM children;
BEGIN;
DELETE FROM parents WHERE k < 3;
COMMIT;
SELECT count(*) FROM parents;
-- test: deferred foreign key violated by a statement that is alone
INSERT INTO children VALUES (5, 1, 77);
SELECT count(*) FROM children;
INSERT INTO children VALUES (6, 1, 77);
INSERT INTO children VALUES (7, 1, 77) RETURNING k;
SELECT count(*), sum(k) FROM children;
UPDATE children SET parent = 5 WHERE k = 3;
UPDATE children SET parent = 5 WHERE k = 4 RETURNING parent;
SELECT * FROM children;
-- test: constraints set immediate and deferred
BEGIN;
INSERT INTO children VALUES (6, 1, 77);
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
BEGIN;
SET CONSTRAINTS to_parent IMMEDIATE;
INSERT INTO children VALUES (7, 1, 77);
ROLLBACK;
BEGIN;
INSERT INTO children VALUES (8, 1, 8);
INSERT INTO parents VALUES (8, 8);
SET CONSTRAINTS to_parent IMMEDIATE;
COMMIT;
SELECT * FROM children;
-- test: deferred unique constraint
CREATE TABLE ranks (k int, n int, name text, CONSTRAINT one_rank UNIQUE (k, n) DEFERRABLE INITIALLY DEFERRED);
SELECT herd.distribute('shop.ranks', 'k');
INSERT INTO ranks SELECT i % 4, i / 4, 'r' || i FROM generate_series(0, 15) i;
UPDATE ranks SET n = n + 1;
BEGIN;
UPDATE ranks SET n = 1 WHERE k = 2;
UPDATE ranks SET n = length(name) * 10 + right(name, 1)::int WHERE k = 2;
COMMIT;
BEGIN;
UPDATE ranks SET n = 1 WHERE k = 3;
COMMIT;
SELECT * FROM ranks;
-- test: foreign keys with every action
CREATE TABLE owners (k int, id int, PRIMARY KEY (k, id));
CREATE TABLE cascading (k int, o int, FOREIGN KEY (k, o) REFERENCES owners ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE nulling (k int, o int, FOREIGN KEY (k, o) REFERENCES owners ON DELETE SET NULL (o));
CREATE TABLE defaulting (k int, o int DEFAULT 1, FOREIGN KEY (k, o) REFERENCES owners ON DELETE SET DEFAULT (o));
CREATE TABLE restricting (k int, o int, FOREIGN KEY (k, o) REFERENCES owners ON DELETE RESTRICT);
SELECT herd.distribute('shop.owners', 'k');
INSERT INTO owners SELECT i % 5, i FROM generate_series(1, 40) i;
INSERT INTO owners SELECT i, 1 FROM generate_series(0, 4) i ON CONFLICT DO NOTHING;
INSERT INTO cascading SELECT i % 5, i FROM generate_series(2, 20) i;
INSERT INTO nulling SELECT i % 5, i FROM generate_series(2, 20) i;
INSERT INTO defaulting SELECT i % 5, i FROM generate_series(2, 20) i;
INSERT INTO restricting SELECT i % 5, i FROM generate_series(30, 35) i;
DELETE FROM owners WHERE id BETWEEN 2 AND 9;
SELECT * FROM cascading;
SELECT * FROM nulling;
SELECT * FROM defaulting;
DELETE FROM owners WHERE id = 31;
UPDATE owners SET id = id + 100 WHERE id = 15;
DELETE FROM nulling;
DELETE FROM defaulting;
UPDATE owners SET id = id + 100 WHERE id BETWEEN 15 AND 18;
SELECT * FROM cascading WHERE o > 100;
-- test: privileges on columns
GRANT SELECT (id, name), UPDATE (name), INSERT (id, name) ON customers TO diff_reader;
SET ROLE diff_reader;
SELECT id, name FROM shop.customers WHERE id = 44;
SELECT count(id) FROM shop.customers;
SELECT name FROM shop.customers WHERE balance > 100;
SELECT * FROM shop.customers WHERE id = 44;
UPDATE shop.customers SET name = 'by column' WHERE id = 44 RETURNING name;
UPDATE shop.customers SET balance = 0 WHERE id = 44;
UPDATE shop.customers SET name = email WHERE id = 44;
INSERT INTO shop.customers (id, name) VALUES (7001, 'columns');
INSERT INTO shop.customers (id, name, balance) VALUES (7002, 'columns', 1);
INSERT INTO shop.customers (id, name) VALUES (7003, 'a'), (7004, 'b'), (7005, 'c');
COPY shop.customers (id, name) FROM STDIN;
7006	copied
7007	copied
7008	copied
\.
DELETE FROM shop.customers WHERE id = 7001;
RESET ROLE;
SELECT * FROM customers WHERE id > 7000;
-- test: row security with commands of their own
CREATE TABLE secrets (k int, owner name, t text);
SELECT herd.distribute('shop.secrets', 'k');
INSERT INTO secrets SELECT i, (ARRAY['diff_reader', 'diff_app'])[i % 2 + 1], 's' || i FROM generate_series(1, 12) i;
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_read ON secrets FOR SELECT USING (owner = current_user);
CREATE POLICY own_write ON secrets FOR INSERT WITH CHECK (owner = current_user AND length(t) < 9);
CREATE POLICY own_change ON secrets FOR UPDATE USING (owner = current_user) WITH CHECK (t <> 'forbidden');
GRANT ALL ON secrets TO diff_reader, diff_app;
SET ROLE diff_reader;
SELECT * FROM shop.secrets;
SELECT count(*) FROM shop.secrets a JOIN shop.secrets b ON a.k <= b.k;
INSERT INTO shop.secrets VALUES (20, 'diff_reader', 'mine');
INSERT INTO shop.secrets VALUES (21, 'diff_app', 'not mine');
INSERT INTO shop.secrets VALUES (22, 'diff_reader', 'much too long');
UPDATE shop.secrets SET t = 'changed' WHERE k < 8 RETURNING k, t;
UPDATE shop.secrets SET t = 'forbidden' WHERE k = 4;
DELETE FROM shop.secrets RETURNING k;
RESET ROLE;
SELECT count(*) FROM secrets;
ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
SELECT count(*) FROM secrets;
