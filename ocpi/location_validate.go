package ocpi

import (
	"strconv"
	"strings"
)

// Validate checks the Location with its EVSEs and connectors (LOC-01).
func (l *Location) Validate() Findings {
	var c checker
	l.check(&c, nil)
	return c.findings
}

func (l *Location) check(c *checker, p *place) {
	c.party(p, l.CountryCode, l.PartyID)
	c.id(p, "id", l.ID, 36)
	c.bool(p, "publish", l.Publish)
	for i := range l.PublishAllowedTo {
		at := p.item("publish_allowed_to", i)
		l.PublishAllowedTo[i].check(c, &at)
	}
	c.optionalText(p, "name", l.Name, 255)
	c.text(p, "address", l.Address, 255)
	c.text(p, "city", l.City, 45)
	c.optionalText(p, "postal_code", l.PostalCode, 10)
	c.optionalText(p, "state", l.State, 45)
	c.country(p, l.Country)
	at := p.field("coordinates")
	l.Coordinates.check(c, &at)
	for i := range l.RelatedLocations {
		at := p.item("related_locations", i)
		l.RelatedLocations[i].check(c, &at)
	}
	optionalEnum(c, p, "parking_type", l.ParkingType)
	seen := make(map[string]bool, len(l.EVSEs))
	for i := range l.EVSEs {
		at := p.item("evses", i)
		l.EVSEs[i].check(c, &at)
		c.unique(&at, "uid", l.EVSEs[i].UID, seen)
	}
	c.texts(p, "directions", l.Directions)
	c.optionalBusiness(p, "operator", l.Operator)
	c.optionalBusiness(p, "suboperator", l.Suboperator)
	c.optionalBusiness(p, "owner", l.Owner)
	enums(c, p, "facilities", l.Facilities)
	c.timeZone(p, l.TimeZone)
	if l.OpeningTimes != nil {
		at := p.field("opening_times")
		l.OpeningTimes.check(c, &at)
	}
	c.images(p, "images", l.Images)
	if l.EnergyMix != nil {
		at := p.field("energy_mix")
		l.EnergyMix.check(c, &at)
	}
	c.time(p, "last_updated", l.LastUpdated)
}

// Validate checks the EVSE with its connectors (LOC-02).
func (e *EVSE) Validate() Findings {
	var c checker
	e.check(&c, nil)
	return c.findings
}

func (e *EVSE) check(c *checker, p *place) {
	c.id(p, "uid", e.UID, 36)
	c.optionalID(p, "evse_id", e.EVSEID, 48)
	enum(c, p, "status", e.Status)
	for i := range e.StatusSchedule {
		at := p.item("status_schedule", i)
		c.time(&at, "period_begin", e.StatusSchedule[i].PeriodBegin)
		enum(c, &at, "status", e.StatusSchedule[i].Status)
	}
	enums(c, p, "capabilities", e.Capabilities)
	c.filled(p, "connectors", len(e.Connectors))
	seen := make(map[string]bool, len(e.Connectors))
	for i := range e.Connectors {
		at := p.item("connectors", i)
		e.Connectors[i].check(c, &at)
		c.unique(&at, "id", e.Connectors[i].ID, seen)
	}
	c.optionalText(p, "floor_level", e.FloorLevel, 4)
	if e.Coordinates != nil {
		at := p.field("coordinates")
		e.Coordinates.check(c, &at)
	}
	c.optionalText(p, "physical_reference", e.PhysicalReference, 16)
	c.texts(p, "directions", e.Directions)
	enums(c, p, "parking_restrictions", e.ParkingRestrictions)
	c.images(p, "images", e.Images)
	c.time(p, "last_updated", e.LastUpdated)
}

// unique notes an identifier that occurred before in the same list.
func (c *checker) unique(p *place, field string, id CiString, seen map[string]bool) {
	key := id.Fold()
	if seen[key] {
		c.note(p, field, "unique in its list", string(id))
	}
	seen[key] = true
}

