-- The CDR list of the back office. Its filters stand twice, for the rows and for the sums of the tabs. Without tenant_id:
-- every utility. What was credited or dropped earns nothing any more.

-- Ordered by a key, ties by id; after_key and after_id are those of the row that the page starts behind. backward turns the
-- page around: the rows before that one, nearest first.
-- name: CDRList :many
SELECT * FROM (
    SELECT s.cdr_id, s.ocpi_id, s.country_code, s.party_id, s.state, s.reason, s.cpo_state, s.flags, s.started_at, s.ended_at, s.place, s.evse_id,
        s.operator, p.name AS partner, t.name AS tenant, coalesce(c.name, '')::text AS customer, coalesce(nullif(k.visual_number, ''), s.token_uid)::text AS card,
        s.kwh, s.currency, s.claimed, r.computed_net, r.retail_net, r.margin,
        ((CASE @sort::text WHEN 'kwh' THEN s.kwh WHEN 'claimed' THEN s.claimed WHEN 'retail' THEN coalesce(r.retail_net, 0)
            WHEN 'margin' THEN coalesce(r.margin, 0) WHEN 'duration' THEN extract(epoch FROM s.ended_at - s.started_at)
            ELSE extract(epoch FROM s.started_at) END) * @direction::integer)::numeric AS key
    FROM cdr_states s JOIN partners p ON p.id = s.partner_id JOIN tenants t ON t.id = s.tenant_id
        LEFT JOIN customers c ON c.id = s.customer_id LEFT JOIN tokens k ON k.id = s.token_id LEFT JOIN ratings r ON r.id = s.rating_id AND s.state NOT IN ('credited', 'dropped')
    WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id))
        AND s.started_at >= @since::timestamptz AND s.started_at < @until::timestamptz
        AND (sqlc.narg(partner_id)::uuid IS NULL OR s.partner_id = sqlc.narg(partner_id))
        AND (@pattern::text = '' OR s.ocpi_id ILIKE @pattern OR s.session_id ILIKE @pattern OR s.evse_id ILIKE @pattern OR s.place ILIKE @pattern OR s.operator ILIKE @pattern
            OR s.token_uid ILIKE @pattern OR k.visual_number ILIKE @pattern OR c.name ILIKE @pattern OR c.number ILIKE @pattern)
        AND (@flag::text = '' OR @flag = ANY (s.flags))
        AND (@state::text = '' OR s.state = @state OR (@state = 'disputed' AND s.cpo_state IN ('questioned', 'disputed')))
) AS rows
WHERE NOT @paged::boolean OR CASE WHEN @backward::boolean THEN (key, cdr_id) < (@after_key::numeric, @after_id::uuid) ELSE (key, cdr_id) > (@after_key, @after_id) END
ORDER BY CASE WHEN @backward THEN -key ELSE key END, CASE WHEN @backward THEN cdr_id END DESC, cdr_id
LIMIT @max_rows;

-- name: CDRSums :many
SELECT s.state, s.cpo_state IN ('questioned', 'disputed') AS disputed, s.currency, count(*) AS many, sum(s.kwh)::numeric AS kwh, sum(s.claimed)::numeric AS claimed,
    coalesce(sum(r.retail_net), 0)::numeric AS retail_net, coalesce(sum(r.margin), 0)::numeric AS margin
FROM cdr_states s LEFT JOIN customers c ON c.id = s.customer_id LEFT JOIN tokens k ON k.id = s.token_id LEFT JOIN ratings r ON r.id = s.rating_id AND s.state NOT IN ('credited', 'dropped')
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id))
    AND s.started_at >= @since::timestamptz AND s.started_at < @until::timestamptz
    AND (sqlc.narg(partner_id)::uuid IS NULL OR s.partner_id = sqlc.narg(partner_id))
    AND (@pattern::text = '' OR s.ocpi_id ILIKE @pattern OR s.session_id ILIKE @pattern OR s.evse_id ILIKE @pattern OR s.place ILIKE @pattern OR s.operator ILIKE @pattern
        OR s.token_uid ILIKE @pattern OR k.visual_number ILIKE @pattern OR c.name ILIKE @pattern OR c.number ILIKE @pattern)
    AND (@flag::text = '' OR @flag = ANY (s.flags))
GROUP BY s.state, s.cpo_state IN ('questioned', 'disputed'), s.currency;
