-- Joins: co-located, with reference and local tables, and of tables that do not lie together.

-- test: co-located join over all shards
SELECT count(*), sum(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id;
-- test: co-located join with rows
SELECT c.id, c.name, o.order_id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.total > 450;
-- test: three co-located tables
SELECT c.id, count(*), sum(i.quantity * i.price) FROM customers c JOIN orders o ON o.customer_id = c.id
    JOIN order_items i USING (customer_id, order_id) GROUP BY c.id HAVING sum(i.quantity) > 12;
-- test: left join keeps customers without orders
SELECT c.id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.order_id IS NULL;
-- test: right join
SELECT c.id, o.order_id FROM orders o RIGHT JOIN customers c ON o.customer_id = c.id AND o.total > 400 WHERE c.id < 20;
-- test: full join, co-located
SELECT count(*), count(c.id), count(o.customer_id) FROM customers c FULL JOIN orders o ON o.customer_id = c.id AND c.active;
-- test: join with a reference table
SELECT r.name, count(*) FROM customers c JOIN regions r ON r.id = c.region_id GROUP BY r.name;
-- test: reference table on the outer side
SELECT r.id, r.name, c.id FROM regions r LEFT JOIN customers c ON c.region_id = r.id AND c.id < 10;
-- test: reference table on the outer side keeps its row once
SELECT r.name, count(c.id) FROM regions r LEFT JOIN customers c ON c.region_id = r.id GROUP BY r.name;
-- test: distributed table on the outer side of a reference table
SELECT c.id, r.name FROM customers c LEFT JOIN regions r ON r.id = c.region_id WHERE c.id % 11 = 0;
-- test: full join with a reference table
SELECT r.name, count(*) FROM regions r FULL JOIN customers c ON c.region_id = r.id GROUP BY 1;
-- test: reference tables alone
SELECT a.name, b.name FROM regions a CROSS JOIN regions b WHERE a.id < b.id;
-- test: two reference tables and a distributed one
SELECT p.category, r.name, sum(i.quantity) FROM order_items i JOIN products p ON p.id = i.product_id
    JOIN customers c ON c.id = i.customer_id JOIN regions r ON r.id = c.region_id GROUP BY 1, 2;
-- test: join with a local table
SELECT n.id, c.name FROM local_notes n JOIN customers c ON c.id = n.customer_id;
-- test: left join from a local table
SELECT n.id, o.order_id FROM local_notes n LEFT JOIN orders o ON o.customer_id = n.customer_id WHERE n.id < 9;
-- test: join with a local table, distributed on the outer side
SELECT c.id, n.body FROM customers c LEFT JOIN local_notes n ON n.customer_id = c.id WHERE c.id < 12;
-- test: join with a function
SELECT c.id, g FROM customers c JOIN generate_series(1, 5) g ON g = c.id;
-- test: join with VALUES
SELECT c.id, v.label FROM customers c JOIN (VALUES (1, 'one'), (2, 'two'), (7, 'seven')) v(id, label) ON v.id = c.id;
-- test: join of tables that do not lie together
SELECT count(*), sum(d.version) FROM customers c JOIN documents d ON d.owner = c.id;
-- test: join of tables that do not lie together, rows
SELECT c.name, v.name FROM customers c JOIN devices v ON v.owner = c.id WHERE c.region_id = 2;
-- test: left join of tables that do not lie together
SELECT c.id, d.title FROM customers c LEFT JOIN documents d ON d.owner = c.id WHERE c.id BETWEEN 45 AND 55;
-- test: join on another column than the key
SELECT count(*) FROM orders o JOIN order_items i ON i.order_id = o.order_id;
-- test: join of co-located tables on other columns
SELECT count(*) FROM customers c JOIN orders o ON o.order_id = c.id * 100 + 1;
-- test: self-join on the key
SELECT count(*) FROM orders a JOIN orders b ON a.customer_id = b.customer_id AND a.order_id < b.order_id;
-- test: self-join on another column
SELECT a.id, b.id FROM customers a JOIN customers b ON b.id = a.id + 100 WHERE a.id < 8;
-- test: self-join on names
SELECT count(*) FROM customers a, customers b WHERE a.initial = b.initial AND a.id < b.id;
-- test: cross join
SELECT count(*) FROM accounts a, tickets t WHERE a.id < 4;
-- test: inequality join
SELECT count(*) FROM accounts a JOIN customers c ON c.balance > a.balance WHERE a.id < 10;
-- test: natural join
SELECT count(*) FROM orders NATURAL JOIN order_items;
-- test: join using
SELECT customer_id, order_id, o.total, i.line FROM orders o JOIN order_items i USING (customer_id, order_id) WHERE o.total < 10;
-- test: join using with an alias
SELECT j.customer_id FROM orders o JOIN order_items i USING (customer_id, order_id) AS j WHERE o.total < 10;
-- test: lateral subquery by the key
SELECT c.id, l.order_id FROM customers c, LATERAL (SELECT order_id FROM orders o WHERE o.customer_id = c.id
    ORDER BY total DESC, order_id LIMIT 1) l WHERE c.id < 40;
-- test: lateral left join
SELECT c.id, l.n FROM customers c LEFT JOIN LATERAL (SELECT count(*) AS n FROM orders o WHERE o.customer_id = c.id) l ON true WHERE c.id < 20;
-- test: lateral of another group
SELECT c.id, l.title FROM customers c, LATERAL (SELECT title FROM documents d WHERE d.owner = c.id ORDER BY title LIMIT 1) l WHERE c.id < 10;
-- test: lateral function
SELECT c.id, t FROM customers c, LATERAL unnest(c.tags) t WHERE c.id < 30;
-- test: join with an aggregated subquery
SELECT c.id, s.total FROM customers c JOIN (SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id) s
    ON s.customer_id = c.id WHERE s.total > 900;
-- test: join of two aggregated subqueries
SELECT a.initial, a.n, b.n FROM (SELECT initial, count(*) AS n FROM customers GROUP BY 1) a
    JOIN (SELECT left(title, 1) AS t, count(*) AS n FROM documents GROUP BY 1) b ON lower(a.initial) = b.t;
-- test: four tables of three groups
SELECT count(*) FROM customers c JOIN orders o ON o.customer_id = c.id JOIN documents d ON d.owner = c.id
    JOIN devices v ON v.owner = c.id;
-- test: join in parentheses
SELECT c.id, o.order_id, i.line FROM customers c LEFT JOIN (orders o JOIN order_items i USING (customer_id, order_id))
    ON o.customer_id = c.id WHERE c.id < 8;
-- test: condition of the outer join on the outer side
SELECT c.id, o.order_id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND c.active WHERE c.id < 15;
-- test: semi join of another group
SELECT id FROM customers c WHERE EXISTS (SELECT 1 FROM documents d WHERE d.owner = c.id AND d.version = 3);
-- test: anti join of another group
SELECT id FROM customers c WHERE c.id < 60 AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.owner = c.id);
-- test: join with the partitioned table
SELECT d.name, count(*), max(e.value) FROM devices d JOIN events e ON e.device = d.name GROUP BY d.name;
-- test: partition joined with its root
SELECT count(*) FROM events_q1 a JOIN events b ON b.device = a.device AND b.seq = a.seq;
-- test: whole rows of a join
SELECT c, o FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = 7 AND o.order_id = 701;
-- test: join on an expression of the key
SELECT count(*) FROM customers c JOIN orders o ON o.customer_id + 0 = c.id;
-- test: keys of different integer types
SELECT a.id, c.name FROM accounts a JOIN customers c ON c.id = a.id WHERE a.id < 6;
-- test: LATERAL subquery that hands on columns of the outer side
SELECT c.id, x.a, x.b FROM customers c LEFT JOIN LATERAL (SELECT c.name AS a, d.version AS b FROM documents d) x
    ON x.b = c.region_id AND x.a = c.name WHERE c.id < 4;
-- test: LATERAL subquery over another outer join
SELECT c.id, x.n FROM customers c JOIN LATERAL (SELECT upper(c.initial) AS n, o.owner FROM accounts o LEFT JOIN pairs p ON p.b = o.id) x
    ON x.n = c.initial WHERE c.id < 3;
