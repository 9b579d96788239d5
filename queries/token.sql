-- Tokens of our customers, and what each partner knows of them.

-- A new token belongs to its contract from before every session on, so that a card that is entered late finds its sessions.
-- name: InsertToken :exec
WITH token AS (
    INSERT INTO tokens (id, tenant_id, contract_id, uid, type, visual_number, issuer, valid, whitelist, language, group_id, profile_type, energy_supplier, energy_contract,
        created_at, last_updated)
    VALUES (@id, @tenant_id, @contract_id, @uid, @type, @visual_number, @issuer, @valid, @whitelist, @language, @group_id, @profile_type, @energy_supplier, @energy_contract,
        @now, @now)
    RETURNING id, tenant_id, contract_id, created_at
)
INSERT INTO token_assignments (id, tenant_id, token_id, contract_id, valid_from, created_at)
SELECT gen_random_uuid(), tenant_id, id, contract_id, '2020-01-01', created_at FROM token;

-- A change is later than every earlier version, so that it shows up in the next list by date (TOK-05).
-- name: SetTokenValid :execrows
UPDATE tokens SET valid = @valid, last_updated = greatest(@now::timestamptz, last_updated + interval '1 millisecond') WHERE id = @id AND valid <> @valid;

-- A token with what its OCPI object needs: contract id and owner.
-- name: Token :one
SELECT sqlc.embed(t), c.contract_id, te.country_code, te.party_id
FROM tokens t JOIN contracts c ON c.id = t.contract_id JOIN tenants te ON te.id = t.tenant_id
WHERE t.id = @id;

-- A token as a partner is to see it: one of a utility that leaves the partner, or has left it, is void there.
-- name: TokenAt :one
SELECT sqlc.embed(t), c.contract_id, te.country_code, te.party_id, (pt.tenant_id IS NULL OR pt.leaving_at IS NOT NULL)::boolean AS void,
    greatest(t.last_updated, pt.leaving_at)::timestamptz AS changed_at
FROM tokens t JOIN contracts c ON c.id = t.contract_id JOIN tenants te ON te.id = t.tenant_id
    LEFT JOIN partner_tenants pt ON pt.tenant_id = t.tenant_id AND pt.partner_id = @partner_id
WHERE t.id = @id;

-- The tokens with this uid and type that belong to one of the given utilities (TOK-03, TEN-03), with what decides whether
-- they may charge. Without a type, cards come first.
-- name: TokensByUID :many
SELECT sqlc.embed(t), c.contract_id, c.valid_from, c.valid_to, te.country_code, te.party_id, cu.no_credit,
    EXISTS (SELECT FROM contract_places cp WHERE cp.contract_id = c.id) AS restricted, coalesce(g.name, '')::text AS customer_group, coalesce(p.name, '')::text AS agreed_plan
FROM tokens t JOIN contracts c ON c.id = t.contract_id JOIN customers cu ON cu.id = c.customer_id JOIN tenants te ON te.id = t.tenant_id
    LEFT JOIN customer_groups g ON g.id = group_at(cu.id, cu.group_id, @at::timestamptz) LEFT JOIN plans p ON p.id = c.plan_id
WHERE t.tenant_id = ANY (@tenant_ids::uuid[]) AND upper(t.uid) = upper(@uid::text) AND (t.type = @type OR @type = '')
ORDER BY t.type = 'RFID' DESC, t.created_at, t.id;

-- The tokens of the contract with this id that belong to one of the given utilities, a valid one before, with what decides
-- whether it may be used: for a car that shows its contract and no token (VDF-15).
-- name: TokensByEMAID :many
SELECT sqlc.embed(t), c.contract_id, c.valid_from, c.valid_to, te.country_code, te.party_id, cu.no_credit,
    EXISTS (SELECT FROM contract_places cp WHERE cp.contract_id = c.id) AS restricted, coalesce(g.name, '')::text AS customer_group, coalesce(p.name, '')::text AS agreed_plan
FROM tokens t JOIN contracts c ON c.id = t.contract_id JOIN customers cu ON cu.id = c.customer_id JOIN tenants te ON te.id = t.tenant_id
    LEFT JOIN customer_groups g ON g.id = group_at(cu.id, cu.group_id, @at::timestamptz) LEFT JOIN plans p ON p.id = c.plan_id
WHERE c.tenant_id = ANY (@tenant_ids::uuid[]) AND emaid(c.contract_id) = emaid(@emaid::text)
ORDER BY upper(c.contract_id) = upper(@emaid) DESC, t.valid DESC, t.type = 'RFID' DESC, t.created_at, t.id;

