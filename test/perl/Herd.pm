# A herd for tests: one coordinator, its nodes and a plain server beside them, each an own
# PostgreSQL instance made by PostgreSQL::Test::Cluster.
#
#   my $herd = Herd->new(nodes => 2, plain => 1);
#   $herd->sql('SELECT ...');               rows as text, dies on error
#   my ($out, $state) = $herd->try('...');  output and SQLSTATE ('00000' if it went well)
#   $herd->check_invariants('after the crash');
#
# HERD_STAGE names the directory that holds the staged extension.
package Herd;

use strict;
use warnings;
use Herd::Proxy;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

# The one timeout of every condition that a test waits for, in seconds.
our $timeout = $ENV{HERD_TEST_TIMEOUT} || 60;

my $settings = <<'CONF';
shared_preload_libraries = 'pg_herd'
wal_level = logical
max_wal_senders = 10
max_replication_slots = 10
max_prepared_transactions = 100
max_worker_processes = 64
max_connections = 100
shared_buffers = 64MB
fsync = off
full_page_writes = off
max_wal_size = 4GB
checkpoint_timeout = 1h
log_statement = none
autovacuum = off
timezone = 'UTC'
CONF

# Makes servers and joins them: nodes => how many, plain => 1 for a plain server beside the herd,
# conf => further settings, join => 0 to leave the nodes out of the herd, proxies => 1 for a
# Herd::Proxy in front of each node, over which the coordinator connects.
sub new
{
    my ($class, %arg) = @_;
    my $self  = bless { servers => {}, dbname => 'postgres', nodes => [] }, $class;
    my $conf  = join "\n", $settings, $arg{conf} || '', $ENV{HERD_CONF} || '', '';
    my $count = defined $arg{nodes} ? $arg{nodes} : 2;

    $self->{coordinator} = start_server('coordinator', $conf);
    push @{ $self->{nodes} }, start_server("n$_", $conf) for 1 .. $count;
    (my $plain_conf = $conf) =~ s/^(shared_preload_libraries|herd\.).*\n//mg;
    $self->{plain} = start_server('plain', $plain_conf) if $arg{plain};
    $self->{proxies} = { map { $_->name => Herd::Proxy->new($_) } $self->nodes } if $arg{proxies};
    $self->form('postgres') unless defined $arg{join} && !$arg{join};
    return $self;
}

# One server with the herd's settings, started.
sub start_server
{
    my ($name, $conf) = @_;
    my $server = PostgreSQL::Test::Cluster->new($name);
    $server->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
    $server->append_conf('postgresql.conf', $conf);
    $server->append_conf('postgresql.conf', stage_settings($server));
    $server->start;
    return $server;
}

# Where the server finds the staged extension: extension_destdir covers CREATE EXTENSION and
# functions, dynamic_library_path the preloading.
sub stage_settings
{
    my ($server) = @_;
    my $stage    = $ENV{HERD_STAGE} or die 'HERD_STAGE is not set';
    my $libdir   = $server->config_data('--pkglibdir');
    return "extension_destdir = '$stage'\ndynamic_library_path = '$stage$libdir:\$libdir'";
}

# Makes a herd of the database on all servers.
sub form
{
    my ($self, $dbname) = @_;
    $self->{coordinator}->safe_psql($dbname, 'CREATE EXTENSION pg_herd');
    for my $node (@{ $self->{nodes} })
    {
        my $name    = $node->name;
        my $address = $self->{proxies} ? $self->proxy($name) : $node;
        my ($host, $port) = ($address->host, $address->port);
        $self->{coordinator}->safe_psql(
            $dbname,
            "SELECT herd.add_node('$name', '$host', $port, dbname => '$dbname')"
        );
    }
    $self->{dbname} = $dbname;
    return;
}

# A new database on every server, joined to a herd of its own, and on the plain server.
sub new_database
{
    my ($self, $dbname) = @_;
    $_->safe_psql('postgres', "CREATE DATABASE $dbname") for $self->servers, $self->plain || ();
    $self->form($dbname);
    return;
}

sub coordinator { return $_[0]->{coordinator}; }
sub plain       { return $_[0]->{plain}; }
sub dbname      { return $_[0]->{dbname}; }
sub nodes       { return @{ $_[0]->{nodes} }; }
sub servers     { return ($_[0]->{coordinator}, @{ $_[0]->{nodes} }); }

# The server of a node by the node's name.
sub node
{
    my ($self, $name) = @_;
    my ($server) = grep { $_->name eq $name } $self->servers;
    return $server;
}

# The proxy in front of a node.
sub proxy
{
    my ($self, $name) = @_;
    return $self->{proxies}{$name};
}

