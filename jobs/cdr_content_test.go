package jobs_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/db"
)

// with returns the CDR with members of it set: name and JSON, in turn; null takes one out.
func (c cdr) with(pairs ...string) []byte {
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(c.json(), &doc); err != nil {
		panic(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if doc[pairs[i]] = json.RawMessage(pairs[i+1]); pairs[i+1] == "null" {
			delete(doc, pairs[i])
		}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return b
}

func (w *world) putTariff(id, price, more string) {
	w.t.Helper()
	err := w.db.AddTariffVersion(w.ctx, db.AddTariffVersionParams{
		CountryCode: "DE", PartyID: "NSL", TariffID: id, PartnerID: w.partner, Currency: "EUR", LastUpdated: day(1), Now: day(1),
		Doc: []byte(`{"country_code":"DE","party_id":"NSL","id":"` + id + `","currency":"EUR","last_updated":"2026-10-01T08:00:00Z",
			"elements":[{"price_components":[{"type":"ENERGY","price":` + price + `,"step_size":1}]}]` + more + `}`),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) putLocation(city string, tariffs ...string) {
	w.t.Helper()
	doc := `{"country_code":"DE","party_id":"NSL","id":"HH1","publish":true,"address":"Elsewhere 1","city":"` + city + `","country":"DEU",
		"coordinates":{"latitude":"53.55034","longitude":"9.99302"},"time_zone":"Europe/Berlin","last_updated":"2026-10-01T08:00:00Z",
		"evses":[{"uid":"1","evse_id":"DE*NSL*E1","status":"AVAILABLE","last_updated":"2026-10-01T08:00:00Z","connectors":[{"id":"1","standard":"IEC_62196_T2",
			"format":"SOCKET","power_type":"AC_3_PHASE","max_voltage":230,"max_amperage":32,"tariff_ids":["` + strings.Join(tariffs, `","`) + `"],"last_updated":"2026-10-01T08:00:00Z"}]}]}`
	err := w.db.SaveLocation(w.ctx, db.SaveLocationParams{
		CountryCode: "DE", PartyID: "NSL", LocationID: "HH1", PartnerID: w.partner, Doc: []byte(doc), City: city, TimeZone: "Europe/Berlin", LastUpdated: day(1), Now: day(1),
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// computed is what the CPO's tariff gives for a CDR, without VAT.
func (w *world) computed(id uuid.UUID) string {
	w.t.Helper()
	rating, err := w.db.CurrentRating(w.ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return rating.ComputedNet.String()
}

// A CDR is what was true when its session began, and is billed and shown as such, whatever has become of the Location and the
// tariff since (CDR-15).
func TestRatingGoesByTheCDR(t *testing.T) {
	w := newWorld(t)
	w.putTariff("AC", "0.99", "")
	w.putLocation("Berlin", "AC")
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	if s := w.state(id); s.State != "rated" || s.CPOState != "open" || s.Place != "Rathaus, Hamburg" {
		t.Errorf("%s, CPO %s, %q", s.State, s.CPOState, s.Place)
	}
	if got := w.computed(id); got != "9" { // 20 × 0.45, not 0.99
		t.Errorf("computed %s", got)
	}
}

// A CDR without tariffs is priced by those that we held: the one that its periods name, or the connector's for a contract
// session (PRC-02, PRC-03).
func TestRatingByStoredTariffs(t *testing.T) {
	w := newWorld(t)
	w.putTariff("ADHOC", "0.80", `,"type":"AD_HOC_PAYMENT"`)
	w.putTariff("OLD", "0.70", `,"end_date_time":"2026-10-04T00:00:00Z"`)
	w.putTariff("REGULAR", "0.50", `,"type":"REGULAR"`)
	w.putTariff("AC", "0.60", "")
	w.putLocation("Hamburg", "ADHOC", "OLD", "NEVERSENT", "REGULAR")
	at := func(start int, evse, tariff string) []byte {
		c := cdr{id: fmt.Sprint("C", start, evse, tariff), start: day(start), kwh: "20"}
		location := strings.Replace(string(c.with()), `"evse_uid":"1"`, `"evse_uid":"`+evse+`"`, 1)
		var doc struct {
			At      json.RawMessage `json:"cdr_location"`
			Periods []struct {
				Start      string          `json:"start_date_time"`
				Dimensions json.RawMessage `json:"dimensions"`
				Tariff     string          `json:"tariff_id,omitempty"`
			} `json:"charging_periods"`
		}
		if err := json.Unmarshal([]byte(location), &doc); err != nil {
			t.Fatal(err)
		}
		doc.Periods[0].Tariff = tariff
		periods, err := json.Marshal(doc.Periods)
		if err != nil {
			t.Fatal(err)
		}
		return c.with("tariffs", "null", "cdr_location", string(doc.At), "charging_periods", string(periods))
	}
	named, before, after, nowhere := w.receiveJSON(at(5, "1", "ac")), w.receiveJSON(at(3, "1", "")), w.receiveJSON(at(6, "1", "")), w.receiveJSON(at(7, "#NA", ""))
	w.work()
	for id, want := range map[uuid.UUID]string{named: "12", before: "10", after: "10", nowhere: "0"} { // TRN-29: nobody is at #NA
		if got := w.computed(id); got != want {
			t.Errorf("computed %s, want %s", got, want)
		}
	}
}

// What a driver charged at home is owed to him and never on his bill (CDR-24).
func TestHomeChargingIsNotBilled(t *testing.T) {
	w := newWorld(t)
	id := w.receiveJSON(cdr{id: "C1", start: day(5), kwh: "20"}.with("home_charging_compensation", "true", "invoice_reference_id", `"GUTSCHRIFT-7"`))
	w.work()
	if s := w.state(id); s.State != "held" || s.Reason != "home-charging" {
		t.Errorf("%s, %s", s.State, s.Reason)
	}
	w.assertBooked(id, "0", "0")
	rating, err := w.db.CurrentRating(w.ctx, id)
	if err != nil || !rating.ClaimedNet.Equal(decimal.NewFromInt(9)) {
		t.Errorf("rating %+v, %v", rating, err)
	}
}

// A reservation that nobody came for names no EVSE and has no session; a session may begin at an unknown time (CDR-13, CDR-16,
// CDR-25).
func TestOddCDRsAreRated(t *testing.T) {
	w := newWorld(t)
	c := cdr{id: "C1", start: day(5), kwh: "20"}
	unused := w.receiveJSON(cdr{id: "C2", start: day(6), kwh: "0", cost: "3"}.with(
		"tariffs", `[{"country_code":"DE","party_id":"NSL","id":"R","currency":"EUR","last_updated":"2026-01-01T00:00:00Z","elements":[
			{"price_components":[{"type":"TIME","price":3,"step_size":1}],"restrictions":{"reservation":"RESERVATION_EXPIRES"}}]}]`,
		"charging_periods", `[{"start_date_time":"2026-10-06T08:00:00Z","dimensions":[{"type":"RESERVATION_TIME","volume":1}],"tariff_id":"R"}]`,
		"total_time", "0",
		"cdr_location", `{"id":"HH1","address":"Rathausplatz 1","city":"Hamburg","country":"DEU","coordinates":{"latitude":"53.55034","longitude":"9.99302"},
			"evse_uid":"#NA","evse_id":"#NA","connector_id":"#NA","connector_standard":"CHADEMO","connector_format":"CABLE","connector_power_type":"DC"}`))
	timeless := w.receiveJSON(c.with("start_date_time", `"1970-1-1T00:00:00Z"`))
	w.work()
	if s := w.state(unused); s.State != "rated" || s.CPOState != "open" || w.computed(unused) != "3" {
		t.Errorf("unused reservation: %s %s, CPO %s %v, %s", s.State, s.Reason, s.CPOState, s.Flags, w.computed(unused))
	}
	if s := w.state(timeless); s.State == "received" || w.computed(timeless) != "9" {
		t.Errorf("unknown start: %s %s %v, %s", s.State, s.Reason, s.Flags, w.computed(timeless))
	}
}
