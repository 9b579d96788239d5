-- Customer groups, and who is in them since when.

-- name: InsertCustomerGroup :exec
INSERT INTO customer_groups (id, tenant_id, name, created_at) VALUES (@id, @tenant_id, @name, @created_at);

-- The groups with how many customers each has at an instant: those who began in it and never changed, and those who changed to it.
-- name: CustomerGroups :many
SELECT g.id, g.name, g.created_at, (
    (SELECT count(*) FROM customers c WHERE c.group_id = g.id AND NOT EXISTS (SELECT FROM customer_group_changes x WHERE x.customer_id = c.id AND x.valid_from <= @at::timestamptz))
    + (SELECT count(*) FROM customer_group_changes x WHERE x.group_id = g.id AND x.valid_from <= @at
        AND NOT EXISTS (SELECT FROM customer_group_changes y WHERE y.customer_id = x.customer_id AND y.valid_from > x.valid_from AND y.valid_from <= @at)))::bigint AS customers,
    (SELECT count(*) FROM customer_group_changes x WHERE x.group_id = g.id AND x.valid_from > @at) AS coming
FROM customer_groups g WHERE g.tenant_id = @tenant_id ORDER BY g.name;

-- name: CustomerGroupNames :many
SELECT name FROM customer_groups WHERE tenant_id = @tenant_id ORDER BY name;

-- name: CustomerGroup :one
SELECT * FROM customer_groups WHERE id = @id AND tenant_id = @tenant_id;

-- name: CustomerGroupByName :one
SELECT * FROM customer_groups WHERE tenant_id = @tenant_id AND name = @name;

-- A page of the customers of a group at an instant, in the order in which they came, with since when they are in it; zero: from the
-- beginning.
-- name: GroupMembers :many
SELECT cu.id, cu.number, cu.name, coalesce(x.valid_from, '0001-01-01T00:00:00Z')::timestamptz AS valid_from, coalesce(x.changed_by, '')::text AS changed_by, (SELECT count(*) FROM contracts c WHERE c.customer_id = cu.id) AS contracts,
    coalesce(n.valid_from, '0001-01-01T00:00:00Z')::timestamptz AS next_from, coalesce(g.name, '')::text AS next_group
FROM customers cu
    LEFT JOIN LATERAL (SELECT * FROM customer_group_changes x WHERE x.customer_id = cu.id AND x.valid_from <= @at::timestamptz ORDER BY x.valid_from DESC LIMIT 1) x ON true
    LEFT JOIN LATERAL (SELECT * FROM customer_group_changes n WHERE n.customer_id = cu.id AND n.valid_from > @at ORDER BY n.valid_from LIMIT 1) n ON true
    LEFT JOIN customer_groups g ON g.id = n.group_id
WHERE cu.tenant_id = @tenant_id AND CASE WHEN x.customer_id IS NULL THEN cu.group_id ELSE x.group_id END = @group_id::uuid
    AND (@pattern::text = '' OR cu.name ILIKE @pattern OR cu.number ILIKE @pattern)
    AND (NOT @paged::boolean OR CASE WHEN @backward::boolean THEN cu.id < @after_id::uuid ELSE cu.id > @after_id END)
ORDER BY CASE WHEN @backward THEN cu.id END DESC, cu.id
LIMIT @max_rows;

-- Customers who come into a group later.
-- name: ComingMembers :many
SELECT cu.id, cu.number, cu.name, x.valid_from, x.changed_by FROM customer_group_changes x JOIN customers cu ON cu.id = x.customer_id
WHERE x.tenant_id = @tenant_id AND x.group_id = @group_id::uuid AND x.valid_from > @at::timestamptz ORDER BY x.valid_from, cu.number LIMIT 100;

-- name: LockCustomerByNumber :one
SELECT id FROM customers WHERE tenant_id = @tenant_id AND number = @number FOR NO KEY UPDATE;

-- From an instant on a customer is in a group, or in none, until further notice: what was to change later is off.
-- name: ChangeCustomerGroup :exec
WITH off AS (
    DELETE FROM customer_group_changes WHERE customer_id = @customer_id AND valid_from > @valid_from
)
INSERT INTO customer_group_changes (tenant_id, customer_id, group_id, valid_from, changed_at, changed_by)
VALUES (@tenant_id, @customer_id, sqlc.narg(group_id), @valid_from, @changed_at, @changed_by)
ON CONFLICT (customer_id, valid_from) DO UPDATE SET group_id = excluded.group_id, changed_at = excluded.changed_at, changed_by = excluded.changed_by;
