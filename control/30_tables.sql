-- Tables: distributed, reference, and back to ordinary ones.
CREATE FUNCTION herd.distribute("table" regclass, key text, colocate_with regclass DEFAULT NULL,
                                shard_count integer DEFAULT 64) RETURNS void
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_distribute';
COMMENT ON FUNCTION herd.distribute(regclass, text, regclass, integer) IS
    'Makes the table a distributed one, its rows placed by the column key. Rows that exist stay on the coordinator; an empty table''s shards are spread over the nodes. colocate_with: share that table''s shards, so that equal keys are on one node. shard_count: 1 to 65536, for a group of its own. Local tables whose foreign keys reference the table''s key follow it. Owner of the table only. Errors: HR002 with the reason and the way out, 42703, 42501, 22023, 55000';

CREATE FUNCTION herd.reference("table" regclass) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_reference';
COMMENT ON FUNCTION herd.reference(regclass) IS
    'Makes the table a reference table: every node gets a copy of its rows, now and from now on. Owner of the table only. Errors: HR002 with the reason and the way out, 42501';

CREATE FUNCTION herd.collect("table" regclass) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_collect';
COMMENT ON FUNCTION herd.collect(regclass) IS
    'Makes a distributed or reference table an ordinary one again: all rows come to the coordinator, those on the nodes are deleted. Tables tied to it by foreign keys come along. Owner of the table only. Errors: HR002, 42501, 55000 for a table that is neither';

CREATE FUNCTION herd.shard_of("table" regclass, key text) RETURNS bigint
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'herd_shard_of';
COMMENT ON FUNCTION herd.shard_of(regclass, text) IS
    'The id of the shard where rows with the key belong; key is the text of a value of the key''s type, NULL for a NULL key. Errors: 55000 for a table that is not distributed, the type''s own for bad text';

CREATE FUNCTION herd.node_of("table" regclass, key text) RETURNS text
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'herd_node_of';
COMMENT ON FUNCTION herd.node_of(regclass, text) IS
    'The name of the node where rows with the key belong; arguments and errors as herd.shard_of';

CREATE FUNCTION herd.node_sizes(OUT relation regclass, OUT node_id integer, OUT rows_estimate bigint,
                                OUT size bigint) RETURNS SETOF record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_node_sizes';
COMMENT ON FUNCTION herd.node_sizes() IS
    'Rows (estimated from statistics) and bytes (with indexes) of each distributed and reference table on each node; NULL for a node that does not answer';

CREATE VIEW herd.tables AS
    SELECT t.relation AS table_name,
           CASE t.kind WHEN 'd' THEN 'distributed' ELSE 'reference' END AS kind,
           (SELECT attname FROM pg_catalog.pg_attribute
            WHERE attrelid = t.relation AND attnum = t.key_attnum)::text AS key,
           t.group_id,
           (SELECT count(*) FROM herd.shard s WHERE s.group_id = t.group_id) AS shards,
           CASE t.kind WHEN 'd' THEN sizes.rows_everywhere ELSE sizes.rows_here END AS rows_estimate,
           sizes.size
    FROM herd.distributed_table t
    LEFT JOIN (SELECT relation,
                      CASE WHEN count(rows_estimate) = count(*) THEN sum(rows_estimate)::bigint END AS rows_everywhere,
                      max(rows_estimate) FILTER (WHERE node_id = 1) AS rows_here,
                      CASE WHEN count(n.size) = count(*) THEN sum(n.size)::bigint END AS size
               FROM herd.node_sizes() n GROUP BY relation) sizes USING (relation);
COMMENT ON VIEW herd.tables IS
    'Distributed and reference tables. rows_estimate: from statistics, of all nodes together, or of one copy of a reference table; size: bytes on all nodes with indexes. Both are NULL while a node does not answer';
GRANT SELECT ON herd.tables TO PUBLIC;

CREATE VIEW herd.shards AS
    SELECT s.shard_id, s.group_id, s.hash_min, s.hash_max, n.name AS node,
           (SELECT array_agg(t.relation ORDER BY t.relation) FROM herd.distributed_table t
            WHERE t.group_id = s.group_id) AS tables,
           round(sizes.rows_estimate * s.width / nullif(owned.width, 0))::bigint AS rows_estimate,
           round(sizes.size * s.width / nullif(owned.width, 0))::bigint AS size
    FROM (SELECT *, hash_max::numeric - hash_min + 1 AS width FROM herd.shard) s
    JOIN herd.node n USING (node_id)
    LEFT JOIN (SELECT group_id, node_id, sum(hash_max::numeric - hash_min + 1) AS width
               FROM herd.shard GROUP BY group_id, node_id) owned USING (group_id, node_id)
    LEFT JOIN (SELECT t.group_id, z.node_id,
                      CASE WHEN count(z.rows_estimate) = count(*) THEN sum(z.rows_estimate) END AS rows_estimate,
                      CASE WHEN count(z.size) = count(*) THEN sum(z.size) END AS size
               FROM herd.node_sizes() z JOIN herd.distributed_table t USING (relation)
               WHERE t.kind = 'd' GROUP BY t.group_id, z.node_id) sizes USING (group_id, node_id)
    ORDER BY s.group_id, s.hash_min;
COMMENT ON VIEW herd.shards IS
    'Each shard''s range of hashes, its node, and its part of the node''s rows and bytes, estimated by the width of its range; NULL while the node does not answer';
GRANT SELECT ON herd.shards TO PUBLIC;
