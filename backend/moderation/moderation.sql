-- name: record
INSERT INTO moderation_events (id, user_id, session_id, message_id, direction, action, severity, category, rule, mode,
                               span_start, span_length, stage, score, text_sealed, created_at)
VALUES (:id::uuid, :user_id::uuid, :session_id::uuid, :message_id::uuid, :direction, :action, :severity, :category,
        :rule, :mode, :span_start::int, :span_length::int, :stage, :score::real, :text, :now::timestamptz)

-- name: events
SELECT id, user_id, session_id, message_id, direction, action, severity, stage, score, category, rule, mode, span_start,
       span_length, text_sealed IS NOT NULL AS has_text, status, act, acted_by, act_reason, created_at
FROM moderation_events
WHERE (:user_id::uuid IS NULL OR user_id = :user_id::uuid)
  AND (:action::text IS NULL OR action = :action::text)
  AND (:severity::text IS NULL OR severity = :severity::text)
  AND (:category::text IS NULL OR category = :category::text)
  AND (:status::text IS NULL OR status = :status::text)
  AND (:from::timestamptz IS NULL OR created_at >= :from::timestamptz)
  AND (:to::timestamptz IS NULL OR created_at < :to::timestamptz)
  AND (:before_time::timestamptz IS NULL
       OR (created_at, id) < (:before_time::timestamptz, :before_id::uuid))
ORDER BY created_at DESC, id DESC
LIMIT :limit::int

-- name: find
SELECT id, user_id, session_id, message_id, direction, action, severity, stage, score, category, rule, mode, span_start,
       span_length, text_sealed IS NOT NULL AS has_text, status, act, acted_by, act_reason, created_at
FROM moderation_events
WHERE id = :id::uuid

-- name: text
SELECT text_sealed FROM moderation_events WHERE id = :id::uuid AND text_sealed IS NOT NULL

-- name: act_on
UPDATE moderation_events
SET status = :status, status_changed_at = :now::timestamptz, act = :act, acted_by = :actor::uuid, act_reason = :reason
WHERE id = :id::uuid

-- name: recent_texts
SELECT id, direction, mode, rule, text_sealed FROM moderation_events
WHERE created_at >= :since::timestamptz AND text_sealed IS NOT NULL
ORDER BY created_at DESC LIMIT :limit::int

-- name: drop_texts
SELECT drop_moderation_texts(:before::timestamptz, :batch::int) AS dropped

-- name: crisis_counts
SELECT to_char(month, 'YYYY-MM') AS month, region, kind, count FROM crisis_counts
WHERE month >= make_date(:year::int, 1, 1) AND month < make_date(:year::int + 1, 1, 1)
ORDER BY month, region, kind

-- name: disclosures
SELECT id, user_id, session_id, message_id, reason, region, text, shown_at FROM disclosures
WHERE (:user_id::uuid IS NULL OR user_id = :user_id::uuid)
  AND (:session_id::uuid IS NULL OR session_id = :session_id::uuid)
ORDER BY shown_at DESC, id LIMIT :limit::int OFFSET :offset::bigint

-- name: warn
INSERT INTO user_notices (user_id, kind, text, created_at)
VALUES (:user_id::uuid, 'warning', :text, :now::timestamptz)

-- name: announce_persona_change
INSERT INTO user_notices (user_id, kind, text, created_at)
SELECT DISTINCT user_id, 'persona_change', :text, :now::timestamptz FROM chat_sessions
WHERE character_id = :character_id::uuid AND last_message_at >= :since::timestamptz

-- name: notices
SELECT id, kind, text, created_at, seen_at FROM user_notices
WHERE user_id = :user_id::uuid ORDER BY (seen_at IS NULL) DESC, created_at DESC LIMIT 50

-- name: see_notice
UPDATE user_notices SET seen_at = coalesce(seen_at, :now::timestamptz)
WHERE id = :id::uuid AND user_id = :user_id::uuid

-- name: rule_set
SELECT version, files, note, edition, author, changed_at, rolled_back_to FROM moderation_rule_sets
WHERE version = :version::int

-- name: lock_draft
SELECT version, files, note, edition, author, changed_at, rolled_back_to FROM moderation_rule_sets
WHERE version = 0 FOR UPDATE

-- name: live_rule_set
SELECT version, files, note, edition, author, changed_at, rolled_back_to FROM moderation_rule_sets
WHERE version > 0 ORDER BY version DESC LIMIT 1

-- name: live_rule_version
SELECT coalesce(max(version), 0) AS version FROM moderation_rule_sets

-- name: rule_versions
SELECT version, note, author, changed_at, rolled_back_to FROM moderation_rule_sets
WHERE version > 0 ORDER BY version DESC LIMIT 50

-- name: put_draft
INSERT INTO moderation_rule_sets (version, files, note, edition, author, changed_at)
VALUES (0, :files::jsonb, :note, 1, :author::uuid, :now::timestamptz)
ON CONFLICT (version) DO UPDATE
    SET files = excluded.files, note = excluded.note, edition = moderation_rule_sets.edition + 1,
        author = excluded.author, changed_at = excluded.changed_at

-- name: drop_draft
DELETE FROM moderation_rule_sets WHERE version = 0

-- name: lock_rules
SELECT pg_advisory_xact_lock(hashtextextended('moderation_rule_sets', 0))

-- name: publish_rules
INSERT INTO moderation_rule_sets (version, files, note, author, changed_at, rolled_back_to)
SELECT greatest(coalesce(max(version), 0), 0) + 1, :files::jsonb, :note, :author::uuid, :now::timestamptz,
       :rolled_back_to::int
FROM moderation_rule_sets
RETURNING version
