-- name: InsertEvent :exec
INSERT INTO events (id, at, tenant_id, actor, subject, subject_id, what, detail) VALUES (@id, @at, @tenant_id, @actor, @subject, @subject_id, @what, @detail);

-- name: InsertEvents :copyfrom
INSERT INTO events (id, at, tenant_id, actor, subject, subject_id, what, detail) VALUES (@id, @at, @tenant_id, @actor, @subject, @subject_id, @what, @detail);

-- name: EventsOf :many
SELECT * FROM events WHERE subject = @subject AND subject_id = @subject_id ORDER BY at, id;
