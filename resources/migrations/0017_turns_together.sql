-- Many turns in one statement each (docs/performance.md has the figures): what begins or ends at the same moment is held,
-- or settled, together. Only the plain case is done so: a wallet that nobody else has locked and in which nothing is due,
-- a session that is free, a hold that is open. Whatever is not plain is simply not in the answer, nothing was written for
-- it, and the caller does it by itself (ledger_hold, ledger_capture, chat_begin_turn, chat_settle_turn), which also knows
-- every reason to refuse. For the operator role: one statement acts for many users, and joins each row to its own user.
--
-- The orders come as a JSON array, n is an order's number in it. Within one call each user counts once: of two orders the
-- first. Plans are made once and by index: an estimate from an empty table must not choose a scan.

-- The wallet's buckets are the sums of its lots: looked at once for all the wallets of a statement, instead of at commit for
-- each. Every operation writes the lots first and the wallet at its end.
DROP TRIGGER wallet_is_its_lots ON user_wallet;
CREATE OR REPLACE FUNCTION ledger_wallet_is_its_lots() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM changed w, LATERAL (
                   SELECT coalesce(sum(remaining) FILTER (WHERE bucket = 'daily_free'), 0) AS daily_free,
                          coalesce(sum(remaining) FILTER (WHERE bucket = 'purchased'), 0) AS purchased,
                          coalesce(sum(remaining) FILTER (WHERE bucket = 'bonus'), 0) AS bonus,
                          coalesce(sum(reserved), 0) AS held
                   FROM wallet_lots l WHERE l.user_id = w.user_id AND l.open) lots
               WHERE (w.daily_free, w.purchased, w.bonus, w.held)
                     <> (lots.daily_free, lots.purchased, lots.bonus, lots.held)) THEN
        RAISE EXCEPTION 'the wallet is not the sum of its lots'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'wallet_is_its_lots';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER wallet_is_its_lots AFTER UPDATE ON user_wallet REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_wallet_is_its_lots();
CREATE TRIGGER new_wallet_is_its_lots AFTER INSERT ON user_wallet REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_wallet_is_its_lots();

