# Many deadlocks over two nodes, and many waits that are none. HERD_DEADLOCKS: how many deadlocks
# (1000); HERD_WAITERS and HERD_WAIT_SECONDS: how many sessions wait without one, and for how long
# (60, 60).
use strict;
use warnings;
use Herd;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my $count   = $ENV{HERD_DEADLOCKS}    || 1000;
my $waiters = $ENV{HERD_WAITERS}      || 60;
my $seconds = $ENV{HERD_WAIT_SECONDS} || 60;
my $pairs   = 20;

my $herd        = Herd->new(nodes => 2, conf => "max_connections = 300\nlog_min_messages = fatal");
my $coordinator = $herd->coordinator;
$herd->sql(
    q{CREATE TABLE account (id int PRIMARY KEY, amount int);
      SELECT herd.distribute('account', 'id');
      INSERT INTO account SELECT g, 0 FROM generate_series(1, 4000) g;
      CREATE TABLE outcome (pair int, round int, side int, victim boolean, seconds float8)}
);
my %keys;
for my $row (split /\n/, $herd->sql(
    q{SELECT node, string_agg(k::text, ',' ORDER BY k) FROM
      (SELECT k, herd.node_of('account', k::text) AS node FROM generate_series(1, 4000) k) s GROUP BY node}))
{
    my ($node, $list) = split /\|/, $row;
    $keys{$node} = [ split /,/, $list ];
}

# One side of a pair: locks its own row, tells the other side, waits for its word and wants the other's
# row. The time counts from the moment when both want.
# Advisory locks of sessions are the words: 2r for side 0 and 2r + 1 for side 1 in round r.
my $side = <<'SQL';
CREATE PROCEDURE meet(pair int, side int, mine int, theirs int, rounds int) LANGUAGE plpgsql AS $$
DECLARE began timestamptz; lost boolean;
BEGIN
    FOR turn IN 1 .. rounds LOOP
        lost := false;
        BEGIN
            UPDATE account SET amount = amount + 1 WHERE id = mine;
            PERFORM pg_advisory_lock(pair, 2 * turn + side);
            LOOP
                EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = pair
                                  AND objid = 2 * turn + 1 - side AND granted);
                PERFORM pg_sleep(0.01);
            END LOOP;
            began := clock_timestamp();
            UPDATE account SET amount = amount + 1 WHERE id = theirs;
        EXCEPTION WHEN deadlock_detected THEN
            lost := true;
        END;
        INSERT INTO outcome VALUES (pair, turn, side, lost, extract(epoch FROM clock_timestamp() - began));
        COMMIT;
        -- The next round begins when both have done with this one.
        WHILE (SELECT count(*) FROM outcome o WHERE o.pair = meet.pair AND o.round = turn) < 2 LOOP
            COMMIT;
            PERFORM pg_sleep(0.01);
        END LOOP;
        COMMIT;
    END LOOP;
END $$;
SQL
$herd->sql($side);

sub start_call
{
    my ($sql) = @_;
    my ($out, $err) = ('', '');
    my $run = IPC::Run::start(
        [ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $coordinator->connstr($herd->dbname), '-c', $sql ],
        '<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(3600)
    );
    return { run => $run, err => \$err };
}

subtest "$count deadlocks" => sub {
    my $rounds = int(($count + $pairs - 1) / $pairs);
    my $before = $herd->counters->{deadlocks};
    my @jobs;
    for my $pair (1 .. $pairs)
    {
        my ($north, $south) = ($keys{n1}[$pair], $keys{n2}[$pair]);
        push @jobs, start_call("CALL meet($pair, 0, $north, $south, $rounds)"),
          start_call("CALL meet($pair, 1, $south, $north, $rounds)");
    }
    my @failed = grep { !$_->{run}->finish } @jobs;
    is scalar(@failed), 0, 'every session came to its end' or diag ${ $failed[0]{err} };
    is $herd->sql('SELECT count(*) FROM (SELECT FROM outcome GROUP BY pair, round HAVING count(*) = 2
                   AND count(*) FILTER (WHERE victim) = 1) s'), $rounds * $pairs, 'one victim each';
    is $herd->counters->{deadlocks} - $before, $rounds * $pairs, 'as the supervisor says';
    my $median = $herd->sql('SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FROM outcome WHERE victim');
    my $worst  = $herd->sql('SELECT max(seconds) FROM outcome');
    cmp_ok $median, '<', 1.5, 'the median';
    note "median $median s, worst $worst s";
};

subtest "$waiters sessions wait for $seconds s" => sub {
    my $before = $herd->counters;
    my $load   = $coordinator->basedir . '/waits.sql';
    # Rows are always locked in one order, and held for a while: a hot row has a long queue.
    my $rows = CORE::join ',', map { "(1, $keys{n1}[$_]), (2, $keys{n2}[$_]), (3, $keys{coordinator}[$_])" } 0 .. 3;
    append_to_file($load, <<"SQL");
BEGIN;
DO \$\$
DECLARE r record;
BEGIN
    FOR r IN SELECT id FROM (VALUES $rows) v(place, id) WHERE random() < 0.4 ORDER BY place, id LOOP
        UPDATE account SET amount = amount + 1 WHERE id = r.id;
        PERFORM pg_sleep(random() * 0.4);
    END LOOP;
END \$\$;
COMMIT;
SQL
    my ($out, $err) = ('', '');
    my $ended = IPC::Run::run(
        [
            'pgbench', '-n', '-c', $waiters, '-j', 2, '-T', $seconds, '-f', $load,
            '-h', $coordinator->host, '-p', $coordinator->port, $herd->dbname
        ],
        '>', \$out, '2>', \$err
    );
    ok $ended, 'no session failed' or diag $err;
    my ($done) = $out =~ /transactions actually processed: (\d+)/;
    cmp_ok $done, '>', 0, 'transactions got through';
    is $herd->counters->{deadlocks}, $before->{deadlocks}, 'nobody was canceled';
    cmp_ok $herd->counters->{deadlock_looks}, '>', $before->{deadlock_looks} + $seconds / 4, 'though the supervisor looked';
    note "$done transactions, " . ($herd->counters->{deadlock_looks} - $before->{deadlock_looks}) . ' looks';
};

$herd->check_invariants('after all');
done_testing;
