# Runs files of statements on two servers and compares what they answer, statement by statement.
#
# A file is plain SQL for psql. A line "-- test: name" starts a test; it holds one or more
# statements, each of which becomes one result "file: name" ("file: name [2]" for the second ...).
# After the name, options in brackets: [float] compares numbers with a small relative tolerance,
# [refused HR003] says that the herd refuses the statement with that SQLSTATE (in refused.sql only).
# Rows are compared in order when the statement has a top-level ORDER BY, as a multiset otherwise;
# command tags, column names and SQLSTATEs always. A statement "-- compare: table, ..." after a
# test compares the tables' whole contents.
package Herd::Differential;

use strict;
use warnings;
use IPC::Run;
use Test::More;

my $mark = '@@herd@@';

# Splits a file into tests: { name, options, statements }. What stands before the first test runs
# without being compared, as the test named 'preparation'.
sub parse
{
    my ($text) = @_;
    my @tests = ({ name => 'preparation', options => {}, text => '' });
    for my $line (split /^/, $text)
    {
        if ($line =~ /^-- test: (.*?)(?:\s+\[(.*)\])?\s*$/)
        {
            my %options = map { /^(\S+)\s*(.*)$/ ? ($1 => $2 eq '' ? 1 : $2) : () } split /,\s*/,
                defined $2 ? $2 : '';
            push @tests, { name => $1, options => \%options, text => '' };
        }
        elsif ($line =~ /^-- compare: (.*?)\s*$/)
        {
            $tests[-1]{text} .= "SELECT '$_' AS contents_of, * FROM $_;\n" for split /,\s*/, $1;
        }
        else
        {
            $tests[-1]{text} .= $line;
        }
    }
    $_->{statements} = [ split_statements($_->{text}) ] for @tests;
    return @tests;
}

# Cuts SQL at its semicolons, outside of quotes, comments and parentheses; psql's own commands
# are lines of their own, and COPY FROM STDIN takes its data along.
sub split_statements
{
    my ($text) = @_;
    my @found;
    my ($statement, $depth) = ('', 0);
    pos($text) = 0;
    while (pos($text) < length $text)
    {
        if ($statement =~ /^\s*$/ && $text =~ /\G\s*(\\[^\n]*\n)/gc)
        {
            push @found, $1;
        }
        elsif ($text =~ /\G(--[^\n]*\n)/gc) { $statement .= "\n"; }
        elsif ($text =~ /\G(\/\*.*?\*\/ | E?'(?:[^']|'')*' | "[^"]*" | (\$\w*\$).*?\g2)/gcxs)
        {
            $statement .= $1;
        }
        elsif ($text =~ /\G([\(\[])/gc) { $statement .= $1; $depth++; }
        elsif ($text =~ /\G([\)\]])/gc) { $statement .= $1; $depth--; }
        elsif ($depth <= 0 && $text =~ /\G(;|\\(?:gset|gexec|crosstabview)[^\n]*)/gc)
        {
            $statement .= $1;
            $statement .= $1
                if $statement =~ /\bCOPY\b.*\bFROM\s+STDIN\b/is
                && $text =~ /\G([^\n]*\n.*?^\\\.\n)/gcsm;
            $statement =~ s/^\s+//;
            push @found, $statement;
            ($statement, $depth) = ('', 0);
        }
        elsif ($text =~ /\G(\w+|\s+|.)/gcs) { $statement .= $1; }
    }
    die "statement without its end: $statement" if $statement =~ /\S/;
    return @found;
}

# True when the statement's rows have an order of their own.
sub is_ordered
{
    my ($statement) = @_;
    return 0 unless $statement =~ /^[\s(]*(SELECT|WITH|VALUES|TABLE|FETCH|SHOW|EXECUTE)\b/i;
    my $outer = $statement;
    $outer =~ s/'(?:[^']|'')*'//gs;
    1 while $outer =~ s/\([^()]*\)//gs;
    return $outer =~ /\bORDER\s+BY\b/i || $statement =~ /^\s*(FETCH|SHOW|EXECUTE \w*_ordered)/i;
}

