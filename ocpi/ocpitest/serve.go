package ocpitest

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// endpoints is what we serve, the one table behind the routes and the version
// details. The hub's own module is left out for a CPO.
var endpoints = []struct {
	module ocpi.ModuleID
	role   ocpi.InterfaceRole
	serve  func(p *Peer, r *http.Request, in inbound) answer
}{
	{ocpi.ModuleCredentials, ocpi.Sender, (*Peer).serveCredentials},
	{ocpi.ModuleLocations, ocpi.Sender, (*Peer).serveLocations},
	{ocpi.ModuleTariffs, ocpi.Sender, (*Peer).serveTariffs},
	{ocpi.ModuleSessions, ocpi.Sender, (*Peer).serveSessions},
	{ocpi.ModuleCDRs, ocpi.Sender, (*Peer).serveCDRs},
	{ocpi.ModuleTokens, ocpi.Receiver, (*Peer).serveTokens},
	{ocpi.ModuleCommands, ocpi.Receiver, (*Peer).serveCommands},
	{ocpi.ModuleChargingProfiles, ocpi.Receiver, (*Peer).serveProfiles},
	{ocpi.ModuleHubClientInfo, ocpi.Sender, (*Peer).serveClients},
}

const maxBody = 1 << 20

func (p *Peer) versionPath() string { return "/ocpi/" + string(p.version) }

// inbound is an authenticated call of the platform.
type inbound struct {
	token   string
	invited bool // token is the A that we gave out
	module  ocpi.ModuleID
	routing ocpi.Routing
	path    []ocpi.CiString // what follows the endpoint
	body    []byte
}

// answer is what we say to it.
type answer struct {
	http    int
	status  ocpi.StatusCode
	message string
	data    any
	header  http.Header
	link    *string // the next page, in the body; nil: not there
}

func success(data any) answer {
	return answer{http: http.StatusOK, status: ocpi.StatusSuccess, data: data}
}

// refuse answers with what the error says.
func refuse(err error) answer {
	var fault *ocpi.Error
	if errors.As(err, &fault) {
		return answer{http: fault.HTTPStatus, status: fault.StatusCode, message: fault.Message}
	}
	return answer{http: http.StatusOK, status: ocpi.StatusServerError, message: err.Error()}
}

// refuseDiscovery answers that the platform's own API could not be used.
func refuseDiscovery(err error) answer {
	var fault *ocpi.Error
	if errors.As(err, &fault) && fault.StatusCode/1000 == 3 {
		return refuse(fault)
	}
	return refuse(ocpi.Refused(ocpi.StatusUnableToUseClientAPI, err.Error()))
}

// ServeHTTP is the peer's OCPI server.
func (p *Peer) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

func (p *Peer) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ocpi/versions", p.door("", p.serveVersions))
	mux.HandleFunc(p.versionPath(), p.door("", p.serveDetails))
	for _, e := range endpoints {
		if !p.offers(e.module) {
			continue
		}
		serve := p.door(e.module, func(r *http.Request, in inbound) answer { return e.serve(p, r, in) })
		path := p.endpointPath(e.module, e.role)
		mux.HandleFunc(path, serve)
		mux.HandleFunc(path+"/{rest...}", serve)
	}
	mux.HandleFunc("/", p.door("", func(r *http.Request, _ inbound) answer {
		return refuse(ocpi.NotFound(ocpi.StatusClientError, "no such endpoint: "+r.URL.Path))
	}))
	return mux
}

func (p *Peer) endpointPath(module ocpi.ModuleID, role ocpi.InterfaceRole) string {
	if module == ocpi.ModuleCredentials {
		return p.versionPath() + "/credentials"
	}
	return p.versionPath() + "/" + strings.ToLower(string(role)) + "/" + string(module)
}

// door authenticates, reads, examines, serves and answers.
func (p *Peer) door(module ocpi.ModuleID, serve func(*http.Request, inbound) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		in := inbound{module: module, routing: ocpi.ReadRouting(r.Header)}
		a, ok := p.enter(r, &in)
		if ok {
			a = serve(r, in)
		}
		x := Exchange{
			Inbound: true, Module: module, Method: r.Method, URL: r.URL.String(), Header: r.Header, Body: in.body,
			HTTPStatus: a.http, AnswerHeader: w.Header(),
		}
		x.Answer.StatusCode, x.Answer.StatusMessage = a.status, a.message
		p.write(w, r, in, a)
		x.Took = time.Since(start)
		if p.observe != nil {
			p.observe(x)
		}
	}
}

