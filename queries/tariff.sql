-- Tariffs of CPOs. Every version is kept with the time in which we held it.

-- name: CurrentTariff :one
SELECT * FROM tariffs WHERE country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND tariff_id = upper(@tariff_id::text) AND valid_to IS NULL;

-- Ends the current version, because the next one came or the CPO deleted it.
-- name: EndTariff :execrows
UPDATE tariffs SET valid_to = greatest(@now::timestamptz, valid_from)
WHERE country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND tariff_id = upper(@tariff_id::text) AND valid_to IS NULL;

-- The version is to be looked at for faults.
-- name: AddTariffVersion :exec
WITH added AS (
    INSERT INTO tariffs (country_code, party_id, tariff_id, version, partner_id, doc, currency, last_updated, valid_from)
    SELECT upper(@country_code::text), upper(@party_id::text), upper(@tariff_id::text), coalesce(max(version), 0) + 1, @partner_id, @doc, @currency, @last_updated, @now
    FROM tariffs WHERE country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND tariff_id = upper(@tariff_id::text)
    RETURNING country_code, party_id, tariff_id, version, partner_id, valid_from
)
INSERT INTO tariff_lints (country_code, party_id, tariff_id, version, partner_id, due_at)
SELECT country_code, party_id, tariff_id, version, partner_id, valid_from FROM added;

-- name: TariffVersions :many
SELECT * FROM tariffs WHERE country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND tariff_id = upper(@tariff_id::text) ORDER BY version;
