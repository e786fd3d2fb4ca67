# sqlsmith, the random query generator of Debian, against a herd: no crash, no internal error, nothing
# left behind. Its statements call any function with any argument, so most of them fail; it runs as an
# ordinary role, in transactions that are rolled back.
#
# HERD_SEED chooses the statements (1), HERD_STATEMENTS their number (2000).
use strict;
use warnings;
use Herd::Shop;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

my ($seed, $count) = ($ENV{HERD_SEED} || 1, $ENV{HERD_STATEMENTS} || 2000);
my $shop = Herd::Shop->new;
$shop->make_database('smith');
my $herd        = $shop->herd;
my $coordinator = $herd->coordinator;
$herd->sql($_) for 'CREATE ROLE smith LOGIN', 'GRANT USAGE ON SCHEMA shop TO smith',
    'GRANT ALL ON ALL TABLES IN SCHEMA shop TO smith', "ALTER ROLE smith SET statement_timeout = '1s'",
    "ALTER ROLE smith SET lock_timeout = '1s'";
$coordinator->append_conf('postgresql.conf', "log_line_prefix = '[%e] '\nlog_error_verbosity = default");
$coordinator->reload;

my $target = $coordinator->connstr('smith') . ' user=smith';
my ($out, $err) = ('', '');
my $ended = IPC::Run::run(
    [ 'sqlsmith', "--target=$target", "--seed=$seed", "--max-queries=$count", '--exclude-catalog' ],
    '>', \$out, '2>', \$err, IPC::Run::timeout(1800)
);
ok $ended, "sqlsmith ran $count statements" or diag substr $err, -2000;
is $herd->sql('SELECT count(*) > 0 FROM shop.customers'), 't', 'the herd answers';
ok $herd->nothing_prepared, 'no prepared transaction is left';

for my $server ($herd->servers)
{
    my $log = slurp_file($server->logfile);
    my @bad = $log =~ /^.*(?:PANIC|terminated by signal|TRAP|leak).*$/mg;
    is_deeply \@bad, [], 'no crash and no leak on ' . $server->name;
}
# An internal error says that a planner or executor is wrong; PostgreSQL itself has some.
my $log      = slurp_file($coordinator->logfile);
my $line     = qr/^\[XX\w{3}\] /m;
my %internal = reverse $log =~ /${line}ERROR:\s+(.*)\n(?:$line(?:DETAIL|CONTEXT|HINT).*\n(?:\t.*\n)*)*${line}STATEMENT:\s+(.*\n(?:\t.*\n)*)/g;
for my $statement (sort keys %internal)
{
    my (undef, $state) = $herd->try("BEGIN;\n$statement;\nROLLBACK;", $herd->plain);
    next if $state =~ /^XX/;
    fail "internal error: $internal{$statement}";
    diag substr $statement, 0, 3000;
}
my %states;
$states{$1}++ while $log =~ /^\[(\w{5})\] ERROR:/mg;
note 'SQLSTATEs: ', join ', ', map { "$_ $states{$_}" } sort keys %states;
done_testing;
