-- Tables of a coordinator without further nodes: what is refused, and how; what the views show.
CREATE EXTENSION pg_herd;
\set VERBOSITY default

-- Keys.
CREATE TYPE color AS ENUM ('red', 'green');
CREATE DOMAIN positive AS integer CHECK (value > 0);
CREATE TABLE kinds (id integer, c color, cs color[], j json, twice integer GENERATED ALWAYS AS (id * 2) STORED,
                    p point, r regclass, f float8, t timestamptz, d positive);
SELECT herd.distribute('kinds', 'c');
\echo :SQLSTATE
SELECT herd.distribute('kinds', 'cs');
SELECT herd.distribute('kinds', 'j');
SELECT herd.distribute('kinds', 'p');
SELECT herd.distribute('kinds', 'r');
SELECT herd.distribute('kinds', 'twice');
SELECT herd.distribute('kinds', 'nothing');
\echo :SQLSTATE
SELECT herd.distribute('kinds', 'ctid');
SELECT herd.distribute('kinds', NULL);
\echo :SQLSTATE
SELECT herd.distribute('kinds', 'id', shard_count => 0);
\echo :SQLSTATE
SELECT herd.distribute('kinds', 'id', shard_count => 65537);
SELECT herd.distribute(0, 'id');
\echo :SQLSTATE

-- Tables.
CREATE TEMP TABLE passing (id integer);
SELECT herd.distribute('passing', 'id');
CREATE UNLOGGED TABLE careless (id integer);
SELECT herd.distribute('careless', 'id');
SELECT herd.reference('careless');
CREATE VIEW seen AS SELECT 1 AS id;
SELECT herd.distribute('seen', 'id');
SELECT herd.distribute('pg_class', 'oid');
SELECT herd.distribute('herd.node', 'node_id');
CREATE TABLE mother (id integer);
CREATE TABLE daughter () INHERITS (mother);
SELECT herd.distribute('mother', 'id');
SELECT herd.distribute('daughter', 'id');
CREATE TABLE ruled (id integer);
CREATE RULE nothing AS ON DELETE TO ruled DO INSTEAD NOTHING;
SELECT herd.distribute('ruled', 'id');

-- Constraints.
CREATE TABLE numbered (id integer PRIMARY KEY, tenant integer NOT NULL, mail text UNIQUE);
SELECT herd.distribute('numbered', 'tenant');
SELECT herd.distribute('numbered', 'id');
ALTER TABLE numbered DROP CONSTRAINT numbered_mail_key;
CREATE UNIQUE INDEX numbered_mail ON numbered (lower(mail));
SELECT herd.distribute('numbered', 'id');
DROP INDEX numbered_mail;
CREATE TABLE booked (room integer, during int4range, EXCLUDE USING gist (during WITH &&));
SELECT herd.distribute('booked', 'room');

-- Partitions.
CREATE TABLE parted (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parted_2 (day date, id bigint UNIQUE);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
SELECT herd.distribute('parted_1', 'id');
SELECT herd.distribute('parted', 'day');
SELECT herd.distribute('parted', 'id', shard_count => 4);
SELECT herd.collect('parted_1');
SELECT herd.shard_of('parted_2', '42') = herd.shard_of('parted', '42') AS same;

-- Foreign keys.
CREATE TABLE countries (code text PRIMARY KEY);
CREATE TABLE customers (id bigint PRIMARY KEY, country text REFERENCES countries);
CREATE TABLE orders (customer integer REFERENCES customers, id integer, PRIMARY KEY (customer, id));
CREATE TABLE lines (customer integer, order_id integer, line integer,
                    PRIMARY KEY (customer, order_id, line),
                    FOREIGN KEY (customer, order_id) REFERENCES orders);
SELECT herd.distribute('customers', 'id');
SELECT herd.distribute('orders', 'customer');
SELECT herd.reference('customers');
SELECT herd.reference('countries');
SELECT herd.reference('countries');
SELECT herd.distribute('customers', 'country');
SELECT herd.distribute('customers', 'id', shard_count => 4);
SELECT herd.distribute('orders', 'customer', colocate_with => 'customers');
SELECT herd.distribute('orders', 'customer');
SELECT herd.distribute('orders', 'customer', colocate_with => 'countries');
\echo :SQLSTATE
SELECT herd.collect('countries');
CREATE TABLE notes (customer text, body text);
SELECT herd.distribute('notes', 'customer', colocate_with => 'customers');
SELECT herd.distribute('notes', 'customer', colocate_with => 'countries');
SELECT table_name, kind, key, shards FROM herd.tables ORDER BY table_name::text;
SELECT hash_min, hash_max, node, tables FROM herd.shards WHERE 'orders'::regclass = ANY (tables);

-- Keys as text.
SELECT herd.node_of('customers', '17'), herd.node_of('customers', NULL);
SELECT herd.shard_of('customers', 'seventeen');
SELECT herd.shard_of('countries', 'de');
\echo :SQLSTATE

-- Back again.
SELECT herd.collect('lines');
SELECT herd.collect('countries');
SELECT herd.collect('countries');
\echo :SQLSTATE
SELECT table_name, kind FROM herd.tables;

-- Who may.
CREATE ROLE herd_regress_stranger;
SET ROLE herd_regress_stranger;
SELECT herd.distribute('customers', 'id');
\echo :SQLSTATE
SELECT herd.collect('parted');
SELECT herd.add_node('x', 'localhost');
\echo :SQLSTATE
SELECT count(*) FROM herd.shards;
RESET ROLE;

-- Nodes, as far as one server goes.
SELECT node_id, name, is_coordinator, takes_shards, weight FROM herd.nodes;
SELECT herd.set_node('coordinator', takes_shards => false);
SELECT herd.distribute('customers', 'id');
\echo :SQLSTATE
SELECT herd.set_node('coordinator', takes_shards => true, weight => 'infinity');
SELECT herd.set_node('nobody');
\echo :SQLSTATE
SELECT herd.remove_node('coordinator');
SELECT herd.add_node('x', 'localhost', options => 'password=secret');
\echo :SQLSTATE
SELECT herd.add_node('x', 'localhost', options => 'nonsense=1');
SELECT herd.add_node('x', '', 1);
SELECT herd.add_node('x', 'localhost', 0);
SELECT herd.add_node('coordinator', 'localhost');
\echo :SQLSTATE
SELECT herd.import_catalog('{}');
\echo :SQLSTATE
SELECT check_name, node, status, detail FROM herd.check() WHERE check_name <> 'supervisor';
DROP ROLE herd_regress_stranger;
