package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// Correction says what shall become of an issued invoice. It is never edited: a document of its own refers to it.
type Correction struct {
	Changes []billing.Change // of some lines; none: the whole invoice is cancelled
	Again   bool             // after a cancellation, what was on it is billed again: on the next draft
	Reason  string           // of a cancellation, for the customer, in the document's language

	// The day on which a payee has objected to a self-billed document, which so loses the effect of an invoice (§ 14(2) sentence 3
	// UStG) and is cancelled. Without Again he bills what is owed himself.
	Objection time.Time
}

// correcting is a correction in progress.
type correcting struct {
	*Ops
	q        *db.Queries
	what     Correction
	original db.Invoice
	inv      billing.Invoice // as it was issued
	tenant   db.Tenant
	mirrors  []db.MirrorsOfInvoiceRow
}

// PreviewCorrection is the document that CorrectInvoice would issue.
//
// Its error is a *Refusal or a *billing.DraftError if the invoice cannot be corrected so.
func (o *Ops) PreviewCorrection(ctx context.Context, q *db.Queries, tenant, id uuid.UUID, what Correction) (billing.Invoice, error) {
	c, err := o.correcting(ctx, q, tenant, id, what)
	if err != nil {
		return billing.Invoice{}, err
	}
	return c.document()
}

// CorrectInvoice puts an issued invoice right by a document of its own, which is numbered, frozen and sent at once. What it takes
// back is taken back of the items behind it, too, so that nothing is given back or charged twice.
func (o *Ops) CorrectInvoice(ctx context.Context, tenant, id uuid.UUID, what Correction) (correction uuid.UUID, number string, err error) {
	correction = uuid.Must(uuid.NewV7())
	err = retryDeadlock(func() error {
		return o.DB.Tx(ctx, func(q *db.Queries) error {
			if err := q.LockCDRsOfInvoice(ctx, uuid.NullUUID{UUID: id, Valid: true}); err != nil {
				return fmt.Errorf("lock CDRs: %w", err)
			}
			if _, err := q.LockInvoice(ctx, id); err != nil {
				return err
			}
			c, err := o.correcting(ctx, q, tenant, id, what)
			if err != nil {
				return err
			}
			number, err = c.issue(ctx, correction)
			return err
		})
	})
	if err != nil {
		return uuid.Nil, "", err
	}
	o.Bell.Ring(ctx, InvoiceRender, correction)
	return correction, number, nil
}

func (o *Ops) correcting(ctx context.Context, q *db.Queries, tenant, id uuid.UUID, what Correction) (*correcting, error) {
	c := &correcting{Ops: o, q: q, what: what}
	var err error
	if c.original, err = q.Invoice(ctx, id); err != nil {
		return nil, err
	}
	switch {
	case c.original.TenantID != tenant:
		return nil, db.ErrNotFound
	case c.original.State != "issued" || c.original.Type != string(billing.DocumentInvoice) && !c.selfBilled():
		return nil, refuse("not-an-invoice")
	case !what.Objection.IsZero() && (!c.selfBilled() || len(what.Changes) > 0):
		return nil, refuse("no-objection")
	case what.Objection.After(o.Now()):
		return nil, refuse("objection-date")
	case len(what.Changes) == 0 && what.Reason == "":
		return nil, refuse("no-reason")
	}
	if err := json.Unmarshal(c.original.Doc, &c.inv); err != nil {
		return nil, fmt.Errorf("read invoice %s: %w", *c.original.Number, err)
	}
	if c.tenant, err = q.Tenant(ctx, tenant); err != nil {
		return nil, fmt.Errorf("tenant: %w", err)
	}
	if c.mirrors, err = q.MirrorsOfInvoice(ctx, id); err != nil {
		return nil, fmt.Errorf("what was taken back: %w", err)
	}
	if slices.ContainsFunc(c.mirrors, func(m db.MirrorsOfInvoiceRow) bool { return m.State == "issued" && !m.Ours }) {
		return nil, refuse("taken-back")
	}
	return c, c.checkEarlier(ctx)
}

// selfBilled reports whether the utility has billed what the customer has supplied.
func (c *correcting) selfBilled() bool { return c.original.Type == string(billing.DocumentSelfBilled) }

// checkEarlier refuses what earlier corrections have done already.
func (c *correcting) checkEarlier(ctx context.Context) error {
	related, err := c.q.RelatedInvoices(ctx, uuid.NullUUID{UUID: c.original.ID, Valid: true})
	if err != nil {
		return fmt.Errorf("earlier corrections: %w", err)
	}
	for _, r := range related {
		switch {
		case r.Cancels:
			return refuse("cancelled")
		case len(c.what.Changes) == 0:
			return refuse("corrected")
		}
		var before []billing.Change
		if err := json.Unmarshal(r.Changes, &before); err != nil {
			return fmt.Errorf("changes of %s: %w", *r.Number, err)
		}
		for _, b := range before {
			if slices.ContainsFunc(c.what.Changes, func(now billing.Change) bool { return now.Line == b.Line }) {
				return refuse("line-corrected")
			}
		}
	}
	return nil
}

