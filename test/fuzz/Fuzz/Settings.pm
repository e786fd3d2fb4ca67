# Settings that must not change any answer, but change how it is found.
package Fuzz::Settings;

use strict;
use warnings;

my %both = (
    map({ $_ => ['off'] } qw(enable_hashjoin enable_mergejoin enable_nestloop enable_hashagg enable_sort
            enable_material enable_memoize enable_indexscan enable_seqscan enable_bitmapscan enable_incremental_sort)),
    datestyle => [ 'German', 'SQL, DMY' ], timezone => [ 'Asia/Tokyo', 'America/New_York' ], bytea_output => ['escape'],
    intervalstyle => ['iso_8601'], extra_float_digits => [0], work_mem => [ '64kB', '256MB' ], join_collapse_limit => [1], from_collapse_limit => [1], geqo_threshold => [2],
    enable_partitionwise_join => ['on'], enable_partitionwise_aggregate => ['on'], force_parallel_mode => ['on'],
    parallel_setup_cost => [0], parallel_tuple_cost => [0], min_parallel_table_scan_size => [0], cursor_tuple_fraction => ['1'], plan_cache_mode => [ 'force_generic_plan' ]
);

# Of the herd alone: other plans for the same statement.
my %herd = (
    'herd.broadcast'  => [ 'always', 'never' ],
    'herd.batch_rows' => [ 1, 2 ],
    'herd.ownership_filter' => ['always'],
    map({ ("herd.enable_$_" => ['off']) } qw(route fragment_joins partial_aggregates binary))
);

# SET statements for some of them.
sub some
{
    my ($random) = @_;
    my @made = map { { sql => "SET $_ = '" . $random->pick(@{ $both{$_} }) . "'" } } $random->some(1 + $random->below(3), sort keys %both);
    push @made, map { { sql => "SET $_ = '" . $random->pick(@{ $herd{$_} }) . "'", herd => 1 } } $random->some($random->below(3), sort keys %herd);
    return @made;
}

1;
