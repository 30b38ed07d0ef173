-- Money in (docs/payments.md): payments and what providers tell about them, refunds and disputes, the debt that a refund
-- of spent credits leaves, reconciliation, and the sandbox provider's own world.

------------------------------------------------------------------------------------------------------------ payments

-- What was offered when the checkout was made stays with the payment: a price or bonus changed meanwhile is not its own.
-- amount_minor is what the customer pays, tax included; fee_minor is what the provider keeps of it.
ALTER TABLE payment_transactions
    ADD COLUMN tax_minor       bigint NOT NULL DEFAULT 0 CHECK (tax_minor >= 0),
    ADD COLUMN fee_minor       bigint NOT NULL DEFAULT 0 CHECK (fee_minor >= 0),
    ADD COLUMN credits         numeric(18, 4) CHECK (credits > 0),
    ADD COLUMN bonus_credits   numeric(18, 4) CHECK (bonus_credits >= 0),
    ADD COLUMN bonus_days      integer,
    ADD COLUMN purchase_entry  uuid, -- the ledger's rows that granted the credits
    ADD COLUMN bonus_entry     uuid,
    ADD COLUMN subscription_id uuid REFERENCES subscriptions,
    ADD COLUMN period_start    timestamptz,
    ADD COLUMN period_end      timestamptz,
    ADD COLUMN checkout_url    text CHECK (char_length(checkout_url) <= 4000),
    ADD COLUMN request_key     text CHECK (char_length(request_key) <= 128), -- the caller's Idempotency-Key
    ADD COLUMN request_print   bytea CHECK (octet_length(request_print) = 32),
    ADD COLUMN failure         text CHECK (char_length(failure) <= 300),
    ADD COLUMN version         bigint NOT NULL DEFAULT 0, -- of the provider's object, for its state and amounts
    ADD COLUMN refund_version  bigint NOT NULL DEFAULT 0, -- and for what is refunded of it
    ADD COLUMN settlements     integer NOT NULL DEFAULT 0, -- how often the ledger was moved for it: makes its keys
    ADD COLUMN updated_at      timestamptz;
ALTER TABLE payment_transactions ADD CHECK (tax_minor <= amount_minor),
                                 ADD CHECK (period_end >= period_start),
                                 ADD CHECK ((request_key IS NULL) = (request_print IS NULL));
CREATE UNIQUE INDEX payment_transactions_request ON payment_transactions (user_id, request_key)
    WHERE request_key IS NOT NULL;
CREATE INDEX payment_transactions_status ON payment_transactions (status, created_at DESC);
CREATE INDEX payment_transactions_created ON payment_transactions (created_at DESC, id DESC);
CREATE INDEX payment_transactions_subscription ON payment_transactions (subscription_id)
    WHERE subscription_id IS NOT NULL;

-- Everything a provider calls a payment by (a checkout, an intent, a charge, an invoice): each leads to our one row.
CREATE TABLE payment_references (
    provider   text NOT NULL CHECK (provider IN ('stripe', 'apple', 'google', 'sandbox')),
    reference  text NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255),
    payment_id uuid NOT NULL REFERENCES payment_transactions,
    user_id    uuid NOT NULL REFERENCES users,
    PRIMARY KEY (provider, reference)
);
CREATE INDEX payment_references_payment ON payment_references (payment_id);
SELECT protect_user_rows('payment_references', '', 'SELECT, INSERT');
INSERT INTO payment_references
SELECT provider, provider_reference, id, user_id FROM payment_transactions WHERE provider_reference IS NOT NULL;

-- What the providers call what we sell: an App Store product id, a Stripe price.
CREATE TABLE provider_products (
    provider  text NOT NULL CHECK (provider IN ('stripe', 'apple', 'google', 'sandbox')),
    reference text NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255),
    kind      text NOT NULL CHECK (kind IN ('credits', 'subscription')),
    product   text NOT NULL, -- a package's or a tier's code
    PRIMARY KEY (provider, reference)
);
CREATE INDEX provider_products_product ON provider_products (provider, kind, product);
GRANT SELECT ON provider_products TO companion_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON provider_products TO companion_operator;

-- Every webhook, whether it was believed or not. A believed one is unique by its provider's id and is applied once;
-- `facts` is what it says, read out of the raw body when it was verified. `waiting`: it speaks of what is not known yet.
CREATE TABLE payment_events (
    id           uuid PRIMARY KEY,
    provider     text NOT NULL CHECK (provider IN ('stripe', 'apple', 'google', 'sandbox')),
    event_id     text CHECK (char_length(event_id) BETWEEN 1 AND 255), -- NULL: not believed
    type         text NOT NULL CHECK (char_length(type) <= 120),
    created_at   timestamptz NOT NULL, -- as the provider says; where it is not believed, when it came
    received_at  timestamptz NOT NULL,
    status       text NOT NULL CHECK (status IN ('received', 'processed', 'waiting', 'failed', 'refused')),
    reason       text CHECK (char_length(reason) <= 500), -- why it waits, failed or was refused
    deliveries   integer NOT NULL DEFAULT 1 CHECK (deliveries > 0),
    last_at      timestamptz NOT NULL,
    processed_at timestamptz,
    waits_for    text[],
    facts        jsonb,
    body         bytea NOT NULL CHECK (octet_length(body) <= 262144),
    body_hash    bytea NOT NULL CHECK (octet_length(body_hash) = 32),
    signature    text NOT NULL CHECK (char_length(signature) <= 4000),
    payment_id   uuid REFERENCES payment_transactions,
    CHECK ((status = 'refused') = (event_id IS NULL)),
    CHECK ((status = 'processed') = (processed_at IS NOT NULL)),
    CHECK ((status = 'waiting') = (waits_for IS NOT NULL))
);
CREATE UNIQUE INDEX payment_events_once ON payment_events (provider, event_id) WHERE event_id IS NOT NULL;
CREATE UNIQUE INDEX payment_events_refused ON payment_events (provider, body_hash) WHERE event_id IS NULL;
CREATE INDEX payment_events_received ON payment_events (received_at DESC, id DESC);
CREATE INDEX payment_events_waiting ON payment_events USING gin (waits_for) WHERE status = 'waiting';
CREATE INDEX payment_events_open ON payment_events (last_at) WHERE status IN ('received', 'waiting', 'failed');
CREATE INDEX payment_events_payment ON payment_events (payment_id) WHERE payment_id IS NOT NULL;
ALTER TABLE payment_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE payment_events FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_rows ON payment_events TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY operator_rows ON payment_events TO companion_operator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE (status, reason, deliveries, last_at, processed_at, waits_for, facts, payment_id),
      DELETE ON payment_events TO companion_operator;
