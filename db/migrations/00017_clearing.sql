-- Clearing: who held a card when, what the plausibility rules measured and which limits count, what people decided about CDRs,
-- and disputes with partners.
-- +goose Up

-- Which contract a card belonged to at which time. A session is priced for the contract at its start, so that a card that was
-- handed over, or assigned late or wrongly, can be put right backwards in time. tokens.contract_id is the contract of today.
CREATE TYPE uuidrange AS RANGE (subtype = uuid); -- lets a plain gist index compare ids; btree_gist is not everywhere
CREATE TABLE token_assignments (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL,
    token_id    uuid NOT NULL REFERENCES tokens,
    contract_id uuid NOT NULL,
    valid_from  timestamptz NOT NULL,
    valid_to    timestamptz, -- NULL: until further notice
    created_at  timestamptz NOT NULL,
    CHECK (valid_to > valid_from),
    FOREIGN KEY (tenant_id, contract_id) REFERENCES contracts (tenant_id, id),
    EXCLUDE USING gist (uuidrange(token_id, token_id, '[]') WITH &&, tstzrange(valid_from, valid_to) WITH &&)
);
CREATE INDEX token_assignments_token ON token_assignments (token_id, valid_from);
CREATE INDEX token_assignments_contract ON token_assignments (contract_id);
INSERT INTO token_assignments (id, tenant_id, token_id, contract_id, valid_from, created_at)
SELECT gen_random_uuid(), tenant_id, id, contract_id, '2020-01-01', created_at FROM tokens;

-- The car that somebody charges with a card, if he told us: what it can take bounds what he can have taken.
CREATE TABLE cars (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL,
    customer_id uuid NOT NULL,
    token_id    uuid REFERENCES tokens, -- NULL: with any card of the customer
    name        text NOT NULL DEFAULT '',
    battery_kwh numeric CHECK (battery_kwh > 0),
    max_ac_kw   numeric CHECK (max_ac_kw > 0),
    max_dc_kw   numeric CHECK (max_dc_kw > 0),
    created_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);
CREATE UNIQUE INDEX cars_current ON cars (customer_id, token_id) NULLS NOT DISTINCT WHERE ended_at IS NULL;

-- Limits of plausibility rules that differ from the catalogue's (billing.Rules), each with who set it and why. A partner's goes
-- before the utility's. One that is replaced is ended and stays.
CREATE TABLE rule_settings (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    partner_id  uuid REFERENCES partners, -- NULL: every partner
    rule        text NOT NULL CHECK (rule ~ '^P[0-9]{2}(\.[a-z]+)?$'),
    enabled     boolean NOT NULL DEFAULT true,
    info_limit  numeric, -- beyond which the rule informs, flags and blocks; NULL: never
    flag_limit  numeric,
    block_limit numeric,
    reason      text NOT NULL CHECK (reason <> ''),
    set_by      text NOT NULL,
    set_at      timestamptz NOT NULL,
    ended_at    timestamptz
);
CREATE UNIQUE INDEX rule_settings_current ON rule_settings (tenant_id, partner_id, rule) NULLS NOT DISTINCT WHERE ended_at IS NULL;

-- How a utility clears. A utility without a row has the defaults.
CREATE TABLE clearing_policies (
    tenant_id     uuid PRIMARY KEY REFERENCES tenants,
    late          text NOT NULL DEFAULT 'limit' CHECK (late IN ('always', 'limit', 'ask', 'waive')), -- CDRs that come after the close of their month
    late_days     integer NOT NULL DEFAULT 90 CHECK (late_days BETWEEN 0 AND 1100), -- with 'limit': older ones are waived
    close_day     integer NOT NULL DEFAULT 3 CHECK (close_day BETWEEN 1 AND 28), -- of the next month, on which a month is closed
    mini          text NOT NULL DEFAULT 'bill' CHECK (mini IN ('bill', 'waive')), -- sessions too short to mean anything (P10)
    empty         text NOT NULL DEFAULT 'bill' CHECK (empty IN ('bill', 'waive')), -- sessions without energy (P09)
    blocked_card  text NOT NULL DEFAULT 'bill' CHECK (blocked_card IN ('bill', 'waive')), -- cards that were not valid (P21)
    drop_limit    numeric NOT NULL DEFAULT 50 CHECK (drop_limit >= 0), -- above which a second person must agree to drop a CDR
    waiting_days  integer NOT NULL DEFAULT 3 CHECK (waiting_days BETWEEN 1 AND 90), -- after which waiting for master data raises an alert
    updated_at    timestamptz NOT NULL
);

