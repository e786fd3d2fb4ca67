# What nodes do with the coordinator's statements: partial aggregates, the guard over statements of
# functions and triggers, plans for EXPLAIN ANALYZE, one snapshot for the parts of a statement.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);

sub call_on_n1
{
    my ($sql) = @_;
    return "SELECT * FROM herd.run_on_node('n1', \$run\$$sql\$run\$)";
}

# The rows of statements in one transaction of an internal session of n1.
sub on_n1
{
    my @statements = @_;
    return $herd->sql(join ";\n", map { call_on_n1($_) } @statements);
}

# The same as one transaction.
sub together_on_n1
{
    my @statements = @_;
    return $herd->sql(join ";\n", 'BEGIN', (map { call_on_n1($_) } @statements), 'COMMIT');
}

# A statement's SQLSTATE and text when n1 refuses it.
sub refused_on_n1
{
    my ($name, $sql, $state, $pattern) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my (undef, $got) = $herd->try(call_on_n1($sql));
    is $got, $state, "$name: $state";
    my $text = $herd->error_of(call_on_n1($sql));
    like $text, $pattern, "$name: message" if defined $pattern;
    unlike $text, qr/left its C\+\+/, "$name: no frame is skipped";
    return;
}

$herd->sql(q{
    CREATE TABLE orders (customer int NOT NULL, id int, amount numeric, note text,
                         PRIMARY KEY (customer, id));
    CREATE TABLE items (customer int NOT NULL, id int, item int,
                        PRIMARY KEY (customer, id, item),
                        FOREIGN KEY (customer, id) REFERENCES orders ON DELETE CASCADE);
    CREATE TABLE rates (code text PRIMARY KEY, rate numeric);
    CREATE TABLE journal (line text);
    CREATE SEQUENCE numbers;
    SELECT herd.distribute('orders', 'customer');
    SELECT herd.reference('rates');
});
my $own   = $herd->key_on('orders')->{n1};
my $other = $herd->key_on('orders')->{n2};
on_n1("INSERT INTO orders SELECT $own, g, g * 1.5, 'note ' || g FROM generate_series(1, 1000) g");

# ---- partial aggregates ----

# What n1's states look like, in a table made from the marked query's own columns.
my %plain = (
    'count(*)'          => 'bigint',
    'sum(id)'           => 'bigint',
    'max(amount)'       => 'numeric',
    'avg(id)'           => 'bigint[]',
    'avg(amount)'       => 'bytea',
    'sum(amount)'       => 'bytea',
    'stddev(amount)'    => 'bytea',
    'bool_and(id > 0)'  => 'boolean',
    'regr_slope(id, customer)' => 'double precision[]',
);
for my $aggregate (sort keys %plain)
{
    my $state = on_n1("/*herd partial*/ SELECT $aggregate FROM orders");
    if ($plain{$aggregate} eq 'bytea')
    {
        like $state, qr/^\\x[0-9a-f]+$/, "$aggregate: a serialised state";
    }
    elsif ($plain{$aggregate} =~ /\[\]$/)
    {
        like $state, qr/^\{.*\}$/, "$aggregate: an array";
    }
    else
    {
        is $state, on_n1("SELECT $aggregate FROM orders"), "$aggregate: its state is its result";
    }
}
is on_n1('/*herd partial*/ SELECT avg(id) FROM orders'), '{1000,500500}', 'count and sum';
is on_n1('/*herd partial*/ SELECT id % 2, avg(id), count(*) FROM orders GROUP BY id % 2 -- x'),
    join("\n", '0|{500,250500}|500', '1|{500,250000}|500'), 'by groups';
is on_n1('/*herd partial*/ SELECT avg(id) FILTER (WHERE id <= 10) FROM orders'), '{10,55}',
    'with a filter';
is on_n1('/*herd partial*/ SELECT avg(id) FROM orders WHERE false'), '{0,0}', 'of no rows';
is on_n1('/*herd partial*/ SELECT min(id), max(id) FROM orders'), '1|1000', 'by an index';

