# TPC-H on a herd (a coordinator that holds a third of the rows, two nodes) and on one plain
# PostgreSQL, all on this machine with the same settings: the best time of each query on either
# side, their ratio, and the most memory that the coordinator's backend took.
#
# HERD_TPCH_SCALE: the scale factor (default 0.5). HERD_TPCH_RUNS: how often (default 3).
use strict;
use warnings;
use Herd;
use Herd::Tpch;
use List::Util qw(min sum);
use Test::More;

my $runs = $ENV{HERD_TPCH_RUNS} || 3;
my $herd = Herd->new(
    nodes => 2, plain => 1,
    conf  => "shared_buffers = 64MB\nwork_mem = 32MB\nmax_parallel_workers = 8\nautovacuum = off\n"
);
Herd::Tpch::load($herd, $ENV{HERD_TPCH_SCALE} || 0.5);
my @queries = Herd::Tpch::queries();

# All queries in one session: their times in milliseconds, and its peak memory in MB.
sub run_all
{
    my ($server) = @_;
    my $script = "SELECT pg_backend_pid() AS pid \\gset\n\\setenv PID :pid\n"
        . "SET statement_timeout = '10min';\n\\timing on\n"
        . join('', map { "\\echo query\n$_" } @queries)
        . "\\! echo PEAK \$(sed -n 's/^VmHWM:[^0-9]*//p' /proc/\$PID/status)\n";
    my ($out, $err);
    $server->psql($herd->dbname, $script, stdout => \$out, stderr => \$err, on_error_stop => 0);
    diag $err if $err ne '';
    my @times = map { /^Time: ([\d.]+) ms/m ? $1 : 0 } (split /^query$/m, $out)[ 1 .. @queries ];
    return ([@times], $out =~ /^PEAK (\d+)/m ? $1 / 1024 : 0);
}

my (%best, $peak);
for (1 .. $runs)
{
    for my $side (qw(plain coordinator))
    {
        my ($times, $memory) = run_all($herd->{$side});
        for my $i (0 .. $#$times)
        {
            my $known = $best{$side}[$i];
            $best{$side}[$i] = defined $known ? min($known, $times->[$i]) : $times->[$i];
        }
        $peak = $memory if $side eq 'coordinator' && $memory > ($peak || 0);
    }
}

my @ratios = map { $best{coordinator}[$_] / $best{plain}[$_] } 0 .. $#queries;
note sprintf '%5s %10s %10s %6s', 'query', 'plain ms', 'herd ms', 'ratio';
note sprintf '%5d %10.1f %10.1f %6.2f', $_ + 1, $best{plain}[$_], $best{coordinator}[$_],
    $ratios[$_]
    for 0 .. $#queries;
note sprintf '%5s %10.1f %10.1f %6.2f', 'all', sum(@{ $best{plain} }), sum(@{ $best{coordinator} }),
    sum(@{ $best{coordinator} }) / sum(@{ $best{plain} });
note sprintf 'at most 1.2 times: %d of %d; worst: %.2f; peak memory of the backend: %.0f MB',
    scalar(grep { $_ <= 1.2 } @ratios), scalar @ratios, (sort { $b <=> $a } @ratios)[0], $peak;
is scalar(grep { $_ > 0 } @{ $best{coordinator} }), scalar @queries, 'every query ran';
done_testing;
