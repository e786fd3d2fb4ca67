# Definitions of distributed and reference tables: what would break distribution is refused, what
# remains keeps rows right, and the herd's catalogue follows drops, renames and partitions.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../perl";
use Catalogue qw(catalogue differences);
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
my ($coordinator, @nodes) = $herd->servers;

sub same_on_nodes
{
    my ($name) = @_;
    my $expected = catalogue($coordinator, 'postgres');
    is differences($expected, catalogue($_, 'postgres')), '', "$name: as on " . $_->name for @nodes;
    return $expected;
}

sub refused
{
    my ($statement, $hint) = @_;
    (my $name = substr $statement, 0, 80) =~ s/\s+/ /g;
    my $before = catalogue($coordinator, 'postgres');
    is(($herd->try($statement))[1], 'HR007', "refused: $name");
    my $text = $herd->error_of($statement);
    like $text, $hint, "the reason: $name";
    like $text, qr/HINT:/, "there is a hint: $name";
    is differences($before, same_on_nodes($name)), '', "nothing has changed: $name";
    return;
}

sub works
{
    for my $statement (@_)
    {
        (my $name = substr $statement, 0, 80) =~ s/\s+/ /g;
        is(($herd->try($statement))[1], '00000', "works: $name") or diag $herd->error_of($statement);
        same_on_nodes($name);
    }
    return;
}

# The table's rows on every server: equal for a reference table.
sub rows_everywhere
{
    my ($query) = @_;
    return map { $_->safe_psql('postgres', $query) } $herd->servers;
}

$herd->sql($_) for (
    'CREATE TABLE customer (id int PRIMARY KEY, name text)',
    'CREATE TABLE orders (customer int, id int, total int, note text, PRIMARY KEY (customer, id))',
    'CREATE TABLE country (code text PRIMARY KEY, name text)',
    'CREATE TABLE plain (id int PRIMARY KEY, c text)',
    q{SELECT herd.distribute('customer', 'id', shard_count => 6)},
    q{SELECT herd.distribute('orders', 'customer', colocate_with => 'customer')},
    q{INSERT INTO country SELECT 'c' || g, 'land ' || g FROM generate_series(1, 5) g},
    q{CREATE TABLE nokey (a int); INSERT INTO nokey VALUES (1), (2); SELECT herd.reference('nokey')},
    q{CREATE TABLE full_one (tenant int NOT NULL, at date NOT NULL, what text);
      INSERT INTO full_one VALUES (1, '2030-05-05')},
    q{CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$},
    'CREATE DOMAIN key AS int; CREATE TYPE color AS ENUM (\'red\'); CREATE TABLE parent (id int)',
    q{SELECT herd.reference('country')});
same_on_nodes('a herd with tables');

$herd->sql('INSERT INTO customer SELECT g FROM generate_series(1, 30) g');
$herd->sql('INSERT INTO orders (customer, id, total) SELECT g, 1, g * 10 FROM generate_series(1, 30) g');
ok $_->safe_psql('postgres', 'SELECT count(*) > 0 FROM orders') eq 't', $_->name . ' has rows'
  for $herd->servers;

