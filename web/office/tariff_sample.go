package office

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/lint"
	"github.com/roamwerk/roamwerk/db"
)

// tariffSample is what a session of the reader's choice costs by a tariff.
type tariffSample struct {
	at, kwh, minutes string            // as they stand in the form
	problems         map[string]string // field to the key of what is wrong with it
	rating           *billing.Rating   // nil: something is wrong
	unmeasured       bool              // the price depends on a current, which a sample does not have
	outside          bool              // the tariff is not valid then
}

// The sample that is shown first, and the limits of others.
const (
	sampleKWh      = "30"
	sampleMinutes  = "40"
	mostSampleKWh  = 1000
	mostSampleMins = 48 * 60
	dateTimeLocal  = "2006-01-02T15:04" // as <input type=datetime-local> has it
)

// priceSample reads the form and prices the session.
func (v *visit) priceSample(t tariffView) tariffSample {
	given := func(field, usual string) string { return cmp.Or(strings.TrimSpace(v.QueryParam(field)), usual) }
	s := tariffSample{
		at:  given("at", sampleTime(t.shown, v.office.Now()).In(t.zone).Format(dateTimeLocal)),
		kwh: given("kwh", sampleKWh), minutes: given("minutes", sampleMinutes), problems: map[string]string{},
	}
	start, err := time.ParseInLocation(dateTimeLocal, s.at, t.zone)
	if err != nil || start.Year() < 2000 || start.Year() > 2100 {
		s.problems["at"] = "tariff.sample.at.wrong"
	}
	kwh, err := decimal.NewFromString(strings.Replace(s.kwh, ",", ".", 1))
	if err != nil || len(s.kwh) > 20 || !kwh.IsPositive() || kwh.GreaterThan(decimal.NewFromInt(mostSampleKWh)) || -kwh.Exponent() > 3 {
		s.problems["kwh"] = "tariff.sample.kwh.wrong"
	}
	minutes, err := strconv.Atoi(s.minutes)
	if err != nil || minutes < 1 || minutes > mostSampleMins {
		s.problems["minutes"] = "tariff.sample.minutes.wrong"
	}
	if len(s.problems) > 0 {
		return s
	}
	compiled, _ := billing.Compile(t.doc, billing.CompileOptions{EveryPeriod: true})
	cdr := lint.Sample(t.doc, t.zone, start, time.Duration(minutes)*time.Minute, kwh).CDR(t.doc.Currency)
	rating := billing.Rate(cdr, []*billing.Tariff{compiled}, t.zone, billing.DefaultPolicy)
	s.rating = &rating
	for _, f := range rating.Findings {
		s.unmeasured = s.unmeasured || f.Code == "restriction-unverifiable"
		s.outside = s.outside || f.Code == "tariff-not-valid"
	}
	return s
}

// sampleTime is when the first sample begins: now, or while the version was the one that counted.
func sampleTime(t db.Tariff, now time.Time) time.Time {
	at := now
	if t.ValidTo != nil && t.ValidTo.Before(at) {
		at = t.ValidTo.Add(-time.Hour)
	}
	if at.Before(t.ValidFrom) {
		at = t.ValidFrom
	}
	return at.Truncate(time.Minute)
}
