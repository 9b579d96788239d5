package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

func (c *call) getSession(ctx context.Context) (answer, error) {
	cpo, id := c.pathParty(), c.segment("session")
	if _, err := c.owner(ctx, cpo); err != nil {
		return answer{}, err
	}
	row, err := c.DB.Session(ctx, sessionKey(cpo, id))
	if errors.Is(err, db.ErrNotFound) || err == nil && row.PartnerID != c.partner.ID {
		return answer{}, unknownSession(id)
	} else if err != nil {
		return answer{}, fmt.Errorf("read session: %w", err)
	}
	s, err := decodeStored[ocpi.Session](row.Doc)
	if err != nil {
		return answer{}, err
	}
	if owner, err := c.ownerOfStored(ctx, row.TenantID, s.CDRToken); err != nil {
		return answer{}, err
	} else if owner == nil {
		return answer{}, unknownSession(id)
	}
	return answer{data: s}, nil
}

// putSession stores a session in the place of what we knew of it, charging periods included (SES-02).
func (c *call) putSession(ctx context.Context) (answer, error) {
	body, err := c.body()
	if err != nil {
		return answer{}, err
	}
	var next ocpi.Session
	if body, err = c.document(body, &next); err != nil {
		return answer{}, err
	}
	if err := c.decode(body, &next); err != nil {
		return answer{}, err
	}
	if err := c.fillTokenOwner(ctx, &next.CDRToken); err != nil {
		return answer{}, err
	}
	if err := c.accept(&next); err != nil {
		return answer{}, err
	}
	if err := matches("id", next.ID, c.segment("session")); err != nil {
		return answer{}, err
	}
	if err := c.matchesParty(next.Party()); err != nil {
		return answer{}, err
	}
	tenant, err := c.tokenOwner(ctx, next.CDRToken)
	if err != nil {
		return answer{}, err
	}
	return c.changeSession(ctx, func(old *storedSession) (*storedSession, error) {
		switch {
		case old == nil:
			return &storedSession{doc: &next, tenant: *tenant}, nil
		case old.tenant.id != tenant.id:
			return nil, ocpi.InvalidParameter("cdr_token", "must stay with the party that the session began with", next.CDRToken.Party().String())
		case next.LastUpdated.Before(old.doc.LastUpdated):
			return nil, nil // OWN-14
		}
		return &storedSession{doc: &next, tenant: *tenant}, nil
	})
}

// patchSession changes what the patch names, and adds its charging periods (SES-09).
func (c *call) patchSession(ctx context.Context) (answer, error) {
	patch, err := c.patch(new(ocpi.Session))
	if err != nil {
		return answer{}, err
	}
	return c.changeSession(ctx, func(old *storedSession) (*storedSession, error) {
		if old == nil {
			return nil, unknownSession(c.segment("session"))
		}
		stale, err := c.stale(patch, old.doc.LastUpdated)
		if err != nil {
			return nil, err
		}
		apply := old.doc.Patch
		if stale {
			apply = old.doc.PatchLate
		}
		next, err := apply(patch, c.decode)
		if err != nil {
			return nil, err
		}
		if err := c.fillTokenOwner(ctx, &next.CDRToken); err != nil {
			return nil, err
		}
		if !next.CDRToken.Party().Equal(old.tenant.party) {
			return nil, ocpi.InvalidParameter("cdr_token", "must stay with the party that the session began with", next.CDRToken.Party().String())
		}
		return &storedSession{doc: next, tenant: old.tenant}, nil
	})
}

// storedSession is a session with the utility that it belongs to.
type storedSession struct {
	doc    *ocpi.Session
	tenant tenant
	status ocpi.SessionStatus // what counts, whatever the document says
}

// follow settles the state of a session that comes after old, nil if there was none. One that has ended stays ended: what
// comes later is taken, but does not start it again (SES-08).
func (s *storedSession) follow(old *storedSession) {
	s.status = s.doc.Status.Meaning()
	if old == nil {
		return
	}
	ended := old.status == ocpi.SessionCompleted || old.status == ocpi.SessionInvalid
	if ended && s.status != ocpi.SessionCompleted && s.status != ocpi.SessionInvalid {
		s.status = old.status
	}
}

