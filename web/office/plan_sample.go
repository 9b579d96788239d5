package office

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/lint"
	"github.com/roamwerk/roamwerk/web/ui"
)

// usualSession is a session by which people compare prices.
type usualSession struct {
	key      string // of its text
	at       int    // hour of its start, on a working day
	current  billing.Current
	kwh      int64
	charging time.Duration
	parked   time.Duration
}

// usualSessions are a stop at a fast charger, an afternoon in town, and a night at the kerb.
var usualSessions = []usualSession{
	{"plan.sample.fast", 13, billing.DC, 40, 30 * time.Minute, 0},
	{"plan.sample.town", 10, billing.AC, 22, 2 * time.Hour, 3 * time.Hour},
	{"plan.sample.night", 20, billing.AC, 44, 4 * time.Hour, 7 * time.Hour},
}

// planSample is a session and what it costs.
type planSample struct {
	usualSession
	start  time.Time
	rating billing.Rating
}

// samplePrices prices the usual sessions by a plan, on the first working day that begins after an instant. Nothing of an
// allowance is used yet.
func samplePrices(plan billing.Plan, after time.Time) []planSample {
	retail := billing.NewRetail(plan)
	day := after.In(ui.Berlin)
	for next := false; !next || day.Weekday() == time.Saturday || day.Weekday() == time.Sunday; next = true {
		day = day.AddDate(0, 0, 1)
	}
	samples := make([]planSample, 0, len(usualSessions))
	for _, u := range usualSessions {
		kwh := decimal.NewFromInt(u.kwh)
		power := decimal.NewNullDecimal(kwh.Mul(decimal.NewFromInt(int64(time.Hour))).DivRound(decimal.NewFromInt(int64(u.charging)), 3))
		s := lint.Session{Start: time.Date(day.Year(), day.Month(), day.Day(), u.at, 0, 0, 0, ui.Berlin)}
		s.Legs = append(s.Legs, lint.Leg{Length: u.charging, KWh: kwh, LowPower: power, HighPower: power})
		if u.parked > 0 {
			s.Legs = append(s.Legs, lint.Leg{Length: u.parked, Parked: true})
		}
		cdr := s.CDR(plan.Tariff.Currency)
		cdr.TotalEnergy = decimal.NewNullDecimal(kwh)
		rating, _ := retail.Rate(cdr, ui.Berlin, &billing.ChargePoint{Current: u.current, Power: power}, nil)
		samples = append(samples, planSample{u, s.Start, rating})
	}
	return samples
}

// weekdayKey is the day of a week as OCPI writes it.
func weekdayKey(t time.Time) string { return strings.ToUpper(t.In(ui.Berlin).Weekday().String()) }

// perKWh is what a session comes to for each kWh.
func (v *visit) perKWh(total decimal.Decimal, s planSample) string {
	return v.Lang.Price(total.DivRound(decimal.NewFromInt(s.kwh), 2), s.rating.Currency) + "/kWh"
}
