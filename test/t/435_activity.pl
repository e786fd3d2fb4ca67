# herd.activity, herd.locks and herd.cancel: the herd as one server.
use strict;
use warnings;
use Herd;
use Test::More;
use Time::HiRes qw(time);

my $herd        = Herd->new(nodes => 2);
my $coordinator = $herd->coordinator;
$herd->sql(
    q{CREATE TABLE account (id int PRIMARY KEY, amount int);
      SELECT herd.distribute('account', 'id');
      INSERT INTO account SELECT g, 0 FROM generate_series(1, 400) g;
      CREATE ROLE clerk LOGIN;
      CREATE ROLE guard LOGIN;
      GRANT ALL ON account TO clerk;
      GRANT pg_signal_backend TO guard}
);
my $key = $herd->key_on('account');

sub update { return "UPDATE account SET amount = amount + 1 WHERE id = $_[0]"; }

my $first = $herd->session;
$first->query_safe('BEGIN');
$first->query_safe(update($key->{$_})) for qw(n1 n2 coordinator);
my $id = $herd->sql('SELECT DISTINCT distributed_id FROM herd.activity WHERE distributed_id IS NOT NULL');
my $pid = $first->query_safe('SELECT pg_backend_pid()');

subtest 'one id for all that a transaction does' => sub {
    my $virtual = $herd->sql("SELECT virtualtransaction FROM pg_locks WHERE pid = $pid LIMIT 1");
    is $id, "1:$virtual", 'it says where the transaction began';
    is $herd->sql("SELECT node, state FROM herd.activity WHERE distributed_id = '$id' ORDER BY node"),
      join("\n", map { "$_|idle in transaction" } qw(coordinator n1 n2)), 'a process on each server';
    is $herd->sql("SELECT pid FROM herd.activity WHERE distributed_id = '$id' AND node = 'coordinator'"),
      $pid, 'the session is its process on the coordinator';
    is $herd->sql("SELECT DISTINCT node, relation_name, mode FROM herd.locks WHERE distributed_id = '$id'
                   AND locktype = 'relation' AND relation_name = 'account' AND mode = 'RowExclusiveLock' ORDER BY 1"),
      join("\n", map { "$_|account|RowExclusiveLock" } qw(coordinator n1 n2)),
      'and its locks, with names that hold on each server'
      or diag $herd->sql("SELECT node, distributed_id, relation_name, mode FROM herd.locks WHERE relation IS NOT NULL");
    is $herd->sql('SELECT count(DISTINCT node) FROM herd.activity WHERE distributed_id IS NULL'), 3,
      'other processes have none';
};

subtest 'who waits' => sub {
    my $job = $herd->start_script(update($key->{n2}));
    my $waits = q{SELECT l.node, a.query LIKE 'UPDATE%' FROM herd.locks l JOIN herd.activity a USING (distributed_id)
                  WHERE NOT l.granted AND a.node = 'coordinator'};
    ok $herd->poll_sql($coordinator, $waits, 'n2|t'), 'a lone statement has an id, too';
    my $waiter = $herd->sql('SELECT distributed_id FROM herd.locks WHERE NOT granted');
    is $herd->sql("SELECT herd.cancel('$waiter')"), 't', 'and can be canceled by it';
    is +($herd->finish_script($job))[1], '57014', 'as by pg_cancel_backend';
    ok $herd->poll_sql($coordinator, 'SELECT count(*) FROM herd.locks WHERE NOT granted', '0'),
      'on the node as well';
};

sub try_as
{
    my ($role, $sql) = @_;
    return $herd->try("\\c \"" . $coordinator->connstr($herd->dbname) . " user=$role\"\n$sql");
}

subtest 'who may cancel' => sub {
    my $own = "\\c \"" . $coordinator->connstr($herd->dbname) . " user=clerk\"\n";
    my $job = $herd->start_script($own . update($key->{n1}));
    ok $herd->poll_sql($coordinator, 'SELECT count(*) FROM herd.locks WHERE NOT granted', '1'), 'a clerk waits';
    my $clerks = $herd->sql('SELECT distributed_id FROM herd.locks WHERE NOT granted');
    $herd->sql('CREATE ROLE stranger LOGIN');
    is +(try_as('stranger', "SELECT herd.cancel('$clerks')"))[1], '42501', 'not another role';
    is +(try_as('guard',    "SELECT herd.cancel('$id')"))[1],     '42501', 'not a superuser\'s transaction';
    is +(try_as('guard',    "SELECT herd.cancel('$clerks')"))[0], 't', 'but who may signal backends';
    is +($herd->finish_script($job))[1], '57014', 'it is canceled';
    is $herd->sql("SELECT herd.cancel('1:99/99')"), 'f', 'nothing happens where there is no such transaction';
    $coordinator->psql('postgres', "SELECT herd.cancel('1:99/99')", stderr => \my $warning);
    like $warning, qr/WARNING:  there is no distributed transaction "1:99\/99"/, 'but a warning';
};

subtest 'what others run is hidden from ordinary users' => sub {
    my ($out) = try_as('clerk', "SELECT DISTINCT node, query FROM herd.activity WHERE distributed_id = '$id' ORDER BY 1");
    is $out, join("\n", map { "$_|<insufficient privilege>" } qw(coordinator n1 n2)), 'on every server';
};

subtest 'prepared transactions' => sub {
    $first->query_safe('ROLLBACK');
    $herd->sql("SELECT herd.failpoint_set('commit.after_prepare', 'pause')");
    my $job = $herd->start_script("BEGIN;\n" . update($key->{n1}) . ";\n" . update($key->{n2}) . ";\nCOMMIT;");
    ok $herd->poll_sql($coordinator, 'SELECT herd.failpoint_paused()', 'commit.after_prepare'), 'in the middle of a commit';
    is $herd->sql(q{SELECT DISTINCT l.node, l.gid LIKE 'herd:%', a.query FROM herd.locks l JOIN herd.activity a USING (distributed_id)
                    WHERE l.gid IS NOT NULL AND a.node = 'coordinator' ORDER BY 1}),
      "n1|t|COMMIT;\nn2|t|COMMIT;", 'their locks belong to the session that commits';
    $herd->sql("SELECT herd.failpoint_clear('commit.after_prepare')");
    is +($herd->finish_script($job))[1], '00000', 'which goes on';
};

subtest 'a node that does not answer' => sub {
    $herd->node('n2')->stop('immediate');
    my ($out, $err);
    $coordinator->psql('postgres', 'SELECT DISTINCT node FROM herd.activity ORDER BY 1', stdout => \$out, stderr => \$err);
    is $out, "coordinator\nn1", 'is left out';
    like $err, qr/^psql:<stdin>:1: WARNING:  node "n2" is not shown: could not connect to node "n2"$/m, 'with a warning';
    $herd->node('n2')->start;
    my @stopped = ($herd->node('n2')->{_pid}, Herd::children_of($herd->node('n2')->{_pid}));
    kill 'STOP', @stopped;
    my $begin = time;
    $coordinator->psql('postgres', 'SELECT DISTINCT node FROM herd.locks ORDER BY 1', stdout => \$out, stderr => \$err);
    cmp_ok time - $begin, '<', 20, 'one that hangs keeps nobody waiting';
    is $out, "coordinator\nn1", 'and is left out';
    like $err, qr/WARNING:  node "n2" is not shown/, 'with a warning';
    kill 'CONT', @stopped;
    ok $herd->poll_sql($coordinator, 'SELECT count(DISTINCT node) FROM herd.locks', '3'), 'until it is back';
};

$first->quit;
$herd->check_invariants('after all');
done_testing;
