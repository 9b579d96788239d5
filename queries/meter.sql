-- Signed meter data: keys of charge points, and what the records of CDRs prove.

-- name: InsertMeterKey :exec
INSERT INTO meter_keys (id, tenant_id, country_code, party_id, evse_id, meter, curve, spki, fingerprint, valid_from, valid_to, source, added_by, added_at)
VALUES (@id, @tenant_id, upper(@country_code::text), upper(@party_id::text), @evse_id, @meter, @curve, @spki, @fingerprint, @valid_from, @valid_to, @source, @added_by, @added_at);

-- name: EndMeterKey :execrows
UPDATE meter_keys SET valid_to = @valid_to::timestamptz WHERE id = @id AND tenant_id = @tenant_id AND (valid_to IS NULL OR valid_to > @valid_to);

-- name: MeterKeys :many
SELECT * FROM meter_keys WHERE tenant_id = @tenant_id ORDER BY country_code, party_id, evse_id, meter, valid_from, id;

-- The keys of one CPO, with those of charge points that are there now and those of before.
-- name: MeterKeysOfParties :many
SELECT k.* FROM meter_keys k JOIN partner_parties p ON p.country_code = k.country_code AND p.party_id = k.party_id
WHERE p.partner_id = @partner_id AND (sqlc.narg(tenant_id)::uuid IS NULL OR k.tenant_id = sqlc.narg(tenant_id))
ORDER BY k.country_code, k.party_id, k.evse_id, k.meter, k.valid_from, k.id LIMIT @max_rows;

-- The keys that count for a session: those of its charge point, and those of meters that may stand there.
-- name: MeterKeysAt :many
SELECT * FROM meter_keys
WHERE tenant_id = @tenant_id AND country_code = @country_code AND party_id = @party_id AND evse_id IN ('', @evse_id::text)
    AND valid_from <= @at::timestamptz AND (valid_to IS NULL OR valid_to > @at)
ORDER BY evse_id DESC, valid_from DESC, id;

-- Takes a measurement for a CDR. No row: it belongs to another one that may be billed.
-- name: ClaimMeasurement :one
INSERT INTO meter_claims AS c (tenant_id, sha256, cdr_id, verified) VALUES (@tenant_id, @sha256, @cdr_id, @verified)
ON CONFLICT (tenant_id, sha256) DO UPDATE SET cdr_id = excluded.cdr_id, verified = excluded.verified
WHERE c.cdr_id = excluded.cdr_id OR (excluded.verified AND NOT c.verified)
    OR EXISTS (SELECT FROM cdr_states s WHERE s.cdr_id = c.cdr_id AND s.state IN ('credited', 'dropped'))
RETURNING c.cdr_id;

-- name: InsertMeterProof :exec
INSERT INTO meter_proofs (rating_id, tenant_id, cdr_id, judged_at, verifier, reason, faults, meter, begin_kwh, end_kwh, began_at, ended_at, kwh)
VALUES (@rating_id, @tenant_id, @cdr_id, @judged_at, @verifier, @reason, @faults, @meter, @begin_kwh, @end_kwh, @began_at, @ended_at, @kwh);

-- name: InsertMeterRecord :exec
INSERT INTO meter_records (rating_id, position, tenant_id, nature, raw, sha256, format, version, meter, pagination, key_id, sent_key, reason, detail)
VALUES (@rating_id, @position, @tenant_id, @nature, @raw, @sha256, @format, @version, @meter, @pagination, @key_id, @sent_key, @reason, @detail);

-- name: MeterProof :one
SELECT * FROM meter_proofs WHERE rating_id = @rating_id;

-- The records of a proof, each with the key that has verified it.
-- name: MeterRecords :many
SELECT sqlc.embed(r), k.spki, coalesce(k.fingerprint, '')::text AS fingerprint, coalesce(k.source, '')::text AS source, k.valid_from AS key_since
FROM meter_records r LEFT JOIN meter_keys k ON k.id = r.key_id
WHERE r.rating_id = @rating_id ORDER BY r.position;

-- The records of every session on an invoice, in the order of the sessions. A host learns nothing of who has charged.
-- name: MeterRecordsOfInvoice :many
SELECT sqlc.embed(r), k.spki, coalesce(k.fingerprint, '')::text AS fingerprint, coalesce(k.source, '')::text AS source, k.valid_from AS key_since
FROM (SELECT l.rating_id, min(l.service_start) AS began FROM line_items l LEFT JOIN reimbursements a ON a.id = l.reimbursement_id
        WHERE l.invoice_id = @invoice_id AND a.kind IS DISTINCT FROM 'host' GROUP BY l.rating_id) i
    JOIN meter_records r ON r.rating_id = i.rating_id LEFT JOIN meter_keys k ON k.id = r.key_id
ORDER BY i.began, r.rating_id, r.position;

-- name: CountMeterRecordsOfInvoice :one
SELECT count(*) FROM meter_records r WHERE r.rating_id IN (SELECT l.rating_id FROM line_items l LEFT JOIN reimbursements a ON a.id = l.reimbursement_id
    WHERE l.invoice_id = @invoice_id AND a.kind IS DISTINCT FROM 'host');

-- name: SetMeterPolicy :execrows
UPDATE tenants SET meter_policy = @meter_policy, meter_required = @meter_required WHERE id = @id;

-- CDRs that are held for their meter data are looked at again when a key comes.
-- name: WakeForMeterKey :many
UPDATE cdr_states s SET due_at = @now::timestamptz, updated_at = @now
FROM meter_proofs p
WHERE s.tenant_id = @tenant_id AND s.country_code = upper(@country_code::text) AND s.party_id = upper(@party_id::text) AND s.state = 'held' AND s.reason = 'rule'
    AND p.rating_id = s.rating_id AND p.reason IN ('key-unknown', 'key-of-another-device', 'signature-mismatch')
RETURNING s.cdr_id;
