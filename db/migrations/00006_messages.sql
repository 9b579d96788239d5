-- What passes between partners and us: every message, what could not be taken, and what each partner does in its own way.
-- +goose Up

-- Every OCPI message in and out, kept for some weeks. Written in batches, off the way of the request: it is a log and no
-- ledger. Secrets are removed; a body beyond 64 kB is cut.
CREATE TABLE messages (
    id             uuid NOT NULL,
    at             timestamptz NOT NULL, -- when the request came or went
    direction      text NOT NULL CHECK (direction IN ('in', 'out')), -- of the request
    partner_id     uuid REFERENCES partners, -- NULL: nobody we know
    tenant_id      uuid REFERENCES tenants,  -- the utility that it concerns; NULL: none alone
    version        text NOT NULL,
    module         text NOT NULL,
    method         text NOT NULL,
    path           text NOT NULL, -- in: with its query; out: the whole URL
    request_id     text NOT NULL,
    correlation_id text NOT NULL,
    from_party     text NOT NULL, -- DE*CPO; '' without routing headers
    to_party       text NOT NULL,
    http_status    integer NOT NULL, -- 0: no answer
    status_code    integer NOT NULL, -- 0: none
    status_message text NOT NULL,
    outcome        text NOT NULL CHECK (outcome IN ('taken', 'noted', 'refused', 'failed')), -- noted: taken, with findings
    took_us        integer NOT NULL, -- microseconds
    objects        text[] NOT NULL, -- what it is about: sessions/DE*CPO/S1, cdrs/…, locations/…, tariffs/…, tokens/DE*SWX/04AA; folded
    request        bytea NOT NULL, -- the body as it was sent, unpacked
    response       bytea NOT NULL,
    findings       jsonb NOT NULL, -- [{severity, path, rule, value}]: what was wrong with the request, quirks as "quirk"
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE messages_default PARTITION OF messages DEFAULT;
CREATE INDEX messages_list ON messages (at DESC, id DESC);
CREATE INDEX messages_partner ON messages (partner_id, at DESC, id DESC);
CREATE INDEX messages_bad ON messages (at DESC, id DESC) WHERE outcome IN ('refused', 'failed');
CREATE INDEX messages_objects ON messages USING gin (objects);
CREATE INDEX messages_request ON messages (request_id);
CREATE INDEX messages_correlation ON messages (correlation_id);
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON messages TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid);
GRANT SELECT ON messages TO roamwerk_tenant;

-- What a partner sent and we could not take, stored before the partner was told. The same message again is the same row.
CREATE TABLE quarantine (
    id           uuid PRIMARY KEY,
    partner_id   uuid NOT NULL REFERENCES partners,
    module       text NOT NULL,
    method       text NOT NULL,
    path         text NOT NULL,
    sha256       bytea NOT NULL CHECK (length(sha256) = 32), -- of the body
    body         bytea NOT NULL, -- the bytes that came, unpacked
    from_party   text NOT NULL, -- of the routing headers, as in messages
    to_party     text NOT NULL,
    http_status  integer NOT NULL, -- how it was answered
    status_code  integer NOT NULL,
    message      text NOT NULL, -- status_message of the answer
    error_path   text NOT NULL, -- the first reject: field, rule, value
    error_rule   text NOT NULL,
    error_value  text NOT NULL,
    first_at     timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,
    count        bigint NOT NULL DEFAULT 1,
    message_id   uuid NOT NULL, -- the last one in messages; that may be gone already
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'dismissed')),
    resolution   text NOT NULL DEFAULT '', -- why it was dismissed, or what the replay said
    resolved_by  text NOT NULL DEFAULT '',
    resolved_at  timestamptz,
    UNIQUE (partner_id, method, path, sha256),
    CHECK ((state = 'open') = (resolved_at IS NULL))
);
CREATE INDEX quarantine_list ON quarantine (state, last_at DESC, id DESC);
CREATE INDEX quarantine_partner ON quarantine (partner_id, state, last_at DESC, id DESC);

-- The tolerances that a partner needs. Their names are those of the table in ocpi/quirk.go. A row appears with the first
-- evidence, or when somebody decides.
CREATE TABLE partner_quirks (
    partner_id uuid NOT NULL REFERENCES partners,
    quirk      text NOT NULL,
    mode       text NOT NULL DEFAULT 'auto' CHECK (mode IN ('auto', 'on', 'off')), -- on: expected, no longer news; off: refused
    first_seen timestamptz, -- NULL: never
    last_seen  timestamptz,
    count      bigint NOT NULL DEFAULT 0,
    detail     text NOT NULL DEFAULT '', -- the first evidence in words
    message_id uuid, -- the first evidence in messages; that may be gone already
    PRIMARY KEY (partner_id, quirk)
);

ALTER TABLE partners
    ADD COLUMN refused_quirks     text[] NOT NULL DEFAULT '{}', -- those of partner_quirks that are off, where every call sees them
    ADD COLUMN hidden_modules     text[] NOT NULL DEFAULT '{}', -- what our version details do not list to this partner
    ADD COLUMN certificate_sealed bytea, -- certificate and key in PEM with which we call this partner, encrypted; NULL: none
    ADD COLUMN certificate_pin    bytea CHECK (length(certificate_pin) = 32); -- SHA-256 of the certificate that it must call with; NULL: any or none

-- A token whose rotation ended without an answer: it counts beside the one before until one of the two is used (CRED-22).
ALTER TABLE partner_tokens ADD COLUMN doubt boolean NOT NULL DEFAULT false;

-- Makes the next monthly partition that is missing, up to three months ahead of the given instant and those before it that
-- late records may need. Returns how many it made: one or none. One at a time, and giving up early when a table is busy:
-- adding a partition locks the tables that it refers to, and must neither make a clerk wait nor end in a deadlock.
-- +goose StatementBegin
CREATE FUNCTION ensure_partition(now timestamptz) RETURNS integer LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
    parent text;
    back   interval;
    month  timestamptz;
    child  text;
BEGIN
    FOR parent, back IN VALUES ('cdrs', interval '12 months'), ('line_items', interval '12 months'), ('messages', interval '1 month') LOOP
        FOR month IN SELECT generate_series(date_trunc('month', now, 'UTC') - back, date_trunc('month', now, 'UTC') + interval '3 months', interval '1 month') LOOP
            child := parent || to_char(month AT TIME ZONE 'UTC', '"_y"YYYY"m"MM');
            IF to_regclass(child) IS NULL THEN
                EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', child, parent, month, month + interval '1 month');
                RETURN 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN 0;
END $$;
-- +goose StatementEnd

-- Drops the months of messages that ended before the given instant, and what is older in the default partition. Returns how
-- many months.
-- +goose StatementBegin
CREATE FUNCTION drop_messages(before timestamptz) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    child   text;
    dropped integer := 0;
BEGIN
    FOR child IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'messages'::regclass AND c.relname ~ '^messages_y\d{4}m\d{2}$'
            AND make_timestamptz(substr(c.relname, 11, 4)::integer, substr(c.relname, 16, 2)::integer, 1, 0, 0, 0, 'UTC') + interval '1 month' <= before LOOP
        EXECUTE format('DROP TABLE %I', child);
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM messages_default WHERE at < before;
    RETURN dropped;
END $$;
-- +goose StatementEnd