# Rows of one statement on the coordinator; dies on error.
sub sql
{
    my ($self, $sql) = @_;
    return $self->{coordinator}->safe_psql($self->{dbname}, $sql);
}

# Rows as a user sees them who connects to a node itself.
sub sql_on
{
    my ($self, $name, $sql) = @_;
    return $self->node($name)->safe_psql($self->{dbname}, $sql);
}

# Output and SQLSTATE of a script, which stops at its first error. The state is 'lost' when the
# connection broke. On the server given, else the coordinator.
sub try
{
    my ($self, $sql, $server) = @_;
    $server ||= $self->{coordinator};
    my ($out, $err);
    my $rc = $server->psql(
        $self->{dbname}, $sql, stdout => \$out, stderr => \$err,
        on_error_stop => 1,        extra_params => [ '-v', 'VERBOSITY=sqlstate' ],
        timeout       => $timeout, timed_out    => \my $timed_out
    );
    return ($out, 'timeout') if $timed_out;
    return ($out, $1)        if $err =~ /(?:ERROR|FATAL|PANIC):\s+(\w{5})\s*$/m && $rc != 2;
    return ($out, $rc == 0 ? '00000' : 'lost');
}

# The error's whole text (message, detail, hint), '' if there was none.
sub error_of
{
    my ($self, $sql, $server) = @_;
    $server ||= $self->{coordinator};
    my ($out, $err);
    $server->psql(
        $self->{dbname}, $sql, stdout => \$out, stderr => \$err, on_error_stop => 1,
        timeout => $timeout, timed_out => \my $timed_out
    );
    return $timed_out ? 'timeout' : $err =~ /ERROR|FATAL|connection/ ? $err : '';
}

# Starts a script on the coordinator in the background; finish_script answers as try does, and
# output_so_far what it has printed.
sub start_script
{
    my ($self, $sql, $server) = @_;
    $server ||= $self->{coordinator};
    my $file = $server->basedir . '/script' . ++$self->{scripts};
    PostgreSQL::Test::Utils::append_to_file("$file.sql", $sql);
    my $run = IPC::Run::start(
        [
            'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=sqlstate',
            '-d', $server->connstr($self->{dbname})
        ],
        '<', "$file.sql", '>', "$file.out", '2>', "$file.err", IPC::Run::timeout($timeout * 2)
    );
    return { run => $run, file => $file };
}

sub output_so_far { return slurp_file("$_[1]{file}.out"); }

sub finish_script
{
    my ($self, $job) = @_;
    my $ended = eval { $job->{run}->finish; 1 };
    chomp(my $out = slurp_file("$job->{file}.out"));
    return ($out, 'timeout') unless $ended;
    my $code = $job->{run}->full_result(0) >> 8;
    return ($out, '00000') if $code == 0;
    my ($state) = slurp_file("$job->{file}.err") =~ /(?:ERROR|FATAL|PANIC):\s+(\w{5})\s*$/m;
    return ($out, $code != 2 && defined $state ? $state : 'lost');
}

# A key of the table on each node: { coordinator => ..., n1 => ..., n2 => ... }. $nth tells several
# apart.
sub key_on
{
    my ($self, $table, $nth) = @_;
    $nth ||= 1;
    my $rows = $self->sql(
        qq{
        SELECT node, k FROM (
            SELECT k, herd.node_of('$table', k::text) AS node,
                   row_number() OVER (PARTITION BY herd.node_of('$table', k::text) ORDER BY k) AS n
            FROM generate_series(1, 400) k) s WHERE n = $nth}
    );
    return { map { split /\|/ } split /\n/, $rows };
}

# Statement counters of the coordinator: { round_trips => ..., planned => ... }.
sub counters
{
    my ($self) = @_;
    return { map { split /\|/ } split /\n/, $self->sql('SELECT name, value FROM herd.stat') };
}

# Waits for a condition; true when it held in time.
sub poll_until
{
    my ($condition, $what, $limit) = @_;
    my $end = time + ($limit || $timeout);
    while (1)
    {
        return 1 if $condition->();
        last     if time > $end;
        usleep(20_000);
    }
    diag "gave up waiting: $what" if defined $what;
    return 0;
}

# Waits until a statement on a server answers what is expected.
sub poll_sql
{
    my ($self, $server, $sql, $expected, $limit) = @_;
    my $out;
    my $held = poll_until(
        sub {
            my $err;
            $server->psql($self->{dbname}, $sql, stdout => \$out, stderr => \$err);
            return defined $out && $out eq $expected;
        },
        undef,
        $limit
    );
    diag "gave up waiting for '$expected' from: $sql\nlast answer: " . (defined $out ? $out : '')
        unless $held;
    return $held;
}

