-- Who signs in through Firebase: which of its users is which of ours.
--
-- users.email is an address that somebody vouched for: an operator, or the provider (email_verified). One that nobody
-- vouched for is never kept there, because whoever proves later to own it would join that account.

CREATE TABLE firebase_identities (
    project         text NOT NULL CHECK (char_length(project) BETWEEN 1 AND 128),
    uid             text NOT NULL CHECK (char_length(uid) BETWEEN 1 AND 128),
    user_id         uuid NOT NULL REFERENCES users,
    created_at      timestamptz NOT NULL,
    last_sign_in_at timestamptz NOT NULL,
    PRIMARY KEY (project, uid)
);
CREATE INDEX firebase_identities_user ON firebase_identities (user_id);
SELECT protect_user_rows('firebase_identities', '', 'SELECT, INSERT, UPDATE (last_sign_in_at), DELETE');
