# Makes random SELECT statements over the differential test's tables: joins of every kind, grouping,
# subqueries, set operations, CTEs and windows, with answers that do not depend on chance. The same
# seed makes the same statements.
package Herd::Generator;

use strict;
use warnings;

# Columns by type: i integer, n numeric, t text.
my %tables = (
    customers => { i => [qw(id region_id)], n => ['balance'], t => [qw(name initial)] },
    orders    => {
        i => [qw(customer_id order_id revision)], n => [qw(total tax)], t => [qw(note status::text)]
    },
    order_items =>
        { i => [qw(customer_id order_id line product_id quantity)], n => ['price'], t => [] },
    accounts    => { i => [qw(id balance)],          n => [],        t => ['owner'] },
    documents   => { i => [qw(owner version::int)],  n => [],        t => ['title'] },
    devices     => { i => ['owner'],                 n => [],        t => [qw(name model)] },
    events      => { i => ['seq'],                   n => [],        t => [qw(device kind)] },
    tickets     => { i => [qw(project id priority)], n => [],        t => ['title'] },
    pairs       => { i => [qw(a b)],                 n => [],        t => ['c'] },
    products    => { i => ['id'],                    n => ['price'], t => [qw(name category)] },
    regions     => { i => ['id'],                    n => [],        t => [qw(name continent)] },
    local_notes => { i => [qw(id customer_id)],      n => [],        t => ['body'] }
);
my %key = (
    customers => 'id',    orders  => 'customer_id', order_items => 'customer_id', accounts => 'id',
    documents => 'owner', devices => 'owner', tickets => 'project', pairs => 'a', products => 'id',
    regions   => 'id',    local_notes => 'customer_id', events => 'seq'
);
my @names = sort keys %tables;

# Greatest values of integer columns, and texts that occur.
my %greatest = (
    region_id => 5,    order_id => 30000, revision => 2, line => 3, product_id => 40, quantity => 5,
    balance   => 9000, owner => 50, 'version::int' => 5, seq  => 1200, project => 15, priority => 5,
    a         => 20,   b     => 7
);
my %texts = (
    initial  => [qw(A K Z)], 'status::text' => [qw(new paid sent)], note => [ 'note 3', 'note 12' ],
    owner    => [ 'owner 4', 'owner 9' ], model => ['model 2'], device => [qw(dev-9 dev-30)],
    kind     => [qw(stop data)],
    category => [qw(toy book)], continent => ['Europe'], c => [ 'p17', 'p90' ]
);
my @together = qw(customers orders order_items);

sub new
{
    my ($class, $seed) = @_;
    srand $seed;
    return bless { alias => 0 }, $class;
}

sub pick   { return $_[ rand @_ ]; }
sub chance { return rand() < $_[0]; }

# A statement that answers the same on every run: rows in any order, or in a total one.
sub statement
{
    my ($self) = @_;
    $self->{alias} = 0;
    my $kind =
        pick(qw(rows rows rows grouped grouped grouped distinct setop derived cte window scalar));
    my ($sql, $columns) = $self->$kind();
    if (chance(0.4))
    {
        my @order = map { $_ . pick('', ' DESC', ' NULLS FIRST') } 1 .. $columns;
        $sql .= ' ORDER BY ' . join(', ', @order);
        $sql .= ' LIMIT ' . int(rand 20) if chance(0.6);
        $sql .= ' OFFSET ' . int(rand 8) if chance(0.2);
    }
    return $sql;
}

# FROM with one to three tables; returns the text and the scope: [[alias, table], ...].
sub from
{
    my ($self, $count) = @_;
    $count ||= pick(1, 1, 2, 2, 2, 3);
    my @pool = chance(0.5) ? @together : @names;
    my @scope;
    my $text = '';
    for my $i (1 .. $count)
    {
        my $table = pick(@pool);
        my $alias = 'x' . ++$self->{alias};
        my $entry = [ $alias, $table ];
        if ($i == 1) { $text = "$table $alias"; }
        else
        {
            my $kind =
                pick('JOIN', 'JOIN', 'JOIN', 'LEFT JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN');
            my $other = pick(@scope);
            my $on =
                chance(0.7)
                ? "$other->[0].$key{$other->[1]} = $alias.$key{$table}"
                : $self->column('i', $other) . ' = ' . $self->column('i', $entry);
            $on .= ' AND ' . $self->condition([ $entry, $other ], 0)
                if $kind ne 'FULL JOIN' && chance(0.3);
            $text .= " $kind $table $alias ON $on";
        }
        push @scope, $entry;
    }
    return ($text, \@scope);
}

