package main

import (
	"cmp"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/billing"
)

// priceByPlan prices one CDR for a customer. What depends on other sessions is left out: an allowance is untouched, and there is
// no voucher and no price that was shown before.
func (p *pricer) priceByPlan(raw jsontext.Value, plan *billing.Retail) (*pricedCDR, error) {
	doc, err := readPriced(raw)
	if err != nil {
		return nil, err
	}
	cdr := &doc.cdr
	zone := cmp.Or(p.zone, doc.zone)
	if zone == nil {
		zone = billing.ZoneAt(&cdr.CDRLocation)
	}
	loc := &cdr.CDRLocation
	at := billing.ChargePoint{EVSE: billing.FoldEVSE(loc.EVSEID), Location: loc.ID.Fold(), CPO: cdr.Party().Fold(), Country: billing.Alpha2(loc.Country)}
	if loc.ConnectorPowerType != "" {
		at.Current = billing.CurrentOf(loc.ConnectorPowerType)
	}
	rating, _ := plan.Rate(cdr, zone, &at, nil)
	priced := newPricedCDR(cdr.ID, cdr.Currency, &rating, append(doc.findings, rating.Findings...))
	priced.Sentence = &pricedText[string]{billing.AgreedSentence(rating, "de"), billing.AgreedSentence(rating, "en")}
	return priced, nil
}
