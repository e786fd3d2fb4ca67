# herd.ownership_filter: rows that a server holds but does not own, which every way to read, lock
# or change rows leaves alone with `always`. Each way is asked first while every row is where it
# belongs, then with a stale copy of each row on every other server.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
my ($coordinator, @nodes) = $herd->servers;

$herd->sql(q{
    CREATE TABLE rates (code text PRIMARY KEY, rate numeric);
    CREATE TABLE orders (customer int NOT NULL, id int, amount numeric, note text, code text REFERENCES rates ON DELETE SET NULL,
                         PRIMARY KEY (customer, id));
    CREATE INDEX ON orders (amount);
    CREATE INDEX ON orders (id, customer);
    CREATE TABLE items (customer int, id int, item int, note text);
    CREATE TABLE events (at int, gone int, customer int, note text) PARTITION BY RANGE (at);
    ALTER TABLE events DROP COLUMN gone;
    CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (3);
    CREATE TABLE events_2 (note text, customer int, at int);
    ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM (3) TO (100);
    CREATE TABLE copies (customer int, id int, note text);
    CREATE TABLE letters (letter text COLLATE "C", note text);
    CREATE SEQUENCE numbers;
    CREATE VIEW large_orders AS SELECT * FROM orders WHERE 6 / amount > 0;
    CREATE FUNCTION orders_of(c int) RETURNS bigint LANGUAGE plpgsql AS
        'BEGIN RETURN (SELECT count(*) FROM orders WHERE customer = c); END';
    CREATE ROLE reader;
    ALTER TABLE items ENABLE ROW LEVEL SECURITY;
    CREATE POLICY few ON items USING (item < 3);
    GRANT SELECT, UPDATE, DELETE ON orders, items, events TO reader;
    SELECT herd.reference('rates');
    SELECT herd.distribute('orders', 'customer');
    SELECT herd.distribute(t, 'customer', colocate_with => 'orders') FROM unnest('{items,events,copies}'::regclass[]) t;
    SELECT herd.distribute('letters', 'letter');
    INSERT INTO rates VALUES ('a', 1), ('b', 2);
});
my $key = $herd->key_on('orders');
my $all = join ', ', sort values %$key;
$herd->sql(qq{
    INSERT INTO orders SELECT c, g, g, 'own', CASE g WHEN 1 THEN 'a' ELSE 'b' END FROM unnest(ARRAY[$all]) c, generate_series(1, 5) g;
    INSERT INTO items SELECT c, 1 + g % 5, g, 'own' FROM unnest(ARRAY[$all]) c, generate_series(1, 7) g;
    INSERT INTO items VALUES (NULL, 1, 1, 'own');
    INSERT INTO events SELECT g, c, 'own' FROM unnest(ARRAY[$all]) c, generate_series(1, 5) g;
    INSERT INTO letters SELECT chr(64 + g), 'own' FROM generate_series(1, 20) g;
    ANALYZE;
});

