package jobs_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
)

// dispute opens a dispute about a CDR.
func (w *world) dispute(cdr uuid.UUID, reason string) db.Dispute {
	w.t.Helper()
	w.decide(w.ctx, cdr, jobs.Decision{Kind: jobs.Contest, Dispute: jobs.NewDispute{Reason: reason}})
	rows, err := w.db.DisputesOfCDR(w.ctx, cdr)
	if err != nil || len(rows) == 0 {
		w.t.Fatalf("disputes: %+v, %v", rows, err)
	}
	return w.disputed(rows[0].ID)
}

func (w *world) disputed(id uuid.UUID) db.Dispute {
	w.t.Helper()
	row, err := w.db.Dispute(w.ctx, db.DisputeParams{ID: id})
	if err != nil {
		w.t.Fatal(err)
	}
	return row.Dispute
}

// money tells the amounts of a dispute: claimed, accepted, expected, credited.
func money(d db.Dispute) string {
	return fmt.Sprint(d.Claimed, " ", d.Accepted, " ", d.Expected, " ", d.Credited)
}

// A dispute goes out with its evidence, is answered, and closes itself when the credit CDR arrives; the customer is billed
// meanwhile, and the replacement takes the place of the original (CDR-09, CDR-12).
func TestDispute(t *testing.T) {
	w := newWorld(t)
	id := w.receiveJSON(cdr{id: "C1", start: day(5), kwh: "20", cost: "9.90"}.with("session_id", `"S1"`))
	w.work()
	w.expect("before", w.flags(id), "rated/released/questioned")
	d := w.dispute(id, "price")
	w.expect("number", d.Number+" "+d.State+" "+money(d), "D-000001 open 9.9 9 0.9 0")
	w.expect("deadline", d.Deadline, w.clock.Now().AddDate(0, 0, 30))
	w.expect("the CDR", w.flags(id), "rated/released/disputed")
	w.assertBooked(id, "9.92", "11.8")
	w.expect("twice", w.refused(w.ctx, id, jobs.Decision{Kind: jobs.Contest, Dispute: jobs.NewDispute{Reason: "price"}}), "disputed")
	w.expect("accepted meanwhile", w.refused(w.ctx, id, jobs.Decision{Kind: jobs.Accept}), "disputed")

	for lang, want := range map[string][]string{
		"de": {"Streitfall D-000001", "gefordert 9,90 EUR, nach Ihrem Tarif 9,00 EUR, anerkannt 9,00 EUR", "zu erstatten 0,90 EUR", "19.11.2026", "credit_reference_id"},
		"en": {"Dispute D-000001", "claimed 9.90 EUR, by your tariff 9.00 EUR, accepted 9.00 EUR", "to be credited 0.90 EUR", "2026-11-19", "credit_reference_id"},
	} {
		m, err := w.ops.DisputeMessage(w.ctx, w.tenant.ID, d.ID, lang)
		for _, text := range want {
			if err != nil || !strings.Contains(m.Subject+m.Body, text) {
				t.Errorf("%s: no %q in %s\n%s, %v", lang, text, m.Subject, m.Body, err)
			}
		}
	}
	m, err := w.ops.DisputeMessage(w.ctx, w.tenant.ID, d.ID, "de")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.ops.AnswerDispute(w.ctx, w.tenant.ID, d.ID, m); err == nil {
		t.Error("it was answered before it was sent")
	}
	if err := w.ops.SetAgreement(w.ctx, db.Agreement{TenantID: w.tenant.ID, PartnerID: w.partner, DisputeDays: 14, Email: "clearing@nordstrom.example"}, "contract of 2026"); err != nil {
		t.Fatal(err)
	}
	m.Email = true
	erika := jobs.WithActor(w.ctx, "erika")
	if err := w.ops.SendDispute(erika, w.tenant.ID, d.ID, m); err != nil {
		t.Fatal(err)
	}
	d = w.disputed(d.ID)
	w.expect("sent", d.State+" "+d.Deadline.Format(time.DateOnly), "sent 2026-11-03")
	w.expect("e-mails", w.count(`SELECT count(*) FROM emails WHERE recipient = 'clearing@nordstrom.example' AND subject LIKE 'Streitfall D-000001%'`), 1)
	w.clock.Set(w.clock.Now().Add(time.Hour))
	if err := w.ops.AnswerDispute(erika, w.tenant.ID, d.ID, jobs.DisputeMessage{Body: "We will credit it.", Reference: "TICKET-7"}); err != nil {
		t.Fatal(err)
	}
	w.expect("answered", w.disputed(d.ID).State, "answered")

	record, err := w.ops.DisputeRecord(w.ctx, w.tenant.ID, d.ID)
	if err != nil || len(record.CDRs) != 1 || len(record.Messages) != 2 || record.Messages[1].Reference != "TICKET-7" {
		t.Fatalf("%+v, %v", record, err)
	}
	e := record.CDRs[0].Evidence
	if e == nil || len(e.Tariffs) != 1 || !strings.Contains(string(e.Tariffs[0].Tariff), `"price": 0.45`) || !strings.Contains(string(e.Recomputation), "TariffID") || len(e.SHA256) != 64 {
		t.Errorf("evidence: %+v", e.Tariffs)
	}
	doc, err := json.Marshal(record)
	if err != nil || !bytes.Contains(doc, []byte(`"expected_credit":"0.9"`)) {
		t.Errorf("%s, %v", doc, err)
	}
	var table bytes.Buffer
	if err := record.WriteCSV(&table); err != nil {
		t.Fatal(err)
	}
	rows := csv.NewReader(strings.NewReader(strings.TrimPrefix(table.String(), "\ufeff")))
	rows.Comma = ';'
	if cells, err := rows.ReadAll(); err != nil || len(cells) != 2 || cells[1][3] != "C1" || cells[1][13] != "0.9" {
		t.Errorf("%v, %v", cells, err)
	}

	// The credit and the replacement come at once.
	w.receiveJSON(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9.90", credit: "C1"}.with("session_id", `"S1"`))
	replacement := w.receiveJSON(cdr{id: "C1b", start: day(5), kwh: "20"}.with("session_id", `"S1"`))
	w.work()
	d = w.disputed(d.ID)
	w.expect("credited", d.State+" "+money(d), "credited 9.9 9 0.9 9.9")
	w.expect("the original", w.flags(id), "credited/none/credited")
	w.expect("the replacement", w.flags(replacement)+" "+fmt.Sprint(w.state(replacement).Flags), "rated/released/open []")
	w.assertBooked(id, "0", "0")
	w.assertBooked(replacement, "9.92", "11.8")
	w.expect("chain", w.chain(replacement), "original C1 credited, credit K1 credited, replacement C1B rated")
	w.expect("chain", w.chain(id), w.chain(replacement))
	events, err := w.db.EventsOf(w.ctx, db.EventsOfParams{Subject: "dispute", SubjectID: d.ID})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		told = append(told, e.What)
	}
	w.expect("timeline", told, []string{"opened", "sent", "answered", "credited"})
}