CREATE FUNCTION ledger_broken(p_what text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger does not add up: %', p_what USING ERRCODE = 'assert_failure';
END $$;

-- Of these wallets those that could be locked at once and in which nothing is due and nothing owed. What is read of these
-- users by a later statement is true until the transaction ends.
CREATE FUNCTION ledger_lock_plain(p_users uuid[], p_now timestamptz) RETURNS uuid[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(SELECT w.user_id FROM user_wallet w
                 WHERE w.user_id = ANY (p_users) AND w.due_at > p_now AND w.debt = 0 AND isfinite(p_now)
                 FOR UPDATE SKIP LOCKED);
END $$;

-- Holds, as ledger_hold makes them, for orders of {n, user_id, key, amount, expires_at, daily_limit}. p_users: whose
-- wallets the caller has got from ledger_lock_plain.
CREATE FUNCTION ledger_hold_many(p_orders jsonb, p_users uuid[], p_now timestamptz)
RETURNS TABLE (n integer, hold_id uuid)
LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH o AS MATERIALIZED (
        SELECT DISTINCT ON (r.user_id) r.n, r.user_id, r.key, r.amount, r.expires_at, gen_random_uuid() AS hold_id,
               w.daily_free, w.purchased, w.bonus, w.held
        FROM jsonb_to_recordset(p_orders) AS r (n integer, user_id uuid, key text, amount numeric, expires_at timestamptz,
                                                daily_limit numeric)
        JOIN user_wallet w ON w.user_id = r.user_id
        WHERE r.user_id = ANY (p_users)
          AND ledger_is_amount(r.amount) AND r.amount > 0 AND ledger_is_key(r.key)
          AND r.expires_at > p_now AND r.expires_at < 'infinity'
          AND w.daily_limit = r.daily_limit AND w.granted_today >= r.daily_limit
          AND least(w.refreshed_on, w.active_on) >= ledger_day(greatest(p_now, w.last_at))
          AND w.daily_free + w.purchased + w.bonus - w.held >= r.amount
          AND NOT EXISTS (SELECT FROM operations d WHERE d.user_id = r.user_id AND d.key = r.key)
        ORDER BY r.user_id, r.n
    ), parts AS MATERIALIZED (
        SELECT o.n, o.user_id, o.hold_id, l.id AS lot_id, l.bucket, l.position, least(l.free, o.amount - l.before) AS take
        FROM o CROSS JOIN LATERAL (
            SELECT f.id, f.bucket, f.remaining - f.reserved AS free,
                   sum(f.remaining - f.reserved) OVER spending - (f.remaining - f.reserved) AS before,
                   row_number() OVER spending AS position
            FROM wallet_lots f WHERE f.user_id = o.user_id AND f.open AND f.remaining > f.reserved
            WINDOW spending AS (ORDER BY ledger_bucket_rank(f.bucket), f.expires_at NULLS LAST, f.sequence
                                ROWS UNBOUNDED PRECEDING)) l
        WHERE l.before < o.amount
    ), made AS (
        INSERT INTO holds (id, user_id, amount, expires_at, created_at)
        SELECT o.hold_id, o.user_id, o.amount, o.expires_at, p_now FROM o
    ), named AS (
        INSERT INTO hold_lots (hold_id, position, lot_id, user_id, bucket, amount)
        SELECT p.hold_id, p.position, p.lot_id, p.user_id, p.bucket, p.take FROM parts p
    ), reserved AS (
        UPDATE wallet_lots l SET reserved = l.reserved + p.take FROM parts p WHERE l.id = p.lot_id
    ), wallets AS (
        UPDATE user_wallet w SET held = w.held + o.amount, due_at = least(w.due_at, o.expires_at) FROM o
        WHERE w.user_id = o.user_id
    ), remembered AS (
        INSERT INTO operations (user_id, key, operation, fingerprint, result_id, created_at, after_daily_free,
                                after_purchased, after_bonus, after_held)
        SELECT o.user_id, o.key, 'hold', ledger_fingerprint('hold', o.amount::numeric(18,4)::text), o.hold_id, p_now,
               o.daily_free, o.purchased, o.bonus, o.held + o.amount
        FROM o
    )
    SELECT o.n, o.hold_id FROM o
    WHERE (SELECT sum(p.take) FROM parts p WHERE p.n = o.n) = o.amount
       OR ledger_broken('the wallet promised more than its lots have');
END $$;

-- Captures, as ledger_capture makes them, for orders of {n, user_id, hold_id, amount, description, metadata}. p_users as
-- above. The four amounts behind the charge are the wallet's, after it.
CREATE FUNCTION ledger_capture_many(p_orders jsonb, p_users uuid[], p_now timestamptz)
RETURNS TABLE (n integer, charged_daily_free numeric, charged_purchased numeric, charged_bonus numeric,
               daily_free numeric, purchased numeric, bonus numeric, held numeric)
LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH o AS MATERIALIZED (
        SELECT DISTINCT ON (r.user_id) r.n, r.user_id, r.hold_id, r.amount, r.description, r.metadata,
               h.amount AS hold_amount, w.daily_free, w.purchased, w.bonus, w.held - h.amount AS held, w.sequence,
               w.head_hash, w.last_at
        FROM jsonb_to_recordset(p_orders) AS r (n integer, user_id uuid, hold_id uuid, amount numeric, description text,
                                                metadata jsonb)
        JOIN user_wallet w ON w.user_id = r.user_id
        JOIN holds h ON h.id = r.hold_id AND h.user_id = r.user_id AND h.state = 'held'
        WHERE r.user_id = ANY (p_users) AND ledger_is_amount(r.amount) AND r.amount > 0 AND r.amount <= h.amount
          AND char_length(r.description) <= 500 AND jsonb_typeof(r.metadata) = 'object'
        ORDER BY r.user_id, r.n
    ), parts AS MATERIALIZED (
        SELECT o.n, hl.position, hl.lot_id, hl.bucket, hl.amount AS reserved,
               greatest(0, least(hl.amount, o.amount - (sum(hl.amount) OVER (PARTITION BY o.n ORDER BY hl.position
                   ROWS UNBOUNDED PRECEDING) - hl.amount)))::numeric(18,4) AS take
        FROM o JOIN hold_lots hl ON hl.hold_id = o.hold_id
    ), charges AS MATERIALIZED (
        SELECT p.n, sum(p.take) AS total, count(*) FILTER (WHERE p.take > 0) AS legs,
               coalesce(sum(p.take) FILTER (WHERE p.bucket = 'daily_free'), 0) AS daily_free,
               coalesce(sum(p.take) FILTER (WHERE p.bucket = 'purchased'), 0) AS purchased,
               coalesce(sum(p.take) FILTER (WHERE p.bucket = 'bonus'), 0) AS bonus,
               string_agg(p.position || ' user:' || p.bucket || ' ' || p.lot_id || ' ' || -p.take || '|', ''
                          ORDER BY p.position) FILTER (WHERE p.take > 0) AS seal
        FROM parts p GROUP BY p.n
    ), entries AS MATERIALIZED (
        SELECT o.n, c.legs, o.held, o.hold_id, e AS entry
        FROM o JOIN charges c ON c.n = o.n CROSS JOIN LATERAL ledger_seal(
            ROW(gen_random_uuid(), o.user_id, o.sequence + 1, 'chat', -c.total, -c.daily_free, -c.purchased, -c.bonus,
                o.daily_free - c.daily_free, o.purchased - c.purchased, o.bonus - c.bonus, o.description, o.metadata,
                o.hold_id, NULL, NULL, greatest(p_now, o.last_at), o.head_hash, NULL, NULL, NULL, NULL)::transaction_history,
            c.seal || c.legs + 1 || ' operator:usage_revenue  ' || c.total || '#') e
        WHERE c.total = o.amount OR ledger_broken('a hold is not the sum of its parts')
    ), history AS (
        INSERT INTO transaction_history SELECT (e.entry).* FROM entries e
    ), users_legs AS (
        INSERT INTO ledger_legs (transaction_id, position, user_id, account, lot_id, amount, created_at)
        SELECT (e.entry).id, p.position, (e.entry).user_id, 'user:' || p.bucket, p.lot_id, -p.take, (e.entry).created_at
        FROM entries e JOIN parts p ON p.n = e.n WHERE p.take > 0
        UNION ALL
        SELECT (e.entry).id, e.legs + 1, (e.entry).user_id, 'operator:usage_revenue', NULL, -(e.entry).amount,
               (e.entry).created_at
        FROM entries e
    ), lots AS (
        UPDATE wallet_lots l SET reserved = l.reserved - p.reserved, remaining = l.remaining - p.take FROM parts p
        WHERE l.id = p.lot_id
    ), wallets AS (
        UPDATE user_wallet w
        SET held = e.held, daily_free = (e.entry).after_daily_free, purchased = (e.entry).after_purchased,
            bonus = (e.entry).after_bonus, sequence = (e.entry).sequence, head_hash = (e.entry).hash,
            last_at = (e.entry).created_at
        FROM entries e WHERE w.user_id = (e.entry).user_id
    ), closed AS (
        UPDATE holds h
        SET state = 'captured', closed_at = p_now, transaction_id = (e.entry).id,
            charged_daily_free = -(e.entry).daily_free, charged_purchased = -(e.entry).purchased,
            charged_bonus = -(e.entry).bonus, after_daily_free = (e.entry).after_daily_free,
            after_purchased = (e.entry).after_purchased, after_bonus = (e.entry).after_bonus, after_held = e.held
        FROM entries e WHERE h.id = e.hold_id
    )
    SELECT e.n, -(e.entry).daily_free, -(e.entry).purchased, -(e.entry).bonus, (e.entry).after_daily_free,
           (e.entry).after_purchased, (e.entry).after_bonus, e.held
    FROM entries e;
END $$;

--------------------------------------------------------------------------------------------------------- foreign keys
-- Each asked for the session's row again and wrote a lock into it, three times a turn, while the function that writes them
-- has it locked. Who deletes a session deletes its turns and messages with it (chat.delete_session).
ALTER TABLE chat_turns DROP CONSTRAINT chat_turns_session_id_fkey;
ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey;

---------------------------------------------------------------------------------------------------------- the scenes
-- chat_scene for orders of {n, user_id, device_id, session_id, route, idempotency_key}: of those whose scene can be read
-- without writing anything. Who was not seen lately, is not to be let in, has a refresh or anything else due, or comes
-- with a key that was used, is not in the answer.
CREATE FUNCTION chat_scenes(p_orders jsonb, p_window integer, p_now timestamptz)
RETURNS TABLE (n integer, account users, tier tiers, wallet user_wallet, session chat_sessions, messages jsonb)
LANGUAGE plpgsql STABLE
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT o.n, u, t, w, s, m.messages
    FROM jsonb_to_recordset(p_orders) AS o (n integer, user_id uuid, device_id uuid, session_id uuid, route text,
                                            idempotency_key text)
    JOIN users u ON u.id = o.user_id AND u.status = 'active' AND u.last_seen_at >= p_now - interval '5 minutes'
    JOIN user_wallet w ON w.user_id = o.user_id AND w.due_at > p_now AND w.debt = 0
    JOIN tiers t ON t.code = effective_tier(u, p_now) AND t.daily_credits = w.daily_limit
    LEFT JOIN chat_sessions s ON s.id = o.session_id AND s.user_id = o.user_id
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_array(c.role, c.content)) AS messages, count(*) AS count FROM (
            SELECT x.role, x.content FROM chat_messages x
            WHERE x.session_id = s.id AND x.created_at <= s.last_message_at
              AND x.created_at > s.last_message_at - interval '7 days'
            ORDER BY x.created_at DESC, x.id DESC LIMIT p_window) c) m ON s.message_count > 0
    WHERE w.granted_today >= w.daily_limit
      AND least(w.refreshed_on, w.active_on) >= ledger_day(greatest(p_now, w.last_at))
      AND (o.device_id IS NULL OR EXISTS (SELECT FROM devices d WHERE d.id = o.device_id AND d.user_id = o.user_id
                                                                  AND d.revoked_at IS NULL))
      AND (o.idempotency_key IS NULL
           OR NOT EXISTS (SELECT FROM chat_turns c WHERE c.user_id = o.user_id AND c.route = o.route
                                                     AND c.idempotency_key = o.idempotency_key AND c.status <> 'voided'))
      AND (o.session_id IS NULL OR (s.id IS NOT NULL AND s.running_turn IS NULL
                                    AND coalesce(m.count, 0) >= least(p_window, s.message_count)));
