-- Groups and distinct rows that are made where the rows are: by the distribution key whole, others in parts.

-- test: groups of the key with aggregates that can't be split
SELECT customer_id, string_agg(status::text, ',' ORDER BY order_id), array_agg(order_id ORDER BY total, order_id), count(DISTINCT status) FROM orders GROUP BY customer_id;
-- test: groups of the key and of more
SELECT customer_id, status, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM orders GROUP BY status, customer_id;
-- test: HAVING on the nodes
SELECT customer_id, sum(total) FROM orders GROUP BY customer_id HAVING count(*) > 2 AND min(total) > 0;
-- test: HAVING that reads other rows
SELECT customer_id, sum(total) FROM orders GROUP BY customer_id HAVING sum(total) > (SELECT avg(total) * 3 FROM orders);
SELECT customer_id FROM orders GROUP BY customer_id HAVING sum(total) > (SELECT avg(total) * 3 FROM orders) ORDER BY 1 LIMIT 4;
-- test: the greatest groups [ordered]
SELECT customer_id, sum(total) FROM orders GROUP BY customer_id ORDER BY sum(total) DESC, customer_id LIMIT 7;
SELECT customer_id, sum(total), count(*) FROM orders GROUP BY customer_id ORDER BY sum(total) / count(*) DESC NULLS LAST, 1 DESC LIMIT 5 OFFSET 3;
SELECT customer_id, count(*) FROM orders GROUP BY customer_id HAVING count(*) > 1 ORDER BY max(placed), max(order_id) DESC, customer_id LIMIT 5;
-- test: as many groups as tie
SELECT * FROM (SELECT customer_id, count(*) FROM orders GROUP BY customer_id ORDER BY count(*) DESC FETCH FIRST 3 ROWS WITH TIES) s;
-- test: no group at all
SELECT customer_id, count(*) FROM orders WHERE total < -1 GROUP BY customer_id;
SELECT customer_id, count(*) FROM orders GROUP BY customer_id ORDER BY 2, 1 LIMIT 0;
-- test: groups of a joined key
SELECT c.id, c.name, count(o.order_id), sum(i.quantity) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id LEFT JOIN order_items i USING (customer_id, order_id) GROUP BY c.id;
-- test: groups of a key that an outer join may leave out
SELECT o.customer_id, count(*), sum(c.balance) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY o.customer_id;
SELECT DISTINCT o.customer_id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id;
SELECT coalesce(a.customer_id, b.customer_id), a.customer_id, count(*) FROM orders a FULL JOIN order_changes b ON a.customer_id = b.customer_id AND a.order_id = b.order_id GROUP BY 1, 2;
-- test: columns that depend on the grouped key
SELECT id, name, balance + count(*), upper(email) FROM customers GROUP BY id ORDER BY name, id LIMIT 9;
-- test: groups of a text key
SELECT name, count(*), max(model) FROM devices GROUP BY name;
SELECT device, max(at), avg(value), array_agg(DISTINCT kind) FROM events GROUP BY device;
-- test: groups of the key under another name, cast or expression
SELECT k, count(*) FROM (SELECT customer_id AS k, total FROM orders) s GROUP BY k;
SELECT customer_id::int, count(*) FROM orders GROUP BY customer_id::int;
SELECT customer_id % 7, count(DISTINCT customer_id) FROM orders GROUP BY 1;
-- test: groups of what is the same for all rows
SELECT DISTINCT current_setting('application_name') <> '', 3 FROM orders;
SELECT current_date > '2020-01-01', count(*) FROM orders GROUP BY 1;
SELECT customer_id, current_date > '2020-01-01', count(*) FROM orders GROUP BY 1, 2;
-- test: window functions over groups of the key
SELECT customer_id, sum(total), rank() OVER (ORDER BY sum(total) DESC, customer_id) FROM orders GROUP BY customer_id;
-- test: groups in a set operation and in a subquery
SELECT customer_id FROM orders GROUP BY customer_id HAVING count(*) > 3 EXCEPT SELECT id FROM customers WHERE balance < 0;
SELECT count(*), max(n) FROM (SELECT customer_id, count(*) AS n FROM orders GROUP BY customer_id) s;
-- test: a subquery in the list beside groups
SELECT customer_id, sum(total), (SELECT max(balance) FROM customers) FROM orders GROUP BY customer_id;
-- test: a function of one's own over groups
SELECT customer_id, shop.add_tax(sum(total)) FROM orders GROUP BY customer_id;
-- test: values of objects in groups
SELECT id, max(name::text)::text, pg_typeof(max(balance)) FROM customers GROUP BY id;
-- test: whole rows in groups
SELECT customer_id, count(o) FROM orders o GROUP BY customer_id;
-- test: distinct rows
SELECT DISTINCT status FROM orders;
SELECT DISTINCT status, total > 100 FROM orders;
SELECT DISTINCT customer_id, status FROM orders;
SELECT DISTINCT region_id, active FROM customers;
-- test: distinct rows in order [ordered]
SELECT DISTINCT status FROM orders ORDER BY status;
SELECT DISTINCT customer_id, status FROM orders ORDER BY status DESC, customer_id LIMIT 6 OFFSET 2;
SELECT DISTINCT region_id FROM customers ORDER BY region_id DESC NULLS FIRST LIMIT 3;
SELECT DISTINCT upper(kind) AS k, device FROM events ORDER BY k, device LIMIT 5;
-- test: distinct rows of a join
SELECT DISTINCT c.region_id, o.status FROM customers c JOIN orders o ON o.customer_id = c.id;
-- test: distinct rows that look different
SELECT count(*) FROM (SELECT DISTINCT balance FROM customers) s;
-- test: distinct on [ordered]
SELECT DISTINCT ON (customer_id) customer_id, order_id, total FROM orders ORDER BY customer_id, total DESC, order_id;
-- test: distinct aggregates
SELECT count(DISTINCT status) FROM orders;
SELECT count(DISTINCT region_id), count(DISTINCT active), min(region_id), max(id) FROM customers;
SELECT region_id, count(DISTINCT active), max(region_id) FROM customers GROUP BY region_id;
SELECT sum(DISTINCT region_id), array_agg(DISTINCT region_id ORDER BY region_id DESC) FROM customers;
SELECT status, count(DISTINCT customer_id) FILTER (WHERE order_id > 2), string_agg(DISTINCT status::text, ';') FROM orders GROUP BY status HAVING count(DISTINCT customer_id) > 0;
SELECT count(DISTINCT balance), count(DISTINCT score), sum(DISTINCT balance) FROM customers;
-- test: distinct aggregates of values that are equal and look different
SELECT count(DISTINCT v::text) FROM (SELECT DISTINCT region_id::numeric * 1.0 AS v FROM customers UNION ALL SELECT region_id::numeric * 1.00 FROM customers) s;
-- test: distinct aggregates beside others
SELECT status, count(DISTINCT customer_id), count(*), sum(total) FROM orders GROUP BY status;
-- test: distinct aggregates of nothing
SELECT count(DISTINCT x), max(x) FROM nothing;
SELECT x, count(DISTINCT id) FROM nothing GROUP BY x;
-- test: groups under row security and in views
SELECT tenant, count(DISTINCT id), count(*) FROM tenant_rows GROUP BY tenant;
-- test: prepared groups
PREPARE groups_above(bigint) AS SELECT customer_id, sum(total) FROM orders GROUP BY customer_id HAVING count(*) > $1 ORDER BY 2 DESC, 1 LIMIT 5;
EXECUTE groups_above(1);
EXECUTE groups_above(2);
SET plan_cache_mode = force_generic_plan;
EXECUTE groups_above(1);
RESET plan_cache_mode;
DEALLOCATE groups_above;
-- test: groups in a cursor [ordered]
BEGIN;
DECLARE groups SCROLL CURSOR FOR SELECT customer_id, count(*) FROM orders GROUP BY customer_id ORDER BY 2 DESC, 1;
FETCH 3 FROM groups;
FETCH BACKWARD 2 FROM groups;
FETCH LAST FROM groups;
COMMIT;