-- The owners of a token among the given utilities, whatever its type: for a CDR that does not name the owner.
-- name: OwnersOfToken :many
SELECT DISTINCT te.id, te.country_code, te.party_id FROM tokens t JOIN tenants te ON te.id = t.tenant_id
WHERE t.tenant_id = ANY (@tenant_ids::uuid[]) AND upper(t.uid) = upper(@uid::text);

-- The tokens of a contract, or with that uid, that belong to one of the given utilities: the contract's before, valid ones
-- before, cards before. OCPI 2.1.1 names the contract alone, and some write the uid there.
-- name: TokensOfContract :many
SELECT t.uid, t.type, te.country_code, te.party_id
FROM tokens t JOIN contracts c ON c.id = t.contract_id JOIN tenants te ON te.id = t.tenant_id
WHERE t.tenant_id = ANY (@tenant_ids::uuid[]) AND (emaid(c.contract_id) = emaid(@contract_id::text) OR upper(t.uid) = upper(@contract_id))
ORDER BY upper(c.contract_id) = upper(@contract_id) DESC, emaid(c.contract_id) = emaid(@contract_id) DESC, t.valid DESC, t.type = 'RFID' DESC, t.created_at, t.id;

-- One page for a partner, in the order of creation, so that a new token lengthens the last page (PAG-09). Tokens that were
-- made for one use are left out (TOK-06). When a utility leaves, that changes all of its tokens.
-- name: TokenPage :many
SELECT sqlc.embed(t), c.contract_id, te.country_code, te.party_id, (pt.leaving_at IS NOT NULL)::boolean AS void, greatest(t.last_updated, pt.leaving_at)::timestamptz AS changed_at
FROM tokens t JOIN contracts c ON c.id = t.contract_id JOIN tenants te ON te.id = t.tenant_id JOIN partner_tenants pt ON pt.tenant_id = t.tenant_id
WHERE pt.partner_id = @partner_id AND t.tenant_id = ANY (@tenant_ids::uuid[]) AND t.type <> 'AD_HOC_USER'
    AND (sqlc.narg(date_from)::timestamptz IS NULL OR greatest(t.last_updated, pt.leaving_at) >= sqlc.narg(date_from))
    AND (sqlc.narg(date_to)::timestamptz IS NULL OR greatest(t.last_updated, pt.leaving_at) < sqlc.narg(date_to))
ORDER BY t.created_at, t.id
LIMIT @max_rows OFFSET @skip_rows;

-- name: CountTokens :one
SELECT count(*) FROM tokens t JOIN partner_tenants pt ON pt.tenant_id = t.tenant_id
WHERE pt.partner_id = @partner_id AND t.tenant_id = ANY (@tenant_ids::uuid[]) AND t.type <> 'AD_HOC_USER'
    AND (sqlc.narg(date_from)::timestamptz IS NULL OR greatest(t.last_updated, pt.leaving_at) >= sqlc.narg(date_from))
    AND (sqlc.narg(date_to)::timestamptz IS NULL OR greatest(t.last_updated, pt.leaving_at) < sqlc.narg(date_to));

-- Makes a new or changed token due at every partner that its utility works with (OFF-03).
-- name: DistributeToken :exec
INSERT INTO token_deliveries (token_id, partner_id, due_at)
SELECT t.id, p.id, @now::timestamptz FROM tokens t JOIN partner_tenants pt ON pt.tenant_id = t.tenant_id JOIN partners p ON p.id = pt.partner_id
WHERE t.id = @token_id AND p.state = 'registered'
ON CONFLICT (token_id, partner_id) DO UPDATE SET due_at = excluded.due_at, attempts = 0;

-- Blocks every token of a utility.
-- name: BlockTokensOf :execrows
UPDATE tokens SET valid = false, last_updated = greatest(@now::timestamptz, last_updated + interval '1 millisecond') WHERE tenant_id = @tenant_id AND valid;

-- Makes every token of a utility due at its partners, or at one, but for those that are known there to be void.
-- name: DistributeTokensOf :execrows
INSERT INTO token_deliveries (token_id, partner_id, due_at)
SELECT t.id, p.id, @now::timestamptz FROM tokens t JOIN partner_tenants pt ON pt.tenant_id = t.tenant_id JOIN partners p ON p.id = pt.partner_id
    LEFT JOIN token_deliveries d ON d.token_id = t.id AND d.partner_id = p.id
WHERE t.tenant_id = @tenant_id AND p.state = 'registered' AND (sqlc.narg(partner_id)::uuid IS NULL OR p.id = sqlc.narg(partner_id))
    AND (t.valid OR d.confirmed IS NULL OR d.confirmed < t.last_updated)
ON CONFLICT (token_id, partner_id) DO UPDATE SET due_at = excluded.due_at, attempts = 0;

