-- INSERTs of more than a few rows, which go to nodes by COPY: all of COPY's differences from INSERT.
CREATE TYPE mood AS ENUM ('glad', 'so so', 'sad');
CREATE DOMAIN small AS int CHECK (VALUE < 100000);
CREATE TABLE many (a int, b bigint, c text, m mood DEFAULT 'so so', d small, n numeric, t timestamptz, u uuid, arr text[], j jsonb, f float8, p bytea, v varchar(20), dbl int GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE source (id int PRIMARY KEY, other int, c text, m mood, n numeric, t timestamptz, u uuid, arr text[], j jsonb, f float8, p bytea, gone int);
ALTER TABLE source DROP COLUMN gone;
SELECT herd.distribute('many', 'b');
SELECT herd.distribute('source', 'id');
INSERT INTO source SELECT i, i * 7 % 3001, CASE WHEN i % 5 > 0 THEN 'näme ' || i END, (ARRAY['glad', 'so so', 'sad', NULL])[i % 4 + 1]::mood,
    i / 7.0, '2024-01-01 00:00:00+00'::timestamptz + i * interval '1 hour', md5(i::text)::uuid, ARRAY[i::text, NULL, 'x'],
    jsonb_build_object('i', i), i / 3.0, decode(md5(i::text), 'hex') FROM generate_series(1, 3000) i;
-- test: columns as they are, in another order, some left out
INSERT INTO many (b, a, c) SELECT other, id, c FROM source;
INSERT INTO many (c, m, n, t, u, arr, j, f, p, b) SELECT c, m, n, t, u, arr, j, f, p, other FROM source;
SELECT count(*), count(c), sum(a), sum(b), sum(dbl), count(m), sum(d), sum(n), max(t), count(DISTINCT u), min(arr), max(j::text), sum(f), max(p), min(m) FROM many;
SELECT b, a, c, m, d, n, t, u, arr, j, f, p, v, dbl FROM many WHERE b IN (7, 700, 2999) ORDER BY b, a;
TRUNCATE many;
-- test: conversions, constants, defaults and functions
INSERT INTO many (a, b, c, d, v) SELECT other::bigint, id + 0.4, id, other::text::int, 'v' || id FROM source;
INSERT INTO many (a, b, v, m) SELECT 1, id, '7', 'sad' FROM source WHERE id < 2500;
INSERT INTO many SELECT id, other, upper(c), 'glad', 3, random() FROM source;
SELECT count(*), sum(a), sum(b), sum(d), count(DISTINCT v), count(c), count(DISTINCT n) > 2900, array_agg(DISTINCT m) FROM many;
TRUNCATE many;
-- test: nodes filter, join, group and sort
INSERT INTO many (b, a) SELECT other, id FROM source WHERE id % 3 = 1 AND c LIKE 'n%';
INSERT INTO many (b, a) SELECT s.other, r.id FROM source s JOIN regions r ON r.id = s.id % 10;
INSERT INTO many (b, a) SELECT s.other, z.other FROM source s JOIN source z ON z.id = s.id WHERE z.id < 2000;
INSERT INTO many (b, a) SELECT s.other, z.id FROM source s JOIN source z ON z.other = s.id;
INSERT INTO many (b, a) SELECT other % 1000, sum(id) FROM source GROUP BY other % 1000;
INSERT INTO many (b, n) SELECT other, sum(n) FROM source GROUP BY other HAVING count(*) > 0;
INSERT INTO many (b, a) SELECT DISTINCT other % 1500, 5 FROM source;
INSERT INTO many (b, a) SELECT other, id FROM source ORDER BY n DESC LIMIT 1700;
INSERT INTO many (b, a) SELECT other, row_number() OVER (ORDER BY id) FROM source;
INSERT INTO many (b, a) SELECT other, id FROM source UNION ALL SELECT id, other FROM source UNION ALL SELECT i, i FROM generate_series(1, 999) i;
INSERT INTO many (b, a) SELECT id, id FROM source EXCEPT SELECT other, other FROM source WHERE other > 1200;
WITH s AS MATERIALIZED (SELECT * FROM source WHERE id < 2000) INSERT INTO many (b, a) SELECT x.other, y.id FROM s x JOIN s y ON y.id = x.id;
INSERT INTO many (b, a) SELECT other, (SELECT count(*) FROM regions) FROM source WHERE EXISTS (SELECT FROM regions r WHERE r.id = source.id % 9);
SELECT count(*), sum(a), sum(b), sum(n), count(DISTINCT b) FROM many;
-- test: a table from itself
INSERT INTO many (b, a) SELECT b + 1, 17 FROM many;
SELECT count(*), sum(a), sum(b), count(DISTINCT b) FROM many;
INSERT INTO many (b, a) SELECT b, 19 FROM many WHERE a = 17 UNION ALL SELECT i, 19 FROM generate_series(1, 4000) i UNION ALL SELECT b, 19 FROM many WHERE a = 19;
INSERT INTO many (b, a) SELECT i, 20 FROM generate_series(1, 6000) i UNION ALL SELECT count(*), 20 FROM many WHERE a = 20;
CREATE TABLE twice (k int, n bigint);
SELECT herd.distribute('twice', 'k');
INSERT INTO twice SELECT i, (SELECT count(*) FROM twice t WHERE t.k < i) FROM generate_series(1, 1200) i;
INSERT INTO twice SELECT k + 5000, (SELECT count(*) FROM twice t WHERE t.k < o.k - 1000) FROM twice o;
SELECT count(*), sum(k), sum(n) FROM twice;
SELECT a, count(*), sum(b) FROM many WHERE a IN (17, 19, 20) GROUP BY a ORDER BY a;
BEGIN;
INSERT INTO many (b, a) SELECT i, 22 FROM generate_series(1, 3000) i;
INSERT INTO many (b, a) SELECT b + 3, 23 FROM many WHERE a = 22;
SAVEPOINT s;
INSERT INTO many (b, a) SELECT b + 3, 23 FROM many WHERE a = 22;
ROLLBACK TO s;
INSERT INTO many (b, a) SELECT b + 5, 24 FROM many WHERE a IN (22, 23);
UPDATE many SET c = 'seen' WHERE a = 24;
COMMIT;
SELECT a, count(*), sum(b), count(c) FROM many WHERE a BETWEEN 22 AND 24 GROUP BY a ORDER BY a;
-- test: parts of a larger statement
WITH i AS (INSERT INTO many (b, a) SELECT other, 31 FROM source RETURNING b) SELECT count(*), sum(b) FROM i;
WITH i AS (INSERT INTO many (b, a) SELECT other, 32 FROM source) SELECT count(*) FROM many WHERE a = 32;
WITH i AS (INSERT INTO many (b, a) SELECT other, 33 FROM source), u AS (UPDATE many SET c = 'u' WHERE a = 33) INSERT INTO many (b, a) SELECT i, 34 FROM generate_series(1, 500) i;
SELECT a, count(*), sum(b), count(c) FROM many WHERE a BETWEEN 31 AND 34 GROUP BY a ORDER BY a;
-- test: prepared, with parameters
PREPARE fill (int, text, int) AS INSERT INTO many (b, a, c, d) SELECT other + $1, 41, $2, $3 FROM source WHERE id > $1;
EXECUTE fill (5, 'five', 1);
EXECUTE fill (2990, 'few', 2);
EXECUTE fill (7, NULL, NULL);
EXECUTE fill (3, 'x', 3); EXECUTE fill (3, 'x', 3); EXECUTE fill (3, 'x', 3); EXECUTE fill (2999, 'y', 3);
SELECT c, d, count(*), sum(b) FROM many WHERE a = 41 GROUP BY c, d ORDER BY c, d;
PREPARE straight (int) AS INSERT INTO many (b, a) SELECT other, id FROM source WHERE id < $1;
EXECUTE straight (2000); EXECUTE straight (10); EXECUTE straight (200); EXECUTE straight (2000); EXECUTE straight (2000); EXECUTE straight (3000); EXECUTE straight (30);
SELECT count(*), sum(b) FROM many;
-- test: NULL keys
INSERT INTO many (a, b) SELECT id, CASE WHEN id % 2 = 0 THEN id END FROM source;
INSERT INTO many (a, c) SELECT id, c FROM source;
SELECT count(*), count(b), sum(b) FROM many;
-- test: one's own encoding
SET client_encoding = 'LATIN1';
INSERT INTO many (b, a, c) SELECT other, 51, c FROM source;
INSERT INTO many (b, a, c) SELECT i, 52, U&'\00e4' || i FROM generate_series(1, 1000) i;
INSERT INTO many (b, a, c) SELECT i, 53, U&'\00e4' || i FROM generate_series(1, 5) i;
SELECT encode(convert_to(string_agg(c, ','), 'UTF8'), 'hex') FROM (SELECT c FROM source ORDER BY id LIMIT 20) s;
SELECT encode(convert_to(string_agg(c, ','), 'UTF8'), 'hex') FROM (SELECT c FROM many WHERE a = 53 ORDER BY b) s;
UPDATE many SET c = s.c || length(s.c) FROM source s WHERE s.other = many.b AND many.a = 51 AND s.id < 30 RETURNING convert_to(many.c, 'UTF8');
PREPARE wide (text) AS SELECT count(*), min(a), max(b) FROM many WHERE c = $1;
EXECUTE wide (U&'\00e45');
EXECUTE wide (U&'\00e45');
SET client_encoding = 'UTF8';
SELECT a, count(c), md5(string_agg(c, ',' ORDER BY c COLLATE "C", b)) FROM many WHERE a BETWEEN 51 AND 53 GROUP BY a ORDER BY a;
-- test: errors, and nothing is left
SELECT count(*) FROM many;
INSERT INTO many (b, d) SELECT other, id * 100 FROM source;
INSERT INTO many (b, v) SELECT other, repeat(c, 10) FROM source;
INSERT INTO many (b, a) SELECT other, 1 / (id - 2900) FROM source;
INSERT INTO many (b, a) SELECT other, 2147483647 FROM source;
INSERT INTO source SELECT id, other FROM source;
INSERT INTO source (id) SELECT other FROM source;
INSERT INTO source (id, other) SELECT CASE WHEN id = 2800 THEN NULL ELSE id + 100000 END, 1 FROM source;
INSERT INTO accounts SELECT 500000 + i, 'o', 5000 - i FROM generate_series(1, 6000) i;
INSERT INTO orders (customer_id, order_id) SELECT 5000000 + i, i FROM generate_series(1, 3000) i;
INSERT INTO documents (title) SELECT CASE WHEN i = 2500 THEN 'bad' ELSE 'good' END FROM generate_series(1, 3000) i;
SELECT count(*), (SELECT count(*) FROM source), (SELECT count(*) FROM accounts), (SELECT count(*) FROM orders), (SELECT count(*) FROM documents) FROM many;
BEGIN;
INSERT INTO many (b, a) SELECT other, 61 FROM source;
SAVEPOINT before;
INSERT INTO source (id) SELECT other FROM source;
ROLLBACK TO before;
INSERT INTO many (b, a) SELECT id, 62 FROM source;
COMMIT;
SELECT count(*) FROM many;
-- test: triggers, sequences, identities and partitions
INSERT INTO documents (title, owner) SELECT '  doc ' || i, i FROM generate_series(1, 2000) i;
SELECT count(*), count(DISTINCT id), min(title), max(title) FROM documents;
INSERT INTO tickets (project, title) SELECT other % 50, c FROM source;
INSERT INTO tickets (project, id, title) OVERRIDING SYSTEM VALUE SELECT other % 50, 100000 + id, c FROM source;
INSERT INTO tickets (project, id, title) SELECT other % 50, 100000 + id, c FROM source;
INSERT INTO notes (id, body) SELECT 700000 + id, c FROM source;
INSERT INTO logs (source, message) SELECT 'x' || other, c FROM source;
SELECT count(*), count(DISTINCT id), sum(project) FROM tickets;
SELECT count(*), sum(words), sum(id) FROM notes;
SELECT count(*), count(DISTINCT id), max(source), sum(level) FROM logs;
INSERT INTO events (device, at, seq, kind, value) SELECT c, t, id, m::text, f FROM source WHERE c IS NOT NULL;
INSERT INTO events_rest (device, at, seq) SELECT c, t + interval '20 years', id FROM source WHERE c IS NOT NULL;
INSERT INTO events_rest (device, at, seq) SELECT c, t, id + 9000 FROM source WHERE c IS NOT NULL;
SELECT tableoid::regclass, count(*), sum(seq), max(device) FROM events GROUP BY 1 ORDER BY tableoid::regclass::text;
INSERT INTO orders (customer_id, order_id, total, status) SELECT c.id, 800000 + s.id, s.n, 'paid' FROM source s JOIN customers c ON c.id = s.other % 100 + 1;
SELECT count(*), sum(total), sum(tax), sum(revision), max(note) FROM orders;
SELECT count(*), sum(order_id) FROM order_changes;
-- test: reference tables on both sides
INSERT INTO products (id, name, price) SELECT id + 1000, coalesce(c, '-'), n FROM source;
SELECT count(*), sum(price), max(name) FROM products;
INSERT INTO many (b, a, c, n) SELECT id, 71, name, price FROM products;
INSERT INTO products (id, name, price) SELECT id + 100000, name, price FROM products;
INSERT INTO regions SELECT 5000 + i, 'region ' || i FROM generate_series(1, 3000) i;
INSERT INTO regions SELECT 8000 + i, 'region ' || i FROM generate_series(1, 3000) i;
SELECT count(*), sum(b), sum(n) FROM many WHERE a = 71;
SELECT count(*), sum(p.price), sum(s.id) FROM source s JOIN products p ON p.id = s.id + 101000;
SELECT count(*) FROM source s JOIN regions r ON r.id = s.id + 5000;
-- test: local tables on both sides
CREATE TABLE heap (x int, y text, z bigint);
INSERT INTO heap SELECT id, c, other FROM source;
INSERT INTO many (a, b, c) SELECT 81, z, y FROM heap;
INSERT INTO many (a, b, c) SELECT 82, z, y FROM heap JOIN source ON source.id = heap.x WHERE source.other > 500;
SELECT a, count(*), sum(b), count(c) FROM many WHERE a IN (81, 82) GROUP BY a ORDER BY a;
-- test: views, rules and check options
CREATE VIEW many_view AS SELECT b, a, c FROM many WHERE a > 90 WITH CHECK OPTION;
INSERT INTO many_view SELECT other, 91, c FROM source;
INSERT INTO many_view SELECT other, id - 1, c FROM source;
INSERT INTO many_view SELECT id, 92, c FROM source WHERE id < 30;
SELECT a, count(*) FROM many_view WHERE a IN (91, 92) GROUP BY a ORDER BY a;
-- test: privileges on columns, and row security
CREATE TABLE granted (k int, a int, b text DEFAULT 'none');
SELECT herd.distribute('granted', 'k');
GRANT USAGE ON SCHEMA shop TO diff_app;
GRANT INSERT (k, a) ON granted TO diff_app;
GRANT SELECT ON source TO diff_app;
SET ROLE diff_app;
INSERT INTO granted (k, a) SELECT other, id FROM source;
INSERT INTO granted (k, a, b) SELECT other, id, c FROM source;
INSERT INTO many (b) SELECT other FROM source;
RESET ROLE;
SELECT count(*), sum(a), max(b) FROM granted;
ALTER TABLE granted ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON granted FOR INSERT TO diff_app WITH CHECK (a < 10000);
GRANT INSERT ON granted TO diff_app;
SET ROLE diff_app;
INSERT INTO granted SELECT other, id, c FROM source;
INSERT INTO granted SELECT other, id * 5, c FROM source;
RESET ROLE;
INSERT INTO granted SELECT other, id * 5, c FROM source;
SELECT count(*), sum(a), max(b) FROM granted;
-- test: conflicts and RETURNING
CREATE TABLE uni (k int PRIMARY KEY, n int);
SELECT herd.distribute('uni', 'k');
INSERT INTO uni SELECT id, 1 FROM source WHERE id % 2 = 0;
INSERT INTO uni SELECT id, 2 FROM source ON CONFLICT DO NOTHING;
INSERT INTO uni SELECT id, 3 FROM source ON CONFLICT (k) DO UPDATE SET n = uni.n + excluded.n;
SELECT n, count(*) FROM uni GROUP BY n ORDER BY n;
WITH i AS (INSERT INTO uni SELECT id + 50000, 4 FROM source RETURNING k, n) SELECT count(*), sum(k), sum(n) FROM i;
-- test: wide rows
INSERT INTO many (b, a, c) SELECT i, 101, repeat(md5(i::text), 500 * (i % 5)) FROM generate_series(1, 300) i;
INSERT INTO many (b, a, c) SELECT a + b, 102, c || c FROM many WHERE a = 101;
SELECT a, count(*), sum(length(c)), md5(string_agg(md5(c), '' ORDER BY b, c)) FROM many WHERE a IN (101, 102) GROUP BY a ORDER BY a;
-- test: functions that look at the table, and that query others
CREATE FUNCTION seen(int) RETURNS bigint LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN $1 + (SELECT count(*) FROM source WHERE id = $1); END';
INSERT INTO many (b, a) SELECT seen(i), 111 FROM generate_series(1, 400) i;
INSERT INTO many (b, a) SELECT seen(id), 112 FROM source WHERE id <= 400;
SELECT a, count(*), sum(b) FROM many WHERE a IN (111, 112) GROUP BY a ORDER BY a;
-- test: without a column, and all of defaults
CREATE TABLE bare (k int);
SELECT herd.distribute('bare', 'k');
ALTER TABLE bare ADD COLUMN x int DEFAULT 5;
INSERT INTO bare SELECT FROM source;
INSERT INTO bare (x) SELECT id FROM source;
SELECT count(*), count(k), sum(x) FROM bare;
