-- Who needs libssl3? Its users lie on every node, not beside the library
SELECT d.package, d.kind, d.condition FROM dependencies d
WHERE d.depends_on = 'libssl3' ORDER BY d.package, d.kind, d.position, d.alternative;
