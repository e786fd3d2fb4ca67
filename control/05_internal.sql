-- What one server of a herd calls on another. Guarded by the connection's token, not by privileges:
-- they run as whatever role a statement runs as.
CREATE FUNCTION herd.link_state(role text, rights text DEFAULT '', settings text[] DEFAULT '{}') RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_link_state';
COMMENT ON FUNCTION herd.link_state(text, text, text[]) IS
    'Internal: runs what follows in this session as the role, with another role''s rights to tables if one is named, and with the settings: names and values in turns. Errors: HR008 outside of internal sessions, 42704 for an unknown role, those of SET';

CREATE FUNCTION herd.link_snapshot(statement bigint) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_link_snapshot';
COMMENT ON FUNCTION herd.link_snapshot(bigint) IS
    'Internal: what follows belongs to the coordinator''s statement of that number and shares one snapshot. Errors: HR008';

CREATE FUNCTION herd.require_own_row("table" regclass, key "any") RETURNS boolean
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'herd_require_own_row';
COMMENT ON FUNCTION herd.require_own_row(regclass, "any") IS
    'Internal: true when this node owns the key; plans call it for rows whose key a trigger may have changed. Errors: HR010 when another node does, 42809 when the table is not distributed';

CREATE FUNCTION herd.owns_row("table" regclass, key "any") RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'herd_owns_row';
COMMENT ON FUNCTION herd.owns_row(regclass, "any") IS
    'Internal: whether this node owns the key; plans call it for each row while herd.ownership_filter is on. Errors: 42809 when the table is not distributed';
