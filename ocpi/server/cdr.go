package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// getCDR gives a CDR back as it was received (CDR-03).
func (c *call) getCDR(ctx context.Context) (answer, error) {
	cpo, id := c.pathParty(), c.segment("cdr")
	row, err := c.DB.ReceivedCDR(ctx, db.ReceivedCDRParams{CountryCode: string(cpo.CountryCode), PartyID: string(cpo.PartyID), OCPIID: string(id)})
	if errors.Is(err, db.ErrNotFound) || err == nil && (row.PartnerID != c.partner.ID || c.to != nil && c.to.id != row.TenantID) {
		return answer{}, ocpi.NotFound(ocpi.StatusInvalidParameters, "CDR "+string(id)+" is not known")
	} else if err != nil {
		return answer{}, fmt.Errorf("read CDR: %w", err)
	}
	if row.Version == string(c.dialect.Version) {
		return answer{data: jsontext.Value(row.Raw)}, nil
	}
	stored, err := jobs.ReadCDR(row.Version, row.Raw, cpo)
	return answer{data: &stored}, err
}

// postCDR takes a CDR: the bytes and its place in the work queue are stored before it is answered, and the URL where it can
// be read is given (CDR-01). Only what cannot be read, or is for nobody here, is refused; everything else is for the rating
// to judge (CDR-11, CDR-21, CDR-28).
func (c *call) postCDR(ctx context.Context) (answer, error) {
	raw, err := c.body()
	if err != nil {
		return answer{}, err
	}
	var cdr ocpi.CDR
	document, err := c.document(raw, &cdr)
	if err != nil {
		return answer{}, err
	}
	if err := c.decode(document, &cdr); err != nil {
		return answer{}, err
	}
	if err := c.fillCDR(ctx, &cdr); err != nil {
		return answer{}, err
	}
	if err := c.accept(&cdr); err != nil {
		return answer{}, err
	}
	tenant, err := c.tokenOwner(ctx, cdr.CDRToken)
	if err != nil {
		return answer{}, err
	}
	operator, err := c.operator(ctx, cdr.Party())
	if err != nil {
		return answer{}, err
	}
	started, ended := cdr.Times()
	received := db.InsertCDRParams{
		ID: uuid.Must(uuid.NewV7()), ReceivedAt: c.Now(), PartnerID: c.partner.ID, TenantID: tenant.id, Version: string(c.dialect.Version), Raw: raw, SHA256: hash(raw),
		CountryCode: string(cdr.CountryCode), PartyID: string(cdr.PartyID), OCPIID: string(cdr.ID),
		SessionID: string(cdr.SessionID), CreditReference: string(cdr.CreditReferenceID), StartedAt: started, EndedAt: ended,
		KWh: cdr.TotalEnergy.Decimal, Currency: cdr.Currency, Claimed: cdr.TotalCost.ExclVAT.Decimal, TokenUID: string(cdr.CDRToken.UID),
		Operator: operator, Place: place(cdr.CDRLocation), EVSEID: string(cdr.CDRLocation.EVSEID),
	}
	inserted, err := c.DB.InsertCDR(ctx, received)
	if err != nil {
		return answer{}, fmt.Errorf("insert CDR: %w", err)
	}
	if inserted == 0 {
		return c.repeatedCDR(ctx, &cdr, raw)
	}
	c.announce(&cdr)
	return answer{status: http.StatusCreated, ring: ring{jobs.CDRRate, []uuid.UUID{received.ID}}}, nil
}

// operator names the CPO of a CDR, which must be one of the caller's.
func (c *call) operator(ctx context.Context, cpo ocpi.Party) (string, error) {
	owner, err := c.writer(ctx, cpo)
	var refused *ocpi.Error
	if errors.As(err, &refused) {
		return "", ocpi.InvalidParameter("party_id", "must be one of your parties", cpo.String()) // no path that could be unknown
	} else if err != nil {
		return "", err
	}
	if owner.name == "" {
		return cpo.Fold().String(), nil
	}
	return owner.name, nil
}

