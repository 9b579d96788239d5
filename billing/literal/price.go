// Package literal prices CDRs a second time, for the tests of billing.Rate: slowly, and by the letter of the pricing rules
// PRC-01 to PRC-33. It shares nothing with the engine but the messages of package ocpi; every step names the rule that it
// follows. Nothing but tests may import it.
//
// Where the rules leave something open it takes the reading that stands closest to their words:
//
//   - A quantity of zero is not consumed, so it is not priced: it neither makes a period the last of its dimension (PRC-16)
//     nor a session one that parked (PRC-17).
//   - A session that follows a reservation begins with the first period that is not only reserved; its clock for min_duration
//     and max_duration starts there. The clock of a reservation starts with its first period, which should be the CDR's start.
//   - A level (MIN_POWER, …) that is missing is averaged for its own restriction only, whatever the other level says.
//   - Limits that the rules have no answer for are calculated somehow, and the result says so (Open).
//   - FLAT is fixed cost, also in an element that prices parking: OCPI has no way to call it specific to parking.
package literal

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Amount is a sum of money, exact.
type Amount struct{ Excl, Incl *big.Rat }

// Share is what is taxed at one rate; a nil rate means that no VAT applies (PRC-28).
type Share struct {
	Rate *big.Rat
	Amount
}

// Result is what a CDR costs.
type Result struct {
	Total                                     Amount
	Fixed, Energy, Time, Parking, Reservation Amount
	KWh, Hours, ParkingHours                  *big.Rat // measured, priced or not
	Shares                                    []Share  // of the total before limits, in order of appearance
	Limited                                   bool     // a minimum or maximum price changed the total
	Open                                      bool     // limits for which the rules have no answer: see the package's comment
	Charges                                   []Charge
}

// Charge is one quantity with the component that prices it.
type Charge struct {
	What      string // FLAT, ENERGY, TIME, PARKING_TIME, RESERVATION_FLAT or RESERVATION_TIME
	Period    int    // in order of time
	Tariff    int
	Element   int
	Component ocpi.PriceComponent
	Quantity  *big.Rat // kWh, hours, or 1
}

// period is a charging period with what the CDR says of it elsewhere.
type period struct {
	start, end time.Time
	tariff     int // index, -1 for none
	volumes    map[ocpi.CDRDimensionType]*big.Rat
	kwhBefore  *big.Rat
}

// session is a CDR that is being priced.
type session struct {
	tariffs     []ocpi.Tariff
	zone        *time.Location
	periods     []period
	start       time.Time // of the CDR
	chargeStart time.Time // of the session, after a reservation
	lapsed      bool
	charges     []Charge
}

// Price prices a CDR by the tariffs in the zone of its Location, UTC if that is unknown (PRC-09).
func Price(cdr *ocpi.CDR, tariffs []ocpi.Tariff, zone *time.Location) Result {
	if zone == nil {
		zone = time.UTC
	}
	s := session{tariffs: tariffs, zone: zone}
	s.readPeriods(cdr)
	s.lapsed = s.noShow(cdr)
	s.start, _ = cdr.Times()
	s.chargeStart = s.start // 18.8: start_date_time is the session's …
	for _, p := range s.periods {
		if p.has(ocpi.DimensionReservationTime) { // … or the reservation's
			s.chargeStart = s.firstChargeStart()
			break
		}
	}
	for i := range s.periods {
		s.priceReservation(i)
		s.priceSession(i)
	}
	s.roundToSteps()
	return s.sum(cdr)
}

