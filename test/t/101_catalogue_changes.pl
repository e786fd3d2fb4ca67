# A change of the catalogue costs what has changed: nodes are told of it alone, and their copies are still equal; sessions read the
# shards of the groups that they use, and plans over other tables stay.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
$herd->sql("CREATE TABLE $_ (id bigint PRIMARY KEY, other bigint)") for qw(a b c d r p);
$herd->sql('CREATE TABLE parts (id bigint, at int) PARTITION BY RANGE (at); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (100)');

sub copies_are_equal
{
    my ($when) = @_;
    is $herd->sql("SELECT string_agg(concat_ws(' ', node, status), ', ' ORDER BY node) FROM herd.check() WHERE check_name = 'metadata'"),
        'n1 ok, n2 ok', "nodes know it: $when";
    return;
}

$herd->sql("SELECT herd.distribute('a', 'id', shard_count => 6)");
copies_are_equal('the first table');
$herd->sql("SELECT herd.distribute('b', 'id', shard_count => 4)");
copies_are_equal('another group');
$herd->sql("SELECT herd.distribute('c', 'id', colocate_with => 'a')");
copies_are_equal('a table of a group that is there');
$herd->sql("SELECT herd.distribute('parts', 'id'), herd.reference('r')");
copies_are_equal('partitions, a reference table');
$herd->sql("INSERT INTO $_ SELECT i, i FROM generate_series(1, 60) i") for qw(a b c r);

# Plans of other sessions.
my $session = $herd->session;
$session->query_safe("SET plan_cache_mode = force_generic_plan; PREPARE a AS SELECT count(*) FROM a WHERE id = 7; PREPARE d AS SELECT count(*) FROM d");
$session->query_safe('EXECUTE a; EXECUTE d') for 1 .. 2;
my $before = $herd->counters->{planned};
is $session->query_safe('EXECUTE a; EXECUTE a'), "1\n1", 'a statement of one table';
is $herd->counters->{planned}, $before, 'has its plan';
$herd->sql("SELECT herd.distribute('d', 'id', shard_count => 3)");
$herd->sql("INSERT INTO d SELECT i, i FROM generate_series(1, 30) i");
$before = $herd->counters->{planned};
is $session->query_safe('EXECUTE a'), 1, 'after another table has been distributed';
is $herd->counters->{planned}, $before, 'it still has it';
is $session->query_safe('EXECUTE d'), 30, 'plans over the table that was are made again';
$herd->sql("SELECT herd.collect('d')");
copies_are_equal('a table and its group are gone');
is $session->query_safe('EXECUTE d; EXECUTE a'), "30\n1", 'and again when it is collected';
is $herd->sql('SELECT count(*) FROM d'), 30, 'with its rows';
$herd->sql("SELECT herd.collect('c')");
copies_are_equal('one table of a group is gone');
is $session->query_safe('EXECUTE a'), 1, 'the other is there';
$herd->sql("SELECT herd.collect('r'), herd.collect('parts')");
copies_are_equal('a reference table and partitions are gone');
is $herd->sql("SELECT string_agg(table_name::text, ',' ORDER BY table_name::text) FROM herd.tables"), 'a,b', 'what is left';
$herd->sql('DROP TABLE b');
copies_are_equal('a table is dropped');

# A rollback leaves nothing of a change, whatever numbers it has used up.
is(($herd->try("BEGIN; SELECT herd.distribute('d', 'id'); INSERT INTO d VALUES (1000, 1); SELECT count(*) FROM d WHERE id = 1000; ROLLBACK"))[1], '00000', 'a change that is rolled back');
$herd->sql("SELECT herd.distribute('p', 'id', shard_count => 5)");
copies_are_equal('after it');
$herd->sql('INSERT INTO p SELECT i, i FROM generate_series(1, 50) i');
is $session->query_safe('SELECT count(*) FROM p WHERE id BETWEEN 1 AND 50'), 50, 'a session that has seen all of this';

# The shards of other groups are not looked at.
$herd->sql("DELETE FROM herd.shard WHERE group_id = (SELECT group_id FROM herd.distributed_table WHERE relation = 'p'::regclass) AND hash_min < 0");
is $herd->sql('SELECT count(*) FROM a WHERE id = 7'), 1, 'damaged shards of another group are in nobody\'s way';
is(($herd->try('SELECT count(*) FROM p WHERE id = 7'))[1], 'HR009', 'those of its own group are');

$session->quit;

# Maps of many shards are one copy for all sessions, until they change.
$herd->new_database('many');
$herd->sql("CREATE TABLE many (id bigint PRIMARY KEY); SELECT herd.distribute('many', 'id', shard_count => 700)");
my $routed = q{SELECT string_agg(herd.node_of('many', i::text), ',' ORDER BY i) FROM generate_series(1, 300) i};
my $listed = q{SELECT string_agg(name, ',' ORDER BY i) FROM generate_series(1, 300) i JOIN herd.shard ON hashint8extended(i, 0) BETWEEN hash_min AND hash_max
    JOIN herd.node USING (node_id)};
my @sessions = map { $herd->session } 1 .. 3;
my $owners = $herd->sql($listed);
like $owners, qr/n2/, 'of seven hundred shards n2 has some';
is $_->query_safe($routed), $owners, 'a session knows who owns what' for @sessions;
$sessions[0]->query_safe("BEGIN; SELECT herd.remove_node('n2')");
my $later = $sessions[0]->query_safe($listed);
unlike $later, qr/n2/, 'n2 leaves';
is $sessions[0]->query_safe($routed), $later, 'who changes it sees that';
is $sessions[1]->query_safe($routed), $owners, 'others do not yet';
$sessions[0]->query_safe('ROLLBACK');
is $sessions[0]->query_safe($routed), $owners, 'after a rollback it is as it was';
$sessions[0]->query_safe("SELECT herd.remove_node('n2')");
$later = $herd->sql($listed);
is $_->query_safe($routed), $later, 'and when it is done everyone knows' for @sessions;
is $herd->sql($routed), $later, 'so does a new session';
$_->quit for @sessions;
# More such maps than there is room for in shared memory.
$herd->sql("CREATE TABLE many$_ (id bigint PRIMARY KEY); SELECT herd.distribute('many$_', 'id', shard_count => 600)") for 1 .. 18;
my $all = join ', ', map { "herd.node_of('many$_', '$_')" } 1 .. 18;
my $found = $herd->sql("SELECT $all");
is $herd->sql("SELECT $all"), $found, 'more maps than there is room for';
is $herd->sql("SELECT count(*) FROM many18"), 0, 'and they can be used';

done_testing;
