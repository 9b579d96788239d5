package server_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// quirkTest is a message with one quirk.
type quirkTest struct {
	method, path string
	body         any
	header       func(p *partner) *partner // nil: whole headers
	hub          bool                      // a hub sends it
	before       func(p *partner)          // nil: nothing
	taken        int                       // HTTP status
	refused      int                       // 0: 200
}

// quirkTests has one for each quirk of what partners send. The other quirks are those of answers (TestAnswersAreLogged in
// package jobs).
func quirkTests(t *testing.T) map[ocpi.Quirk]quirkTest {
	authorization := func(form func(token string) string) func(p *partner) *partner {
		return func(p *partner) *partner {
			q := p.with("Authorization", "Token "+form(p.token))
			q.token = ""
			return q
		}
	}
	without := func(names ...string) func(p *partner) *partner {
		return func(p *partner) *partner {
			q := p.with()
			for _, name := range names {
				q.header.Del(name)
			}
			return q
		}
	}
	put := func(path, object string, changes ...any) quirkTest {
		return quirkTest{method: http.MethodPut, path: path, body: change(t, object, changes...), taken: 201}
	}
	post := func(changes ...any) quirkTest {
		return quirkTest{method: http.MethodPost, path: cdrsPath, body: change(t, cdrJSON, changes...), taken: 201}
	}
	plain := put(tariffPath, tariffJSON)
	sent := func(path string, header func(p *partner) *partner) quirkTest {
		test := plain
		if path != "" {
			test.path = path
		}
		test.header = header
		return test
	}
	elements := func(restrictions any) []any {
		return []any{map[string]any{"price_components": []any{map[string]any{"type": "ENERGY", "price": 1, "step_size": 1}}, "restrictions": restrictions}}
	}
	connector := func(name string, value any) string {
		return strings.Replace(locationJSON, `"max_amperage":32`, fmt.Sprintf(`"max_amperage":32,"%s":%v`, name, value), 1)
	}
	published := func(p *partner) { p.do(http.MethodPut, locationPath, locationJSON).want(201, 1000) }
	return map[ocpi.Quirk]quirkTest{
		ocpi.QuirkRawToken: {http.MethodPut, tariffPath, tariffJSON, authorization(func(s string) string { return s }), false, nil, 201, 401},
		ocpi.QuirkUnpaddedToken: {http.MethodPut, tariffPath, tariffJSON, authorization(func(s string) string {
			return strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(s)), "=")
		}), false, nil, 201, 401},
		ocpi.QuirkTokenNewline:       {http.MethodPut, tariffPath, tariffJSON, authorization(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s + "\n")) }), false, nil, 201, 401},
		ocpi.QuirkNoMessageIDs:       sent("", without("X-Request-ID", "X-Correlation-ID")),
		ocpi.QuirkNoRouting:          sent("", without("OCPI-to-party-id", "OCPI-from-party-id")),
		ocpi.QuirkForeignSender:      sent("", func(p *partner) *partner { return p.to("DE*SWX", "NL*XXX") }),
		ocpi.QuirkContentType:        sent("", func(p *partner) *partner { return p.with("Content-Type", "text/plain") }),
		ocpi.QuirkUntidyPath:         sent("/ocpi/2.2.1//tariffs/DE/CPO/T1/", nil),
		ocpi.QuirkReceiverPath:       sent("/ocpi/receiver/tariffs/DE/CPO/T1", nil),
		ocpi.QuirkCDRPath:            {http.MethodPut, cdrsPath + "/CDR1", cdrJSON, nil, false, nil, 201, 0},
		ocpi.QuirkTokenTypeName:      {http.MethodPost, tokensPath + "/04AABBCC/authorize?token_type=RFID", nil, nil, false, nil, 200, 0},
		ocpi.QuirkTextForNumber:      put(sessionPath, sessionJSON, "kwh", "1.5"),
		ocpi.QuirkTextForBoolean:     put(locationPath, locationJSON, "publish", "true"),
		ocpi.QuirkNumberForText:      put(locationPath, locationJSON, "postal_code", 46509),
		ocpi.QuirkBlankList:          put(locationPath, locationJSON, "directions", ""),
		ocpi.QuirkListedRestrictions: put(tariffPath, tariffJSON, "elements", elements([]any{})),
		ocpi.QuirkTimesWithoutZone:   put(tariffPath, tariffJSON, "last_updated", "2026-10-01T10:00:00"),
		ocpi.QuirkTimesWithOffset:    put(tariffPath, tariffJSON, "last_updated", "2026-10-01T10:00:00.000000+00:00"),
		ocpi.QuirkClockSeconds:       put(tariffPath, tariffJSON, "elements", elements(map[string]any{"start_time": "08:00:00", "end_time": "19:59:59"})),
		ocpi.QuirkUnknownTime:        post("start_date_time", "1970-1-1T00:00:00Z"),
		ocpi.QuirkUnknownValue:       put(sessionPath, sessionJSON, "status", "DREAMING"),
		ocpi.QuirkLongText:           put(locationPath, locationJSON, "city", strings.Repeat("x", 60)),
		ocpi.QuirkOddCharacters:      put(locationPath, locationJSON, "name", "a\tb"),
		ocpi.QuirkPartyForm:          {http.MethodPut, "/ocpi/2.2.1/locations/NL/BHDX/LOC1", change(t, locationJSON, "country_code", "NL", "party_id", "BHDX"), nil, true, nil, 201, 0},
		ocpi.QuirkCountryForm:        put(locationPath, locationJSON, "country", "DE"),
		ocpi.QuirkCurrencyForm:       put(tariffPath, tariffJSON, "currency", "eur"),
		ocpi.QuirkCoordinates:        put(locationPath, locationJSON, "coordinates.latitude", "51.66"),
		ocpi.QuirkZoneName:           put(locationPath, locationJSON, "time_zone", "CET"),
		ocpi.QuirkURLForm:            put(tariffPath, tariffJSON, "tariff_alt_url", "www.example.org"),
		ocpi.QuirkRepeatedID:         {http.MethodPut, locationPath, strings.Replace(locationJSON, `"evses":[`, `"evses":[`+evseJSON+`,`, 1), nil, false, nil, 201, 0},
		ocpi.QuirkEnergyInWh: put(sessionPath, sessionJSON, "charging_periods", []any{
			map[string]any{"start_date_time": "2026-10-20T10:00:00Z", "dimensions": []any{map[string]any{"type": "ENERGY", "volume": 1500}}},
		}),
		ocpi.QuirkPowerInKW:         {http.MethodPut, locationPath, connector("max_electric_power", 22), nil, false, nil, 201, 0},
		ocpi.QuirkTokenWithoutOwner: post("cdr_token.country_code", nil, "cdr_token.party_id", nil),
		ocpi.QuirkEVSEWithoutUID:    {http.MethodPut, locationPath, strings.Replace(locationJSON, `"uid":"EVSE1",`, "", 1), nil, false, nil, 201, 0},
		ocpi.QuirkPlaceMissing: {http.MethodPost, cdrsPath, change(t, cdrJSON, "cdr_location.address", nil, "cdr_location.coordinates", nil, "cdr_location.evse_uid", nil, "cdr_location.evse_id", "EVSE1"),
			nil, false, published, 201, 0},
		ocpi.QuirkUndatedClientInfo: {http.MethodPut, "/ocpi/2.2.1/hubclientinfo/NL/BHD", `{"country_code":"NL","party_id":"BHD","role":"CPO","status":"CONNECTED"}`, nil, true, nil, 201, 0},
		ocpi.QuirkRestampedCDR: {http.MethodPost, cdrsPath, change(t, cdrJSON, "last_updated", "2026-10-20T15:05:00Z"), nil, false,
			func(p *partner) { p.do(http.MethodPost, cdrsPath, cdrJSON).want(201, 1000) }, 200, 0},
	}
}

