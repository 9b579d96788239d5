-- How connections are, for operators of the platform. Without tenant_id: every partner; with one, those that the utility works
-- with.

-- before counts what came between the starts and the ends: the same hours of earlier weeks, that today is compared with. Seconds
-- are those between the end of a session and its CDR.
-- name: PartnerHealth :many
SELECT p.id, p.name, p.role, p.country_code, p.party_id, p.state, p.version, p.created_at, p.registered_at, p.last_received_at, p.last_sent_at, p.failing_since, p.rejected_at,
    (SELECT count(*) FROM cdr_states s WHERE s.partner_id = p.id AND s.received_at >= @today::timestamptz) AS today,
    (SELECT count(*) FROM ROWS FROM (unnest(@starts::timestamptz[]), unnest(@ends::timestamptz[])) AS w (start_at, end_at) JOIN cdr_states s ON s.partner_id = p.id
        WHERE s.received_at >= w.start_at AND s.received_at < w.end_at) AS before,
    coalesce((SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM s.received_at - s.ended_at)) FROM cdr_states s
        WHERE s.partner_id = p.id AND s.received_at >= @week_ago::timestamptz), -1)::bigint AS lag_seconds,
    (SELECT count(*) FROM messages m WHERE m.partner_id = p.id AND m.at >= @day_ago::timestamptz) AS messages,
    (SELECT count(*) FROM messages m WHERE m.partner_id = p.id AND m.at >= @day_ago::timestamptz AND m.outcome IN ('refused', 'failed')) AS bad,
    (SELECT count(*) FROM quarantine q WHERE q.partner_id = p.id AND q.state = 'open') AS quarantined,
    (SELECT count(*) FROM alerts a WHERE a.partner_id = p.id AND a.resolved_at IS NULL) AS alerts,
    EXISTS (SELECT FROM alerts a WHERE a.partner_id = p.id AND a.resolved_at IS NULL AND a.kind = 'silent') AS silent,
    (SELECT coalesce(max(k.created_at), 'epoch') FROM partner_tokens k WHERE k.partner_id = p.id AND k.kind = 'live' AND k.revoked_at IS NULL)::timestamptz AS token_since,
    (SELECT count(*) FROM partner_parties b WHERE b.partner_id = p.id AND b.source <> 'credentials') AS clients,
    (SELECT count(*) FROM partner_parties b WHERE b.partner_id = p.id AND b.source <> 'credentials' AND b.status = 'CONNECTED') AS connected
FROM partners p
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = p.id AND w.tenant_id = sqlc.narg(tenant_id)))
    AND (sqlc.narg(id)::uuid IS NULL OR p.id = sqlc.narg(id))
ORDER BY p.name;

-- Whether a token A of a partner is still unused.
-- name: HasOpenInvite :one
SELECT EXISTS (SELECT FROM partner_tokens WHERE partner_id = @partner_id AND kind = 'invite' AND revoked_at IS NULL)::boolean AS open;

-- How many messages of each module came from a partner since an instant, and how they were taken.
-- name: PartnerModules :many
SELECT m.module, count(*) AS many, count(*) FILTER (WHERE m.outcome = 'taken') AS clean, count(*) FILTER (WHERE m.outcome = 'noted') AS noted,
    count(*) FILTER (WHERE m.outcome IN ('refused', 'failed')) AS bad, max(m.at)::timestamptz AS last_at
FROM messages m WHERE m.partner_id = @partner_id::uuid AND m.direction = 'in' AND m.at >= @since::timestamptz
GROUP BY m.module ORDER BY m.module;

-- What was wrong with the messages of a partner since an instant, the most frequent first. Positions in lists are left out of
-- the path.
-- name: PartnerFindings :many
SELECT m.module, coalesce(f->>'severity', '')::text AS severity, regexp_replace(coalesce(f->>'path', ''), '\[\d+\]', '[]', 'g')::text AS path, coalesce(f->>'rule', '')::text AS rule,
    (array_agg(coalesce(f->>'value', '') ORDER BY m.at DESC))[1]::text AS value, count(*) AS many, max(m.at)::timestamptz AS last_at, (array_agg(m.id ORDER BY m.at DESC))[1]::uuid AS message_id
FROM messages m CROSS JOIN LATERAL jsonb_array_elements(m.findings) AS f
WHERE m.partner_id = @partner_id::uuid AND m.direction = 'in' AND m.at >= @since::timestamptz
GROUP BY 1, 2, 3, 4 ORDER BY many DESC, 1, 3, 4 LIMIT @max_rows;

-- Calls of nobody we know since an instant: with a token that is void, or was mistyped.
-- name: CallsByStrangers :one
SELECT count(*) FROM messages WHERE partner_id IS NULL AND direction = 'in' AND at >= @since::timestamptz;
