-- name: InvoiceRun :one
SELECT * FROM invoice_runs WHERE id = @id;

-- What a document says about the sessions behind its items.
-- name: SessionsOfInvoice :many
SELECT s.* FROM cdr_states s WHERE s.cdr_id IN (SELECT l.cdr_id FROM line_items l WHERE l.invoice_id = @invoice_id) ORDER BY s.started_at, s.cdr_id;

-- name: RatingsOfInvoice :many
SELECT r.id, r.retail FROM ratings r WHERE r.id IN (SELECT l.rating_id FROM line_items l WHERE l.invoice_id = @invoice_id);

-- CDRs are locked before their invoice, as a re-rating does, so that the two cannot block each other.
-- name: LockCDRsOfInvoice :exec
SELECT FROM cdr_states WHERE cdr_id IN (SELECT l.cdr_id FROM line_items l WHERE l.invoice_id = @invoice_id) ORDER BY cdr_id FOR NO KEY UPDATE;

-- name: LockInvoice :one
SELECT * FROM invoices WHERE id = @id FOR NO KEY UPDATE;

-- name: Invoice :one
SELECT * FROM invoices WHERE id = @id;

-- name: InvoiceByNumber :one
SELECT * FROM invoices WHERE tenant_id = @tenant_id AND number = @number;

-- The locked counter: whoever holds it issues next, so numbers follow the order of issue and a rollback leaves no gap. The
-- instant of issue is never before that of the number before.
-- name: NextNumber :one
INSERT INTO number_series (tenant_id, series, last, last_at) VALUES (@tenant_id, @series, 1, @now::timestamptz)
ON CONFLICT (tenant_id, series) DO UPDATE SET last = number_series.last + 1, last_at = greatest(number_series.last_at, excluded.last_at)
RETURNING last, last_at::timestamptz AS at;

-- name: IssueInvoice :exec
UPDATE invoices SET state = 'issued', type = @type, problems = '[]', series = @series, seq = @seq, number = @number, date = @date, doc = @doc, issued_at = @issued_at, due_at = @issued_at
WHERE id = @id AND state = 'draft';

-- The CDRs of an issued invoice that have nothing left to bill, each with a line in its timeline.
-- name: MarkCDRsInvoiced :exec
WITH invoiced AS (
    UPDATE cdr_states s SET state = 'invoiced', reason = '', updated_at = @now::timestamptz
    WHERE s.state = 'rated' AND s.retail_state = 'released' AND s.cdr_id IN (SELECT l.cdr_id FROM line_items l WHERE l.invoice_id = @invoice_id AND l.reimbursement_id IS NULL)
        AND NOT EXISTS (SELECT FROM line_items l WHERE l.cdr_id = s.cdr_id AND l.reimbursement_id IS NULL AND (l.invoice_id IS NULL OR l.invoice_id <> @invoice_id
            AND EXISTS (SELECT FROM invoices i WHERE i.id = l.invoice_id AND i.state <> 'issued')))
    RETURNING s.cdr_id, s.tenant_id
)
INSERT INTO events (id, at, tenant_id, actor, subject, subject_id, what, detail)
SELECT gen_random_uuid(), @now, tenant_id, @actor::text, 'cdr', cdr_id, 'invoiced', jsonb_build_object('state', 'invoiced', 'before', 'rated', 'invoice', @number::text) FROM invoiced;

-- name: InvoicesDue :many
SELECT id FROM invoices WHERE due_at <= @now::timestamptz ORDER BY due_at LIMIT @max_rows;

-- name: InvoiceRendered :exec
UPDATE invoices SET rendered_at = @now::timestamptz, due_at = NULL, attempts = 0, reason = '' WHERE id = @id;

-- name: InvoiceSent :exec
UPDATE invoices SET sent_at = @now::timestamptz WHERE id = @id;

-- name: PostponeInvoice :exec
UPDATE invoices SET due_at = @due_at, attempts = attempts + 1, reason = @reason WHERE id = @id;

