-- name: insert_session
INSERT INTO chat_sessions (id, user_id, character_id, persona_version, mode, title, created_at, last_message_at)
VALUES (:id::uuid, :user_id::uuid, :character_id::uuid, :persona_version, :mode, :title, :now::timestamptz,
        :now::timestamptz)

-- name: find_session
SELECT s.id, s.character_id, c.slug, coalesce(v.persona ->> 'name', c.slug) AS character_name, s.mode, s.title,
       s.persona_version, s.message_count, s.total_cost, s.created_at, s.last_message_at
  FROM chat_sessions s
  JOIN character_config c ON c.id = s.character_id
  LEFT JOIN character_versions v ON v.character_id = s.character_id AND v.version = s.persona_version
 WHERE s.id = :id::uuid

-- name: lock_session
SELECT id, character_id, persona_version, mode, last_message_at, last_disclosure_at, running_turn, running_until
  FROM chat_sessions WHERE id = :id::uuid FOR UPDATE

-- name: list_sessions
SELECT s.id, s.character_id, c.slug, coalesce(v.persona ->> 'name', c.slug) AS character_name, s.mode, s.title,
       s.persona_version, s.message_count, s.total_cost, s.created_at, s.last_message_at
  FROM chat_sessions s
  JOIN character_config c ON c.id = s.character_id
  LEFT JOIN character_versions v ON v.character_id = s.character_id AND v.version = s.persona_version
 WHERE s.user_id = :user_id::uuid
 ORDER BY s.last_message_at DESC, s.id DESC LIMIT :limit OFFSET :offset

-- name: count_sessions
SELECT count(*) AS total FROM chat_sessions WHERE user_id = :user_id::uuid

-- name: rename_session
UPDATE chat_sessions SET title = :title WHERE id = :id::uuid

-- name: lock_wallet
SELECT FROM user_wallet WHERE user_id = :user_id::uuid FOR UPDATE

-- name: delete_session
WITH messages AS (DELETE FROM chat_messages WHERE session_id = :id::uuid),
     turns AS (DELETE FROM chat_turns WHERE session_id = :id::uuid)
DELETE FROM chat_sessions WHERE id = :id::uuid

-- name: list_messages
SELECT id, session_id, role, mode, content, created_at, cost, tokens, finish_reason
  FROM chat_messages
 WHERE session_id = :session_id::uuid
   AND (:before::timestamptz IS NULL OR (created_at, id) < (:before::timestamptz, :before_id::uuid))
 ORDER BY created_at DESC, id DESC LIMIT :limit

-- name: find_message
SELECT id, session_id, role, mode, content, created_at, cost, tokens, finish_reason
  FROM chat_messages WHERE id = :id::uuid

-- name: delete_message
DELETE FROM chat_messages WHERE id = :id::uuid

-- name: keep_feedback
INSERT INTO message_feedback (message_id, session_id, user_id, rating, note, created_at)
VALUES (:message_id::uuid, :session_id::uuid, :user_id::uuid, :rating, :note, :now::timestamptz)
ON CONFLICT (message_id) DO UPDATE SET rating = excluded.rating, note = excluded.note, created_at = excluded.created_at

-- name: turn_by_key
SELECT message_id, user_id, session_id, status, mode, hold_id, fingerprint, deadline, created_at, reply, answer
  FROM chat_turns
 WHERE user_id = :user_id::uuid AND route = :route AND idempotency_key = :key AND status <> 'voided'

-- name: free_key
UPDATE chat_turns SET idempotency_key = NULL WHERE message_id = :message_id::uuid

-- name: find_turn
SELECT message_id, user_id, session_id, status, mode, hold_id, fingerprint, deadline, created_at, reply, answer
  FROM chat_turns WHERE message_id = :message_id::uuid

-- name: lock_turn
SELECT message_id, user_id, session_id, status, mode, hold_id, fingerprint, deadline, created_at, reply, answer
  FROM chat_turns WHERE message_id = :message_id::uuid FOR UPDATE

-- name: insert_ended_turn
INSERT INTO chat_turns (message_id, user_id, session_id, status, mode, route, idempotency_key, fingerprint, deadline,
                        created_at, ended_at, reply, answer)
VALUES (:message_id::uuid, :user_id::uuid, :session_id::uuid, :status, :mode, :route, :key, :fingerprint,
        :now::timestamptz, :now::timestamptz, :now::timestamptz, :reply, :answer::jsonb)
ON CONFLICT DO NOTHING

-- name: void_turn
UPDATE chat_turns SET status = 'voided', ended_at = :now::timestamptz
 WHERE message_id = :message_id::uuid AND status = 'running'

-- name: release_session
UPDATE chat_sessions SET running_turn = NULL, running_until = NULL
 WHERE id = :session_id::uuid AND running_turn = :message_id::uuid

-- name: insert_reply
INSERT INTO chat_messages (id, session_id, user_id, turn_id, role, mode, content, created_at, cost, tokens,
                           finish_reason)
VALUES (:id::uuid, :session_id::uuid, :user_id::uuid, :id::uuid, 'assistant', :mode, :content,
        :created_at::timestamptz, :cost::numeric, :tokens, :finish_reason)

-- name: count_in
UPDATE chat_sessions
   SET message_count = message_count + :messages, total_cost = total_cost + :cost::numeric,
       last_message_at = :at::timestamptz, last_disclosure_at = coalesce(:disclosed_at::timestamptz, last_disclosure_at),
       running_until = CASE WHEN running_turn = :message_id::uuid THEN NULL ELSE running_until END,
       running_turn = nullif(running_turn, :message_id::uuid)
 WHERE id = :session_id::uuid

