package office

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

// bulkForm is a decision about many CDRs on its way.
type bulkForm struct {
	ids     []string // those that were ticked; none: all that the list finds
	list    string   // query of the list
	count   int64
	totals  []cdrTotal
	choices choices
	form    decisionForm
}

// selection is what the form is about.
func (v *visit) selection(params url.Values) (b bulkForm, s jobs.Selection) {
	b.list = params.Get("list")
	if params.Get("all") != "" {
		values, _ := url.ParseQuery(b.list) // what cannot be read filters nothing
		return b, v.cdrSelection(listOf("", values, cdrFilters...))
	}
	for _, text := range params["id"] {
		if id, err := uuid.Parse(text); err == nil && !slices.Contains(s.IDs, id) {
			s.IDs = append(s.IDs, id)
			b.ids = append(b.ids, text)
		}
	}
	return b, s
}

// bulkPage asks what is to be decided about the CDRs that were selected.
func (o *office) bulkPage(v *visit) error {
	return o.showBulkForm(v, http.StatusOK, v.QueryParams(), decisionForm{kind: jobs.DecisionKind(v.QueryParam("kind"))})
}

func (o *office) showBulkForm(v *visit, status int, params url.Values, form decisionForm) error {
	b, s := v.selection(params)
	back := v.pathOf("/cdrs", b.list)
	switch {
	case !v.tenant.Valid:
		v.say("err", v.Lang.T("bulk.pick"))
		return v.Redirect(http.StatusSeeOther, back)
	case params.Get("all") == "" && len(s.IDs) == 0:
		v.say("err", v.Lang.T("bulk.nothing"))
		return v.Redirect(http.StatusSeeOther, back)
	}
	b.form = form
	var sums []db.CDRSumsRow
	err := v.read(func(q *db.Queries) (err error) {
		if sums, err = q.CDRSums(v.Request().Context(), db.CDRSumsParams{TenantID: v.tenant, Filter: s.Filter()}); err != nil {
			return err
		}
		b.choices, err = v.loadChoices(q, v.tenant.UUID)
		return err
	})
	if err != nil {
		return err
	}
	b.count, b.totals = sumCDRs(sums, "")
	return v.render(status, bulkFormPage(v, b))
}

// previewBulk begins the preview of a decision about many CDRs.
func (o *office) previewBulk(v *visit) error {
	params, err := v.FormParams()
	if err != nil {
		return err
	}
	if !v.tenant.Valid {
		return echo.ErrBadRequest
	}
	_, s := v.selection(params)
	if params.Get("all") == "" && len(s.IDs) == 0 {
		return o.showBulkForm(v, http.StatusOK, params, decisionForm{})
	}
	form := decisionForm{kind: jobs.DecisionKind(params.Get("kind")), values: params}
	var d jobs.Decision
	err = v.read(func(q *db.Queries) (err error) {
		d, form.errors, err = v.readDecision(q, v.tenant.UUID, params)
		return err
	})
	if err != nil {
		return err
	}
	var id uuid.UUID
	if len(form.errors) == 0 {
		id, err = o.StartBulk(v.Request().Context(), v.tenant.UUID, s, d, true, o.Now())
		var refusal *jobs.Refusal
		if errors.As(err, &refusal) {
			form.refuse(v, refusal.Code)
		} else if err != nil {
			return err
		}
	}
	if len(form.errors) > 0 {
		return o.showBulkForm(v, http.StatusUnprocessableEntity, params, form)
	}
	return v.Redirect(http.StatusSeeOther, v.pathOf("/bulks/"+id.String(), ""))
}

// bulkView is a decision about many CDRs, or its preview.
type bulkView struct {
	db.Bulk
	decision jobs.Decision
	effect   jobs.Effect
	plan     string // that the decision names
}

