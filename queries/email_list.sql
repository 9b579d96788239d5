-- The outbox as the back office shows it. Without tenant_id: every utility.

-- name: EmailList :many
SELECT * FROM (
    SELECT e.id, e.recipient, e.subject, e.state, e.problem, e.attempts, e.created_at, e.sent_at, e.invoice_id, coalesce(i.number, '')::text AS invoice_number, t.name AS tenant,
        (extract(epoch FROM e.created_at) * @direction::integer)::numeric AS key
    FROM emails e JOIN tenants t ON t.id = e.tenant_id LEFT JOIN invoices i ON i.id = e.invoice_id
    WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR e.tenant_id = sqlc.narg(tenant_id))
        AND (@pattern::text = '' OR e.recipient ILIKE @pattern OR e.subject ILIKE @pattern OR i.number ILIKE @pattern)
        AND (@state::text = '' OR e.state = @state)
) AS rows
WHERE NOT @paged::boolean OR CASE WHEN @backward::boolean THEN (key, id) < (@after_key::numeric, @after_id::uuid) ELSE (key, id) > (@after_key, @after_id) END
ORDER BY CASE WHEN @backward THEN -key ELSE key END, CASE WHEN @backward THEN id END DESC, id
LIMIT @max_rows;

-- name: EmailCounts :many
SELECT e.state, count(*) AS many FROM emails e LEFT JOIN invoices i ON i.id = e.invoice_id
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR e.tenant_id = sqlc.narg(tenant_id))
    AND (@pattern::text = '' OR e.recipient ILIKE @pattern OR e.subject ILIKE @pattern OR i.number ILIKE @pattern)
GROUP BY e.state;

-- name: EmailDetail :one
SELECT sqlc.embed(e), coalesce(i.number, '')::text AS invoice_number, t.name AS tenant
FROM emails e JOIN tenants t ON t.id = e.tenant_id LEFT JOIN invoices i ON i.id = e.invoice_id
WHERE e.id = @id AND (sqlc.narg(tenant_id)::uuid IS NULL OR e.tenant_id = sqlc.narg(tenant_id));