// Validate checks the connector (LOC-03).
func (k *Connector) Validate() Findings {
	var c checker
	k.check(&c, nil)
	return c.findings
}

func (k *Connector) check(c *checker, p *place) {
	c.id(p, "id", k.ID, 36)
	enum(c, p, "standard", k.Standard)
	enum(c, p, "format", k.Format)
	enum(c, p, "power_type", k.PowerType)
	c.int(p, "max_voltage", k.MaxVoltage)
	c.optionalCount(p, "max_voltage", k.MaxVoltage)
	c.int(p, "max_amperage", k.MaxAmperage)
	c.optionalCount(p, "max_amperage", k.MaxAmperage)
	c.optionalCount(p, "max_electric_power", k.MaxElectricPower)
	if w := k.MaxElectricPower; w != nil && 0 < *w && *w < 1000 {
		c.note(p, "max_electric_power", "power in W", strconv.Itoa(*w))
	}
	for i, id := range k.TariffIDs {
		at := p.item("tariff_ids", i)
		if id == "" {
			c.note(&at, "", "not empty", "")
		}
		c.optionalID(&at, "", id, 36)
	}
	c.optionalURL(p, "terms_and_conditions", k.TermsAndConditions, 255)
	c.time(p, "last_updated", k.LastUpdated)
}

func (g *GeoLocation) check(c *checker, p *place) {
	c.degrees(p, "latitude", g.Latitude, 90)
	c.degrees(p, "longitude", g.Longitude, 180)
	if strings.Trim(g.Latitude, "-0.") == "" && strings.Trim(g.Longitude, "-0.") == "" && g.Latitude != "" && g.Longitude != "" {
		c.note(p, "", "not 0,0", "")
	}
}

func (g *AdditionalGeoLocation) check(c *checker, p *place) {
	c.degrees(p, "latitude", g.Latitude, 90)
	c.degrees(p, "longitude", g.Longitude, 180)
	if g.Name != nil {
		at := p.field("name")
		g.Name.check(c, &at)
	}
}

// degrees checks a coordinate. Another precision, and even a value off the
// globe, is only noted: nobody's charging depends on it (TYP-17).
func (c *checker) degrees(p *place, field, v string, limit int) {
	if v == "" {
		c.reject(p, field, ruleRequired, "")
		return
	}
	whole, decimals, _ := strings.Cut(strings.TrimPrefix(v, "-"), ".")
	n, ok1 := digits(whole)
	_, ok2 := digits(decimals)
	switch {
	case !ok1 || !ok2 || whole == "" || len(whole) > 3 || n > limit:
		c.note(p, field, "decimal degrees up to "+strconv.Itoa(limit), v)
	case len(decimals) < 5 || len(decimals) > 7:
		c.note(p, field, "five to seven decimals", v)
	}
}

// timeZone checks the form of a zone's name. Whether tzdata knows the zone is
// for whoever needs its clock (TYP-16).
func (c *checker) timeZone(p *place, v string) {
	c.text(p, "time_zone", v, 255)
	if v != "" && v != "UTC" && !strings.Contains(v, "/") {
		c.note(p, "time_zone", "an IANA time zone such as Europe/Berlin", v)
	}
}

// check notes entries that name no token (LOC-15); they are to be ignored.
func (t *PublishTokenType) check(c *checker, p *place) {
	if t.UID == "" && t.VisualNumber == "" && t.GroupID == "" {
		c.note(p, "", "one of uid, visual_number and group_id", "")
	}
	if t.UID != "" && t.Type == "" {
		c.note(p, "type", "required with uid", "")
	}
	if t.VisualNumber != "" && t.Issuer == "" {
		c.note(p, "issuer", "required with visual_number", "")
	}
	c.optionalID(p, "uid", t.UID, 36)
	optionalEnum(c, p, "type", t.Type)
	c.optionalText(p, "visual_number", t.VisualNumber, 64)
	c.optionalText(p, "issuer", t.Issuer, 64)
	c.optionalID(p, "group_id", t.GroupID, 36)
}

