-- COPY in both directions.

-- test: from, text
COPY accounts (id, owner, balance) FROM STDIN;
601	copied	5
602	with\ttab	6
603	back\\slash	7
604	naïve	8
605	\N	9
\.
COPY accounts (id, owner, balance) FROM STDIN;
601	copied	5
602	with\ttab	6
603	back\\slash	7
604	naïve	8
605	new\nline	9
\.
-- test: from, csv with a header and columns in another order
COPY accounts (balance, id, owner) FROM STDIN (FORMAT csv, HEADER);
balance,id,owner
10,611,"quoted, with comma"
11,612,"quote "" inside"
12,613,plain
\.
-- test: from, other delimiter and null
COPY customers (id, name, email, tags) FROM STDIN (DELIMITER '|', NULL 'nil');
2001|Pipe|nil|{a,b}
2002|Piper|p@x|nil
2003|Sax|\||{}
\.
-- test: from, key missing in the columns
COPY notes (body) FROM STDIN;
copied without id
another
third
\.
-- test: from, serial
COPY logs (source, message) FROM STDIN;
copy1	m1
copy2	m2
\.
-- test: from, identity always
COPY tickets (project, title) FROM STDIN;
1	copied
2	copied too
\.
-- test: from, text key
COPY devices FROM STDIN;
copied-1	m	1	{"a": 1}	{1,2}
copied 2	m	\N	null	{}
\.
-- test: from, uuid key
COPY documents (id, title, valid, stamp) FROM STDIN;
11111111-1111-1111-1111-111111111111	one	[2024-01-01,2024-02-01)	\\x0102
22222222-2222-2222-2222-222222222222	two	empty	\N
\.
-- test: from, partitioned table
COPY events (device, at, seq) FROM STDIN;
dev-1	2024-02-03 00:00:00+00	91001
dev-2	2024-05-03 00:00:00+00	91002
dev-3	2029-05-03 00:00:00+00	91003
\.
-- test: from, triggers fire
COPY orders (customer_id, order_id, status, total) FROM STDIN;
1	900	paid	12.50
2	900	sent	13
3	900	new	14
\.
-- test: from, reference table
COPY regions FROM STDIN;
50	Copied	\N
51	Copied too	Asia
\.
-- test: from, local table
COPY local_notes FROM STDIN;
500	1	copied
\.
-- compare: accounts, customers, notes, logs, tickets, devices, documents, events, orders, order_changes, regions, local_notes
-- test: from, duplicate key keeps nothing
COPY accounts (id, owner, balance) FROM STDIN;
701	x	1
702	x	1
1	dup	1
703	x	1
\.
SELECT count(*) FROM accounts WHERE id > 700;
-- test: from, check violation keeps nothing
COPY accounts (id, owner, balance) FROM STDIN;
711	x	1
712	x	-1
\.
-- test: from, bad value
COPY accounts (id, owner, balance) FROM STDIN;
721	x	1
722	x	many
\.
-- test: from, bad key
COPY accounts (id, owner, balance) FROM STDIN;
731	x	1
seven	x	1
\.
-- test: from, missing column
COPY accounts (id, owner, balance) FROM STDIN;
741	x
\.
-- test: from, too many columns
COPY accounts (id, owner, balance) FROM STDIN;
751	x	1	more
\.
-- test: from, NULL key
COPY accounts (id, owner, balance) FROM STDIN;
\N	x	1
\.
-- test: from, foreign key violation
COPY orders (customer_id, order_id) FROM STDIN;
1	950
987654	1
\.
-- test: from, no rows
COPY accounts (id, owner, balance) FROM STDIN;
\.
-- test: from, with a condition
COPY accounts (id, owner, balance) FROM STDIN WHERE balance > 5;
761	x	1
762	x	9
763	x	10
\.
-- compare: accounts, orders
-- test: from in a transaction that rolls back
BEGIN;
COPY accounts (id, owner, balance) FROM STDIN;
771	x	1
772	x	1
773	x	1
\.
SELECT count(*) FROM accounts WHERE id > 770;
ROLLBACK;
SELECT count(*) FROM accounts WHERE id > 770;
-- test: to, whole table
COPY accounts TO STDOUT;
-- test: to, csv with a header
COPY accounts TO STDOUT (FORMAT csv, HEADER);
-- test: to, columns
COPY customers (id, tags, home, profile) TO STDOUT;
-- test: to, query
COPY (SELECT id, name FROM customers WHERE id < 20 ORDER BY id) TO STDOUT;
-- test: to, aggregate
COPY (SELECT status, count(*) FROM orders GROUP BY status ORDER BY status) TO STDOUT (FORMAT csv);
-- test: to, at one key
COPY (SELECT * FROM orders WHERE customer_id = 43) TO STDOUT;
-- test: to, reference table
COPY regions TO STDOUT;
-- test: to, partitioned table as a query
COPY (SELECT device, seq FROM events WHERE seq < 20) TO STDOUT;
-- test: to, returning
COPY (UPDATE accounts SET balance = balance + 1 WHERE id IN (1, 2, 3) RETURNING id, balance) TO STDOUT;
-- test: to, empty table
COPY nothing TO STDOUT;
-- test: from, freeze is accepted where PostgreSQL accepts it
COPY nothing FROM STDIN;
1	a
2	b
3	c
4	d
\.
COPY nothing TO STDOUT;
