package billing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// TariffComparison sets the tariff in a CDR beside the version of it that the CPO had published and that was valid when the
// session began.
type TariffComparison struct {
	ID        ocpi.CiString
	Published bool           // there is such a version
	Changes   []TariffChange // from the published version to the one in the CDR; none: they price alike
	Effect    Amount         // what the CDR costs more by the one in it
}

// TariffChange is something that prices and that two versions of a tariff say differently.
type TariffChange struct {
	Path   string // in the tariff: "elements[1].price_components[0].price"
	From   string // as in the document; empty: absent
	To     string
	Effect Amount // what it alone changes in the price of a CDR
	apply  func(*ocpi.Tariff)
}

// CompareTariffs compares the tariffs in a CDR with those that were published. The effects are on the price of this CDR.
func CompareTariffs(cdr *ocpi.CDR, published []ocpi.Tariff, zone *time.Location, p Policy) []TariffComparison {
	var list []TariffComparison
	for i := range cdr.Tariffs {
		embedded := &cdr.Tariffs[i]
		c := TariffComparison{ID: embedded.ID}
		if k := slices.IndexFunc(published, func(t ocpi.Tariff) bool { return t.ID.Equal(embedded.ID) }); k >= 0 {
			c.Published = true
			c.Changes = ChangesOf(&published[k], embedded)
			if len(c.Changes) > 0 {
				c.price(cdr, i, &published[k], zone, p)
			}
		}
		list = append(list, c)
	}
	return list
}

// price finds the effects: of all changes together, and of each alone.
func (c *TariffComparison) price(cdr *ocpi.CDR, i int, published *ocpi.Tariff, zone *time.Location, p Policy) {
	tariffs := make([]*Tariff, len(cdr.Tariffs))
	for k := range cdr.Tariffs {
		tariffs[k], _ = Compile(cdr.Tariffs[k], CompileOptions{})
	}
	var pricer Pricer
	by := func(doc *ocpi.Tariff) Amount {
		tariffs[i], _ = Compile(*doc, CompileOptions{})
		return pricer.Price(cdr, tariffs, zone, p)
	}
	base := by(published)
	c.Effect = by(&cdr.Tariffs[i]).minus(base)
	for k := range c.Changes {
		changed := *published
		changed.Elements = copyElements(published.Elements)
		c.Changes[k].apply(&changed)
		c.Changes[k].Effect = by(&changed).minus(base)
	}
}

func (a Amount) minus(b Amount) Amount {
	return Amount{ExclVAT: a.ExclVAT.Sub(b.ExclVAT), InclVAT: a.InclVAT.Sub(b.InclVAT)}
}

// copyElements copies what a change may write to.
func copyElements(elements []ocpi.TariffElement) []ocpi.TariffElement {
	copied := slices.Clone(elements)
	for i := range copied {
		copied[i].PriceComponents = slices.Clone(copied[i].PriceComponents)
		if r := copied[i].Restrictions; r != nil {
			restrictions := *r
			copied[i].Restrictions = &restrictions
		}
	}
	return copied
}

// ChangesOf lists in what two versions of a tariff price differently: not its texts, its dates or its order of members, but every
// price, VAT, step, limit and restriction. Where a tariff has another number of elements, or an element of components, all of
// them are one change.
func ChangesOf(from, to *ocpi.Tariff) []TariffChange {
	var d tariffDiff
	d.text("currency", from.Currency, to.Currency, func(t *ocpi.Tariff) { t.Currency = to.Currency })
	d.text("tax_included", strconv.FormatBool(taxIncluded(from)), strconv.FormatBool(taxIncluded(to)), func(t *ocpi.Tariff) { t.Extra = to.Extra })
	d.price("min_price", from.MinPrice, to.MinPrice, func(t *ocpi.Tariff) { t.MinPrice = to.MinPrice })
	d.price("max_price", from.MaxPrice, to.MaxPrice, func(t *ocpi.Tariff) { t.MaxPrice = to.MaxPrice })
	if len(from.Elements) != len(to.Elements) {
		d.add("elements", fmt.Sprint(len(from.Elements)), fmt.Sprint(len(to.Elements)), func(t *ocpi.Tariff) { t.Elements = to.Elements })
		return d.changes
	}
	for i := range from.Elements {
		d.element(i, &from.Elements[i], &to.Elements[i])
	}
	return d.changes
}

type tariffDiff struct{ changes []TariffChange }

func (d *tariffDiff) add(path, from, to string, apply func(*ocpi.Tariff)) {
	d.changes = append(d.changes, TariffChange{Path: path, From: from, To: to, apply: apply})
}

func (d *tariffDiff) text(path, from, to string, apply func(*ocpi.Tariff)) {
	if from != to {
		d.add(path, from, to, apply)
	}
}

func (d *tariffDiff) number(path string, from, to decimal.NullDecimal, apply func(*ocpi.Tariff)) {
	if !sameNumber(from, to) {
		d.add(path, plain(from), plain(to), apply)
	}
}