-- The documents of a utility form one chain; the tenant's row is locked by the caller (LockTenant).
-- name: LastDocument :one
SELECT seq, chain FROM documents WHERE tenant_id = @tenant_id ORDER BY seq DESC LIMIT 1;

-- name: InsertDocument :exec
INSERT INTO documents (id, tenant_id, invoice_id, format, file_name, bytes, sha256, seq, chain, created_at)
VALUES (@id, @tenant_id, @invoice_id, @format, @file_name, @bytes, @sha256, @seq, @chain, @created_at);

-- name: Document :one
SELECT * FROM documents WHERE invoice_id = @invoice_id AND format = @format;

-- What proves that a utility's documents are the ones that were archived, in order: how many there are, how many differ from their
-- hash, and how many do not continue the chain.
-- name: ProveDocuments :one
SELECT count(*) AS documents, count(*) FILTER (WHERE sha256 <> sha256(bytes))::bigint AS changed,
    count(*) FILTER (WHERE chain <> sha256(previous || sha256) OR seq <> place)::bigint AS unchained
FROM (SELECT seq, sha256, bytes, chain, coalesce(lag(chain) OVER (ORDER BY seq), ''::bytea) AS previous, row_number() OVER (ORDER BY seq) AS place
    FROM documents WHERE tenant_id = @tenant_id) d;

-- The numbers of a utility's documents by series (disputes count in the same table, and are no documents): the counter, what was issued, and how many are dated before the number before them.
-- name: NumberSeries :many
SELECT n.series, n.last, count(i.seq) AS issued, coalesce(min(i.seq), 0)::bigint AS first_seq, coalesce(max(i.seq), 0)::bigint AS last_seq,
    min(i.date)::date AS first_date, max(i.date)::date AS last_date, count(*) FILTER (WHERE i.issued_at < i.before OR i.date < i.day_before)::bigint AS misplaced
FROM number_series n LEFT JOIN (
    SELECT series, seq, date, issued_at, lag(issued_at) OVER (PARTITION BY series ORDER BY seq) AS before, lag(date) OVER (PARTITION BY series ORDER BY seq) AS day_before
    FROM invoices v WHERE v.tenant_id = @tenant_id AND v.state = 'issued') i ON i.series = n.series
WHERE n.tenant_id = @tenant_id AND n.series <> 'disputes' GROUP BY n.series, n.last ORDER BY n.series;

-- Numbers that were allotted and that no document bears, as ranges.
-- name: NumberGaps :many
SELECT series::text AS series, (before + 1)::bigint AS first_seq, (seq - 1)::bigint AS last_seq FROM (
    SELECT series, seq, lag(seq, 1, 0) OVER (PARTITION BY series ORDER BY seq) AS before FROM (
        SELECT i.series, i.seq FROM invoices i WHERE i.tenant_id = @tenant_id AND i.state = 'issued'
        UNION ALL SELECT n.series, n.last + 1 FROM number_series n WHERE n.tenant_id = @tenant_id AND n.series <> 'disputes') allotted) gaps
WHERE seq > before + 1 ORDER BY series, seq;

-- name: DocumentsOfTenant :many
SELECT id, invoice_id, format, seq, sha256, chain FROM documents WHERE tenant_id = @tenant_id ORDER BY seq;

-- name: InvoicesForList :many
SELECT i.id, i.type, t.country_code, t.party_id, i.number, i.date, c.name AS customer, i.net, i.vat, i.gross, i.currency, i.state, i.problems, i.month
FROM invoices i JOIN customers c ON c.id = i.customer_id JOIN tenants t ON t.id = i.tenant_id
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR i.tenant_id = sqlc.narg(tenant_id)) AND (sqlc.narg(month)::date IS NULL OR i.month = sqlc.narg(month))
ORDER BY t.name, i.month, i.seq NULLS LAST, c.name, i.id;
