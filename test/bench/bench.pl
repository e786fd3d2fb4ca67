# Every workload of Herd::Bench::Workloads on plain PostgreSQL and on a herd, in turns, all on this machine
# with the same settings; docs/performance.md explains them. Prints a table, and leaves bench.csv and
# bench.svg beside the servers' logs.
#
# HERD_BENCH_WORKLOAD: a pattern of names. HERD_BENCH_SECONDS of a run (5), HERD_BENCH_ROUNDS (3),
# HERD_BENCH_CLIENTS: instead of each workload's own (16, or 8,16), HERD_BENCH_ROWS (1000000),
# HERD_BENCH_FSYNC (on).
use strict;
use warnings;
use Herd::Bench;
use Herd::Bench::Plot;
use Herd::Bench::Report;
use Herd::Bench::Workloads;
use PostgreSQL::Test::Utils;
use Test::More;

my @workloads = Herd::Bench::Workloads::pick($ENV{HERD_BENCH_WORKLOAD});
die "no workload matches $ENV{HERD_BENCH_WORKLOAD}\n" unless @workloads;
my $bench = Herd::Bench->new(
    rows    => $ENV{HERD_BENCH_ROWS}    || 1_000_000,
    seconds => $ENV{HERD_BENCH_SECONDS} || 5,
    rounds  => $ENV{HERD_BENCH_ROUNDS}  || 3,
    fsync   => $ENV{HERD_BENCH_FSYNC}   || 'on'
);
$bench->prepare(@workloads);

# Written after each workload, so that a bench that is stopped leaves what it has measured.
my @results;
sub save
{
    my $log = $PostgreSQL::Test::Utils::log_path;
    for ([ 'bench.csv', Herd::Bench::Report::csv(@results) ], [ 'bench.svg', Herd::Bench::Plot::svg(@results) ])
    {
        my ($name, $text) = @$_;
        unlink "$log/$name";
        append_to_file("$log/$name", $text);
    }
    return;
}

for my $workload (@workloads)
{
    my @clients = $ENV{HERD_BENCH_CLIENTS} && $workload->{clients}[-1] > 1
        ? split /,/, $ENV{HERD_BENCH_CLIENTS} : @{ $workload->{clients} };
    for my $clients (@clients)
    {
        my @measured = $bench->measure($workload, $clients);
        push @results, @measured;
        for my $result (@measured)
        {
            cmp_ok $result->{rate}{low}, '>', 0, sprintf '%s, %d clients, %s: %.4g per second',
                $workload->{name}, $clients, $result->{side}, $result->{rate}{median};
        }
    }
    $bench->finish($workload);
    save();
}
ok $bench->herd->nothing_prepared, 'nothing is left prepared';

note "parts of plain PostgreSQL's speed, fsync $bench->{fsync}, $bench->{rows} rows:\n"
    . Herd::Bench::Report::table(@results);
done_testing;
