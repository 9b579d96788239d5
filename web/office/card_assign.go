package office

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// assignCard says to whom a card belongs, or belonged, from an instant on, or shows what that would change.
func (o *office) assignCard(v *visit) error {
	c, err := v.card()
	if err != nil {
		return err
	}
	params, err := v.FormParams()
	if err != nil {
		return err
	}
	tenant := c.Token.TenantID
	form := decisionForm{kind: jobs.Reassign, values: params}
	var d jobs.Decision
	err = v.read(func(q *db.Queries) (err error) {
		d, form.errors, err = v.readDecision(q, tenant, params)
		return err
	})
	if err != nil {
		return err
	}
	if params.Get("contract") == "" {
		form.errors["contract"] = v.Lang.T("assign.no-contract")
	}
	if d.From == nil && form.errors["from"] == "" {
		form.errors["from"] = v.Lang.T("assign.no-from")
	}
	if len(form.errors) == 0 {
		var many int
		many, err = o.assignOrPreview(v, tenant, &form, jobs.Assignment{Token: c.Token.ID, Contract: d.Contract.UUID, From: *d.From, To: d.To, Reason: d.Reason})
		var refusal *jobs.Refusal
		switch {
		case errors.As(err, &refusal):
			form.refuse(v, refusal.Code)
		case err != nil:
			return err
		case form.effect == nil:
			v.say("ok", v.Lang.N("assign.done", int64(many)))
			return v.Redirect(http.StatusSeeOther, v.pathOf("/cards/"+c.Token.ID.String(), ""))
		}
	}
	if c.form = form; len(form.errors) > 0 {
		return v.render(http.StatusUnprocessableEntity, cardDetailPage(v, c))
	}
	return v.render(http.StatusOK, cardDetailPage(v, c))
}

// assignOrPreview assigns a card, or puts into the form what that would do.
func (o *office) assignOrPreview(v *visit, tenant uuid.UUID, form *decisionForm, a jobs.Assignment) (many int, err error) {
	ctx := v.Request().Context()
	if form.values.Get("preview") == "" {
		return o.AssignToken(ctx, tenant, a)
	}
	effect, err := o.PreviewAssignment(ctx, tenant, a)
	if err == nil {
		form.effect = &effect
	}
	return effect.Selected, err
}
