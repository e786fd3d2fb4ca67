# Row locks over several nodes as two sessions see them: who waits, who is turned away, who passes by.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
$herd->sql('CREATE TABLE job (id int PRIMARY KEY, state text, n int)');
$herd->sql("SELECT herd.distribute('job', 'id', shard_count => 9)");
$herd->sql("INSERT INTO job SELECT g, 'new', g % 7 FROM generate_series(1, 90) g");
my $key = $herd->key_on('job');

my $holder = $herd->session;
$holder->query_safe('BEGIN');
is $holder->query_safe("SELECT count(*) FROM (SELECT FROM job WHERE n = 3 FOR UPDATE) s"),
    $herd->sql('SELECT count(*) FROM job WHERE n = 3'), 'rows of all nodes are locked';

# Turned away, passing by, or waiting until a timeout: on every server.
for my $node (sort keys %$key)
{
    my $id = $herd->sql("SELECT min(id) FROM job WHERE n = 3 AND herd.node_of('job', id::text) = '$node'");
    is(($herd->try("SELECT id FROM job WHERE id = $id FOR UPDATE NOWAIT"))[1], '55P03', "$node: one row, NOWAIT");
    is(($herd->try("SET lock_timeout = '200ms'; UPDATE job SET state = 'x' WHERE id = $id"))[1],
        '55P03', "$node: a writer waits");
    my $other = $herd->sql("SELECT min(id) FROM job WHERE n = 4 AND herd.node_of('job', id::text) = '$node'");
    is(($herd->try("SET lock_timeout = '2s'; UPDATE job SET n = 4 WHERE id = $other"))[1],
        '00000', "$node: a writer of another row does not");
}
is(($herd->try('SELECT id FROM job WHERE n < 5 FOR UPDATE NOWAIT'))[1], '55P03', 'all nodes, NOWAIT');
is $herd->sql('SELECT count(*) FROM (SELECT FROM job FOR UPDATE SKIP LOCKED) s'),
    $herd->sql('SELECT count(*) FROM job WHERE n <> 3'), 'SKIP LOCKED passes by on every node';

# Two workers of a queue never get the same job, and the queue drains.
$holder->query_safe('COMMIT');
my %taken;
my @workers = map { $herd->session } 1 .. 3;
my $take = 'SELECT id FROM job WHERE state = \'new\' ORDER BY n, id LIMIT 5 FOR UPDATE SKIP LOCKED';
my $left = 90;
for my $round (1 .. 40)
{
    last if $left == 0;
    my @batches;
    for my $worker (@workers)
    {
        $worker->query_safe('BEGIN');
        push @batches, [ split /\n/, $worker->query_safe($take) ];
    }
    for my $id (map { @$_ } @batches) { $taken{$id}++; }
    for my $i (0 .. $#workers)
    {
        my $ids = join ',', @{ $batches[$i] };
        $workers[$i]->query_safe("UPDATE job SET state = 'done' WHERE id = ANY ('{$ids}')") if $ids ne '';
        $workers[$i]->query_safe('COMMIT');
        $left -= @{ $batches[$i] };
    }
}
is $left, 0, 'the queue drains';
is scalar(grep { $_ != 1 } values %taken), 0, 'each job was taken once';
is scalar(keys %taken), 90, 'every job was taken';
is $herd->sql("SELECT count(*) FROM job WHERE state = 'done'"), 90, 'and done';

# A row that changes while its lock is waited for is read as it is afterwards.
$workers[0]->query_safe("BEGIN; UPDATE job SET state = 'again' WHERE n = 1");
my $waiting = $herd->start_script("SELECT count(*) FROM (SELECT FROM job WHERE state = 'done' FOR UPDATE) s");
ok $herd->poll_sql($herd->coordinator,
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FOR UPDATE) s' AND state = 'active' AND pid <> pg_backend_pid()", 1),
    'a reader with FOR UPDATE waits';
$workers[0]->query_safe('COMMIT');
my ($count) = $herd->finish_script($waiting);
is $count, $herd->sql("SELECT count(*) FROM job WHERE n <> 1"), 'and does not see the rows that have changed';
$_->quit for @workers, $holder;
$herd->check_invariants('after the locks');
done_testing;
