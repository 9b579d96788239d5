package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// Warnings are what a person should look at before a draft is approved, by the words that are stored with it.
const (
	WarnFirst     = "first"      // the customer's first invoice
	WarnZero      = "zero"       // comes to nothing
	WarnNegative  = "negative"   // the customer gets money, or a payee would have to give some back
	WarnDeviation = "deviation"  // far from the mean of three months
	WarnNoMandate = "no-mandate" // cannot be collected
	WarnNoVATID   = "no-vat-id"  // a business without one
	WarnNoEmail   = "no-email"   // cannot be sent
	WarnReader    = "recipient"  // goes to somebody else
	WarnFailed    = "failed"     // cannot be issued: a state, which lists filter by like a warning
)

// taxSum is what a draft comes to in one tax decision, as it is stored.
type taxSum struct {
	Category string          `json:"category"`
	Rate     decimal.Decimal `json:"rate"`
	Items    int32           `json:"items"`
	Net      decimal.Decimal `json:"net"`
	Tax      decimal.Decimal `json:"tax"`

	amount decimal.Decimal // on the side that was promised
}

// judgedDraft is a draft as it is stored.
type judgedDraft struct {
	ID         uuid.UUID           `json:"id"`
	State      string              `json:"state"`
	Problems   []billing.Problem   `json:"problems"`
	Warnings   []string            `json:"warnings"`
	Net        decimal.Decimal     `json:"net"`
	VAT        decimal.Decimal     `json:"vat"`
	Gross      decimal.Decimal     `json:"gross"`
	Usual      decimal.NullDecimal `json:"usual"`
	Items      int32               `json:"items"`
	GrossExact bool                `json:"gross_exact"`
	Taxes      []taxSum            `json:"taxes"`
}

// judge sums up the drafts of a chunk and says of each whether it can be issued and what is odd about it. The arithmetic and the
// demands are those of the document itself: a draft is an invoice with one line for each tax decision.
func (c *collecting) judge(ctx context.Context, q *db.Queries, first, last uuid.UUID, taken map[uuid.UUID][]db.TakeItemsRow, untaxed []db.UntaxedCDRsRow, fees []FeeProblem) error {
	run := uuid.NullUUID{UUID: c.run.ID, Valid: true}
	sums, exact, err := c.sums(ctx, q, first, last, taken)
	if err != nil {
		return err
	}
	rows, err := q.DraftsToJudge(ctx, db.DraftsToJudgeParams{RunID: run, TenantID: c.tenant.ID, Month: c.run.Month, First: first, Last: last})
	if err != nil {
		return fmt.Errorf("drafts: %w", err)
	}
	missing := map[uuid.UUID][]billing.Problem{}
	for _, u := range untaxed {
		missing[u.CustomerID] = append(missing[u.CustomerID], untaxedProblem(u))
	}
	for _, f := range fees {
		missing[f.customer] = append(missing[f.customer], f.problem())
	}
	var judged []judgedDraft
	var empty []uuid.UUID
	for i := range rows {
		row := &rows[i]
		payable := row.Type == string(billing.DocumentSelfBilled)
		incomplete := missing[row.CustomerID]
		if payable { // what the customer pays is another document
			incomplete = nil
		}
		if len(sums[row.ID]) == 0 && len(incomplete) == 0 {
			empty = append(empty, row.ID) // everything on it was withdrawn
			continue
		}
		grossExact := row.GrossExact
		if row.Stale {
			grossExact = exact[row.ID]
		}
		d, err := c.judgeDraft(ctx, q, row, sums[row.ID], grossExact, incomplete)
		if err != nil {
			return err
		}
		if row.Stale || row.State != d.State || !row.Gross.Equal(d.Gross) || !slices.Equal(row.Warnings, d.Warnings) || !sameProblems(row.Problems, d.Problems) {
			judged = append(judged, d)
		}
	}
	if len(empty) > 0 {
		if err := q.DeleteDrafts(ctx, empty); err != nil {
			return fmt.Errorf("delete empty drafts: %w", err)
		}
	}
	if len(judged) == 0 {
		return nil
	}
	if err := q.SaveDrafts(ctx, db.SaveDraftsParams{TenantID: c.tenant.ID, Drafts: frozen(judged)}); err != nil {
		return fmt.Errorf("save drafts: %w", err)
	}
	return nil
}