// document is the correction without its number.
func (c *correcting) document() (billing.Invoice, error) {
	zone, err := time.LoadLocation(c.tenant.TimeZone)
	if err != nil {
		return billing.Invoice{}, fmt.Errorf("time zone of %s: %w", c.tenant.Name, err)
	}
	date, due := dates(c.Now(), zone, c.tenant.PaymentDays)
	if len(c.what.Changes) == 0 {
		inv := c.inv.Cancel(date)
		inv.Notes = slices.Clone(inv.Notes)
		if !c.what.Objection.IsZero() {
			text := lineTexts[inv.Language]
			inv.Notes = append(inv.Notes, fmt.Sprintf(text.objection, c.what.Objection.Format(text.date)))
		}
		inv.Notes = append(inv.Notes, c.what.Reason)
		return inv, nil
	}
	full := c.inv
	full.Lines = c.inv.FullList()
	draft, err := full.Correct(date, due, c.what.Changes)
	if err != nil {
		return billing.Invoice{}, err
	}
	return draft.Invoice()
}

func (c *correcting) issue(ctx context.Context, id uuid.UUID) (number string, err error) {
	inv, err := c.document()
	if err != nil {
		return "", err
	}
	now := c.Now()
	cancels := len(c.what.Changes) == 0
	net, vat, gross := inv.Owed()
	err = c.q.InsertCorrection(ctx, db.InsertCorrectionParams{
		ID: id, CorrectsID: c.original.ID, Cancels: cancels, Changes: frozen(slices.Concat([]billing.Change{}, c.what.Changes)), Net: net, VAT: vat, Gross: gross, Items: int32(len(inv.FullList())),
		DraftedBy: staffOf(ctx), Approver: actor(ctx), Now: now,
	})
	if err != nil {
		return "", fmt.Errorf("insert correction: %w", err)
	}
	if cancels {
		err = c.takeBack(ctx, id, now)
	} else {
		err = c.adjust(ctx, id, inv, now)
	}
	if err != nil {
		return "", err
	}
	row, err := c.q.LockInvoice(ctx, id)
	if err != nil {
		return "", err
	}
	if number, err = c.finalise(ctx, c.q, c.tenant, row, &inv); err != nil {
		return "", err
	}
	if cancels {
		if err := c.settleCDRs(ctx, now); err != nil {
			return "", err
		}
	}
	what := map[bool]string{true: "cancelled", false: "corrected"}[cancels]
	detail := map[string]string{"by": number, "reason": c.what.Reason}
	if !c.what.Objection.IsZero() {
		what, detail["objected"] = "objected", c.what.Objection.Format(time.DateOnly)
	}
	return number, event(ctx, c.q, now, c.tenant.ID, "invoice", c.original.ID, what, detail)
}

// takeBack puts a mirror of every item of the invoice onto the cancellation: those that wait for the next invoice already, and
// new ones.
func (c *correcting) takeBack(ctx context.Context, id uuid.UUID, now time.Time) error {
	waiting, drafts := []uuid.UUID{}, []uuid.UUID{}
	for _, m := range c.mirrors {
		if m.State == "issued" {
			continue
		}
		waiting = append(waiting, m.ID)
		if m.InvoiceID.Valid && !slices.Contains(drafts, m.InvoiceID.UUID) {
			drafts = append(drafts, m.InvoiceID.UUID)
		}
	}
	if err := c.q.TakeMirrors(ctx, db.TakeMirrorsParams{ToInvoice: id, IDs: waiting}); err != nil {
		return fmt.Errorf("take back on the correction: %w", err)
	}
	if len(drafts) > 0 {
		if err := c.q.OutdateDrafts(ctx, db.OutdateDraftsParams{IDs: drafts, Problems: frozen(outdated)}); err != nil {
			return fmt.Errorf("outdate drafts: %w", err)
		}
	}
	if err := c.q.MirrorItems(ctx, db.MirrorItemsParams{InvoiceID: c.original.ID, ToInvoice: id, Now: now}); err != nil {
		return fmt.Errorf("take items back: %w", err)
	}
	if !c.what.Again {
		return nil
	}
	if err := c.q.RebookFees(ctx, db.RebookFeesParams{InvoiceID: c.original.ID, Now: now}); err != nil {
		return fmt.Errorf("book fees again: %w", err)
	}
	return nil
}

