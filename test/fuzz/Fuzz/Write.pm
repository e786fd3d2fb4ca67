# Random statements that write: INSERT, UPDATE, DELETE, MERGE, COPY, TRUNCATE and WITH queries that
# modify. What they leave behind does not depend on the order in which rows are found.
package Fuzz::Write;

use strict;
use warnings;
use Fuzz::Query;
our @ISA = ('Fuzz::Query');

my @kinds = (
    ('insert_values') x 5, ('insert_select') x 3, ('update') x 6, ('delete') x 3, 'merge', 'merge',
    'modifying_with', 'modifying_with', 'copy_from', 'truncate'
);

# One writing statement { sql, write, data }.
sub statement
{
    my ($self) = @_;
    my $random = $self->random;
    my $kind   = $random->pick(@kinds);
    local $self->{subqueries} = 1;
    my $table = $self->target;
    my ($sql, $data) = $self->$kind($table);
    return { sql => $sql, data => $data, write => 1 };
}

sub target
{
    my ($self) = @_;
    my $random = $self->random;
    my $schema = $self->{schema};
    return $random->pick($random->chance(0.75) ? $schema->distributed : $schema->tables);
}

sub writable { return grep { !$_->{generated} } @{ $_[0]{columns} }; }

sub scope_of
{
    my ($table, $alias) = @_;
    return { relations => [ { alias => $alias, columns => $table->{columns} } ] };
}

sub returning
{
    my ($self, $scope) = @_;
    my $random = $self->random;
    return $random->maybe(0.3, sub {
            return ' RETURNING *' if $random->chance(0.3);
            return ' RETURNING ' . join ', ', map {
                $self->expression($random->pick(qw(int text date)), $scope, 1) } 1 .. 2;
    });
}

# k and u, which the primary key needs, and some of the other columns.
sub insert_columns
{
    my ($self, $table) = @_;
    my ($k, $u, @rest) = writable($table);
    return ($k, $u, grep { $self->random->chance(0.6) } @rest);
}

sub insert_values
{
    my ($self, $table) = @_;
    my $random  = $self->random;
    my @columns = $self->insert_columns($table);
    my @rows    = $random->many(1, 4, sub { $self->value_row($table, @columns) });
    my $names   = join ', ', map { $_->{name} } @columns;
    my $sql     = "INSERT INTO $table->{name} AS t ($names) VALUES " . join(', ', @rows);
    return $sql . $self->on_conflict($table, @columns) . $self->returning(scope_of($table, 't'));
}

sub value_row
{
    my ($self, $table, @columns) = @_;
    my $random = $self->random;
    my @values = map { $_->{default} && $random->chance(0.2) ? 'DEFAULT' : $self->constant($_->{class}) } @columns;
    $values[1] = $random->below(300);
    $values[1] = '(SELECT max(u) + 1 FROM ' . $self->target->{name} . ')' if $random->chance(0.03);
    return '(' . join(', ', @values) . ')';
}

