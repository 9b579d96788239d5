package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A product manager's way from a tariff to a published price book, on the command line.
func TestPricebookCommands(t *testing.T) {
	dir := t.TempDir()
	begin(t, nil, "dev", "--data", dir, "--listen", "127.0.0.1:0", "--demo=false")
	awaitDev(t, dir)
	files := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(files, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	try := func(result any, args ...string) error {
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
	command := func(result any, args ...string) {
		t.Helper()
		if err := try(result, args...); err != nil {
			t.Fatalf("roamwerk %s: %v", strings.Join(args, " "), err)
		}
	}
	refused := func(want string, args ...string) {
		t.Helper()
		var nothing map[string]any
		if err := try(&nothing, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("roamwerk %s: %v, want %s", strings.Join(args, " "), err, want)
		}
	}
	var printed map[string]any
	command(&printed, "tenant", "add", "--party", "DE*SWX", "--name", "Stadtwerke Xanten")
	command(&printed, "group", "add", "--tenant", "DE*SWX", "--name", "Stromkunden")
	command(&printed, "card", "issue", "--tenant", "DE*SWX", "--uid", "04AA", "--contract", "DE-SWX-C1", "--customer", "Erika Beispiel", "--email", "erika@post.example", "--group", "Stromkunden")

	plan := `{"id":"V","currency":"EUR","tax_included":"YES","elements":[
		{"fee":"BLOCKING","price_components":[{"type":"TIME","price":6,"vat":19,"step_size":60}],"restrictions":{"min_duration":14400}},
		{"price_components":[{"type":"ENERGY","price":0.49,"vat":19,"step_size":1}]}],"caps":[{"dimensions":["BLOCKING"],"max":12}]}`
	var added listedPlan
	command(&added, "plan", "add", "--tenant", "DE*SWX", "--name", "Vorteil", file("plan.json", plan))
	if added.Version != 1 || added.DE != "0,49 €/kWh · 0,10 €/min Blockiergebühr (ab 240 min), höchstens 12,00 €" || !added.Gross {
		t.Errorf("added %+v", added)
	}
	command(&added, "plan", "add", "--tenant", "DE*SWX", "--name", "Vorteil", "--valid-from", "2099-01-01", file("plan2.json", strings.Replace(plan, "0.49", "0.45", 1)))
	if added.Version != 2 || added.ValidFrom.Format("2006-01-02T15:04Z") != "2098-12-31T23:00Z" {
		t.Errorf("second version %+v", added)
	}
	refused(`caps[0].max: required`, "plan", "add", "--tenant", "DE*SWX", "--name", "Kaputt", file("broken.json", strings.Replace(plan, `,"max":12`, "", 1)))
	var plans struct{ Plans []listedPlan }
	command(&plans, "plan", "list", "--tenant", "DE*SWX")
	if len(plans.Plans) != 2 || plans.Plans[0].Name != "Standard" || plans.Plans[1].Version != 1 { // the second is not valid yet
		t.Errorf("plans %+v", plans)
	}
	var shown struct{ Versions []listedPlan }
	command(&shown, "plan", "show", "--tenant", "DE*SWX", "--name", "Vorteil")
	if len(shown.Versions) != 2 || len(shown.Versions[1].Doc) == 0 {
		t.Errorf("versions %+v", shown)
	}
	refused(`has no plan "Premium"`, "plan", "show", "--tenant", "DE*SWX", "--name", "Premium")

	book := file("book.json", `{"rules":[{"id":"strom","plan":"Vorteil","group":"Stromkunden"},{"id":"eigen","plan":"Standard","where":{"own":true}},{"id":"swx","plan":"Vorteil","where":{"cpo":"DE*SWX"}}]}`)
	tie := file("tie.json", `{"rules":[{"plan":"Vorteil"},{"plan":"Standard"}]}`)
	command(&printed, "pricebook", "own", "--tenant", "DE*SWX", "--party", "DE*SWX")
	var check shownCheck
	command(&check, "pricebook", "check", "--tenant", "DE*SWX", tie)
	if check.OK || len(check.Errors) != 1 || check.Errors[0].Path != "rules[1]" {
		t.Errorf("check of a tie %+v", check)
	}
	command(&check, "pricebook", "check", "--tenant", "DE*SWX", book)
	if !check.OK || len(check.Fees) != 2 || check.Fees[0] != (shownFeePlan{"Stromkunden", "Vorteil"}) {
		t.Errorf("check %+v", check)
	}
	refused("rules[1]: more or less precise", "pricebook", "set", "--tenant", "DE*SWX", tie)
	var set shownBook
	command(&set, "pricebook", "set", "--tenant", "DE*SWX", book)
	if set.Version != 2 || len(set.Rules) != 3 || set.Rules[1].EN != "all customers, own charge points" {
		t.Errorf("set %+v", set)
	}
	command(&set, "pricebook", "show", "--tenant", "DE*SWX")
	if set.Version != 2 || len(set.Versions) != 2 || len(set.Own) != 1 || set.Own[0] != "DE*SWX" {
		t.Errorf("show %+v", set)
	}
	command(&set, "pricebook", "show", "--tenant", "DE*SWX", "--version", "1")
	if set.Version != 1 || set.Rules[0].Plan != "Standard" {
		t.Errorf("first version %+v", set)
	}

	together := file("together.json", `{"rules":[{"id":"alle","plan":"Frühling"}],"plans":{"Frühling":`+plan+`}}`)
	command(&check, "pricebook", "check", "--tenant", "DE*SWX", together)
	if !check.OK {
		t.Errorf("check of a book with its plan %+v", check)
	}
	command(&set, "pricebook", "set", "--tenant", "DE*SWX", "--valid-from", "2099-01-01", together)
	command(&shown, "plan", "show", "--tenant", "DE*SWX", "--name", "Frühling")
	if set.Version != 3 || set.Rules[0].Plan != "Frühling" || len(shown.Versions) != 1 {
		t.Errorf("set with its plan %+v, %+v", set, shown)
	}

	command(&printed, "voucher", "add", "--tenant", "DE*SWX", "--code", "hallo", "--amount", "10", "--budget", "10", "--valid-to", "2099-01-01")
	command(&printed, "voucher", "redeem", "--tenant", "DE*SWX", "--code", "HALLO", "--contract", "DE-SWX-C1")
	refused("exists already", "voucher", "redeem", "--tenant", "DE*SWX", "--code", "HALLO", "--contract", "DE-SWX-C1")
	refused("percent: either percent or amount", "voucher", "add", "--tenant", "DE*SWX", "--code", "BEIDES", "--amount", "1", "--percent", "5")
	var vouchers struct{ Vouchers []listedVoucher }
	command(&vouchers, "voucher", "list", "--tenant", "DE*SWX")
	if len(vouchers.Vouchers) != 1 || vouchers.Vouchers[0].Spent != "10.00" || vouchers.Vouchers[0].Percent != nil {
		t.Errorf("vouchers %+v", vouchers)
	}
	command(&printed, "voucher", "end", "--tenant", "DE*SWX", "--code", "hallo")
	refused("has no voucher HALLO that is not ended", "voucher", "end", "--tenant", "DE*SWX", "--code", "HALLO")
	var groups struct {
		Groups []struct {
			Name      string
			Customers int
		}
	}
	command(&printed, "group", "put", "--tenant", "DE*SWX", "--customer", "10001")
	command(&groups, "group", "list", "--tenant", "DE*SWX")
	if len(groups.Groups) != 1 || groups.Groups[0].Customers != 0 {
		t.Errorf("groups %+v", groups)
	}
	command(&printed, "group", "put", "--tenant", "DE*SWX", "--customer", "10001", "--group", "Stromkunden", "--valid-from", "2099-01-01")
	command(&groups, "group", "list", "--tenant", "DE*SWX")
	if groups.Groups[0].Customers != 0 {
		t.Errorf("before the day %+v", groups)
	}
	refused(`customer: the number of a customer, got "77"`, "group", "put", "--tenant", "DE*SWX", "--customer", "77", "--group", "Stromkunden")

	var tested shownBacktest
	command(&tested, "pricebook", "backtest", "--tenant", "DE*SWX", "--file", book, "--months", "2")
	if tested.Sessions != 0 || tested.Old.Revenue != "0.00" || len(tested.Customers.Deltas) != 12 {
		t.Errorf("back-test %+v", tested)
	}
	refused(`rules[1]: more or less precise`, "pricebook", "backtest", "--tenant", "DE*SWX", "--file", tie)
}
