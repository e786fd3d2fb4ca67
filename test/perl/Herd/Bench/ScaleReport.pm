# The results of `make bench-scale` as a table, as CSV and back, and as a picture. Pure: text in, text out.
package Herd::Bench::ScaleReport;

use strict;
use warnings;
use List::Util qw(max);

my @columns = qw(vary shards tables nodes read_us connect_us first_kb all_kb node_kb fan_out_us fan_out_ms create_ms
    distribute_ms);

sub csv
{
    my (@results) = @_;
    return join '', map { join(',', @$_) . "\n" } \@columns, map {
        my $result = $_;
        [ map { shown($_, $result->{$_}) } @columns ]
    } @results;
}

# Milliseconds with one decimal, all else as whole numbers.
sub shown
{
    my ($column, $value) = @_;
    return $value if $column eq 'vary';
    return sprintf $column =~ /_ms$/ ? '%.1f' : '%.0f', $value;
}

sub parse_csv
{
    my ($text) = @_;
    my ($head, @lines) = split /\n/, $text;
    my @names = split /,/, $head;
    return map {
        my %field;
        @field{@names} = split /,/, $_, -1;
        \%field
    } @lines;
}

sub name_of { return join '/', @{ $_[0] }{qw(vary shards tables nodes)}; }

# The new results, and those of the old ones that they do not replace, in order.
sub merge
{
    my ($old, $new) = @_;
    my %known = map { name_of($_) => $_ } @$old, @$new;
    my %rank = (shards => 0, tables => 1, nodes => 2);
    return sort { $rank{ $a->{vary} } <=> $rank{ $b->{vary} } || $a->{ $a->{vary} } <=> $b->{ $b->{vary} } } values %known;
}

sub markdown
{
    my (@results) = @_;
    my @shown = @columns[ 1 .. $#columns ];
    my @head  = map { (my $name = $_) =~ tr/_/ /; $name } @shown;
    my @lines = ('| ' . join(' | ', @head) . ' |', '| ' . join(' | ', ('---') x @head) . ' |');
    push @lines, '| ' . join(' | ', cells($_, @shown)) . ' |' for @results;
    return join("\n", @lines) . "\n";
}

# What is varied stands out.
sub cells
{
    my ($result, @shown) = @_;
    return map { $_ eq $result->{vary} ? "**$result->{$_}**" : shown($_, $result->{$_}) } @shown;
}

my %curves = (
    read_us    => { title => 'processor of a routed read', color => '#3a6ea5' },
    connect_us => { title => 'processor of a new connection and its first read', color => '#c98a2b' },
    first_kb   => { title => 'memory of a session after it', color => '#7a9a4a' },
);
my %place = (width => 860, height => 250, top => 60, left => 50, panel => 250, bottom => 200);

# A panel for each of shards, tables and nodes: how often as much as in the smallest herd.
sub svg
{
    my (@results) = @_;
    my @parts = (
        qq{<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $place{width} $place{height}" }
            . 'font-family="Helvetica, Arial, sans-serif" font-size="12" role="img" aria-labelledby="title">',
        '<title id="title">What a session costs in larger herds, as a multiple of the smallest</title>',
        qq{<rect width="$place{width}" height="$place{height}" fill="#ffffff"/>},
        '<text x="10" y="20" font-size="15" font-weight="bold">Cost in larger herds, as a multiple of the smallest</text>',
    );
    my $x = 10;
    for my $name (qw(read_us connect_us first_kb))
    {
        push @parts, qq{<rect x="$x" y="30" width="14" height="10" fill="$curves{$name}{color}"/>},
            '<text x="' . ($x + 20) . qq{" y="40">$curves{$name}{title}</text>};
        $x += 40 + 6.3 * length $curves{$name}{title};
    }
    my $at = $place{left};
    for my $vary (qw(shards tables nodes))
    {
        my @panel = grep { $_->{vary} eq $vary } @results or next;
        push @parts, panel($at, $vary, @panel);
        $at += $place{panel} + 25;
    }
    return join("\n", @parts, '</svg>') . "\n";
}

sub panel
{
    my ($left, $vary, @panel) = @_;
    my %ratio = map {
        my $name = $_;
        $name => [ map { $_->{$name} / ($panel[0]{$name} || 1) } @panel ]
    } keys %curves;
    my $highest = max(2, map { @$_ } values %ratio);
    my $height  = $place{bottom} - $place{top};
    my $step    = ($place{panel} - 40) / (@panel > 1 ? $#panel : 1);
    my $y_of    = sub { return sprintf '%.1f', $place{bottom} - $_[0] / $highest * $height; };
    my $x_of    = sub { return sprintf '%.1f', $left + 20 + $_[0] * $step; };
    my @parts;
    for my $value (0, 1, $highest)
    {
        my ($y, $right) = ($y_of->($value), $left + $place{panel});
        push @parts, qq{<path d="M$left ${y}H$right" stroke="#ddd"/>},
            '<text x="' . ($left - 5) . qq{" y="$y" text-anchor="end" fill="#444">} . sprintf('%.3g', $value) . '</text>';
    }
    push @parts, map {
        '<text x="' . $x_of->($_) . '" y="' . ($place{bottom} + 16) . qq{" text-anchor="middle" fill="#444">$panel[$_]{$vary}</text>}
    } 0 .. $#panel;
    push @parts, '<text x="' . ($left + $place{panel} / 2) . '" y="' . ($place{bottom} + 36) . qq{" text-anchor="middle">$vary</text>};
    for my $name (sort keys %curves)
    {
        my $points = join ' ', map { $x_of->($_) . ',' . $y_of->($ratio{$name}[$_]) } 0 .. $#panel;
        push @parts, qq{<polyline points="$points" fill="none" stroke="$curves{$name}{color}" stroke-width="2"/>};
    }
    return @parts;
}

1;
