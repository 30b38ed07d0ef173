-- The ledger (docs/ledger.md): a wallet of three buckets made of lots, holds that reserve named lots, an append-only
-- history chained by hashes, and double-entry legs. One function per operation; below each function's line "from here it
-- must succeed" nothing refuses. Lock order: the wallet row first, then everything else of that user.

------------------------------------------------------------------------------------------------------------ tables

CREATE TABLE user_wallet (
    user_id       uuid PRIMARY KEY REFERENCES users (id),
    daily_free    numeric(18,4) NOT NULL DEFAULT 0 CHECK (daily_free >= 0),
    purchased     numeric(18,4) NOT NULL DEFAULT 0 CHECK (purchased >= 0),
    bonus         numeric(18,4) NOT NULL DEFAULT 0 CHECK (bonus >= 0),
    held          numeric(18,4) NOT NULL DEFAULT 0 CHECK (held >= 0), -- part of the three above
    debt          numeric(18,4) NOT NULL DEFAULT 0 CHECK (debt >= 0),
    daily_limit   numeric(18,4) NOT NULL DEFAULT 0 CHECK (daily_limit >= 0),   -- of the tier, as last told
    granted_today numeric(18,4) NOT NULL DEFAULT 0 CHECK (granted_today >= 0), -- on refreshed_on: an upgrade adds the difference
    refreshed_on  date,                                    -- UTC day of the last daily refresh
    active_on     date,                                    -- UTC day the user last came; a sweep is no visit
    due_at        timestamptz NOT NULL DEFAULT 'infinity', -- nothing expires before it: a lower bound
    last_at       timestamptz NOT NULL DEFAULT '-infinity', -- of the newest history row: a wallet's time never goes back
    sequence      bigint NOT NULL DEFAULT 0 CHECK (sequence >= 0),
    head_hash     bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (octet_length(head_hash) = 32),
    created_at    timestamptz NOT NULL,
    CONSTRAINT held_is_there CHECK (held <= daily_free + purchased + bonus),
    CONSTRAINT wallet_is_bounded CHECK (daily_free + purchased + bonus <= 10000000000000)
) WITH (fillfactor = 50);
CREATE INDEX user_wallet_refresh ON user_wallet (refreshed_on, active_on);

CREATE TABLE wallet_lots (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES user_wallet,
    sequence   bigint NOT NULL,  -- of the history row that made it; breaks ties in the spending order
    bucket     text NOT NULL CHECK (bucket IN ('daily_free', 'purchased', 'bonus')),
    original   numeric(18,4) NOT NULL CHECK (original > 0),
    remaining  numeric(18,4) NOT NULL CHECK (remaining BETWEEN 0 AND original),
    reserved   numeric(18,4) NOT NULL DEFAULT 0,
    expires_at timestamptz,      -- expired from this very moment on
    created_at timestamptz NOT NULL,
    -- a column of its own, because an index on a predicate over `remaining` would cost every spending its HOT update
    open       boolean NOT NULL GENERATED ALWAYS AS (remaining > 0) STORED,
    CONSTRAINT reserved_is_there CHECK (reserved BETWEEN 0 AND remaining),
    CONSTRAINT bucket_has_its_expiry CHECK (CASE bucket WHEN 'daily_free' THEN expires_at IS NOT NULL
                                                        WHEN 'purchased' THEN expires_at IS NULL ELSE true END)
) WITH (fillfactor = 70);
CREATE INDEX wallet_lots_open ON wallet_lots (user_id) WHERE open;
CREATE INDEX wallet_lots_expiry ON wallet_lots (expires_at) WHERE open AND expires_at IS NOT NULL;

-- held → captured | voided | expired (its deadline passed). The answer given at the close stays, for a repeated call.
CREATE TABLE holds (
    id                 uuid PRIMARY KEY,
    user_id            uuid NOT NULL REFERENCES user_wallet,
    amount             numeric(18,4) NOT NULL CHECK (amount BETWEEN 0 AND 1000000000),
    expires_at         timestamptz NOT NULL,
    state              text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'captured', 'voided', 'expired')),
    created_at         timestamptz NOT NULL,
    closed_at          timestamptz,
    transaction_id     uuid,
    charged_daily_free numeric(18,4) NOT NULL DEFAULT 0 CHECK (charged_daily_free >= 0),
    charged_purchased  numeric(18,4) NOT NULL DEFAULT 0 CHECK (charged_purchased >= 0),
    charged_bonus      numeric(18,4) NOT NULL DEFAULT 0 CHECK (charged_bonus >= 0),
    after_daily_free   numeric(18,4),
    after_purchased    numeric(18,4),
    after_bonus        numeric(18,4),
    after_held         numeric(18,4),
    CONSTRAINT charge_within_hold CHECK (charged_daily_free + charged_purchased + charged_bonus <= amount),
    CONSTRAINT only_captures_charge CHECK (state = 'captured' OR charged_daily_free + charged_purchased + charged_bonus = 0),
    CONSTRAINT charge_has_its_row
        CHECK ((transaction_id IS NOT NULL) = (charged_daily_free + charged_purchased + charged_bonus > 0)),
    CONSTRAINT closed_says_when CHECK ((state = 'held') = (closed_at IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX holds_open ON holds (user_id) WHERE state = 'held';
CREATE INDEX holds_deadline ON holds (expires_at) WHERE state = 'held';

CREATE TABLE hold_lots (
    hold_id  uuid NOT NULL REFERENCES holds,
    position smallint NOT NULL CHECK (position > 0), -- the spending order
    lot_id   uuid NOT NULL REFERENCES wallet_lots,
    user_id  uuid NOT NULL,
    bucket   text NOT NULL CHECK (bucket IN ('daily_free', 'purchased', 'bonus')),
    amount   numeric(18,4) NOT NULL CHECK (amount > 0),
    PRIMARY KEY (hold_id, position)
);

-- Idempotency: one row per key of a user, whatever the partition its transaction is in. Refusals leave none.
CREATE TABLE operations (
    user_id          uuid NOT NULL REFERENCES user_wallet,
    key              text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 200),
    operation        text NOT NULL CHECK (operation IN ('hold', 'grant', 'adjust', 'reverse')),
    fingerprint      bytea NOT NULL CHECK (octet_length(fingerprint) = 32), -- SHA-256 of the terms
    result_id        uuid NOT NULL, -- the hold's, or the transaction's
    created_at       timestamptz NOT NULL, -- the transaction's too, to find its partition
    after_daily_free numeric(18,4) NOT NULL,
    after_purchased  numeric(18,4) NOT NULL,
    after_bonus      numeric(18,4) NOT NULL,
    after_held       numeric(18,4) NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE TABLE transaction_history (
    id               uuid NOT NULL,
    user_id          uuid NOT NULL REFERENCES user_wallet,
    sequence         bigint NOT NULL CHECK (sequence > 0), -- 1, 2, 3 … of this user
    kind             text NOT NULL CHECK (kind IN (
        'daily_refresh', 'daily_expiry', 'purchase', 'bonus_grant', 'bonus_expiry', 'chat', 'chat_refund',
        'payment_refund', 'chargeback', 'debt', 'debt_payment', 'adjustment', 'subscription_change')),
    amount           numeric(18,4) NOT NULL CHECK (abs(amount) <= 10000000000000),
    daily_free       numeric(18,4) NOT NULL,
    purchased        numeric(18,4) NOT NULL,
    bonus            numeric(18,4) NOT NULL,
    after_daily_free numeric(18,4) NOT NULL CHECK (after_daily_free >= 0),
    after_purchased  numeric(18,4) NOT NULL CHECK (after_purchased >= 0),
    after_bonus      numeric(18,4) NOT NULL CHECK (after_bonus >= 0),
    description      text NOT NULL CHECK (char_length(description) <= 500),
    metadata         jsonb NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
    hold_id          uuid,
    reverses         uuid,
    actor_id         uuid, -- the operator who did it
    created_at       timestamptz NOT NULL,
    prev_hash        bytea NOT NULL CHECK (octet_length(prev_hash) = 32),
    hash             bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (id, created_at),
    CONSTRAINT amount_is_the_buckets CHECK (amount = daily_free + purchased + bonus),
    CONSTRAINT kind_has_its_sign CHECK (CASE
        WHEN kind IN ('daily_refresh', 'purchase', 'bonus_grant', 'chat_refund') THEN amount > 0
        WHEN kind IN ('daily_expiry', 'bonus_expiry', 'chat', 'payment_refund', 'chargeback') THEN amount < 0
        WHEN kind = 'adjustment' THEN amount <> 0
        ELSE true END)
) PARTITION BY RANGE (created_at);
-- By user for the wallet's list and the chain; by time for the operator's list over everybody.
CREATE INDEX transaction_history_user ON transaction_history (user_id, created_at, sequence, id);
CREATE INDEX transaction_history_time ON transaction_history (created_at, sequence, id);

-- Double entry: each transaction's legs sum to zero. The user's side names the lot, so that every lot can be recomputed;
-- the operator's accounts are sums of legs and never a row that captures would queue for.
CREATE TABLE ledger_legs (
    transaction_id uuid NOT NULL,
    position       smallint NOT NULL CHECK (position > 0),
    user_id        uuid NOT NULL,
    account        text NOT NULL CHECK (account IN (
        'user:daily_free', 'user:purchased', 'user:bonus',
        'operator:usage_revenue', 'operator:issuance', 'operator:expiry', 'operator:adjustment')),
    lot_id         uuid,
    amount         numeric(18,4) NOT NULL CHECK (amount <> 0),
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (transaction_id, position, created_at),
    CONSTRAINT users_legs_name_a_lot CHECK ((lot_id IS NOT NULL) = (account LIKE 'user:%'))
) PARTITION BY RANGE (created_at);

-- A transaction is reversed once at most, in whatever partitions the two rows are.
CREATE TABLE reversals (
    original_id    uuid PRIMARY KEY,
    transaction_id uuid NOT NULL UNIQUE,
    user_id        uuid NOT NULL REFERENCES user_wallet,
    created_at     timestamptz NOT NULL
);

-- Where each chain stood at the end of a day, and one digest over them, chained from day to day: a history cut at its
-- end shows here even when the wallet's head was set back with it.
CREATE TABLE ledger_days (
    day         date PRIMARY KEY,
    wallets     bigint NOT NULL CHECK (wallets >= 0), -- that changed on the day
    prev_digest bytea NOT NULL CHECK (octet_length(prev_digest) = 32),
    digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
    closed_at   timestamptz NOT NULL
);
CREATE TABLE ledger_day_heads (
    day      date NOT NULL REFERENCES ledger_days DEFERRABLE INITIALLY DEFERRED,
    user_id  uuid NOT NULL REFERENCES user_wallet,
    sequence bigint NOT NULL CHECK (sequence > 0),
    hash     bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (day, user_id)
);

-------------------------------------------------------------------------------------------------------- partitions

-- A month's partition of each table, for `p_months` months from the one `p_from` lies in. The migration makes the first
-- ones and a job goes on; what a late job missed falls into the DEFAULT partition, because a month without a partition
-- must not stop the money. A month that already has rows there stays there. SECURITY DEFINER: only the owner may make
-- tables, and this is all of the owner's power that the job gets.
CREATE FUNCTION ledger_make_partitions(p_from date, p_months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_parent text;
    v_month date;
    v_name text;
    v_taken boolean;
    v_made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger_make_partitions', 0));
    FOREACH v_parent IN ARRAY ARRAY['transaction_history', 'ledger_legs'] LOOP
        FOR i IN 0 .. least(p_months, 120) - 1 LOOP
            v_month := (date_trunc('month', p_from::timestamp) + make_interval(months => i))::date;
            v_name := v_parent || to_char(v_month, '_YYYY_MM');
            CONTINUE WHEN to_regclass(v_name) IS NOT NULL;
            EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE created_at >= %L AND created_at < %L)', v_parent,
                           v_month || ' 00:00+00', (v_month + interval '1 month')::date || ' 00:00+00') INTO v_taken;
            CONTINUE WHEN v_taken;
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', v_name, v_parent,
                           v_month || ' 00:00+00', (v_month + interval '1 month')::date || ' 00:00+00');
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_name);
            v_made := v_made + 1;
        END LOOP;
    END LOOP;
    RETURN v_made;
