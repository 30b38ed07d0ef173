-- name: lock_keys
-- Everything that is told about one object comes one after the other, also before the object has a row to lock.
SELECT count(pg_advisory_xact_lock(hashtextextended('payments ' || k, 0))) AS locked
  FROM (SELECT DISTINCT k FROM unnest(:keys::text[]) AS k ORDER BY k) AS keys

-- name: take_event
INSERT INTO payment_events (id, provider, event_id, type, created_at, received_at, last_at, status, facts, look_up, body,
                            body_hash, signature)
VALUES (:id::uuid, :provider::text, :event_id::text, :type::text, :created_at::timestamptz, :now::timestamptz,
        :now::timestamptz, 'received', :facts::jsonb, :look_up::jsonb, :body::bytea, sha256(:body::bytea),
        :signature::text)
ON CONFLICT (provider, event_id) WHERE event_id IS NOT NULL
    DO UPDATE SET deliveries = payment_events.deliveries + 1, last_at = excluded.last_at,
                  facts = CASE WHEN payment_events.status = 'processed' THEN payment_events.facts
                               ELSE coalesce(excluded.facts, payment_events.facts) END
RETURNING id, status, deliveries

-- name: take_plain
SELECT n, what, kind, product, wanted
  FROM payments_take_plain(:orders::jsonb, :bodies::text[], :now::timestamptz)

-- name: keep_refused
-- Of what anybody may send only so much is kept: beyond it only repeated ones count.
INSERT INTO payment_events (id, provider, type, created_at, received_at, last_at, status, reason, body, body_hash, signature)
SELECT :id::uuid, :provider::text, '', :now::timestamptz, :now::timestamptz, :now::timestamptz, 'refused', :reason::text,
       :body::bytea, sha256(:body::bytea), :signature::text
 WHERE (SELECT count(*) FROM payment_events WHERE event_id IS NULL AND received_at > :now::timestamptz - interval '1 minute')
         < :most::integer
    OR EXISTS (SELECT FROM payment_events WHERE event_id IS NULL AND provider = :provider::text
                                            AND body_hash = sha256(:body::bytea))
ON CONFLICT (provider, body_hash) WHERE event_id IS NULL
    DO UPDATE SET deliveries = payment_events.deliveries + 1, last_at = excluded.last_at, reason = excluded.reason

-- name: mark_event
UPDATE payment_events
   SET status = :status::text, reason = :reason::text, waits_for = :waits_for::text[], payment_id = :payment_id::uuid,
       processed_at = CASE WHEN :status::text = 'processed' THEN :now::timestamptz END
 WHERE id = :id::uuid

-- name: lock_event
SELECT id, status FROM payment_events WHERE id = :id::uuid FOR UPDATE

-- name: waiting_events
SELECT id, facts FROM payment_events
 WHERE status = 'waiting' AND provider = :provider::text AND waits_for && :keys::text[] ORDER BY created_at, id

-- name: claim_open_events
-- What a lost moment left behind: stored and not applied, or waiting for something that came by another way. Each is
-- looked at again after a minute, then after as long as it has waited, at least daily.
UPDATE payment_events SET last_at = :now::timestamptz
 WHERE id IN (
    SELECT id FROM payment_events
     WHERE status IN ('received', 'waiting') AND facts IS NOT NULL
       AND received_at > :now::timestamptz - interval '30 days'
       AND last_at < :now::timestamptz - least(greatest(last_at - received_at, interval '1 minute'), interval '1 day')
     ORDER BY last_at LIMIT :batch FOR UPDATE SKIP LOCKED)
RETURNING id, provider, facts

-- name: claim_incomplete_events
UPDATE payment_events SET last_at = :now::timestamptz
 WHERE id IN (
    SELECT id FROM payment_events
     WHERE status = 'received' AND facts IS NULL AND look_up IS NOT NULL
       AND received_at > :now::timestamptz - interval '30 days'
       AND last_at < :now::timestamptz - least(greatest(last_at - received_at, interval '1 minute'), interval '1 day')
     ORDER BY last_at LIMIT :batch FOR UPDATE SKIP LOCKED)
