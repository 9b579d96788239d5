package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

const (
	neighbourBefore = 4 * 24 * time.Hour // how long before a session another one may have begun that reaches into its day
	neighbourAfter  = 24 * time.Hour
	authorizedAhead = 30 * time.Minute // how long before the start of a session we may have allowed it
	clocksDiffer    = 5 * time.Minute
)

// clearing is how the utility clears, and what it has agreed with the partner.
type clearing struct {
	policy    db.ClearingPolicy
	agreement db.Agreement
	days      int32 // that a CDR of the partner may come late; 0: not agreed
	rules     billing.Rulebook
	tenant    db.Tenant
}

// judge gathers the evidence and applies the plausibility rules.
func (r *rating) judge(ctx context.Context) (err error) {
	if r.clearing, err = clearingOf(ctx, r.q, r.state.TenantID, r.state.PartnerID); err != nil {
		return err
	}
	e := billing.Evidence{
		CDR: r.cdr, Wholesale: r.wholesale, Verdict: r.verdict, Retail: r.retail.Rating, RetailNet: r.retail.net,
		ReceivedAt: r.state.ReceivedAt, MaxPower: r.place.maxPower(),
		Agreed: r.clearing.agreement.Currency, MaxDays: decimal.NullDecimal{Decimal: decimal.NewFromInt32(r.clearing.days), Valid: r.clearing.days > 0},
	}
	e.Meter, e.NeedsMeter = r.meterEvidence(r.clearing.tenant)
	if r.retail.vat.Category == billing.VATStandard {
		e.VATRate = decimal.NewNullDecimal(r.retail.vat.Rate)
	}
	for _, gather := range []func(context.Context, *billing.Evidence) error{r.neighbours, r.tokenProof, r.authorization, r.placeAndTariffs, r.costs, r.car} {
		if err := gather(ctx, &e); err != nil {
			return err
		}
	}
	r.judged = r.clearing.rules.Judge(e)
	r.judged.Findings = append(r.judged.Findings, r.retail.findings...)
	if r.place.country != r.clearing.tenant.Country {
		r.judged.Findings = append(r.judged.Findings, foreignVAT(r.place.country, r.retail.vat))
	}
	return nil
}

// clearingOf reads what a utility has set for itself and for a partner; what it has not set is as the catalogue and the
// database say.
func clearingOf(ctx context.Context, q *db.Queries, tenant, partner uuid.UUID) (clearing, error) {
	var c clearing
	var err error
	if c.tenant, err = q.Tenant(ctx, tenant); err != nil {
		return c, fmt.Errorf("tenant: %w", err)
	}
	if c.policy, err = ClearingPolicyOf(ctx, q, tenant); err != nil {
		return c, err
	}
	if c.agreement, err = agreementOf(ctx, q, tenant, partner); err != nil {
		return c, err
	}
	if c.days, err = q.CDRDays(ctx, partner); err != nil {
		return c, fmt.Errorf("what is agreed with the partner: %w", err)
	}
	settings, err := q.RuleSettingsFor(ctx, db.RuleSettingsForParams{TenantID: tenant, PartnerID: partner})
	if err != nil {
		return c, fmt.Errorf("rule settings: %w", err)
	}
	c.rules = billing.Rulebook{}
	for _, s := range settings { // the partner's come last
		c.rules[s.Rule] = billing.Setting{Enabled: s.Enabled, Limits: billing.Limits{Info: s.InfoLimit, Flag: s.FlagLimit, Block: s.BlockLimit}}
	}
	return c, nil
}

// neighbours are the other sessions of the card and the other CDRs of the session.
func (r *rating) neighbours(ctx context.Context, e *billing.Evidence) error {
	rows, err := r.q.NeighboursOfCDR(ctx, db.NeighboursOfCDRParams{
		TenantID: r.state.TenantID, CDRID: r.state.CDRID, TokenID: r.card.TokenID, Since: r.began.Add(-neighbourBefore), Until: r.ended.Add(neighbourAfter),
		SessionID: r.state.SessionID, CountryCode: r.state.CountryCode, PartyID: r.state.PartyID,
	})
	if err != nil {
		return fmt.Errorf("neighbouring sessions: %w", err)
	}
	for _, n := range rows {
		earlier := n.ReceivedAt.Before(r.state.ReceivedAt) || n.ReceivedAt.Equal(r.state.ReceivedAt) && slices.Compare(n.CDRID[:], r.state.CDRID[:]) < 0
		e.Neighbours = append(e.Neighbours, billing.Neighbour{
			Session: ocpi.CiString(n.SessionID), SameCard: n.SameCard, Earlier: earlier,
			Start: n.StartedAt, End: n.EndedAt, KWh: n.KWh, EVSE: ocpi.CiString(n.EVSEID), Latitude: n.Latitude, Longitude: n.Longitude,
		})
	}
	return nil
}

// tokenProof is what the card was when the session began.
func (r *rating) tokenProof(ctx context.Context, e *billing.Evidence) error {
	valid, err := r.q.TokenValidAt(ctx, db.TokenValidAtParams{ID: r.card.TokenID, At: r.began})
	if err != nil {
		return fmt.Errorf("validity of the card: %w", err)
	}
	early := r.card.ValidFrom != nil && r.began.Before(*r.card.ValidFrom)
	late := r.card.ValidTo != nil && !r.began.Before(*r.card.ValidTo)
	e.Token = billing.TokenProof{Known: true, Blocked: !valid, Expired: early || late}
	return nil
}

