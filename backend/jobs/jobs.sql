-- name: announce
INSERT INTO jobs (name, every_s, next_run_at) VALUES (:name, :every_s, :now::timestamptz)
ON CONFLICT (name) DO UPDATE SET every_s = excluded.every_s

-- name: take
UPDATE jobs SET lease_id = :lease::uuid, lease_until = :until::timestamptz
 WHERE name = (SELECT name FROM jobs
                WHERE next_run_at <= :now::timestamptz AND (lease_until IS NULL OR lease_until < :now::timestamptz)
                  AND name = ANY (:names::text[])
                ORDER BY next_run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING name

-- name: done
UPDATE jobs SET lease_id = NULL, lease_until = NULL, last_run_at = :now::timestamptz, next_run_at = :next::timestamptz,
                last_error = :error, runs = runs + 1, failures = failures + (:error::text IS NOT NULL)::int
 WHERE name = :name AND lease_id = :lease::uuid
