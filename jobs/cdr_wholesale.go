package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// priceWholesale prices the CDR by the CPO's tariffs, and sets its claim beside that price.
func (r *rating) priceWholesale(ctx context.Context) error {
	docs, err := r.tariffs(ctx)
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
	r.wholesale = billing.Rate(r.cdr, tariffs, r.place.zone, billing.DefaultPolicy)
	r.wholesale.Findings = append(r.wholesale.Findings, findings...)
	r.verdict = billing.Check(r.cdr, r.wholesale, billing.DefaultTolerance)
	return nil
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
	if ofConnector {
		chosen, ok := billing.Choose(docs, r.began, "")
		if !ok {
			return nil, nil
		}
		return []ocpi.Tariff{chosen}, nil
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
