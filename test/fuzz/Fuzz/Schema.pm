# A random schema: table groups with keys of different types, tables of every kind with columns of
# every class, views, functions, and their rows. The same for the herd and for plain PostgreSQL,
# but for the calls that distribute (marked herd => 1).
package Fuzz::Schema;

use strict;
use warnings;
use Fuzz::Random;
use Fuzz::Types;

# The functions and aggregates that templates use. The functions of tables come in add_functions.
my @helpers = (
    'CREATE FUNCTION double(int) RETURNS int LANGUAGE sql IMMUTABLE AS \'SELECT $1 * 2\'',
    'CREATE FUNCTION add_up(bigint, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
     AS \'SELECT coalesce($1, 0) + coalesce($2, 0)\'',
    'CREATE AGGREGATE total(bigint) (SFUNC = add_up, STYPE = bigint, COMBINEFUNC = add_up, INITCOND = 0)',
    'CREATE FUNCTION keep_text(text, text) RETURNS text LANGUAGE plpgsql IMMUTABLE
     AS \'BEGIN RETURN coalesce($2, $1); END\'',
    'CREATE AGGREGATE last_text(text) (SFUNC = keep_text, STYPE = text)'
);

sub new
{
    my ($class, $seed) = @_;
    my $self = bless { random => Fuzz::Random->new($seed), tables => [], views => [], functions => [] },
        $class;
    $self->{setup} = [
        { sql => 'DROP SCHEMA IF EXISTS fuzz CASCADE' }, { sql => 'CREATE SCHEMA fuzz' },
        map { { sql => $_ } } @Fuzz::Types::definitions, @helpers
    ];
    $self->add_tables;
    $self->add_child;
    $self->add_view($_)      for 1 .. 2;
    $self->add_writable_view;
    $self->add_functions($_) for $self->{random}->some(2, $self->distributed);
    $self->add_trigger       if $self->{random}->chance(0.3);
    $self->add_policy        if $self->{random}->chance(0.3);
    push @{ $self->{setup} }, { sql => 'GRANT ALL ON SCHEMA fuzz TO fuzz_user' },
        { sql => 'GRANT ALL ON ALL TABLES IN SCHEMA fuzz TO fuzz_user' };
    return $self;
}

sub setup       { return @{ $_[0]{setup} }; }
sub tables      { return @{ $_[0]{tables} }; }
sub views       { return @{ $_[0]{views} }; }
sub functions   { return @{ $_[0]{functions} }; }
sub distributed { return grep { $_->{kind} eq 'distributed' } @{ $_[0]{tables} }; }

# A statement of the setup; $name says what it makes or fills.
sub add
{
    my ($self, $name, $sql, %mark) = @_;
    push @{ $self->{setup} }, { sql => $sql, about => $name, %mark };
    return;
}

sub add_tables
{
    my ($self) = @_;
    my $random = $self->{random};
    my $group  = 0;
    for my $class ('int', $random->some(2, sort keys %Fuzz::Types::keys))
    {
        $group++;
        my $previous;
        for my $nth (1 .. ($group == 1 ? 3 : 1 + $random->below(2)))
        {
            $previous = $self->add_table('distributed', "d${group}_$nth", $class, $previous);
        }
    }
    $self->add_table('reference', 'r1', 'int');
    $self->add_table('reference', 'r2', $random->pick(qw(int text))) if $random->chance(0.3);
    $self->add_table('local',     'l1', $random->pick(qw(int int text)));
    $self->add_table('temporary', 'm1', 'int') if $random->chance(0.6);
    return;
}

