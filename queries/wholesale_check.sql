-- How the claims of partners are checked.

-- name: WholesaleCheck :one
SELECT * FROM wholesale_checks WHERE tenant_id = @tenant_id AND partner_id = @partner_id;

-- name: SaveWholesaleCheck :exec
INSERT INTO wholesale_checks (tenant_id, partner_id, reading, per_line, relative, energy, hours, month, month_relative, updated_at)
VALUES (@tenant_id, @partner_id, @reading, @per_line, @relative, @energy, @hours, @month, @month_relative, @updated_at)
ON CONFLICT (tenant_id, partner_id) DO UPDATE SET reading = excluded.reading, per_line = excluded.per_line, relative = excluded.relative,
    energy = excluded.energy, hours = excluded.hours, month = excluded.month, month_relative = excluded.month_relative, updated_at = excluded.updated_at;

-- What the claims that agree, and the computed figures, come to in each month of the sessions since an instant, of all partners
-- or of one with one utility: what is tolerated of each adds up.
-- name: WholesaleDrifts :many
SELECT s.tenant_id, s.partner_id, date_trunc('month', s.started_at, 'UTC')::timestamptz AS month, r.currency,
    count(*) AS many, sum(r.claimed_net)::numeric AS claimed, sum(r.computed_net)::numeric AS computed
FROM cdr_states s JOIN ratings r ON r.id = s.rating_id
WHERE s.started_at >= @since::timestamptz AND r.agrees AND s.state IN ('rated', 'invoiced')
    AND (sqlc.narg('tenant_id')::uuid IS NULL OR s.tenant_id = sqlc.narg('tenant_id')) AND (sqlc.narg('partner_id')::uuid IS NULL OR s.partner_id = sqlc.narg('partner_id'))
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

-- By which readings the claims of a partner come out that do not agree, and by how much they differ together.
-- name: ClaimReadings :many
SELECT coalesce(r.verdict->>'Reading', '')::text AS reading, (coalesce(r.verdict->>'AtStake', '') <> '')::boolean AS at_stake, r.currency,
    count(*) AS many, sum(r.claimed_net - r.computed_net)::numeric AS delta
FROM cdr_states s JOIN ratings r ON r.id = s.rating_id
WHERE s.tenant_id = @tenant_id AND s.partner_id = @partner_id AND s.started_at >= @since::timestamptz AND NOT r.agrees
GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 1, 2, 3;
