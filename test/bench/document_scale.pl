# Puts the figures of `make bench-scale` into the documentation: document_scale.pl RESULTS.csv
# Sizes that were measured again replace those of docs/images/scale.csv.
use strict;
use warnings;
use FindBin;
use Herd::Bench::ScaleReport;

my $docs = "$FindBin::Bin/../../docs";
my ($file) = @ARGV or die "usage: document_scale.pl RESULTS.csv\n";

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

my $csv     = "$docs/images/scale.csv";
my @old     = -e $csv ? Herd::Bench::ScaleReport::parse_csv(slurp($csv)) : ();
my @results = Herd::Bench::ScaleReport::merge(\@old, [ Herd::Bench::ScaleReport::parse_csv(slurp($file)) ]);
my $table   = Herd::Bench::ScaleReport::markdown(@results);
my $page    = "$docs/performance.md";
my $text    = slurp($page);
$text =~ s/(<!-- scale -->\n).*?(<!-- end of scale -->)/$1\n$table\n$2/s or die "$page has no place for figures\n";
spew($page, $text);
spew($csv, Herd::Bench::ScaleReport::csv(@results));
spew("$docs/images/scale.svg", Herd::Bench::ScaleReport::svg(@results));
