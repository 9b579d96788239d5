package office_test

import (
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// blockingPlan is a plan with most of what a plan can have.
const blockingPlan = `{"country_code":"DE","party_id":"SWI","id":"STADT","currency":"EUR","type":"REGULAR","tax_included":"YES","last_updated":"2026-10-01T00:00:00Z",
	"elements":[
		{"price_components":[{"type":"ENERGY","price":0.49,"vat":19,"step_size":1},{"type":"FLAT","price":0.35,"vat":19}]},
		{"fee":"BLOCKING","price_components":[{"type":"TIME","price":6,"vat":19,"step_size":60},{"type":"PARKING_TIME","price":6,"vat":19,"step_size":60}],
			"restrictions":{"min_duration":14400,"start_time":"08:00","end_time":"22:00"}}],
	"caps":[{"dimensions":["BLOCKING"],"max":12}],
	"allowances":[{"id":"start","unit":"kWh","quantity":10}],
	"discounts":[{"name":"Herbstaktion","percent":5,"start_date_time":"2026-10-01T00:00:00Z","end_date_time":"2026-12-01T00:00:00Z"}],
	"base_fee":{"price":4.99,"vat":19},"one_off_fees":[{"kind":"EXTRA_CARD","price":9.9,"vat":19}]}`

// customerOf is the customer of a contract.
func (w *world) customerOf(contract string, u *utility) uuid.UUID {
	w.Helper()
	c, err := w.ops.DB.ContractByEMAID(w.Context(), db.ContractByEMAIDParams{TenantID: u.ID, ContractID: contract})
	w.check(err)
	return c.CustomerID
}

// fillPrices gives a utility a second plan, in two versions of which one is to come.
func (w *world) fillPrices(u *utility) {
	w.Helper()
	ctx := w.Context()
	first, err := w.ops.AddPlan(ctx, u.ID, "Stadttarif", []byte(blockingPlan), time.Time{})
	w.check(err)
	u.plan = first.PlanID
	_, err = w.ops.AddPlan(ctx, u.ID, "Stadttarif", []byte(`{"currency":"EUR","tax_included":"YES","last_updated":"2026-11-01T00:00:00Z","elements":[
		{"price_components":[{"type":"ENERGY","price":0.0053,"vat":19,"step_size":1}],"restrictions":{"max_kwh":100}}]}`), w.now.AddDate(0, 1, 0))
	w.check(err)
	for _, group := range []string{"Privatkunden", "Flotten"} {
		_, err = w.ops.AddCustomerGroup(ctx, u.ID, group)
		w.check(err)
	}
	contract, err := w.ops.DB.TokensByUID(ctx, db.TokensByUIDParams{TenantIDs: []uuid.UUID{u.ID}, UID: card(u, 0), At: w.now})
	w.check(err)
	customer, err := w.ops.DB.Customer(ctx, w.customerOf(contract[0].ContractID, u))
	w.check(err)
	u.group, err = w.ops.AddCustomerGroup(ctx, u.ID, "Stromkunden")
	w.check(err)
	w.check(w.ops.PutIntoGroup(ctx, u.ID, customer.Number, "Stromkunden", w.now.AddDate(0, 0, -1)))
	u.voucher, err = w.ops.AddVoucher(ctx, jobs.NewVoucher{Tenant: u.ID, Code: "HERBST-" + u.PartyID, Name: "Herbstaktion", Amount: decimal.NewNullDecimal(decimal.NewFromInt(10)), From: w.now.AddDate(0, 0, -5), Budget: decimal.NewNullDecimal(decimal.NewFromInt(100))})
	w.check(err)
	w.check(w.ops.RedeemVoucher(ctx, u.ID, "HERBST-"+u.PartyID, contract[0].ContractID))
	next, err := w.ops.SetPriceBook(ctx, u.ID, []byte(`{"rules":[
		{"id":"privat-dc","plan":"Stadttarif","group":"Privatkunden","where":{"current":"DC","below_kw":150}},
		{"id":"privat-ac","plan":"Standard","group":"Privatkunden","where":{"current":"AC"}},
		{"id":"hub","plan":"Stadttarif","where":{"hub":"DE*RDS"},"note":"Vertrag mit der Drehscheibe"},
		{"id":"ac","plan":"Standard","where":{"current":"AC"}}]}`), w.now.AddDate(0, 2, 0))
	w.check(err)
	u.book = next.ID
	u.draftBook, err = w.ops.AddPriceDraft(ctx, u.ID, "Neue Preise 2027")
	w.check(err)
	w.check(w.ops.SetDraftPlan(ctx, u.ID, u.draftBook, "Standard", []byte(`{"currency":"EUR","tax_included":"YES","last_updated":"2026-11-01T00:00:00Z","elements":[{"price_components":[{"type":"ENERGY","price":0.41,"vat":19}]}]}`)))
	u.backtest, err = w.ops.AddBacktest(ctx, jobs.NewBacktest{Tenant: u.ID, Name: "Neue Preise 2027", Months: 3, Doc: []byte(`{"rules":[{"plan":"Standard"}],"plans":{
		"Standard":{"currency":"EUR","tax_included":"YES","last_updated":"2026-11-01T00:00:00Z","elements":[{"price_components":[{"type":"ENERGY","price":0.41,"vat":19}]}]}}}`)})
	w.check(err)
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		row, report, err := w.ops.ReadBacktest(ctx, u.ID, u.backtest)
		w.check(err)
		if report != nil {
			return
		}
		if row.State == "failed" || time.Now().After(end) {
			w.Fatalf("back-test: %s, %s", row.State, row.Reason)
		}
	}
}
