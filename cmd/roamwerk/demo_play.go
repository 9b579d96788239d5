package main

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// demoVisit is a visit to come.
type demoVisit struct {
	at       time.Time
	holder   holder
	cpo      int
	oddities ocpitest.Oddities
}

// demoOddities are the oddities of life, by the number of the visit. Those of
// the first weeks have consequences in later months.
var demoOddities = map[int]ocpitest.Oddities{
	9:   {Duplicate: true},
	17:  {Late: 34 * day},
	24:  {WrongCost: true, Credited: true},
	38:  {EnergyInWh: true, Credited: true},
	52:  {NoSession: true},
	61:  {UnknownToken: true},
	75:  {Late: 21 * day},
	88:  {WrongCost: true},
	103: {WrongCost: true, CreditFirst: true},
	119: {Changed: true},
	134: {Repeated: true},
	150: {WrongCost: true},
	171: {Late: 40 * day},
	188: {EnergyInWh: true},
	207: {Duplicate: true, NoSession: true},
	226: {UnknownToken: true},
	199: {TamperedMeter: true},
	245: {WrongCost: true, Credited: true},
	262: {TamperedMeter: true},
	270: {EnergyInWh: true},
	291: {WrongCost: true},
	310: {Duplicate: true},
}

// plan draws who charges when until the end, and some who have just come. The
// same card does not charge twice within half a day.
func (d *demo) plan(end time.Time) []demoVisit {
	begin := d.begin
	random := rand.New(rand.NewPCG(demoSeed, uint64(begin.Unix())))
	var visits []demoVisit
	for _, h := range d.holders {
		usual := 30 * day / time.Duration(h.visits)
		for at := begin.Add(time.Duration(random.Int64N(int64(usual)))); at.Before(end); {
			visits = append(visits, demoVisit{at: atHumanHour(at, random), holder: h, cpo: random.IntN(len(d.cpos))})
			at = at.Add(max(usual/2+time.Duration(random.Int64N(int64(usual))), 36*time.Hour))
		}
	}
	visits = slices.DeleteFunc(visits, func(v demoVisit) bool { return v.at.After(end.Add(-12*time.Hour)) || v.at.Before(begin) })
	for n, i := range random.Perm(len(d.holders))[:6] {
		visits = append(visits, demoVisit{at: end.Add(-time.Duration(6+7*n) * time.Minute), holder: d.holders[i], cpo: n % len(d.cpos)})
	}
	slices.SortFunc(visits, func(a, b demoVisit) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.holder.uid, b.holder.uid))
	})
	for n := range visits {
		visits[n].oddities = demoOddities[n]
	}
	return visits
}

// atHumanHour keeps the day and draws an hour at which people arrive.
func atHumanHour(t time.Time, random *rand.Rand) time.Time {
	hours := []int{7, 8, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16, 17, 17, 18, 18, 19, 20, 21, 22}
	return time.Date(t.Year(), t.Month(), t.Day(), hours[random.IntN(len(hours))], random.IntN(60), random.IntN(60), 0, t.Location())
}

// events is a queue of messages, the earliest first and, at one time, in the
// order in which they were put in.
type events struct {
	list []queued
	next int
}

type queued struct {
	ocpitest.Event
	order int
	odd   bool // of a visit with oddities: a refusal may be what it shows
}

func (e *events) Len() int { return len(e.list) }
func (e *events) Less(i, j int) bool {
	return cmp.Or(e.list[i].At.Compare(e.list[j].At), cmp.Compare(e.list[i].order, e.list[j].order)) < 0
}
func (e *events) Swap(i, j int) { e.list[i], e.list[j] = e.list[j], e.list[i] }
func (e *events) Push(x any)    { e.list = append(e.list, x.(queued)) }
func (e *events) Pop() any {
	last := e.list[len(e.list)-1]
	e.list = e.list[:len(e.list)-1]
	return last
}

func (e *events) add(odd bool, list ...ocpitest.Event) {
	for _, event := range list {
		heap.Push(e, queued{event, e.next, odd})
		e.next++
	}
}

// play lives through the past: it sets the clock to each event in turn and
// lets it happen. On the third day of a month the one before is billed.
func (d *demo) play(ctx context.Context, visits []demoVisit, p *progress) error {
	end, zone := d.clock.real(), d.begin.Location()
	for month := firstOf(d.begin); ; month = month.AddDate(0, 1, 0) {
		at, closed := billingDay(month, end)
		if !closed {
			break
		}
		bill := func(ctx context.Context) error { return d.bill(ctx, month, p) }
		d.pending.add(false, ocpitest.Event{At: at, What: "invoices", Do: bill})
	}
	raise := func(ctx context.Context) error { return d.cpo.ChangePrice(ctx, raisedPrices()[0]) }
	// One price goes up on the way, so that there are two versions of a tariff.
	d.pending.add(false, ocpitest.Event{At: d.begin.AddDate(0, 1, 9), What: "new price", Do: raise})

	for n, visit := range visits {
		if err := d.until(ctx, visit.at); err != nil {
			return err
		}
		d.clock.set(visit.at)
		charge, err := d.arrive(ctx, visit)
		if err != nil {
			return err
		}
		messages := charge.Events()
		if visit.at.Before(end.Add(-10 * day)) { // which EVSE was taken when is forgotten by now
			messages = slices.DeleteFunc(messages, func(e ocpitest.Event) bool { return e.Module == ocpi.ModuleLocations })
		}
		d.pending.add(visit.oddities != (ocpitest.Oddities{}), messages...)
		if n == 0 || visits[n-1].at.Month() != visit.at.Month() {
			p.enter("charging in " + visit.at.In(zone).Format("January 2006"))
		}
		p.advance()
	}
	if err := d.until(ctx, end); err != nil {
		return err
	}
	d.clock.set(end)
	p.enter("the last CDRs are rated")
	return d.settle(ctx)
}

