# The servers of `make bench` and the measuring: plain PostgreSQL, a herd of a coordinator and two nodes,
# beside it on the coordinator a herd without nodes and the emulation's tables, and pgbouncer. All of them
# are reached by TCP over the loopback interface.
#
#   my $bench = Herd::Bench->new(rows => 1_000_000, seconds => 5, rounds => 3, fsync => 'on');
#   $bench->prepare(@workloads);
#   for my $result ($bench->measure($workload, $clients)) { ... }
#
# transactions => 10 instead of seconds: so many by each client, for tests of the bench itself.
#
# A result is one side's: { workload, clients, side, rate, of_plain, here_us, nodes_us, ... }, rates and
# ratios as figures (Herd::Bench::Figures), and the processor's time of a transaction at the server that
# the client talks to and at the nodes, in microseconds.
package Herd::Bench;

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use Herd;
use Herd::Bench::Figures;
use Herd::Bench::Tables;
use Herd::Pooler;
use List::Util qw(sum0);
use PostgreSQL::Test::Utils;
use Test::More;

my $scripts = dirname(abs_path(__FILE__)) . '/../../bench';
my $ticks   = 100;                                         # of /proc/PID/stat in a second

# Of each side: the database on which server, and whose processor time counts.
my %sides = (
    plain     => { server => 'plain',       database => 'postgres' },
    herd      => { server => 'coordinator', database => 'postgres', nodes => 1 },
    alone     => { server => 'coordinator', database => 'alone' },
    hop       => { server => 'plain',       database => 'postgres', pooler => 1 },
    emulation => { server => 'coordinator', nodes    => 1 },
    agent     => { server => 'coordinator', nodes    => 1, suffix => '_agent' },
);

sub new
{
    my ($class, %arg) = @_;
    my $self = bless {%arg}, $class;
    $self->{herd} = Herd->new(
        nodes => 2, plain => 1, join => 0,
        conf  => "fsync = $arg{fsync}\nfull_page_writes = on\nlisten_addresses = '127.0.0.1'\n"
            . "shared_buffers = 512MB\n"
    );
    my $coordinator = $self->{herd}->coordinator;
    $coordinator->safe_psql('postgres', 'CREATE EXTENSION pg_herd');
    for my $node ($self->{herd}->nodes)
    {
        my ($name, $port) = ($node->name, $node->port);
        $coordinator->safe_psql('postgres', "SELECT herd.add_node('$name', '127.0.0.1', $port)");
    }
    return $self;
}

sub rows      { return $_[0]{rows}; }
sub herd      { return $_[0]{herd}; }
sub directory { return $_[0]{herd}->plain->basedir; }

sub server
{
    my ($self, $side) = @_;
    my $name = $sides{$side}{server};
    return $self->{herd}->$name;
}

# A statement on the server of plain, herd or alone.
sub sql
{
    my ($self, $side, $sql) = @_;
    return $self->server($side)->safe_psql($sides{$side}{database}, $sql);
}

# What the workloads need beside plain PostgreSQL and the herd; tables come with each workload.
sub prepare
{
    my ($self, @workloads) = @_;
    my %wanted = map { $_ => 1 } map { @{ $_->{sides} } } @workloads;
    my $plain = $self->{herd}->plain;
    $self->{pooler} = Herd::Pooler->new(
        $plain,
        target            => 'host=127.0.0.1 port=' . $plain->port,
        default_pool_size => 100,
        max_client_conn   => 100
    ) if $wanted{hop};
    if ($wanted{alone})
    {
        $self->{herd}->coordinator->safe_psql('postgres', 'CREATE DATABASE alone');
        $self->sql('alone', 'CREATE EXTENSION pg_herd');
    }
    if ($wanted{emulation} || $wanted{agent})
    {
        $_->safe_psql('postgres', 'CREATE DATABASE emulation') for $self->{herd}->servers;
        Herd::Bench::Tables::create_emulated($self);
    }
    $self->{later} = [@workloads];
    return;
}

# A function for each server of the emulation that runs a statement there.
sub emulation_servers
{
    my ($self) = @_;
    return map {
        my $server = $_;
        sub { return $server->safe_psql('emulation', $_[0]); }
    } $self->{herd}->servers;
}

# Makes the tables of a workload that are not there yet.
sub create_tables
{
    my ($self, $workload) = @_;
    for my $table (grep { !$self->{tables}{$_} } @{ $workload->{tables} })
    {
        my %on = map { $_ => 1 } qw(plain herd), @{ $workload->{sides} };
        # Any later workload may ask for the coordinator alone.
        for my $later (grep { uses($_, $table) } @{ $self->{later} })
        {
            $on{alone} = 1 if grep { $_ eq 'alone' } @{ $later->{sides} };
        }
        Herd::Bench::Tables::create($self, $table, \%on);
        $self->{tables}{$table} = \%on;
    }
    return;
}

sub uses
{
    my ($workload, $table) = @_;
    return grep { $_ eq $table } @{ $workload->{tables} };
}

# Drops what no later workload needs.
sub finish
{
    my ($self, $workload) = @_;
    @{ $self->{later} } = grep { $_->{name} ne $workload->{name} } @{ $self->{later} };
    for my $table (@{ $workload->{tables} })
    {
        next if grep { uses($_, $table) } @{ $self->{later} };
        my $on = delete $self->{tables}{$table};
        $self->sql($_, "DROP TABLE $table") for grep { $on->{$_} } qw(plain herd alone);
    }
    return;
}

