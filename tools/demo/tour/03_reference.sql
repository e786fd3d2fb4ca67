-- A reference table is on every node: joined without the network
SELECT p.name, p.section, s.area FROM packages p JOIN sections s ON s.name = p.section
WHERE p.name IN ('bash', 'vim', 'zlib1g', 'gcc', 'perl') ORDER BY p.name;
