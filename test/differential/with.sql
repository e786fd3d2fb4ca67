-- WITH that changes rows of several nodes, RETURNING that only the coordinator can evaluate.

-- test: insert in a CTE
WITH new AS (INSERT INTO accounts VALUES (1001, 'cte', 5), (1002, 'cte', 6) RETURNING id, balance) SELECT sum(balance), count(*) FROM new;
SELECT count(*) FROM accounts WHERE owner = 'cte';
-- test: update in a CTE
WITH done AS (UPDATE accounts SET balance = balance + 1 WHERE id IN (1, 2, 3) RETURNING *) SELECT id, balance FROM done ORDER BY id;
-- test: several writes
WITH a AS (UPDATE accounts SET balance = balance - 10 WHERE id = 20 RETURNING id), b AS (UPDATE accounts SET balance = balance + 10 WHERE id = 21 RETURNING id)
    SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b);
SELECT id, balance FROM accounts WHERE id IN (20, 21) ORDER BY id;
-- test: default uuid key comes back and finds its row
WITH n AS (INSERT INTO documents (title) VALUES ('found') RETURNING id) SELECT count(*) FROM n WHERE id IS NOT NULL;
-- test: the rest sees what was there before
WITH d AS (DELETE FROM accounts WHERE id > 30 RETURNING id) SELECT (SELECT count(*) FROM d), (SELECT count(*) FROM accounts), (SELECT max(id) FROM accounts);
WITH i AS (INSERT INTO accounts SELECT g, 'new', g FROM generate_series(2001, 2040) g RETURNING balance) SELECT sum(balance), (SELECT count(*) FROM accounts WHERE owner = 'new') FROM i;
WITH u AS (UPDATE accounts SET balance = balance + 1000 RETURNING id, balance) SELECT sum(u.balance - a.balance), count(*) FROM u JOIN accounts a USING (id);
SELECT count(*), sum(balance) FROM accounts;
-- test: moved from one table to another
WITH gone AS (DELETE FROM order_items WHERE quantity > 3 RETURNING customer_id, order_id, line, price)
    INSERT INTO order_changes (customer_id, order_id) SELECT customer_id, order_id FROM gone;
SELECT count(*) FROM order_items;
-- test: into a local table
WITH gone AS (DELETE FROM pairs WHERE a % 5 = 0 RETURNING a, b) INSERT INTO local_notes (customer_id, body) SELECT a, 'was ' || b FROM gone;
SELECT count(*) FROM local_notes WHERE body LIKE 'was %';
-- test: without RETURNING, not read
WITH x AS (UPDATE accounts SET owner = 'unread' WHERE id % 2 = 0) SELECT 1;
SELECT count(*) FROM accounts WHERE owner = 'unread';
WITH x AS (UPDATE accounts SET owner = 'seen' WHERE id % 2 = 0 RETURNING id) SELECT 1 WHERE false;
SELECT count(*) FROM accounts WHERE owner = 'seen';
-- test: one reads the other
WITH a AS (DELETE FROM accounts WHERE id BETWEEN 2001 AND 2010 RETURNING id, balance), b AS (INSERT INTO accounts SELECT id + 1000, 'again', balance FROM a RETURNING id)
    SELECT count(*), min(id), max(id) FROM b;
-- test: beside queries that only read
WITH rich AS (SELECT id FROM customers WHERE balance > 500), u AS (UPDATE customers SET score = 1 WHERE id < 50 RETURNING id, region_id)
    SELECT count(*), count(rich.id) FROM u LEFT JOIN rich USING (id);
WITH keys AS (SELECT id FROM accounts WHERE id < 10), copies AS (INSERT INTO accounts SELECT id + 5000, 'copy', 0 FROM keys RETURNING id)
    SELECT k.id, c.id FROM keys k JOIN copies c ON c.id = k.id + 5000 ORDER BY 1;
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 12), i AS (INSERT INTO accounts SELECT x + 6000, 'rec', x FROM n RETURNING id)
    SELECT count(*), (SELECT sum(x) FROM n) FROM i;
