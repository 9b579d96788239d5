-- Pulling what partners have, knowing when one is away, and telling people what is amiss.
-- +goose Up

-- A crawl through one list of a partner, page by page, and when the next one is due. The party is the one that is asked: a
-- CPO, or the hub for all CPOs behind it (RTG-12, RTG-13). Sessions and CDRs belong to a utility and are asked for by it;
-- locations and tariffs are the same for all of them.
CREATE TABLE pulls (
    id           uuid PRIMARY KEY,
    partner_id   uuid NOT NULL REFERENCES partners,
    module       text NOT NULL CHECK (module IN ('hubclientinfo', 'tariffs', 'locations', 'sessions', 'cdrs')),
    country_code text NOT NULL CHECK (country_code = upper(country_code)),
    party_id     text NOT NULL CHECK (party_id = upper(party_id)),
    tenant_id    uuid REFERENCES tenants,
    due_at       timestamptz, -- when to read the next page or begin the next crawl; NULL: nothing to do
    claimed_until timestamptz, -- a worker is reading a page; when it dies, another one may from then on
    want_full    boolean NOT NULL DEFAULT true, -- the next crawl reads everything
    cursor       timestamptz, -- date_from of the next delta: the start of the last complete crawl, less an overlap (PAG-22)
    full_at      timestamptz, -- start of the last complete crawl that read everything
    done_at      timestamptz, -- end of the last complete crawl
    attempts     integer NOT NULL DEFAULT 0, -- failures in a row
    failing_since timestamptz,
    problem      text NOT NULL DEFAULT '', -- why the last page could not be read, or what was odd in the last crawl
    -- The crawl under way, or how the last one went.
    started_at   timestamptz,
    date_from    timestamptz, -- its filter; NULL: none
    next_url     text NOT NULL DEFAULT '', -- the page to read next; '': no crawl is under way
    total        integer NOT NULL DEFAULT 0, -- X-Total-Count of the last page
    read_at      timestamptz, -- when the last page was read
    broken_off   boolean NOT NULL DEFAULT false, -- so late after the page before, or so odd, that the pages make no picture (PAG-19)
    pages        integer NOT NULL DEFAULT 0,
    objects      integer NOT NULL DEFAULT 0,
    bad          integer NOT NULL DEFAULT 0, -- objects that could not be taken (PAG-18)
    foreign_objects integer NOT NULL DEFAULT 0, -- objects of CPOs that are not the partner's (PAG-21)
    vanished     integer NOT NULL DEFAULT 0, -- objects that we had and a crawl of everything did not find
    UNIQUE NULLS NOT DISTINCT (partner_id, module, country_code, party_id, tenant_id)
);
CREATE INDEX pulls_due ON pulls (due_at) WHERE due_at IS NOT NULL;

-- The pages and objects that the crawl under way has seen: it must not run in a circle, and what a crawl of everything has
-- not seen is no more.
CREATE TABLE pull_seen (
    pull_id uuid NOT NULL REFERENCES pulls ON DELETE CASCADE,
    key     text NOT NULL, -- a page's URL with the total; DE*CPO/LOC1, folded
    PRIMARY KEY (pull_id, key)
);

-- What somebody should look at. The texts belong to the kind and stand in jobs/alert.go; params fill them.
CREATE TABLE alerts (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL,
    partner_id  uuid NOT NULL REFERENCES partners,
    tenant_id   uuid REFERENCES tenants, -- NULL: concerns the whole connection
    subject     text NOT NULL DEFAULT '', -- what of the partner it is about: a module, a party, sessions/DE*CPO/S1
    params      jsonb NOT NULL DEFAULT '{}',
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    resolved_at timestamptz
);
CREATE UNIQUE INDEX alerts_open ON alerts (kind, partner_id, subject) WHERE resolved_at IS NULL;
CREATE INDEX alerts_list ON alerts (first_at DESC, id DESC);

ALTER TABLE partners
    ADD COLUMN failing_since timestamptz, -- it does not answer; only a probe is sent until it does
    ADD COLUMN rejected_at   timestamptz, -- it answered 401 to our token: nothing but a probe is sent (STA-07)
    ADD COLUMN check_at      timestamptz; -- when to probe it, or to compare its tokens with ours
CREATE INDEX partners_check ON partners (check_at) WHERE check_at IS NOT NULL;

-- UNKNOWN is ours: the hub says that it does not know the party (4001), or no longer lists it.
ALTER TABLE partner_parties
    ADD CONSTRAINT partner_parties_status CHECK (status IN ('CONNECTED', 'OFFLINE', 'PLANNED', 'SUSPENDED', 'UNKNOWN')),
    ADD COLUMN away_since timestamptz, -- since when it is not CONNECTED
    ADD COLUMN ignored bigint NOT NULL DEFAULT 0; -- objects of it that were not used, because another connection to it goes before (RTG-18)

-- When the partner's copy of a token was last compared with ours.
ALTER TABLE token_deliveries ADD COLUMN compared_at timestamptz;

CREATE INDEX cdr_states_partner ON cdr_states (partner_id, received_at);
CREATE INDEX cdr_states_session ON cdr_states (country_code, party_id, upper(session_id)) WHERE session_id <> '';
CREATE INDEX sessions_completed ON sessions (updated_at) WHERE status = 'COMPLETED';

ALTER TABLE pulls ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON pulls TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid OR tenant_id IS NULL
    AND EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = pulls.partner_id AND w.tenant_id = current_setting('roamwerk.tenant')::uuid));
ALTER TABLE alerts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON alerts TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid OR tenant_id IS NULL
    AND EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = alerts.partner_id AND w.tenant_id = current_setting('roamwerk.tenant')::uuid));
GRANT SELECT ON pulls, alerts TO roamwerk_tenant;
GRANT SELECT (failing_since, rejected_at) ON partners TO roamwerk_tenant;
