# Concurrent sessions that append to lists, read them, and move money, in a way that Herd::History can
# judge. Lists are made for a round; each has a key on a known node, and is used for some seconds only,
# so that it stays short.
#
#   my $workload = Herd::History::Workload->new($herd);
#   my $round    = $workload->round($chaos, seconds => 30, levels => [...], consistency => 'strict', kill => [...]);
#   $round->{history}          a Herd::History; node_of($key) tells a list's node
#   $round->{totals}           sums over all accounts that were read: [level, one statement or a whole transaction, sum]
package Herd::History::Workload;

use strict;
use warnings;
use Herd::History;
use Time::HiRes qw(time);

my $accounts   = 12;
my $generation = 3;    # seconds that a list is used

sub new
{
    my ($class, $herd) = @_;
    my $self = bless { herd => $herd, rounds => 0 }, $class;
    $herd->sql($_)
        for 'CREATE TABLE list (k int, generation int, v int[] NOT NULL, PRIMARY KEY (k, generation))',
        "SELECT herd.distribute('list', 'k')",
        'CREATE TABLE money (id int PRIMARY KEY, amount int NOT NULL)',
        "SELECT herd.distribute('money', 'id')",
        "INSERT INTO money SELECT g, 100 FROM generate_series(1, $accounts) g";
    for my $nth (1 .. 3)
    {
        my $key = $herd->key_on('list', $nth);
        $self->{node}{ $key->{$_} } = $_ for keys %$key;
    }
    $self->{keys} = [ sort { $a <=> $b } keys %{ $self->{node} } ];
    return $self;
}

sub total { return $accounts * 100; }

# A list's name is "key/generation".
sub node_of { my ($self, $list) = @_; return $self->{node}{ $list =~ s{/.*}{}r }; }

sub round
{
    my ($self, $chaos, %how) = @_;
    my $count = 2 + int $how{seconds} / $generation;
    my $from  = 1000 * ++$self->{rounds};
    my $keys  = join ',', @{ $self->{keys} };
    $self->{herd}->sql(
        "INSERT INTO list SELECT k, $from + g, '{}' FROM unnest('{$keys}'::int[]) k, generate_series(0, $count) g");
    my $begin   = time;
    my @records = $chaos->run(
        sessions => 8,
        seconds  => $how{seconds},
        kill     => $how{kill},
        ways     => $how{ways},
        work     => sub { $self->work($_[0], $from + int((time - $begin) / $generation), \%how) }
    );
    $self->{herd}->nothing_prepared;
    my @transactions = (grep({ $_->{ops} } @records), $self->final_read($from));
    return {
        history  => Herd::History->new(@transactions),
        totals   => [ map { @{ $_->{totals} || [] } } @records ],
        outcomes => \@records
    };
}

# One transaction of a session.
sub work
{
    my ($self, $session, $generation, $how) = @_;
    my @levels = @{ $how->{levels} };
    my $level  = $levels[ $session->random(scalar @levels) ];
    my $dice   = $session->random(100);
    my @set    = $how->{consistency} ? "SET herd.read_consistency = '$how->{consistency}'" : ();
    if (@set && !($session->{state}{client} && $session->{client} && $session->{state}{client} == $session->{client}))
    {
        return () if $session->ask($set[0])->{state} ne '00000';
        $session->{state}{client} = $session->{client};
    }
    my $record =
          $dice < 10 ? $self->move_money($session, $level)
        : $dice < 20 ? $self->count_money($session, $level)
        :              $self->use_lists($session, $level, $generation);
    return { level => $level, session => $session->{number}, %$record };
}

sub begin { return "BEGIN ISOLATION LEVEL $_[0]"; }

