-- Parties: the utilities that we bill for, their staff, and the OCPI partners that we roam with.
-- +goose Up

-- A tenant is one municipal utility: an EMSP role in OCPI and the issuer of its own invoices.
CREATE TABLE tenants (
    id            uuid PRIMARY KEY,
    country_code  text NOT NULL CHECK (country_code ~ '^[A-Z]{2}$'),
    party_id      text NOT NULL CHECK (party_id ~ '^[A-Z0-9]{3}$'),
    name          text NOT NULL CHECK (name <> ''),
    -- trial: legal data is incomplete, documents say so and use their own number range; live: documents are real.
    mode          text NOT NULL DEFAULT 'trial' CHECK (mode IN ('trial', 'live')),
    street        text NOT NULL DEFAULT '',
    postal_code   text NOT NULL DEFAULT '',
    city          text NOT NULL DEFAULT '',
    country       text NOT NULL DEFAULT 'DE' CHECK (country ~ '^[A-Z]{2}$'),
    vat_id        text NOT NULL DEFAULT '',
    tax_number    text NOT NULL DEFAULT '',
    register      text NOT NULL DEFAULT '',
    contact_name  text NOT NULL DEFAULT '',
    contact_phone text NOT NULL DEFAULT '',
    contact_email text NOT NULL DEFAULT '',
    website       text NOT NULL DEFAULT '',
    legal_footer  text NOT NULL DEFAULT '',
    iban          text NOT NULL DEFAULT '', -- the utility's own account, printed on every invoice: no secret
    bic           text NOT NULL DEFAULT '',
    creditor_id   text NOT NULL DEFAULT '',
    colour        text NOT NULL DEFAULT '#0b5cad' CHECK (colour ~ '^#[0-9a-f]{6}$'),
    logo          bytea NOT NULL DEFAULT '', -- PNG
    time_zone     text NOT NULL DEFAULT 'Europe/Berlin',
    payment_days  integer NOT NULL DEFAULT 14 CHECK (payment_days BETWEEN 0 AND 90),
    created_at    timestamptz NOT NULL,
    UNIQUE (country_code, party_id)
);

-- Staff who sign in to the back office. Without a tenant: the operator of the platform, who sees every utility.
CREATE TABLE staff (
    id            uuid PRIMARY KEY,
    tenant_id     uuid REFERENCES tenants,
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    name          text NOT NULL,
    password_hash text NOT NULL, -- argon2id, PHC string
    language      text NOT NULL DEFAULT 'de' CHECK (language IN ('de', 'en')),
    disabled_at   timestamptz,
    created_at    timestamptz NOT NULL
);

CREATE TABLE web_sessions (
    token_hash bytea PRIMARY KEY,
    data       bytea NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX web_sessions_expiry ON web_sessions (expires_at);

-- A partner is one OCPI connection: a CPO platform or a hub.
CREATE TABLE partners (
    id               uuid PRIMARY KEY,
    name             text NOT NULL UNIQUE CHECK (name <> ''),
    role             text NOT NULL CHECK (role IN ('CPO', 'HUB')),
    country_code     text NOT NULL DEFAULT '' CHECK (country_code ~ '^([A-Z]{2})?$'),
    party_id         text NOT NULL DEFAULT '' CHECK (party_id ~ '^([A-Z0-9]{3})?$'),
    state            text NOT NULL DEFAULT 'invited' CHECK (state IN ('invited', 'registered', 'ended')),
    versions_url     text NOT NULL DEFAULT '',
    version          text NOT NULL DEFAULT '',
    endpoints        jsonb NOT NULL DEFAULT '[]', -- as the partner's version details list them
    auth_encoding    text NOT NULL DEFAULT 'base64' CHECK (auth_encoding IN ('base64', 'raw')), -- TRN-06
    token_sealed     bytea, -- the token that we send, encrypted
    created_at       timestamptz NOT NULL,
    registered_at    timestamptz,
    last_received_at timestamptz,
    last_sent_at     timestamptz,
    CHECK (state <> 'registered' OR (token_sealed IS NOT NULL AND versions_url <> '' AND version <> ''))
);

-- Tokens that partners present to us, as keyed hashes. 'invite' is token A: good for the handshake only (TRN-09).
CREATE TABLE partner_tokens (
    hash       bytea PRIMARY KEY,
    partner_id uuid NOT NULL REFERENCES partners,
    kind       text NOT NULL CHECK (kind IN ('invite', 'live')),
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX partner_tokens_partner ON partner_tokens (partner_id) WHERE revoked_at IS NULL;

-- The parties behind a connection: from its credentials, or learned through a hub.
CREATE TABLE partner_parties (
    partner_id   uuid NOT NULL REFERENCES partners,
    role         text NOT NULL,
    country_code text NOT NULL CHECK (country_code = upper(country_code)),
    party_id     text NOT NULL CHECK (party_id = upper(party_id)),
    name         text NOT NULL DEFAULT '',
    source       text NOT NULL CHECK (source IN ('credentials', 'hubclientinfo', 'object')),
    status       text NOT NULL DEFAULT 'CONNECTED',
    last_updated timestamptz NOT NULL,
    PRIMARY KEY (partner_id, role, country_code, party_id)
);

-- Which utilities a partner works with: the one switch behind roles, tokens and accepted addressees (TEN-02).
CREATE TABLE partner_tenants (
    partner_id uuid NOT NULL REFERENCES partners,
    tenant_id  uuid NOT NULL REFERENCES tenants,
    PRIMARY KEY (partner_id, tenant_id)
);
