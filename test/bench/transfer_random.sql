\set x random(1, :rows)
\set y random(1, :rows)
\set a least(:x, :y)
\set b greatest(:x, :y)
BEGIN;
UPDATE accounts SET balance = balance - 1 WHERE id = :a;
UPDATE accounts SET balance = balance + 1 WHERE id = :b;
COMMIT;