// readPeriods brings the periods in order (CDR-20) and finds their ends and tariffs.
func (s *session) readPeriods(cdr *ocpi.CDR) {
	sorted := slices.Clone(cdr.ChargingPeriods)
	slices.SortStableFunc(sorted, func(a, b ocpi.ChargingPeriod) int { return a.StartDateTime.Compare(b.StartDateTime) })
	nobodyNamesATariff := true
	for _, p := range sorted {
		if p.TariffID != "" {
			nobodyNamesATariff = false
		}
	}
	kwh := new(big.Rat)
	for i, from := range sorted {
		p := period{start: from.StartDateTime, end: cdr.EndDateTime, tariff: -1, volumes: map[ocpi.CDRDimensionType]*big.Rat{}, kwhBefore: kwh}
		if i+1 < len(sorted) {
			p.end = sorted[i+1].StartDateTime // CDR-20: a period ends where the next starts, the last with the CDR
		}
		for t := len(s.tariffs) - 1; t >= 0; t-- {
			if from.TariffID != "" && s.tariffs[t].ID.Equal(from.TariffID) {
				p.tariff = t // PRC-01: tariff_id names the tariff; absent, the period costs nothing
			}
		}
		if nobodyNamesATariff && len(s.tariffs) == 1 {
			p.tariff = 0 // CDR-22: every period omits it and exactly one tariff is given
		}
		for _, d := range from.Dimensions {
			switch {
			case !d.Volume.Valid:
			case p.volumes[d.Type] == nil:
				p.volumes[d.Type] = d.Volume.Decimal.Rat()
			default:
				p.volumes[d.Type] = add(p.volumes[d.Type], d.Volume.Decimal.Rat())
			}
		}
		for _, d := range []ocpi.CDRDimensionType{ocpi.DimensionTime, ocpi.DimensionParkingTime, ocpi.DimensionReservationTime} {
			p.volumes[d] = p.hours(d)
		}
		if v := p.volumes[ocpi.DimensionEnergy]; v != nil {
			kwh = add(kwh, v) // 18.3 min_kwh: cumulative since session start, priced or not
		}
		s.periods = append(s.periods, p)
	}
}

// noShow tells a reservation that nobody came to: nothing was consumed, and the connector is #NA or there is no session
// (PRC-27). Without a session something has to have been reserved; #NA says so by itself (CDR-16).
func (s *session) noShow(cdr *ocpi.CDR) bool {
	reserved := false
	for _, p := range s.periods {
		if p.has(ocpi.DimensionTime) || p.has(ocpi.DimensionEnergy) || p.has(ocpi.DimensionParkingTime) {
			return false
		}
		reserved = reserved || p.has(ocpi.DimensionReservationTime)
	}
	return cdr.CDRLocation.ConnectorID == ocpi.NotApplicable || cdr.SessionID == "" && reserved
}

// volume of a dimension, 0 where the period has none.
func (p *period) volume(d ocpi.CDRDimensionType) *big.Rat {
	if p.volumes[d] == nil {
		return new(big.Rat)
	}
	return p.volumes[d]
}

// has reports whether something of a dimension was consumed in the period.
func (p *period) has(d ocpi.CDRDimensionType) bool {
	return p.volumes[d] != nil && p.volumes[d].Sign() != 0
}

// reserved reports whether the period belongs to a reservation. Where nothing tells how long one was that lapsed, all does.
func (s *session) reserved(i int) bool {
	if !s.lapsed || slices.ContainsFunc(s.periods, func(p period) bool { return p.has(ocpi.DimensionReservationTime) }) {
		return s.periods[i].has(ocpi.DimensionReservationTime)
	}
	return true
}

// onlyReserved reports whether nobody had plugged in yet.
func (p *period) onlyReserved() bool {
	return p.has(ocpi.DimensionReservationTime) && !p.has(ocpi.DimensionTime) && !p.has(ocpi.DimensionEnergy) && !p.has(ocpi.DimensionParkingTime)
}

func (s *session) firstChargeStart() time.Time {
	for _, p := range s.periods {
		if !p.onlyReserved() {
			return p.start
		}
	}
	return s.start
}

// priceReservation finds the components of reserved time.
func (s *session) priceReservation(i int) {
	p := s.periods[i]
	if !s.reserved(i) {
		return
	}
	for _, what := range []ocpi.TariffDimensionType{ocpi.ComponentFlat, ocpi.ComponentTime} { // PRC-26: only these two
		found := Charge{Tariff: -1}
		if s.lapsed { // PRC-25: RESERVATION_EXPIRES goes before RESERVATION, per dimension, whatever the order of the list
			found = s.component(i, what, ocpi.ReservationExpires)
		}
		if found.Tariff < 0 { // PRC-24
			found = s.component(i, what, ocpi.ReservationActive)
		}
		switch {
		case found.Tariff < 0: // PRC-05: free
		case what == ocpi.ComponentTime:
			found.What, found.Quantity = "RESERVATION_TIME", p.volume(ocpi.DimensionReservationTime)
			s.charge(found)
		case !s.charged("RESERVATION_FLAT"): // PRC-24: FLAT once; PRC-23: separate from the session's
			found.What, found.Quantity = "RESERVATION_FLAT", big.NewRat(1, 1)
			s.charge(found)
		}
	}
}

