# What does not fit into work_mem goes to temporary files, and these go with the statement: not with a warning at its transaction's
# end, and not with the session's.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
$herd->sql(<<'SQL');
CREATE TABLE wide (id int PRIMARY KEY, other int, body text);
CREATE TABLE more (id int PRIMARY KEY, other int, body text);
SELECT herd.distribute('wide', 'id');
SELECT herd.distribute('more', 'id');
INSERT INTO wide SELECT i, 20000 - i, repeat('x', 50) || i FROM generate_series(1, 20000) i;
INSERT INTO more SELECT i, 20000 - i, repeat('y', 50) || i FROM generate_series(1, 20000) i;
ANALYZE wide, more;
CREATE FUNCTION note(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN $1; END';
SQL

my %statements = (
    'two scans'              => 'SELECT count(*) FROM wide LEFT JOIN more ON more.other = wide.other AND note(more.body) <> wide.body',
    'one scan in another'    => "SELECT count(*) FROM wide w WHERE NOT EXISTS (SELECT FROM more m WHERE m.other = w.other AND note(m.body) = w.body)",
    'an early end'           => 'SELECT w.id > 0 FROM wide w JOIN more m ON m.other = w.other AND note(m.body) <> w.body LIMIT 1',
    'rows read again'        => 'SELECT count(*) FROM (SELECT body FROM wide ORDER BY body LIMIT 15000) w, generate_series(1, 2) g WHERE note(w.body) IS NOT NULL',
    'a cursor'               => 'BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM wide ORDER BY id; MOVE ALL IN c; MOVE BACKWARD 5 IN c; COMMIT',
    'a cursor left open'     => 'BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM wide ORDER BY id; MOVE 15000 IN c; COMMIT',
    'a cursor that stays'    => 'BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM wide ORDER BY id; COMMIT; MOVE ALL IN c; CLOSE c',
    'INSERT RETURNING'       => "BEGIN; SELECT count(*) FROM (SELECT 1) x; WITH i AS (INSERT INTO wide SELECT i, i, repeat('z', 60) FROM generate_series(30001, 50000) i RETURNING *) SELECT count(body) FROM i; ROLLBACK",
    'INSERT RETURNING alone' => "BEGIN; INSERT INTO wide SELECT i, i, repeat('z', 60) FROM generate_series(30001, 50000) i RETURNING body; COMMIT; DELETE FROM wide WHERE id > 30000",
    'rows from elsewhere'    => 'BEGIN; UPDATE wide SET body = note(m.body) FROM more m WHERE m.other = wide.id RETURNING wide.*; COMMIT',
    'moved rows'             => 'BEGIN; UPDATE wide SET id = id + 100000 RETURNING *; ROLLBACK',
    'MERGE'                  => 'BEGIN; MERGE INTO wide USING more ON more.other = wide.id WHEN MATCHED THEN UPDATE SET body = more.body; ROLLBACK',
    'ON CONFLICT'            => "BEGIN; INSERT INTO wide SELECT i, i, repeat('z', 60) FROM generate_series(1, 9000) i ON CONFLICT (id) DO UPDATE SET body = note(excluded.body) RETURNING *; ROLLBACK",
    'INSERT ... SELECT'      => "BEGIN; INSERT INTO wide SELECT id + 200000, other, body FROM more RETURNING *; ROLLBACK",
);
for my $name (sort keys %statements)
{
    my ($out, $err) = ('', '');
    $herd->coordinator->psql($herd->dbname, "SET work_mem = '64kB'; $statements{$name};", stdout => \$out, stderr => \$err);
    is $err, '', $name;
    isnt $out, '', "$name: has an answer" unless $name =~ /cursor|MERGE/;
}
for my $server ($herd->servers)
{
    is_deeply [ glob $server->data_dir . '/base/pgsql_tmp/*' ], [], 'no temporary file is left on ' . $server->name;
    unlike PostgreSQL::Test::Utils::slurp_file($server->logfile), qr/leak/, 'nor a word of one in the log of ' . $server->name;
}
$herd->check_invariants;
done_testing;
