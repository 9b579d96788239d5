package billing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// planDoc is what a plan has beside the members of an OCPI tariff.
type planDoc struct {
	OCPIVersion string         `json:"ocpi_version"`
	TaxIncluded string         `json:"tax_included"`
	Caps        []planCapDoc   `json:"caps"`
	Allowances  []allowanceDoc `json:"allowances"`
	Discounts   []discountDoc  `json:"discounts"`
	BaseFee     *feeDoc        `json:"base_fee"`
	OneOffFees  []feeDoc       `json:"one_off_fees"`
	Extra       jsontext.Value `json:",embed"`
}

type planCapDoc struct {
	Dimensions []Dimension         `json:"dimensions"`
	Max        decimal.NullDecimal `json:"max"`
	Extra      jsontext.Value      `json:",embed"`
}

type allowanceDoc struct {
	ID         string              `json:"id"`
	Unit       AllowanceUnit       `json:"unit"`
	Quantity   decimal.NullDecimal `json:"quantity"`
	Per        string              `json:"per"`
	Dimensions []Dimension         `json:"dimensions"`
	Where      *whereDoc           `json:"where"`
	Extra      jsontext.Value      `json:",embed"`
}

type discountDoc struct {
	Name       string              `json:"name"`
	Percent    decimal.NullDecimal `json:"percent"`
	Amount     decimal.NullDecimal `json:"amount"`
	Dimensions []Dimension         `json:"dimensions"`
	From       time.Time           `json:"start_date_time"`
	To         time.Time           `json:"end_date_time"`
	Extra      jsontext.Value      `json:",embed"`
}

type feeDoc struct {
	Kind  FeeKind             `json:"kind"`
	Price decimal.NullDecimal `json:"price"`
	VAT   decimal.NullDecimal `json:"vat"`
	Per   string              `json:"per"`
	Extra jsontext.Value      `json:",embed"`
}

// Reducible are the dimensions that caps, allowances and discounts can be about.
var Reducible = []Dimension{Flat, Energy, Time, ParkingTime, Blocking, ReservationFlat, ReservationTime}

// ParsePlan reads a retail tariff from JSON. Errors are *ocpi.Error and name field, rule and value: unlike a partner's tariff,
// our own must be right in every part.
func ParsePlan(doc []byte) (Plan, error) {
	var p planParser
	if err := ocpi.Unmarshal(doc, &p.plan.Tariff); err != nil {
		return Plan{}, err
	}
	var members planDoc
	if len(p.plan.Tariff.Extra) > 0 {
		if err := ocpi.Unmarshal(p.plan.Tariff.Extra, &members); err != nil {
			return Plan{}, err
		}
	}
	p.tariff(&members)
	for i := range members.Caps {
		p.limit(fmt.Sprintf("caps[%d]", i), &members.Caps[i])
	}
	for i := range members.Allowances {
		p.allowance(fmt.Sprintf("allowances[%d]", i), &members.Allowances[i])
	}
	for i := range members.Discounts {
		p.discount(fmt.Sprintf("discounts[%d]", i), &members.Discounts[i])
	}
	if members.BaseFee != nil {
		p.baseFee("base_fee", members.BaseFee)
	}
	for i := range members.OneOffFees {
		p.oneOffFee(fmt.Sprintf("one_off_fees[%d]", i), &members.OneOffFees[i])
	}
	if err := p.findings.Err(); err != nil {
		return Plan{}, err
	}
	return p.plan, nil
}

type planParser struct {
	plan     Plan
	findings ocpi.Findings
}

func (p *planParser) refuse(path, rule, value string) {
	p.findings = append(p.findings, ocpi.Finding{Severity: ocpi.Reject, Path: path, Rule: rule, Value: value})
}

// strangers refuses members that we do not know: a misspelt price is no price. Names that begin with an underscore are
// somebody's notes.
func (p *planParser) strangers(path string, extra jsontext.Value) {
	for _, name := range unknownMembers(extra) {
		at := name
		if path != "" {
			at = path + "." + name
		}
		p.refuse(at, "not a member of a plan", "")
	}
}

