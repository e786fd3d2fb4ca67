-- Changes computed row by row of tables that are not like the others.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN name_part AS text CHECK (VALUE <> '');
CREATE TABLE "Odd Table" ("Key" text, gone int, n int, place int, v int, t int, moods mood[], p pair, ps pair[], d name_part, g int GENERATED ALWAYS AS (n * 2) STORED, always bigint GENERATED ALWAYS AS IDENTITY, x xml, nr numeric(8, 3), PRIMARY KEY ("Key"));
ALTER TABLE "Odd Table" DROP COLUMN gone;
SELECT herd.distribute('shop."Odd Table"', 'Key');
INSERT INTO "Odd Table" ("Key", n, place, v, t, moods, p, ps, d, x, nr) SELECT 'k' || i, i, i + 1, i + 2, i + 3, ARRAY['sad', 'ok']::mood[], ROW(i, 'b' || i)::pair, ARRAY[ROW(i, 'x')::pair], 'd' || i, '<a/>', i / 7.0 FROM generate_series(1, 60) i;
CREATE TABLE deferred (k int, id int, parent int, PRIMARY KEY (k, id), UNIQUE (k, parent) DEFERRABLE INITIALLY DEFERRED, FOREIGN KEY (k, parent) REFERENCES deferred DEFERRABLE INITIALLY DEFERRED);
SELECT herd.distribute('shop.deferred', 'k');
INSERT INTO deferred SELECT i % 5, i, NULL FROM generate_series(1, 40) i;
CREATE TABLE keyless (k int, v text);
SELECT herd.distribute('shop.keyless', 'k');
INSERT INTO keyless SELECT i % 4, 'same' FROM generate_series(1, 24) i;

-- test: names, types and dropped columns
UPDATE "Odd Table" o SET n = n.id, place = 7, v = v + 1, t = 3, moods = moods || 'happy'::mood, p.b = n.body, ps[2] = ROW(n.id, 'new')::pair, d = n.body, x = '<b/>', nr = n.id / 3.0 FROM local_notes n WHERE n.id = o.n AND n.id < 8
    RETURNING "Key", o.n, place, v, t, moods, p, ps, d, g, x::text, nr, n.id;
UPDATE "Odd Table" o SET n = 1 FROM local_notes n WHERE n.id = o.n AND n.id = 12 RETURNING o, (o).n, o.p;
DELETE FROM "Odd Table" o USING local_notes n WHERE n.id = o.n AND n.id = 13 RETURNING o.*;
UPDATE "Odd Table" SET "Key" = 'moved ' || "Key" WHERE n BETWEEN 20 AND 30 RETURNING "Key", n, moods, p, ps, g, always > 0;
MERGE INTO "Odd Table" o USING local_notes n ON o.n = n.id WHEN MATCHED AND n.id > 40 THEN UPDATE SET moods = NULL, p = ROW(n.id, NULL) WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT ("Key", n, moods) VALUES ('new ' || n.id, n.id, ARRAY['happy']::mood[]);
-- test: checks of domains, types and columns
UPDATE "Odd Table" o SET d = '' FROM local_notes n WHERE n.id = o.n;
UPDATE "Odd Table" o SET nr = 1000000 FROM local_notes n WHERE n.id = o.n;
UPDATE "Odd Table" o SET g = 1 FROM local_notes n WHERE n.id = o.n;
UPDATE "Odd Table" o SET g = DEFAULT, n = n + 0 FROM local_notes n WHERE n.id = o.n AND n.id < 4 RETURNING g;
UPDATE "Odd Table" o SET always = 5 FROM local_notes n WHERE n.id = o.n;
SELECT "Key", n, place, v, t, moods, p, ps, d, g, x::text, nr FROM "Odd Table";
-- test: deferred constraints
BEGIN;
UPDATE deferred d SET parent = 999 FROM local_notes n WHERE n.id = d.id AND n.id < 10;
UPDATE deferred d SET parent = d.id FROM local_notes n WHERE n.id = d.id AND n.id < 10;
COMMIT;
BEGIN;
UPDATE deferred d SET parent = 999 FROM local_notes n WHERE n.id = d.id AND n.id < 10;
COMMIT;
UPDATE deferred d SET parent = (SELECT min(id) FROM deferred e WHERE e.k = d.k) WHERE id > 35;
-- compare: deferred
-- test: rows that are alike
UPDATE keyless SET v = (SELECT count(*) FROM local_notes) WHERE k = 2;
DELETE FROM keyless WHERE v = 'same' AND k IN (SELECT id FROM local_notes);
UPDATE keyless SET k = k + 5, v = v || (SELECT max(id) FROM local_notes);
SELECT * FROM keyless;
-- test: a partition by its own name
UPDATE events_q1 e SET value = n.id FROM local_notes n WHERE n.id = e.seq RETURNING e.seq, e.value;
UPDATE events_q1 e SET at = '2030-01-01' FROM local_notes n WHERE n.id = e.seq;
UPDATE events_q1 SET device = device || ' moved' WHERE seq < 9 RETURNING device, seq;
DELETE FROM events_q2 WHERE seq = (SELECT min(seq) FROM events_q2);
UPDATE ONLY events SET value = (SELECT 1.0 * count(*) FROM local_notes);
-- compare: events
-- test: read only
BEGIN READ ONLY;
UPDATE accounts SET balance = (SELECT count(*) FROM local_notes);
ROLLBACK;
-- test: statement triggers and transition by rows
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.owner := NEW.owner || '!'; RETURN NEW; END $$;
CREATE TRIGGER note BEFORE UPDATE OF balance ON accounts FOR EACH ROW WHEN (NEW.balance > 50) EXECUTE FUNCTION note_change();
UPDATE accounts a SET balance = n.id FROM local_notes n WHERE n.id = a.id RETURNING a.id, a.owner;
UPDATE accounts a SET owner = n.body FROM local_notes n WHERE n.id = a.id AND n.id > 40 RETURNING a.id, a.owner;
-- test: loops and functions
DO $$
DECLARE r record; s int := 0;
BEGIN
    FOR r IN UPDATE shop.accounts a SET balance = balance + 1 FROM shop.local_notes n WHERE n.id = a.id AND n.id < 6 RETURNING a.id LOOP
        UPDATE shop.accounts SET balance = balance + (SELECT min(id) FROM shop.local_notes) WHERE id = r.id;
        s := s + r.id;
    END LOOP;
    INSERT INTO shop.local_notes VALUES (7000, s, 'loop');
