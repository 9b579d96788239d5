-- Invoice runs. Drafts are made for a range of customers at a time, set by set: what the program computes goes in and out as one
-- document a chunk.

-- name: BillingPolicy :one
SELECT * FROM billing_policies WHERE tenant_id = @tenant_id;

-- name: SaveBillingPolicy :exec
INSERT INTO billing_policies (tenant_id, inspection_days, minimum, carry_months, zero, deviation_percent, deviation_amount, updated_at, credit_limit)
VALUES (@tenant_id, @inspection_days, @minimum, @carry_months, @zero, @deviation_percent, @deviation_amount, @updated_at, @credit_limit)
ON CONFLICT (tenant_id) DO UPDATE SET inspection_days = excluded.inspection_days, minimum = excluded.minimum, carry_months = excluded.carry_months, zero = excluded.zero,
    deviation_percent = excluded.deviation_percent, deviation_amount = excluded.deviation_amount, credit_limit = excluded.credit_limit, updated_at = excluded.updated_at;

-- A run of its own, or the one of the month that is not approved yet, from the beginning or from where it broke off. Nobody may be
-- at work on it.
-- name: ClaimNewRun :one
INSERT INTO invoice_runs (id, tenant_id, month, cycle, issue, state, started_by, actor, customers, created_at, due_at)
VALUES (@id, @tenant_id, @month, @cycle, @issue, 'running', @started_by, @actor, (SELECT count(*) FROM customers c WHERE c.tenant_id = @tenant_id), @now::timestamptz, @lease::timestamptz)
ON CONFLICT (tenant_id, month, cycle) WHERE state IN ('running', 'inspection') DO UPDATE SET due_at = excluded.due_at, state = 'running', customers = excluded.customers, reason = '',
    started_by = coalesce(excluded.started_by, invoice_runs.started_by), actor = CASE WHEN excluded.started_by IS NULL THEN invoice_runs.actor ELSE excluded.actor END,
    cursor = CASE WHEN invoice_runs.state = 'running' THEN invoice_runs.cursor ELSE '00000000-0000-0000-0000-000000000000' END,
    customers_done = CASE WHEN invoice_runs.state = 'running' THEN invoice_runs.customers_done ELSE 0 END
    WHERE invoice_runs.due_at IS NULL OR invoice_runs.due_at <= @now
RETURNING *;

-- name: ClaimRun :one
UPDATE invoice_runs SET due_at = @lease::timestamptz, attempts = attempts + 1 WHERE id = @id AND state = 'running' AND due_at <= @now::timestamptz RETURNING *;

-- What a chunk has booked, in its transaction: nothing of it stays once somebody else has taken the run over.
-- name: CountFees :execrows
UPDATE invoice_runs SET fees_booked = fees_booked + @fees WHERE id = @id AND state = 'running' AND due_at = @held::timestamptz;

-- name: AdvanceRun :execrows
UPDATE invoice_runs SET cursor = @cursor, customers_done = customers_done + @customers, fee_problems = @fee_problems, due_at = @lease::timestamptz, attempts = 0
WHERE id = @id AND state = 'running' AND due_at = @held::timestamptz;

-- The drafts are as complete as they can be; the time to look at them begins with the first.
-- name: EndCollecting :execrows
UPDATE invoice_runs SET state = 'inspection', customers_done = customers, collected_at = @now::timestamptz, inspect_until = coalesce(inspect_until, @inspect_until::timestamptz), due_at = NULL, reason = ''
WHERE id = @id AND state = 'running' AND due_at = @held::timestamptz;

-- name: PostponeRun :exec
UPDATE invoice_runs SET due_at = @due_at, reason = @reason WHERE id = @id AND state = 'running';

-- name: RunsDue :many
SELECT id FROM invoice_runs WHERE due_at <= @now::timestamptz AND state = 'running' ORDER BY due_at LIMIT @max_rows;

-- Runs whose drafts wait for approval: late CDRs still enter them.
-- name: RunsInInspection :many
SELECT * FROM invoice_runs WHERE state = 'inspection' AND collected_at <= @before::timestamptz ORDER BY id;

-- name: LockRun :one
SELECT * FROM invoice_runs WHERE id = @id AND tenant_id = @tenant_id FOR NO KEY UPDATE;

-- name: ApproveRun :exec
UPDATE invoice_runs SET state = 'issuing', approved_by = @approved_by, approver = @approver, approved_at = @now::timestamptz WHERE id = @id AND state = 'inspection';

