package office

import (
	"strings"

	"github.com/a-h/templ"
	"github.com/shopspring/decimal"
)

// none stands where a figure does not exist yet.
const none = "–"

// money is an amount that may not exist.
func (v *visit) money(d decimal.NullDecimal, currency string) string {
	if !d.Valid {
		return none
	}
	return v.Lang.Money(d.Decimal, currency)
}

func join(texts []string) string { return strings.Join(texts, " ") }

// orNone is a text, or what stands for none.
func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}

// at marks the item of the navigation that the page belongs to.
func (v *visit) at(path string) templ.Attributes {
	if v.Address == path {
		return templ.Attributes{"aria-current": "page"}
	}
	if strings.HasPrefix(v.Address, path+"/") {
		return templ.Attributes{"aria-current": "true"}
	}
	return nil
}

// within marks the item of the navigation that the page belongs to by its address or others.
func (v *visit) within(path string, also []string) templ.Attributes {
	marks := v.at(path)
	for _, other := range also {
		if marks == nil && v.at(other) != nil {
			marks = templ.Attributes{"aria-current": "true"}
		}
	}
	return marks
}

// exportOf is the address of what a list shows as a table.
func exportOf(l listQuery) string {
	n := l.changed(map[string]string{"after": "", "before": ""})
	n.path += ".csv"
	return n.href()
}
