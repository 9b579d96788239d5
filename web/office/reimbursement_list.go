package office

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// reimbursementPage is what the list of agreements shows, and what was typed for a new one.
type reimbursementPage struct {
	rows []db.ReimbursementsRow
	form fieldForm
}

const mostReimbursements = 500

func (o *office) reimbursementList(v *visit) error {
	return o.showReimbursements(v, http.StatusOK, reimbursementPage{form: fieldForm{values: url.Values{"kind": {jobs.OwedAtHome}, "basis": {string(billing.PerKWh)}, "vat": {string(billing.PayeeOutside)}}}})
}

func (o *office) showReimbursements(v *visit, status int, p reimbursementPage) error {
	err := v.read(func(q *db.Queries) (err error) {
		p.rows, err = q.Reimbursements(v.Request().Context(), db.ReimbursementsParams{TenantID: v.tenant, Today: o.Now(), MaxRows: mostReimbursements})
		return err
	})
	if err != nil {
		return err
	}
	return v.render(status, reimbursementListPage(v, p))
}

// reimbursementFields are the fields of the form for an agreement, in their order.
var reimbursementFields = []string{"payee", "kind", "evse", "location", "card", "basis", "price", "vat", "tax_number", "phone", "iban", "holder", "agreed", "from", "until", "charged"}

// reimbursementField is the field of the form that a refusal is about; whatever is not here is about who is paid.
var reimbursementField = map[string]string{
	"reimbursement-kind": "kind", "reimbursement-scope": "evse", "reimbursement-host": "card", "reimbursement-share": "basis", "reimbursement-basis": "basis", "reimbursement-price": "price",
	"reimbursement-vat": "vat", "payee-mixed": "vat", "payee-tax-number": "tax_number", "reimbursement-agreed": "agreed", "period": "from", "reimbursement-exists": "from", "iban": "iban",
	"reimbursement-location": "location", "card-unknown": "card",
}

// addReimbursement keeps an agreement.
func (o *office) addReimbursement(v *visit) error {
	if !v.tenant.Valid {
		return echo.NewHTTPError(http.StatusBadRequest)
	}
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	p := reimbursementPage{form: fieldForm{values: form, errors: map[string]string{}}}
	get := func(field string) string { return strings.TrimSpace(form.Get(field)) }
	n := jobs.NewReimbursement{
		Payee: get("payee"), Kind: get("kind"), EVSE: get("evse"), Location: get("location"), Card: get("card"), Basis: billing.Basis(get("basis")), Price: amountOf(get("price")).Decimal,
		Charged: get("charged") == "yes", VAT: billing.PayeeVAT(get("vat")), TaxNumber: get("tax_number"), Phone: get("phone"), IBAN: get("iban"), Holder: get("holder"),
	}
	for field, day := range map[string]*time.Time{"agreed": &n.AgreedOn, "from": &n.From, "until": &n.Until} {
		if *day, err = time.Parse(time.DateOnly, get(field)); err != nil && get(field) != "" {
			p.form.errors[field] = v.Lang.T("date.wrong", get(field))
		}
	}
	if len(p.form.errors) > 0 {
		return o.showReimbursements(v, http.StatusUnprocessableEntity, p)
	}
	_, err = o.AddReimbursement(v.Request().Context(), v.tenant.UUID, n)
	var refusal *jobs.Refusal
	if errors.As(err, &refusal) {
		p.form.errors[cmp.Or(reimbursementField[refusal.Code], "payee")] = v.sentence(refusal.Text)
		return o.showReimbursements(v, http.StatusUnprocessableEntity, p)
	} else if err != nil {
		return err
	}
	v.say("ok", v.Lang.T("reimbursement.added"))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/reimbursements")))
}

// endReimbursement says which day is the last of an agreement.
func (o *office) endReimbursement(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	err = v.read(func(q *db.Queries) error {
		_, err := q.Reimbursement(v.Request().Context(), db.ReimbursementParams{ID: id, TenantID: v.tenant.UUID})
		return err
	})
	if err != nil {
		return err
	}
	page := string(v.Link("/reimbursements"))
	last, err := time.Parse(time.DateOnly, v.FormValue("last"))
	if err != nil {
		v.say("err", v.Lang.T("object.day.missing"))
		return v.Redirect(http.StatusSeeOther, page)
	}
	if err := o.EndReimbursement(v.Request().Context(), v.tenant.UUID, id, last); err != nil {
		return v.refused(err, page)
	}
	v.say("ok", v.Lang.T("reimbursement.ended"))
	return v.Redirect(http.StatusSeeOther, page)
}

// about is what an agreement is about.
func about(r db.ReimbursementsRow) string {
	var parts []string
	for _, part := range []string{r.Reimbursement.EVSEID, r.Reimbursement.Location, cmp.Or(r.Card, r.CardUID)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " · ")
}

// agreedPrice is what is paid: 0,30 €/kWh.
func (v *visit) agreedPrice(r db.Reimbursement) string {
	switch billing.Basis(r.Basis) {
	case billing.PerKWh:
		return v.Lang.Exact(r.Price, 2, 6) + "\u00a0€/kWh"
	case billing.PerSession:
		return v.Lang.Exact(r.Price, 2, 6) + "\u00a0€ " + v.Lang.T("reimbursement.session")
	}
	return v.Lang.Percent(r.Price) + " " + v.Lang.T("reimbursement.share")
}

// ended reports whether an agreement is over on a day.
func ended(r db.Reimbursement, day time.Time) bool {
	return r.ValidUntil != nil && r.ValidUntil.Before(day)
}
