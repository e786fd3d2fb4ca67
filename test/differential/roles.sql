-- On every server by itself, before there is a herd: roles belong to servers, not to databases.
CREATE ROLE diff_reader;
CREATE ROLE diff_app;
CREATE ROLE tenant2;
CREATE ROLE diff_owner;
