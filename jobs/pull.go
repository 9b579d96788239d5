package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// pullPlans is how often each list is read when nothing else is set: rarely, since everything is pushed, too (OFF-04), and spread
// by a tenth in either direction.
var pullPlans = []pullPlan{
	{ocpi.ModuleHubClientInfo, time.Hour, time.Hour, 0, false},
	{ocpi.ModuleTariffs, 6 * time.Hour, 24 * time.Hour, 0, false},
	{ocpi.ModuleLocations, 6 * time.Hour, 24 * time.Hour, 0, false},
	{ocpi.ModuleSessions, 2 * time.Hour, 0, 30 * 24 * time.Hour, true},
	{ocpi.ModuleCDRs, 2 * time.Hour, 0, 90 * 24 * time.Hour, true},
}

type pullPlan struct {
	module ocpi.ModuleID
	every  time.Duration // reads what has changed since the last time
	full   time.Duration // reads everything, and so finds what is no more (PAG-19); 0: never, back bounds it
	back   time.Duration // how far back the first crawl goes; 0: to the beginning
	own    bool          // each utility asks for its own
}

// Rhythm is how often a list is read. What is zero is as usual.
type Rhythm struct {
	Every time.Duration // reads what has changed
	Full  time.Duration // reads everything, where that is possible
	Back  time.Duration // how far back the first crawl goes, where it does not go to the beginning
}

// rhythm is the plan of a list of a partner: as set for the platform, or as agreed with the partner. It is not read regularly
// when every is 0.
func (w *Worker) rhythm(ctx context.Context, partner db.Partner, module ocpi.ModuleID) (pullPlan, error) {
	plan := pullPlans[slices.IndexFunc(pullPlans, func(p pullPlan) bool { return p.module == module })]
	set := w.Rhythms[module]
	plan.every = cmp.Or(set.Every, plan.every)
	if plan.full > 0 {
		plan.full = cmp.Or(set.Full, plan.full)
	} else {
		plan.back = cmp.Or(set.Back, plan.back)
	}
	if module == ocpi.ModuleCDRs && partner.CDRDays != nil {
		plan.back = max(plan.back, time.Duration(*partner.CDRDays)*24*time.Hour)
	}
	agreed, err := w.DB.PartnerIntervals(ctx, partner.ID)
	if err != nil {
		return plan, fmt.Errorf("intervals of partner: %w", err)
	}
	for _, a := range agreed {
		if a.Module != string(module) {
			continue
		}
		if plan.every = 0; a.Minutes != nil {
			plan.every = time.Duration(*a.Minutes) * time.Minute
		}
	}
	return plan, nil
}

const (
	pullOverlap = 10 * time.Minute // how far a delta goes back behind the crawl before: clocks differ (PAG-22)
	pullClaim   = 5 * time.Minute  // how long reading a page may take before another worker tries
	pullGap     = 10 * time.Minute // between two pages; later, the pages make no picture of one time
	pullTurn    = 20               // pages in a row
	pullPages   = 10_000           // ends a list that does not end (PAG-15)
	pullStart   = 10 * time.Second // how long a partner has to read our answer to its registration
)

// ensurePulls plans the crawls that a partner's endpoints and parties allow. Those that are planned stay as they are.
func ensurePulls(ctx context.Context, q *db.Queries, partner db.Partner, due func() time.Time) error {
	parties, err := crawledParties(ctx, q, partner)
	if err != nil {
		return err
	}
	for _, party := range parties {
		if err := ensurePullsOf(ctx, q, partner, party, due); err != nil {
			return err
		}
	}
	return nil
}

// crawledParties are those whose lists are read regularly: a CPO platform's parties one by one (RTG-13), those behind a hub all
// at once (RTG-12).
func crawledParties(ctx context.Context, q *db.Queries, partner db.Partner) ([]ocpi.Party, error) {
	if partner.Role == string(ocpi.RoleHub) {
		return []ocpi.Party{partyOfPartner(partner)}, nil
	}
	rows, err := q.PartiesOfPartner(ctx, partner.ID)
	if err != nil {
		return nil, fmt.Errorf("parties of partner: %w", err)
	}
	var parties []ocpi.Party
	for _, row := range rows {
		if row.Role == string(ocpi.RoleCPO) {
			parties = append(parties, ocpi.Party{CountryCode: ocpi.CiString(row.CountryCode), PartyID: ocpi.CiString(row.PartyID)})
		}
	}
	return parties, nil
}

