# A pgbouncer in front of a server.
#
#   my $pooler = Herd::Pooler->new($server, pool_mode => 'transaction', ...settings of pgbouncer.ini);
#   target => 'host=... port=...' has it go there and not over the server's socket.
#   $pooler->host, $pooler->port; $pooler->stop;
package Herd::Pooler;

use strict;
use warnings;
use Herd;
use Herd::Client;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

my $number = 0;

sub new
{
    my ($class, $server, %setting) = @_;
    my $name = $server->name . '_pooler' . ++$number;
    my $dir  = PostgreSQL::Test::Utils::tempdir_short();
    my $port = PostgreSQL::Test::Cluster::get_free_port();
    my $log  = "$PostgreSQL::Test::Utils::log_path/$name.log";
    my $user = getpwuid $<;
    my $target = delete $setting{target} || sprintf 'host=%s port=%d', $server->host, $server->port;
    %setting = (
        listen_addr       => '127.0.0.1',
        listen_port       => $port,
        unix_socket_dir   => $dir,
        logfile           => $log,
        pidfile           => "$dir/pid",
        auth_type         => 'trust',
        auth_file         => "$dir/users",
        pool_mode         => 'session',
        default_pool_size => 1,
        %setting
    );
    append_to_file("$dir/users", qq("$user" ""\n));
    append_to_file("$dir/ini", join "\n", '[databases]', "* = $target", '[pgbouncer]',
        (map { "$_ = $setting{$_}" } sort keys %setting), '');
    my $self = bless { host => $dir, port => $port, log => $log, owner => $$ }, $class;
    $self->{pid} = fork;
    die "fork: $!" unless defined $self->{pid};
    if ($self->{pid} == 0)
    {
        open STDERR, '>>', $log;
        open STDOUT, '>>', $log;
        local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
        exec 'pgbouncer', "$dir/ini" or POSIX::_exit(1);
    }
    Herd::poll_until(sub { eval { $self->client->leave; 1 } }, 'pgbouncer to answer')
        or die 'pgbouncer is not there: run tools/install-deps';
    return $self;
}

sub host { return $_[0]{host}; }
sub port { return $_[0]{port}; }
sub log  { return slurp_file($_[0]{log}); }

sub client
{
    my ($self, %settings) = @_;
    return Herd::Client->new(host => $self->{host}, port => $self->{port}, dbname => 'postgres', settings => \%settings);
}

sub stop
{
    my ($self) = @_;
    return unless $self->{pid} && $self->{owner} == $$;
    kill 'TERM', $self->{pid};
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
