-- What somebody should look at: one open row for each kind and subject of a partner.

-- Raises an alert, or says that it still holds.
-- name: RaiseAlert :one
INSERT INTO alerts (id, kind, partner_id, tenant_id, subject, params, first_at, last_at)
VALUES (@id, @kind, @partner_id, @tenant_id, @subject, @params, @now::timestamptz, @now::timestamptz)
ON CONFLICT (kind, partner_id, subject) WHERE resolved_at IS NULL DO UPDATE SET last_at = excluded.last_at, params = excluded.params
RETURNING (xmax = 0)::boolean AS is_new;

-- name: ResolveAlert :execrows
UPDATE alerts SET resolved_at = @now::timestamptz WHERE kind = @kind AND partner_id = @partner_id AND subject = @subject AND resolved_at IS NULL;

-- Alerts of a kind that were not raised again since.
-- name: ResolveAlertsBefore :execrows
UPDATE alerts SET resolved_at = @now::timestamptz WHERE kind = @kind AND last_at < @since::timestamptz AND resolved_at IS NULL;

-- The newest first. Without tenant_id: every alert.
-- name: AlertList :many
SELECT sqlc.embed(a), p.name AS partner FROM alerts a JOIN partners p ON p.id = a.partner_id
WHERE (NOT @open_only::boolean OR a.resolved_at IS NULL)
    AND (sqlc.narg(partner_id)::uuid IS NULL OR a.partner_id = sqlc.narg(partner_id))
    AND (sqlc.narg(tenant_id)::uuid IS NULL OR a.tenant_id = sqlc.narg(tenant_id)
        OR a.tenant_id IS NULL AND EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = a.partner_id AND w.tenant_id = sqlc.narg(tenant_id)))
ORDER BY a.first_at DESC, a.id DESC LIMIT @max_rows;

-- The most days that were agreed with a partner for its CDRs; 0: none were.
-- name: LongestCDRDays :one
SELECT coalesce(max(cdr_days), 0)::integer FROM partners;

-- Completed sessions with energy that have no CDR: those that were last told of before an instant, and no more days ago than
-- was agreed with the partner, or than usual. A CDR that names no session is found by card and start (CDR-13).
-- name: SessionsWithoutCDR :many
SELECT s.partner_id, s.tenant_id, s.country_code, s.party_id, s.session_id, s.started_at, s.kwh, s.updated_at FROM sessions s JOIN partners p ON p.id = s.partner_id
WHERE s.status = 'COMPLETED' AND s.kwh > 0 AND s.updated_at < @before::timestamptz
    AND s.updated_at >= @longest_ago::timestamptz AND s.updated_at + interval '1 day' * coalesce(p.cdr_days, @usual_days::integer) >= @now::timestamptz
    AND NOT EXISTS (SELECT FROM cdr_states c WHERE c.country_code = s.country_code AND c.party_id = s.party_id AND c.session_id <> '' AND upper(c.session_id) = s.session_id)
    AND NOT EXISTS (SELECT FROM cdr_states c WHERE c.tenant_id = s.tenant_id AND c.country_code = s.country_code AND c.party_id = s.party_id AND c.session_id = ''
        AND upper(c.token_uid) = upper(s.doc->'cdr_token'->>'uid') AND c.started_at BETWEEN s.started_at - interval '15 minutes' AND s.started_at + interval '15 minutes')
ORDER BY s.updated_at LIMIT @max_rows;

-- How often CDRs come from each partner: the longest gap between two since an instant, and the last one.
-- name: CDRRhythms :many
SELECT g.partner_id, count(*) AS many, max(g.received_at)::timestamptz AS last_at, coalesce(extract(epoch FROM max(g.gap)), 0)::bigint AS longest_gap_seconds
FROM (
    SELECT s.partner_id, s.received_at, s.received_at - lag(s.received_at) OVER (PARTITION BY s.partner_id ORDER BY s.received_at) AS gap
    FROM cdr_states s JOIN partners p ON p.id = s.partner_id WHERE s.received_at >= @since::timestamptz AND p.state = 'registered'
) g GROUP BY g.partner_id ORDER BY g.partner_id;

-- Blocked cards that a partner has not confirmed since an instant (TOK-15).
-- name: UnconfirmedBlocks :many
SELECT d.partner_id, count(*) AS many, min(t.last_updated)::timestamptz AS oldest FROM token_deliveries d JOIN tokens t ON t.id = d.token_id JOIN partners p ON p.id = d.partner_id
WHERE d.due_at IS NOT NULL AND NOT t.valid AND t.last_updated < @before::timestamptz AND p.state = 'registered'
GROUP BY d.partner_id ORDER BY d.partner_id;
