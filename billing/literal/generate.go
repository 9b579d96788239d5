package literal

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Case is a CDR to be priced, with the zone of its Location; nil if that is unknown.
type Case struct {
	CDR  ocpi.CDR
	Zone *time.Location
}

// Price prices the case by the tariffs in the CDR.
func (c Case) Price() Result { return Price(&c.CDR, c.CDR.Tariffs, c.Zone) }

// Generate makes up a case. It likes borders: the restrictions of its tariffs lie where the session goes, its limits near
// the price, its clocks near the change to and from summer time.
func Generate(r *rand.Rand) Case {
	g := generator{Rand: r}
	g.zone = pick(r, zones...)
	g.session()
	g.tariffs()
	g.limits()
	return Case{CDR: g.cdr, Zone: g.zone}
}

// zones: with and without summer time, one that shifts by half an hour, and unknown.
var zones = []*time.Location{nil, time.UTC, load("Europe/Berlin"), load("Europe/Berlin"), load("Europe/Berlin"),
	load("America/New_York"), load("Asia/Kolkata"), load("Australia/Lord_Howe")}

func load(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // the time zone database is part of every Go installation
	}
	return zone
}

type generator struct {
	*rand.Rand
	zone *time.Location
	cdr  ocpi.CDR

	// Where the session goes, for restrictions to lie in its way.
	instants []time.Time
	levels   []decimal.Decimal // A and kW
	meter    []decimal.Decimal // kWh so far
}

// one reports true once in n times.
func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// decimal is a number from 0 up to a whole one, with mostly up to 4 places.
func (g *generator) decimal(below int64) decimal.Decimal {
	places := pick(g.Rand, 0, 0, 1, 2, 2, 3, 3, 4, 4, 4)
	if g.one(40) {
		places = 5 + g.IntN(5)
	}
	scale := int64(1)
	for range places {
		scale *= 10
	}
	return decimal.New(g.Int64N(below*scale+1), -int32(places))
}

// session makes the CDR without tariffs.
func (g *generator) session() {
	at := g.begin()
	g.cdr = ocpi.CDR{CountryCode: "DE", PartyID: "CPO", ID: "1", SessionID: "S", Currency: "EUR", StartDateTime: at, Credit: g.one(12)}
	g.cdr.CDRLocation = ocpi.CDRLocation{Country: "DEU", ConnectorID: "1"}
	count := 1 + g.IntN(4)
	if g.one(4) {
		count = 1 + g.IntN(40)
	}
	// What follows what: reserved, charging, parking, both at once.
	phases := pick(g.Rand, "c", "c", "cp", "cp", "cpc", "cpcp", "p", "rc", "rc", "rcp", "r", "b", "?")
	if phases == "r" && !g.one(4) {
		g.cdr.SessionID, g.cdr.CDRLocation.ConnectorID = pick(g.Rand, ocpi.CiString("S"), ""), ocpi.NotApplicable
	}
	if g.one(20) {
		g.cdr.SessionID = ""
	}
	exports, measures := g.one(10), !g.one(3)
	kwh := decimal.Zero
	for i := range count {
		phase := phases[min(i*len(phases)/count, len(phases)-1)]
		if phase == '?' {
			phase = "rcpb"[g.IntN(4)]
		}
		length := g.length()
		p := ocpi.ChargingPeriod{StartDateTime: at}
		g.meter, g.instants = append(g.meter, kwh), append(g.instants, at)
		switch phase {
		case 'r':
			g.add(&p, ocpi.DimensionReservationTime, g.hours(length))
		case 'p':
			g.add(&p, ocpi.DimensionParkingTime, g.hours(length))
		default:
			if !g.one(6) {
				g.add(&p, ocpi.DimensionTime, g.hours(length))
			}
			if !g.one(8) {
				energy := g.decimal(pick(g.Rand, int64(1), 5, 30))
				if exports && g.one(2) {
					energy = energy.Neg()
				}
				kwh = kwh.Add(energy)
				g.add(&p, ocpi.DimensionEnergy, energy)
			}
		}
		switch {
		case phase == 'b' && g.one(2):
			g.add(&p, ocpi.DimensionParkingTime, g.hours(length))
		case phase == 'b' && g.one(3):
			g.add(&p, ocpi.DimensionReservationTime, g.hours(length))
		case g.one(12):
			g.add(&p, pick(g.Rand, ocpi.DimensionParkingTime, ocpi.DimensionReservationTime, ocpi.DimensionTime), decimal.Zero)
		case phase == 'p' && g.one(3):
			g.add(&p, ocpi.DimensionEnergy, decimal.Zero)
		}
		if g.one(60) && len(p.Dimensions) > 0 { // said in two parts
			p.Dimensions = append(p.Dimensions, pick(g.Rand, p.Dimensions...))
		}
		if measures {
			g.level(&p, ocpi.DimensionMinCurrent, ocpi.DimensionMaxCurrent)
			g.level(&p, ocpi.DimensionMinPower, ocpi.DimensionMaxPower)
		}
		if g.one(10) { // for sessions only, means nothing in a CDR (CDR-19)
			g.add(&p, pick(g.Rand, ocpi.DimensionPower, ocpi.DimensionCurrent, ocpi.DimensionEnergyImport), g.decimal(50))
		}
		g.cdr.ChargingPeriods = append(g.cdr.ChargingPeriods, p)
		at = at.Add(length)
	}
	g.cdr.EndDateTime = at
	g.disorder()
}

