package office

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

// newCustomer is the form for a customer at the counter.
func (o *office) newCustomer(v *visit) error {
	return v.render(http.StatusOK, newCustomerPage(v, filled(jobs.CustomerData, &db.Customer{Kind: "private", Country: "DE", Language: "de", Delivery: string(jobs.ByEmail), InvoiceDetail: "items"})))
}

// addCustomer adds the customer of the form.
func (o *office) addCustomer(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	id, err := o.AddCustomer(v.Request().Context(), v.tenant.UUID, func(c *db.Customer) { entered(jobs.CustomerData, form, c) })
	if err != nil {
		var f dataForm
		if err := f.refused(v, "customer", form, err); err != nil {
			return err
		}
		return v.render(http.StatusUnprocessableEntity, newCustomerPage(v, f))
	}
	v.say("ok", v.Lang.T("customer.added"))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/customers/"+id.String())))
}

// changeCustomer changes what is known of a customer.
func (o *office) changeCustomer(v *visit) error {
	c, err := v.customer()
	if err != nil {
		return err
	}
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(form.Get("version"), 10, 32)
	if err != nil || version < 1 {
		return echo.ErrBadRequest
	}
	err = o.ChangeCustomer(v.Request().Context(), c.Customer.TenantID, c.Customer.ID, int32(version), func(was *db.Customer) {
		entered(jobs.CustomerData, form, was)
	})
	if err != nil {
		if err := c.form.refused(v, "customer", form, err); err != nil {
			return err
		}
		return v.render(http.StatusUnprocessableEntity, customerDetailPage(v, c))
	}
	return o.saved(v, c.draft, v.customerPath(&c, ""))
}

// customerPath is the page of a customer, at a part of it.
func (v *visit) customerPath(c *customerView, part string) string {
	path := string(v.Link("/customers/" + c.Customer.ID.String()))
	if part != "" {
		path += "#" + part
	}
	return path
}

// setMandate keeps the SEPA mandate of the form, or ends the one that holds.
func (o *office) setMandate(v *visit) error {
	return o.changePart(v, "mandate", func(c *customerView) error {
		ctx := v.Request().Context()
		if v.FormValue("end") != "" {
			return o.EndMandate(ctx, c.Customer.TenantID, c.Customer.ID)
		}
		signed, _ := dayOf(v.FormValue("payment.signed_on"), time.UTC) // what is no day is told with the rest
		return o.SetMandate(ctx, c.Customer.TenantID, c.Customer.ID, jobs.NewMandate{
			Reference: v.FormValue("payment.mandate_reference"), Holder: v.FormValue("payment.holder"), IBAN: v.FormValue("payment.debtor_iban"), SignedOn: signed,
		})
	})
}

// changeContract sets when a contract is billed, or ends it.
func (o *office) changeContract(v *visit) error {
	return o.changePart(v, "contracts", func(c *customerView) error {
		ctx := v.Request().Context()
		id, err := uuid.Parse(v.FormValue("contract"))
		if err != nil {
			return db.ErrNotFound
		}
		for _, row := range c.contracts {
			if row.Contract.ID != id {
				continue
			}
			if v.FormValue("end") == "" {
				return o.SetBillingCycle(ctx, c.Customer.TenantID, row.Contract.ContractID, v.FormValue("cycle"))
			}
			last, _ := dayOf(v.FormValue("last"), ui.Berlin) // what is no day is before every contract, and refused
			return o.EndContract(ctx, c.Customer.TenantID, c.Customer.ID, id, last.AddDate(0, 0, 1))
		}
		return db.ErrNotFound
	})
}

// addCard gives the customer a card.
func (o *office) addCard(v *visit) error {
	return o.changePart(v, "card", func(c *customerView) error {
		if strings.TrimSpace(v.FormValue("card.uid")) == "" || strings.TrimSpace(v.FormValue("card.contract")) == "" {
			return refusalOf("no-target")
		}
		_, err := o.IssueCard(v.Request().Context(), jobs.NewCard{
			Tenant: c.Customer.TenantID, CustomerID: uuid.NullUUID{UUID: c.Customer.ID, Valid: true},
			UID: strings.TrimSpace(v.FormValue("card.uid")), Visual: strings.TrimSpace(v.FormValue("card.visual")), Contract: strings.TrimSpace(v.FormValue("card.contract")),
		})
		switch {
		case errors.Is(err, jobs.ErrExists):
			return refusalOf("card-taken")
		case errors.Is(err, jobs.ErrClosed):
			return refusalOf("utility-closed")
		}
		return err
	})
}

// setEvidence keeps the evidence of a reseller, or withdraws some.
func (o *office) setEvidence(v *visit) error {
	return o.changePart(v, "evidence", func(c *customerView) error {
		ctx := v.Request().Context()
		if reference := v.FormValue("withdraw"); reference != "" {
			return o.WithdrawResellerEvidence(ctx, c.Customer.TenantID, c.Customer.ID, reference)
		}
		from, _ := dayOf(v.FormValue("evidence.from"), time.UTC) // what is no day is refused
		until, _ := dayOf(v.FormValue("evidence.until"), time.UTC)
		return o.AddResellerEvidence(ctx, c.Customer.TenantID, c.Customer.ID, jobs.ResellerEvidence{Reference: v.FormValue("evidence.reference"), From: from, Until: until})
	})
}

// setCustomerCredit decides whether the cards of the customer may charge.
func (o *office) setCustomerCredit(v *visit) error {
	return o.changePart(v, "credit", func(c *customerView) error {
		return o.SetNoCredit(v.Request().Context(), c.Customer.TenantID, c.Customer.ID, v.FormValue("stop") != "")
	})
}

// changePart carries out what a form of a part of the page asks for, or shows the page with what was entered and why it cannot be.
func (o *office) changePart(v *visit, part string, change func(*customerView) error) error {
	c, err := v.customer()
	if err != nil {
		return err
	}
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	if err := change(&c); err != nil {
		if err := c.other.refused(v, part, form, err); err != nil {
			return err
		}
		return v.render(http.StatusUnprocessableEntity, customerDetailPage(v, c))
	}
	return o.saved(v, c.draft, v.customerPath(&c, part))
}

// dayOf reads a day as date fields send it.
func dayOf(text string, zone *time.Location) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, strings.TrimSpace(text), zone)
}

// refusalOf is the one with a code.
func refusalOf(code string) error { return &jobs.Refusal{Code: code, Text: jobs.RefusalText(code)} }
