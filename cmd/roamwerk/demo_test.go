package main

import (
	"bytes"
	"context"
	"image/png"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jacoelho/banking/iban"

	"github.com/roamwerk/roamwerk/db/dbtest"
)

// startApp runs doors and workers on a database of their own.
func startApp(t *testing.T, clock *clock) *app {
	t.Helper()
	var doors http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { doors.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := open(t.Context(), config{
		DatabaseURL: dbtest.URL(t), RedisURL: dbtest.Redis(t), BaseURL: web.URL, PrivatePartners: true,
		SecretKey: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	a.now = clock.now
	doors = a.doors()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.worker().Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// from is a clock that begins to run at t.
func from(t time.Time) *clock {
	began := time.Now()
	return &clock{real: func() time.Time { return t.Add(time.Since(began)) }}
}

// The whole way with real partners: three months, two of them billed.
func TestDemo(t *testing.T) {
	clock, dir := from(time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)), t.TempDir()
	a := startApp(t, clock)
	var out bytes.Buffer
	d, err := startDemo(t.Context(), a, clock, dir, &out)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err = d.seed(t.Context())
	t.Logf("made in %s\n%s", time.Since(began), out.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range append(d.cpo.Complaints(), d.hub.Complaints()...) {
		t.Error("a partner complains:", complaint)
	}

	count := func(sql string) int {
		t.Helper()
		n, err := dbtest.Count(t.Context(), a.cfg.DatabaseURL, sql)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	sent := 0
	for _, cpo := range d.cpos {
		sent += len(cpo.CDRs())
		if got, want := len(cpo.Tokens()), len(d.holders); got != want {
			t.Errorf("%s knows %d cards of %d", cpo.Name(), got, want)
		}
	}
	// A CDR that was changed after the fact is refused and so counts once at both.
	if got := count("SELECT count(*) FROM cdrs"); got != sent || got < 200 {
		t.Errorf("%d CDRs are stored, %d were sent", got, sent)
	}
	customers := 0
	for _, u := range demoUtilities {
		customers += len(u.customers)
	}
	for what, sql := range map[string]string{
		"invoices that were not issued":              "SELECT count(*) FROM invoices WHERE state <> 'issued'",
		"invoices that are not dated the 3rd":        "SELECT count(*) FROM invoices WHERE extract(day FROM date) <> 3 OR date <= month",
		"invoices without PDF and XML":               "SELECT count(*) FROM invoices i WHERE 2 <> (SELECT count(*) FROM documents d WHERE d.invoice_id = i.id)",
		"invoices without an e-mail of their time":   "SELECT count(*) FROM invoices i WHERE NOT EXISTS (SELECT FROM emails e WHERE e.invoice_id = i.id AND e.created_at - i.issued_at < '1 hour')",
		"CDRs that came before their end":            "SELECT count(*) FROM cdr_states WHERE received_at < ended_at",
		"CDRs still to be rated":                     "SELECT count(*) FROM cdr_states WHERE state = 'received'",
		"keys of meters that are not known":          "SELECT count(*) FROM meter_proofs WHERE reason LIKE 'key%'",
		"rows of the future":                         "SELECT count(*) FROM cdrs WHERE received_at > '2026-11-23 12:00Z'",
		"CDRs of closed months that nobody has seen": "SELECT count(*) FROM cdr_states s JOIN invoices i ON i.month = date_trunc('month', s.received_at) AND i.customer_id = s.customer_id WHERE s.state = 'rated'",
	} {
		if n := count(sql); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	for what, sql := range map[string]string{
		"credited CDRs":                          "SELECT count(*) FROM cdr_states WHERE state = 'credited' AND credit_reference = ''",
		"credit CDRs":                            "SELECT count(*) FROM cdr_states WHERE state = 'credited' AND credit_reference <> ''",
		"CDRs held for implausible energy":       "SELECT count(*) FROM cdr_states WHERE state = 'held' AND kwh > 1000",
		"disputed prices":                        "SELECT count(*) FROM cdr_states WHERE cpo_state = 'questioned'",
		"CDRs of unknown cards":                  "SELECT count(*) FROM cdr_states WHERE state = 'waiting' AND reason = 'no-card'",
		"CDRs in the hole of the price book":     "SELECT count(*) FROM cdr_states WHERE state = 'waiting' AND reason = 'no-price'",
		"blocking fees":                          "SELECT count(*) FROM line_items WHERE dimension = 'BLOCKING'",
		"free kilowatt-hours":                    "SELECT count(*) FROM line_items WHERE dimension = 'ALLOWANCE'",
		"sessions that a voucher has paid":       "SELECT count(*) FROM line_items WHERE dimension = 'VOUCHER'",
		"base fees on invoices":                  "SELECT count(*) FROM line_items WHERE kind = 'fee' AND dimension = 'BASE' AND invoice_id IS NOT NULL",
		"cards that were paid for":               "SELECT count(*) FROM fees WHERE kind = 'CARD'",
		"sessions to try other prices on":        "SELECT count(*) FROM cdr_inputs",
		"late CDRs that are billed":              "SELECT count(*) FROM cdr_states WHERE state = 'invoiced' AND received_at - ended_at > '7 days'",
		"CDRs without a session":                 "SELECT count(*) FROM cdr_states WHERE session_id = ''",
		"second versions of a tariff":            "SELECT count(*) FROM tariffs WHERE version = 2",
		"sessions that are running":              "SELECT count(*) FROM sessions WHERE status = 'ACTIVE'",
		"CDRs of the current month":              "SELECT count(*) FROM cdr_states WHERE state = 'rated'",
		"CDRs whose energy is proven":            "SELECT count(*) FROM meter_proofs p JOIN ratings r ON r.id = p.rating_id WHERE p.reason = '' AND r.superseded_at IS NULL HAVING count(*) > 100",
		"CDRs whose meter record was changed":    "SELECT count(*) FROM meter_proofs WHERE reason = 'signature-mismatch'",
		"rated CDRs without signed meter data":   "SELECT count(*) FROM ratings r WHERE NOT EXISTS (SELECT FROM meter_proofs p WHERE p.rating_id = r.id)",
		"invoices of a public body (Leitweg-ID)": "SELECT count(*) FROM invoices i JOIN customers c ON c.id = i.customer_id WHERE c.kind = 'public'",
	} {
		if count(sql) == 0 {
			t.Errorf("there are no %s", what)
		}
	}
	if got := count("SELECT count(*) FROM invoices"); got != 2*customers {
		t.Errorf("%d invoices for %d customers in two months", got, customers)
	}
	d.introduce()
	if text := out.String(); !strings.Contains(text, demoOperator.email) || !strings.Contains(text, demoPassword) {
		t.Errorf("the logins are not shown:\n%s", text)
	}
	if err := d.stop(); err != nil {
		t.Fatal(err)
	}

	again, err := startDemo(t.Context(), a, clock, dir, &out)
	if err != nil || again == nil || again.fresh {
		t.Fatalf("a second start: %v, %v", again, err)
	}
	defer func() {
		if err := again.stop(); err != nil {
			t.Error(err)
		}
	}()
	if again.cpo.Address() != d.cpo.Address() {
		t.Errorf("the CPO moved from %s to %s", d.cpo.Address(), again.cpo.Address())
	}
	if err := again.cpo.Publish(t.Context()); err != nil {
		t.Errorf("the registration does not hold: %v", err)
	}
}

// Two months are closed and billed whatever the day, and none that still runs.
func TestBillingDay(t *testing.T) {
	for _, now := range []string{"2026-12-01T00:30:00+01:00", "2026-12-03T08:59:00+01:00", "2026-12-03T09:01:00+01:00", "2026-12-31T23:59:00+01:00", "2027-01-01T00:00:01+01:00"} {
		end, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		begin, err := demoBegin(end)
		if err != nil {
			t.Fatal(err)
		}
		billed := 0
		for month := firstOf(begin); ; month = month.AddDate(0, 1, 0) {
			at, closed := billingDay(month, end)
			if !closed {
				break
			}
			billed++
			if !at.Before(end) || at.Before(month.AddDate(0, 1, 0)) {
				t.Errorf("at %s %s is billed at %s", now, month.Format("2006-01"), at)
			}
		}
		if billed != 2 {
			t.Errorf("at %s %d months are billed", now, billed)
		}
	}
}

func TestClock(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	c := &clock{real: func() time.Time { return noon }}
	for _, step := range []struct{ set, want time.Time }{
		{noon.Add(-2 * time.Hour), noon.Add(-2 * time.Hour)},
		{noon.Add(-3 * time.Hour), noon.Add(-2 * time.Hour)}, // not back
		{noon.Add(-1 * time.Hour), noon.Add(-1 * time.Hour)},
		{noon.Add(time.Hour), noon}, // not into the future
	} {
		if c.set(step.set); !c.now().Equal(step.want) {
			t.Errorf("set to %s it shows %s", step.set, c.now())
		}
	}
	c.set(noon)
	if c.run(); !c.now().Equal(noon) {
		t.Errorf("it runs at %s", c.now())
	}
}

// Where people have begun to work there is nothing to demonstrate.
func TestDemoLeavesWorkAlone(t *testing.T) {
	clock := &clock{real: time.Now}
	a := startApp(t, clock)
	if err := dbtest.Exec(t.Context(), a.cfg.DatabaseURL, `INSERT INTO tenants (id, country_code, party_id, name, created_at)
		VALUES ('00000000-0000-0000-0000-000000000001', 'DE', 'SWX', 'Stadtwerke X', now())`); err != nil {
		t.Fatal(err)
	}
	d, err := startDemo(t.Context(), a, clock, t.TempDir(), &bytes.Buffer{})
	if d != nil || err != nil {
		t.Errorf("startDemo = %v, %v", d, err)
	}
	if skew := time.Since(clock.now()); skew > time.Minute {
		t.Errorf("the clock is %s behind", skew)
	}
}

// The invented numbers are well-formed.
func TestDemoNumbers(t *testing.T) {
	for _, u := range demoUtilities {
		ibans := []string{u.data.IBAN}
		vatIDs := []string{u.data.VATID}
		for _, c := range u.customers {
			if c.iban != "" {
				ibans = append(ibans, c.iban)
			}
			if c.vatID != "" {
				vatIDs = append(vatIDs, c.vatID)
			}
			if c.leitwegID != "" && mod97(strings.ReplaceAll(c.leitwegID, "-", "")) != 1 {
				t.Errorf("%s: Leitweg-ID %s", c.name, c.leitwegID)
			}
		}
		for _, number := range ibans {
			if err := iban.Validate(number); err != nil {
				t.Errorf("%s: IBAN %s: %v", u.name, number, err)
			}
		}
		for _, id := range vatIDs {
			if !validGermanVATID(id) {
				t.Errorf("%s: VAT id %s", u.name, id)
			}
		}
		// DE, check digits, business code, national part: the code does not count.
		if c := u.data.CreditorID; len(c) != 18 || mod97(c[7:]+c[:4]) != 1 {
			t.Errorf("%s: creditor id %s", u.name, c)
		}
		logo, err := drawLogo(u.badge, u.shape)
		if err != nil {
			t.Fatal(err)
		}
		if picture, err := png.Decode(bytes.NewReader(logo)); err != nil || picture.Bounds().Dx() != logoSize {
			t.Errorf("%s: logo: %v", u.name, err)
		}
	}
}

// mod97 is the remainder of ISO 7064 MOD 97-10, letters counting from 10.
func mod97(text string) int {
	n := 0
	for _, c := range strings.ToUpper(text) {
		if c >= 'A' {
			n = (n*100 + int(c-'A') + 10) % 97
		} else {
			n = (n*10 + int(c-'0')) % 97
		}
	}
	return n
}

// validGermanVATID checks the last digit (ISO 7064 MOD 11,10).
func validGermanVATID(id string) bool {
	if len(id) != 11 || id[:2] != "DE" {
		return false
	}
	product := 10
	for _, c := range id[2:10] {
		sum := (int(c-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = 2 * sum % 11
	}
	return int(id[10]-'0') == (11-product)%10
}
