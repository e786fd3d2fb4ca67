# Transactions on a herd (a coordinator without rows, two nodes) and on one plain PostgreSQL, all on this
# machine with the same settings, in turns: transfers between two nodes, transactions of five statements
# on one key, and look-ups on all nodes as herd.read_consistency has them. Medians of three rounds, as ratios.
#
# HERD_BENCH_SECONDS: of each run (default 5). HERD_BENCH_CLIENTS: (default 16). HERD_BENCH_FSYNC: on or off.
# HERD_BENCH_ONLY: a pattern of workloads.
use strict;
use warnings;
use Herd;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{HERD_BENCH_SECONDS} || 5;
my $clients = $ENV{HERD_BENCH_CLIENTS} || 16;
my $fsync   = $ENV{HERD_BENCH_FSYNC}   || 'on';
my $rows    = 100_000;
my $herd    = Herd->new(
    nodes => 2, plain => 1,
    conf  => "fsync = $fsync\nshared_buffers = 256MB\nmax_connections = 100\nmax_prepared_transactions = 100\nautovacuum = off\n"
);
my $tables = join '', map { "CREATE TABLE $_ (id int PRIMARY KEY, balance bigint NOT NULL, note text);" }
    qw(left_accounts right_accounts accounts);
$_->safe_psql($herd->dbname, "$tables CREATE INDEX ON accounts (balance)") for $herd->coordinator, $herd->plain;

# Each table on one node, so that every transfer goes over two.
$herd->sql("SELECT herd.set_node(name, takes_shards => name = 'n1') FROM herd.nodes; SELECT herd.distribute('left_accounts', 'id', shard_count => 32);"
        . "SELECT herd.set_node(name, takes_shards => name = 'n2') FROM herd.nodes; SELECT herd.distribute('right_accounts', 'id', shard_count => 32);"
        . "SELECT herd.set_node(name, takes_shards => name IN ('n1', 'n2')) FROM herd.nodes; SELECT herd.distribute('accounts', 'id', shard_count => 32)");
for my $server ($herd->coordinator, $herd->plain)
{
    $server->safe_psql($herd->dbname, "INSERT INTO ${_}_accounts SELECT i, 1000, 'a' FROM generate_series(1, $rows) i")
        for qw(left right);
    $server->safe_psql($herd->dbname, "INSERT INTO accounts SELECT i, i, 'a' FROM generate_series(1, $rows) i");
    $server->safe_psql($herd->dbname, 'VACUUM ANALYZE');
}
$_->safe_psql($herd->dbname, 'CHECKPOINT') for $herd->servers, $herd->plain;

my %scripts = (
    transfer => <<"SQL",
\\set a random(1, $rows)
\\set b random(1, $rows)
BEGIN;
UPDATE left_accounts SET balance = balance - 1 WHERE id = :a;
UPDATE right_accounts SET balance = balance + 1 WHERE id = :b;
COMMIT;
SQL
    'five statements' => <<"SQL",
\\set a random(1, $rows)
BEGIN;
SELECT balance FROM left_accounts WHERE id = :a;
UPDATE left_accounts SET balance = balance - 1 WHERE id = :a;
SELECT note FROM left_accounts WHERE id = :a;
UPDATE left_accounts SET note = 'b' WHERE id = :a;
SELECT balance, note FROM left_accounts WHERE id = :a;
COMMIT;
SQL
);

# Transactions per second.
sub rate
{
    my ($server, $file) = @_;
    my ($out, $err) = run_command(
        [
            'pgbench', '-n', '-M', 'prepared', '-c', $clients, '-j', 2, '-T', $seconds, '-f', $file,
            '-d', $server->connstr($herd->dbname)
        ]
    );
    my ($tps) = $out =~ /^tps = ([\d.]+)/m;
    diag "$out\n$err" unless $tps;
    return $tps || 0;
}

# What a look at all nodes costs when it is to be a whole view.
sub compare_consistency
{
    my $file = $herd->coordinator->basedir . '/lookup.sql';
    append_to_file($file, "\\set a random(1, $rows)\nSELECT id, note FROM accounts WHERE balance = :a;\n");
    my %rates;
    for my $round (1 .. 3)
    {
        push @{ $rates{plain} }, rate($herd->plain, $file);
        for my $level (qw(node strict))
        {
            local $ENV{PGOPTIONS} = "-c herd.read_consistency=$level";
            push @{ $rates{$level} }, rate($herd->coordinator, $file);
        }
    }
    my %median = map { $_ => median(@{ $rates{$_} }) } keys %rates;
    note sprintf 'look-up on all nodes, %d clients: plain %.0f, herd %.0f per second, ratio %.2f; strict %.0f, ratio %.2f',
        $clients, @median{qw(plain node)}, $median{node} / $median{plain}, $median{strict}, $median{strict} / $median{plain};
    cmp_ok $median{strict}, '>', 0, 'strict reads ran';
    return;
}

sub median { return (sort { $a <=> $b } @_)[ @_ / 2 ]; }

for my $name (grep { !$ENV{HERD_BENCH_ONLY} || /$ENV{HERD_BENCH_ONLY}/ } sort keys %scripts)
{
    my $file = $herd->coordinator->basedir . '/' . ($name =~ tr/ /_/r) . '.sql';
    append_to_file($file, $scripts{$name});
    my (@plain, @ours);
    for (1 .. 3)
    {
        push @plain, rate($herd->plain, $file);
        push @ours, rate($herd->coordinator, $file);
    }
    note sprintf '%s, %d clients, fsync %s: plain %.0f, herd %.0f per second, ratio %.2f (rounds: %s)', $name, $clients, $fsync,
        median(@plain), median(@ours), median(@ours) / median(@plain),
        join ' ', map { sprintf '%.2f', $ours[$_] / $plain[$_] } 0 .. 2;
    cmp_ok $ours[0], '>', 0, "$name ran";
}
compare_consistency();
is $herd->sql('SELECT (SELECT sum(balance) FROM left_accounts WHERE id > 0) + (SELECT sum(balance) FROM right_accounts WHERE id > 0) > 0'), 't', 'rows are there';
ok $herd->nothing_prepared, 'nothing is left prepared';
done_testing;