END $$;

----------------------------------------------------------------------------------------------------------- the holds
-- chat_begin_turn for orders of {n, user_id, message_id, session_id, seen, mode, route, idempotency_key, fingerprint,
-- created_at, deadline} and what ledger_hold_many asks.
CREATE FUNCTION chat_begin_turns(p_orders jsonb, p_now timestamptz) RETURNS TABLE (n integer, hold_id uuid)
LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_users uuid[] := ARRAY(SELECT (o ->> 'user_id')::uuid FROM jsonb_array_elements(p_orders) o);
    v_sessions uuid[];
BEGIN
    v_users := ledger_lock_plain(v_users, p_now);
    v_sessions := ARRAY(
        SELECT s.id FROM jsonb_to_recordset(p_orders) AS o (user_id uuid, session_id uuid, seen timestamptz)
        JOIN chat_sessions s ON s.id = o.session_id AND s.user_id = o.user_id
        WHERE o.user_id = ANY (v_users) AND s.running_turn IS NULL AND s.last_message_at = o.seen
        FOR UPDATE OF s SKIP LOCKED);
    v_users := ARRAY(
        SELECT o.user_id FROM jsonb_to_recordset(p_orders) AS o (user_id uuid, session_id uuid, route text,
                                                                 idempotency_key text)
        WHERE o.user_id = ANY (v_users) AND (o.session_id IS NULL OR o.session_id = ANY (v_sessions))
          AND (o.idempotency_key IS NULL
               OR NOT EXISTS (SELECT FROM chat_turns c WHERE c.user_id = o.user_id AND c.route = o.route
                              AND c.idempotency_key = o.idempotency_key AND c.status <> 'voided')));
    RETURN QUERY
    WITH begun AS MATERIALIZED (
        SELECT o.*, h.hold_id FROM ledger_hold_many(p_orders, v_users, p_now) h
        JOIN jsonb_to_recordset(p_orders) AS o (n integer, user_id uuid, message_id uuid, session_id uuid, mode text,
                                                route text, idempotency_key text, fingerprint bytea,
                                                created_at timestamptz, deadline timestamptz) ON o.n = h.n
    ), turns AS (
        INSERT INTO chat_turns (message_id, user_id, session_id, status, mode, route, idempotency_key, fingerprint,
                                hold_id, deadline, created_at)
        SELECT b.message_id, b.user_id, b.session_id, 'running', b.mode, b.route, b.idempotency_key, b.fingerprint,
               b.hold_id, b.deadline, b.created_at
        FROM begun b
    ), sessions AS (
        UPDATE chat_sessions s SET running_turn = b.message_id, running_until = b.deadline FROM begun b
        WHERE s.id = b.session_id
    )
    SELECT b.n, b.hold_id FROM begun b;
