package billing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Dimension is what a line of a rating charges for.
type Dimension string

// The dimensions, in the order in which they are printed. The two limits stand for the difference that a minimum or maximum
// price makes.
const (
	ReservationFlat Dimension = "RESERVATION_FLAT"
	ReservationTime Dimension = "RESERVATION_TIME" // hours
	Flat            Dimension = "FLAT"
	Energy          Dimension = "ENERGY"       // kWh
	Time            Dimension = "TIME"         // hours of charging
	ParkingTime     Dimension = "PARKING_TIME" // hours of not charging
	MinPrice        Dimension = "MIN_PRICE"
	MaxPrice        Dimension = "MAX_PRICE"
)

// dimension is the index of a priced dimension.
type dimension int

const (
	energy dimension = iota
	charging
	parking
	consumed   // those before are measured
	flat       = consumed
	dimensions = consumed + 1
)

func dimensionOf(t ocpi.TariffDimensionType) (dim dimension, known bool) {
	switch t {
	case ocpi.ComponentFlat:
		return flat, true
	case ocpi.ComponentEnergy:
		return energy, true
	case ocpi.ComponentTime:
		return charging, true
	case ocpi.ComponentParkingTime:
		return parking, true
	}
	return 0, false
}

// phase is the part of a session that an element prices: elements with a reservation restriction price reservations and
// nothing else, all others never do.
type phase int

const (
	session phase = iota
	reserved
	expired
	phases
)

// Tariff is a tariff made ready for pricing. It is compiled once, never changes, and may be used by many goroutines.
type Tariff struct {
	ID          ocpi.CiString
	Party       ocpi.Party
	Currency    string // ISO 4217
	Hash        string // SHA-256 of the document, hexadecimal
	TaxIncluded bool   // prices and limits include VAT: a retail tariff

	everyPeriod bool
	validFrom   time.Time // zero: always
	validTo     time.Time // zero: for ever
	lastUpdated time.Time
	prices      [phases][dimensions]priceList
	vat         decimal.NullDecimal // of all components, if they agree
	limits      []priceLimit        // the minimum before the maximum
	clock       bool                // some restriction needs the local time
	level       bool                // some restriction needs a power or current
	oneElement  bool                // of the elements that match the first counts alone, for every dimension (OCPI 2.1.1)
	unreadable  bool                // some part is not understood, so no figure can be trusted (TAR-11)
}

// priceList is the components of one dimension in the order of the document: the first that matches counts (PRC-04).
type priceList struct {
	components []component
	edges      *edges // nil: within a period no restriction changes its answer
}

// priced reports whether some component has a price.
func (l *priceList) priced() bool {
	for i := range l.components {
		if !l.components[i].free {
			return true
		}
	}
	return false
}

// component is a price component with the restrictions of its element.
type component struct {
	element    int
	free       bool // stands for an element that matches without a price for the dimension, in a tariff of OCPI 2.1.1
	price      number
	unitPrice  decimal.Decimal // the same, per kWh, per hour, or once
	vat        vatRate
	step       int64 // Wh or seconds, at least 1
	conditions []*condition
	texts      []string
}

// CompileOptions are the readings of a tariff that its document may leave open.
type CompileOptions struct {
	TaxIncluded bool // prices include VAT, even if the document does not say so
	EveryPeriod bool // prices every period whatever tariff the period names: a retail tariff
}

// Compile makes a tariff ready for pricing and says what is remarkable about it. It never fails: what cannot be understood
// is a finding of severity Block, and every rating with the tariff carries one too.
//
// The member "tax_included": "YES", known from OCPI 2.3.0, has the same effect as the option TaxIncluded. Of a tariff that the
// member "ocpi_version" says to be one of OCPI 2.1.1, the first element that matches prices alone: where later versions look
// on for a dimension that it does not price, that dimension is free (VDF-07).
func Compile(doc ocpi.Tariff, opt CompileOptions) (*Tariff, []Finding) {
	t := &Tariff{
		ID: doc.ID, Party: doc.Party(), Currency: doc.Currency, Hash: hashOf(&doc),
		TaxIncluded: opt.TaxIncluded || taxIncluded(&doc),
		everyPeriod: opt.EveryPeriod,
		validFrom:   doc.StartDateTime, validTo: doc.EndDateTime, lastUpdated: doc.LastUpdated,
		oneElement: version(&doc) == ocpi.Version211,
	}
	c := compiler{tariff: t}
	c.limit("min_price", doc.MinPrice, -1)
	c.limit("max_price", doc.MaxPrice, 1)
	if len(t.limits) == 2 && t.limits[0].crosses(&t.limits[1]) {
		c.find("limits-cross", Flag, "min_price", "the minimum price is above the maximum price; the maximum counts")
	}
	if t.Currency == "" {
		c.find("tariff-without-currency", Flag, "currency", "the tariff has no currency; the CDR's is assumed")
	}
	if len(doc.Elements) == 0 {
		c.unreadable("elements", "the tariff has no elements")
	}
	c.makeRoom(doc.Elements)
	for i := range doc.Elements {
		c.element(i, &doc.Elements[i])
	}
	for during := range t.prices {
		for dim := range t.prices[during] {
			if list := &t.prices[during][dim]; list.edges != nil {
				list.edges.sort()
			}
		}
	}
	t.vat = commonRate(t)
	return t, c.findings
}