# Every way to read. [name, statement, options]: routed => 1 for what is the owner's alone anyway.
my @reads = (
    [ 'a count', 'SELECT count(*) FROM orders' ],
    [ 'rows', 'SELECT * FROM orders ORDER BY 1, 2, 3' ],
    [ 'a condition that stale rows break', 'SELECT customer, id FROM orders WHERE 6 / amount > 1 ORDER BY 1, 2' ],
    [ 'partial aggregates', 'SELECT avg(amount), stddev(id), count(*) FILTER (WHERE id > 1), sum(customer) FROM orders' ],
    [ 'min and max by an index', 'SELECT min(amount), max(amount) FROM orders' ],
    [ 'groups', 'SELECT id, count(*), avg(amount) FROM orders GROUP BY id ORDER BY id' ],
    [ 'groups of the key', 'SELECT customer, count(*) FROM orders GROUP BY customer ORDER BY customer' ],
    [ 'aggregates of the coordinator', q{SELECT string_agg(note, ',' ORDER BY customer, id) FROM orders} ],
    [ 'distinct rows', 'SELECT DISTINCT note FROM orders' ],
    [ 'distinct values', 'SELECT count(DISTINCT note) FROM orders' ],
    [ 'a limit', 'SELECT amount FROM orders ORDER BY amount LIMIT 3' ],
    [ 'windows', 'SELECT id, row_number() OVER (PARTITION BY customer ORDER BY id) FROM orders ORDER BY 1, 2' ],
    [ 'a join', 'SELECT count(*) FROM orders JOIN items USING (customer, id)' ],
    [ 'a left join', q{SELECT count(*), count(i.note) FROM orders o LEFT JOIN items i ON i.customer = o.customer AND i.id = o.id AND i.item < 4} ],
    [ 'a right join', 'SELECT count(*) FROM orders o RIGHT JOIN items i ON i.customer = o.customer AND i.id = o.id AND o.amount > 2' ],
    [ 'a full join', 'SELECT count(o.note), count(i.note) FROM orders o FULL JOIN items i ON i.customer = o.customer AND i.id = o.id' ],
    [ 'a join without the key', 'SELECT count(*) FROM orders o JOIN items i ON i.item = o.id' ],
    [ 'a join with a reference table', 'SELECT sum(rate) FROM orders JOIN rates USING (code)' ],
    [ 'a semi-join', 'SELECT count(*) FROM rates WHERE code IN (SELECT code FROM orders WHERE amount = 0)' ],
    [ 'a semi-join on the nodes', q{SELECT count(*) FROM orders o WHERE EXISTS (SELECT FROM items i WHERE i.customer = o.customer AND i.id = o.id)} ],
    [ 'an anti-join', q{SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT FROM items i WHERE i.customer = o.customer AND i.id = o.id AND i.item <> 3)} ],
    [ 'a correlated subquery', 'SELECT sum((SELECT count(*) FROM items i WHERE i.customer = o.customer AND i.id = o.id)) FROM orders o' ],
    [ 'a scalar subquery', 'SELECT (SELECT count(*) FROM items)' ],
    [ 'a CTE', 'WITH w AS MATERIALIZED (SELECT * FROM orders) SELECT count(*) FROM w a JOIN w b USING (customer, id)' ],
    [ 'a union', 'SELECT note FROM orders UNION SELECT note FROM items ORDER BY 1' ],
    [ 'a union of all', 'SELECT count(*) FROM (SELECT note FROM orders UNION ALL SELECT note FROM items) u' ],
    [ 'partitions', 'SELECT count(*) FROM events' ],
    [ 'a partition', 'SELECT count(*) FROM events_2' ],
    [ 'partitions, joined', 'SELECT count(*) FROM events JOIN orders USING (customer)' ],
    [ 'a sample', 'SELECT count(*) FROM orders TABLESAMPLE SYSTEM (100)' ],
    [ 'a view', 'SELECT count(*) FROM large_orders' ],
    [ 'a NULL key', 'SELECT count(*) FROM items WHERE customer IS NULL' ],
    [ 'a text key', 'SELECT count(*), min(note) FROM letters' ],
    [ 'some keys', "SELECT count(*) FROM orders WHERE customer IN ($all)" ],
    [ 'a role with policies', 'SET ROLE reader; SELECT count(*) FROM items', ],
    [ 'COPY TO', 'COPY orders TO STDOUT', sorted => 1 ],
    [ 'COPY TO of partitions', 'COPY events_1 TO STDOUT', sorted => 1 ],
    [ 'COPY of a query', 'COPY (SELECT count(*) FROM orders) TO STDOUT' ],
    [ 'a cursor', 'BEGIN; DECLARE c CURSOR FOR SELECT id FROM orders ORDER BY id, customer; FETCH 6 FROM c; COMMIT' ],
    [ 'locks', 'SELECT count(*) FROM (SELECT id FROM orders FOR UPDATE) s' ],
    [ 'locks in a join', 'SELECT count(*) FROM (SELECT 1 FROM orders o JOIN items i USING (customer, id) FOR SHARE OF o) s' ],
    [ 'parallel workers', q{SET force_parallel_mode = on; SELECT count(*), avg(amount) FROM orders} ],
    [ 'one key', "SELECT count(*) FROM orders WHERE customer = $key->{n1}", routed => 1 ],
    [ 'a joined key', "SELECT count(*) FROM orders JOIN items USING (customer, id) WHERE customer = $key->{coordinator}", routed => 1 ],
    [ 'a function of one key', "SELECT orders_of($key->{n2})", routed => 1, local => 1 ],
    # Changes, taken back.
    [ 'UPDATE', 'BEGIN; UPDATE orders SET amount = amount + 1 RETURNING customer, id; ROLLBACK', sorted => 1 ],
    [ 'UPDATE of partitions', 'BEGIN; UPDATE events SET note = note RETURNING customer, at; ROLLBACK', sorted => 1 ],
    [ 'UPDATE FROM', 'BEGIN; UPDATE orders o SET amount = 9 FROM items i WHERE i.customer = o.customer AND i.id = o.id AND i.item = 2 RETURNING o.customer; ROLLBACK', sorted => 1 ],
    [ 'UPDATE row by row', q{BEGIN; UPDATE orders SET amount = nextval('numbers') * 0 RETURNING customer, id; ROLLBACK}, sorted => 1 ],
    [ 'UPDATE that sees other rows', 'BEGIN; UPDATE orders SET amount = (SELECT count(*) FROM items) RETURNING amount; ROLLBACK' ],
    [ 'UPDATE through a view', 'BEGIN; UPDATE large_orders SET note = note RETURNING customer, id; ROLLBACK', sorted => 1 ],
    [ 'DELETE', 'BEGIN; DELETE FROM orders RETURNING customer, id; ROLLBACK', sorted => 1 ],
    [ 'DELETE row by row', 'BEGIN; DELETE FROM orders WHERE id IN (SELECT item FROM items WHERE item < 3) RETURNING customer, id; ROLLBACK', sorted => 1 ],
    [ 'MERGE', 'BEGIN; MERGE INTO orders o USING (SELECT * FROM items WHERE item = 3) i ON o.customer = i.customer AND o.id = i.id WHEN MATCHED THEN UPDATE SET amount = 77 WHEN NOT MATCHED THEN DO NOTHING; SELECT count(*) FROM orders WHERE amount = 77; ROLLBACK' ],
    [ 'MERGE row by row', 'BEGIN; MERGE INTO orders o USING (SELECT DISTINCT item FROM items WHERE item < 3) i ON o.id = i.item WHEN MATCHED THEN UPDATE SET amount = 77; SELECT count(*) FROM orders WHERE amount = 77; ROLLBACK' ],
    [ 'INSERT SELECT on the nodes', 'BEGIN; INSERT INTO copies SELECT customer, id, note FROM orders RETURNING 1; ROLLBACK' ],
    [ 'INSERT SELECT through the coordinator', 'BEGIN; INSERT INTO copies SELECT id, customer, note FROM orders RETURNING 1; ROLLBACK' ],
    [ 'a change in WITH', 'BEGIN; WITH w AS (UPDATE orders SET amount = 5 RETURNING id) SELECT count(*), sum(id) FROM w; ROLLBACK' ],
    [ 'WHERE CURRENT OF', 'BEGIN; DECLARE c CURSOR FOR SELECT * FROM orders WHERE amount < 2 FOR UPDATE; MOVE FROM c; UPDATE orders SET amount = 99 WHERE CURRENT OF c; SELECT count(*) FROM orders WHERE amount = 99; ROLLBACK', routed => 1 ],
    [ 'a foreign key', q{BEGIN; DELETE FROM rates WHERE code = 'b'; SELECT count(*) FROM orders WHERE code IS NULL; ROLLBACK} ],
);

