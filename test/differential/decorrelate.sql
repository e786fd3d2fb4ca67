-- Correlated aggregates over rows of other nodes, grouped instead of asked for each outer row.
-- test: correlated by another column than the key
SELECT c.id, c.name FROM customers c WHERE c.balance > (SELECT avg(i.balance) FROM customers i WHERE i.region_id = c.region_id);
-- test: of another group
SELECT count(*), sum(c.id) FROM customers c WHERE c.region_id <= (SELECT max(d.version) FROM documents d WHERE d.owner = c.id);
-- test: count over nothing is 0
SELECT count(*) FROM customers c WHERE 0 = (SELECT count(*) FROM documents d WHERE d.owner = c.id);
SELECT c.id FROM customers c WHERE 1 > (SELECT count(d.title) FROM documents d WHERE d.owner = c.id AND d.version > 1) AND c.id < 40;
-- test: an expression of count and others over nothing
SELECT count(*) FROM customers c WHERE (SELECT count(*) + coalesce(sum(d.version), 7) FROM documents d WHERE d.owner = c.id) = 7;
SELECT count(*) FROM customers c WHERE (SELECT coalesce(max(d.version), -1) FROM documents d WHERE d.owner = c.id) < 0;
-- test: null over nothing is no match
SELECT count(*) FROM customers c WHERE (SELECT sum(d.version) FROM documents d WHERE d.owner = c.id) IS NULL;
SELECT count(*) FROM customers c WHERE NOT ((SELECT sum(d.version) FROM documents d WHERE d.owner = c.id) > 3);
-- test: null keys on either side
SELECT count(*) FROM documents d WHERE 0 = (SELECT count(*) FROM devices v WHERE v.owner = d.owner);
SELECT count(*) FROM devices v WHERE (SELECT count(*) FROM documents d WHERE d.owner = v.owner) >= 0;
-- test: by two columns
SELECT count(*), sum(o.total) FROM orders o
    WHERE o.total >= (SELECT avg(i.price) FROM order_items i WHERE i.order_id = o.order_id AND i.line = o.revision);
-- test: by an expression, either way round
SELECT count(*) FROM customers c WHERE c.score < (SELECT avg(d.version) FROM documents d WHERE c.region_id + 1 = d.version);
SELECT count(*) FROM customers c WHERE c.score < (SELECT avg(d.version) * 100 FROM documents d WHERE d.version + 0 = c.region_id);
-- test: two of them, with more conditions
SELECT c.id FROM customers c WHERE c.active AND c.id < 150
    AND c.balance > (SELECT avg(i.balance) FROM customers i WHERE i.region_id = c.region_id)
    AND (SELECT count(*) FROM documents d WHERE d.owner = c.id) < 3;
-- test: two in one condition
SELECT count(*) FROM customers c WHERE (SELECT count(*) FROM documents d WHERE d.owner = c.id)
    > (SELECT count(*) FROM devices v WHERE v.owner = c.id) OR c.id % 50 = 0;
-- test: inner query with a join and an inner query of its own
SELECT count(*) FROM customers c WHERE c.balance < (SELECT sum(o.total) FROM orders o JOIN documents d ON d.owner = o.customer_id
    WHERE d.version = c.region_id AND o.customer_id IN (SELECT id FROM customers WHERE active));
-- test: in a level with a join
SELECT count(*), max(d.title) FROM documents d JOIN customers c ON c.id = d.owner
    WHERE d.version >= (SELECT avg(x.version) FROM documents x WHERE x.owner = c.id);
-- test: in a level with an outer join
SELECT count(*), count(d.owner) FROM customers c LEFT JOIN documents d ON d.owner = c.id
    WHERE c.balance >= (SELECT avg(i.balance) FROM customers i WHERE i.region_id = c.region_id);
-- test: in a subquery and in IN
SELECT count(*) FROM regions r WHERE r.id IN (SELECT c.region_id FROM customers c
    WHERE c.balance > (SELECT avg(i.balance) * 1.5 FROM customers i WHERE i.region_id = c.region_id));
