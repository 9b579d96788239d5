-- Invoices: runs, drafts, numbers, frozen documents, and the e-mails that carry them.
-- +goose Up

CREATE TABLE invoice_runs (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    month       date NOT NULL CHECK (extract(day FROM month) = 1),
    issue       boolean NOT NULL, -- issue the drafts at once
    state       text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done')),
    created_at  timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (tenant_id, id)
);

CREATE TABLE invoices (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL,
    customer_id uuid NOT NULL,
    run_id      uuid NOT NULL,
    month       date NOT NULL,
    state       text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'failed', 'issued')),
    problems    jsonb NOT NULL DEFAULT '[]', -- billing.Problem: what a clerk has to put right before it can be issued
    reason      text NOT NULL DEFAULT '', -- why rendering or sending failed last
    series      text, -- number range
    seq         bigint CHECK (seq > 0),
    number      text,
    date        date,
    currency    text NOT NULL,
    net         numeric NOT NULL,
    vat         numeric NOT NULL,
    gross       numeric NOT NULL,
    doc         jsonb, -- billing.Invoice, frozen when issued
    created_at  timestamptz NOT NULL,
    issued_at   timestamptz,
    due_at      timestamptz, -- when a worker shall render or send it next; NULL: nothing to do
    attempts    integer NOT NULL DEFAULT 0,
    rendered_at timestamptz,
    sent_at     timestamptz,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES invoice_runs (tenant_id, id),
    UNIQUE (tenant_id, series, seq),
    UNIQUE (tenant_id, number),
    CHECK (state <> 'issued' OR (number IS NOT NULL AND seq IS NOT NULL AND date IS NOT NULL AND doc IS NOT NULL AND issued_at IS NOT NULL))
);
CREATE UNIQUE INDEX invoices_draft ON invoices (tenant_id, customer_id, month, currency) WHERE state <> 'issued';
CREATE INDEX invoices_list ON invoices (tenant_id, month DESC, id DESC);
CREATE INDEX invoices_due ON invoices (due_at) WHERE due_at IS NOT NULL;
ALTER TABLE line_items ADD FOREIGN KEY (invoice_id) REFERENCES invoices;

-- One locked counter per utility and range: numbers have no gaps and follow the order of issue.
CREATE TABLE number_series (
    tenant_id uuid NOT NULL REFERENCES tenants,
    series    text NOT NULL,
    last      bigint NOT NULL CHECK (last >= 0),
    PRIMARY KEY (tenant_id, series)
);

-- +goose StatementBegin
CREATE FUNCTION invoices_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state = 'issued' THEN
            RAISE EXCEPTION 'invoice % is issued and cannot be deleted', OLD.number USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    -- Only the progress of rendering and sending may still move.
    IF OLD.state = 'issued' AND (NEW.tenant_id, NEW.customer_id, NEW.run_id, NEW.month, NEW.state, NEW.series, NEW.seq, NEW.number, NEW.date, NEW.currency, NEW.net, NEW.vat, NEW.gross, NEW.doc, NEW.created_at, NEW.issued_at)
        IS DISTINCT FROM (OLD.tenant_id, OLD.customer_id, OLD.run_id, OLD.month, OLD.state, OLD.series, OLD.seq, OLD.number, OLD.date, OLD.currency, OLD.net, OLD.vat, OLD.gross, OLD.doc, OLD.created_at, OLD.issued_at) THEN
        RAISE EXCEPTION 'invoice % is issued and cannot change', OLD.number USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER invoices_frozen BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION invoices_frozen();
CREATE TRIGGER invoices_kept BEFORE TRUNCATE ON invoices FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An item on an issued invoice is part of that document.
-- +goose StatementBegin
CREATE FUNCTION line_items_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.invoice_id IS NOT NULL AND EXISTS (SELECT FROM invoices WHERE id = OLD.invoice_id AND state = 'issued') THEN
        RAISE EXCEPTION 'line item % is invoiced and cannot change', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
-- +goose StatementEnd
CREATE TRIGGER line_items_frozen BEFORE UPDATE OR DELETE ON line_items FOR EACH ROW EXECUTE FUNCTION line_items_frozen();

-- The bytes of every issued document, chained per utility: chain = SHA-256(previous chain, sha256).
CREATE TABLE documents (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants,
    invoice_id uuid NOT NULL REFERENCES invoices,
    format     text NOT NULL CHECK (format IN ('pdf', 'xml')),
    file_name  text NOT NULL,
    bytes      bytea NOT NULL,
    sha256     bytea NOT NULL CHECK (sha256 = sha256(bytes)),
    seq        bigint NOT NULL CHECK (seq > 0),
    chain      bytea NOT NULL CHECK (length(chain) = 32),
    created_at timestamptz NOT NULL,
    UNIQUE (invoice_id, format),
    UNIQUE (tenant_id, seq)
);
CREATE TRIGGER documents_immutable BEFORE UPDATE OR DELETE ON documents FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER documents_kept BEFORE TRUNCATE ON documents FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The outbox. 'kept': no mail server is configured, the message is for the back office to read.
CREATE TABLE emails (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants,
    invoice_id uuid UNIQUE REFERENCES invoices, -- an invoice is sent once
    message_id text NOT NULL UNIQUE,
    sender     text NOT NULL,
    recipient  text NOT NULL,
    subject    text NOT NULL,
    body       text NOT NULL,
    state      text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'kept', 'failed')),
    problem    text NOT NULL DEFAULT '',
    due_at     timestamptz,
    attempts   integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    sent_at    timestamptz
);
CREATE INDEX emails_due ON emails (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX emails_list ON emails (tenant_id, created_at DESC, id DESC);

-- Who did what when: the timeline of a CDR, an invoice, a partner.
CREATE TABLE events (
    id         uuid PRIMARY KEY,
    at         timestamptz NOT NULL,
    tenant_id  uuid REFERENCES tenants,
    actor      text NOT NULL,
    subject    text NOT NULL CHECK (subject IN ('cdr', 'command', 'invoice', 'partner', 'tenant', 'token')),
    subject_id uuid NOT NULL,
    what       text NOT NULL,
    detail     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX events_subject ON events (subject, subject_id, at);

-- The schedule runs each slot of each job once, however many workers there are.
CREATE TABLE schedule_slots (
    job  text NOT NULL,
    slot timestamptz NOT NULL,
    PRIMARY KEY (job, slot)
);
