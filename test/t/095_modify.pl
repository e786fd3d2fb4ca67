# Statements whose changes are computed on the coordinator, row by row: with others at the same
# rows, and when something goes wrong in the middle.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
$herd->sql(<<'SQL');
CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL, note text);
CREATE TABLE other (id int PRIMARY KEY, step int NOT NULL);
CREATE TABLE setting (id int PRIMARY KEY, value text);
SELECT herd.distribute('item', 'id');
SELECT herd.distribute('other', 'id');
SELECT herd.reference('setting');
INSERT INTO item SELECT i, 0 FROM generate_series(1, 200) i;
INSERT INTO other SELECT i, 1 FROM generate_series(1, 100) i;
INSERT INTO setting SELECT i, 'v' || i FROM generate_series(1, 10) i;
SQL
my $update = 'UPDATE item SET n = n + (SELECT min(step) FROM other)';

# EXPLAIN
my $plan = $herd->sql("EXPLAIN (COSTS OFF) $update WHERE id < 10 RETURNING n");
like $plan, qr/Custom Scan \(HerdModify\)\n\s+Route: each row by its place/, 'EXPLAIN says how rows are found';
like $plan, qr/Update SQL: UPDATE public\.item AS t SET n = v\.c1 FROM .* RETURNING v\.n, t\.n/, 'and what nodes are told';
like $plan, qr/FOR NO KEY UPDATE/, 'and that rows are locked';
like $herd->sql('EXPLAIN (COSTS OFF) UPDATE item SET id = id + 1000 WHERE id = 3'),
    qr/Update SQL: .*\n\s+Insert SQL: INSERT INTO public\.item/, 'EXPLAIN shows where rows move';
like $herd->sql("EXPLAIN (COSTS OFF) UPDATE setting SET value = (SELECT count(*) FROM item)"),
    qr/Route: every node\n\s+Update SQL: .* WHERE t\.id OPERATOR\(pg_catalog\.=\) v\.k1/, 'EXPLAIN of a reference table';
my $analyzed = $herd->sql("BEGIN; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) $update; ROLLBACK");
like $analyzed, qr/HerdModify\) \(actual rows=0 loops=1\)/, 'EXPLAIN ANALYZE runs it';
is $herd->sql('SELECT sum(n) FROM item'), 0, 'and is rolled back';

