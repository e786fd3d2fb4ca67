-- Definitions on nodes.
CREATE FUNCTION herd.link_ddl(search_path text, statements text, replica boolean) RETURNS void
    LANGUAGE c STRICT VOLATILE AS 'MODULE_PATHNAME', 'herd_link_ddl';
COMMENT ON FUNCTION herd.link_ddl(text, text, boolean) IS
    'Internal: runs the coordinator''s definitions with its search_path; replica: without firing ordinary triggers. Errors: HR008';