sub column
{
    my ($self, $type, $entry) = @_;
    my $columns = $tables{ $entry->[1] }{$type};
    return @$columns ? "$entry->[0]." . pick(@$columns) : constant($type);
}

# A column of any type, with its type.
sub any_column
{
    my ($self, $scope) = @_;
    my $entry = pick(@$scope);
    my $type  = pick(grep { @{ $tables{ $entry->[1] }{$_} } } qw(i i n t));
    return ($self->column($type, $entry), $type);
}

# A constant of the type, of the kind that the column holds.
sub constant
{
    my ($type, $column) = @_;
    my ($name) = defined $column ? $column =~ /\.(.*)/ : ('');
    return int rand($greatest{$name} || 300) + 1 if $type eq 'i';
    return int(rand 50000) / 100                 if $type eq 'n';
    return
        "'"
        . pick(@{ $texts{$name} || [ 'Fname 5', 'product 7', 'document 31', 'North', 'M' ] }) . "'";
}

sub expression
{
    my ($self, $type, $scope, $depth) = @_;
    my $entry = pick(@$scope);
    return chance(0.92) ? $self->column($type, $entry) : constant($type)
        if $depth <= 0 || chance(0.5);
    my @e = map { $self->expression($type, $scope, $depth - 1) } 1 .. 2;
    my $c = $self->condition($scope, 0);
    return pick(
        "coalesce($e[0], $e[1])", "CASE WHEN $c THEN $e[0] ELSE $e[1] END", "nullif($e[0], $e[1])",
        $type eq 't'
        ? ("upper($e[0])", "$e[0] || $e[1]", "left($e[0], 3)")
        : ("($e[0] + $e[1])", "($e[0] - $e[1])", "abs($e[0])", "greatest($e[0], $e[1])")
    );
}

sub condition
{
    my ($self, $scope, $depth) = @_;
    my ($c, $type) = $self->any_column($scope);
    my $e = $depth > 0 && chance(0.3) ? $self->expression($type, $scope, 1) : $c;
    my $f = chance(0.75) ? constant($type, $c) : $self->expression($type, $scope, 0);
    my $kind =
        pick(qw(cmp cmp cmp cmp in null between), $depth > 0 ? qw(and or not exists insub) : ());
    if ($kind eq 'cmp')
    {
        return "$e " . pick('=', '<', '<', '>', '>', '<=', '>=', '<>', '<>') . " $f";
    }
    if ($kind eq 'in')
    {
        return "$e IN (" . join(', ', map { constant($type, $c) } 1 .. 5) . ')';
    }
    if ($kind eq 'null') { return "$e IS " . pick('', 'NOT ', 'NOT ') . 'NULL'; }
    if ($kind eq 'between')
    {
        return "$e BETWEEN "
            . join(
            ' AND ', sort { $type eq 't' ? $a cmp $b : $a <=> $b }
                map { constant($type, $c) } 1 .. 2
            );
    }
    my $deeper = sub { $self->condition($scope, $depth - 1) };
    if ($kind eq 'and') { return '(' . $deeper->() . ' AND ' . $deeper->() . ')'; }
    if ($kind eq 'or')  { return '(' . $deeper->() . ' OR ' . $deeper->() . ')'; }
    if ($kind eq 'not') { return '(NOT ' . $deeper->() . ')'; }
    return $self->subquery_condition($kind, $scope);
}

sub subquery_condition
{
    my ($self, $kind, $scope) = @_;
    my $outer = pick(@$scope);
    my $table = pick(chance(0.6) ? @together : @names);
    my $entry = [ 'x' . ++$self->{alias}, $table ];
    my $where = $self->condition([$entry], 0);
    if ($kind eq 'exists')
    {
        my $link = "$entry->[0].$key{$table} = $outer->[0].$key{$outer->[1]}";
        return pick('', 'NOT ')
            . "EXISTS (SELECT 1 FROM $table $entry->[0] WHERE $link AND $where)";
    }
    return
          $self->column('i', $outer)
        . ' IN (SELECT '
        . $self->column('i', $entry)
        . " FROM $table $entry->[0] WHERE $where)";
}

sub where
{
    my ($self, $scope) = @_;
    my @parts = chance(0.7) ? $self->condition($scope, pick(0, 1, 1, 2)) : ();
    my $entry = pick(@$scope);
    push @parts, "$entry->[0].$key{$entry->[1]} = " . int(rand 60) if chance(0.25);
    push @parts, "$entry->[0].$key{$entry->[1]} < 90"              if chance(0.3);
    return @parts ? ' WHERE ' . join(' AND ', @parts) : '';
}

