-- What attacking the ledger and the audit log found (docs/ledger.md): more of a row is sealed by its hash, the two chains
-- hold each other's tail, no amount makes a function fail instead of refuse, and no clock of another instance makes a
-- lot outlive its expiry.

------------------------------------------------------------------------------------------------------------- rights

-- The functions trust what they find in this schema. PostgreSQL 15 gives nobody else the right to put something there; a
-- database that was made by an older server may still do.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- A statement trigger is not handed down to partitions, as the row trigger is.
DO $$
DECLARE
    v_partition regclass;
BEGIN
    FOR v_partition IN SELECT inhrelid::regclass FROM pg_inherits
                       WHERE inhparent IN ('transaction_history'::regclass, 'ledger_legs'::regclass) LOOP
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %s FOR EACH STATEMENT
                        EXECUTE FUNCTION ledger_is_append_only()', v_partition);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION ledger_make_partitions(p_from date, p_months integer) RETURNS integer
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
            EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I FOR EACH STATEMENT
                            EXECUTE FUNCTION ledger_is_append_only()', v_name);
            v_made := v_made + 1;
        END LOOP;
    END LOOP;
    RETURN v_made;
END $$;

-------------------------------------------------------------------------------------------------------------- seals
-- A row's texts and parts enter the chain as digests. The texts' one is salted, so that a text that was erased cannot be
-- guessed from it: erasing empties description, metadata and salt, and the chain stays whole. Rows of before have none.

ALTER TABLE transaction_history
    ADD COLUMN text_salt bytea,     -- NULL: the texts were erased
    ADD COLUMN text_digest bytea,   -- of salt, description and metadata
    ADD COLUMN parts_digest bytea,  -- of the legs and of the lots that the row made
    ADD CONSTRAINT digests_come_together CHECK ((text_digest IS NULL) = (parts_digest IS NULL));

-- What a row's hash must be: over 0003's bytes alone where the row has no digests, else over that hash and the digests.
CREATE FUNCTION ledger_sealed_hash(e transaction_history) RETURNS bytea
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN e.parts_digest IS NULL THEN ledger_hash(e) ELSE sha256(ledger_hash(e) || e.text_digest || e.parts_digest) END;
END $$;

-- The last step before a row is written. p_parts: its legs, "position account lot amount" each, and behind a # the lots it
-- made, "id bucket amount expiry" each, with bars between.
CREATE FUNCTION ledger_seal(e transaction_history, p_parts text) RETURNS transaction_history
LANGUAGE plpgsql AS $$
BEGIN
    e.text_salt := uuid_send(gen_random_uuid());
    e.text_digest := ledger_text_digest(e.text_salt, e.description, e.metadata);
    e.parts_digest := sha256(convert_to(p_parts, 'UTF8'));
    e.hash := ledger_sealed_hash(e);
    RETURN e;
END $$;

-- As before, and sealed.
CREATE OR REPLACE FUNCTION ledger_post(w user_wallet, p_now timestamptz, p_kind text, p_account text, p_lots uuid[],
                                       p_buckets text[], p_amounts numeric[], p_description text, p_metadata jsonb,
                                       p_hold uuid DEFAULT NULL, p_reverses uuid DEFAULT NULL, p_actor uuid DEFAULT NULL)
RETURNS transaction_history
LANGUAGE plpgsql AS $$
DECLARE
    e transaction_history;
    v_amount numeric(18,4);
    v_parts text := '';
    v_adds boolean := false;