RETURNING id, provider, event_id, type, created_at, look_up

-- name: set_facts
UPDATE payment_events SET facts = :facts::jsonb WHERE id = :id::uuid AND status <> 'processed'

-- name: fail_incomplete
UPDATE payment_events SET status = 'failed', reason = :reason::text
 WHERE id = :id::uuid AND status = 'received' AND facts IS NULL

-- name: note_unusable
INSERT INTO reconciliation_differences AS d (id, provider, day, kind, reference, ours, theirs, healed, found_at)
SELECT :id::uuid, provider, (created_at AT TIME ZONE 'UTC')::date, 'unusable_event', event_id, left(coalesce(reason, ''), 200),
       left(type, 200), false, :now::timestamptz
  FROM payment_events WHERE id = :event::uuid
ON CONFLICT (provider, kind, reference, day) DO UPDATE SET ours = excluded.ours

-- name: note_overdue
INSERT INTO reconciliation_differences (id, provider, day, kind, reference, ours, theirs, healed, found_at)
SELECT gen_random_uuid(), provider, (created_at AT TIME ZONE 'UTC')::date, 'unusable_event', event_id,
       left(coalesce(reason, 'Not looked up yet.'), 200), left(type, 200), false, :now::timestamptz
  FROM payment_events
 WHERE status IN ('received', 'waiting') AND received_at < :now::timestamptz - interval '1 day'
ON CONFLICT (provider, kind, reference, day) DO NOTHING

-- name: heal_event
UPDATE reconciliation_differences d SET healed = true, resolved_at = :now::timestamptz
  FROM payment_events e
 WHERE e.id = :id::uuid AND d.provider = e.provider AND d.kind = 'unusable_event' AND d.reference = e.event_id
   AND d.resolved_at IS NULL

-- name: purge_refused
DELETE FROM payment_events WHERE id IN (
    SELECT id FROM payment_events WHERE event_id IS NULL AND received_at < :before::timestamptz
     ORDER BY received_at LIMIT :batch)

-- name: lock_user
SELECT status FROM users WHERE id = :user_id::uuid FOR NO KEY UPDATE

-- name: find_by_reference
-- One by one: a provider is believed to have few references, and all of them would be read.
SELECT DISTINCT l.payment_id, l.user_id FROM unnest(:references::text[]) AS x (reference)
 CROSS JOIN LATERAL (SELECT r.payment_id, r.user_id FROM payment_references r
                      WHERE r.provider = :provider::text AND r.reference = x.reference LIMIT 1) l

-- name: find_payment_owner
SELECT id AS payment_id, user_id FROM payment_transactions WHERE id = :id::uuid AND provider = :provider::text

-- name: lock_payment
SELECT * FROM payment_transactions WHERE id = :id::uuid FOR UPDATE

-- name: add_references
INSERT INTO payment_references (provider, reference, payment_id, user_id)
SELECT :provider::text, r, :payment_id::uuid, :user_id::uuid FROM unnest(:references::text[]) AS r
ON CONFLICT DO NOTHING

-- name: offered_package
SELECT code, name, price_minor, currency, credits, bonus_credits, bonus_days FROM products
 WHERE code = :code::text AND (active OR :also_inactive::boolean)

-- name: offered_tier
SELECT code, name, price_minor, currency, trial_days, rank FROM tiers WHERE code = :code::text

-- name: provider_product
SELECT reference FROM provider_products
 WHERE provider = :provider::text AND kind = :kind::text AND product = :product::text ORDER BY reference LIMIT 1

-- name: insert_payment
INSERT INTO payment_transactions (id, user_id, provider, kind, product, amount_minor, currency, status, created_at,
                                  updated_at, credits, bonus_credits, bonus_days, request_key, request_print)
