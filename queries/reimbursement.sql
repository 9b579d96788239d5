-- What the utility owes by agreements with those who charge at home and those who host its charge points.

-- name: InsertReimbursement :exec
INSERT INTO reimbursements (id, tenant_id, payee_id, kind, evse_id, location, token_id, basis, price, currency, vat, tax_number, phone, charged, agreed_on, holder, iban_sealed, iban_last4,
    valid_from, valid_until, added_by, added_at)
VALUES (@id, @tenant_id, @payee_id, @kind, @evse_id, @location, @token_id, @basis, @price, @currency, @vat, @tax_number, @phone, @charged, @agreed_on, @holder, @iban_sealed, @iban_last4,
    @valid_from, @valid_until, @added_by, @added_at);

-- name: EndReimbursement :one
UPDATE reimbursements SET valid_until = @valid_until::date, ended_at = @now::timestamptz
WHERE id = @id AND tenant_id = @tenant_id AND (valid_until IS NULL OR valid_until > @valid_until) RETURNING *;

-- name: Reimbursement :one
SELECT * FROM reimbursements WHERE id = @id AND tenant_id = @tenant_id;

-- Without tenant_id: of every utility. Of a payee, with payee_id.
-- name: Reimbursements :many
SELECT sqlc.embed(r), c.name AS payee, c.number AS payee_number, coalesce(t.visual_number, '')::text AS card, coalesce(t.uid, '')::text AS card_uid, u.name AS tenant
FROM reimbursements r JOIN customers c ON c.id = r.payee_id JOIN tenants u ON u.id = r.tenant_id LEFT JOIN tokens t ON t.id = r.token_id
WHERE (sqlc.narg(tenant_id)::uuid IS NULL OR r.tenant_id = sqlc.narg(tenant_id)) AND (sqlc.narg(payee_id)::uuid IS NULL OR r.payee_id = sqlc.narg(payee_id))
ORDER BY (r.valid_until IS NOT NULL AND r.valid_until < @today::date), c.name, r.kind, r.valid_from, r.id LIMIT @max_rows;

-- What is agreed about a session, the narrowest first of each kind. A card alone is about what is charged at home.
-- name: ReimbursementsAt :many
SELECT * FROM reimbursements
WHERE tenant_id = @tenant_id AND (evse_id = @evse_id::text AND @evse_id <> '' OR location = @location::text OR token_id = @token_id::uuid) AND valid_from <= @day::date AND (valid_until IS NULL OR valid_until >= @day)
    AND evse_id IN ('', @evse_id) AND location IN ('', @location) AND (token_id IS NULL OR token_id = @token_id)
    AND (@at_home::boolean OR evse_id <> '' OR location <> '')
ORDER BY kind, evse_id = '', location = '', token_id IS NULL, id;

-- The last agreement with a payee says where the money goes.
-- name: PayeeAccount :one
SELECT * FROM reimbursements WHERE payee_id = @payee_id ORDER BY added_at DESC, id DESC LIMIT 1;

-- Sessions that an agreement may be about, to be looked at again.
-- name: WakeForReimbursement :many
UPDATE cdr_states SET due_at = @now::timestamptz, updated_at = @now
WHERE tenant_id = @tenant_id AND state IN ('held', 'rated', 'invoiced') AND started_at >= @since::timestamptz AND (sqlc.narg(until)::timestamptz IS NULL OR started_at < sqlc.narg(until))
    AND (@evse_id::text = '' OR translate(upper(evse_id), '*- ', '') = @evse_id) AND (@party::text = '' OR country_code || '*' || party_id = @party)
    AND (sqlc.narg(token_id)::uuid IS NULL OR token_id = sqlc.narg(token_id))
RETURNING cdr_id;

-- What stands on a document by which agreements: how to say how the amounts came about.
-- name: ReimbursementsOfInvoice :many
SELECT * FROM reimbursements WHERE id IN (SELECT l.reimbursement_id FROM line_items l WHERE l.invoice_id = @invoice_id);

-- A card by its uid or the number that is printed on it.
-- name: CardByName :one
SELECT id FROM tokens WHERE tenant_id = @tenant_id AND (upper(uid) = upper(@name::text) OR upper(visual_number) = upper(@name)) ORDER BY valid DESC, created_at DESC LIMIT 1;

-- Whether a payee has an agreement at some time that is, or is not, about supplies in the sense of the law: the two share no document.
-- name: PayeeMixes :one
SELECT EXISTS (SELECT FROM reimbursements WHERE payee_id = @payee_id AND (vat = 'outside') <> @outside::boolean
    AND (valid_until IS NULL OR valid_until >= @since::date) AND (sqlc.narg(until)::date IS NULL OR valid_from <= sqlc.narg(until)));
