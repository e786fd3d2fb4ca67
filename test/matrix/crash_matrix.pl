# The crash matrix: every step of a commit, struck in every way at every server (Herd::CrashMatrix), and
# every message of it (Herd::CrashMatrix::Messages).
# `make crash-matrix` runs it in several parts at once.
#
# HERD_PART=2/4 runs the second of four parts; HERD_CELLS is a regular expression that picks cells by
# name; HERD_STALL is the length of a stall in seconds (10).
use strict;
use warnings;
use Herd::CrashMatrix;
use Herd::CrashMatrix::Messages;
use Test::More;

my ($part, $parts) = split m{/}, $ENV{HERD_PART} || '1/1';
my $wanted = $ENV{HERD_CELLS} || '';
my @all    = (Herd::CrashMatrix::cells(), Herd::CrashMatrix::Messages::cells());
my (@steps, %cells);
for my $cell (grep { Herd::CrashMatrix::name_of($_) =~ /$wanted/ } @all)
{
    push @steps,                       $cell->{step} unless $cells{ $cell->{step} };
    push @{ $cells{ $cell->{step} } }, $cell;
}
@steps = @steps[ grep { $_ % $parts == $part - 1 } 0 .. $#steps ];
plan skip_all => 'no cells in this part' unless @steps;

my $matrix = Herd::CrashMatrix->new(stall => $ENV{HERD_STALL} || 10);
for my $step (@steps)
{
    for my $cell (@{ $cells{$step} })
    {
        my @complaints = $cell->{message} ? Herd::CrashMatrix::Messages::run($matrix, $cell) : $matrix->run($cell);
        ok !@complaints, Herd::CrashMatrix::name_of($cell) or diag join "\n", @complaints;
    }
    $matrix->herd->check_invariants("after $step");
}
is $matrix->alarms, '', 'no server has panicked';
note sprintf 'slowest recovery: %.1f s', $matrix->slowest;
done_testing;
