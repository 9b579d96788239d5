package ocpi

import (
	"encoding/base64"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every constant is in the table once, with words in both languages.
func TestQuirksAreComplete(t *testing.T) {
	source, err := os.ReadFile("quirk.go")
	if err != nil {
		t.Fatal(err)
	}
	constants := regexp.MustCompile(`(?m)^\tQuirk\w+\s+Quirk = "([a-z0-9-]+)"$`).FindAllStringSubmatch(string(source), -1)
	if len(constants) != len(Quirks) {
		t.Errorf("%d constants, %d rows", len(constants), len(Quirks))
	}
	seen := map[Quirk]bool{}
	for _, q := range Quirks {
		if q.De == "" || q.En == "" || q.De == q.En || seen[q.Name] {
			t.Errorf("%s: no words, or twice", q.Name)
		}
		seen[q.Name] = true
	}
	for _, c := range constants {
		if !Quirk(c[1]).Known() {
			t.Errorf("%s is not in the table", c[1])
		}
	}
	for rule, quirk := range noteQuirks {
		if !quirk.Known() || !quirk.Refusable() {
			t.Errorf("%s: %s", rule, quirk)
		}
	}
	if Quirk("gremlins").Known() || Quirk("gremlins").Refusable() || QuirkNoEnvelope.Refusable() {
		t.Error("what is no quirk, or one of answers, can be refused")
	}
}

// A rule that noteQuirks names is one that validation really has.
func TestNoteQuirksAreRules(t *testing.T) {
	var all strings.Builder
	for _, name := range []string{"validate.go", "location_validate.go", "cdr_validate.go", "session_validate.go", "tariff_validate.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for rule := range noteQuirks {
		stem := strings.TrimRight(rule, "0123456789")
		if !strings.Contains(all.String(), `"`+stem) {
			t.Errorf("no rule says %q", rule)
		}
	}
}

func TestTokenQuirks(t *testing.T) { // TRN-04, TRN-05
	const token = "example-token?>"
	for header, want := range map[string][]Quirk{
		EncodeToken(token): nil,
		"token   " + base64.StdEncoding.EncodeToString([]byte(token)): nil,
		"Token " + token: {QuirkRawToken},
		"Token " + base64.RawStdEncoding.EncodeToString([]byte(token+"1")):                       {QuirkUnpaddedToken},
		"Token " + base64.StdEncoding.EncodeToString([]byte(token+"\n")):                         {QuirkTokenNewline},
		"Token " + strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(token+"\n")), "="): {QuirkUnpaddedToken, QuirkTokenNewline},
		"Token " + base64.URLEncoding.EncodeToString([]byte(token)):                              {QuirkUnpaddedToken},
	} {
		means := token
		if strings.HasSuffix(header, base64.RawStdEncoding.EncodeToString([]byte(token+"1"))) {
			means += "1"
		}
		if got := TokenQuirks(header, means); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", header, got, want)
		}
	}
}

func TestMessageQuirks(t *testing.T) { // TRN-12, TRN-19, RTG-04
	whole := http.Header{"Content-Type": {"application/JSON; charset=utf-8"}}
	for _, name := range []string{HeaderRequestID, HeaderCorrelationID, HeaderToPartyID, HeaderToCountryCode, HeaderFromPartyID, HeaderFromCountryCode} {
		whole.Set(name, "XX")
	}
	if notes := MessageQuirks(whole, true, true, true); notes != nil {
		t.Errorf("whole: %v", notes)
	}
	for name, want := range map[string]Quirk{
		HeaderRequestID: QuirkNoMessageIDs, HeaderCorrelationID: QuirkNoMessageIDs,
		HeaderToPartyID: QuirkNoRouting, HeaderFromCountryCode: QuirkNoRouting, "Content-Type": QuirkContentType,
	} {
		h := whole.Clone()
		h.Del(name)
		if notes := MessageQuirks(h, true, true, true); len(notes) != 1 || notes[0].Quirk != want || notes[0].Severity != Note {
			t.Errorf("without %s: %v", name, notes)
		}
	}
	if notes := MessageQuirks(http.Header{}, true, false, false); len(notes) != 2 {
		t.Errorf("a configuration module without a body: %v", notes)
	}
}

