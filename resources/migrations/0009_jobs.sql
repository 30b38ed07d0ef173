-- What is done by the clock: one row per kind of work. An instance takes what is due under a lease; one that dies gives
-- it up when the lease ends.
CREATE TABLE jobs (
    name         text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{1,60}$'),
    every_s      integer NOT NULL CHECK (every_s > 0),
    next_run_at  timestamptz NOT NULL,
    lease_until  timestamptz,
    lease_id     uuid,
    last_run_at  timestamptz,
    last_error   text,
    runs         bigint NOT NULL DEFAULT 0,
    failures     bigint NOT NULL DEFAULT 0,
    CHECK ((lease_until IS NULL) = (lease_id IS NULL))
);
CREATE INDEX jobs_due ON jobs (next_run_at);
GRANT SELECT, INSERT, UPDATE ON jobs TO companion_operator;
