-- Payments that webhooks tell at the same moment, taken into the books together (docs/payments.md): one statement instead
-- of some thirty for each. As with turns (0017) only the plain case is done so: an event that is new, about nothing or
-- about one sale of credits that is paid and was not before, of a user whose wallet nobody else has locked and in which
-- nothing is due. Whatever is not plain is not in the answer, nothing was written for it, and the caller does it by itself
-- (PaymentBooks::take), which also knows every reason to refuse or to wait. For the operator role.
--
-- Names are looked up one by one (LATERAL … LIMIT 1): PostgreSQL believes a provider to have few, and would read them all.
--
-- Nothing here waits for a lock: what somebody else has is left to the single way. So neither can be in the other's way.

-- Grants of purchases, as ledger_grant makes them, for orders of {n, user_id, key, amount, bonus, bonus_expires_at,
-- description, metadata}: the purchased lot under `key`, and where bonus is not 0 the bonus lot under `key:bonus`. p_users:
-- whose wallets the caller has got from ledger_lock_plain. Each user once.
CREATE FUNCTION ledger_purchase_many(p_orders jsonb, p_users uuid[], p_now timestamptz)
RETURNS TABLE (n integer, purchase_id uuid, purchase_lot uuid, bonus_id uuid, bonus_lot uuid)
LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH o AS MATERIALIZED (
        SELECT DISTINCT ON (r.user_id) r.n, r.user_id, r.key, r.amount::numeric(18,4) AS amount,
               r.bonus::numeric(18,4) AS given, r.bonus_expires_at AS expires_at, r.description, r.metadata,
               gen_random_uuid() AS lot, CASE WHEN r.bonus > 0 THEN gen_random_uuid() END AS bonus_lot,
               w.daily_free, w.purchased, w.bonus, w.held, w.sequence, w.head_hash, w.last_at
        FROM jsonb_to_recordset(p_orders) AS r (n integer, user_id uuid, key text, amount numeric, bonus numeric,
                                                bonus_expires_at timestamptz, description text, metadata jsonb)
        JOIN user_wallet w ON w.user_id = r.user_id
        WHERE r.user_id = ANY (p_users) AND ledger_is_amount(r.amount) AND r.amount > 0
          AND ledger_is_amount(r.bonus) AND r.bonus >= 0
          AND ledger_is_key(r.key) AND ledger_is_key(r.key || ':bonus')
          AND coalesce(r.bonus_expires_at > p_now AND r.bonus_expires_at < 'infinity', true)
          AND char_length(r.description) <= 500 AND jsonb_typeof(r.metadata) = 'object'
          AND w.daily_free + w.purchased + w.bonus + r.amount + r.bonus <= 1000000000000
          AND NOT EXISTS (SELECT FROM operations d WHERE d.user_id = r.user_id AND d.key = r.key)
          AND NOT EXISTS (SELECT FROM operations d WHERE d.user_id = r.user_id AND d.key = r.key || ':bonus')
        ORDER BY r.user_id, r.n
    ), bought AS MATERIALIZED (
        SELECT o.n, e AS entry
        FROM o CROSS JOIN LATERAL ledger_seal(
            ROW(gen_random_uuid(), o.user_id, o.sequence + 1, 'purchase', o.amount, 0, o.amount, 0, o.daily_free,
                o.purchased + o.amount, o.bonus, o.description, o.metadata, NULL, NULL, NULL, greatest(p_now, o.last_at),
                o.head_hash, NULL, NULL, NULL, NULL)::transaction_history,
            '1 user:purchased ' || o.lot || ' ' || o.amount || '|2 operator:issuance  ' || -o.amount || '#'
                || o.lot || ' purchased ' || o.amount || ' ') e
    ), given AS MATERIALIZED (
        SELECT o.n, e AS entry
        FROM o JOIN bought b ON b.n = o.n CROSS JOIN LATERAL ledger_seal(
            ROW(gen_random_uuid(), o.user_id, o.sequence + 2, 'bonus_grant', o.given, 0, 0, o.given, o.daily_free,
                o.purchased + o.amount, o.bonus + o.given, o.description, o.metadata, NULL, NULL, NULL,
                (b.entry).created_at, (b.entry).hash, NULL, NULL, NULL, NULL)::transaction_history,
            '1 user:bonus ' || o.bonus_lot || ' ' || o.given || '|2 operator:issuance  ' || -o.given || '#'
                || o.bonus_lot || ' bonus ' || o.given || ' '
                || coalesce(((extract(epoch FROM o.expires_at) * 1000000)::bigint)::text, '')) e
        WHERE o.given > 0
    ), rows AS MATERIALIZED (
        SELECT b.n, b.entry, 'purchased' AS bucket, o.lot, NULL::timestamptz AS expires_at, o.key
        FROM bought b JOIN o ON o.n = b.n
        UNION ALL
        SELECT g.n, g.entry, 'bonus', o.bonus_lot, o.expires_at, o.key || ':bonus' FROM given g JOIN o ON o.n = g.n
    ), lots AS (
        INSERT INTO wallet_lots (id, user_id, sequence, bucket, original, remaining, expires_at, created_at)
        SELECT r.lot, (r.entry).user_id, (r.entry).sequence, r.bucket, (r.entry).amount, (r.entry).amount, r.expires_at,
               p_now
        FROM rows r
    ), history AS (
        INSERT INTO transaction_history SELECT (r.entry).* FROM rows r
    ), legs AS (
        INSERT INTO ledger_legs (transaction_id, position, user_id, account, lot_id, amount, created_at)
        SELECT (r.entry).id, 1, (r.entry).user_id, 'user:' || r.bucket, r.lot, (r.entry).amount, (r.entry).created_at
        FROM rows r
        UNION ALL
        SELECT (r.entry).id, 2, (r.entry).user_id, 'operator:issuance', NULL, -(r.entry).amount, (r.entry).created_at
        FROM rows r
    ), remembered AS (
        INSERT INTO operations (user_id, key, operation, fingerprint, result_id, created_at, after_daily_free,
                                after_purchased, after_bonus, after_held)
        SELECT (r.entry).user_id, r.key, 'grant',
               ledger_fingerprint('grant', r.bucket, (r.entry).amount::text, (r.entry).kind,
                                  extract(epoch FROM r.expires_at)::text, (r.entry).description,
                                  (r.entry).metadata::text),
               (r.entry).id, (r.entry).created_at, (r.entry).after_daily_free, (r.entry).after_purchased,
               (r.entry).after_bonus, o.held
        FROM rows r JOIN o ON o.n = r.n
    ), wallets AS (
        UPDATE user_wallet w
        SET purchased = o.purchased + o.amount, bonus = o.bonus + o.given,
            sequence = coalesce((g.entry).sequence, (b.entry).sequence),
            head_hash = coalesce((g.entry).hash, (b.entry).hash), last_at = (b.entry).created_at,
            due_at = CASE WHEN o.given > 0 THEN least(w.due_at, o.expires_at) ELSE w.due_at END
        FROM o JOIN bought b ON b.n = o.n LEFT JOIN given g ON g.n = o.n
        WHERE w.user_id = o.user_id
    )
    SELECT o.n, (b.entry).id, o.lot, (g.entry).id, o.bonus_lot
    FROM o JOIN bought b ON b.n = o.n LEFT JOIN given g ON g.n = o.n;
