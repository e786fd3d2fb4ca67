# Joining is all or nothing, what a node gets and does not get from the coordinator, and tables on their
# way to the nodes and back. No statement here needs the router: rows go to the nodes by COPY, and are
# counted on each node.
use strict;
use warnings;
use Herd;
use IO::Socket::IP;
use PostgreSQL::Test::Utils;
use Test::More;

my $herd        = Herd->new(nodes => 3, join => 0);
my $coordinator = $herd->coordinator;
my ($n1, $n2, $n3) = $herd->nodes;
$herd->sql('CREATE EXTENSION pg_herd');

sub add
{
    my ($server, $more) = @_;
    return sprintf "SELECT herd.add_node('%s', '%s', %d, dbname => 'postgres'%s)", $server->name,
        $server->host, $server->port, $more || '';
}

# What of the herd and its schema is in a server's database.
sub traces
{
    my ($server) = @_;
    return $herd->sql_on(
        $server->name,
        q{SELECT (SELECT count(*) FROM pg_namespace WHERE nspname IN ('herd', 'app')),
                 (SELECT count(*) FROM pg_roles WHERE rolname = 'app_user'),
                 (SELECT count(*) FROM pg_prepared_xacts)}
    );
}

$herd->sql(<<'SQL');
CREATE SCHEMA app;
CREATE ROLE app_user LOGIN PASSWORD 'secret';
CREATE ROLE app_group;
GRANT app_group TO app_user WITH ADMIN OPTION;
ALTER ROLE app_user SET search_path = app, "Odd, Name";
ALTER DATABASE postgres SET app.tenant = 'it''s me';
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO app_group;
CREATE EXTENSION btree_gist;
CREATE TABLE app."Odd table" ("Key col" int PRIMARY KEY, v text, up text GENERATED ALWAYS AS (upper(v)) STORED);
INSERT INTO app."Odd table" VALUES
    (1, E'tab\tnew\nline\\ back\rslash'), (2, NULL), (3, ''), (4, '\N'), (5, E'\u00fc\u4e2d'), (6, '\.');
CREATE TABLE app.local_rows (id int);
INSERT INTO app.local_rows VALUES (1);
CREATE FUNCTION app.note_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'ddl'; END $$;
CREATE EVENT TRIGGER note_ddl ON ddl_command_end EXECUTE FUNCTION app.note_ddl();
CREATE FUNCTION app.only_here() RETURNS event_trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NOT EXISTS (SELECT FROM app.local_rows) THEN RAISE EXCEPTION 'fired on a node'; END IF; END $$;
CREATE EVENT TRIGGER only_here ON ddl_command_start EXECUTE FUNCTION app.only_here();
ALTER EVENT TRIGGER only_here ENABLE ALWAYS;
CREATE FOREIGN DATA WRAPPER wrapper;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper;
CREATE USER MAPPING FOR app_user SERVER elsewhere OPTIONS (password 'secret');
CREATE PUBLICATION pub FOR TABLE app.local_rows;
CREATE FUNCTION app.counted() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'triggers must not fire again'; END $$;
CREATE TABLE app.parent (id int PRIMARY KEY);
CREATE TABLE app.child (parent int REFERENCES app.parent, n int, PRIMARY KEY (parent, n));
SELECT herd.reference('app."Odd table"');
SQL
$herd->sql('CREATE TRIGGER t BEFORE INSERT ON app."Odd table" FOR EACH ROW EXECUTE FUNCTION app.counted()');

# All or nothing.
is $herd->sql('BEGIN; ' . add($n1) . '; ROLLBACK'), 2, 'a node is added';
is traces($n1), '0|0|0', 'the rollback leaves nothing on the node';
is $herd->sql('SELECT count(*) FROM herd.nodes'), 1, 'nor on the coordinator';
for my $place ('join.after_identity', 'join.before_end', 'commit.before_prepare',
    'commit.after_prepare')
{
    $herd->sql("SELECT herd.failpoint_set('$place', 'error')");
    isnt(($herd->try(add($n1)))[1], '00000', "an error at $place ends add_node");
    $herd->sql("SELECT herd.failpoint_clear('$place')");
    Herd::poll_until(sub { traces($n1) eq '0|0|0' }, "the node to be clean after $place");
    is traces($n1), '0|0|0', "an error at $place leaves nothing on the node";
}
is(($herd->try('CREATE TABLE app.x (id int); ' . add($n1)))[1],
    '00000', 'several statements in one string are several transactions for psql');
