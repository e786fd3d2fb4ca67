\echo Use "CREATE EXTENSION herd_boundary_test" to load this file. \quit

-- The next statement fails in this way at this point, once.
CREATE FUNCTION boundary_arm(point text, fault text) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
-- Fails in this way itself.
CREATE FUNCTION boundary_fail(fault text) RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
-- How many C++ objects of the tests are alive in this backend.
CREATE FUNCTION boundary_live() RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
-- Runs a statement below C++ frames and returns its first value.
CREATE FUNCTION boundary_query(statement text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
-- Runs a statement in a subtransaction and returns the SQLSTATE that C++ has caught.
CREATE FUNCTION boundary_catch(statement text) RETURNS text
    AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
-- Whether a guard puts back what a PostgreSQL error changes.
CREATE FUNCTION boundary_restores() RETURNS boolean
    AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
-- What the tripwire is for: a PostgreSQL error that skips C++ frames.
CREATE FUNCTION boundary_unguarded() RETURNS void
    AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
-- Starts a worker that fails in this way; with recover it goes on and writes what it saw into
-- boundary_result. Returns its process id.
CREATE FUNCTION boundary_start_worker(fault text, recover boolean) RETURNS integer
    AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
CREATE TABLE boundary_result(fault text, sqlstate text, message text, live integer);
-- Nanoseconds per call of an empty function: as it is, through pg::call, through pg::enter, and of a
-- PostgreSQL error that C++ catches.
CREATE FUNCTION boundary_cost(calls integer, OUT plain float8, OUT call float8, OUT enter float8,
                              OUT error float8)
    AS 'MODULE_PATHNAME' LANGUAGE C STRICT;
