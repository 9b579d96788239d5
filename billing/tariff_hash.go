package billing

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// hashOf identifies a version of a tariff by its content, whatever the order and spelling of its members and numbers were.
func hashOf(doc *ocpi.Tariff) string {
	h := hasher{b: make([]byte, 0, 1024)}
	h.text(string(doc.CountryCode), string(doc.PartyID), string(doc.ID), doc.Currency, string(doc.Type), doc.TariffAltURL)
	h.count(len(doc.TariffAltText))
	for i := range doc.TariffAltText {
		h.text(doc.TariffAltText[i].Language, doc.TariffAltText[i].Text, string(doc.TariffAltText[i].Extra))
	}
	h.price(doc.MinPrice)
	h.price(doc.MaxPrice)
	h.count(len(doc.Elements))
	for i := range doc.Elements {
		h.element(&doc.Elements[i])
	}
	h.instant(doc.StartDateTime)
	h.instant(doc.EndDateTime)
	h.instant(doc.LastUpdated)
	if doc.EnergyMix != nil {
		mix, _ := ocpi.Marshal(doc.EnergyMix) // nothing in it cannot be written
		h.text(string(mix))
	}
	h.text(string(doc.Extra))
	sum := sha256.Sum256(h.b)
	return hex.EncodeToString(sum[:])
}

// hasher writes values so that no two lists of them look alike.
type hasher struct{ b []byte }

func (h *hasher) count(n int) {
	h.b = append(strconv.AppendInt(h.b, int64(n), 10), ':')
}

func (h *hasher) text(texts ...string) {
	for _, text := range texts {
		h.count(len(text))
		h.b = append(h.b, text...)
	}
}

func (h *hasher) instant(at time.Time) {
	if at.IsZero() {
		h.count(0)
		return
	}
	h.count(1)
	h.count(int(at.Unix()))
	h.count(at.Nanosecond())
}

// number writes the same for 1, 1.0 and 1e0.
func (h *hasher) number(n decimal.NullDecimal) {
	if !n.Valid {
		h.count(0)
		return
	}
	d, exp := n.Decimal, n.Decimal.Exponent()
	if d.NumDigits() > fewDigits {
		long, ten, rest := d.Coefficient(), big.NewInt(10), new(big.Int)
		for shorter := new(big.Int); rest.Sign() == 0; {
			if shorter.QuoRem(long, ten, rest); rest.Sign() == 0 {
				long.Set(shorter)
				exp++
			}
		}
		h.text(long.String())
		h.count(int(exp))
		return
	}
	coefficient := d.CoefficientInt64()
	for coefficient != 0 && coefficient%10 == 0 {
		coefficient /= 10
		exp++
	}
	if coefficient == 0 {
		exp = 0
	}
	var digits [20]byte
	h.text(string(strconv.AppendInt(digits[:0], coefficient, 10)))
	h.count(int(exp))
}

func (h *hasher) integer(n *int) {
	if n == nil {
		h.count(0)
		return
	}
	h.count(1)
	h.count(*n)
}

func (h *hasher) price(p *ocpi.Price) {
	if p == nil {
		h.count(0)
		return
	}
	h.count(1)
	h.number(p.ExclVAT)
	h.number(p.InclVAT)
	h.text(string(p.Extra))
}

func (h *hasher) element(e *ocpi.TariffElement) {
	h.count(len(e.PriceComponents))
	for i := range e.PriceComponents {
		c := &e.PriceComponents[i]
		h.text(string(c.Type))
		h.number(c.Price)
		h.number(c.VAT)
		h.integer(c.StepSize)
		h.text(string(c.Extra))
	}
	h.text(string(e.Extra))
	r := e.Restrictions
	if r == nil {
		h.count(0)
		return
	}
	h.count(1)
	h.text(r.StartTime, r.EndTime, r.StartDate, r.EndDate)
	for _, n := range []*decimal.NullDecimal{&r.MinKWh, &r.MaxKWh, &r.MinCurrent, &r.MaxCurrent, &r.MinPower, &r.MaxPower} {
		h.number(*n)
	}
	h.integer(r.MinDuration)
	h.integer(r.MaxDuration)
	h.count(len(r.DayOfWeek))
	for _, d := range r.DayOfWeek {
		h.text(string(d))
	}
	h.text(string(r.Reservation), string(r.Extra))
}
