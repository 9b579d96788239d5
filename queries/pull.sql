-- Pulling what partners have: crawls, what they saw, and whether a partner can be called at all.

-- Plans a crawl. One that is there stays as it is.
-- name: EnsurePull :exec
INSERT INTO pulls (id, partner_id, module, country_code, party_id, tenant_id, due_at)
VALUES (@id, @partner_id, @module, upper(@country_code::text), upper(@party_id::text), @tenant_id, @due_at::timestamptz)
ON CONFLICT (partner_id, module, country_code, party_id, tenant_id) DO NOTHING;

-- Makes crawls of a partner due: those of one module or, with '', of all, of one party or all. What is due already stays due.
-- full: from the beginning and without a filter. back_to: at least the changes since then.
-- name: RequestPulls :execrows
UPDATE pulls SET due_at = least(due_at, @due_at::timestamptz), attempts = 0, want_full = want_full OR @full_crawl::boolean,
    next_url = CASE WHEN @full_crawl OR sqlc.narg(back_to)::timestamptz < coalesce(date_from, cursor) THEN '' ELSE next_url END,
    cursor = least(cursor, sqlc.narg(back_to))
WHERE partner_id = @partner_id AND (@module::text = '' OR module = @module)
    AND (@country_code::text = '' OR country_code = @country_code AND party_id = @party_id::text)
    AND (sqlc.narg(tenant_id)::uuid IS NULL OR tenant_id IS NULL OR tenant_id = sqlc.narg(tenant_id));

-- Has a list that is read regularly read no later than then, or, when never, no more after the first crawl and one under way.
-- name: ReschedulePulls :exec
UPDATE pulls u SET due_at = CASE WHEN NOT @never::boolean THEN least(u.due_at, @due_at::timestamptz) WHEN u.next_url <> '' OR u.done_at IS NULL THEN u.due_at END
FROM partners p WHERE p.id = u.partner_id AND u.partner_id = @partner_id AND u.module = @module
    AND (p.role <> 'HUB' OR u.country_code = p.country_code AND u.party_id = p.party_id);

-- name: PartnersWithPullsDue :many
SELECT p.id FROM partners p
WHERE p.state = 'registered' AND p.failing_since IS NULL AND p.rejected_at IS NULL
    AND EXISTS (SELECT FROM pulls u WHERE u.partner_id = p.id AND u.due_at <= @now::timestamptz
        AND NOT EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = p.id AND w.tenant_id = u.tenant_id AND w.known_at > @now))
    AND NOT EXISTS (SELECT FROM pulls u WHERE u.partner_id = p.id AND u.claimed_until > @now::timestamptz)
LIMIT @max_rows;

-- The next page of a partner to read, the lists in the order in which they need each other. The caller holds the partner's row,
-- so one page of a partner is read at a time, and none in the name of a utility that the partner has not been told of. No row:
-- nothing is due, or somebody is reading.
-- name: ClaimPull :one
UPDATE pulls SET claimed_until = @claimed_until::timestamptz
WHERE id = (
    SELECT u.id FROM pulls u JOIN partners p ON p.id = u.partner_id
    WHERE u.partner_id = @partner_id AND u.due_at <= @now::timestamptz AND p.state = 'registered' AND p.failing_since IS NULL AND p.rejected_at IS NULL
        AND NOT EXISTS (SELECT FROM pulls o WHERE o.partner_id = @partner_id AND o.claimed_until > @now::timestamptz)
        AND NOT EXISTS (SELECT FROM partner_tenants w WHERE w.partner_id = @partner_id AND w.tenant_id = u.tenant_id AND w.known_at > @now)
    ORDER BY array_position('{hubclientinfo,tariffs,locations,sessions,cdrs}'::text[], u.module), u.due_at, u.id LIMIT 1
)
RETURNING *;

-- name: BeginCrawl :exec
UPDATE pulls SET started_at = @now::timestamptz, date_from = @date_from, next_url = @next_url, want_full = false, total = 0, read_at = @now::timestamptz, broken_off = false,
    pages = 0, objects = 0, bad = 0, foreign_objects = 0, vanished = 0
WHERE id = @id AND claimed_until = @claimed_until::timestamptz;

-- name: ForgetSeen :exec
DELETE FROM pull_seen WHERE pull_id = @pull_id;

-- name: SeeObjects :exec
INSERT INTO pull_seen (pull_id, key) SELECT @pull_id, unnest(@keys::text[]) ON CONFLICT DO NOTHING;

-- No row: the crawl has been on this page.
-- name: SeePage :execrows
INSERT INTO pull_seen (pull_id, key) VALUES (@pull_id, @key) ON CONFLICT DO NOTHING;

-- A page is read, and there are more.
-- name: TurnPage :execrows
UPDATE pulls SET next_url = @next_url, total = @total, read_at = @now::timestamptz, broken_off = broken_off OR @broken_off, pages = pages + 1, objects = objects + @objects,
    bad = bad + @bad, foreign_objects = foreign_objects + @foreign_objects, due_at = @now::timestamptz, claimed_until = NULL, attempts = 0, failing_since = NULL, problem = ''
