# COPY out of tables of a herd, against the same COPY on a plain server.
use strict;
use warnings;
use Herd;
use PostgreSQL::Test::Utils;
use Test::More;

my $herd = Herd->new(nodes => 2, plain => 1);
my $plain = $herd->plain;
my $dir = PostgreSQL::Test::Utils::tempdir;
my $files = 0;

sub everywhere
{
    my ($sql) = @_;
    $herd->sql($sql);
    $plain->safe_psql($herd->dbname, $sql);
    return;
}

sub outcome
{
    my ($server, $sql) = @_;
    my ($out, $err) = ('', '');
    my @command = ('psql', '-XAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose',
        '-d', $server->connstr($herd->dbname), '-c', $sql);
    IPC::Run::run \@command, '>', \$out, '2>', \$err;
    my ($state, $message) = $err =~ /ERROR:  (\w{5}): (.*)/;
    return { out => $out, state => $state || '00000', message => $message || '', text => $err };
}

# Nodes answer in any order.
sub lines_of { return join "\n", sort split /\n/, $_[0]; }

# One COPY TO STDOUT on both sides; then the same into a file, with its tag.
sub copies_out
{
    my ($name, $sql, %arg) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $got = outcome($herd->coordinator, $sql);
    my $expected = outcome($plain, $sql);
    subtest $name => sub {
        is lines_of($got->{out}), lines_of($expected->{out}), 'rows';
        is $got->{state}, $expected->{state}, 'SQLSTATE' or diag $got->{text};
        is $got->{message}, $expected->{message}, 'message';
        is $got->{state}, $arg{state}, "SQLSTATE is $arg{state}" if $arg{state};
        return if $arg{state} || $sql =~ /SET ROLE/;
        my $file = "$dir/out" . ++$files;
        (my $to_file = $sql) =~ s/TO STDOUT/TO '$file'/;
        my ($tag) = outcome($herd->coordinator, $to_file)->{out} =~ /(COPY \d+)/;
        my ($plain_tag) = outcome($plain, $to_file)->{out} =~ /(COPY \d+)/;
        is $tag, $plain_tag, 'tag';
    };
    return;
}

my $rows = q{SELECT i, 'v' || i, CASE WHEN i % 7 > 0 THEN E'a "quoted"\tvalue, ' || i END FROM generate_series(1, 300) i};
everywhere('CREATE TABLE t (id bigint PRIMARY KEY, a text, b text, g bigint GENERATED ALWAYS AS (id * 2) STORED)');
$herd->sql("SELECT herd.distribute('t', 'id')");
my $data = "$dir/data";
$plain->safe_psql($herd->dbname, "COPY ($rows) TO '$data'");
everywhere("COPY t (id, a, b) FROM '$data'");

copies_out('text', 'COPY t TO STDOUT');
copies_out('some columns', 'COPY t (b, id) TO STDOUT');
copies_out('CSV', 'COPY t TO STDOUT (FORMAT csv)');
copies_out('CSV with options', q{COPY t (id, a, b) TO STDOUT (FORMAT csv, HEADER, DELIMITER ';', NULL '-', QUOTE '$', ESCAPE '!')});
copies_out('FORCE_QUOTE', 'COPY t (id, a, b) TO STDOUT (FORMAT csv, FORCE_QUOTE (a))');
copies_out('FORCE_QUOTE of all', 'COPY t TO STDOUT (FORMAT csv, FORCE_QUOTE *)');
copies_out('FORCE_QUOTE of a column that is not there', 'COPY t (id) TO STDOUT (FORMAT csv, FORCE_QUOTE (a))', state => '42P10');
copies_out('FORCE_QUOTE of an unknown column', 'COPY t (id) TO STDOUT (FORMAT csv, FORCE_QUOTE (zzz))', state => '42703');
copies_out('an encoding', q{COPY t TO STDOUT (ENCODING 'LATIN1')});
copies_out('a generated column', 'COPY t (g) TO STDOUT', state => '42P10');
copies_out('an unknown column', 'COPY t (zzz) TO STDOUT', state => '42703');
copies_out('a column twice', 'COPY t (id, id) TO STDOUT', state => '42701');
copies_out('an unknown option', 'COPY t TO STDOUT (FORMAT nix)', state => '22023');
copies_out('a query', 'COPY (SELECT id, a FROM t WHERE id % 3 = 0) TO STDOUT');
copies_out('an ordered query', 'COPY (SELECT id FROM t ORDER BY id LIMIT 10) TO STDOUT (HEADER)');
copies_out('a query of one key', 'COPY (SELECT * FROM t WHERE id = 5) TO STDOUT (FORMAT csv)');
copies_out('one that writes', 'COPY (DELETE FROM t WHERE id = 7 RETURNING id, a) TO STDOUT');

# Binary: out of the herd and into a plain table.
my $binary = "$dir/binary";
$herd->sql("COPY t (id, a, b) TO '$binary' (FORMAT binary)");
$plain->safe_psql($herd->dbname, "CREATE TABLE t2 (LIKE t INCLUDING ALL); COPY t2 (id, a, b) FROM '$binary' (FORMAT binary)");
is $plain->safe_psql($herd->dbname, 'SELECT count(*) FROM (TABLE t EXCEPT TABLE t2) x'), 0, 'binary';
$herd->sql("TRUNCATE t; COPY t (id, a, b) FROM '$binary' (FORMAT binary)");
copies_out('what went out and came in again', 'COPY t (id, a) TO STDOUT');

everywhere('CREATE TABLE p (id bigint, at date) PARTITION BY RANGE (at)');
everywhere("CREATE TABLE p_a PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')");
everywhere('CREATE TABLE p_b PARTITION OF p DEFAULT');
$herd->sql("SELECT herd.distribute('p', 'id')");
$plain->safe_psql($herd->dbname, "COPY (SELECT i, date '2020-06-01' + i * 10 FROM generate_series(1, 90) i) TO '$data'");
everywhere("COPY p FROM '$data'");
copies_out('a partitioned table', 'COPY p TO STDOUT', state => '42809');
copies_out('a partition', 'COPY p_a TO STDOUT');
copies_out('a partitioned table by a query', 'COPY (SELECT * FROM p) TO STDOUT');

everywhere('CREATE TABLE f (id bigint PRIMARY KEY, v text)');
$herd->sql("SELECT herd.reference('f')");
$plain->safe_psql($herd->dbname, "COPY (SELECT i, 'x' || i FROM generate_series(1, 90) i) TO '$data'");
everywhere("COPY f FROM '$data'");
copies_out('a reference table', 'COPY f TO STDOUT');

everywhere('CREATE ROLE reader LOGIN');
everywhere('GRANT SELECT (id, a) ON t TO reader');
copies_out('columns that may be read', 'SET ROLE reader; COPY t (id, a) TO STDOUT');
copies_out('columns that may not', 'SET ROLE reader; COPY t TO STDOUT', state => '42501');
copies_out('a file that may not be written', "SET ROLE reader; COPY t (id) TO '$dir/none'", state => '42501');
everywhere('ALTER TABLE t ENABLE ROW LEVEL SECURITY');
everywhere('CREATE POLICY few ON t USING (id < 20)');
everywhere('GRANT SELECT ON t TO reader');
copies_out('row security', 'SET ROLE reader; COPY t TO STDOUT');
copies_out('row security for some columns', 'SET ROLE reader; COPY t (a, id) TO STDOUT');
copies_out('row security that is off', 'SET ROLE reader; SET row_security = off; COPY t TO STDOUT', state => '42501');

done_testing;
