package jobs

import (
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// judge applies the plausibility rules.
func (r *rating) judge(ctx context.Context) ([]billing.Finding, error) {
	tenant, err := r.q.Tenant(ctx, r.state.TenantID)
	if err != nil {
		return nil, fmt.Errorf("tenant: %w", err)
	}
	days, err := r.q.CDRDays(ctx, r.state.PartnerID)
	if err != nil {
		return nil, fmt.Errorf("what is agreed with the partner: %w", err)
	}
	evidence := billing.Evidence{
		CDR: r.cdr, Wholesale: r.wholesale, Verdict: r.verdict, Retail: r.retail.Rating, RetailNet: r.retail.net,
		ReceivedAt: r.state.ReceivedAt, MaxPower: r.place.maxPower(),
		MaxDays: decimal.NullDecimal{Decimal: decimal.NewFromInt32(days), Valid: days > 0},
	}
	evidence.Meter, evidence.NeedsMeter = r.meterEvidence(tenant)
	findings := billing.Judge(evidence)
	if r.place.country != tenant.Country {
		findings = append(findings, foreignVAT(r.place.country, r.retail.vat))
	}
	return findings, nil
}

// foreignVAT reminds a clerk that a session abroad bears the VAT of that country, for which the utility must be registered.
func foreignVAT(country string, vat billing.VAT) billing.Finding {
	return billing.Finding{
		Code: "foreign-vat", Severity: billing.Flag, Path: "cdr_location.country",
		Message: fmt.Sprintf("charged in %s: taxed there at %s %%", country, vat.Rate), Params: map[string]string{"country": country, "rate": vat.Rate.String()},
	}
}

// flags are the rules that a person should know of, each once.
func flags(findings []billing.Finding) []string {
	ids := []string{}
	for _, f := range findings {
		if f.Severity != billing.Info && !slices.Contains(ids, f.Code) {
			ids = append(ids, f.Code)
		}
	}
	return ids
}
