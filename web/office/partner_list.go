package office

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// partnersParams asks for the partners that the visitor may see; with an id, for one.
func (v *visit) partnersParams(id uuid.NullUUID) db.PartnerListParams {
	now := v.office.Now().In(ui.Berlin)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, ui.Berlin)
	return db.PartnerListParams{TenantID: v.tenant, Today: today, Since: today.AddDate(0, 0, -30), ID: id}
}

func (o *office) partnerList(v *visit) error {
	if v.operator() {
		return o.partnerHealth(v)
	}
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