// begin is an instant, often near a change of the clocks or midnight.
func (g *generator) begin() time.Time {
	switch g.IntN(5) {
	case 0: // summer time begins
		return time.Date(2026, 3, 28, 18+g.IntN(12), 5*g.IntN(12), 0, 0, time.UTC)
	case 1: // and ends
		return time.Date(2026, 10, 24, 18+g.IntN(12), 5*g.IntN(12), 0, 0, time.UTC)
	case 2:
		return time.Date(2026, time.Month(1+g.IntN(12)), 1+g.IntN(28), g.IntN(24), 15*g.IntN(4), 0, 0, time.UTC)
	case 3: // in New York and on Lord Howe
		return time.Date(2026, pick(g.Rand, time.March, time.November, time.April, time.October), 1+g.IntN(8), g.IntN(24), g.IntN(60), 0, 0, time.UTC)
	}
	return time.Date(2024+g.IntN(4), time.Month(1+g.IntN(12)), 1+g.IntN(31), g.IntN(24), g.IntN(60), g.IntN(60), g.IntN(1000)*1e6, time.UTC)
}

func (g *generator) length() time.Duration {
	switch g.IntN(12) {
	case 0:
		return 0
	case 1, 2, 3, 4:
		return time.Duration(5*g.IntN(30)) * time.Minute
	case 5, 6, 7:
		return time.Duration(g.IntN(100)) * time.Minute
	case 8:
		return time.Duration(g.IntN(1200)) * time.Millisecond
	case 9:
		return time.Duration(g.IntN(20)) * time.Hour
	}
	return time.Duration(g.IntN(7200)) * time.Second
}

// hours writes a length as a CDR does, mostly: with four decimals (PRC-14).
func (g *generator) hours(length time.Duration) decimal.Decimal {
	exact := decimal.New(length.Milliseconds(), 0).DivRound(decimal.New(3600000, 0), 12)
	switch g.IntN(12) {
	case 0:
		return exact
	case 1:
		return exact.Round(2)
	case 2:
		return exact.RoundUp(4)
	case 3: // just within, or just beyond, what four decimals can tell
		return exact.Round(4).Add(decimal.New(g.Int64N(5)-2, -4)).Abs()
	case 4: // the car had its own idea
		return g.decimal(3)
	}
	return exact.Round(4)
}

func (g *generator) add(p *ocpi.ChargingPeriod, what ocpi.CDRDimensionType, volume decimal.Decimal) {
	for _, d := range p.Dimensions {
		if d.Type == what {
			return
		}
	}
	d := ocpi.CDRDimension{Type: what, Volume: ocpi.Number(volume)}
	p.Dimensions = slices.Insert(p.Dimensions, g.IntN(len(p.Dimensions)+1), d)
}

// level adds the lowest and the highest value of a level, or only one of them.
func (g *generator) level(p *ocpi.ChargingPeriod, least, most ocpi.CDRDimensionType) {
	low, spread := g.decimal(40), decimal.New(g.Int64N(3), 0)
	g.levels = append(g.levels, low, low.Add(spread))
	if !g.one(6) {
		g.add(p, least, low)
	}
	if !g.one(6) {
		g.add(p, most, low.Add(spread))
	}
}

// disorder does to the CDR what partners do.
func (g *generator) disorder() {
	c := &g.cdr
	if g.one(10) {
		g.Shuffle(len(c.ChargingPeriods), func(i, j int) {
			c.ChargingPeriods[i], c.ChargingPeriods[j] = c.ChargingPeriods[j], c.ChargingPeriods[i]
		})
	}
	switch g.IntN(30) {
	case 0, 1: // the session began before its first period …
		c.StartDateTime = c.StartDateTime.Add(-time.Duration(g.IntN(60)) * time.Minute)
	case 2, 3: // … or after
		c.StartDateTime = c.StartDateTime.Add(time.Duration(g.IntN(60)) * time.Minute)
	case 4:
		c.StartDateTime = time.Unix(0, 0).UTC() // TYP-07
	case 5:
		c.EndDateTime = time.Unix(0, 0).UTC()
	case 6:
		c.EndDateTime = c.EndDateTime.Add(time.Duration(g.IntN(61)-30) * time.Minute)
	case 7:
		c.EndDateTime = time.Time{}
	}
}

