# The results of `make bench` as a table, as CSV and back. Pure functions: text in, text out.
package Herd::Bench::Report;

use strict;
use warnings;
use Herd::Bench::Figures;
use Herd::Bench::Workloads;

my @columns = qw(workload clients side fsync rows seconds rate rate_low rate_high
    of_plain of_plain_low of_plain_high target here_us nodes_us);

# Results as CSV, a line for each side of each workload.
sub csv
{
    my (@results) = @_;
    return join '', map { join(',', @$_) . "\n" } \@columns, map { csv_fields($_) } @results;
}

sub csv_fields
{
    my ($result) = @_;
    my ($workload) = grep { $_->{name} eq $result->{workload} } Herd::Bench::Workloads::pick();
    my $target = $workload && Herd::Bench::Workloads::target($workload, $result->{side});
    my %text     = (
        %$result,
        rate   => undef, of_plain => undef,
        target => defined $target ? sprintf('%.2f', $target) : ''
    );
    for my $name (qw(rate of_plain))
    {
        my $figure = $result->{$name} or next;
        my $format = $name eq 'rate' ? '%.4g' : '%.3f';
        @text{ $name, "${name}_low", "${name}_high" } =
            map { sprintf $format, $figure->{$_} } qw(median low high);
    }
    $text{$_} = sprintf '%.0f', $text{$_} for grep { defined $text{$_} } qw(here_us nodes_us);
    return [ map { defined $text{$_} ? $text{$_} : '' } @columns ];
}

# Results from CSV.
sub parse_csv
{
    my ($text) = @_;
    my ($head, @lines) = split /\n/, $text;
    my @names = split /,/, $head;
    return map {
        my %field;
        @field{@names} = split /,/, $_, -1;
        my %result = map { $_ => $field{$_} } qw(workload clients side fsync rows seconds here_us nodes_us);
        for my $name (qw(rate of_plain))
        {
            $result{$name} = {
                median => $field{$name},
                low    => $field{"${name}_low"},
                high   => $field{"${name}_high"}
            } if $field{$name} ne '';
        }
        \%result
    } @lines;
}

# New results in place of old ones of the same workload and number of clients.
sub merge
{
    my ($old, $new) = @_;
    my %replaced = map { ("$_->{workload} $_->{clients}" => 1) } @$new;
    return (grep { !$replaced{"$_->{workload} $_->{clients}"} } @$old), @$new;
}

# Rows in the order of the workloads: [{ workload, clients, sides => { herd => result, ... } }, ...].
sub grouped
{
    my (@results) = @_;
    my %rows;
    $rows{ $_->{workload} }{ $_->{clients} }{ $_->{side} } = $_ for @results;
    my @grouped;
    for my $workload (Herd::Bench::Workloads::pick())
    {
        my $by_clients = $rows{ $workload->{name} } || {};
        push @grouped, { workload => $workload, clients => $_, sides => $by_clients->{$_} }
            for sort { $a <=> $b } keys %$by_clients;
    }
    return @grouped;
}

# The table's cells, all text: a list of rows, the heading first.
sub cells
{
    my (@results) = @_;
    my @rows = [
        'workload', 'clients', 'plain /s', 'herd', 'low-high', 'target', '', 'emulation', 'herd / em.',
        '', 'last agent', 'hop', 'alone', '', 'plain us', 'herd us here', 'nodes', 'em. us here', 'nodes'
    ];
    push @rows, row_cells($_) for grouped(@results);
    return @rows;
}

sub row_cells
{
    my ($row)  = @_;
    my $sides  = $row->{sides};
    my ($plain, $herd, $emulation) = map { $_ || {} } @$sides{qw(plain herd emulation)};
    my %of     = map { $_ => $sides->{$_} && $sides->{$_}{of_plain} } keys %$sides;
    my %median = map { $_ => $of{$_} && $of{$_}{median} } keys %of;
    my $target = Herd::Bench::Workloads::target($row->{workload}, 'herd');
    my $of_emulation =
        defined $median{herd} && $median{emulation} ? $median{herd} / $median{emulation} : undef;
    my $verdict = \&Herd::Bench::Figures::verdict;
    return [
        $row->{workload}{title}, $row->{clients}, short($plain->{rate} && $plain->{rate}{median}),
        two($median{herd}), $of{herd} ? sprintf('%.2f-%.2f', @{ $of{herd} }{qw(low high)}) : '',
        two($target), $verdict->($median{herd}, $target),
        two($median{emulation}), two($of_emulation),
        $verdict->($of_emulation, $Herd::Bench::Workloads::emulation_target),
        two($median{agent}), two($median{hop}),
        two($median{alone}), $verdict->($median{alone}, $Herd::Bench::Workloads::alone_target),
        whole($plain->{here_us}), map { (whole($_->{here_us}), whole($_->{nodes_us})) } $herd, $emulation
    ];
}

sub two   { return defined $_[0] ? sprintf('%.2f', $_[0]) : ''; }
sub whole { return defined $_[0] && $_[0] ne '' ? sprintf('%.0f', $_[0]) : ''; }

# A rate in few digits.
sub short
{
    my ($rate) = @_;
    return '' unless defined $rate;
    return sprintf $rate >= 100 ? '%.0f' : $rate >= 1 ? '%.1f' : '%.3f', $rate;
}

# The table for a terminal.
sub table
{
    my (@rows) = cells(@_);
    my @width;
    for my $row (@rows)
    {
        for my $i (0 .. $#$row)
        {
            my $length = length $row->[$i];
            $width[$i] = $length if $length > ($width[$i] || 0);
        }
    }
    my $format = join '  ', "%-$width[0]s", map { "%${_}s" } @width[ 1 .. $#width ];
    return join '', map { sprintf("$format\n", @$_) =~ s/ +$//mr } @rows;
}

# The table for a page, with fewer columns.
sub markdown
{
    my ($head, @rows) = map { page_cells(@$_) } cells(@_);
    return join '', map { '| ' . join(' | ', @$_) . " |\n" } $head, [ ('---') x @$head ], @rows;
}

sub page_cells
{
    my ($workload, $clients, $rate, $herd, $spread, $target, $reached, $emulation, $of_emulation,
        $close, $agent, $hop, $alone, $same, @costs) = @_;
    $target       .= ' missed' if $reached eq 'miss';
    $of_emulation .= ' missed' if $close eq 'miss';
    $alone        .= ' missed' if $same eq 'miss';
    return [
        $workload, $clients, $rate, $herd, $spread, $target, $emulation, $of_emulation, $agent, $hop,
        $alone, @costs
    ];
}

1;
