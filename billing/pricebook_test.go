package billing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// bookOf reads a book from its rules, each the inside of a JSON object. The plan of a rule without one is its id.
func bookOf(t testing.TB, rules ...string) billing.PriceBook {
	t.Helper()
	for i, text := range rules {
		id, rest, _ := strings.Cut(text, " ")
		rules[i] = fmt.Sprintf(`{"id":%q,"plan":"P-%s"%s}`, id, id, comma(rest))
	}
	book, err := billing.ParsePriceBook([]byte(`{"rules":[` + strings.Join(rules, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func comma(s string) string {
	if s == "" {
		return ""
	}
	return "," + s
}

func party(s string) ocpi.Party {
	p, err := ocpi.ParseParty(s)
	if err != nil {
		panic(err)
	}
	return p
}

func kw(s string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(s)) }

// Each rule loses against the one before it: the precedence as it is stated.
func TestPriceBookPrecedence(t *testing.T) {
	ladder := []string{
		`card "card":"04AA"`,
		`contract+where "contract":"DE-SWX-C1","where":{"own":true}`,
		`contract "contract":"DE-SWX-C1"`,
		`group+evse "group":"Strom","where":{"evse":"DE*ABC*E1"}`,
		`group+location "group":"Strom","where":{"cpo":"DE*ABC","location":"loc1"}`,
		`group+own+class "group":"Strom","where":{"own":true,"from_kw":50}`,
		`group+own+dc "group":"Strom","where":{"own":true,"current":"DC"}`,
		`group+own "group":"Strom","where":{"own":true}`,
		`group "group":"Strom"`,
		`evse "where":{"evse":"DEABCE1"}`,
		`location "where":{"cpo":"DE*ABC","location":"LOC1"}`,
		`own "where":{"own":true}`,
		`cpo+hub "where":{"cpo":"DE*ABC","hub":"DE*HUB"}`,
		`cpo+country "where":{"cpo":"DE*ABC","country":"DEU"}`,
		`cpo+class+dc "where":{"cpo":"DE*ABC","from_kw":50,"below_kw":300,"current":"DC"}`,
		`cpo+class "where":{"cpo":"DE*ABC","from_kw":50}`,
		`cpo+dc "where":{"cpo":"DE*ABC","current":"DC"}`,
		`cpo "where":{"cpo":"DE*ABC"}`,
		`hub "where":{"hub":"DE*HUB"}`,
		`country "where":{"country":"DE"}`,
		`class "where":{"from_kw":100}`,
		`dc "where":{"current":"DC"}`,
		`any`,
	}
	buyer := billing.Buyer{Card: "04AA", Contract: "DE-SWX-C1", Group: "Strom"}
	at := billing.ChargePoint{
		EVSE: billing.FoldEVSE("de*abc*e1"), Location: "LOC1", Own: true, CPO: party("DE*ABC"), Hub: party("DE*HUB"), Country: "DE", Current: billing.DC, Power: kw("150"),
	}
	for i := range ladder {
		rest := slices.Clone(ladder[i:])
		slices.Reverse(rest) // the order in the document means nothing
		want, _, _ := strings.Cut(ladder[i], " ")
		book := bookOf(t, rest...)
		choice, ok := book.Choose(&buyer, &at)
		if !ok || choice.Plan != "P-"+want {
			t.Errorf("of %s and all below it %s was chosen", want, choice.Plan)
		}
	}
	for _, c := range []struct {
		name  string
		buyer billing.Buyer
		at    billing.ChargePoint
		want  string // empty: a hole
	}{
		{"an agreement goes before the rule for the contract", billing.Buyer{Contract: "DE-SWX-C1", Group: "Strom", Plan: "Agreed"}, at, "P-contract+where"},
		{"and before groups", billing.Buyer{Contract: "DE-SWX-C1", Group: "Strom", Plan: "Agreed"}, billing.ChargePoint{CPO: party("DE*ABC")}, "Agreed"},
		{"but not before the card", billing.Buyer{Card: "04AA", Plan: "Agreed"}, at, "P-card"},
		{"what is not known fits no rule that asks for it", billing.Buyer{}, billing.ChargePoint{}, "P-any"},
		{"another EVSE", billing.Buyer{}, billing.ChargePoint{EVSE: "DEABCE2", CPO: party("DE*XYZ"), Country: "FR"}, "P-any"},
		{"the power of the class is included", billing.Buyer{}, billing.ChargePoint{CPO: party("DE*ABC"), Power: kw("50"), Current: billing.AC}, "P-cpo+class"},
		{"below it", billing.Buyer{}, billing.ChargePoint{CPO: party("DE*ABC"), Power: kw("49.9"), Current: billing.AC}, "P-cpo"},
		{"the upper end is not included", billing.Buyer{}, billing.ChargePoint{CPO: party("DE*ABC"), Power: kw("300"), Current: billing.DC}, "P-cpo+class"},
	} {
		book := bookOf(t, slices.Clone(ladder)...)
		if choice, _ := book.Choose(&c.buyer, &c.at); choice.Plan != c.want {
			t.Errorf("%s: %s", c.name, choice.Plan)
		}
	}
	book := bookOf(t, `own "group":"Strom","where":{"own":true}`, `strom "group":"Strom"`)
	if choice, ok := book.Choose(&billing.Buyer{}, &at); ok {
		t.Errorf("a customer in no group: %+v", choice)
	}
	if choice, ok := book.FeePlan(&billing.Buyer{Group: "Strom"}); !ok || choice.Plan != "P-strom" {
		t.Errorf("fees by %+v", choice)
	}
}

func TestParsePriceBookNamesFaults(t *testing.T) {
	for rules, want := range map[string]string{
		``:                                                        `rules: at least one`,
		`{"group":"A"}`:                                           `rules[0].plan: required`,
		`{"plan":"A","grup":"B"}`:                                 `rules[0].grup: not a member of a rule`,
		`{"plan":"A","where":{"cpo":"DE*ABCD"}}`:                  `rules[0].where.cpo: a party such as DE*ABC, got "DE*ABCD"`,
		`{"plan":"A","where":{"location":"L"}}`:                   `rules[0].where.location: with cpo beside it`,
		`{"plan":"A","where":{"country":"XX"}}`:                   `rules[0].where.country: a country of Europe (ISO 3166-1), got "XX"`,
		`{"plan":"A","where":{"current":"GLEICH"}}`:               `rules[0].where.current: AC or DC, got "GLEICH"`,
		`{"plan":"A","where":{"from_kw":50,"below_kw":50}}`:       `rules[0].where.below_kw: above from_kw, got "50"`,
		`{"plan":"A","where":{"from_kw":-1}}`:                     `rules[0].where.from_kw: a power in kW of at least 0, got "-1"`,
		`{"plan":"A","where":{"power":1}}`:                        `rules[0].where.power: not a member of a place`,
		`{"plan":"A","card":"1","group":"G"}`:                     `rules[0]: only one of card, contract and group, got "1, G"`,
		`{"plan":"A","id":"x"},{"plan":"B","id":"x","group":"G"}`: `rules[1].id: not used twice, got "x"`,
		`{"plan":"A"},{"plan":"B"}`:                               `rules[1]: more or less precise than every other rule that may fit the same session, got "as precise as rule 1"`,
		`{"plan":"A","where":{"from_kw":50}},{"plan":"B","where":{"below_kw":51}}`:      `rules[1]: more or less precise`,
		`{"plan":"A","where":{"evse":"DE*A*E1"}},{"plan":"B","where":{"evse":"DEAE1"}}`: `rules[1]: more or less precise`,
	} {
		if _, err := billing.ParsePriceBook([]byte(`{"rules":[` + rules + `]}`)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", rules, err, want)
		}
	}
	for _, apart := range []string{
		`{"plan":"A","where":{"from_kw":50}},{"plan":"B","where":{"below_kw":50}}`,
		`{"plan":"A","where":{"own":true,"current":"AC"}},{"plan":"B","where":{"own":true,"current":"DC"}}`,
		`{"plan":"A","group":"X"},{"plan":"B","group":"Y"}`,
		`{"plan":"A","where":{"cpo":"DE*ABC"}},{"plan":"B","where":{"hub":"DE*ABC"}}`,
	} {
		if _, err := billing.ParsePriceBook([]byte(`{"rules":[` + apart + `]}`)); err != nil {
			t.Errorf("%s: %v", apart, err)
		}
	}
	book := bookOf(t, `a "group":"Strom"`, `b`)
	if err := book.Unknown([]string{"P-a"}, nil); err == nil || !strings.Contains(err.Error(), `rules[0].group: the name of a customer group, got "Strom"; rules[1].plan: the name of a plan, got "P-b"`) {
		t.Errorf("unknown names: %v", err)
	}
	if err := book.Unknown([]string{"P-a", "P-b"}, []string{"Strom"}); err != nil {
		t.Error(err)
	}
}

func TestPriceBookUnreachable(t *testing.T) {
	world := billing.World{Own: []ocpi.Party{party("DE*AUE")}, Hubs: map[ocpi.Party][]ocpi.Party{party("DE*BLZ"): {party("DE*VRB")}}}
	for _, c := range []struct {
		name  string
		rules []string
		want  []int
	}{
		{"all count", []string{`a "group":"G"`, `b "where":{"own":true}`, `c`}, nil},
		{"the own party's rule never does", []string{`a "where":{"own":true}`, `b "where":{"cpo":"DE*AUE"}`, `c`}, []int{1}},
		{"but for a group it does", []string{`a "where":{"own":true}`, `b "group":"G","where":{"cpo":"DE*AUE"}`}, nil},
		{"classes of power without a gap leave nothing but connectors of unknown power", []string{`a "where":{"below_kw":50}`, `b "where":{"from_kw":50}`, `c`}, nil},
		{"AC and DC leave what is neither", []string{`a "where":{"current":"AC"}`, `b "where":{"current":"DC"}`, `c`}, nil},
		{"a class within AC", []string{`a "where":{"current":"AC"}`, `b "where":{"below_kw":50}`}, nil},
		{"a hub through which nobody comes who is not taken before", []string{`a "where":{"hub":"DE*VRB","cpo":"DE*BLZ"}`, `b "where":{"cpo":"DE*BLZ"}`}, []int{1}},
	} {
		book := bookOf(t, c.rules...)
		if got := book.Unreachable(world); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPriceBookMatrix(t *testing.T) {
	book := bookOf(t, `strom-own "group":"Strom","where":{"own":true}`, `own "where":{"own":true}`, `dc "where":{"country":"DE","current":"DC","from_kw":50}`, `ac "where":{"country":"DE","current":"AC"}`)
	networks := []billing.Network{
		{Name: "own AC", At: billing.ChargePoint{Own: true, CPO: party("DE*AUE"), Country: "DE", Current: billing.AC}},
		{Name: "roaming AC", At: billing.ChargePoint{CPO: party("DE*NLK"), Country: "DE", Current: billing.AC}},
		{Name: "roaming DC", At: billing.ChargePoint{CPO: party("DE*NLK"), Country: "DE", Current: billing.DC}},
		{Name: "one of 150 kW", At: billing.ChargePoint{CPO: party("DE*NLK"), Country: "DE", Current: billing.DC, Power: kw("150")}},
		{Name: "France", At: billing.ChargePoint{CPO: party("FR*XYZ"), Country: "FR", Current: billing.DC}},
	}
	var got []string
	for _, cell := range book.Matrix([]string{"Strom", ""}, networks) {
		text := cell.Group + "/" + networks[cell.Network].Name + ":"
		for _, p := range cell.Prices {
			plan := p.Plan
			if p.Hole {
				plan = "HOLE"
			}
			text += fmt.Sprintf(" %s@%s", plan, p.FromKW)
			if p.BelowKW.Valid {
				text += "-" + p.BelowKW.Decimal.String()
			}
		}
		if cell.Holes() != strings.Contains(text, "HOLE") {
			t.Errorf("%s: holes %t", text, cell.Holes())
		}
		got = append(got, text)
	}
	want := []string{
		"Strom/own AC: P-strom-own@0", "Strom/roaming AC: P-ac@0", "Strom/roaming DC: HOLE@0-50 P-dc@50", "Strom/one of 150 kW: P-dc@0", "Strom/France: HOLE@0",
		"/own AC: P-own@0", "/roaming AC: P-ac@0", "/roaming DC: HOLE@0-50 P-dc@50", "/one of 150 kW: P-dc@0", "/France: HOLE@0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestBookRuleSays(t *testing.T) {
	book := bookOf(t, `a "group":"Strom","where":{"own":true,"current":"DC","from_kw":50,"below_kw":150}`, `b "where":{"cpo":"DE*NLK","country":"DE"}`, `c "card":"04AA"`)
	for i, want := range [][2]string{
		{"Gruppe Strom, eigene Ladepunkte, DC, von 50 bis unter 150 kW", "group Strom, own charge points, DC, from 50 to below 150 kW"},
		{"alle Kunden, Betreiber DE*NLK, Land DE", "all customers, CPO DE*NLK, country DE"},
		{"Karte 04AA, überall", "card 04AA, anywhere"},
	} {
		if de, en := book.Rules[i].Says("de"), book.Rules[i].Says("en"); de != want[0] || en != want[1] {
			t.Errorf("%q, %q", de, en)
		}
	}
}

func FuzzParsePriceBook(f *testing.F) {
	f.Add([]byte(`{"rules":[{"plan":"A","group":"G","where":{"cpo":"DE*ABC","from_kw":50,"current":"DC"}},{"plan":"B"}]}`))
	f.Fuzz(func(_ *testing.T, doc []byte) {
		book, err := billing.ParsePriceBook(doc)
		if err != nil || len(book.Rules) > 50 {
			return
		}
		book.Matrix([]string{"", "G"}, []billing.Network{{At: billing.ChargePoint{CPO: party("DE*ABC")}}})
		book.Unreachable(billing.World{})
	})
}