// priceSession finds the components of charging and parking.
func (s *session) priceSession(i int) {
	p := s.periods[i]
	// PRC-23: FLAT once a session, at the first period where one matches; PRC-25: none for a lapsed reservation.
	if !s.charged("FLAT") && !s.lapsed && !p.onlyReserved() {
		if flat := s.component(i, ocpi.ComponentFlat, ""); flat.Tariff >= 0 {
			flat.What, flat.Quantity = "FLAT", big.NewRat(1, 1)
			s.charge(flat)
		}
	}
	if p.has(ocpi.DimensionEnergy) { // PRC-13: kWh
		if energy := s.component(i, ocpi.ComponentEnergy, ""); energy.Tariff >= 0 {
			energy.What, energy.Quantity = "ENERGY", p.volume(ocpi.DimensionEnergy)
			s.charge(energy)
		}
	}
	if p.has(ocpi.DimensionTime) { // PRC-13: hours of charging only
		if hours := s.component(i, ocpi.ComponentTime, ""); hours.Tariff >= 0 {
			hours.What, hours.Quantity = "TIME", p.volume(ocpi.DimensionTime)
			s.charge(hours)
		}
	}
	if p.has(ocpi.DimensionParkingTime) {
		if hours := s.component(i, ocpi.ComponentParkingTime, ""); hours.Tariff >= 0 {
			hours.What, hours.Quantity = "PARKING_TIME", p.volume(ocpi.DimensionParkingTime)
			s.charge(hours)
		}
	}
}

// component walks the elements from top to bottom to the first that has a component of the dimension and whose restrictions
// all hold (PRC-04). Elements with the field reservation price reservations only, elements without it never do (18.3).
func (s *session) component(i int, what ocpi.TariffDimensionType, reservation ocpi.ReservationRestrictionType) Charge {
	t := s.periods[i].tariff
	if t < 0 {
		return Charge{Tariff: -1} // PRC-01
	}
	for e, element := range s.tariffs[t].Elements {
		for _, c := range element.PriceComponents {
			if c.Type != what {
				continue
			}
			if of(element.Restrictions) == reservation && s.hold(element.Restrictions, i, reservation != "") {
				return Charge{Period: i, Tariff: t, Element: e, Component: c}
			}
			break // PRC-06: of two components of one dimension the first counts
		}
	}
	return Charge{Tariff: -1} // PRC-05
}

func of(r *ocpi.TariffRestrictions) ocpi.ReservationRestrictionType {
	if r == nil {
		return ""
	}
	return r.Reservation
}

// hours of a dimension: those of the bounds of the period where both agree within 0.36 s (PRC-14), nil for none.
func (p *period) hours(d ocpi.CDRDimensionType) *big.Rat {
	stated, bounds := p.volumes[d], p.length()
	if stated == nil || stated.Sign() == 0 || bounds == nil {
		return stated
	}
	off := sub(stated, bounds)
	if off.Abs(off).Cmp(big.NewRat(36, 100*3600)) <= 0 {
		return bounds
	}
	return stated
}

// length of the period in hours, nil if its end is not known (TYP-07) or wrong.
func (p *period) length() *big.Rat {
	if ocpi.IsUnknownTime(p.end) || p.end.Before(p.start) {
		return nil
	}
	return big.NewRat(p.end.UnixMilli()-p.start.UnixMilli(), 3600*1000)
}

func (s *session) charge(c Charge) {
	if c.Quantity.Sign() != 0 {
		s.charges = append(s.charges, c)
	}
}

func (s *session) charged(what string) bool {
	return slices.ContainsFunc(s.charges, func(c Charge) bool { return c.What == what })
}

