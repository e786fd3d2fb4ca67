# A full disk, on a node and on the coordinator, at each kind of statement and at each step of a commit: the
# client hears PostgreSQL's own SQLSTATE, nothing hangs, sessions go on, and once there is room again nothing is
# in doubt or half there.
use strict;
use warnings;
use Herd;
use Herd::Client;
use Herd::FullDisk;
use PostgreSQL::Test::Utils;
use Test::More;

my $herd        = Herd->new(nodes => 2, conf => 'restart_after_crash = on');
my $coordinator = $herd->coordinator;
my %disk        = map { $_->name => Herd::FullDisk->new($_) } $coordinator, $herd->node('n1');

$herd->sql('CREATE TABLE t (k int PRIMARY KEY, v int, pad text)');
$herd->sql(q{SELECT herd.distribute('t', 'k'); CREATE TABLE diary (k int, pad text)});
$herd->sql(q{CREATE TABLE rate (k int PRIMARY KEY, pad text); SELECT herd.reference('rate')});
my $key = $herd->key_on('t');
$herd->sql("INSERT INTO t SELECT k, 0, repeat('x', 1500) FROM generate_series(1, 2000) k");
my $some = "SELECT k, 0, repeat('y', 1500) FROM generate_series(10001, 12000) k";
$herd->sql("COPY ($some) TO '" . $coordinator->basedir . "/some'");

sub client
{
    return Herd::Client->new(host => $coordinator->host, port => $coordinator->port, dbname => $herd->dbname);
}

sub rows { return $herd->sql('SELECT count(*), sum(v) FROM t'); }

# The process on n1 that works for this client, as the client itself sees it.
sub backend { return $_[0]->value(q{SELECT herd.run_on_node('n1', 'SELECT pg_backend_pid()')}); }

my $before = rows();
my $spill  = 'SELECT count(*) FROM (SELECT DISTINCT pad || generate_series(1, 5000) FROM t';
my @cases  = (
    [ n1 => 'INSERT',               "INSERT INTO t $some" ],
    [ n1 => 'UPDATE',               q{UPDATE t SET v = 1, pad = pad || 'y'} ],
    [ n1 => 'computed UPDATE',      q{UPDATE t SET v = 1, pad = (SELECT max(pad) FROM t)} ],
    [ n1 => 'MERGE',                "MERGE INTO t USING ($some) s (k, v, pad) ON s.k = t.k WHEN NOT MATCHED THEN INSERT VALUES (s.k, 1, pad)" ],
    [ n1 => 'reference table',      q{INSERT INTO rate SELECT k, repeat('z', 1500) FROM generate_series(1, 2000) k} ],
    [ n1 => 'COPY FROM',            "COPY t FROM '" . $coordinator->basedir . "/some'" ],
    [ n1 => 'a read that spills',   "$spill WHERE k = $key->{n1} OFFSET 0) s" ],
    [ n1 => 'CREATE TABLE',         'CREATE TABLE more (k int PRIMARY KEY)' ],
    [ n1 => 'CREATE INDEX',         'CREATE INDEX ON t (pad)' ],
    [ coordinator => 'local INSERT',         'INSERT INTO diary SELECT k, pad FROM t' ],
    [ coordinator => 'reference table here', q{INSERT INTO rate SELECT k, repeat('z', 1500) FROM generate_series(1, 2000) k} ],
    [ coordinator => 'a read that spills',   'SELECT count(*) FROM (SELECT pad || k FROM t ORDER BY random()) s' ],
    [ coordinator => 'a cursor that spills', 'DECLARE c CURSOR WITH HOLD FOR SELECT k, pad FROM t; COMMIT' ],
);

for my $case (@cases)
{
    my ($where, $name, $statement) = @$case;
    for my $block ('', 'BEGIN; ')
    {
        my $client = client();
        $client->value("SET work_mem = 64");
        my $pid = backend($client);
        $disk{$where}->fill;
        my $answer = $client->ask("$block$statement");
        is $answer->{state}, '53100', "$where, $block$name";
        like $answer->{message}, qr/No space left on device/, "$where, $block$name: says why";
        is $client->ask('ROLLBACK')->{state}, '00000', "$where, $block$name: rollback" if $block;
        is $client->ask('SELECT count(*) FROM t')->{rows}[0][0], 2000, "$where, $block$name: reads go on";
        $disk{$where}->empty;
        is $client->ask("BEGIN; $statement; ROLLBACK")->{state}, '00000', "$where, $block$name: and so does the rest";
        is backend($client), $pid, "$where, $block$name: over the same connection";
        $client->leave;
    }
}
is rows(), $before, 'nothing of it is left';
is $herd->sql('SELECT (SELECT count(*) FROM diary), (SELECT count(*) FROM rate)'), '0|0', 'nowhere';
ok $herd->nothing_prepared, 'nothing is prepared';

