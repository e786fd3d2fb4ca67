# herd.distribute, herd.reference and herd.collect: keys of every type lie where herd.node_of says,
# existing tables keep all they have, and what would break is refused with a reason and a way out.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);

# A key of each type: rows are where node_of says, and are found by their key.
my %values = (
    smallint    => "(i - 100)::smallint", int => 'i * 7919', bigint => 'i * 10000000019::bigint',
    text        => "'näme ' || i",        'varchar(20)' => "('v' || i)::varchar",
    'char(8)'   => "('c' || i)::char(8)",
    uuid        => "md5(i::text)::uuid", numeric => 'i / 7.0', inet => "('10.0.0.0'::inet + i)",
    timestamp   => "'2024-01-01'::timestamp + i * interval '1 hour'",
    timestamptz => "'2024-01-01 00:00+00'::timestamptz + i * interval '1 hour'",
    date        => "'2024-01-01'::date + i", bytea => "decode(md5(i::text), 'hex')",
    'bigint[]'  => 'ARRAY[i, i * 2]::bigint[]',
    oid      => 'i::oid', 'text COLLATE "C"' => "'x' || i", jsonb => "jsonb_build_object('i', i)",
    float8   => 'i / 3.0::float8',
    interval => "i * interval '1 minute'"
);
for my $type (sort keys %values)
{
    (my $name = "key_$type") =~ s/\W+/_/g;
    my (undef, $state) = $herd->try(
        "CREATE TABLE $name (k $type NOT NULL, n int);
        SELECT herd.distribute('$name', 'k', shard_count => 30);"
    );
    is $state, '00000', "key $type: distributed" or next;
    is(
        ($herd->try("INSERT INTO $name SELECT $values{$type}, i FROM generate_series(1, 60) i"))[1],
        '00000',
        "key $type: rows inserted"
    );
    is $herd->sql("SELECT count(*), sum(n) FROM $name"), '60|1830', "key $type: all rows seen";
    my $lost = 0;
    for my $i (1, 17, 42, 60)
    {
        my ($answer) = $herd->try(
            "SELECT n FROM $name, (SELECT $values{$type} AS v FROM (SELECT $i AS i) j) w WHERE k = w.v"
        );
        my $literal =
            $herd->sql("SELECT quote_literal(($values{$type})::text) FROM (SELECT $i AS i) j");
        my ($routed) = $herd->try("SELECT n FROM $name WHERE k = $literal");
        $lost++ if $answer ne $i || $routed ne $i;
    }
    is $lost, 0, "key $type: rows found by key";
    my $misplaced = 0;
    for my $node ($herd->nodes)
    {
        my @keys = split /\n/,
            $herd->sql_on($node->name, "SELECT quote_literal(k::text) FROM $name");
        my $list = join ',', @keys;
        $misplaced += $herd->sql(
            "SELECT count(*) FROM unnest(ARRAY[$list]::text[]) k
            WHERE herd.node_of('$name', k) <> '" . $node->name . "'"
        ) if @keys;
    }
    is $misplaced, 0, "key $type: rows lie where node_of says";
}

# What cannot be a key.
$herd->sql(
    "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE enum_key (k mood, n int);
    CREATE TABLE json_key (k json); CREATE TABLE point_key (k point);"
);
for my $table ('json_key', 'point_key')
{
    is(($herd->try("SELECT herd.distribute('$table', 'k')"))[1], 'HR002',
        "$table: no hash, refused");
    like $herd->error_of("SELECT herd.distribute('$table', 'k')"), qr/hash/, "$table: says why";
}
my (undef, $enum) = $herd->try("SELECT herd.distribute('enum_key', 'k')");
like $enum, qr/00000|HR002/, "enum key: served by its label or refused ($enum)";

