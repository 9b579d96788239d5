-- Numbers that prove themselves, corrections that refer both ways, and no privilege to touch what is issued.
-- +goose Up

-- A counter goes up by one and never back. It remembers the last instant of issue, so that numbers follow time even where the
-- clocks of two machines differ.
ALTER TABLE number_series ADD COLUMN last_at timestamptz;
UPDATE number_series n SET last_at = (SELECT max(i.issued_at) FROM invoices i WHERE i.tenant_id = n.tenant_id AND i.series = n.series);
-- +goose StatementBegin
CREATE FUNCTION number_series_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'INSERT' AND NEW.last <> 1
        OR TG_OP = 'UPDATE' AND ((NEW.tenant_id, NEW.series, NEW.last) IS DISTINCT FROM (OLD.tenant_id, OLD.series, OLD.last + 1) OR NEW.last_at < OLD.last_at) THEN
        RAISE EXCEPTION 'the numbers of a series count up by one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER number_series_steps BEFORE INSERT OR UPDATE OR DELETE ON number_series FOR EACH ROW EXECUTE FUNCTION number_series_steps();
CREATE TRIGGER number_series_kept BEFORE TRUNCATE ON number_series FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Documents that put an issued one right. The document that they refer to stays as it is; its own page finds them by this reference.
ALTER TABLE invoices
    ALTER COLUMN run_id DROP NOT NULL, -- a correction is made by a person
    ADD COLUMN type        text NOT NULL DEFAULT '380' CHECK (type IN ('380', '381', '384', '389')), -- EN 16931 BT-3
    ADD COLUMN corrects_id uuid REFERENCES invoices,
    ADD COLUMN cancels     boolean NOT NULL DEFAULT false, -- takes the whole of corrects_id back
    ADD CONSTRAINT invoices_corrects CHECK ((type = '384') = (corrects_id IS NOT NULL) AND (type = '384' OR NOT cancels)),
    ADD CONSTRAINT invoices_run CHECK (run_id IS NOT NULL OR type <> '380');
CREATE INDEX invoices_corrections ON invoices (corrects_id) WHERE corrects_id IS NOT NULL;
CREATE UNIQUE INDEX invoices_cancelled_once ON invoices (corrects_id) WHERE cancels;
DROP INDEX invoices_draft;
CREATE UNIQUE INDEX invoices_draft ON invoices (tenant_id, customer_id, month, currency) WHERE state <> 'issued' AND type = '380';

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION invoices_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved invoices%ROWTYPE := NEW;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state = 'issued' THEN
            RAISE EXCEPTION 'invoice % is issued and cannot be deleted', OLD.number USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.state = 'issued' THEN -- only the progress of rendering and sending may still move
        moved.due_at := OLD.due_at;
        moved.attempts := OLD.attempts;
        moved.reason := OLD.reason;
        moved.rendered_at := OLD.rendered_at;
        moved.sent_at := OLD.sent_at;
        IF moved IS DISTINCT FROM OLD THEN
            RAISE EXCEPTION 'invoice % is issued and cannot change', OLD.number USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF NEW.state = 'issued' AND NOT EXISTS (SELECT FROM number_series n WHERE n.tenant_id = NEW.tenant_id AND n.series = NEW.series AND n.last = NEW.seq AND coalesce(n.last_at, NEW.issued_at) <= NEW.issued_at) THEN
        RAISE EXCEPTION 'invoice % does not bear the number that was just allotted', NEW.number USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- An invoice comes into the world as a draft.
ALTER TABLE invoices ADD CONSTRAINT invoices_numbered CHECK ((state = 'issued') = (number IS NOT NULL));

-- What was never on a document costs no look at one.
DROP TRIGGER line_items_frozen ON line_items;
CREATE TRIGGER line_items_frozen BEFORE UPDATE OR DELETE ON line_items FOR EACH ROW WHEN (OLD.invoice_id IS NOT NULL) EXECUTE FUNCTION line_items_frozen();

-- What a correction charges or gives back beside what the session's rating says. It belongs to its CDR, so that a later rating
-- takes it back with the rest.
ALTER TABLE line_items DROP CONSTRAINT line_items_kind_check, DROP CONSTRAINT line_items_of_session, DROP CONSTRAINT line_items_of_fee;
ALTER TABLE line_items
    ADD CONSTRAINT line_items_kind_check CHECK (kind IN ('session', 'fee', 'adjustment')),
    ADD CONSTRAINT line_items_of_session CHECK (kind <> 'session' OR cdr_id IS NOT NULL AND rating_id IS NOT NULL AND fee_id IS NULL),
    ADD CONSTRAINT line_items_of_fee CHECK (kind <> 'fee' OR fee_id IS NOT NULL AND cdr_id IS NULL AND rating_id IS NULL);

-- Nobody who acts for one utility may write what is issued, or what is going to be, around the program.
REVOKE INSERT, UPDATE ON documents, invoices, number_series FROM roamwerk_tenant;
REVOKE UPDATE ON line_items FROM roamwerk_tenant;
