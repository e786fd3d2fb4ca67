\set email random(1, :rows)
SELECT id, name FROM people WHERE email = :email;
