# Statements that differ in their literals share a plan: one text after another in one session, beside one PostgreSQL.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2, plain => 1);
my $tables = <<'SQL';
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE accounts (id bigint PRIMARY KEY, owner varchar(20), balance numeric(12,2) DEFAULT 7, born date, ok bool, feeling mood,
    doc jsonb, tags text[]);
CREATE TABLE orders (account bigint, number int, note text, PRIMARY KEY (account, number));
CREATE TABLE events (tenant int, at timestamp, what text) PARTITION BY RANGE (at);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2040-01-01');
CREATE TABLE names (name text PRIMARY KEY, n int);
CREATE VIEW good AS SELECT id, balance FROM accounts WHERE ok;
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
SQL
my $rows = <<'SQL';
INSERT INTO accounts SELECT i, 'owner ' || i, i * 1.5, date '2000-01-01' + i, i % 2 = 0, CASE WHEN i % 3 = 0 THEN 'good'::mood END,
    jsonb_build_object('n', i), ARRAY['a' || i] FROM generate_series(1, 200) i;
INSERT INTO orders SELECT i % 50, i, 'note ' || i FROM generate_series(1, 300) i;
INSERT INTO events SELECT i % 10, timestamp '2010-01-01' + i * interval '40 days', 'e' || i FROM generate_series(1, 200) i;
INSERT INTO names SELECT 'name ' || i, i FROM generate_series(1, 100) i;
SQL
$herd->sql($tables);
$herd->plain->safe_psql($herd->dbname, $tables . $rows);
# Of events this server has a part itself.
$herd->sql("SELECT herd.distribute('events', 'tenant'); SELECT herd.set_node(name, takes_shards => name ~ '^n') FROM herd.nodes;"
        . " SELECT herd.distribute('accounts', 'id'); SELECT herd.distribute('orders', 'account', colocate_with => 'accounts');"
        . " SELECT herd.distribute('names', 'name'); $rows");

