-- What the utility owes: to whom charges at home for an employer, and to whom hosts its charge points. It bills that itself, in the
-- payee's name (Gutschrift, § 14(2) UStG).
-- +goose Up

-- An agreement with a payee. It is ended, never changed: other terms are another agreement.
CREATE TABLE reimbursements (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL,
    payee_id     uuid NOT NULL, -- a customer: who charges at home or his employer, or who hosts charge points
    kind         text NOT NULL CHECK (kind IN ('home', 'host')),
    evse_id      text NOT NULL DEFAULT '', -- folded; which sessions: all that is given must hold
    location     text NOT NULL DEFAULT '', -- DE*ABC*LOC1, folded
    token_id     uuid REFERENCES tokens,   -- alone: what its CDRs say was charged at home
    basis        text NOT NULL CHECK (basis IN ('kwh', 'session', 'percent')),
    price        numeric NOT NULL CHECK (price > 0), -- of a kWh, of a session, or percent of what the session is sold for; without VAT
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    vat          text NOT NULL CHECK (vat IN ('outside', 'exempt', 'standard')), -- no supply · small business, § 19 UStG · taxed
    tax_number   text NOT NULL DEFAULT '', -- where the payee has no VAT id
    phone        text NOT NULL DEFAULT '', -- of the payee, who is the seller of the document (BT-42)
    charged      boolean NOT NULL DEFAULT false, -- home: the contract of the card pays for the session by its plan
    agreed_on    date NOT NULL, -- to being billed for by the utility (§ 14(2) sentence 2 UStG)
    holder       text NOT NULL CHECK (holder <> ''),
    iban_sealed  bytea NOT NULL,
    iban_last4   text NOT NULL,
    valid_from   date NOT NULL,
    valid_until  date, -- its last day
    added_by     text NOT NULL,
    added_at     timestamptz NOT NULL,
    ended_at     timestamptz, -- when its end was said
    scope        uuid NOT NULL GENERATED ALWAYS AS (md5(tenant_id::text || kind || '|' || evse_id || '|' || location || '|' || coalesce(token_id::text, ''))::uuid) STORED,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, payee_id) REFERENCES customers (tenant_id, id),
    CHECK (evse_id <> '' OR location <> '' OR token_id IS NOT NULL),
    CHECK (kind = 'home' OR token_id IS NULL AND NOT charged),
    CHECK (basis <> 'percent' OR price <= 100),
    CHECK (valid_until >= valid_from - 1), -- the day before: it never counted
    -- One agreement of a kind about the same at a time.
    EXCLUDE USING gist (uuidrange(scope, scope, '[]') WITH &&, daterange(valid_from, valid_until + 1) WITH &&)
);
CREATE INDEX reimbursements_payee ON reimbursements (payee_id, added_at DESC);
CREATE INDEX reimbursements_evse ON reimbursements (tenant_id, evse_id) WHERE evse_id <> '';
CREATE INDEX reimbursements_location ON reimbursements (tenant_id, location) WHERE location <> '';
CREATE INDEX reimbursements_token ON reimbursements (token_id) WHERE token_id IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION reimbursements_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved reimbursements%ROWTYPE := NEW;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        moved.valid_until := OLD.valid_until;
        moved.ended_at := OLD.ended_at;
        moved.scope := OLD.scope; -- not computed yet
        IF moved IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'reimbursement % is agreed: it can only end', OLD.id USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER reimbursements_frozen BEFORE UPDATE OR DELETE ON reimbursements FOR EACH ROW EXECUTE FUNCTION reimbursements_frozen();

ALTER TABLE reimbursements ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON reimbursements TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid);
GRANT SELECT, INSERT, UPDATE ON reimbursements TO roamwerk_tenant;

-- What a rating owes by agreements (jobs.payable, as items are jobs.bookable).
ALTER TABLE ratings ADD COLUMN payables jsonb NOT NULL DEFAULT '[]';
-- The payee has objected and bills it himself: what is owed for the CDR goes on no document of ours any more.
ALTER TABLE cdr_states ADD COLUMN unpaid boolean NOT NULL DEFAULT false;

-- All amounts of the ledger are what a customer owes. An item with an agreement is what the utility owes him: it is negative, and
-- stands on a self-billed document, which shows it the other way round.
ALTER TABLE line_items
    ADD COLUMN reimbursement_id uuid REFERENCES reimbursements,
    DROP CONSTRAINT line_items_vat_category_check,
    ADD CONSTRAINT line_items_vat_category_check CHECK (vat_category IN ('S', 'Z', 'E', 'AE', 'O')),
    ADD CONSTRAINT line_items_owed CHECK (reimbursement_id IS NULL OR cdr_id IS NOT NULL AND contract_id IS NULL);
DROP INDEX line_items_unbilled;
CREATE INDEX line_items_unbilled ON line_items (tenant_id, customer_id, service_start) INCLUDE (reimbursement_id) WHERE invoice_id IS NULL;

-- A payee has a draft of his own beside that of what he pays. What a month gives back becomes a credit note when it is issued.
DROP INDEX invoices_draft;
CREATE UNIQUE INDEX invoices_draft ON invoices (tenant_id, customer_id, month, currency, cycle, type) WHERE state IN ('draft', 'failed', 'carried') AND type IN ('380', '389') AND run_id IS NOT NULL;
ALTER TABLE invoices
    DROP CONSTRAINT invoices_run,
    DROP CONSTRAINT invoices_corrects,
    ADD CONSTRAINT invoices_corrects CHECK (CASE type WHEN '380' THEN corrects_id IS NULL AND run_id IS NOT NULL WHEN '389' THEN corrects_id IS NULL AND run_id IS NOT NULL
        WHEN '381' THEN (corrects_id IS NULL) = (run_id IS NOT NULL) ELSE corrects_id IS NOT NULL AND run_id IS NULL END AND (type = '384' OR NOT cancels));

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION invoices_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.type <> '384' AND NEW.approved_at IS NULL THEN
        RAISE EXCEPTION 'invoice % has not been approved', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'invoices_approved';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