sub use_lists
{
    my ($self, $session, $level, $generation) = @_;
    my (@plan, %appends);
    for my $op (1 .. 1 + $session->random(5))
    {
        my $dice = $session->random(100);
        my @keys = map { $self->{keys}[ $session->random(scalar @{ $self->{keys} }) ] } 1 .. 2 + $session->random(3);
        if    ($dice < 55) { push @plan, [ append => $keys[0], ++$session->{state}{value} * 10 + $session->{number} ]; }
        elsif ($dice < 70) { push @plan, [ read   => $keys[0] ]; }
        else               { push @plan, [ read   => @keys ]; }
    }
    my @sql     = map { statement($generation, @$_) } @plan;
    my $alone   = @plan == 1 && $session->random(2);
    my $end     = $alone ? alone($session, @sql) : $session->transaction(begin($level), @sql);
    my @answers = @{ $end->{answers} };
    shift @answers unless $alone;
    my @ops;
    for my $number (0 .. $#plan)
    {
        my ($kind, $key, $value) = @{ $plan[$number] };
        if ($kind eq 'append') { push @ops, [ 'append', "$key/$generation", $value ]; next; }
        next unless $answers[$number];
        push @ops,
            map { [ 'read', "$_->[0]/$generation", [ $_->[1] =~ /\d+/g ], $number ] } @{ $answers[$number]{rows} };
    }
    my $name = "$session->{number}." . ++$session->{state}{transactions};
    return {
        id => $name,
        $alone ? (level => 'read committed') : (),
        state    => $end->{outcome},
        ops      => \@ops,
        sqlstate => $end->{state},
        begin    => $end->{answers}[0]{begin},
        end      => $end->{answers}[-1]{end}
    };
}

# Without BEGIN, the statement is the transaction.
sub alone
{
    my ($session, $sql) = @_;
    my $answer  = $session->ask($sql);
    my $state   = $answer->{state};
    my $outcome = $state eq '00000' ? 'committed' : $state =~ /^(08007|lost|timeout|57P0\d)$/ ? 'unknown' : 'failed';
    return { outcome => $outcome, state => $state, answers => [$answer] };
}

sub statement
{
    my ($generation, $kind, @rest) = @_;
    return "UPDATE list SET v = v || $rest[1] WHERE k = $rest[0] AND generation = $generation" if $kind eq 'append';
    return "SELECT k, v FROM list WHERE generation = $generation AND k IN (" . join(',', @rest) . ')';
}

sub move_money
{
    my ($self, $session, $level) = @_;
    my ($from, $to) = map { 1 + $session->random($accounts) } 1 .. 2;
    return { state => 'failed', sqlstate => '00000' } if $from == $to;
    my $end = $session->transaction(
        begin($level),
        "UPDATE money SET amount = amount - 1 WHERE id = $from",
        "UPDATE money SET amount = amount + 1 WHERE id = $to"
    );
    return { state => $end->{outcome}, sqlstate => $end->{state} };
}

# The sum of all accounts in one statement, and account by account.
sub count_money
{
    my ($self, $session, $level) = @_;
    my $end = $session->transaction(
        begin($level),
        'SELECT sum(amount) FROM money',
        map { "SELECT amount FROM money WHERE id = $_" } 1 .. $accounts
    );
    return { state => 'failed', sqlstate => $end->{state} } if $end->{outcome} ne 'committed';
    my (undef, $sum, @rows) = map { $_->{rows}[0][0] } @{ $end->{answers} };
    my $by_row = 0;
    $by_row += $_ for @rows[ 0 .. $accounts - 1 ];
    return {
        state    => 'committed',
        sqlstate => '00000',
        totals   => [ [ $level, 'statement', $sum ], [ $level, 'transaction', $by_row ] ]
    };
}

sub final_read
{
    my ($self, $from) = @_;
    my @ops = map { my ($list, $values) = split /\|/; [ 'read', $list, [ $values =~ /\d+/g ], 1 ] } split /\n/,
        $self->{herd}->sql("SELECT k || '/' || generation, v FROM list WHERE generation >= $from");
    return { id => 'end', level => 'read committed', state => 'committed', final => 1, ops => \@ops };
}

1;