// sums are what the drafts come to by tax decision: new ones from what was just taken, those that changed from all their items, the
// others as it is stored.
func (c *collecting) sums(ctx context.Context, q *db.Queries, first, last uuid.UUID, taken map[uuid.UUID][]db.TakeItemsRow) (sums map[uuid.UUID][]taxSum, exact map[uuid.UUID]bool, err error) {
	run := uuid.NullUUID{UUID: c.run.ID, Valid: true}
	sums, exact = map[uuid.UUID][]taxSum{}, map[uuid.UUID]bool{}
	changed, err := q.ChangedDrafts(ctx, db.ChangedDraftsParams{RunID: run, First: first, Last: last})
	if err != nil {
		return nil, nil, fmt.Errorf("changed drafts: %w", err)
	}
	if len(changed) > 0 {
		again, err := q.SumDrafts(ctx, changed)
		if err != nil {
			return nil, nil, fmt.Errorf("sum up items: %w", err)
		}
		for _, id := range changed {
			delete(taken, id)
		}
		for _, r := range again {
			taken[r.InvoiceID] = append(taken[r.InvoiceID], db.TakeItemsRow(r))
		}
	}
	for id, rows := range taken {
		exact[id] = slices.ContainsFunc(rows, func(r db.TakeItemsRow) bool { return r.TaxIncluded })
		for _, r := range rows {
			amount := r.Net
			if exact[id] {
				amount = r.Gross
			}
			sums[id] = append(sums[id], taxSum{Category: r.VATCategory, Rate: r.VATRate, Items: r.Items, Net: r.Net, Tax: r.Gross.Sub(r.Net), amount: amount})
		}
	}
	known, err := q.TaxesOfDrafts(ctx, db.TaxesOfDraftsParams{RunID: run, First: first, Last: last})
	if err != nil {
		return nil, nil, fmt.Errorf("sums of drafts: %w", err)
	}
	for _, r := range known {
		// Net follows from gross, and tax from net, the way they did before: either side gives the same again.
		sums[r.InvoiceID] = append(sums[r.InvoiceID], taxSum{Category: r.Category, Rate: r.Rate, Items: r.Items, Net: r.Net, Tax: r.Tax})
	}
	return sums, exact, nil
}

func (c *collecting) judgeDraft(ctx context.Context, q *db.Queries, row *db.DraftsToJudgeRow, taxes []taxSum, grossExact bool, missing []billing.Problem) (judgedDraft, error) {
	d := judgedDraft{ID: row.ID, State: "draft", Problems: missing, Warnings: []string{}, Usual: decimal.NullDecimal{Decimal: row.Usual, Valid: row.HasUsual}, GrossExact: grossExact, Taxes: []taxSum{}}
	if d.Problems == nil {
		d.Problems = []billing.Problem{}
	}
	payment, err := c.paymentBy(row)
	if err != nil {
		return d, err
	}
	doc := frame(c.tenant, c.zone, c.Now(), row.Customer, payment, row.Currency, c.periods[row.Cycle])
	doc.GrossExact = grossExact
	for _, t := range taxes {
		if !row.Stale {
			t.amount = t.Net
			if grossExact {
				t.amount = t.Net.Add(t.Tax)
			}
		}
		d.Items += t.Items
		doc.Lines = append(doc.Lines, billing.DraftLine{
			Name: t.Category, Quantity: decimal.NewFromInt(1), Unit: billing.UnitPiece, Amount: t.amount, VAT: billing.VAT{Category: billing.VATCategory(t.Category), Rate: t.Rate},
		})
		d.Net, d.VAT, d.Gross = d.Net.Add(t.Net), d.VAT.Add(t.Tax), d.Gross.Add(t.Net).Add(t.Tax)
	}
	if err := c.turned(ctx, q, &doc, row.Type, row.Customer.ID, row.MandateHolder); err != nil {
		return d, err
	}
	inv, err := doc.Invoice()
	var faulty *billing.DraftError
	switch {
	case errors.As(err, &faulty):
		d.Taxes = taxes // as their items say
		for _, p := range faulty.Problems {
			if len(doc.Lines) > 0 || p.Field != "lines" {
				d.Problems = append(d.Problems, wholeProblem(p))
			}
		}
	case err != nil:
		return d, err
	default:
		d.Net, d.VAT, d.Gross = inv.Owed()
		for i, t := range inv.VAT { // the order of the items may be another
			at := slices.IndexFunc(taxes, func(s taxSum) bool { return s.Category == string(t.Category) && s.Rate.Equal(t.Rate) })
			sum := taxSum{Category: string(t.Category), Rate: t.Rate, Items: taxes[at].Items, Net: t.Net, Tax: inv.VAT[i].Tax}
			if inv.Pays() {
				sum.Net, sum.Tax = sum.Net.Neg(), sum.Tax.Neg()
			}
			d.Taxes = append(d.Taxes, sum)
		}
	}
	if len(d.Problems) > 0 {
		d.State = "failed"
	}
	d.Warnings = c.warnings(row, d)
	return d, nil
}

