package office

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// partnerSettings is what was decided and agreed about a connection.
type partnerSettings struct {
	db.Partner
	utilities []db.PartnerUtilitiesRow
	shown     *x509.Certificate // with which we call; nil: none
	intervals []pullInterval
}

// pullInterval is how often a list of a partner is read.
type pullInterval struct {
	module ocpi.ModuleID
	every  string // one of pullChoices, or what was set by command
}

// pullChoices are the intervals to choose from.
var pullChoices = []string{string(jobs.PullUsual), "15m", "1h", "6h", "12h", "24h", "168h", string(jobs.PullNever)}

// pulledModules are the modules whose lists are read.
var pulledModules = []ocpi.ModuleID{ocpi.ModuleLocations, ocpi.ModuleTariffs, ocpi.ModuleSessions, ocpi.ModuleCDRs, ocpi.ModuleHubClientInfo}

// hideable are the modules of ours that a partner need not be told of.
func hideable() []ocpi.ModuleID {
	var all []ocpi.ModuleID
	for _, m := range moduleUses {
		if m.module != ocpi.ModuleCredentials {
			all = append(all, m.module)
		}
	}
	return all
}

func (o *office) partnerSettings(v *visit) error {
	ctx := v.Request().Context()
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	var s partnerSettings
	if s.Partner, err = o.DB.Partner(ctx, p.ID); err != nil {
		return fmt.Errorf("partner %s: %w", p.ID, err)
	}
	if s.utilities, err = o.DB.PartnerUtilities(ctx, p.ID); err != nil {
		return fmt.Errorf("utilities of partner %s: %w", p.ID, err)
	}
	if s.shown, err = o.CertificateShown(s.Partner); err != nil {
		return err
	}
	agreed, err := o.DB.PartnerIntervals(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("intervals of partner %s: %w", p.ID, err)
	}
	for _, module := range pulledModules {
		if module == ocpi.ModuleHubClientInfo && p.Role != string(ocpi.RoleHub) {
			continue
		}
		s.intervals = append(s.intervals, pullInterval{module, everyOf(agreed, module)})
	}
	return v.render(http.StatusOK, partnerSettingsPage(v, s))
}

// everyOf is how often a list is read, as a choice.
func everyOf(agreed []db.PartnerInterval, module ocpi.ModuleID) string {
	for _, a := range agreed {
		switch {
		case a.Module != string(module):
		case a.Minutes == nil:
			return string(jobs.PullNever)
		default:
			every := time.Duration(*a.Minutes) * time.Minute
			for _, choice := range pullChoices {
				if d, err := time.ParseDuration(choice); err == nil && d == every {
					return choice
				}
			}
			return every.String()
		}
	}
	return string(jobs.PullUsual)
}

// everyText is an interval in words.
func (v *visit) everyText(every string) string {
	if key := "interval." + every; v.Lang.Has(key) {
		return v.Lang.T(key)
	}
	if d, err := time.ParseDuration(every); err == nil {
		return v.Lang.T("interval.minutes", v.Lang.Int(int64(d/time.Minute)))
	}
	return every
}

// pinText is the fingerprint of the certificate that a partner has to show, as openssl x509 -fingerprint writes it.
func pinText(pin []byte) string {
	return strings.ReplaceAll(fmt.Sprintf("% X", pin), " ", ":")
}

// decide carries a decision of a form out and goes back to the part of the page that it is on. wrong is the text for what the
// person has entered wrong.
func (v *visit) decide(partner uuid.UUID, part string, err error, done, wrong string) error {
	var refused *ocpi.Error
	switch {
	case errors.As(err, &refused):
		v.say("err", v.Lang.T(wrong))
	case err != nil:
		return err
	default:
		v.say("ok", v.Lang.T(done))
	}
	return v.Redirect(http.StatusSeeOther, string(v.Link("/partners/"+partner.String()+"/settings"))+"#"+part)
}

// setTenants sets which utilities work with a partner.
func (o *office) setTenants(v *visit) error {
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	var tenants []uuid.UUID
	for _, t := range v.tenants {
		if slices.Contains(form["tenant"], t.ID.String()) && t.ClosedAt == nil {
			tenants = append(tenants, t.ID)
		}
	}
	return v.decide(p.ID, "tenants", o.EnablePartner(v.Request().Context(), p.ID, tenants), "settings.tenants.done", "settings.tenants.wrong")
}

// setModules sets which modules our version details do not list to a partner.
func (o *office) setModules(v *visit) error {
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	hidden := []ocpi.ModuleID{}
	for _, m := range hideable() {
		if !slices.Contains(form["listed"], string(m)) {
			hidden = append(hidden, m)
		}
	}
	return v.decide(p.ID, "modules", o.HideModules(v.Request().Context(), p.ID, hidden), "settings.modules.done", "form.problem")
}

// setCertificate sets or removes the certificate with which we call a partner.
func (o *office) setCertificate(v *visit) error {
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	text := strings.TrimSpace(v.FormValue("pem"))
	if v.FormValue("remove") != "" {
		return v.decide(p.ID, "certificate", o.ShowCertificate(v.Request().Context(), p.ID, nil), "settings.certificate.removed", "form.problem")
	}
	if text == "" {
		return v.decide(p.ID, "certificate", ocpi.InvalidParameter("certificate", "", ""), "", "settings.certificate.wrong")
	}
	return v.decide(p.ID, "certificate", o.ShowCertificate(v.Request().Context(), p.ID, []byte(text)), "settings.certificate.done", "settings.certificate.wrong")
}

// setPin sets or removes the certificate that a partner has to call us with.
func (o *office) setPin(v *visit) error {
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	text := strings.TrimSpace(v.FormValue("pem"))
	if v.FormValue("remove") != "" {
		return v.decide(p.ID, "pin", o.PinCertificate(v.Request().Context(), p.ID, nil), "settings.pin.removed", "form.problem")
	}
	if text == "" {
		return v.decide(p.ID, "pin", ocpi.InvalidParameter("certificate", "", ""), "", "settings.pin.wrong")
	}
	return v.decide(p.ID, "pin", o.PinCertificate(v.Request().Context(), p.ID, []byte(text)), "settings.pin.done", "settings.pin.wrong")
}

// agree sets how often lists of a partner are read and how late its CDRs may come.
func (o *office) agree(v *visit) error {
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	days, err := strconv.ParseInt(strings.TrimSpace(v.FormValue("days")), 10, 32)
	if strings.TrimSpace(v.FormValue("days")) == "" {
		days, err = 0, nil
	}
	if err != nil {
		return v.decide(p.ID, "agreed", ocpi.InvalidParameter("cdr_days", "", ""), "", "settings.days.wrong")
	}
	if err := o.SetCDRDays(ctx, p.ID, int32(days)); err != nil { //nolint:gosec // parsed with 32 bits
		return v.decide(p.ID, "agreed", err, "", "settings.days.wrong")
	}
	agreed, err := o.DB.PartnerIntervals(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("intervals of partner %s: %w", p.ID, err)
	}
	for _, module := range pulledModules {
		every := v.FormValue("every-" + string(module))
		if every == "" || every == everyOf(agreed, module) {
			continue
		}
		if err := o.SetPullInterval(ctx, p.ID, module, jobs.PullEvery(every)); err != nil {
			return v.decide(p.ID, "agreed", err, "", "settings.interval.wrong")
		}
	}
	return v.decide(p.ID, "agreed", nil, "settings.agreed.done", "")
}
