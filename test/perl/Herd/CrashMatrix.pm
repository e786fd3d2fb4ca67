# The crash matrix: a transaction is stopped at a step of its commit, something is done to the
# coordinator, to one node or to two, the transaction goes on, and then all of it is there or nothing,
# on every server.
#
#   my $matrix = Herd::CrashMatrix->new(stall => 10);
#   for my $cell (Herd::CrashMatrix::cells()) { my @complaints = $matrix->run($cell); }
#
# A cell is { step, victim => coordinator, one or two, strike => error, kill, cut or stall }.
#   error  the step fails, or, where the victim stands elsewhere, the next thing that it is asked to do
#   crash  the process that is at the step dies (where that is the victim's), and its server restarts
#   kill   the server and all its processes die at once, and start again when the client has its answer
#   cut    a proxy resets every connection to a node (the client's own, for the coordinator) and
#          refuses new ones until the client has its answer
#   stall  the server's processes are stopped for some seconds
# Complaints are about: all or nothing; an outcome that the client was told otherwise; a client that
# waits longer than the stall and five seconds; anything in doubt five seconds after everyone is back.
package Herd::CrashMatrix;

use strict;
use warnings;
use Herd;
use Herd::Client;
use Herd::CrashMatrix::Steps;
use Herd::Proxy;
use Time::HiRes qw(time usleep);

our $patience = 5;

my %victims     = (coordinator => ['coordinator'], one => ['n1'], two => [ 'n1', 'n2' ]);
my @strikes     = qw(error kill cut stall);
my @node_errors = map { "node.before_$_" } qw(prepare commit finish_prepared);

sub cells
{
    my @cells;
    for my $step (Herd::CrashMatrix::Steps::all())
    {
        for my $victim (qw(coordinator one two))
        {
            my @here = stops_at_victim({ %$step, victim => $victim }) ? 'crash' : ();
            push @cells, map {
                { %$step, victim => $victim, strike => $_ }
            } @strikes, @here;
        }
    }
    return @cells;
}

sub name_of { my ($cell) = @_; return "$cell->{step}: $cell->{strike}, $cell->{victim}"; }

sub new
{
    my ($class, %arg) = @_;
    my $herd = Herd->new(nodes => 2, proxies => 1, conf => "restart_after_crash = on\n");
    my $self = bless { herd => $herd, stall => $arg{stall} || 10, number => 0, admin => {}, slowest => 0 }, $class;
    $self->{front} = Herd::Proxy->new($herd->coordinator);
    $herd->sql($_) for Herd::CrashMatrix::Steps::tables();
    $self->{key} = $herd->key_on('entry');
    return $self;
}

sub herd { return $_[0]{herd}; }

# Seconds that the slowest recovery took, after everyone was back.
sub slowest { return $_[0]{slowest}; }

# Lines of the servers' logs that must never be there.
sub alarms
{
    my ($self) = @_;
    my @lines;
    for my $server ($self->{herd}->servers)
    {
        push @lines, grep { /PANIC|TRAP|without a guard|was terminated by signal (?!9)/ }
            split /\n/, PostgreSQL::Test::Utils::slurp_file($server->logfile);
    }
    return join "\n", @lines;
}

# A statement on a server itself, past all proxies.
sub on
{
    my ($self, $name, $sql) = @_;
    my $server = $self->{herd}->node($name);
    for my $attempt (1 .. 2)
    {
        $self->{admin}{$name} =
            eval { Herd::Client->new(host => $server->host, port => $server->port, dbname => $self->{herd}->dbname) }
            unless $self->{admin}{$name} && $self->{admin}{$name}->is_open;
        next unless $self->{admin}{$name};
        my $answer = $self->{admin}{$name}->ask($sql);
        return join ' ', map { @$_ } @{ $answer->{rows} } if $answer->{state} eq '00000';
        die "$name: $sql: $answer->{state} $answer->{message}" if $self->{admin}{$name}->is_open;
    }
    return 'unreachable';
}

# The next transaction of a kind.
sub plan
{
    my ($self, $kind) = @_;
    $self->{complaints} = [];
    return Herd::CrashMatrix::Steps::transaction($kind, ++$self->{number}, $self->{key});
}

# A client, who connects over a proxy, too.
sub client
{
    my ($self) = @_;
    my $front = $self->{front};
    return Herd::Client->new(host => $front->host, port => $front->port, dbname => $self->{herd}->dbname);
}

