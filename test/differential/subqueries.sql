-- Subqueries of every place.

-- test: scalar subquery of the same table
SELECT id, balance FROM customers WHERE balance = (SELECT max(balance) FROM customers);
-- test: scalar subquery in the target list
SELECT id, (SELECT count(*) FROM orders) AS all_orders FROM customers WHERE id < 5;
-- test: in, co-located by the key
SELECT id FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > 450);
-- test: in, another column
SELECT id FROM customers WHERE id IN (SELECT owner FROM documents WHERE version = 2);
-- test: in a reference table
SELECT id FROM customers WHERE region_id IN (SELECT id FROM regions WHERE continent = 'Europe') AND id < 30;
-- test: in a local table
SELECT id, name FROM customers WHERE id IN (SELECT customer_id FROM local_notes);
-- test: local table in a distributed one
SELECT id FROM local_notes WHERE customer_id IN (SELECT customer_id FROM orders WHERE status = 'paid');
-- test: reference table in a distributed one
SELECT name FROM regions WHERE id IN (SELECT region_id FROM customers WHERE balance > 800);
-- test: not in
SELECT id FROM customers WHERE id < 40 AND id NOT IN (SELECT customer_id FROM orders);
-- test: not in with NULLs
SELECT count(*) FROM regions WHERE id NOT IN (SELECT region_id FROM customers);
-- test: not exists, co-located
SELECT id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.status <> 'new');
-- test: exists without correlation
SELECT count(*) FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE total > 499);
SELECT count(*) FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE total > 5000);
-- test: any and all
SELECT id FROM customers WHERE balance >= ALL (SELECT balance FROM customers WHERE region_id = 1);
SELECT count(*) FROM customers WHERE id = ANY (SELECT customer_id FROM orders WHERE total < 5);
-- test: correlated by another column
SELECT c.id, (SELECT count(*) FROM documents d WHERE d.owner = c.id) FROM customers c WHERE c.id BETWEEN 40 AND 55;
-- test: correlated, compared with the group's average
SELECT o.customer_id, o.order_id FROM orders o
    WHERE o.total > (SELECT avg(i.total) * 1.4 FROM orders i WHERE i.customer_id = o.customer_id);
-- test: correlated over all rows
SELECT c.id FROM customers c WHERE c.balance > (SELECT avg(balance) * 2.5 FROM customers x WHERE x.region_id = c.region_id);
-- test: two levels of correlation
SELECT c.id FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND EXISTS
    (SELECT 1 FROM order_items i WHERE i.customer_id = c.id AND i.order_id = o.order_id AND i.price > 85));
-- test: subquery in from with limit
SELECT count(*), sum(id) FROM (SELECT id FROM customers ORDER BY balance DESC, id LIMIT 25) s;
-- test: subquery in from with distinct
SELECT count(*) FROM (SELECT DISTINCT initial, region_id FROM customers) s;
-- test: subquery in from with group by, filtered outside
SELECT customer_id, n FROM (SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id) s WHERE n = 4 AND customer_id < 50;
-- test: subquery in from, joined
SELECT s.customer_id, c.name FROM (SELECT customer_id, max(total) AS m FROM orders GROUP BY 1) s
    JOIN customers c ON c.id = s.customer_id AND s.m > 480;
-- test: subquery in having
SELECT status, sum(total) FROM orders GROUP BY status HAVING sum(total) > (SELECT sum(total) / 4 FROM orders);
-- test: subquery in order by
SELECT id FROM customers c WHERE id < 10 ORDER BY (SELECT count(*) FROM orders o WHERE o.customer_id = c.id), id;
-- test: subquery in limit
SELECT id FROM customers ORDER BY id LIMIT (SELECT count(*) FROM regions);
-- test: subquery in case
SELECT id, CASE WHEN id IN (SELECT owner FROM documents) THEN 'owner' ELSE 'none' END FROM customers WHERE id BETWEEN 48 AND 53;
-- test: array subquery
SELECT id, ARRAY(SELECT order_id FROM orders o WHERE o.customer_id = c.id ORDER BY 1) FROM customers c WHERE id < 10;
-- test: row subquery
SELECT id FROM customers WHERE (region_id, active) = (SELECT region_id, active FROM customers WHERE id = 5) AND id < 40;
SELECT order_id FROM orders WHERE (customer_id, total) IN (SELECT customer_id, max(total) FROM orders GROUP BY customer_id) AND customer_id < 12;
-- test: subquery that returns several rows
SELECT id FROM customers WHERE balance = (SELECT total FROM orders);
-- test: subquery without tables
SELECT id, (SELECT id * 2) FROM customers WHERE id < 4;
-- test: aggregate of the outer query inside a subquery
SELECT region_id, (SELECT max(name) FROM regions WHERE id = min(c.region_id)) FROM customers c GROUP BY region_id;
-- test: lateral aggregate
SELECT r.name, s.n, s.total FROM regions r, LATERAL (SELECT count(*) AS n, sum(balance) AS total FROM customers c WHERE c.region_id = r.id) s;
-- test: empty table in a subquery
SELECT count(*) FROM customers WHERE id NOT IN (SELECT id FROM nothing);
SELECT count(*) FROM customers WHERE id IN (SELECT id FROM nothing);
-- test: same table three times
SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM orders WHERE status = 'new'), (SELECT min(order_id) FROM orders);
-- test: columns that nobody reads
SELECT s.id FROM (SELECT id, (SELECT count(*) FROM documents d WHERE d.owner = c.id) AS n, (SELECT max(title) FROM documents) AS t FROM customers c) s WHERE s.id < 9 ORDER BY 1;
SELECT s.n FROM (SELECT id, (SELECT count(*) FROM documents d WHERE d.owner = c.id) AS n FROM customers c) s WHERE s.id < 9 ORDER BY 1;
SELECT count(*) FROM (SELECT DISTINCT (SELECT count(*) FROM documents d WHERE d.owner = c.id) AS n FROM customers c) s;
SELECT s FROM (SELECT id, (SELECT count(*) FROM documents d WHERE d.owner = c.id) AS n FROM customers c WHERE id < 4) s ORDER BY 1;
SELECT n FROM (SELECT 1 AS k, (SELECT count(*) FROM documents) AS n UNION ALL SELECT id, (SELECT count(*) FROM orders) FROM regions) u ORDER BY 1;
SELECT a.id FROM (SELECT id, (SELECT count(*) FROM orders) AS n FROM customers) a JOIN (SELECT id, (SELECT count(*) FROM documents) AS n FROM accounts) b ON a.id = b.id AND b.n > 0 ORDER BY 1 LIMIT 5;
SELECT (SELECT s.x FROM (SELECT c.id AS x, (SELECT count(*) FROM documents) AS y) s) FROM customers c ORDER BY 1 LIMIT 3;
