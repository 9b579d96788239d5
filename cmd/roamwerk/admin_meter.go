package main

import (
	"cmp"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// meterKeyCmd administers the public keys of meters.
type meterKeyCmd struct {
	Add  meterKeyAddCmd  `cmd:"" help:"Register the public key of a charge point's meter."`
	List meterKeyListCmd `cmd:"" help:"List the keys of a utility."`
	End  meterKeyEndCmd  `cmd:"" help:"End the validity of a key, as when a meter is exchanged."`
}

type meterKeyAddCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	CPO    string `required:"" name:"cpo" help:"Operator of the charge point, for example DE*NSL."`
	EVSE   string `name:"evse" help:"EVSE id; without it the key counts wherever the meter is."`
	Serial string `help:"Serial number of the meter or of what signs; without it the key counts for whichever meter is at the charge point."`
	Key    string `required:"" help:"The key: SubjectPublicKeyInfo or point, as PEM, hexadecimal, Base64 or Base32, or the name of a file with it." placeholder:"KEY|FILE"`
	Curve  string `help:"Curve of a point, for example secp256r1; a SubjectPublicKeyInfo says it itself."`
	From   string `help:"First day on which the key counts (default: today)." placeholder:"YYYY-MM-DD"`
	To     string `help:"First day on which it does not count any more." placeholder:"YYYY-MM-DD"`
	Source string `required:"" help:"Where the key comes from: the operator's letter, the label on the charge point, a register."`
}

// Run registers the key.
func (c meterKeyAddCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		n := jobs.NewMeterKey{Tenant: tenant.ID, EVSE: c.EVSE, Meter: c.Serial, Key: c.Key, Curve: c.Curve, Source: c.Source}
		if n.CPO, err = ocpi.ParseParty(c.CPO); err != nil {
			return nil, fmt.Errorf("--cpo: %w", err)
		}
		if file, err := os.ReadFile(c.Key); err == nil {
			n.Key = string(file)
		}
		if n.ValidFrom, err = dayAt("--from", cmp.Or(c.From, a.now().Format(time.DateOnly))); err != nil {
			return nil, err
		}
		if c.To != "" {
			if n.ValidTo, err = dayAt("--to", c.To); err != nil {
				return nil, err
			}
		}
		key, err := a.ops().AddMeterKey(o.ctx, n)
		if err != nil {
			return nil, err
		}
		return meterKeyLine(key), nil
	})
}

// dayAt is the begin of a day in Germany, where the law on calibration holds.
func dayAt(flag, day string) (time.Time, error) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		return at, fmt.Errorf("%s: %q is no day as YYYY-MM-DD", flag, day)
	}
	return at, nil
}

func meterKeyLine(k db.MeterKey) map[string]any {
	line := map[string]any{
		"id": k.ID, "cpo": k.CountryCode + "*" + k.PartyID, "evse": k.EVSEID, "serial": k.Meter, "curve": k.Curve, "fingerprint": k.Fingerprint,
		"from": k.ValidFrom.UTC().Format(time.RFC3339), "to": nil, "source": k.Source, "added_by": k.AddedBy, "added_at": k.AddedAt.UTC().Format(time.RFC3339),
	}
	if k.ValidTo != nil {
		line["to"] = k.ValidTo.UTC().Format(time.RFC3339)
	}
	return line
}

type meterKeyListCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
}

// Run prints the keys.
func (c meterKeyListCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		keys, err := a.db.MeterKeys(o.ctx, tenant.ID)
		if err != nil {
			return nil, err
		}
		lines := []map[string]any{}
		for _, k := range keys {
			lines = append(lines, meterKeyLine(k))
		}
		return map[string]any{"tenant": c.Tenant, "policy": tenant.MeterPolicy, "required": tenant.MeterRequired, "keys": lines}, nil
	})
}

type meterKeyEndCmd struct {
	Tenant string    `required:"" help:"Utility, for example DE*SWX."`
	ID     uuid.UUID `required:"" name:"id" help:"Id of the key, from the list."`
	On     string    `required:"" help:"First day on which the key does not count any more." placeholder:"YYYY-MM-DD"`
}

// Run ends the key.
func (c meterKeyEndCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		at, err := dayAt("--on", c.On)
		if err != nil {
			return nil, err
		}
		if err := a.ops().EndMeterKey(o.ctx, tenant.ID, c.ID, at); err != nil {
			return nil, err
		}
		return map[string]any{"id": c.ID, "to": at.UTC().Format(time.RFC3339)}, nil
	})
}

type meterPolicyCmd struct {
	Tenant   string `required:"" help:"Utility, for example DE*SWX."`
	Set      string `required:"" help:"What happens to a CDR whose signed meter data is not good: ignore, flag or hold." enum:"ignore,flag,hold"`
	Required bool   `help:"A CDR without signed meter data is treated alike."`
}

// Run sets the policy.
func (c meterPolicyCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		if err := a.ops().SetMeterPolicy(o.ctx, tenant.ID, c.Set, c.Required); err != nil {
			return nil, err
		}
		return map[string]any{"tenant": c.Tenant, "policy": c.Set, "required": c.Required}, nil
	})
}
