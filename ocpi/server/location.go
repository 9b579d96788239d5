package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

func (c *call) getLocation(ctx context.Context) (answer, error) {
	l, err := c.ownLocation(ctx)
	return answer{data: l}, err
}

func (c *call) getEVSE(ctx context.Context) (answer, error) {
	l, err := c.ownLocation(ctx)
	if err != nil {
		return answer{}, err
	}
	evse := l.EVSE(c.segment("evse"))
	if evse == nil {
		return answer{}, unknownLocation("EVSE", c.segment("evse"))
	}
	return answer{data: evse}, nil
}

func (c *call) getConnector(ctx context.Context) (answer, error) {
	l, err := c.ownLocation(ctx)
	if err != nil {
		return answer{}, err
	}
	evse := l.EVSE(c.segment("evse"))
	if evse == nil {
		return answer{}, unknownLocation("EVSE", c.segment("evse"))
	}
	connector := evse.Connector(c.segment("connector"))
	if connector == nil {
		return answer{}, unknownLocation("connector", c.segment("connector"))
	}
	return answer{data: connector}, nil
}

// ownLocation reads the Location that the path names, if the caller delivered it (OWN-13).
func (c *call) ownLocation(ctx context.Context) (*ocpi.Location, error) {
	cpo, id := c.pathParty(), c.segment("location")
	if _, err := c.owner(ctx, cpo); err != nil {
		return nil, err
	}
	row, err := c.DB.Location(ctx, locationKey(cpo, id))
	if errors.Is(err, db.ErrNotFound) || err == nil && row.PartnerID != c.partner.ID {
		return nil, unknownLocation("Location", id)
	} else if err != nil {
		return nil, fmt.Errorf("read location: %w", err)
	}
	return decodeStored[ocpi.Location](row.Doc)
}

// storedLocation is a Location with the time of its own last change. The document's last_updated is later when an EVSE
// changed after it (LOC-04), and cannot tell whether a message about the Location itself was overtaken.
type storedLocation struct {
	*ocpi.Location
	own time.Time
}

func (c *call) putLocation(ctx context.Context) (answer, error) {
	var next ocpi.Location
	if err := c.read(&next); err != nil {
		return answer{}, err
	}
	if err := matches("id", next.ID, c.segment("location")); err != nil {
		return answer{}, err
	}
	if err := c.matchesParty(next.Party()); err != nil {
		return answer{}, err
	}
	return c.changeLocation(ctx, func(old *storedLocation) (*storedLocation, error) {
		switch {
		case old == nil:
			return &storedLocation{&next, next.LastUpdated}, nil
		case next.LastUpdated.Before(old.own):
			return nil, nil // OWN-14
		}
		return &storedLocation{old.Replace(&next), next.LastUpdated}, nil
	})
}

func (c *call) putEVSE(ctx context.Context) (answer, error) {
	var next ocpi.EVSE
	if err := c.read(&next); err != nil {
		return answer{}, err
	}
	if err := matches("uid", next.UID, c.segment("evse")); err != nil {
		return answer{}, err
	}
	created := false
	a, err := c.changeKnownLocation(ctx, func(old *ocpi.Location) (*ocpi.Location, error) {
		evse := old.EVSE(next.UID)
		created = evse == nil
		if !created && next.LastUpdated.Before(evse.LastUpdated) {
			return nil, nil // OWN-14
		}
		return old.PutEVSE(&next), nil
	})
	if err != nil {
		return a, err
	}
	return stored(created), nil
}

func (c *call) putConnector(ctx context.Context) (answer, error) {
	var next ocpi.Connector
	if err := c.read(&next); err != nil {
		return answer{}, err
	}
	if err := matches("id", next.ID, c.segment("connector")); err != nil {
		return answer{}, err
	}
	created := false
	a, err := c.changeKnownLocation(ctx, func(old *ocpi.Location) (*ocpi.Location, error) {
		evse := old.EVSE(c.segment("evse"))
		if evse == nil {
			return nil, unknownLocation("EVSE", c.segment("evse"))
		}
		connector := evse.Connector(next.ID)
		created = connector == nil
		if !created && next.LastUpdated.Before(connector.LastUpdated) {
			return nil, nil // OWN-14
		}
		return old.PutConnector(evse.UID, &next)
	})
	if err != nil {
		return a, err
	}
	return stored(created), nil
}

