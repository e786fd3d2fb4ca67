-- Results that are kept or handed on: COPY (query) TO, CREATE TABLE AS, SELECT INTO, materialized
-- views, views with check option.

-- test: copy of a query at one key
COPY (SELECT order_id, total, note FROM orders WHERE customer_id = 44 ORDER BY 1) TO STDOUT;
-- test: copy of a query over all nodes
COPY (SELECT id, name, email FROM customers ORDER BY id LIMIT 20) TO STDOUT (FORMAT csv, HEADER, NULL '-', QUOTE '''');
COPY (SELECT status, count(*) FROM orders GROUP BY status ORDER BY status) TO STDOUT (FORMAT csv, FORCE_QUOTE *);
COPY (SELECT tags, profile, home FROM customers WHERE id < 8 ORDER BY id) TO STDOUT (DELIMITER '|', NULL 'none');
COPY (SELECT c.id, o.order_id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE c.id < 6 ORDER BY 1, 2) TO STDOUT;
COPY (VALUES (1, 'x'), (2, (SELECT max(name) FROM customers))) TO STDOUT;
-- test: copy of a query that writes
COPY (UPDATE accounts SET balance = balance + 1 WHERE id = 3 RETURNING id, balance) TO STDOUT;
COPY (DELETE FROM pairs WHERE a = 3 RETURNING a) TO STDOUT;
COPY (INSERT INTO pairs VALUES (3, 3, 'copied') RETURNING *) TO STDOUT;
-- compare: pairs
-- test: copy with an error
COPY (SELECT 1 / (count(*) - 100) FROM accounts) TO STDOUT (FORMAT csv);
-- test: table as a query over all nodes
CREATE TABLE kept AS SELECT customer_id, count(*) AS n, sum(total) AS total FROM orders GROUP BY customer_id;
SELECT count(*), sum(n), sum(total) FROM kept;
SELECT k.n, c.name FROM kept k JOIN customers c ON c.id = k.customer_id WHERE c.id < 9;
-- test: table as a query at one key
CREATE TABLE kept_one AS SELECT * FROM orders WHERE customer_id = 44;
SELECT * FROM kept_one;
-- test: table with no data, then filled and distributed
CREATE TABLE kept_empty (id, title) AS SELECT id, title FROM documents WITH NO DATA;
SELECT herd.distribute('shop.kept_empty', 'id');
INSERT INTO kept_empty SELECT id, title FROM documents WHERE version < 3;
SELECT count(*), min(title) FROM kept_empty;
-- test: temporary table as a query
CREATE TEMPORARY TABLE kept_temp ON COMMIT PRESERVE ROWS AS SELECT id, balance FROM customers WHERE balance > 700;
SELECT count(*), max(balance) FROM kept_temp;
SELECT t.id, o.order_id FROM kept_temp t JOIN orders o ON o.customer_id = t.id WHERE t.id < 60;
UPDATE kept_temp t SET balance = c.score FROM customers c WHERE c.id = t.id;
SELECT count(*) FROM customers WHERE id IN (SELECT id FROM kept_temp);
DROP TABLE kept_temp;
-- test: temporary table dropped on commit
BEGIN;
CREATE TEMPORARY TABLE short_lived ON COMMIT DROP AS SELECT a, count(*) AS n FROM pairs GROUP BY a;
SELECT sum(n) FROM short_lived;
INSERT INTO pairs SELECT a, n, 'from temp' FROM short_lived WHERE a < 3;
COMMIT;
SELECT count(*) FROM pairs WHERE c = 'from temp';
SELECT * FROM short_lived;
-- test: select into
SELECT id, name INTO kept_into FROM customers WHERE region_id = 2;
SELECT count(*) FROM kept_into;
SELECT id INTO TEMPORARY kept_into_temp FROM accounts WHERE id < 5;
SELECT * FROM kept_into_temp;
-- test: table if it does not exist
CREATE TABLE IF NOT EXISTS kept_one AS SELECT count(*) FROM customers;
SELECT count(*) FROM kept_one;
-- test: create table as execute
PREPARE rich (numeric) AS SELECT id FROM customers WHERE balance > $1;
CREATE TABLE kept_rich AS EXECUTE rich(850);
SELECT count(*) FROM kept_rich;
-- test: materialized view
CREATE MATERIALIZED VIEW totals AS SELECT region_id, count(*) AS n, sum(balance) AS balance FROM customers GROUP BY region_id;
SELECT * FROM totals;
UPDATE customers SET balance = balance + 1 WHERE id < 50;
SELECT * FROM totals;
REFRESH MATERIALIZED VIEW totals;
SELECT * FROM totals;
-- test: materialized view refreshed concurrently
CREATE UNIQUE INDEX ON totals (region_id);
DELETE FROM customers WHERE id IN (290, 295);
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
SELECT * FROM totals;
-- test: materialized view with no data
CREATE MATERIALIZED VIEW later AS SELECT customer_id, max(total) AS most FROM orders GROUP BY 1 WITH NO DATA;
SELECT * FROM later;
REFRESH MATERIALIZED VIEW later;
SELECT count(*), sum(most) FROM later;
SELECT l.most, c.name FROM later l JOIN customers c ON c.id = l.customer_id WHERE c.id = 44;
-- test: materialized view of a view and of a materialized view
CREATE MATERIALIZED VIEW of_view AS SELECT * FROM order_totals WHERE orders > 2;
CREATE MATERIALIZED VIEW of_materialized AS SELECT count(*) AS n FROM later;
SELECT count(*), sum(total) FROM of_view;
SELECT n FROM of_materialized;
REFRESH MATERIALIZED VIEW of_view;
DROP MATERIALIZED VIEW of_materialized, of_view;
-- test: materialized view in a transaction
BEGIN;
UPDATE orders SET total = total + 1000 WHERE customer_id = 44;
REFRESH MATERIALIZED VIEW later;
SELECT most FROM later WHERE customer_id = 44;
ROLLBACK;
SELECT most FROM later WHERE customer_id = 44;
-- test: materialized view at one key
CREATE MATERIALIZED VIEW one_key AS SELECT order_id, total FROM orders WHERE customer_id = 43;
SELECT * FROM one_key;
DROP MATERIALIZED VIEW one_key;
-- test: insert through a view with check option
INSERT INTO active_customers (id, name, active) VALUES (6001, 'checked', true);
INSERT INTO active_customers (id, name, active) VALUES (6002, 'not active', false);
SELECT id FROM customers WHERE id > 6000;
-- test: views with local and cascaded check options
CREATE VIEW small_pairs AS SELECT a, b, c FROM pairs WHERE b < 5;
CREATE VIEW local_pairs AS SELECT * FROM small_pairs WHERE a < 10 WITH LOCAL CHECK OPTION;
CREATE VIEW cascaded_pairs AS SELECT * FROM small_pairs WHERE a < 10 WITH CASCADED CHECK OPTION;
INSERT INTO local_pairs VALUES (1, 9, 'local');
INSERT INTO local_pairs VALUES (11, 1, 'local');
INSERT INTO cascaded_pairs VALUES (1, 9, 'cascaded');
INSERT INTO cascaded_pairs VALUES (1, 1, 'cascaded');
SELECT * FROM pairs WHERE c IN ('local', 'cascaded');
-- test: rows of a set-returning function beside distributed tables
SELECT g, count(o.*) FROM generate_series(40, 45) g LEFT JOIN orders o ON o.customer_id = g GROUP BY g;
SELECT c.id, t.ord, t.tag FROM customers c, unnest(c.tags) WITH ORDINALITY t(tag, ord) WHERE c.id < 12;
SELECT * FROM ROWS FROM (generate_series(1, 3), unnest(ARRAY(SELECT id FROM accounts WHERE id < 3 ORDER BY id))) r(a, b);
SELECT id, generate_series(1, id::int) FROM customers WHERE id < 4;
SELECT * FROM json_to_recordset((SELECT json_agg(json_build_object('a', id)) FROM accounts WHERE id < 4)) AS r(a int) JOIN customers c ON c.id = r.a;
-- test: sampled tables
SELECT count(*) FROM customers TABLESAMPLE BERNOULLI (100);
SELECT count(*) FROM orders TABLESAMPLE SYSTEM (100) WHERE total > 100;
SELECT count(*) FROM customers TABLESAMPLE BERNOULLI (0);
SELECT c.id FROM customers c TABLESAMPLE SYSTEM (100) REPEATABLE (3) WHERE c.id = 44;
SELECT count(*) FROM events TABLESAMPLE BERNOULLI (100) e JOIN devices d TABLESAMPLE SYSTEM (100) ON d.name = e.device;
SELECT count(*) BETWEEN 0 AND 300 FROM customers TABLESAMPLE BERNOULLI (50);
SELECT count(*) FROM customers TABLESAMPLE BERNOULLI (101);
-- test: whole rows
SELECT p FROM pairs p WHERE a = 3;
SELECT c, c.id FROM customers c WHERE id = 44;
SELECT (o).total, (o).status FROM orders o WHERE customer_id = 44;
SELECT row_to_json(p) FROM pairs p WHERE b = 2;
SELECT a.name, b FROM accounts x JOIN customers a ON a.id = x.id JOIN pairs b ON b.a = x.id WHERE x.id < 4;
SELECT count(DISTINCT p), count(p) FROM pairs p;
SELECT max(p::text) FROM pairs p;
SELECT p IS NULL, p IS NOT NULL FROM pairs p WHERE a = 1;
SELECT s FROM (SELECT customer_id, count(*) FROM orders GROUP BY 1) s WHERE customer_id < 10;
SELECT to_jsonb(t) FROM (SELECT id, name FROM customers WHERE id < 5) t;
UPDATE pairs p SET c = (p).c || '!' WHERE a = 4 RETURNING p;
-- test: fetch first with ties
SELECT * FROM (SELECT region_id, id FROM customers ORDER BY region_id FETCH FIRST 3 ROWS WITH TIES) s;
SELECT * FROM (SELECT status, order_id FROM orders WHERE customer_id < 40 ORDER BY status DESC FETCH FIRST 5 ROWS WITH TIES) s;
SELECT * FROM (SELECT b, count(*) FROM pairs GROUP BY b ORDER BY count(*) DESC FETCH FIRST 1 ROW WITH TIES) s;
SELECT * FROM (SELECT order_id FROM orders WHERE customer_id = 44 ORDER BY revision OFFSET 0 FETCH NEXT 2 ROWS WITH TIES) s;
SELECT a FROM pairs ORDER BY a OFFSET 7 FETCH FIRST 7 ROWS WITH TIES;
