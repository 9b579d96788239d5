package billing_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// oracle prices a CDR a second time, slowly and by the letter of the pricing rules, in fractions. It knows well-formed CDRs
// only and shares nothing with the engine but the documents.
type oracle struct {
	cdr     *ocpi.CDR
	tariffs []ocpi.Tariff
	zone    *time.Location
}

type oraclePrice struct{ excl, incl *big.Rat }

func ratOf(d decimal.Decimal) *big.Rat { return d.Rat() }

func (o oracle) price() oraclePrice {
	total := oraclePrice{new(big.Rat), new(big.Rat)}
	for ti := range o.tariffs {
		share, used := o.shareOf(ti)
		if !used {
			continue
		}
		t := &o.tariffs[ti]
		excl, incl := new(big.Rat).Set(share.excl), new(big.Rat).Set(share.incl)
		ratio := func(limit decimal.Decimal) *big.Rat {
			r := new(big.Rat).Mul(ratOf(limit), share.incl)
			return r.Quo(r, share.excl)
		}
		if l := t.MinPrice; l != nil {
			hit := excl.Cmp(ratOf(l.ExclVAT.Decimal)) < 0
			if hit {
				excl = ratOf(l.ExclVAT.Decimal)
			}
			if l.InclVAT.Valid && incl.Cmp(ratOf(l.InclVAT.Decimal)) < 0 {
				incl = ratOf(l.InclVAT.Decimal)
			} else if !l.InclVAT.Valid && hit {
				incl = ratio(l.ExclVAT.Decimal)
			}
		}
		if l := t.MaxPrice; l != nil {
			hit := excl.Cmp(ratOf(l.ExclVAT.Decimal)) > 0
			if hit {
				excl = ratOf(l.ExclVAT.Decimal)
			}
			if l.InclVAT.Valid && incl.Cmp(ratOf(l.InclVAT.Decimal)) > 0 {
				incl = ratOf(l.InclVAT.Decimal)
			} else if !l.InclVAT.Valid && hit {
				incl = ratio(l.ExclVAT.Decimal)
			}
		}
		total.excl.Add(total.excl, excl)
		total.incl.Add(total.incl, incl)
	}
	return total
}

// tariffAt is the index of the tariff of a period, −1 for none.
func (o oracle) tariffAt(i int) int {
	id := string(o.cdr.ChargingPeriods[i].TariffID)
	anyNamed := false
	for _, p := range o.cdr.ChargingPeriods {
		anyNamed = anyNamed || p.TariffID != ""
	}
	if !anyNamed && len(o.tariffs) == 1 {
		return 0
	}
	for k := range o.tariffs {
		if id != "" && strings.EqualFold(id, string(o.tariffs[k].ID)) {
			return k
		}
	}
	return -1
}

func (o oracle) volume(i int, kind ocpi.CDRDimensionType) *big.Rat {
	sum := new(big.Rat)
	for _, d := range o.cdr.ChargingPeriods[i].Dimensions {
		if d.Type == kind {
			sum.Add(sum, ratOf(d.Volume.Decimal))
		}
	}
	return sum
}

func (o oracle) bounds(i int) (from, to time.Time) {
	from = o.cdr.ChargingPeriods[i].StartDateTime
	if i+1 < len(o.cdr.ChargingPeriods) {
		return from, o.cdr.ChargingPeriods[i+1].StartDateTime
	}
	return from, o.cdr.EndDateTime
}

// hours reads a time in hours; four decimals give way to the bounds of the period.
func (o oracle) hours(i int, kind ocpi.CDRDimensionType) *big.Rat {
	v := o.volume(i, kind)
	if v.Sign() == 0 {
		return v
	}
	from, to := o.bounds(i)
	exact := big.NewRat(int64(to.Sub(from)), int64(time.Hour))
	off := new(big.Rat).Sub(v, exact)
	if off.Abs(off).Cmp(big.NewRat(36, 360000)) <= 0 {
		return exact
	}
	return v
}

var oracleKinds = map[ocpi.TariffDimensionType]ocpi.CDRDimensionType{
	ocpi.ComponentEnergy: ocpi.DimensionEnergy, ocpi.ComponentTime: ocpi.DimensionTime, ocpi.ComponentParkingTime: ocpi.DimensionParkingTime,
}

