package ocpitest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Visit is one car at one charging point.
type Visit struct {
	Token                  ocpi.Token
	AuthMethod             ocpi.AuthMethod // "": WHITELIST
	AuthorizationReference ocpi.CiString
	Arrival                time.Time // brought to the next tick
	Car                    Car
	Arrives, Leaves        int           // state of charge in percent
	Stay                   time.Duration // how long the car stays when it is charged
	Unplug                 time.Duration // it leaves after so long at the latest; 0: when it is charged
	Oddities               Oddities
}

// Point is one EVSE of a CPO, seen by the simulation.
type Point struct {
	Location ocpi.Location
	EVSE     ocpi.EVSE
	Kind     Kind
}

// Charge is a charging session that has been simulated to its end.
type Charge struct {
	cpo      *CPO
	price    Price
	tariff   ocpi.Tariff
	point    Point
	visit    Visit
	periods  []period
	start    time.Time
	end      time.Time
	id       ocpi.CiString
	cdrID    ocpi.CiString
	creditID ocpi.CiString
	secondID ocpi.CiString // of the CDR that replaces a credited one
	meter    string
}

// period is a stretch of a session with one price.
type period struct {
	start     time.Time
	ticks     int64
	charging  bool
	phase     phase
	wattHours int64
	maxWatts  int64
}

func (p period) seconds() int64 { return p.ticks * int64(tick/time.Second) }

// updateEvery is the longest charging period, and so the time between two
// pushes of a session while the car charges.
const updateEvery = 15 * time.Minute

// Points are the CPO's charging points.
func (c *CPO) Points() []Point {
	var points []Point
	for _, location := range c.Locations() {
		for _, evse := range location.EVSEs {
			points = append(points, Point{location, evse, kindOf(evse.Connectors[0])})
		}
	}
	return points
}

func kindOf(connector ocpi.Connector) Kind {
	for kind, data := range kinds {
		if connector.PowerType == data.power && connector.MaxElectricPower != nil && *connector.MaxElectricPower == int(data.watts) {
			return Kind(kind)
		}
	}
	return AC11
}

// Draw simulates a visit of which the card, the authorization, the time and
// the oddities are given. Car, charging point and habits follow from the
// CPO's seed. The point is free at that time, unless the CPO is so busy that
// none can be found.
func (c *CPO) Draw(visit Visit) *Charge {
	points := c.Points()
	c.mu.Lock()
	defer c.mu.Unlock()
	for tries := 1; ; tries++ {
		point := points[c.random.IntN(len(points))]
		charge := c.simulate(point, c.habits(point.Kind, visit))
		if c.free(charge) || tries == 20 {
			uid := point.EVSE.UID
			c.bookings[uid] = append(c.bookings[uid], booking{charge.start, charge.end})
			return charge
		}
	}
}

// habits invents what a driver does at a kind of point.
func (c *CPO) habits(kind Kind, visit Visit) Visit {
	visit.Car, visit.Arrives = Cars[c.random.IntN(len(Cars))], 8+c.random.IntN(45)
	if kind.Direct() {
		visit.Leaves = 70 + c.random.IntN(16)
		visit.Stay = time.Duration(c.random.IntN(8)) * time.Minute
		visit.Unplug = 80 * time.Minute
		return visit
	}
	visit.Leaves = 80 + c.random.IntN(21)
	visit.Unplug = time.Duration(60+c.random.IntN(420)) * time.Minute
	if c.random.IntN(3) == 0 {
		visit.Stay = time.Duration(c.random.IntN(240)) * time.Minute
	} else {
		visit.Stay = time.Duration(c.random.IntN(20)) * time.Minute
	}
	return visit
}

// free reports whether nobody else is at the point during the charge.
func (c *CPO) free(charge *Charge) bool {
	return !slices.ContainsFunc(c.bookings[charge.point.EVSE.UID], func(b booking) bool {
		return b.from.Before(charge.end) && charge.start.Before(b.to)
	})
}

// Simulate plays a given visit at a given point to its end.
func (c *CPO) Simulate(point Point, visit Visit) *Charge {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.simulate(point, visit)
}

func (c *CPO) simulate(point Point, visit Visit) *Charge {
	price := c.priceOf(point.Kind)
	start := visit.Arrival.UTC().Add(tick - 1).Truncate(tick)
	charge := &Charge{
		cpo: c, price: price, point: point, visit: visit, start: start,
		id: c.newID(), cdrID: c.newID(), creditID: c.newID(), secondID: c.newID(),
		meter: "M" + string(point.EVSE.UID),
	}
	charge.tariff = price.Tariff(c.party, start)
	if i := slices.IndexFunc(c.tariffs, func(t ocpi.Tariff) bool { return t.ID.Equal(price.ID) }); i >= 0 {
		charge.tariff = c.tariffs[i]
	}
	charge.run()
	return charge
}

