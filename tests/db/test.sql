-- What tests/db asks. Everything here is SQL that has gone wrong with some driver.

-- name: echo
SELECT :text::text AS text, :int4::integer AS int4, :int8::bigint AS int8, :flag::boolean AS flag,
       :numeric::numeric AS numeric, :float8::float8 AS float8, :bytes::bytea AS bytes, :uuid::uuid AS uuid,
       :time::timestamptz AS time, :day::date AS day, :object::jsonb AS object, :texts::text[] AS texts;

-- name: has_key
SELECT (:object::jsonb ? :key) AS found, '{"a": ":key"}'::jsonb ->> 'a' AS literal, 'it''s :not one' AS quoted -- :nor

-- name: twice
SELECT :word::text || :word AS doubled

-- name: insert_note
INSERT INTO notes (id, body, amount) VALUES (:id, :body, :amount)

-- name: notes
SELECT * FROM notes ORDER BY id

-- name: note_count
SELECT count(*) AS n FROM notes

-- name: touch_notes
UPDATE notes SET body = body || '!' WHERE id >= :least

-- name: divide
SELECT 1 / :by::integer AS quotient

-- name: sleep
SELECT pg_sleep(:seconds::float8)

-- name: lock_notes
LOCK TABLE notes IN SHARE MODE

-- name: whose
SELECT current_user_id() AS id

-- name: broken
SELECT no_such_column FROM notes

-- name: add
SELECT :a::bigint + :b::bigint AS sum
