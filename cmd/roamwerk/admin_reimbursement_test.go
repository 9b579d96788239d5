package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// Agreements with those whom a utility pays, on the command line.
func TestReimbursementCommands(t *testing.T) {
	dir := t.TempDir()
	begin(t, nil, "dev", "--data", dir, "--listen", "127.0.0.1:0", "--demo=false")
	awaitDev(t, dir)
	command := func(result any, args ...string) error {
		t.Helper()
		var out, errs bytes.Buffer
		err := run(t.Context(), append([]string{"--data", dir}, args...), nil, &out, &errs)
		if err == nil {
			if broken := json.Unmarshal(out.Bytes(), result); broken != nil {
				t.Fatalf("roamwerk %s printed %s: %v", strings.Join(args, " "), &out, broken)
			}
		}
		return err
	}
	var card struct {
		Number string `json:"customer_number"`
	}
	var printed map[string]any
	for _, err := range []error{
		command(&printed, "tenant", "add", "--party", "DE*SWX", "--name", "Stadtwerke Xanten"),
		command(&card, "card", "issue", "--tenant", "DE*SWX", "--uid", "04AA", "--contract", "DE-SWX-C1", "--customer", "Erika Beispiel", "--email", "erika@post.example"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	agree := []string{"reimbursement", "add", "--tenant", "DE*SWX", "--payee", card.Number, "--kind", "home", "--card", "04aa", "--price", "0.30", "--vat", "outside", "--from", "2026-01-01", "--agreed", "2026-01-01"}
	if err := command(&printed, append(agree, "--iban", "DE02500105170137075031")...); err == nil || !strings.Contains(err.Error(), "IBAN") {
		t.Errorf("a wrong account: %v", err)
	}
	var added struct {
		ID string `json:"id"`
	}
	if err := command(&added, append(agree, "--iban", "DE02 5001 0517 0137 0750 30")...); err != nil {
		t.Fatal(err)
	}
	if err := command(&printed, "reimbursement", "end", "--tenant", "DE*SWX", "--id", added.ID, "--last", "2026-06-30"); err != nil {
		t.Error(err)
	}
	var listed struct {
		Reimbursements []listedReimbursement `json:"reimbursements"`
	}
	if err := command(&listed, "reimbursement", "list", "--tenant", "DE*SWX", "--payee", card.Number); err != nil {
		t.Fatal(err)
	}
	if len(listed.Reimbursements) != 1 {
		t.Fatalf("%+v", listed)
	}
	if r := listed.Reimbursements[0]; r.Payee != "Erika Beispiel" || r.Account != "5030" || r.Price != "0.3" || r.ValidUntil == nil || *r.ValidUntil != "2026-06-30" || r.Basis != "kwh" {
		t.Errorf("%+v", r)
	}
	if err := command(&printed, "reimbursement", "object", "--tenant", "DE*SWX", "--number", "SWX-G-2026-000001", "--reason", "x", "--on", "2026-01-01"); err == nil || !strings.Contains(err.Error(), "no invoice") {
		t.Errorf("an objection to nothing: %v", err)
	}
	if err := command(&printed, "invoice", "credit", "--tenant", "DE*SWX", "--number", "SWX-2026-000001", "--reason", "x", "--amount", "1", "--line", "1"); err == nil || !strings.Contains(err.Error(), "no invoice") {
		t.Errorf("a credit note of nothing: %v", err)
	}
	var policy struct {
		Limit json.Number `json:"credit_limit"`
	}
	if err := command(&policy, "invoice", "policy", "--tenant", "DE*SWX", "--credit-limit", "20"); err != nil || policy.Limit != "20.00" {
		t.Errorf("limit %s, %v", policy.Limit, err)
	}
}