# What would break, each with a hint.
sub refused
{
    my ($sql, $pattern, $name) = @_;
    is(($herd->try($sql))[1], 'HR002', "$name: refused");
    my $error = $herd->error_of($sql);
    like $error, $pattern,  "$name: the reason is named";
    like $error, qr/HINT:/, "$name: a way out is named";
    return;
}
$herd->sql(<<'SQL');
CREATE TABLE u1 (id int PRIMARY KEY, k int);
CREATE TABLE u2 (k int NOT NULL, mail text UNIQUE);
CREATE TABLE u3 (k int NOT NULL, v int); CREATE UNIQUE INDEX u3_lower ON u3 (abs(v));
CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
CREATE TABLE logless (id int PRIMARY KEY); ALTER TABLE logless SET UNLOGGED;
CREATE TABLE family (id int); CREATE TABLE family_child () INHERITS (family);
CREATE VIEW a_view AS SELECT 1 AS id;
CREATE TABLE excl (k int, r int4range, EXCLUDE USING gist (r WITH &&));
CREATE TABLE ruled (id int PRIMARY KEY); CREATE RULE r AS ON INSERT TO ruled DO ALSO SELECT 1;
SQL
refused("SELECT herd.distribute('u1', 'k')", qr/u1_pkey/,     'primary key without the key');
refused("SELECT herd.distribute('u2', 'k')", qr/u2_mail_key/, 'unique constraint without the key');
refused("SELECT herd.distribute('u3', 'k')", qr/u3_lower/,    'unique index without the key');
refused("SELECT herd.distribute('excl', 'k')",   qr/excl/,  'exclusion constraint without the key');
refused("SELECT herd.distribute('ruled', 'id')", qr/rule/i, 'rules on a table');
refused("SELECT herd.distribute('family', 'id')", qr/inherit/i, 'inheritance');
is(($herd->try("SELECT herd.distribute('a_view', 'id')"))[1],      'HR002', 'a view is no table');
is(($herd->try("SELECT herd.distribute('parent', 'nothing')"))[1], '42703', 'the key is a column');
is(($herd->try("CREATE TEMP TABLE tt (id int); SELECT herd.distribute('tt', 'id')"))[1], 'HR002',
    'temporary table');
is(($herd->try("SELECT herd.distribute('parent', 'id', shard_count => 0)"))[1], '22023',
    'no shards');
refused("SELECT herd.distribute('parent', 'id')",
    qr/child/, 'a foreign key to the table on another column than the key');
$herd->sql('DROP TABLE child');
$herd->sql("SELECT herd.distribute('parent', 'id')");
my $shards = $herd->sql('SELECT max(shard_id) FROM herd.shards');
is(($herd->try("SELECT herd.distribute('parent', 'id')"))[1], '00000', 'a table is distributed as it is');
is $herd->sql('SELECT max(shard_id) FROM herd.shards'), $shards, 'once';
is(($herd->try("SELECT herd.distribute('parent', 'v')"))[1], 'HR002', 'and not by another key then');
my $follows = 'CREATE TABLE follows (parent int REFERENCES parent, n int, PRIMARY KEY (parent, n))';
is(($herd->try($follows))[1], 'HR007', 'a local table cannot reference a distributed one');
like $herd->error_of($follows), qr/HINT:.*colocate_with/, '... and the way out is named';
$herd->sql(<<'SQL');
CREATE TABLE family_head (id int PRIMARY KEY);
CREATE TABLE family_member (head int REFERENCES family_head, n int, PRIMARY KEY (head, n));
SELECT herd.distribute('family_head', 'id');
SQL
is $herd->sql("SELECT count(*) FROM herd.distributed_table WHERE relation = 'family_member'::regclass"),
    1, 'tables follow by their foreign keys';
$herd->sql("CREATE TABLE text_key (k text PRIMARY KEY)");
isnt(
    ($herd->try("SELECT herd.distribute('text_key', 'k', colocate_with => 'parent')"))[1], '00000',
    'co-location of other types'
);
isnt(
    ($herd->try("SELECT herd.distribute('text_key', 'k', colocate_with => 'u1')"))[1], '00000',
    'co-location with a table that is not distributed'
);

# An existing table with rows keeps them, and all that it has.
$herd->sql(<<'SQL');
CREATE TABLE full_table (
    id bigint GENERATED ALWAYS AS IDENTITY, tenant int NOT NULL, body text DEFAULT 'x',
    size int GENERATED ALWAYS AS (length(body)) STORED, s serial, PRIMARY KEY (tenant, id), CHECK (body <> 'bad'))
    PARTITION BY RANGE (tenant);
CREATE TABLE full_low PARTITION OF full_table FOR VALUES FROM (0) TO (50);
CREATE TABLE full_high PARTITION OF full_table DEFAULT;
CREATE INDEX ON full_table (body);
CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.body := NEW.body || '!'; RETURN NEW; END $$;
CREATE TRIGGER mark BEFORE UPDATE ON full_table FOR EACH ROW EXECUTE FUNCTION mark();
INSERT INTO full_table (tenant) SELECT i % 100 FROM generate_series(1, 1000) i;
SELECT herd.distribute('full_table', 'tenant');
SQL
is $herd->sql("SELECT count(*), sum(tenant), sum(size) FROM full_table"), '1000|49500|1000',
    'rows stay';
is $herd->sql(
    "SELECT DISTINCT node FROM herd.shards s JOIN herd.tables t USING (group_id) WHERE t.table_name = 'full_table'::regclass"
    ),
    'coordinator', 'on the coordinator';
is $herd->sql("INSERT INTO full_table (tenant, body) VALUES (7, 'new') RETURNING id, size, s"),
    '1001|3|1001', 'identity, serial and generated column go on';
is $herd->sql(
    "UPDATE full_table SET tenant = tenant WHERE tenant = 7 AND id = 1001 RETURNING body"), 'new!',
    'triggers fire';
