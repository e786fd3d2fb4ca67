# Random expressions and conditions over a scope.
#
# A scope is { relations => [ { alias, columns => [{ name, class }], unique => [names] or undef } ],
# outer => the scope around it, or undef }. What asks for subqueries is the query's maker, which this
# package is the base of.
package Fuzz::Expression;

use strict;
use warnings;
use Fuzz::Types;

sub random { return $_[0]{random}; }
sub alias  { return 'x' . ++$_[0]{aliases}; }

# A class to compare, mostly of a column that is there.
sub comparable_class
{
    my ($self, $scope) = @_;
    my $random  = $self->random;
    my $columns = $random->pick(@{ $scope->{relations} })->{columns};
    my $class   = $random->chance(0.9) ? $random->pick(@$columns)->{class} : 'int';
    return $class eq 'spot' ? 'text' : $class;
}

# Columns of a class that are in scope: [text, relation] each.
sub columns_of
{
    my ($self, $class, $scope) = @_;
    my @found;
    for my $relation (@{ $scope->{relations} })
    {
        push @found, map { "$relation->{alias}.$_->{name}" } grep { $_->{class} eq $class }
            @{ $relation->{columns} };
    }
    return @found;
}

sub leaf
{
    my ($self, $class, $scope) = @_;
    my $random = $self->random;
    my $place  = $scope;
    $place = $place->{outer} while $place->{outer} && !$self->{aggregating} && $random->chance(0.3);
    my @columns = $self->columns_of($class, $place);
    @columns = $self->columns_of($class, $scope) unless @columns;
    return $random->pick(@columns) if @columns && $random->chance(0.8);
    return $self->constant($class);
}

# A constant; in a prepared statement, some are parameters.
sub constant
{
    my ($self, $class) = @_;
    my $random = $self->random;
    return 'NULL::' . ($Fuzz::Types::types{$class}[0]) if $random->chance(0.02);
    my $text =
        Fuzz::Types::constant($class, $random->below($Fuzz::Types::range{$class} || 16));
    my $parameters = $self->{parameters};
    if ($parameters && $class =~ /^(int|text|date|uuid)$/ && @$parameters < 6 && $random->chance(0.6))
    {
        push @$parameters, { class => $class, value => $text };
        return '$' . @$parameters;
    }
    return $text;
}

sub expression
{
    my ($self, $class, $scope, $depth) = @_;
    my $random = $self->random;
    my $leaf   = sub { $self->leaf($class, $scope) };
    return $leaf->() if $depth <= 0 || $random->chance(0.55);
    return $random->part(
        sub {
            return $self->call($class, $scope, $depth) if $random->chance(0.06);
            return $self->scalar_subquery($class, $scope, $depth - 1)
                if $self->{subqueries} > 0 && $random->chance(0.12);
            return $self->filled($self->template($scope, @{ $Fuzz::Types::expressions{$class} }),
                $class, $scope, $depth - 1);
        },
        $leaf
    );
}

# A call of a function that reads a distributed table.
sub call
{
    my ($self, $class, $scope, $depth) = @_;
    my @functions = grep { ($_->{class} || '') eq $class } $self->{schema}->functions;
    return $self->leaf($class, $scope) unless @functions;
    my $function = $self->random->pick(@functions);
    my @arguments = map { $self->expression($_, $scope, 0) } @{ $function->{arguments} };
    @arguments = map { "($_)::int" } @arguments if $function->{name} =~ /^(above|loop)/;
    @arguments = map { "($_)::smallint" } @arguments
        if $function->{name} =~ /^count/ && $function->{arguments}[0] eq 'int';
    return "$function->{name}(" . join(', ', @arguments) . ')::int';
}

