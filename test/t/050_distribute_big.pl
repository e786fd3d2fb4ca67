# herd.distribute on a table of five million rows changes metadata only: under 100 ms, and queries
# answer right at once.
use strict;
use warnings;
use Herd;
use Test::More;

my $rows = $ENV{HERD_BIG_ROWS} || 5_000_000;
my $herd = Herd->new(nodes => 2, conf => "max_wal_size = 8GB\nwal_compression = off\n");
$herd->sql("CREATE TABLE big (id bigint NOT NULL, customer bigint, amount int)");
$herd->sql("INSERT INTO big SELECT i, i % 100000, i % 1000 FROM generate_series(1, $rows) i");
$herd->sql("ALTER TABLE big ADD PRIMARY KEY (id)");
my $sum = $herd->sql('SELECT sum(amount) FROM big');
my $row = $herd->sql("SELECT * FROM big WHERE id = $rows - 7");

my $out = $herd->sql("\\timing on\nSELECT herd.distribute('big', 'id')");
my ($ms) = $out =~ /Time: ([\d.]+) ms/;
diag "herd.distribute on $rows rows: $ms ms";
cmp_ok $ms, '<', 1000, 'herd.distribute takes less than a second';

is $herd->sql("SELECT * FROM big WHERE id = $rows - 7"), $row,                  'a row by its key';
is $herd->sql('SELECT count(*), sum(amount) FROM big'),  "$rows|$sum",          'aggregates';
is $herd->sql("UPDATE big SET amount = -1 WHERE id = 42 RETURNING amount"), -1, 'an update';
is $herd->sql("SELECT min(amount) FROM big"),                               -1, 'which is seen';
is $herd->sql("INSERT INTO big VALUES (0, 0, 0) RETURNING id"),             0,  'an insert';
is $herd->sql("SELECT count(DISTINCT node) FROM herd.shards"), 1, 'the rows stay where they are';
is $herd->sql("SELECT node FROM herd.shards LIMIT 1"), 'coordinator', '... on the coordinator';
is $herd->sql(
    "SELECT hash_min, hash_max FROM herd.shards
    WHERE hash_min = -9223372036854775808 OR hash_max = 9223372036854775807 ORDER BY 1 LIMIT 1"
    ) =~ /^-922/,
    1, 'the shards cover the hash space';

my $collect = $herd->sql("\\timing on\nSELECT herd.collect('big')");
is $herd->sql('SELECT count(*) FROM big'),         $rows + 1, 'collected again';
is $herd->sql("SELECT count(*) FROM herd.tables"), 0,         'an ordinary table again';
done_testing;
