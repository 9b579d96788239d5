package ocpitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Meter signs what a charging point has measured, as OCMF on secp256r1. Its
// key follows from a name and protects nothing.
type Meter struct {
	Serial string
	key    *ecdsa.PrivateKey
}

// NewMeter makes the meter with this serial number.
func NewMeter(serial string) *Meter {
	secret := sha256.Sum256([]byte("a meter of the simulation " + serial))
	secret[0] = 0 // below the order of the curve
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret[:])
	if err != nil {
		panic(err) // no number in this range is refused
	}
	return &Meter{serial, key}
}

// PublicKey is the meter's public key, a SubjectPublicKeyInfo in Base64, as
// OCPI wants it.
func (m *Meter) PublicKey() string {
	spki, err := x509.MarshalPKIXPublicKey(&m.key.PublicKey)
	if err != nil {
		panic(err) // an ECDSA key of a known curve
	}
	return base64.StdEncoding.EncodeToString(spki)
}

// Measured is a session as a meter sees it.
type Measured struct {
	Page       int64 // number of the record
	User       string
	EVSE       string
	Start, End time.Time
	Wh         int64 // what the meter showed at begin
	Charged    int64 // Wh, in the session
}

// Sign writes one record with begin and end, the same each time.
func (m *Meter) Sign(s Measured) string {
	reading := func(at time.Time, mark string, wattHours int64) string {
		return fmt.Sprintf(`{"TM":%q,"TX":%q,"RV":%d.%03d,"RI":"01-00:B2.08.00*FF","RU":"kWh","RT":"AC","EF":"","ST":"G"}`,
			at.UTC().Format("2006-01-02T15:04:05,000-0700")+" S", mark, wattHours/1000, wattHours%1000)
	}
	payload := fmt.Sprintf(`{"FV":"1.2","GI":"Simulation","GS":%q,"GV":"1.0","PG":"T%d","MV":"Simulation","MS":%q,"MF":"1.0","IS":true,"IL":"HEARSAY","IF":["RFID_PLAIN"],"IT":"ISO14443","ID":%q,"CT":"EVSEID","CI":%q,"RD":[%s,%s]}`,
		m.Serial, s.Page, m.Serial, s.User, s.EVSE, reading(s.Start, "B", s.Wh), reading(s.End, "E", s.Wh+s.Charged))
	digest := sha256.Sum256([]byte(payload))
	signature, err := m.key.Sign(nil, digest[:], crypto.SHA256) // without randomness: RFC 6979
	if err != nil {
		panic(err) // a good key and a good digest
	}
	return "OCMF|" + payload + `|{"SA":"ECDSA-secp256r1-SHA256","SD":"` + hex.EncodeToString(signature) + `"}`
}

// SignedData is a record as a CDR carries it.
func (m *Meter) SignedData(record string) *ocpi.SignedData {
	return &ocpi.SignedData{
		EncodingMethod: "OCMF", PublicKey: m.PublicKey(),
		SignedValues: []ocpi.SignedValue{{Nature: "End", SignedData: base64.StdEncoding.EncodeToString([]byte(record))}},
	}
}

// Meters are those of the CPO's charging points that sign, by EVSE id. It is
// what a CPO tells the utilities when it puts a charging point into operation.
func (c *CPO) Meters() map[ocpi.CiString]*Meter {
	meters := map[ocpi.CiString]*Meter{}
	for _, point := range c.Points() {
		if c.signs(point) {
			meters[point.EVSE.EVSEID] = meterOf(point.EVSE)
		}
	}
	return meters
}

func meterOf(evse ocpi.EVSE) *Meter { return NewMeter("M" + string(evse.UID)) }

// signs reports whether the point has a meter that signs: the older kinds have
// none.
func (c *CPO) signs(point Point) bool {
	return c.signedMeters && point.Kind != AC11 && point.Kind != DC50
}

// signedData is what the meter says of the charge. A meter cannot tell Wh from
// kWh wrongly; who changes its record afterwards is found out.
func (c *Charge) signedData() *ocpi.SignedData {
	tampered := c.visit.Oddities.TamperedMeter
	if !c.cpo.signs(c.point) && !tampered {
		return nil
	}
	wattHours, _, _ := sums(c.periods)
	minutes := c.start.Unix() / 60
	meter := meterOf(c.point.EVSE)
	measured := Measured{
		Page: minutes % 1_000_000, User: string(c.visit.Token.UID), EVSE: string(c.point.EVSE.EVSEID), Start: c.start, End: c.end,
		Wh: (minutes % 10_000_000) * 180, Charged: wattHours,
	}
	record := meter.Sign(measured)
	if tampered {
		measured.Charged += 1000
		forged := meter.Sign(measured)
		record = forged[:strings.LastIndexByte(forged, '|')] + record[strings.LastIndexByte(record, '|'):]
	}
	return meter.SignedData(record)
}
