-- The supervisor, and what it knows about transactions.
CREATE FUNCTION herd.run_on_node(node text, command text) RETURNS SETOF text
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_run_on_node';
REVOKE ALL ON FUNCTION herd.run_on_node(text, text) FROM PUBLIC;
COMMENT ON FUNCTION herd.run_on_node(text, text) IS
    'Runs one statement on a node as part of this transaction, past all routing, and returns its rows as psql -A shows them; superusers only. Errors: 42501, 42704 for an unknown node, 22023 for this server itself, and the node''s own';

CREATE FUNCTION herd.start_supervisor() RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_start_supervisor';
REVOKE ALL ON FUNCTION herd.start_supervisor() FROM PUBLIC;
COMMENT ON FUNCTION herd.start_supervisor() IS
    'Has this database''s supervisor started when the transaction commits, if it does not run; superusers only';

CREATE FUNCTION herd.supervisors(OUT pid integer, OUT database text, OUT tick bigint,
                                 OUT sentence text, OUT since timestamptz) RETURNS SETOF record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_supervisors';
COMMENT ON FUNCTION herd.supervisors() IS 'The supervisors of all databases of this server';
CREATE VIEW herd.supervisor AS
    SELECT pid, database, tick, sentence, since FROM herd.supervisors();
COMMENT ON VIEW herd.supervisor IS
    'The supervisors of this server: how often each has looked, what it says about its herd, and since when';
GRANT SELECT ON herd.supervisor TO PUBLIC;

CREATE FUNCTION herd.transactions_in_doubt(OUT gid text, OUT node_id integer, OUT xid xid8,
                                           OUT status text, OUT since timestamptz) RETURNS SETOF record
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_transactions_in_doubt';
REVOKE ALL ON FUNCTION herd.transactions_in_doubt() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION herd.transactions_in_doubt() TO pg_monitor;
COMMENT ON FUNCTION herd.transactions_in_doubt() IS
    'What herd.transactions shows, with the nodes'' numbers; members of pg_monitor';
CREATE VIEW herd.transactions AS
    SELECT t.gid, n.name AS node, t.xid, t.status, t.since
    FROM herd.transactions_in_doubt() t LEFT JOIN herd.node n USING (node_id);
COMMENT ON VIEW herd.transactions IS
    'Transactions that nodes hold prepared and that their sessions have left, as the supervisor last saw them: committing, rolling back, or undecidable; members of pg_monitor';
GRANT SELECT ON herd.transactions TO pg_monitor;

SELECT herd.start_supervisor();