// chain tells the CDRs of a session that was credited.
func (w *world) chain(id uuid.UUID) string {
	w.t.Helper()
	rows, err := w.db.CDRChain(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	var parts []string
	for _, r := range rows {
		parts = append(parts, r.Role+" "+r.OCPIID+" "+r.State)
	}
	return strings.Join(parts, ", ")
}

// A credit of a part is held, with a message that quotes the rule; the dispute stays open with the rest (CDR-11).
func TestPartialCredit(t *testing.T) {
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20", cost: "18"})
	w.work()
	d := w.dispute(id, "energy")
	w.expect("nothing is accepted", money(d), "18 0 18 0")
	part := w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	w.work()
	w.expect("the credit", w.flags(part)+" "+w.state(part).Reason+fmt.Sprint(w.state(part).Flags), "held/open/questioned credit-partial[P32]")
	w.expect("the dispute", w.disputed(d.ID).State+" "+money(w.disputed(d.ID)), "open 18 0 18 9")
	m, err := w.ops.CreditMessage(w.ctx, w.tenant.ID, part, "en")
	if err != nil || !strings.Contains(m.Body, "credit_reference_id") || !strings.Contains(m.Body, "-9.00 EUR") || !strings.Contains(m.Body, "18.00 EUR") {
		t.Errorf("%+v, %v", m, err)
	}
	// It is counted once, however often it is looked at.
	w.decide(w.ctx, part, jobs.Decision{Kind: jobs.Note, Reason: "they will send the rest"})
	if err := dbtest.Exec(w.ctx, w.dbURL, fmt.Sprintf(`UPDATE cdr_states SET due_at = '2026-01-01' WHERE cdr_id = '%s'`, part)); err != nil {
		t.Fatal(err)
	}
	w.work()
	w.expect("the dispute", money(w.disputed(d.ID)), "18 0 18 9")
	if err := w.ops.SendDispute(w.ctx, w.tenant.ID, d.ID, jobs.DisputeMessage{Body: "The rest is missing."}); err != nil {
		t.Fatal(err)
	}
	if err := w.ops.CloseDispute(w.ctx, w.tenant.ID, d.ID, true, "they refuse"); err != nil {
		t.Fatal(err)
	}
	w.expect("rejected", w.disputed(d.ID).State+" "+w.flags(id), "rejected held/open/questioned")
	// The rest comes after all.
	w.receive(cdr{id: "K2", start: day(5), kwh: "20", cost: "-9", credit: "C1"})
	w.work()
	w.expect("credited", w.disputed(d.ID).State+" "+money(w.disputed(d.ID)), "credited 18 0 18 18")
	w.decide(w.ctx, part, jobs.Decision{Kind: jobs.Accept})
	w.expect("the credit is taken note of", w.flags(part), "credited/none/accepted")
}

// A credit of a part opens a closed dispute again.
func TestPartialCreditReopens(t *testing.T) {
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20", cost: "18"})
	w.work()
	d := w.dispute(id, "duplicate")
	if err := errors.Join(w.ops.SendDispute(w.ctx, w.tenant.ID, d.ID, jobs.DisputeMessage{Body: "Charged twice."}), w.ops.CloseDispute(w.ctx, w.tenant.ID, d.ID, true, "they say no")); err != nil {
		t.Fatal(err)
	}
	w.receive(cdr{id: "K1", start: day(5), kwh: "20", cost: "-5", credit: "C1"})
	w.work()
	w.expect("reopened", w.disputed(d.ID).State+" "+w.flags(id), "sent held/open/disputed")
}

func TestDisputesEnd(t *testing.T) {
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20", cost: "18"})
	w.work()
	d := w.dispute(id, "price")
	alerts := func() string {
		w.t.Helper()
		if err := w.worker.RunSchedule(w.ctx); err != nil {
			t.Fatal(err)
		}
		rows, err := w.db.AlertList(w.ctx, db.AlertListParams{OpenOnly: true, TenantID: uuid.NullUUID{UUID: w.tenant.ID, Valid: true}, MaxRows: 10})
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, r := range rows {
			if strings.HasPrefix(r.Alert.Kind, "dispute") {
				texts = append(texts, jobs.AlertText(r.Alert, "en"))
			}
		}
		return strings.Join(texts, "|")
	}
	w.expect("a month before", alerts(), "")
	w.clock.Set(d.Deadline.AddDate(0, 0, -6))
	w.expect("a week before", alerts(), "Dispute D-000001 about 9.00 EUR ends on 2026-11-19 without a settlement.")
	w.clock.Set(d.Deadline.Add(time.Minute))
	w.expect("over", alerts(), "Dispute D-000001 about 9.00 EUR expired on 2026-11-19. Decide what becomes of the claims.")
	w.expect("expired", w.disputed(d.ID).State+" "+w.flags(id), "expired held/open/questioned")
	// Taken up again, with time anew.
	if err := w.ops.SendDispute(w.ctx, w.tenant.ID, d.ID, jobs.DisputeMessage{Body: "Please answer."}); err != nil {
		t.Fatal(err)
	}
	w.expect("again", w.disputed(d.ID).State+" "+w.flags(id)+" "+w.disputed(d.ID).Deadline.Format(time.DateOnly), "sent held/open/disputed 2026-12-19")
	w.clock.Set(w.clock.Now().Add(2 * time.Hour))
	w.expect("no alert any more", alerts(), "")
}

func TestDisputesAreOneUtilitys(t *testing.T) {
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20", cost: "18"})
	w.work()
	d := w.dispute(id, "price")
	other := w.addTenant("DE*SWY", "Stadtwerke Ypsilon").ID
	_, errMessage := w.ops.DisputeMessage(w.ctx, other, d.ID, "de")
	_, errRecord := w.ops.DisputeRecord(w.ctx, other, d.ID)
	for what, err := range map[string]error{
		"message": errMessage, "record": errRecord,
		"send":   w.ops.SendDispute(w.ctx, other, d.ID, jobs.DisputeMessage{Body: "x"}),
		"answer": w.ops.AnswerDispute(w.ctx, other, d.ID, jobs.DisputeMessage{Body: "x"}),
		"close":  w.ops.CloseDispute(w.ctx, other, d.ID, false, "x"),
		"accept": w.ops.AcceptInDispute(w.ctx, other, d.ID, id, decimal.Zero),
	} {
		if !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Its own: what we would pay changes what is expected back.
	for amount, want := range map[string]string{"19": "dispute-amount", "-1": "dispute-amount", "12": ""} {
		err := w.ops.AcceptInDispute(w.ctx, w.tenant.ID, d.ID, id, decimal.RequireFromString(amount))
		var refusal *jobs.Refusal
		if errors.As(err, &refusal) != (want != "") || refusal != nil && refusal.Code != want {
			t.Errorf("%s: %v", amount, err)
		}
	}
	w.expect("expected", money(w.disputed(d.ID)), "18 12 6 0")
	if err := w.ops.CloseDispute(w.ctx, w.tenant.ID, d.ID, false, "our mistake"); err != nil {
		t.Fatal(err)
	}
	w.expect("withdrawn", w.disputed(d.ID).State+" "+w.flags(id), "withdrawn held/open/questioned")
	if again := w.dispute(id, "price"); again.Number != "D-000002" {
		t.Errorf("number %s", again.Number)
	}
}