# A parallel plan's last stage hands on what the workers' states combine to.
my @parallel = (
    'SET LOCAL max_parallel_workers_per_gather = 2',
    'SET LOCAL parallel_setup_cost = 0',
    'SET LOCAL parallel_tuple_cost = 0',
    'SET LOCAL min_parallel_table_scan_size = 0',
);
like together_on_n1(@parallel, 'EXPLAIN SELECT avg(amount) FROM orders'),
    qr/Finalize Aggregate.*Gather.*Partial Aggregate/s, 'a parallel plan';
my $query = '/*herd partial*/ SELECT avg(amount), avg(id), count(*) FROM orders';
is together_on_n1(@parallel, $query), on_n1($query), 'its states are the same';
$query = '/*herd partial*/ SELECT id % 3 AS k, stddev(id), avg(id) FROM orders GROUP BY id % 3';
is join("\n", sort split /\n/, together_on_n1(@parallel, $query)),
    join("\n", sort split /\n/, on_n1($query)), 'by groups, too';

# PostgreSQL's own final stage reads them: the sum of two nodes' states is the whole's.
my $body = 'avg(amount), sum(amount), var_pop(id), count(*)';
for my $text ('count(DISTINCT id)', 'string_agg(note, note ORDER BY id)', 'count(*) + 1',
    'percentile_cont(0.5) WITHIN GROUP (ORDER BY id)', 'array_agg(id)')
{
    refused_on_n1($text, "/*herd partial*/ SELECT $text FROM orders", '0A000',
        qr/cannot return partial aggregates/);
}
for my $tail ('HAVING count(*) > 1', 'ORDER BY 1', 'LIMIT 1')
{
    refused_on_n1($tail, "/*herd partial*/ SELECT avg(id) FROM orders $tail", '0A000',
        qr/cannot return partial aggregates/);
}
refused_on_n1('GROUPING SETS',
    '/*herd partial*/ SELECT id, avg(id) FROM orders GROUP BY ROLLUP (id)', '0A000');
is $herd->sql('/*herd partial*/ SELECT avg(x) FROM generate_series(1, 3) x'), '2.0000000000000000',
    'an ordinary session gets results';

# ---- statements in functions ----

$herd->sql(q{
    CREATE FUNCTION count_all() RETURNS bigint LANGUAGE plpgsql AS
        'BEGIN RETURN (SELECT count(*) FROM orders); END';
    CREATE FUNCTION count_of(c int) RETURNS bigint LANGUAGE plpgsql AS
        'BEGIN RETURN (SELECT count(*) FROM orders WHERE customer = c); END';
    CREATE FUNCTION count_items(c int) RETURNS bigint LANGUAGE plpgsql AS
        'BEGIN RETURN (SELECT count(*) FROM orders JOIN items USING (customer, id)
                       WHERE customer = c); END';
    CREATE FUNCTION sql_count_of(c int) RETURNS bigint LANGUAGE sql VOLATILE AS
        'SELECT count(*) FROM orders WHERE customer = $1';
    CREATE FUNCTION frozen_count() RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN RETURN (SELECT count(*) FROM orders); END';
    CREATE FUNCTION rate_of(c text) RETURNS numeric LANGUAGE plpgsql AS
        'BEGIN RETURN (SELECT rate FROM rates WHERE code = c); END';
    CREATE FUNCTION run(command text) RETURNS void LANGUAGE plpgsql AS
        'BEGIN EXECUTE command; END';
    CREATE FUNCTION scroll_of(c int) RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE r SCROLL CURSOR FOR SELECT id FROM orders WHERE customer = c ORDER BY id;
                last int; first int;
        BEGIN
            OPEN r; FETCH LAST FROM r INTO last; FETCH FIRST FROM r INTO first; CLOSE r;
            RETURN last - first;
        END $$;
    CREATE FUNCTION loop_over(a int, b int, times int) RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE n bigint := 0;
        BEGIN
            FOR i IN 1 .. times LOOP
                n := n + (SELECT count(*) FROM orders WHERE customer = CASE WHEN i < times
                          THEN a ELSE b END);
            END LOOP;
            RETURN n;
        END $$;
});
is on_n1("SELECT count_of($own)"), 1000, 'a key that the node owns';
is on_n1("SELECT count_items($own)"), 0, 'through a join';
is on_n1("SELECT sql_count_of($own)"), 1000, 'in an SQL function';
is on_n1("SELECT scroll_of($own)"), 999, 'a cursor that scrolls';
is on_n1("SELECT loop_over($own, $own, 12)"), 12000, 'by a generic plan';
is on_n1("SELECT rate_of('x')"), '', 'a reference table';
is on_n1("SELECT count_of(NULL)"), 0, 'a key that is NULL';
my $needs = qr/needs rows of table "orders" that other nodes hold/;
refused_on_n1('an unfixed query',  'SELECT count_all()',                     'HR004', $needs);
refused_on_n1('another key',       "SELECT count_of($other)",                'HR004', $needs);
refused_on_n1('whose key it is',   "SELECT count_of($other)",                'HR004',
    qr/belongs to node "n2"; the function runs on node "n1"/);