func (o oracle) inSession(i int) bool {
	for _, kind := range oracleKinds {
		if o.volume(i, kind).Sign() != 0 {
			return true
		}
	}
	return o.volume(i, ocpi.DimensionReservationTime).Sign() == 0
}

func (o oracle) lapsed() bool {
	for i := range o.cdr.ChargingPeriods {
		if o.inSession(i) {
			return false
		}
	}
	return o.cdr.SessionID == "" || o.cdr.CDRLocation.ConnectorID == "#NA"
}

// find returns the component for a dimension in a period, and what kind of reservation its element is for.
func (o oracle) find(i int, dim ocpi.TariffDimensionType, wanted ocpi.ReservationRestrictionType) *ocpi.PriceComponent {
	ti := o.tariffAt(i)
	if ti < 0 {
		return nil
	}
	for e := range o.tariffs[ti].Elements {
		el := &o.tariffs[ti].Elements[e]
		res := el.Restrictions
		if res == nil {
			res = &ocpi.TariffRestrictions{}
		}
		if res.Reservation != wanted || !o.holds(i, res) {
			continue
		}
		for c := range el.PriceComponents {
			if el.PriceComponents[c].Type == dim {
				return &el.PriceComponents[c]
			}
		}
	}
	return nil
}

func (o oracle) holds(i int, r *ocpi.TariffRestrictions) bool {
	from, to := o.bounds(i)
	local := from.In(o.zone)
	clock := local.Format("15:04")
	switch {
	case r.StartTime != "" && r.EndTime != "" && r.StartTime == r.EndTime:
	case r.StartTime != "" && r.EndTime != "" && r.EndTime != "00:00" && r.EndTime < r.StartTime:
		if clock < r.StartTime && clock >= r.EndTime {
			return false
		}
	default:
		if r.StartTime != "" && clock < r.StartTime {
			return false
		}
		if r.EndTime != "" && r.EndTime != "00:00" && clock >= r.EndTime {
			return false
		}
	}
	date := local.Format("2006-01-02")
	if r.StartDate != "" && date < r.StartDate || r.EndDate != "" && date >= r.EndDate {
		return false
	}
	if len(r.DayOfWeek) > 0 && !slices.Contains(r.DayOfWeek, ocpi.DayOfWeek(strings.ToUpper(local.Weekday().String()))) {
		return false
	}
	kwh := new(big.Rat)
	for k := range i {
		kwh.Add(kwh, o.volume(k, ocpi.DimensionEnergy))
	}
	if r.MinKWh.Valid && kwh.Cmp(ratOf(r.MinKWh.Decimal)) < 0 || r.MaxKWh.Valid && kwh.Cmp(ratOf(r.MaxKWh.Decimal)) >= 0 {
		return false
	}
	start := o.cdr.StartDateTime
	for k := range o.cdr.ChargingPeriods {
		if o.inSession(k) {
			start = o.cdr.ChargingPeriods[k].StartDateTime
			break
		}
	}
	if r.Reservation != "" {
		for k := range o.cdr.ChargingPeriods {
			if o.volume(k, ocpi.DimensionReservationTime).Sign() > 0 {
				start = o.cdr.ChargingPeriods[k].StartDateTime
				break
			}
		}
	}
	elapsed := max(from.Sub(start), 0)
	if r.MinDuration != nil && elapsed < time.Duration(*r.MinDuration)*time.Second || r.MaxDuration != nil && elapsed >= time.Duration(*r.MaxDuration)*time.Second {
		return false
	}
	level := func(kind ocpi.CDRDimensionType) *big.Rat {
		for _, d := range o.cdr.ChargingPeriods[i].Dimensions {
			if d.Type == kind {
				return ratOf(d.Volume.Decimal)
			}
		}
		wh := o.volume(i, ocpi.DimensionEnergy)
		if (kind == ocpi.DimensionMinPower || kind == ocpi.DimensionMaxPower) && wh.Sign() > 0 && to.After(from) {
			return wh.Quo(wh, big.NewRat(int64(to.Sub(from)), int64(time.Hour)))
		}
		return nil
	}
	for _, l := range []struct {
		limit decimal.NullDecimal
		kind  ocpi.CDRDimensionType
		lower bool
	}{
		{r.MinPower, ocpi.DimensionMinPower, true}, {r.MaxPower, ocpi.DimensionMaxPower, false},
		{r.MinCurrent, ocpi.DimensionMinCurrent, true}, {r.MaxCurrent, ocpi.DimensionMaxCurrent, false},
	} {
		if !l.limit.Valid {
			continue
		}
		value := level(l.kind)
		if value == nil || (value.Cmp(ratOf(l.limit.Decimal)) >= 0) != l.lower {
			return false
		}
	}
	return true
}

