package lint

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
)

// params are the values that a finding mentions: numbers with a point, dimensions and reasons by their codes.
type params map[string]string

// mostFindings is how many findings of a kind are listed.
const mostFindings = 20

// find adds a finding with the severity and the texts of its code.
func (l *linter) find(c code, path string, p params, w *Witness) {
	_, severity := textOf(c)
	l.findAs(c, severity, path, p, w)
}

// findAs is find with another severity.
func (l *linter) findAs(c code, severity billing.Severity, path string, p params, w *Witness) {
	same := 0
	for i := range l.findings {
		if l.findings[i].Code == string(c) {
			same++
		}
	}
	if same == mostFindings {
		l.leftOut[c]++
		return
	}
	all := params{"path": path}
	maps.Copy(all, p)
	text, _ := textOf(c)
	text = billing.Text{DE: fill(text.DE, all, german), EN: fill(text.EN, all, english)}
	l.findings = append(l.findings, Finding{
		Finding: billing.Finding{Code: string(c), Severity: severity, Path: path, Message: text.EN, Params: p}, Text: text, Witness: w,
	})
}

func textOf(c code) (billing.Text, billing.Severity) {
	for i := range codes {
		if codes[i].code == c {
			return codes[i].text, codes[i].severity
		}
	}
	return billing.Text{}, billing.Info
}

// countLeftOut says how many findings of a kind are not listed.
func (l *linter) countLeftOut() {
	for _, c := range slices.Sorted(maps.Keys(l.leftOut)) {
		l.find(andMore, "", params{"count": strconv.Itoa(l.leftOut[c]), "code": string(c)}, nil)
	}
}

// language is how a language writes what is put into a text.
type language struct {
	of       func(billing.Text) string
	point    string
	weekdays [7]string
	date     string
}

var (
	german = language{func(t billing.Text) string { return t.DE }, ",",
		[7]string{"So", "Mo", "Di", "Mi", "Do", "Fr", "Sa"}, "02.01.2006"}
	english = language{func(t billing.Text) string { return t.EN }, ".",
		[7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}, "2 Jan 2006"}
)

var (
	optional = regexp.MustCompile(`\[[^]]*\]`)
	named    = regexp.MustCompile(`\{[a-z]+\}`)
)

// fill puts parameters into a text.
func fill(text string, p params, in language) string {
	put := func(part string) (filled string, complete bool) {
		complete = true
		filled = named.ReplaceAllStringFunc(part, func(name string) string {
			value, ok := p[strings.Trim(name, "{}")]
			complete = complete && ok
			return in.say(value)
		})
		return filled, complete
	}
	text = optional.ReplaceAllStringFunc(text, func(part string) string {
		if filled, complete := put(strings.Trim(part, "[]")); complete {
			return filled
		}
		return ""
	})
	filled, _ := put(text)
	return capital(filled)
}

