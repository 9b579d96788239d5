-- Partners: OCPI connections, the tokens that they present, the parties behind them and the utilities they work with.

-- Who presents one of these tokens, with the utilities of the connection (TEN-02). The caller knows which hash it prefers (TRN-05).
-- name: PartnersByToken :many
SELECT t.hash, t.kind, t.doubt, sqlc.embed(p),
    ARRAY(SELECT te.id FROM partner_tenants pt JOIN tenants te ON te.id = pt.tenant_id WHERE pt.partner_id = p.id ORDER BY te.id)::uuid[] AS tenant_ids,
    ARRAY(SELECT te.country_code || te.party_id FROM partner_tenants pt JOIN tenants te ON te.id = pt.tenant_id WHERE pt.partner_id = p.id ORDER BY te.id)::text[] AS tenant_parties,
    ARRAY(SELECT pt.leaving_at IS NOT NULL FROM partner_tenants pt WHERE pt.partner_id = p.id ORDER BY pt.tenant_id)::boolean[] AS tenants_leaving
FROM partner_tokens t JOIN partners p ON p.id = t.partner_id
WHERE t.hash = ANY (@hashes::bytea[]) AND t.revoked_at IS NULL;

-- A partner as the door knows it, without a token.
-- name: PartnerAtDoor :one
SELECT sqlc.embed(p),
    ARRAY(SELECT te.id FROM partner_tenants pt JOIN tenants te ON te.id = pt.tenant_id WHERE pt.partner_id = p.id ORDER BY te.id)::uuid[] AS tenant_ids,
    ARRAY(SELECT te.country_code || te.party_id FROM partner_tenants pt JOIN tenants te ON te.id = pt.tenant_id WHERE pt.partner_id = p.id ORDER BY te.id)::text[] AS tenant_parties,
    ARRAY(SELECT pt.leaving_at IS NOT NULL FROM partner_tenants pt WHERE pt.partner_id = p.id ORDER BY pt.tenant_id)::boolean[] AS tenants_leaving
FROM partners p WHERE p.id = @id;

-- name: Partner :one
SELECT * FROM partners WHERE id = @id;

-- name: PartnerByName :one
SELECT * FROM partners WHERE name = @name;

-- name: LockPartner :one
SELECT * FROM partners WHERE id = @id FOR UPDATE;

-- The partner with this name: a new one, or the one that has it. What is not given (role, party) stays as it is.
-- name: EnsurePartner :one
INSERT INTO partners (id, name, role, country_code, party_id, created_at)
VALUES (@id, @name, coalesce(nullif(@role::text, ''), 'CPO'), upper(@country_code::text), upper(@party_id::text), @created_at)
ON CONFLICT (name) DO UPDATE SET role = coalesce(nullif(@role, ''), partners.role),
    country_code = coalesce(nullif(excluded.country_code, ''), partners.country_code), party_id = coalesce(nullif(excluded.party_id, ''), partners.party_id)
RETURNING *;

-- name: RegisterPartner :exec
UPDATE partners SET state = 'registered', role = @role, country_code = @country_code, party_id = @party_id, versions_url = @versions_url,
    version = @version, endpoints = @endpoints, auth_encoding = @auth_encoding, token_sealed = @token_sealed::bytea, registered_at = @now::timestamptz,
    failing_since = NULL, rejected_at = NULL, check_at = @check_at::timestamptz, advertised = @advertised, announce_at = NULL, announce_attempts = 0,
    announce_problem = '', ended_at = NULL
WHERE id = @id;

-- The roles that partners are told of, in the order in which credentials list them.
-- name: RolesOfPartners :many
SELECT pt.partner_id, te.country_code, te.party_id, te.name, te.website FROM partner_tenants pt JOIN tenants te ON te.id = pt.tenant_id
JOIN partners p ON p.id = pt.partner_id WHERE p.state = 'registered' ORDER BY pt.partner_id, te.country_code, te.party_id;

-- Makes an announcement due at partners.
-- name: PlanAnnouncements :execrows
UPDATE partners SET announce_at = @now::timestamptz WHERE id = ANY (@partner_ids::uuid[]) AND state = 'registered' AND announce_at IS NULL;

