# Definitions on every node: after each statement the catalogues of all servers are equal, and a
# statement that fails anywhere leaves none of them changed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use Catalogue qw(catalogue differences);
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
my ($coordinator, @nodes) = $herd->servers;

sub same_on_nodes
{
    my ($name) = @_;
    my $expected = catalogue($coordinator, 'postgres');
    my @wrong = grep { $_ ne '' }
      map { my $d = differences($expected, catalogue($_, 'postgres'));
            $d eq '' ? '' : $_->name . ":\n$d" } @nodes;
    is join("\n", @wrong), '', "same everywhere: $name" or diag substr(join("\n", @wrong), 0, 4000);
    return $expected;
}

my $before = same_on_nodes('a fresh herd');

# Each statement runs, changes the coordinator's catalogue, and leaves the nodes with the same.
sub changes
{
    for my $statement (@_)
    {
        my ($out, $state) = $herd->try($statement);
        (my $name = substr $statement, 0, 90) =~ s/\s+/ /g;
        is $state, '00000', "runs: $name" or diag $herd->error_of($statement);
        my $after = same_on_nodes($name);
        isnt $after, $before, "it has changed something: $name";
        $before = $after;
    }
    return;
}

# Runs, and leaves every catalogue as it was.
sub leaves_alone
{
    for my $statement (@_)
    {
        (my $name = substr $statement, 0, 90) =~ s/\s+/ /g;
        is(($herd->try($statement))[1], '00000', "runs: $name") or diag $herd->error_of($statement);
        is differences($before, same_on_nodes($name)), '', "changes nothing: $name";
    }
    return;
}

# Fails with the SQLSTATE, and leaves every catalogue as it was.
sub fails
{
    my ($state, $statement, $text) = @_;
    (my $name = substr $statement, 0, 90) =~ s/\s+/ /g;
    is(($herd->try($statement))[1], $state, "$state: $name");
    like $herd->error_of($statement), $text, "the message of: $name" if defined $text;
    is differences($before, same_on_nodes($name)), '', "changes nothing: $name";
    return;
}

note 'Tables, indexes, sequences';
changes(
    'CREATE SCHEMA shop',
    'CREATE TABLE shop.customer (id bigint PRIMARY KEY, name text NOT NULL, joined date DEFAULT current_date)',
    q{CREATE TABLE shop.orders (customer_id bigint, id bigserial, total numeric(10,2) CHECK (total >= 0),
       at timestamptz DEFAULT now(), note text COLLATE "C", PRIMARY KEY (customer_id, id))},
    'CREATE TABLE shop.identity (id int GENERATED ALWAYS AS IDENTITY (START 5), twice int GENERATED ALWAYS AS (3 * 2) STORED)',
    'CREATE UNLOGGED TABLE shop.scratch (a int) WITH (fillfactor = 70)',
    'CREATE TABLE shop.likeness (LIKE shop.orders INCLUDING ALL)',
    'ALTER TABLE shop.customer ADD COLUMN email text UNIQUE, ADD COLUMN score real DEFAULT 1.5',
    'ALTER TABLE shop.customer ALTER COLUMN name TYPE varchar(200), ALTER email SET STATISTICS 500',
    'ALTER TABLE shop.customer RENAME COLUMN score TO points',
    'ALTER TABLE shop.customer DROP COLUMN points',
    'ALTER TABLE shop.orders ADD CONSTRAINT of_customer FOREIGN KEY (customer_id) REFERENCES shop.customer NOT VALID',
    'ALTER TABLE shop.orders VALIDATE CONSTRAINT of_customer',
    'ALTER TABLE shop.orders RENAME CONSTRAINT of_customer TO customer_fk',
    'ALTER TABLE shop.likeness RENAME TO like_orders',
    'ALTER TABLE shop.like_orders SET SCHEMA public',
    'ALTER TABLE like_orders REPLICA IDENTITY FULL',
    'CREATE INDEX ON shop.orders (at) INCLUDE (total) WHERE total > 10',
    'CREATE UNIQUE INDEX lower_email ON shop.customer (lower(email))',
    'ALTER INDEX shop.lower_email RENAME TO email_lower',
    'ALTER TABLE shop.customer CLUSTER ON customer_pkey',
    'CREATE INDEX CONCURRENTLY slowly ON shop.orders (note)',
    'CREATE UNIQUE INDEX CONCURRENTLY ON shop.customer (name, id)',
    'DROP INDEX CONCURRENTLY shop.slowly',
    'DROP INDEX shop.email_lower',
    'CREATE SEQUENCE shop.numbers INCREMENT 3 CACHE 5',
    'ALTER SEQUENCE shop.numbers OWNED BY shop.customer.id MAXVALUE 100000',
    'CREATE STATISTICS shop.st (ndistinct) ON customer_id, at FROM shop.orders',
    'ALTER STATISTICS shop.st SET STATISTICS 42');

