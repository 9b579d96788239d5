package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

func (r reply) routing() string {
	h := r.header
	return h.Get("OCPI-from-country-code") + h.Get("OCPI-from-party-id") + ">" + h.Get("OCPI-to-country-code") + h.Get("OCPI-to-party-id")
}

func TestRouting(t *testing.T) { // RTG-02, RTG-04, RTG-06, RTG-07, RTG-09, RTG-11, RTG-14, RTG-20
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	hub := w.registered(ocpi.RoleHub, "DE*HUB")
	behind := strings.Replace(locationPath, "CPO", "BHD", 1)
	theirs := change(t, locationJSON, "party_id", "BHD")

	for _, test := range []struct {
		name         string
		from         *partner
		path, body   string
		status, code int
		routing      string // of the answer
	}{
		{"RTG-04 one utility, no headers", cpo, locationPath, locationJSON, 201, 1000, ">"},
		{"RTG-01 both parties", cpo.to("DE*SWX", "DE*CPO"), locationPath, locationJSON, 200, 1000, "DESWX>DECPO"},
		{"RTG-02 small letters", cpo.to("de*swx", "de*cpo"), locationPath, locationJSON, 200, 1000, "deswx>decpo"},
		{"RTG-02 a refusal is addressed, too", cpo.to("DE*SWX", "DE*CPO"), locationPath, `{}`, 200, 2001, "DESWX>DECPO"},
		{"RTG-02 so is what is not JSON", cpo.to("DE*SWX", "DE*CPO"), locationPath, `{`, 400, 2001, "DESWX>DECPO"},
		{"RTG-06 a party that is not here", cpo.to("DE*XYZ", "DE*CPO"), locationPath, locationJSON, 200, 2001, "DEXYZ>DECPO"},
		{"RTG-07 a sender that is not one of its parties", cpo.to("DE*SWX", "NL*XXX"), locationPath, locationJSON, 200, 1000, "DESWX>NLXXX"},
		{"RTG-07 nobody becomes another by saying so", other.to("DE*SWX", "DE*CPO"), locationPath, locationJSON, 404, 2001, "DESWX>DECPO"},
		{"RTG-09 a broadcast of the hub", hub.to("DE*SWX", "DE*HUB"), behind, theirs, 201, 1000, "DESWX>DEHUB"},
		{"RTG-11 what the hub was to route openly", hub.to("DE*SWX", "DE*BHD"), behind, theirs, 200, 1000, "DESWX>DEBHD"},
		{"RTG-20 from behind another hub", hub.to("DE*SWX", "FR*FAR"), strings.Replace(locationPath, "DE/CPO", "FR/FAR", 1),
			change(t, locationJSON, "country_code", "FR", "party_id", "FAR"), 201, 1000, "DESWX>FRFAR"},
	} {
		a := test.from.do(http.MethodPut, test.path, test.body)
		if a.status != test.status || a.code != test.code || a.routing() != test.routing {
			t.Errorf("%s: %d/%d %s, want %d/%d %s", test.name, a.status, a.code, a.routing(), test.status, test.code, test.routing)
		}
	}
	var sent struct {
		LastUpdated string `json:"last_updated"`
	}
	if err := json.Unmarshal([]byte(theirs), &sent); err != nil {
		t.Fatal(err)
	}
	check(t, "RTG-14 its date", hub.do(http.MethodGet, behind, nil).want(200, 1000).object()["last_updated"], sent.LastUpdated)
}

// Each utility is a party of its own. What tells where charging is possible is there for all of them, what somebody did only for
// one (TEN-01, TEN-04, RTG-19).
func TestUtilitiesOfAConnection(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	w.addTenant("DE*SWY")
	for _, again := range []string{"DE*SWX", "DE*swx"} {
		if _, err := w.ops.AddTenant(w.ctx, jobs.NewTenant{Party: party(t, again), Name: "Noch einmal " + again}); err == nil {
			t.Errorf("%s is there twice", again)
		}
	}
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	x, y := cpo.to("DE*SWX", "DE*CPO"), cpo.to("DE*SWY", "DE*CPO")
	var parties []string
	for _, role := range x.do(http.MethodGet, credentialsPath, nil).want(200, 1000).object()["roles"].([]any) {
		role := role.(map[string]any)
		parties = append(parties, role["role"].(string)+" "+role["country_code"].(string)+role["party_id"].(string))
	}
	slices.Sort(parties)
	check(t, "roles", strings.Join(parties, ","), "EMSP DESWX,EMSP DESWY")

	x.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	y.do(http.MethodGet, locationPath, nil).want(200, 1000)
	y.do(http.MethodPut, tariffPath, tariffJSON).want(201, 1000)
	x.do(http.MethodGet, tariffPath, nil).want(200, 1000)
	x.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	y.do(http.MethodGet, sessionPath, nil).want(404, 2001)
	cdr := x.do(http.MethodPost, cdrsPath, cdrJSON).want(201, 1000).header.Get("Location")
	y.do(http.MethodGet, cdr, nil).want(404, 2001)
}

