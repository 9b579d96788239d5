package office

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// planForm is a plan as its form has it. What the form does not know stays as it is in the document.
type planForm struct {
	document bool // the whole plan is edited as a document
	name     string
	doc      string // the document itself, or what the form began with
	net      bool   // prices do not have VAT
	rows     []priceRow
	amounts  map[string]string // by their field
	from     string            // the day from which it shall count
	draft    string            // id of the draft into which it goes
}

// priceRow is a price with its condition.
type priceRow struct {
	kind, price, step                                           string
	element                                                     string // in which it stood: rows of one element stay together
	fromMin, toMin, start, end, fromKWh, toKWh, fromKW, belowKW string
	days                                                        []string
}

// rowKind is a kind of price that the form knows.
type rowKind struct {
	name      string
	of        []ocpi.TariffDimensionType
	blocking  bool
	perMinute bool // a price of hours, written by the minute
}

// rowKinds are the kinds of prices that the form knows. A blocking fee is by the time that a car charges and stands, or by the
// latter alone. Times are by the hour where a minute's price could not be written.
var rowKinds = []rowKind{
	{name: "ENERGY", of: []ocpi.TariffDimensionType{ocpi.ComponentEnergy}},
	{name: "FLAT", of: []ocpi.TariffDimensionType{ocpi.ComponentFlat}},
	{name: "TIME", of: []ocpi.TariffDimensionType{ocpi.ComponentTime}, perMinute: true},
	{name: "PARKING_TIME", of: []ocpi.TariffDimensionType{ocpi.ComponentParkingTime}, perMinute: true},
	{name: "BLOCKING", of: []ocpi.TariffDimensionType{ocpi.ComponentTime, ocpi.ComponentParkingTime}, blocking: true, perMinute: true},
	{name: "BLOCKING_PARKING", of: []ocpi.TariffDimensionType{ocpi.ComponentParkingTime}, blocking: true, perMinute: true},
	{name: "TIME_HOUR", of: []ocpi.TariffDimensionType{ocpi.ComponentTime}},
	{name: "PARKING_TIME_HOUR", of: []ocpi.TariffDimensionType{ocpi.ComponentParkingTime}},
	{name: "BLOCKING_HOUR", of: []ocpi.TariffDimensionType{ocpi.ComponentTime, ocpi.ComponentParkingTime}, blocking: true},
	{name: "BLOCKING_PARKING_HOUR", of: []ocpi.TariffDimensionType{ocpi.ComponentParkingTime}, blocking: true},
}

// rowKindOf finds a kind by its name; the first, if there is none.
func rowKindOf(name string) rowKind {
	return rowKinds[max(0, slices.IndexFunc(rowKinds, func(k rowKind) bool { return k.name == name }))]
}

// rowField is a condition of a row, with the restriction that it is and what one of its unit is there.
type rowField struct {
	field, member string
	factor        int64 // 0: a text
	of            func(*priceRow) *string
}

// rowFields are the conditions of a row in pairs: from and to.
var rowFields = []rowField{
	{"from-min", "min_duration", 60, func(r *priceRow) *string { return &r.fromMin }}, {"to-min", "max_duration", 60, func(r *priceRow) *string { return &r.toMin }},
	{"start", "start_time", 0, func(r *priceRow) *string { return &r.start }}, {"end", "end_time", 0, func(r *priceRow) *string { return &r.end }},
	{"from-kwh", "min_kwh", 1, func(r *priceRow) *string { return &r.fromKWh }}, {"to-kwh", "max_kwh", 1, func(r *priceRow) *string { return &r.toKWh }},
	{"from-kw", "min_power", 1, func(r *priceRow) *string { return &r.fromKW }}, {"below-kw", "max_power", 1, func(r *priceRow) *string { return &r.belowKW }},
}

// weekDays are the days of a week as OCPI writes them.
var weekDays = []string{"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"}

// amountFields are what the form knows of a plan besides its prices, in the order in which it is asked for.
var amountFields = []string{"vat", "cap", "min_price", "max_price", "base_fee", "ACTIVATION", "CARD", "EXTRA_CARD", "free", "free_unit", "free_id"}

// freeUnits are the units of what is free in a month.
var freeUnits = []billing.AllowanceUnit{billing.FreeKWh, billing.FreeMinutes, billing.FreeSessions}

const mostRows = 60

var sixty = decimal.NewFromInt(60)

// members are those of a JSON object.
type members = map[string]any

func readMembers(doc []byte) (members, error) {
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.UseNumber()
	var m members
	if err := decoder.Decode(&m); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON object")
	}
	return m, nil
}

// formOf shows a plan as a form; as a document, if the form would lose or change anything of it.
func formOf(doc []byte) planForm {
	f := planForm{doc: pretty(doc), amounts: map[string]string{}}
	plan, err := billing.ParsePlan(doc)
	if err != nil || !f.show(&plan) {
		f.document = true
		return f
	}
	again := f.write()
	f.document = len(again.wrong) > 0 || !sameDocument(doc, again.doc)
	return f
}

