# A server whose disk a test can fill (test/full_disk/full_disk.c): what would lengthen one of its files
# fails with ENOSPC, until there is room again.
#
#   my $disk = Herd::FullDisk->new($server);      restarts the server
#   $disk->fill; ...; $disk->empty;
#   $disk->fill_log;                              the next commit's WAL has no room: PostgreSQL ends with PANIC
#   $disk->revive;                                makes room when that has happened, and waits until the server is back
package Herd::FullDisk;

use strict;
use warnings;
use Herd;
use Herd::Client;
use PostgreSQL::Test::Utils;

sub new
{
    my ($class, $server) = @_;
    my $library = $ENV{HERD_STAGE} . $server->config_data('--pkglibdir') . '/herd_full_disk.so';
    -r $library or die "$library is missing: run make tap";
    my $self = bless { server => $server, library => $library, flag => $server->basedir . '/disk_is_full' }, $class;
    $server->append_conf('postgresql.conf', "wal_recycle = off\nmin_wal_size = 32MB\nbgwriter_delay = 10s");
    $server->stop;
    $self->start;
    return $self;
}

sub start
{
    my ($self) = @_;
    local $ENV{LD_PRELOAD}          = $self->{library};
    local $ENV{HERD_FULL_DISK_FLAG} = $self->{flag};
    local $ENV{HERD_FULL_DISK_DIR}  = $self->{server}->data_dir;
    $self->{server}->start;
    return;
}

sub fill
{
    my ($self) = @_;
    open my $flag, '>', $self->{flag} or die "$self->{flag}: $!";
    close $flag;
    return;
}

sub empty { my ($self) = @_; unlink $self->{flag}; return; }

# The WAL ends so few bytes before a file's end that no record fits, and there is no room for the next file.
sub fill_log
{
    my ($self) = @_;
    $self->{log} = -s $self->{server}->logfile;
    for my $attempt (1 .. 50)
    {
        $self->ask('SELECT pg_switch_wal()') until $self->files_ahead == 0;
        while ((my $room = $self->room) >= 64)
        {
            # A record takes 51 bytes beside its text, in steps of 8; pages have headers, the last is under way.
            my $bytes = $room < 300 ? $room - 64 : $room < 8000 ? $room - 200 : int($room * 0.99) - 200;
            $self->ask("SELECT pg_logical_emit_message(false, '', repeat('x', $bytes))");
        }
        $self->fill;

        # Whoever else writes now ends the server already.
        my $is_there = eval { $self->room <= 32 && $self->files_ahead == 0 };
        return if $is_there || $@;
        $self->empty;
    }
    die 'the WAL is not where it should be';
}

sub ask { my ($self, $sql) = @_; return $self->{server}->safe_psql('postgres', $sql); }

# Bytes from the end of the WAL to that of its file.
sub room
{
    my ($self) = @_;
    return $self->ask(q{SELECT 16777216 - (pg_current_wal_insert_lsn() - '0/0') % 16777216});
}

sub files_ahead
{
    my ($self) = @_;
    return $self->ask(
        'SELECT count(*) FROM pg_ls_waldir() WHERE name > pg_walfile_name(pg_current_wal_insert_lsn())'
    );
}

# Makes room once the server has ended, and has it come back.
sub revive
{
    my ($self) = @_;
    my $server = $self->{server};
    my $ended  = sub { slurp_file($server->logfile, $self->{log}) =~ /was terminated by signal 6/ };
    return 0 unless Herd::poll_until($ended, 'the server to end');
    $self->empty;
    return Herd::poll_until(
        sub {
            $server->{_pid} = undef if $server->{_pid} && !kill 0, $server->{_pid};
            $self->start unless $server->{_pid};
            return eval {
                Herd::Client->new(host => $server->host, port => $server->port, dbname => 'postgres')->leave;
                1;
            };
        },
        'the server to be back'
    );
}

1;