-- What a utility has agreed with a partner. A partner without a row has the defaults.
CREATE TABLE agreements (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    partner_id   uuid NOT NULL REFERENCES partners,
    currency     text NOT NULL DEFAULT '' CHECK (currency ~ '^([A-Z]{3})?$'), -- of its claims; '': not agreed
    dispute_days integer NOT NULL DEFAULT 30 CHECK (dispute_days BETWEEN 1 AND 365), -- within which a dispute is to be settled
    email        text NOT NULL DEFAULT '', -- of its clearing
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, partner_id)
);

-- Two flags stand beside the state of a CDR and are independent of each other: what the customer is charged, and what we say
-- to the CPO's claim.
ALTER TABLE cdr_states
    -- open: not decided · released: on the customer's bill · waived: rated, and given to the customer · none: dropped or credited
    ADD COLUMN retail_state text NOT NULL DEFAULT 'open' CHECK (retail_state IN ('open', 'released', 'waived', 'none')),
    ADD COLUMN contract_id  uuid REFERENCES contracts, -- to which the card belonged at the start
    ADD COLUMN plan_id      uuid REFERENCES plans,     -- that a person chose instead of the contract's
    ADD COLUMN card_id      uuid REFERENCES tokens,    -- that a person says it was, whatever the CDR says
    ADD COLUMN cleared      text[] NOT NULL DEFAULT '{}', -- findings and policies that a person has seen and that hold it no longer
    ADD COLUMN held_until   timestamptz,               -- a person looks at it again then; it is not billed before
    ADD COLUMN waiting_since timestamptz,              -- for master data
    ADD COLUMN latitude     numeric,                   -- where it was, in degrees
    ADD COLUMN longitude    numeric,
    ADD COLUMN assignee     text NOT NULL DEFAULT '';  -- who deals with it
UPDATE cdr_states SET retail_state = CASE WHEN state IN ('rated', 'invoiced') THEN 'released' WHEN state IN ('credited', 'dropped') THEN 'none' ELSE 'open' END,
    waiting_since = CASE WHEN state = 'waiting' THEN updated_at END;
ALTER TABLE cdr_states DROP CONSTRAINT cdr_states_cpo_state_check;
-- questioned: its figures are not what its tariff gives, and nobody has decided · disputed: a dispute with the CPO is under way ·
-- refused: not to be paid · credited: the CPO has taken it back
ALTER TABLE cdr_states ADD CHECK (cpo_state IN ('open', 'questioned', 'disputed', 'accepted', 'refused', 'credited'));
UPDATE cdr_states SET cpo_state = CASE WHEN state = 'credited' THEN 'credited' WHEN cpo_state = 'disputed' THEN 'questioned' ELSE cpo_state END;
ALTER TABLE cdr_states ADD CHECK (CASE state
    WHEN 'rated' THEN retail_state IN ('released', 'waived')
    WHEN 'invoiced' THEN retail_state = 'released'
    WHEN 'credited' THEN retail_state = 'none'
    WHEN 'dropped' THEN retail_state = 'none'
    ELSE retail_state = 'open' END);
