-- Tariffs of CPOs as the back office shows them: every tariff in its last version. Partners publish them for all utilities.

-- The page starts behind after (DE*CPO/T1).
-- name: TariffList :many
SELECT sqlc.embed(t), p.name AS partner, l.worst, l.findings, l.codes
FROM tariffs t JOIN tariff_lints l USING (country_code, party_id, tariff_id, version) JOIN partners p ON p.id = t.partner_id
WHERE NOT EXISTS (SELECT FROM tariffs n WHERE n.country_code = t.country_code AND n.party_id = t.party_id AND n.tariff_id = t.tariff_id AND n.version > t.version)
    AND (sqlc.narg(tenant_id)::uuid IS NULL OR EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = t.partner_id AND w.tenant_id = sqlc.narg(tenant_id)))
    AND (sqlc.narg(partner_id)::uuid IS NULL OR t.partner_id = sqlc.narg(partner_id))
    AND (@pattern::text = '' OR t.tariff_id ILIKE @pattern OR t.country_code || '*' || t.party_id ILIKE @pattern)
    AND CASE @state::text WHEN 'current' THEN t.valid_to IS NULL WHEN 'ended' THEN t.valid_to IS NOT NULL WHEN 'changed' THEN t.version > 1
        WHEN 'findings' THEN t.valid_to IS NULL AND l.findings > 0 ELSE true END
    AND t.country_code || '*' || t.party_id || '/' || t.tariff_id > @after::text
ORDER BY t.country_code || '*' || t.party_id || '/' || t.tariff_id LIMIT @max_rows;

-- name: TariffCounts :one
SELECT count(*) AS all_tariffs, count(*) FILTER (WHERE t.valid_to IS NULL) AS current, count(*) FILTER (WHERE t.valid_to IS NOT NULL) AS ended, count(*) FILTER (WHERE t.version > 1) AS changed,
    count(*) FILTER (WHERE t.valid_to IS NULL AND l.findings > 0) AS findings
FROM tariffs t JOIN tariff_lints l USING (country_code, party_id, tariff_id, version)
WHERE NOT EXISTS (SELECT FROM tariffs n WHERE n.country_code = t.country_code AND n.party_id = t.party_id AND n.tariff_id = t.tariff_id AND n.version > t.version)
    AND (sqlc.narg(tenant_id)::uuid IS NULL OR EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = t.partner_id AND w.tenant_id = sqlc.narg(tenant_id)))
    AND (sqlc.narg(partner_id)::uuid IS NULL OR t.partner_id = sqlc.narg(partner_id))
    AND (@pattern::text = '' OR t.tariff_id ILIKE @pattern OR t.country_code || '*' || t.party_id ILIKE @pattern);

-- Connectors that name a tariff now, and current ratings since an instant whose wholesale side used it.
-- name: TariffUse :one
SELECT (SELECT count(*) FROM locations l CROSS JOIN LATERAL jsonb_path_query(l.doc, '$.evses[*].connectors[*]') AS c
        WHERE l.country_code = @country_code AND l.party_id = @party_id
            AND EXISTS (SELECT FROM jsonb_array_elements_text(coalesce(c->'tariff_ids', '[]')) i WHERE upper(i) = @tariff_id::text))::bigint AS connectors,
    (SELECT count(*) FROM cdr_states s JOIN ratings r ON r.id = s.rating_id
        WHERE s.country_code = @country_code AND s.party_id = @party_id AND s.received_at >= @since::timestamptz AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id))
            AND EXISTS (SELECT FROM jsonb_path_query(r.wholesale, '$.Tariffs[*].ID') i WHERE upper(i #>> '{}') = @tariff_id))::bigint AS cdrs;

-- Connectors that name a tariff now.
-- name: TariffConnectors :many
SELECT l.location_id, l.name, l.city, l.time_zone, coalesce(e->>'evse_id', e->>'uid', '')::text AS evse, coalesce(c->>'id', '')::text AS connector, coalesce(c->>'max_electric_power', '')::text AS power
FROM locations l CROSS JOIN LATERAL jsonb_path_query(l.doc, '$.evses[*]') AS e CROSS JOIN LATERAL jsonb_path_query(e, '$.connectors[*]') AS c
WHERE l.country_code = @country_code AND l.party_id = @party_id
    AND EXISTS (SELECT FROM jsonb_array_elements_text(coalesce(c->'tariff_ids', '[]')) i WHERE upper(i) = @tariff_id::text)
ORDER BY l.name, l.location_id, evse, connector LIMIT @max_rows;
