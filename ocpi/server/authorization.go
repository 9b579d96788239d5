package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// authorize answers whether a token may charge now (TOK-16 to TOK-27).
func (c *call) authorize(ctx context.Context) (answer, error) {
	at, err := c.locationReferences()
	if err != nil {
		return answer{}, err
	}
	kind, err := c.tokenType()
	if err != nil {
		return answer{}, err
	}
	row, err := c.tokenOf(ctx, c.segment("token"), kind)
	if err != nil {
		return answer{}, err
	}
	asking := jobs.Asking{Partner: c.partner.ID, At: at}
	if kind == ocpi.TokenEMAID {
		asking.EMAID = c.segment("token")
	}
	c.concerns(row.Token.TenantID)
	for _, t := range c.tenants {
		asking.Leaving = asking.Leaving || t.id == row.Token.TenantID && t.leaving
	}
	if row.Restricted {
		if asking.CPO, err = c.askingCPO(ctx); err != nil {
			return answer{}, err
		}
	}
	info, err := c.ops.Authorize(ctx, row, asking)
	return answer{data: &info}, err
}

// askingCPO is at which operator the driver stands: the one that the routing headers name, if the connection speaks for it
// (RTG-07), else the partner itself. Zero: it is not known.
func (c *call) askingCPO(ctx context.Context) (ocpi.Party, error) {
	main := ocpi.Party{}
	if c.partner.Role == string(ocpi.RoleCPO) {
		main = ocpi.Party{CountryCode: ocpi.CiString(c.partner.CountryCode), PartyID: ocpi.CiString(c.partner.PartyID)}
	}
	from := ocpi.ReadRouting(c.echo.Request().Header).From
	if from.IsZero() || from.Equal(main) {
		return main, nil
	}
	_, err := c.owner(ctx, from)
	var stranger *ocpi.Error
	if errors.As(err, &stranger) {
		return main, nil
	}
	return from, err
}

// locationReferences reads the optional body; nothing, null and {} are all "not said" (TOK-17).
func (c *call) locationReferences() (*ocpi.LocationReferences, error) {
	body, err := c.body()
	if err != nil || len(body) == 0 {
		return nil, err
	}
	var at *ocpi.LocationReferences
	if body, err = c.document(body, &at); err != nil {
		return nil, err
	}
	if err := c.decode(body, &at); err != nil {
		return nil, err
	}
	if at == nil || at.LocationID == "" && len(at.EVSEUIDs) == 0 {
		return nil, nil
	}
	return at, c.accept(at)
}

// tokenType is the type in the query; without one, RFID (TOK-16). OCPI 2.1.1 does not say a type: then it is none, for any.
func (c *call) tokenType() (ocpi.TokenType, error) {
	if c.dialect.NoTokenType {
		return "", nil
	}
	if t := c.echo.QueryParam("type"); t != "" {
		return ocpi.TokenType(t), nil
	}
	t := c.echo.QueryParam("token_type")
	if t == "" {
		return ocpi.TokenRFID, nil
	}
	note := ocpi.Finding{Severity: ocpi.Note, Path: "token_type", Rule: "is called type", Value: t, Quirk: ocpi.QuirkTokenTypeName}
	return ocpi.TokenType(t), c.tolerate(note)
}

// tokenOf finds a token among those of the addressed utility. Without an addressee it must be the only one of its kind on
// the connection (RTG-05).
func (c *call) tokenOf(ctx context.Context, uid ocpi.CiString, kind ocpi.TokenType) (db.TokensByUIDRow, error) {
	rows, err := c.tokensOf(ctx, uid, kind)
	switch {
	case err != nil:
		return db.TokensByUIDRow{}, fmt.Errorf("find token: %w", err)
	case len(rows) == 0:
		if err := c.ops.UnknownToken(ctx, c.partner.ID); err != nil {
			return db.TokensByUIDRow{}, err
		}
		return db.TokensByUIDRow{}, ocpi.NotFound(ocpi.StatusUnknownToken, "the token is not known")
	case kind != "" && rows[len(rows)-1].Token.TenantID != rows[0].Token.TenantID:
		return db.TokensByUIDRow{}, ocpi.Refused(ocpi.StatusNotEnoughInformation, "several parties have this token: address one of them")
	}
	return rows[0], nil
}

func (c *call) tokensOf(ctx context.Context, uid ocpi.CiString, kind ocpi.TokenType) ([]db.TokensByUIDRow, error) {
	if kind != ocpi.TokenEMAID || !c.dialect.EMAIDTokens {
		return c.DB.TokensByUID(ctx, db.TokensByUIDParams{TenantIDs: c.addressed(), UID: string(uid), Type: string(kind), At: c.Now()})
	}
	of, err := c.DB.TokensByEMAID(ctx, db.TokensByEMAIDParams{TenantIDs: c.addressed(), EMAID: string(uid), At: c.Now()})
	rows := make([]db.TokensByUIDRow, len(of))
	for i, row := range of {
		rows[i] = db.TokensByUIDRow(row)
	}
	return rows, err
}
