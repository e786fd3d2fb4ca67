# Connections to nodes: how long a session keeps them, how many there may be, and what a statement
# says when one breaks, at each moment at which it can.
use strict;
use warnings;
use Herd;
use Herd::Client;
use Herd::Proxy;
use Test::More;
use Time::HiRes qw(time);

my $herd        = Herd->new(nodes => 2, proxies => 1, conf => 'restart_after_crash = on');
my $coordinator = $herd->coordinator;
my $n1          = $herd->node('n1');
my $proxy       = $herd->proxy('n1');

$herd->sql(q{SELECT herd.set_node('coordinator', takes_shards => false)});
$herd->sql(q{CREATE TABLE t (k int PRIMARY KEY, v int, pad text); SELECT herd.distribute('t', 'k')});
$herd->sql(q{INSERT INTO t SELECT k, 0, repeat('x', 1500) FROM generate_series(1, 4000) k});
my $key = $herd->key_on('t');

sub client
{
    my ($settings) = @_;
    return Herd::Client->new(host => $coordinator->host, port => $coordinator->port,
        dbname => $herd->dbname, settings => $settings);
}

# Processes of a node that work for this client, as the client itself sees them.
sub backend
{
    my ($client, $node) = @_;
    return $client->value("SELECT herd.run_on_node('$node', 'SELECT pg_backend_pid()')");
}

sub is_gone
{
    my ($pid) = @_;
    return Herd::poll_until(sub { !kill 0, $pid });
}

sub set_cap
{
    my ($cap) = @_;
    $coordinator->safe_psql('postgres', "ALTER SYSTEM SET herd.max_connections_per_node = $cap");
    $coordinator->safe_psql('postgres', 'SELECT pg_reload_conf()');
    return $herd->poll_sql($coordinator, 'SHOW herd.max_connections_per_node', $cap);
}

subtest 'idle connections' => sub {
    my $client = client();
    $client->value("SET herd.idle_connection_timeout = '300ms'");
    my $pid = backend($client, 'n1');
    ok is_gone($pid), 'are closed while the session itself stays idle';
    isnt backend($client, 'n1'), $pid, 'and opened again';
    $client->ask('SELECT 1/0');
    ok is_gone(backend($client, 'n1')), 'after an error too';

    my $began = $client->value('BEGIN; SELECT 1');
    $pid = backend($client, 'n1');
    my $other = client();
    $other->value("SET herd.idle_connection_timeout = '300ms'");
    my $second = backend($other, 'n1');
    ok is_gone($second), 'while another session';
    ok kill(0, $pid), 'keeps what is in a transaction';
    $client->value('COMMIT');
    ok is_gone($pid), 'until that ends';

    $client->value("SET herd.idle_connection_timeout = 0");
    $pid = backend($client, 'n1');
    ok is_gone(backend($other, 'n1')), 'a session without the timeout';
    ok kill(0, $pid), 'keeps its own';
    cmp_ok $herd->counters->{idle_closed}, '>=', 5, 'herd.stat counts them';
    $_->leave for $client, $other;
};

# A client with a transaction that works on n1.
sub holder
{
    my $client = client();
    $client->value("BEGIN; SELECT v FROM t WHERE k = $key->{n1}");
    return $client;
}

subtest 'the cap' => sub {
    ok set_cap(2), 'two connections per node';
    my @holders = (holder(), holder());
    my $late = client();
    $late->value("SET herd.connection_timeout = '400ms'");
    my $answer = $late->ask("SELECT v FROM t WHERE k = $key->{n1}");
    is $answer->{state}, '53300', 'the third session gets none';
    my $why = 'too many connections to node "n1"; The sessions of this database have 2 connections to it, '
        . 'and herd.max_connections_per_node is 2; this session has waited \d+ ms\.';
    like $answer->{message}, qr/$why/, 'and hears why';
    is $late->ask("SELECT v FROM t WHERE k = $key->{n2}")->{state}, '00000', 'another node is not concerned';
    is $holders[0]->ask("SELECT count(*) FROM t")->{state}, '00000', 'who works on nodes goes on';

    $late->value("SET herd.connection_timeout = '60s'");
    my $later = client();
    $late->send("SELECT 'late' FROM t WHERE k = $key->{n1}");
    ok Herd::poll_until(sub { $herd->counters->{seat_waits} >= 2 }), 'one waits';
    $later->send("BEGIN; SELECT 'later' FROM t WHERE k = $key->{n1}");
    ok Herd::poll_until(sub { $herd->counters->{seat_waits} >= 3 }), 'then another';
    is $late->answer(0.2)->{state}, 'timeout', 'they go on waiting';
    $holders[0]->value('COMMIT');
    is $late->answer->{rows}[0][0], 'late', 'the first of them is served first';
    is $later->answer->{tags}[1], 'SELECT 1', 'then the second, over a connection that the first gave up';
    is $holders[1]->ask("UPDATE t SET v = 1 WHERE k = $key->{n2}")->{state}, '00000', 'a transaction is never held up';
    $later->value('COMMIT');
    $holders[1]->value('COMMIT');
    my $pid = backend($late, 'n1');
    $_->leave for @holders, $late, $later;
    ok is_gone($pid), 'an ended session leaves nothing';
};

