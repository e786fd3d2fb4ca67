# The proxy of the fault tests: it understands what passes, and breaks connections at the message that
# it is told to, in every way that it has; whatever it is not told, it leaves alone.
use strict;
use warnings;
use Herd;
use Herd::Client;
use Herd::Proxy;
use Test::More;
use Time::HiRes qw(time);

my $herd  = Herd->new(nodes => 2, proxies => 1);
my $proxy = Herd::Proxy->new($herd->coordinator);

sub client
{
    return Herd::Client->new(host => $proxy->host, port => $proxy->port, dbname => $herd->dbname);
}

# Outcome and duration of a statement over the proxy.
sub timed
{
    my ($client, $sql, $limit) = @_;
    my $begin  = time;
    my $answer = $client->ask($sql, $limit);
    return ($answer->{state}, time - $begin, $answer);
}

subtest 'what it sees' => sub {
    my $client = client();
    is $client->value('SELECT 6 * 7'),      42,      'answers pass';
    is $client->ask('SELECT 1/0')->{state}, '22012', 'errors pass';
    is_deeply [ map { [ @$_[ 1 .. 3 ] ] } $proxy->seen(text => '6 .{1,3} 7|^SELECT 1$|22012') ],
        [
        [ 'client', 'Query',           'SELECT 6 * 7' ],
        [ 'server', 'CommandComplete', 'SELECT 1' ],
        [ 'server', 'ErrorResponse',   '22012 division by zero' ]
        ],
        'queries, tags and errors are seen';
    my $big = $client->value(q{SELECT repeat('x', 3000000)});
    is length $big, 3_000_000, 'a message of three megabytes passes';
    my ($out) = $herd->sql_on('n1', 'SELECT 1');
    is $herd->sql('SELECT count(*) FROM herd.run_on_node(\'n1\', \'SELECT 1\')'), 1, 'a herd works over proxies';
    ok((grep { $_->[2] eq 'Execute' && $_->[3] =~ /^SELECT 1$/ } $herd->proxy('n1')->seen(from => 'client')),
        'statements of the extended protocol are seen with their text');
    ok((grep { $_->[2] eq 'SSLRequest' || $_->[2] eq 'Startup' } $herd->proxy('n1')->seen(from => 'client')),
        'libpq is answered when it asks for encryption');
};

for my $act (qw(close reset truncate))
{
    subtest "$act" => sub {
        $proxy->forget;
        my $client = client();
        $client->value('CREATE TABLE IF NOT EXISTS seen (n int)');
        $client->value('TRUNCATE seen');
        my $rule = $proxy->on(
            from  => 'client',
            type  => 'Query',
            text  => '^INSERT',
            nth   => 2,
            act   => $act,
            bytes => 9
        );
        is $client->ask('INSERT INTO seen VALUES (1)')->{state}, '00000', 'the first match passes';
        is $proxy->hits($rule),                                  0,       'nothing has been done';
        is $client->ask('INSERT INTO seen VALUES (2)')->{state}, 'lost',  'the second does not';
        is $proxy->hits($rule),                                  1,       'the rule has acted';
        $client = client();
        is $client->ask('INSERT INTO seen VALUES (3)')->{state}, '00000', 'the third passes';
        is $client->value('SELECT string_agg(n::text, \',\' ORDER BY n) FROM seen'), '1,3',
            'the message did not arrive';
        $proxy->on(from => 'client', text => '^INSERT', act => $act, after => 1);
        is $client->ask('INSERT INTO seen VALUES (4)')->{state}, 'lost', 'the connection breaks after the message';
        ok $herd->poll_sql($herd->coordinator, 'SELECT count(*) FROM seen WHERE n = 4', 1), 'which did arrive';
        $client = client();
        $proxy->on(from => 'server', type => 'CommandComplete', text => '^INSERT', act => $act, bytes => 3);
        is $client->ask('INSERT INTO seen VALUES (5)')->{state}, 'lost', 'an answer is lost';
        is $herd->sql('SELECT count(*) FROM seen WHERE n = 5'),  1,      'to what was done';
    };
}

