# The consistency checker: it finds each anomaly in a history made by hand, and none where there is
# none; and on a herd it sees the torn read between two COMMIT PREPAREDs.
use strict;
use warnings;
use Herd;
use Herd::Client;
use Herd::History;
use Test::More;

# 'T1 a1 b2 | rx: 1 2' is written as [T1 => 'ax1 ay2'], [T2 => 'rx:1,2 ry:'] ; a level or a state may
# follow. Reads joined by + are one statement's.
sub history
{
    my @transactions;
    for my $line (@_)
    {
        my ($id, $text, %more) = @$line;
        my ($statement, @ops) = (0);
        for my $group (split / /, $text)
        {
            $statement++;
            for my $word (split /\+/, $group)
            {
                push @ops,
                      $word =~ /^a(\w)(\d+)$/    ? [ 'append', $1, $2 ]
                    : $word =~ /^r(\w):([\d,]*)$/ ? [ 'read', $1, [ split /,/, $2 ], $statement ]
                    :                              die $word;
            }
        }
        push @transactions, { id => $id, level => 'read committed', state => 'committed', ops => \@ops, %more };
    }
    return Herd::History->new(@transactions);
}

sub found_in
{
    my ($how, @lines) = @_;
    my %kinds = map { $_->[0] => 1 } history(@lines)->anomalies(%$how);
    return join ' ', sort keys %kinds;
}

my @two   = (node_of => sub { $_[0] lt 'y' ? 'n1' : 'n2' });
my @rr    = (level => 'repeatable read');
my @ser   = (level => 'serializable');
my @cases = (
    [ 'one after the other', '', {}, [ A => 'ax1 ay1' ], [ B => 'rx:1+ry:1 ax2' ], [ C => 'rx:1,2 ry:1', @ser ] ],
    [ 'nothing read', '', {}, [ A => 'rx: ry:' ] ],
    [ 'a list with a value twice', 'duplicate', {}, [ A => 'ax1' ], [ B => 'rx:1,1' ] ],
    [ 'lists that contradict each other', 'order', {}, [ A => 'ax1' ], [ B => 'ax2' ], [ C => 'rx:1,2' ], [ D => 'rx:2' ] ],
    [ 'own appends not seen', 'internal', {}, [ A => 'ax1 rx:' ] ],
    [ 'own appends seen', '', {}, [ A => 'ax1 rx:1 ax2 rx:1,2' ] ],
    [ 'an append that is gone', 'lost', {}, [ A => 'ax1' ], [ Z => 'rx:', final => 1 ] ],
    [ 'half of a transaction', 'partial', {}, [ A => 'ax1 ay1' ], [ Z => 'rx:1 ry:', final => 1 ] ],
    [ 'half of one that nobody acknowledged', 'partial', {}, [ A => 'ax1 ay1', state => 'unknown' ], [ Z => 'rx:1 ry:', final => 1 ] ],
    [ 'one that nobody acknowledged and nobody saw', '', {}, [ A => 'ax1 ay1', state => 'unknown' ], [ Z => 'rx:+ry:', final => 1 ] ],
    [ 'G1a', 'G1a', {}, [ A => 'ax1', state => 'failed' ], [ B => 'rx:1' ] ],
    [ 'G1a of nobody', 'G1a', {}, [ B => 'rx:1' ] ],
    [ 'G1b', 'G1b', {}, [ A => 'ax1 ax2' ], [ B => 'rx:1' ], [ C => 'rx:1,2' ] ],
    [ 'G0', 'G0', {}, [ A => 'ax1 ay2' ], [ B => 'ax2 ay1' ], [ Z => 'rx:1,2 ry:1,2' ] ],
    [ 'G0 over two nodes', 'G0', {@two}, [ A => 'ax1 ay2' ], [ B => 'ax2 ay1' ], [ Z => 'rx:1,2 ry:1,2' ] ],
    [ 'G1c', 'G1c', {}, [ A => 'ax1 ry:1' ], [ B => 'ay1 rx:1' ] ],
    [ 'G1c over two nodes', 'G1c', {@two}, [ A => 'ax1 ry:1' ], [ B => 'ay1 rx:1' ] ],
    [ 'G1c of three', 'G1c', {}, [ A => 'ax1 rz:1' ], [ B => 'ay1 rx:1' ], [ C => 'az1 ry:1' ] ],
    [ 'a torn statement', 'torn', {}, [ A => 'ax1 ay1' ], [ B => 'rx:1+ry:' ], [ Z => 'ry:1' ] ],
    [ 'two statements', '', {}, [ A => 'ax1 ay1' ], [ B => 'ry: rx:1' ], [ Z => 'ry:1' ] ],
    [ 'two statements with one snapshot', 'G-single torn', {}, [ A => 'ax1 ay1' ], [ B => 'ry: rx:1', @rr ], [ Z => 'ry:1' ] ],
    [ 'a torn statement over two nodes', '', {@two}, [ A => 'ax1 ay1' ], [ B => 'rx:1+ry:' ], [ Z => 'ry:1' ] ],
    [ 'which strict forbids', 'torn', { @two, strict => 1 }, [ A => 'ax1 ay1' ], [ B => 'rx:1+ry:' ], [ Z => 'ry:1' ] ],
    [ 'G-single', 'G-single', {}, [ A => 'ax1' ], [ B => 'rx:1 ay1' ], [ C => 'rx: ry:1', @rr ], [ Z => 'rx:1' ] ],
    [ 'allowed in read committed', '', {}, [ A => 'ax1' ], [ B => 'rx:1 ay1' ], [ C => 'rx: ry:1' ], [ Z => 'rx:1' ] ],
    [ 'allowed over two nodes', '', {@two}, [ A => 'ax1' ], [ B => 'rx:1 ay1' ], [ C => 'rx: ry:1', @rr ], [ Z => 'rx:1' ] ],
    [ 'not in strict', 'G-single', { @two, strict => 1 }, [ A => 'ax1' ], [ B => 'rx:1 ay1' ], [ C => 'rx: ry:1', @rr ], [ Z => 'rx:1' ] ],
    [ 'a lost update', 'G-single', {}, [ A => 'rx: ax1', @rr ], [ B => 'rx: ax2', @rr ], [ Z => 'rx:1,2' ] ],
    [ 'write skew', 'G2', {}, [ A => 'rx: ay1', @ser ], [ B => 'ry: ax1', @ser ], [ Z => 'rx:1 ry:1' ] ],
    [ 'allowed in repeatable read', '', {}, [ A => 'rx: ay1', @rr ], [ B => 'ry: ax1', @rr ], [ Z => 'rx:1 ry:1' ] ],
    [ 'allowed over two nodes', '', { @two, strict => 1 }, [ A => 'rx: ay1', @ser ], [ B => 'ry: ax1', @ser ], [ Z => 'rx:1 ry:1' ] ]
);
for my $case (@cases)
{
    my ($name, $expected, $how, @lines) = @$case;
    is found_in($how, @lines), $expected, $name;
}
like((history([ A => 'ax1 ry:1' ], [ B => 'ay1 rx:1' ])->anomalies)[0][1],
    qr/^A -wr x-> B -wr y-> A$/, 'a cycle is shown');

