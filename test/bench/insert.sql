\set id random(1, :rows)
INSERT INTO history VALUES (:id, 1, 'a');
