package jobs_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/mail"
)

// issued is an invoice over one session of Erika's, which has its documents and has left.
func (w *world) issued() uuid.UUID {
	w.t.Helper()
	w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	w.runOctober(true)
	w.work()
	return w.invoices()[0].ID
}

func (w *world) copies(invoice uuid.UUID) []db.Outbox {
	w.t.Helper()
	copies, err := w.db.CopiesOfInvoice(w.ctx, invoice)
	if err != nil {
		w.t.Fatal(err)
	}
	return copies
}

// outbox tells of each copy of a document, newest first, in words.
func (w *world) outbox(invoice uuid.UUID) string {
	var words []string
	for _, c := range w.copies(invoice) {
		words = append(words, fmt.Sprint(c.Way, " ", c.Copy, " to ", c.Recipient, " ", c.State))
	}
	return strings.Join(words, "; ")
}

func (w *world) deliverBy(way jobs.Way, email, peppol string) {
	w.t.Helper()
	if err := w.ops.SetDelivery(w.ctx, w.tenant.ID, w.card.CustomerID, way, email, peppol); err != nil {
		w.t.Fatal(err)
	}
}

func TestDocumentsGoTheWayTheCustomerWants(t *testing.T) {
	for way, test := range map[jobs.Way]struct{ outbox, file, content string }{
		jobs.ByEmail:  {outbox: "email 1 to kunde@post.example sent"},
		jobs.ByPortal: {outbox: "email 1 to kunde@post.example sent"},
		jobs.ByLetter: {"letter 1 to Erika Beispiel, 46509 Xanten sent", "DE-SWX/letter/SWX-2026-000001.pdf", "%PDF-1.7"},
		jobs.ByPeppol: {"peppol 1 to 0204:991-12345-67 sent", "DE-SWX/peppol/SWX-2026-000001.peppol.xml", `<Identifier Authority="iso6523-actorid-upis">0204:991-12345-67</Identifier>`},
	} {
		t.Run(string(way), func(t *testing.T) {
			w := newWorld(t)
			office := w.openPostOffice()
			w.worker.DropDir = t.TempDir()
			w.deliverBy(way, "", map[bool]string{true: "0204:991-12345-67"}[way == jobs.ByPeppol])
			invoice := w.issued()
			if got := w.outbox(invoice); got != test.outbox {
				t.Errorf("outbox: %s", got)
			}
			if test.file == "" {
				message := office.last()
				if got, want := strings.Contains(message, "application/pdf"), way == jobs.ByEmail; got != want {
					t.Errorf("has the document: %v", got)
				}
				if !strings.Contains(message, "/de/d/") {
					t.Error("has no link to what belongs to it")
				}
				return
			}
			content, err := os.ReadFile(filepath.Join(w.worker.DropDir, test.file))
			if err != nil || !bytes.Contains(content, []byte(test.content)) {
				t.Errorf("%s: %v %.300s", test.file, err, content)
			}
			if left, _ := filepath.Glob(filepath.Join(w.worker.DropDir, "*/*/.*")); left != nil {
				t.Errorf("left over: %v", left)
			}
		})
	}
}

// A document that is made out to somebody else goes that one's way, again, too.
func TestDocumentGoesToItsRecipient(t *testing.T) {
	w := newWorld(t)
	employer := w.issueCard(w.tenant.ID, "04B2B3C4D5E680", "Werk GmbH")
	if err := w.ops.SetDelivery(w.ctx, w.tenant.ID, employer.CustomerID, jobs.ByLetter, "", ""); err != nil {
		t.Fatal(err)
	}
	w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	w.runOctober(false)
	invoice := w.invoices()[0].ID
	if err := w.ops.ReaddressInvoice(w.ctx, w.tenant.ID, invoice, employer.CustomerNumber); err != nil {
		t.Fatal(err)
	}
	w.runOctober(true)
	w.work()
	if got := w.outbox(invoice); got != "letter 1 to Werk GmbH, 46509 Xanten kept" {
		t.Errorf("outbox: %s", got)
	}
	if err := dbtest.Exec(w.ctx, w.dbURL, "UPDATE customers SET email = 'post@werk.example' WHERE name = 'Werk GmbH'"); err != nil {
		t.Fatal(err)
	}
	if err := w.ops.SendAgain(w.ctx, w.tenant.ID, invoice, jobs.ByEmail, ""); err != nil {
		t.Fatal(err)
	}
	if got := w.outbox(invoice); !strings.HasPrefix(got, "email 2 to post@werk.example") {
		t.Errorf("again: %s", got)
	}
}