func plain(n decimal.NullDecimal) string {
	if !n.Valid {
		return ""
	}
	return n.Decimal.String()
}

func (d *tariffDiff) price(path string, from, to *ocpi.Price, apply func(*ocpi.Tariff)) {
	var a, b ocpi.Price
	if from != nil {
		a = *from
	}
	if to != nil {
		b = *to
	}
	if !sameNumber(a.ExclVAT, b.ExclVAT) || !sameNumber(a.InclVAT, b.InclVAT) {
		d.add(path, strings.Trim(plain(a.ExclVAT)+" / "+plain(a.InclVAT), " /"), strings.Trim(plain(b.ExclVAT)+" / "+plain(b.InclVAT), " /"), apply)
	}
}

func (d *tariffDiff) element(i int, from, to *ocpi.TariffElement) {
	path := fmt.Sprintf("elements[%d]", i)
	if len(from.PriceComponents) != len(to.PriceComponents) {
		d.add(path+".price_components", fmt.Sprint(len(from.PriceComponents)), fmt.Sprint(len(to.PriceComponents)),
			func(t *ocpi.Tariff) { t.Elements[i].PriceComponents = to.PriceComponents })
	} else {
		for j := range from.PriceComponents {
			d.component(i, j, &from.PriceComponents[j], &to.PriceComponents[j])
		}
	}
	d.restrictions(i, from.Restrictions, to.Restrictions)
}

func (d *tariffDiff) component(i, j int, from, to *ocpi.PriceComponent) {
	path := fmt.Sprintf("elements[%d].price_components[%d]", i, j)
	set := func(f func(c *ocpi.PriceComponent)) func(*ocpi.Tariff) {
		return func(t *ocpi.Tariff) { f(&t.Elements[i].PriceComponents[j]) }
	}
	d.text(path+".type", string(from.Type), string(to.Type), set(func(c *ocpi.PriceComponent) { c.Type = to.Type }))
	d.number(path+".price", from.Price, to.Price, set(func(c *ocpi.PriceComponent) { c.Price = to.Price }))
	d.number(path+".vat", from.VAT, to.VAT, set(func(c *ocpi.PriceComponent) { c.VAT = to.VAT }))
	if from.Type != ocpi.ComponentFlat || to.Type != ocpi.ComponentFlat {
		d.text(path+".step_size", stepOf(from), stepOf(to), set(func(c *ocpi.PriceComponent) { c.StepSize = to.StepSize }))
	}
}

// stepOf is a step size as it is used: nothing and 0 are 1 (PRC-12).
func stepOf(c *ocpi.PriceComponent) string {
	if c.StepSize == nil {
		return "1"
	}
	return strconv.Itoa(max(*c.StepSize, 1))
}

// restrictions compares them by what they mean: the same window, whichever way it is written, is no change.
func (d *tariffDiff) restrictions(i int, from, to *ocpi.TariffRestrictions) {
	a, b := restrictionTexts(from), restrictionTexts(to)
	if slices.Equal(a, b) {
		return
	}
	d.add(fmt.Sprintf("elements[%d].restrictions", i), strings.Join(a, " "), strings.Join(b, " "),
		func(t *ocpi.Tariff) { t.Elements[i].Restrictions = to })
}

// restrictionTexts are the restrictions of an element, each in one way of writing it.
func restrictionTexts(doc *ocpi.TariffRestrictions) []string {
	if doc == nil {
		return nil
	}
	var texts []string
	say := func(field, value string) {
		if value != "" {
			texts = append(texts, field+"="+value)
		}
	}
	say("reservation", string(doc.Reservation))
	if start, end, err := Window(doc); err != nil {
		say("time", doc.StartTime+"-"+doc.EndTime)
	} else if start != 0 || end != day {
		say("time", localTime{second: start}.clock()+"-"+localTime{second: end}.clock())
	}
	say("start_date", doc.StartDate)
	say("end_date", doc.EndDate)
	var days []string
	for _, name := range doc.DayOfWeek {
		if !slices.Contains(days, string(name)) {
			days = append(days, string(name))
		}
	}
	if slices.Sort(days); len(days) < 7 { // all of them are no restriction
		say("day_of_week", strings.Join(days, ","))
	}
	for _, limit := range []struct {
		field string
		value decimal.NullDecimal
	}{
		{"min_kwh", doc.MinKWh}, {"max_kwh", doc.MaxKWh}, {"min_current", doc.MinCurrent}, {"max_current", doc.MaxCurrent},
		{"min_power", doc.MinPower}, {"max_power", doc.MaxPower},
	} {
		say(limit.field, plain(limit.value))
	}
	for _, limit := range []struct {
		field string
		value *int
	}{{"min_duration", doc.MinDuration}, {"max_duration", doc.MaxDuration}} {
		if limit.value != nil {
			say(limit.field, strconv.Itoa(*limit.value))
		}
	}
	for _, name := range unknownMembers(doc.Extra) {
		say(name, "?")
	}
	return texts
}
