package jobs

import (
	"cmp"
	"slices"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// Effect is what a decision does, or would do, to the CDRs of a selection. Amounts are without VAT.
type Effect struct {
	Selected int
	Changed  int // by the decision
	Outcomes []Outcome
	Refused  []Refused // what cannot be done, by reason
	Biggest  []Change  // the largest changes of the customer's price
	Others   int       // CDRs outside of the selection that are rated again because of it
}

// Outcome sums up the CDRs of one currency that end alike: released, waived, held, waiting, dropped, proposed, disputed,
// accepted, refused, noted, assigned.
type Outcome struct {
	Outcome      string
	Currency     string
	Many         int
	Claimed      decimal.Decimal
	RetailBefore decimal.Decimal // on the customer's bills
	RetailAfter  decimal.Decimal
}

// Refused counts the CDRs with which a decision could not be carried out.
type Refused struct {
	Code    string // of a Refusal
	Many    int
	Example uuid.UUID
}

// Change is how the price of one session changes for its customer.
type Change struct {
	CDR           uuid.UUID
	OCPIID        string
	Currency      string
	Before, After decimal.Decimal
}

// biggestShown is how many changes an effect names.
const biggestShown = 10

func (e *Effect) refused(code string, cdr uuid.UUID) { e.addRefused(Refused{code, 1, cdr}) }

func (e *Effect) addRefused(r Refused) {
	for i := range e.Refused {
		if e.Refused[i].Code == r.Code {
			e.Refused[i].Many += r.Many
			return
		}
	}
	e.Refused = append(e.Refused, r)
}

// add counts what was decided about one CDR.
func (e *Effect) add(c *decided) {
	before, after, currency := decimal.Zero, decimal.Zero, c.before.Currency
	if c.rating != nil {
		currency = c.rating.Currency
		if c.before.RetailState == retailReleased {
			before = c.rating.RetailNet
		}
		if c.after.RetailState == retailReleased {
			after = c.rating.RetailNet
		}
	}
	if c.retailAfter != nil {
		after = *c.retailAfter
	}
	e.Changed++
	e.addOutcome(Outcome{c.outcome, currency, 1, c.before.Claimed, before, after})
	if !before.Equal(after) {
		e.addChange(Change{c.before.CDRID, c.before.OCPIID, currency, before, after})
	}
}

func (e *Effect) addOutcome(o Outcome) {
	for i := range e.Outcomes {
		if at := &e.Outcomes[i]; at.Outcome == o.Outcome && at.Currency == o.Currency {
			at.Many, at.Claimed = at.Many+o.Many, at.Claimed.Add(o.Claimed)
			at.RetailBefore, at.RetailAfter = at.RetailBefore.Add(o.RetailBefore), at.RetailAfter.Add(o.RetailAfter)
			return
		}
	}
	e.Outcomes = append(e.Outcomes, o)
}

func (e *Effect) addChange(c Change) {
	size := func(c Change) decimal.Decimal { return c.After.Sub(c.Before).Abs() }
	at, _ := slices.BinarySearchFunc(e.Biggest, c, func(a, b Change) int {
		return cmp.Or(size(b).Cmp(size(a)), slices.Compare(a.CDR[:], b.CDR[:]))
	})
	if e.Biggest = slices.Insert(e.Biggest, at, c); len(e.Biggest) > biggestShown {
		e.Biggest = e.Biggest[:biggestShown]
	}
}

// merge adds the effect of the next chunk.
func (e *Effect) merge(next Effect) {
	e.Selected, e.Changed, e.Others = e.Selected+next.Selected, e.Changed+next.Changed, e.Others+next.Others
	for _, o := range next.Outcomes {
		e.addOutcome(o)
	}
	for _, r := range next.Refused {
		e.addRefused(r)
	}
	for _, c := range next.Biggest {
		e.addChange(c)
	}
}
