# Random SELECT statements. A query is { sql, columns => [{ name, class }] }; its rows are the same on
# every run: LIMIT only after an order by all columns, window frames only over peers or unique rows.
package Fuzz::Query;

use strict;
use warnings;
use Fuzz::Expression;
use Fuzz::From;
use Fuzz::Types;
our @ISA = ('Fuzz::Expression', 'Fuzz::From');

sub new
{
    my ($class, $schema, $random) = @_;
    return bless { schema => $schema, random => $random, aliases => 0, subqueries => 4, ctes => [] },
        $class;
}

my @output_classes = qw(int int int text text num date ts mood uuid bool float ints jsonb span spot
    bytea texts);

sub classes
{
    my ($self) = @_;
    return map { $self->random->pick(@output_classes) } 1 .. 1 + $self->random->below(4);
}

# A whole statement. Its order, if any, is by all columns.
sub statement
{
    my ($self) = @_;
    my $random = $self->random;
    my $query  = $self->query(undef, undef, 3);
    my $sql    = $query->{sql};
    my $ending = $random->maybe(0.4, sub { $self->order_and_limit($query, 1) });
    my ($locked) = $query->{scope} ? grep { $_->{table} } @{ $query->{scope}{relations} } : ();
    $ending .= $random->maybe(0.06, sub { " FOR UPDATE OF $locked->{alias}" . $random->pick('', ' NOWAIT', ' SKIP LOCKED') })
        if $locked && $ending !~ /TIES|LIMIT/;
    return { sql => $sql . $ending, columns => $query->{columns}, ordered => $ending =~ /ORDER BY/ ? 1 : 0 };
}

# A query for the classes given (any, if undef) that may use columns of $outer.
sub query
{
    my ($self, $classes, $outer, $depth) = @_;
    my $random = $self->random;
    $classes ||= [ $self->classes ];
    my @kinds = qw(rows rows rows rows grouped grouped grouped distinct setop with window from_values);
    @kinds = qw(rows rows grouped distinct) if $depth <= 1;
    my $kind = $random->pick(@kinds);
    return $random->part(
        sub { $self->$kind($classes, $outer, $depth) },
        sub { $self->rows($classes, $outer, 0) }
    );
}

# Names of output columns: often the name of an input column, to confuse.
sub name_outputs
{
    my ($self, $classes) = @_;
    my %seen;
    my @names = qw(k u g a b n);
    return [
        map {
            my $name = $self->random->chance(0.3) ? $self->random->pick(@names) : 'c';
            $name = $name . keys %seen while $seen{$name}++;
            { name => $name, class => $_ }
        } @$classes
    ];
}

sub target_list
{
    my ($columns, @expressions) = @_;
    return join ', ', map { "$expressions[$_] AS $columns->[$_]{name}" } 0 .. $#expressions;
}

sub where
{
    my ($self, $scope, $depth) = @_;
    my $random = $self->random;
    my @parts  = $random->maybe(0.5, sub { $self->condition($scope, $depth) });
    push @parts, $random->maybe(0.2, sub { $self->fixed_key($scope) });
    return @parts ? ' WHERE ' . join(' AND ', @parts) : '';
}

# A condition that fixes a relation's key, so that statements are routed.
sub fixed_key
{
    my ($self, $scope) = @_;
    my $relation = $self->random->pick(@{ $scope->{relations} });
    my ($key)    = grep { $_->{name} eq 'k' } @{ $relation->{columns} };
    return 'true' unless $key;
    return "$relation->{alias}.k = " . $self->constant($key->{class});
}

sub rows
{
    my ($self, $classes, $outer, $depth) = @_;
    my ($from, $scope) = $self->from($outer, $depth);
    my $columns = $self->name_outputs($classes);
    my @list    = map { $self->expression($_, $scope, $depth > 0 ? 2 : 0) } @$classes;
    my $sql     = 'SELECT ' . target_list($columns, @list) . " FROM $from";
    return { sql => $sql . $self->where($scope, $depth), columns => $columns, scope => $scope };
}

