-- Locations, stored whole with their EVSEs and connectors.

-- name: Location :one
SELECT * FROM locations WHERE country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND location_id = upper(@location_id::text);

-- name: SaveLocation :exec
INSERT INTO locations (country_code, party_id, location_id, partner_id, doc, name, city, time_zone, last_updated, own_updated, created_at, updated_at)
VALUES (upper(@country_code::text), upper(@party_id::text), upper(@location_id::text), @partner_id, @doc, @name, @city, @time_zone, @last_updated, @own_updated, @now, @now)
ON CONFLICT (country_code, party_id, location_id) DO UPDATE SET partner_id = excluded.partner_id, doc = excluded.doc, name = excluded.name, city = excluded.city,
    time_zone = excluded.time_zone, last_updated = excluded.last_updated, own_updated = excluded.own_updated, updated_at = excluded.updated_at;

-- CPOs of which an EVSE stands at two Locations or more: how many such EVSEs there are, and the first of them with its places.
-- name: EVSEsAtSeveralLocations :many
WITH evses AS (
    SELECT l.partner_id, l.country_code, l.party_id, l.location_id, upper(e->>'uid') AS uid
    FROM locations l CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(l.doc->'evses') WHEN 'array' THEN l.doc->'evses' ELSE '[]' END) AS e
    WHERE e->>'status' <> 'REMOVED'
), several AS (
    SELECT country_code, party_id, uid, min(partner_id::text) AS partner, string_agg(DISTINCT location_id, ', ') AS places
    FROM evses GROUP BY country_code, party_id, uid HAVING count(DISTINCT location_id) > 1
)
SELECT country_code, party_id, min(partner)::uuid AS partner_id, count(*) AS many, min(uid)::text AS uid, (array_agg(places ORDER BY uid))[1]::text AS places
FROM several GROUP BY country_code, party_id ORDER BY country_code, party_id;
