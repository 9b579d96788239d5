package billing

import (
	"github.com/roamwerk/roamwerk/ocpi"
)

// Plan is a retail tariff: an OCPI tariff with a small superset. It prices every session of the customers it is sold to,
// whatever the CPO's tariff is.
//
// The superset: "tax_included": "YES" says that prices and limits include VAT, as prices for consumers must in Germany (§ 3
// PAngV). The amount that was promised is then exact and the amount without VAT is derived from it.
type Plan struct {
	Tariff      ocpi.Tariff
	TaxIncluded bool
}

// ParsePlan reads a retail tariff from JSON. Errors are *ocpi.Error and name the field: unlike a partner's tariff, our own
// must be right in every part.
func ParsePlan(doc []byte) (Plan, error) {
	var p Plan
	if err := ocpi.Unmarshal(doc, &p.Tariff); err != nil {
		return Plan{}, err
	}
	p.TaxIncluded = taxIncluded(p.Tariff)
	if p.Tariff.Currency == "" {
		return Plan{}, ocpi.Findings{{Severity: ocpi.Reject, Path: "currency", Rule: "required"}}.Err()
	}
	if _, findings := p.Compile(); Worst(findings) == Block {
		var rejected ocpi.Findings
		for _, f := range findings {
			if f.Severity == Block {
				rejected = append(rejected, ocpi.Finding{Severity: ocpi.Reject, Path: f.Path, Rule: f.Message})
			}
		}
		return Plan{}, rejected.Err()
	}
	return p, nil
}

// Compile makes the plan ready for pricing.
func (p Plan) Compile() (*Tariff, []Finding) {
	return Compile(p.Tariff, CompileOptions{TaxIncluded: p.TaxIncluded, EveryPeriod: true})
}
