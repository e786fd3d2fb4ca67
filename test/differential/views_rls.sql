-- Views, rights and row security.

-- test: view at one key
SELECT * FROM active_customers WHERE id = 43;
-- test: view over all rows
SELECT count(*), sum(balance) FROM active_customers;
-- test: view with aggregates
SELECT * FROM order_totals WHERE id = 44;
SELECT * FROM order_totals WHERE total > 900;
SELECT count(*) FROM order_totals;
-- test: view with a reference table
SELECT region, count(*) FROM customer_regions GROUP BY region;
-- test: view joined with a table
SELECT v.id, o.order_id FROM active_customers v JOIN orders o ON o.customer_id = v.id WHERE o.total > 460;
-- test: view joined with a view
SELECT a.id, t.orders FROM active_customers a JOIN order_totals t USING (id) WHERE a.balance > 850;
-- test: view of a view
CREATE VIEW rich_active AS SELECT id, name, balance FROM active_customers WHERE balance > 700;
SELECT count(*), min(balance) FROM rich_active;
-- test: update through a view with a join
UPDATE paid_orders p SET note = c.name FROM customers c WHERE c.id = p.customer_id AND c.id < 30;
-- test: delete through a view
DELETE FROM paid_orders WHERE customer_id = 43;
DELETE FROM paid_orders WHERE total > 470;
-- test: delete through a view with a join
DELETE FROM paid_orders p USING customers c WHERE c.id = p.customer_id AND c.region_id = 1;
-- test: insert through a view
INSERT INTO active_customers (id, name, active) VALUES (5001, 'Through view', true) RETURNING id, name, balance;
INSERT INTO paid_orders VALUES (5001, 1, 10, 'n', 'paid');
INSERT INTO rich_active VALUES (5002, 'Rich', 9000);
-- test: check option on insert
INSERT INTO active_customers (id, name, active) VALUES (5003, 'Inactive', false);
SELECT count(*) FROM customers WHERE id = 5003;
-- test: view with row numbers, distinct and limit
CREATE VIEW top_orders AS SELECT customer_id, order_id, total FROM orders ORDER BY total DESC, order_id LIMIT 10;
SELECT * FROM top_orders ORDER BY total DESC, order_id;
-- test: view with a union
CREATE VIEW everyone AS SELECT id::bigint, name FROM customers UNION ALL SELECT id, owner FROM accounts;
SELECT count(*) FROM everyone;
SELECT * FROM everyone WHERE id = 17;
-- test: view over a local and a distributed table
CREATE VIEW noted AS SELECT n.id, n.body, c.name FROM local_notes n JOIN customers c ON c.id = n.customer_id;
SELECT * FROM noted WHERE id < 6;
-- test: view is readable where its table is not
SET ROLE diff_reader;
SELECT * FROM shop.order_totals WHERE id = 42;
SELECT count(*) FROM shop.order_totals;
SELECT region, count(*) FROM shop.customer_regions GROUP BY 1;
SELECT t.id FROM shop.order_totals t JOIN shop.customer_regions r USING (id) WHERE t.total > 900;
SELECT * FROM shop.customers WHERE id = 42;
SELECT * FROM shop.active_customers WHERE id = 42;
RESET ROLE;
-- test: security invoker view
CREATE VIEW invoked WITH (security_invoker) AS SELECT id, name FROM customers;
GRANT SELECT ON invoked TO diff_reader;
SET ROLE diff_reader;
SELECT * FROM shop.invoked WHERE id = 42;
RESET ROLE;
SELECT * FROM invoked WHERE id = 42;
-- test: rights on columns
GRANT SELECT (id, owner) ON accounts TO diff_reader;
SET ROLE diff_reader;
SELECT id, owner FROM shop.accounts WHERE id = 5;
SELECT balance FROM shop.accounts WHERE id = 5;
SELECT count(*) FROM shop.accounts WHERE owner = 'owner 5';
SELECT sum(balance) FROM shop.accounts;
RESET ROLE;
-- test: row security by a setting
SET ROLE diff_app;
SELECT count(*) FROM shop.tenant_rows;
SET app.tenant = 'tenant1';
SELECT * FROM shop.tenant_rows;
SELECT count(*) FROM shop.tenant_rows WHERE tenant = 'tenant2';
SELECT count(*) FROM shop.tenant_rows WHERE tenant = 'tenant1';
SET app.tenant = 'tenant3';
SELECT count(*), min(id) FROM shop.tenant_rows;
-- test: row security on writes
UPDATE shop.tenant_rows SET secret = 'seen';
UPDATE shop.tenant_rows SET secret = 'not mine' WHERE tenant = 'tenant1';
INSERT INTO shop.tenant_rows VALUES ('tenant3', 900, 'mine');
INSERT INTO shop.tenant_rows VALUES ('tenant1', 901, 'not mine');
DELETE FROM shop.tenant_rows WHERE id = 900;
-- test: row security follows set local
BEGIN;
SET LOCAL app.tenant = 'tenant2';
SELECT count(*), min(id) FROM shop.tenant_rows;
ROLLBACK;
SELECT count(*), min(id) FROM shop.tenant_rows;
-- test: row security follows set_config
SELECT set_config('app.tenant', 'tenant0', false);
SELECT count(*), min(id) FROM shop.tenant_rows;
RESET app.tenant;
RESET ROLE;
-- test: row security by the role
SET ROLE tenant2;
SELECT count(*), min(id) FROM shop.tenant_rows;
SELECT count(*) FROM shop.tenant_rows WHERE tenant = 'tenant1';
RESET ROLE;
-- test: row security does not bind the owner, until it is forced
SELECT count(*) FROM tenant_rows;
-- test: row security with a subquery on another distributed table
CREATE TABLE grants_of (who text, tenant text, PRIMARY KEY (who, tenant));
INSERT INTO grants_of VALUES ('diff_owner', 'tenant1'), ('diff_owner', 'tenant3');
GRANT SELECT ON grants_of, tenant_rows TO diff_owner;
GRANT USAGE ON SCHEMA shop TO diff_owner;
CREATE POLICY by_grant ON tenant_rows FOR SELECT TO diff_owner USING (tenant IN (SELECT g.tenant FROM shop.grants_of g WHERE g.who = current_user));
SET ROLE diff_owner;
SELECT count(*) FROM shop.tenant_rows;
SELECT count(*) FROM shop.tenant_rows WHERE tenant = 'tenant1';
SELECT count(*) FROM shop.tenant_rows WHERE tenant = 'tenant2';
RESET ROLE;
-- test: row security with a subquery on a distributed table
CREATE ROLE diff_joined;
GRANT USAGE ON SCHEMA shop TO diff_joined;
GRANT SELECT ON tenant_rows, devices TO diff_joined;
CREATE POLICY by_device ON tenant_rows FOR SELECT TO diff_joined USING (EXISTS (SELECT 1 FROM shop.devices d WHERE d.name = 'dev-' || (id * 2)));
SET ROLE diff_joined;
SELECT count(*), min(id), max(id) FROM shop.tenant_rows;
SELECT count(*), min(id), max(id) FROM shop.tenant_rows WHERE tenant = 'tenant1';
SELECT count(*), min(id), max(id) FROM shop.tenant_rows WHERE tenant = 'tenant2';
RESET ROLE;
DROP POLICY by_device ON tenant_rows;
DROP OWNED BY diff_joined;
DROP ROLE diff_joined;
-- test: row security with a function that reads a distributed table
CREATE FUNCTION tenant_is_known(text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT count(*) FROM shop.logs WHERE source LIKE 'src%') = 150 AND $1 <> 'tenant3'; END $$;
CREATE POLICY by_function ON tenant_rows FOR SELECT TO diff_owner USING (tenant_is_known(tenant));
GRANT SELECT ON logs TO diff_owner;
SET ROLE diff_owner;
SELECT count(*) FROM shop.tenant_rows WHERE tenant = 'tenant0';
SELECT count(*) FROM shop.tenant_rows WHERE tenant = 'tenant2';
SELECT tenant, count(*) FROM shop.tenant_rows GROUP BY tenant;
RESET ROLE;
DROP POLICY by_function ON tenant_rows;
-- test: view over a table with row security uses its owner
CREATE VIEW tenant_view AS SELECT tenant, count(*) AS n FROM tenant_rows GROUP BY tenant;
GRANT SELECT ON tenant_view TO diff_reader;
SET ROLE diff_reader;
SELECT * FROM shop.tenant_view;
SELECT * FROM shop.tenant_rows;
RESET ROLE;
-- compare: tenant_rows, customers
-- test: materialized view
CREATE MATERIALIZED VIEW by_status AS SELECT status, count(*) AS n, sum(total) AS total FROM orders GROUP BY status;
SELECT * FROM by_status;
UPDATE orders SET status = 'new' WHERE customer_id < 20;
REFRESH MATERIALIZED VIEW by_status;
SELECT * FROM by_status;
SELECT b.n, o.order_id FROM by_status b JOIN orders o USING (status) WHERE o.customer_id = 3;
DROP MATERIALIZED VIEW by_status;
-- test: instead-of trigger
CREATE FUNCTION view_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shop.accounts VALUES (NEW.id, NEW.name, 0);
    RETURN NEW;
