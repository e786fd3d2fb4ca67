# COPY FROM and transactions: what fails, is canceled or loses a server leaves nothing behind, and
# the session goes on.
use strict;
use warnings;
use Herd;
use IO::Handle;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $herd = Herd->new(nodes => 2, plain => 1, conf => "deadlock_timeout = 10s\n");
my $coordinator = $herd->coordinator;
my $dir = PostgreSQL::Test::Utils::tempdir;
my $files = 0;

sub file_with
{
    my ($data) = @_;
    my $name = "$dir/data" . ++$files;
    open my $out, '>:raw', $name or die "$name: $!";
    print $out $data;
    close $out;
    return $name;
}

sub numbered
{
    my ($from, $to) = @_;
    return join '', map { "$_\tname $_\n" } $from .. $to;
}

sub total { return $herd->sql('SELECT count(*) FROM t'); }

sub nothing_left
{
    my ($name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $rows = total();
    $rows += $herd->sql_on($_->name, 'SELECT count(*) FROM t') for $herd->nodes;
    is $rows, 0, "$name: no row is left";
    ok $herd->nothing_prepared, "$name: nothing is prepared";
    return;
}

sub stat_of { return $herd->sql("SELECT value FROM herd.stat WHERE name = '$_[0]'"); }

$herd->sql('CREATE TABLE t (id bigint PRIMARY KEY, v text)');
$herd->sql("SELECT herd.distribute('t', 'id')");
my $good = file_with(numbered(1, 300));
my $bad = file_with(numbered(301, 600) . "bad\tx\n");
my $more = file_with(numbered(601, 900));

# --- commit and rollback ---
my $before = stat_of('commits_two_phase');
$herd->sql("COPY t FROM '$good'");
is total(), 300, 'all rows are there';
cmp_ok stat_of('commits_two_phase'), '>', $before, 'the commit had two phases';
for my $node ($herd->nodes)
{
    cmp_ok $herd->sql_on($node->name, 'SELECT count(*) FROM t'), '>', 50, $node->name . ' has its part';
}
$herd->sql('TRUNCATE t');
$herd->sql("BEGIN; COPY t FROM '$good'; COPY t FROM '$more'; ROLLBACK");
nothing_left('rollback');

$before = stat_of('commits_one_phase');
my ($key) = split /\n/, $herd->sql(
    "SELECT i FROM generate_series(1, 100) i WHERE herd.node_of('t', i::text) = 'n1'");
$herd->sql("COPY t FROM '" . file_with("$key\tx\n") . "'");
cmp_ok stat_of('commits_one_phase'), '>', $before, 'rows of one node need one phase';
is $herd->sql_on('n1', 'SELECT count(*) FROM t'), 1, 'the row is where it belongs';
$herd->sql('TRUNCATE t');

# --- savepoints ---
my ($out, $err);
$coordinator->psql($herd->dbname, <<"SQL", stdout => \$out, stderr => \$err, on_error_stop => 0);
BEGIN;
COPY t FROM '$good';
SAVEPOINT a;
COPY t FROM '$bad';
ROLLBACK TO a;
COPY t FROM '$more';
SAVEPOINT b;
COPY t FROM '$good';
ROLLBACK TO b;
COMMIT;
SQL
like $err, qr/line 301/, 'the bad file fails';
like $err, qr/duplicate key/, 'so does the one that is there';
is total(), 600, 'what stands outside of the savepoints is there';
$herd->sql('TRUNCATE t');

$herd->sql(qq{CREATE FUNCTION load_files(files text[]) RETURNS integer LANGUAGE plpgsql AS \$\$
DECLARE file text; failed integer := 0;
BEGIN
    FOREACH file IN ARRAY files LOOP
        BEGIN
            EXECUTE format('COPY t FROM %L', file);
        EXCEPTION WHEN OTHERS THEN
            failed := failed + 1;
        END;
    END LOOP;
    RETURN failed;
END\$\$});
is $herd->sql("SELECT load_files(ARRAY['$bad', '$good', '$bad', '/nowhere', '$more', '$good'])"), 4,
  'a function catches the errors';
is total(), 600, 'and loads the rest';
$herd->sql('TRUNCATE t');

is $herd->sql("BEGIN ISOLATION LEVEL REPEATABLE READ; COPY t FROM '$good'; COPY t FROM '$more'; COMMIT;
    SELECT count(*) FROM t"), 600, 'repeatable read';
$herd->sql('TRUNCATE t');

# --- clients ---
# A psql that copies from its standard input, which stays open.
sub client
{
    my %client = (errors => "$dir/errors" . ++$files);
    my $connection = $coordinator->connstr($herd->dbname);
    $client{pid} = open $client{pipe}, '|-',
      qq{exec psql -XAt -v VERBOSITY=verbose -d "$connection" -c 'COPY t FROM STDIN' 2>$client{errors}}
      or die "$!";
    $client{pipe}->autoflush(1);
    return \%client;
}

# All but what the pipe holds has reached psql when this returns.
sub feed
{
    my ($client, $data) = @_;
    local $SIG{PIPE} = 'IGNORE';
    print { $client->{pipe} } $data;
    return;
}

# What the client saw of errors, once it has ended.
sub end_of
{
    my ($client) = @_;
    local $SIG{PIPE} = 'IGNORE';
    close $client->{pipe};
    return slurp_file($client->{errors});
}

sub copying_pid
{
    my $pid;
    Herd::poll_until(
        sub {
            $pid = $herd->sql(q{SELECT pid FROM pg_stat_activity WHERE query = 'COPY t FROM STDIN' AND state = 'active'});
            return $pid;
        },
        'a COPY to run');
    return $pid;
}

my $client = client();
feed($client, numbered(1, 100_000));
my $pid = copying_pid();
$herd->sql("SELECT pg_cancel_backend($pid)");
feed($client, numbered(100_001, 200_000));
like end_of($client), qr/57014/, 'a COPY is canceled';
nothing_left('cancel');

$client = client();
feed($client, numbered(1, 100_000));
copying_pid();
kill 'KILL', $client->{pid};
end_of($client);
ok $herd->poll_sql($coordinator, q{SELECT count(*) FROM pg_stat_activity WHERE query = 'COPY t FROM STDIN'}, 0),
  'a session whose client is gone ends';
nothing_left('client gone');

# --- nodes ---
$client = client();
feed($client, numbered(1, 100_000));
copying_pid();
ok $herd->poll_sql($herd->node('n1'), q{SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'COPY public.t%'}, 't'),
  'a node copies';
$herd->sql_on('n1', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY public.t%'});
feed($client, numbered(100_001, 300_000));
like end_of($client), qr/\b(?:08006|57P01)\b/, 'the loss of a node ends the COPY';
nothing_left('node lost');
$herd->sql("COPY t FROM '$good'");
is total(), 300, 'the next one works';
$herd->sql('TRUNCATE t');

$herd->node('n2')->stop('immediate');
is(($herd->try("COPY t FROM '$good'"))[1], '08001', 'a node that is down is an error');
$herd->node('n2')->start;
nothing_left('node down');

# --- a node that hangs in a trigger ---
$herd->sql(q{CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN IF new.v = 'slow' THEN PERFORM pg_sleep(100); END IF; RETURN new; END$$});
$herd->sql('CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()');
my $slow = file_with(numbered(1, 50) . "$key\tslow\n");
my $start = time;
is(($herd->try("SET statement_timeout = '1s'; COPY t FROM '" . file_with("$key\tslow\n" . numbered(1001, 1050)) . "'"))[1],
    '57014', 'a COPY that waits for a node can be canceled');
cmp_ok time - $start, '<', 10, 'and soon';
nothing_left('hanging node');
ok $herd->poll_sql($herd->node('n1'), q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'}, 0),
  'the node stops, too';
$herd->sql('DROP TRIGGER slow ON t');

# --- notices, and statements of triggers in the middle of a COPY ---
$herd->sql(q{CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE NOTICE 'row %', new.id; RETURN new; END$$});
$herd->sql('CREATE TRIGGER tell BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tell()');
$coordinator->psql($herd->dbname, "COPY t FROM '$good'", stderr => \$err);
is scalar(() = $err =~ /NOTICE:  row \d+/g), 300, 'notices of all servers reach the client';
$herd->sql('DROP TRIGGER tell ON t; TRUNCATE t');

$herd->sql('CREATE TABLE log (id bigint, v text)');
$herd->sql("SELECT herd.distribute('log', 'id')");
my $log = file_with(join '', map { "$_\tlogged\n" } 1 .. 20);
my $port = $coordinator->port;
$herd->sql(qq{CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    \$\$BEGIN
        IF current_setting('port') = '$port' AND new.id % 50 < 2 THEN COPY log FROM '$log'; END IF;
        RETURN new;
    END\$\$});
$herd->sql('CREATE TRIGGER note BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION note()');
my $big = file_with(numbered(1, 20_000));
$herd->sql("COPY t FROM '$big'");
is total(), 20_000, 'a COPY with another one inside arrives';
my $notes = 0 + grep { $_ % 50 < 2 } split /\n/, $herd->sql(
    "SELECT i FROM generate_series(1, 20000) i WHERE herd.node_of('t', i::text) = 'coordinator'");
cmp_ok $notes, '>', 100, 'there are triggers to run';
is $herd->sql('SELECT count(*) FROM log'), 20 * $notes, 'and so do those inside';
$herd->sql('DROP TRIGGER note ON t; TRUNCATE t, log');

# --- many rows ---
my $million = "$dir/million";
$herd->plain->safe_psql($herd->dbname, qq{
    CREATE TABLE t (id bigint PRIMARY KEY, v text);
    COPY (SELECT i, 'name ' || i FROM generate_series(1, 1000000) i) TO '$million'});
$before = stat_of('rows_copied');
is $coordinator->safe_psql($herd->dbname, "COPY t FROM '$million'") || '', '', 'a million rows';
is total(), 1_000_000, 'all of them arrive';
cmp_ok stat_of('rows_copied') - $before, '>', 600_000, 'two thirds were sent to nodes';
open my $append, '>>', $million or die $!;
print $append "1000001\n";
close $append;
$herd->sql('TRUNCATE t');
like $herd->error_of("COPY t FROM '$million'"), qr/COPY t, line 1000001/, 'an error in the last line';
nothing_left('error in the last line');

done_testing;
