-- name: figures
-- Figures over [from, to), as decimal texts. Active is who got a reply.
WITH turns AS (
    SELECT user_id, created_at, provider_cost FROM chat_turns
     WHERE status = 'settled' AND created_at >= :from::timestamptz AND created_at < :to::timestamptz
), days AS (
    SELECT date_trunc('day', created_at, 'UTC') AS day, count(DISTINCT user_id) AS users FROM turns GROUP BY 1
), active AS (
    SELECT count(DISTINCT t.user_id) AS users,
           count(DISTINCT t.user_id) FILTER (WHERE effective_tier(u, :to::timestamptz) <> 'free') AS paying
      FROM turns t JOIN users u ON u.id = t.user_id
), payments AS (
    SELECT coalesce(sum(amount_minor - refunded_minor), 0) AS minor FROM payment_transactions
     WHERE currency = 'USD' AND paid_at >= :from::timestamptz AND paid_at < :to::timestamptz
), history AS (
    SELECT coalesce(-sum(amount) FILTER (WHERE kind IN ('chat', 'chat_refund')), 0) AS spent,
           coalesce(sum(amount) FILTER (WHERE kind IN ('daily_refresh', 'purchase', 'bonus_grant')), 0) AS granted
      FROM transaction_history WHERE created_at >= :from::timestamptz AND created_at < :to::timestamptz
), blocked AS (
    SELECT count(*) AS messages FROM moderation_events
     WHERE action = 'block' AND direction = 'input' AND category <> 'user_report'
       AND created_at >= :from::timestamptz AND created_at < :to::timestamptz
)
SELECT round(coalesce((SELECT sum(users) FROM days), 0)
             / greatest(extract(day FROM :to::timestamptz - :from::timestamptz), 1), 1) AS daily_active_users,
       (SELECT count(DISTINCT user_id) FROM chat_turns WHERE status = 'settled'
           AND created_at >= :week::timestamptz AND created_at < :to::timestamptz) AS weekly_active_users,
       (SELECT count(DISTINCT user_id) FROM chat_turns WHERE status = 'settled'
           AND created_at >= :month::timestamptz AND created_at < :to::timestamptz) AS monthly_active_users,
       round(100.0 * active.paying / greatest(active.users, 1), 2) AS conversion_percent,
       round(payments.minor / 100.0, 2) AS revenue_usd,
       round(payments.minor / 100.0 / greatest(active.users, 1), 4) AS arpu_usd,
       history.spent AS credits_spent,
       history.granted AS credits_granted,
       (SELECT count(*) FROM turns) AS turns,
       round(coalesce((SELECT sum(provider_cost) FROM turns), 0), 4) AS llm_cost_usd,
       round(100.0 * blocked.messages / greatest(blocked.messages + (SELECT count(*) FROM turns), 1), 2) AS blocked_percent
  FROM active, payments, history, blocked

-- name: revenue_by_day
SELECT date_trunc('day', paid_at, 'UTC') AS day, product, currency, sum(amount_minor - refunded_minor)::bigint AS amount_minor,
       count(*) AS count
  FROM payment_transactions
 WHERE paid_at >= :from::timestamptz AND paid_at < :to::timestamptz
 GROUP BY 1, 2, 3 ORDER BY 1, 2

-- name: activity_by_day
WITH days AS (
    SELECT generate_series(:from::timestamptz, :to::timestamptz - interval '1 day', interval '1 day') AS day
), turns AS (
    SELECT date_trunc('day', created_at, 'UTC') AS day, count(DISTINCT user_id) AS users, count(*) AS turns
      FROM chat_turns
     WHERE status = 'settled' AND created_at >= :from::timestamptz AND created_at < :to::timestamptz GROUP BY 1
), joined AS (
    SELECT date_trunc('day', created_at, 'UTC') AS day, count(*) AS users FROM users
     WHERE created_at >= :from::timestamptz AND created_at < :to::timestamptz GROUP BY 1
), history AS (
    SELECT date_trunc('day', created_at, 'UTC') AS day,
           coalesce(-sum(amount) FILTER (WHERE kind IN ('chat', 'chat_refund')), 0) AS spent,
           coalesce(sum(amount) FILTER (WHERE kind IN ('daily_refresh', 'purchase', 'bonus_grant')), 0) AS granted
      FROM transaction_history WHERE created_at >= :from::timestamptz AND created_at < :to::timestamptz GROUP BY 1
)
SELECT days.day, coalesce(turns.users, 0) AS active_users, coalesce(joined.users, 0) AS new_users,
       coalesce(turns.turns, 0) AS turns, coalesce(history.spent, 0) AS credits_spent,
       coalesce(history.granted, 0) AS credits_granted
  FROM days LEFT JOIN turns USING (day) LEFT JOIN joined USING (day) LEFT JOIN history USING (day)
 ORDER BY days.day

-- name: search_users
SELECT u.id, u.display_name, coalesce(u.email, '') AS email, u.roles, effective_tier(u, :now::timestamptz) AS tier,
       effective_tier_until(u, :now::timestamptz) AS tier_expires_at,
       u.status, u.age_verified_at IS NOT NULL AS age_verified, u.region,
       coalesce(w.daily_free + w.purchased + w.bonus, 0) AS balance, u.created_at, u.last_seen_at
  FROM users u LEFT JOIN user_wallet w ON w.user_id = u.id
 WHERE (:id::uuid IS NULL OR u.id = :id::uuid)
   AND (:pattern::text IS NULL OR u.email ILIKE :pattern::text OR u.display_name ILIKE :pattern::text)
   AND (:tier::text IS NULL OR effective_tier(u, :now::timestamptz) = :tier::text)
   AND (:status::text IS NULL OR u.status = :status::text)
 ORDER BY u.last_seen_at DESC NULLS LAST, u.id LIMIT :limit OFFSET :offset

-- name: count_users
SELECT count(*) AS total FROM users u
 WHERE (:id::uuid IS NULL OR u.id = :id::uuid)
   AND (:pattern::text IS NULL OR u.email ILIKE :pattern::text OR u.display_name ILIKE :pattern::text)
   AND (:tier::text IS NULL OR effective_tier(u, :now::timestamptz) = :tier::text)
   AND (:status::text IS NULL OR u.status = :status::text)

-- name: find_user
SELECT u.id, u.display_name, coalesce(u.email, '') AS email, u.roles, effective_tier(u, :now::timestamptz) AS tier,
       effective_tier_until(u, :now::timestamptz) AS tier_expires_at,
       u.status, u.age_verified_at IS NOT NULL AS age_verified, u.region,
       coalesce(w.daily_free + w.purchased + w.bonus, 0) AS balance, u.created_at, u.last_seen_at
  FROM users u LEFT JOIN user_wallet w ON w.user_id = u.id
 WHERE u.id = :id::uuid
