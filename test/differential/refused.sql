-- What the herd refuses though plain PostgreSQL accepts it, each with its SQLSTATE.

CREATE FUNCTION count_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.owner := 'of ' || (SELECT count(*) FROM shop.customers);
    RETURN NEW;
END $$;
CREATE TRIGGER counts BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION count_customers();

-- test: trigger that reads the rows of other nodes [refused HR004]
UPDATE accounts SET balance = balance + 1 WHERE id < 40;
-- test: change of a distribution key [refused HR010]
UPDATE documents SET id = md5('other')::uuid WHERE id = md5('doc3')::uuid;
-- test: add a serial column [refused HR007]
ALTER TABLE pairs ADD COLUMN nr serial;
-- test: update from a local table [refused HR003]
UPDATE customers c SET name = n.body FROM local_notes n WHERE n.customer_id = c.id;
-- test: update from another group [refused HR003]
UPDATE customers c SET email = d.title FROM documents d WHERE d.owner = c.id AND d.version = 4 AND d.title LIKE '%9';
-- test: update where in another group [refused HR003]
UPDATE customers SET score = 0 WHERE id IN (SELECT owner FROM documents WHERE version = 5);
-- test: update with an uncorrelated subquery [refused HR003]
UPDATE accounts SET balance = (SELECT count(*) FROM orders) WHERE id = 50 RETURNING balance;
-- test: update of a reference table from a distributed one [refused HR003]
UPDATE regions r SET name = r.name || ' ' || (SELECT count(*) FROM customers c WHERE c.region_id = r.id);
-- test: delete using another group [refused HR003]
DELETE FROM devices v USING documents d WHERE d.owner = v.owner AND d.version = 1;
-- test: delete using a local table [refused HR003]
DELETE FROM order_changes c USING local_notes n WHERE n.customer_id = c.customer_id;
-- test: delete with a subquery of the same table [refused HR003]
DELETE FROM documents WHERE version = (SELECT max(version) FROM documents);
-- test: delete with limit by key [refused HR003]
DELETE FROM documents WHERE id IN (SELECT id FROM documents ORDER BY title LIMIT 10) RETURNING title;
-- test: merge of co-located tables [refused HR003]
MERGE INTO orders o USING customers c ON o.customer_id = c.id AND c.balance > 500 WHEN MATCHED AND o.status = 'new' THEN DELETE WHEN MATCHED THEN UPDATE SET note = 'rich';
-- test: update through a view (1) [refused HR003]
UPDATE active_customers SET balance = balance + 1 WHERE id = 43 RETURNING id, balance;
-- test: update through a view (2) [refused HR003]
UPDATE active_customers SET balance = balance + 1 WHERE region_id = 3;
-- test: update through a view (3) [refused HR003]
UPDATE active_customers SET balance = 0 WHERE id = 42;
-- test: updatable view with rights on the view only [refused HR003]
UPDATE shop.active_customers SET name = 'Renamed' WHERE id = 45 RETURNING name;
-- test: comparing ctids of several nodes [refused HR003]
SELECT id FROM customers WHERE ctid IN (SELECT min(ctid) FROM customers GROUP BY region_id);
-- test: identity drawn again in an update [refused HR003]
UPDATE tickets SET id = DEFAULT WHERE project = 3 RETURNING id < 100000;
