-- SET in all its forms: what nodes get must be what was written.

-- test: several columns from a subquery, in another order than the table's
UPDATE customers SET (email, name) = (SELECT 'the email', 'the name') WHERE id = 43 RETURNING name, email;
UPDATE customers SET (email, region_id, name) = (SELECT 'the email', 2, 'the name') WHERE id = 44 RETURNING name, email, region_id;
UPDATE customers SET region_id = 1, (score, name) = (SELECT max(o.total), 'x' FROM orders o WHERE o.customer_id = customers.id), email = 'mail', (profile, balance) = (SELECT '{}'::jsonb, 7) WHERE id IN (45, 46, 47) RETURNING *;
UPDATE customers SET (email, name) = (SELECT 'the email', 'the name');
UPDATE regions SET (continent, name) = (SELECT 'the continent ' || id, 'the name ' || id);
INSERT INTO customers (id, name, region_id) VALUES (43, 'n', 1) ON CONFLICT (id) DO UPDATE SET (email, name) = (SELECT 'conflict', excluded.name);
INSERT INTO customers (id, name, region_id) VALUES (43, 'n', 1) ON CONFLICT (id) DO UPDATE SET (email, region_id, name) = ROW('row', 3, excluded.name);
MERGE INTO customers c USING (VALUES (47)) v(id) ON c.id = 47 AND v.id = 47 WHEN MATCHED THEN UPDATE SET (email, name) = (SELECT 'merged', 'by merge');
WITH u AS (UPDATE customers SET (email, name) = (SELECT 'in', 'with') WHERE id = 48 RETURNING email, name) SELECT * FROM u;
-- test: several parts of one column
UPDATE customers SET home.city = 'a city', home.street = 'a street' WHERE id = 50 RETURNING home;
UPDATE customers SET tags[1] = 'one', tags[2] = 'two' WHERE id = 50 RETURNING tags;
UPDATE customers SET tags[2] = 'one', tags[1] = 'two', tags[3] = tags[1] WHERE id = 51 RETURNING tags;
UPDATE customers SET profile['a'] = '1', profile['b'] = '2' WHERE id = 52 RETURNING profile;
UPDATE customers SET (home.street, home.city) = (SELECT 'street', 'city') WHERE id = 53 RETURNING home;
UPDATE customers SET (tags[2], email, tags[1]) = (SELECT 'two', 'mail', 'one') WHERE id = 54 RETURNING tags, email;
UPDATE customers SET home.city = 'everywhere', home.street = 'long', tags[1] = 'a', tags[2] = 'b';
INSERT INTO customers (id, name, home.city, home.street, tags[1], tags[2]) VALUES (70001, 'parts', 'c', 's', 'one', 'two') RETURNING home, tags;
INSERT INTO customers (id, name) VALUES (70001, 'parts') ON CONFLICT (id) DO UPDATE SET home.city = 'city', home.street = 'street', tags[2] = 'x', tags[1] = 'y';
MERGE INTO customers c USING (VALUES (47)) v(id) ON c.id = 47 AND v.id = 47 WHEN MATCHED THEN UPDATE SET home.city = 'merged', home.street = 'by merge';
-- compare: customers, regions
-- test: parts of a column in an INSERT that stays on the nodes
INSERT INTO orders (customer_id, order_id, note) SELECT customer_id, order_id + 90000, note FROM orders WHERE customer_id < 9;
INSERT INTO customers (id, name, home.city, home.street, tags[2], tags[1]) SELECT id, name || ' again', 'c' || id, 's', 'two', 'one' FROM customers WHERE id BETWEEN 60 AND 70 ON CONFLICT (id) DO UPDATE SET home.city = excluded.name, home.street = (excluded.home).city, tags[3] = 'three', (tags[1], name) = (SELECT 'first', 'second');
-- test: parts of domains and of nested composites
CREATE DOMAIN words AS text[] CHECK (VALUE[1] <> 'no');
CREATE TYPE place AS (spot address, marks int[]);
CREATE TABLE placed (id int PRIMARY KEY, names words, at place, all_of place[]);
INSERT INTO placed SELECT n, ARRAY['yes', n::text], ROW(ROW('s', 'c'), ARRAY[n, 2]), ARRAY[ROW(ROW('s', 'c'), ARRAY[n])::place] FROM generate_series(1, 30) n;
SELECT herd.distribute('placed', 'id');
UPDATE placed SET names[1] = 'one', names[2] = 'two' WHERE id = 4 RETURNING *;
UPDATE placed SET names[2] = 'one', names[1] = 'no' WHERE id = 4 RETURNING *;
UPDATE placed SET at.spot.city = 'city', at.marks[2] = 7, at.spot.street = 'street', at.marks[1] = id WHERE id = 5 RETURNING *;
UPDATE placed SET all_of[1].spot.city = 'deep', all_of[1].marks[2] = 3, all_of[2].spot.street = 'second' WHERE id = 6 RETURNING *;
UPDATE placed SET (at.spot.city, names[2], at.marks[1], at.spot.street) = (SELECT 'a', 'b', 5, 'd'), names[3] = 'e';
-- compare: customers, orders, placed
