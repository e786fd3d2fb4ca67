# The bench itself: its figures, table, CSV and plot are right, and every workload runs on every side.
use strict;
use warnings;
use Herd::Bench;
use Herd::Bench::Plot;
use Herd::Bench::Report;
use Herd::Bench::Workloads;
use Test::More;

sub median  { return Herd::Bench::Figures::median(@_); }
sub verdict { return Herd::Bench::Figures::verdict(@_); }

is median(3, 1, 2), 2, 'median of three';
is median(10, 1, 2, 9), 5.5, 'median of four lies between the middle two';
is median(10, 9), 9.5, 'numbers are sorted as numbers';
is median(), undef, 'no median of nothing';
is_deeply Herd::Bench::Figures::figure(30, 4, 5), { median => 5, low => 4, high => 30 }, 'median and spread';
is_deeply Herd::Bench::Figures::ratio([ 1, 6, 9 ], [ 2, 10, 10 ]),
    { median => 0.6, low => 0.5, high => 0.9 }, 'ratios are made round by round';
is Herd::Bench::Figures::ratio([ 1, 1 ], [ 1, 0 ]), undef, 'no ratio to a round that failed';
is verdict(0.36, 0.36),   'ok',   'a target is reached by what equals it';
is verdict(0.3551, 0.36), 'ok',   'and by what is printed as the same';
is verdict(0.354, 0.36),  'miss', 'and missed by less';
is verdict(0.354, undef), '',     'nothing is asked without a target';

sub result
{
    my ($workload, $clients, $side, $rate, $of_plain) = @_;
    my ($r, $o) = map { { median => $_, low => $_ * 0.9, high => $_ * 1.1 } } $rate, $of_plain;
    return {
        workload => $workload, clients => $clients, side => $side, fsync => 'on', rows => 100,
        seconds  => 5, rate => $r, of_plain => $o, here_us => 20, nodes_us => 30
    };
}

my @results = (
    result('transfer', 16, 'plain', 5000, 1), result('transfer', 16, 'herd', 1000, 0.2),
    result('read',     8,  'plain', 20000, 1), result('read', 8, 'herd', 8000, 0.4),
    result('read',     8,  'emulation', 9000, 0.45), result('read', 8, 'alone', 10000, 0.5),
);
my $csv = Herd::Bench::Report::csv(@results);
my ($head, @lines) = split /\n/, $csv;
is $head, 'workload,clients,side,fsync,rows,seconds,rate,rate_low,rate_high,'
    . 'of_plain,of_plain_low,of_plain_high,target,here_us,nodes_us', 'heading of the CSV';
is $lines[1], 'transfer,16,herd,on,100,5,1000,900,1100,0.200,0.180,0.220,0.32,20,30', 'a line of the CSV';
is Herd::Bench::Report::csv(Herd::Bench::Report::parse_csv($csv)), $csv, 'CSV is read as it was written';

my ($first, $second) = split /\n/, Herd::Bench::Report::table(@results) =~ s/^.*\n//r;
like $first,
    qr/^point read, prepared +8 +20000 +0\.40 +0\.36-0\.44 +0\.36 +ok +0\.45 +0\.89 +ok +0\.50 +miss /,
    'the table says what is reached of what, in the order of the workloads';
like $second, qr/^transfer, always two nodes +16 +5000 +0\.20 +0\.18-0\.22 +0\.32 +miss /,
    'and what is missed';
is scalar(split /\n/, Herd::Bench::Report::markdown(@results)), 4,
    'a page has a heading and a line for each';

my @merged = Herd::Bench::Report::merge(\@results, [ result('read', 8, 'herd', 1, 0.5) ]);
is join(' ', map { "$_->{workload}/$_->{side}" } @merged), 'transfer/plain transfer/herd read/herd',
    'new results take the place of all old ones of their row';

my $svg = Herd::Bench::Plot::svg(@results);
is scalar(() = $svg =~ /<rect x="290"/g), 2, 'the plot has a bar for each row';
like $svg, qr{<rect x="290" y="71" width="196\.0" height="14" fill="#3a6ea5"/>}, 'as long as the ratio says';
like $svg, qr/fill="#c98a2b".*transfer, always two nodes/s, 'a miss has another color';
my $wide = Herd::Bench::Plot::svg(result('read', 8, 'plain', 1, 1), result('read', 8, 'herd', 9, 9));
like $wide, qr/>2\.50<.*width="490\.0".*>9\.00</s, 'a bar that is too long ends at the edge, with its number';
unlike $svg, qr/&(?!amp;|lt;|gt;|quot;)/, 'special characters are escaped';

my $bench = Herd::Bench->new(rows => 1000, transactions => 5, rounds => 1, fsync => 'off');
my @workloads = Herd::Bench::Workloads::pick();
$bench->prepare(@workloads);
for my $workload (@workloads)
{
    my @measured = $bench->measure($workload, $workload->{clients}[0] > 1 ? 4 : 1);
    my @silent   = map { $_->{side} } grep { !$_->{rate}{low} } @measured;
    is "@silent", '', "$workload->{name} runs on every side";
    $bench->finish($workload);
}
ok $bench->herd->nothing_prepared, 'nothing is left prepared';
done_testing;
