#!/usr/bin/perl
# Turns apt's package records on standard input (apt-cache dumpavail) into files for COPY:
#   packages.pl DIRECTORY    writes packages.copy, dependencies.copy and sections.copy there.
# A package that occurs twice (another version, another architecture) counts once.
use strict;
use warnings;

my ($dir) = @ARGV or die "usage: packages.pl DIRECTORY\n";
my (%file, %seen, %sections);
for my $name (qw(packages dependencies sections))
{
    open $file{$name}, '>', "$dir/$name.copy" or die "$dir/$name.copy: $!\n";
}

sub row
{
    my ($name, @values) = @_;
    for (@values)
    {
        if (!defined $_ || $_ eq '') { $_ = '\N'; next; }
        s/\\/\\\\/g;
        s/\t/\\t/g;
        s/\n/\\n/g;
    }
    print { $file{$name} } join("\t", @values), "\n";
    return;
}

# "a (>= 1) | b, c" is two positions, the first with two alternatives.
sub dependencies
{
    my ($package, $kind, $list) = @_;
    my $position = 0;
    for my $choice (split /\s*,\s*/, $list)
    {
        $position++;
        my $alternative = 0;
        for my $one (split /\s*\|\s*/, $choice)
        {
            next unless $one =~ /^([^\s(:]+)(?::\w+)?\s*(?:\((.*)\))?/;
            row('dependencies', $package, $kind, $position, ++$alternative, $1, $2);
        }
    }
    return;
}

local $/ = '';
while (my $record = <STDIN>)
{
    $record =~ s/\n[ \t]+/ /g;
    my %field   = $record =~ /^([\w-]+): *(.*)$/mg;
    my $package = $field{Package};
    next if !defined $package     || $seen{$package}++;
    my $section = $field{Section} || 'unknown';
    $sections{$section}++;
    row(
        'packages', $package, @field{qw(Version)}, $section,
        @field{qw(Priority Architecture Maintainer)},
        $field{'Installed-Size'}, $field{Size}, @field{qw(Homepage Description)}
    );
    dependencies($package, $_, $field{$_})
        for grep { defined $field{$_} } qw(Depends Pre-Depends Recommends Suggests);
}
row('sections', $_, m{^(.*)/} ? $1 : 'main') for sort keys %sections;
close $file{$_} or die "$_: $!\n" for keys %file;
