-- Who is asking: users and what they sign in with; and the log of what operators did.
-- No secret is kept in clear: keys and refresh tokens are 256 random bits, of which only the SHA-256 is here.

CREATE TABLE users (
    id                  uuid PRIMARY KEY,
    display_name        text NOT NULL CHECK (char_length(display_name) <= 80),
    email               text CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND char_length(email) <= 254),
    status              text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'erased')),
    roles               text[] NOT NULL DEFAULT '{user}'
                        CHECK (roles <@ ARRAY['user', 'admin', 'finance', 'support', 'qa', 'viewer']
                               AND array_position(roles, NULL) IS NULL AND cardinality(roles) <= 6),
    tier                text NOT NULL DEFAULT 'free' CHECK (tier IN ('free', 'premium', 'vip')),
    tier_expires_at     timestamptz,
    age_verified_at     timestamptz,
    age_verified_method text CHECK (char_length(age_verified_method) BETWEEN 1 AND 40),
    region              text CHECK (region ~ '^[A-Z]{2}$'),
    locale              text NOT NULL DEFAULT 'en'
                        CHECK (locale ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' AND char_length(locale) <= 35),
    version             bigint NOT NULL DEFAULT 1 CHECK (version > 0), -- the ETag; see users_count_version
    created_at          timestamptz NOT NULL,
    status_changed_at   timestamptz,
    last_seen_at        timestamptz, -- exact to 5 minutes
    CHECK ((age_verified_at IS NULL) = (age_verified_method IS NULL)),
    CHECK (tier <> 'free' OR tier_expires_at IS NULL),
    CHECK (status <> 'erased' OR (email IS NULL AND display_name = ''))
);
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
CREATE INDEX users_created_at ON users (created_at);
CREATE INDEX users_last_seen_at ON users (last_seen_at);

-- In any transaction the users row comes before the wallet row: loading the account may touch last_seen_at.
SELECT protect_user_rows('users',
    'SELECT, UPDATE (display_name, region, locale, last_seen_at, age_verified_at, age_verified_method)',
    'SELECT, INSERT, UPDATE', 'id');

-- Every change of what the user's object says makes a new version; having been seen is none.
CREATE FUNCTION users_count_version() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    unseen users := NEW;
BEGIN
    unseen.last_seen_at := OLD.last_seen_at;
    IF unseen IS DISTINCT FROM OLD THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER users_count_version BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION users_count_version();

-- The tier that counts: a paid one ends by itself. No search_path is pinned, so that the planner can inline it; it names
-- nothing that is not in pg_catalog.
CREATE FUNCTION effective_tier(u users, at_time timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN u.tier_expires_at <= at_time THEN 'free' ELSE u.tier END
$$;

-- What an operator hands out so that somebody can sign in without a sign-in provider.
CREATE TABLE access_keys (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users,
    key_hash     bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    prefix       text NOT NULL CHECK (char_length(prefix) BETWEEN 4 AND 32), -- to recognise it by
    roles        text[] CHECK (roles <@ ARRAY['user', 'admin', 'finance', 'support', 'qa', 'viewer']), -- NULL: the user's
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX access_keys_user ON access_keys (user_id, created_at);
SELECT protect_user_rows('access_keys', '', 'SELECT, INSERT, UPDATE (revoked_at, last_used_at)');

-- A user's own keys for the /v1 door.
CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users,
    key_hash     bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    prefix       text NOT NULL CHECK (char_length(prefix) BETWEEN 4 AND 32),
    name         text NOT NULL CHECK (char_length(name) <= 80),
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX api_keys_user ON api_keys (user_id, created_at);
SELECT protect_user_rows('api_keys', 'SELECT, INSERT, UPDATE (revoked_at)',
                         'SELECT, INSERT, UPDATE (revoked_at, last_used_at)');

-- A signed-in device is a family of refresh tokens: each is used once and gives the next; an old one coming back means
-- that somebody else has it too, and ends the family.
CREATE TABLE devices (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES users,
    provider      text NOT NULL CHECK (provider IN ('access_key', 'firebase')),
    access_key_id uuid REFERENCES access_keys,
    roles         text[], -- what the credential narrowed the user's roles to; NULL: not narrowed
    user_agent    text NOT NULL CHECK (char_length(user_agent) <= 300),
    created_at    timestamptz NOT NULL,
    last_used_at  timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL, -- of the newest refresh token
    revoked_at    timestamptz,
    revoke_reason text CHECK (revoke_reason IN ('logout', 'revoked', 'reuse', 'key_revoked', 'erased')),
    CHECK ((provider = 'access_key') = (access_key_id IS NOT NULL)),
    CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
);
CREATE INDEX devices_user ON devices (user_id, last_used_at);
CREATE INDEX devices_access_key ON devices (access_key_id) WHERE access_key_id IS NOT NULL;
CREATE INDEX devices_expires_at ON devices (expires_at);
SELECT protect_user_rows('devices', 'SELECT, UPDATE (revoked_at, revoke_reason)', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    device_id  uuid NOT NULL REFERENCES devices ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > issued_at),
    used_at    timestamptz
);
CREATE UNIQUE INDEX refresh_tokens_one_unused ON refresh_tokens (device_id) WHERE used_at IS NULL;
CREATE INDEX refresh_tokens_device ON refresh_tokens (device_id);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);
SELECT protect_user_rows('refresh_tokens', '', 'SELECT, INSERT, UPDATE (used_at), DELETE');

