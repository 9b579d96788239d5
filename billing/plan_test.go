package billing_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// blocked is 0.59 €/kWh, and from the 240th minute on 0.10 €/min by day, at most 12 € a session.
const blocked = `{"id":"B","currency":"EUR","tax_included":"YES","elements":[
	{"fee":"BLOCKING","price_components":[{"type":"TIME","price":6,"vat":19,"step_size":60},{"type":"PARKING_TIME","price":6,"vat":19,"step_size":60}],
		"restrictions":{"min_duration":14400,"start_time":"08:00","end_time":"22:00"}},
	{"price_components":[{"type":"ENERGY","price":0.59,"vat":19,"step_size":1}]}],
	"caps":[{"dimensions":["BLOCKING"],"max":12}]}`

func planOf(t testing.TB, doc string) billing.Plan {
	t.Helper()
	plan, err := billing.ParsePlan([]byte(doc))
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return plan
}

// simple is a plan with one element and more members.
func simple(components []string, more string) string {
	return `{"id":"S","currency":"EUR","tax_included":"YES","elements":[` + element("", slices.Clone(components)...) + `],` + more + `}`
}

func TestParsePlan(t *testing.T) {
	p := planOf(t, `{"id":"V","currency":"EUR","tax_included":"YES","_note":"ours","elements":[
		{"fee":"BLOCKING","price_components":[{"type":"PARKING_TIME","price":6,"vat":19,"step_size":60}],"restrictions":{"min_duration":14400}},
		{"price_components":[{"type":"ENERGY","price":0.49,"vat":19,"step_size":1}]}],
		"caps":[{"dimensions":["BLOCKING","PARKING_TIME"],"max":12.00}],
		"allowances":[{"id":"FREI","unit":"kWh","quantity":20,"per":"MONTH","where":{"own":true,"current":"AC"}},{"id":"MIN","unit":"min","quantity":60,"dimensions":["BLOCKING"]},
			{"id":"EIN","unit":"session","quantity":1}],
		"discounts":[{"name":"Sommer","percent":10,"start_date_time":"2026-06-01T00:00:00Z","end_date_time":"2026-09-01T00:00:00Z"},{"name":"Start","amount":1,"dimensions":["FLAT"]}],
		"base_fee":{"price":4.9,"vat":19},"one_off_fees":[{"kind":"ACTIVATION","price":9.9},{"kind":"CARD","price":0},{"kind":"EXTRA_CARD","price":5}]}`)
	if !p.TaxIncluded || !p.Blocking[0] || p.Blocking[1] || !p.Caps[0].Max.Equal(decimal.NewFromInt(12)) || len(p.Caps[0].Of) != 2 {
		t.Errorf("%+v", p)
	}
	if a := p.Allowances[0]; !a.Where.Own || a.Where.Current != billing.AC || a.Of[0] != billing.Energy || len(p.Allowances[2].Of) != 4 {
		t.Errorf("allowances %+v", p.Allowances)
	}
	if d := p.Discounts; d[0].To.Month() != time.September || !d[1].Amount.Equal(decimal.NewFromInt(1)) || d[1].Of[0] != billing.Flat {
		t.Errorf("discounts %+v", d)
	}
	if fee, ok := p.Fee(billing.FeeBase); !ok || fee.Price.String() != "4.9" {
		t.Errorf("base fee %+v", fee)
	}
	if _, ok := p.Fee(billing.FeeCard); ok {
		t.Error("a card for nothing costs something")
	}
	if fee, ok := p.Fee(billing.FeeExtraCard); !ok || fee.Price.String() != "5" {
		t.Errorf("further card %+v", fee)
	}
}

