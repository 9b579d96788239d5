package ocpi

import (
	"slices"
	"strings"
	"testing"
)

// TestCiString covers TYP-01: ASCII is folded, nothing else.
func TestCiString(t *testing.T) {
	for _, test := range []struct {
		a, b  CiString
		equal bool
	}{
		{"04AbCd", "04ABCD", true},
		{"DE*LWE*E0042", "de*lwe*e0042", true},
		{"a", "b", false},
		{"a", "ab", false},
		{"ä", "Ä", false},
		{"@", "`", false},
		{"", "", true},
	} {
		if test.a.Equal(test.b) != test.equal || (test.a.Fold() == test.b.Fold()) != test.equal {
			t.Errorf("%q and %q", test.a, test.b)
		}
	}
}

func TestParty(t *testing.T) {
	for _, in := range []string{"DE*SWX", "de*swx", "DE-SWX", " DESWX "} {
		if p, err := ParseParty(in); err != nil || p.String() != "DE*SWX" {
			t.Errorf("%q: %v, %v", in, p, err)
		}
	}
	for _, in := range []string{"", "DE", "DE*", "DE*SW", "DE*SWXY", "D1*SWX", "DE/SWX", "DE*SÜ", "*DESWX"} {
		if p, err := ParseParty(in); err == nil {
			t.Errorf("%q is %v", in, p)
		}
	}
	p, q := Party{"de", "swx"}, Party{"DE", "SWX"}
	if !p.Equal(q) || p == q || p.Fold() != q || (Party{}).String() != "" {
		t.Errorf("%v, %v", p, q)
	}
}

// TestNewestVersion covers VER-07 and VER-08.
func TestNewestVersion(t *testing.T) {
	order := []VersionNumber{"", "neu", "2.0", "2.1", "2.1.1", "2.2", "2.2.1", "2.2.10", "2.10", "3.0"}
	for i := range order {
		for j := range order {
			want := 0
			if i > 1 || j > 1 { // the first two are no versions
				want = min(max(i-j, -1), 1)
			}
			if got := order[i].Compare(order[j]); got != want {
				t.Errorf("%q with %q: %d", order[i], order[j], got)
			}
		}
	}
	offered := []Version{{Version: "2.1.1"}, {Version: "2.2.1", URL: "u"}, {Version: "2.2"}, {Version: "2.3.0"}, {Version: "x"}}
	if v, ok := NewestVersion(offered, Version211, Version221); !ok || v.URL != "u" {
		t.Errorf("%v", v)
	}
	if v, ok := NewestVersion([]Version{{Version: "2.2"}}, Version221); ok {
		t.Errorf("2.2 is not 2.2.1: %v", v)
	}
}

// TestEndpoint covers VER-09.
func TestEndpoint(t *testing.T) {
	d := VersionDetails{Endpoints: []Endpoint{
		{Identifier: ModuleLocations, Role: Sender, URL: "s"},
		{Identifier: ModuleLocations, Role: Receiver, URL: "r"},
		{Identifier: ModuleLocations, Role: Receiver, URL: "again"},
		{Identifier: ModuleTokens, URL: "t"},
		{Identifier: ModuleCredentials, Role: Receiver, URL: "c"},
	}}
	for _, test := range []struct {
		module ModuleID
		role   InterfaceRole
		want   string
	}{
		{ModuleLocations, Sender, "s"}, {ModuleLocations, Receiver, "r"}, {ModuleTokens, Receiver, "t"},
		{ModuleCredentials, Sender, "c"}, {ModuleCDRs, Sender, ""},
	} {
		if url, ok := d.Endpoint(test.module, test.role); url != test.want || ok != (test.want != "") {
			t.Errorf("%s %s: %q", test.module, test.role, url)
		}
	}
}

// TestFindings covers the text that a partner gets to see.
func TestFindings(t *testing.T) {
	var none Findings
	if none.Err() != nil || (Findings{{Severity: Note}}).Err() != nil {
		t.Error("notes are an error")
	}
	findings := Findings{
		{Severity: Note, Path: "name", Rule: "at most 1 characters"},
		{Path: "a", Rule: "required"}, {Path: "b[2].c", Rule: "not negative", Value: "-1"},
		{Path: "d", Rule: "required"}, {Path: "e", Rule: "required"}, {Path: "f", Rule: "required"},
	}
	want := `a: required; b[2].c: not negative, got "-1"; d: required; and 2 more`
	if err := findings.Err(); err.Error() != want {
		t.Errorf("%v", err)
	}
	if len(findings.Notes()) != 1 {
		t.Error(findings.Notes())
	}
	long := InvalidParameter("x", "short", strings.Repeat("ä", 100))
	if value := long.Findings[0].Value; value != strings.Repeat("ä", 32)+"…" {
		t.Errorf("%q", value)
	}
}

// TestSecretsAreNotQuoted: neither credentials tokens nor card numbers may
// reach a log by way of an error.
func TestSecretsAreNotQuoted(t *testing.T) {
	secret := strings.Repeat("s3cret", 20)
	token := fixture[Token](t, "token/full")
	token.UID, token.VisualNumber = CiString(secret), secret
	start := StartSession{Token: *token}
	cdr := fixture[CDR](t, "cdr/full")
	cdr.CDRToken.UID = CiString(strings.Repeat(secret, 3))
	all := slices.Concat(token.Validate(), start.Validate(), cdr.Validate(), (&Credentials{Token: secret + " "}).Validate())
	if len(all) < 8 {
		t.Fatalf("only %d findings", len(all))
	}
	for _, f := range all {
		if strings.Contains(f.String(), "s3cret") {
			t.Error(f)
		}
	}
}