# A query, and the same rows in three parts: where a condition is true, false, and null.
sub partitioned
{
    my ($self)  = @_;
    my @classes = $self->classes;
    my ($from, $scope) = $self->from(undef, 2);
    my $columns = $self->name_outputs(\@classes);
    my @list    = map { $self->expression($_, $scope, 1) } @classes;
    my $where   = $self->where($scope, 1) || ' WHERE true';
    my $p       = $self->condition($scope, 2);
    my $head    = 'SELECT ' . target_list($columns, @list) . " FROM $from$where";
    return { sql => $head, oracle => [ map { "$head AND $_" } "($p)", "NOT ($p)", "($p) IS NULL" ] };
}

sub distinct
{
    my ($self, $classes, $outer, $depth) = @_;
    my $random = $self->random;
    my $query  = $self->rows($classes, $outer, $depth);
    return $query if grep { /^(num|spot)$/ } @$classes;
    if ($random->chance(0.4))
    {
        my $order = join ', ', 1 .. @$classes;
        my $count = 1 + $random->below(scalar @$classes);
        my $on    = join ', ', map { "q.$_->{name}" } @{ $query->{columns} }[ 0 .. $count - 1 ];
        my $rest  = join ', ', map { "q.$_->{name}" } @{ $query->{columns} };
        $query->{sql} = "SELECT DISTINCT ON ($on) $rest FROM ($query->{sql}) q ORDER BY $rest";
        return { sql => "SELECT * FROM ($query->{sql}) q", columns => $query->{columns} };
    }
    $query->{sql} =~ s/^SELECT/SELECT DISTINCT/;
    delete $query->{scope};
    return $query;
}

sub grouped
{
    my ($self, $classes, $outer, $depth) = @_;
    my $random = $self->random;
    my ($from, $scope) = $self->from($outer, $depth);
    my $where   = $self->where($scope, $depth);
    my $columns = $self->name_outputs($classes);
    my (@groups, @list);
    for my $class (@$classes)
    {
        my $groups = $class !~ /^(num|spot|jsonb)$/ && $random->chance(0.45);
        $groups ||= !$Fuzz::Types::aggregates{$class};
        push @list, $groups
            ? $self->within_aggregate(sub { $self->expression($class, $scope, $random->below(2)) })
            : $self->aggregate($class, $scope, 1);
        push @groups, $list[-1] if $groups && $list[-1] =~ /x\d+\./;
    }
    my $sql = 'SELECT ' . target_list($columns, @list) . " FROM $from$where";
    $sql .= ' GROUP BY ' . $self->grouping(@groups) if @groups;
    $sql .= $random->maybe(0.2, sub {
            ' HAVING ' . $random->pick('count(*) > 1', 'count(*) % 2 = 0',
                $self->aggregate('int', $scope, 0) . ' > 3', 'min(' . $self->leaf('text', $scope) . ") < 'c'")
        });
    return { sql => $sql, columns => $columns };
}

