-- name: InsertCustomer :exec
INSERT INTO customers (id, tenant_id, number, kind, name, contact, email, street, postal_code, city, country, vat_id, buyer_reference, language, group_id, created_at)
VALUES (@id, @tenant_id, @number, @kind, @name, @contact, @email, @street, @postal_code, @city, @country, @vat_id, @buyer_reference, @language, @group_id, @created_at);

-- name: ChangeCustomer :exec
UPDATE customers SET kind = @kind, name = @name, contact = @contact, email = @email, phone = @phone, street = @street, postal_code = @postal_code, city = @city, country = @country,
    vat_id = @vat_id, tax_number = @tax_number, buyer_reference = @buyer_reference, language = @language, delivery = @delivery, peppol_id = @peppol_id,
    invoice_detail = @invoice_detail, version = version + 1
WHERE id = @id;

-- name: Customer :one
SELECT * FROM customers WHERE id = @id;

-- name: CustomerByNameAndEmail :one
SELECT * FROM customers WHERE tenant_id = @tenant_id AND name = @name AND lower(email) = lower(@email) ORDER BY created_at LIMIT 1;

-- Customer numbers count up within a utility; the tenant's row is locked by the caller (LockTenant).
-- name: NextCustomerNumber :one
SELECT (10001 + count(*))::text FROM customers WHERE tenant_id = @tenant_id;

-- name: LockTenant :exec
SELECT FROM tenants WHERE id = @id FOR NO KEY UPDATE;

-- name: InsertMandate :exec
INSERT INTO mandates (id, tenant_id, customer_id, reference, holder, iban_sealed, iban_last4, signed_on, created_at)
VALUES (@id, @tenant_id, @customer_id, @reference, @holder, @iban_sealed, @iban_last4, @signed_on, @created_at);

-- name: ActiveMandate :one
SELECT * FROM mandates WHERE customer_id = @customer_id AND ended_at IS NULL;

-- name: EndMandate :execrows
UPDATE mandates SET ended_at = @now::timestamptz WHERE customer_id = @customer_id AND ended_at IS NULL;

-- name: CountMandates :one
SELECT count(*) FROM mandates WHERE customer_id = @customer_id;

-- name: EndContract :exec
UPDATE contracts SET valid_to = @valid_to::timestamptz WHERE id = @id;

-- Cards whose contract is over, to be blocked.
-- name: TokensOfEndedContracts :many
SELECT t.id, t.tenant_id, t.uid, t.type FROM contracts c JOIN tokens t ON t.contract_id = c.id
WHERE c.valid_to <= @now::timestamptz AND t.valid AND (sqlc.narg(contract_id)::uuid IS NULL OR c.id = sqlc.narg(contract_id)) ORDER BY t.id;

-- name: InsertContract :exec
INSERT INTO contracts (id, tenant_id, customer_id, plan_id, contract_id, valid_from, created_at)
VALUES (@id, @tenant_id, @customer_id, @plan_id, @contract_id, @valid_from, @created_at);

-- name: ContractByEMAID :one
SELECT * FROM contracts WHERE tenant_id = @tenant_id AND upper(contract_id) = upper(@contract_id);

-- name: Contract :one
SELECT * FROM contracts WHERE id = @id;

-- name: LockCustomer :exec
SELECT FROM customers WHERE id = @id FOR NO KEY UPDATE;

-- Whether the cards of a customer may charge until it has paid.
-- name: SetNoCredit :execrows
UPDATE customers SET no_credit = @no_credit WHERE id = @id AND tenant_id = @tenant_id AND no_credit <> @no_credit;
