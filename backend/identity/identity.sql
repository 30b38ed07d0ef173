-- name: load_account
SELECT (a.account).id, (a.account).display_name, (a.account).email, (a.account).roles,
       effective_tier(a.account, :now::timestamptz) AS current_tier,
       effective_tier_until(a.account, :now::timestamptz) AS current_tier_expires_at,
       (a.account).age_verified_at IS NOT NULL AS age_verified, (a.account).region, (a.account).locale,
       (a.account).created_at, (a.account).status, (a.account).version, a.signed_in
FROM account_seen(:user_id::uuid, :device_id::uuid, :now::timestamptz) a

-- name: find_account
SELECT id, display_name, email, roles, effective_tier(users, :now::timestamptz) AS current_tier,
       effective_tier_until(users, :now::timestamptz) AS current_tier_expires_at,
       age_verified_at IS NOT NULL AS age_verified, region, locale, created_at, status, version
FROM users WHERE id = :user_id::uuid

-- name: find_account_by_email
SELECT id, display_name, email, roles, effective_tier(users, :now::timestamptz) AS current_tier,
       effective_tier_until(users, :now::timestamptz) AS current_tier_expires_at,
       age_verified_at IS NOT NULL AS age_verified, region, locale, created_at, status, version
FROM users WHERE lower(email) = lower(:email::text)

-- name: create_user
INSERT INTO users (id, display_name, email, roles, region, locale, created_at)
VALUES (:id::uuid, :display_name::text, :email::text, :roles::text[], :region::text, :locale::text, :now::timestamptz)
ON CONFLICT (lower(email)) DO NOTHING
RETURNING id

-- name: lock_user
SELECT version FROM users WHERE id = :user_id::uuid AND status <> 'erased' FOR NO KEY UPDATE

-- name: change_profile
UPDATE users SET display_name = coalesce(:display_name::text, display_name), region = coalesce(:region::text, region),
                 locale = coalesce(:locale::text, locale)
WHERE id = :user_id::uuid

-- name: change_standing
UPDATE users SET status = coalesce(:status::text, status), roles = coalesce(:roles::text[], roles),
                 status_changed_at = CASE WHEN status <> coalesce(:status::text, status) THEN :now::timestamptz
                                          ELSE status_changed_at END
WHERE id = :user_id::uuid

-- name: set_tier
WITH kept AS (
    INSERT INTO tier_grants (user_id, tier, expires_at, granted_at)
    VALUES (:user_id::uuid, :tier::text, :expires_at::timestamptz, :now::timestamptz)
)
UPDATE users SET tier = :tier::text, tier_expires_at = :expires_at::timestamptz WHERE id = :user_id::uuid

-- name: mark_age_verified
UPDATE users SET age_verified_at = :now::timestamptz, age_verified_method = :method::text WHERE id = :user_id::uuid

-- name: keep_age_verification
INSERT INTO age_verifications (id, user_id, method, reference, verified_at)
VALUES (:id::uuid, :user_id::uuid, :method::text, :reference::text, :now::timestamptz)

-- name: lock_firebase_project
SELECT pg_advisory_xact_lock(hashtextextended('firebase ' || :project::text, 0))

-- name: use_firebase_identity
UPDATE firebase_identities SET last_sign_in_at = :now::timestamptz FROM users
WHERE project = :project::text AND uid = :uid::text AND users.id = user_id
RETURNING user_id, status, email

-- name: forget_firebase_identity
DELETE FROM firebase_identities WHERE project = :project::text AND uid = :uid::text

-- name: create_firebase_identity
INSERT INTO firebase_identities (project, uid, user_id, created_at, last_sign_in_at)
VALUES (:project::text, :uid::text, :user_id::uuid, :now::timestamptz, :now::timestamptz)

-- name: find_user_to_join
SELECT id FROM users WHERE lower(email) = lower(:email::text) AND status <> 'erased'
AND NOT EXISTS (SELECT FROM firebase_identities WHERE project = :project::text AND user_id = users.id)
FOR NO KEY UPDATE

-- name: adopt_email
-- An address that has been proved since, unless it is another's.
UPDATE users SET email = :email::text WHERE id = :user_id::uuid AND email IS NULL
AND NOT EXISTS (SELECT FROM users AS others WHERE lower(others.email) = lower(:email::text))

