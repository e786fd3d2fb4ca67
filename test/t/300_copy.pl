# COPY into and out of tables of a herd, against the same COPY on a plain server: same rows, same
# tags, same SQLSTATE, same message and same line number in errors.
use strict;
use warnings;
use Herd;
use PostgreSQL::Test::Utils;
use Test::More;

my $herd = Herd->new(nodes => 2, plain => 1);
my $plain = $herd->plain;
my $dir = PostgreSQL::Test::Utils::tempdir;
my ($cases, $files) = (0, 0);

sub everywhere
{
    my ($sql) = @_;
    $herd->sql($sql);
    $plain->safe_psql($herd->dbname, $sql);
    return;
}

sub file_with
{
    my ($data) = @_;
    my $name = "$dir/data" . ++$files;
    open my $out, '>:raw', $name or die "$name: $!";
    print $out $data;
    close $out;
    return $name;
}

# Tag, SQLSTATE, message and line of a script. SQL that the server reads from a file stands as FILE.
sub outcome
{
    my ($server, $sql, $stdin) = @_;
    my ($out, $err) = ('', '');
    my @command = ('psql', '-XAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose',
        '-d', $server->connstr($herd->dbname), '-c', $sql);
    my $in = defined $stdin ? $stdin : '';
    IPC::Run::run \@command, '<', \$in, '>', \$out, '2>', \$err;
    my ($state, $message) = $err =~ /ERROR:  (\w{5}): (.*)/;
    my ($line) = $err =~ /COPY \w+, line (\d+)/;
    return {
        tag => join(' ', grep { /^COPY/ } split /\n/, $out),
        state => $state || ($err =~ /FATAL|server closed/ ? 'lost' : '00000'),
        message => $message || '', line => $line || 0, text => $err,
    };
}

sub rows_of
{
    my ($table, $columns) = @_;
    my $rows = "SELECT r FROM (SELECT to_json(($columns)::text)::text AS r FROM $table) x ORDER BY r COLLATE \"C\"";
    return ($herd->sql($rows), $plain->safe_psql($herd->dbname, $rows));
}

# One COPY FROM on both sides. The table starts empty.
sub copies
{
    my ($name, $table, $sql, $data, %arg) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $cases++;
    everywhere("TRUNCATE $table") unless $arg{keep};
    my $file = file_with(defined $data ? $data : '');
    $sql =~ s/FILE/'$file'/;
    $sql = "$arg{before}; $sql" if $arg{before};
    my $stdin = $sql =~ /STDIN/ ? $data : undef;
    my $got = outcome($herd->coordinator, $sql, $stdin);
    my $expected = outcome($plain, $sql, $stdin);
    my $columns = $arg{columns} || $table;
    my ($rows, $expected_rows) = rows_of($table, $columns);
    subtest $name => sub {
        is $got->{tag}, $expected->{tag}, 'tag';
        is $got->{state}, $expected->{state}, 'SQLSTATE' or diag $got->{text};
        is $got->{message}, $expected->{message}, 'message' unless $arg{other_message};
        is $got->{line}, $expected->{line}, 'line' unless $arg{other_line};
        is $rows, $expected_rows, 'rows';
        unlike $got->{text}, qr/WARNING/, 'no warning';
        is $got->{state}, $arg{state}, "SQLSTATE is $arg{state}" if $arg{state};
        is $got->{line}, $arg{line}, "line is $arg{line}" if $arg{line};
    };
    return;
}

everywhere('CREATE TABLE t (id bigint PRIMARY KEY, a text, b integer)');
everywhere('CREATE TABLE s (k text, v text)');
everywhere('CREATE TABLE r (v text, n integer NOT NULL, id bigint)');
$herd->sql("SELECT herd.distribute('t', 'id')");
$herd->sql("SELECT herd.distribute('s', 'k')");
$herd->sql("SELECT herd.distribute('r', 'id')");

