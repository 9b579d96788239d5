-- Disputes with partners about CDRs.

-- name: InsertDispute :exec
INSERT INTO disputes (id, tenant_id, partner_id, number, reason, note, currency, deadline, bulk_id, opened_by, opened_at, updated_at)
VALUES (@id, @tenant_id, @partner_id, @number, @reason, @note, @currency, @deadline, @bulk_id, @opened_by, @opened_at, @opened_at);

-- name: DisputeOfBulk :one
SELECT id FROM disputes WHERE bulk_id = @bulk_id AND partner_id = @partner_id AND currency = @currency;

-- name: InsertDisputeCDRs :copyfrom
INSERT INTO dispute_cdrs (dispute_id, cdr_id, tenant_id, claimed, computed, accepted) VALUES (@dispute_id, @cdr_id, @tenant_id, @claimed, @computed, @accepted);

-- The sums of a dispute follow its CDRs.
-- name: SumDispute :exec
UPDATE disputes d SET claimed = x.claimed, computed = x.computed, accepted = x.accepted, credited = x.credited, updated_at = @now::timestamptz
FROM (SELECT coalesce(sum(c.claimed), 0) AS claimed, coalesce(sum(c.computed), 0) AS computed, coalesce(sum(c.accepted), 0) AS accepted, coalesce(sum(c.credited), 0) AS credited
    FROM dispute_cdrs c WHERE c.dispute_id = @id) AS x
WHERE d.id = @id;

-- name: LockCDRsOfDispute :exec
SELECT FROM cdr_states WHERE cdr_id IN (SELECT c.cdr_id FROM dispute_cdrs c WHERE c.dispute_id = @dispute_id) ORDER BY cdr_id FOR NO KEY UPDATE;

-- name: LockDispute :one
SELECT * FROM disputes WHERE id = @id AND tenant_id = @tenant_id FOR NO KEY UPDATE;

-- name: Dispute :one
SELECT sqlc.embed(d), p.name AS partner FROM disputes d JOIN partners p ON p.id = d.partner_id WHERE d.id = @id AND (sqlc.narg(tenant_id)::uuid IS NULL OR d.tenant_id = sqlc.narg(tenant_id));

-- name: DisputeByNumber :one
SELECT id FROM disputes WHERE tenant_id = @tenant_id AND number = @number;

-- The latest first; the page starts behind after_at and after_id.
-- name: DisputeList :many
SELECT sqlc.embed(d), p.name AS partner, t.name AS tenant, (SELECT count(*) FROM dispute_cdrs c WHERE c.dispute_id = d.id) AS many
FROM disputes d JOIN partners p ON p.id = d.partner_id JOIN tenants t ON t.id = d.tenant_id
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR d.tenant_id = sqlc.narg(tenant_id)) AND (sqlc.narg(partner_id)::uuid IS NULL OR d.partner_id = sqlc.narg(partner_id))
    AND (@state::text = '' OR d.state = @state OR @state = 'unsettled' AND d.closed_at IS NULL)
    AND (@pattern::text = '' OR d.number ILIKE @pattern OR p.name ILIKE @pattern OR d.note ILIKE @pattern)
    AND (NOT @paged::boolean OR (d.opened_at, d.id) < (@after_at::timestamptz, @after_id::uuid))
ORDER BY d.opened_at DESC, d.id DESC LIMIT @max_rows;

-- name: DisputeSums :many
SELECT d.state, d.currency, count(*) AS many, sum(d.claimed)::numeric AS claimed, sum(d.accepted)::numeric AS accepted, sum(d.expected)::numeric AS expected, sum(d.credited)::numeric AS credited
FROM disputes d
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR d.tenant_id = sqlc.narg(tenant_id)) AND (sqlc.narg(partner_id)::uuid IS NULL OR d.partner_id = sqlc.narg(partner_id))
GROUP BY d.state, d.currency ORDER BY d.state, d.currency;

