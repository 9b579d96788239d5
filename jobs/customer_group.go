package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// AddCustomerGroup adds a group of customers who pay the same prices.
func (o *Ops) AddCustomerGroup(ctx context.Context, tenant uuid.UUID, name string) (uuid.UUID, error) {
	id, name := uuid.Must(uuid.NewV7()), strings.TrimSpace(name)
	if n := len([]rune(name)); n == 0 || n > 100 {
		return uuid.Nil, ocpi.InvalidParameter("name", "1 to 100 characters", name)
	}
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		err := q.InsertCustomerGroup(ctx, db.InsertCustomerGroupParams{ID: id, TenantID: tenant, Name: name, CreatedAt: o.Now()})
		if db.IsDuplicate(err, "customer_groups_tenant_id_name_key") {
			return fmt.Errorf("customer group %q %w", name, ErrExists)
		} else if err != nil {
			return fmt.Errorf("insert customer group: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "tenant", tenant, "customer group added", map[string]string{"group": name})
	})
	return id, err
}

// PutIntoGroup puts a customer into a group, or with an empty name into none, for sessions that begin at validFrom or later (now,
// if it is zero) and until further notice: what was to change later is off. It may lie in the past; what has a price keeps it until
// it is rated anew.
func (o *Ops) PutIntoGroup(ctx context.Context, tenant uuid.UUID, customerNumber, group string, validFrom time.Time) error {
	if validFrom.IsZero() {
		validFrom = o.Now()
	}
	var waiting []uuid.UUID
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		customer, err := q.LockCustomerByNumber(ctx, db.LockCustomerByNumberParams{TenantID: tenant, Number: customerNumber})
		if errors.Is(err, db.ErrNotFound) {
			return ocpi.InvalidParameter("customer", "the number of a customer", customerNumber)
		} else if err != nil {
			return fmt.Errorf("lock customer: %w", err)
		}
		id, err := groupID(ctx, q, tenant, group)
		if err != nil {
			return err
		}
		p := db.ChangeCustomerGroupParams{TenantID: tenant, CustomerID: customer, GroupID: id, ValidFrom: validFrom, ChangedAt: o.Now(), ChangedBy: actor(ctx)}
		if err := q.ChangeCustomerGroup(ctx, p); err != nil {
			return fmt.Errorf("change group: %w", err)
		}
		detail := map[string]string{"customer": customerNumber, "group": group, "valid_from": validFrom.UTC().Format(time.RFC3339)}
		if err := event(ctx, q, o.Now(), tenant, "tenant", tenant, "customer group", detail); err != nil {
			return err
		}
		waiting, err = wakeWaiting(ctx, q, tenant, o.Now())
		return err
	})
	if err == nil {
		o.Bell.Ring(ctx, CDRRate, waiting...)
	}
	return err
}

// groupID finds a group by its name; an empty one is none.
func groupID(ctx context.Context, q *db.Queries, tenant uuid.UUID, name string) (uuid.NullUUID, error) {
	if name == "" {
		return uuid.NullUUID{}, nil
	}
	group, err := q.CustomerGroupByName(ctx, db.CustomerGroupByNameParams{TenantID: tenant, Name: name})
	if errors.Is(err, db.ErrNotFound) {
		return uuid.NullUUID{}, ocpi.InvalidParameter("group", "the name of a customer group", name)
	} else if err != nil {
		return uuid.NullUUID{}, fmt.Errorf("find customer group: %w", err)
	}
	return uuid.NullUUID{UUID: group.ID, Valid: true}, nil
}

// MarkOwn says whether the charge points of a party are the utility's own, as rules of its price book ask. It counts for what
// is rated from now on.
func (o *Ops) MarkOwn(ctx context.Context, tenant uuid.UUID, party ocpi.Party, own bool) error {
	var waiting []uuid.UUID
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		var err error
		if own {
			err = q.InsertOwnParty(ctx, db.InsertOwnPartyParams{TenantID: tenant, CountryCode: string(party.CountryCode), PartyID: string(party.PartyID), CreatedAt: o.Now()})
		} else {
			_, err = q.DeleteOwnParty(ctx, db.DeleteOwnPartyParams{TenantID: tenant, CountryCode: string(party.CountryCode), PartyID: string(party.PartyID)})
		}
		if err != nil {
			return fmt.Errorf("mark own party: %w", err)
		}
		if err := event(ctx, q, o.Now(), tenant, "tenant", tenant, "own charge points", map[string]string{"party": party.Fold().String(), "own": fmt.Sprint(own)}); err != nil {
			return err
		}
		waiting, err = wakeWaiting(ctx, q, tenant, o.Now())
		return err
	})
	if err == nil {
		o.Bell.Ring(ctx, CDRRate, waiting...)
	}
	return err
}
