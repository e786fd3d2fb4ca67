-- Aggregates that are combined over the nodes.

-- test: count
SELECT count(*) FROM customers;
SELECT count(email), count(*), count(tags) FROM customers;
-- test: count of nothing
SELECT count(*), sum(id), max(x), array_agg(id) FROM nothing;
-- test: sum, avg, min, max
SELECT sum(balance), avg(balance), min(balance), max(balance) FROM customers;
-- test: aggregates of integers
SELECT sum(balance), avg(balance), min(id), max(id), avg(id) FROM accounts;
-- test: aggregates of smallint
SELECT sum(priority), avg(priority), stddev(priority) FROM tickets;
-- test: aggregates of floats [float]
SELECT sum(score), avg(score), stddev(score), variance(score), stddev_pop(score), var_pop(score) FROM customers;
-- test: aggregates of numeric
SELECT stddev(total), variance(total), var_samp(tax) FROM orders;
-- test: statistics of two arguments [float]
SELECT corr(score, id), covar_pop(score, id), regr_slope(score, id), regr_count(score, id) FROM customers;
-- test: min and max of text, dates and arrays
SELECT min(name), max(email), min(created), max(created), max(tags) FROM customers;
-- test: min and max of the key
SELECT min(name), max(name) FROM devices;
-- test: bool and bit aggregates
SELECT bool_and(active), bool_or(active), every(balance > -1000), bit_and(id), bit_or(id), bit_xor(id) FROM customers;
-- test: group by the key
SELECT customer_id, count(*), sum(total) FROM orders GROUP BY customer_id;
-- test: group by another column
SELECT status, count(*), sum(total), avg(total) FROM orders GROUP BY status;
-- test: group by with NULL groups
SELECT region_id, count(*) FROM customers GROUP BY region_id;
-- test: group by an expression
SELECT id % 7, count(*) FROM customers GROUP BY id % 7;
-- test: group by an expression with a constant
SELECT region_id + 1, sum(balance) FROM customers GROUP BY region_id + 1;
-- test: group by several columns, ordered
SELECT region_id, active, count(*) FROM customers GROUP BY region_id, active ORDER BY region_id NULLS FIRST, active DESC;
-- test: group by position
SELECT date_trunc('month', placed), count(*) FROM orders GROUP BY 1 ORDER BY 1;
-- test: group by the primary key with other columns
SELECT c.id, c.name, c.email, count(o.*) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE c.id < 20 GROUP BY c.id;
-- test: having
SELECT status, count(*) FROM orders GROUP BY status HAVING count(*) > 150;
-- test: having without group by
SELECT sum(total) FROM orders HAVING count(*) > 1;
SELECT sum(total) FROM orders HAVING count(*) > 1000000;
-- test: having with an aggregate that is not selected
SELECT customer_id FROM orders GROUP BY customer_id HAVING max(total) > 480 AND min(total) < 200;
-- test: filter
SELECT count(*) FILTER (WHERE active), sum(balance) FILTER (WHERE region_id = 2), count(*) FROM customers;
-- test: count distinct
SELECT count(DISTINCT region_id), count(DISTINCT initial), count(DISTINCT id) FROM customers;
-- test: count distinct by group
SELECT status, count(DISTINCT customer_id), sum(DISTINCT revision) FROM orders GROUP BY status;
-- test: distinct aggregate with an order
SELECT string_agg(DISTINCT initial, ',' ORDER BY initial DESC) FROM customers;
-- test: string_agg with an order
SELECT string_agg(name, ',' ORDER BY id) FROM customers WHERE id < 30;
-- test: array_agg with an order
SELECT region_id, array_agg(id ORDER BY id DESC) FROM customers WHERE id < 60 GROUP BY region_id;
-- test: json aggregates
SELECT jsonb_agg(id ORDER BY id), jsonb_object_agg(id, name) FROM customers WHERE id < 10;
SELECT json_agg(o.order_id ORDER BY o.order_id) FROM orders o WHERE customer_id < 8;
-- test: ordered-set aggregates
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY balance), percentile_disc(0.25) WITHIN GROUP (ORDER BY total)
    FROM customers JOIN orders ON customer_id = id;
