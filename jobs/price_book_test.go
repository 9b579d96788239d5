package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// priced writes a plan of one price of energy, VAT included, and more members.
func priced(kwh, more string) []byte {
	return []byte(`{"id":"P","currency":"EUR","tax_included":"YES","elements":[{"price_components":[{"type":"ENERGY","price":` + kwh + `,"vat":19,"step_size":1}]}]` + more + `}`)
}

func (w *world) addPlan(name string, doc []byte, from time.Time) db.PlanVersion {
	w.t.Helper()
	row, err := w.ops.AddPlan(w.ctx, w.tenant.ID, name, doc, from)
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

func (w *world) setBook(doc string, from time.Time) db.PriceBook {
	w.t.Helper()
	row, err := w.ops.SetPriceBook(w.ctx, w.tenant.ID, []byte(doc), from)
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

// gross is what the customer pays for a CDR, and why.
func (w *world) gross(id uuid.UUID) (string, jobs.Choice) {
	w.t.Helper()
	rating, err := w.db.CurrentRating(w.ctx, id)
	if err != nil {
		w.t.Fatalf("rating of %s: %v (%+v)", id, err, w.state(id))
	}
	var choice jobs.Choice
	if err := json.Unmarshal(rating.Choice, &choice); err != nil {
		w.t.Fatal(err)
	}
	return rating.RetailGross.StringFixed(2), choice
}

func (w *world) sentence(id uuid.UUID) string {
	w.t.Helper()
	rating, err := w.db.CurrentRating(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	var r billing.Rating
	if err := json.Unmarshal(rating.Retail, &r); err != nil {
		w.t.Fatal(err)
	}
	return billing.Sentence(r, "de")
}

// again makes a CDR due that is done.
func (w *world) again(id uuid.UUID) {
	w.t.Helper()
	if err := dbtest.Exec(w.ctx, w.dbURL, `UPDATE cdr_states SET due_at = '2026-01-01' WHERE cdr_id = '`+id.String()+`'`); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) put(customer, group string) {
	w.t.Helper()
	if err := w.ops.PutIntoGroup(w.ctx, w.tenant.ID, customer, group, instant(early)); err != nil {
		w.t.Fatal(err)
	}
}

const early = "2026-01-01T00:00:00Z"

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// The book decides by group and own charge points; what it has no price for waits, and wakes when it has.
func TestPriceBookPricesSessions(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Strom", priced("0.49", ""), time.Time{})
	w.addPlan("Eigen", priced("0.39", ""), time.Time{})
	if _, err := w.ops.AddCustomerGroup(w.ctx, w.tenant.ID, "Stromkunden"); err != nil {
		t.Fatal(err)
	}
	w.setBook(`{"rules":[{"id":"eigen","plan":"Eigen","group":"Stromkunden","where":{"own":true}},{"id":"strom","plan":"Strom","group":"Stromkunden"}]}`, instant(early))
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	if s := w.state(id); s.State != "waiting" || s.Reason != "no-price" || s.DueAt == nil {
		t.Fatalf("a customer in no group: %s, %s, due %v", s.State, s.Reason, s.DueAt)
	}
	w.put(w.card.CustomerNumber, "Stromkunden")
	w.work()
	if got, choice := w.gross(id); got != "9.80" || choice.Rule == nil || choice.Rule.ID != "strom" || choice.Plan != "Strom" || choice.Book != 2 || choice.At.CPO.String() != "DE*NSL" || choice.At.Current != billing.AC {
		t.Errorf("in the group: %s, %+v", got, choice)
	}
	if err := w.ops.MarkOwn(w.ctx, w.tenant.ID, ocpi.Party{CountryCode: "de", PartyID: "nsl"}, true); err != nil {
		t.Fatal(err)
	}
	own := w.receive(cdr{id: "C2", start: day(5), kwh: "20"})
	w.work()
	if got, choice := w.gross(own); got != "7.80" || choice.Rule.ID != "eigen" {
		t.Errorf("at own charge points: %s, %+v", got, choice)
	}

	// An agreement goes before groups.
	agreed, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: w.tenant.ID, UID: "0499", Contract: "DE-SWX-C9", Customer: "Firma", Email: "a@b.example", Plan: "Standard", CustomerGroup: "Stromkunden"})
	if err != nil {
		t.Fatal(err)
	}
	third := w.receive(cdr{id: "C3", start: day(5), kwh: "20", uid: "0499"})
	w.work()
	if got, choice := w.gross(third); got != "11.80" || choice.Rule != nil || choice.Plan != "Standard" {
		t.Errorf("agreed: %s, %+v", got, choice)
	}
	if _, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: w.tenant.ID, UID: "0498", Contract: "DE-SWX-C8", Customer: "X", Email: "a@b.example", CustomerGroup: "Nobody"}); err == nil || !strings.Contains(err.Error(), `group: the name of a customer group, got "Nobody"`) {
		t.Errorf("a card in an unknown group: %v", err)
	}
	_ = agreed
}

