-- name: InsertTenant :exec
INSERT INTO tenants (id, country_code, party_id, name, mode, street, postal_code, city, country, vat_id, tax_number, register, contact_name, contact_phone,
    contact_email, website, legal_footer, iban, bic, creditor_id, colour, logo, payment_days, created_at)
VALUES (@id, @country_code, @party_id, @name, @mode, @street, @postal_code, @city, @country, @vat_id, @tax_number, @register, @contact_name, @contact_phone,
    @contact_email, @website, @legal_footer, @iban, @bic, @creditor_id, @colour, @logo, @payment_days, @created_at);

-- name: Tenant :one
SELECT * FROM tenants WHERE id = @id;

-- name: TenantByParty :one
SELECT * FROM tenants WHERE country_code = upper(@country_code) AND party_id = upper(@party_id);

-- name: Tenants :many
SELECT * FROM tenants ORDER BY name, id;
