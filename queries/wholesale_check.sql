-- How the claims of partners are checked.

-- name: WholesaleCheck :one
SELECT * FROM wholesale_checks WHERE tenant_id = @tenant_id AND partner_id = @partner_id;

-- name: SaveWholesaleCheck :exec
INSERT INTO wholesale_checks (tenant_id, partner_id, reading, per_line, relative, energy, hours, month, month_relative, updated_at)
VALUES (@tenant_id, @partner_id, @reading, @per_line, @relative, @energy, @hours, @month, @month_relative, @updated_at)
ON CONFLICT (tenant_id, partner_id) DO UPDATE SET reading = excluded.reading, per_line = excluded.per_line, relative = excluded.relative,
    energy = excluded.energy, hours = excluded.hours, month = excluded.month, month_relative = excluded.month_relative, updated_at = excluded.updated_at;

-- What the claims that agree, and the computed figures, come to in each month of the sessions since an instant: what is
-- tolerated of each adds up.
-- name: WholesaleDrifts :many
SELECT s.tenant_id, s.partner_id, date_trunc('month', s.started_at, 'UTC')::timestamptz AS month, r.currency,
    count(*) AS many, sum(r.claimed_net)::numeric AS claimed, sum(r.computed_net)::numeric AS computed
FROM cdr_states s JOIN ratings r ON r.id = s.rating_id
WHERE s.started_at >= @since::timestamptz AND r.agrees AND s.state IN ('rated', 'invoiced')
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
