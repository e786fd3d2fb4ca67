# Definitions when a node fails: all servers change or none, and what can't be undone says how to
# go on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use Catalogue qw(catalogue differences);
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
my ($coordinator, $n1, $n2) = $herd->servers;

sub same_on_nodes
{
    my ($name) = @_;
    my $expected = catalogue($coordinator, 'postgres');
    is differences($expected, catalogue($_, 'postgres')), '', "$name: as on " . $_->name
      for $n1, $n2;
    return $expected;
}

sub exists_everywhere
{
    my ($relation) = @_;
    return join ',', map { $_->safe_psql('postgres', "SELECT to_regclass('$relation') IS NOT NULL") }
      $herd->servers;
}

$herd->sql('CREATE TABLE base (id int PRIMARY KEY, k int)');

note 'A node that refuses its part';
$n1->safe_psql('postgres', 'CREATE TABLE in_the_way (a int)');
is(($herd->try('CREATE TABLE in_the_way (a int)'))[1], '42P07', 'its error is the user\'s');
like $herd->error_of('CREATE TABLE in_the_way (a int)'), qr/on node "n1"/, 'and names the node';
is exists_everywhere('in_the_way'), 'f,t,f', 'nothing was made elsewhere';
is(($herd->try('BEGIN; CREATE TABLE first (a int); SAVEPOINT s; CREATE TABLE in_the_way (a int); COMMIT'))[1],
    '42P07', 'a transaction fails as a whole');
is exists_everywhere('first'), 'f,f,f', 'nothing is left of it';
my ($out) = $herd->try(q{BEGIN; CREATE TABLE first (a int);
    DO $$ BEGIN CREATE TABLE in_the_way (a int); EXCEPTION WHEN duplicate_table THEN RAISE NOTICE 'there'; END $$;
    CREATE TABLE second (a int); COMMIT});
is exists_everywhere('first'), 't,t,t', 'a savepoint keeps what went before';
is exists_everywhere('second'), 't,t,t', 'and what comes after';
$n1->safe_psql('postgres', 'DROP TABLE in_the_way');
same_on_nodes('after errors');

note 'A node that is killed';
for my $failpoint (qw(ddl.before_nodes ddl.after_nodes commit.before_prepare commit.after_prepare))
{
    my $table = "killed_$failpoint" =~ s/\./_/r;
    $herd->sql("SELECT herd.failpoint_set('$failpoint', 'pause')");
    my $session = $herd->session;
    $session->query_until(qr/started/, "\\echo started\nCREATE TABLE $table (a int);\n\\echo finished\n");
    Herd::poll_until(sub { $herd->sql('SELECT herd.failpoint_paused()') =~ /\Q$failpoint\E/ },
        "somebody to wait at $failpoint");
    $herd->kill_server($n2);
    $herd->sql("SELECT herd.failpoint_clear('$failpoint')");
    $session->query_until(qr/finished/, "\n");
    $session->quit;
    $n2->start;
    ok $herd->nothing_prepared, "$failpoint: nothing is left prepared";
    like exists_everywhere($table), qr/^(f,f,f|t,t,t)$/, "$failpoint: all or nothing";
    same_on_nodes("after $failpoint");
}

note 'A node that is down';
$herd->kill_server($n2);
like(($herd->try('CREATE TABLE nowhere (a int)'))[1], qr/^(08\d\d\d|HR006)$/, 'definitions need every node');
is join(',', map { $_->safe_psql('postgres', q{SELECT to_regclass('nowhere') IS NOT NULL}) } $coordinator, $n1),
  'f,f', 'and leave the others alone';
is(($herd->try('CREATE TEMP TABLE mine (a int); DROP TABLE mine'))[1], '00000', 'temporary tables do not');
like(($herd->try('VACUUM'))[1], qr/^(08\d\d\d|HR006)$/, 'VACUUM says that it has not been everywhere');
my $error = $herd->error_of('CREATE INDEX CONCURRENTLY half ON base (k)');
like $error, qr/failed on node "n2"/, 'CREATE INDEX CONCURRENTLY names the node that failed';
like $error, qr/Done on the coordinator, "n1"/, 'and those that are done';
like $error, qr/HINT:.*DROP INDEX CONCURRENTLY public\.half/, 'and the way on';
like $herd->sql(q{SELECT object || ': ' || detail FROM herd.event WHERE kind = 'ddl_failed' AND object LIKE '%half'}),
  qr/^CREATE INDEX CONCURRENTLY public\.half: .*n2/, 'the herd keeps the event';
$n2->start;
Herd::poll_until(sub { ($herd->try('CREATE TABLE again (a int)'))[1] eq '00000' }, 'the node to answer');
is(($herd->try('DROP INDEX CONCURRENTLY half'))[1], '00000', 'the hint works, step one');
is(($herd->try('CREATE INDEX CONCURRENTLY half ON base (k)'))[1], '00000', 'step two');
same_on_nodes('after the hint');

note 'An index that fails on the coordinator';
$herd->sql('INSERT INTO base VALUES (1, 1), (2, 1)');
is(($herd->try('CREATE UNIQUE INDEX CONCURRENTLY twice ON base (k)'))[1], '23505', 'as PostgreSQL says');
is exists_everywhere('twice'), 't,f,f', 'is left invalid here';
is(($herd->try('DROP INDEX twice'))[1], '00000', 'and can be dropped');
same_on_nodes('after the failed index');

done_testing;
