-- Prepared statements: parameters as keys, and many executions.

-- test: by bigint key
PREPARE by_id(bigint) AS SELECT id, name FROM customers WHERE id = $1;
EXECUTE by_id(42);
EXECUTE by_id(43);
EXECUTE by_id(44);
EXECUTE by_id(45);
EXECUTE by_id(46);
EXECUTE by_id(47);
EXECUTE by_id(48);
EXECUTE by_id(424242);
EXECUTE by_id(NULL);
-- test: by text key
PREPARE by_name(text) AS SELECT * FROM devices WHERE name = $1;
EXECUTE by_name('dev-1');
EXECUTE by_name('dev-2');
EXECUTE by_name('nobody');
-- test: by uuid key
PREPARE by_uuid AS SELECT title FROM documents WHERE id = $1;
EXECUTE by_uuid(md5('doc1')::uuid);
EXECUTE by_uuid(md5('doc2')::uuid);
-- test: key of another integer type
PREPARE by_int(int) AS SELECT name FROM customers WHERE id = $1;
EXECUTE by_int(42);
EXECUTE by_int(43);
-- test: generic plan
SET plan_cache_mode = force_generic_plan;
PREPARE generic(bigint) AS SELECT c.name, o.order_id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.id = $1 ORDER BY 2;
EXECUTE generic(44);
EXECUTE generic(43);
EXECUTE generic(42);
EXECUTE generic(3);
EXECUTE generic(NULL);
-- test: generic plan with several parameters
PREPARE several(bigint, numeric, text) AS SELECT order_id, total, $3 || coalesce(note, '') FROM orders WHERE customer_id = $1 AND total > $2 ORDER BY 1;
EXECUTE several(44, 0, 'a');
EXECUTE several(43, 100, 'b');
EXECUTE several(42, 100, NULL);
-- test: generic plan over all nodes
PREPARE over(numeric) AS SELECT count(*), sum(total) FROM orders WHERE total > $1;
EXECUTE over(100);
EXECUTE over(400);
EXECUTE over(NULL);
-- test: generic plan with a parameter as limit
PREPARE lim(int) AS SELECT id FROM customers ORDER BY balance DESC, id LIMIT $1;
EXECUTE lim(3);
EXECUTE lim(5);
EXECUTE lim(NULL);
-- test: generic plan with an array of keys
PREPARE keys(bigint[]) AS SELECT id, name FROM customers WHERE id = ANY ($1);
EXECUTE keys('{1,2,3}');
EXECUTE keys('{}');
EXECUTE keys(NULL);
-- test: generic insert
PREPARE ins(int, text, bigint) AS INSERT INTO accounts VALUES ($1, $2, $3) RETURNING id;
EXECUTE ins(501, 'p', 1);
EXECUTE ins(502, 'p', 2);
EXECUTE ins(503, 'p', 3);
EXECUTE ins(503, 'p', 3);
EXECUTE ins(504, 'p', -3);
EXECUTE ins(NULL, 'p', 3);
-- test: generic insert of a default key
PREPARE note(text) AS INSERT INTO notes (body) VALUES ($1) RETURNING id;
EXECUTE note('a');
EXECUTE note('b');
EXECUTE note('c');
-- test: generic insert of several rows
PREPARE two(int, int) AS INSERT INTO accounts VALUES ($1, 'two', 1), ($2, 'two', 2);
EXECUTE two(511, 512);
EXECUTE two(513, 514);
EXECUTE two(515, 516);
-- test: generic update
PREPARE upd(int, bigint) AS UPDATE accounts SET balance = balance + $2 WHERE id = $1 RETURNING balance;
EXECUTE upd(1, 10);
EXECUTE upd(2, 20);
EXECUTE upd(3, 30);
EXECUTE upd(99999, 30);
-- test: generic delete
PREPARE del(int) AS DELETE FROM accounts WHERE id = $1;
EXECUTE del(90);
EXECUTE del(91);
EXECUTE del(90);
-- test: generic update over all nodes
PREPARE all_up(bigint) AS UPDATE accounts SET balance = balance + $1;
EXECUTE all_up(1);
EXECUTE all_up(2);
-- test: generic upsert
PREPARE ups(int, bigint) AS INSERT INTO accounts VALUES ($1, 'ups', $2) ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance RETURNING balance;
EXECUTE ups(1, 1);
EXECUTE ups(521, 1);
EXECUTE ups(521, 1);
RESET plan_cache_mode;
-- compare: accounts, notes
-- test: plan survives a new column
ALTER TABLE accounts ADD COLUMN extra int DEFAULT 5;
EXECUTE upd(1, 10);
PREPARE star(int) AS SELECT * FROM accounts WHERE id = $1;
EXECUTE star(1);
EXECUTE star(2);
ALTER TABLE accounts DROP COLUMN extra;
EXECUTE star(1);
EXECUTE upd(1, 10);
-- test: plan survives truncate and search_path
EXECUTE by_id(42);
SET search_path = public;
EXECUTE by_id(42);
SET search_path = shop, public;
-- test: parameter in the target list and group by
PREPARE grouped(int) AS SELECT region_id % $1, count(*) FROM customers GROUP BY 1;
EXECUTE grouped(2);
EXECUTE grouped(3);
-- test: transaction with prepared statements
BEGIN;
EXECUTE upd(5, 1);
EXECUTE upd(6, 1);
ROLLBACK;
SELECT balance FROM accounts WHERE id IN (5, 6);
-- test: deallocate
DEALLOCATE by_id;
EXECUTE by_id(42);
DEALLOCATE ALL;
-- test: arrays of several lengths and shapes, unnested beside a table
PREPARE listed(bigint[], text[]) AS SELECT c.id, c.name, u.id, u.note FROM customers c, unnest($1, $2) u (id, note)
    WHERE c.id = u.id OR (u.id IS NULL AND c.id < 3);
