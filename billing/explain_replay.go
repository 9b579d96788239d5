package billing

import (
	"errors"
	"fmt"

	"github.com/shopspring/decimal"
)

// ErrNotReplayable is the error of an explanation that contradicts itself.
var ErrNotReplayable = errors.New("the explanation contradicts itself")

// Replay computes every figure of the rating anew from what the explanation says was read and chosen. It knows no restriction
// and no clock: those are behind the choices. A figure that comes out otherwise is an error that wraps ErrNotReplayable, and
// the rating tells what it should be.
func (e *Explanation) Replay() (Rating, error) {
	r := rater{policy: e.Policy, facts: facts{currency: e.Currency, credit: e.Credit, lapsed: e.Lapsed, energyTold: e.EnergyTold, energyStated: e.Energy}}
	for i := range e.Tariffs {
		r.used = append(r.used, e.Tariffs[i].tariff())
	}
	components := map[componentKey]*component{}
	r.periods = make([]period, len(e.Periods))
	for i := range e.Periods {
		if err := r.replayPeriod(&r.periods[i], &e.Periods[i], components); err != nil {
			return Rating{}, err
		}
	}
	r.roundSteps()
	r.settle()
	rating := r.rating()
	for i := range e.Rating.Lines {
		if l := e.Rating.Lines[i]; l.reduction() {
			a := newReducer(&rating)
			a.add(l, a.promised(&l).Neg())
		}
	}
	rating.Findings, rating.TimeZone, rating.Engine = e.Rating.Findings, e.TimeZone, e.Engine
	return rating, e.Rating.sameAs(&rating)
}

// sameAs compares all figures of two ratings.
func (r *Rating) sameAs(other *Rating) error {
	figures, others := r.figures(), other.figures()
	if len(figures) != len(others) {
		return fmt.Errorf("%d figures instead of %d: %w", len(figures), len(others), ErrNotReplayable)
	}
	for i := range figures {
		if figures[i].name != others[i].name || !figures[i].value.Equal(others[i].value) {
			return fmt.Errorf("%s is %s, and %s comes out as %s: %w", figures[i].name, figures[i].value, others[i].name, others[i].value, ErrNotReplayable)
		}
	}
	return nil
}

type namedFigure struct {
	name  string
	value decimal.Decimal
}

// figures are all numbers of a rating.
func (r *Rating) figures() []namedFigure {
	list := []namedFigure{{"TotalEnergy", r.TotalEnergy}, {"TotalTime", r.TotalTime}, {"TotalParkingTime", r.TotalParkingTime}, {"Slack", r.Slack}}
	amount := func(name string, a Amount) {
		list = append(list, namedFigure{name + ".ExclVAT", a.ExclVAT}, namedFigure{name + ".InclVAT", a.InclVAT})
	}
	amount("Total", r.Total)
	amount("Fixed", r.Fixed)
	amount("Energy", r.Energy)
	amount("Time", r.Time)
	amount("Parking", r.Parking)
	amount("Reservation", r.Reservation)
	for i := range r.Lines {
		l, name := &r.Lines[i], fmt.Sprintf("Lines[%d]", i)
		list = append(list, namedFigure{name + ".Measured", l.Measured}, namedFigure{name + ".Quantity", l.Quantity},
			namedFigure{name + ".Price", l.Price}, namedFigure{name + ".VATRate", l.VATRate.Decimal})
		amount(name, Amount{l.ExclVAT, l.InclVAT})
	}
	for i := range r.VAT {
		name := fmt.Sprintf("VAT[%d]", i)
		list = append(list, namedFigure{name + ".Rate", r.VAT[i].Rate.Decimal})
		amount(name, r.VAT[i].Amount)
	}
	return list
}

// componentKey tells the components of an explanation apart.
type componentKey struct {
	tariff  int
	of      pool
	element int
}

func (r *rater) replayPeriod(p *period, e *ExplainedPeriod, components map[componentKey]*component) error {
	*p = period{
		index: e.Index, from: e.From, to: e.To, open: e.Open,
		reservation: numberOf(e.Reservation), estimated: e.Estimated, places: e.Places,
	}
	p.volume[energy], p.volume[charging], p.volume[parking] = numberOf(e.Energy), numberOf(e.Charging), numberOf(e.Parking)
	if e.Tariff < 0 {
		return nil
	}
	if e.Tariff >= len(r.used) {
		return fmt.Errorf("period %d has tariff %d of %d: %w", e.Index, e.Tariff, len(r.used), ErrNotReplayable)
	}
	p.tariff = r.used[e.Tariff]
	for i := range e.Choices {
		c := &e.Choices[i]
		of, known := poolNamed(c.Dimension)
		if !known {
			return fmt.Errorf("period %d prices %q: %w", e.Index, c.Dimension, ErrNotReplayable)
		}
		if quantity := p.quantity(of); !quantity.decimal().Equal(c.Quantity) {
			return fmt.Errorf("period %d has %s of %s and prices %s: %w", e.Index, quantity.decimal(), c.Dimension, c.Quantity, ErrNotReplayable)
		}
		switch {
		case of == reservationTime && c.Quantity.IsZero():
			continue
		case c.Element < 0 || c.Free:
			if dim, ok := of.dimension(); ok {
				r.leave(dim, numberOf(c.Quantity))
			}
			continue
		}
		key := componentKey{e.Tariff, of, c.Element}
		if components[key] == nil {
			components[key] = c.component()
		}
		if of != sessionFlat || !r.isLast(of, components[key]) {
			r.add(of, p, components[key], numberOf(c.Quantity))
		}
	}
	return nil
}

func poolNamed(dim Dimension) (pool, bool) {
	for of := range pools {
		if poolDimension[of] == dim {
			return of, true
		}
	}
	return 0, false
}

func (e *ExplainedChoice) component() *component {
	return &component{
		element: e.Element, price: numberOf(e.Price), unitPrice: e.Price, vat: vatRateOf(e.VATRate), step: e.StepSize, texts: e.Restrictions,
	}
}

// tariff is what of a tariff still matters when its components are chosen.
func (e *ExplainedTariff) tariff() *Tariff {
	t := &Tariff{ID: e.ID, Hash: e.Hash, TaxIncluded: e.TaxIncluded, Currency: e.Currency, vat: e.VATRate}
	t.addLimit(e.Minimum, -1)
	t.addLimit(e.Maximum, 1)
	return t
}
