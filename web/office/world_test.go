package office_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/dbtest"
	"github.com/roamwerk/roamwerk/db/seal"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	partnerclient "github.com/roamwerk/roamwerk/ocpi/client"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
	"github.com/roamwerk/roamwerk/web/office"
	"github.com/roamwerk/roamwerk/web/ui/uitest"
)

// world is a platform with two utilities whose back office is open. Everything in it was made by the platform's own work:
// CDRs are rated and invoices rendered by a worker.
type world struct {
	*testing.T
	ops   *jobs.Ops
	dbURL string
	url   string
	now   time.Time     // when the world begins
	skip  *atomic.Int64 // nanoseconds that were skipped since
	count int           // of CDRs
	ours  utility
	other utility
	cpo   db.Partner
	hub   db.Partner
}

// utility is one tenant of the world with one of each thing that a page can show.
type utility struct {
	db.Tenant
	staff    string // e-mail address
	second   string // of somebody else who works there
	rated    uuid.UUID
	proven   uuid.UUID // by its meter
	forged   uuid.UUID // its meter record was changed
	ratedID  string    // as its CPO calls it
	card     uuid.UUID
	message  uuid.UUID // of the log
	held     uuid.UUID
	waiting  uuid.UUID
	fleet    uuid.UUID // of a customer who cannot be billed; in a dispute
	disputed uuid.UUID
	credited uuid.UUID
	customer uuid.UUID // with everything
	nameless uuid.UUID // without an address
	issued   uuid.UUID // invoices
	draft    uuid.UUID
	failed   uuid.UUID
	run      uuid.UUID
	email    uuid.UUID
	view     uuid.UUID // of a list
	dispute  uuid.UUID
	plan     uuid.UUID // retail tariff

	book, draftBook, backtest, group, voucher uuid.UUID

	bulk uuid.UUID // preview of a decision about many CDRs
}

const (
	password = "Lindenblüten & Strom 7"
	operator = "operator@roamwerk.example"
)

var silent = slog.New(slog.DiscardHandler)

func TestMain(m *testing.M) { os.Exit(uitest.Run(m)) }

// in is the world of a subtest.
func (w *world) in(t *testing.T) *world {
	sub := *w
	sub.T = t
	return &sub
}

// TestFilledPlatform looks at a platform with two months of traffic. Its parts leave the world as it is, but for the last
// three, which send a document again, move the clock and write messages.
func TestFilledPlatform(t *testing.T) {
	t.Parallel()
	w := build(t, 64)
	for _, part := range []struct {
		name string
		run  func(*world)
	}{
		{"every page", everyPage}, {"operator", operatorsPages}, {"isolation", isolation}, {"details", details}, {"console", console},
		{"paging", paging}, {"filters", filters}, {"grouping", grouping}, {"views", views}, {"fragments", fragments}, {"plan editing", planEditing}, {"filling holes", fillingHoles}, {"export", export}, {"columns", columns}, {"keyboard", keyboard},
		{"outbox", outbox}, {"wizard", wizard}, {"blocking", blocking},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(w.in(t)) })
	}
}

// open opens an empty back office with its operator.
func open(t *testing.T) *world {
	t.Helper()
	box, err := seal.New(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	redis, err := asynq.ParseRedisURI(dbtest.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	bell := jobs.NewBell(redis, silent)
	t.Cleanup(func() { _ = bell.Close() })
	w := &world{T: t, dbURL: dbtest.URL(t), now: time.Date(2026, 11, 20, 13, 0, 0, 0, time.UTC), skip: new(atomic.Int64)}
	database, err := db.Open(t.Context(), w.dbURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Close)
	clock := func() time.Time { return w.now.Add(time.Duration(w.skip.Load())) }
	w.ops = &jobs.Ops{DB: database, Box: box, Bell: bell, Now: clock, Log: silent, BaseURL: "https://roamwerk.example", Client: partnerclient.New(partnerclient.Options{AllowPrivate: true})}
	worker := jobs.Worker{DB: w.ops.DB, Box: box, Bell: bell, Redis: redis, Now: clock, Log: silent, Client: w.ops.Client, SweepEvery: 50 * time.Millisecond}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- worker.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})

	server := httptest.NewServer(office.New(office.Options{Ops: w.ops, Receive: takeUnlessRefused}))
	t.Cleanup(server.Close)
	w.url = server.URL
	w.hire(uuid.NullUUID{}, operator, "Olga Operator")
	return w
}