// oraclePart is a priced quantity of one period.
type oraclePart struct {
	period    int
	component *ocpi.PriceComponent
	quantity  *big.Rat // kWh, hours or 1
}

// shareOf prices the parts of a session that belong to one tariff. Steps are found over the whole session.
func (o oracle) shareOf(ti int) (oraclePrice, bool) {
	var energy, charged, parked, reserved, flats []oraclePart
	lapsed := o.lapsed()
	flatDone, reservedFlatDone, used := false, false, false
	for i := range o.cdr.ChargingPeriods {
		used = used || o.tariffAt(i) == ti
		if v := o.hours(i, ocpi.DimensionReservationTime); v.Sign() > 0 {
			pick := func(dim ocpi.TariffDimensionType) *ocpi.PriceComponent {
				if lapsed {
					if c := o.find(i, dim, ocpi.ReservationExpires); c != nil {
						return c
					}
				}
				return o.find(i, dim, ocpi.ReservationActive)
			}
			if c := pick(ocpi.ComponentFlat); c != nil && !reservedFlatDone {
				flats, reservedFlatDone = append(flats, oraclePart{i, c, big.NewRat(1, 1)}), true
			}
			if c := pick(ocpi.ComponentTime); c != nil {
				reserved = append(reserved, oraclePart{i, c, v})
			}
		}
		if !o.inSession(i) {
			continue
		}
		if c := o.find(i, ocpi.ComponentFlat, ""); c != nil && !flatDone {
			flats, flatDone = append(flats, oraclePart{i, c, big.NewRat(1, 1)}), true
		}
		for dim, list := range map[ocpi.TariffDimensionType]*[]oraclePart{ocpi.ComponentEnergy: &energy, ocpi.ComponentTime: &charged, ocpi.ComponentParkingTime: &parked} {
			v := o.hours(i, oracleKinds[dim])
			if dim == ocpi.ComponentEnergy {
				v = o.volume(i, ocpi.DimensionEnergy)
			}
			if c := o.find(i, dim, ""); c != nil && v.Sign() != 0 {
				*list = append(*list, oraclePart{i, c, v})
			}
		}
	}
	oracleStep(energy, 1000)
	if len(parked) > 0 {
		oracleStep(parked, 3600)
	} else {
		oracleStep(charged, 3600)
	}
	oracleStep(reserved, 3600)
	sum := oraclePrice{new(big.Rat), new(big.Rat)}
	for _, list := range [][]oraclePart{energy, charged, parked, reserved, flats} {
		for _, part := range list {
			if o.tariffAt(part.period) != ti {
				continue
			}
			excl := new(big.Rat).Mul(part.quantity, ratOf(part.component.Price.Decimal))
			factor := new(big.Rat).Add(big.NewRat(1, 1), new(big.Rat).Quo(ratOf(part.component.VAT.Decimal), big.NewRat(100, 1)))
			sum.excl.Add(sum.excl, excl)
			sum.incl.Add(sum.incl, new(big.Rat).Mul(excl, factor))
		}
	}
	return sum, used
}

// oracleStep lengthens the last part so that the total is a multiple of its step.
func oracleStep(parts []oraclePart, unitsPerOne int64) {
	if len(parts) == 0 {
		return
	}
	total := new(big.Rat)
	for _, p := range parts {
		total.Add(total, p.quantity)
	}
	if total.Sign() <= 0 {
		return
	}
	last := &parts[len(parts)-1]
	step := big.NewRat(int64(max(*last.component.StepSize, 1)), unitsPerOne)
	steps := new(big.Rat).Quo(total, step)
	if steps.IsInt() {
		return
	}
	whole := new(big.Int).Quo(steps.Num(), steps.Denom())
	whole.Add(whole, big.NewInt(1))
	rounded := new(big.Rat).Mul(new(big.Rat).SetInt(whole), step)
	last.quantity = new(big.Rat).Add(last.quantity, rounded.Sub(rounded, total))
}

