-- CDRs: the bytes that a partner sent (immutable), the progress of each CDR, its ratings and its line items.
-- +goose Up

-- The raw message, stored before it is answered. Nothing updates or deletes it.
CREATE TABLE cdrs (
    id          uuid NOT NULL,
    received_at timestamptz NOT NULL,
    partner_id  uuid NOT NULL REFERENCES partners,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    version     text NOT NULL DEFAULT '2.2.1', -- of OCPI, in which raw is written
    raw         bytea NOT NULL,
    sha256      bytea NOT NULL CHECK (length(sha256) = 32),
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
CREATE TABLE cdrs_default PARTITION OF cdrs DEFAULT;

-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is immutable', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER cdrs_immutable BEFORE UPDATE OR DELETE ON cdrs FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER cdrs_kept BEFORE TRUNCATE ON cdrs FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One row a CDR: its identity, the columns that lists filter on, and where it stands. This row is the work queue.
CREATE TABLE cdr_states (
    cdr_id           uuid PRIMARY KEY,
    received_at      timestamptz NOT NULL,
    partner_id       uuid NOT NULL REFERENCES partners,
    tenant_id        uuid NOT NULL REFERENCES tenants,
    country_code     text NOT NULL,
    party_id         text NOT NULL,
    ocpi_id          text NOT NULL, -- folded
    session_id       text NOT NULL DEFAULT '',
    credit_reference text NOT NULL DEFAULT '', -- folded id of the CDR that this one credits (CDR-09)
    started_at       timestamptz NOT NULL,
    ended_at         timestamptz NOT NULL,
    kwh              numeric NOT NULL,
    currency         text NOT NULL,
    claimed          numeric NOT NULL, -- total_cost.excl_vat
    token_uid        text NOT NULL,
    operator         text NOT NULL DEFAULT '',
    place            text NOT NULL DEFAULT '',
    evse_id          text NOT NULL DEFAULT '',
    token_id         uuid REFERENCES tokens,
    customer_id      uuid REFERENCES customers,
    rating_id        uuid,
    state            text NOT NULL DEFAULT 'received'
                     CHECK (state IN ('received', 'waiting', 'held', 'rated', 'invoiced', 'credited', 'dropped')),
    reason           text NOT NULL DEFAULT '', -- why it waits, is held or was dropped
    cpo_state        text NOT NULL DEFAULT 'open' CHECK (cpo_state IN ('open', 'accepted', 'disputed')),
    flags            text[] NOT NULL DEFAULT '{}', -- ids of the plausibility rules that it hit
    due_at           timestamptz, -- when a worker shall look at it; NULL: nothing to do
    attempts         integer NOT NULL DEFAULT 0,
    updated_at       timestamptz NOT NULL,
    UNIQUE (country_code, party_id, ocpi_id), -- CDR-06
    FOREIGN KEY (cdr_id, received_at) REFERENCES cdrs (id, received_at),
    CHECK (state NOT IN ('rated', 'invoiced') OR rating_id IS NOT NULL)
);
CREATE INDEX cdr_states_due ON cdr_states (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX cdr_states_list ON cdr_states (tenant_id, started_at DESC, cdr_id DESC);
CREATE INDEX cdr_states_by_state ON cdr_states (tenant_id, state, started_at DESC, cdr_id DESC);
CREATE INDEX cdr_states_credit ON cdr_states (country_code, party_id, credit_reference) WHERE credit_reference <> '';

-- +goose StatementBegin
CREATE FUNCTION cdr_states_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> NEW.state AND NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY[
        'received>rated', 'received>held', 'received>waiting', 'received>credited', 'received>dropped',
        'waiting>rated', 'waiting>held', 'waiting>received', 'waiting>credited', 'waiting>dropped',
        'held>rated', 'held>received', 'held>credited', 'held>dropped',
        'rated>received', 'rated>held', 'rated>invoiced', 'rated>credited', 'rated>dropped',
        'invoiced>credited', 'invoiced>rated'
    ]) THEN
        RAISE EXCEPTION 'cdr_states: % to % is no transition', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER cdr_states_transition BEFORE UPDATE OF state ON cdr_states FOR EACH ROW EXECUTE FUNCTION cdr_states_transition();

-- A rating is frozen with everything that it depends on; a later one supersedes it.
CREATE TABLE ratings (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants,
    cdr_id          uuid NOT NULL REFERENCES cdr_states,
    seq             integer NOT NULL CHECK (seq > 0),
    rated_at        timestamptz NOT NULL,
    superseded_at   timestamptz,
    engine          text NOT NULL,
    currency        text NOT NULL,
    plan_version_id uuid REFERENCES plan_versions,
    claimed_net     numeric NOT NULL, -- what the CPO claims, excluding VAT
    computed_net    numeric NOT NULL, -- what its own tariff gives, excluding VAT
    retail_net      numeric NOT NULL,
    retail_gross    numeric NOT NULL,
    margin          numeric NOT NULL GENERATED ALWAYS AS (retail_net - claimed_net) STORED,
    wholesale       jsonb NOT NULL, -- billing.Rating by the CPO's tariff
    verdict         jsonb NOT NULL, -- billing.Verdict: claimed against computed
    retail          jsonb NOT NULL, -- billing.Rating by the customer's plan
    findings        jsonb NOT NULL, -- plausibility findings
    inputs_sha256   bytea NOT NULL,
    UNIQUE (cdr_id, seq)
);
CREATE UNIQUE INDEX ratings_current ON ratings (cdr_id) WHERE superseded_at IS NULL;
ALTER TABLE cdr_states ADD FOREIGN KEY (rating_id) REFERENCES ratings DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE line_items (
    id            uuid NOT NULL,
    created_at    timestamptz NOT NULL, -- rated_at of its rating
    tenant_id     uuid NOT NULL REFERENCES tenants,
    customer_id   uuid NOT NULL REFERENCES customers,
    cdr_id        uuid NOT NULL REFERENCES cdr_states,
    rating_id     uuid NOT NULL REFERENCES ratings,
    position      integer NOT NULL,
    dimension     text NOT NULL,
    quantity      numeric NOT NULL,
    unit          text NOT NULL,
    unit_price    numeric NOT NULL,
    tax_included  boolean NOT NULL,
    vat_category  text NOT NULL CHECK (vat_category IN ('S', 'Z', 'E', 'AE')),
    vat_rate      numeric NOT NULL,
    net           numeric NOT NULL,
    gross         numeric NOT NULL,
    currency      text NOT NULL,
    service_start timestamptz NOT NULL,
    service_end   timestamptz NOT NULL,
    invoice_id    uuid,
    PRIMARY KEY (id, created_at),
    UNIQUE (rating_id, position, created_at)
) PARTITION BY RANGE (created_at);
CREATE TABLE line_items_default PARTITION OF line_items DEFAULT;
CREATE INDEX line_items_unbilled ON line_items (tenant_id, customer_id, service_start) WHERE invoice_id IS NULL;
CREATE INDEX line_items_cdr ON line_items (cdr_id);
CREATE INDEX line_items_invoice ON line_items (invoice_id) WHERE invoice_id IS NOT NULL;
