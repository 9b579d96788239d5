package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/json"
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

// waitForMasterData is how long a CDR waits before it is looked at again, when nothing wakes it earlier. It is never given up.
const waitForMasterData = 24 * time.Hour

// rateCDR turns one received CDR into a checked, rated, explained and booked one. It runs in one transaction that holds the
// CDR's row, so a CDR is rated exactly once however often its bell rings.
func (w *Worker) rateCDR(ctx context.Context, id uuid.UUID) error {
	var rated rating
	err := w.DB.Tx(ctx, func(q *db.Queries) error {
		state, err := q.LockCDR(ctx, id)
		if err != nil {
			return err
		}
		if state.DueAt == nil || state.DueAt.After(w.Now()) {
			return nil // another worker was faster, or it rang too early
		}
		stored, err := q.RawCDR(ctx, db.RawCDRParams{ID: id, ReceivedAt: state.ReceivedAt})
		if err != nil {
			return fmt.Errorf("raw CDR: %w", err)
		}
		cdr, err := ReadCDR(stored.Version, stored.Raw, partyOf(state.CountryCode, state.PartyID))
		if err != nil {
			return err
		}
		rated = rating{Worker: w, q: q, state: state, raw: stored.Raw, cdr: &cdr, now: w.Now()}
		rated.began, rated.ended = cdr.Times()
		if cdr.Credit {
			return rated.credit(ctx)
		}
		return rated.rate(ctx)
	})
	if err != nil || rated.cdr == nil || rated.cdr.Credit {
		return err
	}
	return rated.wakeCredits(ctx)
}

// rating is the rating of one CDR in progress.
type rating struct {
	*Worker
	q     *db.Queries
	state db.CDRState // locked; written back by save
	raw   []byte
	cdr   *ocpi.CDR
	now   time.Time

	began, ended time.Time // the session, as far as the CDR tells (CDR-25)
}

func (r *rating) rate(ctx context.Context) error {
	token, err := r.token(ctx)
	if errors.Is(err, db.ErrNotFound) {
		return r.wait(ctx, "no-card")
	} else if err != nil {
		return fmt.Errorf("find token: %w", err)
	}
	r.state.TokenID = uuid.NullUUID{UUID: token.TokenID, Valid: true}
	r.state.CustomerID = uuid.NullUUID{UUID: token.CustomerID, Valid: true}

	place, err := r.place(ctx)
	if err != nil {
		return err
	}
	wholesale, inputs, err := r.wholesale(ctx, place)
	if err != nil {
		return err
	}
	verdict := billing.Check(r.cdr, wholesale, billing.DefaultTolerance)

	version, err := r.q.PlanVersionAt(ctx, db.PlanVersionAtParams{PlanID: token.PlanID, At: r.began})
	if errors.Is(err, db.ErrNotFound) {
		return r.wait(ctx, "no-plan")
	} else if err != nil {
		return fmt.Errorf("find plan: %w", err)
	}
	plan, err := billing.ParsePlan(version.Doc)
	if err != nil {
		return fmt.Errorf("plan version %s: %w", version.ID, err)
	}
	tariff, _ := plan.Compile()
	retail := billing.Rate(r.cdr, []*billing.Tariff{tariff}, place.zone, billing.DefaultPolicy)
	inputs = append(inputs, version.Doc)

	vat, err := billing.DecideVAT(place.country, r.ended.In(place.zoneOrUTC()), false)
	if errors.Is(err, billing.ErrNoTaxRule) {
		r.state.State, r.state.Reason = "held", "no-tax-rule"
		return r.save(ctx, "rate")
	} else if err != nil {
		return err
	}
	items, net, gross := billing.Items(retail, vat)

	findings := billing.Judge(billing.Evidence{
		CDR: r.cdr, Wholesale: wholesale, Verdict: verdict, Retail: retail, RetailNet: net,
		ReceivedAt: r.state.ReceivedAt, MaxPower: place.maxPower(),
	})
	if tenant, err := r.q.Tenant(ctx, r.state.TenantID); err != nil {
		return fmt.Errorf("tenant: %w", err)
	} else if place.country != tenant.Country {
		findings = append(findings, foreignVAT(place.country, vat))
	}
	ratingID, err := r.supersede(ctx, db.InsertRatingParams{
		TenantID: r.state.TenantID, CDRID: r.state.CDRID, RatedAt: r.now,
		Engine: billing.EngineVersion, Currency: r.cdr.Currency,
		PlanVersionID: uuid.NullUUID{UUID: version.ID, Valid: true},
		ClaimedNet:    r.cdr.TotalCost.ExclVAT.Decimal, ComputedNet: billing.Round(wholesale.Total.ExclVAT, 4),
		RetailNet: net, RetailGross: gross,
		Wholesale: frozen(wholesale), Verdict: frozen(verdict), Retail: frozen(retail), Findings: frozen(findings),
		InputsSHA256: hashInputs(r.raw, inputs),
	})
	if err != nil {
		return err
	}

	r.state.RatingID = uuid.NullUUID{UUID: ratingID, Valid: true}
	r.state.Flags = flags(findings)
	r.state.State, r.state.Reason = "rated", ""
	if r.cdr.HomeChargingCompensation { // it is the utility that owes the driver (CDR-24)
		r.state.State, r.state.Reason = "held", "home-charging"
	} else if worst := billing.Worst(findings); worst == billing.Block {
		r.state.State, r.state.Reason = "held", "rule"
	} else if err := r.book(ctx, ratingID, items, vat); err != nil {
		return err
	}
	if !verdict.Agrees {
		r.state.CPOState = "disputed"
	}
	return r.save(ctx, "rate")
}