WHERE id = @id AND claimed_until = @claimed_until::timestamptz;

-- The last page is read. A crawl that was asked for meanwhile, of everything or from further back, begins at once.
-- name: EndCrawl :execrows
UPDATE pulls SET next_url = '', total = @total, read_at = @now::timestamptz, done_at = @now::timestamptz, broken_off = broken_off OR @broken_off, pages = pages + 1,
    objects = objects + @objects, bad = bad + @bad, foreign_objects = foreign_objects + @foreign_objects, vanished = @vanished,
    cursor = CASE WHEN cursor < date_from THEN cursor ELSE @cursor::timestamptz END, full_at = CASE WHEN date_from IS NULL THEN started_at ELSE full_at END,
    due_at = CASE WHEN want_full OR cursor < date_from THEN @now::timestamptz ELSE sqlc.narg(due_at)::timestamptz END, claimed_until = NULL, attempts = 0, failing_since = NULL, problem = @problem
WHERE id = @id AND claimed_until = @claimed_until::timestamptz;

-- A page could not be read. restart: from the beginning next time.
-- name: FailPage :exec
UPDATE pulls SET attempts = attempts + 1, failing_since = coalesce(failing_since, @now::timestamptz), problem = @problem, due_at = sqlc.narg(due_at), claimed_until = NULL,
    next_url = CASE WHEN @restart::boolean THEN '' ELSE next_url END, want_full = want_full OR @restart AND date_from IS NULL AND next_url <> ''
WHERE id = @id AND claimed_until = @claimed_until::timestamptz;

-- Whether a partner's list has been read whole once.
-- name: HasReadAll :one
SELECT EXISTS (SELECT FROM pulls WHERE partner_id = @partner_id AND module = @module AND country_code = @country_code AND party_id = @party_id AND full_at IS NOT NULL);

-- name: PullsOfPartner :many
SELECT * FROM pulls WHERE partner_id = @partner_id
ORDER BY array_position('{hubclientinfo,tariffs,locations,sessions,cdrs}'::text[], module), country_code, party_id, tenant_id;

-- Locations of a CPO that have EVSEs and that a crawl of everything, begun at since, has not seen. What came otherwise since
-- then is alive.
-- name: VanishedLocations :many
SELECT location_id, doc FROM locations l
WHERE country_code = @country_code AND party_id = @party_id AND updated_at < @since::timestamptz
    AND jsonb_path_exists(doc, '$.evses[*] ? (@.status != "REMOVED")')
    AND NOT EXISTS (SELECT FROM pull_seen s WHERE s.pull_id = @pull_id AND s.key = l.country_code || '*' || l.party_id || '/' || l.location_id)
ORDER BY location_id;

-- Ends the tariffs of a CPO that a crawl of everything has not seen. Sessions and CDRs still find them (TAR-03).
-- name: EndVanishedTariffs :execrows
UPDATE tariffs t SET valid_to = greatest(@now::timestamptz, valid_from)
WHERE country_code = @country_code AND party_id = @party_id AND valid_to IS NULL AND valid_from < @since::timestamptz
    AND NOT EXISTS (SELECT FROM pull_seen s WHERE s.pull_id = @pull_id AND s.key = t.country_code || '*' || t.party_id || '/' || t.tariff_id);

-- Parties that a hub no longer lists (HUB-08). What it told us in the meantime counts.
-- name: ForgetParties :execrows
UPDATE partner_parties b SET status = 'UNKNOWN', away_since = coalesce(away_since, @now::timestamptz)
WHERE partner_id = @partner_id AND source = 'hubclientinfo' AND status <> 'UNKNOWN' AND last_updated < @since::timestamptz
    AND NOT EXISTS (SELECT FROM pull_seen s WHERE s.pull_id = @pull_id AND s.key = b.country_code || '*' || b.party_id || '/' || b.role);

-- Owners of which a crawl has seen objects, as DE*CPO.
-- name: OwnersSeen :many
SELECT DISTINCT split_part(key, '/', 1)::text FROM pull_seen WHERE pull_id = @pull_id AND key LIKE '__*___/%';

-- What a call to a party behind a hub showed: it is not there, or cannot be reached. What the hub says next counts again.
-- name: MarkParty :execrows
UPDATE partner_parties SET status = @status, away_since = coalesce(away_since, @now::timestamptz)
WHERE partner_id = @partner_id AND country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND source <> 'credentials'
    AND (status = 'CONNECTED' OR @status = 'UNKNOWN' AND status <> 'UNKNOWN'); -- PLANNED and SUSPENDED say more than that it does not answer

-- name: PartiesAt :many
SELECT * FROM partner_parties
WHERE partner_id = @partner_id AND country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) ORDER BY role = 'CPO' DESC, role;

-- name: CountIgnored :exec
UPDATE partner_parties SET ignored = ignored + 1
WHERE partner_id = @partner_id AND role = 'CPO' AND country_code = upper(@country_code::text) AND party_id = upper(@party_id::text);

