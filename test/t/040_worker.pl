# The supervisor: it sees nodes come and go, outlives everything, and is in nobody's way.
use strict;
use warnings;
use Herd;
use Test::More;
use Time::HiRes qw(time);

my $herd = Herd->new(nodes => 2);
my ($coordinator, $n1, $n2) = ($herd->coordinator, $herd->nodes);
my $state   = "SELECT state FROM herd.nodes WHERE name =";
my $workers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'pg\\_herd%'";

ok $herd->poll_sql($coordinator, "$workers AND datname = 'postgres'", 1), 'one supervisor runs';
ok $herd->poll_sql($coordinator, "$state 'n1'", 'up'), 'a node that answers is up';
ok $herd->poll_sql($coordinator,
    "SELECT last_seen > now() - interval '10 s' FROM herd.nodes WHERE name = 'n1'", 't'),
    'it has been seen of late';

# A node dies and comes back.
$herd->kill_server($n1);
ok $herd->poll_sql($coordinator, "$state 'n1'", 'down'), 'a killed node is down';
isnt $herd->sql("SELECT message FROM herd.nodes WHERE name = 'n1'"), '',   'with a message';
is $herd->sql("$state 'n2'"),                                        'up', 'the other one stays up';
$n1->start;
ok $herd->poll_sql($coordinator, "$state 'n1'", 'up'), 'and up again after its start';

# A node that hangs: its processes are stopped, so that it accepts but does not answer.
my @frozen = ($n2->{_pid}, Herd::children_of($n2->{_pid}));
kill 'STOP', @frozen;
ok $herd->poll_sql($coordinator, "$state 'n2'", 'down'), 'a node that hangs is down';
is $herd->sql("$state 'n1'"), 'up', 'and does not hold up the others';
kill 'CONT', @frozen;
ok $herd->poll_sql($coordinator, "$state 'n2'", 'up'), 'and up when it goes on';

# The supervisor comes back when it is terminated.
my $pid = $herd->sql(
    "SELECT pid FROM pg_stat_activity WHERE backend_type LIKE 'pg\\_herd%' AND datname = 'postgres'"
);
$herd->sql("SELECT pg_terminate_backend($pid)");
ok $herd->poll_sql(
    $coordinator, "SELECT count(*) FROM pg_stat_activity
    WHERE backend_type LIKE 'pg\\_herd%' AND datname = 'postgres' AND pid <> $pid", 1
    ),
    'a terminated supervisor is replaced';

# What a dead session left prepared is finished, though its coordinator never came back to it: see
# 020_two_phase.pl. Here: a foreign prepared transaction is left alone.
$herd->sql('CREATE TABLE plain_table (id int)');
$n1->safe_psql('postgres',
    "BEGIN; INSERT INTO plain_table VALUES (1); PREPARE TRANSACTION 'not the herd''s'");

# DROP DATABASE, with a supervisor in it.
for my $server ($herd->servers) { $server->safe_psql('postgres', 'CREATE DATABASE second'); }
$herd->form('second');
$herd->{dbname} = 'postgres';
ok $herd->poll_sql($coordinator, "$workers AND datname = 'second'", 1),
    'a second database has its own supervisor';
my $began = time;
is(($herd->try('DROP DATABASE second'))[1], '00000', 'its database can be dropped');
cmp_ok time - $began, '<', 10, '... without a long wait';
ok $herd->poll_sql($coordinator, "$workers AND datname = 'second'", 0),
    'and its supervisor is gone';
is $n1->safe_psql('postgres',
    "SELECT count(*) FROM pg_prepared_xacts WHERE gid = 'not the herd''s'"), 1,
    'a prepared transaction of someone else is left alone';
$n1->safe_psql('postgres', "ROLLBACK PREPARED 'not the herd''s'");

# DROP EXTENSION ends the supervisor, CREATE EXTENSION starts one.
$coordinator->safe_psql('postgres', 'CREATE DATABASE third');
$coordinator->safe_psql('third',    'CREATE EXTENSION pg_herd');
ok $herd->poll_sql($coordinator, "$workers AND datname = 'third'", 1),
    'CREATE EXTENSION starts a supervisor';
is(($coordinator->psql('third', 'DROP EXTENSION pg_herd CASCADE')), 0,
    'the extension can be dropped');
ok $herd->poll_sql($coordinator, "$workers AND datname = 'third'", 0), 'DROP EXTENSION ends it';

# A fast shutdown is quick, even with a node that hangs.
@frozen = ($n2->{_pid}, Herd::children_of($n2->{_pid}));
kill 'STOP', @frozen;
$began = time;
$coordinator->stop('fast');
cmp_ok time - $began, '<', 5, 'a fast shutdown is quick though a node hangs';
kill 'CONT', @frozen;
$coordinator->start;
ok $herd->poll_sql($coordinator, $workers . " AND datname = 'postgres'", 1),
    'the supervisor runs after a restart';
ok $herd->poll_sql($coordinator, "SELECT count(*) FROM herd.nodes WHERE state = 'up'", 3),
    'and finds every node';

my $log = PostgreSQL::Test::Utils::slurp_file($coordinator->logfile);
unlike $log, qr/PANIC|TRAP|terminated by signal (?:6|11)/, 'no crash in the log';
done_testing;
