-- What contracts use of what is free in a month, and of their vouchers. Whoever rates a CDR of the contract holds LockContract.

-- name: LockContract :exec
SELECT FROM contracts WHERE id = @id FOR NO KEY UPDATE;

-- name: AllowancesUsed :many
SELECT allowance, used FROM allowances WHERE contract_id = @contract_id AND month = @month;

-- name: TakeAllowance :exec
WITH balance AS (
    INSERT INTO allowances (tenant_id, contract_id, allowance, month, unit, granted, used)
    VALUES (@tenant_id, @contract_id, @allowance, @month, @unit, @granted, @quantity)
    ON CONFLICT (contract_id, allowance, month) DO UPDATE SET used = allowances.used + excluded.used, granted = greatest(allowances.granted, excluded.granted)
    RETURNING contract_id, allowance, month
)
INSERT INTO allowance_uses (rating_id, tenant_id, cdr_id, contract_id, allowance, month, quantity)
SELECT @rating_id, @tenant_id, @cdr_id, b.contract_id, b.allowance, b.month, @quantity FROM balance b;

-- name: GiveBackAllowances :exec
WITH back AS (
    UPDATE allowance_uses SET given_back_at = @now WHERE cdr_id = ANY (@cdr_ids::uuid[]) AND given_back_at IS NULL RETURNING contract_id, allowance, month, quantity
), sums AS (
    SELECT contract_id, allowance, month, sum(quantity) AS quantity FROM back GROUP BY contract_id, allowance, month
)
UPDATE allowances a SET used = a.used - b.quantity FROM sums b
WHERE a.contract_id = b.contract_id AND a.allowance = b.allowance AND a.month = b.month;

-- The vouchers that a contract has redeemed and may draw on, locked. An amount stays when its voucher is ended: it was promised.
-- name: LockVouchers :many
SELECT v.id, v.code, v.percent, v.currency, v.valid_from, v.valid_to, v.budget, v.spent, r.redeemed_at, r.amount, r.drawn
FROM voucher_redemptions r JOIN vouchers v ON v.id = r.voucher_id
WHERE r.contract_id = @contract_id AND v.valid_from <= @at AND (v.valid_to IS NULL OR v.valid_to > @at)
    AND (v.amount IS NOT NULL OR v.ended_at IS NULL OR v.ended_at > @at)
ORDER BY v.id FOR NO KEY UPDATE OF v, r;

-- name: HasVouchers :one
SELECT EXISTS (SELECT FROM voucher_redemptions WHERE contract_id = @contract_id);

-- name: DrawVoucher :exec
WITH redemption AS (
    UPDATE voucher_redemptions SET drawn = drawn + @amount WHERE voucher_id = @voucher_id AND contract_id = @contract_id RETURNING amount
), voucher AS (
    UPDATE vouchers v SET spent = v.spent + @amount FROM redemption r WHERE v.id = @voucher_id AND r.amount IS NULL
)
INSERT INTO voucher_draws (rating_id, tenant_id, cdr_id, voucher_id, contract_id, amount)
VALUES (@rating_id, @tenant_id, @cdr_id, @voucher_id, @contract_id, @amount);

-- name: GiveBackVouchers :exec
WITH back AS (
    UPDATE voucher_draws SET given_back_at = @now WHERE cdr_id = ANY (@cdr_ids::uuid[]) AND given_back_at IS NULL RETURNING voucher_id, contract_id, amount
), sums AS (
    SELECT voucher_id, contract_id, sum(amount) AS amount FROM back GROUP BY voucher_id, contract_id
), redemption AS (
    UPDATE voucher_redemptions r SET drawn = r.drawn - b.amount FROM sums b WHERE r.voucher_id = b.voucher_id AND r.contract_id = b.contract_id
    RETURNING r.voucher_id, r.amount, b.amount AS drawn
), spent AS (
    SELECT voucher_id, sum(drawn) AS drawn FROM redemption WHERE amount IS NULL GROUP BY voucher_id
)
UPDATE vouchers v SET spent = v.spent - s.drawn FROM spent s WHERE v.id = s.voucher_id;
