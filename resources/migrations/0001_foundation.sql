-- What every later migration stands on. The login roles companion_app and companion_operator exist already: they belong
-- to the server, not to this database, and are made before the migrations run.

GRANT USAGE ON SCHEMA public TO companion_app, companion_operator;
GRANT SELECT ON schema_migrations TO companion_app, companion_operator;

-- Whose rows this transaction may see; NULL (nobody's) unless it was set. The body is bound when it is defined, so no
-- search_path can turn it, and being one expression it is inlined: a policy with it still uses the table's index.
CREATE FUNCTION current_user_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('companion.user_id', true), '')::uuid;

COMMENT ON FUNCTION current_user_id() IS
    'The user of this transaction, set with set_config(''companion.user_id'', …, true); NULL when none is set';

-- Row-level security for a table that holds users' rows, with the grants, in one place:
--   companion_app       sees and writes the rows whose user_column is current_user_id(),
--   companion_operator  sees and writes all of them,
--   the owner           is not hampered by FORCE (migrations fill and correct),
-- each within the privileges named ('SELECT, INSERT'); '' grants that role nothing.
CREATE FUNCTION protect_user_rows(protected_table regclass, app_privileges text, operator_privileges text,
                                  user_column text DEFAULT 'user_id') RETURNS void
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', protected_table);
    EXECUTE format('CREATE POLICY owner_rows ON %s TO CURRENT_USER USING (true) WITH CHECK (true)', protected_table);
    EXECUTE format('CREATE POLICY user_rows ON %1$s TO companion_app USING (%2$I = current_user_id())'
                   ' WITH CHECK (%2$I = current_user_id())', protected_table, user_column);
    EXECUTE format('CREATE POLICY operator_rows ON %s TO companion_operator USING (true) WITH CHECK (true)',
                   protected_table);
    IF app_privileges <> '' THEN
        EXECUTE format('GRANT %s ON %s TO companion_app', app_privileges, protected_table);
    END IF;
    IF operator_privileges <> '' THEN
        EXECUTE format('GRANT %s ON %s TO companion_operator', operator_privileges, protected_table);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION protect_user_rows(regclass, text, text, text) FROM PUBLIC;
