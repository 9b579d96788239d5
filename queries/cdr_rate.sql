-- Rating a CDR: the work queue and what a rating writes.

-- The first statement of the rating job: one worker at a time holds the CDR.
-- name: LockCDR :one
SELECT * FROM cdr_states WHERE cdr_id = @cdr_id FOR NO KEY UPDATE;

-- name: RawCDR :one
SELECT version, raw FROM cdrs WHERE id = @id AND received_at = @received_at;

-- name: CDRsDue :many
SELECT cdr_id FROM cdr_states WHERE due_at <= @now::timestamptz ORDER BY due_at LIMIT @max_rows;

-- The CDRs of a decision, locked in one order by everybody.
-- name: LockCDRs :many
SELECT * FROM cdr_states WHERE cdr_id = ANY (@ids::uuid[]) AND tenant_id = @tenant_id ORDER BY cdr_id FOR NO KEY UPDATE;

-- name: SetCDRStates :batchexec
UPDATE cdr_states SET state = @state, reason = @reason, retail_state = @retail_state, cpo_state = @cpo_state, flags = @flags, severity = @severity, cleared = @cleared,
    rating_id = @rating_id, token_id = @token_id, customer_id = @customer_id, contract_id = @contract_id, plan_id = @plan_id, card_id = @card_id,
    latitude = @latitude, longitude = @longitude, held_until = @held_until, assignee = @assignee, unpaid = @unpaid,
    waiting_since = CASE WHEN @state = 'waiting' THEN coalesce(waiting_since, @now::timestamptz) END,
    due_at = @due_at, attempts = 0, updated_at = @now
WHERE cdr_id = @cdr_id;

-- Why a CDR is held or waived is not forgotten over a failure.
-- name: PostponeCDR :exec
UPDATE cdr_states SET due_at = @due_at, attempts = attempts + 1, reason = CASE WHEN state IN ('received', 'waiting') THEN @reason ELSE reason END, updated_at = @now WHERE cdr_id = @cdr_id;

-- CDRs of the session of one that was credited: they replace it. One that is being rated meanwhile, and does not see the credit
-- yet, is waited for.
-- name: WakeReplacements :many
UPDATE cdr_states SET due_at = @now::timestamptz, updated_at = @now
WHERE tenant_id = @tenant_id AND (state = 'received' OR state = 'held' AND reason = 'rule' AND 'P02' = ANY (flags)) AND country_code = @country_code AND party_id = @party_id
    AND (session_id <> '' AND upper(session_id) = upper(@session_id::text) OR token_id = sqlc.narg(token_id)::uuid AND evse_id = @evse_id
        AND abs(extract(epoch FROM started_at - @started_at::timestamptz)) <= 60)
RETURNING cdr_id;

-- Rings for everything of a utility that waits for master data, after a card or customer was added.
-- name: WakeWaitingCDRs :many
UPDATE cdr_states SET due_at = @now::timestamptz, updated_at = @now WHERE tenant_id = @tenant_id AND state = 'waiting' RETURNING cdr_id;

-- name: CDRStateByIdentity :one
SELECT * FROM cdr_states WHERE country_code = upper(@country_code) AND party_id = upper(@party_id) AND ocpi_id = upper(@ocpi_id);

-- Credit CDRs that came before their original are looked at again.
-- name: WakeCreditsFor :many
UPDATE cdr_states SET due_at = @now::timestamptz, updated_at = @now
WHERE country_code = @country_code AND party_id = @party_id AND credit_reference = @ocpi_id AND (state = 'waiting' OR (state = 'held' AND reason = 'credit-without-original'))
RETURNING cdr_id;

-- name: ItemsOfCDR :many
SELECT * FROM line_items WHERE cdr_id = @cdr_id::uuid ORDER BY created_at, position;

-- name: ItemsOfCDRs :many
SELECT * FROM line_items WHERE cdr_id = ANY (@ids::uuid[]) ORDER BY cdr_id, created_at, position;

-- The token of the utility with this uid and type, without a type a card before others, or the one that a person says it was;
-- beside it the contract that it belonged to at an instant, if it did, and its customer.
-- name: TokenForCDR :one
SELECT t.id AS token_id, t.uid, t.valid, coalesce(c.id, '00000000-0000-0000-0000-000000000000')::uuid AS contract_row, coalesce(c.contract_id, '')::text AS contract_id,
    coalesce(c.customer_id, '00000000-0000-0000-0000-000000000000')::uuid AS customer_id, c.valid_from, c.valid_to,
    coalesce(g.name, '')::text AS customer_group, coalesce(p.name, '')::text AS agreed_plan
FROM tokens t LEFT JOIN token_assignments a ON a.token_id = t.id AND a.valid_from <= @at AND (a.valid_to IS NULL OR a.valid_to > @at)
    LEFT JOIN contracts c ON c.id = a.contract_id LEFT JOIN customers cu ON cu.id = c.customer_id LEFT JOIN customer_groups g ON g.id = group_at(cu.id, cu.group_id, @at)
    LEFT JOIN plans p ON p.id = c.plan_id
WHERE t.tenant_id = @tenant_id AND (t.id = sqlc.narg(card_id)::uuid OR sqlc.narg(card_id) IS NULL AND upper(t.uid) = upper(@uid) AND (t.type = @type OR @type = ''))
ORDER BY t.type = 'RFID' DESC, t.created_at, t.id LIMIT 1;

