package office

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// partnerView is everything that is known about one partner.
type partnerView struct {
	db.PartnerListRow
	parties    []db.PartnerParty
	deliveries db.PartnerDeliveriesRow
	events     []db.Event
	alerts     []db.AlertListRow
	meterKeys  []db.MeterKey
	console    *partnerConsole // for those who run the platform only
}

// maxMeterKeys bounds the table of keys; roamwerk meter key list has them all.
const maxMeterKeys = 500

// partnerConsole is what concerns the connection, not a utility.
type partnerConsole struct {
	health     db.PartnerHealthRow
	connection db.PartnerConnectionRow
	endpoints  []ocpi.Endpoint
	quirks     []partnerQuirk
	pulls      []db.Pull
	waiting    bool // a token A is out
}

// partnerQuirk is a tolerance and what a partner has to do with it.
type partnerQuirk struct {
	ocpi.QuirkText
	row db.PartnerQuirk // zero: never seen, nothing decided
}

// alertsOfPartner is how many alerts a partner's page shows, resolved ones too.
const alertsOfPartner = 20

func (o *office) partnerDetail(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	var view partnerView
	err = v.read(func(q *db.Queries) error {
		rows, err := q.PartnerList(ctx, v.partnersParams(uuid.NullUUID{UUID: id, Valid: true}))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return db.ErrNotFound
		}
		view.PartnerListRow = rows[0]
		if view.parties, err = q.PartnerParties(ctx, id); err != nil {
			return fmt.Errorf("parties of partner %s: %w", id, err)
		}
		if view.meterKeys, err = q.MeterKeysOfParties(ctx, db.MeterKeysOfPartiesParams{PartnerID: id, TenantID: v.tenant, MaxRows: maxMeterKeys}); err != nil {
			return fmt.Errorf("meter keys of partner %s: %w", id, err)
		}
		if view.deliveries, err = q.PartnerDeliveries(ctx, db.PartnerDeliveriesParams{PartnerID: id, TenantID: v.tenant}); err != nil {
			return fmt.Errorf("token deliveries to partner %s: %w", id, err)
		}
		view.alerts, err = q.AlertList(ctx, db.AlertListParams{PartnerID: uuid.NullUUID{UUID: id, Valid: true}, TenantID: v.tenant, MaxRows: alertsOfPartner})
		if err != nil {
			return fmt.Errorf("alerts of partner %s: %w", id, err)
		}
		view.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "partner", SubjectID: id})
		return err
	})
	if err == nil && v.operator() {
		view.console, err = v.loadConsole(id)
	}
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, partnerDetailPage(v, view))
}

// loadConsole reads what concerns those who run the platform; the role of a utility may not.
func (v *visit) loadConsole(id uuid.UUID) (*partnerConsole, error) {
	ctx, o := v.Request().Context(), v.office
	var c partnerConsole
	var err error
	if c.health, err = v.partner(id); err != nil {
		return nil, err
	}
	if c.connection, c.endpoints, err = v.loadConnection(id); err != nil {
		return nil, err
	}
	if c.waiting, err = o.DB.HasOpenInvite(ctx, id); err != nil {
		return nil, fmt.Errorf("invitation of partner %s: %w", id, err)
	}
	if c.pulls, err = o.DB.PullsOfPartner(ctx, id); err != nil {
		return nil, fmt.Errorf("pulls of partner %s: %w", id, err)
	}
	c.quirks, err = v.loadQuirks(id)
	return &c, err
}

// loadConnection reads the address and the endpoints of a connection.
func (v *visit) loadConnection(id uuid.UUID) (c db.PartnerConnectionRow, endpoints []ocpi.Endpoint, err error) {
	if c, err = v.office.DB.PartnerConnection(v.Request().Context(), id); err != nil {
		return c, nil, fmt.Errorf("connection of partner %s: %w", id, err)
	}
	if err := json.Unmarshal(c.Endpoints, &endpoints); err != nil {
		return c, nil, fmt.Errorf("endpoints of partner %s: %w", id, err)
	}
	return c, endpoints, nil
}

