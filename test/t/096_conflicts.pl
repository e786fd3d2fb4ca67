# INSERT ... ON CONFLICT DO UPDATE whose values the coordinator computes: with others at the same
# rows, in triggers, and what EXPLAIN says.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
$herd->sql(<<'SQL');
CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL, note text);
CREATE TABLE other (id int PRIMARY KEY, step int NOT NULL);
SELECT herd.distribute('item', 'id');
SELECT herd.distribute('other', 'id');
INSERT INTO other SELECT i, 1 FROM generate_series(1, 100) i;
SQL
my $key   = $herd->key_on('item');
my @keys  = @$key{qw(coordinator n1 n2)};
my $ids   = join ',', @keys;
my $rows  = join ', ', map { "($_, 1)" } @keys;
my $set   = 'ON CONFLICT (id) DO UPDATE SET n = item.n + (SELECT min(step) FROM other)';
my $waits = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO item%ON CONFLICT%' AND state = 'active'";

# EXPLAIN
my $plan = $herd->sql("EXPLAIN (COSTS OFF) INSERT INTO item VALUES $rows $set RETURNING n");
like $plan, qr/First item:\n\s+->  Custom Scan \(HerdInsert\)/, 'EXPLAIN shows the INSERT';
like $plan, qr/DO UPDATE SET n = item\.n\s+WHERE herd\.keep_conflict\(/, 'which changes nothing, and keeps what is in the way';
like $plan, qr/First conflicts in item:\n\s+->  Custom Scan \(HerdModify\)\n\s+Route: each row by its place\n\s+Update SQL: UPDATE public\.item/,
    'and the UPDATE of that';
is $herd->sql('SELECT count(*) FROM item'), 0, 'EXPLAIN alone inserts nothing';

# Somebody else inserts the same rows first.
my $holder = $herd->session;
$holder->query_safe("BEGIN; INSERT INTO item VALUES $rows");
my $waiting = $herd->start_script("INSERT INTO item VALUES $rows $set;");
ok $herd->poll_sql($herd->coordinator, $waits, 1), 'a second writer waits';
$holder->query_safe('COMMIT');
is(($herd->finish_script($waiting))[1], '00000', 'and goes on when the first has committed');
is $herd->sql('SELECT count(*), min(n), max(n) FROM item'), '3|2|2', 'its rows were in the way, on every node';

# ... and takes it back.
$holder->query_safe("BEGIN; INSERT INTO item SELECT i + 1000, 1 FROM unnest(ARRAY[$ids]) i");
$waiting = $herd->start_script("INSERT INTO item SELECT i + 1000, 5 FROM unnest(ARRAY[$ids]) i $set;");
ok $herd->poll_sql($herd->coordinator, $waits, 1), 'a second writer waits';
$holder->query_safe('ROLLBACK');
is(($herd->finish_script($waiting))[1], '00000', 'and goes on when the first has rolled back');
is $herd->sql('SELECT count(*), min(n), max(n) FROM item WHERE id > 1000'), '3|5|5', 'nothing was in the way';

# ... changes them, or deletes them.
$holder->query_safe("BEGIN; UPDATE item SET n = 100 WHERE id IN ($ids); DELETE FROM item WHERE id > 1000");
$waiting = $herd->start_script("INSERT INTO item SELECT i + o, 7 FROM unnest(ARRAY[$ids]) i, unnest(ARRAY[0, 1000]) o $set;");
ok $herd->poll_sql($herd->coordinator, $waits, 1), 'a writer waits';
$holder->query_safe('COMMIT');
is(($herd->finish_script($waiting))[1], '00000', 'and goes on');
is $herd->sql('SELECT n, count(*) FROM item GROUP BY n ORDER BY n'), "7|3\n101|3", 'with the rows as they are then';

# A snapshot that must not move on.
my $strict = $herd->session;
$strict->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM item');
$herd->sql("INSERT INTO item VALUES ($key->{n1} + 5000, 1)");
$strict->query("INSERT INTO item VALUES ($key->{n1} + 5000, 1) $set");
$strict->query('COMMIT');
is $herd->sql("SELECT n FROM item WHERE id = $key->{n1} + 5000"), 1, 'a row that the snapshot does not show is not changed';

# Many writers at once: every one of them counts.
$herd->sql('TRUNCATE item');
my $rounds  = 15;
my @scripts = (
    "INSERT INTO item SELECT i, 1 FROM generate_series(1, 60) i $set;\n",
    "INSERT INTO item SELECT i, 1 FROM generate_series(60, 1, -1) i $set;\n",
    "INSERT INTO item VALUES ($key->{n1}, 1) $set;\n",
    "UPDATE item SET n = n + (SELECT min(step) FROM other) WHERE id < 0;\n");
my @jobs = map { $herd->start_script($_ x $rounds) } @scripts;
my @states = map { ($herd->finish_script($_))[1] } @jobs;
is_deeply \@states, [ ('00000') x @scripts ], 'writers of several kinds at once';
my $single = $key->{n1} <= 60 ? 0 : 1;
is $herd->sql('SELECT sum(n), count(*) FROM item'), (2 * 60 * $rounds + $rounds) . '|' . (60 + $single), 'none is lost';

# A trigger's function runs the same statement within itself.
$herd->sql(<<'SQL');
TRUNCATE item;
CREATE FUNCTION upsert(int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO item VALUES ($1, 1), ($1 + 100, 1), ($1 + 200, 1)
        ON CONFLICT (id) DO UPDATE SET n = item.n + (SELECT min(step) FROM other);
END $$;
CREATE FUNCTION cascade() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM upsert(NEW.id - 1);
    RETURN NULL;
END $$;
CREATE TABLE starter (id int PRIMARY KEY);
CREATE TRIGGER cascade AFTER INSERT ON starter FOR EACH ROW WHEN (NEW.id > 0) EXECUTE FUNCTION cascade();
CREATE FUNCTION nested() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM upsert(3); RETURN 1; END $$;
SELECT upsert(1), upsert(2), upsert(3);
INSERT INTO starter VALUES (2), (3), (4);
SQL
is $herd->sql('SELECT n, count(*) FROM item GROUP BY n'), '2|9', 'in triggers';
$herd->sql('INSERT INTO item VALUES (1, 1), (101, 1), (201, 1) ON CONFLICT (id) DO UPDATE SET n = item.n + nested()');
is $herd->sql('SELECT id % 100, n FROM item WHERE id > 200 ORDER BY id'), "1|3\n2|2\n3|5", 'in a function of its own values';

# A cancel while rows are in the way, and while they change.
my $before = $herd->sql('SELECT sum(n), count(*) FROM item');
$holder->query_safe("BEGIN; UPDATE item SET n = 100 WHERE id = 1");
is(($herd->try("SET statement_timeout = '500ms'; INSERT INTO item SELECT i, 1 FROM generate_series(1, 300) i $set"))[1], '57014', 'cancel while it waits');
$holder->query_safe('ROLLBACK');
is $herd->sql('SELECT sum(n), count(*) FROM item'), $before, 'a canceled statement has changed nothing';
$herd->sql("SELECT herd.failpoint_set('modify.before_batch', 'error')");
my $failed = ($herd->try("INSERT INTO item SELECT i, 1 FROM generate_series(1, 300) i $set"))[1];
$herd->sql("SELECT herd.failpoint_clear('modify.before_batch')");
isnt $failed, '00000', 'an error before rows change';
is $herd->sql('SELECT sum(n), count(*) FROM item'), $before, 'changes nothing';
is(($herd->try("BEGIN; SAVEPOINT s; INSERT INTO item VALUES (1, -1), (2, 1), (3, 1) ON CONFLICT (id) DO UPDATE SET n = 1 / (SELECT 0 FROM other LIMIT 1); "
            . 'ROLLBACK TO s; COMMIT'))[1], '22012', 'an error while values are computed');
$herd->check_invariants('at the end');
done_testing;
