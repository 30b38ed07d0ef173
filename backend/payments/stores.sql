-- name: store_products
SELECT p.reference, p.kind, p.product, coalesce(o.price_minor, t.price_minor, 0) AS price_minor,
       coalesce(o.currency, t.currency, 'USD') AS currency
  FROM provider_products p
  LEFT JOIN products o ON p.kind = 'credits' AND o.code = p.product
  LEFT JOIN tiers t ON p.kind = 'subscription' AND t.code = p.product
 WHERE p.provider = :provider::text

-- name: store_consent
SELECT share_consumption FROM store_consents WHERE user_id = :user_id::uuid

-- name: store_set_consent
INSERT INTO store_consents (user_id, share_consumption, changed_at)
VALUES (:user_id::uuid, :share_consumption::boolean, :now::timestamptz)
ON CONFLICT (user_id) DO UPDATE SET share_consumption = excluded.share_consumption, changed_at = excluded.changed_at

-- name: store_use_of_payment
-- What became of what a payment bought: of credits how many are still in its lot, of a period how much has passed.
SELECT p.kind, p.paid_at IS NOT NULL AS delivered, p.credits, p.period_start, p.period_end,
       coalesce(c.share_consumption, false) AS consented,
       coalesce((SELECT sum(l.remaining) FROM ledger_legs g JOIN wallet_lots l ON l.id = g.lot_id
                  WHERE g.transaction_id = p.purchase_entry AND g.user_id = p.user_id), 0)::numeric(18, 4) AS remaining,
       CASE WHEN p.purchase_entry IS NULL THEN 0 ELSE ledger_returned(p.purchase_entry) END::numeric(18, 4) AS returned
  FROM payment_references r JOIN payment_transactions p ON p.id = r.payment_id
  LEFT JOIN store_consents c ON c.user_id = p.user_id
 WHERE r.provider = :provider::text AND r.reference = :reference::text

-- name: google_owner
-- Whose a purchase is, or was the one whose place it took.
SELECT user_id FROM google_purchases WHERE token IN (:token::text, :linked::text)
 ORDER BY token = :token::text DESC LIMIT 1

-- name: google_remember
INSERT INTO google_purchases AS g (token, reference, user_id, kind, store_product, order_id, purchased_at, seen_at, settled_at,
                                   next_attempt_at)
SELECT :token::text, :reference::text, u.id, :kind::text, :store_product::text, :order_id::text,
       :purchased_at::timestamptz, :now::timestamptz, CASE WHEN :settled::boolean THEN :now::timestamptz END,
       :now::timestamptz
  FROM users u WHERE u.id = :user_id::uuid
ON CONFLICT (token) DO UPDATE
   SET store_product = excluded.store_product, order_id = coalesce(excluded.order_id, g.order_id),
       seen_at = excluded.seen_at, settled_at = coalesce(g.settled_at, excluded.settled_at)

-- name: google_take_due
-- What was granted and is not acknowledged or consumed; whoever takes it has the next minute for it, then twice that.
-- After four days Google has paid it back.
UPDATE google_purchases g
   SET attempts = g.attempts + 1,
       next_attempt_at = :now::timestamptz + least(interval '1 hour', interval '1 minute' * power(2, least(g.attempts, 10)))
 WHERE g.token IN (
    SELECT q.token FROM google_purchases q
     WHERE q.settled_at IS NULL AND q.next_attempt_at <= :now::timestamptz
       AND q.purchased_at > :now::timestamptz - interval '4 days'
       AND CASE q.kind
           WHEN 'credits' THEN EXISTS (
                SELECT FROM payment_references r JOIN payment_transactions p ON p.id = r.payment_id
                 WHERE r.provider = 'google' AND r.reference = coalesce(q.order_id, q.reference)
                   AND p.paid_at IS NOT NULL)
           ELSE EXISTS (SELECT FROM subscriptions s WHERE s.provider = 'google' AND s.reference = q.reference) END
     ORDER BY q.next_attempt_at LIMIT :batch FOR UPDATE SKIP LOCKED)
RETURNING g.token, g.kind, g.store_product

-- name: google_settled
UPDATE google_purchases SET settled_at = coalesce(settled_at, :now::timestamptz), last_error = NULL
 WHERE token = :token::text

-- name: google_not_settled
UPDATE google_purchases SET last_error = :error::text WHERE token = :token::text

-- name: google_by_reference
SELECT token, kind, store_product FROM google_purchases WHERE reference = :reference::text LIMIT 1

-- name: google_to_compare
-- Bought on that day, or a subscription whose period began then, or should have been renewed or ended by then.
SELECT g.token, g.kind, g.store_product FROM google_purchases g
  LEFT JOIN subscriptions s ON g.kind = 'subscription' AND s.provider = 'google' AND s.reference = g.reference
 WHERE (g.purchased_at >= :from::timestamptz AND g.purchased_at < :to::timestamptz)
    OR (s.period_start >= :from::timestamptz AND s.period_start < :to::timestamptz)
    OR (s.period_end < :to::timestamptz AND s.status NOT IN ('expired', 'refunded'))
 ORDER BY g.purchased_at, g.token
