package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// FeeRun says what BookFees did.
type FeeRun struct {
	Booked   int
	Problems []FeeProblem
}

// FeeProblem is a fee that cannot be booked, and why.
type FeeProblem struct {
	Contract string
	Kind     billing.FeeKind
	Reason   string

	customer uuid.UUID
}

// feePage is how many contracts are looked at together, of a whole utility and of a range of customers: the latter are found by
// their customers, which a small page would not be.
const (
	feePage  = 500
	feeRange = 50_000
)

// everyCustomer is the range of all of them.
var everyCustomer = [2]uuid.UUID{uuid.Nil, uuid.Max}

// BookFees books what the contracts of a utility pay for a month without charging: the base fee for the days in which the contract
// ran, and what fell due once in the month, as the activation and the cards. The plan is the one that the price book gives the
// contract at no place in particular, in the version that counts on the contract's first day in the month, or on the day of
// the event. Running again books what is new and nothing twice. A month that has not ended is not booked: a contract may still
// end in it.
func (o *Ops) BookFees(ctx context.Context, tenantID uuid.UUID, month time.Time) (run FeeRun, err error) {
	tenant, err := o.DB.Tenant(ctx, tenantID)
	if err != nil {
		return FeeRun{}, fmt.Errorf("tenant: %w", err)
	}
	zone, err := time.LoadLocation(tenant.TimeZone)
	if err != nil {
		return FeeRun{}, fmt.Errorf("time zone of %s: %w", tenant.Name, err)
	}
	f := newFeeBooking(tenant, zone, month, o.Now())
	if f == nil {
		return FeeRun{}, nil
	}
	for after := uuid.Nil; ; {
		var last uuid.UUID
		err := o.DB.Tx(ctx, func(q *db.Queries) (err error) {
			last, err = f.page(ctx, q, everyCustomer, after, feePage)
			return err
		})
		if err != nil || last == uuid.Nil {
			return f.run, err
		}
		after = last
	}
}

// feeBooking is the booking of one month in progress.
type feeBooking struct {
	tenant db.Tenant
	zone   *time.Location
	month  time.Time // as a date
	period billing.Period
	now    time.Time
	run    FeeRun

	due   []db.BookFeeParams
	books map[time.Time]*bookVersion // by the instant for which they were asked
	plans map[planAsked]*planVersion
}

type planAsked struct {
	name string
	at   time.Time
}

// newFeeBooking is nil for a month that has not ended.
func newFeeBooking(tenant db.Tenant, zone *time.Location, month, now time.Time) *feeBooking {
	f := &feeBooking{tenant: tenant, zone: zone, month: dateOf(month), period: monthOf(month, zone), now: now, books: map[time.Time]*bookVersion{}, plans: map[planAsked]*planVersion{}}
	if f.now.Before(f.period.End) {
		return nil
	}
	return f
}

// book books the fees of a range of customers in the transaction of its caller.
func (f *feeBooking) book(ctx context.Context, q *db.Queries, first, last uuid.UUID) (FeeRun, error) {
	f.run = FeeRun{}
	for after := uuid.Nil; ; {
		next, err := f.page(ctx, q, [2]uuid.UUID{first, last}, after, feeRange)
		if err != nil || next == uuid.Nil {
			return f.run, err
		}
		after = next
	}
}

// page books the fees of the contracts behind one of them and returns the last; none, if there are no more.
func (f *feeBooking) page(ctx context.Context, q *db.Queries, customers [2]uuid.UUID, after uuid.UUID, most int32) (uuid.UUID, error) {
	contracts, err := q.ContractsForFees(ctx, db.ContractsForFeesParams{
		Month: f.month, TenantID: f.tenant.ID, FirstCustomer: customers[0], LastCustomer: customers[1], After: after, Since: f.period.Start, Until: f.period.End, MaxRows: most,
	})
	if err != nil || len(contracts) == 0 {
		return uuid.Nil, err
	}
	ids := make([]uuid.UUID, len(contracts))
	for i, c := range contracts {
		ids[i] = c.ID
	}
	rows, err := q.CardsForFees(ctx, db.CardsForFeesParams{TenantID: f.tenant.ID, ContractIDs: ids, Since: f.period.Start, Until: f.period.End})
	if err != nil {
		return uuid.Nil, fmt.Errorf("cards: %w", err)
	}
	cards := map[uuid.UUID][]db.CardsForFeesRow{}
	for _, card := range rows {
		cards[card.ContractID] = append(cards[card.ContractID], card)
	}
	f.due = nil
	for _, c := range contracts {
		if err := f.contract(ctx, q, c); err != nil {
			return uuid.Nil, err
		}
		for _, card := range cards[c.ID] {
			kind := billing.FeeCard
			if card.Earlier > 0 {
				kind = billing.FeeExtraCard
			}
			if err := f.event(ctx, q, c, kind, card.CreatedAt, uuid.NullUUID{UUID: card.ID, Valid: true}); err != nil {
				return uuid.Nil, err
			}
		}
	}
	if len(f.due) == 0 {
		return ids[len(ids)-1], nil
	}
	var failed error
	q.BookFee(ctx, f.due).QueryRow(func(_ int, isNew bool, err error) {
		if err != nil && failed == nil {
			failed = fmt.Errorf("book fee: %w", err)
		}
		if isNew {
			f.run.Booked++
		}
	})
	return ids[len(ids)-1], failed
}

