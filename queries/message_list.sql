-- The log of messages as the back office searches it. Without tenant_id: everything.

-- The newest first. Of class 0 are messages without a status code, -1 is any.
-- name: MessageSearch :many
SELECT m.id, m.at, m.direction, m.partner_id, coalesce(p.name, '')::text AS partner, m.version, m.module, m.method, m.path, m.from_party, m.to_party,
    m.http_status, m.status_code, m.status_message, m.outcome, m.took_us
FROM messages m LEFT JOIN partners p ON p.id = m.partner_id
WHERE m.at >= @since::timestamptz AND (sqlc.narg(tenant_id)::uuid IS NULL OR m.tenant_id = sqlc.narg(tenant_id))
    AND (sqlc.narg(partner_id)::uuid IS NULL OR m.partner_id = sqlc.narg(partner_id))
    AND (@direction::text = '' OR m.direction = @direction) AND (@module::text = '' OR m.module = @module) AND (@outcome::text = '' OR m.outcome = @outcome)
    AND (@class::integer < 0 OR m.status_code / 1000 = @class)
    AND (NOT @paged::boolean OR (m.at, m.id) < (@after_at::timestamptz, @after_id::uuid))
ORDER BY m.at DESC, m.id DESC LIMIT @max_rows;

-- How the newest of them were answered: to count all would take seconds.
-- name: MessageCounts :many
SELECT c.outcome, count(*) AS many FROM (
    SELECT m.outcome FROM messages m
    WHERE m.at >= @since::timestamptz AND (sqlc.narg(tenant_id)::uuid IS NULL OR m.tenant_id = sqlc.narg(tenant_id))
        AND (sqlc.narg(partner_id)::uuid IS NULL OR m.partner_id = sqlc.narg(partner_id))
        AND (@direction::text = '' OR m.direction = @direction) AND (@module::text = '' OR m.module = @module)
        AND (@class::integer < 0 OR m.status_code / 1000 = @class)
    ORDER BY m.at DESC, m.id DESC LIMIT @max_rows
) c GROUP BY c.outcome;

-- The same of the newest that were not taken.
-- name: BadMessageCounts :many
SELECT c.outcome, count(*) AS many FROM (
    SELECT m.outcome FROM messages m
    WHERE m.at >= @since::timestamptz AND m.outcome IN ('refused', 'failed') AND (sqlc.narg(tenant_id)::uuid IS NULL OR m.tenant_id = sqlc.narg(tenant_id))
        AND (sqlc.narg(partner_id)::uuid IS NULL OR m.partner_id = sqlc.narg(partner_id))
        AND (@direction::text = '' OR m.direction = @direction) AND (@module::text = '' OR m.module = @module)
        AND (@class::integer < 0 OR m.status_code / 1000 = @class)
    ORDER BY m.at DESC, m.id DESC LIMIT @max_rows
) c GROUP BY c.outcome;

-- Messages with a request id, a correlation id, an object (sessions/DE*CPO/S1) or the id of one, the newest first. They are
-- gathered before they are put in order: else the log is walked from its end until enough are found, which may be all of it.
-- name: MessageFind :many
WITH found AS MATERIALIZED (
    SELECT m.id, m.at, m.direction, m.partner_id, m.tenant_id, m.version, m.module, m.method, m.path, m.from_party, m.to_party, m.http_status, m.status_code, m.status_message,
        m.outcome, m.took_us
    FROM messages m WHERE m.at >= @since::timestamptz AND (m.request_id = @needle::text OR m.correlation_id = @needle OR m.objects && ARRAY[@needle, '/' || upper(@needle)])
)
SELECT m.id, m.at, m.direction, m.partner_id, coalesce(p.name, '')::text AS partner, m.version, m.module, m.method, m.path, m.from_party, m.to_party,
    m.http_status, m.status_code, m.status_message, m.outcome, m.took_us
FROM found m LEFT JOIN partners p ON p.id = m.partner_id
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR m.tenant_id = sqlc.narg(tenant_id))
    AND (sqlc.narg(partner_id)::uuid IS NULL OR m.partner_id = sqlc.narg(partner_id))
    AND (@direction::text = '' OR m.direction = @direction) AND (@module::text = '' OR m.module = @module) AND (@outcome::text = '' OR m.outcome = @outcome)
    AND (@class::integer < 0 OR m.status_code / 1000 = @class)
    AND (NOT @paged::boolean OR (m.at, m.id) < (@after_at::timestamptz, @after_id::uuid))
ORDER BY m.at DESC, m.id DESC LIMIT @max_rows;

-- name: MessageFindCounts :many
WITH found AS MATERIALIZED (
    SELECT m.tenant_id, m.partner_id, m.direction, m.module, m.status_code, m.outcome
    FROM messages m WHERE m.at >= @since::timestamptz AND (m.request_id = @needle::text OR m.correlation_id = @needle OR m.objects && ARRAY[@needle, '/' || upper(@needle)])
)
SELECT m.outcome, count(*) AS many FROM found m
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR m.tenant_id = sqlc.narg(tenant_id))
    AND (sqlc.narg(partner_id)::uuid IS NULL OR m.partner_id = sqlc.narg(partner_id))
    AND (@direction::text = '' OR m.direction = @direction) AND (@module::text = '' OR m.module = @module)
    AND (@class::integer < 0 OR m.status_code / 1000 = @class)
GROUP BY m.outcome;

-- The messages of the handshakes with a partner, the newest first.
-- name: HandshakeMessages :many
SELECT m.id, m.at, m.direction, m.partner_id, coalesce(p.name, '')::text AS partner, m.version, m.module, m.method, m.path, m.from_party, m.to_party,
    m.http_status, m.status_code, m.status_message, m.outcome, m.took_us
FROM messages m LEFT JOIN partners p ON p.id = m.partner_id
WHERE m.partner_id = @partner_id::uuid AND m.module IN ('', 'credentials') AND m.at >= @since::timestamptz
ORDER BY m.at DESC, m.id DESC LIMIT @max_rows;

-- name: QuarantineOfMessage :one
SELECT * FROM quarantine WHERE message_id = @message_id;
