-- What the herd refuses though plain PostgreSQL accepts it, each with its SQLSTATE.

CREATE FUNCTION count_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.owner := 'of ' || (SELECT count(*) FROM shop.customers);
    RETURN NEW;
END $$;
CREATE TRIGGER counts BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION count_customers();
CREATE FUNCTION complete_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.owner := coalesce(NEW.owner, 'nobody');
    RETURN NEW;
END $$;
CREATE TRIGGER completes BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION complete_account();
CREATE POLICY by_pair ON notes TO diff_app USING (true) WITH CHECK (id IN (SELECT a FROM pairs));
CREATE POLICY by_order ON accounts TO diff_app USING (true) WITH CHECK (id IN (SELECT customer_id + 100000 FROM orders));
GRANT SELECT, INSERT ON accounts TO diff_app;
GRANT SELECT ON orders, pairs TO diff_app;
GRANT SELECT, INSERT, UPDATE ON notes TO diff_app;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA shop TO diff_app;
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;

-- test: trigger that reads the rows of other nodes [refused HR004]
UPDATE accounts SET balance = balance + 1 WHERE id < 40;
-- test: add a serial column [refused HR007]
ALTER TABLE pairs ADD COLUMN nr serial;
-- test: comparing ctids of several nodes [refused HR003]
SELECT id FROM customers WHERE ctid IN (SELECT min(ctid) FROM customers GROUP BY region_id);
-- test: as a role with row security
SET ROLE diff_app;
-- test: row security that checks new rows against other nodes' rows, where triggers complete them, and ON CONFLICT [refused HR003]
INSERT INTO shop.accounts SELECT DISTINCT customer_id + 100000, 'other', 1 FROM shop.orders WHERE customer_id < 40 ON CONFLICT DO NOTHING;
-- test: row security that checks new rows against other nodes' rows, with an update of the row in the way [refused HR003]
INSERT INTO shop.notes (id, body) SELECT DISTINCT a, 'note' FROM shop.pairs WHERE a < 20 ON CONFLICT (id) DO UPDATE SET body = 'other';
