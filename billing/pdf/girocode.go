package pdf

import (
	"errors"
	"fmt"
	"strings"

	"rsc.io/qr"

	"github.com/jacoelho/banking/iban"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

var errNoGiroCode = errors.New("payment data do not fit into a GiroCode")

// order is a transfer that the reader is asked for.
type order struct {
	to       billing.Payment
	amount   decimal.Decimal
	currency string
	purpose  string // number of the document; empty on a draft, which nobody shall pay
}

// giroCode encodes a credit transfer as EPC069-12 version 2 has it: at most 331 bytes, error correction M.
func giroCode(o order) (*qr.Code, error) {
	name := []rune(o.to.AccountName)
	name = name[:min(len(name), 70)]
	text := strings.Join([]string{
		"BCD", "002", "1", "SCT",
		o.to.BIC,
		string(name),
		compact(o.to.IBAN),
		"EUR" + o.amount.StringFixed(2),
		"", "",
		o.purpose,
	}, "\n")
	if len(text) > 331 || o.currency != "EUR" || !o.amount.IsPositive() || o.purpose == "" {
		return nil, errNoGiroCode
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("GiroCode: %w", err)
	}
	return code, nil
}

// account prints the data of a transfer in plain text, with the GiroCode beside it where it can be made.
func (l *letterhead) account(o order) error {
	amount := l.t.Money(o.amount, o.currency)
	top, y := l.y, l.y
	l.pairs(&y, marginLeft, mm(34), mm(86), [][2]string{
		{l.t.Payee, o.to.AccountName},
		{"IBAN", iban.PaperFormat(compact(o.to.IBAN))},
		{l.t.Bank, o.to.BIC},
		{l.t.Amount, amount},
		{l.t.Purpose, o.purpose},
	})
	code, err := giroCode(o)
	switch {
	case errors.Is(err, errNoGiroCode):
		l.y = y + mm(2)
		return nil
	case err != nil:
		return err
	}
	x := marginLeft + textWidth - giroSize
	l.figure(fmt.Sprintf(l.t.GiroAlt, amount, o.to.AccountName), x, top, giroSize, giroSize, func() { l.s.drawCode(code, x, top, giroSize) })
	caption := block{l.fonts.set(fine, mm(60), l.t.GiroCode)}
	l.leaf(l.root, "P", caption, x+giroSize-mm(60), top+giroSize+mm(1), mm(60), right)
	l.y = max(y, top+giroSize+mm(1)+caption.height()) + mm(2)
	return nil
}

// compact removes the blanks with which IBANs are printed.
func compact(s string) string { return strings.ReplaceAll(s, " ", "") }

// drawCode draws the squares of a code, runs of a row at once, into a field of the given size.
func (s *sheet) drawCode(code *qr.Code, x, y, size float64) {
	module := size / float64(code.Size)
	fmt.Fprintf(&s.buf, "%s rg\n", black)
	for row := range code.Size {
		for col := 0; col < code.Size; col++ {
			start := col
			for col < code.Size && code.Black(col, row) {
				col++
			}
			if col > start {
				fmt.Fprintf(&s.buf, "%s %s %s %s re\n", num(x+float64(start)*module), num(pageHeight-y-float64(row+1)*module), num(float64(col-start)*module), num(module))
			}
		}
	}
	s.buf.WriteString("f\n")
}
