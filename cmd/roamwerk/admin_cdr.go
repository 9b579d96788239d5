package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// cdrCmd reviews CDRs.
type cdrCmd struct {
	List   cdrListCmd   `cmd:"" help:"List CDRs with what they are held for, the latest first."`
	Show   cdrShowCmd   `cmd:"" help:"Show a CDR: its state, its history and the whole account of its price."`
	Decide cdrDecideCmd `cmd:"" help:"Decide about CDRs, or show what a decision would do."`
	Rerate cdrRerateCmd `cmd:"" help:"Rate CDRs again; only the difference is booked."`
}

// cdrFilter chooses CDRs of a utility, as the filters of the list do.
type cdrFilter struct {
	Tenant string   `required:"" help:"Utility, for example DE*SWX."`
	ID     []string `name:"id" help:"Only these: ids of ours, or of their CPOs." placeholder:"ID"`
	State  string   `help:"Only in this state, or disputed." enum:",received,waiting,held,rated,invoiced,credited,dropped,disputed" default:""`
	Reason string   `name:"state-reason" help:"Only with this reason of the state." placeholder:"CODE"`
	Flag   string   `help:"Only with this rule, for example P16." placeholder:"RULE"`
	From   string   `help:"First day." placeholder:"YYYY-MM-DD"`
	To     string   `help:"First day that does not count any more." placeholder:"YYYY-MM-DD"`
	Late   int      `help:"Only what came later than so many days after its end." placeholder:"DAYS"`
}

// selection finds the utility and what the filter means there.
func (f cdrFilter) selection(o *outside, a *app) (db.Tenant, jobs.Selection, error) {
	s := jobs.Selection{State: f.State, Reason: f.Reason, Flag: f.Flag, LateDays: f.Late}
	tenant, err := a.tenant(o, f.Tenant)
	if err != nil {
		return tenant, s, err
	}
	for _, day := range []struct {
		flag, text string
		into       *time.Time
	}{{"--from", f.From, &s.Since}, {"--to", f.To, &s.Until}} {
		if day.text == "" {
			continue
		}
		if *day.into, err = dayAt(day.flag, day.text); err != nil {
			return tenant, s, err
		}
	}
	for _, text := range f.ID {
		id, err := a.cdr(o, tenant.ID, text)
		if err != nil {
			return tenant, s, err
		}
		s.IDs = append(s.IDs, id)
	}
	return tenant, s, nil
}

// likeText takes from a text what ILIKE would read.
var likeText = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// cdr finds a CDR of a utility by our id or by that of its CPO.
func (a *app) cdr(o *outside, tenant uuid.UUID, text string) (uuid.UUID, error) {
	if id, err := uuid.Parse(text); err == nil {
		state, err := a.db.CDRState(o.ctx, id)
		if err != nil && !errors.Is(err, db.ErrNotFound) {
			return uuid.Nil, err
		}
		if err == nil && state.TenantID == tenant {
			return id, nil
		}
	}
	rows, err := a.db.CDRList(o.ctx, db.CDRListParams{
		TenantID: uuid.NullUUID{UUID: tenant, Valid: true}, Filter: jobs.Selection{Pattern: likeText.Replace(text)}.Filter(), Sort: "start", Direction: -1, MaxRows: 100,
	})
	if err != nil {
		return uuid.Nil, err
	}
	var found []uuid.UUID
	for _, r := range rows {
		if r.OCPIID == text {
			found = append(found, r.CDRID)
		}
	}
	switch len(found) {
	case 0:
		return uuid.Nil, fmt.Errorf("there is no CDR %q of this utility", text)
	case 1:
		return found[0], nil
	}
	return uuid.Nil, fmt.Errorf("several CPOs have a CDR %q: name it by our id", text)
}

// cdrLine is a CDR in a list.
type cdrLine struct {
	ID       uuid.UUID           `json:"id"`
	CDR      string              `json:"cdr"`
	State    string              `json:"state"`
	Reason   string              `json:"reason,omitempty"`
	Retail   string              `json:"retail_state"`
	CPO      string              `json:"cpo_state"`
	Flags    []string            `json:"flags"`
	Start    time.Time           `json:"start"`
	Received time.Time           `json:"received"`
	Partner  string              `json:"partner"`
	EVSE     string              `json:"evse"`
	Customer string              `json:"customer,omitempty"`
	Card     string              `json:"card"`
	KWh      decimal.Decimal     `json:"kwh"`
	Currency string              `json:"currency"`
	Claimed  decimal.Decimal     `json:"claimed"`
	Computed decimal.NullDecimal `json:"computed"`
	RetailN  decimal.NullDecimal `json:"retail_net"`
	Margin   decimal.NullDecimal `json:"margin"`
	Plan     string              `json:"plan,omitempty"`
	Meter    string              `json:"meter,omitempty"`
	Assignee string              `json:"assignee,omitempty"`
}

type cdrListCmd struct {
	cdrFilter `embed:""`

	Max int32 `help:"At most so many." default:"100"`
}

