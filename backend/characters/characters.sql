-- name: published
SELECT c.id, c.slug, c.avatar_sha256, v.persona
FROM character_config c
JOIN character_versions v ON v.character_id = c.id AND v.version = c.published_version
WHERE c.status = 'published'
  AND (:tag::text IS NULL OR v.persona -> 'tags' @> to_jsonb(:tag::text))
  AND (:mode::text IS NULL OR :mode::text = 'normal' OR v.offers_spicy)
  AND (:q::text IS NULL OR strpos(lower(concat_ws(' ', v.name, c.slug, v.tagline)), lower(:q::text)) > 0)
ORDER BY v.name, c.slug
LIMIT :limit::int OFFSET :offset::bigint

-- name: count_published
SELECT count(*) AS total
FROM character_config c
JOIN character_versions v ON v.character_id = c.id AND v.version = c.published_version
WHERE c.status = 'published'
  AND (:tag::text IS NULL OR v.persona -> 'tags' @> to_jsonb(:tag::text))
  AND (:mode::text IS NULL OR :mode::text = 'normal' OR v.offers_spicy)
  AND (:q::text IS NULL OR strpos(lower(concat_ws(' ', v.name, c.slug, v.tagline)), lower(:q::text)) > 0)

-- name: published_one
SELECT c.id, c.slug, c.avatar_sha256, v.persona
FROM character_config c
JOIN character_versions v ON v.character_id = c.id AND v.version = c.published_version
WHERE c.status = 'published' AND (c.id = :id::uuid OR c.slug = :slug::text)

-- name: current
SELECT c.id, c.slug, c.status, v.version, v.persona
FROM character_config c
JOIN character_versions v ON v.character_id = c.id AND v.version = c.published_version
WHERE c.status = 'published' AND (c.id = :id::uuid OR c.slug = :slug::text)

-- name: version
SELECT c.id, c.slug, c.status, v.version, v.persona
FROM character_config c
JOIN character_versions v ON v.character_id = c.id
WHERE c.id = :id::uuid AND v.version = :version::int AND v.published_at IS NOT NULL

-- name: draft
SELECT c.id, c.slug, c.status, v.version, v.persona
FROM character_config c
JOIN character_versions v ON v.character_id = c.id AND v.published_at IS NULL
WHERE c.id = :id::uuid

-- name: list
SELECT c.id, c.slug, c.status, c.published_version, c.row_version, c.avatar_sha256, c.updated_at,
       d.version AS draft_version, d.persona, p.persona IS DISTINCT FROM d.persona AS has_unpublished_changes
FROM character_config c
JOIN character_versions d ON d.character_id = c.id AND d.published_at IS NULL
LEFT JOIN character_versions p ON p.character_id = c.id AND p.version = c.published_version
WHERE (:status::text IS NULL OR c.status = :status::text)
  AND (:tag::text IS NULL OR d.persona -> 'tags' @> to_jsonb(:tag::text))
  AND (:mode::text IS NULL OR :mode::text = 'normal' OR d.offers_spicy)
  AND (:q::text IS NULL OR strpos(lower(concat_ws(' ', d.name, c.slug, d.tagline)), lower(:q::text)) > 0)
ORDER BY c.updated_at DESC, c.id
LIMIT :limit::int OFFSET :offset::bigint

-- name: count
SELECT count(*) AS total
FROM character_config c
JOIN character_versions d ON d.character_id = c.id AND d.published_at IS NULL
WHERE (:status::text IS NULL OR c.status = :status::text)
  AND (:tag::text IS NULL OR d.persona -> 'tags' @> to_jsonb(:tag::text))
  AND (:mode::text IS NULL OR :mode::text = 'normal' OR d.offers_spicy)
  AND (:q::text IS NULL OR strpos(lower(concat_ws(' ', d.name, c.slug, d.tagline)), lower(:q::text)) > 0)

-- name: find
SELECT c.id, c.slug, c.status, c.published_version, c.row_version, c.avatar_sha256, c.updated_at,
       d.version AS draft_version, d.persona, p.persona IS DISTINCT FROM d.persona AS has_unpublished_changes
FROM character_config c
JOIN character_versions d ON d.character_id = c.id AND d.published_at IS NULL
LEFT JOIN character_versions p ON p.character_id = c.id AND p.version = c.published_version
WHERE c.id = :id::uuid

-- Two steps, lock and find: a row read by the statement that waited for the lock could show the draft of before.
-- name: lock
SELECT id FROM character_config WHERE id = :id::uuid FOR UPDATE

-- name: id_of_slug
SELECT id FROM character_config WHERE slug = :slug::text

-- name: versions
SELECT version, persona, author, created_at, published_at
FROM character_versions
WHERE character_id = :id::uuid
ORDER BY version DESC
LIMIT :limit::int OFFSET :offset::bigint

-- name: count_versions
SELECT count(*) AS total FROM character_versions WHERE character_id = :id::uuid

-- name: version_record
SELECT version, persona, author, created_at, published_at
FROM character_versions
WHERE character_id = :id::uuid AND version = :version::int

-- name: insert
INSERT INTO character_config (id, slug, created_at, updated_at)
VALUES (:id::uuid, :slug, :now::timestamptz, :now::timestamptz)
ON CONFLICT (slug) DO NOTHING

-- name: insert_draft
INSERT INTO character_versions (character_id, version, persona, author_id, author, created_at)
VALUES (:id::uuid, :version::int, :persona::jsonb, :author_id::uuid, :author, :now::timestamptz)

-- name: update_draft
UPDATE character_versions SET persona = :persona::jsonb, author_id = :author_id::uuid, author = :author
WHERE character_id = :id::uuid AND published_at IS NULL

-- name: seal_draft
UPDATE character_versions SET published_at = :now::timestamptz
WHERE character_id = :id::uuid AND published_at IS NULL

-- name: copy_to_next_draft
INSERT INTO character_versions (character_id, version, persona, author_id, author, created_at)
SELECT character_id, version + 1, persona, author_id, author, :now::timestamptz
FROM character_versions
WHERE character_id = :id::uuid
ORDER BY version DESC LIMIT 1

-- name: set_published
UPDATE character_config
SET published_version = :version::int, status = 'published', row_version = row_version + 1,
    updated_at = :now::timestamptz
WHERE id = :id::uuid

-- name: set_status
UPDATE character_config SET status = :status, row_version = row_version + 1, updated_at = :now::timestamptz
WHERE id = :id::uuid

-- name: touch
UPDATE character_config SET row_version = row_version + 1, updated_at = :now::timestamptz WHERE id = :id::uuid

-- name: set_avatar
UPDATE character_config
SET avatar = :avatar, avatar_type = :type, avatar_sha256 = :sha256, row_version = row_version + 1,
    updated_at = :now::timestamptz
WHERE id = :id::uuid

-- name: avatar
SELECT avatar, avatar_type, avatar_sha256
FROM character_config
WHERE (id = :id::uuid OR slug = :slug::text) AND avatar IS NOT NULL
  AND (:drafts::boolean OR published_version IS NOT NULL)
