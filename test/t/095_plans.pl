# What EXPLAIN shows of plans over several nodes: groups made where the rows are, parallel workers for the
# coordinator's own part, each node's own plan.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
$herd->sql(<<'SQL');
CREATE TABLE t (id bigint, part int, v int);
CREATE TABLE u (id int PRIMARY KEY, part int);
CREATE TABLE r (id int PRIMARY KEY, name int);
SELECT herd.reference('r');
SELECT herd.distribute('t', 'id');
SELECT herd.distribute('u', 'id');
INSERT INTO t SELECT i % 3000, i % 1000, i FROM generate_series(1, 30000) i;
INSERT INTO u SELECT i, i FROM generate_series(1, 2000) i;
INSERT INTO r SELECT i, i % 50 FROM generate_series(1, 1000) i;
VACUUM ANALYZE;
SQL

sub plan_of
{
    my ($statement, %options) = @_;
    return $herd->sql(($options{set} || '') . "EXPLAIN (@{[ $options{explain} || 'COSTS OFF' ]}) $statement");
}
my $eager = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; ';

my $plan = plan_of('SELECT id, array_agg(v) FROM t GROUP BY id HAVING count(*) > 1 ORDER BY max(v) DESC LIMIT 3');
like $plan,   qr/GROUP BY f.c1 HAVING .* ORDER BY .* LIMIT '3'/, 'groups of the key are made on the nodes, up to LIMIT';
unlike $plan, qr/Finalize/,                                      'and nobody combines them';
like plan_of('SELECT part, count(*) FROM t GROUP BY part'), qr/Finalize.*Partial/s, 'other groups are combined';
like plan_of('SELECT DISTINCT part FROM t'), qr/Remote SQL: .* GROUP BY/, 'nodes leave out equal rows';
like plan_of('SELECT count(DISTINCT part) FROM t'), qr/Remote SQL: .* GROUP BY/, 'for aggregates too';

$plan = plan_of('SELECT part, sum(v) FROM t GROUP BY part', set => $eager);
like $plan, qr/HerdRemote.*Gather.*Partial.*Parallel Seq Scan on t/s, 'workers aggregate the part of this server';
$plan = plan_of('SELECT * FROM t WHERE v % 7 = 3', set => $eager);
like $plan, qr/HerdRemote.*Gather.*Parallel Seq Scan on t/s, 'workers read it';
unlike plan_of('SELECT * FROM t WHERE v % 7 = 3 FOR UPDATE', set => $eager), qr/Gather/, 'but lock nothing';
$herd->sql('CREATE FUNCTION counts(x int) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS '
        . "'BEGIN RETURN (SELECT count(*) FROM t WHERE v < x); END'");
unlike plan_of('SELECT * FROM t WHERE counts(v) > 3', set => $eager), qr/Gather/,
    'nor run functions that may look at other nodes';
is $herd->sql("${eager}SELECT count(*), count(DISTINCT id), sum(v) FROM t"), '30000|3000|450015000',
    'the answer is the same';
my $workers = qr/Workers Planned: \d+\n\s+Params Evaluated: [\$\d, ]+\n/;
like plan_of('SELECT count(*) FROM t JOIN u ON u.part = t.part', set => $eager),
    qr/$workers\s+->  Partial Aggregate\n\s+->  [\w ]*Join/, 'workers join the part of this server with a broadcast';
my $many = 'SELECT count(*) FROM t, (SELECT i % 100 AS i FROM generate_series(1, 20000) i) b WHERE b.i = t.part';
my $always = "${eager}SET herd.broadcast = 'always'; ";
like plan_of($many, set => $always), qr/$workers.*Parallel Custom Scan \(HerdBroadcast\)\n\s+Rows of: herd broadcast/s,
    'and divide one that is large';
is $herd->sql("$always$many"), 600000, 'each row is read once';
unlike plan_of('SELECT t.id FROM t JOIN u ON u.part = t.part FOR UPDATE OF t', set => $eager), qr/Gather/,
    'where rows are locked, they do not';

$plan = plan_of('SELECT count(*) FROM t, u, r WHERE u.part = t.part AND t.part = r.id AND r.name > 5');
like $plan, qr/Remote SQL: .*FROM public\.u WHERE \(u\.part IN \( SELECT r\.id AS c1 FROM public\.r WHERE \(r\.name > 5\)\)\)/,
    'a broadcast has only rows that a reference table lets pass' or diag $plan;
is $herd->sql('WITH "herd broadcast 1" AS (SELECT 1 AS c1 UNION ALL SELECT 2) '
        . 'SELECT count(*) FROM t, u, "herd broadcast 1" b WHERE u.part = t.part AND b.c1 = 1'), 29970,
    'the first broadcast of a session is not taken for a query of the same name';
$plan = plan_of('SELECT t.v, u.id FROM t JOIN u ON u.part = t.part ORDER BY 1');
unlike $plan, qr/Merge Append/, 'the nodes are not asked after this server has sorted its rows';
like plan_of('SELECT t.v, u.id FROM t JOIN u ON u.part = t.part ORDER BY 1 LIMIT 3'), qr/Remote SQL: .*LIMIT/,
    'with LIMIT each has few rows to send';

$herd->sql(q{CREATE FUNCTION next_part(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 + 1; END'});
my $elsewhere = $herd->key_on('t')->{n1};
for my $row ("$elsewhere, 2", "$elsewhere * 1, 7 * 3", "'$elsewhere', NULL")
{
    like plan_of("INSERT INTO t VALUES ($row)"),
        qr/HerdStatement.*Route: one shard.*Remote SQL: INSERT INTO public.t \(id, part\) VALUES/s, "a row is sent as it is: $row";
}
like plan_of("INSERT INTO t VALUES ($elsewhere, next_part(3)) RETURNING part"), qr/Remote SQL: INSERT.*VALUES \(\S+ \$1\) RETURNING/,
    'with values of functions, which are called here';
for my $insert ("VALUES ($elsewhere, 2), (2, 3)", "VALUES ($elsewhere, random())", 'VALUES (1, 2) ON CONFLICT DO NOTHING',
    'VALUES ((SELECT 1), 2)', 'SELECT 1, generate_series(1, 2)')
{
    like plan_of("INSERT INTO t $insert"), qr/HerdInsert/, "rows of others are made here: $insert";
}

$plan = plan_of('SELECT count(*) FROM t JOIN u ON u.part = t.part', explain => 'ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF');
my @node_plans = $plan =~ /Node \w+: [\d.]+ ms\n\s+(\w[^(\n]*)/g;
is scalar(grep { $_ eq 'Result ' } @node_plans), 0, 'EXPLAIN ANALYZE shows how nodes ran their fragments'
    or diag $plan;
cmp_ok scalar(@node_plans), '>=', 4, 'each of them';
like $plan, qr/Hash .*\n(?:\s+Buckets.*\n)?\s+->  Custom Scan \(HerdBroadcast\).*\n\s+Rows of: b1/, 'a node hashes the broadcast'
    or diag $plan;
done_testing;
