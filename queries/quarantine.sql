-- Messages that could not be taken.

-- Stores a message that is refused. One that was replayed and comes again is open again; a dismissed one stays dismissed.
-- name: Quarantine :one
INSERT INTO quarantine (id, partner_id, module, method, path, sha256, body, from_party, to_party, http_status, status_code, message, error_path, error_rule, error_value,
    first_at, last_at, message_id)
VALUES (@id, @partner_id, @module, @method, @path, @sha256, @body, @from_party, @to_party, @http_status, @status_code, @message, @error_path, @error_rule, @error_value,
    @now::timestamptz, @now::timestamptz, @message_id)
ON CONFLICT (partner_id, method, path, sha256) DO UPDATE SET count = quarantine.count + 1, last_at = excluded.last_at, message_id = excluded.message_id,
    from_party = excluded.from_party, to_party = excluded.to_party, http_status = excluded.http_status, status_code = excluded.status_code, message = excluded.message,
    error_path = excluded.error_path, error_rule = excluded.error_rule, error_value = excluded.error_value,
    state = CASE WHEN quarantine.state = 'dismissed' THEN 'dismissed' ELSE 'open' END,
    resolution = CASE WHEN quarantine.state = 'dismissed' THEN quarantine.resolution ELSE '' END,
    resolved_by = CASE WHEN quarantine.state = 'dismissed' THEN quarantine.resolved_by ELSE '' END,
    resolved_at = CASE WHEN quarantine.state = 'dismissed' THEN quarantine.resolved_at END
RETURNING id;

-- The newest first; state '' means any. after_at and after_id are those of the row that the page starts behind.
-- name: QuarantineList :many
SELECT q.id, q.partner_id, p.name AS partner, q.module, q.method, q.path, q.from_party, q.to_party, q.http_status, q.status_code, q.message, q.error_path, q.error_rule, q.error_value,
    q.first_at, q.last_at, q.count, q.message_id, q.state, q.resolution, q.resolved_by, q.resolved_at
FROM quarantine q JOIN partners p ON p.id = q.partner_id
WHERE (sqlc.narg(partner_id)::uuid IS NULL OR q.partner_id = sqlc.narg(partner_id))
    AND (@state::text = '' OR q.state = @state)
    AND (@module::text = '' OR q.module = @module)
    AND (NOT @paged::boolean OR (q.last_at, q.id) < (@after_at::timestamptz, @after_id::uuid))
ORDER BY q.last_at DESC, q.id DESC LIMIT @max_rows;

-- name: QuarantineSums :many
SELECT q.partner_id, q.module, q.error_path, q.error_rule, count(*) AS many, sum(q.count)::bigint AS times, max(q.last_at)::timestamptz AS last_at
FROM quarantine q WHERE q.state = 'open' AND (sqlc.narg(partner_id)::uuid IS NULL OR q.partner_id = sqlc.narg(partner_id))
GROUP BY q.partner_id, q.module, q.error_path, q.error_rule ORDER BY times DESC, q.partner_id, q.module, q.error_path, q.error_rule;

-- name: QuarantinedMessage :one
SELECT * FROM quarantine WHERE id = @id;

-- No row: somebody else has resolved it, or the message came again in the meantime.
-- name: ResolveQuarantined :execrows
UPDATE quarantine SET state = @state, resolution = @resolution, resolved_by = @resolved_by, resolved_at = @now::timestamptz
WHERE id = @id AND state = 'open' AND count = @count;

-- What a replay that failed says now.
-- name: QuarantineReason :exec
UPDATE quarantine SET http_status = @http_status, status_code = @status_code, message = @message,
    error_path = @error_path, error_rule = @error_rule, error_value = @error_value WHERE id = @id;
