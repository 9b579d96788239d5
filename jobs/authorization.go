package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// Asking is who wants to know whether a token may charge, and where.
type Asking struct {
	Partner uuid.UUID
	CPO     ocpi.Party               // zero: not known, as behind a hub that sends no routing headers
	At      *ocpi.LocationReferences // nil: not said
	Leaving bool                     // the utility of the token leaves the partner
	EMAID   ocpi.CiString            // a car shows its contract, as spelled here, and the token is one of that; "": it is the token
}

// Authorize decides whether a token may charge and keeps the decision (TOK-18, TOK-19, TOK-25). Opening hours and EVSE status
// are not ours to judge (TOK-23), and a Location that we do not know is no reason to refuse (TOK-24). The error is an
// *ocpi.Error with code 2002 when the contract is for some places only and it was not said where (TOK-21).
func (o *Ops) Authorize(ctx context.Context, row db.TokensByUIDRow, asking Asking) (ocpi.AuthorizationInfo, error) {
	now := o.Now()
	info := ocpi.AuthorizationInfo{
		Allowed: standing(row, now),
		Token:   TokenMessage(row.Token, row.ContractID, ocpi.Party{CountryCode: ocpi.CiString(row.CountryCode), PartyID: ocpi.CiString(row.PartyID)}),
	}
	if asking.EMAID != "" {
		info.Token = contractToken(info.Token, asking.EMAID)
	}
	if asking.Leaving {
		info.Token.Valid = ocpi.Ptr(false)
	}
	switch {
	case info.Allowed != ocpi.AllowedAllowed:
	case asking.Leaving:
		info.Allowed = ocpi.AllowedNotAllowed
	default:
		info.Location = asking.At
		if row.Restricted {
			var err error
			if info.Allowed, info.Location, err = o.whereAllowed(ctx, row, asking); err != nil {
				return ocpi.AuthorizationInfo{}, err
			}
		}
	}
	reference := uuid.New()
	record := db.InsertAuthorizationParams{
		Reference: reference, TenantID: row.Token.TenantID, TokenID: row.Token.ID, PartnerID: asking.Partner,
		EVSEUIDs: []string{}, Allowed: string(info.Allowed), At: now,
	}
	if asking.At != nil {
		record.LocationID = string(asking.At.LocationID)
		for _, uid := range asking.At.EVSEUIDs {
			record.EVSEUIDs = append(record.EVSEUIDs, string(uid))
		}
	}
	if info.Allowed == ocpi.AllowedAllowed {
		quote, book, err := o.quote(ctx, row, asking, now)
		if err != nil {
			return ocpi.AuthorizationInfo{}, fmt.Errorf("quote: %w", err)
		}
		if record.PriceBookID = book; quote != nil {
			record.Quote = frozen(quote)
		}
	}
	if err := o.DB.InsertAuthorization(ctx, record); err != nil {
		return ocpi.AuthorizationInfo{}, fmt.Errorf("insert authorization: %w", err)
	}
	if info.Allowed == ocpi.AllowedAllowed {
		info.AuthorizationReference = ocpi.CiString(reference.String())
	} else {
		info.Location, info.Info = nil, refusalText(info.Allowed, row.Token.Language)
	}
	return info, nil
}

// contractToken is a contract as OCPI 2.3.0 shows it: a token that is known nowhere and always to be asked for (VDF-15).
func contractToken(t ocpi.Token, emaid ocpi.CiString) ocpi.Token {
	t.UID, t.Type, t.Whitelist, t.VisualNumber = emaid, ocpi.TokenEMAID, ocpi.WhitelistNever, ""
	return t
}

// standing is what token, contract and customer say, wherever it is.
func standing(row db.TokensByUIDRow, now time.Time) ocpi.AllowedType {
	switch {
	case !row.Token.Valid:
		return ocpi.AllowedBlocked
	case row.ValidTo != nil && !now.Before(*row.ValidTo):
		return ocpi.AllowedExpired
	case now.Before(row.ValidFrom):
		return ocpi.AllowedNotAllowed
	case row.NoCredit:
		return ocpi.AllowedNoCredit
	}
	return ocpi.AllowedAllowed
}