-- A partner does not answer. No row: that is known.
-- name: PartnerFailing :execrows
UPDATE partners SET failing_since = @now::timestamptz, check_at = @check_at::timestamptz WHERE id = @id AND failing_since IS NULL AND state = 'registered';

-- A partner no longer takes our token. No row: that is known, or it has given us another one since.
-- name: PartnerRejects :execrows
UPDATE partners SET rejected_at = @now::timestamptz, check_at = @check_at::timestamptz
WHERE id = @id AND rejected_at IS NULL AND state = 'registered' AND token_sealed = @token_sealed::bytea;

-- A partner answers again and takes our token. No row: it did all the time.
-- name: PartnerBack :one
UPDATE partners p SET failing_since = NULL, rejected_at = NULL, check_at = @check_at::timestamptz
FROM (SELECT i.id, i.failing_since, i.rejected_at FROM partners i WHERE i.id = @id FOR UPDATE) o
WHERE p.id = o.id AND (o.failing_since IS NOT NULL OR o.rejected_at IS NOT NULL)
RETURNING coalesce(least(o.failing_since, o.rejected_at), @now::timestamptz)::timestamptz AS since;

-- Deliveries that were put off are due when the partner is back. anew: also those that it had no endpoint for.
-- name: HastenTokenDeliveries :many
UPDATE token_deliveries d SET due_at = @now::timestamptz, attempts = 0
WHERE d.partner_id = @partner_id AND (d.due_at IS NOT NULL OR @anew::boolean AND d.confirmed IS NULL
    AND EXISTS (SELECT FROM tokens t JOIN partner_tenants w ON w.tenant_id = t.tenant_id WHERE t.id = d.token_id AND w.partner_id = d.partner_id))
RETURNING d.token_id;

-- Tokens that changed while a party behind a hub was away are broadcast again (RTG-16: the hub's own answer said nothing of it).
-- name: RepeatTokensSince :many
UPDATE token_deliveries d SET due_at = @now::timestamptz, attempts = 0
FROM tokens t WHERE t.id = d.token_id AND d.partner_id = @partner_id AND t.last_updated >= @since::timestamptz
RETURNING d.token_id;

-- Blocked tokens whose delivery is due: they go first. Those of a utility that was closed are many, and go with the others.
-- name: BlocksDue :many
SELECT DISTINCT d.token_id FROM token_deliveries d JOIN tokens t ON t.id = d.token_id JOIN tenants te ON te.id = t.tenant_id JOIN partners p ON p.id = d.partner_id
WHERE d.due_at <= @now::timestamptz AND NOT t.valid AND te.closed_at IS NULL AND p.failing_since IS NULL AND p.rejected_at IS NULL LIMIT @max_rows;

-- name: PartnersToCheck :many
SELECT id FROM partners WHERE check_at <= @now::timestamptz AND state = 'registered' ORDER BY check_at LIMIT @max_rows;

-- Claims the check of a partner by moving its time on.
-- name: ClaimCheck :one
UPDATE partners SET check_at = @again_at::timestamptz
WHERE id = (SELECT i.id FROM partners i WHERE i.id = @id AND i.check_at <= @now::timestamptz AND i.state = 'registered' FOR UPDATE SKIP LOCKED)
RETURNING *;

-- name: SetCheck :exec
UPDATE partners SET check_at = @check_at::timestamptz WHERE id = @id;

-- Plans the next check after the one that was claimed, unless one was asked for meanwhile: the partner was heard, an operator
-- wants it, or it registered anew.
-- name: FinishCheck :exec
UPDATE partners SET check_at = @check_at::timestamptz WHERE id = @id AND check_at = @claimed_until::timestamptz;

-- name: RegisteredPartners :many
SELECT * FROM partners WHERE state = 'registered' ORDER BY id;

-- Confirmed tokens at a partner, those first that were compared longest ago.
-- name: TokensToCompare :many
SELECT sqlc.embed(t), c.contract_id, te.country_code, te.party_id, d.confirmed
FROM token_deliveries d JOIN tokens t ON t.id = d.token_id JOIN contracts c ON c.id = t.contract_id JOIN tenants te ON te.id = t.tenant_id
    JOIN partner_tenants pt ON pt.partner_id = d.partner_id AND pt.tenant_id = t.tenant_id AND pt.leaving_at IS NULL
WHERE d.partner_id = @partner_id AND d.due_at IS NULL AND d.confirmed IS NOT NULL
ORDER BY d.compared_at NULLS FIRST, d.token_id LIMIT @max_rows;

-- name: TokensCompared :exec
UPDATE token_deliveries SET compared_at = @now::timestamptz WHERE partner_id = @partner_id AND token_id = ANY (@token_ids::uuid[]);

-- The partner's copy is not ours: it gets ours again.
-- name: RepeatTokenDelivery :exec
UPDATE token_deliveries SET due_at = @now::timestamptz, confirmed = NULL, attempts = 0 WHERE partner_id = @partner_id AND token_id = ANY (@token_ids::uuid[]);