-- Only what was refused may be thrown away.
CREATE FUNCTION payment_events_stay() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.event_id IS NOT NULL AND current_user::regrole <> (SELECT relowner FROM pg_class WHERE oid = TG_RELID) THEN
        RAISE EXCEPTION 'a verified event stays' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER verified_events_stay BEFORE DELETE ON payment_events FOR EACH ROW EXECUTE FUNCTION payment_events_stay();

CREATE TABLE payment_disputes (
    id         uuid PRIMARY KEY,
    provider   text NOT NULL,
    reference  text NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255),
    payment_id uuid NOT NULL REFERENCES payment_transactions,
    user_id    uuid NOT NULL REFERENCES users,
    state      text NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    reason     text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 120),
    version    bigint NOT NULL,
    opened_at  timestamptz NOT NULL,
    closed_at  timestamptz,
    suspended_at timestamptz, -- when the policy suspended the account for it; only that is undone
    UNIQUE (provider, reference),
    CHECK ((state = 'open') = (closed_at IS NULL))
);
CREATE INDEX payment_disputes_payment ON payment_disputes (payment_id);
CREATE INDEX payment_disputes_user ON payment_disputes (user_id);
CREATE INDEX payment_disputes_opened ON payment_disputes (opened_at DESC, id DESC);
SELECT protect_user_rows('payment_disputes', '', 'SELECT, INSERT, UPDATE');

-- A refund that an operator ordered: written before the provider is asked, whose Idempotency-Key is its id.
CREATE TABLE payment_refunds (
    id           uuid PRIMARY KEY,
    payment_id   uuid NOT NULL REFERENCES payment_transactions,
    user_id      uuid NOT NULL REFERENCES users,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reason       text NOT NULL CHECK (char_length(reason) BETWEEN 3 AND 500),
    actor_id     uuid NOT NULL,
    request_key  text NOT NULL CHECK (char_length(request_key) <= 128),
    status       text NOT NULL CHECK (status IN ('ordered', 'done', 'failed')),
    failure      text CHECK (char_length(failure) <= 300),
    created_at   timestamptz NOT NULL,
    done_at      timestamptz,
    UNIQUE (actor_id, request_key),
    CHECK ((status = 'ordered') = (done_at IS NULL))
);
CREATE UNIQUE INDEX payment_refunds_one_at_a_time ON payment_refunds (payment_id) WHERE status = 'ordered';
SELECT protect_user_rows('payment_refunds', '', 'SELECT, INSERT, UPDATE (status, failure, done_at)');

-- Money that moved, in minor units of its currency: + to us, − from us. Append-only; a payment's refunds are booked as
-- differences, so that the sum is always what the provider says.
CREATE TABLE money_entries (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id   uuid NOT NULL REFERENCES payment_transactions,
    user_id      uuid NOT NULL REFERENCES users,
    kind         text NOT NULL CHECK (kind IN ('payment', 'refund', 'chargeback')),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint NOT NULL,
    tax_minor    bigint NOT NULL, -- of the amount, with its sign
    fee_minor    bigint NOT NULL CHECK (fee_minor >= 0),
    at_time      timestamptz NOT NULL,
    CHECK (kind <> 'payment' OR amount_minor >= 0)
);
CREATE INDEX money_entries_payment ON money_entries (payment_id);
CREATE INDEX money_entries_time ON money_entries (at_time);
SELECT protect_user_rows('money_entries', '', 'SELECT, INSERT');
INSERT INTO money_entries (payment_id, user_id, kind, currency, amount_minor, tax_minor, fee_minor, at_time)
SELECT id, user_id, 'payment', currency, amount_minor, 0, 0, paid_at FROM payment_transactions WHERE paid_at IS NOT NULL;

----------------------------------------------------------------------------------------------------- reconciliation

CREATE TABLE reconciliation_runs (
    provider    text NOT NULL CHECK (provider IN ('stripe', 'apple', 'google', 'sandbox')),
    day         date NOT NULL,
    run_at      timestamptz NOT NULL,
    theirs      integer NOT NULL CHECK (theirs >= 0), -- payments that the provider told
    ours        integer NOT NULL CHECK (ours >= 0),   -- payments of that day in our books
    healed      integer NOT NULL CHECK (healed >= 0), -- that a webhook should have told us
    differences integer NOT NULL CHECK (differences >= 0),
    error       text CHECK (char_length(error) <= 500),
    PRIMARY KEY (provider, day)
);
GRANT SELECT, INSERT, UPDATE ON reconciliation_runs TO companion_operator;

CREATE TABLE reconciliation_differences (
    id          uuid PRIMARY KEY,
    provider    text NOT NULL,
    day         date NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('missing_here', 'missing_there', 'amount', 'refunded', 'status',
                                              'unusable_event')),
    reference   text NOT NULL CHECK (char_length(reference) <= 255),
    payment_id  uuid REFERENCES payment_transactions,
    ours        text NOT NULL CHECK (char_length(ours) <= 200),
    theirs      text NOT NULL CHECK (char_length(theirs) <= 200),
    healed      boolean NOT NULL, -- set right by the run itself
    found_at    timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by uuid,
    note        text CHECK (char_length(note) <= 500),
    UNIQUE (provider, kind, reference, day),
    CHECK ((resolved_at IS NULL) = (resolved_by IS NULL) OR healed)
);
CREATE INDEX reconciliation_differences_open ON reconciliation_differences (found_at DESC, id DESC);
GRANT SELECT, INSERT, UPDATE ON reconciliation_differences TO companion_operator;

-------------------------------------------------------------------------------------------------------------- policy

-- Which rails may fund the spicy mode. A rail is where credit or a tier came from: a provider, or the operator (daily
-- credit of a granted tier, gifts). The stores' and card networks' rules differ, and change: hence data.
CREATE TABLE rail_policies (
    rail  text PRIMARY KEY CHECK (rail IN ('stripe', 'apple', 'google', 'sandbox', 'operator')),
    spicy boolean NOT NULL
);
INSERT INTO rail_policies VALUES ('stripe', true), ('apple', false), ('google', false), ('sandbox', true),
                                 ('operator', true);
-- Where the spicy mode is not offered. ZZ stands for users who did not tell their region.
CREATE TABLE region_policies (
    region text PRIMARY KEY CHECK (region ~ '^[A-Z]{2}$'),
    spicy  boolean NOT NULL
);
INSERT INTO region_policies VALUES ('ZZ', true);
GRANT SELECT ON rail_policies, region_policies TO companion_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON rail_policies, region_policies TO companion_operator;

