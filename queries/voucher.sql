-- Vouchers: rebates with a code.

-- name: InsertVoucher :exec
INSERT INTO vouchers (id, tenant_id, code, name, percent, amount, currency, valid_from, valid_to, budget, created_at)
VALUES (@id, @tenant_id, upper(@code::text), @name, @percent, @amount, @currency, @valid_from, @valid_to, @budget, @created_at);

-- name: LockVoucher :one
SELECT * FROM vouchers WHERE tenant_id = @tenant_id AND code = upper(@code::text) FOR NO KEY UPDATE;

-- An amount is reserved for the contract; percent are drawn session by session.
-- name: RedeemVoucher :exec
WITH redemption AS (
    INSERT INTO voucher_redemptions (voucher_id, contract_id, tenant_id, redeemed_at, amount)
    SELECT v.id, @contract_id, v.tenant_id, @redeemed_at, v.amount FROM vouchers v WHERE v.id = @voucher_id
    RETURNING voucher_id, amount
)
UPDATE vouchers v SET spent = v.spent + coalesce(r.amount, 0) FROM redemption r WHERE v.id = r.voucher_id;

-- name: Vouchers :many
SELECT v.*, (SELECT count(*) FROM voucher_redemptions r WHERE r.voucher_id = v.id) AS redemptions,
    coalesce((SELECT sum(r.drawn) FROM voucher_redemptions r WHERE r.voucher_id = v.id), 0)::numeric AS drawn
FROM vouchers v WHERE v.tenant_id = @tenant_id ORDER BY v.code;
