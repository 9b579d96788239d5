package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// session is the row of the session of sessionPath.
func (w *world) session() db.Session {
	w.t.Helper()
	row, err := w.db.Session(w.ctx, db.SessionParams{CountryCode: "DE", PartyID: "CPO", SessionID: "S1"})
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

// A session goes from its reservation to its end; what comes after that is taken and does not open it again.
func TestSessionCourse(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	for _, step := range []struct {
		name    string
		changes []any
		status  string // that counts
		start   string
	}{
		{"SES-11 reserved, no EVSE yet", []any{"status", "RESERVED", "evse_uid", "#NA", "connector_id", "#NA", "auth_method", "COMMAND", "last_updated", "2026-10-20T10:00:00Z"}, "RESERVATION", "2026-10-20T10:00:00Z"},
		{"SES-07 plugged in", []any{"status", "PENDING", "auth_method", "COMMAND", "last_updated", "2026-10-20T10:05:00Z"}, "PENDING", "2026-10-20T10:00:00Z"},
		{"SES-07 the start moves", []any{"status", "ACTIVE", "auth_method", "COMMAND", "start_date_time", "2026-10-20T10:06:00Z", "last_updated", "2026-10-20T10:06:00Z"}, "ACTIVE", "2026-10-20T10:06:00Z"},
		{"SES-13 authorised another way", []any{"status", "ACTIVE", "auth_method", "WHITELIST", "start_date_time", "2026-10-20T10:06:00Z", "last_updated", "2026-10-20T10:07:00Z"}, "ACTIVE", "2026-10-20T10:06:00Z"},
		{"TYP-12 a state that nobody knows", []any{"status", "COOLING", "start_date_time", "2026-10-20T10:06:00Z", "last_updated", "2026-10-20T10:08:00Z"}, "ACTIVE", "2026-10-20T10:06:00Z"},
		{"SES-08 at its end", []any{"status", "COMPLETED", "kwh", 20, "start_date_time", "2026-10-20T10:06:00Z", "last_updated", "2026-10-20T11:00:00Z"}, "COMPLETED", "2026-10-20T10:06:00Z"},
		{"SES-08 the same again", []any{"status", "COMPLETED", "kwh", 20, "start_date_time", "2026-10-20T10:06:00Z", "last_updated", "2026-10-20T11:00:00Z"}, "COMPLETED", "2026-10-20T10:06:00Z"},
		{"SES-08 active after its end", []any{"status", "ACTIVE", "kwh", 21, "start_date_time", "2026-10-20T10:06:00Z", "last_updated", "2026-10-20T11:01:00Z"}, "COMPLETED", "2026-10-20T10:06:00Z"},
		{"SES-08 not to be billed after all", []any{"status", "INVALID", "kwh", 21, "start_date_time", "2026-10-20T10:06:00Z", "last_updated", "2026-10-20T11:02:00Z"}, "INVALID", "2026-10-20T10:06:00Z"},
		{"SES-23 another currency, less energy", []any{"status", "INVALID", "kwh", 1, "currency", "CHF", "start_date_time", "2026-10-20T10:06:00Z", "last_updated", "2026-10-20T11:03:00Z"}, "INVALID", "2026-10-20T10:06:00Z"},
	} {
		body := change(t, sessionJSON, step.changes...)
		check(t, step.name+": answer", cpo.do(http.MethodPut, sessionPath, body).code, 1000)
		row := w.session()
		check(t, step.name+": status", row.Status, step.status)
		check(t, step.name+": start", ocpi.FormatDateTime(row.StartedAt), step.start)
		sent := cpo.do(http.MethodGet, sessionPath, nil).want(200, 1000).object()
		for i := 0; i < len(step.changes); i += 2 {
			if n, ok := step.changes[i+1].(int); ok {
				step.changes[i+1] = float64(n)
			}
			check(t, step.name+": "+step.changes[i].(string), sent[step.changes[i].(string)], step.changes[i+1])
		}
	}
	cpo.do(http.MethodPatch, sessionPath, `{"status":"ACTIVE","last_updated":"2026-10-20T12:00:00Z"}`).want(200, 1000)
	check(t, "SES-08 a patch does not open it either", w.session().Status, "INVALID")
}

func TestSessionIsTaken(t *testing.T) { // SES-10, SES-14 to SES-16, LOC-24, TEN-03
	w := newWorld(t)
	swx := w.addTenant("DE*SWX")
	w.block(w.issueCard(swx, "04BLOCKED"))
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	for name, body := range map[string]string{
		"a Location never published":   change(t, sessionJSON, "location_id", "HOME"),
		"a card that is blocked":       change(t, sessionJSON, "cdr_token.uid", "04BLOCKED"),
		"a card that we do not know":   change(t, sessionJSON, "cdr_token.uid", "FFFF"),
		"for free":                     change(t, sessionJSON, "total_cost", map[string]any{"excl_vat": 0}),
		"a state of charge":            change(t, sessionJSON, "charging_periods", []any{map[string]any{"start_date_time": "2026-10-20T10:00:00Z", "dimensions": []any{map[string]any{"type": "STATE_OF_CHARGE", "volume": 80}}}}),
		"a reference that is not ours": change(t, sessionJSON, "authorization_reference", "unheard-of"),
	} {
		id := strings.ReplaceAll(name, " ", "-")
		path := strings.Replace(sessionPath, "S1", id, 1)
		cpo.do(http.MethodPut, path, change(t, body, "id", id)).want(201, 1000)
		got := cpo.do(http.MethodGet, path, nil).want(200, 1000).object()
		cost, stated := got["total_cost"]
		check(t, name+": cost", stated, name == "for free")
		if stated {
			check(t, name+": cost", cost.(map[string]any)["excl_vat"], 0.0)
		}
	}
}
