package jobs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// Message is an OCPI message with its answer, as it stands in the log. It holds on to the bodies that it is given.
type Message struct {
	ID            uuid.UUID
	At            time.Time
	Out           bool          // we sent the request
	Partner       uuid.UUID     // Nil: nobody we know
	Tenant        uuid.NullUUID // the utility that it concerns, where the routing does not say
	Version       ocpi.VersionNumber
	Module        ocpi.ModuleID // "" for versions
	Method        string
	Path          string // in: path and query; out: URL
	RequestID     string
	CorrelationID string
	Routing       ocpi.Routing
	HTTPStatus    int // 0: no answer
	StatusCode    ocpi.StatusCode
	StatusMessage string
	Took          time.Duration
	Request       []byte
	Response      []byte
	Findings      ocpi.Findings
}

const (
	// maxLogged is how much of a body is kept, in bytes.
	maxLogged = 64 << 10
	// maxObjects is how many objects of a list a message can be found by.
	maxObjects = 500
)

// MessageKey is under which the messages about an object are found: sessions/DE*CPO/S1, or authorizations/… and commands/…
// with no party.
func MessageKey(kind string, owner ocpi.Party, id ocpi.CiString) string {
	if owner.IsZero() {
		return kind + "/" + id.Fold()
	}
	return kind + "/" + owner.Fold().String() + "/" + id.Fold()
}

// outcome says in a word how a message went.
func (m *Message) outcome() string {
	taken := m.HTTPStatus >= 200 && m.HTTPStatus <= 299 && (m.StatusCode == 0 || m.StatusCode.Success())
	switch {
	case taken && len(m.Findings) > 0:
		return "noted"
	case taken:
		return "taken"
	case m.HTTPStatus == 0, m.HTTPStatus >= http.StatusInternalServerError, m.StatusCode >= ocpi.StatusServerError:
		return "failed"
	}
	return "refused"
}

// row is the message as it is stored: without secrets, cut to size, text that PostgreSQL takes.
func (m *Message) row(tenant uuid.NullUUID) (db.InsertMessagesParams, error) {
	type finding struct {
		Severity string     `json:"severity"`
		Path     string     `json:"path"`
		Rule     string     `json:"rule"`
		Value    string     `json:"value"`
		Quirk    ocpi.Quirk `json:"quirk,omitempty"`
	}
	findings := make([]finding, len(m.Findings))
	for i, f := range m.Findings {
		findings[i] = finding{f.Severity.String(), storable(f.Path), storable(f.Rule), storable(f.Value), f.Quirk}
	}
	written, err := json.Marshal(findings)
	if err != nil {
		return db.InsertMessagesParams{}, fmt.Errorf("encode findings: %w", err)
	}
	direction := "in"
	if m.Out {
		direction = "out"
	}
	return db.InsertMessagesParams{
		ID: m.ID, At: m.At, Direction: direction, PartnerID: uuid.NullUUID{UUID: m.Partner, Valid: m.Partner != uuid.Nil}, TenantID: tenant,
		Version: string(m.Version), Module: string(m.Module), Method: storable(m.Method), Path: storable(withoutSecrets(m.Path)),
		RequestID: storable(m.RequestID), CorrelationID: storable(m.CorrelationID),
		FromParty: storable(m.Routing.From.String()), ToParty: storable(m.Routing.To.String()),
		HTTPStatus: int32(m.HTTPStatus), StatusCode: int32(m.StatusCode), StatusMessage: storable(m.StatusMessage), //nolint:gosec // three and four digits
		Outcome: m.outcome(), TookUS: int32(min(m.Took.Microseconds(), 1<<31-1)), //nolint:gosec // bounded
		Objects: Findable(m.objects()), Request: kept(m.Request), Response: kept(m.Response), Findings: written,
	}, nil
}

// secretMember is a credentials token in a message: elsewhere in OCPI a member of this name is an object. It is found in text
// that is no JSON, too.
var secretMember = regexp.MustCompile(`("token"\s*:\s*)"(?:[^"\\]|\\.)*"?`)

// kept is what of a body is stored.
func kept(body []byte) []byte {
	if bytes.Contains(body, []byte(`"token"`)) {
		body = secretMember.ReplaceAll(body, []byte(`$1"…"`))
	}
	if len(body) > maxLogged {
		return fmt.Appendf(slices.Clone(body[:maxLogged]), "… [%d bytes more]", len(body)-maxLogged)
	}
	return append([]byte{}, body...) // an empty body is no NULL
}

