-- Roaming: the objects that partners own (locations, tariffs, sessions), and the customers and tokens that we own.
-- Ids of partner objects are stored folded to upper case (OCPI CiString, TYP-01); the document keeps the received spelling.
-- +goose Up

CREATE TABLE locations (
    country_code text NOT NULL,
    party_id     text NOT NULL,
    location_id  text NOT NULL,
    partner_id   uuid NOT NULL REFERENCES partners, -- who delivered it last
    doc          jsonb NOT NULL,
    name         text NOT NULL DEFAULT '',
    city         text NOT NULL DEFAULT '',
    time_zone    text NOT NULL DEFAULT '',
    last_updated timestamptz NOT NULL,
    own_updated  timestamptz NOT NULL, -- of the Location itself; last_updated is later when one of its EVSEs changed since
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (country_code, party_id, location_id)
);

-- Every version of every tariff is kept: a CDR is checked against the one that was valid when the session started.
CREATE TABLE tariffs (
    country_code text NOT NULL,
    party_id     text NOT NULL,
    tariff_id    text NOT NULL,
    version      integer NOT NULL CHECK (version > 0),
    partner_id   uuid NOT NULL REFERENCES partners,
    doc          jsonb NOT NULL,
    currency     text NOT NULL,
    last_updated timestamptz NOT NULL,
    valid_from   timestamptz NOT NULL, -- when we received it
    valid_to     timestamptz,          -- when the next version or a DELETE came
    PRIMARY KEY (country_code, party_id, tariff_id, version),
    CHECK (valid_to IS NULL OR valid_to >= valid_from)
);
CREATE UNIQUE INDEX tariffs_current ON tariffs (country_code, party_id, tariff_id) WHERE valid_to IS NULL;

CREATE TABLE sessions (
    country_code text NOT NULL,
    party_id     text NOT NULL,
    session_id   text NOT NULL,
    partner_id   uuid NOT NULL REFERENCES partners,
    tenant_id    uuid NOT NULL REFERENCES tenants,
    doc          jsonb NOT NULL,
    status       text NOT NULL,
    started_at   timestamptz NOT NULL,
    kwh          numeric NOT NULL,
    last_updated timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (country_code, party_id, session_id)
);
CREATE INDEX sessions_tenant ON sessions (tenant_id, started_at DESC);

CREATE TABLE customers (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenants,
    number       text NOT NULL,
    kind         text NOT NULL DEFAULT 'private' CHECK (kind IN ('private', 'business', 'fleet', 'public')),
    name         text NOT NULL CHECK (name <> ''),
    contact      text NOT NULL DEFAULT '',
    email        text NOT NULL DEFAULT '',
    street       text NOT NULL DEFAULT '',
    postal_code  text NOT NULL DEFAULT '',
    city         text NOT NULL DEFAULT '',
    country      text NOT NULL DEFAULT 'DE' CHECK (country ~ '^[A-Z]{2}$'),
    vat_id       text NOT NULL DEFAULT '',
    buyer_reference text NOT NULL DEFAULT '', -- Leitweg-ID of a public body
    language     text NOT NULL DEFAULT 'de' CHECK (language IN ('de', 'en')),
    no_credit    boolean NOT NULL DEFAULT false, -- may not charge until it has paid (OCPI AllowedType NO_CREDIT)
    created_at   timestamptz NOT NULL,
    UNIQUE (tenant_id, number),
    UNIQUE (tenant_id, id)
);

-- SEPA mandates. The IBAN is encrypted; its last four digits are what screens show.
CREATE TABLE mandates (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL,
    customer_id uuid NOT NULL,
    reference   text NOT NULL CHECK (length(reference) BETWEEN 1 AND 35),
    holder      text NOT NULL,
    iban_sealed bytea NOT NULL,
    iban_last4  text NOT NULL,
    signed_on   date NOT NULL,
    ended_at    timestamptz,
    created_at  timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
);
CREATE UNIQUE INDEX mandates_reference ON mandates (tenant_id, upper(reference));
CREATE UNIQUE INDEX mandates_active ON mandates (customer_id) WHERE ended_at IS NULL;

