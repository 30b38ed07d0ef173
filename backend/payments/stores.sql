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
