package office

import (
	"net/http"

	"github.com/roamwerk/roamwerk/db"
)

// tenantList shows every utility to those who run the platform.
func (o *office) tenantList(v *visit) error {
	rows, err := o.DB.TenantList(v.Request().Context(), v.tenant)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, tenantListPage(v, rows))
}

// tenantState is the state of a utility: "live", "trial", "closing" while a partner still knows it, or "closed".
func tenantState(t db.TenantListRow) string {
	switch {
	case t.ClosedAt != nil && t.Leaving > 0:
		return "closing"
	case t.ClosedAt != nil:
		return "closed"
	}
	return t.Mode
}

// tenantTone is the colour of a state.
func tenantTone(state string) string {
	switch state {
	case "live":
		return "ok"
	case "trial":
		return "info"
	case "closing":
		return "warn"
	}
	return ""
}