// loadQuirks are all tolerances, those that the partner needs first.
func (v *visit) loadQuirks(id uuid.UUID) ([]partnerQuirk, error) {
	rows, err := v.office.DB.QuirksOfPartner(v.Request().Context(), id)
	if err != nil {
		return nil, fmt.Errorf("quirks of partner %s: %w", id, err)
	}
	var quirks []partnerQuirk
	for _, text := range ocpi.Quirks {
		q := partnerQuirk{QuirkText: text, row: db.PartnerQuirk{Mode: "auto"}}
		for _, row := range rows {
			if row.Quirk == string(text.Name) {
				q.row = row
			}
		}
		quirks = append(quirks, q)
	}
	slices.SortStableFunc(quirks, func(a, b partnerQuirk) int { return b.weight() - a.weight() })
	return quirks, nil
}

// weight puts tolerances in order: those that were needed, those that somebody decided on, the rest.
func (q partnerQuirk) weight() int {
	switch {
	case q.row.Count > 0:
		return 2
	case q.row.Mode != "auto":
		return 1
	}
	return 0
}

// quirkText is a tolerance in words.
func (v *visit) quirkText(name string) string {
	for _, q := range ocpi.Quirks {
		if string(q.Name) == name {
			return v.wordsOf(q)
		}
	}
	return name
}

func (v *visit) wordsOf(q ocpi.QuirkText) string {
	if v.Lang == ui.German {
		return q.De
	}
	return q.En
}

// quirkModes are what can be decided about a tolerance.
var quirkModes = []string{"auto", "on", "off"}

// setQuirk decides on a tolerance of a partner.
func (o *office) setQuirk(v *visit) error {
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	quirk, mode := ocpi.Quirk(v.FormValue("quirk")), v.FormValue("mode")
	if !quirk.Known() || !slices.Contains(quirkModes, mode) {
		return echo.NewHTTPError(http.StatusBadRequest)
	}
	if err := o.SetQuirk(v.Request().Context(), p.ID, quirk, mode); err != nil {
		return err
	}
	v.say("ok", v.Lang.T("quirk.done", v.quirkText(string(quirk)), v.Lang.T("quirk.mode."+mode)))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/partners/"+p.ID.String()))+"#quirks")
}

// pullPartner reads lists of a partner now.
func (o *office) pullPartner(v *visit) error {
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	lists, err := o.PullPartner(v.Request().Context(), p.Name, ocpi.ModuleID(v.FormValue("module")), v.FormValue("full") != "")
	if err != nil {
		v.say("err", err.Error())
	} else {
		v.say("ok", v.Lang.N("pull.asked", lists))
	}
	return v.Redirect(http.StatusSeeOther, v.back())
}

// rotatePartner exchanges the tokens of both sides.
func (o *office) rotatePartner(v *visit) error {
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	if err := o.RotatePartner(v.Request().Context(), p.ID); err != nil {
		v.say("err", v.Lang.T("rotate.failed")+" "+err.Error())
	} else {
		v.say("ok", v.Lang.T("rotate.done"))
	}
	return v.Redirect(http.StatusSeeOther, string(v.Link("/partners/"+p.ID.String())))
}

// endPartner ends a partnership, if the person has typed the partner's name.
func (o *office) endPartner(v *visit) error {
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	page := string(v.Link("/partners/" + p.ID.String()))
	if strings.TrimSpace(v.FormValue("confirm")) != p.Name {
		v.say("err", v.Lang.T("end.mismatch"))
		return v.Redirect(http.StatusSeeOther, page)
	}
	if err := o.EndPartner(v.Request().Context(), p.ID); err != nil {
		var refused *ocpi.Error
		if !errors.As(err, &refused) {
			return err
		}
		v.say("err", refused.Message)
	} else {
		v.say("ok", v.Lang.T("end.done", p.Name))
	}
	return v.Redirect(http.StatusSeeOther, page)
}
