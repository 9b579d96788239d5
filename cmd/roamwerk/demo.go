package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
	"github.com/roamwerk/roamwerk/web/office"
)

// demo is the demonstration: a world of utilities, customers and partners
// whose last months are played into the platform over real OCPI, and whose
// partners go on charging as long as the platform runs.
type demo struct {
	*app
	clock *clock
	path  string // of the file that remembers the partners
	out   io.Writer

	cpo     *ocpitest.CPO
	hub     *ocpitest.Hub
	cpos    []*ocpitest.CPO // the direct one and those behind the hub
	tenants []db.Tenant
	holders []holder
	fresh   bool      // the world has still to be made
	begin   time.Time // of a fresh world's past
	pending events    // what is still to happen
}

// holder is who charges with a card.
type holder struct {
	tenant   ocpi.Party
	uid      string
	contract string
	visits   int // a month
}

// demoFile remembers the partners of the demonstration in the data folder.
const demoFile = "demo.json"

// demoMemory is what demoFile holds.
type demoMemory struct {
	Finished bool
	CPO, Hub demoPeer
}

type demoPeer struct {
	Address      string
	Registration ocpitest.Registration
}

// startDemo decides what there is to demonstrate in a data folder and makes
// its partners reachable: those of a new world, where the folder has no
// utility yet, or those of an earlier one. Where people have begun to work
// there is nothing, and the demo is nil. If the world is new, the clock stands
// in the past from now on.
func startDemo(ctx context.Context, a *app, clock *clock, dir string, out io.Writer) (*demo, error) {
	d := &demo{app: a, clock: clock, path: filepath.Join(dir, demoFile), out: out}
	text, err := os.ReadFile(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		tenants, err := a.db.Tenants(ctx)
		if err != nil || len(tenants) > 0 {
			return nil, err
		}
		d.fresh = true
		if d.begin, err = demoBegin(clock.real()); err != nil {
			return nil, err
		}
		// The utilities and what the CPOs offer are older than the first charge.
		clock.set(d.begin.AddDate(0, -1, 0))
		d.build(demoMemory{}, demoSeed)
		return d, d.start()
	}
	if err != nil {
		return nil, err
	}
	var memory demoMemory
	if err := ocpi.Unmarshal(text, &memory); err != nil {
		return nil, fmt.Errorf("%s: %w", d.path, err)
	}
	if !memory.Finished {
		fmt.Fprintf(out, "the demonstration in %s was interrupted while it was made; delete the folder to make it again\n", dir)
		return nil, nil
	}
	d.build(memory, uint64(clock.real().UnixNano()))
	return d, d.start()
}

// demoBegin is when the demonstration's past begins: on the first of a month,
// so that two months before the current one are complete.
func demoBegin(now time.Time) (time.Time, error) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return time.Time{}, err
	}
	local := now.In(zone)
	return time.Date(local.Year(), local.Month()-2, 1, 6, 0, 0, 0, zone), nil
}

// demoSeed is what the demonstration's past follows from.
const demoSeed = 20260701

// build makes the partners, at the addresses of an earlier process if there
// was one.
func (d *demo) build(memory demoMemory, seed uint64) {
	options := func(p demoParty) ocpitest.Options {
		return ocpitest.Options{Name: p.name, Party: p.party, Now: d.clock.now, Seed: seed, Sites: p.sites, Log: d.log, SignedMeters: true}
	}
	direct := options(demoCPO)
	direct.Listen = memory.CPO.Address
	if memory.Finished {
		direct.Prices = raisedPrices()
	}
	d.cpo = ocpitest.NewCPO(direct)
	hub := options(demoHub)
	hub.Listen = memory.Hub.Address
	d.hub = ocpitest.NewHub(hub)
	d.cpos = []*ocpitest.CPO{d.cpo}
	for _, p := range demoCPOs {
		d.cpos = append(d.cpos, d.hub.AddCPO(options(p)))
	}
	d.cpo.Resume(memory.CPO.Registration)
	d.hub.Resume(memory.Hub.Registration)
	for _, u := range demoUtilities {
		for n, c := range u.customers {
			for k := range c.cards {
				d.holders = append(d.holders, cardOf(u, n, k))
			}
		}
	}
}

// start makes the partners reachable.
func (d *demo) start() error {
	if err := d.cpo.Start(); err != nil {
		return err
	}
	if err := d.hub.Start(); err != nil {
		return errors.Join(err, d.cpo.Close())
	}
	return nil
}

// run makes a new world, or goes on with an earlier one, until ctx ends.
func (d *demo) run(ctx context.Context) error {
	if d == nil {
		return nil
	}
	if d.fresh {
		if err := d.seed(ctx); err != nil {
			if ctx.Err() != nil { // asked to stop meanwhile
				return nil
			}
			return fmt.Errorf("demonstration: %w", err)
		}
	}
	d.introduce()
	return d.live(ctx)
}

// stop hangs up.
func (d *demo) stop() error {
	if d == nil {
		return nil
	}
	var err error
	if !d.fresh { // tokens may have been exchanged since it was made
		err = d.remember(true)
	}
	return errors.Join(err, d.cpo.Close(), d.hub.Close())
}

