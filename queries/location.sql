-- Locations, stored whole with their EVSEs and connectors.

-- name: Location :one
SELECT * FROM locations WHERE country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND location_id = upper(@location_id::text);

-- name: SaveLocation :exec
INSERT INTO locations (country_code, party_id, location_id, partner_id, doc, name, city, time_zone, last_updated, own_updated, created_at, updated_at)
VALUES (upper(@country_code::text), upper(@party_id::text), upper(@location_id::text), @partner_id, @doc, @name, @city, @time_zone, @last_updated, @own_updated, @now, @now)
ON CONFLICT (country_code, party_id, location_id) DO UPDATE SET partner_id = excluded.partner_id, doc = excluded.doc, name = excluded.name, city = excluded.city,
    time_zone = excluded.time_zone, last_updated = excluded.last_updated, own_updated = excluded.own_updated, updated_at = excluded.updated_at;