// roundToSteps applies step_size once for each pool (PRC-15).
func (s *session) roundToSteps() {
	s.roundToStep("ENERGY", 1000) // PRC-16; PRC-12: a step is 1 Wh
	if s.charged("PARKING_TIME") {
		s.roundToStep("PARKING_TIME", 3600) // PRC-17, PRC-21: TIME stays exact; PRC-12: a step is 1 s
	} else {
		s.roundToStep("TIME", 3600)
	}
	s.roundToStep("RESERVATION_TIME", 3600) // PRC-22: a pool of its own
}

// roundToStep rounds the priced total of a dimension up to a multiple of the step_size of its last component and puts the
// difference there (PRC-16, PRC-17). Only priced quantities count (PRC-18).
func (s *session) roundToStep(what string, stepsInUnit int64) {
	total, last := new(big.Rat), -1
	for i, c := range s.charges {
		if c.What == what {
			total, last = add(total, c.Quantity), i
		}
	}
	if total.Sign() <= 0 { // PRC-20
		return
	}
	size := int64(1) // PRC-12: 0 counts as 1
	if step := s.charges[last].Component.StepSize; step != nil && *step > 0 {
		size = int64(*step)
	}
	step := big.NewRat(size, stepsInUnit)
	steps := new(big.Rat).Quo(total, step)
	whole := new(big.Int).Quo(steps.Num(), steps.Denom())
	if !steps.IsInt() { // PRC-19: an exact multiple stays
		whole.Add(whole, big.NewInt(1))
	}
	rounded := new(big.Rat).Mul(new(big.Rat).SetInt(whole), step)
	s.charges[last].Quantity = add(s.charges[last].Quantity, sub(rounded, total))
}

// sum makes the money.
func (s *session) sum(cdr *ocpi.CDR) Result {
	r := Result{Charges: s.charges, KWh: new(big.Rat), Hours: new(big.Rat), ParkingHours: new(big.Rat)}
	zero := Amount{new(big.Rat), new(big.Rat)}
	r.Total, r.Fixed, r.Energy, r.Time, r.Parking, r.Reservation = zero, zero, zero, zero, zero, zero
	shareOfTariff := make([]Amount, len(s.tariffs))
	for _, c := range s.charges {
		excl := new(big.Rat).Mul(c.Quantity, number(c.Component.Price)) // PRC-11: price is per unit, never per step
		vat := new(big.Rat).Quo(number(c.Component.VAT), big.NewRat(100, 1))
		a := Amount{excl, add(excl, new(big.Rat).Mul(excl, vat))} // PRC-28
		switch c.What {                                           // PRC-31: before limits; 18.8: what belongs where
		case "FLAT":
			r.Fixed = r.Fixed.plus(a)
		case "ENERGY":
			r.Energy = r.Energy.plus(a)
		case "TIME":
			r.Time = r.Time.plus(a)
		case "PARKING_TIME":
			r.Parking = r.Parking.plus(a)
		default:
			r.Reservation = r.Reservation.plus(a)
		}
		r.addShare(c.Component.VAT, a)
		shareOfTariff[c.Tariff] = shareOfTariff[c.Tariff].plus(a)
	}
	for t := range s.tariffs {
		if !slices.ContainsFunc(s.periods, func(p period) bool { return p.tariff == t }) {
			continue // a tariff that no period names has no share
		}
		share := zero.plus(shareOfTariff[t])
		limited := limit(share, s.tariffs[t]) // PRC-30: each tariff's own share
		r.Open = r.Open || open(share, s.tariffs[t])
		r.Limited = r.Limited || limited.Excl.Cmp(share.Excl) != 0 || limited.Incl.Cmp(share.Incl) != 0
		r.Total = r.Total.plus(limited)
	}
	for _, p := range s.periods { // 18.8
		r.KWh = add(r.KWh, p.volume(ocpi.DimensionEnergy))
		r.ParkingHours = add(r.ParkingHours, p.volume(ocpi.DimensionParkingTime))
		r.Hours = add(r.Hours, add(p.volume(ocpi.DimensionTime), p.volume(ocpi.DimensionParkingTime)))
		if !p.has(ocpi.DimensionTime) && !p.has(ocpi.DimensionParkingTime) && !p.onlyReserved() && !s.lapsed && p.length() != nil {
			// Hours connected, although the CDR does not say what they were spent with.
			if connected := sub(p.length(), p.volume(ocpi.DimensionReservationTime)); connected.Sign() > 0 {
				r.Hours = add(r.Hours, connected)
			}
		}
	}
	if cdr.Credit { // CDR-10: only the total changes its sign
		r.Total = Amount{new(big.Rat).Neg(r.Total.Excl), new(big.Rat).Neg(r.Total.Incl)}
	}
	return r
}

