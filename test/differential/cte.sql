-- Common table expressions.

-- test: simple
WITH big AS (SELECT * FROM orders WHERE total > 400) SELECT count(*), min(total) FROM big;
-- test: used twice
WITH big AS (SELECT * FROM orders WHERE total > 400)
    SELECT a.order_id, b.order_id FROM big a JOIN big b ON a.customer_id = b.customer_id AND a.order_id < b.order_id;
-- test: materialized
WITH big AS MATERIALIZED (SELECT customer_id FROM orders WHERE total > 450) SELECT c.id FROM customers c JOIN big ON big.customer_id = c.id;
-- test: not materialized
WITH big AS NOT MATERIALIZED (SELECT * FROM orders) SELECT count(*) FROM big WHERE customer_id = 44;
-- test: chain
WITH a AS (SELECT customer_id, sum(total) AS t FROM orders GROUP BY 1), b AS (SELECT * FROM a WHERE t > 1000),
    c AS (SELECT count(*) AS n FROM b) SELECT b.customer_id, c.n FROM b, c;
-- test: aggregated and joined back
WITH t AS (SELECT customer_id, max(total) AS m FROM orders GROUP BY 1)
    SELECT o.customer_id, o.order_id FROM orders o JOIN t ON t.customer_id = o.customer_id AND t.m = o.total WHERE o.customer_id < 20;
-- test: in a subquery
SELECT id FROM customers WHERE id IN (WITH x AS (SELECT customer_id FROM orders WHERE total > 480) SELECT customer_id FROM x);
-- test: shadows a table
WITH customers AS (SELECT 1 AS id, 'shadow' AS name) SELECT * FROM customers;
-- test: of VALUES, joined
WITH v(id) AS (VALUES (3::bigint), (4), (5)) SELECT c.id, c.name FROM customers c JOIN v USING (id);
-- test: recursive without tables
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT sum(i) FROM n;
-- test: recursive over a distributed table
WITH RECURSIVE chain(id, depth) AS (
    SELECT id, 1 FROM customers WHERE id = 3
    UNION ALL SELECT c.id, depth + 1 FROM chain JOIN customers c ON c.id = chain.id * 2 WHERE depth < 7)
    SELECT * FROM chain;
-- test: recursive at one key
WITH RECURSIVE o(order_id, n) AS (
    SELECT order_id, 1 FROM orders WHERE customer_id = 44 AND order_id = 4401
    UNION ALL SELECT x.order_id, n + 1 FROM o JOIN orders x ON x.customer_id = 44 AND x.order_id = o.order_id + 1)
    SELECT * FROM o;
-- test: recursive with search
WITH RECURSIVE chain(id) AS (
    SELECT id FROM customers WHERE id IN (2, 3)
    UNION ALL SELECT c.id FROM chain JOIN customers c ON c.id = chain.id * 3 WHERE c.id < 200)
    SEARCH DEPTH FIRST BY id SET ord SELECT id, ord FROM chain ORDER BY ord;
-- test: recursive with search, at one key
WITH RECURSIVE o(order_id) AS (
    SELECT order_id FROM orders WHERE customer_id = 44 AND order_id = 4401
    UNION ALL SELECT x.order_id FROM o JOIN orders x ON x.customer_id = 44 AND x.order_id = o.order_id + 1)
    SEARCH BREADTH FIRST BY order_id SET ord SELECT * FROM o ORDER BY ord;
-- test: recursive with cycle
WITH RECURSIVE g(id, next) AS (
    SELECT id, id % 5 + 1 FROM accounts WHERE id = 1
    UNION ALL SELECT a.id, a.id % 5 + 1 FROM g JOIN accounts a ON a.id = g.next)
    CYCLE id SET looped USING path SELECT id, looped FROM g ORDER BY array_length(path, 1);
-- test: update in a CTE at one key
WITH done AS (UPDATE orders SET note = 'by cte' WHERE customer_id = 44 RETURNING order_id) SELECT count(*) FROM done;
-- test: delete in a CTE, rows moved to a co-located table
WITH gone AS (DELETE FROM order_changes WHERE customer_id = 44 RETURNING *) INSERT INTO order_changes SELECT customer_id, order_id + 1, old_status, new_status FROM gone;
-- test: insert from an update in a CTE
WITH w AS (UPDATE orders SET note = note WHERE order_id < 900 RETURNING customer_id, order_id) INSERT INTO pairs (a, b) SELECT customer_id, order_id FROM w;
-- test: insert into a local table from a delete in a CTE
WITH w AS (DELETE FROM pairs WHERE b = 3 RETURNING a) INSERT INTO local_notes (id, customer_id) SELECT max(a) + 900, 1 FROM w;
-- compare: accounts, orders, order_changes, pairs, local_notes
-- test: read beside a write sees the old rows
WITH w AS (UPDATE accounts SET balance = 0 WHERE id = 9 RETURNING 1) SELECT balance FROM accounts WHERE id = 9;
-- test: one reader, and a key
WITH c AS (SELECT * FROM customers) SELECT id, name FROM c WHERE id = 42;
WITH o AS (SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id) SELECT n FROM o WHERE customer_id = 42;
WITH o AS MATERIALIZED (SELECT customer_id, total FROM orders) SELECT c.id, (SELECT sum(total) FROM o WHERE o.customer_id = c.id) FROM customers c WHERE c.id IN (42, 43) ORDER BY 1;
WITH o AS (SELECT * FROM orders ORDER BY total DESC, customer_id, order_id LIMIT 3) SELECT count(*) FROM o WHERE customer_id = 42;
-- test: two readers, and a key
WITH o AS (SELECT customer_id, total FROM orders) SELECT (SELECT count(*) FROM o WHERE customer_id = 42), (SELECT count(*) FROM o);
WITH o AS (SELECT customer_id, total FROM orders) SELECT count(*) FROM o a JOIN o b ON a.customer_id = 42 AND b.total > a.total;
