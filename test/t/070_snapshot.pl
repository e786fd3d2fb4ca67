# Several parts of one statement see one snapshot on each node, though rows come and go meanwhile:
# a statement never contradicts itself.
use strict;
use warnings;
use Herd;
use IPC::Run;
use Test::More;

my $herd = Herd->new(nodes => 2);
$herd->sql('CREATE TABLE t (id bigint PRIMARY KEY, v bigint NOT NULL)');
$herd->sql("SELECT herd.distribute('t', 'id')");
$herd->sql('INSERT INTO t SELECT i, i FROM generate_series(1, 300) i');

# Writers that insert and delete single rows until they are told to stop.
my $script = $herd->coordinator->basedir . '/writer.sql';
open my $fh, '>', $script or die $!;
print $fh "\\set id random(1000, 3000)\nINSERT INTO t VALUES (:id, :id) ON CONFLICT DO NOTHING;\n"
    . "\\set gone random(1000, 3000)\nDELETE FROM t WHERE id = :gone;\n";
close $fh;
my ($out, $err) = ('', '');
my $writer = IPC::Run::start(
    [
        'pgbench', '-n', '-f', $script, '-c', 2, '-T', 40,
        '-d',      $herd->coordinator->connstr($herd->dbname)
    ],
    '<',
    \undef,
    '>',
    \$out,
    '2>',
    \$err
);
Herd::poll_until(sub { $herd->sql('SELECT count(*) FROM t WHERE id > 999') > 20 },
    'writers at work');

my %statements = (
    'two scalar subqueries' => 'SELECT (SELECT count(*) FROM t) - (SELECT count(*) FROM t)',
    'self-join'             =>
        'SELECT count(*) FROM t a FULL JOIN t b USING (id) WHERE a.v IS NULL OR b.v IS NULL',
    'self-join on another column' =>
        'SELECT count(*) FROM t a FULL JOIN t b ON b.v = a.v WHERE a.id IS NULL OR b.id IS NULL',
    'not in'    => 'SELECT count(*) FROM t WHERE v NOT IN (SELECT v FROM t)',
    'except'    => 'SELECT count(*) FROM (SELECT id FROM t EXCEPT SELECT v FROM t) s',
    'union all' =>
        'SELECT max(n) - min(n) FROM (SELECT count(*) AS n FROM t UNION ALL '
        . 'SELECT count(*) FROM t UNION ALL SELECT count(*) FROM t) s',
    'common table expression' =>
        'WITH a AS MATERIALIZED (SELECT id FROM t) '
        . 'SELECT (SELECT count(*) FROM a) - count(*) FROM t',
    'function that reads again' => 'SELECT again() - count(*) FROM t'
);
$herd->sql(
    'CREATE FUNCTION again() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM t $$');

for my $name (sort keys %statements)
{
    my $times = 60;
    my ($answers, $state) = $herd->try("$statements{$name};\n" x $times);
    my @wrong = grep { $_ ne '0' } split /\n/, $answers;
    is $state,                        '00000', "$name: no error";
    is scalar(split(/\n/, $answers)), $times,  "$name: all executions answered";
    is scalar(@wrong),                0,       "$name: no execution contradicts itself";
}

# In REPEATABLE READ nothing changes between statements either.
my ($answers) =
    $herd->try("BEGIN ISOLATION LEVEL REPEATABLE READ;\n"
        . "SELECT count(*), sum(v) FROM t;\n" x 20
        . "COMMIT;\n");
my %different = map { $_ => 1 } split /\n/, $answers;
is scalar(keys %different), 1, 'repeatable read: twenty statements see the same rows';

$writer->signal('TERM');
eval { $writer->finish };
unlike $err, qr/ERROR/, 'the writers met no error';
$herd->check_invariants('after concurrent writers');
done_testing;
