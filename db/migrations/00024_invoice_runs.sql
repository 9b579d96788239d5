-- Invoice runs in steps: collect, inspect, approve, issue. Drafts are made by the thousand; each says what is odd about it.
-- +goose Up

-- How a utility bills. A utility without a row has the defaults.
CREATE TABLE billing_policies (
    tenant_id         uuid PRIMARY KEY REFERENCES tenants,
    inspection_days   integer NOT NULL DEFAULT 0 CHECK (inspection_days BETWEEN 0 AND 28), -- for which drafts wait, and late CDRs enter them
    minimum           numeric NOT NULL DEFAULT 0 CHECK (minimum >= 0), -- with VAT, in the invoice's currency; less is carried forward
    carry_months      integer NOT NULL DEFAULT 3 CHECK (carry_months BETWEEN 1 AND 5), -- at most: § 14(2) UStG gives half a year
    zero              text NOT NULL DEFAULT 'suppress' CHECK (zero IN ('suppress', 'issue')), -- invoices on which everything is free
    deviation_percent numeric NOT NULL DEFAULT 50 CHECK (deviation_percent >= 0), -- from the mean of three months, and
    deviation_amount  numeric NOT NULL DEFAULT 10 CHECK (deviation_amount >= 0), -- at least by so much: then a person looks
    updated_at        timestamptz NOT NULL
);

ALTER TABLE contracts ADD COLUMN billing_cycle text NOT NULL DEFAULT 'month' CHECK (billing_cycle IN ('month', 'quarter', 'immediate'));
CREATE INDEX contracts_customer ON contracts (tenant_id, customer_id);
CREATE INDEX contracts_cycle ON contracts (id) WHERE billing_cycle <> 'month';
ALTER TABLE customers ADD COLUMN invoice_detail text NOT NULL DEFAULT 'items' CHECK (invoice_detail IN ('items', 'summary'));

ALTER TABLE line_items ADD COLUMN contract_id uuid; -- whose cycle decides when it is billed; NULL: monthly
ALTER TABLE line_items DISABLE TRIGGER line_items_frozen;
UPDATE line_items l SET contract_id = s.contract_id FROM cdr_states s WHERE s.cdr_id = l.cdr_id;
UPDATE line_items l SET contract_id = f.contract_id FROM fees f WHERE f.id = l.fee_id;
ALTER TABLE line_items ENABLE TRIGGER line_items_frozen;

-- running: drafts are being made · inspection: they wait for approval, and late CDRs enter them · issuing: approved · done: nothing
-- of it is left to issue
ALTER TABLE invoice_runs
    ADD COLUMN cycle           text NOT NULL DEFAULT 'month' CHECK (cycle IN ('month', 'immediate')),
    ADD COLUMN started_by      uuid REFERENCES staff, -- NULL: the command line, or the schedule
    ADD COLUMN actor           text NOT NULL DEFAULT 'roamwerk',
    ADD COLUMN cursor          uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- the last customer that was looked at
    ADD COLUMN customers       integer NOT NULL DEFAULT 0, -- to look at
    ADD COLUMN customers_done  integer NOT NULL DEFAULT 0,
    ADD COLUMN fees_booked     integer NOT NULL DEFAULT 0,
    ADD COLUMN fee_problems    jsonb NOT NULL DEFAULT '[]', -- jobs.FeeProblem
    ADD COLUMN collected_at    timestamptz, -- when the drafts were last brought up to date
    ADD COLUMN inspect_until   timestamptz,
    ADD COLUMN approved_by     uuid REFERENCES staff,
    ADD COLUMN approver        text NOT NULL DEFAULT '',
    ADD COLUMN approved_at     timestamptz,
    ADD COLUMN due_at          timestamptz, -- when a worker shall go on, or until when one is at it
    ADD COLUMN attempts        integer NOT NULL DEFAULT 0,
    ADD COLUMN reason          text NOT NULL DEFAULT '', -- why the last attempt failed
    DROP CONSTRAINT invoice_runs_state_check,
    ADD CONSTRAINT invoice_runs_state_check CHECK (state IN ('running', 'inspection', 'issuing', 'done')),
    ADD CONSTRAINT invoice_runs_two_people CHECK (approved_by <> started_by);
