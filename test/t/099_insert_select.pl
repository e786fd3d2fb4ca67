# INSERT ... SELECT of many rows: they go to their nodes by COPY, divided by the nodes that they come from where these
# can; the coordinator's memory does not grow with them; canceled or failed, they leave nothing.
use strict;
use warnings;
use Herd;
use Herd::Client;
use PostgreSQL::Test::Utils;
use Test::More;

my $herd        = Herd->new(nodes => 2);
my $coordinator = $herd->coordinator;
$herd->sql(<<'SQL');
CREATE TABLE source (id int PRIMARY KEY, other int, pad text);
CREATE TABLE target (id int, other int PRIMARY KEY, pad text, CHECK (pad <> 'refused'));
CREATE TABLE serials (id serial, other int, pad text);
CREATE TABLE rate (id int, other int, pad text);
CREATE TABLE here (id int, other int, pad text);
SELECT herd.set_node(name, takes_shards => NOT is_coordinator) FROM herd.nodes;
SELECT herd.distribute('source', 'id'), herd.distribute('target', 'other'), herd.distribute('serials', 'other'), herd.reference('rate');
INSERT INTO source SELECT i, 200000 - i, repeat('x', 1000) FROM generate_series(1, 100000) i;
SQL

sub plan_of
{
    my ($statement) = @_;
    return scalar $herd->sql("EXPLAIN (COSTS OFF) $statement");
}

my %ways = (
    'INSERT INTO target SELECT * FROM source'                                   => 'divided',
    'INSERT INTO target (other, pad) SELECT id, pad FROM source WHERE id < 500' => 'divided',
    "INSERT INTO target SELECT 5, id, 'all' FROM source"                        => 'divided',
    'INSERT INTO rate SELECT * FROM source'                                     => 'divided',
    'INSERT INTO target SELECT s.* FROM source s JOIN rate r ON r.id = s.other' => 'divided',
    'INSERT INTO target SELECT id, other + 1 FROM source'                       => 'copied',
    'INSERT INTO target SELECT * FROM source ORDER BY pad LIMIT 5'              => 'copied',
    'INSERT INTO target SELECT * FROM here'                                     => 'copied',
    'INSERT INTO serials (other, pad) SELECT other, pad FROM source'            => 'copied',
    'INSERT INTO target SELECT * FROM source RETURNING id'                      => 'statements',
    'INSERT INTO target SELECT * FROM source ON CONFLICT DO NOTHING'            => 'statements',
);
for my $statement (sort keys %ways)
{
    my $plan = plan_of($statement);
    my $way  = $plan !~ /Many rows: by binary COPY/ ? 'statements' : $plan =~ /Divided by: the nodes/ ? 'divided' : 'copied';
    is $way, $ways{$statement}, "$statement: $ways{$statement}";
}
like $herd->sql('BEGIN; EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) INSERT INTO target SELECT * FROM source WHERE id < 1000; ROLLBACK'),
    qr/Node n1:.*HerdPack.*Node n2:/s, 'EXPLAIN ANALYZE has the plans of the nodes that divide';

sub client
{
    return Herd::Client->new(host => $coordinator->host, port => $coordinator->port, dbname => $herd->dbname);
}

# In MB: the most memory that a backend ever had, and the temporary files that are there.
sub peak
{
    my ($client) = @_;
    my ($kilobytes) = slurp_file('/proc/' . $client->value('SELECT pg_backend_pid()') . '/status') =~ /VmHWM:\s*(\d+)/;
    return $kilobytes / 1024;
}

sub no_files_left
{
    my ($name) = @_;
    is_deeply [ glob $coordinator->data_dir . '/base/pgsql_tmp/*' ], [], "$name: no temporary file is left";
    return;
}

# A hundred million bytes each.
my %large = (
    'divided rows'             => 'INSERT INTO target SELECT * FROM source',
    'rows of a reference'      => 'INSERT INTO rate SELECT * FROM source',
    'rows of the coordinator'  => 'INSERT INTO serials (other, pad) SELECT other, pad FROM source',
    'rows made here'           => "INSERT INTO target SELECT i, i, repeat('y', 1000) FROM generate_series(1, 100000) i",
);
for my $name (sort keys %large)
{
    my $client = client();
    $client->value('BEGIN; SELECT count(*) FROM source WHERE id = 1');
    my $before = peak($client);
    is_deeply $client->ask($large{$name})->{tags}, ['INSERT 0 100000'], $name;
    my $grown = peak($client) - $before;
    # The coordinator's own copy of a reference table passes through shared memory.
    cmp_ok $grown, '<', ($name =~ /reference/ ? 90 : 30), "$name: memory grew by no more than some MB";
    note sprintf '%s: %.1f MB more', $name, $grown;
    $client->value('ROLLBACK');
    $client->leave;
    no_files_left($name);
}

# In the middle of the COPY a node waits for a lock; then the session is canceled, or terminated.
$herd->sql("INSERT INTO target SELECT i, i, 'old' FROM generate_series(1, 100) i");
my $count = 'SELECT count(*), min(pad), max(pad) FROM target';
my $sound = $herd->sql($count);
for my $strike ([ 'pg_cancel_backend', '57014' ], [ 'pg_terminate_backend', '57P01' ])
{
    my ($function, $state) = @$strike;
    my $holder = client();
    $holder->value("BEGIN; INSERT INTO target VALUES (0, 150000, 'held')");
    my $client = client();
    my $pid    = $client->value('SELECT pg_backend_pid()');
    $client->value('BEGIN') if $function eq 'pg_cancel_backend';
    $client->send('INSERT INTO target SELECT * FROM source');
    my $waits = q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY public.target%' AND wait_event_type = 'Lock'};
    my $any   = sub { grep { $_->safe_psql($herd->dbname, $waits) > 0 } $herd->nodes };
    ok Herd::poll_until($any, 'a node waits'), "$function: a node waits in its COPY";
    $herd->sql("SELECT $function($pid)");
    is $client->answer(20)->{state}, $state, "$function: the session says so";
    $holder->value('ROLLBACK');
    if ($client->is_open)
    {
        is $client->ask('SELECT 1')->{state}, '25P02', "$function: its transaction has failed";
        $client->value('ROLLBACK');
        is $client->value($count), $sound, "$function: and the session goes on";
    }
    $_->leave for grep { $_->is_open } $client, $holder;
    ok $herd->poll_sql($coordinator, $count, $sound), "$function: nothing of it is there";
    no_files_left($function);
}

# What a node says about a row is what an INSERT would say.
my ($out, $err);
$herd->sql(q{INSERT INTO here SELECT i, 300000 + i, CASE WHEN i = 1700 THEN 'refused' END FROM generate_series(1, 3000) i});
$coordinator->psql($herd->dbname, "\\set VERBOSITY verbose\nINSERT INTO target SELECT * FROM here;", stdout => \$out, stderr => \$err);
like $err, qr/ERROR:  23514: .*target_pad_check/, 'a row that is refused has its own error';
like $err, qr/TABLE NAME:  target\nCONSTRAINT NAME:  target_pad_check/, 'it names table and constraint';
like $err, qr/CONTEXT:  on node "n[12]"/, 'its context begins with the node';
unlike $err, qr/COPY target, line/, 'and knows of no line of a COPY';
is $herd->sql($count), $sound, 'nothing of that statement is there';

for my $server ($herd->servers)
{
    unlike slurp_file($server->logfile), qr/leak|PANIC|was terminated by signal/, 'nothing bad in the log of ' . $server->name;
}
$herd->check_invariants;
done_testing;