func (v *visit) bulk() (b bulkView, err error) {
	id, err := v.id()
	if err != nil {
		return b, err
	}
	ctx := v.Request().Context()
	err = v.read(func(q *db.Queries) error {
		if b.Bulk, err = q.Bulk(ctx, db.BulkParams{ID: id, TenantID: v.tenant}); err != nil {
			return err
		}
		if b.effect, err = jobs.BulkEffect(b.Bulk); err != nil {
			return err
		}
		if err := json.Unmarshal(b.Bulk.Decision, &b.decision); err != nil {
			return fmt.Errorf("decision of bulk %s: %w", id, err)
		}
		if b.decision.Plan.Valid {
			plan, err := q.PlanOfTenant(ctx, db.PlanOfTenantParams{ID: b.decision.Plan.UUID, TenantID: b.TenantID})
			if err != nil {
				return fmt.Errorf("plan of bulk %s: %w", id, err)
			}
			b.plan = plan.Name
		}
		return nil
	})
	return b, err
}

// bulkDetail shows how far a decision is and what it does. It asks for itself again until it is done.
func (o *office) bulkDetail(v *visit) error {
	b, err := v.bulk()
	if err != nil {
		return err
	}
	v.Response().Header().Add("Vary", "HX-Request")
	if ui.Partial(v.Request()) {
		if b.State == "running" {
			return v.render(http.StatusOK, bulkResult(v, b))
		}
		return v.render(http.StatusOK, ui.Both(bulkResult(v, b), ui.Announce(v.bulkState(b))))
	}
	return v.render(http.StatusOK, bulkDetailPage(v, b))
}

// runBulk carries out what a preview has shown.
func (o *office) runBulk(v *visit) error {
	b, err := v.bulk()
	if err != nil {
		return err
	}
	id, err := o.RunPreviewed(v.Request().Context(), b.TenantID, b.ID)
	var refusal *jobs.Refusal
	if errors.As(err, &refusal) {
		v.say("err", v.sentence(refusal.Text))
		id = b.ID
	} else if err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, v.pathOf("/bulks/"+id.String(), ""))
}

// cancelBulk stops a decision that is under way.
func (o *office) cancelBulk(v *visit) error {
	b, err := v.bulk()
	if err != nil {
		return err
	}
	if err := o.CancelBulk(v.Request().Context(), b.TenantID, b.ID); err != nil && !errors.Is(err, db.ErrNotFound) { // it was done already
		return err
	}
	return v.Redirect(http.StatusSeeOther, v.pathOf("/bulks/"+b.ID.String(), ""))
}

// bulkList shows the last decisions about many CDRs.
func (o *office) bulkList(v *visit) error {
	var rows []db.BulksRow
	err := v.read(func(q *db.Queries) (err error) {
		rows, err = q.Bulks(v.Request().Context(), db.BulksParams{TenantID: v.tenant, MaxRows: 100})
		return err
	})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, bulkListPage(v, rows))
}

// bulkState says how far a decision is.
func (v *visit) bulkState(b bulkView) string {
	switch {
	case b.State == "running":
		return v.Lang.T("bulk.running", v.Lang.Int(int64(b.Done)), v.Lang.Int(int64(b.Total)))
	case b.State == "cancelled":
		return v.Lang.T("bulk.cancelled", v.Lang.Int(int64(b.Done)), v.Lang.Int(int64(b.Total)))
	case b.Preview:
		return v.Lang.T("bulk.previewed")
	}
	return v.Lang.T("bulk.done")
}

// bulkTone is the colour of how far a decision is.
func bulkTone(b db.Bulk) string {
	switch {
	case b.State == "running":
		return "info"
	case b.State == "cancelled":
		return "warn"
	case b.Preview:
		return ""
	}
	return "ok"
}

// decisionText is a decision with what was entered.
func (v *visit) decisionText(b bulkView) string {
	d := b.decision
	parts := []string{}
	if d.Kind == jobs.Accept {
		parts = append(parts, v.sideName(d.Side))
	}
	if d.Dispute.Reason != "" {
		parts = append(parts, v.sentence(jobs.DisputeReasonText(d.Dispute.Reason)))
	}
	if d.Until != nil {
		parts = append(parts, v.Lang.Date(d.Until.In(ui.Berlin)))
	}
	for _, text := range []string{b.plan, d.Assignee, d.Dispute.Note, d.Reason} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " · ")
}
