-- Charging profiles of running sessions.

-- name: ChargingProfile :one
SELECT * FROM charging_profiles WHERE country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND session_id = upper(@session_id::text);

-- The charge point accepted a profile, or the removal of one (NULL).
-- name: SaveWantedProfile :exec
INSERT INTO charging_profiles (country_code, party_id, session_id, tenant_id, wanted)
VALUES (upper(@country_code::text), upper(@party_id::text), upper(@session_id::text), @tenant_id, sqlc.narg(wanted))
ON CONFLICT (country_code, party_id, session_id) DO UPDATE SET wanted = excluded.wanted;

-- What the charge point will do, asked for or not (CHP-04, CHP-05).
-- name: SaveActiveProfile :exec
INSERT INTO charging_profiles (country_code, party_id, session_id, tenant_id, active, active_at)
VALUES (upper(@country_code::text), upper(@party_id::text), upper(@session_id::text), @tenant_id, @active, @now::timestamptz)
ON CONFLICT (country_code, party_id, session_id) DO UPDATE SET active = excluded.active, active_at = excluded.active_at;

-- The CPO finds us too frequent (CHP-09).
-- name: PauseProfile :exec
INSERT INTO charging_profiles (country_code, party_id, session_id, tenant_id, refusals, not_before)
VALUES (upper(@country_code::text), upper(@party_id::text), upper(@session_id::text), @tenant_id, 1, @not_before::timestamptz)
ON CONFLICT (country_code, party_id, session_id) DO UPDATE SET refusals = charging_profiles.refusals + 1, not_before = excluded.not_before;

-- name: ResumeProfile :exec
UPDATE charging_profiles SET refusals = 0, not_before = NULL
WHERE country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND session_id = upper(@session_id::text) AND refusals > 0;
