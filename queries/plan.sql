-- Retail tariffs: plans and their versions.

-- name: InsertPlan :exec
INSERT INTO plans (id, tenant_id, name, is_default, created_at) VALUES (@id, @tenant_id, @name, @is_default, @created_at);

-- name: InsertPlanVersion :exec
INSERT INTO plan_versions (id, plan_id, version, doc, valid_from, created_at) VALUES (@id, @plan_id, @version, @doc, @valid_from, @created_at);

-- name: PlanByName :one
SELECT * FROM plans WHERE tenant_id = @tenant_id AND name = @name;

-- One at a time adds a version to a plan.
-- name: LockPlan :one
SELECT * FROM plans WHERE tenant_id = @tenant_id AND name = @name FOR NO KEY UPDATE;

-- name: LastPlanVersion :one
SELECT coalesce(max(version), 0)::integer FROM plan_versions WHERE plan_id = @plan_id;

-- name: PlanOfTenant :one
SELECT * FROM plans WHERE id = @id AND tenant_id = @tenant_id;

-- The version of a plan that was valid when a session started.
-- name: PlanVersionAt :one
SELECT v.* FROM plans p JOIN plan_versions v ON v.plan_id = p.id
WHERE p.tenant_id = @tenant_id AND p.name = @name AND v.valid_from <= @at ORDER BY v.valid_from DESC, v.version DESC LIMIT 1;

-- name: PlanVersion :one
SELECT v.*, p.name AS plan_name FROM plan_versions v JOIN plans p ON p.id = v.plan_id WHERE v.id = @id;

-- name: PlanVersions :many
SELECT v.*, p.name AS plan_name FROM plans p JOIN plan_versions v ON v.plan_id = p.id
WHERE p.tenant_id = @tenant_id AND (@name::text = '' OR p.name = @name) ORDER BY p.name, v.version;

-- name: PlanNames :many
SELECT name FROM plans WHERE tenant_id = @tenant_id ORDER BY name;

-- What was charged by each plan since an instant.
-- name: PlanUse :many
SELECT v.plan_id, count(*) AS sessions, sum(r.retail_net)::numeric AS revenue, sum(r.margin)::numeric AS margin
FROM cdr_states s JOIN ratings r ON r.id = s.rating_id JOIN plan_versions v ON v.id = r.plan_version_id
WHERE s.tenant_id = @tenant_id AND s.started_at >= @since AND (@plan_id::uuid = '00000000-0000-0000-0000-000000000000' OR v.plan_id = @plan_id) GROUP BY v.plan_id;

-- Contracts with which a plan was agreed individually.
-- name: ContractsOfPlans :many
SELECT plan_id, count(*) AS contracts FROM contracts WHERE tenant_id = @tenant_id AND plan_id IS NOT NULL GROUP BY plan_id;
