-- name: InsertPlan :exec
INSERT INTO plans (id, tenant_id, name, is_default, created_at) VALUES (@id, @tenant_id, @name, @is_default, @created_at);

-- name: InsertPlanVersion :exec
INSERT INTO plan_versions (id, plan_id, version, doc, valid_from, created_at) VALUES (@id, @plan_id, @version, @doc, @valid_from, @created_at);

-- name: DefaultPlan :one
SELECT * FROM plans WHERE tenant_id = @tenant_id AND is_default;

-- name: PlanByName :one
SELECT * FROM plans WHERE tenant_id = @tenant_id AND name = @name;

-- The version of a contract's plan that was valid when the session started.
-- name: PlanVersionAt :one
SELECT * FROM plan_versions WHERE plan_id = @plan_id AND valid_from <= @at ORDER BY valid_from DESC LIMIT 1;

-- name: PlanVersion :one
SELECT v.*, p.name AS plan_name FROM plan_versions v JOIN plans p ON p.id = v.plan_id WHERE v.id = @id;
