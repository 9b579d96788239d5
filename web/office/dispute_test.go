package office_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// TestDisputes takes a dispute from its opening to the credit that closes it, by the pages.
func TestDisputes(t *testing.T) {
	t.Parallel()
	w := build(t, 4)
	c := w.signIn(w.ours.staff)
	ctx := jobs.WithActor(t.Context(), "Klara Clerk")
	page := "/en/disputes/" + w.ours.dispute.String()
	partner, another := w.state(w.ours.fleet).PartnerID, w.hub.ID
	if partner == another {
		another = w.cpo.ID
	}
	w.check(w.ops.SetAgreement(ctx, db.Agreement{TenantID: w.ours.ID, PartnerID: partner, DisputeDays: 14, Email: "clearing@ladenetz-nord.example"}, "letter of 1 November"))

	body := c.get("/en/disputes").body
	for _, want := range []string{"D-000001", "1 dispute", "The energy is not possible", "impossible at this connector", "€4.84"} {
		if !strings.Contains(body, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
	for query, want := range map[string]bool{"?state=sent": false, "?state=all": true, "?q=D-0000": true, "?q=nothing": false, "?partner=" + another.String(): false, "?partner=" + partner.String(): true, "?after=nonsense": true} {
		if got := strings.Contains(c.get("/en/disputes"+query).body, page); got != want {
			t.Errorf("%s: %v", query, got)
		}
	}
	detail := c.get(page).body
	for _, want := range []string{"Dispute D-000001: charging of 1 session(s)", "clearing@ladenetz-nord.example", "impossible at this connector", "CDR-SWI-"} {
		if !strings.Contains(detail, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	post := func(action string, status int, form url.Values, says string) {
		t.Helper()
		res := c.post(page+"/"+action, form)
		body := res.body
		if res.StatusCode == http.StatusSeeOther {
			body = c.get(res.Header.Get("Location")).body
		}
		if res.StatusCode != status || !strings.Contains(body, says) {
			t.Fatalf("%s: %s without %q: %s", action, res.Status, says, problems(body))
		}
	}
	cdr := w.cdrOfDispute(w.ours.dispute)
	post("answer", http.StatusUnprocessableEntity, url.Values{"body": {"x"}}, "That cannot be done in this state of the dispute.")
	post("send", http.StatusUnprocessableEntity, url.Values{"subject": {"kept"}, "body": {" "}}, "The message is empty.")
	post("accept", http.StatusUnprocessableEntity, url.Values{"cdr": {cdr.String()}, "accepted": {"9999"}}, "The accepted amount is not between nothing and the claim.")
	post("accept", http.StatusUnprocessableEntity, url.Values{"cdr": {cdr.String()}, "accepted": {"much"}}, "The accepted amount is not between nothing and the claim.")
	post("accept", http.StatusSeeOther, url.Values{"cdr": {cdr.String()}, "accepted": {"1,835"}}, "€3.00")
	if res := c.post(page+"/accept", url.Values{"cdr": {w.ours.rated.String()}, "accepted": {"1"}}); res.StatusCode != http.StatusNotFound {
		t.Errorf("a CDR of no dispute: %s", res.Status)
	}
	post("send", http.StatusSeeOther, url.Values{"subject": {"Dispute"}, "body": {"Please\r\ncheck."}, "email": {"1"}}, "Please\ncheck.")
	w.settle()
	if body := c.get("/en/outbox").body; !strings.Contains(body, "clearing@ladenetz-nord.example") {
		t.Error("the e-mail is not in the outbox")
	}
	post("answer", http.StatusSeeOther, url.Values{"body": {"We look into it."}, "reference": {"TICKET-7"}}, "TICKET-7")
	post("close", http.StatusUnprocessableEntity, url.Values{"end": {"rejected"}}, "Give a reason.")
	post("close", http.StatusSeeOther, url.Values{"end": {"rejected"}, "reason": {"they insist"}}, "they insist")
	post("close", http.StatusUnprocessableEntity, url.Values{"end": {"withdrawn"}, "reason": {"x"}}, "That cannot be done in this state")
	post("send", http.StatusSeeOther, url.Values{"body": {"We insist, too."}}, "We insist, too.")

	var record struct {
		ID       string
		State    string
		Expected decimal.Decimal `json:"expected_credit"`
		CDRs     []struct{ Evidence struct{ SHA256 string } }
		Messages []struct{ Direction, Body string }
	}
	w.check(json.Unmarshal([]byte(c.get(page+"/record.json").body), &record))
	if record.ID != "D-000001" || record.State != "sent" || record.Expected.String() != "3" || len(record.CDRs) != 1 || record.CDRs[0].Evidence.SHA256 == "" || len(record.Messages) != 3 {
		t.Errorf("%+v", record)
	}
	if table := c.get(page + "/cdrs.csv"); !strings.Contains(table.body, "D-000001;energy;DE*LNN;") {
		t.Errorf("table: %s", table.body)
	}
	// The credit comes.
	w.count += 10
	w.cdr(&w.ours, session{card: card(&w.ours, 4), start: w.state(cdr).StartedAt, minutes: 45, kwh: "11.5", credits: cdr})
	w.settle()
	body = c.get(page).body
	for _, want := range []string{"credited", "Credited and closed", "This dispute is settled."} {
		if !strings.Contains(body, want) {
			t.Errorf("after the credit: no %q", want)
		}
	}
}

// cdrOfDispute is the first CDR of a dispute.
func (w *world) cdrOfDispute(id uuid.UUID) uuid.UUID {
	w.Helper()
	rows, err := w.ops.DB.DisputeCDRs(w.Context(), id)
	w.check(err)
	return rows[0].CDRState.CDRID
}

// A credit that is none comes with a message to its sender.
func TestCreditThatIsNone(t *testing.T) {
	t.Parallel()
	w := build(t, 4)
	c := w.signIn(w.ours.staff)
	w.count += 10
	part := w.cdr(&w.ours, session{card: card(&w.ours, 1), start: w.now.Add(-28 * time.Hour), minutes: 60, kwh: "10", credits: w.ours.disputed})
	w.settle()
	body := c.get("/en/cdrs/" + part.String()).body
	if w.state(part).State != "held" || !strings.Contains(body, "is not a full mirror of the original") || !strings.Contains(body, "Message to the operator") {
		t.Errorf("%s: no message to the operator", w.state(part).State)
	}
	if res := c.decide(part, "accept", "reason", "our loss"); res.StatusCode != http.StatusSeeOther || w.state(part).State != "credited" {
		t.Errorf("accept: %s, %s: %s", res.Status, w.state(part).State, problems(res.body))
	}
}
