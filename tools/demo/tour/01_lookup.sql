-- One package by its name: the statement goes to the node that owns the name
SELECT name, version, section, installed_kb FROM packages WHERE name = 'postgresql-15';
