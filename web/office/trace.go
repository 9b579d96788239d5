package office

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// traceLimit is how many messages a trace shows, the first ones.
const traceLimit = 500

// traceStep is something that happened to an object.
type traceStep struct {
	at     time.Time
	kind   string // key of the text that names it
	args   []any
	tone   string
	state  string // tag
	detail string
	href   string // behind the language
	raw    []byte // of a message
}

// traceView is what the trace page shows: what goes by the search text, or all that happened to one object.
type traceView struct {
	needle string
	found  []db.TraceFindRow
	of     string // sessions/DE*CPO/S1, as in the log of messages
	steps  []traceStep
	cdrs   []db.TraceCDRsRow
	more   bool // there are more messages than are shown
}

func (o *office) trace(v *visit) error {
	t := traceView{needle: strings.TrimSpace(v.QueryParam("q")), of: strings.TrimSpace(v.QueryParam("of"))}
	if len(t.needle) > 200 || len(t.of) > 300 {
		return db.ErrNotFound
	}
	err := v.read(func(q *db.Queries) (err error) {
		if t.of == "" && t.needle != "" {
			if t.found, err = q.TraceFind(v.Request().Context(), db.TraceFindParams{Needle: t.needle, TenantID: v.tenant}); err != nil {
				return err
			}
		}
		if t.of != "" {
			err = t.load(v, q)
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, tracePage(v, t))
}

// load gathers the steps of an object.
func (t *traceView) load(v *visit, q *db.Queries) error {
	kind, rest, ok := strings.Cut(t.of, "/")
	owner, id, okID := strings.Cut(rest, "/")
	party, err := ocpi.ParseParty(owner)
	if !ok || !okID || err != nil || !traceable(t.of) {
		return db.ErrNotFound
	}
	objects := []string{t.of}
	if kind == "cdrs" || kind == "sessions" {
		related, err := t.loadCharging(v, q, party, kind, id)
		if err != nil {
			return err
		}
		objects = append(objects, related...)
	}
	slices.Sort(objects)
	messages, err := q.MessagesOfObjects(v.Request().Context(), db.MessagesOfObjectsParams{Objects: slices.Compact(objects), TenantID: v.tenant, MaxRows: traceLimit + 1})
	if err != nil {
		return fmt.Errorf("messages of %s: %w", t.of, err)
	}
	t.more = len(messages) > traceLimit
	for _, m := range messages[:min(len(messages), traceLimit)] {
		t.steps = append(t.steps, v.messageStep(m))
	}
	slices.SortStableFunc(t.steps, func(a, b traceStep) int { return a.at.Compare(b.at) })
	return nil
}

func (v *visit) messageStep(m db.MessagesOfObjectsRow) traceStep {
	s := traceStep{
		at: m.Message.At, kind: "trace.message." + m.Message.Direction, args: []any{m.Message.Method, moduleName(m.Message.Module), orNone(m.Partner)},
		tone: outcomeTone(m.Message.Outcome), state: v.Lang.T("message.outcome." + m.Message.Outcome), detail: m.Message.StatusMessage, raw: m.Message.Request,
	}
	if m.Message.Direction == "out" && len(s.raw) == 0 {
		s.raw = m.Message.Response
	}
	if v.operator() {
		s.href = "/messages/" + m.Message.ID.String()
	}
	return s
}

// loadCharging adds what became of a session or CDR here, and returns what else belongs to it.
func (t *traceView) loadCharging(v *visit, q *db.Queries, party ocpi.Party, kind, id string) (related []string, err error) {
	ctx := v.Request().Context()
	params := db.TraceCDRsParams{CountryCode: string(party.CountryCode), PartyID: string(party.PartyID), TenantID: v.tenant}
	session := ""
	if kind == "cdrs" {
		params.OCPIID = id
	} else {
		params.SessionID, session = id, id
	}
	if t.cdrs, err = q.TraceCDRs(ctx, params); err != nil {
		return nil, fmt.Errorf("CDRs of %s: %w", t.of, err)
	}
	for _, c := range t.cdrs {
		s := c.CDRState
		related = append(related, "cdrs/"+party.String()+"/"+s.OCPIID)
		session = cmp.Or(session, strings.ToUpper(s.SessionID))
		if err := t.loadCDR(v, q, c); err != nil {
			return nil, err
		}
	}
	if session == "" {
		return related, nil
	}
	related = append(related, "sessions/"+party.String()+"/"+session)
	return related, t.loadSession(v, q, party, session)
}

func (t *traceView) loadCDR(v *visit, q *db.Queries, row db.TraceCDRsRow) error {
	ctx := v.Request().Context()
	c, page := row.CDRState, "/cdrs/"+row.CDRState.CDRID.String()
	t.add(traceStep{at: c.StartedAt, kind: "trace.begun", args: []any{orNone(c.Place), orNone(c.EVSEID)}})
	t.add(traceStep{at: c.EndedAt, kind: "trace.ended", args: []any{v.Lang.KWh(c.KWh) + "\u00a0kWh"}})
	t.add(traceStep{at: c.ReceivedAt, kind: "trace.stored", args: []any{c.OCPIID}, href: page, tone: cdrTone(c.State), state: v.Lang.T("cdr.state." + c.State)})
	ratings, err := q.TraceRatings(ctx, c.CDRID)
	if err != nil {
		return fmt.Errorf("ratings of CDR %s: %w", c.CDRID, err)
	}
	for _, r := range ratings {
		t.add(traceStep{at: r.RatedAt, kind: "trace.rated", args: []any{r.Seq}, href: page, detail: v.Lang.T("trace.amounts", v.Lang.Price(r.ClaimedNet, r.Currency), v.Lang.Price(r.ComputedNet, r.Currency), v.Lang.Money(r.RetailNet, r.Currency))})
	}
	events, err := q.EventsOf(ctx, db.EventsOfParams{Subject: "cdr", SubjectID: c.CDRID})
	if err != nil {
		return fmt.Errorf("events of CDR %s: %w", c.CDRID, err)
	}
	for _, e := range v.entries(events) {
		t.add(traceStep{at: e.At, kind: "trace.event", args: []any{v.eventName(e.Event)}, detail: e.detail, href: page})
	}
	if c.TokenID.Valid {
		if err := t.loadAuthorizations(v, q, c); err != nil {
			return err
		}
	}
	return t.loadInvoices(v, q, c.CDRID)
}

// loadAuthorizations adds the questions about the card just before and during the session.
func (t *traceView) loadAuthorizations(v *visit, q *db.Queries, c db.CDRState) error {
	rows, err := q.TraceAuthorizations(v.Request().Context(), db.TraceAuthorizationsParams{
		TokenID: c.TokenID.UUID, PartnerID: c.PartnerID, Since: c.StartedAt.Add(-15 * time.Minute), Until: c.EndedAt, TenantID: v.tenant,
	})
	if err != nil {
		return fmt.Errorf("authorizations of CDR %s: %w", c.CDRID, err)
	}
	for _, a := range rows {
		tone := "ok"
		if a.Allowed != string(ocpi.AllowedAllowed) {
			tone = "warn"
		}
		t.add(traceStep{at: a.At, kind: "trace.authorized", args: []any{orNone(a.LocationID)}, tone: tone, state: a.Allowed})
	}
	return nil
}

func (t *traceView) loadInvoices(v *visit, q *db.Queries, cdr uuid.UUID) error {
	ctx := v.Request().Context()
	invoices, err := q.CDRInvoices(ctx, cdr)
	if err != nil {
		return fmt.Errorf("invoices of CDR %s: %w", cdr, err)
	}
	for _, i := range invoices {
		events, err := q.EventsOf(ctx, db.EventsOfParams{Subject: "invoice", SubjectID: i.ID})
		if err != nil {
			return fmt.Errorf("events of invoice %s: %w", i.ID, err)
		}
		for _, e := range v.entries(events) {
			t.add(traceStep{at: e.At, kind: "trace.invoice", args: []any{v.invoiceName(i.Number, i.Month), v.eventName(e.Event)}, detail: e.detail, href: "/invoices/" + i.ID.String()})
		}
	}
	return nil
}

func (t *traceView) loadSession(v *visit, q *db.Queries, party ocpi.Party, id string) error {
	ctx := v.Request().Context()
	session, err := q.TraceSession(ctx, db.TraceSessionParams{CountryCode: string(party.CountryCode), PartyID: string(party.PartyID), SessionID: id, TenantID: v.tenant})
	switch {
	case err == nil:
		t.add(traceStep{at: session.UpdatedAt, kind: "trace.session", args: []any{v.kwh(session.KWh)}, tone: "info", state: session.Status, raw: session.Doc})
	case !errors.Is(err, db.ErrNotFound):
		return fmt.Errorf("session %s: %w", id, err)
	}
	commands, err := q.TraceCommands(ctx, db.TraceCommandsParams{CountryCode: string(party.CountryCode), PartyID: string(party.PartyID), SessionID: id, TenantID: v.tenant})
	if err != nil {
		return fmt.Errorf("commands of session %s: %w", id, err)
	}
	for _, c := range commands {
		t.add(traceStep{at: c.CreatedAt, kind: "trace.command", args: []any{c.Kind}, tone: "info", state: c.State, detail: strings.TrimSpace(c.Response + " " + c.Result + " " + c.Message)})
	}
	return nil
}

func (t *traceView) add(s traceStep) { t.steps = append(t.steps, s) }

// kwh is an energy with its unit.
func (v *visit) kwh(d decimal.Decimal) string { return v.Lang.KWh(d) + "\u00a0kWh" }

// instant is a moment of a trace: the day and the time to the millisecond.
func (v *visit) instant(t time.Time) string { return v.Lang.Date(t.In(ui.Berlin)) + " " + clock(t) }
