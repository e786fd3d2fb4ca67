# The differential test: every statement of test/differential gets the same answer from the herd
# (the coordinator holds a third of the shards, two nodes the rest) and from a plain PostgreSQL.
#
# HERD_DIFFERENTIAL names the files to run (default all). HERD_PLAIN_ONLY compares two plain
# servers, which shows that the statements themselves are deterministic.
use strict;
use warnings;
use Herd::Differential;
use Herd::Shop;
use Test::More;

my $shop   = Herd::Shop->new;
my @topics = $ENV{HERD_DIFFERENTIAL} ? split(/[ ,]+/, $ENV{HERD_DIFFERENTIAL}) : $shop->topics;
@topics = grep { $_ ne 'refused' } @topics if $ENV{HERD_PLAIN_ONLY};
my ($setup, $compared) = ("SET search_path = shop, public;\n", 0);

for my $topic (@topics)
{
    my $dbname = "diff_$topic";
    $shop->make_database($dbname);
    my @tests = Herd::Differential::parse(Herd::Shop::text($topic));
    Herd::Differential::run($shop->herd->plain,       $dbname, $setup, \@tests, 'plain');
    Herd::Differential::run($shop->herd->coordinator, $dbname, $setup, \@tests, 'herd');
    $compared += Herd::Differential::report($topic, \@tests);
}
cmp_ok $compared, '>=', 200, "$compared statements compared" unless $ENV{HERD_DIFFERENTIAL};
done_testing;
