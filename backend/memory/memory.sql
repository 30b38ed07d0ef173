-- name: owner
SELECT revision, rewritten_at, space FROM memory_owners WHERE user_id = :user_id::uuid

-- name: touch
SELECT memory_touch(:user_id::uuid, :rewrites::boolean) AS revision

-- Everything of a user that ranking needs, in one row: column by column, one memory after the other. Row by row, reading
-- fifty thousand of them takes ten times as long.
-- name: load
SELECT count(*) AS memories, string_agg(uuid_send(id), ''::bytea) AS ids,
       string_agg(uuid_send(session_id), ''::bytea) AS sessions,
       string_agg(uuid_send(character_id), ''::bytea) AS characters,
       string_agg(int8send((extract(epoch FROM said_at) * 1000)::bigint), ''::bytea) AS times,
       string_agg(CASE WHEN speaker = 'user' THEN 'u' ELSE 'c' END || CASE WHEN mode = 'spicy' THEN 's' ELSE 'n' END, '')
           AS flags,
       string_agg(int4send(length(terms)) || terms, ''::bytea) AS terms
  FROM memories WHERE user_id = :user_id::uuid AND revision > :after

-- name: load_vectors
SELECT count(*) AS vectors, coalesce(min(dimension), 0) AS least, coalesce(max(dimension), 0) AS most,
       string_agg(uuid_send(memory_id), ''::bytea) AS ids, string_agg(vector, ''::bytea) AS halves
  FROM memory_vectors
 WHERE user_id = :user_id::uuid AND space = :space AND vector IS NOT NULL AND revision > :after

-- name: texts
SELECT id, text, speaker, said_at FROM memories WHERE user_id = :user_id::uuid AND id = ANY (:ids::uuid[])

-- name: facts
SELECT id, mode, kind, subject, value, confidence, on_day, said_at, edited_at IS NOT NULL AS edited
  FROM memory_facts WHERE user_id = :user_id::uuid ORDER BY said_at, id

-- name: messages_to_note
SELECT m.id, m.user_id, m.session_id, s.character_id, m.role, m.mode, m.content, m.created_at
  FROM chat_messages m JOIN chat_sessions s ON s.id = m.session_id
 WHERE m.session_id = :session_id::uuid AND m.user_id = :user_id::uuid AND m.id = ANY (:ids::uuid[])
 ORDER BY m.created_at, m.id
   FOR KEY SHARE OF m

-- name: insert_memory
INSERT INTO memories (id, user_id, session_id, character_id, speaker, mode, said_at, text, terms, revision)
VALUES (:id::uuid, :user_id::uuid, :session_id::uuid, :character_id::uuid, :speaker, :mode, :said_at::timestamptz, :text,
        :terms::bytea, :revision)
ON CONFLICT (id) DO NOTHING

-- name: insert_fact
INSERT INTO memory_facts (id, user_id, character_id, mode, kind, subject, value, confidence, on_day, source_message,
                          session_id, since, said_at)
VALUES (gen_random_uuid(), :user_id::uuid, :character_id::uuid, :mode, :kind, :subject, :value, :confidence,
        :on_day::date, :message_id::uuid, :session_id::uuid, :said_at::timestamptz, :said_at::timestamptz)

-- name: confirm_fact
UPDATE memory_facts
   SET said_at = greatest(said_at, :said_at::timestamptz), confidence = greatest(confidence, :confidence),
       mode = CASE WHEN :mode = 'normal' THEN 'normal' ELSE mode END
 WHERE id = :id::uuid AND user_id = :user_id::uuid

-- name: drop_fact
DELETE FROM memory_facts WHERE id = :id::uuid AND user_id = :user_id::uuid AND edited_at IS NULL

-- Only of memories that are still there: what was forgotten meanwhile gets no vector.
-- name: keep_vector
INSERT INTO memory_vectors (user_id, space, memory_id, dimension, vector, revision)
SELECT m.user_id, :space, m.id, :dimension, :vector::bytea, :revision
  FROM memories m WHERE m.id = :id::uuid AND m.user_id = :user_id::uuid
ON CONFLICT (user_id, space, memory_id)
    DO UPDATE SET dimension = excluded.dimension, vector = excluded.vector, revision = excluded.revision

-- name: renew_terms
UPDATE memories SET terms = :terms::bytea WHERE user_id = :user_id::uuid AND id = :id::uuid