-- Makes new credentials due at partners whose token is older than before, and which did not refuse that since then (CRED-23).
-- name: PlanRotations :execrows
UPDATE partners p SET announce_at = @now::timestamptz
WHERE p.state = 'registered' AND p.announce_at IS NULL AND p.rejected_at IS NULL
    AND (SELECT max(t.created_at) FROM partner_tokens t WHERE t.partner_id = p.id AND t.kind = 'live' AND t.revoked_at IS NULL) <= @before::timestamptz
    AND NOT EXISTS (SELECT FROM partner_quirks k WHERE k.partner_id = p.id AND k.quirk = @no_put AND k.last_seen > @before::timestamptz);

-- What is to be told: to a partner of us, or to one that has been that it is no partner any more. One that does not answer, or
-- rejects our token, is told when it is back.
-- name: AnnouncementsDue :many
SELECT id FROM partners WHERE announce_at <= @now::timestamptz AND failing_since IS NULL AND rejected_at IS NULL LIMIT @max_rows;

-- No row: another worker has it, or it is done.
-- name: ClaimAnnouncement :one
UPDATE partners SET announce_at = @again_at::timestamptz WHERE id = @id AND announce_at <= @now::timestamptz AND failing_since IS NULL AND rejected_at IS NULL RETURNING *;

-- name: AnnouncementFailed :exec
UPDATE partners SET announce_problem = @problem, announce_at = sqlc.narg(announce_at), announce_attempts = announce_attempts + 1,
    advertised = coalesce(nullif(@advertised::text, ''), advertised) WHERE id = @id AND state = 'registered';

-- Ends a partnership: nothing is sent any more, but that it has ended (CRED-30), if the partner is to be told.
-- name: EndPartner :exec
UPDATE partners SET state = 'ended', ended_at = @now::timestamptz, failing_since = NULL, rejected_at = NULL, check_at = NULL, announce_attempts = 0, announce_problem = '',
    token_sealed = CASE WHEN @tell::boolean THEN token_sealed END, announce_at = CASE WHEN @tell THEN @now END
WHERE id = @id;

-- The partner knows that the partnership has ended, or need not know any more.
-- name: PartnerToldEnd :exec
UPDATE partners SET token_sealed = NULL, announce_at = NULL, announce_problem = @problem WHERE id = @id AND state = 'ended';

-- name: PartnerNotToldEnd :exec
UPDATE partners SET announce_problem = @problem, announce_at = @announce_at::timestamptz, announce_attempts = announce_attempts + 1 WHERE id = @id AND state = 'ended';

-- name: ResolveAlertsOfPartner :exec
UPDATE alerts SET resolved_at = @now::timestamptz WHERE partner_id = @partner_id AND resolved_at IS NULL;

-- When the partner was last heard, to the minute: a write for each message would make its row the bottleneck. One that is
-- heard again is probed at once.
-- name: PartnerReceived :exec
UPDATE partners SET last_received_at = @now::timestamptz, check_at = CASE WHEN failing_since IS NULL THEN check_at ELSE @now END WHERE id = @id AND coalesce(last_received_at, '-infinity') < @before::timestamptz;

-- name: PartnerSent :exec
UPDATE partners SET last_sent_at = @now::timestamptz WHERE id = @id AND coalesce(last_sent_at, '-infinity') < @before::timestamptz;

-- name: InsertPartnerToken :exec
INSERT INTO partner_tokens (hash, partner_id, kind, created_at) VALUES (@hash, @partner_id, @kind, @created_at);

-- No row: the token was used up or revoked in the meantime.
-- name: RevokePartnerToken :execrows
UPDATE partner_tokens SET revoked_at = @now::timestamptz WHERE hash = @hash AND revoked_at IS NULL;

-- name: RevokeOtherPartnerTokens :exec
UPDATE partner_tokens SET revoked_at = @now::timestamptz WHERE partner_id = @partner_id AND hash <> @keep::bytea AND revoked_at IS NULL;

-- Leaves open which of two tokens counts, until one is used.
-- name: DoubtPartnerTokens :exec
UPDATE partner_tokens SET doubt = true WHERE partner_id = @partner_id AND kind = 'live' AND revoked_at IS NULL;

-- The token that was used is the one that counts. No row: that was settled before.
-- name: SettlePartnerTokens :execrows
WITH settled AS (UPDATE partner_tokens SET doubt = false WHERE hash = @hash AND doubt AND revoked_at IS NULL RETURNING partner_id)
UPDATE partner_tokens t SET revoked_at = @now::timestamptz, doubt = false FROM settled
WHERE t.partner_id = settled.partner_id AND t.doubt AND t.hash <> @hash AND t.revoked_at IS NULL;

