# herd.read_consistency = strict: nobody who reads over several nodes sees a half of a transaction over
# several nodes. Each commit is stopped between its halves.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd        = Herd->new(nodes => 2);
my $coordinator = $herd->coordinator;
$herd->sql(<<'SQL');
CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
SELECT herd.distribute('accounts', 'id');
INSERT INTO accounts SELECT i, 100 FROM generate_series(1, 60) i;
SQL
my $keys   = $herd->key_on('accounts');
my @places = ($coordinator->name, 'n1', 'n2');
my ($here, $one, $two) = map { $keys->{$_} } 'coordinator', 'n1', 'n2';
($here) = map { $keys->{$_} } grep { !/^n[12]$/ } keys %$keys unless defined $here;

my $sum = 'SELECT sum(balance) FROM accounts';

sub transfer
{
    my ($from, $to, $amount) = @_;
    return "BEGIN; UPDATE accounts SET balance = balance - $amount WHERE id = $from;"
        . " UPDATE accounts SET balance = balance + $amount WHERE id = $to; COMMIT;";
}

# Starts a reader, and lets others know it.
sub start_reader { return $herd->start_script("SET application_name = reader; SET herd.read_consistency = strict; $_[0]"); }

sub try_reader { return $herd->try("SET herd.read_consistency = strict; $_[0]"); }

# Starts a script that stops at a failpoint, and waits until it has.
sub stopped_at
{
    my ($point, $script) = @_;
    $herd->sql("SELECT herd.failpoint_set('$point', 'pause')");
    my $job = $herd->start_script($script);
    ok $herd->poll_sql($coordinator, 'SELECT herd.failpoint_paused()', $point), "stopped at $point";
    return $job;
}

sub let_go
{
    my ($point, $job) = @_;
    $herd->sql("SELECT herd.failpoint_clear('$point')");
    my ($out, $state) = $herd->finish_script($job);
    return $state;
}

# A session of one snapshot or of one per statement, which reads the sum.
my %readers = (
    'one statement'       => "$sum;",
    'in a transaction'    => "BEGIN; $sum; COMMIT;",
    'repeatable read'     => "BEGIN ISOLATION LEVEL REPEATABLE READ; $sum; COMMIT;",
    'set transaction'     => "BEGIN; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; $sum; COMMIT;",
    'serializable'        => "BEGIN ISOLATION LEVEL SERIALIZABLE; $sum; COMMIT;",
    'cursor'              => "BEGIN; DECLARE c CURSOR FOR $sum; FETCH c; COMMIT;",
    'writes afterwards'   => "BEGIN ISOLATION LEVEL REPEATABLE READ; $sum;"
        . " UPDATE accounts SET balance = balance WHERE id IN ($one, $two); ROLLBACK;",
    'with a local table'  => "SELECT sum(balance) FROM accounts, (SELECT 1) one;",
    'in a function'       => "DO \$\$ BEGIN RAISE INFO '%', (SELECT sum(balance) FROM accounts); END \$\$;",
    'two fragments'       => "SELECT (SELECT sum(balance) FROM accounts WHERE id > 20)"
        . " + (SELECT sum(balance) FROM accounts WHERE id <= 20);",
    'WITH that writes'    => "BEGIN; WITH w AS (UPDATE accounts SET balance = balance WHERE id = 60 RETURNING 1)"
        . ' SELECT sum(balance) FROM accounts WHERE (SELECT count(*) FROM w) = 1; ROLLBACK;',
);