sub rows
{
    my ($self, @types) = @_;
    my ($from, $scope) = $self->from;
    @types = map { pick('i', 'i', 'n', 't') } 1 .. 1 + int(rand 4) unless @types;
    my @list = map { $self->expression($_, $scope, 1) } @types;
    return ('SELECT ' . join(', ', @list) . " FROM $from" . $self->where($scope), scalar @list);
}

sub aggregate
{
    my ($self, $scope) = @_;
    my $type = pick('i', 'n', 't');
    my $e    = $self->expression($type, $scope, 1);
    my $text =
        $type eq 't'
        ? pick("min($e)", "max($e)", "count($e)", "count(DISTINCT $e)")
        : pick(
        "sum($e)", "min($e)", "max($e)", "avg($e)", "count($e)", "count(DISTINCT $e)", 'count(*)',
        "round(stddev($e), 6)"
        );
    return $text if $text =~ /^round/;
    return chance(0.15) ? "$text FILTER (WHERE " . $self->condition($scope, 0) . ')' : $text;
}

sub grouped
{
    my ($self) = @_;
    my ($from, $scope) = $self->from;
    my @groups = map { $self->column(pick('i', 't'), pick(@$scope)) } 1 .. int(rand 3);
    @groups = grep { /\./ } @groups;
    my @list = (@groups, map { $self->aggregate($scope) } 1 .. 1 + int(rand 3));
    my $sql  = 'SELECT ' . join(', ', @list) . " FROM $from" . $self->where($scope);
    $sql .= ' GROUP BY ' . join(', ', @groups) if @groups;
    $sql .=
        ' HAVING '
        . pick('count(*) > 2', 'count(*) % 2 = 0', $self->aggregate($scope) . ' IS NOT NULL')
        if chance(0.25);
    return ($sql, scalar @list);
}

sub distinct
{
    my ($self) = @_;
    my ($sql, $columns) = $self->rows;
    $sql =~ s/^SELECT/SELECT DISTINCT/;
    return ($sql, $columns);
}

sub setop
{
    my ($self)  = @_;
    my ($left)  = $self->rows('i', 't');
    my ($right) = $self->rows('i', 't');
    return ("$left " . pick('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL') . " $right",
        2);
}

sub derived
{
    my ($self) = @_;
    my ($from, $scope) = $self->from(pick(1, 2));
    my $k = $self->column('i', $scope->[0]);
    my $inner =
          "SELECT $k AS k, "
        . $self->aggregate($scope)
        . " AS v FROM $from"
        . $self->where($scope)
        . " GROUP BY 1";
    my $table = pick(@names);
    my $join  = pick('JOIN', 'LEFT JOIN');
    my $entry = [ 'y', $table ];
    return (  "SELECT s.k, s.v, "
            . $self->column('i', $entry)
            . " FROM ($inner) s $join $table y ON y.$key{$table} = s.k"
            . (chance(0.5) ? ' WHERE ' . $self->condition([$entry], 0) : ''), 3);
}

sub cte
{
    my ($self)  = @_;
    my ($first) = $self->rows('i', 't');
    my ($from, $scope) = $self->from(1);
    my $hint = pick('', 'MATERIALIZED ', 'NOT MATERIALIZED ');
    return (  "WITH c(k, v) AS $hint($first) SELECT c.k, c.v, "
            . $self->column('i', $scope->[0])
            . " FROM c JOIN $from ON $scope->[0][0].$key{$scope->[0][1]} = c.k"
            . $self->where($scope), 3);
}

sub window
{
    my ($self) = @_;
    my ($from, $scope) = $self->from(pick(1, 1, 2));
    my $e = $self->column('i',            pick(@$scope));
    my $p = $self->column(pick('i', 't'), pick(@$scope));
    my $f = pick('count(*)', "sum($e)", "max($e)", 'rank()', 'dense_rank()');
    return (
        "SELECT $e, $p, $f OVER (PARTITION BY $p ORDER BY $e) FROM $from" . $self->where($scope),
        3);
}

sub scalar
{
    my ($self) = @_;
    my ($from, $scope) = $self->from(pick(1, 2));
    my $outer = pick(@$scope);
    my ($inner, $inside) = $self->from(1);
    my $link =
        chance(0.7)
        ? "$inside->[0][0].$key{$inside->[0][1]} = $outer->[0].$key{$outer->[1]}"
        : 'true';
    my $sub = '(SELECT ' . $self->aggregate($inside) . " FROM $inner WHERE $link)";
    return ('SELECT ' . $self->column('i', $outer) . ", $sub FROM $from" . $self->where($scope), 2);
}

1;
