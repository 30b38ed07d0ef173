-- Sessions, turns and messages. A turn is one paid question and answer: it runs under a hold until its deadline, then
-- it is settled (charged and kept) or voided (free and forgotten). Messages are written when their turn settles.
CREATE TABLE chat_sessions (
    id                 uuid PRIMARY KEY,
    user_id            uuid NOT NULL REFERENCES users (id),
    character_id       uuid NOT NULL REFERENCES character_config (id),
    persona_version    integer NOT NULL CHECK (persona_version > 0),
    mode               text NOT NULL CHECK (mode IN ('normal', 'spicy')),
    title              text NOT NULL CHECK (length(title) BETWEEN 1 AND 120),
    message_count      integer NOT NULL DEFAULT 0 CHECK (message_count >= 0),
    total_cost         numeric(18, 4) NOT NULL DEFAULT 0 CHECK (total_cost >= 0),
    created_at         timestamptz NOT NULL,
    last_message_at    timestamptz NOT NULL,
    last_disclosure_at timestamptz,
    -- One turn at a time: the running turn's reply, and when it may be given up. A voided or settled one clears it.
    running_turn       uuid,
    running_until      timestamptz,
    CHECK ((running_turn IS NULL) = (running_until IS NULL))
);
CREATE INDEX chat_sessions_of_user ON chat_sessions (user_id, last_message_at DESC, id DESC);
SELECT protect_user_rows('chat_sessions', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE chat_turns (
    message_id      uuid PRIMARY KEY, -- the reply's
    user_id         uuid NOT NULL REFERENCES users (id),
    session_id      uuid REFERENCES chat_sessions (id) ON DELETE CASCADE, -- null: the stateless /v1 door
    status          text NOT NULL CHECK (status IN ('running', 'settled', 'voided', 'refused')),
    mode            text NOT NULL CHECK (mode IN ('normal', 'spicy')),
    route           text NOT NULL,
    idempotency_key text CHECK (idempotency_key ~ '^[\x21-\x7e]{1,128}$'),
    fingerprint     bytea,
    hold_id         uuid,
    deadline        timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    model           text,
    prompt_tokens     integer,
    completion_tokens integer,
    total_tokens      integer,
    provider_cost   numeric(20, 10), -- US dollars, as the provider billed it
    reply           text,            -- of a stateless turn, kept 24 h for replay
    answer          jsonb,           -- settled: what the client is told beside the text; refused: the problem
    CHECK ((status = 'running') = (ended_at IS NULL))
);
-- A voided turn frees its key; the others answer it for 24 hours.
CREATE UNIQUE INDEX chat_turns_by_key ON chat_turns (user_id, route, idempotency_key)
    WHERE idempotency_key IS NOT NULL AND status <> 'voided';
CREATE INDEX chat_turns_of_session ON chat_turns (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX chat_turns_overdue ON chat_turns (deadline) WHERE status = 'running';
CREATE INDEX chat_turns_by_day ON chat_turns (created_at);
SELECT protect_user_rows('chat_turns', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE chat_messages (
    id            uuid NOT NULL,
    session_id    uuid NOT NULL REFERENCES chat_sessions (id) ON DELETE CASCADE,
    user_id       uuid NOT NULL REFERENCES users (id),
    turn_id       uuid NOT NULL, -- the reply's id, on the question as well
    role          text NOT NULL CHECK (role IN ('user', 'assistant')),
    mode          text NOT NULL CHECK (mode IN ('normal', 'spicy')),
    content       text NOT NULL,
    created_at    timestamptz NOT NULL,
    cost          numeric(18, 4) CHECK (cost >= 0),
    tokens        integer CHECK (tokens >= 0),
    finish_reason text,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX chat_messages_of_session ON chat_messages (session_id, created_at DESC, id DESC);
CREATE INDEX chat_messages_of_user ON chat_messages (user_id, created_at DESC);
SELECT protect_user_rows('chat_messages', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE');

CREATE TABLE message_feedback (
    message_id uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES chat_sessions (id) ON DELETE CASCADE,
    user_id    uuid NOT NULL REFERENCES users (id),
    rating     text NOT NULL CHECK (rating IN ('up', 'down')),
    note       text,
    created_at timestamptz NOT NULL
);
SELECT protect_user_rows('message_feedback', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, DELETE');

-- Makes the month's partition of each table by month, and says how many were made. Run ahead by a job.
CREATE FUNCTION make_chat_partitions(first_month date, months integer) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    month date;
    made integer := 0;
BEGIN
    FOR i IN 0 .. months - 1 LOOP
        month := (date_trunc('month', first_month) + make_interval(months => i))::date;
        IF to_regclass(format('chat_messages_%s', to_char(month, 'YYYYMM'))) IS NULL THEN
            EXECUTE format('CREATE TABLE chat_messages_%s PARTITION OF chat_messages FOR VALUES FROM (%L) TO (%L)',
                           to_char(month, 'YYYYMM'), month::timestamp AT TIME ZONE 'UTC',
                           (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;
-- A default partition keeps a message whose month has no partition yet: losing one would be worse than moving it.
CREATE TABLE chat_messages_default PARTITION OF chat_messages DEFAULT;
SELECT make_chat_partitions('2026-01-01', 36);
