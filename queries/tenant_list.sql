-- Utilities as those who run the platform see them.

-- name: TenantList :many
SELECT te.id, te.country_code, te.party_id, te.name, te.mode, te.city, te.created_at, te.closed_at,
    (SELECT count(*) FROM tokens t WHERE t.tenant_id = te.id AND t.valid) AS cards,
    (SELECT count(*) FROM customers cu WHERE cu.tenant_id = te.id) AS customers,
    (SELECT count(*) FROM partner_tenants pt JOIN partners p ON p.id = pt.partner_id WHERE pt.tenant_id = te.id AND p.state = 'registered') AS partners,
    (SELECT count(*) FROM partner_tenants pt WHERE pt.tenant_id = te.id AND pt.leaving_at IS NOT NULL) AS leaving,
    (SELECT count(*) FROM staff s WHERE s.tenant_id = te.id AND s.disabled_at IS NULL) AS staff
FROM tenants te WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR te.id = sqlc.narg(tenant_id))
ORDER BY te.closed_at IS NOT NULL, te.name, te.id;

-- The partners that a utility works with, or is leaving; how many of its cards each of them has still to confirm, and whether no
-- other utility works with the partner.
-- name: PartnersOfTenant :many
SELECT p.id, p.name, p.role, p.country_code, p.party_id, p.state, p.version, p.failing_since, p.rejected_at, p.announce_at, p.announce_problem, pt.known_at, pt.leaving_at,
    (SELECT count(*) FROM token_deliveries d JOIN tokens t ON t.id = d.token_id WHERE d.partner_id = p.id AND t.tenant_id = pt.tenant_id AND d.due_at IS NOT NULL) AS open_deliveries,
    (NOT EXISTS (SELECT FROM partner_tenants o WHERE o.partner_id = p.id AND o.leaving_at IS NULL))::boolean AS alone
FROM partner_tenants pt JOIN partners p ON p.id = pt.partner_id WHERE pt.tenant_id = @tenant_id ORDER BY p.name;
