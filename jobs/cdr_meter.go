package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/meter"
	"github.com/roamwerk/roamwerk/db"
)

// proof is what the signed meter data of a CDR proves, with the registered keys that have verified it.
type proof struct {
	meter.Session
	keys map[string]uuid.UUID // by SubjectPublicKeyInfo
}

// prove judges the signed meter data of the CDR by the keys that were registered for its charge point. It comes after the price:
// the clock of a meter matters where time costs something.
func (r *rating) prove(ctx context.Context) error {
	records := meter.FromOCPI(r.cdr.SignedData)
	if len(records) == 0 {
		return nil
	}
	rows, err := r.q.MeterKeysAt(ctx, db.MeterKeysAtParams{
		TenantID: r.state.TenantID, CountryCode: r.state.CountryCode, PartyID: r.state.PartyID, EVSEID: foldEVSE(string(r.cdr.CDRLocation.EVSEID)), At: r.began,
	})
	if err != nil {
		return fmt.Errorf("find keys of the charge point: %w", err)
	}
	r.proof = &proof{keys: map[string]uuid.UUID{}}
	facts := meter.Facts{TimePriced: timePriced(r.retail.Rating), Users: r.users()}
	for _, row := range rows {
		key, err := meter.ReadKey(row.SPKI)
		if err != nil {
			return fmt.Errorf("meter key %s: %w", row.ID, err)
		}
		facts.Keys = append(facts.Keys, meter.TrustedKey{Key: key, Meter: row.Meter})
		if _, known := r.proof.keys[string(row.SPKI)]; !known {
			r.proof.keys[string(row.SPKI)] = row.ID
		}
		r.inputs = append(r.inputs, row.SPKI)
	}
	r.inputs = append(r.inputs, []byte(meter.Version))
	r.proof.Session = meter.Judge(records, facts)
	taken, err := r.claim(ctx)
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		facts.Billed = func(hash [32]byte) bool { return slices.Contains(taken, hash) }
		r.proof.Session = meter.Judge(records, facts)
	}
	return nil
}

// claim takes the measurements for this CDR, in an order that lets two workers never wait for each other. It returns those that
// belong to another CDR.
func (r *rating) claim(ctx context.Context) (taken [][32]byte, err error) {
	verified := map[[32]byte]bool{}
	for _, v := range r.proof.Records {
		if v.Record != nil {
			verified[v.Record.Hash()] = verified[v.Record.Hash()] || v.By != nil
		}
	}
	hashes := make([][32]byte, 0, len(verified))
	for hash := range verified {
		hashes = append(hashes, hash)
	}
	slices.SortFunc(hashes, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	for _, hash := range hashes {
		_, err := r.q.ClaimMeasurement(ctx, db.ClaimMeasurementParams{TenantID: r.state.TenantID, SHA256: hash[:], CDRID: r.state.CDRID, Verified: verified[hash]})
		if errors.Is(err, db.ErrNotFound) {
			taken = append(taken, hash)
		} else if err != nil {
			return nil, fmt.Errorf("claim measurement: %w", err)
		}
	}
	return taken, nil
}

// users are the ids by which the charge point may have read who charges.
func (r *rating) users() []string {
	var ids []string
	for _, id := range []string{string(r.cdr.CDRToken.UID), string(r.cdr.CDRToken.ContractID), r.state.TokenUID} {
		if id != "" && id != "#NA" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// timePriced reports whether the customer pays for time.
func timePriced(r billing.Rating) bool {
	return slices.ContainsFunc(r.Lines, func(l billing.Line) bool { return l.Unit == billing.Hour && !l.InclVAT.IsZero() })
}

// foldEVSE makes EVSE ids comparable: operators write them with and without separators.
func foldEVSE(id string) string {
	return strings.ToUpper(strings.NewReplacer("*", "", "-", "", " ", "").Replace(id))
}

// meterEvidence is what the proof means for the rules, by the utility's policy.
func (r *rating) meterEvidence(tenant db.Tenant) (p *billing.MeterProof, needed bool) {
	if tenant.MeterPolicy == "ignore" {
		return nil, false
	}
	hold := tenant.MeterPolicy == "hold"
	switch {
	case r.proof == nil && !tenant.MeterRequired:
		return nil, false
	case r.proof == nil:
		return &billing.MeterProof{Reason: string(meter.NotSignedData)}, hold
	}
	return &billing.MeterProof{Valid: r.proof.OK(), Reason: string(r.proof.Reason()), Energy: r.proof.Energy}, hold
}

// keepProof stores what was proven, and the records byte for byte.
func (r *rating) keepProof(ctx context.Context, ratingID uuid.UUID) error {
	if r.proof == nil {
		return nil
	}
	s := r.proof.Session
	p := db.InsertMeterProofParams{
		RatingID: ratingID, TenantID: r.state.TenantID, CDRID: r.state.CDRID, JudgedAt: r.now, Verifier: meter.Version, Reason: string(s.Reason()),
		Faults: frozen(faultsOf(s)), KWh: s.Energy,
	}
	for _, v := range s.Records {
		if v.Record != nil && p.Meter == "" {
			p.Meter = clean(v.Record.Serial())
		}
	}
	if s.Energy.Valid {
		p.BeginKWh.Decimal, p.BeginKWh.Valid = s.Begin.Value, true
		p.EndKWh.Decimal, p.EndKWh.Valid = s.End.Value, true
		p.BeganAt, p.EndedAt = instant(s.Begin.At), instant(s.End.At)
	}
	if err := r.q.InsertMeterProof(ctx, p); err != nil {
		return fmt.Errorf("keep meter proof: %w", err)
	}
	for i, v := range s.Records {
		if err := r.q.InsertMeterRecord(ctx, r.proof.record(ratingID, r.state.TenantID, i, v)); err != nil {
			return fmt.Errorf("keep meter record %d: %w", i, err)
		}
	}
	return nil
}

func (p *proof) record(ratingID, tenant uuid.UUID, position int, v meter.Verdict) db.InsertMeterRecordParams {
	row := db.InsertMeterRecordParams{
		RatingID: ratingID, Position: int32(position), TenantID: tenant, Nature: clean(v.Signed.Context), Raw: []byte(v.Signed.Text), SentKey: clean(v.Signed.Key),
	}
	if v.Fault != nil {
		row.Reason, row.Detail = string(v.Fault.Reason), clean(v.Fault.Detail)
	}
	if v.Record != nil {
		hash := v.Record.Hash()
		row.SHA256, row.Format, row.Version = hash[:], string(v.Record.Format), v.Record.Version
		row.Meter, row.Pagination = clean(v.Record.Serial()), clean(v.Record.Pagination())
	}
	if v.By != nil {
		if id, ok := p.keys[string(v.By.SPKI())]; ok {
			row.KeyID = uuid.NullUUID{UUID: id, Valid: true}
		}
	}
	return row
}

// meterFault is how a fault of the meter data is kept.
type meterFault struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

func faultsOf(s meter.Session) []meterFault {
	faults := []meterFault{}
	for _, f := range s.Faults {
		faults = append(faults, meterFault{string(f.Reason), clean(f.Detail)})
	}
	return faults
}

// clean is a foreign text as PostgreSQL can keep it. The record itself is kept as bytes.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
