-- Runs on the plain server; the herd gets a copy of its rows through COPY.
SET search_path = shop;

INSERT INTO regions VALUES
    (1, 'North', 'Europe'), (2, 'South', 'Europe'), (3, 'East', 'Asia'), (4, 'West', 'America'),
    (5, 'Nowhere', NULL);
INSERT INTO products
    SELECT i, 'product ' || i, (ARRAY['tool', 'toy', 'book', NULL])[i % 4 + 1], i * 1.25,
           jsonb_build_object('weight', i * 10, 'colour', (ARRAY['red', 'green'])[i % 2 + 1])
    FROM generate_series(1, 40) i;
INSERT INTO customers (id, name, email, region_id, balance, score, tags, profile, home, active, created)
    SELECT i, chr(65 + i % 26) || 'name ' || i, CASE WHEN i % 7 <> 0 THEN 'c' || i || '@example.org' END,
           CASE WHEN i % 11 <> 0 THEN i % 4 + 1 END, (i * 37 % 1000) - 100 + i / 100.0, sqrt(i),
           CASE i % 5 WHEN 0 THEN '{}' WHEN 1 THEN NULL ELSE ARRAY['t' || i % 3, 'all'] END,
           CASE WHEN i % 3 = 0 THEN jsonb_build_object('age', i % 60, 'langs', ARRAY['en', 'l' || i % 4]) END,
           ROW('street ' || i % 9, 'city ' || i % 13)::address, i % 6 <> 0,
           '2024-01-01 00:00:00+00'::timestamptz + i * interval '7 hours'
    FROM generate_series(1, 300) i;
INSERT INTO orders (customer_id, order_id, status, total, placed, note)
    SELECT c, c * 100 + n, (ARRAY['new', 'paid', 'sent', 'returned'])[(c + n) % 4 + 1]::order_status,
           (c * n * 13 % 500) + 0.5, '2024-03-01 00:00:00+00'::timestamptz + (c * 5 + n) * interval '3 hours',
           CASE WHEN (c + n) % 5 = 0 THEN NULL ELSE 'note ' || (c * n % 17) END
    FROM generate_series(1, 300) c, generate_series(1, 4) n WHERE n <= c % 5;
INSERT INTO order_items
    SELECT o.customer_id, o.order_id, l, (o.order_id * 7 + l * 3) % 40 + 1, l + o.order_id % 3,
           ((o.order_id + l) % 90) + 0.99
    FROM orders o, generate_series(1, 3) l WHERE l <= o.order_id % 4;
INSERT INTO devices
    SELECT 'dev-' || i, 'model ' || i % 4, i % 300 + 1, jsonb_build_object('rate', i % 5), ARRAY[i, i % 3]
    FROM generate_series(1, 60) i;
INSERT INTO events
    SELECT 'dev-' || i % 60 + 1, '2024-01-01 00:00:00+00'::timestamptz + i * interval '5 hours', i,
           (ARRAY['start', 'stop', 'data', 'error'])[i % 4 + 1],
           CASE WHEN i % 9 <> 0 THEN i % 100 / 8.0 END, jsonb_build_object('n', i, 'even', i % 2 = 0)
    FROM generate_series(1, 1200) i;
INSERT INTO documents
    SELECT md5('doc' || i)::uuid, 'document ' || i, repeat('word ' || i || ' ', i % 4), i % 50 + 1,
           i % 5 + 1, daterange('2024-01-01'::date + i, '2024-01-01'::date + i + 30),
           decode(md5(i::text), 'hex')
    FROM generate_series(1, 150) i;
INSERT INTO accounts SELECT i, 'owner ' || i % 10, i * 100 FROM generate_series(1, 100) i;
INSERT INTO tickets (project, title, priority, opened)
    SELECT i % 15, 'ticket ' || i, i % 5, '2024-01-01'::date + i FROM generate_series(1, 200) i;
INSERT INTO notes (body) SELECT 'note ' || i FROM generate_series(1, 80) i;
INSERT INTO logs (source, message, level)
    SELECT 'src' || i % 12, 'message ' || i, i % 4 FROM generate_series(1, 150) i;
INSERT INTO tenant_rows
    SELECT 'tenant' || i % 4, i, 'secret ' || i FROM generate_series(1, 40) i;
INSERT INTO pairs SELECT i % 20, i % 7, 'p' || i FROM generate_series(1, 140) i;
INSERT INTO local_notes SELECT i, i * 3, 'local ' || i FROM generate_series(1, 50) i;
INSERT INTO local_rates VALUES ('EUR', 1), ('USD', 1.08), ('JPY', 162.5);
