-- One CDR with everything that the back office shows of it.

-- name: CDRDetail :one
SELECT sqlc.embed(s), p.name AS partner, t.name AS tenant, coalesce(c.name, '')::text AS customer, coalesce(c.number, '')::text AS customer_number,
    coalesce(k.visual_number, '')::text AS visual_number, coalesce(o.contract_id, '')::text AS contract
FROM cdr_states s JOIN partners p ON p.id = s.partner_id JOIN tenants t ON t.id = s.tenant_id LEFT JOIN customers c ON c.id = s.customer_id
    LEFT JOIN tokens k ON k.id = s.token_id LEFT JOIN contracts o ON o.id = coalesce(s.contract_id, k.contract_id)
WHERE s.cdr_id = @cdr_id AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id));

-- name: CDRMessage :one
SELECT version, raw, sha256, received_at FROM cdrs WHERE id = @id AND received_at = @received_at;

-- The current rating, with the plan version that it applied.
-- name: CDRRating :one
SELECT sqlc.embed(r), coalesce(p.name, '')::text AS plan, coalesce(v.version, 0)::integer AS plan_version, v.valid_from AS plan_since
FROM ratings r LEFT JOIN plan_versions v ON v.id = r.plan_version_id LEFT JOIN plans p ON p.id = v.plan_id
WHERE r.cdr_id = @cdr_id AND r.superseded_at IS NULL;

-- name: CDRSession :one
SELECT * FROM sessions WHERE country_code = @country_code AND party_id = @party_id AND session_id = @session_id AND tenant_id = @tenant_id;

-- name: CDRInvoices :many
SELECT i.id, i.state, coalesce(i.number, '')::text AS number, i.month, sum(l.net)::numeric AS net, sum(l.gross)::numeric AS gross, i.currency
FROM line_items l JOIN invoices i ON i.id = l.invoice_id
WHERE l.cdr_id = @cdr_id::uuid GROUP BY i.id ORDER BY i.created_at, i.id;

-- The original of a credit CDR, and the credit CDRs of an original.
-- name: CDRChain :many
SELECT o.cdr_id, o.ocpi_id, o.state, o.claimed, o.currency, (o.credit_reference <> '')::boolean AS credit
FROM cdr_states s JOIN cdr_states o ON o.country_code = s.country_code AND o.party_id = s.party_id AND o.tenant_id = s.tenant_id AND o.cdr_id <> s.cdr_id
    AND (o.ocpi_id = s.credit_reference OR (o.credit_reference <> '' AND o.credit_reference = s.ocpi_id))
WHERE s.cdr_id = @cdr_id ORDER BY o.received_at;
