package office

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// partnerDraft is what the form for a new partner holds, and what was wrong with it.
type partnerDraft struct {
	Name, Role, Party  string
	VersionsURL, Token string // the other way: what the partner gave us
	tenants            []uuid.UUID
	problem            string            // of the whole form, in words
	problems           map[string]string // key of the text, by field
	theirs             bool              // the second form was sent
}

func (o *office) partnerForm(v *visit) error {
	return v.render(http.StatusOK, partnerFormPage(v, partnerDraft{Role: string(ocpi.RoleCPO)}))
}

// readDraft reads a form and says what is wrong with what both ways have.
func readDraft(v *visit) (d partnerDraft, err error) {
	form, err := v.FormParams()
	if err != nil {
		return d, err
	}
	field := func(name string) string { return strings.TrimSpace(form.Get(name)) }
	d = partnerDraft{Name: field("name"), Role: field("role"), Party: strings.ToUpper(field("party")), VersionsURL: field("url"), Token: field("token"), problems: map[string]string{}}
	if d.Name == "" || len(d.Name) > 100 {
		d.problems["name"] = "wizard.name.missing"
	}
	for _, text := range form["tenant"] {
		for _, t := range v.tenants {
			if t.ID.String() == text {
				d.tenants = append(d.tenants, t.ID)
			}
		}
	}
	return d, nil
}

// invitePartner makes a token A for a new partner and shows it, once.
func (o *office) invitePartner(v *visit) error {
	d, err := readDraft(v)
	if err != nil {
		return err
	}
	var party ocpi.Party
	if d.Party != "" {
		if party, err = ocpi.ParseParty(d.Party); err != nil {
			d.problems["party"] = "wizard.party.wrong"
		}
	}
	if d.Role != string(ocpi.RoleCPO) && d.Role != string(ocpi.RoleHub) {
		d.problems["role"] = "wizard.role.missing"
	}
	if _, err := o.DB.PartnerByName(v.Request().Context(), d.Name); err == nil {
		d.problems["name"] = "wizard.name.taken"
	} else if !errors.Is(err, db.ErrNotFound) {
		return err
	}
	if len(d.problems) > 0 {
		return v.render(http.StatusUnprocessableEntity, partnerFormPage(v, d))
	}
	invitation, err := o.InvitePartner(v.Request().Context(), jobs.NewPartner{Name: d.Name, Role: ocpi.Role(d.Role), Party: party, Tenants: d.tenants})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, invitationPage(v, invitation))
}

// inviteAgain makes a new token A for a partner that is there; earlier ones are void.
func (o *office) inviteAgain(v *visit) error {
	p, err := v.partnerOfPath()
	if err != nil {
		return err
	}
	invitation, err := o.InvitePartner(v.Request().Context(), jobs.NewPartner{Name: p.Name, Role: ocpi.Role(p.Role)})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, invitationPage(v, invitation))
}

// registerPartner starts the handshake with a partner that gave us its token A.
func (o *office) registerPartner(v *visit) error {
	ctx := v.Request().Context()
	d, err := readDraft(v)
	if err != nil {
		return err
	}
	d.theirs = true
	if u, err := url.Parse(d.VersionsURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		d.problems["url"] = "wizard.url.wrong"
	}
	if d.Token == "" || len(d.Token) > 256 {
		d.problems["token"] = "wizard.token.missing"
	}
	if len(d.problems) > 0 {
		return v.render(http.StatusUnprocessableEntity, partnerFormPage(v, d))
	}
	partner, err := o.RegisterPartner(ctx, jobs.Introduction{Name: d.Name, VersionsURL: d.VersionsURL, Token: d.Token, Tenants: d.tenants})
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		d.problem = err.Error()
		return v.render(http.StatusUnprocessableEntity, partnerFormPage(v, d))
	}
	v.say("ok", v.Lang.T("wizard.registered", partner.Name))
	return v.Redirect(http.StatusSeeOther, string(v.Link("/partners/"+partner.ID.String()+"/handshake")))
}

// handshakeView is how far the registration of a partner has got.
type handshakeView struct {
	db.PartnerHealthRow
	steps      []handshakeStep
	log        []db.MessageSearchRow
	last       *db.MessageSearchRow // the last message, if it failed
	waiting    bool                 // a token A is out
	moving     bool                 // there may be more to come
	strangers  int64                // calls with tokens that nobody has, in the last hour
	connection db.PartnerConnectionRow
	endpoints  []ocpi.Endpoint
	trials     []jobs.Trial // nil: not tried
}

// handshakeStep is a step of the registration: done, not yet, or failed.
type handshakeStep struct {
	key   string
	state string // "ok", "err" or ""
}

const (
	handshakeLog = 30        // messages shown
	strangerSpan = time.Hour // in which calls with unknown tokens are counted
)

func (o *office) handshake(v *visit) error {
	h, err := v.loadHandshake()
	if err != nil {
		return err
	}
	v.Response().Header().Add("Vary", "HX-Request")
	if ui.Partial(v.Request()) {
		return v.render(http.StatusOK, handshakeProgress(v, h))
	}
	return v.render(http.StatusOK, handshakePage(v, h))
}

