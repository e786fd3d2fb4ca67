# A server's definitions as text, one line each, by name: what must be equal on every server of a
# herd. Rows, OIDs, sequences' positions and what belongs to one server alone are left out.
package Catalogue;

use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(catalogue differences);

# PostgreSQL 15.20 keeps a number of its own, pg_attver, among a column's options.
my $own = q{NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'herd')
            AND n.nspname NOT LIKE 'pg_temp%' AND n.nspname NOT LIKE 'pg_toast%'};

my @parts = (
    # Relations and their columns
    qq{SELECT 'relation', format('%I.%I', n.nspname, c.relname), concat_ws(' ', relkind, relpersistence,
           c.relowner::regrole, c.relacl, c.reloptions, a.amname, relrowsecurity, relforcerowsecurity,
           relreplident, relispartition, pg_get_expr(relpartbound, c.oid), pg_get_partkeydef(c.oid),
           CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
       FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN pg_am a ON a.oid = relam
       WHERE n.nspname $own AND relkind <> 'f'},
    qq{SELECT 'column', format('%s.%I', c.oid::regclass, attname), concat_ws(' ', attnum - (SELECT
           count(*) FROM pg_attribute d WHERE d.attrelid = c.oid AND d.attisdropped AND
           d.attnum < a.attnum), format_type(atttypid, atttypmod), attnotnull, attidentity,
           attgenerated, attstattarget, attstorage, attcompression, a.attacl, (SELECT array_agg(o ORDER BY o)
           FROM unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%'), l.collname,
           pg_get_expr(adbin, adrelid))
       FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
       LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       LEFT JOIN pg_collation l ON l.oid = attcollation
       WHERE n.nspname $own AND attnum > 0 AND NOT attisdropped AND relkind <> 'f'},
    qq{SELECT 'constraint', format('%s on %s%s', conname, conrelid::regclass, contypid::regtype),
           concat_ws(' ', pg_get_constraintdef(c.oid), convalidated, connoinherit)
       FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace WHERE n.nspname $own},
    qq{SELECT 'index', indexrelid::regclass::text, concat_ws(' ', pg_get_indexdef(indexrelid),
           indisvalid, indisclustered, indisreplident)
       FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_namespace n ON n.oid = relnamespace
       WHERE n.nspname $own},
    qq{SELECT 'sequence', format('%I.%I', schemaname, sequencename), concat_ws(' ', data_type,
           start_value, min_value, max_value, increment_by, cycle, cache_size)
       FROM pg_sequences JOIN pg_namespace n ON n.nspname = schemaname WHERE n.nspname $own},
    qq{SELECT 'trigger', tgname::text, concat_ws(' ', pg_get_triggerdef(t.oid), tgenabled)
       FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace
       WHERE n.nspname $own AND NOT tgisinternal},
    qq{SELECT 'rule', rulename::text, concat_ws(' ', pg_get_ruledef(r.oid), ev_enabled)
       FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class JOIN pg_namespace n ON n.oid = relnamespace
       WHERE n.nspname $own},
    qq{SELECT 'policy', format('%s on %s', polname, polrelid::regclass), concat_ws(' ', polcmd,
           polpermissive, (SELECT array_agg(r::regrole ORDER BY 1) FROM unnest(polroles) r),
           pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
       FROM pg_policy WHERE 't' = 't'},
    qq{SELECT 'statistics', format('%I.%I', n.nspname, stxname), concat_ws(' ',
           pg_get_statisticsobjdef(s.oid), stxstattarget)
       FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = stxnamespace},
    # Types, functions and what is made of them
    qq{SELECT 'type', format('%I.%I', n.nspname, typname), concat_ws(' ', typtype, typowner::regrole,
           typacl, typnotnull, typdefault, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder)
           FROM pg_enum WHERE enumtypid = t.oid), (SELECT rngsubtype::regtype FROM pg_range
           WHERE rngtypid = t.oid))
       FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE n.nspname $own
           AND NOT EXISTS (SELECT FROM pg_class f WHERE f.oid = typrelid AND relkind = 'f')
           AND NOT EXISTS (SELECT FROM pg_class f JOIN pg_type e ON e.typrelid = f.oid
                           WHERE e.oid = t.typelem AND relkind = 'f')},
    qq{SELECT 'function', p.oid::regprocedure::text, concat_ws(' ', prokind, p.proowner::regrole,
           p.proacl, CASE WHEN prokind = 'a' THEN (SELECT concat_ws(' ', aggtransfn, aggfinalfn,
           agginitval) FROM pg_aggregate WHERE aggfnoid = p.oid) ELSE pg_get_functiondef(p.oid) END)
       FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE n.nspname $own},
    qq{SELECT 'operator', o.oid::regoperator::text, concat_ws(' ', oprcode, oprowner::regrole, oprrest,
           oprjoin, oprcanhash, oprcanmerge, oprcom::regoperator)
       FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace WHERE n.nspname $own},
    qq{SELECT 'object', (SELECT identity FROM pg_identify_object(d.classid, d.objid, 0)),
           (SELECT type FROM pg_identify_object(d.classid, d.objid, 0))
       FROM (SELECT 'pg_cast'::regclass AS classid, oid AS objid FROM pg_cast WHERE oid >= 16384
             UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass WHERE oid >= 16384
             UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily WHERE oid >= 16384
             UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation WHERE oid >= 16384
             UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion WHERE oid >= 16384
             UNION ALL SELECT 'pg_transform'::regclass, oid FROM pg_transform WHERE oid >= 16384
             UNION ALL SELECT 'pg_am'::regclass, oid FROM pg_am WHERE oid >= 16384
             UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict WHERE oid >= 16384
             UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config WHERE oid >= 16384
             UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language WHERE oid >= 16384) d},
    q{SELECT 'text search mapping', mapcfg::regconfig::text, concat_ws(' ', maptokentype, mapseqno,
           mapdict::regdictionary) FROM pg_ts_config_map WHERE mapcfg >= 16384},
    q{SELECT 'extension', extname, concat_ws(' ', extversion, extnamespace::regnamespace)
       FROM pg_extension},
    # Schemas, roles, privileges, comments
    qq{SELECT 'schema', nspname, concat_ws(' ', nspowner::regrole, nspacl)
       FROM pg_namespace n WHERE n.nspname $own},
    q{SELECT 'role', rolname, concat_ws(' ', rolsuper, rolinherit, rolcreaterole, rolcreatedb,
           rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, rolpassword, rolvaliduntil)
       FROM pg_authid},
    q{SELECT 'membership', format('%s in %s', member::regrole, roleid::regrole), admin_option::text
       FROM pg_auth_members},
    q{SELECT 'setting', concat_ws(' ', d.datname, nullif(setrole, 0)::regrole), setconfig::text
       FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase},
    q{SELECT 'database', datname, concat_ws(' ', datacl, datdba::regrole,
           shobj_description(oid, 'pg_database')) FROM pg_database WHERE datname = current_database()},
    q{SELECT 'default privileges', concat_ws(' ', defaclrole::regrole, nullif(defaclnamespace,
           0)::regnamespace, defaclobjtype), defaclacl::text FROM pg_default_acl},
    q{SELECT 'event trigger', evtname, concat_ws(' ', evtevent, evtowner::regrole, evtfoid::regproc,
           evttags) FROM pg_event_trigger},
    q{SELECT 'comment', identity, concat_ws(' ', type, description) FROM pg_description,
           pg_identify_object(classoid, objoid, objsubid)
       WHERE objoid >= 16384 AND identity NOT LIKE 'herd.%' AND identity <> 'herd'},
    # What the herd knows of its tables
    q{SELECT 'herd', relation::text, concat_ws(' ', kind, group_id, (SELECT attname FROM pg_attribute
           WHERE attrelid = relation AND attnum = key_attnum)) FROM herd.distributed_table},
    q{SELECT 'shard', group_id::text, format('%s..%s %s', hash_min, hash_max, node_id) FROM herd.shard});

my $sql = join "\nUNION ALL\n", map { s/^SELECT\s+('[^']+'),/SELECT $1::text,/r } @parts;

sub catalogue
{
    my ($server, $dbname) = @_;
    return $server->safe_psql($dbname, qq{
        SET search_path = pg_catalog;
        SELECT replace(concat_ws(' | ', k, o, d), E'\n', ' ')
        FROM ($sql) s(k, o, d) ORDER BY 1});
}

# Lines of the one and not of the other, as text; '' when they are equal.
sub differences
{
    my ($one, $other) = @_;
    return '' if $one eq $other;
    my %one = map { $_ => 1 } split /\n/, $one;
    my %other = map { $_ => 1 } split /\n/, $other;
    return join "\n", (map { "- $_" } grep { !$other{$_} } sort keys %one),
      (map { "+ $_" } grep { !$one{$_} } sort keys %other);
}

1;
