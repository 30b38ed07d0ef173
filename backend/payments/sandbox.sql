-- The sandbox provider's own world.

-- name: sandbox_make_settings
INSERT INTO sandbox_settings (secret) VALUES (:secret::bytea) ON CONFLICT DO NOTHING

-- name: sandbox_settings
SELECT * FROM sandbox_settings

-- name: sandbox_set_conduct
UPDATE sandbox_settings SET delay_s = :delay_s::integer, copies = :copies::integer, shuffle = :shuffle::boolean,
       renewals_fail = :renewals_fail::boolean

-- name: sandbox_queue
INSERT INTO sandbox_webhooks (event_id, body, due_at) VALUES (:event_id::text, :body::bytea, :due_at::timestamptz)

-- name: sandbox_open_checkout
INSERT INTO sandbox_checkouts (id, payment_id, user_id, kind, product, title, amount_minor, currency, trial_days, return_url,
                               created_at)
VALUES (:id::text, :payment_id::uuid, :user_id::uuid, :kind::text, :product::text, :title::text, :amount_minor::bigint,
        :currency::text, :trial_days::integer, :return_url::text, :now::timestamptz)
ON CONFLICT (payment_id) DO UPDATE SET title = sandbox_checkouts.title
RETURNING id

-- name: sandbox_checkout
SELECT * FROM sandbox_checkouts WHERE id = :id::text

-- name: sandbox_close_checkout
UPDATE sandbox_checkouts SET status = :status::text WHERE id = :id::text AND status = 'open' RETURNING *

-- name: sandbox_charge
INSERT INTO sandbox_payments (reference, payment_id, user_id, kind, product, amount_minor, tax_minor, fee_minor, currency,
                              status, subscription_reference, period_start, period_end, version, created_at, changed_at)
VALUES (:reference::text, :payment_id::uuid, :user_id::uuid, :kind::text, :product::text, :amount_minor::bigint, 0,
        :fee_minor::bigint, :currency::text, :status::text, :subscription::text, :period_start::timestamptz,
        :period_end::timestamptz, 1, :now::timestamptz, :now::timestamptz)
RETURNING *

-- name: sandbox_payment
SELECT * FROM sandbox_payments WHERE reference = ANY (:references::text[])

-- name: sandbox_refund
UPDATE sandbox_payments SET refunded_minor = refunded_minor + :amount_minor::bigint, version = version + 1,
       changed_at = :now::timestamptz
 WHERE reference = ANY (:references::text[]) AND status = 'paid'
   AND refunded_minor + :amount_minor::bigint <= amount_minor AND :amount_minor::bigint > 0
RETURNING *

-- name: sandbox_key
SELECT result FROM sandbox_keys WHERE key = :key::text

-- name: sandbox_keep_key
INSERT INTO sandbox_keys VALUES (:key::text, :result::text, :now::timestamptz)

-- name: sandbox_subscribe
INSERT INTO sandbox_subscriptions (reference, user_id, tier, status, amount_minor, currency, period_start, period_end,
                                   version, changed_at)
VALUES (:reference::text, :user_id::uuid, :tier::text, :status::text, :amount_minor::bigint, :currency::text,
        :period_start::timestamptz, :period_end::timestamptz, 1, :now::timestamptz)
RETURNING *

-- name: sandbox_lock_subscription
SELECT * FROM sandbox_subscriptions WHERE reference = :reference::text FOR UPDATE

-- name: sandbox_find_subscription
SELECT * FROM sandbox_subscriptions WHERE reference = :reference::text

-- name: sandbox_cancel
UPDATE sandbox_subscriptions SET status = 'canceled', next_tier = NULL, next_amount_minor = NULL, version = version + 1,
       changed_at = :now::timestamptz
 WHERE reference = :reference::text AND status <> 'expired' RETURNING *

-- name: sandbox_upgrade
UPDATE sandbox_subscriptions SET tier = :tier::text, amount_minor = :amount_minor::bigint, next_tier = NULL,
       next_amount_minor = NULL, status = CASE status WHEN 'trialing' THEN 'trialing' ELSE 'active' END,
       version = version + 1, changed_at = :now::timestamptz
 WHERE reference = :reference::text RETURNING *

