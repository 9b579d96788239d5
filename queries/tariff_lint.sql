-- Looking at tariffs for faults: what is due, and what was found.

-- name: PartnersWithTariffsToLint :many
SELECT DISTINCT partner_id FROM tariff_lints WHERE due_at <= @now::timestamptz LIMIT @max_rows;

-- The first statement of the job: nobody else looks at these tariffs meanwhile.
-- name: LockTariffLints :many
SELECT l.country_code, l.party_id, l.tariff_id, l.version, t.doc
FROM tariff_lints l JOIN tariffs t USING (country_code, party_id, tariff_id, version)
WHERE l.partner_id = @partner_id AND l.due_at <= @now::timestamptz
ORDER BY l.due_at LIMIT @max_rows FOR UPDATE OF l SKIP LOCKED;

-- name: SaveTariffLint :exec
UPDATE tariff_lints SET due_at = NULL, linter = @linter, worst = @worst, findings = @findings, codes = @codes, linted_at = @now::timestamptz
WHERE country_code = @country_code AND party_id = @party_id AND tariff_id = @tariff_id AND version = @version;

-- name: PostponeTariffLints :exec
UPDATE tariff_lints SET due_at = @due_at::timestamptz WHERE partner_id = @partner_id AND due_at <= @now::timestamptz;

-- The rules have changed since.
-- name: RequestTariffLints :execrows
UPDATE tariff_lints SET due_at = @now::timestamptz WHERE due_at IS NULL AND linter <> @linter;

-- How many current tariffs a partner has, and how many of them have findings.
-- name: PartnerTariffs :one
SELECT count(*) AS current, count(*) FILTER (WHERE l.findings > 0) AS faulty
FROM tariffs t JOIN tariff_lints l USING (country_code, party_id, tariff_id, version)
WHERE t.partner_id = @partner_id AND t.valid_to IS NULL;

-- What is wrong with the current tariffs of a partner, the most frequent first.
-- name: PartnerTariffFaults :many
SELECT code::text AS code, count(*) AS many, min(t.country_code || '*' || t.party_id || '/' || t.tariff_id)::text AS example
FROM tariffs t JOIN tariff_lints l USING (country_code, party_id, tariff_id, version) CROSS JOIN LATERAL unnest(l.codes) AS code
WHERE t.partner_id = @partner_id AND t.valid_to IS NULL
GROUP BY 1 ORDER BY many DESC, 1;