// capital makes the first letter of a sentence one: "energy in element 2 …".
func capital(text string) string {
	if text != "" && text[0] >= 'a' && text[0] <= 'z' {
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return text
}

var fraction = regexp.MustCompile(`^-?\d+\.\d+$`)

// say writes a parameter: its parts in words where they have some, instants and numbers as the language does.
func (in language) say(value string) string {
	parts := strings.Split(value, ", ")
	for i, part := range parts {
		if word, ok := words[part]; ok {
			parts[i] = in.of(word)
			continue
		}
		if at, err := time.Parse(time.RFC3339, part); err == nil {
			parts[i] = at.UTC().Format(in.date + " 15:04 UTC")
			continue
		}
		amount, unit, _ := strings.Cut(part, " ")
		if fraction.MatchString(amount) {
			amount = strings.Replace(strings.Replace(amount, ".", in.point, 1), "-", "−", 1)
			parts[i] = strings.TrimSuffix(amount+" "+unit, " ")
		}
	}
	return strings.Join(parts, ", ")
}

// amount is a price as it is read: at least two decimals, "0.39 €/kWh".
func (l *linter) amount(d decimal.Decimal, unit string) string {
	currency := l.doc.Currency
	if currency == "EUR" {
		currency = "€"
	}
	text := d.String()
	if _, decimals, _ := strings.Cut(text, "."); len(decimals) < 2 {
		text = d.StringFixed(2)
	}
	return strings.TrimSpace(text + " " + currency + unit)
}

// unit is what a price of a dimension is for.
func unit(d billing.Dimension) string {
	switch d {
	case billing.Energy:
		return "/kWh"
	case billing.Time, billing.ParkingTime, billing.ReservationTime:
		return "/h"
	}
	return ""
}

// whoPrices says which element prices the dimension of a witness at its moment.
func (l *linter) whoPrices(w *Witness) billing.Text {
	text := billing.Text{DE: "{when}: {dimension} ist kostenlos", EN: "{when}: {dimension} is free"}
	p := params{"dimension": string(w.Dimension)}
	if w.Element >= 0 {
		text = billing.Text{DE: "{when}: Element {element} gilt, {dimension} {price}", EN: "{when}: element {element} holds, {dimension} {price}"}
		p["element"], p["price"] = number(w.Element), l.amount(w.Price.Decimal, unit(w.Dimension))
	}
	return l.inWords(w, text, p)
}

// costs says what a witness costs.
func (l *linter) costs(w *Witness) billing.Text {
	return l.inWords(w, billing.Text{DE: "{when}[, {used}]: kostet {total}", EN: "{when}[, {used}]: costs {total}"}, params{"used": usedBy(w), "total": l.total(w)})
}

// usedBy is what a witness consumes from its moment on.
func usedBy(w *Witness) string {
	last := w.Legs[len(w.Legs)-1]
	if w.Dimension == billing.Energy {
		return last.KWh.String() + " kWh"
	}
	return lengthOf(last.Length)
}

func (l *linter) total(w *Witness) string {
	return l.amount(billing.RoundCurrency(w.Total.ExclVAT, l.doc.Currency), "")
}

func (l *linter) inWords(w *Witness, text billing.Text, p params) billing.Text {
	of := func(text string, in language) string {
		text = strings.Replace(text, "{when}", l.when(w, in), 1)
		return fill(text, p, in)
	}
	return billing.Text{DE: of(text.DE, german), EN: of(text.EN, english)}
}

// when says where a witness is at its moment: "Sa 02:00, 12 kWh nach 40 min, mit 22 kW".
func (l *linter) when(w *Witness, in language) string {
	local := w.Moment.In(l.space.zone)
	text := in.weekdays[local.Weekday()]
	if len(l.space.dates) > 7 { // some element looks at the date
		text += " " + local.Format(in.date)
	}
	parts := []string{text + local.Format(" 15:04")}
	if local.Second() != 0 {
		parts[0] += local.Format(":05")
	}
	say := func(de, en string) { parts = append(parts, in.of(billing.Text{DE: de, EN: en})) }
	length, last := lengthOf(w.Elapsed), w.Legs[len(w.Legs)-1]
	switch {
	case w.Lapsed:
		say("Reservierung verfällt, nach "+length, "reservation that lapses, after "+length)
	case last.Reserved && w.Elapsed == 0:
		say("zu Beginn der Reservierung", "as the reservation begins")
	case last.Reserved:
		say("reserviert seit "+length, "reserved for "+length)
	case w.Elapsed == 0:
		say("zu Beginn", "at the start")
	case w.KWh.IsZero():
		say("nach "+length, "after "+length)
	default:
		kwh := in.say(w.KWh.String() + " kWh")
		say(kwh+" nach "+length, kwh+" after "+length)
	}
	level := func(low, high decimal.NullDecimal, asked bool, unit, de, en string) {
		switch {
		case !asked || last.Reserved:
		case !low.Valid && !high.Valid:
			say(de+" nicht gemeldet", en+" not told")
		case low.Valid && high.Valid && low.Decimal.Equal(high.Decimal):
			say("mit "+in.say(low.Decimal.String()+" "+unit), "at "+in.say(low.Decimal.String()+" "+unit))
		case low.Valid && high.Valid:
			span := in.say(low.Decimal.String()) + "–" + in.say(high.Decimal.String()+" "+unit)
			say("mit "+span, "at "+span)
		case low.Valid:
			say("mit mindestens "+in.say(low.Decimal.String()+" "+unit), "at "+in.say(low.Decimal.String()+" "+unit)+" or more")
		default:
			say("mit höchstens "+in.say(high.Decimal.String()+" "+unit), "at "+in.say(high.Decimal.String()+" "+unit)+" or less")
		}
	}
	level(last.LowPower, last.HighPower, l.space.asksPower, "kW", "Leistung", "power")
	level(last.LowCurrent, last.HighCurrent, l.space.asksCurrent, "A", "Strom", "current")
	return strings.Join(parts, ", ")
}

// lengthOf writes a length of time: "4 h 5 min".
func lengthOf(d time.Duration) string {
	var parts []string
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{time.Hour, " h"}, {time.Minute, " min"}, {time.Second, " s"}} {
		if n := d / u.of; n > 0 {
			parts = append(parts, decimal.NewFromInt(int64(n)).String()+u.name)
			d %= u.of
		}
	}
	if len(parts) == 0 {
		return decimal.New(d.Milliseconds(), -3).String() + " s"
	}
	return strings.Join(parts, " ")
}
