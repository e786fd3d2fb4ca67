-- On the herd only: which table is what. Three nodes of equal weight get a third of the shards each.
SELECT herd.reference('shop.regions');
SELECT herd.reference('shop.products');
SELECT herd.distribute('shop.customers', 'id', shard_count => 24);
-- orders and order_items follow customers by their foreign keys.
SELECT herd.distribute('shop.order_changes', 'customer_id', colocate_with => 'shop.orders');
SELECT herd.distribute('shop.devices', 'name');
SELECT herd.distribute('shop.events', 'device', colocate_with => 'shop.devices');
SELECT herd.distribute('shop.documents', 'id', shard_count => 9);
SELECT herd.distribute('shop.accounts', 'id', shard_count => 12);
SELECT herd.distribute('shop.tickets', 'project');
SELECT herd.distribute('shop.notes', 'id');
SELECT herd.distribute('shop.logs', 'source');
SELECT herd.distribute('shop.tenant_rows', 'tenant');
SELECT herd.distribute('shop.nothing', 'id');
SELECT herd.distribute('shop.pairs', 'a', shard_count => 6);
