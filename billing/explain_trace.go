package billing

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// TraceLine is one step of a rating in words.
type TraceLine struct {
	Level int    // 0 stands by itself, 1 belongs to the last line of level 0, and so on
	Path  string // what of the Explanation it tells: "Periods[0].Choices[1]"
	Text  string
}

// Trace tells a clerk how a rating came about: which reading and which tariffs, what each period was priced by and what was
// passed over and why, what was rounded, limited and taxed, and where the claim differs. lang is "de" or "en".
func (e *Explanation) Trace(lang string) []TraceLine {
	t := tracer{e: e, lang: lang, vocabulary: words[lang == "de"], says: traceWords[lang == "de"], days: priceWords[lang == "de"]}
	t.line(0, "Policy", t.says.reading, e.Policy.Name, e.TimeZone, e.Engine)
	for i := range e.Tariffs {
		t.tariff(i)
	}
	for i := range e.Periods {
		t.period(i)
	}
	for i := range e.Steps {
		s := &e.Steps[i]
		if s.StepSize == 1 && s.Billed.Equal(s.Measured) {
			continue
		}
		t.line(0, fmt.Sprintf("Steps[%d]", i), t.says.step, t.dimension(s.Dimension), t.quantity(s.Dimension, s.Measured),
			t.step(s.Dimension, s.StepSize), t.quantity(s.Dimension, s.Billed))
	}
	t.figures()
	if e.Verdict != nil {
		t.verdict(e.Verdict)
	}
	return t.lines
}

// tracer writes a trace.
type tracer struct {
	vocabulary
	e     *Explanation
	lang  string
	says  traceVocabulary
	days  priceVocabulary
	lines []TraceLine
}

// traceVocabulary is the sentences of a trace, with places to fill in.
type traceVocabulary struct {
	reading, tariff, withVAT, withoutVAT, limit, and              string
	period, moment, local, noTariff                               string
	priced, free, freeByElement, passed, notMeasured, always      string
	step, line, vat, noVAT, noRate, credit                        string
	total, differs, agrees, contradicts                           string
	from, below, before, since, unknown, reserved, expired, clock string
	parked, byName, none, atStake                                 string
	unpublished, asPublished, notAsPublished, change              string
}

