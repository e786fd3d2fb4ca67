-- INSERT ... ON CONFLICT DO UPDATE whose new values only the coordinator can compute: subqueries over the herd, functions,
-- views with checks. And RETURNING that only it can evaluate.

-- test: a subquery that reads no row of the table
INSERT INTO accounts VALUES (3, 'x', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents);
INSERT INTO accounts VALUES (4, 'x', 1), (7001, 'new', 2), (5, 'y', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT max(total)::bigint FROM orders), owner = excluded.owner || accounts.owner RETURNING *;
INSERT INTO accounts VALUES (7002, 'all new', 1), (7003, 'all new', 2) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM orders) RETURNING id, owner;
-- test: a local table
INSERT INTO accounts SELECT id, 'notes', 5 FROM local_notes ON CONFLICT (id) DO UPDATE SET owner = (SELECT max(body) FROM local_notes);
INSERT INTO accounts SELECT id, 'notes', 5 FROM local_notes ON CONFLICT (id) DO UPDATE SET owner = (SELECT body FROM local_notes n WHERE n.id = excluded.id), balance = accounts.balance + excluded.balance RETURNING id, owner, balance;
-- test: of the row in the way, and of excluded
INSERT INTO accounts SELECT g, 'of ' || g, g FROM generate_series(1, 40) g ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM orders o WHERE o.customer_id = excluded.id) + accounts.balance;
INSERT INTO accounts AS a SELECT g, 'of ' || g, g FROM generate_series(30, 60) g ON CONFLICT (id) DO UPDATE SET owner = (SELECT c.name FROM customers c WHERE c.id = a.id), balance = (SELECT coalesce(sum(b.balance), 0) FROM accounts b WHERE b.id < excluded.id) RETURNING id, owner, balance;
-- compare: accounts
-- test: conditions
INSERT INTO accounts VALUES (1, 'w', 1), (2, 'w', 1), (3, 'w', 1), (7010, 'w', 1) ON CONFLICT (id) DO UPDATE SET owner = 'where' WHERE EXISTS (SELECT FROM orders o WHERE o.customer_id = accounts.id AND o.total > 50) RETURNING id, owner;
INSERT INTO accounts SELECT g, 'never', 1 FROM generate_series(1, 30) g ON CONFLICT (id) DO UPDATE SET owner = 'never' WHERE (SELECT count(*) FROM documents) < 0;
INSERT INTO accounts SELECT g, 'odd', 1 FROM generate_series(1, 30) g ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE excluded.id IN (SELECT max(order_id) % 7 FROM orders GROUP BY customer_id);
-- compare: accounts
-- test: several columns from one subquery
INSERT INTO accounts VALUES (11, 'm', 1), (12, 'm', 1), (7020, 'm', 1) ON CONFLICT (id) DO UPDATE SET (owner, balance) = (SELECT c.name, c.id + excluded.balance FROM customers c WHERE c.id = excluded.id);
INSERT INTO accounts VALUES (13, 'm', 1) ON CONFLICT (id) DO UPDATE SET (balance, owner) = (SELECT count(*), max(title) FROM documents), kind = 'm' RETURNING owner, balance, kind;
-- test: the same row twice
INSERT INTO accounts VALUES (14, 'a', 1), (14, 'b', 2) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents);
INSERT INTO accounts VALUES (7030, 'a', 1), (7030, 'b', 2) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents);
INSERT INTO accounts VALUES (14, 'a', 1), (14, 'b', 2) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE excluded.balance = (SELECT 2 FROM documents LIMIT 1);
SET herd.batch_rows = 1;
INSERT INTO accounts VALUES (7031, 'a', 1), (7032, 'a', 1), (7033, 'a', 1), (7031, 'b', 2), (7032, 'b', 1), (7033, 'b', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents);
INSERT INTO accounts SELECT g, 'one by one', 1 FROM generate_series(1, 30) g ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents) + excluded.id;
RESET herd.batch_rows;
-- compare: accounts
-- test: the same row twice, in two batches of a statement that nodes carry out
SET herd.batch_rows = 1;
INSERT INTO accounts SELECT 1 + g % 30, 'batch ' || g, 1 FROM generate_series(1, 60) g ON CONFLICT (id) DO UPDATE SET owner = excluded.owner;
INSERT INTO accounts SELECT 7400 + g % 30, 'batch ' || g, 1 FROM generate_series(1, 60) g ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE excluded.owner <> '';
INSERT INTO accounts SELECT 7500 + g % 30, 'batch ' || g, 1 FROM generate_series(1, 60) g ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE excluded.owner = '';
INSERT INTO accounts SELECT 1 + g % 30, 'batch ' || g, 1 FROM generate_series(1, 60) g ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE excluded.owner = 'batch 1' RETURNING id;
INSERT INTO accounts SELECT 1 + g % 30, 'batch ' || g, 1 FROM generate_series(1, 30) g ON CONFLICT (id) DO UPDATE SET owner = excluded.owner RETURNING id;
INSERT INTO accounts SELECT 7600 + g % 30, 'batch ' || g, 1 FROM generate_series(1, 60) g ON CONFLICT (id) DO NOTHING;
BEGIN;
INSERT INTO accounts SELECT g, 'first', 1 FROM generate_series(7700, 7730) g;
SAVEPOINT s;
UPDATE accounts SET owner = 'second' WHERE id BETWEEN 7700 AND 7730;
ROLLBACK TO s;
INSERT INTO accounts SELECT g, 'third', 1 FROM generate_series(7700, 7730) g ON CONFLICT (id) DO UPDATE SET owner = excluded.owner || accounts.owner;
INSERT INTO accounts SELECT g, 'fourth', 1 FROM generate_series(7700, 7730) g ON CONFLICT (id) DO UPDATE SET owner = excluded.owner || accounts.owner;
COMMIT;
RESET herd.batch_rows;
-- compare: accounts
-- test: rows of the table's own type
INSERT INTO accounts AS a VALUES (15, 'row', 1) ON CONFLICT (id) DO UPDATE SET owner = (SELECT a::text || excluded::text FROM regions LIMIT 1), balance = (SELECT count(*) FROM documents) RETURNING a;
-- test: generated columns, defaults and enums
INSERT INTO orders (customer_id, order_id, total) SELECT customer_id, order_id, total + 1 FROM orders WHERE customer_id < 9 ON CONFLICT (customer_id, order_id) DO UPDATE SET total = (SELECT max(total) FROM orders), note = excluded.tax::text || orders.tax || (SELECT min(name) FROM customers), status = 'sent' RETURNING customer_id, order_id, total, tax, status, note;
INSERT INTO orders (customer_id, order_id) VALUES (44, 4401), (44, 987654) ON CONFLICT ON CONSTRAINT orders_pkey DO UPDATE SET status = (SELECT max(status) FROM orders), placed = DEFAULT, revision = orders.revision + (SELECT 1 FROM local_notes LIMIT 1);
INSERT INTO customers (id, name, tags, home, profile) VALUES (1, 'Typed', ARRAY['x', 'y z', NULL], ROW('s, t', 'c"'), '{"a": 1}') ON CONFLICT (id) DO UPDATE SET tags = excluded.tags || (SELECT max(title) FROM documents), home = excluded.home, profile = excluded.profile, created = (SELECT max(placed) FROM orders) RETURNING tags, home, profile, created, initial;
-- compare: orders, order_changes, customers
-- test: partitions
INSERT INTO events SELECT device, at, seq, 'again', value FROM events WHERE seq < 3 ON CONFLICT (device, at, seq) DO UPDATE SET kind = (SELECT max(name) FROM devices), value = excluded.value + (SELECT count(*) FROM accounts WHERE id < 10) WHERE events.at < '2024-05-01';
INSERT INTO events AS e SELECT device, at, seq, 'more', 1 FROM events WHERE seq < 2 ON CONFLICT (device, at, seq) DO UPDATE SET kind = e.tableoid::regclass || (SELECT name FROM devices d WHERE d.name = excluded.device) RETURNING device, at, seq, kind, e.tableoid::regclass;
-- compare: events
-- test: reference tables
INSERT INTO regions VALUES (1, 'One', 'x'), (70, 'Seventy', 'x') ON CONFLICT (id) DO UPDATE SET continent = (SELECT max(name) FROM customers WHERE region_id = excluded.id) RETURNING *;
INSERT INTO regions SELECT id, name || '+' FROM regions ON CONFLICT (id) DO UPDATE SET name = excluded.name, continent = (SELECT count(*) FROM documents)::text;
INSERT INTO regions VALUES (2, 'Two') ON CONFLICT (id) DO UPDATE SET continent = CASE WHEN random() >= 0 THEN 'chance' END;
-- compare: regions
-- test: functions
CREATE FUNCTION how_many(bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM shop.orders WHERE customer_id >= $1); END $$;
CREATE FUNCTION owner_of(who int) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT name FROM shop.customers WHERE id = who); END $$;
INSERT INTO accounts VALUES (16, 'f', 1), (7040, 'f', 2) ON CONFLICT (id) DO UPDATE SET balance = how_many(accounts.id::bigint) RETURNING *;
INSERT INTO accounts SELECT g, 'f', g FROM generate_series(17, 40) g ON CONFLICT (id) DO UPDATE SET owner = owner_of(accounts.id + 1), balance = how_many(excluded.id::bigint) WHERE owner_of(excluded.id) IS NOT NULL;
-- compare: accounts
-- test: in WITH, with WITH, prepared and in functions
WITH n AS (INSERT INTO accounts VALUES (18, 'cte', 1), (7050, 'cte', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents) RETURNING id, balance) SELECT n.*, c.name FROM n LEFT JOIN customers c USING (id);
WITH s AS (SELECT id, name FROM customers WHERE id BETWEEN 20 AND 30) INSERT INTO accounts SELECT id, name, 1 FROM s ON CONFLICT (id) DO UPDATE SET owner = (SELECT max(name) FROM s WHERE s.id <= excluded.id) RETURNING id, owner;
WITH gone AS (DELETE FROM order_items WHERE customer_id = 3 RETURNING *) INSERT INTO accounts VALUES (19, 'gone', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM gone), owner = (SELECT count(*) FROM order_items)::text RETURNING *;
PREPARE upsert(int, int) AS INSERT INTO accounts VALUES ($1, 'p', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM orders WHERE customer_id > $2) WHERE $2 > 0;
EXECUTE upsert(31, 0);
EXECUTE upsert(31, 5);
EXECUTE upsert(32, 0);
EXECUTE upsert(7060, 9);
EXECUTE upsert(7060, 0);
EXECUTE upsert(33, 7);
EXECUTE upsert(34, 0);
EXECUTE upsert(35, 3);
DO $$ DECLARE got bigint; BEGIN INSERT INTO accounts VALUES (36, 'plpgsql', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents) RETURNING balance INTO got; INSERT INTO accounts VALUES (37, 'plpgsql', 1) ON CONFLICT (id) DO UPDATE SET balance = got + (SELECT count(*) FROM documents); END $$;
-- test: within a transaction, with savepoints
BEGIN;
INSERT INTO accounts VALUES (7070, 'mine', 1), (7072, 'mine', 2);
INSERT INTO accounts VALUES (7070, 'again', 1), (7071, 'again', 2) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner || (SELECT count(*) FROM documents);
SAVEPOINT s;
INSERT INTO accounts VALUES (7070, 'thrice', 1), (7071, 'thrice', 2), (39, 'thrice', -1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, balance = (SELECT -1 FROM documents LIMIT 1);
ROLLBACK TO s;
INSERT INTO accounts VALUES (7071, 'then', 1), (39, 'then', 2) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner || (SELECT count(*) FROM documents) RETURNING *;
COMMIT;
-- compare: accounts, order_items
-- test: errors
INSERT INTO accounts VALUES (40, 'e', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT -count(*) FROM documents);
INSERT INTO accounts VALUES (40, 'e', 1) ON CONFLICT (id) DO UPDATE SET owner = (SELECT NULL::text FROM documents LIMIT 1);
INSERT INTO accounts VALUES (40, 'e', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT order_id FROM orders);
INSERT INTO accounts VALUES (7080, 'e', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT order_id FROM orders);
INSERT INTO accounts VALUES (40, 'e', 1) ON CONFLICT (id) DO UPDATE SET balance = 1 / (SELECT 0 FROM documents LIMIT 1);
INSERT INTO documents (id, title) SELECT id, 'bad' FROM documents ORDER BY id LIMIT 1 ON CONFLICT (id) DO UPDATE SET version = (SELECT 0 FROM orders LIMIT 1);
-- compare: accounts, documents
-- test: triggers on the table
INSERT INTO documents (id, title) SELECT id, '  spaces  ' FROM documents ON CONFLICT (id) DO UPDATE SET title = '  ' || excluded.title || (SELECT count(*) FROM orders) || '  ' RETURNING id, title;
INSERT INTO orders (customer_id, order_id, status) SELECT customer_id, order_id, 'paid' FROM orders WHERE customer_id BETWEEN 10 AND 14 ON CONFLICT (customer_id, order_id) DO UPDATE SET status = (SELECT max(status) FROM orders);
-- compare: documents, orders, order_changes
-- test: through a view with a check
INSERT INTO active_customers VALUES (2, 'view', 'v@x', 1, 3, true), (7100, 'view', 'v@x', 1, 3, true) ON CONFLICT (id) DO UPDATE SET name = excluded.name, balance = active_customers.balance + excluded.balance RETURNING *;
INSERT INTO active_customers VALUES (3, 'view', 'v@x', 1, 3, true) ON CONFLICT (id) DO UPDATE SET active = false;
INSERT INTO active_customers VALUES (3, 'view', 'v@x', 1, 3, true), (7101, 'view', 'v@x', 1, 3, true) ON CONFLICT (id) DO UPDATE SET active = excluded.id > 5, name = 'not';
INSERT INTO active_customers VALUES (7102, 'view', 'v@x', 1, 3, false) ON CONFLICT (id) DO UPDATE SET name = 'not';
INSERT INTO active_customers SELECT id, name || '+', email, region_id, 1, true FROM active_customers WHERE id < 40 ON CONFLICT (id) DO UPDATE SET name = excluded.name;
UPDATE customers SET active = false WHERE id IN (4, 5, 6, 7, 8, 9);
INSERT INTO active_customers SELECT g, 'hidden', NULL, NULL, 1, true FROM generate_series(4, 9) g ON CONFLICT (id) DO UPDATE SET name = excluded.name;
INSERT INTO active_customers SELECT g, 'hidden', NULL, NULL, 1, true FROM generate_series(4, 9) g ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE active_customers.name = 'nobody';
INSERT INTO active_customers SELECT g, 'computed', NULL, NULL, 1, true FROM generate_series(20, 29) g ON CONFLICT (id) DO UPDATE SET name = excluded.name || (SELECT count(*) FROM documents), active = (SELECT count(*) > 0 FROM orders) RETURNING id, name, active;
INSERT INTO active_customers SELECT g, 'computed', NULL, NULL, 1, true FROM generate_series(20, 29) g ON CONFLICT (id) DO UPDATE SET active = (SELECT count(*) < 0 FROM orders) OR excluded.id <> 25;
-- compare: customers
-- test: subqueries in RETURNING beside WITH
WITH s AS (SELECT id, name FROM customers WHERE id < 4) INSERT INTO accounts SELECT id + 8000, name, 1 FROM s RETURNING id, (SELECT max(name) FROM s);
WITH s AS (SELECT id, name FROM customers WHERE id < 4), t AS (SELECT max(total) AS top FROM orders) INSERT INTO accounts SELECT id + 8010, name, 1 FROM s RETURNING id, (SELECT s.name FROM s WHERE s.id = accounts.id - 8010), (SELECT top FROM t);
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) INSERT INTO accounts SELECT n + 8020, 'recursive', n FROM r RETURNING id, (SELECT sum(n) FROM r), (SELECT count(*) FROM documents);
WITH gone AS (DELETE FROM order_items WHERE customer_id = 5 RETURNING line) INSERT INTO accounts VALUES (8030, 'gone', 1) RETURNING id, (SELECT count(*) FROM gone), (SELECT count(*) FROM order_items WHERE customer_id IN (5, 6));
WITH s AS (SELECT random() AS r) INSERT INTO accounts SELECT 8040, r::text, 1 FROM s RETURNING owner = (SELECT r::text FROM s);
DELETE FROM accounts WHERE id = 8040;
PREPARE with_returning(int) AS WITH s AS (SELECT id, name FROM customers WHERE id <= $1) INSERT INTO accounts SELECT id + 8050, name, 1 FROM s RETURNING id, (SELECT count(*) FROM s);
EXECUTE with_returning(2);
-- test: the partition in RETURNING
INSERT INTO events VALUES ('d', '2024-02-02', 9001, 'k'), ('e', '2024-05-05', 9001, 'k'), ('f', '2023-01-01', 9001, 'k'), ('g', '2024-02-03', 9001, 'k') RETURNING device, tableoid::regclass;
INSERT INTO events SELECT 'device ' || g, '2024-03-30'::date + g, 9002, 'k' FROM generate_series(1, 6) g RETURNING device, tableoid = 'events_q1'::regclass, (SELECT relname FROM pg_class c WHERE c.oid = events.tableoid);
INSERT INTO accounts VALUES (8060, 't', 1), (8061, 't', 1), (8062, 't', 1) RETURNING id, tableoid::regclass, tableoid = 'accounts'::regclass;
WITH n AS (INSERT INTO events VALUES ('h', '2024-02-02', 9003, 'k'), ('i', '2024-06-05', 9003, 'k') RETURNING *, tableoid) SELECT device, n.tableoid::regclass FROM n;
-- compare: accounts, events
-- test: rows in the way that the view does not show, and WHERE
CREATE VIEW poor_accounts AS SELECT id, owner, balance FROM accounts WHERE balance < 5;
INSERT INTO poor_accounts SELECT g, 'poor', 1 FROM generate_series(30, 39) g ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
INSERT INTO poor_accounts VALUES (40, 'poor', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
INSERT INTO poor_accounts VALUES (41, 'poor', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
INSERT INTO poor_accounts VALUES (42, 'poor', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
INSERT INTO poor_accounts VALUES (43, 'poor', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
INSERT INTO poor_accounts VALUES (44, 'poor', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
-- test: row security
CREATE POLICY by_setting_here ON accounts TO diff_app USING (owner <> 'secret') WITH CHECK (balance < 5000);
GRANT SELECT, INSERT, UPDATE ON accounts TO diff_app;
GRANT SELECT ON documents, orders TO diff_app;
GRANT USAGE ON SCHEMA shop TO diff_app;
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
UPDATE accounts SET owner = 'secret' WHERE id BETWEEN 50 AND 59;
SET ROLE diff_app;
INSERT INTO accounts SELECT g, 'mine', 1 FROM generate_series(60, 69) g ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents) RETURNING *;
INSERT INTO accounts SELECT g, 'mine', 1 FROM generate_series(50, 59) g ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents);
INSERT INTO accounts VALUES (51, 'mine', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents);
INSERT INTO accounts VALUES (52, 'mine', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents);
INSERT INTO accounts VALUES (53, 'mine', 1) ON CONFLICT (id) DO UPDATE SET balance = (SELECT count(*) FROM documents);
INSERT INTO accounts SELECT g, 'mine', 1 FROM generate_series(50, 59) g ON CONFLICT (id) DO UPDATE SET balance = 1 WHERE accounts.id > 55 AND (SELECT count(*) < 0 FROM documents);
INSERT INTO accounts SELECT g, 'mine', 1 FROM generate_series(60, 69) g ON CONFLICT (id) DO UPDATE SET balance = 6000 + (SELECT count(*) FROM documents);
INSERT INTO accounts SELECT g, 'mine', 1 FROM generate_series(60, 69) g ON CONFLICT (id) DO UPDATE SET owner = (SELECT 'secret' FROM documents LIMIT 1);
INSERT INTO accounts VALUES (7200, 'mine', 7000) ON CONFLICT (id) DO UPDATE SET owner = (SELECT 'x' FROM documents LIMIT 1);
RESET ROLE;
-- compare: accounts
-- test: row security that reads rows with the same key
CREATE POLICY by_order ON order_changes TO diff_app USING (true) WITH CHECK (EXISTS (SELECT FROM orders o WHERE o.customer_id = order_changes.customer_id AND o.total > 20));
GRANT SELECT, INSERT ON order_changes TO diff_app;
ALTER TABLE order_changes ENABLE ROW LEVEL SECURITY;
SET ROLE diff_app;
INSERT INTO order_changes SELECT DISTINCT customer_id, 77 FROM orders WHERE total > 20 ORDER BY customer_id LIMIT 40;
INSERT INTO order_changes SELECT id, 78 FROM generate_series(1, 60) id WHERE id IN (SELECT customer_id FROM orders WHERE total > 20);
INSERT INTO order_changes VALUES (-1, 79);
INSERT INTO order_changes VALUES (-2, 79);
INSERT INTO order_changes VALUES (-3, 79);
RESET ROLE;
-- compare: order_changes