// Run lists CDRs.
func (c cdrListCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, s, err := c.selection(o, a)
		if err != nil {
			return nil, err
		}
		rows, err := a.db.CDRList(o.ctx, db.CDRListParams{TenantID: uuid.NullUUID{UUID: tenant.ID, Valid: true}, Filter: s.Filter(), Sort: "start", Direction: -1, MaxRows: c.Max})
		if err != nil {
			return nil, err
		}
		lines := make([]cdrLine, len(rows))
		for i, r := range rows {
			lines[i] = cdrLine{
				r.CDRID, r.CountryCode + "*" + r.PartyID + "/" + r.OCPIID, r.State, r.Reason, r.RetailState, r.CPOState, r.Flags, r.StartedAt, r.ReceivedAt, r.Partner, r.EVSEID, r.Customer, r.Card,
				r.KWh, r.Currency, r.Claimed, r.ComputedNet, r.RetailNet, r.Margin, r.Plan, r.Meter, r.Assignee,
			}
		}
		return map[string]any{"cdrs": lines}, nil
	})
}

type cdrShowCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	ID     string `arg:"" help:"Our id of the CDR, or its CPO's."`
}

// Run shows a CDR.
func (c cdrShowCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, s, err := cdrFilter{Tenant: c.Tenant, ID: []string{c.ID}}.selection(o, a)
		if err != nil {
			return nil, err
		}
		state, err := a.db.CDRState(o.ctx, s.IDs[0])
		if err != nil {
			return nil, err
		}
		events, err := a.db.EventsOf(o.ctx, db.EventsOfParams{Subject: "cdr", SubjectID: state.CDRID})
		if err != nil {
			return nil, err
		}
		type line struct {
			At     time.Time       `json:"at"`
			Actor  string          `json:"actor"`
			What   string          `json:"what"`
			Detail json.RawMessage `json:"detail"`
		}
		history := make([]line, len(events))
		for i, e := range events {
			history[i] = line{e.At, e.Actor, e.What, e.Detail}
		}
		shown := map[string]any{
			"id": state.CDRID, "cdr": state.CountryCode + "*" + state.PartyID + "/" + state.OCPIID, "state": state.State, "reason": state.Reason, "retail_state": state.RetailState,
			"cpo_state": state.CPOState, "flags": state.Flags, "start": state.StartedAt, "end": state.EndedAt, "received": state.ReceivedAt, "kwh": state.KWh, "claimed": state.Claimed,
			"currency": state.Currency, "assignee": state.Assignee, "held_until": state.HeldUntil, "history": history,
		}
		account, err := a.ops().ExplainCDR(o.ctx, tenant.ID, state.CDRID)
		if err == nil {
			shown["explanation"] = account
		} else if !errors.Is(err, db.ErrNotFound) {
			return nil, err
		}
		return shown, nil
	})
}

type cdrDecideCmd struct {
	cdrFilter `embed:""`

	Decision string `arg:"" help:"accept, waive, hold, dispute, refuse, tariff, drop, note or assign." enum:"accept,waive,hold,dispute,refuse,tariff,drop,note,assign"`
	Reason   string `help:"Why; or the text of a note."`
	Side     string `help:"accept: for the customer or for the CPO alone." enum:",retail,cpo" default:""`
	Until    string `help:"hold: until this day." placeholder:"YYYY-MM-DD"`
	Dispute  string `help:"dispute: reason." placeholder:"REASON"`
	Plan     string `help:"tariff: name of the plan; without it that of the contract." placeholder:"NAME"`
	Assignee string `help:"assign: who deals with it; without it nobody."`
	Preview  bool   `help:"Show what it would do and change nothing."`
}

// Run decides, or shows what that would do.
func (c cdrDecideCmd) Run(o *outside) error {
	d := jobs.Decision{Kind: jobs.DecisionKind(c.Decision), Reason: c.Reason, Side: c.Side, Assignee: c.Assignee, Dispute: jobs.NewDispute{Reason: c.Dispute, Note: c.Reason}}
	if c.Until != "" {
		until, err := dayAt("--until", c.Until)
		if err != nil {
			return err
		}
		d.Until = &until
	}
	return decideCDRs(o, c.cdrFilter, d, c.Plan, c.Preview)
}

type cdrRerateCmd struct {
	cdrFilter `embed:""`

	Reason  string `help:"Why."`
	Preview bool   `help:"Show what it would change and change nothing."`
}

// Run rates CDRs again.
func (c cdrRerateCmd) Run(o *outside) error {
	return decideCDRs(o, c.cdrFilter, jobs.Decision{Kind: jobs.Rerate, Reason: c.Reason}, "", c.Preview)
}

// decideCDRs carries a decision out: about one CDR at once, about many by the workers, who must be running.
func decideCDRs(o *outside, f cdrFilter, d jobs.Decision, plan string, preview bool) error {
	return admin(o, func(a *app) (any, error) {
		tenant, s, err := f.selection(o, a)
		if err != nil {
			return nil, err
		}
		if plan != "" {
			row, err := a.db.PlanByName(o.ctx, db.PlanByNameParams{TenantID: tenant.ID, Name: plan})
			if errors.Is(err, db.ErrNotFound) {
				return nil, fmt.Errorf("--plan: there is no plan %q", plan)
			} else if err != nil {
				return nil, err
			}
			d.Plan = uuid.NullUUID{UUID: row.ID, Valid: true}
		}
		switch {
		case preview:
			effect, err := a.ops().PreviewDecision(o.ctx, tenant.ID, s, d)
			return map[string]any{"preview": true, "effect": effect}, err
		case len(s.IDs) == 1:
			effect, err := a.ops().Decide(o.ctx, tenant.ID, s.IDs[0], d)
			return map[string]any{"preview": false, "effect": effect}, err
		}
		id, err := a.ops().StartBulk(o.ctx, tenant.ID, s, d, false, time.Time{})
		return map[string]any{"preview": false, "bulk": id}, err
	})
}
