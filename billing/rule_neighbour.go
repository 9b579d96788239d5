package billing

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// What the rules measure of a session beside the others of its card.

// sameSession counts the CDRs that came before this one for its session.
func sameSession(e *Evidence) decimal.NullDecimal {
	if e.CDR.SessionID == "" {
		return absent
	}
	n := 0
	for _, other := range e.Neighbours {
		if other.Earlier && other.Session.Equal(e.CDR.SessionID) {
			n++
		}
	}
	return count(n)
}

// nearestStart is how many seconds before or after this one another session began with the same card at the same charge point,
// whose CDR came first.
func nearestStart(e *Evidence) decimal.NullDecimal {
	at := e.CDR.CDRLocation.EVSEID
	if at == "" || at == ocpi.NotApplicable || known(e.CDR.StartDateTime).IsZero() {
		return absent
	}
	nearest := absent
	for _, other := range e.Neighbours {
		if !other.Earlier || !other.SameCard || !other.EVSE.Equal(at) {
			continue
		}
		apart := lasting(other.Start.Sub(e.CDR.StartDateTime)).Abs()
		if !nearest.Valid || apart.LessThan(nearest.Decimal) {
			nearest = decimal.NewNullDecimal(apart)
		}
	}
	return nearest
}

// together is for how many minutes the card was charging elsewhere at the same time, at most.
func together(e *Evidence) decimal.NullDecimal {
	most := absent
	for _, other := range e.others() {
		start, end := e.CDR.StartDateTime, e.CDR.EndDateTime
		if other.Start.After(start) {
			start = other.Start
		}
		if other.End.Before(end) {
			end = other.End
		}
		most = higher(most, lasting(max(end.Sub(start), 0)).DivRound(sixty, 4))
	}
	return most
}

// travel is how fast the card must have gone from the session before, or to the one after, in km/h. Less than two kilometres
// are within the accuracy of what people enter as coordinates; sessions at the same time are taken to be a minute apart.
func travel(e *Evidence) decimal.NullDecimal {
	here := e.CDR.CDRLocation.Coordinates
	latitude, longitude := degrees(here.Latitude), degrees(here.Longitude)
	fastest := absent
	for _, other := range e.others() {
		km, ok := distance(latitude, longitude, other.Latitude, other.Longitude)
		if !ok || km.LessThan(decimal.NewFromInt(2)) {
			continue
		}
		between := max(other.Start.Sub(e.CDR.EndDateTime), e.CDR.StartDateTime.Sub(other.End), time.Minute)
		fastest = higher(fastest, km.Mul(decimal.NewFromInt(3600)).DivRound(lasting(between), 4))
	}
	return fastest
}

// others are the sessions with the same card, if this one's own times are known.
func (e *Evidence) others() []Neighbour {
	if known(e.CDR.StartDateTime).IsZero() || known(e.CDR.EndDateTime).IsZero() {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(e.Neighbours), func(n Neighbour) bool { return !n.SameCard })
}

// sessionsADay counts the sessions with the card in the 24 hours up to the start of this one, itself included.
func sessionsADay(e *Evidence) decimal.NullDecimal {
	day := e.lastDay()
	if day == nil {
		return absent
	}
	return count(len(day))
}

func energyADay(e *Evidence) decimal.NullDecimal {
	day := e.lastDay()
	if day == nil || !e.CDR.TotalEnergy.Valid {
		return absent
	}
	sum := decimal.Zero
	for _, n := range day {
		sum = sum.Add(n.KWh)
	}
	return decimal.NewNullDecimal(sum)
}

// lastDay are the sessions with the card that began in the 24 hours up to the start of this one, and this one.
func (e *Evidence) lastDay() []Neighbour {
	start := known(e.CDR.StartDateTime)
	if start.IsZero() {
		return nil
	}
	day := []Neighbour{{KWh: e.CDR.TotalEnergy.Decimal}}
	for _, n := range e.Neighbours {
		if n.SameCard && !n.Start.After(start) && start.Sub(n.Start) < aDay {
			day = append(day, n)
		}
	}
	return day
}

// degrees reads a coordinate.
func degrees(text string) decimal.NullDecimal {
	d, err := decimal.NewFromString(text)
	if err != nil || len(text) > 20 {
		return absent
	}
	return decimal.NewNullDecimal(d)
}

var (
	kmPerDegree = decimal.RequireFromString("111.19") // of a great circle
	radians     = decimal.RequireFromString("0.017453292519943")
)

// distance is how far two points on earth are apart, in kilometres, as on a map that is true to scale between them. That is a
// percent off across a continent.
func distance(latA, lonA, latB, lonB decimal.NullDecimal) (decimal.Decimal, bool) {
	for _, d := range []decimal.NullDecimal{latA, lonA, latB, lonB} {
		if !d.Valid || d.Decimal.Abs().GreaterThan(decimal.NewFromInt(180)) {
			return decimal.Decimal{}, false
		}
	}
	middle := latA.Decimal.Add(latB.Decimal).Div(decimal.NewFromInt(2)).Mul(radians)
	north := latA.Decimal.Sub(latB.Decimal).Mul(kmPerDegree)
	east := lonA.Decimal.Sub(lonB.Decimal).Mul(kmPerDegree).Mul(Round(middle, 6).Cos())
	km, err := Round(north.Mul(north).Add(east.Mul(east)), 6).SqrtRound(3)
	return km, err == nil
}

// lasting is a duration in seconds.
func lasting(d time.Duration) decimal.Decimal { return decimal.New(int64(d), -9) }