BEGIN
    e.daily_free := 0;
    e.purchased := 0;
    e.bonus := 0;
    FOR i IN 1 .. cardinality(p_lots) LOOP
        v_amount := p_amounts[i];
        CASE p_buckets[i]
            WHEN 'daily_free' THEN e.daily_free := e.daily_free + v_amount;
            WHEN 'purchased' THEN e.purchased := e.purchased + v_amount;
            WHEN 'bonus' THEN e.bonus := e.bonus + v_amount;
        END CASE;
        v_parts := v_parts || i || ' user:' || p_buckets[i] || ' ' || p_lots[i] || ' ' || v_amount || '|';
        v_adds := v_adds OR v_amount > 0;
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
    e := ledger_seal(e, v_parts || cardinality(p_lots) + 1 || ' ' || p_account || '  ' || -e.amount || '#'
                        || CASE WHEN v_adds THEN ledger_made_lots(w.user_id, e.sequence, p_lots) ELSE '' END);
    INSERT INTO transaction_history SELECT e.*;
    INSERT INTO ledger_legs (transaction_id, position, user_id, account, lot_id, amount, created_at)
    SELECT e.id, part.position, e.user_id, 'user:' || part.bucket, part.lot, part.amount, e.created_at
    FROM unnest(p_lots, p_buckets, p_amounts) WITH ORDINALITY AS part (lot, bucket, amount, position)
    UNION ALL SELECT e.id, cardinality(p_lots) + 1, e.user_id, p_account, NULL, -e.amount, e.created_at;
    RETURN e;
END $$;

CREATE FUNCTION ledger_text_digest(p_salt bytea, p_description text, p_metadata jsonb) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN sha256(p_salt || convert_to(jsonb_build_array(p_description, p_metadata)::text, 'UTF8'));
END $$;

CREATE FUNCTION ledger_lot_text(l wallet_lots) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT l.id || ' ' || l.bucket || ' ' || l.original || ' '
           || coalesce(((extract(epoch FROM l.expires_at) * 1000000)::bigint)::text, '')
$$;

CREATE FUNCTION ledger_made_lots(p_user uuid, p_sequence bigint, p_lots uuid[]) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(string_agg(ledger_lot_text(l), '|' ORDER BY l.id), '') FROM wallet_lots l
            WHERE l.id = ANY (p_lots) AND l.user_id = p_user AND l.sequence = p_sequence);
END $$;

------------------------------------------------------------------------------------------------------------- pieces

-- due_at is a lower bound of every open lot's expiry, also of one that stays open past it because it is held: whoever
-- releases it may have a clock behind ours, and would leave it to be spent after its end. A call without a time is our own
-- bug, no refusal.
CREATE OR REPLACE FUNCTION ledger_free_due(w user_wallet, p_now timestamptz) RETURNS user_wallet
LANGUAGE plpgsql AS $$
DECLARE
    v_hold holds;
BEGIN
    ASSERT isfinite(p_now), 'a ledger operation is told the time';
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
        (SELECT min(expires_at) FROM wallet_lots WHERE user_id = w.user_id AND open),
        (SELECT min(expires_at) FROM holds WHERE user_id = w.user_id AND state = 'held'), 'infinity');
    RETURN w;
END $$;
UPDATE user_wallet w SET due_at = '-infinity'
WHERE due_at > (SELECT min(expires_at) FROM wallet_lots l WHERE l.user_id = w.user_id AND open);

-- The day is that of the row it is written in: a wallet's time never goes back, so an instance whose clock is behind
-- refreshes the day that another has begun.
CREATE OR REPLACE FUNCTION ledger_refresh_day(w user_wallet, p_now timestamptz, p_daily_limit numeric) RETURNS user_wallet
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := greatest(p_now, w.last_at);
    v_today date := ledger_day(v_now);
    v_new_day boolean := coalesce(w.refreshed_on < v_today, true);
    v_grant numeric := p_daily_limit - CASE WHEN v_new_day THEN 0 ELSE w.granted_today END;
    v_midnight timestamptz := ledger_midnight_after(v_now);
