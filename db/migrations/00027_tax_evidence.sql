-- That a customer resells electricity, and so owes the tax of what it buys itself (§ 13b(2) no. 5 (b) UStG): by form USt 1 TH, which
-- its tax office issues for up to three years. Evidence is never changed: it is withdrawn, and new evidence is added.
-- +goose Up
CREATE TABLE reseller_evidence (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL,
    customer_id  uuid NOT NULL,
    reference    text NOT NULL CHECK (reference <> ''), -- of the form, as the tax office writes it
    valid_from   date NOT NULL,
    valid_until  date NOT NULL, -- its last day
    added_by     text NOT NULL,
    added_at     timestamptz NOT NULL,
    withdrawn_at timestamptz, -- it never counted, or counts no more: what is not on an invoice is taxed anew
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CHECK (valid_from <= valid_until AND valid_until < valid_from + 1100)
);
CREATE INDEX reseller_evidence_customer ON reseller_evidence (customer_id, valid_from);
ALTER TABLE reseller_evidence ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reseller_evidence TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid);
GRANT SELECT, INSERT, UPDATE ON reseller_evidence TO roamwerk_tenant;
