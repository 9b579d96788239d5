-- How a utility clears: its policy, what it agreed with partners, and the limits of its rules.

-- name: ClearingPolicy :one
SELECT * FROM clearing_policies WHERE tenant_id = @tenant_id;

-- name: SaveClearingPolicy :exec
INSERT INTO clearing_policies (tenant_id, late, late_days, close_day, mini, empty, blocked_card, drop_limit, waiting_days, updated_at)
VALUES (@tenant_id, @late, @late_days, @close_day, @mini, @empty, @blocked_card, @drop_limit, @waiting_days, @updated_at)
ON CONFLICT (tenant_id) DO UPDATE SET late = excluded.late, late_days = excluded.late_days, close_day = excluded.close_day, mini = excluded.mini, empty = excluded.empty,
    blocked_card = excluded.blocked_card, drop_limit = excluded.drop_limit, waiting_days = excluded.waiting_days, updated_at = excluded.updated_at;

-- name: Agreement :one
SELECT * FROM agreements WHERE tenant_id = @tenant_id AND partner_id = @partner_id;

-- name: Agreements :many
SELECT sqlc.embed(a), p.name AS partner FROM agreements a JOIN partners p ON p.id = a.partner_id WHERE a.tenant_id = @tenant_id ORDER BY p.name;

-- name: SaveAgreement :exec
INSERT INTO agreements (tenant_id, partner_id, currency, dispute_days, email, updated_at)
VALUES (@tenant_id, @partner_id, @currency, @dispute_days, @email, @updated_at)
ON CONFLICT (tenant_id, partner_id) DO UPDATE SET currency = excluded.currency, dispute_days = excluded.dispute_days,
    email = excluded.email, updated_at = excluded.updated_at;

-- The settings that count for a partner's CDRs, the utility's own before the partner's, which go before them.
-- name: RuleSettingsFor :many
SELECT * FROM rule_settings WHERE tenant_id = @tenant_id AND (partner_id = @partner_id::uuid OR partner_id IS NULL) AND ended_at IS NULL ORDER BY partner_id NULLS FIRST, rule;

-- Every setting that counts, and with history also those that were replaced.
-- name: RuleSettings :many
SELECT s.*, coalesce(p.name, '')::text AS partner FROM rule_settings s LEFT JOIN partners p ON p.id = s.partner_id
WHERE s.tenant_id = @tenant_id AND (@history::boolean OR s.ended_at IS NULL) AND (@rule::text = '' OR s.rule = @rule)
ORDER BY s.rule, s.partner_id NULLS FIRST, s.set_at DESC;

-- name: EndRuleSetting :many
UPDATE rule_settings SET ended_at = @now::timestamptz
WHERE tenant_id = @tenant_id AND partner_id IS NOT DISTINCT FROM sqlc.narg(partner_id)::uuid AND rule = @rule AND ended_at IS NULL
RETURNING *;

-- name: InsertRuleSetting :exec
INSERT INTO rule_settings (id, tenant_id, partner_id, rule, enabled, info_limit, flag_limit, block_limit, reason, set_by, set_at)
VALUES (@id, @tenant_id, @partner_id, @rule, @enabled, @info_limit, @flag_limit, @block_limit, @reason, @set_by, @set_at);

-- Whether a partner works with a utility, or has.
-- name: PartnerOfTenant :one
SELECT (EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = @partner_id AND w.tenant_id = @tenant_id)
    OR EXISTS (SELECT FROM cdr_states s WHERE s.partner_id = @partner_id AND s.tenant_id = @tenant_id))::boolean AS known;