// remember writes down where the partners are and how they are registered.
func (d *demo) remember(finished bool) error {
	memory := demoMemory{Finished: finished}
	for peer, into := range map[*ocpitest.Peer]*demoPeer{d.cpo.Peer: &memory.CPO, d.hub.Peer: &memory.Hub} {
		into.Address = peer.Address()
		into.Registration, _ = peer.Registration()
	}
	text, err := ocpi.Marshal(memory)
	if err != nil {
		return err
	}
	return writeFile(d.path, text)
}

// seed makes the world and plays its past. Doors and workers run. The clock
// stands in the past meanwhile and runs again at the end.
func (d *demo) seed(ctx context.Context) error {
	defer d.clock.run()
	visits := d.plan(d.clock.real())
	p := newProgress(d.out, len(visits))
	defer p.end()
	p.enter("utilities and their staff")
	if err := d.remember(false); err != nil {
		return err
	}
	if err := d.addUtilities(ctx); err != nil {
		return err
	}
	p.enter("partners register over OCPI")
	if err := d.connect(ctx); err != nil {
		return err
	}
	if err := d.registerMeters(ctx); err != nil {
		return err
	}
	p.enter("customers, contracts and cards")
	if err := d.issueCards(ctx); err != nil {
		return err
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	if err := d.play(ctx, visits, p); err != nil {
		return err
	}
	d.fresh = false
	return d.remember(true)
}

// registerMeters does what is done when a charge point is put into operation: the operator tells the utilities the key of its meter.
func (d *demo) registerMeters(ctx context.Context) error {
	for _, tenant := range d.tenants {
		for _, cpo := range d.cpos {
			for evse, meter := range cpo.Meters() {
				_, err := d.ops().AddMeterKey(ctx, jobs.NewMeterKey{
					Tenant: tenant.ID, CPO: cpo.Party(), EVSE: string(evse), Meter: meter.Serial, Key: meter.PublicKey(),
					ValidFrom: d.begin.AddDate(-1, 0, 0), Source: "Inbetriebnahmeprotokoll des Betreibers",
				})
				if err != nil {
					return fmt.Errorf("register meter %s: %w", meter.Serial, err)
				}
			}
		}
	}
	return nil
}

func (d *demo) addUtilities(ctx context.Context) error {
	hash, err := office.HashPassword(demoPassword)
	if err != nil {
		return err
	}
	if err := d.addStaff(ctx, uuid.NullUUID{}, demoOperator, hash); err != nil {
		return err
	}
	for _, u := range demoUtilities {
		u.data.Logo, err = drawLogo(u.badge, u.shape)
		if err != nil {
			return fmt.Errorf("logo of %s: %w", u.name, err)
		}
		tenant, err := d.ops().AddTenant(ctx, jobs.NewTenant{
			Party: u.party, Name: u.name, Live: true, Data: u.data, Plan: []byte(u.standard), Colour: u.data.Colour,
		})
		if err != nil {
			return fmt.Errorf("add %s: %w", u.name, err)
		}
		d.tenants = append(d.tenants, tenant)
		for _, plan := range u.plans {
			if _, err := d.ops().AddPlan(ctx, tenant.ID, plan.name, []byte(plan.doc), time.Time{}); err != nil {
				return fmt.Errorf("add plan %s of %s: %w", plan.name, u.name, err)
			}
		}
		if err := d.addPrices(ctx, tenant, u); err != nil {
			return fmt.Errorf("prices of %s: %w", u.name, err)
		}
		if err := d.addStaff(ctx, uuid.NullUUID{UUID: tenant.ID, Valid: true}, u.clerk, hash); err != nil {
			return err
		}
	}
	return nil
}

// addPrices says who pays what where.
func (d *demo) addPrices(ctx context.Context, tenant db.Tenant, u demoUtility) error {
	for _, group := range u.groups {
		if _, err := d.ops().AddCustomerGroup(ctx, tenant.ID, group); err != nil {
			return err
		}
	}
	for _, party := range u.own {
		if err := d.ops().MarkOwn(ctx, tenant.ID, party, true); err != nil {
			return err
		}
	}
	if u.voucher != "" {
		voucher := jobs.NewVoucher{Tenant: tenant.ID, Code: u.voucher, Name: "Startguthaben", Amount: decimal.NewNullDecimal(decimal.NewFromInt(10)), From: d.begin}
		if _, err := d.ops().AddVoucher(ctx, voucher); err != nil {
			return err
		}
	}
	if u.book == "" {
		return nil
	}
	_, err := d.ops().SetPriceBook(ctx, tenant.ID, []byte(u.book), d.now())
	return err
}

func (d *demo) addStaff(ctx context.Context, tenant uuid.NullUUID, s demoStaff, hash string) error {
	err := d.db.InsertStaff(ctx, db.InsertStaffParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: tenant, Email: s.email, Name: s.name, PasswordHash: hash, Language: s.language, CreatedAt: d.now(),
	})
	if err != nil {
		return fmt.Errorf("add %s: %w", s.email, err)
	}
	return nil
}

