# What a herd of many shards, tables or nodes costs a session: docs/performance.md explains the figures. Prints a table,
# and leaves scale.csv beside the servers' logs.
#
# HERD_SCALE_VARY: shards, tables or nodes only. HERD_SCALE_REPEAT: how many statements (5000).
use strict;
use warnings;
use Herd::Bench::Scale;
use Herd::Bench::ScaleReport;
use PostgreSQL::Test::Utils;
use Test::More;

my $scale = Herd::Bench::Scale->new(repeat => $ENV{HERD_SCALE_REPEAT} || 5000, sessions => 9);
my $vary  = $ENV{HERD_SCALE_VARY} || '.';
my @results;
for my $size (grep { $_->{vary} =~ /$vary/ } Herd::Bench::Scale::sizes())
{
    my $result = $scale->measure($size);
    push @results, $result;
    cmp_ok $result->{read_us}, '>', 0, "$size->{vary}: $size->{shards} shards, $size->{tables} tables, $size->{nodes} nodes";
    note join ', ', map { "$_ $result->{$_}" } sort keys %$result;
    unlink "$PostgreSQL::Test::Utils::log_path/scale.csv";
    append_to_file("$PostgreSQL::Test::Utils::log_path/scale.csv", Herd::Bench::ScaleReport::csv(@results));
}
note "scale:\n" . Herd::Bench::ScaleReport::markdown(@results);
done_testing;