var traceWords = map[bool]traceVocabulary{
	true: {
		reading: "Lesart %s, Zeitzone %s, Rechenwerk %s",
		tariff:  "Tarif %s, Stand %s, SHA-256 %s, Preise %s", withVAT: "mit USt.", withoutVAT: "ohne USt.",
		limit: "%s %s ohne USt., %s mit USt.", and: "und", none: "–",
		period: "Abschnitt %d: %s bis %s", moment: ", bis dahin %s kWh in %s", local: ", Ortszeit %s", noTariff: ", kein Tarif",
		priced: "%s %s: Element %d zu %s, %s", free: "%s %s: kein Element mit einem Preis dafür gilt, kostenlos", freeByElement: "%s %s: Element %d gilt und hat dafür keinen Preis, kostenlos",
		passed: "Element %d gilt nur %s, hier %s", notMeasured: "nicht gemessen", always: "ohne Bedingung",
		step: "%s: zusammen %s, aufgerundet auf ganze Schritte von %s: %s", line: "%s: %s × %s = %s", vat: "USt. %s: %s auf %s", noVAT: "ohne USt.: %s", noRate: "ohne bekannten Satz", credit: "Gutschrift: die Summe zählt mit umgekehrtem Vorzeichen",
		total: "Summe %s ohne USt., %s mit USt.", differs: "%s: gefordert %s, errechnet %s, Unterschied %s bei Toleranz %s",
		agrees: "Alle Forderungen stimmen mit der Nachrechnung überein", contradicts: "Widerspruch im CDR: %s", byName: "Die geforderten Beträge ergeben sich so: %s",
		from: "ab %s", below: "unter %s", before: "vor %s", since: "seit %s", unknown: "unter einer unbekannten Bedingung (%s)",
		reserved: "für Reservierungen", expired: "für verfallene Reservierungen", clock: "von %s bis %s Uhr", parked: "Standzeit",
		atStake:     "Die Forderung liegt zwischen der billigsten und der teuersten Lesart dessen, was der Befund %s offen lässt",
		unpublished: "Der Tarif %s des CDR war nicht veröffentlicht", asPublished: "Der Tarif %s des CDR bepreist wie der veröffentlichte",
		notAsPublished: "Der Tarif %s des CDR weicht vom veröffentlichten ab, zusammen um %s", change: "%[1]s: %[3]s statt %[2]s, für sich %[4]s",
	},
	false: {
		reading: "Reading %s, time zone %s, engine %s",
		tariff:  "Tariff %s as of %s, SHA-256 %s, prices %s", withVAT: "with VAT", withoutVAT: "without VAT",
		limit: "%s %s without VAT, %s with VAT", and: "and", none: "–",
		period: "Period %d: %s to %s", moment: ", %s kWh in %s before it", local: ", local time %s", noTariff: ", no tariff",
		priced: "%s %s: element %d at %s, %s", free: "%s %s: no element with a price for it holds, free", freeByElement: "%s %s: element %d holds and has no price for it, free",
		passed: "element %d holds only %s, here %s", notMeasured: "not measured", always: "no condition",
		step: "%s: together %s, rounded up to whole steps of %s: %s", line: "%s: %s × %s = %s", vat: "VAT %s: %s on %s", noVAT: "no VAT: %s", noRate: "of no known rate", credit: "Credit: the total counts with the other sign",
		total: "Total %s without VAT, %s with VAT", differs: "%s: claimed %s, computed %s, difference %s with a tolerance of %s",
		agrees: "All claims agree with the computation", contradicts: "The CDR contradicts itself: %s", byName: "The amounts claimed come out in another way: %s",
		from: "from %s", below: "below %s", before: "before %s", since: "from %s", unknown: "under an unknown condition (%s)",
		reserved: "for reservations", expired: "for lapsed reservations", clock: "from %s to %s", parked: "parking time",
		atStake:     "The claim lies between the cheapest and the dearest reading of what the finding %s leaves open",
		unpublished: "The tariff %s of the CDR was not published", asPublished: "The tariff %s of the CDR prices like the published one",
		notAsPublished: "The tariff %s of the CDR differs from the published one, by %s in all", change: "%[1]s: %[3]s instead of %[2]s, %[4]s by itself",
	},
}

func (t *tracer) line(level int, path, format string, args ...any) {
	t.lines = append(t.lines, TraceLine{Level: level, Path: path, Text: fmt.Sprintf(format, args...)})
}

func (t *tracer) tariff(i int) {
	tariff, path := &t.e.Tariffs[i], fmt.Sprintf("Tariffs[%d]", i)
	sides := t.says.withoutVAT
	if tariff.TaxIncluded {
		sides = t.says.withVAT
	}
	t.line(0, path, t.says.tariff, tariff.ID, t.instant(tariff.LastUpdated), tariff.Hash, sides)
	for _, limit := range []struct {
		name Dimension
		of   *ExplainedLimit
	}{{MinPrice, &tariff.Minimum}, {MaxPrice, &tariff.Maximum}} {
		if limit.of.ExclVAT.Valid || limit.of.InclVAT.Valid {
			t.line(1, path, t.says.limit, t.names[limit.name], t.side(limit.of.ExclVAT), t.side(limit.of.InclVAT))
		}
	}
}

func (t *tracer) side(amount decimal.NullDecimal) string {
	if !amount.Valid {
		return t.says.none
	}
	return t.amount(amount.Decimal)
}

func (t *tracer) instant(at time.Time) string {
	if at.IsZero() {
		return t.says.none
	}
	return at.UTC().Format("2006-01-02 15:04:05Z")
}

