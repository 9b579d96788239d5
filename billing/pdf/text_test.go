package pdf

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

func TestGiroCodeLimits(t *testing.T) {
	good := order{billing.Payment{IBAN: "DE02 1203 0000 0000 2020 51", AccountName: strings.Repeat("ü", 90)}, decimal.RequireFromString("12.5"), "EUR", "LIN-1"}
	code, err := giroCode(good)
	if err != nil {
		t.Fatal(err)
	}
	if code.Size > 17+4*13 {
		t.Errorf("the code has %d modules, more than version 13", code.Size)
	}
	for name, spoil := range map[string]func(*order){
		"another currency": func(o *order) { o.currency = "CHF" },
		"nothing due":      func(o *order) { o.amount = decimal.Zero },
		"too much text":    func(o *order) { o.purpose = strings.Repeat("9", 300) },
	} {
		bad := good
		spoil(&bad)
		if _, err := giroCode(bad); err == nil {
			t.Errorf("%s gives a code", name)
		}
	}
}

func TestParseColour(t *testing.T) {
	if got := parseColour("#ff0080"); got != (colour{1, 0, 128.0 / 255}) {
		t.Errorf("#ff0080 = %v", got)
	}
	for _, bad := range []string{"", "red", "#12345", "#12345g"} {
		if got := parseColour(bad); got != petrol {
			t.Errorf("%q = %v, want the platform's colour", bad, got)
		}
	}
}

// FuzzWrap: no letter gets lost, and no line is wider than its column unless one letter is.
func FuzzWrap(f *testing.F) {
	f.Add("Park-and-Ride-Anlage Hauptbahnhof Süd, Ebene −2", 80.0)
	f.Add("Großkötzschenbroda\n\nx  y", 5.0)
	f.Add("漢字 🚗 \u00a0", 1.0)
	both, err := faces()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, width float64) {
		if !utf8.ValidString(text) || !(width > 0) {
			return
		}
		lines := both[0].wrap(9, width, text)
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if squeeze(strings.Join(lines, "")) != squeeze(text) {
			t.Errorf("%q becomes %q", text, lines)
		}
		for _, l := range lines {
			if utf8.RuneCountInString(l) > 1 && both[0].width(9, l) > width {
				t.Errorf("line %q is wider than %v", l, width)
			}
		}
	})
}
