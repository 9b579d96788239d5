-- Back-tests: drafts of price books on the sessions of the last months.

-- What a session was priced from, in place of an earlier rating's.
-- name: SaveCDRInput :exec
INSERT INTO cdr_inputs (cdr_id, tenant_id, customer_id, contract_id, started_at, data)
VALUES (@cdr_id, @tenant_id, @customer_id, @contract_id, @started_at, @data)
ON CONFLICT (cdr_id) DO UPDATE SET customer_id = excluded.customer_id, contract_id = excluded.contract_id, started_at = excluded.started_at, data = excluded.data;

-- What was rated is tried in back-tests as long as it is on a bill.
-- name: SetCDRInputsBooked :exec
UPDATE cdr_inputs SET booked = @booked WHERE cdr_id = ANY (@cdr_ids::uuid[]) AND booked <> @booked;

-- Many at once, for tests of speed.
-- name: CopyCDRInputs :copyfrom
INSERT INTO cdr_inputs (cdr_id, tenant_id, customer_id, contract_id, started_at, data)
VALUES (@cdr_id, @tenant_id, @customer_id, @contract_id, @started_at, @data);

-- name: CountCDRInputs :one
SELECT count(*) FROM cdr_inputs WHERE tenant_id = @tenant_id AND booked AND started_at >= @since AND started_at < @until;

-- One chunk in the order in which the sessions began, behind the last of the chunk before.
-- name: CDRInputs :many
SELECT cdr_id, customer_id, contract_id, started_at, data FROM cdr_inputs
WHERE tenant_id = @tenant_id AND booked AND started_at >= @since AND started_at < @until AND (started_at, cdr_id) > (@after_start::timestamptz, @after_id::uuid)
ORDER BY started_at, cdr_id LIMIT @max_rows;

-- name: BacktestCases :many
SELECT cdr_id, ocpi_id, place, started_at, kwh FROM cdr_states WHERE cdr_id = ANY (@ids::uuid[]);

-- name: InsertBacktest :exec
INSERT INTO backtests (id, tenant_id, name, doc, since, until, created_at, created_by, due_at)
VALUES (@id, @tenant_id, @name, @doc, @since, @until, @created_at, @created_by, @created_at);

-- Claims a back-test that is due: if this worker dies, it is due again then.
-- name: ClaimBacktest :one
UPDATE backtests SET state = 'running', due_at = @lease::timestamptz, attempts = attempts + 1, started_at = coalesce(started_at, @now::timestamptz), done = 0, total = 0
WHERE id = @id AND due_at <= @now::timestamptz RETURNING *;

-- Stores progress and renews the lease. No row: another worker has taken over.
-- name: AdvanceBacktest :execrows
UPDATE backtests SET total = @total, done = @done, due_at = @lease::timestamptz WHERE id = @id AND due_at = @held::timestamptz;

-- name: FinishBacktest :execrows
UPDATE backtests SET state = 'done', reason = '', result = @result, finished_at = @now::timestamptz, due_at = NULL WHERE id = @id AND due_at = @held::timestamptz;

-- name: PostponeBacktest :exec
UPDATE backtests SET reason = @reason, due_at = sqlc.narg(due_at), state = CASE WHEN sqlc.narg(due_at)::timestamptz IS NULL THEN 'failed' ELSE state END WHERE id = @id AND state <> 'done';

-- name: BacktestAttempts :one
SELECT attempts FROM backtests WHERE id = @id;

-- name: BacktestsDue :many
SELECT id FROM backtests WHERE due_at <= @now::timestamptz ORDER BY due_at LIMIT @max_rows;

-- name: Backtest :one
SELECT * FROM backtests WHERE id = @id AND tenant_id = @tenant_id;

-- name: Backtests :many
SELECT id, name, since, until, state, reason, total, done, created_at, created_by, started_at, finished_at FROM backtests
WHERE tenant_id = @tenant_id ORDER BY created_at DESC, id DESC LIMIT @max_rows;

-- The newest version of each plan, whether it is valid already or not: a draft is about what will be charged.
-- name: NewestPlanVersions :many
SELECT DISTINCT ON (p.name) p.name, v.id, v.version, v.doc FROM plans p JOIN plan_versions v ON v.plan_id = p.id
WHERE p.tenant_id = @tenant_id ORDER BY p.name, v.valid_from DESC, v.version DESC;

-- name: GroupsOfCustomers :many
SELECT c.id, coalesce(g.name, '')::text AS customer_group FROM customers c LEFT JOIN customer_groups g ON g.id = group_at(c.id, c.group_id, @at::timestamptz) WHERE c.tenant_id = @tenant_id;

-- name: BaseFeesOfCustomers :many
SELECT l.customer_id, sum(l.net)::numeric AS net, sum(l.gross)::numeric AS gross FROM fees f JOIN line_items l ON l.fee_id = f.id
WHERE f.tenant_id = @tenant_id AND f.kind = 'BASE' AND f.month >= @since_month AND f.month < @until_month AND l.currency = @currency GROUP BY l.customer_id;

-- name: CustomersByID :many
SELECT id, number, name FROM customers WHERE tenant_id = @tenant_id AND id = ANY (@customer_ids::uuid[]);

-- The EVSE ids of the sessions of a time, as they came.
-- name: EVSEsCharged :many
SELECT DISTINCT evse_id FROM cdr_states WHERE tenant_id = @tenant_id AND started_at >= @since AND started_at < @until;
