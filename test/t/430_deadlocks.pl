# Deadlocks over several servers: each ends with 40P01 for its youngest transaction, and a wait that
# is none ends nobody.
use strict;
use warnings;
use Herd;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $herd        = Herd->new(nodes => 2);
my $coordinator = $herd->coordinator;
$herd->sql(
    q{CREATE TABLE account (id int PRIMARY KEY, amount int);
      SELECT herd.distribute('account', 'id');
      CREATE TABLE posting (id int);
      SELECT herd.distribute('posting', 'id', 'account');
      ALTER TABLE posting ADD FOREIGN KEY (id) REFERENCES account DEFERRABLE INITIALLY DEFERRED;
      CREATE TABLE rate (id int PRIMARY KEY, value int);
      SELECT herd.reference('rate');
      CREATE TABLE note (id int PRIMARY KEY, text text);
      CREATE ROLE clerk;
      GRANT ALL ON account, note TO clerk;
      INSERT INTO account SELECT g, 0 FROM generate_series(1, 400) g;
      INSERT INTO rate VALUES (1, 1), (2, 2);
      INSERT INTO note VALUES (1, ''), (2, '')}
);
my $key  = $herd->key_on('account', 1);
my $more = $herd->key_on('account', 2);

sub update { return "UPDATE account SET amount = amount + 1 WHERE id = $_[0]"; }

# Until a lock is waited for on the node.
sub when_somebody_waits
{
    my ($node) = @_;
    return "DO \$\$ BEGIN WHILE (SELECT herd.run_on_node('$node', 'SELECT count(*) FROM pg_locks WHERE NOT granted')) = '0'"
      . ' LOOP PERFORM pg_sleep(0.02); END LOOP; END $$; ';
}

# Each party does its first part; when all have, they go on together to the second. A party is
# [first, second, server]. Answers the SQLSTATEs in their order, the seconds, and the jobs.
my $pass  = 'SELECT pg_advisory_xact_lock_shared(77)';
my %gates = map { $_->name => $herd->session($_) } $herd->servers;

sub start_party
{
    my ($first, $second, $server) = @_;
    $server ||= $coordinator;
    my $waiting = q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted};
    my $before  = $server->safe_psql($herd->dbname, $waiting);
    my $job     = $herd->start_script("BEGIN;\n$first;\n$pass;\n$second;\nCOMMIT;\n", $server);
    $herd->poll_sql($server, $waiting, $before + 1)
      or diag 'a party does not reach the gate: ' . slurp_file("$job->{file}.err");
    return $job;
}

sub meet
{
    my (@parties) = @_;
    $_->query_safe('SELECT pg_advisory_lock(77)') for values %gates;
    my @jobs = map { start_party(@$_) } @parties;
    my $begin = time;
    $_->query_safe('SELECT pg_advisory_unlock(77)') for values %gates;
    my @states = map { ($herd->finish_script($_))[1] } @jobs;
    return (\@states, time - $begin, \@jobs);
}

