-- A transaction over several nodes: all packages move to another section, or none
BEGIN;
UPDATE packages SET section = 'misc' WHERE name = 'bash';
UPDATE packages SET section = 'misc' WHERE name = 'vim';
UPDATE packages SET section = 'misc' WHERE name = 'zlib1g';
COMMIT;
BEGIN;
UPDATE packages SET section = 'games' WHERE name IN ('bash', 'vim', 'zlib1g', 'perl');
ROLLBACK;
SELECT name, section FROM packages WHERE name IN ('bash', 'vim', 'zlib1g', 'perl') ORDER BY name;