is(($herd->try("INSERT INTO full_table (tenant, body) VALUES (7, 'bad')"))[1], '23514',
    'checks hold');
is $herd->sql("SELECT count(*) FROM full_low WHERE tenant = 7"), 11, 'partitions are tables';
$herd->sql("SELECT herd.collect('full_table')");
is $herd->sql("SELECT count(*) FROM full_table"), 1001, 'collected: all rows are there';
is $herd->sql("SELECT count(*) FROM herd.tables WHERE table_name = 'full_table'::regclass"), 0,
    'and it is an ordinary table';

# Collecting a table that is spread brings its rows home.
$herd->sql(
    "CREATE TABLE spread (id int PRIMARY KEY, v text); SELECT herd.distribute('spread', 'id');
    INSERT INTO spread SELECT i, 'v' || i FROM generate_series(1, 900) i"
);
my $sum = $herd->sql("SELECT md5(string_agg(s::text, ',' ORDER BY id)) FROM spread s");
$herd->check_invariants('before collecting');
$herd->sql("SELECT herd.collect('spread')");
is $herd->sql("SELECT md5(string_agg(s::text, ',' ORDER BY id)) FROM spread s"), $sum,
    'a spread table is collected';
is $herd->sql_on($_->name, 'SELECT count(*) FROM spread'), 0,
    'and ' . $_->name . ' holds no row of it'
    for $herd->nodes;
$herd->sql("SELECT herd.distribute('spread', 'id')");
is $herd->sql('SELECT count(*) FROM spread WHERE id = 77'), 1, 'and can be distributed again';

# Reference tables.
$herd->sql(
    "CREATE TABLE ref (id int PRIMARY KEY, v text UNIQUE); INSERT INTO ref SELECT i, 'r' || i FROM generate_series(1, 300) i;
    SELECT herd.reference('ref')"
);
$herd->same_everywhere('ref');
$herd->sql(
    "UPDATE ref SET v = v || '+' WHERE id % 3 = 0; DELETE FROM ref WHERE id > 250; INSERT INTO ref VALUES (1000, 'last')"
);
$herd->same_everywhere('ref');
is $herd->sql("SELECT kind FROM herd.tables WHERE table_name = 'ref'::regclass"), 'reference',
    'herd.tables tells its kind';
$herd->sql("SELECT herd.collect('ref')");
is $herd->sql('SELECT count(*) FROM ref'), 251, 'a reference table is collected';

# The views agree with each other.
is $herd->sql(
    "SELECT count(*) FROM herd.tables t WHERE kind = 'distributed'
    AND shards <> (SELECT count(*) FROM herd.shards s WHERE s.group_id = t.group_id)"
    ),
    0, 'herd.tables counts herd.shards';
is $herd->sql(
    "SELECT count(*) FROM generate_series(1, 200) i JOIN herd.shards s ON s.shard_id = herd.shard_of('spread', i::text)
    WHERE s.node <> herd.node_of('spread', i::text)"
    ),
    0, 'shard_of and node_of agree';
is $herd->sql("SELECT count(DISTINCT herd.node_of('key_int', k::text)) FROM key_int"), 3,
    'every node owns some keys';
is(($herd->try("SELECT herd.node_of('ref', '1')"))[1] ne '00000', 1,
    'node_of of a table that is not distributed');
is(($herd->try("SELECT herd.shard_of('key_int', 'seven')"))[1], '22P02',
    'a key that is not of its type');

# Only who owns the table.
$herd->sql(
    'CREATE ROLE stranger; CREATE TABLE owned (id int PRIMARY KEY); GRANT ALL ON owned TO stranger'
);
is(($herd->try("SET ROLE stranger; SELECT herd.distribute('owned', 'id')"))[1], '42501',
    'only its owner distributes a table');

# DDL that would break distribution is refused.
$herd->sql(
    "CREATE TABLE guarded (id int PRIMARY KEY, v int, p int); SELECT herd.distribute('guarded', 'id')"
);
for my $ddl (
    'ALTER TABLE guarded ADD UNIQUE (v)', 'CREATE UNIQUE INDEX ON guarded (v)',
    'ALTER TABLE guarded DROP COLUMN id',
    'ALTER TABLE guarded ALTER COLUMN id TYPE text',
    'ALTER TABLE guarded ADD FOREIGN KEY (p) REFERENCES parent'
    )
{
    is(($herd->try($ddl))[1], 'HR007', "$ddl: refused");
    like $herd->error_of($ddl), qr/HINT:/, "$ddl: a way out is named";
}
is $herd->sql_on('n1', "SELECT count(*) FROM pg_indexes WHERE tablename = 'guarded'"), 1,
    'and nothing of it is left on a node';

$herd->check_invariants('at the end');
done_testing;
