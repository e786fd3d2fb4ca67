-- UPDATE, DELETE, TRUNCATE, MERGE.

-- test: update one row
UPDATE accounts SET balance = balance + 5 WHERE id = 7;
UPDATE accounts SET balance = balance + 5, owner = upper(owner) WHERE id = 8 RETURNING *;
-- test: update no row
UPDATE accounts SET balance = 0 WHERE id = 77777;
UPDATE accounts SET balance = 0 WHERE false;
-- test: update rows of several nodes
UPDATE accounts SET balance = balance + 1 WHERE id BETWEEN 10 AND 30;
-- test: update every row
UPDATE accounts SET balance = balance + 1;
-- test: update rows of several nodes, returning
UPDATE accounts SET owner = 'many' WHERE id % 17 = 0 RETURNING id, balance;
-- test: update by another column
UPDATE customers SET balance = 0 WHERE email IS NULL;
-- test: update to default and null
UPDATE customers SET tags = DEFAULT, profile = NULL, balance = DEFAULT WHERE id IN (5, 6);
-- test: update of several columns at once
UPDATE customers SET (name, balance) = ('Multi', balance * 2) WHERE id = 9 RETURNING name, balance, initial;
UPDATE customers SET (name, email) = (SELECT 'from ' || r.name, r.continent FROM regions r WHERE r.id = customers.region_id) WHERE id IN (1, 2, 3);
-- test: update of an array element, a json path and a field
UPDATE customers SET tags[1] = 'first', profile['new'] = '1', home.city = 'Moved' WHERE id = 12 RETURNING tags, profile, home;
-- compare: accounts, customers
-- test: update fires the trigger
UPDATE orders SET note = 'bumped' WHERE customer_id = 44 RETURNING revision;
UPDATE orders SET status = 'sent' WHERE status = 'paid' AND customer_id < 50;
-- test: update from a co-located table
UPDATE orders o SET note = c.name FROM customers c WHERE c.id = o.customer_id AND c.region_id = 2;
-- test: update from a reference table
UPDATE order_items i SET price = p.price FROM products p WHERE p.id = i.product_id AND p.category = 'toy';
-- test: update from VALUES
UPDATE accounts a SET balance = v.b FROM (VALUES (1, 1000), (2, 2000), (3, 3000)) v(id, b) WHERE v.id = a.id RETURNING a.id, a.balance;
-- test: update with a co-located subquery
UPDATE customers c SET balance = (SELECT coalesce(sum(total), 0) FROM orders o WHERE o.customer_id = c.id) WHERE c.id < 40;
-- test: update where in a co-located subquery
UPDATE customers SET active = false WHERE id IN (SELECT customer_id FROM orders WHERE total > 480);
-- test: update of a reference table
UPDATE regions SET continent = 'Unknown' WHERE continent IS NULL;
UPDATE products SET price = price + 1 WHERE category IS NULL RETURNING id;
-- test: update of a local table from a distributed one
UPDATE local_notes n SET body = c.name FROM customers c WHERE c.id = n.customer_id AND c.id < 30;
-- test: update of the partitioned table
UPDATE events SET kind = 'changed' WHERE device = 'dev-5' AND seq < 400;
UPDATE events SET value = value * 2 WHERE at < '2024-01-20';
-- test: update that moves a row to another partition
UPDATE events SET at = '2031-01-01' WHERE device = 'dev-6' AND seq = 5 RETURNING device, at;
-- test: update with a check violation
UPDATE accounts SET balance = balance - 1000000 WHERE id = 7;
UPDATE accounts SET balance = balance - 1500 WHERE id < 60;
-- test: update with a foreign key violation
UPDATE customers SET region_id = 99 WHERE id = 7;
-- test: update of a generated column
UPDATE orders SET tax = 1 WHERE customer_id = 44;
-- test: update with volatile functions only touches what it should
UPDATE accounts SET balance = balance WHERE random() < 0;
-- compare: accounts, customers, orders, order_items, order_changes, events, regions, products, local_notes
-- test: update of the key to itself
UPDATE accounts SET id = id WHERE id = 33;
UPDATE accounts SET id = 33 WHERE id = 33 RETURNING id;
-- test: delete one row
DELETE FROM accounts WHERE id = 99;
DELETE FROM accounts WHERE id = 98 RETURNING *;
-- test: delete no row
DELETE FROM accounts WHERE id = 99;
-- test: delete rows of several nodes
DELETE FROM accounts WHERE id > 80 RETURNING id;
-- test: delete using a co-located table
DELETE FROM order_items i USING orders o WHERE o.customer_id = i.customer_id AND o.order_id = i.order_id AND o.status = 'returned';
-- test: delete using a reference table
DELETE FROM order_items i USING products p WHERE p.id = i.product_id AND p.price < 10;
-- test: delete where not exists
DELETE FROM orders o WHERE NOT EXISTS (SELECT 1 FROM order_items i WHERE i.customer_id = o.customer_id AND i.order_id = o.order_id) AND o.customer_id < 100;
-- test: delete cascades to co-located tables
DELETE FROM customers WHERE id = 44;
SELECT (SELECT count(*) FROM orders WHERE customer_id = 44), (SELECT count(*) FROM order_items WHERE customer_id = 44);
-- test: delete cascades over all nodes
DELETE FROM customers WHERE id BETWEEN 60 AND 120;
SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_items);
-- test: delete with a foreign key violation on a reference table
DELETE FROM regions WHERE id = 1;
DELETE FROM regions WHERE id = 5;
-- compare: accounts, customers, orders, order_items, order_changes, devices, regions
-- test: merge at one key
MERGE INTO accounts a USING (VALUES (5, 500)) v(id, b) ON a.id = v.id AND a.id = 5 WHEN MATCHED THEN UPDATE SET balance = v.b WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'merged', v.b);
-- test: truncate
TRUNCATE order_changes;
SELECT count(*) FROM order_changes;
-- test: truncate of several tables
TRUNCATE accounts, pairs;
SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM pairs);
-- test: truncate with a foreign key
TRUNCATE customers;
-- test: truncate cascade
TRUNCATE customers CASCADE;
SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM orders), (SELECT count(*) FROM order_items);
-- test: truncate of the partitioned table and a partition
TRUNCATE events_q1;
SELECT count(*) FROM events;
TRUNCATE events;
SELECT count(*) FROM events;
-- test: truncate restarts identity
TRUNCATE notes RESTART IDENTITY;
INSERT INTO notes (body) VALUES ('first again') RETURNING id;
-- test: truncate rolled back
BEGIN;
TRUNCATE documents;
SELECT count(*) FROM documents;
ROLLBACK;
SELECT count(*) FROM documents;
-- test: truncate of a reference table is checked
TRUNCATE regions;
-- test: changes by rows of other tables, under conditions that are never true
UPDATE customers c SET name = 'never' WHERE 1 = 2 AND c.id IN (SELECT owner FROM documents d WHERE d.version = c.region_id);
DELETE FROM customers c WHERE c.id IN (SELECT owner FROM documents) AND 'a' LIKE 'b%' RETURNING id;
MERGE INTO accounts a USING (SELECT owner FROM documents WHERE false) d ON a.id = d.owner WHEN NOT MATCHED THEN INSERT (id, owner, balance) VALUES (d.owner, 'never', 0);
SELECT count(*) FROM customers;
