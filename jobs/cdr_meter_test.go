package jobs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing/meter"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/ocpitest"
)

// signedCDR is a CDR of 20 kWh with a record of the meter, or with a text in its place.
func signedCDR(id string, start time.Time, m *ocpitest.Meter, wh int64, change func(record string) string) []byte {
	record := m.Sign(ocpitest.Measured{Page: start.Unix() / 60, User: "04A2B3C4D5E680", EVSE: "DE*NSL*E1", Start: start, End: start.Add(time.Hour), Wh: 1_000_000, Charged: wh})
	if change != nil {
		record = change(record)
	}
	data, err := ocpi.Marshal(m.SignedData(record))
	if err != nil {
		panic(err)
	}
	raw := cdr{id: id, start: start, kwh: "20"}.json()
	return bytes.Replace(raw, []byte(`"currency": "EUR",`), slices.Concat([]byte(`"currency": "EUR", "signed_data": `), data, []byte(",")), 1)
}

func (w *world) addMeterKey(m *ocpitest.Meter, evse string) db.MeterKey {
	w.t.Helper()
	key, err := w.ops.AddMeterKey(jobs.WithActor(w.ctx, "clerk"), jobs.NewMeterKey{
		Tenant: w.tenant.ID, CPO: ocpi.Party{CountryCode: "DE", PartyID: "NSL"}, EVSE: evse, Meter: m.Serial, Key: m.PublicKey(),
		ValidFrom: day(1), Source: "label, photograph of 2026-09-30",
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

// proofOf is the current proof of a CDR, with its records.
func (w *world) proofOf(id uuid.UUID) (db.MeterProof, []db.MeterRecordsRow) {
	w.t.Helper()
	rating, err := w.db.CurrentRating(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	proof, err := w.db.MeterProof(w.ctx, rating.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	records, err := w.db.MeterRecords(w.ctx, rating.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return proof, records
}

func TestMeterProofIsKept(t *testing.T) { // CDR-23
	w := newWorld(t)
	m := ocpitest.NewMeter("M1")
	key := w.addMeterKey(m, "de*nsl*e1")
	good := w.receiveJSON(signedCDR("C1", day(5), m, 20_000, nil))
	bad := w.receiveJSON(signedCDR("C2", day(6), m, 20_000, func(r string) string { return strings.Replace(r, "1020.000", "1021.000", 1) }))
	none := w.receive(cdr{id: "C3", start: day(7), kwh: "20"})
	text := w.receiveJSON(signedCDR("C4", day(8), m, 0, func(string) string { return "22 kWh\x00" })) // partner-quirks.md
	more := w.receiveJSON(signedCDR("C5", day(9), m, 21_000, nil))
	w.work()

	for _, c := range []struct {
		id     uuid.UUID
		reason meter.Reason
		flags  []string
	}{{good, "", []string{}}, {bad, meter.SignatureMismatch, []string{"P31"}}, {text, meter.NotSignedData, []string{"P31"}}, {more, "", []string{"P31"}}} {
		proof, _ := w.proofOf(c.id)
		if state := w.state(c.id); state.State != "rated" || !slices.Equal(state.Flags, c.flags) || proof.Reason != string(c.reason) {
			t.Errorf("%s: state %s, flags %v, reason %q; want flags %v, reason %q", state.OCPIID, state.State, state.Flags, proof.Reason, c.flags, c.reason)
		}
	}
	rating, err := w.db.CurrentRating(w.ctx, none)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.MeterProof(w.ctx, rating.ID); !errors.Is(err, db.ErrNotFound) || len(w.state(none).Flags) != 0 {
		t.Errorf("a CDR without signed data: %v, flags %v", err, w.state(none).Flags)
	}

	proof, records := w.proofOf(good)
	if proof.Verifier != meter.Version || proof.Meter != "M1" || proof.KWh.Decimal.String() != "20" || proof.BeginKWh.Decimal.String() != "1000" || !proof.BeganAt.Equal(day(5)) {
		t.Errorf("proof: %+v", proof)
	}
	if len(records) != 1 || records[0].Fingerprint != key.Fingerprint || records[0].Source != key.Source || records[0].MeterRecord.Format != "OCMF" || records[0].MeterRecord.Pagination == "" {
		t.Fatalf("records: %+v", records)
	}
	if _, kept := w.proofOf(text); len(kept) != 1 || len(kept[0].MeterRecord.Raw) == 0 || kept[0].MeterRecord.SHA256 != nil {
		t.Errorf("a text that is no record is not kept as it came: %+v", kept)
	}

	// What the customer gets is what the meter signed, with the key that was registered.
	file, err := jobs.MeterFile(records)
	if err != nil {
		t.Fatal(err)
	}
	groups, fault := meter.ReadFile(file)
	if fault != nil {
		t.Fatal(fault)
	}
	if s := meter.Judge(groups[0], meter.Facts{AsSent: true}); !s.OK() || s.Energy.Decimal.String() != "20" || s.Records[0].By.Fingerprint() != key.Fingerprint {
		t.Errorf("%v\n%s", s.Faults, file)
	}

	// A later rating has a proof of its own, and the first one stays. The measurement still belongs to this CDR.
	w.rateAgain(good)
	again, _ := w.proofOf(good)
	if again.RatingID == proof.RatingID || again.Reason != "" {
		t.Errorf("after a second rating: %+v", again)
	}
	if first, err := w.db.MeterProof(w.ctx, proof.RatingID); err != nil || first.JudgedAt != proof.JudgedAt {
		t.Errorf("the first proof is gone: %v", err)
	}
}

// rateAgain makes a rated CDR due once more.
func (w *world) rateAgain(id uuid.UUID) {
	w.t.Helper()
	if err := w.db.PostponeCDR(w.ctx, db.PostponeCDRParams{CDRID: id, DueAt: ptr(w.clock.Now()), Now: w.clock.Now()}); err != nil {
		w.t.Fatal(err)
	}
	w.work()
}

func ptr[T any](v T) *T { return &v }

// A CDR that is held for its meter data is looked at again as soon as the key is registered, and billed then.
func TestMeterPolicyHolds(t *testing.T) {
	w := newWorld(t)
	if err := w.ops.SetMeterPolicy(w.ctx, w.tenant.ID, "hold", true); err != nil {
		t.Fatal(err)
	}
	m := ocpitest.NewMeter("M1")
	signed := w.receiveJSON(signedCDR("C1", day(5), m, 20_000, nil))
	unsigned := w.receive(cdr{id: "C2", start: day(6), kwh: "20"})
	w.work()
	for _, id := range []uuid.UUID{signed, unsigned} {
		if state := w.state(id); state.State != "held" || !slices.Contains(state.Flags, "P31") {
			t.Errorf("%s: %s, flags %v", state.OCPIID, state.State, state.Flags)
		}
	}
	if proof, _ := w.proofOf(signed); proof.Reason != string(meter.KeyUnknown) {
		t.Errorf("reason %q", proof.Reason)
	}

	w.addMeterKey(m, "DE*NSL*E1")
	w.work()
	if state := w.state(signed); state.State != "rated" || len(state.Flags) != 0 {
		t.Errorf("with the key: %s, %s, flags %v", state.State, state.Reason, state.Flags)
	}
	w.assertBooked(signed, "9.92", "11.8")
	if state := w.state(unsigned); state.State != "held" {
		t.Errorf("without signed data: %s", state.State)
	}

	// Without the requirement only a bad proof holds; ignored, nothing does.
	for n, policy := range []string{"hold", "flag", "ignore"} {
		if err := w.ops.SetMeterPolicy(w.ctx, w.tenant.ID, policy, false); err != nil {
			t.Fatal(err)
		}
		id := w.receive(cdr{id: "N-" + policy, start: day(7 + 2*n), kwh: "20"})
		forged := w.receiveJSON(signedCDR("F-"+policy, day(8+2*n), m, 20_000, func(r string) string { return strings.Replace(r, "1020.000", "1021.000", 1) }))
		w.work()
		if state := w.state(id); state.State != "rated" || len(state.Flags) != 0 {
			t.Errorf("%s, no data: %s, flags %v", policy, state.State, state.Flags)
		}
		state := w.state(forged)
		if held := state.State == "held"; held != (policy == "hold") {
			t.Errorf("%s, forged: %s", policy, state.State)
		}
		if flagged := slices.Contains(state.Flags, "P31"); flagged != (policy != "ignore") {
			t.Errorf("%s, forged: flags %v", policy, state.Flags)
		}
	}
	if err := w.ops.SetMeterPolicy(w.ctx, w.tenant.ID, "sometimes", false); err == nil {
		t.Error("an unknown policy is taken")
	}
}

// A measurement is billed once, however its record is written; a CDR that was credited gives it free for its replacement.
func TestMeasurementIsBilledOnce(t *testing.T) {
	w := newWorld(t)
	m := ocpitest.NewMeter("M1")
	w.addMeterKey(m, "")
	first := w.receiveJSON(signedCDR("C1", day(5), m, 20_000, nil))
	w.work()
	copied := bytes.Replace(signedCDR("C2", day(5), m, 20_000, func(r string) string { return "\n" + r + " " }), []byte(`"total_time": 1`), []byte(`"total_time": 1.0`), 1)
	second := w.receiveJSON(copied)
	w.work()
	if proof, _ := w.proofOf(first); proof.Reason != "" {
		t.Errorf("first: %q", proof.Reason)
	}
	if proof, _ := w.proofOf(second); proof.Reason != string(meter.AlreadyBilled) || !slices.Contains(w.state(second).Flags, "P31") {
		t.Errorf("second: %q, flags %v", proof.Reason, w.state(second).Flags)
	}
	w.receive(cdr{id: "C1-CREDIT", start: day(5), kwh: "20", cost: "-9.00", credit: "C1"})
	w.work()
	if state := w.state(first); state.State != "credited" {
		t.Fatalf("first is %s, %s", state.State, state.Reason)
	}
	w.rateAgain(second)
	if proof, _ := w.proofOf(second); proof.Reason != "" {
		t.Errorf("second, after the credit of the first: %q", proof.Reason)
	}
}

// Whoever copies a record without being able to sign cannot keep the meter's own CDR from being proven.
func TestCopiedRecordGivesWay(t *testing.T) {
	w := newWorld(t)
	m := ocpitest.NewMeter("M1")
	w.addMeterKey(m, "DE*NSL*E1")
	forged := w.receiveJSON(signedCDR("C1", day(5), m, 20_000, func(r string) string { return r[:len(r)-6] + `0000"}` }))
	w.work()
	real := w.receiveJSON(signedCDR("C2", day(5), m, 20_000, nil))
	w.work()
	if proof, _ := w.proofOf(real); proof.Reason != "" {
		t.Errorf("the meter's own: %q %s", proof.Reason, proof.Faults)
	}
	w.rateAgain(forged)
	if proof, _ := w.proofOf(forged); proof.Reason != string(meter.SignatureMismatch) || !bytes.Contains(proof.Faults, []byte(meter.AlreadyBilled)) {
		t.Errorf("the copy: %q %s", proof.Reason, proof.Faults)
	}
}

// Keys count for the time for which they are valid, for their charge point and for their utility.
func TestMeterKeys(t *testing.T) {
	w := newWorld(t)
	old, now := ocpitest.NewMeter("M1"), ocpitest.NewMeter("M1-2")
	key := w.addMeterKey(old, "DE*NSL*E1")
	if err := w.ops.EndMeterKey(w.ctx, w.tenant.ID, key.ID, day(10)); err != nil {
		t.Fatal(err)
	}
	w.addMeterKey(now, "DE*NSL*E1")
	w.addMeterKey(ocpitest.NewMeter("M9"), "DE*NSL*E9")
	other := w.addTenant("DE*SWY", "Stadtwerke Yburg")
	before := w.receiveJSON(signedCDR("C1", day(9), old, 20_000, nil))
	after := w.receiveJSON(signedCDR("C2", day(11), old, 20_000, nil))
	exchanged := w.receiveJSON(signedCDR("C3", day(12), now, 20_000, nil))
	elsewhere := w.receiveJSON(signedCDR("C4", day(13), ocpitest.NewMeter("M9"), 20_000, nil))
	w.work()
	for id, want := range map[uuid.UUID]meter.Reason{before: "", after: meter.KeyUnknown, exchanged: "", elsewhere: meter.KeyUnknown} {
		if proof, _ := w.proofOf(id); proof.Reason != string(want) {
			t.Errorf("%s: %q %s, want %q", w.state(id).OCPIID, proof.Reason, proof.Faults, want)
		}
	}

	if err := w.ops.EndMeterKey(w.ctx, other.ID, key.ID, day(2)); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("another utility ends our key: %v", err)
	}
	err := w.db.TenantTx(w.ctx, other.ID, func(q *db.Queries) error {
		rows, err := q.MeterKeys(w.ctx, w.tenant.ID)
		if err == nil && len(rows) != 0 {
			return fmt.Errorf("another utility sees %d of our keys", len(rows))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	keys, err := w.db.MeterKeys(w.ctx, w.tenant.ID)
	if err != nil || len(keys) != 3 || keys[0].AddedBy != "clerk" {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	good := jobs.NewMeterKey{Tenant: w.tenant.ID, CPO: ocpi.Party{CountryCode: "DE", PartyID: "NSL"}, EVSE: "DE*NSL*E1", Key: now.PublicKey(), ValidFrom: day(1), Source: "x"}
	for field, change := range map[string]func(*jobs.NewMeterKey){
		"key":      func(n *jobs.NewMeterKey) { n.Key = "00" },
		"EVSE":     func(n *jobs.NewMeterKey) { n.EVSE = " " },
		"source":   func(n *jobs.NewMeterKey) { n.Source = " " },
		"valid to": func(n *jobs.NewMeterKey) { n.ValidTo = day(0) },
	} {
		bad := good
		change(&bad)
		if _, err := w.ops.AddMeterKey(w.ctx, bad); err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("bad %s: %v", field, err)
		}
	}
	var faults []struct{ Reason, Detail string }
	proof, _ := w.proofOf(after)
	if err := json.Unmarshal(proof.Faults, &faults); err != nil || len(faults) != 1 || faults[0].Reason != "key-unknown" || faults[0].Detail == "" {
		t.Errorf("faults %s, %v", proof.Faults, err)
	}
}

// What the meters have signed belongs to the bill, and into the chain of its utility.
func TestMeterFileOfInvoice(t *testing.T) {
	w := newWorld(t)
	m := ocpitest.NewMeter("M1")
	w.addMeterKey(m, "de*nsl*e1")
	w.receiveJSON(signedCDR("C1", day(5), m, 20_000, nil))
	w.receive(cdr{id: "C2", start: day(7), kwh: "20"})
	w.work()
	w.bill(october, false)
	id := w.invoices()[0].ID
	if _, err := w.ops.Document(w.ctx, id, jobs.MeterFormat); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("a draft has a document: %v", err)
	}
	w.bill(october, true)
	doc, err := w.ops.Document(w.ctx, id, jobs.MeterFormat)
	if err != nil {
		t.Fatal(err)
	}
	groups, fault := meter.ReadFile(doc.Bytes)
	if fault != nil || len(groups) != 1 {
		t.Fatalf("%v, %d sessions\n%s", fault, len(groups), doc.Bytes)
	}
	if s := meter.Judge(groups[0], meter.Facts{AsSent: true}); !s.OK() {
		t.Errorf("%v\n%s", s.Faults, doc.Bytes)
	}
	again, err := w.ops.Document(w.ctx, id, jobs.MeterFormat)
	if err != nil || again.ID != doc.ID || again.FileName != *w.invoices()[0].Number+"-meter.xml" {
		t.Errorf("it is written again: %+v, %v", again, err)
	}
}