END $$;
SELECT customer_id FROM local_notes WHERE id = 7000;
-- test: an error keeps what came before it in a savepoint
BEGIN;
UPDATE accounts SET owner = 'kept' WHERE id IN (SELECT id FROM local_notes WHERE id < 4);
SAVEPOINT s;
UPDATE accounts SET balance = 1 / (SELECT count(*) - count(*) FROM local_notes) WHERE id < 50;
ROLLBACK TO s;
UPDATE accounts SET id = id + 500000 WHERE owner = 'kept';
COMMIT;
-- test: prepared, then the table changes
PREPARE c(int) AS UPDATE keyless SET v = v || $1 || (SELECT count(*) FROM local_notes) WHERE k < $1 RETURNING *;
EXECUTE c(7);
ALTER TABLE keyless ADD COLUMN z int DEFAULT 5;
EXECUTE c(7);
-- test: false, null and empty conditions
UPDATE accounts SET balance = 0 WHERE false AND id IN (SELECT id FROM local_notes);
UPDATE accounts SET id = id + 1 WHERE NULL;
DELETE FROM accounts WHERE id IN (SELECT id FROM local_notes WHERE false);
MERGE INTO accounts a USING (SELECT * FROM local_notes WHERE false) n ON n.id = a.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1, 'x', 1);
UPDATE active_customers SET active = false WHERE id = 43 AND false;
-- compare: accounts
-- test: system columns of changed rows
UPDATE events e SET at = e.at + interval '91 days' FROM local_notes n WHERE n.id = e.seq AND n.id > 20 RETURNING e.tableoid::regclass, e.seq;
UPDATE events SET device = device || '.', at = at + interval '91 days' WHERE seq BETWEEN 60 AND 70 RETURNING tableoid::regclass, seq;
UPDATE "Odd Table" o SET n = o.n FROM local_notes n WHERE n.id = o.n AND n.id < 8 RETURNING o.tableoid::regclass, o.ctid IS NOT NULL, o.xmin IS NOT NULL, o.cmax IS NOT NULL;
DELETE FROM events e USING local_notes n WHERE n.id = e.seq AND n.id > 45 RETURNING e.tableoid::regclass, e.seq;
