package billing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

func TestRateTotals(t *testing.T) { // PRC-13: kWh, and hours of charging apart from hours of parking
	doc := tariffDoc(t, "T", element("", "ENERGY 0.25 - 1"))
	for _, c := range []struct {
		name                 string
		end                  string
		periods              []string
		energy, time, parked string
	}{
		{"times of the periods", "11:45", []string{"10:00 ENERGY=20 TIME=1", "11:00 PARKING_TIME=0.75"}, "20", "1.75", "0.75"},
		{"no times: the clock", "11:30", []string{"10:00 ENERGY=20"}, "20", "1.5", "0"},
		{"some without times", "11:45", []string{"10:00 ENERGY=20", "11:00 PARKING_TIME=0.75"}, "20", "1.75", "0.75"},
		{"the reservation is not connected time", "11:30", []string{"10:00 RESERVATION_TIME=0.25", "10:15 ENERGY=20 TIME=1.25"}, "20", "1.25", "0"},
		{"coarse hours give way to the clock", "10:20", []string{"10:00 TIME=0.1667", "10:10 PARKING_TIME=0.1667"}, "0", "0.3333333333", "0.1666666667"},
		{"hours that contradict the clock count", "12:00", []string{"10:00 TIME=0.5"}, "0", "0.5", "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := billing.Rate(sessionDoc(t, c.end, c.periods...), compile(doc), time.UTC, billing.DefaultPolicy)
			if got := []string{r.TotalEnergy.String(), r.TotalTime.String(), r.TotalParkingTime.String()}; !slices.Equal(got, []string{c.energy, c.time, c.parked}) {
				t.Errorf("%v, want %v", got, []string{c.energy, c.time, c.parked})
			}
		})
	}
}

