\set id random(1, :rows)
BEGIN;
SELECT balance, note FROM accounts WHERE id = :id;
UPDATE accounts SET balance = balance - 1 WHERE id = :id;
SELECT note FROM accounts WHERE id = :id;
UPDATE accounts SET note = 'b' WHERE id = :id;
SELECT id, balance, note FROM accounts WHERE id = :id;
COMMIT;
