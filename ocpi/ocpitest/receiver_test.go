package ocpitest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// receiver is an eMSP platform with two eMSPs that answers success to
// everything and keeps what it was sent. It reads JSON as any other program
// would, without package ocpi.
type receiver struct {
	*httptest.Server
	t      *testing.T
	tokenA string
	tokenC string

	mu       sync.Mutex
	messages []message
	peer     struct{ token, url string }
}

type message struct {
	method, path, authorization string
	header                      http.Header
	body                        []byte
}

var (
	northern = ocpi.Party{CountryCode: "DE", PartyID: "NOR"}
	southern = ocpi.Party{CountryCode: "DE", PartyID: "SUE"}
)

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t, tokenA: "token-a", tokenC: "token-c"}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	r.messages = append(r.messages, message{request.Method, request.URL.Path, request.Header.Get("Authorization"), request.Header, body})
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	for _, name := range []string{"X-Request-ID", "X-Correlation-ID"} {
		if request.Header.Get(name) != "" {
			w.Header().Set(name, request.Header.Get(name))
		}
	}
	for name, swapped := range map[string]string{
		"OCPI-from-country-code": "OCPI-to-country-code", "OCPI-from-party-id": "OCPI-to-party-id",
		"OCPI-to-country-code": "OCPI-from-country-code", "OCPI-to-party-id": "OCPI-from-party-id",
	} {
		if request.Header.Get(name) != "" {
			w.Header().Set(swapped, request.Header.Get(name))
		}
	}
	data, status := r.answer(w, request, body)
	answer := map[string]any{"status_code": status, "timestamp": "2026-11-23T16:20:00Z"}
	if data != nil {
		answer["data"] = data
	}
	if request.Method == http.MethodPost && strings.HasSuffix(request.URL.Path, "/cdrs") {
		w.Header().Set("Location", r.URL+"/emsp/cdrs/1")
		w.WriteHeader(http.StatusCreated)
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		r.t.Error(err)
	}
}

func (r *receiver) answer(w http.ResponseWriter, request *http.Request, body []byte) (data any, status int) {
	switch {
	case request.URL.Path == "/emsp/versions":
		return []map[string]string{{"version": "2.1.1", "url": r.URL + "/emsp/2.1.1"}, {"version": "2.2.1", "url": r.URL + "/emsp/2.2.1"}}, 1000
	case request.URL.Path == "/emsp/2.2.1":
		var list []map[string]string
		for _, module := range []string{"credentials", "locations", "sessions", "cdrs", "tariffs", "hubclientinfo"} {
			list = append(list, map[string]string{"identifier": module, "role": "RECEIVER", "url": r.URL + "/emsp/" + module})
		}
		list = append(list, map[string]string{"identifier": "tokens", "role": "SENDER", "url": r.URL + "/emsp/tokens"})
		return map[string]any{"version": "2.2.1", "endpoints": list}, 1000
	case request.URL.Path == "/emsp/credentials" && request.Method == http.MethodDelete:
		return nil, 1000
	case request.URL.Path == "/emsp/credentials":
		var theirs struct{ Token, URL string }
		if err := json.Unmarshal(body, &theirs); err != nil {
			r.t.Error(err)
		}
		r.peer.token, r.peer.url = theirs.Token, theirs.URL
		// CRED-02: the peer's token has to work before our answer.
		if _, answer := r.call(http.MethodGet, theirs.URL, nil, ""); answer.StatusCode != 1000 {
			return nil, 3001
		}
		return r.credentials(r.tokenC), 1000
	case request.URL.Path == "/emsp/tokens":
		offset := request.URL.Query().Get("offset")
		w.Header().Set("X-Total-Count", "2")
		w.Header().Set("X-Limit", "1")
		uid := "AA01"
		if offset == "" {
			w.Header().Set("Link", "<"+r.URL+`/emsp/tokens?offset=1&limit=1>; rel="next"`)
		} else {
			uid = "AA02"
		}
		return []ocpi.Token{card(northern, ocpi.CiString(uid))}, 1000
	case strings.HasSuffix(request.URL.Path, "/authorize"):
		return map[string]any{"allowed": "ALLOWED", "authorization_reference": "ref-1"}, 1000
	default:
		return nil, 1000
	}
}

