# The results of `make bench` as a picture: a bar for each workload, with the spread of the rounds, the
# target, and what the emulation and a bare hop reach. Pure: results in, SVG out.
package Herd::Bench::Plot;

use strict;
use warnings;
use Herd::Bench::Figures;
use Herd::Bench::Report;
use Herd::Bench::Workloads;
use List::Util qw(max min);

my %place = (left => 290, right => 80, top => 66, row => 24, width => 860);

# What is higher ends at the edge; its number stands beside it.
my $longest = 2.5;

sub svg
{
    my (@results) = @_;
    my @rows    = Herd::Bench::Report::grouped(@results);
    my $highest = max(1, map { $_->{of_plain}{high} } grep { drawn($_) } @results);
    my $scale   = { end => min($longest, int($highest * 4 + 0.999) / 4) };
    $scale->{unit} = ($place{width} - $place{left} - $place{right}) / $scale->{end};
    my $height = $place{top} + @rows * $place{row} + 30;

    my @parts = (
        qq{<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $place{width} $height" }
            . 'font-family="Helvetica, Arial, sans-serif" font-size="12" role="img" '
            . 'aria-labelledby="title desc">',
        '<title id="title">Speed of a herd as a part of plain PostgreSQL\'s</title>',
        '<desc id="desc">' . escape(describe(@rows)) . '</desc>',
        qq{<rect width="$place{width}" height="$height" fill="#ffffff"/>},
        legend(), axis($scale, $height - 30),
    );
    push @parts, bar($rows[$_], $scale, $place{top} + $_ * $place{row}) for 0 .. $#rows;
    return join("\n", @parts, '</svg>') . "\n";
}

sub drawn { return $_[0]{of_plain} && $_[0]{side} =~ /^(?:herd|emulation|hop)$/; }

# The picture in words, for those who can't see it.
sub describe
{
    my (@rows) = @_;
    return join '; ', map {
        my $of_plain = $_->{sides}{herd} && $_->{sides}{herd}{of_plain};
        "$_->{workload}{title}, clients: $_->{clients}: "
            . ($of_plain ? sprintf('%.2f', $of_plain->{median}) : 'not measured')
    } @rows;
}

sub escape
{
    my ($text) = @_;
    my %name = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');
    return $text =~ s/([&<>"])/$name{$1}/gr;
}

sub x_of
{
    my ($scale, $value) = @_;
    return sprintf '%.1f', $place{left} + min($value, $scale->{end}) * $scale->{unit};
}

sub text
{
    my ($x, $y, $text, $more) = @_;
    return qq{<text x="$x" y="$y"} . ($more ? " $more" : '') . '>' . escape($text) . '</text>';
}

sub legend
{
    return (
        text(
            10, 22, "Speed of a herd of a coordinator and two nodes, as a part of plain PostgreSQL's",
            'font-size="15" font-weight="bold"'
        ),
        '<rect x="10" y="34" width="16" height="10" fill="#3a6ea5"/>',
        text(32, 44, 'herd, target reached'),
        '<rect x="166" y="34" width="16" height="10" fill="#c98a2b"/>', text(188, 44, 'missed'),
        target_mark(246, 33), text(254, 44, 'target'),
        emulation_mark(314, 39), text(324, 44, 'emulation: the messages alone'),
        hop_mark(524, 39), text(534, 44, 'bare hop (pgbouncer)'),
        text($place{left} - 8, 62, 'workload, clients', 'text-anchor="end" fill="#444"'),
        '<path d="M676 39h20M676 35v8M696 35v8" stroke="#222"/>', text(704, 44, 'spread of the rounds'),
    );
}

sub target_mark
{
    my ($x, $y) = @_;
    return qq{<path d="M$x ${y}v14" stroke="#b22222" stroke-width="2.5"/>};
}

sub emulation_mark
{
    my ($x, $y) = @_;
    return qq{<circle cx="$x" cy="$y" r="4.5" fill="#ffffff" stroke="#222" stroke-width="1.5"/>};
}

sub hop_mark
{
    my ($x, $y) = @_;
    my $top = $y - 5;
    return qq{<path d="M$x ${top}l5 5l-5 5l-5 -5z" fill="#7a9a4a" stroke="#222"/>};
}

# A line and a number at each quarter.
sub axis
{
    my ($scale, $bottom) = @_;
    my @parts;
    for (my $value = 0; $value <= $scale->{end}; $value += 0.25)
    {
        my $x = x_of($scale, $value);
        my $color = $value == 1 ? '#444' : '#ddd';
        push @parts, qq{<path d="M$x $place{top}V$bottom" stroke="$color"/>},
            text($x, $bottom + 16, sprintf('%.2f', $value), 'text-anchor="middle" fill="#444"');
    }
    return @parts;
}

sub bar
{
    my ($row, $scale, $y) = @_;
    my $label  = "$row->{workload}{title}, $row->{clients}";
    my @parts  = text($place{left} - 8, $y + 16, $label, 'text-anchor="end"');
    my %of     = map { $_ => $row->{sides}{$_} && $row->{sides}{$_}{of_plain} } qw(herd emulation hop);
    my $target = Herd::Bench::Workloads::target($row->{workload}, 'herd');
    my $middle = $y + 12;
    if (my $herd = $of{herd})
    {
        my ($end, $low, $high) = map { x_of($scale, $herd->{$_}) } qw(median low high);
        my $verdict = Herd::Bench::Figures::verdict($herd->{median}, $target);
        my $color   = { ok => '#3a6ea5', miss => '#c98a2b' }->{$verdict} || '#9aa5b1';
        my ($width, $top, $foot) = (sprintf('%.1f', $end - $place{left}), $y + 5, $middle - 4);
        push @parts,
            qq{<rect x="$place{left}" y="$top" width="$width" height="14" fill="$color"/>},
            qq{<path d="M$low ${middle}H${high}M$low ${foot}v8M$high ${foot}v8" stroke="#222"/>},
            text(
                $place{width} - $place{right} + 12, $y + 16, sprintf('%.2f', $herd->{median}),
                'font-weight="bold"'
            );
    }
    push @parts, target_mark(x_of($scale, $target), $y + 5) if defined $target;
    for (['emulation', \&emulation_mark], ['hop', \&hop_mark])
    {
        my ($side, $mark) = @$_;
        push @parts, $mark->(x_of($scale, $of{$side}{median}), $middle) if $of{$side};
    }
    return @parts;
}

1;
