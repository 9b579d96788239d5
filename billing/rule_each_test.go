package billing_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Each rule with a CDR that it flags and a similar one that it does not.
func TestEveryRule(t *testing.T) {
	type change = func(*billing.Evidence)
	start := time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)
	near := func(set func(*billing.Neighbour)) change { // another session in the afternoon, at the same place
		return func(e *billing.Evidence) {
			n := billing.Neighbour{
				SameCard: true, Earlier: true, Start: start.Add(5 * time.Hour), End: start.Add(6 * time.Hour), KWh: decimal.NewFromInt(10),
				EVSE: "DE*CPO*E1", Latitude: number("53.55"), Longitude: number("9.99"),
			}
			set(&n)
			e.Neighbours = append(e.Neighbours, n)
		}
	}
	many := func(n int, kwh string) change {
		return func(e *billing.Evidence) {
			for i := range n {
				near(func(other *billing.Neighbour) {
					other.Start, other.KWh = start.Add(-time.Duration(i+2)*time.Hour), decimal.RequireFromString(kwh)
					other.End = other.Start.Add(time.Hour)
				})(e)
			}
		}
	}
	energy := func(kwh string) change {
		return func(e *billing.Evidence) {
			e.CDR.TotalEnergy, e.CDR.ChargingPeriods[0].Dimensions[0].Volume = number(kwh), number(kwh)
		}
	}
	cost := func(excl string) change {
		return func(e *billing.Evidence) { e.CDR.TotalCost.ExclVAT = number(excl) }
	}
	both := func(changes ...change) change {
		return func(e *billing.Evidence) {
			for _, c := range changes {
				c(e)
			}
		}
	}
	dc := func(e *billing.Evidence) { e.CDR.CDRLocation.ConnectorPowerType = ocpi.PowerDC }
	ends := func(at time.Duration) change {
		return func(e *billing.Evidence) { e.CDR.EndDateTime = start.Add(at) }
	}
	comes := func(after time.Duration) change {
		return func(e *billing.Evidence) { e.ReceivedAt = e.CDR.EndDateTime.Add(after) }
	}
	published := func(effect string) []billing.TariffComparison {
		return []billing.TariffComparison{{Published: true, Effect: billing.Amount{ExclVAT: decimal.RequireFromString(effect)}}}
	}
	day := 24 * time.Hour
	price := func(excl, incl string) *ocpi.Price { return &ocpi.Price{ExclVAT: number(excl), InclVAT: number(incl)} }

	rules := map[string]struct {
		severity billing.Severity
		flagged  change
		spared   change
	}{
		"P02.session": {billing.Block, near(func(n *billing.Neighbour) { n.Session = "s1" }), near(func(n *billing.Neighbour) { n.Session, n.Earlier = "s1", false })},
		"P02.start": {billing.Block, near(func(n *billing.Neighbour) { n.Start = start.Add(-59 * time.Second) }),
			near(func(n *billing.Neighbour) { n.Start = start.Add(60 * time.Second) })},
		"P03": {billing.Flag, near(func(n *billing.Neighbour) { n.Start = start.Add(57 * time.Minute) }), near(func(n *billing.Neighbour) { n.Start = start.Add(58 * time.Minute) })},
		// Hamburg to Berlin, 255 km, in one hour or in two.
		"P04": {billing.Flag, near(func(n *billing.Neighbour) {
			n.Start, n.Latitude, n.Longitude = start.Add(2*time.Hour), number("52.52"), number("13.40")
		}),
			near(func(n *billing.Neighbour) {
				n.Start, n.Latitude, n.Longitude = start.Add(3*time.Hour), number("52.52"), number("13.40")
			})},
		"P05": {billing.Block, energy("24.3"), energy("24.1")},
		"P06.battery": {billing.Flag, func(e *billing.Evidence) { e.Car = &billing.Car{Battery: number("16")} },
			func(e *billing.Evidence) { e.Car = &billing.Car{Battery: number("17")} }},
		"P06.power": {billing.Flag, func(e *billing.Evidence) { e.Car = &billing.Car{MaxAC: number("11")} },
			func(e *billing.Evidence) { e.Car = &billing.Car{MaxDC: number("11")} }},
		"P07.ac":   {billing.Flag, energy("121"), both(energy("121"), dc)},
		"P07.dc":   {billing.Flag, both(energy("301"), dc), both(energy("300"), dc)},
		"P08":      {billing.Block, cost("-5"), both(cost("-5"), func(e *billing.Evidence) { e.CDR.Credit = true })},
		"P09":      {billing.Flag, both(energy("0"), cost("1")), both(energy("0"), cost("0"))},
		"P10.time": {billing.Info, ends(119 * time.Second), ends(2 * time.Minute)},
		"P10.energy": {billing.Info, energy("0.4"), both(energy("0"), func(e *billing.Evidence) { // nobody came for what was reserved
			e.CDR.ChargingPeriods[0].Dimensions = []ocpi.CDRDimension{{Type: ocpi.DimensionReservationTime, Volume: number("1")}}
		})},
		"P11":        {billing.Flag, ends(day + time.Minute), ends(day)},
		"P12":        {billing.Block, ends(-time.Second), ends(time.Second)},
		"P13":        {billing.Block, comes(-6 * time.Minute), comes(-5 * time.Minute)},
		"P14.energy": {billing.Flag, func(e *billing.Evidence) { e.CDR.TotalEnergy = number("20.3") }, func(e *billing.Evidence) { e.CDR.TotalEnergy = number("20.2") }},
		"P14.time":   {billing.Flag, func(e *billing.Evidence) { e.CDR.TotalTime = number("1.02") }, func(e *billing.Evidence) { e.CDR.TotalTime = number("1.016") }},
		"P14.order":  {billing.Flag, func(e *billing.Evidence) { e.CDR.StartDateTime = start.Add(time.Minute) }, func(*billing.Evidence) {}},
		"P15": {billing.Flag, func(e *billing.Evidence) { e.CDR.TotalEnergyCost = price("4.98", "4.98") },
			func(e *billing.Evidence) { e.CDR.TotalEnergyCost = price("4.99", "4.99") }},
		"P16": {billing.Flag, cost("5.06"), cost("5.05")},
		"P17.unknown": {billing.Flag, func(e *billing.Evidence) { e.Tariffs = billing.TariffProof{Publishes: true, Unknown: 1} },
			func(e *billing.Evidence) { e.Tariffs = billing.TariffProof{Unknown: 1} }},
		"P17.place": {billing.Flag, func(e *billing.Evidence) { e.Tariffs = billing.TariffProof{Publishes: true, Elsewhere: 1} },
			func(e *billing.Evidence) { e.Tariffs = billing.TariffProof{Publishes: true} }},
		"P17.changed": {billing.Flag, func(e *billing.Evidence) { e.Verdict.Tariffs = published("0.02") },
			func(e *billing.Evidence) { e.Verdict.Tariffs = published("0.01") }},
		"P18": {billing.Block, func(e *billing.Evidence) { e.CDR.Currency = "CHF" }, func(e *billing.Evidence) { e.CDR.Currency, e.Agreed = "CHF", "CHF" }},
		"P19.sides": {billing.Flag, func(e *billing.Evidence) { e.CDR.TotalCost.InclVAT = number("4.20") },
			func(e *billing.Evidence) { e.CDR.TotalCost.InclVAT = number("5") }},
		"P19.rate": {billing.Flag, func(e *billing.Evidence) { e.VATRate, e.CDR.TotalCost.InclVAT = number("19"), number("6") },
			func(e *billing.Evidence) { e.VATRate, e.CDR.TotalCost.InclVAT = number("19"), number("5.95") }},
		"P21": {billing.Flag, func(e *billing.Evidence) { e.Token = billing.TokenProof{Known: true, Blocked: true} },
			func(e *billing.Evidence) { e.Token = billing.TokenProof{Known: true} }},
		"P22": {billing.Flag, func(e *billing.Evidence) { e.CDR.AuthMethod = ocpi.AuthCommand },
			func(e *billing.Evidence) {
				e.CDR.AuthMethod, e.CDR.AuthorizationReference, e.Authorized.Reference = ocpi.AuthCommand, "ours", true
			}},
		"P23": {billing.Block, func(e *billing.Evidence) { e.CDR.CDRLocation.EVSEID = "DE*OTH*E1*2" },
			func(e *billing.Evidence) { e.CDR.CDRLocation.EVSEID = "DECPOE12" }},
		"P24": {billing.Flag, func(e *billing.Evidence) { e.Place = billing.PlaceProof{Publishes: true} }, func(*billing.Evidence) {}},
		"P25": {billing.Flag, comes(61 * day), comes(7 * day)},
		"P25.agreed": {billing.Block, both(comes(8*day), func(e *billing.Evidence) { e.MaxDays = number("7") }),
			both(comes(7*day), func(e *billing.Evidence) { e.MaxDays = number("7") })},
		"P28.ac": {billing.Flag, cost("24.01"), cost("24")},
		"P28.dc": {billing.Flag, both(cost("30.01"), dc), both(cost("30"), dc)},
		"P28.usual": {billing.Flag, func(e *billing.Evidence) {
			e.EVSECosts = billing.CostStatistics{Sessions: 10, Mean: decimal.RequireFromString("0.5"), Deviation: decimal.RequireFromString("0.08")}
		}, func(e *billing.Evidence) {
			e.EVSECosts = billing.CostStatistics{Sessions: 9, Mean: decimal.RequireFromString("0.5"), Deviation: decimal.RequireFromString("0.08")}
		}},
		"P29":          {billing.Flag, func(e *billing.Evidence) { e.RetailNet = number("4.99").Decimal }, func(e *billing.Evidence) { e.RetailNet = number("5").Decimal }},
		"P30.sessions": {billing.Flag, many(6, "1"), many(5, "1")},
		"P30.energy":   {billing.Flag, many(2, "65.1"), many(2, "65")},
		"P31.proof": {billing.Block, func(e *billing.Evidence) { e.Meter, e.NeedsMeter = &billing.MeterProof{}, true },
			func(e *billing.Evidence) { e.Meter, e.NeedsMeter = &billing.MeterProof{Valid: true}, true }},
		"P31.energy": {billing.Flag, func(e *billing.Evidence) { e.Meter = &billing.MeterProof{Valid: true, Energy: number("20.3")} },
			func(e *billing.Evidence) { e.Meter = &billing.MeterProof{Valid: true, Energy: number("20.2")} }},
		"P33": {billing.Flag, func(e *billing.Evidence) {
			e.CDR.HomeChargingCompensation, e.Place = true, billing.PlaceProof{Location: true, EVSE: true, Public: true}
		}, func(e *billing.Evidence) {
			e.CDR.HomeChargingCompensation, e.Place = true, billing.PlaceProof{Location: true, EVSE: true, Driveway: true}
		}},
		"P34": {billing.Flag, func(e *billing.Evidence) { e.Wholesale.Findings = []billing.Finding{{Code: "period-not-split"}} },
			func(e *billing.Evidence) {
				e.Wholesale.Findings = []billing.Finding{{Code: "period-not-split"}}
				for _, minute := range []time.Duration{15, 30, 45} {
					e.CDR.ChargingPeriods = append(e.CDR.ChargingPeriods, ocpi.ChargingPeriod{StartDateTime: start.Add(minute * time.Minute)})
				}
			}},
	}
	severityOf := func(key string, c change) billing.Severity {
		cdr := sessionDoc(t, "11:00", "10:00 ENERGY=20 TIME=1")
		cdr.CountryCode, cdr.PartyID, cdr.SessionID, cdr.CDRLocation.EVSEID = "DE", "CPO", "S1", "DE*CPO*E1"
		cdr.CDRLocation.Coordinates = ocpi.GeoLocation{Latitude: "53.55", Longitude: "9.99"}
		cdr.TotalCost.ExclVAT, cdr.TotalEnergy, cdr.TotalTime = number("5"), number("20"), number("1")
		e := billing.Evidence{CDR: cdr, RetailNet: decimal.NewFromInt(8), Retail: billing.Rating{Currency: "EUR"}, ReceivedAt: cdr.EndDateTime.Add(time.Hour)}
		cdr.Currency = "EUR"
		c(&e)
		findings, tariffs := e.Wholesale.Findings, e.Verdict.Tariffs
		e.Wholesale = billing.Rate(e.CDR, compile(tariffDoc(t, "T", element("", "ENERGY 0.25 - 1"))), time.UTC, billing.DefaultPolicy)
		e.Wholesale.Findings = append(e.Wholesale.Findings, findings...)
		e.Verdict = billing.Check(e.CDR, e.Wholesale, billing.DefaultTolerance)
		e.Verdict.Tariffs = tariffs
		for _, f := range billing.Judge(e) {
			if f.Params["rule"] == key {
				return f.Severity
			}
		}
		return "none"
	}
	for key, c := range rules {
		if got := severityOf(key, c.flagged); got != c.severity {
			t.Errorf("%s: %s, want %s", key, got, c.severity)
		}
		if got := severityOf(key, c.spared); got != "none" {
			t.Errorf("%s: %s where it has nothing to say", key, got)
		}
	}

	seen, ids := map[string]bool{}, map[string]bool{}
	for i := range billing.Rules {
		rule := &billing.Rules[i]
		key := rule.Key()
		if seen[key] {
			t.Errorf("%s stands there twice", key)
		}
		seen[key], ids[rule.ID] = true, true
		if found, ok := billing.RuleByKey(key); !ok || found != rule {
			t.Errorf("%s is not found by its key", key)
		}
		for _, text := range []billing.Text{rule.What, rule.Cause, rule.Action} {
			if text.DE == "" || text.EN == "" || text.DE == text.EN {
				t.Errorf("%s has no text in one language", key)
			}
		}
		_, tested := rules[key]
		limits := rule.Info.Valid || rule.Flag.Valid || rule.Block.Valid
		if rule.At == "" != (tested && limits) {
			t.Errorf("%s: tested %v, limits %v, at %q", key, tested, limits, rule.At)
		}
	}
	for n := 1; n <= 34; n++ {
		if id := "P" + strings.TrimPrefix(decimal.NewFromInt(int64(100+n)).String(), "1"); !ids[id] {
			t.Errorf("there is no %s", id)
		}
	}
}

