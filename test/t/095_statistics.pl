# ANALYZE tells a coordinator without rows what the nodes hold, so that plans over them are good.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2);
$herd->sql("SELECT herd.set_node((SELECT name FROM herd.nodes WHERE is_coordinator), takes_shards => false)");
$herd->sql(<<'SQL');
CREATE TABLE t (id bigint PRIMARY KEY, few int, part text NOT NULL, at timestamptz, tags text[]);
SELECT herd.distribute('t', 'id');
INSERT INTO t SELECT i, i % 10, CASE WHEN i % 100 = 0 THEN 'rare' ELSE 'often' END,
    timestamptz '2024-01-01' + i * interval '1 hour', ARRAY[i::text] FROM generate_series(1, 8000) i;
SQL
is $herd->sql('SELECT count(*) FROM ONLY t'), 8000, 'rows are there';

# The number of rows that the plan's scan of the nodes expects.
sub estimate
{
    my ($condition) = @_;
    my ($rows) = $herd->sql("EXPLAIN SELECT id FROM t WHERE $condition") =~ /HerdRemote.*rows=(\d+)/;
    return $rows;
}

$herd->sql('CREATE ROLE keeper; GRANT CREATE, USAGE ON SCHEMA public TO keeper; ALTER TABLE t OWNER TO keeper');
for my $sql ('SET ROLE keeper; ANALYZE t', 'VACUUM ANALYZE', 'BEGIN; ANALYZE t; COMMIT')
{
    $herd->sql($sql);
    is $herd->sql("SELECT reltuples FROM pg_class WHERE relname = 't'"), 8000, "$sql: all rows count";
    my $columns = "SELECT string_agg(attname, ',' ORDER BY attname) FROM pg_stats WHERE tablename = 't'";
    is $herd->sql($columns), 'at,few,id,part,tags', "$sql: every column has statistics";
    cmp_ok abs(estimate('true') - 8000),                     '<=', 1,   "$sql: all rows";
    cmp_ok abs(estimate('few = 3') - 800),                   '<',  200, "$sql: a common value";
    cmp_ok abs(estimate("part = 'rare'") - 80),              '<',  60,  "$sql: a rare value";
    cmp_ok abs(estimate("at < '2024-02-01'") - 743),         '<',  200, "$sql: a range";
}
is $herd->sql("SELECT n_distinct FROM pg_stats WHERE tablename = 't' AND attname = 'id'"), -1,
    'the key is unique';
done_testing;
