# Herds of many shards, tables or nodes on two servers, and what they cost a session: of `make bench-scale`.
#
#   my $scale = Herd::Bench::Scale->new(repeat => 5000, sessions => 9);
#   for my $size (Herd::Bench::Scale::sizes()) { push @results, $scale->measure($size); }
#
# A node is a database of the second server; each herd has a database of its own on the first. The
# figures are of one size: { vary, shards, tables, nodes, read_us, connect_us, ... }, times in
# microseconds (of the processor) or milliseconds (on the clock), memory in kB.
package Herd::Bench::Scale;

use strict;
use warnings;
use Herd;
use Herd::Bench::Figures;
use Time::HiRes qw(time);

my $rows = 1000;

# What is varied, and the sizes; shards are those of each table.
my @sizes = (
    (map { { vary => 'shards', shards => $_, tables => 1,  nodes => 2 } } 64, 1024, 8192, 65_536),
    (map { { vary => 'tables', shards => 32, tables => $_, nodes => 2 } } 1,  100,  1000),
    (map { { vary => 'nodes',  shards => 64, tables => 1,  nodes => $_ } } 1, 8,    32),
);

sub sizes { return @sizes; }

sub new
{
    my ($class, %arg) = @_;
    my $conf = "max_worker_processes = 200\nmax_connections = 300\nlisten_addresses = '127.0.0.1'\n"
        . "max_locks_per_transaction = 512\n";
    return bless {
        %arg,
        coordinator => Herd::start_server('coordinator', $conf . common()),
        nodes       => Herd::start_server('nodes', $conf . common()),
        herds       => 0
    }, $class;
}

sub common
{
    return "shared_preload_libraries = 'pg_herd'\nwal_level = logical\nmax_prepared_transactions = 300\n"
        . "fsync = off\nautovacuum = off\nshared_buffers = 64MB\nmax_wal_size = 4GB\n";
}

sub measure
{
    my ($self, $size) = @_;
    my %herd = (%$size, db => 'scale' . ++$self->{herds});
    my $result = { %$size, $self->build(\%herd) };
    $self->new_sessions(\%herd, $result);
    $self->statements(\%herd, $result);
    $self->touch_all(\%herd, $result);
    $self->drop(\%herd);
    return $result;
}

sub sql
{
    my ($self, $herd, $sql) = @_;
    return $self->{coordinator}->safe_psql($herd->{db}, $sql);
}

# Milliseconds of a statement.
sub timed
{
    my ($self, $herd, $sql) = @_;
    my $out = $self->sql($herd, "\\timing on\n$sql");
    my ($milliseconds) = $out =~ /^Time: ([\d.]+) ms/m or die "no time in $out";
    return $milliseconds;
}

sub table { return "CREATE TABLE t$_[0] (id int PRIMARY KEY, balance bigint, note text)"; }

# The herd with its tables; how long the last of them took.
sub build
{
    my ($self, $herd) = @_;
    $self->{coordinator}->safe_psql('postgres', "CREATE DATABASE $herd->{db}");
    $self->sql($herd, 'CREATE EXTENSION pg_herd');
    for my $n (1 .. $herd->{nodes})
    {
        my $db = "$herd->{db}_$n";
        $self->{nodes}->safe_psql('postgres', "CREATE DATABASE $db");
        my $port = $self->{nodes}->port;
        $self->sql($herd, "SELECT herd.add_node('n$n', '127.0.0.1', $port, dbname => '$db')");
    }
    $self->sql($herd, "SELECT herd.set_node('coordinator', takes_shards => false)");
    # Some in each session: what a transaction or a session remembers is not what is measured here.
    for (my $first = 1; $first < $herd->{tables}; $first += 50)
    {
        my $last = $first + 49 < $herd->{tables} ? $first + 49 : $herd->{tables} - 1;
        $self->sql($herd, join '', map { table($_) . "; SELECT herd.distribute('t$_', 'id', shard_count => $herd->{shards});" } $first .. $last);
    }
    my $name = "t$herd->{tables}";
    my %time = (
        create_ms     => $self->timed($herd, table($herd->{tables}) . ';'),
        distribute_ms => $self->timed($herd, "SELECT herd.distribute('$name', 'id', shard_count => $herd->{shards});")
    );
    $self->sql($herd, "INSERT INTO $name SELECT i, i, 'note' FROM generate_series(1, $rows) i");
    return %time;
}

