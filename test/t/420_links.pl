# A session's links to nodes: what a cancel, a lost connection or an error on one side does to the
# other, and to the transaction.
use strict;
use warnings;
use Herd;
use Test::More;
use Time::HiRes qw(time);

my $herd = Herd->new(nodes => 2);
my $coordinator = $herd->coordinator;
$herd->sql_on($_, 'CREATE TABLE ledger (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)') for qw(n1 n2);

sub on { my ($node, $sql) = @_; return "SELECT herd.run_on_node('$node', \$\$$sql\$\$);\n"; }
sub ids { my ($node) = @_; return $herd->sql_on($node, "SELECT string_agg(id::text, ',' ORDER BY id) FROM ledger"); }
sub clean { $herd->sql_on($_, 'TRUNCATE ledger') for qw(n1 n2); return; }

# Runs a script without stopping at errors; returns its output and messages.
sub script
{
    my ($sql) = @_;
    my ($out, $err);
    $coordinator->psql($herd->dbname, $sql, stdout => \$out, stderr => \$err, on_error_stop => 0,
        extra_params => [ '-v', 'VERBOSITY=verbose' ], timeout => $Herd::timeout);
    return ($out, $err);
}

subtest 'savepoints' => sub {
    clean();
    my ($out, $err) = script("BEGIN;\nSAVEPOINT a;\n" . on('n1', 'INSERT INTO public.ledger VALUES (1)')
      . "SAVEPOINT b;\n" . on('n1', 'INSERT INTO public.ledger VALUES (2)') . "RELEASE b;\nROLLBACK TO a;\n"
      . on('n1', 'INSERT INTO public.ledger VALUES (3)') . "SAVEPOINT c;\n" . on('n1', 'SELECT 1/0')
      . "ROLLBACK TO c;\n" . on('n1', 'INSERT INTO public.ledger VALUES (4)') . 'COMMIT;');
    is ids('n1'), '3,4', 'a released savepoint inside of one that is rolled back leaves no trace';
    is_deeply [ $err =~ /ERROR:\s+(\w+)/g ], ['22012'], 'and only the expected error is seen';
};

subtest 'errors at commit' => sub {
    clean();
    $herd->sql_on('n1', 'INSERT INTO ledger VALUES (1)');
    my ($out, $state) = $herd->try("BEGIN;\n" . on('n1', 'INSERT INTO public.ledger VALUES (1)')
          . on('n2', 'INSERT INTO public.ledger VALUES (1)') . 'COMMIT;');
    is $state, '23505', 'a deferred constraint on one of two nodes fails the PREPARE';
    is ids('n2'), '', 'and nothing is left on the other';
    (undef, $state) = $herd->try("BEGIN;\n" . on('n1', 'INSERT INTO public.ledger VALUES (1)') . 'COMMIT;');
    is $state, '23505', 'on the only node that wrote it fails the COMMIT';
    ok $herd->nothing_prepared, 'no prepared transaction is left';
};

# A node whose block has failed answers COMMIT and PREPARE TRANSACTION with ROLLBACK, which is no error.
# Here a row that the client never asked for fails on the node.
subtest 'a failed block is never taken for a committed one' => sub {
    $herd->sql('CREATE TABLE d (k int PRIMARY KEY)');
    $herd->sql(q{SELECT herd.distribute('d', 'k'); SELECT herd.set_node('coordinator', takes_shards => false)});
    $herd->sql('DROP TABLE d; CREATE TABLE d (k int PRIMARY KEY)');
    $herd->sql(q{SELECT herd.distribute('d', 'k')});
    $herd->sql('INSERT INTO d SELECT generate_series(1, 200000)');
    for my $second ('', on('n2', 'INSERT INTO public.ledger VALUES (9)'))
    {
        clean();
        my $phase = $second ? 'two phases' : 'one phase';
        my ($out, $state) = $herd->try("BEGIN;\n" . on('n1', 'INSERT INTO public.ledger VALUES (8)') . $second
              . "DECLARE c CURSOR FOR SELECT k FROM d WHERE 1 / (k - 199000) < 5;\nFETCH 1 FROM c;\nCLOSE c;\nCOMMIT;");
        my $there = ids('n1') . ids('n2');
        ok $state eq '00000' ? $there ne '' : $there eq '', "$phase: what the client is told is true ($state)";
    }
    ok $herd->nothing_prepared, 'no prepared transaction is left';
};

subtest 'transaction control goes through the session' => sub {
    my ($out, $state) = $herd->try(on('n1', 'ROLLBACK'));
    is $state, '0A000', 'herd.run_on_node refuses it';
};

subtest 'cancel' => sub {
    clean();
    my $began = time;
    my ($out, $err) = script("SET statement_timeout = '300ms';\nBEGIN;\n"
      . on('n1', 'INSERT INTO public.ledger VALUES (1)') . "SAVEPOINT s;\n" . on('n1', 'SELECT pg_sleep(60)')
      . "ROLLBACK TO s;\n" . on('n1', 'INSERT INTO public.ledger VALUES (2)') . 'COMMIT;');
    cmp_ok time - $began, '<', 5, 'a cancel does not wait for the node\'s statement';
    like $err, qr/57014: canceling statement due to statement timeout/, 'with the session\'s own message';
    is ids('n1'), '1,2', 'and the transaction goes on after a savepoint';
    ok $herd->poll_sql($herd->node('n1'), "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()", '0', 5),
      'the node has stopped, too';
    my ($pid) = script("SET statement_timeout = '300ms';\n" . on('n1', 'SELECT pg_backend_pid()')
      . on('n1', 'SELECT pg_sleep(60)') . on('n1', 'SELECT pg_backend_pid()'));
    my @pids = split /\n/, $pid;
    is $pids[1], $pids[0], 'the connection to the node survives';
};

