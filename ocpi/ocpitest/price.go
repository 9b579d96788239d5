package ocpitest

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Price is what a CPO charges, before it becomes an OCPI tariff. Its cost
// arithmetic is written for these few prices only and shares nothing with the
// platform's, which it is there to check. Amounts are in euro without VAT.
type Price struct {
	ID       ocpi.CiString
	Name     string
	Energy   decimal.Decimal // per kWh
	Night    decimal.Decimal // per kWh between 22:00 and 06:00 local; zero: no night price
	Start    decimal.Decimal // once
	Blocking decimal.Decimal // per hour from BlockingAfter on, charging or not
	// BlockingAfter counts from the start of the session; a whole number of
	// ticks.
	BlockingAfter time.Duration
	EnergyStep    int64           // Wh; 0: 1
	TimeStep      int64           // seconds; 0: 1
	VAT           decimal.Decimal // percent
}

const (
	nightBegins = 22
	nightEnds   = 6
)

func amount(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// StandardPrices are the prices of a CPO that was not given any: alternating
// current with a blocking fee, direct current, and fast charging by night.
func StandardPrices() []Price {
	return []Price{
		{ID: "AC", Name: "AC", Energy: amount("0.34"), Blocking: amount("1.20"), BlockingAfter: 4 * time.Hour, TimeStep: 60, VAT: amount("19")},
		{ID: "DC", Name: "DC", Energy: amount("0.39"), Blocking: amount("6"), BlockingAfter: time.Hour, TimeStep: 60, VAT: amount("19")},
		{ID: "HPC", Name: "HPC", Energy: amount("0.43"), Night: amount("0.37"), Start: amount("0.20"), EnergyStep: 100, VAT: amount("19")},
	}
}

// Tariff writes the price as an OCPI tariff of the party.
func (p Price) Tariff(party ocpi.Party, lastUpdated time.Time) ocpi.Tariff {
	component := func(kind ocpi.TariffDimensionType, price decimal.Decimal, step int64) ocpi.PriceComponent {
		return ocpi.PriceComponent{Type: kind, Price: ocpi.Number(price), VAT: ocpi.Number(p.VAT), StepSize: ocpi.Ptr(int(max(step, 1)))}
	}
	tariff := ocpi.Tariff{
		CountryCode: party.CountryCode, PartyID: party.PartyID, ID: p.ID, Currency: "EUR", Type: ocpi.TariffRegular,
		TariffAltText: []ocpi.DisplayText{{Language: "de", Text: p.text("kWh", " Startgebühr", "h Blockiergebühr ab ")}, {Language: "en", Text: p.text("kWh", " to start", "h blocking fee after ")}},
		LastUpdated:   lastUpdated,
	}
	if !p.Night.IsZero() {
		tariff.Elements = append(tariff.Elements, ocpi.TariffElement{
			PriceComponents: []ocpi.PriceComponent{component(ocpi.ComponentEnergy, p.Night, p.EnergyStep)},
			Restrictions:    &ocpi.TariffRestrictions{StartTime: "22:00", EndTime: "06:00"},
		})
	}
	if !p.Blocking.IsZero() {
		tariff.Elements = append(tariff.Elements, ocpi.TariffElement{
			PriceComponents: []ocpi.PriceComponent{
				component(ocpi.ComponentTime, p.Blocking, p.TimeStep),
				component(ocpi.ComponentParkingTime, p.Blocking, p.TimeStep),
			},
			Restrictions: &ocpi.TariffRestrictions{MinDuration: ocpi.Ptr(int(p.BlockingAfter.Seconds()))},
		})
	}
	base := ocpi.TariffElement{PriceComponents: []ocpi.PriceComponent{component(ocpi.ComponentEnergy, p.Energy, p.EnergyStep)}}
	if !p.Start.IsZero() {
		base.PriceComponents = append(base.PriceComponents, component(ocpi.ComponentFlat, p.Start, 1))
	}
	tariff.Elements = append(tariff.Elements, base)
	return tariff
}

func (p Price) text(perEnergy, start, blocking string) string {
	text := p.Name + ": " + p.Energy.StringFixed(2) + " €/" + perEnergy
	if !p.Night.IsZero() {
		text += " (22–6: " + p.Night.StringFixed(2) + " €)"
	}
	if !p.Start.IsZero() {
		text += ", " + p.Start.StringFixed(2) + " €" + start
	}
	if !p.Blocking.IsZero() {
		text += ", " + p.Blocking.StringFixed(2) + " €/" + blocking + p.BlockingAfter.String()
	}
	return text
}

// phase is what the price depends on at a moment; a new one begins a new
// charging period (PRC-08).
type phase struct{ night, blocking bool }

func (p Price) phase(local time.Time, elapsed time.Duration) phase {
	hour := local.Hour()
	return phase{
		night:    !p.Night.IsZero() && (hour >= nightBegins || hour < nightEnds),
		blocking: !p.Blocking.IsZero() && elapsed >= p.BlockingAfter,
	}
}

func (p Price) energyPrice(at phase) decimal.Decimal {
	if at.night {
		return p.Night
	}
	return p.Energy
}

// costs are the parts of a bill, without VAT.
type costs struct{ fixed, energy, time, parking decimal.Decimal }

// cost adds up the periods of one session, which all have this price.
func (p Price) cost(periods []period) costs {
	var c costs
	if len(periods) == 0 {
		return c
	}
	c.fixed = p.Start
	var wattHours, charged, parked int64 // the latter in seconds, and only what is priced
	last := p.Energy
	for _, period := range periods {
		if period.wattHours > 0 {
			last = p.energyPrice(period.phase)
			wattHours += period.wattHours
			c.energy = c.energy.Add(last.Mul(decimal.New(period.wattHours, -3)))
		}
		switch {
		case !period.phase.blocking:
		case period.charging:
			charged += period.seconds()
		default:
			parked += period.seconds()
		}
	}
	// Steps round the total up, once, at the last price (PRC-16); parking
	// before charging time (PRC-17).
	c.energy = c.energy.Add(last.Mul(decimal.New(upTo(wattHours, p.EnergyStep)-wattHours, -3)))
	if parked > 0 {
		parked = upTo(parked, p.TimeStep)
	} else {
		charged = upTo(charged, p.TimeStep)
	}
	hour := decimal.NewFromInt(3600)
	c.time = p.Blocking.Mul(decimal.NewFromInt(charged)).Div(hour)
	c.parking = p.Blocking.Mul(decimal.NewFromInt(parked)).Div(hour)
	return c
}

// upTo rounds n up to a multiple of step.
func upTo(n, step int64) int64 {
	if step <= 1 {
		return n
	}
	return (n + step - 1) / step * step
}

func (c costs) total() decimal.Decimal { return c.fixed.Add(c.energy).Add(c.time).Add(c.parking) }

// price writes an amount as OCPI does, with four decimals at most.
func (p Price) price(excl decimal.Decimal) ocpi.Price {
	factor := decimal.NewFromInt(100).Add(p.VAT).Shift(-2)
	return ocpi.Price{ExclVAT: ocpi.Number(excl.Round(4)), InclVAT: ocpi.Number(excl.Mul(factor).Round(4))}
}
