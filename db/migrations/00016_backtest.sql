-- Back-tests: a draft of other prices on the sessions of the last months.
-- +goose Up

-- All that the retail price of a booked session depends on, packed (billing.Input). A row is here as long as its session is
-- booked: a draft is tried on what was charged.
CREATE TABLE cdr_inputs (
    cdr_id      uuid PRIMARY KEY REFERENCES cdr_states,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    customer_id uuid NOT NULL REFERENCES customers,
    contract_id uuid NOT NULL REFERENCES contracts,
    started_at  timestamptz NOT NULL,
    data        bytea NOT NULL
);
CREATE INDEX cdr_inputs_read ON cdr_inputs (tenant_id, started_at, cdr_id);
ALTER TABLE cdr_inputs ALTER COLUMN data SET STORAGE PLAIN; -- small, and read by the million

CREATE TABLE backtests (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    name        text NOT NULL DEFAULT '',
    doc         jsonb NOT NULL, -- billing.BookDraft: the book, and the plans that it brings along
    since       timestamptz NOT NULL,
    until       timestamptz NOT NULL CHECK (until > since),
    state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    reason      text NOT NULL DEFAULT '', -- why it failed last
    total       bigint NOT NULL DEFAULT 0, -- sessions
    done        bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
    result      jsonb, -- jobs.BacktestReport
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    started_at  timestamptz,
    finished_at timestamptz,
    due_at      timestamptz, -- when a worker shall begin, or take over from one that is silent; NULL: nothing to do
    attempts    integer NOT NULL DEFAULT 0,
    CHECK ((state = 'done') = (result IS NOT NULL))
);
CREATE INDEX backtests_list ON backtests (tenant_id, created_at DESC, id DESC);
CREATE INDEX backtests_due ON backtests (due_at) WHERE due_at IS NOT NULL;

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['cdr_inputs', 'backtests'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I TO roamwerk_tenant USING (tenant_id = current_setting(''roamwerk.tenant'')::uuid)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO roamwerk_tenant', t);
    END LOOP;
END $$;
-- +goose StatementEnd
