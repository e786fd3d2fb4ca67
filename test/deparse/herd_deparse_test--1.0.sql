\echo Use "CREATE EXTENSION herd_deparse_test" to load this file. \quit

-- The statement as a node would get it, with what its parameters would be now ('unknown' for types that
-- the text casts to), and why a node can't run it. The statement's own parameters have the given types
-- and values.
CREATE FUNCTION deparse_statement(
    statement text, parameter_types regtype[] DEFAULT '{}', parameter_values text[] DEFAULT '{}',
    OUT sql text, OUT types text[], OUT "values" text[], OUT not_shippable text)
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'deparse_statement';

CREATE FUNCTION type_crosses(type regtype, OUT local boolean, OUT by_name boolean, OUT in_binary boolean)
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'type_crosses';

-- Rows of the statement in their order, as text. What the statement writes is undone; the rows of the
-- written table, when one is named, come after its own.
CREATE FUNCTION rows_of(statement text, written text, path text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    r record;
    rows text[] := '{}';
BEGIN
    BEGIN
        PERFORM set_config('search_path', path, true);
        IF statement ~* '(^\s*(select|with|values|execute)|returning)' THEN
            FOR r IN EXECUTE statement LOOP
                rows := rows || r::text;
            END LOOP;
        ELSE
            EXECUTE statement;
        END IF;
        PERFORM set_config('search_path', 'public, app', true);
        IF written IS NOT NULL THEN
            FOR r IN EXECUTE format('SELECT x FROM %s x ORDER BY x::text', written) LOOP
                rows := rows || r::text;
            END LOOP;
        END IF;
        RAISE EXCEPTION SQLSTATE 'TT000' USING MESSAGE = 'undo';
    EXCEPTION WHEN SQLSTATE 'TT000' THEN
        NULL;
    END;
    RETURN rows;
END $$;

-- Runs the statement and its text, and says whether they do the same. written: a table that they modify.
CREATE FUNCTION check_statement(
    statement text, written text DEFAULT NULL,
    parameter_types regtype[] DEFAULT '{}', parameter_values text[] DEFAULT '{}') RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    printed record;
    expected text[];
    got text[];
    reads_rows boolean := statement ~* '(^\s*(select|with|values)|returning)';
    call text;
BEGIN
    DEALLOCATE ALL;
    PERFORM set_config('search_path', 'public, app', true);
    SELECT * INTO printed FROM deparse_statement(statement, parameter_types, parameter_values);
    EXECUTE 'PREPARE original' ||
        CASE WHEN parameter_types = '{}' THEN '' ELSE
             '(' || array_to_string(parameter_types::text[], ', ') || ')' END || ' AS ' || statement;
    call := 'EXECUTE original' || (SELECT coalesce('(' || string_agg(quote_nullable(v), ', ' ORDER BY n)
                || ')', '') FROM unnest(parameter_values) WITH ORDINALITY u(v, n));
    IF NOT reads_rows THEN call := '/**/ ' || call; END IF;
    expected := rows_of(call, written, 'public, app');
    DEALLOCATE original;
    BEGIN
        PERFORM set_config('search_path', 'pg_catalog', true);
        EXECUTE 'PREPARE herd_text' || CASE WHEN printed.types = '{}' THEN '' ELSE
                '(' || array_to_string(printed.types, ', ') || ')' END || ' AS ' || printed.sql;
        call := 'EXECUTE herd_text' ||
            (SELECT coalesce('(' || string_agg(quote_nullable(v), ', ' ORDER BY n) || ')', '')
             FROM unnest(printed."values") WITH ORDINALITY u(v, n));
        IF NOT reads_rows THEN call := '/**/ ' || call; END IF;
        got := public.rows_of(call, written, 'pg_catalog');
        DEALLOCATE herd_text;
    EXCEPTION WHEN OTHERS THEN
        PERFORM set_config('search_path', 'public, app', true);
        RETURN format('%s: %s', SQLERRM, printed.sql);
    END;
    PERFORM set_config('search_path', 'public, app', true);
    IF expected IS DISTINCT FROM got THEN
        RETURN format('expected %s, got %s: %s', expected, got, printed.sql);
    END IF;
    RETURN 'same';
END $$;
