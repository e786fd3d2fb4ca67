# A selection of the crash matrix (`make crash-matrix` runs all of it): cells of each strike around the
# decision, with short stalls.
use strict;
use warnings;
use Herd::CrashMatrix;
use Herd::CrashMatrix::Messages;
use Test::More;

my %chosen = map { $_ => 1 } (
    'commit.one_answered: error, coordinator',   'commit.one_answered: kill, one',
    'commit.prepare_sent: cut, two',             'commit.before_local: kill, coordinator',
    'commit.after_local: kill, coordinator',     'commit.after_local: stall, one',
    'commit.one_acknowledged: cut, two',         'node.before_prepare: error, one',
    'node.after_prepare: kill, two',
    'commit.one_phase_sent: kill, one',          'rollback.sent_to_one: kill, coordinator',
    'two_phase PREPARE TRANSACTION: unanswered, one', 'two_phase COMMIT PREPARED: delivered, two',
    'one_phase COMMIT: truncated, one',          'rollback ROLLBACK PREPARED: lost, one',
    'supervisor.settled: error, coordinator',    'savepoint.after_rollback: cut, one',        'supervisor.before_settle: kill, coordinator'
);
my $matrix = Herd::CrashMatrix->new(stall => 2);
for my $cell (Herd::CrashMatrix::cells(), Herd::CrashMatrix::Messages::cells())
{
    my $name = Herd::CrashMatrix::name_of($cell);
    next unless delete $chosen{$name};
    my @complaints = $cell->{message} ? Herd::CrashMatrix::Messages::run($matrix, $cell) : $matrix->run($cell);
    ok !@complaints, $name or diag join "\n", @complaints;
}
is join('; ', sort keys %chosen), '', 'every chosen cell is there';
$matrix->herd->check_invariants('after all of it');
is $matrix->alarms, '', 'no server has panicked';
done_testing;
