package ocpitest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/ocpi"
)

func noComplaints(t *testing.T, p *Peer) {
	t.Helper()
	for _, complaint := range p.Complaints() {
		t.Error("complaint:", complaint)
	}
}

// CRED-01, CRED-02, CRED-04: the peer starts the handshake.
func TestRegister(t *testing.T) {
	cpo, platform := startCPO(t, Options{})
	noComplaints(t, cpo.Peer)
	if got := cpo.EMSPs(); len(got) != 2 || got[0] != northern || got[1] != southern {
		t.Errorf("eMSPs: %v", got)
	}
	encodedA := "Token " + base64.StdEncoding.EncodeToString([]byte(platform.tokenA))
	if messages := platform.sent("/emsp/"); len(messages) != 3 || messages[2].authorization != encodedA {
		t.Errorf("%d calls, the third with %q", len(messages), messages[len(messages)-1].authorization)
	}
	if err := cpo.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	encodedC := "Token " + base64.StdEncoding.EncodeToString([]byte(platform.tokenC))
	if got := platform.sent("/emsp/tariffs/DE/NLA/")[0].authorization; got != encodedC {
		t.Errorf("the tariff came with %q", got)
	}
	before := platform.peer.token
	if err := cpo.Rotate(t.Context()); err != nil { // CRED-18
		t.Fatal(err)
	}
	after := platform.peer.token
	platform.peer.token = before
	if response, _ := platform.call(http.MethodGet, platform.peer.url, nil, ""); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("the token before the rotation is answered with %d", response.StatusCode)
	}
	platform.peer.token = after
	if response, _ := platform.call(http.MethodGet, platform.peer.url, nil, ""); response.StatusCode != http.StatusOK {
		t.Errorf("the token after the rotation is answered with %d", response.StatusCode)
	}
	if err := cpo.Unregister(t.Context()); err != nil { // CRED-27
		t.Fatal(err)
	}
	if response, _ := platform.call(http.MethodGet, platform.peer.url, nil, ""); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("the token after the end is answered with %d", response.StatusCode)
	}
}

// CRED-08 to CRED-14: the platform starts the handshake.
func TestInvite(t *testing.T) {
	platform := newReceiver(t)
	cpo := NewCPO(Options{Name: "Nordladen", Party: ocpi.Party{CountryCode: "DE", PartyID: "NLA"}, Now: clock})
	start(t, cpo.Peer)
	platform.peer.url, platform.peer.token = cpo.Invite()
	tokenA := platform.peer.token

	if response, _ := platform.call(http.MethodGet, platform.endpointOf("locations"), nil, "DE*NLA"); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("TRN-09: token A on locations is answered with %d", response.StatusCode)
	}
	credentials := platform.endpointOf("credentials")
	if response, _ := platform.call(http.MethodPut, credentials, platform.credentials("b"), ""); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("CRED-20: PUT before the registration is answered with %d", response.StatusCode)
	}
	response, answer := platform.call(http.MethodPost, credentials, platform.credentials("token-b"), "")
	if response.StatusCode != http.StatusOK || answer.StatusCode != 1000 {
		t.Fatalf("POST: HTTP %d, %d", response.StatusCode, answer.StatusCode)
	}
	var theirs struct {
		Token string
		Roles []struct{ Role string }
	}
	if err := json.Unmarshal(answer.Data, &theirs); err != nil {
		t.Fatal(err)
	}
	if len(theirs.Roles) != 1 || theirs.Roles[0].Role != "CPO" {
		t.Errorf("roles: %v", theirs.Roles)
	}
	encodedB := "Token " + base64.StdEncoding.EncodeToString([]byte("token-b"))
	for _, m := range platform.sent("/emsp/") {
		if m.authorization != encodedB {
			t.Errorf("%s %s came with %q", m.method, m.path, m.authorization)
		}
	}
	if response, _ := platform.call(http.MethodPost, credentials, platform.credentials("b"), ""); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("CRED-14: the used token A is answered with %d", response.StatusCode)
	}
	platform.peer.token = theirs.Token
	if response, _ := platform.call(http.MethodPost, credentials, platform.credentials("b"), ""); response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("CRED-13: a second POST is answered with %d", response.StatusCode)
	}
	if theirs.Token == tokenA {
		t.Error("token C is token A")
	}
}

func TestStrictAuthorization(t *testing.T) {
	cpo, platform := startCPO(t, Options{})
	for _, header := range []string{"", "Token", "Token " + platform.peer.token, "Bearer x", "Token " + base64.RawStdEncoding.EncodeToString([]byte(platform.peer.token+"x"))} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, cpo.VersionsURL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", header)
		response, err := platform.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q is answered with %d", header, response.StatusCode)
		}
	}
}

