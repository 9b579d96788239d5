package office

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/web/ui"
)

// quarantineStates are the tabs of the quarantine.
var quarantineStates = []string{"open", "replayed", "dismissed"}

// groupsShown and groupLimit bound what a page of the quarantine shows, and what one click replays.
const groupsShown, groupLimit = 200, 500

// quarantinePage is what the quarantine shows: its messages by partner and error.
type quarantinePage struct {
	listQuery
	state    string
	groups   []db.QuarantineGroupsRow
	tabs     []ui.Tab
	chips    []ui.Chip
	count    int64
	partners []db.PartnerNamesRow
}

func (o *office) quarantineList(v *visit) error {
	ctx := v.Request().Context()
	p := quarantinePage{listQuery: readList(v, "partner")}
	p.state = cmp.Or(p.get("state"), "open")
	var err error
	if p.groups, err = o.DB.QuarantineGroups(ctx, db.QuarantineGroupsParams{State: p.state, PartnerID: partnerOf(p.listQuery), TenantID: v.tenant, MaxRows: groupsShown}); err != nil {
		return err
	}
	counts, err := o.DB.QuarantineCounts(ctx, db.QuarantineCountsParams{PartnerID: partnerOf(p.listQuery), TenantID: v.tenant})
	if err != nil {
		return err
	}
	for _, state := range quarantineStates {
		tab := ui.Tab{ID: state, Name: v.Lang.T("quarantine.tab." + state), Href: p.with("state", state), Current: state == p.state}
		for _, c := range counts {
			if c.State == state {
				tab.Count = c.Many
			}
		}
		if tab.Current {
			p.count = tab.Count
		}
		p.tabs = append(p.tabs, tab)
	}
	if p.partners, err = o.DB.PartnerNames(ctx, v.tenant); err != nil {
		return err
	}
	p.chips = v.searchChips(p.listQuery, p.partners)
	return v.list(p.listQuery, quarantineListPage(v, p), quarantineResult(v, p), v.Lang.N("message.count", p.count))
}

// quarantineView is a message that was not taken, and those that are there for the same reason.
type quarantineView struct {
	db.QuarantineDetailRow
	group   []db.QuarantineGroupRow
	example []byte
	right   string
}

// quarantined is the message of the address, if the visitor may see it.
func (v *visit) quarantined() (db.QuarantineDetailRow, error) {
	id, err := v.id()
	if err != nil {
		return db.QuarantineDetailRow{}, err
	}
	return v.office.DB.QuarantineDetail(v.Request().Context(), db.QuarantineDetailParams{ID: id, TenantID: v.tenant})
}

func (o *office) quarantineDetail(v *visit) error {
	row, err := v.quarantined()
	if err != nil {
		return err
	}
	view := quarantineView{QuarantineDetailRow: row}
	if view.group, err = o.DB.QuarantineGroup(v.Request().Context(), db.QuarantineGroupParams{ID: row.Quarantine.ID, MaxRows: groupLimit}); err != nil {
		return err
	}
	view.example = exampleOf(row.Quarantine.Module, row.Quarantine.Method, row.Quarantine.Path)
	view.right = valueAt(view.example, row.Quarantine.ErrorPath)
	return v.render(http.StatusOK, quarantineDetailPage(v, view))
}

// chosen are the messages that a form is about: the one of the address, or all of its group in the order in which they came.
func (v *visit) chosen(row db.QuarantineDetailRow) ([]uuid.UUID, error) {
	if v.FormValue("all") == "" {
		return []uuid.UUID{row.Quarantine.ID}, nil
	}
	group, err := v.office.DB.QuarantineGroup(v.Request().Context(), db.QuarantineGroupParams{ID: row.Quarantine.ID, MaxRows: groupLimit})
	ids := make([]uuid.UUID, len(group))
	for i, g := range group {
		ids[i] = g.ID
	}
	return ids, err
}

// replay takes messages out of quarantine and gives them to the door again.
func (o *office) replay(v *visit) error {
	row, err := v.quarantined()
	if err != nil {
		return err
	}
	ids, err := v.chosen(row)
	if err != nil {
		return err
	}
	var taken, refused int64
	said := ""
	for _, id := range ids {
		receipt, err := o.Replay(v.Request().Context(), o.Receive, id)
		switch {
		case errors.Is(err, db.ErrNotFound): // somebody else was faster
		case err != nil:
			return err
		case receipt.Taken():
			taken++
		default:
			refused++
			said = receipt.Message
		}
	}
	switch {
	case refused == 0:
		v.say("ok", v.Lang.N("quarantine.replayed", taken))
	case taken == 0:
		v.say("err", v.Lang.N("quarantine.refused", refused)+" "+said)
	default:
		v.say("warn", v.Lang.N("quarantine.replayed", taken)+" "+v.Lang.N("quarantine.refused", refused)+" "+said)
	}
	return v.Redirect(http.StatusSeeOther, string(v.Link("/quarantine/"+row.Quarantine.ID.String())))
}

// dismiss puts messages away for a reason.
func (o *office) dismiss(v *visit) error {
	row, err := v.quarantined()
	if err != nil {
		return err
	}
	page := string(v.Link("/quarantine/" + row.Quarantine.ID.String()))
	reason := strings.TrimSpace(v.FormValue("reason"))
	if reason == "" || len(reason) > 500 {
		v.say("err", v.Lang.T("quarantine.reason.missing"))
		return v.Redirect(http.StatusSeeOther, page)
	}
	ids, err := v.chosen(row)
	if err != nil {
		return err
	}
	var done int64
	for _, id := range ids {
		switch err := o.Dismiss(v.Request().Context(), id, reason); {
		case err == nil:
			done++
		case !errors.Is(err, db.ErrNotFound):
			return err
		}
	}
	v.say("ok", v.Lang.N("quarantine.dismissed", done))
	return v.Redirect(http.StatusSeeOther, page)
}
