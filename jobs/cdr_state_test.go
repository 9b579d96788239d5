package jobs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/db/dbtest"
)

// Every step between the states of a CDR and of its flags is allowed or refused by the database, as listed here.
func TestTransitions(t *testing.T) {
	w := newWorld(t)
	id := w.receive(cdr{id: "C1", start: day(5), kwh: "20"})
	w.work()
	retail := map[string]string{"received": "open", "waiting": "open", "held": "open", "rated": "released", "invoiced": "released", "credited": "none", "dropped": "none"}
	state := func(name string) string {
		since := "NULL"
		if name == "waiting" {
			since = "now()"
		}
		return fmt.Sprintf("state = '%s', retail_state = '%s', waiting_since = %s", name, retail[name], since)
	}
	flag := func(column string) func(string) string {
		return func(name string) string { return column + " = '" + name + "'" }
	}
	for _, c := range []struct {
		what    string
		all     string
		set     func(string) string
		allowed map[string]string
	}{
		{"state", "received waiting held rated invoiced credited dropped", state, map[string]string{
			"received": "waiting held rated credited dropped",
			"waiting":  "received held rated invoiced credited dropped",
			"held":     "received waiting rated invoiced credited dropped",
			"rated":    "received waiting held invoiced credited dropped",
			"invoiced": "waiting held rated credited dropped",
		}},
		{"CPO", "open questioned disputed accepted refused credited", flag("cpo_state"), map[string]string{
			"open":       "questioned disputed accepted refused credited",
			"questioned": "open disputed accepted refused credited",
			"disputed":   "questioned accepted refused credited",
			"accepted":   "questioned disputed refused credited",
			"refused":    "questioned disputed accepted credited",
		}},
	} {
		for _, from := range strings.Fields(c.all) {
			for _, to := range strings.Fields(c.all) {
				err := dbtest.Exec(w.ctx, w.dbURL, fmt.Sprintf(`DO $$ BEGIN
					ALTER TABLE cdr_states DISABLE TRIGGER cdr_states_transition;
					UPDATE cdr_states SET %s WHERE cdr_id = '%[3]s';
					ALTER TABLE cdr_states ENABLE TRIGGER cdr_states_transition;
					UPDATE cdr_states SET %[2]s WHERE cdr_id = '%[3]s';
				END $$`, c.set(from), c.set(to), id))
				if allowed := from == to || slices.Contains(strings.Fields(c.allowed[from]), to); allowed != (err == nil) {
					t.Errorf("%s %s to %s: %v", c.what, from, to, err)
				}
			}
		}
	}
	// A flag that does not fit the state is refused, too.
	for _, wrong := range []string{
		"state = 'rated', retail_state = 'open'", "state = 'held', retail_state = 'released'", "state = 'dropped', retail_state = 'waived'", "state = 'invoiced', retail_state = 'waived'",
		"state = 'waiting', retail_state = 'open', waiting_since = NULL", "held_until = now()",
	} {
		err := dbtest.Exec(w.ctx, w.dbURL, fmt.Sprintf(`DO $$ BEGIN
			ALTER TABLE cdr_states DISABLE TRIGGER cdr_states_transition;
			UPDATE cdr_states SET %s WHERE cdr_id = '%s';
		END $$`, wrong, id))
		if err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