ALTER TABLE cdr_states ADD CHECK (held_until IS NULL OR state = 'held'), ADD CHECK ((waiting_since IS NOT NULL) = (state = 'waiting'));
CREATE INDEX cdr_states_token ON cdr_states (token_id, started_at);
CREATE INDEX cdr_states_evse ON cdr_states (country_code, party_id, evse_id, started_at DESC);
CREATE INDEX cdr_states_claims ON cdr_states (tenant_id, cpo_state, started_at DESC, cdr_id DESC) WHERE cpo_state IN ('questioned', 'disputed');
CREATE INDEX cdr_states_selection ON cdr_states (tenant_id, state, cdr_id);
CREATE INDEX cdr_states_waiting ON cdr_states (waiting_since) WHERE state = 'waiting';

-- Every step that a CDR may take. Whatever else is tried is a mistake of the program.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION cdr_states_transition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    amount numeric;
BEGIN
    IF OLD.state <> NEW.state AND NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY[
        'received>waiting', 'received>held', 'received>rated', 'received>credited', 'received>dropped',
        'waiting>received', 'waiting>held', 'waiting>rated', 'waiting>invoiced', 'waiting>credited', 'waiting>dropped',
        'held>received', 'held>waiting', 'held>rated', 'held>invoiced', 'held>credited', 'held>dropped',
        'rated>received', 'rated>waiting', 'rated>held', 'rated>invoiced', 'rated>credited', 'rated>dropped',
        'invoiced>waiting', 'invoiced>held', 'invoiced>rated', 'invoiced>credited', 'invoiced>dropped'
    ]) THEN
        RAISE EXCEPTION 'cdr_states: % to % is no transition', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.retail_state <> NEW.retail_state AND NOT (OLD.retail_state || '>' || NEW.retail_state) = ANY (ARRAY[
        'open>released', 'open>waived', 'open>none', 'released>open', 'released>waived', 'released>none', 'waived>open', 'waived>released', 'waived>none'
    ]) THEN
        RAISE EXCEPTION 'cdr_states: retail % to % is no transition', OLD.retail_state, NEW.retail_state USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.cpo_state <> NEW.cpo_state AND NOT (OLD.cpo_state || '>' || NEW.cpo_state) = ANY (ARRAY[
        'open>questioned', 'open>disputed', 'open>accepted', 'open>refused', 'open>credited',
        'questioned>open', 'questioned>disputed', 'questioned>accepted', 'questioned>refused', 'questioned>credited',
        'disputed>questioned', 'disputed>accepted', 'disputed>refused', 'disputed>credited',
        'accepted>questioned', 'accepted>disputed', 'accepted>refused', 'accepted>credited',
        'refused>questioned', 'refused>disputed', 'refused>accepted', 'refused>credited'
    ]) THEN
        RAISE EXCEPTION 'cdr_states: CPO % to % is no transition', OLD.cpo_state, NEW.cpo_state USING ERRCODE = 'check_violation';
    END IF;
    -- What is worth more than the utility's limit is dropped by two people.
    IF OLD.state <> NEW.state AND NEW.state = 'dropped' THEN
        SELECT greatest(abs(NEW.claimed), abs(max(r.retail_gross))) INTO amount FROM ratings r WHERE r.id = NEW.rating_id;
        IF amount > coalesce((SELECT drop_limit FROM clearing_policies p WHERE p.tenant_id = NEW.tenant_id), 50)
            AND NOT EXISTS (SELECT FROM drop_proposals d WHERE d.cdr_id = NEW.cdr_id AND d.state = 'confirmed') THEN
            RAISE EXCEPTION 'cdr_states: a second person must agree to drop %', NEW.cdr_id USING ERRCODE = 'check_violation', CONSTRAINT = 'cdr_states_four_eyes';
        END IF;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
DROP TRIGGER cdr_states_transition ON cdr_states;
CREATE TRIGGER cdr_states_transition BEFORE UPDATE OF state, retail_state, cpo_state ON cdr_states FOR EACH ROW EXECUTE FUNCTION cdr_states_transition();

