package office

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// planWriter makes a document of a form.
type planWriter struct {
	doc    []byte
	wrong  []string          // fields that are no numbers
	places map[string]string // the field from which a part of the document came, by its path
}

// write makes the document of the form.
func (f *planForm) write() planWriter {
	w := planWriter{places: map[string]string{"currency": "doc", "elements": at("kind", 0), "tax_included": "net"}}
	if f.document {
		w.doc = []byte(f.doc)
		return w
	}
	m, err := readMembers([]byte(f.doc))
	if err != nil {
		m = members{"currency": "EUR"}
	}
	if included, said := m["tax_included"]; !f.net {
		m["tax_included"] = "YES"
	} else if said && included != "NO" {
		m["tax_included"] = "NO"
	}
	m["elements"] = w.elements(f)
	w.limits(f, m)
	w.fees(f, m)
	w.allowance(f, m)
	if w.doc, err = json.Marshal(m); err != nil {
		w.wrong = append(w.wrong, "doc")
	}
	return w
}

// number reads what stands in a field.
func (w *planWriter) number(field, text string) json.Number {
	d := amountOf(text)
	if !d.Valid || len(text) > 20 || d.Decimal.Exponent() > 9 {
		w.wrong = append(w.wrong, field)
		return "0"
	}
	return json.Number(d.Decimal.String())
}

// times is a number in another unit.
func times(n json.Number, factor decimal.Decimal) json.Number {
	return json.Number(decimal.RequireFromString(n.String()).Mul(factor).String())
}

// elements are the rows with a price. Those of one condition that stood together do so again, and a new one joins those before
// it, unless they have a price of its kind already.
func (w *planWriter) elements(f *planForm) []any {
	elements := []any{}
	var last *priceRow
	var components []any
	var kinds []string
	for i := range f.rows {
		r := &f.rows[i]
		if r.price == "" {
			continue
		}
		k := rowKindOf(r.kind)
		joins := last != nil && last.sameCondition(r) && rowKindOf(last.kind).blocking == k.blocking && (r.element == last.element || r.element == "" && !k.among(kinds))
		if !joins {
			elements, components, kinds = append(elements, members{}), nil, nil
		}
		path := elementPath(len(elements) - 1)
		for _, kind := range k.of {
			at := path + componentPath(len(components))
			components, kinds = append(components, w.component(f, i, at, string(kind))), append(kinds, string(kind))
		}
		e := elements[len(elements)-1].(members) //nolint:forcetypeassert // made here
		e["price_components"] = components
		if k.blocking {
			e["fee"] = string(billing.Blocking)
		}
		if x := w.restrictions(i, path, r); len(x) > 0 {
			e["restrictions"] = x
		}
		if !joins {
			w.places[path] = at("kind", i)
			last = r
		}
	}
	return elements
}

// among reports whether one of the components of the kind is there already.
func (k rowKind) among(kinds []string) bool {
	for _, kind := range k.of {
		if slices.Contains(kinds, string(kind)) {
			return true
		}
	}
	return false
}

// sameCondition reports whether two rows count at the same times.
func (r *priceRow) sameCondition(other *priceRow) bool {
	for _, field := range rowFields {
		if *field.of(r) != *field.of(other) {
			return false
		}
	}
	return slices.Equal(r.days, other.days)
}

func elementPath(i int) string   { return "elements" + index(i) }
func componentPath(i int) string { return ".price_components" + index(i) }

// component is the price of a row.
func (w *planWriter) component(f *planForm, i int, path, kind string) members {
	r := &f.rows[i]
	price := w.number(at("price", i), r.price)
	if rowKindOf(r.kind).perMinute {
		price = times(price, sixty)
	}
	w.places[path], w.places[path+".step_size"], w.places[path+".vat"] = at("price", i), at("step", i), "vat"
	c := members{"type": kind, "price": price}
	if f.amounts["vat"] != "" {
		c["vat"] = w.number("vat", f.amounts["vat"])
	}
	if r.step != "" {
		c["step_size"] = w.number(at("step", i), r.step)
	}
	return c
}

