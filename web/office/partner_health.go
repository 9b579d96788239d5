package office

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// comparedWeeks is how many earlier weeks today is compared with.
const comparedWeeks = 4

// healthParams asks how the partners are that the visitor may see; with an id, one of them.
func (v *visit) healthParams(id uuid.NullUUID) db.PartnerHealthParams {
	now := v.office.Now().In(ui.Berlin)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, ui.Berlin)
	p := db.PartnerHealthParams{Today: today, WeekAgo: now.AddDate(0, 0, -7), DayAgo: now.Add(-24 * time.Hour), TenantID: v.tenant, ID: id}
	for week := 1; week <= comparedWeeks; week++ {
		p.Starts = append(p.Starts, today.AddDate(0, 0, -7*week))
		p.Ends = append(p.Ends, now.AddDate(0, 0, -7*week))
	}
	return p
}

// partner is a partner, if the visitor may see it; db.ErrNotFound otherwise.
func (v *visit) partner(id uuid.UUID) (db.PartnerHealthRow, error) {
	rows, err := v.office.DB.PartnerHealth(v.Request().Context(), v.healthParams(uuid.NullUUID{UUID: id, Valid: true}))
	if err == nil && len(rows) == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return db.PartnerHealthRow{}, err
	}
	return rows[0], nil
}

// partnerOfPath is the partner of the address.
func (v *visit) partnerOfPath() (db.PartnerHealthRow, error) {
	id, err := v.id()
	if err != nil {
		return db.PartnerHealthRow{}, err
	}
	return v.partner(id)
}

// partnerHealth lists the partners for those who run the platform, those that need somebody first.
func (o *office) partnerHealth(v *visit) error {
	rows, err := o.DB.PartnerHealth(v.Request().Context(), v.healthParams(uuid.NullUUID{}))
	if err != nil {
		return err
	}
	slices.SortStableFunc(rows, func(a, b db.PartnerHealthRow) int {
		return cmp.Or(trouble(b)-trouble(a), strings.Compare(a.Name, b.Name))
	})
	return v.render(http.StatusOK, partnerHealthPage(v, rows))
}

// troubles are what can be wrong with a partner, the worst first. A partner has the first that holds.
var troubles = []struct {
	key, tone string
	holds     func(db.PartnerHealthRow) bool
}{
	{"rejects", "err", func(p db.PartnerHealthRow) bool { return p.RejectedAt != nil }},
	{"away", "err", func(p db.PartnerHealthRow) bool { return p.FailingSince != nil }},
	{"silent", "err", func(p db.PartnerHealthRow) bool { return p.Silent }},
	{"errors.many", "warn", func(p db.PartnerHealthRow) bool { return p.Messages >= 20 && p.Bad*5 >= p.Messages }},
	{"alerted", "warn", func(p db.PartnerHealthRow) bool { return p.Alerts > 0 }},
	{"quarantine", "warn", func(p db.PartnerHealthRow) bool { return p.Quarantined > 0 }},
	{"invited", "info", func(p db.PartnerHealthRow) bool { return p.State == "invited" }},
	{"fine", "ok", func(p db.PartnerHealthRow) bool { return p.State == "registered" }},
	{"ended", "", func(db.PartnerHealthRow) bool { return true }},
}

// trouble says how much a partner needs somebody.
func trouble(p db.PartnerHealthRow) int {
	for i, t := range troubles {
		if t.holds(p) {
			return len(troubles) - i
		}
	}
	return 0
}

// usual is how many CDRs had come by this time of the day, in the mean of earlier weeks.
func (v *visit) usual(p db.PartnerHealthRow) string {
	return v.Lang.Exact(decimal.NewFromInt(p.Before).Div(decimal.NewFromInt(comparedWeeks)), 0, 1)
}

// errorShare is how much of a day's messages went wrong.
func (v *visit) errorShare(p db.PartnerHealthRow) string {
	if p.Messages == 0 {
		return none
	}
	return v.Lang.Percent(decimal.NewFromInt(100 * p.Bad).Div(decimal.NewFromInt(p.Messages)))
}

// lag is how long CDRs take to come, in the median.
func (v *visit) lag(p db.PartnerHealthRow) string {
	if p.LagSeconds < 0 {
		return none
	}
	return v.Lang.Duration(time.Duration(p.LagSeconds)*time.Second) + "\u00a0h"
}

// tokenAge is how long the partner's token has been valid.
func (v *visit) tokenAge(p db.PartnerHealthRow) string {
	if p.TokenSince.Unix() <= 0 {
		return none
	}
	return v.age(p.TokenSince)
}
