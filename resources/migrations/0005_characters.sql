-- Characters: one row each, and the versions of their personas. A version without published_at is the draft (there is
-- always exactly one, its number the next free one); a published version never changes again.

CREATE TABLE character_config (
    id                uuid PRIMARY KEY,
    slug              text NOT NULL UNIQUE
                      CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND char_length(slug) <= 40),
    status            text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'published', 'archived')),
    published_version integer,
    row_version       bigint NOT NULL DEFAULT 1 CHECK (row_version > 0), -- its ETag
    avatar            bytea CHECK (octet_length(avatar) BETWEEN 1 AND 524288),
    avatar_type       text CHECK (avatar_type IN ('image/png', 'image/jpeg', 'image/webp')),
    avatar_sha256     text CHECK (avatar_sha256 ~ '^[0-9a-f]{64}$'),
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    CHECK (num_nulls(avatar, avatar_type, avatar_sha256) IN (0, 3)),
    CHECK (status <> 'published' OR published_version IS NOT NULL),
    CHECK (status <> 'draft' OR published_version IS NULL)
);

-- The persona is one document, so that a version is what it is whatever fields are added later; what lists filter and
-- prices need is derived from it by the database and cannot drift.
CREATE TABLE character_versions (
    character_id     uuid NOT NULL REFERENCES character_config (id),
    version          integer NOT NULL CHECK (version > 0),
    persona          jsonb NOT NULL CHECK (jsonb_typeof(persona) = 'object'),
    name             text GENERATED ALWAYS AS (persona ->> 'name') STORED NOT NULL CHECK (name <> ''),
    tagline          text GENERATED ALWAYS AS (persona ->> 'tagline') STORED NOT NULL,
    price_multiplier numeric(12, 4) GENERATED ALWAYS AS ((persona ->> 'price_multiplier')::numeric) STORED NOT NULL
                     CHECK (price_multiplier BETWEEN 0 AND 100),
    offers_spicy     boolean GENERATED ALWAYS AS ((persona ->> 'spicy_enabled')::boolean
                                                  AND persona ->> 'spicy_prompt' <> '') STORED NOT NULL,
    author_id        uuid REFERENCES users (id),
    author           text NOT NULL,
    created_at       timestamptz NOT NULL,
    published_at     timestamptz,
    PRIMARY KEY (character_id, version),
    CHECK (persona ->> 'system_prompt' <> ''),
    CHECK (jsonb_typeof(persona -> 'tags') = 'array')
);
CREATE UNIQUE INDEX character_versions_one_draft ON character_versions (character_id) WHERE published_at IS NULL;

ALTER TABLE character_config ADD FOREIGN KEY (id, published_version)
    REFERENCES character_versions (character_id, version);
CREATE INDEX character_config_by_change ON character_config (updated_at DESC, id);

CREATE FUNCTION refuse_change_of_published_version() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.published_at IS NOT NULL THEN
        RAISE EXCEPTION 'version % of character % is history', OLD.version, OLD.character_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.character_id, NEW.version) IS DISTINCT FROM (OLD.character_id, OLD.version) THEN
        RAISE EXCEPTION 'a draft keeps its number' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER character_versions_are_history BEFORE UPDATE OR DELETE ON character_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_published_version();

CREATE FUNCTION check_character_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.slug) IS DISTINCT FROM (OLD.id, OLD.slug) THEN
        RAISE EXCEPTION 'a character keeps its id and slug' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.row_version <= OLD.row_version THEN
        RAISE EXCEPTION 'every change counts the row version up' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.published_version IS DISTINCT FROM OLD.published_version AND NOT EXISTS (
        SELECT FROM character_versions v
        WHERE v.character_id = NEW.id AND v.version = NEW.published_version AND v.published_at IS NOT NULL) THEN
        RAISE EXCEPTION 'only a sealed version is published' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER character_config_changes BEFORE UPDATE ON character_config
    FOR EACH ROW EXECUTE FUNCTION check_character_change();

-- Nothing here is a user's. The app role reads what was published and never a draft, whatever statement it runs.
ALTER TABLE character_config ENABLE ROW LEVEL SECURITY;
ALTER TABLE character_versions ENABLE ROW LEVEL SECURITY;
CREATE POLICY app_reads_published ON character_config FOR SELECT TO companion_app
    USING (published_version IS NOT NULL);
CREATE POLICY app_reads_published ON character_versions FOR SELECT TO companion_app
    USING (published_at IS NOT NULL);
CREATE POLICY operator_all ON character_config TO companion_operator USING (true) WITH CHECK (true);
CREATE POLICY operator_all ON character_versions TO companion_operator USING (true) WITH CHECK (true);
GRANT SELECT ON character_config, character_versions TO companion_app;
GRANT SELECT, INSERT, UPDATE ON character_config, character_versions TO companion_operator;
