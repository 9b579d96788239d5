package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// beginning is before every session that can be billed: contracts and plans without another date count from here, so that a
// card that is entered late still finds its sessions.
var beginning = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// NewCard is what a card is issued with.
type NewCard struct {
	Tenant   uuid.UUID
	UID      string
	Type     string // OCPI TokenType; empty: RFID
	Contract string // EMAID
	Visual   string // number printed on the card
	Plan     string // name of one that is agreed with a new contract; empty: the price book decides

	Whitelist string // OCPI WhitelistType; empty: NEVER for what lives in an app, else ALLOWED (TOK-13, TOK-14)
	Group     string // OCPI group_id: cards of one group may stop each other's sessions; at most 20 characters (TOK-29)

	CustomerID    uuid.NullUUID // who gets it, if that is known; else:
	Customer      string        // name; an existing customer of the same name and e-mail address gets another card
	CustomerGroup string        // name of the customer group of a new customer; empty: in none
	Email         string
	MasterData    db.InsertCustomerParams // of a new customer, as far as known
	Mandate       *NewMandate
}

// Card is an issued card.
type Card struct {
	TokenID        uuid.UUID
	CustomerID     uuid.UUID
	CustomerNumber string
	ContractID     uuid.UUID
}

// IssueCard gives a customer a card: customer, contract and token, as far as they do not exist, and the deliveries to every
// partner of the utility. CDRs that wait for the card are looked at again.
func (o *Ops) IssueCard(ctx context.Context, n NewCard) (Card, error) {
	var card Card
	var waiting []uuid.UUID
	if n.Type == "" {
		n.Type = "RFID"
	}
	if n.Whitelist == "" {
		n.Whitelist = usualWhitelist(ocpi.TokenType(n.Type))
	}
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		if err := q.LockTenant(ctx, n.Tenant); err != nil { // customer numbers count up
			return fmt.Errorf("lock tenant: %w", err)
		}
		tenant, err := q.Tenant(ctx, n.Tenant)
		if err != nil {
			return fmt.Errorf("tenant: %w", err)
		}
		if tenant.ClosedAt != nil {
			return ErrClosed
		}
		customer, err := o.customerFor(ctx, q, n)
		if err != nil {
			return err
		}
		contract, err := o.contractFor(ctx, q, n, customer.ID)
		if err != nil {
			return err
		}
		card = Card{TokenID: uuid.Must(uuid.NewV7()), CustomerID: customer.ID, CustomerNumber: customer.Number, ContractID: contract}
		err = q.InsertToken(ctx, db.InsertTokenParams{
			ID: card.TokenID, TenantID: n.Tenant, ContractID: contract, UID: n.UID, Type: n.Type, VisualNumber: n.Visual, Issuer: tenant.Name,
			Valid: true, Whitelist: n.Whitelist, Language: customer.Language, GroupID: n.Group, Now: o.Now(),
		})
		if db.IsDuplicate(err, "tokens_uid") {
			return fmt.Errorf("card with UID %s %w", n.UID, ErrExists)
		} else if err != nil {
			return fmt.Errorf("insert token: %w", err)
		}
		if err := q.DistributeToken(ctx, db.DistributeTokenParams{TokenID: card.TokenID, Now: o.Now()}); err != nil {
			return fmt.Errorf("plan deliveries: %w", err)
		}
		if waiting, err = q.WakeWaitingCDRs(ctx, db.WakeWaitingCDRsParams{TenantID: n.Tenant, Now: o.Now()}); err != nil {
			return fmt.Errorf("wake waiting CDRs: %w", err)
		}
		return event(ctx, q, o.Now(), n.Tenant, "token", card.TokenID, "issued", nil)
	})
	if err != nil {
		return Card{}, err
	}
	o.Bell.Ring(ctx, TokenPush, card.TokenID)
	o.Bell.Ring(ctx, CDRRate, waiting...)
	return card, nil
}

