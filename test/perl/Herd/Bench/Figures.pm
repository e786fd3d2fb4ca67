# From measured rates to figures: medians, spreads, ratios. Pure functions.
#
# A figure is { median, low, high }. Ratios are made round by round, because what runs beside the bench
# hits both sides of one round alike, and their median is taken.
package Herd::Bench::Figures;

use strict;
use warnings;

sub median
{
    my @sorted = sort { $a <=> $b } @_;
    return undef unless @sorted;
    my $middle = int(@sorted / 2);
    return @sorted % 2 ? $sorted[$middle] : ($sorted[ $middle - 1 ] + $sorted[$middle]) / 2;
}

sub figure
{
    my @sorted = sort { $a <=> $b } @_;
    return { median => median(@sorted), low => $sorted[0], high => $sorted[-1] };
}

# The figure of one side's rates as parts of the other's; undef when a round of the other has none.
sub ratio
{
    my ($rates, $others) = @_;
    return undef if grep { !$_ } @$others;
    return figure(map { $rates->[$_] / $others->[$_] } 0 .. $#$rates);
}

# 'ok' when a figure, rounded as it is printed, reaches its target, else 'miss'; '' without target.
sub verdict
{
    my ($value, $target) = @_;
    return '' unless defined $value && defined $target;
    return sprintf('%.2f', $value) >= sprintf('%.2f', $target) ? 'ok' : 'miss';
}

1;