-- name: DisputeCDRs :many
SELECT sqlc.embed(c), sqlc.embed(s), coalesce(k.ocpi_id, '')::text AS credit_ocpi_id
FROM dispute_cdrs c JOIN cdr_states s ON s.cdr_id = c.cdr_id LEFT JOIN cdr_states k ON k.cdr_id = c.credit_id
WHERE c.dispute_id = @dispute_id ORDER BY s.started_at, s.cdr_id;

-- The disputes of a CDR, the latest first.
-- name: DisputesOfCDR :many
SELECT d.*, c.open, c.credit_id FROM dispute_cdrs c JOIN disputes d ON d.id = c.dispute_id WHERE c.cdr_id = @cdr_id ORDER BY d.opened_at DESC, d.id DESC;

-- name: OpenDisputesOfCDRs :many
SELECT c.* FROM dispute_cdrs c WHERE c.cdr_id = ANY (@cdr_ids::uuid[]) AND c.open;

-- name: SetDisputeState :exec
UPDATE disputes SET state = @state, sent_at = coalesce(sent_at, sqlc.narg(sent_at)::timestamptz), answered_at = coalesce(answered_at, sqlc.narg(answered_at)::timestamptz),
    closed_at = sqlc.narg(closed_at)::timestamptz, deadline = @deadline, updated_at = @now::timestamptz
WHERE id = @id;

-- name: SetDisputeCDRsOpen :exec
UPDATE dispute_cdrs SET open = @open WHERE dispute_id = @dispute_id;

-- name: SetDisputeEvidence :exec
UPDATE dispute_cdrs SET evidence = @evidence WHERE dispute_id = @dispute_id AND cdr_id = @cdr_id;

-- name: SetDisputeAccepted :exec
UPDATE dispute_cdrs SET accepted = @accepted WHERE dispute_id = @dispute_id AND cdr_id = @cdr_id;

-- A CDR leaves its dispute, because it was accepted or settled by itself.
-- name: RemoveDisputeCDR :exec
DELETE FROM dispute_cdrs WHERE dispute_id = @dispute_id AND cdr_id = @cdr_id;

-- The dispute that a credit belongs to: the open one of its original, or else the last.
-- name: DisputeForCredit :one
SELECT c.dispute_id FROM dispute_cdrs c JOIN disputes d ON d.id = c.dispute_id
WHERE c.cdr_id = @cdr_id AND d.state <> 'withdrawn' ORDER BY c.open DESC, d.opened_at DESC LIMIT 1;

-- name: CreditDisputeCDR :exec
UPDATE dispute_cdrs SET credited = credited + @credited, credit_id = @credit_id WHERE dispute_id = @dispute_id AND cdr_id = @cdr_id;

-- name: InsertDisputeMessage :exec
INSERT INTO dispute_messages (id, tenant_id, dispute_id, direction, at, actor, subject, body, reference)
VALUES (@id, @tenant_id, @dispute_id, @direction, @at, @actor, @subject, @body, @reference);

-- name: DisputeMessages :many
SELECT * FROM dispute_messages WHERE dispute_id = @dispute_id ORDER BY at, id;

-- Disputes whose deadline ends before an instant.
-- name: DisputesEnding :many
SELECT id, tenant_id, partner_id, number, deadline, state, expected, currency FROM disputes WHERE closed_at IS NULL AND deadline < @before::timestamptz ORDER BY deadline LIMIT @max_rows;

-- Disputes that have expired and whose claims nobody has decided about.
-- name: DisputesExpired :many
SELECT id, tenant_id, partner_id, number, deadline, state, expected, currency FROM disputes d
WHERE d.state = 'expired' AND EXISTS (SELECT FROM dispute_cdrs c JOIN cdr_states s ON s.cdr_id = c.cdr_id WHERE c.dispute_id = d.id AND s.cpo_state = 'questioned')
ORDER BY deadline DESC LIMIT @max_rows;

-- The messages of a CDR in the log, for the evidence.
-- name: MessageIDsOfObject :many
SELECT id, at FROM messages WHERE objects @> ARRAY[@object::text] ORDER BY at LIMIT 20;
