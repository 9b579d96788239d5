package office

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// tenantView is a utility as those who run the platform see it.
type tenantView struct {
	db.TenantListRow
	details  db.Tenant
	missing  []string // what its documents lack to be real
	partners []db.PartnersOfTenantRow
	events   []db.Event
	problem  string // with what was entered
	waits    int    // partners that have still to take its leave
}

// tenantOfPath is the utility of the address, if the visitor looks at it or at all of them.
func (v *visit) tenantOfPath() (db.TenantListRow, error) {
	id, err := v.id()
	if err != nil || v.tenant.Valid && v.tenant.UUID != id {
		return db.TenantListRow{}, db.ErrNotFound
	}
	rows, err := v.office.DB.TenantList(v.Request().Context(), uuid.NullUUID{UUID: id, Valid: true})
	if err == nil && len(rows) == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return db.TenantListRow{}, err
	}
	return rows[0], nil
}

func (o *office) tenantDetail(v *visit) error {
	t, err := v.loadTenant()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, tenantDetailPage(v, t))
}

func (v *visit) loadTenant() (t tenantView, err error) {
	ctx, o := v.Request().Context(), v.office
	if t.TenantListRow, err = v.tenantOfPath(); err != nil {
		return t, err
	}
	if t.details, err = o.DB.Tenant(ctx, t.ID); err != nil {
		return t, fmt.Errorf("utility %s: %w", t.ID, err)
	}
	for _, p := range jobs.MissingLegalData(t.details) {
		t.missing = append(t.missing, p.Field)
	}
	if t.partners, err = o.DB.PartnersOfTenant(ctx, t.ID); err != nil {
		return t, fmt.Errorf("partners of utility %s: %w", t.ID, err)
	}
	for _, p := range t.partners {
		if p.LeavingAt != nil {
			t.waits++
		}
	}
	t.events, err = o.DB.EventsOf(ctx, db.EventsOfParams{Subject: "tenant", SubjectID: t.ID})
	return t, err
}

// changeTenant changes what partners are told of a utility.
func (o *office) changeTenant(v *visit) error {
	t, err := v.loadTenant()
	if err != nil {
		return err
	}
	t.details.Name, t.details.Website = strings.TrimSpace(v.FormValue("name")), strings.TrimSpace(v.FormValue("website"))
	switch {
	case t.details.Name == "" || len([]rune(t.details.Name)) > 100:
		t.problem = "tenant.name.wrong"
	case t.details.Website != "" && !isWebsite(t.details.Website):
		t.problem = "tenant.website.wrong"
	}
	if t.problem != "" {
		return v.render(http.StatusUnprocessableEntity, tenantDetailPage(v, t))
	}
	_, err = o.ChangeTenant(v.Request().Context(), t.ID, func(was *db.Tenant) { was.Name, was.Website = t.details.Name, t.details.Website })
	if err != nil {
		return err
	}
	v.say("ok", v.Lang.T("tenant.changed"))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/tenants/"+t.ID.String())))
}

// isWebsite reports whether a text is the address of a website, with or without its scheme.
func isWebsite(text string) bool {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && strings.Contains(u.Host, ".") && !strings.ContainsAny(text, " \t") && len(text) <= 255
}

// closeTenant closes a utility for good, if the person has typed its party.
func (o *office) closeTenant(v *visit) error {
	t, err := v.tenantOfPath()
	if err != nil {
		return err
	}
	page := string(v.Link("/tenants/" + t.ID.String()))
	typed, err := ocpi.ParseParty(strings.TrimSpace(v.FormValue("confirm")))
	if err != nil || !typed.Equal(ocpi.Party{CountryCode: ocpi.CiString(t.CountryCode), PartyID: ocpi.CiString(t.PartyID)}) {
		v.say("err", v.Lang.T("tenant.close.mismatch"))
		return v.Redirect(http.StatusSeeOther, page)
	}
	closing, err := o.CloseTenant(v.Request().Context(), t.ID)
	switch {
	case errors.Is(err, jobs.ErrClosed):
		v.say("err", v.Lang.T("tenant.close.again"))
	case err != nil:
		return err
	default:
		v.say("ok", v.Lang.T("tenant.close.done", t.Name, v.Lang.Int(closing.Cards), v.Lang.Int(int64(closing.Partners))))
	}
	return v.Redirect(http.StatusSeeOther, page)
}

// standing is how a utility stands with a partner: "works", "coming" (the partner has still to be told), "cards" (its cards are
// being taken back), "role" (that is done, and its role is being withdrawn) or "last" (kept for late CDRs).
func standing(p db.PartnersOfTenantRow) string {
	switch {
	case p.LeavingAt != nil && p.OpenDeliveries > 0:
		return "cards"
	case p.LeavingAt != nil && p.Alone:
		return "last"
	case p.LeavingAt != nil:
		return "role"
	case p.KnownAt != nil:
		return "coming"
	}
	return "works"
}

func standingTone(standing string) string {
	switch standing {
	case "works":
		return "ok"
	case "coming":
		return "info"
	}
	return "warn"
}
