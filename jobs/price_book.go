package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// compiled keeps what was made of the versions of plans and price books that this process has read, by their ids. A version
// never changes, so what was once made of it stays right; there are few.
var compiled struct{ plans, books sync.Map }

// planVersion is a version of a plan, ready for pricing.
type planVersion struct {
	row    db.PlanVersion
	name   string
	retail *billing.Retail
}

// bookVersion is a version of a price book.
type bookVersion struct {
	row  db.PriceBook
	book billing.PriceBook
}

// planAt finds the version of a plan that counts for a session that begins at an instant.
func planAt(ctx context.Context, q *db.Queries, tenant uuid.UUID, name string, at time.Time) (*planVersion, error) {
	row, err := q.PlanVersionAt(ctx, db.PlanVersionAtParams{TenantID: tenant, Name: name, At: at})
	if err != nil {
		return nil, err
	}
	return compilePlan(row, name)
}

func compilePlan(row db.PlanVersion, name string) (*planVersion, error) {
	if known, ok := compiled.plans.Load(row.ID); ok {
		return known.(*planVersion), nil
	}
	plan, err := billing.ParsePlan(row.Doc)
	if err != nil {
		return nil, fmt.Errorf("version %d of plan %q: %w", row.Version, name, err)
	}
	made := &planVersion{row: row, name: name, retail: billing.NewRetail(plan)}
	compiled.plans.Store(row.ID, made)
	return made, nil
}

// planByID finds a version of a plan that somebody has referred to.
func planByID(ctx context.Context, q *db.Queries, id uuid.UUID) (*planVersion, error) {
	if known, ok := compiled.plans.Load(id); ok {
		return known.(*planVersion), nil
	}
	row, err := q.PlanVersion(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("plan version %s: %w", id, err)
	}
	return compilePlan(db.PlanVersion{ID: row.ID, PlanID: row.PlanID, Version: row.Version, Doc: row.Doc, ValidFrom: row.ValidFrom, CreatedAt: row.CreatedAt}, row.PlanName)
}

// bookAt finds the version of a utility's price book that counts for a session that begins at an instant. A utility may have
// none: then only agreed plans give a price.
func bookAt(ctx context.Context, q *db.Queries, tenant uuid.UUID, at time.Time) (*bookVersion, error) {
	row, err := q.PriceBookAt(ctx, db.PriceBookAtParams{TenantID: tenant, At: at})
	if errors.Is(err, db.ErrNotFound) {
		return &bookVersion{}, nil
	} else if err != nil {
		return nil, fmt.Errorf("find price book: %w", err)
	}
	return compileBook(row)
}

func compileBook(row db.PriceBook) (*bookVersion, error) {
	if known, ok := compiled.books.Load(row.ID); ok {
		return known.(*bookVersion), nil
	}
	book, err := billing.ParsePriceBook(row.Doc)
	if err != nil {
		return nil, fmt.Errorf("version %d of the price book: %w", row.Version, err)
	}
	made := &bookVersion{row: row, book: book}
	compiled.books.Store(row.ID, made)
	return made, nil
}

// id is how rows refer to the version: NULL where there is none.
func (b *bookVersion) id() uuid.NullUUID {
	return uuid.NullUUID{UUID: b.row.ID, Valid: b.row.ID != uuid.Nil}
}

// rule is the one that made a choice; nil for an agreement.
func (b *bookVersion) rule(c billing.Choice) *billing.BookRule {
	if c.Rule == billing.Agreed {
		return nil
	}
	return &b.book.Rules[c.Rule]
}

// chargePoint says of a connector what prices may depend on. The connector may be unknown, the CPO stands before its hub.
func chargePoint(ctx context.Context, q *db.Queries, tenant, partner uuid.UUID, cpo ocpi.Party) (billing.ChargePoint, error) {
	o, err := q.Ownership(ctx, db.OwnershipParams{TenantID: tenant, PartnerID: partner, CountryCode: string(cpo.CountryCode), CPOID: string(cpo.PartyID)})
	if err != nil {
		return billing.ChargePoint{}, fmt.Errorf("owner of the charge point: %w", err)
	}
	at := billing.ChargePoint{Own: o.Own, CPO: cpo.Fold()}
	if o.ThroughHub && o.PartyID != "" {
		at.Hub = partyOf(o.CountryCode, o.PartyID).Fold()
	}
	return at, nil
}

// SetPriceBook publishes a version of a utility's price book, for sessions that begin at validFrom or later. It may lie in the
// past as long as no session since then is priced by an earlier version. What waits for a price is looked at again.
//
// The document may have plans beside its rules (billing.ParseBookDraft): they are published with it, all of it or nothing.
func (o *Ops) SetPriceBook(ctx context.Context, tenant uuid.UUID, doc []byte, validFrom time.Time) (row db.PriceBook, err error) {
	book, plans, err := splitDraft(doc)
	if err != nil {
		return row, fmt.Errorf("price book: %w", err)
	}
	var waiting []uuid.UUID
	err = o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, tenant); err != nil { // versions count up
			return fmt.Errorf("lock tenant: %w", err)
		}
		if row, err = publishPrices(ctx, q, o.Now(), tenant, book, plans, validFrom); err != nil {
			return err
		}
		waiting, err = wakeWaiting(ctx, q, tenant, o.Now())
		return err
	})
	if err == nil {
		o.Bell.Ring(ctx, CDRRate, waiting...)
	}
	return row, err
}

