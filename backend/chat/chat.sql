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

-- name: peek_session
SELECT id, character_id, persona_version, mode, last_message_at, last_disclosure_at, running_turn, running_until
  FROM chat_sessions WHERE id = :id::uuid

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

-- name: delete_session
DELETE FROM chat_sessions WHERE id = :id::uuid

-- name: list_messages
SELECT id, session_id, role, mode, content, created_at, cost, tokens, finish_reason
  FROM chat_messages
 WHERE session_id = :session_id::uuid
   AND (:before::timestamptz IS NULL OR (created_at, id) < (:before::timestamptz, :before_id::uuid))
 ORDER BY created_at DESC, id DESC LIMIT :limit

-- name: window
SELECT id, session_id, role, mode, content, created_at, cost, tokens, finish_reason
  FROM chat_messages WHERE session_id = :session_id::uuid ORDER BY created_at DESC, id DESC LIMIT :count

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

-- name: give_key_up
UPDATE chat_turns late SET idempotency_key = NULL
 WHERE message_id = :message_id::uuid
   AND EXISTS (SELECT FROM chat_turns next
                WHERE next.user_id = late.user_id AND next.route = late.route
                  AND next.idempotency_key = late.idempotency_key AND next.status <> 'voided'
                  AND next.message_id <> late.message_id)

-- name: find_turn
SELECT message_id, user_id, session_id, status, mode, hold_id, fingerprint, deadline, created_at, reply, answer
  FROM chat_turns WHERE message_id = :message_id::uuid

-- name: lock_turn
SELECT message_id, user_id, session_id, status, mode, hold_id, fingerprint, deadline, created_at, reply, answer
  FROM chat_turns WHERE message_id = :message_id::uuid FOR UPDATE

-- name: insert_running_turn
INSERT INTO chat_turns (message_id, user_id, session_id, status, mode, route, idempotency_key, fingerprint, hold_id,
                        deadline, created_at)
VALUES (:message_id::uuid, :user_id::uuid, :session_id::uuid, 'running', :mode, :route, :key, :fingerprint,
        :hold_id::uuid, :deadline::timestamptz, :created_at::timestamptz)
ON CONFLICT DO NOTHING

-- name: insert_ended_turn
INSERT INTO chat_turns (message_id, user_id, session_id, status, mode, route, idempotency_key, fingerprint, deadline,
                        created_at, ended_at, reply, answer)
VALUES (:message_id::uuid, :user_id::uuid, :session_id::uuid, :status, :mode, :route, :key, :fingerprint,
        :now::timestamptz, :now::timestamptz, :now::timestamptz, :reply, :answer::jsonb)
ON CONFLICT DO NOTHING

-- name: mark_running
UPDATE chat_sessions SET running_turn = :message_id::uuid, running_until = :deadline::timestamptz
 WHERE id = :session_id::uuid

-- name: settle_turn
UPDATE chat_turns
   SET status = 'settled', ended_at = :now::timestamptz, model = :model, prompt_tokens = :prompt_tokens,
       completion_tokens = :completion_tokens, total_tokens = :total_tokens, provider_cost = :provider_cost::numeric,
       reply = :reply, answer = :answer::jsonb
 WHERE message_id = :message_id::uuid

-- name: void_turn
UPDATE chat_turns SET status = 'voided', ended_at = :now::timestamptz
 WHERE message_id = :message_id::uuid AND status = 'running'

-- name: release_session
UPDATE chat_sessions SET running_turn = NULL, running_until = NULL
 WHERE id = :session_id::uuid AND running_turn = :message_id::uuid

-- name: insert_question
INSERT INTO chat_messages (id, session_id, user_id, turn_id, role, mode, content, created_at)
VALUES (:id::uuid, :session_id::uuid, :user_id::uuid, :turn_id::uuid, 'user', :mode, :content,
        :created_at::timestamptz)

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
