-- Since when a customer is in a group. A session is priced by the group that its customer was in when it began. customers.group_id is
-- the group that a customer began in; where nothing changed since, it counts.
-- +goose Up
CREATE TABLE customer_group_changes (
    tenant_id   uuid NOT NULL,
    customer_id uuid NOT NULL,
    group_id    uuid, -- NULL: in none from then on
    valid_from  timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    changed_by  text NOT NULL,
    PRIMARY KEY (customer_id, valid_from),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES customer_groups (tenant_id, id)
);
CREATE INDEX customer_group_changes_group ON customer_group_changes (group_id, valid_from);
CREATE INDEX customers_group ON customers (group_id) WHERE group_id IS NOT NULL;

-- The group of a customer at an instant; first_group is the one that he began in.
-- +goose StatementBegin
CREATE FUNCTION group_at(customer uuid, first_group uuid, at timestamptz) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM customer_group_changes x WHERE x.customer_id = customer AND x.valid_from <= at)
        THEN (SELECT x.group_id FROM customer_group_changes x WHERE x.customer_id = customer AND x.valid_from <= at ORDER BY x.valid_from DESC LIMIT 1)
        ELSE first_group END
$$;
-- +goose StatementEnd

ALTER TABLE customer_group_changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON customer_group_changes TO roamwerk_tenant USING (tenant_id = current_setting('roamwerk.tenant')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON customer_group_changes TO roamwerk_tenant;

-- Who made, gave and ended a voucher. One that is ended is redeemed no more, and percent end with it; an amount that was redeemed
-- stays.
ALTER TABLE vouchers
    ADD COLUMN created_by text NOT NULL DEFAULT '',
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN ended_by text,
    ADD CHECK ((ended_at IS NULL) = (ended_by IS NULL));
ALTER TABLE voucher_redemptions ADD COLUMN redeemed_by text NOT NULL DEFAULT '';
CREATE INDEX voucher_redemptions_latest ON voucher_redemptions (voucher_id, redeemed_at, contract_id);
