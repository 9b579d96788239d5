package einvoice_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/billing/einvoice"
)

// TestCheckFindsEachFault breaks a good document in one place and expects the rule that covers it.
func TestCheckFindsEachFault(t *testing.T) {
	for _, c := range []struct{ rule, base, old, new string }{
		{"BR-02", "private-debit", "<ram:ID>LIN-2026-000102</ram:ID>", "<ram:ID> </ram:ID>"},
		{"BR-03", "private-debit", ">20261103<", "><"},
		{"BR-06", "private-debit", "<ram:Name>Stadtwerke Lindenau GmbH</ram:Name>", ""},
		{"BR-11", "private-debit", "<ram:Name>Erika Sommerfeld</ram:Name>", "<ram:Name>E</ram:Name><ram:PostalTradeAddress><ram:CountryID></ram:CountryID></ram:PostalTradeAddress>"},
		{"BR-22", "private-debit", `<ram:BilledQuantity unitCode="KWH">`, `<ram:BilledQuantity unitCode="KWH"></ram:BilledQuantity><ram:BilledQuantity unitCode="KWH">`},
		{"BR-23", "private-debit", `unitCode="KWH"`, `unitCode=""`},
		{"BR-26", "private-debit", "ram:ChargeAmount", "ram:Charge"},
		{"BR-27", "private-debit", "<ram:ChargeAmount>", "<ram:ChargeAmount>-"},
		{"BR-29", "private-debit", ">20261001</udt:DateTimeString>\n    </ram:StartDateTime>\n    <ram:EndDateTime>\n     <udt:DateTimeString format=\"102\">20261031<", ">20261131</udt:DateTimeString>\n    </ram:StartDateTime>\n    <ram:EndDateTime>\n     <udt:DateTimeString format=\"102\">20261031<"},
		{"BR-61", "private-one-page", "ram:IBANID", "ram:Account"},
		{"BR-CL-01", "private-debit", ">380<", ">999<"},
		{"BR-CL-04", "private-debit", ">EUR</ram:InvoiceCurrencyCode>", ">Euro</ram:InvoiceCurrencyCode>"},
		{"BR-CL-18", "private-debit", "<ram:CategoryCode>S<", "<ram:CategoryCode>X<"},
		{"BR-CL-23", "private-debit", `unitCode="KWH"`, `unitCode="kWh"`},
		{"BR-CO-10", "private-debit", "<ram:LineTotalAmount>", "<ram:LineTotalAmount>1"},
		{"BR-CO-13", "private-debit", "<ram:TaxBasisTotalAmount>", "<ram:TaxBasisTotalAmount>1"},
		{"BR-CO-14", "private-debit", `<ram:TaxTotalAmount currencyID="EUR">`, `<ram:TaxTotalAmount currencyID="EUR">1`},
		{"BR-CO-15", "private-debit", "<ram:GrandTotalAmount>", "<ram:GrandTotalAmount>1"},
		{"BR-CO-16", "private-card-paid", "<ram:TotalPrepaidAmount>", "<ram:TotalPrepaidAmount>1"},
		{"BR-CO-17", "private-debit", "<ram:CalculatedAmount>", "<ram:CalculatedAmount>1"},
		{"BR-CO-18", "private-debit", "ram:ApplicableTradeTax", "ram:Tax"},
		{"BR-CO-25", "private-one-page", "ram:SpecifiedTradePaymentTerms", "ram:Terms"},
		{"BR-CO-26", "notes", "<ram:ID>231/123/45678</ram:ID>", ""},
		{"BR-S-01", "reseller-reverse-charge", "<ram:CategoryCode>AE</ram:CategoryCode>\n     <ram:Rate", "<ram:CategoryCode>S</ram:CategoryCode>\n     <ram:Rate"},
		{"BR-S-02", "private-debit", "ram:SpecifiedTaxRegistration", "ram:Registration"},
		{"BR-S-05", "private-debit", "<ram:RateApplicablePercent>19<", "<ram:RateApplicablePercent>0<"},
		{"BR-S-08", "private-debit", "<ram:BasisAmount>", "<ram:BasisAmount>1"},
		{"BR-AE-02", "reseller-reverse-charge", "DE822222226", ""},
		{"BR-AE-09", "reseller-reverse-charge", "<ram:CalculatedAmount>0.00<", "<ram:CalculatedAmount>0.01<"},
		{"BR-AE-10", "reseller-reverse-charge", "Exemption", "X"},
		{"BR-DEC-18", "private-debit", "</ram:DuePayableAmount>", "0</ram:DuePayableAmount>"},
		{"BR-DEC-23", "private-debit", "</ram:LineTotalAmount>\n    </ram:SpecifiedTradeSettlementLine", "0</ram:LineTotalAmount>\n    </ram:SpecifiedTradeSettlementLine"},
		{"BR-DE-1", "public-body", "ram:SpecifiedTradeSettlementPaymentMeans", "ram:Means"},
		{"BR-DE-2", "public-body", "ram:DefinedTradeContact", "ram:Contact"},
		{"BR-DE-3", "public-body", "<ram:CityName>Lindenau<", "<ram:CityName><"},
		{"BR-DE-15", "public-body", "ram:BuyerReference", "ram:Reference"},
		{"BR-DE-19", "public-body", "DE02120300000000202051", "DE02120300000000202052"},
		{"BR-DE-20", "business-debit-rates", "DE02500105170137075030", "DE02500105170137075031"},
		{"BR-DE-23", "business-debit-rates", "ram:DirectDebitMandateID", "ram:Mandate"},
		{"BR-DE-23", "public-body", "<ram:PaymentReference>", "<ram:CreditorReferenceID>DE98ZZZ09999999999</ram:CreditorReferenceID><ram:PaymentReference>"},
		{"BR-DE-26", "private-cancellation", "ram:InvoiceReferencedDocument", "ram:Referenced"},
		{"BR-DE-27", "public-body", "+49 341 5550100", "n/a"},
		{"PEPPOL-EN16931-R001", "public-body", "ram:BusinessProcess", "ram:Process"},
		{"PEPPOL-EN16931-R008", "private-debit", "<ram:TypeCode>59<", "<ram:Information></ram:Information><ram:TypeCode>59<"},
		{"PEPPOL-EN16931-R010", "public-body", "erechnung@landkreis-auental.example", ""},
		{"PEPPOL-EN16931-R110", "late-sessions", "20260801", "20261001"},
		{"PEPPOL-EN16931-R120", "private-debit", "<ram:ChargeAmount>0.", "<ram:ChargeAmount>1."},
		{"PEPPOL-EN16931-R121", "large-energy", `<ram:BasisQuantity unitCode="KWH">`, `<ram:BasisQuantity unitCode="KWH">-`},
		{"PEPPOL-EN16931-R130", "large-energy", `<ram:BasisQuantity unitCode="KWH">`, `<ram:BasisQuantity unitCode="MIN">`},
	} {
		t.Run(c.rule+" "+c.base, func(t *testing.T) {
			good := string(write(t, invoice(t, c.base), einvoice.XRechnung))
			bad := strings.ReplaceAll(good, c.old, c.new)
			if bad == good {
				t.Fatalf("the document has no %q", c.old)
			}
			findings, err := einvoice.Check([]byte(bad))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(findings, func(f einvoice.Finding) bool { return f.Rule == c.rule && f.Text != "" }) {
				t.Errorf("findings = %v, want %s", findings, c.rule)
			}
		})
	}
}

func TestCheckRefusesWhatIsNoInvoice(t *testing.T) {
	for name, doc := range map[string]string{
		"nothing":       "",
		"no XML":        "PDF",
		"cut off":       "<CrossIndustryInvoice><a>",
		"another thing": "<Invoice/>",
		"a tower":       strings.Repeat("<a>", 500),
	} {
		if _, err := einvoice.Check([]byte(doc)); err == nil {
			t.Errorf("%s is taken for an invoice", name)
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(write(f, invoice(f, "large-energy"), einvoice.XRechnung))
	f.Add([]byte(`<CrossIndustryInvoice><SupplyChainTradeTransaction><ApplicableHeaderTradeSettlement><ApplicableTradeTax><BasisAmount>1e999999999</BasisAmount></ApplicableTradeTax></ApplicableHeaderTradeSettlement></SupplyChainTradeTransaction></CrossIndustryInvoice>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		findings, err := einvoice.Check(doc)
		if err == nil && len(findings) == 0 && !strings.Contains(string(doc), "DuePayableAmount") {
			t.Error("a document without a total passes")
		}
	})
}
