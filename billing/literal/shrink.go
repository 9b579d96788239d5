package literal

import (
	"reflect"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Shrink takes away from a case that fails whatever it can without it passing, and returns what is left.
func Shrink(c Case, fails func(Case) bool) Case {
	for progress := true; progress; {
		progress = false
		for i := 0; ; i++ {
			smaller := Case{CDR: clone(c.CDR), Zone: c.Zone}
			s := shrinker{skip: i}
			s.cdr(&smaller)
			if !s.done { // there is no such cut
				break
			}
			if s.changed && fails(smaller) {
				c, progress = smaller, true
				i--
			}
		}
	}
	return c
}

// shrinker walks over a case and makes one cut: the one after skip others.
type shrinker struct {
	skip          int
	done, changed bool
}

// next reports whether the cut that comes now is the one to make.
func (s *shrinker) next() bool {
	if s.done {
		return false
	}
	s.skip--
	s.done = s.skip < 0
	return s.done
}

func (s *shrinker) cdr(c *Case) {
	cut(s, &c.CDR.ChargingPeriods)
	cut(s, &c.CDR.Tariffs)
	zero(s, &c.Zone)
	zero(s, &c.CDR.Credit)
	zero(s, &c.CDR.SessionID)
	for i := range c.CDR.Tariffs {
		t := &c.CDR.Tariffs[i]
		zero(s, &t.MinPrice)
		zero(s, &t.MaxPrice)
		for _, limit := range []*ocpi.Price{t.MinPrice, t.MaxPrice} {
			if limit != nil {
				zero(s, &limit.InclVAT)
				s.number(&limit.ExclVAT)
				s.number(&limit.InclVAT)
			}
		}
		cut(s, &t.Elements)
		for j := range t.Elements {
			s.element(&t.Elements[j])
		}
	}
	for i := range c.CDR.ChargingPeriods {
		p := &c.CDR.ChargingPeriods[i]
		zero(s, &p.TariffID)
		cut(s, &p.Dimensions)
		for j := range p.Dimensions {
			s.number(&p.Dimensions[j].Volume)
		}
	}
}

func (s *shrinker) element(e *ocpi.TariffElement) {
	zero(s, &e.Restrictions)
	cut(s, &e.PriceComponents)
	for i := range e.PriceComponents {
		c := &e.PriceComponents[i]
		zero(s, &c.VAT)
		s.number(&c.Price)
		if s.next() && (c.StepSize == nil || *c.StepSize != 1) {
			c.StepSize, s.changed = ocpi.Ptr(1), true
		}
	}
	if r := e.Restrictions; r != nil {
		fields := reflect.ValueOf(r).Elem()
		for i := range fields.NumField() {
			if s.next() && !fields.Field(i).IsZero() {
				fields.Field(i).SetZero()
				s.changed = true
			}
		}
	}
}

// number becomes 1, or loses places.
func (s *shrinker) number(n *decimal.NullDecimal) {
	for places := int32(0); places < 4; places++ {
		if s.next() && n.Valid && !n.Decimal.Equal(n.Decimal.Round(places)) {
			n.Decimal, s.changed = n.Decimal.Round(places), true
		}
	}
	if s.next() && n.Valid && !n.Decimal.IsZero() && !n.Decimal.Equal(decimal.New(1, 0)) {
		n.Decimal, s.changed = decimal.New(1, 0), true
	}
}

// cut takes one item out of a list.
func cut[T any](s *shrinker, list *[]T) {
	for i := range *list {
		if s.next() {
			*list, s.changed = slices.Delete(*list, i, i+1), true
			return
		}
	}
}

func zero[T comparable](s *shrinker, field *T) {
	var none T
	if s.next() && *field != none {
		*field, s.changed = none, true
	}
}

// clone copies a CDR, as if it had been sent.
func clone(cdr ocpi.CDR) ocpi.CDR {
	text, err := ocpi.Marshal(cdr)
	if err != nil {
		panic(err) // every CDR of ours can be written
	}
	var copied ocpi.CDR
	if err := ocpi.Unmarshal(text, &copied); err != nil {
		panic(err)
	}
	return copied
}