func TestTimeQuirks(t *testing.T) { // TYP-05, TYP-06, TYP-07
	for value, want := range map[string]Quirk{
		"2026-11-23T16:20:00Z":             "",
		"2026-11-23T16:20:00.123Z":         "",
		"2026-11-23T16:20:00":              QuirkTimesWithoutZone,
		"2026-11-23T16:20:00.5":            QuirkTimesWithoutZone,
		"2026-11-23T16:20:00+00:00":        QuirkTimesWithOffset,
		"2026-11-23T16:20:00.123456Z":      QuirkTimesWithOffset,
		"2026-11-23T16:20:00.123456+00:00": QuirkTimesWithOffset,
		"1970-1-1T00:00:00Z":               QuirkUnknownTime,
		"2026-13-23T16:20:00":              "", // no time
		"AT:20:00":                         "",
		"x2026-11-23T16:20:00":             "",
	} {
		notes := TimeQuirks([]byte(`{"name":"T","a":[{"b":"` + value + `"},{"b":"` + value + `"}]}`))
		switch {
		case want == "" && notes != nil:
			t.Errorf("%s: %v", value, notes)
		case want != "" && (len(notes) != 1 || notes[0].Quirk != want || notes[0].Path != "a[0].b" || notes[0].Value != value):
			t.Errorf("%s: %v", value, notes)
		}
	}
	for _, odd := range []string{``, `T`, `"2026-11-23T16:20:00`, `{"a":"2026-11-23T16:20:00"`, "\"\xff2026-11-23T16:20:00\""} {
		TimeQuirks([]byte(odd))
	}
}

func TestUnmarshalTolerant(t *testing.T) { // TYP-08, TYP-10
	for body, want := range map[string]struct {
		quirk Quirk
		path  string
	}{
		`{"kwh":1.5,"end_date_time":null,"charging_periods":null}`: {"", ""},
		`{"kwh":"1.5"}`:                   {QuirkTextForNumber, "kwh"},
		`{"kwh":""}`:                      {QuirkTextForNumber, "kwh"},
		`{"currency":978}`:                {QuirkNumberForText, "currency"},
		`{"total_cost":{"excl_vat":"1"}}`: {QuirkTextForNumber, "total_cost.excl_vat"},
	} {
		var s Session
		notes, err := UnmarshalTolerant([]byte(body), &s, nil)
		if err != nil || want.quirk == "" && notes != nil || want.quirk != "" && (len(notes) != 1 || notes[0].Quirk != want.quirk || notes[0].Path != want.path) {
			t.Errorf("%s: %v, %v", body, notes, err)
		}
		if want.quirk == "" {
			continue
		}
		exact := Unmarshal([]byte(body), new(Session))
		if _, err := UnmarshalTolerant([]byte(body), &s, []string{string(want.quirk)}); err == nil || err.Error() != exact.Error() {
			t.Errorf("%s refused: %v, want %v", body, err, exact)
		}
	}
	var l Location
	notes, err := UnmarshalTolerant([]byte(`{"publish":"true","directions":""}`), &l, nil)
	if err != nil || len(notes) != 2 || notes[0].Quirk != QuirkTextForBoolean || notes[1].Quirk != QuirkBlankList || !*l.Publish {
		t.Errorf("%v, %v", notes, err)
	}
	var tariff Tariff
	for _, list := range []string{`[]`, `[{"start_time":"08:00"}]`} {
		notes, err := UnmarshalTolerant([]byte(`{"elements":[{"restrictions":`+list+`}]}`), &tariff, nil)
		if err != nil || len(notes) != 1 || notes[0].Quirk != QuirkListedRestrictions || notes[0].Path != "elements[0].restrictions" {
			t.Errorf("%s: %v, %v", list, notes, err)
		}
	}
	// What can be read is not blamed for what cannot.
	_, err = UnmarshalTolerant([]byte(`{"kwh":"1.5","start_date_time":"soon"}`), new(Session), nil)
	if exact := Unmarshal([]byte(`{"start_date_time":"soon"}`), new(Session)); err == nil || err.Error() != exact.Error() {
		t.Errorf("%v, want %v", err, exact)
	}
	// What nobody can read is answered in the words of the exact reading.
	for _, body := range []string{`{"kwh":"much"}`, `{"kwh":`, `[]`, `{"kwh":1,"kwh":2}`} {
		exact := Unmarshal([]byte(body), new(Session))
		if _, err := UnmarshalTolerant([]byte(body), new(Session), nil); err == nil || err.Error() != exact.Error() {
			t.Errorf("%s: %v, want %v", body, err, exact)
		}
	}
}

