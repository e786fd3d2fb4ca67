-- MERGE.

-- test: merge of co-located tables
MERGE INTO orders o USING customers c ON o.customer_id = c.id AND c.balance > 500 WHEN MATCHED AND o.status = 'new' THEN DELETE WHEN MATCHED THEN UPDATE SET note = 'rich';
-- test: merge from VALUES
MERGE INTO accounts a USING (VALUES (5, 500), (7, 700), (1005, 9), (1006, 10)) v(id, b) ON a.id = v.id
    WHEN MATCHED THEN UPDATE SET balance = a.balance + v.b
    WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'merged', v.b);
-- test: merge from a local table
MERGE INTO accounts a USING local_notes n ON a.id = n.id + 80
    WHEN MATCHED AND n.id % 2 = 0 THEN DELETE
    WHEN MATCHED THEN UPDATE SET owner = n.body, balance = balance + n.customer_id
    WHEN NOT MATCHED AND n.id % 3 = 0 THEN DO NOTHING
    WHEN NOT MATCHED THEN INSERT (id, owner, balance) VALUES (n.id + 80, upper(n.body), 0);
-- test: merge from another group
MERGE INTO accounts a USING (SELECT owner, count(*) AS n, max(title) AS t FROM documents GROUP BY owner) d ON a.id = d.owner
    WHEN MATCHED AND d.n > 2 THEN UPDATE SET balance = d.n, owner = d.t
    WHEN MATCHED THEN DO NOTHING
    WHEN NOT MATCHED THEN INSERT VALUES (d.owner, d.t, d.n);
-- test: merge of a join with a subquery
MERGE INTO accounts a USING (SELECT c.id, c.name FROM customers c JOIN local_notes n ON n.customer_id = c.id) j ON a.id = j.id
    WHEN MATCHED AND EXISTS (SELECT 1 FROM documents d WHERE d.owner = j.id) THEN UPDATE SET owner = j.name || (SELECT count(*) FROM documents)
    WHEN NOT MATCHED AND j.id > 120 THEN INSERT (id, owner, balance) VALUES (j.id, j.name, (SELECT count(*) FROM orders o WHERE o.customer_id = j.id));
-- compare: accounts, orders
-- test: only matched rows
MERGE INTO customers c USING local_notes n ON c.id = n.customer_id WHEN MATCHED THEN UPDATE SET name = n.body, tags = ARRAY[n.body];
MERGE INTO documents d USING accounts a ON d.owner = a.id AND a.balance > 5000 WHEN MATCHED THEN DELETE;
-- test: only rows that are not matched
MERGE INTO devices d USING local_notes n ON d.name = 'dev-' || (n.id + 30) WHEN NOT MATCHED THEN INSERT (name, owner, firmware) VALUES ('dev-' || (n.id + 30), n.customer_id, ARRAY[n.id]);
-- test: insert with defaults, identity and generated columns
MERGE INTO notes t USING local_notes n ON t.id = n.id + 60 WHEN MATCHED THEN UPDATE SET body = n.body WHEN NOT MATCHED THEN INSERT (body) VALUES (n.body);
SELECT count(*), count(DISTINCT id), sum(words) FROM notes;
MERGE INTO documents d USING local_notes n ON d.id = md5(n.body)::uuid WHEN NOT MATCHED THEN INSERT (id, title) VALUES (md5(n.body)::uuid, n.body);
MERGE INTO orders o USING (VALUES (10, 99990), (11, 99991)) v(c, o) ON o.order_id = v.o WHEN NOT MATCHED THEN INSERT (customer_id, order_id) VALUES (v.c, v.o);
-- compare: customers, devices, documents, orders
-- test: a row is merged twice
MERGE INTO accounts a USING documents d ON a.id = d.owner WHEN MATCHED THEN UPDATE SET balance = 1;
MERGE INTO accounts a USING documents d ON a.id = d.owner WHEN MATCHED AND d.title LIKE '%document 1%' AND d.owner = 1 THEN DELETE;
-- test: an insert that is there already
MERGE INTO accounts a USING (VALUES (70), (71)) v(id) ON a.id = v.id AND false WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'again', 1);
-- test: values of actions that are not chosen are not computed
MERGE INTO accounts a USING (VALUES (72, 0), (73, 5), (1073, 0)) v(id, d) ON a.id = v.id
    WHEN MATCHED AND v.d = 0 THEN UPDATE SET balance = 0 WHEN MATCHED THEN UPDATE SET balance = 100 / v.d WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'x', v.d);
