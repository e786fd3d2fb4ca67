# TPC-H (test/tpch) on a herd and on the plain server beside it.
package Herd::Tpch;

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use PostgreSQL::Test::Utils;

my $dir    = dirname(abs_path(__FILE__)) . '/../../tpch';
my @tables = qw(region nation supplier part partsupp customer orders lineitem);

# The 22 queries, in order.
sub queries
{
    my @parts = split /^-- query: \d+\n/m, slurp_file("$dir/queries.sql");
    return @parts[ 1 .. $#parts ];
}

# Makes the tables on both sides and fills them with the same rows.
sub load
{
    my ($herd, $scale) = @_;
    my ($coordinator, $plain) = ($herd->coordinator, $herd->plain);
    my $dbname   = $herd->dbname;
    my $generate = $coordinator->basedir . '/generate';
    system_or_bail($ENV{CXX} || 'c++', '-std=c++17', '-O2', '-o', $generate, "$dir/generate.cpp");
    $_->safe_psql($dbname, slurp_file("$dir/schema.sql")) for $coordinator, $plain;
    $coordinator->safe_psql($dbname, slurp_file("$dir/distribute.sql"));
    for my $table (@tables)
    {
        my $rows = $coordinator->basedir . "/$table.copy";
        system_or_bail('sh', '-c', "'$generate' $scale $table > '$rows'");
        $_->safe_psql($dbname, "\\copy $table FROM '$rows'") for $coordinator, $plain;
        unlink $rows;
    }
    $_->safe_psql($dbname, 'VACUUM ANALYZE') for $coordinator, $plain;
    return;
}

1;
