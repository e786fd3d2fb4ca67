# Tells whether two answers are the same: SQLSTATE, command tags, column names and built-in types,
# and the rows: in order if the statement has one, as a multiset otherwise.
package Fuzz::Compare;

use strict;
use warnings;
use Fuzz::Wire;

# What a herd may refuse where PostgreSQL does not: statements (HR003), changes of a key (HR010), and
# functions that need other nodes' rows (HR004).
sub is_refusal { return $_[0]{state} =~ /^HR0(03|04|10)$/; }

# Undef when the answers are the same; otherwise a description, whose first word is its kind.
sub difference
{
    my ($plain, $herd, $ordered) = @_;
    return state_difference($plain, $herd) if $plain->{state} ne $herd->{state};
    return if $plain->{state} ne '00000';
    my ($want, $got) = map { join ', ', @{ $_->{tags} } } $plain, $herd;
    return "count: plain $want, herd $got" if $want ne $got;
    ($want, $got) = map { describe_columns($_) } $plain, $herd;
    return "columns: plain $want, herd $got" if $want ne $got;
    return rows_difference($plain, $herd, $ordered);
}

# Two bad values or violated constraints at once: either may be found first.
sub state_difference
{
    my ($plain, $herd) = @_;
    return if $plain->{state} =~ /^2[123]/ && $herd->{state} =~ /^2[123]/;
    return "state $herd->{state}: plain $plain->{state} $plain->{message}\n"
        . "  herd $herd->{state} $herd->{message}";
}

sub describe_columns
{
    my ($answer) = @_;
    return join ', ', map { $_->[0] . ($_->[1] < 16_384 ? " $_->[1]" : '') } @{ $answer->{columns} };
}

sub rows_difference
{
    my ($plain, $herd, $ordered) = @_;
    my @want = @{ $plain->{rows} };
    my @got  = @{ $herd->{rows} };
    for my $round (1, 2)
    {
        my @a = $ordered ? @want : sort @want;
        my @b = $ordered ? @got  : sort @got;
        my ($first) = grep { $_ > $#a || $_ > $#b || $a[$_] ne $b[$_] } 0 .. ($#a > $#b ? $#a : $#b);
        return unless defined $first;
        return sprintf "rows: plain %d, herd %d, first difference\n  plain: %s\n  herd:  %s", scalar @a,
            scalar @b, map { defined $_ ? shown($_) : '(no such row)' } $a[$first], $b[$first]
            if $round == 2;
        @want = map { canonical($plain, $_) } @want;
        @got  = map { canonical($herd,  $_) } @got;
    }
    return;
}

# Equal numerics may differ in their scale.
sub canonical
{
    my ($answer, $row) = @_;
    my @numeric = grep { $answer->{columns}[$_][1] == 1700 } 0 .. $#{ $answer->{columns} };
    return $row unless @numeric && $row !~ /^d/;
    my @values = Fuzz::Wire::values_of($row);
    for my $value (@values[@numeric]) { $value =~ s/0+$//, $value =~ s/\.$// if defined $value && $value =~ /\./; }
    return pack('n', scalar @values) . join '', map { defined $_ ? pack('N/a*', $_) : pack('N', 0xffffffff) } @values;
}

sub shown
{
    return join ' | ', map { defined $_ ? $_ : '(null)' } Fuzz::Wire::values_of($_[0]);
}

1;
