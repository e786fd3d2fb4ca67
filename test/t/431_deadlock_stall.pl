# A deadlock ends soon after a node that stood still goes on, though the look at who waits for whom had
# to wait for that node: it is the node that was slow, not the looking.
use strict;
use warnings;
use Herd;
use Herd::Client;
use Test::More;
use Time::HiRes qw(time usleep);

my $herd = Herd->new(nodes => 2);
$herd->sql('CREATE TABLE account (id int PRIMARY KEY, amount int)');
$herd->sql("SELECT herd.distribute('account', 'id')");
my $key = $herd->key_on('account');
$herd->sql("INSERT INTO account VALUES ($key->{$_}, 0)") for sort keys %$key;

sub client
{
    my $server = $herd->coordinator;
    return Herd::Client->new(host => $server->host, port => $server->port, dbname => $herd->dbname);
}

sub update { return "UPDATE account SET amount = amount + 1 WHERE id = $key->{ $_[0] }"; }

ok $herd->poll_sql(
    $herd->coordinator,
    'SELECT sentence FROM herd.supervisor',
    'all 2 nodes are up, no transaction is in doubt'
    ),
    'the supervisor is connected to both nodes';

my ($one, $other) = (client(), client());
$one->value($_)   for 'BEGIN', update('coordinator');
$other->value($_) for 'BEGIN', update('n1');

# The node that stands still has no part in it.
my $still  = $herd->node('n2');
my @frozen = ($still->{_pid}, Herd::children_of($still->{_pid}));
kill 'STOP', @frozen;
$one->send(update('n1'));
$other->send(update('coordinator'));
usleep(2_700_000);
kill 'CONT', @frozen;
my $begin = time;
my %answers;
ok Herd::poll_until(
    sub {
        for my $pair ([ one => $one ], [ other => $other ])
        {
            my ($name, $client) = @$pair;
            my $answer = $answers{$name} ? undef : $client->answer(0.02);
            $answers{$name} = $answer->{state} if $answer && $answer->{state} ne 'timeout';
        }
        return keys %answers > 0;
    },
    'the deadlock to end'
    ),
    'the deadlock ends';
my $took = time - $begin;
cmp_ok $took, '<', 5, 'within five seconds' or diag $took;
my ($victim) = grep { $answers{$_} eq '40P01' } keys %answers;
ok defined $victim, 'with 40P01 for one of the two';
my $survivor = $victim eq 'one' ? $other : $one;
$_->ask('ROLLBACK') for $victim eq 'one' ? $one : $other;
is $answers{ $victim eq 'one' ? 'other' : 'one' } || $survivor->answer->{state}, '00000', 'and the other one goes on';
is $survivor->ask('COMMIT')->{state},                                            '00000', 'and commits';
done_testing;
