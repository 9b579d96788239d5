package jobs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// A session is priced by the group that its customer was in when it began, however late its CDR comes.
func TestGroupCountsFromADay(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Strom", priced("0.49", ""), time.Time{})
	group, err := w.ops.AddCustomerGroup(w.ctx, w.tenant.ID, "Strom")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{" ": "name: 1 to 100 characters", "Strom": "exists already", strings.Repeat("x", 101): "name: 1 to 100 characters"} {
		if _, err := w.ops.AddCustomerGroup(w.ctx, w.tenant.ID, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	w.setBook(`{"rules":[{"plan":"Strom","group":"Strom"},{"plan":"Standard"}]}`, instant(early))
	put := func(group string, from time.Time) {
		t.Helper()
		if err := w.ops.PutIntoGroup(w.ctx, w.tenant.ID, w.card.CustomerNumber, group, from); err != nil {
			t.Fatal(err)
		}
	}
	price := func(id string, start time.Time, want string) {
		t.Helper()
		cdr := w.receive(cdr{id: id, start: start, kwh: "20"})
		w.work()
		if gross, _ := w.gross(cdr); gross != want {
			t.Errorf("%s: %s, want %s", id, gross, want)
		}
	}
	put("Strom", day(6))
	put("", day(9))
	price("before", day(5), "11.80")
	price("on the day", day(6), "9.80")
	price("out again", day(9), "11.80")
	price("late", day(8), "9.80")

	// What was to change later is off.
	put("", day(7))
	price("in between", day(6), "9.80")
	price("out earlier", day(8), "11.80")
	put("Strom", w.clock.Now().AddDate(0, 0, 10))
	groups, err := w.db.CustomerGroups(w.ctx, db.CustomerGroupsParams{TenantID: w.tenant.ID, At: w.clock.Now()})
	if err != nil || len(groups) != 1 || groups[0].Customers != 0 || groups[0].Coming != 1 {
		t.Errorf("groups now %+v, %v", groups, err)
	}
	later := w.clock.Now().AddDate(0, 0, 10)
	groups, err = w.db.CustomerGroups(w.ctx, db.CustomerGroupsParams{TenantID: w.tenant.ID, At: later})
	if err != nil || groups[0].Customers != 1 || groups[0].Coming != 0 {
		t.Errorf("groups later %+v, %v", groups, err)
	}
	members, err := w.db.GroupMembers(w.ctx, db.GroupMembersParams{TenantID: w.tenant.ID, GroupID: group, At: later, MaxRows: 10})
	if err != nil || len(members) != 1 || members[0].Number != w.card.CustomerNumber || !members[0].ValidFrom.Equal(later) {
		t.Errorf("members later %+v, %v", members, err)
	}
	for _, wrong := range []struct{ customer, group, want string }{
		{"77", "Strom", `customer: the number of a customer, got "77"`}, {w.card.CustomerNumber, "Gas", `group: the name of a customer group, got "Gas"`},
	} {
		if err := w.ops.PutIntoGroup(w.ctx, w.tenant.ID, wrong.customer, wrong.group, time.Time{}); err == nil || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}

// An ended voucher is redeemed no more and takes no percent off later sessions; an amount that was redeemed stays.
func TestEndVoucher(t *testing.T) {
	w := newWorld(t)
	w.addPlan("Standard", priced("0.50", ""), day(1))
	const contract = "DE-SWX-C04A2B3C4D5E680"
	money := func(s string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(s)) }
	for _, n := range []jobs.NewVoucher{{Code: "TEN", Percent: money("10")}, {Code: "FIVE", Amount: money("5")}} {
		n.Tenant, n.From = w.tenant.ID, day(1)
		id, err := w.ops.AddVoucher(w.ctx, n)
		if err := errors.Join(err, w.ops.RedeemVoucher(w.ctx, w.tenant.ID, n.Code, contract)); err != nil {
			t.Fatal(err)
		}
		now := w.clock.Now()
		w.clock.Set(day(6))
		if err := w.ops.EndVoucher(w.ctx, w.tenant.ID, id); err != nil {
			t.Fatal(err)
		}
		w.clock.Set(now)
		if err := w.ops.EndVoucher(w.ctx, w.tenant.ID, id); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s is ended twice: %v", n.Code, err)
		}
	}
	w.issueCard(w.tenant.ID, "0477", "Zweiter")
	if err := w.ops.RedeemVoucher(w.ctx, w.tenant.ID, "FIVE", "DE-SWX-C0477"); err == nil || !strings.Contains(err.Error(), "a voucher that is still valid") {
		t.Errorf("an ended voucher is redeemed: %v", err)
	}
	before := w.receive(cdr{id: "C1", start: day(5), kwh: "5"})
	w.work()
	after := w.receive(cdr{id: "C2", start: day(7), kwh: "20"})
	w.work()
	if got := w.sentence(before); got != "5,000 kWh × 0,50 €/kWh − 0,25 € Gutschein TEN − 2,25 € Gutschein FIVE = 0,00 €" {
		t.Error(got)
	}
	if got := w.sentence(after); got != "20,000 kWh × 0,50 €/kWh − 2,75 € Gutschein FIVE = 7,25 €" {
		t.Error(got)
	}
}
