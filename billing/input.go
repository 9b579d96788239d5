package billing

import (
	"encoding/binary"
	"errors"
	"math/big"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Input is all that the retail price of a session depends on, and what came of it: a hundredth of a CDR. It is written down
// when a session is booked, so that a draft of other prices can be tried on a year of sessions without reading a year of
// CDRs.
type Input struct {
	CDR          ocpi.CDR // with what pricing reads, and nothing else
	Zone         string   // of the place, IANA; empty: not known
	Country      string   // of the place, for its VAT
	Began, Ended time.Time
	Buyer        Buyer
	At           ChargePoint
	Outcome      Outcome
}

// Outcome is what a session was booked with. Money is in Currency, the cost in that of the CDR.
type Outcome struct {
	Currency     string
	Net, Gross   decimal.Decimal // what the customer pays
	OffNet, Off  decimal.Decimal // what vouchers and the price promise took off, which no plan is to blame for
	Cost         decimal.Decimal // what the CPO claims, without VAT
	CostCurrency string
	Plan         string
}

// inputFormat is the first byte of a packed input. It rises when the format changes.
const inputFormat = 1

// packedDimensions are the dimensions that a price depends on, in the order of their codes.
var packedDimensions = []ocpi.CDRDimensionType{
	ocpi.DimensionEnergy, ocpi.DimensionTime, ocpi.DimensionParkingTime, ocpi.DimensionReservationTime,
	ocpi.DimensionMinPower, ocpi.DimensionMaxPower, ocpi.DimensionMinCurrent, ocpi.DimensionMaxCurrent,
}

const (
	flagOwn = 1 << iota
	flagDC
	flagAC
	flagNoSession
	flagNoConnector // the connector, EVSE or EVSE id is "#NA"
	flagEnergy      // the total energy is known
)

// Append packs the input behind b.
func (in *Input) Append(b []byte) []byte {
	p := packer{b}
	cdr, at := &in.CDR, &in.At
	flags := uint64(0)
	set := func(flag uint64, on bool) {
		if on {
			flags |= flag
		}
	}
	loc := &cdr.CDRLocation
	set(flagOwn, at.Own)
	set(flagDC, at.Current == DC)
	set(flagAC, at.Current == AC)
	set(flagNoSession, cdr.SessionID == "")
	set(flagNoConnector, loc.ConnectorID == ocpi.NotApplicable || loc.EVSEUID == ocpi.NotApplicable || loc.EVSEID == ocpi.NotApplicable)
	set(flagEnergy, cdr.TotalEnergy.Valid && sane(cdr.TotalEnergy.Decimal))
	p.b = append(p.b, inputFormat)
	p.uint(flags)
	for _, s := range []string{
		in.Zone, in.Country, in.Buyer.Card, in.Buyer.Contract, in.Buyer.Group, in.Buyer.Plan, at.EVSE, at.Location, at.CPO.String(), at.Hub.String(), at.Country,
		cdr.Currency, in.Outcome.Currency, in.Outcome.CostCurrency, in.Outcome.Plan,
	} {
		p.text(s)
	}
	p.number(decimalOr(at.Power), at.Power.Valid)
	for _, d := range []decimal.Decimal{in.Outcome.Net, in.Outcome.Gross, in.Outcome.OffNet, in.Outcome.Off, in.Outcome.Cost} {
		p.number(d, true)
	}
	if flags&flagEnergy != 0 {
		p.number(cdr.TotalEnergy.Decimal, true)
	}
	p.instant(in.Began, time.Time{})
	p.instant(in.Ended, in.Began)
	p.instant(cdr.StartDateTime, in.Began)
	p.instant(cdr.EndDateTime, in.Began)
	p.uint(uint64(len(cdr.ChargingPeriods)))
	last := in.Began
	for i := range cdr.ChargingPeriods {
		period := &cdr.ChargingPeriods[i]
		p.instant(period.StartDateTime, last)
		last = period.StartDateTime
		known := 0
		for k := range period.Dimensions {
			if codeOf(period.Dimensions[k].Type) >= 0 {
				known++
			}
		}
		p.uint(uint64(known))
		for k := range period.Dimensions {
			d := &period.Dimensions[k]
			if code := codeOf(d.Type); code >= 0 {
				p.uint(uint64(code))
				p.number(d.Volume.Decimal, d.Volume.Valid && sane(d.Volume.Decimal))
			}
		}
	}
	return p.b
}

func decimalOr(d decimal.NullDecimal) decimal.Decimal { return d.Decimal }

func codeOf(t ocpi.CDRDimensionType) int {
	for code, known := range packedDimensions {
		if known == t {
			return code
		}
	}
	return -1
}

// packer writes small numbers in few bytes.
type packer struct{ b []byte }

func (p *packer) uint(n uint64) { p.b = binary.AppendUvarint(p.b, n) }
func (p *packer) int(n int64)   { p.b = binary.AppendVarint(p.b, n) }

func (p *packer) text(s string) {
	p.uint(uint64(len(s)))
	p.b = append(p.b, s...)
}

// The kinds of packed numbers.
const (
	packedNothing = iota
	packedSmall   // exponent and coefficient
	packedLong    // exponent, length and bytes of the coefficient, sign in the last bit of the length
)

func (p *packer) number(d decimal.Decimal, valid bool) {
	switch {
	case !valid:
		p.uint(packedNothing)
	case d.NumDigits() <= fewDigits:
		p.uint(packedSmall)
		p.int(int64(d.Exponent()))
		p.int(d.CoefficientInt64())
	default:
		p.uint(packedLong)
		p.int(int64(d.Exponent()))
		coefficient := d.Coefficient()
		digits := coefficient.Bytes()
		length := uint64(len(digits)) << 1
		if coefficient.Sign() < 0 {
			length |= 1
		}
		p.uint(length)
		p.b = append(p.b, digits...)
	}
}

// instant writes an instant as its distance from another, in the coarsest of seconds and nanoseconds that is exact; none is
// written as such.
func (p *packer) instant(at, from time.Time) {
	const none, seconds, nanos = 0, 1, 2
	switch {
	case at.IsZero():
		p.uint(none)
	case at.Nanosecond() == 0 && from.Nanosecond() == 0:
		p.uint(seconds)
		p.int(at.Unix() - unixOf(from))
	default:
		p.uint(nanos)
		p.int(at.Unix() - unixOf(from))
		p.int(int64(at.Nanosecond()))
	}
}

// unixOf counts from 1970 where there is no instant to count from.
func unixOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// InputReader unpacks one input after another in the same memory. It is not for two goroutines at once.
type InputReader struct {
	b       []byte
	failed  bool
	texts   map[string]string // one copy of each text that has been seen
	parties map[string]ocpi.Party
	volumes []ocpi.CDRDimension
	money   [5]number // of the outcome, in the order of Outcome
}

var errInput = errors.New("the packed input is damaged or of another format")

// Read unpacks an input. What in refers to is valid until the next call.
func (r *InputReader) Read(b []byte, in *Input) error {
	err := r.read(b, in)
	for i, d := range []*decimal.Decimal{&in.Outcome.Net, &in.Outcome.Gross, &in.Outcome.OffNet, &in.Outcome.Off, &in.Outcome.Cost} {
		*d = r.money[i].decimal()
	}
	return err
}

// read is Read without the money, which stays in the reader.
func (r *InputReader) read(b []byte, in *Input) error {
	if len(b) == 0 || b[0] != inputFormat {
		return errInput
	}
	r.b, r.failed, r.volumes = b[1:], false, r.volumes[:0]
	if r.texts == nil {
		r.texts, r.parties = map[string]string{}, map[string]ocpi.Party{}
	}
	periods := in.CDR.ChargingPeriods[:0]
	flags := r.uint()
	*in = Input{
		Zone: r.text(), Country: r.text(),
		Buyer: Buyer{Card: r.text(), Contract: r.text(), Group: r.text(), Plan: r.text()},
		At:    ChargePoint{Own: flags&flagOwn != 0, EVSE: r.text(), Location: r.text(), CPO: r.party(), Hub: r.party(), Country: r.text()},
	}
	cdr := &in.CDR
	cdr.Currency = r.text()
	in.Outcome.Currency, in.Outcome.CostCurrency, in.Outcome.Plan = r.text(), r.text(), r.text()
	in.At.Power = r.number()
	for i := range r.money {
		r.money[i] = r.small()
	}
	if flags&flagEnergy != 0 {
		cdr.TotalEnergy = r.number()
	}
	switch {
	case flags&flagDC != 0:
		in.At.Current = DC
	case flags&flagAC != 0:
		in.At.Current = AC
	}
	if flags&flagNoSession == 0 {
		cdr.SessionID = "S"
	}
	if flags&flagNoConnector != 0 {
		cdr.CDRLocation.ConnectorID = ocpi.NotApplicable
	}
	in.Began = r.instant(time.Time{})
	in.Ended = r.instant(in.Began)
	cdr.StartDateTime, cdr.EndDateTime = r.instant(in.Began), r.instant(in.Began)
	last := in.Began
	for range r.count() {
		period := ocpi.ChargingPeriod{StartDateTime: r.instant(last)}
		last = period.StartDateTime
		first := len(r.volumes)
		for range r.count() {
			code := r.uint()
			if code >= uint64(len(packedDimensions)) {
				return errInput
			}
			r.volumes = append(r.volumes, ocpi.CDRDimension{Type: packedDimensions[code], Volume: r.number()})
		}
		period.Dimensions = r.volumes[first:len(r.volumes):len(r.volumes)]
		periods = append(periods, period)
	}
	cdr.ChargingPeriods = periods
	if r.failed || len(r.b) > 0 {
		return errInput
	}
	return nil
}

func (r *InputReader) fail() { r.b, r.failed = nil, true }

func (r *InputReader) uint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *InputReader) int() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// count is a number of things that follow, each of which takes a byte at least.
func (r *InputReader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *InputReader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// mostTexts bounds what a reader remembers: cards and EVSEs are many in a year of sessions.
const mostTexts = 100_000

func (r *InputReader) text() string {
	b := r.bytes(r.uint())
	if len(b) == 0 {
		return ""
	}
	if s, ok := r.texts[string(b)]; ok {
		return s
	}
	if len(r.texts) >= mostTexts {
		clear(r.texts)
	}
	s := string(b)
	r.texts[s] = s
	return s
}

func (r *InputReader) party() ocpi.Party {
	s := r.text()
	if s == "" {
		return ocpi.Party{}
	}
	p, ok := r.parties[s]
	if !ok {
		parsed, err := ocpi.ParseParty(s)
		if err != nil {
			r.fail()
		}
		p = parsed
		r.parties[s] = p
	}
	return p
}

func (r *InputReader) number() decimal.NullDecimal {
	switch r.uint() {
	case packedSmall:
		exp := r.int()
		return ocpi.Number(decimal.New(r.int(), int32(exp)))
	case packedLong:
		return ocpi.Number(r.long())
	}
	return decimal.NullDecimal{}
}

// small is number without garbage where it fits; absent is zero.
func (r *InputReader) small() number {
	switch r.uint() {
	case packedSmall:
		exp := r.int()
		return integer(r.int(), int32(exp))
	case packedLong:
		return numberOf(r.long())
	}
	return number{}
}

func (r *InputReader) long() decimal.Decimal {
	exp, length := r.int(), r.uint()
	coefficient := new(big.Int).SetBytes(r.bytes(length >> 1))
	if length&1 != 0 {
		coefficient.Neg(coefficient)
	}
	return decimal.NewFromBigInt(coefficient, int32(exp))
}

func (r *InputReader) instant(from time.Time) time.Time {
	switch r.uint() {
	case 1:
		return time.Unix(unixOf(from)+r.int(), 0).UTC()
	case 2:
		seconds := r.int()
		return time.Unix(unixOf(from)+seconds, r.int()).UTC()
	}
	return time.Time{}
}
