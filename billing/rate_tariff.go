package billing

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// assignTariffs gives each period the tariff that it names.
func (r *rater) assignTariffs() {
	unnamed := !slices.ContainsFunc(r.cdr.ChargingPeriods, func(p ocpi.ChargingPeriod) bool { return p.TariffID != "" })
	switch {
	case len(r.tariffs) == 0:
		r.find("no-tariff", Block, "tariffs", "there is no tariff, so nothing can be priced")
	case unnamed && len(r.tariffs) == 1 && !r.tariffs[0].everyPeriod:
		r.find("tariff-assumed", Info, "charging_periods", "no period names its tariff; the only one is taken (CDR-22)")
	case unnamed && len(r.tariffs) > 1:
		r.find("tariff-ambiguous", Block, "charging_periods", "no period names its tariff and there are several (PRC-01)")
	}
	for i, t := range r.tariffs {
		if slices.ContainsFunc(r.tariffs[:i], func(other *Tariff) bool { return t.ID != "" && other.ID.Equal(t.ID) && other.Hash != t.Hash }) {
			r.find("tariff-twice", Flag, fmt.Sprintf("tariffs[%d].id", i), fmt.Sprintf("there is another tariff %q before this one; that one is taken", t.ID))
		}
	}
	for i := range r.periods {
		p := &r.periods[i]
		id := r.cdr.ChargingPeriods[p.index].TariffID
		for _, t := range r.tariffs {
			if t.everyPeriod || id != "" && t.ID.Equal(id) || unnamed && len(r.tariffs) == 1 {
				p.tariff = t
				break
			}
		}
		switch {
		case p.tariff == nil && id != "":
			r.find("tariff-unknown", Block, p.path()+".tariff_id", fmt.Sprintf("the CDR has no tariff %q", id))
		case p.tariff != nil && !slices.Contains(r.used, p.tariff):
			r.used = append(r.used, p.tariff)
		}
	}
	r.currency = r.cdr.Currency
	if len(r.used) > 0 {
		r.currency = cmp.Or(r.used[0].Currency, r.cdr.Currency)
	}
	for _, t := range r.used {
		r.checkTariff(t)
	}
}

func (r *rater) checkTariff(t *Tariff) {
	if t.unreadable {
		r.find("tariff-unreadable", Block, "tariffs", fmt.Sprintf("tariff %q has parts that are not understood (TAR-11)", t.ID))
	}
	if start := r.start; !start.IsZero() &&
		(!t.validFrom.IsZero() && start.Before(t.validFrom) || !t.validTo.IsZero() && start.After(t.validTo)) {
		r.find("tariff-not-valid", Flag, "tariffs", fmt.Sprintf("tariff %q was not valid when the session began (TAR-07)", t.ID))
	}
	if r.cdr.Currency != "" && t.Currency != "" && t.Currency != r.cdr.Currency {
		severity := Block
		if t.everyPeriod { // our own price need not be in the CPO's currency
			severity = Info
		}
		r.find("currency-differs", severity, "currency", fmt.Sprintf("the CDR is in %s, tariff %q in %s (PRC-33)", r.cdr.Currency, t.ID, t.Currency))
	}
	r.checkMeasured(t)
}

// checkMeasured finds what the tariff prices and the periods do not tell, although the totals of the CDR do.
func (r *rater) checkMeasured(t *Tariff) {
	missing := func(dim dimension, total decimal.NullDecimal, path string) {
		if total.Decimal.IsPositive() && t.prices[session][dim].priced() {
			r.find("quantity-missing", Flag, path, "the tariff prices this quantity, the CDR states its total, but no period has it")
		}
	}
	if !r.measured[energy] {
		missing(energy, r.cdr.TotalEnergy, "total_energy")
	}
	if !r.measured[charging] && !r.measured[parking] {
		missing(charging, r.cdr.TotalTime, "total_time")
	}
	if !r.measured[parking] {
		missing(parking, r.cdr.TotalParkingTime, "total_parking_time")
	}
}

func (r *rater) checkZone() {
	for _, t := range r.used {
		if t.clock {
			r.find("zone-unknown", Flag, "cdr_location", "prices depend on local time and the time zone is not known; UTC is taken (PRC-09)")
			return
		}
	}
}
