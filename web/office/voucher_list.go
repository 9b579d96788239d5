package office

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

// voucherStates are the tabs of the vouchers; the first is all of them.
var voucherStates = []string{"", "running", "coming", "over"}

type voucherPage struct {
	listQuery
	rows  []db.VouchersRow
	tabs  []ui.Tab
	spent decimal.Decimal // drawn by the sessions of those shown
}

// voucherStanding is how a voucher stands: "coming", "running", "used" or "over".
func voucherStanding(x *db.VouchersRow, now time.Time) string {
	switch {
	case x.EndedAt != nil || x.ValidTo != nil && !now.Before(*x.ValidTo):
		return "over"
	case now.Before(x.ValidFrom):
		return "coming"
	case x.Budget.Valid && x.Spent.Add(x.Amount.Decimal).GreaterThan(x.Budget.Decimal), x.Budget.Valid && x.Spent.Equal(x.Budget.Decimal):
		return "used"
	}
	return "running"
}

var voucherTones = map[string]string{"running": "ok", "coming": "info", "used": "warn", "over": ""}

func (o *office) voucherList(v *visit) error {
	p := voucherPage{listQuery: readList(v)}
	var all []db.VouchersRow
	err := v.read(func(q *db.Queries) (err error) {
		all, err = q.Vouchers(v.Request().Context(), db.VouchersParams{TenantID: v.tenant.UUID})
		return err
	})
	if err != nil {
		return err
	}
	counts := map[string]int64{}
	for i := range all {
		x := &all[i]
		if !strings.Contains(strings.ToLower(x.Code+" "+x.Name), strings.ToLower(p.get("q"))) {
			continue
		}
		state := voucherStanding(x, o.Now())
		if state == "used" { // its rebates go on
			state = "running"
		}
		counts[""]++
		counts[state]++
		if p.get("state") == "" || p.get("state") == state {
			p.rows = append(p.rows, *x)
			p.spent = p.spent.Add(x.Drawn)
		}
	}
	for _, state := range voucherStates {
		p.tabs = append(p.tabs, ui.Tab{
			ID: cmp.Or(state, "all"), Name: v.Lang.T("voucher.tab." + cmp.Or(state, "all")), Href: p.with("state", state), Current: state == p.get("state"), Count: counts[state],
		})
	}
	return v.list(p.listQuery, voucherListPage(v, p), voucherResult(v, p), v.Lang.N("voucher.count", int64(len(p.rows))))
}

// worth is what a voucher gives.
func (v *visit) worth(x *db.VouchersRow) string {
	if x.Percent.Valid {
		return v.Lang.T("voucher.percent", v.Lang.Percent(x.Percent.Decimal))
	}
	return v.Lang.T("voucher.amount", v.Lang.Money(x.Amount.Decimal, x.Currency))
}

// voucherDays is when sessions can draw a voucher.
func (v *visit) voucherDays(x *db.VouchersRow) string {
	switch {
	case x.EndedAt != nil:
		return v.Lang.T("voucher.ended.at", v.Lang.DateTime(*x.EndedAt))
	case x.ValidTo != nil:
		return v.dayField(x.ValidFrom) + " – " + v.dayField(x.ValidTo.Add(-time.Second))
	}
	return v.Lang.T("plan.since", v.dayField(x.ValidFrom))
}

// usedShare is how much of its budget a voucher has used, in percent.
func usedShare(x *db.VouchersRow) int64 {
	if !x.Budget.Valid {
		return 0
	}
	return x.Spent.Mul(decimal.NewFromInt(100)).DivRound(x.Budget.Decimal, 4).IntPart()
}

// voucherView is a voucher with who has it.
type voucherView struct {
	listQuery
	db.VouchersRow
	rows           []db.VoucherRedemptionsRow
	previous, next string
	errors         map[string]string
	contract       string // as it was typed
}

func (o *office) voucherDetail(v *visit) error {
	x, err := v.loadVoucher()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, voucherDetailPage(v, x))
}

// loadVoucher is the voucher of the address.
func (v *visit) loadVoucher() (x voucherView, err error) {
	id, err := v.id()
	if err != nil {
		return x, err
	}
	x.listQuery = listOf(string(v.Link("/vouchers/"+id.String())), v.QueryParams())
	at := x.position()
	err = v.read(func(q *db.Queries) error {
		found, err := q.Vouchers(v.Request().Context(), db.VouchersParams{TenantID: v.tenant.UUID, ID: uuid.NullUUID{UUID: id, Valid: true}})
		if err == nil && len(found) == 0 {
			err = db.ErrNotFound
		}
		if err != nil {
			return err
		}
		x.VouchersRow = found[0]
		rows, err := q.VoucherRedemptions(v.Request().Context(), db.VoucherRedemptionsParams{
			TenantID: v.tenant.UUID, VoucherID: id, Paged: at.paged, Backward: at.backward, AfterKey: time.UnixMicro(at.key.IntPart()), AfterID: at.id, MaxRows: pageSize + 1,
		})
		x.rows, x.previous, x.next = paged(x.listQuery, at, rows, func(r db.VoucherRedemptionsRow) string {
			return mark(decimal.NewFromInt(r.RedeemedAt.UnixMicro()), r.ID)
		})
		return err
	})
	return x, err
}