// tariff checks the part that is an OCPI tariff.
func (p *planParser) tariff(members *planDoc) {
	t := &p.plan.Tariff
	p.strangers("", members.Extra)
	if t.Currency == "" {
		p.refuse("currency", "required", "")
	}
	switch members.TaxIncluded {
	case "YES":
		p.plan.TaxIncluded = true
	case "", "NO":
	default:
		p.refuse("tax_included", "YES or NO", members.TaxIncluded)
	}
	p.limitPrice("min_price", t.MinPrice)
	p.limitPrice("max_price", t.MaxPrice)
	_, findings := p.plan.Compile()
	for _, f := range findings {
		if f.Severity == Block {
			p.refuse(f.Path, f.Message, "")
		}
	}
	p.plan.Blocking = make([]bool, len(t.Elements))
	for i := range t.Elements {
		p.element(fmt.Sprintf("elements[%d]", i), i, &t.Elements[i])
	}
}

// limitPrice checks the least or the most that a session costs.
func (p *planParser) limitPrice(path string, price *ocpi.Price) {
	if price == nil {
		return
	}
	for side, amount := range map[string]decimal.NullDecimal{"excl_vat": price.ExclVAT, "incl_vat": price.InclVAT} {
		if amount.Decimal.IsNegative() {
			p.refuse(path+"."+side, "at least 0", amount.Decimal.String())
		}
	}
}

func (p *planParser) element(path string, i int, element *ocpi.TariffElement) {
	var members struct {
		Fee   string         `json:"fee"`
		Extra jsontext.Value `json:",embed"`
	}
	if len(element.Extra) > 0 {
		if err := ocpi.Unmarshal(element.Extra, &members); err != nil {
			p.refuse(path+".fee", "a text", "")
			return
		}
	}
	p.strangers(path, members.Extra)
	switch Dimension(members.Fee) {
	case "":
	case Blocking:
		p.plan.Blocking[i] = true
	default:
		p.refuse(path+".fee", "BLOCKING or absent", members.Fee)
	}
	for k := range element.PriceComponents {
		c := &element.PriceComponents[k]
		at := fmt.Sprintf("%s.price_components[%d]", path, k)
		p.strangers(at, c.Extra)
		if c.Price.Decimal.IsNegative() {
			p.refuse(at+".price", "at least 0", c.Price.Decimal.String())
		}
		if p.plan.Blocking[i] && c.Type != ocpi.ComponentTime && c.Type != ocpi.ComponentParkingTime {
			p.refuse(at+".type", "TIME or PARKING_TIME in an element that is a blocking fee", string(c.Type))
		}
	}
}

func (p *planParser) limit(path string, doc *planCapDoc) {
	p.strangers(path, doc.Extra)
	if len(doc.Dimensions) == 0 {
		p.refuse(path+".dimensions", "required", "")
	}
	p.plan.Caps = append(p.plan.Caps, PlanCap{
		Of:  p.dimensions(path+".dimensions", doc.Dimensions, Reducible),
		Max: p.amount(path+".max", doc.Max),
	})
}

func (p *planParser) allowance(path string, doc *allowanceDoc) {
	p.strangers(path, doc.Extra)
	a := PlanAllowance{ID: doc.ID, Unit: doc.Unit, Quantity: doc.Quantity.Decimal}
	switch {
	case a.ID == "":
		p.refuse(path+".id", "required", "")
	case len(a.ID) > 36:
		p.refuse(path+".id", "at most 36 characters", a.ID)
	case slices.ContainsFunc(p.plan.Allowances, func(b PlanAllowance) bool { return b.ID == a.ID }):
		p.refuse(path+".id", "not used twice", a.ID)
	}
	if doc.Per != "" && doc.Per != "MONTH" {
		p.refuse(path+".per", "MONTH", doc.Per)
	}
	p.positive(path+".quantity", doc.Quantity)
	var usual, possible []Dimension
	switch a.Unit {
	case FreeKWh:
		usual, possible = []Dimension{Energy}, []Dimension{Energy}
	case FreeMinutes:
		usual, possible = []Dimension{Time}, []Dimension{Time, ParkingTime, Blocking, ReservationTime}
	case FreeSessions:
		usual, possible = []Dimension{Flat, Energy, Time, ParkingTime}, Reducible
		if !a.Quantity.IsInteger() {
			p.refuse(path+".quantity", "a whole number of sessions", a.Quantity.String())
		}
	default:
		p.refuse(path+".unit", "kWh, min or session", string(a.Unit))
	}
	a.Of = usual
	if len(doc.Dimensions) > 0 && len(possible) > 0 {
		a.Of = p.dimensions(path+".dimensions", doc.Dimensions, possible)
	}
	if doc.Where != nil {
		var findings ocpi.Findings
		a.Where, findings = doc.Where.read(path + ".where")
		p.findings = append(p.findings, findings...)
		p.strangers(path+".where", doc.Where.Extra)
	}
	p.plan.Allowances = append(p.plan.Allowances, a)
}

