# Eight sessions append, read and move money while nodes are killed at random, at every isolation level,
# at each level of herd.read_consistency; Herd::History judges what they saw. Nothing may be there that
# the level forbids. Torn reads over several nodes, which the level node allows, must be found there:
# else the checker is blind.
#
# HERD_MINUTES (10), HERD_SEED, HERD_ROUND: seconds of a round (30), HERD_LEVELS: only some isolation levels
use strict;
use warnings;
use Herd;
use Herd::Chaos;
use Herd::History::Workload;
use Test::More;
use Time::HiRes qw(time);

my $end  = time + 60 * ($ENV{HERD_MINUTES} || 10);
my $seed = $ENV{HERD_SEED}  || time % 100_000;
my $long = $ENV{HERD_ROUND} || 30;
note "seed $seed";
my $herd     = Herd->new(nodes => 2);
my $chaos    = Herd::Chaos->new(herd => $herd, seed => $seed);
my $workload = Herd::History::Workload->new($herd);
my $strict   = $herd->sql("SELECT count(*) FROM pg_settings WHERE name = 'herd.read_consistency'");
my @levels = $ENV{HERD_LEVELS} ? split(/,/, $ENV{HERD_LEVELS}) : ('read committed', 'repeatable read', 'serializable');
my @plans  = map {
    my $levels = $_;
    map { [ $levels, $_ ] } $strict ? ('node', 'strict') : undef
} \@levels, map { [$_] } @levels;
my (%allowed, %states, %ends);

# Anomalies of a kind, the first of them in full.
sub report
{
    my (@found) = @_;
    return join "\n", (map { "$_->[0]: $_->[1]" } @found)[ 0 .. ($#found > 9 ? 9 : $#found) ],
        @found > 10 ? '... ' . @found : ();
}

my $rounds = 0;
while (time < $end)
{
    my ($levels, $consistency) = @{ $plans[ $rounds++ % @plans ] };
    my $is_strict = ($consistency || '') eq 'strict';
    my $name      = "round $rounds, " . join('/', @$levels) . ', ' . ($consistency || 'node');

    # Every third round is a calm one, and in every other of the rest the coordinator dies, too.
    my $round = $workload->round(
        $chaos,
        seconds     => $long,
        levels      => $levels,
        consistency => $consistency,
        kill        => $rounds % 3 == 0 ? [] : $rounds % 2 ? [qw(n1 n2)] : [qw(n1 n2 coordinator)],
        ways        => [qw(kill kill stop)]
    );
    my $node_of = sub { $workload->node_of($_[0]) };
    my @found   = $round->{history}->anomalies(node_of => $node_of, strict => $is_strict);
    is report(@found), '', "$name: nothing that the level forbids";
    my @torn = grep { $_->[2] != $workload->total && ($_->[1] eq 'statement' || $_->[0] ne 'read committed') }
        @{ $round->{totals} };
    is scalar(@torn), 0, "$name: every sum is right" if $is_strict;
    $allowed{ $_->[0] }++ for $round->{history}->allowed;
    $allowed{sum} += @torn unless $is_strict;
    $states{ $_->{sqlstate} }++ for @{ $round->{outcomes} };
    $ends{ $_->{state} }++      for @{ $round->{outcomes} };
    note "$name: ", scalar @{ $round->{outcomes} }, ' transactions';
}
cmp_ok $allowed{torn} || 0, '>', 0, 'torn reads over several nodes are found in the level node: the checker sees';
is $herd->sql('SELECT sum(amount) FROM money'), $workload->total, 'money is preserved';
my @strange = grep { !/^(00000|lost|08\d\d\d|57P0[123]|57014|40001|40P01|HR006)$/ } sort keys %states;
is join(' ', @strange), '', 'every error says what has happened';
$herd->check_invariants('after all rounds');
note 'transactions: ',                              join ', ', map { "$ends{$_} $_" } sort keys %ends;
note 'SQLSTATEs: ',                                 join ', ', map { "$_ $states{$_} times" } sort keys %states;
note 'seen over several nodes in the level node: ', join ', ', map { "$allowed{$_} $_" } sort keys %allowed;
note scalar($chaos->away),                          ' kills';
done_testing;
