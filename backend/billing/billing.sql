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

-- name: set_tier
UPDATE users SET tier = :tier, tier_expires_at = :until::timestamptz WHERE id = :user_id::uuid
