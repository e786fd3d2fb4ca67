-- INSERT.

-- test: one row
INSERT INTO accounts VALUES (501, 'new', 10);
INSERT INTO accounts (balance, owner, id) VALUES (11, 'other order', 502);
-- test: one row with defaults
INSERT INTO customers (id, name) VALUES (1001, 'defaulted');
SELECT * FROM customers WHERE id = 1001;
-- test: default keyword
INSERT INTO customers (id, name, balance, created) VALUES (1002, 'kw', DEFAULT, DEFAULT) RETURNING balance, created, initial;
-- test: several rows
INSERT INTO accounts VALUES (510, 'a', 1), (511, 'b', 2), (512, 'c', 3), (513, 'd', 4);
-- test: several rows with defaults of other columns
INSERT INTO customers (id, name, email) VALUES (1010, 'Ann', 'a@x'), (1011, 'Bea', NULL), (1012, 'Cid', 'c@x');
-- test: several rows, default in some
INSERT INTO customers (id, name, active, balance) VALUES (1020, 'Dan', DEFAULT, 5), (1021, 'Eve', false, DEFAULT);
-- test: several rows, returning
INSERT INTO accounts VALUES (520, 'r', 1), (521, 'r', 2), (522, 'r', 3) RETURNING id, balance * 2 AS double;
-- test: more than a batch of rows
INSERT INTO pairs SELECT i, i, 'bulk' FROM generate_series(1, 3000) i;
-- compare: accounts, customers
SELECT count(*), sum(a), sum(b) FROM pairs;
-- test: select from the same group
INSERT INTO order_changes SELECT customer_id, order_id, NULL, status FROM orders WHERE customer_id < 30;
-- test: select from another group
INSERT INTO accounts SELECT owner + 600, min(title), count(*) FROM documents GROUP BY owner;
-- test: select with another key
INSERT INTO pairs SELECT o.order_id % 1000, o.customer_id, o.note FROM orders o WHERE o.customer_id > 280;
-- test: select from a local table
INSERT INTO accounts SELECT id + 700, body, id FROM local_notes;
-- test: local table from a distributed one
INSERT INTO local_notes SELECT id + 1000, id, name FROM customers WHERE id < 10;
-- test: reference table
INSERT INTO regions VALUES (10, 'Centre', 'Europe'), (11, 'Edge', NULL);
INSERT INTO products SELECT id + 100, name, category, price FROM products WHERE id < 5;
-- test: reference table from a distributed one
INSERT INTO regions SELECT id + 100, name FROM customers WHERE id < 4 RETURNING *;
-- test: table to itself, with another key
INSERT INTO accounts SELECT id + 2000, owner, balance FROM accounts WHERE id <= 20;
-- compare: order_changes, accounts, local_notes, regions, products
SELECT count(*), sum(a), count(DISTINCT c) FROM pairs;
-- test: select with order and limit
INSERT INTO accounts SELECT id + 3000, 'top', balance FROM accounts WHERE id <= 100 ORDER BY balance DESC, id LIMIT 5 RETURNING id;
-- test: identity always
INSERT INTO tickets (project, title) VALUES (1, 'identity') RETURNING project, id;
INSERT INTO tickets (project, title) VALUES (2, 'two'), (3, 'three'), (4, 'four') RETURNING project, id, priority;
-- test: identity always refuses a value
INSERT INTO tickets (project, id, title) VALUES (1, 7777, 'mine');
-- test: identity always, overridden
INSERT INTO tickets (project, id, title) OVERRIDING SYSTEM VALUE VALUES (1, 7777, 'mine') RETURNING *;
INSERT INTO tickets (project, id, title) OVERRIDING USER VALUE VALUES (1, 8888, 'yours') RETURNING id;
-- test: identity always from a select
INSERT INTO tickets (project, title) SELECT id % 5, 'from ' || id FROM customers WHERE id <= 10 ORDER BY id;
-- test: identity by default is the key
INSERT INTO notes (body) VALUES ('one') RETURNING id, words;
INSERT INTO notes DEFAULT VALUES RETURNING *;
INSERT INTO notes (id, body) VALUES (5000, 'given'), (DEFAULT, 'taken') RETURNING *;
-- test: serial
INSERT INTO logs (source, message) VALUES ('new', 'x'), ('newer', 'y') RETURNING *;
INSERT INTO logs (source, message) SELECT 'src' || i, 'again' FROM generate_series(1, 5) i ORDER BY i;
-- compare: tickets, notes, logs
-- test: generated column
INSERT INTO orders (customer_id, order_id, total) VALUES (1, 1, 99.99) RETURNING total, tax;
INSERT INTO orders (customer_id, order_id, total, tax) VALUES (1, 2, 5, 5);
INSERT INTO orders (customer_id, order_id, total, tax) VALUES (1, 2, 5, DEFAULT) RETURNING tax;
-- test: expressions and subqueries in VALUES
INSERT INTO accounts VALUES (800 + 1, upper('low'), (SELECT count(*) FROM regions));
INSERT INTO accounts VALUES ((SELECT max(id) + 1 FROM accounts), 'max', 1) RETURNING id;
INSERT INTO accounts VALUES (802, 'q', (SELECT balance FROM accounts WHERE id = 4)) RETURNING balance;
-- test: volatile values are evaluated once
INSERT INTO documents (title, owner) VALUES ('random key', 1);
SELECT count(*), count(DISTINCT id) FROM documents WHERE title = 'random key';
INSERT INTO documents (title, owner) SELECT 'random keys', i FROM generate_series(1, 20) i;
SELECT count(*), count(DISTINCT id) FROM documents WHERE title = 'random keys';
-- test: on conflict do nothing
INSERT INTO accounts VALUES (1, 'conflict', 1) ON CONFLICT DO NOTHING;
INSERT INTO accounts VALUES (1, 'conflict', 1), (901, 'fresh', 1), (2, 'conflict', 1) ON CONFLICT (id) DO NOTHING RETURNING id;
-- test: on conflict do update
INSERT INTO accounts VALUES (1, 'upsert', 5) ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance RETURNING *;
INSERT INTO accounts VALUES (3, 'upsert', 5), (902, 'upsert', 6), (4, 'upsert', 7) ON CONFLICT (id) DO UPDATE SET balance = excluded.balance, owner = excluded.owner WHERE accounts.id <> 4 RETURNING id, owner, balance;
INSERT INTO accounts SELECT id, 'all', 1 FROM accounts WHERE id < 8 ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + 1;
-- test: on conflict on a constraint
INSERT INTO orders (customer_id, order_id, total) VALUES (44, 4401, 7) ON CONFLICT ON CONSTRAINT orders_pkey DO UPDATE SET total = excluded.total RETURNING total, tax, revision;
-- test: on conflict with the same row twice
INSERT INTO accounts VALUES (903, 'a', 1), (903, 'b', 2) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner;
-- compare: accounts, orders, order_changes
-- test: array, json, composite and enum values
INSERT INTO customers (id, name, tags, profile, home) VALUES (1100, 'Typed', ARRAY['x', 'y z', NULL], '{"a": [1, {"b": null}]}', ROW('s', NULL)) RETURNING tags, profile, home;
INSERT INTO orders (customer_id, order_id, status, placed) VALUES (1100, 1, 'returned', 'infinity') RETURNING status, placed;
INSERT INTO devices VALUES ('it''s "odd" \ näme', NULL, NULL, '[]', '{}') RETURNING *;
SELECT * FROM devices WHERE name = 'it''s "odd" \ näme';
-- test: subscripted and field targets
INSERT INTO customers (id, name, home.city, tags[2]) VALUES (1101, 'Fields', 'Rome', 'second') RETURNING home, tags;
-- test: check constraint
INSERT INTO accounts VALUES (904, 'poor', -1);
INSERT INTO accounts VALUES (905, 'rich', 1), (906, 'poor', -1);
SELECT count(*) FROM accounts WHERE id IN (905, 906);
-- test: not null
INSERT INTO accounts VALUES (907, NULL, 1);
-- test: key missing
INSERT INTO logs (message) VALUES ('no source');
INSERT INTO accounts (owner, balance) VALUES ('no id', 1);
-- test: duplicate key
INSERT INTO accounts VALUES (1, 'dup', 1);
INSERT INTO accounts VALUES (908, 'x', 1), (1, 'dup', 1);
SELECT count(*) FROM accounts WHERE id = 908;
-- test: foreign key to a co-located table
INSERT INTO orders (customer_id, order_id) VALUES (99999, 1);
-- test: foreign key to a reference table
INSERT INTO customers (id, name, region_id) VALUES (1200, 'lost', 77);
-- test: domain
INSERT INTO documents (title, version) VALUES ('zero', 0);
-- test: trigger refuses
INSERT INTO documents (title) VALUES ('bad');
-- test: trigger changes the row
INSERT INTO documents (title) VALUES ('  padded  ') RETURNING title;
-- test: with a CTE
WITH src AS (SELECT id + 4000 AS id, owner FROM accounts WHERE id < 4) INSERT INTO accounts SELECT id, owner, 0 FROM src RETURNING id;
-- test: alias and returning expressions
INSERT INTO accounts AS a VALUES (909, 'alias', 3) RETURNING a.id + 1, (SELECT count(*) FROM regions WHERE id < 5), a.*;
-- compare: accounts, customers, orders, order_items, order_changes, events, devices, tickets, notes, logs, regions
-- test: rows stay on their nodes
INSERT INTO order_changes (customer_id, order_id, old_status) SELECT customer_id, order_id, status FROM orders WHERE total > 50;
INSERT INTO order_changes (order_id, customer_id) SELECT count(*), customer_id FROM order_items GROUP BY customer_id HAVING count(*) > 2;
INSERT INTO order_changes (customer_id, order_id) SELECT c.id, o.order_id FROM customers c JOIN orders o ON o.customer_id = c.id JOIN regions r ON r.id = c.region_id WHERE r.id < 3 RETURNING customer_id, order_id;
SELECT count(*), sum(order_id), count(old_status) FROM order_changes;
-- test: with defaults, generated columns and conversions
INSERT INTO orders (order_id, customer_id, total) SELECT 70000 + o.order_id, o.customer_id, max(o.total)::int FROM orders o GROUP BY o.customer_id, o.order_id;
SELECT count(*), sum(total), sum(tax), min(status), min(placed) FROM orders WHERE order_id >= 70000;
-- test: rows that stay, and conflicts
INSERT INTO orders (customer_id, order_id, note) SELECT customer_id, order_id, 'first' FROM orders WHERE order_id >= 70000 ON CONFLICT (customer_id, order_id) DO UPDATE SET note = 'again ' || excluded.note, revision = orders.revision + 1;
SELECT note, revision, count(*) FROM orders WHERE order_id >= 70000 GROUP BY 1, 2;
INSERT INTO orders (customer_id, order_id) SELECT customer_id, order_id FROM orders ON CONFLICT DO NOTHING;
-- test: rows that stay, from WITH
WITH big AS (SELECT customer_id, order_id, total FROM orders WHERE total > 80) INSERT INTO order_changes (customer_id, order_id) SELECT customer_id, order_id FROM big WHERE total < 120;
SELECT count(*) FROM order_changes;
-- test: a key that is computed moves the row
INSERT INTO accounts SELECT id + 20000, owner, balance FROM accounts WHERE id < 40;
SELECT count(*), min(id), max(id) FROM accounts WHERE id > 20000;
-- test: limits and windows look at all rows
INSERT INTO accounts SELECT id + 30000, owner, balance FROM (SELECT * FROM accounts ORDER BY balance DESC, id LIMIT 5) s;
INSERT INTO order_changes (customer_id, order_id) SELECT customer_id, n FROM (SELECT customer_id, rank() OVER (ORDER BY customer_id, order_id) AS n FROM orders) s WHERE n < 9;
INSERT INTO order_changes (customer_id, order_id) SELECT DISTINCT ON (status) customer_id, order_id FROM orders ORDER BY status, customer_id, order_id;
SELECT count(*), sum(customer_id) FROM order_changes;
-- test: errors in rows that stay
INSERT INTO orders (customer_id, order_id) SELECT customer_id, order_id FROM orders;
INSERT INTO orders (customer_id, order_id, total) SELECT customer_id, order_id + 900000, -1 FROM orders;
SELECT count(*) FROM orders WHERE order_id >= 900000;
-- test: rows that are not those of a table
INSERT INTO accounts SELECT g, 'left ' || coalesce(a.owner, '-'), 1 FROM generate_series(40001, 40020) g LEFT JOIN accounts a ON a.id = g;
INSERT INTO accounts SELECT g, 'in', 1 FROM generate_series(1, 50) g WHERE g IN (SELECT id FROM accounts) ON CONFLICT (id) DO UPDATE SET owner = accounts.owner || '+';
INSERT INTO accounts SELECT g + 50000, 'exists', 1 FROM generate_series(1, 50) g WHERE EXISTS (SELECT FROM accounts a WHERE a.id = g);
INSERT INTO accounts SELECT g + 60000, 'not', 1 FROM generate_series(1, 50) g WHERE NOT EXISTS (SELECT FROM accounts a WHERE a.id = g + 60000);
INSERT INTO accounts SELECT r.id + 70000, 'reference', count(a.id) FROM regions r LEFT JOIN accounts a ON a.id = r.id GROUP BY r.id;
SELECT count(*), sum(id), sum(balance), max(owner) FROM accounts;
-- test: a source that reads the table again does not see rows of the same statement
SET herd.batch_rows = 1;
INSERT INTO pairs (a, b, c) VALUES (701, 5000, 'again'), (702, 5001, 'again'), (703, 5002, 'again'), (704, (SELECT max(b) + 1 FROM pairs), 'again'),
    (705, (SELECT count(*) FROM pairs p WHERE p.c = 'again'), 'again');
