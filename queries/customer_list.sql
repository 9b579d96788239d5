-- Customers as the back office lists and shows them. Without tenant_id: every utility.

-- A page goes down from a key, or up.
-- name: CustomerList :many
SELECT * FROM (
    SELECT c.id, c.number, c.name, c.kind, c.email, c.postal_code, c.city, c.no_credit, c.created_at, c.lacks, t.name AS tenant,
        (SELECT count(*) FROM tokens k JOIN contracts o ON o.id = k.contract_id WHERE o.customer_id = c.id AND k.valid) AS cards,
        coalesce((SELECT m.iban_last4 FROM mandates m WHERE m.customer_id = c.id AND m.ended_at IS NULL), '')::text AS iban_last4,
        (CASE @sort::text WHEN 'number' THEN lpad(c.number, 30, '0') WHEN 'since' THEN to_char(c.created_at, 'YYYYMMDDHH24MISSUS') ELSE lower(c.name) END)::text AS key
    FROM customers_found(sqlc.narg(tenant_id), @pattern::text, @kind::text) c JOIN tenants t ON t.id = c.tenant_id
    WHERE @lacks::text = '' OR @lacks = ANY (c.lacks)
) AS rows
WHERE NOT @paged::boolean OR CASE WHEN @down::boolean THEN (key, id) < (@after_key::text, @after_id::uuid) ELSE (key, id) > (@after_key, @after_id) END
ORDER BY CASE WHEN @down THEN key END DESC, CASE WHEN @down THEN id END DESC, key, id
LIMIT @max_rows;

-- name: CustomerCounts :one
SELECT count(*) AS every, count(*) FILTER (WHERE 'stopped' = ANY (c.lacks)) AS stopped, count(*) FILTER (WHERE 'address' = ANY (c.lacks)) AS address,
    count(*) FILTER (WHERE 'email' = ANY (c.lacks)) AS email, count(*) FILTER (WHERE 'mandate' = ANY (c.lacks)) AS mandate, count(*) FILTER (WHERE 'vat' = ANY (c.lacks)) AS vat
FROM customers_found(sqlc.narg(tenant_id), @pattern::text, @kind::text) c;

-- name: CustomerDetail :one
SELECT sqlc.embed(c), t.name AS tenant, coalesce(g.name, '')::text AS customer_group,
    (SELECT count(*) FROM tokens k JOIN contracts o ON o.id = k.contract_id WHERE o.customer_id = c.id AND k.valid) AS cards
FROM customers c JOIN tenants t ON t.id = c.tenant_id LEFT JOIN customer_groups g ON g.id = group_at(c.id, c.group_id, @now::timestamptz)
WHERE c.id = @id AND (sqlc.narg(tenant_id)::uuid IS NULL OR c.tenant_id = sqlc.narg(tenant_id));

-- The mandate that holds first, then those before.
-- name: MandatesOfCustomer :many
SELECT id, reference, holder, iban_last4, signed_on, created_at, ended_at FROM mandates WHERE customer_id = @customer_id ORDER BY ended_at IS NOT NULL, created_at DESC;

-- name: ContractsOfCustomer :many
SELECT sqlc.embed(c), coalesce(p.name, '')::text AS plan FROM contracts c LEFT JOIN plans p ON p.id = c.plan_id WHERE c.customer_id = @customer_id ORDER BY c.created_at, c.id;

-- Which cards belonged to the contracts of a customer, and when; the latest first.
-- name: CardsOfCustomer :many
SELECT k.id, k.uid, k.visual_number, k.type, k.valid, c.contract_id AS emaid, a.valid_from, a.valid_to, k.created_at
FROM token_assignments a JOIN contracts c ON c.id = a.contract_id JOIN tokens k ON k.id = a.token_id
WHERE c.customer_id = @customer_id ORDER BY a.valid_to IS NOT NULL, a.valid_from DESC, a.created_at DESC LIMIT @max_rows;

-- The last invoices of a customer, or that it gets for others; drafts first.
-- name: InvoicesOfCustomer :many
SELECT i.id, i.state, i.number, i.month, i.date, i.currency, i.gross, i.problems, i.customer_id, i.recipient_id, c.name AS customer
FROM invoices i JOIN customers c ON c.id = i.customer_id
WHERE i.customer_id = @customer_id::uuid OR i.recipient_id = @customer_id
ORDER BY i.state = 'issued', i.month DESC, i.id DESC LIMIT @max_rows;

-- What was sent to a customer last.
-- name: CopiesOfCustomer :many
SELECT o.id, o.way, o.copy, o.recipient, o.state, o.problem, o.created_at, i.id AS invoice_id, i.number, (o.id = (SELECT n.id FROM outbox n WHERE n.invoice_id = i.id ORDER BY n.created_at DESC, n.id DESC LIMIT 1))::boolean AS latest
FROM invoices i JOIN outbox o ON o.invoice_id = i.id
WHERE i.customer_id = @customer_id::uuid AND i.recipient_id IS NULL OR i.recipient_id = @customer_id
ORDER BY o.created_at DESC, o.id DESC LIMIT @max_rows;