END $$;
REVOKE EXECUTE ON FUNCTION ledger_make_partitions(date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_make_partitions(date, integer) TO companion_operator;

-- Reached through the parent only, whose policies then count: nobody has a privilege on a partition itself.
CREATE TABLE transaction_history_default PARTITION OF transaction_history DEFAULT;
CREATE TABLE ledger_legs_default PARTITION OF ledger_legs DEFAULT;
ALTER TABLE transaction_history_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE ledger_legs_default ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

------------------------------------------------------------------------------------------------- rights and triggers

SELECT protect_user_rows('user_wallet', 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE');
SELECT protect_user_rows('wallet_lots', 'SELECT, INSERT, UPDATE (remaining, reserved)',
                         'SELECT, INSERT, UPDATE (remaining, reserved)');
SELECT protect_user_rows('holds', 'SELECT, INSERT, UPDATE', 'SELECT, INSERT, UPDATE');
SELECT protect_user_rows('hold_lots', 'SELECT, INSERT', 'SELECT, INSERT');
SELECT protect_user_rows('operations', 'SELECT, INSERT', 'SELECT, INSERT');
SELECT protect_user_rows('transaction_history', 'SELECT, INSERT', 'SELECT, INSERT');
SELECT protect_user_rows('ledger_legs', 'SELECT, INSERT', 'SELECT, INSERT');
SELECT protect_user_rows('reversals', 'SELECT, INSERT', 'SELECT, INSERT');
SELECT protect_user_rows('ledger_day_heads', '', 'SELECT, INSERT');
ALTER TABLE ledger_days ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY ledger_days_operator ON ledger_days TO companion_operator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON ledger_days TO companion_operator;

-- The second line behind the missing privileges: whoever is granted too much one day is still refused. The tables' owner
-- is let through, knowingly: who owns a table can drop any trigger, so that a refusal would only pretend. What the owner
-- changes is found by ledger_audit.
CREATE FUNCTION ledger_is_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF current_user::regrole <> (SELECT relowner FROM pg_class WHERE oid = TG_RELID) THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW ELSE OLD END;
END $$;
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['transaction_history', 'ledger_legs', 'operations', 'reversals', 'hold_lots',
                                   'ledger_days', 'ledger_day_heads'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW
                        EXECUTE FUNCTION ledger_is_append_only()', v_table);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I FOR EACH STATEMENT
                        EXECUTE FUNCTION ledger_is_append_only()', v_table);
    END LOOP;
END $$;

-- A transaction's legs come in one statement and sum to zero.
CREATE FUNCTION ledger_legs_balance() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_legs GROUP BY transaction_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'legs do not sum to zero' USING ERRCODE = 'check_violation', CONSTRAINT = 'legs_balance';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER legs_balance AFTER INSERT ON ledger_legs REFERENCING NEW TABLE AS new_legs
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_legs_balance();

-- At commit the wallet's buckets are the sums of its lots. Fired by the wallet row, which every operation updates.
CREATE FUNCTION ledger_wallet_is_its_lots() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM user_wallet w, LATERAL (
                   SELECT coalesce(sum(remaining) FILTER (WHERE bucket = 'daily_free'), 0) AS daily_free,
                          coalesce(sum(remaining) FILTER (WHERE bucket = 'purchased'), 0) AS purchased,
                          coalesce(sum(remaining) FILTER (WHERE bucket = 'bonus'), 0) AS bonus,
                          coalesce(sum(reserved), 0) AS held
                   FROM wallet_lots l WHERE l.user_id = w.user_id AND l.open) lots
               WHERE w.user_id = NEW.user_id
                 AND (w.daily_free, w.purchased, w.bonus, w.held)
                     <> (lots.daily_free, lots.purchased, lots.bonus, lots.held)) THEN
        RAISE EXCEPTION 'the wallet is not the sum of its lots'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'wallet_is_its_lots';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER wallet_is_its_lots AFTER INSERT OR UPDATE ON user_wallet DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_wallet_is_its_lots();

------------------------------------------------------------------------------------------------------------- pieces
-- In all that follows `w` is the wallet row, locked by ledger_open; pieces take it and give it back changed, and the
-- operation saves it once, at its end. They run under the search_path that the operation has pinned: pinning it in each
-- again cost a third of all the time. None that is called once per operation is LANGUAGE sql: PostgreSQL 15 plans such a
-- body anew at every call, and keeps a PL/pgSQL function's plans.

CREATE FUNCTION ledger_day(p_time timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE AS $$ SELECT (p_time AT TIME ZONE 'UTC')::date $$;

CREATE FUNCTION ledger_midnight_after(p_time timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$ SELECT (date_trunc('day', p_time AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC' $$;

-- Not null, not NaN, at most 4 places, at most 10^9 either way.
CREATE FUNCTION ledger_is_amount(p_amount numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(abs(p_amount) <= 1000000000 AND p_amount = round(p_amount, 4), false) $$;

-- The spending order of the buckets.
CREATE FUNCTION ledger_bucket_rank(p_bucket text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE p_bucket WHEN 'daily_free' THEN 1 WHEN 'purchased' THEN 2 ELSE 3 END $$;

CREATE FUNCTION ledger_is_key(p_key text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(char_length(p_key) BETWEEN 1 AND 200, false) $$;

-- No separator can be forged: each term is written as its JSON text.
CREATE FUNCTION ledger_fingerprint(VARIADIC p_terms text[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN sha256(convert_to(array_to_json(p_terms)::text, 'UTF8'));
END $$;

-- The canonical bytes of a row: ids, sequence, UTC microseconds and numerics with 4 places. No description, no metadata:
-- personal text can be erased and the chain stays whole.
CREATE FUNCTION ledger_hash(e transaction_history) RETURNS bytea
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN sha256(convert_to('v1|' || e.id || '|' || e.user_id || '|' || e.sequence || '|'
        || (extract(epoch FROM e.created_at) * 1000000)::bigint || '|' || e.kind || '|' || e.amount || '|'
        || e.daily_free || '|' || e.purchased || '|' || e.bonus || '|'
        || e.after_daily_free || '|' || e.after_purchased || '|' || e.after_bonus || '|'
        || coalesce(e.hold_id::text, '') || '|' || coalesce(e.reverses::text, '') || '|'
        || coalesce(e.actor_id::text, '') || '|' || encode(e.prev_hash, 'hex'), 'UTF8'));
END $$;

CREATE FUNCTION ledger_day_digest(p_day date, p_prev bytea) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(coalesce(p_prev, decode(repeat('00', 32), 'hex')) || convert_to('v1|' || to_char(p_day, 'YYYY-MM-DD')
        || coalesce(string_agg('|' || user_id || '|' || sequence || '|' || encode(hash, 'hex'), '' ORDER BY user_id), ''),
        'UTF8'))
    FROM ledger_day_heads WHERE day = p_day
$$;

CREATE FUNCTION ledger_save(w user_wallet) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_wallet SET daily_free = w.daily_free, purchased = w.purchased, bonus = w.bonus, held = w.held,
        daily_limit = w.daily_limit, granted_today = w.granted_today, refreshed_on = w.refreshed_on,
        active_on = w.active_on, due_at = w.due_at, last_at = w.last_at, sequence = w.sequence, head_hash = w.head_hash
    WHERE user_id = w.user_id;
END $$;

-- Writes one history row and its legs: the given changes of lots against one operator account. The wallet that comes
-- back from ledger_after(w, row) stands behind it.
CREATE FUNCTION ledger_post(w user_wallet, p_now timestamptz, p_kind text, p_account text, p_lots uuid[],
                            p_buckets text[], p_amounts numeric[], p_description text, p_metadata jsonb,
                            p_hold uuid DEFAULT NULL, p_reverses uuid DEFAULT NULL, p_actor uuid DEFAULT NULL)
RETURNS transaction_history
LANGUAGE plpgsql AS $$
DECLARE
    e transaction_history;
BEGIN
    e.daily_free := 0;
    e.purchased := 0;
    e.bonus := 0;
    FOR i IN 1 .. cardinality(p_lots) LOOP
        CASE p_buckets[i]
            WHEN 'daily_free' THEN e.daily_free := e.daily_free + p_amounts[i];
            WHEN 'purchased' THEN e.purchased := e.purchased + p_amounts[i];
            WHEN 'bonus' THEN e.bonus := e.bonus + p_amounts[i];
        END CASE;
    END LOOP;
    e.id := gen_random_uuid();
    e.user_id := w.user_id;
    e.sequence := w.sequence + 1;
    e.kind := p_kind;
    e.amount := e.daily_free + e.purchased + e.bonus;
    e.after_daily_free := w.daily_free + e.daily_free;
    e.after_purchased := w.purchased + e.purchased;
    e.after_bonus := w.bonus + e.bonus;
    e.description := p_description;
    e.metadata := p_metadata;
    e.hold_id := p_hold;
    e.reverses := p_reverses;
    e.actor_id := p_actor;
    e.created_at := greatest(p_now, w.last_at);
    e.prev_hash := w.head_hash;
    e.hash := ledger_hash(e);
    INSERT INTO transaction_history SELECT e.*;
    INSERT INTO ledger_legs (transaction_id, position, user_id, account, lot_id, amount, created_at)
    SELECT e.id, part.position, e.user_id, 'user:' || part.bucket, part.lot, part.amount, e.created_at
    FROM unnest(p_lots, p_buckets, p_amounts) WITH ORDINALITY AS part (lot, bucket, amount, position)
    UNION ALL SELECT e.id, cardinality(p_lots) + 1, e.user_id, p_account, NULL, -e.amount, e.created_at;
    RETURN e;
END $$;

CREATE FUNCTION ledger_after(w user_wallet, e transaction_history) RETURNS user_wallet
LANGUAGE plpgsql AS $$
BEGIN
    w.daily_free := e.after_daily_free;
    w.purchased := e.after_purchased;
    w.bonus := e.after_bonus;
    w.sequence := e.sequence;
    w.head_hash := e.hash;
    w.last_at := e.created_at;
    RETURN w;
END $$;

-- What a grant of this kind is booked against.
CREATE FUNCTION ledger_account(p_kind text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_kind WHEN 'chat' THEN 'operator:usage_revenue' WHEN 'chat_refund' THEN 'operator:usage_revenue'
                       WHEN 'daily_expiry' THEN 'operator:expiry' WHEN 'bonus_expiry' THEN 'operator:expiry'
                       WHEN 'adjustment' THEN 'operator:adjustment' ELSE 'operator:issuance' END
$$;

-- A new lot; its sequence is that of the history row the caller writes right after.
CREATE FUNCTION ledger_add_lot(w user_wallet, p_now timestamptz, p_bucket text, p_amount numeric, p_expires_at timestamptz)
RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_id uuid;
BEGIN
    INSERT INTO wallet_lots (id, user_id, sequence, bucket, original, remaining, expires_at, created_at)
    VALUES (gen_random_uuid(), w.user_id, w.sequence + 1, p_bucket, p_amount, p_amount, p_expires_at, p_now)
    RETURNING id INTO v_id;
    RETURN v_id;
END $$;

-- Takes what is unheld out of the lots that have expired: one row for the daily bucket, one for bonus. What is reserved
-- stays until its hold closes.
CREATE FUNCTION ledger_expire_lots(w user_wallet, p_now timestamptz) RETURNS user_wallet
LANGUAGE plpgsql AS $$
DECLARE
    v_part record;
BEGIN
    FOR v_part IN
        SELECT bucket, array_agg(id ORDER BY sequence) AS lots, array_agg(bucket) AS buckets,
               array_agg(reserved - remaining ORDER BY sequence) AS amounts
        FROM wallet_lots
        WHERE user_id = w.user_id AND open AND expires_at <= p_now AND remaining > reserved
        GROUP BY bucket ORDER BY bucket DESC -- daily_free, then bonus
    LOOP
        UPDATE wallet_lots SET remaining = reserved WHERE id = ANY (v_part.lots);
        w := ledger_after(w, ledger_post(w, p_now,
            CASE v_part.bucket WHEN 'daily_free' THEN 'daily_expiry' ELSE 'bonus_expiry' END, 'operator:expiry',
            v_part.lots, v_part.buckets, v_part.amounts,
            CASE v_part.bucket WHEN 'daily_free' THEN 'Daily credits expired' ELSE 'Bonus credits expired' END, '{}'));
    END LOOP;
    RETURN w;
END $$;

-- Gives a hold's reservations back to their lots. What is charged is taken before, by the capture.
CREATE FUNCTION ledger_release(w user_wallet, p_hold uuid) RETURNS user_wallet
LANGUAGE plpgsql AS $$
DECLARE
    v_part hold_lots;
BEGIN
    FOR v_part IN SELECT * FROM hold_lots WHERE hold_id = p_hold ORDER BY position LOOP
        UPDATE wallet_lots SET reserved = reserved - v_part.amount WHERE id = v_part.lot_id;
        w.held := w.held - v_part.amount;
    END LOOP;
    RETURN w;
END $$;

CREATE FUNCTION ledger_close_hold(w user_wallet, p_hold uuid, p_state text, p_now timestamptz, p_transaction uuid DEFAULT NULL,
                                  p_daily_free numeric DEFAULT 0, p_purchased numeric DEFAULT 0, p_bonus numeric DEFAULT 0)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE holds SET state = p_state, closed_at = p_now, transaction_id = p_transaction,
        charged_daily_free = p_daily_free, charged_purchased = p_purchased, charged_bonus = p_bonus,
        after_daily_free = w.daily_free, after_purchased = w.purchased, after_bonus = w.bonus, after_held = w.held
    WHERE id = p_hold;
END $$;

-- Frees holds past their deadline, then expires lots. Costs nothing before the wallet's due_at.
CREATE FUNCTION ledger_free_due(w user_wallet, p_now timestamptz) RETURNS user_wallet
LANGUAGE plpgsql AS $$
DECLARE
    v_hold holds;
BEGIN
    IF p_now < w.due_at THEN
        RETURN w;
    END IF;
    FOR v_hold IN
        SELECT * FROM holds WHERE user_id = w.user_id AND state = 'held' AND expires_at < p_now ORDER BY expires_at, id
    LOOP
        w := ledger_release(w, v_hold.id);
        PERFORM ledger_close_hold(w, v_hold.id, 'expired', p_now);
    END LOOP;
    w := ledger_expire_lots(w, p_now);
    w.due_at := least(
        (SELECT min(expires_at) FROM wallet_lots WHERE user_id = w.user_id AND open AND expires_at > p_now),
        (SELECT min(expires_at) FROM holds WHERE user_id = w.user_id AND state = 'held'), 'infinity');
    RETURN w;
END $$;

-- The day's credit, once a UTC day; unheld credit of an earlier day has just expired, it had until midnight. A limit that
-- rises during the day adds the difference to what the day was granted already, so that going down and up gains nothing.
CREATE FUNCTION ledger_refresh_day(w user_wallet, p_now timestamptz, p_daily_limit numeric) RETURNS user_wallet
LANGUAGE plpgsql AS $$
DECLARE
    v_new_day boolean := coalesce(w.refreshed_on < ledger_day(p_now), true);
    v_grant numeric := p_daily_limit - CASE WHEN v_new_day THEN 0 ELSE w.granted_today END;
    v_midnight timestamptz := ledger_midnight_after(p_now);
BEGIN
    w.daily_limit := p_daily_limit;
    IF v_new_day THEN
        w.refreshed_on := ledger_day(p_now);
        w.granted_today := 0;
    END IF;
    IF v_grant > 0 AND w.refreshed_on = ledger_day(p_now) THEN
        w.granted_today := w.granted_today + v_grant;
        w := ledger_after(w, ledger_post(w, p_now, CASE WHEN v_new_day THEN 'daily_refresh' ELSE 'subscription_change' END,
            'operator:issuance', ARRAY[ledger_add_lot(w, p_now, 'daily_free', v_grant, v_midnight)], ARRAY['daily_free'],
            ARRAY[v_grant], CASE WHEN v_new_day THEN 'Daily credits' ELSE 'Daily credits of the new tier' END, '{}'));
        w.due_at := least(w.due_at, v_midnight);
    END IF;
    RETURN w;
END $$;

-- How every operation begins: say whose rows these are, lock the wallet (making it where there is none), free what is
-- due, and where the tier's limit is told refresh the day. All of this stays, whatever the operation then answers.
-- NULL: there is no such user.
CREATE FUNCTION ledger_open(p_user uuid, p_now timestamptz, p_daily_limit numeric DEFAULT NULL) RETURNS user_wallet
LANGUAGE plpgsql AS $$
DECLARE
    w user_wallet;
    v_before user_wallet;
BEGIN
    PERFORM set_config('companion.user_id', p_user::text, true);
    SELECT * INTO w FROM user_wallet WHERE user_id = p_user FOR UPDATE;
    IF NOT FOUND THEN
        IF NOT EXISTS (SELECT FROM users WHERE id = p_user) THEN
            RETURN NULL;
        END IF;
        INSERT INTO user_wallet (user_id, created_at) VALUES (p_user, p_now) ON CONFLICT DO NOTHING;
        SELECT * INTO w FROM user_wallet WHERE user_id = p_user FOR UPDATE;
    END IF;
    v_before := w;
    w := ledger_free_due(w, p_now);
    IF p_daily_limit IS NOT NULL THEN
        w := ledger_refresh_day(w, p_now, p_daily_limit);
        w.active_on := greatest(w.active_on, ledger_day(p_now));
    END IF;
    IF w IS DISTINCT FROM v_before THEN
        PERFORM ledger_save(w);
    END IF;
    RETURN w;
END $$;

-- What a wallet shows beside a repeated call's first answer.
CREATE FUNCTION ledger_as_then(w user_wallet, p_daily_free numeric, p_purchased numeric, p_bonus numeric, p_held numeric)
RETURNS user_wallet
LANGUAGE plpgsql AS $$
BEGIN
    w.daily_free := p_daily_free;
    w.purchased := p_purchased;
    w.bonus := p_bonus;
    w.held := p_held;
    RETURN w;
END $$;

CREATE FUNCTION ledger_remember(w user_wallet, p_key text, p_operation text, p_fingerprint bytea, p_result uuid,
                                p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO operations VALUES (w.user_id, p_key, p_operation, p_fingerprint, p_result, p_at,
                                   w.daily_free, w.purchased, w.bonus, w.held);
END $$;

-------------------------------------------------------------------------------------------------------- operations
-- code: ok, or the first refusal that applies, in the order in which the function's body checks.

-- invalid, not_found, key_reused (for other terms), insufficient_credits
CREATE FUNCTION ledger_hold(p_user uuid, p_key text, p_amount numeric, p_expires_at timestamptz, p_daily_limit numeric,
                            p_now timestamptz,
                            OUT code text, OUT replayed boolean, OUT required numeric, OUT available numeric,
                            OUT hold_id uuid, OUT hold_amount numeric, OUT hold_expires_at timestamptz,
                            OUT wallet user_wallet)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    v_done operations;
    v_print bytea := ledger_fingerprint('hold', p_amount::numeric(18,4)::text);
    v_lot record;
    v_left numeric := p_amount;
    v_take numeric;
    v_position smallint := 0;
BEGIN
    replayed := false;
    IF NOT (ledger_is_amount(p_amount) AND p_amount >= 0 AND ledger_is_amount(p_daily_limit) AND p_daily_limit >= 0
            AND ledger_is_key(p_key) AND coalesce(p_expires_at > p_now AND p_expires_at < 'infinity', false)) THEN
        code := 'invalid';
        RETURN;
    END IF;
    w := ledger_open(p_user, p_now, p_daily_limit);
    IF w.user_id IS NULL THEN
        code := 'not_found';
        RETURN;
    END IF;
    SELECT * INTO v_done FROM operations o WHERE o.user_id = p_user AND o.key = p_key;
    IF FOUND THEN
        IF v_done.fingerprint <> v_print THEN
            code := 'key_reused';
            RETURN;
        END IF;
        code := 'ok';
        replayed := true;
        SELECT h.id, h.amount, h.expires_at INTO hold_id, hold_amount, hold_expires_at
        FROM holds h WHERE h.id = v_done.result_id;
        wallet := ledger_as_then(w, v_done.after_daily_free, v_done.after_purchased, v_done.after_bonus, v_done.after_held);
        RETURN;
    END IF;
    available := w.daily_free + w.purchased + w.bonus - w.held;
    IF available < p_amount THEN
        code := 'insufficient_credits';
        required := p_amount;
        RETURN;
    END IF;

    -- from here it must succeed
    hold_id := gen_random_uuid();
    hold_amount := p_amount;
    hold_expires_at := p_expires_at;
    INSERT INTO holds (id, user_id, amount, expires_at, created_at) VALUES (hold_id, p_user, p_amount, p_expires_at, p_now);
    IF p_amount > 0 THEN
        FOR v_lot IN
            SELECT l.id, l.bucket, l.remaining - l.reserved AS free FROM wallet_lots l
            WHERE l.user_id = p_user AND l.open AND l.remaining > l.reserved
            ORDER BY ledger_bucket_rank(l.bucket), l.expires_at NULLS LAST, l.sequence
        LOOP
            v_take := least(v_lot.free, v_left);
            v_left := v_left - v_take;
            v_position := v_position + 1;
            UPDATE wallet_lots l SET reserved = l.reserved + v_take WHERE l.id = v_lot.id;
            INSERT INTO hold_lots VALUES (hold_id, v_position, v_lot.id, p_user, v_lot.bucket, v_take);
            EXIT WHEN v_left = 0;
        END LOOP;
        ASSERT v_left = 0, 'the wallet promised more than its lots have';
    END IF;
    w.held := w.held + p_amount;
    w.due_at := least(w.due_at, p_expires_at);
    PERFORM ledger_save(w);
    PERFORM ledger_remember(w, p_key, 'hold', v_print, hold_id, p_now);
    code := 'ok';
    wallet := w;
END $$;

-- invalid, not_found, hold_captured (for another amount), hold_voided, hold_expired, exceeds_hold.
-- A capture of 0 closes the hold and writes no history: nothing has moved.
CREATE FUNCTION ledger_capture(p_user uuid, p_hold uuid, p_amount numeric, p_description text, p_metadata jsonb,
                               p_now timestamptz,
                               OUT code text, OUT replayed boolean, OUT transaction_id uuid,
                               OUT charged_daily_free numeric, OUT charged_purchased numeric, OUT charged_bonus numeric,
                               OUT wallet user_wallet)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    e transaction_history;
    v_hold holds;
    v_part record;
    v_left numeric := p_amount;
    v_take numeric;
    v_late boolean := false;
    v_lots uuid[] := '{}';
    v_buckets text[] := '{}';
    v_amounts numeric[] := '{}';
BEGIN
    replayed := false;
    IF NOT (ledger_is_amount(p_amount) AND p_amount >= 0
            AND coalesce(char_length(p_description) <= 500 AND jsonb_typeof(p_metadata) = 'object', false)) THEN
        code := 'invalid';
        RETURN;
    END IF;
    w := ledger_open(p_user, p_now);
    SELECT * INTO v_hold FROM holds h WHERE h.id = p_hold AND h.user_id = p_user;
    IF w.user_id IS NULL OR v_hold.id IS NULL THEN
        code := 'not_found';
        RETURN;
    END IF;
    IF v_hold.state = 'captured' THEN
        charged_daily_free := v_hold.charged_daily_free;
        charged_purchased := v_hold.charged_purchased;
        charged_bonus := v_hold.charged_bonus;
        IF charged_daily_free + charged_purchased + charged_bonus <> p_amount THEN
            code := 'hold_captured';
            RETURN;
        END IF;
        code := 'ok';
        replayed := true;
        transaction_id := v_hold.transaction_id;
        wallet := ledger_as_then(w, v_hold.after_daily_free, v_hold.after_purchased, v_hold.after_bonus, v_hold.after_held);
        RETURN;
    END IF;
    IF v_hold.state <> 'held' THEN
        code := 'hold_' || v_hold.state;
        RETURN;
    END IF;
    IF p_amount > v_hold.amount THEN
        code := 'exceeds_hold';
        RETURN;
    END IF;

    -- from here it must succeed
    FOR v_part IN
        SELECT h.lot_id, h.bucket, h.amount, l.expires_at FROM hold_lots h JOIN wallet_lots l ON l.id = h.lot_id
        WHERE h.hold_id = p_hold ORDER BY h.position
    LOOP
        v_take := least(v_part.amount, v_left);
        v_left := v_left - v_take;
        UPDATE wallet_lots l SET reserved = l.reserved - v_part.amount, remaining = l.remaining - v_take
        WHERE l.id = v_part.lot_id;
        IF v_take > 0 THEN
            v_lots := v_lots || v_part.lot_id;
            v_buckets := v_buckets || v_part.bucket;
            v_amounts := v_amounts || -v_take;
        END IF;
        v_late := v_late OR coalesce(v_part.expires_at <= p_now AND v_take < v_part.amount, false);
    END LOOP;
    w.held := w.held - v_hold.amount;
    IF p_amount > 0 THEN
        e := ledger_post(w, p_now, 'chat', 'operator:usage_revenue', v_lots, v_buckets, v_amounts, p_description,
                         p_metadata, p_hold => p_hold);
        w := ledger_after(w, e);
        transaction_id := e.id;
    END IF;
    IF v_late THEN -- released after its expiry: it expires instead of coming back
        w := ledger_expire_lots(w, p_now);
    END IF;
    charged_daily_free := coalesce(-e.daily_free, 0);
    charged_purchased := coalesce(-e.purchased, 0);
    charged_bonus := coalesce(-e.bonus, 0);
    PERFORM ledger_close_hold(w, p_hold, 'captured', p_now, transaction_id, charged_daily_free, charged_purchased,
                              charged_bonus);
    PERFORM ledger_save(w);
    code := 'ok';
    wallet := w;
END $$;

-- not_found, hold_captured. A hold that is voided or expired already is as the caller wants it: ok, with the balance now.
CREATE FUNCTION ledger_void(p_user uuid, p_hold uuid, p_now timestamptz,
                            OUT code text, OUT replayed boolean, OUT wallet user_wallet)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet := ledger_open(p_user, p_now);
    v_hold holds;
BEGIN
    replayed := false;
    SELECT * INTO v_hold FROM holds h WHERE h.id = p_hold AND h.user_id = p_user;
    IF w.user_id IS NULL OR v_hold.id IS NULL THEN
        code := 'not_found';
        RETURN;
    END IF;
    IF v_hold.state = 'captured' THEN
        code := 'hold_captured';
        RETURN;
    END IF;
    code := 'ok';
    wallet := w;
    replayed := v_hold.state <> 'held';
    IF replayed THEN
        RETURN;
    END IF;

    -- from here it must succeed
    w := ledger_expire_lots(ledger_release(w, p_hold), p_now);
    PERFORM ledger_close_hold(w, p_hold, 'voided', p_now);
    PERFORM ledger_save(w);
    wallet := w;
END $$;

-- invalid, not_found, key_reused (for other terms), wallet_full
CREATE FUNCTION ledger_grant(p_user uuid, p_key text, p_bucket text, p_amount numeric, p_kind text,
                             p_expires_at timestamptz, p_description text, p_metadata jsonb, p_now timestamptz,
                             OUT code text, OUT replayed boolean, OUT entry transaction_history)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    v_done operations;
    v_print bytea := ledger_fingerprint('grant', p_bucket, p_amount::numeric(18,4)::text, p_kind,
                                        extract(epoch FROM p_expires_at)::text, p_description, p_metadata::text);
BEGIN
    replayed := false;
    IF NOT (ledger_is_amount(p_amount) AND p_amount > 0 AND ledger_is_key(p_key)
            AND coalesce(p_bucket IN ('purchased', 'bonus')
                         AND p_kind IN ('purchase', 'bonus_grant', 'subscription_change', 'adjustment'), false)
            AND (p_expires_at IS NULL OR (p_bucket = 'bonus' AND p_expires_at > p_now AND p_expires_at < 'infinity'))
            AND coalesce(char_length(p_description) <= 500 AND jsonb_typeof(p_metadata) = 'object', false)) THEN
        code := 'invalid';
        RETURN;
    END IF;
    w := ledger_open(p_user, p_now);
    IF w.user_id IS NULL THEN
        code := 'not_found';
        RETURN;
    END IF;
    SELECT * INTO v_done FROM operations o WHERE o.user_id = p_user AND o.key = p_key;
    IF FOUND THEN
        replayed := v_done.fingerprint = v_print;
        code := CASE WHEN replayed THEN 'ok' ELSE 'key_reused' END;
        IF replayed THEN
            SELECT * INTO entry FROM transaction_history t WHERE t.id = v_done.result_id AND t.created_at = v_done.created_at;
        END IF;
        RETURN;
    END IF;
    IF w.daily_free + w.purchased + w.bonus + p_amount > 1000000000000 THEN
        code := 'wallet_full';
        RETURN;
    END IF;

    -- from here it must succeed
    entry := ledger_post(w, p_now, p_kind, ledger_account(p_kind),
                         ARRAY[ledger_add_lot(w, p_now, p_bucket, p_amount, p_expires_at)], ARRAY[p_bucket],
                         ARRAY[p_amount], p_description, p_metadata);
    w := ledger_after(w, entry);
    w.due_at := least(w.due_at, p_expires_at);
    PERFORM ledger_save(w);
    PERFORM ledger_remember(w, p_key, 'grant', v_print, entry.id, entry.created_at);
    code := 'ok';
END $$;

-- invalid, not_found
CREATE FUNCTION ledger_refresh(p_user uuid, p_daily_limit numeric, p_now timestamptz, OUT code text, OUT wallet user_wallet)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT (ledger_is_amount(p_daily_limit) AND p_daily_limit >= 0) THEN
        code := 'invalid';
        RETURN;
    END IF;
    PERFORM set_config('companion.user_id', p_user::text, true);
    -- Most calls find nothing to do, and then need no lock.
    SELECT * INTO wallet FROM user_wallet w
    WHERE w.user_id = p_user AND w.refreshed_on >= ledger_day(p_now) AND w.active_on >= ledger_day(p_now)
      AND w.due_at > p_now AND w.daily_limit = p_daily_limit;
    IF wallet.user_id IS NULL THEN
        wallet := ledger_open(p_user, p_now, p_daily_limit);
    END IF;
    code := CASE WHEN wallet.user_id IS NULL THEN 'not_found' ELSE 'ok' END;
END $$;

-- The same, with the open lots in spending order. Wallet and lots come out of one statement, so that they fit together.
CREATE FUNCTION ledger_balance(p_user uuid, p_daily_limit numeric, p_now timestamptz,
                               OUT code text, OUT wallet user_wallet, OUT lots jsonb)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_now record;
BEGIN
    SELECT r.code INTO code FROM ledger_refresh(p_user, p_daily_limit, p_now) r;
    IF code <> 'ok' THEN
        RETURN;
    END IF;
    SELECT w AS wallet, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('bucket', l.bucket, 'remaining', l.remaining::text, 'expires_at',
                   to_char(l.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                   ORDER BY ledger_bucket_rank(l.bucket), l.expires_at NULLS LAST, l.sequence), '[]')
        FROM wallet_lots l WHERE l.user_id = p_user AND l.open) AS lots
    INTO v_now FROM user_wallet w WHERE w.user_id = p_user;
    wallet := v_now.wallet;
    lots := v_now.lots;
END $$;

-- invalid, not_found, key_reused, insufficient_credits (of what is unheld in this bucket), wallet_full.
-- A positive amount makes a lot (in daily_free one that ends with the day), a negative one takes out of the bucket's
-- lots in the spending order.
CREATE FUNCTION ledger_adjust(p_user uuid, p_key text, p_bucket text, p_amount numeric, p_reason text, p_actor uuid,
                              p_now timestamptz,
                              OUT code text, OUT replayed boolean, OUT required numeric, OUT available numeric,
                              OUT entry transaction_history)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    v_done operations;
    v_print bytea := ledger_fingerprint('adjust', p_bucket, p_amount::numeric(18,4)::text, p_reason, p_actor::text);
    v_lot record;
    v_left numeric := -p_amount;
    v_take numeric;
    v_lots uuid[] := '{}';
    v_amounts numeric[] := '{}';
BEGIN
    replayed := false;
    IF NOT (ledger_is_amount(p_amount) AND p_amount <> 0 AND ledger_is_key(p_key)
            AND coalesce(p_bucket IN ('daily_free', 'purchased', 'bonus'), false)
            AND coalesce(char_length(p_reason) <= 500, false)) THEN
        code := 'invalid';
        RETURN;
    END IF;
    w := ledger_open(p_user, p_now);
    IF w.user_id IS NULL THEN
        code := 'not_found';
        RETURN;
    END IF;
    SELECT * INTO v_done FROM operations o WHERE o.user_id = p_user AND o.key = p_key;
    IF FOUND THEN
        replayed := v_done.fingerprint = v_print;
        code := CASE WHEN replayed THEN 'ok' ELSE 'key_reused' END;
        IF replayed THEN
            SELECT * INTO entry FROM transaction_history t WHERE t.id = v_done.result_id AND t.created_at = v_done.created_at;
        END IF;
        RETURN;
    END IF;
    SELECT coalesce(sum(l.remaining - l.reserved), 0) INTO available FROM wallet_lots l
    WHERE l.user_id = p_user AND l.open AND l.bucket = p_bucket;
    IF available + p_amount < 0 THEN
        code := 'insufficient_credits';
        required := -p_amount;
        RETURN;
    END IF;
    IF w.daily_free + w.purchased + w.bonus + p_amount > 1000000000000 THEN
        code := 'wallet_full';
        RETURN;
    END IF;

    -- from here it must succeed
    IF p_amount > 0 THEN
        v_lots := ARRAY[ledger_add_lot(w, p_now, p_bucket, p_amount,
                                       CASE p_bucket WHEN 'daily_free' THEN ledger_midnight_after(p_now) END)];
        v_amounts := ARRAY[p_amount];
        w.due_at := least(w.due_at, CASE p_bucket WHEN 'daily_free' THEN ledger_midnight_after(p_now) END);
    ELSE
        FOR v_lot IN
            SELECT l.id, l.remaining - l.reserved AS free FROM wallet_lots l
            WHERE l.user_id = p_user AND l.open AND l.bucket = p_bucket AND l.remaining > l.reserved
            ORDER BY l.expires_at NULLS LAST, l.sequence
        LOOP
            v_take := least(v_lot.free, v_left);
            v_left := v_left - v_take;
            UPDATE wallet_lots l SET remaining = l.remaining - v_take WHERE l.id = v_lot.id;
            v_lots := v_lots || v_lot.id;
            v_amounts := v_amounts || -v_take;
            EXIT WHEN v_left = 0;
        END LOOP;
    END IF;
    entry := ledger_post(w, p_now, 'adjustment', 'operator:adjustment', v_lots,
                         array_fill(p_bucket, ARRAY[cardinality(v_lots)]), v_amounts, p_reason, '{}', p_actor => p_actor);
    w := ledger_after(w, entry);
    PERFORM ledger_save(w);
    PERFORM ledger_remember(w, p_key, 'adjust', v_print, entry.id, entry.created_at);
    code := 'ok';
END $$;

-- invalid, not_found, key_reused, reversed_already, not_reversible (a refresh, an expiry, a refund, or itself a
-- reversal), insufficient_credits (what the lots of a grant have unheld), wallet_full.
-- Mirrors the original's legs: out of or into the very lots. What comes back into a lot that has expired meanwhile
-- expires at once, in a row of its own.
CREATE FUNCTION ledger_reverse(p_user uuid, p_original uuid, p_key text, p_reason text, p_actor uuid, p_now timestamptz,
                               OUT code text, OUT replayed boolean, OUT required numeric, OUT available numeric,
                               OUT entry transaction_history)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    v_done operations;
    v_print bytea := ledger_fingerprint('reverse', p_original::text, p_reason, p_actor::text);
    v_original transaction_history;
    v_lots uuid[];
    v_buckets text[];
    v_amounts numeric[];
    v_account text;
BEGIN
    replayed := false;
    IF NOT (ledger_is_key(p_key) AND coalesce(char_length(p_reason) <= 500, false)) THEN
        code := 'invalid';
        RETURN;
    END IF;
    w := ledger_open(p_user, p_now);
    SELECT * INTO v_original FROM transaction_history t WHERE t.id = p_original AND t.user_id = p_user;
    IF w.user_id IS NULL OR v_original.id IS NULL THEN
        code := 'not_found';
        RETURN;
    END IF;
    SELECT * INTO v_done FROM operations o WHERE o.user_id = p_user AND o.key = p_key;
    IF FOUND THEN
        replayed := v_done.fingerprint = v_print;
        code := CASE WHEN replayed THEN 'ok' ELSE 'key_reused' END;
        IF replayed THEN
            SELECT * INTO entry FROM transaction_history t WHERE t.id = v_done.result_id AND t.created_at = v_done.created_at;
        END IF;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM reversals r WHERE r.original_id = p_original) THEN
        code := 'reversed_already';
        RETURN;
    END IF;
    IF v_original.reverses IS NOT NULL
       OR v_original.kind NOT IN ('chat', 'purchase', 'bonus_grant', 'adjustment', 'subscription_change') THEN
        code := 'not_reversible';
        RETURN;
    END IF;
    SELECT array_agg(g.lot_id ORDER BY g.position) FILTER (WHERE g.lot_id IS NOT NULL),
           array_agg(substr(g.account, 6) ORDER BY g.position) FILTER (WHERE g.lot_id IS NOT NULL),
           array_agg(-g.amount ORDER BY g.position) FILTER (WHERE g.lot_id IS NOT NULL),
           max(g.account) FILTER (WHERE g.lot_id IS NULL)
    INTO v_lots, v_buckets, v_amounts, v_account
    FROM ledger_legs g WHERE g.transaction_id = p_original AND g.created_at = v_original.created_at;
    IF v_original.amount > 0 THEN
        SELECT coalesce(sum(least(l.remaining - l.reserved, -part.amount)), 0) INTO available
        FROM unnest(v_lots, v_amounts) AS part (lot, amount) JOIN wallet_lots l ON l.id = part.lot;
        IF available < v_original.amount THEN
            code := 'insufficient_credits';
            required := v_original.amount;
            RETURN;
        END IF;
    ELSIF w.daily_free + w.purchased + w.bonus - v_original.amount > 1000000000000 THEN
        code := 'wallet_full';
        RETURN;
    END IF;

    -- from here it must succeed
    UPDATE wallet_lots l SET remaining = l.remaining + part.amount
    FROM unnest(v_lots, v_amounts) AS part (lot, amount) WHERE l.id = part.lot;
    entry := ledger_post(w, p_now, CASE v_original.kind WHEN 'chat' THEN 'chat_refund' ELSE 'adjustment' END, v_account,
                         v_lots, v_buckets, v_amounts, p_reason, '{}', p_reverses => p_original, p_actor => p_actor);
    w := ledger_after(w, entry);
    INSERT INTO reversals VALUES (p_original, entry.id, p_user, entry.created_at);
    w := ledger_expire_lots(w, p_now);
    w.due_at := least(w.due_at, (SELECT min(l.expires_at) FROM wallet_lots l WHERE l.id = ANY (v_lots) AND l.open
                                                                               AND l.expires_at > p_now));
    PERFORM ledger_save(w);
    PERFORM ledger_remember(w, p_key, 'reverse', v_print, entry.id, entry.created_at);
    code := 'ok';
END $$;

-- The newest first. Written as text so that only the filters that are asked for are in the plan: partitions and indexes
-- are chosen by their values. A cursor is the last row seen. NULL filters nothing.
CREATE FUNCTION ledger_transactions(p_user uuid, p_kind text, p_from timestamptz, p_to timestamptz,
                                    p_before timestamptz, p_before_sequence bigint, p_before_id uuid,
                                    p_limit integer, p_offset bigint) RETURNS SETOF transaction_history
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF p_user IS NOT NULL THEN
        PERFORM set_config('companion.user_id', p_user::text, true);
    END IF;
    RETURN QUERY EXECUTE 'SELECT * FROM transaction_history WHERE true'
        || CASE WHEN p_user IS NOT NULL THEN ' AND user_id = $1' ELSE '' END
        || CASE WHEN p_kind IS NOT NULL THEN ' AND kind = $2' ELSE '' END
        || CASE WHEN p_from IS NOT NULL THEN ' AND created_at >= $3' ELSE '' END
        || CASE WHEN p_to IS NOT NULL THEN ' AND created_at < $4' ELSE '' END
        || CASE WHEN p_before IS NOT NULL
                THEN ' AND created_at <= $5 AND (created_at, sequence, id) < ($5, $6, $7)' ELSE '' END
        || ' ORDER BY created_at DESC, sequence DESC, id DESC LIMIT $8 OFFSET $9'
        USING p_user, p_kind, p_from, p_to, p_before, p_before_sequence, p_before_id, p_limit, p_offset;
END $$;

CREATE FUNCTION ledger_count_transactions(p_user uuid, p_kind text, p_from timestamptz, p_to timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    IF p_user IS NOT NULL THEN
        PERFORM set_config('companion.user_id', p_user::text, true);
    END IF;
    EXECUTE 'SELECT count(*) FROM transaction_history WHERE true'
        || CASE WHEN p_user IS NOT NULL THEN ' AND user_id = $1' ELSE '' END
        || CASE WHEN p_kind IS NOT NULL THEN ' AND kind = $2' ELSE '' END
        || CASE WHEN p_from IS NOT NULL THEN ' AND created_at >= $3' ELSE '' END
        || CASE WHEN p_to IS NOT NULL THEN ' AND created_at < $4' ELSE '' END
        INTO v_count USING p_user, p_kind, p_from, p_to;
    RETURN v_count;
END $$;

-------------------------------------------------------------------------------------------------------------- sweeps
-- The first two do one batch, passing over wallets that are locked by somebody else, and return how many they touched.

CREATE FUNCTION ledger_sweep_holds(p_batch integer, p_now timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_user uuid;
    v_count integer := 0;
BEGIN
    FOR v_user IN
        SELECT user_id FROM user_wallet w
        WHERE user_id IN (SELECT user_id FROM holds WHERE state = 'held' AND expires_at < p_now ORDER BY expires_at
                          LIMIT p_batch)
        FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM ledger_open(v_user, p_now);
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;

CREATE FUNCTION ledger_sweep_lots(p_batch integer, p_now timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_user uuid;
    v_count integer := 0;
BEGIN
    FOR v_user IN
        SELECT user_id FROM user_wallet w
        WHERE user_id IN (SELECT user_id FROM wallet_lots
                          WHERE open AND expires_at <= p_now AND remaining > reserved ORDER BY expires_at LIMIT p_batch)
        FOR UPDATE SKIP LOCKED
    LOOP
        PERFORM ledger_open(v_user, p_now);
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;

-- The day's refresh for one who has not come yet today; 1 where there was one to do. ledger.due_for_refresh finds them.
CREATE FUNCTION ledger_sweep_refresh(p_user uuid, p_daily_limit numeric, p_now timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet := ledger_open(p_user, p_now);
BEGIN
    IF w.refreshed_on < ledger_day(p_now) THEN
        PERFORM ledger_save(ledger_refresh_day(w, p_now, p_daily_limit));
        RETURN 1;
    END IF;
    RETURN 0;
END $$;

-- Writes down where the chains stood at the end of every day that is over by 10 minutes and not yet closed; returns how
-- many days. A day without rows is closed too: the digests chain without a gap.
CREATE FUNCTION ledger_close_days(p_now timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_last ledger_days;
    v_day date;
    v_count integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger_close_days', 0));
    SELECT * INTO v_last FROM ledger_days ORDER BY day DESC LIMIT 1;
    v_day := coalesce(v_last.day + 1, (SELECT ledger_day(min(created_at)) FROM transaction_history));
    WHILE v_day < ledger_day(p_now - interval '10 minutes') AND v_count < 400 LOOP
        INSERT INTO ledger_day_heads
        SELECT DISTINCT ON (user_id) v_day, user_id, sequence, hash FROM transaction_history
        WHERE created_at >= v_day::timestamp AT TIME ZONE 'UTC' AND created_at < (v_day + 1)::timestamp AT TIME ZONE 'UTC'
        ORDER BY user_id, sequence DESC;
        INSERT INTO ledger_days
        SELECT v_day, count(h.user_id), coalesce(v_last.digest, decode(repeat('00', 32), 'hex')),
               ledger_day_digest(v_day, v_last.digest), p_now
        FROM ledger_day_heads h WHERE h.day = v_day
        RETURNING * INTO v_last;
        v_day := v_day + 1;
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;

--------------------------------------------------------------------------------------------------------------- audit

-- Recomputes the books from the history (docs/ledger.md has the rules). STABLE: all its statements see one snapshot, and
-- none can write. For the operator; p_user narrows it to one wallet.
CREATE FUNCTION ledger_audit(p_user uuid, p_now timestamptz) RETURNS TABLE (user_id uuid, rule text, detail text)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    -- the chain: every row is what it was when it was written, follows the one before, and adds up
    RETURN QUERY
    WITH chain AS (
        SELECT t.*, lag(t.sequence) OVER before AS prev_sequence, lag(t.hash) OVER before AS before_hash,
               coalesce(lag(t.after_daily_free) OVER before, 0) + t.daily_free AS sum_daily_free,
               coalesce(lag(t.after_purchased) OVER before, 0) + t.purchased AS sum_purchased,
               coalesce(lag(t.after_bonus) OVER before, 0) + t.bonus AS sum_bonus,
               t.hash = ledger_hash(t) AS whole
        FROM transaction_history t WHERE p_user IS NULL OR t.user_id = p_user
        WINDOW before AS (PARTITION BY t.user_id ORDER BY t.sequence, t.created_at))
    SELECT c.user_id, broken.rule, 'transaction ' || c.id || ', sequence ' || c.sequence || broken.detail
    FROM chain c, LATERAL (VALUES
        ('row_changed', NOT c.whole, ': its hash does not fit its contents'),
        ('sequence_gap', c.sequence <> coalesce(c.prev_sequence, 0) + 1,
         ': comes after sequence ' || coalesce(c.prev_sequence, 0)),
        ('chain_broken', c.sequence = coalesce(c.prev_sequence, 0) + 1
                         AND c.prev_hash <> coalesce(c.before_hash, decode(repeat('00', 32), 'hex')),
         ': does not follow from the row before'),
        ('running_balance', c.sequence = coalesce(c.prev_sequence, 0) + 1
                            AND (c.after_daily_free, c.after_purchased, c.after_bonus)
                                <> (c.sum_daily_free, c.sum_purchased, c.sum_bonus),
         ': balance after is not balance before and change')) AS broken (rule, found, detail)
    WHERE broken.found;

    -- the wallet row stands where its chain ends
    RETURN QUERY
    WITH last AS (SELECT DISTINCT ON (t.user_id) t.* FROM transaction_history t WHERE p_user IS NULL OR t.user_id = p_user
                  ORDER BY t.user_id, t.sequence DESC)
    SELECT w.user_id, broken.rule, broken.detail
    FROM user_wallet w LEFT JOIN last t ON t.user_id = w.user_id, LATERAL (VALUES
        ('head_mismatch', w.sequence <> coalesce(t.sequence, 0)
                          OR w.head_hash <> coalesce(t.hash, decode(repeat('00', 32), 'hex')),
         'the wallet is at sequence ' || w.sequence || ', its history ends at ' || coalesce(t.sequence, 0)),
        ('balance_mismatch', (w.daily_free, w.purchased, w.bonus) <> (coalesce(t.after_daily_free, 0),
                             coalesce(t.after_purchased, 0), coalesce(t.after_bonus, 0)),
         format('the wallet says %s %s %s, its history %s %s %s', w.daily_free, w.purchased, w.bonus,
                coalesce(t.after_daily_free, 0), coalesce(t.after_purchased, 0), coalesce(t.after_bonus, 0))))
        AS broken (rule, found, detail)
    WHERE (p_user IS NULL OR w.user_id = p_user) AND broken.found;

    -- the wallet is the sum of its lots
    RETURN QUERY
    SELECT w.user_id, 'lot_mismatch', format('the wallet says %s %s %s held %s, its lots %s %s %s held %s', w.daily_free,
           w.purchased, w.bonus, w.held, l.daily_free, l.purchased, l.bonus, l.held)
    FROM user_wallet w, LATERAL (
        SELECT coalesce(sum(remaining) FILTER (WHERE bucket = 'daily_free'), 0) AS daily_free,
               coalesce(sum(remaining) FILTER (WHERE bucket = 'purchased'), 0) AS purchased,
               coalesce(sum(remaining) FILTER (WHERE bucket = 'bonus'), 0) AS bonus, coalesce(sum(reserved), 0) AS held
        FROM wallet_lots WHERE wallet_lots.user_id = w.user_id AND open) l
    WHERE (p_user IS NULL OR w.user_id = p_user)
      AND (w.daily_free, w.purchased, w.bonus, w.held) <> (l.daily_free, l.purchased, l.bonus, l.held);

    -- each lot is what its legs made it, and reserves what open holds name
    RETURN QUERY
    SELECT coalesce(l.user_id, g.user_id), 'lot_history', format('lot %s has %s, its legs say %s', coalesce(l.id, g.lot_id),
           coalesce(l.remaining, 0), coalesce(g.amount, 0))
    FROM (SELECT * FROM wallet_lots WHERE p_user IS NULL OR wallet_lots.user_id = p_user) l
    FULL JOIN (SELECT lot_id, (array_agg(ledger_legs.user_id))[1] AS user_id, sum(amount) AS amount FROM ledger_legs
               WHERE lot_id IS NOT NULL AND (p_user IS NULL OR ledger_legs.user_id = p_user) GROUP BY lot_id) g
        ON g.lot_id = l.id
    WHERE coalesce(l.remaining, 0) <> coalesce(g.amount, 0);
    RETURN QUERY
    SELECT l.user_id, 'reserved_mismatch', format('lot %s reserves %s, its open holds name %s', l.id, l.reserved,
           coalesce(h.amount, 0))
    FROM wallet_lots l LEFT JOIN (
        SELECT part.lot_id, sum(part.amount) AS amount FROM hold_lots part JOIN holds ON holds.id = part.hold_id
        WHERE holds.state = 'held' AND (p_user IS NULL OR part.user_id = p_user) GROUP BY part.lot_id) h ON h.lot_id = l.id
    WHERE (p_user IS NULL OR l.user_id = p_user) AND l.reserved <> coalesce(h.amount, 0);

    -- double entry: the legs of a row sum to zero and are its change
    RETURN QUERY
    SELECT coalesce(t.user_id, g.user_id), CASE WHEN t.id IS NULL THEN 'legs_without_row' ELSE 'legs_unbalanced' END,
           'transaction ' || coalesce(t.id, g.transaction_id)
    FROM (SELECT * FROM transaction_history WHERE p_user IS NULL OR transaction_history.user_id = p_user) t
    FULL JOIN (
        SELECT transaction_id, created_at, (array_agg(ledger_legs.user_id))[1] AS user_id, sum(amount) AS total,
               coalesce(sum(amount) FILTER (WHERE account = 'user:daily_free'), 0) AS daily_free,
               coalesce(sum(amount) FILTER (WHERE account = 'user:purchased'), 0) AS purchased,
               coalesce(sum(amount) FILTER (WHERE account = 'user:bonus'), 0) AS bonus
        FROM ledger_legs WHERE p_user IS NULL OR ledger_legs.user_id = p_user GROUP BY transaction_id, created_at) g
        ON g.transaction_id = t.id AND g.created_at = t.created_at
    WHERE (t.id IS NULL OR t.amount <> 0)
      AND (coalesce(g.total, -1), coalesce(g.daily_free, 0), coalesce(g.purchased, 0), coalesce(g.bonus, 0))
          IS DISTINCT FROM (0::numeric, t.daily_free, t.purchased, t.bonus);

    -- holds: what was charged is in the history, and a reply is charged once; an hour late, a deadline should be swept
    RETURN QUERY
    SELECT coalesce(h.user_id, t.user_id), 'charge_mismatch', format('hold %s charged %s, the history says %s',
           coalesce(h.id, t.hold_id), coalesce(h.charge, 0), coalesce(t.charge, 0))
    FROM (SELECT id, holds.user_id, charged_daily_free + charged_purchased + charged_bonus AS charge FROM holds
          WHERE state = 'captured' AND (p_user IS NULL OR holds.user_id = p_user)) h
    FULL JOIN (SELECT hold_id, (array_agg(transaction_history.user_id))[1] AS user_id, -sum(amount) AS charge
               FROM transaction_history WHERE kind = 'chat' AND (p_user IS NULL OR transaction_history.user_id = p_user)
               GROUP BY hold_id) t ON t.hold_id = h.id
    WHERE coalesce(h.charge, 0) <> coalesce(t.charge, 0);
    RETURN QUERY
    SELECT h.user_id, 'hold_overdue', format('hold %s was due at %s', h.id, h.expires_at AT TIME ZONE 'UTC')
    FROM holds h WHERE h.state = 'held' AND h.expires_at < p_now - interval '1 hour'
                   AND (p_user IS NULL OR h.user_id = p_user);

    -- truncation: what a closed day saw is still there, and the days themselves are whole
    RETURN QUERY
    SELECT d.user_id, 'tail_missing', format('sequence %s of %s is not in the history as it was', d.sequence, d.day)
    FROM ledger_day_heads d LEFT JOIN transaction_history t
        ON t.user_id = d.user_id AND t.sequence = d.sequence AND t.hash = d.hash
        AND t.created_at >= d.day::timestamp AT TIME ZONE 'UTC' AND t.created_at < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
    WHERE t.id IS NULL AND (p_user IS NULL OR d.user_id = p_user);
    RETURN QUERY
    SELECT NULL::uuid, 'day_changed', 'day ' || d.day
    FROM (SELECT *, lag(day) OVER days AS prev_day, lag(digest) OVER days AS before_digest FROM ledger_days
          WINDOW days AS (ORDER BY day)) d
    WHERE p_user IS NULL
      AND (d.digest <> ledger_day_digest(d.day, d.prev_digest) OR d.prev_digest <> coalesce(d.before_digest, d.prev_digest)
           OR d.day <> d.prev_day + 1
           OR d.wallets <> (SELECT count(*) FROM ledger_day_heads h WHERE h.day = d.day));
END $$;

-- Half a year back for imported and demonstration history, a year ahead.
SELECT ledger_make_partitions((now() AT TIME ZONE 'UTC' - interval '6 months')::date, 18);
