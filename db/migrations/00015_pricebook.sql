-- Retail: customer groups, price books, what is free, vouchers, fees, and the price that a driver was shown.
-- +goose Up

-- Customers who pay the same prices: customers of the utility's electricity, staff, companies.
CREATE TABLE customer_groups (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants,
    name       text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL,
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, id)
);
ALTER TABLE customers
    ADD COLUMN group_id uuid, -- NULL: in no group
    ADD FOREIGN KEY (tenant_id, group_id) REFERENCES customer_groups (tenant_id, id);

-- The parties whose charge points are the utility's own.
CREATE TABLE own_parties (
    tenant_id    uuid NOT NULL REFERENCES tenants,
    country_code text NOT NULL CHECK (country_code = upper(country_code)),
    party_id     text NOT NULL CHECK (party_id = upper(party_id)),
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, country_code, party_id)
);

-- A plan that was agreed with this contract alone. Without one the price book decides.
ALTER TABLE contracts ALTER COLUMN plan_id DROP NOT NULL;

-- Which plan prices which session (billing.PriceBook). Of the versions that begin before a session the one that began last
-- counts, of several that begin together the last one.
CREATE TABLE price_books (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants,
    version    integer NOT NULL CHECK (version > 0),
    doc        jsonb NOT NULL,
    valid_from timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    UNIQUE (tenant_id, version),
    UNIQUE (tenant_id, id)
);
ALTER TABLE plan_versions DROP CONSTRAINT plan_versions_plan_id_valid_from_key; -- the same rule: a version that was wrong is replaced before it begins

-- Prices are agreed for the time after they are known: what has been priced stays priced so, and what was published stays
-- published.
CREATE TRIGGER plan_versions_immutable BEFORE UPDATE OR DELETE ON plan_versions FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER plan_versions_kept BEFORE TRUNCATE ON plan_versions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_books_immutable BEFORE UPDATE OR DELETE ON price_books FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_books_kept BEFORE TRUNCATE ON price_books FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE ratings
    ADD COLUMN price_book_id uuid REFERENCES price_books, -- NULL: an agreed plan, before there was a book
    ADD COLUMN choice        jsonb NOT NULL DEFAULT '{}', -- jobs.Choice: which plan, and why
    ADD COLUMN waived        numeric NOT NULL DEFAULT 0 CHECK (waived >= 0); -- what the price promise took off, on the side that the plan promises

-- +goose StatementBegin
CREATE FUNCTION plan_versions_ahead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM plan_versions WHERE plan_id = NEW.plan_id) AND EXISTS (SELECT FROM plans p JOIN cdr_states s ON s.tenant_id = p.tenant_id JOIN ratings r ON r.id = s.rating_id JOIN plan_versions v ON v.id = r.plan_version_id
        WHERE p.id = NEW.plan_id AND v.plan_id = NEW.plan_id AND s.started_at >= NEW.valid_from) THEN
        RAISE EXCEPTION 'a session after % is priced by an earlier version', NEW.valid_from USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_versions_ahead';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION price_books_ahead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM price_books WHERE tenant_id = NEW.tenant_id) AND EXISTS (SELECT FROM cdr_states s JOIN ratings r ON r.id = s.rating_id
        WHERE s.tenant_id = NEW.tenant_id AND s.started_at >= NEW.valid_from AND r.price_book_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a session after % is priced by an earlier version', NEW.valid_from USING ERRCODE = 'check_violation', CONSTRAINT = 'price_books_ahead';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION plans_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'plan % keeps its name: price books call it so', OLD.name USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER plans_named BEFORE UPDATE OF name ON plans FOR EACH ROW WHEN (OLD.name <> NEW.name) EXECUTE FUNCTION plans_named();
CREATE TRIGGER plan_versions_ahead BEFORE INSERT ON plan_versions FOR EACH ROW EXECUTE FUNCTION plan_versions_ahead();
CREATE TRIGGER price_books_ahead BEFORE INSERT ON price_books FOR EACH ROW EXECUTE FUNCTION price_books_ahead();