-- The rail that a lot of bought credit came by; a lot without a row is the operator's.
CREATE TABLE lot_rails (
    lot_id  uuid PRIMARY KEY REFERENCES wallet_lots,
    user_id uuid NOT NULL REFERENCES users,
    rail    text NOT NULL REFERENCES rail_policies
);
SELECT protect_user_rows('lot_rails', 'SELECT', 'SELECT, INSERT');

---------------------------------------------------------------------------------------------------- debts (the ledger)

-- What is owed for credits that were refunded after they had been spent. Paid by purchased credit, always and first:
-- while there is a debt there is no unheld purchased credit.
CREATE TABLE wallet_debts (
    id          uuid PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES user_wallet,
    sequence    bigint NOT NULL, -- of the history row that made it: the older is paid first
    purchase_id uuid NOT NULL,   -- the history row whose credits were refunded
    cause       text NOT NULL CHECK (cause IN ('payment_refund', 'chargeback')),
    original    numeric(18,4) NOT NULL CHECK (original > 0),
    remaining   numeric(18,4) NOT NULL CHECK (remaining BETWEEN 0 AND original),
    created_at  timestamptz NOT NULL,
    open        boolean NOT NULL GENERATED ALWAYS AS (remaining > 0) STORED
);
CREATE INDEX wallet_debts_user ON wallet_debts (user_id, sequence);
CREATE INDEX wallet_debts_open ON wallet_debts (created_at DESC, id DESC) WHERE open;
CREATE INDEX wallet_debts_purchase ON wallet_debts (purchase_id);
SELECT protect_user_rows('wallet_debts', 'SELECT, UPDATE (remaining)', 'SELECT, INSERT, UPDATE (remaining)');

-- Out of which lot a debt was paid; negative when that was given back to the lot. No lot: an operator let it off.
CREATE TABLE debt_payments (
    transaction_id uuid NOT NULL,
    position       smallint NOT NULL,
    debt_id        uuid NOT NULL REFERENCES wallet_debts,
    user_id        uuid NOT NULL,
    lot_id         uuid REFERENCES wallet_lots,
    amount         numeric(18,4) NOT NULL CHECK (amount <> 0),
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (transaction_id, position)
);
CREATE INDEX debt_payments_debt ON debt_payments (debt_id);
SELECT protect_user_rows('debt_payments', 'SELECT, INSERT', 'SELECT, INSERT');

