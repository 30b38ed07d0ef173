-- Each operation is one call of one function of migration 0003: one round trip, one lock.

-- name: hold
SELECT code, replayed, required, available, hold_id, hold_amount, hold_expires_at,
       (wallet).daily_free, (wallet).purchased, (wallet).bonus, (wallet).held
FROM ledger_hold(:user_id::uuid, :key::text, :amount::numeric, :expires_at::timestamptz, :daily_limit::numeric,
                 :now::timestamptz)

-- name: capture
SELECT code, replayed, transaction_id, charged_daily_free, charged_purchased, charged_bonus,
       (wallet).daily_free, (wallet).purchased, (wallet).bonus, (wallet).held
FROM ledger_capture(:user_id::uuid, :hold_id::uuid, :amount::numeric, :description::text, :metadata::jsonb,
                    :now::timestamptz)

-- name: void
SELECT code, (wallet).daily_free, (wallet).purchased, (wallet).bonus, (wallet).held
FROM ledger_void(:user_id::uuid, :hold_id::uuid, :now::timestamptz)

-- name: grant
SELECT code, (entry).*
FROM ledger_grant(:user_id::uuid, :key::text, :bucket::text, :amount::numeric, :kind::text, :expires_at::timestamptz,
                  :description::text, :metadata::jsonb, :now::timestamptz)

-- name: adjust
SELECT code, required, available, (entry).*
FROM ledger_adjust(:user_id::uuid, :key::text, :bucket::text, :amount::numeric, :reason::text, :actor::uuid,
                   :now::timestamptz)

-- name: reverse
SELECT code, required, available, (entry).*
FROM ledger_reverse(:user_id::uuid, :original::uuid, :key::text, :reason::text, :actor::uuid, :now::timestamptz)

-- name: take_back
SELECT code, replayed, taken, owed, lapsed
FROM ledger_take_back(:user_id::uuid, :key::text, :purchase::uuid, :amount::numeric, :kind::text, :description::text,
                      :metadata::jsonb, :now::timestamptz)

-- name: give_back
SELECT code, (wallet).daily_free, (wallet).purchased, (wallet).bonus, (wallet).held
FROM ledger_give_back(:user_id::uuid, :key::text, :purchase::uuid, :amount::numeric, :description::text, :metadata::jsonb,
                      :now::timestamptz)

-- name: forgive_debt
SELECT code, (entry).*
FROM ledger_forgive_debt(:user_id::uuid, :key::text, :debt::uuid, :amount::numeric, :reason::text, :actor::uuid,
                         :now::timestamptz)

-- name: collect_debts
SELECT code, (wallet).daily_free, (wallet).purchased, (wallet).bonus, (wallet).held
FROM ledger_collect_debts(:user_id::uuid, :now::timestamptz)

-- name: refresh
SELECT code, (wallet).daily_free, (wallet).purchased, (wallet).bonus, (wallet).held
FROM ledger_refresh(:user_id::uuid, :daily_limit::numeric, :now::timestamptz)

-- name: balance
SELECT code, (wallet).daily_free, (wallet).purchased, (wallet).bonus, (wallet).held, (wallet).debt,
       jsonb_build_object('lots', lots) AS lots
FROM ledger_balance(:user_id::uuid, :daily_limit::numeric, :now::timestamptz)

-- name: transactions
SELECT * FROM ledger_transactions(:user_id::uuid, :kind::text, :from::timestamptz, :to::timestamptz,
                                  :before::timestamptz, :before_sequence::bigint, :before_id::uuid, :limit::integer,
                                  :offset::bigint)

-- name: count_transactions
SELECT ledger_count_transactions(:user_id::uuid, :kind::text, :from::timestamptz, :to::timestamptz) AS total

-- name: sweep_holds
SELECT ledger_sweep_holds(:batch::integer, :now::timestamptz) AS touched

-- name: sweep_lots
SELECT ledger_sweep_lots(:batch::integer, :now::timestamptz) AS touched

-- name: due_for_refresh
SELECT user_id FROM user_wallet
WHERE refreshed_on < (:now::timestamptz AT TIME ZONE 'UTC')::date
  AND active_on > (:now::timestamptz AT TIME ZONE 'UTC')::date - 7
ORDER BY refreshed_on LIMIT :batch

-- name: sweep_refresh
SELECT ledger_sweep_refresh(:user_id::uuid, :daily_limit::numeric, :now::timestamptz) AS touched

-- name: close_days
SELECT ledger_close_days(:now::timestamptz) AS touched

-- name: make_partitions
SELECT ledger_make_partitions((:now::timestamptz AT TIME ZONE 'UTC')::date, :months::integer) AS touched

-- name: audit
SELECT user_id, rule, detail FROM ledger_audit(:user_id::uuid, :now::timestamptz)
UNION ALL SELECT user_id, rule, detail FROM ledger_audit_debts(:user_id::uuid, :now::timestamptz)
ORDER BY user_id, rule, detail
