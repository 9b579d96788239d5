package office

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/csv"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// tenantSettings is what a utility says of itself on documents, and how it bills and sends them.
type tenantSettings struct {
	db.Tenant
	form    dataForm
	policy  dataForm
	mail    dataForm
	server  string // of its own for e-mails; empty: the platform's
	missing []billing.Problem
	draft   *stoppedDraft
	events  []db.Event
}

// settingsParts are the parts of the timeline that belong to the page.
var settingsParts = []string{"changed", "billing-policy", "mail", "mail-tried"}

func (o *office) tenantSettings(v *visit) error {
	s, err := v.settings()
	switch {
	case err != nil:
		return err
	case s.ID == uuid.Nil:
		return v.render(http.StatusOK, pickUtilityPage(v))
	}
	return v.render(http.StatusOK, tenantSettingsPage(v, s))
}

// settings are those of the utility that is shown, or of the draft that somebody came from; without an id: which is not said.
func (v *visit) settings() (s tenantSettings, err error) {
	ctx := v.Request().Context()
	var policy db.BillingPolicy
	var mail db.MailSetting
	err = v.read(func(q *db.Queries) error {
		if s.draft, err = v.stoppedDraft(q); err != nil {
			return err
		}
		id := v.tenant
		if s.draft != nil {
			id = uuid.NullUUID{UUID: s.draft.Invoice.TenantID, Valid: true}
		}
		if !id.Valid {
			return nil
		}
		if s.Tenant, err = q.Tenant(ctx, id.UUID); err != nil {
			return fmt.Errorf("utility: %w", err)
		}
		if policy, err = jobs.BillingPolicyOf(ctx, q, id.UUID); err != nil {
			return err
		}
		if mail, err = q.MailSettings(ctx, id.UUID); err != nil && !errors.Is(err, db.ErrNotFound) {
			return fmt.Errorf("mail settings: %w", err)
		}
		s.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "tenant", SubjectID: id.UUID})
		return err
	})
	if err != nil || s.ID == uuid.Nil {
		return s, err
	}
	s.events = slices.DeleteFunc(s.events, func(e db.Event) bool { return !slices.Contains(settingsParts, e.What) })
	s.form = filled(jobs.SupplierData, &s.Tenant)
	s.form.values["payment.days"] = strconv.Itoa(int(s.PaymentDays))
	s.form.stops(v, s.draft)
	s.missing = jobs.MissingLegalData(s.Tenant)
	s.policy = dataForm{values: map[string]string{
		"policy.inspection_days": strconv.Itoa(int(policy.InspectionDays)), "policy.minimum": csv.Number(policy.Minimum, string(v.Lang)), "policy.carry_months": strconv.Itoa(int(policy.CarryMonths)),
		"policy.zero": policy.Zero, "policy.deviation_percent": csv.Number(policy.DeviationPercent, string(v.Lang)), "policy.deviation_amount": csv.Number(policy.DeviationAmount, string(v.Lang)),
	}}
	s.server = mail.SMTPHost
	s.mail = dataForm{values: map[string]string{"mail.sender": mail.Sender, "mail.reply_to": mail.ReplyTo, "mail.bounces": mail.BounceContact, "mail.server": mailServerOf(mail), "mail.try": v.staff.Email}}
	return s, nil
}

// The choices of a mail server. What is kept is not shown again: it holds a password.
const (
	serverPlatform = "platform"
	serverKept     = "kept"
	serverNew      = "new"
)

func mailServerOf(m db.MailSetting) string {
	if m.SMTPHost == "" {
		return serverPlatform
	}
	return serverKept
}

// changeSettings changes one part of the settings, or shows the page with what was entered and why it cannot be.
func (o *office) changeSettings(v *visit, part string, change func(*tenantSettings, url.Values) error) error {
	s, err := v.settings()
	if err != nil {
		return err
	}
	if s.ID == uuid.Nil {
		return db.ErrNotFound
	}
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	if err := change(&s, form); err != nil {
		f := map[string]*dataForm{"supplier": &s.form, "logo": &s.form, "policy": &s.policy, "mail": &s.mail}[part]
		if err := f.refused(v, part, form, err); err != nil {
			return err
		}
		return v.render(http.StatusUnprocessableEntity, tenantSettingsPage(v, s))
	}
	return o.saved(v, s.draft, string(v.Link("/settings"))+"#"+part)
}

// setSupplier changes what stands of the utility on documents.
func (o *office) setSupplier(v *visit) error {
	return o.changeSettings(v, "supplier", func(s *tenantSettings, form url.Values) error {
		version, err := strconv.ParseInt(form.Get("version"), 10, 32)
		if err != nil || version < 1 {
			return echo.ErrBadRequest
		}
		days, err := strconv.Atoi(strings.TrimSpace(form.Get("payment.days")))
		if err != nil {
			days = -1 // is refused with the rest
		}
		_, err = o.ChangeTenantFrom(v.Request().Context(), s.ID, int32(version), func(t *db.Tenant) {
			entered(jobs.SupplierData, form, t)
			if form.Has("payment.days") {
				t.PaymentDays = int32(min(max(days, -1), 1000))
			}
		})
		return err
	})
}