// firstOf is the beginning of the month in which t lies.
func firstOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, t.Location())
}

// billingDay is when a month that ends before end is billed: in the morning of
// the third day after it, or at the very end.
func billingDay(month, end time.Time) (at time.Time, closed bool) {
	next := month.AddDate(0, 1, 0)
	at = next.AddDate(0, 0, 2).Add(9 * time.Hour)
	if !at.Before(end) {
		at = end.Add(-time.Second)
	}
	return at, next.Before(end)
}

// until lets everything happen that is due before t.
func (d *demo) until(ctx context.Context, t time.Time) error {
	for d.pending.Len() > 0 && d.pending.list[0].At.Before(t) {
		event := heap.Pop(&d.pending).(queued)
		d.clock.set(event.At)
		if err := d.happen(ctx, event); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) happen(ctx context.Context, event queued) error {
	err := event.Do(ctx)
	var refusal *ocpitest.Refusal
	if event.odd && errors.As(err, &refusal) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s at %s: %w", event.What, event.At.Format(time.RFC3339), err)
	}
	return nil
}

// arrive plugs a car in. Every other driver is asked about at the platform.
func (d *demo) arrive(ctx context.Context, visit demoVisit) (*ocpitest.Charge, error) {
	cpo := d.cpos[visit.cpo]
	v := ocpitest.Visit{
		Token: ocpi.Token{
			CountryCode: visit.holder.tenant.CountryCode, PartyID: visit.holder.tenant.PartyID, UID: ocpi.CiString(visit.holder.uid),
			Type: ocpi.TokenRFID, ContractID: ocpi.CiString(visit.holder.contract),
		},
		Arrival: visit.at, Oddities: visit.oddities,
	}
	if visit.at.Minute()%2 == 0 {
		info, err := cpo.Authorize(ctx, v.Token, nil)
		if err != nil {
			return nil, fmt.Errorf("authorize %s: %w", v.Token.ContractID, err)
		}
		v.AuthMethod, v.AuthorizationReference = ocpi.AuthRequest, info.AuthorizationReference
	}
	return cpo.Draw(v), nil
}

// bill issues a month's invoices of every utility and waits for the documents
// and their e-mails.
func (d *demo) bill(ctx context.Context, month time.Time, p *progress) error {
	defer func(phase string) { p.phase = phase }(p.phase)
	p.enter("invoices of " + month.Format("January 2006"))
	if err := d.settle(ctx); err != nil {
		return err
	}
	for _, tenant := range d.tenants {
		run, err := d.ops().RunInvoices(ctx, tenant.ID, month, true)
		if err != nil {
			return fmt.Errorf("bill %s: %w", tenant.Name, err)
		}
		if run.Failed > 0 {
			return fmt.Errorf("bill %s: %d invoices of %s cannot be issued", tenant.Name, run.Failed, month.Format("2006-01"))
		}
	}
	return d.settle(ctx)
}

// raisedPrices are the direct CPO's prices with a tenth more for alternating
// current.
func raisedPrices() []ocpitest.Price {
	prices := ocpitest.StandardPrices()
	prices[0].Energy = prices[0].Energy.Add(prices[0].Energy.Shift(-1))
	return prices
}

// live goes on in real time: what was under way when the past ended comes to
// its end, and every few minutes somebody arrives.
func (d *demo) live(ctx context.Context) error {
	for _, cpo := range d.cpos { // after a restart everything is free again
		if err := cpo.Publish(ctx); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "demonstration: cannot publish", "cpo", cpo.Name(), "error", err)
		}
	}
	random := rand.New(rand.NewPCG(demoSeed, uint64(d.now().UnixNano())))
	arrivals := time.NewTicker(4 * time.Minute)
	defer arrivals.Stop()
	due := time.NewTicker(time.Second)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-arrivals.C:
			visit := demoVisit{at: d.now(), holder: d.holders[random.IntN(len(d.holders))], cpo: random.IntN(len(d.cpos))}
			charge, err := d.arrive(ctx, visit)
			if err != nil {
				d.log.WarnContext(ctx, "demonstration: nobody can charge", "error", err)
				continue
			}
			d.pending.add(false, charge.Events()...)
		case <-due.C:
			for d.pending.Len() > 0 && d.pending.list[0].At.Before(d.now()) && ctx.Err() == nil {
				event := heap.Pop(&d.pending).(queued)
				if err := d.happen(ctx, event); err != nil {
					d.log.WarnContext(ctx, "demonstration", "error", err)
				}
			}
		}
	}
}