END $$;
CREATE TRIGGER into_everyone INSTEAD OF INSERT ON everyone FOR EACH ROW EXECUTE FUNCTION view_insert();
INSERT INTO everyone VALUES (9101, 'instead'), (9102, 'instead'), (9103, 'instead');
SELECT count(*) FROM accounts WHERE owner = 'instead';
-- test: row security of INSERT that reads other nodes' rows
CREATE ROLE diff_clerk;
GRANT USAGE ON SCHEMA shop TO diff_clerk;
GRANT SELECT ON orders, customers, regions, devices, local_notes TO diff_clerk;
GRANT ALL ON pairs, accounts, order_changes TO diff_clerk;
ALTER TABLE pairs ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY known ON pairs TO diff_clerk USING (true) WITH CHECK (EXISTS (SELECT 1 FROM shop.orders o WHERE o.order_id = b));
CREATE POLICY of_device ON order_changes TO diff_clerk USING (true) WITH CHECK (customer_id IN (SELECT d.owner FROM shop.devices d));
SET ROLE diff_clerk;
INSERT INTO shop.pairs VALUES (1, (SELECT min(order_id) FROM shop.orders), 'ok');
INSERT INTO shop.pairs SELECT k, order_id, 'many' FROM generate_series(1, 40) k, (SELECT min(order_id) AS order_id FROM shop.orders) o RETURNING a, c;
INSERT INTO shop.pairs SELECT k, -k, 'none' FROM generate_series(1, 40) k;
INSERT INTO shop.pairs SELECT k, CASE WHEN k = 33 THEN -1 ELSE order_id END, 'one of them' FROM generate_series(1, 40) k, (SELECT min(order_id) AS order_id FROM shop.orders) o;
INSERT INTO shop.pairs VALUES (2, -1, 'not') ON CONFLICT DO NOTHING;
INSERT INTO shop.pairs SELECT 5, max(order_id), 'ok' FROM shop.orders ON CONFLICT DO NOTHING;
INSERT INTO shop.order_changes SELECT customer_id, order_id, status, status FROM shop.orders WHERE customer_id IN (SELECT owner FROM shop.devices);
INSERT INTO shop.order_changes SELECT customer_id, order_id, status, status FROM shop.orders;
SELECT count(*), sum(b) FROM shop.pairs;
RESET ROLE;
SELECT count(*), count(DISTINCT customer_id) FROM order_changes;
-- test: row security of INSERT sees the table as it was before
CREATE POLICY few ON pairs AS RESTRICTIVE FOR INSERT TO diff_clerk WITH CHECK ((SELECT count(*) FROM shop.pairs) < 120);
SET ROLE diff_clerk;
INSERT INTO shop.pairs SELECT k, order_id, 'few' FROM generate_series(1, 70) k, (SELECT min(order_id) AS order_id FROM shop.orders) o;
INSERT INTO shop.pairs SELECT k, order_id, 'few' FROM generate_series(1, 70) k, (SELECT min(order_id) AS order_id FROM shop.orders) o;
INSERT INTO shop.pairs SELECT k, order_id, 'too many' FROM generate_series(1, 2) k, (SELECT min(order_id) AS order_id FROM shop.orders) o;
RESET ROLE;
SELECT c, count(*) FROM pairs GROUP BY c ORDER BY c;
DROP POLICY few ON pairs;
-- test: row security of INSERT that reads local rows, its own row and the user
DROP POLICY known ON pairs;
CREATE POLICY local_ones ON pairs FOR INSERT TO diff_clerk WITH CHECK (a IN (SELECT id FROM shop.local_notes) AND pairs.c = current_user);
CREATE POLICY readable ON pairs FOR SELECT TO diff_clerk USING (b > (SELECT min(o.customer_id) FROM shop.orders o));
SET ROLE diff_clerk;
INSERT INTO shop.pairs VALUES (1, 1000, 'diff_clerk'), (2, 1000, 'diff_clerk'), (3, 1000, 'diff_clerk');
INSERT INTO shop.pairs VALUES (1, 1000, 'someone');
INSERT INTO shop.pairs VALUES (100000, 1000, 'diff_clerk');
INSERT INTO shop.pairs VALUES (4, 1000, 'diff_clerk') RETURNING *;
INSERT INTO shop.pairs VALUES (4, -1000, 'diff_clerk');
INSERT INTO shop.pairs VALUES (4, -1001, 'diff_clerk') RETURNING *;
PREPARE add (int, int) AS INSERT INTO shop.pairs VALUES ($1, $2, current_user);
EXECUTE add(5, 500);
EXECUTE add(6, 600);
EXECUTE add(200000, 600);
WITH i AS (INSERT INTO shop.pairs SELECT id, 7000 + id, 'diff_clerk' FROM shop.local_notes WHERE id < 9 RETURNING a) SELECT sum(a) FROM i;
RESET ROLE;
SELECT * FROM pairs WHERE c = 'diff_clerk' ORDER BY a, b;
-- test: row security of INSERT through a view and into a reference table
CREATE VIEW pairs_view AS SELECT a, b, c FROM pairs WHERE a > 0 WITH CHECK OPTION;
ALTER VIEW pairs_view OWNER TO diff_clerk;
GRANT INSERT, SELECT ON pairs_view TO diff_reader;
SET ROLE diff_reader;
INSERT INTO shop.pairs_view VALUES (7, 700, 'diff_reader');
INSERT INTO shop.pairs_view VALUES (100001, 700, 'diff_reader');
INSERT INTO shop.pairs_view VALUES (-7, 700, 'diff_reader');
RESET ROLE;
GRANT INSERT, SELECT ON products TO diff_clerk;
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
CREATE POLICY ordered ON products TO diff_clerk USING (true) WITH CHECK (id > (SELECT max(customer_id) FROM shop.orders));
SET ROLE diff_clerk;
INSERT INTO shop.products (id, name, price) VALUES (70001, 'new', 1), (70002, 'new', 2) RETURNING id, name;
INSERT INTO shop.products (id, name, price) VALUES (70003, 'new', 1), (-1, 'new', 2);
RESET ROLE;
SELECT id, name FROM products WHERE id > 70000 OR id < 0 ORDER BY id;
DROP POLICY ordered ON products;
ALTER TABLE products DISABLE ROW LEVEL SECURITY;
-- compare: pairs, products, order_changes
-- test: check option of INSERT looks at the row that is stored
CREATE TABLE turned (k int PRIMARY KEY, v int, twice int GENERATED ALWAYS AS (v * 2) STORED);
SELECT herd.distribute('shop.turned', 'k');
CREATE VIEW turned_view AS SELECT * FROM turned WHERE v > 0 WITH CHECK OPTION;
CREATE VIEW twice_view AS SELECT k, v FROM turned WHERE twice > 10 WITH CHECK OPTION;
INSERT INTO twice_view SELECT g, 6 FROM generate_series(1, 20) g;
INSERT INTO twice_view VALUES (21, 5);
INSERT INTO twice_view VALUES (22, 5), (23, 6), (24, 7);
INSERT INTO twice_view VALUES (25, 8), (26, 9), (27, 10) RETURNING k, v + 1;
CREATE FUNCTION turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.v := -NEW.v;
    RETURN CASE WHEN NEW.k < 1000 THEN NEW END;
