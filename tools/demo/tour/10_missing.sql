-- Dependencies on names that no package has (virtual packages), most wanted first
SELECT d.depends_on, count(*) AS wanted FROM dependencies d
WHERE d.kind = 'Depends' AND NOT EXISTS (SELECT 1 FROM packages p WHERE p.name = d.depends_on)
GROUP BY d.depends_on ORDER BY wanted DESC, d.depends_on LIMIT 8;