// tariffs makes the tariffs and names them in the periods (PRC-01, CDR-22).
func (g *generator) tariffs() {
	c := &g.cdr
	count := pick(g.Rand, 1, 1, 1, 1, 1, 1, 2, 2, 3)
	if g.one(50) {
		count = 0
	}
	for i := range count {
		c.Tariffs = append(c.Tariffs, g.tariff(ocpi.CiString("T"+string(rune('a'+i)))))
	}
	if count == 0 || count == 1 && g.one(2) || g.one(20) {
		return
	}
	current := c.Tariffs[0].ID
	for i := range c.ChargingPeriods {
		if g.one(3) {
			current = pick(g.Rand, c.Tariffs...).ID
		}
		c.ChargingPeriods[i].TariffID = current
		switch g.IntN(25) {
		case 0:
			c.ChargingPeriods[i].TariffID = ""
		case 1:
			c.ChargingPeriods[i].TariffID = "nobody's"
		case 2:
			c.ChargingPeriods[i].TariffID = ocpi.CiString(strings.ToUpper(string(current)))
		}
	}
}

func (g *generator) tariff(id ocpi.CiString) ocpi.Tariff {
	t := ocpi.Tariff{CountryCode: "DE", PartyID: "CPO", ID: id, Currency: "EUR", LastUpdated: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for range 1 + g.IntN(5) {
		e := ocpi.TariffElement{Restrictions: g.restrictions()}
		kinds := []ocpi.TariffDimensionType{ocpi.ComponentFlat, ocpi.ComponentEnergy, ocpi.ComponentTime, ocpi.ComponentParkingTime}
		g.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for _, kind := range kinds[:1+g.IntN(4)] {
			e.PriceComponents = append(e.PriceComponents, g.component(kind))
		}
		if g.one(40) {
			e.PriceComponents = append(e.PriceComponents, g.component(kinds[0])) // PRC-06
		}
		t.Elements = append(t.Elements, e)
	}
	if g.hasReservation() && !g.one(6) || g.one(15) {
		for range 1 + g.IntN(3) {
			e := ocpi.TariffElement{Restrictions: &ocpi.TariffRestrictions{}}
			if g.one(4) {
				e.Restrictions = cmpOr(g.restrictions(), e.Restrictions)
			}
			e.Restrictions.Reservation = pick(g.Rand, ocpi.ReservationActive, ocpi.ReservationActive, ocpi.ReservationExpires)
			for _, kind := range pick(g.Rand, []ocpi.TariffDimensionType{ocpi.ComponentTime}, []ocpi.TariffDimensionType{ocpi.ComponentFlat},
				[]ocpi.TariffDimensionType{ocpi.ComponentFlat, ocpi.ComponentTime}, []ocpi.TariffDimensionType{ocpi.ComponentEnergy, ocpi.ComponentTime}) {
				e.PriceComponents = append(e.PriceComponents, g.component(kind))
			}
			t.Elements = slices.Insert(t.Elements, g.IntN(len(t.Elements)+1), e)
		}
	}
	return t
}

func cmpOr(a, b *ocpi.TariffRestrictions) *ocpi.TariffRestrictions {
	if a != nil {
		return a
	}
	return b
}

func (g *generator) hasReservation() bool {
	for _, p := range g.cdr.ChargingPeriods {
		for _, d := range p.Dimensions {
			if d.Type == ocpi.DimensionReservationTime {
				return true
			}
		}
	}
	return false
}

func (g *generator) component(kind ocpi.TariffDimensionType) ocpi.PriceComponent {
	c := ocpi.PriceComponent{Type: kind, Price: ocpi.Number(g.decimal(pick(g.Rand, int64(1), 1, 5, 20)))}
	if g.one(60) {
		c.Price.Decimal = c.Price.Decimal.Neg() // a discount
	}
	if !g.one(4) {
		c.VAT = ocpi.Number(pick(g.Rand, decimal.Zero, decimal.New(7, 0), decimal.New(10, 0), decimal.New(19, 0), decimal.New(190, -1),
			decimal.New(20, 0), decimal.New(52, -1), decimal.New(1375, -2)))
	}
	if !g.one(20) {
		c.StepSize = ocpi.Ptr(pick(g.Rand, 0, 1, 1, 1, 7, 60, 60, 100, 300, 500, 600, 900, 1000, 1800, 3600, 86400, 100000, 2000000000))
	}
	return c
}

// restrictions are the circumstances of an element, chosen where the session goes; often there are none.
func (g *generator) restrictions() *ocpi.TariffRestrictions {
	if g.one(3) {
		return nil
	}
	r := &ocpi.TariffRestrictions{}
	for range 1 + g.IntN(3) {
		switch g.IntN(7) {
		case 0:
			r.StartTime, r.EndTime = g.clock(), g.clock()
			switch g.IntN(8) {
			case 0:
				r.StartTime = ""
			case 1:
				r.EndTime = ""
			case 2:
				r.EndTime = r.StartTime
			case 3:
				r.EndTime = "00:00"
			case 4:
				r.StartTime = "00:00"
			}
		case 1:
			r.StartDate = g.date()
			if g.one(2) {
				r.StartDate, r.EndDate = "", r.StartDate
			} else if g.one(2) {
				r.EndDate = g.date()
			}
		case 2:
			days := []ocpi.DayOfWeek{ocpi.Monday, ocpi.Tuesday, ocpi.Wednesday, ocpi.Thursday, ocpi.Friday, ocpi.Saturday, ocpi.Sunday}
			g.Shuffle(len(days), func(i, j int) { days[i], days[j] = days[j], days[i] })
			r.DayOfWeek = days[:g.IntN(8)]
		case 3:
			r.MinKWh, r.MaxKWh = g.span(g.meter)
		case 4:
			r.MinCurrent, r.MaxCurrent = g.span(g.levels)
		case 5:
			r.MinPower, r.MaxPower = g.span(g.levels)
		case 6:
			seconds := func() *int {
				return ocpi.Ptr(max(0, int(pick(g.Rand, g.instants...).Sub(g.instants[0])/time.Second)+g.IntN(3)-1))
			}
			r.MinDuration, r.MaxDuration = seconds(), seconds()
			switch g.IntN(4) {
			case 0:
				r.MinDuration = nil
			case 1, 2:
				r.MaxDuration = nil
			}
		}
	}
	return r
}

// clock is a time of day, often one at which a period begins or a minute beside it.
func (g *generator) clock() string {
	if g.one(6) {
		return pick(g.Rand, "00:00", "02:00", "02:30", "03:00", "23:59")
	}
	zone := g.zone
	if zone == nil {
		zone = time.UTC
	}
	return pick(g.Rand, g.instants...).In(zone).Add(time.Duration(g.IntN(3)-1) * time.Minute).Format("15:04")
}

func (g *generator) date() string {
	return pick(g.Rand, g.instants...).AddDate(0, 0, g.IntN(4)-1).Format("2006-01-02")
}

// span is a range whose ends lie where the session goes.
func (g *generator) span(on []decimal.Decimal) (least, most decimal.NullDecimal) {
	end := func() decimal.NullDecimal {
		if len(on) == 0 || g.one(5) {
			return ocpi.Number(g.decimal(30))
		}
		return ocpi.Number(pick(g.Rand, on...))
	}
	switch g.IntN(4) {
	case 0:
		return end(), decimal.NullDecimal{}
	case 1:
		return decimal.NullDecimal{}, end()
	}
	least, most = end(), end()
	if least.Decimal.GreaterThan(most.Decimal) {
		least, most = most, least
	}
	return least, most
}

// limits adds minimum and maximum prices near what the session costs.
func (g *generator) limits() {
	cost := Case{CDR: g.cdr, Zone: g.zone}.Price().Total
	amount := func(near *big.Rat) decimal.Decimal {
		factor := big.NewRat(g.Int64N(21), 10)
		d := decimal.NewFromBigRat(new(big.Rat).Mul(new(big.Rat).Abs(near), factor), int32(g.IntN(5)))
		if g.one(5) {
			d = g.decimal(5)
		}
		return d
	}
	for i := range g.cdr.Tariffs {
		t := &g.cdr.Tariffs[i]
		least := &ocpi.Price{ExclVAT: ocpi.Number(amount(cost.Excl)), InclVAT: ocpi.Number(amount(cost.Incl))}
		most := &ocpi.Price{ExclVAT: ocpi.Number(amount(cost.Excl)), InclVAT: ocpi.Number(amount(cost.Incl))}
		if least.ExclVAT.Decimal.GreaterThan(most.ExclVAT.Decimal) { // a minimum above the maximum means nothing
			least.ExclVAT, most.ExclVAT = most.ExclVAT, least.ExclVAT
		}
		if least.InclVAT.Decimal.GreaterThan(most.InclVAT.Decimal) {
			least.InclVAT, most.InclVAT = most.InclVAT, least.InclVAT
		}
		if g.one(3) {
			least.InclVAT = decimal.NullDecimal{}
		}
		if g.one(3) {
			most.InclVAT = decimal.NullDecimal{}
		}
		if g.one(4) {
			t.MinPrice = least
		}
		if g.one(4) {
			t.MaxPrice = most
		}
	}
}
