\set id random(1, :rows)
SELECT balance, note FROM local_accounts WHERE id = :id;
