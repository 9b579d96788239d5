package office_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// follow posts a form and returns the page that it leads to.
func (c *client) follow(path string, form url.Values) string {
	c.Helper()
	res := c.post("/en"+path, form)
	if res.StatusCode != http.StatusSeeOther {
		c.Fatalf("%s: %s", path, res.Status)
	}
	to, _, _ := strings.Cut(strings.TrimPrefix(res.Header.Get("Location"), c.url), "#")
	return c.get(to).body
}

// TestPartnerSettings decides about a connection by forms: modules, certificates, utilities and what is agreed.
func TestPartnerSettings(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.cpo = w.partner("Ladenetz Nord GmbH", "CPO", "LNN")
	ours := w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	other := w.utility("SWL", "Stadtwerke Lindenau GmbH", "clerk@sw-lindenau.example")
	c := w.signIn(operator)
	page := "/partners/" + w.cpo.ID.String()
	says := func(want, path string, form url.Values) {
		t.Helper()
		if body := c.follow(page+path, form); !strings.Contains(body, want) {
			t.Errorf("%s %v: no %q", path, form, want)
		}
	}
	partner := func() db.Partner {
		t.Helper()
		p, err := w.ops.DB.Partner(t.Context(), w.cpo.ID)
		w.check(err)
		return p
	}
	says("within a minute", "/modules", url.Values{"listed": {"locations", "tariffs", "sessions", "cdrs", "tokens", "nonsense"}})
	if p := partner(); !slices.Equal(p.HiddenModules, []string{"commands", "chargingprofiles", "hubclientinfo"}) {
		t.Errorf("hidden: %v", p.HiddenModules)
	}

	own, key := certificate(t, "Stadtwerke Isenhagen", w.now.AddDate(1, 0, 0))
	says("no certificate with its key", "/certificate", url.Values{"pem": {own}})
	says("no certificate with its key", "/certificate", url.Values{"pem": {" "}})
	says("The certificate is set.", "/certificate", url.Values{"pem": {own + key}})
	body := c.get("/en" + page + "/settings").body
	if !strings.Contains(body, "CN=Stadtwerke Isenhagen") || strings.Contains(body, "PRIVATE KEY") || strings.Contains(body, ">expired<") {
		t.Error("the certificate is not shown, or its key is")
	}
	if p := partner(); strings.Contains(string(p.CertificateSealed), "PRIVATE") {
		t.Error("the key is stored as it is")
	}
	old, oldKey := certificate(t, "Abgelaufen", w.now.AddDate(0, 0, -1))
	says("The certificate is set.", "/certificate", url.Values{"pem": {old + oldKey}})
	if !strings.Contains(c.get("/en"+page+"/settings").body, ">expired<") {
		t.Error("nobody is told that the certificate has expired")
	}
	for _, wrong := range []string{key, "", strings.Replace(own, "CERTIFICATE-----\n", "CERTIFICATE-----\nAAAA", 1)} {
		says("no certificate in PEM", "/pin", url.Values{"pem": {wrong}})
	}
	says("this certificate only", "/pin", url.Values{"pem": {own}})
	if p := partner(); len(p.CertificateSealed) == 0 || len(p.CertificatePin) != 32 {
		t.Errorf("certificates: %d, %d bytes", len(p.CertificateSealed), len(p.CertificatePin))
	}
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	for _, theme := range []string{"light", "dark"} {
		tab.Cookies(&http.Cookie{Name: "theme", Value: theme})
		look(tab, "settings-filled-"+theme, "/de"+page+"/settings")
		unfold(tab, "settings-unfolded-"+theme)
	}
	says("removed", "/certificate", url.Values{"remove": {"1"}})
	says("needs no certificate", "/pin", url.Values{"remove": {"1"}})
	if p := partner(); p.CertificateSealed != nil || p.CertificatePin != nil {
		t.Error("a certificate was not removed")
	}

	says("Saved.", "/agree", url.Values{"days": {" 14 "}, "every-cdrs": {"1h"}, "every-tariffs": {"never"}, "every-locations": {"usual"}})
	agreed, err := w.ops.DB.PartnerIntervals(t.Context(), w.cpo.ID)
	if p := partner(); err != nil || len(agreed) != 2 || p.CDRDays == nil || *p.CDRDays != 14 {
		t.Errorf("agreed: %+v, %v, %v", agreed, p.CDRDays, err)
	}
	w.check(w.ops.SetPullInterval(t.Context(), w.cpo.ID, "sessions", "45m")) // by command
	if body := c.get("/en" + page + "/settings").body; !strings.Contains(body, `value="1h" selected>hourly`) || !strings.Contains(body, `value="14"`) || !strings.Contains(body, `value="45m0s" selected`) {
		t.Error("what is agreed is not shown")
	}
	says("Saved.", "/agree", url.Values{"days": {""}, "every-cdrs": {"usual"}, "every-tariffs": {"usual"}, "every-sessions": {"45m0s"}})
	says("1 to 3650 days", "/agree", url.Values{"days": {"never"}})
	says("1 to 3650 days", "/agree", url.Values{"days": {"9999"}})
	says("from the list", "/agree", url.Values{"every-cdrs": {"1s"}})
	if agreed, err := w.ops.DB.PartnerIntervals(t.Context(), w.cpo.ID); err != nil || len(agreed) != 1 || partner().CDRDays != nil {
		t.Errorf("agreed: %+v, %v", agreed, err)
	}

	_, err = w.ops.IssueCard(t.Context(), jobs.NewCard{Tenant: ours.ID, UID: "04AABBCC", Contract: "DE-SWI-C00000001", Customer: "Erika Beispiel", Email: "erika@example.org"})
	w.check(err)
	says("at least one utility", "/tenants", nil)
	says("is being told", "/tenants", url.Values{"tenant": {other.ID.String(), "nonsense"}})
	body = c.get("/en" + page + "/settings").body
	if !strings.Contains(body, "leaves the partner") {
		t.Error("nobody is told that a utility leaves")
	}
	says("is being told", "/tenants", url.Values{"tenant": {ours.ID.String(), other.ID.String()}})
	rows, err := w.ops.DB.PartnerUtilities(t.Context(), w.cpo.ID)
	if err != nil || len(rows) != 2 || rows[0].LeavingAt != nil || rows[1].LeavingAt != nil {
		t.Errorf("utilities: %+v, %v", rows, err)
	}
}

