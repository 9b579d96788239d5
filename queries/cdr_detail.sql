-- One CDR with everything that the back office shows of it.

-- name: CDRDetail :one
SELECT sqlc.embed(s), p.name AS partner, t.name AS tenant, coalesce(c.name, '')::text AS customer, coalesce(c.number, '')::text AS customer_number,
    coalesce(k.visual_number, '')::text AS visual_number, coalesce(o.contract_id, '')::text AS contract
FROM cdr_states s JOIN partners p ON p.id = s.partner_id JOIN tenants t ON t.id = s.tenant_id LEFT JOIN customers c ON c.id = s.customer_id
    LEFT JOIN tokens k ON k.id = s.token_id LEFT JOIN contracts o ON o.id = coalesce(s.contract_id, k.contract_id)
WHERE s.cdr_id = @cdr_id AND (sqlc.narg(tenant_id)::uuid IS NULL OR s.tenant_id = sqlc.narg(tenant_id));

-- name: CDRMessage :one
SELECT version, raw, sha256, received_at FROM cdrs WHERE id = @id AND received_at = @received_at;

-- The current rating, with the plan version that it applied.
-- name: CDRRating :one
SELECT sqlc.embed(r), coalesce(p.name, '')::text AS plan, coalesce(v.version, 0)::integer AS plan_version, v.valid_from AS plan_since
FROM ratings r LEFT JOIN plan_versions v ON v.id = r.plan_version_id LEFT JOIN plans p ON p.id = v.plan_id
WHERE r.cdr_id = @cdr_id AND r.superseded_at IS NULL;

-- name: CDRSession :one
SELECT * FROM sessions WHERE country_code = @country_code AND party_id = @party_id AND session_id = @session_id AND tenant_id = @tenant_id;

-- name: CDRInvoices :many
SELECT i.id, i.type, i.state, coalesce(i.number, '')::text AS number, i.month, sum(l.net)::numeric AS net, sum(l.gross)::numeric AS gross, i.currency
FROM line_items l JOIN invoices i ON i.id = l.invoice_id
WHERE l.cdr_id = @cdr_id::uuid GROUP BY i.id ORDER BY i.created_at, i.id;

-- A CDR with those that belong to it: the original, its credits and what replaces it, as one session. Of the same session is what
-- has the same session id, or, without one, the same card, charge point and minute.
-- name: CDRChain :many
WITH self AS (
    SELECT o.* FROM cdr_states s JOIN cdr_states o ON o.country_code = s.country_code AND o.party_id = s.party_id AND o.tenant_id = s.tenant_id
        AND (o.cdr_id = s.cdr_id OR o.ocpi_id = s.credit_reference AND s.credit_reference <> '')
    WHERE s.cdr_id = @cdr_id
), session AS (
    SELECT o.cdr_id FROM self s JOIN cdr_states o ON o.country_code = s.country_code AND o.party_id = s.party_id AND s.session_id <> '' AND o.session_id <> ''
        AND upper(o.session_id) = upper(s.session_id) AND o.tenant_id = s.tenant_id
    UNION
    SELECT o.cdr_id FROM self s JOIN cdr_states o ON o.token_id = s.token_id AND o.tenant_id = s.tenant_id AND o.evse_id = s.evse_id AND o.credit_reference = ''
        AND o.started_at >= s.started_at - interval '1 minute' AND o.started_at <= s.started_at + interval '1 minute'
    UNION
    SELECT cdr_id FROM self
), family AS (
    SELECT cdr_id FROM session
    UNION
    SELECT k.cdr_id FROM session m JOIN cdr_states s ON s.cdr_id = m.cdr_id
        JOIN cdr_states k ON k.country_code = s.country_code AND k.party_id = s.party_id AND k.credit_reference = s.ocpi_id AND k.credit_reference <> '' AND k.tenant_id = s.tenant_id
)
SELECT o.cdr_id, o.ocpi_id, o.state, o.retail_state, o.cpo_state, o.claimed, o.currency, o.received_at, (o.credit_reference <> '')::boolean AS credit,
    (CASE WHEN o.credit_reference <> '' THEN 'credit' WHEN o.cpo_state = 'credited' THEN 'original'
        WHEN EXISTS (SELECT FROM family f JOIN cdr_states x ON x.cdr_id = f.cdr_id WHERE x.cpo_state = 'credited' AND x.credit_reference = '' AND (x.received_at, x.cdr_id) < (o.received_at, o.cdr_id)) THEN 'replacement'
        ELSE 'original' END)::text AS role
FROM family f JOIN cdr_states o ON o.cdr_id = f.cdr_id ORDER BY o.received_at, o.cdr_id;

-- The sessions of a card around one, for its timeline.
-- name: TokenTimeline :many
SELECT n.cdr_id, n.ocpi_id, n.state, n.retail_state, n.cpo_state, n.flags, n.started_at, n.ended_at, n.kwh, n.place, n.evse_id, n.operator, n.currency, n.claimed,
    (n.cdr_id = s.cdr_id)::boolean AS self
FROM cdr_states s JOIN cdr_states n ON n.token_id = s.token_id AND n.tenant_id = s.tenant_id
WHERE s.cdr_id = @cdr_id AND n.started_at >= s.started_at - interval '5 days' AND n.started_at <= s.ended_at + interval '1 day' AND n.ended_at >= s.started_at - interval '1 day'
    AND n.credit_reference = ''
ORDER BY n.started_at, n.cdr_id LIMIT 200;

-- What people decided about other CDRs of the same charge point, the latest first.
-- name: DecisionsAtEVSE :many
SELECT n.cdr_id, n.ocpi_id, n.started_at, n.flags, e.at, e.actor, e.what, e.detail
FROM cdr_states s JOIN cdr_states n ON n.country_code = s.country_code AND n.party_id = s.party_id AND n.evse_id = s.evse_id AND n.tenant_id = s.tenant_id AND n.cdr_id <> s.cdr_id
    JOIN events e ON e.subject = 'cdr' AND e.subject_id = n.cdr_id
        AND e.what IN ('accept', 'remember', 'waive', 'hold', 'dispute', 'refuse', 'reassign', 'tariff', 'drop', 'confirm-drop')
WHERE s.cdr_id = @cdr_id AND s.evse_id NOT IN ('', '#NA') AND n.started_at >= s.started_at - interval '180 days'
ORDER BY e.at DESC, e.id DESC LIMIT @max_rows;

-- What a decision can name: the retail tariffs of a utility, and who works there.
-- name: PlanChoices :many
SELECT id, name FROM plans WHERE tenant_id = @tenant_id ORDER BY name;

-- name: StaffChoices :many
SELECT name FROM staff WHERE (tenant_id = @tenant_id OR tenant_id IS NULL) AND disabled_at IS NULL ORDER BY name;

-- A card by its uid or the number that is printed on it.
-- name: CardByNumber :one
SELECT id FROM tokens WHERE tenant_id = @tenant_id AND (upper(uid) = upper(@number::text) OR upper(visual_number) = upper(@number) AND visual_number <> '') ORDER BY upper(uid) = upper(@number) DESC, valid DESC, created_at LIMIT 1;
