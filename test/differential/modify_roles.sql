-- Changes computed row by row by roles that may not do everything.
CREATE TABLE wards (tenant text, id int, secret text, n int DEFAULT 0, PRIMARY KEY (tenant, id));
SELECT herd.distribute('shop.wards', 'tenant');
INSERT INTO wards SELECT 'tenant' || i % 4, i, 'secret ' || i FROM generate_series(1, 40) i;

-- test: rights
GRANT USAGE ON SCHEMA shop TO diff_app, diff_reader;
GRANT SELECT ON local_notes, customers TO diff_app, diff_reader;
GRANT SELECT, UPDATE (balance) ON accounts TO diff_reader;
SET ROLE diff_reader;
UPDATE shop.accounts a SET balance = n.id FROM shop.local_notes n WHERE n.id = a.id AND n.id < 5 RETURNING a.id, a.balance;
UPDATE shop.accounts a SET owner = n.body FROM shop.local_notes n WHERE n.id = a.id;
UPDATE shop.accounts SET balance = (SELECT count(*) FROM shop.documents) WHERE id = 5;
DELETE FROM shop.accounts a USING shop.local_notes n WHERE n.id = a.id;
UPDATE shop.accounts SET id = id + 1000 WHERE id = 5;
MERGE INTO shop.accounts a USING shop.local_notes n ON n.id = a.id WHEN MATCHED THEN UPDATE SET balance = 1 WHEN NOT MATCHED THEN INSERT VALUES (n.id, 'x', 1);
RESET ROLE;
-- test: a function that runs as its owner
CREATE FUNCTION settle(bigint) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = shop AS
    'UPDATE accounts SET owner = (SELECT body FROM local_notes WHERE id = 1) WHERE id = $1 RETURNING id';
