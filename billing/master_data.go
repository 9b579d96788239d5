package billing

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jacoelho/banking/iban"
)

// Tidy is a piece of master data as it is kept: without blanks around it, and ids without those with which people print them. Field
// is its path, as problems name it.
func Tidy(field, value string) string {
	value = strings.TrimSpace(value)
	switch field {
	case "supplier.vat_id", "customer.vat_id", "payment.iban", "payment.debtor_iban", "payment.bic", "payment.creditor_id":
		value = strings.ToUpper(strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, value))
	case "supplier.address.country", "customer.address.country":
		value = strings.ToUpper(value)
	}
	return value
}

// Malformed says what is wrong with a piece of master data that somebody has entered; nil: nothing. What is empty is missing, not
// malformed.
func Malformed(field, value string) *Problem {
	if value == "" {
		return nil
	}
	if !printable(value) {
		return &Problem{field, "Der Text enthält unzulässige Zeichen.", "The text contains forbidden characters."}
	}
	form, ok := forms[field]
	if !ok || form.holds(value) {
		return nil
	}
	return &Problem{field, form.de, form.en}
}

// form is what a piece of master data has to look like.
type form struct {
	holds  func(string) bool
	de, en string
}

var (
	email      = form{emailOK, "Das ist keine E-Mail-Adresse.", "This is no e-mail address."}
	account    = form{func(s string) bool { return iban.Validate(s) == nil }, "Die IBAN ist falsch: Land, Länge oder Prüfziffer stimmen nicht.", "The IBAN is wrong: its country, length or check digits do not fit."}
	vatID      = form{vatIDOK, "Die USt-IdNr. beginnt mit dem Land, eine deutsche ist DE mit neun Ziffern.", "A VAT id begins with its country; a German one is DE and nine digits."}
	postalCode = form{regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z -]{1,9}$`).MatchString, "Das ist keine Postleitzahl.", "This is no postal code."}
	country    = form{regexp.MustCompile(`^[A-Z]{2}$`).MatchString, "Das Land steht als zwei Buchstaben, zum Beispiel DE.", "The country is two letters, for example DE."}
	phone      = form{func(s string) bool { return digits(s) >= 3 }, "Das ist keine Telefonnummer.", "This is no telephone number."}
)

// forms are those of each field; what is not listed may be any text.
var forms = map[string]form{
	"supplier.address.postal_code": postalCode, "customer.address.postal_code": postalCode,
	"supplier.address.country": country, "customer.address.country": country,
	"supplier.vat_id": vatID, "customer.vat_id": vatID,
	"supplier.contact_email": email, "customer.email": email,
	"supplier.contact_phone": phone, "customer.phone": phone,
	"payment.iban": account, "payment.debtor_iban": account,
	"payment.bic": {
		regexp.MustCompile(`^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$`).MatchString, // ISO 9362
		"Ein BIC hat acht oder elf Zeichen.", "A BIC has eight or eleven characters.",
	},
	"payment.creditor_id": {
		creditorIDOK, "Die Gläubiger-Identifikationsnummer ist falsch, zum Beispiel stimmt ihre Prüfziffer nicht.", "The creditor identifier is wrong, its check digits for example do not fit.",
	},
	"payment.mandate_reference": {
		regexp.MustCompile(`^[A-Za-z0-9+?/:().,'-][A-Za-z0-9+?/:().,' -]{0,34}$`).MatchString, // EPC: the characters of a reference
		"Eine Mandatsreferenz hat höchstens 35 Zeichen: Buchstaben ohne Umlaute, Ziffern und + ? / - : ( ) . , '.", "A mandate reference has up to 35 characters: Latin letters, digits and + ? / - : ( ) . , '.",
	},
}

var vatIDs = map[bool]*regexp.Regexp{true: regexp.MustCompile(`^DE[0-9]{9}$`), false: regexp.MustCompile(`^[A-Z]{2}[0-9A-Z+*]{2,12}$`)}

func vatIDOK(s string) bool {
	return vatIDs[strings.HasPrefix(s, "DE")].MatchString(s) && digits(s) > 0
}

var creditorIDs = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}$`)

// creditorIDOK checks a SEPA creditor identifier (AT-02). The business code, characters 5 to 7, is no part of what its check digits
// protect.
func creditorIDOK(s string) bool {
	return creditorIDs.MatchString(s) && mod97(s[7:]+s[:4]) == 1
}

var leitweg = regexp.MustCompile(`^([0-9]{2,12})(-([A-Z0-9]{1,30}))?-([0-9]{2})$`)

// IsLeitwegID reports whether a text is the id of a public body's inbox for invoices (format of the Leitweg-ID 2.0.2, ISO 7064 mod 97-10).
func IsLeitwegID(s string) bool {
	part := leitweg.FindStringSubmatch(strings.ToUpper(s))
	return len(part) == 5 && mod97(part[1]+part[3]+part[4]) == 1
}

// mod97 is the remainder of a text in which letters count from A = 10, by 97.
func mod97(s string) int {
	rest := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			rest = (rest*10 + int(r-'0')) % 97
		case r >= 'A' && r <= 'Z':
			rest = (rest*100 + int(r-'A') + 10) % 97
		}
	}
	return rest
}

// printable reports whether every XML document and every page can carry a text.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF })
}
