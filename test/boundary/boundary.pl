# The C++/PostgreSQL boundary: whatever goes wrong in C++ code, at every kind of entry point, leaves
# the backend sound and the server running. herd_boundary_test is the extension that does the failing.
use strict;
use warnings;
use Herd;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $server = PostgreSQL::Test::Cluster->new('boundary');
$server->init;
$server->append_conf('postgresql.conf', Herd::stage_settings($server));
$server->append_conf('postgresql.conf', "max_worker_processes = 32\nfsync = off");
$server->start;
$server->safe_psql('postgres', 'CREATE EXTENSION herd_boundary_test');
my $started = $server->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

my ($session, $pid, $live);

sub connect_session
{
    $session = $server->background_psql('postgres', on_error_stop => 0,
        extra_params => [ '-v', 'VERBOSITY=verbose' ]);
    $live = run_sql('SELECT boundary_live()');
    $pid = run_sql('SELECT pg_backend_pid()');
    return;
}

# Output and messages of statements in the session under test.
sub run_sql
{
    my ($sql) = @_;
    $session->{stderr} = '';
    my $out = $session->query($sql);
    my $messages = $session->{stderr};
    $session->{stderr} = '';
    return wantarray ? ($out, $messages) : $out;
}

# The same backend still has savepoints, runs queries, and every destructor has run.
sub is_sound
{
    my ($what) = @_;
    my $out = run_sql("BEGIN; SAVEPOINT s; SELECT 1/0; ROLLBACK TO s; SELECT 'sound'; COMMIT;\n"
          . "SELECT boundary_live(), pg_backend_pid()");
    is($out, "sound\n$live|$pid", "$what: the backend is sound");
    return;
}

my %expected = (
    runtime_error  => 'XX000: %s: thrown',
    herd_error     => 'HR003: herd error at %s',
    bad_alloc      => '53200: out of memory',
    unknown        => 'XX000: %s: unknown C++ exception',
    postgres_error => '22012: postgres error',
);
my @faults = sort keys %expected;

# Each point with the statements that pass it.
my $cursor = 'BEGIN; DECLARE c SCROLL CURSOR FOR SELECT g FROM generate_series(1, 3) g; '
  . 'FETCH ALL FROM c; MOVE ABSOLUTE 0 FROM c; ROLLBACK';
my %trigger = (
    (map { $_ => 'SELECT 1' } qw(planner executor_start executor_run executor_finish executor_end
          pre_commit scan_begin scan_exec scan_end)),
    utility      => 'DISCARD PLANS',
    scan_explain => 'EXPLAIN SELECT 1',
    scan_rescan  => $cursor,
);
my @points = sort keys %trigger;

connect_session();

note 'exceptions and errors';
for my $fault (@faults)
{
    my (undef, $messages) = run_sql("SELECT boundary_fail('$fault')");
    my $name = $fault eq 'herd_error' ? 'function' : 'boundary_fail';
    my $text = sprintf $expected{$fault}, $name;
    like($messages, qr/^.*ERROR:  \Q$text\E$/m, "function, $fault: the error");
    is_sound("function, $fault");
    for my $point (@points)
    {
        (undef, $messages) =
          run_sql("SELECT boundary_arm('$point', '$fault'); $trigger{$point}");
        $text = sprintf $expected{$fault}, $point;
        like($messages, qr/^.*ERROR:  \Q$text\E$/m, "$point, $fault: the error");
        is_sound("$point, $fault");
    }
    for my $point (qw(commit abort))
    {
        my $statement = $point eq 'commit' ? "SELECT 'done'" : "BEGIN; ROLLBACK; SELECT 'done'";
        (my $out, $messages) = run_sql("SELECT boundary_arm('$point', '$fault'); $statement");
        $text = sprintf $expected{$fault}, $point;
        like($messages, qr/^.*WARNING:  \Q$text\E$/m, "$point, $fault: a warning");
        like($out, qr/done$/, "$point, $fault: the statement is done");
        is_sound("$point, $fault");
    }
}

note 'what arrives';
my (undef, $fields) = run_sql("SELECT boundary_fail('herd_error')");
for my $field ('DETAIL:  the detail', 'HINT:  the hint', 'CONTEXT:  the context',
    'SCHEMA NAME:  s', 'TABLE NAME:  t', 'COLUMN NAME:  c', 'DATATYPE NAME:  d',
    'CONSTRAINT NAME:  k')
{
    like($fields, qr/^\Q$field\E$/m, "the error has its field: $field");
}

# C++, SPI, C++, SPI, PL/pgSQL: the context's lines were there twice.
run_sql('CREATE FUNCTION outermost() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM '
      . q{boundary_query('SELECT boundary_query(''SELECT boundary_fail(''''herd_error'''')'')');}
      . ' END $$');
my (undef, $context) = run_sql('SELECT outermost()');
for my $line ('the context', q{SQL statement "SELECT boundary_fail('herd_error')"},
    'PL/pgSQL function outermost() line 1 at PERFORM')
{
    my $count = () = $context =~ /\Q$line\E/g;
    is($count, 1, "the context has its line once: $line");
}
like($context, qr/HR003: herd error at function/, 'an error passes through five layers');
is_sound('five layers');

my (undef, $position) = run_sql(q{SELECT boundary_query('SELECT 1 + nope')});
like($position, qr/^LINE 1: SELECT 1 \+ nope\n +\^\nQUERY:  SELECT 1 \+ nope$/m,
    'the error shows the place in the inner statement');