END $$;
CREATE TRIGGER turns BEFORE INSERT ON turned FOR EACH ROW EXECUTE FUNCTION turn();
INSERT INTO turned_view (k, v) VALUES (31, 1);
INSERT INTO turned_view (k, v) VALUES (32, 1);
INSERT INTO turned_view (k, v) VALUES (33, 1);
INSERT INTO turned_view (k, v) SELECT g, CASE WHEN g = 117 THEN 3 ELSE -3 END FROM generate_series(101, 120) g;
INSERT INTO turned_view (k, v) SELECT g, -3 FROM generate_series(130, 150) g;
INSERT INTO turned_view (k, v) SELECT g, -3 FROM generate_series(140, 160) g ON CONFLICT DO NOTHING;
INSERT INTO turned_view (k, v) SELECT g, 3 FROM generate_series(140, 150) g ON CONFLICT DO NOTHING;
INSERT INTO turned_view (k, v) SELECT g, -3 FROM generate_series(990, 1010) g;
INSERT INTO turned_view (k, v) VALUES (34, -1), (35, -2) RETURNING *;
WITH i AS (INSERT INTO turned_view (k, v) VALUES (36, -1), (37, -2) RETURNING k, twice) SELECT * FROM i ORDER BY k;
PREPARE turn (int, int) AS INSERT INTO turned_view (k, v) VALUES ($1, $2) RETURNING v;
EXECUTE turn(41, -1);
EXECUTE turn(42, 1);
BEGIN;
INSERT INTO turned_view (k, v) VALUES (51, -1);
SAVEPOINT s;
INSERT INTO turned_view (k, v) VALUES (52, 1), (53, -1);
ROLLBACK TO s;
INSERT INTO turned_view (k, v) VALUES (54, -1);
COMMIT;
SELECT * FROM turned ORDER BY k;
-- test: row security of INSERT that reads other nodes' rows looks at the row that is stored
GRANT ALL ON turned TO diff_clerk;
ALTER TABLE turned ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_order ON turned TO diff_clerk USING (true) WITH CHECK (twice IN (SELECT o.customer_id FROM shop.orders o) AND v > 0);
SET ROLE diff_clerk;
INSERT INTO shop.turned (k, v) VALUES (201, -2);
INSERT INTO shop.turned (k, v) VALUES (202, 2);
INSERT INTO shop.turned (k, v) VALUES (203, -40000);
INSERT INTO shop.turned (k, v) SELECT g, -(1 + g % 7) FROM generate_series(211, 240) g;
INSERT INTO shop.turned (k, v) SELECT g, CASE WHEN g = 259 THEN 1 ELSE -1 END FROM generate_series(241, 270) g;
INSERT INTO shop.turned (k, v) SELECT customer_id + 300, -3 FROM shop.orders GROUP BY 1 RETURNING v, twice;
INSERT INTO shop.turned (k, v) SELECT k + 400, -v FROM shop.turned WHERE k BETWEEN 211 AND 220;
RESET ROLE;
SELECT count(*), sum(k), min(v), max(v) FROM turned;
-- compare: turned
-- test: MERGE under row security that reads other nodes' rows
CREATE TABLE stock (k int PRIMARY KEY, v int, who text DEFAULT current_user, twice int GENERATED ALWAYS AS (v * 2) STORED);
INSERT INTO stock SELECT g, g % 10, 'first' FROM generate_series(1, 60) g;
SELECT herd.distribute('shop.stock', 'k');
GRANT ALL ON stock TO diff_clerk;
ALTER TABLE stock ENABLE ROW LEVEL SECURITY;
CREATE POLICY reads ON stock FOR SELECT TO diff_clerk USING (k <= (SELECT max(customer_id) FROM shop.orders));
CREATE POLICY adds ON stock FOR INSERT TO diff_clerk WITH CHECK (k < (SELECT 1000 + 0 * count(*) FROM shop.orders) AND twice < 100);
CREATE POLICY changes ON stock FOR UPDATE TO diff_clerk USING (v < (SELECT 9 + 0 * count(*) FROM shop.orders)) WITH CHECK (v > (SELECT 0 * count(*) FROM shop.orders o WHERE o.customer_id < k));
CREATE POLICY removes ON stock FOR DELETE TO diff_clerk USING (k <> (SELECT 7 + 0 * count(*) FROM shop.orders));
SELECT min(k), max(k), count(*), sum(v) FROM stock;
SET ROLE diff_clerk;
SELECT min(k), max(k), count(*), sum(v) FROM shop.stock;
MERGE INTO shop.stock s USING generate_series(1, 8) g ON s.k = g WHEN MATCHED THEN UPDATE SET v = s.v + 2;
MERGE INTO shop.stock s USING generate_series(1, 9) g ON s.k = g WHEN MATCHED THEN UPDATE SET v = 5;
MERGE INTO shop.stock s USING generate_series(1, 8) g ON s.k = g WHEN MATCHED AND g = 4 THEN UPDATE SET v = -5 WHEN MATCHED THEN UPDATE SET v = 3;
MERGE INTO shop.stock s USING generate_series(1, 6) g ON s.k = g WHEN MATCHED THEN DELETE;
MERGE INTO shop.stock s USING generate_series(1, 8) g ON s.k = g WHEN MATCHED THEN DELETE;
MERGE INTO shop.stock s USING generate_series(1, 9) g ON s.k = g WHEN NOT MATCHED THEN INSERT (k, v) VALUES (g, g) WHEN MATCHED AND g = 9 THEN DO NOTHING WHEN MATCHED THEN UPDATE SET v = 6;
MERGE INTO shop.stock s USING generate_series(1, 9) g ON s.k = g + 500000 WHEN NOT MATCHED THEN INSERT (k, v) VALUES (g + 500000, g);
MERGE INTO shop.stock s USING (SELECT 11 AS g) x ON s.k = 100 + g WHEN NOT MATCHED THEN INSERT (k, v) VALUES (g + 30, 50);
MERGE INTO shop.stock s USING generate_series(10, 30) g ON s.k = g WHEN MATCHED AND g = 20 THEN DELETE WHEN MATCHED AND v < 9 AND g < 20 THEN UPDATE SET (v, who) = (SELECT max(customer_id), 'merged' FROM shop.orders WHERE customer_id <= 20 + s.v);
MERGE INTO shop.stock s USING generate_series(31, 40) g ON s.k = g WHEN MATCHED AND g < 34 THEN UPDATE SET k = g + 1000, v = 4;
MERGE INTO shop.stock s USING generate_series(41, 43) g ON s.k = g WHEN MATCHED THEN UPDATE SET k = -g, v = 4;
MERGE INTO shop.stock s USING generate_series(41, 43) g ON s.k = g WHEN MATCHED THEN UPDATE SET k = -g, v = -4;
PREPARE merges (int, int) AS MERGE INTO shop.stock s USING (SELECT $1 AS g) x ON s.k = g WHEN MATCHED THEN UPDATE SET v = $2 WHEN NOT MATCHED THEN INSERT (k, v) VALUES (g, $2);
EXECUTE merges(50, 7);
EXECUTE merges(50, -7);
EXECUTE merges(49, 7);
EXECUTE merges(20, 8);
EXECUTE merges(-20, 8);
RESET ROLE;
SELECT * FROM stock ORDER BY k;
MERGE INTO stock s USING generate_series(1, 9) g ON s.k = g WHEN MATCHED THEN UPDATE SET v = -5;
-- compare: stock