// repeatedCDR answers a CDR that is here already: the same again is taken and changes nothing, another under the same id is
// refused, because a CDR never changes (CDR-05, CDR-07).
func (c *call) repeatedCDR(ctx context.Context, cdr *ocpi.CDR, raw []byte) (answer, error) {
	row, err := c.DB.ReceivedCDR(ctx, db.ReceivedCDRParams{CountryCode: string(cdr.CountryCode), PartyID: string(cdr.PartyID), OCPIID: string(cdr.ID)})
	if err != nil {
		return answer{}, fmt.Errorf("read first CDR: %w", err)
	}
	first := *cdr
	if !bytes.Equal(row.SHA256, hash(raw)) {
		if first, err = c.decodeCDR(ctx, row, cdr.Party()); err != nil {
			return answer{}, err
		}
		equal, err := sameCDR(first, *cdr)
		if err != nil {
			return answer{}, err
		}
		if !equal {
			return answer{}, c.conflictingCDR(ctx, row, cdr.ID)
		}
		if !first.LastUpdated.Equal(cdr.LastUpdated) {
			note := missing("last_updated", ocpi.FormatDateTime(cdr.LastUpdated), ocpi.QuirkRestampedCDR)
			note.Rule = "as in the CDR that came first, which cannot be changed"
			if err := c.tolerate(note); err != nil {
				return answer{}, err
			}
		}
	}
	c.announce(&first)
	return answer{}, nil
}

// sameCDR compares what two CDRs with one identity say. The spelling of the identity and the time of the last change are
// not part of that.
func sameCDR(a, b ocpi.CDR) (bool, error) {
	for _, cdr := range []*ocpi.CDR{&a, &b} {
		cdr.CountryCode, cdr.PartyID, cdr.ID, cdr.LastUpdated = "", "", "", time.Time{}
	}
	return same(&a, &b)
}

// decodeCDR reads a stored CDR the way it was read when it came.
func (c *call) decodeCDR(ctx context.Context, row db.ReceivedCDRRow, cpo ocpi.Party) (ocpi.CDR, error) {
	cdr, err := jobs.ReadCDR(row.Version, row.Raw, cpo)
	if err != nil {
		return cdr, err
	}
	return cdr, c.fillCDR(ctx, &cdr)
}

// fillCDR completes what some partners leave out of a CDR: the owner of the token, and of the place what its Location says.
// The bytes that are stored stay as they came.
func (c *call) fillCDR(ctx context.Context, cdr *ocpi.CDR) error {
	if err := c.fillTokenOwner(ctx, &cdr.CDRToken); err != nil {
		return err
	}
	at := &cdr.CDRLocation
	whole := at.Address != "" && at.City != "" && at.Country != "" && at.Coordinates.Latitude != "" && at.Coordinates.Longitude != "" &&
		at.EVSEUID != "" && at.EVSEID != "" && at.ConnectorID != "" && at.ConnectorStandard != "" && at.ConnectorFormat != "" && at.ConnectorPowerType != ""
	if whole || c.refuses(ocpi.QuirkPlaceMissing) {
		return nil
	}
	known, err := readLocation(ctx, c.DB.Queries, cdr.Party(), at.ID)
	if err != nil {
		return err
	}
	var from *ocpi.Location
	if known != nil {
		from = known.Location
	}
	return c.tolerate(c.dialect.ExplainFindings(cdr.FillPlace(from), cdr)...)
}

// conflictingCDR writes down that a partner sent two CDRs under one id, for somebody to look at.
func (c *call) conflictingCDR(ctx context.Context, first db.ReceivedCDRRow, id ocpi.CiString) error {
	err := c.DB.InsertEvent(ctx, db.InsertEventParams{
		ID: uuid.Must(uuid.NewV7()), At: c.Now(), TenantID: uuid.NullUUID{UUID: first.TenantID, Valid: true}, Actor: c.partner.Name,
		Subject: "cdr", SubjectID: first.CDRID, What: "conflict", Detail: []byte(`{}`),
	})
	if err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return ocpi.InvalidParameter("id", "there is another CDR with this id, and a CDR cannot be changed", string(id))
}

// announce tells where the CDR can be read.
func (c *call) announce(cdr *ocpi.CDR) {
	location := c.moduleURL(ocpi.ModuleCDRs)
	for _, segment := range []ocpi.CiString{cdr.CountryCode, cdr.PartyID, cdr.ID} {
		location += "/" + url.PathEscape(string(segment))
	}
	c.echo.Response().Header().Set(ocpi.HeaderLocation, location)
}

// place says in a line where a CDR was charged.
func place(at ocpi.CDRLocation) string {
	name := strings.TrimSpace(at.Name)
	if name == "" {
		name = strings.TrimSpace(at.Address)
	}
	return strings.Trim(name+", "+strings.TrimSpace(at.City), ", ")
}

func hash(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	return sum[:]
}
