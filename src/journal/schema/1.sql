-- Instants are texts in RFC 3339 with nine digits of a second, in UTC: they sort by time. A body longer than a few words is
-- kept once in `bodies` and named by its SHA-256; a short one stands in its row.

CREATE TABLE runs (
    run            TEXT    NOT NULL PRIMARY KEY,
    script         TEXT    NOT NULL,
    sha256         TEXT    NOT NULL,
    source         BLOB,
    source_hash    BLOB,
    start_order    TEXT    NOT NULL,
    started        TEXT    NOT NULL,
    pid            INTEGER NOT NULL,
    host           TEXT    NOT NULL,
    account        TEXT    NOT NULL,
    tenant         TEXT,
    api            TEXT    NOT NULL,
    policy_sha256  TEXT,
    kind           TEXT    NOT NULL,
    ended          TEXT,
    exit_code      INTEGER,
    is_open        INTEGER NOT NULL,
    result         TEXT,
    -- The evidence's last row.
    head_row       INTEGER NOT NULL,
    head           TEXT    NOT NULL
);
CREATE INDEX runs_by_start ON runs (started);

CREATE TABLE bodies (
    hash    BLOB    NOT NULL PRIMARY KEY,
    -- Of the body as it was given.
    size    INTEGER NOT NULL,
    -- Whether `content` is an LZ4 block.
    packed  INTEGER NOT NULL,
    content BLOB    NOT NULL
);

CREATE TABLE answers (
    run        TEXT    NOT NULL,
    lane       TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    part       TEXT    NOT NULL,
    operation  TEXT    NOT NULL,
    digest     BLOB    NOT NULL,
    body       BLOB,
    body_hash  BLOB,
    PRIMARY KEY (run, lane, number, part)
);

CREATE TABLE intents (
    run          TEXT    NOT NULL,
    sequence     INTEGER NOT NULL,
    lane         TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    part         TEXT    NOT NULL,
    round        INTEGER NOT NULL,
    class        TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    method       TEXT    NOT NULL,
    path         TEXT    NOT NULL,
    body_sha256  BLOB    NOT NULL,
    items        INTEGER NOT NULL,
    place        TEXT,
    at           TEXT    NOT NULL,
    clock        TEXT    NOT NULL,
    PRIMARY KEY (run, sequence)
);

CREATE TABLE outcomes (
    run          TEXT    NOT NULL,
    sequence     INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    answer       BLOB,
    answer_hash  BLOB,
    error        TEXT,
    request_id   TEXT,
    found        INTEGER NOT NULL,
    at           TEXT    NOT NULL,
    PRIMARY KEY (run, sequence)
);

CREATE TABLE consents (
    run        TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    class      TEXT    NOT NULL,
    question   TEXT    NOT NULL,
    -- A JSON array of texts.
    keys       BLOB,
    keys_hash  BLOB,
    for_all    INTEGER NOT NULL,
    how        TEXT    NOT NULL,
    at         TEXT    NOT NULL,
    PRIMARY KEY (run, number)
);

CREATE TABLE items (
    run     TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    json    TEXT    NOT NULL,
    PRIMARY KEY (run, number)
);

CREATE TABLE sessions (
    run      TEXT    NOT NULL,
    session  TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    json     TEXT    NOT NULL,
    PRIMARY KEY (run, session)
);
CREATE INDEX sessions_by_id ON sessions (session);

CREATE TABLE evidence (
    run     TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    at      TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    json    TEXT    NOT NULL,
    hash    TEXT    NOT NULL,
    PRIMARY KEY (run, number)
);

CREATE TABLE leases (
    workload     TEXT NOT NULL,
    unit         TEXT NOT NULL,
    point        TEXT NOT NULL,
    destination  TEXT NOT NULL,
    run          TEXT NOT NULL,
    since        TEXT NOT NULL,
    PRIMARY KEY (workload, unit, point, destination)
);
CREATE INDEX leases_by_run ON leases (run);

CREATE TABLE restored (
    workload     TEXT NOT NULL,
    unit         TEXT NOT NULL,
    point        TEXT NOT NULL,
    destination  TEXT NOT NULL,
    run          TEXT NOT NULL,
    session      TEXT NOT NULL,
    at           TEXT NOT NULL,
    PRIMARY KEY (workload, unit, point, destination)
);

CREATE TABLE holds (
    tenant      TEXT NOT NULL PRIMARY KEY,
    held_until  TEXT NOT NULL
);

CREATE TABLE slots (
    run        TEXT    NOT NULL,
    session    TEXT    NOT NULL,
    workload   TEXT    NOT NULL,
    artifacts  INTEGER NOT NULL,
    is_bulk    INTEGER NOT NULL,
    PRIMARY KEY (run, session)
);

CREATE TABLE wishes (
    run   TEXT NOT NULL PRIMARY KEY,
    wish  TEXT NOT NULL
);