VALUES (:id::uuid, :user_id::uuid, :provider::text, :kind::text, :product::text, :amount_minor::bigint, :currency::text,
        'pending', :created_at::timestamptz, :now::timestamptz, :credits::numeric, :bonus_credits::numeric,
        :bonus_days::integer, :request_key::text, :request_print::bytea)

-- name: payment_of_request
SELECT * FROM payment_transactions WHERE user_id = :user_id::uuid AND request_key = :request_key::text

-- name: set_checkout
UPDATE payment_transactions SET checkout_url = :url::text, updated_at = :now::timestamptz
 WHERE id = :id::uuid RETURNING *

-- name: fail_begun
UPDATE payment_transactions SET status = 'failed', failure = :failure::text, updated_at = :now::timestamptz
 WHERE id = :id::uuid AND status = 'pending' AND checkout_url IS NULL

-- name: set_paid
UPDATE payment_transactions
   SET status = 'paid', amount_minor = :amount_minor::bigint, tax_minor = :tax_minor::bigint,
       fee_minor = coalesce(:fee_minor::bigint, fee_minor), currency = :currency::text, paid_at = :paid_at::timestamptz,
       version = :version::bigint, failure = NULL, subscription_id = coalesce(:subscription_id::uuid, subscription_id),
       period_start = coalesce(:period_start::timestamptz, period_start),
       period_end = coalesce(:period_end::timestamptz, period_end), updated_at = :now::timestamptz,
       provider_reference = coalesce(provider_reference, :reference::text)
 WHERE id = :id::uuid

-- name: set_fee
UPDATE payment_transactions SET fee_minor = :fee_minor::bigint, version = :version::bigint, updated_at = :now::timestamptz
 WHERE id = :id::uuid

-- name: set_failed
UPDATE payment_transactions SET status = 'failed', failure = :failure::text, version = :version::bigint,
       updated_at = :now::timestamptz
 WHERE id = :id::uuid

-- name: set_refunded
UPDATE payment_transactions SET refunded_minor = :refunded_minor::bigint, refund_version = :version::bigint,
       updated_at = :now::timestamptz
 WHERE id = :id::uuid

-- name: set_entries
UPDATE payment_transactions SET purchase_entry = :purchase::uuid, bonus_entry = :bonus::uuid WHERE id = :id::uuid

-- name: name_rail
INSERT INTO lot_rails (lot_id, user_id, rail)
SELECT g.lot_id, g.user_id, :rail::text FROM ledger_legs g
 WHERE g.transaction_id IN (:purchase::uuid, :bonus::uuid) AND g.lot_id IS NOT NULL AND g.user_id = :user_id::uuid
ON CONFLICT DO NOTHING

-- name: set_status
UPDATE payment_transactions SET status = :status::text, settlements = :settlements::integer, updated_at = :now::timestamptz
 WHERE id = :id::uuid

-- name: disputed
SELECT coalesce(sum(amount_minor) FILTER (WHERE state <> 'won'), 0)::bigint AS amount_minor, count(*) AS disputes,
       coalesce(max(version), 0) AS version, max(coalesce(closed_at, opened_at)) AS at
  FROM payment_disputes WHERE payment_id = :payment_id::uuid

-- name: returned
SELECT ledger_returned(:purchase::uuid) AS amount

-- name: booked
SELECT count(*) FILTER (WHERE kind = 'payment') AS payments,
       coalesce(-sum(amount_minor) FILTER (WHERE kind = 'refund'), 0)::bigint AS refunded,
       coalesce(-sum(amount_minor) FILTER (WHERE kind = 'chargeback'), 0)::bigint AS charged_back,
       coalesce(-sum(tax_minor) FILTER (WHERE kind <> 'payment'), 0)::bigint AS tax_back,
       coalesce(sum(fee_minor), 0)::bigint AS fee
  FROM money_entries WHERE payment_id = :payment_id::uuid

