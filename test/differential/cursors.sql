-- Cursors: in transactions, scrollable, beyond their transaction, in PL/pgSQL.

-- test: fetch in portions
BEGIN;
DECLARE c CURSOR FOR SELECT id, name FROM customers ORDER BY id;
FETCH 3 FROM c;
FETCH FORWARD 2 FROM c;
MOVE 100 IN c;
FETCH NEXT FROM c;
FETCH 500 FROM c;
FETCH 1 FROM c;
CLOSE c;
COMMIT;
-- test: scrollable over all nodes
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM customers ORDER BY balance, id;
FETCH LAST FROM c;
FETCH PRIOR FROM c;
FETCH BACKWARD 3 FROM c;
FETCH ABSOLUTE 10 FROM c;
FETCH RELATIVE -2 FROM c;
FETCH FIRST FROM c;
FETCH BACKWARD 1 FROM c;
FETCH ABSOLUTE -1 FROM c;
MOVE BACKWARD ALL IN c;
FETCH 2 FROM c;
COMMIT;
-- test: scrollable at one key
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT order_id, total FROM orders WHERE customer_id = 44 ORDER BY order_id;
FETCH ALL FROM c;
FETCH BACKWARD ALL FROM c;
FETCH ABSOLUTE 2 FROM c;
ROLLBACK;
-- test: not scrollable goes forward only
BEGIN;
DECLARE c NO SCROLL CURSOR FOR SELECT id FROM accounts ORDER BY id;
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
ROLLBACK;
-- test: beyond the transaction
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT id FROM customers ORDER BY id DESC;
FETCH 2 FROM held;
COMMIT;
FETCH 3 FROM held;
UPDATE customers SET name = name WHERE id = 297;
FETCH 1 FROM held;
CLOSE held;
-- test: beyond the transaction, scrollable, made outside of a block
DECLARE held SCROLL CURSOR WITH HOLD FOR SELECT a, b FROM pairs ORDER BY c;
FETCH 2 FROM held;
FETCH BACKWARD 1 FROM held;
FETCH LAST FROM held;
CLOSE held;
-- test: does not see what was written after it was opened
BEGIN;
DECLARE c CURSOR FOR SELECT id, balance FROM accounts WHERE id < 6 ORDER BY id;
UPDATE accounts SET balance = 0 WHERE id IN (1, 2, 3, 4, 5);
FETCH ALL FROM c;
SELECT id, balance FROM accounts WHERE id < 6;
ROLLBACK;
-- test: two at once, and statements between
BEGIN;
DECLARE a CURSOR FOR SELECT id FROM customers ORDER BY id;
DECLARE b CURSOR FOR SELECT order_id FROM orders ORDER BY order_id DESC;
FETCH 2 FROM a;
FETCH 2 FROM b;
SELECT count(*) FROM documents;
FETCH 2 FROM a;
INSERT INTO pairs VALUES (1, 1, 'between');
FETCH 2 FROM b;
CLOSE ALL;
ROLLBACK;
-- test: over aggregates, joins and set operations
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT status, count(*) FROM orders GROUP BY status ORDER BY status;
DECLARE d CURSOR FOR SELECT c.id, d.title FROM customers c JOIN documents d ON d.owner = c.id ORDER BY c.id, d.title;
DECLARE e SCROLL CURSOR FOR SELECT id FROM customers UNION SELECT owner FROM devices ORDER BY 1;
FETCH 2 FROM c;
FETCH 3 FROM d;
FETCH 4 FROM e;
FETCH BACKWARD 2 FROM e;
FETCH BACKWARD 1 FROM c;
COMMIT;
-- test: survives a savepoint
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM accounts ORDER BY id;
FETCH 1 FROM c;
SAVEPOINT s;
FETCH 1 FROM c;
SELECT 1 / 0;
ROLLBACK TO s;
FETCH 1 FROM c;
COMMIT;
-- test: for a prepared statement's parameters
PREPARE from_id (bigint) AS SELECT id FROM customers WHERE id > $1 ORDER BY id LIMIT 3;
EXECUTE from_id(290);
-- test: loop over a cursor in PL/pgSQL
CREATE FUNCTION walk(step int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    c SCROLL CURSOR (least bigint) FOR SELECT id FROM shop.customers WHERE id >= least ORDER BY id;
    r record;
    sum bigint := 0;
BEGIN
    OPEN c(10);
    LOOP
        FETCH RELATIVE step FROM c INTO r;
        EXIT WHEN NOT FOUND;
        sum := sum + r.id;
    END LOOP;
    MOVE ABSOLUTE 1 FROM c;
    FETCH PRIOR FROM c INTO r;
    CLOSE c;
    RETURN sum;
END $$;
SELECT walk(7);
SELECT walk(100);
-- test: unbound cursor, and FOR over one, in PL/pgSQL
CREATE FUNCTION over(kind text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c refcursor;
    bound CURSOR (b text) FOR SELECT seq FROM shop.events WHERE kind = b AND seq < 60 ORDER BY seq;
    n int;
    made text := '';
BEGIN
    OPEN c FOR EXECUTE 'SELECT count(*) FROM shop.events WHERE kind = $1' USING kind;
    FETCH c INTO n;
    CLOSE c;
    FOR r IN bound(kind) LOOP made := made || r.seq || ' '; END LOOP;
    RETURN n || ': ' || made;
END $$;
SELECT over('stop');
SELECT over('nothing');
-- test: cursor handed out by a function
CREATE FUNCTION open_orders(refcursor, bigint) RETURNS refcursor LANGUAGE plpgsql AS $$
BEGIN
    OPEN $1 FOR SELECT order_id, total FROM shop.orders WHERE customer_id = $2 ORDER BY order_id;
    RETURN $1;
END $$;
BEGIN;
SELECT open_orders('mine', 44);
FETCH 2 FROM mine;
FETCH ALL FROM mine;
COMMIT;
-- test: cursor over a function's rows
BEGIN;
DECLARE c CURSOR FOR SELECT g, (SELECT count(*) FROM orders WHERE customer_id = g) FROM generate_series(1, 5) g;
FETCH 2 FROM c;
FETCH 2 FROM c;
COMMIT;
-- test: cursor in a read-only transaction and in repeatable read
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
DECLARE c CURSOR FOR SELECT count(*) FROM orders;
FETCH c;
SELECT count(*) FROM orders;
COMMIT;
-- test: subqueries see the rows of when it was opened
BEGIN;
DECLARE c CURSOR FOR SELECT id, (SELECT count(*) FROM orders o WHERE o.customer_id = a.id + 40) FROM accounts a WHERE id < 12 ORDER BY id;
DECLARE d CURSOR FOR SELECT id, (SELECT max(total) FROM orders o WHERE o.total < a.balance) FROM accounts a WHERE id < 12 ORDER BY id;
DECLARE e CURSOR FOR SELECT id, (SELECT n.m FROM (SELECT count(*) AS m, a.id AS x FROM orders o WHERE o.total > a.id OFFSET 0) n WHERE n.x = a.id) FROM accounts a WHERE id < 12 ORDER BY id;
DECLARE f CURSOR FOR SELECT g, (SELECT count(*) FROM orders WHERE customer_id = g) FROM generate_series(40, 52) g;
DECLARE g CURSOR FOR SELECT g, x.* FROM generate_series(40, 52) g, LATERAL (SELECT order_id, total FROM orders WHERE customer_id = g ORDER BY 1 LIMIT 2) x ORDER BY 1, 2;
DECLARE h CURSOR FOR SELECT id, body, (SELECT c.balance FROM customers c WHERE c.id = n.customer_id) FROM local_notes n ORDER BY id;
UPDATE orders SET total = total + 1000;
DELETE FROM orders WHERE customer_id < 45;
UPDATE customers SET balance = 1;
FETCH ALL FROM c;
FETCH ALL FROM d;
FETCH ALL FROM e;
FETCH ALL FROM f;
FETCH ALL FROM g;
FETCH ALL FROM h;
ROLLBACK;
-- test: a loop whose body changes what its subqueries read
CREATE FUNCTION loops() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    made text := '';
    r record;
BEGIN
    FOR r IN SELECT g, (SELECT count(*) FROM shop.orders WHERE customer_id = g) AS n FROM generate_series(40, 60) g LOOP
        DELETE FROM shop.orders WHERE customer_id = r.g + 1;
        made := made || ' ' || r.n;
    END LOOP;
    FOR r IN SELECT n.id, (SELECT c.balance FROM shop.customers c WHERE c.id = n.customer_id) AS n FROM shop.local_notes n ORDER BY id LOOP
        UPDATE shop.customers SET balance = balance + 1 WHERE id % 7 = 1;
        made := made || ' ' || coalesce(r.n::text, '-');
    END LOOP;
    RETURN made;
END $$;
SELECT loops();