-- Retail tariffs. A plan is a name; its versions are immutable OCPI tariff documents with our superset.
CREATE TABLE plans (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants,
    name       text NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);
CREATE UNIQUE INDEX plans_default ON plans (tenant_id) WHERE is_default;

CREATE TABLE plan_versions (
    id         uuid PRIMARY KEY,
    plan_id    uuid NOT NULL REFERENCES plans,
    version    integer NOT NULL CHECK (version > 0),
    doc        jsonb NOT NULL,
    valid_from timestamptz NOT NULL, -- a session is priced by the version that was valid at its start
    created_at timestamptz NOT NULL,
    UNIQUE (plan_id, version),
    UNIQUE (plan_id, valid_from)
);

CREATE TABLE contracts (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL,
    customer_id uuid NOT NULL,
    plan_id     uuid NOT NULL,
    contract_id text NOT NULL, -- EMAID, as in OCPI contract_id
    valid_from  timestamptz NOT NULL,
    valid_to    timestamptz,
    created_at  timestamptz NOT NULL,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id)
);
CREATE UNIQUE INDEX contracts_emaid ON contracts (tenant_id, upper(contract_id));

-- Issued cards and app identities, as OCPI tokens.
CREATE TABLE tokens (
    id            uuid PRIMARY KEY,
    tenant_id     uuid NOT NULL,
    contract_id   uuid NOT NULL,
    uid           text NOT NULL CHECK (length(uid) BETWEEN 1 AND 36),
    type          text NOT NULL DEFAULT 'RFID' CHECK (type IN ('AD_HOC_USER', 'APP_USER', 'OTHER', 'RFID')),
    visual_number text NOT NULL DEFAULT '',
    issuer        text NOT NULL,
    valid         boolean NOT NULL DEFAULT true,
    whitelist     text NOT NULL DEFAULT 'ALLOWED' CHECK (whitelist IN ('ALWAYS', 'ALLOWED', 'ALLOWED_OFFLINE', 'NEVER')),
    language      text NOT NULL DEFAULT 'de',
    group_id      text NOT NULL DEFAULT '' CHECK (length(group_id) <= 20), -- charge points of OCPP 1.x take no more (TOK-29)
    profile_type  text NOT NULL DEFAULT '' CHECK (profile_type IN ('', 'CHEAP', 'FAST', 'GREEN', 'REGULAR')), -- default_profile_type
    energy_supplier text NOT NULL DEFAULT '' CHECK (length(energy_supplier) <= 64), -- energy_contract, of the driver's own supplier
    energy_contract text NOT NULL DEFAULT '' CHECK (length(energy_contract) <= 64 AND (energy_contract = '' OR energy_supplier <> '')),
    created_at    timestamptz NOT NULL,
    last_updated  timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, contract_id) REFERENCES contracts (tenant_id, id)
);
CREATE UNIQUE INDEX tokens_uid ON tokens (tenant_id, upper(uid), type);
CREATE INDEX tokens_listing ON tokens (tenant_id, created_at, id);
CREATE INDEX tokens_contract ON tokens (contract_id);

-- What each partner last confirmed of each token (OFF-03): state, not messages. Due when confirmed is older than the token.
CREATE TABLE token_deliveries (
    token_id   uuid NOT NULL REFERENCES tokens,
    partner_id uuid NOT NULL REFERENCES partners,
    confirmed  timestamptz, -- last_updated of the version that the partner has acknowledged
    due_at     timestamptz, -- when to push next; NULL: nothing to do
    attempts   integer NOT NULL DEFAULT 0,
    problem    text NOT NULL DEFAULT '',
    PRIMARY KEY (token_id, partner_id)
);
CREATE INDEX token_deliveries_due ON token_deliveries (due_at) WHERE due_at IS NOT NULL;

-- Every real-time authorisation and its answer (TOK-25).
CREATE TABLE authorizations (
    reference   uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    token_id    uuid NOT NULL REFERENCES tokens,
    partner_id  uuid NOT NULL REFERENCES partners,
    location_id text NOT NULL DEFAULT '',
    evse_uids   text[] NOT NULL DEFAULT '{}',
    allowed     text NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX authorizations_token ON authorizations (token_id, at DESC);
