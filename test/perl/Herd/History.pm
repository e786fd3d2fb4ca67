# Judges what concurrent transactions saw: a history of appends to lists and of reads of lists, from
# which the order of versions, and so the dependencies between transactions, can be told.
#
#   my $history = Herd::History->new(@transactions);
#   my @found   = $history->anomalies(strict => 1, node_of => sub { ... });     ['G1a', text], ...
#
# A transaction: { id, level => 'read committed' | 'repeatable read' | 'serializable',
#                  state => 'committed' | 'failed' | 'unknown', final => 1 for the last read of all,
#                  ops => [ ['append', key, value], ['read', key, [values], statement], ... ] }
# Values appended are unique per key. Reads with the same statement number are one statement's. A
# transaction whose outcome is unknown counts as committed when somebody has read what it wrote.
#
# What is found, in Adya's words where he has one (edges: ww, a version follows another's; wr, one is
# read; rw, a read misses the next one):
#   duplicate, order   a list holds a value twice; two reads of a list contradict each other
#   internal           a transaction does not see its own append at the end of the list
#   lost, partial      what was committed is not there at the end; only a part of it is
#   G1a, G1b           a value of a failed transaction is read; one that its writer replaced before the end
#   G0, G1c            a cycle of ww; of ww and wr
#   torn               a statement, or a transaction with one snapshot, sees another's append to one
#                      list and not to the other
#   G-single           a cycle with one rw, from a transaction that has one snapshot
#   G2                 a cycle with several, of serializable transactions
#
# The levels hold on each node for its own keys (node_of tells a key's node), and G0 to G1c, lost and
# partial for the whole herd. With strict, torn and G-single must not be there over all nodes either.
package Herd::History;

use strict;
use warnings;
use Herd::History::Graph;

sub new
{
    my ($class, @transactions) = @_;
    my $self = bless { all => \@transactions, found => [], allowed => [] }, $class;
    $self->index_appends;
    $self->settle_unknown;
    $self->order_versions;
    return $self;
}

sub complain
{
    my ($self, $kind, $text) = @_;
    push @{ $self->{found} }, [ $kind, $text ];
    return;
}

sub index_appends
{
    my ($self) = @_;
    for my $transaction (@{ $self->{all} })
    {
        for my $op (grep { $_->[0] eq 'append' } @{ $transaction->{ops} })
        {
            my (undef, $key, $value) = @$op;
            die "$value is appended to $key twice" if $self->{writer}{$key}{$value};
            $self->{writer}{$key}{$value} = $transaction;
            push @{ $self->{appended}{ $transaction->{id} }{$key} }, $value;
        }
    }
    return;
}

sub settle_unknown
{
    my ($self) = @_;
    my %read;
    for my $transaction (grep { $_->{state} eq 'committed' } @{ $self->{all} })
    {
        for my $op (grep { $_->[0] eq 'read' } @{ $transaction->{ops} })
        {
            my (undef, $key, $values) = @$op;
            for my $writer (grep { defined } map { $self->{writer}{$key}{$_} } @$values)
            {
                $read{ $writer->{id} } = 1;
            }
        }
    }
    $self->{there} = {
        map  { $_->{id} => $_ }
        grep { $_->{state} eq 'committed' || $_->{state} eq 'unknown' && $read{ $_->{id} } } @{ $self->{all} }
    };
    return;
}

# Reads of committed transactions, with what the reader itself had appended before: [transaction, key,
# values, statement].
sub reads
{
    my ($self) = @_;
    return map {
        my $transaction = $_;
        map { [ $transaction, @$_[ 1 .. 3 ] ] } grep { $_->[0] eq 'read' } @{ $transaction->{ops} }
    } grep { $_->{state} eq 'committed' } @{ $self->{all} };
}

