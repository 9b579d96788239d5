-- Partners as the back office lists and shows them. Without tenant_id: every partner; with one, those that the utility works
-- with, and the traffic of that utility only.

-- name: PartnerList :many
SELECT p.id, p.name, p.role, p.country_code, p.party_id, p.state, p.version, p.registered_at, p.last_received_at, p.last_sent_at,
    (SELECT count(*) FROM partner_parties b WHERE b.partner_id = p.id) AS parties,
    coalesce(m.today, 0)::bigint AS today, coalesce(m.month, 0)::bigint AS month,
    (SELECT count(*) FROM token_deliveries d JOIN tokens k ON k.id = d.token_id
        WHERE d.partner_id = p.id AND d.due_at IS NOT NULL AND (sqlc.narg(tenant_id)::uuid IS NULL OR k.tenant_id = sqlc.narg(tenant_id))) AS open_deliveries
FROM partners p LEFT JOIN (
    SELECT c.partner_id, count(*) AS month, count(*) FILTER (WHERE c.received_at >= @today::timestamptz) AS today FROM cdrs c
    WHERE c.received_at >= @since::timestamptz AND (sqlc.narg(tenant_id)::uuid IS NULL OR c.tenant_id = sqlc.narg(tenant_id)) GROUP BY c.partner_id
) AS m ON m.partner_id = p.id
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = p.id AND w.tenant_id = sqlc.narg(tenant_id)))
    AND (sqlc.narg(id)::uuid IS NULL OR p.id = sqlc.narg(id))
ORDER BY p.name;

-- The address and endpoints of a connection concern the operator of the platform; a utility's role may not read them.
-- name: PartnerConnection :one
SELECT versions_url, endpoints, auth_encoding, (token_sealed IS NOT NULL)::boolean AS has_token, announce_at, announce_problem, ended_at FROM partners WHERE id = @id;

-- name: PartnerParties :many
SELECT * FROM partner_parties WHERE partner_id = @partner_id ORDER BY role, country_code, party_id;

-- name: PartnerDeliveries :one
SELECT count(*) AS tokens, count(*) FILTER (WHERE d.due_at IS NULL AND d.confirmed IS NOT NULL) AS confirmed, count(*) FILTER (WHERE d.due_at IS NOT NULL) AS open,
    count(*) FILTER (WHERE d.problem <> '') AS failing, coalesce(max(d.problem), '')::text AS problem
FROM token_deliveries d JOIN tokens k ON k.id = d.token_id
WHERE d.partner_id = @partner_id AND (sqlc.narg(tenant_id)::uuid IS NULL OR k.tenant_id = sqlc.narg(tenant_id));

-- name: PartnerNames :many
SELECT p.id, p.name FROM partners p
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = p.id AND w.tenant_id = sqlc.narg(tenant_id)))
ORDER BY p.name;

-- Which utilities work with a partner, and every other one that could.
-- name: PartnerUtilities :many
SELECT te.id, te.name, te.country_code, te.party_id, te.closed_at, (pt.tenant_id IS NOT NULL)::boolean AS works, pt.known_at, pt.leaving_at
FROM tenants te LEFT JOIN partner_tenants pt ON pt.tenant_id = te.id AND pt.partner_id = @partner_id
WHERE te.closed_at IS NULL OR pt.tenant_id IS NOT NULL ORDER BY te.name, te.id;
