-- How the claims of a partner are checked, and the account of each rating.

-- +goose Up
-- What a utility takes for a partner's own reading of tariffs, and how far its claims may be from the computed figures. Without
-- a row, and for what is NULL, the defaults of package billing count. Amounts are in the currency of the CDR.
CREATE TABLE wholesale_checks (
    tenant_id      uuid NOT NULL REFERENCES tenants,
    partner_id     uuid NOT NULL REFERENCES partners,
    reading        text NOT NULL DEFAULT '', -- name of a billing.Policy; empty: ours
    per_line       numeric CHECK (per_line >= 0),
    relative       numeric CHECK (relative >= 0 AND relative < 1), -- of the computed amount
    energy         numeric CHECK (energy >= 0), -- kWh
    hours          numeric CHECK (hours >= 0), -- of each charging period
    month          numeric CHECK (month >= 0), -- of what is tolerated in a month, together
    month_relative numeric CHECK (month_relative >= 0 AND month_relative < 1), -- of what was computed for the month
    updated_at     timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, partner_id)
);
ALTER TABLE wholesale_checks ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON wholesale_checks TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid);
GRANT SELECT, INSERT, UPDATE ON wholesale_checks TO roamwerk_tenant;

ALTER TABLE ratings
    ADD COLUMN explanation jsonb, -- jobs.Explanations without their ratings; NULL: rated before there were any
    ADD COLUMN agrees boolean NOT NULL GENERATED ALWAYS AS (coalesce((verdict->>'Agrees')::boolean, false)) STORED;