# Each kind several times: by itself, planned as a shape, and by the shape. ? stands for each row of values in turn.
my @kinds = (
    [ 'SELECT owner, balance FROM accounts WHERE id = ?', 1, 2, 3, 77, 2000, -1, "'5'", 'NULL', '4::smallint', '5.0', '2^3' ],
    [ 'SELECT ? = id, owner FROM accounts WHERE id = 8 AND balance > ?', [ 8, 1 ], [ 9, 2 ], [ 8, 100 ], [ 8, -3 ] ],
    [ 'SELECT count(*) FROM orders WHERE account = ? AND number < ? AND note <> ?', [ 1, 60, "'x'" ], [ 1, 200, "'note 51'" ], [ 2, 999, "''" ], [ 3, 1, "E'a\\nb'" ] ],
    [ 'SELECT a.id, o.number FROM accounts a JOIN orders o ON o.account = a.id WHERE a.id = ? AND o.number > ? ORDER BY 2', [ 3, 5 ], [ 3, 100 ], [ 4, 1 ], [ 49, 1 ] ],
    [ 'SELECT a.id FROM accounts a, orders o WHERE a.id = ? AND o.account = ? ORDER BY 1', [ 3, 3 ], [ 3, 4 ], [ 4, 4 ], [ 7, 8 ] ],
    [ 'SELECT id + ?, count(*) FROM accounts WHERE id = ? GROUP BY id + ?', [ 1, 5, 1 ], [ 1, 6, 1 ], [ 2, 7, 2 ], [ 3, 7, 3 ] ],
    [ 'SELECT number FROM orders WHERE account = ? ORDER BY number LIMIT ?', [ 1, 1 ], [ 1, 2 ], [ 1, 3 ], [ 2, 2 ] ],
    [ 'SELECT n FROM names WHERE name = ?', "'name 1'", "'name 2'", "'Name 3'", "'name 4'::varchar", "'it''s'" ],
    [ 'SELECT what FROM events WHERE tenant = ? AND at > ? ORDER BY at', [ 1, "'2015-01-01'" ], [ 1, "'2029-01-01'" ], [ 2, "'2001-01-01'" ], [ 3, "'infinity'" ] ],
    [ 'SELECT id FROM accounts WHERE id = ? AND feeling = ?', [ 3, "'good'" ], [ 6, "'good'" ], [ 6, "'bad'" ], [ 7, "'good'" ] ],
    [ "SELECT doc -> 'n' FROM accounts WHERE id = ? AND doc \@> ?", [ 3, "'{}'" ], [ 6, "'{\"n\": 6}'" ], [ 6, "'{\"n\": 7}'" ], [ 7, "'[]'" ] ],
    [ 'SELECT id FROM accounts WHERE id = ? AND tags = ?', [ 3, "'{a3}'" ], [ 6, "'{a6}'" ], [ 6, "'{b}'" ], [ 7, "ARRAY['a7']" ] ],
    [ 'SELECT id, twice(?) FROM accounts WHERE id = ?', [ 1, 1 ], [ 2, 1 ], [ 3, 3 ] ],
    [ 'SELECT balance FROM good WHERE id = ?', 2, 4, 5, 6 ],
    [ 'SELECT id FROM accounts WHERE id IN (?, ?) ORDER BY 1', [ 1, 2 ], [ 3, 4 ], [ 5, 5 ] ],
    [ 'SELECT id FROM accounts WHERE id = (SELECT max(account) FROM orders WHERE number < ?)', 5, 20, 300 ],
    [ 'INSERT INTO accounts VALUES (?, ?, ?) RETURNING *', [ 1001, "'a'", 5 ], [ 1002, "'b'", 6.125 ], [ 1003, 'NULL', 7 ], [ 1004, "'d'", 'DEFAULT' ], [ 1002, "'again'", 1 ], [ 1005, "'this is longer than twenty'", 1 ], [ 1006, "'x'", "'not a number'" ], [ 'NULL', "'y'", 1 ] ],
    [ 'INSERT INTO accounts (id, born, ok, feeling, doc) VALUES (?, ?, ?, ?, ?)', [ 1101, "'2001-02-03'", 'true', "'good'", "'{}'" ], [ 1102, "'2001-02-04'", 'false', "'bad'", "'1'" ], [ 1103, "'2001-02-05'", 'NULL', "'good'", "'[]'" ], [ 1104, "'2001-13-05'", 'NULL', "'good'", "'[]'" ] ],
    [ 'INSERT INTO names VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = names.n + ?', [ "'k'", 1, 1 ], [ "'k'", 2, 3 ], [ "'l'", 3, 4 ], [ "'k'", 3, 4 ] ],
    [ 'UPDATE accounts SET balance = balance + ?, owner = ? WHERE id = ? RETURNING balance, owner', [ 5, "'p'", 5 ], [ 6, "'q'", 6 ], [ -7.25, "'r'", 7 ], [ 8, "'this is longer than twenty'", 5 ], [ 9, 'NULL', 9 ] ],
    [ 'UPDATE accounts SET id = ? WHERE id = ?', [ 20, 20 ], [ 21, 21 ], [ 3020, 20 ], [ 3021, 21 ], [ 22, 3021 ] ],
    [ 'UPDATE accounts SET balance = ? WHERE balance < ?', [ 1, 5 ], [ 2, 6 ], [ 3, 7 ] ],
    [ 'UPDATE orders SET note = note || ? WHERE account = ? AND number = ?', [ "'!'", 1, 51 ], [ "'?'", 1, 51 ], [ "'.'", 2, 52 ] ],
    [ 'DELETE FROM accounts WHERE id = ? RETURNING id', 101, 102, 103, 101, 104 ],
    [ 'DELETE FROM orders WHERE account = ? AND note LIKE ?', [ 1, "'note 1%'" ], [ 2, "'note 1%'" ], [ 3, "'nothing'" ] ],
    [ 'SELECT id FROM accounts WHERE id = ? FOR UPDATE', 30, 31, 32 ],
);

sub fill
{
    my ($text, $values) = @_;
    my @values = ref $values ? @$values : ($values);
    $text =~ s/\?/shift @values/ge;
    return $text;
}

my $script = "\\set VERBOSITY terse\n" . join '', map { my ($text, @values) = @$_; map { "\\echo == " . fill($text, $_) . "\n" . fill($text, $_) . ";\n" } @values } @kinds;
$script .= "SELECT * FROM $_->[0] ORDER BY $_->[1];\n" for [ 'accounts', 'id' ], [ 'orders', '1, 2' ], [ 'names', 'name' ];

sub outcome
{
    my ($server, $settings) = @_;
    my ($out, $err);
    my $file = $server->basedir . '/shapes.sql';
    open my $fh, '>', $file or die;
    print {$fh} "$settings\nBEGIN;\n\\set ON_ERROR_ROLLBACK on\n$script\nROLLBACK;\n";
    close $fh;
    my $run = IPC::Run::run([ 'psql', '-XAt', '-f', $file, '-d', $server->connstr($herd->dbname) ], '>&', \$out);
    $out =~ s/^psql:\S+ //mg;
    $out =~ s/^(?:DETAIL|HINT|CONTEXT|LINE|SET).*\n//mg;
    return [ split /^== /m, $out ];
}

