-- One object through everything that happened to it. Without tenant_id: every utility.

-- What goes by an id: CDRs, sessions, locations and cards, as objects of the log of messages.
-- name: TraceFind :many
SELECT ('cdrs/' || s.country_code || '*' || s.party_id || '/' || upper(s.ocpi_id))::text AS object, s.place AS name, s.started_at AS at FROM cdr_states s
WHERE (upper(s.ocpi_id) = upper(@needle::text) OR s.session_id <> '' AND upper(s.session_id) = upper(@needle)) AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id))
UNION ALL
SELECT 'sessions/' || s.country_code || '*' || s.party_id || '/' || s.session_id, s.status, s.started_at FROM sessions s
WHERE s.session_id = upper(@needle) AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id))
UNION ALL
SELECT 'locations/' || l.country_code || '*' || l.party_id || '/' || l.location_id, l.name, l.last_updated FROM locations l WHERE l.location_id = upper(@needle)
UNION ALL
SELECT 'tokens/' || te.country_code || '*' || te.party_id || '/' || upper(t.uid), t.visual_number, t.last_updated FROM tokens t JOIN tenants te ON te.id = t.tenant_id
WHERE (upper(t.uid) = upper(@needle) OR upper(t.visual_number) = upper(@needle)) AND (sqlc.narg(tenant_id)::uuid IS NULL OR t.tenant_id = sqlc.narg(tenant_id))
ORDER BY 3 DESC, 1 LIMIT 50;

-- The CDRs with an id or of a session.
-- name: TraceCDRs :many
SELECT sqlc.embed(s), t.name AS tenant FROM cdr_states s JOIN tenants t ON t.id = s.tenant_id
WHERE s.country_code = @country_code AND s.party_id = @party_id AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id))
    AND (@ocpi_id::text <> '' AND s.ocpi_id = @ocpi_id OR @session_id::text <> '' AND s.session_id <> '' AND upper(s.session_id) = upper(@session_id))
ORDER BY s.received_at;

-- name: TraceSession :one
SELECT * FROM sessions WHERE country_code = @country_code AND party_id = @party_id AND session_id = upper(@session_id::text) AND (sqlc.narg(tenant_id)::uuid IS NULL OR tenant_id = sqlc.narg(tenant_id));

-- name: TraceRatings :many
SELECT id, seq, rated_at, superseded_at, currency, claimed_net, computed_net, retail_net, engine FROM ratings WHERE cdr_id = @cdr_id ORDER BY seq;

-- Authorisations of a card at a partner within a time.
-- name: TraceAuthorizations :many
SELECT a.reference, a.allowed, a.location_id, a.at FROM authorizations a
WHERE a.token_id = @token_id AND a.partner_id = @partner_id AND a.at >= @since::timestamptz AND a.at < @until::timestamptz
    AND (sqlc.narg(tenant_id)::uuid IS NULL OR a.tenant_id = sqlc.narg(tenant_id))
ORDER BY a.at;

-- name: TraceCommands :many
SELECT id, kind, state, response, result, message, created_at, answered_at, result_at FROM commands
WHERE country_code = @country_code AND party_id = @party_id AND session_id = upper(@session_id::text) AND (sqlc.narg(tenant_id)::uuid IS NULL OR tenant_id = sqlc.narg(tenant_id))
ORDER BY created_at;
