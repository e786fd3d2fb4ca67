-- Distributed tables beside foreign, temporary and local ones, catalogue tables and functions.

CREATE EXTENSION file_fdw;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE lines (id bigint, label text) SERVER files
    OPTIONS (program 'printf "3,three\n44,fortyfour\n290,late\n999,nobody\n"', format 'csv');
CREATE TEMPORARY TABLE picked (id bigint, why text);
INSERT INTO picked SELECT id, 'by sum' FROM customers WHERE balance > 800 OR id = 44;

-- test: foreign table joined with distributed ones
SELECT l.id, l.label, c.name FROM lines l LEFT JOIN customers c ON c.id = l.id;
SELECT l.label, count(o.*), sum(o.total) FROM lines l JOIN orders o ON o.customer_id = l.id GROUP BY l.label;
SELECT c.id FROM customers c WHERE c.id IN (SELECT id FROM lines);
SELECT label FROM lines WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = lines.id);
SELECT label, (SELECT count(*) FROM orders WHERE customer_id = lines.id) FROM lines ORDER BY id;
SELECT id FROM lines UNION SELECT id FROM accounts WHERE id < 4;
-- test: foreign table as a source of writes
INSERT INTO pairs SELECT id, 1, label FROM lines;
INSERT INTO customers (id, name) SELECT id, label FROM lines ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id, name;
UPDATE customers c SET email = l.label FROM lines l WHERE l.id = c.id RETURNING c.id, email;
DELETE FROM customers c USING lines l WHERE l.id = c.id AND l.label = 'nobody' RETURNING c.id;
-- compare: pairs, customers
-- test: temporary table joined with distributed ones
SELECT p.why, count(*), sum(o.total) FROM picked p JOIN orders o ON o.customer_id = p.id GROUP BY p.why;
SELECT p.id, c.name, r.name FROM picked p JOIN customers c USING (id) JOIN regions r ON r.id = c.region_id;
SELECT count(*) FROM orders WHERE customer_id NOT IN (SELECT id FROM picked);
SELECT c.id FROM customers c FULL JOIN picked p ON p.id = c.id AND p.why = 'by sum' WHERE c.balance > 850 OR p.id IS NULL AND c.id < 3;
-- test: temporary table in writes
UPDATE customers c SET balance = balance + 1 FROM picked p WHERE p.id = c.id;
DELETE FROM order_items i USING picked p WHERE p.id = i.customer_id AND i.line = 2;
INSERT INTO picked SELECT customer_id, status::text FROM orders WHERE total > 480 RETURNING why;
UPDATE picked p SET why = c.name FROM customers c WHERE c.id = p.id RETURNING p.id, p.why;
DELETE FROM picked WHERE id IN (SELECT id FROM customers WHERE region_id = 2);
MERGE INTO picked p USING customers c ON c.id = p.id WHEN MATCHED AND c.active THEN DELETE WHEN MATCHED THEN UPDATE SET why = 'left'
    WHEN NOT MATCHED AND c.id < 4 THEN INSERT VALUES (c.id, 'new');
SELECT * FROM picked;
-- compare: customers, order_items
-- test: temporary view over a distributed table and a temporary one
CREATE TEMPORARY VIEW seen AS SELECT c.id, c.name, p.why FROM customers c LEFT JOIN picked p ON p.id = c.id;
SELECT count(*), count(why) FROM seen;
SELECT * FROM seen WHERE id = 3;
-- test: temporary table that hides a distributed one
CREATE TEMPORARY TABLE accounts (id int, owner text, balance bigint);
SELECT count(*) FROM accounts;
INSERT INTO accounts VALUES (1, 'hidden', 1);
SELECT a.owner, b.owner FROM accounts a JOIN shop.accounts b USING (id);
DROP TABLE accounts;
SELECT count(*) FROM accounts;
-- test: four kinds of tables in one statement
SELECT c.id, r.name, n.body, l.label FROM customers c JOIN regions r ON r.id = c.region_id LEFT JOIN local_notes n ON n.customer_id = c.id
    LEFT JOIN lines l ON l.id = c.id WHERE c.id < 50;
SELECT count(*) FROM (SELECT id FROM customers UNION ALL SELECT id FROM local_notes UNION ALL SELECT id FROM regions UNION ALL SELECT id FROM lines) s;
WITH a AS (SELECT customer_id, max(total) AS m FROM orders GROUP BY 1), b AS (SELECT id FROM lines) SELECT * FROM a WHERE customer_id IN (TABLE b);
-- test: catalogue tables beside distributed ones
SELECT count(*) > 0 FROM pg_class k JOIN customers c ON k.relname = 'customers' AND c.id < 5;
SELECT attname, (SELECT count(*) FROM orders) FROM pg_attribute WHERE attrelid = 'shop.regions'::regclass AND attnum > 0;
-- test: natural joins and joins by USING of several kinds
SELECT * FROM orders NATURAL JOIN order_items WHERE customer_id = 44;
SELECT count(*) FROM orders NATURAL LEFT JOIN order_items;
SELECT customer_id, count(*) FROM orders JOIN order_items USING (customer_id, order_id) GROUP BY customer_id HAVING count(*) > 7;
SELECT j.customer_id, j.note FROM (orders JOIN order_items USING (customer_id, order_id)) AS j WHERE j.customer_id = 44;
SELECT x.id FROM customers JOIN accounts USING (id) AS x WHERE x.id < 5;
-- test: hypothetical-set aggregates
SELECT rank(200, 'z') WITHIN GROUP (ORDER BY total, note), dense_rank(200) WITHIN GROUP (ORDER BY total) FROM orders;
SELECT status, percent_rank(100) WITHIN GROUP (ORDER BY total), cume_dist(100) WITHIN GROUP (ORDER BY total DESC) FROM orders GROUP BY status;
-- test: user-defined aggregates of every kind
CREATE FUNCTION shop.keep_last(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT coalesce($2, $1)';
CREATE AGGREGATE shop.last_of(text) (sfunc = shop.keep_last, stype = text);
CREATE AGGREGATE shop.spread(numeric) (sfunc = numeric_accum, stype = internal, finalfunc = numeric_stddev_pop, combinefunc = numeric_combine,
    serialfunc = numeric_serialize, deserialfunc = numeric_deserialize, parallel = safe);
SELECT status, shop.last_of(note ORDER BY order_id) FROM orders GROUP BY status;
SELECT shop.last_of(name ORDER BY id DESC) FROM customers WHERE id > 200;
SELECT round(shop.spread(total), 6), round(stddev_pop(total), 6) FROM orders;
SELECT status, round(shop.spread(total), 6) FROM orders GROUP BY status;
SELECT shop.last_of(status::text ORDER BY order_id) FILTER (WHERE total > 100) OVER () FROM orders WHERE customer_id = 44;
SELECT order_id, shop.last_of(note) OVER (ORDER BY order_id) FROM orders WHERE customer_id < 5;
