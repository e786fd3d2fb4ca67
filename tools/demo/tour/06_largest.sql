-- The largest packages: sorted on the nodes, merged here
SELECT name, installed_kb / 1024 AS megabytes FROM packages
ORDER BY installed_kb DESC NULLS LAST, name LIMIT 6;