-- What was taken back of a purchase (+) and given back again (−), and how: out of its lot, as a debt, or not at all
-- because the lot had expired (lapsed). amount = taken + owed + lapsed.
CREATE TABLE purchase_returns (
    id          uuid PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES user_wallet,
    purchase_id uuid NOT NULL,
    lot_id      uuid NOT NULL REFERENCES wallet_lots,
    cause       text NOT NULL CHECK (cause IN ('payment_refund', 'chargeback', 'given_back')),
    taken       numeric(18,4) NOT NULL,
    owed        numeric(18,4) NOT NULL,
    lapsed      numeric(18,4) NOT NULL,
    created_at  timestamptz NOT NULL,
    CHECK (CASE cause WHEN 'given_back' THEN greatest(taken, owed, lapsed) <= 0 ELSE least(taken, owed, lapsed) >= 0 END),
    CHECK (taken <> 0 OR owed <> 0 OR lapsed <> 0)
);
CREATE INDEX purchase_returns_purchase ON purchase_returns (purchase_id);
SELECT protect_user_rows('purchase_returns', '', 'SELECT, INSERT');

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['payment_references', 'money_entries', 'lot_rails', 'debt_payments',
                                   'purchase_returns'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW
                        EXECUTE FUNCTION ledger_is_append_only()', v_table);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I FOR EACH STATEMENT
                        EXECUTE FUNCTION ledger_is_append_only()', v_table);
    END LOOP;
END $$;

-- A debt is a negative position of the user's, against issuance: the credits that were issued and are gone. It names no
-- lot, because there is none.
ALTER TABLE ledger_legs DROP CONSTRAINT ledger_legs_account_check, DROP CONSTRAINT users_legs_name_a_lot;
ALTER TABLE ledger_legs ADD CONSTRAINT ledger_legs_account_check CHECK (account IN (
        'user:daily_free', 'user:purchased', 'user:bonus', 'user:debt',
        'operator:usage_revenue', 'operator:issuance', 'operator:expiry', 'operator:adjustment')),
    ADD CONSTRAINT users_legs_name_a_lot
        CHECK ((lot_id IS NOT NULL) = (account IN ('user:daily_free', 'user:purchased', 'user:bonus')));
ALTER TABLE operations DROP CONSTRAINT operations_operation_check;
ALTER TABLE operations ADD CONSTRAINT operations_operation_check
    CHECK (operation IN ('hold', 'grant', 'adjust', 'reverse', 'take_back', 'give_back', 'forgive'));

-- As before, with the debt.
CREATE OR REPLACE FUNCTION ledger_save(w user_wallet) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_wallet SET daily_free = w.daily_free, purchased = w.purchased, bonus = w.bonus, held = w.held,
        debt = w.debt, daily_limit = w.daily_limit, granted_today = w.granted_today, refreshed_on = w.refreshed_on,
        active_on = w.active_on, due_at = w.due_at, last_at = w.last_at, sequence = w.sequence, head_hash = w.head_hash
    WHERE user_id = w.user_id;
END $$;

-- A row that moves the debt and no bucket: p_debt more is owed, against an operator account.
CREATE FUNCTION ledger_post_debt(w user_wallet, p_now timestamptz, p_kind text, p_debt numeric, p_account text,
                                 p_description text, p_metadata jsonb, p_actor uuid DEFAULT NULL)
RETURNS transaction_history
LANGUAGE plpgsql AS $$
DECLARE
    e transaction_history;
    v_debt numeric(18,4) := p_debt;
BEGIN
    e.id := gen_random_uuid();
    e.user_id := w.user_id;
    e.sequence := w.sequence + 1;
    e.kind := p_kind;
    e.amount := 0::numeric(18,4);
    e.daily_free := 0::numeric(18,4);
    e.purchased := 0::numeric(18,4);
    e.bonus := 0::numeric(18,4);
    e.after_daily_free := w.daily_free;
    e.after_purchased := w.purchased;
    e.after_bonus := w.bonus;
    e.description := p_description;
    e.metadata := p_metadata || jsonb_build_object('debt', v_debt::text);
    e.actor_id := p_actor;
    e.created_at := greatest(p_now, w.last_at);
    e.prev_hash := w.head_hash;
    e := ledger_seal(e, '1 user:debt  ' || -v_debt || '|2 ' || p_account || '  ' || v_debt || '#');
    INSERT INTO transaction_history SELECT e.*;
    INSERT INTO ledger_legs (transaction_id, position, user_id, account, amount, created_at)
    VALUES (e.id, 1, e.user_id, 'user:debt', -v_debt, e.created_at), (e.id, 2, e.user_id, p_account, v_debt, e.created_at);
    RETURN e;
END $$;

-- Pays debts, the oldest first, out of whatever purchased credit is unheld: one row. Costs nothing without a debt.
CREATE FUNCTION ledger_collect(w user_wallet, p_now timestamptz) RETURNS user_wallet
LANGUAGE plpgsql AS $$
DECLARE
    e transaction_history;
    v_lot record;
    v_debt record;
    v_free numeric;
    v_take numeric;
    v_total numeric := 0;
    v_lots uuid[] := '{}';
    v_amounts numeric[] := '{}';
    v_paid_debts uuid[] := '{}';
    v_paid_lots uuid[] := '{}';
    v_paid numeric[] := '{}';
BEGIN
    IF w.debt = 0 THEN
        RETURN w;
    END IF;
    FOR v_lot IN
        SELECT l.id, l.remaining - l.reserved AS free FROM wallet_lots l
        WHERE l.user_id = w.user_id AND l.open AND l.bucket = 'purchased' AND l.remaining > l.reserved
        ORDER BY l.sequence, l.id
    LOOP
        EXIT WHEN v_total = w.debt;
        v_free := least(v_lot.free, w.debt - v_total);
        v_lots := v_lots || v_lot.id;
        v_amounts := v_amounts || -v_free;
        v_total := v_total + v_free;
        UPDATE wallet_lots l SET remaining = l.remaining - v_free WHERE l.id = v_lot.id;
        FOR v_debt IN
            SELECT d.id, d.remaining FROM wallet_debts d WHERE d.user_id = w.user_id AND d.open ORDER BY d.sequence, d.id
        LOOP
            EXIT WHEN v_free = 0;
            v_take := least(v_debt.remaining, v_free);
            v_free := v_free - v_take;
            UPDATE wallet_debts d SET remaining = d.remaining - v_take WHERE d.id = v_debt.id;
            v_paid_debts := v_paid_debts || v_debt.id;
            v_paid_lots := v_paid_lots || v_lot.id;
            v_paid := v_paid || v_take;
        END LOOP;
        ASSERT v_free = 0, 'the wallet says more debt than its debts';
    END LOOP;
    IF v_total = 0 THEN
        RETURN w;
    END IF;
    e := ledger_post(w, p_now, 'debt_payment', 'user:debt', v_lots, array_fill('purchased'::text, ARRAY[cardinality(v_lots)]),
                     v_amounts, 'Debt paid', jsonb_build_object('debt', (-v_total)::numeric(18,4)::text));
    INSERT INTO debt_payments
    SELECT e.id, part.position, part.debt, w.user_id, part.lot, part.amount, e.created_at
    FROM unnest(v_paid_debts, v_paid_lots, v_paid) WITH ORDINALITY AS part (debt, lot, amount, position);
    w := ledger_after(w, e);
    w.debt := w.debt - v_total;
    RETURN w;
END $$;

-- As before; purchased credit that a closed hold released, or that was granted, pays a debt before anything else.
CREATE OR REPLACE FUNCTION ledger_open(p_user uuid, p_now timestamptz, p_daily_limit numeric DEFAULT NULL) RETURNS user_wallet
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
    IF w.debt > 0 THEN
        w := ledger_collect(w, p_now);
    END IF;
    IF p_daily_limit IS NOT NULL THEN
        w := ledger_refresh_day(w, p_now, p_daily_limit);
        w.active_on := greatest(w.active_on, ledger_day(p_now));
    END IF;
    IF w IS DISTINCT FROM v_before THEN
        PERFORM ledger_save(w);
    END IF;
    RETURN w;
END $$;

-- As before; who owes is looked at each time, because a closed hold may have released what pays.
CREATE OR REPLACE FUNCTION ledger_refresh(p_user uuid, p_daily_limit numeric, p_now timestamptz, OUT code text,
                                          OUT wallet user_wallet)
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
      AND w.due_at > p_now AND w.daily_limit = p_daily_limit AND w.debt = 0;
    IF wallet.user_id IS NULL THEN
        wallet := ledger_open(p_user, p_now, p_daily_limit);
    END IF;
    code := CASE WHEN wallet.user_id IS NULL THEN 'not_found' ELSE 'ok' END;
END $$;

-- not_found. Frees, expires and collects what is due, and says how the wallet stands: what a purchase ends with.
CREATE FUNCTION ledger_collect_debts(p_user uuid, p_now timestamptz, OUT code text, OUT wallet user_wallet)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    wallet := ledger_open(p_user, p_now);
    code := CASE WHEN wallet.user_id IS NULL THEN 'not_found' ELSE 'ok' END;
END $$;

-- What of a purchase is still out: its amount less what was taken back already.
CREATE FUNCTION ledger_returned(p_purchase uuid) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(sum(taken + owed + lapsed), 0) FROM purchase_returns WHERE purchase_id = p_purchase);
END $$;

-- invalid, not_found, key_reused, not_refundable (not a purchase's or bonus's row), exceeds_purchase.
-- Takes credits of a purchase back: out of the very lot it made as far as they are there and unheld; what had expired is
-- gone already; the rest was spent or is held, and is owed. Purchased credit of other lots then pays the debt.
CREATE FUNCTION ledger_take_back(p_user uuid, p_key text, p_purchase uuid, p_amount numeric, p_kind text,
                                 p_description text, p_metadata jsonb, p_now timestamptz,
                                 OUT code text, OUT replayed boolean, OUT taken numeric, OUT owed numeric,
                                 OUT lapsed numeric, OUT wallet user_wallet)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    e transaction_history;
    v_done operations;
    v_purchase transaction_history;
    v_lot wallet_lots;
    v_return purchase_returns;
    v_print bytea;
    v_id uuid := gen_random_uuid();
