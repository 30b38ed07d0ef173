-- Long-term memory. The messages of users who have it are kept as memories, with what the ranking needs of them beside
-- the text; facts are what was said of somebody in short. A vector belongs to a space: one store and one embedder. Each
-- user is searched in one space, and another is filled beside it before the search changes over (docs/memory.md).

-- One row for each user who has memories. The revision grows with every change: by it each instance knows whether what it
-- keeps in memory still counts. Up to rewritten_at, changes were more than additions.
CREATE TABLE memory_owners (
    user_id      uuid PRIMARY KEY REFERENCES users (id),
    revision     bigint NOT NULL DEFAULT 0 CHECK (revision >= 0),
    rewritten_at bigint NOT NULL DEFAULT 0 CHECK (rewritten_at BETWEEN 0 AND revision),
    space        text NOT NULL DEFAULT '' CHECK (length(space) <= 200) -- that the search uses; '': none yet
);
CREATE INDEX memory_owners_of_space ON memory_owners (space, user_id);
SELECT protect_user_rows('memory_owners', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE memories (
    id           uuid PRIMARY KEY, -- the message's
    user_id      uuid NOT NULL,
    session_id   uuid NOT NULL,
    character_id uuid NOT NULL,
    speaker      text NOT NULL CHECK (speaker IN ('user', 'assistant')),
    mode         text NOT NULL CHECK (mode IN ('normal', 'spicy')),
    said_at      timestamptz NOT NULL,
    text         text NOT NULL,
    terms        bytea NOT NULL,   -- as the ranking reads them
    edited_at    timestamptz,      -- the user corrected it
    revision     bigint NOT NULL   -- the owner's, when it came
);
CREATE INDEX memories_of_user ON memories (user_id, revision);
CREATE INDEX memories_in_time ON memories (user_id, said_at DESC, id DESC);
CREATE INDEX memories_of_session ON memories (session_id);
SELECT protect_user_rows('memories', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE memory_vectors (
    user_id   uuid NOT NULL,
    space     text NOT NULL CHECK (length(space) BETWEEN 1 AND 200),
    memory_id uuid NOT NULL,
    dimension integer NOT NULL CHECK (dimension BETWEEN 1 AND 16384),
    vector    bytea, -- IEEE half floats, little-endian; null: the space's own store has it
    revision  bigint NOT NULL,
    PRIMARY KEY (user_id, space, memory_id),
    CHECK (vector IS NULL OR length(vector) = 2 * dimension)
);
SELECT protect_user_rows('memory_vectors', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE memory_facts (
    id             uuid PRIMARY KEY,
    user_id        uuid NOT NULL,
    character_id   uuid,          -- whom it was told; null: nobody any more
    mode           text NOT NULL CHECK (mode IN ('normal', 'spicy')),
    kind           text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,39}$'),
    subject        text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    value          text NOT NULL CHECK (length(value) BETWEEN 1 AND 1000),
    confidence     double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    on_day         date,          -- of a birthday, a plan, an event
    source_message uuid,
    session_id     uuid,
    since          timestamptz NOT NULL, -- when it was first said
    said_at        timestamptz NOT NULL, -- and when last
    edited_at      timestamptz    -- the user corrected it: nothing said later changes it by itself
);
CREATE INDEX memory_facts_of_user ON memory_facts (user_id, said_at DESC, id DESC);
CREATE INDEX memory_facts_of_message ON memory_facts (source_message) WHERE source_message IS NOT NULL;
CREATE INDEX memory_facts_of_session ON memory_facts (session_id) WHERE session_id IS NOT NULL;
SELECT protect_user_rows('memory_facts', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

-- What is still to be done, in the order in which it is due. Whoever does an entry has it until its lease ends.
--   note    messages of a settled turn become memories and facts, and get their vectors
--   embed   these memories (none named: all that have none) get vectors in the space of the day
--   forget  these ids (none named: all of the user's) leave the space's store; `receipt` is waiting for it
CREATE TABLE memory_queue (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('note', 'embed', 'forget')),
    session_id  uuid,
    memory_ids  uuid[] NOT NULL DEFAULT '{}',
    noted       boolean NOT NULL DEFAULT false, -- the memories are written; only the vectors are missing
    space       text,
    receipt_id  uuid,
    due_at      timestamptz NOT NULL,
    created_at  timestamptz NOT NULL,
    attempts    integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    lease_id    uuid,
    lease_until timestamptz,
    last_error  text,
    dead_at     timestamptz, -- given up; an operator may make it due again
    CHECK ((lease_id IS NULL) = (lease_until IS NULL))
);
CREATE INDEX memory_queue_due ON memory_queue (due_at, id) WHERE dead_at IS NULL;
CREATE INDEX memory_queue_of_user ON memory_queue (user_id);
SELECT protect_user_rows('memory_queue', 'SELECT, INSERT, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

-- That something was forgotten, and where it is gone by now. Holds no text; it outlives what it is about.
CREATE TABLE memory_receipts (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL,
    scope        text NOT NULL CHECK (scope IN ('memory', 'fact', 'message', 'session', 'account', 'orphans')),
    target       uuid NOT NULL,
    memories     integer NOT NULL CHECK (memories >= 0),
    facts        integer NOT NULL CHECK (facts >= 0),
    requested_at timestamptz NOT NULL,
    waiting_for  text[] NOT NULL DEFAULT '{}', -- spaces that have not confirmed yet
    done_at      timestamptz,
    CHECK ((done_at IS NULL) = (waiting_for <> '{}'))
);
CREATE INDEX memory_receipts_of_user ON memory_receipts (user_id, requested_at DESC, id DESC);
SELECT protect_user_rows('memory_receipts', 'SELECT, INSERT', 'SELECT, INSERT, UPDATE, DELETE');

------------------------------------------------------------------------------------------------------- the revision
-- The next revision of the user's memories. The row's lock lasts until the commit, so revisions come in the order of the
-- commits, and nobody who has read one misses what stands below it. p_rewrites: not just an addition.
CREATE FUNCTION memory_touch(p_user uuid, p_rewrites boolean) RETURNS bigint
LANGUAGE sql SET search_path = public, pg_temp AS $$
    INSERT INTO memory_owners (user_id, revision, rewritten_at) VALUES (p_user, 1, CASE WHEN p_rewrites THEN 1 ELSE 0 END)
    ON CONFLICT (user_id) DO UPDATE
        SET revision = memory_owners.revision + 1,
            rewritten_at = CASE WHEN p_rewrites THEN memory_owners.revision + 1 ELSE memory_owners.rewritten_at END
    RETURNING revision
$$;

---------------------------------------------------------------------------------------------------------- forgetting
-- Takes memories and facts out, and writes the receipt: of the memories p_ids with the facts that were learned from them,
-- of a session, or (neither named) everything. Spaces whose vectors are elsewhere get their order to forget. A fact that
-- the user has put right is the user's own word and goes only with the account, or by itself.
CREATE FUNCTION memory_forget(p_user uuid, p_scope text, p_target uuid, p_ids uuid[], p_session uuid, p_facts uuid[],
                              p_now timestamptz) RETURNS memory_receipts
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_all boolean := p_ids IS NULL AND p_session IS NULL AND p_facts IS NULL;
    v_ids uuid[];
    v_spaces text[];
    v_receipt memory_receipts;
BEGIN
    -- First: whoever writes this user's memories waits here. Nobody has any without an owner's row.
    UPDATE memory_owners SET revision = revision + 1, rewritten_at = revision + 1 WHERE user_id = p_user;
    v_receipt.id := gen_random_uuid();
    v_receipt.user_id := p_user;
    v_receipt.scope := p_scope;
    v_receipt.target := p_target;
    v_receipt.requested_at := p_now;
    IF v_all THEN
        DELETE FROM memory_queue WHERE user_id = p_user AND kind <> 'forget';
    ELSIF p_session IS NOT NULL THEN
        DELETE FROM memory_queue WHERE user_id = p_user AND session_id = p_session AND kind = 'note';
    END IF;
    WITH gone AS (
        DELETE FROM memories m
        WHERE m.user_id = p_user AND (v_all OR m.id = ANY (p_ids) OR m.session_id = p_session) RETURNING m.id
    ) SELECT coalesce(array_agg(id), '{}') INTO v_ids FROM gone;
    WITH gone AS (
        DELETE FROM memory_facts f
        WHERE f.user_id = p_user
          AND (v_all OR f.id = ANY (p_facts)
               OR (f.edited_at IS NULL AND (f.source_message = ANY (p_ids) OR f.session_id = p_session)))
        RETURNING f.id
    ) SELECT count(*) INTO v_receipt.facts FROM gone;
    WITH gone AS (
        DELETE FROM memory_vectors v WHERE v.user_id = p_user AND (v_all OR v.memory_id = ANY (v_ids))
        RETURNING v.space, v.vector IS NULL AS elsewhere
    ) SELECT coalesce(array_agg(DISTINCT space) FILTER (WHERE elsewhere), '{}') INTO v_spaces FROM gone;
    v_receipt.memories := cardinality(v_ids);
    v_receipt.waiting_for := v_spaces;
    v_receipt.done_at := CASE WHEN v_spaces = '{}' THEN p_now END;
    INSERT INTO memory_receipts SELECT v_receipt.*;
    INSERT INTO memory_queue (user_id, kind, memory_ids, space, receipt_id, due_at, created_at)
    SELECT p_user, 'forget', CASE WHEN v_all THEN '{}' ELSE v_ids END, s, v_receipt.id, p_now, p_now
    FROM unnest(v_spaces) s;
    RETURN v_receipt;
END $$;
