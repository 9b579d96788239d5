package ocpi

import (
	"testing"
	"time"
)

func TestShownTo(t *testing.T) { // LOC-10, LOC-14, LOC-15
	alive := []EVSE{{UID: "1", Status: EVSERemoved}, {UID: "2", Status: "WHATEVER"}}
	holder := &Token{UID: "04AbCd", Type: TokenRFID, VisualNumber: "77-1", Issuer: "Stadtwerke", GroupID: "fleet"}
	named := func(entries ...PublishTokenType) Location {
		return Location{Publish: Ptr(false), PublishAllowedTo: entries, EVSEs: alive}
	}
	for _, test := range []struct {
		name     string
		location Location
		anybody  bool
		holder   bool
	}{
		{"published", Location{Publish: Ptr(true), EVSEs: alive}, true, true},
		{"published, with a list", Location{Publish: Ptr(true), PublishAllowedTo: []PublishTokenType{{UID: "x", Type: TokenRFID}}, EVSEs: alive}, true, true},
		{"published, all removed", Location{Publish: Ptr(true), EVSEs: alive[:1]}, false, false},
		{"published, none", Location{Publish: Ptr(true)}, false, false},
		{"not published", named(), false, false},
		{"by uid in other letters", named(PublishTokenType{UID: "04ABCD", Type: TokenRFID}), false, true},
		{"uid of another type", named(PublishTokenType{UID: "04ABCD", Type: TokenAppUser}), false, false},
		{"uid without a type", named(PublishTokenType{UID: "04ABCD"}), false, false},
		{"visual number", named(PublishTokenType{VisualNumber: "77-1", Issuer: "Stadtwerke"}), false, true},
		{"visual number of another issuer", named(PublishTokenType{VisualNumber: "77-1", Issuer: "Nobody"}), false, false},
		{"visual number without an issuer", named(PublishTokenType{VisualNumber: "77-1"}), false, false},
		{"group", named(PublishTokenType{UID: "other", Type: TokenRFID}, PublishTokenType{GroupID: "FLEET"}), false, true},
		{"the group, but another card", named(PublishTokenType{UID: "other", Type: TokenRFID, GroupID: "FLEET"}), false, false},
		{"nothing said", named(PublishTokenType{}), false, false},
		{"nothing but a type", named(PublishTokenType{Type: TokenRFID}), false, false},
		{"removed since", Location{Publish: Ptr(false), PublishAllowedTo: []PublishTokenType{{GroupID: "FLEET"}}, EVSEs: alive[:1]}, false, false},
	} {
		if got := test.location.ShownTo(nil); got != test.anybody {
			t.Errorf("%s: to anybody %v", test.name, got)
		}
		if got := test.location.ShownTo(holder); got != test.holder {
			t.Errorf("%s: to the holder %v", test.name, got)
		}
	}
}

func TestOpenAt(t *testing.T) { // LOC-19, TYP-11
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	var h Hours
	err = Unmarshal([]byte(`{"twentyfourseven":false,"regular_hours":[
		{"weekday":1,"period_begin":"08:00","period_end":"20:00"},{"weekday":5,"period_begin":"10:00","period_end":"00:00"},
		{"weekday":6,"period_begin":"22:00","period_end":"02:00"},{"weekday":7,"period_begin":"20:00:00","period_end":"24:00"},{"weekday":3,"period_begin":"early","period_end":"late"}],
		"exceptional_openings":[{"period_begin":"2026-11-24T10:00:00Z","period_end":"2026-11-24T12:00:00Z"}],
		"exceptional_closings":[{"period_begin":"2026-11-24T11:00:00Z","period_end":"2026-11-24T11:30:00Z"},{"period_begin":"2026-11-30T00:00:00Z","period_end":"2026-12-01T00:00:00Z"}]}`), &h)
	if err != nil {
		t.Fatal(err)
	}
	for local, open := range map[string]bool{ // 23 November 2026 is a Monday; Berlin is an hour ahead of UTC
		"2026-11-23 07:59": false, "2026-11-23 08:00": true, "2026-11-23 19:59": true, "2026-11-23 20:00": false,
		"2026-11-24 10:59": false, "2026-11-24 11:00": true, "2026-11-24 12:00": false, "2026-11-24 12:30": true, "2026-11-24 13:00": false,
		"2026-11-25 12:00": false,
		"2026-11-27 09:59": false, "2026-11-27 23:59": true, "2026-11-28 00:00": false,
		"2026-11-28 21:59": false, "2026-11-28 22:00": true, "2026-11-29 01:59": true, "2026-11-29 02:00": false,
		"2026-11-29 23:59": true, "2026-11-30 00:00": false, "2026-11-30 10:00": false, "2026-12-07 10:00": true,
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", local, berlin)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.OpenAt(at, berlin); got != open {
			t.Errorf("%s: open %v", local, got)
		}
		if !(&Location{OpeningTimes: &h}).ChargesAt(at, berlin) { // charging_when_closed is true where it is not said
			t.Errorf("%s: does not charge", local)
		}
		if got := (&Location{OpeningTimes: &h, ChargingWhenClosed: Ptr(false)}).ChargesAt(at, berlin); got != open {
			t.Errorf("%s: charges %v", local, got)
		}
	}
	always := Hours{Twentyfourseven: Ptr(true), ExceptionalClosings: h.ExceptionalClosings}
	if closed := time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC); always.OpenAt(closed, berlin) || !always.OpenAt(closed.Add(-time.Second), berlin) {
		t.Error("always open but for a closing")
	}
	if !(&Location{ChargingWhenClosed: Ptr(false)}).ChargesAt(time.Time{}, time.UTC) {
		t.Error("closed without hours")
	}
	var p ChargingPreferences // discharge_allowed is false where it is not said
	if err := Unmarshal([]byte(`{"profile_type":"FAST"}`), &p); err != nil || p.DischargeAllowed {
		t.Errorf("%+v, %v", p, err)
	}
}
