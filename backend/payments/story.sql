-- One payment with all that came of it, one subscription with its history (PaymentStories.cpp).

-- name: story_terms
SELECT credits, bonus_credits, subscription_id FROM payment_transactions WHERE id = :id::uuid

-- name: story_lots
SELECT l.bucket, l.original, l.remaining, l.reserved, ledger_returned(e.entry) AS returned, l.expires_at
  FROM payment_transactions p CROSS JOIN LATERAL (VALUES (1, p.purchase_entry), (2, p.bonus_entry)) AS e (position, entry)
  JOIN ledger_legs g ON g.transaction_id = e.entry JOIN wallet_lots l ON l.id = g.lot_id
 WHERE p.id = :id::uuid ORDER BY e.position

-- name: story_entries
-- Every row of the user's history that was made for the payment says so in its metadata. They are never older than the
-- payment, which lets the index and the partitions help.
SELECT t.id, t.kind, t.amount, coalesce((t.metadata ->> 'debt')::numeric(18, 4), 0) AS debt, t.description, t.created_at
  FROM payment_transactions p JOIN transaction_history t
    ON t.user_id = p.user_id AND t.created_at >= p.created_at - interval '1 day'
       AND t.kind NOT IN ('chat', 'chat_refund', 'daily_refresh', 'daily_expiry')
       AND (t.metadata ->> 'payment_id' = p.id::text OR t.id IN (p.purchase_entry, p.bonus_entry))
 WHERE p.id = :id::uuid ORDER BY t.created_at, t.sequence LIMIT 200

-- name: story_money
SELECT kind, currency, amount_minor, tax_minor, fee_minor, at_time FROM money_entries
 WHERE payment_id = :id::uuid ORDER BY id LIMIT 200

-- name: story_refunds
SELECT r.id, r.amount_minor, r.status, r.reason, r.failure, coalesce(u.email, u.display_name, r.actor_id::text) AS actor,
       r.created_at, r.done_at
  FROM payment_refunds r LEFT JOIN users u ON u.id = r.actor_id
 WHERE r.payment_id = :id::uuid ORDER BY r.created_at, r.id LIMIT 200

-- name: story_disputes
SELECT d.*, coalesce(u.email, u.display_name) AS who FROM payment_disputes d JOIN users u ON u.id = d.user_id
 WHERE d.payment_id = :id::uuid ORDER BY d.opened_at, d.id LIMIT 200

-- name: story_debts
SELECT d.id, d.user_id, coalesce(u.email, u.display_name) AS who, d.cause, d.original, d.remaining, d.created_at,
       p.id AS payment_id
  FROM payment_transactions p JOIN wallet_debts d
    ON d.user_id = p.user_id AND d.purchase_id IN (p.purchase_entry, p.bonus_entry)
  JOIN users u ON u.id = d.user_id
 WHERE p.id = :id::uuid ORDER BY d.created_at, d.id LIMIT 200

-- name: story_webhooks
SELECT * FROM (
    SELECT id, provider, event_id, type, status, reason, deliveries, payment_id, created_at, received_at, last_at, processed_at
      FROM payment_events WHERE payment_id = :id::uuid ORDER BY received_at DESC, id DESC LIMIT 100) newest
 ORDER BY received_at, id

-- name: subscription_events
SELECT sequence, kind, status, tier, next_tier, period_start, period_end, entitled_until, payment_id, effective_at, recorded_at
  FROM subscription_events WHERE subscription_id = :id::uuid ORDER BY sequence DESC LIMIT 200

-- name: subscription_payments
SELECT p.*, coalesce(u.email, u.display_name) AS who,
       ARRAY(SELECT reference FROM payment_references r WHERE r.payment_id = p.id ORDER BY reference) AS refs
  FROM payment_transactions p JOIN users u ON u.id = p.user_id
 WHERE p.subscription_id = :id::uuid ORDER BY p.created_at DESC, p.id DESC LIMIT 200
