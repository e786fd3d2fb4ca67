# Steps of a round: one statement, or several that belong together: a prepared statement and its
# executions, a transaction, a cursor, a function that runs a query.
#
# A statement is { sql, ordered, write, data, parameters, oracle }: see Fuzz::Pair.
package Fuzz::Steps;

use strict;
use warnings;
use Fuzz::Query;
use Fuzz::Settings;
use Fuzz::Write;

my @kinds = (
    ('select') x 52, ('write') x 20, ('prepared') x 8, ('transaction') x 5, ('partitioned') x 4,
    ('cursor') x 3, ('copy_to') x 2, ('table_of') x 2, ('view_of') x 2, ('function_of') x 2,
    ('explained') x 2, ('batch') x 2
);

sub new
{
    my ($class, $schema, $random) = @_;
    return bless { schema => $schema, random => $random }, $class;
}

sub query_maker { return Fuzz::Query->new(@{ $_[0] }{qw(schema random)}); }
sub write_maker { return Fuzz::Write->new(@{ $_[0] }{qw(schema random)}); }

sub step
{
    my ($self) = @_;
    my $random = $self->{random};
    my $kind   = $random->pick(@kinds);
    my @settings = $random->maybe(0.15, sub { Fuzz::Settings::some($random) });
    push @settings, $random->maybe(0.06, sub { { sql => 'SET ROLE fuzz_user' } });
    return [ @settings, $self->$kind ];
}

sub select { return $_[0]->query_maker->statement; }
sub write  { return $_[0]->write_maker->statement; }

# Q on both sides, and on the herd the same rows in three parts.
sub partitioned { return $_[0]->query_maker->partitioned; }

# EXPLAIN must not fail where the statement does not.
sub explained
{
    my ($self) = @_;
    my $statement = $self->{random}->chance(0.7) ? $self->select : $self->write;
    my $options   = $self->{random}->pick('COSTS OFF', 'VERBOSE', 'ANALYZE, VERBOSE, TIMING OFF', 'ANALYZE, FORMAT JSON');
    return $statement if $statement->{sql} !~ /^\W*(SELECT|WITH|INSERT|UPDATE|DELETE|MERGE)/;
    my $explain = { sql => "EXPLAIN ($options) $statement->{sql}", herd => 'may fail' };
    return $statement->{write} ? ({ sql => 'BEGIN' }, $explain, { sql => 'ROLLBACK' }) : ($statement, $explain);
}

# Several statements in one string are one transaction.
sub batch
{
    my ($self) = @_;
    my @parts = grep { !defined $_->{data} } map { $self->{random}->chance(0.7) ? $self->write : $self->select } 1 .. 3;
    return { sql => join('; ', map { $_->{sql} } @parts) || 'SELECT 1', write => 1 };
}

my %parameter_types = (int => [ 'int', 23 ], text => [ 'text', 25 ], date => [ 'date', 1082 ], uuid => [ 'uuid', 2950 ]);

# A statement with parameters, run several times with other values: by PREPARE, or in the extended
# protocol.
sub prepared
{
    my ($self)     = @_;
    my $random     = $self->{random};
    my @parameters = ();
    my $maker      = $random->chance(0.7) ? $self->query_maker : $self->write_maker;
    $maker->{parameters} = \@parameters;
    my $statement = $maker->statement;
    return $statement if defined $statement->{data} || $statement->{sql} =~ /^TRUNCATE/;
    my @sets = ([ map { $_->{value} } @parameters ], map { $self->other_values(@parameters) } 1 .. 2);
    my @mode = { sql => 'SET plan_cache_mode = ' . $random->pick(qw(auto force_generic_plan force_custom_plan)) };
    if ($random->chance(0.5))
    {
        my @oids = map { $parameter_types{ $_->{class} }[1] } @parameters;
        return (@mode, map { { %$statement, types => \@oids, parameters => [ map { raw($_) } @$_ ] } } @sets);
    }
    my $types = join ', ', map { $parameter_types{ $_->{class} }[0] } @parameters;
    return (
        @mode,
        { sql => 'PREPARE p' . ($types ? " ($types)" : '') . " AS $statement->{sql}" },
        map { { %$statement, sql => 'EXECUTE p' . (@$_ ? ' (' . join(', ', @$_) . ')' : '') } } @sets
    );
}

sub other_values
{
    my ($self, @parameters) = @_;
    my $random = $self->{random};
    return [ map { $random->chance(0.05) ? 'NULL'
            : Fuzz::Types::constant($_->{class}, $random->below($Fuzz::Types::range{ $_->{class} })) } @parameters ];
}

# The value of an SQL constant.
sub raw
{
    my ($constant) = @_;
    return undef if $constant =~ /^NULL/;
    return $constant =~ s/^'(.*)'(::\w+)?$/$1/r =~ s/''/'/r;
}

sub transaction
{
    my ($self) = @_;
    my $random = $self->{random};
    my @inner  = $random->many(1, 4, sub {
            my $statement = $random->chance(0.6) ? $self->write : $self->select;
            return $statement unless $random->chance(0.3);
            my $end = $random->pick('RELEASE s', 'ROLLBACK TO s');
            return ({ sql => 'SAVEPOINT s' }, $statement, { sql => $end });
    });
    my $level = $random->pick('', '', ' ISOLATION LEVEL REPEATABLE READ');
    return ({ sql => "BEGIN$level" }, @inner, { sql => $random->pick('COMMIT', 'COMMIT', 'ROLLBACK'), write => 1 });
}

