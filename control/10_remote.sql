-- The relation that stands for the nodes' part of a query. Never called: the planner gives it a plan.
CREATE FUNCTION herd.remote_rows(fragment integer) RETURNS SETOF record
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_remote_rows';
COMMENT ON FUNCTION herd.remote_rows(integer) IS
    'Internal: stands in plans for the rows of other nodes. Errors: HR008 when called';
