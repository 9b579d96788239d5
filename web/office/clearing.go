package office

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing/csv"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// clearingView is how a utility clears, and what it has agreed with each of its partners.
type clearingView struct {
	form     fieldForm
	partners []agreed
	events   []db.Event
}

// agreed is a partner with what holds for it.
type agreed struct {
	partner db.PartnerNamesRow
	db.Agreement
	usual bool // nothing was agreed
}

// days is a field of the policy that counts days.
type days struct {
	field string
	of    func(*db.ClearingPolicy) *int32
}

var policyDays = []days{
	{"late_days", func(p *db.ClearingPolicy) *int32 { return &p.LateDays }},
	{"close_day", func(p *db.ClearingPolicy) *int32 { return &p.CloseDay }},
	{"waiting_days", func(p *db.ClearingPolicy) *int32 { return &p.WaitingDays }},
}

// policyFields are the fields of the policy, in the order of the form.
var policyFields = []string{"late", "late_days", "close_day", "mini", "empty", "blocked_card", "drop_limit", "waiting_days", "reason"}

// clearingText and agreementText are the keys of texts about a field.
func clearingText(field string) string  { return "clearing." + field }
func agreementText(field string) string { return "agreement." + field }

func (o *office) clearing(v *visit) error {
	view, policy, err := v.loadClearing()
	if err != nil {
		return err
	}
	view.form.values = url.Values{
		"late": {policy.Late}, "mini": {policy.Mini}, "empty": {policy.Empty}, "blocked_card": {policy.BlockedCard}, "drop_limit": {csv.Number(policy.DropLimit, string(v.Lang))},
	}
	for _, d := range policyDays {
		view.form.values.Set(d.field, strconv.Itoa(int(*d.of(&policy))))
	}
	return v.render(http.StatusOK, clearingPage(v, view))
}

// loadClearing reads how the utility clears; what it has not set is as it is for everybody.
func (v *visit) loadClearing() (c clearingView, policy db.ClearingPolicy, err error) {
	ctx, tenant := v.Request().Context(), v.tenant.UUID
	var partners []db.PartnerNamesRow
	var agreements []db.AgreementsRow
	err = v.read(func(q *db.Queries) error {
		if policy, err = jobs.ClearingPolicyOf(ctx, q, tenant); err != nil {
			return err
		}
		if agreements, err = q.Agreements(ctx, tenant); err != nil {
			return err
		}
		if partners, err = q.PartnerNames(ctx, v.tenant); err != nil {
			return err
		}
		c.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "tenant", SubjectID: tenant})
		return err
	})
	for _, p := range partners {
		row := agreed{partner: p, Agreement: jobs.DefaultAgreement(tenant, p.ID), usual: true}
		if at := slices.IndexFunc(agreements, func(a db.AgreementsRow) bool { return a.Agreement.PartnerID == p.ID }); at >= 0 {
			row.Agreement, row.usual = agreements[at].Agreement, false
		}
		c.partners = append(c.partners, row)
	}
	c.events = slices.DeleteFunc(c.events, func(e db.Event) bool { return e.What != "clearing-policy" })
	return c, policy, err
}

// setClearing changes how the utility clears.
func (o *office) setClearing(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	view, policy, err := v.loadClearing()
	if err != nil {
		return err
	}
	view.form = fieldForm{values: form, errors: map[string]string{}}
	policy.TenantID = v.tenant.UUID
	policy.Late, policy.Mini, policy.Empty, policy.BlockedCard = form.Get("late"), form.Get("mini"), form.Get("empty"), form.Get("blocked_card")
	for _, d := range policyDays {
		*d.of(&policy) = view.form.number(v, d.field)
	}
	limit := amountOf(form.Get("drop_limit"))
	if policy.DropLimit = limit.Decimal; !limit.Valid {
		view.form.errors["drop_limit"] = v.Lang.T("limit.wrong", form.Get("drop_limit"))
	}
	if len(view.form.errors) == 0 {
		err = o.SetClearingPolicy(v.Request().Context(), policy, strings.TrimSpace(form.Get("reason")))
	}
	switch wrong, err := view.form.take(v, clearingText("wrong."), err); {
	case err != nil:
		return fmt.Errorf("set clearing policy: %w", err)
	case wrong:
		return v.render(http.StatusUnprocessableEntity, clearingPage(v, view))
	}
	v.say("ok", v.Lang.T("clearing.saved"))
	return v.Redirect(http.StatusSeeOther, v.pathOf("/clearing", ""))
}

// agreementView is what a utility has agreed with a partner.
type agreementView struct {
	partner db.PartnerHealthRow
	form    fieldForm
	events  []db.Event
	usual   bool
}

// agreementFields are the fields of an agreement, in the order of the form.
var agreementFields = []string{"currency", "dispute_days", "email", "reason"}

func (v *visit) loadAgreement() (view agreementView, a db.Agreement, err error) {
	if view.partner, err = v.partnerOfPath(); err != nil {
		return view, a, err
	}
	ctx, tenant, partner := v.Request().Context(), v.tenant.UUID, view.partner.ID
	err = v.read(func(q *db.Queries) error {
		if a, err = q.Agreement(ctx, db.AgreementParams{TenantID: tenant, PartnerID: partner}); errors.Is(err, db.ErrNotFound) {
			a, view.usual = jobs.DefaultAgreement(tenant, partner), true
		} else if err != nil {
			return err
		}
		view.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "partner", SubjectID: partner})
		return err
	})
	view.events = slices.DeleteFunc(view.events, func(e db.Event) bool {
		return e.What != "agreement" || e.TenantID != uuid.NullUUID{UUID: tenant, Valid: true}
	})
	return view, a, err
}

func (o *office) agreement(v *visit) error {
	view, a, err := v.loadAgreement()
	if err != nil {
		return err
	}
	view.form.values = url.Values{"currency": {a.Currency}, "dispute_days": {strconv.Itoa(int(a.DisputeDays))}, "email": {a.Email}}
	return v.render(http.StatusOK, agreementPage(v, view))
}

// setAgreement changes what is agreed with a partner.
func (o *office) setAgreement(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	view, a, err := v.loadAgreement()
	if err != nil {
		return err
	}
	view.form = fieldForm{values: form, errors: map[string]string{}}
	a.Currency, a.Email = strings.ToUpper(strings.TrimSpace(form.Get("currency"))), strings.TrimSpace(form.Get("email"))
	a.DisputeDays = view.form.number(v, "dispute_days")
	if len(view.form.errors) == 0 {
		err = o.SetAgreement(v.Request().Context(), a, strings.TrimSpace(form.Get("reason")))
	}
	switch wrong, err := view.form.take(v, agreementText("wrong."), err); {
	case err != nil:
		return fmt.Errorf("set agreement: %w", err)
	case wrong:
		return v.render(http.StatusUnprocessableEntity, agreementPage(v, view))
	}
	v.say("ok", v.Lang.T("agreement.saved"))
	return v.Redirect(http.StatusSeeOther, v.pathOf("/partners/"+view.partner.ID.String()+"/agreement", ""))
}
