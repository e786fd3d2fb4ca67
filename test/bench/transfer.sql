\set half :rows / 2
\set a random(1, :half)
\set b random(1, :half)
BEGIN;
UPDATE left_accounts SET balance = balance - 1 WHERE id = :a;
UPDATE right_accounts SET balance = balance + 1 WHERE id = :b;
COMMIT;