func ensurePullsOf(ctx context.Context, q *db.Queries, partner db.Partner, party ocpi.Party, due func() time.Time) error {
	tenants, err := q.TenantsOfPartner(ctx, partner.ID)
	if err != nil {
		return fmt.Errorf("tenants of partner: %w", err)
	}
	for _, plan := range pullPlans {
		_, ok, err := partnerEndpoint(partner, plan.module, ocpi.Sender)
		if err != nil {
			return err
		}
		if !ok || plan.module == ocpi.ModuleHubClientInfo && !party.Equal(partyOfPartner(partner)) {
			continue
		}
		askers := []uuid.NullUUID{{}}
		if plan.own {
			askers = nil
			for _, t := range tenants {
				askers = append(askers, uuid.NullUUID{UUID: t.ID, Valid: true})
			}
		}
		for _, asker := range askers {
			err := q.EnsurePull(ctx, db.EnsurePullParams{
				ID: uuid.Must(uuid.NewV7()), PartnerID: partner.ID, Module: string(plan.module), TenantID: asker, DueAt: due(),
				CountryCode: string(party.CountryCode), PartyID: string(party.PartyID),
			})
			if err != nil {
				return fmt.Errorf("plan pull of %s: %w", plan.module, err)
			}
		}
	}
	return nil
}

// requestPulls makes crawls of a partner due now, or at p.DueAt.
func (o *Ops) requestPulls(ctx context.Context, q *db.Queries, partner uuid.UUID, p db.RequestPullsParams) error {
	p.PartnerID = partner
	if p.DueAt.IsZero() {
		p.DueAt = o.Now()
	}
	if _, err := q.RequestPulls(ctx, p); err != nil {
		return fmt.Errorf("request pulls: %w", err)
	}
	return nil
}

// PullPartner reads a registered partner's lists now, as an operator asks: those of one module or, with "", all; full reads
// everything instead of what has changed. It returns how many lists will be read. A partner that does not answer is probed
// first.
func (o *Ops) PullPartner(ctx context.Context, name string, module ocpi.ModuleID, full bool) (lists int64, err error) {
	partner, err := o.DB.PartnerByName(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("partner %q: %w", name, err)
	}
	if partner.State != "registered" {
		return 0, fmt.Errorf("partner %q is not registered", name)
	}
	now := o.Now()
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := ensurePulls(ctx, q, partner, func() time.Time { return now }); err != nil {
			return err
		}
		lists, err = q.RequestPulls(ctx, db.RequestPullsParams{PartnerID: partner.ID, Module: string(module), DueAt: now, FullCrawl: full})
		if err != nil {
			return fmt.Errorf("request pulls: %w", err)
		}
		if lists == 0 {
			return fmt.Errorf("partner %q offers no list of %q", name, module)
		}
		if partner.FailingSince == nil && partner.RejectedAt == nil {
			return nil
		}
		return q.SetCheck(ctx, db.SetCheckParams{ID: partner.ID, CheckAt: now})
	})
	if err != nil {
		return 0, err
	}
	o.Bell.Ring(ctx, PartnerPull, partner.ID)
	o.Bell.Ring(ctx, PartnerCheck, partner.ID)
	return lists, nil
}

// planPulls plans what is missing for every registered partner: a utility or a party has come since, or the partner registered
// before there were pulls.
func (w *Worker) planPulls(ctx context.Context) error {
	partners, err := w.DB.RegisteredPartners(ctx)
	if err != nil {
		return fmt.Errorf("registered partners: %w", err)
	}
	soon := func() time.Time { return w.Now().Add(spread(5 * time.Minute)) }
	for _, partner := range partners {
		if err := ensurePulls(ctx, w.DB.Queries, partner, soon); err != nil {
			return err
		}
		if partner.CheckAt == nil {
			if err := w.DB.SetCheck(ctx, db.SetCheckParams{ID: partner.ID, CheckAt: soon()}); err != nil {
				return fmt.Errorf("plan check: %w", err)
			}
		}
	}
	return nil
}

