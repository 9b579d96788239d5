-- name: InsertEmail :exec
INSERT INTO emails (id, tenant_id, invoice_id, copy, attached, message_id, sender, reply_to, recipient, subject, body, created_at, due_at)
VALUES (@id, @tenant_id, @invoice_id, @copy, @attached, @message_id, @sender, @reply_to, @recipient, @subject, @body, @created_at, @created_at)
ON CONFLICT (invoice_id, copy) DO NOTHING;

-- Claims an e-mail that is due by moving its time on: if this worker dies, it is due again then. No row: nothing is due.
-- name: ClaimEmail :one
UPDATE emails SET due_at = @claimed_until::timestamptz, attempts = attempts + 1
WHERE id = (SELECT i.id FROM emails i WHERE i.id = @id AND i.due_at <= @now::timestamptz FOR NO KEY UPDATE SKIP LOCKED)
RETURNING *;

-- name: EmailsDue :many
SELECT id FROM emails WHERE due_at <= @now::timestamptz ORDER BY due_at LIMIT @max_rows;

-- What the mail server has taken is sent, whoever has the claim by now. No row: it was finished before.
-- name: FinishEmail :one
UPDATE emails SET state = @state, problem = '', due_at = NULL, sent_at = @now::timestamptz WHERE id = @id AND due_at IS NOT NULL RETURNING *;

-- name: FailEmail :exec
UPDATE emails SET state = @state, problem = @problem, due_at = sqlc.narg(due_at) WHERE id = @id AND due_at = @claimed_until::timestamptz;

-- name: EmailsOfInvoice :many
SELECT * FROM emails WHERE invoice_id = @invoice_id;

-- name: Email :one
SELECT * FROM emails WHERE id = @id;

-- name: LockEmail :one
SELECT * FROM emails WHERE id = @id FOR NO KEY UPDATE;

-- name: BounceEmail :exec
UPDATE emails SET state = 'bounced', problem = @problem, bounced_at = @now::timestamptz, due_at = NULL WHERE id = @id;

-- name: RetryEmail :exec
UPDATE emails SET state = 'queued', problem = '', attempts = 0, due_at = @now::timestamptz WHERE id = @id AND state IN ('failed', 'kept') AND tenant_id = @tenant_id;

-- name: InsertBounce :exec
INSERT INTO bounces (id, tenant_id, email_id, received_at, action, status, recipient, reason, message)
VALUES (@id, @tenant_id, @email_id, @received_at, @action, @status, @recipient, @reason, @message);

-- name: BouncesOfEmail :many
SELECT id, received_at, action, status, recipient, reason, length(message) AS size FROM bounces WHERE email_id = @email_id ORDER BY received_at, id;