-- name: overdue_turns
SELECT message_id, user_id, session_id, status, mode, hold_id, fingerprint, deadline, created_at, reply, answer
  FROM chat_turns
 WHERE status = 'running' AND deadline < :now::timestamptz
 ORDER BY deadline LIMIT :batch

-- name: drop_old_replies
UPDATE chat_turns SET reply = NULL WHERE reply IS NOT NULL AND created_at < :before::timestamptz

-- name: scene
SELECT (s.account).id, (s.account).display_name, (s.account).email, (s.account).roles,
       effective_tier(s.account, :now::timestamptz) AS current_tier,
       effective_tier_until(s.account, :now::timestamptz) AS current_tier_expires_at,
       (s.account).age_verified_at IS NOT NULL AS age_verified, (s.account).region, (s.account).locale,
       (s.account).created_at, (s.account).status, (s.account).version, s.signed_in,
       (s.tier).code, (s.tier).daily_credits, (s.tier).requests_per_minute, (s.tier).discount,
       (s.tier).long_term_memory, (s.tier).spicy, (s.tier).priority,
       (s.wallet).daily_free, (s.wallet).purchased, (s.wallet).bonus, (s.wallet).held, (s.wallet).debt,
       (s.session).id AS session_id, (s.session).character_id, (s.session).persona_version, (s.session).mode,
       (s.session).last_message_at, (s.session).last_disclosure_at, (s.session).running_turn, (s.session).running_until,
       s.messages, (s.earlier).message_id AS earlier_turn
  FROM chat_scene(:user_id::uuid, :device_id::uuid, :session_id::uuid, :route::text, :key::text, :window::integer,
                  :now::timestamptz) s

-- name: scenes
SELECT s.n, (s.account).id, (s.account).display_name, (s.account).email, (s.account).roles,
       effective_tier(s.account, :now::timestamptz) AS current_tier,
       effective_tier_until(s.account, :now::timestamptz) AS current_tier_expires_at,
       (s.account).age_verified_at IS NOT NULL AS age_verified, (s.account).region, (s.account).locale,
       (s.account).created_at, (s.account).status, (s.account).version, true AS signed_in,
       (s.tier).code, (s.tier).daily_credits, (s.tier).requests_per_minute, (s.tier).discount,
       (s.tier).long_term_memory, (s.tier).spicy, (s.tier).priority,
       (s.wallet).daily_free, (s.wallet).purchased, (s.wallet).bonus, (s.wallet).held, (s.wallet).debt,
       (s.session).id AS session_id, (s.session).character_id, (s.session).persona_version, (s.session).mode,
       (s.session).last_message_at, (s.session).last_disclosure_at, (s.session).running_turn, (s.session).running_until,
       s.messages
  FROM chat_scenes(:orders::jsonb, :window::integer, :now::timestamptz) s

-- name: begin_turns
SELECT n, hold_id FROM chat_begin_turns(:orders::jsonb, :now::timestamptz)

-- name: settle_turns
WITH settled AS MATERIALIZED (
    SELECT n, charged_daily_free, charged_purchased, charged_bonus, daily_free, purchased, bonus, held
      FROM chat_settle_turns(:orders::jsonb, :questions::text[], :replies::text[], :now::timestamptz)
), noted AS (
    INSERT INTO memory_queue (user_id, kind, session_id, memory_ids, due_at, created_at)
    SELECT o.user_id, 'note', o.session_id, ARRAY[o.question_id, o.message_id], :now::timestamptz, :now::timestamptz
      FROM jsonb_to_recordset(:to_remember::jsonb) AS o (n integer, user_id uuid, session_id uuid, question_id uuid,
                                                         message_id uuid)
      JOIN settled s ON s.n = o.n
)
SELECT n, charged_daily_free, charged_purchased, charged_bonus, daily_free, purchased, bonus, held FROM settled

-- name: begin_turn
SELECT code, required, available, hold_id
  FROM chat_begin_turn(:user_id::uuid, :message_id::uuid, :session_id::uuid, :seen::timestamptz, :mode::text,
                       :route::text, :key::text, :fingerprint::bytea, :amount::numeric, :daily_limit::numeric,
                       :created_at::timestamptz, :deadline::timestamptz, :now::timestamptz)

-- name: settle_turn_at_once
WITH settled AS MATERIALIZED (
    SELECT code, charged_daily_free, charged_purchased, charged_bonus, wallet
      FROM chat_settle_turn(:user_id::uuid, :message_id::uuid, :amount::numeric, :description::text, :metadata::jsonb,
                            :question_id::uuid, :question::text, :created_at::timestamptz, :reply::text, :mode::text,
                            :model::text, :prompt_tokens::integer, :completion_tokens::integer, :total_tokens::integer,
                            :provider_cost::numeric, :finish_reason::text, :disclosed_at::timestamptz, :answer::jsonb,
                            :free::boolean, :now::timestamptz)
), noted AS (
    INSERT INTO memory_queue (user_id, kind, session_id, memory_ids, due_at, created_at)
    SELECT :user_id::uuid, 'note', :remember_in::uuid, ARRAY[:question_id::uuid, :message_id::uuid], :now::timestamptz,
           :now::timestamptz
      FROM settled WHERE code = 'ok' AND :remember_in::uuid IS NOT NULL
)
SELECT code, charged_daily_free, charged_purchased, charged_bonus,
       (wallet).daily_free, (wallet).purchased, (wallet).bonus, (wallet).held
  FROM settled

-- name: make_partitions
SELECT make_chat_partitions((:now::timestamptz AT TIME ZONE 'UTC')::date, :months::integer) AS touched
