-- name: InsertStaff :exec
INSERT INTO staff (id, tenant_id, email, name, password_hash, language, created_at) VALUES (@id, @tenant_id, @email, @name, @password_hash, @language, @created_at);

-- name: StaffByEmail :one
SELECT * FROM staff WHERE email = lower(@email) AND disabled_at IS NULL;

-- name: Staff :one
SELECT * FROM staff WHERE id = @id AND disabled_at IS NULL;

-- name: SetStaffLanguage :exec
UPDATE staff SET language = @language WHERE id = @id;

-- name: WebSession :one
SELECT data FROM web_sessions WHERE token_hash = @token_hash AND expires_at > @now;

-- name: SaveWebSession :exec
INSERT INTO web_sessions (token_hash, data, expires_at) VALUES (@token_hash, @data, @expires_at)
ON CONFLICT (token_hash) DO UPDATE SET data = @data, expires_at = @expires_at;

-- name: DeleteWebSession :exec
DELETE FROM web_sessions WHERE token_hash = @token_hash;

-- name: DeleteExpiredWebSessions :exec
DELETE FROM web_sessions WHERE expires_at < @now;

-- name: DisableStaff :exec
UPDATE staff SET disabled_at = @now::timestamptz WHERE id = @id;