refused_on_n1('in a generic plan', "SELECT loop_over($own, $other, 12)",     'HR004', $needs);
refused_on_n1('an SQL function',   "SELECT sql_count_of($other)",            'HR004', $needs);
refused_on_n1('a constant',        "SELECT run('SELECT FROM orders WHERE customer = $other')",
    'HR004', $needs);
refused_on_n1('while planning',    'SELECT frozen_count()',                  'HR004', $needs);
refused_on_n1('in a subquery',
    "SELECT run('SELECT 1 WHERE EXISTS (SELECT FROM orders)')", 'HR004', $needs);
refused_on_n1('in a CTE',
    "SELECT run('WITH x AS (SELECT * FROM orders) SELECT count(*) FROM x')", 'HR004', $needs);
refused_on_n1('a local table', "SELECT run('SELECT * FROM journal')", 'HR004',
    qr/needs table "journal", whose rows are on the coordinator/);
refused_on_n1('a sequence', "SELECT run('SELECT nextval(''numbers'')')", 'HR004',
    qr/cannot draw from sequence "numbers"/);
is on_n1("SELECT run('SELECT count(*) FROM pg_class')"), '', 'catalogues are the node\'s own';
is on_n1("SELECT run('CREATE TEMP TABLE t1 AS SELECT 1 AS x'); SELECT 1"), '', 'one more' if 0;
is $herd->sql_on('n1', "SELECT count_all()"), 1000, 'an ordinary session of a node is not guarded';

# Writes.
my $insert = "SELECT run('INSERT INTO orders VALUES (%s, 5000, 1)')";
on_n1(sprintf $insert, $own);
is on_n1("SELECT count(*) FROM orders WHERE id = 5000"), 1, 'INSERT of an own key';
refused_on_n1('INSERT of another', (sprintf $insert, $other), 'HR004', $needs);
refused_on_n1('one row of many',
    "SELECT run('INSERT INTO orders SELECT k, 6000, 1 FROM unnest(ARRAY[$own, $other]) k')",
    'HR004', $needs);
is on_n1('SELECT count(*) FROM orders WHERE id = 6000'), 0, 'none of them is there';
refused_on_n1('INSERT in a CTE',
    "SELECT run('WITH x AS (INSERT INTO orders VALUES ($other, 7000) RETURNING *) TABLE x')",
    'HR004', $needs);
