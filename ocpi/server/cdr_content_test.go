package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/ocpi"
)

// What is rare in a CDR is no reason to refuse it, is kept byte for byte and given back (CDR-03, CDR-23).
func TestCDRIsKeptAsItCame(t *testing.T) {
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	signed := `{"encoding_method":"OCMF","public_key":"MFkwEw+/=","signed_values":[{"nature":"Start","plain_data":"OCMF|{\"RV\":  0.10 }","signed_data":"T0NNRg=="},` +
		`{"nature":"End","plain_data":"\u00e4 \/ ` + strings.Repeat("x", 4900) + `","signed_data":"` + strings.Repeat("y", 5000) + `"}],"url":"https://meter.example/verify"}`
	for name, body := range map[string]string{
		"CDR-23 signed values":             strings.Replace(cdrJSON, `"session_id"`, `"signed_data": `+signed+`, "session_id"`, 1),
		"CDR-16 a mere reservation":        change(t, cdrJSON, "session_id", nil, "cdr_location.evse_uid", "#NA", "cdr_location.evse_id", "#NA", "cdr_location.connector_id", "#NA"),
		"CDR-13 no session":                change(t, cdrJSON, "session_id", nil),
		"CDR-13 a session never told":      change(t, cdrJSON, "session_id", "S-UNKNOWN"),
		"CDR-14 authorised another way":    change(t, cdrJSON, "auth_method", "COMMAND", "authorization_reference", "the-last-one"),
		"CDR-17 at a private place":        change(t, cdrJSON, "cdr_location.id", "HOME", "cdr_location.evse_id", "DE*CPO*EHOME"),
		"CDR-24 home charging":             change(t, cdrJSON, "home_charging_compensation", true, "invoice_reference_id", "R-7"),
		"CDR-25 times unknown":             change(t, cdrJSON, "start_date_time", "1970-1-1T00:00:00Z", "end_date_time", "1970-01-01T00:00:00Z"),
		"CDR-20 periods in disorder":       change(t, cdrJSON, "charging_periods", []any{period("2026-10-20T10:30:00Z", 4), period("2026-10-20T10:00:00Z", 6)}),
		"CDR-21 far too dear":              change(t, cdrJSON, "total_cost.excl_vat", 9999),
		"CDR-06 an id of 39 characters":    change(t, cdrJSON, "remark", "x"),
		"CDR-22 a tariff it does not hold": change(t, cdrJSON, "charging_periods", []any{map[string]any{"start_date_time": "2026-10-20T10:00:00Z", "tariff_id": "ELSEWHERE", "dimensions": []any{map[string]any{"type": "ENERGY", "volume": 10}}}}),
	} {
		id := strings.ReplaceAll(name, " ", "-")
		if strings.HasPrefix(name, "CDR-06") {
			id = strings.Repeat("9", 39)
		}
		body = strings.Replace(body, `"CDR1"`, `"`+id+`"`, 1)
		address := cpo.do(http.MethodPost, cdrsPath, body).want(201, 1000).header.Get("Location")
		check(t, name+": stored", string(w.receivedCDR(id).Raw), body)
		var want map[string]any
		if err := json.Unmarshal([]byte(body), &want); err != nil {
			t.Fatal(err)
		}
		check(t, name, fmt.Sprint(cpo.do(http.MethodGet, address, nil).want(200, 1000).object()), fmt.Sprint(want))
	}
	check(t, "seen at an unknown time", w.count("SELECT count(*) FROM cdr_states WHERE started_at < '2026-01-01' OR ended_at < started_at"), 0)
}

func period(start string, kwh int) map[string]any {
	return map[string]any{"start_date_time": start, "dimensions": []any{map[string]any{"type": "ENERGY", "volume": kwh}}}
}
