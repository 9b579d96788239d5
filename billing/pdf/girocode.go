package pdf

import (
	"errors"
	"fmt"
	"strings"

	"rsc.io/qr"

	"github.com/roamwerk/roamwerk/billing"
)

var errNoGiroCode = errors.New("payment data do not fit into a GiroCode")

// giroCode encodes a credit transfer as EPC069-12 version 2 has it: at most 331 bytes, error correction M.
func giroCode(inv billing.Invoice) (*qr.Code, error) {
	name := []rune(inv.Payment.AccountName)
	name = name[:min(len(name), 70)]
	text := strings.Join([]string{
		"BCD", "002", "1", "SCT",
		inv.Payment.BIC,
		string(name),
		compact(inv.Payment.IBAN),
		"EUR" + inv.Due.StringFixed(2),
		"", "",
		inv.Number,
	}, "\n")
	if len(text) > 331 || inv.Currency != "EUR" || !inv.Due.IsPositive() {
		return nil, errNoGiroCode
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("GiroCode: %w", err)
	}
	return code, nil
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