note 'What one node could not keep';
refused('ALTER TABLE orders ADD UNIQUE (id)', qr/lacks the distribution key "customer"/);
refused('CREATE UNIQUE INDEX ON orders (total)', qr/lacks the distribution key/);
refused('CREATE UNIQUE INDEX CONCURRENTLY ON orders (total)', qr/lacks the distribution key/);
refused('ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD PRIMARY KEY (id)', qr/Add "customer" to the primary key/);
refused('ALTER TABLE orders ADD EXCLUDE USING btree (total WITH =)', qr/lacks the distribution key/);
refused('ALTER TABLE orders ALTER customer TYPE bigint', qr/type of the distribution key/);
refused('ALTER TABLE orders DROP COLUMN customer', qr/distribution key "customer".*dropped/);
refused('ALTER TABLE orders SET UNLOGGED', qr/unlogged/);
refused('CREATE RULE r AS ON INSERT TO orders DO ALSO SELECT 1', qr/trigger instead of the rule/);
refused('CREATE TABLE child () INHERITS (orders)', qr/inherit/);
refused('ALTER TABLE orders INHERIT parent', qr/inherit/);
refused('ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES plain', qr/herd\.reference\('public\.plain'\)/);
refused('ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES customer', qr/different nodes/);
refused('ALTER TABLE plain ADD FOREIGN KEY (id) REFERENCES customer', qr/colocate_with => 'public\.customer'/);
refused('CREATE TABLE later (id int REFERENCES customer)', qr/colocate_with/);
refused('ALTER TABLE country ADD COLUMN first int REFERENCES customer', qr/Distribute public\.country|one node alone/);
refused('ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customer ON DELETE SET NULL', qr/clear the distribution key/);
refused('CREATE TRIGGER seen AFTER INSERT ON orders REFERENCING NEW TABLE AS n EXECUTE FUNCTION seen()',
    qr/transition table/);
refused('DROP EXTENSION pg_herd', qr/herd\.collect/);
refused('ALTER TABLE orders ALTER customer TYPE key', qr/distribution key/);

