-- Transactions of one session.

-- test: commit on one node
BEGIN;
UPDATE accounts SET balance = balance - 10 WHERE id = 1;
COMMIT;
-- test: commit over nodes
BEGIN;
UPDATE accounts SET balance = balance - 10 WHERE id = 1;
UPDATE accounts SET balance = balance + 10 WHERE id = 2;
UPDATE accounts SET balance = balance + 10 WHERE id = 3;
UPDATE accounts SET balance = balance - 10 WHERE id = 4;
COMMIT;
-- compare: accounts
-- test: rollback
BEGIN;
UPDATE accounts SET balance = 0;
DELETE FROM orders WHERE customer_id < 100;
SELECT sum(balance) FROM accounts;
ROLLBACK;
SELECT sum(balance), count(*) FROM accounts;
SELECT count(*) FROM orders;
-- test: own writes are seen
BEGIN;
INSERT INTO accounts VALUES (501, 'own', 1), (502, 'own', 2), (503, 'own', 3);
SELECT id, balance FROM accounts WHERE id = 502;
SELECT count(*) FROM accounts WHERE owner = 'own';
UPDATE accounts SET balance = 10 WHERE owner = 'own' RETURNING id;
DELETE FROM accounts WHERE id = 501;
SELECT count(*), sum(balance) FROM accounts WHERE owner = 'own';
COMMIT;
SELECT id, balance FROM accounts WHERE owner = 'own';
-- test: error aborts the transaction
BEGIN;
UPDATE accounts SET balance = 77 WHERE id = 5;
INSERT INTO accounts VALUES (6, 'dup', 1);
SELECT 1;
COMMIT;
SELECT balance FROM accounts WHERE id = 5;
-- test: local error undoes the nodes' writes
BEGIN;
UPDATE accounts SET balance = 78 WHERE id < 20;
SELECT 1 / 0;
ROLLBACK;
SELECT count(*) FROM accounts WHERE balance = 78;
-- test: savepoint rolled back
BEGIN;
INSERT INTO accounts VALUES (511, 'kept', 1), (512, 'kept', 1), (513, 'kept', 1);
SAVEPOINT s;
INSERT INTO accounts VALUES (514, 'lost', 1), (515, 'lost', 1), (516, 'lost', 1);
UPDATE accounts SET balance = 2 WHERE owner = 'kept';
ROLLBACK TO s;
SELECT owner, count(*), sum(balance) FROM accounts WHERE id > 510 GROUP BY owner;
COMMIT;
SELECT owner, count(*), sum(balance) FROM accounts WHERE id > 510 GROUP BY owner;
-- test: savepoint after an error
BEGIN;
INSERT INTO accounts VALUES (521, 'sp', 1);
SAVEPOINT s;
INSERT INTO accounts VALUES (1, 'dup', 1);
ROLLBACK TO s;
INSERT INTO accounts VALUES (522, 'sp', 1);
RELEASE s;
COMMIT;
SELECT id FROM accounts WHERE owner = 'sp';
-- test: node first touched inside a savepoint
BEGIN;
SAVEPOINT a;
UPDATE accounts SET owner = 'inner' WHERE id = 31;
SAVEPOINT b;
UPDATE accounts SET owner = 'inner' WHERE id = 32;
UPDATE accounts SET owner = 'inner' WHERE id = 33;
ROLLBACK TO b;
UPDATE accounts SET owner = 'inner' WHERE id = 34;
RELEASE a;
COMMIT;
SELECT id FROM accounts WHERE owner = 'inner';
-- test: savepoint rolled back twice
BEGIN;
SAVEPOINT a;
DELETE FROM accounts WHERE id < 10;
ROLLBACK TO a;
DELETE FROM accounts WHERE id = 41;
ROLLBACK TO a;
SELECT count(*) FROM accounts WHERE id < 42;
COMMIT;
-- test: exception block
DO $$
BEGIN
    UPDATE shop.accounts SET owner = 'outer block' WHERE id IN (61, 62, 63);
    BEGIN
        UPDATE shop.accounts SET owner = 'inner block' WHERE id IN (64, 65, 66);
        INSERT INTO shop.accounts VALUES (1, 'dup', 0);
    EXCEPTION WHEN unique_violation THEN
        UPDATE shop.accounts SET owner = 'handler' WHERE id IN (67, 68);
    END;
