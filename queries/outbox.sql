-- The outbox as the back office shows it. Without tenant_id: every utility.

-- name: OutboxList :many
SELECT * FROM (
    SELECT o.id, o.way, o.copy, o.recipient, o.subject, o.state, o.problem, o.attempts, o.created_at, o.sent_at, o.invoice_id, coalesce(i.number, '')::text AS invoice_number, t.name AS tenant,
        (extract(epoch FROM o.created_at) * @direction::integer)::numeric AS key
    FROM outbox o JOIN tenants t ON t.id = o.tenant_id LEFT JOIN invoices i ON i.id = o.invoice_id
    WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR o.tenant_id = sqlc.narg(tenant_id))
        AND (@pattern::text = '' OR o.recipient ILIKE @pattern OR o.subject ILIKE @pattern OR i.number ILIKE @pattern)
        AND (@state::text = '' OR o.state = @state) AND (@way::text = '' OR o.way = @way)
) AS rows
WHERE NOT @paged::boolean OR CASE WHEN @backward::boolean THEN (key, id) < (@after_key::numeric, @after_id::uuid) ELSE (key, id) > (@after_key, @after_id) END
ORDER BY CASE WHEN @backward THEN -key ELSE key END, CASE WHEN @backward THEN id END DESC, id
LIMIT @max_rows;

-- name: OutboxCounts :many
SELECT o.state, o.way, count(*) AS many FROM outbox o LEFT JOIN invoices i ON i.id = o.invoice_id
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR o.tenant_id = sqlc.narg(tenant_id))
    AND (@pattern::text = '' OR o.recipient ILIKE @pattern OR o.subject ILIKE @pattern OR i.number ILIKE @pattern)
GROUP BY o.state, o.way;

-- name: OutboxDetail :one
SELECT sqlc.embed(o), coalesce(i.number, '')::text AS invoice_number, t.name AS tenant, coalesce(i.recipient_id, i.customer_id, '00000000-0000-0000-0000-000000000000')::uuid AS recipient_id
FROM outbox o JOIN tenants t ON t.id = o.tenant_id LEFT JOIN invoices i ON i.id = o.invoice_id
WHERE o.id = @id AND (sqlc.narg(tenant_id)::uuid IS NULL OR o.tenant_id = sqlc.narg(tenant_id));

