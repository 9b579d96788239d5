-- What the plausibility rules need to know about a CDR besides itself. Each query is one look into an index.

-- Other CDRs with the same card around a session, and those of the same session. What was taken back or dropped is none.
-- name: NeighboursOfCDR :many
SELECT n.session_id, n.started_at, n.ended_at, n.received_at, n.cdr_id, n.kwh, n.evse_id, n.latitude, n.longitude, true AS same_card FROM cdr_states n
WHERE n.token_id = @token_id::uuid AND n.started_at >= @since::timestamptz AND n.started_at <= @until::timestamptz
    AND n.cdr_id <> @cdr_id AND n.credit_reference = '' AND n.state NOT IN ('credited', 'dropped') AND n.tenant_id = @tenant_id
UNION
SELECT n.session_id, n.started_at, n.ended_at, n.received_at, n.cdr_id, n.kwh, n.evse_id, n.latitude, n.longitude, coalesce(n.token_id = @token_id, false) FROM cdr_states n
WHERE @session_id::text <> '' AND n.country_code = @country_code::text AND n.party_id = @party_id::text AND upper(n.session_id) = upper(@session_id) AND n.session_id <> ''
    AND n.cdr_id <> @cdr_id AND n.credit_reference = '' AND n.state NOT IN ('credited', 'dropped') AND n.tenant_id = @tenant_id
ORDER BY started_at, cdr_id LIMIT 500;

-- Whether a token was valid at an instant: as the last change before says, or else as what the first one after changed.
-- name: TokenValidAt :one
SELECT (CASE
    coalesce((SELECT e.what FROM events e WHERE e.subject = 'token' AND e.subject_id = t.id AND e.what IN ('blocked', 'unblocked') AND e.at <= @at::timestamptz ORDER BY e.at DESC, e.id DESC LIMIT 1),
        (SELECT 'not yet ' || e.what FROM events e WHERE e.subject = 'token' AND e.subject_id = t.id AND e.what IN ('blocked', 'unblocked') AND e.at > @at ORDER BY e.at, e.id LIMIT 1))
    WHEN 'blocked' THEN false WHEN 'unblocked' THEN true WHEN 'not yet blocked' THEN true WHEN 'not yet unblocked' THEN false ELSE t.valid END)::boolean AS valid
FROM tokens t WHERE t.id = @id;

-- Whether we allowed a card at a partner in a time, and whether a reference is one of the card's.
-- name: AuthorizationProof :one
SELECT EXISTS (SELECT FROM authorizations a WHERE a.token_id = @token_id::uuid AND a.partner_id = @partner_id AND a.allowed = 'ALLOWED'
        AND a.at >= @since::timestamptz AND a.at <= @until::timestamptz) AS given,
    EXISTS (SELECT FROM authorizations a WHERE a.reference = sqlc.narg(reference)::uuid AND a.token_id = @token_id) AS reference;

-- Whether a CPO publishes Locations and tariffs at all.
-- name: CPOPublishes :one
SELECT EXISTS (SELECT FROM locations l WHERE l.country_code = upper(@country_code::text) AND l.party_id = upper(@party_id::text)) AS locations,
    EXISTS (SELECT FROM tariffs t WHERE t.country_code = upper(@country_code) AND t.party_id = upper(@party_id)) AS tariffs;

-- Those of some tariffs that we held at an instant.
-- name: TariffsHeldAt :many
SELECT DISTINCT tariff_id FROM tariffs
WHERE country_code = upper(@country_code::text) AND party_id = upper(@party_id::text) AND tariff_id = ANY (@tariff_ids::text[])
    AND valid_from <= @at::timestamptz AND (valid_to IS NULL OR valid_to > @at);

-- What a kWh cost in the last hundred sessions at a charge point before an instant.
-- name: EVSECosts :one
SELECT count(*) AS sessions, coalesce(avg(x.cost), 0)::numeric AS mean, coalesce(stddev_pop(x.cost), 0)::numeric AS deviation FROM (
    SELECT s.claimed / s.kwh AS cost FROM cdr_states s
    WHERE s.country_code = @country_code AND s.party_id = @party_id AND s.evse_id = @evse_id AND s.started_at < @before::timestamptz AND s.tenant_id = @tenant_id
        AND s.kwh >= 1 AND s.credit_reference = '' AND s.state NOT IN ('credited', 'dropped')
    ORDER BY s.started_at DESC LIMIT 100
) x;

-- The car of a card, or else of its customer.
-- name: CarOf :one
SELECT * FROM cars WHERE customer_id = @customer_id AND (token_id = @token_id::uuid OR token_id IS NULL) AND ended_at IS NULL ORDER BY token_id IS NULL LIMIT 1;

-- name: EndCar :exec
UPDATE cars SET ended_at = @now::timestamptz WHERE customer_id = @customer_id AND token_id IS NOT DISTINCT FROM sqlc.narg(token_id)::uuid AND ended_at IS NULL;

-- name: InsertCar :exec
INSERT INTO cars (id, tenant_id, customer_id, token_id, name, battery_kwh, max_ac_kw, max_dc_kw, created_at)
VALUES (@id, @tenant_id, @customer_id, @token_id, @name, @battery_kwh, @max_ac_kw, @max_dc_kw, @now);