// authorization is how we know the session to be authorised.
func (r *rating) authorization(ctx context.Context, e *billing.Evidence) error {
	p := db.AuthorizationProofParams{TokenID: r.card.TokenID, PartnerID: r.state.PartnerID, Since: r.began.Add(-authorizedAhead), Until: r.began.Add(clocksDiffer)}
	if id, err := uuid.Parse(string(r.cdr.AuthorizationReference)); err == nil {
		p.Reference = uuid.NullUUID{UUID: id, Valid: true}
	}
	proof, err := r.q.AuthorizationProof(ctx, p)
	if err != nil {
		return fmt.Errorf("authorisations: %w", err)
	}
	e.Authorized = billing.Authorization{Given: proof.Given, Reference: proof.Reference}
	return nil
}

// placeAndTariffs is what we know of the charge point, and of the tariffs that the CDR names.
func (r *rating) placeAndTariffs(ctx context.Context, e *billing.Evidence) error {
	publishes, err := r.q.CPOPublishes(ctx, db.CPOPublishesParams{CountryCode: r.state.CountryCode, PartyID: r.state.PartyID})
	if err != nil {
		return fmt.Errorf("what the CPO publishes: %w", err)
	}
	e.Place.Publishes, e.Tariffs.Publishes = publishes.Locations, publishes.Tariffs
	if at := r.place.location; at != nil {
		e.Place.Location, e.Place.EVSE = true, r.place.evse != nil
		e.Place.Public = at.Publish == nil || *at.Publish
		e.Place.Driveway = at.ParkingType == ocpi.ParkingOnDriveway
	}
	named := r.namedTariffs()
	if !publishes.Tariffs || len(named) == 0 {
		return nil
	}
	held, err := r.q.TariffsHeldAt(ctx, db.TariffsHeldAtParams{CountryCode: r.state.CountryCode, PartyID: r.state.PartyID, TariffIDs: named, At: r.began})
	if err != nil {
		return fmt.Errorf("tariffs that we held: %w", err)
	}
	e.Tariffs.Unknown = len(named) - len(held)
	if c := r.place.connector; c != nil && len(c.TariffIDs) > 0 && c.LastUpdated.Before(r.began) {
		for _, id := range named {
			if !slices.ContainsFunc(c.TariffIDs, func(own ocpi.CiString) bool { return own.Fold() == id }) {
				e.Tariffs.Elsewhere++
			}
		}
	}
	return nil
}

// namedTariffs are the ids of the tariffs that the CDR is by its own account priced with, folded, each once.
func (r *rating) namedTariffs() []string {
	var ids []string
	add := func(id ocpi.CiString) {
		if folded := id.Fold(); id != "" && !slices.Contains(ids, folded) {
			ids = append(ids, folded)
		}
	}
	for _, t := range r.cdr.Tariffs {
		add(t.ID)
	}
	for _, p := range r.cdr.ChargingPeriods {
		add(p.TariffID)
	}
	return ids
}

// costs are those of earlier sessions at the charge point.
func (r *rating) costs(ctx context.Context, e *billing.Evidence) error {
	if r.state.EVSEID == "" || r.state.EVSEID == string(ocpi.NotApplicable) {
		return nil
	}
	costs, err := r.q.EVSECosts(ctx, db.EVSECostsParams{
		TenantID: r.state.TenantID, CountryCode: r.state.CountryCode, PartyID: r.state.PartyID, EVSEID: r.state.EVSEID, Before: r.began,
	})
	if err != nil {
		return fmt.Errorf("costs at the charge point: %w", err)
	}
	e.EVSECosts = billing.CostStatistics{Sessions: int(costs.Sessions), Mean: costs.Mean, Deviation: costs.Deviation}
	return nil
}

// car is the one that the customer has entered for the card.
func (r *rating) car(ctx context.Context, e *billing.Evidence) error {
	car, err := r.q.CarOf(ctx, db.CarOfParams{CustomerID: r.card.CustomerID, TokenID: r.card.TokenID})
	if errors.Is(err, db.ErrNotFound) {
		return nil
	} else if err != nil {
		return fmt.Errorf("car: %w", err)
	}
	e.Car = &billing.Car{Battery: car.BatteryKWh, MaxAC: car.MaxACKW, MaxDC: car.MaxDCKW}
	return nil
}

// foreignVAT reminds a clerk that a session abroad bears the VAT of that country, for which the utility must be registered.
func foreignVAT(country string, vat billing.VAT) billing.Finding {
	return billing.Finding{
		Code: "foreign-vat", Severity: billing.Flag, Path: "cdr_location.country",
		Message: fmt.Sprintf("charged in %s: taxed there at %s %%", country, vat.Rate), Params: map[string]string{"country": country, "rate": vat.Rate.String()},
	}
}

// flags are the rules that a person should know of, each once.
func flags(findings []billing.Finding) []string {
	ids := []string{}
	for _, f := range findings {
		if f.Severity != billing.Info && !slices.Contains(ids, f.Code) {
			ids = append(ids, f.Code)
		}
	}
	return ids
}

// loudest is the severity of the loudest finding, empty where nothing was found.
func loudest(findings []billing.Finding) string {
	severities := []billing.Severity{billing.Block, billing.Flag, billing.Info}
	for _, s := range severities {
		if slices.ContainsFunc(findings, func(f billing.Finding) bool { return f.Severity == s }) {
			return string(s)
		}
	}
	return ""
}
