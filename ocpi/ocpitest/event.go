package ocpitest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Event is a message of a charge that is due at a time.
type Event struct {
	At     time.Time
	Module ocpi.ModuleID
	What   string // names the message, for a log
	Do     func(context.Context) error
}

// Events are the messages of the charge in the order in which they are sent:
// the EVSE is taken, the session starts, grows and ends, the EVSE is free,
// the CDR follows; with the oddities of the visit.
func (c *Charge) Events() []Event {
	var events []Event
	add := func(at time.Time, module ocpi.ModuleID, what string, do func(context.Context) error) {
		events = append(events, Event{at, module, what, do})
	}
	status := func(at time.Time, status ocpi.Status) {
		add(at, ocpi.ModuleLocations, "evse "+string(status), func(ctx context.Context) error {
			return c.cpo.SetStatus(ctx, c.point.Location.ID, c.point.EVSE.UID, status, at)
		})
	}
	odd := c.visit.Oddities
	status(c.start, ocpi.EVSECharging)
	if !odd.NoSession {
		begin := c.Session(0)
		add(c.start, ocpi.ModuleSessions, "session start", func(ctx context.Context) error { return c.cpo.PutSession(ctx, begin) })
		for n := 1; n <= len(c.periods); n++ {
			change := c.update(n)
			send := func(ctx context.Context) error { return c.cpo.PatchSession(ctx, c.id, change) }
			add(change.LastUpdated, ocpi.ModuleSessions, "session update", send)
			if odd.Repeated {
				add(change.LastUpdated, ocpi.ModuleSessions, "session update again", send)
			}
		}
	}
	status(c.end, ocpi.EVSEAvailable)
	c.addCDRs(add)
	return events
}

// addCDRs adds the CDR and what may come with it.
func (c *Charge) addCDRs(add func(time.Time, ocpi.ModuleID, string, func(context.Context) error)) {
	odd := c.visit.Oddities
	post := func(what string, at time.Time, cdr ocpi.CDR) {
		add(at, ocpi.ModuleCDRs, what, func(ctx context.Context) error { _, err := c.cpo.PostCDR(ctx, cdr); return err })
	}
	first := c.CDR()
	credit := c.Credit()
	if odd.CreditFirst {
		post("credit CDR", first.LastUpdated.Add(-time.Minute), credit)
	}
	post("CDR", first.LastUpdated, first)
	if odd.Duplicate {
		post("CDR again", first.LastUpdated.Add(time.Hour), first)
	}
	if odd.Changed {
		changed := first
		changed.TotalCost = c.price.price(first.TotalCost.ExclVAT.Decimal.Add(amount("1")))
		changed.LastUpdated = first.LastUpdated.Add(time.Hour)
		post("CDR changed", changed.LastUpdated, changed)
	}
	if odd.Credited && !odd.CreditFirst {
		post("credit CDR", credit.LastUpdated, credit)
	}
	if odd.Credited || odd.CreditFirst {
		replacement := c.Replacement()
		post("replacement CDR", replacement.LastUpdated, replacement)
	}
}

// Deliver sends every message of the charge at once, one after the other, and
// goes on after a refusal. The error holds all of them.
func (c *Charge) Deliver(ctx context.Context) error {
	var failures []error
	for _, event := range c.Events() {
		if err := ctx.Err(); err != nil {
			return errors.Join(append(failures, err)...)
		}
		if err := event.Do(ctx); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", event.What, err))
		}
	}
	return errors.Join(failures...)
}
