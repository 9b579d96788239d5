package lint

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Session is a synthetic charging session: what a driver did, one thing after the other.
type Session struct {
	Start  time.Time // instant
	Legs   []Leg
	Lapsed bool // it was reserved and nobody came
}

// Leg is a part of a session in which nothing changes. It becomes a charging period.
type Leg struct {
	Length   time.Duration
	KWh      decimal.Decimal
	Parked   bool
	Reserved bool

	LowPower, HighPower     decimal.NullDecimal // kW; invalid: not told
	LowCurrent, HighCurrent decimal.NullDecimal // A
}

// CDR is the charge detail record of a session, as a careful CPO would write it, without costs.
func (s Session) CDR(currency string) *ocpi.CDR {
	cdr := &ocpi.CDR{ID: "LINT", SessionID: "LINT", Currency: currency, StartDateTime: s.Start.UTC()}
	if s.Lapsed {
		cdr.SessionID = ""
	}
	at := s.Start.UTC()
	for _, leg := range s.Legs {
		p := ocpi.ChargingPeriod{StartDateTime: at}
		add := func(kind ocpi.CDRDimensionType, volume decimal.NullDecimal) {
			if volume.Valid {
				p.Dimensions = append(p.Dimensions, ocpi.CDRDimension{Type: kind, Volume: volume})
			}
		}
		hours := ocpi.Number(decimal.NewFromInt(leg.Length.Milliseconds()).DivRound(decimal.NewFromInt(3_600_000), 4))
		switch {
		case leg.Reserved:
			add(ocpi.DimensionReservationTime, hours)
		case leg.Parked:
			add(ocpi.DimensionParkingTime, hours)
		default:
			add(ocpi.DimensionTime, hours)
		}
		if !leg.KWh.IsZero() {
			add(ocpi.DimensionEnergy, ocpi.Number(leg.KWh))
		}
		add(ocpi.DimensionMinPower, leg.LowPower)
		add(ocpi.DimensionMaxPower, leg.HighPower)
		add(ocpi.DimensionMinCurrent, leg.LowCurrent)
		add(ocpi.DimensionMaxCurrent, leg.HighCurrent)
		cdr.ChargingPeriods = append(cdr.ChargingPeriods, p)
		at = at.Add(leg.Length)
	}
	cdr.EndDateTime = at
	return cdr
}

// Witness is a session that shows a finding, priced by the engine. What it shows happens at Moment, when KWh had been charged
// and Elapsed had passed since the session, or the reservation, began.
type Witness struct {
	Session
	Moment  time.Time
	Elapsed time.Duration
	KWh     decimal.Decimal

	Dimension billing.Dimension   // that is looked at
	Element   int                 // index of the element that prices it then, -1: none, it is free
	Price     decimal.NullDecimal // per unit
	Total     billing.Amount      // of the whole session
	Text      billing.Text        // "Sa 02:00, 12 kWh nach 40 min: Element 2 gilt, Energie 0,39 €/kWh"
}

// Charge is an amount of a dimension that a witness consumes from its moment on.
type charge struct {
	kwh    decimal.Decimal
	length time.Duration
}

// little is enough to see a price.
var little = charge{decimal.NewFromInt(1), 6 * time.Minute}

// takes is a witness of who prices a component's dimension at the moment that was found for it.
func (l *linter) takes(of *list, e *entry) *Witness {
	return l.witness(of, e.at, e.start, little).saying(l.whoPrices)
}

// holds is a witness of who prices a dimension when the restrictions of a component hold.
func (l *linter) holds(of *list, e *entry) *Witness {
	i, known := of.index(e.element), reading{instant: true}
	var m *moment
	if part, some := l.boxes(of, known)[i].within(l.space.instant(of.domain)); some {
		m, _ = l.space.left(part, nil, known, &l.budget)
	}
	if part, some := l.boxes(of, reading{})[i].within(of.domain); some && m == nil {
		m, _ = l.left(part, nil)
	}
	return l.witness(of, m, nil, little).saying(l.whoPrices)
}

// saying writes the words of a witness; of none it is none.
func (w *Witness) saying(words func(*Witness) billing.Text) *Witness {
	if w != nil {
		w.Text = words(w)
	}
	return w
}

// witness is a session that comes to a moment and then consumes an amount of a list's dimension. start, if it is there, tells
// with what power and current it begins.
func (l *linter) witness(of *list, m, start *moment, amount charge) *Witness {
	if m == nil {
		return nil
	}
	w := &Witness{Moment: m.at, Elapsed: m.elapsed, KWh: m.kwh, Dimension: of.name, Element: -1}
	w.Start, w.Lapsed = m.at.Add(-m.elapsed), of.phase == lapsed
	if m.elapsed > 0 {
		first := Leg{Length: m.elapsed, KWh: m.kwh, Reserved: of.phase != session}
		if start != nil {
			first.setLevels(start)
		}
		w.Legs = append(w.Legs, first)
	}
	last := Leg{Length: amount.length, Reserved: of.phase != session, Parked: of.name == billing.ParkingTime}
	last.setLevels(m)
	if of.name == billing.Energy {
		last.KWh = amount.kwh
	}
	w.Legs = append(w.Legs, last)
	l.price(w)
	return w
}

func (leg *Leg) setLevels(m *moment) {
	leg.LowPower, leg.HighPower, leg.LowCurrent, leg.HighCurrent = m.lowPower, m.highPower, m.lowCurrent, m.highCurrent
}

// price asks the engine.
func (l *linter) price(w *Witness) {
	r := billing.Rate(w.CDR(l.doc.Currency), []*billing.Tariff{l.tariff}, l.space.zone, billing.DefaultPolicy)
	w.Total = r.Total
	once := w.Dimension == billing.Flat || w.Dimension == billing.ReservationFlat
	i := slices.IndexFunc(r.Lines, func(line billing.Line) bool {
		return line.Dimension == w.Dimension && (once || !line.From.After(w.Moment) && line.To.After(w.Moment))
	})
	if i >= 0 {
		w.Element, w.Price = r.Lines[i].Element, decimal.NewNullDecimal(r.Lines[i].Price)
	}
}
