# The differential fuzzer: random schemas and statements, answered by a herd and by one plain
# PostgreSQL. What the herd refuses is counted; what it answers differently fails, with a script that
# reproduces it. `make fuzz SEED=7 COUNT=20000` is a long run; without settings this is a short one.
#
# HERD_SEED chooses the statements, HERD_STATEMENTS their number; the run ends at HERD_DIFFERENCES
# differences (5). The tables are compared after every HERD_CHECK_EVERY steps (10) that write.
# HERD_SHOW_ERRORS=1 prints the statements that fail on both sides.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../fuzz";
use Fuzz::Pair;
use Fuzz::Run;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 2, plain => 1, conf => "restart_after_crash = on\n");
my $pair = Fuzz::Pair->new($herd->coordinator, $herd->plain, 'postgres');
my $run  = Fuzz::Run->new(
    $pair,
    seed        => $ENV{HERD_SEED}        || 1,
    count       => $ENV{HERD_STATEMENTS}  || 400,
    most        => $ENV{HERD_DIFFERENCES} || 5,
    check_every => $ENV{HERD_CHECK_EVERY} || 10,
    show_errors => $ENV{HERD_SHOW_ERRORS},
    report      => sub { diag @_ }
);
my @differences = $run->run;
diag $run->summary;
is_deeply \@differences, [], "$run->{compared} statements without a difference";
cmp_ok $run->{errors}, '<', $run->{compared} / 10, 'most statements are good ones';

$pair->close;
ok $herd->nothing_prepared, 'no prepared transaction is left';
# The supervisor keeps one connection to each node.
my $few = q{SELECT count(*) <= 1 FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()};
for my $node ($herd->nodes)
{
    ok $herd->poll_sql($node, $few, 't'), 'no connection is left on ' . $node->name;
}
for my $server ($herd->servers)
{
    my $log = PostgreSQL::Test::Utils::slurp_file($server->logfile);
    my @bad = grep { /PANIC|terminated by signal|TRAP|leak/ } split /\n/, $log;
    is_deeply \@bad, [], 'no crash and no leak in the log of ' . $server->name;
}
done_testing;
