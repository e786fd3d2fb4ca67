-- The most needed packages, with their own size: a join that is not co-located
SELECT n.depends_on, n.users, p.installed_kb
FROM (SELECT depends_on, count(DISTINCT package) AS users FROM dependencies
      WHERE kind IN ('Depends', 'Pre-Depends') GROUP BY depends_on ORDER BY users DESC, depends_on LIMIT 8) n
LEFT JOIN packages p ON p.name = n.depends_on
ORDER BY n.users DESC, n.depends_on;