// A line says why: which element, which restrictions, which step. The price is that of a kWh, whatever the step (PRC-11), which
// is rounded to once, at the end (PRC-15).
func TestRateLines(t *testing.T) {
	doc := tariffDoc(t, "T", elements(
		element(`"max_kwh":5`, "ENERGY 0.20 10 500"),
		element("", "ENERGY 0.30 10 500", "FLAT 1 20 1"),
	))
	r := billing.Rate(sessionDoc(t, "12:00", "10:00 ENERGY=3", "10:30 ENERGY=2", "11:00 ENERGY=1.2"), compile(doc), time.UTC, billing.DefaultPolicy)
	var got []string
	for _, l := range r.Lines {
		got = append(got, fmt.Sprintf("%s %s→%s%s ×%s = %s/%s el%d %v step%d %s-%s", l.Dimension, l.Measured, l.Quantity, l.Unit,
			l.Price, l.ExclVAT, l.InclVAT, l.Element, l.Restrictions, l.StepSize, l.From.Format("15:04"), l.To.Format("15:04")))
	}
	want := []string{
		"FLAT 1→1once ×1 = 1/1.2 el1 [] step0 10:00-10:30",
		"ENERGY 5→5kWh ×0.2 = 1/1.1 el0 [max_kwh=5] step0 10:00-11:00",
		"ENERGY 1.2→1.5kWh ×0.3 = 0.45/0.495 el1 [] step500 11:00-12:00",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(r.Tariffs) != 1 || len(r.Tariffs[0].Hash) != 64 || r.Engine != billing.EngineVersion {
		t.Errorf("%+v", r)
	}
}

// A time zone that is not known matters only where a price depends on the clock (PRC-09).
func TestRateZoneUnknown(t *testing.T) {
	cdr := sessionDoc(t, "11:00", "10:00 ENERGY=1")
	plain := billing.Rate(cdr, compile(tariffDoc(t, "T", element("", "ENERGY 1 - 1"))), nil, billing.DefaultPolicy)
	timed := billing.Rate(cdr, compile(tariffDoc(t, "T", element(`"start_time":"08:00"`, "ENERGY 1 - 1"))), nil, billing.DefaultPolicy)
	if slices.Contains(codes(plain.Findings), "zone-unknown") || !slices.Contains(codes(timed.Findings), "zone-unknown") {
		t.Errorf("%v, %v", codes(plain.Findings), codes(timed.Findings))
	}
}

func TestRateNothing(t *testing.T) {
	r := billing.Rate(&ocpi.CDR{}, nil, nil, billing.DefaultPolicy)
	if !r.Total.ExclVAT.IsZero() || !slices.Equal(codes(r.Findings), []string{"no-periods", "no-tariff"}) {
		t.Errorf("%+v", r)
	}
}

func TestZoneOf(t *testing.T) { // PRC-09, of a Location that we do not know
	for country, want := range map[string]string{"DEU": "Europe/Berlin", "nl": "Europe/Amsterdam", "ESP": "", "XXX": "", "": ""} {
		got := ""
		if zone := billing.ZoneOf(country); zone != nil {
			got = zone.String()
		}
		if got != want {
			t.Errorf("ZoneOf(%q) = %q, want %q", country, got, want)
		}
	}
	for at, want := range map[[3]string]string{
		{"ESP", "40.41678", "-3.70379"}: "Europe/Madrid", {"ESP", "28.12355", "-15.43626"}: "Atlantic/Canary", {"ES", "39.57119", "2.64663"}: "Europe/Madrid",
		{"PRT", "38.71667", "-9.13333"}: "Europe/Lisbon", {"PRT", "32.66568", "-16.92547"}: "Atlantic/Madeira", {"PRT", "37.74123", "-25.66874"}: "Atlantic/Azores",
		{"DEU", "", ""}: "Europe/Berlin", {"ESP", "-3.70379", "40.41678"}: "", {"ESP", "0", "0"}: "", {"ESP", "", "x"}: "", {"", "40.41678", "-3.70379"}: "",
	} {
		got := ""
		if zone := billing.ZoneAt(&ocpi.CDRLocation{Country: at[0], Coordinates: ocpi.GeoLocation{Latitude: at[1], Longitude: at[2]}}); zone != nil {
			got = zone.String()
		}
		if got != want {
			t.Errorf("ZoneAt(%q) = %q, want %q", at, got, want)
		}
	}
	if billing.Alpha2("AUT") != "AT" || billing.Alpha2("XXX") != "" {
		t.Error("Alpha2")
	}
}

func TestRoundCurrency(t *testing.T) { // PRC-32: the last step, by the currency
	for _, c := range []struct{ amount, currency, want string }{
		{"2.005", "EUR", "2.01"}, {"-2.005", "EUR", "-2.01"}, {"2.5", "JPY", "3"}, {"0.0005", "KWD", "0.001"},
	} {
		if got := billing.RoundCurrency(decimal.RequireFromString(c.amount), c.currency); got.String() != c.want {
			t.Errorf("%s %s: %s", c.amount, c.currency, got)
		}
	}
}

// A minimum price of a session that cost nothing bears the only rate of its tariff, if that explains its tax: an invoice has to
// name one (PRC-29, PRC-30).
func TestRateOfMinimumAlone(t *testing.T) {
	for _, c := range []struct{ tariff, vat string }{
		{element("", "ENERGY 0.50 19 1") + `| "min_price":{"excl_vat":5,"incl_vat":5.95}`, "19: 5 5.95"},
		{element("", "ENERGY 0.50 19 1") + `| "min_price":{"excl_vat":4.20,"incl_vat":5}`, "19: 4.2 5"},
		{element("", "ENERGY 0.50 19 1") + `| "min_price":{"excl_vat":5}`, "19: 5 5.95"},
		{element("", "ENERGY 0.50 19 1") + `| "min_price":{"incl_vat":5}, "tax_included":"YES"`, "19: 4.2016806723 5"},
		{element("", "ENERGY 0.50 19 1") + `| "min_price":{"excl_vat":5,"incl_vat":6}`, "none: 5 6"},
		{element("", "ENERGY 0.50 - 1") + `| "min_price":{"excl_vat":5,"incl_vat":5.95}`, "none: 5 5.95"},
		{element("", "ENERGY 0.50 19 1", "TIME 1 7 1") + `| "min_price":{"excl_vat":5,"incl_vat":5.95}`, "none: 5 5.95"},
	} {
		r := billing.Rate(sessionDoc(t, "11:00", "10:00 PARKING_TIME=1"), compile(tariffDoc(t, "T", c.tariff)), time.UTC, billing.DefaultPolicy)
		got := ""
		for _, v := range r.VAT {
			rate := "none"
			if v.Rate.Valid {
				rate = v.Rate.Decimal.String()
			}
			got += fmt.Sprintf("%s: %s %s", rate, v.ExclVAT, v.InclVAT)
		}
		if got != c.vat {
			t.Errorf("%s: %s, want %s", c.tariff, got, c.vat)
		}
	}
}