// token finds the token of the CDR. A CDR of OCPI 2.1.1 names the contract alone: the token is the one that the door has found
// of it, and of a contract that was unknown then the one that there is now.
func (r *rating) token(ctx context.Context) (db.TokenForCDRRow, error) {
	named := r.cdr.CDRToken
	if named.UID == ocpi.NotApplicable {
		named.UID, named.Type = ocpi.CiString(r.state.TokenUID), ""
		if err := FillToken(ctx, r.q, []uuid.UUID{r.state.TenantID}, &named); err != nil {
			return db.TokenForCDRRow{}, err
		}
	}
	return r.q.TokenForCDR(ctx, db.TokenForCDRParams{TenantID: r.state.TenantID, UID: string(named.UID), Type: string(named.Type)})
}

// foreignVAT reminds a clerk that a session abroad bears the VAT of that country, for which the utility must be registered.
func foreignVAT(country string, vat billing.VAT) billing.Finding {
	return billing.Finding{
		Code: "foreign-vat", Severity: billing.Flag, Path: "cdr_location.country",
		Message: fmt.Sprintf("charged in %s: taxed there at %s %%", country, vat.Rate), Params: map[string]string{"country": country, "rate": vat.Rate.String()},
	}
}

// place is what our own data says of the charge point of a CDR.
type place struct {
	zone      *time.Location  // nil: unknown
	country   string          // ISO 3166-1 alpha-2
	connector *ocpi.Connector // nil: unknown
}

func (p place) zoneOrUTC() *time.Location {
	if p.zone == nil {
		return time.UTC
	}
	return p.zone
}

// place looks the Location up. A CDR has no time zone (PRC-09), and its location may never have been published to us
// (LOC-24): then a country with a single zone decides.
func (r *rating) place(ctx context.Context) (place, error) {
	p := place{country: billing.Alpha2(r.cdr.CDRLocation.Country)}
	p.zone = billing.ZoneOf(r.cdr.CDRLocation.Country)
	row, err := r.q.LocationDoc(ctx, db.LocationDocParams{CountryCode: string(r.cdr.CountryCode), PartyID: string(r.cdr.PartyID), LocationID: string(r.cdr.CDRLocation.ID)})
	if errors.Is(err, db.ErrNotFound) {
		return p, nil
	} else if err != nil {
		return p, fmt.Errorf("find location: %w", err)
	}
	if zone, err := time.LoadLocation(row.TimeZone); err == nil && row.TimeZone != "" {
		p.zone = zone
	}
	var location ocpi.Location
	if err := ocpi.UnmarshalLenient(row.Doc, &location); err != nil {
		return p, fmt.Errorf("decode stored location: %w", err)
	}
	r.cdr.FillPlace(&location) // as the door did
	p.country = billing.Alpha2(r.cdr.CDRLocation.Country)
	p.connector = connectorOf(&location, r.cdr.CDRLocation)
	return p, nil
}

