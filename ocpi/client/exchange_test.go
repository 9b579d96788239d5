package client_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// Every call is told with what went over the wire, and never with the Authorization header (TRN-11, TRN-17).
func TestRecord(t *testing.T) {
	status, body := 200, `{"status_code":1000,"timestamp":"2026-10-20T12:00:00Z"}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Total-Count", "1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	defer s.Close()
	var told []client.Exchange
	c := client.New(client.Options{AllowPrivate: true, Timeout: time.Minute, Record: func(e client.Exchange) { told = append(told, e) }})
	who := uuid.New()
	peer := client.Peer{Auth: client.Auth{Token: "example-token", Partner: who}, Routing: ocpi.Routing{
		To: ocpi.Party{CountryCode: "DE", PartyID: "CPO"}, From: ocpi.Party{CountryCode: "DE", PartyID: "SWX"},
	}}
	put := func(endpoint string) client.Exchange {
		t.Helper()
		told = nil
		_ = c.PutToken(t.Context(), peer, endpoint, ocpi.Token{CountryCode: "DE", PartyID: "SWX", UID: "04AA", Type: ocpi.TokenRFID})
		if len(told) != 1 {
			t.Fatalf("told %d times", len(told))
		}
		return told[0]
	}
	e := put(s.URL + "/odd")
	if e.Partner != who || e.Module != ocpi.ModuleTokens || e.Method != http.MethodPut || e.URL != s.URL+"/odd/DE/SWX/04AA?type=RFID" ||
		e.HTTPStatus != 200 || e.StatusCode != 1000 || e.Err != nil || e.Routing != peer.Routing || e.RequestID == "" || e.CorrelationID == "" ||
		!strings.Contains(string(e.Request), `"uid":"04AA"`) || string(e.Response) != body || e.Header.Get("X-Total-Count") != "1" || e.Took <= 0 {
		t.Errorf("%+v", e)
	}
	status, body = 404, `{"status_code":2001,"status_message":"what token?"}`
	if e = put(s.URL + "/tokens"); e.HTTPStatus != 404 || e.StatusCode != 2001 || e.Message != "what token?" || e.Err == nil || string(e.Response) != body {
		t.Errorf("%+v", e)
	}
	if e = put("http://127.0.0.1:1/tokens"); e.HTTPStatus != 0 || e.Err == nil || e.Message == "" || e.Request == nil {
		t.Errorf("%+v", e)
	}
	told = nil
	if _, _ = c.Page(t.Context(), peer, s.URL+"/ocpi/2.2.1/CDRs?limit=1", 0); len(told) != 1 || told[0].Module != ocpi.ModuleCDRs {
		t.Errorf("%+v", told)
	}
	if _, _ = c.Versions(t.Context(), peer.Auth, s.URL+"/versions"); told[1].Module != "" {
		t.Errorf("%+v", told[1])
	}
}

// A partner that asks for a certificate gets ours; others do not see it.
func TestClientCertificate(t *testing.T) {
	var shown *x509.Certificate
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = nil
		if len(r.TLS.PeerCertificates) > 0 {
			shown = r.TLS.PeerCertificates[0]
		}
		_, _ = io.WriteString(w, `{"status_code":1000,"data":[]}`)
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.StartTLS()
	defer s.Close()
	// The server's own certificate serves as the client's; that nobody here trusts it is the other half of the test.
	certificate := s.TLS.Certificates[0]
	c := client.New(client.Options{AllowPrivate: true, Timeout: time.Minute})
	if _, err := c.Versions(t.Context(), client.Auth{Token: "example-token", Certificate: &certificate}, s.URL); err == nil {
		t.Error("a partner with a certificate that nobody has signed is called")
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	trusting := client.New(client.Options{AllowPrivate: true, Timeout: time.Minute, Roots: roots})
	for _, with := range []*tls.Certificate{&certificate, nil, &certificate} {
		if _, err := trusting.Versions(t.Context(), client.Auth{Token: "example-token", Certificate: with}, s.URL); err != nil {
			t.Fatal(err)
		}
		if (shown != nil) != (with != nil) || shown != nil && !shown.Equal(s.Certificate()) {
			t.Errorf("with %t: shown %v", with != nil, shown)
		}
	}
}
