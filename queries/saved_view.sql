-- Lists that people have saved under a name.

-- name: SavedViews :many
SELECT * FROM saved_views WHERE page = @page AND (staff_id IS NULL OR staff_id = @staff_id) AND tenant_id IS NOT DISTINCT FROM sqlc.narg(tenant_id)::uuid ORDER BY staff_id NULLS FIRST, name;

-- A name that there is gets the new address.
-- name: SaveView :exec
INSERT INTO saved_views (id, tenant_id, staff_id, page, name, query, created_at) VALUES (@id, @tenant_id, @staff_id, @page, @name, @query, @created_at)
ON CONFLICT (tenant_id, staff_id, page, name) DO UPDATE SET query = excluded.query;

-- name: DeleteView :execrows
DELETE FROM saved_views WHERE id = @id AND (staff_id IS NULL OR staff_id = @staff_id) AND tenant_id IS NOT DISTINCT FROM sqlc.narg(tenant_id)::uuid;
