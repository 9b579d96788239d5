-- What we ask of a charge point operator for a driver, and where a contract may be used.
-- +goose Up

-- A request to a CPO about a session, with its answers. It is stored before it is sent, since the charge point's result may
-- come before the CPO's own answer (CMD-19). The id is random: it stands in the address that the result is sent to (CMD-02).
CREATE TABLE commands (
    id             uuid PRIMARY KEY,
    tenant_id      uuid NOT NULL REFERENCES tenants,
    partner_id     uuid NOT NULL REFERENCES partners, -- the connection that it went over; the result comes back over the same
    country_code   text NOT NULL,                     -- the CPO, which may be behind the partner
    party_id       text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('START_SESSION', 'STOP_SESSION', 'RESERVE_NOW', 'CANCEL_RESERVATION', 'UNLOCK_CONNECTOR',
                       'SET_PROFILE', 'READ_PROFILE', 'CLEAR_PROFILE', 'SET_PREFERENCES')),
    token_id       uuid REFERENCES tokens,
    reference      uuid REFERENCES authorizations, -- what we gave the CPO, and find again in its session and CDR (SES-12)
    location_id    text NOT NULL DEFAULT '',       -- ids are folded, but for that of a reservation, which is ours
    evse_uid       text NOT NULL DEFAULT '',
    connector_id   text NOT NULL DEFAULT '',
    session_id     text NOT NULL DEFAULT '',       -- which one it is about, or which one came of it
    reservation_id text NOT NULL DEFAULT '',
    expires_at     timestamptz,                    -- of a reservation
    detail         jsonb NOT NULL DEFAULT '{}',    -- the charging profile or preferences
    -- sent: no answer yet, or none that says anything · forwarded: the charge point is asked · refused: the CPO said no
    -- accepted, failed: the charge point said yes or no · unanswered: no result in time; a late one still counts
    -- confirmed: the session shows it · unconfirmed: accepted, but no session shows it so far · cancelled: the reservation ended early
    state          text NOT NULL DEFAULT 'sent' CHECK (state IN ('sent', 'forwarded', 'refused', 'accepted', 'failed', 'unanswered', 'confirmed', 'unconfirmed', 'cancelled')),
    response       text NOT NULL DEFAULT '', -- the CPO's answer
    result         text NOT NULL DEFAULT '', -- the charge point's
    message        text NOT NULL DEFAULT '', -- what either said in words, or why there is no answer
    created_at     timestamptz NOT NULL,
    answered_at    timestamptz,
    result_at      timestamptz,
    due_at         timestamptz, -- when the wait for a result or for the session ends; NULL: not waiting
    CHECK (token_id IS NOT NULL OR kind NOT IN ('START_SESSION', 'RESERVE_NOW'))
);
-- One start a card and charging point at a time, however often a driver taps (CMD-22).
CREATE UNIQUE INDEX commands_start ON commands (token_id, country_code, party_id, location_id, evse_uid)
    WHERE kind = 'START_SESSION' AND state IN ('sent', 'forwarded', 'accepted');
CREATE INDEX commands_due ON commands (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX commands_list ON commands (tenant_id, created_at DESC, id DESC);
CREATE INDEX commands_cpo ON commands (country_code, party_id, created_at DESC);
CREATE UNIQUE INDEX commands_reference ON commands (reference);

-- +goose StatementBegin
CREATE FUNCTION commands_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> NEW.state AND NOT (OLD.state || '>' || NEW.state) = ANY (ARRAY[
        'sent>forwarded', 'sent>refused', 'sent>accepted', 'sent>failed', 'sent>unanswered', 'sent>confirmed', 'sent>cancelled',
        'forwarded>accepted', 'forwarded>failed', 'forwarded>unanswered', 'forwarded>confirmed', 'forwarded>cancelled',
        'unanswered>accepted', 'unanswered>failed', 'unanswered>confirmed', 'unanswered>cancelled',
        'accepted>confirmed', 'accepted>unconfirmed', 'accepted>cancelled',
        'unconfirmed>confirmed', 'unconfirmed>cancelled',
        'refused>confirmed', 'failed>confirmed', -- a session may start all the same (CMD-17)
        'confirmed>cancelled'
    ]) THEN
        RAISE EXCEPTION 'commands: % to % is no transition', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER commands_transition BEFORE UPDATE OF state ON commands FOR EACH ROW EXECUTE FUNCTION commands_transition();

-- The charging profile of a session: what we asked for and what the charge point will do.
CREATE TABLE charging_profiles (
    country_code text NOT NULL,
    party_id     text NOT NULL,
    session_id   text NOT NULL,
    tenant_id    uuid NOT NULL REFERENCES tenants,
    wanted       jsonb,                        -- the last profile that the charge point accepted of us; NULL: none
    active       jsonb,                        -- ActiveChargingProfile, as last told
    active_at    timestamptz,
    refusals     integer NOT NULL DEFAULT 0,   -- TOO_OFTEN in a row
    not_before   timestamptz,                  -- we were too often: wait so long (CHP-09)
    PRIMARY KEY (country_code, party_id, session_id),
    FOREIGN KEY (country_code, party_id, session_id) REFERENCES sessions
);

-- Where a contract may be used; without a row, everywhere. location_id and evse_uid narrow it down; '' is all of them.
CREATE TABLE contract_places (
    tenant_id    uuid NOT NULL,
    contract_id  uuid NOT NULL,
    country_code text NOT NULL CHECK (country_code = upper(country_code)),
    party_id     text NOT NULL CHECK (party_id = upper(party_id)),
    location_id  text NOT NULL DEFAULT '' CHECK (location_id = upper(location_id)),
    evse_uid     text NOT NULL DEFAULT '' CHECK (evse_uid = upper(evse_uid)),
    PRIMARY KEY (contract_id, country_code, party_id, location_id, evse_uid),
    FOREIGN KEY (tenant_id, contract_id) REFERENCES contracts (tenant_id, id),
    CHECK (evse_uid = '' OR location_id <> '')
);

-- How often a partner asked for tokens that nobody has, by the hour (TOK-28).
CREATE TABLE unknown_tokens (
    partner_id uuid NOT NULL REFERENCES partners,
    hour       timestamptz NOT NULL,
    count      bigint NOT NULL,
    PRIMARY KEY (partner_id, hour)
);

-- What our version details list to a partner, as it was last told; a change has to be announced (VER-11).
ALTER TABLE partners
    ADD COLUMN advertised       text NOT NULL DEFAULT '', -- fingerprint
    ADD COLUMN announce_at      timestamptz,              -- when to tell it next; NULL: nothing to tell
    ADD COLUMN announce_problem text NOT NULL DEFAULT '';
CREATE INDEX partners_announce ON partners (announce_at) WHERE announce_at IS NOT NULL;

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['commands', 'charging_profiles', 'contract_places'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I TO roamwerk_tenant USING (tenant_id = current_setting(''roamwerk.tenant'')::uuid)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO roamwerk_tenant', t);
    END LOOP;
    GRANT DELETE ON contract_places TO roamwerk_tenant;
END $$;
-- +goose StatementEnd
