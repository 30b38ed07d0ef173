-- What is sold: tiers and credit packages are data that the console edits. Prices are minor units of their currency;
-- the effective price of a package is computed, never stored.
CREATE TABLE tiers (
    code                text PRIMARY KEY CHECK (code IN ('free', 'premium', 'vip')),
    name                text NOT NULL,
    rank                integer NOT NULL UNIQUE,
    price_minor         bigint NOT NULL CHECK (price_minor >= 0),
    currency            text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    daily_credits       numeric(18, 4) NOT NULL CHECK (daily_credits >= 0),
    requests_per_minute integer NOT NULL CHECK (requests_per_minute > 0),
    discount            numeric(6, 4) NOT NULL CHECK (discount >= 0 AND discount <= 1),
    long_term_memory    boolean NOT NULL,
    spicy               boolean NOT NULL,
    priority            integer NOT NULL DEFAULT 0
);
INSERT INTO tiers VALUES
    ('free',    'Free',    0, 0,    'USD', 10,  5,   0,    false, false, 0),
    ('premium', 'Premium', 1, 999,  'USD', 100, 30,  0.30, true,  true,  0),
    ('vip',     'VIP',     2, 2999, 'USD', 500, 100, 0.50, true,  true,  1);

CREATE TABLE products (
    code          text PRIMARY KEY CHECK (code ~ '^[a-z0-9_]{1,40}$'),
    name          text NOT NULL,
    price_minor   bigint NOT NULL CHECK (price_minor > 0),
    currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    credits       numeric(18, 4) NOT NULL CHECK (credits > 0),
    bonus_percent numeric(7, 4) NOT NULL DEFAULT 0 CHECK (bonus_percent >= 0),
    bonus_credits numeric(18, 4) GENERATED ALWAYS AS (round(credits * bonus_percent / 100, 4)) STORED,
    rank          integer NOT NULL,
    active        boolean NOT NULL DEFAULT true
);
INSERT INTO products (code, name, price_minor, currency, credits, bonus_percent, rank) VALUES
    ('starter',    'Starter',    99,   'USD', 10,   0,  1),
    ('popular',    'Popular',    899,  'USD', 100,  10, 2),
    ('best_value', 'Best value', 3999, 'USD', 550,  20, 3),
    ('whale',      'Whale',      6999, 'USD', 1200, 30, 4);

GRANT SELECT ON tiers, products TO companion_app;
GRANT SELECT, INSERT, UPDATE ON tiers, products TO companion_operator;

-- Money that came (or went back). A payment's credits are granted in the transaction that marks it paid.
CREATE TABLE payment_transactions (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id            uuid NOT NULL REFERENCES users (id),
    provider           text NOT NULL CHECK (provider IN ('stripe', 'apple', 'google', 'sandbox')),
    provider_reference text,
    kind               text NOT NULL CHECK (kind IN ('credits', 'subscription')),
    product            text NOT NULL, -- a package's or a tier's code
    amount_minor       bigint NOT NULL CHECK (amount_minor >= 0),
    currency           text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    refunded_minor     bigint NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    status             text NOT NULL CHECK (status IN ('pending', 'paid', 'failed', 'refunded', 'partially_refunded',
                                                       'disputed')),
    created_at         timestamptz NOT NULL,
    paid_at            timestamptz,
    CHECK (paid_at IS NOT NULL OR status IN ('pending', 'failed')),
    UNIQUE (provider, provider_reference)
);
CREATE INDEX payment_transactions_of_user ON payment_transactions (user_id, created_at DESC, id DESC);
CREATE INDEX payment_transactions_by_day ON payment_transactions (paid_at) WHERE paid_at IS NOT NULL;
SELECT protect_user_rows('payment_transactions', 'SELECT', 'SELECT, INSERT, UPDATE');
