-- FOR UPDATE and its kin over several nodes, system columns, TABLESAMPLE.

-- test: lock over all nodes
SELECT id, balance FROM accounts WHERE id < 60 ORDER BY id FOR UPDATE;
-- test: lock with order and limit
SELECT id FROM customers WHERE region_id = 2 ORDER BY balance DESC, id LIMIT 7 FOR NO KEY UPDATE;
SELECT id, name FROM customers ORDER BY id DESC OFFSET 5 LIMIT 5 FOR SHARE;
SELECT id FROM customers ORDER BY score DESC NULLS LAST, id LIMIT 5 FOR UPDATE SKIP LOCKED;
-- test: with ties
SELECT region_id FROM customers WHERE region_id IS NOT NULL ORDER BY region_id FETCH FIRST 3 ROWS WITH TIES FOR KEY SHARE;
-- test: every strength
SELECT count(*) FROM (SELECT id FROM accounts FOR UPDATE) s;
SELECT count(*) FROM (SELECT id FROM accounts FOR NO KEY UPDATE) s;
SELECT count(*) FROM (SELECT id FROM accounts FOR SHARE NOWAIT) s;
SELECT count(*) FROM (SELECT id FROM accounts FOR KEY SHARE SKIP LOCKED) s;
-- test: a join, all of it
SELECT c.id, o.order_id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id < 30 ORDER BY 1, 2 FOR UPDATE;
-- test: a join, one side of it
SELECT c.id, d.title FROM customers c JOIN documents d ON d.owner = c.id WHERE c.id < 90 ORDER BY 1, 2 FOR UPDATE OF d;
SELECT c.id, d.title FROM customers c LEFT JOIN documents d ON d.owner = c.id WHERE c.id < 20 ORDER BY 1, 2 FOR UPDATE OF c;
-- test: with local and reference tables
SELECT n.body, c.name FROM local_notes n JOIN customers c ON c.id = n.customer_id ORDER BY 1, 2 FOR UPDATE;
SELECT c.id, r.name FROM customers c JOIN regions r ON r.id = c.region_id WHERE c.id < 40 ORDER BY 1 FOR SHARE OF c;
-- test: a correlated condition
SELECT id FROM customers c WHERE EXISTS (SELECT FROM documents d WHERE d.owner = c.id AND d.version = 2) ORDER BY id FOR UPDATE;
-- test: a condition that nodes can't check
SELECT id FROM accounts WHERE id IN (SELECT customer_id FROM local_notes) ORDER BY id FOR UPDATE;
-- test: in WITH and in FROM
WITH w AS (SELECT id, balance FROM accounts WHERE id % 3 = 0 FOR UPDATE) SELECT count(*), sum(balance) FROM w;
SELECT s.id, c.name FROM (SELECT id FROM accounts WHERE id < 20 FOR UPDATE) s JOIN customers c ON c.id = s.id ORDER BY 1;
-- test: a view
SELECT id FROM active_customers ORDER BY id LIMIT 4 FOR UPDATE;
-- test: a partitioned table
SELECT seq, tableoid::regclass FROM events ORDER BY seq LIMIT 5 FOR UPDATE;
-- test: locked and changed in one transaction
BEGIN;
SELECT id, balance FROM accounts WHERE id IN (3, 4, 5, 6) ORDER BY id FOR UPDATE;
UPDATE accounts SET balance = balance + 1 WHERE id IN (3, 4, 5, 6);
SELECT id, balance FROM accounts WHERE id IN (3, 4, 5, 6) ORDER BY id FOR UPDATE;
COMMIT;
-- test: what PostgreSQL refuses
SELECT count(*) FROM accounts FOR UPDATE;
SELECT DISTINCT region_id FROM customers FOR UPDATE;
SELECT c.id FROM customers c LEFT JOIN documents d ON d.owner = c.id FOR UPDATE;
-- test: in a read-only transaction
BEGIN READ ONLY; SELECT id FROM accounts FOR UPDATE;
ROLLBACK;
-- test: tableoid
SELECT tableoid::regclass, count(*) FROM customers GROUP BY 1;
SELECT tableoid::regclass FROM customers WHERE id = 42;
SELECT tableoid::regclass AS part, count(*), min(seq) FROM events GROUP BY 1 ORDER BY 1;
SELECT tableoid::regclass, seq FROM events WHERE seq > 90000;
SELECT count(*) FROM events WHERE tableoid = 'events'::regclass;
SELECT DISTINCT a.tableoid = b.tableoid FROM customers a JOIN orders b ON b.customer_id = a.id;
SELECT c.tableoid::regclass, d.tableoid::regclass FROM customers c LEFT JOIN documents d ON d.owner = c.id ORDER BY c.id, d.title LIMIT 9;
-- test: tableoid and the whole row
SELECT e.tableoid::regclass, e FROM events e ORDER BY seq LIMIT 3;
SELECT r.id, p.tableoid::regclass, p FROM regions r LEFT JOIN pairs p ON p.a = r.id + 100000 ORDER BY 1;
-- test: ctid and xmin of one row
SELECT count(*) FROM (SELECT ctid, xmin FROM customers WHERE id = 42) s;
UPDATE customers SET score = 7 WHERE id = 42 AND ctid = (SELECT ctid FROM customers WHERE id = 42) RETURNING id, score;
-- test: rows that occur twice
DELETE FROM pairs x USING pairs y WHERE x.a = y.a AND x.b = y.b AND x.c = y.c AND x.ctid < y.ctid;
-- test: tablesample
SELECT count(*) FROM customers TABLESAMPLE bernoulli (100);
SELECT count(*), sum(balance) FROM accounts TABLESAMPLE system (100) REPEATABLE (7);
SELECT count(*) FROM customers c TABLESAMPLE bernoulli (100) JOIN orders o ON o.customer_id = c.id;
SELECT count(*) FROM customers TABLESAMPLE bernoulli (0);