-- name: ApproveDrafts :execrows
UPDATE invoices SET approved_by = @approved_by, approver = @approver, approved_at = @now::timestamptz
WHERE run_id = @run_id AND state = 'draft' AND NOT stale AND approved_at IS NULL AND (sqlc.narg(id)::uuid IS NULL OR id = sqlc.narg(id));

-- Approved drafts on which everything is free: nothing is sent, and their items are done with.
-- name: SettleDrafts :execrows
UPDATE invoices i SET state = 'settled' WHERE i.run_id = @run_id AND i.state = 'draft' AND i.approved_at IS NOT NULL AND i.net = 0 AND i.gross = 0
    AND NOT EXISTS (SELECT FROM line_items l WHERE l.invoice_id = i.id GROUP BY l.cdr_id, l.fee_id HAVING sum(l.net) <> 0 OR sum(l.gross) <> 0) AND (sqlc.narg(id)::uuid IS NULL OR i.id = sqlc.narg(id));

-- Approved drafts that are too small to ask for, or to pay. Nothing is carried for longer than since, and nothing of a customer who
-- leaves. A payee is asked for nothing: what was taken back of him is carried until there is something to set it against.
-- name: CarryDrafts :many
UPDATE invoices i SET state = 'carried' WHERE i.run_id = @run_id AND i.state = 'draft' AND i.approved_at IS NOT NULL AND (i.type = '389' AND i.gross > 0
    OR sign(CASE i.type WHEN '389' THEN -i.gross ELSE i.gross END) = 1 AND abs(i.gross) < @minimum
    AND NOT EXISTS (SELECT FROM line_items l WHERE l.invoice_id = i.id AND l.service_start < @since::timestamptz)
    AND (i.type = '380' AND EXISTS (SELECT FROM contracts c WHERE c.tenant_id = i.tenant_id AND c.customer_id = i.customer_id AND (c.valid_to IS NULL OR c.valid_to > @until::timestamptz))
        OR i.type = '389' AND EXISTS (SELECT FROM reimbursements r WHERE r.payee_id = i.customer_id AND (r.valid_until IS NULL OR r.valid_until >= @until))))
RETURNING i.id;

-- name: ReleaseItems :exec
UPDATE line_items SET invoice_id = NULL WHERE invoice_id = ANY (@invoice_ids::uuid[]);

-- Approved drafts are issued by any worker.
-- name: RingApproved :many
UPDATE invoices SET due_at = @now::timestamptz WHERE run_id = @run_id AND state = 'draft' AND approved_at IS NOT NULL AND (sqlc.narg(id)::uuid IS NULL OR id = sqlc.narg(id)) RETURNING id;

-- name: ApprovedDrafts :many
SELECT id FROM invoices WHERE run_id = @run_id AND state = 'draft' AND approved_at IS NOT NULL ORDER BY created_at, id;

-- Approved runs of which nothing is left to issue.
-- name: FinishRuns :exec
UPDATE invoice_runs r SET state = 'done', finished_at = @now::timestamptz
WHERE r.state = 'issuing' AND NOT EXISTS (SELECT FROM invoices i WHERE i.run_id = r.id AND i.state = 'draft' AND i.approved_at IS NOT NULL);

-- How far a run is: drafts by state, what the utility owes apart, and what of the issued ones is written and sent.
-- name: RunProgress :many
SELECT state, currency, (type = '389')::boolean AS payable, count(*) AS many, count(*) FILTER (WHERE approved_at IS NOT NULL) AS approved, count(*) FILTER (WHERE warnings <> '{}') AS odd,
    count(rendered_at) AS rendered, count(sent_at) AS sent, sum(net)::numeric AS net, sum(vat)::numeric AS vat, sum(gross)::numeric AS gross
FROM invoices WHERE run_id = @run_id GROUP BY state, currency, type = '389' ORDER BY currency, type = '389', state;

-- name: RunTaxes :many
SELECT i.currency, t.category, t.rate, sum(t.items)::bigint AS items, sum(t.net)::numeric AS net, sum(t.tax)::numeric AS tax
FROM invoices i JOIN invoice_taxes t ON t.invoice_id = i.id WHERE i.run_id = @run_id GROUP BY i.currency, t.category, t.rate ORDER BY i.currency, t.rate, t.category;

-- name: RunWarnings :many
SELECT w.warning::text AS warning, count(*) AS many FROM invoices i CROSS JOIN unnest(i.warnings) AS w (warning) WHERE i.run_id = @run_id GROUP BY w.warning ORDER BY w.warning;

