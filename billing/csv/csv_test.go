package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/corpus"
	"github.com/roamwerk/roamwerk/billing/csv"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func cases(t testing.TB) []corpus.Case {
	t.Helper()
	all, err := corpus.Cases()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func invoice(t testing.TB, name string) billing.Invoice {
	t.Helper()
	all := cases(t)
	i := slices.IndexFunc(all, func(c corpus.Case) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("the corpus has no case %q", name)
	}
	return all[i].Invoice
}

func TestWriteGolden(t *testing.T) {
	for _, name := range []string{"private-one-page", "mixed-reverse-charge", "private-correction"} {
		var got bytes.Buffer
		if err := csv.Write(&got, invoice(t, name)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name+".csv")
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s differs from what is written now; look at the difference, then run with -update:\n%s", path, &got)
		}
	}
}

// TestCorpusAddsUp reads every table back: each line is there, and they sum to the net of the document.
func TestCorpusAddsUp(t *testing.T) {
	for _, c := range cases(t) {
		var b bytes.Buffer
		if err := csv.Write(&b, c.Invoice); err != nil {
			t.Fatal(err)
		}
		in := stdcsv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\ufeff")))
		in.Comma = ';'
		rows, err := in.ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if len(rows) != len(c.Invoice.Lines)+1 {
			t.Errorf("%s has %d rows for %d lines", c.Name, len(rows)-1, len(c.Invoice.Lines))
		}
		at, sum := len(rows[0])-3, decimal.Zero
		for _, r := range rows[1:] {
			sum = sum.Add(decimal.RequireFromString(strings.Replace(r[at], ",", ".", 1)))
		}
		if !sum.Equal(c.Invoice.Net) {
			t.Errorf("%s: the rows sum to %s, the net is %s", c.Name, sum, c.Invoice.Net)
		}
	}
}

func TestTextIsNoFormula(t *testing.T) {
	for in, want := range map[string]string{"=1+1": "'=1+1", "+49": "'+49", "-x": "'-x", "@a": "'@a", "\tx": "'\tx", "Rathaus": "Rathaus", "": ""} {
		if got := csv.Text(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	inv := invoice(t, "private-debit")
	inv.Language = "fr"
	if err := csv.Write(io.Discard, inv); err == nil || !strings.Contains(err.Error(), "fr") {
		t.Errorf("a language without texts gives %v", err)
	}
}