// contract adds what a contract pays for the month, and for its beginning.
func (f *feeBooking) contract(ctx context.Context, q *db.Queries, c db.ContractsForFeesRow) error {
	if begins := c.FeesFrom; !c.ActivationBooked && !begins.Before(f.period.Start) && begins.Before(f.period.End) {
		if err := f.event(ctx, q, c, billing.FeeActivation, begins, uuid.NullUUID{}); err != nil {
			return err
		}
	}
	days := billing.DaysOf(f.month, f.zone, c.FeesFrom, c.ValidTo)
	if c.BaseBooked || days.Days <= 0 {
		return nil
	}
	// The end of the contract's first day: what begins on it counts for it.
	plan, err := f.plan(ctx, q, c, days.First.AddDate(0, 0, 1).Add(-1))
	if err != nil || plan == nil {
		return err
	}
	fee, ok := plan.retail.Fee(billing.FeeBase)
	if !ok {
		return nil
	}
	return f.add(c, plan, fee, days, uuid.NullUUID{})
}

// event adds what falls due once.
func (f *feeBooking) event(ctx context.Context, q *db.Queries, c db.ContractsForFeesRow, kind billing.FeeKind, at time.Time, token uuid.NullUUID) error {
	plan, err := f.plan(ctx, q, c, at)
	if err != nil || plan == nil {
		return err
	}
	fee, ok := plan.retail.Fee(kind)
	if !ok {
		return nil
	}
	y, m, d := at.In(f.zone).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, f.zone)
	return f.add(c, plan, fee, billing.FeeDays{First: day, Last: day, Days: 1, Of: 1}, token)
}

// plan is the one whose fees the contract pays at an instant; nil: none.
func (f *feeBooking) plan(ctx context.Context, q *db.Queries, c db.ContractsForFeesRow, at time.Time) (*planVersion, error) {
	book, known := f.books[at]
	if !known {
		var err error
		if book, err = bookAt(ctx, q, f.tenant.ID, at); err != nil {
			return nil, err
		}
		f.books[at] = book
	}
	choice, ok := book.book.FeePlan(buyerOf(c))
	if !ok {
		return nil, nil //nolint:nilnil // a customer without a price has no fees
	}
	asked := planAsked{choice.Plan, at}
	plan, known := f.plans[asked]
	if !known {
		var err error
		plan, err = planAt(ctx, q, f.tenant.ID, choice.Plan, at)
		if err != nil && !errors.Is(err, db.ErrNotFound) { // the plan may begin later
			return nil, fmt.Errorf("find plan: %w", err)
		}
		f.plans[asked] = plan
	}
	return plan, nil
}

// buyerOf is the contract as price books see it.
func buyerOf(c db.ContractsForFeesRow) *billing.Buyer {
	return &billing.Buyer{Contract: ocpi.CiString(c.ContractID).Fold(), Group: c.CustomerGroup, Plan: c.Plan}
}

// serviceVAT is how a fee of the contract is taxed.
func serviceVAT(tenant db.Tenant, c db.ContractsForFeesRow, at time.Time) (billing.VAT, error) {
	return billing.DecideServiceVAT(tenant.Country, c.Country, at, c.CustomerKind != "private", c.VATID)
}

func (f *feeBooking) add(c db.ContractsForFeesRow, plan *planVersion, fee billing.PlanFee, days billing.FeeDays, token uuid.NullUUID) error {
	vat, err := serviceVAT(f.tenant, c, days.Last)
	if errors.Is(err, billing.ErrNoTaxRule) {
		f.run.Problems = append(f.run.Problems, FeeProblem{Contract: c.ContractID, Kind: fee.Kind, Reason: err.Error(), customer: c.CustomerID})
		return nil
	} else if err != nil {
		return err
	}
	currency := plan.retail.Tariff.Currency
	amount := billing.BaseFee(fee.Price, days, currency)
	if amount.IsZero() {
		return nil
	}
	net, gross := billing.FeeAmounts(amount, plan.retail.TaxIncluded, vat)
	unit := billing.UnitPiece
	if fee.Kind == billing.FeeBase {
		unit = billing.UnitMonth
	}
	f.due = append(f.due, db.BookFeeParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: f.tenant.ID, ContractID: c.ID, TokenID: token, Kind: string(fee.Kind), Month: f.month,
		PlanVersionID: plan.row.ID, Price: fee.Price, FirstDay: asDate(days.First), LastDay: asDate(days.Last), Days: int32(days.Days), OfDays: int32(days.Of),
		BookedAt: f.now, ItemID: uuid.Must(uuid.NewV7()), CustomerID: c.CustomerID, Unit: string(unit), UnitPrice: fee.Price, TaxIncluded: plan.retail.TaxIncluded,
		VATCategory: string(vat.Category), VATRate: vat.Rate, Net: net, Gross: gross, Currency: currency,
		ServiceStart: days.First.UTC(), ServiceEnd: days.Last.AddDate(0, 0, 1).UTC(),
	})
	return nil
}

// asDate is a calendar day as PostgreSQL and JSON carry it: midnight UTC.
func asDate(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
}

// bookDueFees books the month that has ended for every utility, so that none is forgotten when nobody bills it at once.
func (w *Worker) bookDueFees(ctx context.Context) error {
	tenants, err := w.DB.Tenants(ctx)
	if err != nil {
		return fmt.Errorf("tenants: %w", err)
	}
	var failed error
	for _, t := range tenants {
		zone, err := time.LoadLocation(t.TimeZone)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("time zone of %s: %w", t.Name, err))
			continue
		}
		now := w.Now().In(zone)
		ended := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, zone)
		run, err := w.ops().BookFees(ctx, t.ID, ended)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("fees of %s: %w", t.Name, err))
		}
		for _, p := range run.Problems {
			w.Log.WarnContext(ctx, "fee cannot be booked", "tenant", t.Name, "contract", p.Contract, "kind", string(p.Kind), "reason", p.Reason)
		}
	}
	return failed
}
