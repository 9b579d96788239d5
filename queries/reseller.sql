-- name: InsertResellerEvidence :exec
INSERT INTO reseller_evidence (id, tenant_id, customer_id, reference, valid_from, valid_until, added_by, added_at)
VALUES (@id, @tenant_id, @customer_id, @reference, @valid_from, @valid_until, @added_by, @added_at);

-- name: ResellerEvidence :many
SELECT * FROM reseller_evidence WHERE customer_id = @customer_id ORDER BY valid_from, id;

-- name: WithdrawResellerEvidence :one
UPDATE reseller_evidence SET withdrawn_at = @now::timestamptz WHERE tenant_id = @tenant_id AND customer_id = @customer_id AND reference = @reference AND withdrawn_at IS NULL RETURNING *;

-- Whether a customer is a reseller on a day, by evidence that is at hand.
-- name: IsReseller :one
SELECT EXISTS (SELECT FROM reseller_evidence WHERE customer_id = @customer_id AND @day::date BETWEEN valid_from AND valid_until AND withdrawn_at IS NULL);

-- Sessions of a customer that were priced and are on no invoice yet, to be taxed anew.
-- name: WakeForReseller :many
UPDATE cdr_states SET due_at = @now::timestamptz, updated_at = @now
WHERE tenant_id = @tenant_id AND customer_id = @customer_id AND state IN ('held', 'rated') AND ended_at >= @since::timestamptz AND ended_at < @until::timestamptz
RETURNING cdr_id;
