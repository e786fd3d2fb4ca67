-- Larger fragments: the smaller side of a join goes to the nodes, with reference tables and inner
-- queries that follow the keys.
-- test: broadcast of another group
SET herd.broadcast = 'always';
SELECT c.id, d.title FROM customers c, documents d WHERE d.owner = c.id AND c.id < 60;
-- test: broadcast and aggregates
SET herd.broadcast = 'always';
SELECT c.region_id, count(*), sum(d.version), avg(c.balance) FROM customers c JOIN documents d ON d.owner = c.id
    GROUP BY c.region_id;
-- test: broadcast of a join of two groups to a third
SET herd.broadcast = 'always';
SELECT count(*), sum(o.total), max(v.model) FROM customers c, orders o, documents d, devices v
    WHERE o.customer_id = c.id AND d.owner = c.id AND v.owner = d.owner;
-- test: broadcast of a local table
SET herd.broadcast = 'always';
CREATE TEMP TABLE picks (id int, note text);
INSERT INTO picks SELECT i, 'note ' || i FROM generate_series(1, 40, 3) i;
SELECT p.note, sum(o.total) FROM picks p JOIN orders o ON o.customer_id = p.id GROUP BY p.note;
-- test: broadcast of VALUES and of a function
SET herd.broadcast = 'always';
SELECT o.customer_id, v.n, g FROM orders o, (VALUES (3, 'a'), (5, NULL), (5, 'b')) AS v (id, n), generate_series(4, 6) g
    WHERE o.customer_id = v.id AND g >= v.id;
-- test: broadcast of a user's types, with nulls
SET herd.broadcast = 'always';
SELECT c.id, o.status, d.version FROM customers c JOIN documents d ON d.owner = c.id JOIN orders o ON o.total > d.version
    WHERE c.id < 9 AND o.customer_id < 9 AND o.status <> 'new';
-- test: broadcast of nothing
SET herd.broadcast = 'always';
SELECT count(*), sum(c.balance) FROM customers c JOIN documents d ON d.owner = c.id WHERE d.title = 'there is none';
-- test: parallel workers join a broadcast
SET herd.broadcast = 'always';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT c.id, d.title, d.version FROM customers c JOIN documents d ON d.owner = c.id WHERE c.id < 60;
SELECT c.region_id, count(*), sum(d.version), min(d.title) FROM customers c JOIN documents d ON d.owner = c.id
    GROUP BY c.region_id;
SELECT count(*), sum(o.total), max(v.model) FROM customers c, orders o, documents d, devices v
    WHERE o.customer_id = c.id AND d.owner = c.id AND v.owner = d.owner;
SELECT count(*) FROM customers c JOIN documents d ON d.owner = c.id WHERE d.title = 'there is none';
SELECT count(*) FROM customers c WHERE c.id IN (SELECT d.owner FROM documents d) AND c.id > (SELECT min(v.owner) FROM devices v);
-- test: parallel workers divide a broadcast, with nulls and texts
SET herd.broadcast = 'always';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*), count(b.note), sum(length(b.note)), max(b.note), sum(b.n * o.total), min(b.n)
    FROM orders o, (SELECT i % 97 AS id, CASE WHEN i % 7 <> 0 THEN repeat('x', i % 13) END AS note, nullif(i % 5, 3)::numeric AS n
        FROM generate_series(1, 12000) i) b WHERE b.id = o.customer_id;
SET enable_hashjoin = off;
SELECT count(*), count(b.note), sum(b.x) FROM orders o, (SELECT i % 97 AS id, nullif(i % 3, 1)::text AS note, i AS x
        FROM generate_series(1, 12000) i) b WHERE b.id = o.customer_id AND b.x < o.order_id;
-- test: parallel workers read a broadcast again
SET herd.broadcast = 'always';
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SELECT count(*), sum(d.version) FROM customers c JOIN documents d ON d.owner < c.id AND c.id < 30;
SELECT c.id, (SELECT count(*) FROM documents d WHERE d.owner = c.id) FROM customers c WHERE c.id < 30;
-- test: reference tables filter a broadcast to which they are not joined
SET herd.broadcast = 'always';
SELECT c.region_id, r.name, count(*), sum(p.a) FROM customers c, pairs p, regions r
    WHERE c.region_id = r.id AND p.b = c.region_id AND r.continent = 'Europe' GROUP BY 1, 2;
SELECT t.priority, count(*), sum(p.a) FROM tickets t, pairs p, accounts a, regions r, products u
    WHERE a.id = r.id AND p.b = a.id AND t.project = p.a AND u.id = p.a AND u.category = 'toy' AND r.name < 'South' GROUP BY 1;