// A session keeps the version of its start, whenever it is rated; and nobody can change what a session was priced by.
func TestSessionKeepsTheVersionOfItsStart(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Standard", priced("0.69", ""), day(10))
	before, after := w.receive(cdr{id: "C1", start: day(9), kwh: "20"}), w.receive(cdr{id: "C2", start: day(10), kwh: "20"})
	w.work()
	if got, choice := w.gross(before); got != "11.80" || choice.PlanVersion != 1 {
		t.Errorf("before: %s by version %d", got, choice.PlanVersion)
	}
	if got, choice := w.gross(after); got != "13.80" || choice.PlanVersion != 2 {
		t.Errorf("after: %s by version %d", got, choice.PlanVersion)
	}
	for what, add := range map[string]func() error{
		"a version of the plan": func() error {
			_, err := w.ops.AddPlan(w.ctx, w.tenant.ID, "Standard", priced("0.10", ""), day(10))
			return err
		},
		"a version of the book": func() error {
			_, err := w.ops.SetPriceBook(w.ctx, w.tenant.ID, []byte(`{"rules":[{"plan":"Standard"}]}`), day(10))
			return err
		},
	} {
		if err := add(); err == nil || !strings.Contains(err.Error(), "valid_from: later than every session that is priced by an earlier version, got \"2026-10-10T08:00:00Z\"") {
			t.Errorf("%s for sessions that are priced: %v", what, err)
		}
	}
	w.addPlan("Standard", priced("0.79", ""), day(11))
	w.addPlan("Standard", priced("0.74", ""), day(11)) // the one before was wrong, and nobody has been charged by it
	later := w.receive(cdr{id: "C3", start: day(11), kwh: "20"})
	w.work()
	if got, choice := w.gross(later); got != "14.80" || choice.PlanVersion != 4 {
		t.Errorf("later: %s by version %d", got, choice.PlanVersion)
	}
	for _, sql := range []string{`UPDATE plan_versions SET doc = '{}'`, `DELETE FROM plan_versions`, `UPDATE price_books SET valid_from = now()`, `DELETE FROM price_books`, `TRUNCATE price_books CASCADE`} {
		if err := dbtest.Exec(w.ctx, w.dbURL, sql); err == nil || !strings.Contains(err.Error(), "is immutable") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// What cannot be published says what is wrong, and what can says what is missing.
func TestCheckPriceBook(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Eigen", priced("0.39", `,"base_fee":{"price":5}`), time.Time{})
	if _, err := w.ops.AddCustomerGroup(w.ctx, w.tenant.ID, "Strom"); err != nil {
		t.Fatal(err)
	}
	if err := dbtest.Exec(w.ctx, w.dbURL, `INSERT INTO partner_tenants SELECT id, '`+w.tenant.ID.String()+`' FROM partners ON CONFLICT DO NOTHING`); err != nil {
		t.Fatal(err)
	}
	if err := dbtest.Exec(w.ctx, w.dbURL, `INSERT INTO partner_parties SELECT id, 'CPO', 'DE', 'NSL', 'Nordstrom', 'credentials', 'CONNECTED', now() FROM partners`); err != nil {
		t.Fatal(err)
	}
	w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	check := func(doc string) jobs.BookCheck {
		t.Helper()
		c, err := w.ops.CheckPriceBook(w.ctx, w.tenant.ID, []byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for doc, want := range map[string]string{
		`{"rules":[{"plan":"Standard"},{"plan":"Eigen"}]}`:            "rules[1]: more or less precise",
		`{"rules":[{"plan":"Premium"}]}`:                              `rules[0].plan: the name of a plan, got "Premium"`,
		`{"rules":[{"plan":"Standard","group":"Gas"}]}`:               `rules[0].group: the name of a customer group, got "Gas"`,
		`{"rules":[{"plan":"Standard","where":{"current":"Strom"}}]}`: `rules[0].where.current: AC or DC, got "Strom"`,
	} {
		if c := check(doc); c.Refused == nil || !strings.Contains(c.Refused.Error(), want) {
			t.Errorf("%s: %v", doc, c.Refused)
		}
		if _, err := w.ops.SetPriceBook(w.ctx, w.tenant.ID, []byte(doc), w.clock.Now()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is published: %v", doc, err)
		}
	}
	c := check(`{"rules":[{"id":"s","plan":"Eigen","group":"Strom"},{"id":"ac","plan":"Standard","where":{"current":"AC"}},{"id":"nsl","plan":"Eigen","where":{"cpo":"DE*NSL","current":"AC"}}]}`)
	if c.Refused != nil || len(c.Networks) != 2 || len(c.Cells) != 4 {
		t.Fatalf("%+v", c)
	}
	var holes []string
	for _, cell := range c.Cells {
		if cell.Holes() {
			holes = append(holes, cell.Group+"/"+c.Networks[cell.Network].Name)
		}
	}
	if got := strings.Join(holes, " "); got != "/Nordstrom (DE*NSL) DC" {
		t.Errorf("holes: %s", got)
	}
	if len(c.Unreachable) != 0 || c.Fees[0] != (jobs.BookFeeCheck{Group: "Strom", Plan: "Eigen"}) || c.Fees[1] != (jobs.BookFeeCheck{}) {
		t.Errorf("unreachable %v, fees %+v", c.Unreachable, c.Fees)
	}
	if len(c.Samples) != 1 || c.Samples[0].Plan != "Standard" || c.Samples[0].NewPlan != "Eigen" || c.Samples[0].NewRule != "nsl" {
		t.Errorf("samples %+v", c.Samples)
	}
}

// Free kilowatt-hours are drawn by each session, never twice, and come back when a session is credited or rated anew.
func TestAllowance(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Standard", priced("0.50", `,"allowances":[{"id":"FREI","unit":"kWh","quantity":30}]`), day(1))
	used := func() string {
		t.Helper()
		rows, err := w.db.AllowancesUsed(w.ctx, db.AllowancesUsedParams{ContractID: w.card.ContractID, Month: october})
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 0 {
			return "nothing"
		}
		return rows[0].Allowance + " " + rows[0].Used.String()
	}
	first := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	second := w.receive(cdr{id: "C2", start: day(6), kwh: "20"})
	w.work()
	if a, _ := w.gross(first); a != "0.00" || used() != "FREI 30" {
		t.Errorf("first %s, used %s", a, used())
	}
	if b, _ := w.gross(second); b != "5.00" || w.sentence(second) != "20,000 kWh × 0,50 €/kWh − 10,000 kWh Freimenge × 0,50 €/kWh = 5,00 €" {
		t.Errorf("second %s: %s", b, w.sentence(second))
	}
	w.again(second) // it takes again what it had
	w.work()
	if b, _ := w.gross(second); b != "5.00" || used() != "FREI 30" {
		t.Errorf("rated anew %s, used %s", b, used())
	}
	w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	w.work()
	if used() != "FREI 10" {
		t.Errorf("after the credit %s are used", used())
	}
	w.again(second)
	w.work()
	if b, choice := w.gross(second); b != "0.00" || used() != "FREI 20" || !choice.Left["FREI"].Equal(decimal.NewFromInt(30)) {
		t.Errorf("rated anew %s, used %s, left %v", b, used(), choice.Left)
	}
	november := w.receive(cdr{id: "C3", start: time.Date(2026, 10, 31, 23, 30, 0, 0, time.UTC), kwh: "40"}) // in Berlin
	w.work()
	if c, _ := w.gross(november); c != "5.00" || used() != "FREI 20" {
		t.Errorf("another month %s, used %s", c, used())
	}
	if err := dbtest.Exec(w.ctx, w.dbURL, `UPDATE allowances SET used = granted + 1`); err == nil {
		t.Error("more is used than was granted")
	}
}

// Eight workers rate the sessions of one contract at once: no kilowatt-hour is free twice, no voucher pays twice.
func TestEightWorkersDrawNothingTwice(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Standard", priced("0.50", `,"allowances":[{"id":"FREI","unit":"kWh","quantity":105}]`), day(1))
	if _, err := w.ops.AddVoucher(w.ctx, jobs.NewVoucher{Tenant: w.tenant.ID, Code: "HALLO", Amount: decimal.NewNullDecimal(decimal.NewFromInt(33)), From: day(1)}); err != nil {
		t.Fatal(err)
	}
	if err := w.ops.RedeemVoucher(w.ctx, w.tenant.ID, "hallo", "DE-SWX-C04A2B3C4D5E680"); err != nil {
		t.Fatal(err)
	}
	const n = 60
	for i := range n {
		w.receive(cdr{id: fmt.Sprint("C", i), start: apart(i), kwh: "10"})
	}
	ctx, cancel := context.WithCancel(w.ctx)
	var running sync.WaitGroup
	for range 8 {
		worker := newWorker(t, w.db, w.redis, w.clock.Now)
		running.Go(func() {
			if err := worker.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	w.settle(time.Minute)
	w.waitForQueue()
	cancel()
	running.Wait()
	// 600 kWh, 105 of them free, at 0.50, less 33.00.
	for what, c := range map[string]struct {
		sql  string
		want int
	}{
		"cents":                {`SELECT (100 * sum(gross))::integer FROM line_items`, 24750 - 3300},
		"kWh drawn":            {`SELECT sum(quantity)::integer FROM allowance_uses WHERE given_back_at IS NULL`, 105},
		"kWh used":             {`SELECT used::integer FROM allowances`, 105},
		"cents drawn":          {`SELECT (100 * sum(amount))::integer FROM voucher_draws WHERE given_back_at IS NULL`, 3300},
		"cents of redemptions": {`SELECT (100 * drawn)::integer FROM voucher_redemptions`, 3300},
	} {
		if got := w.count(c.sql); got != c.want {
			t.Errorf("%s: %d, want %d", what, got, c.want)
		}
	}
}

func TestVoucher(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Standard", priced("0.50", ""), day(1))
	add := func(n jobs.NewVoucher) error {
		n.Tenant, n.From = w.tenant.ID, day(1)
		_, err := w.ops.AddVoucher(w.ctx, n)
		return err
	}
	money := func(s string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(s)) }
	const contract = "DE-SWX-C04A2B3C4D5E680"
	if err := errors.Join(add(jobs.NewVoucher{Code: "start-10", Percent: money("10"), Budget: money("1.50")}), add(jobs.NewVoucher{Code: "EINER", Amount: money("5"), Budget: money("9")})); err != nil {
		t.Fatal(err)
	}
	for want, n := range map[string]jobs.NewVoucher{
		`code: 3 to 36 letters, digits and hyphens, got "A!"`:    {Code: "a!", Percent: money("5")},
		`percent: either percent or amount`:                      {Code: "AAA"},
		`percent: above 0 and at most 100, got "120"`:            {Code: "AAA", Percent: money("120")},
		`amount: a positive amount in whole cents, got "1.005"`:  {Code: "AAA", Amount: money("1.005")},
		`budget: at least the amount of one voucher, got "2"`:    {Code: "AAA", Amount: money("3"), Budget: money("2")},
		`voucher EINER exists already`:                           {Code: "einer", Percent: money("5")},
		`valid_to: after valid_from, got "2026-10-01T08:00:00Z"`: {Code: "AAA", Percent: money("5"), To: new(day(1))},
	} {
		if err := add(n); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", n, err, want)
		}
	}
	if err := errors.Join(w.ops.RedeemVoucher(w.ctx, w.tenant.ID, "START-10", contract), w.ops.RedeemVoucher(w.ctx, w.tenant.ID, "Einer", contract)); err != nil {
		t.Fatal(err)
	}
	w.issueCard(w.tenant.ID, "0477", "Zweiter")
	for _, c := range []struct{ code, contract, want string }{
		{"EINER", contract, "exists already"},
		{"EINER", "DE-SWX-C0477", "code: a voucher whose budget is not used up"}, // 9 are no two times 5
		{"ZWEI", contract, "code: a voucher of the utility"},
		{"EINER", "DE-SWX-C0", "contract: a contract of the utility"},
	} {
		if err := w.ops.RedeemVoucher(w.ctx, w.tenant.ID, c.code, c.contract); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	// 10.00 less 10 %, less 5.00; then 10 % are only 0.50 of the budget.
	first := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	second := w.receive(cdr{id: "C2", start: day(6), kwh: "20"})
	w.work()
	if got := w.sentence(first); got != "20,000 kWh × 0,50 €/kWh − 1,00 € Gutschein START-10 − 5,00 € Gutschein EINER = 4,00 €" {
		t.Error(got)
	}
	if got := w.sentence(second); got != "20,000 kWh × 0,50 €/kWh − 0,50 € Gutschein START-10 = 9,50 €" {
		t.Error(got)
	}
	w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	w.work()
	if got := w.count(`SELECT (100 * spent)::integer FROM vouchers WHERE code = 'START-10'`); got != 50 {
		t.Errorf("after the credit %d cents are spent", got)
	}
	w.again(second)
	w.work()
	if got := w.sentence(second); got != "20,000 kWh × 0,50 €/kWh − 1,00 € Gutschein START-10 − 5,00 € Gutschein EINER = 4,00 €" {
		t.Error(got)
	}
	rows, err := w.db.Vouchers(w.ctx, db.VouchersParams{TenantID: w.tenant.ID})
	if err != nil || len(rows) != 2 || rows[0].Code != "EINER" || rows[0].Drawn.String() != "5" || rows[0].Spent.String() != "5" || rows[1].Redemptions != 1 {
		t.Errorf("%+v, %v", rows, err)
	}
}

// The price that was shown when a session was authorised is the most that it costs.
func TestPricePromise(t *testing.T) {
	w := newWorld(t)
	w.putLocation("Hamburg")
	tokens, err := w.db.TokensByUID(w.ctx, db.TokensByUIDParams{TenantIDs: []uuid.UUID{w.tenant.ID}, UID: "04A2B3C4D5E680", At: w.clock.Now()})
	if err != nil || len(tokens) != 1 {
		t.Fatalf("%v, %v", tokens, err)
	}
	authorize := func(at time.Time, location *ocpi.LocationReferences) string {
		t.Helper()
		w.clock.Set(at)
		info, err := w.ops.Authorize(w.ctx, tokens[0], jobs.Asking{Partner: w.partner, CPO: ocpi.Party{CountryCode: "DE", PartyID: "NSL"}, At: location})
		if err != nil || info.Allowed != ocpi.AllowedAllowed {
			t.Fatalf("%+v, %v", info, err)
		}
		return string(info.AuthorizationReference)
	}
	w.addPlan("Standard", priced("0.69", ""), day(10))
	here := &ocpi.LocationReferences{LocationID: "HH1"}
	evening := day(10).Add(-time.Hour)
	shown, elsewhere, unsaid, today := authorize(evening, here), authorize(evening, &ocpi.LocationReferences{LocationID: "HH9"}), authorize(evening, nil), authorize(day(10), here)

	row, err := w.db.QuoteOf(w.ctx, db.QuoteOfParams{Reference: uuid.MustParse(shown), TenantID: w.tenant.ID})
	if err != nil {
		t.Fatal(err)
	}
	var quote jobs.Quote
	if err := json.Unmarshal(row.Quote, &quote); err != nil {
		t.Fatal(err)
	}
	if len(quote.Offers) != 1 || quote.Offers[0].DE != "0,59 €/kWh" || quote.Offers[0].PlanVersion != 1 || quote.Offers[0].At[0].EVSE != "1" || quote.Book != 1 || len(quote.Offers[0].Prices) != 1 {
		t.Errorf("quote %+v", quote)
	}
	w.clock.Set(day(20))
	receive := func(id, reference string) uuid.UUID {
		c := cdr{id: id, start: day(10), kwh: "20"}
		return w.receiveJSON(c.with("authorization_reference", `"`+reference+`"`))
	}
	kept, noPlace, noPrice, same, foreign := receive("C1", shown), receive("C2", elsewhere), receive("C3", unsaid), receive("C4", today), receive("C5", "not-ours")
	w.work()
	if got, choice := w.gross(kept); got != "11.80" || choice.Promise == nil || choice.Promise.Waived.String() != "2" || choice.Promise.PlanVersion != 1 {
		t.Errorf("promised: %s, %+v", got, choice.Promise)
	}
	if got := w.sentence(kept); got != "20,000 kWh × 0,69 €/kWh − 2,00 € Preisversprechen = 11,80 €" {
		t.Error(got)
	}
	if s := w.state(kept); s.State != "rated" || !strings.Contains(strings.Join(s.Flags, " "), "price-promise") {
		t.Errorf("%s, flags %v", s.State, s.Flags)
	}
	if w.count(`SELECT count(*) FROM ratings WHERE waived = 2`) != 1 {
		t.Error("what was waived is not written down")
	}
	for _, id := range []uuid.UUID{noPlace, noPrice, same, foreign} {
		if got, choice := w.gross(id); got != "13.80" || choice.Promise != nil && choice.Promise.Waived.IsPositive() {
			t.Errorf("%s: %s, %+v", w.state(id).OCPIID, got, choice.Promise)
		}
	}
}