-- test: a local and a reference table in WITH
WITH l AS (DELETE FROM local_notes RETURNING customer_id) SELECT count(*) FROM customers c JOIN l ON l.customer_id = c.id;
WITH r AS (UPDATE regions SET continent = 'all' WHERE id < 3 RETURNING id) SELECT count(*) FROM customers c JOIN r ON r.id = c.region_id;
SELECT id, continent FROM regions WHERE id < 5 ORDER BY id;
-- test: errors undo everything
WITH a AS (INSERT INTO accounts VALUES (7001, 'x', 1), (7002, 'x', 1) RETURNING id) SELECT 1 / (count(*) - 2) FROM a;
SELECT count(*) FROM accounts WHERE id > 7000;
WITH a AS (UPDATE accounts SET balance = 1 RETURNING id), b AS (INSERT INTO accounts SELECT min(id), 'dup', 0 FROM a) SELECT count(*) FROM a;
SELECT count(*) FROM accounts WHERE balance = 1;
-- test: prepared
PREPARE take(int, int) AS WITH d AS (DELETE FROM accounts WHERE id BETWEEN $1 AND $2 RETURNING id) SELECT count(*), min(id) FROM d;
EXECUTE take(6001, 6002); EXECUTE take(6003, 6004); EXECUTE take(6005, 6005); EXECUTE take(6006, 6006); EXECUTE take(6007, 6007); EXECUTE take(6008, 6009); EXECUTE take(1, 3);
DEALLOCATE take;
-- test: in a function
CREATE FUNCTION move_some(n int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE found bigint;
BEGIN
    WITH d AS (DELETE FROM accounts WHERE id % 7 = n RETURNING id, balance), i AS (INSERT INTO accounts SELECT id + 100000, 'moved', balance FROM d RETURNING id)
        SELECT count(*) INTO found FROM i;
    RETURN found;
END $$;
SELECT move_some(1), move_some(2);
SELECT owner, count(*) FROM accounts GROUP BY owner ORDER BY owner;
-- test: returning a subquery
INSERT INTO accounts VALUES (8001, 'r', 1), (8002, 'r', 2) RETURNING id, (SELECT count(*) FROM customers), (SELECT max(title) FROM documents d WHERE d.version = balance);
-- test: returning a function that reads
CREATE FUNCTION orders_of(c bigint) RETURNS bigint STABLE LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM orders WHERE customer_id = c); END';
INSERT INTO accounts VALUES (8003, 'r', 1), (8004, 'r', 2) RETURNING id, orders_of(id - 8000);
INSERT INTO accounts VALUES (8003, 'r', 1) ON CONFLICT (id) DO UPDATE SET owner = 'r2' RETURNING id, owner, orders_of(id - 8000);
-- test: returning rows of every kind
INSERT INTO accounts VALUES (8005, 'r', 1) RETURNING accounts, row(id, owner), tableoid::regclass;
INSERT INTO customers (id, name, tags, home) VALUES (9001, 'Zed', '{a,b}', ROW('s', 'c')) RETURNING customers.*, (SELECT count(*) FROM orders);
-- test: inserted or updated
INSERT INTO accounts VALUES (8005, 'r', 1), (8006, 'r', 2) ON CONFLICT (id) DO UPDATE SET owner = 'r3' RETURNING id, xmax = 0 AS inserted;
-- test: the tag counts the rows that were inserted
INSERT INTO accounts VALUES (8007, 'r', 1), (8001, 'r', 2) ON CONFLICT DO NOTHING RETURNING id, (SELECT count(*) FROM customers WHERE id < 10);
-- test: insert from an update in a CTE
WITH w AS (UPDATE orders SET note = note WHERE order_id < 900 RETURNING customer_id, order_id) INSERT INTO pairs (a, b) SELECT customer_id, order_id FROM w;
-- test: insert into a local table from a delete in a CTE
WITH w AS (DELETE FROM pairs WHERE b = 3 RETURNING a) INSERT INTO local_notes (id, customer_id) SELECT max(a) + 900, 1 FROM w;
-- test: what WITH has written is not seen by the rest, in repeatable read
BEGIN ISOLATION LEVEL REPEATABLE READ;
WITH w AS (INSERT INTO pairs SELECT 900 + g, g, 'rr' FROM generate_series(1, 6) g RETURNING a) SELECT w.a, p.c FROM w LEFT JOIN pairs p ON p.a = w.a;
WITH w AS (UPDATE pairs SET c = 'changed' WHERE a > 900 RETURNING a) SELECT w.a, p.c FROM w LEFT JOIN pairs p ON p.a = w.a;
SELECT count(*) FROM pairs WHERE c = 'changed';
WITH w AS (DELETE FROM pairs WHERE a > 903 RETURNING a) SELECT count(*), (SELECT count(*) FROM pairs WHERE a > 900) FROM w;
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
WITH w AS (DELETE FROM pairs WHERE a > 900 RETURNING a) SELECT count(*), (SELECT count(*) FROM pairs WHERE a > 900) FROM w;
SELECT count(*) FROM pairs WHERE a > 900;
COMMIT;
-- test: statements of one string see what those before have written
WITH w AS (INSERT INTO pairs SELECT 950 + g, g, 'batch' FROM generate_series(1, 6) g RETURNING a) INSERT INTO pairs SELECT a + 20, 0, 'batch' FROM w\;
    SELECT p.a, q.a FROM pairs p LEFT JOIN pairs q ON q.a = p.a + 20 WHERE p.c = 'batch'\;
    DELETE FROM pairs WHERE a > 973\; SELECT p.a, q.a FROM pairs p LEFT JOIN pairs q ON q.a = p.a + 20 WHERE p.c = 'batch';
