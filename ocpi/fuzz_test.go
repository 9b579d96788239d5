package ocpi

import (
	"bytes"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"
)

// fuzzObject requires of any bytes: nothing panics; what is refused is an
// *Error; what is read is written so that it reads and writes the same again;
// and Validate changes nothing.
func fuzzObject[T any, P interface {
	*T
	validator
}](f *testing.F, object string) {
	for _, file := range fixtures(f, object) {
		f.Add(read(f, file))
	}
	examples, err := filepath.Glob(filepath.Join(exampleFolder, object+"_*.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range examples {
		f.Add(read(f, file))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, decode := range []Decoder{Unmarshal, UnmarshalLenient} {
			v := P(new(T))
			if err := decode(in, v); err != nil {
				if refused, ok := err.(*Error); !ok || refused.Message == "" {
					t.Fatalf("%#v", err)
				}
				continue
			}
			first, err := Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			_ = v.Validate().Err()
			if after, err := Marshal(v); err != nil || !bytes.Equal(first, after) {
				t.Fatalf("Validate made %s of %s (%v)", after, first, err)
			}
			again := P(new(T))
			if err := Unmarshal(first, again); err != nil {
				t.Fatalf("%s: %v", first, err)
			}
			second, err := Marshal(again)
			if err != nil || !bytes.Equal(first, second) {
				t.Fatalf("%s became %s (%v)", first, second, err)
			}
		}
	})
}

func FuzzCDR(f *testing.F)         { fuzzObject[CDR](f, "cdr") }
func FuzzLocation(f *testing.F)    { fuzzObject[Location](f, "location") }
func FuzzSession(f *testing.F)     { fuzzObject[Session](f, "session") }
func FuzzTariff(f *testing.F)      { fuzzObject[Tariff](f, "tariff") }
func FuzzToken(f *testing.F)       { fuzzObject[Token](f, "token") }
func FuzzCredentials(f *testing.F) { fuzzObject[Credentials](f, "credentials") }

// FuzzLocationPatch requires that a patch never panics, leaves its receiver
// alone and gives a Location that can be stored, or an *Error.
func FuzzLocationPatch(f *testing.F) {
	l := fixture[Location](f, "location/full")
	before, err := Marshal(l)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"name":null,"evses":[{"uid":"NUE-0042-1","connectors":[{"id":"1","max_voltage":400}]}],"last_updated":"2026-11-01T08:00:00Z"}`))
	f.Add(before)
	f.Fuzz(func(t *testing.T, patch []byte) {
		got, err := l.Patch(patch, Unmarshal)
		if after, _ := Marshal(l); !bytes.Equal(before, after) {
			t.Fatalf("the receiver is changed to %s", after)
		}
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("%#v", err)
			}
			return
		}
		b, err := Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if err := Unmarshal(b, new(Location)); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
	})
}

// FuzzTokenHeader requires that the token of every header that we write is
// the first candidate, and that reading never panics.
func FuzzTokenHeader(f *testing.F) {
	for _, s := range []string{"example-token", "Token ZXhhbXBsZS10b2tlbgo=", "Token a-_b", "Basic x", "Lücke", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		candidates, err := TokenCandidates(s)
		if (err == nil) != (len(candidates) > 0) {
			t.Fatalf("%q, %v", candidates, err)
		}
		if s == "" {
			return
		}
		if written, err := TokenCandidates(EncodeToken(s)); err != nil || written[0] != s {
			t.Fatalf("%q: %q, %v", s, written, err)
		}
	})
}

func FuzzLinkHeader(f *testing.F) {
	for _, s := range []string{`<https://x.example/?offset=1>; rel="next"`, `<a>; title="x, y", <b>;rel=next`, `<`, `<>;;,=`, `</>; rel`} {
		f.Add(s)
	}
	request := &url.URL{Scheme: "https", Host: "cpo.example", Path: "/ocpi/cdrs"}
	f.Fuzz(func(t *testing.T, s string) {
		next, err := NextLink(http.Header{HeaderLink: {s}}, request)
		if err != nil || next == nil {
			return
		}
		again, err := NextLink(http.Header{HeaderLink: {FormatNextLink(next)}}, request)
		if err != nil || again == nil || again.String() != next.String() {
			t.Fatalf("%q: %v became %v (%v)", s, next, again, err)
		}
	})
}

// FuzzDateTime requires that what is read is written in a form that reads the
// same again and that RFC 3339 knows.
func FuzzDateTime(f *testing.F) {
	for _, s := range []string{"2015-06-29T20:39:09Z", "2018-01-01T01:08:01.123", "1970-1-1T00:00:00Z", "2018-07-01T01:08:01.5-0330", "9999-12-31T23:59:59Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseDateTime(s)
		if err != nil {
			return
		}
		text := FormatDateTime(at)
		if again, err := ParseDateTime(text); err != nil || !again.Equal(at) {
			t.Fatalf("%q: %s, %v", s, text, err)
		}
		if standard, err := time.Parse(time.RFC3339, text); err != nil || !standard.Equal(at) || len(text) > 25 {
			t.Fatalf("%q: %s, %v", s, text, err)
		}
	})
}

// FuzzTolerant: what an exact or a forgiving reading takes is taken, nothing else; what is refused is refused in the words of
// the exact or the forgiving one, and no quirk is noted that is none.
func FuzzTolerant(f *testing.F) {
	for _, body := range []string{
		`{"kwh":"1","cdr_token":{"uid":4},"start_date_time":"2026-10-20T10:00:00"}`, `{"kwh":{}}`, `{"total_cost":{"excl_vat":""}}`, `[`, `{"status":true}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		exact, forgiving := Unmarshal(body, new(Session)), UnmarshalLenient(body, new(Session))
		notes, err := UnmarshalTolerant(body, new(Session), nil)
		if (err == nil) != (exact == nil || forgiving == nil) || err != nil && err.Error() != exact.Error() && err.Error() != forgiving.Error() || exact == nil && notes != nil {
			t.Errorf("%q: %v, %v; exact %v, forgiving %v", body, notes, err, exact, forgiving)
		}
		for _, note := range append(notes, TimeQuirks(body)...) {
			if !note.Quirk.Refusable() || note.Severity != Note {
				t.Errorf("%q: %+v", body, note)
			}
			if _, again := UnmarshalTolerant(body, new(Session), []string{string(note.Quirk)}); exact != nil && len(notes) == 1 && note == notes[0] && again == nil {
				t.Errorf("%q: %s is refused and taken", body, note.Quirk)
			}
		}
	})
}