# Fills a template's places.
sub filled
{
    my ($self, $template, $class, $scope, $depth) = @_;
    my $made = '';
    for my $piece (split /(\{[^}]*\})/, $template)
    {
        unless ($piece =~ /^\{(.*)\}$/) { $made .= $piece; next; }
        my $place = $1 eq '=' ? $class : $1;
        $made .=
              $place eq 'cond' ? $self->condition($scope, $depth)
            : $place eq '?'    ? $self->subquery([$class],        $scope, $depth)
            : $place eq '2'    ? $self->subquery([ $class, 'int' ], $scope, $depth)
            : $place eq '1'    ? $self->single_row($class, $scope, $depth)
            : $place eq 'row' ? $self->row($scope)
            : $Fuzz::Types::types{$place}
            ? $self->expression($place, $scope, $depth)
            : $piece;
    }
    return $made;
}

# One of the templates; those with a row need a table.
sub template
{
    my ($self, $scope, @templates) = @_;
    @templates = grep { !/\{row\}/ } @templates unless grep { $_->{table} } @{ $scope->{relations} };
    return $self->random->pick(@templates);
}

# A whole row of a table.
sub row
{
    my ($self, $scope) = @_;
    my @tables = grep { $_->{table} } @{ $scope->{relations} };
    return $self->random->pick(@tables)->{alias};
}

# {=} of one condition is one class.
sub condition
{
    my ($self, $scope, $depth) = @_;
    my $random = $self->random;
    my $class  = $self->comparable_class($scope);
    my $simple = sub {
        return $self->filled($random->pick('{=} = {=}', '{=} < {=}', '{=} IS NOT NULL', '{=} <> {=}'),
            $class, $scope, 0);
    };
    return $simple->() if $depth <= 0;
    return $random->part(
        sub {
            if ($random->chance(0.3))
            {
                my $joint = $random->pick(' AND ', ' AND ', ' OR ');
                my @sides = $random->many(1, 2, sub { $self->condition($scope, $depth - 1) });
                my $made  = '(' . join($joint, @sides) . ')';
                return $random->chance(0.2) ? "NOT $made" : $made;
            }
            if ($self->{subqueries} > 0 && $random->chance(0.25))
            {
                return $self->filled($random->pick(@Fuzz::Types::subquery_conditions),
                    $class, $scope, $depth - 1);
            }
            return $self->filled($random->pick(@Fuzz::Types::conditions), $class, $scope, $depth - 1);
        },
        $simple
    );
}

# An aggregate of the class over the scope.
sub aggregate
{
    my ($self, $class, $scope, $depth) = @_;
    my $random   = $self->random;
    my $list     = $Fuzz::Types::aggregates{$class} || return "min(" . $self->leaf('int', $scope) . ')';
    my $template = $self->template($scope, @$list);
    my $any = $random->pick(qw(int text date mood bool));
    $any = "{$any}" . ($any eq 'text' ? '::text' : '');
    $template =~ s/\{any\}/$any/;
    my ($argument) = $template =~ /\((?:\{d\})?(\{\w+\}(?:::\w+)?(?: COLLATE "C")?)/;
    my $inner = $self->within_aggregate(sub { $self->filled($argument, $class, $scope, $depth) })
        if $template =~ /\{o\}/;
    my $distinct = $template =~ /\{d\}/ && $random->chance(0.25);
    if ($template =~ /\{o\}/)
    {
        my $order = "ORDER BY $inner" . $random->pick('', ' DESC', ' NULLS FIRST');
        $template =~ s/\Q$argument\E/\0/;
        $template =~ s/\{o\}/$order/;
    }
    $template =~ s/\{d\}/$distinct ? 'DISTINCT ' : ''/e;
    my $made = $self->within_aggregate(sub { $self->filled($template, $class, $scope, $depth) });
    $made =~ s/\0/$inner/ if defined $inner;
    if ($made !~ /::|round|^total\(.*\{/ && $random->chance(0.2))
    {
        my $filter = $self->within_aggregate(sub { $self->condition($scope, 0) });
        $made .= " FILTER (WHERE $filter)";
    }
    return $made;
}

# Aggregates' arguments hold no subqueries, and rarely columns of levels around.
sub within_aggregate
{
    my ($self, $make) = @_;
    local $self->{subqueries}  = 0;
    local $self->{aggregating} = $self->random->chance(0.95);
    return $make->();
}

1;
