-- The log of messages as the back office searches it. Without tenant_id: everything.

-- The newest first. needle is a request id, a correlation id, an object (sessions/DE*CPO/S1) or the last part of one; of class
-- 0 are messages without a status code, -1 is any; the module handshake is versions and credentials.
-- name: MessageSearch :many
SELECT m.id, m.at, m.direction, m.partner_id, coalesce(p.name, '')::text AS partner, m.version, m.module, m.method, m.path, m.from_party, m.to_party,
    m.http_status, m.status_code, m.status_message, m.outcome, m.took_us, m.objects
FROM messages m LEFT JOIN partners p ON p.id = m.partner_id
WHERE m.at >= @since::timestamptz AND (sqlc.narg(tenant_id)::uuid IS NULL OR m.tenant_id = sqlc.narg(tenant_id))
    AND (sqlc.narg(partner_id)::uuid IS NULL OR m.partner_id = sqlc.narg(partner_id))
    AND (@direction::text = '' OR m.direction = @direction) AND (@module::text = '' OR m.module = @module OR @module = 'handshake' AND m.module IN ('', 'credentials')) AND (@outcome::text = '' OR m.outcome = @outcome)
    AND (@class::integer < 0 OR m.status_code / 1000 = @class)
    AND (@needle::text = '' OR m.request_id = @needle OR m.correlation_id = @needle OR m.objects && ARRAY[@needle]
        OR EXISTS (SELECT FROM unnest(m.objects) o WHERE upper(split_part(o, '/', 3)) = upper(@needle)))
    AND (NOT @paged::boolean OR (m.at, m.id) < (@after_at::timestamptz, @after_id::uuid))
ORDER BY m.at DESC, m.id DESC LIMIT @max_rows;

-- name: MessageCounts :many
SELECT m.outcome, count(*) AS many FROM messages m
WHERE m.at >= @since::timestamptz AND (sqlc.narg(tenant_id)::uuid IS NULL OR m.tenant_id = sqlc.narg(tenant_id))
    AND (sqlc.narg(partner_id)::uuid IS NULL OR m.partner_id = sqlc.narg(partner_id))
    AND (@direction::text = '' OR m.direction = @direction) AND (@module::text = '' OR m.module = @module)
    AND (@class::integer < 0 OR m.status_code / 1000 = @class)
    AND (@needle::text = '' OR m.request_id = @needle OR m.correlation_id = @needle OR m.objects && ARRAY[@needle]
        OR EXISTS (SELECT FROM unnest(m.objects) o WHERE upper(split_part(o, '/', 3)) = upper(@needle)))
GROUP BY m.outcome;

-- name: QuarantineOfMessage :one
SELECT * FROM quarantine WHERE message_id = @message_id;
