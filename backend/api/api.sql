-- Answers kept for Idempotency-Key. The advisory lock tells a running first request from a finished one, and goes with
-- its transaction, also when the instance dies.

-- name: lock_key
SELECT pg_try_advisory_xact_lock(hashtextextended(:user_id || ' ' || :route || ' ' || :key, 7)) AS locked

-- name: find_key
SELECT fingerprint, status, content_type, body
  FROM idempotency_keys
 WHERE user_id = :user_id::uuid AND route = :route AND key = :key AND created_at > :oldest::timestamptz

-- name: keep_answer
INSERT INTO idempotency_keys (user_id, route, key, fingerprint, status, content_type, body, created_at)
VALUES (:user_id::uuid, :route, :key, :fingerprint, :status, :content_type, :body, :now::timestamptz)
ON CONFLICT (user_id, route, key) DO UPDATE
   SET fingerprint = excluded.fingerprint, status = excluded.status, content_type = excluded.content_type,
       body = excluded.body, created_at = excluded.created_at

-- name: purge_keys
DELETE FROM idempotency_keys WHERE (user_id, route, key) IN (
    SELECT user_id, route, key FROM idempotency_keys WHERE created_at < :before::timestamptz LIMIT :batch)