END $$;
SELECT id, owner FROM accounts WHERE id BETWEEN 60 AND 69;
-- test: read only
BEGIN READ ONLY;
SELECT count(*) FROM accounts;
UPDATE accounts SET balance = 0 WHERE id = 1;
ROLLBACK;
-- test: repeatable read
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM accounts;
UPDATE accounts SET balance = balance + 1 WHERE id IN (71, 72, 73);
SELECT sum(balance) FROM accounts WHERE id IN (71, 72, 73);
COMMIT;
-- test: serializable
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT balance FROM accounts WHERE id = 71;
UPDATE accounts SET balance = balance + 1 WHERE id = 74;
UPDATE accounts SET balance = balance + 1 WHERE id = 75;
COMMIT;
-- test: several statements in one string
SELECT 1 \; UPDATE accounts SET balance = balance + 1 WHERE id = 76 \; SELECT balance FROM accounts WHERE id = 76;
-- test: cursor
BEGIN;
DECLARE c CURSOR FOR SELECT id, balance FROM accounts ORDER BY id;
FETCH 3 FROM c;
FETCH 2 FROM c;
MOVE 10 IN c;
FETCH NEXT FROM c;
CLOSE c;
COMMIT;
-- test: cursor at one key
BEGIN;
DECLARE c CURSOR FOR SELECT order_id FROM orders WHERE customer_id = 44 ORDER BY order_id;
FETCH 1 FROM c;
UPDATE orders SET note = 'under a cursor' WHERE customer_id = 44;
FETCH ALL FROM c;
COMMIT;
-- test: scroll cursor
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM accounts ORDER BY id;
FETCH LAST FROM c;
FETCH FIRST FROM c;
FETCH ABSOLUTE 7 FROM c;
FETCH BACKWARD 2 FROM c;
COMMIT;
-- test: two cursors at once
BEGIN;
DECLARE a CURSOR FOR SELECT id FROM accounts ORDER BY id;
DECLARE b CURSOR FOR SELECT id FROM customers ORDER BY id DESC;
FETCH 2 FROM a;
FETCH 2 FROM b;
FETCH 2 FROM a;
FETCH 2 FROM b;
COMMIT;
-- test: cursor with hold
DECLARE h CURSOR WITH HOLD FOR SELECT id FROM accounts WHERE id < 20 ORDER BY id;
FETCH 3 FROM h;
CLOSE h;
-- test: local and distributed writes
BEGIN;
INSERT INTO local_notes VALUES (600, 1, 'both');
UPDATE accounts SET owner = 'both' WHERE id IN (81, 82, 83);
COMMIT;
SELECT count(*) FROM local_notes WHERE body = 'both';
SELECT count(*) FROM accounts WHERE owner = 'both';
-- test: reference table in a transaction
BEGIN;
INSERT INTO regions VALUES (60, 'Tx', NULL);
SELECT count(*) FROM regions;
INSERT INTO customers (id, name, region_id) VALUES (3001, 'In the new region', 60), (3002, 'Here too', 60), (3003, 'And here', 60);
SELECT r.name, count(*) FROM customers c JOIN regions r ON r.id = c.region_id WHERE r.id = 60 GROUP BY 1;
COMMIT;
-- test: write on conflict with own uncommitted row
BEGIN;
INSERT INTO accounts VALUES (701, 'first', 1);
INSERT INTO accounts VALUES (701, 'second', 2) ON CONFLICT (id) DO UPDATE SET balance = excluded.balance RETURNING *;
ROLLBACK;
-- test: asynchronous commit
SET synchronous_commit = off;
BEGIN;
UPDATE accounts SET owner = 'async' WHERE id IN (91, 92, 93, 94);
COMMIT;
RESET synchronous_commit;
SELECT id FROM accounts WHERE owner = 'async';
-- test: commit and chain
BEGIN;
UPDATE accounts SET owner = 'chain' WHERE id IN (95, 96);
COMMIT AND CHAIN;
UPDATE accounts SET owner = 'undone' WHERE id IN (95, 96);
ROLLBACK;
SELECT owner FROM accounts WHERE id IN (95, 96);
-- test: temporary table in a transaction that reads
BEGIN;
CREATE TEMP TABLE t AS SELECT id FROM accounts WHERE id < 10;
SELECT count(*) FROM t JOIN accounts USING (id);
COMMIT;
-- test: locks
BEGIN;
LOCK TABLE accounts IN SHARE MODE;
SELECT id FROM accounts WHERE id = 4 FOR UPDATE NOWAIT;
SELECT id FROM accounts WHERE id = 5 FOR NO KEY UPDATE SKIP LOCKED;
COMMIT;
-- test: after a statement of several parts that failed, and was taken back to a savepoint
BEGIN;
SAVEPOINT a;
UPDATE accounts SET id = 4022 WHERE id = 22;
RELEASE a;
SAVEPOINT a;
UPDATE accounts SET id = 23 WHERE id = 4022;
ROLLBACK TO a;
RELEASE a;
SAVEPOINT a;
UPDATE accounts SET balance = balance + 100000 WHERE id < 40;
RELEASE a;
UPDATE accounts SET owner = 'rich' WHERE balance >= 100000;
SELECT count(*) FROM accounts WHERE owner = 'rich';
SELECT count(*) FROM accounts WHERE balance >= 100000;
ROLLBACK;
-- compare: accounts, orders, customers, regions, local_notes
