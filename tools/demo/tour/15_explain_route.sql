-- show: EXPLAIN of a lookup: one node, one round trip
EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF)
SELECT name, version FROM packages WHERE name = 'postgresql-15';