# The longest read of a list is its order of versions; every other one must be its beginning.
sub order_versions
{
    my ($self) = @_;
    my %longest;
    for my $read ($self->reads)
    {
        my ($transaction, $key, $values) = @$read;
        my %count;
        $count{$_}++ for @$values;
        $self->complain('duplicate', "$transaction->{id} reads $_ in $key more than once")
            for grep { $count{$_} > 1 } keys %count;
        $longest{$key} = $values if !$longest{$key} || @$values > @{ $longest{$key} };
    }
    for my $read ($self->reads)
    {
        my ($transaction, $key, $values) = @$read;
        my $expected = join ',', @{ $longest{$key} }[ 0 .. $#$values ];
        $self->complain('order', "$transaction->{id} reads $key as (@$values), others as (@{ $longest{$key} })")
            if $expected ne join ',', @$values;
    }
    $self->{versions} = \%longest;
    for my $key (keys %longest)
    {
        my $at = 0;
        $self->{place}{$key}{$_} = $at++ for @{ $longest{$key} };
    }
    return;
}

sub anomalies
{
    my ($self, %how) = @_;
    my $node_of = $how{node_of} || sub { 'n1' };
    $self->check_values;
    $self->check_end;
    my %nodes = map { $node_of->($_) => 1 } keys %{ $self->{writer} }, keys %{ $self->{versions} };
    $self->check_cycles('', sub { 1 });
    {
        local $self->{found} = $how{strict} ? $self->{found} : $self->{allowed};
        $self->check_snapshots('', sub { 1 });
    }
    for my $node (sort keys %nodes)
    {
        my $there = sub { $node_of->($_[0]) eq $node };
        $self->check_cycles(" on $node", $there, 'local');
        $self->check_snapshots(" on $node", $there) unless $how{strict};
    }
    my %once;
    return grep { !$once{"@$_"}++ } @{ $self->{found} };
}

# What anomalies has found over several nodes and only strict forbids.
sub allowed { return @{ $_[0]{allowed} }; }

# What a single read shows.
sub check_values
{
    my ($self) = @_;
    for my $transaction (grep { $_->{state} eq 'committed' } @{ $self->{all} })
    {
        my %own;
        for my $op (@{ $transaction->{ops} })
        {
            my ($kind, $key, $what) = @$op;
            if ($kind eq 'append') { push @{ $own{$key} }, $what; next; }
            $self->check_read($transaction, $key, $what, $own{$key} || []);
        }
    }
    return;
}

sub check_read
{
    my ($self, $reader, $key, $values, $own) = @_;
    my $name = $reader->{id};
    my @last = @$values >= @$own ? @$values[ @$values - @$own .. $#$values ] : ();
    $self->complain('internal', "$name appended (@$own) to $key and reads (@$values)") if "@last" ne "@$own";
    for my $value (@$values)
    {
        my $writer = $self->{writer}{$key}{$value};
        $self->complain('G1a', "$name reads $value in $key, which nobody appended") unless $writer;
        $self->complain('G1a', "$name reads $value in $key, whose writer $writer->{id} has failed")
            if $writer && $writer->{state} eq 'failed';
    }
    return if @$own || !@$values;
    my $writer = $self->{writer}{$key}{ $values->[-1] } or return;
    my $final  = $self->{appended}{ $writer->{id} }{$key}[-1];
    $self->complain('G1b', "$name reads $key up to $values->[-1], which $writer->{id} followed by $final")
        if $final != $values->[-1] && $writer->{id} ne $name;
    return;
}

# What is there at the end.
sub check_end
{
    my ($self) = @_;
    my %end;
    for my $final (grep { $_->{final} } @{ $self->{all} })
    {
        for my $op (@{ $final->{ops} })
        {
            $end{ $op->[1] } = { map { $_ => 1 } @{ $op->[2] } };
        }
    }
    for my $id (sort keys %{ $self->{there} })
    {
        my ($there, @missing) = (0);
        for my $key (sort keys %{ $self->{appended}{$id} || {} })
        {
            next unless $end{$key};
            for my $value (@{ $self->{appended}{$id}{$key} })
            {
                if   ($end{$key}{$value}) { $there++; }
                else                      { push @missing, "$value in $key"; }
            }
        }
        $self->complain($there ? 'partial' : 'lost', "of $id, which is committed, there is no " . join ', ', @missing)
            if @missing;
    }
    return;
}

# A snapshot: a statement, or a whole transaction that has one. What somebody appended to two lists it
# sees in both or in none.
sub check_torn
{
    my ($self, $where, $wanted) = @_;
    for my $reader (grep { $_->{state} eq 'committed' } @{ $self->{all} })
    {
        my %snapshots;
        for my $op (grep { $_->[0] eq 'read' && $wanted->($_->[1]) } @{ $reader->{ops} })
        {
            my $snapshot = $reader->{level} eq 'read committed' ? $op->[3] : 'all';
            $snapshots{$snapshot}{ $op->[1] } = $op->[2];
        }
        $self->check_snapshot($reader, $where, $_) for values %snapshots;
    }
    return;
}

sub check_snapshot
{
    my ($self, $reader, $where, $lists) = @_;
    my %seen = map { $_ => scalar @{ $lists->{$_} } } keys %$lists;
    for my $key (sort keys %$lists)
    {
        for my $writer (map { $self->{writer}{$key}{$_} || () } @{ $lists->{$key} })
        {
            my $id = $writer->{id};
            next if $id eq $reader->{id} || !$self->{there}{$id};
            for my $other (grep { $_ ne $key && exists $seen{$_} } keys %{ $self->{appended}{$id} })
            {
                my $place = $self->{place}{$other}{ $self->{appended}{$id}{$other}[-1] };
                $self->complain('torn', "$reader->{id} sees $id in $key and not in $other$where")
                    if !defined $place || $place >= $seen{$other};
            }
        }
    }
    return;
}

# local: only what is told by the keys of one node, where serializable is serializable.
sub check_cycles
{
    my ($self, $where, $wanted, $local) = @_;
    my $graph = $self->graph($wanted);
    my $show  = sub { my ($kind, $cycle) = @_; $self->complain($kind, $graph->describe($cycle) . $where); };
    $show->('G0',  $_) for $graph->cycles('ww');
    $show->('G1c', $_) for grep { $graph->has($_, 'wr') } $graph->cycles('ww', 'wr');
    return unless $local;
    my $only = $graph->part(sub { $self->{there}{ $_[0] }{level} eq 'serializable' });
    $show->('G2', $_) for grep { $graph->has($_, 'rw') > 1 } $only->cycles('ww', 'wr', 'rw');
    return;
}

sub check_snapshots
{
    my ($self, $where, $wanted) = @_;
    $self->check_torn($where, $wanted);
    my $graph  = $self->graph($wanted);
    my $reader = sub { $self->{there}{ $_[0] }{level} ne 'read committed' };
    $self->complain('G-single', $graph->describe($_) . $where) for $graph->cycles_over_one_rw($reader);
    return;
}

sub graph
{
    my ($self, $wanted) = @_;
    my $there = $self->{there};
    my $graph = Herd::History::Graph->new(
        map {
            my $time = $_;
            $time => { map { $_ => $there->{$_}{$time} } keys %$there }
        } qw(begin end)
    );
    for my $key (grep { $wanted->($_) } keys %{ $self->{versions} })
    {
        my @writers = grep { $_ && $there->{ $_->{id} } }
            map { $self->{writer}{$key}{$_} } @{ $self->{versions}{$key} };
        $graph->add($writers[ $_ - 1 ]{id}, 'ww', $writers[$_]{id}, $key) for 1 .. $#writers;
    }
    for my $read (grep { $wanted->($_->[1]) } $self->reads)
    {
        my ($reader, $key, $values) = @$read;
        my $versions = $self->{versions}{$key};
        my $last     = @$values              ? $self->{writer}{$key}{ $values->[-1] }                  : undef;
        my $next     = @$values < @$versions ? $self->{writer}{$key}{ $versions->[ scalar @$values ] } : undef;
        $graph->add($last->{id},   'wr', $reader->{id}, $key) if $last && $there->{ $last->{id} };
        $graph->add($reader->{id}, 'rw', $next->{id},   $key) if $next && $there->{ $next->{id} };
    }
    return $graph;
}

1;
