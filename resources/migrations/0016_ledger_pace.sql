-- The same ledger with less work for each turn (docs/performance.md has the figures): what was checked twice is checked
-- once, and the two operations of every reply go straight to their rows.

---------------------------------------------------------------------------------------------------- checks and keys
-- PostgreSQL reads and plans every CHECK anew for each statement that writes the table: three microseconds each, eighty
-- times a reply. What stays is what must hold between columns and that nothing falls below zero; what a single column
-- may be (a digest's length, a text's, a position) the functions alone write, and ledger_audit recomputes.
ALTER TABLE user_wallet
    DROP CONSTRAINT user_wallet_daily_free_check, DROP CONSTRAINT user_wallet_purchased_check,
    DROP CONSTRAINT user_wallet_bonus_check, DROP CONSTRAINT user_wallet_held_check, DROP CONSTRAINT user_wallet_debt_check,
    DROP CONSTRAINT user_wallet_daily_limit_check, DROP CONSTRAINT user_wallet_granted_today_check,
    DROP CONSTRAINT user_wallet_head_hash_check, DROP CONSTRAINT user_wallet_sequence_check,
    ADD CONSTRAINT never_below_zero CHECK (least(daily_free, purchased, bonus, held, debt, granted_today) >= 0);
ALTER TABLE wallet_lots DROP CONSTRAINT wallet_lots_original_check;
ALTER TABLE holds
    DROP CONSTRAINT holds_charged_daily_free_check, DROP CONSTRAINT holds_charged_purchased_check,
    DROP CONSTRAINT holds_charged_bonus_check, DROP CONSTRAINT holds_amount_check, DROP CONSTRAINT charge_within_hold,
    ADD CONSTRAINT charge_within_hold CHECK (least(charged_daily_free, charged_purchased, charged_bonus) >= 0
                                             AND charged_daily_free + charged_purchased + charged_bonus <= amount);
ALTER TABLE hold_lots DROP CONSTRAINT hold_lots_position_check, DROP CONSTRAINT hold_lots_bucket_check;
ALTER TABLE operations DROP CONSTRAINT operations_fingerprint_check, DROP CONSTRAINT operations_key_check;
ALTER TABLE transaction_history
    DROP CONSTRAINT transaction_history_after_daily_free_check, DROP CONSTRAINT transaction_history_after_purchased_check,
    DROP CONSTRAINT transaction_history_after_bonus_check, DROP CONSTRAINT transaction_history_description_check,
    DROP CONSTRAINT transaction_history_hash_check, DROP CONSTRAINT transaction_history_prev_hash_check,
    DROP CONSTRAINT transaction_history_metadata_check, DROP CONSTRAINT transaction_history_sequence_check,
    DROP CONSTRAINT transaction_history_amount_check;
ALTER TABLE ledger_legs DROP CONSTRAINT ledger_legs_position_check;

-- A foreign key asks for its row again, which every function has locked before it writes. A wallet is never deleted.
ALTER TABLE holds DROP CONSTRAINT holds_user_id_fkey;
ALTER TABLE hold_lots DROP CONSTRAINT hold_lots_hold_id_fkey, DROP CONSTRAINT hold_lots_lot_id_fkey;
ALTER TABLE operations DROP CONSTRAINT operations_user_id_fkey;
ALTER TABLE transaction_history DROP CONSTRAINT transaction_history_user_id_fkey;

------------------------------------------------------------------------------------------------------------- pieces

-- Nearly every time there is nothing to free, to collect or to refresh: then the row is locked and that is all.
ALTER FUNCTION ledger_open(uuid, timestamptz, numeric) RENAME TO ledger_open_and_catch_up;
CREATE FUNCTION ledger_open(p_user uuid, p_now timestamptz, p_daily_limit numeric DEFAULT NULL) RETURNS user_wallet
LANGUAGE plpgsql AS $$
DECLARE
    w user_wallet;
BEGIN
    PERFORM set_config('companion.user_id', p_user::text, true);
    SELECT * INTO w FROM user_wallet WHERE user_id = p_user FOR UPDATE;
    IF w.due_at > p_now AND w.debt = 0 AND isfinite(p_now)
       AND (p_daily_limit IS NULL
            OR (w.daily_limit = p_daily_limit AND w.granted_today >= p_daily_limit
                AND least(w.refreshed_on, w.active_on) >= ledger_day(greatest(p_now, w.last_at)))) THEN
        RETURN w;
    END IF;
    RETURN ledger_open_and_catch_up(p_user, p_now, p_daily_limit);
END $$;

CREATE OR REPLACE FUNCTION ledger_seal(e transaction_history, p_parts text) RETURNS transaction_history
LANGUAGE plpgsql AS $$
BEGIN
    e.text_salt := uuid_send(gen_random_uuid());
    e.text_digest := ledger_text_digest(e.text_salt, e.description, e.metadata);
    e.parts_digest := sha256(convert_to(p_parts, 'UTF8'));
    e.hash := sha256(ledger_hash(e) || e.text_digest || e.parts_digest); -- as ledger_sealed_hash
    RETURN e;
