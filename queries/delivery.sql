-- name: MailSettings :one
SELECT * FROM mail_settings WHERE tenant_id = @tenant_id;

-- name: SaveMailSettings :exec
INSERT INTO mail_settings (tenant_id, sender, reply_to, bounce_contact, smtp_host, smtp_sealed, changed_at)
VALUES (@tenant_id, @sender, @reply_to, @bounce_contact, @smtp_host, @smtp_sealed, @changed_at)
ON CONFLICT (tenant_id) DO UPDATE SET sender = excluded.sender, reply_to = excluded.reply_to, bounce_contact = excluded.bounce_contact,
    smtp_host = excluded.smtp_host, smtp_sealed = excluded.smtp_sealed, changed_at = excluded.changed_at;

-- name: CustomerByNumber :one
SELECT * FROM customers WHERE tenant_id = @tenant_id AND number = @number;

-- name: SetDelivery :exec
UPDATE customers SET delivery = @delivery, email = @email, peppol_id = @peppol_id WHERE id = @id;

-- name: InsertFileDrop :exec
INSERT INTO file_drops (id, tenant_id, invoice_id, way, copy, recipient, file_name, created_at, due_at)
VALUES (@id, @tenant_id, @invoice_id, @way, @copy, @recipient, @file_name, @created_at, @created_at)
ON CONFLICT (invoice_id, way, copy) DO NOTHING;

-- name: FileDrop :one
SELECT * FROM file_drops WHERE id = @id;

-- name: LockFileDrop :one
SELECT * FROM file_drops WHERE id = @id FOR NO KEY UPDATE;

-- name: FileDropsDue :many
SELECT id FROM file_drops WHERE due_at <= @now::timestamptz ORDER BY due_at LIMIT @max_rows;

-- name: FinishFileDrop :exec
UPDATE file_drops SET state = @state, problem = '', due_at = NULL, written_at = @now::timestamptz WHERE id = @id;

-- name: PostponeFileDrop :exec
UPDATE file_drops SET state = @state, problem = @problem, attempts = attempts + 1, due_at = sqlc.narg(due_at) WHERE id = @id AND due_at IS NOT NULL;

-- name: RetryFileDrop :exec
UPDATE file_drops SET state = 'queued', problem = '', attempts = 0, due_at = @now::timestamptz WHERE id = @id AND state IN ('failed', 'kept') AND tenant_id = @tenant_id;

-- How an issued document was delivered so far, newest copy first.
-- name: CopiesOfInvoice :many
SELECT * FROM outbox WHERE invoice_id = @invoice_id::uuid ORDER BY created_at DESC, id DESC;