BEGIN
    replayed := false;
    IF NOT (ledger_is_amount(p_amount) AND p_amount > 0 AND ledger_is_key(p_key)
            AND coalesce(p_kind IN ('payment_refund', 'chargeback'), false)
            AND coalesce(char_length(p_description) <= 500 AND jsonb_typeof(p_metadata) = 'object', false)) THEN
        code := 'invalid';
        RETURN;
    END IF;
    v_print := ledger_fingerprint('take_back', p_purchase::text, p_amount::numeric(18,4)::text, p_kind);
    w := ledger_open(p_user, p_now);
    SELECT * INTO v_purchase FROM transaction_history t WHERE t.id = p_purchase AND t.user_id = p_user;
    IF w.user_id IS NULL OR v_purchase.id IS NULL THEN
        code := 'not_found';
        RETURN;
    END IF;
    SELECT * INTO v_done FROM operations o WHERE o.user_id = p_user AND o.key = p_key;
    IF FOUND THEN
        replayed := v_done.fingerprint = v_print;
        code := CASE WHEN replayed THEN 'ok' ELSE 'key_reused' END;
        IF replayed THEN
            SELECT r.taken, r.owed, r.lapsed INTO taken, owed, lapsed FROM purchase_returns r WHERE r.id = v_done.result_id;
            wallet := ledger_as_then(w, v_done.after_daily_free, v_done.after_purchased, v_done.after_bonus,
                                     v_done.after_held);
        END IF;
        RETURN;
    END IF;
    SELECT l.* INTO v_lot FROM ledger_legs g JOIN wallet_lots l ON l.id = g.lot_id
    WHERE g.transaction_id = p_purchase AND g.created_at = v_purchase.created_at;
    IF v_purchase.kind NOT IN ('purchase', 'bonus_grant') OR EXISTS (SELECT FROM reversals r WHERE r.original_id = p_purchase)
       OR v_lot.id IS NULL THEN
        code := 'not_refundable';
        RETURN;
    END IF;
    IF ledger_returned(p_purchase) + p_amount > v_purchase.amount THEN
        code := 'exceeds_purchase';
        RETURN;
    END IF;

    -- from here it must succeed
    taken := least(p_amount, v_lot.remaining - v_lot.reserved);
    lapsed := least(p_amount - taken, ledger_lapsed(v_lot.id, p_purchase));
    owed := p_amount - taken - lapsed;
    IF taken > 0 THEN
        UPDATE wallet_lots l SET remaining = l.remaining - taken WHERE l.id = v_lot.id;
        e := ledger_post(w, p_now, p_kind, 'operator:issuance', ARRAY[v_lot.id], ARRAY[v_lot.bucket], ARRAY[-taken],
                         p_description, p_metadata, p_reverses => p_purchase);
        w := ledger_after(w, e);
    END IF;
    IF owed > 0 THEN
        e := ledger_post_debt(w, p_now, 'debt', owed, 'operator:issuance', p_description,
                              p_metadata || jsonb_build_object('cause', p_kind));
        w := ledger_after(w, e);
        w.debt := w.debt + owed;
        INSERT INTO wallet_debts (id, user_id, sequence, purchase_id, cause, original, remaining, created_at)
        VALUES (gen_random_uuid(), p_user, e.sequence, p_purchase, p_kind, owed, owed, e.created_at);
        w := ledger_collect(w, p_now);
    END IF;
    INSERT INTO purchase_returns VALUES (v_id, p_user, p_purchase, v_lot.id, p_kind, taken, owed, lapsed, p_now);
    PERFORM ledger_save(w);
    PERFORM ledger_remember(w, p_key, 'take_back', v_print, v_id, p_now);
    code := 'ok';
    wallet := w;
END $$;

-- What of a lot has expired and was not counted at an earlier return.
CREATE FUNCTION ledger_lapsed(p_lot uuid, p_purchase uuid) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(-sum(g.amount), 0) FROM ledger_legs g
            JOIN transaction_history t ON t.id = g.transaction_id AND t.created_at = g.created_at
            WHERE g.lot_id = p_lot AND t.kind IN ('bonus_expiry', 'daily_expiry'))
         - (SELECT coalesce(sum(r.lapsed), 0) FROM purchase_returns r WHERE r.purchase_id = p_purchase);
END $$;

-- invalid, not_found, key_reused, exceeds_returned. Undoes a part of what was taken back of a purchase (a dispute won, a
-- refund reversed), the last first: what is still owed is owed no more, what was paid of it goes back to the lots that
-- paid, what was taken goes back to its lot. Credit that comes back to an expired lot expires at once.
CREATE FUNCTION ledger_give_back(p_user uuid, p_key text, p_purchase uuid, p_amount numeric, p_description text,
                                 p_metadata jsonb, p_now timestamptz,
                                 OUT code text, OUT replayed boolean, OUT given numeric, OUT forgiven numeric,
                                 OUT wallet user_wallet)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    e transaction_history;
    v_done operations;
    v_print bytea;
    v_id uuid := gen_random_uuid();
    v_was record;
    v_part record;
    v_left numeric := p_amount;
    v_owed numeric;
    v_taken numeric;
    v_lapsed numeric;
    v_paid numeric;
    v_take numeric;
    v_lots uuid[] := '{}';
    v_buckets text[] := '{}';
    v_amounts numeric[] := '{}';
    v_paid_debts uuid[] := '{}';
    v_paid_lots uuid[] := '{}';
    v_paid_back numeric[] := '{}';