// connectorOf is the connector that a CDR names, nil if we do not know it or there was none (TRN-29).
func connectorOf(location *ocpi.Location, at ocpi.CDRLocation) *ocpi.Connector {
	if at.EVSEUID == ocpi.NotApplicable || at.ConnectorID == ocpi.NotApplicable {
		return nil
	}
	for _, evse := range location.EVSEs {
		for i, c := range evse.Connectors {
			if evse.UID.Equal(at.EVSEUID) && c.ID.Equal(at.ConnectorID) {
				return &evse.Connectors[i]
			}
		}
	}
	return nil
}

// maxPower is the nominal power of the connector in kW.
func (p place) maxPower() decimal.NullDecimal {
	if p.connector == nil || p.connector.MaxElectricPower == nil || *p.connector.MaxElectricPower <= 0 {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(decimal.NewFromInt(int64(*p.connector.MaxElectricPower)).Shift(-3))
}

// wholesale prices the CDR by the CPO's tariffs and returns the documents that it used.
func (r *rating) wholesale(ctx context.Context, p place) (billing.Rating, [][]byte, error) {
	docs, err := r.tariffs(ctx, p)
	if err != nil {
		return billing.Rating{}, nil, err
	}
	var inputs [][]byte
	tariffs := make([]*billing.Tariff, 0, len(docs))
	var findings []billing.Finding
	for _, doc := range docs {
		tariff, found := billing.Compile(doc, billing.CompileOptions{})
		tariffs, findings = append(tariffs, tariff), append(findings, found...)
		inputs = append(inputs, []byte(tariff.Hash))
	}
	wholesale := billing.Rate(r.cdr, tariffs, p.zone, billing.DefaultPolicy)
	wholesale.Findings = append(wholesale.Findings, findings...)
	return wholesale, inputs, nil
}

// tariffs are those inside the CDR. Where it has none: the versions that we held at the start of the session of the tariffs
// that its periods name, or else the one of the connector's that is for a session such as this (PRC-02).
func (r *rating) tariffs(ctx context.Context, p place) ([]ocpi.Tariff, error) {
	if len(r.cdr.Tariffs) > 0 {
		return r.cdr.Tariffs, nil
	}
	var ids []ocpi.CiString
	for _, period := range r.cdr.ChargingPeriods {
		if period.TariffID != "" {
			ids = append(ids, period.TariffID)
		}
	}
	ofConnector := len(ids) == 0 && p.connector != nil
	if ofConnector {
		ids = p.connector.TariffIDs
	}
	var docs []ocpi.Tariff
	for _, id := range ids {
		if knows(docs, id) {
			continue
		}
		row, err := r.q.TariffAt(ctx, db.TariffAtParams{CountryCode: string(r.cdr.CountryCode), PartyID: string(r.cdr.PartyID), TariffID: string(id), At: r.began})
		if errors.Is(err, db.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("find tariff: %w", err)
		}
		var doc ocpi.Tariff
		if err := ocpi.UnmarshalLenient(row.Doc, &doc); err != nil {
			return nil, fmt.Errorf("decode stored tariff: %w", err)
		}
		docs = append(docs, doc)
	}
	if ofConnector {
		chosen, ok := billing.Choose(docs, r.began, "")
		if !ok {
			return nil, nil
		}
		return []ocpi.Tariff{chosen}, nil
	}
	return docs, nil
}

func knows(docs []ocpi.Tariff, id ocpi.CiString) bool {
	for _, doc := range docs {
		if doc.ID.Equal(id) {
			return true
		}
	}
	return false
}

// supersede stores a new rating in the place of the current one and withdraws the items of that one that are on no invoice.
func (r *rating) supersede(ctx context.Context, p db.InsertRatingParams) (uuid.UUID, error) {
	if _, err := r.q.SupersedeRating(ctx, db.SupersedeRatingParams{CDRID: p.CDRID, Now: r.now}); err != nil {
		return uuid.Nil, fmt.Errorf("supersede rating: %w", err)
	}
	if err := r.withdraw(ctx, p.CDRID); err != nil {
		return uuid.Nil, err
	}
	var err error
	if p.Seq, err = r.q.NextRatingSeq(ctx, p.CDRID); err != nil {
		return uuid.Nil, fmt.Errorf("number rating: %w", err)
	}
	p.ID = uuid.Must(uuid.NewV7())
	if err := r.q.InsertRating(ctx, p); err != nil {
		return uuid.Nil, fmt.Errorf("insert rating: %w", err)
	}
	return p.ID, nil
}

// withdraw removes the items of a CDR that are on no issued invoice. A draft that loses an item this way cannot be issued
// until the next run has made it anew.
func (r *rating) withdraw(ctx context.Context, cdr uuid.UUID) error {
	drafts, err := r.q.WithdrawItems(ctx, cdr)
	if err != nil {
		return fmt.Errorf("withdraw items: %w", err)
	}
	for _, id := range drafts {
		if !id.Valid {
			continue
		}
		if err := r.q.OutdateDraft(ctx, db.OutdateDraftParams{ID: id.UUID, Problems: frozen(outdated)}); err != nil {
			return fmt.Errorf("outdate draft: %w", err)
		}
	}
	return nil
}

var outdated = []billing.Problem{{
	Field: "lines",
	DE:    "Ein Ladevorgang auf diesem Entwurf hat sich geändert. Der nächste Rechnungslauf erstellt den Entwurf neu.",
	EN:    "A session on this draft has changed. The next invoice run makes the draft anew.",
}}

// book writes the line items of a rating.
func (r *rating) book(ctx context.Context, ratingID uuid.UUID, items []billing.Item, vat billing.VAT) error {
	for i, item := range items {
		err := r.q.InsertLineItem(ctx, db.InsertLineItemParams{
			ID: uuid.Must(uuid.NewV7()), CreatedAt: r.now, TenantID: r.state.TenantID, CustomerID: r.state.CustomerID.UUID,
			CDRID: r.state.CDRID, RatingID: ratingID, Position: int32(i + 1),
			Dimension: string(item.Line.Dimension), Quantity: item.Line.Quantity, Unit: string(item.Line.Unit), UnitPrice: item.Line.Price,
			TaxIncluded: item.Line.TaxIncluded, VATCategory: string(vat.Category), VATRate: vat.Rate, Net: item.Net, Gross: item.Gross,
			Currency: r.cdr.Currency, ServiceStart: r.began, ServiceEnd: r.ended,
		})
		if err != nil {
			return fmt.Errorf("insert line item %d: %w", i+1, err)
		}
	}
	return nil
}

// wait parks a CDR until master data is added; adding it wakes the CDR.
func (r *rating) wait(ctx context.Context, reason string) error {
	r.state.State, r.state.Reason = "waiting", reason
	return r.saveDue(ctx, "wait", ptr(r.now.Add(waitForMasterData)))
}

// save moves the state, writes the event of the timeline and leaves nothing due.
func (r *rating) save(ctx context.Context, what string) error { return r.saveDue(ctx, what, nil) }

func (r *rating) saveDue(ctx context.Context, what string, due *time.Time) error {
	if err := setCDRState(ctx, r.q, r.state, due, r.now); err != nil {
		return err
	}
	detail := map[string]string{"state": r.state.State}
	if r.state.Reason != "" {
		detail["reason"] = r.state.Reason
	}
	return event(ctx, r.q, r.now, r.state.TenantID, "cdr", r.state.CDRID, what, detail)
}

func setCDRState(ctx context.Context, q *db.Queries, s db.CDRState, due *time.Time, now time.Time) error {
	err := q.SetCDRState(ctx, db.SetCDRStateParams{
		CDRID: s.CDRID, State: s.State, Reason: s.Reason, Flags: s.Flags, RatingID: s.RatingID, TokenID: s.TokenID,
		CustomerID: s.CustomerID, CPOState: s.CPOState, DueAt: due, Attempts: 0, Now: now,
	})
	if err != nil {
		return fmt.Errorf("move CDR to %s: %w", s.State, err)
	}
	return nil
}

func (w *Worker) postponeCDR(ctx context.Context, id uuid.UUID, reason error) error {
	return w.DB.Tx(ctx, func(q *db.Queries) error {
		state, err := q.LockCDR(ctx, id)
		if err != nil || state.DueAt == nil {
			return err
		}
		return q.PostponeCDR(ctx, db.PostponeCDRParams{CDRID: id, DueAt: ptr(w.Now().Add(backoff(state.Attempts))), Reason: "error: " + reason.Error(), Now: w.Now()})
	})
}

// frozen is a value as it is kept for ever: JSON with the names of the Go fields.
func frozen(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // our own plain structs: a programming error
		panic(fmt.Sprintf("freeze %T: %v", v, err))
	}
	return b
}

// hashInputs proves later what a rating was computed from.
func hashInputs(raw []byte, docs [][]byte) []byte {
	h := sha256.New()
	for _, part := range append([][]byte{raw, []byte(billing.EngineVersion)}, docs...) {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return h.Sum(nil)
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

func ptr[T any](v T) *T { return &v }
