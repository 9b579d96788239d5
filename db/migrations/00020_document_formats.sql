-- More forms of a document than paper and e-invoice: on request, archived like those.
-- +goose Up
ALTER TABLE documents DROP CONSTRAINT documents_format_check,
    ADD CONSTRAINT documents_format_check CHECK (format IN ('pdf', 'xml', 'xrechnung', 'html', 'csv', 'meter'));
