-- What the herd refuses though plain PostgreSQL accepts it, each with its SQLSTATE.

CREATE FUNCTION count_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.owner := 'of ' || (SELECT count(*) FROM shop.customers);
    RETURN NEW;
END $$;
CREATE TRIGGER counts BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION count_customers();

-- test: trigger that reads the rows of other nodes [refused HR004]
UPDATE accounts SET balance = balance + 1 WHERE id < 40;
-- test: add a serial column [refused HR007]
ALTER TABLE pairs ADD COLUMN nr serial;
-- test: comparing ctids of several nodes [refused HR003]
SELECT id FROM customers WHERE ctid IN (SELECT min(ctid) FROM customers GROUP BY region_id);
