package office

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing/meter"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// cdrMeter is what the signed meter data of a CDR proves.
type cdrMeter struct {
	db.MeterProof
	faults  []meterFault
	records []db.MeterRecordsRow
}

type meterFault struct{ Reason, Detail string }

// loadMeter reads the proof of a rating. A CDR without signed meter data has none.
func loadMeter(v *visit, q *db.Queries, ratingID uuid.UUID) (*cdrMeter, error) {
	ctx := v.Request().Context()
	proof, err := q.MeterProof(ctx, ratingID)
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil //nolint:nilnil // most CDRs have none
	} else if err != nil {
		return nil, fmt.Errorf("meter proof: %w", err)
	}
	m := cdrMeter{MeterProof: proof}
	if err := json.Unmarshal(proof.Faults, &m.faults); err != nil {
		return nil, fmt.Errorf("meter proof of rating %s: %w", ratingID, err)
	}
	if m.records, err = q.MeterRecords(ctx, ratingID); err != nil {
		return nil, fmt.Errorf("meter records: %w", err)
	}
	return &m, nil
}

// meterReason says in the visitor's language what is wrong.
func (v *visit) meterReason(code string) string { return meter.Reason(code).Text(string(v.Lang)) }

// reading is a meter reading with its unit, as exact as the meter wrote it.
func (v *visit) reading(m *cdrMeter, end bool) string {
	value := m.BeginKWh
	if end {
		value = m.EndKWh
	}
	if !value.Valid {
		return none
	}
	return v.Lang.Exact(value.Decimal, 3, 9) + "\u00a0kWh"
}

// cdrMeterFile answers with the records as the transparency software opens them.
func (o *office) cdrMeterFile(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	var file []byte
	err = v.read(func(q *db.Queries) error {
		ctx := v.Request().Context()
		if _, err := q.CDRDetail(ctx, db.CDRDetailParams{CDRID: id, TenantID: v.tenant}); err != nil {
			return err
		}
		rating, err := q.CDRRating(ctx, id)
		if err != nil {
			return err
		}
		records, err := q.MeterRecords(ctx, rating.Rating.ID)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return db.ErrNotFound
		}
		file, err = jobs.MeterFile(records)
		return err
	})
	if err != nil {
		return err
	}
	return v.download("cdr-"+id.String()+"-meter.xml", "application/xml", file)
}

// invoiceMeterFile answers with the records of every session on an invoice: the customer's right ends with the bill.
func (o *office) invoiceMeterFile(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	err = v.read(func(q *db.Queries) error {
		_, err := q.InvoiceDetail(v.Request().Context(), db.InvoiceDetailParams{ID: id, TenantID: v.tenant})
		return err
	})
	if err != nil {
		return err
	}
	doc, err := o.Document(v.Request().Context(), id, jobs.MeterFormat)
	if err != nil {
		return err
	}
	return v.document(jobs.MeterFormat, doc)
}
