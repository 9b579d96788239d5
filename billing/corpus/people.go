package corpus

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// customer is a kind of recipient with the tax that its sessions bear.
type customer struct {
	name       string
	grossExact bool
	vat        billing.VAT
	is         billing.Customer
}

var (
	standard = rate("19")

	private = customer{"private", true, standard, billing.Customer{
		Number: "100427", Name: "Erika Sommerfeld", Email: "erika.sommerfeld@post.example",
		Address: billing.Address{Street: "Ahornweg 7", PostalCode: "04178", City: "Lindenau", Country: "DE"},
	}}
	business = customer{"business", false, standard, billing.Customer{
		Number: "200311", Name: "Fliesen Nowak & Töchter GmbH", Contact: "Buchhaltung", Email: "rechnung@fliesen-nowak.example", VATID: "DE811111118",
		Address: billing.Address{Street: "Gewerbering 22", PostalCode: "04179", City: "Lindenau", Country: "DE"},
	}}
	public = customer{"public", false, standard, billing.Customer{
		Number: "300015", Name: "Landkreis Auental, Amt für Liegenschaften", Contact: "Sachgebiet 12", Email: "erechnung@landkreis-auental.example", BuyerReference: "14730-AUENTAL12-47",
		Address: billing.Address{Street: "Schlossplatz 1", PostalCode: "04860", City: "Auental", Country: "DE"},
	}}
	reseller = customer{"reseller", false, billing.VAT{Category: billing.VATReverseCharge}, billing.Customer{
		Number: "400002", Name: "Ladeverbund Mitte GmbH", Contact: "Abrechnung Roaming", Email: "settlement@ladeverbund-mitte.example", VATID: "DE822222226",
		Address: billing.Address{Street: "Stromallee 5", PostalCode: "06108", City: "Halle (Saale)", Country: "DE"},
	}}
	fleet = customer{"fleet", false, standard, billing.Customer{
		Number: "500018", Name: "Pflegedienst Lindenhof gGmbH", Contact: "Fuhrpark", Email: "fuhrpark@lindenhof.example", VATID: "DE844444442", BuyerReference: "PO 2026/0815",
		Address: billing.Address{Street: "Klinikweg 11", PostalCode: "04177", City: "Lindenau", Country: "DE"},
	}}
	customers = []customer{private, business, public, reseller, fleet}

	// payees supply the utility and are billed by it.
	payees = []customer{
		{"employee", false, billing.VAT{Category: billing.VATOutside, Reason: "Auslagenersatz, nicht steuerbar"}, billing.Customer{
			Number: "700001", Name: "Jannis Kolbe", Phone: "+49 341 5550177", Email: "jannis.kolbe@post.example",
			Address: billing.Address{Street: "Birkenhain 3", PostalCode: "04178", City: "Lindenau", Country: "DE"},
		}},
		{"host", false, standard, billing.Customer{
			Number: "700002", Name: "Hotel Seeblick KG", Contact: "Frau Winter", Phone: "+49 341 5550180", Email: "hotel@seeblick.example", VATID: "DE833333334",
			Address: billing.Address{Street: "Uferstraße 30", PostalCode: "04416", City: "Markkleeberg", Country: "DE"},
		}},
		{"farm", false, rate("7"), billing.Customer{
			Number: "700003", Name: "Hofgemeinschaft Auental GbR", Contact: "Hofbüro", Phone: "+49 341 5550190", Email: "hof@auental.example", TaxNumber: "231/777/00012",
			Address: billing.Address{Street: "Am Anger 4", PostalCode: "04860", City: "Auental", Country: "DE"},
		}},
		{"smallbusiness", false, billing.VAT{Category: billing.VATExempt, Reason: "Steuerfrei nach § 19 UStG (Kleinunternehmer)"}, billing.Customer{
			Number: "700004", Name: "Änderungsschneiderei Demir", Contact: "Leyla Demir", Phone: "+49 341 5550191", Email: "demir@schneiderei.example", TaxNumber: "231/888/00034",
			Address: billing.Address{Street: "Gasse 9", PostalCode: "04177", City: "Lindenau", Country: "DE"},
		}},
	}
)

func rate(percent string) billing.VAT {
	return billing.VAT{Category: billing.VATStandard, Rate: decimal.RequireFromString(percent)}
}

// draft is an empty draft for October 2026.
func draft(c customer, means billing.PaymentMeans, language string) billing.Draft {
	d := billing.Draft{
		Date:     time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC),
		DueDate:  time.Date(2026, 11, 17, 0, 0, 0, 0, time.UTC),
		Currency: "EUR",
		Language: language,
		Period: billing.Period{
			Start: time.Date(2026, 9, 30, 22, 0, 0, 0, time.UTC),
			End:   time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC),
		},
		Supplier: billing.Supplier{
			Name:         "Stadtwerke Lindenau GmbH",
			Address:      billing.Address{Street: "Werkstraße 1", PostalCode: "04177", City: "Lindenau", Country: "DE"},
			VATID:        "DE123456789",
			TaxNumber:    "231/555/01234",
			Register:     "Amtsgericht Lindenau, HRB 1234",
			ContactName:  "Kundenservice Elektromobilität",
			ContactPhone: "+49 341 5550100",
			ContactEmail: "laden@sw-lindenau.example",
			Website:      "www.sw-lindenau.example",
			Legal:        "Geschäftsführung: Dr. Maren Vogt, Tobias Klee\nAufsichtsrat: Oberbürgermeisterin Hanna Reich",
			Design:       billing.Design{Colour: "#0b6b4f", Logo: logo()},
		},
		Customer:   c.is,
		GrossExact: c.grossExact,
		Payment:    billing.Payment{Means: means},
	}
	p := &d.Payment
	switch means {
	case billing.PaymentTransfer:
		p.IBAN, p.BIC, p.AccountName = "DE02 1203 0000 0000 2020 51", "BYLADEM1001", "Stadtwerke Lindenau GmbH"
	case billing.PaymentDirectDebit:
		p.MandateReference, p.CreditorID, p.DebtorIBAN = "LIN-"+c.is.Number+"-1", "DE98ZZZ09999999999", "DE02500105170137075030"
	case billing.PaymentCard:
		p.CardLast4 = "4242"
	case billing.PaymentOffset:
	}
	return d
}