on_n1("SELECT run('INSERT INTO orders VALUES ($own, 5000, 2) ON CONFLICT (customer, id)
                   DO UPDATE SET amount = excluded.amount')");
is on_n1('SELECT amount FROM orders WHERE id = 5000'), 2, 'ON CONFLICT';
on_n1("SELECT run('UPDATE orders SET amount = 3 WHERE customer = $own AND id = 5000')");
is on_n1('SELECT amount FROM orders WHERE id = 5000'), 3, 'UPDATE';
refused_on_n1('UPDATE of all', "SELECT run('UPDATE orders SET amount = 1')", 'HR004', $needs);
refused_on_n1('UPDATE of the key',
    "SELECT run('UPDATE orders SET customer = 1 WHERE customer = $own')", 'HR010',
    qr/would change the distribution key/);
refused_on_n1('DELETE of another', "SELECT run('DELETE FROM orders WHERE customer = $other')",
    'HR004', $needs);
refused_on_n1('MERGE', "SELECT run('MERGE INTO orders USING rates ON false
                        WHEN NOT MATCHED THEN INSERT VALUES ($own, 1)')", 'HR004', qr/MERGE/);
refused_on_n1('a reference table', "SELECT run('INSERT INTO rates VALUES (''a'', 1)')", 'HR004',
    qr/would change reference table "rates" on one node only/);
refused_on_n1('a local table', "SELECT run('INSERT INTO journal VALUES (1)')", 'HR004', qr/journal/);

# Dropped columns and partitions keep their places.
$herd->sql(q{
    CREATE TABLE parts (gone int, day int, customer int NOT NULL) PARTITION BY RANGE (day);
    CREATE TABLE parts_1 (customer int NOT NULL, day int, gone int);
    ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES FROM (0) TO (10);
    ALTER TABLE parts DROP COLUMN gone;
    SELECT herd.distribute('parts', 'customer', colocate_with => 'orders');
});
on_n1("SELECT run('INSERT INTO parts VALUES (1, $own)')");
on_n1("SELECT run('INSERT INTO parts_1 VALUES ($own, 2)')");
is on_n1('SELECT count(*), sum(day) FROM parts'), '2|3', 'a partitioned table';
refused_on_n1('its partition', "SELECT run('INSERT INTO parts_1 VALUES ($other, 2)')", 'HR004',
    qr/table "parts_1"/);

# ---- triggers and foreign keys ----

$herd->sql(q{
    CREATE FUNCTION add_item() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO items VALUES (NEW.customer, NEW.id, 1); RETURN NEW; END';
    CREATE TRIGGER add_item AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION add_item();
    CREATE FUNCTION look_around() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM FROM orders; RETURN NEW; END';
    CREATE CONSTRAINT TRIGGER look_around AFTER UPDATE ON orders DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION look_around();
});
on_n1("INSERT INTO orders VALUES ($own, 8000)");
is on_n1("SELECT count(*) FROM items"), 1, 'a trigger writes next to its row';
refused_on_n1('a foreign key', "INSERT INTO items VALUES ($own, 9999, 1)", '23503');
on_n1('DELETE FROM orders WHERE id = 8000');
is on_n1("SELECT count(*) FROM items"), 0, 'ON DELETE CASCADE';
is +($herd->try("BEGIN; " . call_on_n1("UPDATE orders SET amount = 4 WHERE id = 5000") . "; COMMIT"))
    [1], 'HR004', 'a deferred trigger is guarded';
is on_n1('SELECT amount FROM orders WHERE id = 5000'), 3, 'and undoes the transaction';
$herd->sql(q{
    CREATE FUNCTION take_role() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM herd.link_state('postgres'); RETURN NEW; END $$;
    DROP TRIGGER look_around ON orders;
    CREATE CONSTRAINT TRIGGER take_role AFTER UPDATE ON orders DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION take_role();
});
is +($herd->try("BEGIN; " . call_on_n1("UPDATE orders SET amount = 4 WHERE id = 5000") . "; COMMIT"))
    [1], 'HR008', 'a deferred trigger makes no internal calls';
$herd->sql('DROP TRIGGER take_role ON orders');

# Rows stay with their keys, whatever triggers do, and whoever writes.
my $here = $herd->key_on('orders')->{coordinator};
my $mine = $herd->key_on('orders', 2)->{n1};
$herd->sql(qq{
    CREATE FUNCTION new_key() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.note ~ ''^[0-9]+\$'' THEN NEW.customer := NEW.note; END IF;
               RETURN NEW; END';
    CREATE TRIGGER new_key BEFORE INSERT OR UPDATE ON orders
        FOR EACH ROW EXECUTE FUNCTION new_key();
});
my $moved = qr/would be stored on a node that does not own its key.*belongs to node "n2"/s;
for my $key ($own, $here)
{
    my $at = $key == $own ? 'a node' : 'the coordinator';
    for my $write ("INSERT INTO orders VALUES ($key, 9000, 1, '$other')",
        "INSERT INTO orders VALUES ($key, 9000, 1, '$other') ON CONFLICT DO NOTHING")
    {
        is +($herd->try($write))[1], 'HR010', "INSERT on $at";
        like $herd->error_of($write), $moved, "INSERT on $at: message";
    }
    $herd->sql("INSERT INTO orders VALUES ($key, 9001, 1, 'x')");
    for my $write ("UPDATE orders SET note = '$other' WHERE customer = $key AND id = 9001",
        "INSERT INTO orders VALUES ($key, 9001) ON CONFLICT (customer, id)
         DO UPDATE SET note = '$other'")
    {
        is +($herd->try($write))[1], 'HR010', "UPDATE on $at";
    }
    $herd->sql("UPDATE orders SET note = 'y' WHERE customer = $key AND id = 9001");
}
is +($herd->try("UPDATE orders SET note = '$other' WHERE id = 9001"))[1], 'HR010', 'on all nodes';

# COPY: the first two lines stay where they were sent, the third does not.
for my $key ($own, $here)
{
    my $at   = $key == $own ? 'a node' : 'the coordinator';
    my $copy = "COPY orders (customer, id, note) FROM STDIN;\n$key\t9010\tx\n$key\t9011\t$key\n";
    is +($herd->try("$copy$key\t9000\t$other\n\\.\n"))[1], 'HR010', "COPY on $at";
    like $herd->error_of("$copy$key\t9000\t$other\n\\.\n"), qr/$moved.*COPY orders, line 3/s,
        "COPY on $at: message and line";
    my ($out, $state) = $herd->try("$copy\\.\n");
    is $state, '00000', "COPY on $at without a change of node";
    is $herd->sql("SELECT count(*) FROM orders WHERE customer = $key AND id IN (9010, 9011)"), 2,
        "COPY on $at: rows are there";
}
is $herd->sql('SELECT count(*) FROM orders WHERE id = 9000'), 0, 'no row is misplaced';
$herd->sql("INSERT INTO orders VALUES ($own, 9002, 1, '$mine')");
is $herd->sql("SELECT count(*) FROM orders WHERE customer = $mine AND id = 9002"), 1,
    'another key of the same node';
$herd->sql('DROP TRIGGER new_key ON orders; DELETE FROM orders WHERE id > 9000');

$herd->sql_on('n1', "INSERT INTO orders VALUES ($own, 9100)");
is $herd->sql("SELECT count(*) FROM orders WHERE customer = $own AND id = 9100"), 1,
    'a client writes on the node itself';
for my $write ("INSERT INTO orders VALUES ($other, 9101)",
    "UPDATE orders SET customer = $other WHERE id = 9100",
    "WITH x AS (INSERT INTO orders VALUES ($other, 9101) RETURNING 1) TABLE x",
    "INSERT INTO parts VALUES (1, $other)", "UPDATE parts SET customer = $other",
    "MERGE INTO orders USING (VALUES (1)) v ON false WHEN NOT MATCHED THEN INSERT VALUES ($other, 1)")
{
    my ($command) = $write =~ /(\w+)/;
    is +($herd->try($write, $herd->node('n1')))[1], 'HR010', "but no row of other nodes: $command";
}

my $copy = "COPY orders (customer, id) FROM STDIN WHERE id <> 9103;\n$own\t9101\n$other\t9103\n";
is +($herd->try("$copy$other\t9102\n\\.\n", $herd->node('n1')))[1], 'HR010', 'nor COPY';
is +($herd->try("$copy\\.\n", $herd->node('n1')))[1], '00000', 'but rows of its own';
is $herd->sql('SELECT count(*) FROM orders WHERE id > 9100'), 1, 'which the herd sees';
$herd->sql('DELETE FROM orders WHERE id > 9100');

# ---- functions that nodes may run ----

# A plan that is kept is made again when a function is declared pushable, or no longer.
$herd->sql(q{CREATE FUNCTION vat(numeric) RETURNS numeric LANGUAGE plpgsql AS 'BEGIN RETURN $1 / 5; END'});
my $keeper = $herd->session;
$keeper->query_safe(
    'SET plan_cache_mode = force_generic_plan; PREPARE taxed AS SELECT count(*) FROM orders WHERE vat(amount) > 1');
my $taxed = sub { return $keeper->query('EXPLAIN EXECUTE taxed') =~ /Remote SQL.*vat/ ? 'nodes' : 'here' };
is $taxed->(), 'here', 'a function of a user runs here';
$herd->sql("SELECT herd.set_pushable('vat(numeric)')");
is $taxed->(), 'nodes', 'declared pushable it runs on the nodes, by a plan made before';
$herd->sql("SELECT herd.set_pushable('vat(numeric)')");
$herd->sql("SELECT herd.set_pushable('vat(numeric)', false)");
is $taxed->(), 'here', 'and here again when the declaration is taken back';
$keeper->quit;
$herd->sql("SELECT herd.set_pushable('vat(numeric)'); DROP FUNCTION vat");
is $herd->sql('SELECT count(*) FROM herd.pushable_function'), 0, 'a declaration goes with its function';

# ---- plans ----

my $plans = together_on_n1(
    'SELECT herd.link_explain(true)',
    "SELECT count(*) FROM orders WHERE customer = $own",
    'SELECT plan FROM herd.link_last_plan()',
    'SELECT plan FROM herd.link_last_plan()',
    "UPDATE orders SET amount = 5 WHERE customer = $own AND id = 5000",
    'SELECT plan FROM herd.link_last_plan()',
    'SELECT milliseconds > 0 FROM herd.link_last_plan()',
    'SELECT herd.link_explain(false)',
    'SELECT plan IS NULL FROM herd.link_last_plan()'
);
my @found = $plans =~ /(Aggregate  \(cost[^\n]*actual time[^\n]*rows=1 loops=1)/g;
is @found, 2, 'the plan of a query, twice the same';
like $plans, qr/Update on orders [^\n]*actual time[^>]*->  Index Scan/, 'the plan of a write';
like $plans, qr/\nt\n.*\nt$/s, 'its time; nothing is left when it is off';
is on_n1('SELECT amount FROM orders WHERE id = 5000'), 5, 'the write is done once';
like together_on_n1("SELECT herd.link_explain(true, 'verbose')",
    "SELECT count_of($own)", 'SELECT plan FROM herd.link_last_plan()'),
    qr/Result \(actual rows=1 loops=1\)\n\s+Output: count_of/, 'not of what functions run';
refused_on_n1('an unknown option', "SELECT herd.link_explain(true, 'verbose, x')", '22023');
is +($herd->try('SELECT herd.link_explain(true)'))[1],      'HR008', 'not for users';
is +($herd->try('SELECT * FROM herd.link_last_plan()'))[1], 'HR008', 'not for users';

# ---- one snapshot ----

my $session = $herd->session;
$session->query_safe('BEGIN');
$session->query_safe(call_on_n1('SELECT herd.link_snapshot(7)'));
my $count = call_on_n1('SELECT count(*) FROM orders WHERE id = 1');
is $session->query_safe($count), 1, 'the first part of a statement';
$herd->sql_on('n1', 'DELETE FROM orders WHERE id = 1');
is $session->query_safe($count), 1, 'the second part sees the same';
$session->query_safe('SAVEPOINT s');
is $session->query_safe($count), 1, 'in a savepoint, too';
$session->query_safe('ROLLBACK TO s');
is $session->query_safe($count), 0, 'what comes after a rollback is another statement';
$session->query_safe(call_on_n1('SELECT herd.link_snapshot(7)'));
is $session->query_safe($count), 1, 'unless it says that it is a part of that one';
$session->query_safe(call_on_n1('SELECT herd.link_snapshot(8)'));
is $session->query_safe($count), 0, 'the next statement sees the deletion';
$session->query_safe('COMMIT');
is $session->query_safe($count), 0, 'nothing is left for the next transaction';
$session->quit;

done_testing;