-- The customers of a chunk.
-- name: CustomersOfChunk :many
SELECT id FROM customers WHERE tenant_id = @tenant_id AND id > @after ORDER BY id LIMIT @max_rows;

-- Sessions that nobody can tax yet: the invoice of their customer cannot be complete.
-- name: UntaxedCDRs :many
SELECT s.customer_id::uuid AS customer_id, s.cdr_id, s.ocpi_id, s.place, s.currency, s.started_at FROM cdr_states s
WHERE s.tenant_id = @tenant_id AND s.state = 'held' AND s.reason = 'no-tax-rule' AND s.customer_id >= @first::uuid AND s.customer_id <= @last::uuid AND s.started_at < @until::timestamptz
ORDER BY s.started_at, s.cdr_id;

-- A draft for every customer with something to bill in a cycle, and for those (others) who shall have one anyway. One that is
-- approved waits for its number and takes nothing more.
-- name: OpenDrafts :exec
INSERT INTO invoices (id, tenant_id, customer_id, run_id, month, cycle, type, state, stale, currency, net, vat, gross, drafted_by, created_at)
SELECT gen_random_uuid(), @tenant_id, b.customer_id, @run_id, @month::date, @cycle, b.type, 'draft', true, b.currency, 0, 0, 0, @drafted_by, @now::timestamptz
FROM (
    SELECT DISTINCT l.customer_id, l.currency, CASE WHEN l.reimbursement_id IS NULL THEN '380' ELSE '389' END AS type FROM line_items l
    WHERE l.tenant_id = @tenant_id AND l.customer_id >= @first::uuid AND l.customer_id <= @last::uuid AND l.invoice_id IS NULL AND l.service_start < @until::timestamptz
        AND NOT EXISTS (SELECT FROM contracts c WHERE c.id = l.contract_id AND c.billing_cycle <> 'month' AND c.billing_cycle <> @cycle)
        AND (@cycle = 'month' OR EXISTS (SELECT FROM contracts c WHERE c.id = l.contract_id AND c.billing_cycle = @cycle))
    UNION SELECT (o->>'customer')::uuid, o->>'currency', '380' FROM jsonb_array_elements(@others::jsonb) AS o
) b
ON CONFLICT (tenant_id, customer_id, month, currency, cycle, type) WHERE state IN ('draft', 'failed', 'carried') AND type IN ('380', '389') AND run_id IS NOT NULL DO UPDATE
SET state = 'draft', stale = true, run_id = excluded.run_id, drafted_by = excluded.drafted_by, approved_by = NULL, approver = '', approved_at = NULL
WHERE invoices.approved_at IS NULL OR invoices.state = 'carried';

-- Takes items onto the drafts, and says what they come to by tax decision. The items of a draft that had none before are these:
-- nothing is read twice.
-- name: TakeItems :many
WITH taken AS (
UPDATE line_items l SET invoice_id = i.id FROM invoices i
WHERE i.run_id = @run_id AND i.cycle = @cycle AND i.state = 'draft' AND i.stale AND i.approved_at IS NULL AND i.customer_id >= @first::uuid AND i.customer_id <= @last::uuid
    AND l.tenant_id = @tenant_id AND l.customer_id >= @first AND l.customer_id <= @last AND l.customer_id = i.customer_id AND l.currency = i.currency
    AND (l.reimbursement_id IS NULL) = (i.type = '380') AND l.invoice_id IS NULL AND l.service_start < @until::timestamptz
    AND NOT EXISTS (SELECT FROM contracts c WHERE c.id = l.contract_id AND c.billing_cycle <> 'month' AND c.billing_cycle <> @cycle)
    AND (@cycle = 'month' OR EXISTS (SELECT FROM contracts c WHERE c.id = l.contract_id AND c.billing_cycle = @cycle))
    RETURNING l.invoice_id, l.vat_category, l.vat_rate, l.net, l.gross, l.tax_included
)
SELECT invoice_id::uuid AS invoice_id, vat_category, vat_rate, sum(net)::numeric AS net, sum(gross)::numeric AS gross, bool_or(tax_included)::boolean AS tax_included, count(*)::integer AS items
FROM taken GROUP BY invoice_id, vat_category, vat_rate;