# Returns what is to be complained about, nothing if the cell holds.
sub run
{
    my ($self, $cell) = @_;
    my $plan   = $self->plan($cell->{kind});
    my @stops  = $self->stops($cell);
    my $client = $self->client;
    $self->on($_->[0], "SELECT herd.failpoint_set('$_->[1]', '$_->[2]')") for @stops, $self->preparations($cell);
    $client->send($plan->{sql});

    # The supervisor's steps come when the client has its answer.
    my $answer = $cell->{kind} eq 'recovery' ? $client->answer : undef;
    if ($self->reached($cell, \@stops))
    {
        $self->strike($cell);
        $self->go_on($cell, \@stops);
        my $begin = time;
        $answer ||= $client->answer;
        my $waited = time - $begin;
        $self->complain("the client waited for $waited s") if $waited > $patience;
    }
    $self->mend($cell, \@stops);
    $answer ||= $client->answer;
    $client->leave;
    return $self->judge($cell, $plan, $answer);
}

sub complain { my ($self, $text) = @_; push @{ $self->{complaints} }, $text; return; }

# Where the transaction is held: [server, failpoint, action].
sub stops
{
    my ($self, $cell) = @_;
    my %servers = (coordinator => ['coordinator'], 'one node' => ['n1'], node => $victims{ $cell->{victim} });
    $servers{node} = ['n1'] if $cell->{victim} eq 'coordinator';
    my $action = $cell->{strike} =~ /error|crash/ && stops_at_victim($cell) ? $cell->{strike} : 'pause';
    return map { [ $_, $cell->{step}, $action ] } @{ $servers{ $cell->{where} } };
}

sub stops_at_victim
{
    my ($cell) = @_;
    return ($cell->{where} eq 'coordinator') == ($cell->{victim} eq 'coordinator');
}

# What leaves a transaction for the supervisor.
sub preparations
{
    my ($self, $cell) = @_;
    return $cell->{kind} =~ /recovery|settle/ ? [ 'coordinator', 'commit.after_local', 'error' ] : ();
}

sub reached
{
    my ($self, $cell, $stops) = @_;
    for my $stop (@$stops)
    {
        my ($server, $step, $action) = @$stop;
        my $condition =
            $action eq 'pause'
            ? sub { $self->on($server, 'SELECT herd.failpoint_paused()') =~ /\Q$step\E/ }
            : sub {
            $self->has_logged($server, $action eq 'error' ? "failpoint \"$step\"" : 'was terminated by signal 9');
            };
        next if Herd::poll_until($condition, undef, 10);
        $self->complain("$step was not reached on $server");
        return 0;
    }
    return 1;
}

# What happened leaves its trace in the log, from where the last one was found on.
sub has_logged
{
    my ($self, $server, $wanted) = @_;
    my $text = PostgreSQL::Test::Utils::slurp_file($self->{herd}->node($server)->logfile, $self->{log}{$server} || 0);
    $text =~ /\Q$wanted\E/ or return 0;
    $self->{log}{$server} = -s $self->{herd}->node($server)->logfile;
    return 1;
}

sub strike
{
    my ($self, $cell) = @_;
    my $method = "strike_$cell->{strike}";
    $self->$method($cell, @{ $victims{ $cell->{victim} } });
    return;
}

sub strike_error
{
    my ($self, $cell, @names) = @_;
    return if stops_at_victim($cell);
    if ($cell->{victim} eq 'coordinator')
    {
        $self->on(
            'coordinator', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
            WHERE query ~ 'COMMIT' AND state = 'active' AND pid <> pg_backend_pid()"
        );
        return;
    }
    for my $name (@names)
    {
        $self->on($name, "SELECT herd.failpoint_set('$_', 'error')") for @node_errors;
    }
    return;
}

sub strike_crash { return; }

sub strike_kill
{
    my ($self, $cell, @names) = @_;
    $self->{herd}->kill_server($self->{herd}->node($_)) for @names;
    return;
}

sub strike_cut
{
    my ($self, $cell, @names) = @_;
    $self->front_of($_)->cut(reset => 1) for @names;
    return;
}

sub front_of
{
    my ($self, $name) = @_;
    return $name eq 'coordinator' ? $self->{front} : $self->{herd}->proxy($name);
}

# A node stalls while the transaction goes on; the coordinator's own stall is over by then.
sub strike_stall
{
    my ($self, $cell, @names) = @_;
    my @frozen = map { ($_->{_pid}, Herd::children_of($_->{_pid})) } map { $self->{herd}->node($_) } @names;
    kill 'STOP', @frozen;
    $self->{frozen} = \@frozen;
    $self->{thaws}  = time + $self->{stall};
    return;
}

# Lets the transaction go on from where it was stopped.
sub go_on
{
    my ($self, $cell, $stops) = @_;
    my %struck = map { $_ => 1 } @{ $victims{ $cell->{victim} } };
    my $dead   = $cell->{strike} =~ /kill|stall/;
    for my $stop (@$stops)
    {
        my ($server, $step) = @$stop;
        $self->on($server, "SELECT herd.failpoint_clear('$step')") unless $dead && $struck{$server};
    }
    $self->thaw;
    for my $stop (@$stops)
    {
        my ($server, $step) = @$stop;
        $self->on($server, "SELECT herd.failpoint_clear('$step')") if $cell->{strike} eq 'stall' && $struck{$server};
    }
    return;
}

