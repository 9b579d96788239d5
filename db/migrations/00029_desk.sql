-- The desk of a billing clerk: how loud the rules are about a CDR, and how each person has arranged a list.
-- +goose Up

-- The severity of the loudest finding that the flags of a CDR come from.
ALTER TABLE cdr_states ADD COLUMN severity text NOT NULL DEFAULT '' CHECK (severity IN ('', 'info', 'flag', 'block'));
UPDATE cdr_states s SET severity = CASE WHEN s.state = 'waiting' AND s.flags <> '{}' THEN 'block'
    WHEN r.findings @> '[{"Severity": "block"}]' THEN 'block' WHEN r.findings @> '[{"Severity": "flag"}]' THEN 'flag' WHEN r.findings @> '[{"Severity": "info"}]' THEN 'info' ELSE '' END
FROM cdr_states o LEFT JOIN ratings r ON r.id = o.rating_id WHERE o.cdr_id = s.cdr_id AND (r.id IS NOT NULL OR o.flags <> '{}');
UPDATE cdr_states SET severity = 'block' WHERE severity = '' AND flags <> '{}'; -- credits that are none

CREATE OR REPLACE VIEW cdr_review WITH (security_invoker = true) AS
SELECT s.cdr_id, s.tenant_id, s.partner_id, s.customer_id, s.rating_id, s.state, s.reason, s.retail_state, s.cpo_state, s.flags, s.assignee, s.ocpi_id, s.session_id, s.evse_id, s.place,
    s.operator, s.token_uid, s.started_at, s.ended_at, s.received_at, s.kwh, s.currency, s.claimed, k.visual_number, c.name AS customer, c.number AS customer_number,
    r.computed_net, r.retail_net, r.margin, s.claimed - r.computed_net AS delta, s.severity, s.country_code, s.party_id
FROM cdr_states s LEFT JOIN tokens k ON k.id = s.token_id LEFT JOIN customers c ON c.id = s.customer_id
    LEFT JOIN ratings r ON r.id = s.rating_id AND s.state NOT IN ('credited', 'dropped');

-- An instant that says its own offset, so that it is the same in every zone: the planner reads it once, and not for every row.
CREATE FUNCTION instant(text text) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT text::timestamptz $$;

-- As before, with the operator's party, the severity and the other end of the difference.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION cdrs_found(tenant uuid, filter jsonb) RETURNS SETOF cdr_review LANGUAGE sql STABLE AS $$
    SELECT s.* FROM cdr_review s
    WHERE (tenant IS NULL OR s.tenant_id = tenant)
        AND (filter->>'IDs' IS NULL OR s.cdr_id = ANY (ARRAY(SELECT jsonb_array_elements_text(filter->'IDs')::uuid)))
        AND (filter->>'Since' IS NULL OR s.started_at >= instant(filter->>'Since'))
        AND (filter->>'Until' IS NULL OR s.started_at < instant(filter->>'Until'))
        AND (filter->>'Partner' IS NULL OR s.partner_id = (filter->>'Partner')::uuid)
        AND (filter->>'Party' IS NULL OR s.country_code || '*' || s.party_id = upper(filter->>'Party'))
        AND (filter->>'Customer' IS NULL OR s.customer_id = (filter->>'Customer')::uuid)
        AND (filter->>'State' IS NULL OR s.state = filter->>'State' OR filter->>'State' = 'disputed' AND s.cpo_state IN ('questioned', 'disputed'))
        AND (filter->>'Reason' IS NULL OR s.reason = filter->>'Reason')
        AND (filter->>'Retail' IS NULL OR s.retail_state = filter->>'Retail')
        AND (filter->>'CPO' IS NULL OR s.cpo_state = filter->>'CPO')
        AND (filter->>'Flag' IS NULL OR filter->>'Flag' = ANY (s.flags))
        AND (filter->>'Severity' IS NULL OR s.severity = filter->>'Severity')
        AND (filter->>'Assignee' IS NULL OR s.assignee = filter->>'Assignee')
        AND (filter->>'LateDays' IS NULL OR s.received_at > s.ended_at + (filter->>'LateDays')::integer * interval '1 day')
        AND (filter->>'Least' IS NULL OR s.claimed >= (filter->>'Least')::numeric)
        AND (filter->>'Most' IS NULL OR s.claimed <= (filter->>'Most')::numeric)
        AND (filter->>'Delta' IS NULL OR abs(s.delta) >= (filter->>'Delta')::numeric)
        AND (filter->>'DeltaMost' IS NULL OR abs(s.delta) <= (filter->>'DeltaMost')::numeric)
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

-- What lists sum up stands in the index; the rows of ratings are long.
CREATE INDEX ratings_money ON ratings (id) INCLUDE (computed_net, retail_net, margin);

-- How a person has arranged a list: which columns are hidden, and how dense it is. It names nothing of any utility.
CREATE TABLE list_layouts (
    staff_id uuid NOT NULL REFERENCES staff,
    page     text NOT NULL CHECK (page ~ '^/[a-z]+$'),
    hidden   text[] NOT NULL DEFAULT '{}' CHECK (cardinality(hidden) <= 50),
    compact  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (staff_id, page)
);
