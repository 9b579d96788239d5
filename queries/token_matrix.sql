-- Cards and what each partner knows of them. Without tenant_id: every utility. A delivery is open while it is due, has failed
-- when it says why, and is for a partner that is away when that does not answer or rejects our token.

-- name: CardList :many
SELECT * FROM (
    SELECT t.id, t.uid, t.type, t.visual_number, t.valid, t.whitelist, t.last_updated, c.contract_id, cu.name AS customer, te.name AS tenant,
        (extract(epoch FROM t.last_updated) * @direction::integer)::numeric AS key
    FROM tokens t JOIN contracts c ON c.id = t.contract_id JOIN customers cu ON cu.id = c.customer_id JOIN tenants te ON te.id = t.tenant_id
    WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR t.tenant_id = sqlc.narg(tenant_id))
        AND (@pattern::text = '' OR t.uid ILIKE @pattern OR t.visual_number ILIKE @pattern OR c.contract_id ILIKE @pattern OR cu.name ILIKE @pattern)
        AND (sqlc.narg(partner_id)::uuid IS NULL OR EXISTS (SELECT FROM token_deliveries d WHERE d.token_id = t.id AND d.partner_id = sqlc.narg(partner_id)))
        AND CASE @state::text WHEN 'blocked' THEN NOT t.valid
            WHEN 'open' THEN EXISTS (SELECT FROM token_deliveries d WHERE d.token_id = t.id AND d.due_at IS NOT NULL
                AND (sqlc.narg(partner_id) IS NULL OR d.partner_id = sqlc.narg(partner_id)))
            WHEN 'failed' THEN EXISTS (SELECT FROM token_deliveries d WHERE d.token_id = t.id AND d.problem <> ''
                AND (sqlc.narg(partner_id) IS NULL OR d.partner_id = sqlc.narg(partner_id)))
            WHEN 'away' THEN EXISTS (SELECT FROM token_deliveries d JOIN partners p ON p.id = d.partner_id
                WHERE d.token_id = t.id AND d.due_at IS NOT NULL AND (p.failing_since IS NOT NULL OR p.rejected_at IS NOT NULL)
                AND (sqlc.narg(partner_id) IS NULL OR d.partner_id = sqlc.narg(partner_id)))
            ELSE true END
) AS rows
WHERE NOT @paged::boolean OR CASE WHEN @backward::boolean THEN (key, id) < (@after_key::numeric, @after_id::uuid) ELSE (key, id) > (@after_key, @after_id) END
ORDER BY CASE WHEN @backward THEN -key ELSE key END, CASE WHEN @backward THEN id END DESC, id
LIMIT @max_rows;

-- name: CardCounts :one
SELECT count(*) AS all_cards, count(*) FILTER (WHERE NOT valid) AS blocked, count(*) FILTER (WHERE is_open) AS open, count(*) FILTER (WHERE failed) AS failed, count(*) FILTER (WHERE away) AS away
FROM (
    SELECT t.valid, coalesce(d.is_open, false) AS is_open, coalesce(d.failed, false) AS failed, coalesce(d.away, false) AS away
    FROM tokens t JOIN contracts c ON c.id = t.contract_id JOIN customers cu ON cu.id = c.customer_id
        LEFT JOIN (
            SELECT i.token_id, bool_or(i.due_at IS NOT NULL) AS is_open, bool_or(i.problem <> '') AS failed,
                bool_or(i.due_at IS NOT NULL AND (p.failing_since IS NOT NULL OR p.rejected_at IS NOT NULL)) AS away, bool_or(i.partner_id = sqlc.narg(partner_id)) AS asked
            FROM token_deliveries i JOIN partners p ON p.id = i.partner_id WHERE sqlc.narg(partner_id)::uuid IS NULL OR i.partner_id = sqlc.narg(partner_id) GROUP BY i.token_id
        ) d ON d.token_id = t.id
    WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR t.tenant_id = sqlc.narg(tenant_id)) AND (sqlc.narg(partner_id) IS NULL OR d.asked)
        AND (@pattern::text = '' OR t.uid ILIKE @pattern OR t.visual_number ILIKE @pattern OR c.contract_id ILIKE @pattern OR cu.name ILIKE @pattern)
) AS cards;

-- name: CardDetail :one
SELECT sqlc.embed(t), c.contract_id, cu.name AS customer, cu.number AS customer_number, cu.id AS customer_id, cu.no_credit, te.name AS tenant,
    (SELECT count(*) FROM tokens o JOIN contracts oc ON oc.id = o.contract_id WHERE oc.customer_id = cu.id AND o.valid) AS cards
FROM tokens t JOIN contracts c ON c.id = t.contract_id JOIN customers cu ON cu.id = c.customer_id JOIN tenants te ON te.id = t.tenant_id
WHERE t.id = @id AND (sqlc.narg(tenant_id)::uuid IS NULL OR t.tenant_id = sqlc.narg(tenant_id));

-- name: DeliveriesOfCards :many
SELECT d.* FROM token_deliveries d WHERE d.token_id = ANY (@token_ids::uuid[]);

-- The partners that tokens go to.
-- name: TokenPartners :many
SELECT p.id, p.name, p.state, p.failing_since, p.rejected_at FROM partners p
WHERE p.state = 'registered' AND (sqlc.narg(tenant_id)::uuid IS NULL OR EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = p.id AND w.tenant_id = sqlc.narg(tenant_id)))
ORDER BY p.name;
