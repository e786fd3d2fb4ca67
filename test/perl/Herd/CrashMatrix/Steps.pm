# The steps at which the crash matrix strikes, and the transactions that get there.
#
# A step: kind     of transaction that passes it
#         where    the server that stops there: the coordinator, or a node in its part of the commit
#         outcome  what becomes of the transaction whatever happens then: all, none, or undef where
#                  that depends
package Herd::CrashMatrix::Steps;

use strict;
use warnings;

my @undecided =
    qw(before_record before_prepare prepare_sent_to_one prepare_sent one_answered after_prepare before_local);
my @decided = qw(after_local commit_prepared_sent_to_one commit_prepared_sent one_acknowledged after_commit_prepared);

sub all
{
    return (
        steps('two_phase', 'coordinator', undef,  map { "commit.$_" } @undecided),
        steps('two_phase', 'coordinator', 'all',  map { "commit.$_" } @decided),
        steps('two_phase', 'node',        undef,  qw(node.before_prepare node.after_prepare)),
        steps('two_phase', 'node',        'all',  qw(node.before_finish_prepared node.after_finish_prepared)),
        steps('one_phase', 'coordinator', undef,  qw(commit.before_one_phase commit.one_phase_sent)),
        steps('one_phase', 'coordinator', 'all',  qw(commit.after_one_phase)),
        steps('one_phase', 'one node',    undef,  qw(node.before_commit)),
        steps('one_phase', 'one node',    'all',  qw(node.after_commit)),
        steps('gated',     'coordinator', undef,  qw(commit.one_phase_in_gate)),
        steps('strict',    'coordinator', undef,  qw(strict.closed)),
        steps('rollback',  'coordinator', 'none', qw(rollback.before_rollback_prepared rollback.sent_to_one)),
        steps(
            'savepoint', 'coordinator', undef, map { "savepoint.$_" } qw(after_rollback before_release after_release)
        ),
        steps('settle', 'coordinator', 'all', 'link.before_settle'),
        steps(
            'recovery', 'coordinator',
            'all',      map { "supervisor.$_" } qw(before_settle settle_sent settled before_forget forgotten)
        )
    );
}

sub steps
{
    my ($kind, $where, $outcome, @names) = @_;
    return map { { step => $_, kind => $kind, where => $where, outcome => $outcome } } @names;
}

sub tables
{
    return (
        'CREATE TABLE entry (k int, number int, PRIMARY KEY (k, number))',
        "SELECT herd.distribute('entry', 'k')",
        'CREATE TABLE late (k int, number int, UNIQUE (k, number) DEFERRABLE INITIALLY DEFERRED)',
        "SELECT herd.distribute('late', 'k', colocate_with => 'entry')",
        'CREATE TABLE rate (number int PRIMARY KEY)',
        "SELECT herd.reference('rate')",
        'CREATE TABLE diary (number int PRIMARY KEY)'
    );
}

# { sql, reads => whether it ends with a read of 1, rows => [[server, a query that counts 1 when the row is there], ...], never => the same for
# rows that must not be there }
sub transaction
{
    my ($kind, $number, $key) = @_;
    my @entries = map { [ $_, "SELECT count(*) FROM entry WHERE k = $key->{$_} AND number = $number" ] } qw(n1 n2);
    my @here    = map { [ 'coordinator', $_ ] }
        "SELECT count(*) FROM entry WHERE k = $key->{coordinator} AND number = $number",
        "SELECT count(*) FROM diary WHERE number = $number";
    my @rates = map { [ $_, "SELECT count(*) FROM rate WHERE number = $number" ] } qw(coordinator n1 n2);
    my %put   = map { $_ => "INSERT INTO entry VALUES ($key->{$_}, $number);" } keys %$key;
    my $write = "INSERT INTO diary VALUES ($number); INSERT INTO rate VALUES ($number); $put{coordinator}";
    return {
        sql   => "BEGIN; $put{n1} UPDATE entry SET number = number WHERE k = $key->{n1}; COMMIT",
        rows  => [ $entries[0] ],
        never => []
        }
        if $kind eq 'one_phase';
    my %never = map { $_ => $put{$_} =~ s/, $number/, -$number/r } qw(n1 n2);

    # Its only writing node commits while others must not see its write without what it has read.
    return {
        sql   => "BEGIN; SELECT count(*) FROM entry WHERE k = $key->{n2}; $put{n1} COMMIT",
        rows  => [ $entries[0] ],
        never => []
        }
        if $kind eq 'gated';
    return {
        sql =>
            "SET herd.read_consistency = strict; BEGIN; $put{n1} SELECT count(*) FROM entry WHERE k > 0; $put{n2} $write COMMIT",
        rows  => [ @entries, @here, @rates ],
        never => []
        }
        if $kind eq 'strict';
    return {
        sql => "BEGIN; INSERT INTO diary VALUES ($number); $put{n1} $put{coordinator} "
            . "SAVEPOINT a; $never{n1} $never{n2} INSERT INTO diary VALUES (-$number); ROLLBACK TO a; "
            . "SAVEPOINT b; $put{n2} UPDATE entry SET number = number WHERE k = $key->{n1}; RELEASE b; "
            . "INSERT INTO rate VALUES ($number); COMMIT",
        rows => [ @entries, @here, @rates ],
        never => [ map { [ $_->[0], $_->[1] =~ s/number = /number = -/r ] } @entries, @here ]
        }
        if $kind eq 'savepoint';

    # What this session reads next must be its own write, though the node has not committed it yet.
    my $reads = $kind eq 'settle'   ? "; $entries[0][1]"                                          : '';
    my $fails = $kind eq 'rollback' ? "INSERT INTO late VALUES ($key->{n2}, 1), ($key->{n2}, 1);" : '';
    return {
        sql   => "BEGIN; $put{n1} $put{n2} $write $fails COMMIT$reads",
        rows  => [ @entries, @here, @rates ],
        never => [],
        reads => $reads ne ''
    };
}

1;
