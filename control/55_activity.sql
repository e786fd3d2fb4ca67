-- The whole herd as pg_stat_activity and pg_locks show one server.
CREATE FUNCTION herd.activity_everywhere(
    OUT node text, OUT distributed_id text, OUT datid oid, OUT datname name, OUT pid integer,
    OUT leader_pid integer, OUT usesysid oid, OUT usename name, OUT application_name text,
    OUT client_addr inet, OUT client_hostname text, OUT client_port integer,
    OUT backend_start timestamptz, OUT xact_start timestamptz, OUT query_start timestamptz,
    OUT state_change timestamptz, OUT wait_event_type text, OUT wait_event text, OUT state text,
    OUT backend_xid xid, OUT backend_xmin xid, OUT query_id bigint, OUT query text,
    OUT backend_type text) RETURNS SETOF record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_activity_everywhere';
COMMENT ON FUNCTION herd.activity_everywhere() IS
    'What herd.activity shows: asks every node over a connection of its own, as the caller''s role; a WARNING for each node that does not answer';
CREATE VIEW herd.activity AS SELECT * FROM herd.activity_everywhere();
COMMENT ON VIEW herd.activity IS
    'pg_stat_activity of every server of the herd, with the node and the distributed transaction that a process works for';
GRANT SELECT ON herd.activity TO PUBLIC;

CREATE FUNCTION herd.locks_everywhere(
    OUT node text, OUT distributed_id text, OUT locktype text, OUT database oid, OUT relation oid,
    OUT relation_name text, OUT page integer, OUT tuple smallint, OUT virtualxid text,
    OUT transactionid xid, OUT classid oid, OUT objid oid, OUT objsubid smallint,
    OUT virtualtransaction text, OUT pid integer, OUT gid text, OUT mode text, OUT granted boolean,
    OUT fastpath boolean, OUT waitstart timestamptz) RETURNS SETOF record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_locks_everywhere';
COMMENT ON FUNCTION herd.locks_everywhere() IS
    'What herd.locks shows: asks every node over a connection of its own; a WARNING for each node that does not answer';
CREATE VIEW herd.locks AS SELECT * FROM herd.locks_everywhere();
COMMENT ON VIEW herd.locks IS
    'pg_locks of every server of the herd, with the node, the distributed transaction that holds or wants the lock, the relation''s name there, and the gid where it is prepared';
GRANT SELECT ON herd.locks TO PUBLIC;

CREATE FUNCTION herd.cancel(distributed_id text) RETURNS boolean
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_cancel';
COMMENT ON FUNCTION herd.cancel(text) IS
    'Cancels what a distributed transaction runs now, on whatever server; who may is as for pg_cancel_backend; false with a WARNING when there is no such transaction. Errors: 22023 when it is not the id of one, 42501';
