# A run of the fuzzer: rounds of a schema and statements over it, until enough were compared.
package Fuzz::Run;

use strict;
use warnings;
use Fuzz::Pair;
use Fuzz::Random;
use Fuzz::Reduce;
use Fuzz::Schema;
use Fuzz::Steps;

# seed, count, round_size; report => function that gets text; most => differences before it ends.
sub new
{
    my ($class, $pair, %arg) = @_;
    return bless {
        pair => $pair, round_size => 300, check_every => 10, most => 5, report => sub { print @_ }, %arg, compared => 0,
        errors => 0, empty => 0, slow => 0, refused => {}, differences => [], last => []
    }, $class;
}

sub run
{
    my ($self) = @_;
    my $round = 0;
    while ($self->{compared} < $self->{count} && @{ $self->{differences} } < $self->{most})
    {
        $self->round(++$round);
        $self->{report}->("$self->{compared} statements, " . @{ $self->{differences} } . " differences\n")
            if $self->{count} > 1000 && $round % 10 == 0;
    }
    return @{ $self->{differences} };
}

sub round
{
    my ($self, $round) = @_;
    my $seed   = $self->{seed} * 10_000 + $round;
    my $schema = Fuzz::Schema->new($seed);
    my $pair   = $self->{pair};
    $self->{history} = [];
    $pair->discard;
    for my $statement ($schema->setup)
    {
        $self->remember($statement);
        my $difference = $pair->run($statement)->{difference};
        return $self->found("seed $self->{seed}, round $round, setup", $difference, sub { [$statement] })
            if defined $difference;
    }
    my $last = $self->{compared} + $self->{round_size};
    for (my $nth = 1; $self->{compared} < $last && $self->{compared} < $self->{count}; $nth++)
    {
        return unless $self->step($schema, $seed, $round, $nth);
    }
    return $self->check_tables($schema, $round);
}

# One step: a statement, or a few that belong together. False when the sides differ since.
sub step
{
    my ($self, $schema, $seed, $round, $nth) = @_;
    my $make = sub {
        my ($dropped) = @_;
        my $random = Fuzz::Random->new(($seed * 7919 + $nth * 104_729) % 2_147_483_647, $dropped);
        my $steps  = Fuzz::Steps->new($schema, $random);
        my $made   = $steps->step;
        return ($made, $random->parts);
    };
    my ($statements) = $make->({});
    my $writes = 0;
    for my $statement (@$statements)
    {
        $self->{compared}++;
        my $result = $self->{pair}->run($statement);
        push @{ $self->{last} }, "$statement->{sql};" . ($result->{state} eq '00000' ? '' : " -- $result->{state}");
        shift @{ $self->{last} } if @{ $self->{last} } > 12;
        if (defined $result->{difference})
        {
            $self->found("seed $self->{seed}, round $round, step $nth", $result->{difference}, $make, $schema);
            return 0;
        }
        $self->tally($statement, $result);
        $writes ||= $statement->{write};
        # The rest of the step belongs to what was refused.
        last if $result->{refused} && @$statements > 1;
    }
    # A replay has to put back settings and roles where this run did.
    push @{ $self->{history} }, @$statements, { sql => '-- reset', reset => 1 } if $writes;
    $self->{pair}->reset_sessions if @$statements > 1;
    if ($writes && $nth % $self->{check_every} == 0) { return $self->check_tables($schema, $round, $nth); }
    return 1;
}

sub remember { push @{ $_[0]{history} }, $_[1]; return; }

sub check_tables
{
    my ($self, $schema, $round, $nth) = @_;
    my @names      = map { $_->{name} } grep { $_->{kind} !~ /^(temporary|view)$/ } $schema->tables;
    my $difference = $self->{pair}->compare_tables(@names);
    return 1 unless defined $difference;
    $self->found("seed $self->{seed}, round $round, tables" . (defined $nth ? " at step $nth" : ''),
        $difference, sub { [] }, $schema);
    return 0;
}

sub tally
{
    my ($self, $statement, $result) = @_;
    if ($result->{refused}) { $self->{refused}{ reason($result->{refused}) }++; }
    elsif ($result->{state} eq '57014') { $self->{slow}++; }
    elsif ($result->{state} ne '00000')
    {
        $self->{errors}++;
        $self->{error_states}{ $result->{state} }++;
        $self->{report}->("-- $result->{state} on both: $result->{message}\n   $statement->{sql}\n")
            if $self->{show_errors};
    }
    elsif ($result->{columns} && !$result->{rows}) { $self->{empty}++; }
    return;
}

# A refusal without names and contexts.
sub reason
{
    my ($message) = @_;
    $message =~ s/\n.*//s;
    return $message =~ s/"[^"]*"/"..."/gr;
}

# Reports a difference with a reproducer as small as can be.
sub found
{
    my ($self, $where, $difference, $make, $schema) = @_;
    my ($kind) = $difference =~ /^(\w+ \w+:|\w+)/;
    push @{ $self->{differences} }, "$where: $difference";
    my $text = "\n-- DIFFERENCE at $where\n" . commented($difference);
    my ($full) = $make->({});
    $text .= "-- as found:\n" . commented(join "\n", map { $_->{sql} } @$full);
    my @names   = $schema ? map { $_->{name} } grep { $_->{kind} ne 'temporary' } $schema->tables : ();
    my $reducer = Fuzz::Reduce->new($self->{pair}, make => $make, before => $self->{history}, kind => $kind, tables => \@names);
    my @small   = $reducer->reproducer;
    $text .= @small
        ? join '', map { ($_->{herd} ? '/* herd only */ ' : '') . "$_->{sql};\n" . (defined $_->{data} ? "$_->{data}\\.\n" : '') } @small
        : "-- not reproduced from a fresh schema; the last statements of the session:\n" . join "\n", @{ $self->{last} }, '';
    $self->{report}->($text);
    return 0;
}

sub commented { return join '', map { "--   $_\n" } split /\n/, $_[0]; }

# One line of figures, and one for each reason of refusal.
sub summary
{
    my ($self) = @_;
    my $refused = 0;
    $refused += $_ for values %{ $self->{refused} };
    my $states = join ', ', map { "$_ $self->{error_states}{$_}" } sort keys %{ $self->{error_states} || {} };
    my $text   = sprintf "seed %d: %d statements, %d differences, %d refused, %d errors on both (%s), %d empty, %d slow\n",
        $self->{seed}, $self->{compared}, scalar @{ $self->{differences} }, $refused, $self->{errors}, $states,
        @$self{qw(empty slow)};
    $text .= sprintf "  %5d refused: %s\n", $self->{refused}{$_}, $_
        for sort { $self->{refused}{$b} <=> $self->{refused}{$a} } keys %{ $self->{refused} };
    return $text;
}

1;