// pullPartner reads pages of a partner's lists, one by one, and after some of them lets others have their turn. No transaction
// is open while the partner is called, and what is read is stored before the page is turned: a worker that dies leaves a page
// to be read again, which changes nothing.
func (w *Worker) pullPartner(ctx context.Context, id uuid.UUID) error {
	for range pullTurn {
		partner, row, err := w.claimPull(ctx, id)
		if err != nil {
			return err // no row: nothing is due
		}
		if err := w.pullPage(ctx, partner, row); err != nil {
			return w.failPage(ctx, partner, row, err)
		}
	}
	w.Bell.Ring(ctx, PartnerPull, id)
	return nil
}

func (w *Worker) pullPage(ctx context.Context, partner db.Partner, row db.Pull) error {
	read, err := w.newCrawl(ctx, partner, row)
	if err != nil {
		return err
	}
	return read.page(ctx)
}

// claimPull takes the next list of a partner that is due. The partner's row orders those who ask, so that a partner is read by
// one worker at a time.
func (w *Worker) claimPull(ctx context.Context, id uuid.UUID) (partner db.Partner, row db.Pull, err error) {
	now := w.Now()
	err = w.DB.Tx(ctx, func(q *db.Queries) error {
		if partner, err = q.LockPartner(ctx, id); err != nil {
			return err
		}
		row, err = q.ClaimPull(ctx, db.ClaimPullParams{PartnerID: id, Now: now, ClaimedUntil: now.Add(pullClaim)})
		return err
	})
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		err = fmt.Errorf("claim pull: %w", err)
	}
	return partner, row, err
}

// failPage writes down why a page could not be read, and when to try again. The error is ours.
func (w *Worker) failPage(ctx context.Context, partner db.Partner, row db.Pull, why error) error {
	if ctx.Err() != nil {
		return ctx.Err() // shutting down: the claim passes
	}
	now := w.Now()
	fail := db.FailPageParams{ID: row.ID, ClaimedUntil: *row.ClaimedUntil, Problem: why.Error(), Now: now}
	again := backoff(row.Attempts)
	var failed *client.Error
	var away *NotConnectedError
	var odd *oddList
	switch {
	case errors.As(why, &away), errors.Is(why, errNoList):
		return w.DB.FailPage(ctx, fail) // nothing waits
	case errors.As(why, &odd):
		fail.Restart, again = true, time.Hour
	case errors.As(why, &failed) && failed.RetryAfter > 0:
		again = min(failed.RetryAfter, 24*time.Hour) // STA-08
	case errors.As(why, &failed) && failed.HTTPStatus == http.StatusTooManyRequests:
		again = max(again, time.Minute) // the page is as good as it was: from the beginning, it would be too many again
	case errors.As(why, &failed) && failed.Fault != client.Unreachable && failed.HTTPStatus < 500:
		// The address of a page in the middle may have lost its meaning. The first one will not become right in seconds.
		fail.Restart, again = row.Pages > 0, max(again, time.Minute)
	}
	due := now.Add(again)
	fail.DueAt = &due
	w.Log.WarnContext(ctx, "cannot read a list", "partner", partner.Name, "module", row.Module, "attempt", row.Attempts+1, "error", why)
	if err := w.DB.FailPage(ctx, fail); err != nil {
		return fmt.Errorf("note a page that fails: %w", err)
	}
	if odd == nil && row.Attempts < 5 {
		return nil
	}
	return w.ops().raise(ctx, alert{
		kind: AlertPullFails, partner: partner.ID, tenant: row.TenantID, subject: listOf(row), params: map[string]any{"list": listOf(row), "problem": why.Error()},
	})
}

// listOf names a list: locations DE*CPO.
func listOf(row db.Pull) string {
	return row.Module + " " + row.CountryCode + "*" + row.PartyID
}

// postponePull does nothing: a page that fails has its own time, and a claim passes.
func (w *Worker) postponePull(context.Context, uuid.UUID, error) error { return nil }