-- test: reference table filled from changes of one key
WITH w AS (UPDATE orders SET note = note WHERE customer_id = 43 RETURNING customer_id) INSERT INTO regions (id, name) SELECT 100 + min(customer_id), 'of 43' FROM w;
WITH w AS (UPDATE orders SET note = note WHERE customer_id = 44 RETURNING customer_id) INSERT INTO regions (id, name) SELECT 100 + min(customer_id), 'of 44' FROM w;
WITH w AS (UPDATE orders SET note = note WHERE customer_id = 48 RETURNING customer_id) INSERT INTO regions (id, name) SELECT 100 + min(customer_id), 'of 48' FROM w;
WITH w AS (UPDATE regions SET continent = 'Key' WHERE id > 100 RETURNING id) UPDATE customers SET email = (SELECT count(*) FROM w)::text WHERE id = 43 RETURNING email;
WITH w AS (UPDATE regions SET continent = 'Key 2' WHERE id > 100 RETURNING id) UPDATE customers SET email = (SELECT count(*) FROM w)::text WHERE id = 48 RETURNING email;
SELECT * FROM regions;
SELECT c.id, r.name, r.continent FROM customers c JOIN regions r ON r.id = c.id + 100 WHERE c.id IN (43, 44, 48);
-- test: one that reads what is written after it
WITH RECURSIVE a AS (INSERT INTO accounts SELECT id + 80000, 'later', 0 FROM b RETURNING id), b AS (SELECT id FROM accounts WHERE id < 5) SELECT count(*), min(id) FROM a;
SELECT count(*) FROM accounts WHERE owner = 'later';
-- test: two parts change the same rows
WITH a AS (UPDATE accounts SET owner = 'a' WHERE id < 5 RETURNING id), b AS (UPDATE accounts SET owner = 'b' WHERE id IN (3, 4, 5) RETURNING id) SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b);
WITH a AS (UPDATE accounts SET owner = 'a' || (SELECT count(*) FROM documents) WHERE id < 15 RETURNING id), b AS (UPDATE accounts SET owner = (SELECT max(title) FROM documents) WHERE id < 17 RETURNING id) SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b);
WITH a AS (UPDATE accounts SET owner = 'a' || (SELECT count(*) FROM documents) WHERE id < 18 RETURNING id), b AS (DELETE FROM accounts WHERE id < 20 RETURNING id) SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b);
WITH a AS (UPDATE accounts SET owner = 'x' WHERE id < 25 RETURNING id) DELETE FROM accounts USING a WHERE accounts.id = a.id RETURNING *;
WITH a AS (DELETE FROM accounts WHERE id < 30 RETURNING id), b AS (UPDATE accounts SET owner = (SELECT max(title) FROM documents) WHERE id < 33 RETURNING id) SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b);
BEGIN;
WITH a AS (UPDATE orders SET note = 'a' WHERE customer_id < 40 RETURNING customer_id), b AS (UPDATE orders SET note = 'b' RETURNING customer_id) SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b);
UPDATE orders SET note = note || 'c' WHERE customer_id < 50;
WITH a AS (UPDATE orders SET note = note || 'd' || (SELECT count(*) FROM documents) RETURNING customer_id), b AS (UPDATE orders SET note = 'e' WHERE customer_id > 30 RETURNING customer_id) SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b);
UPDATE orders SET note = note || 'f' WHERE customer_id IN (SELECT owner FROM documents);
COMMIT;
-- compare: accounts, orders
