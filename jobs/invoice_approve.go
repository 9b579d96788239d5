package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// Seen is what somebody has looked at who approves a run.
type Seen struct {
	Drafts int
	Gross  decimal.Decimal // of all currencies, as a check sum
}

// approval is who approves, and what they have seen.
type approval struct {
	staff uuid.NullUUID
	name  string
	seen  *Seen // nil: whatever there is
	early bool  // before the time for inspection is over
}

// ApproveRun lets the drafts of a run be issued: by a second person, who has seen these drafts, after the time for inspecting them.
// What is too little is carried forward, and what is free is settled without a document. Workers issue the rest.
func (o *Ops) ApproveRun(ctx context.Context, tenant, run uuid.UUID, seen *Seen) error {
	return o.approve(ctx, tenant, run, approval{staff: staffOf(ctx), name: actor(ctx), seen: seen})
}

func (o *Ops) approve(ctx context.Context, tenant, id uuid.UUID, a approval) error {
	var due []uuid.UUID
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		run, err := q.LockRun(ctx, db.LockRunParams{ID: id, TenantID: tenant})
		if err != nil {
			return err
		}
		now := o.Now()
		switch {
		case run.State != runInspection:
			return refuse("run-state")
		case !a.early && run.InspectUntil != nil && now.Before(*run.InspectUntil):
			return refuse("run-inspection")
		case a.staff.Valid && a.staff == run.StartedBy:
			return refuse("run-same-person")
		}
		if a.seen != nil {
			if err := a.seen.check(ctx, q, id); err != nil {
				return err
			}
		}
		err = q.ApproveRun(ctx, db.ApproveRunParams{ID: id, ApprovedBy: a.staff, Approver: a.name, Now: now})
		if err != nil {
			return fmt.Errorf("approve run: %w", err)
		}
		many, err := o.approveDrafts(ctx, q, run, uuid.NullUUID{}, a)
		if err != nil {
			return err
		}
		if due, err = q.RingApproved(ctx, db.RingApprovedParams{RunID: uuid.NullUUID{UUID: id, Valid: true}, Now: now}); err != nil {
			return fmt.Errorf("make drafts due: %w", err)
		}
		return event(WithActor(ctx, a.name), q, now, tenant, "run", id, "approved", map[string]string{"drafts": fmt.Sprint(many), "to_issue": fmt.Sprint(len(due))})
	})
	if err == nil {
		o.Bell.Ring(ctx, InvoiceRender, due...)
	}
	return err
}

// check refuses to approve other drafts than those that were seen.
func (s *Seen) check(ctx context.Context, q *db.Queries, run uuid.UUID) error {
	progress, err := q.RunProgress(ctx, uuid.NullUUID{UUID: run, Valid: true})
	if err != nil {
		return fmt.Errorf("progress: %w", err)
	}
	now := Seen{}
	for _, p := range progress {
		if p.State == "draft" {
			now.Drafts, now.Gross = now.Drafts+int(p.Many), now.Gross.Add(p.Gross)
		}
	}
	if now.Drafts != s.Drafts || !now.Gross.Equal(s.Gross) {
		return refuse("run-changed")
	}
	return nil
}

// approveDrafts approves the drafts of a run, or one of them, and sets aside what is not to be issued.
func (o *Ops) approveDrafts(ctx context.Context, q *db.Queries, run db.InvoiceRun, one uuid.NullUUID, a approval) (int64, error) {
	key := uuid.NullUUID{UUID: run.ID, Valid: true}
	many, err := q.ApproveDrafts(ctx, db.ApproveDraftsParams{RunID: key, ID: one, ApprovedBy: a.staff, Approver: a.name, Now: o.Now()})
	if err != nil {
		return 0, fmt.Errorf("approve drafts: %w", err)
	}
	policy, err := BillingPolicyOf(ctx, q, run.TenantID)
	if err != nil {
		return 0, err
	}
	if policy.Zero == "suppress" {
		if _, err := q.SettleDrafts(ctx, db.SettleDraftsParams{RunID: key, ID: one}); err != nil {
			return 0, fmt.Errorf("settle drafts: %w", err)
		}
	}
	if one.Valid { // a single one is wanted, however little it is
		return many, nil
	}
	tenant, err := q.Tenant(ctx, run.TenantID)
	if err != nil {
		return 0, fmt.Errorf("tenant: %w", err)
	}
	zone, err := time.LoadLocation(tenant.TimeZone)
	if err != nil {
		return 0, fmt.Errorf("time zone of %s: %w", tenant.Name, err)
	}
	period := monthOf(run.Month, zone)
	carried, err := q.CarryDrafts(ctx, db.CarryDraftsParams{
		RunID: key, Minimum: policy.Minimum, Since: period.Start.In(zone).AddDate(0, -int(policy.CarryMonths)+1, 0).UTC(), Until: period.End,
	})
	if err != nil {
		return 0, fmt.Errorf("carry drafts forward: %w", err)
	}
	if len(carried) > 0 {
		if err := q.ReleaseItems(ctx, carried); err != nil {
			return 0, fmt.Errorf("release items: %w", err)
		}
	}
	return many, nil
}

