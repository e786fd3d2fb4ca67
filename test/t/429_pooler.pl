# pgbouncer in front of the coordinator, in session and in transaction mode, and what becomes of it in front
# of a node.
use strict;
use warnings;
use Herd;
use Herd::Client;
use Herd::Pooler;
use PostgreSQL::Test::Utils;
use Test::More;

my $herd        = Herd->new(nodes => 2);
my $coordinator = $herd->coordinator;
my $dir         = PostgreSQL::Test::Utils::tempdir;

$herd->sql('CREATE TABLE account (k int PRIMARY KEY, balance int, tenant text)');
$herd->sql(q{SELECT herd.distribute('account', 'k')});
$herd->sql(q{INSERT INTO account SELECT k, 100, CASE WHEN k % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 100) k});
$herd->sql(q{CREATE ROLE clerk; GRANT SELECT ON account TO clerk; ALTER TABLE account ENABLE ROW LEVEL SECURITY});
$herd->sql(q{CREATE POLICY own ON account TO clerk USING (tenant = current_setting('app.tenant', true))});

append_to_file("$dir/transfer.sql", <<'SQL');
\set from random(1, 100)
\set to random(1, 100)
\set amount random(1, 9)
BEGIN;
UPDATE account SET balance = balance - :amount::int WHERE k = least(:from::int, :to::int);
UPDATE account SET balance = balance + :amount::int WHERE k = greatest(:from::int, :to::int);
COMMIT;
SELECT balance FROM account WHERE k = :from::int;
SQL

# Clients that move money over the pooler; its name in the protocol is pgbench's.
sub transfers
{
    my ($pooler, $protocol) = @_;
    my @command = ('pgbench', '-n', '-M', $protocol, '-c', 6, '-t', 20, '-f', "$dir/transfer.sql",
        '-h', $pooler->host, '-p', $pooler->port, $herd->dbname);
    my ($out, $err) = ('', '');
    my $ok = IPC::Run::run \@command, '>', \$out, '2>', \$err, IPC::Run::timeout(120);
    my $whole = $ok && $out =~ m{processed: 120/120};
    diag $err unless $whole;
    is $herd->sql('SELECT sum(balance), count(*) FROM account'), '10000|100', "$protocol: the money is all there";
    return $whole;
}

# What the session's settings are, here and in its sessions on the nodes.
sub settings_of
{
    my ($client) = @_;
    my $list = join " || ' ' || ", map { "coalesce(current_setting('$_', true), '')" }
        qw(app.tenant TimeZone DateStyle role bytea_output);
    my @places = ($list, map { "herd.run_on_node('$_', \$\$SELECT $list\$\$)" } qw(n1 n2));
    return split /\|/, $client->value('SELECT count(*) FROM account; SELECT ' . join ', ', @places) =~ s/.*\n//sr;
}

# Leaves behind what a session can have.
sub leave_traces
{
    my ($client) = @_;
    $client->value($_) for q{SET app.tenant = 'a'}, q{SET TimeZone = 'Asia/Tokyo'}, q{SET DateStyle = 'German'},
        q{SET search_path = pg_catalog, public}, q{SET bytea_output = 'escape'}, 'SET ROLE clerk';
    is $client->value('SELECT count(*) FROM account'), 50, 'a client has its settings on the nodes';
    $client->value('PREPARE p AS SELECT count(*) FROM account');
    $client->value('EXECUTE p');
    return;
}

