# Nodes come and go: add_node names what is missing, copies schema and reference tables; set_node,
# remove_node, add_local_node and herd.check do what they say.
use strict;
use warnings;
use Herd;
use PostgreSQL::Test::Utils;
use Test::More;

my $herd        = Herd->new(nodes => 3, join => 0);
my $coordinator = $herd->coordinator;
my ($n1, $n2, $n3) = $herd->nodes;
$herd->sql('CREATE EXTENSION pg_herd');

sub add
{
    my ($server, %arg) = @_;
    my $name   = defined $arg{name} ? $arg{name} : $server->name;
    my $dbname = $arg{dbname} || 'postgres';
    return sprintf "SELECT herd.add_node('%s', '%s', %d, dbname => '%s'%s)", $name, $server->host,
        $server->port, $dbname, $arg{more} || '';
}

# A refusal: its SQLSTATE, and a text that names the setting.
sub refused
{
    my ($sql, $state, $text, $name) = @_;
    is(($herd->try($sql))[1], $state, "$name: $state");
    like $herd->error_of($sql), $text, "$name: says so";
    is $herd->sql('SELECT count(*) FROM herd.nodes'), 1, "$name: nothing is half joined"
        if $state eq 'HR001';
    return;
}

sub with_setting
{
    my ($server, $setting, $value, $check) = @_;
    $server->append_conf('postgresql.conf', "$setting = $value");
    $server->restart;
    $check->();
    my $conf = $server->data_dir . '/postgresql.conf';
    my $text = slurp_file($conf);
    $text =~ s/\n\Q$setting = $value\E\n\z/\n/;
    open my $fh, '>', $conf or die $!;
    print $fh $text;
    close $fh;
    $server->restart;
    return;
}

# What a server lacks is named, each setting by its name.
for my $case ([ 'max_prepared_transactions', 0 ], [ 'wal_level', 'replica' ],
    [ 'shared_preload_libraries', "''" ])
{
    my ($setting, $value) = @$case;
    with_setting(
        $n1, $setting, $value,
        sub {
            refused(add($n1), 'HR001', qr/$setting/, "node with $setting = $value");
            like $herd->error_of(add($n1)), qr/HINT:.*\S/s, "node with $setting = $value: a hint";
        }
    );
}
$n1->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
refused(add($n1, dbname => 'latin'), 'HR001', qr/encoding/i, 'database of another encoding');
$n1->safe_psql('postgres',
    "CREATE DATABASE posix ENCODING 'UTF8' LOCALE 'POSIX' TEMPLATE template0");
refused(add($n1, dbname => 'posix'), 'HR001', qr/collat/i,
    'database of another collation');
isnt(($herd->try(add($n1, dbname => 'no_such_database')))[1], '00000',
    'database that is not there');
isnt(($herd->try(add($coordinator)))[1], '00000', 'the coordinator cannot be its own node');
$n3->stop;
is(($herd->try(add($n3)))[1], '08001', 'server that is not there');
$n3->start;

# Tables, types, functions and reference rows are there before the node is.
$herd->sql(<<'SQL');
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TABLE app.countries (code text PRIMARY KEY, name text);
INSERT INTO app.countries SELECT 'c' || i, 'country ' || i FROM generate_series(1, 500) i;
CREATE TABLE app.people (id bigint PRIMARY KEY, country text REFERENCES app.countries, m app.mood);
CREATE TABLE app.mine (id int);
CREATE FUNCTION app.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE VIEW app.good AS SELECT * FROM app.people WHERE m = 'good';
CREATE ROLE app_user;
GRANT USAGE ON SCHEMA app TO app_user;
GRANT SELECT ON app.people TO app_user;
INSERT INTO app.mine VALUES (1);
SELECT herd.reference('app.countries');
SELECT herd.distribute('app.people', 'id');
INSERT INTO app.people SELECT i, 'c1', 'good' FROM generate_series(1, 100) i;
SQL
is $herd->sql(add($n1)), 2, 'the first node has the id 2';
is $herd->sql_on('n1', 'SELECT count(*) FROM app.countries'), 500, 'reference rows are copied';
is $herd->sql_on('n1', 'SELECT count(*) FROM app.people'), 0,
    'distributed rows stay where they are';
is $herd->sql_on('n1', 'SELECT count(*) FROM app.mine'), 0,
    'a local table is there without its rows';
is $herd->sql_on('n1', 'SELECT app.twice(4)'), 8, 'functions are there';
is $herd->sql_on('n1', "SELECT has_table_privilege('app_user', 'app.people', 'SELECT')"), 't',
    'roles and rights are there';
is $herd->sql('SELECT count(*) FROM app.people'), 100, 'all rows are seen';

is(($herd->try(add($n2, name => 'n1')))[1], '42710', 'a name is used once');
isnt(($herd->try(add($n1, name => 'again')))[1], '00000', 'a server is one node only');
isnt(($herd->try(add($n2, name => '')))[1],      '00000', 'a node has a name');
$herd->sql(add($n2, more => ', weight => 3'));
is $herd->sql("SELECT string_agg(name || ':' || weight, ',' ORDER BY node_id) FROM herd.nodes"),
    'coordinator:1,n1:1,n2:3', 'weights are shown';
isnt(
    ($herd->try("SELECT herd.add_node('p', 'localhost', 5432, options => 'password=secret')"))[1],
    '00000', 'a password is refused'
);

