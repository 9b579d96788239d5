-- Receiving CDRs. How they are rated stands in cdr_rate.sql.

-- Stores a CDR with its place in the work queue, both or neither. No row: this CDR is here already (CDR-06).
-- name: InsertCDR :execrows
WITH state AS (
    INSERT INTO cdr_states (cdr_id, received_at, partner_id, tenant_id, country_code, party_id, ocpi_id, session_id, credit_reference, started_at, ended_at,
        kwh, currency, claimed, token_uid, operator, place, evse_id, due_at, updated_at)
    VALUES (@id, @received_at, @partner_id, @tenant_id, upper(@country_code::text), upper(@party_id::text), upper(@ocpi_id::text), @session_id, upper(@credit_reference::text), @started_at, @ended_at,
        @kwh, @currency, @claimed, @token_uid, @operator, @place, @evse_id, @received_at, @received_at)
    ON CONFLICT (country_code, party_id, ocpi_id) DO NOTHING
    RETURNING cdr_id
)
INSERT INTO cdrs (id, received_at, partner_id, tenant_id, version, raw, sha256)
SELECT cdr_id, @received_at, @partner_id, @tenant_id, @version, @raw, @sha256 FROM state;

-- A received CDR with the bytes that came.
-- name: ReceivedCDR :one
SELECT s.cdr_id, s.received_at, s.partner_id, s.tenant_id, c.version, c.raw, c.sha256
FROM cdr_states s JOIN cdrs c ON c.id = s.cdr_id AND c.received_at = s.received_at
WHERE s.country_code = upper(@country_code::text) AND s.party_id = upper(@party_id::text) AND s.ocpi_id = upper(@ocpi_id::text);
