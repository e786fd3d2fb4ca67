# A commit over two nodes, with a server killed at each of its steps: after a restart all of the
# transaction is there or nothing of it, and within ten seconds no server holds it prepared.
use strict;
use warnings;
use Herd;
use Test::More;

my @steps = qw(commit.before_prepare commit.after_prepare commit.before_local commit.after_local
    commit.after_commit_prepared);
my $herd        = Herd->new(nodes => 2, conf => "wal_writer_delay = 10s\n");
my $coordinator = $herd->coordinator;
$herd->sql('CREATE TABLE accounts (id int PRIMARY KEY, round int NOT NULL)');
$herd->sql("SELECT herd.distribute('accounts', 'id')");
my $key = $herd->key_on('accounts');
$herd->sql("INSERT INTO accounts VALUES ($key->{$_}, 0)") for sort keys %$key;
my $round = 0;

# Which rows carry the round's number: 'all', 'none' or the ids, over the keys that it wrote.
sub outcome
{
    my (@ids) = @_;
    my $list  = join ',', @ids;
    my $rows =
        $herd->sql("SELECT id FROM accounts WHERE id IN ($list) AND round = $round ORDER BY id");
    my @found = split /\n/, $rows;
    return @found == 0 ? 'none' : @found == @ids ? 'all' : "only @found";
}

sub transaction
{
    my (@ids) = @_;
    $round++;
    return join '', "BEGIN;\n",
        (map { "UPDATE accounts SET round = $round WHERE id = $_;\n" } @ids),
        "COMMIT;\n";
}

# Runs a transaction up to the step, calls $act while it waits there, and lets it go on.
sub stopped_at
{
    my ($step, $ids, $act) = @_;
    $herd->sql("SELECT herd.failpoint_set('$step', 'pause')");
    my $job = $herd->start_script(transaction(@$ids));
    my $reached =
        Herd::poll_until(sub { ($herd->try('SELECT herd.failpoint_paused()'))[0] =~ /\Q$step\E/ },
        "$step reached");
    ok $reached, "$step is reached";
    $act->();
    return $job;
}

sub clear
{
    my ($step) = @_;
    return $herd->try("SELECT herd.failpoint_clear('$step')");
}

for my $step (@steps)
{
    for my $victim ('n1', 'n2')
    {
        for my $ids ([ @$key{qw(n1 n2)} ], [ @$key{qw(n1 n2 coordinator)} ])
        {
            my $name = "$victim killed at $step, " . @$ids . ' servers written';
            my $job  = stopped_at($step, $ids, sub { $herd->kill_server($herd->node($victim)) });
            clear($step);
            my (undef, $state) = $herd->finish_script($job);
            $herd->node($victim)->start;
            ok $herd->nothing_prepared, "$name: nothing is left prepared";
            my $outcome = outcome(@$ids);
            like $outcome, qr/^(all|none)$/, "$name: all or nothing ($outcome, client saw $state)";
            is $outcome, 'all',  "$name: acknowledged, so it is there" if $state eq '00000';
            is $outcome, 'none', "$name: refused, so it is not there" if $state =~ /^08006|^57|^HR/;
        }
    }
}

for my $step (@steps)
{
    my $ids  = [ @$key{qw(n1 n2 coordinator)} ];
    my $name = "coordinator killed at $step";
    my $job  = stopped_at($step, $ids, sub { $herd->kill_server($coordinator) });
    my (undef, $state) = $herd->finish_script($job);
    is $state, 'lost', "$name: the client has lost its connection";
    $coordinator->start;
    ok $herd->nothing_prepared, "$name: nothing is left prepared";
    my $expected = $step =~ /after_local|after_commit_prepared/ ? 'all' : 'none';
    is outcome(@$ids), $expected, "$name: $expected of it is there";
}

# Everything at once: the whole machine loses power.
for my $step (@steps)
{
    my $ids = [ @$key{qw(n1 n2 coordinator)} ];
    my $job = stopped_at($step, $ids, sub { $herd->kill_server($_) for $herd->servers });
    $herd->finish_script($job);
    $_->start for $herd->servers;
    ok $herd->nothing_prepared, "all servers killed at $step: nothing is left prepared";
    my $expected = $step =~ /after_local|after_commit_prepared/ ? 'all' : 'none';
    is outcome(@$ids), $expected, "all servers killed at $step: $expected of it is there";
}

