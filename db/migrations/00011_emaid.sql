-- Contracts as cars and partners write their ids.
-- +goose Up

-- A contract id without what is optional: the separators (DE-SWX-C00042187-X, DE*SWX*C00042187) and the check digit behind the
-- fourteen characters of an EMAID (ISO 15118-2 Annex H). Ids of another form lose their separators only.
CREATE FUNCTION emaid(contract_id text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(translate(upper(contract_id), '-* ', ''), '^([A-Z]{2}[A-Z0-9]{12})[A-Z0-9]$', '\1');

CREATE INDEX contracts_plain_emaid ON contracts (emaid(contract_id));
