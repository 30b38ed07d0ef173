-- A turn in three round trips: the scene, the hold, the settlement. Each is one autocommit statement that sets the user
-- for row-level security itself, and each leaves a state from which any instance can go on (docs/architecture.md).

------------------------------------------------------------------------------------------------- who is asking
-- The users row as an act sees it. Noting that the user was seen never waits: who cannot have the row at once leaves it
-- to the next request.
CREATE FUNCTION account_seen(p_user uuid, p_device uuid, p_now timestamptz, OUT account users, OUT signed_in boolean)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    SELECT * INTO account FROM users WHERE id = p_user;
    signed_in := p_device IS NULL
        OR EXISTS (SELECT FROM devices d WHERE d.id = p_device AND d.user_id = p_user AND d.revoked_at IS NULL);
    IF account.status = 'active' AND coalesce(account.last_seen_at < p_now - interval '5 minutes', true) THEN
        UPDATE users SET last_seen_at = p_now
        WHERE id = (SELECT id FROM users WHERE id = p_user FOR NO KEY UPDATE SKIP LOCKED);
    END IF;
END $$;

------------------------------------------------------------------------------------------------------ partitions
-- Every partition costs each statement on the table a lock, so there are those that have rows and a few months ahead:
-- a job makes them (chat.make_partitions). SECURITY DEFINER: only the owner may make tables, and this is all of the
-- owner's power that the job gets. A month that already has rows in the DEFAULT partition stays there.
CREATE OR REPLACE FUNCTION make_chat_partitions(first_month date, months integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    v_month date;
    v_name text;
    v_made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('make_chat_partitions', 0));
    FOR i IN 0 .. least(months, 120) - 1 LOOP
        v_month := (date_trunc('month', first_month::timestamp) + make_interval(months => i))::date;
        v_name := 'chat_messages_' || to_char(v_month, 'YYYYMM');
        CONTINUE WHEN to_regclass(v_name) IS NOT NULL
            OR EXISTS (SELECT FROM chat_messages_default
                       WHERE created_at >= v_month::timestamp AT TIME ZONE 'UTC'
                         AND created_at < (v_month + interval '1 month') AT TIME ZONE 'UTC');
        EXECUTE format('CREATE TABLE %I PARTITION OF chat_messages FOR VALUES FROM (%L) TO (%L)', v_name,
                       v_month || ' 00:00+00', (v_month + interval '1 month')::date || ' 00:00+00');
        v_made := v_made + 1;
    END LOOP;
    RETURN v_made;
