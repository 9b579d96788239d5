package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// AddPriceDraft begins a draft of a price book, as a copy of the newest version.
func (o *Ops) AddPriceDraft(ctx context.Context, tenant uuid.UUID, name string) (uuid.UUID, error) {
	if err := properName(name); err != nil {
		return uuid.Nil, err
	}
	books, err := o.DB.PriceBooks(ctx, tenant)
	if err != nil {
		return uuid.Nil, fmt.Errorf("price books: %w", err)
	}
	doc := []byte(`{"rules": []}`)
	if n := len(books); n > 0 {
		doc = books[n-1].Doc
	}
	p := db.InsertPriceDraftParams{ID: uuid.Must(uuid.NewV7()), TenantID: tenant, Name: name, Book: doc, Now: o.Now(), Actor: actor(ctx)}
	if err := o.DB.InsertPriceDraft(ctx, p); err != nil {
		return uuid.Nil, fmt.Errorf("insert draft: %w", err)
	}
	return p.ID, nil
}

// properName refuses what cannot be the name of a plan or a draft.
func properName(name string) error {
	if n := len([]rune(strings.TrimSpace(name))); n == 0 || n > 100 {
		return ocpi.InvalidParameter("name", "1 to 100 characters", name)
	}
	return nil
}

// ChangePriceDraft changes a draft. What is wrong with its book is kept, and said by CheckPriceBook.
func (o *Ops) ChangePriceDraft(ctx context.Context, tenant, id uuid.UUID, change func(*db.PriceDraft) error) error {
	return o.DB.Tx(ctx, func(q *db.Queries) error {
		draft, err := q.LockPriceDraft(ctx, db.LockPriceDraftParams{ID: id, TenantID: tenant})
		if err != nil {
			return err
		}
		if err := change(&draft); err != nil {
			return err
		}
		if err := properName(draft.Name); err != nil {
			return err
		}
		return q.ChangePriceDraft(ctx, db.ChangePriceDraftParams{ID: id, Name: draft.Name, Book: draft.Book, Plans: draft.Plans, Now: o.Now(), Actor: actor(ctx)})
	})
}

// DraftPlans are the plans of a draft by name.
func DraftPlans(draft db.PriceDraft) (map[string]json.RawMessage, error) {
	plans := map[string]json.RawMessage{}
	if err := json.Unmarshal(draft.Plans, &plans); err != nil {
		return nil, fmt.Errorf("plans of draft %s: %w", draft.ID, err)
	}
	return plans, nil
}

// SetDraftPlan puts a plan into a draft: in place of the published one of that name, or a new one, which rules of the draft can
// name at once; without a document it takes it out again.
func (o *Ops) SetDraftPlan(ctx context.Context, tenant, id uuid.UUID, name string, doc []byte) error {
	if doc != nil {
		if err := properName(name); err != nil {
			return err
		}
		if _, err := billing.ParsePlan(doc); err != nil {
			return err
		}
	}
	return o.ChangePriceDraft(ctx, tenant, id, func(draft *db.PriceDraft) error {
		plans, err := DraftPlans(*draft)
		if err != nil {
			return err
		}
		if plans[name] = doc; doc == nil {
			delete(plans, name)
		}
		draft.Plans, err = json.Marshal(plans)
		return err
	})
}

// DraftDoc is a draft as one document: its plans stand beside the rules (billing.ParseBookDraft).
func DraftDoc(draft db.PriceDraft) ([]byte, error) {
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(draft.Book, &members); err != nil {
		return nil, fmt.Errorf("book of draft %s: %w", draft.ID, err)
	}
	members["plans"] = draft.Plans
	return json.Marshal(members)
}

// PublishPriceDraft turns a draft into the next version of the price book, and of the plans that it brings along, for sessions
// that begin at validFrom or later. All of it or nothing; the draft is gone then.
func (o *Ops) PublishPriceDraft(ctx context.Context, tenant, id uuid.UUID, validFrom time.Time) error {
	var waiting []uuid.UUID
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, tenant); err != nil { // versions count up
			return fmt.Errorf("lock tenant: %w", err)
		}
		draft, err := q.LockPriceDraft(ctx, db.LockPriceDraftParams{ID: id, TenantID: tenant})
		if err != nil {
			return err
		}
		plans, err := DraftPlans(draft)
		if err != nil {
			return err
		}
		if _, err := publishPrices(ctx, q, o.Now(), tenant, draft.Book, plans, validFrom); err != nil {
			return err
		}
		if _, err := q.DropPriceDraft(ctx, db.DropPriceDraftParams{ID: id, TenantID: tenant}); err != nil {
			return fmt.Errorf("drop draft: %w", err)
		}
		waiting, err = wakeWaiting(ctx, q, tenant, o.Now())
		return err
	})
	if err == nil {
		o.Bell.Ring(ctx, CDRRate, waiting...)
	}
	return err
}
