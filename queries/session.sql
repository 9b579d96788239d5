-- Running and completed charging sessions, as their CPO tells them.

-- name: Session :one
SELECT * FROM sessions WHERE country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND session_id = upper(@session_id::text);

-- name: SaveSession :exec
INSERT INTO sessions (country_code, party_id, session_id, partner_id, tenant_id, doc, status, started_at, kwh, last_updated, created_at, updated_at)
VALUES (upper(@country_code::text), upper(@party_id::text), upper(@session_id::text), @partner_id, @tenant_id, @doc, @status, @started_at, @kwh, @last_updated, @now, @now)
ON CONFLICT (country_code, party_id, session_id) DO UPDATE SET partner_id = excluded.partner_id, doc = excluded.doc, status = excluded.status,
    started_at = excluded.started_at, kwh = excluded.kwh, last_updated = excluded.last_updated, updated_at = excluded.updated_at
    WHERE sessions.tenant_id = excluded.tenant_id;
