-- How documents reach customers: by e-mail of the utility's own sender, as a letter, by Peppol, or fetched by the customer.
-- +goose Up
ALTER TABLE customers
    ADD delivery  text NOT NULL DEFAULT 'email' CHECK (delivery IN ('email', 'portal', 'letter', 'peppol')),
    ADD peppol_id text NOT NULL DEFAULT '' CHECK (peppol_id ~ '^([0-9]{4}:[A-Za-z0-9._~-]{1,50})?$'), -- ISO 6523 scheme and id
    ADD CHECK (delivery <> 'peppol' OR peppol_id <> '');

-- What a utility's e-mails look like and where they leave. Without a row, or without a server: by the platform's.
CREATE TABLE mail_settings (
    tenant_id      uuid PRIMARY KEY REFERENCES tenants,
    sender         text NOT NULL DEFAULT '', -- address; empty: the contact's
    reply_to       text NOT NULL DEFAULT '',
    bounce_contact text NOT NULL DEFAULT '', -- who is told what did not arrive; empty: the contact
    smtp_host      text NOT NULL DEFAULT '', -- what screens show of the server
    smtp_sealed    bytea,                    -- its URL with the password
    changed_at     timestamptz NOT NULL
);

-- A document that did not arrive is sent again as another copy; every copy is sent once.
ALTER TABLE emails
    ADD copy       integer NOT NULL DEFAULT 1,
    ADD attached   boolean NOT NULL DEFAULT true, -- the documents of the invoice go with it
    ADD reply_to   text NOT NULL DEFAULT '',
    ADD bounced_at timestamptz,
    DROP CONSTRAINT emails_invoice_id_key,
    ADD UNIQUE (invoice_id, copy),
    DROP CONSTRAINT emails_state_check,
    ADD CHECK (state IN ('queued', 'sent', 'kept', 'failed', 'bounced')),
    ADD CHECK ((state = 'bounced') = (bounced_at IS NOT NULL));

-- Everything that came back for an e-mail, as it came.
CREATE TABLE bounces (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    email_id    uuid NOT NULL REFERENCES emails,
    received_at timestamptz NOT NULL,
    action      text NOT NULL, -- of the delivery report (RFC 3464); by-hand: a person says so; other: it is no report
    status      text NOT NULL DEFAULT '',
    recipient   text NOT NULL DEFAULT '',
    reason      text NOT NULL DEFAULT '',
    message     bytea NOT NULL DEFAULT ''
);
CREATE INDEX bounces_email ON bounces (email_id, received_at);

-- Files for a print service and for a Peppol access point, written into a directory. A copy is written once.
CREATE TABLE file_drops (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    invoice_id  uuid NOT NULL REFERENCES invoices,
    way         text NOT NULL CHECK (way IN ('letter', 'peppol')),
    copy        integer NOT NULL DEFAULT 1,
    recipient   text NOT NULL, -- name and place, or Peppol id
    file_name   text NOT NULL,
    state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'written', 'kept', 'failed')),
    problem     text NOT NULL DEFAULT '',
    due_at      timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL,
    written_at  timestamptz,
    UNIQUE (invoice_id, way, copy)
);
CREATE INDEX file_drops_due ON file_drops (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX file_drops_list ON file_drops (tenant_id, created_at DESC, id DESC);

-- Everything that leaves, however. A file that was written is as good as sent.
CREATE VIEW outbox WITH (security_invoker = true) AS
SELECT id, tenant_id, invoice_id, 'email'::text AS way, copy, recipient, subject, state, problem, attempts, due_at, created_at, sent_at FROM emails
UNION ALL
SELECT id, tenant_id, invoice_id, way, copy, recipient, file_name, CASE state WHEN 'written' THEN 'sent' ELSE state END, problem, attempts, due_at, created_at, written_at FROM file_drops;

ALTER TABLE documents DROP CONSTRAINT documents_format_check,
    ADD CONSTRAINT documents_format_check CHECK (format IN ('pdf', 'xml', 'xrechnung', 'html', 'csv', 'meter', 'peppol'));

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['mail_settings', 'bounces', 'file_drops'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I TO roamwerk_tenant USING (tenant_id = current_setting(''roamwerk.tenant'')::uuid)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO roamwerk_tenant', t);
    END LOOP;
    GRANT SELECT ON outbox TO roamwerk_tenant;
END $$;
-- +goose StatementEnd