# What a way answers: rows, or its error.
sub answer
{
    my ($read, $filter, @more) = @_;
    my (undef, $sql, %option) = @$read;
    my ($rows, $state) = $herd->try(join ";\n", "SET herd.ownership_filter = $filter", @more, $sql);
    return $state if $state ne '00000';
    return $option{sorted} ? join("\n", sort split /\n/, $rows) : $rows;
}

my %expected = map { $_->[0] => answer($_, 'auto') } @reads;
for my $read (@reads)
{
    unlike $expected{ $read->[0] }, qr/^\w{5}$/, "$read->[0]: it works";
    is answer($read, 'always'), $expected{ $read->[0] }, "$read->[0]: the filter leaves out no row";
}

# ---- rows in wrong places ----

# Of the row with a NULL key: hash 0, which is in the first shard above the middle.
my $null_owner = $herd->sql('SELECT herd.node_of(\'items\', NULL)') || $herd->sql(q{
    SELECT n.name FROM herd.shard s JOIN herd.node n USING (node_id) JOIN herd.distributed_table t USING (group_id)
    WHERE t.relation = 'items'::regclass AND 0 BETWEEN hash_min AND hash_max});

# Copies of what each server owns, as they might have been once, go to the others. The coordinator
# gets its while it runs without the extension.
my %stale = (
    orders  => [ 'customer', 'customer, id, amount, note, code', q{customer, id, 0, 'stray', code} ],
    items   => [ 'customer', 'customer, id, item, note', q{customer, id, item, 'stray'} ],
    events  => [ 'customer', 'customer, at, note', q{customer, at, 'stray'} ],
    letters => [ 'letter', 'letter, note', q{letter, 'stray'} ],
);
my %planted;    # server => statements
for my $table (sort keys %stale)
{
    my ($column, $columns, $values) = @{ $stale{$table} };
    my $marks = join ', ', ('%L') x split /,/, $columns;
    for my $name (map { $_->name } $herd->servers)
    {
        my $rows = $herd->sql(qq{
            SELECT string_agg(format('($marks)', $values), ', ') FROM $table
            WHERE herd.node_of('$table', $column\::text) <> '$name' OR $column IS NULL AND '$name' <> '$null_owner'});
        push @{ $planted{$name} }, "INSERT INTO $table ($columns) VALUES $rows";
    }
}
for my $name (map { $_->name } @nodes)
{
    $herd->sql("SELECT herd.run_on_node('$name', \$run\$$_\$run\$)") for @{ $planted{$name} };
}
$coordinator->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$coordinator->restart;
$coordinator->safe_psql('postgres', $_) for @{ $planted{coordinator} };
$coordinator->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_herd'");
$coordinator->restart;
is $herd->sql('SELECT count(*), count(DISTINCT (customer, id)) FROM orders'), '45|15', 'each row is there three times';

