-- Values of every type, keys that are null, and collations.

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE part AS (name text, weights numeric[], made daterange);
CREATE DOMAIN code AS text COLLATE "C" CHECK (VALUE ~ '^[a-z]+[0-9]*$');
CREATE DOMAIN codes AS code[];
CREATE TABLE things (
    k int, id int, f float4, d float8, n numeric, b boolean, c char(5), vc varchar(8), t time, tz timetz, iv interval,
    dt date, ts timestamp, tstz timestamptz, u uuid, by bytea, j json, jb jsonb, x xml, ip inet, cd cidr, mac macaddr,
    bt bit(4), vb varbit, p point, bx box, r int4range, nr numrange, tr tstzrange, mr int4multirange, tsv tsvector,
    tsq tsquery, m mood, pt part, co code, cs codes, ai int[], at text[], am mood[], ap part[], ch "char", mo money);
SELECT herd.distribute('shop.things', 'k');
INSERT INTO things
SELECT i % 6, i, i / 4.0, i / 8.0, i * 1000000000.0001, i % 2 = 0, 'c' || i % 3, 'v' || i, time '10:00' + i * interval '1 minute',
    '10:00:00+02', i * interval '1 month 2 days', '2024-01-01'::date + i, '2024-01-01'::timestamp + i * interval '1 hour',
    '2024-01-01 00:00+00'::timestamptz + i * interval '1 hour', md5(i::text)::uuid, decode(md5(i::text), 'hex'),
    json_build_object('a', i), jsonb_build_object('a', i, 'b', ARRAY[i, i + 1]), xmlelement(name x, i), ('10.0.0.' || i)::inet,
    ('10.' || i || '.0.0/16')::cidr, '08:00:2b:01:02:03', (i % 16)::bit(4), B'101', point(i, -i), box(point(0, 0), point(i, i)),
    int4range(i, i + 5), numrange(i, NULL), tstzrange('2024-01-01 00:00+00', NULL), int4multirange(int4range(i, i + 1), int4range(i + 3, i + 4)),
    to_tsvector('simple', 'word number ' || i), to_tsquery('simple', 'word & ' || i), (ARRAY['sad', 'ok', 'happy'])[i % 3 + 1]::mood,
    ROW('part ' || i, ARRAY[i, i / 2.0], daterange('2024-01-01', '2024-01-01'::date + i))::part, 'code' || i, ARRAY['a' || i, 'b']::codes,
    ARRAY[i, NULL, 2], ARRAY['x', NULL, i::text], ARRAY['ok', 'sad']::mood[], ARRAY[ROW('q', NULL, NULL)::part], 'z', i::text::money
FROM generate_series(1, 24) i;
INSERT INTO things (k, id) SELECT i % 6, i FROM generate_series(25, 30) i;
INSERT INTO things (k, id, n, f, d) VALUES (NULL, 100, 'NaN', 'Infinity', '-Infinity'), (NULL, 101, 1e-20, 1e-20, 1e300), (NULL, 102, 12345678901234567890.5, 0, -0.0);

