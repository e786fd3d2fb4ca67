# Puts the figures of `make bench` into the documentation: document.pl RESULTS.csv
# Rows that were measured again replace those of docs/images/performance.csv; the plot and the table
# in docs/performance.md are made of all of them.
use strict;
use warnings;
use FindBin;
use Herd::Bench::Plot;
use Herd::Bench::Report;

my $docs = "$FindBin::Bin/../../docs";
my $page = "$docs/performance.md";
my $csv  = "$docs/images/performance.csv";
my ($file) = @ARGV or die "usage: document.pl RESULTS.csv\n";

sub slurp
{
    my ($name) = @_;
    local $/ = undef;
    open my $fh, '<:encoding(UTF-8)', $name or die "$name: $!\n";
    return <$fh>;
}

sub spew
{
    my ($name, $text) = @_;
    open my $fh, '>:encoding(UTF-8)', $name or die "$name: $!\n";
    print $fh $text;
    close $fh or die "$name: $!\n";
    return;
}

my @old     = -e $csv ? Herd::Bench::Report::parse_csv(slurp($csv)) : ();
my @new     = Herd::Bench::Report::parse_csv(slurp($file));
my @results = Herd::Bench::Report::merge(\@old, \@new);
my $table   = Herd::Bench::Report::markdown(@results);
my $text    = slurp($page);
$text =~ s/(<!-- figures -->\n).*?(<!-- end of figures -->)/$1\n$table\n$2/s
    or die "$page has no place for figures\n";
spew($page, $text);
spew($csv, Herd::Bench::Report::csv(@results));
spew("$docs/images/performance.svg", Herd::Bench::Plot::svg(@results));
