-- Quarantine as the back office shows it: by partner and error. Without tenant_id: every partner; with one, those that the
-- utility works with.

-- The groups of a state, the most frequent first. Positions in lists make no difference; sample is the newest message of the group.
-- name: QuarantineGroups :many
SELECT q.partner_id, p.name AS partner, q.module, regexp_replace(q.error_path, '\[\d+\]', '[]', 'g')::text AS error_path, q.error_rule, count(*) AS many, sum(q.count)::bigint AS times, min(q.first_at)::timestamptz AS first_at,
    max(q.last_at)::timestamptz AS last_at, (array_agg(q.id ORDER BY q.last_at DESC))[1]::uuid AS sample, (array_agg(q.message ORDER BY q.last_at DESC))[1]::text AS message
FROM quarantine q JOIN partners p ON p.id = q.partner_id
WHERE q.state = @state AND (sqlc.narg(partner_id)::uuid IS NULL OR q.partner_id = sqlc.narg(partner_id))
    AND (sqlc.narg(tenant_id)::uuid IS NULL OR EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = q.partner_id AND w.tenant_id = sqlc.narg(tenant_id)))
GROUP BY 1, 2, 3, 4, 5
ORDER BY times DESC, 2, 3, 4, 5 LIMIT @max_rows;

-- name: QuarantineCounts :many
SELECT q.state, count(*) AS many FROM quarantine q
WHERE (sqlc.narg(partner_id)::uuid IS NULL OR q.partner_id = sqlc.narg(partner_id))
    AND (sqlc.narg(tenant_id)::uuid IS NULL OR EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = q.partner_id AND w.tenant_id = sqlc.narg(tenant_id)))
GROUP BY q.state;

-- name: QuarantineDetail :one
SELECT sqlc.embed(q), p.name AS partner FROM quarantine q JOIN partners p ON p.id = q.partner_id
WHERE q.id = @id AND (sqlc.narg(tenant_id)::uuid IS NULL OR EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = q.partner_id AND w.tenant_id = sqlc.narg(tenant_id)));

-- The messages of the group that one of them belongs to, in the order in which they came.
-- name: QuarantineGroup :many
SELECT g.id, g.method, g.path, g.count, g.first_at, g.last_at, g.error_value, g.resolution, g.resolved_by, g.resolved_at, g.message_id, octet_length(g.body)::integer AS size
FROM quarantine q JOIN quarantine g ON g.partner_id = q.partner_id AND g.module = q.module AND regexp_replace(g.error_path, '\[\d+\]', '[]', 'g') = regexp_replace(q.error_path, '\[\d+\]', '[]', 'g') AND g.error_rule = q.error_rule AND g.state = q.state
WHERE q.id = @id ORDER BY g.first_at, g.id LIMIT @max_rows;