# All rounds of one workload: the results of its sides.
sub measure
{
    my ($self, $workload, $clients) = @_;
    $self->create_tables($workload);
    my @sides = (qw(plain herd), @{ $workload->{sides} });
    $_->safe_psql('postgres', 'CHECKPOINT') for $self->{herd}->servers, $self->{herd}->plain;
    if (!$workload->{statement} && !$self->{transactions})
    {
        $self->run($workload, $clients, $_, 1) for @sides;    # warms caches
    }
    my (%rates, %costs);
    for my $round (1 .. $self->{rounds})
    {
        for my $side ($round % 2 ? @sides : reverse @sides)
        {
            my ($rate, @cost) = $self->run($workload, $clients, $side, $self->{seconds} || 0.1);
            push @{ $rates{$side} }, $rate;
            push @{ $costs{$side}[$_] }, $cost[$_] for 0 .. $#cost;
        }
    }
    return map { $self->result($workload, $clients, $_, \%rates, $costs{$_}) } @sides;
}

sub result
{
    my ($self, $workload, $clients, $side, $rates, $costs) = @_;
    my ($here, $nodes) = map { Herd::Bench::Figures::median(@$_) } @$costs;
    return {
        workload => $workload->{name}, clients => $clients, side => $side,
        fsync    => $self->{fsync}, rows => $self->{rows}, seconds => $self->{seconds},
        rate     => Herd::Bench::Figures::figure(@{ $rates->{$side} }),
        of_plain => Herd::Bench::Figures::ratio($rates->{$side}, $rates->{plain}),
        here_us  => $here, nodes_us => $nodes
    };
}

# One run: transactions per second, and what one cost the server asked and the nodes.
sub run
{
    my ($self, $workload, $clients, $side, $seconds) = @_;
    my @servers = ($self->server($side), $sides{$side}{nodes} ? $self->{herd}->nodes : ());
    if ($workload->{before})
    {
        $self->sql($side, $workload->{before});
        $_->safe_psql('postgres', 'CHECKPOINT') for @servers;
    }
    my @before = map { processor_time($_) } @servers;
    my $rate = $workload->{statement} ? $self->timed($workload, $side)
        : $side =~ /^(?:emulation|agent)$/ ? $self->emulate($workload, $clients, $side, $seconds)
        :                                    $self->pgbench($workload, $clients, $side, $seconds);
    my $count = $workload->{statement} ? 1 : $rate * $seconds || 1;
    my ($here, @nodes) =
        map { (processor_time($servers[$_]) - $before[$_]) / $count * 1e6 } 0 .. $#servers;
    return ($rate, $here, sum0(@nodes));
}

# Seconds of the processor that a server has used, those of ended backends included.
sub processor_time
{
    my ($server) = @_;
    my $sum = 0;
    for my $pid ($server->{_pid}, Herd::children_of($server->{_pid}))
    {
        open my $fh, '<', "/proc/$pid/stat" or next;
        my $line = <$fh>;
        next unless defined $line;    # it has just ended
        my @fields = split ' ', $line =~ s/^.*\) //r;
        # utime and stime; the postmaster's cutime and cstime.
        $sum += $_ for @fields[ 11 .. 14 ];
    }
    return $sum / $ticks;
}

sub connection
{
    my ($self, $side) = @_;
    my $server = $sides{$side}{pooler} ? $self->{pooler} : $self->server($side);
    return 'host=127.0.0.1 port=' . $server->port . " dbname=$sides{$side}{database}";
}

sub pgbench
{
    my ($self, $workload, $clients, $side, $seconds) = @_;
    local $ENV{PGOPTIONS} = $side eq 'herd' ? $workload->{settings} || '' : '';
    return rate_of(
        'pgbench', '-n', '-M', $workload->{protocol}, @{ $workload->{options} }, '-c', $clients,
        '-j', $clients > 1 ? 2 : 1, '-D', "rows=$self->{rows}",
        $self->{transactions} ? ('-t', $self->{transactions}) : ('-T', $seconds),
        '-f', "$scripts/$workload->{script}.sql", $self->connection($side)
    );
}

sub emulate
{
    my ($self, $workload, $clients, $side, $seconds) = @_;
    my $name = $workload->{script} . ($sides{$side}{suffix} || '');
    return rate_of(
        "$ENV{HERD_STAGE}/bench/emulate", $name, $clients, $seconds, $self->{rows},
        map { 'host=127.0.0.1 port=' . $_->port . ' dbname=emulation' } $self->{herd}->servers
    );
}

# What a program says; 0 when any of its transactions failed.
sub rate_of
{
    my (@command) = @_;
    my ($out, $err) = run_command(\@command);
    my ($rate) = $out =~ /^tps = ([\d.]+)/m;
    return $rate if $rate && $err !~ /error|aborted/;
    diag "@command\n$out\n$err";
    return 0;
}

# Statements per second, of one.
sub timed
{
    my ($self, $workload, $side) = @_;
    my $statement = $workload->{statement};
    $statement =~ s/FILE/Herd::Bench::Tables::copy_file($self)/e;
    my ($out, $err) = run_command(
        [
            'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', '\timing on', '-c', $statement,
            '-d', $self->connection($side)
        ]
    );
    my ($milliseconds) = $out =~ /^Time: ([\d.]+) ms/m;
    return 1000 / $milliseconds if $milliseconds && $err !~ /ERROR|error/;
    diag "$statement\n$out\n$err";
    return 0;
}

1;
