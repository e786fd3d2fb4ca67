-- UPDATE and DELETE whose changes are computed on the coordinator, row by row.

-- test: update from a local table
UPDATE customers c SET name = n.body FROM local_notes n WHERE n.customer_id = c.id;
UPDATE customers c SET score = n.id FROM local_notes n WHERE n.customer_id = c.id AND c.id < 30 RETURNING c.id, c.score, c.initial, n.body;
-- test: update from another group
UPDATE customers c SET email = d.title FROM documents d WHERE d.owner = c.id AND d.version = 4 AND d.title LIKE '%9';
UPDATE accounts a SET owner = c.name FROM customers c WHERE c.id = a.balance / 100 AND c.region_id = 2;
-- test: update where in another group
UPDATE customers SET score = 0 WHERE id IN (SELECT owner FROM documents WHERE version = 5);
-- test: update where not exists in another group
UPDATE accounts a SET balance = 1 WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.owner = a.id);
-- test: update with an uncorrelated subquery
UPDATE accounts SET balance = (SELECT count(*) FROM orders) WHERE id = 50 RETURNING balance;
UPDATE accounts SET balance = balance + (SELECT max(id) FROM accounts) WHERE balance > (SELECT avg(balance) FROM accounts);
-- test: update with a correlated subquery of another group
UPDATE accounts a SET balance = (SELECT count(*) FROM documents d WHERE d.owner = a.id) WHERE id < 20 RETURNING id, balance;
-- test: update of several columns from a subquery of another group
UPDATE customers c SET (email, score) = (SELECT d.title, d.version FROM documents d WHERE d.owner = c.id ORDER BY d.title LIMIT 1) WHERE c.id BETWEEN 10 AND 15 RETURNING id, email, score;
-- test: update of parts of a column from a local table
UPDATE customers c SET tags[2] = n.body, home.city = 'city of ' || n.id, profile['note'] = to_jsonb(n.id) FROM local_notes n WHERE n.customer_id = c.id AND n.id < 5 RETURNING c.id, tags, home, profile;
-- test: update of every kind of type
UPDATE documents d SET valid = daterange('2030-01-01', NULL), stamp = '\x00ff', version = 7, body = NULL FROM local_notes n WHERE n.id = d.owner AND n.id < 9 RETURNING d.id, d.valid, d.stamp, d.version, d.body;
-- compare: accounts, customers, documents
-- test: update of an enum and a default from another group
UPDATE orders o SET status = 'returned', note = DEFAULT, placed = DEFAULT FROM documents d WHERE d.owner = o.customer_id AND d.version = 1;
-- test: trigger fires for rows that are changed one by one
UPDATE orders o SET status = 'paid' FROM local_notes n WHERE n.customer_id = o.customer_id AND o.total > 100 RETURNING o.order_id, o.revision;
-- test: returning whole rows and other tables
UPDATE accounts a SET owner = n.body FROM local_notes n WHERE n.id = a.id AND n.id < 4 RETURNING a, n, a.*, n.*, upper(a.owner) || n.id;
-- test: returning a subquery
UPDATE accounts a SET balance = balance + 1 FROM local_notes n WHERE n.id = a.id AND n.id < 4 RETURNING a.id, (SELECT count(*) FROM documents d WHERE d.owner = a.id), (SELECT max(c.name) FROM customers c WHERE c.id = n.customer_id);
-- test: returning the table
UPDATE events e SET value = n.id FROM local_notes n WHERE n.id = e.seq RETURNING e.tableoid::regclass, e.seq, e.value;
-- test: rows of a partitioned table move to another partition
UPDATE events e SET at = e.at + interval '90 days' FROM local_notes n WHERE n.id = e.seq AND n.id < 20 RETURNING e.device, e.at;
-- test: several source rows for one target row change it once
UPDATE accounts a SET balance = 77 FROM documents d WHERE d.owner = a.id;
-- test: several source rows are counted once
UPDATE accounts a SET balance = 78 FROM documents d WHERE d.owner = a.id RETURNING a.id;
-- test: update of no row
UPDATE accounts SET balance = 0 WHERE id IN (SELECT owner FROM documents WHERE version = 99);
-- test: a check fails on the way
UPDATE accounts a SET balance = balance - 1000000 FROM documents d WHERE d.owner = a.id;
UPDATE customers SET region_id = 99 WHERE id IN (SELECT owner FROM documents);
-- test: a function of the user in SET and WHERE
CREATE FUNCTION orders_of(bigint) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT count(*) FROM shop.orders WHERE customer_id = $1';
UPDATE accounts SET balance = orders_of(id) WHERE orders_of(id + 1) > 2 RETURNING id, balance;
UPDATE accounts SET balance = balance + 1 WHERE id < 5 RETURNING id, orders_of(id);
-- test: a sequence in SET
CREATE SEQUENCE stamps;
UPDATE accounts SET balance = nextval('shop.stamps') * 0 + balance WHERE id < 30;
SELECT last_value FROM stamps;
-- test: update under a CTE
WITH big AS (SELECT owner, count(*) AS n FROM documents GROUP BY owner HAVING count(*) > 2) UPDATE accounts a SET balance = big.n FROM big WHERE big.owner = a.id RETURNING a.id, a.balance, (SELECT sum(n) FROM big);
-- test: update joined to joins
UPDATE accounts a SET owner = j.name || j.title FROM (customers c JOIN documents d ON d.owner = c.id) j WHERE j.id = a.id;
UPDATE accounts a SET owner = coalesce(n.body, c.name) FROM customers c LEFT JOIN local_notes n ON n.customer_id = c.id WHERE c.id = a.balance RETURNING a.id, c.id, n.id;
-- compare: accounts, customers, documents, events, orders, order_changes
-- test: delete using another group
DELETE FROM devices v USING documents d WHERE d.owner = v.owner AND d.version = 1;
-- test: delete using a local table
DELETE FROM order_changes c USING local_notes n WHERE n.customer_id = c.customer_id;
-- test: delete with a subquery of the same table
DELETE FROM documents WHERE version = (SELECT max(version) FROM documents) RETURNING id, title;
-- test: delete with limit by key
DELETE FROM documents WHERE id IN (SELECT id FROM documents ORDER BY title LIMIT 10) RETURNING title;
-- test: delete with a volatile function
DELETE FROM documents WHERE orders_of(owner) = 4 RETURNING title;
-- test: delete returning the other side
DELETE FROM pairs p USING documents d WHERE d.owner = p.a + 1 AND p.b = 1 AND d.title LIKE '%3' RETURNING p.a, p.c, d.title;
-- test: delete cascades where the rows are
DELETE FROM customers c USING local_notes n WHERE n.customer_id = c.id AND n.id < 10;
SELECT count(*) FROM orders;
-- compare: customers, orders, order_items, devices, documents, pairs, order_changes
-- test: changes of a key move rows
UPDATE documents SET id = md5('other')::uuid WHERE title = 'document 3' RETURNING *;
UPDATE documents SET id = md5(title)::uuid, title = upper(title) WHERE owner < 10 RETURNING id, title, stamp;
-- compare: documents
-- test: changes of an integer key
UPDATE accounts SET id = 1000 + id WHERE id BETWEEN 1 AND 50;
UPDATE accounts SET id = 2001, owner = 'moved' WHERE id = 1001 RETURNING *;
UPDATE accounts SET id = a.id + 5000 FROM (SELECT max(id) AS id FROM accounts) a WHERE accounts.id > 1040 AND owner = 'owner 5' RETURNING accounts.id;
-- test: a key that is taken
UPDATE accounts SET id = 60 WHERE id = 61;
-- test: a key of NULL
UPDATE accounts SET id = NULL WHERE id = 61;
UPDATE pairs SET a = NULL WHERE a = 5 AND b = 2 RETURNING *;
UPDATE pairs SET a = 5 WHERE a IS NULL RETURNING *;
-- test: change of the key of a partitioned table
UPDATE events SET device = 'new ' || device, at = at + interval '1 year' WHERE seq < 40 RETURNING device, seq;
-- compare: accounts, pairs, events
-- test: change of a key that references a row elsewhere
UPDATE orders SET customer_id = 200, order_id = order_id + 100000 WHERE customer_id = 250;
UPDATE orders SET customer_id = 99999 WHERE customer_id = 251 AND order_id NOT IN (SELECT order_id FROM order_items WHERE customer_id = 251);
-- test: change of a key that is referenced
UPDATE customers SET id = 88888 WHERE id = 252;
-- test: change of a key that nobody references
UPDATE customers SET id = id + 50000 WHERE id % 5 = 0 AND id > 200;
-- test: change of a key through a view
CREATE VIEW rich AS SELECT * FROM accounts WHERE balance > 500;
UPDATE rich SET id = id + 7000 WHERE id = 70 RETURNING *;
-- compare: customers, orders, accounts
-- test: update through a view with a check
UPDATE active_customers SET balance = balance + 1 WHERE id = 43 RETURNING id, balance;
UPDATE active_customers SET balance = balance + 1 WHERE region_id = 3;
UPDATE active_customers SET balance = 0 WHERE id = 43;
UPDATE active_customers SET active = false WHERE id = 43;
UPDATE active_customers SET active = false WHERE region_id = 3;
UPDATE active_customers SET active = id % 2 = 0 WHERE region_id = 2 AND id > 250;
UPDATE active_customers SET name = 'x' WHERE id < 20 RETURNING *;
DELETE FROM active_customers WHERE id = 44;
-- test: update through nested views with checks
CREATE VIEW active_poor AS SELECT * FROM active_customers WHERE balance < 100 WITH LOCAL CHECK OPTION;
CREATE VIEW active_poor_north AS SELECT * FROM active_poor WHERE region_id = 1 WITH CASCADED CHECK OPTION;
UPDATE active_poor SET balance = 50 WHERE id < 40 RETURNING id;
UPDATE active_poor SET balance = 500 WHERE id < 40;
UPDATE active_poor_north SET region_id = 2;
UPDATE active_poor_north SET active = false;
UPDATE active_poor_north SET balance = balance - 1 RETURNING id, balance;
-- test: update through a view with a check that has a subquery
CREATE VIEW known_owners AS SELECT * FROM documents WHERE owner IN (SELECT id FROM accounts) WITH CHECK OPTION;
UPDATE known_owners SET owner = 12345 WHERE version = 2;
UPDATE known_owners SET owner = 70 WHERE version = 2 RETURNING title;
-- test: updatable view with rights on the view only
UPDATE shop.active_customers SET name = 'Renamed' WHERE id = 45 RETURNING name;
-- compare: customers, documents
-- test: update of a reference table from a distributed one
UPDATE regions r SET name = r.name || ' ' || (SELECT count(*) FROM customers c WHERE c.region_id = r.id) RETURNING *;
UPDATE products p SET category = 'sold' FROM order_items i WHERE i.product_id = p.id AND i.quantity > 2;
-- test: update of a reference table with a volatile function
CREATE FUNCTION product_rank(int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN (SELECT count(*) FROM shop.order_items WHERE product_id = $1); END';
UPDATE products SET price = product_rank(id) RETURNING id, price;
-- test: delete of a reference table
DELETE FROM products WHERE id NOT IN (SELECT product_id FROM order_items) RETURNING id;
DELETE FROM regions WHERE id IN (SELECT region_id FROM customers);
-- test: change of a reference table's key
UPDATE regions SET id = id + (SELECT count(*) FROM accounts) WHERE id = 5 RETURNING id;
-- compare: regions, products
-- test: within a transaction, with a rollback to a savepoint
BEGIN;
UPDATE accounts a SET balance = 5 FROM documents d WHERE d.owner = a.id;
SAVEPOINT one;
UPDATE accounts SET id = id + 10000 WHERE id > 60;
DELETE FROM accounts WHERE balance = (SELECT max(balance) FROM accounts);
ROLLBACK TO one;
UPDATE accounts SET owner = 'end' WHERE id IN (SELECT owner FROM documents);
COMMIT;
SELECT count(*), sum(balance), sum(id) FROM accounts;
-- test: in a function, with ROW_COUNT
DO $$
DECLARE n bigint; m text;
BEGIN
    UPDATE shop.accounts SET balance = balance + (SELECT count(*) FROM shop.documents) WHERE id > 80;
    GET DIAGNOSTICS n = ROW_COUNT;
    UPDATE shop.accounts SET owner = n::text || (SELECT count(*) FROM shop.customers) WHERE id = 90 RETURNING owner INTO m;
    INSERT INTO shop.local_notes VALUES (9000, n, m);
END $$;
SELECT * FROM local_notes WHERE id = 9000;
-- test: prepared, custom and generic plans
PREPARE p(bigint, int) AS UPDATE accounts SET balance = $1 + (SELECT count(*) FROM documents WHERE version > $2) WHERE id IN (SELECT owner + $2 FROM documents) RETURNING id, balance;
EXECUTE p(1, 1);
EXECUTE p(2, 2);
EXECUTE p(3, 3);
EXECUTE p(4, 4);
EXECUTE p(5, 5);
EXECUTE p(6, 1);
EXECUTE p(7, 2);
-- test: repeatable read
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE accounts a SET balance = d.version FROM documents d WHERE d.owner = a.id AND d.title LIKE '%2';
UPDATE accounts SET id = id + 3 WHERE id = 100;
COMMIT;
-- compare: accounts
-- test: WITH that changes rows one by one
WITH w AS (UPDATE accounts a SET owner = d.title FROM documents d WHERE d.owner = a.id AND d.title LIKE '%7' RETURNING a.id, a.owner) SELECT * FROM w;
WITH w AS (DELETE FROM pairs WHERE b = (SELECT max(b) FROM pairs) RETURNING *) INSERT INTO pairs SELECT a + 1, 90, c FROM w RETURNING *;
WITH w AS (UPDATE accounts SET id = id + 20000 WHERE id BETWEEN 80 AND 90 RETURNING id) SELECT count(*), (SELECT count(*) FROM accounts WHERE id > 20000) FROM w;
WITH w AS (UPDATE accounts SET balance = 1 WHERE id IN (SELECT owner FROM documents) RETURNING id, balance), v AS (DELETE FROM documents WHERE owner IN (SELECT id FROM accounts WHERE balance > 1) RETURNING owner)
    SELECT (SELECT count(*) FROM w), (SELECT count(*) FROM v), (SELECT count(*) FROM documents), (SELECT sum(balance) FROM accounts);
WITH w AS (MERGE INTO accounts a USING local_notes n ON a.id = n.id WHEN MATCHED THEN DELETE) SELECT 1;
WITH w AS (UPDATE accounts SET balance = balance + (SELECT count(*) FROM customers)) DELETE FROM local_notes n USING accounts a WHERE a.id = n.id AND n.id < 5;
-- compare: accounts, pairs, documents, local_notes
-- test: identity drawn again in an update
UPDATE tickets SET id = DEFAULT WHERE project = 3 RETURNING id < 100000, title;
SELECT count(*), count(DISTINCT id) FROM tickets;
-- test: the rest of a statement does not see rows that WITH has moved
WITH w AS (UPDATE accounts SET id = id + 40000 WHERE id = 60 RETURNING id) SELECT (SELECT count(*) FROM w), (SELECT count(*) FROM accounts WHERE id = 40060), (SELECT count(*) FROM accounts WHERE id = 60);
-- test: update of several columns from a subquery without rows, or with several
UPDATE customers c SET (email, score) = (SELECT d.title, d.version FROM documents d WHERE d.owner = -c.id) WHERE c.id < 12 RETURNING id, email, score;
UPDATE customers c SET (email, score) = (SELECT d.title, d.version FROM documents d WHERE d.owner <> c.id) WHERE c.id < 12;
UPDATE orders o SET (note, total) = (SELECT i.price::text, i.price FROM order_items i WHERE i.customer_id = o.customer_id AND i.order_id = o.order_id) WHERE o.customer_id < 60;
UPDATE customers c SET (email, score) = (SELECT 'none', max(o.total) FROM orders o WHERE o.customer_id = c.id AND o.total > 400) WHERE c.id < 30 RETURNING id, email, score;
-- test: update of several columns from several subqueries, and the key among them
UPDATE accounts a SET (owner, balance) = (SELECT max(title), count(*) FROM documents d WHERE d.owner = a.id), (kind) = (SELECT left(max(body), 1)::"char" FROM local_notes) WHERE id BETWEEN 40 AND 50 RETURNING a.*;
UPDATE accounts a SET (id, owner) = (SELECT a.id + 30000, max(title) FROM documents d WHERE d.owner = a.id) WHERE id BETWEEN 60 AND 65 RETURNING a.id;
-- compare: customers, orders, accounts