BEGIN
    replayed := false;
    IF NOT (ledger_is_amount(p_amount) AND p_amount > 0 AND ledger_is_key(p_key)
            AND coalesce(char_length(p_description) <= 500 AND jsonb_typeof(p_metadata) = 'object', false)) THEN
        code := 'invalid';
        RETURN;
    END IF;
    v_print := ledger_fingerprint('give_back', p_purchase::text, p_amount::numeric(18,4)::text);
    w := ledger_open(p_user, p_now);
    IF w.user_id IS NULL OR NOT EXISTS (SELECT FROM transaction_history t WHERE t.id = p_purchase AND t.user_id = p_user) THEN
        code := 'not_found';
        RETURN;
    END IF;
    SELECT * INTO v_done FROM operations o WHERE o.user_id = p_user AND o.key = p_key;
    IF FOUND THEN
        replayed := v_done.fingerprint = v_print;
        code := CASE WHEN replayed THEN 'ok' ELSE 'key_reused' END;
        IF replayed THEN
            SELECT -r.taken, -r.owed INTO given, forgiven FROM purchase_returns r WHERE r.id = v_done.result_id;
            wallet := ledger_as_then(w, v_done.after_daily_free, v_done.after_purchased, v_done.after_bonus,
                                     v_done.after_held);
        END IF;
        RETURN;
    END IF;
    SELECT sum(r.taken) AS taken, sum(r.owed) AS owed, sum(r.lapsed) AS lapsed, (array_agg(r.lot_id))[1] AS lot
    INTO v_was FROM purchase_returns r WHERE r.purchase_id = p_purchase;
    IF coalesce(v_was.taken + v_was.owed + v_was.lapsed, 0) < p_amount THEN
        code := 'exceeds_returned';
        RETURN;
    END IF;

    -- from here it must succeed
    v_owed := least(v_left, v_was.owed);
    v_left := v_left - v_owed;
    v_taken := least(v_left, v_was.taken);
    v_lapsed := v_left - v_taken;
    forgiven := 0;
    v_left := v_owed;
    FOR v_part IN -- what is still owed, the newest debt first
        SELECT d.id, d.remaining FROM wallet_debts d WHERE d.purchase_id = p_purchase AND d.open
        ORDER BY d.sequence DESC, d.id
    LOOP
        EXIT WHEN v_left = 0;
        v_take := least(v_part.remaining, v_left);
        v_left := v_left - v_take;
        forgiven := forgiven + v_take;
        UPDATE wallet_debts d SET remaining = d.remaining - v_take WHERE d.id = v_part.id;
    END LOOP;
    IF forgiven > 0 THEN
        e := ledger_post_debt(w, p_now, 'debt', -forgiven, 'operator:issuance', p_description, p_metadata);
        w := ledger_after(w, e);
        w.debt := w.debt - forgiven;
    END IF;
    FOR v_part IN -- what was paid of it, back to the lots that paid
        SELECT p.debt_id, p.lot_id, l.bucket, sum(p.amount) AS amount FROM debt_payments p
        JOIN wallet_debts d ON d.id = p.debt_id JOIN wallet_lots l ON l.id = p.lot_id
        WHERE d.purchase_id = p_purchase GROUP BY p.debt_id, p.lot_id, l.bucket, d.sequence, l.sequence
        HAVING sum(p.amount) > 0 ORDER BY d.sequence DESC, l.sequence DESC
    LOOP
        EXIT WHEN v_left = 0;
        v_take := least(v_part.amount, v_left);
        v_left := v_left - v_take;
        v_lots := v_lots || v_part.lot_id;
        v_buckets := v_buckets || v_part.bucket;
        v_amounts := v_amounts || v_take;
        v_paid_debts := v_paid_debts || v_part.debt_id;
        v_paid_lots := v_paid_lots || v_part.lot_id;
        v_paid_back := v_paid_back || -v_take;
    END LOOP;
    -- v_left is now what an operator had let off: nothing to give back for it
    IF v_taken > 0 THEN
        v_lots := v_lots || v_was.lot;
        v_buckets := v_buckets || (SELECT l.bucket FROM wallet_lots l WHERE l.id = v_was.lot);
        v_amounts := v_amounts || v_taken;
    END IF;
    given := (SELECT coalesce(sum(a), 0) FROM unnest(v_amounts) a);
    IF given > 0 THEN
        FOR i IN 1 .. cardinality(v_lots) LOOP -- one by one: a lot may be there twice
            UPDATE wallet_lots l SET remaining = l.remaining + v_amounts[i] WHERE l.id = v_lots[i];
        END LOOP;
        e := ledger_post(w, p_now, 'adjustment', 'operator:issuance', v_lots, v_buckets, v_amounts, p_description, p_metadata,
                         p_reverses => p_purchase);
        w := ledger_after(w, e);
        INSERT INTO debt_payments
        SELECT e.id, part.position, part.debt, w.user_id, part.lot, part.amount, e.created_at
        FROM unnest(v_paid_debts, v_paid_lots, v_paid_back) WITH ORDINALITY AS part (debt, lot, amount, position);
    END IF;
    INSERT INTO purchase_returns
    VALUES (v_id, p_user, p_purchase, v_was.lot, 'given_back', -v_taken, -v_owed, -v_lapsed, p_now);
    w := ledger_collect(w, p_now); -- another debt may be open
    w := ledger_expire_lots(w, p_now);
    w.due_at := least(w.due_at, (SELECT min(l.expires_at) FROM wallet_lots l WHERE l.id = ANY (v_lots) AND l.open
                                                                               AND l.expires_at > p_now));
    PERFORM ledger_save(w);
    PERFORM ledger_remember(w, p_key, 'give_back', v_print, v_id, p_now);
    code := 'ok';
    wallet := w;
END $$;

-- invalid, not_found, key_reused, exceeds_debt. An operator lets a debt off, wholly or in part.
CREATE FUNCTION ledger_forgive_debt(p_user uuid, p_key text, p_debt uuid, p_amount numeric, p_reason text, p_actor uuid,
                                    p_now timestamptz,
                                    OUT code text, OUT replayed boolean, OUT entry transaction_history)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    v_done operations;
    v_debt wallet_debts;
    v_print bytea;
BEGIN
    replayed := false;
    IF NOT (ledger_is_amount(p_amount) AND p_amount > 0 AND ledger_is_key(p_key)
            AND coalesce(char_length(p_reason) <= 500, false)) THEN
        code := 'invalid';
        RETURN;
    END IF;
    v_print := ledger_fingerprint('forgive', p_debt::text, p_amount::numeric(18,4)::text, p_reason, p_actor::text);
    w := ledger_open(p_user, p_now);
    SELECT * INTO v_debt FROM wallet_debts d WHERE d.id = p_debt AND d.user_id = p_user;
    IF w.user_id IS NULL OR v_debt.id IS NULL THEN
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
    IF p_amount > v_debt.remaining THEN
        code := 'exceeds_debt';
        RETURN;
    END IF;

    -- from here it must succeed
    UPDATE wallet_debts d SET remaining = d.remaining - p_amount WHERE d.id = p_debt;
    entry := ledger_post_debt(w, p_now, 'debt_payment', -p_amount, 'operator:adjustment', p_reason, '{}', p_actor);
    w := ledger_after(w, entry);
    w.debt := w.debt - p_amount;
    INSERT INTO debt_payments VALUES (entry.id, 1, p_debt, p_user, NULL, p_amount, entry.created_at);
    PERFORM ledger_save(w);
    PERFORM ledger_remember(w, p_key, 'forgive', v_print, entry.id, entry.created_at);
    code := 'ok';
END $$;