// Each tolerance of what partners send is taken and recorded at the first evidence, taken in silence when it is agreed on, and
// refused with its reason when it is not wanted (TRN-04, TRN-05, TRN-12, TRN-19, TRN-26, TYP-03, TYP-05 to TYP-08, TYP-12,
// TYP-17, RTG-04, RTG-07, TOK-16, CDR-07, SES-17, HUB-01).
func TestQuirks(t *testing.T) {
	tests := quirkTests(t)
	for _, q := range ocpi.Quirks {
		test, known := tests[q.Name]
		if known == (q.Kind == ocpi.InAnswer) {
			t.Errorf("%s: test %t", q.Name, known)
		}
		if !known {
			continue
		}
		t.Run(string(q.Name), func(t *testing.T) {
			t.Parallel()
			for _, mode := range []string{"auto", "off", "on"} {
				w := newWorld(t)
				w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
				var p *partner
				if test.hub {
					p = w.registered(ocpi.RoleHub, "DE*HUB").to("DE*SWX", "DE*HUB")
				} else {
					p = w.registered(ocpi.RoleCPO, "DE*CPO").to("DE*SWX", "DE*CPO")
				}
				p = p.with("X-Request-ID", "r1", "X-Correlation-ID", "c1")
				if test.before != nil {
					test.before(p)
				}
				w.forget(p)
				w.setQuirk(p, q.Name, mode)
				if test.header != nil {
					p = test.header(p)
				}
				a := p.do(test.method, test.path, test.body)
				taken := a.status == test.taken && a.code == 1000
				row := w.quirk(p, q.Name)
				switch mode {
				case "auto":
					if !taken || row.Count != 1 || row.Detail == "" || row.FirstSeen == nil {
						t.Errorf("auto: %d/%d %s, %+v", a.status, a.code, a.message, row)
					}
					if m, err := w.db.Message(w.ctx, db.MessageParams{ID: row.MessageID.UUID}); err != nil || m.Message.Outcome != "noted" {
						t.Errorf("auto: the evidence is %+v, %v", m.Message, err)
					}
				case "on":
					if !taken {
						t.Errorf("on: %d/%d %s", a.status, a.code, a.message)
					}
				case "off":
					if code := map[int]int{0: 2001, 401: 2000}[test.refused]; a.code != code || a.status != max(test.refused, 200) || a.message == "" || row.Count != 0 {
						t.Errorf("off: %d/%d %s, %+v", a.status, a.code, a.message, row)
					}
				}
			}
		})
	}
}

