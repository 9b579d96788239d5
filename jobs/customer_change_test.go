package jobs_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// told is what the last event of a subject says.
func (w *world) told(subject string, id uuid.UUID) (what, actor string, detail map[string]string) {
	w.t.Helper()
	events, err := w.db.EventsOf(w.ctx, db.EventsOfParams{Subject: subject, SubjectID: id})
	if err != nil || len(events) == 0 {
		w.t.Fatalf("events of %s %s: %d, %v", subject, id, len(events), err)
	}
	last := events[len(events)-1]
	if err := json.Unmarshal(last.Detail, &detail); err != nil {
		w.t.Fatal(err)
	}
	return last.What, last.Actor, detail
}

// wrongFields are the fields of which an error says something.
func wrongFields(err error) string {
	var fields []string
	for _, p := range jobs.DraftProblems(err) {
		fields = append(fields, p.Field)
	}
	return strings.Join(fields, " ")
}

// A change of a customer's data is checked field by field, told with what was before, and refused to the second of two who saw the same.
func TestChangeCustomer(t *testing.T) {
	w := newWorld(t)
	ctx, id := jobs.WithActor(w.ctx, "Klara Clerk"), w.card.CustomerID
	change := func(version int32, set func(*db.Customer)) error {
		return w.ops.ChangeCustomer(ctx, w.tenant.ID, id, version, set)
	}
	if err := change(1, func(c *db.Customer) { c.City, c.VATID, c.Phone = " Emden ", "de 811 907 980", "+49 4921 1" }); err != nil {
		t.Fatal(err)
	}
	what, actor, detail := w.told("customer", id)
	want := map[string]string{"customer.address.city": "Xanten → Emden", "customer.vat_id": "– → DE811907980", "customer.phone": "– → +49 4921 1"}
	if what != "changed" || actor != "Klara Clerk" || !maps.Equal(detail, want) {
		t.Errorf("%s by %s: %v", what, actor, detail)
	}
	if err := change(1, func(c *db.Customer) { c.City = "Leer" }); refused(err) != "data-changed" {
		t.Errorf("the second of two: %v", err)
	}
	for wrong, set := range map[string]func(*db.Customer){
		"customer.name":            func(c *db.Customer) { c.Name = " " },
		"customer.email":           func(c *db.Customer) { c.Email = "erika" },
		"customer.kind":            func(c *db.Customer) { c.Kind = "king" },
		"customer.vat_id":          func(c *db.Customer) { c.VATID = "DE1" },
		"customer.peppol_id":       func(c *db.Customer) { c.Delivery = "peppol" },
		"customer.buyer_reference": func(c *db.Customer) { c.Kind, c.BuyerReference = "public", "991-1" },
		"customer.address.street customer.address.country": func(c *db.Customer) { c.Street, c.Country = strings.Repeat("x", 101), "" },
	} {
		if got := wrongFields(change(0, set)); got != wrong {
			t.Errorf("wrong %s: %q", wrong, got)
		}
	}
	other := w.addTenant("DE*SWY", "Stadtwerke Y")
	if err := w.ops.ChangeCustomer(ctx, other.ID, id, 0, func(c *db.Customer) { c.City = "Y" }); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("another utility: %v", err)
	}
	if c, err := w.db.Customer(w.ctx, id); err != nil || c.City != "Emden" || c.Version != 2 || c.Kind != "private" {
		t.Errorf("%+v, %v", c, err)
	}

	added, err := w.ops.AddCustomer(ctx, w.tenant.ID, func(c *db.Customer) { c.Name, c.Email, c.Kind = "Fuhrpark Nord GmbH", "post@nord.example", "fleet" })
	if err != nil {
		t.Fatal(err)
	}
	if c, err := w.db.Customer(w.ctx, added); err != nil || c.Number != "10002" || c.Kind != "fleet" || c.Country != "DE" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := w.ops.AddCustomer(ctx, w.tenant.ID, func(*db.Customer) {}); wrongFields(err) != "customer.name" {
		t.Errorf("a customer without a name: %v", err)
	}
	if _, err := w.ops.IssueCard(ctx, jobs.NewCard{Tenant: w.tenant.ID, CustomerID: uuid.NullUUID{UUID: added, Valid: true}, UID: "04FF", Contract: "DE-SWX-C1"}); err != nil {
		t.Error(err)
	}
	if _, err := w.ops.IssueCard(ctx, jobs.NewCard{Tenant: other.ID, CustomerID: uuid.NullUUID{UUID: added, Valid: true}, UID: "04FE", Contract: "DE-SWY-C1"}); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("a card of another utility: %v", err)
	}
}

