-- name: InsertTenant :exec
INSERT INTO tenants (id, country_code, party_id, name, mode, street, postal_code, city, country, vat_id, tax_number, register, contact_name, contact_phone,
    contact_email, website, legal_footer, iban, bic, creditor_id, colour, logo, payment_days, created_at)
VALUES (@id, @country_code, @party_id, @name, @mode, @street, @postal_code, @city, @country, @vat_id, @tax_number, @register, @contact_name, @contact_phone,
    @contact_email, @website, @legal_footer, @iban, @bic, @creditor_id, @colour, @logo, @payment_days, @created_at);

-- name: Tenant :one
SELECT * FROM tenants WHERE id = @id;

-- name: TenantByParty :one
SELECT * FROM tenants WHERE country_code = upper(@country_code) AND party_id = upper(@party_id);

-- The utility of that party, if it has worked with the partner, whether it still does or not: a session, or a card that the
-- partner has, says so. One that was closed before an instant is none any more.
-- name: TenantServedBy :one
SELECT t.id FROM tenants t WHERE t.country_code = upper(@country_code::text) AND t.party_id = upper(@party_id::text)
    AND (t.closed_at IS NULL OR t.closed_at > @closed_after::timestamptz) AND (
    EXISTS (SELECT FROM sessions s WHERE s.tenant_id = t.id AND s.partner_id = @partner_id)
    OR EXISTS (SELECT FROM token_deliveries d JOIN tokens k ON k.id = d.token_id WHERE k.tenant_id = t.id AND d.partner_id = @partner_id AND d.confirmed IS NOT NULL));

-- name: Tenants :many
SELECT * FROM tenants ORDER BY name, id;

-- name: CloseTenant :exec
UPDATE tenants SET closed_at = @now::timestamptz WHERE id = @id;

-- name: ChangeTenant :exec
UPDATE tenants SET name = @name, mode = @mode, street = @street, postal_code = @postal_code, city = @city, vat_id = @vat_id, tax_number = @tax_number, register = @register,
    contact_name = @contact_name, contact_phone = @contact_phone, contact_email = @contact_email, website = @website, iban = @iban, bic = @bic, creditor_id = @creditor_id,
    colour = @colour, legal_footer = @legal_footer, logo = @logo, payment_days = @payment_days, version = version + 1
WHERE id = @id;
