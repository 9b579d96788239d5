package ocpitest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Faults are the ways in which partners differ from the specification. The
// zero value is a partner without faults.
type Faults struct {
	WireFaults
	Oddities
}

// WireFaults are the faults of a connection.
type WireFaults struct {
	RawToken          bool // Authorization carries the token itself, not its Base64
	UnpaddedToken     bool // Base64 without padding
	TokenNewline      bool // a line feed inside the Base64
	NoRequestIDs      bool // neither X-Request-ID nor X-Correlation-ID
	NoRouting         bool // no routing headers; owner-less pushes are sent once
	TimesWithoutZone  bool // DateTime without Z
	TimesWithOffset   bool // DateTime with +00:00 and six digits of a fraction
	NumbersAsText     bool // "0.55" for 0.55
	NullLists         bool // null for lists that are not there
	CredentialsAre201 bool // POST credentials is answered with 201 instead of 200
	CallbackFails     bool // versions answers HTTP 500 while we register (CRED-11)
	HalfRegisters     bool // POST credentials answers HTTP 500 after it called back
	LosesPushes       bool // what it pushes never arrives; its lists have it

	ListFaults

	CommandFaults
}

// ListFaults are the ways in which the lists of partners differ.
type ListFaults struct {
	NoLink       bool // the pages do not say that there are more
	RelativeLink bool // Link without a host
	LoopingLink  bool // Link to the page that it stands on
	ForeignLink  bool // Link to another host
	LinkInBody   bool // the next page stands in the body, "" on the last one
	NoTotal      bool // neither X-Total-Count nor X-Limit
	EmptyPages   bool // from the second page on there is nothing, but always a Link
	BrokenObject bool // an object on each page cannot be read
	Busy         bool // every second call of a list is answered with 429 and Retry-After
	NoRetryAfter bool // as Busy, but it does not say for how long
}

// Oddities are what goes wrong with a charging session and its CDR.
type Oddities struct {
	NoSession     bool          // the CDR comes without a Session before it
	TamperedMeter bool          // the signed reading was raised by 1 kWh afterwards
	EnergyInWh    bool          // ENERGY is in Wh: 1000 times too much
	WrongCost     bool          // total_cost is a quarter more than the tariff gives
	UnknownToken  bool          // the card was never issued
	Late          time.Duration // the CDR comes so long after the end
	Duplicate     bool          // the CDR comes twice, equal
	Changed       bool          // the CDR comes again with another amount
	Credited      bool          // a credit CDR and a replacement follow
	CreditFirst   bool          // the credit CDR comes before its original
	Repeated      bool          // each session PATCH is sent twice
}

// faultNames are the names of the faults on a command line.
var faultNames = map[string]func(*Faults){
	"raw-token":          func(f *Faults) { f.RawToken = true },
	"unpadded-token":     func(f *Faults) { f.UnpaddedToken = true },
	"token-newline":      func(f *Faults) { f.TokenNewline = true },
	"no-request-ids":     func(f *Faults) { f.NoRequestIDs = true },
	"no-routing":         func(f *Faults) { f.NoRouting = true },
	"times-without-zone": func(f *Faults) { f.TimesWithoutZone = true },
	"times-with-offset":  func(f *Faults) { f.TimesWithOffset = true },
	"numbers-as-text":    func(f *Faults) { f.NumbersAsText = true },
	"null-lists":         func(f *Faults) { f.NullLists = true },
	"credentials-201":    func(f *Faults) { f.CredentialsAre201 = true },
	"callback-fails":     func(f *Faults) { f.CallbackFails = true },
	"half-registers":     func(f *Faults) { f.HalfRegisters = true },
	"no-timeout":         func(f *Faults) { f.NoTimeout = true },
	"result-first":       func(f *Faults) { f.ResultFirst = true },
	"result-twice":       func(f *Faults) { f.ResultTwice = true },
	"result-timeout":     func(f *Faults) { f.ResultTimeout = true },
	"no-result":          func(f *Faults) { f.NoResult = true },
	"happens-anyway":     func(f *Faults) { f.HappensAnyway = true },
	"nothing-happens":    func(f *Faults) { f.NothingHappens = true },
	"no-reference":       func(f *Faults) { f.NoReference = true },
	"too-often":          func(f *Faults) { f.TooOften = true },
	"object-answer":      func(f *Faults) { f.ObjectAnswer = true },
	"loses-pushes":       func(f *Faults) { f.LosesPushes = true },
	"list-no-link":       func(f *Faults) { f.NoLink = true },
	"list-relative-link": func(f *Faults) { f.RelativeLink = true },
	"list-looping-link":  func(f *Faults) { f.LoopingLink = true },
	"list-foreign-link":  func(f *Faults) { f.ForeignLink = true },
	"list-link-in-body":  func(f *Faults) { f.LinkInBody = true },
	"list-no-total":      func(f *Faults) { f.NoTotal = true },
	"list-empty-pages":   func(f *Faults) { f.EmptyPages = true },
	"list-broken-object": func(f *Faults) { f.BrokenObject = true },
	"list-busy":          func(f *Faults) { f.Busy = true },
	"list-busy-for-long": func(f *Faults) { f.NoRetryAfter = true },
	"no-session":         func(f *Faults) { f.NoSession = true },
	"energy-in-wh":       func(f *Faults) { f.EnergyInWh = true },
	"wrong-cost":         func(f *Faults) { f.WrongCost = true },
	"unknown-token":      func(f *Faults) { f.UnknownToken = true },
	"late-cdr":           func(f *Faults) { f.Late = 45 * 24 * time.Hour },
	"duplicate-cdr":      func(f *Faults) { f.Duplicate = true },
	"changed-cdr":        func(f *Faults) { f.Changed = true },
	"credited-cdr":       func(f *Faults) { f.Credited = true },
	"credit-first":       func(f *Faults) { f.CreditFirst = true },
	"repeated-patch":     func(f *Faults) { f.Repeated = true },
}

// FaultNames lists the names that ParseFaults knows.
func FaultNames() []string { return slices.Sorted(maps.Keys(faultNames)) }

// ParseFaults switches on the faults with these names.
func ParseFaults(names []string) (Faults, error) {
	var f Faults
	for _, name := range names {
		set, known := faultNames[name]
		if !known {
			return Faults{}, fmt.Errorf("no fault is called %q; there are %s", name, strings.Join(FaultNames(), ", "))
		}
		set(&f)
	}
	return f, nil
}