subtest 'a reset is one' => sub {
    $proxy->forget;
    for my $case ([ reset => 'Connection reset by peer' ], [ close => 'closed' ])
    {
        my ($act, $end) = @$case;
        $proxy->on(from => 'client', text => 'SELECT 17', act => $act);
        is client()->ask('SELECT 17')->{message}, $end, "how a connection ends on $act";
    }
};

subtest 'stall and delay' => sub {
    $proxy->forget;
    my $client = client();
    $proxy->on(from => 'client', text => 'SELECT 1', act => 'delay', seconds => 0.5);
    my ($state, $seconds) = timed($client, 'SELECT 1');
    is $state, '00000', 'a delayed statement is answered';
    cmp_ok $seconds, '>=', 0.5, 'after its delay';
    $proxy->on(from => 'client', text => 'SELECT 2', act => 'stall');
    ($state) = timed($client, 'SELECT 2', 0.5);
    is $state,                      'timeout', 'a stalled connection says nothing';
    is client()->value('SELECT 3'), 3,         'another one goes on';
    $proxy->heal;
    is $client->answer->{state}, '00000', 'nothing is lost when the stall ends';
    $proxy->on(from => 'client', text => 'SELECT 4', act => 'stall', seconds => 0.5, after => 1);
    ($state, $seconds) = timed($client, 'SELECT 4');
    cmp_ok $seconds, '>=', 0.5, 'a stall can begin behind the message';
    is $state, '00000', 'and ends by itself';
};

subtest 'everything at once' => sub {
    my $client = client();
    is $client->value('SELECT 1'), 1, 'connected';
    $proxy->cut;
    is $client->ask('SELECT 1')->{state}, 'lost', 'cut';
    ok !eval { client(); 1 }, 'new connections are refused';
    $proxy->heal;
    is client()->value('SELECT 1'), 1, 'until it heals';
    $client = client();
    $proxy->stall;
    is $client->ask('SELECT 1', 0.3)->{state}, 'timeout', 'everything stalls';
    $proxy->heal;
    is $client->answer->{state}, '00000', 'and goes on';
};

subtest 'a node behind a broken link' => sub {
    $herd->sql('CREATE TABLE t (k int PRIMARY KEY, v int)');
    $herd->sql("SELECT herd.distribute('t', 'k')");
    my $key   = $herd->key_on('t');
    my $write = join '', 'BEGIN;',
        (map { "INSERT INTO t VALUES ($key->{$_}, 1) ON CONFLICT (k) DO UPDATE SET v = t.v + 1;" } qw(n1 n2)),
        'COMMIT;';
    my $n1 = $herd->proxy('n1');
    my $client =
        Herd::Client->new(host => $herd->coordinator->host, port => $herd->coordinator->port, dbname => $herd->dbname);
    my $rule = $n1->on(from => 'client', type => 'Parse', text => '^PREPARE TRANSACTION', act => 'close');
    is $client->ask($write)->{state},        '08006', 'PREPARE does not arrive: the transaction fails';
    is $n1->hits($rule),                     1,       'the rule has acted';
    is $herd->sql('SELECT count(*) FROM t'), 0,       'all of it';
    $n1->forget;
    $n1->on(from => 'server', type => 'CommandComplete', text => '^COMMIT PREPARED', act => 'stall', seconds => 3);
    my $answer = $client->ask($write);
    is $answer->{state}, '00000', 'the acknowledgement is late: it is committed';
    like "@{ $answer->{warnings} }", qr/"n1" has not acknowledged it yet/, 'with a warning';
    ok $herd->nothing_prepared, 'nothing is left';
    is $herd->sql('SELECT count(*) FROM t WHERE k > 0'), 2, 'all of it is there';
};

done_testing;