func (t *tracer) period(i int) {
	p, path := &t.e.Periods[i], fmt.Sprintf("Periods[%d]", i)
	text := fmt.Sprintf(t.says.period, p.Index+1, t.instant(p.From), t.instant(p.To))
	if p.Local != "" {
		day, clock, _ := strings.Cut(p.Local, " ")
		text += fmt.Sprintf(t.says.local, t.days.weekdays([]ocpi.DayOfWeek{ocpi.DayOfWeek(day)})+" "+clock)
	}
	text += fmt.Sprintf(t.says.moment, t.number(p.KWh, 0), t.seconds(p.Elapsed))
	if p.Tariff < 0 {
		text += t.says.noTariff
	}
	t.line(0, path, "%s", text)
	for k := range p.Choices {
		c, path := &p.Choices[k], fmt.Sprintf("%s.Choices[%d]", path, k)
		name, quantity := t.dimension(c.Dimension), t.quantity(c.Dimension, c.Quantity)
		switch {
		case c.Element < 0:
			t.line(1, path, t.says.free, name, quantity)
		case c.Free:
			t.line(1, path, t.says.freeByElement, name, quantity, c.Element+1)
		default:
			t.line(1, path, t.says.priced, name, quantity, c.Element+1, t.price(c.Dimension, c.Price), t.conditions(c.Restrictions))
		}
		for j := range c.Passed {
			passed := &c.Passed[j]
			t.line(2, fmt.Sprintf("%s.Passed[%d]", path, j), t.says.passed, passed.Element+1, t.condition(passed.Restriction), t.saw(passed))
		}
	}
}

// figures are what the rating says, line by line.
func (t *tracer) figures() {
	r := &t.e.Rating
	for i := range r.Lines {
		l := &r.Lines[i]
		amount := l.ExclVAT
		if l.TaxIncluded {
			amount = l.InclVAT
		}
		quantity := t.long(l.Quantity, 0)
		if l.Unit != Once {
			quantity += " " + string(l.Unit)
		}
		t.line(0, fmt.Sprintf("Rating.Lines[%d]", i), t.says.line, strings.TrimSpace(t.dimension(l.Dimension)+" "+l.Name), quantity, t.amount(l.Price), t.amount(amount))
	}
	if t.e.Credit {
		t.line(0, "Credit", "%s", t.says.credit)
	}
	for i := range r.VAT {
		v, path := &r.VAT[i], fmt.Sprintf("Rating.VAT[%d]", i)
		rate := t.says.noRate
		if v.Rate.Valid {
			rate = t.number(v.Rate.Decimal, 0) + " %"
		}
		if tax := v.InclVAT.Sub(v.ExclVAT); v.Rate.Valid || !tax.IsZero() {
			t.line(0, path, t.says.vat, rate, t.amount(tax), t.amount(v.ExclVAT))
		} else {
			t.line(0, path, t.says.noVAT, t.amount(v.ExclVAT))
		}
	}
	t.line(0, "Rating.Total", t.says.total, t.amount(r.Total.ExclVAT), t.amount(r.Total.InclVAT))
}

func (t *tracer) verdict(v *Verdict) {
	if v.Agrees {
		t.line(0, "Verdict", "%s", t.says.agrees)
	}
	for i := range v.Differences {
		d := &v.Differences[i]
		t.line(0, fmt.Sprintf("Verdict.Differences[%d]", i), t.says.differs, d.Figure, t.number(d.Claimed, 0), t.number(d.Computed, 0), t.number(d.Delta(), 0), t.number(d.Tolerance, 0))
	}
	if v.Reading != "" && v.Reading != t.e.Policy.Name {
		t.line(1, "Verdict.Reading", t.says.byName, SayReading(v.Reading, t.lang))
	}
	if v.AtStake != "" {
		t.line(1, "Verdict.AtStake", t.says.atStake, v.AtStake)
	}
	for i := range v.Tariffs {
		t.comparison(fmt.Sprintf("Verdict.Tariffs[%d]", i), &v.Tariffs[i])
	}
	for i := range v.Findings {
		t.line(0, fmt.Sprintf("Verdict.Findings[%d]", i), t.says.contradicts, v.Findings[i].Message)
	}
}

// comparison sets a tariff beside the published one.
func (t *tracer) comparison(path string, c *TariffComparison) {
	switch {
	case !c.Published:
		t.line(0, path, t.says.unpublished, c.ID)
	case len(c.Changes) == 0:
		t.line(0, path, t.says.asPublished, c.ID)
	default:
		t.line(0, path, t.says.notAsPublished, c.ID, t.amount(c.Effect.ExclVAT))
	}
	for i := range c.Changes {
		change := &c.Changes[i]
		from, to := change.From, change.To
		if from == "" {
			from = t.says.none
		}
		if to == "" {
			to = t.says.none
		}
		t.line(1, fmt.Sprintf("%s.Changes[%d]", path, i), t.says.change, change.Path, from, to, t.amount(change.Effect.ExclVAT))
	}
}

