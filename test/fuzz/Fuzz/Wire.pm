# One kept-open connection that speaks PostgreSQL's protocol over a Unix socket. Answers keep the
# rows as they came: raw messages are quick to compare, and split into values only to be shown.
#
#   my $session = Fuzz::Wire->new($server, $dbname, { statement_timeout => '3s' });
#   my $answer  = $session->ask({ sql => 'SELECT 1' });
#   $answer = { state => '00000', message, rows => [...], columns => [[name, type], ...],
#               tags => ['SELECT 1'] }    state 'lost' when the connection broke
package Fuzz::Wire;

use strict;
use warnings;
use IO::Socket::UNIX;

sub new
{
    my ($class, $server, $dbname, $settings) = @_;
    my $self = bless { server => $server, dbname => $dbname, settings => $settings }, $class;
    $self->connect;
    return $self;
}

sub connect
{
    my ($self) = @_;
    my $path = $self->{server}->host . '/.s.PGSQL.' . $self->{server}->port;
    $self->{socket} = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!";
    $self->{buffer} = '';
    my $user    = getpwuid $<;
    my %options = (user => $user, database => $self->{dbname}, %{ $self->{settings} });
    my $start   = pack('N', 196_608) . join('', map { "$_\0$options{$_}\0" } sort keys %options);
    $self->write_raw(pack('N', 5 + length $start) . $start . "\0");
    my $answer = $self->answer;
    die "$path: $answer->{message}" if $answer->{state} ne '00000';
    return;
}

sub write_raw
{
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $done = 0;
    while ($done < length $bytes)
    {
        my $count = syswrite $self->{socket}, $bytes, length($bytes) - $done, $done;
        return unless defined $count;
        $done += $count;
    }
    return;
}

sub write_message
{
    my ($self, $type, $body) = @_;
    $self->write_raw($type . pack('N', 4 + length $body) . $body);
    return;
}

# One message: its type and body; nothing when the connection is gone.
sub read_message
{
    my ($self) = @_;
    my $buffer = \$self->{buffer};
    my $length = 4;
    while (length $$buffer < 5 || length $$buffer < 1 + ($length = unpack 'x N', $$buffer))
    {
        my $count = sysread $self->{socket}, $$buffer, 65_536, length $$buffer;
        return unless $count;
    }
    return (substr($$buffer, 0, 1), substr(substr($$buffer, 0, 1 + $length, ''), 5));
}

# Sends a statement { sql, data => what COPY FROM STDIN gets, types and parameters => for the
# extended protocol }.
sub send_statement
{
    my ($self, $statement) = @_;
    my ($sql, $types) = @$statement{qw(sql types)};
    $self->{data} = $statement->{data};
    return $self->send_extended($sql, $types, $statement->{parameters}) if $types;
    $self->write_message('Q', "$sql\0");
    return;
}

# The same in the extended protocol, with types and values of parameters.
sub send_extended
{
    my ($self, $sql, $types, $values) = @_;
    my $count = @$types;
    my $bytes = join '', map { defined $_ ? pack('N/a*', $_) : pack('N', 0xffffffff) } @$values;
    $self->write_message('P', "\0$sql\0" . pack('n N*', $count, @$types));
    $self->write_message('B', "\0\0" . pack('n n', 0, $count) . $bytes . pack('n', 0));
    $self->write_message('D', "P\0");
    $self->write_message('E', "\0" . pack('N', 0));
    $self->write_message('S', '');
    return;
}

sub answer
{
    my ($self) = @_;
    my $answer = { state => '00000', message => '', rows => [], columns => [], tags => [] };
    while (my ($type, $body) = $self->read_message)
    {
        if    ($type eq 'D') { push @{ $answer->{rows} }, $body; }
        elsif ($type eq 'd') { push @{ $answer->{rows} }, "d$body"; }
        elsif ($type eq 'C') { push @{ $answer->{tags} }, $body =~ s/\0//r; }
        elsif ($type eq 'T') { $answer->{columns} = columns($body); }
        elsif ($type eq 'E') { describe_error($answer, $body); }
        elsif ($type eq 'G')
        {
            $self->write_message('d', $self->{data}) if defined $self->{data};
            $self->write_message('c', '');
        }
        elsif ($type eq 'Z')
        {
            $self->{in_transaction} = $body;
            return $answer;
        }
    }
    $answer->{state} = 'lost';
    return $answer;
}

sub ask
{
    my ($self, $statement) = @_;
    $self->send_statement(ref $statement ? $statement : { sql => $statement });
    return $self->answer;
}

sub columns
{
    my ($body) = @_;
    my ($count, @fields) = unpack 'n (Z* N n N n N n)*', $body;
    return [ map { [ @fields[ 7 * $_, 7 * $_ + 3 ] ] } 0 .. $count - 1 ];
}

sub describe_error
{
    my ($answer, $body) = @_;
    my %field = map { /^(.)(.*)/s ? ($1 => $2) : () } split /\0/, $body;
    $answer->{state}   = $field{C};
    $answer->{message} = join '; ', grep { defined } @field{qw(M D W)};
    return;
}

# The values of a row, undef for NULL.
sub values_of
{
    my ($row) = @_;
    return ($1) if $row =~ /^d(.*)$/s;
    my $at = 2;
    return map {
        my $length = unpack 'N', substr $row, $at, 4;
        my $null   = $length == 0xffffffff;
        my $value  = $null ? undef : substr $row, $at + 4, $length;
        $at += 4 + ($null ? 0 : $length);
        $value;
    } 1 .. unpack 'n', $row;
}

sub close
{
    my ($self) = @_;
    $self->write_message('X', '');
    close $self->{socket};
    return;
}

1;
