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
)

// bookable is an item of a rating as it is stored with it: what it would put on a bill.
type bookable struct {
	Dimension   string
	Quantity    decimal.Decimal
	Unit        string
	UnitPrice   decimal.Decimal
	TaxIncluded bool
	VATCategory string
	VATRate     decimal.Decimal
	Net, Gross  decimal.Decimal
	Currency    string
}

// bookables are the items of the retail price.
func (r *rating) bookables() []bookable {
	items := make([]bookable, len(r.retail.items))
	for i, item := range r.retail.items {
		items[i] = bookable{
			Dimension: string(item.Line.Dimension), Quantity: item.Line.Quantity, Unit: string(item.Line.Unit), UnitPrice: item.Line.Price,
			TaxIncluded: item.Line.TaxIncluded, VATCategory: string(r.retail.vat.Category), VATRate: r.retail.vat.Rate, Net: item.Net, Gross: item.Gross,
			Currency: r.retail.Currency,
		}
	}
	return items
}

// store puts a new rating in the place of the current one, unless that one says the same, and takes what it draws of the
// contract's allowances and vouchers.
func (r *rating) store(ctx context.Context) error {
	p := db.InsertRatingParams{
		TenantID: r.state.TenantID, CDRID: r.state.CDRID, RatedAt: r.now,
		Engine: billing.EngineVersion, Currency: r.cdr.Currency,
		ContractID: r.state.ContractID, PlanVersionID: uuid.NullUUID{UUID: r.retail.plan.row.ID, Valid: true}, PriceBookID: r.retail.book.id(), Choice: frozen(r.retail.choice),
		ClaimedNet: r.cdr.TotalCost.ExclVAT.Decimal, ComputedNet: billing.Round(r.wholesale.Total.ExclVAT, 4),
		RetailNet: r.retail.net, RetailGross: r.retail.gross, Waived: r.retail.waived,
		Wholesale: frozen(r.wholesale), Verdict: frozen(r.verdict), Retail: frozen(r.retail.Rating), Findings: frozen(r.judged.Findings),
		Measures: frozen(r.judged.Measures), Items: frozen(r.bookables()), Payables: frozen(slices.Concat([]payable{}, r.owed)), Explanation: r.explained.frozen(),
		InputsSHA256: hashInputs(r.raw, r.inputs),
	}
	draws := len(r.retail.taken.allowances)+len(r.retail.taken.vouchers) > 0
	same, err := r.q.SameRating(ctx, db.SameRatingParams{
		CDRID: p.CDRID, InputsSHA256: p.InputsSHA256, Engine: p.Engine, ContractID: p.ContractID, Findings: p.Findings, Measures: p.Measures, Items: p.Items, Payables: p.Payables,
	})
	if err == nil && !draws {
		r.state.RatingID = uuid.NullUUID{UUID: same, Valid: true}
		return nil
	} else if err != nil && !errors.Is(err, db.ErrNotFound) {
		return fmt.Errorf("compare rating: %w", err)
	}
	if _, err := r.q.SupersedeRating(ctx, db.SupersedeRatingParams{CDRID: p.CDRID, Now: r.now}); err != nil {
		return fmt.Errorf("supersede rating: %w", err)
	}
	if p.Seq, err = r.q.NextRatingSeq(ctx, p.CDRID); err != nil {
		return fmt.Errorf("number rating: %w", err)
	}
	p.ID = uuid.Must(uuid.NewV7())
	if err := r.q.InsertRating(ctx, p); err != nil {
		return fmt.Errorf("insert rating: %w", err)
	}
	r.state.RatingID = uuid.NullUUID{UUID: p.ID, Valid: true}
	if r.state.RetailState != retailWaived {
		if err := r.take(ctx, p.ID); err != nil {
			return err
		}
	}
	if err := r.keepProof(ctx, p.ID); err != nil {
		return err
	}
	return r.saveInput(ctx)
}

// bill is what a CDR shall have on bills: the items of its rating for its customer, or nothing, and what is owed for it.
type bill struct {
	cdr   db.CDRState // as it will be
	items []bookable
	owed  []payable
	open  bool // nothing is decided: what is on issued invoices stays, nothing is added
}

// bill is what the state that is about to be written demands.
func (r *rating) bill() bill {
	b := bill{cdr: r.state, owed: owedBy(r.state, r.owed), open: r.state.RetailState == retailOpen}
	if r.state.RetailState == retailReleased {
		b.items = r.bookables()
	}
	return b
}

