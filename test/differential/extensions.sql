-- Types, operators and indexes of stock extensions on distributed tables.

CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gist;
CREATE EXTENSION intarray;
CREATE TABLE ext (k int, id int, h hstore, c citext, p ltree, t text, a int[], PRIMARY KEY (k, id));
SELECT herd.distribute('shop.ext', 'k');
INSERT INTO ext SELECT i % 9, i, hstore(ARRAY['n', 'x' || i % 3], ARRAY[i::text, NULL]), (ARRAY['Alpha', 'ALPHA', 'beta', 'Gamma'])[i % 4 + 1] || i % 3,
    ('top.a' || i % 3 || '.b' || i % 5 || '.c' || i)::ltree, 'the quick brown fox ' || i || ' jumps ' || md5(i::text), ARRAY[i, i % 7, i % 3]
FROM generate_series(1, 90) i;
CREATE INDEX ext_h ON ext USING gin (h);
CREATE INDEX ext_hg ON ext USING gist (h);
CREATE INDEX ext_p ON ext USING gist (p);
CREATE INDEX ext_t ON ext USING gin (t gin_trgm_ops);
CREATE INDEX ext_tg ON ext USING gist (t gist_trgm_ops);
CREATE INDEX ext_c ON ext (c);
CREATE INDEX ext_a ON ext USING gin (a gin__int_ops);
CREATE INDEX ext_kid ON ext USING gist (k, id);
ANALYZE ext;

