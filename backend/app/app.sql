-- name: ping
SELECT true AS there
