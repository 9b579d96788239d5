package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing/meter"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// NewMeterKey is the public key of a meter, as its operator has told the utility.
type NewMeterKey struct {
	Tenant    uuid.UUID
	CPO       ocpi.Party
	EVSE      string // EVSE id; empty: wherever the meter is
	Meter     string // serial number; empty: whichever meter is at the charge point
	Key       string // SubjectPublicKeyInfo or point, encoded in any usual way
	Curve     string // of a point
	ValidFrom time.Time
	ValidTo   time.Time // zero: until further notice
	Source    string    // who has told it, or where it stands
}

// AddMeterKey registers a key for a charge point. CDRs that are held because it was not known are looked at again.
func (o *Ops) AddMeterKey(ctx context.Context, n NewMeterKey) (db.MeterKey, error) {
	key, err := meter.ParseKey(n.Key, n.Curve)
	if err != nil {
		return db.MeterKey{}, fmt.Errorf("key: %w", err)
	}
	n.EVSE, n.Meter = foldEVSE(n.EVSE), strings.TrimSpace(n.Meter)
	switch {
	case n.EVSE == "" && n.Meter == "":
		return db.MeterKey{}, errors.New("EVSE or meter: one of them must be named")
	case strings.TrimSpace(n.Source) == "":
		return db.MeterKey{}, errors.New("source: must say where the key comes from")
	case !n.ValidTo.IsZero() && n.ValidTo.Before(n.ValidFrom):
		return db.MeterKey{}, errors.New("valid to: must not be before valid from")
	}
	row := db.InsertMeterKeyParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: n.Tenant, CountryCode: string(n.CPO.CountryCode), PartyID: string(n.CPO.PartyID), EVSEID: n.EVSE, Meter: n.Meter,
		Curve: key.Curve(), SPKI: key.SPKI(), Fingerprint: key.Fingerprint(), ValidFrom: n.ValidFrom, ValidTo: instant(n.ValidTo),
		Source: strings.TrimSpace(n.Source), AddedBy: actor(ctx), AddedAt: o.Now(),
	}
	var woken []uuid.UUID
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.InsertMeterKey(ctx, row); db.IsDuplicate(err, "") {
			return fmt.Errorf("key %s is registered already for this charge point and day", row.Fingerprint)
		} else if err != nil {
			return fmt.Errorf("register key: %w", err)
		}
		var err error
		woken, err = q.WakeForMeterKey(ctx, db.WakeForMeterKeyParams{TenantID: n.Tenant, CountryCode: row.CountryCode, PartyID: row.PartyID, Now: o.Now()})
		if err != nil {
			return fmt.Errorf("wake CDRs: %w", err)
		}
		return event(ctx, q, o.Now(), n.Tenant, "tenant", n.Tenant, "meter-key-added", map[string]string{"evse": n.EVSE, "meter": n.Meter, "key": row.Fingerprint, "source": row.Source})
	})
	if err != nil {
		return db.MeterKey{}, err
	}
	o.Bell.Ring(ctx, CDRRate, woken...)
	return db.MeterKey(row), nil
}

// EndMeterKey ends the validity of a key: what was measured from then on is judged without it.
func (o *Ops) EndMeterKey(ctx context.Context, tenant, id uuid.UUID, at time.Time) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		ended, err := q.EndMeterKey(ctx, db.EndMeterKeyParams{ID: id, TenantID: tenant, ValidTo: at})
		if err != nil {
			return fmt.Errorf("end key: %w", err)
		}
		if ended == 0 {
			return fmt.Errorf("key %s that is valid longer: %w", id, db.ErrNotFound)
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "meter-key-ended", map[string]string{"key": id.String(), "at": at.UTC().Format(time.RFC3339)})
	})
}

// SetMeterPolicy says what happens to CDRs whose signed meter data is not good: "ignore", "flag" or "hold"; and whether one
// without is treated alike.
func (o *Ops) SetMeterPolicy(ctx context.Context, tenant uuid.UUID, policy string, required bool) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		changed, err := q.SetMeterPolicy(ctx, db.SetMeterPolicyParams{ID: tenant, MeterPolicy: policy, MeterRequired: required})
		if err != nil {
			return fmt.Errorf("set meter policy: %w", err)
		}
		if changed == 0 {
			return db.ErrNotFound
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "meter-policy", map[string]string{"policy": policy, "required": fmt.Sprint(required)})
	})
}