sub grouping
{
    my ($self, @groups) = @_;
    my $list = join ', ', @groups;
    # PostgreSQL 15 forgets to sort by a grouping expression that folds to a constant.
    return $list if grep { !/^x\d+\.\S+$/ } @groups;
    return $list unless @groups > 1 && $self->random->chance(0.3);
    return $self->random->part(
        sub {
            my $half = join ', ', @groups[ 1 .. $#groups ];
            return $self->random->pick("ROLLUP ($list)", "CUBE ($list)",
                "GROUPING SETS (($list), ($half), ())", "$groups[0], ROLLUP ($half)",
                "GROUPING SETS (($groups[0]), ($half))");
        },
        sub { $list }
    );
}

sub setop
{
    my ($self, $classes, $outer, $depth) = @_;
    my $random = $self->random;
    my $classes_here = [ map { /^(num|spot)$/ ? 'int' : $_ } @$classes ];
    my @sides = map { $self->query($classes_here, $outer, $depth - 2) } 1 .. 2;
    my $made  = { columns => $sides[0]{columns} };
    my $operator = $random->pick('UNION', 'UNION ALL', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'INTERSECT ALL', 'EXCEPT ALL');
    $made->{sql} = "($sides[0]{sql}) $operator " . "($sides[1]{sql})";
    $made->{sql} = cast_numbers($made->{sql}, $classes, $made->{columns});
    return $made;
}

# Classes that a set operation or DISTINCT must not have, made of others afterwards.
sub cast_numbers
{
    my ($sql, $classes, $columns) = @_;
    return $sql unless grep { /^(num|spot)$/ } @$classes;
    my @list = map {
        my $name = $columns->[$_]{name};
        $classes->[$_] eq 'num' ? "${name}::numeric AS $name"
            : $classes->[$_] eq 'spot' ? "ROW($name, 'y')::spot AS $name" : $name
    } 0 .. $#$classes;
    $columns->[$_] = { %{ $columns->[$_] }, class => $classes->[$_] } for 0 .. $#$classes;
    return 'SELECT ' . join(', ', @list) . " FROM ($sql) q";
}

sub with
{
    my ($self, $classes, $outer, $depth) = @_;
    my $random = $self->random;
    my $name   = 'w' . ++$self->{aliases};
    my $inner  = $random->chance(0.25) ? $self->recursive($name) : $self->query(undef, $outer, $depth - 1);
    my $hint   = $inner->{recursive} ? '' : $random->pick('', 'MATERIALIZED ', 'NOT MATERIALIZED ');
    my $names  = join ', ', map { $_->{name} } @{ $inner->{columns} };
    my $word   = $inner->{recursive} ? 'WITH RECURSIVE' : 'WITH';
    local $self->{ctes} = [ @{ $self->{ctes} }, { name => $name, columns => $inner->{columns} } ];
    local $self->{wanted_cte} = $name;
    my $query = $self->query($classes, $outer, $depth - 1);
    my $extra = $inner->{clause} || '';
    return { sql => "SELECT * FROM ($word $name($names) AS $hint($inner->{sql})$extra $query->{sql}) q",
        columns => $query->{columns} };
}

# A recursive query that walks a table's u upwards.
sub recursive
{
    my ($self, $name) = @_;
    my $random = $self->random;
    my $table  = $random->pick($self->{schema}->distributed);
    my $union  = $random->pick('UNION', 'UNION ALL');
    my $step   = $random->pick("t.u = $name.a + 1", "t.u = $name.a + $name.b + 1");
    my $order  = $random->pick('', '', "SEARCH DEPTH FIRST BY a SET path", "CYCLE a SET looped USING path");
    my $sql =
        "SELECT u, 1 FROM $table->{name} WHERE u < " . (1 + $random->below(4))
        . " $union SELECT t.u, $name.b + 1 FROM $table->{name} t JOIN $name ON $step WHERE $name.b < 5";
    return { sql => $sql, recursive => 1, clause => " $order",
        columns => [ { name => 'a', class => 'int' }, { name => 'b', class => 'int' } ] };
}

sub from_values
{
    my ($self, $classes) = @_;
    my $columns = $self->name_outputs($classes);
    my @rows    = map {
        '(' . join(', ', map { $self->constant($_) } @$classes) . ')'
    } 1 .. 1 + $self->random->below(4);
    my $names = join ', ', map { $_->{name} } @$columns;
    return { sql => "SELECT * FROM (VALUES " . join(', ', @rows) . ") v($names)", columns => $columns };
}

sub window
{
    my ($self, $classes, $outer, $depth) = @_;
    my $random = $self->random;
    my ($from, $scope) = $self->from($outer, $depth);
    my $where     = $self->where($scope, $depth);
    my @unique    = $self->unique_columns($scope);
    my $columns   = $self->name_outputs($classes);
    my @partition = $random->maybe(0.7, sub { $self->leaf($random->pick(qw(int text mood)), $scope) });
    @partition = grep { /x\d+\./ } @partition;
    my @list = map {
              $_ eq 'int' || $_ eq 'text' || $_ eq 'num' || $_ eq 'date'
            ? $self->window_function($_, $scope, \@partition, \@unique)
            : $self->expression($_, $scope, 1)
    } @$classes;
    return { sql => 'SELECT ' . target_list($columns, @list) . " FROM $from$where", columns => $columns };
}

sub window_function
{
    my ($self, $class, $scope, $partition, $unique) = @_;
    my $random = $self->random;
    my $over   = @$partition ? "PARTITION BY $partition->[0] " : '';
    my $order  = $self->leaf('int', $scope);
    $order = 'true' if $order =~ /^-?\d+$|^\$/;
    my $value = $self->leaf($class, $scope);
    my $suffix = $class eq 'int' ? '::int' : '';
    if (@$unique && $random->chance(0.6))
    {
        my $total = join ', ', $order, @$unique;
        my $frame = $random->pick('', 'ROWS BETWEEN 2 PRECEDING AND CURRENT ROW',
            'ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW',
            'GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING');
        my $call = $random->pick("lag($value)", "lead($value, 2)", "first_value($value)", "last_value($value)",
            "nth_value($value, 2)", "min($value)", "max($value)");
        $call = $random->pick('row_number()', 'ntile(3)', "sum($value)", 'rank()') if $class eq 'int' && $random->chance(0.5);
        return "($call OVER (${over}ORDER BY $total $frame))$suffix";
    }
    my $frame = $random->pick('', 'RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING',
        'GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW', 'RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE GROUP');
    my $call = $random->pick("min($value)", "max($value)");
    $call = $random->pick('rank()', 'dense_rank()', "sum($value)", 'count(*)', "count($value)") if $class eq 'int';
    return "($call OVER (${over}ORDER BY $order $frame))$suffix";
}

sub order_and_limit
{
    my ($self, $query, $top) = @_;
    my $random  = $self->random;
    my @columns = 1 .. @{ $query->{columns} };
    my @order   = map { $_ . $random->pick('', '', ' DESC', ' NULLS FIRST') } @columns;
    my $hidden  = $query->{scope} && $random->maybe(0.3, sub { $self->leaf('int', $query->{scope}) });
    unshift @order, $hidden if $hidden && $hidden =~ /^x\d+\./;
    return ' ORDER BY ' . join(', ', @order) if $top && $random->chance(0.3);
    my $limit = $random->part(sub {
            my $count = $random->below(12);
            return ' OFFSET ' . $random->below(5) . " LIMIT $count" if $random->chance(0.3);
            return " FETCH FIRST $count ROWS WITH TIES" if $random->chance(0.2);
            return " LIMIT $count";
    });
    return ' ORDER BY ' . join(', ', @order) . $limit;
}

# A subquery for conditions: one column for each class.
sub subquery
{
    my ($self, $classes, $outer, $depth) = @_;
    local $self->{subqueries} = $self->{subqueries} - 1;
    local $self->{parameters} = undef if $self->{subqueries} < 0;
    my $query = $self->query($classes, $outer, $depth > 1 ? 1 : 0);
    return $query->{sql} . ($self->random->chance(0.1) ? $self->order_and_limit($query, 0) : '');
}

# A subquery of at most one row.
sub single_row
{
    my ($self, $class, $outer, $depth) = @_;
    my $random = $self->random;
    local $self->{subqueries} = $self->{subqueries} - 1;
    if ($random->chance(0.5) && $Fuzz::Types::aggregates{$class})
    {
        my ($from, $scope) = $self->from($outer, 0);
        return 'SELECT ' . $self->aggregate($class, $scope, 0) . " FROM $from" . $self->where($scope, $depth);
    }
    my $query = $self->rows([$class], $outer, $depth);
    return "$query->{sql} ORDER BY 1 LIMIT 1";
}

sub scalar_subquery
{
    my ($self, $class, $outer, $depth) = @_;
    return '(' . $self->single_row($class, $outer, $depth) . ')';
}

1;