# A transaction over both nodes and the coordinator, up to the failpoint.
my $number = 0;
sub transaction
{
    my ($failpoint) = @_;
    $number++;
    my $client = client();
    $client->value('SELECT count(*) FROM t');
    $client->value("BEGIN; UPDATE t SET v = $number WHERE k IN ($key->{n1}, $key->{n2}, $key->{coordinator})");
    $client->value("INSERT INTO diary VALUES ($number)");
    return $client unless $failpoint;
    $herd->sql("SELECT herd.failpoint_set('$failpoint', 'pause')");
    $client->send('COMMIT');
    ok $herd->poll_sql($coordinator, "SELECT count(*) FROM (SELECT herd.failpoint_paused()) p (x) WHERE x ~ '$failpoint'", 1),
        "$failpoint is reached";
    return $client;
}

sub is_all
{
    my ($what) = @_;
    my $keys = join ', ', values %$key;
    ok $herd->poll_sql($coordinator, "SELECT count(*) FROM t WHERE k IN ($keys) AND v = $number", 3), "$what: all of it";
    is $herd->sql("SELECT count(*) FROM diary WHERE k = $number"), 1, "$what: also here";
    ok $herd->nothing_prepared, "$what: nothing is left prepared";
    ok $herd->poll_sql($coordinator, 'SELECT count(*) FROM herd.dist_transaction', 0), "$what: and no decision";
    return;
}

sub is_nothing
{
    my ($what) = @_;
    is $herd->sql("SELECT (SELECT count(*) FROM t WHERE v = $number), (SELECT count(*) FROM diary WHERE k = $number)"),
        '0|0', "$what: nothing of it";
    ok $herd->nothing_prepared, "$what: nothing is left prepared";
    ok $herd->poll_sql($coordinator, 'SELECT count(*) FROM herd.dist_transaction', 0), "$what: and no decision";
    return;
}

# The WAL of a server that has no room ends the server: that is PostgreSQL's own way.
subtest 'PREPARE TRANSACTION on a node' => sub {
    my $client = transaction();
    $disk{n1}->fill_log;
    my $answer = $client->ask('COMMIT');
    is $answer->{state}, '08006', 'fails';
    like $answer->{message}, qr/node "n1"/, 'and says where';
    is $client->ask("SELECT v FROM t WHERE k = $key->{n2}")->{state}, '00000', 'the session goes on';
    ok $disk{n1}->revive, 'the node comes back';
    is_nothing('afterwards');
    is $client->ask("UPDATE t SET v = v")->{state}, '00000', 'the session writes again';
};

subtest 'COMMIT PREPARED on a node' => sub {
    $herd->sql(q{SELECT herd.failpoint_set('supervisor.tick', 'pause')});    # it would finish the transaction
    my $client = transaction('commit.after_local');
    $disk{n1}->fill_log;
    $herd->sql(q{SELECT herd.failpoint_clear('commit.after_local')});
    my $answer = $client->answer;
    $herd->sql(q{SELECT herd.failpoint_clear('supervisor.tick')});
    is $answer->{state}, '00000', 'the transaction is committed';
    like $answer->{warnings}[0] || '', qr/n1/, 'with a warning';
    ok $disk{n1}->revive, 'the node comes back';
    is_all('afterwards');
    is $client->ask("UPDATE t SET v = v")->{state}, '00000', 'the session writes again';
};

subtest 'a commit in one phase' => sub {
    my $client = client();
    $number++;
    $client->value("BEGIN; UPDATE t SET v = $number WHERE k = $key->{n1}");
    $disk{n1}->fill_log;
    like $client->ask('COMMIT')->{state}, qr/^0800[67]$/, 'the connection is lost';
    ok $disk{n1}->revive, 'the node comes back';
    is_nothing('afterwards');
};

subtest 'the record of the decision' => sub {
    $coordinator->safe_psql('postgres', 'VACUUM herd.dist_transaction');
    is $herd->sql(q{SELECT pg_relation_size('herd.dist_transaction')}), 0, 'its table is empty';
    my $client = transaction();
    $disk{coordinator}->fill;
    is $client->ask('COMMIT')->{state}, '53100', 'has no room: the commit fails';
    $disk{coordinator}->empty;
    is_nothing('afterwards');
    is $client->ask("UPDATE t SET v = v")->{state}, '00000', 'the session writes again';
};

for my $failpoint (qw(commit.after_prepare commit.before_local))
{
    subtest "the decision: $failpoint" => sub {
        my $client = transaction($failpoint);
        my $file   = $coordinator->logfile;
        my $from   = -s $file;
        $disk{coordinator}->fill_log;
        $herd->try("SELECT herd.failpoint_clear('$failpoint')");

        # Others write WAL, too: then the client hears of a crash.
        like $client->answer->{state}, qr/^(53100|57P02|lost)$/, 'the client hears of it';
        ok !$client->is_open, 'the coordinator ends';
        like slurp_file($file, $from), qr/PANIC:.*No space left on device/, 'because its WAL has no room';
        ok $disk{coordinator}->revive, 'it comes back';
        is_nothing('afterwards');
        is client()->ask("UPDATE t SET v = v")->{state}, '00000', 'and writes again';
    };
}
$herd->check_invariants('after all of it');

done_testing;