// enter lets the call in, or returns the answer that turns it away.
func (p *Peer) enter(r *http.Request, in *inbound) (answer, bool) {
	where := r.Method + " " + r.URL.Path
	if !p.authenticate(r.Header.Get(ocpi.HeaderAuthorization), in) {
		return refuse(ocpi.Unauthorized("unknown credentials token")), false
	}
	if in.invited && in.module != "" && in.module != ocpi.ModuleCredentials {
		p.complain("TRN-09", where, "called with token A")
		return refuse(ocpi.Unauthorized("not with token A")), false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return refuse(ocpi.Malformed("the body cannot be read")), false
	}
	in.body = body
	for segment := range strings.SplitSeq(r.PathValue("rest"), "/") {
		if text, err := url.PathUnescape(segment); err == nil && text != "" {
			in.path = append(in.path, ocpi.CiString(text))
		}
	}
	p.examineCall(r, in, where)
	for _, emsp := range p.EMSPs() {
		if p.old() { // the one and only
			in.routing = ocpi.Routing{To: p.party, From: emsp}
		}
	}
	return answer{}, true
}

// authenticate takes nothing but the padded Base64 of a token (TRN-03), and in
// OCPI 2.1.1 nothing but the token itself (VDF-02).
func (p *Peer) authenticate(header string, in *inbound) bool {
	encoded, found := strings.CutPrefix(header, "Token ")
	token, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if p.old() {
		token, err = []byte(encoded), nil
	}
	if !found || err != nil {
		return false
	}
	in.token = string(token)
	p.mu.Lock()
	defer p.mu.Unlock()
	in.invited = p.invite != "" && in.token == p.invite
	return in.invited || slices.Contains(p.inbound, in.token)
}

// examineCall complains about the form of a call.
func (p *Peer) examineCall(r *http.Request, in *inbound, where string) {
	id := r.Header.Get(ocpi.HeaderRequestID)
	if !p.old() && (id == "" || r.Header.Get(ocpi.HeaderCorrelationID) == "") {
		p.complain("TRN-17", where, "a message id is missing")
	}
	p.mu.Lock()
	repeated := id != "" && p.seenIDs[id]
	p.seenIDs[id] = true
	p.mu.Unlock()
	if repeated {
		p.complain("TRN-17", where, "X-Request-ID %s was used before", id)
	}
	if len(in.body) > 0 && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		p.complain("TRN-12", where, "the body has the type %q", r.Header.Get("Content-Type"))
	}
	switch {
	case p.old():
		if in.module != "" && (id != "" || !in.routing.To.IsZero() || !in.routing.From.IsZero()) {
			p.complain("VDF-02", where, "a message id or routing headers")
		}
	case in.module == "" || in.module.Configuration():
		if !in.routing.To.IsZero() || !in.routing.From.IsZero() {
			p.complain("RTG-03", where, "routing headers on a configuration module")
		}
	case in.routing.To.IsZero() || in.routing.From.IsZero():
		p.complain("RTG-01", where, "routing headers are missing")
	case !slices.ContainsFunc(p.EMSPs(), in.routing.From.Equal):
		p.complain("RTG-01", where, "FROM %s is no eMSP of the platform's credentials", in.routing.From)
	}
}