// connect lets the CPO start one handshake and the platform the other, and
// the partners show what they have.
func (d *demo) connect(ctx context.Context) error {
	invitation, err := d.ops().InvitePartner(ctx, jobs.NewPartner{Name: demoCPO.name, Role: ocpi.RoleCPO, Party: demoCPO.party})
	if err != nil {
		return fmt.Errorf("invite %s: %w", demoCPO.name, err)
	}
	if err := d.cpo.Register(ctx, invitation.VersionsURL, invitation.Token); err != nil {
		return err
	}
	versionsURL, token := d.hub.Invite()
	if _, err := d.ops().RegisterPartner(ctx, jobs.Introduction{Name: demoHub.name, VersionsURL: versionsURL, Token: token}); err != nil {
		return fmt.Errorf("register with %s: %w", demoHub.name, err)
	}
	if err := d.hub.Announce(ctx); err != nil {
		return err
	}
	for _, cpo := range d.cpos {
		if err := cpo.Publish(ctx); err != nil {
			return fmt.Errorf("publish %s: %w", cpo.Name(), err)
		}
	}
	return nil
}

// issueCards adds the customers with their contracts and cards. Their fees begin with the first month that is billed.
func (d *demo) issueCards(ctx context.Context) error {
	d.clock.set(d.begin)
	for t, u := range demoUtilities {
		for n, c := range u.customers {
			for k := range c.cards {
				h := cardOf(u, n, k)
				card := jobs.NewCard{
					Tenant: d.tenants[t].ID, UID: h.uid, Contract: h.contract, Visual: fmt.Sprintf("%s %04d %02d", u.party.PartyID, n+1, k+1), Plan: c.plan,
					Customer: c.name, CustomerGroup: c.group, Email: c.email, MasterData: db.InsertCustomerParams{
						Kind: c.kind, Contact: c.contactNamed, Street: c.street, PostalCode: c.postalCode, City: c.city, Country: "DE",
						VATID: c.vatID, BuyerReference: c.leitwegID, Language: c.language,
					},
				}
				if c.iban != "" {
					card.Mandate = &jobs.NewMandate{Reference: fmt.Sprintf("%s-M%05d", u.party.PartyID, n+1), IBAN: c.iban, SignedOn: d.now()}
				}
				if _, err := d.ops().IssueCard(ctx, card); err != nil {
					return fmt.Errorf("issue card %s: %w", h.uid, err)
				}
			}
		}
		if u.voucher != "" {
			if err := d.ops().RedeemVoucher(ctx, d.tenants[t].ID, u.voucher, cardOf(u, 0, 0).contract); err != nil {
				return fmt.Errorf("redeem %s: %w", u.voucher, err)
			}
		}
	}
	return nil
}

// cardOf is the k-th card of the n-th customer of a utility.
func cardOf(u demoUtility, n, k int) holder {
	return holder{
		tenant: u.party, visits: u.customers[n].visits,
		uid:      fmt.Sprintf("04%02X%02X%02XA1B280", u.party.PartyID[0], n+1, k+1),
		contract: fmt.Sprintf("%s%sC%06d%02d", u.party.CountryCode, u.party.PartyID, n+1, k+1),
	}
}

// settle waits until nothing is due.
func (d *demo) settle(ctx context.Context) error {
	worker := d.worker()
	for deadline := time.Now().Add(time.Minute); ; {
		idle, err := d.idle(ctx)
		if err != nil || idle {
			return err
		}
		if time.Now().After(deadline) {
			return errors.New("the workers do not finish")
		}
		if err := worker.Sweep(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (d *demo) idle(ctx context.Context) (bool, error) {
	now := d.now()
	cdrs, err := d.db.CDRsDue(ctx, db.CDRsDueParams{Now: now, MaxRows: 1})
	if err != nil {
		return false, err
	}
	tokens, err := d.db.TokensDue(ctx, db.TokensDueParams{Now: now, MaxRows: 1})
	if err != nil {
		return false, err
	}
	invoices, err := d.db.InvoicesDue(ctx, db.InvoicesDueParams{Now: now, MaxRows: 1})
	if err != nil {
		return false, err
	}
	emails, err := d.db.EmailsDue(ctx, db.EmailsDueParams{Now: now, MaxRows: 1})
	if err != nil {
		return false, err
	}
	return len(cdrs)+len(tokens)+len(invoices)+len(emails) == 0, nil
}

// introduce says what there is to see and how to get in.
func (d *demo) introduce() {
	fmt.Fprintf(d.out, "\n  %s\n\n", d.cfg.BaseURL)
	logins := []demoStaff{demoOperator}
	for _, u := range demoUtilities {
		logins = append(logins, u.clerk)
	}
	where := func(n int) string {
		if n == 0 {
			return "operator, sees every utility"
		}
		return demoUtilities[n-1].name
	}
	for n, s := range logins {
		fmt.Fprintf(d.out, "  %-40s %s   %s\n", s.email, demoPassword, where(n))
	}
	fmt.Fprintln(d.out, "\n  These are demonstration logins, the same everywhere: never use this folder for real customers.")
}