-- name: texts_to_embed
SELECT m.id, m.text, m.said_at FROM memories m
 WHERE m.user_id = :user_id::uuid AND m.id = ANY (:ids::uuid[])
   AND NOT EXISTS (SELECT FROM memory_vectors v
                    WHERE v.user_id = m.user_id AND v.space = :space AND v.memory_id = m.id)
 ORDER BY m.said_at, m.id LIMIT :batch

-- name: texts_without_vector
SELECT m.id, m.text, m.said_at FROM memories m
 WHERE m.user_id = :user_id::uuid
   AND NOT EXISTS (SELECT FROM memory_vectors v
                    WHERE v.user_id = m.user_id AND v.space = :space AND v.memory_id = m.id)
 ORDER BY m.revision DESC, m.id LIMIT :batch

-- name: set_space
UPDATE memory_owners SET space = :space WHERE user_id = :user_id::uuid AND space <> :space

-- name: settle_space
UPDATE memory_owners SET space = :space WHERE user_id = :user_id::uuid AND space = ''

-- What is left in other spaces, once the search has moved out of them.
-- name: leave_other_spaces
WITH gone AS (
    DELETE FROM memory_vectors WHERE user_id = :user_id::uuid AND space <> :space
    RETURNING space, vector IS NULL AS elsewhere
)
INSERT INTO memory_queue (user_id, kind, space, due_at, created_at)
SELECT DISTINCT :user_id::uuid, 'forget', g.space, :now::timestamptz, :now::timestamptz FROM gone g WHERE g.elsewhere

-- name: order_moves
INSERT INTO memory_queue (user_id, kind, due_at, created_at)
SELECT o.user_id, 'embed', :now::timestamptz, :now::timestamptz FROM memory_owners o
 WHERE o.space <> :space AND o.revision > 0
   AND EXISTS (SELECT FROM memories m WHERE m.user_id = o.user_id)
   AND NOT EXISTS (SELECT FROM memory_queue q
                    WHERE q.user_id = o.user_id AND q.kind = 'embed' AND q.memory_ids = '{}' AND q.dead_at IS NULL)
 LIMIT :batch

-- name: queue_note
INSERT INTO memory_queue (user_id, kind, session_id, memory_ids, due_at, created_at)
VALUES (:user_id::uuid, 'note', :session_id::uuid, :ids::uuid[], :now::timestamptz, :now::timestamptz)

-- name: queue_embed
INSERT INTO memory_queue (user_id, kind, memory_ids, due_at, created_at)
VALUES (:user_id::uuid, 'embed', :ids::uuid[], :now::timestamptz, :now::timestamptz)

-- name: queue_forget
INSERT INTO memory_queue (user_id, kind, memory_ids, space, receipt_id, due_at, created_at)
VALUES (:user_id::uuid, 'forget', :ids::uuid[], :space, :receipt_id::uuid, :now::timestamptz, :now::timestamptz)

-- One entry of a user at a time: what is forgotten must not be overtaken by what was remembered before.
-- name: take
UPDATE memory_queue q SET lease_id = :lease::uuid, lease_until = :until::timestamptz, attempts = q.attempts + 1
 WHERE q.id IN (SELECT d.id FROM memory_queue d
                 WHERE d.dead_at IS NULL AND d.due_at <= :now::timestamptz
                   AND (d.lease_until IS NULL OR d.lease_until < :now::timestamptz)
                   AND NOT EXISTS (SELECT FROM memory_queue b
                                    WHERE b.user_id = d.user_id AND b.id < d.id AND b.dead_at IS NULL
                                      AND b.lease_until >= :now::timestamptz)
                 ORDER BY d.due_at, d.id LIMIT :batch FOR UPDATE SKIP LOCKED)
RETURNING q.id, q.user_id, q.kind, q.session_id, q.memory_ids::text[] AS memory_ids, q.noted, q.space, q.receipt_id,
          q.attempts

-- name: mark_noted
UPDATE memory_queue SET noted = true WHERE id = :id AND lease_id = :lease::uuid

-- name: done
DELETE FROM memory_queue WHERE id = :id AND lease_id = :lease::uuid

-- name: again
UPDATE memory_queue
   SET lease_id = NULL, lease_until = NULL, due_at = :due::timestamptz, attempts = :attempts, last_error = :error,
       dead_at = :dead::timestamptz
 WHERE id = :id AND lease_id = :lease::uuid

-- name: confirm_receipt
UPDATE memory_receipts r
   SET waiting_for = array_remove(r.waiting_for, :space),
       done_at = CASE WHEN array_remove(r.waiting_for, :space) = '{}' THEN :now::timestamptz END
 WHERE r.id = :id::uuid AND r.done_at IS NULL