CREATE TABLE age_verifications (
    id          uuid PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users,
    method      text NOT NULL CHECK (char_length(method) BETWEEN 1 AND 40),
    reference   text NOT NULL CHECK (char_length(reference) <= 200), -- the verifier's own
    verified_at timestamptz NOT NULL
);
CREATE INDEX age_verifications_user ON age_verifications (user_id, verified_at);
SELECT protect_user_rows('age_verifications', 'SELECT, INSERT', 'SELECT, INSERT');

-- What signs access tokens. A new key is published before it signs (signs_from), so that every instance knows it by
-- then, and an old one verifies for as long as a token it signed can live (verifies_until).
CREATE TABLE signing_keys (
    id             text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{8,32}$'),
    secret         bytea NOT NULL CHECK (octet_length(secret) = 32),
    created_at     timestamptz NOT NULL,
    signs_from     timestamptz NOT NULL,
    verifies_until timestamptz CHECK (verifies_until > signs_from)
);
ALTER TABLE signing_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE signing_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_rows ON signing_keys TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY operator_rows ON signing_keys TO companion_operator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE (verifies_until), DELETE ON signing_keys TO companion_operator;

-- What operators, commands and the sign-in guard did. Append-only and chained: each row's hash covers the row before, so
-- that a row taken out or changed shows. Texts enter the chain only as a salted digest, so that they can be erased one
-- day without breaking it.
CREATE TABLE audit_log (
    sequence   bigint PRIMARY KEY,
    id         uuid NOT NULL UNIQUE,
    at_time    timestamptz NOT NULL,
    actor      text NOT NULL CHECK (char_length(actor) BETWEEN 1 AND 60), -- a user's id, or "cli", "system"
    act        text NOT NULL CHECK (act ~ '^[a-z0-9_]+(\.[a-z0-9_]+)+$'), -- "user.suspend"
    target     text NOT NULL CHECK (char_length(target) BETWEEN 1 AND 120), -- "user:<id>"
    reason     text NOT NULL CHECK (char_length(reason) <= 500),
    before     jsonb,
    after      jsonb,
    request_id text NOT NULL CHECK (char_length(request_id) <= 128), -- '' where there was no request
    salt       bytea NOT NULL CHECK (octet_length(salt) = 16),
    digest     bytea NOT NULL CHECK (octet_length(digest) = 32), -- of salt, reason, before, after
    hash       bytea NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE INDEX audit_log_target ON audit_log (target, sequence);
CREATE INDEX audit_log_actor ON audit_log (actor, sequence);
CREATE INDEX audit_log_act ON audit_log (act, sequence);
CREATE INDEX audit_log_at_time ON audit_log (at_time);

CREATE FUNCTION audit_log_is_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_is_append_only();
CREATE TRIGGER audit_log_is_never_truncated BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_append_only();

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_rows ON audit_log TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY operator_rows ON audit_log TO companion_operator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON audit_log TO companion_operator;

CREATE FUNCTION audit_digest(salt bytea, reason text, before jsonb, after jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT sha256(salt || convert_to(jsonb_build_array(reason, before, after)::text, 'UTF8'))
$$;

CREATE FUNCTION audit_hash(previous bytea, sequence bigint, id uuid, at_time timestamptz, actor text, act text,
                           target text, request_id text, digest bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT sha256(previous || digest || convert_to(jsonb_build_array(
        sequence, id, (extract(epoch FROM at_time) * 1000000)::bigint, actor, act, target, request_id)::text, 'UTF8'))
$$;

-- One writer at a time, until its transaction ends: call it last, or it makes others wait for the rest of yours.
CREATE FUNCTION append_audit(p_id uuid, p_at timestamptz, p_actor text, p_act text, p_target text, p_reason text,
                             p_before jsonb, p_after jsonb, p_request_id text) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    last audit_log;
    next_sequence bigint;
    new_salt bytea := decode(replace(gen_random_uuid()::text, '-', ''), 'hex');
    new_digest bytea := audit_digest(new_salt, p_reason, p_before, p_after);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_log', 0));
    SELECT * INTO last FROM audit_log ORDER BY sequence DESC LIMIT 1;
    next_sequence := coalesce(last.sequence, 0) + 1;
    INSERT INTO audit_log (sequence, id, at_time, actor, act, target, reason, before, after, request_id, salt, digest, hash)
    VALUES (next_sequence, p_id, p_at, p_actor, p_act, p_target, p_reason, p_before, p_after, p_request_id, new_salt,
            new_digest, audit_hash(coalesce(last.hash, '\x'), next_sequence, p_id, p_at, p_actor, p_act, p_target,
                                   p_request_id, new_digest));
    RETURN next_sequence;
END $$;

-- The sequence numbers whose row is missing before them, or whose texts or chain do not fit. Empty: the log is whole.
CREATE FUNCTION verify_audit() RETURNS TABLE (broken_sequence bigint, rule text)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT sequence, CASE WHEN sequence <> expected THEN 'missing_row' WHEN NOT digest_fits THEN 'changed_text'
                          ELSE 'broken_chain' END
    FROM (SELECT sequence, coalesce(lag(sequence) OVER chain, 0) + 1 AS expected,
                 digest = audit_digest(salt, reason, before, after) AS digest_fits,
                 hash = audit_hash(coalesce(lag(hash) OVER chain, '\x'), sequence, id, at_time, actor, act, target,
                                   request_id, digest) AS hash_fits
          FROM audit_log WINDOW chain AS (ORDER BY sequence)) checked
    WHERE sequence <> expected OR NOT digest_fits OR NOT hash_fits
$$;
