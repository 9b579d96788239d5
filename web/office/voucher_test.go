package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// TestVouchers makes a voucher, redeems it for contracts and ends it.
func TestVouchers(t *testing.T) {
	t.Parallel()
	w := open(t)
	u := w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	for _, card := range []jobs.NewCard{
		{UID: "04AA", Contract: "DE-SWI-C1", Customer: "Erika Beispiel"}, {UID: "04BB", Contract: "DE-SWI-C2", Customer: "Firma"}, {UID: "04CC", Contract: "DE-SWI-C3", Customer: "Firma"}, {UID: "04DD", Contract: "DE-SWI-C4", Customer: "Max"},
	} {
		card.Tenant, card.Email = u.ID, "a@b.example"
		_, err := w.ops.IssueCard(t.Context(), card)
		w.check(err)
	}
	c := w.signIn(u.staff)
	good := func(more ...string) url.Values {
		form := url.Values{"code": {"spring-10"}, "name": {"Spring"}, "kind": {"amount"}, "value": {"10,00"}, "budget": {"20"}}
		for i := 0; i < len(more); i += 2 {
			form[more[i]] = []string{more[i+1]}
		}
		return form
	}
	for _, bad := range []struct {
		form        url.Values
		field, want string
	}{
		{good("code", "ä!"), "code", "3 to 36 letters"}, {good("value", "ten"), "value", "Please enter a number"}, {good("value", "1,005"), "value", "whole cents"}, {good("value", ""), "value", "percentage"},
		{good("kind", "percent", "value", "120"), "value", "percentage"}, {good("budget", "9"), "budget", "enough for one voucher"}, {good("budget", "1e99"), "budget", "Please enter a number"}, {good("from", "soon"), "from", "is no date"},
		{good("from", "2.12.2026", "to", "1.11.2026"), "to", "before the first"}, {good("name", strings.Repeat("x", 101)), "name", "at most 100"},
	} {
		res := c.post("/en/vouchers/new", bad.form)
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(problems(res.body), bad.want) || !strings.Contains(res.body, `id="`+bad.field+`-error"`) || !strings.Contains(res.body, `value="`+bad.form.Get("code")+`"`) {
			t.Errorf("%v: %s: %s", bad.form, res.Status, problems(res.body))
		}
	}
	at := c.post("/en/vouchers/new", good("to", "31.12.2026")).Header.Get("Location")
	body := c.get(at).body
	for _, want := range []string{"SPRING-10 is made.", "€10.00 for each contract", "20 Nov 2026 – 31 Dec 2026", "€20.00 are left", "Klara Clerk", "Nobody has redeemed it yet."} {
		if !strings.Contains(body, want) {
			t.Errorf("made, without %q", want)
		}
	}
	if res := c.post("/en/vouchers/new", good()); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(problems(res.body), "There is a voucher with this code.") {
		t.Errorf("twice: %s", res.Status)
	}
	for _, step := range []struct{ contract, want string }{
		{"DE-SWI-C9", "This contract is not known."}, {"10002", "several contracts: DE-SWI-C2, DE-SWI-C3"}, {"10001", "redeemed for the contract DE-SWI-C1"},
		{"DE-SWI-C1", "has the voucher already"}, {"de-swi-c2", "redeemed for the contract"}, {"10003", "its budget is used up"},
	} {
		res := c.post(at+"/redeem", url.Values{"contract": {step.contract}})
		body := res.body
		if res.StatusCode == http.StatusSeeOther {
			body = c.get(res.Header.Get("Location")).body
		} else if !strings.Contains(body, `value="`+step.contract+`"`) {
			t.Errorf("%s was typed and is gone", step.contract)
		}
		if !strings.Contains(body, step.want) {
			t.Errorf("%s: %s: %s", step.contract, res.Status, problems(body))
		}
	}
	body = c.get("/en/vouchers").body
	for _, want := range []string{"SPRING-10", "€20.00 of €20.00", "budget used up", "1 voucher"} {
		if !strings.Contains(body, want) {
			t.Errorf("the list is without %q", want)
		}
	}
	if body := c.follow(strings.TrimPrefix(at, "/en")+"/end", nil); !strings.Contains(body, "SPRING-10 is ended.") || strings.Contains(body, `name="contract"`) {
		t.Error("an ended voucher can be redeemed")
	}
	if res := c.post(at+"/redeem", url.Values{"contract": {"DE-SWI-C4"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("an ended voucher is redeemed: %s", res.Status)
	}
	if body := c.get("/en/vouchers?state=over").body; !strings.Contains(body, "SPRING-10") {
		t.Error("it is not among those that have ended")
	}
	rows, err := w.ops.DB.Vouchers(t.Context(), db.VouchersParams{TenantID: u.ID})
	if err != nil || len(rows) != 1 || rows[0].Redemptions != 2 || rows[0].EndedBy == nil || *rows[0].EndedBy != "Klara Clerk" {
		t.Errorf("%+v, %v", rows, err)
	}
}

// TestGroups makes a group and puts a customer in and out from a day on.
func TestGroups(t *testing.T) {
	t.Parallel()
	w := open(t)
	u := w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	_, err := w.ops.IssueCard(t.Context(), jobs.NewCard{Tenant: u.ID, UID: "04AA", Contract: "DE-SWI-C1", Customer: "Erika Beispiel", Email: "a@b.example"})
	w.check(err)
	c := w.signIn(u.staff)
	if res := c.post("/en/groups", url.Values{"name": {" "}}); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, `id="name-error"`) {
		t.Errorf("no name: %s", res.Status)
	}
	at := c.post("/en/groups", url.Values{"name": {"Staff"}}).Header.Get("Location")
	if res := c.post("/en/groups", url.Values{"name": {"Staff"}}); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, "There is a group of this name.") || !strings.Contains(res.body, `value="Staff"`) {
		t.Errorf("twice: %s", res.Status)
	}
	if body := c.get(at).body; !strings.Contains(body, "The group Staff is made.") || !strings.Contains(body, "Nobody is in this group") {
		t.Error("the group is not there")
	}
	for _, bad := range []struct {
		form        url.Values
		field, want string
	}{
		{url.Values{"customer": {"77"}, "to": {"Staff"}, "from": {"2026-11-01"}}, "customer", "no customer of this number"},
		{url.Values{"customer": {"10001"}, "to": {"Guests"}, "from": {"2026-11-01"}}, "to", "no such group"},
		{url.Values{"customer": {"10001"}, "to": {"Staff"}, "from": {"soon"}}, "from", "is no date"},
	} {
		res := c.post(at, bad.form)
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(problems(res.body), bad.want) || !strings.Contains(res.body, `id="`+bad.field+`-error"`) || !strings.Contains(res.body, `value="`+bad.form.Get("customer")+`"`) {
			t.Errorf("%v: %s: %s", bad.form, res.Status, problems(res.body))
		}
	}
	path := strings.TrimPrefix(at, "/en")
	for _, step := range []struct{ to, from, want string }{
		{"Staff", "2026-11-01", "Take out: Erika Beispiel"}, {"", "1.1.2027", "from 1 Jan 2027: in no group"}, {"", "2026-11-20", "Nobody is in this group"}, {"Staff", "2026-12-24", "To come later"},
	} {
		if body := c.follow(path, url.Values{"customer": {"10001"}, "to": {step.to}, "from": {step.from}}); !strings.Contains(body, step.want) {
			t.Errorf("%q from %s: no %q", step.to, step.from, step.want)
		}
	}
	if body := c.get("/en/groups").body; !strings.Contains(body, "1 to come") {
		t.Error("the list does not say that somebody comes")
	}
	c.follow(path, url.Values{"customer": {"10001"}, "to": {"Staff"}, "from": {"2026-11-01"}})
	if part := c.get(at+"?q=erika", "HX-Request", "true").body; !strings.Contains(part, "Erika") || strings.Contains(part, "<html") {
		t.Error("searching does not find a customer")
	}
	if body := c.get(at + "?q=nobody").body; strings.Contains(body, "Erika") {
		t.Error("searching finds everybody")
	}
}