# A query in a total order, for what shows its rows one by one.
sub ordered_query
{
    my ($self, $maker) = @_;
    my @classes = map { $self->{random}->pick(qw(int text date bool mood ints uuid)) } 1 .. 1 + $self->{random}->below(3);
    my $query = $maker->query(\@classes, undef, 3);
    return $query->{sql} . ' ORDER BY ' . join(', ', 1 .. @classes);
}

sub cursor
{
    my ($self)  = @_;
    my $random  = $self->{random};
    # A cursor WITH HOLD outlives a COMMIT that a node refuses, so nothing is written beside one.
    my $scrolls = $random->chance(0.5);
    my $holds   = $random->chance(0.4);
    my $query   = $self->ordered_query($self->query_maker);
    my @moves   = ('FETCH 2 FROM c', 'FETCH NEXT FROM c', 'MOVE 3 IN c', 'FETCH FORWARD 5 FROM c', 'FETCH ALL FROM c');
    push @moves, 'FETCH BACKWARD 2 FROM c', 'FETCH FIRST FROM c', 'FETCH LAST FROM c', 'FETCH ABSOLUTE 2 FROM c',
        'FETCH RELATIVE -1 FROM c', 'FETCH BACKWARD ALL FROM c' if $scrolls;
    my @fetches = map { { sql => $_, ordered => 1 } } $random->many(1, 5, sub { $random->pick(@moves) });
    return (
        { sql => 'BEGIN' },
        { sql => 'DECLARE c ' . ($scrolls ? 'SCROLL ' : '') . 'CURSOR' . ($holds ? ' WITH HOLD' : '') . " FOR $query" },
        @fetches, $random->maybe($holds ? 0 : 0.4, sub { $self->write }), { sql => 'COMMIT', write => 1 },
        $holds ? ({ sql => 'FETCH 3 FROM c', ordered => 1 }, { sql => 'CLOSE c' }) : ()
    );
}

sub copy_to
{
    my ($self) = @_;
    my $format = $self->{random}->pick('', ' (FORMAT csv, HEADER)', ' (FORMAT csv, FORCE_QUOTE *)', ' (DELIMITER \'|\')');
    return { sql => 'COPY (' . $self->ordered_query($self->query_maker) . ") TO STDOUT$format", ordered => 1 };
}

sub table_of
{
    my ($self) = @_;
    my $kind   = $self->{random}->pick('TEMPORARY TABLE', 'TEMPORARY TABLE', 'TABLE', 'MATERIALIZED VIEW');
    my $query  = $self->query_maker->statement->{sql};
    my @made   = ({ sql => "CREATE $kind made AS $query", write => 1 }, { sql => 'SELECT * FROM made' });
    push @made, { sql => 'REFRESH MATERIALIZED VIEW made', write => 1 }, { sql => 'SELECT * FROM made' } if $kind =~ /VIEW/;
    $kind =~ s/TEMPORARY //;
    return (@made, { sql => "DROP $kind made", write => 1 });
}

sub view_of
{
    my ($self) = @_;
    my $random = $self->{random};
    my $query  = $self->query_maker->query([ 'int', 'text' ], undef, 3);
    my ($a, $b) = map { $_->{name} } @{ $query->{columns} };
    my $use = $random->pick('SELECT * FROM made', "SELECT $b, count($a) FROM made GROUP BY $b",
        "SELECT m.$a, d.u FROM made m JOIN " . $random->pick($self->{schema}->distributed)->{name} . " d ON d.u = m.$a",
        "SELECT max($b) FROM made WHERE $a = 3");
    return ({ sql => "CREATE VIEW made AS $query->{sql}", write => 1 }, { sql => $use }, { sql => 'DROP VIEW made', write => 1 });
}

# A query within a function, whose arguments are its parameters.
sub function_of
{
    my ($self) = @_;
    my $random = $self->{random};
    my @parameters;
    my $maker = $self->query_maker;
    $maker->{parameters} = \@parameters;
    my $query = $self->ordered_query($maker);
    my $types = join ', ', map { $parameter_types{ $_->{class} }[0] } @parameters;
    my $body  = $random->pick(
        "plpgsql AS \$f\$ DECLARE r record; BEGIN FOR r IN $query LOOP RETURN NEXT r::text; END LOOP; END \$f\$",
        "plpgsql AS \$f\$ BEGIN RETURN QUERY SELECT q::text FROM ($query) q; END \$f\$",
        "plpgsql STABLE AS \$f\$ DECLARE c CURSOR FOR $query; r record; BEGIN OPEN c; LOOP FETCH c INTO r;
            EXIT WHEN NOT FOUND; RETURN NEXT r::text; END LOOP; CLOSE c; END \$f\$",
        "sql AS \$f\$ SELECT q::text FROM ($query) q \$f\$", "sql STABLE AS \$f\$ SELECT q::text FROM ($query) q \$f\$"
    );
    my @calls = map { { sql => 'SELECT * FROM made(' . join(', ', @$_) . ')' } }
        [ map { $_->{value} } @parameters ], $self->other_values(@parameters);
    return ({ sql => "CREATE FUNCTION made($types) RETURNS SETOF text LANGUAGE $body", write => 1 }, @calls,
        { sql => "DROP FUNCTION made", write => 1 });
}

1;