is(($herd->try('BEGIN; CREATE TABLE app.y (id int); ' . add($n1)))[1],
    '25001', 'add_node after a write in the same transaction');
is(($herd->try('BEGIN ISOLATION LEVEL REPEATABLE READ; ' . add($n2)))[1],
    '0A000', 'add_node under a snapshot of the whole transaction');

# What a node gets.
is traces($n1), '2|1|0', 'schemas and roles are there';
is $herd->sql_on('n1', q{SELECT count(*), count(v), string_agg(up, ',' ORDER BY "Key col") = (
        SELECT string_agg(upper(x), ',' ORDER BY o) FROM unnest(ARRAY[
        E'tab\tnew\nline\\\\ back\rslash', '', '\N', E'\u00fc\u4e2d', '\.']) WITH ORDINALITY AS u(x, o))
        FROM app."Odd table"}), '6|5|t', 'reference rows arrive byte for byte, without triggers';
is $herd->sql_on('n1', 'SELECT count(*) FROM app.local_rows'), 0, 'local tables come without rows';
is $herd->sql_on('n1', 'SELECT count(*), min(evtenabled), max(evtenabled) FROM pg_event_trigger'), '2|D|D',
    'event triggers are disabled, before they can fire';
is $herd->sql_on('n1', 'SELECT count(*) FROM pg_user_mapping'), 0, 'passwords of foreign servers stay';
is $herd->sql_on('n1', 'SELECT count(*) FROM pg_publication'), 0, 'publications stay';
is $herd->sql_on('n1', "SELECT array_to_string(setconfig, ';') FROM pg_db_role_setting
    JOIN pg_roles r ON r.oid = setrole"), 'search_path=app, "Odd, Name"', 'settings of roles';
is $herd->sql_on('n1', 'SHOW app.tenant'), q{it's me}, 'settings of the database';
is $herd->sql_on('n1', "SELECT rolpassword LIKE 'SCRAM%' FROM pg_authid WHERE rolname = 'app_user'"),
    't', 'passwords as verifiers';
is $herd->sql_on('n1', "SELECT admin_option FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
    WHERE rolname = 'app_user'"), 't', 'memberships';
is $herd->sql_on('n1', "SELECT count(*) FROM pg_extension WHERE extname = 'btree_gist'"), 1,
    'extensions';
is $herd->sql_on('n1', 'SELECT count(*) FROM herd.server'), 0, 'no addresses of other servers';
unlike $n1->safe_psql('postgres', 'SELECT pg_read_file(pg_current_logfile())', on_error_stop => 0) || '',
    qr/join_herd\('/, 'the secret is not in its log';
$herd->sql(add($n2));
$herd->sql(add($n3, ', takes_shards => false'));

# Spread, filled by COPY, and back.
$herd->sql("SELECT herd.distribute('app.parent', 'id', shard_count => 9)");
my $where = q{SELECT string_agg(node || ':' || n, ',' ORDER BY node) FROM
    (SELECT node, count(*) AS n FROM herd.shards GROUP BY node) s};
is $herd->sql($where), 'coordinator:3,n1:3,n2:3', 'shards are spread';
is $herd->sql("SELECT array_agg(table_name ORDER BY table_name) FROM herd.tables WHERE kind = 'distributed'"),
    '{app.parent,app.child}', 'a referencing table follows';
$herd->sql("COPY app.parent FROM PROGRAM 'seq 1 300';
    COPY app.child FROM PROGRAM 'seq 1 300 | sed s/\$/,1/' WITH (FORMAT csv)");
my $here = 'SELECT count(*) FROM ONLY app.parent';
my %held = map { $_ => $herd->sql_on($_, 'SELECT count(*) FROM app.child') } qw(n1 n2 n3);
cmp_ok $held{n1}, '>', 50, 'n1 holds rows';
cmp_ok $held{n2}, '>', 50, 'n2 holds rows';
is $held{n3}, 0, 'n3, which takes no shards, holds none';
is(($herd->try("SELECT herd.remove_node('n1')"))[1], '55000', 'a node that holds rows is not removed');
like $herd->error_of("SELECT herd.remove_node('n1')"), qr/app\.parent/, 'and the tables are named';
is(($herd->try("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT herd.collect('app.parent')"))[1],
    '0A000', 'collect under a snapshot of the whole transaction');
$herd->sql("BEGIN; SELECT herd.collect('app.child'); ROLLBACK");
is $herd->sql_on('n1', 'SELECT count(*) FROM app.child'), $held{n1}, 'a rollback undoes collect';
$herd->sql("SELECT herd.collect('app.child')");
is $herd->sql('SELECT count(*), sum(parent) FROM app.child'), '300|45150', 'all rows are home';
is $herd->sql('SELECT count(*), sum(id) FROM app.parent'), '300|45150',
    'those of the table it is tied to as well';
is $herd->sql_on($_, 'SELECT (SELECT count(*) FROM app.child) + (SELECT count(*) FROM app.parent)'), 0,
    "and none is left on $_"
    for qw(n1 n2);
is $herd->sql('SELECT count(*) FROM herd.table_group'), 0, 'the group is gone';
$herd->sql("SELECT herd.distribute('app.parent', 'id')");
is $herd->sql("SELECT DISTINCT node FROM herd.shards"), 'coordinator', 'rows stay where they are';
$herd->sql("SELECT herd.distribute('app.child', 'parent', colocate_with => 'app.parent')");
pass 'naming a table that has followed already is no error';

# A plan made while the table was local does not survive in another session.
$herd->sql('CREATE TABLE planned (id int PRIMARY KEY)');
my $session = $herd->session;
$session->query_safe('SET plan_cache_mode = force_generic_plan');
$session->query_safe('PREPARE p AS SELECT id FROM planned; EXECUTE p');
$herd->sql("SELECT herd.distribute('planned', 'id', shard_count => 3)");
$herd->sql("COPY planned FROM PROGRAM 'seq 1 60'");
is scalar(split /\n/, $session->query_safe('EXECUTE p')), 60, 'a cached plan is made again';
$session->quit;
# The report, and what it finds.
my $findings = q{SELECT string_agg(concat_ws(' ', check_name, node, status), ';' ORDER BY check_name, node)
    FROM herd.check() WHERE status <> 'ok'};
is $herd->sql($findings), '', 'the herd is healthy';
$n1->safe_psql('postgres', 'UPDATE herd.shard SET node_id = 1');
is $herd->sql($findings), 'metadata n1 error', 'a damaged copy of the catalogue is found';
$herd->sql("SELECT herd.set_node('coordinator')");
is $herd->sql($findings), '', 'and repaired as the hint says';
$n2->safe_psql('postgres',
    q{UPDATE herd.cluster SET cluster_id = '00000000-0000-0000-0000-000000000001'});
like $herd->sql($findings), qr/membership n2 error/, 'a node of another herd is found';
is(($herd->try("SELECT herd.set_node('n1', weight => 2)"))[1], 'HR008',
    'and not written to: its token is not valid there');
$n2->safe_psql('postgres', 'UPDATE herd.cluster SET cluster_id = ' . "'"
    . $herd->sql('SELECT cluster_id FROM herd.cluster') . "'");
is $herd->sql($findings), '', 'and it is well again';

# A node that is down delays nothing for long.
$n3->stop('immediate');
my $start = time;
is $herd->sql('SELECT count(*) FROM herd.tables WHERE size IS NULL AND rows_estimate IS NULL'), 3,
    'sizes are unknown while a node is down';
is $herd->sql('SELECT count(*) FROM herd.shards WHERE size IS NULL'), 0,
    'those of the shards on other nodes are known';
like $herd->sql($findings), qr/reachable n3 error/, 'the report names the node';
cmp_ok time - $start, '<', 20, 'and nothing hangs';
$herd->sql("SELECT herd.remove_node('n3')");
is $herd->sql("SELECT count(*) FROM herd.nodes WHERE name = 'n3'"), 0,
    'a node that is gone for good can be removed';
is $herd->sql($findings), '', 'and the herd is healthy without it';
$n3->start;

# Removed nodes are ordinary databases; shards of empty tables go to others.
$herd->sql("CREATE TABLE empty (id int PRIMARY KEY); SELECT herd.distribute('empty', 'id', shard_count => 9);
    SELECT herd.collect('planned'); SELECT herd.remove_node('n2')");
is $herd->sql("SELECT sum(shards) FROM herd.tables WHERE table_name = 'empty'::regclass"), 9,
    'no shard is lost';
unlike $herd->sql($where), qr/n2/, 'and none is on the removed node';
is $herd->sql_on('n2', "SELECT count(*) FROM pg_extension WHERE extname = 'pg_herd'"), 0,
    'the removed node is an ordinary database';
is $herd->sql_on('n2', 'SELECT count(*) FROM app."Odd table"'), 6, 'with its copies of reference tables';

# A server of our own.
my $data = $coordinator->basedir . '/own';
$herd->sql("SELECT herd.add_local_node('own', data_directory => '$data')");
is $herd->sql("SELECT data_directory FROM herd.servers WHERE node = 'own'"), $data, 'a local node';
$herd->sql("SELECT herd.stop_local_node('own')");
like $herd->sql($findings), qr/reachable own error/, 'stopped';
$herd->sql("SELECT herd.start_local_node('own')");
is $herd->sql($findings), '', 'started again';
is(($herd->try("SELECT herd.stop_local_node('n1')"))[1], '55000', 'not one that others made');
is(($herd->try("SELECT herd.add_local_node('two', data_directory => '$data')"))[1], '22023',
    'a directory that is in use');
is(($herd->try("SELECT herd.add_local_node('../two')"))[1], '22023', 'a name that is a path');
my $own_port = $herd->sql("SELECT port FROM herd.servers WHERE node = 'own'");
is(($herd->try("SELECT herd.add_local_node('two', port => $own_port)"))[1], '22023',
    'a port that is in use');

# A port that somebody takes after it was chosen: the next one is.
my $late = $coordinator->basedir . '/late';
$herd->sql("SELECT herd.failpoint_set('local_node.before_start', 'pause')");
my $job = $herd->start_script("SELECT herd.add_local_node('late', data_directory => '$late')");
ok $herd->poll_sql($coordinator, 'SELECT herd.failpoint_paused()', 'local_node.before_start'),
    'a port is chosen';
my ($chosen) = reverse slurp_file("$late/postgresql.conf") =~ /^port = '(\d+)'/mg;
my @listeners =
    map { IO::Socket::IP->new(Listen => 1, LocalAddr => $_, LocalPort => $chosen) } '127.0.0.1', '::1';
$herd->sql("SELECT herd.failpoint_clear('local_node.before_start')");
is(($herd->finish_script($job))[1], '00000', 'a local node starts although its port was taken');
cmp_ok $herd->sql("SELECT port FROM herd.servers WHERE node = 'late'"), '>', $chosen,
    'with the next one';
$_ && $_->close for @listeners;
$herd->sql("SELECT herd.stop_local_node('late'); SELECT herd.remove_node('late')");

# Where the path is too long for a socket, the socket is beside the coordinator's and those of others.
my $deep = $coordinator->basedir . '/deep' . 'er' x 40;
$herd->sql("SELECT herd.add_local_node('deep', data_directory => '$deep')");
like $herd->sql("SELECT host, port FROM herd.servers WHERE node = 'deep'"),
    qr/^\Q@{[ $coordinator->host ]}\E\|\d+$/, 'a socket beside those of other servers';
$herd->sql("SELECT herd.stop_local_node('deep'); SELECT herd.remove_node('deep')");

my $broken = $coordinator->basedir . '/broken';
$herd->sql("SELECT herd.failpoint_set('join.before_end', 'error')");
isnt(($herd->try("SELECT herd.add_local_node('broken', data_directory => '$broken')"))[1], '00000',
    'a local node that fails late');
$herd->sql("SELECT herd.failpoint_clear('join.before_end')");
ok !-e $broken, 'leaves no server and no directory behind';
is $herd->sql("SELECT count(*) FROM herd.nodes WHERE name = 'broken'"), 0, 'and no node';
is(($herd->try("SET statement_timeout = '300ms'; SELECT herd.add_local_node('broken', data_directory => '$broken')"))[1],
    '57014', 'a canceled add_local_node');
ok !-e $broken, 'cleans up after itself';
$herd->sql("SELECT herd.stop_local_node('own')");
done_testing;
