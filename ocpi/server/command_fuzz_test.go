package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// FuzzCommandResult sends bytes to every address that results of commands and charging profiles come to. Whatever they are,
// the answer is an OCPI message and never our fault, and only a result moves the command (CMD-14, CMD-20, TRN-22).
func FuzzCommandResult(f *testing.F) {
	w := newWorld(f)
	urls := map[string]string{}
	swx, cpo := w.ready(func(r request) (int, string) { urls[r.method+r.path] = r.responseURL; return accepted(r) })
	cpo.do(http.MethodPut, sessionPath, sessionJSON).want(201, 1000)
	profiled := jobs.Profiled{Tenant: swx.ID, Session: jobs.SessionRef{ID: "S1"}}
	start := w.start(startAt(swx))
	if _, err := w.ops.ReserveNow(w.ctx, jobs.Reserve{Tenant: swx.ID, UID: "04AABBCC", At: startAt(swx).At, Until: w.clock.now().Add(time.Hour)}); err != nil {
		f.Fatal(err)
	}
	if _, err := w.ops.SetChargingProfile(w.ctx, jobs.ByStaff, profiled, limit(7)); err != nil {
		f.Fatal(err)
	}
	if _, err := w.ops.ReadChargingProfile(w.ctx, jobs.ByStaff, profiled, time.Minute); err != nil {
		f.Fatal(err)
	}
	calls := []struct{ method, url string }{
		{http.MethodPost, urls["POST/commands/START_SESSION"]}, {http.MethodPost, urls["POST/commands/RESERVE_NOW"]},
		{http.MethodPost, urls["PUT/chargingprofiles/S1"]}, {http.MethodPost, urls["GET/chargingprofiles/S1"]},
		{http.MethodPut, w.url + profilesPath + "/S1"},
	}
	for _, body := range []string{
		`{"result":"ACCEPTED"}`, `{"result":"CANCELED_RESERVATION"}`, `{"result":"UNKNOWN_SESSION","timeout":3}`, `{"result":"ACCEPTED","message":[{"language":"de","text":"ja"}]}`,
		`{"result":"ACCEPTED","profile":{"start_date_time":"2026-10-20T12:00:00Z","charging_profile":{"charging_rate_unit":"W","charging_profile_period":[{"start_period":0,"limit":1}]}}}`,
		`{"start_date_time":"2026-10-20T12:00:00Z","charging_profile":{"charging_rate_unit":"A","min_charging_rate":1e400000}}`,
		``, `null`, `{`, `[]`, `{}`, `"ACCEPTED"`, `{"result":"\u0000"}`, `{"result":"\ud800"}`, "{\"result\":\"\xff\"}", `{"result":{}}`, `{"result":"FAILED","message":{}}`,
	} {
		for i := range calls {
			f.Add(byte(i), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		call := calls[int(which)%len(calls)]
		a, err := cpo.send(call.method, call.url, body)
		if err != nil {
			t.Fatal(err)
		}
		if a.status >= 500 || a.code == 0 || a.code >= 3000 {
			t.Errorf("%s %s: %d/%d\n%s", call.method, call.url, a.status, a.code, a.body)
		}
		c, err := w.db.Command(w.ctx, start.ID)
		if err != nil {
			t.Fatal(err)
		}
		if c.State != jobs.CommandForwarded && c.ResultAt == nil || c.State == jobs.CommandAccepted && c.Result != string(ocpi.CommandResultAccepted) {
			t.Errorf("the command is %s with the result %q", c.State, c.Result)
		}
	})
}