// limit holds a sum between a tariff's minimum and maximum price, without and with VAT independently (PRC-29).
func limit(sum Amount, t ocpi.Tariff) Amount {
	limited := sum
	scaled := func(excl *big.Rat) *big.Rat { // PRC-30: a limit without incl_vat; by the unlimited ratio
		if sum.Excl.Sign() == 0 {
			return excl
		}
		return new(big.Rat).Quo(new(big.Rat).Mul(excl, sum.Incl), sum.Excl)
	}
	if least := t.MinPrice; least != nil && least.ExclVAT.Valid && sum.Excl.Cmp(number(least.ExclVAT)) < 0 {
		limited.Excl = number(least.ExclVAT)
		if !least.InclVAT.Valid {
			limited.Incl = scaled(limited.Excl)
		}
	}
	if most := t.MaxPrice; most != nil && most.ExclVAT.Valid && sum.Excl.Cmp(number(most.ExclVAT)) > 0 {
		limited.Excl = number(most.ExclVAT)
		if !most.InclVAT.Valid {
			limited.Incl = scaled(limited.Excl)
		}
	}
	if least := t.MinPrice; least != nil && least.InclVAT.Valid && limited.Incl.Cmp(number(least.InclVAT)) < 0 {
		limited.Incl = number(least.InclVAT)
	}
	if most := t.MaxPrice; most != nil && most.InclVAT.Valid && limited.Incl.Cmp(number(most.InclVAT)) > 0 {
		limited.Incl = number(most.InclVAT)
	}
	return limited
}

// open reports limits that the rules have no answer for: a minimum above its maximum, and one without incl_vat on a session that
// cost nothing, where PRC-30 has no ratio to scale by.
func open(sum Amount, t ocpi.Tariff) bool {
	least, most := t.MinPrice, t.MaxPrice
	if least == nil {
		return false
	}
	return sum.Excl.Sign() == 0 && !least.InclVAT.Valid ||
		most != nil && number(least.ExclVAT).Cmp(number(most.ExclVAT)) > 0 ||
		most != nil && least.InclVAT.Valid && most.InclVAT.Valid && number(least.InclVAT).Cmp(number(most.InclVAT)) > 0
}

// addShare books an amount under its rate; no VAT is not the same as 0 % (PRC-28).
func (r *Result) addShare(vat decimal.NullDecimal, a Amount) {
	for i, share := range r.Shares {
		if (share.Rate == nil) == !vat.Valid && (share.Rate == nil || share.Rate.Cmp(number(vat)) == 0) {
			r.Shares[i].Amount = share.plus(a)
			return
		}
	}
	share := Share{Amount: a}
	if vat.Valid {
		share.Rate = number(vat)
	}
	r.Shares = append(r.Shares, share)
}

func (a Amount) plus(b Amount) Amount {
	if a.Excl == nil {
		return b
	}
	if b.Excl == nil {
		return a
	}
	return Amount{add(a.Excl, b.Excl), add(a.Incl, b.Incl)}
}

func add(a, b *big.Rat) *big.Rat { return new(big.Rat).Add(a, b) }
func sub(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }

// number is a decimal that may be absent, which counts as 0.
func number(d decimal.NullDecimal) *big.Rat {
	if !d.Valid {
		return new(big.Rat)
	}
	return d.Decimal.Rat()
}

// Decimal writes a number with a number of places, rounded half away from zero, without zeros at its end.
func Decimal(r *big.Rat, places int) string {
	text := r.FloatString(places)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}
