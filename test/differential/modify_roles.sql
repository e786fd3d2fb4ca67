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
