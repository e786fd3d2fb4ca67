\set id random(1, :rows)
SELECT balance, note FROM thirds WHERE id = :id;
