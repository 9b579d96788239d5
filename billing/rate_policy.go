package billing

// Policy is a reading of the points that OCPI 2.2.1 leaves open. It is a value with a name, so that a partner can have its
// own and a rating can say which one it used.
type Policy struct {
	Name string

	NoStepSize        bool     // quantities are billed as measured, as OCPI 3.0 will
	TimePool          TimePool // PRC-21
	HoursAsSent       bool     // never prefer the bounds of a period to its hours (PRC-14)
	UnknownLevelHolds bool     // a power or current that was not measured fulfils a restriction
	NoAveragePower    bool     // do not stand in energy by time for a power that was not measured
	Places            int32    // decimals of the figures; 0 means ten
	Truncate          bool     // cut at Places instead of rounding half away from zero
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

// Readings are the policies that a CPO may defend, the default first. A check tells which of them reproduces a claim.
var Readings = []Policy{
	DefaultPolicy,
	{Name: "no-step-size", NoStepSize: true},
	{Name: "last-time-component", TimePool: LastComponent},
	{Name: "hours-as-sent", HoursAsSent: true},
	{Name: "unknown-level-holds", UnknownLevelHolds: true, NoAveragePower: true},
	{Name: "rounded-to-cents", Places: 2},
	{Name: "truncated-to-cents", Places: 2, Truncate: true},
}
