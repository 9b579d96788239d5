package literal_test

import (
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/billing/literal"
	"github.com/roamwerk/roamwerk/ocpi"
)

// A comparison on made-up CDRs proves little if they do not go where prices have corners. These do, and often.
func TestGenerateReachesTheCorners(t *testing.T) {
	seen := map[string]int{}
	see := func(corner string, here bool) {
		times := seen[corner] // a corner never seen is in the map too
		if here {
			times++
		}
		seen[corner] = times
	}
	for n := range uint64(2000) {
		c := literal.Generate(rand.New(rand.NewPCG(n, 0)))
		price := c.Price()
		cdr := &c.CDR
		see("zone unknown", c.Zone == nil)
		see("credit", cdr.Credit)
		see("more energy fed back than charged", price.KWh.Sign() < 0)
		see("costs something", price.Total.Excl.Sign() != 0)
		see("limited", price.Limited)
		see("40 periods", len(cdr.ChargingPeriods) > 35)
		see("several tariffs", len(cdr.Tariffs) > 1)
		see("no end", cdr.EndDateTime.IsZero())
		see("periods not in order", !slices.IsSortedFunc(cdr.ChargingPeriods, byStart))
		see("period before the CDR", slices.ContainsFunc(cdr.ChargingPeriods, func(p ocpi.ChargingPeriod) bool { return p.StartDateTime.Before(cdr.StartDateTime) }))
		see("two periods at one instant", slices.ContainsFunc(cdr.ChargingPeriods[1:], func(p ocpi.ChargingPeriod) bool {
			return p.StartDateTime.Equal(cdr.ChargingPeriods[0].StartDateTime)
		}))
		seeClocks(see, c)
		seeLimits(see, c, price)
		seeCharges(see, c, price)
	}
	for corner, times := range seen {
		if times < 10 {
			t.Errorf("%s: %d times", corner, times)
		}
	}
}

func byStart(a, b ocpi.ChargingPeriod) int { return a.StartDateTime.Compare(b.StartDateTime) }

func seeClocks(see func(string, bool), c literal.Case) {
	if c.Zone == nil {
		return
	}
	offset := func(at time.Time) int {
		_, seconds := at.In(c.Zone).Zone()
		return seconds
	}
	first, last := slices.MinFunc(c.CDR.ChargingPeriods, byStart).StartDateTime, slices.MaxFunc(c.CDR.ChargingPeriods, byStart).StartDateTime
	see("clocks go forward", offset(first) < offset(last))
	see("clocks go back", offset(first) > offset(last))
}

func seeLimits(see func(string, bool), c literal.Case, price literal.Result) {
	for _, t := range c.CDR.Tariffs {
		for name, limit := range map[string]*ocpi.Price{"min_price": t.MinPrice, "max_price": t.MaxPrice} {
			if limit == nil || len(c.CDR.Tariffs) > 1 || !price.Limited || price.Open {
				continue
			}
			see(name+" binds without VAT", equal(price.Total.Excl, limit.ExclVAT.Decimal.Rat()))
			see(name+" binds with VAT", limit.InclVAT.Valid && equal(price.Total.Incl, limit.InclVAT.Decimal.Rat()))
			see(name+" binds without VAT and says nothing with it", !limit.InclVAT.Valid && equal(price.Total.Excl, limit.ExclVAT.Decimal.Rat()))
		}
	}
}

func equal(a, b *big.Rat) bool { return new(big.Rat).Abs(a).Cmp(b) == 0 }

func seeCharges(see func(string, bool), c literal.Case, price literal.Result) {
	rates := map[string]bool{}
	order := ""
	for _, charge := range price.Charges {
		see(charge.What, true)
		rates[charge.Component.VAT.Decimal.String()] = true
		see("no VAT", !charge.Component.VAT.Valid)
		see("0 % VAT", charge.Component.VAT.Valid && charge.Component.VAT.Decimal.IsZero())
		see("step 0", charge.Component.StepSize != nil && *charge.Component.StepSize == 0)
		see("step absent", charge.Component.StepSize == nil)
		if charge.What == "TIME" || charge.What == "PARKING_TIME" {
			order += charge.What[:1]
		}
		element := c.CDR.Tariffs[charge.Tariff].Elements[charge.Element]
		if element.Restrictions == nil {
			continue
		}
		see("reservation that lapsed, by its own element", element.Restrictions.Reservation == ocpi.ReservationExpires)
		fields := reflect.ValueOf(*element.Restrictions)
		for i := range fields.NumField() {
			if name := fields.Type().Field(i).Name; name != "Extra" {
				see("priced under "+name, !fields.Field(i).IsZero())
			}
		}
	}
	see("several rates of VAT", len(rates) > 1)
	for _, pattern := range []string{"TPT", "PTP"} {
		see("charge, park, charge "+pattern, containsInOrder(order, pattern))
	}
}

func containsInOrder(text, pattern string) bool {
	for _, letter := range text {
		if pattern != "" && byte(letter) == pattern[0] {
			pattern = pattern[1:]
		}
	}
	return pattern == ""
}
