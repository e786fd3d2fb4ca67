-- Errors carry PostgreSQL's SQLSTATE, wherever they are found.

-- test: division by zero at one key
SELECT 1 / (id - 42) FROM customers WHERE id = 42;
-- test: division by zero on every node
SELECT sum(1 / (id % 5)) FROM customers;
-- test: division by zero in HAVING
SELECT status FROM orders GROUP BY status HAVING count(*) / (count(*) - count(*)) > 0;
-- test: unknown table
SELECT * FROM no_such_table;
-- test: unknown column
SELECT no_such_column FROM customers;
-- test: syntax
SELECT FROM WHERE;
-- test: ambiguous column
SELECT customer_id FROM orders o JOIN order_items i USING (order_id) WHERE o.customer_id = 1;
-- test: type mismatch
SELECT * FROM customers WHERE id = 'abc';
-- test: bad cast of a column
SELECT name::int FROM customers;
SELECT name::int FROM customers WHERE id = 42;
-- test: bad date
SELECT * FROM orders WHERE placed = 'not a date';
-- test: numeric overflow
UPDATE customers SET balance = 1e15 WHERE id = 42;
-- test: integer overflow
SELECT id + 2147483647 FROM accounts WHERE id = 3;
-- test: string too long
CREATE TABLE narrow (id int PRIMARY KEY, v varchar(3));
SELECT 'abcd'::varchar(3)::text;
-- test: bad enum label
UPDATE orders SET status = 'unknown' WHERE customer_id = 44;
-- test: bad json
SELECT ('{' || name)::jsonb FROM customers WHERE id = 42;
-- test: bad regular expression
SELECT count(*) FROM customers WHERE name ~ '(';
-- test: array subscript error
SELECT (ARRAY[1, 2])[1:2] || firmware::text[]::int[] FROM devices WHERE name = 'dev-1';
-- test: aggregate in WHERE
SELECT id FROM customers WHERE sum(balance) > 1;
-- test: column not grouped
SELECT id, name, count(*) FROM customers GROUP BY region_id;
-- test: more than one row in a subquery
SELECT (SELECT id FROM customers) FROM regions;
-- test: unique violation
INSERT INTO customers (id, name) VALUES (42, 'again');
-- test: unique violation on update
UPDATE orders SET order_id = 4402 WHERE customer_id = 44 AND order_id = 4401;
-- test: unique violation in a reference table
INSERT INTO regions VALUES (99, 'North');
INSERT INTO regions VALUES (1, 'Other');
-- test: check violation in a reference table
UPDATE products SET price = -1 WHERE id = 1;
-- test: not null violation on update
UPDATE customers SET name = NULL WHERE id = 42;
UPDATE customers SET name = NULL;
-- test: foreign key violation on delete of the reference
DELETE FROM products WHERE id < 20;
-- test: raised by a trigger
UPDATE documents SET title = 'bad' WHERE version = 2;
-- test: raised by a function
CREATE FUNCTION boom(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'boom' USING ERRCODE = 'P0099'; END $$;
SELECT boom(1);
SELECT boom(id) FROM accounts WHERE id = 1;
-- test: sqrt of a negative
SELECT sqrt(balance) FROM customers;
-- test: invalid limit
SELECT id FROM customers LIMIT -3;
-- test: function that does not exist
SELECT no_such_function(id) FROM customers;
-- test: permission denied
SET ROLE diff_reader;
SELECT * FROM customers WHERE id = 1;
SELECT count(*) FROM customers;
INSERT INTO accounts VALUES (9999, 'x', 1);
UPDATE accounts SET balance = 1 WHERE id = 1;
DELETE FROM accounts;
TRUNCATE accounts;
COPY accounts TO STDOUT;
RESET ROLE;
-- test: statement timeout
SET statement_timeout = '200ms';
SELECT count(*) FROM customers WHERE id = 42 AND pg_sleep(2) IS NOT NULL;
SELECT count(pg_sleep(0.02)) FROM customers;
RESET statement_timeout;
SELECT count(*) FROM customers;
-- test: tables are unharmed after all errors
SELECT count(*), sum(balance) FROM customers;
-- test: insert into a view that is not updatable
INSERT INTO order_totals VALUES (1, 'x', 1, 1);
-- test: wrong number of columns
INSERT INTO accounts VALUES (1, 2, 3, 4, 5, 6);
-- test: wrong row type
SELECT (home).no_such_field FROM customers WHERE id = 1;
-- test: prepared statement that does not exist
EXECUTE no_such_statement(1);
-- test: cursor that does not exist
FETCH 1 FROM no_such_cursor;
-- compare: accounts, customers, regions, documents
