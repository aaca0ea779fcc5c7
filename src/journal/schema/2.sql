-- Runs that a watched folder has given to a process of their own, which may not have begun its record yet.
CREATE TABLE handed (
    run  TEXT NOT NULL PRIMARY KEY,
    at   TEXT NOT NULL
);