-- name: sandbox_downgrade
UPDATE sandbox_subscriptions SET next_tier = :tier::text, next_amount_minor = :amount_minor::bigint, version = version + 1,
       status = CASE status WHEN 'canceled' THEN 'active' ELSE status END, changed_at = :now::timestamptz
 WHERE reference = :reference::text AND status <> 'expired' AND period_end > :now::timestamptz RETURNING *

-- name: sandbox_due_renewals
SELECT * FROM sandbox_subscriptions
 WHERE status <> 'expired' AND period_end <= :now::timestamptz
   AND (status <> 'past_due' OR changed_at <= :now::timestamptz - interval '1 day')
 ORDER BY period_end LIMIT :batch FOR UPDATE SKIP LOCKED

-- name: sandbox_renew
UPDATE sandbox_subscriptions SET status = 'active', tier = coalesce(next_tier, tier),
       amount_minor = coalesce(next_amount_minor, amount_minor), next_tier = NULL, next_amount_minor = NULL,
       period_start = period_end, period_end = :period_end::timestamptz, version = version + 1,
       changed_at = :now::timestamptz
 WHERE reference = :reference::text RETURNING *

-- name: sandbox_past_due
UPDATE sandbox_subscriptions SET status = 'past_due', version = version + 1, changed_at = :now::timestamptz
 WHERE reference = :reference::text AND :period_end::timestamptz IS NOT NULL RETURNING *

-- name: sandbox_expire
UPDATE sandbox_subscriptions SET status = 'expired', version = version + 1, changed_at = :now::timestamptz
 WHERE reference = :reference::text RETURNING *

-- name: sandbox_dispute
WITH opened AS (
    INSERT INTO sandbox_disputes (reference, payment_reference, state, amount_minor, version, opened_at, changed_at)
    SELECT :reference::text, p.reference, 'open', p.amount_minor - p.refunded_minor, 1, :now::timestamptz, :now::timestamptz
      FROM sandbox_payments p
     WHERE p.reference = :payment::text AND p.status = 'paid' AND p.amount_minor > p.refunded_minor
    RETURNING *)
SELECT opened.*, p.currency FROM opened JOIN sandbox_payments p ON p.reference = opened.payment_reference

-- name: sandbox_close_dispute
WITH closed AS (
    UPDATE sandbox_disputes SET state = :state::text, version = version + 1, changed_at = :now::timestamptz
     WHERE reference = :reference::text AND state = 'open' RETURNING *)
SELECT closed.*, p.currency FROM closed JOIN sandbox_payments p ON p.reference = closed.payment_reference

-- name: sandbox_payments
SELECT * FROM sandbox_payments
 WHERE changed_at >= :from::timestamptz AND changed_at < :to::timestamptz
    OR created_at >= :from::timestamptz AND created_at < :to::timestamptz
 ORDER BY created_at, reference

-- name: sandbox_disputes
SELECT d.*, p.currency FROM sandbox_disputes d JOIN sandbox_payments p ON p.reference = d.payment_reference
 WHERE d.changed_at >= :from::timestamptz AND d.changed_at < :to::timestamptz ORDER BY d.opened_at, d.reference

-- name: sandbox_take_due
-- Under way for a while: an instance that dies sends it again.
UPDATE sandbox_webhooks SET due_at = :again::timestamptz, attempts = attempts + 1
 WHERE id IN (SELECT id FROM sandbox_webhooks
               WHERE delivered_at IS NULL AND due_at <= :now::timestamptz AND attempts < 15
               ORDER BY due_at, id LIMIT :batch FOR UPDATE SKIP LOCKED)
RETURNING id, body, attempts

-- name: sandbox_delivered
UPDATE sandbox_webhooks SET delivered_at = :now::timestamptz WHERE id = :id::bigint

-- name: sandbox_failed
UPDATE sandbox_webhooks SET due_at = :due_at::timestamptz, last_error = :error::text WHERE id = :id::bigint