// randomTariff makes a tariff whose thresholds lie where random sessions pass them.
func randomTariff(rnd *rand.Rand, id string) ocpi.Tariff {
	number := func(n int, places int32) decimal.NullDecimal {
		return ocpi.Number(decimal.New(int64(rnd.IntN(n)), -places))
	}
	maybe := func(percent int) bool { return rnd.IntN(100) < percent }
	clock := func() string { return fmt.Sprintf("%02d:%02d", rnd.IntN(24), rnd.IntN(4)*15) }
	days := []ocpi.DayOfWeek{ocpi.Monday, ocpi.Tuesday, ocpi.Wednesday, ocpi.Thursday, ocpi.Friday, ocpi.Saturday, ocpi.Sunday}
	t := ocpi.Tariff{ID: ocpi.CiString(id), Currency: "EUR"}
	for range 1 + rnd.IntN(6) {
		var el ocpi.TariffElement
		kinds := []ocpi.TariffDimensionType{ocpi.ComponentEnergy, ocpi.ComponentTime, ocpi.ComponentParkingTime, ocpi.ComponentFlat}
		rnd.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for _, kind := range kinds[:1+rnd.IntN(4)] {
			steps := []int{0, 1, 1, 60, 300, 500, 900, 1000}
			c := ocpi.PriceComponent{Type: kind, Price: number(8000, 3), StepSize: ocpi.Ptr(steps[rnd.IntN(len(steps))])}
			if maybe(70) {
				c.VAT = ocpi.Number(decimal.RequireFromString([]string{"0", "10", "19", "5.2", "21"}[rnd.IntN(5)]))
			}
			el.PriceComponents = append(el.PriceComponents, c)
		}
		if maybe(75) {
			r := &ocpi.TariffRestrictions{}
			if maybe(30) {
				r.StartTime = clock()
			}
			if maybe(30) {
				r.EndTime = clock()
			}
			if maybe(10) {
				r.StartDate = "2024-03-31"
			}
			if maybe(10) {
				r.EndDate = "2024-10-27"
			}
			if maybe(20) {
				for _, d := range days {
					if maybe(50) {
						r.DayOfWeek = append(r.DayOfWeek, d)
					}
				}
			}
			if maybe(20) {
				r.MinKWh = number(20, 0)
			}
			if maybe(20) {
				r.MaxKWh = number(40, 0)
			}
			if maybe(20) {
				r.MinDuration = ocpi.Ptr(rnd.IntN(20) * 900)
			}
			if maybe(20) {
				r.MaxDuration = ocpi.Ptr(rnd.IntN(40) * 900)
			}
			if maybe(12) {
				r.MinPower = number(30, 0)
			}
			if maybe(12) {
				r.MaxPower = number(60, 0)
			}
			if maybe(8) {
				r.MinCurrent = number(32, 0)
			}
			if maybe(8) {
				r.MaxCurrent = number(64, 0)
			}
			if maybe(15) {
				r.Reservation = []ocpi.ReservationRestrictionType{ocpi.ReservationActive, ocpi.ReservationExpires}[rnd.IntN(2)]
			}
			el.Restrictions = r
		}
		t.Elements = append(t.Elements, el)
	}
	limit := func(low, width int) *ocpi.Price {
		p := &ocpi.Price{ExclVAT: ocpi.Number(decimal.New(int64(low+rnd.IntN(width)), -2))}
		if maybe(70) {
			p.InclVAT = ocpi.Number(p.ExclVAT.Decimal.Mul(decimal.New(11, -1)))
		}
		return p
	}
	if maybe(20) {
		t.MinPrice = limit(0, 500)
	}
	if maybe(20) {
		t.MaxPrice = limit(500, 5000)
	}
	return t
}

