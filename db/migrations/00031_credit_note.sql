-- Credit notes that a clerk grants on an issued invoice (§ 17 UStG).
-- +goose Up
ALTER TABLE billing_policies ADD COLUMN credit_limit numeric NOT NULL DEFAULT 50 CHECK (credit_limit >= 0); -- above it a second person has to agree

ALTER TABLE invoices
    ADD COLUMN request jsonb, -- of a credit note that a person has asked for: jobs.creditRequest; changes has its lines
    ADD CONSTRAINT invoices_request CHECK ((request IS NOT NULL) = (type = '381' AND corrects_id IS NOT NULL));

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION invoices_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.type <> '384' AND NEW.approved_at IS NULL THEN
        RAISE EXCEPTION 'invoice % has not been approved', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'invoices_approved';
    END IF;
    IF NEW.request IS NOT NULL AND NEW.drafted_by IS NOT NULL AND NEW.approved_by IS NULL
        AND -NEW.gross > coalesce((SELECT credit_limit FROM billing_policies p WHERE p.tenant_id = NEW.tenant_id), 50) THEN
        RAISE EXCEPTION 'a second person must agree to credit note %', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'invoices_four_eyes';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