-- Proposals to drop a CDR that needs two people. The second one is another person, and both are people, not programs.
CREATE TABLE drop_proposals (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    cdr_id      uuid NOT NULL REFERENCES cdr_states,
    reason      text NOT NULL CHECK (reason <> ''),
    proposed_by uuid NOT NULL REFERENCES staff,
    proposed_at timestamptz NOT NULL,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'confirmed', 'rejected', 'withdrawn')),
    decided_by  uuid REFERENCES staff,
    decided_at  timestamptz,
    CONSTRAINT drop_proposals_two_people CHECK (state <> 'confirmed' OR decided_by <> proposed_by),
    CHECK ((state = 'open') = (decided_at IS NULL)),
    CHECK (state NOT IN ('confirmed', 'rejected') OR decided_by IS NOT NULL)
);
CREATE UNIQUE INDEX drop_proposals_open ON drop_proposals (cdr_id) WHERE state = 'open';
CREATE INDEX drop_proposals_list ON drop_proposals (tenant_id, proposed_at) WHERE state = 'open';

-- What the rules measured of a CDR when it was rated, and what it would put on a bill: {"P05": "62.5"}; one object an item.
ALTER TABLE ratings
    ADD COLUMN measures    jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN items       jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN contract_id uuid REFERENCES contracts;

UPDATE cdr_states SET due_at = now() WHERE state = 'held' AND rating_id IS NOT NULL; -- their ratings have no items yet

-- The item that this one takes back.
ALTER TABLE line_items ADD COLUMN mirrors uuid;
-- The session is on a bill: only such are tried in back-tests.
ALTER TABLE cdr_inputs ADD COLUMN booked boolean NOT NULL DEFAULT true;
CREATE INDEX line_items_mirrors ON line_items (mirrors) WHERE mirrors IS NOT NULL;

-- A dispute with a partner about one or more of its CDRs.
CREATE TABLE disputes (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    partner_id  uuid NOT NULL REFERENCES partners,
    number      text NOT NULL,
    reason      text NOT NULL CHECK (reason IN ('price', 'tariff', 'duplicate', 'overlap', 'energy', 'duration', 'late', 'currency', 'vat', 'token', 'operator', 'meter', 'other')),
    note        text NOT NULL DEFAULT '',
    currency    text NOT NULL,
    claimed     numeric NOT NULL DEFAULT 0, -- sums of its CDRs, without VAT
    computed    numeric NOT NULL DEFAULT 0, -- by their own tariffs
    accepted    numeric NOT NULL DEFAULT 0, -- what we would pay
    credited    numeric NOT NULL DEFAULT 0, -- what has come back
    expected    numeric NOT NULL GENERATED ALWAYS AS (claimed - accepted) STORED, -- what has to come back: a receivable
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'sent', 'answered', 'credited', 'rejected', 'expired', 'withdrawn')),
    deadline    timestamptz NOT NULL,
    bulk_id     uuid, -- the bulk decision that opened it
    opened_by   text NOT NULL,
    opened_at   timestamptz NOT NULL,
    sent_at     timestamptz,
    answered_at timestamptz,
    closed_at   timestamptz,
    updated_at  timestamptz NOT NULL,
    UNIQUE (tenant_id, number),
    UNIQUE (tenant_id, id),
    CHECK ((closed_at IS NOT NULL) = (state IN ('credited', 'rejected', 'expired', 'withdrawn'))),
    CHECK (state NOT IN ('sent', 'answered') OR sent_at IS NOT NULL)
);
CREATE INDEX disputes_list ON disputes (tenant_id, opened_at DESC, id DESC);
CREATE INDEX disputes_deadline ON disputes (deadline) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX disputes_bulk ON disputes (bulk_id, partner_id, currency) WHERE bulk_id IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION disputes_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> NEW.state AND NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY[
        'open>sent', 'open>credited', 'open>expired', 'open>withdrawn',
        'sent>answered', 'sent>credited', 'sent>rejected', 'sent>expired', 'sent>withdrawn',
        'answered>sent', 'answered>credited', 'answered>rejected', 'answered>expired', 'answered>withdrawn',
        'rejected>sent', 'rejected>credited', 'expired>sent', 'expired>credited' -- taken up again, or credited all the same
    ]) THEN
        RAISE EXCEPTION 'disputes: % to % is no transition', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER disputes_transition BEFORE UPDATE OF state ON disputes FOR EACH ROW EXECUTE FUNCTION disputes_transition();