EXECUTE listed('{7,8,9}', '{a,b,c}');
EXECUTE listed('{7,8,9,8}', '{a}');
EXECUTE listed('{7,NULL}', '{a,b,NULL,d}');
EXECUTE listed('{}', '{}');
EXECUTE listed(NULL, NULL);
EXECUTE listed('{{1,2},{3,4}}', '{{a,b}}');
EXECUTE listed('[5:6]={1,2}', NULL);
PREPARE counted(int[]) AS SELECT c.region_id, count(*), sum(u) FROM customers c, unnest($1) u WHERE c.region_id = u GROUP BY 1;
EXECUTE counted('{1,1,2}');
EXECUTE counted((SELECT array_agg(i % 4) FROM generate_series(1, 9000) i));
PREPARE nobody_else(int[]) AS SELECT c.id, u, u.* FROM customers c, unnest($1) WITH ORDINALITY u (region, n)
    WHERE c.region_id = u.region AND c.id < 40;
EXECUTE nobody_else('{1,2}');
PREPARE whole(bigint[], text[]) AS SELECT c.id, u, u IS NULL FROM customers c, unnest($1, $2) u (id, note) WHERE c.id = u.id;
EXECUTE whole('{7,8,9}', '{a,b}');
PREPARE one_key(bigint, text[]) AS SELECT c.id, t FROM customers c, unnest($2) t WHERE c.id = $1 AND t <> c.name;
EXECUTE one_key(7, '{a,b,NULL}');
EXECUTE one_key(8, '{a,b,NULL}');
EXECUTE one_key(9, NULL);
PREPARE locked(bigint[]) AS SELECT c.id, u FROM customers c, unnest($1) u WHERE c.id = u FOR UPDATE OF c;
EXECUTE locked('{7,8,9}');
PREPARE changed(bigint[], numeric[]) AS UPDATE customers c SET balance = c.balance + u.amount FROM unnest($1, $2) u (id, amount)
    WHERE c.id = u.id RETURNING c.id, c.balance, u.amount;
EXECUTE changed('{7,8,9}', '{1,2,3}');
-- compare: customers
