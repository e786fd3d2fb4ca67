# A proxy in front of a server that understands PostgreSQL's protocol and breaks connections at the
# message that a test names. It is a process of its own, and ends with the test.
#
#   my $proxy = Herd::Proxy->new($server);          $proxy->host, $proxy->port
#   my $rule  = $proxy->on(from => 'client', type => 'Parse', text => 'PREPARE TRANSACTION', act => 'close');
#   $proxy->hits($rule);                            how often it has acted
#   $proxy->seen(from => 'server', type => 'ErrorResponse');    [[connection, from, type, text], ...]
#   $proxy->cut; $proxy->stall; $proxy->heal;       everything at once, and back
#
# A rule: from   client or server, who sends the message
#         type   the message's name in the protocol's documentation (Herd::Proxy::Messages), any if left out
#         text   a regular expression: SQL of Query, Parse, Bind and Execute; tag of CommandComplete;
#                SQLSTATE and message of ErrorResponse
#         nth    acts from the n-th match on (1); times: that often (1), 0: always
#         act    close     both sides are closed, as by a process that ends
#                reset     the client gets a TCP reset, as from a machine that has crashed
#                stall     nothing goes on in either direction, for some seconds or until heal
#                delay     this direction waits for some seconds
#                truncate  only the first bytes of the message arrive, then both sides are closed
#         after  1: the message itself is passed on first
package Herd::Proxy;

use strict;
use warnings;
use Herd::Proxy::Relay;
use IO::Handle;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Cluster;
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);

sub new
{
    my ($class, $server) = @_;
    my $port = PostgreSQL::Test::Cluster::get_free_port();
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!";
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if ($pid == 0)
    {
        close $ours;
        my $target = $server->host . '/.s.PGSQL.' . $server->port;
        my $relay  = Herd::Proxy::Relay->new(port => $port, target => $target, control => $theirs);
        my $ran    = eval { $relay->run; 1 };
        warn $@ unless $ran;
        POSIX::_exit($ran ? 0 : 1);    # the test's own cleaning up is not the proxy's
    }
    close $theirs;
    my $self = bless { control => $ours, port => $port, pid => $pid, owner => $$ }, $class;
    $self->command('count');           # it listens
    return $self;
}

sub host { return '127.0.0.1'; }
sub port { return $_[0]{port}; }

sub on
{
    my ($self, %rule) = @_;
    die 'from is client or server' unless ($rule{from} || '') =~ /^(client|server)$/;
    die 'act is missing'           unless ($rule{act}  || '') =~ /^(close|reset|stall|delay|truncate)$/;
    return $self->command('rule', %rule);
}

sub hits        { my ($self, $rule) = @_; return $self->command('hits', rule => $rule); }
sub seen        { my ($self, %wanted) = @_; return @{ $self->command('seen', %wanted) }; }
sub connections { return $_[0]->command('count'); }
sub forget      { return $_[0]->command('forget'); }                                         # rules, and what was seen

# Closes all connections and refuses new ones; reset => 1: by a TCP reset; keep_listening => 1: new
# ones go on.
sub cut   { my ($self, %how) = @_; return $self->command('cut', %how); }
sub stall { return $_[0]->command('stall'); }
sub heal  { return $_[0]->command('heal'); }

sub command
{
    my ($self, $do, %arguments) = @_;
    my $control = $self->{control};
    syswrite $control, encode_json({ do => $do, %arguments }) . "\n" or die "the proxy is gone: $!";
    my $line = '';
    while ($line !~ /\n\z/)
    {
        sysread($control, $line, 1 << 16, length $line) or die 'the proxy is gone';
    }
    return decode_json($line)->{answer};
}

sub stop
{
    my ($self) = @_;
    return unless $self->{pid} && $self->{owner} == $$;

    # Other children of the test may still have the control's other end.
    syswrite $self->{control}, qq({"do":"quit"}\n);
    waitpid delete $self->{pid}, 0;
    return;
}

sub DESTROY
{
    my ($self) = @_;
    local ($?, $!);
    $self->stop;
    return;
}

1;