# A row that another has changed is waited for, and read as it is afterwards.
my $key    = $herd->key_on('item');
my $holder = $herd->session;
my $ids    = join ',', @$key{qw(coordinator n1 n2)};
$holder->query_safe("BEGIN; UPDATE item SET n = 100 WHERE id IN ($ids)");
my $waiting = $herd->start_script("$update WHERE id IN ($ids)");
ok $herd->poll_sql($herd->coordinator,
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'UPDATE item SET n = n +%' AND state = 'active'", 1),
    'a second writer waits';
$holder->query_safe('COMMIT');
is(($herd->finish_script($waiting))[1], '00000', 'and goes on when the first has committed');
is $herd->sql("SELECT DISTINCT n FROM item WHERE id IN ($ids)"), 101, 'on every node it has seen the change';
$herd->sql('UPDATE item SET n = 0');

# Many writers at once: nothing is lost.
my $rounds  = 15;
my @scripts = ("$update;\n", "UPDATE item SET n = n + 1 WHERE id = $key->{n1};\nUPDATE item SET n = n + 1 WHERE id = $key->{n2};\n",
    "$update WHERE id % 2 = 0;\n", "MERGE INTO item i USING other o ON i.id = o.id WHEN MATCHED THEN UPDATE SET n = i.n + o.step;\n");
my @jobs = map { $herd->start_script($_ x $rounds) } @scripts;
my @states = map { ($herd->finish_script($_))[1] } @jobs;
is_deeply \@states, [ ('00000') x @scripts ], 'writers of several kinds at once';
my ($two) = $herd->sql("SELECT (1 + 200 + 100 + 100)::int * $rounds");
is $herd->sql('SELECT sum(n) FROM item'), 200 * $rounds + 2 * $rounds + 100 * $rounds + 100 * $rounds,
    'every change of every writer is there';

# Rows that move while others read and write them are there once.
@jobs = map { $herd->start_script($_ x 6) } (
    "UPDATE item SET id = -id WHERE id % 3 = 0;\n",
    "UPDATE item SET id = -id WHERE id % 3 = 0;\n",
    "$update;\n");
@states = map { ($herd->finish_script($_))[1] } @jobs;
is_deeply \@states, [ ('00000') x 3 ], 'rows move there and back';
is $herd->sql('SELECT count(*), count(DISTINCT abs(id)) FROM item'), '200|200', 'none is lost or there twice';
$herd->check_invariants('after moving');
$herd->sql('UPDATE item SET id = abs(id) WHERE id < 0');

# A cancel in the middle.
my $before = $herd->sql('SELECT sum(n), sum(id) FROM item');
$herd->sql('CREATE FUNCTION slowly(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN $1 + 1; END $$');
is(($herd->try("SET statement_timeout = '500ms'; UPDATE item SET n = slowly(n)"))[1], '57014', 'cancel while changes are computed');
$herd->sql('CREATE FUNCTION dozes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$');
$herd->sql('CREATE TRIGGER dozes BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION dozes()');
is(($herd->try("SET statement_timeout = '1s'; $update"))[1], '57014', 'cancel while nodes change rows');
is $herd->sql('SELECT sum(n), sum(id) FROM item'), $before, 'a canceled statement has changed nothing';
$herd->sql('DROP TRIGGER dozes ON item');

# A trigger that leaves rows out: they are not counted, not returned, not moved.
$herd->sql(<<'SQL');
CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN OLD.id % 10 = 0 THEN NULL WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER leave_out BEFORE UPDATE OR DELETE ON item FOR EACH ROW EXECUTE FUNCTION leave_out();
SQL
is $herd->sql("WITH w AS ($update RETURNING id) SELECT count(*) FROM w"), 180, 'rows that a trigger leaves out are not returned';
$herd->sql('UPDATE item SET id = id + 1000');
is $herd->sql('SELECT count(*) FILTER (WHERE id > 1000), count(*) FROM item'), '180|200', 'and do not move';
$herd->sql('DROP TRIGGER leave_out ON item; UPDATE item SET id = id - 1000 WHERE id > 1000');

# A node that dies in the middle.
for my $victim ('n1', 'n2')
{
    $before = $herd->sql('SELECT sum(n), sum(id) FROM item');
    $herd->sql("SELECT herd.failpoint_set('modify.before_batch', 'pause')");
    my $job = $herd->start_script('UPDATE item SET id = -id, n = n + (SELECT min(step) FROM other)');
    ok Herd::poll_until(sub { ($herd->try('SELECT herd.failpoint_paused()'))[0] =~ /before_batch/ }, 'pause reached'),
        'rows are about to change';
    $herd->kill_server($herd->node($victim));
    $herd->sql("SELECT herd.failpoint_clear('modify.before_batch')");
    like +($herd->finish_script($job))[1], qr/^08/, "$victim dies: the statement fails";
    $herd->node($victim)->start;
    ok $herd->nothing_prepared, "$victim is back: nothing is left prepared";
    is $herd->sql('SELECT sum(n), sum(id) FROM item'), $before, "$victim is back: nothing has changed";
}

# A row that belongs to others' rows of another node.
$herd->sql(<<'SQL');
CREATE TABLE part (item int, no int, PRIMARY KEY (item, no));
SELECT herd.distribute('part', 'item', colocate_with => 'item');
ALTER TABLE part ADD FOREIGN KEY (item) REFERENCES item ON UPDATE CASCADE;
INSERT INTO part SELECT i, 1 FROM generate_series(1, 20) i;
SQL
my ($moving) = $herd->sql("SELECT id FROM item WHERE id <= 20 AND herd.node_of('item', id::text) <> herd.node_of('item', (id + 500)::text) LIMIT 1");
is(($herd->try("UPDATE item SET id = id + 500 WHERE id = $moving"))[1], 'HR010', 'a row whose references would have to follow stays');
like $herd->error_of("UPDATE item SET id = id + 500 WHERE id = $moving"), qr/Rows of table "part" reference it by foreign key "part_item_fkey"/, 'and the detail says which';
my ($staying) = $herd->sql("SELECT id FROM item WHERE id <= 20 AND herd.node_of('item', id::text) = herd.node_of('item', (id + 500)::text) LIMIT 1");
$herd->sql("UPDATE item SET id = id + 500 WHERE id = $staying");
is $herd->sql("SELECT count(*) FROM part WHERE item = $staying + 500"), 1, 'on the same node they follow';

# Policies that a node can't apply.
$herd->sql('CREATE ROLE modify_user');
$herd->sql(<<'SQL');
GRANT ALL ON item, other TO modify_user;
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY with_other ON item TO modify_user USING (id IN (SELECT id FROM other));
SQL
is(($herd->try("SET ROLE modify_user; $update"))[1], '00000', 'a policy that reads rows of other nodes');
my $merge = 'MERGE INTO item i USING other o ON o.id = i.id WHEN MATCHED AND i.id BETWEEN 91 AND 110 THEN DELETE';
is(($herd->try("SET ROLE modify_user; $merge"))[1], '00000', 'MERGE under a policy that reads rows of other nodes');
is $herd->sql('SELECT count(*) FROM item WHERE id BETWEEN 91 AND 110'), 10, 'changes what the policy shows';
$herd->sql('ALTER TABLE item DISABLE ROW LEVEL SECURITY');
$herd->check_invariants('at the end');
done_testing;