// commonRate returns the rate of VAT that all components bear, if they agree.
func commonRate(t *Tariff) decimal.NullDecimal {
	var common decimal.NullDecimal
	first := true
	for during := range t.prices {
		for dim := range t.prices[during] {
			components := t.prices[during][dim].components
			for i := range components {
				c := &components[i]
				if c.free {
					continue
				}
				if !first && !sameNumber(c.vat.rate, common) {
					return decimal.NullDecimal{}
				}
				common, first = c.vat.rate, false
			}
		}
	}
	return common
}

// UsesClock reports whether a price depends on the local time, so that the time zone of the Location matters.
func (t *Tariff) UsesClock() bool { return t.clock }

type compiler struct {
	tariff   *Tariff
	findings []Finding
}

func (c *compiler) find(code string, severity Severity, path, message string) {
	c.findings = append(c.findings, Finding{
		Code: code, Severity: severity, Path: path, Message: message,
		Params: map[string]string{"tariff": string(c.tariff.ID)},
	})
}

// unreadable marks the tariff as one that must not be used for pricing with the part at path left out (TAR-11).
func (c *compiler) unreadable(path, message string) {
	c.tariff.unreadable = true
	c.find("tariff-unreadable", Block, path, message)
}

// priceLimit is a minimum or maximum price in 3600ths of the currency unit. A side that is not stated limits nothing.
type priceLimit struct {
	hasExcl, hasIncl bool
	excl, incl       number
	side             int // of cmp that violates it: -1 of a minimum, 1 of a maximum
	stated           ExplainedLimit
}

func (l *priceLimit) hitsExcl(c cost) bool { return l.hasExcl && c.excl.cmp(l.excl) == l.side }
func (l *priceLimit) hitsIncl(c cost) bool { return l.hasIncl && c.incl.cmp(l.incl) == l.side }

func (l *priceLimit) crosses(upper *priceLimit) bool {
	return l.hasExcl && upper.hasExcl && l.excl.cmp(upper.excl) > 0 || l.hasIncl && upper.hasIncl && l.incl.cmp(upper.incl) > 0
}

// limit reads a limit. Of a tariff whose prices include VAT the side with VAT is the promise, and the other one follows.
func (c *compiler) limit(path string, doc *ocpi.Price, side int) {
	if doc == nil {
		return
	}
	if !sane(doc.ExclVAT.Decimal) || !sane(doc.InclVAT.Decimal) {
		c.unreadable(path, "the limit is not a usable number")
		return
	}
	if doc.ExclVAT.Valid && !doc.InclVAT.Valid && !c.tariff.TaxIncluded {
		c.find("limit-without-vat", Info, path, "the limit is not stated with VAT; that side is scaled (PRC-30)")
	}
	stated := ExplainedLimit{ExclVAT: doc.ExclVAT, InclVAT: doc.InclVAT}
	if c.tariff.TaxIncluded && doc.InclVAT.Valid {
		stated.ExclVAT = decimal.NullDecimal{}
	}
	c.tariff.addLimit(stated, side)
}

func (t *Tariff) addLimit(stated ExplainedLimit, side int) {
	if !stated.ExclVAT.Valid && !stated.InclVAT.Valid {
		return
	}
	t.limits = append(t.limits, priceLimit{
		side: side, stated: stated,
		hasExcl: stated.ExclVAT.Valid, excl: numberOf(stated.ExclVAT.Decimal).mul(secondsPerHour),
		hasIncl: stated.InclVAT.Valid, incl: numberOf(stated.InclVAT.Decimal).mul(secondsPerHour),
	})
}

// makeRoom gives the lists of the session, which most elements belong to, the memory that they need.
func (c *compiler) makeRoom(elements []ocpi.TariffElement) {
	var count [dimensions]int
	all := 0
	for i := range elements {
		for k := range elements[i].PriceComponents {
			if dim, known := dimensionOf(elements[i].PriceComponents[k].Type); known {
				count[dim]++
				all++
			}
		}
	}
	room := make([]component, all)
	for dim, n := range count {
		if n > 0 {
			c.tariff.prices[session][dim].components, room = room[:0:n], room[n:]
		}
	}
}

