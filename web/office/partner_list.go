package office

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// partnersParams asks for the partners that the visitor may see; with an id, for one.
func (v *visit) partnersParams(id uuid.NullUUID) db.PartnerListParams {
	now := v.office.Now().In(ui.Berlin)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, ui.Berlin)
	return db.PartnerListParams{TenantID: v.tenant, Today: today, Since: today.AddDate(0, 0, -30), ID: id}
}

func (o *office) partnerList(v *visit) error {
	var partners []db.PartnerListRow
	err := v.read(func(q *db.Queries) (err error) {
		partners, err = q.PartnerList(v.Request().Context(), v.partnersParams(uuid.NullUUID{}))
		return err
	})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, partnerListPage(v, partners))
}

// partnerView is everything that is known about one partner.
type partnerView struct {
	db.PartnerListRow
	parties    []db.PartnerParty
	deliveries db.PartnerDeliveriesRow
	connection *db.PartnerConnectionRow // for operators of the platform only
	endpoints  []ocpi.Endpoint
	events     []db.Event
}

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
		if view.deliveries, err = q.PartnerDeliveries(ctx, db.PartnerDeliveriesParams{PartnerID: id, TenantID: v.tenant}); err != nil {
			return fmt.Errorf("token deliveries to partner %s: %w", id, err)
		}
		view.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "partner", SubjectID: id})
		return err
	})
	if err == nil && v.operator() {
		err = view.loadConnection(v, id)
	}
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, partnerDetailPage(v, view))
}

// loadConnection reads what concerns the operator of the platform; the role of a utility may not.
func (p *partnerView) loadConnection(v *visit, id uuid.UUID) error {
	connection, err := v.office.DB.PartnerConnection(v.Request().Context(), id)
	if err != nil {
		return fmt.Errorf("connection of partner %s: %w", id, err)
	}
	p.connection = &connection
	if err := json.Unmarshal(connection.Endpoints, &p.endpoints); err != nil {
		return fmt.Errorf("endpoints of partner %s: %w", id, err)
	}
	return nil
}

// partnerTone is the colour of a state.
func partnerTone(state string) string {
	switch state {
	case "registered":
		return "ok"
	case "invited":
		return "info"
	}
	return ""
}