note 'Partitions';
changes(
    'CREATE TABLE log (at timestamptz, what text, id int) PARTITION BY RANGE (at)',
    q{CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')},
    q{CREATE TABLE log_now PARTITION OF log FOR VALUES FROM (now()) TO (now() + interval '1 day')},
    'CREATE TABLE log_rest (LIKE log)',
    'ALTER TABLE log ATTACH PARTITION log_rest DEFAULT',
    'CREATE INDEX log_id ON log (id)',
    'ALTER TABLE log DETACH PARTITION log_1',
    q{ALTER TABLE log ATTACH PARTITION log_1 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')},
    'ALTER TABLE log DETACH PARTITION log_now',
    'ALTER TABLE log DETACH PARTITION log_rest',
    'ALTER TABLE log DETACH PARTITION log_1 CONCURRENTLY');

note 'Tables made from queries: columns everywhere, rows on the coordinator';
changes(
    q{CREATE TABLE made AS SELECT g AS id, g::text COLLATE "C" AS label, now() AS at FROM generate_series(1, 5) g},
    q{SELECT 1::numeric(5,2) AS x, 'y'::varchar(7) AS y INTO made_into},
    'CREATE UNLOGGED TABLE made_none WITH (fillfactor = 50) AS TABLE made WITH NO DATA',
    'CREATE MATERIALIZED VIEW made_view AS SELECT count(*) AS n FROM made /* all */ WITH DATA',
    'CREATE MATERIALIZED VIEW made_later AS SELECT id FROM made -- without rows
     WITH NO DATA',
    'CREATE UNIQUE INDEX ON made_view (n)',
    'PREPARE q AS SELECT 1 AS a; CREATE TABLE made_by_execute AS EXECUTE q',
    'EXPLAIN (ANALYZE, COSTS OFF) CREATE TABLE made_by_explain AS SELECT 1 AS a',
    'CREATE MATERIALIZED VIEW made_renamed (x, "Y") WITH (fillfactor = 60) AS SELECT id, label FROM made');
is $herd->sql('SELECT count(*) FROM made'), 5, 'rows of CREATE TABLE AS are on the coordinator';
is $herd->sql_on('n1', 'SELECT count(*) FROM made'), 0, 'and on no node';
is $herd->sql('SELECT n FROM made_view'), 5, 'a materialized view has its rows';
leaves_alone(
    'EXPLAIN CREATE TABLE made_by_explain_only AS SELECT 1',
    'REFRESH MATERIALIZED VIEW CONCURRENTLY made_view',
    'REFRESH MATERIALIZED VIEW made_later',
    'CREATE TABLE IF NOT EXISTS made AS SELECT 1 AS other',
    'CREATE MATERIALIZED VIEW IF NOT EXISTS made_view AS SELECT 1');
fails('55000', "REFRESH MATERIALIZED VIEW CONCURRENTLY made_later");

note 'Types, functions, views, rules, triggers, policies';
changes(
    q{CREATE TYPE mood AS ENUM ('sad', 'glad')},
    q{ALTER TYPE mood ADD VALUE 'fine' BEFORE 'glad'},
    q{ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'},
    'CREATE TYPE pair AS (a int, b mood)',
    'ALTER TYPE pair ADD ATTRIBUTE c text',
    'CREATE DOMAIN positive AS int CHECK (VALUE > 0) DEFAULT 1',
    'ALTER DOMAIN positive SET NOT NULL',
    'CREATE TYPE floats AS RANGE (subtype = float8)',
    'CREATE FUNCTION inc(i int) RETURNS int LANGUAGE sql IMMUTABLE SET work_mem = \'8MB\' AS $$ SELECT i + 1 $$',
    'SET work_mem = \'23MB\'; CREATE FUNCTION with_current() RETURNS int LANGUAGE sql SET work_mem FROM CURRENT AS $$ SELECT 1 $$',
    'ALTER FUNCTION inc(int) STRICT PARALLEL SAFE',
    'ALTER FUNCTION inc(int) RENAME TO increment',
    'CREATE OR REPLACE FUNCTION increment(i int) RETURNS int LANGUAGE sql AS $$ SELECT i + 2; $$',
    'CREATE PROCEDURE nothing() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$',
    'CREATE FUNCTION new_style(a int) RETURNS int BEGIN ATOMIC SELECT a * 2; END',
    'CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = \'0\')',
    'CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq, commutator = ===)',
    'CREATE CAST (pair AS text) WITH INOUT',
    'CREATE OPERATOR CLASS backwards FOR TYPE int USING btree AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(int, int)',
    'CREATE VIEW shop.totals AS SELECT customer_id, sum(total) AS total FROM shop.orders GROUP BY 1',
    'CREATE OR REPLACE VIEW shop.totals AS SELECT customer_id, sum(total) AS total, 1 AS one FROM shop.orders GROUP BY 1',
    'CREATE RECURSIVE VIEW counting(n) AS SELECT 1 UNION ALL SELECT n + 1 FROM counting WHERE n < 9',
    'ALTER VIEW shop.totals ALTER COLUMN one SET DEFAULT 7',
    'CREATE RULE silent AS ON DELETE TO made DO INSTEAD NOTHING',
    'CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
    'CREATE TRIGGER touched BEFORE UPDATE OF total ON shop.orders FOR EACH ROW WHEN (OLD.total <> NEW.total) EXECUTE FUNCTION touch()',
    'ALTER TABLE shop.orders DISABLE TRIGGER touched',
    'ALTER TRIGGER touched ON shop.orders RENAME TO touched_total',
    'ALTER TABLE shop.customer ENABLE ROW LEVEL SECURITY',
    'CREATE POLICY own ON shop.customer FOR SELECT USING (name = current_user)',
    'ALTER POLICY own ON shop.customer USING (name <> current_user)',
    'CREATE COLLATION shop.plain FROM "C"',
    'CREATE TEXT SEARCH CONFIGURATION shop.plain_english (COPY = english)',
    'ALTER TEXT SEARCH CONFIGURATION shop.plain_english DROP MAPPING FOR url',
    'CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler');

note 'Roles, privileges, extensions, comments';
changes(
    q{CREATE ROLE teller LOGIN PASSWORD 'secret' VALID UNTIL '2031-01-01'},
    q{ALTER ROLE teller PASSWORD 'another' CONNECTION LIMIT 7},
    q{ALTER ROLE teller ENCRYPTED PASSWORD $$it's$$},
    q{ALTER ROLE teller SET search_path = shop, public},
    'CREATE GROUP clerks ROLE teller',
    'GRANT SELECT, UPDATE (name) ON shop.customer TO clerks WITH GRANT OPTION',
    'GRANT USAGE ON SCHEMA shop TO clerks',
    'GRANT ALL ON ALL TABLES IN SCHEMA shop TO teller',
    'REVOKE DELETE ON shop.orders FROM teller',
    'GRANT EXECUTE ON FUNCTION increment(int) TO clerks',
    'ALTER DEFAULT PRIVILEGES FOR ROLE teller IN SCHEMA shop GRANT SELECT ON TABLES TO clerks',
    'ALTER TABLE made OWNER TO teller',
    'ALTER SCHEMA shop OWNER TO teller',
    'ALTER TABLE made_into OWNER TO SESSION_USER; COMMENT ON TABLE made_into IS $$mine$$',
    q{COMMENT ON COLUMN shop.orders.note IS 'what the customer wants'},
    q{COMMENT ON CONSTRAINT customer_fk ON shop.orders IS 'who'},
    q{COMMENT ON FUNCTION increment(int) IS 'adds'},
    q{COMMENT ON DATABASE postgres IS 'the shop'},
    q{ALTER DATABASE postgres SET work_mem = '7MB'},
    'GRANT CREATE ON DATABASE postgres TO teller',
    'CREATE EXTENSION citext SCHEMA shop',
    'CREATE EXTENSION cube VERSION \'1.4\'',
    'ALTER EXTENSION cube UPDATE',
    'CREATE EXTENSION earthdistance CASCADE',
    'ALTER EXTENSION citext SET SCHEMA public',
    'ALTER TABLE shop.customer ADD COLUMN nick citext',
    'DROP EXTENSION citext CASCADE',
    'SET ROLE teller; CREATE TABLE shop.tellers (a int)');
is $herd->sql_on('n1', q{SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'teller'}), 't',
  'nodes get the verifier of a password';

note 'Event triggers fire on the coordinator, and what they do reaches the nodes in order';
changes(
    q{CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
      $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
         IF r.command_tag = 'CREATE TABLE' THEN EXECUTE 'GRANT SELECT ON ' || r.object_identity || ' TO clerks';
         END IF; END LOOP; END $$},
    'CREATE EVENT TRIGGER grants ON ddl_command_end EXECUTE FUNCTION on_ddl()',
    'CREATE TABLE granted (a int)',
    'DROP EVENT TRIGGER grants');

note 'Functions, DO, several statements in one string, transactions and savepoints';
changes(
    'CREATE TABLE one (a int); CREATE TABLE two (a int); ALTER TABLE one ADD b int',
    q{DO $$ BEGIN CREATE TABLE three (a int); EXECUTE 'CREATE INDEX ON three (a)'; END $$},
    q{CREATE FUNCTION maker(name text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN EXECUTE format('CREATE TABLE %I (a int)', name); COMMENT ON TABLE three IS 'made'; END $$},
    q{SET ROLE clerks; SELECT maker('by_definer')},
    q{BEGIN; CREATE TABLE four (a int); SAVEPOINT s; CREATE TABLE five (a int); ROLLBACK TO s;
      CREATE TABLE six (a int); RELEASE s; COMMIT},
    q{DO $$ BEGIN
        BEGIN CREATE TABLE seven (a int); RAISE EXCEPTION 'no'; EXCEPTION WHEN raise_exception THEN NULL; END;
        CREATE TABLE eight (a int);
      END $$},
    q{CREATE PROCEDURE in_parts() LANGUAGE plpgsql AS
      $$ BEGIN CREATE TABLE part_one (a int); COMMIT; CREATE TABLE part_two (a int); ROLLBACK; END $$},
    'CALL in_parts()',
    'SET search_path = shop, public; CREATE TABLE in_path (a int); ALTER TABLE in_path ADD COLUMN b mood',
    q{CREATE FUNCTION in_sql() RETURNS void LANGUAGE sql AS 'CREATE TABLE by_sql (a int); COMMENT ON TABLE by_sql IS $$sql$$'},
    'SELECT in_sql()',
    'CREATE SCHEMA whole AUTHORIZATION teller CREATE TABLE t (a int PRIMARY KEY) CREATE VIEW v AS SELECT * FROM t GRANT SELECT ON v TO PUBLIC');
leaves_alone(
    'BEGIN; CREATE TABLE gone (a int); DROP TABLE four; ALTER TABLE one ADD c int; ROLLBACK',
    'CREATE TABLE IF NOT EXISTS one (z text)',
    'DROP TABLE IF EXISTS never_made',
    'BEGIN; SAVEPOINT a; CREATE ROLE nobody; ROLLBACK TO a; COMMIT');
fails('22012', 'BEGIN; CREATE TABLE gone (a int); SELECT 1 / 0; COMMIT');
fails('42P07', 'CREATE TABLE one (a int)');

note 'Temporary objects, and permanent ones of the same name';
changes(
    'CREATE TEMP TABLE one (t text); CREATE INDEX ON one (t); ALTER TABLE one ADD u int; CREATE TABLE nine (a int); DROP TABLE one, nine, two',
    'CREATE TEMP TABLE one (t int); COMMENT ON TABLE one IS $$temporary$$; ALTER TABLE public.one RENAME b TO bb',
    'CREATE TEMP TABLE one (t int); CREATE TABLE copied AS SELECT * FROM one');
leaves_alone(
    'CREATE TEMP TABLE one (t int); DROP TABLE one',
    'CREATE TEMP TABLE one (t int); CREATE VIEW shadow AS SELECT * FROM one; DROP VIEW shadow',
    'CREATE TEMP TABLE one (t int); GRANT SELECT ON one TO clerks; TRUNCATE one',
    'CREATE TEMP SEQUENCE s; ALTER SEQUENCE s RESTART 9; DROP SEQUENCE s',
    'CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS $$SELECT 1$$; DROP FUNCTION pg_temp.f()',
    q{CREATE TYPE pg_temp.three AS ENUM ('x'); ALTER TYPE three ADD VALUE 'y'; DROP TYPE three});
fails('HR007', 'CREATE TEMP TABLE tt (t int); CREATE TABLE like_temp (LIKE tt)', qr/WITH NO DATA/);

note 'What belongs to one server';
leaves_alone(
    q{CREATE PUBLICATION p FOR TABLE one; COMMENT ON PUBLICATION p IS 'here'; DROP PUBLICATION p},
    q{ALTER SYSTEM SET work_mem = '5MB'},
    'SET herd.enable_ddl_propagation = off; CREATE TABLE here (a int); DROP TABLE here');
changes('CREATE EXTENSION postgres_fdw');
is(($herd->try(q{CREATE SERVER there FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE far (a int) SERVER there;
    CREATE VIEW over AS SELECT a FROM far; CREATE VIEW over_over AS SELECT a FROM over;
    ALTER VIEW over_over RENAME TO above; COMMENT ON VIEW above IS 'x'; GRANT SELECT ON above TO clerks}))[1],
    '00000', 'views over foreign tables are made here alone');
is $herd->sql_on('n1', q{SELECT count(*) FROM pg_class WHERE relname IN ('far', 'over', 'above')}), 0,
  'no node has them';
$herd->sql('DROP VIEW above; DROP VIEW over; DROP FOREIGN TABLE far; DROP SERVER there');

note 'Drops';
changes(
    'DROP TABLE three, four',
    'DROP VIEW shop.totals',
    'DROP MATERIALIZED VIEW made_view, made_later, made_renamed',
    'DROP TYPE pair CASCADE',
    'DROP FUNCTION increment',
    'DROP POLICY own ON shop.customer',
    'DROP TRIGGER touched_total ON shop.orders',
    'DROP RULE silent ON made',
    'REASSIGN OWNED BY teller TO SESSION_USER',
    'DROP OWNED BY clerks, teller',
    'DROP ROLE teller, clerks',
    'DROP SCHEMA shop, whole CASCADE');

done_testing;
