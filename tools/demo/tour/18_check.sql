-- show: The herd's own report of its health
SELECT status, count(*) AS checks FROM herd.check() GROUP BY status ORDER BY status;
SELECT check_name, node, detail, hint FROM herd.check() WHERE status <> 'ok';