# A statement that is the whole transaction is committed by the node that runs it, so that a cancel and
# a lost connection leave a question which only the node can answer.
subtest 'a statement alone' => sub {
    $herd->sql('DROP TABLE IF EXISTS solo; CREATE TABLE solo (k int PRIMARY KEY, v int)');
    $herd->sql(q{SELECT herd.distribute('solo', 'k')});
    $herd->sql('INSERT INTO solo SELECT k, 0 FROM generate_series(1, 50) k');
    my ($key, $node) = split /\|/, $herd->sql(q{SELECT k, herd.node_of('solo', k::text) FROM generate_series(1, 50) k WHERE herd.node_of('solo', k::text) <> 'coordinator' LIMIT 1});
    my $update = "UPDATE solo SET v = v + 1 WHERE k = $key";
    my $blocker = $herd->session;
    my $waiting = q{SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND backend_type = 'client backend'};

    $blocker->query_safe("BEGIN; $update");
    my ($out, $err) = script("SET statement_timeout = '300ms';\n$update;\nSELECT 'still ' || 'here';");
    is_deeply [ $err =~ /ERROR:\s+(\w+)/g ], ['57014'], 'a cancel in time says so';
    like $out, qr/still here/, 'and the session goes on';
    is $herd->node($node)->safe_psql($herd->dbname, "SELECT count(*) FROM ($waiting) w"), 0, 'the node has stopped, too';
    $blocker->query_safe('ROLLBACK');
    is $herd->sql("SELECT v FROM solo WHERE k = $key"), 0, 'nothing was written';

    $blocker->query_safe("BEGIN; $update");
    my $session = $herd->session;
    $session->query_until(qr/sent/, "\\set VERBOSITY verbose\n\\echo sent\n$update;\n");
    ok $herd->poll_sql($herd->node($node), "SELECT count(*) FROM ($waiting) w", 1), 'the update waits';
    $herd->node($node)->safe_psql($herd->dbname, "SELECT pg_terminate_backend(pid) FROM ($waiting) w");
    is $session->query('SELECT 1'), 1, 'the session outlives its link';
    like $session->{stderr}, qr/08007: lost the answer of node "$node" while it committed/, 'and says that the outcome is unknown';
    $session->quit;
    $blocker->query_safe('ROLLBACK');
    $blocker->quit;
};

subtest 'lost connections' => sub {
    clean();
    my $die = on('n2', 'SELECT pg_terminate_backend(pg_backend_pid())');
    my ($out, $err) = script("BEGIN;\n" . on('n2', 'INSERT INTO public.ledger VALUES (1)') . "SAVEPOINT s;\n$die"
      . "ROLLBACK TO s;\n" . on('n2', 'INSERT INTO public.ledger VALUES (2)') . "COMMIT;\n");
    is_deeply [ $err =~ /ERROR:\s+(\w+)/g ], [ '08006', '08006' ], 'a lost block can\'t be used after a savepoint';
    is ids('n2'), '', 'its work is gone';
    ($out, $err) = script("BEGIN;\n" . on('n1', 'INSERT INTO public.ledger VALUES (5)') . "SAVEPOINT s;\n"
      . on('n2', 'INSERT INTO public.ledger VALUES (5)') . $die . "ROLLBACK TO s;\n"
      . on('n2', 'INSERT INTO public.ledger VALUES (6)') . 'COMMIT;');
    is ids('n1') . ' ' . ids('n2'), '5 6', 'but one that began inside of the savepoint is no loss';
    my $session = $herd->session;
    $session->query_safe(on('n2', 'SELECT 1'));
    $herd->kill_server($herd->node('n2'));
    $herd->node('n2')->start;
    is $session->query_safe(on('n2', 'SELECT 7')), 7, 'an idle session does not notice a node\'s restart';
    $session->quit;
};

subtest 'roles' => sub {
    $herd->sql('CREATE ROLE clerk');
    my ($out) = script(on('n1', 'SELECT session_user = current_user'));
    is $out, 't', 'the superuser is himself on the node';
    my ($in, $err) = script("SET ROLE clerk;\nSELECT herd.run_on_node('n1', 'SELECT 1');");
    like $err, qr/42501/, 'herd.run_on_node is for superusers only';
    ($in, $err) = script("SELECT herd.run_on_node('nowhere', 'SELECT 1');\nSELECT herd.run_on_node('coordinator', 'SELECT 1');");
    is_deeply [ $err =~ /ERROR:\s+(\w+)/g ], [ '42704', '22023' ], 'unknown nodes and this server are refused';
};

subtest 'the end of a session' => sub {
    script(on('n1', 'SELECT 1')) for 1 .. 5;
    my $log = PostgreSQL::Test::Utils::slurp_file($herd->node('n1')->logfile);
    my $resets = () = $log =~ /could not receive data from client/g;
    is $resets, 0, 'is a goodbye for the node, not a reset';
};

done_testing;
