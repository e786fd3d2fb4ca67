# Sessions at work, each in a process of its own, while servers are killed at random.
#
#   my $chaos = Herd::Chaos->new(herd => $herd, seed => 7);
#   my @records = $chaos->run(sessions => 16, seconds => 60, kill => ['n1', 'n2'], work => sub { my ($session) = @_; ... });
#
# work is called again and again until the time is over; what it returns (records, hashes) comes back to
# the test. A session: { number, state => what the work keeps }, with ->ask($sql) and ->random($n).
# Killed servers are down for 0.3 to 3 seconds. ways => [...] names other ways to be away for that time: stop
# (SIGSTOP) and, where the herd has proxies, cut (connections are reset, and none is made) and stall
# (connections stand still). ->away has [name, begin, end] of each time.
package Herd::Chaos;

use strict;
use warnings;
use Herd;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time usleep);

sub new
{
    my ($class, %arg) = @_;
    my $self = bless { away => [], runs => 0, %arg }, $class;
    srand $self->{seed};
    return $self;
}

sub away { return @{ $_[0]{away} }; }

# Seconds between these times in which some server was away.
sub away_between
{
    my ($self, $begin, $end) = @_;
    my $sum = 0;
    for my $away ($self->away)
    {
        my (undef, $from, $to) = @$away;
        $from = $begin if $from < $begin;
        $to   = $end   if $to > $end;
        $sum += $to - $from if $to > $from;
    }
    return $sum;
}

sub run
{
    my ($self, %arg) = @_;
    my $end = time + $arg{seconds};
    my $dir = PostgreSQL::Test::Utils::tempdir();
    $self->{runs}++;
    my @children = map { $self->start_session($_, "$dir/$_", $end, $arg{work}) } 1 .. $arg{sessions};
    $self->kill_until($end, $arg{kill} || [], $arg{ways} || ['kill']);
    waitpid $_, 0 for @children;
    return map { read_records("$dir/$_") } 1 .. $arg{sessions};
}

sub read_records
{
    my ($file) = @_;
    open my $fh, '<', $file or die "$file: $!";
    return map { decode_json($_) } <$fh>;
}

sub start_session
{
    my ($self, $number, $file, $end, $work) = @_;
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    return $pid if $pid;
    my $done = eval {
        srand $self->{seed} * 1000 + $self->{runs} * 100 + $number;
        open my $fh, '>', $file or die "$file: $!";
        my $session = Herd::Chaos::Session->new($self->{herd}, $number);
        while (time < $end)
        {
            print $fh encode_json($_), "\n" for $work->($session);
        }
        $session->leave;
        close $fh;
        1;
    };
    warn "session $number: $@" unless $done;
    POSIX::_exit($done ? 0 : 1);    # the test's own cleaning up is not the session's
}

sub kill_until
{
    my ($self, $end, $names, $ways) = @_;
    while (@$names)
    {
        my $calm = 1 + rand 4;
        last if time + $calm + 3 > $end;
        usleep($calm * 1e6);
        my $server = $self->{herd}->node($names->[ rand @$names ]);
        my $way    = $ways->[ rand @$ways ];
        my $begin  = time;
        my $method = "away_by_$way";
        my $back   = $self->$method($server);
        usleep((0.3 + rand 2.7) * 1e6);
        $back->();
        push @{ $self->{away} }, [ $server->name, $begin, time ];
    }
    usleep(($end - time) * 1e6) if $end > time;
    return;
}

# Each returns what brings the server back.
sub away_by_kill
{
    my ($self, $server) = @_;
    $self->{herd}->kill_server($server);
    return sub { $server->start };
}

sub away_by_stop
{
    my ($self, $server) = @_;
    my @processes = ($server->{_pid}, Herd::children_of($server->{_pid}));
    kill 'STOP', @processes;
    return sub { kill 'CONT', @processes };
}

sub away_by_cut
{
    my ($self, $server) = @_;
    my $proxy = $self->{herd}->proxy($server->name);
    $proxy->cut(reset => 1);
    return sub { $proxy->heal };
}

sub away_by_stall
{
    my ($self, $server) = @_;
    my $proxy = $self->{herd}->proxy($server->name);
    $proxy->stall;
    return sub { $proxy->heal };
}

package Herd::Chaos::Session;

use Herd::Client;
use Time::HiRes qw(time usleep);

sub new
{
    my ($class, $herd, $number) = @_;
    my $server = $herd->coordinator;
    return bless {
        number  => $number,
        state   => {},
        address => { host => $server->host, port => $server->port, dbname => $herd->dbname }
    }, $class;
}

sub random { return int rand $_[1]; }

# A connection is made anew when there is none; who cannot get one has the state of that error.
sub ask
{
    my ($self, $sql) = @_;
    my $begin = time;
    my $answer;
    if (!$self->{client} || !$self->{client}->is_open)
    {
        $self->{client} = eval { Herd::Client->new(%{ $self->{address} }) };
        $answer = { state => (split ' ', $@)[0], message => $@, rows => [], tags => [] } unless $self->{client};
    }
    $answer ||= $self->{client}->ask($sql);
    my $end = time;

    # Who is told that a node is away tries again a little later.
    usleep(50_000) if $answer->{state} =~ /^(08|57P|lost)/;

    # A client that gets no answer leaves: what it waits for is in the record.
    delete $self->{client} if $answer->{state} eq 'timeout';
    return { %$answer, begin => $begin, end => $end };
}

# Runs the statements of a transaction, each asked for when the one before was answered, and returns
# { outcome => committed, failed or unknown, state, message, answers => [...] }.
sub transaction
{
    my ($self, $begin, @statements) = @_;
    my @answers;
    for my $sql ($begin, @statements, 'COMMIT')
    {
        push @answers, $self->ask($sql);
        next if $answers[-1]{state} eq '00000';
        my $state   = $answers[-1]{state};
        my $unknown = $sql eq 'COMMIT' && $state =~ /^(08007|lost|timeout|57P0\d)$/;

        # An error of COMMIT itself has ended the block.
        $self->ask('ROLLBACK') if $sql ne 'COMMIT' && $self->{client} && $self->{client}->is_open;
        return {
            outcome => $unknown ? 'unknown' : 'failed',
            state   => $state,
            message => $answers[-1]{message},
            answers => \@answers
        };
    }
    my $outcome = ($answers[-1]{tags}[0] || '') eq 'COMMIT' ? 'committed' : 'failed';
    return { outcome => $outcome, state => '00000', message => '', answers => \@answers };
}

sub leave
{
    my ($self) = @_;
    $self->{client}->leave if $self->{client};
    return;
}

1;