// A rule that is switched off measures and says nothing; a widened limit is that of the CDR that widened it.
func TestRulebook(t *testing.T) {
	cdr := sessionDoc(t, "11:00", "10:00 ENERGY=30 TIME=1")
	cdr.TotalEnergy = number("30")
	e := billing.Evidence{CDR: cdr}
	rule, _ := billing.RuleByKey("P05")
	plain := billing.Rulebook(nil).Judge(e)
	measure := plain.Measures["P05"]
	if len(plain.Findings) == 0 || measure.String() != "136.3636" {
		t.Fatalf("%+v", plain)
	}
	for name, c := range map[string]struct {
		setting billing.Setting
		want    int
	}{
		"off":     {billing.Setting{}, 0},
		"widened": {billing.Setting{Enabled: true, Limits: rule.Accepting(measure, rule.Limits)}, 0},
		"narrow":  {billing.Setting{Enabled: true, Limits: billing.Limits{Flag: number("136.3635")}}, 1},
	} {
		j := billing.Rulebook{"P05": c.setting}.Judge(e)
		n := 0
		for _, f := range j.Findings {
			if f.Code == "P05" {
				n++
			}
		}
		if n != c.want || !j.Measures["P05"].Equal(measure) {
			t.Errorf("%s: %d findings, %v", name, n, j.Measures)
		}
	}
	below, _ := billing.RuleByKey("P10.time")
	if got := below.Accepting(number("1.5").Decimal, below.Limits); !got.Info.Decimal.Equal(number("1.5").Decimal) || got.Flag.Valid {
		t.Errorf("%+v", got)
	}
}
