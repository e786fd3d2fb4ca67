-- show: EXPLAIN of an aggregate: every node does its part
EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF)
SELECT section, count(*) FROM packages GROUP BY section;
