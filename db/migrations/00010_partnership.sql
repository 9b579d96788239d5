-- How utilities and partners leave, what a partner was told of us, and what is agreed with it.
-- +goose Up

-- A utility that was closed: it issues nothing any more, and everything that it has stays.
ALTER TABLE tenants ADD COLUMN closed_at timestamptz;

-- How a utility comes to a partner, and goes: its role is told first, its cards then (CRED-24); its cards are taken back first,
-- its role then (TEN-05).
ALTER TABLE partner_tenants
    ADD COLUMN known_at   timestamptz, -- from when on the partner is taken to know of it, told or not; NULL: it does
    ADD COLUMN leaving_at timestamptz;

ALTER TABLE partners
    ADD COLUMN announce_attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN ended_at          timestamptz, -- while it has not confirmed the end, token_sealed and announce_at stay (CRED-30)
    ADD COLUMN cdr_days          integer CHECK (cdr_days BETWEEN 1 AND 3650); -- how late a CDR may come, by the contract; NULL: as usual

-- How often a list of a partner is read, where that is agreed otherwise; NULL: never.
CREATE TABLE partner_intervals (
    partner_id uuid NOT NULL REFERENCES partners,
    module     text NOT NULL CHECK (module IN ('hubclientinfo', 'tariffs', 'locations', 'sessions', 'cdrs')),
    minutes    integer CHECK (minutes BETWEEN 5 AND 43200),
    PRIMARY KEY (partner_id, module)
);

-- What is rare among millions of changes of EVSE status, as the back office looks for it.
CREATE INDEX messages_module ON messages (module, at DESC, id DESC);
CREATE INDEX messages_handshake ON messages (partner_id, at DESC, id DESC) WHERE module IN ('', 'credentials');

-- A closed utility has no valid cards.
-- +goose StatementBegin
CREATE FUNCTION refuse_valid_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM tenants WHERE id = NEW.tenant_id AND closed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'tenant % is closed', NEW.tenant_id USING ERRCODE = 'check_violation', CONSTRAINT = 'tokens_of_closed_tenant';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER tokens_of_closed_tenant BEFORE INSERT OR UPDATE OF valid ON tokens FOR EACH ROW WHEN (NEW.valid) EXECUTE FUNCTION refuse_valid_token();