for my $read (@reads)
{
    my ($name, undef, %option) = @$read;
    if ($option{routed})
    {
        is answer($read, 'auto'), $expected{$name}, "$name: the owner has one answer";
    }
    else
    {
        isnt answer($read, 'auto'), $expected{$name}, "$name: stray rows are a danger";
    }
    is answer($read, 'always'), $expected{$name}, "$name: stray rows are left out";
}

# ---- other plans for the same ----

my %plans = (
    'no routes' => ['SET herd.enable_route = off'],
    'no fragments' => [ 'SET herd.enable_fragment_joins = off', 'SET herd.enable_partial_aggregates = off' ],
    'broadcasts' => [q{SET herd.broadcast = 'always'}],
    'indexes' => [ 'SET enable_seqscan = off', 'SET enable_bitmapscan = off' ],
    'bitmaps' => [ 'SET enable_seqscan = off', 'SET enable_indexscan = off', 'SET enable_indexonlyscan = off' ],
);
my $lines = sub { return join "\n", sort map { split /\n/ } @_ };
for my $plan (sort keys %plans)
{
    my ($rows) = $herd->try(join ";\n", 'SET herd.ownership_filter = always', @{ $plans{$plan} }, map { ($_->[1], 'RESET ROLE') } @reads);
    is $lines->($rows), $lines->(values %expected), "$plan: the same answers";
}

# ---- plans that are kept ----