END $$;
REVOKE EXECUTE ON FUNCTION make_chat_partitions(date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_chat_partitions(date, integer) TO companion_operator;

-- The months that 0006 made far ahead and far back and that never got a row.
DO $$
DECLARE
    v_name text;
    v_used boolean;
BEGIN
    FOR v_name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'chat_messages'::regclass AND c.relname ~ '^chat_messages_[0-9]{6}$'
          AND to_date(right(c.relname, 6), 'YYYYMM')
              NOT BETWEEN (now() AT TIME ZONE 'UTC')::date - 31 AND (now() AT TIME ZONE 'UTC')::date + 62
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', v_name) INTO v_used;
        IF NOT v_used THEN
            EXECUTE format('DROP TABLE %I', v_name);
        END IF;
    END LOOP;
END $$;

----------------------------------------------------------------------------------------------------- foreign keys
-- A key share lock on users for each turn and message wrote to the one row that all of a user's acts read. The session
-- is the user's by row-level security, and a user is never deleted: erasure leaves a tombstone.
ALTER TABLE chat_turns DROP CONSTRAINT chat_turns_user_id_fkey;
ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_user_id_fkey;

---------------------------------------------------------------------------------------------------------- the scene
-- All that a turn's beginning is decided by. The day's refresh is part of it. session is NULL for the stateless door, and
-- where there is no such session of this user's. messages: the last p_window of them, the newest first.
CREATE FUNCTION chat_scene(p_user uuid, p_device uuid, p_session uuid, p_route text, p_key text, p_window integer,
                           p_now timestamptz,
                           OUT account users, OUT signed_in boolean, OUT tier tiers, OUT wallet user_wallet,
                           OUT session chat_sessions, OUT messages jsonb, OUT earlier chat_turns)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_seen record;
BEGIN
    PERFORM set_config('companion.user_id', p_user::text, true);
    v_seen := account_seen(p_user, p_device, p_now);
    account := v_seen.account;
    signed_in := v_seen.signed_in;
    IF NOT signed_in OR coalesce(account.status, '') <> 'active' THEN
        RETURN;
    END IF;
    IF p_key IS NOT NULL THEN
        SELECT * INTO earlier FROM chat_turns t
        WHERE t.user_id = p_user AND t.route = p_route AND t.idempotency_key = p_key AND t.status <> 'voided';
    END IF;
    SELECT * INTO tier FROM tiers t WHERE t.code = effective_tier(account, p_now);
    v_seen := ledger_refresh(p_user, tier.daily_credits, p_now);
    wallet := v_seen.wallet;
    IF p_session IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO session FROM chat_sessions s WHERE s.id = p_session;
    IF session.message_count = 0 OR session.id IS NULL THEN
        RETURN;
    END IF;
    -- In the newest partitions first: a session that is talked in has its window there.
    SELECT jsonb_agg(jsonb_build_array(m.role, m.content)), count(*) INTO messages
    FROM (SELECT c.role, c.content FROM chat_messages c
          WHERE c.session_id = p_session AND c.created_at <= session.last_message_at
            AND c.created_at > session.last_message_at - interval '7 days'
          ORDER BY c.created_at DESC, c.id DESC LIMIT p_window) m;
    IF coalesce(jsonb_array_length(messages), 0) < least(p_window, session.message_count) THEN
        SELECT jsonb_agg(jsonb_build_array(m.role, m.content)) INTO messages
        FROM (SELECT c.role, c.content FROM chat_messages c WHERE c.session_id = p_session
              ORDER BY c.created_at DESC, c.id DESC LIMIT p_window) m;
    END IF;
END $$;

----------------------------------------------------------------------------------------------------------- the hold
-- The turn begins: its credit is held under the reply's id, its row is there, its session is taken.
-- not_found (the session is gone), moved (the scene has changed since p_seen: look again), or what ledger_hold refuses.
-- All checks come before the first write; the wallet is locked first, so that one user's turns come here one by one.
CREATE FUNCTION chat_begin_turn(p_user uuid, p_message uuid, p_session uuid, p_seen timestamptz, p_mode text, p_route text,
                                p_key text, p_fingerprint bytea, p_amount numeric, p_daily_limit numeric,
                                p_created_at timestamptz, p_deadline timestamptz, p_now timestamptz,
                                OUT code text, OUT required numeric, OUT available numeric, OUT hold_id uuid)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_session chat_sessions;
    v_hold record;
BEGIN
    PERFORM set_config('companion.user_id', p_user::text, true);
    PERFORM FROM user_wallet w WHERE w.user_id = p_user FOR UPDATE;
    IF p_key IS NOT NULL AND EXISTS (SELECT FROM chat_turns t WHERE t.user_id = p_user AND t.route = p_route
                                       AND t.idempotency_key = p_key AND t.status <> 'voided') THEN
        code := 'moved';
        RETURN;
    END IF;
    IF p_session IS NOT NULL THEN
        SELECT * INTO v_session FROM chat_sessions s WHERE s.id = p_session FOR UPDATE;
        IF NOT FOUND THEN
            code := 'not_found';
            RETURN;
        END IF;
        IF v_session.running_turn IS NOT NULL OR v_session.last_message_at <> p_seen THEN
            code := 'moved';
            RETURN;
        END IF;
    END IF;
    v_hold := ledger_hold(p_user, 'turn:' || p_message, p_amount, p_deadline, p_daily_limit, p_now);
    code := v_hold.code;
    required := v_hold.required;
    available := v_hold.available;
    hold_id := v_hold.hold_id;
    IF code <> 'ok' THEN
        RETURN;
    END IF;

    -- from here it must succeed
    INSERT INTO chat_turns (message_id, user_id, session_id, status, mode, route, idempotency_key, fingerprint, hold_id,
                            deadline, created_at)
    VALUES (p_message, p_user, p_session, 'running', p_mode, p_route, p_key, p_fingerprint, hold_id, p_deadline,
            p_created_at);
    IF p_session IS NOT NULL THEN
        UPDATE chat_sessions SET running_turn = p_message, running_until = p_deadline WHERE id = p_session;
    END IF;
END $$;

----------------------------------------------------------------------------------------------------- the settlement
-- The turn ends well: charged and kept, in one. p_answer is what the client is told beside the text; the charge and the
-- balance are put into its companion part here.
-- not_found (the session was deleted meanwhile), settled (this settlement has committed before), or what ledger_capture
-- refuses: then nothing was written, and a second call with p_free keeps the reply without a charge.
CREATE FUNCTION chat_settle_turn(p_user uuid, p_message uuid, p_amount numeric, p_description text, p_metadata jsonb,
                                 p_question uuid, p_question_text text, p_created_at timestamptz, p_reply text,
                                 p_mode text, p_model text, p_prompt_tokens integer, p_completion_tokens integer,
                                 p_total_tokens integer, p_provider_cost numeric, p_finish_reason text,
                                 p_disclosed_at timestamptz, p_answer jsonb, p_free boolean,
                                 p_now timestamptz,
                                 OUT code text, OUT charged_daily_free numeric, OUT charged_purchased numeric,
                                 OUT charged_bonus numeric, OUT wallet user_wallet)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_turn chat_turns;
    v_capture record;
    v_charged numeric;
    v_at timestamptz := greatest(p_now, p_created_at + interval '1 millisecond');
BEGIN
    PERFORM set_config('companion.user_id', p_user::text, true);
    PERFORM FROM user_wallet w WHERE w.user_id = p_user FOR UPDATE;
    SELECT * INTO v_turn FROM chat_turns t WHERE t.message_id = p_message FOR UPDATE;
    code := CASE WHEN NOT FOUND THEN 'not_found' WHEN v_turn.status = 'settled' THEN 'settled' END;
    IF code IS NOT NULL THEN
        RETURN;
    END IF;
    IF p_free THEN
        wallet := ledger_open(p_user, p_now);
        charged_daily_free := 0;
        charged_purchased := 0;
        charged_bonus := 0;
        code := 'ok';
    ELSE
        v_capture := ledger_capture(p_user, v_turn.hold_id, p_amount, p_description, p_metadata, p_now);
        code := v_capture.code;
        IF code <> 'ok' THEN
            RETURN;
        END IF;
        charged_daily_free := v_capture.charged_daily_free;
        charged_purchased := v_capture.charged_purchased;
        charged_bonus := v_capture.charged_bonus;
        wallet := v_capture.wallet;
    END IF;

    -- from here it must succeed
    v_charged := charged_daily_free + charged_purchased + charged_bonus;
    IF v_turn.session_id IS NOT NULL THEN
        UPDATE chat_sessions
        SET message_count = message_count + 2, total_cost = total_cost + v_charged,
            last_message_at = greatest(last_message_at, v_at),
            last_disclosure_at = coalesce(p_disclosed_at, last_disclosure_at),
            running_until = CASE WHEN running_turn <> p_message THEN running_until END, -- of a later turn's
            running_turn = nullif(running_turn, p_message)
        WHERE id = v_turn.session_id;
        INSERT INTO chat_messages (id, session_id, user_id, turn_id, role, mode, content, created_at, cost, tokens,
                                   finish_reason)
        VALUES (p_question, v_turn.session_id, p_user, p_message, 'user', p_mode, p_question_text, p_created_at, NULL,
                NULL, NULL),
               (p_message, v_turn.session_id, p_user, p_message, 'assistant', p_mode, p_reply, v_at, v_charged,
                p_total_tokens, p_finish_reason);
    END IF;
    UPDATE chat_turns
    SET status = 'settled', ended_at = p_now,
        idempotency_key = CASE WHEN v_turn.status = 'running' OR NOT EXISTS ( -- a voided turn's may be another's by now
            SELECT FROM chat_turns t WHERE t.user_id = p_user AND t.route = v_turn.route
                AND t.idempotency_key = v_turn.idempotency_key AND t.status <> 'voided') THEN idempotency_key END,
        model = p_model, prompt_tokens = p_prompt_tokens,
        completion_tokens = p_completion_tokens, total_tokens = p_total_tokens, provider_cost = p_provider_cost,
        reply = CASE WHEN v_turn.session_id IS NULL THEN p_reply END,
        answer = jsonb_set(p_answer, '{companion}', p_answer -> 'companion' || jsonb_build_object(
            'charge', jsonb_build_object('amount', v_charged::text, 'daily_free', charged_daily_free::text,
                                         'purchased', charged_purchased::text, 'bonus', charged_bonus::text),
            'balance', jsonb_build_object(
                'total', (wallet.daily_free + wallet.purchased + wallet.bonus)::text,
                'available', (wallet.daily_free + wallet.purchased + wallet.bonus - wallet.held)::text,
                'held', wallet.held::text, 'daily_free', wallet.daily_free::text,
                'purchased', wallet.purchased::text, 'bonus', wallet.bonus::text)))
    WHERE message_id = p_message;
END $$;
