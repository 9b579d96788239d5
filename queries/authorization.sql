-- name: InsertAuthorization :exec
INSERT INTO authorizations (reference, tenant_id, token_id, partner_id, location_id, evse_uids, allowed, at, price_book_id, quote)
VALUES (@reference, @tenant_id, @token_id, @partner_id, @location_id, @evse_uids, @allowed, @at, @price_book_id, @quote);

-- The price that was shown when a session was authorised.
-- name: QuoteOf :one
SELECT at, quote FROM authorizations WHERE reference = @reference AND tenant_id = @tenant_id AND allowed = 'ALLOWED' AND quote IS NOT NULL;

-- name: AuthorizationsOfToken :many
SELECT * FROM authorizations WHERE token_id = @token_id ORDER BY at DESC, reference LIMIT @max_rows;

-- Where a contract may be used at one CPO.
-- name: ContractPlaces :many
SELECT * FROM contract_places WHERE contract_id = @contract_id AND country_code = upper(@country_code::text) AND party_id = upper(@party_id::text)
ORDER BY location_id, evse_uid;

-- name: InsertContractPlace :exec
INSERT INTO contract_places (tenant_id, contract_id, country_code, party_id, location_id, evse_uid)
VALUES (@tenant_id, @contract_id, upper(@country_code::text), upper(@party_id::text), upper(@location_id::text), upper(@evse_uid::text));

-- name: DeleteContractPlaces :exec
DELETE FROM contract_places WHERE contract_id = @contract_id;

-- Counts one question about a token that nobody has.
-- name: CountUnknownToken :one
INSERT INTO unknown_tokens (partner_id, hour, count) VALUES (@partner_id, @hour, 1)
ON CONFLICT (partner_id, hour) DO UPDATE SET count = unknown_tokens.count + 1 RETURNING count;

-- name: ForgetUnknownTokens :exec
DELETE FROM unknown_tokens WHERE hour < @before;