-- name: book
INSERT INTO money_entries (payment_id, user_id, kind, currency, amount_minor, tax_minor, fee_minor, at_time)
VALUES (:payment_id::uuid, :user_id::uuid, :kind::text, :currency::text, :amount_minor::bigint, :tax_minor::bigint,
        :fee_minor::bigint, :at::timestamptz)

-- name: take_dispute
INSERT INTO payment_disputes AS d (id, provider, reference, payment_id, user_id, state, amount_minor, currency, reason,
                                   version, opened_at, closed_at)
VALUES (:id::uuid, :provider::text, :reference::text, :payment_id::uuid, :user_id::uuid, :state::text,
        :amount_minor::bigint, :currency::text, :reason::text, :version::bigint, :at::timestamptz,
        CASE WHEN :state::text <> 'open' THEN :at::timestamptz END)
ON CONFLICT (provider, reference) DO UPDATE
   SET state = excluded.state, amount_minor = excluded.amount_minor, reason = excluded.reason, version = excluded.version,
       closed_at = excluded.closed_at, opened_at = least(d.opened_at, excluded.opened_at)
 WHERE excluded.version > d.version OR (excluded.version = d.version AND d.state = 'open' AND excluded.state <> 'open')

-- name: find_dispute
SELECT * FROM payment_disputes WHERE provider = :provider::text AND reference = :reference::text

-- name: suspend_for_dispute
-- Operators' own accounts are not locked out by a card of theirs.
UPDATE users SET status = 'suspended', status_changed_at = :now::timestamptz
 WHERE id = :user_id::uuid AND status = 'active' AND roles = '{user}'

-- name: note_suspension
UPDATE payment_disputes SET suspended_at = :at::timestamptz WHERE id = :id::uuid

-- name: other_dispute
SELECT id FROM payment_disputes WHERE user_id = :user_id::uuid AND id <> :id::uuid AND state <> 'won' ORDER BY opened_at LIMIT 1

-- name: restore_after_dispute
-- Only what the dispute did: who was suspended by an operator since stays so.
UPDATE users SET status = 'active', status_changed_at = :now::timestamptz
 WHERE id = :user_id::uuid AND status = 'suspended' AND status_changed_at = :since::timestamptz

-- name: append_audit
SELECT append_audit(gen_random_uuid(), :now::timestamptz, 'system', :act::text, :target::text, :reason::text,
                    :before::jsonb, :after::jsonb, '') AS sequence

-- name: payments_of_user
SELECT * FROM payment_transactions WHERE user_id = :user_id::uuid
 ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset

-- name: count_payments_of_user
SELECT count(*) AS total FROM payment_transactions WHERE user_id = :user_id::uuid

-- name: payment
SELECT * FROM payment_transactions WHERE id = :id::uuid

-- name: references_of
SELECT reference FROM payment_references WHERE payment_id = :payment_id::uuid ORDER BY reference

-- name: customer_of
SELECT customer FROM subscriptions WHERE user_id = :user_id::uuid AND provider = :provider::text AND customer IS NOT NULL
 ORDER BY created_at DESC LIMIT 1

-- name: wallet_to_refund
-- What a refund finds: the balance, what is owed, and the purchased credit that would pay a debt at once.
SELECT w.daily_free + w.purchased + w.bonus AS balance, w.debt,
       (SELECT coalesce(sum(l.remaining - l.reserved), 0) FROM wallet_lots l
         WHERE l.user_id = w.user_id AND l.open AND l.bucket = 'purchased') AS unheld
  FROM user_wallet w WHERE w.user_id = :user_id::uuid

-- name: lot_of_entry
-- The lot that a grant made, as it stands.
SELECT l.remaining, l.reserved, l.remaining - l.reserved AS unheld, ledger_returned(:entry::uuid) AS returned,
       ledger_lapsed(l.id, :entry::uuid) AS lapsed
  FROM ledger_legs g JOIN wallet_lots l ON l.id = g.lot_id WHERE g.transaction_id = :entry::uuid

