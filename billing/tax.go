package billing

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// VATCategory is the VAT treatment of a supply, as coded in UNTDID 5305 (EN 16931 BT-151).
type VATCategory string

// The VAT categories that Roamwerk decides on.
const (
	VATStandard      VATCategory = "S"  // a rate above zero
	VATZero          VATCategory = "Z"  // taxed at zero percent
	VATExempt        VATCategory = "E"  // exempt, with the reason on the document
	VATReverseCharge VATCategory = "AE" // the customer owes the tax (§ 13b UStG)
	VATOutside       VATCategory = "O"  // no supply in the sense of the law: an employee's outlay, damages; alone on its document (BR-O-11)
)

// VAT is the tax decision for one supply.
type VAT struct {
	Category VATCategory
	Rate     decimal.Decimal // percent, zero unless Category is VATStandard
	Reason   string          // why no tax is charged, needed for VATExempt and VATOutside
}

// ErrNoTaxRule is wrapped by DecideVAT for a supply that no rule covers. It must stop the document: a guessed rate is owed
// (§ 14c UStG).
var ErrNoTaxRule = errors.New("no VAT rule")

// vatRates are the rates at which electricity at public charge points is taxed, each valid from its day until the next entry of
// the same country. A country without a line stops the session: those that tax electricity at a reduced rate in some cases
// (Ireland, Luxembourg, Italy, …) are left out until a tax adviser has decided them. Billing a session abroad needs a
// registration there, or the one-stop shop, which is open for electricity from 2027 on.
var vatRates = []struct {
	country string
	from    string
	percent int64
}{
	{"DE", "2007-01-01", 19}, // § 12(1) UStG
	{"DE", "2020-07-01", 16}, // § 28(1) UStG
	{"DE", "2021-01-01", 19},
	{"AT", "2013-01-01", 20},
	{"BE", "2013-01-01", 21},
	{"CZ", "2013-01-01", 21},
	{"DK", "2013-01-01", 25},
	{"ES", "2013-01-01", 21},
	{"FR", "2014-01-01", 20},
	{"HU", "2013-01-01", 27},
	{"NL", "2013-01-01", 21},
	{"PL", "2013-01-01", 23},
	{"SE", "2013-01-01", 25},
	{"SI", "2014-01-01", 22},
	{"SK", "2013-01-01", 20},
	{"SK", "2025-01-01", 23},
}

// DecideVAT tells how electricity that was taken at a charge point is taxed. The place of supply is where the current is
// consumed (§ 3g(2) UStG), so country is that of the charge point (ISO 3166-1 alpha-2); at is the end of the supply, in the
// time zone of that country. A reseller with valid evidence (form USt 1 TH) owes the tax of a domestic supply itself
// (§ 13b(2) no. 5 UStG).
//
// It returns an error that wraps ErrNoTaxRule for a country or a day without a rule.
func DecideVAT(country string, at time.Time, reseller bool) (VAT, error) {
	day := at.Format(time.DateOnly)
	percent := int64(-1)
	for _, r := range vatRates {
		if r.country == country && r.from <= day {
			percent = r.percent
		}
	}
	switch {
	case percent < 0:
		return VAT{}, fmt.Errorf("electricity in %q on %s: %w", country, day, ErrNoTaxRule)
	case reseller:
		return VAT{Category: VATReverseCharge}, nil
	}
	return VAT{Category: VATStandard, Rate: decimal.NewFromInt(percent)}, nil
}

// VATRates returns the rates at which a country (ISO 3166-1 alpha-2) taxes electricity at public charge points on some day
// from one to another, both included, the earliest first; a zero last day is for ever.
func VATRates(country string, first, last time.Time) []decimal.Decimal {
	var rates []decimal.Decimal
	for _, r := range vatRates {
		if r.country != country || !last.IsZero() && r.from > last.Format(time.DateOnly) {
			continue
		}
		if r.from <= first.Format(time.DateOnly) {
			rates = nil // what it replaces was over by then
		}
		rates = append(rates, decimal.NewFromInt(r.percent))
	}
	return rates
}

// VATCountries returns the countries that VATRates knows.
func VATCountries() []string {
	var known []string
	for _, r := range vatRates {
		if !slices.Contains(known, r.country) {
			known = append(known, r.country)
		}
	}
	return known
}

// reverseChargeReason is the wording that § 14a(5) UStG prescribes; other official languages of the Union may use their own.
var reverseChargeReason = map[string]string{
	"de": "Steuerschuldnerschaft des Leistungsempfängers",
	"en": "Reverse charge: the customer is liable for the VAT",
}

// vatGroup is the lines of one VAT category and rate.
type vatGroup struct {
	category VATCategory
	rate     decimal.Decimal
	lines    []int // indexes
	reasons  []string
}

// vatGroups groups lines by category and rate, in order of the rate, then of the category.
func vatGroups(lines []DraftLine) []*vatGroup {
	var groups []*vatGroup
	for i, l := range lines {
		at := slices.IndexFunc(groups, func(g *vatGroup) bool { return g.category == l.VAT.Category && g.rate.Equal(l.VAT.Rate) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, &vatGroup{category: l.VAT.Category, rate: l.VAT.Rate})
		}
		g := groups[at]
		g.lines = append(g.lines, i)
		if l.VAT.Reason != "" && !slices.Contains(g.reasons, l.VAT.Reason) {
			g.reasons = append(g.reasons, l.VAT.Reason)
		}
	}
	slices.SortFunc(groups, func(a, b *vatGroup) int {
		return cmp.Or(a.rate.Cmp(b.rate), cmp.Compare(a.category, b.category))
	})
	return groups
}

// reason is the text of BT-120. EN 16931 allows one per category and rate, so several are joined.
func (g *vatGroup) reason(language string) string {
	if g.category == VATReverseCharge {
		return reverseChargeReason[language]
	}
	return strings.Join(g.reasons, "; ")
}

var (
	hundred = decimal.NewFromInt(100)
	cent    = decimal.New(1, -2)
)

// netOfGross splits amounts that include VAT at rate percent (cents exact). The sum of nets is the rounded net of the sum of
// the amounts, so sum(gross) − sum(nets) is the tax of the group; the residue is spread by largest remainder, the earlier
// line first, so no line is more than a cent away from its own exact net.
func netOfGross(gross []decimal.Decimal, rate decimal.Decimal) (nets []decimal.Decimal, sum decimal.Decimal) {
	divisor := hundred.Add(rate)
	type remainder struct {
		line int
		of   decimal.Decimal
	}
	nets = make([]decimal.Decimal, len(gross))
	rests := make([]remainder, len(gross))
	total, floors := decimal.Zero, decimal.Zero
	for i, g := range gross {
		q, r := g.Mul(hundred).QuoRem(divisor, 2)
		if r.IsNegative() { // QuoRem truncates; the remainder is counted from the floor
			q, r = q.Sub(cent), r.Add(divisor.Mul(cent))
		}
		nets[i], rests[i] = q, remainder{i, r}
		total, floors = total.Add(g), floors.Add(q)
	}
	sum = Round(total.Mul(hundred).Div(divisor), 2) // 16 digits tell a true half cent from a near one
	slices.SortStableFunc(rests, func(a, b remainder) int { return b.of.Cmp(a.of) })
	for _, r := range rests[:sum.Sub(floors).Shift(2).IntPart()] {
		nets[r.line] = nets[r.line].Add(cent)
	}
	return nets, sum
}
