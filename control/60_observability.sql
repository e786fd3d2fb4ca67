CREATE FUNCTION herd.stat_counters(OUT name text, OUT value bigint) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'herd_stat';
COMMENT ON FUNCTION herd.stat_counters() IS
    'Counters of this server''s router over all sessions and databases since its start';
CREATE VIEW herd.stat AS SELECT name, value FROM herd.stat_counters();
COMMENT ON VIEW herd.stat IS
    'What this server''s router did since its start: statements routed, planned, deparsed, round trips and so on';
GRANT SELECT ON herd.stat TO PUBLIC;

CREATE FUNCTION herd.stat_reset() RETURNS void
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'herd_stat_reset';
COMMENT ON FUNCTION herd.stat_reset() IS 'Sets the counters of herd.stat to zero; superusers only';
REVOKE ALL ON FUNCTION herd.stat_reset() FROM PUBLIC;

CREATE FUNCTION herd.failpoint_set(name text, action text) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_failpoint_set';
COMMENT ON FUNCTION herd.failpoint_set(text, text) IS
    'For tests and drills, superusers only: at the named place every process of this server acts: error, pause (until cleared) or crash. Errors: 22023 for an unknown action, 55000 when not preloaded';
CREATE FUNCTION herd.failpoint_clear(name text) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_failpoint_clear';
COMMENT ON FUNCTION herd.failpoint_clear(text) IS 'Takes a failpoint away; whoever is paused at it goes on';
CREATE FUNCTION herd.failpoint_paused() RETURNS text
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_failpoint_paused';
COMMENT ON FUNCTION herd.failpoint_paused() IS 'The failpoints at which processes wait now, separated by commas';
REVOKE ALL ON FUNCTION herd.failpoint_set(text, text), herd.failpoint_clear(text),
    herd.failpoint_paused() FROM PUBLIC;
