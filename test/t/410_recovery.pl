# Transactions over two nodes when something dies at each step of their commit: all or nothing, and
# no prepared transaction is left within ten seconds.
use strict;
use warnings;
use Herd;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my @steps = map { "commit.$_" }
  qw(before_prepare after_prepare before_local after_local after_commit_prepared);

my $herd = Herd->new(nodes => 2);
my $coordinator = $herd->coordinator;
$herd->sql("SELECT herd.run_on_node('$_', 'CREATE TABLE public.ledger (id int PRIMARY KEY)')")
  for qw(n1 n2);

my $next_id = 0;

# The script of a transaction that inserts one number on both nodes.
sub transfer
{
    my ($id) = @_;
    return "BEGIN;\n"
      . CORE::join('', map { "SELECT herd.run_on_node('$_', 'INSERT INTO public.ledger VALUES ($id)');\n" } qw(n1 n2))
      . "COMMIT;\n";
}

sub rows_of
{
    my ($id) = @_;
    return CORE::join(' ', map { $herd->sql_on($_, "SELECT count(*) FROM ledger WHERE id = $id") } qw(n1 n2));
}

sub nothing_left
{
    my ($when) = @_;
    ok $herd->nothing_prepared, "no prepared transaction is left $when";
    ok $herd->poll_sql($coordinator, 'SELECT count(*) FROM herd.dist_transaction', '0'),
      "and no decision is kept $when";
    return;
}

# Runs a transaction up to the step, lets $strike happen there, and returns its number and outcome.
sub struck_at
{
    my ($step, $strike) = @_;
    my $id = ++$next_id;
    $herd->sql("SELECT herd.failpoint_set('$step', 'pause')");
    my ($out, $err) = ('', '');
    my $script = PostgreSQL::Test::Utils::tempdir() . '/transfer.sql';
    append_to_file($script, transfer($id));
    my $psql = IPC::Run::start(
        [
            'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', $script,
            '-d',   $coordinator->connstr($herd->dbname)
        ],
        '>', \$out, '2>', \$err);
    ok $herd->poll_sql($coordinator, 'SELECT herd.failpoint_paused()', $step), "reached $step" or diag "$out$err";
    $strike->();
    $psql->finish;
    my $code = $psql->result(0);
    return ($id, $code == 0 ? 'committed' : 'failed', $err);
}

subtest 'a node dies' => sub {
    for my $step (@steps)
    {
        my ($id, $outcome, $err) = struck_at($step, sub {
            $herd->kill_server($herd->node('n1'));
            $herd->sql("SELECT herd.failpoint_clear('$step')");
        });
        is $outcome, $step eq 'commit.before_prepare' ? 'failed' : 'committed', "$step: outcome";
        like $err, qr/WARNING.*"n1" has not acknowledged it yet/s, "$step: the session is warned"
          if $outcome eq 'committed' && $step ne 'commit.after_commit_prepared';
        $herd->node('n1')->start;
        nothing_left("after a node died at $step");
        is rows_of($id), $outcome eq 'committed' ? '1 1' : '0 0', "$step: all or nothing";
    }
};

subtest 'the coordinator dies' => sub {
    for my $step (@steps)
    {
        my ($id) = struck_at($step, sub { $herd->kill_server($coordinator) });
        $coordinator->start;
        nothing_left("after the coordinator died at $step");
        is rows_of($id), $step =~ /after_local|after_commit_prepared/ ? '1 1' : '0 0',
          "$step: all or nothing";
    }
};

subtest 'the session fails' => sub {
    for my $step (@steps)
    {
        my $id = ++$next_id;
        $herd->sql("SELECT herd.failpoint_set('$step', 'error')");
        my (undef, $state) = $herd->try(transfer($id));
        $herd->sql("SELECT herd.failpoint_clear('$step')");
        my $decided = $step =~ /after_local|after_commit_prepared/;
        is $state, $decided ? '00000' : 'XX000', "$step: what the client sees";
        nothing_left("after an error at $step");
        is rows_of($id), $decided ? '1 1' : '0 0', "$step: all or nothing";
    }
};

