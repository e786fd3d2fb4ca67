# The harness itself: SQLSTATEs, lost connections and killed servers are told apart.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 1, plain => 1, join => 0);

is(($herd->try('SELECT 1/0'))[1], '22012', 'an error shows its SQLSTATE');
is_deeply([ $herd->try('SELECT 1') ], [ '1', '00000' ], 'a good statement shows its rows');
is(
    ($herd->try('SELECT pg_terminate_backend(pg_backend_pid())'))[1], 'lost',
    'a lost connection is no SQLSTATE'
);

$herd->kill_server($herd->node('n1'));
$herd->node('n1')->start;
is $herd->sql_on('n1', 'SELECT 1'), 1, 'a killed server starts again';

like $herd->error_of('CREATE EXTENSION nope'), qr/"nope"/, 'error_of shows the message';
$herd->sql('CREATE EXTENSION pg_herd');
is $herd->sql("SELECT count(*) FROM pg_extension WHERE extname = 'pg_herd'"), 1,
    'the staged extension can be created';

done_testing;
