package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// BookCheck is what is worth knowing of a price book before it is published.
type BookCheck struct {
	Refused     error // why it cannot be published; nil: it can
	Groups      []string
	Networks    []billing.Network
	Cells       []billing.Cell // of each group, then of customers in none, the networks in their order
	Unreachable []int          // indexes of rules that never count
	Fees        []BookFeeCheck
	Samples     []BookSample
	Book        billing.PriceBook
}

// BookFeeCheck is the plan whose fees a customer group pays.
type BookFeeCheck struct {
	Group string // empty: customers in none
	Plan  string // empty: none
}

// BookSample is a session of the last months and the plan that the book would give it.
type BookSample struct {
	CDR        uuid.UUID
	OCPIID     string
	StartedAt  time.Time
	Place      string
	Currency   string
	Charged    decimal.Decimal // with VAT
	Plan, Rule string          // as it was rated; the rule is empty for an agreement
	NewPlan    string          // empty: a hole
	NewRule    string
}

const (
	sampleSpan = 90 * 24 * time.Hour // how far back sessions are tried
	samples    = 200
)

// CheckPriceBook looks at a book that is not published, with the plans that it may have beside its rules. The error is one of looking; what is wrong with the book is in the
// result.
func (o *Ops) CheckPriceBook(ctx context.Context, tenant uuid.UUID, doc []byte) (BookCheck, error) {
	var c BookCheck
	var refused *ocpi.Error
	q := o.DB.Queries
	book, err := readPriceBook(ctx, q, tenant, doc)
	if errors.As(err, &refused) {
		c.Refused = refused
		if book.Rules == nil {
			return c, nil
		}
	} else if err != nil {
		return c, err
	}
	c.Book = book
	if c.Groups, err = groupNames(ctx, q, tenant); err != nil {
		return c, err
	}
	rows, err := q.NetworksOfTenant(ctx, tenant)
	if err != nil {
		return c, fmt.Errorf("networks: %w", err)
	}
	c.Networks = networksOf(rows)
	groups := append(append([]string{}, c.Groups...), "")
	c.Cells = book.Matrix(groups, c.Networks)
	c.Unreachable = book.Unreachable(worldOf(rows))
	for _, group := range groups {
		choice, _ := book.FeePlan(&billing.Buyer{Group: group})
		c.Fees = append(c.Fees, BookFeeCheck{Group: group, Plan: choice.Plan})
	}
	return c, c.try(ctx, q, tenant, o.Now().Add(-sampleSpan))
}

// networksOf are the columns of the price matrix: each CPO with alternating and with direct current, through each hub.
func networksOf(rows []db.NetworksOfTenantRow) []billing.Network {
	var networks []billing.Network
	for _, n := range rows {
		cpo := partyOf(n.CountryCode, n.PartyID).Fold()
		at := billing.ChargePoint{Own: n.Own, CPO: cpo, Country: billing.Alpha2(n.CountryCode)}
		name := cpo.String()
		if n.Name != "" {
			name = n.Name + " (" + name + ")"
		}
		if n.ThroughHub {
			at.Hub = partyOf(n.HubCountry, n.HubParty).Fold()
		}
		for _, at.Current = range []billing.Current{billing.AC, billing.DC} {
			networks = append(networks, billing.Network{Name: name + " " + string(at.Current), At: at})
		}
	}
	return networks
}

// try applies the book to sessions that were rated: the last of each CPO, kind of current and customer group.
func (c *BookCheck) try(ctx context.Context, q *db.Queries, tenant uuid.UUID, since time.Time) error {
	rows, err := q.SampleSessions(ctx, db.SampleSessionsParams{TenantID: tenant, Since: since, MaxRows: samples})
	if err != nil {
		return fmt.Errorf("sample sessions: %w", err)
	}
	for _, row := range rows {
		var was Choice
		if err := json.Unmarshal(row.Choice, &was); err != nil {
			return fmt.Errorf("choice of CDR %s: %w", row.OCPIID, err)
		}
		s := BookSample{CDR: row.CDRID, OCPIID: row.OCPIID, StartedAt: row.StartedAt, Place: row.Place, Currency: row.Currency, Charged: row.RetailGross, Plan: was.Plan}
		if was.Rule != nil {
			s.Rule = was.Rule.ID
		}
		if choice, ok := c.Book.Choose(&was.Buyer, &was.At); ok {
			s.NewPlan = choice.Plan
			if choice.Rule != billing.Agreed {
				s.NewRule = c.Book.Rules[choice.Rule].ID
			}
		}
		c.Samples = append(c.Samples, s)
	}
	return nil
}
