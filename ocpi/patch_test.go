package ocpi

import (
	"slices"
	"strings"
	"testing"
)

const patchTime = `"last_updated":"2026-11-01T08:00:00Z"`

// encoded writes v for comparison.
func encoded(t *testing.T, v any) string {
	t.Helper()
	b, err := Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// unchanged requires that a function leaves an object as it is.
func unchanged(t *testing.T, v any, f func()) {
	t.Helper()
	before := encoded(t, v)
	f()
	if after := encoded(t, v); after != before {
		t.Errorf("the receiver is changed:\nbefore %s\nafter  %s", before, after)
	}
}

// TestPatchMerges covers OWN-08 and OWN-09 on a Location: what is absent
// stays, lists and objects are replaced as a whole, null clears, and members
// that nobody knows are treated the same.
func TestPatchMerges(t *testing.T) {
	l := fixture[Location](t, "location/full")
	l.Extra = []byte(`{"help_phone":"+49 911 1","roaming":true}`)
	unchanged(t, l, func() {
		got, err := l.Patch([]byte(`{"name":"Neu","postal_code":null,"facilities":["HOTEL"],"owner":{"name":"Bürgerfonds"},
			"operator":{"name":"LWE"},"opening_times":null,"help_phone":"+49 911 2","roaming":null,"new":[1],`+patchTime+`}`), Unmarshal)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != "Neu" || got.PostalCode != "" || got.OpeningTimes != nil || got.Owner.Name != "Bürgerfonds" {
			t.Errorf("%+v", got)
		}
		if !slices.Equal(got.Facilities, []Facility{FacilityHotel}) || got.Operator.Logo != nil || got.Operator.Website != "" {
			t.Error("a list or an object is merged, not replaced")
		}
		if string(got.Extra) != `{"help_phone":"+49 911 2","new":[1]}` {
			t.Errorf("extra %s", got.Extra)
		}
		if got.City != l.City || len(got.EVSEs) != 1 || encoded(t, got.EVSEs) != encoded(t, l.EVSEs) {
			t.Error("what the patch does not name has changed")
		}
	})
}

// TestPatchRefuses covers OWN-09 to OWN-11, LOC-07, LOC-08, LOC-18, SES-03.
func TestPatchRefuses(t *testing.T) {
	l := fixture[Location](t, "location/full")
	s := fixture[Session](t, "session/full")
	k := fixture[Token](t, "token/full")
	location := func(p string) error { _, err := l.Patch([]byte(p), Unmarshal); return err }
	evse := func(p string) error { _, err := l.PatchEVSE("nue-0042-1", []byte(p), Unmarshal); return err }
	connector := func(p string) error {
		_, err := l.PatchConnector("NUE-0042-1", "1", []byte(p), Unmarshal)
		return err
	}
	session := func(p string) error { _, err := s.Patch([]byte(p), Unmarshal); return err }
	token := func(p string) error { _, err := k.Patch([]byte(p), Unmarshal); return err }
	for _, test := range []struct {
		name  string
		patch func(string) error
		body  string
		path  string
	}{
		{"no time", location, `{"name":"x"}`, "last_updated"},
		{"no time", evse, `{"status":"CHARGING"}`, "last_updated"},
		{"no time", connector, `{"tariff_ids":["1"]}`, "last_updated"},
		{"no time", session, `{"kwh":1}`, "last_updated"},
		{"no time", token, `{"valid":false}`, "last_updated"},
		{"null time", session, `{"last_updated":null}`, "last_updated"},
		{"other id", location, `{"id":"OTHER",` + patchTime + `}`, "id"},
		{"null id", location, `{"id":null,` + patchTime + `}`, "id"},
		{"other owner", location, `{"party_id":"XXX",` + patchTime + `}`, "party_id"},
		{"other uid", evse, `{"uid":"OTHER",` + patchTime + `}`, "uid"},
		{"other connector", connector, `{"id":"2",` + patchTime + `}`, "id"},
		{"other session", session, `{"id":"OTHER",` + patchTime + `}`, "id"},
		{"other type", token, `{"type":"APP_USER",` + patchTime + `}`, "type"},
		{"required is null", location, `{"address":null,` + patchTime + `}`, "address"},
		{"required is null", evse, `{"status":null,` + patchTime + `}`, "status"},
		{"connectors are null", evse, `{"connectors":null,` + patchTime + `}`, "connectors"},
		{"required is null", connector, `{"standard":null,` + patchTime + `}`, "standard"},
		{"required is null", session, `{"kwh":null,` + patchTime + `}`, "kwh"},
		{"required is null", token, `{"valid":null,` + patchTime + `}`, "valid"},
		{"wrong type", session, `{"kwh":"1",` + patchTime + `}`, "kwh"},
		{"bad period", session, `{"charging_periods":[{"start_date_time":"2026-10-14T17:00:00Z"}],` + patchTime + `}`, "charging_periods[2].dimensions"},
		{"child without uid", location, `{"evses":[{"status":"BLOCKED"}],` + patchTime + `}`, "evses[0].uid"},
		{"null child", location, `{"evses":[null],` + patchTime + `}`, "evses[0].uid"},
		{"incomplete new child", location, `{"evses":[{"uid":"NUE-0042-1"},{"uid":"NEW","status":"AVAILABLE"}],` + patchTime + `}`, "evses[1].connectors"},
		{"incomplete grandchild", location, `{"evses":[{"uid":"NUE-0042-1","connectors":[{"id":"9"}]}],` + patchTime + `}`, "evses[0].connectors[0].standard"},
		{"wrong type in a child", location, `{"evses":[{"uid":"NUE-0042-1","status":7}],` + patchTime + `}`, "evses[0].status"},
		{"child without id", evse, `{"connectors":[{"format":"CABLE"}],` + patchTime + `}`, "connectors[0].id"},
	} {
		t.Run(test.name, func(t *testing.T) { requireRefusal(t, test.patch(test.body), test.path) })
	}
	for name, err := range map[string]error{
		"EVSE":                func() error { _, err := l.PatchEVSE("X", []byte(`{}`), Unmarshal); return err }(),
		"EVSE of a connector": func() error { _, err := l.PatchConnector("X", "1", []byte(`{}`), Unmarshal); return err }(),
		"connector":           func() error { _, err := l.PatchConnector("NUE-0042-1", "9", []byte(`{}`), Unmarshal); return err }(),
		"EVSE of a PUT":       func() error { _, err := l.PutConnector("X", &Connector{ID: "1"}); return err }(),
	} {
		if missing, ok := err.(*Error); !ok || missing.HTTPStatus != 404 || missing.StatusCode != StatusUnknownLocation {
			t.Errorf("unknown %s: %v", name, err)
		}
	}
}

// TestPatchRepeatsIdentity: a patch may name what it is for, in any case of
// letters; the stored spelling stays (TYP-01).
func TestPatchRepeatsIdentity(t *testing.T) {
	l := fixture[Location](t, "location/full")
	got, err := l.PatchEVSE("nue-0042-1", []byte(`{"uid":"nue-0042-1","status":"BLOCKED",`+patchTime+`}`), Unmarshal)
	if err != nil || got.EVSEs[0].UID != "NUE-0042-1" || got.EVSEs[0].Status != EVSEBlocked {
		t.Errorf("%v", err)
	}
}

// TestPatchDeep covers LOC-18: listed children are patched, unlisted ones
// stay, complete unknown ones are added.
func TestPatchDeep(t *testing.T) {
	l := fixture[Location](t, "location/full")
	unchanged(t, l, func() {
		got, err := l.Patch([]byte(`{"evses":[
			{"uid":"NUE-0042-2","status":"PLANNED","last_updated":"2026-10-30T00:00:00Z","connectors":[
				{"id":"1","standard":"IEC_62196_T2","format":"CABLE","power_type":"AC_3_PHASE","max_voltage":230,"max_amperage":16,"last_updated":"2026-10-30T00:00:00Z"}]},
			{"uid":"nue-0042-1","floor_level":null,"connectors":[{"id":"2","max_amperage":10}]}],`+patchTime+`}`), Unmarshal)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.EVSEs) != 2 || got.EVSEs[1].UID != "NUE-0042-2" || FormatDateTime(got.LastUpdated) != "2026-11-01T08:00:00Z" {
			t.Fatalf("%s", encoded(t, got))
		}
		old := got.EVSE("NUE-0042-1")
		if old.FloorLevel != "" || old.PhysicalReference != "A 17" || len(old.Connectors) != 2 {
			t.Errorf("%s", encoded(t, old))
		}
		if *old.Connectors[1].MaxAmperage != 10 || *old.Connectors[0].MaxAmperage != 32 || old.Connectors[1].Standard != ConnectorDomesticF {
			t.Errorf("%s", encoded(t, old.Connectors))
		}
		if !old.LastUpdated.Equal(got.LastUpdated) || !old.Connectors[1].LastUpdated.Equal(got.LastUpdated) ||
			old.Connectors[0].LastUpdated.Equal(got.LastUpdated) {
			t.Error("only what was changed takes the time of the patch")
		}
	})
	for _, body := range []string{`{"evses":[],` + patchTime + `}`, `{"evses":null,` + patchTime + `}`} {
		if got, err := l.Patch([]byte(body), Unmarshal); err != nil || len(got.EVSEs) != 1 {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestPatchDatesParents covers LOC-04: a child's time goes up, never back.
func TestPatchDatesParents(t *testing.T) {
	l := fixture[Location](t, "location/full")
	for body, want := range map[string]string{
		`{"tariff_ids":["A"],"last_updated":"2026-11-01T08:00:00Z"}`: "2026-11-01T08:00:00Z",
		`{"tariff_ids":["A"],"last_updated":"2026-08-01T08:00:00Z"}`: "2026-09-01T07:30:00Z",
	} {
		unchanged(t, l, func() {
			got, err := l.PatchConnector("NUE-0042-1", "1", []byte(body), Unmarshal)
			if err != nil || FormatDateTime(got.LastUpdated) != want || FormatDateTime(got.EVSEs[0].LastUpdated) != want {
				t.Errorf("%s: %v, %v", body, got.LastUpdated, err)
			}
		})
	}
}

// TestPutChildren covers LOC-02, LOC-03 and LOC-12.
func TestPutChildren(t *testing.T) {
	l := fixture[Location](t, "location/full")
	evse := fixture[EVSE](t, "evse/minimal")
	connector := fixture[Connector](t, "connector/minimal")
	unchanged(t, l, func() {
		if got := l.PutEVSE(evse); len(got.EVSEs) != 1 || len(got.EVSEs[0].Connectors) != 1 {
			t.Error("an EVSE is not replaced")
		}
		evse.UID = "NUE-0042-9"
		if got := l.PutEVSE(evse); len(got.EVSEs) != 2 {
			t.Error("an EVSE is not added")
		}
		if got, err := l.PutConnector("NUE-0042-1", connector); err != nil || got.EVSEs[0].Connectors[0].TariffIDs != nil || len(got.EVSEs[0].Connectors) != 2 {
			t.Error("a connector is not replaced")
		}
		connector.ID = "9"
		if got, err := l.PutConnector("NUE-0042-1", connector); err != nil || len(got.EVSEs[0].Connectors) != 3 {
			t.Error("a connector is not added")
		}
	})
}

// TestReplaceKeepsRemoved covers LOC-06 and LOC-10.
func TestReplaceKeepsRemoved(t *testing.T) {
	l := fixture[Location](t, "location/full")
	next := fixture[Location](t, "location/minimal")
	next.LastUpdated = next.LastUpdated.AddDate(0, 1, 0)
	unchanged(t, l, func() {
		got := l.Replace(next)
		if len(got.EVSEs) != 1 || got.EVSEs[0].Status != EVSERemoved || !got.EVSEs[0].LastUpdated.Equal(next.LastUpdated) || got.Name != "" {
			t.Errorf("%s", encoded(t, got))
		}
		again := got.Replace(next)
		if encoded(t, again) != encoded(t, got) {
			t.Error("replacing twice is not replacing once")
		}
		again = Ptr(*l)
		again.LastUpdated = next.LastUpdated.AddDate(0, 1, 0)
		if back := got.Replace(again); len(back.EVSEs) != 1 || back.EVSEs[0].Status != EVSEAvailable {
			t.Error("an EVSE that comes back stays removed")
		}
		charging := Ptr(*l) // an EVSE that changed after next was written: next was overtaken
		charging.EVSEs = slices.Clone(l.EVSEs)
		charging.EVSEs[0].Status, charging.EVSEs[0].LastUpdated = EVSECharging, next.LastUpdated.AddDate(0, 1, 0)
		if got := charging.Replace(next); got.EVSEs[0].Status != EVSECharging || !got.LastUpdated.Equal(charging.EVSEs[0].LastUpdated) {
			t.Errorf("a later EVSE is lost: %s", encoded(t, got))
		}
	})
}

// TestSessionPatch covers SES-09: periods are added, re-sent ones are not
// added again, a corrected one replaces the old, and the order is by start.
func TestSessionPatch(t *testing.T) {
	s := fixture[Session](t, "session/full")
	period := func(start, volume string) string {
		return `{"start_date_time":"` + start + `","dimensions":[{"type":"ENERGY","volume":` + volume + `}]}`
	}
	patch := func(s *Session, periods ...string) *Session {
		t.Helper()
		got, err := s.Patch([]byte(`{"charging_periods":[`+strings.Join(periods, ",")+`],`+patchTime+`}`), Unmarshal)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	starts := func(s *Session) string {
		var text []string
		for _, p := range s.ChargingPeriods {
			text = append(text, p.StartDateTime.Format("15:04"))
		}
		return strings.Join(text, " ")
	}
	unchanged(t, s, func() {
		if got := patch(s); starts(got) != "16:02 16:46" {
			t.Errorf("an empty list: %s", starts(got))
		}
		late := patch(s, period("2026-10-14T17:00:00Z", "1"), period("2026-10-14T16:30:00Z", "2"))
		if starts(late) != "16:02 16:30 16:46 17:00" {
			t.Errorf("order: %s", starts(late))
		}
		resent := patch(late, period("2026-10-14T17:00:00Z", "1.0"))
		if encoded(t, resent) != encoded(t, late) {
			t.Errorf("re-sent: %s", encoded(t, resent))
		}
		corrected := patch(late, period("2026-10-14T17:00:00Z", "3"))
		if starts(corrected) != starts(late) || corrected.ChargingPeriods[3].Dimensions[0].Volume.Decimal.String() != "3" {
			t.Errorf("corrected: %s", encoded(t, corrected))
		}
	})
	got, err := s.Patch([]byte(`{"charging_periods":null,"total_cost":null,"end_date_time":null,"status":"ACTIVE",`+patchTime+`}`), Unmarshal)
	if err != nil || len(got.ChargingPeriods) != 2 || got.TotalCost != nil || !got.EndDateTime.IsZero() || got.Status != SessionActive {
		t.Errorf("%v", err)
	}
}

// TestPatchLenient: a partner that quotes numbers quotes them in patches too.
func TestPatchLenient(t *testing.T) {
	s := fixture[Session](t, "session/full")
	body := []byte(`{"kwh":"32.5",` + patchTime + `}`)
	if _, err := s.Patch(body, Unmarshal); err == nil {
		t.Error("quoted numbers are read")
	}
	if got, err := s.Patch(body, UnmarshalLenient); err != nil || got.KWh.Decimal.String() != "32.5" {
		t.Errorf("%v", err)
	}
}