-- What a contract has used of an allowance in a calendar month, in the allowance's unit. Nothing can be used twice.
CREATE TABLE allowances (
    tenant_id   uuid NOT NULL,
    contract_id uuid NOT NULL,
    allowance   text NOT NULL, -- id in the plan
    month       date NOT NULL CHECK (extract(day FROM month) = 1),
    unit        text NOT NULL CHECK (unit IN ('kWh', 'min', 'session')),
    granted     numeric NOT NULL CHECK (granted > 0), -- the most that a plan has given
    used        numeric NOT NULL CHECK (used >= 0 AND used <= granted),
    PRIMARY KEY (contract_id, allowance, month),
    FOREIGN KEY (tenant_id, contract_id) REFERENCES contracts (tenant_id, id)
);

-- Which rating used how much. A rating that is superseded, or whose CDR is credited, gives it back.
CREATE TABLE allowance_uses (
    rating_id     uuid NOT NULL REFERENCES ratings,
    tenant_id     uuid NOT NULL REFERENCES tenants,
    cdr_id        uuid NOT NULL REFERENCES cdr_states,
    contract_id   uuid NOT NULL,
    allowance     text NOT NULL,
    month         date NOT NULL,
    quantity      numeric NOT NULL CHECK (quantity > 0),
    given_back_at timestamptz,
    PRIMARY KEY (rating_id, allowance),
    FOREIGN KEY (contract_id, allowance, month) REFERENCES allowances
);
CREATE UNIQUE INDEX allowance_uses_current ON allowance_uses (cdr_id, allowance) WHERE given_back_at IS NULL;

-- A rebate with a code. An amount is for each contract that redeems it; percent are off each of its sessions.
CREATE TABLE vouchers (
    id         uuid PRIMARY KEY,
    tenant_id  uuid NOT NULL REFERENCES tenants,
    code       text NOT NULL CHECK (code ~ '^[A-Z0-9-]{3,36}$'),
    name       text NOT NULL DEFAULT '',
    percent    numeric CHECK (percent > 0 AND percent <= 100),
    amount     numeric CHECK (amount > 0),
    currency   text NOT NULL,
    valid_from timestamptz NOT NULL, -- of a session's start
    valid_to   timestamptz,
    budget     numeric CHECK (budget > 0), -- NULL: without limit
    spent      numeric NOT NULL DEFAULT 0 CHECK (spent >= 0), -- amounts when they are redeemed, percent when they are drawn
    created_at timestamptz NOT NULL,
    UNIQUE (tenant_id, code),
    UNIQUE (tenant_id, id),
    CHECK ((percent IS NULL) <> (amount IS NULL)),
    CHECK (valid_to IS NULL OR valid_to > valid_from),
    CONSTRAINT vouchers_budget CHECK (budget IS NULL OR spent <= budget)
);

CREATE TABLE voucher_redemptions (
    voucher_id  uuid NOT NULL,
    contract_id uuid NOT NULL,
    tenant_id   uuid NOT NULL,
    redeemed_at timestamptz NOT NULL,
    amount      numeric, -- the voucher's, NULL for percent
    drawn       numeric NOT NULL DEFAULT 0 CHECK (drawn >= 0 AND (amount IS NULL OR drawn <= amount)),
    PRIMARY KEY (voucher_id, contract_id),
    FOREIGN KEY (tenant_id, voucher_id) REFERENCES vouchers (tenant_id, id),
    FOREIGN KEY (tenant_id, contract_id) REFERENCES contracts (tenant_id, id)
);
CREATE INDEX voucher_redemptions_contract ON voucher_redemptions (contract_id);