// settleCDRs lets the sessions of a cancelled invoice be billed again, or waives them; those of a self-billed document are paid again, or
// no more. Its caller holds their rows.
func (c *correcting) settleCDRs(ctx context.Context, now time.Time) error {
	cdrs, err := c.q.InvoiceCDRs(ctx, uuid.NullUUID{UUID: c.original.ID, Valid: true})
	if err != nil {
		return fmt.Errorf("CDRs: %w", err)
	}
	ids := make([]uuid.UUID, len(cdrs))
	for i, cdr := range cdrs {
		ids[i] = cdr.CDRID
	}
	states, err := c.q.LockCDRs(ctx, db.LockCDRsParams{IDs: ids, TenantID: c.tenant.ID})
	if err != nil {
		return fmt.Errorf("lock CDRs: %w", err)
	}
	ratings, err := c.q.CurrentRatings(ctx, ids)
	if err != nil {
		return fmt.Errorf("ratings: %w", err)
	}
	var bills []bill
	var moves []move
	for _, before := range states {
		if before.State != cdrInvoiced && before.State != cdrRated {
			continue // somebody has decided otherwise since
		}
		after := before
		switch {
		case c.selfBilled():
			after.Unpaid = !c.what.Again
		case c.what.Again:
			after.State = cdrRated
		default:
			after.State, after.RetailState, after.Reason = cdrRated, retailWaived, c.what.Reason
		}
		b := bill{cdr: after, open: after.RetailState == retailOpen}
		if at := slices.IndexFunc(ratings, func(r db.CurrentRatingsRow) bool { return r.CDRID == before.CDRID }); at >= 0 {
			if after.RetailState == retailReleased {
				if b.items, err = itemsOf(&ratings[at]); err != nil {
					return err
				}
			}
			payables, err := payablesOf(&ratings[at])
			if err != nil {
				return err
			}
			b.owed = owedBy(after, payables)
		}
		bills = append(bills, b)
		moves = append(moves, move{before: before, after: after, what: "invoice-cancelled", detail: map[string]string{"invoice": *c.original.Number}})
	}
	if len(bills) == 0 {
		return nil
	}
	if _, err := rebook(ctx, c.q, now, bills...); err != nil {
		return err
	}
	return moveCDRs(ctx, c.q, now, moves...)
}

// adjust books each line of the correction beside what the rating of its session says.
func (c *correcting) adjust(ctx context.Context, id uuid.UUID, inv billing.Invoice, now time.Time) error {
	key := uuid.NullUUID{UUID: c.original.ID, Valid: true}
	cdrs, err := c.q.InvoiceCDRs(ctx, key)
	if err != nil {
		return fmt.Errorf("CDRs: %w", err)
	}
	items, err := c.q.ItemsOfInvoice(ctx, key)
	if err != nil {
		return fmt.Errorf("items: %w", err)
	}
	for i, l := range inv.Lines {
		p := db.InsertAdjustmentParams{
			ID: uuid.Must(uuid.NewV7()), CreatedAt: now, TenantID: c.tenant.ID, CustomerID: c.original.CustomerID, Position: int32(i + 1), Quantity: l.Quantity, Unit: string(l.Unit),
			UnitPrice: l.Price, TaxIncluded: inv.GrossExact, VATCategory: string(l.VATCategory), VATRate: l.VATRate, Net: l.Net, Gross: l.Gross, Currency: inv.Currency,
			ServiceStart: l.Period.Start, ServiceEnd: l.Period.End, InvoiceID: uuid.NullUUID{UUID: id, Valid: true},
		}
		if l.Net.IsNegative() {
			p.Position = -p.Position
		}
		if inv.Pays() {
			p.Quantity, p.Net, p.Gross = p.Quantity.Neg(), p.Net.Neg(), p.Gross.Neg()
		}
		if l.Session != nil {
			at := slices.IndexFunc(cdrs, func(r db.InvoiceCDRsRow) bool { return r.OCPIID == l.Session.CDRID })
			if at < 0 {
				return errors.New("the session of line " + l.ID + " is unknown")
			}
			p.CDRID = uuid.NullUUID{UUID: cdrs[at].CDRID, Valid: true}
			if of := slices.IndexFunc(items, func(i db.LineItem) bool { return i.CDRID == p.CDRID }); of >= 0 {
				p.ContractID, p.ReimbursementID = items[of].ContractID, items[of].ReimbursementID
			}
		}
		if err := c.q.InsertAdjustment(ctx, p); err != nil {
			return fmt.Errorf("book line %s of the correction: %w", l.ID, err)
		}
	}
	return nil
}
