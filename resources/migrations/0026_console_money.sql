-- What the operator's lists of money page by (docs/payments.md): a place in a list is the last row's time and id, and
-- the next page costs the same at any depth.

-- A list's beginning comes after everything. One expression each, so that the planner inlines them and the row
-- comparison stays an index condition.
CREATE FUNCTION list_place(p_us bigint) RETURNS timestamptz
LANGUAGE sql STABLE AS $$ SELECT coalesce('epoch'::timestamptz + p_us * interval '1 microsecond', 'infinity'::timestamptz) $$;

CREATE FUNCTION list_place_id(p_id uuid) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(p_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) $$;

CREATE INDEX subscriptions_created ON subscriptions (created_at DESC, id DESC);
CREATE INDEX wallet_debts_created ON wallet_debts (created_at DESC, id DESC);
