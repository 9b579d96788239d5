-- Signed meter data (MessEG § 33): keys that are registered for charge points, and what the records of each CDR prove.
-- +goose Up

ALTER TABLE tenants
    -- What happens to a CDR whose signed meter data is not good: ignore · flag: a person sees it · hold: it is not billed before one has
    -- decided
    ADD COLUMN meter_policy   text NOT NULL DEFAULT 'flag' CHECK (meter_policy IN ('ignore', 'flag', 'hold')),
    ADD COLUMN meter_required boolean NOT NULL DEFAULT false; -- a CDR without signed meter data is treated alike

-- A key that the utility was told of when the charge point was put into operation. What stands in a record or a CDR proves nothing.
CREATE TABLE meter_keys (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenants,
    country_code text NOT NULL, -- the CPO
    party_id     text NOT NULL,
    evse_id      text NOT NULL DEFAULT '', -- folded: upper case, no separators; '': wherever the meter is
    meter        text NOT NULL DEFAULT '', -- serial number; '': whichever meter is at the charge point
    curve        text NOT NULL,
    spki         bytea NOT NULL,           -- SubjectPublicKeyInfo
    fingerprint  text NOT NULL,            -- of it, for people
    valid_from   timestamptz NOT NULL,
    valid_to     timestamptz,              -- the key counts before this instant
    source       text NOT NULL CHECK (source <> ''), -- where it came from: a person, a register, a photograph of the label
    added_by     text NOT NULL,
    added_at     timestamptz NOT NULL,
    CHECK (evse_id <> '' OR meter <> ''),
    CHECK (valid_to IS NULL OR valid_to >= valid_from),
    UNIQUE (tenant_id, id),
    UNIQUE NULLS NOT DISTINCT (tenant_id, country_code, party_id, evse_id, meter, spki, valid_from)
);

-- Only its end may be set. Whoever wants another key adds another row.
-- +goose StatementBegin
CREATE FUNCTION meter_keys_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.id, OLD.tenant_id, OLD.country_code, OLD.party_id, OLD.evse_id, OLD.meter, OLD.curve, OLD.spki, OLD.fingerprint, OLD.valid_from, OLD.source, OLD.added_by, OLD.added_at)
        IS DISTINCT FROM (NEW.id, NEW.tenant_id, NEW.country_code, NEW.party_id, NEW.evse_id, NEW.meter, NEW.curve, NEW.spki, NEW.fingerprint, NEW.valid_from, NEW.source, NEW.added_by, NEW.added_at) THEN
        RAISE EXCEPTION 'meter_keys: only valid_to may change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER meter_keys_change BEFORE UPDATE OR DELETE ON meter_keys FOR EACH ROW EXECUTE FUNCTION meter_keys_change();

-- What the signed meter data of a CDR proved when it was rated. A CDR without such data has no row.
CREATE TABLE meter_proofs (
    rating_id uuid PRIMARY KEY REFERENCES ratings,
    tenant_id uuid NOT NULL REFERENCES tenants,
    cdr_id    uuid NOT NULL REFERENCES cdr_states,
    judged_at timestamptz NOT NULL,
    verifier  text NOT NULL,              -- version of it
    reason    text NOT NULL,              -- '': the energy is proven
    faults    jsonb NOT NULL,             -- all of them: [{"reason": "pagination-gap", "detail": "T8 is followed by T10"}]
    meter     text NOT NULL,              -- serial number
    begin_kwh numeric,                    -- what the meter showed
    end_kwh   numeric,
    began_at  timestamptz,                -- by the clock of the meter
    ended_at  timestamptz,
    kwh       numeric,                    -- the exact difference; proven only without a reason
    CHECK (reason <> '' OR kwh IS NOT NULL)
);
CREATE INDEX meter_proofs_cdr ON meter_proofs (cdr_id);
CREATE TRIGGER meter_proofs_immutable BEFORE UPDATE OR DELETE ON meter_proofs FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The records behind a proof, byte for byte as they came.
CREATE TABLE meter_records (
    rating_id   uuid NOT NULL REFERENCES meter_proofs,
    position    integer NOT NULL,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    nature      text NOT NULL,            -- OCPI: Start, End, Intermediate
    raw         bytea NOT NULL,
    sha256      bytea CHECK (length(sha256) = 32), -- of what the signature covers; NULL: unreadable
    format      text NOT NULL DEFAULT '',
    version     text NOT NULL DEFAULT '', -- of the format
    meter       text NOT NULL DEFAULT '',
    pagination  text NOT NULL DEFAULT '',
    key_id      uuid,                     -- that has verified it
    sent_key    text NOT NULL DEFAULT '', -- that came beside it
    reason      text NOT NULL DEFAULT '', -- '': good
    detail      text NOT NULL DEFAULT '',
    PRIMARY KEY (rating_id, position),
    FOREIGN KEY (tenant_id, key_id) REFERENCES meter_keys (tenant_id, id)
);
CREATE TRIGGER meter_records_immutable BEFORE UPDATE OR DELETE ON meter_records FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Which CDR a measurement belongs to: it is billed once. A CDR that was credited or dropped gives its own free.
CREATE TABLE meter_claims (
    tenant_id uuid NOT NULL REFERENCES tenants,
    sha256    bytea NOT NULL CHECK (length(sha256) = 32),
    cdr_id    uuid NOT NULL REFERENCES cdr_states,
    verified  boolean NOT NULL, -- by a registered key; whoever has only copied the record gives way
    PRIMARY KEY (tenant_id, sha256)
);
CREATE INDEX meter_claims_cdr ON meter_claims (cdr_id);

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['meter_keys', 'meter_proofs', 'meter_records', 'meter_claims'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I TO roamwerk_tenant USING (tenant_id = current_setting(''roamwerk.tenant'')::uuid)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO roamwerk_tenant', t);
    END LOOP;
END $$;
-- +goose StatementEnd
