-- Review of CDRs: one place that says what a filter finds, and the views that people save.
-- +goose Up

-- A CDR with what lists filter, sort and sum. What was credited or dropped earns nothing any more.
CREATE VIEW cdr_review WITH (security_invoker = true) AS
SELECT s.cdr_id, s.tenant_id, s.partner_id, s.customer_id, s.rating_id, s.state, s.reason, s.retail_state, s.cpo_state, s.flags, s.assignee, s.ocpi_id, s.session_id, s.evse_id, s.place,
    s.operator, s.token_uid, s.started_at, s.ended_at, s.received_at, s.kwh, s.currency, s.claimed, k.visual_number, c.name AS customer, c.number AS customer_number,
    r.computed_net, r.retail_net, r.margin, s.claimed - r.computed_net AS delta
FROM cdr_states s LEFT JOIN tokens k ON k.id = s.token_id LEFT JOIN customers c ON c.id = s.customer_id
    LEFT JOIN ratings r ON r.id = s.rating_id AND s.state NOT IN ('credited', 'dropped');

-- What a filter (jobs.Selection) finds, among the CDRs of a utility or, without one, of all. The planner puts its body into the
-- query that asks, and drops what the filter does not use.
-- +goose StatementBegin
CREATE FUNCTION cdrs_found(tenant uuid, filter jsonb) RETURNS SETOF cdr_review LANGUAGE sql STABLE AS $$
    SELECT s.* FROM cdr_review s
    WHERE (tenant IS NULL OR s.tenant_id = tenant)
        AND (filter->>'IDs' IS NULL OR s.cdr_id = ANY (ARRAY(SELECT jsonb_array_elements_text(filter->'IDs')::uuid)))
        AND (filter->>'Since' IS NULL OR s.started_at >= (filter->>'Since')::timestamptz)
        AND (filter->>'Until' IS NULL OR s.started_at < (filter->>'Until')::timestamptz)
        AND (filter->>'Partner' IS NULL OR s.partner_id = (filter->>'Partner')::uuid)
        AND (filter->>'Customer' IS NULL OR s.customer_id = (filter->>'Customer')::uuid)
        AND (filter->>'State' IS NULL OR s.state = filter->>'State' OR filter->>'State' = 'disputed' AND s.cpo_state IN ('questioned', 'disputed'))
        AND (filter->>'Reason' IS NULL OR s.reason = filter->>'Reason')
        AND (filter->>'Retail' IS NULL OR s.retail_state = filter->>'Retail')
        AND (filter->>'CPO' IS NULL OR s.cpo_state = filter->>'CPO')
        AND (filter->>'Flag' IS NULL OR filter->>'Flag' = ANY (s.flags))
        AND (filter->>'Assignee' IS NULL OR s.assignee = filter->>'Assignee')
        AND (filter->>'LateDays' IS NULL OR s.received_at > s.ended_at + (filter->>'LateDays')::integer * interval '1 day')
        AND (filter->>'Least' IS NULL OR s.claimed >= (filter->>'Least')::numeric)
        AND (filter->>'Most' IS NULL OR s.claimed <= (filter->>'Most')::numeric)
        AND (filter->>'Delta' IS NULL OR abs(s.delta) >= (filter->>'Delta')::numeric)
        AND (filter->>'Loss' IS NULL OR s.margin < 0)
        AND (filter->>'Meter' IS NULL OR filter->>'Meter' = coalesce((SELECT CASE WHEN m.reason = '' THEN 'proven' ELSE 'invalid' END FROM meter_proofs m WHERE m.rating_id = s.rating_id), 'none'))
        AND (filter->>'Plan' IS NULL OR EXISTS (SELECT FROM ratings r JOIN plan_versions v ON v.id = r.plan_version_id WHERE r.id = s.rating_id AND v.plan_id = (filter->>'Plan')::uuid))
        AND (filter->>'Tariff' IS NULL OR EXISTS (SELECT FROM ratings r CROSS JOIN LATERAL jsonb_array_elements(
            CASE jsonb_typeof(r.wholesale->'Tariffs') WHEN 'array' THEN r.wholesale->'Tariffs' ELSE '[]' END) AS t (doc) WHERE r.id = s.rating_id AND upper(t.doc->>'ID') = upper(filter->>'Tariff')))
        AND (filter->>'Pattern' IS NULL OR s.ocpi_id ILIKE filter->>'Pattern' OR s.session_id ILIKE filter->>'Pattern' OR s.evse_id ILIKE filter->>'Pattern' OR s.place ILIKE filter->>'Pattern'
            OR s.operator ILIKE filter->>'Pattern' OR s.token_uid ILIKE filter->>'Pattern' OR s.visual_number ILIKE filter->>'Pattern' OR s.customer ILIKE filter->>'Pattern'
            OR s.customer_number ILIKE filter->>'Pattern')
$$;
-- +goose StatementEnd

-- The address of a list under a name. Without staff_id it is there for everybody at the utility; without tenant_id for an operator
-- who looks at all utilities.
CREATE TABLE saved_views (
    id         uuid PRIMARY KEY,
    tenant_id  uuid REFERENCES tenants,
    staff_id   uuid REFERENCES staff,
    page       text NOT NULL CHECK (page ~ '^/[a-z]+$'),
    name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    query      text NOT NULL CHECK (length(query) <= 2000),
    created_at timestamptz NOT NULL,
    CHECK (tenant_id IS NOT NULL OR staff_id IS NOT NULL),
    UNIQUE NULLS NOT DISTINCT (tenant_id, staff_id, page, name)
);
ALTER TABLE saved_views ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON saved_views TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views TO roamwerk_tenant;
GRANT SELECT ON cdr_review TO roamwerk_tenant;
