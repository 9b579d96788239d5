package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/einvoice"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// TestLifeOfACDR walks docs/life-of-a-cdr.md: a CPO registers and gets our card, a session becomes a CDR, the CDR becomes an
// invoice. The platform is the whole program, the CPO speaks OCPI over HTTP, and everything else is done from the command
// line.
func TestLifeOfACDR(t *testing.T) {
	dir := t.TempDir()
	begin(t, nil, "dev", "--data", dir, "--listen", "127.0.0.1:0", "--demo=false")
	r := awaitDev(t, dir)
	command := func(result any, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		if err := run(t.Context(), append([]string{"--data", dir}, args...), nil, &out, &errs); err != nil {
			t.Fatalf("roamwerk %s: %v %s", strings.Join(args, " "), err, &errs)
		}
		if err := json.Unmarshal(out.Bytes(), result); err != nil {
			t.Fatalf("roamwerk %s printed %s", strings.Join(args, " "), &out)
		}
	}

	// 1. A utility, a card, and a CPO that registers with our token A.
	var added struct{ Mode string }
	command(&added, "tenant", "add", "--party", "DE*SWX", "--name", "Stadtwerke Xanten", "--live",
		"--street", "Hafenweg 1", "--postal-code", "46509", "--city", "Xanten", "--vat-id", "DE123456789", "--contact-name", "Kundenservice",
		"--contact-phone", "+49 2801 1234", "--contact-email", "service@stadtwerke-xanten.example", "--iban", "DE02120300000000202051")
	if added.Mode != "live" {
		t.Errorf("mode = %q", added.Mode)
	}
	var card struct {
		TokenID uuid.UUID `json:"token_id"`
	}
	command(&card, "card", "issue", "--tenant", "DE*SWX", "--uid", "04A2B3C4D5E680", "--contract", "DE-SWX-C00000001-1", "--customer", "Erika Beispiel",
		"--email", "erika@post.example", "--street", "Marktplatz 2", "--postal-code", "46509", "--city", "Xanten")
	var invitation struct {
		VersionsURL string `json:"versions_url"`
		Token       string
	}
	command(&invitation, "partner", "invite", "--name", "Nordstrom Laden", "--role", "CPO", "--party", "DE*NSL")

	// The session took place last month, so that its month can be billed now.
	month := time.Now().UTC().AddDate(0, 0, -time.Now().UTC().Day()) // the last day of it
	cpo := ocpitest.NewCPO(ocpitest.Options{Name: "Nordstrom Laden", Party: ocpi.Party{CountryCode: "DE", PartyID: "NSL"}, Seed: 1, Sites: 2})
	if err := cpo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cpo.Close() })
	if err := cpo.Register(t.Context(), invitation.VersionsURL, invitation.Token); err != nil {
		t.Fatalf("register: %v", err)
	}

	// 2. It is told of our card, and publishes Locations and tariffs.
	await(t, "the card reaches the CPO", func() bool { return len(cpo.Tokens()) == 1 })
	if err := cpo.Publish(t.Context()); err != nil {
		t.Fatalf("publish: %v", err)
	}

	// 3. The card is used: session, updates, CDR. The CDR is answered with the URL at which we keep it, byte for byte.
	charge := cpo.Draw(ocpitest.Visit{Token: cpo.Tokens()[0], Arrival: month.Add(-3 * 24 * time.Hour), Arrives: 20, Leaves: 80})
	if err := charge.Deliver(t.Context()); err != nil {
		t.Fatalf("deliver: %v", err)
	}
	sent := charge.CDR()
	d, err := db.Open(t.Context(), r.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	received, err := d.ReceivedCDR(t.Context(), db.ReceivedCDRParams{CountryCode: "DE", PartyID: "NSL", OCPIID: string(sent.ID)})
	if err != nil {
		t.Fatal(err)
	}
	want, err := ocpi.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(received.Raw, want) {
		t.Errorf("stored %s\nsent   %s", received.Raw, want)
	}

	// 4. A worker rates it: the claim agrees with the CPO's tariff, the customer pays by the utility's.
	var state db.CDRState
	await(t, "the CDR is rated", func() bool {
		state, err = d.CDRState(t.Context(), received.CDRID)
		return err == nil && state.State == "rated"
	})
	rating, err := d.CurrentRating(t.Context(), received.CDRID)
	if err != nil {
		t.Fatal(err)
	}
	var verdict billing.Verdict
	if err := json.Unmarshal(rating.Verdict, &verdict); err != nil || !verdict.Agrees || state.CPOState != "open" {
		t.Errorf("verdict %+v, CPO %s, %v", verdict, state.CPOState, err)
	}
	if promised := billing.Round(sent.TotalEnergy.Decimal.Mul(decimal.RequireFromString("0.59")), 2); !rating.RetailGross.Equal(promised) {
		t.Errorf("the customer pays %s, want %s kWh × 0.59 = %s", rating.RetailGross, sent.TotalEnergy.Decimal, promised)
	}

	// 5a. A person reviews it on the command line.
	var list struct {
		CDRs []cdrLine `json:"cdrs"`
	}
	command(&list, "cdr", "list", "--tenant", "DE*SWX", "--state", "rated")
	if len(list.CDRs) != 1 || list.CDRs[0].CDR != "DE*NSL/"+state.OCPIID || list.CDRs[0].Plan == "" {
		t.Errorf("cdr list: %+v", list)
	}
	command(&list, "cdr", "list", "--tenant", "DE*SWX", "--state", "held")
	if len(list.CDRs) != 0 {
		t.Errorf("held: %+v", list)
	}
	var decided struct {
		Preview bool
		Effect  jobs.Effect
	}
	command(&decided, "cdr", "decide", "accept", "--tenant", "DE*SWX", "--id", state.OCPIID, "--side", "cpo")
	command(&decided, "cdr", "decide", "note", "--tenant", "DE*SWX", "--id", state.CDRID.String(), "--reason", "looks right")
	command(&decided, "cdr", "rerate", "--tenant", "DE*SWX", "--preview")
	if !decided.Preview || decided.Effect.Changed != 1 || len(decided.Effect.Biggest) != 0 {
		t.Errorf("cdr rerate --preview: %+v", decided)
	}
	var shown struct {
		CPOState    string `json:"cpo_state"`
		History     []struct{ What string }
		Explanation struct{ Reproduced bool }
	}
	command(&shown, "cdr", "show", "--tenant", "DE*SWX", state.OCPIID)
	if shown.CPOState != "accepted" || !shown.Explanation.Reproduced || len(shown.History) < 3 || shown.History[len(shown.History)-1].What != "note" {
		t.Errorf("cdr show: %+v", shown)
	}

	// 5. The month is billed, issued and sent.
	var billed struct {
		Issued   int
		Invoices []listedInvoice
	}
	command(&billed, "invoice", "run", "--tenant", "DE*SWX", "--month", month.Add(-3*24*time.Hour).Format("2006-01"), "--issue")
	if billed.Issued != 1 || len(billed.Invoices) != 1 || billed.Invoices[0].Gross.String() != rating.RetailGross.StringFixed(2) {
		t.Fatalf("run = %+v", billed)
	}
	number := billed.Invoices[0].Number
	var written struct{ Bytes int }
	for _, format := range []string{"pdf", "xml", "xrechnung", "html", "csv", "meter"} {
		command(&written, "invoice", "export", "--tenant", "DE*SWX", "--number", number, "--format", format, "--out", filepath.Join(dir, "invoice."+format))
	}
	xml, err := os.ReadFile(filepath.Join(dir, "invoice.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if findings, err := einvoice.Check(xml); err != nil || len(findings) != 0 {
		t.Errorf("the XML breaks rules: %v, %v", findings, err)
	}
	pdf, err := os.ReadFile(filepath.Join(dir, "invoice.pdf"))
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-1.7")) || !bytes.Contains(pdf, []byte("factur-x.xml")) {
		t.Errorf("PDF of %d bytes, %v", len(pdf), err)
	}
	await(t, "the e-mail is in the outbox", func() bool {
		invoice, err := d.InvoiceByNumber(t.Context(), db.InvoiceByNumberParams{TenantID: state.TenantID, Number: &number})
		return err == nil && invoice.SentAt != nil
	})

	// 6. The back office answers, the CPO has nothing to complain of.
	if body, status := get(t, r.BaseURL+"/"); status != http.StatusOK || !strings.Contains(body, "<html") {
		t.Errorf("back office: %d %.200s", status, body)
	}
	if complaints := cpo.Complaints(); len(complaints) != 0 {
		t.Errorf("the CPO complains: %v", complaints)
	}
}

// await waits for what the platform does on its own.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come about: %s", what)
		}
	}
}
