# The framing of PostgreSQL's protocol, version 3, in one direction: bytes go in, whole messages come
# out, each with a name and with the text that rules are matched against.
#
#   my $frames = Herd::Proxy::Messages->new('client');     or 'server': whose messages they are
#   $frames->add($bytes);
#   while (my $message = $frames->next) { ... }            { type, text, bytes }
package Herd::Proxy::Messages;

use strict;
use warnings;

my %name = (
    client => {
        Q => 'Query',
        P => 'Parse',
        B => 'Bind',
        E => 'Execute',
        D => 'Describe',
        S => 'Sync',
        C => 'Close',
        H => 'Flush',
        X => 'Terminate',
        d => 'CopyData',
        c => 'CopyDone',
        f => 'CopyFail',
        p => 'Password',
        F => 'FunctionCall'
    },
    server => {
        R => 'Authentication',
        K => 'BackendKeyData',
        S => 'ParameterStatus',
        Z => 'ReadyForQuery',
        C => 'CommandComplete',
        D => 'DataRow',
        T => 'RowDescription',
        E => 'ErrorResponse',
        N => 'NoticeResponse',
        A => 'Notification',
        1 => 'ParseComplete',
        2 => 'BindComplete',
        3 => 'CloseComplete',
        t => 'ParameterDescription',
        n => 'NoData',
        I => 'EmptyQuery',
        s => 'PortalSuspended',
        G => 'CopyIn',
        H => 'CopyOut',
        W => 'CopyBoth',
        d => 'CopyData',
        c => 'CopyDone'
    }
);

# What stands where the protocol's version stands in a client's first message.
my %first = (
    80_877_102 => 'CancelRequest',
    80_877_103 => 'SSLRequest',
    80_877_104 => 'GSSENCRequest',
    196_608    => 'Startup'
);

sub new
{
    my ($class, $side) = @_;

    # A client begins with messages that have no type.
    return bless { side => $side, buffer => '', starting => $side eq 'client', statement => {}, portal => {} }, $class;
}

sub add { $_[0]{buffer} .= $_[1]; return; }

# What has come of a message that will never be whole.
sub take_rest { return substr $_[0]{buffer}, 0, length $_[0]{buffer}, ''; }

sub next
{
    my ($self) = @_;
    my $typed  = $self->{starting} ? 0 : 1;
    my $length = length $self->{buffer};
    return if $length < $typed + 4;
    my $whole = $typed + unpack 'N', substr $self->{buffer}, $typed, 4;
    return if $length < $whole;
    my $bytes = substr $self->{buffer}, 0, $whole, '';
    return $self->first_message($bytes) if $self->{starting};
    my $type = $name{ $self->{side} }{ substr $bytes, 0, 1 } || 'Unknown';
    return { type => $type, text => $self->text_of($type, substr $bytes, 5), bytes => $bytes };
}

sub first_message
{
    my ($self, $bytes) = @_;
    my $type = $first{ unpack 'x4 N', $bytes } || 'Unknown';
    $self->{starting} = $type =~ /Request$/;
    my $text = $type eq 'Startup' ? substr($bytes, 8) =~ tr/\0/ /r : '';
    return { type => $type, text => $text, bytes => $bytes };
}

# Bind and Execute have the text of the statement that was parsed.
sub text_of
{
    my ($self, $type, $body) = @_;
    if ($type eq 'Query')           { return $body =~ s/\0\z//r; }
    if ($type eq 'CommandComplete') { return $body =~ s/\0\z//r; }
    if ($type eq 'ReadyForQuery')   { return $body; }
    if ($type eq 'Parse')
    {
        my ($statement, $sql) = unpack 'Z* Z*', $body;
        return $self->{statement}{$statement} = $sql;
    }
    if ($type eq 'Bind')
    {
        my ($portal, $statement) = unpack 'Z* Z*', $body;
        my $sql = $self->{statement}{$statement};
        return $self->{portal}{$portal} = defined $sql ? $sql : '';
    }
    if ($type eq 'Execute')
    {
        my $sql = $self->{portal}{ unpack 'Z*', $body };
        return defined $sql ? $sql : '';
    }
    if ($type eq 'ErrorResponse' || $type eq 'NoticeResponse')
    {
        my %field = map { /^(.)(.*)/s ? ($1 => $2) : () } split /\0/, $body;
        return "$field{C} $field{M}";
    }
    return $type eq 'ParameterStatus' ? join('=', unpack 'Z* Z*', $body) : '';
}

1;
