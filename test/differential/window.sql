-- Window functions.

-- test: partitioned by the key
SELECT customer_id, order_id, row_number() OVER (PARTITION BY customer_id ORDER BY total, order_id) FROM orders WHERE customer_id < 30;
-- test: partitioned by another column
SELECT id, rank() OVER (PARTITION BY region_id ORDER BY balance DESC, id) FROM customers;
-- test: over all rows
SELECT id, row_number() OVER (ORDER BY balance, id), sum(balance) OVER () FROM customers WHERE id < 100;
-- test: running sum
SELECT id, sum(balance) OVER (ORDER BY id) FROM accounts;
-- test: frames
SELECT id, sum(balance) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), avg(balance) OVER (ORDER BY id RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING) FROM accounts;
-- test: lag and lead
SELECT device, seq, seq - lag(seq) OVER w, lead(value) OVER w FROM events WHERE seq < 300 WINDOW w AS (PARTITION BY device ORDER BY at);
-- test: ntile, first and last value
SELECT id, ntile(4) OVER (ORDER BY id), first_value(name) OVER w, last_value(name) OVER w FROM customers WHERE id < 50 WINDOW w AS (PARTITION BY initial ORDER BY id);
-- test: over aggregates
SELECT status, count(*), sum(count(*)) OVER (), rank() OVER (ORDER BY count(*) DESC, status) FROM orders GROUP BY status;
-- test: top of each group
SELECT * FROM (SELECT region_id, id, row_number() OVER (PARTITION BY region_id ORDER BY balance DESC, id) AS n FROM customers) s WHERE n <= 2;
-- test: at one key
SELECT order_id, sum(total) OVER (ORDER BY order_id) FROM orders WHERE customer_id = 44;
-- test: with distinct
SELECT DISTINCT region_id, count(*) OVER (PARTITION BY region_id) FROM customers;
-- test: in order by
SELECT id FROM accounts ORDER BY row_number() OVER (ORDER BY balance DESC) LIMIT 5;
-- test: with limit
SELECT id, count(*) OVER () FROM customers ORDER BY id LIMIT 3;
-- test: filter and exclude
SELECT id, count(*) FILTER (WHERE id % 2 = 0) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM accounts WHERE id < 20;
-- test: over a join
SELECT c.id, o.order_id, percent_rank() OVER (PARTITION BY c.region_id ORDER BY o.total, o.order_id) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id < 40;
