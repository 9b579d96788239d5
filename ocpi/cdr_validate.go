package ocpi

import (
	"time"

	"github.com/shopspring/decimal"
)

// Validate checks the CDR (CDR-02). A CDR is a claim for money: what it must
// state is refused when it is missing, what it states oddly is noted and left
// to whoever rates it (CDR-28). The tariffs and the signed data in it are
// evidence; nothing in them leads to a refusal.
func (c *CDR) Validate() Findings {
	var ch checker
	c.check(&ch, nil)
	return ch.findings
}

func (c *CDR) check(ch *checker, p *place) {
	ch.party(p, c.CountryCode, c.PartyID)
	ch.id(p, "id", c.ID, 39)
	if len(c.ID) > 36 && len(c.ID) <= 39 && !c.Credit {
		ch.note(p, "id", "at most 36 characters unless it is a credit CDR", string(c.ID))
	}
	ch.time(p, "start_date_time", c.StartDateTime)
	ch.time(p, "end_date_time", c.EndDateTime)
	if c.EndDateTime.Before(c.StartDateTime) && !c.EndDateTime.IsZero() && !IsUnknownTime(c.EndDateTime) {
		ch.note(p, "end_date_time", "not before start_date_time", FormatDateTime(c.EndDateTime))
	}
	ch.optionalID(p, "session_id", c.SessionID, 36)
	at := p.field("cdr_token")
	c.CDRToken.check(ch, &at)
	enum(ch, p, "auth_method", c.AuthMethod)
	ch.optionalID(p, "authorization_reference", c.AuthorizationReference, 36)
	at = p.field("cdr_location")
	c.CDRLocation.check(ch, &at)
	ch.optionalText(p, "meter_id", c.MeterID, 255)
	ch.currency(p, c.Currency)
	ch.evidence = true
	for i := range c.Tariffs {
		at := p.item("tariffs", i)
		c.Tariffs[i].check(ch, &at)
	}
	if c.SignedData != nil {
		at := p.field("signed_data")
		c.SignedData.check(ch, &at)
	}
	ch.evidence = false
	c.checkPeriods(ch, p)
	ch.energyUnit(p, c.ChargingPeriods, c.TotalEnergy)
	c.checkTotals(ch, p)
	ch.optionalText(p, "remark", c.Remark, 255)
	ch.optionalID(p, "invoice_reference_id", c.InvoiceReferenceID, 39)
	ch.optionalID(p, "credit_reference_id", c.CreditReferenceID, 39)
	c.checkCredit(ch, p)
	ch.time(p, "last_updated", c.LastUpdated)
	if c.LastUpdated.Before(c.EndDateTime) && !c.LastUpdated.IsZero() {
		ch.note(p, "last_updated", "not before end_date_time", FormatDateTime(c.LastUpdated))
	}
}

// checkPeriods checks the charging periods, their order (CDR-20), that they
// hold no dimension of sessions (CDR-19) and point at a tariff of this CDR
// (CDR-22).
func (c *CDR) checkPeriods(ch *checker, p *place) {
	ch.filled(p, "charging_periods", len(c.ChargingPeriods))
	previous := c.StartDateTime
	if IsUnknownTime(previous) {
		previous = time.Time{}
	}
	for i := range c.ChargingPeriods {
		period := &c.ChargingPeriods[i]
		at := p.item("charging_periods", i)
		period.check(ch, &at)
		for j := range period.Dimensions {
			if t := period.Dimensions[j].Type; t.SessionOnly() {
				dimension := at.item("dimensions", j)
				ch.note(&dimension, "type", "only for sessions", string(t))
			}
		}
		if start := period.StartDateTime; !start.IsZero() {
			if start.Before(previous) {
				ch.note(&at, "start_date_time", "not before what precedes it", FormatDateTime(start))
			}
			if start.After(c.EndDateTime) && !c.EndDateTime.IsZero() && !IsUnknownTime(c.EndDateTime) {
				ch.note(&at, "start_date_time", "not after end_date_time", FormatDateTime(start))
			}
			previous = start
		}
		if period.TariffID != "" && !c.hasTariff(period.TariffID) {
			ch.note(&at, "tariff_id", "one of tariffs", string(period.TariffID))
		}
	}
}

// energyUnit notes energy that was sent in Wh instead of kWh (SES-17): the
// sum of the periods is then a thousand times the total. Nothing is rescaled.
func (c *checker) energyUnit(p *place, periods []ChargingPeriod, total decimal.NullDecimal) {
	if !total.Decimal.IsPositive() {
		return
	}
	var sum decimal.Decimal
	for i := range periods {
		for j := range periods[i].Dimensions {
			if d := &periods[i].Dimensions[j]; d.Type == DimensionEnergy {
				sum = sum.Add(d.Volume.Decimal)
			}
		}
	}
	if sum.GreaterThan(total.Decimal.Mul(implausible)) {
		c.note(p, "charging_periods", "energy in kWh", sum.String())
	}
}