// check ends the test on an error.
func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// build fills the world: our utility with the charging sessions of seven weeks, another one with three.
func build(t *testing.T, sessions int) *world {
	t.Helper()
	w := open(t)
	w.cpo = w.partner("Ladenetz Nord GmbH", "CPO", "LNN")
	w.hub = w.partner("Roaming-Drehscheibe Süd", "HUB", "RDS")
	w.ours = w.utility("SWI", "Stadtwerke Isenhagen GmbH", "clerk@sw-isenhagen.example")
	w.other = w.utility("SWL", "Stadtwerke Lindenau GmbH", "clerk@sw-lindenau.example")
	w.fill(&w.ours, sessions)
	w.fill(&w.other, 3)
	w.fillPrices(&w.ours)
	w.fillPrices(&w.other)
	w.fillConsole(&w.ours)
	w.fillReview(&w.ours)
	w.fillReview(&w.other)
	w.fillConsole(&w.other)
	return w
}

func (w *world) hire(tenant uuid.NullUUID, email, name string) {
	w.Helper()
	hash, err := office.HashPassword(password)
	w.check(err)
	w.check(w.ops.DB.InsertStaff(w.Context(), db.InsertStaffParams{ID: uuid.New(), TenantID: tenant, Email: email, Name: name, PasswordHash: hash, Language: "de", CreatedAt: w.now}))
}

func (w *world) partner(name, role, party string) db.Partner {
	w.Helper()
	ctx := w.Context()
	p, err := w.ops.DB.EnsurePartner(ctx, db.EnsurePartnerParams{ID: uuid.New(), Name: name, Role: role, CountryCode: "DE", PartyID: party, CreatedAt: w.now})
	w.check(err)
	base := "http://127.0.0.1:1/ocpi" // nobody is there: deliveries to the hub stay open
	if role == "CPO" {
		base = acceptor(w.T) + "/ocpi"
	}
	endpoints, err := ocpi.Marshal([]ocpi.Endpoint{
		{Identifier: "credentials", Role: "RECEIVER", URL: base + "/2.2.1/credentials"}, {Identifier: "tokens", Role: "RECEIVER", URL: base + "/2.2.1/tokens"},
		{Identifier: "cdrs", Role: "SENDER", URL: base + "/2.2.1/cdrs"},
	})
	w.check(err)
	w.check(w.ops.DB.RegisterPartner(ctx, db.RegisterPartnerParams{
		ID: p.ID, Role: role, CountryCode: "DE", PartyID: party, VersionsURL: base + "/versions", Version: "2.2.1", Endpoints: endpoints,
		AuthEncoding: "base64", TokenSealed: w.ops.Box.Seal("partner/"+p.ID.String(), "token"), Now: w.now.AddDate(0, -3, 0),
	}))
	w.check(w.ops.DB.SaveCredentialsParty(ctx, db.SaveCredentialsPartyParams{PartnerID: p.ID, Role: role, CountryCode: "DE", PartyID: party, Name: name, Now: w.now.AddDate(0, -3, 0)}))
	w.check(w.ops.DB.PartnerReceived(ctx, db.PartnerReceivedParams{ID: p.ID, Now: w.now, Before: w.now}))
	return p
}