sub numbered
{
    my ($n, $format) = @_;
    return join '', map { (my $line = $format) =~ s/#/$_/g; "$line\n" } 1 .. $n;
}

# --- text ---
my $ten = numbered(10, "#\tname #\t#");
copies('text from a file', 't', 'COPY t FROM FILE', $ten);
copies('text from the client', 't', 'COPY t FROM STDIN', $ten);
copies('nothing', 't', 'COPY t FROM FILE', '');
copies('no newline at the end', 't', 'COPY t FROM FILE', "1\ta\t1\n2\tb\t2");
copies('carriage return and newline', 't', 'COPY t FROM FILE', "1\ta\t1\r\n2\tb\t2\r\n3\tc\t3\r\n");
copies('carriage returns', 't', 'COPY t FROM FILE', "1\ta\t1\r2\tb\t2\r3\tc\t3\r");
copies('mixed newlines', 't', 'COPY t FROM FILE', "1\ta\t1\n2\tb\t2\r\n", state => '22P04');
copies('newline after carriage returns', 't', 'COPY t FROM FILE', "1\ta\t1\r2\tb\t2\n3\tc\t3\r");
copies('carriage return alone among pairs', 't', 'COPY t FROM FILE', "1\ta\t1\r\n2\tb\t2\r3\tc\t3\r\n");
copies('columns in another order', 't', 'COPY t (b, id, a) FROM FILE', "1\t10\tx\n2\t20\ty\n");
copies('some columns', 't', 'COPY t (id) FROM FILE', "1\n2\n3\n4\n5\n");
copies('NULLs', 't', 'COPY t FROM FILE', "1\t\\N\t\\N\n2\tx\t\\N\n3\t\\N\t7\n");
copies('a NULL text', 't', q{COPY t FROM FILE (NULL 'nix')}, "1\tnix\tnix\n2\t\\nix\tnix\n");
copies('an empty NULL text', 't', q{COPY t FROM FILE (NULL '')}, "1\t\t\n2\t\t4\n");
copies('a delimiter', 't', q{COPY t FROM FILE (DELIMITER '|')}, "1|a\tb|1\n2|c\\|d|2\n3|e|\\N\n");
copies('escapes', 't', 'COPY t FROM FILE', "1\ta\\tb\\nc\\\\d\t1\n2\t\\x41\\101\\b\\f\\v\\r\t2\n3\t\\q\\N\t3\n");
copies('escapes in the key', 's', 'COPY s FROM FILE',
    "a\\tb\tx\n\\x41\\102\ty\n\\\\.\tz\nq\\q\tw\n\\N\tnull\nback\\\\slash\t1\ntrail\\n\t2\n");
copies('a newline behind a backslash', 's', 'COPY s FROM FILE', "a\\\nb\tx\nc\ty\\\nz\n");
copies('a number with spaces and signs as key', 't', 'COPY t FROM FILE',
    " 1\ta\t1\n+2\tb\t2\n3 \tc\t3\n-4\td\t4\n0005\te\t5\n");
copies('NULL as key', 's', 'COPY s FROM FILE', "\\N\ta\n\\N\tb\nx\t\\N\n");
copies('NULL as primary key', 't', 'COPY t FROM FILE', "1\ta\t1\n\\N\tb\t2\n", state => '23502', line => 2);
copies('a header', 't', 'COPY t FROM FILE (HEADER)', "any\tthing\n$ten");
copies('HEADER MATCH', 't', 'COPY t FROM FILE (HEADER MATCH)', "id\ta\tb\n$ten");
copies('HEADER MATCH that does not', 't', 'COPY t FROM FILE (HEADER MATCH)', "id\tb\ta\n$ten",
    state => '22P04', line => 1);
copies('HEADER MATCH with too few', 't', 'COPY t FROM FILE (HEADER MATCH)', "id\ta\n$ten");
copies('HEADER MATCH of nothing', 't', 'COPY t FROM FILE (HEADER MATCH)', '');
copies('the marker', 't', 'COPY t FROM FILE', "1\ta\t1\n\\.\nrubbish\n");
copies('the marker behind data', 't', 'COPY t FROM FILE', "1\ta\t1\n2\tb\t2\\.\nrubbish\n");
copies('a damaged marker', 't', 'COPY t FROM FILE', "1\ta\t1\n\\.x\n", state => '22P04');
copies('the marker at the very end', 't', 'COPY t FROM FILE', "1\ta\t1\n\\.");
copies('the marker with the wrong newline', 't', 'COPY t FROM FILE', "1\ta\t1\r\n\\.\n");
copies('the marker of the client', 't', 'COPY t FROM STDIN', "1\ta\t1\n2\tb\t2\n\\.\n");
copies('a long line', 's', 'COPY s FROM FILE', "k\t" . ('x' x 300_000) . "\nl\ty\n");
copies('a long key', 's', 'COPY s FROM FILE', join '', map { ($_ x 100_000) . "\tv\n" } 'a' .. 'h');
copies('a backslash at the end', 's', 'COPY s FROM FILE', "a\tb\nc\td\\");
copies('empty keys and lines', 's', 'COPY s (k) FROM FILE', "a\n\nb\n\n");

# --- errors of the data ---
copies('too few fields', 't', 'COPY t FROM FILE', numbered(50, "#\tx\t#") . "51\tx\n52\ty\t1\n",
    state => '22P04', line => 51);
copies('too few for the key', 'r', 'COPY r FROM FILE', "a\t1\t1\nb\t2\n", state => '22P04', line => 2);
copies('too many fields', 't', 'COPY t FROM FILE', numbered(30, "#\tx\t#") . "31\tx\t1\t2\n",
    state => '22P04', line => 31);
copies('a bad value', 't', 'COPY t FROM FILE', numbered(40, "#\tx\t#") . "41\tx\tone\n" . "42\tx\t1\n",
    state => '22P02', line => 41);
copies('a bad value before a bad key', 'r', 'COPY r FROM FILE', "a\tone\ttwo\n", state => '22P02');
copies('a bad key', 't', 'COPY t FROM FILE', numbered(40, "#\tx\t#") . "forty\tx\t1\n",
    state => '22P02', line => 41);
copies('a bad key and too many fields', 't', 'COPY t FROM FILE', "forty\tx\t1\t2\n", state => '22P04');
copies('a key out of range', 't', 'COPY t FROM FILE', "99999999999999999999\tx\t1\n", state => '22003');
copies('a violation of NOT NULL', 'r', 'COPY r FROM FILE', numbered(40, "v\t#\t#") . "v\t\\N\t41\n",
    state => '23502', line => 41);
copies('twice the same key', 't', 'COPY t FROM FILE', numbered(60, "#\tx\t#") . "7\tx\t1\n",
    state => '23505', line => 61);
copies('two bad lines', 't', 'COPY t FROM FILE',
    join('', map { "$_\tx\t" . ($_ == 20 || $_ == 23 || $_ == 29 ? 'bad' : $_) . "\n" } 1 .. 40),
    state => '22P02', line => 20);
copies('an error in the last line of many', 't', 'COPY t FROM FILE',
    numbered(200_000, "#\tname\t#") . "200001\tx\toops\n", state => '22P02', line => 200_001);
copies('an error in the first line of many', 't', 'COPY t FROM FILE',
    "0\tx\toops\n" . numbered(200_000, "#\tname\t#"), state => '22P02', line => 1);
copies('an error from the client', 't', 'COPY t FROM STDIN', "1\ta\t1\n2\tb\tzwei\n3\tc\t3\n",
    state => '22P02', line => 2);

# --- CSV ---
copies('CSV', 't', 'COPY t FROM FILE (FORMAT csv)', numbered(20, '#,name #,#'));
copies('CSV with quotes', 't', 'COPY t FROM FILE (FORMAT csv)',
    qq{1,"a ""b"" c",1\n"2","x,y",2\n3,"",3\n4,,4\n5,a"b,c"d,5\n});
copies('CSV with newlines in quotes', 't', 'COPY t FROM FILE (FORMAT csv)',
    qq{1,"a\nb\n\nc",1\n2,"x\r\ny",2\n3,z,3\n});
copies('CSV with newlines in a quoted key', 's', 'COPY s FROM FILE (FORMAT csv)',
    qq{"a\nb",1\n"c""d",2\n"e,f",3\n"",4\n,5\n" g ",6\nh"i"j,7\n});
copies('CSV with carriage returns and newlines', 't', 'COPY t FROM FILE (FORMAT csv)',
    qq{1,"a\r\nb",1\r\n2,x,2\r\n});
copies('CSV with carriage returns', 't', 'COPY t FROM FILE (FORMAT csv)', qq{1,"a\rb",1\r2,x,2\r});
copies('CSV with a bare carriage return', 't', 'COPY t FROM FILE (FORMAT csv)', "1,a,1\n2,x\ry,2\n",
    state => '22P04');
copies('CSV with an open quote', 't', 'COPY t FROM FILE (FORMAT csv)', qq{1,a,1\n2,"x,2\n3,b,3\n},
    state => '22P04');
copies('CSV lines of an error', 't', 'COPY t FROM FILE (FORMAT csv)',
    join('', map { qq{$_,"two\nlines",$_\n} } 1 .. 30) . qq{31,"a\nb",x\n}, state => '22P02', line => 61);
copies('CSV lines of an error with CRLF', 't', 'COPY t FROM FILE (FORMAT csv)',
    join('', map { qq{$_,"two\r\nlines",$_\r\n} } 1 .. 30) . qq{31,"a\r\nb",x\r\n}, state => '22P02');
copies('CSV options', 't', q{COPY t FROM FILE (FORMAT csv, DELIMITER ';', QUOTE '$', ESCAPE '\\', NULL '-')},
    qq{1;\$a\\\$b;c\\\\\$;1\n2;-;-\n3;\$-\$;4\n});
copies('CSV with an escape at the end of a quote', 's', q{COPY s FROM FILE (FORMAT csv, ESCAPE '\\')},
    qq{"a\\\\","b"\n"c\\"d","e\\f"\n\\g,h\n});
copies('CSV with a backslash as quote', 's', q{COPY s FROM FILE (FORMAT csv, QUOTE '\\')},
    qq{\\a,b\\,c\n\\d\ne\\,f\n});
copies('CSV FORCE_NULL and FORCE_NOT_NULL', 's',
    'COPY s FROM FILE (FORMAT csv, FORCE_NULL (k), FORCE_NOT_NULL (v))', qq{"",\n,""\n"a","b"\nc,\n});
copies('CSV FORCE_NOT_NULL of the key', 's', q{COPY s FROM FILE (FORMAT csv, NULL 'nil', FORCE_NOT_NULL (k))},
    qq{nil,nil\n"nil","nil"\na,b\n});
copies('CSV with a marker', 's', 'COPY s FROM FILE (FORMAT csv)', "a,b\n\\.x,c\nd,\\.\n\\.\nrubbish\n");
copies('CSV with a marker at the very end', 's', 'COPY s (k) FROM FILE (FORMAT csv)', "a\n\\.");
copies('CSV with a quoted header', 't', 'COPY t FROM FILE (FORMAT csv, HEADER)',
    qq{"i\nd",a,b\n1,x,1\n2,y,oops\n}, state => '22P02');
copies('CSV HEADER MATCH', 't', 'COPY t (b, id) FROM FILE (FORMAT csv, HEADER MATCH)', qq{"b",id\n1,2\n});
copies('CSV too few', 't', 'COPY t FROM FILE (FORMAT csv)', "1,a,1\n2,b\n", state => '22P04', line => 2);
copies('CSV long quoted field over buffers', 's', 'COPY s FROM FILE (FORMAT csv)',
    join '', map { qq{"$_","} . ("line $_\n" x 20_000) . qq{"\n} } 1 .. 5);
copies('CSV empty lines', 's', 'COPY s (k) FROM FILE (FORMAT csv)', "a\n\n\"\"\nb\n");

# --- encodings ---
copies('LATIN1', 's', q{COPY s FROM FILE (ENCODING 'LATIN1')}, "caf\xe9\tna\xefve\n\xfc\t\xdf\n");
copies('LATIN1 from the client', 's', 'COPY s FROM STDIN', "caf\xe9\tna\xefve\n",
    before => "SET client_encoding = 'LATIN1'");
copies('SJIS, where bytes of a character look like backslashes', 's',
    q{COPY s FROM FILE (ENCODING 'SJIS')}, "\x95\x5c\tx\x83\x5c\ny\t\x95\x5c\n");
copies('bytes that are not UTF8', 's', 'COPY s FROM FILE', "a\tb\n" x 40 . "c\t\xff\xfe\nd\te\n",
    state => '22021', line => 41);
copies('a zero byte', 's', 'COPY s FROM FILE', "a\tb\nc\0d\te\n", state => '22021');
copies('half a character at the end', 's', 'COPY s FROM FILE', "a\tb\nc\t\xc3");
copies('what LATIN1 can not be turned into', 's', q{COPY s FROM FILE (ENCODING 'WIN1252')},
    "a\tb\nc\t\x81\n");
copies('escapes that make no character', 's', 'COPY s FROM FILE', "a\tb\n\\xff\tc\n", state => '22021');
copies('an unknown encoding', 's', q{COPY s FROM FILE (ENCODING 'klingon')}, "a\tb\n", state => '22023');

# --- WHERE ---
copies('WHERE', 't', 'COPY t FROM FILE WHERE id % 3 = 0 AND b < 20', numbered(40, "#\tname #\t#"));
copies('WHERE on text', 't', q{COPY t FROM FILE WHERE a LIKE '%1' AND a COLLATE "C" > 'name'},
    numbered(40, "#\tname #\t#"));
copies('WHERE with now()', 't', 'COPY t FROM FILE WHERE now() > timestamptz \'2001-01-01\' AND b > 3', $ten);
copies('WHERE with a generated column', 't', 'COPY t FROM FILE WHERE nope = 1', $ten, state => '42703');
copies('WHERE that is no condition', 't', 'COPY t FROM FILE WHERE id', $ten, state => '42804');
copies('WHERE of a whole row', 't', 'COPY t FROM FILE WHERE t IS NOT NULL', "1\t\\N\t1\n2\ta\t2\n");
# What nodes can't evaluate is evaluated here.
everywhere('CREATE SEQUENCE seen');
everywhere(q{CREATE FUNCTION chosen(n bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS
    $$BEGIN IF n = 33 THEN RAISE EXCEPTION 'not 33'; END IF; RETURN n % 3 = 0; END$$});
my $forty = numbered(32, "#\tname #\t#");
copies('WHERE with a volatile function', 't', q{COPY t FROM FILE WHERE nextval('seen') % 3 = 0}, $forty);
copies('WHERE with a user\'s function', 't', 'COPY t FROM FILE WHERE chosen(id) AND b > 5', $forty);
copies('WHERE with a user\'s function in CSV', 's', 'COPY s FROM FILE (FORMAT csv, HEADER) WHERE chosen(length(v))',
    qq{k,v\n"a\nb",xxx\nb,"y\ny"\nc,"z\n\n"\nd,});
copies('WHERE with a function that fails', 't', 'COPY t FROM FILE WHERE chosen(id)', numbered(40, "#\tname #\t#"), line => 33);
copies('WHERE with a user\'s function and bad data', 't', 'COPY t FROM FILE WHERE chosen(id)', "$forty\\N\tx\tbad\n", line => 33);
copies('WHERE with a user\'s function and too few fields', 't', 'COPY t FROM FILE WHERE chosen(id)', "${forty}34\tx\n", line => 33);
copies('WHERE with the table itself', 't', 'COPY t FROM FILE WHERE tableoid = \'t\'::regclass AND b < 9', $forty);

# --- binary ---
my $binary = "$dir/binary";
$plain->safe_psql($herd->dbname,
    "COPY (SELECT i::bigint, 'name ' || i, CASE WHEN i % 5 > 0 THEN i END FROM generate_series(1, 500) i) TO '$binary' (FORMAT binary)");
my $bytes = slurp_file($binary);
my $header = substr $bytes, 0, 19;

sub tuple
{
    return join '', pack('n', scalar @_),
      map { defined $_ ? pack('N/a*', $_) : pack('N', 0xFFFFFFFF) } @_;
}

copies('binary', 't', 'COPY t FROM FILE (FORMAT binary)', $bytes);
copies('binary from the client', 't', 'COPY t FROM STDIN (FORMAT binary)', $bytes);
copies('binary without a trailer', 't', 'COPY t FROM FILE (FORMAT binary)', substr $bytes, 0, -2);
copies('binary with data behind the trailer', 't', 'COPY t FROM FILE (FORMAT binary)', $bytes . 'x', state => '22P04');
copies('binary that ends early', 't', 'COPY t FROM FILE (FORMAT binary)', substr($bytes, 0, 3000), state => '22P04');
copies('binary with a bad signature', 't', 'COPY t FROM FILE (FORMAT binary)', "PGCOPX\n\xff\r\n\0" . substr($bytes, 11));
copies('binary with only a header', 't', 'COPY t FROM FILE (FORMAT binary)', $header);
copies('binary with nothing', 't', 'COPY t FROM FILE (FORMAT binary)', '', state => '22P04');
copies('binary with a header extension', 't', 'COPY t FROM FILE (FORMAT binary)',
    substr($bytes, 0, 15) . pack('N', 4) . 'abcd' . substr($bytes, 19));
copies('binary with a wrong count', 't', 'COPY t FROM FILE (FORMAT binary)',
    $header . tuple(pack('q>', 1), 'a', pack('N', 1)) . tuple('x'), state => '22P04', line => 2);
copies('binary with a bad length', 't', 'COPY t FROM FILE (FORMAT binary)',
    $header . tuple(pack('q>', 1), 'a', pack('N', 1)) . pack('n', 3) . pack('N', 0xFFFFFFF0));
copies('binary with a short key', 't', 'COPY t FROM FILE (FORMAT binary)',
    $header . tuple('ab', 'a', pack('N', 1)), line => 1);
copies('binary with a bad value', 't', 'COPY t FROM FILE (FORMAT binary)',
    $header . join('', map { tuple(pack('q>', $_), 'a', pack('N', $_)) } 1 .. 20) . tuple(pack('q>', 21), 'a', 'abc'),
    line => 21);
copies('binary with NULLs', 's', 'COPY s FROM FILE (FORMAT binary)',
    $header . tuple(undef, 'a') . tuple('b', undef) . tuple('', '') . "\xff\xff");
copies('binary from a LATIN1 client', 's', 'COPY s FROM STDIN (FORMAT binary)',
    $header . join('', map { tuple("caf\xe9$_", "\xfc") } 1 .. 9) . "\xff\xff",
    before => "SET client_encoding = 'LATIN1'");

# --- options that PostgreSQL refuses ---
copies("refused: $_->[0]", 't', "COPY t FROM FILE ($_->[0])", $ten, state => $_->[1])
  for ['FORMAT nix', '22023'], ["DELIMITER 'ab'", '0A000'], ["QUOTE 'x'", '0A000'],
  ['FORMAT binary, HEADER', '0A000'], ['FORCE_NULL (a)', '0A000'], ["NULL E'\\n'", '22023'],
  ['FORMAT csv, FORCE_NULL (zzz)', '42703'], ['HEADER maybe', '42601'], ['FREEZE', '55000'];
copies('an unknown column', 't', 'COPY t (id, zzz) FROM FILE', $ten, state => '42703');
copies('a column twice', 't', 'COPY t (id, id) FROM FILE', $ten, state => '42701');
copies('a file that is not there', 't', "COPY t FROM '/nowhere/at/all'", '', state => '58P01');
copies('a directory', 't', "COPY t FROM '$dir'", '', state => '42809');
copies('a program', 't', q{COPY t FROM PROGRAM 'seq 1 9 | sed "s/$/,a,1/"' CSV}, '');
copies('a program that fails', 't', q{COPY t FROM PROGRAM 'echo 1,a,1; exit 3' CSV}, '', state => '38000');
copies('a program cut short', 't', q{COPY t FROM PROGRAM 'echo 1,a,1; echo \\\\.; seq 1 100000' CSV}, '');

# --- defaults ---
everywhere(q{CREATE TABLE d (id integer, s serial, i integer GENERATED ALWAYS AS IDENTITY,
    w text DEFAULT 'a,"b"' || chr(9) || '\\' || current_database()::text, g integer GENERATED ALWAYS AS (id * 2) STORED,
    c integer DEFAULT 7, e date DEFAULT current_date, v text)});
$herd->sql("SELECT herd.distribute('d', 'id')");
my $restart = 'TRUNCATE d RESTART IDENTITY';
sub with_defaults
{
    my ($name, $sql, $data, %arg) = @_;
    everywhere($restart);
    copies($name, 'd', $sql, $data, keep => 1, %arg);
    return;
}
with_defaults('defaults in text', 'COPY d (id, v) FROM FILE', numbered(50, "#\tv"));
with_defaults('defaults in CSV', 'COPY d (v, id) FROM FILE CSV', numbered(50, 'v,#'));
with_defaults('defaults with a NULL text', q{COPY d (id, v) FROM FILE (NULL '1')}, numbered(50, "#\tv"));
with_defaults('defaults and HEADER MATCH', 'COPY d (id, v) FROM FILE (HEADER MATCH)', "id\tv\n" . numbered(9, "#\tv"));
with_defaults('defaults and too few fields', 'COPY d (id, v) FROM FILE', numbered(20, "#\tv") . "21\n", state => '22P04', line => 21);
with_defaults('defaults and too many', 'COPY d (id, v) FROM FILE', numbered(20, "#\tv") . "21\ta\tb\n", state => '22P04', line => 21);
with_defaults('defaults and WHERE', 'COPY d (id, v) FROM FILE WHERE s % 2 = 0', numbered(50, "#\tv"));
with_defaults('defaults and a WHERE with a user\'s function', 'COPY d (id, v) FROM FILE WHERE chosen(s)', numbered(20, "#\tv"));
with_defaults('identity given', 'COPY d (id, i, s) FROM FILE', "1\t100\t200\n2\t101\t201\n");
with_defaults('the key not given', 'COPY d (v) FROM FILE', "a\nb\nc\n");
with_defaults('a generated column given', 'COPY d (id, g) FROM FILE', "1\t2\n", state => '42P10');
with_defaults('a condition on a generated column', 'COPY d (id, v) FROM FILE WHERE g > 4', "1\ta\n", state => '42P10');
$plain->safe_psql($herd->dbname, "COPY (SELECT i, 'v' || i FROM generate_series(1, 50) i) TO '$binary' (FORMAT binary)");
with_defaults('defaults in binary', 'COPY d (id, v) FROM FILE (FORMAT binary)', slurp_file($binary));
with_defaults('defaults in binary and a WHERE', 'COPY d (id, v) FROM FILE (FORMAT binary) WHERE chosen(id) OR id > 33', slurp_file($binary), line => 33);
with_defaults('defaults and a damaged tuple', 'COPY d (id, v) FROM FILE (FORMAT binary)', substr(slurp_file($binary), 0, 60));
everywhere('CREATE TABLE k (v text, id bigserial, at timestamptz DEFAULT now(), u uuid DEFAULT gen_random_uuid())');
$herd->sql("SELECT herd.distribute('k', 'id')");
copies('a serial key that is not given', 'k', 'COPY k (v) FROM FILE', numbered(60, 'v#'), columns => 'v, id');

# --- triggers, constraints, partitions ---
everywhere(q{CREATE TABLE p (id bigint, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)});
everywhere("CREATE TABLE p_2020 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')");
everywhere('CREATE TABLE p_rest (v text, at date NOT NULL, id bigint NOT NULL)');
everywhere('ALTER TABLE p ATTACH PARTITION p_rest DEFAULT');
$herd->sql("SELECT herd.distribute('p', 'id')");
my $dated = join '', map { "$_\t" . (2019 + $_ % 3) . "-05-01\tv$_\n" } 1 .. 60;
copies('a partitioned table', 'p', 'COPY p FROM FILE', $dated);
is_deeply([ rows_of('p_2020', 'p_2020') ], [ reverse rows_of('p_2020', 'p_2020') ], 'its partition');
copies('a partition', 'p', 'COPY p_2020 FROM FILE', join('', map { "$_\t2020-05-01\tv$_\n" } 1 .. 60));
copies('a partition with columns in another order', 'p', 'COPY p_rest FROM FILE',
    join('', map { "v$_\t2022-05-01\t$_\n" } 1 .. 60));
copies('a row that is not of the partition', 'p', 'COPY p_2020 FROM FILE',
    join('', map { "$_\t2020-05-01\tv$_\n" } 1 .. 20) . "21\t2023-01-01\tx\n", state => '23514', line => 21);
everywhere(q{CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN IF new.v = 'skip' THEN RETURN NULL; END IF;
        IF new.v = 'fail' THEN RAISE EXCEPTION 'failed' USING ERRCODE = 'XX123'; END IF;
        new.v := new.v || '!'; RETURN new; END$$});
everywhere(q{CREATE TABLE g (id integer CHECK (id < 1000), v text,
    twice text GENERATED ALWAYS AS (v || v) STORED)});
everywhere('CREATE TRIGGER mark BEFORE INSERT ON g FOR EACH ROW EXECUTE FUNCTION mark()');
$herd->sql("SELECT herd.distribute('g', 'id')");
copies('a trigger', 'g', 'COPY g FROM FILE', numbered(60, "#\tv"));
copies('a trigger that skips rows', 'g', 'COPY g FROM FILE', numbered(30, "#\tv") . numbered(30, "#\tskip"));
copies('a trigger that fails', 'g', 'COPY g FROM FILE', numbered(30, "#\tv") . "31\tfail\n", line => 31);
copies('a CHECK constraint', 'g', 'COPY g FROM FILE', numbered(30, "#\tv") . "3100\tx\n", state => '23514', line => 31);
everywhere('CREATE TRIGGER mark BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION mark()');
copies('a trigger of a partitioned table', 'p', 'COPY p FROM FILE WHERE id <> 7',
    $dated . join '', map { "$_\t2020-06-01\tskip\n" } 61 .. 90);
copies('a trigger and a partition with columns in another order', 'p', 'COPY p_rest FROM FILE',
    join('', map { "v$_\t2022-05-01\t$_\n" } 1 .. 60));
copies('a trigger and a row that is not of the partition', 'p', 'COPY p_2020 FROM FILE',
    join('', map { "$_\t2020-05-01\tv$_\n" } 1 .. 20) . "21\t2023-01-01\tx\n", state => '0A000', line => 21);
copies('a trigger and a duplicate', 'p', 'COPY p FROM FILE', $dated . "60\t2019-05-01\tx\n",
    state => '23505', line => 61);

# --- reference tables ---
everywhere(q{CREATE TABLE f (id integer PRIMARY KEY, v text, s serial, u uuid DEFAULT gen_random_uuid(),
    at timestamptz DEFAULT clock_timestamp())});
$herd->sql("SELECT herd.reference('f')");
copies('a reference table', 'f', 'COPY f (id, v) FROM FILE', numbered(50, "#\tv"), columns => 'id, v, s');
$herd->same_everywhere('f');
copies('a reference table in CSV', 'f', 'COPY f (id, v) FROM FILE CSV HEADER', "id,v\n1,\"a\nb\"\n2,\n",
    columns => 'id, v');
$herd->same_everywhere('f');
copies('an error in a reference table', 'f', 'COPY f (id, v) FROM FILE', numbered(50, "#\tv") . "7\tx\n",
    state => '23505', line => 51);

# --- privileges, row security, transactions ---
everywhere('CREATE ROLE writer LOGIN');
everywhere('GRANT INSERT (id, a) ON t TO writer');
copies('columns that may be written', 't', 'COPY t (id, a) FROM STDIN', "1\ta\n2\tb\n", before => 'SET ROLE writer');
copies('columns that may not', 't', 'COPY t FROM STDIN', $ten, before => 'SET ROLE writer', state => '42501');
copies('a table that may not be written', 's', 'COPY s FROM STDIN', "a\tb\n", before => 'SET ROLE writer', state => '42501');
copies('a file for a user who may not read it', 't', 'COPY t (id, a) FROM FILE', "1\ta\n", before => 'SET ROLE writer', state => '42501');
everywhere('GRANT ALL ON s TO writer');
everywhere('ALTER TABLE s ENABLE ROW LEVEL SECURITY');
copies('row security', 's', 'COPY s FROM STDIN', "a\tb\n", before => 'SET ROLE writer', state => '0A000');
copies('row security for its owner', 's', 'COPY s FROM STDIN', "a\tb\n");
everywhere('ALTER TABLE s DISABLE ROW LEVEL SECURITY');
copies('a read-only transaction', 't', 'COPY t FROM STDIN', $ten, before => 'BEGIN READ ONLY', state => '25006');

copies('FREEZE of a table truncated in the same transaction', 't', 'COPY t FROM FILE (FREEZE); COMMIT', $ten,
    before => 'BEGIN; TRUNCATE t');
my $hidden = outcome($herd->coordinator, "CREATE TEMP TABLE t (v text); COPY t FROM '" . file_with("x\n") . "'");
is $hidden->{tag}, 'COPY 1', 'a temporary table hides the one of the herd';
is $hidden->{text}, '', 'without an error';

done_testing;