// forget drops what the handshake and the preparations of a test were like.
func (w *world) forget(p *partner) {
	w.t.Helper()
	if err := w.log.Flush(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	if err := dbtest.Exec(w.ctx, w.dbURL, "DELETE FROM partner_quirks WHERE partner_id = '"+p.id.String()+"'"); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) setQuirk(p *partner, q ocpi.Quirk, mode string) {
	w.t.Helper()
	if err := w.db.SetQuirk(w.ctx, db.SetQuirkParams{PartnerID: p.id, Quirk: string(q), Mode: mode}); err != nil {
		w.t.Fatal(err)
	}
}

// quirk is what is known of a quirk once everything is written.
func (w *world) quirk(p *partner, q ocpi.Quirk) db.PartnerQuirk {
	w.t.Helper()
	if err := w.log.Flush(w.ctx); err != nil {
		w.t.Fatal(err)
	}
	quirks, err := w.db.QuirksOfPartner(w.ctx, p.id)
	if err != nil {
		w.t.Fatal(err)
	}
	if i := slices.IndexFunc(quirks, func(r db.PartnerQuirk) bool { return r.Quirk == string(q) }); i >= 0 {
		return quirks[i]
	}
	return db.PartnerQuirk{}
}

// An exact partner has no quirks.
func TestExactPartnerHasNoQuirks(t *testing.T) {
	w := newWorld(t)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO").to("DE*SWX", "DE*CPO").with("X-Request-ID", "r", "X-Correlation-ID", "c")
	w.forget(cpo)
	cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	cpo.do(http.MethodPut, tariffPath, tariffJSON).want(201, 1000)
	cpo.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	cpo.do(http.MethodPatch, evsePath, `{"status":"CHARGING","last_updated":"2026-10-20T10:00:00Z"}`).want(200, 1000)
	cpo.do(http.MethodPost, tokensPath+"/04AABBCC/authorize", nil).want(200, 1000)
	cpo.do(http.MethodPost, cdrsPath, cdrJSON).want(201, 1000)
	if err := w.log.Flush(w.ctx); err != nil {
		t.Fatal(err)
	}
	quirks, err := w.db.QuirksOfPartner(w.ctx, cpo.id)
	if err != nil || len(quirks) != 0 {
		t.Errorf("%+v, %v", quirks, err)
	}
}

// Addresses that partners make up lead where those that we publish do; what they do not name is not found.
func TestMadeUpAddresses(t *testing.T) { // TRN-26
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	for i, path := range []string{"/ocpi/receiver/locations/DE/CPO/LOC1", "/ocpi/2.2.1/receiver/locations/DE/CPO/LOC1", "/ocpi/2.2.1/locations/DE/CPO/LOC1"} {
		cpo.do(http.MethodPut, path, locationJSON).want([]int{201, 200, 200}[i], 1000)
		cpo.do(http.MethodGet, path, nil).want(200, 1000)
	}
	for i, call := range []struct{ method, path string }{
		{http.MethodPost, cdrsPath + "/CDR1"}, {http.MethodPut, cdrsPath + "/CDR1"}, {http.MethodPost, cdrsPath + "/DE/CPO/CDR1"}, {http.MethodPut, "/ocpi/receiver/cdrs/CDR1"},
	} {
		a := cpo.do(call.method, call.path, cdrJSON).want([]int{201, 200, 200, 200}[i], 1000)
		check(t, "Location", a.header.Get("Location"), w.url+"/ocpi/2.2.1/cdrs/DE/CPO/CDR1")
	}
	cpo.do(http.MethodPut, cdrsPath+"/DE/CPO/CDR1", cdrJSON).want(405, 2000) // CDR-04
	cpo.do(http.MethodPut, cdrsPath, cdrJSON).want(405, 2000)
	cpo.do(http.MethodGet, "/ocpi/receiver", nil).want(404, 2001)
	cpo.do(http.MethodGet, "/ocpi/receiver/receiver/locations/DE/CPO/LOC1", nil).want(404, 2001)
	cpo.do(http.MethodPut, "/ocpi/2.2.1/receiver/nonsense/DE/CPO/LOC1", locationJSON).want(404, 2001)
}

// Partners that fail on modules that they do not know are not told of them (VER-04).
func TestHiddenModules(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	if err := w.db.SetHiddenModules(w.ctx, db.SetHiddenModulesParams{ID: cpo.id, HiddenModules: []string{"hubclientinfo", "credentials"}}); err != nil {
		t.Fatal(err)
	}
	listed := func(p *partner) string {
		var names []string
		for _, e := range p.do(http.MethodGet, "/ocpi/2.2.1", nil).want(200, 1000).object()["endpoints"].([]any) {
			names = append(names, e.(map[string]any)["identifier"].(string))
		}
		return strings.Join(names, " ")
	}
	if got := listed(cpo); strings.Contains(got, "hubclientinfo") || !strings.Contains(got, "credentials") || !strings.Contains(got, "cdrs") {
		t.Errorf("hidden: %s", got) // without credentials nobody could leave
	}
	if got := listed(other); !strings.Contains(got, "hubclientinfo") {
		t.Errorf("another: %s", got)
	}
}

// The faults of a CPO that this package did not write are learned as the quirks that they are, and no others (FLT-02, FLT-03).
func TestFaultsAreLearned(t *testing.T) {
	for name, test := range map[string]struct {
		faults ocpitest.WireFaults
		want   string
	}{
		"exact":              {ocpitest.WireFaults{}, ""},
		"raw token":          {ocpitest.WireFaults{RawToken: true}, "raw-token"},
		"unpadded token":     {ocpitest.WireFaults{UnpaddedToken: true}, "unpadded-token"},
		"line feed in token": {ocpitest.WireFaults{TokenNewline: true}, "token-newline"},
		"no request ids":     {ocpitest.WireFaults{NoRequestIDs: true}, "no-message-ids"},
		"no routing":         {ocpitest.WireFaults{NoRouting: true}, "no-routing"},
		"times without zone": {ocpitest.WireFaults{TimesWithoutZone: true}, "times-without-zone"},
		"times with offset":  {ocpitest.WireFaults{TimesWithOffset: true}, "times-with-offset"},
		"numbers as text":    {ocpitest.WireFaults{NumbersAsText: true}, "text-for-number"},
		"null lists":         {ocpitest.WireFaults{NullLists: true}, ""}, // TYP-10: that is OCPI
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
			cpo := w.startCPO("DE*CPO", test.faults)
			i := w.invite(ocpi.RoleCPO, "DE*CPO")
			if err := cpo.Register(w.ctx, i.VersionsURL, i.Token); err != nil {
				t.Fatal(err)
			}
			if err := cpo.Publish(w.ctx); err != nil {
				t.Fatal(err)
			}
			w.charge(cpo, "04AABBCC")
			if err := w.log.Flush(w.ctx); err != nil {
				t.Fatal(err)
			}
			rows, err := w.db.QuirksOfPartner(w.ctx, i.Partner.ID)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, r := range rows {
				if r.Quirk != test.want {
					names = append(names, r.Quirk+" ("+r.Detail+")")
				}
			}
			if len(names) > 0 || (len(rows) == 0) != (test.want == "") {
				t.Errorf("learned %v beside %q of %d", names, test.want, len(rows))
			}
		})
	}
}

// A CDR that says no more of its place than the id of the Location and of the EVSE is rated like any other.
func TestCDRWithoutPlaceIsRated(t *testing.T) {
	w := newWorld(t)
	w.issueCard(w.addTenant("DE*SWX"), "04AABBCC")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	bare := change(t, cdrJSON, "cdr_location", map[string]any{"id": "LOC1", "evse_id": "EVSE1"})
	cpo.do(http.MethodPost, cdrsPath, bare).want(201, 1000)
	check(t, "the EVSE", w.cdrState("CDR1").EVSEID, "EVSE1")
	w.work()
	w.eventually("the rating", func() bool { return w.cdrState("CDR1").State == "rated" })
	cpo.do(http.MethodPost, cdrsPath, bare).want(200, 1000) // CDR-07
	cpo.do(http.MethodPost, cdrsPath, change(t, cdrJSON, "id", "CDR2", "cdr_location", map[string]any{"id": "ELSEWHERE", "evse_id": "EVSE1"})).want(200, 2001)
}
