-- What it needs: packages and dependencies lie together, so one node joins them
SELECT p.name, d.kind, d.depends_on, d.condition
FROM packages p JOIN dependencies d ON d.package = p.name
WHERE p.name = 'postgresql-15' ORDER BY d.kind, d.position, d.alternative;