-- name: refund_of_request
SELECT * FROM payment_refunds WHERE actor_id = :actor_id::uuid AND request_key = :request_key::text

-- name: refund_under_way
SELECT id FROM payment_refunds WHERE payment_id = :payment_id::uuid AND status = 'ordered'

-- name: insert_refund
INSERT INTO payment_refunds (id, payment_id, user_id, amount_minor, reason, actor_id, request_key, status, created_at)
VALUES (:id::uuid, :payment_id::uuid, :user_id::uuid, :amount_minor::bigint, :reason::text, :actor_id::uuid,
        :request_key::text, 'ordered', :now::timestamptz)

-- name: end_refund
UPDATE payment_refunds SET status = :status::text, failure = :failure::text, done_at = :now::timestamptz
 WHERE id = :id::uuid AND status = 'ordered'

-- name: payment_by_reference
SELECT p.* FROM payment_transactions p
 WHERE p.provider = :provider::text
   AND (p.id = :id::uuid OR p.id IN (SELECT payment_id FROM payment_references
                                      WHERE provider = :provider::text AND reference = ANY (:references::text[])))
 LIMIT 1

-- name: paid_on_day
SELECT p.id, p.status, p.amount_minor, p.currency,
       ARRAY(SELECT reference FROM payment_references r WHERE r.payment_id = p.id ORDER BY reference) AS refs
  FROM payment_transactions p
 WHERE p.provider = :provider::text AND p.paid_at >= :day::date::timestamp AT TIME ZONE 'UTC'
   AND p.paid_at < (:day::date + 1)::timestamp AT TIME ZONE 'UTC'

-- name: paid_lately
SELECT p.kind, p.product,
       ARRAY(SELECT reference FROM payment_references r WHERE r.payment_id = p.id ORDER BY reference) AS refs
  FROM payment_transactions p
 WHERE p.provider = :provider::text AND p.paid_at >= :since::timestamptz AND p.status IN ('paid', 'partially_refunded')

-- name: keep_run
INSERT INTO reconciliation_runs (provider, day, run_at, theirs, ours, healed, differences, error)
VALUES (:provider::text, :day::date, :now::timestamptz, :theirs::integer, :ours::integer, :healed::integer,
        :differences::integer, :error::text)
ON CONFLICT (provider, day) DO UPDATE SET run_at = excluded.run_at, theirs = excluded.theirs, ours = excluded.ours,
    healed = excluded.healed, differences = excluded.differences, error = excluded.error

-- name: run_of_day
SELECT day FROM reconciliation_runs WHERE provider = :provider::text AND day = :day::date
   AND (error IS NULL OR run_at > :again::timestamptz)

-- name: runs
SELECT provider, day::text AS day, run_at, theirs, ours, healed, differences, error FROM reconciliation_runs
 ORDER BY day DESC, provider LIMIT 60

-- name: note_difference
INSERT INTO reconciliation_differences AS d (id, provider, day, kind, reference, payment_id, ours, theirs, healed, found_at,
                                             resolved_at)
VALUES (:id::uuid, :provider::text, :day::date, :kind::text, :reference::text, :payment_id::uuid, :ours::text,
        :theirs::text, :healed::boolean, :now::timestamptz, CASE WHEN :healed::boolean THEN :now::timestamptz END)
ON CONFLICT (provider, kind, reference, day) DO UPDATE SET ours = excluded.ours, theirs = excluded.theirs

-- name: differences
SELECT id, provider, day::text AS day, kind, reference, ours, theirs, healed, found_at, resolved_at, note, payment_id,
       (extract(epoch FROM found_at) * 1000000)::bigint AS place_us
  FROM reconciliation_differences
 WHERE (NOT :open_only::boolean OR resolved_at IS NULL) AND (:provider::text IS NULL OR provider = :provider::text)
   AND (:kind::text IS NULL OR kind = :kind::text)
   AND (found_at, id) < (list_place(:before_us::bigint), list_place_id(:before_id::uuid))
 ORDER BY found_at DESC, id DESC LIMIT :limit OFFSET :offset

