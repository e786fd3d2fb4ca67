# The 22 queries of TPC-H get the same answers from a herd, whose coordinator holds a third of the
# rows and two nodes the rest, and from one plain PostgreSQL.
#
# HERD_TPCH_SCALE: the scale factor (default 0.005). HERD_TPCH names the queries to run.
use strict;
use warnings;
use Herd;
use Herd::Tpch;
use Test::More;

my $herd = Herd->new(nodes => 2, plain => 1);
Herd::Tpch::load($herd, $ENV{HERD_TPCH_SCALE} || 0.005);

my @queries = Herd::Tpch::queries();
is scalar @queries, 22, 'the queries';
for my $number ($ENV{HERD_TPCH} ? split(/[ ,]+/, $ENV{HERD_TPCH}) : 1 .. 22)
{
    my ($expected, $plain_state) = $herd->try($queries[ $number - 1 ], $herd->plain);
    my ($answer,   $state)       = $herd->try($queries[ $number - 1 ]);
    is $state,  $plain_state, "query $number: SQLSTATE";
    is $answer, $expected,    "query $number";
    note "query $number has no rows" if $expected eq '';
}
done_testing;
