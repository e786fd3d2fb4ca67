-- The schema and the catalogue. Nothing but the extension's own functions writes here.
CREATE SCHEMA herd;
COMMENT ON SCHEMA herd IS 'pg_herd: sharding over plain PostgreSQL servers';
GRANT USAGE ON SCHEMA herd TO PUBLIC;

-- One row: which herd this database belongs to, and which node it is in it.
CREATE TABLE herd.cluster (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    cluster_id uuid    NOT NULL,
    term       bigint  NOT NULL DEFAULT 1,
    self_node  integer NOT NULL,
    secret     bytea   NOT NULL CHECK (octet_length(secret) = 32)
);
REVOKE ALL ON herd.cluster FROM PUBLIC;
COMMENT ON TABLE herd.cluster IS
    'The herd that this database is in; secret keys the one-time tokens between its servers, superusers only';

CREATE TABLE herd.node (
    node_id     integer PRIMARY KEY,
    name        text    NOT NULL UNIQUE CHECK (name <> ''),
    takes_shards boolean NOT NULL DEFAULT true,
    weight      double precision NOT NULL DEFAULT 1 CHECK (weight > 0),
    state       text    NOT NULL DEFAULT 'up' CHECK (state IN ('up', 'down', 'unknown')),
    message     text    NOT NULL DEFAULT '',
    last_seen   timestamptz
);
COMMENT ON TABLE herd.node IS 'Logical homes of shards; node 1 is the coordinator';

CREATE TABLE herd.server (
    server_id integer PRIMARY KEY,
    node_id   integer NOT NULL REFERENCES herd.node ON DELETE CASCADE,
    role      text    NOT NULL DEFAULT 'primary' CHECK (role IN ('primary', 'standby')),
    host      text    NOT NULL,
    port      integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
    dbname    text    NOT NULL,
    username  text    NOT NULL,
    options   text    NOT NULL DEFAULT '' CHECK (options !~* '\mpassword\M\s*='),
    data_directory text
);
REVOKE ALL ON herd.server FROM PUBLIC;
COMMENT ON TABLE herd.server IS
    'PostgreSQL instances; no password is ever kept here (passfile, service file, certificates or peer)';

CREATE TABLE herd.table_group (
    group_id      integer PRIMARY KEY,
    key_type      regtype NOT NULL,
    key_collation oid     NOT NULL,
    epoch         bigint  NOT NULL DEFAULT 1,
    owners        integer[] NOT NULL DEFAULT '{}',
    owned_shards  integer[] NOT NULL DEFAULT '{}',
    map_version   bigint  NOT NULL DEFAULT 0
);
COMMENT ON TABLE herd.table_group IS 'Tables that share one key type and one shard map';
COMMENT ON COLUMN herd.table_group.owners IS
    'Nodes that own a shard of the group; owned_shards: how many each; map_version: a random number, new with each change of the shards';

CREATE TABLE herd.distributed_table (
    relation   regclass PRIMARY KEY,
    kind       "char"   NOT NULL CHECK (kind IN ('d', 'r')),
    key_attnum smallint,
    group_id   integer REFERENCES herd.table_group,
    CHECK ((kind = 'd') = (key_attnum IS NOT NULL) AND (kind = 'd') = (group_id IS NOT NULL))
);
COMMENT ON TABLE herd.distributed_table IS
    'Distributed (d) and reference (r) tables; partitions follow their root and have no row';

CREATE TABLE herd.shard (
    shard_id bigint PRIMARY KEY,
    group_id integer NOT NULL REFERENCES herd.table_group ON DELETE CASCADE,
    hash_min bigint  NOT NULL,
    hash_max bigint  NOT NULL,
    node_id  integer NOT NULL REFERENCES herd.node,
    CHECK (hash_min <= hash_max),
    -- The greatest number has no successor, which an int8range wants of its end.
    EXCLUDE USING gist (int4range(group_id, group_id, '[]') WITH &&,
                        int8range(hash_min, nullif(hash_max, 9223372036854775807), '[]') WITH &&)
        DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX shard_by_group ON herd.shard (group_id, hash_min);
COMMENT ON TABLE herd.shard IS 'Ranges of each group''s hash space and the nodes that own them';

CREATE TABLE herd.dist_transaction (
    xid   xid8      NOT NULL,
    run   bigint    NOT NULL,
    nodes integer[] NOT NULL
);
COMMENT ON TABLE herd.dist_transaction IS
    'Multi-node transactions that have committed, until every node has heard of it; run: which run of this server';

CREATE SEQUENCE herd.event_id_seq;
CREATE TABLE herd.event (
    event_id bigint PRIMARY KEY DEFAULT nextval('herd.event_id_seq'),
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind   text NOT NULL,
    object text NOT NULL,
    detail text NOT NULL DEFAULT ''
);
COMMENT ON TABLE herd.event IS 'What happened to the herd: audit and lifecycle';

CREATE SEQUENCE herd.shard_id_seq;
CREATE SEQUENCE herd.group_id_seq;
CREATE SEQUENCE herd.node_id_seq START 2;
CREATE SEQUENCE herd.server_id_seq;

GRANT SELECT ON herd.node, herd.table_group, herd.distributed_table, herd.shard, herd.event TO PUBLIC;

-- A fresh database is a coordinator alone; herd.add_node makes others into its nodes.
-- Secrets come from gen_random_uuid(), which draws on the server's strong random source.
INSERT INTO herd.cluster (cluster_id, self_node, secret)
SELECT gen_random_uuid(), 1,
       decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
INSERT INTO herd.node (node_id, name) VALUES (1, 'coordinator');