// voucherFields are the fields of the form, in their order.
var voucherFields = []string{"code", "name", "value", "from", "to", "budget"}

func (o *office) voucherNew(v *visit) error {
	f := fieldForm{values: url.Values{"kind": {"amount"}, "from": {v.dayEntry(o.Now())}}}
	return v.render(http.StatusOK, voucherFormPage(v, f))
}

// addVoucher makes a voucher. What is wrong with it stands at its field.
func (o *office) addVoucher(v *visit) error {
	form, err := v.FormParams()
	if err != nil {
		return err
	}
	f := fieldForm{values: form, errors: map[string]string{}}
	n := v.readVoucher(&f)
	if len(f.errors) == 0 {
		id, err := o.AddVoucher(v.Request().Context(), n)
		switch refused := refusal(err); {
		case errors.Is(err, jobs.ErrExists):
			f.errors["code"] = v.Lang.T("voucher.taken")
		case refused != nil:
			for _, x := range refused.Findings {
				field := map[string]string{"valid_to": "to", "percent": "value", "amount": "value"}[x.Path]
				f.errors[cmp.Or(field, x.Path)] = v.Lang.T("voucher.wrong." + x.Path)
			}
		case err != nil:
			return err
		default:
			v.say("ok", v.Lang.T("voucher.made", n.Code))
			return v.Redirect(http.StatusSeeOther, string(v.Link("/vouchers/"+id.String())))
		}
	}
	return v.render(http.StatusUnprocessableEntity, voucherFormPage(v, f))
}

// readVoucher reads the form. The last day on which a voucher counts is written; the one behind it is stored.
func (v *visit) readVoucher(f *fieldForm) jobs.NewVoucher {
	get := func(field string) string { return strings.TrimSpace(f.values.Get(field)) }
	number := func(field string) (d decimal.NullDecimal) {
		if get(field) != "" {
			if d = amountOf(get(field)); !d.Valid || len(get(field)) > 20 || d.Decimal.Exponent() > 9 {
				f.errors[field] = v.Lang.T("plan.wrong.number")
			}
		}
		return d
	}
	day := func(field string) (at time.Time) {
		if get(field) == "" {
			return at
		}
		at, err := readMoment(get(field))
		if err != nil {
			f.errors[field] = v.Lang.T("date.wrong", get(field))
		}
		return at
	}
	n := jobs.NewVoucher{Tenant: v.tenant.UUID, Code: strings.ToUpper(get("code")), Name: get("name"), Budget: number("budget"), From: day("from")}
	if value := number("value"); get("kind") == "percent" {
		n.Percent = value
	} else {
		n.Amount = value
	}
	if len([]rune(n.Name)) > 100 {
		f.errors["name"] = v.Lang.T("plan.name.wrong")
	}
	if to := day("to"); !to.IsZero() {
		to = to.In(ui.Berlin).AddDate(0, 0, 1)
		n.To = &to
	}
	return n
}

// endVoucher ends a voucher for good.
func (o *office) endVoucher(v *visit) error {
	x, err := v.loadVoucher()
	if err != nil {
		return err
	}
	if x.EndedAt == nil {
		if err := o.EndVoucher(v.Request().Context(), v.tenant.UUID, x.ID); err != nil {
			return err
		}
		v.say("ok", v.Lang.T("voucher.ended", x.Code))
	}
	return v.Redirect(http.StatusSeeOther, x.path)
}

// redeemVoucher gives a contract the voucher; the number of a customer with one contract will do.
func (o *office) redeemVoucher(v *visit) error {
	x, err := v.loadVoucher()
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	x.contract, x.errors = strings.TrimSpace(v.FormValue("contract")), map[string]string{}
	var contracts []string
	err = v.read(func(q *db.Queries) (err error) {
		contracts, err = q.ContractsOfNumber(ctx, db.ContractsOfNumberParams{TenantID: v.tenant.UUID, Number: x.contract, At: o.Now()})
		return err
	})
	if err != nil {
		return err
	}
	contract := x.contract
	switch {
	case len(contracts) == 1:
		contract = contracts[0]
	case len(contracts) > 1:
		x.errors["contract"] = v.Lang.T("voucher.contracts", strings.Join(contracts, ", "))
	}
	if len(x.errors) == 0 {
		err = o.RedeemVoucher(ctx, v.tenant.UUID, x.Code, contract)
		switch refused := refusal(err); {
		case errors.Is(err, jobs.ErrExists):
			x.errors["contract"] = v.Lang.T("voucher.redeemed.before")
		case refused != nil && len(refused.Findings) > 0 && refused.Findings[0].Path == "contract":
			x.errors["contract"] = v.Lang.T("voucher.contract.wrong")
		case refused != nil:
			x.errors["contract"] = v.Lang.T("voucher.gone")
		case err != nil:
			return err
		default:
			v.say("ok", v.Lang.T("voucher.redeemed", x.Code, contract))
			return v.Redirect(http.StatusSeeOther, x.path)
		}
	}
	return v.render(http.StatusUnprocessableEntity, voucherDetailPage(v, x))
}
