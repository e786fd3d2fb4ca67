# Transactions and their dependencies (ww, wr, rw), and the cycles among them. One cycle is shown for
# each strongly connected part.
package Herd::History::Graph;

use strict;
use warnings;

# begin, end: when transactions ran, where that is known. What somebody read or overwrote had begun
# before he ended, which keeps searches short.
sub new
{
    my ($class, %arg) = @_;
    return bless { edges => {}, begin => {}, end => {}, %arg }, $class;
}

sub add
{
    my ($self, $from, $kind, $to, $key) = @_;
    $self->{edges}{$from}{$to}{$kind} = $key unless $from eq $to;
    return;
}

# Only the transactions that are wanted.
sub part
{
    my ($self, $wanted) = @_;
    my $part = Herd::History::Graph->new(begin => $self->{begin}, end => $self->{end});
    for my $from (grep { $wanted->($_) } keys %{ $self->{edges} })
    {
        my $edges = $self->{edges}{$from};
        $part->{edges}{$from}{$_} = $edges->{$_} for grep { $wanted->($_) } keys %$edges;
    }
    return $part;
}

sub next_of
{
    my ($self, $from, $kinds) = @_;
    my $edges = $self->{edges}{$from} or return;
    return grep {
        my $kinds_there = $edges->{$_};
        grep { exists $kinds_there->{$_} } @$kinds
    } keys %$edges;
}

# A cycle over edges of these kinds for each strongly connected part: a list of transactions, each
# followed by the next and the last by the first.
sub cycles
{
    my ($self, @kinds) = @_;
    return map { $self->shortest_cycle($_, \@kinds) } $self->components(\@kinds);
}

# Cycles that begin with an rw edge, of a transaction that is wanted, and have no other.
sub cycles_over_one_rw
{
    my ($self, $wanted) = @_;
    my @found;
    for my $component ($self->components([qw(ww wr rw)]))
    {
        my %inside = map { $_ => 1 } @$component;
        for my $from (grep { $wanted->($_) } sort @$component)
        {
            for my $to (grep { $inside{$_} } $self->next_of($from, ['rw']))
            {
                my $path = $self->path($to, $from, [qw(ww wr)], \%inside);
                push @found, [ $from, grep { $_ ne $from } @$path ] if $path;
            }
        }
    }
    return @found;
}

# Tarjan's algorithm, without recursion: the strongly connected parts of more than one transaction.
sub components
{
    my ($self, $kinds) = @_;
    my (%index, %low, %on_stack, @stack, @components);
    my $count = 0;
    for my $root (sort keys %{ $self->{edges} })
    {
        next if defined $index{$root};
        my @work = ([$root]);
        while (@work)
        {
            my $frame = $work[-1];
            my $at    = $frame->[0];
            if (!defined $frame->[1])
            {
                $index{$at} = $low{$at} = $count++;
                push @stack, $at;
                $on_stack{$at} = 1;
                $frame->[1] = [ $self->next_of($at, $kinds) ];
            }
            if (defined(my $next = shift @{ $frame->[1] }))
            {
                if    (!defined $index{$next})                        { push @work, [$next]; }
                elsif ($on_stack{$next} && $index{$next} < $low{$at}) { $low{$at} = $index{$next}; }
                next;
            }
            pop @work;
            $low{ $work[-1][0] } = $low{$at} if @work && $low{$at} < $low{ $work[-1][0] };
            next                             if $low{$at} != $index{$at};
            my @component;
            do { push @component, pop @stack; delete $on_stack{ $component[-1] }; } until $component[-1] eq $at;
            push @components, \@component if @component > 1;
        }
    }
    return @components;
}

sub shortest_cycle
{
    my ($self, $component, $kinds) = @_;
    my %inside = map { $_ => 1 } @$component;
    my $best;
    my $tries = 0;
    for my $from (sort @$component)
    {
        last if $best && ++$tries > 50;
        for my $to (grep { $inside{$_} } $self->next_of($from, $kinds))
        {
            my $path = $self->path($to, $from, $kinds, \%inside) or next;
            $best = [ $from, grep { $_ ne $from } @$path ] if !$best || @$path < @$best;
        }
    }
    return $best;
}

# The shortest way: a list from the one to the other, undef if there is none.
sub path
{
    my ($self, $from, $to, $kinds, $inside) = @_;
    my %before = ($from => '');
    my @queue  = ($from);
    while (defined(my $at = shift @queue))
    {
        if ($at eq $to)
        {
            my @path;
            for (my $step = $to; $step ne ''; $step = $before{$step}) { unshift @path, $step; }
            return \@path;
        }
        for my $next (grep { $inside->{$_} && !exists $before{$_} } $self->next_of($at, $kinds))
        {
            next if $self->began_later($next, $to);
            $before{$next} = $at;
            push @queue, $next;
        }
    }
    return;
}

sub began_later
{
    my ($self, $one, $other) = @_;
    my ($begin, $end) = ($self->{begin}{$one}, $self->{end}{$other});
    return defined $begin && defined $end && $begin > $end;
}

# How many edges of the cycle can only be of that kind, or with 'wr' are of it at all.
sub has
{
    my ($self, $cycle, $kind) = @_;
    return scalar grep {
        my $edge = $self->{edges}{ $cycle->[$_] }{ $cycle->[ ($_ + 1) % @$cycle ] };
        exists $edge->{$kind} && (keys %$edge == 1 || $kind eq 'wr')
    } 0 .. $#$cycle;
}

sub describe
{
    my ($self, $cycle) = @_;
    my @edges = map {
        my $edge = $self->{edges}{ $cycle->[$_] }{ $cycle->[ ($_ + 1) % @$cycle ] };
        "$cycle->[$_] -" . join(',', map { "$_ $edge->{$_}" } sort keys %$edge) . '-> '
    } 0 .. $#$cycle;
    return join '', @edges, $cycle->[0];
}

1;