sub thaw
{
    my ($self) = @_;
    return unless $self->{frozen};
    usleep(20_000) while time < $self->{thaws};
    kill 'CONT', @{ delete $self->{frozen} };
    return;
}

# Everyone comes back, and no failpoint is left.
sub mend
{
    my ($self, $cell, $stops) = @_;
    my @names = @{ $victims{ $cell->{victim} } };
    for my $name (@names)
    {
        my $server = $self->{herd}->node($name);
        $server->start unless $server->{_pid};
        $self->front_of($name)->heal;
        Herd::poll_until(sub { $self->on($name, 'SELECT 1') eq '1' }, "$name to be back");
    }
    my @set = (@$stops, $self->preparations($cell));
    push @set, map {
        my $name = $_;
        map { [ $name, $_ ] } @node_errors
    } grep { $_ ne 'coordinator' } @names;
    $self->on($_->[0], "SELECT herd.failpoint_clear('$_->[1]')") for @set;
    return;
}

# Waits for the recovery and looks what is there; returns all complaints about the cell.
sub judge
{
    my ($self, $cell, $plan, $answer) = @_;

    # Once COMMIT is answered, what fails afterwards is another matter.
    my $state = (grep { $_ eq 'COMMIT' } @{ $answer->{tags} }) ? '00000' : $answer->{state};
    $self->complain("it reads $answer->{rows}[-1][0] of its own write")
        if $plan->{reads} && $answer->{state} eq '00000' && $answer->{rows}[-1][0] ne '1';
    my $begin = time;
    my $what  = '';
    my $clean = Herd::poll_until(sub { ($what = $self->in_doubt) eq '' }, undef, $patience);
    my $took  = time - $begin;
    $self->{slowest} = $took if $took > $self->{slowest};

    if (!$clean)
    {
        $self->complain("still in doubt after $patience s: $what");
        Herd::poll_until(sub { $self->in_doubt eq '' }, undef, 30);
    }
    my $outcome = $self->outcome($plan);
    my $told    = "$outcome, the client saw $state";
    $self->complain("not all or nothing: $told") unless $outcome =~ /^(all|none)$/;
    $self->complain("$told, it must be $cell->{outcome}") if $cell->{outcome} && $outcome ne $cell->{outcome};
    $self->complain($told) if $state eq '00000'                && $outcome ne 'all' || $state eq 'timeout';
    $self->complain($told) if $state !~ /^(00000|lost|08007)$/ && $outcome ne 'none';
    my $expected = $cell->{strike} eq 'error' ? qr/./ : qr/^(00000|lost|08\d\d\d|57P0\d|57014|23505|HR006)$/;
    $self->complain("the client saw $answer->{state}: $answer->{message}") if $answer->{state} !~ $expected;
    $self->complain($_) for $self->strict_read;
    my $report = $self->on('coordinator', "SELECT check_name, node, detail FROM herd.check() WHERE status = 'error'");
    $self->complain("herd.check(): $report") if $report ne '';
    return @{ $self->{complaints} };
}

# Nobody has left the commit gate shut, or in doubt.
sub strict_read
{
    my ($self) = @_;
    my $client = $self->client;
    $client->ask('SET herd.read_consistency = strict');
    my $answer = $client->ask('SELECT count(*) FROM entry WHERE k > 0', $patience);
    $client->leave;
    return $answer->{state} eq '00000' ? () : "a strict read gets $answer->{state}: $answer->{message}";
}

# What some server still does, holds or remembers of transactions, '' if nothing.
sub in_doubt
{
    my ($self) = @_;
    my @found;

    # A session whose client is gone may be about to commit.
    my $busy = $self->on(
        'coordinator', "SELECT pid FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    );
    push @found, "session $busy is there" if $busy ne '';
    for my $name (qw(coordinator n1 n2))
    {
        my $held = $self->on($name, 'SELECT gid FROM pg_prepared_xacts');
        push @found, "$name holds $held" if $held ne '';
    }
    my $kept = $self->on(
        'coordinator', "SELECT (SELECT count(*) FROM herd.dist_transaction) || ' decisions, '
        || (SELECT count(*) FROM herd.transactions) || ' in the view'"
    );
    push @found, $kept if $kept ne '0 decisions, 0 in the view';
    return join '; ', @found;
}

# What is there of the transaction's rows, read on the servers themselves.
sub outcome
{
    my ($self,  $plan) = @_;
    my ($there, @seen) = (0);
    for my $row (@{ $plan->{rows} })
    {
        my ($server, $count) = @$row;
        my $found = $self->on($server, $count);
        $there += $found;
        push @seen, "$server $found";
    }
    return "leftover of a savepoint" if grep { $self->on($_->[0], $_->[1]) ne '0' } @{ $plan->{never} };
    return $there == 0 ? 'none' : $there == @{ $plan->{rows} } ? 'all' : join ', ', @seen;
}

1;
