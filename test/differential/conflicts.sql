-- INSERT ... ON CONFLICT DO UPDATE.

-- test: rows in the way that the view does not show, and WHERE
CREATE VIEW poor_accounts AS SELECT id, owner, balance FROM accounts WHERE balance < 5;
INSERT INTO poor_accounts SELECT g, 'poor', 1 FROM generate_series(30, 39) g ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
INSERT INTO poor_accounts VALUES (40, 'poor', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
INSERT INTO poor_accounts VALUES (41, 'poor', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
INSERT INTO poor_accounts VALUES (42, 'poor', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
INSERT INTO poor_accounts VALUES (43, 'poor', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
INSERT INTO poor_accounts VALUES (44, 'poor', 1) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner WHERE poor_accounts.owner = 'nobody' RETURNING *;
