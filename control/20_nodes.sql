-- Nodes: joining, leaving, placement.

-- What a coordinator calls on its nodes.
CREATE FUNCTION herd.join_herd(cluster_id uuid, term bigint, node_id integer, secret text) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_join_herd';
COMMENT ON FUNCTION herd.join_herd(uuid, bigint, integer, text) IS
    'Internal: makes this database a node of that herd. Superusers only. Errors: HR001 when it is in a herd already';
REVOKE ALL ON FUNCTION herd.join_herd(uuid, bigint, integer, text) FROM PUBLIC;

CREATE FUNCTION herd.import_catalog(catalog text) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_import_catalog';
COMMENT ON FUNCTION herd.import_catalog(text) IS
    'Internal: replaces this node''s copy of the herd''s catalogue by the coordinator''s. Errors: HR008 outside of internal sessions, 55000 for a table that is missing here';

CREATE FUNCTION herd.add_node(
    name text, host text, port integer DEFAULT 5432, dbname text DEFAULT current_database(),
    username text DEFAULT current_user, options text DEFAULT '', takes_shards boolean DEFAULT true,
    weight double precision DEFAULT 1) RETURNS integer
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_add_node';
COMMENT ON FUNCTION herd.add_node(text, text, integer, text, text, text, boolean, double precision) IS
    'Joins a running PostgreSQL server: checks it, restores this database''s schema there, copies reference tables. options: further libpq options (sslmode, passfile, service ...), never a password. weight: its share of new shards, relative to other nodes. Returns the node''s id. Superusers only. Errors: HR001 naming all that is missing, 08001 not reachable, 42710 name taken, 22023, 25001 in a transaction that has written';
REVOKE ALL ON FUNCTION herd.add_node(text, text, integer, text, text, text, boolean, double precision) FROM PUBLIC;

CREATE FUNCTION herd.add_local_node(name text, port integer DEFAULT NULL, data_directory text DEFAULT NULL)
    RETURNS integer LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_add_local_node';
COMMENT ON FUNCTION herd.add_local_node(text, integer, text) IS
    'Makes a PostgreSQL server on this host (initdb, settings, start) and joins it. port: a free one by default; data_directory: absolute path of a new or empty directory, by default beside this server''s own, named as the node. Returns the node''s id. Superusers only. Errors: 22023 for a port or directory in use, 58000 when initdb or the start fails, and those of herd.add_node';
REVOKE ALL ON FUNCTION herd.add_local_node(text, integer, text) FROM PUBLIC;

CREATE FUNCTION herd.start_local_node(name text) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_start_local_node';
COMMENT ON FUNCTION herd.start_local_node(text) IS
    'Starts the server of a node made by herd.add_local_node, after a restart of the host for example. Superusers only. Errors: 42704 no such node, 55000 not made here, 58000 with the end of its log';
CREATE FUNCTION herd.stop_local_node(name text) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_stop_local_node';
COMMENT ON FUNCTION herd.stop_local_node(text) IS
    'Stops the server of a node made by herd.add_local_node (fast mode). Superusers only. Errors: as herd.start_local_node';
REVOKE ALL ON FUNCTION herd.start_local_node(text), herd.stop_local_node(text) FROM PUBLIC;

CREATE FUNCTION herd.set_node(name text, takes_shards boolean DEFAULT NULL, weight double precision DEFAULT NULL)
    RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_set_node';
COMMENT ON FUNCTION herd.set_node(text, boolean, double precision) IS
    'Changes whether shards may be placed on the node, and its share of them; NULL leaves as is. What is there stays. Superusers only. Errors: 42704 no such node, 22023 weight not above 0';
REVOKE ALL ON FUNCTION herd.set_node(text, boolean, double precision) FROM PUBLIC;

CREATE FUNCTION herd.remove_node(name text) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_remove_node';
COMMENT ON FUNCTION herd.remove_node(text) IS
    'Takes the node out of the herd; its database keeps its tables and becomes a herd of its own. Superusers only. Errors: 42704 no such node, 55000 while it owns shards of tables with rows';
