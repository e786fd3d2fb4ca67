# The types of columns, in classes of like behaviour: which constants a class has, and which
# expressions make a value or a condition of it. {int} in a template stands for any expression of
# that class, {cond} for a condition. Constants are few, so that joins meet; nothing overflows,
# divides by zero or depends on the order of rows.
package Fuzz::Types;

use strict;
use warnings;

# Column types of each class; numeric has one scale, since equal numbers may differ in theirs.
our %types = (
    int   => [qw(int bigint smallint positive)],
    num   => ['numeric(8,2)'],
    float => ['float8'],
    text  => [ 'text', 'varchar(30)', 'text COLLATE "C"', 'label' ],
    bool  => ['boolean'],
    date  => ['date'],
    ts    => [qw(timestamp timestamptz)],
    uuid  => ['uuid'],
    mood  => ['mood'],
    bytea => ['bytea'],
    jsonb => ['jsonb'],
    ints  => ['int[]'],
    texts => ['text[]'],
    span  => ['int4range'],
    spot  => ['spot']
);

# Classes that a distribution key may have, with the types that share a hash.
our %keys = (
    int  => [qw(int bigint smallint)],
    text => [ 'text', 'varchar(30)' ],
    num  => ['numeric(8,2)'],
    date => ['date'],
    ts   => ['timestamptz'],
    uuid => ['uuid']
);

