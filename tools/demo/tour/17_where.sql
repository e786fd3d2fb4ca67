-- show: Which node owns what
SELECT name, herd.node_of('packages', name) AS node, herd.shard_of('packages', name) AS shard
FROM (VALUES ('bash'), ('vim'), ('zlib1g'), ('postgresql-15')) v(name);
SELECT name, state, shards, takes_shards FROM herd.nodes ORDER BY node_id;
SELECT table_name, kind, key, shards FROM herd.tables ORDER BY table_name::text;
