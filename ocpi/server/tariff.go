package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

func (c *call) getTariff(ctx context.Context) (answer, error) {
	cpo, id := c.pathParty(), c.segment("tariff")
	if _, err := c.owner(ctx, cpo); err != nil {
		return answer{}, err
	}
	row, err := c.DB.CurrentTariff(ctx, tariffKey(cpo, id))
	if errors.Is(err, db.ErrNotFound) || err == nil && row.PartnerID != c.partner.ID {
		return answer{}, unknownTariff(id)
	} else if err != nil {
		return answer{}, fmt.Errorf("read tariff: %w", err)
	}
	t, err := decodeStored[ocpi.Tariff](row.Doc)
	return answer{data: t}, err
}

// putTariff adds a version of a tariff. The version before it is kept, for the sessions that started under it (TAR-02).
func (c *call) putTariff(ctx context.Context) (answer, error) {
	var next ocpi.Tariff
	if err := c.read(&next); err != nil {
		return answer{}, err
	}
	if err := matches("id", next.ID, c.segment("tariff")); err != nil {
		return answer{}, err
	}
	if err := c.matchesParty(next.Party()); err != nil {
		return answer{}, err
	}
	return c.changeTariff(ctx, func(*ocpi.Tariff) (*ocpi.Tariff, error) { return &next, nil })
}

// patchTariff adds a version of a tariff that differs from the one before in what the patch names. Only OCPI 2.1.1 has it
// (VDF-07).
func (c *call) patchTariff(ctx context.Context) (answer, error) {
	patch, err := c.patch(new(ocpi.Tariff))
	if err != nil {
		return answer{}, err
	}
	return c.changeTariff(ctx, func(old *ocpi.Tariff) (*ocpi.Tariff, error) {
		if old == nil {
			return nil, unknownTariff(c.segment("tariff"))
		}
		return old.Patch(patch, c.decode)
	})
}

// changeTariff adds what change makes of the current version of the tariff that the path names, nil when there is none.
// Nothing is added that says the same, or is older (OWN-16, OWN-14).
func (c *call) changeTariff(ctx context.Context, change func(old *ocpi.Tariff) (*ocpi.Tariff, error)) (answer, error) {
	cpo, id := c.pathParty(), c.segment("tariff")
	owner, err := c.writer(ctx, cpo)
	if err != nil || owner.second {
		return answer{}, err
	}
	created, added := false, false
	err = c.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockObject(ctx, objectKey("tariff", cpo, id)); err != nil {
			return fmt.Errorf("lock tariff: %w", err)
		}
		old, err := c.currentTariff(ctx, q, cpo, id)
		if err != nil {
			return err
		}
		next, err := change(old)
		if err != nil {
			return err
		}
		if created = old == nil; !created {
			known, err := same(old, next)
			if err != nil || known || next.LastUpdated.Before(old.LastUpdated) {
				return err
			}
		}
		added = true
		return c.addTariffVersion(ctx, q, cpo, id, next)
	})
	a := stored(created)
	if added {
		a.ring = ring{jobs.TariffLint, []uuid.UUID{c.partner.ID}}
	}
	return a, err
}

// currentTariff is the version that counts now, nil when there is none.
func (c *call) currentTariff(ctx context.Context, q *db.Queries, cpo ocpi.Party, id ocpi.CiString) (*ocpi.Tariff, error) {
	row, err := q.CurrentTariff(ctx, tariffKey(cpo, id))
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read tariff: %w", err)
	}
	return decodeStored[ocpi.Tariff](row.Doc)
}

func (c *call) addTariffVersion(ctx context.Context, q *db.Queries, cpo ocpi.Party, id ocpi.CiString, t *ocpi.Tariff) error {
	doc, err := ocpi.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode tariff: %w", err)
	}
	if _, err := q.EndTariff(ctx, c.endTariff(cpo, id)); err != nil {
		return fmt.Errorf("end tariff version: %w", err)
	}
	err = q.AddTariffVersion(ctx, db.AddTariffVersionParams{
		CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), TariffID: string(id), PartnerID: c.partner.ID,
		Doc: doc, Currency: t.Currency, LastUpdated: t.LastUpdated, Now: c.Now(),
	})
	if err != nil {
		return fmt.Errorf("add tariff version: %w", err)
	}
	return nil
}

// deleteTariff ends the current version. Sessions and CDRs still find it (TAR-03).
func (c *call) deleteTariff(ctx context.Context) (answer, error) {
	cpo, id := c.pathParty(), c.segment("tariff")
	owner, err := c.owner(ctx, cpo)
	if err != nil || owner.second {
		return answer{}, err
	}
	err = c.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockObject(ctx, objectKey("tariff", cpo, id)); err != nil {
			return fmt.Errorf("lock tariff: %w", err)
		}
		ended, err := q.EndTariff(ctx, c.endTariff(cpo, id))
		if err != nil {
			return fmt.Errorf("end tariff: %w", err)
		}
		if ended == 0 {
			return unknownTariff(id)
		}
		return nil
	})
	return answer{}, err
}

func tariffKey(cpo ocpi.Party, id ocpi.CiString) db.CurrentTariffParams {
	return db.CurrentTariffParams{CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), TariffID: string(id)}
}

func (c *call) endTariff(cpo ocpi.Party, id ocpi.CiString) db.EndTariffParams {
	return db.EndTariffParams{CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), TariffID: string(id), Now: c.Now()}
}

func unknownTariff(id ocpi.CiString) error {
	return ocpi.NotFound(ocpi.StatusInvalidParameters, "tariff "+string(id)+" is not known")
}