-- test: correlated with two levels
SELECT r.id, (SELECT count(*) FROM customers c WHERE c.region_id = r.id
    AND c.balance > (SELECT avg(i.balance) FROM customers i WHERE i.region_id = c.region_id)) FROM regions r;
-- test: not an equality
SELECT count(*) FROM customers c WHERE c.id < 30 AND c.region_id < (SELECT count(*) FROM documents d WHERE d.owner < c.id);
-- test: aggregates that are not known to give null
SELECT count(*) FROM customers c WHERE c.id < 40 AND (SELECT string_agg(d.title, ',' ORDER BY d.title) FROM documents d WHERE d.owner = c.id) > 'm';
-- test: with a user's type and a nondeterministic equality
SELECT count(*) FROM orders o WHERE o.total > (SELECT avg(i.total) FROM orders i WHERE i.status = o.status);
SELECT count(*) FROM accounts a WHERE a.balance >= (SELECT avg(i.balance) FROM accounts i WHERE i.kind = a.kind);
-- test: group and having around
SELECT c.region_id, count(*) FROM customers c WHERE c.balance > (SELECT avg(i.balance) FROM customers i WHERE i.region_id = c.region_id)
    GROUP BY c.region_id HAVING count(*) > 2;
-- test: whole rows of the outer side
SELECT c FROM customers c WHERE c.id < 9 AND c.balance > (SELECT avg(i.balance) FROM customers i WHERE i.region_id = c.region_id);
-- test: a division by zero that no outer row asks for
SELECT count(*) FROM customers c WHERE c.region_id > 1 AND c.balance > (SELECT sum(i.balance / (i.region_id - 1)) FROM customers i WHERE i.region_id = c.region_id AND i.region_id > 1);
-- test: float keys with two zeroes
SELECT count(*) FROM (SELECT CASE WHEN id % 2 = 0 THEN 0.0::float8 ELSE '-0'::float8 END AS z, id FROM customers) c
    WHERE c.id >= (SELECT avg(e.value * 0) FROM events e WHERE e.value * 0 = c.z);
-- test: prepared
PREPARE above (numeric) AS SELECT count(*) FROM customers c
    WHERE c.balance > $1 * (SELECT avg(i.balance) FROM customers i WHERE i.region_id = c.region_id);
EXECUTE above (1);
EXECUTE above (1.5);
SET plan_cache_mode = force_generic_plan;
EXECUTE above (0.5);
-- test: rows of the transaction
BEGIN;
UPDATE customers SET balance = balance * 2 WHERE id = 12;
SELECT count(*), sum(id) FROM customers c WHERE c.balance > (SELECT avg(i.balance) FROM customers i WHERE i.region_id = c.region_id);
ROLLBACK;
-- test: EXISTS and NOT EXISTS of another group
SELECT count(*) FROM customers c WHERE c.id < 20 AND EXISTS (SELECT FROM documents d WHERE d.owner = c.id);
SELECT count(*) FROM customers c WHERE c.id < 20 AND NOT EXISTS (SELECT FROM documents d WHERE d.owner = c.id AND d.version > 1);
-- test: EXISTS of another group, always by its values
SET herd.broadcast = 'always';
SELECT c.id FROM customers c WHERE EXISTS (SELECT FROM documents d WHERE d.owner = c.id AND d.version = 2);
SELECT c.id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.owner = c.id) AND c.active;
SELECT count(*) FROM customers c WHERE EXISTS (SELECT FROM documents d WHERE d.owner = c.id) OR c.region_id = 1;
SELECT count(*) FROM devices v WHERE NOT EXISTS (SELECT FROM documents d WHERE d.owner = v.owner);
SELECT count(*) FROM documents d WHERE NOT EXISTS (SELECT FROM devices v WHERE v.owner = d.owner AND v.model = d.title);
-- test: EXISTS whose list of columns matters not
SET herd.broadcast = 'always';
SELECT count(*) FROM customers c WHERE EXISTS (SELECT d.title, 1 / (d.version - d.version) FROM documents d WHERE d.owner = c.id);
SELECT count(*) FROM customers c WHERE EXISTS (SELECT * FROM documents d, devices v WHERE d.owner = c.id AND v.owner = c.region_id);