// randomCDR makes a well-formed CDR, often across midnight or a switch of summer time.
func randomCDR(rnd *rand.Rand, tariffs []ocpi.Tariff) *ocpi.CDR {
	starts := []string{"2024-01-15T15:00:00Z", "2024-03-30T20:00:00Z", "2024-10-26T20:00:00Z", "2024-07-05T06:00:00Z"}
	at, _ := time.Parse(time.RFC3339, starts[rnd.IntN(len(starts))])
	at = at.Add(time.Duration(rnd.IntN(40)*900) * time.Second)
	cdr := &ocpi.CDR{ID: "C", SessionID: "S", Currency: "EUR", StartDateTime: at}
	named := len(tariffs) > 1 || rnd.IntN(2) == 0
	add := func(length time.Duration, dims ...ocpi.CDRDimension) {
		p := ocpi.ChargingPeriod{StartDateTime: at, Dimensions: dims}
		if named && rnd.IntN(20) > 0 {
			p.TariffID = tariffs[rnd.IntN(len(tariffs))].ID
		}
		cdr.ChargingPeriods = append(cdr.ChargingPeriods, p)
		at = at.Add(length)
		cdr.EndDateTime = at
	}
	length := func() time.Duration {
		if rnd.IntN(3) == 0 {
			return time.Duration(1+rnd.IntN(5000)) * time.Second
		}
		return time.Duration(1+rnd.IntN(12)) * 15 * time.Minute
	}
	hours := func(kind ocpi.CDRDimensionType, d time.Duration) ocpi.CDRDimension {
		volume := decimal.NewFromInt(int64(d)).DivRound(decimal.NewFromInt(int64(time.Hour)), 4)
		if rnd.IntN(10) == 0 { // not the period's length at all
			volume = decimal.New(int64(1+rnd.IntN(20000)), -4)
		}
		return ocpi.CDRDimension{Type: kind, Volume: ocpi.Number(volume)}
	}
	if rnd.IntN(6) == 0 {
		d := length()
		add(d, hours(ocpi.DimensionReservationTime, d))
		if rnd.IntN(3) == 0 {
			if rnd.IntN(2) == 0 {
				cdr.SessionID = ""
			} else {
				cdr.CDRLocation.ConnectorID = "#NA"
			}
			return cdr
		}
	}
	for range 1 + rnd.IntN(7) {
		d := length()
		var dims []ocpi.CDRDimension
		if rnd.IntN(3) > 0 {
			dims = append(dims, ocpi.CDRDimension{Type: ocpi.DimensionEnergy, Volume: ocpi.Number(decimal.New(int64(rnd.IntN(30000)), -3))})
			if rnd.IntN(4) > 0 {
				dims = append(dims, hours(ocpi.DimensionTime, d))
			}
		} else {
			dims = append(dims, hours(ocpi.DimensionParkingTime, d))
		}
		for _, kind := range []ocpi.CDRDimensionType{ocpi.DimensionMinPower, ocpi.DimensionMaxPower, ocpi.DimensionMinCurrent, ocpi.DimensionMaxCurrent} {
			if rnd.IntN(3) == 0 {
				dims = append(dims, ocpi.CDRDimension{Type: kind, Volume: ocpi.Number(decimal.NewFromInt(int64(rnd.IntN(50))))})
			}
		}
		add(d, dims...)
	}
	return cdr
}

// Thousands of random sessions under random tariffs cost the same by the engine and by the oracle, to the tenth decimal.
func TestRateAgainstOracle(t *testing.T) {
	cases := *random
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	priced := 0
	for seed := range cases {
		rnd := rand.New(rand.NewPCG(uint64(seed), 2))
		tariffs := []ocpi.Tariff{randomTariff(rnd, "T0")}
		for len(tariffs) < 3 && rnd.IntN(5) == 0 {
			tariffs = append(tariffs, randomTariff(rnd, "T"+strconv.Itoa(len(tariffs))))
		}
		cdr := randomCDR(rnd, tariffs)
		if divides(tariffs) {
			continue
		}
		r := billing.Rate(cdr, compile(tariffs...), zone, billing.DefaultPolicy)
		want := oracle{cdr, tariffs, zone}.price()
		if !closeTo(r.Total.ExclVAT, want.excl) || !closeTo(r.Total.InclVAT, want.incl) {
			doc, _ := ocpi.Marshal(cdr)
			docs, _ := ocpi.Marshal(tariffs)
			t.Fatalf("seed %d: %s / %s, want %s / %s\n%s\n%s", seed, r.Total.ExclVAT, r.Total.InclVAT, want.excl.FloatString(10), want.incl.FloatString(10), doc, docs)
		}
		holdInvariants(t, cdr, r)
		if !r.Total.ExclVAT.IsZero() {
			priced++
		}
	}
	if priced < cases/2 {
		t.Errorf("only %d of %d cases cost anything", priced, cases)
	}
}

// divides reports whether a limit could scale a share of zero, for which there is no proportion.
func divides(tariffs []ocpi.Tariff) bool {
	return slices.ContainsFunc(tariffs, func(t ocpi.Tariff) bool { return t.MinPrice != nil && !t.MinPrice.InclVAT.Valid })
}