-- Open drafts of the month come under the run that looks at them now, and are made by whoever began it.
-- name: AdoptDrafts :exec
UPDATE invoices SET run_id = @run_id, drafted_by = @drafted_by WHERE tenant_id = @tenant_id AND customer_id >= @first::uuid AND customer_id <= @last::uuid AND month = @month AND cycle = ANY (@cycles::text[])
    AND state IN ('draft', 'failed') AND run_id IS NOT NULL AND (run_id <> @run_id OR drafted_by IS DISTINCT FROM @drafted_by) AND approved_at IS NULL;

-- Drafts that had items before and have changed since they were summed up.
-- name: ChangedDrafts :many
SELECT id FROM invoices WHERE run_id = @run_id AND stale AND items > 0 AND state IN ('draft', 'failed') AND customer_id >= @first::uuid AND customer_id <= @last::uuid;

-- What the items of drafts come to, by tax decision.
-- name: SumDrafts :many
SELECT l.invoice_id::uuid AS invoice_id, l.vat_category, l.vat_rate, sum(l.net)::numeric AS net, sum(l.gross)::numeric AS gross, bool_or(l.tax_included)::boolean AS tax_included, count(*)::integer AS items
FROM line_items l WHERE l.invoice_id = ANY (@ids::uuid[]) GROUP BY l.invoice_id, l.vat_category, l.vat_rate;

-- name: TaxesOfDrafts :many
SELECT t.* FROM invoices i JOIN invoice_taxes t ON t.invoice_id = i.id
WHERE i.run_id = @run_id AND NOT i.stale AND i.state IN ('draft', 'failed') AND i.customer_id >= @first::uuid AND i.customer_id <= @last::uuid
ORDER BY t.invoice_id, t.category, t.rate;

-- All that decides about the drafts of a chunk besides their items.
-- name: DraftsToJudge :many
SELECT i.id, i.customer_id, i.type, i.state, i.stale, i.currency, i.cycle, i.problems, i.warnings, i.gross, i.gross_exact, i.approved_at, sqlc.embed(c),
    m.id AS mandate_id, coalesce(m.reference, '')::text AS mandate_reference, coalesce(m.holder, '')::text AS mandate_holder, coalesce(m.iban_sealed, ''::bytea)::bytea AS iban_sealed,
    coalesce(h.usual, 0)::numeric AS usual, (h.usual IS NOT NULL)::boolean AS has_usual, (h.usual IS NOT NULL OR EXISTS (SELECT FROM invoices e WHERE e.customer_id = i.customer_id AND e.state = 'issued' AND (e.type = '389') = (i.type = '389')))::boolean AS known
FROM invoices i JOIN customers c ON c.id = coalesce(i.recipient_id, i.customer_id)
    LEFT JOIN mandates m ON m.customer_id = c.id AND m.ended_at IS NULL
    LEFT JOIN (SELECT p.customer_id, p.currency, p.type = '389' AS payable, sum(p.gross) / count(DISTINCT p.month) AS usual FROM invoices p
        WHERE p.tenant_id = @tenant_id AND p.customer_id >= @first::uuid AND p.customer_id <= @last::uuid AND p.state = 'issued' AND p.month < @month::date AND p.month >= @month::date - interval '3 months'
        GROUP BY p.customer_id, p.currency, p.type = '389') h ON h.customer_id = i.customer_id AND h.currency = i.currency AND h.payable = (i.type = '389')
WHERE i.run_id = @run_id AND i.state IN ('draft', 'failed') AND i.approved_at IS NULL AND i.customer_id >= @first AND i.customer_id <= @last
ORDER BY i.id;

-- name: SaveDrafts :exec
WITH judged AS (
    SELECT (d->>'id')::uuid AS id, d->>'state' AS state, d->'problems' AS problems, d->'warnings' AS warnings, (d->>'net')::numeric AS net, (d->>'vat')::numeric AS vat,
        (d->>'gross')::numeric AS gross, (d->>'usual')::numeric AS usual, (d->>'items')::integer AS items, (d->>'gross_exact')::boolean AS gross_exact, d->'taxes' AS taxes
    FROM jsonb_array_elements(@drafts::jsonb) AS d
), gone AS (
    DELETE FROM invoice_taxes t USING judged d, invoices i WHERE t.invoice_id = d.id AND i.id = d.id
), summed AS (
    INSERT INTO invoice_taxes (invoice_id, tenant_id, category, rate, items, net, tax)
    SELECT d.id, @tenant_id, t->>'category', (t->>'rate')::numeric, (t->>'items')::integer, (t->>'net')::numeric, (t->>'tax')::numeric FROM judged d, jsonb_array_elements(d.taxes) AS t
    ON CONFLICT (invoice_id, category, rate) DO UPDATE SET items = excluded.items, net = excluded.net, tax = excluded.tax
)
UPDATE invoices i SET state = d.state, problems = d.problems, warnings = ARRAY(SELECT jsonb_array_elements_text(d.warnings)), net = d.net, vat = d.vat, gross = d.gross, usual = d.usual,
    items = d.items, gross_exact = d.gross_exact, stale = false
