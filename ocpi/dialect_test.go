package ocpi

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// TestOwnDialect requires that OCPI 2.2.1 is not touched, not even read, and
// that errors stay what they are.
func TestOwnDialect(t *testing.T) {
	d := Dialect{Version: Version221}
	for _, in := range []string{`{"id": 1, "id": 2}`, `[`, ``} {
		if out, notes, err := d.Read([]byte(in), new(CDR), Origin{}); err != nil || len(notes) > 0 || string(out) != in {
			t.Errorf("read %q: %q, %v, %v", in, out, notes, err)
		}
		if out, err := d.Write([]byte(in), new(CDR)); err != nil || string(out) != in {
			t.Errorf("written %q: %q, %v", in, out, err)
		}
	}
	in := []byte(`{ "status" : "CHARGING" }`)
	if out, _, err := d.ReadPatch(in, new(EVSE), Origin{}); err != nil || !bytes.Equal(bytes.ReplaceAll(in, []byte(" "), nil), out) {
		t.Errorf("patch: %s, %v", out, err)
	}
	if _, _, err := d.ReadPatch([]byte(`{"a":1,"a":2}`), new(EVSE), Origin{}); err == nil {
		t.Error("a patch with a name twice")
	}
	for _, err := range []error{nil, errors.New("ours"), InvalidParameter("id", "required", ""), Unauthorized("no")} {
		if got := d.Explain(err, new(CDR)); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
	if !d.Has(ModuleHubClientInfo) || !d.HasCommand(CommandCancelReservation) || d.Status(StatusUnknownToken) != StatusUnknownToken {
		t.Error("something is missing")
	}
}

// TestMapping tries every kind of difference both ways.
func TestMapping(t *testing.T) {
	upper := func(value jsontext.Value, p *Passage) (jsontext.Value, error) {
		if value.Kind() != jsontext.KindString {
			return nil, p.Refuse("must be a string", value)
		}
		p.Note("turned", value)
		return bytes.ToUpper(value), nil
	}
	lower := func(value jsontext.Value, _ *Passage) (jsontext.Value, error) { return bytes.ToLower(value), nil }
	d := Dialect{Objects: map[reflect.Type]Mapping{reflect.TypeFor[CDR](): {
		{Ours: "new", Theirs: "old"},
		{Ours: "loud", Theirs: "quiet", In: upper, Out: lower},
		{Ours: "a.b[0].c", Theirs: "x[0].y"},
		{Ours: "owner", Given: func(o Origin) jsontext.Value { return jsontext.Value(`"` + string(o.Owner.PartyID) + `"`) }},
		{Ours: "list", Theirs: "list", Each: Mapping{{Ours: "n", Theirs: "m", Due: true, Owed: jsontext.Value("0")}}},
	}}}
	for _, test := range []struct{ name, in, want, back, notes string }{
		{"all", `{"old":1,"quiet":"a","x":[{"y":2,"z":3},4],"list":[{"m":5}],"rest":6}`,
			`{"x":[{"y":2,"z":3},4],"list":[{"n":5}],"rest":6,"new":1,"loud":"A","a":{"b":[{"c":2}]},"owner":"OWN"}`,
			`{"x":[{"y":2,"z":3},4],"rest":6,"old":1,"quiet":"a","list":[{"m":5}]}`, `note quiet: turned, got "\"a\""`},
		{"nothing", `{}`, `{"owner":"OWN"}`, `{}`, ``},
		{"null", `{"old":null,"quiet":null,"x":[null],"owner":null,"list":null}`,
			`{"x":[null],"owner":"OWN","list":null,"new":null,"loud":null,"a":{"b":[{"c":null}]}}`,
			`{"x":[null],"old":null,"quiet":null,"list":null}`, ``},
		{"both", `{"new":1,"old":2,"loud":"B","quiet":null}`, `{"new":2,"loud":"B","owner":"OWN"}`, `{"old":2,"quiet":"b"}`, ``},
		{"due", `{"list":[{},{"m":null},7]}`, `{"list":[{},{"n":null},7],"owner":"OWN"}`, `{"list":[{"m":0},{"m":0},7]}`,
			"note list[0].m: required; note list[1].m: required"},
		{"built", `{"a":{"b":[{"c":1},2]}}`, `{"a":{"b":[{"c":1},2]},"owner":"OWN"}`, `{"x":[{"y":1}]}`, ``},
		{"no object", `[5]`, `[5]`, `[5]`, ``},
	} {
		out, notes, err := d.Read([]byte(test.in), []CDR{}, Origin{Owner: Party{PartyID: "OWN"}})
		if err != nil || string(out) != test.want {
			t.Errorf("%s: read as %s, %v", test.name, out, err)
		}
		var text string
		for i, note := range notes {
			if i > 0 {
				text += "; "
			}
			text += note.Severity.String() + " " + note.String()
		}
		if text != test.notes {
			t.Errorf("%s: %s", test.name, text)
		}
		if back, err := d.Write(out, &CDR{}); err != nil || string(back) != test.back {
			t.Errorf("%s: written as %s, %v", test.name, back, err)
		}
	}
	if _, _, err := d.Read([]byte(`{"quiet":{"a": 1}}`), new(CDR), Origin{}); err == nil || err.Error() != `quiet: must be a string, got "{\"a\":1}"` {
		t.Errorf("refused: %v", err)
	}
	for ours, theirs := range map[string]string{
		"new": "old", "new[1].a": "old[1].a", "newer": "newer", "loud.x": "quiet", "a.b[0].c": "x[0].y", "a.b[0].c.d": "x[0].y.d",
		"a.b": "a.b", "list[3].n": "list[3].m", "list": "list", "owner": "owner", "": "",
	} {
		if got := d.ExplainFindings(Findings{{Path: ours}}, new(CDR)); got[0].Path != theirs {
			t.Errorf("%s is explained as %s", ours, got[0].Path)
		}
	}
}
