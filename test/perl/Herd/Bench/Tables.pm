# The tables of the workloads, made when one asks for them: on plain PostgreSQL, in the herd, in the herd
# of the coordinator alone, and by hand where the emulation sends its messages.
package Herd::Bench::Tables;

use strict;
use warnings;

my $account  = 'id int PRIMARY KEY, balance bigint NOT NULL, note text';
my $accounts = "i, 1000, 'a'";
my $wide     = 'a bigint, b bigint NOT NULL, c int, d int, e smallint, f boolean, g numeric(12,2),
               h double precision, i date, j timestamptz, k text, l text, m varchar(40), n uuid,
               o int, p text';
my $source   = 'id bigint, other bigint, amount int, note text';

# columns; rows: a SELECT over numbers i; count: how many of them, as a part of all rows; key, on: where
# the rows lie; index: a column; with: shards of which table.
my %tables = (
    accounts       => { columns => $account, rows => $accounts, key => 'id', on => [qw(n1 n2)] },
    left_accounts  => { columns => $account, rows => $accounts, key => 'id', on => ['n1'], count => 0.5 },
    right_accounts => { columns => $account, rows => $accounts, key => 'id', on => ['n2'], count => 0.5 },
    thirds => { columns => $account, rows => $accounts, key => 'id', on => [qw(coordinator n1 n2)] },
    local_accounts => { columns => $account, rows => $accounts },
    history => { columns => 'account int, amount int, note text', key => 'account', on => [qw(n1 n2)] },
    people  => {
        columns => 'id int PRIMARY KEY, email int NOT NULL, name text', rows => "i, i, 'a'", key => 'id',
        on => [qw(n1 n2)], index => 'email'
    },
    small => { columns => 'id int PRIMARY KEY', rows => 'i', key => 'id', on => [qw(n1 n2)], exactly => 320 },
    facts => {
        columns => 'id int, grp int, amount bigint', rows => 'i, i % 100, i % 1000', key => 'id',
        on => [qw(n1 n2)], count => 3
    },
    wide     => { columns => $wide, key => 'b', on => [qw(n1 n2)] },
    wide_key => { columns => "$wide, PRIMARY KEY (b)", key => 'b', on => [qw(n1 n2)] },
    source   => {
        columns => $source, rows => "i, i::bigint * 7919, i % 1000, 'note of ' || i", key => 'id',
        on => [qw(n1 n2)]
    },
    same_key  => { columns => $source, key => 'id',    on => [qw(n1 n2)], with => 'source' },
    other_key => { columns => $source, key => 'other', on => [qw(n1 n2)] },
);

# What the emulation's statements name, and which rows of it are on its node number 1 or 2. Its
# coordinator has them all, for the third that a coordinator answers itself.
my @emulated = qw(accounts history people small);

# A table on the sides named: { plain => 1, herd => 1, ... }.
sub create
{
    my ($bench, $name, $sides) = @_;
    my $table = $tables{$name} or die "no table $name";
    for my $side (grep { $sides->{$_} } qw(plain herd alone))
    {
        my $distribute = $side ne 'plain' && $table->{key};
        $bench->sql($side, definition($name));
        place($bench, $side, $name) if $distribute;
        fill($bench, $side, $name, '');
    }
    return;
}

# The emulation's tables, with the rows that a herd would have there.
sub create_emulated
{
    my ($bench) = @_;
    my @servers = $bench->emulation_servers;
    for my $i (0 .. $#servers)
    {
        my $condition = $i == 0 ? '' : 'WHERE i % 2 = ' . ($i - 1);
        $servers[$i]->('CREATE TABLE decisions (name text)');
        for my $name (@emulated)
        {
            $servers[$i]->(definition($name));
            my $rows = rows($bench, $name, $condition);
            $servers[$i]->($_) for grep { defined } $rows, "VACUUM ANALYZE $name";
        }
    }
    return;
}

sub definition
{
    my ($name) = @_;
    my $table = $tables{$name};
    return "CREATE TABLE $name ($table->{columns})"
        . ($table->{index} ? "; CREATE INDEX ON $name ($table->{index})" : '');
}

sub place
{
    my ($bench, $side, $name) = @_;
    my $table = $tables{$name};
    my $nodes = $side eq 'alone' ? 'coordinator' : join ',', @{ $table->{on} };
    my $with  = $table->{with} ? ", colocate_with => '$table->{with}'" : '';
    $bench->sql(
        $side,
        "SELECT herd.set_node(name, takes_shards => name = ANY ('{$nodes}')) FROM herd.nodes"
    );
    $bench->sql($side, "SELECT herd.distribute('$name', '$table->{key}'$with)");
    return;
}

# The statement that fills a table; undef for one that begins empty.
sub rows
{
    my ($bench, $name, $condition) = @_;
    my $table = $tables{$name};
    return undef unless $table->{rows};
    my $count = $table->{exactly} || int(($table->{count} || 1) * $bench->rows);
    return "INSERT INTO $name SELECT $table->{rows} FROM generate_series(1, $count) i $condition";
}

sub fill
{
    my ($bench, $side, $name) = @_;
    my $rows = rows($bench, $name, '');
    $bench->sql($side, $rows) if $rows;
    $bench->sql($side, "VACUUM ANALYZE $name");
    return;
}

# A file with three times the rows for COPY, made once; its name.
sub copy_file
{
    my ($bench) = @_;
    my $file = $bench->directory . '/wide.txt';
    return $file if -e $file;
    my $count = 3 * $bench->rows;
    $bench->sql(
        'plain', "COPY (SELECT i, i::bigint * 7, i % 1000, i, i % 100, i % 2 = 0, i / 100.0, i / 7.0,
        date '2020-01-01' + i % 2000, timestamptz '2020-01-01 UTC' + i * interval '1 second',
        'some text of row ' || i, 'second text', 'name ' || i % 5000, md5(i::text)::uuid, i % 10, NULL
        FROM generate_series(1, $count) i) TO '$file'"
    );
    return $file;
}

1;