func (c *compiler) element(i int, element *ocpi.TariffElement) {
	path := func() string { return fmt.Sprintf("elements[%d]", i) }
	during, conditions, texts := c.restrictions(path, element.Restrictions)
	var seen [dimensions]bool
	for j := range element.PriceComponents {
		doc := &element.PriceComponents[j]
		path := func() string { return fmt.Sprintf("elements[%d].price_components[%d]", i, j) }
		dim, known := dimensionOf(doc.Type)
		if !known {
			c.unreadable(path()+".type", fmt.Sprintf("%q is not a dimension of OCPI 2.2.1", doc.Type))
			continue
		}
		if seen[dim] {
			c.find("duplicate-component", Flag, path(), "the element prices this dimension twice; the first counts (PRC-06)")
			continue
		}
		seen[dim] = true
		if during != session && (dim == energy || dim == parking) {
			c.find("reservation-dimension", Flag, path(), "only FLAT and TIME can price a reservation; ignored (PRC-26)")
			continue
		}
		compiled := c.component(path, dim, doc)
		compiled.element, compiled.conditions, compiled.texts = i, conditions, texts
		c.tariff.prices[during][dim].add(&compiled)
	}
	for dim := range dimensions {
		if c.tariff.oneElement && !seen[dim] {
			c.tariff.prices[during][dim].add(&component{element: i, free: true, conditions: conditions})
		}
	}
	if len(element.PriceComponents) == 0 {
		c.find("element-without-price", Flag, path(), "the element has no price component")
	}
}

func (l *priceList) add(c *component) {
	l.components = append(l.components, *c)
	for _, cond := range c.conditions {
		if cond.level {
			continue
		}
		if l.edges == nil {
			l.edges = new(edges)
		}
		l.edges.add(&cond.edges)
	}
}

func (c *compiler) component(path func() string, dim dimension, doc *ocpi.PriceComponent) component {
	compiled := component{unitPrice: doc.Price.Decimal, vat: vatRateOf(doc.VAT), step: 1}
	if !doc.Price.Valid || !sane(doc.Price.Decimal) {
		c.unreadable(path()+".price", "the price is missing or not a usable number")
		compiled.unitPrice = decimal.Zero
	}
	if doc.VAT.Valid && (!sane(doc.VAT.Decimal) || doc.VAT.Decimal.IsNegative()) {
		c.unreadable(path()+".vat", "the VAT rate is not a usable percentage")
		compiled.vat = vatRateOf(decimal.NullDecimal{})
	}
	switch {
	case dim == flat:
	case doc.StepSize == nil || *doc.StepSize < 0:
		c.find("step-size", Flag, path()+".step_size", "the step size is missing or negative and taken as 1")
	case *doc.StepSize > 0: // 0 counts as 1 (PRC-12)
		compiled.step = int64(*doc.StepSize)
	}
	compiled.price = numberOf(compiled.unitPrice)
	return compiled
}

// restrictions compiles the restrictions of an element and tells which part of a session they belong to.
func (c *compiler) restrictions(element func() string, doc *ocpi.TariffRestrictions) (phase, []*condition, []string) {
	if doc == nil {
		return session, nil, nil
	}
	path := func(field string) string { return element() + ".restrictions." + field }
	during := session
	var conditions []*condition
	var texts []string
	switch doc.Reservation {
	case "":
	case ocpi.ReservationActive:
		during = reserved
	case ocpi.ReservationExpires:
		during = expired
	default:
		c.unreadable(path("reservation"), fmt.Sprintf("%q is not a reservation restriction", doc.Reservation))
		conditions = append(conditions, never("reservation"))
	}
	if during != session {
		texts = append(texts, "reservation="+string(doc.Reservation))
	}
	for _, r := range restrictions {
		cond, err := r.compile(doc)
		if err != nil {
			c.unreadable(path(r.field), err.Error())
			conditions = append(conditions, never(r.field))
			continue
		}
		if cond != nil {
			conditions = append(conditions, cond)
			texts = append(texts, cond.text)
			c.tariff.clock = c.tariff.clock || len(cond.edges.clock) > 0
			c.tariff.level = c.tariff.level || cond.level
		}
	}
	for _, name := range unknownMembers(doc.Extra) {
		c.unreadable(path(name), fmt.Sprintf("%q is not a restriction of OCPI 2.2.1", name))
		conditions = append(conditions, never(name))
	}
	return during, conditions, texts
}

// never stands for a restriction that is not understood: its element must not win, and the tariff is marked.
func never(field string) *condition {
	return &condition{text: field + "=?", holds: func(*moment) verdict { return no }, level: true}
}

// unknownMembers names the members that say something which we do not understand. Partners decorate their objects with
// members of their own that begin with an underscore, and with nulls; those say nothing.
func unknownMembers(extra []byte) []string {
	if len(extra) == 0 {
		return nil
	}
	var members map[string]any
	if ocpi.Unmarshal(extra, &members) != nil {
		return nil
	}
	var names []string
	for name, value := range members {
		if value != nil && !strings.HasPrefix(name, "_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func taxIncluded(doc *ocpi.Tariff) bool { return member(doc, "tax_included") == "YES" }

// version is the version of OCPI by whose rules the tariff is to be priced; empty: 2.2.1.
func version(doc *ocpi.Tariff) ocpi.VersionNumber {
	return ocpi.VersionNumber(member(doc, ocpi.VersionMember))
}

// member is the text in a member that OCPI 2.2.1 does not know.
func member(doc *ocpi.Tariff, name string) string {
	if len(doc.Extra) == 0 {
		return ""
	}
	var members map[string]any
	if ocpi.Unmarshal(doc.Extra, &members) != nil {
		return ""
	}
	text, _ := members[name].(string)
	return text
}