// write sends the answer in its envelope.
func (p *Peer) write(w http.ResponseWriter, r *http.Request, in inbound, a answer) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	for _, name := range []string{ocpi.HeaderRequestID, ocpi.HeaderCorrelationID} {
		if id := r.Header.Get(name); id != "" {
			w.Header().Set(name, id)
		}
	}
	faults := p.currentFaults()
	if in.module != "" && !in.module.Configuration() && !faults.NoRouting {
		in.routing.Reply().Write(w.Header())
	}
	w.Header().Set("Content-Type", "application/json")
	var response any = ocpi.Response[any]{Data: a.data, StatusCode: a.status, StatusMessage: a.message, Timestamp: p.now()}
	if a.link != nil {
		response = struct {
			ocpi.Response[any]
			Link string `json:"link"`
		}{response.(ocpi.Response[any]), *a.link}
	}
	body, err := p.encode(in.module, response, "data")
	if err != nil {
		p.log.Error("cannot write an answer", "peer", p.name, "path", r.URL.Path, "error", err)
		http.Error(w, "cannot write the answer", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(a.http)
	if _, err := w.Write(body); err != nil {
		p.log.Debug("the platform hung up", "peer", p.name, "error", err)
	}
}

func (p *Peer) serveVersions(r *http.Request, _ inbound) answer {
	if r.Method != http.MethodGet {
		return refuse(ocpi.MethodNotAllowed("GET only"))
	}
	if p.currentFaults().CallbackFails {
		return answer{http: http.StatusInternalServerError, status: ocpi.StatusServerError, message: "a fault was asked for"}
	}
	return success([]ocpi.Version{{Version: p.version, URL: p.baseURL + p.versionPath()}})
}

func (p *Peer) serveDetails(r *http.Request, _ inbound) answer {
	if r.Method != http.MethodGet {
		return refuse(ocpi.MethodNotAllowed("GET only"))
	}
	details := ocpi.VersionDetails{Version: p.version}
	for _, e := range endpoints {
		if !p.offers(e.module) {
			continue
		}
		role := e.role
		if p.old() {
			role = ""
		}
		details.Endpoints = append(details.Endpoints, ocpi.Endpoint{
			Identifier: e.module, Role: role, URL: p.baseURL + p.endpointPath(e.module, e.role),
		})
	}
	return success(details)
}

// page cuts a list to the window that the call asks for (PAG-01 to PAG-10).
// last_updated of an item decides.
func page[T any](p *Peer, r *http.Request, items []T, lastUpdated func(*T) time.Time) answer {
	if r.Method != http.MethodGet {
		return refuse(ocpi.MethodNotAllowed("GET only"))
	}
	query := r.URL.Query()
	from, to := time.Time{}, time.Time{}
	for name, bound := range map[string]*time.Time{"date_from": &from, "date_to": &to} {
		if text := query.Get(name); text != "" {
			t, err := ocpi.ParseDateTime(text)
			if err != nil {
				return refuse(ocpi.InvalidParameter(name, "must be a DateTime", text))
			}
			*bound = t
		}
	}
	offset, limit := 0, p.page
	for name, number := range map[string]*int{"offset": &offset, "limit": &limit} {
		if text := query.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 || name == "limit" && n == 0 {
				return refuse(ocpi.InvalidParameter(name, "must be a positive number", text))
			}
			*number = n
		}
	}
	limit = min(limit, p.page)
	faults := p.currentFaults().ListFaults
	if (faults.Busy || faults.NoRetryAfter) && p.isBusy() {
		a := answer{http: http.StatusTooManyRequests, status: ocpi.StatusClientError, message: "a fault was asked for", header: http.Header{}}
		if faults.Busy {
			a.header.Set("Retry-After", "30")
		}
		return a
	}

	matching := slices.DeleteFunc(slices.Clone(items), func(item T) bool {
		at := lastUpdated(&item)
		return !from.IsZero() && at.Before(from) || !to.IsZero() && !at.Before(to)
	})
	begin := min(offset, len(matching))
	end := min(begin+limit, len(matching))
	listed := []any{}
	if faults.BrokenObject {
		listed = append(listed, map[string]any{"id": []int{7}, "last_updated": "yesterday"})
	}
	for _, item := range matching[begin:end] {
		listed = append(listed, item)
	}
	if faults.EmptyPages && offset > 0 {
		listed, end = []any{}, len(matching)-1
	}
	a := success(listed)
	a.header = http.Header{}
	if !faults.NoTotal {
		a.header.Set(ocpi.HeaderTotalCount, strconv.Itoa(len(matching)))
		a.header.Set(ocpi.HeaderLimit, strconv.Itoa(limit))
	}
	if end < len(matching) {
		query.Set("offset", strconv.Itoa(end))
		query.Set("limit", strconv.Itoa(limit))
		faults.link(&a, p.baseURL, r.URL, query.Encode())
	} else if faults.LinkInBody {
		a.link = new(string)
	}
	return a
}

// link points to the next page, right or wrong.
func (f ListFaults) link(a *answer, base string, at *url.URL, query string) {
	next := base + at.Path + "?" + query
	switch {
	case f.NoLink:
		return
	case f.LinkInBody:
		a.link = &next
		return
	case f.RelativeLink:
		next = at.Path + "?" + query
	case f.LoopingLink:
		next = base + at.RequestURI()
	case f.ForeignLink:
		next = "https://elsewhere.example" + at.Path + "?" + query
	}
	a.header.Set(ocpi.HeaderLink, "<"+next+`>; rel="next"`)
}

// isBusy is true for every second call.
func (p *Peer) isBusy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lists++
	return p.lists%2 == 1
}