subtest 'idle connections make room' => sub {
    ok set_cap(1), 'one connection per node';
    my ($idle, $active) = (client(), client());
    my $pid = backend($idle, 'n1');
    my $began = time;
    is $active->ask("SELECT count(*) FROM t")->{state}, '00000', 'another session gets an idle one';
    cmp_ok time - $began, '<', 5, 'at once';
    ok is_gone($pid), 'which was closed';
    # Each holds one node and needs the other.
    for my $round (1 .. 3)
    {
        $active->value("SELECT v FROM t WHERE k = $key->{n1}");
        $idle->value("SELECT v FROM t WHERE k = $key->{n2}");
        $_->send('SELECT count(*) FROM t') for $active, $idle;
        is $_->answer->{rows}[0][0], 4000, 'two that hold what the other needs' for $active, $idle;
    }
    my @many = map { client() } 1 .. 6;
    for my $round (1 .. 3)
    {
        $_->send('SELECT count(*) FROM t') for @many;
        is join(',', map { $_->answer->{state} } @many), join(',', ('00000') x @many), 'six take turns';
    }
    my $holder = holder();
    my $waits  = $herd->counters->{seat_waits};
    $active->send("SELECT v FROM t WHERE k = $key->{n1}");
    ok Herd::poll_until(sub { $herd->counters->{seat_waits} > $waits }), 'one waits';
    my $waiter = q{FROM pg_stat_activity WHERE query LIKE 'SELECT v FROM t%' AND state = 'active'};
    $herd->sql("SELECT pg_cancel_backend(pid) $waiter");
    is $active->answer->{state}, '57014', 'and can be canceled';
    $active->send("SELECT v FROM t WHERE k = $key->{n1}");
    ok Herd::poll_until(sub { $herd->counters->{seat_waits} > $waits + 1 }), 'or waits again';
    $herd->sql("SELECT pg_terminate_backend(pid) $waiter");
    is $active->answer->{state}, '57P01', 'and can be terminated';
    is $many[0]->ask("SELECT v FROM t WHERE k = $key->{n2}")->{state}, '00000', 'others go on';
    $holder->value('COMMIT');
    is $many[0]->ask('SELECT count(*) FROM t')->{rows}[0][0], 4000, 'and nothing is lost';
    $_->leave for @many, $idle, $holder;

    # A session that is killed takes the whole server along, and the count with it.
    $holder = holder();
    my $victim = $holder->value('SELECT pg_backend_pid()');
    kill 'KILL', $victim;
    is $holder->ask('SELECT 1')->{state}, 'lost', 'a session that is killed';
    ok Herd::poll_until(sub { eval { client()->value('SELECT count(*) FROM t') eq '4000' } }),
        'takes no connection with it';
    ok set_cap(0), 'without the cap';
};

# How a statement hears of a broken connection. Each case: where the connection breaks, the statement,
# and its SQLSTATE alone, as the first of a transaction that works on the node, and as a later one. The
# supervisor uses the proxy, too, so that rules name the statement.
my $read   = "SELECT v FROM t WHERE k = $key->{n1}";
my $stream = 'SELECT k, pad FROM t';
my $write  = "UPDATE t SET v = v + 1 WHERE k = $key->{n1}";
my $all    = 'UPDATE t SET v = v + 1';
my @sent   = (from => 'client', type => 'Execute', text => 'public\.t\b');
my @answer = (from => 'server', type => 'CommandComplete', text => '^UPDATE');
my @row    = (from => 'server', type => 'DataRow', nth => 50);
my @cases  = (
    [ 'dead before it is sent', [],      $read,   '00000', '00000', '08006' ],
    [ 'dead before it is sent', [],      $write,  '00000', '00000', '08006' ],
    [ 'dead before it is sent', [],      $all,    '00000', '00000', '08006' ],
    [ 'sent, no answer',        [@sent], $read,   '00000', '00000', '08006' ],
    [ 'sent, no answer',        [@sent], $stream, '00000', '00000', '08006' ],
    [ 'sent, no answer',        [@sent], $write,  '08007', '08006', '08006' ],
    [ 'sent, no answer',        [@sent], $all,    '08006', '08006', '08006' ],
    [ 'sent again, no answer',  [ @sent, times => 2 ], $read, '08006', '08006', '08006' ],
    [ 'after some rows',        [@row],    $stream, '08006', '08006', '08006' ],
    [ 'done, the answer lost',  [@answer], $write,  '08007', '08006', '08006' ],
    [ 'done, the answer lost',  [@answer], $all,    '08006', '08006', '08006' ],
);
my @blocks = ([ 'alone', '' ], [ 'first in a block', 'BEGIN' ],
    [ 'in a block', "BEGIN; UPDATE t SET v = v WHERE k = $key->{n1}" ]);

