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

// match finds what the CDR is about: our card, with the contract that it belonged to when the session began, its customer, and
// the charge point.
func (r *rating) match(ctx context.Context) (err error) {
	r.state.Latitude, r.state.Longitude = coordinates(r.cdr.CDRLocation.Coordinates)
	r.card, err = r.token(ctx)
	if errors.Is(err, db.ErrNotFound) {
		r.state.Flags, r.state.Severity = []string{"P20"}, string(billing.Block)
		r.wait("no-card")
		return errParked
	} else if err != nil {
		return fmt.Errorf("find token: %w", err)
	}
	r.state.TokenID = uuid.NullUUID{UUID: r.card.TokenID, Valid: true}
	r.state.ContractID = uuid.NullUUID{UUID: r.card.ContractRow, Valid: r.card.ContractRow != uuid.Nil}
	if !r.state.ContractID.Valid {
		r.wait("no-contract")
		return errParked
	}
	r.state.CustomerID = uuid.NullUUID{UUID: r.card.CustomerID, Valid: true}
	r.place, err = r.findPlace(ctx)
	return err
}

// coordinates reads a point; what cannot be one is absent.
func coordinates(at ocpi.GeoLocation) (latitude, longitude decimal.NullDecimal) {
	read := func(text string, most int64) decimal.NullDecimal {
		d, err := decimal.NewFromString(text)
		if err != nil || len(text) > 20 || d.Exponent() > 3 || d.Abs().GreaterThan(decimal.NewFromInt(most)) {
			return decimal.NullDecimal{}
		}
		return decimal.NewNullDecimal(d)
	}
	return read(at.Latitude, 90), read(at.Longitude, 180)
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
	found, err := r.q.TokenForCDR(ctx, db.TokenForCDRParams{TenantID: r.state.TenantID, UID: string(named.UID), Type: string(named.Type), CardID: r.state.CardID, At: r.began})
	if !errors.Is(err, db.ErrNotFound) || named.ContractID == "" || named.ContractID == ocpi.NotApplicable {
		return found, err
	}
	of, err := r.q.TokenOfContractForCDR(ctx, db.TokenOfContractForCDRParams{TenantID: r.state.TenantID, ContractID: string(named.ContractID), UID: string(named.UID), At: r.began})
	return db.TokenForCDRRow(of), err
}

// place is what our own data says of the charge point of a CDR.
type place struct {
	zone      *time.Location  // nil: unknown
	country   string          // ISO 3166-1 alpha-2
	location  *ocpi.Location  // nil: unknown
	evse      *ocpi.EVSE      // nil: unknown
	connector *ocpi.Connector // nil: unknown
}

func (p place) zoneOrUTC() *time.Location {
	if p.zone == nil {
		return time.UTC
	}
	return p.zone
}

// findPlace looks the Location up. A CDR has no time zone (PRC-09), and its location may never have been published to us
// (LOC-24): then its country decides, or in one with several zones its coordinates.
func (r *rating) findPlace(ctx context.Context) (place, error) {
	p := place{country: billing.Alpha2(r.cdr.CDRLocation.Country)}
	p.zone = billing.ZoneAt(&r.cdr.CDRLocation)
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
	p.location = &location
	p.evse, p.connector = pointOf(&location, r.cdr.CDRLocation)
	return p, nil
}

// pointOf is the EVSE and the connector that a CDR names, nil if we do not know them or there were none (TRN-29).
func pointOf(location *ocpi.Location, at ocpi.CDRLocation) (*ocpi.EVSE, *ocpi.Connector) {
	if at.EVSEUID == ocpi.NotApplicable {
		return nil, nil
	}
	evse := location.EVSE(at.EVSEUID)
	if evse == nil || at.ConnectorID == ocpi.NotApplicable {
		return evse, nil
	}
	return evse, evse.Connector(at.ConnectorID)
}

// maxPower is the nominal power of the connector in kW; where it is not stated, what voltage, current and phases give.
func (p place) maxPower() decimal.NullDecimal {
	c := p.connector
	if c == nil {
		return decimal.NullDecimal{}
	}
	if c.MaxElectricPower != nil && *c.MaxElectricPower > 0 {
		return decimal.NewNullDecimal(decimal.NewFromInt(int64(*c.MaxElectricPower)).Shift(-3))
	}
	phases, known := map[ocpi.PowerType]int64{ocpi.PowerDC: 1, ocpi.PowerAC1Phase: 1, ocpi.PowerAC2Phase: 2, ocpi.PowerAC2PhaseSplit: 2, ocpi.PowerAC3Phase: 3}[c.PowerType]
	if !known || c.MaxVoltage == nil || c.MaxAmperage == nil || *c.MaxVoltage <= 0 || *c.MaxAmperage <= 0 {
		return decimal.NullDecimal{}
	}
	volts := int64(*c.MaxVoltage)
	if phases == 3 && volts > 300 { // meant from line to line
		phases, volts = 3, volts*1000/1732
	}
	return decimal.NewNullDecimal(decimal.NewFromInt(phases * volts * int64(*c.MaxAmperage)).Shift(-3))
}
