-- name: record
INSERT INTO moderation_events (id, user_id, session_id, message_id, direction, action, severity, category, rule, mode,
                               span_start, span_length, text_sealed, created_at)
VALUES (:id::uuid, :user_id::uuid, :session_id::uuid, :message_id::uuid, :direction, :action, :severity, :category,
        :rule, :mode, :span_start::int, :span_length::int, :text, :now::timestamptz)

-- name: events
SELECT id, user_id, session_id, message_id, direction, action, severity, category, rule, mode, status, created_at
FROM moderation_events
WHERE (:user_id::uuid IS NULL OR user_id = :user_id::uuid)
  AND (:action::text IS NULL OR action = :action::text)
  AND (:category::text IS NULL OR category = :category::text)
  AND (:status::text IS NULL OR status = :status::text)
  AND (:from::timestamptz IS NULL OR created_at >= :from::timestamptz)
  AND (:to::timestamptz IS NULL OR created_at < :to::timestamptz)
  AND (:before_time::timestamptz IS NULL
       OR (created_at, id) < (:before_time::timestamptz, :before_id::uuid))
ORDER BY created_at DESC, id DESC
LIMIT :limit::int

-- name: find
SELECT id, user_id, session_id, message_id, direction, action, severity, category, rule, mode, status, created_at
FROM moderation_events
WHERE id = :id::uuid

-- name: text
SELECT text_sealed FROM moderation_events WHERE id = :id::uuid AND text_sealed IS NOT NULL

-- name: set_status
UPDATE moderation_events SET status = :status, status_changed_at = :now::timestamptz
WHERE id = :id::uuid
