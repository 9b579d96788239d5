-- What we ask of charge point operators: commands, charging profiles and charging preferences.

-- No row: the same start is under way already (CMD-22).
-- name: InsertCommand :execrows
INSERT INTO commands (id, tenant_id, partner_id, country_code, party_id, kind, token_id, reference, location_id, evse_uid, connector_id, session_id,
    reservation_id, expires_at, detail, created_at, due_at)
VALUES (@id, @tenant_id, @partner_id, upper(@country_code::text), upper(@party_id::text), @kind, @token_id, @reference, upper(@location_id::text),
    upper(@evse_uid::text), upper(@connector_id::text), upper(@session_id::text), @reservation_id, @expires_at, @detail, @created_at, @due_at)
ON CONFLICT (token_id, country_code, party_id, location_id, evse_uid) WHERE kind = 'START_SESSION' AND state IN ('sent', 'forwarded', 'accepted') DO NOTHING;

-- name: Command :one
SELECT * FROM commands WHERE id = @id;

-- name: LockCommand :one
SELECT * FROM commands WHERE id = @id FOR UPDATE;

-- name: PendingStart :one
SELECT * FROM commands
WHERE token_id = @token_id AND country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND location_id = upper(@location_id::text)
    AND evse_uid = upper(@evse_uid::text) AND kind = 'START_SESSION' AND state IN ('sent', 'forwarded', 'accepted');

-- The reservation with this id that we asked for last.
-- name: Reservation :one
SELECT * FROM commands WHERE tenant_id = @tenant_id AND kind = 'RESERVE_NOW' AND upper(reservation_id) = upper(@reservation_id::text) ORDER BY created_at DESC, id LIMIT 1;

-- name: SaveCommand :exec
UPDATE commands SET state = @state, response = @response, result = @result, message = @message, session_id = @session_id, answered_at = @answered_at,
    result_at = @result_at, due_at = @due_at WHERE id = @id;

-- name: CommandsDue :many
SELECT id FROM commands WHERE due_at <= @now::timestamptz ORDER BY due_at LIMIT @max_rows;

-- name: CommandsOfTenant :many
SELECT * FROM commands WHERE tenant_id = @tenant_id AND (@session_id::text = '' OR session_id = upper(@session_id)) ORDER BY created_at DESC, id DESC LIMIT @max_rows;

-- The commands that a session may prove (CMD-18, CMD-23, SES-12), the one that is meant first: what it already belongs to;
-- the one whose reference it carries; a start or reservation of its card at its place and time. A session with a reference
-- that is none of these came of something else.
-- name: LockCommandsOfSession :many
SELECT c.* FROM commands c LEFT JOIN tokens t ON t.id = c.token_id
WHERE c.country_code = upper(@country_code::text) AND c.party_id = upper(@party_id::text) AND c.tenant_id = @tenant_id
    AND c.created_at > @since::timestamptz
    AND (c.kind = 'STOP_SESSION' AND c.session_id = upper(@session_id::text)
        OR c.kind IN ('START_SESSION', 'RESERVE_NOW') AND (c.session_id = upper(@session_id)
            OR c.session_id = '' AND (c.reference::text = lower(@reference::text)
                OR @reference = '' AND upper(t.uid) = upper(@uid::text) AND t.type = @type AND c.location_id = upper(@location_id::text)
                    AND (c.evse_uid IN ('', upper(@evse_uid::text)) OR upper(@evse_uid) = '#NA')
                    AND c.created_at BETWEEN @earliest::timestamptz AND @latest::timestamptz)))
ORDER BY c.session_id = upper(@session_id) DESC, c.reference::text = lower(@reference) DESC, c.created_at DESC, c.id
FOR UPDATE OF c;

-- The connections over which a utility reaches a CPO, the best first (RTG-18: directly before through a hub).
-- name: RoutesToParty :many
SELECT p.* FROM partner_parties pp JOIN partners p ON p.id = pp.partner_id JOIN partner_tenants pt ON pt.partner_id = p.id
WHERE pp.role = 'CPO' AND pp.country_code = upper(@country_code::text) AND pp.party_id = upper(@party_id::text) AND p.state = 'registered' AND pt.tenant_id = @tenant_id
ORDER BY pp.source = 'credentials' DESC, p.registered_at, p.id;

-- Locations with this id of CPOs that a utility can reach.
-- name: LocationsWithID :many
SELECT l.* FROM locations l WHERE l.location_id = upper(@location_id::text) AND EXISTS (
    SELECT FROM partner_parties pp JOIN partners p ON p.id = pp.partner_id JOIN partner_tenants pt ON pt.partner_id = p.id
    WHERE pp.role = 'CPO' AND pp.country_code = l.country_code AND pp.party_id = l.party_id AND p.state = 'registered' AND pt.tenant_id = @tenant_id);

-- Sessions of a utility with this id; of one CPO, when it is given.
-- name: SessionsWithID :many
SELECT * FROM sessions WHERE tenant_id = ANY (@tenant_ids::uuid[]) AND session_id = upper(@session_id::text)
    AND (@country_code::text = '' OR country_code = upper(@country_code) AND party_id = upper(@party_id::text))
ORDER BY country_code, party_id;
