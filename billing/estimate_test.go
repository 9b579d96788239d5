package billing_test

import (
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

func TestChoose(t *testing.T) { // PRC-02, TAR-06, TAR-07
	at := func(s string) time.Time {
		instant, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return instant
	}
	newYear := at("2026-01-01T00:00:00Z")
	all := []ocpi.Tariff{
		{ID: "adhoc", Type: ocpi.TariffAdHocPayment},
		{ID: "strange", Type: "DYNAMIC"},
		{ID: "any"},
		{ID: "old", Type: ocpi.TariffRegular, EndDateTime: newYear},
		{ID: "new", Type: ocpi.TariffRegular, StartDateTime: newYear},
		{ID: "cheap", Type: ocpi.TariffProfileCheap},
		{ID: "green", Type: ocpi.TariffProfileGreen, StartDateTime: newYear},
	}
	for _, test := range []struct {
		at   time.Time
		wish ocpi.ProfileType
		from []ocpi.Tariff
		want ocpi.CiString
	}{
		{newYear.Add(-time.Second), "", all, "old"},
		{newYear, "", all, "old"}, // its last instant
		{newYear.Add(time.Second), "", all, "new"},
		{newYear.Add(time.Second), ocpi.ProfileRegular, all, "new"},
		{newYear, ocpi.ProfileCheap, all, "cheap"},
		{newYear.Add(-time.Second), ocpi.ProfileGreen, all, "any"},
		{newYear, ocpi.ProfileGreen, all, "green"},
		{newYear, ocpi.ProfileFast, all, "any"},
		{newYear, "", all[:2], ""},
		{newYear, "", all[5:], ""},
		{newYear, "", nil, ""},
	} {
		chosen, ok := billing.Choose(test.from, test.at, test.wish)
		if chosen.ID != test.want || ok != (test.want != "") {
			t.Errorf("%s %q of %d: %q, want %q", test.at, test.wish, len(test.from), chosen.ID, test.want)
		}
	}
}

func TestEstimate(t *testing.T) { // PRC-34, SES-16
	var s ocpi.Session
	err := ocpi.Unmarshal([]byte(`{"id":"S","currency":"EUR","start_date_time":"2024-01-15T10:00:00Z","kwh":5.4,"status":"ACTIVE","last_updated":"2024-01-15T10:50:00Z",
		"charging_periods":[{"start_date_time":"2024-01-15T10:00:00Z","dimensions":[{"type":"ENERGY","volume":3},{"type":"STATE_OF_CHARGE","volume":40}]},
			{"start_date_time":"2024-01-15T10:30:00Z","dimensions":[{"type":"ENERGY","volume":2.4},{"type":"TIME","volume":0.3333},{"type":"POWER","volume":11}]}]}`), &s)
	if err != nil {
		t.Fatal(err)
	}
	tariff := compile(tariffDoc(t, "T", element("", "FLAT 1 - 1", "ENERGY 0.50 20 500", "TIME 3 - 1")+`| "max_price":{"excl_vat":6}`))[0]
	for _, test := range []struct {
		name     string
		change   func(*ocpi.Session)
		excl     string
		findings int
	}{
		{"so far", func(*ocpi.Session) {}, "4.75", 1},                                                                                       // 1 + 5.5 × 0.50 + 20 min × 3
		{"before the first period", func(s *ocpi.Session) { s.ChargingPeriods = nil }, "0", 2},                                              // no-periods, tariff-assumed
		{"at the limit", func(s *ocpi.Session) { s.ChargingPeriods[0].Dimensions[0].Volume = ocpi.Number(s.KWh.Decimal.Shift(1)) }, "6", 2}, // limit-scaled
	} {
		copied := s
		copied.ChargingPeriods = append([]ocpi.ChargingPeriod(nil), s.ChargingPeriods...)
		for i := range copied.ChargingPeriods {
			copied.ChargingPeriods[i].Dimensions = append([]ocpi.CDRDimension(nil), s.ChargingPeriods[i].Dimensions...)
		}
		test.change(&copied)
		r := billing.Estimate(&copied, tariff, time.UTC, billing.DefaultPolicy)
		if r.Total.ExclVAT.String() != test.excl || len(r.Findings) != test.findings {
			t.Errorf("%s: %s, %v, want %s", test.name, r.Total.ExclVAT, r.Findings, test.excl)
		}
	}
	if len(s.ChargingPeriods[0].Dimensions) != 2 {
		t.Error("the session has been changed")
	}

	// A reservation that still runs is one that will be used; only a CDR can tell that it lapsed (PRC-27).
	reserved := ocpi.Session{ID: "S", Currency: "EUR", Status: "RESERVED", EVSEUID: ocpi.NotApplicable, ConnectorID: ocpi.NotApplicable}
	if err := ocpi.Unmarshal([]byte(`[{"start_date_time":"2024-01-15T10:00:00Z","dimensions":[{"type":"RESERVATION_TIME","volume":0.5}]}]`), &reserved.ChargingPeriods); err != nil {
		t.Fatal(err)
	}
	reserved.StartDateTime = reserved.ChargingPeriods[0].StartDateTime
	reserved.LastUpdated = reserved.StartDateTime.Add(30 * time.Minute)
	waiting := compile(tariffDoc(t, "T", elements(element(`"reservation":"RESERVATION"`, "TIME 2 - 1"), element(`"reservation":"RESERVATION_EXPIRES"`, "TIME 8 - 1"))))[0]
	if r := billing.Estimate(&reserved, waiting, time.UTC, billing.DefaultPolicy); r.Total.ExclVAT.String() != "1" {
		t.Errorf("reserved: %s", r.Total.ExclVAT)
	}
}