sub on_conflict
{
    my ($self, $table, @columns) = @_;
    my $random = $self->random;
    return '' unless $table->{unique};
    return $random->maybe(0.4, sub {
            return ' ON CONFLICT ' . $random->pick('', '(k, u) ') . 'DO NOTHING' if $random->chance(0.4) || @columns < 3;
            my @set = map {
                my $value = $random->chance(0.6) ? "excluded.$_->{name}" : $self->expression($_->{class}, scope_of($table, 't'), 1);
                "$_->{name} = $value"
            } $random->some(2, @columns[ 2 .. $#columns ]);
            my $where = $random->maybe(0.3, sub { ' WHERE ' . $self->condition(scope_of($table, 't'), 0) });
            return ' ON CONFLICT (k, u) DO UPDATE SET ' . join(', ', @set) . $where;
    });
}

# From a table with unique rows, or, where no row is in another's way, from any query.
sub insert_select
{
    my ($self, $table) = @_;
    my $random  = $self->random;
    my @columns = $self->insert_columns($table);
    my $names   = join ', ', map { $_->{name} } @columns;
    my $source  = $self->unique_source($table, @columns);
    if (!$source || $random->chance(0.3))
    {
        my $query = $self->query([ map { $_->{class} } @columns ], undef, 2);
        my $u = $query->{columns}[1]{name};
        return "INSERT INTO $table->{name} ($names) SELECT * FROM ($query->{sql}) q WHERE q.$u BETWEEN 1 AND 900"
            . $self->returning(scope_of($table, $table->{name}));
    }
    return "INSERT INTO $table->{name} AS t ($names) $source" . $self->on_conflict($table, @columns)
        . $self->returning(scope_of($table, 't'));
}

# A query with one row for each (k, u), to insert into the table.
sub unique_source
{
    my ($self, $table, @columns) = @_;
    my $random = $self->random;
    my ($from) = $random->some(1, grep { $_->{unique} && $_->{key_class} eq $table->{key_class} }
            $self->{schema}->tables) or return;
    my $alias = $self->alias;
    my $scope = { relations => [ { alias => $alias, columns => $from->{columns} } ] };
    my $add   = $random->pick(0, 100, 200);
    my @list  = ("$alias.k", "$alias.u + $add", map { $self->expression($_->{class}, $scope, 1) } @columns[ 2 .. $#columns ]);
    my $list  = join ', ', map { "$list[$_] AS $columns[$_]{name}" } 0 .. $#list;
    return "SELECT $list FROM $from->{name} $alias WHERE $alias.u < 300 AND " . $self->condition($scope, 1);
}

sub update
{
    my ($self, $table) = @_;
    my $random = $self->random;
    my $scope  = scope_of($table, 't');
    my @set    = $self->assignments($table, $scope);
    my $from   = $random->maybe(0.2, sub { $self->other_rows($table, $scope) });
    my $where  = $self->conditions_on($table, $scope, $from =~ s/ WHERE (.*)//s ? $1 : ());
    my $moved  = $random->chance(0.05) ? 'u = t.u + 500' : '';
    @set = ($moved), $where .= ' AND t.u < 400' if $moved;
    @set = 'k = ' . $self->expression($table->{key_class}, $scope, 1) if $random->chance(0.03) && !$table->{unique} && !$table->{keeps_keys};
    return "UPDATE $table->{name} AS t SET " . join(', ', @set) . "$from WHERE $where" . $self->returning($scope);
}

sub assignments
{
    my ($self, $table, $scope) = @_;
    my $random  = $self->random;
    my @columns = (writable($table))[ 2 .. scalar(writable($table)) - 1 ];
    my ($first, @more) = $random->some(1 + $random->below(3), @columns);
    if (@more && $random->chance(0.1))
    {
        my $query = $self->rows([ $first->{class}, $more[0]{class} ], $scope, 0);
        return "($first->{name}, $more[0]{name}) = ($query->{sql} ORDER BY 1, 2 LIMIT 1)";
    }
    return map { $self->assignment($_, $scope) } $first, map { my $c = $_; $random->part(sub { $c }) || () } @more;
}

sub assignment
{
    my ($self, $column, $scope) = @_;
    return "$column->{name} = DEFAULT" if $column->{default} && $self->random->chance(0.1);
    return "$column->{name} = " . $self->expression($column->{class}, $scope, 2);
}

# Another relation with at most one row for each row of the target.
sub other_rows
{
    my ($self, $table, $scope) = @_;
    my $random = $self->random;
    my ($other) = $random->some(1, grep { $_->{key_class} eq $table->{key_class} } $self->{schema}->tables);
    my $alias = $self->alias;
    push @{ $scope->{relations} }, { alias => $alias, columns => $other->{columns} } if $other->{unique};
    return " FROM $other->{name} $alias WHERE $alias.k = t.k AND $alias.u = t.u" if $other->{unique};
    push @{ $scope->{relations} }, { alias => $alias, columns => [ { name => 'n', class => 'int' } ] };
    return " FROM (SELECT k, max(u) AS n FROM $other->{name} GROUP BY k) $alias WHERE $alias.k = t.k";
}

sub conditions_on
{
    my ($self, $table, $scope, @conditions) = @_;
    my $random = $self->random;
    push @conditions, $random->maybe(0.75, sub { $self->condition($scope, 2) });
    push @conditions, $random->maybe(0.35, sub { 't.k = ' . $self->constant($table->{key_class}) });
    return join(' AND ', @conditions) || 'true';
}

sub delete
{
    my ($self, $table) = @_;
    my $random = $self->random;
    my $scope  = scope_of($table, 't');
    my $other  = $random->pick($self->{schema}->tables);
    my $using  = $random->maybe(0.2, sub { ' USING ' . $other->{name} . ' o' });
    my @extra  = $using ? 'o.' . $random->pick('u = t.u', $other->{key_class} eq $table->{key_class} ? ('k = t.k') x 3 : ()) : ();
    push @extra, 't.u % 4 = ' . $random->below(4);
    return "DELETE FROM $table->{name} AS t$using WHERE " . $self->conditions_on($table, $scope, @extra) . $self->returning($scope);
}

sub merge
{
    my ($self, $table) = @_;
    my $random  = $self->random;
    my @columns = $self->insert_columns($table);
    my $source  = $self->unique_source($table, @columns) || return $self->update($table);
    my $names   = join ', ', map { $_->{name} } @columns;
    my $values  = join ', ', map { "s.$_->{name}" } @columns;
    my $both    = { relations => [ { alias => 't', columns => $table->{columns} }, { alias => 's', columns => \@columns } ] };
    my @set     = map { $self->assignment($_, $both) } $random->some(1, (writable($table))[ 2, 3 ]);
    my @clauses = $random->many(1, 3, sub {
            my $only = $random->maybe(0.5, sub { ' AND ' . $self->condition($both, 0) });
            return $random->pick("WHEN MATCHED$only THEN UPDATE SET " . join(', ', @set), "WHEN MATCHED$only THEN DELETE",
                'WHEN MATCHED AND t.u < 5 THEN DO NOTHING', "WHEN NOT MATCHED AND s.u > 3 THEN INSERT ($names) VALUES ($values)");
    });
    return "MERGE INTO $table->{name} t USING ($source) s ON t.k = s.k AND t.u = s.u " . join ' ', @clauses;
}

sub modifying_with
{
    my ($self, $table) = @_;
    my $random = $self->random;
    my $kind   = $random->pick(qw(insert_values update delete));
    my $inner  = $self->$kind($table);
    $inner =~ s/ RETURNING (?!.* FROM ).*//s;
    my $qualifier = $kind eq 'insert_values' ? 't.' : 't.';
    my $first     = "WITH w AS ($inner RETURNING ${qualifier}k, ${qualifier}u)";
    return "$first SELECT count(*), sum(u) FROM w" if $random->chance(0.4);
    return "$first SELECT w.u, o.u FROM w LEFT JOIN " . $self->target->{name} . ' o ON o.u = w.u' if $random->chance(0.5);
    my ($other) = $random->some(1, grep { $_->{key_class} eq $table->{key_class} && $_ != $table } $self->{schema}->tables)
        or return "$first SELECT * FROM w";
    return "$first INSERT INTO $other->{name} (k, u) SELECT k, max(u) + 300 FROM w GROUP BY k";
}

sub copy_from
{
    my ($self, $table) = @_;
    my $random  = $self->random;
    my @columns = grep { $_->{class} =~ /^(int|text|num|date|ts|uuid|mood|bool)$/ } writable($table);
    my $csv     = $random->chance(0.4);
    my $data    = join '', $random->many(1, 6, sub {
            my @values = map { Fuzz::Types::constant($_->{class}, $random->below(20)) =~ s/^'(.*)'(::\w+)?$/$1/r =~ s/''/'/r } @columns;
            $values[1] = 300 + $random->below(300);
            return $csv ? join(',', map { "\"$_\"" } @values) . "\n" : join("\t", @values) . "\n";
    });
    my $names = join ', ', map { $_->{name} } @columns;
    return ("COPY $table->{name} ($names) FROM STDIN" . ($csv ? ' (FORMAT csv)' : ''), $data);
}

sub truncate
{
    my ($self, $table) = @_;
    return $self->random->chance(0.3) ? "TRUNCATE $table->{name}" : $self->delete($table);
}

1;
