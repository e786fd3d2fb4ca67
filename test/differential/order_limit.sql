-- ORDER BY, LIMIT, OFFSET, DISTINCT ON.

-- test: order by the key
SELECT id, name FROM customers ORDER BY id;
-- test: order by descending
SELECT id FROM customers ORDER BY id DESC LIMIT 10;
-- test: order by another column, limit
SELECT id, balance FROM customers ORDER BY balance DESC, id LIMIT 10;
-- test: offset
SELECT id FROM customers ORDER BY balance, id OFFSET 290;
-- test: limit and offset
SELECT id FROM customers ORDER BY balance, id LIMIT 7 OFFSET 100;
-- test: limit zero
SELECT id FROM customers ORDER BY id LIMIT 0;
-- test: limit null
SELECT id FROM accounts ORDER BY id LIMIT NULL;
-- test: limit by an expression
SELECT id FROM accounts ORDER BY id LIMIT 2 + 3 OFFSET 4 * 2;
-- test: negative limit
SELECT id FROM accounts ORDER BY id LIMIT -1;
-- test: nulls first and last
SELECT region_id, id FROM customers ORDER BY region_id NULLS FIRST, id LIMIT 40;
SELECT region_id, id FROM customers ORDER BY region_id DESC NULLS LAST, id LIMIT 40;
-- test: order by text and collation
SELECT name FROM customers ORDER BY name COLLATE "C" LIMIT 30;
SELECT name FROM devices ORDER BY name DESC;
-- test: order by an expression
SELECT id FROM customers ORDER BY id % 10, id LIMIT 20;
-- test: order by a column that is not selected
SELECT name FROM customers ORDER BY score DESC, id LIMIT 5;
-- test: order by an alias
SELECT id, -balance AS b FROM customers ORDER BY b, id LIMIT 5;
-- test: aliases that swap columns
SELECT a AS b, b AS a FROM pairs ORDER BY 1, 2, c;
-- test: aliases that swap columns, by name
SELECT a AS b, b AS a, c FROM pairs ORDER BY a, b, c;
-- test: aliases that swap columns, with limit
SELECT a AS b, b AS a, c FROM pairs ORDER BY 1, 2, c LIMIT 11;
SELECT a AS b, b AS a, c FROM pairs ORDER BY a DESC, b, c LIMIT 11;
-- test: aliases that swap columns, distinct on
SELECT DISTINCT ON (1) a AS b, b AS a, c FROM pairs ORDER BY 1, pairs.b DESC, c;
-- test: alias that hides a column, at one key
SELECT b AS a, c FROM pairs WHERE a = 3 ORDER BY 1, c;
-- test: distinct, ordered
SELECT DISTINCT region_id FROM customers ORDER BY region_id;
-- test: distinct, limited
SELECT DISTINCT initial FROM customers ORDER BY initial LIMIT 5 OFFSET 2;
-- test: distinct on the key
SELECT DISTINCT ON (customer_id) customer_id, order_id, total FROM orders WHERE customer_id < 40 ORDER BY customer_id, total DESC, order_id;
-- test: fetch first
SELECT id FROM customers ORDER BY balance FETCH FIRST 3 ROWS ONLY;
-- test: fetch first with ties
SELECT * FROM (SELECT priority, project, id FROM tickets ORDER BY project FETCH FIRST 5 ROWS WITH TIES) s ORDER BY id;
-- test: order by several kinds of values
SELECT order_id FROM orders ORDER BY status DESC, placed, order_id LIMIT 20;
SELECT id FROM customers ORDER BY tags NULLS FIRST, home, id LIMIT 20;
SELECT title FROM documents ORDER BY valid DESC, stamp LIMIT 5;
-- test: order by jsonb
SELECT id FROM customers ORDER BY profile, id LIMIT 10;
-- test: order by using an operator
SELECT id FROM accounts ORDER BY balance USING > LIMIT 4;
-- test: order of the partitioned table
SELECT device, seq FROM events ORDER BY at DESC LIMIT 10;
-- test: limit without order counts
SELECT count(*) FROM (SELECT id FROM customers LIMIT 17) s;
SELECT count(*) FROM (SELECT id FROM customers OFFSET 280) s;
-- test: limit over a join
SELECT c.id, o.order_id FROM customers c JOIN orders o ON o.customer_id = c.id ORDER BY o.total DESC, o.order_id LIMIT 8;
-- test: order by float and not a number
SELECT id, CASE WHEN id % 50 = 0 THEN 'NaN'::float8 ELSE score END AS s FROM customers ORDER BY s DESC, id LIMIT 10;