END $$;

----------------------------------------------------------------------------------------------------- the settlements
-- What the client is told beside the text, with the charge and the balance put into its companion part.
CREATE FUNCTION chat_told(p_answer jsonb, p_charged_daily_free numeric, p_charged_purchased numeric,
                          p_charged_bonus numeric, p_daily_free numeric, p_purchased numeric, p_bonus numeric,
                          p_held numeric) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_set(p_answer, '{companion}', p_answer -> 'companion' || jsonb_build_object(
        'charge', jsonb_build_object(
            'amount', (p_charged_daily_free + p_charged_purchased + p_charged_bonus)::text,
            'daily_free', p_charged_daily_free::text, 'purchased', p_charged_purchased::text,
            'bonus', p_charged_bonus::text),
        'balance', jsonb_build_object(
            'total', (p_daily_free + p_purchased + p_bonus)::text,
            'available', (p_daily_free + p_purchased + p_bonus - p_held)::text, 'held', p_held::text,
            'daily_free', p_daily_free::text, 'purchased', p_purchased::text, 'bonus', p_bonus::text)))
$$;

-- chat_settle_turn for orders of {n, user_id, message_id, question_id, created_at, mode, model, prompt_tokens,
-- completion_tokens, total_tokens, provider_cost, finish_reason, disclosed_at, answer} and what ledger_capture_many asks;
-- the texts, which come from outside, in arrays of their own: order n's is at n + 1.
CREATE FUNCTION chat_settle_turns(p_orders jsonb, p_questions text[], p_replies text[], p_now timestamptz)
RETURNS TABLE (n integer, charged_daily_free numeric, charged_purchased numeric, charged_bonus numeric,
               daily_free numeric, purchased numeric, bonus numeric, held numeric)
LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_users uuid[] := ARRAY(SELECT (o ->> 'user_id')::uuid FROM jsonb_array_elements(p_orders) o);
BEGIN
    v_users := ledger_lock_plain(v_users, p_now);
    v_users := ARRAY(
        SELECT o.user_id FROM jsonb_to_recordset(p_orders) AS o (user_id uuid, message_id uuid, hold_id uuid)
        JOIN chat_turns t ON t.message_id = o.message_id AND t.user_id = o.user_id AND t.hold_id = o.hold_id
                             AND t.status = 'running'
        WHERE o.user_id = ANY (v_users));
    RETURN QUERY
    WITH ended AS MATERIALIZED (
        SELECT o.*, t.session_id, greatest(p_now, o.created_at + interval '1 millisecond') AS at,
               c.charged_daily_free, c.charged_purchased, c.charged_bonus,
               c.charged_daily_free + c.charged_purchased + c.charged_bonus AS charged,
               c.daily_free, c.purchased, c.bonus, c.held
        FROM ledger_capture_many(p_orders, v_users, p_now) c
        JOIN jsonb_to_recordset(p_orders) AS o (n integer, user_id uuid, message_id uuid, question_id uuid,
                                                created_at timestamptz, mode text, model text, prompt_tokens integer,
                                                completion_tokens integer, total_tokens integer, provider_cost numeric,
                                                finish_reason text, disclosed_at timestamptz, answer jsonb) ON o.n = c.n
        JOIN chat_turns t ON t.message_id = o.message_id
    ), sessions AS (
        UPDATE chat_sessions s
        SET message_count = s.message_count + 2, total_cost = s.total_cost + e.charged,
            last_message_at = greatest(s.last_message_at, e.at),
            last_disclosure_at = coalesce(e.disclosed_at, s.last_disclosure_at),
            running_until = CASE WHEN s.running_turn <> e.message_id THEN s.running_until END, -- of a later turn's
            running_turn = nullif(s.running_turn, e.message_id)
        FROM ended e WHERE s.id = e.session_id
    ), messages AS (
        INSERT INTO chat_messages (id, session_id, user_id, turn_id, role, mode, content, created_at, cost, tokens,
                                   finish_reason)
        SELECT e.question_id, e.session_id, e.user_id, e.message_id, 'user', e.mode, p_questions[e.n + 1], e.created_at,
               NULL, NULL, NULL
        FROM ended e WHERE e.session_id IS NOT NULL
        UNION ALL
        SELECT e.message_id, e.session_id, e.user_id, e.message_id, 'assistant', e.mode, p_replies[e.n + 1], e.at,
               e.charged, e.total_tokens, e.finish_reason
        FROM ended e WHERE e.session_id IS NOT NULL
    ), turns AS (
        UPDATE chat_turns t
        SET status = 'settled', ended_at = p_now, model = e.model, prompt_tokens = e.prompt_tokens,
            completion_tokens = e.completion_tokens, total_tokens = e.total_tokens, provider_cost = e.provider_cost,
            reply = CASE WHEN e.session_id IS NULL THEN p_replies[e.n + 1] END,
            answer = chat_told(e.answer, e.charged_daily_free, e.charged_purchased, e.charged_bonus, e.daily_free,
                               e.purchased, e.bonus, e.held)
        FROM ended e WHERE t.message_id = e.message_id
    )
    SELECT e.n, e.charged_daily_free, e.charged_purchased, e.charged_bonus, e.daily_free, e.purchased, e.bonus, e.held
    FROM ended e;
END $$;