UPDATE invoice_runs SET state = 'done', finished_at = coalesce(finished_at, created_at);
CREATE UNIQUE INDEX invoice_runs_open ON invoice_runs (tenant_id, month, cycle) WHERE state IN ('running', 'inspection');
CREATE INDEX invoice_runs_due ON invoice_runs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX invoice_runs_list ON invoice_runs (tenant_id, created_at DESC, id DESC);

-- carried: too little to ask for, its items wait for the next invoice · settled: everything on it is free, and nothing is sent
ALTER TABLE invoices
    DROP CONSTRAINT invoices_state_check,
    ADD CONSTRAINT invoices_state_check CHECK (state IN ('draft', 'failed', 'carried', 'settled', 'issued')),
    ADD COLUMN cycle        text NOT NULL DEFAULT 'month' CHECK (cycle IN ('month', 'quarter', 'immediate')),
    ADD COLUMN recipient_id uuid, -- who gets the document instead of the customer, an employer for example
    ADD COLUMN items        integer NOT NULL DEFAULT 0,
    ADD COLUMN gross_exact  boolean NOT NULL DEFAULT false,
    ADD COLUMN stale        boolean NOT NULL DEFAULT false, -- its items have changed since it was summed up
    ADD COLUMN warnings     text[] NOT NULL DEFAULT '{}', -- what a person should look at: first, zero, deviation, …
    ADD COLUMN usual        numeric, -- mean of the three months before; NULL: there is none
    ADD COLUMN drafted_by   uuid REFERENCES staff,
    ADD COLUMN approved_by  uuid REFERENCES staff,
    ADD COLUMN approver     text NOT NULL DEFAULT '',
    ADD COLUMN approved_at  timestamptz,
    ADD COLUMN changes      jsonb NOT NULL DEFAULT '[]', -- of a correction: billing.Change
    ADD FOREIGN KEY (tenant_id, recipient_id) REFERENCES customers (tenant_id, id),
    ADD CONSTRAINT invoices_two_people CHECK (approved_by <> drafted_by),
    ADD CONSTRAINT invoices_fresh CHECK (state NOT IN ('issued', 'settled', 'carried') OR NOT stale);
DROP INDEX invoices_draft;
CREATE UNIQUE INDEX invoices_draft ON invoices (tenant_id, customer_id, month, currency, cycle) WHERE state IN ('draft', 'failed', 'carried') AND type = '380';
CREATE INDEX invoices_customer ON invoices (customer_id, month);
CREATE INDEX invoices_run ON invoices (run_id, state);
CREATE INDEX invoices_odd ON invoices (run_id) WHERE warnings <> '{}' OR state = 'failed';

-- The sums of a draft by VAT category and rate. Once it is issued its document has them.
CREATE TABLE invoice_taxes (
    invoice_id uuid NOT NULL REFERENCES invoices ON DELETE CASCADE,
    tenant_id  uuid NOT NULL REFERENCES tenants,
    category   text NOT NULL,
    rate       numeric NOT NULL,
    items      integer NOT NULL,
    net        numeric NOT NULL,
    tax        numeric NOT NULL,
    PRIMARY KEY (invoice_id, category, rate)
);

-- +goose StatementBegin
CREATE FUNCTION invoices_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.type = '380' AND NEW.approved_at IS NULL THEN
        RAISE EXCEPTION 'invoice % has not been approved', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'invoices_approved';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER invoices_approved BEFORE UPDATE OF state ON invoices FOR EACH ROW WHEN (NEW.state IN ('issued', 'settled', 'carried') AND OLD.state <> NEW.state)
    EXECUTE FUNCTION invoices_approved();

ALTER TABLE billing_policies ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON billing_policies TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid);
ALTER TABLE invoice_taxes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invoice_taxes TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid);
GRANT SELECT ON billing_policies, invoice_taxes TO roamwerk_tenant;
REVOKE INSERT, UPDATE ON invoice_runs FROM roamwerk_tenant;