// usualWhitelist is whether a CPO may decide about a token without asking, when nobody said otherwise: not about one that
// exists in an app only, because the platform is asked before each session anyway (TOK-14).
func usualWhitelist(t ocpi.TokenType) string {
	if t == ocpi.TokenAppUser || t == ocpi.TokenAdHocUser {
		return string(ocpi.WhitelistNever)
	}
	return string(ocpi.WhitelistAllowed)
}

// customerFor finds the customer of a card, or adds one. The caller holds the tenant's row.
func (o *Ops) customerFor(ctx context.Context, q *db.Queries, n NewCard) (db.Customer, error) {
	if n.CustomerID.Valid {
		return lockCustomer(ctx, q, n.Tenant, n.CustomerID.UUID)
	}
	customer, err := q.CustomerByNameAndEmail(ctx, db.CustomerByNameAndEmailParams{TenantID: n.Tenant, Name: n.Customer, Email: n.Email})
	if !errors.Is(err, db.ErrNotFound) {
		return customer, err
	}
	p := n.MasterData
	if p.GroupID, err = groupID(ctx, q, n.Tenant, n.CustomerGroup); err != nil {
		return db.Customer{}, err
	}
	p.ID, p.TenantID, p.Name, p.Email, p.CreatedAt = uuid.Must(uuid.NewV7()), n.Tenant, n.Customer, n.Email, o.Now()
	for field, usual := range map[*string]string{&p.Kind: "private", &p.Country: "DE", &p.Language: "de"} {
		if *field == "" {
			*field = usual
		}
	}
	if p.Number, err = q.NextCustomerNumber(ctx, n.Tenant); err != nil {
		return db.Customer{}, fmt.Errorf("number customer: %w", err)
	}
	if err := q.InsertCustomer(ctx, p); err != nil {
		return db.Customer{}, fmt.Errorf("insert customer: %w", err)
	}
	if m := n.Mandate; m != nil {
		m.Holder, m.IBAN = cmp.Or(m.Holder, n.Customer), billing.Tidy("payment.debtor_iban", m.IBAN)
		if err := o.insertMandate(ctx, q, n.Tenant, p.ID, *m); err != nil {
			return db.Customer{}, err
		}
	}
	if err := event(ctx, q, o.Now(), n.Tenant, "customer", p.ID, "added", nil); err != nil {
		return db.Customer{}, err
	}
	return q.Customer(ctx, p.ID)
}

// contractFor finds the customer's contract with this number, or adds one with the plan.
func (o *Ops) contractFor(ctx context.Context, q *db.Queries, n NewCard, customer uuid.UUID) (uuid.UUID, error) {
	contract, err := q.ContractByEMAID(ctx, db.ContractByEMAIDParams{TenantID: n.Tenant, ContractID: n.Contract})
	switch {
	case err == nil && contract.CustomerID != customer:
		return uuid.Nil, fmt.Errorf("contract %s of another customer %w", n.Contract, ErrExists)
	case err == nil && contract.ValidTo != nil && !contract.ValidTo.After(o.Now()):
		return uuid.Nil, refuse("contract-ended")
	case err == nil:
		return contract.ID, nil
	case !errors.Is(err, db.ErrNotFound):
		return uuid.Nil, fmt.Errorf("find contract: %w", err)
	}
	var agreed uuid.NullUUID
	if n.Plan != "" {
		plan, err := q.PlanByName(ctx, db.PlanByNameParams{TenantID: n.Tenant, Name: n.Plan})
		if errors.Is(err, db.ErrNotFound) {
			return uuid.Nil, ocpi.InvalidParameter("plan", "the name of a plan", n.Plan)
		} else if err != nil {
			return uuid.Nil, fmt.Errorf("plan %q: %w", n.Plan, err)
		}
		agreed = uuid.NullUUID{UUID: plan.ID, Valid: true}
	}
	id := uuid.Must(uuid.NewV7())
	err = q.InsertContract(ctx, db.InsertContractParams{
		ID: id, TenantID: n.Tenant, CustomerID: customer, PlanID: agreed, ContractID: n.Contract, ValidFrom: beginning, CreatedAt: o.Now(),
	})
	if err != nil {
		return uuid.Nil, fmt.Errorf("insert contract: %w", err)
	}
	return id, nil
}
