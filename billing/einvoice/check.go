package einvoice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Finding is a business rule that a document breaks.
type Finding struct {
	Rule  string // "BR-CO-10"
	Where string // path of the element, with its position if there are several
	Text  string
}

func (f Finding) String() string { return f.Rule + " at " + f.Where + ": " + f.Text }

// Check judges a CII document by the business rules of EN 16931 that our documents touch, computed exactly (the official
// rules tolerate a VAT amount that is off by one), and by those of XRechnung if the document claims that profile. It returns
// nothing for a good document and does not replace the XML schema. Its error says why document is no CII at all.
func Check(document []byte) ([]Finding, error) {
	root, err := parse(document)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	xrechnung := strings.HasPrefix(root.get(profilePath), string(XRechnung))
	for _, r := range rules {
		if r.xrechnung && !xrechnung {
			continue
		}
		for i, n := range root.all(r.at) {
			if !r.holds(root, n) {
				where := r.at
				if i > 0 {
					where = fmt.Sprintf("%s[%d]", r.at, i+1)
				}
				findings = append(findings, Finding{r.id, "/" + where, r.text})
			}
		}
	}
	return findings, nil
}

// rule judges every element at a path.
type rule struct {
	id        string
	xrechnung bool // demanded by XRechnung only
	at        string
	text      string
	holds     func(root, n *node) bool
}

// needs is the rule that an element has a text at path.
func needs(id, at, path, what string) rule {
	return rule{id: id, at: at, text: what + " is missing", holds: func(_, n *node) bool { return n.has(path) }}
}

// needsXR is needs for XRechnung.
func needsXR(id, at, path, what string) rule {
	r := needs(id, at, path, what)
	r.xrechnung = true
	return r
}

// places is the rule that an amount has two decimals at most.
func places(id, at, path string) rule {
	return rule{id: id, at: at, text: path + " has more than two decimals", holds: func(_, n *node) bool {
		for _, f := range n.all(path) {
			if _, decimals, _ := strings.Cut(f.text, "."); len(decimals) > 2 {
				return false
			}
		}
		return true
	}}
}

// equal compares two figures of a document.
func equal(a decimal.Decimal, ok bool, b decimal.Decimal) bool { return ok && a.Equal(b) }

// lineNet is the sum of the line nets of a category and, unless rate is nil, a rate.
func lineNet(root *node, category string, rate *decimal.Decimal) decimal.Decimal {
	total := decimal.Zero
	for _, l := range root.all(linePath) {
		if l.get(lineTax+"/CategoryCode") != category {
			continue
		}
		if r, _ := l.num(lineTax + "/RateApplicablePercent"); rate != nil && !r.Equal(*rate) {
			continue
		}
		net, _ := l.num(lineSum)
		total = total.Add(net)
	}
	return total
}

// uses tells whether a line bears a VAT category.
func uses(root *node, category string) bool {
	return slices.ContainsFunc(root.all(linePath), func(l *node) bool { return l.get(lineTax+"/CategoryCode") == category })
}

// taxID tells whether a party has a tax registration of one of the schemes.
func taxID(root *node, party string, schemes ...string) bool {
	return slices.ContainsFunc(root.all(party+"/SpecifiedTaxRegistration/ID"), func(id *node) bool {
		return id.text != "" && slices.Contains(schemes, id.attrs["schemeID"])
	})
}
