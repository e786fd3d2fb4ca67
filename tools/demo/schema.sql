-- Debian's packages. The demo makes these tables twice: once distributed, once plain.
CREATE TABLE sections (name text PRIMARY KEY, area text NOT NULL);

CREATE TABLE packages (
    name text PRIMARY KEY,
    version text NOT NULL,
    section text NOT NULL REFERENCES sections,
    priority text,
    architecture text NOT NULL,
    maintainer text,
    installed_kb bigint,
    download_bytes bigint,
    homepage text,
    summary text);

CREATE TABLE dependencies (
    package text REFERENCES packages ON DELETE CASCADE,
    kind text,
    position int,
    alternative int,
    depends_on text NOT NULL,
    condition text,
    PRIMARY KEY (package, kind, position, alternative));
CREATE INDEX ON dependencies (depends_on);