GRANT EXECUTE ON FUNCTION settle(bigint) TO diff_reader;
SET ROLE diff_reader;
SELECT shop.settle(7);
RESET ROLE;
-- test: through a view with the rights of its owner
CREATE VIEW low_accounts AS SELECT id, owner, balance FROM accounts WHERE id < 50 WITH CHECK OPTION;
GRANT SELECT, UPDATE, DELETE ON low_accounts TO diff_app;
SET ROLE diff_app;
UPDATE shop.low_accounts a SET owner = n.body FROM shop.local_notes n WHERE n.id = a.id AND n.id BETWEEN 10 AND 12 RETURNING a.*;
UPDATE shop.low_accounts SET id = id + 100 WHERE id = 13;
UPDATE shop.low_accounts SET id = 49 - id WHERE id = 0;
DELETE FROM shop.low_accounts a USING shop.local_notes n WHERE n.id = a.id AND n.id = 14;
DELETE FROM shop.accounts a USING shop.local_notes n WHERE n.id = a.id AND n.id = 15;
RESET ROLE;
-- compare: accounts
-- test: row security
GRANT ALL ON wards TO diff_app;
ALTER TABLE wards ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_setting ON wards TO diff_app USING (tenant = current_setting('app.tenant')) WITH CHECK (tenant = current_setting('app.tenant') AND n < 100);
SET ROLE diff_app;
SET app.tenant = 'tenant2';
UPDATE shop.wards w SET n = n.id FROM shop.local_notes n WHERE n.id = w.id RETURNING w.*;
UPDATE shop.wards SET n = 50 + (SELECT count(*) FROM shop.customers) WHERE id = 2;
UPDATE shop.wards SET tenant = 'tenant3' WHERE id = 2;
DELETE FROM shop.wards w USING shop.local_notes n WHERE n.id = w.id AND n.id < 8 RETURNING w.id;
MERGE INTO shop.wards w USING shop.local_notes n ON n.id = w.id AND w.tenant = 'tenant2' WHEN MATCHED THEN UPDATE SET secret = 'merged';
MERGE INTO shop.wards w USING shop.local_notes n ON n.id = w.id AND w.tenant = 'tenant2' WHEN NOT MATCHED AND n.id = 50 THEN INSERT VALUES ('tenant3', n.id, n.body);
RESET ROLE;
-- compare: wards
-- test: rights to delete, and to one column
GRANT USAGE ON SCHEMA shop TO diff_app, diff_reader;
GRANT SELECT ON local_notes TO diff_app, diff_reader;
GRANT DELETE, SELECT (customer_id, order_id) ON order_changes TO diff_reader;
GRANT UPDATE (note), SELECT (customer_id, note) ON orders TO diff_app;
SET ROLE diff_reader;
DELETE FROM shop.order_changes c USING shop.local_notes n WHERE n.customer_id = c.customer_id AND c.order_id > 0;
DELETE FROM shop.order_changes c USING shop.local_notes n WHERE n.customer_id = c.customer_id AND c.old_status IS NULL;
DELETE FROM shop.order_changes WHERE order_id IN (SELECT id FROM shop.local_notes) RETURNING customer_id;
SET ROLE diff_app;
UPDATE shop.orders o SET note = n.body FROM shop.local_notes n WHERE n.customer_id = o.customer_id RETURNING o.customer_id;
UPDATE shop.orders o SET note = n.body FROM shop.local_notes n WHERE n.customer_id = o.customer_id RETURNING o.total;
UPDATE shop.orders o SET revision = 2 FROM shop.local_notes n WHERE n.customer_id = o.customer_id;
RESET ROLE;
-- compare: orders
-- test: row security that reads other tables
CREATE TABLE held (tenant text, id int, secret text, n int DEFAULT 0, PRIMARY KEY (tenant, id));
SELECT herd.distribute('shop.held', 'tenant');
INSERT INTO held SELECT 'tenant' || i % 4, i, 'secret ' || i FROM generate_series(1, 60) i;
CREATE TABLE holders (who text, tenant text, PRIMARY KEY (who, tenant));
SELECT herd.distribute('shop.holders', 'who');
INSERT INTO holders VALUES ('diff_owner', 'tenant1'), ('diff_owner', 'tenant3'), ('diff_app', 'tenant2');
CREATE TABLE witness (tenant text, id int, who text);
SELECT herd.distribute('shop.witness', 'tenant', colocate_with => 'shop.held');
GRANT ALL ON held, holders, witness TO diff_app, diff_owner;
GRANT SELECT ON local_notes, customers, accounts TO diff_app, diff_owner;
GRANT USAGE ON SCHEMA shop TO diff_app, diff_owner;
ALTER TABLE held ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_holder ON held USING (tenant IN (SELECT h.tenant FROM shop.holders h WHERE h.who = current_user)) WITH CHECK (n < (SELECT count(*) FROM shop.local_notes) AND tenant IN (SELECT h.tenant FROM shop.holders h WHERE h.who = current_user));
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO shop.witness VALUES (NEW.tenant, NEW.id, current_user); RETURN NULL; END $$;
CREATE TRIGGER see AFTER UPDATE ON held FOR EACH ROW EXECUTE FUNCTION see();
SET ROLE diff_owner;
UPDATE shop.held SET secret = 'seen';
UPDATE shop.held SET secret = 'mine', n = n + 1 WHERE tenant = 'tenant1' RETURNING *;
UPDATE shop.held SET secret = 'not mine' WHERE tenant = 'tenant2';
UPDATE shop.held h SET n = a.id FROM shop.accounts a WHERE a.id = h.id AND h.id < 20 RETURNING h.*, a.owner;
UPDATE shop.held SET n = 100000 WHERE id = 7;
UPDATE shop.held SET tenant = 'tenant2' WHERE id = 7;
UPDATE shop.held SET tenant = 'tenant3', n = 3 WHERE id = 5 RETURNING *;
DELETE FROM shop.held WHERE id BETWEEN 8 AND 15 RETURNING tenant, id;
DELETE FROM shop.held WHERE tenant = 'tenant2';
DELETE FROM shop.held WHERE tenant = 'tenant3' AND id = 59;
SET ROLE diff_app;
UPDATE shop.held SET n = n + 2 RETURNING tenant, id, n;
UPDATE shop.held SET tenant = 'tenant1';
SET ROLE diff_reader;
UPDATE shop.held SET n = 1;
RESET ROLE;
-- test: row security with a function that reads a distributed table, on update
CREATE FUNCTION held_is_open(text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN EXISTS (SELECT 1 FROM shop.holders WHERE tenant = $1 AND who = 'diff_app'); END $$;
CREATE POLICY by_function ON wards FOR ALL TO diff_owner USING (held_is_open(tenant)) WITH CHECK (held_is_open(tenant) AND n <> 13);
GRANT ALL ON wards TO diff_owner;
SET ROLE diff_owner;
UPDATE shop.wards SET n = 12 RETURNING tenant, id, n;
UPDATE shop.wards SET n = 13;
DELETE FROM shop.wards WHERE id < 12;
RESET ROLE;
-- test: row security of a reference table that reads a distributed one
CREATE TABLE rated (code text PRIMARY KEY, rate int);
SELECT herd.reference('shop.rated');
INSERT INTO rated SELECT 'tenant' || i, i FROM generate_series(0, 5) i;
GRANT ALL ON rated TO diff_owner;
ALTER TABLE rated ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_holder ON rated USING (code IN (SELECT h.tenant FROM shop.holders h WHERE h.who = current_user)) WITH CHECK (rate < (SELECT count(*) FROM shop.holders) * 10);
SET ROLE diff_owner;
UPDATE shop.rated SET rate = rate + 5 RETURNING *;
UPDATE shop.rated SET rate = rate + 500;
DELETE FROM shop.rated WHERE code = 'tenant3' RETURNING *;
RESET ROLE;
SELECT r.*, count(*) FROM accounts a, rated r GROUP BY 1, 2;
-- test: triggers ran as the user
SELECT * FROM witness WHERE id <> 5;
-- compare: held, wards, rated
