-- The user's rights (docs/rights.md): what was agreed to, how long what is kept, and who was erased.

-- Every yes and no, with the version of the text that was shown. Append-only: the newest of a kind counts.
CREATE TABLE consents (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users,
    kind       text NOT NULL CHECK (kind IN ('terms', 'privacy', 'adult_content', 'memory', 'marketing')),
    version    text NOT NULL CHECK (char_length(version) BETWEEN 1 AND 64),
    given      boolean NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX consents_of_user ON consents (user_id, created_at DESC, id DESC);
SELECT protect_user_rows('consents', 'SELECT, INSERT', 'SELECT, INSERT, DELETE');

-- How long what is kept. The job enforces it; `backups` is what the operator's own backups outlive, which receipts state.
CREATE TABLE retention_policies (
    what      text PRIMARY KEY,
    keep_days integer NOT NULL CHECK (keep_days BETWEEN 1 AND 36500),
    why       text NOT NULL CHECK (char_length(why) <= 200)
);
INSERT INTO retention_policies VALUES
    ('kept_answers',     1,    'Answers to repeated requests: idempotency keys are promised for 24 hours'),
    ('stateless_replies', 1,   'Replies of the stateless door, for replay'),
    ('refused_webhooks', 30,   'Webhooks that were not believed, to see an attack'),
    ('ended_devices',    1,    'Devices that are signed out and their used tokens, to notice a stolen one'),
    ('revoked_keys',     90,   'Revoked keys: names and last use, to look into a leak'),
    ('ended_sandbox',    30,   'Delivered webhooks of the sandbox provider'),
    ('erased_consents',  1095, 'What an erased user had agreed to: the proof outlives the account'),
    ('backups',          35,   'Backups of the database, kept by the operator outside it');
GRANT SELECT ON retention_policies TO companion_app;
GRANT SELECT, UPDATE (keep_days, why) ON retention_policies TO companion_operator;

-- A tombstone: the account's id stands in money's rows for ever, and nothing else is left of it.
CREATE TABLE erasures (
    user_id   uuid PRIMARY KEY REFERENCES users,
    erased_at timestamptz NOT NULL,
    receipt   jsonb NOT NULL CHECK (jsonb_typeof(receipt) = 'object'),
    swept_at  timestamptz -- looked after once more, for what was under way meanwhile
);
CREATE INDEX erasures_to_sweep ON erasures (erased_at) WHERE swept_at IS NULL;
SELECT protect_user_rows('erasures', '', 'SELECT, INSERT, UPDATE (receipt, swept_at)');

GRANT DELETE ON api_keys, access_keys, age_verifications, store_consents TO companion_operator;

-- The texts of the ledger's rows about chats and corrections: emptied with their salt, so that the chain stays whole and
-- nobody can guess them from their digests (docs/ledger.md). What money needs (purchases, refunds, debts) names products
-- and payments and no person. Only the owner may do it: for the operator role this function, and no more of that power.
CREATE FUNCTION erase_ledger_texts(p_user uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_rows bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE id = p_user AND status = 'erased') THEN
        RAISE EXCEPTION 'only an erased user''s texts may be emptied' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE transaction_history SET description = '', metadata = '{}', text_salt = NULL
    WHERE user_id = p_user AND kind IN ('chat', 'chat_refund', 'adjustment') AND text_salt IS NOT NULL;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    RETURN v_rows;
END $$;
REVOKE ALL ON FUNCTION erase_ledger_texts(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_ledger_texts(uuid) TO companion_operator;
