-- name: tier
SELECT code, name, price_minor, currency, daily_credits, requests_per_minute, discount, long_term_memory, spicy, priority
  FROM tiers WHERE code = :code

-- name: tier_of_user
SELECT t.code, t.daily_credits, t.requests_per_minute, t.discount, t.long_term_memory, t.spicy, t.priority
  FROM users u JOIN tiers t ON t.code = effective_tier(u, :now::timestamptz)
 WHERE u.id = :user_id::uuid

-- name: tiers
SELECT code, name, price_minor, currency, daily_credits, requests_per_minute, discount, long_term_memory, spicy, priority
  FROM tiers ORDER BY rank

-- name: packages
SELECT code, name, price_minor, currency, credits, bonus_credits FROM products WHERE active ORDER BY rank

-- name: package
SELECT code, name, price_minor, currency, credits, bonus_credits FROM products WHERE code = :code AND active

-- name: insert_payment
INSERT INTO payment_transactions (id, user_id, provider, provider_reference, kind, product, amount_minor, currency,
                                  status, created_at, paid_at)
VALUES (:id::uuid, :user_id::uuid, :provider, :reference, :kind, :product, :amount_minor, :currency, 'paid',
        :now::timestamptz, :now::timestamptz)
ON CONFLICT (provider, provider_reference) DO NOTHING
RETURNING id

-- name: find_payment
SELECT id FROM payment_transactions WHERE provider = :provider AND provider_reference = :reference

-- name: subscription_told
SELECT code, subscription_id, known, raised
  FROM subscription_told(:user_id::uuid, :provider::text, :reference::text, :customer::text, :status::text, :tier::text,
                         :next_tier::text, :period_start::timestamptz, :period_end::timestamptz,
                         :entitled_until::timestamptz, :version::bigint, :effective_at::timestamptz, :event::uuid,
                         :now::timestamptz)

-- name: subscription_payment
SELECT subscription_payment(:subscription_id::uuid, :payment_id::uuid, :kind::text, :version::bigint,
                            :effective_at::timestamptz, :period_start::timestamptz, :period_end::timestamptz,
                            :event::uuid, :now::timestamptz) AS raised

-- name: find_subscription
SELECT s.*, subscription_status(s, :now::timestamptz) AS status_now FROM subscriptions s
 WHERE provider = :provider::text AND reference = :reference::text

-- name: subscription_of_user
SELECT s.*, subscription_status(s, :now::timestamptz) AS status_now FROM subscriptions s
 WHERE user_id = :user_id::uuid
 ORDER BY entitled_until > :now::timestamptz DESC, tier_rank(tier) DESC, created_at DESC LIMIT 1

-- name: tier_now
SELECT effective_tier(u, :now::timestamptz) AS tier, effective_tier_until(u, :now::timestamptz) AS until
  FROM users u WHERE id = :user_id::uuid

-- name: tier_at
SELECT user_tier_at(:user_id::uuid, :at::timestamptz) AS tier

-- name: entitlements
-- What the tier that counts now gives, beside what is owed.
SELECT t.code, t.daily_credits, t.requests_per_minute, t.discount, t.long_term_memory, t.spicy, t.priority,
       coalesce(w.debt, 0) AS debt
  FROM users u JOIN tiers t ON t.code = effective_tier(u, :now::timestamptz) LEFT JOIN user_wallet w ON w.user_id = u.id
 WHERE u.id = :user_id::uuid

-- name: spicy_terms
SELECT t.spicy AS tier_has_it, coalesce(w.debt, 0) AS debt, u.age_verified_at IS NOT NULL AS age_verified,
       region_allows_spicy(u.region) AS region_allows,
       spicy_rail_refused(u.id, :amount::numeric, :now::timestamptz) AS rail_refused
  FROM users u JOIN tiers t ON t.code = effective_tier(u, :now::timestamptz) LEFT JOIN user_wallet w ON w.user_id = u.id
 WHERE u.id = :user_id::uuid

