-- Master data is mended in the back office: what a clerk saw is what he changes, and what documents can carry can be entered.
-- +goose Up

-- A change names the version that it was made from: of two clerks at once, the second is told.
ALTER TABLE customers
    ADD phone      text NOT NULL DEFAULT '',
    ADD tax_number text NOT NULL DEFAULT '', -- of one who is paid by self-billed documents (§ 14(4) no. 2 UStG)
    ADD version    integer NOT NULL DEFAULT 1;
ALTER TABLE tenants ADD version integer NOT NULL DEFAULT 1;

-- Lists and searches of a utility's customers.
CREATE INDEX customers_email ON customers (tenant_id, lower(email)) WHERE email <> '';
CREATE INDEX mandates_customer ON mandates (customer_id, created_at);
CREATE INDEX invoices_recipient ON invoices (recipient_id, month) WHERE recipient_id IS NOT NULL;

-- Cards end with their contract.
CREATE INDEX contracts_ended ON contracts (valid_to) WHERE valid_to IS NOT NULL;
ALTER TABLE contracts ADD CHECK (valid_to >= valid_from);
CREATE INDEX cdr_states_customer ON cdr_states (customer_id, started_at);

-- Customers as lists have them, with what they lack: for an invoice, for its way to them, for its payment.
CREATE VIEW customers_listed WITH (security_invoker = true) AS
SELECT c.*, array_remove(ARRAY[
    CASE WHEN c.street = '' OR c.postal_code = '' OR c.city = '' THEN 'address' END,
    CASE WHEN c.email = '' AND c.delivery IN ('email', 'portal') THEN 'email' END,
    CASE WHEN c.kind <> 'public' AND NOT EXISTS (SELECT FROM mandates m WHERE m.customer_id = c.id AND m.ended_at IS NULL) THEN 'mandate' END,
    CASE WHEN c.vat_id = '' AND c.kind IN ('business', 'fleet') THEN 'vat' END,
    CASE WHEN EXISTS (SELECT FROM invoices i WHERE i.customer_id = c.id AND i.state = 'failed') OR EXISTS (SELECT FROM invoices i WHERE i.recipient_id = c.id AND i.state = 'failed') THEN 'stopped' END
], NULL)::text[] AS lacks
FROM customers c;
GRANT SELECT ON customers_listed TO roamwerk_tenant;

-- Customers by what somebody says on the telephone: name, number, e-mail, telephone, contract, card, invoice, or the last digits of an IBAN.
-- +goose StatementBegin
CREATE FUNCTION customers_found(tenant uuid, pattern text, kind text) RETURNS SETOF customers_listed LANGUAGE sql STABLE AS $$
    SELECT c.* FROM customers_listed c
    WHERE (tenant IS NULL OR c.tenant_id = tenant) AND (customers_found.kind = '' OR c.kind = customers_found.kind)
        AND (pattern = '' OR c.number ILIKE pattern OR c.name ILIKE pattern OR c.contact ILIKE pattern OR c.email ILIKE pattern OR c.phone ILIKE pattern
            OR c.id IN (SELECT o.customer_id FROM contracts o WHERE (tenant IS NULL OR o.tenant_id = tenant) AND o.contract_id ILIKE pattern)
            OR c.id IN (SELECT o.customer_id FROM tokens t JOIN contracts o ON o.id = t.contract_id WHERE (tenant IS NULL OR t.tenant_id = tenant) AND (t.uid ILIKE pattern OR t.visual_number ILIKE pattern))
            OR c.id IN (SELECT m.customer_id FROM mandates m WHERE (tenant IS NULL OR m.tenant_id = tenant) AND m.ended_at IS NULL AND (m.iban_last4 ILIKE pattern OR m.reference ILIKE pattern))
            OR c.id IN (SELECT i.customer_id FROM invoices i WHERE (tenant IS NULL OR i.tenant_id = tenant) AND i.number ILIKE pattern))
$$;
-- +goose StatementEnd