// A customer without an address is not forgotten, nor one whose utility has no directory for letters.
func TestNobodyIsLeftWithoutHisInvoice(t *testing.T) {
	w := newWorld(t)
	if err := dbtest.Exec(w.ctx, w.dbURL, "UPDATE customers SET email = ''"); err != nil {
		t.Fatal(err)
	}
	invoice := w.issued()
	if got := w.outbox(invoice); got != "letter 1 to Erika Beispiel, 46509 Xanten kept" {
		t.Errorf("outbox: %s", got)
	}
}

// What a disk or an access point cannot take is tried again, and given to a person in the end.
func TestFilesThatCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	w.deliverBy(jobs.ByLetter, "", "")
	dir := filepath.Join(t.TempDir(), "full")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // a file where a directory should be
		t.Fatal(err)
	}
	w.worker.DropDir = dir
	invoice := w.issued()
	c := w.copies(invoice)[0]
	if c.State != "queued" || !strings.Contains(c.Problem, "directory for files") {
		t.Errorf("%+v", c)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	w.clock.Set(w.clock.Now().AddDate(0, 0, 1))
	w.work()
	if got := w.outbox(invoice); got != "letter 1 to Erika Beispiel, 46509 Xanten sent" {
		t.Errorf("afterwards: %s", got)
	}
}

func TestUndeliverableEmail(t *testing.T) {
	w := newWorld(t)
	office := w.openPostOffice()
	w.worker.BounceDomain = "returns.example"
	if err := w.ops.SetMail(w.ctx, w.tenant.ID, jobs.MailSettings{Sender: "rechnung@sw.example", ReplyTo: "kontakt@sw.example", BounceContact: "post@sw.example"}); err != nil {
		t.Fatal(err)
	}
	invoice := w.issued()
	message, from := office.last(), office.lastFrom()
	if !strings.Contains(message, "rechnung@sw.example") || !strings.Contains(message, "Reply-To: <kontakt@sw.example>") {
		t.Errorf("sender: %.600s", message)
	}
	mailbox, isOurs := strings.CutSuffix(from, "@returns.example")
	if !isOurs {
		t.Fatalf("comes back to %s", from)
	}
	report := func(action, status string) []byte {
		return []byte("Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n" +
			"Final-Recipient: rfc822; kunde@post.example\r\nAction: " + action + "\r\nStatus: " + status + "\r\nDiagnostic-Code: smtp; says no\r\n\r\n--b--\r\n")
	}
	for _, m := range [][]byte{report("delayed", "4.4.1"), []byte("Subject: Urlaub\r\n\r\nIch bin nicht da.")} {
		if err := w.ops.TakeBounce(w.ctx, mailbox, m); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.outbox(invoice); got != "email 1 to kunde@post.example sent" {
		t.Errorf("after a delay and a holiday: %s", got)
	}
	for range 2 {
		if err := w.ops.TakeBounce(w.ctx, mailbox, report("failed", "5.1.1")); err != nil {
			t.Fatal(err)
		}
	}
	email := w.copies(invoice)[0]
	if email.State != "bounced" || email.Problem != "5.1.1 says no" {
		t.Errorf("%+v", email)
	}
	kept, err := w.db.BouncesOfEmail(w.ctx, email.ID)
	if err != nil || len(kept) != 4 || kept[1].Action != "other" || kept[3].Size == 0 {
		t.Errorf("what came back: %+v, %v", kept, err)
	}
	w.work()
	if told := office.last(); !strings.Contains(told, "post@sw.example") || strings.Count(strings.Join(office.ids(), " "), "@roamwerk") != 2 {
		t.Errorf("the utility was told %d times, last:\n%.400s", len(office.ids())-1, told)
	}
	for _, forged := range []string{"bounce-", "", "post", mailbox[:len(mailbox)-1] + "x", "bounce-" + strings.ReplaceAll(uuid.Nil.String(), "-", "") + "-0000000000000000"} {
		if err := w.ops.TakeBounce(w.ctx, forged, report("failed", "5.1.1")); !errors.Is(err, mail.ErrNoMailbox) {
			t.Errorf("%q: %v", forged, err)
		}
	}

	// The clerk knows a better address, and sends a letter as well.
	again := func(way jobs.Way, to string) error { return w.ops.SendAgain(w.ctx, w.tenant.ID, invoice, way, to) }
	if err := again(jobs.ByEmail, "nonsense"); err == nil {
		t.Error("sent to nonsense")
	}
	if err := again(jobs.ByEmail, "erika@neu.example"); err != nil {
		t.Fatal(err)
	}
	if err := again(jobs.ByLetter, ""); err == nil {
		t.Error("sent twice at once")
	}
	w.work()
	if err := again(jobs.ByLetter, ""); err != nil {
		t.Fatal(err)
	}
	w.work()
	if got := w.outbox(invoice); got != "letter 3 to Erika Beispiel, 46509 Xanten kept; email 2 to erika@neu.example sent; email 1 to kunde@post.example bounced" {
		t.Errorf("in the end: %s", got)
	}
	other := w.addTenant("DE*SWY", "Stadtwerke Y")
	if err := w.ops.SendAgain(w.ctx, other.ID, invoice, jobs.ByLetter, ""); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("by another utility: %v", err)
	}
}

