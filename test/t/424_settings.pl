# What of a session's state changes results is on the nodes what it is here, whatever changes it: SET, SET LOCAL, a
# function's own SET, a rollback, a reload, an extension that is loaded late, a role that gets another name.
use strict;
use warnings;
use Herd;
use Test::More;

my $herd = Herd->new(nodes => 1);
$herd->sql(<<'SQL');
CREATE FUNCTION on_node(setting text) RETURNS text LANGUAGE sql SET search_path = pg_catalog AS
    $$SELECT herd.run_on_node('n1', format('SELECT current_setting(%L, true)', setting))$$;
CREATE FUNCTION in_paris() RETURNS text LANGUAGE sql SET timezone = 'Europe/Paris' AS
    $$SELECT herd.run_on_node('n1', 'SELECT current_setting(''timezone'')')$$;
CREATE ROLE first_name SUPERUSER;
SQL

# Each statement, and what the node then has of a setting.
my @steps = (
    [ '',                                                       timezone => undef ],
    [ "SET timezone = 'Asia/Tokyo'",                            timezone => 'Asia/Tokyo' ],
    [ "SET extra_float_digits = -3",                            extra_float_digits => '-3' ],
    [ "BEGIN; SET LOCAL timezone = 'Asia/Dili'",                timezone => 'Asia/Dili' ],
    [ 'SAVEPOINT s; SET intervalstyle = iso_8601',              intervalstyle => 'iso_8601' ],
    [ 'ROLLBACK TO s',                                          intervalstyle => 'postgres' ],
    [ 'COMMIT',                                                 timezone => 'Asia/Tokyo' ],
    [ "SELECT set_config('bytea_output', 'escape', false)",     bytea_output => 'escape' ],
    [ "SET app.tenant = 'seven'",                               'app.tenant' => 'seven' ],
    [ "BEGIN; SET app.tenant = 'eight'",                        'app.tenant' => 'eight' ],
    [ 'ROLLBACK',                                               'app.tenant' => 'seven' ],
    [ 'RESET app.tenant',                                       'app.tenant' => '' ],
    # Made up before the library that defines it comes, with another definition then.
    [ 'SET pg_trgm.similarity_threshold = 0.50',                'pg_trgm.similarity_threshold' => '0.50' ],
    [ "LOAD 'pg_trgm'; SET app.late = 'x'",                     'app.late' => 'x' ],
    [ 'SET pg_trgm.similarity_threshold = 0.70',                'pg_trgm.similarity_threshold' => '0.7' ],
    [ 'RESET pg_trgm.similarity_threshold',                     'pg_trgm.similarity_threshold' => '0.3' ],
    [ "SET lock_timeout = '7s'",                                lock_timeout => '7s' ],
    [ 'RESET ALL',                                              lock_timeout => '0' ],
    [ 'DISCARD ALL',                                            bytea_output => 'hex' ],
);
my $script = '';
for my $step (@steps)
{
    my ($statement, $setting) = @$step;
    $script .= "$statement;\n" if $statement;
    $script .= "SELECT '=' || coalesce(on_node('$setting'), '<null>');\n" if defined $setting;
}

my @seen = grep { /^=/ } split /\n/, ($herd->try($script))[0];
my $i    = 0;
for my $step (grep { defined $_->[1] } @steps)
{
    my ($statement, $setting, $expected) = @$step;
    $expected = $herd->sql('SHOW timezone') unless defined $expected;
    is $seen[ $i++ ], "=$expected", "$setting after " . ($statement || 'nothing');
}

is $herd->sql("SELECT in_paris() || ' ' || on_node('timezone')"), 'Europe/Paris ' . $herd->sql('SHOW timezone'),
    "a function's own setting, and the session's after it";

# A role keeps its number when its name changes.
my $session = $herd->session;
$session->query_safe('SET ROLE first_name');
is $session->query("SELECT herd.run_on_node('n1', 'SELECT current_user')"), 'first_name', 'the role on the node';
$herd->sql('ALTER ROLE first_name RENAME TO second_name');
is $session->query("SELECT herd.run_on_node('n1', 'SELECT current_user')"), 'second_name', 'by its new name';
$session->quit;

# A reload changes what runs already.
$session = $herd->session;
is $session->query("SELECT herd.run_on_node('n1', 'SHOW xmloption')"), 'content', 'before the reload';
$herd->sql('ALTER SYSTEM SET xmloption = document');
$herd->sql('SELECT pg_reload_conf()');
Herd::poll_until(sub { return $session->query('SHOW xmloption') eq 'document' }, 'the reload');
is $session->query("SELECT herd.run_on_node('n1', 'SHOW xmloption')"), 'document', 'after it';
$session->quit;
done_testing;