-- test: a check fails
MERGE INTO accounts a USING local_notes n ON a.id = n.id + 70 WHEN MATCHED THEN UPDATE SET balance = -1;
-- test: merge moves rows
MERGE INTO accounts a USING local_notes n ON a.id = n.id + 60 WHEN MATCHED AND n.id < 20 THEN UPDATE SET id = a.id + 6000, owner = n.body WHEN MATCHED AND n.id < 25 THEN DELETE WHEN MATCHED THEN UPDATE SET owner = 'stays';
-- compare: accounts
-- test: merge into a partitioned table
MERGE INTO events e USING local_notes n ON e.seq = n.id AND e.device = 'dev-' || (n.id % 60 + 1)
    WHEN MATCHED AND n.id < 10 THEN DELETE WHEN MATCHED THEN UPDATE SET value = n.id, at = e.at + interval '100 days'
    WHEN NOT MATCHED THEN INSERT (device, at, seq) VALUES ('x', '2024-02-01', n.id);
-- test: merge with a trigger
MERGE INTO orders o USING local_notes n ON o.customer_id = n.customer_id WHEN MATCHED AND o.status <> 'sent' THEN UPDATE SET status = 'sent' WHEN MATCHED THEN UPDATE SET note = n.body;
-- test: merge into a reference table
MERGE INTO products p USING (SELECT product_id, sum(quantity) AS q FROM order_items GROUP BY product_id) i ON p.id = i.product_id AND i.q > 20
    WHEN MATCHED THEN UPDATE SET category = 'best', price = price + 1;
MERGE INTO regions r USING (SELECT DISTINCT region_id + 3 AS id FROM customers) c ON r.id = c.id
    WHEN MATCHED THEN UPDATE SET continent = 'merged' WHEN NOT MATCHED AND c.id IS NOT NULL THEN INSERT VALUES (c.id, 'region ' || c.id);
