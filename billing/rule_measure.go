package billing

import (
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// What the rules measure. Each measure is absent where the rule has nothing to say about the CDR.

var (
	absent = decimal.NullDecimal{}
	oneKWh = decimal.NewFromInt(1)
	aDay   = 24 * time.Hour
)

func count(n int) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.NewFromInt(int64(n))) }

// yesNo is 1 or 0.
func yesNo(yes bool) decimal.NullDecimal {
	if yes {
		return count(1)
	}
	return count(0)
}

func (e *Evidence) isDC() bool { return e.CDR.CDRLocation.ConnectorPowerType == ocpi.PowerDC }

func energyIf(e *Evidence, applies bool) decimal.NullDecimal {
	if !applies || !e.CDR.TotalEnergy.Valid {
		return decimal.NullDecimal{}
	}
	return e.CDR.TotalEnergy
}

// energyOfPossible is the energy in percent of what the connector could have delivered. A connector of unknown power is
// taken for the strongest that is common: 22 kW of alternating, 400 kW of direct current.
func energyOfPossible(e *Evidence) decimal.NullDecimal {
	power := decimal.NewFromInt(22)
	if e.isDC() {
		power = decimal.NewFromInt(400)
	}
	if e.MaxPower.Valid {
		power = e.MaxPower.Decimal
	}
	hours := hoursFrom(e.CDR.StartDateTime, e.CDR.EndDateTime)
	possible := power.Mul(hours.Decimal)
	if !e.CDR.TotalEnergy.Valid || !hours.Valid || !possible.IsPositive() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(e.CDR.TotalEnergy.Decimal.Mul(hundred).DivRound(possible, 4))
}

// negatives counts what must not be negative and is. The total of a credit CDR must.
func negatives(e *Evidence) decimal.NullDecimal {
	c := e.CDR
	figures := []decimal.NullDecimal{c.TotalEnergy, c.TotalTime, c.TotalParkingTime}
	if !c.Credit {
		for _, price := range []*ocpi.Price{&c.TotalCost, c.TotalFixedCost, c.TotalEnergyCost, c.TotalTimeCost, c.TotalParkingCost, c.TotalReservationCost} {
			if price != nil {
				figures = append(figures, price.ExclVAT, price.InclVAT)
			}
		}
	}
	count := int64(0)
	for _, figure := range figures {
		if figure.Decimal.IsNegative() {
			count++
		}
	}
	return decimal.NewNullDecimal(decimal.NewFromInt(count))
}

// hoursFrom is absent where one of the instants is, or is not known.
func hoursFrom(start, end time.Time) decimal.NullDecimal {
	if known(start).IsZero() || known(end).IsZero() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(inHours(secondsOf(end.Sub(start))).decimal())
}

func energyDeviation(e *Evidence) decimal.NullDecimal {
	total := e.CDR.TotalEnergy
	if !tells(e.CDR, ocpi.DimensionEnergy) || total.Decimal.IsZero() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(percentOff(e.Wholesale.TotalEnergy, total.Decimal))
}

// percentOff is how far value is from base, in percent of base, which is not zero.
func percentOff(value, base decimal.Decimal) decimal.Decimal {
	return value.Sub(base).Abs().Mul(hundred).DivRound(base.Abs(), 4)
}

func timeDeviation(e *Evidence) decimal.NullDecimal {
	if !tells(e.CDR, ocpi.DimensionTime, ocpi.DimensionParkingTime) || !e.CDR.TotalTime.Valid {
		return decimal.NullDecimal{}
	}
	minutes := e.Wholesale.TotalTime.Sub(e.CDR.TotalTime.Decimal).Abs().Mul(decimal.NewFromInt(60))
	return decimal.NewNullDecimal(minutes)
}

var disorderly = []string{"periods-unsorted", "period-before-start", "period-after-end", "late-first-period", "no-periods"}

func disorder(e *Evidence) decimal.NullDecimal {
	count := int64(0)
	for _, f := range e.Wholesale.Findings {
		if slices.Contains(disorderly, f.Code) {
			count++
		}
	}
	return decimal.NewNullDecimal(decimal.NewFromInt(count))
}

// costDeviation is the difference of the claimed from the computed total in percent, if there is one beyond the tolerance
// and beyond a cent, and if the price could be computed at all.
func costDeviation(e *Evidence) decimal.NullDecimal {
	if Worst(e.Wholesale.Findings) == Block {
		return decimal.NullDecimal{}
	}
	for _, d := range e.Verdict.Differences {
		if d.Figure != "total_cost.excl_vat" || d.Delta().Abs().LessThanOrEqual(cent) {
			continue
		}
		if d.Computed.IsZero() {
			return decimal.NewNullDecimal(hundred)
		}
		return decimal.NewNullDecimal(percentOff(d.Claimed, d.Computed))
	}
	return decimal.NullDecimal{}
}