var places = []struct{ operator, evse, place string }{
	{"Stadtwerke Lindenau GmbH", "DE*LIN*E0001*1", "Marktplatz 1, 04177 Lindenau"},
	{"Stadtwerke Lindenau GmbH", "DE*LIN*E0007*2", "Parkhaus Bahnhof, 04177 Lindenau"},
	{"EnVolt Schnellladen", "DE*EVS*E4711*3", "Rasthof Auental Nord, 04860 Auental"},
	{"Ladeverbund Mitte GmbH", "DE*LVM*E0815*1", "Stromallee 5, 06108 Halle (Saale)"},
	{"Hotel Seeblick", "DE*HSB*E0002*1", "Uferstraße 30, 04416 Markkleeberg"},
}

// sessions are n sessions in the period of d, different for each salt.
func sessions(d billing.Draft, n int, vat billing.VAT, salt int) []billing.DraftLine {
	lines := make([]billing.DraftLine, n)
	for i := range lines {
		k := i + salt*17
		at := places[k%len(places)]
		start := d.Period.Start.Add(time.Duration(9+i*718/n)*time.Hour + time.Duration(k*37%60)*time.Minute)
		kwh := decimal.New(int64(4_000+(k*7919)%61_000), -3)
		price := []string{"0.49", "0.55", "0.6205", "0.39", "0.7142"}[k%len(places)]
		s := &billing.LineSession{
			CDRID:    fmt.Sprintf("cdr-%05d", 10_000+k*13),
			Operator: at.operator,
			EVSEID:   at.evse,
			Place:    at.place,
			Start:    start,
			End:      start.Add(time.Duration(18+(k*53)%190) * time.Minute),
			KWh:      kwh,
			CardUID:  "…7F3A",
		}
		lines[i] = billing.DraftLine{
			Name:        chargingAt[d.Language] + " " + at.place,
			Description: priceSentence(d, price),
			Session:     s,
			Quantity:    kwh,
			Unit:        billing.UnitKWh,
			Amount:      billing.Round(kwh.Mul(decimal.RequireFromString(price)), 2),
			VAT:         vat,
		}
	}
	return lines
}

var chargingAt = map[string]string{"de": "Ladevorgang", "en": "Charging session"}

func priceSentence(d billing.Draft, price string) string {
	if d.Language == "en" {
		return "€" + price + " per kWh."
	}
	return strings.ReplaceAll(price, ".", ",") + " € je kWh."
}

func baseFee(language string, vat billing.VAT) billing.DraftLine {
	name := map[string]string{"de": "Grundpreis Tarif Lindenau Laden Plus", "en": "Base fee, tariff Lindenau Laden Plus"}[language]
	return piece(name, "1", billing.UnitMonth, "4.99", vat)
}

func piece(name, quantity string, unit billing.Unit, amount string, vat billing.VAT) billing.DraftLine {
	return billing.DraftLine{
		Name:     name,
		Quantity: decimal.RequireFromString(quantity),
		Unit:     unit,
		Amount:   decimal.RequireFromString(amount),
		VAT:      vat,
	}
}

// logo is a sign: a disc with a bolt left out.
var logo = sync.OnceValue(func() []byte {
	const size = 160
	bolt := []image.Point{{92, 24}, {46, 92}, {76, 92}, {66, 136}, {114, 66}, {84, 66}}
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			// four by four samples a pixel keep the edges smooth
			hits := 0
			for k := range 16 {
				px, py := float64(x)+float64(k%4)/4+.125, float64(y)+float64(k/4)/4+.125
				if dx, dy := px-size/2, py-size/2; dx*dx+dy*dy <= size*size/4 && !inside(bolt, px, py) {
					hits++
				}
			}
			img.SetNRGBA(x, y, color.NRGBA{0x0b, 0x6b, 0x4f, uint8(hits * 255 / 16)})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // a buffer does not fail
	}
	return b.Bytes()
})

// inside tells whether a point lies in a polygon: it does if a ray from it crosses the edge an odd number of times.
func inside(polygon []image.Point, x, y float64) bool {
	in := false
	for i, j := 0, len(polygon)-1; i < len(polygon); j, i = i, i+1 {
		xi, yi, xj, yj := float64(polygon[i].X), float64(polygon[i].Y), float64(polygon[j].X), float64(polygon[j].Y)
		if (yi > y) != (yj > y) && x < (xj-xi)*(y-yi)/(yj-yi)+xi {
			in = !in
		}
	}
	return in
}