func closeTo(got decimal.Decimal, want *big.Rat) bool {
	diff := new(big.Rat).Sub(got.Rat(), want)
	return diff.Abs(diff).Cmp(big.NewRat(51, 1_000_000_000_000)) <= 0 // half of the tenth decimal
}

// Cutting a period where nothing changes does not change the price (PRC-08), neither does the order of the periods.
func TestRateExtraCuts(t *testing.T) {
	zone, _ := time.LoadLocation("Europe/Berlin")
	for seed := range 2000 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 5))
		tariff := randomTariff(rnd, "T")
		for i := range tariff.Elements { // levels do not divide, and edges inside a period are what must be cut
			tariff.Elements[i].Restrictions = nil
		}
		cdr := randomCDR(rnd, []ocpi.Tariff{tariff})
		tariffs := compile(tariff)
		whole := billing.Rate(cdr, tariffs, zone, billing.Policy{HoursAsSent: true})
		cut := *cdr
		cut.ChargingPeriods = nil
		for i, p := range cdr.ChargingPeriods {
			end := cdr.EndDateTime
			if i+1 < len(cdr.ChargingPeriods) {
				end = cdr.ChargingPeriods[i+1].StartDateTime
			}
			second := ocpi.ChargingPeriod{StartDateTime: p.StartDateTime.Add(end.Sub(p.StartDateTime) / 3), TariffID: p.TariffID}
			first := ocpi.ChargingPeriod{StartDateTime: p.StartDateTime, TariffID: p.TariffID}
			for _, d := range p.Dimensions {
				part := d.Volume.Decimal.Mul(decimal.New(int64(rnd.IntN(100)), -2))
				first.Dimensions = append(first.Dimensions, ocpi.CDRDimension{Type: d.Type, Volume: ocpi.Number(part)})
				second.Dimensions = append(second.Dimensions, ocpi.CDRDimension{Type: d.Type, Volume: ocpi.Number(d.Volume.Decimal.Sub(part))})
			}
			cut.ChargingPeriods = append(cut.ChargingPeriods, first, second)
		}
		rnd.Shuffle(len(cut.ChargingPeriods), func(i, j int) {
			cut.ChargingPeriods[i], cut.ChargingPeriods[j] = cut.ChargingPeriods[j], cut.ChargingPeriods[i]
		})
		parts := billing.Rate(&cut, tariffs, zone, billing.Policy{HoursAsSent: true})
		if !whole.Total.ExclVAT.Equal(parts.Total.ExclVAT) || !whole.Total.InclVAT.Equal(parts.Total.InclVAT) {
			t.Fatalf("seed %d: %v whole, %v in parts", seed, whole.Total, parts.Total)
		}
		if whole.Total.InclVAT.LessThan(whole.Total.ExclVAT) && tariff.MinPrice == nil && tariff.MaxPrice == nil {
			t.Fatalf("seed %d: %v", seed, whole.Total)
		}
	}
}

// Whatever bytes a partner sends: no panic, an end, and sums that hold.
func FuzzRate(f *testing.F) {
	for seed := range 20 {
		rnd := rand.New(rand.NewPCG(uint64(seed), 7))
		tariffs := []ocpi.Tariff{randomTariff(rnd, "T")}
		cdr := randomCDR(rnd, tariffs)
		cdr.Tariffs = tariffs
		doc, err := ocpi.Marshal(cdr)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(doc)
	}
	f.Add([]byte(`{"charging_periods":[{"start_date_time":"0001-01-01T00:00:00Z","dimensions":[{"type":"TIME","volume":1e39}]}],"tariffs":[{"elements":[{"price_components":[{"type":"TIME","price":-1e-39}]}]}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var cdr ocpi.CDR
		if ocpi.Unmarshal(doc, &cdr) != nil {
			return
		}
		if len(cdr.ChargingPeriods) > 100 || len(cdr.Tariffs) > 10 {
			return
		}
		for _, p := range billing.Readings {
			r := billing.Rate(&cdr, compile(cdr.Tariffs...), time.UTC, p)
			if p.Places == 0 {
				holdInvariants(t, &cdr, r)
			}
			billing.Check(&cdr, r, billing.DefaultTolerance)
			billing.Judge(billing.Evidence{CDR: &cdr, Wholesale: r, Retail: r})
			billing.Sentence(r, "de")
		}
	})
}
