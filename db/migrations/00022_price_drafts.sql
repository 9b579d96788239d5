-- Drafts of other prices: a price book that is not published, with the plans that it brings along (billing.BookDraft).
-- +goose Up

-- Nothing is priced by a draft. It is gone when it is published: what counts then is the version that it became.
CREATE TABLE price_drafts (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants,
    name       text NOT NULL CHECK (name <> '' AND length(name) <= 100),
    book       jsonb NOT NULL, -- what billing.ParsePriceBook shall read one day; until then it may be wrong
    plans      jsonb NOT NULL DEFAULT '{}', -- plans by name, in place of published ones
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);
CREATE INDEX price_drafts_list ON price_drafts (tenant_id, changed_at DESC, id DESC);

ALTER TABLE price_drafts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON price_drafts TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON price_drafts TO roamwerk_tenant;