END $$;

-- A hold's lots in the spending order, reserved. The caller has seen that the wallet has as much.
CREATE FUNCTION ledger_reserve(p_user uuid, p_hold uuid, p_amount numeric) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_lot record;
    v_left numeric := p_amount;
    v_take numeric;
    v_position smallint := 0;
BEGIN
    IF p_amount = 0 THEN
        RETURN;
    END IF;
    FOR v_lot IN
        SELECT l.id, l.bucket, l.remaining - l.reserved AS free FROM wallet_lots l
        WHERE l.user_id = p_user AND l.open AND l.remaining > l.reserved
        ORDER BY ledger_bucket_rank(l.bucket), l.expires_at NULLS LAST, l.sequence
    LOOP
        v_take := least(v_lot.free, v_left);
        v_left := v_left - v_take;
        v_position := v_position + 1;
        UPDATE wallet_lots l SET reserved = l.reserved + v_take WHERE l.id = v_lot.id;
        INSERT INTO hold_lots VALUES (p_hold, v_position, v_lot.id, p_user, v_lot.bucket, v_take);
        EXIT WHEN v_left = 0;
    END LOOP;
    ASSERT v_left = 0, 'the wallet promised more than its lots have';
END $$;

--------------------------------------------------------------------------------------------------------- operations

-- As before: invalid, not_found, key_reused (for other terms), insufficient_credits
CREATE OR REPLACE FUNCTION ledger_hold(p_user uuid, p_key text, p_amount numeric, p_expires_at timestamptz, p_daily_limit numeric,
                            p_now timestamptz,
                            OUT code text, OUT replayed boolean, OUT required numeric, OUT available numeric,
                            OUT hold_id uuid, OUT hold_amount numeric, OUT hold_expires_at timestamptz,
                            OUT wallet user_wallet)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    v_done operations;
    v_print bytea;
BEGIN
    replayed := false;
    IF NOT (ledger_is_amount(p_amount) AND p_amount >= 0 AND ledger_is_amount(p_daily_limit) AND p_daily_limit >= 0
            AND ledger_is_key(p_key) AND coalesce(p_expires_at > p_now AND p_expires_at < 'infinity', false)) THEN
        code := 'invalid';
        RETURN;
    END IF;
    v_print := ledger_fingerprint('hold', p_amount::numeric(18,4)::text);
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
    PERFORM ledger_reserve(p_user, hold_id, p_amount);
    UPDATE user_wallet SET held = held + p_amount, due_at = least(due_at, p_expires_at) WHERE user_id = p_user
    RETURNING * INTO w;
    INSERT INTO operations VALUES (p_user, p_key, 'hold', v_print, hold_id, p_now, w.daily_free, w.purchased, w.bonus, w.held);
    code := 'ok';
    wallet := w;
END $$;

-- As before: invalid, not_found, hold_captured (for another amount), hold_voided, hold_expired, exceeds_hold.
CREATE OR REPLACE FUNCTION ledger_capture(p_user uuid, p_hold uuid, p_amount numeric, p_description text, p_metadata jsonb,
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
    charged_daily_free := 0;
    charged_purchased := 0;
    charged_bonus := 0;
    IF p_amount > 0 THEN
        e := ledger_post(w, p_now, 'chat', 'operator:usage_revenue', v_lots, v_buckets, v_amounts, p_description,
                         p_metadata, p_hold => p_hold);
        transaction_id := e.id;
        charged_daily_free := -e.daily_free;
        charged_purchased := -e.purchased;
        charged_bonus := -e.bonus;
    END IF;
    IF v_late THEN -- released after its expiry: it expires instead of coming back
        w := ledger_expire_lots(CASE WHEN p_amount > 0 THEN ledger_after(w, e) ELSE w END, p_now);
        PERFORM ledger_save(w);
    ELSIF p_amount > 0 THEN
        UPDATE user_wallet
        SET held = w.held, daily_free = e.after_daily_free, purchased = e.after_purchased, bonus = e.after_bonus,
            sequence = e.sequence, head_hash = e.hash, last_at = e.created_at
        WHERE user_id = p_user RETURNING * INTO w;
    ELSE
        UPDATE user_wallet SET held = w.held WHERE user_id = p_user;
    END IF;
    UPDATE holds SET state = 'captured', closed_at = p_now, transaction_id = ledger_capture.transaction_id,
        charged_daily_free = ledger_capture.charged_daily_free, charged_purchased = ledger_capture.charged_purchased,
        charged_bonus = ledger_capture.charged_bonus, after_daily_free = w.daily_free, after_purchased = w.purchased,
        after_bonus = w.bonus, after_held = w.held
    WHERE id = p_hold;
    code := 'ok';
    wallet := w;
END $$;
