-- Decisions about CDRs: proposals to drop, and bulk decisions.

-- Makes CDRs due to be rated again.
-- name: RerateCDRs :many
UPDATE cdr_states SET due_at = @now::timestamptz, updated_at = @now WHERE cdr_id = ANY (@ids::uuid[]) AND state IN ('received', 'waiting', 'held', 'rated', 'invoiced')
RETURNING cdr_id;

-- name: InsertDropProposal :exec
INSERT INTO drop_proposals (id, tenant_id, cdr_id, reason, proposed_by, proposed_at) VALUES (@id, @tenant_id, @cdr_id, @reason, @proposed_by, @proposed_at);

-- name: OpenDropProposals :many
SELECT * FROM drop_proposals WHERE cdr_id = ANY (@cdr_ids::uuid[]) AND state = 'open';

-- name: DecideDropProposal :exec
UPDATE drop_proposals SET state = @state, decided_by = @decided_by, decided_at = @decided_at::timestamptz WHERE id = @id AND state = 'open';

-- What waits for a second person.
-- name: DropProposals :many
SELECT sqlc.embed(d), w.name AS proposer, s.ocpi_id, s.claimed, s.currency, coalesce(r.retail_gross, 0)::numeric AS retail_gross
FROM drop_proposals d JOIN staff w ON w.id = d.proposed_by JOIN cdr_states s ON s.cdr_id = d.cdr_id LEFT JOIN ratings r ON r.id = s.rating_id
WHERE d.tenant_id = @tenant_id AND (@every::boolean OR d.state = 'open') AND (sqlc.narg(cdr_id)::uuid IS NULL OR d.cdr_id = sqlc.narg(cdr_id)) ORDER BY d.proposed_at;

-- name: InsertBulk :exec
INSERT INTO bulks (id, tenant_id, preview, decision, selection, as_of, total, actor, staff_id, created_at, due_at)
VALUES (@id, @tenant_id, @preview, @decision, @selection, @as_of, @total, @actor, @staff_id, @created_at, @created_at);

-- name: LockBulk :one
SELECT * FROM bulks WHERE id = @id FOR NO KEY UPDATE;

-- name: Bulk :one
SELECT * FROM bulks WHERE id = @id AND (sqlc.narg(tenant_id)::uuid IS NULL OR tenant_id = sqlc.narg(tenant_id));

-- name: Bulks :many
SELECT sqlc.embed(b), t.name AS tenant FROM bulks b JOIN tenants t ON t.id = b.tenant_id
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR b.tenant_id = sqlc.narg(tenant_id)) ORDER BY b.created_at DESC, b.id DESC LIMIT @max_rows;

-- name: AdvanceBulk :exec
UPDATE bulks SET cursor = @cursor, done = @done, effect = @effect, state = @state, finished_at = @finished_at, due_at = @due_at, attempts = 0, reason = '' WHERE id = @id;

-- name: CancelBulk :execrows
UPDATE bulks SET state = 'cancelled', finished_at = @now::timestamptz, due_at = NULL WHERE id = @id AND tenant_id = @tenant_id AND state = 'running';

-- name: BulksDue :many
SELECT id FROM bulks WHERE due_at <= @now::timestamptz ORDER BY due_at LIMIT @max_rows;

-- name: PostponeBulk :exec
UPDATE bulks SET due_at = @due_at, attempts = attempts + 1, reason = @reason WHERE id = @id AND state = 'running';

-- CDRs that wait for master data for too long, by partner and reason.
-- name: LongWaits :many
SELECT s.partner_id, s.tenant_id, s.reason, s.currency, count(*) AS many, min(s.waiting_since)::timestamptz AS oldest, sum(s.claimed)::numeric AS claimed
FROM cdr_states s LEFT JOIN clearing_policies p ON p.tenant_id = s.tenant_id
WHERE s.state = 'waiting' AND s.waiting_since + coalesce(p.waiting_days, 3) * interval '1 day' < @now::timestamptz
GROUP BY s.partner_id, s.tenant_id, s.reason, s.currency ORDER BY s.partner_id, s.tenant_id, s.reason, s.currency;

-- What is to be accrued at the close of a month: sessions up to an instant that have no CDR, and CDRs that are not on an
-- invoice, with what both sides expect. A session without a CDR has what its CPO has told of its cost.
-- name: Accruals :many
SELECT 'cdr'::text AS kind, s.partner_id, p.name AS partner, s.currency, s.state, count(*) AS many, sum(s.kwh)::numeric AS kwh, sum(s.claimed)::numeric AS claimed,
    coalesce(sum(r.retail_net), 0)::numeric AS retail_net
FROM cdr_states s JOIN partners p ON p.id = s.partner_id LEFT JOIN ratings r ON r.id = s.rating_id
WHERE s.tenant_id = @tenant_id AND s.started_at < @until::timestamptz AND s.started_at >= @since::timestamptz AND s.credit_reference = '' AND s.retail_state IN ('open', 'released') AND s.state <> 'invoiced'
GROUP BY s.partner_id, p.name, s.currency, s.state
UNION ALL
SELECT 'session', s.partner_id, p.name, coalesce(s.doc->>'currency', ''), s.status, count(*), sum(s.kwh)::numeric,
    coalesce(sum((s.doc->'total_cost'->>'excl_vat')::numeric), 0)::numeric, 0
FROM sessions s JOIN partners p ON p.id = s.partner_id
WHERE s.tenant_id = @tenant_id AND s.started_at < @until AND s.started_at >= @since AND s.status = 'COMPLETED' AND s.kwh > 0
    AND NOT EXISTS (SELECT FROM cdr_states c WHERE c.country_code = s.country_code AND c.party_id = s.party_id AND c.session_id <> '' AND upper(c.session_id) = s.session_id)
    AND NOT EXISTS (SELECT FROM cdr_states c WHERE c.tenant_id = s.tenant_id AND c.country_code = s.country_code AND c.party_id = s.party_id AND c.session_id = ''
        AND upper(c.token_uid) = upper(s.doc->'cdr_token'->>'uid') AND c.started_at BETWEEN s.started_at - interval '15 minutes' AND s.started_at + interval '15 minutes')
GROUP BY s.partner_id, p.name, coalesce(s.doc->>'currency', ''), s.status
ORDER BY 1, 3, 4;