// splitDraft takes the plans out of a document that has them beside the rules of a price book.
func splitDraft(doc []byte) (book []byte, plans map[string]json.RawMessage, err error) {
	if _, err := billing.ParseBookDraft(doc); err != nil {
		return nil, nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc, &members); err != nil {
		return nil, nil, err
	}
	if members["plans"] != nil {
		if err := json.Unmarshal(members["plans"], &plans); err != nil {
			return nil, nil, err
		}
		delete(members, "plans")
	}
	book, err = json.Marshal(members)
	return book, plans, err
}

// publishPrices adds a version of the price book and of the plans that it brings along. A plan that is new counts for sessions
// of any time, but no rule leads to it before.
func publishPrices(ctx context.Context, q *db.Queries, now time.Time, tenant uuid.UUID, book []byte, plans map[string]json.RawMessage, validFrom time.Time) (db.PriceBook, error) {
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		plan, err := q.LockPlan(ctx, db.LockPlanParams{TenantID: tenant, Name: name})
		switch {
		case errors.Is(err, db.ErrNotFound):
			_, err = addPlan(ctx, q, now, tenant, name, false, plans[name])
		case err == nil:
			_, err = addPlanVersion(ctx, q, now, plan, plans[name], validFrom)
		}
		if err != nil {
			return db.PriceBook{}, err
		}
	}
	return addPriceBook(ctx, q, now, tenant, book, validFrom)
}

func addPriceBook(ctx context.Context, q *db.Queries, now time.Time, tenant uuid.UUID, doc []byte, validFrom time.Time) (db.PriceBook, error) {
	if _, err := readPriceBook(ctx, q, tenant, doc); err != nil {
		return db.PriceBook{}, err
	}
	last, err := q.LastPriceBook(ctx, tenant)
	if err != nil {
		return db.PriceBook{}, fmt.Errorf("number price book: %w", err)
	}
	p := db.InsertPriceBookParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: tenant, Version: last + 1, Doc: doc, ValidFrom: validFrom, CreatedAt: now, CreatedBy: actor(ctx),
	}
	if err := q.InsertPriceBook(ctx, p); db.IsCheckViolation(err, "price_books_ahead") {
		return db.PriceBook{}, tooEarly(validFrom)
	} else if err != nil {
		return db.PriceBook{}, fmt.Errorf("insert price book: %w", err)
	}
	if err := event(ctx, q, now, tenant, "tenant", tenant, "price book", map[string]string{"version": fmt.Sprint(p.Version), "valid_from": validFrom.UTC().Format(time.RFC3339)}); err != nil {
		return db.PriceBook{}, err
	}
	return q.PriceBook(ctx, p.ID)
}

// tooEarly refuses a version that would change the price of what is priced.
func tooEarly(validFrom time.Time) error {
	return ocpi.InvalidParameter("valid_from", "later than every session that is priced by an earlier version", validFrom.UTC().Format(time.RFC3339))
}

// readPriceBook reads a book, which may have plans beside its rules, and finds what it names.
func readPriceBook(ctx context.Context, q *db.Queries, tenant uuid.UUID, doc []byte) (billing.PriceBook, error) {
	draft, err := billing.ParseBookDraft(doc)
	if err != nil {
		return draft.Book, fmt.Errorf("price book: %w", err)
	}
	plans, err := q.PlanNames(ctx, tenant)
	if err != nil {
		return draft.Book, fmt.Errorf("names of plans: %w", err)
	}
	groups, err := groupNames(ctx, q, tenant)
	if err != nil {
		return draft.Book, err
	}
	if err := draft.Book.Unknown(append(plans, slices.Collect(maps.Keys(draft.Plans))...), groups); err != nil {
		return draft.Book, fmt.Errorf("price book: %w", err)
	}
	return draft.Book, nil
}

func groupNames(ctx context.Context, q *db.Queries, tenant uuid.UUID) ([]string, error) {
	names, err := q.CustomerGroupNames(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("customer groups: %w", err)
	}
	return names, nil
}

// wakeWaiting makes everything of a utility due that waits for master data. The caller rings after its commit.
func wakeWaiting(ctx context.Context, q *db.Queries, tenant uuid.UUID, now time.Time) ([]uuid.UUID, error) {
	waiting, err := q.WakeWaitingCDRs(ctx, db.WakeWaitingCDRsParams{TenantID: tenant, Now: now})
	if err != nil {
		return nil, fmt.Errorf("wake waiting CDRs: %w", err)
	}
	return waiting, nil
}

// worldOf is what is known of the CPOs that a utility's customers can use.
func worldOf(networks []db.NetworksOfTenantRow) billing.World {
	w := billing.World{Hubs: map[ocpi.Party][]ocpi.Party{}}
	direct := map[ocpi.Party]bool{}
	for _, n := range networks {
		cpo := partyOf(n.CountryCode, n.PartyID).Fold()
		if n.Own && !slices.Contains(w.Own, cpo) {
			w.Own = append(w.Own, cpo)
		}
		if n.ThroughHub {
			w.Hubs[cpo] = append(w.Hubs[cpo], partyOf(n.HubCountry, n.HubParty).Fold())
		} else {
			direct[cpo] = true
		}
	}
	for cpo := range w.Hubs { // one that is connected directly too need not come through the hub
		if direct[cpo] {
			delete(w.Hubs, cpo)
		}
	}
	return w
}