-- The partner has been told of these utilities, as in DESWX, or cannot be told.
-- name: PartnerKnowsTenants :exec
UPDATE partner_tenants pt SET known_at = NULL FROM tenants te
WHERE te.id = pt.tenant_id AND pt.partner_id = @partner_id AND pt.known_at IS NOT NULL AND te.country_code || te.party_id = ANY (@parties::text[]);

-- A partner that works with some already stays with these.
-- name: EnablePartnerForAllTenants :exec
INSERT INTO partner_tenants (partner_id, tenant_id) SELECT @partner_id, id FROM tenants
WHERE closed_at IS NULL AND NOT EXISTS (SELECT FROM partner_tenants WHERE partner_id = @partner_id) ON CONFLICT DO NOTHING;

-- Has utilities work with a partner, also such as were about to leave it. Returns those with which it did not.
-- name: JoinPartner :many
INSERT INTO partner_tenants (partner_id, tenant_id, known_at) SELECT @partner_id, id, @known_at::timestamptz FROM tenants
WHERE id = ANY (@tenant_ids::uuid[]) AND closed_at IS NULL
ON CONFLICT (partner_id, tenant_id) DO UPDATE SET leaving_at = NULL WHERE partner_tenants.leaving_at IS NOT NULL
RETURNING tenant_id;

-- Has every utility leave a partner but those.
-- name: LeavePartner :many
UPDATE partner_tenants SET leaving_at = @now::timestamptz WHERE partner_id = @partner_id AND tenant_id <> ALL (@staying::uuid[]) AND leaving_at IS NULL
RETURNING tenant_id;

-- Has a utility leave every partner.
-- name: LeavePartners :many
UPDATE partner_tenants SET leaving_at = @now::timestamptz WHERE tenant_id = @tenant_id AND leaving_at IS NULL RETURNING partner_id;

-- Ends what a utility that leaves has with a partner: at once where the partner was told nothing of it. Else when the partner
-- has confirmed that the cards are void, or has refused to since an instant, and works with another utility; credentials need
-- a role. A partner that is away is waited for.
-- name: PartWays :many
DELETE FROM partner_tenants pt USING partners p
WHERE p.id = pt.partner_id AND pt.leaving_at IS NOT NULL AND (p.state <> 'registered'
    OR p.failing_since IS NULL AND p.rejected_at IS NULL
        AND (pt.leaving_at <= @give_up::timestamptz OR NOT EXISTS (
            SELECT FROM token_deliveries d JOIN tokens t ON t.id = d.token_id WHERE d.partner_id = pt.partner_id AND t.tenant_id = pt.tenant_id AND d.due_at IS NOT NULL))
        AND EXISTS (SELECT FROM partner_tenants o WHERE o.partner_id = pt.partner_id AND o.leaving_at IS NULL))
RETURNING pt.partner_id, pt.tenant_id;

-- Partners that every utility has left since an instant.
-- name: DesertedPartners :many
SELECT p.id FROM partners p WHERE p.state = 'registered' AND EXISTS (SELECT FROM partner_tenants WHERE partner_id = p.id)
    AND NOT EXISTS (SELECT FROM partner_tenants WHERE partner_id = p.id AND (leaving_at IS NULL OR leaving_at > @left_before::timestamptz));

-- A connection that serves one party has its own already (VDF-01).
-- name: EnableTenantForAllPartners :exec
INSERT INTO partner_tenants (partner_id, tenant_id, known_at) SELECT id, @tenant_id, @known_at::timestamptz FROM partners
WHERE version <> ALL (@one_party_versions::text[]) ON CONFLICT DO NOTHING;

-- Those that leave are among them, until they have left.
-- name: TenantsOfPartner :many
SELECT te.* FROM partner_tenants pt JOIN tenants te ON te.id = pt.tenant_id WHERE pt.partner_id = @partner_id ORDER BY te.country_code, te.party_id;

-- In whose name a partner may be asked for something, those first whom it knows.
-- name: AskersOfPartner :many
SELECT te.id, te.country_code, te.party_id FROM partner_tenants pt JOIN tenants te ON te.id = pt.tenant_id WHERE pt.partner_id = @partner_id
ORDER BY pt.known_at IS NOT NULL, te.country_code, te.party_id;

-- Every registered connection that has a party in this role, the best source first (RTG-18: directly before through a hub).
-- name: ConnectionsOfParty :many
SELECT pp.partner_id, pp.name, pp.source, pp.status FROM partner_parties pp JOIN partners p ON p.id = pp.partner_id
WHERE pp.role = @role AND pp.country_code = upper(@country_code::text) AND pp.party_id = upper(@party_id::text) AND p.state = 'registered'
ORDER BY pp.source = 'credentials' DESC, p.registered_at, pp.partner_id;

