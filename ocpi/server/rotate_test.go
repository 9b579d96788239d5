package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
	"github.com/roamwerk/roamwerk/ocpi/server"
)

const day = 24 * time.Hour

// Tokens are exchanged when they are a month old, by nobody's hand (CRED-23, CRED-18).
func TestMonthlyRotation(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.startCPO("DE*CPO", ocpitest.WireFaults{})
	i := w.invite(ocpi.RoleCPO, "DE*CPO")
	if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
		t.Fatal(err)
	}
	noPut := w.registered(ocpi.RoleCPO, "DE*OLD") // whose platform knows no PUT of credentials
	before, _ := cpo.Registration()
	w.pass(29 * day)
	w.look()
	check(t, "due after 29 days", w.partner(i.Partner.ID).AnnounceAt != nil, false)
	w.pass(2 * day)
	w.look()
	check(t, "due after 31 days", w.partner(i.Partner.ID).AnnounceAt != nil, true)
	w.offering(server.Offer(w.url), func() bool {
		after, _ := cpo.Registration()
		return after.Token != before.Token && after.Inbound != before.Inbound && w.partner(i.Partner.ID).AnnounceAt == nil && w.partner(noPut.id).AnnounceAt == nil
	})
	if err := cpo.Publish(w.ctx); err != nil {
		t.Errorf("goes on: %v", err)
	}
	if q := w.quirk(noPut, ocpi.QuirkNoCredentialsPut); q.Count != 1 || !strings.Contains(q.Detail, "404") {
		t.Errorf("%+v", q)
	}
	noPut.do(http.MethodGet, credentialsPath, nil).want(200, 1000) // its token is still good
	w.pass(day)
	w.look()
	check(t, "due again the day after", w.partner(i.Partner.ID).AnnounceAt != nil || w.partner(noPut.id).AnnounceAt != nil, false)
	w.pass(30 * day)
	w.look()
	check(t, "due again a month later", w.partner(i.Partner.ID).AnnounceAt != nil && w.partner(noPut.id).AnnounceAt != nil, true)
}

// A partner that asks for our certificate gets the one that was set for it, which is kept encrypted.
func TestOutboundCertificate(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	var shown []*x509.Certificate
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates
		rw.WriteHeader(http.StatusMethodNotAllowed)
		_, _ = io.WriteString(rw, `{"status_code":2000}`)
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	ops := *w.ops
	ops.Client = client.New(client.Options{AllowPrivate: true, Timeout: patience, Roots: roots})
	err := dbtest.Exec(w.ctx, w.dbURL, `UPDATE partners SET endpoints = '[{"identifier":"credentials","role":"RECEIVER","url":"`+s.URL+`"}]'`)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	for _, with := range [][]byte{text, nil} {
		if err := ops.ShowCertificate(w.ctx, cpo.id, with); err != nil {
			t.Fatal(err)
		}
		if sealed := w.partner(cpo.id).CertificateSealed; strings.Contains(string(sealed), "CERTIFICATE") || (sealed == nil) != (with == nil) {
			t.Errorf("stored: %q", sealed)
		}
		if err := ops.RotatePartner(w.ctx, cpo.id); err == nil {
			t.Error("405 is a success")
		}
		if (len(shown) == 1) != (with != nil) {
			t.Errorf("with a certificate: %t, shown: %d", with != nil, len(shown))
		}
	}
}
