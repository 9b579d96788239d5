-- Documents that put an issued one right.

-- name: InsertCorrection :exec
INSERT INTO invoices (id, tenant_id, customer_id, recipient_id, month, cycle, type, corrects_id, cancels, changes, state, currency, net, vat, gross, items, gross_exact,
    drafted_by, approved_by, approver, approved_at, created_at)
SELECT @id, i.tenant_id, i.customer_id, i.recipient_id, i.month, i.cycle, '384', i.id, @cancels, @changes, 'draft', i.currency, @net, @vat, @gross, @items, i.gross_exact,
    @drafted_by, NULL, @approver, @now::timestamptz, @now::timestamptz
FROM invoices i WHERE i.id = @corrects_id AND i.state = 'issued';

-- The documents that correct an invoice, and the one that it corrects.
-- name: RelatedInvoices :many
SELECT i.id, i.number, i.date, i.type, i.cancels, i.gross, i.currency, i.changes, coalesce(i.corrects_id = @id, false)::boolean AS corrects FROM invoices i
WHERE i.state = 'issued' AND (i.corrects_id = @id OR i.id = (SELECT o.corrects_id FROM invoices o WHERE o.id = @id)) ORDER BY i.issued_at, i.id;

-- Items that took back something of an invoice: on documents, and not yet.
-- name: MirrorsOfInvoice :many
SELECT m.id, m.invoice_id, l.cdr_id, coalesce(i.state, '')::text AS state, (i.corrects_id IS NOT DISTINCT FROM @invoice_id::uuid)::boolean AS ours
FROM line_items m JOIN line_items l ON l.id = m.mirrors LEFT JOIN invoices i ON i.id = m.invoice_id WHERE l.invoice_id = @invoice_id::uuid;

-- What would be taken back on the next invoice is taken back on this document.
-- name: TakeMirrors :exec
UPDATE line_items SET invoice_id = @to_invoice::uuid WHERE id = ANY (@ids::uuid[]);

-- Takes back what an invoice charged and nothing has taken back yet.
-- name: MirrorItems :exec
INSERT INTO line_items (id, created_at, tenant_id, customer_id, contract_id, kind, cdr_id, rating_id, fee_id, position, dimension, quantity, unit, unit_price, tax_included, vat_category, vat_rate,
    net, gross, currency, service_start, service_end, mirrors, reimbursement_id, invoice_id)
SELECT gen_random_uuid(), @now::timestamptz, l.tenant_id, l.customer_id, l.contract_id, l.kind, l.cdr_id, l.rating_id, l.fee_id, -abs(l.position), l.dimension, -l.quantity, l.unit, l.unit_price,
    l.tax_included, l.vat_category, l.vat_rate, -l.net, -l.gross, l.currency, l.service_start, l.service_end, l.id, l.reimbursement_id, @to_invoice::uuid
FROM line_items l WHERE l.invoice_id = @invoice_id::uuid AND NOT EXISTS (SELECT FROM line_items m WHERE m.mirrors = l.id);

-- The fees that an invoice charged are to be paid again.
-- name: RebookFees :exec
INSERT INTO line_items (id, created_at, tenant_id, customer_id, contract_id, kind, fee_id, position, dimension, quantity, unit, unit_price, tax_included, vat_category, vat_rate,
    net, gross, currency, service_start, service_end)
SELECT gen_random_uuid(), @now::timestamptz, l.tenant_id, l.customer_id, l.contract_id, l.kind, l.fee_id,
    (SELECT max(abs(m.position)) + 1 FROM line_items m WHERE m.fee_id = l.fee_id), l.dimension, l.quantity, l.unit, l.unit_price,
    l.tax_included, l.vat_category, l.vat_rate, l.net, l.gross, l.currency, l.service_start, l.service_end
FROM line_items l WHERE l.invoice_id = @invoice_id::uuid AND l.kind = 'fee' AND l.mirrors IS NULL;

-- name: InsertAdjustment :exec
INSERT INTO line_items (id, created_at, tenant_id, customer_id, contract_id, kind, cdr_id, position, dimension, quantity, unit, unit_price, tax_included, vat_category, vat_rate,
    net, gross, currency, service_start, service_end, reimbursement_id, invoice_id)
VALUES (@id, @created_at, @tenant_id, @customer_id, @contract_id, 'adjustment', @cdr_id, @position, 'ADJUSTMENT', @quantity, @unit, @unit_price, @tax_included, @vat_category, @vat_rate,
    @net, @gross, @currency, @service_start, @service_end, @reimbursement_id, @invoice_id);

-- What a person wants to give back of an issued invoice: a draft until it is approved.
-- name: InsertCredit :exec
INSERT INTO invoices (id, tenant_id, customer_id, recipient_id, month, cycle, type, corrects_id, changes, request, state, currency, net, vat, gross, items, gross_exact, drafted_by, created_at)
SELECT @id, i.tenant_id, i.customer_id, i.recipient_id, i.month, i.cycle, '381', i.id, @changes, @request, 'draft', i.currency, @net, @vat, @gross, @items, i.gross_exact, @drafted_by, @now::timestamptz
FROM invoices i WHERE i.id = @corrects_id AND i.state = 'issued';

-- name: ApproveCredit :exec
UPDATE invoices SET approved_by = @approved_by, approver = @approver, approved_at = @now::timestamptz WHERE id = @id AND state = 'draft' AND request IS NOT NULL;

-- name: DropCredit :execrows
DELETE FROM invoices WHERE id = @id AND tenant_id = @tenant_id AND state = 'draft' AND request IS NOT NULL;

-- Credit notes about an invoice that wait for a second person.
-- name: OpenCredits :many
SELECT id, gross, currency, drafted_by, created_at FROM invoices WHERE corrects_id = @corrects_id AND state = 'draft' AND request IS NOT NULL ORDER BY created_at, id;
