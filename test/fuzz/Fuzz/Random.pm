# A random stream made of parts. A part has a stream of its own, seeded by its parent's: leaving a
# part out, or taking its simpler form, changes nothing around it. That is how a statement is
# reduced: it is made again from the same seed with more and more parts dropped.
#
#   my $random = Fuzz::Random->new($seed, \%dropped);
#   $random->part(sub { ... }, sub { simpler });    nothing in place of a dropped part, by default
#   $random->parts                                  names of the parts that were used
package Fuzz::Random;

use strict;
use warnings;

my $modulus = 2_147_483_647;

sub new
{
    my ($class, $seed, $dropped) = @_;
    my $self = bless { dropped => $dropped || {}, used => [], path => '', count => 0 }, $class;
    $self->{state} = mixed($seed);
    return $self;
}

# A seed of a stream: neighbours must not resemble each other.
sub mixed
{
    my ($seed) = @_;
    my $h = ($seed + 0x9e3779b9) & 0xffffffff;
    $h = (($h ^ ($h >> 16)) * 0x45d9f3b) & 0xffffffff for 1 .. 2;
    return ($h ^ ($h >> 16)) % ($modulus - 1) + 1;
}

# A number of [0, 1).
sub draw
{
    my ($self) = @_;
    $self->{state} = $self->{state} * 48_271 % $modulus;
    return ($self->{state} - 1) / ($modulus - 1);
}

sub chance { return $_[0]->draw < $_[1]; }
sub below  { return int($_[0]->draw * $_[1]); }

sub pick
{
    my ($self, @choices) = @_;
    return $choices[ $self->below(scalar @choices) ];
}

# Some of the choices, in random order.
sub some
{
    my ($self, $count, @choices) = @_;
    my @found;
    push @found, splice(@choices, $self->below(scalar @choices), 1) while @choices && $count-- > 0;
    return @found;
}

sub part
{
    my ($self, $full, $simple) = @_;
    my $seed = int($self->draw * $modulus);
    my $name = $self->{path} . '.' . ++$self->{count};
    my %around = map { $_ => $self->{$_} } qw(state path count);
    @$self{qw(state path count)} = (mixed($seed), $name, 0);
    my @made;
    if ($self->{dropped}{$name}) { @made = $simple ? $simple->() : (); }
    else
    {
        push @{ $self->{used} }, $name;
        @made = $full->();
    }
    $self->{$_} = $around{$_} for keys %around;
    return wantarray ? @made : @made ? $made[-1] : '';
}

# A part that is there with the given probability, or nothing.
sub maybe
{
    my ($self, $probability, $full) = @_;
    return $self->chance($probability) ? $self->part($full) : wantarray ? () : '';
}

# A list of parts: those beyond the least number can be dropped.
sub many
{
    my ($self, $least, $most, $item) = @_;
    my $count = $least + $self->below($most - $least + 1);
    return map { $_ <= $least ? $item->() : $self->part($item) } 1 .. $count;
}

sub parts { return @{ $_[0]{used} }; }

1;
