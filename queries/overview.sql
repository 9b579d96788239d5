-- What the overview of the back office counts. Without tenant_id: every utility.

-- What a person has to look at, by kind and currency.
-- name: OverviewWork :many
SELECT 'held' AS kind, s.currency, count(*) AS many, sum(s.claimed)::numeric AS amount FROM cdr_states s
WHERE s.state = 'held' AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id)) GROUP BY s.currency
UNION ALL
SELECT 'waiting', s.currency, count(*), sum(s.claimed)::numeric FROM cdr_states s
WHERE s.state = 'waiting' AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id)) GROUP BY s.currency
UNION ALL
SELECT 'disputed', s.currency, count(*), sum(greatest(s.claimed - r.computed_net, 0))::numeric FROM cdr_states s LEFT JOIN ratings r ON r.id = s.rating_id
WHERE s.cpo_state IN ('questioned', 'disputed') AND s.started_at >= @since::timestamptz AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id)) GROUP BY s.currency
UNION ALL
SELECT 'proposed', s.currency, count(*), sum(s.claimed)::numeric FROM drop_proposals d JOIN cdr_states s ON s.cdr_id = d.cdr_id
WHERE d.state = 'open' AND (sqlc.narg(tenant_id)::uuid IS NULL OR d.tenant_id = sqlc.narg(tenant_id)) GROUP BY s.currency
UNION ALL
SELECT 'mine', s.currency, count(*), sum(s.claimed)::numeric FROM cdr_states s
WHERE s.assignee = @assignee::text AND s.state IN ('held', 'waiting') AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id)) GROUP BY s.currency
UNION ALL
SELECT CASE d.state WHEN 'open' THEN 'dispute-open' ELSE 'dispute-due' END, d.currency, count(*), sum(d.expected)::numeric FROM disputes d
WHERE d.closed_at IS NULL AND (d.state = 'open' OR d.deadline < @soon::timestamptz) AND (sqlc.narg(tenant_id)::uuid IS NULL OR d.tenant_id = sqlc.narg(tenant_id)) GROUP BY 1, d.currency
UNION ALL
SELECT 'invoice-' || i.state, i.currency, count(*), sum(i.gross)::numeric FROM invoices i
WHERE i.state IN ('draft', 'failed') AND (sqlc.narg(tenant_id)::uuid IS NULL OR i.tenant_id = sqlc.narg(tenant_id)) GROUP BY i.state, i.currency
UNION ALL
SELECT 'email-failed', '', count(*), 0 FROM emails e
WHERE e.state = 'failed' AND (sqlc.narg(tenant_id)::uuid IS NULL OR e.tenant_id = sqlc.narg(tenant_id)) HAVING count(*) > 0
UNION ALL
SELECT 'alerts', '', count(*), 0 FROM alerts a
WHERE a.resolved_at IS NULL AND (sqlc.narg(tenant_id)::uuid IS NULL OR a.tenant_id = sqlc.narg(tenant_id)
    OR a.tenant_id IS NULL AND EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = a.partner_id AND w.tenant_id = sqlc.narg(tenant_id))) HAVING count(*) > 0;

-- Days are calendar days in Germany. Energy and money count once a CDR is rated and nothing holds it: what is held may be absurd.
-- name: OverviewDays :many
SELECT (s.started_at AT TIME ZONE 'Europe/Berlin')::date AS day, s.currency, count(*) AS many, coalesce(sum(s.kwh) FILTER (WHERE s.state IN ('rated', 'invoiced')), 0)::numeric AS kwh,
    coalesce(sum(r.retail_net), 0)::numeric AS retail_net, coalesce(sum(r.claimed_net), 0)::numeric AS claimed, coalesce(sum(r.margin), 0)::numeric AS margin
FROM cdr_states s LEFT JOIN ratings r ON r.id = s.rating_id AND s.state IN ('rated', 'invoiced')
WHERE s.state NOT IN ('credited', 'dropped') AND s.started_at >= @since::timestamptz AND s.started_at < @until::timestamptz
    AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id))
GROUP BY 1, 2 ORDER BY 1, 2;
