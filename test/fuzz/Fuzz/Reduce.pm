# Makes a difference small: drops parts of the statement, then what came before it, then rows and
# tables that it does without. Every attempt runs on a fresh schema, so that it proves itself.
package Fuzz::Reduce;

use strict;
use warnings;

# make => a function of dropped parts to ({ statements }, parts), before => statements, tables =>
# names to compare in the end, kind => first word of the difference, limit => seconds.
sub new
{
    my ($class, $pair, %arg) = @_;
    return bless { pair => $pair, tables => [], limit => 200, %arg, started => time }, $class;
}

# The statements of a reproducer, the last of which differs; nothing if it can't be reproduced.
sub reproducer
{
    my ($self) = @_;
    my ($step, @parts) = $self->{make}->({});
    return unless $self->differs($self->{before}, $step);
    my @mentioned = mentioned($step, @{ $self->{before} });
    $self->{before} = \@mentioned if $self->differs(\@mentioned, $step);
    my %dropped;
    # Outer parts first: each takes its inner ones along.
    for my $round (1 .. 3)
    {
        my $before = keys %dropped;
        ($step, @parts) = $self->{make}->(\%dropped);
        for my $part (sort { length $a <=> length $b || $a cmp $b } @parts)
        {
            next if grep { index($part, "$_.") == 0 } keys %dropped;
            my ($attempt) = $self->{make}->({ %dropped, $part => 1 });
            $dropped{$part} = 1 if $self->differs($self->{before}, $attempt);
        }
        last if keys %dropped == $before;
    }
    ($step) = $self->{make}->(\%dropped);
    return ($self->fewer($self->{before}, $step), @$step);
}

# Of the setup, what the step's own text leads to; no earlier writes.
sub mentioned
{
    my ($step, @before) = @_;
    my $text = join "\n", map { $_->{sql} } @$step;
    my %kept;
    for my $statement (reverse grep { $_->{about} } @before)
    {
        my $name = $statement->{about};
        next if $kept{$name} || $text !~ /\b$name(_[ab])?\b/;
        $kept{$name} = 1;
        $text .= join "\n", map { $_->{sql} } grep { ($_->{about} || '') eq $name } @before;
    }
    return grep { $_->{about} ? $kept{ $_->{about} } : !$_->{write} && $_->{sql} !~ /SCHEMA fuzz/ } @before;
}

# Drops as many of the earlier statements as possible, in halves, quarters and so on.
sub fewer
{
    my ($self, $statements, $step) = @_;
    my @kept = @$statements;
    my $size = int(@kept / 2) || 1;
    while (1)
    {
        my $at = 0;
        while ($at < @kept)
        {
            my @attempt = @kept;
            splice @attempt, $at, $size;
            if ($self->differs(\@attempt, $step)) { @kept = @attempt; }
            else                                  { $at += $size; }
        }
        last if $size == 1;
        $size = int($size / 2);
    }
    return @kept;
}

# Runs everything anew; true when the difference is of the same kind as before.
sub differs
{
    my ($self, $before, $step) = @_;
    return 0 if time > $self->{started} + $self->{limit};
    my $pair = $self->{pair};
    $pair->discard;
    $pair->run({ sql => 'DROP SCHEMA IF EXISTS fuzz CASCADE' });
    $pair->run({ sql => 'CREATE SCHEMA fuzz' });
    for my $statement (@$before)
    {
        my $result = $pair->run($statement);
        return 0 if defined $result->{difference};
    }
    for my $statement (@$step)
    {
        my $difference = $pair->run($statement)->{difference};
        return $self->same_kind($difference) if defined $difference;
    }
    return 0 unless $self->{kind} =~ /^\w+ differs/;
    my $difference = $pair->compare_tables(@{ $self->{tables} });
    return defined $difference && $difference =~ / differs: rows/;
}

sub same_kind
{
    my ($self, $difference) = @_;
    my ($kind) = $difference =~ /^(\w+ \w+:|\w+)/;
    return $self->{kind} eq $kind;
}

1;