// What a platform must not do ends in the list of complaints.
func TestComplaints(t *testing.T) {
	cpo, platform := startCPO(t, Options{})
	tokens := platform.endpointOf("tokens")
	platform.call(http.MethodPut, tokens+"/DE/NOR/OTHER?type=RFID", card(northern, "AA01"), "DE*NLA")
	platform.call(http.MethodDelete, tokens+"/DE/NOR/AA01", nil, "DE*NLA")
	platform.call(http.MethodGet, platform.endpointOf("sessions"), nil, "DE*NLA")
	platform.call(http.MethodGet, platform.endpointOf("tariffs"), nil, "")
	want := []string{"TOK-08", "TOK-10", "PAG-20", "RTG-01"}
	got := cpo.Complaints()
	if len(got) != len(want) {
		t.Fatalf("complaints: %q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]+": ") {
			t.Errorf("complaint %d is %q, not of %s", i, got[i], want[i])
		}
	}
}

// TOK-07 to TOK-12: tokens are stored, changed and shown.
func TestTokens(t *testing.T) {
	cpo, platform := startCPO(t, Options{})
	at := platform.endpointOf("tokens") + "/DE/NOR/aa01?type=RFID"
	if response, _ := platform.call(http.MethodPatch, at, map[string]any{"valid": false, "last_updated": "2026-09-14T11:00:00Z"}, "DE*NLA"); response.StatusCode != http.StatusNotFound {
		t.Errorf("PATCH of an unknown token is answered with %d", response.StatusCode)
	}
	for _, want := range []int{http.StatusCreated, http.StatusOK} {
		if response, _ := platform.call(http.MethodPut, at, card(northern, "AA01"), "DE*NLA"); response.StatusCode != want {
			t.Errorf("PUT is answered with %d, not %d", response.StatusCode, want)
		}
	}
	platform.call(http.MethodPatch, at, map[string]any{"valid": false, "last_updated": "2026-09-14T11:00:00Z"}, "DE*NLA")
	_, answer := platform.call(http.MethodGet, at, nil, "DE*NLA")
	var token struct {
		Valid      bool
		Issuer     string
		ContractID string `json:"contract_id"`
	}
	if err := json.Unmarshal(answer.Data, &token); err != nil {
		t.Fatal(err)
	}
	if token.Valid || token.Issuer != "Nord" || token.ContractID != "DENORC00000001X" {
		t.Errorf("after the PATCH: %+v", token)
	}
	if n, err := cpo.PullTokens(t.Context()); err != nil || n != 4 { // two pages for each of two eMSPs
		t.Errorf("pulled %d tokens, %v", n, err)
	}
	if got := len(cpo.Tokens()); got != 2 {
		t.Errorf("%d tokens are known", got)
	}
	info, err := cpo.Authorize(t.Context(), cpo.Tokens()[0], &ocpi.LocationReferences{LocationID: "NLA-0001"})
	if err != nil || info.Allowed != ocpi.AllowedAllowed || info.AuthorizationReference != "ref-1" {
		t.Errorf("authorize: %+v, %v", info, err)
	}
	noComplaints(t, cpo.Peer)
}

// PAG-01 to PAG-10 on the peer's own lists.
func TestLists(t *testing.T) {
	cpo, platform := startCPO(t, Options{Sites: 60})
	next, seen := platform.endpointOf("locations")+"?limit=25", 0
	for next != "" {
		response, answer := platform.call(http.MethodGet, next, nil, "DE*NLA")
		var page []json.RawMessage
		if err := json.Unmarshal(answer.Data, &page); err != nil {
			t.Fatal(err)
		}
		seen += len(page)
		if response.Header.Get("X-Total-Count") != "60" || response.Header.Get("X-Limit") != "25" {
			t.Errorf("X-Total-Count %s, X-Limit %s", response.Header.Get("X-Total-Count"), response.Header.Get("X-Limit"))
		}
		next, _, _ = strings.Cut(strings.TrimPrefix(response.Header.Get("Link"), "<"), ">")
	}
	if seen != 60 {
		t.Errorf("%d locations on all pages", seen)
	}
	response, answer := platform.call(http.MethodGet, platform.endpointOf("tariffs")+"?date_from=2026-09-14T10:00:01Z", nil, "DE*NLA")
	if string(answer.Data) != "[]" || response.Header.Get("X-Total-Count") != "0" {
		t.Errorf("an empty window holds %s", answer.Data)
	}
	_, answer = platform.call(http.MethodGet, platform.endpointOf("locations")+"/NLA-0001/NLA-E00001/1", nil, "DE*NLA")
	if !strings.Contains(string(answer.Data), `"standard"`) {
		t.Errorf("a connector: %s", answer.Data)
	}
	noComplaints(t, cpo.Peer)
}

func TestRefusal(t *testing.T) {
	cpo, _ := startCPO(t, Options{})
	_, err := cpo.push(t.Context(), http.MethodPut, ocpi.ModuleTokens, ocpi.Routing{}, nil)
	if err == nil {
		t.Error("the platform is no receiver of tokens, yet one was pushed")
	}
	broken := ocpi.Refused(ocpi.StatusUnableToUseClientAPI, "no")
	if got := refuse(broken); got.http != http.StatusOK || got.status != 3001 {
		t.Errorf("refuse: %+v", got)
	}
	if !IsRefusal(errors.Join(&Refusal{Status: 2001}), 2001) || IsRefusal(broken, 3001) {
		t.Error("IsRefusal")
	}
}
