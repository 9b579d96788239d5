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
	h := make(content, 0, 1024) // most need no more, and leave no garbage
	h = h.text(string(doc.CountryCode), string(doc.PartyID), string(doc.ID), doc.Currency, string(doc.Type), doc.TariffAltURL)
	h = h.count(len(doc.TariffAltText))
	for i := range doc.TariffAltText {
		h = h.text(doc.TariffAltText[i].Language, doc.TariffAltText[i].Text, string(doc.TariffAltText[i].Extra))
	}
	h = h.price(doc.MinPrice).price(doc.MaxPrice).count(len(doc.Elements))
	for i := range doc.Elements {
		h = h.element(&doc.Elements[i])
	}
	h = h.instant(doc.StartDateTime).instant(doc.EndDateTime).instant(doc.LastUpdated)
	if doc.EnergyMix != nil {
		mix, _ := ocpi.Marshal(doc.EnergyMix) // nothing in it cannot be written
		h = h.text(string(mix))
	}
	return digest(h.text(string(doc.Extra)))
}

// digest is the SHA-256 of a document, hexadecimal.
func digest(doc []byte) string {
	var text [2 * sha256.Size]byte
	sum := sha256.Sum256(doc)
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

// content is values one after another, written so that no two lists of them look alike.
type content []byte

func (h content) count(n int) content {
	if 0 <= n && n <= 9 { // as most are
		return append(h, '0'+byte(n), ':')
	}
	return append(strconv.AppendInt(h, int64(n), 10), ':')
}

func (h content) text(texts ...string) content {
	for _, text := range texts {
		h = append(h.count(len(text)), text...)
	}
	return h
}

func (h content) instant(at time.Time) content {
	if at.IsZero() {
		return h.count(0)
	}
	return h.count(1).count(int(at.Unix())).count(at.Nanosecond())
}

// number writes the same for 1, 1.0 and 1e0.
func (h content) number(n decimal.NullDecimal) content {
	if !n.Valid {
		return h.count(0)
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
		return h.text(long.String()).count(int(exp))
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
	return h.text(string(strconv.AppendInt(digits[:0], coefficient, 10))).count(int(exp))
}

func (h content) integer(n *int) content {
	if n == nil {
		return h.count(0)
	}
	return h.count(1).count(*n)
}

func (h content) price(p *ocpi.Price) content {
	if p == nil {
		return h.count(0)
	}
	return h.count(1).number(p.ExclVAT).number(p.InclVAT).text(string(p.Extra))
}

func (h content) element(e *ocpi.TariffElement) content {
	h = h.count(len(e.PriceComponents))
	for i := range e.PriceComponents {
		c := &e.PriceComponents[i]
		h = h.text(string(c.Type)).number(c.Price).number(c.VAT).integer(c.StepSize).text(string(c.Extra))
	}
	h = h.text(string(e.Extra))
	r := e.Restrictions
	if r == nil {
		return h.count(0)
	}
	h = h.count(1).text(r.StartTime, r.EndTime, r.StartDate, r.EndDate)
	h = h.number(r.MinKWh).number(r.MaxKWh).number(r.MinCurrent).number(r.MaxCurrent).number(r.MinPower).number(r.MaxPower)
	h = h.integer(r.MinDuration).integer(r.MaxDuration).count(len(r.DayOfWeek))
	for _, d := range r.DayOfWeek {
		h = h.text(string(d))
	}
	return h.text(string(r.Reservation), string(r.Extra))
}