BEGIN
    w.daily_limit := p_daily_limit;
    IF v_new_day THEN
        w.refreshed_on := v_today;
        w.granted_today := 0;
    END IF;
    IF v_grant > 0 AND w.refreshed_on = v_today THEN
        w.granted_today := w.granted_today + v_grant;
        w := ledger_after(w, ledger_post(w, p_now, CASE WHEN v_new_day THEN 'daily_refresh' ELSE 'subscription_change' END,
            'operator:issuance', ARRAY[ledger_add_lot(w, p_now, 'daily_free', v_grant, v_midnight)], ARRAY['daily_free'],
            ARRAY[v_grant], CASE WHEN v_new_day THEN 'Daily credits' ELSE 'Daily credits of the new tier' END, '{}'));
        w.due_at := least(w.due_at, v_midnight);
    END IF;
    RETURN w;
END $$;

--------------------------------------------------------------------------------------------------------- operations
-- As before, but the terms are checked before they are cast: an amount beyond all range is refused, and does not fail.

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

CREATE OR REPLACE FUNCTION ledger_grant(p_user uuid, p_key text, p_bucket text, p_amount numeric, p_kind text,
                             p_expires_at timestamptz, p_description text, p_metadata jsonb, p_now timestamptz,
                             OUT code text, OUT replayed boolean, OUT entry transaction_history)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    v_done operations;
    v_print bytea;
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
    v_print := ledger_fingerprint('grant', p_bucket, p_amount::numeric(18,4)::text, p_kind,
                                  extract(epoch FROM p_expires_at)::text, p_description, p_metadata::text);
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

CREATE OR REPLACE FUNCTION ledger_adjust(p_user uuid, p_key text, p_bucket text, p_amount numeric, p_reason text, p_actor uuid,
                              p_now timestamptz,
                              OUT code text, OUT replayed boolean, OUT required numeric, OUT available numeric,
                              OUT entry transaction_history)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    w user_wallet;
    v_done operations;
    v_print bytea;
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
    v_print := ledger_fingerprint('adjust', p_bucket, p_amount::numeric(18,4)::text, p_reason, p_actor::text);
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

-------------------------------------------------------------------------------------------------------------- sweeps
-- A batch that is found but not freed would be found for ever: whatever due_at says, a sweep looks.

