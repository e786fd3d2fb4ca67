-- EXPLAIN ANALYZE: the coordinator runs a statement on a node and then asks for the plan it ran with.
CREATE FUNCTION herd.link_explain("on" boolean, options text DEFAULT 'costs, timing, buffers')
    RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_link_explain';
COMMENT ON FUNCTION herd.link_explain(boolean, text) IS
    'Internal: from now on this session keeps the plan of its last statement, measured as it ran; options lists costs, verbose, buffers, wal, timing. Errors: HR008, 22023 for another word';

CREATE FUNCTION herd.link_last_plan(OUT plan text, OUT milliseconds double precision)
    RETURNS record
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_link_last_plan';
COMMENT ON FUNCTION herd.link_last_plan() IS
    'Internal: the plan of the last statement that ended in this session since herd.link_explain(true), and how long it ran; NULL for none. Errors: HR008';