func (w *planWriter) restrictions(i int, path string, r *priceRow) members {
	x := members{}
	for _, field := range rowFields {
		text := *field.of(r)
		w.places[path+".restrictions."+field.member] = at(field.field, i)
		switch {
		case text == "":
		case field.factor == 0:
			x[field.member] = text
		default:
			x[field.member] = times(w.number(at(field.field, i), text), decimal.NewFromInt(field.factor))
		}
	}
	if len(r.days) > 0 {
		x["day_of_week"] = r.days
	}
	return x
}

// limits are the least and the most that a session costs, and the most of its blocking fee.
func (w *planWriter) limits(f *planForm, m members) {
	side := map[bool]string{true: "excl_vat", false: "incl_vat"}[f.net]
	for _, limit := range []string{"min_price", "max_price"} {
		w.places[limit] = limit
		if delete(m, limit); f.amounts[limit] != "" {
			m[limit] = members{side: w.number(limit, f.amounts[limit])}
		}
	}
	blocking := func(_ int, c members) bool {
		of, _ := c["dimensions"].([]any)
		return len(of) == 1 && of[0] == string(billing.Blocking)
	}
	var value members
	if f.amounts["cap"] != "" {
		value = members{"dimensions": []any{string(billing.Blocking)}, "max": w.number("cap", f.amounts["cap"])}
	}
	w.places[setIn(m, "caps", blocking, value)] = "cap"
}

// fees are what a contract costs without charging.
func (w *planWriter) fees(f *planForm, m members) {
	fee := func(field string, more members) members {
		if f.amounts[field] == "" {
			return nil
		}
		more["price"] = w.number(field, f.amounts[field])
		if f.amounts["vat"] != "" {
			more["vat"] = w.number("vat", f.amounts["vat"])
		}
		return more
	}
	w.places["base_fee"] = "base_fee"
	base, _ := m["base_fee"].(members)
	if value := fee("base_fee", members{}); value == nil {
		delete(m, "base_fee")
	} else {
		m["base_fee"] = changed(base, value)
	}
	for _, kind := range []string{string(billing.FeeActivation), string(billing.FeeCard), string(billing.FeeExtraCard)} {
		w.places[setIn(m, "one_off_fees", func(_ int, x members) bool { return x["kind"] == kind }, fee(kind, members{"kind": kind}))] = kind
	}
}

// allowance is what is free in a month: the first of the plan, others stay.
func (w *planWriter) allowance(f *planForm, m members) {
	var value members
	if f.amounts["free"] != "" {
		value = members{"id": f.amounts["free_id"], "unit": f.amounts["free_unit"], "quantity": w.number("free", f.amounts["free"])}
	}
	path := setIn(m, "allowances", func(i int, _ members) bool { return i == 0 }, value)
	w.places[path], w.places[path+".id"], w.places[path+".unit"] = "free", "free_id", "free_unit"
}

// setIn changes the object of a list that fits, or adds it, and says at which path it stands; without a value it takes it out.
func setIn(m members, name string, fits func(int, members) bool, value members) string {
	list, _ := m[name].([]any)
	i := 0
	for ; i < len(list); i++ {
		if x, ok := list[i].(members); ok && fits(i, x) {
			break
		}
	}
	switch {
	case i < len(list) && value != nil:
		x, _ := list[i].(members)
		list[i] = changed(x, value)
	case i < len(list):
		if list = slices.Delete(list, i, i+1); len(list) == 0 {
			delete(m, name)
			return name
		}
		m[name] = list
	case value != nil:
		m[name] = append(list, value)
	}
	return name + index(i)
}

// changed is an object with other values; a VAT that is not among them is gone.
func changed(x, value members) members {
	all := members{}
	for name, v := range x {
		if name != "vat" {
			all[name] = v
		}
	}
	for name, v := range value {
		all[name] = v
	}
	return all
}

// field is where the form has what stands at a path of the document; false, if it has it nowhere.
func (w *planWriter) field(path string) (string, bool) {
	for path != "" {
		if field, ok := w.places[path]; ok {
			return field, true
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return "", false
}

// index is the place of something in a list, as paths write it.
func index(i int) string { return "[" + strconv.Itoa(i) + "]" }
