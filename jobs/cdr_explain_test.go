package jobs_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/literal"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// odd is a made-up CDR with tariffs of its own, as this world's partner sends it for this world's card.
func odd(t *testing.T, n int) []byte {
	t.Helper()
	c := literal.Generate(rand.New(rand.NewPCG(uint64(n), 21))).CDR
	var usual ocpi.CDR
	if err := ocpi.Unmarshal(cdr{id: fmt.Sprint("ODD", n), start: day(5), kwh: "1"}.json(), &usual); err != nil {
		t.Fatal(err)
	}
	connector := c.CDRLocation.ConnectorID
	c.CountryCode, c.PartyID, c.ID, c.Credit = usual.CountryCode, usual.PartyID, usual.ID, false
	c.CDRToken, c.CDRLocation, c.AuthMethod, c.LastUpdated, c.TotalCost = usual.CDRToken, usual.CDRLocation, usual.AuthMethod, usual.LastUpdated, usual.TotalCost
	c.CDRLocation.ConnectorID = connector
	raw, err := ocpi.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Whatever the CDR, the plan and the partner's reading: both prices of every rating can be computed again from what is stored
// with it, to the last digit, and it says which CDR, tariffs and engine it is about.
func TestExplanationsAreStored(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Standard", []byte(`{"id":"P","currency":"EUR","tax_included":"YES","elements":[
		{"fee":"BLOCKING","price_components":[{"type":"PARKING_TIME","price":6,"vat":19,"step_size":60}],"restrictions":{"start_time":"08:00","end_time":"22:00"}},
		{"price_components":[{"type":"ENERGY","price":0.39,"vat":19,"step_size":100}],"restrictions":{"max_kwh":10}},
		{"price_components":[{"type":"ENERGY","price":0.59,"vat":19,"step_size":100},{"type":"FLAT","price":1,"vat":19,"step_size":1}]}],
		"caps":[{"dimensions":["BLOCKING"],"max":9}],"allowances":[{"id":"FREI","unit":"kWh","quantity":7}],"discounts":[{"name":"Sommer","percent":12.5,"dimensions":["ENERGY"]}]}`), time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	if _, err := w.ops.AddVoucher(w.ctx, jobs.NewVoucher{Tenant: w.tenant.ID, Code: "START-10", Percent: number("10"), From: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	if err := w.ops.RedeemVoucher(w.ctx, w.tenant.ID, "START-10", "DE-SWX-C04A2B3C4D5E680"); err != nil {
		t.Fatal(err)
	}
	sums := map[uuid.UUID]string{}
	for n := range 60 {
		raw := odd(t, n)
		sum := sha256.Sum256(raw)
		sums[w.receiveJSON(raw)] = hex.EncodeToString(sum[:])
		if n%20 != 19 {
			continue
		}
		reading := billing.Readings[1+n/20] // for the next ones
		w.work()
		if err := w.ops.SetWholesaleCheck(w.ctx, db.WholesaleCheck{TenantID: w.tenant.ID, PartnerID: w.partner, Reading: reading.Name}, ""); err != nil {
			t.Fatal(err)
		}
	}
	readings, reduced := map[string]int{}, 0
	for id, sum := range sums {
		if state := w.state(id).State; state != "rated" && state != "held" {
			t.Errorf("%s is %s", id, state)
			continue
		}
		rating, err := w.db.CurrentRating(w.ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		e, err := jobs.ReadExplanations(&rating)
		if err != nil || e == nil {
			t.Fatal(e, err)
		}
		if err := e.Replay(); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		for _, e := range []*billing.Explanation{&e.Wholesale, &e.Retail} {
			if e.SHA256 != sum || e.Engine != rating.Engine || len(e.Tariffs) > 0 && len(e.Tariffs[0].Hash) != 64 || len(e.Trace("de")) == 0 {
				t.Errorf("%+v", e)
			}
		}
		if len(rating.InputsSHA256) != sha256.Size || !rating.ComputedNet.Equal(billing.Round(e.Wholesale.Rating.Total.ExclVAT, 4)) {
			t.Errorf("%+v", rating)
		}
		readings[e.Wholesale.Policy.Name]++
		for _, l := range e.Retail.Rating.Lines {
			if len(l.Of) > 0 {
				reduced++
				break
			}
		}
	}
	if len(readings) != 3 || reduced < 20 {
		t.Errorf("readings %v, %d prices with reductions: a test of little", readings, reduced)
	}
}
