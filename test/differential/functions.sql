-- Functions and triggers that read and write distributed tables.

-- test: SQL function with the key as argument
CREATE FUNCTION orders_of(bigint) RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM shop.orders WHERE customer_id = $1 $$;
SELECT orders_of(44);
-- test: function over all rows of a table, called once
CREATE FUNCTION all_orders() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM shop.orders $$;
SELECT all_orders();
-- test: function over all rows, called for each row of a distributed table
SELECT id, all_orders() FROM customers WHERE id < 4;
SELECT id, all_orders() FROM customers WHERE id = 42;
SELECT count(*) FROM customers WHERE id < all_orders() / 10;
-- test: function of the row's key, for each row
SELECT id, orders_of(id) FROM customers WHERE id < 12;
SELECT sum(orders_of(id)) FROM customers;
-- test: immutable label does not make it local
CREATE FUNCTION lying() RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN (SELECT count(*) FROM shop.customers); END $$;
SELECT id, lying() FROM accounts WHERE id < 4;
SELECT count(*) FROM accounts WHERE id + 200 < lying();
-- test: PL/pgSQL with queries into variables
CREATE FUNCTION summary(c bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    who text;
    n bigint;
    r record;
    names text := '';
BEGIN
    SELECT name INTO who FROM shop.customers WHERE id = c;
    SELECT count(*), sum(total) INTO r FROM shop.orders WHERE customer_id = c;
    FOR n IN SELECT order_id FROM shop.orders WHERE customer_id = c ORDER BY order_id LOOP
        names := names || n || ' ';
    END LOOP;
    RETURN concat_ws('|', who, r.count, r.sum, names);
END $$;
SELECT summary(44);
SELECT summary(43);
SELECT summary(77777);
SELECT summary(g) FROM generate_series(1, 8) g;
-- test: PL/pgSQL over all nodes
CREATE FUNCTION totals() RETURNS TABLE (status text, n bigint) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT o.status::text, count(*) FROM shop.orders o GROUP BY o.status;
END $$;
SELECT * FROM totals();
SELECT t.status, t.n FROM totals() t JOIN orders o ON o.status::text = t.status WHERE o.customer_id = 44;
-- test: PL/pgSQL that writes
CREATE FUNCTION transfer(a int, b int, amount bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    left_over bigint;
BEGIN
    UPDATE shop.accounts SET balance = balance - amount WHERE id = a RETURNING balance INTO left_over;
    UPDATE shop.accounts SET balance = balance + amount WHERE id = b;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no account %', b USING ERRCODE = 'P0077';
    END IF;
    RETURN left_over;
END $$;
SELECT transfer(50, 51, 100);
SELECT transfer(51, 52, 100);
SELECT transfer(50, 99999, 100);
SELECT transfer(50, 51, 100000000);
SELECT transfer(g, g + 1, 1) FROM generate_series(60, 66) g;
-- test: diagnostics
CREATE FUNCTION count_updates() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    m bigint;
BEGIN
    UPDATE shop.accounts SET balance = balance + 1 WHERE id < 31;
    GET DIAGNOSTICS n = ROW_COUNT;
    INSERT INTO shop.accounts SELECT i, 'diag', 0 FROM generate_series(5001, 5007) i;
    GET DIAGNOSTICS m = ROW_COUNT;
    RETURN n * 100 + m;
END $$;
SELECT count_updates();
-- test: dynamic SQL
CREATE FUNCTION dynamic(t regclass, k bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s WHERE id = $1', t) INTO n USING k;
    RETURN n;
END $$;
SELECT dynamic('customers', 42), dynamic('accounts', 42), dynamic('notes', 424242);
-- test: exception handler per row
CREATE FUNCTION try_insert(k int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shop.accounts VALUES (k, 'tried', 1);
    RETURN 'inserted';
EXCEPTION WHEN unique_violation THEN
    RETURN 'was there';
END $$;
SELECT try_insert(1), try_insert(6001), try_insert(6001), try_insert(2), try_insert(6002);
-- test: loop over a cursor with writes
CREATE FUNCTION walk() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    r record;
    n int := 0;
BEGIN
    FOR r IN SELECT id FROM shop.accounts WHERE id < 20 ORDER BY id LOOP
        UPDATE shop.accounts SET owner = 'walked ' || n WHERE id = r.id;
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;
SELECT walk();
SELECT id, owner FROM accounts WHERE id < 20;
-- test: procedure with transactions
CREATE PROCEDURE steps() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..6 LOOP
        INSERT INTO shop.accounts VALUES (7000 + i, 'step', i);
        IF i % 2 = 0 THEN
            COMMIT;
        ELSE
            ROLLBACK;
        END IF;
    END LOOP;
END $$;
CALL steps();
SELECT id FROM accounts WHERE owner = 'step';
-- test: SQL function that writes
CREATE FUNCTION add_note(text) RETURNS bigint LANGUAGE sql AS $$ INSERT INTO shop.notes (body) VALUES ($1) RETURNING id $$;
SELECT add_note('by function');
SELECT add_note('by function 2'), add_note('by function 3');
-- test: SQL function that returns a set, inlined
CREATE FUNCTION rich(numeric) RETURNS SETOF shop.customers LANGUAGE sql STABLE AS $$ SELECT * FROM shop.customers WHERE balance > $1 $$;
SELECT id, balance FROM rich(850);
SELECT count(*) FROM rich(500) r JOIN orders o ON o.customer_id = r.id;
-- test: function in RETURNING
UPDATE accounts SET balance = 5 WHERE id = 33 RETURNING id, orders_of(id);
-- test: function as a default
CREATE FUNCTION next_code() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'code-' || count(*) FROM shop.accounts $$;
SELECT next_code();
-- test: security definer function
CREATE FUNCTION count_for_all() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = shop AS $$ SELECT count(*) FROM customers $$;
CREATE FUNCTION balance_of(int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop AS $$ BEGIN RETURN (SELECT balance FROM accounts WHERE id = $1); END $$;
CREATE FUNCTION put(int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = shop AS $$ BEGIN INSERT INTO accounts VALUES ($1, current_user, 1); END $$;
SET ROLE diff_reader;
SELECT shop.count_for_all();
SELECT shop.balance_of(5), shop.balance_of(6), shop.balance_of(7);
SELECT shop.put(8001), shop.put(8002), shop.put(8003);
SELECT count(*) FROM shop.customers;
RESET ROLE;
SELECT count(*) FROM accounts WHERE id IN (8001, 8002, 8003);
-- test: function with its own settings
CREATE FUNCTION in_tokyo(bigint) RETURNS text LANGUAGE sql SET timezone = 'Asia/Tokyo' AS $$ SELECT created::text FROM shop.customers WHERE id = $1 $$;
SELECT in_tokyo(42), created::text FROM customers WHERE id = 42;
-- test: trigger under the same key
UPDATE orders SET status = 'returned' WHERE customer_id = 44;
SELECT * FROM order_changes WHERE customer_id = 44;
UPDATE orders SET status = 'paid' WHERE customer_id IN (3, 4, 43, 48);
INSERT INTO orders (customer_id, order_id) VALUES (11, 9001), (12, 9002), (13, 9003);
-- test: functions that are marked parallel safe and read distributed tables
CREATE FUNCTION shop.safe_orders_of(bigint) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS
    $$BEGIN RETURN (SELECT count(*) FROM shop.orders WHERE customer_id = $1); END$$;
CREATE FUNCTION shop.safe_all_orders() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE SET enable_seqscan = on AS
    $$SELECT count(*) FROM shop.orders$$;
SET force_parallel_mode = on;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*), sum(safe_orders_of(customer_id)) FROM local_notes;
SELECT count(*), max(safe_all_orders()) FROM local_notes;
SELECT safe_orders_of(7), safe_all_orders();
RESET force_parallel_mode;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP FUNCTION shop.safe_orders_of, shop.safe_all_orders;
-- compare: orders, order_changes, accounts, notes
-- test: immutable function, inlined
CREATE FUNCTION with_tax(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT round($1 * 1.2, 2) $$;
SELECT order_id, with_tax(total) FROM orders WHERE customer_id = 44;
SELECT sum(with_tax(total)) FROM orders;
-- test: immutable PL/pgSQL function over rows
CREATE FUNCTION shout(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN upper($1) || '!'; END $$;
SELECT id, shout(name) FROM customers WHERE id < 6;
SELECT count(*) FROM customers WHERE shout(initial) = 'B!';
-- test: operator and cast by function
CREATE FUNCTION near(numeric, numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT abs($1 - $2) < 10 $$;
CREATE OPERATOR ~~~ (leftarg = numeric, rightarg = numeric, function = near);
SELECT id FROM customers WHERE balance ~~~ 500;
-- test: volatile functions are evaluated as often as plain PostgreSQL does
CREATE SEQUENCE counter;
SELECT count(*) FROM (SELECT nextval('counter') FROM customers OFFSET 0) s;
SELECT last_value FROM counter;
-- test: current user, settings and time stay those of the session
SELECT current_user = session_user, current_schema(), now() = transaction_timestamp() FROM customers WHERE id = 42;
SELECT count(*) FROM customers WHERE created < now() AND current_date > '2020-01-01';
SELECT DISTINCT current_setting('application_name') <> '' FROM customers;
-- test: DO block
DO $$
DECLARE
    s numeric;
BEGIN
    SELECT sum(balance) INTO s FROM shop.accounts;
    UPDATE shop.accounts SET balance = s WHERE id = 70;
END $$;
SELECT balance FROM accounts WHERE id = 70;
-- test: columns of an SQL function have the function's names
CREATE FUNCTION orders_below(int) RETURNS TABLE (number bigint, buyer bigint) LANGUAGE sql STABLE AS
    'SELECT order_id, customer_id FROM shop.orders WHERE order_id <= $1';
SELECT f.buyer FROM orders_below(4403) f WHERE f.buyer = 44 GROUP BY f.buyer;
SELECT buyer, count(*) FROM orders_below(1000) GROUP BY buyer;
SELECT f.* FROM orders_below(4403) AS f(a, b) WHERE b = 44;