# What the database has to have for these types.
our @definitions = (
    q{CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')},
    q{CREATE TYPE spot AS (x int, y text)},
    q{CREATE DOMAIN positive AS int CHECK (VALUE >= 0)},
    q{CREATE DOMAIN label AS text CHECK (VALUE <> 'forbidden')}
);

# A constant of a class; $i chooses it.
my %constants = (
    int   => sub { $_[0] },
    num   => sub { sprintf '%.2f', $_[0] * 1.25 - 10 },
    float => sub { ($_[0] - 8) * 0.25 . '::float8' },
    text  => sub { "'" . ('Ann', 'bob', 'Cy', '', 'dé', 'ann', 'a b', "it''s")[ $_[0] % 8 ]
            . ($_[0] > 15 ? $_[0] : '') . "'" },
    bool  => sub { ('true', 'false')[ $_[0] % 2 ] },
    date  => sub { sprintf "'2024-02-%02d'::date", 1 + $_[0] % 29 },
    ts    => sub { sprintf "'2024-02-%02d %02d:30:00'::timestamp", 1 + $_[0] % 5, $_[0] % 24 },
    uuid  => sub { sprintf "'00000000-0000-4000-8000-0000000000%02d'::uuid", $_[0] },
    mood  => sub { ("'sad'::mood", "'ok'::mood", "'happy'::mood")[ $_[0] % 3 ] },
    bytea => sub { sprintf "'\\x%02x00'::bytea", $_[0] },
    jsonb => sub { (sprintf(q('{"n": %d, "t": ["a", "b"]}'::jsonb), $_[0] % 7), "'[1, 2]'::jsonb",
            "'null'::jsonb", '\'{"n": {"m": true}}\'::jsonb')[ $_[0] % 4 ] },
    ints  => sub { ("'{}'::int[]", "'{1,NULL}'::int[]", "ARRAY[$_[0], 2]", 'ARRAY[3, 1, 2]')[ $_[0] % 4 ] },
    texts => sub { (q('{}'::text[]), q(ARRAY['a', NULL, 'b']), q(ARRAY['x'::text]))[ $_[0] % 3 ] },
    span  => sub { sprintf "int4range(%d, %d)", $_[0] % 10, $_[0] % 10 + $_[0] % 4 },
    spot  => sub { sprintf "ROW(%d, 'y%d')::spot", $_[0] % 5, $_[0] % 3 }
);

our %range = (int => 24, num => 30, uuid => 20, text => 20, date => 20, ts => 24);

sub constant
{
    my ($class, $i) = @_;
    return $constants{$class}->($i);
}

# Expressions of a class; '=' stands for the class itself.
my @any = ('coalesce({=}, {=})', 'CASE WHEN {cond} THEN {=} ELSE {=} END', 'nullif({=}, {=})',
    '(SELECT {=})');
my @ordered = ('greatest({=}, {=})', 'least({=}, {=})');
our %expressions = (
    int => [
        @any, @ordered,
        '({int} + {int})', '({int} - {int})', 'abs({int})', '({int} % 7)', 'length({text})',
        '({int} / 3)', 'extract(day FROM {date})::int', 'coalesce(array_length({ints}, 1), 0)',
        '({ints})[1]', 'coalesce(upper({span}), 0)', '({spot}).x', 'octet_length({bytea})',
        '({jsonb} ->> \'m\')::int', 'CASE {mood} WHEN \'ok\' THEN 1 ELSE {int} END', 'ascii({text})',
        'width_bucket({num}, 0, 30, 5)', 'round({num})::int', '({row}).u', 'double({int}::int)', '({date} - {date})',
        'position(\'n\' IN {text})', '({int} & 6)', 'sign({int})::int', '{bool}::int', '(-{int})'
    ],
    num   => [ @any, @ordered, '({num} + {num})', '({num} - {num})', 'abs({num})', '({num} * 2)',
        'round({num}, 1)', '{int}::numeric', 'trunc({num})' ],
    float => [ @any, @ordered, '({float} + {float})', '({float} * 2)', '{int}::float8' ],
    text  => [ @any, @ordered, 'upper({text})', 'lower({text})', '({text} || {text})', 'left({text}, 2)',
        'replace({text}, \'n\', \'m\')', '{int}::text', '{date}::text', '{mood}::text', '({texts})[1]',
        '({jsonb} ->> \'n\')', 'concat({text}, {int}, {bool})', 'format(\'%s-%s\', {text}, {int})',
        'md5({text})', 'trim({text})', 'array_to_string({ints}, \',\', \'-\')', '({spot}).y',
        'concat_ws(\'/\', {text}, {text})', 'to_char({date}, \'YYYY/MM\')', '({text} COLLATE "C")',
        '{uuid}::text', 'initcap({text})', 'encode({bytea}, \'hex\')', 'to_char({int}, \'000\')',
        'quote_nullable({text})', '({row})::text', '{row}.tableoid::regclass::text', 'reverse({text})', 'substr({text}, 2)', 'jsonb_typeof({jsonb})' ],
    bool  => [ @any, '({cond})', '(NOT {bool})', '(({cond}) IS TRUE)', '({row} IS NULL)', '({row} IS NOT NULL)' ],
    date  => [ @any, @ordered, '({date} + {int}::int)', '({date} - 3)', '{ts}::date',
        'date_trunc(\'month\', {ts})::date' ],
    ts    => [ @any, '({ts} + interval \'1 day\')', '{date}::timestamp', 'date_trunc(\'day\', {ts})' ],
    uuid  => [@any],
    mood  => [ @any, @ordered ],
    bytea => [ @any, '({bytea} || {bytea})', 'convert_to({text}, \'UTF8\')' ],
    jsonb => [ @any, '({jsonb} -> \'n\')', '({jsonb} || {jsonb})', 'jsonb_build_object(\'k\', {int})',
        'to_jsonb({text}::text)', 'jsonb_build_array({int}, {text}::text)', 'to_jsonb({ints})', '({jsonb} -> 0)',
        'jsonb_path_query_first({jsonb}, \'$.t[*]\')' ],
    ints  => [ @any, '({ints} || {int}::int)', 'ARRAY[{int}, {int}]::int[]', 'array_remove({ints}, 2)',
        'array_append({ints}, {int}::int)', '({ints})[1:2]' ],
    texts => [ @any, 'ARRAY[{text}, {text}]::text[]', 'string_to_array({text}, \'n\')' ],
    span  => [ @any, '({span} * {span})', 'int4range({int}::int, NULL)' ],
    spot  => [ 'ROW({int}, {text})::spot', 'coalesce({spot}, {spot})' ]
);

# Conditions. {=} is a class chosen for the template, {?} a subquery of one column of it.
our @conditions = (
    ('{=} = {=}') x 3, '{=} <> {=}', ('{=} < {=}') x 2, '{=} >= {=}', '{=} BETWEEN {=} AND {=}',
    '{=} IS NULL', '{=} IS NOT NULL', '{=} IN ({=}, {=}, {=})', '{=} NOT IN ({=}, {=})',
    '{=} IS DISTINCT FROM {=}', '{text} = ANY (ARRAY[{text}, {text}]::text[])', '({=}, {int}) = ({=}, {int})',
    '({=}, {int}) < ({=}, {int})', '{text} LIKE \'%n%\'', '{text} ILIKE \'A%\'', '{text} ~ \'^[a-c]\'',
    '{text} NOT LIKE \'_o%\'', '{bool}', '{bool} IS NOT TRUE', '{int}::int = ANY ({ints})',
    '{ints} @> ARRAY[{int}]::int[]', '{ints} && {ints}', '{jsonb} @> {jsonb}', '{jsonb} ? \'n\'',
    '{span} @> {int}::int', '{span} && {span}', '{text} = ANY ({texts})', 'starts_with({text}, \'A\')',
    '{int} < ALL (ARRAY[{int}, 20])', 'isempty({span})', '({date}, {date}) OVERLAPS ({date}, {date})',
    '{text} SIMILAR TO \'(a|b)%\'', '({spot}).x > {int}', 'jsonb_path_exists({jsonb}, \'$.n\')'
);
our @subquery_conditions = (
    'EXISTS ({?})', 'NOT EXISTS ({?})', ('{=} IN ({?})') x 2, '{=} NOT IN ({?})', '{=} = ANY ({?})',
    '{=} > ALL ({?})', '{=} < ANY ({?})', '({=} IN ({?})) IS TRUE', '{=} = ({1})', '{=} < ({1})',
    '({=}, {int}) IN ({2})'
);

# Aggregates whose value does not depend on the order of rows. {d} may become DISTINCT.
our %aggregates = (
    int => [ 'count(*)', 'count({d}{any})', 'count({row})', 'sum({d}{int})::bigint', 'min({int})', 'max({int})',
        'bit_and({int})', 'bit_or({int})', 'regr_count({int}, {float})', 'total({int})',
        'percentile_disc(0.5) WITHIN GROUP (ORDER BY {int})', 'rank(3) WITHIN GROUP (ORDER BY {int})',
        'dense_rank(3) WITHIN GROUP (ORDER BY {int} DESC)', 'bit_xor({int})', 'max(length({text}))',
        'mode() WITHIN GROUP (ORDER BY {int} % 2 * 0)' ],
    num => [ 'sum({d}{num})', 'min({num})', 'max({num})', 'round(avg({num}), 4)', 'round(avg({int}), 4)',
        'round(stddev({int}), 4)', 'round(var_pop({num}), 4)', 'round(variance({int}), 3)' ],
    float => [ 'sum({float})', 'min({float})', 'avg({float})', 'max({float})',
        'percentile_cont(0.5) WITHIN GROUP (ORDER BY {float})' ],
    text => [ 'min({text})', 'max({text})', 'string_agg({d}{text}::text, \',\' {o})', 'array_agg({d}{int} {o})::text',
        'jsonb_agg({d}{any} {o})::text', 'string_agg({d}{text}::text COLLATE "C", \'+\' {o})', 'last_text({text} {o})',
        'array_agg({d}{any} {o})::text' ],
    bool  => [ 'bool_and({bool})', 'bool_or({cond})', 'every({bool})' ],
    date  => [ 'min({date})', 'max({date})' ],
    ts    => [ 'max({ts})', 'min({ts})' ],
    mood  => [ 'max({mood})', 'min({mood})' ],
    ints  => [ 'array_agg({d}{int}::int {o})', 'max({ints})', 'percentile_disc(ARRAY[0.2, 0.8]) WITHIN GROUP (ORDER BY {int})' ],
    jsonb => [ 'jsonb_agg({d}{any} {o})' ],
    texts => [ 'array_agg({d}{text}::text {o})' ],
    span  => [ 'range_intersect_agg({span})' ]
);

1;
