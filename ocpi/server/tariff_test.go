package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

const tariffPath = "/ocpi/2.2.1/tariffs/DE/CPO/T1"

func TestTariffVersions(t *testing.T) { // TAR-01 to TAR-03, TAR-05, OWN-14, OWN-16
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo, other := w.registered(ocpi.RoleCPO, "DE*CPO"), w.registered(ocpi.RoleCPO, "DE*OTH")
	cpo.do(http.MethodDelete, tariffPath, nil).want(404, 2001)
	cpo.do(http.MethodPut, tariffPath, tariffJSON).want(201, 1000)
	first := w.clock.now()
	w.pass(time.Hour)
	cpo.do(http.MethodPut, tariffPath, change(t, tariffJSON)).want(200, 1000) // the same in another order
	second := change(t, tariffJSON, "currency", "CHF", "last_updated", "2026-10-10T00:00:00Z")
	cpo.do(http.MethodPut, tariffPath, second).want(200, 1000)
	changed := w.clock.now()
	cpo.do(http.MethodPut, tariffPath, change(t, tariffJSON, "currency", "SEK")).want(200, 1000) // late
	check(t, "currency", cpo.do(http.MethodGet, tariffPath, nil).want(200, 1000).object()["currency"], "CHF")
	other.do(http.MethodGet, tariffPath, nil).want(404, 2001)
	other.do(http.MethodDelete, tariffPath, nil).want(404, 2001)

	w.pass(time.Hour)
	cpo.do(http.MethodDelete, tariffPath, nil).want(200, 1000)
	cpo.do(http.MethodGet, tariffPath, nil).want(404, 2001)
	cpo.do(http.MethodDelete, tariffPath, nil).want(404, 2001)
	cpo.do(http.MethodPut, tariffPath, second).want(201, 1000)

	versions, err := w.db.TariffVersions(w.ctx, db.TariffVersionsParams{CountryCode: "DE", PartyID: "CPO", TariffID: "T1"})
	if err != nil || len(versions) != 3 {
		t.Fatalf("versions: %+v, %v", versions, err)
	}
	check(t, "first from", versions[0].ValidFrom, first)
	check(t, "first to", *versions[0].ValidTo, changed)
	check(t, "second from", versions[1].ValidFrom, changed)
	check(t, "second to", *versions[1].ValidTo, w.clock.now())
	check(t, "third is open", versions[2].ValidTo == nil, true)
	due, err := w.db.PartnersWithTariffsToLint(w.ctx, db.PartnersWithTariffsToLintParams{Now: w.clock.now(), MaxRows: 10})
	check(t, "partners whose tariffs are to be looked at", len(due), 1)
	check(t, "error", err, nil)
	for _, method := range []string{http.MethodPost, http.MethodPatch} {
		cpo.do(method, tariffPath, tariffJSON).want(405, 2000)
	}
}

func TestTariffIsRefused(t *testing.T) { // TAR-01, TAR-12, OWN-04, OWN-05
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	for name, body := range map[string]string{
		"no elements":     change(t, tariffJSON, "elements", []any{}),
		"no currency":     change(t, tariffJSON, "currency", nil),
		"no last_updated": change(t, tariffJSON, "last_updated", nil),
		"other id":        change(t, tariffJSON, "id", "T2"),
		"other party":     change(t, tariffJSON, "party_id", "OTH"),
	} {
		if a := cpo.do(http.MethodPut, tariffPath, body); a.status != 200 || a.code != 2001 {
			t.Errorf("%s: %d/%d", name, a.status, a.code)
		}
	}
	cpo.do(http.MethodPut, strings.Replace(tariffPath, "CPO", "OTH", 1), change(t, tariffJSON, "party_id", "OTH")).want(404, 2001)
	cpo.do(http.MethodGet, tariffPath, nil).want(404, 2001)
}
