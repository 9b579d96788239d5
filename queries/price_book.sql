-- Price books, and whose charge points are the utility's own.

-- name: InsertPriceBook :exec
INSERT INTO price_books (id, tenant_id, version, doc, valid_from, created_at, created_by) VALUES (@id, @tenant_id, @version, @doc, @valid_from, @created_at, @created_by);

-- name: LastPriceBook :one
SELECT coalesce(max(version), 0)::integer FROM price_books WHERE tenant_id = @tenant_id;

-- The version that was valid when a session started.
-- name: PriceBookAt :one
SELECT * FROM price_books WHERE tenant_id = @tenant_id AND valid_from <= @at ORDER BY valid_from DESC, version DESC LIMIT 1;

-- name: PriceBook :one
SELECT * FROM price_books WHERE id = @id;

-- name: PriceBooks :many
SELECT * FROM price_books WHERE tenant_id = @tenant_id ORDER BY version;

-- name: InsertOwnParty :exec
INSERT INTO own_parties (tenant_id, country_code, party_id, created_at) VALUES (@tenant_id, upper(@country_code::text), upper(@party_id::text), @created_at)
ON CONFLICT DO NOTHING;

-- name: DeleteOwnParty :execrows
DELETE FROM own_parties WHERE tenant_id = @tenant_id AND country_code = upper(@country_code::text) AND party_id = upper(@party_id::text);

-- name: OwnParties :many
SELECT country_code, party_id FROM own_parties WHERE tenant_id = @tenant_id ORDER BY country_code, party_id;

-- How a CPO looks to a utility: its own or not, and through which hub it sends.
-- name: Ownership :one
SELECT (p.role = 'HUB')::boolean AS through_hub, p.country_code, p.party_id,
    EXISTS (SELECT FROM own_parties o WHERE o.tenant_id = @tenant_id AND o.country_code = upper(@country_code::text) AND o.party_id = upper(@cpo_id::text)) AS own
FROM partners p WHERE p.id = @partner_id;

-- Every CPO whose charge points the customers of a utility can use, with the hub that it is behind.
-- name: NetworksOfTenant :many
SELECT DISTINCT pp.country_code, pp.party_id, pp.name, (p.role = 'HUB')::boolean AS through_hub, p.country_code AS hub_country, p.party_id AS hub_party,
    EXISTS (SELECT FROM own_parties o WHERE o.tenant_id = pt.tenant_id AND o.country_code = pp.country_code AND o.party_id = pp.party_id) AS own
FROM partner_tenants pt JOIN partners p ON p.id = pt.partner_id JOIN partner_parties pp ON pp.partner_id = p.id AND pp.role = 'CPO'
WHERE pt.tenant_id = @tenant_id ORDER BY pp.country_code, pp.party_id, p.country_code, p.party_id;

-- Sessions to try a draft of a price book on: the last of each CPO, kind of current and customer group.
-- name: SampleSessions :many
SELECT DISTINCT ON (s.country_code, s.party_id, r.choice -> 'At' ->> 'Current', r.choice -> 'Buyer' ->> 'Group')
    s.cdr_id, s.ocpi_id, s.started_at, s.place, s.evse_id, r.choice, r.retail_gross, r.currency
FROM cdr_states s JOIN ratings r ON r.id = s.rating_id
WHERE s.tenant_id = @tenant_id AND s.started_at >= @since AND r.choice ? 'At'
ORDER BY s.country_code, s.party_id, r.choice -> 'At' ->> 'Current', r.choice -> 'Buyer' ->> 'Group', s.started_at DESC
LIMIT @max_rows;

-- Sessions that wait because nobody has said what they cost.
-- name: CountHoles :one
SELECT count(*) FROM cdr_states WHERE tenant_id = @tenant_id AND state = 'waiting' AND reason = 'no-price';
