-- What should have come and has not. Without tenant_id: every utility.

-- Completed sessions with energy that have no CDR, the latest first. A CDR that names no session is found by card and start
-- (CDR-13). The page starts behind the session after_key that was last told of at after_at.
-- name: SessionGaps :many
SELECT s.country_code, s.party_id, s.session_id, s.partner_id, p.name AS partner, t.name AS tenant, s.started_at, s.kwh, s.updated_at,
    coalesce(s.doc->'cdr_token'->>'uid', '')::text AS uid, coalesce(s.doc->>'location_id', '')::text AS location_id
FROM sessions s JOIN partners p ON p.id = s.partner_id JOIN tenants t ON t.id = s.tenant_id
WHERE s.status = 'COMPLETED' AND s.kwh > 0 AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id))
    AND (sqlc.narg(partner_id)::uuid IS NULL OR s.partner_id = sqlc.narg(partner_id)) AND s.updated_at >= @since::timestamptz
    AND (NOT @paged::boolean OR (s.updated_at, s.country_code || '*' || s.party_id || '/' || s.session_id) < (@after_at::timestamptz, @after_key::text))
    AND NOT EXISTS (SELECT FROM cdr_states c WHERE c.country_code = s.country_code AND c.party_id = s.party_id AND c.session_id <> '' AND upper(c.session_id) = s.session_id)
    AND NOT EXISTS (SELECT FROM cdr_states c WHERE c.tenant_id = s.tenant_id AND c.country_code = s.country_code AND c.party_id = s.party_id AND c.session_id = ''
        AND upper(c.token_uid) = upper(s.doc->'cdr_token'->>'uid') AND c.started_at BETWEEN s.started_at - interval '15 minutes' AND s.started_at + interval '15 minutes')
ORDER BY s.updated_at DESC, s.country_code || '*' || s.party_id || '/' || s.session_id DESC LIMIT @max_rows;

-- How many alerts are open, and resolved since an instant.
-- name: AlertCounts :one
SELECT count(*) FILTER (WHERE a.resolved_at IS NULL) AS open, count(*) FILTER (WHERE a.resolved_at >= @since::timestamptz) AS resolved FROM alerts a
WHERE (sqlc.narg(partner_id)::uuid IS NULL OR a.partner_id = sqlc.narg(partner_id))
    AND (sqlc.narg(tenant_id)::uuid IS NULL OR a.tenant_id = sqlc.narg(tenant_id)
        OR a.tenant_id IS NULL AND EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = a.partner_id AND w.tenant_id = sqlc.narg(tenant_id)));