// lateUsually is the lateness where nothing was agreed about it.
func lateUsually(e *Evidence) decimal.NullDecimal {
	if e.MaxDays.Valid {
		return absent
	}
	return lateness(e)
}

// lateByContract is the days by which a CDR is later than agreed.
func lateByContract(e *Evidence) decimal.NullDecimal {
	days := lateness(e)
	if !e.MaxDays.Valid || !days.Valid {
		return absent
	}
	return decimal.NewNullDecimal(days.Decimal.Sub(e.MaxDays.Decimal))
}

// lateness is the days from the end of the session to the receipt of its CDR.
func lateness(e *Evidence) decimal.NullDecimal {
	hours := hoursFrom(e.CDR.EndDateTime, e.ReceivedAt)
	if !hours.Valid {
		return hours
	}
	return decimal.NewNullDecimal(hours.Decimal.DivRound(decimal.NewFromInt(24), 4))
}

// loss is by how much the CPO's claim exceeds what the customer pays, both without VAT. Amounts in different currencies are
// not compared.
func loss(e *Evidence) decimal.NullDecimal {
	claimed := e.CDR.TotalCost.ExclVAT
	if !claimed.Valid || e.CDR.Credit || e.Retail.Currency != e.CDR.Currency {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(claimed.Decimal.Sub(e.RetailNet))
}

func higher(a decimal.NullDecimal, b decimal.Decimal) decimal.NullDecimal {
	if a.Valid && a.Decimal.GreaterThan(b) {
		return a
	}
	return decimal.NewNullDecimal(b)
}

// energyOfBattery is the energy in percent of what the car's battery holds.
func energyOfBattery(e *Evidence) decimal.NullDecimal {
	if e.Car == nil || !e.Car.Battery.Valid || !e.CDR.TotalEnergy.Valid {
		return absent
	}
	return decimal.NewNullDecimal(e.CDR.TotalEnergy.Decimal.Mul(hundred).DivRound(e.Car.Battery.Decimal, 4))
}

// energyOfCar is the energy in percent of what the car can take in the time.
func energyOfCar(e *Evidence) decimal.NullDecimal {
	if e.Car == nil {
		return absent
	}
	power := e.Car.MaxAC
	if e.isDC() {
		power = e.Car.MaxDC
	}
	hours := hoursFrom(e.CDR.StartDateTime, e.CDR.EndDateTime)
	possible := power.Decimal.Mul(hours.Decimal)
	if !power.Valid || !hours.Valid || !e.CDR.TotalEnergy.Valid || !possible.IsPositive() {
		return absent
	}
	return decimal.NewNullDecimal(e.CDR.TotalEnergy.Decimal.Mul(hundred).DivRound(possible, 4))
}

// costOfNothing is what a session without energy costs beyond the start fee of its tariff.
func costOfNothing(e *Evidence) decimal.NullDecimal {
	c := e.CDR
	if c.Credit || !c.TotalCost.ExclVAT.Valid || !c.TotalEnergy.Valid || !c.TotalEnergy.Decimal.IsZero() {
		return absent
	}
	beyond := c.TotalCost.ExclVAT.Decimal.Sub(e.Wholesale.Fixed.ExclVAT).Sub(e.Wholesale.Reservation.ExclVAT)
	return decimal.NewNullDecimal(decimal.Max(beyond, decimal.Zero))
}

// minutes is how long a session lasted. A reservation that nobody came for is none.
func minutes(e *Evidence) decimal.NullDecimal {
	hours := hoursFrom(e.CDR.StartDateTime, e.CDR.EndDateTime)
	if !hours.Valid || hours.Decimal.IsNegative() || e.unused() {
		return absent
	}
	return decimal.NewNullDecimal(hours.Decimal.Mul(sixty))
}

func anyEnergy(e *Evidence) decimal.NullDecimal {
	if e.unused() || e.CDR.TotalEnergy.Decimal.IsNegative() {
		return absent
	}
	return e.CDR.TotalEnergy
}

// unused reports whether the CDR is of a reservation that never became a session (CDR-16).
func (e *Evidence) unused() bool {
	return tells(e.CDR, ocpi.DimensionReservationTime) && !tells(e.CDR, ocpi.DimensionEnergy, ocpi.DimensionTime)
}

// ahead is by how many minutes the session began or ended after its CDR came.
func ahead(e *Evidence) decimal.NullDecimal {
	most := absent
	for _, at := range []time.Time{e.CDR.StartDateTime, e.CDR.EndDateTime} {
		if hours := hoursFrom(e.ReceivedAt, at); hours.Valid {
			most = higher(most, decimal.Max(hours.Decimal.Mul(sixty), decimal.Zero))
		}
	}
	return most
}

// partsDeviation is by how many hundredths of the currency the stated costs of the parts differ from the stated total. A part
// that is left out but costs something, or a limit of the tariff, explains a difference.
func partsDeviation(e *Evidence) decimal.NullDecimal {
	c := e.CDR
	if !c.TotalCost.ExclVAT.Valid || slices.ContainsFunc(e.Wholesale.Lines, func(l Line) bool { return l.Element < 0 }) {
		return absent
	}
	sum, stated := decimal.Zero, false
	for _, part := range []struct {
		claimed  *ocpi.Price
		computed Amount
	}{
		{c.TotalFixedCost, e.Wholesale.Fixed}, {c.TotalEnergyCost, e.Wholesale.Energy}, {c.TotalTimeCost, e.Wholesale.Time},
		{c.TotalParkingCost, e.Wholesale.Parking}, {c.TotalReservationCost, e.Wholesale.Reservation},
	} {
		switch {
		case part.claimed != nil && part.claimed.ExclVAT.Valid:
			sum, stated = sum.Add(part.claimed.ExclVAT.Decimal.Abs()), true
		case !part.computed.ExclVAT.IsZero():
			return absent
		}
	}
	if !stated {
		return absent
	}
	return decimal.NewNullDecimal(sum.Sub(c.TotalCost.ExclVAT.Decimal.Abs()).Abs().Mul(hundred))
}

// unknownTariffs speaks about a CPO that shows us tariffs only: one that never does puts them into its CDRs.
func unknownTariffs(e *Evidence) decimal.NullDecimal {
	if !e.Tariffs.Publishes {
		return absent
	}
	return count(e.Tariffs.Unknown)
}

func tariffsElsewhere(e *Evidence) decimal.NullDecimal {
	if !e.Tariffs.Publishes {
		return absent
	}
	return count(e.Tariffs.Elsewhere)
}

// costOfChangedTariffs is what the CDR costs more because its tariffs are not those that were published, of those that were.
func costOfChangedTariffs(e *Evidence) decimal.NullDecimal {
	more := absent
	for i := range e.Verdict.Tariffs {
		if c := &e.Verdict.Tariffs[i]; c.Published {
			more = decimal.NewNullDecimal(more.Decimal.Add(c.Effect.ExclVAT))
		}
	}
	return more
}

// foreignCurrency is whether the CDR is in another currency than was agreed, or, without an agreement, than the customer's
// price: nobody converts.
func foreignCurrency(e *Evidence) decimal.NullDecimal {
	expected := e.Agreed
	if expected == "" {
		expected = e.Retail.Currency
	}
	if expected == "" || e.CDR.Currency == "" {
		return absent
	}
	return yesNo(e.CDR.Currency != expected)
}

// vatBackwards counts the amounts that are smaller with VAT than without.
func vatBackwards(e *Evidence) decimal.NullDecimal {
	c := e.CDR
	n := 0
	for _, price := range []*ocpi.Price{&c.TotalCost, c.TotalFixedCost, c.TotalEnergyCost, c.TotalTimeCost, c.TotalParkingCost, c.TotalReservationCost} {
		if price != nil && price.ExclVAT.Valid && price.InclVAT.Valid && price.InclVAT.Decimal.Abs().LessThan(price.ExclVAT.Decimal.Abs()) {
			n++
		}
	}
	return count(n)
}

// vatDeviation is by how many percentage points the VAT in the total is off the rate of the country. A total that is the same
// with and without VAT says nothing: between businesses of two countries there is none.
func vatDeviation(e *Evidence) decimal.NullDecimal {
	excl, incl := e.CDR.TotalCost.ExclVAT, e.CDR.TotalCost.InclVAT
	if !e.VATRate.Valid || !excl.Valid || !incl.Valid || excl.Decimal.Abs().LessThan(oneKWh) || incl.Decimal.Equal(excl.Decimal) {
		return absent
	}
	rate := incl.Decimal.Sub(excl.Decimal).Mul(hundred).DivRound(excl.Decimal, 4)
	return decimal.NewNullDecimal(rate.Sub(e.VATRate.Decimal).Abs())
}

func invalidToken(e *Evidence) decimal.NullDecimal {
	if !e.Token.Known {
		return absent
	}
	return yesNo(e.Token.Blocked || e.Token.Expired)
}

// missingAuthorization is 1 if we authorised the session and the CDR does not say so, 2 if the CDR says so and we did not, and
// 3 if it was started remotely, which only we can have done, without our reference.
func missingAuthorization(e *Evidence) decimal.NullDecimal {
	stated := e.CDR.AuthorizationReference != ""
	switch {
	case e.CDR.AuthMethod == ocpi.AuthCommand && !e.Authorized.Reference:
		return count(3)
	case stated && !e.Authorized.Reference:
		return count(2)
	case !stated && e.Authorized.Given:
		return count(1)
	}
	return count(0)
}

// foreignOperator is whether the id of the EVSE names another operator than the CPO that sent the CDR. Ids that are not made by
// the scheme of eMI³ (country, operator, E) name nobody.
func foreignOperator(e *Evidence) decimal.NullDecimal {
	id := strings.ReplaceAll(e.CDR.CDRLocation.EVSEID.Fold(), "*", "")
	if len(id) < 7 || id[5] != 'E' || e.CDR.CDRLocation.EVSEID == ocpi.NotApplicable {
		return absent
	}
	return yesNo(id[:5] != e.CDR.CountryCode.Fold()+e.CDR.PartyID.Fold())
}

// unknownPlace is 2 for a Location and 1 for an EVSE that we do not know. A CPO that shows us no Locations at all, and a
// reservation that nobody came for, say nothing by it (CDR-16, CDR-17).
func unknownPlace(e *Evidence) decimal.NullDecimal {
	switch {
	case !e.Place.Publishes || e.CDR.CDRLocation.EVSEUID == ocpi.NotApplicable:
		return absent
	case !e.Place.Location:
		return count(2)
	}
	return yesNo(!e.Place.EVSE)
}

// costPerKWh is what the CPO claims a kWh, without VAT, for at least one.
func costPerKWh(e *Evidence, applies bool) decimal.NullDecimal {
	c := e.CDR
	if !applies || c.Credit || !c.TotalCost.ExclVAT.Valid || !c.TotalEnergy.Valid || c.TotalEnergy.Decimal.LessThan(oneKWh) {
		return absent
	}
	return decimal.NewNullDecimal(c.TotalCost.ExclVAT.Decimal.DivRound(c.TotalEnergy.Decimal, 4))
}

// unusualCost is how many standard deviations the cost a kWh is off that of earlier sessions at the charge point. There have to
// be ten, and a deviation below five percent of the mean is not told from none.
func unusualCost(e *Evidence) decimal.NullDecimal {
	cost := costPerKWh(e, true)
	deviation := decimal.Max(e.EVSECosts.Deviation, e.EVSECosts.Mean.Abs().Mul(decimal.New(5, -2)))
	if !cost.Valid || e.EVSECosts.Sessions < 10 || !deviation.IsPositive() {
		return absent
	}
	return decimal.NewNullDecimal(cost.Decimal.Sub(e.EVSECosts.Mean).Abs().DivRound(deviation, 4))
}

// meterProof is 0 for a valid proof, 1 without one, 2 if nothing is billed without. If nobody has looked, it is absent.
func meterProof(e *Evidence) decimal.NullDecimal {
	switch {
	case e.Meter == nil:
		return absent
	case e.Meter.Valid:
		return count(0)
	case e.NeedsMeter:
		return count(2)
	}
	return count(1)
}

// meterDeviation is how far the proven energy is from what the CDR claims, in percent of the claim.
func meterDeviation(e *Evidence) decimal.NullDecimal {
	total := e.CDR.TotalEnergy
	if e.Meter == nil || !e.Meter.Valid || !e.Meter.Energy.Valid || !total.Valid || total.Decimal.IsZero() {
		return absent
	}
	return decimal.NewNullDecimal(percentOff(e.Meter.Energy.Decimal, total.Decimal))
}

// homeMismatch is whether a session is marked as charged at home at a Location that everybody sees, or is not at somebody's
// drive that nobody sees.
func homeMismatch(e *Evidence) decimal.NullDecimal {
	if !e.Place.Location {
		return absent
	}
	if e.CDR.HomeChargingCompensation {
		return yesNo(e.Place.Public)
	}
	return yesNo(e.Place.Driveway && !e.Place.Public)
}

// unsplitMinutes is the length of the longest charging period, if some period should have been cut where the price changed.
func unsplitMinutes(e *Evidence) decimal.NullDecimal {
	if !slices.ContainsFunc(e.Wholesale.Findings, func(f Finding) bool { return f.Code == "period-not-split" }) {
		return absent
	}
	longest := absent
	for i := range e.CDR.ChargingPeriods {
		from, to := e.CDR.ChargingPeriods[i].StartDateTime, e.CDR.EndDateTime
		if i+1 < len(e.CDR.ChargingPeriods) {
			to = e.CDR.ChargingPeriods[i+1].StartDateTime
		}
		if hours := hoursFrom(from, to); hours.Valid {
			longest = higher(longest, hours.Decimal.Mul(sixty))
		}
	}
	return longest
}