-- name: count_differences
SELECT count(*) AS total FROM reconciliation_differences
 WHERE (NOT :open_only::boolean OR resolved_at IS NULL) AND (:provider::text IS NULL OR provider = :provider::text)
   AND (:kind::text IS NULL OR kind = :kind::text)

-- name: difference
SELECT id FROM reconciliation_differences WHERE id = :id::uuid

-- name: resolve_difference
UPDATE reconciliation_differences SET resolved_at = :now::timestamptz, resolved_by = :actor::uuid, note = :note::text
 WHERE id = :id::uuid AND resolved_at IS NULL
RETURNING id, provider, day::text AS day, kind, reference, ours, theirs, healed, found_at, resolved_at, note, payment_id

-- name: users_matching
-- Whom a list may be about: at most so many that it stays a list.
SELECT id FROM users WHERE email ILIKE :pattern::text OR display_name ILIKE :pattern::text ORDER BY created_at DESC LIMIT 200

-- name: find_payments
-- Newest first, after a place in the list. `q`: a payment or user by id, a provider's reference, or some users.
SELECT p.*, coalesce(u.email, u.display_name) AS who,
       ARRAY(SELECT reference FROM payment_references r WHERE r.payment_id = p.id ORDER BY reference) AS refs,
       (extract(epoch FROM p.created_at) * 1000000)::bigint AS place_us
  FROM payment_transactions p JOIN users u ON u.id = p.user_id
 WHERE (:id::uuid IS NULL OR p.id = :id::uuid) AND (:user_id::uuid IS NULL OR p.user_id = :user_id::uuid)
   AND (:status::text IS NULL OR p.status = :status::text) AND (:provider::text IS NULL OR p.provider = :provider::text)
   AND (:currency::text IS NULL OR p.currency = :currency::text)
   AND (:from::timestamptz IS NULL OR p.created_at >= :from::timestamptz)
   AND (:to::timestamptz IS NULL OR p.created_at < :to::timestamptz)
   AND (:reference::text IS NULL OR p.id IN (SELECT payment_id FROM payment_references WHERE reference = :reference::text))
   AND (:q::text IS NULL OR p.id = :q_id::uuid OR p.user_id = :q_id::uuid OR p.user_id = ANY (:q_users::uuid[])
        OR p.id = ANY (ARRAY(SELECT payment_id FROM payment_references WHERE reference = :q::text)))
   AND (p.created_at, p.id) < (list_place(:before_us::bigint), list_place_id(:before_id::uuid))
 ORDER BY p.created_at DESC, p.id DESC LIMIT :limit OFFSET :offset

-- name: count_payments
SELECT count(*) AS total FROM payment_transactions p
 WHERE (:user_id::uuid IS NULL OR p.user_id = :user_id::uuid)
   AND (:status::text IS NULL OR p.status = :status::text) AND (:provider::text IS NULL OR p.provider = :provider::text)
   AND (:currency::text IS NULL OR p.currency = :currency::text)
   AND (:from::timestamptz IS NULL OR p.created_at >= :from::timestamptz)
   AND (:to::timestamptz IS NULL OR p.created_at < :to::timestamptz)
   AND (:reference::text IS NULL OR p.id IN (SELECT payment_id FROM payment_references WHERE reference = :reference::text))
   AND (:q::text IS NULL OR p.id = :q_id::uuid OR p.user_id = :q_id::uuid OR p.user_id = ANY (:q_users::uuid[])
        OR p.id = ANY (ARRAY(SELECT payment_id FROM payment_references WHERE reference = :q::text)))