// A mandate takes the place of the one before; its IBAN is kept encrypted and told by its last digits.
func TestSetMandate(t *testing.T) {
	w := newWorld(t)
	id, signed := w.card.CustomerID, w.clock.Now().AddDate(0, 0, -1)
	set := func(m jobs.NewMandate) error { return w.ops.SetMandate(w.ctx, w.tenant.ID, id, m) }
	if got := wrongFields(set(jobs.NewMandate{Reference: "ä"})); got != "payment.debtor_iban payment.mandate_reference payment.signed_on" {
		t.Errorf("nothing: %s", got)
	}
	if got := wrongFields(set(jobs.NewMandate{IBAN: "DE02120300000000202052", SignedOn: signed})); got != "payment.debtor_iban" {
		t.Errorf("a wrong IBAN: %s", got)
	}
	for _, iban := range []string{"DE02 1203 0000 0000 2020 51", "DE75512108001245126199"} {
		if err := set(jobs.NewMandate{IBAN: iban, SignedOn: signed}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, detail := w.told("customer", id); detail["mandate"] != "10001-1 …2051 → 10001-2 …6199" {
		t.Errorf("told: %v", detail)
	}
	m, err := w.db.ActiveMandate(w.ctx, id)
	if err != nil || m.Holder != "Erika Beispiel" || strings.Contains(string(m.IBANSealed), "512108") {
		t.Errorf("%+v, %v", m, err)
	}
	if got := wrongFields(set(jobs.NewMandate{IBAN: "DE75512108001245126199", Reference: "10001-1", SignedOn: signed})); got != "payment.mandate_reference" {
		t.Errorf("a reference that is taken: %s", got)
	}
	other := w.addTenant("DE*SWY", "Stadtwerke Y")
	if err := w.ops.EndMandate(w.ctx, other.ID, id); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("another utility: %v", err)
	}
	if err := w.ops.EndMandate(w.ctx, w.tenant.ID, id); err != nil {
		t.Error(err)
	}
	if err := w.ops.EndMandate(w.ctx, w.tenant.ID, id); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("no mandate is ended: %v", err)
	}
	if rows, err := w.db.MandatesOfCustomer(w.ctx, id); err != nil || len(rows) != 2 || slices.ContainsFunc(rows, func(r db.MandatesOfCustomerRow) bool { return r.EndedAt == nil }) {
		t.Errorf("%+v, %v", rows, err)
	}
}

// The cards of a contract are blocked when it is over: at once, or by the clock.
func TestEndContract(t *testing.T) {
	w := newWorld(t)
	valid := func() bool {
		t.Helper()
		token, err := w.db.Token(w.ctx, w.card.TokenID)
		if err != nil {
			t.Fatal(err)
		}
		return token.Token.Valid
	}
	end := func(at time.Time) error {
		return w.ops.EndContract(w.ctx, w.tenant.ID, w.card.CustomerID, w.card.ContractID, at)
	}
	if err := end(time.Time{}); refused(err) != "period" {
		t.Errorf("before it began: %v", err)
	}
	tomorrow := w.clock.Now().AddDate(0, 0, 1)
	if err := end(tomorrow); err != nil || !valid() {
		t.Errorf("ends tomorrow: %v, valid %t", err, valid())
	}
	w.clock.Set(tomorrow.Add(time.Minute))
	if err := w.worker.RunSchedule(w.ctx); err != nil || valid() {
		t.Errorf("is over: %v, valid %t", err, valid())
	}
	if what, _, detail := w.told("token", w.card.TokenID); what != "blocked" || detail["why"] != "contract-ended" {
		t.Errorf("%s %v", what, detail)
	}
	if err := end(tomorrow); refused(err) != "contract-ended" {
		t.Errorf("twice: %v", err)
	}
	_, err := w.ops.IssueCard(w.ctx, jobs.NewCard{Tenant: w.tenant.ID, UID: "04FF", Contract: "DE-SWX-C04A2B3C4D5E680", Customer: "Erika Beispiel", Email: "kunde@post.example"})
	if refused(err) != "contract-ended" {
		t.Errorf("a card of a contract that is over: %v", err)
	}
	card := w.issueCard(w.tenant.ID, "04EE", "Otto Beispiel")
	if err := w.ops.EndContract(w.ctx, w.tenant.ID, w.card.CustomerID, card.ContractID, w.clock.Now()); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	if err := w.ops.EndContract(w.ctx, w.tenant.ID, card.CustomerID, card.ContractID, w.clock.Now()); err != nil {
		t.Error(err)
	}
	if token, err := w.db.Token(w.ctx, card.TokenID); err != nil || token.Token.Valid {
		t.Errorf("ended now: %v, valid %t", err, token.Token.Valid)
	}
}
