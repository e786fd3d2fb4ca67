# The workloads of `make bench`: what runs, on which tables, against whom, and what it should reach.
#
# sides: who runs it beside plain PostgreSQL and the herd. 'alone' is a herd of the coordinator with all
# shards, 'hop' plain PostgreSQL behind pgbouncer, 'emulation' and 'agent' the messages of a herd and
# nothing else.
# target: the part of plain PostgreSQL's speed that the herd is to reach.
# settings: of the herd's sessions, as PGOPTIONS has them.
# A workload with `script` is pgbench's; one with `statement` is timed once in each round, after `before`.
package Herd::Bench::Workloads;

use strict;
use warnings;

# What a herd of the coordinator alone is to reach, and each herd of its emulation.
our $alone_target     = 0.97;
our $emulation_target = 0.85;

my $copy = q(\copy %s FROM 'FILE');

my @workloads = (
    {
        name => 'read', title => 'point read, prepared', clients => [ 8, 16 ], target => 0.36,
        tables => ['accounts'], sides => [qw(hop emulation alone)]
    },
    {
        name => 'read_third', title => 'the same, a third of the shards here', clients => [ 8, 16 ],
        target => 0.48, tables => ['thirds'], sides => ['emulation']
    },
    {
        name => 'read_simple', title => 'point read, simple protocol', clients => [ 8, 16 ],
        target => 0.33, tables => ['accounts'], sides => [qw(hop alone)], script => 'read',
        protocol => 'simple'
    },
    {
        name => 'update', title => 'UPDATE of one row', clients => [ 8, 16 ], target => 0.50,
        tables => ['accounts'], sides => [qw(emulation alone)]
    },
    {
        name => 'insert', title => 'INSERT of one row', clients => [ 8, 16 ], target => 0.50,
        tables => ['history'], sides => [qw(emulation alone)]
    },
    {
        name => 'five', title => 'five statements on one shard', clients => [ 8, 16 ], target => 0.42,
        tables => ['accounts'], sides => [qw(emulation alone)]
    },
    {
        name => 'transfer', title => 'transfer, always two nodes', clients => [16], target => 0.32,
        tables => [qw(left_accounts right_accounts)], sides => [qw(emulation agent alone)]
    },
    {
        name => 'transfer_random', title => 'transfer, any two keys', clients => [16], target => 0.32,
        tables => ['accounts'], sides => [qw(emulation agent alone)]
    },
    {
        name => 'lookup', title => 'secondary index, all nodes', clients => [8], target => 0.22,
        tables => ['people'], sides => [qw(emulation alone)]
    },
    {
        name => 'lookup_strict', title => 'the same as a whole view', clients => [8], script => 'lookup',
        tables => ['people'], sides => [], settings => '-c herd.read_consistency=strict'
    },
    {
        name => 'count_small_1', title => 'count(*) of 320 rows, all nodes', clients => [1],
        target => 0.60, tables => ['small'], sides => [qw(emulation alone)], script => 'count_small'
    },
    {
        name => 'count_small', title => 'count(*) of 320 rows, all nodes', clients => [8],
        target => 0.22, tables => ['small'], sides => [qw(emulation alone)]
    },
    {
        name => 'connect', title => 'new connection, one point read', clients => [1],
        target => 1 / 2.2, tables => ['accounts'], sides => [], script => 'read',
        protocol => 'simple', options => ['-C']
    },
    {
        name => 'local', title => 'local table, point read', clients => [8], target => 0.99,
        tables => ['local_accounts'], sides => []
    },
    {
        name => 'count', title => 'count(*), large table', clients => [1], target => 1.0,
        tables => ['facts'], sides => ['alone']
    },
    {
        name => 'group', title => 'sum, GROUP BY, large table', clients => [1], target => 1.0,
        tables => ['facts'], sides => ['alone']
    },
    {
        name => 'copy', title => 'COPY, 16 columns, no index', target => 1.2, tables => ['wide'],
        sides => ['alone'], before => 'TRUNCATE wide', statement => sprintf($copy, 'wide')
    },
    {
        name => 'copy_key', title => 'COPY, 16 columns, primary key', target => 1.2,
        tables => ['wide_key'], sides => ['alone'], before => 'TRUNCATE wide_key',
        statement => sprintf($copy, 'wide_key')
    },
    {
        name => 'insert_select', title => 'INSERT ... SELECT, co-located', target => 1.2,
        tables => [qw(source same_key)], sides => ['alone'], before => 'TRUNCATE same_key',
        statement => 'INSERT INTO same_key SELECT * FROM source;'
    },
    {
        name => 'insert_select_key', title => 'INSERT ... SELECT, another key', target => 0.8,
        tables => [qw(source other_key)], sides => ['alone'], before => 'TRUNCATE other_key',
        statement => 'INSERT INTO other_key SELECT * FROM source;'
    },
);

# Those whose names match the pattern, all without one; each with defaults filled in.
sub pick
{
    my ($pattern) = @_;
    my @picked = grep { !defined $pattern || $pattern eq '' || $_->{name} =~ /$pattern/ } @workloads;
    return map {
        { clients => [1], protocol => 'prepared', options => [], script => $_->{name}, %$_ }
    } @picked;
}

# What a side is to reach of plain PostgreSQL in a workload; undef if nothing is asked.
sub target
{
    my ($workload, $side) = @_;
    return $side eq 'herd' ? $workload->{target} : $side eq 'alone' ? $alone_target : undef;
}

1;