-- test: hstore values
SELECT id, h, h -> 'n', h ? 'x1', h @> 'n=>7', akeys(h), avals(h) FROM ext WHERE k = 7;
SELECT id, h FROM ext;
-- test: hstore conditions on every node
SELECT id FROM ext WHERE h @> 'n=>12';
SELECT id FROM ext WHERE h ? 'x2' AND (h -> 'n')::int > 70;
SELECT id FROM ext WHERE h ?& ARRAY['n', 'x0'] AND NOT h ?| ARRAY['x1', 'x2'] AND id < 30;
-- test: hstore grouped and aggregated
SELECT skeys(h), count(*) FROM ext GROUP BY 1;
SELECT sum((h -> 'n')::int), count(h -> 'x1') FROM ext;
SELECT (each(h)).* FROM ext WHERE id = 5;
SELECT h - 'n'::text, count(*) FROM ext GROUP BY 1;
-- test: hstore as rows, json and comparison
SELECT hstore(e) -> 'id', hstore_to_jsonb(h) FROM ext e WHERE k = 2;
SELECT a.id, b.id FROM ext a JOIN ext b ON a.h = b.h || 'y=>1' - 'y'::text WHERE a.id < 4;
SELECT DISTINCT h - 'n'::text FROM ext ORDER BY 1;
-- test: hstore written
UPDATE ext SET h = h || 'new=>"a b"' WHERE id % 20 = 0 RETURNING id, h;
UPDATE ext SET h = delete(h, 'new') WHERE h ? 'new' RETURNING id;
UPDATE ext SET h['sub'] = 'script' WHERE id = 3 RETURNING h;
INSERT INTO ext (k, id, h) VALUES (1, 500, 'a=>1, b=>NULL'), (2, 501, '') RETURNING h;
PREPARE by_h (hstore) AS SELECT id FROM ext WHERE h @> $1;
EXECUTE by_h('a=>1');
EXECUTE by_h('n=>44');
-- test: citext compared
SELECT id FROM ext WHERE c = 'alpha0';
SELECT id FROM ext WHERE c = 'ALPHA0' AND k = 3;
SELECT id FROM ext WHERE c LIKE 'ALPHA%' AND id < 20;
SELECT id FROM ext WHERE c IN ('Beta1', 'GAMMA2');
-- test: citext grouped, ordered, joined
SELECT lower(c::text), count(*) FROM ext GROUP BY lower(c::text);
SELECT count(*), lower(max(c)::text) FROM ext GROUP BY c;
SELECT count(DISTINCT c) FROM ext;
SELECT a.id, b.id FROM ext a JOIN ext b ON a.c = b.c AND a.id < b.id WHERE b.id < 25;
SELECT lower(c::text) FROM ext WHERE c IS NOT NULL ORDER BY c, id LIMIT 5;
SELECT DISTINCT lower(c::text) FROM ext UNION SELECT lower('ALPHA0');
-- test: citext functions
SELECT id, replace(c, 'ALPHA', 'x'), strpos(c, 'PH'), c ~ '^alpha' FROM ext WHERE id < 9;
SELECT id, regexp_replace(c, 'A', '-', 'g'), split_part(c, 'L', 2) FROM ext WHERE k = 4;
-- test: citext as distribution key
CREATE TABLE by_name (name citext PRIMARY KEY, n int);
SELECT herd.distribute('shop.by_name', 'name');
INSERT INTO by_name SELECT 'Name ' || i, i FROM generate_series(1, 30) i;
SELECT n FROM by_name WHERE name = 'NAME 7';
INSERT INTO by_name VALUES ('nAmE 7', 0);
INSERT INTO by_name VALUES ('nAmE 7', 0) ON CONFLICT (name) DO UPDATE SET n = 700 RETURNING n;
UPDATE by_name SET n = n + 1 WHERE name IN ('name 8', 'NAME 9') RETURNING name::text, n;
SELECT count(*) FROM by_name a JOIN by_name b ON a.name = b.name;
DELETE FROM by_name WHERE name = 'name 30';
SELECT count(*), sum(n) FROM by_name;
-- test: ltree conditions
SELECT id, p FROM ext WHERE p <@ 'top.a1.b2';
SELECT id FROM ext WHERE p ~ '*.b3.*{1}' AND k = 3;
SELECT id FROM ext WHERE p @ 'c1* & a1';
SELECT id FROM ext WHERE p ? ARRAY['*.c7', '*.c8']::lquery[];
SELECT id FROM ext WHERE 'top.a0.b0.c15.deeper'::ltree <@ p;
-- test: ltree functions, order and groups
SELECT subpath(p, 0, 2), count(*), max(nlevel(p)) FROM ext GROUP BY 1 ORDER BY 1;
SELECT p FROM ext ORDER BY p LIMIT 7;
SELECT max(p), min(p) FROM ext WHERE p IS NOT NULL GROUP BY k;
SELECT lca(array_agg(p)) FROM ext WHERE id IN (3, 18, 33);
SELECT a.id, b.id FROM ext a JOIN ext b ON b.p <@ subpath(a.p, 0, 3) AND a.id < b.id WHERE a.id < 4;
UPDATE ext SET p = p || 'leaf' WHERE id < 5 RETURNING p;
-- test: trigrams
SELECT id FROM ext WHERE t LIKE '%fox 12 %';
SELECT id FROM ext WHERE t ILIKE '%FOX 3_ JUMPS%';
SELECT id FROM ext WHERE t ~ 'fox (44|45) ';
SELECT id FROM ext WHERE t % 'quick brown foxes 17 jumps' AND k = 8;
SELECT id, round(similarity(t, 'the quick brown fox 5')::numeric, 4) FROM ext WHERE id < 9;
SELECT id FROM ext ORDER BY t <-> 'the quick brown fox 77 jumps', id LIMIT 3;
SELECT id FROM ext WHERE 'brown fox 7' <% t ORDER BY word_similarity('brown fox 7', t) DESC, id LIMIT 3;
SELECT count(*), round(max(similarity(t, 'fox'))::numeric, 4) FROM ext;
SELECT show_trgm('word');
-- test: trigrams with a setting
SET pg_trgm.similarity_threshold = 0.6;
SELECT id FROM ext WHERE t % 'the quick brown fox 12 jumps' ORDER BY id;
RESET pg_trgm.similarity_threshold;
SELECT count(*) FROM ext WHERE t % 'the quick brown fox 12 jumps';
-- test: integer arrays
SELECT id FROM ext WHERE a @> ARRAY[5, 2] AND a && ARRAY[12, 19, 26];
SELECT id FROM ext WHERE a @@ '3 & (1 | 2)'::query_int AND id < 40;
SELECT id, sort(a), uniq(sort(a)), a + 7, a - 1, icount(a), # a FROM ext WHERE k = 1;
SELECT count(*), sum(idx(a, 2)) FROM ext WHERE a @> ARRAY[2];
-- test: exclusion constraint of btree_gist
CREATE TABLE bookings (room int, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&));
SELECT herd.distribute('shop.bookings', 'room');
INSERT INTO bookings SELECT i, tstzrange('2024-01-01 00:00+00', '2024-01-02 00:00+00') FROM generate_series(1, 9) i;
INSERT INTO bookings VALUES (3, '[2024-01-01 12:00+00,2024-01-01 13:00+00)');
INSERT INTO bookings VALUES (3, '[2024-01-02 00:00+00,2024-01-03 00:00+00)') RETURNING room;
SELECT count(*) FROM bookings WHERE during @> '2024-01-02 05:00+00'::timestamptz;
-- test: extension types in functions and aggregates
CREATE FUNCTION labels(p ltree) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT nlevel($1)';
SELECT labels(p), count(*) FROM ext GROUP BY 1;
SELECT array_agg(h ORDER BY id), array_agg(p ORDER BY id), string_agg(c::text, ',' ORDER BY id) FROM ext WHERE id < 6;
SELECT jsonb_agg(c ORDER BY id), max(c::text) FROM ext WHERE id < 6;
-- test: extension dropped with its columns
DROP EXTENSION ltree CASCADE;
SELECT * FROM ext WHERE id = 6;
SELECT count(*) FROM ext;
