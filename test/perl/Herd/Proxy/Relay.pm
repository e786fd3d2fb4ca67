# What runs in the proxy's process: an event loop that passes messages on between clients and one
# server, and does to them what the rules say. Herd::Proxy is its other end.
package Herd::Proxy::Relay;

use strict;
use warnings;
use Herd::Proxy::Messages;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use Socket      qw(SOL_SOCKET SO_LINGER SOMAXCONN);
use Time::HiRes qw(time);

my $most_seen    = 50_000;
my $most_waiting = 1 << 20;
my %other        = (client => 'server', server => 'client');

# target: path of the server's socket; control: where commands come from.
sub new
{
    my ($class, %arg) = @_;
    return bless {
        %arg,
        connections => {},
        rules       => {},
        seen        => [],
        number      => 0,
        commands    => '',
        stalled     => 0
    }, $class;
}

sub run
{
    my ($self) = @_;
    local $SIG{PIPE} = 'IGNORE';
    $self->listen;
    my $parent = getppid;
    1 while $self->turn && getppid == $parent;
    return;
}

sub listen
{
    my ($self) = @_;
    $self->{listener} = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1',
        LocalPort => $self->{port},
        Proto     => 'tcp',
        Listen    => SOMAXCONN,
        ReuseAddr => 1
    ) or die "proxy on port $self->{port}: $!";
    return;
}

# Waits for something to happen and deals with it; false when nobody controls the proxy any more.
sub turn
{
    my ($self) = @_;
    my ($reads, $writes) = ('', '');
    vec($reads, fileno $self->{control}, 1)  = 1;
    vec($reads, fileno $self->{listener}, 1) = 1 if $self->{listener} && !$self->{stalled};
    my @watched = map { $self->watch($_, \$reads, \$writes) } values %{ $self->{connections} };
    select $reads, $writes, undef, $self->next_pause;
    if ($self->{listener} && vec $reads, fileno $self->{listener}, 1) { $self->accept; }
    for my $watch (@watched)
    {
        my ($connection, $side, $number) = @$watch;
        next                             if $connection->{gone};
        $self->write($connection, $side) if vec $writes, $number, 1;
        $self->read($connection, $side)  if !$connection->{gone} && vec $reads, $number, 1;
    }
    my $goes_on = vec($reads, fileno $self->{control}, 1) ? $self->obey : 1;
    $self->pass_on($_) for grep { !$_->{gone} } values %{ $self->{connections} };
    return $goes_on;
}

sub watch
{
    my ($self, $connection, $reads, $writes) = @_;
    return if $self->{stalled};
    my @watched;
    for my $side (qw(client server))
    {
        my $number    = fileno $connection->{$side};
        my $full      = length $connection->{out}{ $other{$side} } > $most_waiting;
        my $reads_it  = !$full && !$connection->{ended}{$side} && !is_held($connection, $side);
        my $writes_it = $connection->{out}{$side} ne '' && !is_held($connection, $other{$side});
        vec($$reads,  $number, 1) = 1 if $reads_it;
        vec($$writes, $number, 1) = 1 if $writes_it;
        push @watched, [ $connection, $side, $number ] if $reads_it || $writes_it;
    }
    return @watched;
}

# Whether messages from that side wait for a stall or a delay to end.
sub is_held
{
    my ($connection, $side) = @_;
    return $connection->{held}{$side} && $connection->{held}{$side} > time;
}

# Seconds to the end of the next stall, and to a look whether the test still runs.
sub next_pause
{
    my ($self) = @_;
    my $now    = time;
    my ($next) = sort { $a <=> $b } grep { $_ && $_ > $now && $_ < $now + 86_400 }
        map { values %{ $_->{held} } } values %{ $self->{connections} };
    return defined $next && $next < $now + 1 ? $next - $now + 0.001 : 1;
}

sub accept
{
    my ($self) = @_;
    my $client = $self->{listener}->accept or return;
    my $server = IO::Socket::UNIX->new(Peer => $self->{target});
    return close $client unless $server;
    $_->blocking(0) for $client, $server;
    my $number = ++$self->{number};
    $self->{connections}{$number} = {
        number => $number,
        client => $client,
        server => $server,
        out    => { client => '', server => '' },
        held   => {},
        ended  => {},
        frames => { map { $_ => Herd::Proxy::Messages->new($_) } qw(client server) }
    };
    return;
}

sub read
{
    my ($self, $connection, $side) = @_;
    my $count = sysread $connection->{$side}, my $bytes, 65_536;
    return if !defined $count && $!{EAGAIN};
    if   ($count) { $connection->{frames}{$side}->add($bytes); }
    else          { $connection->{ended}{$side} = 1; }
    return;
}

sub write
{
    my ($self, $connection, $side) = @_;
    my $count = syswrite $connection->{$side}, $connection->{out}{$side};
    return if !defined $count && $!{EAGAIN};
    return $self->end($connection) unless defined $count;
    substr $connection->{out}{$side}, 0, $count, '';
    return;
}

# Passes on what has come whole, as far as nothing holds it.
sub pass_on
{
    my ($self, $connection) = @_;
    for my $side (qw(client server))
    {
        while (!$self->{stalled} && !is_held($connection, $side))
        {
            my $message = delete $connection->{waiting}{$side} || $connection->{frames}{$side}->next
                or last;
            $self->take($connection, $side, $message);
            return if $connection->{gone};
        }
        next unless $connection->{ended}{$side} && !is_held($connection, $side) && !$self->{stalled};
        $connection->{out}{ $other{$side} } .= $connection->{frames}{$side}->take_rest;
        return $self->end($connection) if $connection->{out}{ $other{$side} } eq '';
    }
    return;
}