// newID is a UUID that follows from the seed.
func (c *CPO) newID() ocpi.CiString {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(c.random.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return ocpi.CiString(id.String())
}

// run is the physics: the car draws until it is charged, then it stands.
func (c *Charge) run() {
	zone, err := time.LoadLocation(c.point.Location.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	battery := battery{car: c.visit.Car, kind: c.point.Kind, level: c.visit.Car.Battery * 36 * int64(c.visit.Arrives)}
	var joules, counted int64 // drawn, and already counted in full watt-hours
	var stood time.Duration
	charging := true
	for at := c.start; ; at = at.Add(tick) {
		elapsed := at.Sub(c.start)
		if charging && (battery.thousandths() >= int64(c.visit.Leaves)*10 || c.visit.Unplug > 0 && elapsed >= c.visit.Unplug) {
			charging = false
		}
		if !charging && stood >= c.visit.Stay && elapsed > 0 {
			c.end = at
			return
		}
		c.cut(at, charging, c.price.phase(at.In(zone), elapsed))
		current := &c.periods[len(c.periods)-1]
		current.ticks++
		if !charging {
			stood += tick
			continue
		}
		watts, drawn := battery.charge()
		joules += drawn
		current.maxWatts = max(current.maxWatts, watts)
		current.wattHours += joules/3600 - counted
		counted = joules / 3600
	}
}

// cut begins a new period when the price changes, when charging ends, and
// every quarter of an hour while the car charges.
func (c *Charge) cut(at time.Time, charging bool, now phase) {
	if len(c.periods) > 0 {
		last := c.periods[len(c.periods)-1]
		if last.charging == charging && last.phase == now && (!charging || at.Sub(last.start) < updateEvery) {
			return
		}
	}
	c.periods = append(c.periods, period{start: at, charging: charging, phase: now})
}

// Start is when the car was plugged in.
func (c *Charge) Start() time.Time { return c.start }

// End is when it was unplugged.
func (c *Charge) End() time.Time { return c.end }

// message writes periods as OCPI does.
func (c *Charge) message(periods []period) []ocpi.ChargingPeriod {
	var list []ocpi.ChargingPeriod
	dimension := func(kind ocpi.CDRDimensionType, volume decimal.Decimal) ocpi.CDRDimension {
		return ocpi.CDRDimension{Type: kind, Volume: ocpi.Number(volume)}
	}
	for _, p := range periods {
		message := ocpi.ChargingPeriod{StartDateTime: p.start, TariffID: c.price.ID}
		if p.charging {
			message.Dimensions = []ocpi.CDRDimension{
				dimension(ocpi.DimensionEnergy, c.kWh(p.wattHours)),
				dimension(ocpi.DimensionTime, hours(p.ticks)),
				dimension(ocpi.DimensionMaxPower, decimal.New(p.maxWatts, -3)),
			}
		} else {
			message.Dimensions = []ocpi.CDRDimension{dimension(ocpi.DimensionParkingTime, hours(p.ticks))}
		}
		list = append(list, message)
	}
	return list
}

// kWh is what the CPO reports of so many watt-hours.
func (c *Charge) kWh(wattHours int64) decimal.Decimal {
	if c.visit.Oddities.EnergyInWh {
		return decimal.NewFromInt(wattHours)
	}
	return decimal.New(wattHours, -3)
}

func hours(ticks int64) decimal.Decimal { return decimal.New(ticks, -2) }

// sums adds up periods.
func sums(periods []period) (wattHours, ticks, parked int64) {
	for _, p := range periods {
		wattHours += p.wattHours
		ticks += p.ticks
		if !p.charging {
			parked += p.ticks
		}
	}
	return wattHours, ticks, parked
}

func (c *Charge) token() ocpi.CDRToken {
	t := c.visit.Token
	token := ocpi.CDRToken{CountryCode: t.CountryCode, PartyID: t.PartyID, UID: t.UID, Type: t.Type, ContractID: t.ContractID}
	if c.visit.Oddities.UnknownToken {
		token.UID = ocpi.CiString("04" + fmt.Sprintf("%X", c.start.Unix()))
		token.ContractID = token.UID
	}
	return token
}

func (c *Charge) authMethod() ocpi.AuthMethod {
	if c.visit.AuthMethod == "" {
		return ocpi.AuthWhitelist
	}
	return c.visit.AuthMethod
}

// Session is the charge after its first n periods, complete when n is all of
// them.
func (c *Charge) Session(n int) ocpi.Session {
	periods := c.periods[:n]
	wattHours, ticks, _ := sums(periods)
	total := c.price.price(c.price.cost(periods).total())
	s := ocpi.Session{
		CountryCode: c.cpo.party.CountryCode, PartyID: c.cpo.party.PartyID, ID: c.id, StartDateTime: c.start,
		KWh: ocpi.Number(c.kWh(wattHours)), CDRToken: c.token(), AuthMethod: c.authMethod(), AuthorizationReference: c.visit.AuthorizationReference,
		LocationID: c.point.Location.ID, EVSEUID: c.point.EVSE.UID, ConnectorID: c.point.EVSE.Connectors[0].ID, MeterID: c.meter, Currency: "EUR",
		ChargingPeriods: c.message(periods), TotalCost: &total, Status: ocpi.SessionActive,
		LastUpdated: c.start.Add(time.Duration(ticks) * tick),
	}
	if n == len(c.periods) {
		s.Status, s.EndDateTime = ocpi.SessionCompleted, c.end
	}
	return s
}

// update is the PATCH that tells of the n-th period.
func (c *Charge) update(n int) ocpi.Session {
	s := c.Session(n)
	return ocpi.Session{
		KWh: s.KWh, TotalCost: s.TotalCost, Status: s.Status, EndDateTime: s.EndDateTime, LastUpdated: s.LastUpdated,
		ChargingPeriods: c.message(c.periods[n-1 : n]),
	}
}

// CDR is the account of the charge, as the CPO sends it first.
func (c *Charge) CDR() ocpi.CDR {
	wattHours, ticks, parked := sums(c.periods)
	costs := c.price.cost(c.periods)
	connector := c.point.EVSE.Connectors[0]
	location := c.point.Location
	cdr := ocpi.CDR{
		CountryCode: c.cpo.party.CountryCode, PartyID: c.cpo.party.PartyID, ID: c.cdrID, StartDateTime: c.start, EndDateTime: c.end,
		SessionID: c.id, CDRToken: c.token(), AuthMethod: c.authMethod(), AuthorizationReference: c.visit.AuthorizationReference,
		CDRLocation: ocpi.CDRLocation{
			ID: location.ID, Name: location.Name, Address: location.Address, City: location.City, PostalCode: location.PostalCode,
			Country: location.Country, Coordinates: location.Coordinates, EVSEUID: c.point.EVSE.UID, EVSEID: c.point.EVSE.EVSEID,
			ConnectorID: connector.ID, ConnectorStandard: connector.Standard, ConnectorFormat: connector.Format, ConnectorPowerType: connector.PowerType,
		},
		MeterID: c.meter, Currency: "EUR", Tariffs: []ocpi.Tariff{c.tariff}, ChargingPeriods: c.message(c.periods),
		TotalCost:   c.price.price(costs.total()),
		TotalEnergy: ocpi.Number(c.kWh(wattHours)), TotalEnergyCost: ocpi.Ptr(c.price.price(costs.energy)),
		TotalTime: ocpi.Number(hours(ticks)), TotalParkingTime: ocpi.Number(hours(parked)),
		LastUpdated: c.sent(),
	}
	if !costs.fixed.IsZero() {
		cdr.TotalFixedCost = ocpi.Ptr(c.price.price(costs.fixed))
	}
	if !costs.time.IsZero() {
		cdr.TotalTimeCost = ocpi.Ptr(c.price.price(costs.time))
	}
	if !costs.parking.IsZero() {
		cdr.TotalParkingCost = ocpi.Ptr(c.price.price(costs.parking))
	}
	if c.visit.Oddities.WrongCost {
		cdr.TotalCost = c.price.price(costs.total().Mul(decimal.New(125, -2)))
	}
	if c.visit.Oddities.NoSession {
		cdr.SessionID = ""
	}
	cdr.SignedData = c.signedData()
	return cdr
}

// sent is when the CPO sends the CDR.
func (c *Charge) sent() time.Time { return c.end.Add(2*time.Minute + c.visit.Oddities.Late) }

// Credit is the CDR that takes the first one back (CDR-09).
func (c *Charge) Credit() ocpi.CDR {
	cdr := c.CDR()
	cdr.ID, cdr.Credit, cdr.CreditReferenceID = c.creditID, true, c.cdrID
	cdr.TotalCost.ExclVAT.Decimal = cdr.TotalCost.ExclVAT.Decimal.Neg()
	cdr.TotalCost.InclVAT.Decimal = cdr.TotalCost.InclVAT.Decimal.Neg()
	cdr.LastUpdated = cdr.LastUpdated.Add(creditAfter)
	return cdr
}

// Replacement is the CDR that stands after a credit (CDR-12), without the
// oddities that made it necessary.
func (c *Charge) Replacement() ocpi.CDR {
	right := *c
	right.visit.Oddities = Oddities{Late: c.visit.Oddities.Late, NoSession: c.visit.Oddities.NoSession}
	cdr := right.CDR()
	cdr.ID = c.secondID
	cdr.LastUpdated = cdr.LastUpdated.Add(creditAfter + time.Minute)
	return cdr
}

// creditAfter is how long a CPO takes to see its mistake.
const creditAfter = 3 * 24 * time.Hour
