package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// match finds what the CDR is about: our card with its contract and customer, and the charge point.
func (r *rating) match(ctx context.Context) (err error) {
	r.card, err = r.token(ctx)
	if errors.Is(err, db.ErrNotFound) {
		return park(r.wait(ctx, "no-card"))
	} else if err != nil {
		return fmt.Errorf("find token: %w", err)
	}
	r.state.TokenID = uuid.NullUUID{UUID: r.card.TokenID, Valid: true}
	r.state.CustomerID = uuid.NullUUID{UUID: r.card.CustomerID, Valid: true}
	r.place, err = r.findPlace(ctx)
	return err
}

// token finds the token of the CDR. A CDR of OCPI 2.1.1 names the contract alone: the token is the one that the door has found
// of it, and of a contract that was unknown then the one that there is now. Of a uid that nobody has, as of one that was cut or
// of a car that showed its contract, the contract decides.
func (r *rating) token(ctx context.Context) (db.TokenForCDRRow, error) {
	named := r.cdr.CDRToken
	if named.UID == ocpi.NotApplicable {
		named.UID, named.Type = ocpi.CiString(r.state.TokenUID), ""
		if err := FillToken(ctx, r.q, []uuid.UUID{r.state.TenantID}, &named); err != nil {
			return db.TokenForCDRRow{}, err
		}
	}
	found, err := r.q.TokenForCDR(ctx, db.TokenForCDRParams{TenantID: r.state.TenantID, UID: string(named.UID), Type: string(named.Type)})
	if !errors.Is(err, db.ErrNotFound) || named.ContractID == "" || named.ContractID == ocpi.NotApplicable {
		return found, err
	}
	of, err := r.q.TokenOfContractForCDR(ctx, db.TokenOfContractForCDRParams{TenantID: r.state.TenantID, ContractID: string(named.ContractID), UID: string(named.UID)})
	return db.TokenForCDRRow(of), err
}

// place is what our own data says of the charge point of a CDR.
type place struct {
	zone      *time.Location  // nil: unknown
	country   string          // ISO 3166-1 alpha-2
	connector *ocpi.Connector // nil: unknown
}

func (p place) zoneOrUTC() *time.Location {
	if p.zone == nil {
		return time.UTC
	}
	return p.zone
}

// findPlace looks the Location up. A CDR has no time zone (PRC-09), and its location may never have been published to us
// (LOC-24): then a country with a single zone decides.
func (r *rating) findPlace(ctx context.Context) (place, error) {
	p := place{country: billing.Alpha2(r.cdr.CDRLocation.Country)}
	p.zone = billing.ZoneOf(r.cdr.CDRLocation.Country)
	row, err := r.q.LocationDoc(ctx, db.LocationDocParams{CountryCode: string(r.cdr.CountryCode), PartyID: string(r.cdr.PartyID), LocationID: string(r.cdr.CDRLocation.ID)})
	if errors.Is(err, db.ErrNotFound) {
		return p, nil
	} else if err != nil {
		return p, fmt.Errorf("find location: %w", err)
	}
	if zone, err := time.LoadLocation(row.TimeZone); err == nil && row.TimeZone != "" {
		p.zone = zone
	}
	var location ocpi.Location
	if err := ocpi.UnmarshalLenient(row.Doc, &location); err != nil {
		return p, fmt.Errorf("decode stored location: %w", err)
	}
	r.cdr.FillPlace(&location) // as the door did
	p.country = billing.Alpha2(r.cdr.CDRLocation.Country)
	p.connector = connectorOf(&location, r.cdr.CDRLocation)
	return p, nil
}

// connectorOf is the connector that a CDR names, nil if we do not know it or there was none (TRN-29).
func connectorOf(location *ocpi.Location, at ocpi.CDRLocation) *ocpi.Connector {
	if at.EVSEUID == ocpi.NotApplicable || at.ConnectorID == ocpi.NotApplicable {
		return nil
	}
	for _, evse := range location.EVSEs {
		for i, c := range evse.Connectors {
			if evse.UID.Equal(at.EVSEUID) && c.ID.Equal(at.ConnectorID) {
				return &evse.Connectors[i]
			}
		}
	}
	return nil
}

// maxPower is the nominal power of the connector in kW.
func (p place) maxPower() decimal.NullDecimal {
	if p.connector == nil || p.connector.MaxElectricPower == nil || *p.connector.MaxElectricPower <= 0 {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(decimal.NewFromInt(int64(*p.connector.MaxElectricPower)).Shift(-3))
}
