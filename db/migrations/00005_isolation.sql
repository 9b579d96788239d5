-- Tenant isolation underneath every query: a transaction that takes the role roamwerk_tenant sees one utility only.
-- +goose Up

-- +goose StatementBegin
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'roamwerk_tenant') THEN
        CREATE ROLE roamwerk_tenant NOLOGIN;
        GRANT roamwerk_tenant TO CURRENT_USER; -- who need not be a superuser
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- roles belong to the cluster: another database of it made this one
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['sessions', 'customers', 'mandates', 'plans', 'contracts', 'tokens', 'authorizations', 'cdrs', 'cdr_states',
        'ratings', 'line_items', 'invoice_runs', 'invoices', 'number_series', 'documents', 'emails', 'events', 'staff'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I TO roamwerk_tenant USING (tenant_id = current_setting(''roamwerk.tenant'')::uuid)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO roamwerk_tenant', t);
    END LOOP;
    ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON tenants TO roamwerk_tenant USING (id = current_setting('roamwerk.tenant')::uuid);
    GRANT SELECT, UPDATE ON tenants TO roamwerk_tenant;
    ALTER TABLE plan_versions ENABLE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON plan_versions TO roamwerk_tenant USING (EXISTS (SELECT FROM plans p WHERE p.id = plan_id));
    ALTER TABLE token_deliveries ENABLE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON token_deliveries TO roamwerk_tenant USING (EXISTS (SELECT FROM tokens t WHERE t.id = token_id));
    GRANT SELECT, INSERT, UPDATE ON plan_versions, token_deliveries TO roamwerk_tenant;
    -- What partners publish is the same for every utility.
    GRANT SELECT ON locations, tariffs, partner_parties, partner_tenants TO roamwerk_tenant;
    GRANT SELECT (id, name, role, country_code, party_id, state, version, created_at, registered_at, last_received_at, last_sent_at) ON partners TO roamwerk_tenant;
END $$;
-- +goose StatementEnd
