-- The CDR list of the back office. Which rows belong to it says cdrs_found, for the rows, the sums and the groups alike. Without
-- tenant_id: every utility.

-- Ordered by a key, ties by id; after_key and after_id are those of the row that the page starts behind. backward turns the
-- page around: the rows before that one, nearest first.
-- name: CDRList :many
SELECT s.cdr_id, s.ocpi_id, s.country_code, s.party_id, s.state, s.reason, s.retail_state, s.cpo_state, s.flags, s.severity, s.assignee, s.held_until, s.started_at, s.ended_at, s.received_at, s.place, s.evse_id,
    s.operator, p.name AS partner, t.name AS tenant, coalesce(c.name, '')::text AS customer, coalesce(nullif(k.visual_number, ''), s.token_uid)::text AS card, coalesce(o.contract_id, '')::text AS contract,
    s.kwh, s.currency, s.claimed, r.computed_net, r.retail_net, r.margin, coalesce(n.name, '')::text AS plan, coalesce(v.version, 0)::integer AS plan_version,
    coalesce((r.wholesale->>'TotalParkingTime')::numeric, 0)::numeric AS parking,
    (CASE WHEN m.rating_id IS NULL THEN '' WHEN m.reason = '' THEN 'proven' ELSE 'invalid' END)::text AS meter, page.key
FROM (
    SELECT f.cdr_id, f.key FROM (
        SELECT found.cdr_id, ((CASE @sort::text WHEN 'kwh' THEN found.kwh WHEN 'claimed' THEN found.claimed WHEN 'retail' THEN coalesce(found.retail_net, 0)
            WHEN 'margin' THEN coalesce(found.margin, 0) WHEN 'duration' THEN extract(epoch FROM found.ended_at - found.started_at) WHEN 'delta' THEN coalesce(abs(found.delta), 0)
            WHEN 'lag' THEN extract(epoch FROM found.received_at - found.ended_at) ELSE extract(epoch FROM found.started_at) END) * @direction::integer)::numeric AS key
        FROM cdrs_found(sqlc.narg(tenant_id), @filter) AS found
    ) AS f
    WHERE NOT @paged::boolean OR CASE WHEN @backward::boolean THEN (f.key, f.cdr_id) < (@after_key::numeric, @after_id::uuid) ELSE (f.key, f.cdr_id) > (@after_key, @after_id) END
    ORDER BY CASE WHEN @backward THEN -f.key ELSE f.key END, CASE WHEN @backward THEN f.cdr_id END DESC, f.cdr_id
    LIMIT @max_rows
) AS page JOIN cdr_states s ON s.cdr_id = page.cdr_id JOIN partners p ON p.id = s.partner_id JOIN tenants t ON t.id = s.tenant_id
    LEFT JOIN customers c ON c.id = s.customer_id LEFT JOIN tokens k ON k.id = s.token_id LEFT JOIN contracts o ON o.id = s.contract_id LEFT JOIN ratings r ON r.id = s.rating_id AND s.state NOT IN ('credited', 'dropped')
    LEFT JOIN plan_versions v ON v.id = r.plan_version_id LEFT JOIN plans n ON n.id = v.plan_id LEFT JOIN meter_proofs m ON m.rating_id = s.rating_id
ORDER BY CASE WHEN @backward THEN -page.key ELSE page.key END, CASE WHEN @backward THEN s.cdr_id END DESC, s.cdr_id;

-- name: CDRSums :many
SELECT s.state, s.cpo_state IN ('questioned', 'disputed') AS disputed, s.currency, count(*) AS many, sum(s.kwh)::numeric AS kwh, sum(s.claimed)::numeric AS claimed,
    coalesce(sum(s.computed_net), 0)::numeric AS computed_net, coalesce(sum(s.delta), 0)::numeric AS delta, coalesce(sum(s.retail_net), 0)::numeric AS retail_net, coalesce(sum(s.margin), 0)::numeric AS margin
FROM cdrs_found(sqlc.narg(tenant_id), @filter) AS s
GROUP BY s.state, s.cpo_state IN ('questioned', 'disputed'), s.currency;

-- What is found by rule ("rule"; a CDR counts with each that it hit, and with an empty one when it hit none), partner, party of the
-- operator, or reason.
-- name: CDRGroups :many
SELECT g.key::text AS key, coalesce(p.name, CASE WHEN @by = 'party' THEN max(s.operator) END, '')::text AS name, s.currency, count(*) AS many, sum(s.kwh)::numeric AS kwh, sum(s.claimed)::numeric AS claimed,
    coalesce(sum(s.delta), 0)::numeric AS delta, coalesce(sum(s.retail_net), 0)::numeric AS retail_net, coalesce(sum(s.margin), 0)::numeric AS margin
FROM cdrs_found(sqlc.narg(tenant_id), @filter) AS s
    CROSS JOIN LATERAL unnest(CASE WHEN @by::text = 'partner' THEN ARRAY[s.partner_id::text] WHEN @by = 'party' THEN ARRAY[s.country_code || '*' || s.party_id] WHEN @by = 'reason' THEN ARRAY[s.reason] WHEN s.flags = '{}' THEN ARRAY[''] ELSE s.flags END) AS g (key)
    LEFT JOIN partners p ON @by = 'partner' AND p.id = s.partner_id
GROUP BY g.key, p.name, s.currency ORDER BY count(*) DESC, g.key, s.currency LIMIT 200;

-- The next CDRs of a selection, in the order of their ids. Credit CDRs are among them.
-- name: SelectCDRs :many
SELECT s.cdr_id FROM cdrs_found(@tenant_id, @filter) AS s WHERE s.cdr_id > @after::uuid ORDER BY s.cdr_id LIMIT @max_rows;
