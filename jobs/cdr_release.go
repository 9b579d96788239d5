package jobs

import (
	"slices"
	"time"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// Why a CDR is held or waived, beside the rules. These are values of cdr_states.reason; accepting a CDR clears them as it
// clears rules.
const (
	reasonRule         = "rule"          // a rule blocks it
	reasonHome         = "home-charging" // the driver is owed for it (CDR-24)
	reasonLate         = "late"          // it came after the close of its month
	reasonUntil        = "until"         // a person wants it back at a date
	reasonFollowUp     = "follow-up"     // that date has come
	reasonDropProposed = "drop-proposed" // a second person has to agree to drop it
	reasonMini         = "mini"
	reasonEmpty        = "empty"
	reasonBlockedCard  = "blocked-card"
	reasonByHand       = "by-hand"
)

// release decides what becomes of a CDR that is rated and judged: whether the customer is billed, and whether the CPO's claim
// is in question. Neither follows from the other.
func (r *rating) release() {
	s := &r.state
	if s.RetailState == retailWaived && s.Reason == reasonHome { // by an agreement, which may say something else now
		s.RetailState, s.Reason = retailOpen, ""
	}
	s.Flags, s.Severity = flags(r.judged.Findings), loudest(r.judged.Findings)
	blocking := r.blocking()
	r.what = "rate"
	asked, waived := r.asks(), r.waives()
	switch {
	case asked != "":
		s.State, s.RetailState, s.Reason = cdrHeld, retailOpen, asked
	case waived != "" && (waived != reasonHome || !r.keeps(blocking)): // nothing that a rule could keep from the customer, or the payee
		s.State, s.RetailState, s.Reason, s.HeldUntil = cdrRated, retailWaived, waived, nil
	case r.keeps(blocking):
		s.State, s.RetailState, s.Reason, s.HeldUntil = cdrHeld, retailOpen, reasonRule, nil
	default:
		s.State, s.RetailState, s.Reason, s.HeldUntil = cdrRated, retailReleased, "", nil
	}
	if s.CPOState == cpoOpen || s.CPOState == cpoQuestioned { // what a person has decided stays
		s.CPOState = cpoOpen
		if !r.verdict.Agrees || len(blocking) > 0 {
			s.CPOState = cpoQuestioned
		}
	}
}

// blocking are the rules that block the CDR until a person has looked, and none has.
func (r *rating) blocking() []string {
	var codes []string
	for _, f := range r.judged.Findings {
		if f.Severity == billing.Block && !slices.Contains(codes, f.Code) && !r.cleared(f.Code) {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

// keeps reports whether rules keep the CDR from the customer. A utility that bills late CDRs always does not mind how late.
func (r *rating) keeps(blocking []string) bool {
	return slices.ContainsFunc(blocking, func(code string) bool { return code != "P25" || r.clearing.policy.Late != "always" })
}

// cleared reports whether a person has seen a finding, or what a policy wants, and let the CDR go on all the same.
func (r *rating) cleared(code string) bool { return slices.Contains(r.state.Cleared, code) }

// asks tells why a person has to decide about the CDR, whatever the rules say; empty: nobody has to.
func (r *rating) asks() string {
	s := &r.state
	if r.before.State == cdrHeld {
		switch s.Reason {
		case reasonUntil:
			if s.HeldUntil != nil && s.HeldUntil.After(r.now) {
				s.DueAt = s.HeldUntil
				return reasonUntil
			}
			s.HeldUntil = nil
			return reasonFollowUp
		case reasonFollowUp, reasonDropProposed:
			return s.Reason
		}
	}
	home, _ := atHome(r.owed)
	switch {
	case s.RetailState == retailWaived:
	case r.cdr.HomeChargingCompensation && !home:
		return reasonHome
	case r.clearing.policy.Late == "ask" && r.late() && !r.cleared(reasonLate):
		return reasonLate
	}
	return ""
}

// waives tells why the customer is not charged; empty: he is.
func (r *rating) waives() string {
	if r.state.RetailState == retailWaived { // by a person, or by a policy of its time
		return r.state.Reason
	}
	policy := r.clearing.policy
	switch home, charged := atHome(r.owed); {
	case home && !charged:
		return reasonHome
	case r.waivedAsLate():
		return reasonLate
	case policy.Empty == "waive" && r.found("P09") && !r.cleared(reasonEmpty):
		return reasonEmpty
	case policy.Mini == "waive" && r.found("P10") && !r.cleared(reasonMini):
		return reasonMini
	case policy.BlockedCard == "waive" && r.found("P21") && !r.cleared(reasonBlockedCard):
		return reasonBlockedCard
	}
	return ""
}

func (r *rating) found(code string) bool {
	return slices.ContainsFunc(r.judged.Findings, func(f billing.Finding) bool { return f.Code == code })
}

// waivedAsLate reports whether the policy gives a CDR to the customer because it came late.
func (r *rating) waivedAsLate() bool {
	if r.cleared(reasonLate) || !r.late() {
		return false
	}
	policy := r.clearing.policy
	return policy.Late == "waive" || policy.Late == "limit" && r.state.ReceivedAt.Sub(r.ended) > days(policy.LateDays)
}

// late reports whether the CDR came after the close of the month in which the session ended.
func (r *rating) late() bool {
	return !r.state.ReceivedAt.Before(closeOf(r.ended, r.clearing.tenant, r.clearing.policy))
}

// closeOf is when the month of an instant is closed: at the beginning of a day of the next month, where the utility is.
func closeOf(at time.Time, tenant db.Tenant, policy db.ClearingPolicy) time.Time {
	zone, err := time.LoadLocation(tenant.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	local := at.In(zone)
	return time.Date(local.Year(), local.Month()+1, int(policy.CloseDay), 0, 0, 0, 0, zone)
}

func days(n int32) time.Duration { return time.Duration(n) * 24 * time.Hour }
