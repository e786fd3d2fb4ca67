-- CREATE and DROP EXTENSION on a coordinator alone, what everyone may see and what not.
CREATE EXTENSION pg_herd SCHEMA public;
\echo :SQLSTATE
CREATE EXTENSION pg_herd;
CREATE EXTENSION pg_herd;
\echo :SQLSTATE
SELECT extversion, extnamespace::regnamespace, extrelocatable FROM pg_extension WHERE extname = 'pg_herd';

-- A herd of one, with a secret and an id of its own.
SELECT self_node, term, octet_length(secret), cluster_id IS NOT NULL AS has_id FROM herd.cluster;
SELECT node_id, name, is_coordinator, takes_shards, weight, shards FROM herd.nodes;
SELECT count(*) FROM herd.servers;
SELECT count(*) FROM herd.tables;
SELECT count(*) FROM herd.shards;
SELECT count(*) FROM herd.transactions;
SELECT name FROM herd.stat ORDER BY name;

-- Every object has a comment.
SELECT p.oid::regprocedure FROM pg_proc p
WHERE pronamespace = 'herd'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT c.oid::regclass FROM pg_class c
WHERE relnamespace = 'herd'::regnamespace AND relkind IN ('r', 'v') AND obj_description(c.oid, 'pg_class') IS NULL;

-- Functions for everyone (others are revoked from PUBLIC).
SELECT p.oid::regprocedure::text COLLATE "C" AS function FROM pg_proc p
WHERE pronamespace = 'herd'::regnamespace AND has_function_privilege('public', p.oid, 'EXECUTE')
ORDER BY 1;
SELECT c.oid::regclass::text COLLATE "C" AS relation FROM pg_class c
WHERE relnamespace = 'herd'::regnamespace AND relkind IN ('r', 'v') AND has_table_privilege('public', c.oid, 'SELECT')
ORDER BY 1;
SELECT c.oid::regclass FROM pg_class c
WHERE relnamespace = 'herd'::regnamespace AND has_table_privilege('public', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE');

-- A stranger.
CREATE ROLE herd_regress_visitor;
CREATE TABLE plain (id integer);
SET ROLE herd_regress_visitor;
SELECT secret FROM herd.cluster;
\echo :SQLSTATE
SELECT * FROM herd.servers;
SELECT * FROM herd.check();
SELECT * FROM herd.transactions;
SELECT herd.set_node('coordinator', takes_shards => false);
SELECT herd.add_local_node('x');
SELECT herd.remove_node('x');
SELECT herd.set_pushable('lower(text)');
SELECT herd.run_on_node('coordinator', 'SELECT 1');
SELECT herd.stat_reset();
SELECT herd.failpoint_set('x', 'error');
SELECT herd.start_supervisor();
SELECT herd.distribute('plain', 'id');
\echo :SQLSTATE
INSERT INTO herd.node VALUES (7, 'mine');
SET herd.enable_ddl_propagation = off;
SELECT name FROM herd.nodes;
RESET ROLE;

-- A monitor.
GRANT pg_monitor TO herd_regress_visitor;
SET ROLE herd_regress_visitor;
SELECT count(*) > 0 AS checked FROM herd.check();
SELECT count(*) FROM herd.transactions;
RESET ROLE;

-- Settings.
SHOW herd.probe_interval;
SET herd.probe_interval = '2s';
SHOW herd.enable_ddl_propagation;
SET herd.link = 'x';
SHOW herd.link;
SET herd.nonsense = 1;
SELECT name, unit, context FROM pg_settings WHERE name LIKE 'herd.%' ORDER BY name;

-- While no other node holds rows, the extension goes as it came.
SELECT herd.distribute('plain', 'id');
INSERT INTO plain VALUES (1), (2);
DROP EXTENSION pg_herd;
SELECT count(*) FROM plain;
SELECT herd.nodes();
\echo :SQLSTATE
CREATE EXTENSION pg_herd;
SELECT count(*) FROM herd.tables;
DROP TABLE plain;
DROP ROLE herd_regress_visitor;
DROP EXTENSION pg_herd;
