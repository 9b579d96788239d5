package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
)

// reimbursementCmd administers agreements with those whom the utility pays.
type reimbursementCmd struct {
	Add    reimbursementAddCmd    `cmd:"" help:"Agree to pay somebody for sessions: who charges at home (or his employer), or who hosts charge points. The run bills it in the payee's name."`
	List   reimbursementListCmd   `cmd:"" help:"List the agreements of a utility."`
	End    reimbursementEndCmd    `cmd:"" help:"End an agreement. What was paid for sessions behind its end is taken back on the payee's next document."`
	Object reimbursementObjectCmd `cmd:"" help:"Note a payee's objection to a self-billed document: it is cancelled by a document of its own (§ 14(2) UStG)."`
}

type reimbursementAddCmd struct {
	Tenant    string          `required:"" help:"Utility, for example DE*SWX."`
	Payee     string          `required:"" help:"Customer number of the payee."`
	Kind      string          `required:"" help:"home: electricity that is charged at home; host: charge points at the payee's place." enum:"home,host"`
	EVSE      string          `name:"evse" help:"EVSE id of the charge point."`
	Location  string          `help:"Location, as DE*ABC*LOC1."`
	Card      string          `help:"Card, by uid or printed number; at home only. Alone it stands for what its CDRs say was charged at home."`
	Basis     string          `help:"What is paid for." enum:"kwh,session,percent" default:"kwh"`
	Price     decimal.Decimal `required:"" help:"Price without VAT: of a kWh or a session, or percent of what the session is sold for."`
	Charged   bool            `help:"At home: the contract of the card pays for the session by its plan. Without it nobody does."`
	VAT       string          `name:"vat" required:"" help:"outside: no taxable supply (private person, employee); exempt: small business (§ 19 UStG); standard: taxed." enum:"outside,exempt,standard"`
	TaxNumber string          `help:"Tax number of a payee without a VAT id."`
	Phone     string          `help:"Telephone number of the payee, which an XRechnung needs."`
	Agreed    calendarDay     `required:"" help:"Day on which self-billing was agreed (§ 14(2) sentence 2 UStG)." placeholder:"DAY"`
	IBAN      string          `name:"iban" required:"" help:"Account to which the amounts go."`
	Holder    string          `help:"Holder of the account (default: the payee)."`
	From      calendarDay     `required:"" help:"First day." placeholder:"DAY"`
	Until     *calendarDay    `help:"Last day (default: until further notice)." placeholder:"DAY"`
}

// Run adds.
func (c reimbursementAddCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		n := jobs.NewReimbursement{
			Payee: c.Payee, Kind: c.Kind, EVSE: c.EVSE, Location: c.Location, Card: c.Card, Basis: billing.Basis(c.Basis), Price: c.Price, Charged: c.Charged, VAT: billing.PayeeVAT(c.VAT),
			TaxNumber: c.TaxNumber, Phone: c.Phone, AgreedOn: c.Agreed.Time, Holder: c.Holder, IBAN: c.IBAN, From: c.From.Time,
		}
		if c.Until != nil {
			n.Until = c.Until.Time
		}
		id, err := a.ops().AddReimbursement(o.ctx, tenant.ID, n)
		if err != nil {
			return nil, err
		}
		return map[string]any{"id": id}, nil
	})
}

type reimbursementListCmd struct {
	Tenant string `required:"" help:"Utility, for example DE*SWX."`
	Payee  string `help:"Customer number; everybody when empty."`
}

// listedReimbursement is an agreement as commands print it.
type listedReimbursement struct {
	ID         uuid.UUID   `json:"id"`
	Payee      string      `json:"payee"`
	Number     string      `json:"payee_number"`
	Kind       string      `json:"kind"`
	EVSE       string      `json:"evse"`
	Location   string      `json:"location"`
	Card       string      `json:"card"`
	Basis      string      `json:"basis"`
	Price      json.Number `json:"price"`
	Currency   string      `json:"currency"`
	Charged    bool        `json:"charged"`
	VAT        string      `json:"vat"`
	Agreed     string      `json:"agreed"`
	Account    string      `json:"account"` // its last four digits
	ValidFrom  string      `json:"valid_from"`
	ValidUntil *string     `json:"valid_until"`
}

// Run lists.
func (c reimbursementListCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		p := db.ReimbursementsParams{TenantID: uuid.NullUUID{UUID: tenant.ID, Valid: true}, Today: a.now(), MaxRows: 10_000}
		if c.Payee != "" {
			payee, err := a.db.CustomerByNumber(o.ctx, db.CustomerByNumberParams{TenantID: tenant.ID, Number: c.Payee})
			if errors.Is(err, db.ErrNotFound) {
				return nil, fmt.Errorf("%s has no customer %s", c.Tenant, c.Payee)
			} else if err != nil {
				return nil, err
			}
			p.PayeeID = uuid.NullUUID{UUID: payee.ID, Valid: true}
		}
		rows, err := a.db.Reimbursements(o.ctx, p)
		if err != nil {
			return nil, err
		}
		list := make([]listedReimbursement, len(rows))
		for i, r := range rows {
			n := r.Reimbursement
			list[i] = listedReimbursement{
				ID: n.ID, Payee: r.Payee, Number: r.PayeeNumber, Kind: n.Kind, EVSE: n.EVSEID, Location: n.Location, Card: r.Card, Basis: n.Basis, Price: json.Number(n.Price.String()), Currency: n.Currency,
				Charged: n.Charged, VAT: n.VAT, Agreed: n.AgreedOn.Format(time.DateOnly), Account: n.IBANLast4, ValidFrom: n.ValidFrom.Format(time.DateOnly),
			}
			if n.ValidUntil != nil {
				last := n.ValidUntil.Format(time.DateOnly)
				list[i].ValidUntil = &last
			}
		}
		return map[string]any{"reimbursements": list}, nil
	})
}

type reimbursementEndCmd struct {
	Tenant string      `required:"" help:"Utility, for example DE*SWX."`
	ID     uuid.UUID   `required:"" help:"Id of the agreement."`
	Last   calendarDay `required:"" help:"Its last day; one before its first day: it never counted." placeholder:"DAY"`
}

// Run ends.
func (c reimbursementEndCmd) Run(o *outside) error {
	return admin(o, func(a *app) (any, error) {
		tenant, err := a.tenant(o, c.Tenant)
		if err != nil {
			return nil, err
		}
		if err := a.ops().EndReimbursement(o.ctx, tenant.ID, c.ID, c.Last.Time); errors.Is(err, db.ErrNotFound) {
			return nil, fmt.Errorf("%s has no agreement %s", c.Tenant, c.ID)
		} else if err != nil {
			return nil, err
		}
		return map[string]any{"id": c.ID, "valid_until": c.Last.Format(time.DateOnly)}, nil
	})
}

type reimbursementObjectCmd struct {
	issuedRef
	On    calendarDay `required:"" help:"Day of the objection." placeholder:"DAY"`
	Again bool        `help:"Bill what is owed again, on the next document. Without it the payee bills it himself."`
}

// Run cancels.
func (c reimbursementObjectCmd) Run(o *outside) error {
	return c.correct(o, jobs.Correction{Objection: c.On.Time, Again: c.Again, Reason: c.Reason})
}