CREATE TABLE voucher_draws (
    rating_id     uuid NOT NULL REFERENCES ratings,
    tenant_id     uuid NOT NULL REFERENCES tenants,
    cdr_id        uuid NOT NULL REFERENCES cdr_states,
    voucher_id    uuid NOT NULL,
    contract_id   uuid NOT NULL,
    amount        numeric NOT NULL CHECK (amount > 0),
    given_back_at timestamptz,
    PRIMARY KEY (rating_id, voucher_id),
    FOREIGN KEY (voucher_id, contract_id) REFERENCES voucher_redemptions
);
CREATE UNIQUE INDEX voucher_draws_current ON voucher_draws (cdr_id, voucher_id) WHERE given_back_at IS NULL;

-- What a contract pays without charging. Each is booked once: the base fee a month, the activation a contract, a card a card.
CREATE TABLE fees (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL,
    contract_id     uuid NOT NULL,
    token_id        uuid REFERENCES tokens, -- of a card
    kind            text NOT NULL CHECK (kind IN ('BASE', 'ACTIVATION', 'CARD', 'EXTRA_CARD')),
    month           date NOT NULL CHECK (extract(day FROM month) = 1),
    plan_version_id uuid NOT NULL REFERENCES plan_versions,
    price           numeric NOT NULL CHECK (price > 0), -- as the plan has it, of the whole month
    first_day       date NOT NULL,
    last_day        date NOT NULL CHECK (last_day >= first_day),
    days            integer NOT NULL CHECK (days BETWEEN 1 AND of_days), -- in which the contract ran
    of_days         integer NOT NULL CHECK (of_days BETWEEN 1 AND 31),
    booked_at       timestamptz NOT NULL,
    FOREIGN KEY (tenant_id, contract_id) REFERENCES contracts (tenant_id, id),
    CHECK ((kind IN ('CARD', 'EXTRA_CARD')) = (token_id IS NOT NULL))
);
CREATE UNIQUE INDEX fees_base ON fees (contract_id, month) WHERE kind = 'BASE';
CREATE UNIQUE INDEX fees_activation ON fees (contract_id) WHERE kind = 'ACTIVATION';
CREATE UNIQUE INDEX fees_card ON fees (token_id) WHERE token_id IS NOT NULL;
CREATE INDEX fees_list ON fees (tenant_id, month, id);
CREATE TRIGGER fees_immutable BEFORE UPDATE OR DELETE ON fees FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- An item bills a session by its rating, or a fee.
ALTER TABLE line_items
    ADD COLUMN kind   text NOT NULL DEFAULT 'session' CHECK (kind IN ('session', 'fee')),
    ADD COLUMN fee_id uuid REFERENCES fees,
    ALTER COLUMN cdr_id DROP NOT NULL,
    ALTER COLUMN rating_id DROP NOT NULL,
    ADD CONSTRAINT line_items_of_session CHECK ((kind = 'session') = (cdr_id IS NOT NULL) AND (kind = 'session') = (rating_id IS NOT NULL)),
    ADD CONSTRAINT line_items_of_fee CHECK ((kind = 'fee') = (fee_id IS NOT NULL));
CREATE UNIQUE INDEX line_items_fee ON line_items (fee_id, position, created_at) WHERE fee_id IS NOT NULL;

-- The price that was shown, or could have been, when a session was authorised: jobs.Quote.
ALTER TABLE authorizations
    ADD COLUMN price_book_id uuid REFERENCES price_books,
    ADD COLUMN quote         jsonb; -- NULL: there was no price to show

-- +goose StatementBegin
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['customer_groups', 'own_parties', 'price_books', 'allowances', 'allowance_uses', 'vouchers', 'voucher_redemptions', 'voucher_draws', 'fees'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY tenant ON %I TO roamwerk_tenant USING (tenant_id = current_setting(''roamwerk.tenant'')::uuid)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO roamwerk_tenant', t);
    END LOOP;
    GRANT DELETE ON own_parties TO roamwerk_tenant;
END $$;
-- +goose StatementEnd
