-- What contracts pay without charging.

-- A page of contracts that ran in a month or began in it, with what decides about their fees and what is booked of them already.
-- Contracts without another date count from their entry: a card that is entered late finds its sessions, and pays no past fees.
-- name: ContractsForFees :many
SELECT c.id, c.contract_id, c.created_at, greatest(c.valid_from, c.created_at)::timestamptz AS fees_from, c.valid_to, cu.id AS customer_id, cu.kind AS customer_kind, cu.country, cu.vat_id,
    coalesce(g.name, '')::text AS customer_group, coalesce(p.name, '')::text AS plan,
    EXISTS (SELECT FROM fees f WHERE f.contract_id = c.id AND f.kind = 'BASE' AND f.month = @month) AS base_booked,
    EXISTS (SELECT FROM fees f WHERE f.contract_id = c.id AND f.kind = 'ACTIVATION') AS activation_booked
FROM contracts c JOIN customers cu ON cu.id = c.customer_id LEFT JOIN customer_groups g ON g.id = group_at(cu.id, cu.group_id, greatest(c.valid_from, c.created_at, @since::timestamptz)) LEFT JOIN plans p ON p.id = c.plan_id
WHERE c.tenant_id = @tenant_id AND c.customer_id >= @first_customer::uuid AND c.customer_id <= @last_customer::uuid AND c.id > @after AND c.valid_from < @until::timestamptz AND c.created_at < @until AND (c.valid_to IS NULL OR c.valid_to > @since::timestamptz)
ORDER BY c.id LIMIT @max_rows;

-- Cards of a utility that were issued in a month and are not paid for, with how many their contract had before.
-- name: CardsForFees :many
SELECT t.id, t.contract_id, t.created_at,
    (SELECT count(*) FROM tokens o WHERE o.contract_id = t.contract_id AND o.type = 'RFID' AND (o.created_at, o.id) < (t.created_at, t.id)) AS earlier
FROM tokens t
WHERE t.tenant_id = @tenant_id AND t.contract_id = ANY (@contract_ids::uuid[]) AND t.type = 'RFID' AND t.created_at >= @since::timestamptz AND t.created_at < @until::timestamptz
    AND NOT EXISTS (SELECT FROM fees f WHERE f.token_id = t.id)
ORDER BY t.contract_id, t.created_at, t.id;

-- Books a fee with its item, once: it is not new where somebody was faster.
-- name: BookFee :batchone
WITH fee AS (
    INSERT INTO fees (id, tenant_id, contract_id, token_id, kind, month, plan_version_id, price, first_day, last_day, days, of_days, booked_at)
    VALUES (@id, @tenant_id, @contract_id, sqlc.narg(token_id), @kind, @month, @plan_version_id, @price, @first_day, @last_day, @days, @of_days, @booked_at)
    ON CONFLICT DO NOTHING
    RETURNING id, tenant_id, contract_id, kind
), item AS (
    INSERT INTO line_items (id, created_at, tenant_id, customer_id, contract_id, kind, fee_id, position, dimension, quantity, unit, unit_price, tax_included, vat_category, vat_rate, net, gross, currency, service_start, service_end)
    SELECT @item_id, @booked_at, f.tenant_id, @customer_id, f.contract_id, 'fee', f.id, 1, f.kind, 1, @unit, @unit_price, @tax_included, @vat_category, @vat_rate, @net, @gross, @currency, @service_start, @service_end FROM fee f
)
SELECT EXISTS (SELECT FROM fee) AS is_new;

-- What a document says about the fees behind its items.
-- name: FeesOfInvoice :many
SELECT f.*, p.name AS plan_name, coalesce(t.visual_number, '')::text AS visual_number, coalesce(t.uid, '')::text AS uid
FROM fees f JOIN plan_versions v ON v.id = f.plan_version_id JOIN plans p ON p.id = v.plan_id LEFT JOIN tokens t ON t.id = f.token_id
WHERE f.id IN (SELECT l.fee_id FROM line_items l WHERE l.invoice_id = @invoice_id) ORDER BY f.first_day, f.id;
