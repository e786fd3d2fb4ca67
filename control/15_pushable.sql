-- Functions that nodes may run: PostgreSQL's own need no row here.
CREATE TABLE herd.pushable_function (
    function regprocedure PRIMARY KEY
);
GRANT SELECT ON herd.pushable_function TO PUBLIC;
COMMENT ON TABLE herd.pushable_function IS
    'Functions that an administrator has declared to give the same result on every node';

CREATE FUNCTION herd.set_pushable(function regprocedure, pushable boolean DEFAULT true) RETURNS void
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'herd_set_pushable';
REVOKE ALL ON FUNCTION herd.set_pushable(regprocedure, boolean) FROM PUBLIC;
COMMENT ON FUNCTION herd.set_pushable(regprocedure, boolean) IS
    'Declares that the function gives the same result on every node: it reads no distributed table, no sequence and nothing else of one server; superusers only';