// acceptor is a partner that takes everything.
func acceptor(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, `{"status_code":1000,"timestamp":"2026-11-20T13:00:00Z"}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func (w *world) utility(party, name, staff string) utility {
	w.Helper()
	tenant, err := w.ops.AddTenant(w.Context(), jobs.NewTenant{
		Party: ocpi.Party{CountryCode: "DE", PartyID: ocpi.CiString(party)}, Name: name, Live: true,
		Data: db.InsertTenantParams{
			Street: "Werkstraße 1", PostalCode: "29386", City: "Isenhagen", Country: "DE", VATID: "DE123456789", Register: "Amtsgericht Musterstadt, HRB 1234",
			ContactName: "Kundenservice", ContactPhone: "+49 5832 9700", ContactEmail: "laden@example.org", IBAN: "DE02120300000000202051", BIC: "BYLADEM1001", CreditorID: "DE98ZZZ09999999999",
			LegalFooter: "Geschäftsführerin: Karin Muster",
		},
	})
	w.check(err)
	w.hire(uuid.NullUUID{UUID: tenant.ID, Valid: true}, staff, "Klara Clerk")
	for _, partner := range []uuid.UUID{w.cpo.ID, w.hub.ID} {
		if partner != uuid.Nil {
			w.check(w.ops.DB.PartnerKnowsTenants(w.Context(), db.PartnerKnowsTenantsParams{PartnerID: partner, Parties: []string{"DE" + party}}))
		}
	}
	second := "zweit-" + staff
	w.hire(uuid.NullUUID{UUID: tenant.ID, Valid: true}, second, "Sven Sorgfalt")
	return utility{Tenant: tenant, staff: staff, second: second}
}

// fill gives a utility customers, charging sessions of last and this month with the oddities of life, and invoices.
func (w *world) fill(u *utility, sessions int) {
	w.Helper()
	ctx := w.Context()
	names := []string{"Bäckerei Öztürk GmbH", "Jens Schröder", "Thi Lan Nguyen", "Wohnbau Süd eG"}
	for i, name := range names {
		issued, err := w.ops.IssueCard(ctx, jobs.NewCard{
			Tenant: u.ID, UID: card(u, i), Contract: fmt.Sprintf("DE-%s-C%08d-%d", u.PartyID, 42187+i, i), Visual: fmt.Sprintf("DE-%s-C%08d", u.PartyID, 42187+i), Customer: name, Email: fmt.Sprintf("kunde%d@example.org", i),
			MasterData: db.InsertCustomerParams{Kind: "private", Street: "Ahornweg 7", PostalCode: "29386", City: "Isenhagen", Country: "DE", Language: "de"},
		})
		w.check(err)
		u.card, u.customer = issued.TokenID, issued.CustomerID
	}
	lacking, err := w.ops.IssueCard(ctx, jobs.NewCard{Tenant: u.ID, UID: card(u, 4), Contract: "DE-" + u.PartyID + "-C00099999-1", Customer: "Fuhrpark ohne Anschrift", Email: "fuhrpark@example.org"})
	w.check(err)
	u.nameless = lacking.CustomerID
	begin := w.now.AddDate(0, 0, -48)
	meter := ocpitest.NewMeter("M-" + u.PartyID)
	_, err = w.ops.AddMeterKey(jobs.WithActor(ctx, "Klara Clerk"), jobs.NewMeterKey{
		Tenant: u.ID, CPO: ocpi.Party{CountryCode: "DE", PartyID: "LNN"}, Meter: meter.Serial, Key: meter.PublicKey(), ValidFrom: begin, Source: "Typenschild, Foto",
	})
	w.check(err)
	for i := range sessions {
		start := begin.Add(time.Duration(i) * 48 * 24 * time.Hour / time.Duration(sessions))
		u.ratedID = fmt.Sprintf("CDR-%s-%06d", u.PartyID, 904001+w.count)
		s := session{card: card(u, i%4), start: start, minutes: 20 + i*37%240, kwh: fmt.Sprintf("%d.%03d", 4+i*7%55, i*131%1000)}
		if i >= sessions-3 && i < sessions-1 { // but the last one
			s.meter, s.forged = meter, i == sessions-3
		}
		u.rated = w.cdr(u, s)
		if s.forged {
			u.forged = u.rated
		} else if s.meter != nil {
			u.proven = u.rated
		}
	}
	u.fleet = w.cdr(u, session{card: card(u, 4), start: begin, minutes: 45, kwh: "11.5"})
	u.held = w.cdr(u, session{card: card(u, 0), start: w.now.Add(-30 * time.Hour), minutes: 10, kwh: "88"})
	u.waiting = w.cdr(u, session{card: "UNKNOWN" + u.PartyID, contract: "C99999999", start: w.now.Add(-29 * time.Hour), minutes: 60, kwh: "21.25"})
	u.disputed = w.cdr(u, session{card: card(u, 1), start: w.now.Add(-28 * time.Hour), minutes: 60, kwh: "20", extra: "0.25"})
	u.credited = w.cdr(u, session{card: card(u, 2), start: w.now.Add(-27 * time.Hour), minutes: 60, kwh: "20"})
	w.settle()
	w.cdr(u, session{card: card(u, 2), start: w.now.Add(-27 * time.Hour), minutes: 60, kwh: "20", credits: u.credited})
	w.settle()

	october := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	run, err := w.ops.RunInvoices(ctx, u.ID, october, true)
	w.check(err)
	if run.Issued == 0 || run.Failed == 0 {
		w.Fatalf("October: %+v, want invoices and failures", run)
	}
	run, err = w.ops.RunInvoices(ctx, u.ID, october.AddDate(0, 1, 0), false)
	w.check(err)
	u.run = run.ID
	w.settle()
	rows, err := w.ops.DB.InvoiceList(ctx, db.InvoiceListParams{TenantID: uuid.NullUUID{UUID: u.ID, Valid: true}, Sort: "date", Direction: 1, MaxRows: 100})
	w.check(err)
	for _, r := range rows {
		switch r.State {
		case "issued":
			u.issued = r.ID
		case "draft":
			u.draft = r.ID
		case "failed":
			u.failed = r.ID
		}
	}
	email, err := w.ops.DB.InvoiceCopy(ctx, uuid.NullUUID{UUID: u.issued, Valid: true})
	w.check(err)
	u.email = email.ID
}

func card(u *utility, i int) string { return fmt.Sprintf("04%s%06X", u.PartyID, 0xA1B2C0+i) }

// session is what a test says of a CDR.
type session struct {
	card     string
	contract string
	start    time.Time
	minutes  int
	kwh      string
	extra    string          // what the CPO claims too much, in euros
	credits  uuid.UUID       // the CDR that this one takes back
	meter    *ocpitest.Meter // that signs
	forged   bool            // what the meter signed was changed
}

// cdr delivers a CDR, as the door does.
func (w *world) cdr(u *utility, s session) uuid.UUID {
	w.Helper()
	ctx := w.Context()
	w.count++
	id := fmt.Sprintf("CDR-%s-%06d", u.PartyID, 904000+w.count)
	number := func(text string) decimal.NullDecimal { return decimal.NewNullDecimal(decimal.RequireFromString(text)) }
	kwh, price := number(s.kwh), number("0.39")
	net := decimal.NewNullDecimal(kwh.Decimal.Mul(price.Decimal).Add(decimal.RequireFromString("0.35")).Round(4))
	total := net
	if s.extra != "" {
		total.Decimal = net.Decimal.Add(number(s.extra).Decimal)
	}
	end := s.start.Add(time.Duration(s.minutes) * time.Minute)
	step := 1
	at := w.count % 3
	c := ocpi.CDR{
		CountryCode: "DE", PartyID: "LNN", ID: ocpi.CiString(id), StartDateTime: s.start, EndDateTime: end, SessionID: ocpi.CiString("S-" + id), LastUpdated: end,
		CDRToken:   ocpi.CDRToken{CountryCode: "DE", PartyID: ocpi.CiString(u.PartyID), UID: ocpi.CiString(s.card), Type: "RFID", ContractID: "DE-" + ocpi.CiString(u.PartyID) + "-" + ocpi.CiString(cmp.Or(s.contract, "C00042187"))},
		AuthMethod: "WHITELIST", Currency: "EUR", TotalCost: ocpi.Price{ExclVAT: total}, TotalEnergy: kwh,
		TotalTime:       decimal.NewNullDecimal(decimal.NewFromInt(int64(s.minutes)).DivRound(decimal.NewFromInt(60), 4)),
		TotalEnergyCost: &ocpi.Price{ExclVAT: decimal.NewNullDecimal(kwh.Decimal.Mul(price.Decimal))},
		CDRLocation: ocpi.CDRLocation{
			ID: "LOC1", Name: []string{"Marktplatz", "Parkhaus am Bahnhof", "Klinikum Siloah, Besucherparkplatz"}[at], Address: "Hauptstraße 1", City: "Isenhagen", PostalCode: "29386", Country: "DEU",
			Coordinates: ocpi.GeoLocation{Latitude: "52.73", Longitude: "10.74"}, EVSEUID: "E1", EVSEID: ocpi.CiString(fmt.Sprintf("DE*LNN*E%05d*%d", 64000+at*117, at+1)), ConnectorID: "1",
			ConnectorStandard: "IEC_62196_T2_COMBO", ConnectorFormat: "CABLE", ConnectorPowerType: "DC",
		},
		Tariffs: []ocpi.Tariff{{CountryCode: "DE", PartyID: "LNN", ID: "DC-2026", Currency: "EUR", LastUpdated: w.now.AddDate(0, -3, 0), Elements: []ocpi.TariffElement{
			{PriceComponents: []ocpi.PriceComponent{{Type: "FLAT", Price: number("0.35"), VAT: number("19"), StepSize: &step}, {Type: "ENERGY", Price: price, VAT: number("19"), StepSize: &step}}},
		}}},
		ChargingPeriods: []ocpi.ChargingPeriod{{StartDateTime: s.start, TariffID: "DC-2026", Dimensions: []ocpi.CDRDimension{
			{Type: "ENERGY", Volume: kwh}, {Type: "TIME", Volume: decimal.NewNullDecimal(decimal.NewFromInt(int64(s.minutes)).DivRound(decimal.NewFromInt(60), 4))},
		}}},
	}
	if s.credits != uuid.Nil {
		original, err := w.ops.DB.CDRDetail(ctx, db.CDRDetailParams{CDRID: s.credits})
		w.check(err)
		c.Credit, c.CreditReferenceID, c.TotalCost.ExclVAT = true, ocpi.CiString(original.CDRState.OCPIID), decimal.NewNullDecimal(total.Decimal.Neg())
	}
	if s.meter != nil {
		record := s.meter.Sign(ocpitest.Measured{Page: s.start.Unix() / 60, User: s.card, EVSE: string(c.CDRLocation.EVSEID), Start: s.start, End: end, Wh: 1_000_500, Charged: kwh.Decimal.Shift(3).IntPart()})
		if s.forged {
			record = strings.Replace(record, "1000.500", "1000.400", 1)
		}
		c.SignedData = s.meter.SignedData(record)
	}
	raw, err := ocpi.Marshal(c)
	w.check(err)
	sum := sha256.Sum256(raw)
	partner := w.cpo
	if w.count%4 == 0 {
		partner = w.hub
	}
	key := uuid.Must(uuid.NewV7())
	inserted, err := w.ops.DB.InsertCDR(ctx, db.InsertCDRParams{
		Version: "2.2.1", ID: key, ReceivedAt: end.Add(5 * time.Minute), PartnerID: partner.ID, TenantID: u.ID, Raw: raw, SHA256: sum[:], CountryCode: "DE", PartyID: "LNN", OCPIID: id,
		SessionID: string(c.SessionID), CreditReference: string(c.CreditReferenceID), StartedAt: s.start, EndedAt: end, KWh: kwh.Decimal, Currency: "EUR",
		Claimed: c.TotalCost.ExclVAT.Decimal, TokenUID: s.card, Operator: "Ladenetz Nord", Place: c.CDRLocation.Name, EVSEID: string(c.CDRLocation.EVSEID),
	})
	w.check(err)
	if inserted != 1 {
		w.Fatalf("%s was there already", id)
	}
	return key
}

// settle waits until the worker has nothing more to do.
func (w *world) settle() {
	w.Helper()
	ctx := w.Context()
	for range 1500 {
		cdrs, err := w.ops.DB.CDRsDue(ctx, db.CDRsDueParams{Now: w.ops.Now(), MaxRows: 1})
		w.check(err)
		invoices, err := w.ops.DB.InvoicesDue(ctx, db.InvoicesDueParams{Now: w.ops.Now(), MaxRows: 1})
		w.check(err)
		collecting := 0
		for _, u := range []utility{w.ours, w.other} {
			runs, err := w.ops.DB.Runs(ctx, db.RunsParams{TenantID: u.ID, MaxRows: 3})
			w.check(err)
			for _, r := range runs {
				if r.State == "running" {
					collecting++
				}
			}
		}
		emails, err := w.ops.DB.EmailsDue(ctx, db.EmailsDueParams{Now: w.ops.Now(), MaxRows: 1})
		w.check(err)
		tariffs, err := w.ops.DB.PartnersWithTariffsToLint(ctx, db.PartnersWithTariffsToLintParams{Now: w.ops.Now(), MaxRows: 1})
		w.check(err)
		files, err := w.ops.DB.FileDropsDue(ctx, db.FileDropsDueParams{Now: w.now, MaxRows: 1})
		w.check(err)
		if len(cdrs)+len(invoices)+collecting+len(emails)+len(tariffs)+len(files) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.Fatal("the worker is not done after 30 seconds")
}

// client is a browser without script.
type client struct {
	*world
	http *http.Client
}

// anonymous is somebody who is not signed in. Redirects are not followed.
func (w *world) anonymous() *client {
	w.Helper()
	jar, err := cookiejar.New(nil)
	w.check(err)
	return &client{w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signIn signs a member of staff in.
func (w *world) signIn(email string) *client {
	w.Helper()
	c := w.anonymous()
	res := c.post("/de/signin", url.Values{"email": {email}, "password": {password}})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/de/overview" {
		w.Fatalf("sign-in of %s: %s to %q", email, res.Status, res.Header.Get("Location"))
	}
	return c
}

// response is an answer with its body read.
type response struct {
	*http.Response
	body string
}

func (c *client) get(path string, headers ...string) response {
	c.Helper()
	return c.do(http.MethodGet, path, nil, headers...)
}

func (c *client) post(path string, form url.Values, headers ...string) response {
	c.Helper()
	return c.do(http.MethodPost, path, form, headers...)
}

// do asks; headers are names and values in turn.
func (c *client) do(method, path string, form url.Values, headers ...string) response {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, c.url+path, strings.NewReader(form.Encode()))
	c.check(err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", c.url)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(req)
	c.check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	c.check(err)
	return response{res, string(body)}
}

func (c *client) cookies() []*http.Cookie {
	site, err := url.Parse(c.url)
	c.check(err)
	return c.http.Jar.Cookies(site)
}