// changeSession stores what change makes of the session that the path names; change gets nil for one that the caller does
// not see, and returns nil to leave things as they are. Changes of one session happen one after the other (OWN-15).
func (c *call) changeSession(ctx context.Context, change func(old *storedSession) (*storedSession, error)) (answer, error) {
	cpo, id := c.pathParty(), c.segment("session")
	owner, err := c.writer(ctx, cpo)
	if err != nil || owner.second {
		return answer{}, err
	}
	created := false
	err = c.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockObject(ctx, objectKey("session", cpo, id)); err != nil {
			return fmt.Errorf("lock session: %w", err)
		}
		old, err := c.storedSession(ctx, q, cpo, id)
		if err != nil {
			return err
		}
		next, err := change(old)
		if err != nil || next == nil {
			return err
		}
		created = old == nil
		next.follow(old)
		if old != nil {
			if err := c.tolerate(c.dialect.ExplainFindings(next.doc.Follows(old.doc), next.doc)...); err != nil {
				return err
			}
		}
		return c.saveSession(ctx, q, cpo, id, next)
	})
	return stored(created), err
}

func (c *call) storedSession(ctx context.Context, q *db.Queries, cpo ocpi.Party, id ocpi.CiString) (*storedSession, error) {
	row, err := q.Session(ctx, sessionKey(cpo, id))
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	doc, err := decodeStored[ocpi.Session](row.Doc)
	if err != nil {
		return nil, err
	}
	owner, err := c.ownerOfStored(ctx, row.TenantID, doc.CDRToken)
	if err != nil {
		return nil, err
	}
	if owner == nil {
		return nil, unknownSession(id) // it is another utility's
	}
	c.concerns(owner.id)
	return &storedSession{doc: doc, tenant: *owner, status: ocpi.SessionStatus(row.Status)}, nil
}

func (c *call) saveSession(ctx context.Context, q *db.Queries, cpo ocpi.Party, id ocpi.CiString, s *storedSession) error {
	doc, err := ocpi.Marshal(s.doc)
	if err != nil {
		return fmt.Errorf("encode session: %w", err)
	}
	err = q.SaveSession(ctx, db.SaveSessionParams{
		CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), SessionID: string(id), PartnerID: c.partner.ID, TenantID: s.tenant.id,
		Doc: doc, Status: string(s.status), StartedAt: s.doc.StartDateTime, KWh: s.doc.KWh.Decimal, LastUpdated: s.doc.LastUpdated, Now: c.Now(),
	})
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	shown := *s.doc
	shown.Status = s.status
	return jobs.ConfirmCommands(ctx, q, c.Now(), s.tenant.id, &shown)
}

// fillTokenOwner completes a token that does not name its owner, as it was before OCPI 2.2.1: from our tokens, else from
// the addressee of the message. One that names its contract only, as in OCPI 2.1.1, gets uid and type, too.
func (c *call) fillTokenOwner(ctx context.Context, t *ocpi.CDRToken) error {
	if err := jobs.FillToken(ctx, c.DB.Queries, c.addressed(), t); err != nil {
		return err
	}
	if t.CountryCode != "" || t.PartyID != "" || c.refuses(ocpi.QuirkTokenWithoutOwner) {
		return nil
	}
	owners, err := c.DB.OwnersOfToken(ctx, db.OwnersOfTokenParams{TenantIDs: c.addressed(), UID: string(t.UID)})
	if err != nil {
		return fmt.Errorf("find owner of token: %w", err)
	}
	switch {
	case len(owners) == 1:
		t.CountryCode, t.PartyID = ocpi.CiString(owners[0].CountryCode), ocpi.CiString(owners[0].PartyID)
	case c.to != nil:
		t.CountryCode, t.PartyID = c.to.party.CountryCode, c.to.party.PartyID
	case len(c.tenants) == 1:
		t.CountryCode, t.PartyID = c.tenants[0].party.CountryCode, c.tenants[0].party.PartyID
	default:
		return nil
	}
	if c.dialect.Version.Compare(ocpi.Version221) < 0 { // older ones do not have it
		return nil
	}
	return c.tolerate(missing("cdr_token.country_code", t.Party().String(), ocpi.QuirkTokenWithoutOwner))
}

func sessionKey(cpo ocpi.Party, id ocpi.CiString) db.SessionParams {
	return db.SessionParams{CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), SessionID: string(id)}
}

func unknownSession(id ocpi.CiString) error {
	return ocpi.NotFound(ocpi.StatusInvalidParameters, "session "+string(id)+" is not known")
}