-- The audit's rules about debts, beside ledger_audit's.
CREATE FUNCTION ledger_audit_debts(p_user uuid, p_now timestamptz) RETURNS TABLE (user_id uuid, rule text, detail text)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY -- the wallet's debt is the sum of its debts and of its legs
    SELECT w.user_id, 'debt_mismatch', format('the wallet owes %s, its debts say %s, its legs %s', w.debt,
           coalesce(d.owed, 0), coalesce(-g.owed, 0))
    FROM user_wallet w
    LEFT JOIN (SELECT x.user_id, sum(x.remaining) AS owed FROM wallet_debts x GROUP BY x.user_id) d ON d.user_id = w.user_id
    LEFT JOIN (SELECT x.user_id, sum(x.amount) AS owed FROM ledger_legs x WHERE x.account = 'user:debt'
               GROUP BY x.user_id) g ON g.user_id = w.user_id
    WHERE (p_user IS NULL OR w.user_id = p_user)
      AND (w.debt <> coalesce(d.owed, 0) OR w.debt <> coalesce(-g.owed, 0));
    RETURN QUERY -- each debt is what it was less what was paid of it, and let off when a purchase was given back
    SELECT d.user_id, 'debt_history', format('debt %s has %s left of %s, %s was paid and %s let off', d.id, d.remaining,
           d.original, coalesce(p.paid, 0), d.original - d.remaining - coalesce(p.paid, 0))
    FROM wallet_debts d LEFT JOIN (SELECT x.debt_id, sum(x.amount) AS paid FROM debt_payments x GROUP BY x.debt_id) p
        ON p.debt_id = d.id
    WHERE (p_user IS NULL OR d.user_id = p_user) AND d.original - d.remaining < coalesce(p.paid, 0);
    RETURN QUERY -- a row's legs move the debt by what its chained figure says
    SELECT t.user_id, 'debt_row', 'transaction ' || t.id || format(': says %s, its legs %s', t.metadata ->> 'debt',
           coalesce(g.owed, 0))
    FROM transaction_history t
    LEFT JOIN (SELECT x.transaction_id, x.created_at, -sum(x.amount) AS owed FROM ledger_legs x
               WHERE x.account = 'user:debt' GROUP BY x.transaction_id, x.created_at) g
        ON g.transaction_id = t.id AND g.created_at = t.created_at
    WHERE t.kind IN ('debt', 'debt_payment') AND (p_user IS NULL OR t.user_id = p_user)
      AND coalesce((t.metadata ->> 'debt')::numeric, 0) <> coalesce(g.owed, 0);
    RETURN QUERY -- a purchase is returned at most once, and owes no less than its debts
    SELECT r.user_id, 'returned_mismatch', format('purchase %s of %s has %s returned, %s of it owed where its debts say %s',
           r.purchase_id, t.amount, r.returned, r.owed, coalesce(d.owed, 0))
    FROM (SELECT x.user_id, x.purchase_id, sum(x.taken + x.owed + x.lapsed) AS returned, sum(x.owed) AS owed
          FROM purchase_returns x GROUP BY x.user_id, x.purchase_id) r
    LEFT JOIN transaction_history t ON t.id = r.purchase_id
    LEFT JOIN (SELECT x.purchase_id, sum(x.remaining) AS owed FROM wallet_debts x GROUP BY x.purchase_id) d
        ON d.purchase_id = r.purchase_id
    WHERE (p_user IS NULL OR r.user_id = p_user)
      AND (r.returned > coalesce(t.amount, -1) OR r.returned < 0 OR coalesce(d.owed, 0) > r.owed);
    RETURN QUERY -- purchased credit pays first
    SELECT w.user_id, 'debt_unpaid', format('owes %s while %s purchased are unheld', w.debt, l.free)
    FROM user_wallet w, LATERAL (SELECT coalesce(sum(x.remaining - x.reserved), 0) AS free FROM wallet_lots x
                                 WHERE x.user_id = w.user_id AND x.open AND x.bucket = 'purchased') l
    WHERE (p_user IS NULL OR w.user_id = p_user) AND w.debt > 0 AND l.free > 0 AND w.last_at < p_now - interval '1 hour'
      AND NOT EXISTS (SELECT FROM holds h WHERE h.user_id = w.user_id AND h.closed_at > w.last_at);
END $$;

---------------------------------------------------------------------------------------------------------- spicy's rail

-- NULL: these rails may fund the spicy mode. Else the first that may not: of the tier (none of what gives a spicy tier
-- now is an allowed rail), then of the credit that p_amount would be paid with, in the spending order. Reads as the user
-- or as operator; the daily credit counts as the tier's.
CREATE FUNCTION spicy_rail_refused(p_user uuid, p_amount numeric, p_now timestamptz) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    v_part record;
    v_left numeric := p_amount;
    v_refused text;
BEGIN
    SELECT min(given.rail) FILTER (WHERE NOT p.spicy) INTO v_refused
    FROM (SELECT s.provider AS rail FROM subscriptions s JOIN tiers t ON t.code =
              CASE WHEN s.next_tier IS NOT NULL AND s.period_end <= p_now THEN s.next_tier ELSE s.tier END
          WHERE s.user_id = p_user AND s.entitled_until > p_now AND t.spicy
          UNION ALL
          SELECT 'operator' FROM users u JOIN tiers t ON t.code = u.tier
          WHERE u.id = p_user AND coalesce(u.tier_expires_at > p_now, true) AND t.spicy) given
    JOIN rail_policies p ON p.rail = given.rail
    HAVING bool_and(NOT p.spicy);
    IF v_refused IS NOT NULL THEN
        RETURN v_refused;
    END IF;
    FOR v_part IN
        SELECT l.remaining - l.reserved AS free, coalesce(r.rail, 'operator') AS rail, coalesce(p.spicy, false) AS spicy
        FROM wallet_lots l LEFT JOIN lot_rails r ON r.lot_id = l.id
        LEFT JOIN rail_policies p ON p.rail = coalesce(r.rail, 'operator')
        WHERE l.user_id = p_user AND l.open AND l.remaining > l.reserved AND coalesce(l.expires_at > p_now, true)
        ORDER BY ledger_bucket_rank(l.bucket), l.expires_at NULLS LAST, l.sequence
    LOOP
        EXIT WHEN v_left <= 0;
        IF NOT v_part.spicy THEN
            RETURN v_part.rail;
        END IF;
        v_left := v_left - v_part.free;
    END LOOP;
    RETURN NULL;
END $$;

CREATE FUNCTION region_allows_spicy(p_region text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT spicy FROM region_policies WHERE region = coalesce(p_region, 'ZZ')), true)
$$;

------------------------------------------------------------------------------------------------------------- reports