// unfold checks what a page has folded away.
func unfold(tab *uitest.Tab, name string) {
	tab.Helper()
	if !regexp.MustCompile(*onlyPages).MatchString(name) { // look did not open it either
		return
	}
	uitest.Eval[bool](tab, `(() => { for (const d of document.querySelectorAll("details")) d.open = true; return true; })()`)
	tab.CheckPage(name)
	tab.CheckWidth(name)
	if *screenshots != "" {
		save(tab, name+"-320")
	}
}

// certificate is one that signs itself, and its key.
func certificate(t *testing.T, name string, until time.Time) (certificatePEM, keyPEM string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// TestCloseUtility changes a utility and closes it, with its party typed (TEN-05).
func TestCloseUtility(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.cpo = w.partner("Ladenetz Nord GmbH", "CPO", "LNN")
	u := w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	w.utility("SWL", "Stadtwerke Lindenau GmbH", "clerk@sw-lindenau.example")
	card, err := w.ops.IssueCard(t.Context(), jobs.NewCard{Tenant: u.ID, UID: "04AABBCC", Contract: "DE-SWI-C00000001", Customer: "Erika Beispiel", Email: "erika@example.org"})
	w.check(err)
	c := w.signIn(operator)
	page := "/tenants/" + u.ID.String()
	tab := uitest.Open(t).Tab(t, w.url)
	tab.Cookies(c.cookies()...)
	look(tab, "tenant", "/de"+page)
	unfold(tab, "tenant-unfolded")
	if body := c.get("/en/tenants").body; !strings.Contains(body, "Stadtwerke Isenhagen GmbH") || !strings.Contains(body, ">live<") {
		t.Error("the utility is not listed")
	}
	for name, form := range map[string]url.Values{"of at most 100": {"name": {" "}, "website": {""}}, "such as www": {"name": {"Stadtwerke"}, "website": {"not a site"}}} {
		if res := c.post("/en"+page, form); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.body, name) {
			t.Errorf("%v: %s", form, res.Status)
		}
	}
	if body := c.follow(page, url.Values{"name": {"Stadtwerke am Fluss"}, "website": {"www.sw-fluss.example"}}); !strings.Contains(body, "told within a minute") || !strings.Contains(body, "<h1>Stadtwerke am Fluss") {
		t.Error("not changed")
	}
	for _, typed := range []string{"", "DE*SWL", "Stadtwerke am Fluss"} {
		if body := c.follow(page+"/close", url.Values{"confirm": {typed}}); !strings.Contains(body, "Not closed") {
			t.Errorf("closed by typing %q", typed)
		}
	}
	if body := c.follow(page+"/close", url.Values{"confirm": {"de*swi"}}); !strings.Contains(body, "1 cards are blocked, 1 partners are being told") || !strings.Contains(body, ">closing<") || !strings.Contains(body, "Closed since") {
		t.Error("not closed")
	}
	if body := c.follow(page+"/close", url.Values{"confirm": {"DE*SWI"}}); !strings.Contains(body, "closed already") {
		t.Error("closed twice")
	}
	if body := c.follow("/cards/"+card.TokenID.String()+"/block", url.Values{"confirm": {"04AABBCC"}}); !strings.Contains(body, "the utility is closed") {
		t.Error("a card of a closed utility was unblocked")
	}
	look(tab, "tenant-closing", "/de"+page)
	if body := c.get("/en/partners/new").body; strings.Contains(body, `id="invite-`+u.ID.String()) {
		t.Error("a closed utility is offered for a new partner")
	}
	clerk := w.signIn(u.staff)
	for _, path := range []string{"/overview", "/cards", "/cdrs"} { // history stays
		if res := clerk.get("/en" + path); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

// TestCredit stops the credit of a customer and gives it back; partners who ask are told (NO_CREDIT).
func TestCredit(t *testing.T) {
	t.Parallel()
	w := open(t)
	u := w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	card, err := w.ops.IssueCard(t.Context(), jobs.NewCard{Tenant: u.ID, UID: "04AABBCC", Contract: "DE-SWI-C00000001", Customer: "Erika Beispiel", Email: "erika@example.org"})
	w.check(err)
	c := w.signIn(u.staff)
	page := "/cards/" + card.TokenID.String()
	allowed := func() bool {
		rows, err := w.ops.DB.TokensByUID(t.Context(), db.TokensByUIDParams{TenantIDs: []uuid.UUID{u.ID}, UID: "04AABBCC"})
		w.check(err)
		return !rows[0].NoCredit
	}
	if body := c.follow(page+"/credit", url.Values{"stop": {"1"}}); !strings.Contains(body, "may not charge any more") || !strings.Contains(body, ">no credit<") || !strings.Contains(body, "Credit stopped") || allowed() {
		t.Error("the credit was not stopped")
	}
	if body := c.follow(page+"/credit", nil); !strings.Contains(body, "may charge again") || strings.Contains(body, ">no credit<") || !allowed() {
		t.Error("the credit was not given back")
	}
}