for my $act (qw(close reset truncate))
{
    for my $case (@cases)
    {
        my ($when, $rule, $statement, @expected) = @$case;
        next if $act eq 'truncate' && !@$rule;
        for my $i (0 .. $#blocks)
        {
            my ($where, $begin) = @{ $blocks[$i] };
            my $name   = "$act, $when, $where: $statement";
            my $client = client();
            $client->value('SELECT count(*) FROM t');
            $client->value($begin) if $begin;
            $proxy->forget;
            if   (@$rule) { $proxy->on(@$rule, act => $act, bytes => 7); }
            else          { $proxy->cut(keep_listening => 1, reset => $act eq 'reset' ? 1 : 0); }
            my $answer = $client->ask($statement, 20);
            is $answer->{state}, $expected[$i], $name;
            like $answer->{message}, qr/"n1"/, "$name: names the node" if $answer->{state} ne '00000';
            $proxy->forget;
            $client->value('ROLLBACK') if $begin;
            is $client->ask($statement, 20)->{state}, '00000', "$name: the session goes on";
            $client->leave;
        }
    }
}
cmp_ok $herd->counters->{retried}, '>=', 4, 'herd.stat counts what was sent once more';
ok $herd->nothing_prepared, 'nothing is left prepared';

subtest 'what is sent again is the same' => sub {
    $herd->sql('CREATE ROLE clerk; GRANT SELECT ON t TO clerk; ALTER TABLE t ENABLE ROW LEVEL SECURITY');
    $herd->sql(q{CREATE POLICY own ON t TO clerk USING (current_setting('app.tenant') = 'a')});
    my $client = client();
    $client->value("SET ROLE clerk");
    $client->value("SET app.tenant = 'a'");
    $client->value("PREPARE p (int) AS SELECT current_user, k FROM t WHERE k = \$1");
    for my $round (1 .. 3)
    {
        $proxy->forget;
        my $rule = $proxy->on(from => 'client', type => 'Execute', text => 'SELECT CURRENT_USER', act => 'close');
        is $client->value("EXECUTE p ($key->{n1})"), "clerk|$key->{n1}", 'role, settings and parameters';
    }
    $client->leave;
    $herd->sql('ALTER TABLE t DISABLE ROW LEVEL SECURITY');
};

subtest 'a volatile function is not run twice' => sub {
    $proxy->forget;
    my $client = client();
    $client->value($read);
    $proxy->on(from => 'client', type => 'Execute', text => 'random', act => 'close');
    is $client->ask("SELECT v + random() FROM t WHERE k = $key->{n1}")->{state}, '08006', 'the statement fails';
    $client->leave;
};

# Whoever ends what runs on a node does not want it to run again.
subtest 'what was ended on purpose is not sent again' => sub {
    $proxy->forget;
    my $client = client();
    $client->send("SELECT count(*) FROM t, generate_series(1, 2000000000) WHERE k = $key->{n1}");
    my $busy = q{FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()};
    ok $herd->poll_sql($n1, "SELECT count(*) $busy AND state = 'active'", 1), 'it runs';
    $n1->safe_psql($herd->dbname, "SELECT pg_terminate_backend(pid) $busy");
    is $client->answer(20)->{state}, '08006', 'it ends';
    is $client->ask($read)->{state}, '00000', 'and the session goes on';
    $client->leave;
};

subtest 'servers that end' => sub {
    for my $mode (qw(fast immediate kill))
    {
        $proxy->forget;
        my ($idle, $block, $reading) = map { client() } 1 .. 3;
        $idle->value($read);
        $block->value("BEGIN; $write");
        $reading->value("BEGIN; DECLARE c CURSOR FOR SELECT k, pad FROM t; FETCH 1 FROM c");
        if   ($mode eq 'kill') { $herd->kill_server($n1); }
        else                   { $n1->stop($mode); }
        $n1->start;
        is $idle->ask($write)->{state}, '00000', "$mode: an idle session does not notice";
        my $answer = $block->ask($write);
        is $answer->{state}, '08006', "$mode: a transaction does";
        like $answer->{message}, qr/node "n1"/, "$mode: which says where";
        is $block->ask('ROLLBACK')->{state}, '00000', "$mode: rollback";
        is $block->ask($write)->{state}, '00000', "$mode: and goes on";
        is $reading->ask('FETCH ALL FROM c')->{state}, '08006', "$mode: a cursor ends";
        $reading->value('ROLLBACK');
        is $reading->ask($read)->{state}, '00000', "$mode: and its session goes on";
        $n1->stop($mode eq 'kill' ? 'immediate' : $mode);
        my $began = time;
        is $idle->ask($read)->{state}, '08001', "$mode: a node that is away";
        cmp_ok time - $began, '<', 5, "$mode: is not waited for";
        $n1->start;
        is $idle->ask($read)->{state}, '00000', "$mode: until it is back";
        $_->leave for $idle, $block, $reading;
    }
};

# The connection to n1 was looked at for a statement that n2 then let fail: that says nothing later.
subtest 'a look at one node when another is away' => sub {
    $proxy->forget;
    my $n2     = $herd->node('n2');
    my $client = client();
    $client->value($read);
    $client->value('SELECT count(*) FROM t');
    $n2->stop('fast');
    is $client->ask('SELECT count(*) FROM t')->{state}, '08001', 'a statement over both fails';
    $n1->stop('fast');
    $n1->start;
    is $client->ask(q{SELECT herd.run_on_node('n1', 'SELECT 1')})->{state}, '00000',
        'the node that has restarted since is connected again';
    $n2->start;
    is $client->ask('SELECT count(*) FROM t')->{state}, '00000', 'and so is the other';
    $client->leave;
};

subtest 'errors of the node itself' => sub {
    my $client = client();
    $client->value($read);
    my $pid = backend($client, 'n1');
    my $waiting = client();
    $waiting->value("BEGIN; SELECT * FROM t WHERE k = $key->{n1} FOR UPDATE");
    for my $block ('', 'BEGIN; ')
    {
        $client->value("SET statement_timeout = '300ms'");
        is $client->ask("$block$write")->{state}, '57014', "${block}statement_timeout";
        $client->value('ROLLBACK') if $block;
        $client->value('RESET statement_timeout');
        $client->value("SET lock_timeout = '300ms'");
        is $client->ask("$block$write")->{state}, '55P03', "${block}lock_timeout";
        $client->value('ROLLBACK') if $block;
        $client->value('RESET lock_timeout');
        is backend($client, 'n1'), $pid, 'the connection is kept';
    }
    $waiting->value('ROLLBACK');
    $n1->safe_psql('postgres', 'ALTER SYSTEM SET temp_file_limit = 0');
    my $big = "SELECT count(*) FROM (SELECT DISTINCT pad || generate_series(1, 5000) FROM t"
        . " WHERE k = $key->{n1} OFFSET 0) s";
    $n1->safe_psql('postgres', 'ALTER SYSTEM SET work_mem = 64');
    $n1->safe_psql('postgres', 'SELECT pg_reload_conf()');
    ok Herd::poll_until(sub { client()->ask($big)->{state} eq '53400' }), 'temp_file_limit of the node: its own SQLSTATE';
    $n1->safe_psql('postgres', 'ALTER SYSTEM RESET work_mem');
    $n1->safe_psql('postgres', $_) for q{ALTER SYSTEM RESET temp_file_limit}, 'SELECT pg_reload_conf()';
    ok Herd::poll_until(sub { $client->ask($big)->{state} eq '00000' }), 'and the session goes on';
    is backend($client, 'n1'), $pid, 'over its connection';
    $_->leave for $client, $waiting;
};

subtest 'timeouts end the nodes\' part' => sub {
    my $idle_there = q{SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'};
    my $client = client();
    $client->value("SET idle_in_transaction_session_timeout = '300ms'");
    $client->value("BEGIN; $all");
    ok $herd->poll_sql($n1, $idle_there, 0), 'idle_in_transaction_session_timeout';
    is $client->ask('COMMIT')->{state}, '25P03', 'as on one server';
    $client = client();
    $client->value("SET statement_timeout = '300ms'");
    is $client->ask("BEGIN; SELECT count(pg_sleep(1)) FROM t WHERE k = $key->{n1}")->{state}, '57014', 'statement_timeout';
    $client->value('ROLLBACK');
    ok $herd->poll_sql($n1, $idle_there, 0), 'ends it on the node';
    $client->value('RESET statement_timeout');
    my $answer = $client->ask("BEGIN READ ONLY; $write");
    is $answer->{state}, '25006', 'READ ONLY';
    $client->value('ROLLBACK');
    my $begin = 'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE';
    is $client->ask("$begin; SELECT count(*) FROM t; COMMIT")->{state}, '00000', 'DEFERRABLE';
    my $modes = q{current_setting('transaction_read_only') || current_setting('transaction_deferrable')};
    is $client->value("$begin; SELECT herd.run_on_node('n1', \$\$SELECT $modes\$\$)"), 'onon', 'as the node sees it';
    $client->value('COMMIT');
    $client->leave;
};

done_testing;
