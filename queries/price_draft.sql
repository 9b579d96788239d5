-- Drafts of price books.

-- name: InsertPriceDraft :exec
INSERT INTO price_drafts (id, tenant_id, name, book, created_at, created_by, changed_at, changed_by) VALUES (@id, @tenant_id, @name, @book, @now, @actor, @now, @actor);

-- name: PriceDrafts :many
SELECT * FROM price_drafts WHERE tenant_id = @tenant_id ORDER BY changed_at DESC, id DESC;

-- name: PriceDraft :one
SELECT * FROM price_drafts WHERE id = @id AND tenant_id = @tenant_id;

-- name: LockPriceDraft :one
SELECT * FROM price_drafts WHERE id = @id AND tenant_id = @tenant_id FOR UPDATE;

-- name: ChangePriceDraft :exec
UPDATE price_drafts SET name = @name, book = @book, plans = @plans, changed_at = @now, changed_by = @actor WHERE id = @id;

-- name: DropPriceDraft :execrows
DELETE FROM price_drafts WHERE id = @id AND tenant_id = @tenant_id;