-- test: numbers
SELECT k, id, f, d, n, b, ch, mo FROM things;
SELECT id, f, d, n FROM things WHERE k = 3;
-- test: special numbers
SELECT n, f, d, n = 'NaN', f = 'Infinity' FROM things WHERE id >= 100;
SELECT max(n), min(d), sum(f) FROM things WHERE id IN (100, 101);
-- test: text types
SELECT id, c, vc, c || '|', length(c) FROM things WHERE c = 'c1';
SELECT c, count(*), min(vc) FROM things GROUP BY c;
-- test: dates and times
SELECT id, t, tz, iv, dt, ts, tstz FROM things;
SELECT date_trunc('day', tstz), count(*), sum(iv), max(t) FROM things GROUP BY 1;
-- test: bytea and uuid
SELECT id, u, by, octet_length(by) FROM things WHERE by > '\x80';
SELECT u, count(*) FROM things WHERE k = 2 GROUP BY u;
-- test: json and xml
SELECT id, j, jb, x, jb -> 'b' -> 1, j ->> 'a' FROM things;
SELECT jb ->> 'a', xpath('/x/text()', x) FROM things WHERE jb @> '{"a": 7}';
SELECT e, count(*) FROM things, jsonb_array_elements(jb -> 'b') e GROUP BY e HAVING count(*) > 1;
-- test: json paths and subscripts
SELECT id, jb['b'][0], jsonb_path_query_array(jb, '$.b[*] ? (@ > 10)') FROM things WHERE jb['a'] > '5';
UPDATE things SET jb['new'] = '"x"', jb['b'][0] = '0' WHERE id = 9 RETURNING jb;
-- test: addresses
SELECT id, ip, cd, mac, host(ip), masklen(cd) FROM things WHERE ip << '10.0.0.0/28';
SELECT network(ip::cidr), count(*) FROM things GROUP BY 1 ORDER BY 1 LIMIT 3;
-- test: bits and geometry
SELECT id, bt, vb, bt & B'0110', p, bx FROM things WHERE k = 1;
SELECT id, p[0], bx @> point(1, 1), p <-> point(0, 0) FROM things WHERE id < 9;
SELECT id FROM things ORDER BY p <-> point(3, -3), id LIMIT 4;
-- test: ranges and multiranges
SELECT id, r, nr, tr, mr, upper(r), r * int4range(3, 9) FROM things;
SELECT id FROM things WHERE r && int4range(20, 22) AND mr @> 20;
SELECT range_agg(r), range_intersect_agg(nr) FROM things;
-- test: text search
SELECT id, tsv, tsq, tsv @@ tsq FROM things WHERE tsv @@ to_tsquery('simple', '4 | 5');
SELECT count(*), max(ts_rank(tsv, to_tsquery('simple', 'word')))::numeric(5, 3) FROM things;
-- test: enums
SELECT m, count(*), min(id) FROM things GROUP BY m ORDER BY m DESC NULLS LAST;
SELECT id, m, m > 'sad', enum_range(NULL::mood), m::text FROM things WHERE m BETWEEN 'ok' AND 'happy';
SELECT max(m), min(m) FROM things WHERE k = 4;
-- test: composite types
SELECT id, pt, (pt).name, (pt).weights[2], upper((pt).made) FROM things;
SELECT (pt).*, id FROM things WHERE (pt).name > 'part 7';
SELECT count(*) FROM things WHERE pt IS NULL OR pt = ROW('part 3', ARRAY[3, 1.5], daterange('2024-01-01', '2024-01-04'))::part;
SELECT pt FROM things ORDER BY pt DESC NULLS LAST LIMIT 3;
-- test: domains
SELECT id, co, cs, cs[1] FROM things WHERE co < 'code2';
INSERT INTO things (k, id, co) VALUES (1, 200, 'BAD');
INSERT INTO things (k, id, cs) VALUES (1, 200, ARRAY['fine', 'BAD']);
UPDATE things SET co = 'X' WHERE id < 4;
SELECT 'BAD'::code FROM things;
-- test: arrays
SELECT id, ai, at, am, ap, ai[2], array_length(at, 1), cardinality(am) FROM things;
SELECT unnest(at), count(*) FROM things GROUP BY 1;
SELECT id FROM things WHERE ai @> ARRAY[7] OR 'x' = ALL (at) OR 'ok' = ANY (am) AND id < 5;
SELECT array_agg(ai ORDER BY id) FROM things WHERE id < 5;
UPDATE things SET ai[2] = 99, at = at || 'more' WHERE id = 11 RETURNING ai, at;
-- test: types in INSERT ... SELECT and RETURNING
INSERT INTO things SELECT k, id + 300, f, d, n, b, c, vc, t, tz, iv, dt, ts, tstz, u, by, j, jb, x, ip, cd, mac, bt, vb, p, bx, r, nr, tr, mr, tsv, tsq, m, pt, co, cs, ai, at, am, ap, ch, mo
    FROM things WHERE id IN (1, 2, 3) RETURNING id, j::text, jb, pt, am, mr, tsq;