# The decision is durable even when commits may be lost, and a crash at once.
for my $attempt (1 .. 3)
{
    my @ids = @$key{qw(n1 n2 coordinator)};
    my (undef, $state) = $herd->try("SET synchronous_commit = off;\n" . transaction(@ids));
    $herd->kill_server($coordinator);
    $coordinator->start;
    is $state, '00000', "asynchronous commit $attempt is acknowledged";
    ok $herd->nothing_prepared, "asynchronous commit $attempt: nothing is left prepared";
    is outcome(@ids), 'all', "asynchronous commit $attempt: the crash has lost no part of it";
}

# A node that hangs when it should acknowledge: the client gets its answer all the same, and what the
# session reads next has waited for its own write.
{
    my @ids = @$key{qw(n1 n2)};
    $herd->sql("SELECT herd.failpoint_set('commit.after_local', 'pause')");
    my $read = "SELECT 'read', round FROM accounts WHERE id = $ids[0];\n";
    my $job  = $herd->start_script(transaction(@ids) . "SELECT 'committed';\n" . $read);
    Herd::poll_until(
        sub { ($herd->try('SELECT herd.failpoint_paused()'))[0] =~ /after_local/ }, 'pause reached');
    my $n1     = $herd->node('n1');
    my @frozen = ($n1->{_pid}, Herd::children_of($n1->{_pid}));
    kill 'STOP', @frozen;
    clear('commit.after_local');
    my $answered = Herd::poll_until(
        sub { $herd->output_so_far($job) =~ /committed/ }, 'commit answered', 10);
    ok $answered, 'a node that hangs does not hold up the answer to COMMIT';
    kill 'CONT', @frozen;
    my ($out, $state) = $herd->finish_script($job);
    is $state, '00000', 'the session goes on when the node does';
    like $out, qr/^read\|$round$/m, 'and reads its own write';
    ok $herd->nothing_prepared, 'nothing is left prepared on the node that hung';
    is outcome(@ids), 'all', 'all of the transaction is there';
}

# Errors, cancel and termination of the session at each step before the decision.
for my $step (@steps[ 0 .. 2 ])
{
    my @ids = @$key{qw(n1 n2 coordinator)};
    $herd->sql("SELECT herd.failpoint_set('$step', 'error')");
    my (undef, $state) = $herd->try(transaction(@ids));
    clear($step);
    isnt $state, '00000', "error at $step reaches the client";
    ok $herd->nothing_prepared, "error at $step: nothing is left prepared";
    is outcome(@ids), 'none', "error at $step: nothing is there";

    for my $signal ('cancel', 'terminate')
    {
        my $job = stopped_at(
            $step,
            \@ids,
            sub {
                $herd->sql(
                    "SELECT pg_${signal}_backend(pid) FROM pg_stat_activity
                        WHERE query ~ 'COMMIT' AND state = 'active' AND pid <> pg_backend_pid()"
                );
            }
        );
        my (undef, $end) = $herd->finish_script($job);
        clear($step);
        isnt $end, '00000', "$signal at $step reaches the client ($end)";
        ok $herd->nothing_prepared, "$signal at $step: nothing is left prepared";
        is outcome(@ids), 'none', "$signal at $step: nothing is there";
    }
}

# Savepoints: the node that was touched inside of a savepoint rolled back commits nothing of it.
my @all = @$key{qw(n1 n2 coordinator)};
$round++;
$herd->sql(
    "BEGIN; UPDATE accounts SET round = $round WHERE id = $all[0]; SAVEPOINT s;
    UPDATE accounts SET round = -1 WHERE id IN ($all[1], $all[2]); ROLLBACK TO s;
    UPDATE accounts SET round = $round WHERE id IN ($all[1], $all[2]); COMMIT"
);
is outcome(@all), 'all', 'a savepoint rolled back on several nodes, and the rest committed';

is $herd->sql('SELECT count(*) FROM herd.dist_transaction'), 0, 'no decision is left over'
    if Herd::poll_until(
    sub { $herd->sql('SELECT count(*) FROM herd.dist_transaction') eq '0' },
    'decisions to be deleted', 30
    );
$herd->check_invariants('after all crashes');
done_testing;
