package billing

import (
	"fmt"
	"strconv"

	"github.com/shopspring/decimal"
)

// summaryWords are the names of summed-up sessions: one, and several.
var summaryWords = map[string][2]string{
	"de": {"1 Ladevorgang", "%d Ladevorgänge"},
	"en": {"1 charging session", "%d charging sessions"},
}

// Summarise returns the document with one line for the sessions of each heading and tax decision, instead of one for each of them.
// Its sums are those of inv. Detail keeps every line, so that the list of sessions can be had beside the document.
func (inv Invoice) Summarise() Invoice {
	s := inv
	s.Detail, s.Lines = inv.Lines, nil
	type key struct {
		heading string
		of      VATCategory
		rate    string
		back    bool // given back: the price of a line is never negative
	}
	at, sessions := map[key]int{}, map[key]int{}
	for _, l := range inv.Lines {
		k := key{l.Heading, l.VATCategory, l.VATRate.String(), l.Net.IsNegative()}
		i, known := at[k]
		switch {
		case l.Session == nil:
			s.Lines = append(s.Lines, l)
			continue
		case !known:
			i = len(s.Lines)
			at[k] = i
			s.Lines = append(s.Lines, InvoiceLine{Unit: UnitKWh, VATCategory: l.VATCategory, VATRate: l.VATRate, Period: l.Period, Heading: l.Heading, PriceBase: decimal.NewFromInt(1)})
		}
		sum := &s.Lines[i]
		sessions[k]++
		sum.Net, sum.Gross, sum.Period = sum.Net.Add(l.Net), sum.Gross.Add(l.Gross), sum.Period.covering(l.Period)
		if l.Unit == UnitKWh {
			sum.Quantity = sum.Quantity.Add(l.Quantity)
		}
	}
	words := summaryWords[inv.Language]
	for k, i := range at {
		s.Lines[i].Name = words[0]
		if sessions[k] > 1 {
			s.Lines[i].Name = fmt.Sprintf(words[1], sessions[k])
		}
	}
	for i := range s.Lines {
		s.Lines[i].ID = strconv.Itoa(i + 1)
		s.Lines[i].setPrice()
	}
	return s
}