-- name: forget
SELECT id, scope, target, memories, facts, requested_at, waiting_for, done_at
  FROM memory_forget(:user_id::uuid, :scope, :target::uuid, :ids::uuid[], :session_id::uuid, :facts::uuid[],
                     :now::timestamptz)

-- name: receipts
SELECT id, scope, target, memories, facts, requested_at, waiting_for, done_at
  FROM memory_receipts WHERE user_id = :user_id::uuid ORDER BY requested_at DESC, id DESC LIMIT :limit OFFSET :offset

-- name: count_receipts
SELECT count(*) AS total FROM memory_receipts WHERE user_id = :user_id::uuid

-- name: receipt
SELECT id, scope, target, memories, facts, requested_at, waiting_for, done_at
  FROM memory_receipts WHERE user_id = :user_id::uuid AND id = :id::uuid

-- name: count
SELECT (SELECT count(*) FROM memories WHERE user_id = :user_id::uuid) AS turns,
       (SELECT count(*) FROM memory_facts WHERE user_id = :user_id::uuid) AS facts

-- name: list_turns
SELECT m.id, m.text, m.speaker, m.mode, m.session_id, m.said_at, m.edited_at IS NOT NULL AS edited, c.slug
  FROM memories m LEFT JOIN character_config c ON c.id = m.character_id
 WHERE m.user_id = :user_id::uuid ORDER BY m.said_at DESC, m.id DESC LIMIT :limit OFFSET :offset

-- name: list_facts
SELECT f.id, f.kind, f.subject, f.value, f.confidence, f.on_day, f.mode, f.session_id, f.source_message, f.said_at,
       f.edited_at IS NOT NULL AS edited, c.slug
  FROM memory_facts f LEFT JOIN character_config c ON c.id = f.character_id
 WHERE f.user_id = :user_id::uuid ORDER BY f.said_at DESC, f.id DESC LIMIT :limit OFFSET :offset

-- name: find_turn
SELECT m.id, m.text, m.speaker, m.mode, m.session_id, m.said_at, m.edited_at IS NOT NULL AS edited, c.slug
  FROM memories m LEFT JOIN character_config c ON c.id = m.character_id
 WHERE m.user_id = :user_id::uuid AND m.id = :id::uuid

-- name: find_fact
SELECT f.id, f.kind, f.subject, f.value, f.confidence, f.on_day, f.mode, f.session_id, f.source_message, f.said_at,
       f.edited_at IS NOT NULL AS edited, c.slug
  FROM memory_facts f LEFT JOIN character_config c ON c.id = f.character_id
 WHERE f.user_id = :user_id::uuid AND f.id = :id::uuid

-- The new words have no vectors yet, in no space.
-- name: correct_turn
WITH without AS (
    DELETE FROM memory_vectors v WHERE v.user_id = :user_id::uuid AND v.memory_id = :id::uuid
)
UPDATE memories SET text = :text, terms = :terms::bytea, edited_at = :now::timestamptz, revision = :revision
 WHERE user_id = :user_id::uuid AND id = :id::uuid

-- name: corrected
SELECT id, user_id, session_id, character_id, speaker AS role, mode, text AS content, said_at AS created_at
  FROM memories WHERE user_id = :user_id::uuid AND id = :id::uuid

-- name: unlearn
DELETE FROM memory_facts WHERE user_id = :user_id::uuid AND source_message = :id::uuid AND edited_at IS NULL

-- name: correct_fact
UPDATE memory_facts
   SET subject = :subject, value = :value, edited_at = :now::timestamptz, said_at = :now::timestamptz, confidence = 1
 WHERE user_id = :user_id::uuid AND id = :id::uuid

-- Whose vectors a space's store may still have, in the order of their ids.
-- name: owners_after
SELECT user_id FROM memory_owners WHERE user_id > :after::uuid ORDER BY user_id LIMIT :batch

-- Vectors of what is no longer there; a healthy database has none.
-- name: drop_orphan_vectors
DELETE FROM memory_vectors v
 WHERE v.user_id = :user_id::uuid
   AND NOT EXISTS (SELECT FROM memories m WHERE m.id = v.memory_id AND m.user_id = v.user_id)

-- Memories whose message is gone.
-- name: without_message
SELECT m.user_id, m.id FROM memories m
 WHERE m.user_id = :user_id::uuid AND NOT EXISTS (SELECT FROM chat_messages c WHERE c.id = m.id)
 LIMIT :batch
