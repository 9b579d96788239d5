package office_test

import (
	"time"
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
}