-- name: PartiesOfPartner :many
SELECT * FROM partner_parties WHERE partner_id = @partner_id ORDER BY country_code, party_id, role = 'CPO' DESC, role;

-- The records of one party behind a hub; the CPO's first (HUB-03).
-- name: ClientInfos :many
SELECT * FROM partner_parties
WHERE partner_id = @partner_id AND country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND source <> 'credentials'
ORDER BY role = 'CPO' DESC, last_updated DESC;

-- Stores what a hub says of a party, unless we know something newer (OWN-14). inserted tells a new record from a changed one;
-- was is its status before and away_since since when it was not CONNECTED (the epoch: it was).
-- name: SaveClientInfo :many
WITH old AS (
    SELECT status, away_since FROM partner_parties
    WHERE partner_id = @partner_id AND role = @role AND country_code = upper(@country_code::text) AND party_id = upper(@party_id::text)
)
INSERT INTO partner_parties (partner_id, role, country_code, party_id, source, status, last_updated, away_since)
VALUES (@partner_id, @role, upper(@country_code::text), upper(@party_id::text), 'hubclientinfo', @status, @last_updated,
    CASE WHEN @status = 'CONNECTED' THEN NULL ELSE @now::timestamptz END)
ON CONFLICT (partner_id, role, country_code, party_id) DO UPDATE SET source = 'hubclientinfo', status = excluded.status, last_updated = excluded.last_updated,
    away_since = CASE WHEN excluded.status = 'CONNECTED' THEN NULL ELSE coalesce(partner_parties.away_since, excluded.away_since) END
    WHERE partner_parties.source <> 'credentials' AND (partner_parties.source = 'object' OR partner_parties.last_updated <= excluded.last_updated)
RETURNING (xmax = 0)::boolean AS inserted, coalesce((SELECT status FROM old), '')::text AS was,
    coalesce((SELECT away_since FROM old), 'epoch')::timestamptz AS away_since;

-- name: SaveCredentialsParty :exec
INSERT INTO partner_parties (partner_id, role, country_code, party_id, name, source, last_updated)
VALUES (@partner_id, @role, upper(@country_code::text), upper(@party_id::text), @name, 'credentials', @now::timestamptz)
ON CONFLICT (partner_id, role, country_code, party_id) DO UPDATE SET name = excluded.name, source = 'credentials', status = 'CONNECTED', last_updated = excluded.last_updated;

-- What a peer no longer lists in its credentials is no longer its own (CRED-25).
-- name: DropCredentialsParties :exec
DELETE FROM partner_parties WHERE partner_id = @partner_id AND source = 'credentials';

-- An owner that a hub delivered for without having announced it (HUB-11).
-- name: LearnParty :exec
INSERT INTO partner_parties (partner_id, role, country_code, party_id, source, last_updated)
VALUES (@partner_id, @role, upper(@country_code::text), upper(@party_id::text), 'object', @now::timestamptz)
ON CONFLICT DO NOTHING;

-- Serialises the writers of one object of a partner until the end of the transaction (OWN-15).
-- name: LockObject :exec
SELECT pg_advisory_xact_lock(hashtextextended(@key::text, 0));

-- name: Partners :many
SELECT * FROM partners ORDER BY name, id;

-- name: RevokeInvites :exec
UPDATE partner_tokens SET revoked_at = @now::timestamptz WHERE partner_id = @partner_id AND kind = 'invite' AND revoked_at IS NULL;

-- name: SetCDRDays :exec
UPDATE partners SET cdr_days = @cdr_days WHERE id = @id;

-- How many days late a CDR of a partner may come, if that was agreed; 0: it was not.
-- name: CDRDays :one
SELECT coalesce(cdr_days, 0)::integer FROM partners WHERE id = @id;

-- name: SetPartnerInterval :exec
INSERT INTO partner_intervals (partner_id, module, minutes) VALUES (@partner_id, @module, @minutes)
ON CONFLICT (partner_id, module) DO UPDATE SET minutes = excluded.minutes;

-- name: DropPartnerInterval :exec
DELETE FROM partner_intervals WHERE partner_id = @partner_id AND module = @module;

-- name: PartnerIntervals :many
SELECT * FROM partner_intervals WHERE partner_id = @partner_id;