// whereAllowed decides for a contract that is for some places only. The EVSEs that it returns are those asked for, or all of
// the Location, without the ones that the contract is not for (TOK-22).
func (o *Ops) whereAllowed(ctx context.Context, row db.TokensByUIDRow, asking Asking) (ocpi.AllowedType, *ocpi.LocationReferences, error) {
	if asking.CPO.IsZero() {
		return "", nil, ocpi.Refused(ocpi.StatusNotEnoughInformation, "this contract is for some operators only: send the OCPI-from headers of the operator")
	}
	places, err := o.DB.ContractPlaces(ctx, db.ContractPlacesParams{
		ContractID: row.Token.ContractID, CountryCode: string(asking.CPO.CountryCode), PartyID: string(asking.CPO.PartyID),
	})
	if err != nil {
		return "", nil, fmt.Errorf("places of contract: %w", err)
	}
	if len(places) == 0 {
		return ocpi.AllowedNotAllowed, nil, nil
	}
	if places[0].LocationID == "" { // everything of this operator
		return ocpi.AllowedAllowed, asking.At, nil
	}
	if asking.At == nil {
		return "", nil, ocpi.Refused(ocpi.StatusNotEnoughInformation, "this contract is for some locations only: say at which one")
	}
	var permitted []ocpi.CiString
	for _, p := range places {
		switch {
		case p.LocationID != asking.At.LocationID.Fold():
		case p.EVSEUID == "": // everything of this Location
			return ocpi.AllowedAllowed, asking.At, nil
		default:
			permitted = append(permitted, ocpi.CiString(p.EVSEUID))
		}
	}
	if len(asking.At.EVSEUIDs) > 0 {
		permitted = both(asking.At.EVSEUIDs, permitted)
	}
	if len(permitted) == 0 {
		return ocpi.AllowedNotAllowed, nil, nil
	}
	return ocpi.AllowedAllowed, &ocpi.LocationReferences{LocationID: asking.At.LocationID, EVSEUIDs: permitted}, nil
}

// both returns the ids of a, as they are spelt there, that are in b too.
func both(a, b []ocpi.CiString) []ocpi.CiString {
	var common []ocpi.CiString
	for _, id := range a {
		for _, other := range b {
			if id.Equal(other) {
				common = append(common, id)
				break
			}
		}
	}
	return common
}

// refusalTexts are for the display of a charge point.
var refusalTexts = map[ocpi.AllowedType]map[string]string{
	ocpi.AllowedBlocked:    {"de": "Diese Karte ist gesperrt.", "en": "This card is blocked."},
	ocpi.AllowedExpired:    {"de": "Der Vertrag zu dieser Karte ist beendet.", "en": "The contract of this card has ended."},
	ocpi.AllowedNoCredit:   {"de": "Bitte begleichen Sie offene Rechnungen.", "en": "Please settle your open invoices."},
	ocpi.AllowedNotAllowed: {"de": "Diese Karte gilt hier nicht.", "en": "This card is not valid here."},
}

func refusalText(allowed ocpi.AllowedType, language string) *ocpi.DisplayText {
	text, ok := refusalTexts[allowed][language]
	if !ok {
		language = "en"
		text = refusalTexts[allowed][language]
	}
	return &ocpi.DisplayText{Language: language, Text: text}
}

// unknownTokensAlert is how many questions about tokens that nobody has make a partner conspicuous, in an hour.
const unknownTokensAlert = 100

// UnknownToken counts that a partner asked for a token that nobody has. It is answered all the same; when it happens often,
// the partner's timeline says so, once an hour (TOK-28).
func (o *Ops) UnknownToken(ctx context.Context, partner uuid.UUID) error {
	count, err := o.DB.CountUnknownToken(ctx, db.CountUnknownTokenParams{PartnerID: partner, Hour: o.Now().UTC().Truncate(time.Hour)})
	if err != nil {
		return fmt.Errorf("count unknown token: %w", err)
	}
	if count != unknownTokensAlert {
		return nil
	}
	o.Log.WarnContext(ctx, "partner asks for many tokens that nobody has", "partner", partner, "count", count)
	return event(ctx, o.DB.Queries, o.Now(), uuid.Nil, "partner", partner, "unknown tokens", map[string]string{"count": fmt.Sprint(count)})
}