# The last party on the coordinator is the youngest, and so the victim.
sub deadlocks
{
    my ($name, @parties) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return subtest $name => sub {
        my $before = $herd->counters->{deadlocks};
        my ($states, $seconds) = meet(@parties);
        is_deeply $states, [ map { $_ == $#parties ? '40P01' : '00000' } 0 .. $#parties ],
          'the youngest gives way';
        cmp_ok $seconds, '<', 20, 'soon';
        is $herd->counters->{deadlocks}, $before + 1, 'the supervisor ended it, once';
    };
}

deadlocks(
    'two nodes',
    [ update($key->{n1}), update($key->{n2}) ],
    [ update($key->{n2}), update($key->{n1}) ]
);

deadlocks(
    'three parties over two nodes',
    [ update($key->{n1}),  update($key->{n2}) ],
    [ update($key->{n2}),  update($more->{n1}) ],
    [ update($more->{n1}), update($key->{n1}) ]
);

deadlocks(
    'three parties over three servers',
    [ update($key->{n1}),          update($key->{n2}) ],
    [ update($key->{n2}),          update($key->{coordinator}) ],
    [ update($key->{coordinator}), update($key->{n1}) ]
);

deadlocks(
    'the youngest waits for a node, the other one for a row of the coordinator',
    [ update($key->{n1}),          update($key->{coordinator}) ],
    [ update($key->{coordinator}), update($key->{n1}) ]
);

deadlocks(
    'the youngest waits for a row of the coordinator, the other one for a node',
    [ update($key->{coordinator}), update($key->{n1}) ],
    [ update($key->{n1}),          update($key->{coordinator}) ]
);

deadlocks(
    'a table of the coordinator alone',
    [ 'UPDATE note SET text = 1 WHERE id = 1', update($key->{n1}) ],
    [ update($key->{n1}),                      'LOCK TABLE note' ]
);

deadlocks(
    'a lock that a statement needs before it is planned',
    [ 'LOCK TABLE note',  update($key->{n1}) ],
    [ update($key->{n1}), 'SELECT count(*) FROM note' ]
);

deadlocks(
    'an advisory lock',
    [ 'SELECT pg_advisory_xact_lock(5)', update($key->{n1}) ],
    [ update($key->{n1}),                'SELECT pg_advisory_xact_lock(5)' ]
);

deadlocks(
    'a reference table',
    [ 'UPDATE rate SET value = 0 WHERE id = 1', update($key->{n1}) ],
    [ update($key->{n1}),                       'UPDATE rate SET value = 0 WHERE id = 1' ]
);

deadlocks(
    'a table whose definition changes',
    [ 'ALTER TABLE rate ADD extra int', update($key->{n1}) ],
    [ update($key->{n1}),               'SELECT count(*) FROM rate' ]
);

deadlocks(
    'the turn of statements over several servers',
    [ update($key->{n1}), 'UPDATE account SET amount = 0' ],
    [ update($key->{n2}), 'UPDATE account SET amount = 0' ]
);

deadlocks(
    'one statement that has finished on one node and waits on another',
    [ 'SELECT 1', "UPDATE account SET amount = 0 WHERE id IN ($key->{n1}, $key->{n2})" ],
    [ update($key->{n2}), when_somebody_waits('n2') . update($key->{n1}) ]
);

my $free = $herd->key_on('account', 3)->{n1};
$herd->sql("DELETE FROM account WHERE id = $free");
deadlocks(
    'a COPY that waits for a row with the same key',
    [ "INSERT INTO account VALUES ($free, 0)", update($key->{n2}) ],
    [ update($key->{n2}), "COPY account FROM STDIN;\n$free\t0\n\\.\nSELECT 1" ]
);

deadlocks(
    'checks at a COMMIT in one phase',
    [ "SELECT 1 FROM account WHERE id = $key->{n1} FOR UPDATE", 'SELECT pg_advisory_xact_lock(5)' ],
    [ "SELECT pg_advisory_xact_lock(5);\n INSERT INTO posting VALUES ($key->{n1})", 'SELECT 1' ]
);

deadlocks(
    'checks at PREPARE',
    [
        "SELECT 1 FROM account WHERE id = $key->{n1} FOR UPDATE;\n INSERT INTO posting VALUES ($key->{n2})",
        'SELECT 1'
    ],
    [
        "SELECT 1 FROM account WHERE id = $key->{n2} FOR UPDATE;\n INSERT INTO posting VALUES ($key->{n1})",
        'SELECT 1'
    ]
);

deadlocks(
    'after a savepoint was rolled back',
    [ update($key->{n1}), update($key->{n2}) ],
    [
        update($key->{n2}) . ";\nSAVEPOINT s;\n" . update($more->{n2}) . ";\nROLLBACK TO s",
        update($key->{n1})
    ]
);

deadlocks(
    'in the handler of an error',
    [ update($key->{n1}), update($key->{n2}) ],
    [
        update($key->{n2}),
        "DO \$\$ BEGIN " . update($more->{n2}) . "; RAISE 'no'; "
          . "EXCEPTION WHEN raise_exception THEN " . update($key->{n1}) . '; END $$'
    ]
);

subtest 'a client of a node is part of it, but not its victim' => sub {
    my ($states) = meet(
        [ update($key->{n1}),  update($key->{n2}) ],
        [ update($more->{n1}), update($key->{n1}), $herd->node('n1') ],
        [ update($key->{n2}),  update($more->{n1}) ]
    );
    is_deeply $states, [ '00000', '00000', '40P01' ], 'the youngest on the coordinator gives way';
};

subtest 'what the victim reads' => sub {
    my (undef, undef, $jobs) = meet(
        [ update($key->{n1}), "\\set VERBOSITY default\n" . update($key->{n2}) ],
        [ update($key->{n2}), "\\set VERBOSITY default\n" . update($key->{n1}) ]
    );
    my $error = slurp_file("$jobs->[1]{file}.err");
    like $error, qr/ERROR:  deadlock detected\n/, 'PostgreSQL\'s message';
    my ($id, $other) = $error =~ /^DETAIL:  Process \d+ on "n1" \(transaction (1:\d+\/\d+)\) waits for ShareLock on transaction \d+; blocked by process \d+ on "n1" \(transaction (1:\d+\/\d+)\)\.$/m;
    ok defined $id, 'where it waited, and for whom' or diag $error;
    like $error, qr/^Process \d+ on "n2" \(transaction \Q$other\E\) waits for ShareLock on transaction \d+; blocked by process \d+ on "n2" \(transaction \Q$id\E\)\.$/m, 'and where the other one did';
    like $error, qr/^Transaction \Q$id\E \(process \d+ on "coordinator"\): UPDATE account .* $key->{n1};$/m, 'its statement';
    like $error, qr/^Transaction \Q$other\E \(process \d+ on "coordinator"\): UPDATE account .* $key->{n2};$/m, 'and the other one\'s';

    (undef, undef, $jobs) = meet(
        [ update($key->{n1}), update($key->{n2}) ],
        [ 'SET ROLE clerk; ' . update($key->{n2}), "\\set VERBOSITY default\n" . update($key->{n1}) ]
    );
    like slurp_file("$jobs->[1]{file}.err"), qr/: UPDATE account .* $key->{n2};$/m,
      'a superuser in another role is still one';
    $herd->sql('ALTER ROLE clerk LOGIN');
    my $connstr = $coordinator->connstr($herd->dbname) . ' user=clerk';
    (undef, undef, $jobs) = meet(
        [ update($key->{n1}), update($key->{n2}) ],
        [
            "COMMIT;\n\\c \"$connstr\"\nBEGIN; " . update($key->{n2}),
            "\\set VERBOSITY default\n" . update($key->{n1})
        ]
    );
    $error = slurp_file("$jobs->[1]{file}.err");
    like $error,   qr/: UPDATE account .* $key->{n1};$/m, 'an ordinary user sees his own statement';
    unlike $error, qr/: UPDATE account .* $key->{n2};$/m, 'but nobody else\'s';
};

subtest 'a function may handle it' => sub {
    for my $place (qw(n1 coordinator))
    {
        my $handled = "DO \$\$ BEGIN " . update($key->{$place})
          . "; EXCEPTION WHEN deadlock_detected THEN UPDATE note SET text = '$place' WHERE id = 2; END \$\$";
        my ($states) = meet(
            [ update($key->{$place}), update($key->{n2}) ],
            [ update($key->{n2}),     $handled ]
        );
        is_deeply $states, [ '00000', '00000' ], "a wait for $place: both commit";
        is $herd->sql('SELECT text FROM note WHERE id = 2'), $place, 'the handler ran';
    }
};

subtest 'waits without a circle' => sub {
    my $counters = $herd->counters;
    my $holder   = $herd->session;
    $holder->query_safe('BEGIN; ' . join '; ', map { update($key->{$_}) } qw(n1 n2 coordinator));
    $holder->query_safe('UPDATE rate SET value = 5 WHERE id = 2');
    my $waiting = sub {
        return $herd->sql(
            q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
              AND state = 'active' AND wait_event_type IN ('Lock', 'Extension')}
        );
    };
    # Chains: each of them holds something that the next one waits for.
    my @jobs;
    my @chain = (
        [ update($more->{n1}),          update($key->{n1}) ],
        [ update($more->{n2}),          update($more->{n1}) ],
        [ update($more->{coordinator}), update($more->{n2}) ],
        [ 'SELECT pg_advisory_xact_lock(5)', update($more->{coordinator}) ],
        [ 'SELECT 1',                   'SELECT pg_advisory_xact_lock(5)' ],
        [ 'SELECT 1',                   update($key->{n1}) ],
        [ 'SELECT 1',                   update($key->{n2}) ],
        [ 'SELECT 1',                   'UPDATE rate SET value = 5 WHERE id = 2' ],
        [ 'SELECT 1',                   'LOCK TABLE rate' ],
    );
    for my $link (@chain)
    {
        push @jobs, $herd->start_script("BEGIN;\n$link->[0];\n$link->[1];\nCOMMIT;\n");
        Herd::poll_until(sub { $waiting->() == @jobs }, 'the next one to wait');
    }
    ok Herd::poll_until(
        sub { $herd->counters->{deadlock_looks} > $counters->{deadlock_looks} + 5 },
        'the supervisor to have looked'
      ),
      'the supervisor looks';
    is $herd->counters->{deadlocks}, $counters->{deadlocks}, 'and finds no deadlock';
    is $waiting->(), scalar @jobs, 'everybody still waits';
    $holder->query_safe('COMMIT');
    is_deeply [ map { ($herd->finish_script($_))[1] } @jobs ], [ ('00000') x @jobs ], 'and commits';
    $holder->quit;
};

subtest 'nobody looks while nobody waits' => sub {
    my $before = $herd->counters->{deadlock_looks};
    my ($tick) = $herd->sql('SELECT tick FROM herd.supervisor');
    ok $herd->poll_sql($coordinator, "SELECT tick > $tick + 4 FROM herd.supervisor", 't'), 'the supervisor works';
    is $herd->counters->{deadlock_looks}, $before, 'without looking for deadlocks';
};

$_->quit for values %gates;
$herd->check_invariants('after all');
done_testing;
