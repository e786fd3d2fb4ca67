# A herd and a plain PostgreSQL beside it, one session each: the same statements on both.
package Fuzz::Pair;

use strict;
use warnings;
use Fuzz::Compare;
use Fuzz::Wire;

sub new
{
    my ($class, $coordinator, $plain, $dbname) = @_;
    my %settings = (
        search_path => 'fuzz, public', timezone => 'UTC', client_min_messages => 'error',
        statement_timeout => '4s', extra_float_digits => 1, lock_timeout => '2s'
    );
    my $self = bless {}, $class;
    $_->safe_psql($dbname, 'CREATE ROLE fuzz_user') for $coordinator, $plain;
    $self->{plain} = Fuzz::Wire->new($plain, $dbname, \%settings);
    $self->{herd}  = Fuzz::Wire->new($coordinator, $dbname, { %settings, statement_timeout => '30s' });
    return $self;
}

# Runs a statement and compares. A statement is { sql, data, types, parameters: see Fuzz::Wire;
# ordered => its rows have a total order, write => it may change something, herd => for the herd
# alone ('may fail': with any error but an internal one), oracle => statements whose rows together are the same,
# reset => back to a session without settings }. Returns { state, refused,
# difference }; both sessions are then in the same state, or a difference was found.
sub run
{
    my ($self, $statement) = @_;
    my ($herd, $plain) = @$self{qw(herd plain)};
    if ($statement->{reset})
    {
        $self->reset_sessions;
        return { state => '00000' };
    }
    if ($statement->{herd})
    {
        my $answer = $herd->ask($statement);
        my $may    = $statement->{herd} eq 'may fail' ? qr/^(?!XX)/ : qr/^00000/;
        my $failed = $answer->{state} =~ $may ? undef : "herd: $answer->{state} $answer->{message}";
        return { state => $answer->{state}, difference => $self->lost($answer) || $failed };
    }
    my ($want, $got);
    if ($statement->{write})
    {
        # What the herd refuses must not happen on the other side either.
        $got = $herd->ask($statement);
        return $self->refused($got) if Fuzz::Compare::is_refusal($got);
        $want = $plain->ask($statement);
    }
    else
    {
        $herd->send_statement($statement);
        $plain->send_statement($statement);
        ($want, $got) = ($plain->answer, $herd->answer);
        return $self->refused($got) if Fuzz::Compare::is_refusal($got) && $want->{state} eq '00000';
    }
    my $lost = $self->lost($got);
    return { state => $want->{state}, difference => $lost } if defined $lost;
    return { state => '57014' } if $want->{state} eq '57014' && $got->{state} =~ /^(57014|00000)$/;
    my $difference = Fuzz::Compare::difference($want, $got, $statement->{ordered});
    $difference = $self->parts_difference($got, @{ $statement->{oracle} })
        if $statement->{oracle} && !defined $difference && $got->{state} eq '00000';
    return { state => $want->{state}, message => $want->{message}, rows => scalar @{ $want->{rows} },
        columns => scalar @{ $want->{columns} },
        difference => $difference };
}

# The rows of all parts together must be those of the whole.
sub parts_difference
{
    my ($self, $whole, @parts) = @_;
    my %sum = (%$whole, rows => []);
    for my $sql (@parts)
    {
        my $answer = $self->{herd}->ask($sql);
        return if Fuzz::Compare::is_refusal($answer) || $answer->{state} =~ /^(21|22|42)/;
        return "part: $answer->{state} $answer->{message}\n  $sql" if $answer->{state} ne '00000';
        push @{ $sum{rows} }, @{ $answer->{rows} };
    }
    my $difference = Fuzz::Compare::difference($whole, \%sum, 0);
    return defined $difference ? "part $difference\n  " . join("\n  ", @parts) : undef;
}

# An open transaction is over on both sides when the herd has refused a statement in it.
sub refused
{
    my ($self, $answer) = @_;
    for my $session (@$self{qw(herd plain)})
    {
        $session->ask('ROLLBACK') if $session->{in_transaction} ne 'I';
    }
    return { state => $answer->{state}, refused => $answer->{message} };
}

# A broken connection is a difference; the session is opened again.
sub lost
{
    my ($self, $answer) = @_;
    return unless $answer->{state} eq 'lost';
    for my $attempt (1 .. 100)
    {
        last if eval { $self->{herd}->connect; 1 };
        select undef, undef, undef, 0.1;
    }
    $self->{plain}->ask('ROLLBACK');
    return 'lost: the connection to the herd broke';
}

# No transaction, cursor, prepared statement or setting is left; temporary tables are.
sub reset_sessions
{
    my ($self) = @_;
    for my $session (@$self{qw(herd plain)})
    {
        $session->ask('ROLLBACK') if $session->{in_transaction} ne 'I';
        $session->ask($_) for 'CLOSE ALL', 'DEALLOCATE ALL', 'RESET ALL', 'RESET ROLE';
    }
    return;
}

sub discard
{
    my ($self) = @_;
    $self->reset_sessions;
    $_->ask('DISCARD ALL') for @$self{qw(herd plain)};
    return;
}

# Compares what tables hold; the first difference, or undef.
sub compare_tables
{
    my ($self, @names) = @_;
    for my $name (@names)
    {
        my $found = $self->run({ sql => "SELECT * FROM $name" });
        return "$name differs: $found->{difference}" if defined $found->{difference};
    }
    return;
}

sub close { $_->close for @{ $_[0] }{qw(herd plain)}; return; }

1;