FROM judged d WHERE i.id = d.id AND i.state IN ('draft', 'failed');

-- name: DeleteDrafts :exec
DELETE FROM invoices WHERE id = ANY (@ids::uuid[]) AND state IN ('draft', 'failed');

-- name: FailDraft :exec
UPDATE invoices SET state = 'failed', problems = @problems, stale = @stale, approved_by = NULL, approver = '', approved_at = NULL, due_at = NULL WHERE id = @id AND state = 'draft';

-- name: ReaddressDraft :exec
UPDATE invoices SET recipient_id = @recipient_id, stale = true, approved_by = NULL, approver = '', approved_at = NULL WHERE id = @id AND state IN ('draft', 'failed');

-- name: ItemsOfInvoice :many
SELECT * FROM line_items WHERE invoice_id = @invoice_id ORDER BY service_start, cdr_id, fee_id, created_at, position;

-- name: CarriedMonths :many
SELECT month, approved_at::timestamptz AS carried_at FROM invoices WHERE customer_id = @customer_id AND type = @type AND state = 'carried' AND approved_at IS NOT NULL;

-- Utilities with something to bill at once.
-- name: TenantsToBillAtOnce :many
SELECT DISTINCT c.tenant_id FROM contracts c JOIN line_items l ON l.contract_id = c.id AND l.tenant_id = c.tenant_id AND l.customer_id = c.customer_id
WHERE c.billing_cycle = 'immediate' AND l.invoice_id IS NULL;

-- name: Runs :many
SELECT r.*, coalesce(s.name, r.actor)::text AS starter FROM invoice_runs r LEFT JOIN staff s ON s.id = r.started_by
WHERE r.tenant_id = @tenant_id ORDER BY r.created_at DESC, r.id DESC LIMIT @max_rows;

-- What a person looks at: drafts that cannot be issued, and those that are odd, or are odd in one way. A page begins behind a draft, or
-- ends before it.
-- name: DraftsForReview :many
SELECT i.id, i.state, i.currency, i.net, i.gross, i.usual, i.items, i.warnings, i.problems, i.customer_id, i.recipient_id, c.name AS customer, c.number AS customer_number
FROM invoices i JOIN customers c ON c.id = i.customer_id
WHERE i.run_id = @run_id AND i.state IN ('draft', 'failed') AND (i.warnings <> '{}' OR i.state = 'failed')
    AND (@warning::text = '' OR @warning = ANY (i.warnings) OR @warning = 'failed' AND i.state = 'failed') AND CASE WHEN @backward::boolean THEN i.id < @after::uuid ELSE i.id > @after END
ORDER BY CASE WHEN @backward THEN i.id END DESC, i.id LIMIT @max_rows;

-- A run that is tried and rolled back.
-- name: InsertTriedRun :one
INSERT INTO invoice_runs (id, tenant_id, month, cycle, issue, state, created_at, finished_at) VALUES (@id, @tenant_id, @month, @cycle, false, 'done', @now::timestamptz, @now::timestamptz) RETURNING *;

-- name: SetBillingCycle :execrows
UPDATE contracts SET billing_cycle = @billing_cycle WHERE tenant_id = @tenant_id AND upper(contract_id) = upper(@contract_id);

-- name: OpenRun :one
SELECT * FROM invoice_runs WHERE tenant_id = @tenant_id AND month = @month AND cycle = 'month' AND state IN ('running', 'inspection');

-- name: RunOfTenant :one
SELECT * FROM invoice_runs WHERE id = @id AND (sqlc.narg(tenant_id)::uuid IS NULL OR tenant_id = sqlc.narg(tenant_id));

-- The documents of which a document takes something back, by its items.
-- name: OriginsOfInvoice :many
SELECT l.id, o.number::text AS number, o.date::date AS date FROM line_items l JOIN line_items m ON m.id = l.mirrors JOIN invoices o ON o.id = m.invoice_id
WHERE l.invoice_id = @invoice_id ORDER BY o.issued_at, l.id;
