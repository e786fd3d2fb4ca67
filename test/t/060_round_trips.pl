# A prepared statement that one node answers makes one round trip per execution, and plans and
# deparses nothing: the counters of herd.stat say so.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
$herd->sql('CREATE TABLE items (id bigint PRIMARY KEY, name text, value int)');
$herd->sql("SELECT herd.distribute('items', 'id')");
$herd->sql("INSERT INTO items SELECT i, 'item ' || i, 0 FROM generate_series(1, 400) i");
my $key = $herd->key_on('items');

# Counters before and after N executions in one session, the plan being warm.
sub measure
{
    my ($prepare, $execute, $n) = @_;
    my $read = "SELECT string_agg(name || '=' || value, ' ') FROM herd.stat;\n";
    my $warm = "$execute;\n" x 12;
    my $out =
        $herd->sql("$prepare;\n\\o /dev/null\n$warm\\o\n$read\\o /dev/null\n"
            . "$execute;\n" x $n
            . "\\o\n$read");
    my ($before, $after) = map {
        { split /[= ]/ }
    } split /\n/, $out;
    return { map { $_ => $after->{$_} - $before->{$_} } keys %$after };
}

for my $mode ('auto', 'force_generic_plan')
{
    my $set = "SET plan_cache_mode = $mode";
    for my $case (
        [ 'SELECT', 1, 'PREPARE q(bigint) AS SELECT name, value FROM items WHERE id = $1' ],
        [
            'SELECT of an aggregate', 1,
            'PREPARE q(bigint) AS SELECT count(*), max(value) FROM items WHERE id = $1'
        ],
        # A write has its COMMIT on a trip of its own.
        [ 'UPDATE', 2, 'PREPARE q(bigint) AS UPDATE items SET value = value + 1 WHERE id = $1' ]
        )
    {
        my ($name, $trips, $prepare) = @$case;
        my $delta = measure("$set;\n$prepare", "EXECUTE q($key->{n1})", 100);
        is $delta->{round_trips}, 100 * $trips,
            "$mode: $trips round trip(s) per execution of a prepared $name";
        is $delta->{planned},  0, "$mode: nothing is planned per execution of $name";
        is $delta->{deparsed}, 0, "$mode: nothing is deparsed per execution of $name";
        $delta = measure("$set;\n$prepare", "EXECUTE q($key->{coordinator})", 100);
        is $delta->{round_trips}, 0,
            "$mode: $name of the coordinator's own row makes no round trip";
        is $delta->{planned}, 0, "$mode: nothing is planned per execution of the local $name";
    }
}

# An INSERT of one row is prepared on its node, too.
{
    my $delta = measure('PREPARE q(bigint) AS INSERT INTO items VALUES ($1, \'new\', 1) ON CONFLICT DO NOTHING', "EXECUTE q($key->{n1})", 100);
    is $delta->{round_trips},     200, 'two round trips per execution of a prepared INSERT';
    is $delta->{remote_prepared}, 0,   'which the node has prepared once';
    # The first five executions of any prepared statement may have plans of their own.
    my $executions = "EXECUTE q($key->{n1}); " x 9;
    my $out = $herd->sql("BEGIN; PREPARE q(bigint) AS INSERT INTO items VALUES (\$1, 'new', 1) ON CONFLICT DO NOTHING; $executions"
            . "SELECT herd.run_on_node('n1', \$\$SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%INSERT INTO public.items%'"
            . " AND statement NOT LIKE '%pg_prepared%'\$\$)");
    is $out, 1, 'one prepared statement';
}

# The same plan serves keys of every node.
my $delta = measure(
    'PREPARE q(bigint) AS SELECT name FROM items WHERE id = $1',
    "EXECUTE q($key->{n1});\nEXECUTE q($key->{n2});\nEXECUTE q($key->{coordinator})", 50
);
is $delta->{round_trips}, 100, 'keys of three nodes in turn: one round trip for each that is away';
is $delta->{planned} + $delta->{deparsed}, 0, 'keys of three nodes in turn: planned once for all';
# What is read again for each outer row travels once.
for my $case (
    [ 'a correlated subquery', 'SELECT g, (SELECT count(*) FROM items WHERE id % 20 = g) FROM generate_series(1, 20) g' ],
    [ 'LATERAL', 'SELECT * FROM generate_series(1, 20) g, LATERAL (SELECT id FROM items WHERE id % 20 = g ORDER BY id LIMIT 2) i' ]
    )
{
    my ($name, $query) = @$case;
    is measure("PREPARE q AS $query", 'EXECUTE q', 10)->{fan_out}, 10, "$name asks the nodes once for all outer rows";
}

done_testing;
