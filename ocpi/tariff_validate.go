package ocpi

import "github.com/shopspring/decimal"

// Validate checks the tariff (TAR-01). A step size of 0 is legal (TAR-08); a
// dimension or restriction that is not known is noted, and whoever prices
// must not ignore it (TAR-11).
func (t *Tariff) Validate() Findings {
	var c checker
	t.check(&c, nil)
	return c.findings
}

func (t *Tariff) check(c *checker, p *place) {
	c.party(p, t.CountryCode, t.PartyID)
	c.id(p, "id", t.ID, 36)
	c.currency(p, t.Currency)
	optionalEnum(c, p, "type", t.Type)
	c.texts(p, "tariff_alt_text", t.TariffAltText)
	c.optionalURL(p, "tariff_alt_url", t.TariffAltURL, 255)
	c.optionalPrice(p, "min_price", t.MinPrice)
	c.optionalPrice(p, "max_price", t.MaxPrice)
	c.filled(p, "elements", len(t.Elements))
	for i := range t.Elements {
		at := p.item("elements", i)
		t.Elements[i].check(c, &at)
	}
	if t.EndDateTime.Before(t.StartDateTime) && !t.EndDateTime.IsZero() {
		c.note(p, "end_date_time", "not before start_date_time", FormatDateTime(t.EndDateTime))
	}
	if t.EnergyMix != nil {
		at := p.field("energy_mix")
		t.EnergyMix.check(c, &at)
	}
	c.time(p, "last_updated", t.LastUpdated)
}

func (e *TariffElement) check(c *checker, p *place) {
	c.filled(p, "price_components", len(e.PriceComponents))
	for i := range e.PriceComponents {
		component := &e.PriceComponents[i]
		at := p.item("price_components", i)
		enum(c, &at, "type", component.Type)
		c.number(&at, "price", component.Price)
		c.int(&at, "step_size", component.StepSize)
		c.optionalCount(&at, "step_size", component.StepSize)
	}
	if e.Restrictions != nil {
		at := p.field("restrictions")
		e.Restrictions.check(c, &at)
	}
}

func (r *TariffRestrictions) check(c *checker, p *place) {
	if r.StartTime != "" {
		c.clock(p, "start_time", r.StartTime)
	}
	if r.EndTime != "" {
		c.clock(p, "end_time", r.EndTime)
	}
	if r.StartDate != "" {
		c.date(p, "start_date", r.StartDate)
	}
	if r.EndDate != "" {
		c.date(p, "end_date", r.EndDate)
	}
	c.ordered(p, "max_kwh", r.MinKWh, r.MaxKWh)
	c.ordered(p, "max_current", r.MinCurrent, r.MaxCurrent)
	c.ordered(p, "max_power", r.MinPower, r.MaxPower)
	c.optionalCount(p, "min_duration", r.MinDuration)
	c.optionalCount(p, "max_duration", r.MaxDuration)
	enums(c, p, "day_of_week", r.DayOfWeek)
	optionalEnum(c, p, "reservation", r.Reservation)
	if len(r.Extra) > 0 {
		c.note(p, "", "restrictions that OCPI 2.2.1 does not know", string(r.Extra))
	}
}

// ordered notes a range that nothing can be in.
func (c *checker) ordered(p *place, upperField string, lower, upper decimal.NullDecimal) {
	if lower.Valid && upper.Valid && upper.Decimal.LessThanOrEqual(lower.Decimal) {
		c.note(p, upperField, "greater than the minimum", upper.Decimal.String())
	}
}
