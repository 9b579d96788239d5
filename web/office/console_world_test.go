package office_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// takeUnlessRefused stands for the door, which the back office does not know: it takes what does not ask to be refused.
func takeUnlessRefused(_ context.Context, in jobs.Inbound) (jobs.Receipt, error) {
	if strings.Contains(string(in.Body), "refuse me") {
		return jobs.Receipt{HTTPStatus: 200, StatusCode: ocpi.StatusInvalidParameters, Message: "total_cost: required"}, nil
	}
	return jobs.Receipt{HTTPStatus: 200, StatusCode: ocpi.StatusSuccess}, nil
}

// fillConsole gives a utility's partners what the pages about them show: messages, quarantine, quirks, pulls, alerts, tariffs
// in two versions, and a session whose CDR has not come.
func (w *world) fillConsole(u *utility) {
	w.Helper()
	ctx, db1 := w.Context(), w.ops.DB
	tenant := uuid.NullUUID{UUID: u.ID, Valid: true}
	cpo := uuid.NullUUID{UUID: w.cpo.ID, Valid: true}
	party := u.PartyID
	session := "sessions/DE*LNN/S-" + u.ratedID
	for i := range 60 {
		w.log(db.InsertMessagesParams{
			At: w.now.Add(-time.Duration(i) * time.Hour), PartnerID: cpo, TenantID: tenant, Module: "sessions", Method: "PATCH", Path: "/ocpi/2.2.1/sessions/DE/LNN/S-" + u.ratedID,
			FromParty: "DE*LNN", ToParty: "DE*" + party, StatusCode: 1000, Objects: []string{session}, Request: []byte(`{"kwh":4.2,"last_updated":"2026-11-20T12:00:00Z"}`),
		})
	}
	findings := `[{"severity":"reject","path":"charging_periods[0].dimensions[0].volume","rule":"required","value":""},{"severity":"note","path":"cdr_location.country","rule":"ISO 3166-1 alpha-3","value":"DE","quirk":"country-form"}]`
	u.message = w.log(db.InsertMessagesParams{
		At: w.now.Add(-30 * time.Minute), PartnerID: cpo, TenantID: tenant, Module: "cdrs", Method: "POST", Path: "/ocpi/2.2.1/cdrs", FromParty: "DE*LNN", ToParty: "DE*" + party, StatusCode: 2001,
		StatusMessage: "charging_periods[0].dimensions[0].volume: required", Outcome: "refused", Objects: []string{"cdrs/DE*LNN/" + u.ratedID, session, "tokens/DE*" + party + "/" + card(u, 0)},
		Request: []byte(`{"id":"` + u.ratedID + `","charging_periods":[{"dimensions":[{"type":"ENERGY"}]}]}`), Findings: []byte(findings),
	})
	w.log(db.InsertMessagesParams{
		At: w.now.Add(-40 * time.Minute), Direction: "out", PartnerID: uuid.NullUUID{UUID: w.hub.ID, Valid: true}, TenantID: tenant, Module: "tokens", Method: "PUT", Path: "https://hub.example/ocpi/2.2.1/tokens/DE/" + party + "/04AA",
		FromParty: "DE*" + party, ToParty: "DE*RDS", HTTPStatus: -1, Outcome: "failed", StatusMessage: "connection refused", Objects: []string{"tokens/DE*" + party + "/" + card(u, 1)},
	})
	w.quarantine(w.cpo, u.ratedID+"-A", "charging_periods[0].dimensions[0].volume", "required", "")
	w.quarantine(w.cpo, u.ratedID+"-B", "charging_periods[3].dimensions[0].volume", "required", "")
	evidence := uuid.NullUUID{UUID: u.message, Valid: true}
	_, err := db1.NoteQuirk(ctx, db.NoteQuirkParams{PartnerID: w.cpo.ID, Quirk: string(ocpi.QuirkCountryForm), Now: w.now, Times: 3, Detail: "cdr_location.country: DE", MessageID: evidence})
	w.check(err)
	w.check(db1.EnsurePull(ctx, db.EnsurePullParams{ID: uuid.New(), PartnerID: w.cpo.ID, Module: "cdrs", CountryCode: "DE", PartyID: "LNN", TenantID: tenant, DueAt: w.now.AddDate(1, 0, 0)}))
	w.alert(jobs.AlertMissingCDR, w.cpo, tenant, "sessions/DE*LNN/"+strings.ToUpper("gone-"+party), map[string]any{"session": "DE*LNN/GONE-" + party, "kwh": "17.5", "hours": 60})
	w.alert(jobs.AlertSilent, w.hub, uuid.NullUUID{}, "", map[string]any{"hours": 30, "usual": 8})
	w.check(db1.SaveSession(ctx, db.SaveSessionParams{
		CountryCode: "DE", PartyID: "LNN", SessionID: "GONE-" + party, PartnerID: w.cpo.ID, TenantID: u.ID, Doc: []byte(`{"cdr_token":{"uid":"` + card(u, 0) + `"},"location_id":"LOC1"}`),
		Status: "COMPLETED", StartedAt: w.now.Add(-61 * time.Hour), KWh: decimal.RequireFromString("17.5"), LastUpdated: w.now.Add(-60 * time.Hour), Now: w.now.Add(-60 * time.Hour),
	}))
	if u.PartyID == "SWI" {
		w.publish()
	}
}

