-- The log of messages. Without tenant_id: everything; with one, what concerns that utility.

-- name: InsertMessages :copyfrom
INSERT INTO messages (id, at, direction, partner_id, tenant_id, version, module, method, path, request_id, correlation_id, from_party, to_party,
    http_status, status_code, status_message, outcome, took_us, objects, request, response, findings)
VALUES (@id, @at, @direction, @partner_id, @tenant_id, @version, @module, @method, @path, @request_id, @correlation_id, @from_party, @to_party,
    @http_status, @status_code, @status_message, @outcome, @took_us, @objects, @request, @response, @findings);

-- The newest first; after_at and after_id are those of the row that the page starts behind. id_text is a request or correlation id.
-- name: MessageList :many
SELECT m.id, m.at, m.direction, m.partner_id, coalesce(p.name, '')::text AS partner, m.version, m.module, m.method, m.path, m.request_id,
    m.from_party, m.to_party, m.http_status, m.status_code, m.status_message, m.outcome, m.took_us, m.objects
FROM messages m LEFT JOIN partners p ON p.id = m.partner_id
WHERE m.at >= @since::timestamptz AND m.at < @until::timestamptz
    AND (sqlc.narg(tenant_id)::uuid IS NULL OR m.tenant_id = sqlc.narg(tenant_id))
    AND (sqlc.narg(partner_id)::uuid IS NULL OR m.partner_id = sqlc.narg(partner_id))
    AND (@direction::text = '' OR m.direction = @direction)
    AND (@module::text = '' OR m.module = @module)
    AND (@outcome::text = '' OR m.outcome = @outcome OR @outcome = 'bad' AND m.outcome IN ('refused', 'failed'))
    AND (@id_text::text = '' OR m.request_id = @id_text OR m.correlation_id = @id_text)
    AND (NOT @paged::boolean OR (m.at, m.id) < (@after_at::timestamptz, @after_id::uuid))
ORDER BY m.at DESC, m.id DESC LIMIT @max_rows;

-- The messages about any of these objects, the oldest first: the trace of a session is that of the session, of its CDR and of
-- whatever else the caller knows to belong to it.
-- name: MessagesOfObjects :many
SELECT sqlc.embed(m), coalesce(p.name, '')::text AS partner FROM messages m LEFT JOIN partners p ON p.id = m.partner_id
WHERE m.objects && @objects::text[] AND (sqlc.narg(tenant_id)::uuid IS NULL OR m.tenant_id = sqlc.narg(tenant_id))
ORDER BY m.at, m.id LIMIT @max_rows;

-- name: Message :one
SELECT sqlc.embed(m), coalesce(p.name, '')::text AS partner FROM messages m LEFT JOIN partners p ON p.id = m.partner_id
WHERE m.id = @id AND (sqlc.narg(tenant_id)::uuid IS NULL OR m.tenant_id = sqlc.narg(tenant_id));

-- Forgets whole months that ended before.
-- name: DropMessages :one
SELECT drop_messages(@before::timestamptz)::integer AS dropped;
