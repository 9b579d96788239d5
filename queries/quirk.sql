-- What partners do in their own way.

-- name: QuirksOfPartner :many
SELECT * FROM partner_quirks WHERE partner_id = @partner_id ORDER BY quirk;

-- Counts evidence. is_new: it is the first.
-- name: NoteQuirk :one
INSERT INTO partner_quirks (partner_id, quirk, first_seen, last_seen, count, detail, message_id)
VALUES (@partner_id, @quirk, @now::timestamptz, @now::timestamptz, @times::bigint, @detail, @message_id)
ON CONFLICT (partner_id, quirk) DO UPDATE SET count = partner_quirks.count + excluded.count, last_seen = excluded.last_seen,
    first_seen = coalesce(partner_quirks.first_seen, excluded.first_seen),
    detail = CASE WHEN partner_quirks.first_seen IS NULL THEN excluded.detail ELSE partner_quirks.detail END,
    message_id = CASE WHEN partner_quirks.first_seen IS NULL THEN excluded.message_id ELSE partner_quirks.message_id END
RETURNING (count = @times::bigint)::boolean AS is_new;

-- Decides on a quirk, in both places.
-- name: SetQuirk :exec
WITH decided AS (
    INSERT INTO partner_quirks (partner_id, quirk, mode) VALUES (@partner_id, @quirk::text, @mode::text)
    ON CONFLICT (partner_id, quirk) DO UPDATE SET mode = excluded.mode
)
UPDATE partners SET refused_quirks = array_remove(refused_quirks, @quirk::text) || CASE WHEN @mode::text = 'off' THEN ARRAY[@quirk::text] ELSE '{}' END WHERE id = @partner_id;

-- name: SetHiddenModules :exec
UPDATE partners SET hidden_modules = @hidden_modules WHERE id = @id;

-- name: SetPartnerCertificate :exec
UPDATE partners SET certificate_sealed = @certificate_sealed WHERE id = @id;

-- name: SetPartnerPin :exec
UPDATE partners SET certificate_pin = @certificate_pin WHERE id = @id;