-- name: create_access_key
INSERT INTO access_keys (id, user_id, key_hash, prefix, roles, created_at)
VALUES (:id::uuid, :user_id::uuid, :key_hash::bytea, :prefix::text, :roles::text[], :now::timestamptz)

-- name: use_access_key
WITH used AS (
    UPDATE access_keys SET last_used_at = :now::timestamptz
    WHERE id = (SELECT id FROM access_keys
                WHERE key_hash = :key_hash::bytea AND revoked_at IS NULL
                  AND (last_used_at IS NULL OR last_used_at < :now::timestamptz - interval '5 minutes')
                FOR NO KEY UPDATE SKIP LOCKED)
)
SELECT id, user_id, roles FROM access_keys WHERE key_hash = :key_hash::bytea AND revoked_at IS NULL

-- name: list_access_keys
SELECT access_keys.id, user_id, email, prefix, access_keys.roles, access_keys.created_at, last_used_at, revoked_at
FROM access_keys JOIN users ON users.id = user_id
WHERE :user_id::uuid IS NULL OR user_id = :user_id::uuid
ORDER BY access_keys.created_at DESC, access_keys.id LIMIT 1000

-- name: find_access_keys
SELECT access_keys.id, user_id, email, prefix, access_keys.roles, access_keys.created_at, last_used_at, revoked_at
FROM access_keys JOIN users ON users.id = user_id
WHERE access_keys.id::text = lower(:which::text) OR prefix = :which::text OR key_hash = :key_hash::bytea
LIMIT 2

-- name: revoke_access_key
UPDATE access_keys SET revoked_at = coalesce(revoked_at, :now::timestamptz) WHERE id = :id::uuid

-- name: revoke_devices_of_access_key
UPDATE devices SET revoked_at = :now::timestamptz, revoke_reason = 'key_revoked'
WHERE access_key_id = :id::uuid AND revoked_at IS NULL

-- name: create_device
INSERT INTO devices (id, user_id, provider, access_key_id, roles, user_agent, created_at, last_used_at, expires_at)
VALUES (:id::uuid, :user_id::uuid, :provider::text, :access_key_id::uuid, :roles::text[], :user_agent::text,
        :now::timestamptz, :now::timestamptz, :expires_at::timestamptz)

-- name: create_refresh_token
INSERT INTO refresh_tokens (token_hash, device_id, user_id, issued_at, expires_at)
VALUES (:token_hash::bytea, :device_id::uuid, :user_id::uuid, :now::timestamptz, :expires_at::timestamptz)

-- name: lock_device_of_token
-- The device is locked before its tokens are read: of many refreshes at once each sees what the one before has done.
SELECT id FROM devices
WHERE id = (SELECT device_id FROM refresh_tokens WHERE token_hash = :token_hash::bytea)
FOR UPDATE

-- name: find_refresh_token
SELECT refresh_tokens.user_id, refresh_tokens.expires_at, used_at, revoked_at, roles, provider,
       devices.created_at AS signed_in_at
FROM refresh_tokens JOIN devices ON devices.id = device_id
WHERE token_hash = :token_hash::bytea

-- name: use_refresh_token
UPDATE refresh_tokens SET used_at = :now::timestamptz WHERE token_hash = :token_hash::bytea

-- name: prolong_device
UPDATE devices SET last_used_at = :now::timestamptz, expires_at = :expires_at::timestamptz WHERE id = :device_id::uuid

-- name: revoke_device
UPDATE devices SET revoked_at = :now::timestamptz, revoke_reason = :reason::text
WHERE id = :device_id::uuid AND user_id = :user_id::uuid AND revoked_at IS NULL AND expires_at > :now::timestamptz

-- name: end_family
-- Also one that has run out by this clock: clocks have been wrong before, and a stolen family must not come back.
UPDATE devices SET revoked_at = :now::timestamptz, revoke_reason = 'reuse'
WHERE id = :device_id::uuid AND revoked_at IS NULL

-- name: revoke_all_devices
UPDATE devices SET revoked_at = :now::timestamptz, revoke_reason = 'revoked' WHERE revoked_at IS NULL

-- name: list_devices
SELECT id, user_agent, created_at, last_used_at FROM devices
WHERE user_id = :user_id::uuid AND revoked_at IS NULL AND expires_at > :now::timestamptz
ORDER BY last_used_at DESC, id LIMIT :limit::int OFFSET :offset::bigint

