# The supervisor is in nobody's way: statements that need a whole database, copies of it, and what a
# user sees of it. 040_worker.pl has nodes that come and go.
use strict;
use warnings;
use Herd;
use Test::More;
use Time::HiRes qw(time);

my $herd = Herd->new(nodes => 1);
my $coordinator = $herd->coordinator;

# The process that supervises a database, '' where there is none.
sub supervisor_of
{
    my ($dbname) = @_;
    return $herd->sql("SELECT pid FROM herd.supervisor WHERE database = '$dbname'");
}

sub becomes
{
    my ($dbname, $count, $what) = @_;
    return ok $herd->poll_sql($coordinator,
        "SELECT count(*) FROM herd.supervisor WHERE database = '$dbname'", $count), $what;
}

subtest 'what it says' => sub {
    ok $herd->poll_sql($coordinator, 'SELECT sentence FROM herd.supervisor',
        'the node is up, no transaction is in doubt'), 'its sentence explains the herd';
    my $tick = $herd->sql('SELECT tick FROM herd.supervisor');
    ok $herd->poll_sql($coordinator, "SELECT tick > $tick FROM herd.supervisor", 't'), 'it goes on looking';
    $herd->sql('CREATE ROLE watcher');
    is(($herd->try('SET ROLE watcher; SELECT count(*) FROM herd.supervisor'))[1], '00000', 'anybody may see that');
    is(($herd->try('SET ROLE watcher; SELECT count(*) FROM herd.transactions'))[1], '42501',
        'ids of transactions are for monitors');
    $herd->sql('GRANT pg_monitor TO watcher');
    is(($herd->try('SET ROLE watcher; SELECT count(*) FROM herd.transactions'))[1], '00000', '... who may');
    is(($herd->try('SET ROLE watcher; SELECT herd.start_supervisor()'))[1], '42501', 'starting one is for superusers');
};

subtest 'the node has none' => sub {
    ok $herd->poll_sql($herd->node('n1'), 'SELECT count(*) FROM herd.supervisor', '0'), 'no supervisor runs on a node';
};

subtest 'a rolled back CREATE EXTENSION' => sub {
    $coordinator->safe_psql('postgres', 'CREATE DATABASE other');
    $coordinator->safe_psql('other', 'BEGIN; CREATE EXTENSION pg_herd; ROLLBACK');
    is supervisor_of('other'), '', 'starts nothing';
    $coordinator->safe_psql('other', 'CREATE EXTENSION pg_herd');
    becomes('other', 1, 'a committed one starts a supervisor');
};

subtest 'statements that need a database unused' => sub {
    my $began = time;
    is(($herd->try('ALTER DATABASE other RENAME TO another'))[1], '00000', 'RENAME');
    becomes('another', 1, 'the supervisor is back under the new name');
    is(($herd->try('CREATE DATABASE copy TEMPLATE another'))[1], '00000', 'as a TEMPLATE');
    becomes('copy', 1, 'the copy has a supervisor of its own');
    becomes('another', 1, 'the original\'s is back');
    is(($herd->try('DROP DATABASE nowhere'))[1], '3D000', 'a statement that fails');
    is(($herd->try('ALTER DATABASE another RENAME TO copy'))[1], '42P04', '... with a supervisor stopped for it');
    becomes('another', 1, 'gives it back');
    is(($herd->try('DROP DATABASE copy'))[1], '00000', 'DROP');
    is(($herd->try('DROP DATABASE another WITH (FORCE)'))[1], '00000', 'DROP with FORCE');
    cmp_ok time - $began, '<', 15, 'none of them waits long';
    becomes('copy', 0, 'nothing is left of the dropped ones');
};

subtest 'errors' => sub {
    my $pid = supervisor_of('postgres');
    $herd->sql(q{SELECT herd.failpoint_set('supervisor.tick', 'error')});
    my $log = $coordinator->logfile;
    ok Herd::poll_until(sub { PostgreSQL::Test::Utils::slurp_file($log) =~ /failpoint "supervisor.tick"/ },
        'an error in the log'), 'are logged';
    $herd->sql(q{SELECT herd.failpoint_clear('supervisor.tick')});
    my $tick = $herd->sql('SELECT tick FROM herd.supervisor');
    ok $herd->poll_sql($coordinator, "SELECT tick > $tick FROM herd.supervisor", 't'), 'and outlived';
    is supervisor_of('postgres'), $pid, 'by the same process';
    my $session = $herd->session;
    $session->query_safe('BEGIN; LOCK TABLE herd.node, herd.dist_transaction, herd.event IN ACCESS EXCLUSIVE MODE');
    ok Herd::poll_until(sub { PostgreSQL::Test::Utils::slurp_file($log) =~ /canceling statement due to lock timeout/ },
        'a lock timeout'), 'somebody\'s lock does not hang it';
    $session->query_safe('COMMIT');
    $session->quit;
    $tick = $herd->sql('SELECT tick FROM herd.supervisor');
    ok $herd->poll_sql($coordinator, "SELECT tick > $tick FROM herd.supervisor", 't'), 'it goes on afterwards';
};

subtest 'settings' => sub {
    $coordinator->append_conf('postgresql.conf', q{herd.probe_interval = '150ms'});
    $coordinator->reload;
    my $rate = sub {
        my $before = $herd->sql('SELECT tick FROM herd.supervisor');
        $herd->sql('SELECT pg_sleep(1)');
        return $herd->sql('SELECT tick FROM herd.supervisor') - $before;
    };
    ok Herd::poll_until(sub { $rate->() > 4 }, 'more ticks'), 'a reload changes the interval';
};

subtest 'a crash of the server' => sub {
    my $pid = supervisor_of('postgres');
    $herd->kill_server($coordinator);
    $coordinator->start;
    becomes('postgres', 1, 'it starts with the server');
    isnt supervisor_of('postgres'), $pid, 'as another process';
};

done_testing;