func (c *call) patchLocation(ctx context.Context) (answer, error) {
	patch, err := c.patch(new(ocpi.Location))
	if err != nil {
		return answer{}, err
	}
	return c.changeLocation(ctx, func(old *storedLocation) (*storedLocation, error) {
		if old == nil {
			return nil, unknownLocation("Location", c.segment("location"))
		}
		if stale, err := c.stale(patch, old.own); stale || err != nil {
			return nil, err
		}
		next, err := old.Patch(patch, c.decode)
		if err != nil {
			return nil, err
		}
		own := next.LastUpdated
		if old.LastUpdated.After(own) {
			next.LastUpdated = old.LastUpdated // an EVSE changed later (LOC-04)
		}
		return &storedLocation{next, own}, nil
	})
}

func (c *call) patchEVSE(ctx context.Context) (answer, error) {
	patch, err := c.patch(new(ocpi.EVSE))
	if err != nil {
		return answer{}, err
	}
	return c.changeKnownLocation(ctx, func(old *ocpi.Location) (*ocpi.Location, error) {
		uid := c.segment("evse")
		if evse := old.EVSE(uid); evse != nil {
			if stale, err := c.stale(patch, evse.LastUpdated); stale || err != nil {
				return nil, err
			}
		}
		return old.PatchEVSE(uid, patch, c.decode)
	})
}

func (c *call) patchConnector(ctx context.Context) (answer, error) {
	patch, err := c.patch(new(ocpi.Connector))
	if err != nil {
		return answer{}, err
	}
	return c.changeKnownLocation(ctx, func(old *ocpi.Location) (*ocpi.Location, error) {
		uid, id := c.segment("evse"), c.segment("connector")
		if evse := old.EVSE(uid); evse != nil && evse.Connector(id) != nil {
			if stale, err := c.stale(patch, evse.Connector(id).LastUpdated); stale || err != nil {
				return nil, err
			}
		}
		return old.PatchConnector(uid, id, patch, c.decode)
	})
}

// changeKnownLocation changes a part of a Location, which must be there (LOC-05, LOC-08).
func (c *call) changeKnownLocation(ctx context.Context, change func(old *ocpi.Location) (*ocpi.Location, error)) (answer, error) {
	return c.changeLocation(ctx, func(old *storedLocation) (*storedLocation, error) {
		if old == nil {
			return nil, unknownLocation("Location", c.segment("location"))
		}
		next, err := change(old.Location)
		if err != nil || next == nil {
			return nil, err
		}
		return &storedLocation{next, old.own}, nil
	})
}

// changeLocation stores what change makes of the Location that the path names; change gets nil for one that we do not have,
// and returns nil to leave things as they are. Changes of one Location happen one after the other (OWN-15).
func (c *call) changeLocation(ctx context.Context, change func(old *storedLocation) (*storedLocation, error)) (answer, error) {
	cpo, id := c.pathParty(), c.segment("location")
	owner, err := c.writer(ctx, cpo)
	if err != nil || owner.second {
		return answer{}, err
	}
	created := false
	err = c.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockObject(ctx, objectKey("location", cpo, id)); err != nil {
			return fmt.Errorf("lock location: %w", err)
		}
		old, err := readLocation(ctx, q, cpo, id)
		if err != nil {
			return err
		}
		next, err := change(old)
		if err != nil || next == nil {
			return err
		}
		created = old == nil
		return c.saveLocation(ctx, q, cpo, id, next)
	})
	return stored(created), err
}

func readLocation(ctx context.Context, q *db.Queries, cpo ocpi.Party, id ocpi.CiString) (*storedLocation, error) {
	row, err := q.Location(ctx, locationKey(cpo, id))
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read location: %w", err)
	}
	doc, err := decodeStored[ocpi.Location](row.Doc)
	return &storedLocation{doc, row.OwnUpdated}, err
}

func (c *call) saveLocation(ctx context.Context, q *db.Queries, cpo ocpi.Party, id ocpi.CiString, l *storedLocation) error {
	doc, err := ocpi.Marshal(l.Location)
	if err != nil {
		return fmt.Errorf("encode location: %w", err)
	}
	err = q.SaveLocation(ctx, db.SaveLocationParams{
		CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), LocationID: string(id), PartnerID: c.partner.ID,
		Doc: doc, Name: l.Name, City: l.City, TimeZone: l.TimeZone, LastUpdated: l.LastUpdated, OwnUpdated: l.own, Now: c.Now(),
	})
	if err != nil {
		return fmt.Errorf("save location: %w", err)
	}
	return nil
}

func locationKey(cpo ocpi.Party, id ocpi.CiString) db.LocationParams {
	return db.LocationParams{CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), LocationID: string(id)}
}

func unknownLocation(what string, id ocpi.CiString) error {
	return ocpi.NotFound(ocpi.StatusUnknownLocation, what+" "+string(id)+" is not known")
}