DELETE FROM things WHERE id > 300 RETURNING id, x::text, p::text, ap, iv, cs;
-- test: types as parameters
PREPARE by_types (mood, part, int4range, jsonb, code) AS SELECT id FROM things WHERE m = $1 AND (pt <= $2 OR r = $3) AND jb @> $4 AND co >= $5;
EXECUTE by_types('ok', ROW('part 9', NULL, NULL), '[4,9)', '{}', 'code1');
EXECUTE by_types('sad', ROW('part 9', NULL, NULL), '[3,8)', '{"a": 3}', 'code1');
EXECUTE by_types('sad', NULL, '[3,8)', '{}', 'code1');
-- test: key of NULL
SELECT id FROM things WHERE k IS NULL;
SELECT k, count(*) FROM things GROUP BY k ORDER BY k NULLS FIRST;
SELECT count(*) FROM things WHERE k = NULL;
SELECT count(*) FROM things WHERE k IS NOT DISTINCT FROM NULL;
SELECT a.id, b.id FROM things a LEFT JOIN things b ON a.k = b.k AND a.id <> b.id WHERE a.id >= 100;
UPDATE things SET vc = 'null key' WHERE k IS NULL RETURNING id;
SELECT id FROM things WHERE k IS DISTINCT FROM 3 AND id > 20;
DELETE FROM things WHERE k IS NULL AND id = 102 RETURNING id;
-- test: NOT IN with keys of NULL
SELECT count(*) FROM accounts WHERE id NOT IN (SELECT k FROM things);
SELECT count(*) FROM accounts WHERE id NOT IN (SELECT k FROM things WHERE k IS NOT NULL);
-- test: columns with collations
CREATE TABLE words (k int, w text COLLATE "C", v text COLLATE "und-x-icu", z text);
SELECT herd.distribute('shop.words', 'k');
INSERT INTO words SELECT i, x, x, x FROM unnest(ARRAY['b', 'A', 'a', 'B', 'ä', 'z', 'Z', 'é', 'e', '10', '9']) WITH ORDINALITY u(x, i);
SELECT w FROM words ORDER BY w;
SELECT v FROM words ORDER BY v;
SELECT v FROM words ORDER BY v DESC LIMIT 3;
SELECT max(w), min(w), max(v), min(v), max(z) FROM words;
SELECT w FROM words WHERE w < 'b' ORDER BY z COLLATE "und-x-icu";
SELECT a.w, b.v FROM words a JOIN words b ON a.w = b.v COLLATE "C" ORDER BY 1;
SELECT v, rank() OVER (ORDER BY v) FROM words;
SELECT w FROM words WHERE v > w;
SELECT string_agg(v, ',' ORDER BY v), string_agg(v, ',' ORDER BY v COLLATE "C") FROM words;
-- test: collation that ignores case
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE folded (k int, w text COLLATE nocase);
SELECT herd.distribute('shop.folded', 'k');
INSERT INTO folded VALUES (1, 'Abc'), (2, 'aBC'), (3, 'abd'), (4, 'ABD'), (5, 'x');
SELECT count(*) FROM folded WHERE w = 'abc';
SELECT lower(min(w::text)), count(*) FROM folded GROUP BY w;
SELECT count(DISTINCT w) FROM folded;
SELECT a.k, b.k FROM folded a JOIN folded b ON a.w = b.w AND a.k < b.k;
SELECT k FROM folded WHERE w IN ('ABC', 'X');
-- test: keys of text that look alike
SELECT name FROM devices WHERE name = 'DEV-1';
SELECT name FROM devices WHERE upper(name) = 'DEV-1';
-- test: long values
UPDATE words SET z = repeat('long ', 5000) WHERE k IN (1, 2, 3);
SELECT k, length(z), md5(z) FROM words;
SELECT z FROM words WHERE k = 2;
-- test: text under a client's encoding that is not the database's
SET client_encoding = 'LATIN1';
INSERT INTO devices (name, model) SELECT 'dev ' || i, U&'\00e4' || i FROM generate_series(9001, 9012) i;
INSERT INTO devices (name, model) VALUES (U&'dev \00e5', U&'\00e5 model');
SELECT count(*), min(name) FROM devices WHERE model = U&'\00e49005';
SELECT string_agg(length(model)::text || encode(convert_to(model, 'UTF8'), 'hex'), ',') FROM (SELECT model FROM devices WHERE name LIKE 'dev 90%' ORDER BY name LIMIT 7) d;
UPDATE devices d SET model = d.model || n.body FROM local_notes n WHERE n.id = length(d.model) AND d.name LIKE 'dev %' RETURNING convert_to(d.model, 'UTF8');
PREPARE by_model (text) AS SELECT count(*), min(convert_to(model, 'UTF8')) FROM devices WHERE name = $1;
EXECUTE by_model (U&'dev \00e5');
EXECUTE by_model (U&'dev \00e5');
SET client_encoding = 'UTF8';
SELECT name, model FROM devices WHERE name LIKE 'dev %' ORDER BY name;