// withoutSecrets hides what some partners write into the query of an address.
func withoutSecrets(address string) string {
	path, query, found := strings.Cut(address, "?")
	if !found {
		return address
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		switch strings.ToLower(name) {
		case "token", "access_token", "key", "api_key", "apikey", "code", "secret", "password", "sig", "signature":
			parts[i] = name + "=…"
		}
	}
	return path + "?" + strings.Join(parts, "&")
}

// storable is text as PostgreSQL takes it, cut to a length that a column can have.
func storable(s string) string {
	const limit = 2000
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
}

// about is how an object names its owner and itself, and other objects that it belongs to.
type about struct {
	CountryCode            ocpi.CiString  `json:"country_code"`
	PartyID                ocpi.CiString  `json:"party_id"`
	ID                     ocpi.CiString  `json:"id"`
	UID                    ocpi.CiString  `json:"uid"`
	SessionID              ocpi.CiString  `json:"session_id"`
	AuthorizationReference ocpi.CiString  `json:"authorization_reference"`
	ResponseURL            string         `json:"response_url"`
	CDRToken               *aboutToken    `json:"cdr_token"`
	Token                  jsontext.Value `json:"token"` // an object, but for credentials
}

type aboutToken struct {
	CountryCode ocpi.CiString `json:"country_code"`
	PartyID     ocpi.CiString `json:"party_id"`
	UID         ocpi.CiString `json:"uid"`
}

// Findable is what messages about objects with these keys are found by: the keys and, behind a slash, the ids alone. People look
// for a session without knowing whose it is, and an index has to find that.
func Findable(keys []string) []string {
	by := slices.Clone(keys)
	for _, key := range keys {
		_, id, _ := strings.Cut(key, "/")
		if owner, own, ok := strings.Cut(id, "/"); ok && strings.Contains(owner, "*") {
			id = own
		}
		if id = "/" + id; !slices.Contains(by, id) {
			by = append(by, id)
		}
	}
	return by
}

