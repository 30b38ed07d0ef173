-- What Stripe calls our users.

-- name: customer_at
SELECT reference FROM provider_customers WHERE provider = :provider::text AND user_id = :user_id::uuid

-- name: keep_customer
-- The first that was written down stays: two checkouts at once make one customer.
INSERT INTO provider_customers AS c (provider, user_id, reference, created_at)
VALUES (:provider::text, :user_id::uuid, :reference::text, :now::timestamptz)
ON CONFLICT (provider, user_id) DO UPDATE SET reference = c.reference
RETURNING reference

-- name: forget_customer
-- The provider knows it no more.
DELETE FROM provider_customers
 WHERE provider = :provider::text AND user_id = :user_id::uuid AND reference = :reference::text
