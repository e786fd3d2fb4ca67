# A connection that speaks PostgreSQL's protocol itself, so that a test sees exactly what a client
# sees, and when: a statement can be sent now and its answer fetched later, each wait has an end.
#
#   my $client = Herd::Client->new(host => ..., port => ..., dbname => ...);   host: a directory or an address
#   my $answer = $client->ask('SELECT 1; SELECT 2');
#   $client->send($sql); ...; $client->answer(5);
#
# An answer: { state => '00000', message, rows => [[...], ...], tags => ['SELECT 1', ...], warnings,
# notifications => ['channel payload', ...] }.
# state is 'lost' when the connection broke without an error, 'timeout' when no answer came in time.
package Herd::Client;

use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

our $timeout = $ENV{HERD_TEST_TIMEOUT} || 60;

# Dies when no connection comes about; $@ has the answer's state and message.
sub new
{
    my ($class, %arg) = @_;
    my $self = bless { buffer => '' }, $class;
    $self->{socket} =
        $arg{host} =~ m{^/}
        ? IO::Socket::UNIX->new(Peer     => "$arg{host}/.s.PGSQL.$arg{port}")
        : IO::Socket::INET->new(PeerAddr => $arg{host}, PeerPort => $arg{port}, Proto => 'tcp');
    die "lost cannot connect: $!\n" unless $self->{socket};
    my $user    = getpwuid $<;
    my %options = (user => $user, database => $arg{dbname}, %{ $arg{settings} || {} });
    my $start   = pack('N', 196_608) . join('', map { "$_\0$options{$_}\0" } sort keys %options);
    $self->write(pack('N', 5 + length $start) . $start . "\0");
    my $answer = $self->answer($arg{timeout} || $timeout);
    die "$answer->{state} $answer->{message}\n" if $answer->{state} ne '00000';
    return $self;
}

sub write
{
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while ($bytes ne '')
    {
        my $count = syswrite $self->{socket}, $bytes;
        return unless defined $count;
        substr $bytes, 0, $count, '';
    }
    return;
}

sub send
{
    my ($self, $sql) = @_;
    $self->write('Q' . pack('N', 5 + length $sql) . "$sql\0");
    return;
}

sub ask
{
    my ($self, $sql, $limit) = @_;
    $self->send($sql);
    return $self->answer($limit);
}

# Rows of a statement as psql would print them; dies on error.
sub value
{
    my ($self, $sql) = @_;
    my $answer = $self->ask($sql);
    die "$sql: $answer->{state} $answer->{message}" if $answer->{state} ne '00000';
    return join "\n", map {
        join '|', map { defined $_ ? $_ : '' } @$_
    } @{ $answer->{rows} };
}

sub is_open { return defined $_[0]{socket}; }

# One message, its type and body; nothing when the connection is gone or the time is over.
sub message
{
    my ($self, $end) = @_;
    my $buffer = \$self->{buffer};
    my $length = 4;
    while (length $$buffer < 5 || length $$buffer < 1 + ($length = unpack 'x N', $$buffer))
    {
        my $ready = '';
        vec($ready, fileno $self->{socket}, 1) = 1;
        my $left = $end - time;
        return ('timeout') if $left <= 0 || select($ready, undef, undef, $left) == 0;
        my $count = sysread $self->{socket}, $$buffer, 65_536, length $$buffer;
        $self->{end} = defined $count ? 'closed' : "$!" unless $count;
        return unless $count;
    }
    return (substr($$buffer, 0, 1), substr(substr($$buffer, 0, 1 + $length, ''), 5));
}

sub answer
{
    my ($self, $limit) = @_;
    my $answer = { state => '00000', message => '', rows => [], tags => [], warnings => [], notifications => [] };
    return { %$answer, state => 'lost', message => 'no connection' } unless $self->{socket};
    my $end = time + (defined $limit ? $limit : $timeout);
    while (my ($type, $body) = $self->message($end))
    {
        if    ($type eq 'D')       { push @{ $answer->{rows} }, [ values_of($body) ]; }
        elsif ($type eq 'C')       { push @{ $answer->{tags} }, $body =~ s/\0//r; }
        elsif ($type eq 'E')       { @$answer{qw(state message)} = fields($body); }
        elsif ($type eq 'N')       { push @{ $answer->{warnings} }, (fields($body))[1]; }
        elsif ($type eq 'A')       { push @{ $answer->{notifications} }, join ' ', unpack 'x4 Z* Z*', $body; }
        elsif ($type eq 'Z')       { return $answer; }
        elsif ($type eq 'timeout') { return { %$answer, state => 'timeout', message => 'no answer' }; }
    }

    # After FATAL the server closes the connection: its SQLSTATE says more than 'lost'.
    close delete $self->{socket};
    return $answer->{state} eq '00000' ? { %$answer, state => 'lost', message => $self->{end} } : $answer;
}

sub fields
{
    my ($body) = @_;
    my %field  = map { /^(.)(.*)/s ? ($1 => $2) : () } split /\0/, $body;
    return ($field{C}, join '; ', grep { defined } @field{qw(M D)});
}

sub values_of
{
    my ($row) = @_;
    my $at = 2;
    return map {
        my $length = unpack 'N', substr $row, $at, 4;
        my $null   = $length == 0xffffffff;
        my $value  = $null ? undef : substr $row, $at + 4, $length;
        $at += 4 + ($null ? 0 : $length);
        $value;
    } 1 .. unpack 'n', $row;
}

sub leave
{
    my ($self) = @_;
    return unless $self->{socket};
    $self->write('X' . pack 'N', 4);
    close delete $self->{socket};
    return;
}

1;
