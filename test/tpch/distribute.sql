-- Orders with their lines, parts with their suppliers' offers, customers and suppliers each by
-- their own key; the small tables everywhere.
SELECT herd.reference('region');
SELECT herd.reference('nation');
SELECT herd.distribute('orders', 'o_orderkey');
SELECT herd.distribute('lineitem', 'l_orderkey', 'orders');
SELECT herd.distribute('part', 'p_partkey');
SELECT herd.distribute('partsupp', 'ps_partkey', 'part');
SELECT herd.distribute('customer', 'c_custkey');
SELECT herd.distribute('supplier', 's_suppkey');
