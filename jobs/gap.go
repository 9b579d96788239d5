package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
)

const (
	cdrWait    = 48 * time.Hour // how long a CDR may take after its session ended
	cdrGiveUp  = 90             // days after which nobody waits for it any more, unless something else is agreed with the partner
	cdrsToMiss = 5000           // alerts at once: more is one problem, not thousands

	rhythmSpan      = 28 * 24 * time.Hour // what "usual" is taken from
	rhythmLeast     = 10                  // CDRs in that time, to speak of a rhythm
	shortestSilence = 6 * time.Hour       // shorter silence is no alarm
	longestSilence  = 7 * 24 * time.Hour  // longer silence always is

	blockWait = 15 * time.Minute // how long a partner may take to confirm a blocked card
	awayWait  = time.Hour        // how long a partner may not answer before somebody is told
)

// findGaps looks for what should have come from partners and has not, and for what cannot be.
func (w *Worker) findGaps(ctx context.Context) error {
	return errors.Join(w.findMissingCDRs(ctx), w.findSilence(ctx), w.findEVSEsTwice(ctx))
}

// findMissingCDRs raises an alert for each session that ended long ago and has no CDR (CDR-27), and has the partner's CDRs read
// again from the first of them on. An alert is over when the CDR is there, or when nobody waits for it any more.
func (w *Worker) findMissingCDRs(ctx context.Context) error {
	now := w.Now()
	days, err := w.DB.LongestCDRDays(ctx)
	if err != nil {
		return fmt.Errorf("longest wait for a CDR: %w", err)
	}
	rows, err := w.DB.SessionsWithoutCDR(ctx, db.SessionsWithoutCDRParams{Now: now, LongestAgo: now.AddDate(0, 0, -int(max(days, cdrGiveUp))), UsualDays: cdrGiveUp, Before: now.Add(-cdrWait), MaxRows: cdrsToMiss})
	if err != nil {
		return fmt.Errorf("sessions without CDR: %w", err)
	}
	type list struct{ partner, tenant uuid.UUID }
	since := map[list]time.Time{} // start of the first session that is newly missed
	for _, s := range rows {
		session := s.CountryCode + "*" + s.PartyID + "/" + s.SessionID
		isNew, err := w.ops().raiseNew(ctx, alert{
			kind: AlertMissingCDR, partner: s.PartnerID, tenant: uuid.NullUUID{UUID: s.TenantID, Valid: true}, subject: "sessions/" + session,
			params: map[string]any{"session": session, "kwh": s.KWh.String(), "hours": int(now.Sub(s.UpdatedAt).Hours())},
		})
		if err != nil {
			return err
		}
		at := list{s.PartnerID, s.TenantID}
		if first, known := since[at]; isNew && (!known || s.StartedAt.Before(first)) {
			since[at] = s.StartedAt
		}
	}
	if len(rows) < cdrsToMiss {
		if _, err := w.DB.ResolveAlertsBefore(ctx, db.ResolveAlertsBeforeParams{Kind: string(AlertMissingCDR), Since: now, Now: now}); err != nil {
			return fmt.Errorf("resolve alerts of CDRs that came: %w", err)
		}
	}
	for at, first := range since {
		err := w.ops().requestPulls(ctx, w.DB.Queries, at.partner, db.RequestPullsParams{
			Module: "cdrs", TenantID: uuid.NullUUID{UUID: at.tenant, Valid: true}, BackTo: ptr(first.Add(-pullOverlap)),
		})
		if err != nil {
			return err
		}
		w.Bell.Ring(ctx, PartnerPull, at.partner)
	}
	return nil
}

// findSilence raises an alert for a partner whose CDRs have stopped: for three times as long as the longest pause of the last
// four weeks, at most a week. Only a CDR ends it.
func (w *Worker) findSilence(ctx context.Context) error {
	now := w.Now()
	rhythms, err := w.DB.CDRRhythms(ctx, now.Add(-rhythmSpan))
	if err != nil {
		return fmt.Errorf("rhythms of CDRs: %w", err)
	}
	for _, r := range rhythms {
		usual := time.Duration(r.LongestGapSeconds) * time.Second
		silence := now.Sub(r.LastAt)
		a := alert{kind: AlertSilent, partner: r.PartnerID, params: map[string]any{"hours": int(silence.Hours()), "usual": int(usual.Hours()) + 1}}
		switch {
		case silence <= max(shortestSilence, min(3*usual, longestSilence)):
			err = w.ops().resolve(ctx, a)
		case r.Many >= rhythmLeast: // with fewer, an alert that is open stays: the silence itself takes CDRs out of the span
			err = w.ops().raise(ctx, a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// findEVSEsTwice raises an alert for each CPO that lists an EVSE at two Locations: its uid is to be unique, because sessions name
// the EVSE by it (LOC-27). Both Locations are taken as they are.
func (w *Worker) findEVSEsTwice(ctx context.Context) error {
	now := w.Now()
	rows, err := w.DB.EVSEsAtSeveralLocations(ctx)
	if err != nil {
		return fmt.Errorf("EVSEs at several locations: %w", err)
	}
	for _, r := range rows {
		cpo := partyOf(r.CountryCode, r.PartyID).String()
		err := w.ops().raise(ctx, alert{
			kind: AlertEVSETwice, partner: r.PartnerID, subject: cpo, params: map[string]any{"party": cpo, "count": r.Many, "uid": r.UID, "places": r.Places},
		})
		if err != nil {
			return err
		}
	}
	_, err = w.DB.ResolveAlertsBefore(ctx, db.ResolveAlertsBeforeParams{Kind: string(AlertEVSETwice), Since: now, Now: now})
	return err
}

// watchPartners raises alerts for partners that do not answer, and for blocked cards that a partner has not confirmed (TOK-15).
func (w *Worker) watchPartners(ctx context.Context) error {
	now := w.Now()
	partners, err := w.DB.RegisteredPartners(ctx)
	if err != nil {
		return fmt.Errorf("registered partners: %w", err)
	}
	for _, p := range partners {
		if p.FailingSince == nil || now.Sub(*p.FailingSince) < awayWait {
			continue
		}
		err := w.ops().raise(ctx, alert{kind: AlertUnreachable, partner: p.ID, params: map[string]any{"since": p.FailingSince.Format(alertTime)}})
		if err != nil {
			return err
		}
	}
	blocks, err := w.DB.UnconfirmedBlocks(ctx, now.Add(-blockWait))
	if err != nil {
		return fmt.Errorf("unconfirmed blocks: %w", err)
	}
	for _, b := range blocks {
		err := w.ops().raise(ctx, alert{kind: AlertBlockOpen, partner: b.PartnerID, params: map[string]any{"count": b.Many, "since": b.Oldest.Format(alertTime)}})
		if err != nil {
			return err
		}
	}
	_, err = w.DB.ResolveAlertsBefore(ctx, db.ResolveAlertsBeforeParams{Kind: string(AlertBlockOpen), Since: now, Now: now})
	return err
}

// alertTime is how an instant is written in an alert.
const alertTime = "2006-01-02 15:04 UTC"
