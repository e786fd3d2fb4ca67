-- Statements that one key, or one node, decides.

-- test: row by bigint key
SELECT * FROM customers WHERE id = 42;
-- test: row by text key
SELECT * FROM devices WHERE name = 'dev-7';
-- test: row by uuid key
SELECT * FROM documents WHERE id = md5('doc11')::uuid;
-- test: row by uuid literal
SELECT title, version FROM documents WHERE id = 'f7d3a1c1-7a29-b4c8-1b1b-0cbd2a2b34a5';
-- test: row by int key
SELECT * FROM accounts WHERE id = 17;
-- test: key not there
SELECT * FROM customers WHERE id = 424242;
-- test: key is null
SELECT * FROM customers WHERE id = NULL;
-- test: key of another integer type
SELECT id, name FROM customers WHERE id = 42::int;
SELECT id, name FROM customers WHERE id = 42::smallint;
SELECT id FROM accounts WHERE id = 17::bigint;
-- test: key out of the type's range
SELECT id FROM accounts WHERE id = 99999999999;
-- test: key as numeric
SELECT id, name FROM customers WHERE id = 42.0;
-- test: key on the left of the operator
SELECT id, name FROM customers WHERE 42 = id;
-- test: key computed from constants
SELECT id, name FROM customers WHERE id = 40 + 2;
-- test: key and other conditions
SELECT id, name FROM customers WHERE id = 42 AND active AND name LIKE '%42';
-- test: contradiction
SELECT id FROM customers WHERE id = 42 AND id = 43;
-- test: key in a disjunction
SELECT id, name FROM customers WHERE id = 42 OR id = 43;
-- test: key in a list
SELECT id, name FROM customers WHERE id IN (1, 2, 3, 99999);
-- test: key in an array
SELECT id, name FROM customers WHERE id = ANY (ARRAY[5, 6, 7]::bigint[]);
-- test: key range
SELECT id, name FROM customers WHERE id BETWEEN 10 AND 15;
-- test: key negated
SELECT count(*) FROM customers WHERE NOT id = 42;
-- test: key or something else
SELECT id, name FROM customers WHERE id = 42 OR name = 'Fname 5';
-- test: co-located join fixed by one key
SELECT c.name, o.order_id, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = 44;
-- test: co-located join fixed on the other side
SELECT c.name, o.order_id FROM customers c, orders o WHERE o.customer_id = c.id AND o.customer_id = 44;
-- test: three tables by one key
SELECT c.name, o.order_id, i.line, i.price FROM customers c JOIN orders o ON o.customer_id = c.id
    JOIN order_items i ON i.customer_id = o.customer_id AND i.order_id = o.order_id WHERE c.id = 43;
-- test: left join fixed by one key
SELECT c.id, o.order_id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE c.id IN (45);
-- test: left join with the key on the inner side only
SELECT count(*), count(o.order_id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.customer_id = 44;
-- test: with a reference table
SELECT c.name, r.name FROM customers c JOIN regions r ON r.id = c.region_id WHERE c.id = 42;
-- test: subquery with the same key
SELECT name, (SELECT sum(total) FROM orders WHERE customer_id = 44) AS total FROM customers WHERE id = 44;
-- test: correlated subquery by the key
SELECT name, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) FROM customers c WHERE c.id = 44;
-- test: exists by the key
SELECT name FROM customers c WHERE c.id = 44 AND EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id);
-- test: CTE with the key
WITH mine AS (SELECT * FROM orders WHERE customer_id = 44) SELECT count(*), sum(total) FROM mine;
-- test: two keys on two nodes in one statement
SELECT (SELECT name FROM customers WHERE id = 1) AS a, (SELECT name FROM customers WHERE id = 2) AS b,
       (SELECT name FROM customers WHERE id = 3) AS c, (SELECT name FROM customers WHERE id = 4) AS d;