sub drop
{
    my ($self, $herd) = @_;
    $self->{coordinator}->safe_psql('postgres', "DROP DATABASE $herd->{db} WITH (FORCE)");
    $self->{nodes}->safe_psql('postgres', "DROP DATABASE $herd->{db}_$_ WITH (FORCE)") for 1 .. $herd->{nodes};
    return;
}

# Microseconds of the processor that a process has used so far.
sub used_us
{
    my ($pid) = @_;
    open my $fh, '<', "/proc/$pid/schedstat" or die "$pid: $!";
    my ($nanoseconds) = split ' ', <$fh>;
    close $fh;
    return $nanoseconds / 1000;
}

# kB of a process that it shares with nobody.
sub private_kb
{
    my ($pid) = @_;
    open my $fh, '<', "/proc/$pid/status" or die "$pid: $!";
    my ($kb) = map { /^RssAnon:\s+(\d+) kB/ } <$fh>;
    close $fh;
    return $kb;
}

sub open_session
{
    my ($self, $herd) = @_;
    my $session = $self->{coordinator}->background_psql($herd->{db});
    return ($session, $session->query_safe('SELECT pg_backend_pid()'));
}

sub median { return Herd::Bench::Figures::median(@_); }

# The whole processor time of a session that reads one row; its memory then.
sub new_sessions
{
    my ($self, $herd, $result) = @_;
    my (@used, @kb);
    for (1 .. $self->{sessions})
    {
        my ($session, $pid) = $self->open_session($herd);
        $session->query_safe("SELECT balance FROM t$herd->{tables} WHERE id = 7");
        push @used, used_us($pid);
        push @kb,   private_kb($pid);
        $session->quit;
    }
    @$result{qw(connect_us first_kb)} = (median(@used), median(@kb));
    return;
}

# Microseconds of each of many executions of a prepared statement, and milliseconds on the clock.
sub per_execution
{
    my ($self, $session, $pid, $count, $execute) = @_;
    my $many = sub { return "\\o /dev/null\n" . join("\n", map { $execute->($_) } 1 .. $_[0]) . "\n\\o"; };
    $session->query_safe($many->(20));
    my @used;
    my $began = time;
    for (1 .. 5)
    {
        my $before = used_us($pid);
        $session->query_safe($many->($count / 5));
        push @used, (used_us($pid) - $before) / ($count / 5);
    }
    return (median(@used), (time - $began) / $count * 1000);
}

sub statements
{
    my ($self, $herd, $result) = @_;
    my ($session, $pid) = $self->open_session($herd);
    my $table = "t$herd->{tables}";
    $session->query_safe("PREPARE one(int) AS SELECT balance FROM $table WHERE id = \$1; PREPARE every AS SELECT count(*) FROM $table");
    ($result->{read_us}) = $self->per_execution($session, $pid, $self->{repeat}, sub { return 'EXECUTE one(' . $_[0] % $rows . ');'; });
    @$result{qw(fan_out_us fan_out_ms)} =
        $self->per_execution($session, $pid, $self->{repeat} / 20, sub { return 'EXECUTE every;'; });
    $session->quit;
    return;
}

# Memory of a session after a statement for each table, and of its process on a node.
sub touch_all
{
    my ($self, $herd, $result) = @_;
    my ($session, $pid) = $self->open_session($herd);
    $session->query_safe(join "\n", "\\o /dev/null", (map { "SELECT balance FROM t$_ WHERE id = 7;" } 1 .. $herd->{tables}), "\\o");
    $result->{all_kb}  = private_kb($pid);
    $result->{node_kb} = private_kb($session->query_safe("SELECT herd.run_on_node('n1', 'SELECT pg_backend_pid()')"));
    $session->quit;
    return;
}

1;