func (c *checker) optionalBusiness(p *place, field string, b *BusinessDetails) {
	if b == nil {
		return
	}
	at := p.field(field)
	b.check(c, &at)
}

func (b *BusinessDetails) check(c *checker, p *place) {
	c.text(p, "name", b.Name, 100)
	c.optionalURL(p, "website", b.Website, 255)
	if b.Logo != nil {
		at := p.field("logo")
		b.Logo.check(c, &at)
	}
}

func (c *checker) images(p *place, field string, images []Image) {
	for i := range images {
		at := p.item(field, i)
		images[i].check(c, &at)
	}
}

func (i *Image) check(c *checker, p *place) {
	c.text(p, "url", i.URL, 255)
	c.optionalURL(p, "url", i.URL, 255)
	c.optionalURL(p, "thumbnail", i.Thumbnail, 255)
	enum(c, p, "category", i.Category)
	c.id(p, "type", i.Type, 4)
	c.optionalCount(p, "width", i.Width)
	c.optionalCount(p, "height", i.Height)
}

func (m *EnergyMix) check(c *checker, p *place) {
	c.bool(p, "is_green_energy", m.IsGreenEnergy)
	for i := range m.EnergySources {
		at := p.item("energy_sources", i)
		enum(c, &at, "source", m.EnergySources[i].Source)
		c.number(&at, "percentage", m.EnergySources[i].Percentage)
	}
	for i := range m.EnvironImpact {
		at := p.item("environ_impact", i)
		enum(c, &at, "category", m.EnvironImpact[i].Category)
		c.number(&at, "amount", m.EnvironImpact[i].Amount)
	}
	c.optionalText(p, "supplier_name", m.SupplierName, 64)
	c.optionalText(p, "energy_product_name", m.EnergyProductName, 64)
}

// check checks the opening times (LOC-19).
func (h *Hours) check(c *checker, p *place) {
	c.bool(p, "twentyfourseven", h.Twentyfourseven)
	if h.Twentyfourseven != nil {
		if *h.Twentyfourseven && len(h.RegularHours) > 0 {
			c.note(p, "regular_hours", "only without twentyfourseven", "")
		}
		if !*h.Twentyfourseven && len(h.RegularHours) == 0 {
			c.note(p, "regular_hours", "at least one item without twentyfourseven", "")
		}
	}
	for i := range h.RegularHours {
		hours := &h.RegularHours[i]
		at := p.item("regular_hours", i)
		c.int(&at, "weekday", hours.Weekday)
		if hours.Weekday != nil && (*hours.Weekday < 1 || *hours.Weekday > 7) {
			c.reject(&at, "weekday", "1 (Monday) to 7 (Sunday)", strconv.Itoa(*hours.Weekday))
		}
		c.openingClock(&at, "period_begin", hours.PeriodBegin)
		c.openingClock(&at, "period_end", hours.PeriodEnd)
	}
	c.exceptions(p, "exceptional_openings", h.ExceptionalOpenings)
	c.exceptions(p, "exceptional_closings", h.ExceptionalClosings)
}

// openingClock checks a time of day that only informs, so a bad one does not
// cost the Location.
func (c *checker) openingClock(p *place, field, v string) {
	if v == "" {
		c.reject(p, field, ruleRequired, "")
	} else if !clockTime(v) || len(v) != len("hh:mm") {
		c.note(p, field, ruleClock, v)
	}
}

func (c *checker) exceptions(p *place, field string, periods []ExceptionalPeriod) {
	for i := range periods {
		at := p.item(field, i)
		c.time(&at, "period_begin", periods[i].PeriodBegin)
		c.time(&at, "period_end", periods[i].PeriodEnd)
	}
}
