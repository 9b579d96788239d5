package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// What the routing headers of an answer say, or leave out, does not fail the call (RTG-21).
func TestRoutingOfAnswers(t *testing.T) {
	us, them := ocpi.Party{CountryCode: "DE", PartyID: "SWX"}, ocpi.Party{CountryCode: "DE", PartyID: "CPO"}
	for name, routing := range map[string]ocpi.Routing{
		"as it should be": {To: us, From: them},
		"not swapped":     {To: them, From: us},
		"somebody else":   {To: ocpi.Party{CountryCode: "FR", PartyID: "XXX"}, From: ocpi.Party{CountryCode: "FR", PartyID: "YYY"}},
		"half":            {To: us},
		"none":            {},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			routing.Write(w.Header())
			fmt.Fprint(w, `{"status_code":1000}`)
		}))
		peer := client.Peer{Auth: auth, Routing: ocpi.Routing{To: them, From: us}}
		if err := newClient().PutToken(t.Context(), peer, s.URL, ocpi.Token{CountryCode: "DE", PartyID: "SWX", UID: "1", Type: ocpi.TokenRFID}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
}

// Each code of a refusal reaches whoever called, whatever HTTP says beside it: ours to mend (STA-02), the partner's (STA-03), the
// hub's own (STA-04, RTG-15), and those that nobody knows (STA-05).
func TestRefusals(t *testing.T) {
	for _, code := range []ocpi.StatusCode{2000, 2001, 2002, 2003, 2004, 2999, 3000, 3001, 3002, 3003, 3900, 4000, 4001, 4002, 4003, 4999} {
		for _, status := range []int{200, 400, 404, 500} {
			err := newClient().PutToken(t.Context(), client.Peer{Auth: auth}, answering(t, status, fmt.Sprintf(`{"status_code":%d,"status_message":"because"}`, code)), ocpi.Token{UID: "1"})
			var failed *client.Error
			if !errors.As(err, &failed) || failed.Fault != client.Refused || failed.StatusCode != code || failed.HTTPStatus != status {
				t.Errorf("%d in %d: %v", code, status, err)
			}
		}
	}
}