END $$;

-- PaymentBooks::take for orders of {n, id (of the event's row), provider, event_id, type, created_at, signature, keys,
-- facts, own_prices, payment_id (for a payment we did not begin)}; the raw bodies, as \x…, in an array of their own: order
-- n's is at n + 1. `keys` are all that the event speaks of, and itself.
--
-- The answer: `applied` and `duplicate` as PaymentBooks::Taken says. kind and product: what was granted; NULL where
-- nothing was. `wanted`: other events wait for what this one brought. Asked here, under the keys' locks, because whoever
-- comes to wait later has to get them first, and then finds what it would wait for.
CREATE FUNCTION payments_take_plain(p_orders jsonb, p_bodies text[], p_now timestamptz)
RETURNS TABLE (n integer, what text, kind text, product text, wanted boolean)
LANGUAGE plpgsql
SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_free integer[]; -- whose keys nobody else has
    v_new integer[];  -- and whose event nobody knows
    v_users uuid[];
    v_begun uuid[];
BEGIN
    v_free := ARRAY(
        SELECT l.n FROM (
            SELECT o.n, pg_try_advisory_xact_lock(hashtextextended('payments ' || o.provider || ' ' || k.key, 0)) AS got
            FROM jsonb_to_recordset(p_orders) AS o (n integer, provider text, keys text[]), unnest(o.keys) AS k (key)) l
        GROUP BY l.n HAVING bool_and(l.got));

    -- From here on what is read about these keys stays true until the commit.
    v_new := ARRAY(
        SELECT DISTINCT ON (o.provider, o.event_id) o.n
        FROM jsonb_to_recordset(p_orders) AS o (n integer, provider text, event_id text)
        WHERE o.n = ANY (v_free)
          AND NOT EXISTS (SELECT FROM payment_events e WHERE e.provider = o.provider AND e.event_id = o.event_id)
        ORDER BY o.provider, o.event_id, o.n);
    IF cardinality(v_new) < cardinality(v_free) THEN -- seen before
        RETURN QUERY
        WITH again AS MATERIALIZED (
            SELECT e.id, o.n
            FROM jsonb_to_recordset(p_orders) AS o (n integer, provider text, event_id text)
            JOIN payment_events e ON e.provider = o.provider AND e.event_id = o.event_id
            WHERE o.n = ANY (v_free) AND e.status = 'processed'
            FOR UPDATE OF e SKIP LOCKED
        ), once AS MATERIALIZED (
            SELECT DISTINCT ON (a.id) a.id, a.n FROM again a ORDER BY a.id, a.n
        ), counted AS (
            UPDATE payment_events e SET deliveries = e.deliveries + 1, last_at = p_now FROM once WHERE e.id = once.id
        )
        SELECT once.n, 'duplicate', NULL, NULL, false FROM once;
    END IF;

    IF p_orders @? 'strict $[*].facts.payments ? (@.size() == 0)' THEN -- what tells nothing that matters is kept and done with
        RETURN QUERY
        WITH idle AS MATERIALIZED (
            SELECT o.* FROM jsonb_to_recordset(p_orders) AS o (n integer, id uuid, provider text, event_id text, type text,
                                                               created_at timestamptz, signature text, facts jsonb)
            WHERE o.n = ANY (v_new) AND o.facts -> 'subscriptions' = '[]' AND o.facts -> 'payments' = '[]'
              AND o.facts -> 'disputes' = '[]'
        ), kept AS (
            INSERT INTO payment_events (id, provider, event_id, type, created_at, received_at, last_at, status, processed_at,
                                        facts, body, body_hash, signature)
            SELECT i.id, i.provider, i.event_id, i.type, i.created_at, p_now, p_now, 'processed', p_now, i.facts,
                   p_bodies[i.n + 1]::bytea, sha256(p_bodies[i.n + 1]::bytea), i.signature
            FROM idle i
        )
        SELECT i.n, 'applied', NULL, NULL, false FROM idle i;
    END IF;

    -- Of each the payment it is about, if it is known here. Lock order: the user, the payment, the wallet.
    v_begun := ARRAY(
        SELECT DISTINCT k.payment_id
        FROM jsonb_to_recordset(p_orders) AS o (n integer, provider text, facts jsonb)
        CROSS JOIN LATERAL jsonb_to_record(o.facts -> 'payments' -> 0) AS f ("references" text[], payment uuid)
        CROSS JOIN LATERAL (
            SELECT l.payment_id FROM unnest(f."references") AS x (reference)
            CROSS JOIN LATERAL (SELECT r.payment_id FROM payment_references r
                                WHERE r.provider = o.provider AND r.reference = x.reference LIMIT 1) l
            UNION ALL
            SELECT p.id FROM payment_transactions p WHERE p.id = f.payment AND p.provider = o.provider) k
        WHERE o.n = ANY (v_new));
    v_users := ARRAY(
        SELECT u.id FROM users u
        WHERE u.id IN (SELECT f."user" FROM jsonb_to_recordset(p_orders) AS o (n integer, facts jsonb)
                       CROSS JOIN LATERAL jsonb_to_record(o.facts -> 'payments' -> 0) AS f ("user" uuid)
                       WHERE o.n = ANY (v_new)
                       UNION ALL
                       SELECT p.user_id FROM payment_transactions p WHERE p.id = ANY (v_begun))
        ORDER BY u.id FOR NO KEY UPDATE OF u SKIP LOCKED);
    IF cardinality(v_begun) > 0 THEN
        v_begun := ARRAY(
            SELECT p.id FROM payment_transactions p WHERE p.id = ANY (v_begun) AND p.user_id = ANY (v_users)
            ORDER BY p.id FOR UPDATE SKIP LOCKED);
    END IF;
    v_users := ledger_lock_plain(v_users, p_now);

    RETURN QUERY
    WITH o AS MATERIALIZED (
        SELECT DISTINCT ON (s.user_id) s.*
        FROM (
            SELECT r.n, r.id, r.provider, r.event_id, r.type, r.created_at, r.signature, r.keys, r.facts,
                   f."references" AS names, f.amount_minor, coalesce(f.tax_minor, 0) AS tax_minor, f.fee_minor, f.currency,
                   f.refunded_minor, f.version, f.at,
                   p.id AS begun, coalesce(p.id, r.payment_id) AS payment_id, coalesce(p.user_id, f."user") AS user_id,
                   coalesce(p.product, c.code) AS product,
                   CASE WHEN p.id IS NULL THEN c.credits ELSE p.credits END AS credits,
                   coalesce(CASE WHEN p.id IS NULL THEN c.bonus_credits ELSE p.bonus_credits END, 0) AS bonus_credits,
                   CASE WHEN p.id IS NULL THEN c.bonus_days ELSE p.bonus_days END AS bonus_days
            FROM jsonb_to_recordset(p_orders) AS r (n integer, id uuid, provider text, event_id text, type text,
                                                    created_at timestamptz, signature text, keys text[], facts jsonb,
                                                    own_prices boolean, payment_id uuid)
            CROSS JOIN LATERAL jsonb_to_record(r.facts -> 'payments' -> 0) AS f (
                "references" text[], payment uuid, "user" uuid, kind text, product text, state text, amount_minor bigint,
                tax_minor bigint, fee_minor bigint, currency text, refunded_minor bigint, version bigint, at timestamptz,
                subscription text, period_start timestamptz, period_end timestamptz)
            CROSS JOIN LATERAL (
                SELECT array_agg(DISTINCT x.payment_id) AS ids FROM (
                    SELECT l.payment_id FROM unnest(f."references") AS q (reference)
                    CROSS JOIN LATERAL (SELECT y.payment_id FROM payment_references y
                                        WHERE y.provider = r.provider AND y.reference = q.reference LIMIT 1) l
                    UNION ALL
                    SELECT z.id FROM payment_transactions z WHERE z.id = f.payment AND z.provider = r.provider) x) known
            LEFT JOIN payment_transactions p ON p.id = known.ids[1] AND p.id = ANY (v_begun)
            LEFT JOIN products c ON c.code = f.product
            WHERE r.n = ANY (v_new)
              AND jsonb_array_length(r.facts -> 'payments') = 1 AND r.facts -> 'subscriptions' = '[]'
              AND r.facts -> 'disputes' = '[]'
              AND f.kind = 'credits' AND f.state = 'paid' AND coalesce(f.subscription, '') = ''
              AND coalesce(f.period_start, f.period_end) IS NULL AND cardinality(f."references") > 0
              AND coalesce(f.refunded_minor, 0) = 0
              AND f.amount_minor >= 0 AND coalesce(f.tax_minor, 0) BETWEEN 0 AND f.amount_minor
              AND coalesce(f.fee_minor, 0) >= 0
              AND CASE WHEN known.ids IS NULL THEN c.code IS NOT NULL AND f."user" IS NOT NULL
                       ELSE cardinality(known.ids) = 1 AND p.kind = 'credits' AND p.paid_at IS NULL
                            AND p.refunded_minor = 0 AND p.purchase_entry IS NULL AND p.subscription_id IS NULL
                            AND coalesce(f."user" = p.user_id, true)
                            AND NOT EXISTS (SELECT FROM payment_disputes d WHERE d.payment_id = p.id)
                            AND (NOT r.own_prices OR (f.currency = p.currency AND f.amount_minor >= p.amount_minor)) END
        ) s
        WHERE s.user_id = ANY (v_users)
        ORDER BY s.user_id, s.n
    ), done AS MATERIALIZED (
        SELECT o.*, g.purchase_id, g.purchase_lot, g.bonus_id, g.bonus_lot
        FROM ledger_purchase_many(
            (SELECT jsonb_agg(jsonb_build_object(
                 'n', o.n, 'user_id', o.user_id, 'key', 'payment:' || o.payment_id, 'amount', o.credits,
                 'bonus', o.bonus_credits, 'bonus_expires_at', p_now + o.bonus_days * interval '24 hours',
                 'description', o.product, 'metadata', jsonb_build_object('payment_id', o.payment_id, 'product', o.product)))
             FROM o), v_users, p_now) g
        JOIN o ON o.n = g.n
    ), made AS (
        INSERT INTO payment_transactions (id, user_id, provider, kind, product, amount_minor, currency, status, created_at,
                                          updated_at, credits, bonus_credits, bonus_days, tax_minor, fee_minor, paid_at,
                                          version, refund_version, provider_reference, purchase_entry, bonus_entry)
        SELECT d.payment_id, d.user_id, d.provider, 'credits', d.product, d.amount_minor, d.currency, 'paid', d.at, p_now,
               d.credits, d.bonus_credits, d.bonus_days, d.tax_minor, coalesce(d.fee_minor, 0), d.at, d.version,
               CASE WHEN d.refunded_minor IS NOT NULL THEN greatest(d.version, 0) ELSE 0 END, d.names[1],
               d.purchase_id, d.bonus_id
        FROM done d WHERE d.begun IS NULL
    ), paid AS (
        UPDATE payment_transactions p
        SET status = 'paid', amount_minor = d.amount_minor, tax_minor = d.tax_minor,
            fee_minor = coalesce(d.fee_minor, p.fee_minor), currency = d.currency, paid_at = d.at, version = d.version,
            failure = NULL, updated_at = p_now,
            refund_version = CASE WHEN d.refunded_minor IS NOT NULL THEN greatest(p.refund_version, d.version)
                                  ELSE p.refund_version END,
            provider_reference = coalesce(p.provider_reference, d.names[1]), purchase_entry = d.purchase_id,
            bonus_entry = d.bonus_id
        FROM done d WHERE p.id = d.begun
    ), named AS (
        INSERT INTO payment_references (provider, reference, payment_id, user_id)
        SELECT d.provider, r.reference, d.payment_id, d.user_id FROM done d, unnest(d.names) AS r (reference)
        ON CONFLICT DO NOTHING
    ), booked AS (
        INSERT INTO money_entries (payment_id, user_id, kind, currency, amount_minor, tax_minor, fee_minor, at_time)
        SELECT d.payment_id, d.user_id, 'payment', d.currency, d.amount_minor, d.tax_minor,
               coalesce(d.fee_minor, p.fee_minor, 0), d.at
        FROM done d LEFT JOIN payment_transactions p ON p.id = d.begun
    ), rails AS (
        INSERT INTO lot_rails (lot_id, user_id, rail)
        SELECT l.lot, d.user_id, d.provider FROM done d, unnest(ARRAY[d.purchase_lot, d.bonus_lot]) AS l (lot)
        WHERE l.lot IS NOT NULL
    ), kept AS (
        INSERT INTO payment_events (id, provider, event_id, type, created_at, received_at, last_at, status, processed_at,
                                    facts, body, body_hash, signature, payment_id)
        SELECT d.id, d.provider, d.event_id, d.type, d.created_at, p_now, p_now, 'processed', p_now, d.facts,
               p_bodies[d.n + 1]::bytea, sha256(p_bodies[d.n + 1]::bytea), d.signature, d.payment_id
        FROM done d
    )
    SELECT d.n, 'applied', 'credits', d.product,
           EXISTS (SELECT FROM payment_events e WHERE e.status = 'waiting' AND e.provider = d.provider
                                                  AND e.waits_for && d.keys)
    FROM done d;
END $$;
