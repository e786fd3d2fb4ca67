# FROM clauses: tables, views, functions, subqueries and joins of every kind.
package Fuzz::From;

use strict;
use warnings;

# The text and the scope of a FROM clause with one to three relations.
sub from
{
    my ($self, $outer, $depth) = @_;
    my $random = $self->random;
    my $scope  = { relations => [], outer => $outer };
    my $text   = $self->relation($scope, $depth, 0);
    for my $nth (1 .. $random->pick(0, 0, 1, 1, 1, 2))
    {
        $text .= $random->part(sub { $self->join_to($scope, $depth) });
    }
    return ($text, $scope);
}

# One relation, added to the scope. LATERAL ones see what is to their left.
sub relation
{
    my ($self, $scope, $depth, $lateral) = @_;
    my $random = $self->random;
    my $alias  = $self->alias;
    my ($text, $columns, $unique);
    my $kind = $random->pick(('table') x 8, $depth > 0 ? qw(subquery view function subquery) : 'view');
    my ($cte) = grep { $_->{name} eq ($self->{wanted_cte} || '') } @{ $self->{ctes} };
    if ($cte)
    {
        $self->{wanted_cte} = undef if $random->chance(0.7);
        ($text, $columns) = ("$cte->{name} $alias", $cte->{columns});
    }
    elsif ($kind eq 'subquery')
    {
        my $sees = $lateral ? $scope : $scope->{outer};
        ($text, $columns) = $random->part(
            sub {
                my $query = $self->query(undef, $sees, $depth - 1);
                my $limit = $random->maybe(0.15, sub { $self->order_and_limit($query, 0) });
                return (($lateral ? 'LATERAL ' : '') . "($query->{sql}$limit) $alias", $query->{columns});
            },
            sub { my ($t, $c) = $self->table($alias); return ($t, $c); }
        );
    }
    elsif ($kind eq 'view')
    {
        my $view = $random->pick($self->{schema}->views);
        ($text, $columns) = ("$view->{name} $alias", $view->{columns});
    }
    elsif ($kind eq 'function') { ($text, $columns) = $self->function($alias, $scope, $lateral); }
    else                        { ($text, $columns, $unique) = $self->table($alias); }
    push @{ $scope->{relations} }, { alias => $alias, columns => $columns, unique => $unique,
        table => defined $unique };
    return $text;
}

sub table
{
    my ($self, $alias) = @_;
    my $random = $self->random;
    my @tables = $self->{schema}->tables;
    my $table  = $random->pick($random->chance(0.6) ? $self->{schema}->distributed : @tables);
    my $only   = $table->{partitioned} && $random->chance(0.1) ? "$table->{name}_a" : $table->{name};
    my $sample = $table->{kind} eq 'view' ? '' : $random->maybe(0.03, sub { ' TABLESAMPLE ' . $random->pick('BERNOULLI', 'SYSTEM') . ' (100)' });
    return ("$only $alias$sample", $table->{columns}, $table->{unique} ? [ 'k', 'u' ] : []);
}

sub function
{
    my ($self, $alias, $scope, $lateral) = @_;
    my $random = $self->random;
    my @made = grep { $_->{columns} } $self->{schema}->functions;
    my $bound = $lateral && $random->chance(0.4) ? $self->leaf('int', $scope) : $random->below(8);
    if (@made && $random->chance(0.5))
    {
        my $function = $random->pick(@made);
        return ("$function->{name}(($bound)::int) $alias", $function->{columns});
    }
    return ("generate_series(1, least($bound, 6)) $alias(a)", [ { name => 'a', class => 'int' } ])
        if $random->chance(0.6);
    my $array = $lateral ? $self->leaf('ints', $scope) : 'ARRAY[1, 5, NULL]';
    return ("unnest($array) WITH ORDINALITY $alias(a, b)",
        [ { name => 'a', class => 'int' }, { name => 'b', class => 'int' } ]);
}

sub join_to
{
    my ($self, $scope, $depth) = @_;
    my $random  = $self->random;
    my $kind    = $random->pick(('JOIN') x 4, ('LEFT JOIN') x 3, 'RIGHT JOIN', 'FULL JOIN', 'CROSS JOIN');
    my $lateral = $kind =~ /^(JOIN|LEFT JOIN|CROSS JOIN)$/ && $random->chance(0.5);
    my @left    = @{ $scope->{relations} };
    my $text    = $self->relation($scope, $depth - 1, $lateral);
    my $right   = $scope->{relations}[-1];
    return " CROSS JOIN $text" if $kind eq 'CROSS JOIN' && $text =~ /^(LATERAL|unnest|generate)/;
    $kind = 'JOIN' if $kind eq 'CROSS JOIN';
    my $left = $random->pick(@left);
    return " $kind $text USING (k)" if @left == 1 && $random->chance(0.15) && same_key($left, $right);
    my $on   = $self->join_condition($left, $right, $kind);
    $on .= $random->maybe(0.25,
        sub { ' AND ' . $self->condition({ relations => [ $left, $right ] }, $depth > 0 ? 1 : 0) })
        if $kind ne 'FULL JOIN';
    return " $kind $text ON $on";
}

sub same_key
{
    my ($a, $b) = map { (grep { $_->{name} eq 'k' } @{ $_->{columns} })[0] } @_;
    return $a && $b && $a->{class} eq $b->{class};
}

sub join_condition
{
    my ($self, $left, $right, $kind) = @_;
    my $random = $self->random;
    my @pairs;
    for my $a (@{ $left->{columns} })
    {
        for my $b (@{ $right->{columns} })
        {
            next if $a->{class} ne $b->{class} || $a->{class} =~ /^(jsonb|spot|bool)$/;
            my $text = "$left->{alias}.$a->{name} = $right->{alias}.$b->{name}";
            push @pairs, ($text) x ($a->{name} eq $b->{name} && $a->{name} eq 'k' ? 12 : 1);
        }
    }
    return $random->chance(0.7) ? 'true' : 'false' unless @pairs;
    my $on = $random->pick(@pairs);
    $on =~ s/ = / $random->pick(' < ', ' <> ', ' >= ', ' = ')/e if $kind ne 'FULL JOIN' && $random->chance(0.06);
    $on .= ' AND ' . $random->pick(@pairs) if $random->chance(0.2);
    return $on;
}

# Columns that tell all rows of the scope apart; none when that is not known.
sub unique_columns
{
    my ($self, $scope) = @_;
    my @found;
    for my $relation (@{ $scope->{relations} })
    {
        return unless @{ $relation->{unique} || [] };
        push @found, map { "$relation->{alias}.$_" } @{ $relation->{unique} };
    }
    return @found;
}

1;