-- A token of the utility's contract with this id, the one whose uid begins as said before others: partners cut uids, and a car
-- shows its contract.
-- name: TokenOfContractForCDR :one
SELECT t.id AS token_id, t.uid, t.valid, coalesce(c.id, '00000000-0000-0000-0000-000000000000')::uuid AS contract_row, coalesce(c.contract_id, '')::text AS contract_id,
    coalesce(c.customer_id, '00000000-0000-0000-0000-000000000000')::uuid AS customer_id, c.valid_from, c.valid_to,
    coalesce(g.name, '')::text AS customer_group, coalesce(p.name, '')::text AS agreed_plan
FROM tokens t JOIN token_assignments a ON a.token_id = t.id AND a.valid_from <= @at AND (a.valid_to IS NULL OR a.valid_to > @at)
    LEFT JOIN contracts c ON c.id = a.contract_id LEFT JOIN customers cu ON cu.id = c.customer_id LEFT JOIN customer_groups g ON g.id = group_at(cu.id, cu.group_id, @at)
    LEFT JOIN plans p ON p.id = c.plan_id
WHERE t.tenant_id = @tenant_id AND emaid(c.contract_id) = emaid(@contract_id::text)
ORDER BY starts_with(upper(t.uid), upper(@uid::text)) DESC, t.valid DESC, t.type = 'RFID' DESC, t.created_at, t.id LIMIT 1;

-- name: LocationDoc :one
SELECT doc, time_zone FROM locations WHERE country_code = upper(@country_code) AND party_id = upper(@party_id) AND location_id = upper(@location_id);

-- The version of a tariff that we held at an instant (TAR-02).
-- name: TariffAt :one
SELECT * FROM tariffs WHERE country_code = upper(@country_code) AND party_id = upper(@party_id) AND tariff_id = upper(@tariff_id)
    AND valid_from <= @at AND (valid_to IS NULL OR valid_to > @at)
ORDER BY version DESC LIMIT 1;

-- name: SupersedeRating :execrows
UPDATE ratings SET superseded_at = @now::timestamptz WHERE cdr_id = @cdr_id AND superseded_at IS NULL;

-- name: NextRatingSeq :one
SELECT (coalesce(max(seq), 0) + 1)::integer FROM ratings WHERE cdr_id = @cdr_id;

-- name: InsertRating :exec
INSERT INTO ratings (id, tenant_id, cdr_id, seq, rated_at, engine, currency, contract_id, plan_version_id, price_book_id, choice, claimed_net, computed_net, retail_net, retail_gross, waived, wholesale, verdict, retail, findings,
    measures, items, payables, explanation, inputs_sha256)
VALUES (@id, @tenant_id, @cdr_id, @seq, @rated_at, @engine, @currency, @contract_id, @plan_version_id, @price_book_id, @choice, @claimed_net, @computed_net, @retail_net, @retail_gross, @waived, @wholesale, @verdict, @retail, @findings,
    @measures, @items, @payables, @explanation, @inputs_sha256);

-- name: CurrentRating :one
SELECT * FROM ratings WHERE cdr_id = @cdr_id AND superseded_at IS NULL;

-- The current rating, if it says all that a new one would say: then there is no need of another.
-- name: SameRating :one
SELECT id FROM ratings WHERE cdr_id = @cdr_id AND superseded_at IS NULL AND inputs_sha256 = @inputs_sha256 AND engine = @engine
    AND contract_id IS NOT DISTINCT FROM @contract_id AND findings = @findings::jsonb AND measures = @measures::jsonb AND items = @items::jsonb AND payables = @payables::jsonb;

-- What decisions need of the current ratings.
-- name: CurrentRatings :many
SELECT id, cdr_id, currency, claimed_net, computed_net, retail_net, retail_gross, findings, measures, items, payables FROM ratings
WHERE cdr_id = ANY (@ids::uuid[]) AND superseded_at IS NULL;

-- Items that are on no issued invoice are withdrawn, also from drafts.
-- name: WithdrawItems :many
DELETE FROM line_items l WHERE l.cdr_id = ANY (@ids::uuid[]) AND NOT EXISTS (SELECT FROM invoices i WHERE i.id = l.invoice_id AND i.state = 'issued')
RETURNING l.invoice_id;

-- Drafts that lost an item must be made anew before they can be issued.
-- name: OutdateDrafts :exec
UPDATE invoices SET state = 'failed', problems = @problems, stale = true, approved_by = NULL, approver = '', approved_at = NULL, due_at = NULL
WHERE id = ANY (@ids::uuid[]) AND state IN ('draft', 'failed');

-- name: InsertLineItems :copyfrom
INSERT INTO line_items (id, created_at, tenant_id, customer_id, contract_id, kind, cdr_id, rating_id, position, dimension, quantity, unit, unit_price, tax_included, vat_category, vat_rate, net, gross, currency, service_start, service_end, mirrors, reimbursement_id)
VALUES (@id, @created_at, @tenant_id, @customer_id, @contract_id, @kind, @cdr_id, @rating_id, @position, @dimension, @quantity, @unit, @unit_price, @tax_included, @vat_category, @vat_rate, @net, @gross, @currency, @service_start, @service_end, @mirrors, @reimbursement_id);

-- name: CountUnratedCDRs :one
SELECT count(*) FROM cdr_states WHERE tenant_id = @tenant_id AND state IN ('received', 'rated', 'invoiced') AND due_at IS NOT NULL;

-- name: CDRState :one
SELECT * FROM cdr_states WHERE cdr_id = @cdr_id;
