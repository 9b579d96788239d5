-- What is wrong with the tariffs of CPOs, so that lists can be filtered by it. The findings themselves are computed when they are
-- read: they follow from the document.
-- +goose Up
CREATE TABLE tariff_lints (
    country_code text NOT NULL,
    party_id     text NOT NULL,
    tariff_id    text NOT NULL,
    version      integer NOT NULL,
    partner_id   uuid NOT NULL REFERENCES partners,
    due_at       timestamptz, -- when to look at the tariff; NULL: that was done
    linter       text NOT NULL DEFAULT '', -- version of the rules that it was looked at by
    worst        text NOT NULL DEFAULT '' CHECK (worst IN ('', 'info', 'flag', 'block')), -- severity; '': no finding
    findings     integer NOT NULL DEFAULT 0 CHECK (findings >= 0), -- that flag or block
    codes        text[] NOT NULL DEFAULT '{}', -- of these, each once
    linted_at    timestamptz,
    PRIMARY KEY (country_code, party_id, tariff_id, version),
    FOREIGN KEY (country_code, party_id, tariff_id, version) REFERENCES tariffs,
    CHECK (due_at IS NOT NULL OR linted_at IS NOT NULL)
);
CREATE INDEX tariff_lints_due ON tariff_lints (due_at, partner_id) WHERE due_at IS NOT NULL;
CREATE INDEX tariff_lints_partner ON tariff_lints (partner_id);

INSERT INTO tariff_lints (country_code, party_id, tariff_id, version, partner_id, due_at)
SELECT country_code, party_id, tariff_id, version, partner_id, now() FROM tariffs;

-- What partners publish is the same for every utility, and so is what is wrong with it.
GRANT SELECT ON tariff_lints TO roamwerk_tenant;
