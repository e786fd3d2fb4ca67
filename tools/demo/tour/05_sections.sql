-- The largest sections: partial aggregates on the nodes, combined here
SELECT section, count(*) AS packages, round(sum(installed_kb) / 1024) AS megabytes, round(avg(installed_kb)) AS average_kb
FROM packages GROUP BY section ORDER BY packages DESC, section LIMIT 8;