// rebook brings what is booked of CDRs in line with their bills, as a difference: what no issued invoice has is replaced; what
// one has is taken back by mirrored items and booked anew, unless it is what it shall be. So the sum of what is booked for a
// CDR is always its current rating. It reports the CDRs of which everything that is owed is on issued invoices already.
//
// The rows of the CDRs are locked, so no invoice with them is being issued (LockCDRsOfInvoice).
func rebook(ctx context.Context, q *db.Queries, now time.Time, bills ...bill) (invoiced map[uuid.UUID]bool, err error) {
	ids := make([]uuid.UUID, len(bills))
	for i, b := range bills {
		ids[i] = b.cdr.CDRID
	}
	if err := withdraw(ctx, q, ids); err != nil {
		return nil, err
	}
	if err := giveBack(ctx, q, now, unbilled(bills)...); err != nil {
		return nil, err
	}
	if err := keepInputs(ctx, q, bills); err != nil {
		return nil, err
	}
	rows, err := q.ItemsOfCDRs(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	issued := map[uuid.UUID][]db.LineItem{}
	for _, item := range rows {
		issued[item.CDRID.UUID] = append(issued[item.CDRID.UUID], item)
	}
	invoiced = map[uuid.UUID]bool{}
	var added []db.InsertLineItemsParams
	for _, b := range bills {
		charged, owed, last := liveItems(issued[b.cdr.CDRID])
		if b.open {
			continue
		}
		next := func() int32 { last++; return last }
		if b.is(charged) {
			invoiced[b.cdr.CDRID] = len(charged) > 0
		} else {
			for _, item := range charged {
				added = append(added, mirrored(item, next(), now))
			}
			for _, item := range b.items {
				added = append(added, b.booked(item, next(), now))
			}
		}
		if !b.owes(owed) {
			for _, item := range owed {
				added = append(added, mirrored(item, next(), now))
			}
			for _, p := range b.owed {
				added = append(added, b.bookedOwed(p, next(), now))
			}
		}
	}
	if len(added) > 0 {
		if _, err := q.InsertLineItems(ctx, added); err != nil {
			return nil, fmt.Errorf("insert line items: %w", err)
		}
	}
	return invoiced, nil
}

// unbilled are the CDRs that draw on no allowance and no voucher, because their customers are not charged. What a person has
// still to decide about keeps what it has drawn.
func unbilled(bills []bill) []uuid.UUID {
	ids := []uuid.UUID{}
	for _, b := range bills {
		if b.cdr.RetailState == retailWaived || b.cdr.RetailState == retailNone || b.cdr.State == cdrWaiting {
			ids = append(ids, b.cdr.CDRID)
		}
	}
	return ids
}

// keepInputs leaves to back-tests what is on a bill.
func keepInputs(ctx context.Context, q *db.Queries, bills []bill) error {
	cdrs := map[bool][]uuid.UUID{}
	for _, b := range bills {
		booked := b.cdr.RetailState == retailReleased
		cdrs[booked] = append(cdrs[booked], b.cdr.CDRID)
	}
	for booked, ids := range cdrs {
		if err := q.SetCDRInputsBooked(ctx, db.SetCDRInputsBookedParams{CDRIDs: ids, Booked: booked}); err != nil {
			return fmt.Errorf("inputs of back-tests: %w", err)
		}
	}
	return nil
}

// withdraw removes the items of CDRs that are on no issued invoice. A draft that loses an item this way cannot be issued until
// the next run has made it anew.
func withdraw(ctx context.Context, q *db.Queries, cdrs []uuid.UUID) error {
	rows, err := q.WithdrawItems(ctx, cdrs)
	if err != nil {
		return fmt.Errorf("withdraw items: %w", err)
	}
	var drafts []uuid.UUID
	for _, id := range rows {
		if id.Valid && !slices.Contains(drafts, id.UUID) {
			drafts = append(drafts, id.UUID)
		}
	}
	if len(drafts) == 0 {
		return nil
	}
	if err := q.OutdateDrafts(ctx, db.OutdateDraftsParams{IDs: drafts, Problems: frozen(outdated)}); err != nil {
		return fmt.Errorf("outdate drafts: %w", err)
	}
	return nil
}

var outdated = []billing.Problem{{
	Field: "lines",
	DE:    "Ein Ladevorgang auf diesem Entwurf hat sich geändert. Der nächste Rechnungslauf erstellt den Entwurf neu.",
	EN:    "A session on this draft has changed. The next invoice run makes the draft anew.",
}}

// liveItems are the items on issued documents that no other has taken back, those that the customer owes and those that are owed,
// and the highest position that was used.
func liveItems(items []db.LineItem) (charged, owed []db.LineItem, last int32) {
	takenBack := map[uuid.UUID]bool{}
	for _, item := range items {
		last = max(last, item.Position, -item.Position)
		if item.Mirrors.Valid {
			takenBack[item.Mirrors.UUID] = true
		}
	}
	for _, item := range items {
		switch {
		case item.Mirrors.Valid || takenBack[item.ID]:
		case item.ReimbursementID.Valid:
			owed = append(owed, item)
		default:
			charged = append(charged, item)
		}
	}
	return charged, owed, last
}

// The kinds of items. An adjustment is what a correction has charged or given back beside the rating of its session.
const (
	itemSession    = "session"
	itemAdjustment = "adjustment"
)

// is reports whether the items that stand are those of the bill. What was adjusted stays so as long as the bill is the same.
func (b *bill) is(live []db.LineItem) bool {
	live = slices.DeleteFunc(slices.Clone(live), func(l db.LineItem) bool { return l.Kind == itemAdjustment })
	return slices.EqualFunc(live, b.items, func(l db.LineItem, i bookable) bool {
		return l.CustomerID == b.cdr.CustomerID.UUID && l.Dimension == i.Dimension && l.Quantity.Equal(i.Quantity) && l.Unit == i.Unit && l.UnitPrice.Equal(i.UnitPrice) &&
			l.TaxIncluded == i.TaxIncluded && l.VATCategory == i.VATCategory && l.VATRate.Equal(i.VATRate) && l.Net.Equal(i.Net) && l.Gross.Equal(i.Gross) && l.Currency == i.Currency
	})
}

func (b *bill) booked(item bookable, position int32, now time.Time) db.InsertLineItemsParams {
	return db.InsertLineItemsParams{
		ID: uuid.Must(uuid.NewV7()), CreatedAt: now, TenantID: b.cdr.TenantID, CustomerID: b.cdr.CustomerID.UUID, ContractID: b.cdr.ContractID, Kind: itemSession,
		CDRID: uuid.NullUUID{UUID: b.cdr.CDRID, Valid: true}, RatingID: b.cdr.RatingID, Position: position, Dimension: item.Dimension, Quantity: item.Quantity, Unit: item.Unit, UnitPrice: item.UnitPrice,
		TaxIncluded: item.TaxIncluded, VATCategory: item.VATCategory, VATRate: item.VATRate, Net: item.Net, Gross: item.Gross, Currency: item.Currency,
		ServiceStart: b.cdr.StartedAt, ServiceEnd: b.cdr.EndedAt,
	}
}

// mirrored takes an invoiced item back: for the customer, by the rating and at the price that it was invoiced with.
func mirrored(item db.LineItem, position int32, now time.Time) db.InsertLineItemsParams {
	return db.InsertLineItemsParams{
		ID: uuid.Must(uuid.NewV7()), CreatedAt: now, TenantID: item.TenantID, CustomerID: item.CustomerID, ContractID: item.ContractID, Kind: item.Kind, CDRID: item.CDRID,
		RatingID: item.RatingID, Position: -position, Dimension: item.Dimension, Quantity: item.Quantity.Neg(), Unit: item.Unit, UnitPrice: item.UnitPrice,
		TaxIncluded: item.TaxIncluded, VATCategory: item.VATCategory, VATRate: item.VATRate, Net: item.Net.Neg(), Gross: item.Gross.Neg(), Currency: item.Currency,
		ServiceStart: item.ServiceStart, ServiceEnd: item.ServiceEnd, Mirrors: uuid.NullUUID{UUID: item.ID, Valid: true}, ReimbursementID: item.ReimbursementID,
	}
}

// frozen is a value as it is kept for ever: JSON with the names of the Go fields.
func frozen(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // our own plain structs: a programming error
		panic(fmt.Sprintf("freeze %T: %v", v, err))
	}
	return b
}

// unfreeze reads what frozen wrote.
func unfreeze(doc []byte, into any) error { return json.Unmarshal(doc, into) }

// hashInputs proves later what a rating was computed from.
func hashInputs(raw []byte, docs [][]byte) []byte {
	h := sha256.New()
	for _, part := range append([][]byte{raw, []byte(billing.EngineVersion)}, docs...) {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return h.Sum(nil)
}