REVOKE ALL ON FUNCTION herd.remove_node(text) FROM PUBLIC;

CREATE VIEW herd.nodes AS
    SELECT n.node_id, n.name, n.node_id = 1 AS is_coordinator, n.takes_shards, n.weight,
           (SELECT count(*) FROM herd.shard s WHERE s.node_id = n.node_id) AS shards,
           n.state, n.message, n.last_seen
    FROM herd.node n ORDER BY n.node_id;
COMMENT ON VIEW herd.nodes IS 'The herd''s nodes: shards owned, share of new shards, health as the supervisor last saw it';
GRANT SELECT ON herd.nodes TO PUBLIC;

CREATE VIEW herd.servers AS
    SELECT s.server_id, n.name AS node, s.role, s.host, s.port, s.dbname, s.username, s.options,
           s.data_directory
    FROM herd.server s JOIN herd.node n USING (node_id) ORDER BY s.server_id;
COMMENT ON VIEW herd.servers IS 'PostgreSQL servers of the herd and how they are reached; no credentials';

-- What the schema of this database is, object by object, for comparison with other servers. Left out:
-- the herd's own, what extensions bring along, and what is not the same on all servers by intent
-- (foreign tables and servers, publications, subscriptions, tablespaces, statistics targets).
CREATE FUNCTION herd.schema_objects(OUT kind text, OUT name text, OUT digest text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    WITH members AS (
        SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
    ), schemas AS (
        SELECT n.oid, nspname, nspowner, nspacl FROM pg_namespace n
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'herd')
          AND NOT EXISTS (SELECT 1 FROM members WHERE classid = 'pg_namespace'::regclass AND objid = n.oid)
    ), relations AS (
        SELECT c.* FROM pg_class c JOIN schemas s ON s.oid = relnamespace
        WHERE relpersistence <> 't' AND relkind IN ('r', 'p', 'v', 'm', 'S', 'c', 'i', 'I')
          AND NOT EXISTS (SELECT 1 FROM members WHERE classid = 'pg_class'::regclass AND objid = c.oid)
    ), objects(kind, name, definition) AS (
        SELECT 'schema', nspname::text, concat_ws(' ', pg_get_userbyid(nspowner),
               (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(nspacl) a))
        FROM schemas
        UNION ALL
        SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                            WHEN 'c' THEN 'type' ELSE 'table' END,
               c.oid::regclass::text,
               concat_ws(' ', relkind, relpersistence, pg_get_userbyid(relowner), relrowsecurity,
                   relforcerowsecurity, relispartition, pg_get_expr(relpartbound, c.oid),
                   CASE WHEN relkind = 'p' THEN pg_get_partkeydef(c.oid) END, array_to_string(reloptions, ','),
                   (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(relacl) a),
                   CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
                   (SELECT concat_ws(' ', format_type(seqtypid, NULL), seqincrement, seqmax, seqmin, seqcycle)
                    FROM pg_sequence WHERE seqrelid = c.oid),
                   (SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull,
                           attidentity, attgenerated, pg_get_expr(adbin, adrelid),
                           nullif(attcollation, 0)::regcollation,
                           (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(attacl) a)),
                           ', ' ORDER BY attnum)
                    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND relkind <> 'S'))
        FROM relations c WHERE relkind NOT IN ('i', 'I')
        UNION ALL
        SELECT 'index', c.oid::regclass::text, concat_ws(' ', pg_get_indexdef(c.oid), indisvalid)
        FROM relations c JOIN pg_index ON indexrelid = c.oid
        UNION ALL
        SELECT 'constraint', conname || ' on ' || c.oid::regclass,
               concat_ws(' ', pg_get_constraintdef(pg_constraint.oid), convalidated)
        FROM relations c JOIN pg_constraint ON conrelid = c.oid
        UNION ALL
        SELECT 'trigger', tgname || ' on ' || c.oid::regclass,
               concat_ws(' ', pg_get_triggerdef(pg_trigger.oid), tgenabled)
        FROM relations c JOIN pg_trigger ON tgrelid = c.oid WHERE NOT tgisinternal
        UNION ALL
        SELECT 'policy', polname || ' on ' || c.oid::regclass,
               concat_ws(' ', polcmd, polpermissive, pg_get_expr(polqual, polrelid),
                   pg_get_expr(polwithcheck, polrelid),
                   (SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END, ','
                           ORDER BY CASE WHEN r = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END)
                    FROM unnest(polroles) r))
        FROM relations c JOIN pg_policy ON polrelid = c.oid
        UNION ALL
        SELECT 'rule', rulename || ' on ' || c.oid::regclass, concat_ws(' ', pg_get_ruledef(pg_rewrite.oid), ev_enabled)
        FROM relations c JOIN pg_rewrite ON ev_class = c.oid WHERE rulename <> '_RETURN'
        UNION ALL
        SELECT 'function', p.oid::regprocedure::text,
               concat_ws(' ', CASE WHEN prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid)
                                   ELSE pg_get_function_result(p.oid) || prosrc END,
                   pg_get_userbyid(proowner),
                   (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(proacl) a),
                   (SELECT concat_ws(' ', aggtransfn, aggfinalfn, aggcombinefn, agginitval)
                    FROM pg_aggregate WHERE aggfnoid = p.oid))
        FROM pg_proc p JOIN schemas s ON s.oid = pronamespace
        WHERE NOT EXISTS (SELECT 1 FROM members WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
        UNION ALL
        SELECT 'type', t.oid::regtype::text,
               concat_ws(' ', typtype, pg_get_userbyid(typowner), typnotnull, typdefault,
                   format_type(nullif(typbasetype, 0), typtypmod),
                   (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
                   (SELECT string_agg(pg_get_constraintdef(k.oid), ',' ORDER BY conname)
                    FROM pg_constraint k WHERE contypid = t.oid))
        FROM pg_type t JOIN schemas s ON s.oid = typnamespace
        WHERE typtype IN ('e', 'd', 'r')
          AND NOT EXISTS (SELECT 1 FROM members WHERE classid = 'pg_type'::regclass AND objid = t.oid)
        UNION ALL
        SELECT 'collation', c.oid::regcollation::text,
               concat_ws(' ', collprovider, collisdeterministic, collcollate, collctype, colliculocale,
                         pg_collation_actual_version(c.oid))
        FROM pg_collation c JOIN schemas s ON s.oid = collnamespace
        UNION ALL
        SELECT 'operator', o.oid::regoperator::text, concat_ws(' ', oprcode, oprrest, oprjoin, oprcanhash, oprcanmerge)
        FROM pg_operator o JOIN schemas s ON s.oid = oprnamespace
        WHERE NOT EXISTS (SELECT 1 FROM members WHERE classid = 'pg_operator'::regclass AND objid = o.oid)
        UNION ALL
        SELECT 'extension', extname::text, extversion FROM pg_extension
        UNION ALL
        SELECT 'role', rolname::text, concat_ws(' ', rolsuper, rolbypassrls, rolinherit) FROM pg_roles
        WHERE rolname !~ '^pg_'
    )
    SELECT kind, name, md5(definition) FROM objects
$$;
COMMENT ON FUNCTION herd.schema_objects() IS
    'Every object of this database''s schema with a checksum of its definition; herd.check() compares them between servers';

CREATE FUNCTION herd.schema_checksum() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT md5(string_agg(concat_ws(' ', kind, name, digest), ',' ORDER BY kind, name, digest))
    FROM herd.schema_objects()
$$;
COMMENT ON FUNCTION herd.schema_checksum() IS 'One checksum of this database''s whole schema';

CREATE FUNCTION herd.check(OUT check_name text, OUT node text, OUT status text, OUT detail text, OUT hint text)
    RETURNS SETOF record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_check';
COMMENT ON FUNCTION herd.check() IS
    'Health of the whole herd, one row per check and node; status is ok, warning or error. It asks every node, and waits at most some seconds for one that does not answer. Superusers and members of pg_monitor. Errors: 55000 on a node';
REVOKE ALL ON FUNCTION herd.check() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION herd.check() TO pg_monitor;