CREATE FUNCTION ledger_sweep_wallet(p_user uuid, p_now timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_wallet SET due_at = p_now WHERE user_id = p_user AND due_at > p_now;
    PERFORM ledger_open(p_user, p_now);
END $$;

CREATE OR REPLACE FUNCTION ledger_sweep_holds(p_batch integer, p_now timestamptz) RETURNS integer
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
        PERFORM ledger_sweep_wallet(v_user, p_now);
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;

CREATE OR REPLACE FUNCTION ledger_sweep_lots(p_batch integer, p_now timestamptz) RETURNS integer
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
        PERFORM ledger_sweep_wallet(v_user, p_now);
        v_count := v_count + 1;
    END LOOP;
    RETURN v_count;
END $$;

------------------------------------------------------------------------------------- the audit log's head, and the days
-- The log's end is written down in two places: in its head, at every line, and in the ledger's next closed day. That
-- closing is itself a line of the log with the day's digest, so that neither chain can be cut alone.

CREATE TABLE audit_log_head (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    sequence bigint NOT NULL CHECK (sequence >= 0),
    hash     bytea NOT NULL -- '' before the first line
);
INSERT INTO audit_log_head (sequence, hash)
SELECT coalesce(max(sequence), 0), coalesce((SELECT hash FROM audit_log ORDER BY sequence DESC LIMIT 1), '') FROM audit_log;
ALTER TABLE audit_log_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log_head FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_rows ON audit_log_head TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY operator_rows ON audit_log_head TO companion_operator USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE (sequence, hash) ON audit_log_head TO companion_operator;

ALTER TABLE ledger_days
    ADD COLUMN audit_sequence bigint, -- where the audit log stood when the day was closed; NULL for days of before
    ADD COLUMN audit_hash bytea,
    ADD CONSTRAINT the_logs_head_comes_whole CHECK ((audit_sequence IS NULL) = (audit_hash IS NULL));

-- One writer at a time, until its transaction ends: call it last, or it makes others wait for the rest of yours. It goes
-- on from the head and not from the log's last line, so that a line that was cut off stays missed.
CREATE OR REPLACE FUNCTION append_audit(p_id uuid, p_at timestamptz, p_actor text, p_act text, p_target text,
                                        p_reason text, p_before jsonb, p_after jsonb, p_request_id text) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    head audit_log_head;
    new_salt bytea := uuid_send(gen_random_uuid());
    new_digest bytea := audit_digest(new_salt, p_reason, p_before, p_after);
BEGIN
    SELECT * INTO STRICT head FROM audit_log_head FOR UPDATE;
    head.hash := audit_hash(head.hash, head.sequence + 1, p_id, p_at, p_actor, p_act, p_target, p_request_id, new_digest);
    head.sequence := head.sequence + 1;
    INSERT INTO audit_log (sequence, id, at_time, actor, act, target, reason, before, after, request_id, salt, digest, hash)
    VALUES (head.sequence, p_id, p_at, p_actor, p_act, p_target, p_reason, p_before, p_after, p_request_id, new_salt,
            new_digest, head.hash);
    UPDATE audit_log_head SET sequence = head.sequence, hash = head.hash;
    RETURN head.sequence;
END $$;

-- missing_row (before this one), changed_text, broken_chain, missing_tail (what the head or a closed day has seen).
CREATE OR REPLACE FUNCTION verify_audit() RETURNS TABLE (broken_sequence bigint, rule text)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT sequence, CASE WHEN sequence <> expected THEN 'missing_row' WHEN NOT digest_fits THEN 'changed_text'
                          ELSE 'broken_chain' END
    FROM (SELECT sequence, coalesce(lag(sequence) OVER chain, 0) + 1 AS expected,
                 digest = audit_digest(salt, reason, before, after) AS digest_fits,
                 hash = audit_hash(coalesce(lag(hash) OVER chain, '\x'), sequence, id, at_time, actor, act, target,
                                   request_id, digest) AS hash_fits
          FROM audit_log WINDOW chain AS (ORDER BY sequence)) checked
    WHERE sequence <> expected OR NOT digest_fits OR NOT hash_fits
    UNION ALL
    SELECT coalesce(head.sequence, 0), 'missing_tail'
    FROM (SELECT coalesce(max(sequence), 0) AS sequence FROM audit_log) last
    LEFT JOIN audit_log l ON l.sequence = last.sequence
    LEFT JOIN audit_log_head head ON true
    WHERE (head.sequence, head.hash) IS DISTINCT FROM (last.sequence, coalesce(l.hash, ''))
    UNION ALL
    SELECT d.audit_sequence, 'missing_tail' FROM ledger_days d
    WHERE d.audit_sequence > 0
      AND NOT EXISTS (SELECT FROM audit_log l WHERE l.sequence = d.audit_sequence AND l.hash = d.audit_hash)
$$;

CREATE FUNCTION ledger_day_digest(p_day date, p_prev bytea, p_audit_sequence bigint, p_audit_hash bytea) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_audit_sequence IS NULL THEN ledger_day_digest(p_day, p_prev)
           ELSE sha256(coalesce(p_prev, decode(repeat('00', 32), 'hex'))
                || convert_to('v2|' || to_char(p_day, 'YYYY-MM-DD') || '|' || p_audit_sequence || '|'
                || encode(p_audit_hash, 'hex')
                || coalesce(string_agg('|' || user_id || '|' || sequence || '|' || encode(hash, 'hex'), '' ORDER BY user_id),
                            ''), 'UTF8')) END
    FROM ledger_day_heads WHERE day = p_day
$$;

CREATE OR REPLACE FUNCTION ledger_close_days(p_now timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_last ledger_days;
    v_head audit_log_head;
    v_day date;
    v_count integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('ledger_close_days', 0));
    SELECT * INTO v_last FROM ledger_days ORDER BY day DESC LIMIT 1;
    SELECT * INTO STRICT v_head FROM audit_log_head;
    v_day := coalesce(v_last.day + 1, (SELECT ledger_day(min(created_at)) FROM transaction_history));
    WHILE v_day < ledger_day(p_now - interval '10 minutes') AND v_count < 400 LOOP
        INSERT INTO ledger_day_heads
        SELECT DISTINCT ON (user_id) v_day, user_id, sequence, hash FROM transaction_history
        WHERE created_at >= v_day::timestamp AT TIME ZONE 'UTC' AND created_at < (v_day + 1)::timestamp AT TIME ZONE 'UTC'
        ORDER BY user_id, sequence DESC;
        INSERT INTO ledger_days (day, wallets, prev_digest, digest, closed_at, audit_sequence, audit_hash)
        SELECT v_day, count(h.user_id), coalesce(v_last.digest, decode(repeat('00', 32), 'hex')),
               ledger_day_digest(v_day, v_last.digest, v_head.sequence, v_head.hash), p_now, v_head.sequence, v_head.hash
        FROM ledger_day_heads h WHERE h.day = v_day
        RETURNING * INTO v_last;
        v_day := v_day + 1;
        v_count := v_count + 1;
    END LOOP;
    IF v_count > 0 THEN
        PERFORM append_audit(gen_random_uuid(), p_now, 'system', 'books.close_days', 'day:' || v_last.day, '', NULL,
                             jsonb_build_object('days', v_count, 'digest', encode(v_last.digest, 'hex')), '');
    END IF;
    RETURN v_count;
END $$;

--------------------------------------------------------------------------------------------------------------- audit

-- As in 0003, and more: texts and parts against their digests, the day's grant against the rows of the day, due_at,
-- holds against their parts and their rows, reversals, the last closed day against the audit log.
CREATE OR REPLACE FUNCTION ledger_audit(p_user uuid, p_now timestamptz)
RETURNS TABLE (user_id uuid, rule text, detail text)
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
               t.hash IS NOT DISTINCT FROM ledger_sealed_hash(t) AS whole
        FROM transaction_history t WHERE p_user IS NULL OR t.user_id = p_user
        WINDOW before AS (PARTITION BY t.user_id ORDER BY t.sequence, t.created_at))
    SELECT c.user_id, broken.rule, 'transaction ' || c.id || ', sequence ' || c.sequence || broken.detail
    FROM chain c, LATERAL (VALUES
        ('row_changed', NOT c.whole, ': its hash does not fit its contents'),
        ('text_changed', CASE WHEN c.text_digest IS NULL THEN false
                              WHEN c.text_salt IS NULL THEN c.description <> '' OR c.metadata <> '{}'
                              ELSE c.text_digest <> ledger_text_digest(c.text_salt, c.description, c.metadata) END,
         ': its description or metadata is not what was written'),
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

    -- its legs, and the lots it made, are those it was written with
    RETURN QUERY
    SELECT t.user_id, 'parts_changed', 'transaction ' || t.id || ', sequence ' || t.sequence
           || ': its legs or the lots it made are not those it was written with'
    FROM transaction_history t
    LEFT JOIN (SELECT g.transaction_id, g.created_at, string_agg(g.position || ' ' || g.account || ' '
                      || coalesce(g.lot_id::text, '') || ' ' || g.amount, '|' ORDER BY g.position) AS text
               FROM ledger_legs g WHERE p_user IS NULL OR g.user_id = p_user GROUP BY 1, 2) legs
        ON legs.transaction_id = t.id AND legs.created_at = t.created_at
    LEFT JOIN (SELECT l.user_id, l.sequence, string_agg(ledger_lot_text(l), '|' ORDER BY l.id) AS text
               FROM wallet_lots l WHERE p_user IS NULL OR l.user_id = p_user GROUP BY 1, 2) lots
        ON lots.user_id = t.user_id AND lots.sequence = t.sequence
    WHERE (p_user IS NULL OR t.user_id = p_user) AND t.parts_digest IS NOT NULL
      AND t.parts_digest <> sha256(convert_to(coalesce(legs.text, '') || '#' || coalesce(lots.text, ''), 'UTF8'));

    -- the wallet row stands where its chain ends
    RETURN QUERY
    WITH last AS (SELECT DISTINCT ON (t.user_id) t.* FROM transaction_history t WHERE p_user IS NULL OR t.user_id = p_user
                  ORDER BY t.user_id, t.sequence DESC)
    SELECT coalesce(w.user_id, t.user_id), broken.rule, broken.detail
    FROM (SELECT * FROM user_wallet WHERE p_user IS NULL OR user_wallet.user_id = p_user) w
    FULL JOIN last t ON t.user_id = w.user_id, LATERAL (VALUES
        ('head_mismatch', (w.sequence, w.head_hash, w.last_at) IS DISTINCT FROM (coalesce(t.sequence, 0),
                          coalesce(t.hash, decode(repeat('00', 32), 'hex')), coalesce(t.created_at, '-infinity')),
         format('the wallet is at sequence %s, its history ends at %s', coalesce(w.sequence, 0), coalesce(t.sequence, 0))),
        ('balance_mismatch', (w.daily_free, w.purchased, w.bonus) IS DISTINCT FROM (coalesce(t.after_daily_free, 0),
                             coalesce(t.after_purchased, 0), coalesce(t.after_bonus, 0)),
         format('the wallet says %s %s %s, its history %s %s %s', w.daily_free, w.purchased, w.bonus,
                coalesce(t.after_daily_free, 0), coalesce(t.after_purchased, 0), coalesce(t.after_bonus, 0))))
        AS broken (rule, found, detail)
    WHERE broken.found;

    -- the day is granted once, and the wallet knows what it was granted
    RETURN QUERY
    WITH days AS (
        SELECT t.user_id, ledger_day(t.created_at) AS day, count(*) FILTER (WHERE t.kind = 'daily_refresh') AS refreshes,
               sum(t.daily_free) AS granted
        FROM transaction_history t
        WHERE t.kind IN ('daily_refresh', 'subscription_change') AND t.reverses IS NULL
          AND (p_user IS NULL OR t.user_id = p_user)
        GROUP BY 1, 2)
    SELECT d.user_id, 'refreshed_twice', 'on ' || d.day FROM days d WHERE d.refreshes > 1
    UNION ALL
    SELECT w.user_id, 'day_mismatch', format('the wallet says %s granted on %s, its history %s on %s', w.granted_today,
           w.refreshed_on, coalesce(d.granted, 0), coalesce(l.day, w.refreshed_on))
    FROM user_wallet w
    LEFT JOIN (SELECT days.user_id, max(days.day) AS day FROM days WHERE refreshes > 0 GROUP BY 1) l ON l.user_id = w.user_id
    LEFT JOIN days d ON d.user_id = w.user_id AND d.day = w.refreshed_on
    WHERE (p_user IS NULL OR w.user_id = p_user)
      AND (w.granted_today <> coalesce(d.granted, 0) OR coalesce(l.day > w.refreshed_on, l.day IS NOT NULL));

    -- the wallet is the sum of its lots, and looks at them in time
    RETURN QUERY
    SELECT w.user_id, broken.rule, broken.detail
    FROM user_wallet w, LATERAL (
        SELECT coalesce(sum(remaining) FILTER (WHERE bucket = 'daily_free'), 0) AS daily_free,
               coalesce(sum(remaining) FILTER (WHERE bucket = 'purchased'), 0) AS purchased,
               coalesce(sum(remaining) FILTER (WHERE bucket = 'bonus'), 0) AS bonus, coalesce(sum(reserved), 0) AS held,
               least(min(expires_at), (SELECT min(h.expires_at) FROM holds h
                                       WHERE h.user_id = w.user_id AND h.state = 'held')) AS due
        FROM wallet_lots WHERE wallet_lots.user_id = w.user_id AND open) l, LATERAL (VALUES
        ('lot_mismatch', (w.daily_free, w.purchased, w.bonus, w.held) <> (l.daily_free, l.purchased, l.bonus, l.held),
         format('the wallet says %s %s %s held %s, its lots %s %s %s held %s', w.daily_free, w.purchased, w.bonus, w.held,
                l.daily_free, l.purchased, l.bonus, l.held)),
        ('due_mismatch', w.due_at > l.due, format('something is due at %s, the wallet looks at %s',
                                                  l.due AT TIME ZONE 'UTC', w.due_at AT TIME ZONE 'UTC')))
        AS broken (rule, found, detail)
    WHERE (p_user IS NULL OR w.user_id = p_user) AND broken.found;

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

    -- double entry: the legs of a row sum to zero, are its change and its user's
    RETURN QUERY
    SELECT coalesce(t.user_id, g.user_id), CASE WHEN t.id IS NULL THEN 'legs_without_row' ELSE 'legs_unbalanced' END,
           'transaction ' || coalesce(t.id, g.transaction_id)
    FROM (SELECT * FROM transaction_history WHERE p_user IS NULL OR transaction_history.user_id = p_user) t
    FULL JOIN (
        SELECT transaction_id, created_at, ledger_legs.user_id, sum(amount) AS total,
               coalesce(sum(amount) FILTER (WHERE account = 'user:daily_free'), 0) AS daily_free,
               coalesce(sum(amount) FILTER (WHERE account = 'user:purchased'), 0) AS purchased,
               coalesce(sum(amount) FILTER (WHERE account = 'user:bonus'), 0) AS bonus
        FROM ledger_legs WHERE p_user IS NULL OR ledger_legs.user_id = p_user
        GROUP BY transaction_id, created_at, ledger_legs.user_id) g
        ON g.transaction_id = t.id AND g.created_at = t.created_at AND g.user_id = t.user_id
    WHERE (t.id IS NULL OR t.amount <> 0)
      AND (coalesce(g.total, -1), coalesce(g.daily_free, 0), coalesce(g.purchased, 0), coalesce(g.bonus, 0))
          IS DISTINCT FROM (0::numeric, t.daily_free, t.purchased, t.bonus);

    -- holds: what was charged is in the history, bucket by bucket, and a reply is charged once
    RETURN QUERY
    SELECT coalesce(h.user_id, t.user_id), 'charge_mismatch', format('hold %s charged %s, the history says %s',
           coalesce(h.id, t.hold_id), coalesce(h.charged_daily_free + h.charged_purchased + h.charged_bonus, 0),
           coalesce(t.charge, 0))
    FROM (SELECT * FROM holds WHERE state = 'captured' AND (p_user IS NULL OR holds.user_id = p_user)) h
    FULL JOIN (SELECT hold_id, (array_agg(transaction_history.user_id))[1] AS user_id, (array_agg(id))[1] AS id,
                      -sum(amount) AS charge, -sum(daily_free) AS daily_free, -sum(purchased) AS purchased,
                      -sum(bonus) AS bonus
               FROM transaction_history WHERE kind = 'chat' AND (p_user IS NULL OR transaction_history.user_id = p_user)
               GROUP BY hold_id) t ON t.hold_id = h.id
    WHERE (coalesce(h.charged_daily_free, 0), coalesce(h.charged_purchased, 0), coalesce(h.charged_bonus, 0), h.transaction_id)
          IS DISTINCT FROM (coalesce(t.daily_free, 0), coalesce(t.purchased, 0), coalesce(t.bonus, 0), t.id);
    -- a hold is the sum of its parts; an hour late, a deadline should be swept
    RETURN QUERY
    SELECT h.user_id, broken.rule, broken.detail
    FROM holds h LEFT JOIN (
        SELECT part.hold_id, sum(part.amount) AS amount, bool_and((part.user_id, part.bucket) = (l.user_id, l.bucket)) AS own
        FROM hold_lots part JOIN wallet_lots l ON l.id = part.lot_id
        WHERE p_user IS NULL OR l.user_id = p_user GROUP BY 1) parts ON parts.hold_id = h.id,
    LATERAL (VALUES
        ('hold_mismatch', h.amount <> coalesce(parts.amount, 0) OR NOT coalesce(parts.own, true),
         format('hold %s is of %s, its parts in its user''s lots of %s', h.id, h.amount, coalesce(parts.amount, 0))),
        ('hold_overdue', h.state = 'held' AND h.expires_at < p_now - interval '1 hour',
         format('hold %s was due at %s', h.id, h.expires_at AT TIME ZONE 'UTC'))) AS broken (rule, found, detail)
    WHERE (p_user IS NULL OR h.user_id = p_user) AND broken.found;

    -- what was reversed is written down, once
    RETURN QUERY
    SELECT coalesce(t.user_id, r.user_id), 'reversal_mismatch', format('transaction %s reverses %s',
           coalesce(t.id, r.transaction_id), coalesce(t.reverses, r.original_id))
    FROM (SELECT t.id, t.user_id, t.reverses FROM transaction_history t
          WHERE t.reverses IS NOT NULL AND (p_user IS NULL OR t.user_id = p_user)
            AND (t.kind = 'chat_refund'
                 OR EXISTS (SELECT FROM operations o WHERE o.user_id = t.user_id AND o.result_id = t.id))) t
    FULL JOIN (SELECT * FROM reversals WHERE p_user IS NULL OR reversals.user_id = p_user) r ON r.transaction_id = t.id
    WHERE (t.user_id, t.reverses) IS DISTINCT FROM (r.user_id, r.original_id);

    -- what a key was answered with is there, and what was done for a key remembers it
    RETURN QUERY
    SELECT coalesce(o.user_id, done.user_id), 'operation_mismatch', CASE WHEN done.id IS NULL
           THEN format('the %s of key %s answered with %s, which is not there', o.operation, o.key, o.result_id)
           ELSE format('the key that made %s is not remembered', done.id) END
    FROM (SELECT * FROM operations WHERE operation IN ('hold', 'grant', 'adjust', 'reverse')
                                     AND (p_user IS NULL OR operations.user_id = p_user)) o
    FULL JOIN (
        SELECT h.id, h.user_id, h.created_at, true AS is_hold FROM holds h WHERE p_user IS NULL OR h.user_id = p_user
        UNION ALL
        SELECT t.id, t.user_id, t.created_at, false FROM transaction_history t
        WHERE (t.kind IN ('purchase', 'bonus_grant', 'chat_refund') OR (t.kind = 'adjustment' AND t.reverses IS NULL))
          AND (p_user IS NULL OR t.user_id = p_user))
        done ON done.id = o.result_id AND done.user_id = o.user_id AND done.created_at = o.created_at
                AND done.is_hold = (o.operation = 'hold')
    WHERE o.user_id IS NULL
       OR (done.id IS NULL AND NOT EXISTS (SELECT FROM transaction_history t
                                           WHERE t.id = o.result_id AND t.created_at = o.created_at
                                             AND t.user_id = o.user_id AND o.operation <> 'hold'));

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
      AND (d.digest <> ledger_day_digest(d.day, d.prev_digest, d.audit_sequence, d.audit_hash)
           OR d.prev_digest <> coalesce(d.before_digest, decode(repeat('00', 32), 'hex'))
           OR d.day <> d.prev_day + 1
           OR d.wallets <> (SELECT count(*) FROM ledger_day_heads h WHERE h.day = d.day))
    UNION ALL
    SELECT NULL::uuid, 'day_missing', a.target || ' is not closed as the audit log says at sequence ' || a.sequence
    FROM audit_log a
    WHERE p_user IS NULL AND a.act = 'books.close_days'
      AND NOT EXISTS (SELECT FROM ledger_days d
                      WHERE 'day:' || d.day = a.target AND encode(d.digest, 'hex') = a.after ->> 'digest');
END $$;