# Runs the tests on one server in one session; fills each test's answers under $key. When the
# connection breaks, the rest goes on in a new session.
sub run
{
    my ($server, $dbname, $setup, $tests, $key) = @_;
    my $first = 0;
    while ($first < @$tests)
    {
        my $script = "$setup\n";
        for my $test (@$tests[ $first .. $#$tests ])
        {
            for my $statement (@{ $test->{statements} })
            {
                $script .= "$statement\n\\echo $mark :SQLSTATE :ROW_COUNT\n";
            }
        }
        my $reached = collect(answers($server, $dbname, $script), $tests, $first, $key);
        last if $reached > $#$tests;
        $first = $reached + 1;
        Herd::poll_until(sub { $server->psql($dbname, 'SELECT 1') == 0 }, 'server to be back');
    }
    return;
}

sub answers
{
    my ($server, $dbname, $script) = @_;
    my $output = '';
    my @psql   = (
        'psql', '-XA',        '-F', "\t",          '-d', $server->connstr($dbname),
        '-P',   'footer=off', '-P', 'null=(null)', '-v', 'VERBOSITY=sqlstate'
    );
    my $seconds = $Herd::timeout / 2;
    local $ENV{PGOPTIONS} = "-c statement_timeout=${seconds}s -c client_min_messages=error "
        . '-c extra_float_digits=1 -c timezone=UTC';
    eval {
        IPC::Run::run(
            \@psql, '<', \$script, '>', \$output, '2>&1',
            IPC::Run::timeout($Herd::timeout * 10)
        );
        1;
    } or diag "psql did not end: $@";
    return $output;
}

# Hands the session's output to the tests' statements; returns the index of the test in which the
# connection broke, or one past the last.
sub collect
{
    my ($output, $tests, $first, $key) = @_;
    my @pieces = split /^\Q$mark\E (\S+) (\S+)\n/m, $output, -1;
    my $index  = $first;
    for my $test (@$tests[ $first .. $#$tests ])
    {
        for my $i (0 .. $#{ $test->{statements} })
        {
            if (@pieces < 3)
            {
                $test->{$key}[$i] = { state => 'lost', text => join('', @pieces) };
                return $index;
            }
            my ($text, $state, $count) = splice @pieces, 0, 3;
            $state = $1 if $text =~ /^ERROR:\s+(\w{5})$/m;    # psql's variable misses COPY's errors
            $test->{$key}[$i] = { state => $state, count => $count, text => $text };
        }
        $index++;
    }
    return $index;
}

# One result per statement. Returns how many were compared.
sub report
{
    my ($file, $tests) = @_;
    my $compared = 0;
    for my $test (@$tests)
    {
        next if $test->{name} eq 'preparation' && !preparation_failed($file, $test);
        for my $i (0 .. $#{ $test->{statements} })
        {
            my $statement = $test->{statements}[$i];
            next if $statement =~ /^\\/;
            my $name = "$file: $test->{name}"
                . (@{ $test->{statements} } > 1 ? ' [' . ($i + 1) . ']' : '');
            $compared++;
            compare($name, $statement, $test->{options}, $test->{plain}[$i], $test->{herd}[$i]);
        }
    }
    return $compared;
}

# Preparation is compared only when it failed somewhere.
sub preparation_failed
{
    my ($file, $test) = @_;
    my @states = map { $_->{state} } @{ $test->{plain} }, @{ $test->{herd} };
    return scalar grep { $_ ne '00000' } @states;
}

sub compare
{
    my ($name, $statement, $options, $plain, $herd) = @_;
    $herd ||= { state => 'not run', text => '' };
    my $refused = $options->{refused};
    if (defined $refused)
    {
        is $plain->{state}, '00000',  "$name (plain PostgreSQL accepts it)";
        is $herd->{state},  $refused, "refused $refused: $name";
        return;
    }
    note "$name: SQLSTATE $plain->{state} on plain PostgreSQL" if $plain->{state} ne '00000';
    my $difference = difference($statement, $options, $plain, $herd);
    ok !defined $difference, $name or diag "$statement\n$difference";
    return;
}

# What differs between two answers, undef when nothing does.
sub difference
{
    my ($statement, $options, $plain, $herd) = @_;
    return "SQLSTATE: plain $plain->{state}, herd $herd->{state}"
        if $plain->{state} ne $herd->{state};
    my @expected = split /\n/, $plain->{text};
    my @found    = split /\n/, $herd->{text};
    unless (is_ordered($statement))
    {
        @expected = sort_rows($statement, @expected);
        @found    = sort_rows($statement, @found);
    }
    for my $i (0 .. ($#expected > $#found ? $#expected : $#found))
    {
        my ($want, $got) = ($expected[$i], $found[$i]);
        next
            if defined $want
            && defined $got
            && ($want eq $got
            || $options->{float} && nearly_equal($want, $got));
        return sprintf "plain %d lines, herd %d lines, first difference\nplain: %s\nherd:  %s",
            scalar @expected, scalar @found, map { defined $_ ? $_ : '(no such line)' } $want, $got;
    }
    return;
}

# The header stays first; COPY has none.
sub sort_rows
{
    my ($statement, @lines) = @_;
    return sort @lines if $statement =~ /^\s*COPY\b/i;
    my ($header, @rows) = @lines;
    return defined $header ? ($header, sort @rows) : ();
}

sub nearly_equal
{
    my ($want, $got) = @_;
    my @want = split /\t/, $want, -1;
    my @got  = split /\t/, $got,  -1;
    return 0 if @want != @got;
    for my $i (0 .. $#want)
    {
        next if $want[$i] eq $got[$i];
        return 0 unless "$want[$i] $got[$i]" =~ /^-?[\d.]+(?:e[-+]?\d+)? -?[\d.]+(?:e[-+]?\d+)?$/i;
        return 0 if abs($want[$i] - $got[$i]) > 1e-9 * (abs($want[$i]) + 1e-300) + 1e-12;
    }
    return 1;
}

1;