# On a herd: one part of a transaction is committed, the other not yet.
my $herd = Herd->new(nodes => 2);
$herd->sql('CREATE TABLE list (k int PRIMARY KEY, v int[] NOT NULL)');
$herd->sql("SELECT herd.distribute('list', 'k')");
my $key = $herd->key_on('list');
$herd->sql("INSERT INTO list VALUES ($key->{$_}, '{}')") for qw(n1 n2);

sub client
{
    my $coordinator = $herd->coordinator;
    return Herd::Client->new(host => $coordinator->host, port => $coordinator->port, dbname => $herd->dbname);
}

# What a reader with these settings sees while it is so: found anomalies.
sub read_between
{
    my ($value, $settings, %how) = @_;
    my ($writer, $reader) = (client(), client());
    $reader->ask($settings) if $settings;
    my $step = 'commit.commit_prepared_sent_to_one';
    $herd->sql("SELECT herd.failpoint_set('$step', 'pause')");
    $writer->send('BEGIN;' . join('', map { "UPDATE list SET v = v || $value WHERE k = $key->{$_};" } qw(n1 n2)) . 'COMMIT');
    ok $herd->poll_sql($herd->coordinator, 'SELECT herd.failpoint_paused()', $step), 'between two COMMIT PREPAREDs';
    ok $herd->poll_sql($herd->node('n1'), "SELECT $value = ANY (v) FROM list", 't'), 'the first has arrived';
    my $read = 'SELECT k, v FROM list WHERE k > 0';
    $reader->send($read);
    my $answer = $reader->answer($how{strict} ? 1 : $Herd::timeout);
    $herd->sql("SELECT herd.failpoint_clear('$step')");
    is $writer->answer->{state}, '00000', 'committed';
    $answer = $reader->answer if $answer->{state} eq 'timeout';
    my @reads = map { [ 'read', $_->[0], [ $_->[1] =~ /\d+/g ], 1 ] } @{ $answer->{rows} };
    my @end   = map { [ 'read', $_->[0], [ $_->[1] =~ /\d+/g ], 2 ] } @{ client()->ask($read)->{rows} };
    my $node  = { reverse %$key };
    my @all   = map { { level => 'read committed', state => 'committed', %$_ } } (
        { id => 'writer', ops => [ map { [ 'append', $key->{$_}, $value ] } qw(n1 n2) ] },
        { id => 'reader', ops => \@reads }, { id => 'end', ops => \@end, final => 1 }
    );
    return join ' ', map { $_->[0] } Herd::History->new(@all)->anomalies(node_of => sub { $node->{ $_[0] } }, strict => $how{checked});
}

is read_between(1, '', checked => 1), 'torn', 'the checker sees a torn read on a herd';
$herd->sql("UPDATE list SET v = '{}' WHERE k > 0");
is read_between(2, ''), '', 'which the level node allows';
SKIP:
{
    skip 'no strict reads', 4 if $herd->sql("SELECT count(*) FROM pg_settings WHERE name = 'herd.read_consistency'") eq '0';
    $herd->sql("UPDATE list SET v = '{}' WHERE k > 0");
    is read_between(3, "SET herd.read_consistency = 'strict'", checked => 1, strict => 1), '', 'and strict does not';
}
done_testing;