-- name: find_subscriptions
SELECT s.id, s.user_id, coalesce(u.email, u.display_name) AS who, s.provider, s.reference, s.tier, s.next_tier,
       subscription_status(s, :now::timestamptz) AS status, s.period_start, s.period_end, s.entitled_until, s.created_at,
       (extract(epoch FROM s.created_at) * 1000000)::bigint AS place_us
  FROM subscriptions s JOIN users u ON u.id = s.user_id
 WHERE (:id::uuid IS NULL OR s.id = :id::uuid)
   AND (:user_id::uuid IS NULL OR s.user_id = :user_id::uuid) AND (:provider::text IS NULL OR s.provider = :provider::text)
   AND (:status::text IS NULL OR subscription_status(s, :now::timestamptz) = :status::text)
   AND (:tier::text IS NULL OR s.tier = :tier::text)
   AND (:q::text IS NULL OR s.id = :q_id::uuid OR s.user_id = :q_id::uuid OR s.user_id = ANY (:q_users::uuid[])
        OR s.reference = :q::text)
   AND (s.created_at, s.id) < (list_place(:before_us::bigint), list_place_id(:before_id::uuid))
 ORDER BY s.created_at DESC, s.id DESC LIMIT :limit OFFSET :offset

-- name: count_subscriptions
SELECT count(*) AS total FROM subscriptions s
 WHERE (:user_id::uuid IS NULL OR s.user_id = :user_id::uuid) AND (:provider::text IS NULL OR s.provider = :provider::text)
   AND (:status::text IS NULL OR subscription_status(s, :now::timestamptz) = :status::text)
   AND (:tier::text IS NULL OR s.tier = :tier::text)
   AND (:q::text IS NULL OR s.id = :q_id::uuid OR s.user_id = :q_id::uuid OR s.user_id = ANY (:q_users::uuid[])
        OR s.reference = :q::text)

-- name: find_disputes
SELECT d.*, coalesce(u.email, u.display_name) AS who, (extract(epoch FROM d.opened_at) * 1000000)::bigint AS place_us
  FROM payment_disputes d JOIN users u ON u.id = d.user_id
 WHERE (:user_id::uuid IS NULL OR d.user_id = :user_id::uuid) AND (:provider::text IS NULL OR d.provider = :provider::text)
   AND (:state::text IS NULL OR d.state = :state::text)
   AND (:q::text IS NULL OR d.payment_id = :q_id::uuid OR d.user_id = :q_id::uuid OR d.user_id = ANY (:q_users::uuid[])
        OR d.reference = :q::text)
   AND (d.opened_at, d.id) < (list_place(:before_us::bigint), list_place_id(:before_id::uuid))
 ORDER BY d.opened_at DESC, d.id DESC LIMIT :limit OFFSET :offset

-- name: count_disputes
SELECT count(*) AS total FROM payment_disputes d
 WHERE (:user_id::uuid IS NULL OR d.user_id = :user_id::uuid) AND (:provider::text IS NULL OR d.provider = :provider::text)
   AND (:state::text IS NULL OR d.state = :state::text)
   AND (:q::text IS NULL OR d.payment_id = :q_id::uuid OR d.user_id = :q_id::uuid OR d.user_id = ANY (:q_users::uuid[])
        OR d.reference = :q::text)

-- name: find_webhooks
SELECT id, provider, event_id, type, status, reason, deliveries, payment_id, created_at, received_at, last_at, processed_at,
       (extract(epoch FROM received_at) * 1000000)::bigint AS place_us
  FROM payment_events
 WHERE (:provider::text IS NULL OR provider = :provider::text) AND (:status::text IS NULL OR status = :status::text)
   AND (:event_id::text IS NULL OR event_id = :event_id::text)
   AND (received_at, id) < (list_place(:before_us::bigint), list_place_id(:before_id::uuid))
 ORDER BY received_at DESC, id DESC LIMIT :limit OFFSET :offset

-- name: count_webhooks
SELECT count(*) AS total FROM payment_events
 WHERE (:provider::text IS NULL OR provider = :provider::text) AND (:status::text IS NULL OR status = :status::text)
   AND (:event_id::text IS NULL OR event_id = :event_id::text)