note 'What stays right';
works(
    'ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customer NOT VALID',
    'ALTER TABLE orders ADD COLUMN country text REFERENCES country',
    'ALTER TABLE plain ADD FOREIGN KEY (c) REFERENCES country',
    'CREATE UNIQUE INDEX ON orders (customer, total)',
    'ALTER TABLE orders ADD EXCLUDE USING btree (customer WITH =, id WITH =)',
    'CREATE INDEX CONCURRENTLY ON orders (total)',
    'ALTER TABLE orders ALTER total TYPE bigint USING total + 1',
    'ALTER TABLE orders RENAME COLUMN customer TO buyer',
    'ALTER TABLE orders RENAME TO purchases',
    'CREATE SCHEMA deep; ALTER TABLE purchases SET SCHEMA deep',
    'CREATE TRIGGER t BEFORE UPDATE ON deep.purchases FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'ALTER TABLE deep.purchases ENABLE ROW LEVEL SECURITY, ADD CHECK (total > 0)');
is $herd->sql(q{SELECT attname FROM herd.distributed_table JOIN pg_attribute ON attrelid = relation
                     AND attnum = key_attnum WHERE relation = 'deep.purchases'::regclass}), 'buyer',
  'a renamed table is distributed by its renamed key';
is $herd->sql_on('n1', 'SELECT count(*) FROM deep.purchases WHERE total % 10 <> 1'), 0,
  'ALTER TYPE converted the rows of a node';

note 'ADD COLUMN with defaults that servers would evaluate differently';
works(
    'ALTER TABLE country ADD COLUMN now timestamptz DEFAULT now() NOT NULL',
    'ALTER TABLE country ADD COLUMN clock timestamptz DEFAULT clock_timestamp()',
    'ALTER TABLE country ADD COLUMN uuid uuid DEFAULT gen_random_uuid()',
    'ALTER TABLE country ADD COLUMN serial serial',
    'ALTER TABLE country ADD COLUMN ident int GENERATED ALWAYS AS IDENTITY (START 100)',
    'ALTER TABLE country ADD COLUMN who text DEFAULT current_user',
    'ALTER TABLE country ADD COLUMN constant int DEFAULT 7',
    'CREATE DOMAIN moment AS timestamptz DEFAULT now(); ALTER TABLE country ADD COLUMN moment moment');
my @copies = rows_everywhere('SELECT md5(string_agg(c::text, E\'\n\' ORDER BY code)) FROM country c');
is $copies[$_], $copies[0], "the reference table's rows are equal on n$_" for 1, 2;
is $herd->sql('SELECT count(DISTINCT uuid) = 5 AND count(DISTINCT serial) = 5 AND count(DISTINCT now) = 1 FROM country'),
  't', 'and have the values that their defaults ask for';

works(
    'ALTER TABLE deep.purchases ADD COLUMN at timestamptz DEFAULT now() NOT NULL',
    'ALTER TABLE deep.purchases ADD COLUMN token uuid DEFAULT gen_random_uuid()');
is $herd->sql('SELECT count(*), count(DISTINCT at), count(DISTINCT token) FROM deep.purchases'), '30|1|30',
  'now() gave one value to all rows of a distributed table, gen_random_uuid() one to each';
refused('ALTER TABLE deep.purchases ADD COLUMN n serial', qr/different values.*in steps/s);
refused('ALTER TABLE deep.purchases ADD COLUMN n int DEFAULT 1, ADD COLUMN t timestamptz DEFAULT now()', qr/statement of its own/);
refused('ALTER TABLE deep.purchases ALTER note TYPE text USING now()::text', qr/USING/);
refused('ALTER TABLE nokey ADD COLUMN r float DEFAULT random()', qr/primary key/);

note 'A key of a domain';
works(
    'CREATE DOMAIN tenant AS int CHECK (VALUE > 0)',
    'CREATE TABLE tenants (id tenant PRIMARY KEY, v text)',
    q{SELECT herd.distribute('tenants', 'id', shard_count => 3)},
    'ALTER TABLE tenants ADD COLUMN w int DEFAULT 3');
refused('DROP DOMAIN tenant CASCADE', qr/distribution key of public\.tenants/);
works('DROP TABLE tenants', 'DROP DOMAIN tenant');

note 'Partitions of a distributed table';
works(
    'CREATE TABLE event (tenant int, at date, what text, PRIMARY KEY (tenant, at)) PARTITION BY RANGE (at)',
    q{CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')},
    q{SELECT herd.distribute('event', 'tenant', shard_count => 6)},
    q{CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')},
    q{CREATE TABLE event_3 (what text, at date NOT NULL, tenant int NOT NULL); ALTER TABLE event ATTACH PARTITION event_3 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')},
    'CREATE INDEX ON event (what)');
refused('CREATE UNIQUE INDEX ON event_3 (at)', qr/distribution key/);
refused('ALTER TABLE event DETACH PARTITION event_1 CONCURRENTLY', qr/without CONCURRENTLY/);
refused(q{ALTER TABLE event ATTACH PARTITION full_one FOR VALUES FROM ('2030-01-01') TO ('2031-01-01')},
    qr/Attach it empty/);
works('ALTER TABLE event DETACH PARTITION event_3');
is $herd->sql(q{SELECT attname, group_id = (SELECT group_id FROM herd.distributed_table
               WHERE relation = 'event'::regclass) FROM herd.distributed_table
               JOIN pg_attribute ON attrelid = relation AND attnum = key_attnum
               WHERE relation = 'event_3'::regclass}), 'tenant|t',
  'a detached partition stays distributed, with its root';
works(q{ALTER TABLE event ATTACH PARTITION event_3 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')});
is $herd->sql(q{SELECT count(*) FROM herd.distributed_table WHERE relation = 'event_3'::regclass}), 0,
  'and follows its root again';

note 'TRUNCATE, LOCK, maintenance';
$herd->sql('CREATE TABLE truncations (n int); CREATE TABLE withseq (id serial PRIMARY KEY, x int)');
$herd->sql(q{CREATE FUNCTION note_truncate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
             $$ BEGIN INSERT INTO truncations VALUES (1); RETURN NULL; END $$});
$herd->sql('CREATE TRIGGER noted AFTER TRUNCATE ON country EXECUTE FUNCTION note_truncate()');
works(
    'VACUUM deep.purchases', 'VACUUM (ANALYZE) country, plain', 'ANALYZE event', 'ANALYZE',
    'VACUUM FULL deep.purchases', 'BEGIN; ANALYZE deep.purchases (buyer); COMMIT',
    'REINDEX TABLE deep.purchases', 'REINDEX TABLE CONCURRENTLY country', 'REINDEX INDEX country_pkey',
    'CLUSTER deep.purchases USING orders_pkey', 'BEGIN; LOCK TABLE deep.purchases IN SHARE MODE; COMMIT',
    'BEGIN; SET CONSTRAINTS ALL DEFERRED; COMMIT');
is $herd->sql_on('n1', q{SELECT reltuples > 0 FROM pg_class WHERE oid = 'deep.purchases'::regclass}), 't',
  'ANALYZE has run on the node';
$herd->sql('BEGIN; TRUNCATE deep.purchases; ROLLBACK');
isnt $herd->sql_on('n1', 'SELECT count(*) FROM deep.purchases'), 0, 'TRUNCATE rolls back on nodes';
$herd->sql('CREATE TEMP TABLE tmp (a int); TRUNCATE deep.purchases, tmp, truncations RESTART IDENTITY');
is join(',', rows_everywhere('SELECT count(*) FROM deep.purchases')), '0,0,0', 'TRUNCATE empties every node';
$herd->sql('TRUNCATE country CASCADE');
is join(',', rows_everywhere('SELECT count(*) FROM country')), '0,0,0', 'TRUNCATE of a reference table too';
is join(',', rows_everywhere('SELECT count(*) FROM truncations')), '1,0,0', 'its trigger fires once, on the coordinator';

note 'Expressions that users write into definitions can not change the role on a node';
$herd->sql($_) for ('CREATE ROLE crook', 'GRANT CREATE ON SCHEMA public TO crook',
    'SET ROLE crook; CREATE TABLE trap (id int, v text)',
    q{SELECT herd.distribute('trap', 'id', shard_count => 3)},
    q{INSERT INTO trap SELECT g FROM generate_series(1, 30) g WHERE herd.node_of('trap', g::text) <> 'coordinator'});
my $far = $herd->sql(q{SELECT min(id) FROM trap});
for my $attempt (
    q{ALTER TABLE trap ADD CHECK (herd.link_state('postgres') IS NOT NULL)},
    q{ALTER TABLE trap ADD CHECK (herd.link_state('postgres') IS NOT NULL) NOT VALID; UPDATE trap SET v = 'x'},
    "INSERT INTO trap VALUES ($far, 'x')")
{
    is(($herd->try("SET ROLE crook; $attempt"))[1], 'HR008', 'refused: ' . substr $attempt, 0, 70);
}
works('DROP TABLE trap', 'DROP OWNED BY crook', 'DROP ROLE crook');

note 'Drops';
my $group = $herd->sql(q{SELECT group_id FROM herd.distributed_table WHERE relation = 'customer'::regclass});
works('DROP TABLE deep.purchases');
is join(',', rows_everywhere("SELECT count(*) FROM herd.shard WHERE group_id = $group")), '6,6,6',
  'a group outlives one of its tables';
works('DROP TABLE customer CASCADE');
is join(',', rows_everywhere("SELECT count(*) FROM herd.shard WHERE group_id = $group")), '0,0,0',
  'and leaves with the last, on every node';
works('CREATE SCHEMA doomed', 'ALTER TABLE event SET SCHEMA doomed', 'DROP SCHEMA doomed CASCADE');
is join(',', rows_everywhere('SELECT count(*) FROM herd.table_group')), '0,0,0', 'DROP SCHEMA CASCADE too';
works('BEGIN; DROP TABLE country CASCADE; ROLLBACK');
is $herd->sql(q{SELECT kind FROM herd.distributed_table WHERE relation = 'country'::regclass}), 'r', 'a drop that is rolled back is forgotten';
works('DROP TABLE nokey', 'CREATE ROLE leaving', 'ALTER TABLE country OWNER TO leaving', 'DROP OWNED BY leaving CASCADE', 'DROP ROLE leaving');
is join(',', rows_everywhere('SELECT count(*) FROM herd.distributed_table')), '0,0,0', 'DROP OWNED too';

done_testing;
