# Sixteen clients move money between accounts of different nodes while nodes are killed at random. No
# money comes or goes, not even in the eyes of a strict reader, what was acknowledged is there, nothing
# stays prepared, nobody waits longer than a node was away and five seconds, and every error says what
# has happened.
#
# HERD_MINUTES (5), HERD_SEED, HERD_CLIENTS (16), HERD_VICTIMS (n1,n2,n3), HERD_WAYS (kill; of
# kill,stop,cut,stall)
use strict;
use warnings;
use Herd;
use Herd::Chaos;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds  = 60 * ($ENV{HERD_MINUTES} || 5);
my $seed     = $ENV{HERD_SEED}    || time % 100_000;
my $clients  = $ENV{HERD_CLIENTS} || 16;
my $accounts = 60;
my $patience = 5;
my @victims  = split /,/, $ENV{HERD_VICTIMS} || 'n1,n2,n3';
my @ways     = split /,/, $ENV{HERD_WAYS}    || 'kill';
note "seed $seed";

my $herd  = Herd->new(nodes => 3, proxies => scalar grep { /cut|stall/ } @ways);
my $chaos = Herd::Chaos->new(herd => $herd, seed => $seed);
$herd->sql($_)
    for 'CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)',
    "SELECT herd.distribute('account', 'id')",
    "INSERT INTO account SELECT g, 1000 FROM generate_series(1, $accounts) g",
    'CREATE TABLE transfer (id bigint PRIMARY KEY, source int, target int, amount int)',
    "SELECT herd.distribute('transfer', 'id')";

# In any order, so that some wait in a circle until one of them is told 40P01.
sub transfer
{
    my ($session) = @_;
    my $id        = $session->{number} * 10_000_000 + ++$session->{state}{count};
    my $source    = 1 + $session->random($accounts);
    my $target    = 1 + $session->random($accounts);
    return if $source == $target;
    my $amount  = 1 + $session->random(50);
    my @changes = ([ $source, -$amount ], [ $target, $amount ]);
    @changes = reverse @changes if $session->random(2);
    my $end = $session->transaction(
        'BEGIN',
        (map { "UPDATE account SET balance = balance + $_->[1] WHERE id = $_->[0]" } @changes),
        "INSERT INTO transfer VALUES ($id, $source, $target, $amount)"
    );
    my ($slowest) = sort { $b->{end} - $b->{begin} <=> $a->{end} - $a->{begin} } @{ $end->{answers} };
    return {
        id      => $id,
        outcome => $end->{outcome},
        state   => $end->{state},
        message => $end->{message},
        begin   => $slowest->{begin},
        end     => $slowest->{end}
    };
}

# One more client reads all accounts, again and again.
sub work
{
    my ($session) = @_;
    return transfer($session) if $session->{number} <= $clients;
    my $answer = $session->ask('SET herd.read_consistency = strict; SELECT sum(balance) FROM account');
    return { sum => $answer->{rows}[0][0], map { $_ => $answer->{$_} } qw(state message begin end) };
}

my @records =
    $chaos->run(sessions => $clients + 1, seconds => $seconds, kill => \@victims, ways => \@ways, work => \&work);

# What the clients were told.
my (%outcomes, %states, @hung);
my $longest = 0;
for my $record (@records)
{
    $outcomes{ $record->{outcome} || 'read' }++;
    $states{ $record->{state} } = $record->{message} if $record->{state} ne '00000';
    my $waited = $record->{end} - $record->{begin};
    my $over   = $waited - $chaos->away_between($record->{begin}, $record->{end});
    $longest = $over if $over > $longest;
    push @hung, sprintf '%d: %.1f s, %.1f s of them without reason', $record->{id} || 0, $waited, $over
        if $over > $patience;
}
delete $states{lost} if grep { /coordinator/ } @victims;
my @strange = grep { !/^(08\d\d\d|57P0[123]|57014|40001|40P01|HR006)$/ } sort keys %states;
is join('; ', map { "$_ $states{$_}" } @strange), '', 'every error says what has happened';
is join('; ', @hung),                             '', "nobody waits longer than a node is away and $patience s";
cmp_ok $outcomes{committed} || 0, '>',  $seconds,      'there were transfers';
cmp_ok scalar($chaos->away),      '>=', $seconds / 20, 'and nodes killed';

my %sums;
$sums{ $_->{sum} }++ for grep { defined $_->{sum} } @records;
is join(' ', sort keys %sums), $accounts * 1000, 'a strict reader always sees all of the money';

ok $herd->nothing_prepared, 'nothing stays prepared';
is $herd->sql('SELECT sum(balance), count(*) FROM account'), $accounts * 1000 . "|$accounts", 'money is preserved';
my %there = map { $_ => 1 } split /\n/, $herd->sql('SELECT id FROM transfer');
is join(' ', grep { !$there{$_} } map { $_->{id} } grep { ($_->{outcome} || '') eq 'committed' } @records), '',
    'what was acknowledged is there';
is join(' ', grep { $there{$_} } map { $_->{id} } grep { ($_->{outcome} || '') eq 'failed' } @records), '',
    'what was refused is not';
is $herd->sql(
    'SELECT id, balance, expected FROM account JOIN (
        SELECT id, 1000 + sum(change) AS expected FROM (
            SELECT source AS id, -amount AS change FROM transfer UNION ALL SELECT target, amount FROM transfer) t
        GROUP BY id) e USING (id) WHERE balance <> expected'
    ),
    '', 'every account has what its transfers say';
$herd->check_invariants('after all kills');
is join("\n",
    grep { /PANIC|TRAP|without a guard|terminated by signal/ }
    map  { split /\n/, slurp_file($_->logfile) } $herd->servers),
    '', 'no server has panicked';
note 'errors: ', join ', ', map { "$_ ($states{$_})" } sort keys %states;
note sprintf 'transfers: %s; %d kills; longest wait without reason %.1f s',
    join(', ', map { "$outcomes{$_} $_" } sort keys %outcomes), scalar($chaos->away), $longest;
done_testing;