# The two halves are seen at different moments without the gate: the tests below can fail.
for my $pair ([ $one, $two ], [ $one, $here ], [ $here, $two ])
{
    my $job = stopped_at('commit.after_local', transfer(@$pair, 7));
    my $torn = $herd->sql($sum);
    is $torn, $pair->[0] == $here ? 5993 : $pair->[1] == $here ? 6007 : 6000,
        'node consistency shows what each server has at the moment';
    is let_go('commit.after_local', $job), '00000', 'committed';
}
{
    my $job = stopped_at('commit.commit_prepared_sent_to_one', transfer($one, $two, 7));
    my $torn = 0;
    Herd::poll_until(sub { $torn = $herd->sql($sum); return $torn != 6000 }, 'a torn read');
    is $torn, 5993, 'node consistency shows a half of a transaction';
    is let_go('commit.commit_prepared_sent_to_one', $job), '00000', 'committed';
}

for my $name (sort keys %readers)
{
    my $point = 'commit.commit_prepared_sent_to_one';
    my $writer = stopped_at($point, transfer($one, $two, 1));
    my $reader = start_reader($readers{$name});
    ok $herd->poll_sql($coordinator, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reader'"
            . " AND state = 'active' AND wait_event = 'Extension'", 1), "$name: the reader waits";
    is let_go($point, $writer), '00000', "$name: the writer commits";
    my ($out, $state) = $herd->finish_script($reader);
    is $state, '00000', "$name: the reader reads";
    like $out, qr/^6000$/m, "$name: a whole view" unless $name eq 'in a function';
}

# Readers share a closing, and writers come through between them.
{
    my @jobs = map { $herd->start_script(join '', map { "SET herd.read_consistency = strict; $sum;\n" } 1 .. 40) } 1 .. 4;
    push @jobs, map { my $n = $_; $herd->start_script(join '', map { transfer($n % 2 ? ($one, $two) : ($two, $here), $n) . "\n" } 1 .. 25) } 1 .. 2;
    my @results = map { [ $herd->finish_script($_) ] } @jobs;
    is scalar(grep { $_->[1] ne '00000' } @results), 0, 'readers and writers all end';
    my %seen = map { $_ => 1 } map { split /\n/, $_->[0] } @results[ 0 .. 3 ];
    is join(',', sort keys %seen), '6000', 'every sum is right';
}

# A transaction that wrote on one node and has read another.
{
    my $job = stopped_at('commit.one_phase_in_gate',
        "BEGIN; SELECT balance FROM accounts WHERE id = $one; UPDATE accounts SET balance = balance WHERE id = $two; COMMIT;");
    my $reader = start_reader($readers{'one statement'});
    ok $herd->poll_sql($coordinator, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reader'"
            . " AND state = 'active' AND wait_event = 'Extension'", 1), 'who has read elsewhere keeps readers out';
    is let_go('commit.one_phase_in_gate', $job), '00000', 'while it commits';
    is(($herd->finish_script($reader))[1], '00000', 'and no longer');
}
{
    my $job = stopped_at('commit.before_one_phase', "UPDATE accounts SET balance = balance WHERE id = $two RETURNING balance; "
            . "BEGIN; UPDATE accounts SET balance = balance WHERE id = $two; UPDATE accounts SET balance = balance WHERE id = $two; COMMIT;");
    is((try_reader($readers{'one statement'}))[1], '00000', 'a transaction on one node is in nobody\'s way');
    is let_go('commit.before_one_phase', $job), '00000', 'and commits';
}

# A node that does not acknowledge.
{
    my $job = stopped_at('commit.after_local', transfer($one, $two, 5));
    $herd->kill_server($herd->node('n2'));
    is let_go('commit.after_local', $job), '00000', 'committed, with a warning';
    is(($herd->try("SET herd.read_consistency = strict; SELECT balance FROM accounts WHERE id = $one"))[1], '00000',
        'one key of another node can be read');
    my ($out, $state);
    my $reader = start_reader($readers{'one statement'});
    $herd->node('n2')->start;
    ($out, $state) = $herd->finish_script($reader);
    $reader = start_reader($readers{'one statement'}) if $state ne '00000';
    ($out, $state) = $herd->finish_script($reader) if $state ne '00000';
    is "$state $out", '00000 6000', 'after its return all is seen, or nothing';
}