-- test: aggregate of one key
SELECT count(*), sum(total), avg(total), min(placed) FROM orders WHERE customer_id = 44;
-- test: aliases that swap columns, ordered
SELECT a AS b, b AS a FROM pairs WHERE a = 5 ORDER BY 1, 2;
-- test: aliases that swap columns, ordered by name
SELECT order_id AS total, total AS order_id FROM orders WHERE customer_id = 44 ORDER BY total DESC LIMIT 2;
-- test: whole row
SELECT o FROM orders o WHERE customer_id = 44;
-- test: composite column and its fields
SELECT home, (home).city FROM customers WHERE id = 42;
-- test: partitioned table by key
SELECT device, at, seq FROM events WHERE device = 'dev-3' ORDER BY at;
-- test: partition by name
SELECT count(*) FROM events_q1 WHERE device = 'dev-3';
-- test: partitioned table by key and partition bound
SELECT seq FROM events WHERE device = 'dev-3' AND at < '2024-02-01' ORDER BY seq;
-- test: casts of the key
SELECT count(*) FROM devices WHERE name = 'dev-7'::varchar;
SELECT count(*) FROM devices WHERE name::text = 'dev-7';
-- test: row locks on one shard
SELECT id, balance FROM accounts WHERE id = 5 FOR UPDATE;
SELECT id, balance FROM accounts WHERE id = 5 FOR SHARE;
-- test: function of the row at one key
SELECT upper(name), length(email), created::date FROM customers WHERE id = 50;
-- test: settings of the session reach the node
SET datestyle = 'SQL, DMY';
SELECT created::text, created FROM customers WHERE id = 50;
RESET datestyle;
SET timezone = 'Asia/Tokyo';
SELECT created::text, date_trunc('day', created) FROM customers WHERE id = 50;
RESET timezone;
SET bytea_output = 'escape';
SELECT stamp::text FROM documents WHERE id = md5('doc11')::uuid;
RESET bytea_output;
-- test: empty table
SELECT * FROM nothing WHERE id = 1;
SELECT * FROM nothing;
-- test: limit and offset at one key
SELECT order_id FROM orders WHERE customer_id = 44 ORDER BY order_id OFFSET 1 LIMIT 2;
-- test: row comparison with the key
SELECT customer_id, order_id FROM orders WHERE (customer_id, order_id) = (44, 4402);
-- test: key equal to a stable function's value
SELECT name FROM customers WHERE id = length(current_schema()) + 38;
-- test: lists of keys
SELECT id, name FROM customers WHERE id IN (3, 44, 44, 91) ORDER BY id;
SELECT id FROM customers WHERE id = ANY ('{7,8,9,NULL}'::int[]) ORDER BY id;
SELECT count(*) FROM customers WHERE id = ANY ('{7,8,9}'::smallint[]) OR id = 12;
SELECT count(*), sum(balance) FROM customers WHERE id = ANY ('{}'::bigint[]);
SELECT count(*) FROM customers WHERE id = ANY (NULL::bigint[]);
SELECT count(*) FROM customers WHERE NOT id = ANY ('{7,8,9}');
SELECT count(*) FROM customers WHERE id <> ALL ('{7,8,9}');
SELECT id, title FROM documents WHERE id IN (md5('doc3')::uuid, md5('doc9')::uuid, md5('none')::uuid) ORDER BY title;
SELECT name FROM devices WHERE name = ANY (ARRAY['sensor-1', 'sensor-2']::varchar[]) ORDER BY name;
-- test: lists of keys in joins
SELECT c.id, o.order_id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id IN (3, 44, 91) ORDER BY 1, 2;
SELECT c.id, count(o.order_id) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.customer_id IN (3, 44) WHERE c.id < 60 GROUP BY c.id ORDER BY 1;
SELECT c.id, o.order_id FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.customer_id IN (3, 44) ORDER BY 1, 2;
SELECT c.id, o.order_id FROM customers c FULL JOIN orders o ON o.customer_id = c.id AND c.id = 3 WHERE c.id IN (3, 44) OR c.id IS NULL ORDER BY 1, 2 LIMIT 20;
SELECT c.id, n.body FROM customers c JOIN local_notes n ON n.customer_id = c.id WHERE c.id = 42 ORDER BY 2;
SELECT id, (SELECT count(*) FROM orders o WHERE o.customer_id = c.id AND o.customer_id IN (3, 44)) FROM customers c WHERE id < 50 ORDER BY id;
-- test: lists of keys in writes
UPDATE customers SET score = 11 WHERE id IN (3, 44, 91);
UPDATE customers SET score = score + 1 WHERE id = ANY ('{3,44,NULL}') RETURNING id, score;
UPDATE orders o SET note = 'listed' FROM customers c WHERE c.id = o.customer_id AND c.id IN (3, 44) RETURNING o.customer_id, o.order_id;
DELETE FROM order_items i USING orders o WHERE o.customer_id = i.customer_id AND o.order_id = i.order_id AND o.customer_id IN (44, 91);
SELECT count(*) FROM order_items;
-- test: prepared lists of keys
PREPARE of_keys(bigint[]) AS SELECT count(*), min(name) FROM customers WHERE id = ANY ($1);
EXECUTE of_keys('{1,2}'); EXECUTE of_keys('{}'); EXECUTE of_keys(NULL); EXECUTE of_keys('{1,2,3,4,5,6,7}'); EXECUTE of_keys('{9}'); EXECUTE of_keys('{9,1}'); EXECUTE of_keys('{9,2}');
PREPARE touch(int, int) AS UPDATE customers SET score = $2 WHERE id IN ($1, $1 + 1) RETURNING id;
EXECUTE touch(1, 1); EXECUTE touch(2, 1); EXECUTE touch(3, 1); EXECUTE touch(4, 1); EXECUTE touch(5, 1); EXECUTE touch(6, 1); EXECUTE touch(NULL, 1);
DEALLOCATE of_keys; DEALLOCATE touch;
