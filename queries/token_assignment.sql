-- Which contract a card belonged to at which time.

-- name: TokenAssignments :many
SELECT sqlc.embed(a), c.contract_id AS emaid, cu.name AS customer, cu.number AS customer_number
FROM token_assignments a JOIN contracts c ON c.id = a.contract_id JOIN customers cu ON cu.id = c.customer_id
WHERE a.token_id = @token_id AND a.tenant_id = @tenant_id ORDER BY a.valid_from;

-- name: LockToken :one
SELECT * FROM tokens WHERE id = @id AND tenant_id = @tenant_id FOR NO KEY UPDATE;

-- Makes room: what lies within goes, what reaches into it from before ends there. What goes on after it is returned by
-- AssignmentAt first, to be added again.
-- name: DeleteAssignmentsWithin :exec
DELETE FROM token_assignments WHERE token_id = @token_id AND valid_from >= @valid_from::timestamptz
    AND (sqlc.narg(valid_to)::timestamptz IS NULL OR valid_from < sqlc.narg(valid_to));

-- name: EndAssignmentsAt :exec
UPDATE token_assignments SET valid_to = @valid_from::timestamptz WHERE token_id = @token_id AND valid_from < @valid_from AND (valid_to IS NULL OR valid_to > @valid_from);

-- name: AssignmentAt :one
SELECT * FROM token_assignments WHERE token_id = @token_id AND valid_from <= @at::timestamptz AND (valid_to IS NULL OR valid_to > @at);

-- name: InsertAssignment :exec
INSERT INTO token_assignments (id, tenant_id, token_id, contract_id, valid_from, valid_to, created_at)
VALUES (@id, @tenant_id, @token_id, @contract_id, @valid_from, @valid_to, @created_at);

-- The contract of today follows, so that partners are told the right one.
-- name: SetTokenContract :execrows
UPDATE tokens SET contract_id = @contract_id, last_updated = greatest(@now::timestamptz, last_updated + interval '1 millisecond')
WHERE id = @id AND contract_id <> @contract_id;

-- The CDRs of a card in a time, to be rated again. Those that are dropped or credited stay so.
-- name: RerateCDRsOfToken :many
UPDATE cdr_states SET due_at = @now::timestamptz, updated_at = @now
WHERE tenant_id = @tenant_id AND (token_id = @token_id::uuid OR token_id IS NULL AND state = 'waiting' AND upper(token_uid) = upper(@uid::text))
    AND started_at >= @since::timestamptz AND (sqlc.narg(until)::timestamptz IS NULL OR started_at < sqlc.narg(until))
    AND state IN ('received', 'waiting', 'held', 'rated', 'invoiced') AND credit_reference = ''
RETURNING cdr_id;