subtest 'session mode' => sub {
    my $pooler = Herd::Pooler->new($coordinator, pool_mode => 'session', server_reset_query => 'DISCARD ALL',
        default_pool_size => 6);
    ok transfers($pooler, $_), "$_: transfers" for qw(simple extended prepared);
    $pooler->stop;
    $pooler = Herd::Pooler->new($coordinator, pool_mode => 'session', server_reset_query => 'DISCARD ALL');

    my $first  = $pooler->client;
    my $pid    = $first->value('SELECT pg_backend_pid()');
    my @before = settings_of($first);
    is $before[$_], $before[0], 'nodes have the settings of the coordinator' for 1, 2;
    leave_traces($first);
    $first->leave;
    my $second = $pooler->client;
    is $second->value('SELECT pg_backend_pid()'), $pid, 'the next client gets the same session';
    is_deeply [ settings_of($second) ], \@before, 'none of the settings, nor on nodes';
    is $second->value('SELECT count(*) FROM account'), 100, 'and not the role';
    is $second->ask('EXECUTE p')->{state}, '26000', 'nor what was prepared';
    $second->value(q{SELECT pg_advisory_lock(1); CREATE TEMP TABLE draft AS SELECT * FROM account});
    $second->value('LISTEN news; BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT k FROM account ORDER BY k; COMMIT');
    is $second->value('FETCH 2 FROM c'), "1\n2", 'a cursor outlives its transaction';
    $herd->sql(q{NOTIFY news, 'hello'});
    is $second->ask('SELECT 1')->{notifications}[0], 'news hello', 'LISTEN works';
    $second->leave;
    my $third = $pooler->client;
    is $third->value('SELECT pg_backend_pid()'), $pid, 'again the same session';
    is $third->ask('FETCH 1 FROM c')->{state},            '34000', 'its cursor is gone';
    is $third->ask('SELECT count(*) FROM draft')->{state}, '42P01', 'its temporary table, too';
    is $third->value(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}), 0, 'and its lock';
    $third->send("BEGIN; UPDATE account SET balance = 0");
    $third->answer;
    $third->leave;
    ok Herd::poll_until(sub { $herd->sql('SELECT sum(balance) FROM account') eq '10000' }), 'a client that goes is rolled back';
    ok $herd->poll_sql($_, q{SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'}, 0),
        'on ' . $_->name
        for $herd->nodes;
};

subtest 'transaction mode' => sub {
    my $pooler = Herd::Pooler->new($coordinator, pool_mode => 'transaction', default_pool_size => 3);
    ok transfers($pooler, $_), "$_: transfers" for qw(simple extended);
    $pooler->stop;

    # One session for all.
    $pooler = Herd::Pooler->new($coordinator, pool_mode => 'transaction');
    my ($one, $other) = map { $pooler->client } 1 .. 2;
    is $one->value('SELECT pg_backend_pid()'), $other->value('SELECT pg_backend_pid()'), 'two clients have one session';
    my @before = settings_of($other);
    my $local  = q{BEGIN; SET LOCAL app.tenant = 'a'; SET LOCAL ROLE clerk; SET LOCAL TimeZone = 'Asia/Tokyo'; };
    is $one->value("${local}SELECT count(*) FROM account; COMMIT"), 50, 'what a client sets with SET LOCAL';
    is_deeply [ settings_of($other) ], \@before, 'ends with its transaction, on nodes, too';
    is $other->value('SELECT count(*) FROM account'), 100, 'with its role';
    is $one->ask("${local}SELECT 1 / (count(*) - count(*)) FROM account; COMMIT")->{state}, '22012', 'a failed transaction';
    $one->value('ROLLBACK');
    is_deeply [ settings_of($other) ], \@before, 'leaves nothing either';

    # As on one server: who sets more than that sets it for all. Nodes follow the session, whoever uses it.
    leave_traces($one);
    is $other->value('SELECT count(*) FROM account'), 50, 'a role, for one';
    $one->value('RESET ROLE');    # who asks nodes has to be a superuser
    my @after = settings_of($other);
    is $after[$_], $after[0], 'nodes have what the coordinator has' for 1, 2;
    is $after[0], 'a UTC ISO, MDY none escape', 'which is what the other client has set, but for what the pooler looks after';
    $one->value('DISCARD ALL');
    is_deeply [ settings_of($other) ], \@before, 'until somebody resets it, on nodes, too';
    $_->leave for $one, $other;
    $pooler->stop;

    $pooler = Herd::Pooler->new($coordinator, pool_mode => 'transaction', server_reset_query_always => 1,
        server_reset_query => 'DISCARD ALL');
    ($one, $other) = map { $pooler->client } 1 .. 2;
    $one->value($_) for q{SET app.tenant = 'a'}, q{SET TimeZone = 'Asia/Tokyo'}, 'SET ROLE clerk';
    is_deeply [ settings_of($other) ], \@before, 'server_reset_query_always resets it after each transaction';
};

subtest 'between the coordinator and a node' => sub {
    my $server = Herd::start_server('n3', "shared_preload_libraries = 'pg_herd'\nwal_level = logical\n"
        . "max_prepared_transactions = 10\n");
    for my $mode (qw(session transaction))
    {
        for my $ignored ('', 'options, extra_float_digits')
        {
            my $pooler = Herd::Pooler->new($server, pool_mode => $mode, ignore_startup_parameters => $ignored,
                default_pool_size => 10);
            my $error = $herd->error_of(sprintf q{SELECT herd.add_node('n3', '127.0.0.1', %d)}, $pooler->port);
            my $why   = $ignored ? 'ERROR:  herd.link_state is internal' : 'unsupported startup parameter: options';
            like $error, qr/$why/, "$mode mode: it is refused" . ($ignored ? ' without the token' : '');
            is $herd->sql(q{SELECT count(*) FROM herd.nodes WHERE name = 'n3'}), 0, 'and no node';
        }
    }
    $herd->sql(sprintf q{SELECT herd.add_node('n3', '%s', %d)}, $server->host, $server->port);
    is $herd->sql(q{SELECT count(*) FROM herd.nodes WHERE name = 'n3'}), 1, 'without a pooler it becomes one';
};

done_testing;