# The coordinator dies between the halves.
{
    my $job = stopped_at('commit.commit_prepared_sent_to_one', transfer($one, $two, 3));
    $herd->kill_server($coordinator);
    $herd->finish_script($job);
    $coordinator->start;
    my $state = '';
    my $out;
    Herd::poll_until(sub { ($out, $state) = try_reader($readers{'one statement'}); return $state eq '00000' }, 'a whole view');
    is $out, '6000', 'after the coordinator\'s crash too';
    ok $herd->nothing_prepared, 'nothing is left prepared';
}

# What can't be strict says so.
is(($herd->try("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; SET LOCAL herd.read_consistency = strict; $sum; COMMIT"))[1],
    '25001', 'a transaction whose snapshot is older');
is(($herd->try("SET herd.read_consistency = strict; SET default_transaction_isolation = serializable; $sum"))[1],
    '25001', 'a serializable statement outside of a transaction block');
is(($herd->try("SET herd.read_consistency = strict; SET default_transaction_isolation = 'repeatable read'; $sum"))[0],
    '6000', 'a repeatable read one is its own transaction');
is(($herd->try("SET herd.read_consistency = everything"))[1], '22023', 'a consistency that does not exist');

# A canceled reader lets the writers go on.
{
    my $point  = 'commit.commit_prepared_sent_to_one';
    my $writer = stopped_at($point, transfer($one, $two, 1));
    is(($herd->try("SET statement_timeout = '300ms'; SET herd.read_consistency = strict; $sum"))[1], '57014', 'canceled');
    is let_go($point, $writer), '00000', 'committed';
    is(($herd->try(transfer($two, $one, 1)))[1], '00000', 'the gate is open');
}

# A node that stands still while a reader has closed the gate: others' transactions wait no longer than a moment.
{
    my $reader    = stopped_at('strict.closed', "SET herd.read_consistency = strict; $sum; $sum;");
    my $server    = $herd->node('n2');
    my @processes = ($server->{_pid}, Herd::children_of($server->{_pid}));
    my $writer    = $herd->start_script(transfer($here, $one, 1));
    ok $herd->poll_sql($coordinator, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COMMIT%'"
            . " AND wait_event = 'Extension'", 1), 'a writer waits for the reader';
    kill 'STOP', @processes;
    my $begin = time;
    $herd->sql("SELECT herd.failpoint_clear('strict.closed')");
    is(($herd->finish_script($writer))[1], '00000', 'a writer on other nodes commits');
    my $took = time - $begin;
    kill 'CONT', @processes;
    my ($out, $state) = $herd->finish_script($reader);
    cmp_ok $took, '<', 30, 'while the node stands still';
    is $state, 'HR006', 'the reader is told that the node does not answer';
    is((try_reader("$sum;"))[0], '6000', 'and reads when it does again');
}

# Parallel workers of this server read in the statement's snapshot, not in an older one of what sent it.
{
    my $settings = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;'
        . ' SET parallel_leader_participation = off; SET enable_hashjoin = off; SET enable_mergejoin = off;';
    my $query = 'SELECT count(*), sum(second.balance) FROM accounts first JOIN accounts second USING (id)';
    like join('', $herd->sql("$settings EXPLAIN $query")), qr/Workers Planned.*Parallel Seq Scan on accounts first.*Index Scan/s,
        'this server\'s part has workers, and what each of them reads for itself';
    my $writer = stopped_at('commit.before_local', transfer($here, $one, 1));
    my $reader = start_reader("$settings COPY ($query) TO STDOUT;");
    ok $herd->poll_sql($coordinator, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reader'"
            . " AND state = 'active' AND wait_event = 'Extension'", 1), 'the reader waits for the writer';
    is let_go('commit.before_local', $writer), '00000', 'the writer commits';
    my ($out, $state) = $herd->finish_script($reader);
    is "$state $out", "00000 60\t6000", 'a whole view with workers';
}
$herd->check_invariants;
done_testing;