CREATE TABLE dispute_cdrs (
    dispute_id uuid NOT NULL,
    cdr_id     uuid NOT NULL REFERENCES cdr_states,
    tenant_id  uuid NOT NULL,
    claimed    numeric NOT NULL,
    computed   numeric NOT NULL,
    accepted   numeric NOT NULL,
    credited   numeric NOT NULL DEFAULT 0,
    credit_id  uuid REFERENCES cdr_states, -- the credit CDR that came
    open       boolean NOT NULL DEFAULT true, -- its dispute is not closed
    evidence   jsonb, -- frozen when the dispute was sent
    PRIMARY KEY (dispute_id, cdr_id),
    FOREIGN KEY (tenant_id, dispute_id) REFERENCES disputes (tenant_id, id)
);
CREATE UNIQUE INDEX dispute_cdrs_open ON dispute_cdrs (cdr_id) WHERE open; -- one dispute at a time

-- What was written to and by the partner, as text. Nothing is changed afterwards.
CREATE TABLE dispute_messages (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL,
    dispute_id uuid NOT NULL,
    direction  text NOT NULL CHECK (direction IN ('out', 'in')),
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    subject    text NOT NULL DEFAULT '',
    body       text NOT NULL CHECK (body <> ''),
    reference  text NOT NULL DEFAULT '', -- message id of an e-mail, ticket number of the partner
    FOREIGN KEY (tenant_id, dispute_id) REFERENCES disputes (tenant_id, id)
);
CREATE INDEX dispute_messages_thread ON dispute_messages (dispute_id, at, id);
CREATE TRIGGER dispute_messages_immutable BEFORE UPDATE OR DELETE ON dispute_messages FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A decision about many CDRs, or a re-rating of many, chunk by chunk. With preview, nothing of it stays but the effect.
CREATE TABLE bulks (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    preview     boolean NOT NULL,
    decision    jsonb NOT NULL, -- jobs.Decision
    selection   jsonb NOT NULL, -- jobs.Selection
    effect      jsonb NOT NULL DEFAULT '{}', -- jobs.Effect, so far
    state       text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'cancelled')),
    as_of       timestamptz NOT NULL, -- a CDR that changed since is left alone
    cursor      uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- the last CDR that was looked at
    total       integer NOT NULL,
    done        integer NOT NULL DEFAULT 0,
    actor       text NOT NULL,
    staff_id    uuid REFERENCES staff,
    created_at  timestamptz NOT NULL,
    finished_at timestamptz,
    due_at      timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    reason      text NOT NULL DEFAULT '', -- why the last chunk failed
    CHECK ((state = 'running') = (finished_at IS NULL)),
    CHECK (state = 'running' OR due_at IS NULL)
);
CREATE INDEX bulks_due ON bulks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX bulks_list ON bulks (tenant_id, created_at DESC, id DESC);

ALTER TABLE events DROP CONSTRAINT events_subject_check;
ALTER TABLE events ADD CONSTRAINT events_subject_check CHECK (subject ~ '^[a-z]+$');

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['token_assignments', 'cars', 'rule_settings', 'clearing_policies', 'agreements', 'drop_proposals', 'disputes', 'dispute_cdrs',
        'dispute_messages', 'bulks'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I TO roamwerk_tenant USING (tenant_id = current_setting(''roamwerk.tenant'')::uuid)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO roamwerk_tenant', t);
    END LOOP;
END $$;
-- +goose StatementEnd
