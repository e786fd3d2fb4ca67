-- The contract of the functions about nodes and tables: signatures, defaults, volatility, privileges.
BEGIN;
SET client_min_messages = warning;
SELECT plan(60);

SELECT has_function('herd', f.name, f.arguments::text[])
FROM (VALUES
    ('add_node', '{text,text,integer,text,text,text,boolean,double precision}'),
    ('add_local_node', '{text,integer,text}'),
    ('start_local_node', '{text}'),
    ('stop_local_node', '{text}'),
    ('set_node', '{text,boolean,double precision}'),
    ('remove_node', '{text}'),
    ('check', '{}'),
    ('distribute', '{regclass,text,regclass,integer}'),
    ('reference', '{regclass}'),
    ('collect', '{regclass}'),
    ('shard_of', '{regclass,text}'),
    ('node_of', '{regclass,text}'),
    ('node_sizes', '{}'),
    ('owns_row', '{regclass,"\"any\""}')) AS f(name, arguments);

SELECT is(pg_get_function_arguments(('herd.' || f.name)::regproc), f.arguments, f.name || ': arguments')
FROM (VALUES
    ('add_node', 'name text, host text, port integer DEFAULT 5432, dbname text DEFAULT current_database(), '
                 'username text DEFAULT CURRENT_USER, options text DEFAULT ''''::text, '
                 'takes_shards boolean DEFAULT true, weight double precision DEFAULT 1'),
    ('add_local_node', 'name text, port integer DEFAULT NULL::integer, data_directory text DEFAULT NULL::text'),
    ('set_node', 'name text, takes_shards boolean DEFAULT NULL::boolean, '
                 'weight double precision DEFAULT NULL::double precision'),
    ('distribute', '"table" regclass, key text, colocate_with regclass DEFAULT NULL::regclass, '
                   'shard_count integer DEFAULT 64'),
    ('check', 'OUT check_name text, OUT node text, OUT status text, OUT detail text, OUT hint text'))
    AS f(name, arguments);

SELECT is(pg_get_function_result(('herd.' || f.name)::regproc), f.result, f.name || ': result')
FROM (VALUES ('add_node', 'integer'), ('add_local_node', 'integer'), ('distribute', 'void'),
             ('shard_of', 'bigint'), ('node_of', 'text')) AS f(name, result);

SELECT volatility_is('herd'::name, f.name::name, f.volatility, f.name || ' is ' || f.volatility)
FROM (VALUES ('add_node', 'volatile'), ('distribute', 'volatile'), ('collect', 'volatile'),
             ('check', 'volatile'), ('shard_of', 'stable'), ('node_of', 'stable'),
             ('schema_objects', 'stable'), ('owns_row', 'stable')) AS f(name, volatility);

-- Who may call what.
CREATE ROLE herd_contract_user;
SELECT is(has_function_privilege('herd_contract_user', p.oid, 'EXECUTE'),
          proname IN ('distribute', 'reference', 'collect', 'shard_of', 'node_of', 'node_sizes', 'owns_row'),
          proname || ': right of an ordinary user')
FROM pg_proc p
WHERE pronamespace = 'herd'::regnamespace
  AND proname IN ('add_node', 'add_local_node', 'start_local_node', 'stop_local_node', 'set_node',
                  'remove_node', 'join_herd', 'check', 'distribute', 'reference', 'collect', 'shard_of',
                  'node_of', 'node_sizes', 'owns_row')
ORDER BY proname;
SELECT ok(has_function_privilege('pg_monitor', 'herd.check()', 'EXECUTE'), 'pg_monitor may check');
SELECT ok(has_table_privilege('herd_contract_user', 'herd.' || v, 'SELECT'), v || ' is for everyone')
FROM unnest('{nodes,tables,shards}'::text[]) v;
SELECT ok(NOT has_table_privilege('herd_contract_user', 'herd.' || v, 'SELECT'), v || ' is not for everyone')
FROM unnest('{servers,server,cluster}'::text[]) v;
SELECT ok(NOT has_table_privilege('herd_contract_user', 'herd.shard', 'INSERT,UPDATE,DELETE,TRUNCATE'),
          'nobody writes the catalogue by hand');

SELECT columns_are('herd', 'nodes', '{node_id,name,is_coordinator,takes_shards,weight,shards,state,message,last_seen}'::name[]);
SELECT columns_are('herd', 'tables', '{table_name,kind,key,group_id,shards,rows_estimate,size}'::name[]);
SELECT columns_are('herd', 'shards', '{shard_id,group_id,hash_min,hash_max,node,tables,rows_estimate,size}'::name[]);

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'herd'::regnamespace
    AND obj_description(p.oid, 'pg_proc') IS NULL $$, 'every function has a comment');
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = prolang
    WHERE pronamespace = 'herd'::regnamespace AND lanname IN ('sql', 'plpgsql')
    AND NOT coalesce(proconfig::text ~ 'search_path', false) $$, 'no SQL function trusts the caller''s search_path');

SELECT * FROM finish();
ROLLBACK;
