-- name: ping
SELECT true AS there

-- name: has_users
SELECT EXISTS (SELECT 1 FROM users) AS there