SELECT a, b FROM pairs WHERE c = 'again';
INSERT INTO pairs (a, b, c) SELECT g, (SELECT count(*) FROM pairs p WHERE p.c = 'again' AND p.a > g - 900), 'more' FROM generate_series(1601, 1612) g;
SELECT a, b FROM pairs WHERE c = 'more';
RESET herd.batch_rows;
-- test: through a view, and conflicts
CREATE VIEW open_accounts AS SELECT id, owner, balance FROM accounts WHERE balance >= 0;
INSERT INTO open_accounts AS o VALUES (3, 'view', 1), (90001, 'view', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner || ' of ' || o.id, balance = excluded.balance + o.balance RETURNING id, owner;
-- test: a row in the way that the view does not show
UPDATE accounts SET balance = -5 WHERE id IN (6, 7, 8, 9);
INSERT INTO open_accounts VALUES (6, 'hidden', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner;
INSERT INTO open_accounts VALUES (7, 'hidden', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE accounts.owner = 'nobody';
INSERT INTO open_accounts AS o VALUES (8, 'hidden', 1), (90002, 'new', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE o.balance < 0;
INSERT INTO open_accounts VALUES (9, 'hidden', 1) ON CONFLICT DO NOTHING;
INSERT INTO open_accounts SELECT id, 'all', 2 FROM accounts WHERE id < 30 ON CONFLICT (id) DO UPDATE SET owner = excluded.owner;
SELECT id, owner, balance FROM accounts WHERE id < 12 ORDER BY id;