// warnings are what is odd about a draft.
func (c *collecting) warnings(row *db.DraftsToJudgeRow, d judgedDraft) []string {
	found := []string{}
	say := func(odd bool, warning string) {
		if odd {
			found = append(found, warning)
		}
	}
	customer := row.Customer
	say(!row.Known, WarnFirst)
	say(d.Gross.IsZero(), WarnZero)
	payable := row.Type == string(billing.DocumentSelfBilled)
	say(d.Gross.IsNegative() && !payable || d.Gross.IsPositive() && payable, WarnNegative)
	if row.HasUsual {
		off := d.Gross.Sub(row.Usual).Abs()
		limit := row.Usual.Abs().Mul(c.policy.DeviationPercent).Shift(-2)
		say(off.GreaterThan(limit) && off.GreaterThanOrEqual(c.policy.DeviationAmount), WarnDeviation)
	}
	say(!payable && !row.MandateID.Valid && customer.Kind != "public", WarnNoMandate)
	say(!payable && customer.VATID == "" && (customer.Kind == "business" || customer.Kind == "fleet"), WarnNoVATID)
	say(strings.TrimSpace(customer.Email) == "" && (Way(customer.Delivery) == ByEmail || Way(customer.Delivery) == ByPortal), WarnNoEmail)
	say(customer.ID != row.CustomerID, WarnReader)
	return found
}

// paymentBy is the payment of a draft, from what was read with it.
func (c *collecting) paymentBy(row *db.DraftsToJudgeRow) (billing.Payment, error) {
	if !row.MandateID.Valid {
		return transferTo(c.tenant), nil
	}
	return c.debitBy(c.tenant, row.MandateID.UUID, row.MandateReference, row.IBANSealed)
}

// wholeProblem is a problem of a draft whose lines are tax decisions: it concerns all that is taxed so.
func wholeProblem(p billing.Problem) billing.Problem {
	if _, field, ok := strings.Cut(p.Field, "]"); ok && strings.HasPrefix(p.Field, "lines[") {
		_, de, _ := strings.Cut(p.DE, ": ")
		_, en, _ := strings.Cut(p.EN, ": ")
		return billing.Problem{Field: "lines" + field, DE: de, EN: en}
	}
	return p
}

// untaxedProblem is that of a session for which no tax rule is known.
func untaxedProblem(u db.UntaxedCDRsRow) billing.Problem {
	day := u.StartedAt.Format("2006-01-02")
	return billing.Problem{
		Field: "cdrs[" + u.CDRID.String() + "].vat",
		DE:    fmt.Sprintf("Für den Ladevorgang %s vom %s (%s) ist nicht entschieden, wie er zu versteuern ist.", u.OCPIID, day, u.Place),
		EN:    fmt.Sprintf("How the session %s of %s (%s) is taxed has not been decided.", u.OCPIID, day, u.Place),
	}
}

// problem is that of a fee for which no tax rule is known.
func (p FeeProblem) problem() billing.Problem {
	return billing.Problem{
		Field: "contracts[" + p.Contract + "].fees." + string(p.Kind),
		DE:    fmt.Sprintf("Für %s des Vertrags %s ist nicht entschieden, wie zu versteuern ist.", lineTexts["de"].fees[p.Kind], p.Contract),
		EN:    fmt.Sprintf("How the %s of contract %s is taxed has not been decided.", strings.ToLower(lineTexts["en"].fees[p.Kind]), p.Contract),
	}
}

func sameProblems(stored []byte, now []billing.Problem) bool {
	var before []billing.Problem
	return json.Unmarshal(stored, &before) == nil && slices.Equal(before, now)
}
