-- What moderation stopped or answered itself: who, where, why; the text only sealed (AES-256-GCM, the key is not here).
-- A session or message may be deleted by its user while the record of it stays, so those are plain ids.

CREATE TABLE moderation_events (
    id                uuid PRIMARY KEY,
    user_id           uuid NOT NULL REFERENCES users (id),
    session_id        uuid,
    message_id        uuid,
    direction         text NOT NULL CHECK (direction IN ('input', 'output')),
    action            text NOT NULL CHECK (action IN ('block', 'crisis')),
    severity          text NOT NULL CHECK (severity IN ('normal', 'high')),
    category          text NOT NULL CHECK (category ~ '^[a-z][a-z_]*$'),
    rule              text NOT NULL CHECK (rule <> ''),
    mode              text NOT NULL CHECK (mode IN ('normal', 'spicy')),
    span_start        integer NOT NULL CHECK (span_start >= 0),
    span_length       integer NOT NULL CHECK (span_length >= 0),
    text_sealed       bytea, -- null once its retention time is over
    status            text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'dismissed', 'actioned')),
    status_changed_at timestamptz,
    created_at        timestamptz NOT NULL,
    CHECK ((status = 'open') OR status_changed_at IS NOT NULL)
);
CREATE INDEX moderation_events_by_time ON moderation_events (created_at DESC, id DESC);
CREATE INDEX moderation_events_of_user ON moderation_events (user_id, created_at DESC, id DESC);
CREATE INDEX moderation_events_open ON moderation_events (severity, created_at) WHERE status = 'open';

-- A user's transaction adds to the record and never reads it; operators change a status, and drop a text, but nothing
-- of what happened.
SELECT protect_user_rows('moderation_events', 'INSERT',
                         'SELECT, INSERT, UPDATE (status, status_changed_at, text_sealed)');

CREATE FUNCTION keep_moderation_text() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.text_sealed IS NOT NULL AND NEW.text_sealed IS DISTINCT FROM OLD.text_sealed THEN
        RAISE EXCEPTION 'a moderation text may be dropped, not changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER moderation_events_keep_text BEFORE UPDATE ON moderation_events
    FOR EACH ROW EXECUTE FUNCTION keep_moderation_text();
