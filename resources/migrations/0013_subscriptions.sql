-- Subscriptions, event-sourced: what providers tell is kept as it came, the state is folded from it, and the tier is a
-- matter of looking at the clock: nothing has to run for a tier to end (docs/payments.md).

ALTER TABLE tiers ADD COLUMN trial_days integer NOT NULL DEFAULT 0 CHECK (trial_days BETWEEN 0 AND 365),
                  ADD COLUMN version bigint NOT NULL DEFAULT 1 CHECK (version > 0); -- the ETag
ALTER TABLE products ADD COLUMN bonus_days integer DEFAULT 90 CHECK (bonus_days BETWEEN 1 AND 3650), -- NULL: no end
                     ADD COLUMN version bigint NOT NULL DEFAULT 1 CHECK (version > 0);

-- A user's paid entitlement can only fall with time (an upgrade counts at once, a downgrade at the period's end), so two
-- moments tell all of it, whatever subscriptions they come from. Written by subscription_fold alone.
ALTER TABLE users ADD COLUMN subscribed_vip_until timestamptz,
                  ADD COLUMN subscribed_premium_until timestamptz;

-- The tier that counts: the higher of what is subscribed and what an operator granted (users.tier, which has an end or
-- none). A grant never lessens what was paid for. Still one expression over the row, so that the planner inlines it.
CREATE OR REPLACE FUNCTION effective_tier(u users, at_time timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN u.subscribed_vip_until > at_time
             OR (u.tier = 'vip' AND coalesce(u.tier_expires_at > at_time, true)) THEN 'vip'
        WHEN u.subscribed_premium_until > at_time
             OR (u.tier = 'premium' AND coalesce(u.tier_expires_at > at_time, true)) THEN 'premium'
        ELSE 'free' END
$$;

-- When that tier ends as things stand; NULL: never (free, or granted until further notice).
CREATE FUNCTION effective_tier_until(u users, at_time timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE effective_tier(u, at_time)
        WHEN 'vip' THEN CASE WHEN u.tier = 'vip' AND u.tier_expires_at IS NULL THEN NULL
                             ELSE greatest(u.subscribed_vip_until, CASE u.tier WHEN 'vip' THEN u.tier_expires_at END) END
        WHEN 'premium' THEN CASE WHEN u.tier = 'premium' AND u.tier_expires_at IS NULL THEN NULL
                                 ELSE greatest(u.subscribed_premium_until,
                                               CASE u.tier WHEN 'premium' THEN u.tier_expires_at END) END
    END
$$;

-- Every grant of a tier by an operator, for the question what a user's tier was. Append-only.
CREATE TABLE tier_grants (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users,
    tier       text NOT NULL CHECK (tier IN ('free', 'premium', 'vip')),
    expires_at timestamptz,
    granted_at timestamptz NOT NULL
);
CREATE INDEX tier_grants_of_user ON tier_grants (user_id, granted_at, id);
SELECT protect_user_rows('tier_grants', 'SELECT', 'SELECT, INSERT');
INSERT INTO tier_grants (user_id, tier, expires_at, granted_at)
SELECT id, tier, tier_expires_at, created_at FROM users WHERE tier <> 'free';

-- One row per subscription at a provider: what its history folds to. status says what the provider said last; that a
-- period has ended is seen by entitled_until and the clock (subscription_status).
CREATE TABLE subscriptions (
    id             uuid PRIMARY KEY,
    user_id        uuid NOT NULL REFERENCES users,
    provider       text NOT NULL CHECK (provider IN ('stripe', 'apple', 'google', 'sandbox')),
    reference      text NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255), -- the provider's id of it
    customer       text CHECK (char_length(customer) <= 255),                      -- the provider's id of the user
    tier           text NOT NULL REFERENCES tiers,
    next_tier      text REFERENCES tiers, -- from the period's end on: a downgrade that was asked for
    status         text NOT NULL CHECK (status IN ('trialing', 'active', 'past_due', 'canceled', 'expired', 'refunded')),
    period_start   timestamptz NOT NULL,
    period_end     timestamptz NOT NULL,
    entitled_until timestamptz NOT NULL, -- the period's end and, where it renews by itself, the grace
    version        bigint NOT NULL, -- of the provider's object, as applied
    effective_at   timestamptz NOT NULL,
    last_sequence  integer NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    UNIQUE (provider, reference),
    CHECK (period_end >= period_start)
);
CREATE INDEX subscriptions_of_user ON subscriptions (user_id, created_at DESC);
SELECT protect_user_rows('subscriptions', 'SELECT', 'SELECT, INSERT, UPDATE');

-- The history. `told`: a state of the provider's object; the others: what became of the payment for a period. Each says
-- when it holds from (effective_at) beside when we heard of it (recorded_at). Never changed.
CREATE TABLE subscription_events (
    subscription_id uuid NOT NULL REFERENCES subscriptions,
    sequence        integer NOT NULL CHECK (sequence > 0), -- the order we heard of them
    user_id         uuid NOT NULL REFERENCES users,
    kind            text NOT NULL CHECK (kind IN ('told', 'payment_refunded', 'payment_disputed', 'payment_restored')),
    version         bigint NOT NULL, -- old or new: by this, never by the order of arrival
    effective_at    timestamptz NOT NULL,
    recorded_at     timestamptz NOT NULL,
    status          text CHECK (status IN ('trialing', 'active', 'past_due', 'canceled', 'expired')),
    tier            text,
    next_tier       text,
    period_start    timestamptz NOT NULL,
    period_end      timestamptz NOT NULL,
    entitled_until  timestamptz,
    payment_id      uuid,
    event_id        uuid, -- the webhook's; NULL: asked for, or reconciled
    PRIMARY KEY (subscription_id, sequence),
    CHECK ((kind = 'told') = (status IS NOT NULL AND tier IS NOT NULL AND entitled_until IS NOT NULL)),
    CHECK ((kind = 'told') = (payment_id IS NULL))
);
CREATE INDEX subscription_events_of_user ON subscription_events (user_id, effective_at);
SELECT protect_user_rows('subscription_events', 'SELECT', 'SELECT, INSERT');

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['tier_grants', 'subscription_events'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW
                        EXECUTE FUNCTION ledger_is_append_only()', v_table);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I FOR EACH STATEMENT
                        EXECUTE FUNCTION ledger_is_append_only()', v_table);
    END LOOP;
END $$;

CREATE FUNCTION tier_rank(p_tier text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE p_tier WHEN 'vip' THEN 2 WHEN 'premium' THEN 1 ELSE 0 END $$;

-- Among two states of one version (a provider that counts in whole seconds) the further one wins: any order of arrival
-- ends in the same.
CREATE FUNCTION subscription_status_rank(p_status text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_status WHEN 'expired' THEN 5 WHEN 'canceled' THEN 4 WHEN 'active' THEN 3 WHEN 'past_due' THEN 2 ELSE 1 END
$$;

-- What the history says of a subscription at a moment: the newest state told by then, ended early where the payment for
-- its period was refunded or is disputed. 'infinity' is now and whatever a fast clock has told.
CREATE FUNCTION subscription_state(p_subscription uuid, p_at timestamptz)
RETURNS TABLE (status text, tier text, next_tier text, period_start timestamptz, period_end timestamptz,
               entitled_until timestamptz, version bigint, effective_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    s subscription_events;
    v_ended timestamptz;
BEGIN
    SELECT e.* INTO s FROM subscription_events e
    WHERE e.subscription_id = p_subscription AND e.kind = 'told' AND e.effective_at <= p_at
    ORDER BY e.version DESC, e.period_end DESC, subscription_status_rank(e.status) DESC, tier_rank(e.tier) DESC,
             e.entitled_until DESC, e.sequence DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT min(f.effective_at) INTO v_ended FROM (
        SELECT DISTINCT ON (e.payment_id) e.* FROM subscription_events e
        WHERE e.subscription_id = p_subscription AND e.kind <> 'told' AND e.effective_at <= p_at
        ORDER BY e.payment_id, e.version DESC, e.sequence DESC) f
    WHERE f.kind <> 'payment_restored' AND f.period_end >= s.period_end AND f.period_start < s.period_end;
    RETURN QUERY SELECT CASE WHEN v_ended IS NULL THEN s.status ELSE 'refunded' END, s.tier, s.next_tier, s.period_start,
                        s.period_end, least(s.entitled_until, v_ended), s.version, s.effective_at;
END $$;

-- Folds a user's subscriptions anew and writes what the tier follows from to the users row, which the caller has locked.
-- True when the paid tier is now higher than before: the day's credits are to be topped up.
CREATE FUNCTION subscription_fold(p_user uuid, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_vip timestamptz;
    v_premium timestamptz;
    v_before text;
    v_after text;
BEGIN
    UPDATE subscriptions s SET status = f.status, tier = f.tier, next_tier = f.next_tier, period_start = f.period_start,
        period_end = f.period_end, entitled_until = f.entitled_until, version = f.version, effective_at = f.effective_at,
        updated_at = p_now
    FROM subscriptions o CROSS JOIN LATERAL subscription_state(o.id, 'infinity') f
    WHERE o.id = s.id AND s.user_id = p_user
      AND (s.status, s.tier, s.next_tier, s.period_start, s.period_end, s.entitled_until, s.version, s.effective_at)
          IS DISTINCT FROM (f.status, f.tier, f.next_tier, f.period_start, f.period_end, f.entitled_until, f.version,
                            f.effective_at);
    SELECT max(least(s.entitled_until, CASE WHEN s.next_tier IS NOT NULL THEN s.period_end END))
               FILTER (WHERE s.tier = 'vip'),
           max(CASE WHEN s.tier = 'premium' THEN least(s.entitled_until,
                         CASE WHEN s.next_tier IS NOT NULL THEN s.period_end END)
                    WHEN s.next_tier = 'premium' THEN s.entitled_until END)
    INTO v_vip, v_premium FROM subscriptions s WHERE s.user_id = p_user;
    SELECT effective_tier(u, p_now) INTO v_before FROM users u WHERE u.id = p_user;
    UPDATE users u SET subscribed_vip_until = v_vip, subscribed_premium_until = v_premium
    WHERE u.id = p_user AND (u.subscribed_vip_until, u.subscribed_premium_until) IS DISTINCT FROM (v_vip, v_premium);
    SELECT effective_tier(u, p_now) INTO v_after FROM users u WHERE u.id = p_user;
    RETURN tier_rank(v_after) > tier_rank(v_before);
END $$;

-- Takes in one state of a provider's subscription. The users row is locked first, so that two deliveries of one user
-- come one after the other. The same state again, and any older one, changes nothing that counts.
-- code: ok, not_found (no such user), other_user (the reference belongs to somebody else)
CREATE FUNCTION subscription_told(p_user uuid, p_provider text, p_reference text, p_customer text, p_status text,
                                  p_tier text, p_next_tier text, p_period_start timestamptz, p_period_end timestamptz,
                                  p_entitled_until timestamptz, p_version bigint, p_effective_at timestamptz,
                                  p_event uuid, p_now timestamptz,
                                  OUT code text, OUT subscription_id uuid, OUT known boolean, OUT raised boolean)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_owner uuid;
    v_sequence integer;
BEGIN
    raised := false;
    known := false;
    PERFORM FROM users u WHERE u.id = p_user FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        code := 'not_found';
        RETURN;
    END IF;
    INSERT INTO subscriptions (id, user_id, provider, reference, customer, tier, next_tier, status, period_start,
                               period_end, entitled_until, version, effective_at, created_at, updated_at)
    VALUES (gen_random_uuid(), p_user, p_provider, p_reference, p_customer, p_tier, p_next_tier, p_status, p_period_start,
            p_period_end, p_entitled_until, p_version, p_effective_at, p_now, p_now)
    ON CONFLICT (provider, reference) DO NOTHING;
    SELECT s.id, s.user_id, s.last_sequence + 1 INTO subscription_id, v_owner, v_sequence
    FROM subscriptions s WHERE s.provider = p_provider AND s.reference = p_reference FOR UPDATE;
    IF v_owner <> p_user THEN
        code := 'other_user';
        RETURN;
    END IF;
    code := 'ok';
    known := EXISTS (
        SELECT FROM subscription_events e WHERE e.subscription_id = subscription_told.subscription_id AND e.kind = 'told'
          AND (e.version, e.status, e.tier, e.next_tier, e.period_start, e.period_end, e.entitled_until)
              IS NOT DISTINCT FROM (p_version, p_status, p_tier, p_next_tier, p_period_start, p_period_end,
                                    p_entitled_until));
    IF known THEN
        RETURN;
    END IF;
    INSERT INTO subscription_events (subscription_id, sequence, user_id, kind, version, effective_at, recorded_at, status,
                                     tier, next_tier, period_start, period_end, entitled_until, event_id)
    VALUES (subscription_id, v_sequence, p_user, 'told', p_version, p_effective_at, p_now, p_status, p_tier, p_next_tier,
            p_period_start, p_period_end, p_entitled_until, p_event);
    UPDATE subscriptions s SET last_sequence = v_sequence, customer = coalesce(p_customer, s.customer)
    WHERE s.id = subscription_id;
    raised := subscription_fold(p_user, p_now);
END $$;

-- What became of the payment for a period: payment_refunded and payment_disputed end the tier that the period gave,
-- payment_restored (a dispute won, a refund reversed) gives it back. The users row is locked by the caller.
CREATE FUNCTION subscription_payment(p_subscription uuid, p_payment uuid, p_kind text, p_version bigint,
                                     p_effective_at timestamptz, p_period_start timestamptz, p_period_end timestamptz,
                                     p_event uuid, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    v_user uuid;
    v_sequence integer;
    v_last subscription_events;
BEGIN
    SELECT s.user_id, s.last_sequence + 1 INTO v_user, v_sequence FROM subscriptions s WHERE s.id = p_subscription FOR UPDATE;
    SELECT e.* INTO v_last FROM subscription_events e
    WHERE e.subscription_id = p_subscription AND e.payment_id = p_payment ORDER BY e.version DESC, e.sequence DESC LIMIT 1;
    IF coalesce(v_last.kind, 'payment_restored') = p_kind THEN
        RETURN false;
    END IF;
    INSERT INTO subscription_events (subscription_id, sequence, user_id, kind, version, effective_at, recorded_at,
                                     period_start, period_end, payment_id, event_id)
    VALUES (p_subscription, v_sequence, v_user, p_kind, greatest(p_version, v_last.version), p_effective_at, p_now,
            p_period_start, p_period_end, p_payment, p_event);
    UPDATE subscriptions s SET last_sequence = v_sequence WHERE s.id = p_subscription;
    RETURN subscription_fold(v_user, p_now);
END $$;

-- How a subscription stands at a moment: a period that ended is past_due while the grace runs, expired after it.
CREATE FUNCTION subscription_status(s subscriptions, p_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN s.status = 'refunded' OR s.status = 'expired' THEN s.status
                WHEN s.entitled_until <= p_at THEN 'expired'
                WHEN s.period_end <= p_at AND s.status <> 'canceled' THEN 'past_due'
                ELSE s.status END
$$;

-- What a user's tier was at any past moment, by when things took effect and not by when we heard of them.
CREATE FUNCTION user_tier_at(p_user uuid, p_at timestamptz) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $$
DECLARE
    v_rank integer;
BEGIN
    SELECT greatest(
        (SELECT CASE WHEN coalesce(g.expires_at > p_at, true) THEN tier_rank(g.tier) END FROM tier_grants g
         WHERE g.user_id = p_user AND g.granted_at <= p_at ORDER BY g.granted_at DESC, g.id DESC LIMIT 1),
        (SELECT max(tier_rank(CASE WHEN f.entitled_until <= p_at THEN 'free'
                                   WHEN f.next_tier IS NOT NULL AND f.period_end <= p_at THEN f.next_tier
                                   ELSE f.tier END))
         FROM subscriptions s CROSS JOIN LATERAL subscription_state(s.id, p_at) f
         WHERE s.user_id = p_user AND f.period_start <= p_at),
        0) INTO v_rank;
    RETURN (ARRAY['free', 'premium', 'vip'])[v_rank + 1];
END $$;