sub take
{
    my ($self, $connection, $side, $message) = @_;
    if ($message->{type} =~ /^(SSL|GSSENC)Request$/)
    {
        $connection->{out}{$side} .= 'N';    # the messages are to be read
        return;
    }
    if (!$message->{passed})
    {
        push @{ $self->{seen} }, [ $connection->{number}, $side, @$message{qw(type text)} ];
        shift @{ $self->{seen} } if @{ $self->{seen} } > $most_seen;
        my $rule = $self->rule_for($side, $message);
        return $self->act($rule, $connection, $side, $message) if $rule;
    }
    $connection->{out}{ $other{$side} } .= $message->{bytes};
    return;
}

# The rule whose turn it is. Each counts all that it matches.
sub rule_for
{
    my ($self, $side, $message) = @_;
    my $due;
    for my $rule (map { $self->{rules}{$_} } sort { $a <=> $b } keys %{ $self->{rules} })
    {
        next if $rule->{from} ne $side;
        next if defined $rule->{type} && $rule->{type} ne $message->{type};
        next if defined $rule->{text} && $message->{text} !~ $rule->{text};
        $rule->{matched}++;
        my $over = $rule->{matched} - $rule->{nth};
        $due = $rule if !$due && $over >= 0 && ($rule->{times} == 0 || $over < $rule->{times});
    }
    return $due;
}

sub act
{
    my ($self, $rule, $connection, $side, $message) = @_;
    $rule->{hits}++;
    my $to    = $other{$side};
    my $until = $rule->{seconds} ? time + $rule->{seconds} : time + 1e9;
    if ($rule->{act} eq 'delay' || $rule->{act} eq 'stall')
    {
        $message->{passed} = 1;
        if ($rule->{after}) { $connection->{out}{$to} .= $message->{bytes}; $self->drain($connection, $to); }
        else                { $connection->{waiting}{$side} = $message; }
        $connection->{held}{$side} = $until;
        $connection->{held}{$to}   = $until if $rule->{act} eq 'stall';
        return;
    }
    my $bytes = $rule->{after} ? length $message->{bytes} : $rule->{act} eq 'truncate' ? $rule->{bytes} : 0;
    $connection->{out}{$to} .= substr $message->{bytes}, 0, $bytes;
    $self->drain($connection, $to);
    $self->drain($connection, $side) unless $rule->{act} eq 'reset';
    return $self->end($connection, $rule->{act} eq 'reset');
}

# Writes all that waits for a side, as long as it takes, two seconds at most.
sub drain
{
    my ($self, $connection, $side) = @_;
    my $end = time + 2;
    while ($connection->{out}{$side} ne '' && time < $end)
    {
        my $ready = '';
        vec($ready, fileno $connection->{$side}, 1) = 1;
        select undef, $ready, undef, 0.1;
        my $count = syswrite $connection->{$side}, $connection->{out}{$side};
        if    ($count)      { substr $connection->{out}{$side}, 0, $count, ''; }
        elsif (!$!{EAGAIN}) { return; }
    }
    return;
}

# Closes both sides, in the way of a machine that is gone when it is a reset.
sub end
{
    my ($self, $connection, $reset) = @_;
    if ($reset) { setsockopt $connection->{client}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0; }
    close $connection->{$_} for qw(client server);
    $connection->{gone} = 1;
    delete $self->{connections}{ $connection->{number} };
    return;
}

# Carries out commands, a line of JSON each, and answers each with one; false at their end.
sub obey
{
    my ($self) = @_;
    my $count  = sysread $self->{control}, $self->{commands}, 65_536, length $self->{commands};
    return 0 unless $count;
    while ($self->{commands} =~ s/^(.*)\n//)
    {
        my $command = decode_json($1);
        return 0 if $command->{do} eq 'quit';
        my $method = "do_$command->{do}";
        my $answer = encode_json({ answer => scalar $self->$method($command) }) . "\n";
        syswrite $self->{control}, substr $answer, 0, 1 << 16, '' while $answer ne '';
    }
    return 1;
}

sub do_rule
{
    my ($self, $rule) = @_;
    $rule->{text} = qr/$rule->{text}/s if defined $rule->{text};
    my $number = ++$self->{number};
    $self->{rules}{$number} =
        { nth => 1, times => 1, seconds => 0, bytes => 0, after => 0, matched => 0, hits => 0, %$rule };
    return $number;
}

sub do_hits { return $_[0]{rules}{ $_[1]{rule} }{hits}; }

sub do_forget
{
    my ($self) = @_;
    @$self{qw(rules seen)} = ({}, []);
    return 1;
}

sub do_seen
{
    my ($self, $wanted) = @_;
    my $text = defined $wanted->{text} ? qr/$wanted->{text}/s : qr//;
    return [
        grep {
                   (!defined $wanted->{from} || $_->[1] eq $wanted->{from})
                && (!defined $wanted->{type} || $_->[2] eq $wanted->{type})
                && $_->[3] =~ /$text/
        } @{ $self->{seen} }
    ];
}

sub do_count { return scalar keys %{ $_[0]{connections} }; }

sub do_cut
{
    my ($self, $command) = @_;
    close delete $self->{listener} if $self->{listener} && !$command->{keep_listening};
    $self->end($_, $command->{reset}) for values %{ $self->{connections} };
    return 1;
}

sub do_stall { return $_[0]{stalled} = 1; }

# Everything as it was: connections are accepted, nothing is held.
sub do_heal
{
    my ($self) = @_;
    $self->{stalled} = 0;
    $_->{held}       = {} for values %{ $self->{connections} };
    $self->listen unless $self->{listener};
    return 1;
}

1;
