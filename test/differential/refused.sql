-- What the herd refuses though plain PostgreSQL accepts it, each with its SQLSTATE.

CREATE FUNCTION count_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.owner := 'of ' || (SELECT count(*) FROM shop.customers);
    RETURN NEW;
END $$;
CREATE TRIGGER counts BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION count_customers();
CREATE POLICY by_order ON accounts TO diff_app USING (true) WITH CHECK (id IN (SELECT customer_id + 100000 FROM orders));
GRANT SELECT, INSERT ON accounts TO diff_app;
GRANT SELECT ON orders TO diff_app;
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
-- test: row security that checks new rows against other nodes' rows [refused HR003]
INSERT INTO shop.accounts SELECT DISTINCT customer_id + 100000, 'other', 1 FROM shop.orders WHERE customer_id < 40;
