# The differential test's database (test/differential: schema, rows, triggers), made on a herd and
# on the plain server beside it.
package Herd::Shop;

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename;
use Herd;
use IPC::Run;
use PostgreSQL::Test::Utils;

# On the plain server, so that topics may distribute tables of their own.
my $stubs = <<'SQL';
CREATE SCHEMA herd;
CREATE FUNCTION herd.distribute(regclass, text, colocate_with regclass DEFAULT NULL, shard_count int DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION herd.reference(regclass) RETURNS void LANGUAGE plpgsql AS 'BEGIN END';
SQL

my $dir = dirname(abs_path(__FILE__)) . '/../../differential';

# A herd whose coordinator holds a third of the shards and two nodes the rest. With HERD_PLAIN_ONLY
# it is a second plain database instead.
sub new
{
    my ($class)    = @_;
    my $plain_only = $ENV{HERD_PLAIN_ONLY};
    my $herd       = Herd->new(
        nodes => $plain_only ? 0 : 2, plain => 1, join => 0,
        conf  => "restart_after_crash = on\n"
    );
    my $self = bless { herd => $herd, plain_only => $plain_only }, $class;
    for my $server ($herd->servers, $herd->plain)
    {
        $server->safe_psql('postgres', text('roles'));
    }
    $herd->plain->safe_psql('postgres', 'CREATE DATABASE seed');
    $herd->plain->safe_psql('seed', text($_)) for 'schema', 'data';
    $self->{rows} = $self->dump_rows;
    return $self;
}

sub herd { return $_[0]->{herd}; }
sub text { return slurp_file("$dir/$_[0].sql"); }

# The topics: files of statements, without those that make the database.
sub topics
{
    my %support = map { $_ => 1 } qw(schema distribute data triggers roles);
    return grep { !$support{$_} } map { basename($_, '.sql') } sort glob "$dir/*.sql";
}

# The same database on both sides, with rows and triggers.
sub make_database
{
    my ($self, $dbname) = @_;
    my $herd = $self->{herd};
    my ($coordinator, $plain) = ($herd->coordinator, $herd->plain);
    $plain->safe_psql('postgres', "CREATE DATABASE $dbname TEMPLATE seed");
    $plain->safe_psql($dbname,    text('triggers'));
    $plain->safe_psql($dbname,    $stubs);
    $_->safe_psql('postgres', "CREATE DATABASE $dbname") for $herd->servers;
    $herd->form($dbname) unless $self->{plain_only};
    my @steps = (
        text('schema'), $self->{plain_only} ? () : text('distribute'), $self->{rows},
        text('triggers')
    );
    $coordinator->safe_psql($dbname, $_) for @steps;
    $herd->{dbname} = $dbname;
    return;
}

# The seed's rows as COPY statements.
sub dump_rows
{
    my ($self) = @_;
    my ($out, $err);
    IPC::Run::run(
        [ 'pg_dump', '--data-only', '-d', $self->{herd}->plain->connstr('seed') ],
        '>', \$out, '2>', \$err
    ) or die "pg_dump: $err";
    return $out;
}

1;