-- One row for each credit purchase: what of its price (net of tax and of what was refunded) was earned by p_at, by
-- usage and by credit that expired unused (breakage), and what is still owed in credit (deferred). From the ledger's
-- legs: every use of a lot names it. The three add up to the net exactly.
CREATE FUNCTION revenue_of_credits(p_at timestamptz)
RETURNS TABLE (payment_id uuid, currency text, net_minor bigint, used_minor bigint, breakage_minor bigint,
               deferred_minor bigint)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH money AS (
        SELECT m.payment_id, m.currency, sum(m.amount_minor - m.tax_minor)::bigint AS net
        FROM money_entries m JOIN payment_transactions p ON p.id = m.payment_id
        WHERE p.kind = 'credits' AND m.at_time < p_at GROUP BY 1, 2
    ), lots AS (
        SELECT p.id AS payment_id, g.lot_id FROM payment_transactions p
        JOIN ledger_legs g ON g.transaction_id IN (p.purchase_entry, p.bonus_entry) AND g.lot_id IS NOT NULL
        WHERE p.kind = 'credits'
    ), moved AS (
        SELECT lots.payment_id, -coalesce(sum(g.amount) FILTER (WHERE t.kind IN ('chat', 'chat_refund', 'debt_payment')), 0) AS used,
               -coalesce(sum(g.amount) FILTER (WHERE t.kind = 'bonus_expiry'), 0) AS expired,
               coalesce(sum(g.amount), 0) AS remaining
        FROM lots JOIN ledger_legs g ON g.lot_id = lots.lot_id AND g.created_at < p_at
        JOIN transaction_history t ON t.id = g.transaction_id AND t.created_at = g.created_at GROUP BY 1
    ), parts AS (
        SELECT money.payment_id, money.currency, money.net,
               CASE WHEN used + expired + remaining > 0
                    THEN round(money.net * greatest(used, 0) / (greatest(used, 0) + expired + remaining))
                    ELSE 0 END::bigint AS used,
               CASE WHEN used + expired + remaining > 0
                    THEN round(money.net * expired / (greatest(used, 0) + expired + remaining)) ELSE 0 END::bigint AS expired
        FROM money LEFT JOIN moved ON moved.payment_id = money.payment_id
    )
    SELECT parts.payment_id, parts.currency, parts.net, parts.used, least(parts.expired, parts.net - parts.used),
           parts.net - parts.used - least(parts.expired, parts.net - parts.used)
    FROM parts
$$;

-- The same for subscriptions: a period's price is earned evenly over the period. A period that was refunded is earned
-- as far as the money was kept.
CREATE FUNCTION revenue_of_subscriptions(p_at timestamptz)
RETURNS TABLE (payment_id uuid, currency text, net_minor bigint, used_minor bigint, deferred_minor bigint)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH money AS (
        SELECT m.payment_id, m.currency, sum(m.amount_minor - m.tax_minor)::bigint AS net,
               coalesce(p.period_start, p.paid_at) AS starts, coalesce(p.period_end, p.paid_at + interval '1 month') AS ends
        FROM money_entries m JOIN payment_transactions p ON p.id = m.payment_id
        WHERE p.kind = 'subscription' AND m.at_time < p_at GROUP BY 1, 2, p.id
    ), earned AS (
        SELECT money.*, round(net * least(1, greatest(0, extract(epoch FROM p_at - starts)
                              / greatest(1, extract(epoch FROM ends - starts)))))::bigint AS used FROM money
    )
    SELECT earned.payment_id, earned.currency, net, used, net - used FROM earned
$$;

------------------------------------------------------------------------------------------------------------- sandbox
-- The sandbox provider's own world, as another company's database would be: our books never read it, except by asking.

CREATE TABLE sandbox_settings (
    only_one       boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    secret         bytea NOT NULL CHECK (octet_length(secret) = 32), -- signs its webhooks
    delay_s        integer NOT NULL DEFAULT 0 CHECK (delay_s BETWEEN 0 AND 86400),
    copies         integer NOT NULL DEFAULT 1 CHECK (copies BETWEEN 0 AND 10), -- 0: the webhook gets lost
    shuffle        boolean NOT NULL DEFAULT false,
    renewals_fail  boolean NOT NULL DEFAULT false
);
CREATE TABLE sandbox_checkouts (
    id             text PRIMARY KEY,
    payment_id     uuid NOT NULL UNIQUE,
    user_id        uuid NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('credits', 'subscription')),
    product        text NOT NULL,
    title          text NOT NULL,
    amount_minor   bigint NOT NULL,
    currency       text NOT NULL,
    trial_days     integer NOT NULL DEFAULT 0,
    return_url     text NOT NULL DEFAULT '',
    status         text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'paid', 'failed')),
    created_at     timestamptz NOT NULL
);
CREATE TABLE sandbox_subscriptions (
    reference      text PRIMARY KEY,
    user_id        uuid NOT NULL,
    tier           text NOT NULL,
    next_tier      text,
    status         text NOT NULL CHECK (status IN ('trialing', 'active', 'past_due', 'canceled', 'expired')),
    amount_minor   bigint NOT NULL, -- a month
    next_amount_minor bigint,
    currency       text NOT NULL,
    period_start   timestamptz NOT NULL,
    period_end     timestamptz NOT NULL,
    version        bigint NOT NULL,
    changed_at     timestamptz NOT NULL
);
CREATE INDEX sandbox_subscriptions_due ON sandbox_subscriptions (period_end) WHERE status <> 'expired';
CREATE TABLE sandbox_payments (
    reference      text PRIMARY KEY,
    payment_id     uuid, -- ours, handed over at the checkout
    user_id        uuid NOT NULL,
    kind           text NOT NULL,
    product        text NOT NULL,
    amount_minor   bigint NOT NULL,
    tax_minor      bigint NOT NULL,
    fee_minor      bigint NOT NULL,
    currency       text NOT NULL,
    status         text NOT NULL CHECK (status IN ('paid', 'failed')),
    refunded_minor bigint NOT NULL DEFAULT 0,
    subscription_reference text,
    period_start   timestamptz,
    period_end     timestamptz,
    version        bigint NOT NULL,
    created_at     timestamptz NOT NULL,
    changed_at     timestamptz NOT NULL
);
CREATE INDEX sandbox_payments_created ON sandbox_payments (created_at);
CREATE TABLE sandbox_disputes (
    reference         text PRIMARY KEY,
    payment_reference text NOT NULL REFERENCES sandbox_payments,
    state             text NOT NULL CHECK (state IN ('open', 'won', 'lost')),
    amount_minor      bigint NOT NULL,
    version           bigint NOT NULL,
    opened_at         timestamptz NOT NULL,
    changed_at        timestamptz NOT NULL
);
CREATE TABLE sandbox_keys ( -- Idempotency-Keys of calls that move money
    key        text PRIMARY KEY,
    result     text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE sandbox_webhooks (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id     text NOT NULL,
    body         bytea NOT NULL,
    due_at       timestamptz NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    delivered_at timestamptz,
    last_error   text
);
CREATE INDEX sandbox_webhooks_due ON sandbox_webhooks (due_at) WHERE delivered_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON sandbox_settings, sandbox_checkouts, sandbox_subscriptions, sandbox_payments,
      sandbox_disputes, sandbox_keys, sandbox_webhooks TO companion_operator;