// implausible is how many times the total the periods must hold before their
// unit is doubted; a wrong unit makes it a thousand times.
var implausible = decimal.NewFromInt(500)

func (c *CDR) hasTariff(id CiString) bool {
	for i := range c.Tariffs {
		if c.Tariffs[i].ID.Equal(id) {
			return true
		}
	}
	return false
}

func (c *CDR) checkTotals(ch *checker, p *place) {
	at := p.field("total_cost")
	c.TotalCost.check(ch, &at)
	if cost := c.TotalCost; cost.ExclVAT.Valid && cost.InclVAT.Valid &&
		cost.InclVAT.Decimal.Abs().LessThan(cost.ExclVAT.Decimal.Abs()) {
		ch.note(&at, "incl_vat", "not less than excl_vat", cost.InclVAT.Decimal.String())
	}
	ch.optionalPrice(p, "total_fixed_cost", c.TotalFixedCost)
	ch.number(p, "total_energy", c.TotalEnergy)
	if c.TotalEnergy.Decimal.IsNegative() {
		ch.note(p, "total_energy", "not negative", c.TotalEnergy.Decimal.String())
	}
	ch.optionalPrice(p, "total_energy_cost", c.TotalEnergyCost)
	ch.number(p, "total_time", c.TotalTime)
	if c.TotalTime.Decimal.IsNegative() {
		ch.note(p, "total_time", "not negative", c.TotalTime.Decimal.String())
	}
	ch.optionalPrice(p, "total_time_cost", c.TotalTimeCost)
	ch.optionalPrice(p, "total_parking_cost", c.TotalParkingCost)
	ch.optionalPrice(p, "total_reservation_cost", c.TotalReservationCost)
}

// checkCredit checks what makes a credit CDR (CDR-09).
func (c *CDR) checkCredit(ch *checker, p *place) {
	if !c.Credit {
		if c.CreditReferenceID != "" {
			ch.note(p, "credit_reference_id", "only with credit", string(c.CreditReferenceID))
		}
		if c.TotalCost.ExclVAT.Decimal.IsNegative() {
			ch.note(p, "total_cost.excl_vat", "not negative without credit", c.TotalCost.ExclVAT.Decimal.String())
		}
		return
	}
	if c.CreditReferenceID == "" {
		ch.reject(p, "credit_reference_id", "required with credit", "")
	} else if c.CreditReferenceID.Equal(c.ID) {
		ch.reject(p, "credit_reference_id", "not the id of the credit CDR itself", string(c.CreditReferenceID))
	}
	if c.TotalCost.ExclVAT.Decimal.IsPositive() {
		ch.note(p, "total_cost.excl_vat", "not positive with credit", c.TotalCost.ExclVAT.Decimal.String())
	}
}

func (t *CDRToken) check(c *checker, p *place) {
	c.party(p, t.CountryCode, t.PartyID)
	c.id(p, "uid", t.UID, 36)
	enum(c, p, "type", t.Type)
	c.id(p, "contract_id", t.ContractID, 36)
}

func (l *CDRLocation) check(c *checker, p *place) {
	c.id(p, "id", l.ID, 36)
	c.optionalText(p, "name", l.Name, 255)
	c.text(p, "address", l.Address, 255) // 45 by the letter; Location allows 255 (TYP-03)
	c.text(p, "city", l.City, 45)
	c.optionalText(p, "postal_code", l.PostalCode, 10)
	c.optionalText(p, "state", l.State, 45)
	c.country(p, l.Country)
	at := p.field("coordinates")
	l.Coordinates.check(c, &at)
	c.id(p, "evse_uid", l.EVSEUID, 36)
	c.id(p, "evse_id", l.EVSEID, 48)
	c.id(p, "connector_id", l.ConnectorID, 36)
	enum(c, p, "connector_standard", l.ConnectorStandard)
	enum(c, p, "connector_format", l.ConnectorFormat)
	enum(c, p, "connector_power_type", l.ConnectorPowerType)
}

func (cp *ChargingPeriod) check(c *checker, p *place) {
	c.time(p, "start_date_time", cp.StartDateTime)
	c.filled(p, "dimensions", len(cp.Dimensions))
	for i := range cp.Dimensions {
		at := p.item("dimensions", i)
		enum(c, &at, "type", cp.Dimensions[i].Type)
		c.number(&at, "volume", cp.Dimensions[i].Volume)
	}
	c.optionalID(p, "tariff_id", cp.TariffID, 36)
}

func (s *SignedData) check(c *checker, p *place) {
	c.id(p, "encoding_method", s.EncodingMethod, 36)
	c.optionalText(p, "public_key", s.PublicKey, 512)
	c.filled(p, "signed_values", len(s.SignedValues))
	for i := range s.SignedValues {
		at := p.item("signed_values", i)
		value := &s.SignedValues[i]
		c.id(&at, "nature", value.Nature, 32)
		c.text(&at, "plain_data", value.PlainData, 5000)
		c.text(&at, "signed_data", value.SignedData, 5000)
	}
	c.optionalURL(p, "url", s.URL, 512)
}