// Values of secrets do not show up in notes, which end in logs.
func TestQuirksKeepSecrets(t *testing.T) {
	var s Session
	notes, err := UnmarshalTolerant([]byte(`{"cdr_token":{"uid":4711}}`), &s, nil)
	if err != nil || len(notes) != 1 || notes[0].Value != "" || s.CDRToken.UID != "4711" {
		t.Errorf("%+v, %v", notes, err)
	}
}

func TestFill(t *testing.T) {
	l := fixture[Location](t, "location/full")
	whole := fixture[CDR](t, "cdr/full")
	if notes := whole.FillPlace(l); notes != nil {
		t.Errorf("a whole CDR: %v", notes)
	}
	bare := *whole
	bare.CDRLocation = CDRLocation{ID: l.ID, EVSEID: l.EVSEs[0].UID, ConnectorID: l.EVSEs[0].Connectors[0].ID}
	for _, f := range bare.FillPlace(l) {
		if f.Quirk != QuirkPlaceMissing || f.Severity != Note {
			t.Errorf("%+v", f)
		}
	}
	if err := bare.Validate().Err(); err != nil {
		t.Errorf("after filling: %v", err)
	}
	if at := bare.CDRLocation; at.EVSEUID != l.EVSEs[0].UID || at.Address != l.Address || at.ConnectorStandard != l.EVSEs[0].Connectors[0].Standard {
		t.Errorf("%+v", at)
	}
	unknown := *whole
	unknown.CDRLocation = CDRLocation{ID: "ELSEWHERE", EVSEUID: "E1"}
	unknown.FillPlace(nil)
	if unknown.CDRLocation.EVSEID != "E1" || unknown.Validate().Err() == nil {
		t.Errorf("nothing is invented: %+v", unknown.CDRLocation)
	}
	for extra, want := range map[string]CiString{`{"id":"X1","evse_id":"DE*CPO*E1"}`: "X1", `{"evse_id":"DE*CPO*E1"}`: "DE*CPO*E1", `{}`: "", `{"uid":"U1","id":"X1"}`: "U1"} {
		var located Location
		if err := Unmarshal([]byte(`{"evses":[`+extra+`]}`), &located); err != nil {
			t.Fatal(err)
		}
		notes := located.FillUIDs()
		if located.EVSEs[0].UID != want || (len(notes) == 1) != (want != "" && want != "U1") {
			t.Errorf("%s: %q, %v", extra, located.EVSEs[0].UID, notes)
		}
	}
}

// What a partner must not do any more is refused with its reason.
func TestRefuse(t *testing.T) {
	l := fixture[Location](t, "location/full")
	l.Country = "DE"
	findings := l.Validate()
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	if err := findings.Refuse([]string{"country-form"}).Err(); err == nil || err.Error() != `country: three capital letters (ISO 3166-1 alpha-3), got "DE"` {
		t.Errorf("%v", err)
	}
	if err := findings.Refuse([]string{"clock-seconds"}).Err(); err != nil {
		t.Errorf("another quirk: %v", err)
	}
}