-- test: merge with volatile functions
CREATE FUNCTION orders_of(bigint) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT count(*) FROM shop.orders WHERE customer_id = $1';
MERGE INTO accounts a USING local_notes n ON a.id = n.customer_id WHEN MATCHED AND orders_of(a.id) > 2 THEN UPDATE SET balance = orders_of(a.id) WHEN MATCHED THEN UPDATE SET owner = 'few';
-- test: merge under a CTE
WITH w AS (SELECT owner, count(*) AS n FROM documents GROUP BY owner) MERGE INTO accounts a USING w ON w.owner = a.id WHEN MATCHED AND w.n > (SELECT avg(n) FROM w) THEN UPDATE SET balance = w.n + (SELECT count(*) FROM w) WHEN MATCHED THEN UPDATE SET balance = 0;
-- test: merge into a local table from a distributed one
MERGE INTO local_notes n USING customers c ON c.id = n.customer_id WHEN MATCHED AND c.id < 60 THEN DELETE WHEN MATCHED THEN UPDATE SET body = c.name WHEN NOT MATCHED AND c.id < 3 THEN INSERT VALUES (c.id + 1000, c.id, c.name);
-- test: merge of a NULL key
MERGE INTO pairs p USING (VALUES (NULL::int, 1)) v(a, b) ON p.a = v.a WHEN NOT MATCHED THEN INSERT VALUES (v.a, v.b, 'null key');
MERGE INTO pairs p USING (VALUES (1, 1)) v(a, b) ON p.a = v.a + 1000 WHEN NOT MATCHED THEN INSERT (b, c) VALUES (v.b, 'no key');
-- test: prepared merge
PREPARE m(int, bigint) AS MERGE INTO accounts a USING (SELECT $1 AS id, $2 AS b) v ON a.id = v.id WHEN MATCHED THEN UPDATE SET balance = balance + v.b WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'm', v.b);
EXECUTE m(1, 10);
EXECUTE m(90001, 10);
EXECUTE m(90001, 10);
EXECUTE m(90002, 10);
EXECUTE m(90003, 10);
EXECUTE m(90003, 10);
EXECUTE m(90003, 10);
-- compare: accounts, pairs, events, orders, order_changes, products, regions, local_notes
-- test: merge of several columns from one subquery
MERGE INTO accounts a USING local_notes n ON n.customer_id = a.id WHEN MATCHED THEN UPDATE SET (owner, balance) = (SELECT d.title, d.version FROM documents d ORDER BY d.title LIMIT 1);
MERGE INTO accounts a USING local_notes n ON n.id = a.id WHEN MATCHED AND a.id < 6 THEN UPDATE SET (balance, owner) = (SELECT count(*), n.body || max(d.title) FROM documents d WHERE d.owner = a.id), kind = 'm' WHEN MATCHED AND a.id < 9 THEN DELETE;
-- test: merge of several columns from a subquery without rows, or with several
MERGE INTO customers c USING local_notes n ON n.customer_id = c.id AND n.id < 10 WHEN MATCHED THEN UPDATE SET (email, score) = (SELECT d.title, d.version FROM documents d WHERE d.owner = -c.id);
MERGE INTO customers c USING local_notes n ON n.customer_id = c.id AND n.id < 10 WHEN MATCHED THEN UPDATE SET (email, score) = (SELECT d.title, d.version FROM documents d);
-- test: only the chosen action's subquery of several columns runs
MERGE INTO accounts a USING (VALUES (21, 1), (22, 0)) v(id, many) ON a.id = v.id WHEN MATCHED AND v.many = 1 THEN UPDATE SET balance = 5 WHEN MATCHED THEN UPDATE SET (owner, balance) = (SELECT d.title, d.version FROM documents d WHERE v.many = 1 OR d.title = 'document 7');
-- test: merge of several columns from a row, two subqueries and a view
MERGE INTO accounts a USING local_notes n ON n.id = a.id - 30 AND n.id < 6 WHEN MATCHED THEN UPDATE SET (owner, kind) = ROW(n.body, 'r'), (balance) = (SELECT count(*) FROM documents);
MERGE INTO customers c USING local_notes n ON n.customer_id = c.id AND n.id < 20 WHEN MATCHED THEN UPDATE SET (email, tags) = (SELECT max(title), array_agg(title ORDER BY title) FROM documents d WHERE d.owner = c.id), (score, profile) = (SELECT sum(total), jsonb_build_object('n', count(*)) FROM orders o WHERE o.customer_id = c.id + 1);
-- test: merge gives rows a key from a subquery of several columns
MERGE INTO accounts a USING local_notes n ON n.id = a.id - 40 AND n.id < 8 WHEN MATCHED THEN UPDATE SET (id, owner) = (SELECT 40000 + a.id * 7, max(title) FROM documents);
-- test: merge of one row of a key's columns
MERGE INTO orders o USING (VALUES (44)) v(id) ON o.customer_id = 44 AND v.id = 44 WHEN MATCHED THEN UPDATE SET (note, total) = (SELECT c.name, c.balance FROM customers c WHERE c.id = o.customer_id);
-- test: merge of a reference table from a subquery of several columns
MERGE INTO products p USING local_notes n ON n.id = p.id WHEN MATCHED THEN UPDATE SET (category, price) = (SELECT max(d.title), count(*) FROM documents d WHERE d.owner = p.id);
-- compare: accounts, customers, orders, products
