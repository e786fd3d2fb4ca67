SELECT count(*) FROM small;
