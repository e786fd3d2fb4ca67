-- The contract of what shows the whole herd at work: columns, volatility, privileges, errors.
BEGIN;
SET client_min_messages = warning;
SELECT plan(20);

SELECT has_function('herd', f.name, f.arguments::text[])
FROM (VALUES ('activity_everywhere', '{}'), ('locks_everywhere', '{}'), ('cancel', '{text}')) AS f(name, arguments);
SELECT is(pg_get_function_arguments('herd.cancel'::regproc), 'distributed_id text', 'cancel: arguments');
SELECT is(pg_get_function_result('herd.cancel'::regproc), 'boolean', 'cancel: result');
SELECT volatility_is('herd'::name, f::name, 'volatile', f || ' is volatile')
FROM unnest('{activity_everywhere,locks_everywhere,cancel}'::text[]) f;

-- PostgreSQL's own views, with more in front of their columns or between them.
SELECT is(
    (SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = 'herd.activity'::regclass AND attnum > 2),
    (SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = 'pg_stat_activity'::regclass AND attnum > 0),
    'herd.activity has the columns of pg_stat_activity');
SELECT is(
    (SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = 'herd.locks'::regclass AND attnum > 2 AND attname NOT IN ('relation_name', 'gid')),
    (SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = 'pg_locks'::regclass AND attnum > 0),
    'herd.locks has the columns of pg_locks');
SELECT is(
    (SELECT string_agg(attname || ' ' || atttypid::regtype, ', ' ORDER BY attnum) FROM pg_attribute
     WHERE attrelid = ('herd.' || v)::regclass AND attnum IN (1, 2)),
    'node text, distributed_id text', v || ' begins with the node and the distributed transaction')
FROM unnest('{activity,locks}'::text[]) v;
SELECT col_type_is('herd', 'locks', c, 'text', c || ' is text') FROM unnest('{relation_name,gid}'::name[]) c;

CREATE ROLE herd_activity_user;
SELECT ok(has_table_privilege('herd_activity_user', 'herd.' || v, 'SELECT'), v || ' is for everyone')
FROM unnest('{activity,locks}'::text[]) v;
SELECT ok(has_function_privilege('herd_activity_user', 'herd.cancel(text)', 'EXECUTE'), 'cancel is for everyone');

SELECT is((SELECT count(*) FROM herd.activity), (SELECT count(*) FROM pg_stat_activity),
          'a coordinator alone shows its own activity');
SELECT throws_ok(format('SELECT herd.cancel(%L)', id), '22023',
                 format('"%s" is not the id of a distributed transaction', id), id || ' is no id')
FROM unnest('{12,1:4/27x}'::text[]) id;

SELECT * FROM finish();
ROLLBACK;
