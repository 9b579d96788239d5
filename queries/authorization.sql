-- name: InsertAuthorization :exec
INSERT INTO authorizations (reference, tenant_id, token_id, partner_id, location_id, evse_uids, allowed, at)
VALUES (@reference, @tenant_id, @token_id, @partner_id, @location_id, @evse_uids, @allowed, @at);

-- name: AuthorizationsOfToken :many
SELECT * FROM authorizations WHERE token_id = @token_id ORDER BY at DESC, reference LIMIT @max_rows;
