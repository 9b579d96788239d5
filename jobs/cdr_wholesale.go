package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// priceWholesale prices the CDR by the CPO's tariffs, in the partner's own reading of them, and sets its claim beside that
// price. A claim that does not agree is tried with the other readings; a tariff inside the CDR is set beside the published one.
func (r *rating) priceWholesale(ctx context.Context) error {
	docs, err := r.tariffs(ctx)
	if err != nil {
		return err
	}
	check, err := wholesaleCheckOf(ctx, r.q, r.state.TenantID, r.state.PartnerID)
	if err != nil {
		return err
	}
	tariffs := make([]*billing.Tariff, 0, len(docs))
	var findings []billing.Finding
	for _, doc := range docs {
		tariff, found := billing.Compile(doc, billing.CompileOptions{})
		tariffs, findings = append(tariffs, tariff), append(findings, found...)
		r.inputs = append(r.inputs, []byte(tariff.Hash))
	}
	r.wholesale, r.verdict = billing.Review(r.cdr, tariffs, r.place.zone, check.readings, check.tolerance)
	r.explained.Wholesale = billing.Explain(r.raw, r.cdr, tariffs, r.place.zone, check.readings[0])
	r.wholesale.Findings = append(r.wholesale.Findings, findings...)
	r.inputs = append(r.inputs, []byte(r.wholesale.TimeZone), frozen(check.readings[0]), frozen(check.tolerance))
	if len(r.cdr.Tariffs) == 0 {
		return nil
	}
	published, err := r.published(ctx, idsOf(r.cdr.Tariffs))
	if err != nil {
		return err
	}
	r.inputs = append(r.inputs, frozen(published))
	r.verdict.Tariffs = billing.CompareTariffs(r.cdr, published, r.place.zone, check.readings[0])
	return nil
}

func idsOf(docs []ocpi.Tariff) []ocpi.CiString {
	ids := make([]ocpi.CiString, len(docs))
	for i := range docs {
		ids[i] = docs[i].ID
	}
	return ids
}

// tariffs are those inside the CDR. Where it has none: the versions that we held at the start of the session of the tariffs
// that its periods name, or else the one of the connector's that is for a session such as this (PRC-02).
func (r *rating) tariffs(ctx context.Context) ([]ocpi.Tariff, error) {
	if len(r.cdr.Tariffs) > 0 {
		return r.cdr.Tariffs, nil
	}
	var ids []ocpi.CiString
	for _, period := range r.cdr.ChargingPeriods {
		if period.TariffID != "" {
			ids = append(ids, period.TariffID)
		}
	}
	ofConnector := len(ids) == 0 && r.place.connector != nil
	if ofConnector {
		ids = r.place.connector.TariffIDs
	}
	docs, err := r.published(ctx, ids)
	if err != nil || !ofConnector {
		return docs, err
	}
	chosen, ok := billing.Choose(docs, r.began, "")
	if !ok {
		return nil, nil
	}
	return []ocpi.Tariff{chosen}, nil
}

// published are the versions of tariffs that we held at the start of the session.
func (r *rating) published(ctx context.Context, ids []ocpi.CiString) ([]ocpi.Tariff, error) {
	var docs []ocpi.Tariff
	for _, id := range ids {
		if knows(docs, id) {
			continue
		}
		row, err := r.q.TariffAt(ctx, db.TariffAtParams{CountryCode: string(r.cdr.CountryCode), PartyID: string(r.cdr.PartyID), TariffID: string(id), At: r.began})
		if errors.Is(err, db.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("find tariff: %w", err)
		}
		var doc ocpi.Tariff
		if err := ocpi.UnmarshalLenient(row.Doc, &doc); err != nil {
			return nil, fmt.Errorf("decode stored tariff: %w", err)
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

func knows(docs []ocpi.Tariff, id ocpi.CiString) bool {
	for _, doc := range docs {
		if doc.ID.Equal(id) {
			return true
		}
	}
	return false
}