// Each fault is named with its path, the rule and the value.
func TestParsePlanNamesFaults(t *testing.T) {
	for more, want := range map[string]string{
		`"tax_included":"MAYBE"`: `tax_included: YES or NO, got "MAYBE"`,
		`"cap":[]`:               `cap: not a member of a plan`,
		`"caps":{}`:              `caps: must be a list`,
		`"caps":[{"max":1}]`:     `caps[0].dimensions: required`,
		`"caps":[{"dimensions":["WATER"],"max":1}]`:                                                                              `caps[0].dimensions[0]: one of FLAT, ENERGY, TIME, PARKING_TIME, BLOCKING, RESERVATION_FLAT, RESERVATION_TIME, got "WATER"`,
		`"caps":[{"dimensions":["TIME","TIME"],"max":1}]`:                                                                        `caps[0].dimensions[1]: not used twice, got "TIME"`,
		`"caps":[{"dimensions":["TIME"]}]`:                                                                                       `caps[0].max: required`,
		`"caps":[{"dimensions":["TIME"],"max":-1}]`:                                                                              `caps[0].max: a usable amount of at least 0, got "-1"`,
		`"caps":[{"dimensions":["TIME"],"max":"zwölf"}]`:                                                                         `caps[0].max: must be a number`,
		`"caps":[{"dimensions":["TIME"],"max":1,"maximum":2}]`:                                                                   `caps[0].maximum: not a member of a plan`,
		`"allowances":[{"unit":"kWh","quantity":1}]`:                                                                             `allowances[0].id: required`,
		`"allowances":[{"id":"A","unit":"kg","quantity":1}]`:                                                                     `allowances[0].unit: kWh, min or session, got "kg"`,
		`"allowances":[{"id":"A","unit":"kWh"}]`:                                                                                 `allowances[0].quantity: required`,
		`"allowances":[{"id":"A","unit":"kWh","quantity":0}]`:                                                                    `allowances[0].quantity: a usable number above 0, got "0"`,
		`"allowances":[{"id":"A","unit":"session","quantity":1.5}]`:                                                              `allowances[0].quantity: a whole number of sessions, got "1.5"`,
		`"allowances":[{"id":"A","unit":"kWh","quantity":1,"dimensions":["TIME"]}]`:                                              `allowances[0].dimensions[0]: one of ENERGY, got "TIME"`,
		`"allowances":[{"id":"A","unit":"kWh","quantity":1,"per":"YEAR"}]`:                                                       `allowances[0].per: MONTH, got "YEAR"`,
		`"allowances":[{"id":"A","unit":"kWh","quantity":1,"where":{"cpo":"X"}}]`:                                                `allowances[0].where.cpo: a party such as DE*ABC, got "X"`,
		`"allowances":[{"id":"A","unit":"kWh","quantity":1,"where":{"land":"DE"}}]`:                                              `allowances[0].where.land: not a member of a plan`,
		`"allowances":[{"id":"A","unit":"kWh","quantity":1},{"id":"A","unit":"kWh","quantity":1}]`:                               `allowances[1].id: not used twice, got "A"`,
		`"discounts":[{"percent":5}]`:                                                                                            `discounts[0].name: required`,
		`"discounts":[{"name":"D"}]`:                                                                                             `discounts[0].percent: either percent or amount`,
		`"discounts":[{"name":"D","percent":5,"amount":1}]`:                                                                      `discounts[0].percent: either percent or amount`,
		`"discounts":[{"name":"D","percent":101}]`:                                                                               `discounts[0].percent: above 0 and at most 100, got "101"`,
		`"discounts":[{"name":"D","amount":0}]`:                                                                                  `discounts[0].amount: a usable number above 0, got "0"`,
		`"discounts":[{"name":"D","percent":5,"start_date_time":"2026-02-01T00:00:00Z","end_date_time":"2026-01-01T00:00:00Z"}]`: `discounts[0].end_date_time: after start_date_time, got "2026-01-01T00:00:00Z"`,
		`"base_fee":{"vat":19}`:                                                                                                  `base_fee.price: required`,
		`"base_fee":{"price":1,"per":"YEAR"}`:                                                                                    `base_fee.per: MONTH, got "YEAR"`,
		`"base_fee":{"price":1,"kind":"CARD"}`:                                                                                   `base_fee.kind: BASE or absent, got "CARD"`,
		`"base_fee":{"price":1,"vat":-1}`:                                                                                        `base_fee.vat: a usable percentage, got "-1"`,
		`"one_off_fees":[{"kind":"PARTY","price":1}]`:                                                                            `one_off_fees[0].kind: ACTIVATION, CARD or EXTRA_CARD, got "PARTY"`,
		`"one_off_fees":[{"kind":"CARD","price":1},{"kind":"CARD","price":2}]`:                                                   `one_off_fees[1].kind: not used twice, got "CARD"`,
		`"min_price":{"incl_vat":-1}`:                                                                                            `min_price.incl_vat: at least 0, got "-1"`,
		`"max_price":{"excl_vat":-0.5}`:                                                                                          `max_price.excl_vat: at least 0, got "-0.5"`,
		`"one_off_fees":[{"kind":"CARD","price":1,"per":"MONTH"}]`:                                                               `one_off_fees[0].per: absent: it is due once, got "MONTH"`,
	} {
		doc := strings.Replace(simple([]string{"ENERGY 0.5 19 1"}, more), `"tax_included":"YES",`, "", 1)
		if _, err := billing.ParsePlan([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", more, err, want)
		}
	}
	for doc, want := range map[string]string{
		`{"currency":"EUR","elements":[{"fee":"FUN","price_components":[{"type":"TIME","price":1,"step_size":1}]}]}`:          `elements[0].fee: BLOCKING or absent, got "FUN"`,
		`{"currency":"EUR","elements":[{"fee":"BLOCKING","price_components":[{"type":"ENERGY","price":1,"step_size":1}]}]}`:   `elements[0].price_components[0].type: TIME or PARKING_TIME in an element that is a blocking fee, got "ENERGY"`,
		`{"currency":"EUR","elements":[{"price_components":[{"type":"TIME","price":-1,"step_size":1}]}]}`:                     `elements[0].price_components[0].price: at least 0, got "-1"`,
		`{"currency":"EUR","elements":[{"price_components":[{"type":"TIME","price":1,"step_size":1,"prize":2}]}]}`:            `elements[0].price_components[0].prize: not a member of a plan`,
		`{"currency":"EUR","elements":[{"price_component":[],"price_components":[{"type":"TIME","price":1,"step_size":1}]}]}`: `elements[0].price_component: not a member of a plan`,
	} {
		var refused *ocpi.Error
		if _, err := billing.ParsePlan([]byte(doc)); !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", doc, err, want)
		}
	}
}