my $plain = outcome($herd->plain, '');
$herd->sql('SELECT herd.stat_reset()');
for my $settings ('', 'SET herd.enable_binary = off;', 'SET plan_cache_mode = force_generic_plan;')
{
    my $ours = outcome($herd->coordinator, $settings);
    is scalar(@$ours), scalar(@$plain), "as many statements $settings";
    for my $i (0 .. $#$plain)
    {
        my ($name) = split /\n/, $plain->[$i];
        is $ours->[$i], $plain->[$i], ($name // 'begin') . " $settings";
    }
}
cmp_ok $herd->sql("SELECT value FROM herd.stat WHERE name = 'planned_by_shape'"), '>', 75, 'many had the plan of their shape';

# A prepared statement of the protocol has parameters of its own, beside literals.
{
    my $file = $herd->coordinator->basedir . '/prepared.sql';
    open my $fh, '>', $file or die;
    print {$fh} "\\set d 2\nUPDATE accounts SET owner = 'prepared', balance = balance + :d WHERE id = 150;\n";
    close $fh;
    local $ENV{PGOPTIONS} = '-c plan_cache_mode=force_generic_plan';
    $herd->coordinator->command_ok([ 'pgbench', '-n', '-M', $_, '-t', 4, '-f', $file, '-d', $herd->coordinator->connstr($herd->dbname) ],
        "a $_ statement with parameters and literals")
        for qw(extended prepared);
    is $herd->sql('SELECT owner, balance FROM accounts WHERE id = 150'), 'prepared|241.00', 'all of them ran';
}

# Whatever a plan was made of may change.
my $session = $herd->session;
my $read    = sub { return scalar $session->query("SELECT * FROM orders WHERE account = $_[0] ORDER BY number LIMIT 1") };
my $by_shape = sub {
    my ($before) = $herd->sql("SELECT value FROM herd.stat WHERE name = 'planned_by_shape'");
    my @answers = map { scalar $read->($_) } 10 .. 14;
    return ($herd->sql("SELECT value FROM herd.stat WHERE name = 'planned_by_shape'") - $before, @answers);
};
my ($count, @answers) = $by_shape->();
is $count, 4, 'from the second on';
is $answers[0], '10|10|note 10', 'its rows';
# Plans are made for settings and roles, and kept when these come back.
for my $setting ('herd.ownership_filter = always', 'herd.enable_binary = off')
{
    $session->query_safe("SET $setting");
    is +($by_shape->())[0], 4, "$setting: the plan is another one";
    $session->query_safe('RESET ' . $setting =~ s/ .*//r);
    is +($by_shape->())[0], 5, 'the plan of before is still there';
}
for my $change (
    [ 'ALTER TABLE orders ADD COLUMN extra int DEFAULT 9', '10|10|note 10|9' ],
    [ 'ALTER TABLE orders DROP COLUMN note',               '10|10|9' ],
    [ 'ALTER TABLE orders RENAME extra TO other',          '10|10|9' ],
    [ 'CREATE INDEX ON orders (other)',                    '10|10|9' ],
    )
{
    $herd->sql($change->[0]);
    ($count, @answers) = $by_shape->();
    is $answers[0], $change->[1], "after $change->[0]";
    is $answers[4], $change->[1] =~ s/10/14/gr, 'by the plan that it has then';
}
$herd->sql('CREATE ROLE reader; GRANT SELECT ON accounts TO reader; ALTER TABLE orders ENABLE ROW LEVEL SECURITY;'
        . ' CREATE POLICY a_part ON orders USING (account > 12); GRANT SELECT ON orders TO reader');
$session->query_safe('SET ROLE reader');
is $read->(11), '', 'a policy hides rows';
is $read->(13), '13|13|9', 'and shows others';
is $read->(12), '', 'each time';
$session->query_safe('RESET ROLE');
is $read->(11), '11|11|9', "and not its owner's";
$herd->sql("SELECT herd.collect('orders')");
is $read->(11), '11|11|9', 'when it is distributed no more';
$session->quit;
is(($herd->try("SET ROLE reader; UPDATE accounts SET balance = 1 WHERE id = 1"))[1], '42501', 'a right that is not there');
is(($herd->try("UPDATE accounts SET balance = 1 WHERE id = 1; UPDATE accounts SET balance = 2 WHERE id = 1; UPDATE accounts SET balance = 3 WHERE id = 1;"
            . ' SET ROLE reader; UPDATE accounts SET balance = 1 WHERE id = 1'))[1], '42501', 'nor with a plan that is');
$herd->check_invariants;
done_testing;