// show fills the form from a plan; false, if there is a price that it does not know.
func (f *planForm) show(plan *billing.Plan) bool {
	f.net = !plan.TaxIncluded
	side := func(p *ocpi.Price) string {
		switch {
		case p == nil:
		case plan.TaxIncluded && p.InclVAT.Valid:
			return p.InclVAT.Decimal.String()
		case p.ExclVAT.Valid:
			return p.ExclVAT.Decimal.String()
		}
		return ""
	}
	f.amounts["min_price"], f.amounts["max_price"] = side(plan.Tariff.MinPrice), side(plan.Tariff.MaxPrice)
	if plan.BaseFee.Kind != "" {
		f.amounts["base_fee"] = plan.BaseFee.Price.String()
	}
	for _, fee := range plan.OneOffFees {
		f.amounts[string(fee.Kind)] = fee.Price.String()
	}
	for _, c := range plan.Caps {
		if slices.Equal(c.Of, []billing.Dimension{billing.Blocking}) {
			f.amounts["cap"] = c.Max.String()
		}
	}
	if len(plan.Allowances) > 0 {
		a := &plan.Allowances[0]
		f.amounts["free"], f.amounts["free_unit"], f.amounts["free_id"] = a.Quantity.String(), string(a.Unit), a.ID
	}
	for i := range plan.Tariff.Elements {
		e := &plan.Tariff.Elements[i]
		rows, ok := rowsOf(e, plan.Blocking[i])
		if !ok {
			return false
		}
		for k := range rows {
			rows[k].element = fmt.Sprint(i)
		}
		f.rows = append(f.rows, rows...)
		for _, c := range e.PriceComponents {
			if c.VAT.Valid && f.amounts["vat"] == "" {
				f.amounts["vat"] = c.VAT.Decimal.String()
			}
		}
	}
	return len(f.rows) <= mostRows
}

// rowsOf are the rows of an element; false, if one of its components is of no kind that the form knows.
func rowsOf(e *ocpi.TariffElement, blocking bool) (rows []priceRow, ok bool) {
	for left := e.PriceComponents; len(left) > 0; {
		i := slices.IndexFunc(rowKinds, func(k rowKind) bool { return k.blocking == blocking && k.writes(left) })
		if i < 0 {
			return nil, false
		}
		r := priceRow{kind: rowKinds[i].name, price: left[0].Price.Decimal.String()}
		if rowKinds[i].perMinute {
			r.price = minutePrice(left[0].Price.Decimal).String()
		}
		if left[0].StepSize != nil {
			r.step = fmt.Sprint(*left[0].StepSize)
		}
		r.restrict(e.Restrictions)
		rows, left = append(rows, r), left[len(rowKinds[i].of):]
	}
	return rows, true
}

// minutePrice is the price of a minute, to as many places as are ever written.
func minutePrice(hour decimal.Decimal) decimal.Decimal { return hour.DivRound(sixty, 8) }

// writes reports whether a price of the kind is written as the first of some components.
func (k rowKind) writes(components []ocpi.PriceComponent) bool {
	if len(components) < len(k.of) {
		return false
	}
	first := &components[0]
	if k.perMinute && !minutePrice(first.Price.Decimal).Mul(sixty).Equal(first.Price.Decimal) {
		return false
	}
	for i, kind := range k.of {
		c := &components[i]
		if c.Type != kind || !c.Price.Decimal.Equal(first.Price.Decimal) || fmt.Sprint(valueOf(c.StepSize)) != fmt.Sprint(valueOf(first.StepSize)) {
			return false
		}
	}
	return true
}

// valueOf is what is pointed at; nil for nothing.
func valueOf[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// restrict shows the condition of an element.
func (r *priceRow) restrict(x *ocpi.TariffRestrictions) {
	if x == nil {
		return
	}
	number := func(d decimal.NullDecimal) string {
		if !d.Valid {
			return ""
		}
		return d.Decimal.String()
	}
	minutes := func(seconds *int) string {
		if seconds == nil {
			return ""
		}
		return decimal.NewFromInt(int64(*seconds)).DivRound(sixty, 6).String()
	}
	r.fromMin, r.toMin, r.start, r.end = minutes(x.MinDuration), minutes(x.MaxDuration), x.StartTime, x.EndTime
	r.fromKWh, r.toKWh, r.fromKW, r.belowKW = number(x.MinKWh), number(x.MaxKWh), number(x.MinPower), number(x.MaxPower)
	for _, day := range weekDays {
		if slices.Contains(x.DayOfWeek, ocpi.DayOfWeek(day)) {
			r.days = append(r.days, day)
		}
	}
}

// conditional reports whether a row has a condition.
func (r *priceRow) conditional() bool {
	return len(r.days) > 0 || slices.ContainsFunc(rowFields, func(field rowField) bool { return *field.of(r) != "" })
}

// readPlanForm reads what was posted.
func readPlanForm(form url.Values) planForm {
	get := func(field string) string { return strings.TrimSpace(form.Get(field)) }
	f := planForm{
		document: get("mode") == "document", name: get("name"), doc: form.Get("doc"), net: get("net") != "", from: get("from"), draft: get("draft"), amounts: map[string]string{},
	}
	for _, field := range amountFields {
		f.amounts[field] = get(field)
	}
	for i := 0; i < mostRows && form.Has(at("kind", i)); i++ {
		r := priceRow{kind: rowKindOf(get(at("kind", i))).name, price: get(at("price", i)), step: get(at("step", i)), element: get(at("element", i))}
		for _, field := range rowFields {
			*field.of(&r) = get(at(field.field, i))
		}
		for _, day := range weekDays {
			if slices.Contains(form[at("day", i)], day) {
				r.days = append(r.days, day)
			}
		}
		f.rows = append(f.rows, r)
	}
	return f
}

// sameDocument reports whether two JSON documents say the same, in whatever order and with however many zeros.
func sameDocument(a, b []byte) bool {
	x, err := readMembers(a)
	if err != nil {
		return false
	}
	y, err := readMembers(b)
	return err == nil && sameValue(x, y)
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case members:
		b, ok := b.(members)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, value := range a {
			if other, ok := b[name]; !ok || !sameValue(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameValue)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || amountOf(a.String()).Valid && amountOf(b.String()).Valid && amountOf(a.String()).Decimal.Equal(amountOf(b.String()).Decimal))
	}
	return a == b
}
