# A session's memory does not grow with the number of different statements that it has run, nor does its part on the nodes:
# what it keeps of them is bounded, and what it has not used for the longest time goes first.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
my $columns = 11;
$herd->sql("SELECT herd.set_node('coordinator', takes_shards => false)");
$herd->sql('CREATE TABLE wide (id bigint PRIMARY KEY, ' . join(', ', map { "c$_ int DEFAULT $_" } 1 .. $columns) . ')');
$herd->sql("SELECT herd.distribute('wide', 'id')");
$herd->sql('INSERT INTO wide (id) SELECT generate_series(1, 400)');
my $key = $herd->key_on('wide');

my $session = $herd->session;
my $pid     = $session->query_safe('SELECT pg_backend_pid()');

# A statement for each set of columns.
sub statement
{
    my ($n, $id) = @_;
    return 'SELECT ' . join(', ', 'id', map { "c$_" } grep { $n & 1 << $_ - 1 } 1 .. $columns) . " FROM wide WHERE id = $id";
}

# Three times each: seen, planned as a shape, prepared on the node.
sub run_shapes
{
    my (@numbers) = @_;
    $session->query_safe("\\o /dev/null\n" . join("\n", map { (statement($_, $key->{n1}) . ';') x 3 } @numbers) . "\n\\o");
    return;
}

sub run_prepared
{
    my (@numbers) = @_;
    my $script = "\\o /dev/null\n";
    for my $n (@numbers)
    {
        $script .= "PREPARE p$n(bigint) AS " . statement($n, '$1') . ";\n";
        $script .= "EXECUTE p$n($key->{$_});\n" for ('n1', 'n2') x 5;
        $script .= "DEALLOCATE p$n;\n";
    }
    $session->query_safe("$script\\o");
    return;
}

my $in_contexts = 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';

sub on_node
{
    my ($name, $query) = @_;
    return $session->query_safe("SELECT herd.run_on_node('$name', \$\$$query\$\$)");
}

# Bytes: of the coordinator's memory contexts, of its process, of the nodes' memory contexts.
sub memory
{
    open my $fh, '<', "/proc/$pid/status" or die $!;
    my ($data) = map { /^VmData:\s+(\d+) kB/ } <$fh>;
    close $fh;
    return ($session->query_safe($in_contexts), $data * 1024, map { on_node($_, $in_contexts) } qw(n1 n2));
}

sub prepared_on { return on_node($_[0], q{SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%public.wide%'}); }

sub stays_flat
{
    my ($what, $before, $after) = @_;
    note "$what: bytes before @$before, after @$after";
    my @places = ('memory contexts', 'process', 'memory contexts on n1', 'memory contexts on n2');
    cmp_ok $after->[$_], '<', $before->[$_] + 700_000, "$what: $places[$_]" for 0 .. $#places;
    return;
}

$session->query_safe('SET herd.max_shapes = 40; SET herd.max_prepared_per_node = 30');
my %start = %{ $herd->counters };
run_shapes(1 .. 200);
my @before = memory();
is prepared_on('n1'), 30, 'as many prepared statements as the setting allows';
run_shapes(201 .. 1600);
is prepared_on('n1'), 30, 'and no more after a thousand others';
stays_flat('shapes', \@before, [ memory() ]);

my %now = %{ $herd->counters };
is $now{shapes_kept} - $start{shapes_kept}, 40, 'herd.stat: shapes kept';
is $now{shapes_dropped} - $start{shapes_dropped}, 1600 - 40, 'shapes dropped';
is $now{prepared_dropped} - $start{prepared_dropped}, 1600 - 30, 'prepared statements dropped';
cmp_ok $now{prepared_kept}, '>=', 30, 'prepared statements kept';
is $now{planned_by_shape} - $start{planned_by_shape}, 2 * 1600, 'every shape was used';

# What is used stays, whatever comes and goes meanwhile.
$session->query_safe(statement(2000, $key->{n1})) for 1 .. 3;
for my $round (1 .. 4)
{
    run_shapes(map { $round * 20 + $_ } 1 .. 20);
    $session->query_safe(statement(2000, $key->{n1}));
}
%start = %{ $herd->counters };
$session->query_safe(statement(2000, $key->{n1}));
%now = %{ $herd->counters };
is $now{$_} - $start{$_}, 0, "what is used over and over: $_" for qw(planned remote_prepared shapes_dropped prepared_dropped);
is $now{$_} - $start{$_}, 1, "what is used over and over: $_" for qw(planned_by_shape prepared_used);

# The client's own prepared statements.
run_prepared(1 .. 100);
@before = memory();
run_prepared(101 .. 400);
stays_flat('prepared statements', \@before, [ memory() ]);
is prepared_on($_), 30, "prepared statements on $_" for qw(n1 n2);

# Rows that nobody reads to their end: the answer to PREPARE may be among them.
my $some = 'SELECT id, repeat(c1::text, 5000) FROM wide WHERE c2 > 0';
$session->query_safe("\\o /dev/null\nPREPARE few AS SELECT * FROM ($some OFFSET 0) s LIMIT 1;\nPREPARE more(int) AS SELECT count(*) FROM wide WHERE c3 > \$1;\n"
        . "EXECUTE few; EXECUTE more(0);\nBEGIN; EXECUTE few; EXECUTE more(1); EXECUTE few; COMMIT;\n" x 60 . "\\o");
cmp_ok prepared_on($_), '<=', 30, "given up early: prepared statements on $_" for qw(n1 n2);

# A smaller limit holds from the next statement that is prepared on.
$session->query_safe('SET herd.max_prepared_per_node = 5; SET herd.max_shapes = 3');
run_shapes(1701 .. 1710);
is prepared_on('n1'), 5, 'a lower limit';
%now = %{ $herd->counters };
is $now{shapes_kept}, 3, 'of shapes, too';
$session->query_safe('SET herd.max_prepared_per_node = 0; SET herd.max_shapes = 0');
%start = %{ $herd->counters };
run_shapes(1801 .. 1810);
%now = %{ $herd->counters };
is $now{$_} - $start{$_}, 0, "none at all: $_" for qw(remote_prepared planned_by_shape);

$session->quit;
$herd->poll_sql($herd->coordinator, "SELECT sum(value) FROM herd.stat WHERE name IN ('shapes_kept', 'prepared_kept')", 0);
%now = %{ $herd->counters };
is "$now{shapes_kept} $now{prepared_kept}", '0 0', 'what a session has kept ends with it';
$herd->sql('SELECT herd.stat_reset()');
is $herd->counters->{shapes_kept}, 0, 'and there is nothing less than that';

done_testing;