my $session = $herd->session;
my $count = sub { my ($sql) = @_; return $session->query_safe($sql) };
for my $statement (
    [ 'a prepared fan-out', 'PREPARE p AS SELECT count(*) FROM orders', 'EXECUTE p' ],
    [ 'a prepared change', q{PREPARE p AS UPDATE orders SET code = code RETURNING id}, 'BEGIN; EXECUTE p; ROLLBACK' ],
    [ 'a function', q{CREATE OR REPLACE FUNCTION kept() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM orders); END'}, 'SELECT kept()' ])
{
    my ($name, $prepare, $execute) = @$statement;
    $session->query_safe('DEALLOCATE ALL');
    $session->query_safe($prepare);
    my %rows;
    for my $round (1 .. 7)
    {
        for my $filter (qw(auto always))
        {
            $session->query_safe("SET herd.ownership_filter = $filter");
            my $got = $session->query_safe($execute);
            $rows{$filter}{ $got =~ /\n/ ? scalar split(/\n/, $got) : $got }++;
        }
    }
    is_deeply \%rows, { auto => { 45 => 7 }, always => { 15 => 7 } }, "$name knows when the setting changes";
}
$session->query_safe('SET herd.ownership_filter = always');
$session->query_safe('BEGIN; SET LOCAL herd.ownership_filter = auto');
is $session->query_safe('SELECT count(*) FROM orders'), 45, 'SET LOCAL';
$session->query_safe('ROLLBACK');
is $session->query_safe('SELECT count(*) FROM orders'), 15, 'its end';

is $session->query_safe('/*herd every row*/ SELECT count(*) FROM orders'), 15, 'the mark of a statement that means every row is not for clients';

# ---- EXPLAIN ----

my $explain = 'EXPLAIN (COSTS OFF) SELECT * FROM orders WHERE id > 0';
unlike $herd->sql($explain), qr/owns_row/, 'EXPLAIN without the filter';
my $filter = qr/Filter: \(herd\.owns_row\('orders'::regclass, customer\) AND \(id > 0\)\)/;
like $herd->sql("SET herd.ownership_filter = always; $explain"), $filter, 'EXPLAIN shows the filter first';
my @indexes = ('SET enable_seqscan = off', 'SET enable_bitmapscan = off');
for my $case ([ 'SELECT id FROM orders WHERE id = 1', qr/Index Only Scan using orders_id_customer_idx/ ],
    [ 'SELECT amount FROM orders WHERE amount = 1', qr/Index Scan using orders_amount_idx/ ])
{
    my $plan = $herd->sql(join ";\n", @indexes, 'SET herd.ownership_filter = always', "EXPLAIN (COSTS OFF) $case->[0]");
    like $plan, $case->[1], "$case->[0]: an index-only scan only if the index has the key";
    like $plan, qr/owns_row/, "$case->[0]: with the filter";
}
like $herd->sql(join ";\n", @indexes, 'EXPLAIN (COSTS OFF) SELECT amount FROM orders WHERE amount = 1'),
    qr/Index Only Scan using orders_amount_idx/, 'without the filter any index will do';
$herd->sql(q{CREATE TABLE alone AS SELECT 1 AS k; SELECT herd.distribute('alone', 'k')});
unlike $herd->sql('SET herd.ownership_filter = always; EXPLAIN SELECT * FROM alone'), qr/owns_row/, 'nothing to filter where all is here';

# ---- locks and changes leave stray rows alone ----

sub strays
{
    my ($what) = @_;
    return $herd->sql("SELECT $what FROM orders WHERE note = 'stray'");
}
my $free = 'SELECT count(*) FROM orders WHERE note = \'stray\' FOR UPDATE SKIP LOCKED';
$session->query_safe('BEGIN');
$session->query_safe('SELECT * FROM orders FOR UPDATE');
for my $node (map { $_->name } @nodes)
{
    my $unlocked = "SELECT herd.run_on_node('$node', 'WITH w AS MATERIALIZED (SELECT 1 FROM orders FOR UPDATE SKIP LOCKED) SELECT count(*) FROM w')";
    is $herd->sql($unlocked), 10, "$node: only its own five rows are locked";
}
$session->query_safe('COMMIT');

my @always = ('SET herd.ownership_filter = always');
$herd->sql(join ";\n", @always, q{UPDATE orders SET amount = amount + 10, note = 'changed'});
is strays('count(*), min(amount), max(amount)'), '30|0|0', 'UPDATE';
$herd->sql(join ";\n", @always, q{UPDATE orders SET amount = amount + nextval('numbers') * 0});
is strays('count(*), min(amount), max(amount)'), '30|0|0', 'UPDATE row by row';
$herd->sql(join ";\n", @always, q{DELETE FROM rates WHERE code = 'a'});
is strays('count(code)'), 30, 'a foreign key that sets NULL';
my $others = $key->{n1};
is $herd->sql(join ";\n", @always, "INSERT INTO orders VALUES ($others, 1, 50, 'new') ON CONFLICT (customer, id) DO UPDATE SET amount = excluded.amount RETURNING note"),
    'changed', 'ON CONFLICT meets the row of its owner';
$herd->sql(join ";\n", @always, q{DELETE FROM orders});
is $herd->sql('SELECT count(*), count(*) FILTER (WHERE note = \'stray\') FROM orders'), '30|30', 'DELETE';

# ---- a client of a node, and what a table leaves behind ----

my $n1 = $nodes[0]->name;
is $herd->sql_on($n1, 'SELECT count(*) FROM events'), 15, 'a client of a node sees what there is';
is $herd->sql_on($n1, 'SET herd.ownership_filter = always; SELECT count(*) FROM events'), 5, 'or what the node owns';
is scalar(split /\n/, $herd->sql_on($n1, 'SET herd.ownership_filter = always; COPY events_1 TO STDOUT')), 2, 'so does COPY TO';

$herd->sql(q{DELETE FROM letters WHERE note = 'stray'});
$herd->sql("SELECT herd.run_on_node('n1', \$run\$$_\$run\$)") for grep { /letters/ } @{ $planted{n1} };
cmp_ok $herd->sql_on($n1, q{SELECT count(*) FROM letters WHERE note = 'stray'}), '>', 0, 'a table with stray rows on a node';
$herd->sql(join ";\n", @always, q{SELECT herd.collect('letters')});
is $herd->sql('SELECT count(*), min(note) FROM letters'), '20|own', 'collect brings the rows that the node owns';
is $herd->sql_on($n1, 'SELECT count(*) FROM letters'), 0, 'and leaves nothing there';
done_testing;
