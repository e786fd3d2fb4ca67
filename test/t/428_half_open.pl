# A coordinator that vanishes: the node's sessions notice it, and what they hold is free again.
use strict;
use warnings;
use Herd;
use Herd::Client;
use PostgreSQL::Test::Utils;
use Test::More;

# Over TCP, as between hosts.
my $herd        = Herd->new(nodes => 1, join => 0, conf => "listen_addresses = '127.0.0.1'");
my $coordinator = $herd->coordinator;
my ($n1)        = $herd->nodes;
$coordinator->safe_psql('postgres', 'CREATE EXTENSION pg_herd');
$herd->sql(sprintf q{SELECT herd.add_node('n1', '127.0.0.1', %d)}, $n1->port);
$herd->sql('CREATE TABLE t (k int PRIMARY KEY, v int)');
$herd->sql(q{SELECT herd.distribute('t', 'k'); INSERT INTO t SELECT k, 0 FROM generate_series(1, 100) k});
my $key = $herd->key_on('t')->{n1};

sub client
{
    return Herd::Client->new(host => $coordinator->host, port => $coordinator->port, dbname => $herd->dbname);
}

# Kernel timers of the node's connections: [kind, seconds]; 2 is keepalive.
sub timers
{
    my $port = sprintf '%04X', $n1->port;
    return map { /^\s*\d+: \w+:$port \w+:\w+ 01 \w+:\w+ 0(\d):(\w+)/ ? [ $1, hex($2) / 100 ] : () }
        split /\n/, slurp_file('/proc/net/tcp');
}

subtest 'the node watches its end of the connection' => sub {
    my $client = client();
    my %wanted = (
        tcp_keepalives_idle              => '10',
        tcp_keepalives_interval          => '5',
        tcp_keepalives_count             => '3',
        tcp_user_timeout                 => '20000',
        client_connection_check_interval => '1s'
    );
    for my $setting (sort keys %wanted)
    {
        is $client->value("SELECT herd.run_on_node('n1', 'SHOW $setting')"), $wanted{$setting}, $setting;
    }
    my @timers;
    ok Herd::poll_until(sub { timers() >= 2 }), 'the session and the supervisor are connected';
    ok Herd::poll_until(sub { !grep { $_->[0] != 2 } @timers = timers() }), 'the kernel looks after each';
    cmp_ok $_->[1], '<=', 10.5, 'within ten seconds' for @timers;
    $client->leave;
};

subtest 'a coordinator that ends lets go of what it holds' => sub {
    for my $statement ("UPDATE t SET v = 1 WHERE k = $key", "SELECT pg_sleep(600) FROM t WHERE k = $key FOR UPDATE")
    {
        my $client = client();
        $client->send("BEGIN; $statement");
        ok $herd->poll_sql($n1, q{SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode ~ 'Row'}, 1),
            "$statement: it holds locks";
        $herd->kill_server($coordinator);
        is $n1->psql('postgres', "SET statement_timeout = '20s'; UPDATE t SET v = 2 WHERE k = $key"), 0, 'for others';
        $coordinator->start;
        is client()->value("SELECT v FROM t WHERE k = $key"), 2, 'and the coordinator is back';
    }
};

done_testing;
