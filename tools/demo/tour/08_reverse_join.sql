-- The sections of what needs libssl3, with their packages: a join over all nodes
SELECT p.section, count(DISTINCT p.name) AS packages, max(p.installed_kb) AS largest_kb
FROM dependencies d JOIN packages p ON p.name = d.package
WHERE d.depends_on = 'libssl3' AND d.kind = 'Depends'
GROUP BY p.section ORDER BY packages DESC, p.section LIMIT 8;