// ApproveInvoice lets one draft be issued, by a second person: of a run, or a credit note above the limit.
func (o *Ops) ApproveInvoice(ctx context.Context, tenant, id uuid.UUID) error {
	if row, err := o.DB.Invoice(ctx, id); err != nil {
		return err
	} else if row.Request != nil && row.TenantID == tenant {
		if staff := staffOf(ctx); staff.Valid && staff == row.DraftedBy {
			return refuse("run-same-person")
		}
		return o.approveCredit(ctx, tenant, row)
	}
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		row, err := q.LockInvoice(ctx, id)
		if err != nil {
			return err
		}
		staff := staffOf(ctx)
		switch {
		case row.TenantID != tenant:
			return db.ErrNotFound
		case row.State != "draft" || row.Stale || row.ApprovedAt != nil || !row.RunID.Valid:
			return refuse("no-draft")
		case staff.Valid && staff == row.DraftedBy:
			return refuse("run-same-person")
		case row.Type == string(billing.DocumentSelfBilled) && row.Gross.IsPositive():
			return refuse("payee-owes")
		}
		run, err := q.InvoiceRun(ctx, row.RunID.UUID)
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		one := uuid.NullUUID{UUID: id, Valid: true}
		if _, err := o.approveDrafts(ctx, q, run, one, approval{staff: staff, name: actor(ctx)}); err != nil {
			return err
		}
		if _, err := q.RingApproved(ctx, db.RingApprovedParams{RunID: row.RunID, ID: one, Now: o.Now()}); err != nil {
			return fmt.Errorf("make draft due: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "invoice", id, "approved", nil)
	})
	if err == nil {
		o.Bell.Ring(ctx, InvoiceRender, id)
	}
	return err
}

// ReaddressInvoice makes a draft out to another customer of the utility, an employer for example: with that customer's address,
// tax data and way to pay. An empty number gives it back to the one who charged.
func (o *Ops) ReaddressInvoice(ctx context.Context, tenant, id uuid.UUID, number string) error {
	err := o.DB.Tx(ctx, func(q *db.Queries) error {
		row, err := q.LockInvoice(ctx, id)
		if err != nil {
			return err
		}
		if row.TenantID != tenant {
			return db.ErrNotFound
		}
		if row.State != "draft" && row.State != "failed" {
			return refuse("no-draft")
		}
		if row.Type == string(billing.DocumentSelfBilled) {
			return refuse("payee-is-seller")
		}
		var to uuid.NullUUID
		if number != "" {
			customer, err := q.CustomerByNumber(ctx, db.CustomerByNumberParams{TenantID: tenant, Number: number})
			if errors.Is(err, db.ErrNotFound) {
				return refuse("customer-unknown")
			} else if err != nil {
				return fmt.Errorf("recipient: %w", err)
			}
			to = uuid.NullUUID{UUID: customer.ID, Valid: customer.ID != row.CustomerID}
		}
		if err := q.ReaddressDraft(ctx, db.ReaddressDraftParams{ID: id, RecipientID: to}); err != nil {
			return fmt.Errorf("readdress draft: %w", err)
		}
		return event(ctx, q, o.Now(), tenant, "invoice", id, "readdressed", map[string]string{"customer": number})
	})
	if err != nil {
		return err
	}
	return o.RetryInvoice(ctx, tenant, id)
}

// errOutdated says that a draft is not what was approved any more.
var errOutdated = errors.New("the draft is not what was approved")

// failApproved gives a draft that could not be issued back, with its own reason.
func (o *Ops) failApproved(ctx context.Context, id uuid.UUID, reason error) error {
	var faulty *billing.DraftError
	p := db.FailDraftParams{ID: id, Problems: frozen(outdated), Stale: true}
	switch {
	case errors.As(reason, &faulty):
		p.Problems, p.Stale = frozen(faulty.Problems), false
	case !errors.Is(reason, errOutdated):
		return reason
	}
	return errors.Join(reason, o.DB.FailDraft(ctx, p))
}
