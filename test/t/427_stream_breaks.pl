# Streams of rows that break: COPY in both directions and INSERT ... SELECT, whose connection to a node is
# lost, whose node ends, or that are canceled, at their beginning, in their middle and at their end. The client
# hears the right SQLSTATE, nothing hangs, the session goes on, and no row of what failed is anywhere.
use strict;
use warnings;
use Herd;
use Herd::Client;
use Herd::Proxy;
use Test::More;
use Time::HiRes qw(time);

my $herd        = Herd->new(nodes => 2, proxies => 1);
my $coordinator = $herd->coordinator;
my $n1          = $herd->node('n1');
my $proxy       = $herd->proxy('n1');
my $file        = $coordinator->basedir . '/rows';

$herd->sql('CREATE TABLE t (k int PRIMARY KEY, pad text); CREATE TABLE other (k int PRIMARY KEY, pad text)');
$herd->sql('CREATE TABLE here (k int PRIMARY KEY, pad text); CREATE TABLE rate (k int PRIMARY KEY, pad text)');
$herd->sql(q{SELECT herd.distribute('t', 'k'), herd.distribute('other', 'k', 't'), herd.reference('rate')});
$herd->sql(q{INSERT INTO t SELECT k, repeat('x', 1500) FROM generate_series(1, 1500) k});
$herd->sql('INSERT INTO here SELECT k, pad FROM t');
$herd->sql("COPY here TO '$file'");

sub client
{
    my ($settings, $server) = @_;
    $server ||= $coordinator;
    return Herd::Client->new(host => $server->host, port => $server->port, dbname => $herd->dbname, settings => $settings);
}

# Nothing of other and rate is left, wherever one looks; and t is as it was.
my %watcher;

sub is_untouched
{
    my ($name) = @_;
    my $rows  = '(SELECT count(*) FROM other), (SELECT count(*) FROM rate)';
    my $found = join ' ', map {
        my $watcher = $watcher{ $_->name };
        $watcher = $watcher{ $_->name } = client(undef, $_)
            unless $watcher && $watcher->ask('SELECT 1')->{state} eq '00000';
        $watcher->value($_ == $coordinator ? "SELECT $rows, (SELECT count(*) FROM t)" : "SELECT $rows");
    } $herd->servers;
    is $found, '0|0|1500 0|0 0|0', "$name: nothing is left";
    return;
}

# name, statement, and the message at which it breaks
my @into = (from => 'client', text => 'INSERT INTO');
my @row  = (from => 'server', type => 'DataRow');
my @data = (from => 'client', type => 'CopyData');
my @end  = (from => 'client', type => 'CopyDone');
my @done = (from => 'server', type => 'CommandComplete');
my @cases = (
    [ 'COPY FROM, its first rows',      "COPY other FROM '$file'", @data ],
    [ 'COPY FROM, in the middle',       "COPY other FROM '$file'", @data, nth => 5 ],
    [ 'COPY FROM, its end',             "COPY other FROM '$file'", @end ],
    [ 'COPY FROM, its answer',          "COPY other FROM '$file'", @done, text => '^COPY' ],
    [ 'COPY FROM of a reference table', "COPY rate FROM '$file'",  @data, nth => 5 ],
    [ 'COPY TO',                        'COPY t TO STDOUT',        @row, nth => 100 ],
    [ 'COPY TO a file',                 "COPY t TO '$file.out'",   @row, nth => 100 ],
    [ 'COPY (query) TO',                'COPY (SELECT pad, k FROM t WHERE k > 0) TO STDOUT', @row, nth => 100 ],
    [ 'COPY (query) TO, sorted',        'COPY (SELECT pad, k FROM t ORDER BY k) TO STDOUT',  @row, nth => 100 ],
    [ 'COPY (DML) TO',                  'COPY (UPDATE t SET pad = pad RETURNING k, pad) TO STDOUT', @row, nth => 100 ],
    [ 'INSERT SELECT from here',        'INSERT INTO other SELECT k, pad FROM here', @data ],
    [ 'INSERT SELECT, in the middle',   'INSERT INTO other SELECT k, pad FROM here', @data, nth => 5 ],
    [ 'INSERT SELECT, its end',         'INSERT INTO other SELECT k, pad FROM here', @end ],
    [ 'INSERT SELECT, its answer',      'INSERT INTO other SELECT k, pad FROM here', @done, text => '^COPY' ],
    [ 'INSERT SELECT by statements',    'INSERT INTO other SELECT k, pad FROM here RETURNING k', @into, type => 'Execute' ],
    [ 'such a statement\'s answer',     'INSERT INTO other SELECT k, pad FROM here RETURNING k', @done, text => '^INSERT' ],
    [ 'INSERT SELECT, reading',         'INSERT INTO other SELECT k + 1, pad FROM t', @row, nth => 100 ],
    [ 'INSERT SELECT, writing',         'INSERT INTO other SELECT k + 1, pad FROM t', @data, nth => 5 ],
    [ 'INSERT SELECT on the nodes',     'INSERT INTO other SELECT k, pad FROM t',     @into, type => 'Execute' ],
    [ 'INSERT SELECT into a reference', 'INSERT INTO rate SELECT k, pad FROM t',      @data, nth => 5 ],
    [ 'CREATE TABLE AS',                'CREATE TABLE result AS SELECT k, pad FROM t', @row, nth => 100 ],
);