-- name: webhook
SELECT id, provider, event_id, type, status, reason, deliveries, payment_id, created_at, received_at, last_at, processed_at,
       facts
  FROM payment_events WHERE id = :id::uuid

-- name: debts
SELECT d.id, d.user_id, coalesce(u.email, u.display_name) AS who, d.cause, d.original, d.remaining, d.created_at,
       p.id AS payment_id, (extract(epoch FROM d.created_at) * 1000000)::bigint AS place_us
  FROM wallet_debts d JOIN users u ON u.id = d.user_id
  LEFT JOIN LATERAL (SELECT x.id FROM payment_transactions x
                      WHERE x.user_id = d.user_id AND d.purchase_id IN (x.purchase_entry, x.bonus_entry) LIMIT 1) p ON true
 WHERE (NOT :open_only::boolean OR d.open)
   AND (:q::text IS NULL OR d.user_id = :q_id::uuid OR d.user_id = ANY (:q_users::uuid[]))
   AND (d.created_at, d.id) < (list_place(:before_us::bigint), list_place_id(:before_id::uuid))
 ORDER BY d.created_at DESC, d.id DESC LIMIT :limit OFFSET :offset

-- name: count_debts
SELECT count(*) AS total FROM wallet_debts d
 WHERE (NOT :open_only::boolean OR d.open)
   AND (:q::text IS NULL OR d.user_id = :q_id::uuid OR d.user_id = ANY (:q_users::uuid[]))

-- name: debt
SELECT d.id, d.user_id, coalesce(u.email, u.display_name) AS who, d.cause, d.original, d.remaining, d.created_at,
       p.id AS payment_id
  FROM wallet_debts d JOIN users u ON u.id = d.user_id
  LEFT JOIN LATERAL (SELECT x.id FROM payment_transactions x
                      WHERE x.user_id = d.user_id AND d.purchase_id IN (x.purchase_entry, x.bonus_entry) LIMIT 1) p ON true
 WHERE d.id = :id::uuid

-- name: revenue
WITH cash AS (
    SELECT currency, coalesce(sum(amount_minor) FILTER (WHERE kind = 'payment'), 0)::bigint AS received,
           coalesce(-sum(amount_minor) FILTER (WHERE kind = 'refund'), 0)::bigint AS refunded,
           coalesce(-sum(amount_minor) FILTER (WHERE kind = 'chargeback'), 0)::bigint AS charged_back,
           sum(tax_minor)::bigint AS tax, sum(fee_minor)::bigint AS fees
      FROM money_entries WHERE at_time >= :from::timestamptz AND at_time < :to::timestamptz GROUP BY 1
), moments AS (
    SELECT currency, used_minor AS used, breakage_minor AS breakage, deferred_minor AS deferred, 1 AS sign
      FROM revenue_of_credits(:to::timestamptz)
    UNION ALL SELECT currency, used_minor, 0, deferred_minor, 1 FROM revenue_of_subscriptions(:to::timestamptz)
    UNION ALL SELECT currency, used_minor, breakage_minor, 0, -1 FROM revenue_of_credits(:from::timestamptz)
    UNION ALL SELECT currency, used_minor, 0, 0, -1 FROM revenue_of_subscriptions(:from::timestamptz)
), earned AS (
    SELECT currency, sum(sign * used)::bigint AS used, sum(sign * breakage)::bigint AS breakage,
           sum(deferred)::bigint AS deferred
      FROM moments GROUP BY 1
)
SELECT currency, coalesce(received, 0) AS received, coalesce(refunded, 0) AS refunded,
       coalesce(charged_back, 0) AS charged_back, coalesce(tax, 0) AS tax, coalesce(fees, 0) AS fees,
       coalesce(used, 0) AS used, coalesce(breakage, 0) AS breakage, coalesce(deferred, 0) AS deferred
  FROM cash FULL JOIN earned USING (currency) ORDER BY currency