func (r *receiver) credentials(token string) map[string]any {
	role := func(party ocpi.Party) map[string]any {
		return map[string]any{
			"role": "EMSP", "country_code": party.CountryCode, "party_id": party.PartyID,
			"business_details": map[string]string{"name": party.String()},
		}
	}
	return map[string]any{"token": token, "url": r.URL + "/emsp/versions", "roles": []any{role(northern), role(southern)}}
}

type envelope struct {
	Data       json.RawMessage `json:"data"`
	StatusCode int             `json:"status_code"`
	Timestamp  string          `json:"timestamp"`
}

// call sends a request to the peer as the platform would. to addresses a
// party; "" sends no routing headers.
func (r *receiver) call(method, target string, body any, to string) (*http.Response, envelope) {
	r.t.Helper()
	var reader io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		reader = strings.NewReader(string(encoded))
	}
	request, err := http.NewRequestWithContext(r.t.Context(), method, target, reader)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Token "+base64.StdEncoding.EncodeToString([]byte(r.peer.token)))
	request.Header.Set("X-Request-ID", newToken())
	request.Header.Set("X-Correlation-ID", newToken())
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if to != "" {
		request.Header.Set("OCPI-to-country-code", to[:2])
		request.Header.Set("OCPI-to-party-id", to[3:])
		request.Header.Set("OCPI-from-country-code", "DE")
		request.Header.Set("OCPI-from-party-id", "NOR")
	}
	response, err := r.Client().Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer envelope
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		r.t.Fatalf("%s %s: %v", method, target, err)
	}
	return response, answer
}

// sent returns what came in on a path that begins so.
func (r *receiver) sent(prefix string) []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []message
	for _, m := range r.messages {
		if strings.HasPrefix(m.path, prefix) {
			list = append(list, m)
		}
	}
	return list
}

func card(owner ocpi.Party, uid ocpi.CiString) ocpi.Token {
	return ocpi.Token{
		CountryCode: owner.CountryCode, PartyID: owner.PartyID, UID: uid, Type: ocpi.TokenRFID, ContractID: "DENORC00000001X",
		Issuer: "Nord", Valid: ocpi.Ptr(true), Whitelist: ocpi.WhitelistAllowed, LastUpdated: noon,
	}
}

var noon = time.Date(2026, 9, 14, 10, 0, 0, 0, time.UTC) // 12:00 in Berlin

func clock() time.Time { return noon }

// startCPO starts a CPO that is registered with a receiver.
func startCPO(t *testing.T, o Options) (*CPO, *receiver) {
	t.Helper()
	o.Name, o.Now = "Nordladen", clock
	if o.Party.IsZero() {
		o.Party = ocpi.Party{CountryCode: "DE", PartyID: "NLA"}
	}
	platform, cpo := newReceiver(t), NewCPO(o)
	start(t, cpo.Peer)
	if err := cpo.Register(t.Context(), platform.URL+"/emsp/versions", platform.tokenA); err != nil {
		t.Fatal(err)
	}
	return cpo, platform
}

func start(t *testing.T, p *Peer) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// endpointOf asks the peer's version details for the URL of a module.
func (r *receiver) endpointOf(module string) string {
	r.t.Helper()
	_, answer := r.call(http.MethodGet, strings.TrimSuffix(r.peer.url, "versions")+"2.2.1", nil, "")
	var details struct {
		Endpoints []struct{ Identifier, Role, URL string }
	}
	if err := json.Unmarshal(answer.Data, &details); err != nil {
		r.t.Fatal(err)
	}
	for _, e := range details.Endpoints {
		if e.Identifier == module {
			if _, err := url.Parse(e.URL); err != nil {
				r.t.Error(err)
			}
			return e.URL
		}
	}
	return ""
}