SELECT count(*), min(c.id) FROM customers c, pairs p, regions r, regions s WHERE c.region_id = r.id AND p.b = s.id AND p.a = c.id
    AND ((r.name = 'North' AND s.name = 'South') OR (r.name = 'South' AND s.name = 'North'));
SELECT count(*) FROM customers c, pairs p, regions r WHERE c.region_id = r.id AND p.b = c.region_id AND r.continent = 'Atlantis';
SELECT count(*), sum(r.id) FROM customers c JOIN pairs p ON p.b = c.region_id LEFT JOIN regions r
    ON r.id = p.b AND r.continent = 'Europe';
SELECT count(*), sum(p.b) FROM pairs p LEFT JOIN (customers c JOIN regions r ON c.region_id = r.id AND r.continent = 'Asia')
    ON p.b = c.region_id;
SELECT count(*), sum(p.b) FROM customers c, pairs p, regions r, regions s
    WHERE c.region_id = r.id AND p.b = r.id AND s.id = r.id + 1 AND s.continent IS NULL;
SELECT c.id FROM customers c WHERE c.id < 60 AND EXISTS (SELECT 1 FROM pairs p, accounts a, regions r
    WHERE p.a = c.id AND p.b = a.id AND a.id = r.id AND r.continent = 'Europe');
PREPARE on_continent(text) AS SELECT count(*), sum(p.a) FROM customers c, pairs p, regions r
    WHERE c.region_id = r.id AND p.b = r.id AND r.continent = $1;
EXECUTE on_continent('Europe');
EXECUTE on_continent('Asia');
EXECUTE on_continent(NULL);
EXECUTE on_continent('America');
EXECUTE on_continent('Europe');
EXECUTE on_continent('Europe');
EXECUTE on_continent('Asia');
-- test: broadcast with a collation
SET herd.broadcast = 'always';
SELECT count(*) FROM (SELECT name COLLATE "C" AS n, owner FROM devices) v JOIN customers c ON c.name COLLATE "C" < v.n;
-- test: broadcast with an inequality
SET herd.broadcast = 'always';
SELECT count(*), min(c.id) FROM customers c JOIN documents d ON d.owner < c.id AND c.id < 30;
-- test: broadcast under an outer join
SET herd.broadcast = 'always';
SELECT c.id, d.version, o.order_id FROM customers c JOIN documents d ON d.owner = c.id
    LEFT JOIN orders o ON o.customer_id = c.id AND o.total > 100 WHERE c.id < 25;
-- test: the outer side is not broadcast
SET herd.broadcast = 'always';
SELECT d.owner, c.id, count(*) FROM documents d LEFT JOIN customers c ON c.id = d.owner AND c.active GROUP BY 1, 2;
-- test: reference tables inside of a fragment
SELECT r.name, count(*), sum(o.total) FROM orders o JOIN customers c ON c.id = o.customer_id JOIN regions r ON r.id = c.region_id
    GROUP BY r.name;
-- test: reference table on either side of outer joins
SELECT r.name, count(c.id), count(*) FROM regions r LEFT JOIN customers c ON c.region_id = r.id GROUP BY r.name;
SELECT r.name, count(c.id), count(*) FROM regions r RIGHT JOIN customers c ON c.region_id = r.id AND r.id > 2 GROUP BY r.name;
-- test: EXISTS by the key
SELECT count(*), sum(balance) FROM customers c WHERE EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id AND o.total > 150);
-- test: NOT EXISTS by the key
SELECT count(*), sum(balance) FROM customers c WHERE NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id AND o.total > 150);
-- test: two inner queries over the same table
SELECT count(*) FROM orders o1 JOIN customers c ON c.id = o1.customer_id
    WHERE EXISTS (SELECT FROM orders o2 WHERE o2.customer_id = o1.customer_id AND o2.order_id <> o1.order_id)
      AND NOT EXISTS (SELECT FROM orders o3 WHERE o3.customer_id = o1.customer_id AND o3.total > o1.total);
-- test: IN by the key with groups
SELECT id FROM customers WHERE id IN (SELECT customer_id FROM orders GROUP BY customer_id HAVING sum(total) > 300);
-- test: NOT IN, whose null decides
SELECT count(*) FROM customers WHERE id NOT IN (SELECT owner FROM documents);
SELECT count(*) FROM customers WHERE id NOT IN (SELECT owner FROM documents WHERE owner IS NOT NULL);
-- test: NOT IN of another group, broadcast
SET herd.broadcast = 'always';
SELECT count(*) FROM customers WHERE id NOT IN (SELECT owner FROM documents);
SELECT count(*) FROM customers WHERE id NOT IN (SELECT owner FROM documents WHERE owner IS NOT NULL);
-- test: correlated aggregate by the key
SELECT count(*), sum(o.total) FROM orders o
    WHERE o.total = (SELECT max(i.total) FROM orders i WHERE i.customer_id = o.customer_id);
