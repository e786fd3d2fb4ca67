SELECT grp, count(*), sum(amount) FROM facts GROUP BY grp;