// dimension is the name of a dimension, of energy too.
func (t *tracer) dimension(d Dimension) string {
	switch {
	case d == ParkingTime:
		return t.says.parked
	case d == Energy:
		return t.energy
	}
	return t.names[d]
}

func (t *tracer) amount(d decimal.Decimal) string { return t.long(d, 2) + " " + t.e.Currency }

// long writes a number with all its decimals, and with at least some.
func (t *tracer) long(d decimal.Decimal, places int32) string {
	text := t.number(d, max(places, 0))
	if exact := -d.Exponent(); exact > 6 && !d.Equal(d.Round(6)) {
		text = strings.Replace(strings.TrimRight(d.StringFixed(exact), "0"), ".", t.point, 1)
	}
	return text
}

func (t *tracer) price(d Dimension, price decimal.Decimal) string {
	switch of, _ := poolNamed(d); {
	case of == sessionEnergy:
		return t.amount(price) + "/kWh"
	case of.timed():
		return t.amount(price) + "/h"
	}
	return t.amount(price)
}

// quantity writes kWh, or seconds as minutes; a fee is there once.
func (t *tracer) quantity(d Dimension, quantity decimal.Decimal) string {
	switch of, _ := poolNamed(d); {
	case of == sessionEnergy:
		return t.long(quantity, 0) + " kWh"
	case of.timed():
		return t.seconds(quantity)
	}
	return "1 ×"
}

func (t *tracer) step(d Dimension, step int64) string {
	if d == Energy {
		return t.number(decimal.New(step, -3), 0) + " kWh"
	}
	return t.seconds(decimal.NewFromInt(step))
}

// seconds writes a time in minutes where those are whole.
func (t *tracer) seconds(seconds decimal.Decimal) string {
	if minutes := seconds.DivRound(sixty, 4); minutes.IsInteger() && minutes.Mul(sixty).Equal(seconds) {
		return t.number(minutes, 0) + " min"
	}
	return t.long(seconds, 0) + " s"
}

func (t *tracer) conditions(restrictions []string) string {
	if len(restrictions) == 0 {
		return t.says.always
	}
	var parts []string
	for _, restriction := range restrictions {
		parts = append(parts, t.condition(restriction))
	}
	return strings.Join(parts, " "+t.says.and+" ")
}

// condition puts a restriction into words.
func (t *tracer) condition(restriction string) string {
	field, value, _ := strings.Cut(restriction, "=")
	if value == "?" {
		return fmt.Sprintf(t.says.unknown, field)
	}
	switch field {
	case "time":
		from, to, _ := strings.Cut(value, "-")
		if from == "" {
			from = "00:00"
		}
		if to == "" || to == "00:00" {
			to = "24:00"
		}
		return fmt.Sprintf(t.says.clock, from, to)
	case "start_date":
		return fmt.Sprintf(t.says.since, value)
	case "end_date":
		return fmt.Sprintf(t.says.before, value)
	case "day_of_week":
		var days []ocpi.DayOfWeek
		for name := range strings.SplitSeq(value, ",") {
			days = append(days, ocpi.DayOfWeek(name))
		}
		return t.days.weekdays(days)
	case "reservation":
		if value == string(ocpi.ReservationExpires) {
			return t.says.expired
		}
		return t.says.reserved
	}
	limit := t.says.below
	if strings.HasPrefix(field, "min_") {
		limit = t.says.from
	}
	return fmt.Sprintf(limit, t.measure(field, value))
}

// saw is what a restriction was compared with, in words.
func (t *tracer) saw(p *ExplainedPass) string {
	field, _, _ := strings.Cut(p.Restriction, "=")
	switch {
	case p.Saw == "":
		return t.says.notMeasured
	case field == "day_of_week":
		return t.days.weekdays([]ocpi.DayOfWeek{ocpi.DayOfWeek(p.Saw)})
	}
	return t.measure(field, p.Saw)
}

// measure writes a value with the unit of the restriction that it belongs to.
func (t *tracer) measure(field, value string) string {
	number, err := decimal.NewFromString(value)
	if err != nil {
		return value
	}
	_, kind, _ := strings.Cut(field, "_")
	switch kind {
	case "kwh":
		return t.long(number, 0) + " kWh"
	case "duration":
		return t.seconds(number)
	case "power":
		return t.long(number, 0) + " kW"
	case "current":
		return t.long(number, 0) + " A"
	}
	return value
}