# What happens at that message: the proxy's own act, or what is done while the stream stands still. The
# SQLSTATE that follows; whoever is terminated while it writes to its client says nothing, as in PostgreSQL.
my $busy = q{FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND backend_type = 'client backend'};
my @breaks = (
    [ 'closed',            '08006', 'close' ],
    [ 'reset',             '08006', 'reset' ],
    [ 'cut in two',        '08006', 'truncate' ],
    [ 'stalled, then cut', '08006', 'stall', sub { $proxy->cut(keep_listening => 1) } ],
    [ 'node killed',       '08006', 'stall', sub { $herd->kill_server($n1);  $proxy->cut(keep_listening => 1); $n1->start } ],
    [ 'node restarted',    '08006', 'stall', sub { $n1->stop('fast');        $proxy->cut(keep_listening => 1); $n1->start } ],
    [ 'canceled',          '57014', 'stall', sub { $herd->sql("SELECT pg_cancel_backend(pid) $busy") } ],
    [ 'statement_timeout', '57014', 'stall', sub { } ],
    [ 'terminated',        '57P01|lost', 'stall', sub { $herd->sql("SELECT pg_terminate_backend(pid) $busy") } ],
);

# Servers that end and come back take long, so that not every case has all of them.
my $number = 0;
for my $break (@breaks)
{
    for my $case (@cases)
    {
        $number++;
        next if $break->[0] =~ /^node/ && $number % 4;
        break_it($break, $case, '')        if $break->[0] eq 'closed' || $number % 2;
        break_it($break, $case, 'BEGIN; ') if $break->[0] eq 'closed' || $number % 2 == 0;
    }
}

sub break_it
{
    my ($how,  $state,     $act, $strike) = @{ $_[0] };
    my ($what, $statement, @rule)         = @{ $_[1] };
    my $block  = $_[2];
    my $name   = "$how: $block$what";
    my $client = client($how eq 'statement_timeout' ? { statement_timeout => '500ms' } : undef);
    $proxy->forget;
    my $rule = $proxy->on(@rule, act => $act, bytes => 7);
    $client->send("$block$statement");
    ok Herd::poll_until(sub { $proxy->hits($rule) }, $name, 20), "$name: it gets there";
    my $began = time;
    $strike->() if $strike;
    my $answer = $client->answer(20);
    like $answer->{state}, qr/^($state)$/, $name;
    like $answer->{message}, qr/node "n1"/, "$name: names the node" if $state eq '08006';
    cmp_ok time - $began, '<', 10, "$name: it does not take long";
    $proxy->heal;
    $proxy->forget;
    is_untouched($name);
    return unless $client->is_open;
    $client->value('ROLLBACK') if $block;
    $client->value('SET statement_timeout = 0');
    is $client->ask("BEGIN; $statement; ROLLBACK", 20)->{state}, '00000', "$name: the session goes on";
    $client->leave;
    return;
}

ok $herd->nothing_prepared, 'nothing is prepared';
ok $herd->poll_sql($_, q{SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'}, 0),
    $_->name . ' has no transaction left'
    for $herd->servers;
$herd->check_invariants('after all breaks');

done_testing;