func (p *planParser) discount(path string, doc *discountDoc) {
	p.strangers(path, doc.Extra)
	if strings.TrimSpace(doc.Name) == "" {
		p.refuse(path+".name", "required", "")
	}
	switch {
	case doc.Percent.Valid == doc.Amount.Valid:
		p.refuse(path+".percent", "either percent or amount", "")
	case doc.Percent.Valid && (!doc.Percent.Decimal.IsPositive() || doc.Percent.Decimal.GreaterThan(hundred)):
		p.refuse(path+".percent", "above 0 and at most 100", doc.Percent.Decimal.String())
	case doc.Amount.Valid:
		p.positive(path+".amount", doc.Amount)
	}
	if !doc.To.IsZero() && !doc.From.Before(doc.To) {
		p.refuse(path+".end_date_time", "after start_date_time", doc.To.Format(time.RFC3339))
	}
	of := Reducible
	if len(doc.Dimensions) > 0 {
		of = p.dimensions(path+".dimensions", doc.Dimensions, Reducible)
	}
	p.plan.Discounts = append(p.plan.Discounts, PlanDiscount{
		Name: doc.Name, Percent: doc.Percent.Decimal, Amount: doc.Amount.Decimal, Of: of, From: doc.From, To: doc.To,
	})
}

func (p *planParser) baseFee(path string, doc *feeDoc) {
	p.strangers(path, doc.Extra)
	if doc.Kind != "" && doc.Kind != FeeBase {
		p.refuse(path+".kind", "BASE or absent", string(doc.Kind))
	}
	if doc.Per != "" && doc.Per != "MONTH" {
		p.refuse(path+".per", "MONTH", doc.Per)
	}
	p.plan.BaseFee = p.fee(path, FeeBase, doc)
}

func (p *planParser) oneOffFee(path string, doc *feeDoc) {
	p.strangers(path, doc.Extra)
	switch {
	case doc.Kind != FeeActivation && doc.Kind != FeeCard && doc.Kind != FeeExtraCard:
		p.refuse(path+".kind", "ACTIVATION, CARD or EXTRA_CARD", string(doc.Kind))
	case slices.ContainsFunc(p.plan.OneOffFees, func(f PlanFee) bool { return f.Kind == doc.Kind }):
		p.refuse(path+".kind", "not used twice", string(doc.Kind))
	}
	if doc.Per != "" {
		p.refuse(path+".per", "absent: it is due once", doc.Per)
	}
	p.plan.OneOffFees = append(p.plan.OneOffFees, p.fee(path, doc.Kind, doc))
}

func (p *planParser) fee(path string, kind FeeKind, doc *feeDoc) PlanFee {
	if doc.VAT.Valid && (!sane(doc.VAT.Decimal) || doc.VAT.Decimal.IsNegative()) {
		p.refuse(path+".vat", "a usable percentage", doc.VAT.Decimal.String())
	}
	return PlanFee{Kind: kind, Price: p.amount(path+".price", doc.Price), VAT: doc.VAT}
}

// amount reads a price, which is needed and not negative.
func (p *planParser) amount(path string, value decimal.NullDecimal) decimal.Decimal {
	switch {
	case !value.Valid:
		p.refuse(path, "required", "")
	case !sane(value.Decimal), value.Decimal.IsNegative():
		p.refuse(path, "a usable amount of at least 0", value.Decimal.String())
	}
	return value.Decimal
}

func (p *planParser) positive(path string, value decimal.NullDecimal) {
	switch {
	case !value.Valid:
		p.refuse(path, "required", "")
	case !sane(value.Decimal), !value.Decimal.IsPositive():
		p.refuse(path, "a usable number above 0", value.Decimal.String())
	}
}

func (p *planParser) dimensions(path string, list, possible []Dimension) []Dimension {
	for i, dim := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case !slices.Contains(possible, dim):
			p.refuse(at, "one of "+joined(possible), string(dim))
		case slices.Contains(list[:i], dim):
			p.refuse(at, "not used twice", string(dim))
		}
	}
	return list
}

func joined(dims []Dimension) string {
	texts := make([]string, len(dims))
	for i, dim := range dims {
		texts[i] = string(dim)
	}
	return strings.Join(texts, ", ")
}
