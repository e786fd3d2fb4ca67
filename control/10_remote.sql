CREATE FUNCTION herd.remote_rows_support(internal) RETURNS internal
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_remote_rows_support';
COMMENT ON FUNCTION herd.remote_rows_support(internal) IS
    'Internal: tells the planner how many rows herd.remote_rows stands for';

-- The relation that stands for the nodes' part of a query. Never called: the planner gives it a plan, and no worker
-- ever runs that; PARALLEL SAFE lets workers read what stands beside it.
CREATE FUNCTION herd.remote_rows(fragment integer) RETURNS SETOF record
    LANGUAGE c STRICT VOLATILE PARALLEL SAFE SUPPORT herd.remote_rows_support
    AS 'MODULE_PATHNAME', 'herd_remote_rows';
COMMENT ON FUNCTION herd.remote_rows(integer) IS
    'Internal: stands in plans for the rows of other nodes. Errors: HR008 when called';

-- A view's WITH CHECK OPTION over rows that nodes have changed.
CREATE FUNCTION herd.require_view_row(visible boolean, view text, conflict boolean) RETURNS boolean
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_require_view_row';
COMMENT ON FUNCTION herd.require_view_row(boolean, text, boolean) IS
    'Internal: true when a changed row, or one in the way of an INSERT (conflict), is visible in the view. Errors: 44000, or 55000 for a conflict, when it is not';

-- Row security, where policies need what nodes don't have, over rows that nodes have changed,
-- and over rows in the way of an INSERT.
CREATE FUNCTION herd.require_policy_row(allowed boolean, of_table text, policy text, conflict boolean) RETURNS boolean
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_require_policy_row';
COMMENT ON FUNCTION herd.require_policy_row(boolean, text, text, boolean) IS
    'Internal: true when a policy allows the changed row, or one in the way of an INSERT (conflict) or of a MERGE (null) to be changed. Errors: 42501 when it does not';

-- Rows in the way of an INSERT ... ON CONFLICT DO UPDATE whose new values the coordinator computes.
CREATE FUNCTION herd.keep_conflict(plan bigint, place tid, part oid, found record, proposed record, inserted xid)
    RETURNS boolean
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_keep_conflict';
COMMENT ON FUNCTION herd.keep_conflict(bigint, tid, oid, record, record, xid) IS
    'Internal: keeps a row in the way of an INSERT for its coordinator; false. Errors: 21000 for a row that the same INSERT has inserted, HR008 in clients'' statements';
CREATE FUNCTION herd.require_other_row(place tid, part oid, inserted xid) RETURNS boolean
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_require_other_row';
COMMENT ON FUNCTION herd.require_other_row(tid, oid, xid) IS
    'Internal: true for a row in the way of an INSERT, unless an earlier batch of the same INSERT has changed it. Errors: 21000';
CREATE FUNCTION herd.kept_conflicts(plan bigint) RETURNS SETOF record
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_kept_conflicts';
COMMENT ON FUNCTION herd.kept_conflicts(bigint) IS
    'Internal: what herd.keep_conflict has kept: node integer, place tid, part regclass, and the rows found and proposed. Errors: HR008 in clients'' statements';

-- WHERE CURRENT OF a cursor over distributed tables. The row is text, because it travels: its node, its ctid, its table.
CREATE FUNCTION herd.cursor_row(cursor text, of_table oid) RETURNS text
    LANGUAGE c STRICT STABLE AS 'MODULE_PATHNAME', 'herd_cursor_row';
COMMENT ON FUNCTION herd.cursor_row(text, oid) IS
    'Internal: the row of the table that the cursor is on, NULL for none. Errors: 34000 when there is no such cursor, 24000 when it is on no row or can''t be used for the table';
CREATE FUNCTION herd.row_place(of_row text) RETURNS tid
    LANGUAGE c STRICT STABLE AS 'MODULE_PATHNAME', 'herd_row_place';
COMMENT ON FUNCTION herd.row_place(text) IS
    'Internal: the ctid of the latest version of a row of herd.cursor_row, NULL on other nodes than its own. Errors: 42501 without a right on the table';
CREATE FUNCTION herd.row_table(of_row text) RETURNS oid
    LANGUAGE c STRICT STABLE AS 'MODULE_PATHNAME', 'herd_row_table';
COMMENT ON FUNCTION herd.row_table(text) IS
    'Internal: this server''s number of the table of a row of herd.cursor_row. Errors: 42P01 when it is not here';

CREATE FUNCTION herd.link_node() RETURNS integer
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_link_node';
COMMENT ON FUNCTION herd.link_node() IS
    'Internal: the number of the node that this server is. Errors: HR008 outside of a herd';