# Weights and takes_shards decide about an empty table.
sub spread
{
    my ($table) = @_;
    return $herd->sql(
        qq{
        SELECT string_agg(node || ':' || n, ',' ORDER BY node) FROM (
            SELECT s.node, count(*) AS n FROM herd.shards s
            JOIN herd.tables t USING (group_id) WHERE t.table_name = '$table'::regclass GROUP BY 1) x}
    );
}
$herd->sql(
    "CREATE TABLE weighted (id int PRIMARY KEY); SELECT herd.distribute('weighted', 'id', shard_count => 10)"
);
is spread('weighted'), 'coordinator:2,n1:2,n2:6', 'shards follow the weights';
$herd->sql("SELECT herd.set_node('coordinator', takes_shards => false)");
$herd->sql("SELECT herd.set_node('n2', weight => 1)");
$herd->sql(
    "CREATE TABLE away (id int PRIMARY KEY); SELECT herd.distribute('away', 'id', shard_count => 10)"
);
is spread('away'), 'n1:5,n2:5', 'a node that takes no shards gets none';
is(($herd->try("SELECT herd.set_node('nobody', weight => 2)"))[1], '42704',
    'set_node: unknown node');
is(($herd->try("SELECT herd.set_node('n1', weight => 0)"))[1], '22023', 'set_node: weight 0');

# The views.
is $herd->sql("SELECT name FROM herd.nodes WHERE is_coordinator"), 'coordinator', 'herd.nodes';
is $herd->sql("SELECT count(*) FROM herd.servers WHERE node = 'n1' AND role = 'primary' AND port = "
        . $n1->port), 1, 'herd.servers';

# A removed node is gone; one that holds rows stays.
$herd->sql('INSERT INTO away SELECT generate_series(1, 200)');
is(($herd->try("SELECT herd.remove_node('n1')"))[1], '55000', 'a node with rows is not removed');
isnt(($herd->try("SELECT herd.remove_node('coordinator')"))[1], '00000', 'nor the coordinator');
is(($herd->try("SELECT herd.remove_node('nobody')"))[1], '42704', 'nor a node that is not there');
$herd->sql(add($n3, more => ', takes_shards => false'));
$herd->sql(
    "CREATE TABLE later (id int PRIMARY KEY); SELECT herd.distribute('later', 'id', shard_count => 10)"
);
unlike spread('later'), qr/n3/, 'takes_shards => false at add_node';
is $herd->sql_on('n3', 'SELECT count(*) FROM app.countries'), 500,
    'a later node has the reference rows';
$herd->sql("INSERT INTO app.countries VALUES ('zz', 'new')");
is $herd->sql_on('n3', "SELECT count(*) FROM app.countries WHERE code = 'zz'"), 1,
    'and gets new ones';
$herd->sql("SELECT herd.remove_node('n3')");
is $herd->sql("SELECT count(*) FROM herd.nodes WHERE name = 'n3'"), 0,
    'a node without shards is removed';
$herd->sql("INSERT INTO app.countries VALUES ('yy', 'newer')");
is $herd->sql("SELECT count(*) FROM app.countries"), 502, 'and the herd goes on without it';

# Only who may.
$herd->sql('CREATE ROLE nobody_special LOGIN');
is(($herd->try("SET ROLE nobody_special; SELECT herd.remove_node('n1')"))[1], '42501',
    'a right is needed');
is(($herd->try("SET ROLE nobody_special; SELECT count(*) FROM herd.nodes"))[1], '00000',
    'reading is free');

# herd.check
is $herd->sql("SELECT count(*) FROM herd.check() WHERE status = 'error'"), 0,
    'a healthy herd has no error'
    or diag $herd->sql("SELECT * FROM herd.check() WHERE status <> 'ok'");
cmp_ok $herd->sql("SELECT count(*) FROM herd.check() WHERE status = 'ok'"), '>', 3,
    'and says what is well';
$herd->sql_on('n1', 'ALTER TABLE app.people ADD COLUMN drifted int');
like $herd->sql(
    "SELECT status || ' ' || node || ' ' || detail FROM herd.check() WHERE status <> 'ok'"),
    qr/n1.*people/s, 'schema drift is found and named';
$herd->sql_on('n1', 'ALTER TABLE app.people DROP COLUMN drifted');
$n2->stop('immediate');
like $herd->sql(
    "SELECT status || ' ' || node FROM herd.check() WHERE node = 'n2' AND status = 'error'"),
    qr/error n2/, 'a node that is down is an error';
$n2->start;
is $herd->sql("SELECT count(*) FROM herd.check() WHERE status = 'error'"), 0,
    'and none when it is back';

# add_local_node makes a server.
my $data = $coordinator->basedir . '/local1';
$herd->sql("SELECT herd.set_node('coordinator', takes_shards => true)");
my $id = $herd->sql("SELECT herd.add_local_node('local1', data_directory => '$data')");
like $id, qr/^\d+$/, 'add_local_node answers the id';
ok -f "$data/postmaster.pid", 'its server runs';
$herd->sql(
    "CREATE TABLE spread (id int PRIMARY KEY); SELECT herd.distribute('spread', 'id', shard_count => 12)"
);
like spread('spread'), qr/local1/, 'it gets shards';
$herd->sql('INSERT INTO spread SELECT generate_series(1, 200)');
is $herd->sql('SELECT count(*), sum(id) FROM spread'), '200|20100', 'and rows';
is $herd->sql("SELECT count(*) FROM herd.check() WHERE status = 'error'"), 0,
    'and the check is content';
is(($herd->try("SELECT herd.add_local_node('local1')"))[1], '42710', 'a name is used once');
system_or_bail('pg_ctl', '-D', $data, '-m', 'immediate', 'stop');
done_testing;