-- name: all_products
SELECT * FROM products ORDER BY rank, code

-- name: one_product
SELECT * FROM products WHERE code = :code::text

-- name: lock_product
SELECT * FROM products WHERE code = :code::text FOR UPDATE

-- name: put_product
INSERT INTO products (code, name, price_minor, currency, credits, bonus_percent, bonus_days, rank, active)
VALUES (:code::text, :name::text, :price_minor::bigint, :currency::text, :credits::numeric, :bonus_percent::numeric,
        :bonus_days::integer, :rank::integer, :active::boolean)
ON CONFLICT (code) DO UPDATE SET name = excluded.name, price_minor = excluded.price_minor, currency = excluded.currency,
    credits = excluded.credits, bonus_percent = excluded.bonus_percent, bonus_days = excluded.bonus_days,
    rank = excluded.rank, active = excluded.active, version = products.version + 1
RETURNING *

-- name: all_tiers
SELECT * FROM tiers ORDER BY rank

-- name: one_tier
SELECT * FROM tiers WHERE code = :code::text

-- name: lock_tier
SELECT * FROM tiers WHERE code = :code::text FOR UPDATE

-- name: put_tier
UPDATE tiers SET name = :name::text, price_minor = :price_minor::bigint, currency = :currency::text,
       daily_credits = :daily_credits::numeric, requests_per_minute = :requests_per_minute::integer,
       discount = :discount::numeric, long_term_memory = :long_term_memory::boolean, spicy = :spicy::boolean,
       priority = :priority::integer, trial_days = :trial_days::integer, version = version + 1
 WHERE code = :code::text RETURNING *

-- name: finish_package
-- What a payment bought, and its money, as the books of payments keep them (docs/payments.md).
WITH booked AS (
    INSERT INTO money_entries (payment_id, user_id, kind, currency, amount_minor, tax_minor, fee_minor, at_time)
    SELECT id, user_id, 'payment', currency, amount_minor, 0, 0, paid_at FROM payment_transactions WHERE id = :id::uuid
), named AS (
    INSERT INTO payment_references (provider, reference, payment_id, user_id)
    SELECT provider, provider_reference, id, user_id FROM payment_transactions WHERE id = :id::uuid
)
UPDATE payment_transactions SET credits = :credits::numeric, bonus_credits = :bonus_credits::numeric,
       purchase_entry = :purchase::uuid, bonus_entry = :bonus::uuid, subscription_id = :subscription::uuid,
       period_start = :period_start::timestamptz, period_end = :period_end::timestamptz
 WHERE id = :id::uuid

-- name: rail_policies
SELECT rail, spicy FROM rail_policies ORDER BY rail

-- name: lock_rail_policy
SELECT spicy FROM rail_policies WHERE rail = :rail::text FOR UPDATE

-- name: set_rail_policy
UPDATE rail_policies SET spicy = :spicy::boolean WHERE rail = :rail::text

-- name: region_policies
SELECT region, spicy FROM region_policies ORDER BY region

-- name: lock_region_policy
SELECT spicy FROM region_policies WHERE region = :region::text FOR UPDATE

-- name: put_region_policy
INSERT INTO region_policies (region, spicy) VALUES (:region::text, :spicy::boolean)
ON CONFLICT (region) DO UPDATE SET spicy = excluded.spicy

-- name: provider_products
SELECT provider, reference, kind, product FROM provider_products ORDER BY provider, kind, product, reference

-- name: lock_provider_product
SELECT provider, reference, kind, product FROM provider_products
 WHERE provider = :provider::text AND reference = :reference::text FOR UPDATE

-- name: put_provider_product
INSERT INTO provider_products (provider, reference, kind, product)
VALUES (:provider::text, :reference::text, :kind::text, :product::text)
ON CONFLICT (provider, reference) DO UPDATE SET kind = excluded.kind, product = excluded.product

-- name: delete_provider_product
DELETE FROM provider_products WHERE provider = :provider::text AND reference = :reference::text
