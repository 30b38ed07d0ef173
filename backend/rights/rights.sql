-- What a user's own data are,
               table by table (rights/OwnData.h says what each statement takes and answers). Amounts are
-- texts, as everywhere in JSON. No secrets: neither hashes of keys and tokens nor sealed texts.

-- name: export_profile
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.display_name, t.email, t.status, t.roles, t.tier,
               t.tier_expires_at, t.age_verified_at, t.age_verified_method, t.region, t.locale, t.created_at,
               t.last_seen_at
          FROM users t WHERE t.id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_age_verifications
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.verified_at AS x_at, t.id::text AS x_key, t.method, t.reference, t.verified_at
          FROM age_verifications t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.verified_at >= :at::timestamptz AND (t.verified_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.verified_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_devices
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.provider, t.user_agent, t.created_at,
               t.last_used_at, t.expires_at, t.revoked_at, t.revoke_reason
          FROM devices t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_api_keys
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.name, t.prefix, t.created_at, t.last_used_at,
               t.revoked_at
          FROM api_keys t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_access_keys
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.prefix, t.roles, t.created_at, t.last_used_at,
               t.revoked_at
          FROM access_keys t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_sign_ins
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.uid AS x_key, t.project, t.uid, t.created_at, t.last_sign_in_at
          FROM firebase_identities t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.uid) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.uid LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_feedback
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.message_id::text AS x_key, t.message_id, t.session_id, t.rating, t.note,
               t.created_at
          FROM message_feedback t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.message_id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.message_id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_notices
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.kind, t.text, t.created_at, t.seen_at
          FROM user_notices t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_disclosures
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.shown_at AS x_at, t.id::text AS x_key, t.id, t.session_id, t.message_id, t.reason, t.region, t.text,
               t.shown_at
          FROM disclosures t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.shown_at >= :at::timestamptz AND (t.shown_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.shown_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_messages
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.session_id, t.turn_id, t.role, t.mode, t.content,
               t.created_at, t.cost::text AS cost, t.tokens, t.finish_reason
          FROM chat_messages t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_turns
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.message_id::text AS x_key, t.message_id, t.session_id, t.status, t.mode,
               t.route, t.created_at, t.ended_at, t.model, t.prompt_tokens, t.completion_tokens, t.total_tokens,
               t.reply
          FROM chat_turns t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.message_id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.message_id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_sessions
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id,
               (SELECT c.slug FROM character_config c WHERE c.id = t.character_id) AS character, t.mode, t.title,
               t.message_count, t.total_cost::text AS total_cost, t.created_at, t.last_message_at
          FROM chat_sessions t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_moderation
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.session_id, t.message_id, t.direction, t.action,
               t.category, t.mode, t.status, t.created_at
          FROM moderation_events t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_consents
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.kind, t.version, t.given, t.created_at
          FROM consents t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_store_consents
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.changed_at AS x_at, t.user_id::text AS x_key, t.share_consumption, t.changed_at
          FROM store_consents t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.changed_at >= :at::timestamptz AND (t.changed_at,
               t.user_id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.changed_at, t.user_id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_wallet
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.user_id::text AS x_key, t.daily_free::text AS daily_free,
               t.purchased::text AS purchased, t.bonus::text AS bonus, t.held::text AS held, t.debt::text AS debt,
               t.daily_limit::text AS daily_limit, t.created_at
          FROM user_wallet t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.user_id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.user_id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_lots
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.bucket, t.original::text AS original,
               t.remaining::text AS remaining, t.expires_at, t.created_at
          FROM wallet_lots t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_transactions
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, lpad(t.sequence::text, 19, '0') AS x_key, t.id, t.sequence, t.kind,
               t.amount::text AS amount, t.daily_free::text AS daily_free, t.purchased::text AS purchased,
               t.bonus::text AS bonus, t.after_daily_free::text AS after_daily_free,
               t.after_purchased::text AS after_purchased, t.after_bonus::text AS after_bonus, t.description,
               t.metadata, t.created_at
          FROM transaction_history t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               lpad(t.sequence::text, 19, '0')) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, lpad(t.sequence::text, 19, '0') LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_payments
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.provider, t.provider_reference, t.kind,
               t.product, t.amount_minor, t.tax_minor, t.currency, t.refunded_minor, t.status,
               t.credits::text AS credits, t.bonus_credits::text AS bonus_credits, t.created_at, t.paid_at,
               t.period_start, t.period_end, t.failure
          FROM payment_transactions t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_disputes
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.opened_at AS x_at, t.id::text AS x_key, t.id, t.provider, t.reference, t.payment_id, t.state,
               t.amount_minor, t.currency, t.reason, t.opened_at, t.closed_at
          FROM payment_disputes t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.opened_at >= :at::timestamptz AND (t.opened_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.opened_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_subscriptions
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.id::text AS x_key, t.id, t.provider, t.reference, t.customer, t.tier,
               t.next_tier, t.status, t.period_start, t.period_end, t.entitled_until, t.created_at
          FROM subscriptions t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.id::text) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.id::text LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_subscription_history
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.recorded_at AS x_at, t.subscription_id || lpad(t.sequence::text, 10, '0') AS x_key,
               t.subscription_id, t.sequence, t.kind, t.status, t.tier, t.next_tier, t.effective_at, t.recorded_at,
               t.period_start, t.period_end
          FROM subscription_events t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.recorded_at >= :at::timestamptz AND (t.recorded_at,
               t.subscription_id || lpad(t.sequence::text, 10, '0')) > (:at::timestamptz, :key::text)))
         ORDER BY t.recorded_at, t.subscription_id || lpad(t.sequence::text, 10, '0') LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_granted_tiers
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.granted_at AS x_at, lpad(t.id::text, 19, '0') AS x_key, t.tier, t.expires_at, t.granted_at
          FROM tier_grants t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.granted_at >= :at::timestamptz AND (t.granted_at, lpad(t.id::text,
               19, '0')) > (:at::timestamptz, :key::text)))
         ORDER BY t.granted_at, lpad(t.id::text, 19, '0') LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: export_provider_customers
