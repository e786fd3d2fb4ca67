# The other half of the crash matrix: a message between coordinator and node, struck by the proxy on its
# way. A cell is { message, kind, victim => one or two, strike }:
#   lost        the connection is closed before the message has arrived
#   delivered   it is reset when the message has arrived, so that its answer can't
#   unanswered  the answer comes as far as the proxy, and the connection is closed
#   truncated   half of the answer comes
#   stall       the answer is held, for some seconds
# What the node is asked next is refused until the client has its answer.
package Herd::CrashMatrix::Messages;

use strict;
use warnings;
use Herd::Client;
use Herd::CrashMatrix;
use Herd::CrashMatrix::Steps;
use Time::HiRes qw(time);

# The statement's beginning, as the node gets it; the kind of transaction; what becomes of it.
my @messages = (
    [ 'BEGIN',               'two_phase', undef ],
    [ 'INSERT',              'two_phase', undef ],
    [ 'PREPARE TRANSACTION', 'two_phase', undef ],
    [ 'COMMIT PREPARED',     'two_phase', 'all' ],
    [ 'COMMIT',              'one_phase', undef ],
    [ 'ROLLBACK PREPARED',   'rollback',  'none' ],
    [ 'SAVEPOINT',           'savepoint', undef ],
    [ 'ROLLBACK TO',         'savepoint', undef ],
    [ 'RELEASE',             'savepoint', undef ],
    [ 'COMMIT PREPARED',     'recovery',  'all' ]
);
my %rules = (
    lost       => { from => 'client', type => 'Parse',           act => 'close' },
    delivered  => { from => 'client', type => 'Execute',         act => 'reset', after => 1 },
    unanswered => { from => 'server', type => 'CommandComplete', act => 'close' },
    truncated  => { from => 'server', type => 'CommandComplete', act => 'truncate', bytes => 7 },
    stall      => { from => 'server', type => 'CommandComplete', act => 'stall' }
);

sub cells
{
    my @cells;
    for my $message (@messages)
    {
        my ($text, $kind, $outcome) = @$message;
        for my $victim (qw(one two))
        {
            push @cells, map {
                {
                    step    => "$kind $text",
                    message => $text,
                    kind    => $kind,
                    outcome => $outcome,
                    victim  => $victim,
                    strike  => $_
                }
            } qw(lost delivered unanswered truncated stall);
        }
    }
    return @cells;
}

# Runs a cell on the matrix's herd; returns complaints.
sub run
{
    my ($matrix, $cell) = @_;
    my $herd  = $matrix->herd;
    my @names = $cell->{victim} eq 'one' ? 'n1' : qw(n1 n2);
    my $plan  = $matrix->plan($cell->{kind});
    my $text  = $cell->{strike} =~ /lost|delivered/ ? question($cell->{message}) : answer_to($cell->{message});
    my %rule  = (%{ $rules{ $cell->{strike} } }, text => $text);
    $rule{seconds} = $matrix->{stall} if $cell->{strike} eq 'stall';
    my %numbers = map { $_ => $herd->proxy($_)->on(%rule) } @names;
    $matrix->on('coordinator', "SELECT herd.failpoint_set('commit.after_local', 'error')")
        if $cell->{kind} eq 'recovery';
    my $client = $matrix->client;
    my $begin  = time;
    my $answer = $client->ask($plan->{sql});
    my $waited = time - $begin;

    # One node's answer may be asked for when the other's has come.
    my $limit = $Herd::CrashMatrix::patience + ($cell->{strike} eq 'stall' ? $matrix->{stall} * @names : 0);
    my $hit   = Herd::poll_until(
        sub {
            grep { $herd->proxy($_)->hits($numbers{$_}) } @names;
        },
        undef,
        10
    );
    $matrix->complain(sprintf 'the client waited for %.1f s', $waited) if $waited > $limit;
    $matrix->complain("no $cell->{message} came by") unless $hit;
    $matrix->on('coordinator', "SELECT herd.failpoint_clear('commit.after_local')") if $cell->{kind} eq 'recovery';
    $client->leave;
    for my $name (@names)
    {
        $herd->proxy($name)->forget;
        $herd->proxy($name)->heal;
    }
    return $matrix->judge($cell, $plan, $answer);
}

# COMMIT is not COMMIT PREPARED.
sub question { return '^\s*' . $_[0] . '\b' . ($_[0] =~ / / ? '' : '(?! PREPARED)'); }

# The tag of the answer.
sub answer_to
{
    my ($message) = @_;
    my %tag = ('INSERT' => '^INSERT', 'ROLLBACK TO' => '^ROLLBACK$', COMMIT => '^COMMIT$');
    return $tag{$message} || "^$message";
}

1;