# A psql session that stays open, for tests with several sessions at once.
sub session
{
    my ($self, $server) = @_;
    return ($server || $self->{coordinator})
        ->background_psql($self->{dbname}, on_error_stop => 0, timeout => $timeout * 3);
}

# Ends a server as a power cut would: the postmaster and every backend at once.
sub kill_server
{
    my ($self, $server) = @_;
    my $pid      = $server->{_pid};
    my @children = children_of($pid);
    kill 'STOP', $pid;
    kill 'KILL', $pid, @children, children_of($pid);
    $server->{_pid} = undef;
    poll_until(
        sub {
            !grep { kill 0, $_ } @children;
        },
        'backends to be gone'
    );
    return;
}

sub children_of
{
    my ($parent) = @_;
    my @found;
    for my $stat (glob '/proc/[0-9]*/stat')
    {
        open my $fh, '<', $stat or next;
        my $line = <$fh>;
        push @found, $1 if defined $line && $line =~ /^(\d+) \(.*\) \S (\d+) / && $2 == $parent;
    }
    return @found;
}

# The invariants of the whole herd, as subtests: ranges tile the space, each key is readable
# exactly once and lies where it belongs, nothing is left prepared, reference tables are equal,
# and the herd's own report has no error.
sub check_invariants
{
    my ($self, $when) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return subtest "invariants $when" => sub {
        ok $self->nothing_prepared, 'no prepared transaction is left';
        is $self->sql($Herd::SQL{untiled}), '', 'ranges tile the hash space';
        for my $row (split /\n/, $self->sql($Herd::SQL{tables}))
        {
            my ($table, $kind, $key) = split /\t/, $row;
            $kind eq 'reference' ? $self->same_everywhere($table) : $self->keys_once($table, $key);
        }
        is $self->sql("SELECT check_name, node, detail FROM herd.check() WHERE status = 'error'"),
            '', 'herd.check() reports no error';
    };
}

our %SQL = (
    untiled => q{
        SELECT group_id, hash_min FROM (
            SELECT group_id, hash_min,
                   coalesce(lag(hash_max) OVER w + 1, -9223372036854775808) AS expected,
                   lead(hash_min) OVER w AS next, hash_max
            FROM herd.shards WINDOW w AS (PARTITION BY group_id ORDER BY hash_min)) s
        WHERE hash_min <> expected OR next IS NULL AND hash_max <> 9223372036854775807},
    tables => q{
        SELECT concat_ws(E'\t', table_name, kind, key) FROM herd.tables ORDER BY 1}
);

# True when no server holds a prepared transaction, within ten seconds.
sub nothing_prepared
{
    my ($self) = @_;
    return poll_until(
        sub {
            for my $server ($self->servers)
            {
                my ($out, $err);
                $server->psql(
                    $self->{dbname}, 'SELECT count(*) FROM pg_prepared_xacts',
                    stdout => \$out, stderr => \$err
                );
                return 0 unless defined $out && $out eq '0';
            }
            return 1;
        },
        'prepared transactions to be settled',
        10
    );
}

sub same_everywhere
{
    my ($self, $table) = @_;
    my $rows = "SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM $table t";
    my $expected = $self->sql($rows);
    is $self->sql_on($_->name, $rows), $expected, "$table is the same on " . $_->name
        for $self->nodes;
    return;
}

# Every row of a distributed table: seen once by a scan of the herd, found by its key, and held
# by the node that owns the key.
sub keys_once
{
    my ($self, $table, $key) = @_;
    my $all  = $self->sql("SELECT count(*) FROM $table");
    my $held = 0;
    for my $node ($self->nodes)
    {
        my $name = $node->name;
        my $distinct = "SELECT DISTINCT quote_literal($key) FROM $table";
        my $keys     = join ',', split /\n/, $self->sql_on($name, $distinct);
        $held += $self->sql_on($name, "SELECT count(*) FROM $table");
        my $foreign = "SELECT count(*) FROM unnest(ARRAY[$keys]::text[]) k
                       WHERE herd.node_of('$table', k) <> '$name'";
        is $self->sql($foreign), 0, "$table: $name owns the rows that it holds";
    }
    cmp_ok $held, '<=', $all, "$table: nodes hold no row that the herd does not show";

    my $counts = "SELECT quote_literal($key), count(*) FROM $table GROUP BY 1 ORDER BY 1 LIMIT 40";
    my @sample = split /\n/, $self->sql($counts);
    my ($probes, @expected) = ('');
    for my $line (@sample)
    {
        my ($literal, $count) = $line =~ /^(.*)\|(\d+)$/;
        $probes .= "SELECT count(*) FROM $table WHERE $key = $literal;\n";
        push @expected, $count;
    }
    my $found = $self->sql($probes);
    is $found, join("\n", @expected), "$table: each key is readable exactly once";
    return;
}

1;
