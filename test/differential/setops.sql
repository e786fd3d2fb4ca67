-- UNION, INTERSECT, EXCEPT.

-- test: union all of two distributed tables
SELECT id, name FROM customers WHERE id < 5 UNION ALL SELECT id, owner FROM accounts WHERE id < 5;
-- test: union removes duplicates over nodes
SELECT region_id FROM customers UNION SELECT id FROM regions;
-- test: union of co-located tables on the key
SELECT id FROM customers WHERE id < 30 UNION SELECT customer_id FROM orders WHERE customer_id < 40;
-- test: union all, counted
SELECT count(*) FROM (SELECT id FROM customers UNION ALL SELECT customer_id FROM orders) s;
-- test: intersect
SELECT id FROM customers INTERSECT SELECT owner FROM documents;
-- test: intersect all
SELECT a FROM pairs INTERSECT ALL SELECT b FROM pairs;
-- test: except
SELECT id FROM customers WHERE id < 60 EXCEPT SELECT customer_id FROM orders;
-- test: except all
SELECT a FROM pairs EXCEPT ALL SELECT b FROM pairs;
-- test: ordered and limited
SELECT id, 'customer' AS what FROM customers UNION ALL SELECT id, 'account' FROM accounts ORDER BY id, what LIMIT 12;
-- test: ordered by position
SELECT name FROM customers WHERE id < 6 UNION SELECT name FROM devices WHERE name < 'dev-2' ORDER BY 1;
-- test: at one key
SELECT order_id FROM orders WHERE customer_id = 44 UNION SELECT order_id FROM order_items WHERE customer_id = 44;
-- test: at two keys
SELECT order_id FROM orders WHERE customer_id = 43 UNION ALL SELECT order_id FROM orders WHERE customer_id = 44;
-- test: with a local table
SELECT customer_id FROM local_notes WHERE id < 9 UNION SELECT customer_id FROM orders WHERE total > 480;
-- test: with constants
SELECT id, name FROM customers WHERE id = 3 UNION ALL SELECT 0, 'none';
-- test: with aggregates
SELECT 'orders', count(*) FROM orders UNION ALL SELECT 'items', count(*) FROM order_items UNION ALL SELECT 'events', count(*) FROM events;
-- test: nested
(SELECT id FROM customers WHERE id < 10 EXCEPT SELECT id FROM customers WHERE id % 2 = 0) UNION (SELECT id FROM accounts WHERE id IN (2, 4) INTERSECT SELECT 4);
-- test: types are unified
SELECT id FROM accounts WHERE id < 3 UNION ALL SELECT balance FROM customers WHERE id < 3;
-- test: in a subquery
SELECT name FROM customers WHERE id IN (SELECT owner FROM documents WHERE version = 1 UNION SELECT owner FROM devices WHERE model = 'model 1') AND id < 60;
-- test: branches with their own limit
(SELECT id FROM customers ORDER BY balance, id LIMIT 3) UNION ALL (SELECT customer_id FROM orders ORDER BY total DESC, order_id LIMIT 3);
-- test: group by over a union
SELECT s.k, count(*) FROM (SELECT region_id AS k FROM customers UNION ALL SELECT version FROM documents) s GROUP BY s.k;
-- test: values
VALUES (1, 'a'), (2, 'b') UNION ALL SELECT id, name FROM customers WHERE id = 1;
-- test: table command
TABLE regions;
TABLE nothing;