-- A utility has left a partner: what could not be delivered is delivered no more.
-- name: EndTokenDeliveriesOf :exec
UPDATE token_deliveries d SET due_at = NULL FROM tokens t
WHERE t.id = d.token_id AND t.tenant_id = @tenant_id AND d.partner_id = @partner_id AND d.due_at IS NOT NULL;

-- Makes every token of a partner's utilities due at a partner that has just registered (TOK-31).
-- name: DistributeTokensTo :many
INSERT INTO token_deliveries (token_id, partner_id, due_at)
SELECT t.id, pt.partner_id, @now::timestamptz FROM tokens t JOIN partner_tenants pt ON pt.tenant_id = t.tenant_id
WHERE pt.partner_id = @partner_id
ON CONFLICT (token_id, partner_id) DO UPDATE SET due_at = excluded.due_at, attempts = 0, confirmed = NULL
RETURNING token_id;

-- What fell between a registration and an issue that happened at the same moment, or an enablement.
-- name: DistributeMissing :execrows
INSERT INTO token_deliveries (token_id, partner_id, due_at)
SELECT t.id, p.id, @now::timestamptz FROM tokens t JOIN partner_tenants pt ON pt.tenant_id = t.tenant_id JOIN partners p ON p.id = pt.partner_id
WHERE p.state = 'registered' AND NOT EXISTS (SELECT FROM token_deliveries d WHERE d.token_id = t.id AND d.partner_id = p.id)
ON CONFLICT DO NOTHING;

-- name: EndTokenDeliveries :exec
UPDATE token_deliveries SET due_at = NULL, confirmed = NULL, problem = '' WHERE partner_id = @partner_id;

-- name: TokensDue :many
SELECT DISTINCT d.token_id FROM token_deliveries d JOIN partners p ON p.id = d.partner_id JOIN tokens t ON t.id = d.token_id
WHERE d.due_at <= @now::timestamptz AND p.failing_since IS NULL AND p.rejected_at IS NULL
    AND NOT EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = d.partner_id AND w.tenant_id = t.tenant_id AND w.known_at > @now) LIMIT @max_rows;

-- Claims what is due of a token by moving it on: if this worker dies, it is due again then. A partner that does not answer, or
-- rejects our token, is left alone until it is back, and one that does not know of the utility until it is told.
-- name: ClaimTokenDeliveries :many
UPDATE token_deliveries d SET due_at = @again_at::timestamptz, attempts = d.attempts + 1
FROM (
    SELECT i.token_id, i.partner_id FROM token_deliveries i JOIN partners p ON p.id = i.partner_id JOIN tokens t ON t.id = i.token_id
    WHERE i.token_id = @token_id AND i.due_at <= @now::timestamptz AND p.failing_since IS NULL AND p.rejected_at IS NULL
        AND NOT EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = i.partner_id AND w.tenant_id = t.tenant_id AND w.known_at > @now)
    FOR UPDATE OF i SKIP LOCKED
) due
WHERE d.token_id = due.token_id AND d.partner_id = due.partner_id
RETURNING d.partner_id, d.due_at, d.attempts;

-- The partner has acknowledged this version. A token that changed since the claim stays due. When the answer says that the
-- partner took an earlier version after all, it may have taken the present one before: the token is due again.
-- name: ConfirmTokenDelivery :exec
UPDATE token_deliveries d SET confirmed = @confirmed::timestamptz, attempts = 0, problem = '', due_at = CASE
        WHEN @changed_at::timestamptz <> greatest(t.last_updated, pt.leaving_at) THEN @now::timestamptz
        WHEN d.due_at = @claimed_until::timestamptz THEN NULL ELSE d.due_at END
FROM tokens t LEFT JOIN partner_tenants pt ON pt.tenant_id = t.tenant_id AND pt.partner_id = @partner_id
WHERE t.id = d.token_id AND d.token_id = @token_id AND d.partner_id = @partner_id;

-- name: FailTokenDelivery :exec
UPDATE token_deliveries SET problem = @problem, due_at = sqlc.narg(due_at)
WHERE token_id = @token_id AND partner_id = @partner_id AND due_at = @claimed_until::timestamptz;

-- What is due at a partner waits until then, but for blocked cards.
-- name: PutOffTokenDeliveries :exec
UPDATE token_deliveries d SET due_at = @due_at::timestamptz FROM tokens t
WHERE t.id = d.token_id AND d.partner_id = @partner_id AND d.due_at <= @now::timestamptz AND t.valid;

-- name: TokenDeliveries :many
SELECT * FROM token_deliveries WHERE token_id = @token_id ORDER BY partner_id;