// A module is advertised only with what it depends on (VER-13), and asking changes nothing, however often (VER-02, HUB-09).
func TestAdvertisedModules(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	hub := w.registered(ocpi.RoleHub, "DE*HUB")
	var offered []string
	for _, e := range hub.do(http.MethodGet, detailsPath, nil).want(200, 1000).object()["endpoints"].([]any) {
		e := e.(map[string]any)
		offered = append(offered, e["identifier"].(string)+" "+e["role"].(string))
		address := e["url"].(string)
		check(t, "length of "+address, len(address) <= 255 && !strings.HasSuffix(address, "/"), true) // TYP-13, TRN-28
	}
	for module, needs := range map[string][]string{
		"locations RECEIVER": {"tariffs RECEIVER"}, "commands SENDER": {"locations RECEIVER", "sessions RECEIVER"}, "chargingprofiles SENDER": {"sessions RECEIVER"},
	} {
		for _, need := range needs {
			if slices.Contains(offered, module) && !slices.Contains(offered, need) {
				t.Errorf("%s without %s", module, need)
			}
		}
	}
	rows := func() int {
		return w.count("SELECT sum(hashtext(x)) FROM (SELECT p::text AS x FROM partners p UNION ALL SELECT k::text FROM partner_tokens k UNION ALL SELECT e::text FROM events e) AS rows")
	}
	if err := w.log.Flush(w.ctx); err != nil { // what the handshake showed of the partner is noted later
		t.Fatal(err)
	}
	before := rows()
	for range 20 {
		hub.do(http.MethodGet, versionsPath, nil).want(200, 1000)
	}
	check(t, "rows after 20 probes", rows(), before)
}

// A Location that comes again with nothing but a new date is as new, and nothing else happens (LOC-26); one EVSE at two Locations
// is two EVSEs; without an operator, the owner's name of the credentials stands for it (LOC-16).
func TestLocationsAsPartnersSendThem(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, hub := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleHub, "DE*HUB")
	cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	first := cpo.do(http.MethodGet, locationPath, nil).object()
	cpo.do(http.MethodPut, locationPath, change(t, locationJSON, "last_updated", "2026-10-19T00:00:00Z")).want(200, 1000)
	second := cpo.do(http.MethodGet, locationPath, nil).object()
	check(t, "date", second["last_updated"], "2026-10-19T00:00:00Z")
	second["last_updated"] = first["last_updated"]
	a, _ := json.Marshal(first)
	b, _ := json.Marshal(second)
	check(t, "everything else", string(b), string(a))
	check(t, "events", w.count("SELECT count(*) FROM events WHERE subject = 'location'"), 0)

	twin := strings.Replace(locationPath, "LOC1", "LOC2", 1)
	cpo.do(http.MethodPut, twin, change(t, locationJSON, "id", "LOC2")).want(201, 1000)
	cpo.do(http.MethodPatch, twin+"/EVSE1", `{"status":"CHARGING","last_updated":"2026-10-19T01:00:00Z"}`).want(200, 1000)
	check(t, "the twin's status", cpo.do(http.MethodGet, twin+"/EVSE1", nil).object()["status"], "CHARGING")
	check(t, "its own status", cpo.do(http.MethodGet, evsePath, nil).object()["status"], "AVAILABLE")

	cpo.do(http.MethodPost, cdrsPath, cdrJSON).want(201, 1000)
	check(t, "operator", w.cdrState("CDR1").Operator, "Betreiber DE*CPO")
	hub.do(http.MethodPost, cdrsPath, change(t, cdrJSON, "party_id", "BHD")).want(201, 1000)
	check(t, "operator behind the hub", w.count("SELECT count(*) FROM cdr_states WHERE party_id = 'BHD' AND operator = 'DE*BHD'"), 1)
}

// A tariff may be named before it comes and go while it is named (LOC-17, TAR-04).
func TestTariffsThatConnectorsName(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	cpo.do(http.MethodPut, locationPath, locationJSON).want(201, 1000)
	cpo.do(http.MethodPut, connectorPath, change(t, connectorJSON, "tariff_ids", []any{"T1", "NEVER"}, "last_updated", "2026-10-19T00:00:00Z")).want(200, 1000)
	named := func() any {
		return fmt.Sprint(cpo.do(http.MethodGet, connectorPath, nil).want(200, 1000).object()["tariff_ids"])
	}
	check(t, "before it comes", named(), any("[T1 NEVER]"))
	cpo.do(http.MethodPut, tariffPath, tariffJSON).want(201, 1000)
	cpo.do(http.MethodDelete, tariffPath, nil).want(200, 1000)
	cpo.do(http.MethodGet, tariffPath, nil).want(404, 2001)
	check(t, "after it went", named(), any("[T1 NEVER]"))
}