# Makes a table with key k and, mostly, the primary key (k, u). A distributed table is co-located
# with $previous, if there is one.
sub add_table
{
    my ($self, $kind, $name, $key, $previous) = @_;
    my $random = $self->{random};
    my $type   = $random->pick(@{ $Fuzz::Types::keys{$key} });
    $type = $previous->{key_type} if $previous;
    my $table = {
        kind => $kind, name => $name, key_type => $type, key_class => $key, rows => 0,
        unique => $random->chance(0.8), unlike => $random->chance(0.15),
        partitioned => $kind eq 'distributed' && $random->chance(0.25)
    };
    my @columns = ({ name => 'k', class => $key, type => $type }, { name => 'u', class => 'int', type => 'int' });
    my @classes = sort keys %Fuzz::Types::types;
    for my $class ('int', 'text', 'int', map { $random->pick(@classes) } 1 .. 3 + $random->below(4))
    {
        my $column = { name => substr($class, 0, 2) . scalar(@columns), class => $class };
        $column->{name} = '"Order ' . scalar(@columns) . '"' if $random->chance(0.04);
        $column->{type} = $random->pick(@{ $Fuzz::Types::types{$class} });
        push @columns, $column;
    }
    $table->{columns} = \@columns;
    push @{ $self->{tables} }, $table;
    $self->create($table);
    $self->distribute($table, $previous);
    $self->fill($table);
    return $table;
}