func (v *visit) loadHandshake() (h handshakeView, err error) {
	ctx, o := v.Request().Context(), v.office
	if h.PartnerHealthRow, err = v.partnerOfPath(); err != nil {
		return h, err
	}
	log, err := o.DB.HandshakeMessages(ctx, db.HandshakeMessagesParams{PartnerID: h.ID, Since: h.CreatedAt.AddDate(0, 0, -1), MaxRows: handshakeLog})
	if err != nil {
		return h, err
	}
	for _, m := range log {
		h.log = append(h.log, db.MessageSearchRow(m))
	}
	if len(h.log) > 0 && h.State != "registered" && outcomeTone(h.log[0].Outcome) != "ok" && h.log[0].Outcome != "noted" {
		h.last = &h.log[0]
	}
	if h.waiting, err = o.DB.HasOpenInvite(ctx, h.ID); err != nil {
		return h, err
	}
	if h.strangers, err = o.DB.CallsByStrangers(ctx, o.Now().Add(-strangerSpan)); err != nil {
		return h, err
	}
	if h.connection, h.endpoints, err = v.loadConnection(h.ID); err != nil {
		return h, err
	}
	h.steps = handshakeSteps(h.State, h.log)
	// Messages come to the log a moment later than a registration is settled.
	h.moving = h.waiting || h.State == "invited" || h.RegisteredAt != nil && o.Now().Sub(*h.RegisteredAt) < time.Minute
	return h, nil
}

// handshakeSteps tells from the messages how far a partner has got.
func handshakeSteps(state string, log []db.MessageSearchRow) []handshakeStep {
	steps := []handshakeStep{{"invited", "ok"}, {"versions", ""}, {"credentials", ""}, {"callback", ""}, {"registered", ""}}
	mark := func(key string, m db.MessageSearchRow) {
		for i := range steps {
			if steps[i].key != key || steps[i].state == "ok" {
				continue
			}
			if steps[i].state = "err"; m.Outcome == "taken" || m.Outcome == "noted" {
				steps[i].state = "ok"
			}
		}
	}
	for _, m := range log { // the newest first
		below, _, _ := strings.Cut(m.Path, "?")
		switch {
		case m.Module == string(ocpi.ModuleCredentials):
			mark("credentials", m)
		case m.Module == "" && m.Direction == "in" && path.Base(below) == "versions":
			mark("versions", m)
		case m.Module == "" && m.Direction == "out":
			mark("callback", m)
		}
	}
	if state == "registered" {
		for i := range steps {
			steps[i].state = "ok"
		}
	}
	return steps
}

// advice is what to do about an answer that is no success; empty where we have none.
func (v *visit) advice(http, status int32) string {
	for _, key := range []string{"advice." + number(status), "advice.http." + number(http)} {
		if v.Lang.Has(key) {
			return v.Lang.T(key)
		}
	}
	if http == 0 {
		return v.Lang.T("advice.unreachable")
	}
	return ""
}

// tryPartner makes test calls and shows what came of them.
func (o *office) tryPartner(v *visit) error {
	h, err := v.loadHandshake()
	if err != nil {
		return err
	}
	if h.State != "registered" {
		v.say("err", v.Lang.T("try.unregistered"))
		return v.Redirect(http.StatusSeeOther, string(v.Link("/partners/"+h.ID.String()+"/handshake")))
	}
	if h.trials, err = o.TryPartner(v.Request().Context(), h.ID, o.Receive); err != nil {
		return err
	}
	v.Address, v.Query = "/partners/"+h.ID.String()+"/handshake", "" // of the page in the other language
	return v.render(http.StatusOK, handshakePage(v, h))
}

// moduleUses is what an eMSP does with each module: which side it is, and whether roaming works without.
var moduleUses = []struct {
	module   ocpi.ModuleID
	theirs   []ocpi.InterfaceRole // what we use of the partner
	ours     []ocpi.InterfaceRole // what the partner can use of us
	required bool
	hubs     bool // of hubs only
}{
	{module: ocpi.ModuleCredentials, theirs: []ocpi.InterfaceRole{ocpi.Receiver}, ours: []ocpi.InterfaceRole{ocpi.Sender, ocpi.Receiver}, required: true},
	{module: ocpi.ModuleTokens, theirs: []ocpi.InterfaceRole{ocpi.Receiver}, ours: []ocpi.InterfaceRole{ocpi.Sender}, required: true},
	{module: ocpi.ModuleCDRs, theirs: []ocpi.InterfaceRole{ocpi.Sender}, ours: []ocpi.InterfaceRole{ocpi.Receiver}, required: true},
	{module: ocpi.ModuleLocations, theirs: []ocpi.InterfaceRole{ocpi.Sender}, ours: []ocpi.InterfaceRole{ocpi.Receiver}},
	{module: ocpi.ModuleTariffs, theirs: []ocpi.InterfaceRole{ocpi.Sender}, ours: []ocpi.InterfaceRole{ocpi.Receiver}},
	{module: ocpi.ModuleSessions, theirs: []ocpi.InterfaceRole{ocpi.Sender}, ours: []ocpi.InterfaceRole{ocpi.Receiver}},
	{module: ocpi.ModuleCommands, theirs: []ocpi.InterfaceRole{ocpi.Receiver}, ours: []ocpi.InterfaceRole{ocpi.Sender}},
	{module: ocpi.ModuleChargingProfiles, theirs: []ocpi.InterfaceRole{ocpi.Receiver}, ours: []ocpi.InterfaceRole{ocpi.Sender}},
	{module: ocpi.ModuleHubClientInfo, theirs: []ocpi.InterfaceRole{ocpi.Sender}, ours: []ocpi.InterfaceRole{ocpi.Receiver}, hubs: true},
}

// offered is the address of an interface of a partner; empty if it has none.
func offered(endpoints []ocpi.Endpoint, module ocpi.ModuleID, role ocpi.InterfaceRole) string {
	details := ocpi.VersionDetails{Endpoints: endpoints}
	address, _ := details.Endpoint(module, role)
	return address
}
