-- The first answers to requests with an Idempotency-Key, given again to the same request for 24 hours.
CREATE TABLE idempotency_keys (
    user_id      uuid NOT NULL REFERENCES users (id),
    route        text NOT NULL,
    key          text NOT NULL CHECK (key ~ '^[\x21-\x7e]{1,128}$'),
    fingerprint  bytea NOT NULL CHECK (length(fingerprint) = 32),
    status       integer NOT NULL CHECK (status BETWEEN 200 AND 599),
    content_type text NOT NULL,
    body         bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (user_id, route, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
SELECT protect_user_rows('idempotency_keys', 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE, DELETE');