// publish gives the CPO a tariff in two versions, and a location that names it.
func (w *world) publish() {
	w.Helper()
	ctx := w.Context()
	for i, price := range []string{"0.39", "0.45"} {
		doc := `{"country_code":"DE","party_id":"LNN","id":"DC-2026","currency":"EUR","elements":[` +
			`{"price_components":[{"type":"ENERGY","price":` + price + `,"vat":19,"step_size":1000}],"restrictions":{"start_time":"06:00","end_time":"22:00","day_of_week":["MONDAY","FRIDAY"],"min_duration":1800}},` +
			`{"price_components":[{"type":"ENERGY","price":0.29,"vat":19,"step_size":1},{"type":"FLAT","price":0.35,"vat":19,"step_size":1}]},` +
			`{"price_components":[{"type":"FLAT","price":9,"step_size":1}],"restrictions":{"min_kwh":5}}],"last_updated":"2026-11-01T00:00:00Z"}`
		at := w.now.AddDate(0, 0, -20+10*i)
		if i > 0 {
			_, err := w.ops.DB.EndTariff(ctx, db.EndTariffParams{CountryCode: "DE", PartyID: "LNN", TariffID: "DC-2026", Now: at})
			w.check(err)
		}
		w.check(w.ops.DB.AddTariffVersion(ctx, db.AddTariffVersionParams{CountryCode: "DE", PartyID: "LNN", TariffID: "DC-2026", PartnerID: w.cpo.ID, Doc: []byte(doc), Currency: "EUR", LastUpdated: at, Now: at}))
	}
	doc := `{"id":"LOC1","evses":[{"uid":"E1","connectors":[{"id":"1","tariff_ids":["dc-2026"]},{"id":"2"}]}]}`
	w.check(w.ops.DB.SaveLocation(ctx, db.SaveLocationParams{CountryCode: "DE", PartyID: "LNN", LocationID: "LOC1", PartnerID: w.cpo.ID, Doc: []byte(doc), Name: "Marktplatz", LastUpdated: w.now, OwnUpdated: w.now, Now: w.now}))
}

// log writes a message; what is not given is that of one that was taken.
func (w *world) log(m db.InsertMessagesParams) uuid.UUID {
	w.Helper()
	m.ID, m.Version = uuid.Must(uuid.NewV7()), "2.2.1"
	m.RequestID, m.CorrelationID = uuid.NewString(), uuid.NewString()
	if m.Direction == "" {
		m.Direction = "in"
	}
	if m.Outcome == "" {
		m.Outcome = "taken"
	}
	switch m.HTTPStatus {
	case 0:
		m.HTTPStatus = 200
	case -1:
		m.HTTPStatus = 0
	}
	if m.Findings == nil {
		m.Findings = []byte("[]")
	}
	if m.Request == nil {
		m.Request = []byte{}
	}
	m.Response = fmt.Appendf(nil, `{"status_code":%d,"status_message":%q,"timestamp":"2026-11-20T13:00:00Z"}`, m.StatusCode, m.StatusMessage)
	m.TookUS = 4200
	if m.Objects = jobs.Findable(m.Objects); m.Objects == nil {
		m.Objects = []string{}
	}
	_, err := w.ops.DB.InsertMessages(w.Context(), []db.InsertMessagesParams{m})
	w.check(err)
	return m.ID
}

// quarantine puts a CDR of a partner into quarantine.
func (w *world) quarantine(partner db.Partner, id, path, rule, body string) uuid.UUID {
	w.Helper()
	if body == "" {
		body = `{"id":"` + id + `"}`
	}
	sum := sha256.Sum256([]byte(body))
	key, err := w.ops.DB.Quarantine(w.Context(), db.QuarantineParams{
		ID: uuid.New(), PartnerID: partner.ID, Module: "cdrs", Method: "POST", Path: "/ocpi/2.2.1/cdrs", SHA256: sum[:], Body: []byte(body), FromParty: "DE*LNN", ToParty: "DE*SWI",
		HTTPStatus: 200, StatusCode: 2001, Message: path + ": " + rule, ErrorPath: path, ErrorRule: rule, Now: w.now, MessageID: uuid.New(),
	})
	w.check(err)
	return key
}

func (w *world) alert(kind jobs.AlertKind, partner db.Partner, tenant uuid.NullUUID, subject string, params map[string]any) {
	w.Helper()
	written, err := json.Marshal(params)
	w.check(err)
	_, err = w.ops.DB.RaiseAlert(w.Context(), db.RaiseAlertParams{ID: uuid.New(), Kind: string(kind), PartnerID: partner.ID, TenantID: tenant, Subject: subject, Params: written, Now: w.now.Add(-20 * time.Hour)})
	w.check(err)
}