subtest 'the session is canceled or terminated' => sub {
    for my $step (@steps)
    {
        for my $how (qw(pg_cancel_backend pg_terminate_backend))
        {
            my $decided = $step =~ /after_local|after_commit_prepared/;
            my ($id, $outcome) = struck_at($step, sub {
                $herd->sql("SELECT $how(pid) FROM pg_stat_activity WHERE wait_event = 'Extension' AND backend_type = 'client backend'");
                usleep(200_000) if $decided;
                $herd->sql("SELECT herd.failpoint_clear('$step')");
            });
            nothing_left("after $how at $step");
            is rows_of($id), $decided ? '1 1' : '0 0', "$how at $step: all or nothing";
        }
    }
};

subtest 'an acknowledgement is late' => sub {
    my $node = $herd->node('n1');
    my $session = $herd->session;
    my $id = ++$next_id;
    $session->query_safe("SELECT herd.run_on_node('n1', 'SELECT 1')");
    $herd->sql("SELECT herd.failpoint_set('commit.before_local', 'pause')");
    $session->query_until(qr//, transfer($id));
    ok $herd->poll_sql($coordinator, 'SELECT herd.failpoint_paused()', 'commit.before_local'), 'prepared';
    # What it has seen then, a transaction in progress, is not what it has to show later.
    ok $herd->poll_sql($node, q{SELECT count(*) FROM pg_stat_activity WHERE query ~ 'self_node.*pg_prepared_xacts'
        AND state = 'idle' AND pid <> pg_backend_pid() AND query_start > (SELECT max(prepared) FROM pg_prepared_xacts)}, 1),
      'the supervisor has seen it prepared';
    my @processes = ($node->{_pid}, Herd::children_of($node->{_pid}));
    kill 'STOP', @processes;
    $herd->sql("SELECT herd.failpoint_clear('commit.before_local')");
    ok $herd->poll_sql($coordinator, "SELECT count(*) FROM herd.dist_transaction", '1'), 'committed here';
    usleep(1_300_000);
    ok $herd->poll_sql($coordinator, "SELECT state FROM herd.node WHERE name = 'n1'", 'down'), 'a hung node is down';
    like $herd->sql('SELECT sentence FROM herd.supervisor'), qr/"n1" is down .* 1 transaction in doubt/, 'the sentence says so';
    is $herd->sql('SELECT node, status FROM herd.transactions'), 'n1|committing', 'herd.transactions shows it';
    kill 'CONT', @processes;
    is $session->query("SELECT herd.run_on_node('n1', 'SELECT count(*) FROM public.ledger WHERE id = $id')"), 1,
      'the session reads its own writes once the node answers';
    $session->quit;
    nothing_left('after a late acknowledgement');
    is rows_of($id), '1 1', 'all of it';
};

subtest 'what recovery must not touch' => sub {
    my ($cluster, $term) = split /\|/, $herd->sql('SELECT cluster_id, term FROM herd.cluster');
    my %gid = (
        'another herd' => "herd:00000000-0000-0000-0000-000000000000:$term:2:5:7",
        'another term' => "herd:$cluster:" . ($term + 1) . ':2:5:7',
        'the future' => "herd:$cluster:$term:2:99999999999:7",
        'no herd at all' => 'transfer 5',
    );
    my $n = 1000;
    $herd->sql_on('n1', "BEGIN; CREATE TABLE t" . ++$n . "(); PREPARE TRANSACTION '$gid{$_}'") for sort keys %gid;
    ok $herd->poll_sql($coordinator, "SELECT count(*) FROM herd.transactions WHERE status = 'undecidable'", '2'),
      'undecidable transactions are shown';
    is $herd->sql("SELECT count(*) FROM herd.event WHERE kind = 'undecidable'"), 2, 'with an event each';
    usleep(1_500_000);
    is $herd->sql_on('n1', 'SELECT count(*) FROM pg_prepared_xacts'), 4, 'none of them was touched';
    $herd->sql_on('n1', "ROLLBACK PREPARED '$gid{$_}'") for sort keys %gid;
    ok $herd->poll_sql($coordinator, 'SELECT count(*) FROM herd.transactions', '0'), 'gone from the view';
};

subtest 'a running transaction is left alone however long it takes' => sub {
    my ($id, $outcome) = struck_at('commit.after_prepare', sub {
        usleep(3_000_000);
        is $herd->sql_on($_, 'SELECT count(*) FROM pg_prepared_xacts'), 1, "$_ still holds it" for qw(n1 n2);
        $herd->sql("SELECT herd.failpoint_clear('commit.after_prepare')");
    });
    is $outcome, 'committed', 'it commits';
    nothing_left('after a long commit');
    is rows_of($id), '1 1', 'all of it';
};

done_testing;
