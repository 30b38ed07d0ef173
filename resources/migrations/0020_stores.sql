-- Apple and Google (docs/payments.md): what a customer lets us tell a store, and the purchases at Google that have to be
-- acknowledged or consumed, or Google pays them back after three days.

-- Whether we may tell Apple how much of a purchase was used when its refund is asked for. No row: not asked, so no.
CREATE TABLE store_consents (
    user_id           uuid PRIMARY KEY REFERENCES users,
    share_consumption boolean NOT NULL,
    changed_at        timestamptz NOT NULL
);
SELECT protect_user_rows('store_consents', 'SELECT, INSERT, UPDATE', 'SELECT');

-- Every purchase token we have looked up. `reference` is what the books call it by: the token, or its hash where it is
-- too long for them.
CREATE TABLE google_purchases (
    token           text PRIMARY KEY CHECK (char_length(token) BETWEEN 1 AND 1500),
    reference       text NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 255),
    user_id         uuid NOT NULL REFERENCES users,
    kind            text NOT NULL CHECK (kind IN ('credits', 'subscription')),
    store_product   text NOT NULL CHECK (char_length(store_product) BETWEEN 1 AND 255),
    order_id        text CHECK (char_length(order_id) BETWEEN 1 AND 255), -- the newest
    purchased_at    timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,
    -- Acknowledged (a subscription) or consumed (credits): by us, or found so.
    settled_at      timestamptz,
    attempts        integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at timestamptz NOT NULL,
    last_error      text CHECK (char_length(last_error) <= 300)
);
CREATE INDEX google_purchases_due ON google_purchases (next_attempt_at) WHERE settled_at IS NULL;
CREATE INDEX google_purchases_reference ON google_purchases (reference);
CREATE INDEX google_purchases_order ON google_purchases (order_id);
CREATE INDEX google_purchases_seen ON google_purchases (purchased_at);
SELECT protect_user_rows('google_purchases', '', 'SELECT, INSERT, UPDATE');
