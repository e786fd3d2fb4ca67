# Statements that a client sends in one pipeline are one transaction: when one fails, none stays,
# wherever their rows lie.
use strict;
use warnings;
use Herd;
use IPC::Run;
use Test::More;

my $herd = Herd->new(nodes => 2);
$herd->sql('CREATE TABLE t (id int PRIMARY KEY, v int)');
$herd->sql("SELECT herd.distribute('t', 'id')");
my @key  = map { $herd->key_on('t', $_) } 1 .. 9;
my $used = 0;

# Runs statements as one pipeline; true when it went well.
sub pipeline
{
    my (@statements) = @_;
    my $script = $herd->coordinator->basedir . '/pipeline.sql';
    open my $fh, '>', $script or die $!;
    print $fh join("\n", '\startpipeline', (map { "$_;" } @statements), '\endpipeline'), "\n";
    close $fh;
    my ($out, $err);
    my $ok = IPC::Run::run(
        [
            'pgbench', '-n', '-M', 'extended', '-f', $script, '-t', 1,
            '-d',      $herd->coordinator->connstr($herd->dbname)
        ],
        '>',
        \$out,
        '2>',
        \$err
    );
    return $ok && $err !~ /ERROR/;
}

for my $nodes ([ 'n1', 'n1' ], [ 'n1', 'n2' ], [ 'n1', 'coordinator' ], [ 'coordinator', 'n2' ])
{
    my ($first, $second) = @$nodes;
    my ($a, $b, $there) = ($key[$used]{$first}, $key[ $used + 1 ]{$second}, $key[8]{$second});
    $used += 2;
    my $name = "first on $first, second on $second";
    $herd->sql("INSERT INTO t VALUES ($there, 0) ON CONFLICT DO NOTHING");
    ok !pipeline("INSERT INTO t VALUES ($a, 1)", "INSERT INTO t VALUES ($there, 2)"),
        "$name: a duplicate fails";
    is $herd->sql("SELECT count(*) FROM t WHERE id = $a"), 0,
        "$name: the first statement is undone";
    ok !pipeline("INSERT INTO t VALUES ($a, 1)", "SELECT 1 / 0 FROM t WHERE id = $a"),
        "$name: an error in a SELECT";
    is $herd->sql("SELECT count(*) FROM t WHERE id = $a"), 0, "$name: undoes the write before it";
    ok pipeline(
        "INSERT INTO t VALUES ($a, 1)", "INSERT INTO t VALUES ($b, 2)",
        "UPDATE t SET v = v + 1 WHERE id = $a"
        ),
        "$name: a good pipeline";
    is $herd->sql("SELECT sum(v) FROM t WHERE id IN ($a, $b)"), 4, "$name: is there as a whole";
}
ok $herd->nothing_prepared, 'nothing is left prepared';
done_testing;