-- test: correlated aggregate by the key over another group
SET herd.broadcast = 'always';
SELECT count(*), sum(o.total) FROM orders o
    WHERE o.total >= (SELECT max(i.total) - max(d.version) FROM orders i, documents d
                      WHERE i.customer_id = o.customer_id AND d.owner = i.customer_id);
-- test: correlated aggregate by another column
SELECT count(*) FROM documents d WHERE d.version <= (SELECT count(*) FROM customers c WHERE c.region_id = d.version);
-- test: uncorrelated inner query over another group
SET herd.broadcast = 'always';
SELECT count(*) FROM customers WHERE balance > (SELECT avg(version) FROM documents);
SELECT count(*) FROM customers WHERE EXISTS (SELECT FROM documents WHERE version > 3);
-- test: inner query without a key inside a fragment's condition
SELECT count(*) FROM customers c JOIN orders o ON o.customer_id = c.id
    WHERE c.id = ANY (SELECT d.owner FROM documents d) OR o.total > (SELECT avg(total) FROM orders);
-- test: broadcast read in a fragment twice
SET herd.broadcast = 'always';
WITH d AS MATERIALIZED (SELECT owner, max(version) AS v FROM documents GROUP BY owner)
SELECT count(*) FROM customers c, d WHERE d.owner = c.id AND c.id IN (SELECT owner FROM d WHERE v > 1);
-- test: broadcast in a correlated inner query
SET herd.broadcast = 'always';
SELECT a.id, (SELECT count(*) FROM customers c JOIN documents d ON d.owner = c.id WHERE c.region_id = a.id) FROM accounts a
    WHERE a.id < 5;
-- test: broadcast in prepared statements
SET herd.broadcast = 'always';
SET plan_cache_mode = force_generic_plan;
PREPARE sums (int) AS SELECT count(*), sum(o.total) FROM orders o JOIN documents d ON d.owner = o.customer_id WHERE d.version < $1;
EXECUTE sums (2);
EXECUTE sums (4);
-- test: broadcast of rows that the transaction wrote
SET herd.broadcast = 'always';
BEGIN;
INSERT INTO documents (id, title, owner) SELECT gen_random_uuid(), 'fresh', i FROM generate_series(1, 5) i;
SELECT count(*), sum(c.id) FROM customers c JOIN documents d ON d.owner = c.id WHERE d.title = 'fresh';
ROLLBACK;
-- test: broadcast with row security and a view
SET herd.broadcast = 'always';
SELECT count(*) FROM tenant_rows t JOIN customers c ON c.id = t.id;
-- test: broadcast in INSERT ... SELECT
SET herd.broadcast = 'always';
CREATE TEMP TABLE gathered AS SELECT c.id, count(*) AS n FROM customers c JOIN documents d ON d.owner = c.id GROUP BY c.id;
SELECT * FROM gathered;
-- test: a cursor shows what was there when it was opened
SET herd.broadcast = 'always';
BEGIN;
DECLARE seen CURSOR FOR SELECT c.id, d.version FROM customers c JOIN documents d ON d.owner = c.id WHERE c.id < 30 ORDER BY 1, 2;
DECLARE grouped CURSOR FOR SELECT c.id FROM customers c WHERE c.balance > (SELECT avg(i.balance) FROM customers i WHERE i.region_id = c.region_id) ORDER BY 1;
DECLARE counted CURSOR FOR SELECT count(*), sum(c.balance) FROM customers c JOIN documents d ON d.owner = c.id;
UPDATE documents SET version = version + 100;
UPDATE customers SET balance = balance + id * 10;
FETCH ALL FROM seen;
FETCH ALL FROM grouped;
FETCH ALL FROM counted;
ROLLBACK;
-- test: a broadcast of rows from WITH, inside of other queries
WITH w AS (SELECT region_id AS n, count(*) AS c FROM customers GROUP BY region_id) SELECT count(*) FROM w JOIN pairs p ON w.n >= p.a AND w.c > (SELECT count(*) FROM documents d WHERE d.version = p.a)
    WHERE (1, 2) IN (SELECT p.a, o.order_id FROM documents d LEFT JOIN orders o ON d.owner = o.customer_id);
SELECT * FROM (WITH w AS (SELECT region_id AS n, count(*) AS c FROM customers GROUP BY region_id) SELECT p.a, count(*) OVER (PARTITION BY p.b) FROM w JOIN pairs p ON w.n >= p.a AND w.c < (SELECT sum(o.total) FROM orders o JOIN documents d ON d.owner = o.customer_id AND d.version <> 7 WHERE p.a = d.version)) q ORDER BY 1, 2 LIMIT 20;
