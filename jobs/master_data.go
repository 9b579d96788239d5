package jobs

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
)

// Datum is a piece of master data: by which name problems of documents refer to it (billing.Problem), and where it is kept.
type Datum[T any] struct {
	Field   string
	Max     int // characters
	Choices []string
	Of      func(*T) *string
}

// CustomerData is what is known of a customer, in the order in which people read it.
var CustomerData = []Datum[db.Customer]{
	{"customer.name", 100, nil, func(c *db.Customer) *string { return &c.Name }},
	{"customer.kind", 0, []string{"private", "business", "fleet", "public"}, func(c *db.Customer) *string { return &c.Kind }},
	{"customer.contact", 100, nil, func(c *db.Customer) *string { return &c.Contact }},
	{"customer.email", 254, nil, func(c *db.Customer) *string { return &c.Email }},
	{"customer.phone", 50, nil, func(c *db.Customer) *string { return &c.Phone }},
	{"customer.language", 0, []string{"de", "en"}, func(c *db.Customer) *string { return &c.Language }},
	{"customer.address.street", 100, nil, func(c *db.Customer) *string { return &c.Street }},
	{"customer.address.postal_code", 10, nil, func(c *db.Customer) *string { return &c.PostalCode }},
	{"customer.address.city", 100, nil, func(c *db.Customer) *string { return &c.City }},
	{"customer.address.country", 2, nil, func(c *db.Customer) *string { return &c.Country }},
	{"customer.vat_id", 20, nil, func(c *db.Customer) *string { return &c.VATID }},
	{"customer.tax_number", 30, nil, func(c *db.Customer) *string { return &c.TaxNumber }},
	{"customer.buyer_reference", 50, nil, func(c *db.Customer) *string { return &c.BuyerReference }},
	{"customer.invoice_detail", 0, []string{"items", "summary"}, func(c *db.Customer) *string { return &c.InvoiceDetail }},
	{"customer.delivery", 0, []string{string(ByEmail), string(ByPortal), string(ByLetter), string(ByPeppol)}, func(c *db.Customer) *string { return &c.Delivery }},
	{"customer.peppol_id", 60, nil, func(c *db.Customer) *string { return &c.PeppolID }},
}

// SupplierData is what stands of a utility on its documents.
var SupplierData = []Datum[db.Tenant]{
	{"supplier.name", 100, nil, func(t *db.Tenant) *string { return &t.Name }},
	{"supplier.address.street", 100, nil, func(t *db.Tenant) *string { return &t.Street }},
	{"supplier.address.postal_code", 10, nil, func(t *db.Tenant) *string { return &t.PostalCode }},
	{"supplier.address.city", 100, nil, func(t *db.Tenant) *string { return &t.City }},
	{"supplier.vat_id", 20, nil, func(t *db.Tenant) *string { return &t.VATID }},
	{"supplier.tax_number", 30, nil, func(t *db.Tenant) *string { return &t.TaxNumber }},
	{"supplier.register", 100, nil, func(t *db.Tenant) *string { return &t.Register }},
	{"supplier.legal", 500, nil, func(t *db.Tenant) *string { return &t.LegalFooter }},
	{"supplier.contact_name", 100, nil, func(t *db.Tenant) *string { return &t.ContactName }},
	{"supplier.contact_phone", 50, nil, func(t *db.Tenant) *string { return &t.ContactPhone }},
	{"supplier.contact_email", 254, nil, func(t *db.Tenant) *string { return &t.ContactEmail }},
	{"supplier.website", 255, nil, func(t *db.Tenant) *string { return &t.Website }},
	{"payment.iban", 42, nil, func(t *db.Tenant) *string { return &t.IBAN }},
	{"payment.bic", 11, nil, func(t *db.Tenant) *string { return &t.BIC }},
	{"payment.creditor_id", 35, nil, func(t *db.Tenant) *string { return &t.CreditorID }},
	{"supplier.colour", 7, nil, func(t *db.Tenant) *string { return &t.Colour }},
}

// tidyData puts what has changed into the form in which it is kept, and says what of it cannot be. What was so before is not the fault of
// who changes something else.
func tidyData[T any](data []Datum[T], before, after *T) []billing.Problem {
	var wrong []billing.Problem
	for _, d := range data {
		value := d.Of(after)
		if *value = billing.Tidy(d.Field, *value); *value == *d.Of(before) {
			continue
		}
		switch p := billing.Malformed(d.Field, *value); {
		case d.Choices != nil && !slices.Contains(d.Choices, *value):
			wrong = append(wrong, billing.Problem{Field: d.Field, DE: "Das steht nicht zur Wahl.", EN: "This is none of the choices."})
		case p != nil:
			wrong = append(wrong, *p)
		case d.Max > 0 && utf8.RuneCountInString(*value) > d.Max:
			wrong = append(wrong, billing.Problem{Field: d.Field, DE: fmt.Sprintf("Höchstens %d Zeichen.", d.Max), EN: fmt.Sprintf("At most %d characters.", d.Max)})
		}
	}
	return wrong
}

// changedData is what a change has changed, before and after, for the timeline.
func changedData[T any](data []Datum[T], before, after *T) map[string]string {
	changed := map[string]string{}
	for _, d := range data {
		if was, is := *d.Of(before), *d.Of(after); was != is {
			changed[d.Field] = beforeAfter(was, is)
		}
	}
	return changed
}

func beforeAfter(was, is string) string {
	quoted := func(s string) string {
		if s == "" {
			return "–"
		}
		return strings.Join(strings.Fields(s), " ")
	}
	return quoted(was) + " → " + quoted(is)
}

// missing is the problem of a field that must not be empty.
func missing(field string) billing.Problem {
	return billing.Problem{Field: field, DE: "Diese Angabe fehlt.", EN: "This is missing."}
}
