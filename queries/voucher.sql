-- Vouchers: rebates with a code.

-- name: InsertVoucher :exec
INSERT INTO vouchers (id, tenant_id, code, name, percent, amount, currency, valid_from, valid_to, budget, created_at, created_by)
VALUES (@id, @tenant_id, upper(@code::text), @name, @percent, @amount, @currency, @valid_from, @valid_to, @budget, @created_at, @created_by);

-- name: LockVoucher :one
SELECT * FROM vouchers WHERE tenant_id = @tenant_id AND code = upper(@code::text) FOR NO KEY UPDATE;

-- An amount is reserved for the contract; percent are drawn session by session.
-- name: RedeemVoucher :exec
WITH redemption AS (
    INSERT INTO voucher_redemptions (voucher_id, contract_id, tenant_id, redeemed_at, redeemed_by, amount)
    SELECT v.id, @contract_id, v.tenant_id, @redeemed_at, @redeemed_by, v.amount FROM vouchers v WHERE v.id = @voucher_id
    RETURNING voucher_id, amount
)
UPDATE vouchers v SET spent = v.spent + coalesce(r.amount, 0) FROM redemption r WHERE v.id = r.voucher_id;

-- Nobody redeems the voucher any more. It is ended once.
-- name: EndVoucher :execrows
UPDATE vouchers SET ended_at = @now, ended_by = @actor::text WHERE id = @id AND tenant_id = @tenant_id AND ended_at IS NULL;

-- name: VoucherByCode :one
SELECT id FROM vouchers WHERE tenant_id = @tenant_id AND code = upper(@code::text);

-- name: Vouchers :many
SELECT v.*, (SELECT count(*) FROM voucher_redemptions r WHERE r.voucher_id = v.id) AS redemptions,
    coalesce((SELECT sum(r.drawn) FROM voucher_redemptions r WHERE r.voucher_id = v.id), 0)::numeric AS drawn
FROM vouchers v WHERE v.tenant_id = @tenant_id AND (v.id = sqlc.narg(id)::uuid OR sqlc.narg(id) IS NULL) ORDER BY v.code;

-- A page of the contracts that have redeemed a voucher, the latest first.
-- name: VoucherRedemptions :many
SELECT r.contract_id AS id, r.redeemed_at, r.redeemed_by, r.amount, r.drawn, c.contract_id, cu.number, cu.name,
    (SELECT count(*) FROM voucher_draws d WHERE d.voucher_id = r.voucher_id AND d.contract_id = r.contract_id AND d.given_back_at IS NULL) AS sessions
FROM voucher_redemptions r JOIN contracts c ON c.id = r.contract_id JOIN customers cu ON cu.id = c.customer_id
WHERE r.tenant_id = @tenant_id AND r.voucher_id = @voucher_id
    AND (NOT @paged::boolean OR CASE WHEN @backward::boolean THEN (r.redeemed_at, r.contract_id) > (@after_key::timestamptz, @after_id::uuid) ELSE (r.redeemed_at, r.contract_id) < (@after_key, @after_id) END)
ORDER BY CASE WHEN @backward THEN r.redeemed_at END, CASE WHEN @backward THEN r.contract_id END, r.redeemed_at DESC, r.contract_id DESC
LIMIT @max_rows;

-- The contracts of a customer that run at an instant or later.
-- name: ContractsOfNumber :many
SELECT c.contract_id FROM contracts c JOIN customers cu ON cu.id = c.customer_id
WHERE c.tenant_id = @tenant_id AND cu.number = @number AND (c.valid_to IS NULL OR c.valid_to > @at::timestamptz) ORDER BY c.contract_id;
