\set id random(1, :rows)
SELECT balance, note FROM accounts WHERE id = :id;
