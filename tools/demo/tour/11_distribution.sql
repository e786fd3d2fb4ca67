-- The distribution of dependencies per package, and its percentiles
SELECT kind, count(*) AS packages, round(avg(n), 2) AS average, max(n) AS most,
       percentile_disc(0.9) WITHIN GROUP (ORDER BY n) AS ninety_percent
FROM (SELECT kind, package, count(*) AS n FROM dependencies GROUP BY kind, package) s
GROUP BY kind ORDER BY kind;
