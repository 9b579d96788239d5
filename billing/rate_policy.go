package billing

// Policy is a reading of the points that OCPI 2.2.1 leaves open, and of those that some CPOs read in a way of their own. It is
// a value with a name, so that a partner can have its own and a rating can say which one it used.
type Policy struct {
	Name string

	NoStepSize        bool     // quantities are billed as measured, as OCPI 3.0 will
	StepPerComponent  bool     // each component rounds what it priced, as OCPI 2.1.1 could be read (PRC-15)
	UnpricedInSteps   bool     // what no component prices counts for the total that is rounded (PRC-18)
	TimePool          TimePool // PRC-21
	HoursAsSent       bool     // never prefer the bounds of a period to its hours (PRC-14)
	UnknownLevelHolds bool     // a power or current that was not measured fulfils a restriction
	NoAveragePower    bool     // do not stand in energy by time for a power that was not measured
	ClockInUTC        bool     // times and dates of restrictions are not local (PRC-10)
	FlatPerComponent  bool     // a flat fee is due again when another one applies (PRC-23)
	ElementPerPrice   bool     // each dimension looks for an element of its own in a tariff of OCPI 2.1.1 too (VDF-07)
	NoLimits          bool     // minimum and maximum prices are ignored (PRC-29)
	Places            int32    // decimals of the figures; 0 means ten
	Truncate          bool     // cut at Places instead of rounding half away from zero
	RoundLines        bool     // the lines are rounded, and then summed up (PRC-32)
}

// TimePool says what step_size rounds in a session that charged and parked (PRC-17, PRC-21).
type TimePool int

const (
	// ParkingFirst rounds the parking time if any was priced, else the charging time.
	ParkingFirst TimePool = iota
	// LastComponent rounds whichever of the two was priced last.
	LastComponent
)

// DefaultPolicy is our reading of the specification.
var DefaultPolicy = Policy{Name: "ocpi-2.2.1"}

// reading is a policy in words.
type reading struct {
	Policy
	says Text
}

var readings = []reading{
	{DefaultPolicy, Text{"nach OCPI 2.2.1", "by OCPI 2.2.1"}},
	{Policy{Name: "no-step-size", NoStepSize: true}, Text{"ohne Schrittweite", "without step sizes"}},
	{Policy{Name: "last-time-component", TimePool: LastComponent}, Text{"Schrittweite der zuletzt bepreisten Zeit", "step size of the time that was priced last"}},
	{Policy{Name: "hours-as-sent", HoursAsSent: true}, Text{"Stunden wie gesendet", "hours as they were sent"}},
	{Policy{Name: "unknown-level-holds", UnknownLevelHolds: true, NoAveragePower: true}, Text{"unbekannte Leistung erfüllt die Bedingung", "an unknown power fulfils the restriction"}},
	{Policy{Name: "rounded-to-cents", Places: 2}, Text{"auf Cent gerundet", "rounded to the cent"}},
	{Policy{Name: "truncated-to-cents", Places: 2, Truncate: true}, Text{"auf Cent abgeschnitten", "truncated to the cent"}},
	{Policy{Name: "lines-rounded-to-cents", Places: 2, RoundLines: true}, Text{"jede Position auf Cent gerundet", "each line rounded to the cent"}},
	{Policy{Name: "lines-truncated-to-cents", Places: 2, Truncate: true, RoundLines: true}, Text{"jede Position auf Cent abgeschnitten", "each line truncated to the cent"}},
	{Policy{Name: "step-per-component", StepPerComponent: true}, Text{"Schrittweite bei jedem Preiswechsel", "step size at every change of the price"}},
	{Policy{Name: "unpriced-in-steps", UnpricedInSteps: true}, Text{"Schrittweite zählt auch Mengen ohne Preis", "step size counts quantities without a price too"}},
	{Policy{Name: "flat-per-component", FlatPerComponent: true}, Text{"Startgebühr bei jedem Preiswechsel", "flat fee at every change of the price"}},
	{Policy{Name: "element-per-price", ElementPerPrice: true}, Text{"OCPI 2.1.1: für jede Größe das erste Element, das sie bepreist", "OCPI 2.1.1: for each quantity the first element that prices it"}},
	{Policy{Name: "clock-in-utc", ClockInUTC: true}, Text{"Uhrzeiten in UTC statt in Ortszeit", "times of day in UTC instead of local time"}},
	{Policy{Name: "no-limits", NoLimits: true}, Text{"ohne Mindest- und Höchstpreis", "without minimum and maximum price"}},
	{
		Policy{Name: "ocpi-tariffs-0.6", UnpricedInSteps: true, UnknownLevelHolds: true, NoAveragePower: true, NoLimits: true},
		Text{"wie das Werkzeug ocpi-tariffs 0.6", "like the tool ocpi-tariffs 0.6"},
	},
}

// Readings are the policies that a CPO may defend, the default first. A check tells which of them reproduces a claim.
var Readings = func() []Policy {
	policies := make([]Policy, len(readings))
	for i := range readings {
		policies[i] = readings[i].Policy
	}
	return policies
}()

// PolicyNamed returns the reading of a name, the default one for none. ok is false for a name that is not known.
func PolicyNamed(name string) (p Policy, ok bool) {
	if name == "" {
		return DefaultPolicy, true
	}
	for i := range readings {
		if readings[i].Name == name {
			return readings[i].Policy, true
		}
	}
	return DefaultPolicy, false
}

// SayReading puts a reading into words, in "de" or "en". A name that is not known says itself.
func SayReading(name, lang string) string {
	for i := range readings {
		if readings[i].Name == name && lang == "de" {
			return readings[i].says.DE
		} else if readings[i].Name == name {
			return readings[i].says.EN
		}
	}
	return name
}
