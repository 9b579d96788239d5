-- name: InsertCustomer :exec
INSERT INTO customers (id, tenant_id, number, kind, name, contact, email, street, postal_code, city, country, vat_id, buyer_reference, language, group_id, created_at)
VALUES (@id, @tenant_id, @number, @kind, @name, @contact, @email, @street, @postal_code, @city, @country, @vat_id, @buyer_reference, @language, @group_id, @created_at);

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