// objects are the keys of what the message is about, from its path and its bodies.
func (m *Message) objects() []string {
	keys := []string{}
	add := func(kind string, owner ocpi.Party, id ocpi.CiString) {
		if key := storable(MessageKey(kind, owner, id)); id != "" && id != ocpi.NotApplicable && len(key) < 300 && len(keys) < maxObjects && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	owner := m.pathObjects(add)
	if owner.IsZero() && m.Out {
		owner = m.Routing.To
	}
	for _, object := range m.described() {
		m.objectsOf(object, owner, add)
	}
	return keys
}

type addKey func(kind string, owner ocpi.Party, id ocpi.CiString)

// pathObjects adds what the path names and returns the owner in it.
func (m *Message) pathObjects(add addKey) (owner ocpi.Party) {
	segments := m.segments()
	switch m.Module {
	case ocpi.ModuleLocations, ocpi.ModuleTariffs, ocpi.ModuleSessions, ocpi.ModuleCDRs, ocpi.ModuleTokens:
		if m.Module == ocpi.ModuleTokens && !m.Out { // {uid}/authorize
			if len(segments) > 0 {
				add("tokens", m.Routing.To, segments[0])
			}
			return m.Routing.To
		}
		if len(segments) >= 3 {
			owner = ocpi.Party{CountryCode: segments[0], PartyID: segments[1]}
			add(string(m.Module), owner, segments[2])
		}
	case ocpi.ModuleCommands:
		if !m.Out && len(segments) == 2 { // {command}/{id}: a result
			add("commands", ocpi.Party{}, segments[1])
		}
	case ocpi.ModuleChargingProfiles:
		if m.Out && len(segments) > 0 {
			add("sessions", m.Routing.To, segments[0])
		}
	case ocpi.ModuleHubClientInfo:
		if len(segments) == 2 {
			add("hubclientinfo", ocpi.Party{CountryCode: segments[0], PartyID: segments[1]}, "-")
		}
	}
	return owner
}

// objectsOf adds what an object in a body says of itself.
func (m *Message) objectsOf(a about, owner ocpi.Party, add addKey) {
	if stated := (ocpi.Party{CountryCode: a.CountryCode, PartyID: a.PartyID}); a.CountryCode != "" && a.PartyID != "" {
		owner = stated
	}
	switch m.Module {
	case ocpi.ModuleLocations, ocpi.ModuleTariffs, ocpi.ModuleSessions, ocpi.ModuleCDRs:
		if !owner.IsZero() {
			add(string(m.Module), owner, a.ID)
		}
	case ocpi.ModuleTokens:
		if !owner.IsZero() {
			add("tokens", owner, a.UID)
		}
	}
	if a.SessionID != "" && !owner.IsZero() {
		add("sessions", owner, a.SessionID)
	}
	add("authorizations", ocpi.Party{}, a.AuthorizationReference)
	if i := strings.LastIndexByte(a.ResponseURL, '/'); i >= 0 {
		add("commands", ocpi.Party{}, ocpi.CiString(a.ResponseURL[i+1:]))
	}
	token := a.CDRToken
	if token == nil && a.Token.Kind() == jsontext.KindBeginObject {
		token = new(aboutToken)
		if ocpi.UnmarshalLenient(a.Token, token) != nil {
			return
		}
	}
	if token != nil {
		add("tokens", ocpi.Party{CountryCode: token.CountryCode, PartyID: token.PartyID}, token.UID)
	}
}

// described reads the objects in the bodies: the one of the request, and the one or those in the data of the response.
func (m *Message) described() []about {
	var all []about
	var one about
	if len(m.Request) > 0 && ocpi.UnmarshalLenient(m.Request, &one) == nil {
		all = append(all, one)
	}
	var envelope struct {
		Data jsontext.Value `json:"data"`
	}
	if len(m.Response) == 0 || ocpi.UnmarshalLenient(m.Response, &envelope) != nil {
		return all
	}
	switch envelope.Data.Kind() {
	case jsontext.KindBeginObject:
		var answered about
		if ocpi.UnmarshalLenient(envelope.Data, &answered) == nil {
			all = append(all, answered)
		}
	case jsontext.KindBeginArray:
		var list []about
		if ocpi.UnmarshalLenient(envelope.Data, &list) == nil {
			all = append(all, list...)
		}
	}
	return all
}

// segments are those of the path behind the module.
func (m *Message) segments() []ocpi.CiString {
	path, _, _ := strings.Cut(m.Path, "?")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	i := slices.IndexFunc(parts, func(s string) bool { return strings.EqualFold(s, string(m.Module)) })
	if m.Module == "" || i < 0 {
		return nil
	}
	var segments []ocpi.CiString
	for _, part := range parts[i+1:] {
		if s, err := url.PathUnescape(part); err == nil {
			part = s
		}
		segments = append(segments, ocpi.CiString(part))
	}
	return segments
}

// sentMessage is the message of a call that we made.
func sentMessage(e client.Exchange, now time.Time) Message {
	m := Message{
		ID: uuid.Must(uuid.NewV7()), At: now.Add(-e.Took), Out: true, Partner: e.Partner, Version: e.Version, Module: e.Module, Method: e.Method, Path: e.URL,
		RequestID: e.RequestID, CorrelationID: e.CorrelationID, Routing: e.Routing, HTTPStatus: e.HTTPStatus,
		StatusCode: e.StatusCode, StatusMessage: e.Message, Took: e.Took, Request: e.Request, Response: e.Response,
	}
	if e.HTTPStatus != 0 {
		m.Findings = answerQuirks(e)
	}
	return m
}

// answerQuirks are what a partner leaves out of a success, or writes where it does not belong.
func answerQuirks(e client.Exchange) ocpi.Findings {
	var notes ocpi.Findings
	note := func(path string, quirk ocpi.Quirk) {
		notes = append(notes, ocpi.Finding{Severity: ocpi.Note, Path: path, Rule: "required", Quirk: quirk})
	}
	if e.HTTPStatus < 200 || e.HTTPStatus > 299 {
		return nil
	}
	var envelope struct {
		Data       jsontext.Value `json:"data"`
		StatusCode jsontext.Value `json:"status_code"`
		Timestamp  jsontext.Value `json:"timestamp"`
		Link       jsontext.Value `json:"link"`
	}
	if err := ocpi.Unmarshal(e.Response, &envelope); err != nil || envelope.StatusCode == nil && envelope.Data == nil {
		note("data", ocpi.QuirkNoEnvelope)
		return notes
	}
	if envelope.StatusCode == nil {
		note("status_code", ocpi.QuirkNoStatusCode)
	}
	if envelope.Timestamp == nil {
		note("timestamp", ocpi.QuirkNoTimestamp)
	}
	list := e.Method == http.MethodGet && e.Module != "" && envelope.Data.Kind() == jsontext.KindBeginArray
	if list && e.Header.Get(ocpi.HeaderTotalCount) == "" {
		note(ocpi.HeaderTotalCount, ocpi.QuirkNoTotalCount)
	}
	if list && envelope.Link != nil && e.Header.Get(ocpi.HeaderLink) == "" {
		note(ocpi.HeaderLink, ocpi.QuirkLinkInBody)
	}
	var command struct {
		Timeout jsontext.Value `json:"timeout"`
	}
	if e.Module == ocpi.ModuleCommands && ocpi.Unmarshal(envelope.Data, &command) == nil && command.Timeout == nil {
		note("data.timeout", ocpi.QuirkNoCommandTimeout)
	}
	return notes
}