// setLogo puts a logo on documents, or takes it away.
func (o *office) setLogo(v *visit) error {
	v.Request().Body = http.MaxBytesReader(v.Response(), v.Request().Body, 2<<20)
	return o.changeSettings(v, "logo", func(s *tenantSettings, form url.Values) error {
		logo := []byte{}
		if form.Get("remove") == "" {
			file, err := v.FormFile("logo")
			if err != nil {
				return &billing.DraftError{Problems: []billing.Problem{{Field: "supplier.logo", DE: "Wählen Sie eine PNG-Datei.", EN: "Choose a PNG file."}}}
			}
			f, err := file.Open()
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }() // it was only read
			if logo, err = io.ReadAll(f); err != nil {
				return err
			}
		}
		_, err := o.ChangeTenant(v.Request().Context(), s.ID, func(t *db.Tenant) { t.Logo = logo })
		return err
	})
}

// setPolicy changes how the utility bills.
func (o *office) setPolicy(v *visit) error {
	return o.changeSettings(v, "policy", func(s *tenantSettings, form url.Values) error {
		var wrong []billing.Problem
		number := func(field string) decimal.Decimal {
			d := amountOf(form.Get(field))
			if !d.Valid {
				wrong = append(wrong, billing.Problem{Field: field, DE: "Das ist keine Zahl.", EN: "This is no number."})
			}
			return d.Decimal
		}
		whole := func(field string) int32 {
			d := number(field)
			if !d.IsInteger() || d.Abs().GreaterThan(decimal.NewFromInt(1000)) {
				return -1 // is refused
			}
			return int32(d.IntPart())
		}
		days, minimum, carry := whole("policy.inspection_days"), number("policy.minimum"), whole("policy.carry_months")
		percent, amount := number("policy.deviation_percent"), number("policy.deviation_amount")
		if len(wrong) > 0 {
			return &billing.DraftError{Problems: wrong}
		}
		_, err := o.SetBillingPolicy(v.Request().Context(), s.ID, func(p *db.BillingPolicy) {
			p.InspectionDays, p.Minimum, p.CarryMonths, p.Zero, p.DeviationPercent, p.DeviationAmount = days, minimum, carry, form.Get("policy.zero"), percent, amount
		})
		return err
	})
}

// mailPorts are those that a server for e-mails may have: a form of ours is no way to look around in the platform's network.
var mailPorts = map[string]string{"25": "smtp", "587": "smtp", "2525": "smtp", "465": "smtps"}

// setMail changes whom e-mails come from and where they leave.
func (o *office) setMail(v *visit) error {
	return o.changeSettings(v, "mail", func(s *tenantSettings, form url.Values) error {
		m := jobs.MailSettings{Sender: form.Get("mail.sender"), ReplyTo: form.Get("mail.reply_to"), BounceContact: form.Get("mail.bounces")}
		switch form.Get("mail.server") {
		case serverPlatform:
			m.SMTP = new(string)
		case serverNew:
			host, port, err := net.SplitHostPort(strings.TrimSpace(form.Get("mail.host")))
			scheme, known := mailPorts[port]
			if err != nil || host == "" || !known {
				return &billing.DraftError{Problems: []billing.Problem{{Field: "mail.host", DE: "Der Mailserver steht als Name und Port, zum Beispiel mail.stadtwerke.de:587. Möglich sind 25, 465, 587 und 2525.", EN: "A mail server is a name and a port, for example mail.utility.de:587. Possible are 25, 465, 587 and 2525."}}}
			}
			u := url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)}
			if name := strings.TrimSpace(form.Get("mail.user")); name != "" {
				u.User = url.UserPassword(name, form.Get("mail.password"))
			}
			to := u.String()
			m.SMTP = &to
		}
		form.Del("mail.password") // is not shown again
		return o.SetMail(v.Request().Context(), s.ID, m)
	})
}

// tryMail sends an e-mail that only shows whether one arrives, and leads to what becomes of it.
func (o *office) tryMail(v *visit) error {
	s, err := v.settings()
	if err != nil {
		return err
	}
	if s.ID == uuid.Nil {
		return db.ErrNotFound
	}
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	id, err := o.TryMail(v.Request().Context(), s.ID, form.Get("mail.try"), string(v.Lang))
	if err != nil {
		if err := s.mail.refused(v, "try", form, err); err != nil {
			return err
		}
		return v.render(http.StatusUnprocessableEntity, tenantSettingsPage(v, s))
	}
	v.say("ok", v.Lang.T("settings.try.done"))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/outbox/"+id.String())))
}
