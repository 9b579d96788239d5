package jobs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

func number(s string) decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.RequireFromString(s))
}

func (w *world) verdict(id uuid.UUID) billing.Verdict {
	w.t.Helper()
	rating, err := w.db.CurrentRating(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	var v billing.Verdict
	if err := json.Unmarshal(rating.Verdict, &v); err != nil {
		w.t.Fatal(err)
	}
	return v
}

// A partner that does not round to steps is told apart from one that is wrong, and may have its reading (PRC-14, PRC-21, PRC-32).
func TestReadingOfPartner(t *testing.T) {
	w := newWorld(t)
	coarse := func(c cdr) []byte {
		return bytes.Replace(c.json(), []byte(`"step_size": 1}`), []byte(`"step_size": 5000}`), 1)
	}
	first := w.receiveJSON(coarse(cdr{id: "C1", start: day(5), kwh: "21"})) // 25 kWh are 11.25, 9.45 are claimed
	w.work()
	if v := w.verdict(first); v.Agrees || v.Reading != "no-step-size" {
		t.Errorf("agrees %v, by %q", v.Agrees, v.Reading)
	}
	own := db.WholesaleCheck{TenantID: w.tenant.ID, PartnerID: w.partner, Reading: "no-step-size"}
	if err := w.ops.SetWholesaleCheck(w.ctx, own, "as agreed"); err != nil {
		t.Fatal(err)
	}
	second := w.receiveJSON(coarse(cdr{id: "C2", start: day(6), kwh: "21"}))
	w.work()
	if v := w.verdict(second); !v.Agrees || v.Reading != "no-step-size" {
		t.Errorf("agrees %v, by %q: %+v", v.Agrees, v.Reading, v.Differences)
	}
	if rating, err := w.db.CurrentRating(w.ctx, second); err != nil || !rating.ComputedNet.Equal(decimal.RequireFromString("9.45")) || !rating.Agrees {
		t.Errorf("computed %s, agrees %v, %v", rating.ComputedNet, rating.Agrees, err)
	}
	own.PerLine = number("2")
	if err := w.ops.SetWholesaleCheck(w.ctx, own, "as agreed"); err != nil {
		t.Fatal(err)
	}
	third := w.receiveJSON(coarse(cdr{id: "C3", start: day(7), kwh: "21", cost: "11.25"}))
	w.work()
	if v := w.verdict(third); !v.Agrees {
		t.Errorf("two euros are tolerated: %+v", v.Differences)
	}
}

func TestSetWholesaleCheckRefuses(t *testing.T) {
	w := newWorld(t)
	for field, c := range map[string]db.WholesaleCheck{
		"reading":  {Reading: "as-it-pleases"},
		"per_line": {PerLine: number("-0.01")},
		"relative": {Relative: number("1")},
		"month":    {Month: number("-1")},
	} {
		c.TenantID, c.PartnerID = w.tenant.ID, w.partner
		var fault *ocpi.Error
		if err := w.ops.SetWholesaleCheck(w.ctx, c, ""); !errors.As(err, &fault) || len(fault.Findings) != 1 || fault.Findings[0].Path != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// The tariff in a CDR is set beside the version that was published when the session began (P17, TAR-02).
func TestTariffBesideThePublished(t *testing.T) {
	w := newWorld(t)
	publish := func(price string, at time.Time) {
		_, err := w.db.EndTariff(w.ctx, db.EndTariffParams{CountryCode: "DE", PartyID: "NSL", TariffID: "AC", Now: at})
		if err != nil {
			t.Fatal(err)
		}
		err = w.db.AddTariffVersion(w.ctx, db.AddTariffVersionParams{
			CountryCode: "DE", PartyID: "NSL", TariffID: "AC", PartnerID: w.partner, Currency: "EUR", LastUpdated: at, Now: at,
			Doc: fmt.Appendf(nil, `{"country_code":"DE","party_id":"NSL","id":"AC","currency":"EUR","last_updated":"2026-01-01T00:00:00Z",
				"elements":[{"price_components":[{"type":"ENERGY","price":%s,"vat":19,"step_size":1}]}]}`, price),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	before := w.receive(cdr{id: "C1", start: day(2), kwh: "20"})
	publish("0.45", day(3))
	same := w.receive(cdr{id: "C2", start: day(4), kwh: "20"})
	publish("0.40", day(5))
	other := w.receive(cdr{id: "C3", start: day(6), kwh: "20"})
	w.work()
	for _, c := range []struct {
		id        uuid.UUID
		published bool
		changes   int
		effect    string
		flags     []string
	}{{before, false, 0, "0", nil}, {same, true, 0, "0", nil}, {other, true, 1, "1", []string{"P17"}}} {
		v := w.verdict(c.id)
		if len(v.Tariffs) != 1 || v.Tariffs[0].Published != c.published || len(v.Tariffs[0].Changes) != c.changes || v.Tariffs[0].Effect.ExclVAT.String() != c.effect {
			t.Errorf("%+v, want %+v", v.Tariffs, c)
		}
		if got := w.state(c.id).Flags; c.published && !slices.Equal(got, c.flags) {
			t.Errorf("flags %v, want %v", got, c.flags)
		}
	}
}

// Half a cent is tolerated of each; what a month of them comes to is told, until it is over.
func TestSmallDifferencesAddUp(t *testing.T) {
	w := newWorld(t)
	if err := w.ops.SetWholesaleCheck(w.ctx, db.WholesaleCheck{TenantID: w.tenant.ID, PartnerID: w.partner, PerLine: number("0.5"), Month: number("2")}, ""); err != nil {
		t.Fatal(err)
	}
	drifts := func() (texts []string) {
		t.Helper()
		if err := w.worker.RunSchedule(w.ctx); err != nil {
			t.Fatal(err)
		}
		rows, err := w.db.AlertList(w.ctx, db.AlertListParams{OpenOnly: true, PartnerID: uuid.NullUUID{UUID: w.partner, Valid: true}, MaxRows: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if row.Alert.Kind == string(jobs.AlertDrift) {
				texts = append(texts, jobs.AlertText(row.Alert, "en"))
			}
		}
		return texts
	}
	for i := range 4 {
		w.receive(cdr{id: fmt.Sprint("C", i), start: day(2 + i), kwh: "20", cost: "9.45"}) // 0.45 more than computed
	}
	w.work()
	if texts := drifts(); len(texts) != 0 {
		t.Errorf("1.80 is tolerated: %q", texts)
	}
	w.receive(cdr{id: "C9", start: day(9), kwh: "20", cost: "9.45"})
	w.work()
	w.clock.Set(w.clock.Now().Add(24 * time.Hour))
	if texts := drifts(); len(texts) != 1 || texts[0] != "The tolerated differences of 5 sessions in 2026-10 come to 2.25 EUR of 47.25 EUR that are claimed." {
		t.Errorf("2.25 is not: %q", texts)
	}
	w.clock.Set(time.Date(2026, 12, 2, 12, 0, 0, 0, time.UTC)) // October is closed
	if texts := drifts(); len(texts) != 0 {
		t.Errorf("past months: %q", texts)
	}
}