sub create
{
    my ($self, $table) = @_;
    my $random = $self->{random};
    my @parts  = map { "$_->{name} $_->{type}" } @{ $table->{columns} };
    $parts[1] .= ' DEFAULT 100';
    for my $i (2 .. $#parts)
    {
        my $column = $table->{columns}[$i];
        next unless $column->{class} eq 'int' && $random->chance(0.4);
        $column->{default} = 1;
        $parts[$i] .= ' DEFAULT ' . $random->below(9);
    }
    if ($random->chance(0.3))
    {
        push @parts, 'g int GENERATED ALWAYS AS (u % 5) STORED';
        push @{ $table->{columns} }, { name => 'g', class => 'int', type => 'int', generated => 1 };
    }
    push @parts, 'PRIMARY KEY (k, u)' if $table->{unique};
    push @parts, 'CHECK (u < 5000)'   if $random->chance(0.2);
    my $temporary = $table->{kind} eq 'temporary' ? 'TEMPORARY ' : '';
    my $sql       = "CREATE ${temporary}TABLE $table->{name} (" . join(', ', @parts) . ')';
    $sql .= ' PARTITION BY RANGE (u)' if $table->{partitioned};
    $self->add($table->{name}, $sql);
    if ($table->{partitioned})
    {
        my $bound = 5 + $random->below(40);
        $self->add($table->{name}, "CREATE TABLE $table->{name}_a PARTITION OF $table->{name} FOR VALUES FROM (MINVALUE) TO ($bound)");
        $self->add($table->{name}, "CREATE TABLE $table->{name}_b PARTITION OF $table->{name} FOR VALUES FROM ($bound) TO (MAXVALUE)");
    }
    my $indexed = $random->pick(@{ $table->{columns} });
    $self->add($table->{name}, "CREATE INDEX ON $table->{name} ($indexed->{name})")
        if $random->chance(0.4) && $indexed->{class} !~ /^(jsonb|spot)$/;
    return;
}

sub distribute
{
    my ($self, $table, $previous) = @_;
    my $name = "fuzz.$table->{name}";
    return $self->add($table->{name}, "SELECT herd.reference('$name')", herd => 1) if $table->{kind} eq 'reference';
    return unless $table->{kind} eq 'distributed';
    my $how =
        $previous
        ? "colocate_with => 'fuzz.$previous->{name}'"
        : 'shard_count => ' . $self->{random}->pick(3, 6, 12, 24);
    $self->add($table->{name}, "SELECT herd.distribute('$name', 'k', $how)", herd => 1);
    return;
}

# Rows: u is unique, keys are skewed or spread, many values are null.
sub fill
{
    my ($self, $table) = @_;
    my $random = $self->{random};
    my $count  = $random->pick(0, 3, 25, 40, 60);
    $count = 8 if $table->{kind} eq 'reference';
    my $skewed = $random->chance(0.3);
    my @rows;
    for my $u (1 .. $count)
    {
        my @values = map { $self->value($_, $random->pick(0.02, 0.15)) } grep { !$_->{generated} }
            @{ $table->{columns} };
        $values[1] = $u;
        $values[0] = $self->value($table->{columns}[0], $table->{unique} ? 0 : 0.06);
        $values[0] = Fuzz::Types::constant($table->{key_class}, 3) if $skewed && $random->chance(0.5);
        push @rows, '(' . join(', ', @values) . ')';
    }
    my $columns = join ', ', map { $_->{name} } grep { !$_->{generated} } @{ $table->{columns} };
    while (my @some = splice @rows, 0, 10)
    {
        $self->add($table->{name}, "INSERT INTO $table->{name} ($columns) VALUES " . join(', ', @some));
    }
    $self->add($table->{name}, "ANALYZE $table->{name}") if $random->chance(0.4);
    return;
}

sub value
{
    my ($self, $column, $nulls) = @_;
    my $random = $self->{random};
    return 'NULL' if $random->chance($nulls);
    return Fuzz::Types::constant($column->{class}, $random->below($Fuzz::Types::range{ $column->{class} } || 16));
}

# A table whose foreign key goes to another one of its group.
sub add_child
{
    my ($self) = @_;
    my $random = $self->{random};
    my ($parent) = $random->some(1, grep { $_->{unique} } $self->distributed) or return;
    my $table = { kind => 'distributed', name => 'child', key_type => $parent->{key_type}, key_class => $parent->{key_class},
        unique => 1, columns => [ { name => 'k', class => $parent->{key_class}, type => $parent->{key_type} },
            map { { name => $_, class => 'int', type => 'int' } } qw(u parent in3) ] };
    push @{ $self->{tables} }, $table;
    my $action = $random->pick('CASCADE', 'CASCADE', 'SET NULL (parent)', 'NO ACTION', 'RESTRICT');
    my $deferred = $random->pick('', ' DEFERRABLE INITIALLY DEFERRED');
    $self->add('child', "CREATE TABLE child (k $parent->{key_type}, u int DEFAULT 100, parent int, in3 int, PRIMARY KEY (k, u))");
    $self->add('child', "SELECT herd.distribute('fuzz.child', 'k', colocate_with => 'fuzz.$parent->{name}')", herd => 1);
    $self->add('child', "ALTER TABLE child ADD FOREIGN KEY (k, parent) REFERENCES $parent->{name} (k, u) ON DELETE $action$deferred");
    $self->add('child', "INSERT INTO child (k, u, parent, in3) SELECT k, u, u, u % 7 FROM $parent->{name} WHERE u % 3 > 0");
    return;
}

# A view that can be written to, which stands among the tables.
sub add_writable_view
{
    my ($self) = @_;
    my $random = $self->{random};
    my $table  = $random->pick($self->distributed);
    my @columns = grep { !$_->{generated} } @{ $table->{columns} };
    my $names   = join ', ', map { $_->{name} } @columns;
    my $check   = $random->pick('', ' WITH CHECK OPTION', ' WITH LOCAL CHECK OPTION');
    $self->add('wv', "CREATE VIEW wv AS SELECT $names FROM $table->{name} WHERE u > 2$check");
    push @{ $self->{tables} }, { %$table, keeps_keys => 1, kind => 'view', name => 'wv', columns => \@columns, partitioned => 0 };
    return;
}

# A trigger that changes rows, and one that writes to another table of the group.
sub add_trigger
{
    my ($self) = @_;
    my $random = $self->{random};
    my ($table) = $random->some(1, $self->distributed);
    my ($column) = $random->some(1, grep { $_->{class} eq 'int' && !$_->{generated} && $_->{name} !~ /^[ku]$/ }
            @{ $table->{columns} }) or return;
    # A row that moves to another node is deleted and inserted, and fires those triggers.
    my $name = $table->{name};
    $table->{keeps_keys} = 1;
    $self->add($name, "CREATE FUNCTION change_$name() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.$column->{name} := coalesce(NEW.$column->{name}, 0) % 50 + 1; RETURN NEW; END'");
    $self->add($name, "CREATE TRIGGER change BEFORE " . $random->pick('INSERT', 'UPDATE', 'INSERT OR UPDATE')
            . " ON $name FOR EACH ROW EXECUTE FUNCTION change_$name()");
    return;
}

# Row security, for the role that some steps take on.
sub add_policy
{
    my ($self) = @_;
    my $random = $self->{random};
    my $name   = $random->pick($self->distributed)->{name};
    my $check  = $random->pick('u % 3 <> 1', "current_user = 'fuzz_user' AND u < 300", 'k IS NOT NULL AND u % 2 = 0');
    $self->add($name, "ALTER TABLE $name ENABLE ROW LEVEL SECURITY");
    $self->add($name, "CREATE POLICY some_rows ON $name USING ($check)" . $random->pick('', ' WITH CHECK (u <> 13)'));
    return;
}

# A view of one table or two.
sub add_view
{
    my ($self, $nth) = @_;
    my $random = $self->{random};
    my ($a, $b) = map { $random->pick(grep { $_->{kind} ne 'temporary' } $self->tables) } 1 .. 2;
    my $c = $random->pick(@{ $b->{columns} });
    my $sql =
        $random->chance(0.5)
        ? "SELECT k, u, count(*) AS n FROM $a->{name} WHERE u > 2 GROUP BY k, u"
        : "SELECT a.k, a.u, b.$c->{name} AS t FROM $a->{name} a LEFT JOIN $b->{name} b ON a.u = b.u";
    my @columns = ({ name => 'k', class => $a->{key_class} }, { name => 'u', class => 'int' },
        $sql =~ / AS n / ? { name => 'n', class => 'int' } : { name => 't', class => $c->{class} });
    $self->add("v$nth", "CREATE VIEW v$nth AS $sql");
    push @{ $self->{views} }, { name => "v$nth", columns => \@columns };
    return;
}

# Functions in PL/pgSQL and SQL that query a distributed table.
sub add_functions
{
    my ($self, $table) = @_;
    my ($name, $type) = @$table{qw(name key_type)};
    $type =~ s/\(.*//;
    my @made = (
        [ "count_$name", 'int', [ $table->{key_class} ], "($type) RETURNS bigint LANGUAGE plpgsql STABLE
            AS 'BEGIN RETURN (SELECT count(*) FROM fuzz.$name WHERE k = \$1); END'" ],
        [ "above_$name", 'int', ['int'], "(int) RETURNS bigint LANGUAGE sql STABLE
            AS 'SELECT count(*) FROM fuzz.$name WHERE u > \$1'" ],
        [ "loop_$name", 'int', ['int'], "(int) RETURNS bigint LANGUAGE plpgsql
            AS 'DECLARE r record; n bigint = 0; BEGIN
                FOR r IN SELECT u FROM fuzz.$name WHERE u < \$1 LOOP n = n + r.u; END LOOP;
                RETURN n; END'" ]
    );
    for my $made (@made)
    {
        my ($function, $class, $arguments, $body) = @$made;
        $self->add($function, "CREATE FUNCTION $function$body");
        push @{ $self->{functions} }, { name => $function, class => $class, arguments => $arguments };
    }
    $self->add("rows_$name", "CREATE FUNCTION rows_$name(int) RETURNS TABLE (a int, b $type) LANGUAGE "
            . $self->{random}->pick(
            "sql STABLE AS 'SELECT u, k FROM fuzz.$name WHERE u <= \$1'",
            "plpgsql AS 'BEGIN RETURN QUERY SELECT t.u, t.k FROM fuzz.$name t WHERE t.u <= \$1; END'"
            ));
    push @{ $self->{functions} },
        { name => "rows_$name", arguments => ['int'], columns => [ { name => 'a', class => 'int' },
            { name => 'b', class => $table->{key_class} } ] };
    return;
}

1;
