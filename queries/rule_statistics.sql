-- How the plausibility rules fare: one pass over the CDRs of a utility and a time. Without partner_id: every partner.

-- Hits of each rule by partner, and what people made of them. What is rated and released without a person having looked is in
-- none of the four.
-- name: RuleHits :many
SELECT f.rule::text AS rule, s.partner_id, p.name AS partner, count(*) AS hits,
    count(*) FILTER (WHERE f.rule = ANY (s.cleared)) AS accepted,
    count(*) FILTER (WHERE s.cpo_state IN ('disputed', 'refused', 'credited') AND s.state <> 'dropped' AND s.retail_state <> 'waived') AS disputed,
    count(*) FILTER (WHERE s.retail_state = 'waived') AS waived,
    count(*) FILTER (WHERE s.state = 'dropped') AS dropped,
    count(*) FILTER (WHERE s.state IN ('held', 'waiting')) AS open
FROM cdr_states s CROSS JOIN LATERAL unnest(s.flags) AS f (rule) JOIN partners p ON p.id = s.partner_id
WHERE s.tenant_id = @tenant_id AND s.started_at >= @since::timestamptz AND s.started_at < @until::timestamptz AND s.credit_reference = ''
    AND (sqlc.narg(partner_id)::uuid IS NULL OR s.partner_id = sqlc.narg(partner_id))
GROUP BY f.rule, s.partner_id, p.name ORDER BY f.rule, p.name;

-- How many CDRs a rule measured, by partner, and how many it would have flagged with each of some limits.
-- name: RuleWouldFlag :many
SELECT s.partner_id, p.name AS partner, l.limit_value::numeric AS limit_value, count(*) AS measured,
    count(*) FILTER (WHERE CASE WHEN @below::boolean THEN m.value < l.limit_value ELSE m.value > l.limit_value END) AS flagged,
    coalesce(sum(abs(s.claimed)) FILTER (WHERE CASE WHEN @below THEN m.value < l.limit_value ELSE m.value > l.limit_value END), 0)::numeric AS claimed
FROM cdr_states s JOIN ratings r ON r.id = s.rating_id JOIN partners p ON p.id = s.partner_id
    CROSS JOIN LATERAL (SELECT (r.measures->>(@rule::text))::numeric AS value) AS m CROSS JOIN unnest(@limits::numeric[]) AS l (limit_value)
WHERE s.tenant_id = @tenant_id AND s.started_at >= @since::timestamptz AND s.started_at < @until::timestamptz AND s.credit_reference = ''
    AND (sqlc.narg(partner_id)::uuid IS NULL OR s.partner_id = sqlc.narg(partner_id)) AND m.value IS NOT NULL
GROUP BY s.partner_id, p.name, l.limit_value ORDER BY l.limit_value, p.name;

-- How many CDRs each rule measured and what, for the page that shows all rules.
-- name: RuleMeasures :many
SELECT m.rule::text AS rule, count(*) AS measured, max(m.value::numeric)::numeric AS highest, min(m.value::numeric)::numeric AS lowest,
    percentile_disc(0.99) WITHIN GROUP (ORDER BY m.value::numeric)::numeric AS p99
FROM cdr_states s JOIN ratings r ON r.id = s.rating_id CROSS JOIN LATERAL jsonb_each_text(r.measures) AS m (rule, value)
WHERE s.tenant_id = @tenant_id AND s.started_at >= @since::timestamptz AND s.started_at < @until::timestamptz AND s.credit_reference = ''
    AND (sqlc.narg(partner_id)::uuid IS NULL OR s.partner_id = sqlc.narg(partner_id))
GROUP BY m.rule ORDER BY m.rule;