SELECT mode() WITHIN GROUP (ORDER BY status) FROM orders;
-- test: hypothetical-set aggregate
SELECT rank(100) WITHIN GROUP (ORDER BY total) FROM orders;
-- test: grouping sets
SELECT region_id, active, count(*), grouping(region_id, active) FROM customers
    GROUP BY GROUPING SETS ((region_id), (active), (region_id, active), ());
-- test: rollup
SELECT status, date_trunc('month', placed) AS month, sum(total) FROM orders GROUP BY ROLLUP (status, month);
-- test: cube
SELECT region_id, active, sum(balance) FROM customers GROUP BY CUBE (region_id, active);
-- test: aggregate of an expression
SELECT sum(quantity * price), avg(quantity * price) FROM order_items;
-- test: expression of aggregates
SELECT sum(total) / count(*) + max(revision), round(avg(total), 1) FROM orders;
-- test: case in an aggregate
SELECT sum(CASE WHEN status = 'paid' THEN total ELSE 0 END), sum(CASE status WHEN 'new' THEN 1 END) FROM orders;
-- test: nested aggregation
SELECT max(n), min(n), avg(n) FROM (SELECT count(*) AS n FROM orders GROUP BY customer_id) s;
-- test: distinct
SELECT DISTINCT status FROM orders;
-- test: distinct of several columns
SELECT DISTINCT region_id, active FROM customers;
-- test: distinct of the key
SELECT DISTINCT customer_id FROM orders WHERE total > 400;
-- test: distinct of an aggregate
SELECT DISTINCT count(*) FROM orders GROUP BY customer_id;
-- test: aggregate over the partitioned table [float]
SELECT kind, count(*), sum(value), avg(value), min(at), max(seq) FROM events GROUP BY kind;
-- test: aggregate of a partition
SELECT count(*), min(at), max(at) FROM events_q2;
-- test: aggregate of jsonb values
SELECT profile ->> 'age', count(*) FROM customers GROUP BY profile ->> 'age';
-- test: aggregate of ranges
SELECT range_agg(valid) FROM documents;
SELECT range_intersect_agg(valid) FROM documents WHERE version = 2;
-- test: aggregate over no rows, grouped
SELECT status, count(*) FROM orders WHERE total < 0 GROUP BY status;
-- test: aggregate of a constant
SELECT count(1), sum(1), max('x') FROM orders;
-- test: aggregate of whole rows
SELECT count(o), count(DISTINCT o) FROM orders o WHERE customer_id < 20;
-- test: aggregate with a subquery argument
SELECT sum((SELECT count(*) FROM orders o WHERE o.customer_id = c.id)) FROM customers c;
-- test: user-defined aggregate
CREATE AGGREGATE shop.product(numeric) (sfunc = numeric_mul, stype = numeric, initcond = '1');
SELECT shop.product(revision + 1) FROM orders WHERE customer_id < 9;
SELECT shop.product(round(total, 0) + 1) FROM orders WHERE customer_id = 44;
-- test: user-defined aggregate with a combine function
CREATE AGGREGATE shop.biggest(numeric) (sfunc = numeric_larger, stype = numeric, combinefunc = numeric_larger);
SELECT shop.biggest(total), status FROM orders GROUP BY status;
-- test: aggregates of intervals and dates
SELECT sum(placed - '2024-01-01 00:00:00+00'), avg(placed - '2024-01-01 00:00:00+00') FROM orders;
-- test: any_value by group, with count over all
SELECT initial, count(*), min(region_id) FROM customers GROUP BY initial ORDER BY count(*) DESC, initial LIMIT 5;
-- test: order by an aggregate that is not selected
SELECT status FROM orders GROUP BY status ORDER BY sum(total);
-- test: distinct on
SELECT DISTINCT ON (region_id) region_id, id, name FROM customers ORDER BY region_id, balance DESC, id;
-- test: distinct on with swapped aliases
SELECT DISTINCT ON (b) a AS b, b AS a FROM pairs ORDER BY b, pairs.b;
-- test: extremes of constants and arrays
SELECT max('{1,NULL}'::int[]), min(ARRAY[2, 3]) FROM customers;
SELECT max(tags), min(tags) FROM customers WHERE region_id = 2;