is(run_sql(q{SELECT boundary_catch('SELECT 1/0'), boundary_catch('SELECT 1')}), '22012|00000',
    'C++ catches an error in a subtransaction and goes on');
is(run_sql('SELECT boundary_restores()'), 't',
    'a guard restores holdoff counts, memory context and context stack');
is_sound('caught errors');

note 'the tripwire';
my (undef, $unguarded) = run_sql('SELECT boundary_unguarded()');
like($unguarded, qr/WARNING:  XX000: boundary_unguarded: PostgreSQL was called without a guard/,
    'an error that skips C++ frames is reported at the end of the transaction');
my (undef, $nested) = run_sql('DO $$ BEGIN PERFORM boundary_unguarded(); '
      . 'EXCEPTION WHEN OTHERS THEN NULL; END $$');
like($nested, qr/WARNING:  XX000: boundary_unguarded: PostgreSQL was called without a guard/,
    'and of a subtransaction');
is_sound('after the tripwire');

note 'cancel';

# Leaves the session waiting at a point, after a first word of output.
sub wait_at
{
    my ($point) = @_;
    my $statement = $point eq 'function' ? "SELECT boundary_fail('wait')" : $trigger{$point};
    run_sql("SELECT boundary_arm('$point', 'wait')") unless $point eq 'function';
    $session->{stderr} = '';
    $session->query_until(qr/waiting/, "\\echo waiting\n$statement;\n");
    return wait_for_backend($pid, $point);
}

sub wait_for_backend
{
    my ($backend, $what) = @_;
    return Herd::poll_until(
        sub {
            return $server->safe_psql('postgres',
                "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $backend") eq 'Extension';
        },
        "$what waits");
}

sub is_gone
{
    my ($backend, $what) = @_;
    return ok(
        Herd::poll_until(
            sub {
                return $server->safe_psql('postgres',
                    "SELECT count(*) FROM pg_stat_activity WHERE pid = $backend") eq '0';
            }),
        "$what is gone");
}

for my $point ('function', @points)
{
    wait_at($point);
    $server->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
    $session->query('');
    like($session->{stderr}, qr/ERROR:  57014: canceling statement due to user request/,
        "$point: cancelled");
    is_sound("$point, cancelled");
}

note 'terminate';
for my $point ('function', @points)
{
    wait_at($point);
    $server->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
    is_gone($pid, "$point: the terminated backend");
    $session->{run}->finish;
    like($session->{stderr}, qr/FATAL:  57P01: terminating connection due to administrator command/,
        "$point: terminated");
    connect_session();
}

note 'workers';

sub start_worker
{
    my ($fault, $recover) = @_;
    return run_sql("SELECT boundary_start_worker('$fault', $recover)");
}

sub log_has
{
    my ($pattern, $from) = @_;
    return Herd::poll_until(sub { return slurp_file($server->logfile, $from) =~ $pattern; });
}

for my $fault (@faults)
{
    my $text = sprintf $expected{$fault}, $fault eq 'herd_error' ? 'worker' : 'boundary_worker_main';
    my $from = -s $server->logfile;
    my $worker = start_worker($fault, 'false');
    is_gone($worker, "worker, $fault: the worker");
    (my $message = $text) =~ s/^\w+: //;
    ok(log_has(qr/ERROR:  \Q$message\E.*exited with exit code 1/s, $from),
        "worker, $fault: logged, and the worker exits");

    $worker = start_worker($fault, 'true');
    is_gone($worker, "worker, $fault: the recovering worker");
    my ($state, $rest) = $text =~ /^(\w+): (.*)$/;
    $rest =~ s/^boundary_worker_main: //;
    is($server->safe_psql('postgres', 'DELETE FROM boundary_result RETURNING sqlstate, message, live'),
        "$state|$rest|0", "worker, $fault: it goes on after the failure");
}

my $worker = start_worker('wait', 'true');
wait_for_backend($worker, 'the worker');
$server->safe_psql('postgres', "SELECT pg_cancel_backend($worker)");
is_gone($worker, 'cancelled worker');
is($server->safe_psql('postgres', 'DELETE FROM boundary_result RETURNING sqlstate, live'),
    '57014|0', 'a cancelled worker goes on after the failure');

my $from = -s $server->logfile;
$worker = start_worker('wait', 'true');
wait_for_backend($worker, 'the worker');
$server->safe_psql('postgres', "SELECT pg_terminate_backend($worker)");
is_gone($worker, 'terminated worker');
ok(log_has(qr/terminating background worker "boundary worker" due to administrator command/, $from),
    'a terminated worker says so');
is_sound('after the workers');

note 'cost';
my ($plain, $call, $enter, $error) =
  split /\|/, run_sql('SELECT round(plain), round(call), round(enter), round(error) '
      . 'FROM boundary_cost(10000000)');
diag "per call: plain $plain ns, pg::call $call ns, pg::enter $enter ns, caught error $error ns";
cmp_ok($call - $plain, '<', 200, 'a guard costs nanoseconds');

$session->quit;
is($server->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started,
    'the server has not restarted');
my $log = slurp_file($server->logfile);
my $tripped = () = $log =~ /WARNING:  boundary_unguarded: PostgreSQL was called without a guard/g;
my $warned  = () = $log =~ /PostgreSQL was called without a guard/g;
is_deeply([ $tripped, $warned ], [ 2, 2 ], 'the tripwire speaks up where it should, and only there');
unlike($log, qr/terminated by signal|all server processes terminated/,
    'no process crashed');
$server->stop;
done_testing;