// What a session costs by a plan, and how that reads. Times are UTC; Berlin is an hour ahead.
func TestRetailRate(t *testing.T) {
	energy := []string{"ENERGY 0.50 19 1"}
	for _, c := range []struct {
		name     string
		plan     string
		end      string
		periods  []string
		left     map[string]string
		at       billing.ChargePoint
		total    string // with VAT
		used     string
		sentence string
		english  string
	}{
		{name: "before the blocking fee begins", plan: blocked, end: "14:00", periods: []string{"10:00 ENERGY=20 TIME=4"},
			total: "11.8", sentence: "20,000 kWh × 0,59 €/kWh = 11,80 €"},
		{name: "a period that the CPO had no reason to cut", plan: blocked, end: "15:00", periods: []string{"10:00 ENERGY=20 TIME=5"},
			total: "17.8", sentence: "20,000 kWh × 0,59 €/kWh + 60 min Blockiergebühr × 0,10 €/min = 17,80 €"},
		{name: "charging first, then parking, in one period", plan: blocked, end: "15:00", periods: []string{"10:00 ENERGY=20 TIME=2 PARKING_TIME=3"},
			total: "17.8", sentence: "20,000 kWh × 0,59 €/kWh + 60 min Blockiergebühr × 0,10 €/min = 17,80 €"},
		{name: "the cap", plan: blocked, end: "16:34", periods: []string{"10:00 ENERGY=20 TIME=4", "14:00 PARKING_TIME=2.5667"},
			total: "23.8", sentence: "20,000 kWh × 0,59 €/kWh + 154 min Blockiergebühr × 0,10 €/min − 3,40 € Höchstbetrag Blockiergebühr = 23,80 €",
			english: "20.000 kWh × 0.59 €/kWh + 154 min blocking fee × 0.10 €/min − 3.40 € maximum blocking fee = 23.80 €"},
		{name: "the night break: 18:00 to 09:00 in Berlin, free from 22:00 to 08:00, so from 22:00 on nothing but 08:00 to 09:00", plan: blocked,
			end: "2024-01-16T08:00:00Z", periods: []string{"17:00 ENERGY=20 TIME=15"},
			total: "17.8", sentence: "20,000 kWh × 0,59 €/kWh + 60 min Blockiergebühr × 0,10 €/min = 17,80 €"},
		{name: "free kWh, a part", plan: simple(energy, `"allowances":[{"id":"A","unit":"kWh","quantity":12}]`), end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"},
			total: "4", used: "A=12", sentence: "20,000 kWh × 0,50 €/kWh − 12,000 kWh Freimenge × 0,50 €/kWh = 4,00 €",
			english: "20.000 kWh × 0.50 €/kWh − 12.000 kWh free quota × 0.50 €/kWh = 4.00 €"},
		{name: "free kWh, what is left of them", plan: simple(energy, `"allowances":[{"id":"A","unit":"kWh","quantity":12}]`), end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"},
			left: map[string]string{"A": "2.5"}, total: "8.75", used: "A=2.5", sentence: "20,000 kWh × 0,50 €/kWh − 2,500 kWh Freimenge × 0,50 €/kWh = 8,75 €"},
		{name: "free kWh, none left", plan: simple(energy, `"allowances":[{"id":"A","unit":"kWh","quantity":12}]`), end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"},
			left: map[string]string{"A": "0"}, total: "10", sentence: "20,000 kWh × 0,50 €/kWh = 10,00 €"},
		{name: "free kWh, all", plan: simple(energy, `"allowances":[{"id":"A","unit":"kWh","quantity":30}]`), end: "11:00", periods: []string{"10:00 ENERGY=20.5 TIME=1"},
			total: "0", used: "A=20.5", sentence: "20,500 kWh × 0,50 €/kWh − 20,500 kWh Freimenge × 0,50 €/kWh = 0,00 €"},
		{name: "free kWh elsewhere", plan: simple(energy, `"allowances":[{"id":"A","unit":"kWh","quantity":30,"where":{"own":true}}]`), end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"},
			total: "10", sentence: "20,000 kWh × 0,50 €/kWh = 10,00 €"},
		{name: "free kWh here", plan: simple(energy, `"allowances":[{"id":"A","unit":"kWh","quantity":30,"where":{"own":true}}]`), end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"},
			at: billing.ChargePoint{Own: true}, total: "0", used: "A=20", sentence: "20,000 kWh × 0,50 €/kWh − 20,000 kWh Freimenge × 0,50 €/kWh = 0,00 €"},
		{name: "free minutes", plan: simple([]string{"TIME 6 19 60"}, `"allowances":[{"id":"M","unit":"min","quantity":45}]`), end: "11:30", periods: []string{"10:00 TIME=1.5"},
			total: "4.5", used: "M=45", sentence: "90 min Ladezeit × 0,10 €/min − 45 min Freimenge Ladezeit × 0,10 €/min = 4,50 €"},
		{name: "a free session, but for the blocking fee", plan: strings.Replace(blocked, `"caps"`, `"allowances":[{"id":"S","unit":"session","quantity":2}],"caps"`, 1),
			end: "15:00", periods: []string{"10:00 ENERGY=20 TIME=5"}, left: map[string]string{"S": "1"},
			total: "6", used: "S=1", sentence: "20,000 kWh × 0,59 €/kWh + 60 min Blockiergebühr × 0,10 €/min − 11,80 € freier Ladevorgang = 6,00 €"},
		{name: "no free session left", plan: simple(energy, `"allowances":[{"id":"S","unit":"session","quantity":2}]`), end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"},
			left: map[string]string{"S": "0"}, total: "10", sentence: "20,000 kWh × 0,50 €/kWh = 10,00 €"},
		{name: "a discount of percent, then one of an amount", plan: simple([]string{"ENERGY 0.50 19 1", "FLAT 1 19 1"},
			`"discounts":[{"name":"Sommer","percent":10,"dimensions":["ENERGY"]},{"name":"Treue","amount":0.5}]`),
			end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"},
			total: "9.5", sentence: "1,00 € Startgebühr + 20,000 kWh × 0,50 €/kWh − 1,00 € Rabatt Sommer − 0,50 € Rabatt Treue = 9,50 €",
			english: "1.00 € start fee + 20.000 kWh × 0.50 €/kWh − 1.00 € discount Sommer − 0.50 € discount Treue = 9.50 €"},
		{name: "a discount that is over", plan: simple(energy, `"discounts":[{"name":"Sommer","percent":10,"end_date_time":"2024-01-15T10:00:00Z"}]`),
			end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"}, total: "10"},
		{name: "a discount that begins with the session", plan: simple(energy, `"discounts":[{"name":"Winter","percent":10,"start_date_time":"2024-01-15T10:00:00Z"}]`),
			end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"}, total: "9"},
		{name: "a discount after free kWh is on what is left", plan: simple(energy, `"allowances":[{"id":"A","unit":"kWh","quantity":12}],"discounts":[{"name":"D","percent":50}]`),
			end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"}, total: "2", used: "A=12"},
		{name: "nothing makes a price negative", plan: simple([]string{"FLAT 1 19 1"}, `"discounts":[{"name":"D","amount":5}]`),
			end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"}, total: "0", sentence: "1,00 € Startgebühr − 1,00 € Rabatt D = 0,00 €"},
		{name: "free kWh of a session at its maximum price take what they need", plan: simple(energy, `"max_price":{"incl_vat":5},"allowances":[{"id":"A","unit":"kWh","quantity":12}]`),
			end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"}, total: "0", used: "A=10"},
		{name: "a discount of percent is on the maximum price", plan: simple(energy, `"max_price":{"incl_vat":5},"discounts":[{"name":"D","percent":10}]`),
			end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"}, total: "4.5"},
		{name: "prices without VAT", plan: `{"id":"N","currency":"EUR","elements":[` + element("", "ENERGY 0.40 19 1") + `],"allowances":[{"id":"A","unit":"kWh","quantity":10}],"discounts":[{"name":"D","percent":10}]}`,
			end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"}, total: "4.284", used: "A=10",
			sentence: "20,000 kWh × 0,476 €/kWh − 10,000 kWh Freimenge × 0,476 €/kWh − 0,476 € Rabatt D = 4,28 €"},
		{name: "several rates of VAT share a discount", plan: simple([]string{"ENERGY 0.50 19 1", "FLAT 10 7 1"}, `"discounts":[{"name":"D","amount":2}]`),
			end: "11:00", periods: []string{"10:00 ENERGY=20 TIME=1"}, total: "18"},
	} {
		t.Run(c.name, func(t *testing.T) {
			retail := billing.NewRetail(planOf(t, c.plan))
			left := map[string]decimal.Decimal{}
			for id, quantity := range c.left {
				left[id] = decimal.RequireFromString(quantity)
			}
			berlin, err := time.LoadLocation("Europe/Berlin")
			if err != nil {
				t.Fatal(err)
			}
			r, used := retail.Rate(sessionDoc(t, c.end, c.periods...), berlin, &c.at, left)
			if got := r.Total.InclVAT.String(); got != c.total {
				t.Errorf("total %s, want %s: %+v", got, c.total, r.Lines)
			}
			var drawn []string
			for id, quantity := range used {
				drawn = append(drawn, id+"="+quantity.String())
			}
			if got := strings.Join(drawn, " "); got != c.used {
				t.Errorf("used %q, want %q", got, c.used)
			}
			if got := billing.Sentence(r, "de"); c.sentence != "" && got != c.sentence {
				t.Errorf("\n got %s\nwant %s", got, c.sentence)
			}
			if got := billing.Sentence(r, "en"); c.english != "" && got != c.english {
				t.Errorf("\n got %s\nwant %s", got, c.english)
			}
			holdTogether(t, r)
		})
	}
}

// holdTogether checks what is true of every price: its lines and its shares of VAT sum to it, and it is not negative.
func holdTogether(t testing.TB, r billing.Rating) {
	t.Helper()
	var lines, shares billing.Amount
	add := func(a *billing.Amount, excl, incl decimal.Decimal) {
		a.ExclVAT, a.InclVAT = a.ExclVAT.Add(excl), a.InclVAT.Add(incl)
	}
	included := false
	for _, l := range r.Lines {
		add(&lines, l.ExclVAT, l.InclVAT)
		included = l.TaxIncluded
	}
	for _, v := range r.VAT {
		add(&shares, v.ExclVAT, v.InclVAT)
	}
	tolerance := decimal.New(int64(len(r.Lines)+1), -10)
	near := func(a, b decimal.Decimal) bool { return a.Sub(b).Abs().LessThanOrEqual(tolerance) }
	if !near(lines.ExclVAT, r.Total.ExclVAT) || !near(lines.InclVAT, r.Total.InclVAT) {
		t.Errorf("lines sum to %v, total %v", lines, r.Total)
	}
	if !near(shares.ExclVAT, r.Total.ExclVAT) || !near(shares.InclVAT, r.Total.InclVAT) {
		t.Errorf("VAT %+v, total %v", r.VAT, r.Total)
	}
	if promised := map[bool]decimal.Decimal{true: r.Total.InclVAT, false: r.Total.ExclVAT}[included]; promised.IsNegative() {
		t.Errorf("the price is negative: %s", promised)
	}
	items, net, gross := billing.Items(r, billing.VAT{Category: billing.VATStandard, Rate: decimal.NewFromInt(19)})
	for _, item := range items {
		net, gross = net.Sub(item.Net), gross.Sub(item.Gross)
	}
	if !net.IsZero() || !gross.IsZero() {
		t.Errorf("items miss the session by %s net, %s gross", net, gross)
	}
}

// A plan whose price changes within a period is priced as if the CPO had cut the period there.
func TestPlanCutsPeriods(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night := `{"id":"N","currency":"EUR","tax_included":"YES","elements":[` +
		elements(element(`"start_time":"22:00","end_time":"06:00"`, "ENERGY 0.40 19 1"), element("", "ENERGY 0.60 19 1")) + `]}`
	tiers := `{"id":"K","currency":"EUR","tax_included":"YES","elements":[` + elements(element(`"max_kwh":10`, "ENERGY 0.40 19 1"), element("", "ENERGY 0.60 19 1")) + `]}`
	weekend := `{"id":"W","currency":"EUR","tax_included":"YES","elements":[` +
		elements(element(`"day_of_week":["SATURDAY","SUNDAY"]`, "TIME 1 19 1"), element("", "TIME 2 19 1")) + `]}`
	for _, c := range []struct {
		name, plan, end string
		periods         []string
		total           string
		findings        []string
	}{
		// 21:00 to 01:00 in Berlin: a quarter of 40 kWh at 0.60, the rest at 0.40. It is an estimate, and said to be one.
		{"the night begins", night, "2024-01-16T00:00:00Z", []string{"20:00 ENERGY=40 TIME=4"}, "18", []string{"energy-apportioned"}},
		{"it does not", night, "21:00", []string{"20:00 ENERGY=40 TIME=1"}, "24", nil},
		{"cut by the CPO", night, "2024-01-16T00:00:00Z", []string{"20:00 ENERGY=10 TIME=1", "21:00 ENERGY=30 TIME=3"}, "18", nil},
		// Charging ends at 22:00 in Berlin: nothing flows afterwards.
		{"parking by night", night, "2024-01-16T00:00:00Z", []string{"20:00 ENERGY=40 TIME=1 PARKING_TIME=3"}, "24", []string{"energy-apportioned"}},
		{"a threshold of energy is no estimate", tiers, "12:00", []string{"10:00 ENERGY=25 TIME=2"}, "13", nil},
		{"over several periods", tiers, "12:00", []string{"10:00 ENERGY=4 TIME=1", "11:00 ENERGY=21 TIME=1"}, "13", nil},
		// Friday 22:00 to Saturday 02:00 in Berlin: two hours at 2, two at 1.
		{"a weekday", weekend, "2024-01-20T01:00:00Z", []string{"2024-01-19T21:00:00Z ENERGY=5 TIME=4"}, "6", nil},
		// The night of 31 March 2024 has no hour from 2 to 3: from 22:00 to 06:00 pass seven hours.
		{"summer time begins", night, "2024-03-31T05:00:00Z", []string{"2024-03-30T20:00:00Z ENERGY=9 TIME=9"}, "4", []string{"energy-apportioned"}},
		{"in disorder it is left alone", night, "2024-01-16T00:00:00Z", []string{"21:00 ENERGY=30 TIME=3", "20:00 ENERGY=10 TIME=1"}, "18", []string{"periods-unsorted"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cdr := sessionDoc(t, c.end, c.periods...)
			if slices.Contains(c.findings, "periods-unsorted") {
				cdr.StartDateTime = cdr.ChargingPeriods[1].StartDateTime
			}
			before := len(cdr.ChargingPeriods)
			r, _ := billing.NewRetail(planOf(t, c.plan)).Rate(cdr, berlin, &billing.ChargePoint{}, nil)
			if got := r.Total.InclVAT.String(); got != c.total {
				t.Errorf("total %s, want %s: %+v", got, c.total, r.Lines)
			}
			if got := codes(r.Findings); !slices.Equal(got, c.findings) {
				t.Errorf("findings %v, want %v", got, c.findings)
			}
			if len(cdr.ChargingPeriods) != before {
				t.Error("the CDR itself was changed")
			}
		})
	}
}

// Whatever the plan and the session: the price holds together, and cutting loses and adds nothing.
func TestRetailAlwaysHoldsTogether(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 7))
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for range 800 {
		plan := planOf(t, randomPlan(rng))
		cdr := randomSession(t, rng)
		left := map[string]decimal.Decimal{}
		if rng.IntN(2) == 0 {
			left["A"] = decimal.New(rng.Int64N(30_000), -3)
		}
		retail := billing.NewRetail(plan)
		r, used := retail.Rate(cdr, berlin, &billing.ChargePoint{Own: rng.IntN(2) == 0}, left)
		holdTogether(t, r)
		for _, a := range plan.Allowances {
			limit := a.Quantity
			if l, ok := left[a.ID]; ok {
				limit = l
			}
			if used[a.ID].GreaterThan(limit) || used[a.ID].IsNegative() {
				t.Errorf("used %s of %s", used[a.ID], limit)
			}
		}
		if !r.TotalEnergy.Equal(billing.Rate(cdr, nil, berlin, billing.DefaultPolicy).TotalEnergy) {
			t.Errorf("energy %s", r.TotalEnergy)
		}
		for _, c := range plan.Caps {
			sum := decimal.Zero
			for _, l := range r.Lines {
				if slices.Contains(c.Of, l.Dimension) || len(l.Of) > 0 && slices.Contains(c.Of, l.Of[0]) && l.Dimension == billing.Capped {
					sum = sum.Add(map[bool]decimal.Decimal{true: l.InclVAT, false: l.ExclVAT}[plan.TaxIncluded])
				}
			}
			if len(plan.Allowances) == 0 && sum.GreaterThan(c.Max) && r.Total.InclVAT.IsPositive() && plan.Tariff.MaxPrice == nil {
				t.Errorf("%s above the cap of %s: %+v", sum, c.Max, r.Lines)
			}
		}
		if t.Failed() {
			t.Fatalf("plan %+v, session %+v: %+v", plan, cdr, r)
		}
	}
}

func randomPlan(rng *rand.Rand) string {
	pick := func(texts ...string) string { return texts[rng.IntN(len(texts))] }
	vat := pick("19", "-", "7")
	price := func(n int64) string { return decimal.New(1+rng.Int64N(n), -2).String() }
	doc := `{"id":"R","currency":"EUR","tax_included":"` + pick("YES", "NO") + `","elements":[` + elements(
		strings.Replace(element(pick(`"min_duration":3600`, `"min_duration":1800,"start_time":"08:00","end_time":"22:00"`), "TIME "+price(600)+" "+vat+" "+pick("1", "60", "300")), `{`, `{"fee":"BLOCKING",`, 1),
		element(pick(`"start_time":"22:00","end_time":"06:00"`, `"max_kwh":10`, `"day_of_week":["SUNDAY"]`), "ENERGY "+price(60)+" 19 1"),
		element("", "ENERGY "+price(80)+" "+vat+" "+pick("1", "1000"), "FLAT "+price(200)+" 19 1", "PARKING_TIME "+price(300)+" 19 60"),
	) + `]`
	if rng.IntN(3) == 0 {
		doc += `,"max_price":{"incl_vat":` + price(3000) + `,"excl_vat":` + price(3000) + `}`
	}
	if rng.IntN(2) == 0 {
		doc += `,"caps":[{"dimensions":["BLOCKING"],"max":` + price(800) + `}]`
	}
	if rng.IntN(2) == 0 {
		doc += `,"allowances":[` + pick(`{"id":"A","unit":"kWh","quantity":12}`, `{"id":"A","unit":"min","quantity":50,"dimensions":["BLOCKING","PARKING_TIME"]}`,
			`{"id":"A","unit":"session","quantity":1}`, `{"id":"A","unit":"kWh","quantity":5,"where":{"own":true}},{"id":"B","unit":"kWh","quantity":3}`) + `]`
	}
	if rng.IntN(2) == 0 {
		doc += `,"discounts":[` + pick(`{"name":"D","percent":10}`, `{"name":"D","amount":1.5,"dimensions":["ENERGY"]}`, `{"name":"D","percent":33.3,"dimensions":["FLAT","ENERGY"]},{"name":"E","amount":2}`) + `]`
	}
	return doc + `}`
}

func randomSession(t testing.TB, rng *rand.Rand) *ocpi.CDR {
	t.Helper()
	at := time.Date(2024, 3, 29, rng.IntN(48), rng.IntN(60), rng.IntN(60), 0, time.UTC)
	var periods []string
	for range 1 + rng.IntN(4) {
		length := time.Duration(1+rng.IntN(20000)) * time.Second
		hours := decimal.NewFromInt(int64(length/time.Second)).DivRound(decimal.NewFromInt(3600), 4)
		text := at.Format(time.RFC3339)
		switch rng.IntN(3) {
		case 0:
			text += fmt.Sprintf(" ENERGY=%d.%03d TIME=%s", rng.IntN(40), rng.IntN(1000), hours)
		case 1:
			text += " PARKING_TIME=" + hours.String()
		default:
			half := hours.Div(decimal.NewFromInt(2)).Round(4)
			text += fmt.Sprintf(" ENERGY=%d.%03d TIME=%s PARKING_TIME=%s", rng.IntN(40), rng.IntN(1000), half, hours.Sub(half))
		}
		periods = append(periods, text)
		at = at.Add(length)
	}
	return sessionDoc(t, at.Format(time.RFC3339), periods...)
}

func TestRedeem(t *testing.T) {
	retail := billing.NewRetail(planOf(t, simple([]string{"ENERGY 0.59 19 1"}, `"caps":[]`)))
	start := time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC)
	money := func(s string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(s)) }
	for _, c := range []struct {
		name     string
		vouchers []billing.Voucher
		total    string
		drawn    string
		sentence string
	}{
		{"a part", []billing.Voucher{{Code: "HALLO", Left: money("5")}}, "1.195", "5", "10,500 kWh × 0,59 €/kWh − 5,00 € Gutschein HALLO = 1,20 €"},
		{"all, in cents", []billing.Voucher{{Code: "HALLO", Left: money("50")}}, "0", "6.2", "10,500 kWh × 0,59 €/kWh − 6,195 € Gutschein HALLO = 0,00 €"},
		{"one after the other", []billing.Voucher{{Code: "A", Left: money("5")}, {Code: "B", Left: money("1")}, {Code: "C", Left: money("1")}}, "0", "5 1 0.2", ""},
		{"nothing left", []billing.Voucher{{Code: "A", Left: money("0")}}, "6.195", "0", ""},
		{"percent", []billing.Voucher{{Code: "P", Percent: decimal.NewFromInt(10)}}, "5.575", "0.62", "10,500 kWh × 0,59 €/kWh − 0,62 € Gutschein P = 5,58 €"},
		{"percent of a budget", []billing.Voucher{{Code: "P", Percent: decimal.NewFromInt(10), Left: money("0.5")}}, "5.695", "0.5", ""},
		{"not yet", []billing.Voucher{{Code: "A", Left: money("5"), From: start.Add(1)}}, "6.195", "0", ""},
		{"from now on", []billing.Voucher{{Code: "A", Left: money("5"), From: start, To: start.Add(1)}}, "1.195", "5", ""},
		{"no more", []billing.Voucher{{Code: "A", Left: money("5"), To: start}}, "6.195", "0", ""},
	} {
		r, _ := retail.Rate(sessionDoc(t, "11:00", "10:00 ENERGY=10.5 TIME=1"), time.UTC, &billing.ChargePoint{}, nil)
		drawn := billing.Redeem(&r, c.vouchers, start)
		if got := strings.Trim(fmt.Sprint(drawn), "[]"); got != c.drawn || r.Total.InclVAT.String() != c.total {
			t.Errorf("%s: total %s, drawn %s", c.name, r.Total.InclVAT, got)
		}
		if got := billing.Sentence(r, "de"); c.sentence != "" && got != c.sentence {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.sentence)
		}
		holdTogether(t, r)
		sum := decimal.Zero
		for _, d := range drawn {
			sum = sum.Add(d)
		}
		if billed := billing.RoundCurrency(r.Total.InclVAT, "EUR"); !billed.Add(sum).Equal(decimal.RequireFromString("6.2")) {
			t.Errorf("%s: billed %s and drawn %s are not 6.20", c.name, billed, sum)
		}
	}
}

func TestKeepPromise(t *testing.T) {
	price := func(kwh string) billing.Rating {
		r, _ := billing.NewRetail(planOf(t, simple([]string{"ENERGY " + kwh + " 19 1"}, `"caps":[]`))).Rate(sessionDoc(t, "11:00", "10:00 ENERGY=10 TIME=1"), time.UTC, &billing.ChargePoint{}, nil)
		return r
	}
	for _, c := range []struct{ rated, shown, total, waived, sentence string }{
		{"0.60", "0.50", "5", "1", "10,000 kWh × 0,60 €/kWh − 1,00 € Preisversprechen = 5,00 €"},
		{"0.50", "0.50", "5", "0", "10,000 kWh × 0,50 €/kWh = 5,00 €"},
		{"0.40", "0.50", "4", "0", "10,000 kWh × 0,40 €/kWh = 4,00 €"},
	} {
		r, shown := price(c.rated), price(c.shown)
		if waived := billing.KeepPromise(&r, &shown); waived.String() != c.waived || r.Total.InclVAT.String() != c.total {
			t.Errorf("%s shown as %s: %s, waived %s", c.rated, c.shown, r.Total.InclVAT, waived)
		}
		if got := billing.Sentence(r, "de"); got != c.sentence {
			t.Errorf("\n got %s\nwant %s", got, c.sentence)
		}
		holdTogether(t, r)
	}
}

func TestPriceText(t *testing.T) {
	for _, c := range []struct{ doc, de, en string }{
		{blocked, "0,59 €/kWh · 0,10 €/min Blockiergebühr (ab 240 min, 08:00–22:00), höchstens 12,00 €",
			"0.59 €/kWh · 0.10 €/min blocking fee (from 240 min, 08:00–22:00), at most 12.00 €"},
		{simple([]string{"ENERGY 0.5 19 1", "FLAT 0.39 19 1"}, `"allowances":[{"id":"A","unit":"kWh","quantity":20}],"base_fee":{"price":4.9},"max_price":{"incl_vat":30}`),
			"0,50 €/kWh · 0,39 € Startgebühr · Höchstpreis 30,00 € · 20 kWh im Monat frei · 4,90 € im Monat",
			"0.50 €/kWh · 0.39 € start fee · maximum price 30.00 € · 20 kWh a month free · 4.90 € a month"},
		{`{"id":"F","currency":"EUR","elements":[` + elements(element(`"day_of_week":["MONDAY","TUESDAY","WEDNESDAY","SUNDAY"],"min_power":50`, "TIME 1 19 1"), element("", "TIME 0 - 1")) + `]}`,
			"1,00 €/h Ladezeit (ab 50 kW, Mo–Mi So) zzgl. USt.", "1.00 €/h charging time (from 50 kW, Mon–Wed Sun) plus VAT"},
		{`{"id":"0","currency":"EUR","tax_included":"YES","elements":[` + element("", "FLAT 0 - 0") + `]}`, "kostenlos", "free of charge"},
	} {
		p := planOf(t, c.doc)
		if de, en := billing.PriceText(&p, "de"), billing.PriceText(&p, "en"); de != c.de || en != c.en {
			t.Errorf("\n got %s\nwant %s\n got %s\nwant %s", de, c.de, en, c.en)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add([]byte(blocked))
	f.Add([]byte(simple([]string{"ENERGY 0.5 19 1"}, `"allowances":[{"id":"A","unit":"min","quantity":1}],"discounts":[{"name":"D","percent":5}],"base_fee":{"price":1},"one_off_fees":[{"kind":"CARD","price":1}]`)))
	f.Fuzz(func(t *testing.T, doc []byte) {
		plan, err := billing.ParsePlan(doc)
		if err != nil {
			return
		}
		r, _ := billing.NewRetail(plan).Rate(sessionDoc(t, "2024-01-16T10:00:00Z", "10:00 ENERGY=10 TIME=1", "11:00 PARKING_TIME=23"), time.UTC, &billing.ChargePoint{}, nil)
		holdTogether(t, r)
		_ = billing.PriceText(&plan, "de") + billing.Sentence(r, "de")
	})
}
