-- Invoices as the back office lists and shows them. Without tenant_id: every utility.

-- name: InvoiceList :many
SELECT * FROM (
    SELECT i.id, i.type, i.state, i.reason, coalesce(i.number, '')::text AS number, i.date, i.month, i.currency, i.net, i.vat, i.gross, i.sent_at, i.rendered_at,
        c.name AS customer, c.number AS customer_number, t.name AS tenant,
        ((CASE @sort::text WHEN 'gross' THEN i.gross WHEN 'net' THEN i.net WHEN 'number' THEN coalesce(i.seq, 0)
            ELSE extract(epoch FROM coalesce(i.issued_at, i.created_at)) END) * @direction::integer)::numeric AS key
    FROM invoices i JOIN customers c ON c.id = i.customer_id JOIN tenants t ON t.id = i.tenant_id
    WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR i.tenant_id = sqlc.narg(tenant_id))
        AND (sqlc.narg(month)::date IS NULL OR i.month = sqlc.narg(month))
        AND (@pattern::text = '' OR i.number ILIKE @pattern OR c.name ILIKE @pattern OR c.number ILIKE @pattern)
        AND (@state::text = '' OR i.state = @state) AND (@type::text = '' OR i.type = @type)
) AS rows
WHERE NOT @paged::boolean OR CASE WHEN @backward::boolean THEN (key, id) < (@after_key::numeric, @after_id::uuid) ELSE (key, id) > (@after_key, @after_id) END
ORDER BY CASE WHEN @backward THEN -key ELSE key END, CASE WHEN @backward THEN id END DESC, id
LIMIT @max_rows;

-- name: InvoiceSums :many
SELECT i.state, i.currency, count(*) AS many, sum(i.net)::numeric AS net, sum(i.vat)::numeric AS vat, sum(i.gross)::numeric AS gross
FROM invoices i JOIN customers c ON c.id = i.customer_id
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR i.tenant_id = sqlc.narg(tenant_id))
    AND (sqlc.narg(month)::date IS NULL OR i.month = sqlc.narg(month))
    AND (@pattern::text = '' OR i.number ILIKE @pattern OR c.name ILIKE @pattern OR c.number ILIKE @pattern) AND (@type::text = '' OR i.type = @type)
GROUP BY i.state, i.currency;

-- name: InvoiceMonths :many
SELECT DISTINCT month FROM invoices WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR tenant_id = sqlc.narg(tenant_id)) ORDER BY month DESC LIMIT 36;

-- name: InvoiceDetail :one
SELECT sqlc.embed(i), c.name AS customer, c.number AS customer_number, t.name AS tenant
FROM invoices i JOIN customers c ON c.id = i.customer_id JOIN tenants t ON t.id = i.tenant_id
WHERE i.id = @id AND (sqlc.narg(tenant_id)::uuid IS NULL OR i.tenant_id = sqlc.narg(tenant_id));

-- name: InvoiceDocuments :many
SELECT format, file_name, length(bytes)::integer AS size, sha256, created_at FROM documents WHERE invoice_id = @invoice_id ORDER BY format;

-- The last copy of a document.
-- name: InvoiceCopy :one
SELECT id, way, state, recipient FROM outbox WHERE invoice_id = @invoice_id ORDER BY created_at DESC, id DESC LIMIT 1;

-- The CDRs behind the items of an invoice, by the id that its lines name.
-- name: InvoiceCDRs :many
SELECT s.cdr_id, s.ocpi_id FROM cdr_states s WHERE s.cdr_id IN (SELECT l.cdr_id FROM line_items l WHERE l.invoice_id = @invoice_id);
