package einvoice_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/einvoice"
)

// The envelope is for the access point, what is in it for the recipient's software.
func TestWritePeppol(t *testing.T) {
	inv := invoice(t, "public-body")
	inv.Customer.PeppolID = "0204:03241-12345-67"
	var b bytes.Buffer
	if err := einvoice.WritePeppol(&b, inv); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/peppol.xml", b.Bytes())
	start, end := bytes.Index(b.Bytes(), []byte("<rsm:CrossIndustryInvoice")), bytes.Index(b.Bytes(), []byte("</StandardBusinessDocument>"))
	findings, err := einvoice.Check(b.Bytes()[start:end])
	if err != nil || len(findings) > 0 {
		t.Errorf("the invoice in the envelope: %v, %v", findings, err)
	}
	if !bytes.Contains(b.Bytes()[start:end], []byte(`<ram:URIID schemeID="0204">03241-12345-67</ram:URIID>`)) {
		t.Error("the electronic address of the buyer is not the one in the network (BT-49)")
	}
}

func TestWritePeppolRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*billing.Invoice)
		want   error
	}{
		"a customer without an id":       {func(inv *billing.Invoice) { inv.Customer.PeppolID = "" }, einvoice.ErrNoPeppolID},
		"a supplier without a VAT id":    {func(inv *billing.Invoice) { inv.Supplier.VATID = "" }, einvoice.ErrNoVATID},
		"a supplier from somewhere else": {func(inv *billing.Invoice) { inv.Supplier.VATID = "XX123" }, einvoice.ErrNoVATID},
		"a draft":                        {func(inv *billing.Invoice) { inv.Number = "" }, einvoice.ErrNoNumber},
	} {
		inv := invoice(t, "public-body")
		inv.Customer.PeppolID = "0204:03241-12345-67"
		test.change(&inv)
		if err := einvoice.WritePeppol(&bytes.Buffer{}, inv); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// golden compares bytes with a file, or rewrites it with -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it with -update and git diff", path)
	}
}