SELECT (to_jsonb(x) - '{x_at,x_key}'::text[])::text AS line, x_at::text AS at, x_key AS key
  FROM (SELECT t.created_at AS x_at, t.provider AS x_key, t.provider, t.reference, t.created_at
          FROM provider_customers t WHERE t.user_id = :user_id::uuid
           AND (:at::timestamptz IS NULL OR (t.created_at >= :at::timestamptz AND (t.created_at,
               t.provider) > (:at::timestamptz, :key::text)))
         ORDER BY t.created_at, t.provider LIMIT :limit) AS x
 ORDER BY x_at, x_key

-- name: erase_profile
WITH gone AS (UPDATE users SET display_name = '', email = NULL, region = NULL, locale = 'en', tier = 'free',
              tier_expires_at = NULL, age_verified_at = NULL, age_verified_method = NULL, last_seen_at = NULL
               WHERE id = :user_id::uuid AND status = 'erased'
                 AND (display_name, email, region, last_seen_at) IS DISTINCT FROM ('', NULL, NULL, NULL)
                 AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_age_verifications
WITH gone AS (DELETE FROM age_verifications WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_devices
WITH gone AS (DELETE FROM devices WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_api_keys
WITH gone AS (DELETE FROM api_keys WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_access_keys
WITH gone AS (DELETE FROM access_keys WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_sign_ins
WITH gone AS (DELETE FROM firebase_identities WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_kept_answers
WITH gone AS (DELETE FROM idempotency_keys WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_feedback
WITH gone AS (DELETE FROM message_feedback WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_notices
WITH gone AS (DELETE FROM user_notices WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_messages
WITH gone AS (DELETE FROM chat_messages WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_turns
WITH gone AS (DELETE FROM chat_turns WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_sessions
WITH gone AS (DELETE FROM chat_sessions WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_store_consents
WITH gone AS (DELETE FROM store_consents WHERE user_id = :user_id::uuid AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_moderation
WITH gone AS (UPDATE moderation_events SET text_sealed = NULL
               WHERE user_id = :user_id::uuid AND text_sealed IS NOT NULL AND :now::timestamptz IS NOT NULL RETURNING 1)
SELECT count(*) AS count FROM gone

-- name: erase_transaction_texts
SELECT erase_ledger_texts(:user_id::uuid) AS count WHERE :now::timestamptz IS NOT NULL

-- name: try_export
-- One export of a user at a time, whichever instance makes it.
SELECT pg_try_advisory_xact_lock(hashtextextended('export ' || :user_id::text, 0)) AS got

-- name: lock_user
-- Before everything else of the user's: whoever writes a row of the user's waits for it, or is seen below.
SELECT status, roles FROM users WHERE id = :user_id::uuid FOR UPDATE

-- name: lock_wallet
SELECT user_id FROM user_wallet WHERE user_id = :user_id::uuid FOR UPDATE

-- name: running_turn
SELECT t.deadline FROM chat_turns t WHERE t.user_id = :user_id::uuid AND t.status = 'running'
 UNION ALL
SELECT h.expires_at FROM holds h WHERE h.user_id = :user_id::uuid AND h.state = 'held' AND h.expires_at > :now::timestamptz
 ORDER BY 1 DESC LIMIT 1

-- name: mark_erased
UPDATE users SET status = 'erased', status_changed_at = :now::timestamptz, display_name = '', email = NULL,
               roles = '{user}'
 WHERE id = :user_id::uuid

-- name: keep_erasure
INSERT INTO erasures (user_id, erased_at, receipt) VALUES (:user_id::uuid, :now::timestamptz, :receipt::jsonb)

-- name: erasures_to_sweep
-- What was under way when the account went may have come after it. Looked after from ten minutes on: no act lives longer.
SELECT user_id FROM erasures WHERE swept_at IS NULL AND erased_at < :before::timestamptz
 ORDER BY erased_at LIMIT :batch FOR UPDATE SKIP LOCKED

-- name: note_swept
UPDATE erasures SET swept_at = :now::timestamptz, receipt = receipt || jsonb_build_object('later', :later::jsonb)
 WHERE user_id = :user_id::uuid

-- name: backup_days
SELECT keep_days FROM retention_policies WHERE what = 'backups'

-- name: live_subscription
SELECT provider FROM subscriptions
 WHERE user_id = :user_id::uuid AND status IN ('trialing', 'active',
               'past_due') AND entitled_until > :now::timestamptz
 ORDER BY created_at DESC LIMIT 1

-- name: policies
SELECT what, keep_days FROM retention_policies

-- name: keep_kept_answers
WITH old AS (DELETE FROM idempotency_keys WHERE (user_id, route, key) IN (
    SELECT user_id, route,
               key FROM idempotency_keys WHERE created_at < :before::timestamptz LIMIT :batch) RETURNING 1)
SELECT count(*) AS count FROM old

-- name: keep_stateless_replies
WITH old AS (UPDATE chat_turns SET reply = NULL WHERE message_id IN (
    SELECT message_id FROM chat_turns WHERE reply IS NOT NULL AND created_at < :before::timestamptz LIMIT :batch) RETURNING 1)
SELECT count(*) AS count FROM old

-- name: keep_refused_webhooks
WITH old AS (DELETE FROM payment_events WHERE id IN (
    SELECT id FROM payment_events WHERE event_id IS NULL AND received_at < :before::timestamptz
     ORDER BY received_at LIMIT :batch) RETURNING 1)
SELECT count(*) AS count FROM old

-- name: keep_ended_devices
-- Their refresh tokens go with them.
WITH old AS (DELETE FROM devices WHERE id IN (
    SELECT id FROM devices WHERE expires_at < :before::timestamptz ORDER BY expires_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING 1)
SELECT count(*) AS count FROM old

-- name: keep_revoked_keys
WITH api AS (DELETE FROM api_keys WHERE id IN (
        SELECT id FROM api_keys WHERE revoked_at < :before::timestamptz LIMIT :batch) RETURNING 1),
     access AS (DELETE FROM access_keys WHERE id IN (
        SELECT k.id FROM access_keys k WHERE k.revoked_at < :before::timestamptz
           AND NOT EXISTS (SELECT FROM devices d WHERE d.access_key_id = k.id) LIMIT :batch) RETURNING 1)
SELECT (SELECT count(*) FROM api) + (SELECT count(*) FROM access) AS count

-- name: keep_ended_sandbox
WITH old AS (DELETE FROM sandbox_webhooks WHERE id IN (
    SELECT id FROM sandbox_webhooks WHERE delivered_at < :before::timestamptz LIMIT :batch) RETURNING 1)
SELECT count(*) AS count FROM old

-- name: keep_erased_consents
WITH old AS (DELETE FROM consents WHERE id IN (
    SELECT c.id FROM consents c JOIN erasures e ON e.user_id = c.user_id WHERE e.erased_at < :before::timestamptz
     LIMIT :batch) RETURNING 1)
SELECT count(*) AS count FROM old

-- name: add_consent
INSERT INTO consents (id, user_id, kind, version, given, created_at)
VALUES (:id::uuid, :user_id::uuid, :kind::text, :version::text, :given::boolean, :now::timestamptz)

-- name: consents
SELECT id, kind, version, given, created_at FROM consents WHERE user_id = :user_id::uuid
 ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset

-- name: count_consents
SELECT count(*) AS total FROM consents WHERE user_id = :user_id::uuid
