-- Moderation grown up: verdicts that say which stage and how sure, flags beside blocks, what operators did about an event,
-- rule sets that are edited, tested and published without a restart, disclosures that can be proven, and crisis counts
-- that name nobody.

------------------------------------------------------------------------------------------------------- the events
ALTER TABLE moderation_events
    ADD COLUMN stage text NOT NULL DEFAULT 'rules' CHECK (stage IN ('rules', 'classifier', 'remote')),
    ADD COLUMN score real CHECK (score BETWEEN 0 AND 1),
    ADD COLUMN act text CHECK (act IN ('dismiss', 'warn', 'suspend', 'escalate')),
    ADD COLUMN acted_by uuid REFERENCES users (id),
    ADD COLUMN act_reason text CHECK (char_length(act_reason) BETWEEN 1 AND 500);
ALTER TABLE moderation_events DROP CONSTRAINT moderation_events_action_check;
ALTER TABLE moderation_events ADD CONSTRAINT moderation_events_action_check CHECK (action IN ('flag', 'block', 'crisis'));
ALTER TABLE moderation_events DROP CONSTRAINT moderation_events_status_check;
ALTER TABLE moderation_events ADD CONSTRAINT moderation_events_status_check
    CHECK (status IN ('open', 'dismissed', 'actioned', 'escalated'));
DROP INDEX moderation_events_open;
CREATE INDEX moderation_events_open ON moderation_events (severity, created_at) WHERE status IN ('open', 'escalated');
GRANT UPDATE (act, acted_by, act_reason) ON moderation_events TO companion_operator;

-- The texts whose time is over are dropped; the rest of an event stays. Says how many. For the retention job.
CREATE FUNCTION drop_moderation_texts(p_before timestamptz, p_batch integer) RETURNS integer
LANGUAGE sql SET search_path = public, pg_temp AS $$
    WITH old AS (
        SELECT id FROM moderation_events
        WHERE created_at < p_before AND text_sealed IS NOT NULL
        ORDER BY created_at LIMIT p_batch
    ), dropped AS (
        UPDATE moderation_events e SET text_sealed = NULL FROM old WHERE e.id = old.id RETURNING 1
    )
    SELECT count(*)::integer FROM dropped
$$;
CREATE INDEX moderation_events_with_text ON moderation_events (created_at) WHERE text_sealed IS NOT NULL;

------------------------------------------------------------------------------------------------- notices to a user
-- What the product owes a user to read before going on: an operator's warning, a persona that is going to change.
CREATE TABLE user_notices (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    uuid NOT NULL REFERENCES users (id),
    kind       text NOT NULL CHECK (kind IN ('warning', 'persona_change')),
    text       text NOT NULL CHECK (char_length(text) BETWEEN 1 AND 2000),
    created_at timestamptz NOT NULL,
    seen_at    timestamptz
);
CREATE INDEX user_notices_of_user ON user_notices (user_id, created_at DESC);
SELECT protect_user_rows('user_notices', 'SELECT, UPDATE (seen_at)', 'SELECT, INSERT, DELETE');

------------------------------------------------------------------------------------------------------- rule sets
-- Rule files by name, over those that the program carries: a file of the same name takes its place, the others stay. The
-- draft is version 0; a published version is never changed, and the highest is the live one. No published version: the
-- program's own rules.
CREATE TABLE moderation_rule_sets (
    version      integer PRIMARY KEY CHECK (version >= 0),
    files        jsonb NOT NULL CHECK (jsonb_typeof(files) = 'object'),
    note         text NOT NULL DEFAULT '' CHECK (char_length(note) <= 500),
    edition      bigint NOT NULL DEFAULT 1, -- of the draft: counts its changes
    author       uuid NOT NULL REFERENCES users (id),
    changed_at   timestamptz NOT NULL,
    rolled_back_to integer
);
GRANT SELECT, INSERT, UPDATE, DELETE ON moderation_rule_sets TO companion_operator;
CREATE FUNCTION keep_published_rules() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.version > 0 THEN
        RAISE EXCEPTION 'a published rule set stays as it is' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER moderation_rule_sets_keep BEFORE UPDATE OR DELETE ON moderation_rule_sets
    FOR EACH ROW EXECUTE FUNCTION keep_published_rules();

------------------------------------------------------------------------------------------------------ disclosures
-- One row for each time a user was told that this is an AI: written with the turn that told it, in its transaction, from
-- the very answer that the client gets. Never changed.
CREATE TABLE disclosures (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    uuid NOT NULL REFERENCES users (id),
    session_id uuid,
    message_id uuid NOT NULL,
    reason     text NOT NULL CHECK (reason IN ('session_start', 'asked', 'interval')),
    region     text,
    text       text NOT NULL,
    shown_at   timestamptz NOT NULL
);
CREATE INDEX disclosures_of_user ON disclosures (user_id, shown_at DESC);
CREATE INDEX disclosures_of_session ON disclosures (session_id, shown_at) WHERE session_id IS NOT NULL;
SELECT protect_user_rows('disclosures', 'SELECT, INSERT', 'SELECT, INSERT, DELETE');

CREATE FUNCTION note_disclosure() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO disclosures (user_id, session_id, message_id, reason, region, text, shown_at)
    SELECT NEW.user_id, NEW.session_id, NEW.message_id, NEW.answer #>> '{disclosed,reason}',
           (SELECT region FROM users WHERE id = NEW.user_id), NEW.answer #>> '{companion,disclosure}', NEW.ended_at;
    RETURN NULL;
END $$;
CREATE TRIGGER chat_turns_disclose AFTER UPDATE OF status ON chat_turns FOR EACH ROW
    WHEN (NEW.status = 'settled' AND OLD.status IS DISTINCT FROM 'settled' AND NEW.answer ? 'disclosed')
    EXECUTE FUNCTION note_disclosure();

---------------------------------------------------------------------------------------------------- crisis counts
-- For the yearly report: how many crises were answered, by month, country and kind. No user, no session, no text, and not
-- to be joined to any: who counts is the owner, so that no role's reading of it leads further than the number.
CREATE TABLE crisis_counts (
    month  date NOT NULL CHECK (extract(day FROM month) = 1),
    region text NOT NULL, -- '' where it is not known
    kind   text NOT NULL,
    count  bigint NOT NULL CHECK (count > 0),
    PRIMARY KEY (month, region, kind)
);
GRANT SELECT ON crisis_counts TO companion_operator;

CREATE FUNCTION count_crisis() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO crisis_counts (month, region, kind, count)
    SELECT date_trunc('month', NEW.created_at AT TIME ZONE 'UTC')::date,
           coalesce((SELECT region FROM users WHERE id = NEW.user_id), ''), NEW.category, 1
    ON CONFLICT (month, region, kind) DO UPDATE SET count = crisis_counts.count + 1;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION count_crisis() FROM PUBLIC;
CREATE TRIGGER moderation_events_count AFTER INSERT ON moderation_events FOR EACH ROW
    WHEN (NEW.action = 'crisis') EXECUTE FUNCTION count_crisis();
