# Statements as nodes get them: what deparse() prints does the same as the original, whatever the
# session's settings; and what may not be left to a node is recognised.
use strict;
use warnings;
use Herd;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = Herd::start_server('deparse', "shared_preload_libraries = 'pg_herd'\nfsync = off");
my ($here) = __FILE__ =~ m{^(.*)/};
my $session = $server->background_psql('postgres', on_error_stop => 0);
$session->query(slurp_file("$here/schema.sql"));
$session->{stderr} = '';

sub literal
{
    my ($text) = @_;
    $text =~ s/'/''/g;
    return "'$text'";
}

sub run_sql
{
    my ($sql) = @_;
    my $out = $session->query($sql);
    $out .= $session->{stderr};
    $session->{stderr} = '';
    return $out;
}

sub same
{
    my ($statement, $more) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $more = defined $more ? ", $more" : '';
    my $title = $statement =~ s/\s+/ /gr;
    is(run_sql('SELECT check_statement(' . literal($statement) . "$more)"), 'same', $title);
    return;
}

sub prints
{
    my ($statement, $expected, $title, $more) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $more = defined $more ? ", $more" : '';
    my $got = run_sql(
        q{SELECT regexp_replace(sql, '\s+', ' ', 'g') || ' -- ' || array_to_string("values", ', ', 'NULL') }
          . 'FROM deparse_statement(' . literal($statement) . "$more)");
    is($got =~ s/^ | -- $//gr, $expected, $title);
    return;
}

sub reason
{
    my ($statement, $expected) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(run_sql('SELECT not_shippable FROM deparse_statement(' . literal($statement) . ')'),
        $expected, ($expected eq '' ? 'goes: ' : 'stays: ') . $statement);
    return;
}

# The bugs of pg_get_querydef that this guards against.
same('SELECT a AS b, b AS a FROM t ORDER BY 1');
same('SELECT DISTINCT ON (a) a AS b, b AS a FROM t ORDER BY a DESC LIMIT 3');
same('SELECT a AS b, b AS a FROM v ORDER BY 1 LIMIT 3');
same('WITH x AS (SELECT a AS b, b AS a FROM t ORDER BY 1 LIMIT 4) SELECT * FROM x ORDER BY 1');
same('SELECT * FROM (SELECT a AS b, b AS a FROM t ORDER BY 1 LIMIT 4) s ORDER BY 2');
same('SELECT column1 AS column2, column2 AS column1 FROM (VALUES (1, 2), (2, 1)) v ORDER BY 1');
same('SELECT a % 2 AS b, count(*) AS a FROM t GROUP BY 1 ORDER BY 1');
same(q{UPDATE updatable SET renamed = renamed + 1 WHERE a = 5 RETURNING *}, q{'t'});
same(q{UPDATE updatable u SET renamed = o.q FROM o WHERE u.a = o.a AND u.a = 5 AND o.q < 8 RETURNING u.*}, q{'t'});
same(q{DELETE FROM updatable WHERE a = 5}, q{'t'});
same(q{DELETE FROM updatable u USING o WHERE u.a = o.a AND o.q = 5 RETURNING u.a AS renamed, u.renamed AS a}, q{'t'});
for my $order ('SEARCH DEPTH FIRST BY name SET ord', 'SEARCH BREADTH FIRST BY name SET ord')
{
    same(qq{WITH RECURSIVE x(id, name) AS (SELECT id, name FROM tree WHERE parent IS NULL
        UNION ALL SELECT t.id, t.name FROM tree t JOIN x ON t.parent = x.id) $order
        SELECT id, name FROM x ORDER BY ord});
}
same(q{WITH RECURSIVE x AS (SELECT id, parent, name FROM tree UNION ALL
    SELECT x.id, t.parent, t.name FROM tree t JOIN x ON t.id = x.parent)
    CYCLE id, parent SET is_cycle USING path SELECT id, name, is_cycle, path FROM x ORDER BY 1, 2, 4});
same(q{WITH RECURSIVE x AS (SELECT id, parent FROM tree UNION ALL SELECT x.id, t.parent FROM tree t
    JOIN x ON t.id = x.parent) SEARCH DEPTH FIRST BY id SET s CYCLE id, parent SET c TO 1 DEFAULT 0 USING p
    SELECT * FROM x ORDER BY s});

# Everything else that a statement can have.
same($_) for split /;\n/, slurp_file("$here/statements.sql");

# Views stay views, so that nodes apply their owners' rights.
prints('SELECT * FROM v x WHERE x.a = 3', 'SELECT x.b, x.a, x.m FROM public.v x WHERE (x.a = 3)',
    'a view is printed by its name');
prints('SELECT n FROM vv', 'SELECT vv.n FROM app.vv', 'a view of views too');
prints('SELECT a FROM barrier b', 'SELECT b.a FROM public.barrier b', 'a security barrier');
prints('SELECT one FROM temp_view',
    'SELECT temp_view.one FROM ( SELECT 1 AS one) temp_view',
    'but not a temporary view, which nodes do not have');

# Values of this server.
prints(q{SELECT current_setting('app.x', true) AS x, a FROM t WHERE a = here() + 1},
    q{SELECT $1 AS x, t.a FROM public.t WHERE (t.a = $2) -- NULL, 5},
    'stable functions are evaluated here, whole expressions of them at once');
prints(q{SELECT count(*) FROM t GROUP BY here() + a ORDER BY here() + a},
    q{SELECT count(*) AS count FROM public.t GROUP BY ($1 + t.a) ORDER BY ($1 + t.a) -- 4},
    'equal expressions share a parameter');
prints('SELECT a FROM t WHERE a = $7 OR a = $2 OR b = $7',
    'SELECT t.a FROM public.t WHERE ((t.a = $1) OR (t.a = $2) OR (t.b = $1)) -- 7, 2',
    'sparse parameters become dense',
    q{'{int,int,int,int,int,int,int}', '{1,2,3,4,5,6,7}'});
prints(q{SELECT a FROM t WHERE m = mood_now()},
    q{SELECT t.a FROM public.t WHERE (t.m = ($1)::app.mood) -- ok}, q{users' types are named});
prints(q{SELECT x.n FROM here() x(n)}, q{SELECT x.n FROM ( SELECT $1 AS n) x(n) -- 4},
    'a value in FROM');
prints(q{SELECT to_regclass('t')::oid FROM t LIMIT 1},
    q{SELECT ($1)::oid AS to_regclass FROM public.t LIMIT 1 -- public.t},
    'a table is sent by name, and its number is that of the node');
prints(q{SELECT a FROM t WHERE cc = lower(current_setting('app.x', true)) COLLATE "default"},
    q{SELECT t.a FROM public.t WHERE (t.cc = ($1 COLLATE "default")) -- NULL},
    'collations are kept');
same('SELECT a, $2 FROM t WHERE a = $1 AND m = $3 AND p <> $4 AND d = $5 ORDER BY $1, a',
    q{NULL, '{int,text,mood,pair,positive}', '{2,x,happy,"(1,p1)",2}'});
same('SELECT $1, $1 + 1, $2 FROM t LIMIT $3', q{NULL, '{int,numeric,bigint}', '{2,1.50,3}'});
same('SELECT a FROM t WHERE a = ANY ($1) AND m = ANY ($2) ORDER BY a',
    q{NULL, '{int[],mood[]}', '{"{1,2,3}","{sad,happy}"}'});
same('SELECT a FROM t WHERE at > $1 ORDER BY a', q{NULL, '{timestamptz}', '{NULL}'});

# Output does not depend on the session's settings.
my $literals = q{SELECT '1 mon -2 days 03:00'::interval, '2024-03-04 UTC'::timestamptz, date '2024-03-04',
    1.1::float8, '\xdead'::bytea, 'it''s \ a'::text FROM t LIMIT 1};
my $text = run_sql('SELECT sql FROM deparse_statement(' . literal($literals) . ')');
run_sql(q{SET datestyle = 'SQL, DMY'; SET intervalstyle = sql_standard; SET extra_float_digits = -10;
    SET bytea_output = escape; SET quote_all_identifiers = on});
is(run_sql('SELECT sql FROM deparse_statement(' . literal($literals) . ')'),
    $text, 'the same text under other settings');
run_sql('RESET ALL; SET search_path = public, app');

# What nodes may compute.
reason('SELECT lower(cc), a + 1, sum(c) OVER (ORDER BY a) FROM t', '');
reason('SELECT now(), a FROM t WHERE at < now() - interval \'1 day\'', '');
reason('SELECT here() + a FROM t', '');
reason('SELECT twice(3) + a FROM t', '');
reason('SELECT twice(a) FROM t', 'function app.twice(integer)');
reason('SELECT a FROM t WHERE rolls() = a', 'function app.rolls()');
reason('SELECT inlined(a) FROM t', '');
reason('SELECT inlined_bad(a) FROM t', 'function app.twice(integer)');
reason('SELECT inlined_clock(at) FROM t', 'function pg_catalog.now()');
reason('SELECT reads_table(a) FROM t', 'function app.reads_table(integer)');
reason('SELECT * FROM t, several(a)', 'function app.several(integer)');
reason('SELECT * FROM t WHERE a IN (SELECT twice(a) FROM o)', 'function app.twice(integer)');
reason('WITH x AS (SELECT twice(a) FROM o) SELECT * FROM x', 'function app.twice(integer)');
reason('SELECT * FROM (SELECT twice(a) FROM o) s', 'function app.twice(integer)');
reason('SELECT count(*) FROM t GROUP BY twice(a)', 'function app.twice(integer)');
reason('SELECT count(*) FILTER (WHERE twice(a) > 1) FROM t', 'function app.twice(integer)');
reason('SELECT total(a) FROM t', '');
reason('SELECT own_total(a) FROM t', 'function app.own_total(integer)');
reason('SELECT own_total(a) OVER () FROM t', 'function app.own_total(integer)');
reason('SELECT random(), clock_timestamp() FROM t', '');
reason(q{SELECT nextval('seq') FROM t}, 'function pg_catalog.nextval(regclass)');
reason('SELECT txid_current() FROM t', '');
reason('SELECT pg_relation_size(a::oid::regclass) FROM t', 'function pg_catalog.pg_relation_size(regclass)');
reason('SELECT tableoid::regclass FROM t', '');
reason('SELECT tableoid::regclass::text FROM t', 'function pg_catalog.regclassout(regclass)');
reason('SELECT cc::regclass FROM t', 'function pg_catalog.regclass(text)');
reason(q{SELECT set_config('a.b', cc, false) FROM t}, 'function pg_catalog.set_config(text, text, boolean)');
reason(q{SELECT current_setting(cc) FROM t}, 'function pg_catalog.current_setting(text)');
reason('SELECT age(at) FROM t', 'function pg_catalog.age(timestamp with time zone)');
reason('SELECT a FROM t WHERE ci = \'up\'', '');
reason('SELECT a FROM t WHERE lower(ci::text) = \'up\'', '');
reason('SELECT x.a FROM t x JOIN t y USING (ci)',
    'JOIN ... USING with operator public.=(public.citext,public.citext)');
reason('SELECT a FROM t WHERE ci IS DISTINCT FROM \'up\'',
    'IS DISTINCT FROM with operator public.=(public.citext,public.citext)');
reason('SELECT NULLIF(ci, \'up\') FROM t', 'NULLIF with operator public.=(public.citext,public.citext)');
reason('SELECT CASE ci WHEN \'up\' THEN 1 END FROM t',
    'CASE with operator public.=(public.citext,public.citext)');
reason('SELECT a FROM t WHERE (a, ci) IN (SELECT b, ci FROM t)',
    'a comparison of rows with operator public.=(public.citext,public.citext)');
reason('SELECT a FROM t WHERE (a, ci) < (3, \'up\')',
    'a comparison of rows with operator public.<(public.citext,public.citext)');
reason('SELECT a FROM t WHERE ci IN (SELECT ci FROM t)', '');
reason('SELECT a::positive FROM t', '');
reason('SELECT (a * 2)::even FROM t', 'domain app.even (function app.is_even(integer))');
reason('SELECT a FROM t ORDER BY m, ci, p', '');
# What only nodes see: views that are printed by their names, policies.
reason('SELECT a FROM v JOIN barrier b USING (a)', '');
reason('SELECT n FROM vv', 'function pg_catalog.now()');
reason('SELECT x.a FROM own_view x', 'function app.here()');
reason('SELECT a FROM tenant_view', '');
run_sql('SET ROLE bob; SET search_path = public, app');
reason('SELECT a FROM guarded', '');
reason('SELECT a FROM guarded_by_function', 'function app.here()');
run_sql('RESET ROLE');
run_sql(q{SELECT herd.set_pushable('app.twice(int)')});
reason('SELECT twice(a) FROM t', '');
reason('SELECT inlined_bad(a) FROM t', '');
run_sql(q{SELECT herd.set_pushable('app.twice(int)', false)});
reason('SELECT twice(a) FROM t', 'function app.twice(integer)');

# Types: is the value local, is it known by name, may it cross in binary.
my %types = (
    integer => 'f|f|t', 'text[]' => 'f|f|t', jsonb => 'f|f|t', timestamptz => 'f|f|t', int4range => 'f|f|t',
    int4multirange => 'f|f|t', regclass => 't|t|f', 'regtype[]' => 't|t|f', oid => 't|f|f', xid => 't|f|f',
    record => 't|f|f', 'record[]' => 't|f|f', anyelement => 't|f|f', cstring => 't|f|f', mood => 'f|f|f',
    pair => 'f|f|f', 'pair[]' => 'f|f|f', positive => 'f|f|f', citext => 'f|f|f', pg_class => 't|f|f',
    tid => 't|f|f', name => 'f|f|t', void => 't|f|f', pg_node_tree => 'f|f|f', 'oid[]' => 't|f|f');
is(run_sql("SELECT * FROM type_crosses('$_')"), $types{$_}, "type $_") for sort keys %types;

$session->quit;
$server->stop;
done_testing();