-- name: count_devices
SELECT count(*) AS total FROM devices
WHERE user_id = :user_id::uuid AND revoked_at IS NULL AND expires_at > :now::timestamptz

-- name: purge_devices
-- Their refresh tokens go with them.
DELETE FROM devices WHERE id IN (
    SELECT id FROM devices WHERE expires_at < :now::timestamptz - interval '1 day'
    ORDER BY expires_at LIMIT :batch::int FOR UPDATE SKIP LOCKED)

-- name: lock_api_keys
-- So that two creations at once cannot both be the last that is allowed.
SELECT pg_advisory_xact_lock(hashtextextended('api_keys ' || :user_id::text, 0))

-- name: count_api_keys
SELECT count(*) AS total FROM api_keys WHERE user_id = :user_id::uuid AND revoked_at IS NULL

-- name: create_api_key
INSERT INTO api_keys (id, user_id, key_hash, prefix, name, created_at)
VALUES (:id::uuid, :user_id::uuid, :key_hash::bytea, :prefix::text, :name::text, :now::timestamptz)

-- name: list_api_keys
SELECT id, name, prefix, created_at, last_used_at FROM api_keys
WHERE user_id = :user_id::uuid AND revoked_at IS NULL
ORDER BY created_at DESC, id LIMIT :limit::int OFFSET :offset::bigint

-- name: revoke_api_key
UPDATE api_keys SET revoked_at = :now::timestamptz
WHERE id = :id::uuid AND user_id = :user_id::uuid AND revoked_at IS NULL

-- name: use_api_key
WITH used AS (
    UPDATE api_keys SET last_used_at = :now::timestamptz
    WHERE id = (SELECT id FROM api_keys
                WHERE key_hash = :key_hash::bytea AND revoked_at IS NULL
                  AND (last_used_at IS NULL OR last_used_at < :now::timestamptz - interval '5 minutes')
                FOR NO KEY UPDATE SKIP LOCKED)
)
SELECT user_id, status FROM api_keys JOIN users ON users.id = user_id
WHERE key_hash = :key_hash::bytea AND revoked_at IS NULL

-- name: lock_signing_keys
SELECT pg_advisory_xact_lock(hashtextextended('signing_keys', 0))

-- name: delete_dead_signing_keys
DELETE FROM signing_keys WHERE verifies_until <= :now::timestamptz

-- name: delete_signing_keys
DELETE FROM signing_keys

-- name: newest_signing_key
SELECT signs_from FROM signing_keys ORDER BY signs_from DESC LIMIT 1

-- name: end_signing_keys
UPDATE signing_keys SET verifies_until = :verifies_until::timestamptz WHERE verifies_until IS NULL

-- name: create_signing_key
INSERT INTO signing_keys (id, secret, created_at, signs_from)
VALUES (:id::text, :secret::bytea, :now::timestamptz, :signs_from::timestamptz)

-- name: list_signing_keys
-- The one that signs now is first, then the older ones, then what is only published yet.
SELECT id, secret FROM signing_keys ORDER BY signs_from > :now::timestamptz, signs_from DESC

-- name: describe_signing_keys
SELECT id, created_at, signs_from, verifies_until FROM signing_keys ORDER BY signs_from DESC, id

-- name: append_audit
SELECT append_audit(:id::uuid, :now::timestamptz, :actor::text, :act::text, :target::text, :reason::text,
                    :before::jsonb, :after::jsonb, :request_id::text) AS sequence

-- name: list_audit
SELECT sequence, id, at_time, actor, act, target, reason, before, after, request_id FROM audit_log
WHERE sequence < :below::bigint
  AND (:actor::text IS NULL OR actor = :actor::text)
  AND (:act::text IS NULL OR act = :act::text)
  AND (:target::text IS NULL OR target = :target::text)
  AND (:from::timestamptz IS NULL OR at_time >= :from::timestamptz)
  AND (:to::timestamptz IS NULL OR at_time < :to::timestamptz)
ORDER BY sequence DESC LIMIT :limit::int

-- name: verify_audit
SELECT broken_sequence, rule FROM verify_audit()

-- name: lock_first_admin
SELECT pg_advisory_xact_lock(hashtextextended('first_admin', 0))
