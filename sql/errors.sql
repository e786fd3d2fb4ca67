-- Bad arguments and states, each with its message and SQLSTATE, on a coordinator alone.
CREATE EXTENSION IF NOT EXISTS pg_herd;
CREATE TABLE orders (customer_id bigint, id bigint, total numeric, PRIMARY KEY (customer_id, id));
CREATE TABLE plain (id integer);
SELECT herd.distribute('orders', 'customer_id', shard_count => 4);

-- Tables.
SELECT herd.distribute('nowhere', 'id');
\echo :SQLSTATE
SELECT herd.distribute('orders', 'customer_id', shard_count => 8);
\echo :SQLSTATE
SELECT herd.distribute('orders', 'id');
\echo :SQLSTATE
SELECT herd.distribute('plain', 'id', shard_count => -1);
\echo :SQLSTATE
SELECT herd.distribute('plain', 'id', shard_count => NULL);
\echo :SQLSTATE
SELECT herd.distribute('plain', 'id', colocate_with => 'plain');
\echo :SQLSTATE
SELECT herd.distribute('plain', 'id', colocate_with => 'orders', shard_count => 8);
\echo :SQLSTATE
SELECT herd.collect('plain');
\echo :SQLSTATE
SELECT herd.reference('orders');
\echo :SQLSTATE
SELECT herd.shard_of('plain', '1');
\echo :SQLSTATE
SELECT herd.shard_of('orders', 'one');
\echo :SQLSTATE
SELECT herd.shard_of('orders', '99999999999999999999');
\echo :SQLSTATE
SELECT herd.node_of('orders', '');
\echo :SQLSTATE
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT herd.reference('plain');
\echo :SQLSTATE
ROLLBACK;

-- Statements that touch a table whose shards are all here are PostgreSQL's own.
UPDATE orders SET customer_id = 2 WHERE customer_id = 1;
SELECT ctid FROM orders;
EXPLAIN (COSTS OFF) SELECT count(*) FROM orders;

-- Definitions.
ALTER TABLE orders DROP COLUMN customer_id;
\echo :SQLSTATE
ALTER TABLE orders ALTER COLUMN customer_id TYPE text;
\echo :SQLSTATE
CREATE UNIQUE INDEX ON orders (id);
\echo :SQLSTATE
ALTER TABLE orders SET UNLOGGED;
\echo :SQLSTATE
ALTER TABLE plain ADD PRIMARY KEY (id);
ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES plain;
\echo :SQLSTATE
CREATE RULE nothing AS ON DELETE TO orders DO INSTEAD NOTHING;
\echo :SQLSTATE
CREATE TABLE heir () INHERITS (orders);
\echo :SQLSTATE

-- Nodes.
SELECT herd.add_node('', 'localhost');
\echo :SQLSTATE
SELECT herd.add_node('x', 'localhost', 65536);
\echo :SQLSTATE
SELECT herd.add_node('x', 'localhost', weight => 0);
\echo :SQLSTATE
SELECT herd.add_node('x', 'localhost', weight => 'NaN');
\echo :SQLSTATE
SELECT herd.add_node('x', 'localhost', options => 'sslpassword=secret');
\echo :SQLSTATE
SELECT herd.add_node('x', 'localhost', options => 'user=me');
\echo :SQLSTATE
SELECT herd.add_node('x', 'localhost', options => 'nonsense');
\echo :SQLSTATE
BEGIN;
INSERT INTO plain VALUES (1);
SELECT herd.add_node('x', 'localhost');
\echo :SQLSTATE
ROLLBACK;
SELECT herd.add_local_node('a/b');
\echo :SQLSTATE
SELECT herd.add_local_node('x', data_directory => 'relative');
\echo :SQLSTATE
SELECT herd.add_local_node('coordinator');
\echo :SQLSTATE
SELECT herd.start_local_node('nobody');
\echo :SQLSTATE
SELECT herd.stop_local_node('coordinator');
\echo :SQLSTATE
SELECT herd.set_node('nobody', weight => 2);
\echo :SQLSTATE
SELECT herd.set_node('coordinator', weight => -1);
\echo :SQLSTATE
SELECT herd.set_node(NULL);
\echo :SQLSTATE
SELECT herd.remove_node('nobody');
\echo :SQLSTATE
SELECT herd.remove_node('coordinator');
\echo :SQLSTATE
SELECT herd.run_on_node('nobody', 'SELECT 1');
\echo :SQLSTATE
SELECT herd.run_on_node('coordinator', 'SELECT 1');
\echo :SQLSTATE

-- Failpoints.
SELECT herd.failpoint_set('commit.before_prepare', 'explode');
\echo :SQLSTATE
SELECT herd.failpoint_set('', 'error');
\echo :SQLSTATE
SELECT herd.failpoint_clear('no.such.place');

-- What only servers of a herd call.
SELECT herd.link_state('postgres');
\echo :SQLSTATE
SELECT herd.link_snapshot(1);
SELECT herd.link_ddl('public', 'SELECT 1', false);
SELECT herd.link_explain(true);
SELECT herd.import_catalog('{}');
SELECT * FROM herd.remote_rows(1) AS r (a integer);
SELECT * FROM herd.kept_conflicts(1) AS k (a integer);
SELECT herd.keep_conflict(1, '(0,1)', 1, ROW(1), ROW(2), '1');
\echo :SQLSTATE
SELECT herd.join_herd(gen_random_uuid(), 1, 1, 'x');
\echo :SQLSTATE

-- WHERE CURRENT OF: rows that are none, cursors that are none.
SELECT herd.row_place('nonsense');
\echo :SQLSTATE
SELECT herd.row_table('1 (0,1)');
\echo :SQLSTATE
SELECT herd.cursor_row('nowhere', 'herd.node'::regclass);
\echo :SQLSTATE

DROP TABLE orders, plain;
DROP EXTENSION pg_herd;
