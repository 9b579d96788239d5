-- name: InsertEmail :exec
INSERT INTO emails (id, tenant_id, invoice_id, message_id, sender, recipient, subject, body, created_at, due_at)
VALUES (@id, @tenant_id, @invoice_id, @message_id, @sender, @recipient, @subject, @body, @created_at, @created_at)
ON CONFLICT (invoice_id) DO NOTHING;

-- name: LockEmail :one
SELECT * FROM emails WHERE id = @id FOR NO KEY UPDATE;

-- name: EmailsDue :many
SELECT id FROM emails WHERE due_at <= @now::timestamptz ORDER BY due_at LIMIT @max_rows;

-- name: FinishEmail :exec
UPDATE emails SET state = @state, problem = '', due_at = NULL, sent_at = @now WHERE id = @id;

-- name: PostponeEmail :exec
UPDATE emails SET state = @state, problem = @problem, attempts = attempts + 1, due_at = @due_at WHERE id = @id;

-- name: EmailsOfInvoice :many
SELECT * FROM emails WHERE invoice_id = @invoice_id;