// A utility's e-mails leave through its own server, under its own name; its password is nowhere to be read.
func TestUtilityHasItsOwnMailServer(t *testing.T) {
	w := newWorld(t)
	own, platform := w.openPostOffice(), w.openPostOffice() // the last is the platform's
	smtp := "smtp+insecure://" + own.address
	if err := w.ops.SetMail(w.ctx, w.tenant.ID, jobs.MailSettings{SMTP: &smtp}); err != nil {
		t.Fatal(err)
	}
	invoice := w.issued()
	if got := w.outbox(invoice); got != "email 1 to kunde@post.example sent" || len(own.ids()) != 1 || len(platform.ids()) != 0 {
		t.Errorf("%s; through its own server %d, through the platform's %d", got, len(own.ids()), len(platform.ids()))
	}
	for _, bad := range []jobs.MailSettings{{Sender: "x"}, {ReplyTo: "A <a@b.example>"}, {BounceContact: "@"}, {SMTP: ptr("http://x")}} {
		if err := w.ops.SetMail(w.ctx, w.tenant.ID, bad); err == nil {
			t.Errorf("%+v accepted", bad)
		}
	}
	settings, err := w.db.MailSettings(w.ctx, w.tenant.ID)
	if err != nil || settings.SMTPHost != own.address || bytes.Contains(settings.SMTPSealed, []byte(own.address)) {
		t.Errorf("%+v, %v", settings, err)
	}
}

func TestDeliveryThatCannotBe(t *testing.T) {
	w := newWorld(t)
	for name, set := range map[string][3]string{
		"by pigeon": {"pigeon", "", ""}, "to nonsense": {"email", "nonsense", ""}, "by Peppol without an id": {"peppol", "", ""}, "with an id that is none": {"peppol", "", "991-12345-67"},
	} {
		if err := w.ops.SetDelivery(w.ctx, w.tenant.ID, w.card.CustomerID, jobs.Way(set[0]), set[1], set[2]); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDocumentLinks(t *testing.T) {
	w := newWorld(t)
	office := w.openPostOffice()
	invoice := w.issued()
	_, rest, _ := strings.Cut(office.last(), "/de/d/")
	key := strings.Fields(strings.ReplaceAll(rest, "=\r\n", ""))[0]
	if id, err := w.ops.LinkedDocument(key); err != nil || id != invoice {
		t.Errorf("%q: %v, %v", key, id, err)
	}
	for _, forged := range []string{"", "x", key[:len(key)-2], key + "AA", strings.ToLower(key), strings.Repeat("A", len(key))} {
		if _, err := w.ops.LinkedDocument(forged); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%q: %v", forged, err)
		}
	}
}
