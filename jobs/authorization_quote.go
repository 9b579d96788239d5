package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Quote is the price of charging where somebody asked about a token, as it could be shown before the session (AFIR art. 5(4),
// § 14 PAngV). It is frozen with the authorisation, and what a session costs more is waived.
type Quote struct {
	Book   int32   // version of the price book; 0: the utility had none
	Offers []Offer // one for each plan that counts at some connector there
}

// Offer is a plan and the connectors at which it counts.
type Offer struct {
	PlanVersionID uuid.UUID
	Plan          string
	PlanVersion   int32
	At            []OfferPlace
	Currency      string
	TaxIncluded   bool
	DE, EN        string // the price in words
	Prices        []billing.PlanPrice
	Caps          []billing.PlanCap
}

// OfferPlace is a connector.
type OfferPlace struct{ EVSE, Connector ocpi.CiString }

// quote finds the price at the place that a partner asks about. Where the place or its price is not known there is none; that
// is no reason to refuse anybody.
func (o *Ops) quote(ctx context.Context, row db.TokensByUIDRow, asking Asking, now time.Time) (*Quote, uuid.NullUUID, error) {
	if asking.At == nil || asking.CPO.IsZero() {
		return nil, uuid.NullUUID{}, nil
	}
	q := o.DB.Queries
	found, err := q.LocationDoc(ctx, db.LocationDocParams{CountryCode: string(asking.CPO.CountryCode), PartyID: string(asking.CPO.PartyID), LocationID: string(asking.At.LocationID)})
	if errors.Is(err, db.ErrNotFound) {
		return nil, uuid.NullUUID{}, nil
	} else if err != nil {
		return nil, uuid.NullUUID{}, fmt.Errorf("find location: %w", err)
	}
	var location ocpi.Location
	if err := ocpi.UnmarshalLenient(found.Doc, &location); err != nil {
		return nil, uuid.NullUUID{}, fmt.Errorf("decode stored location: %w", err)
	}
	tenant := row.Token.TenantID
	book, err := bookAt(ctx, q, tenant, now)
	if err != nil {
		return nil, uuid.NullUUID{}, err
	}
	at, err := chargePoint(ctx, q, tenant, asking.Partner, asking.CPO)
	if err != nil {
		return nil, uuid.NullUUID{}, err
	}
	at.Location, at.Country = location.ID.Fold(), billing.Alpha2(location.Country)
	buyer := billing.Buyer{Card: ocpi.CiString(row.Token.UID).Fold(), Contract: ocpi.CiString(row.ContractID).Fold(), Group: row.CustomerGroup, Plan: row.AgreedPlan}
	quote := &Quote{Book: book.row.Version}
	for i := range location.EVSEs {
		evse := &location.EVSEs[i]
		if len(asking.At.EVSEUIDs) > 0 && !slices.ContainsFunc(asking.At.EVSEUIDs, evse.UID.Equal) {
			continue
		}
		at.EVSE = billing.FoldEVSE(evse.EVSEID)
		for k := range evse.Connectors {
			c := &evse.Connectors[k]
			at.Current, at.Power = billing.CurrentOf(c.PowerType), billing.NominalPower(c)
			choice, ok := book.book.Choose(&buyer, &at)
			if !ok {
				continue
			}
			plan, err := planAt(ctx, q, tenant, choice.Plan, now)
			if errors.Is(err, db.ErrNotFound) {
				continue
			} else if err != nil {
				return nil, uuid.NullUUID{}, fmt.Errorf("find plan: %w", err)
			}
			quote.add(plan, OfferPlace{evse.UID, c.ID})
		}
	}
	if len(quote.Offers) == 0 {
		return nil, uuid.NullUUID{}, nil
	}
	return quote, book.id(), nil
}

func (q *Quote) add(plan *planVersion, at OfferPlace) {
	i := slices.IndexFunc(q.Offers, func(o Offer) bool { return o.PlanVersionID == plan.row.ID })
	if i < 0 {
		i = len(q.Offers)
		p := &plan.retail.Plan
		q.Offers = append(q.Offers, Offer{
			PlanVersionID: plan.row.ID, Plan: plan.name, PlanVersion: plan.row.Version, Currency: p.Tariff.Currency, TaxIncluded: p.TaxIncluded,
			DE: billing.PriceText(p, "de"), EN: billing.PriceText(p, "en"), Prices: p.Prices(), Caps: p.Caps,
		})
	}
	q.Offers[i].At = append(q.Offers[i].At, at)
}

// shown is the plan of a quote that was meant for the connector of the CDR; nil, if that cannot be told.
func (r *rating) shown(ctx context.Context, doc []byte) (*planVersion, error) {
	var quote Quote
	if err := json.Unmarshal(doc, &quote); err != nil {
		return nil, fmt.Errorf("read quote: %w", err)
	}
	loc := &r.cdr.CDRLocation
	for _, offer := range quote.Offers {
		meant := func(at OfferPlace) bool {
			return at.EVSE.Equal(loc.EVSEUID) && (at.Connector.Equal(loc.ConnectorID) || loc.ConnectorID == ocpi.NotApplicable)
		}
		if len(quote.Offers) == 1 || slices.ContainsFunc(offer.At, meant) {
			return planByID(ctx, r.q, offer.PlanVersionID)
		}
	}
	return nil, nil //nolint:nilnil // several were shown, and none for this connector
}
