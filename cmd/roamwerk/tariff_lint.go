package main

import (
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/lint"
	"github.com/roamwerk/roamwerk/ocpi"
)

type tariffCmd struct {
	Lint tariffLintCmd `cmd:"" help:"Find what is wrong or odd in tariffs, without a database."`
}

// tariffLintCmd looks at tariffs before a customer pays by them.
type tariffLintCmd struct {
	Timezone string   `help:"Time zone of the charge points (default: that of the tariff's country)." placeholder:"ZONE"`
	Files    []string `arg:"" name:"tarifffile" help:"A tariff, a list of tariffs, an OCPI answer with either, a CDR with tariffs in it, or a folder of such files; - is standard input."`
}

func (c *tariffLintCmd) Help() string {
	return "Prints one JSON object a line for every tariff, with its findings and, for each that a session can show, a witness: a small session " +
		"that the engine has priced. Severities are info, flag and block. A tariff that cannot be read is reported on standard error; the others are looked at all the same."
}

// Run looks at the files in their order.
func (c *tariffLintCmd) Run(o *outside) error {
	l := tariffLinter{out: o.stdout, errors: o.stderr}
	if c.Timezone != "" {
		zone, err := loadZone(c.Timezone)
		if err != nil {
			return fmt.Errorf("--timezone: %w", err)
		}
		l.zone = zone
	}
	for _, file := range filesIn(c.Files, ".json") {
		if err := l.file(file); err != nil {
			return err
		}
	}
	if l.failed > 0 {
		return fmt.Errorf("%d of %d tariffs could not be read", l.failed, l.failed+l.read)
	}
	return nil
}

type tariffLinter struct {
	zone         *time.Location // of --timezone
	out, errors  io.Writer
	read, failed int
}

// file looks at the tariffs in a file. The error is one of writing; what cannot be read is counted and said.
func (l *tariffLinter) file(name string) error {
	text, err := readInput(name)
	if err != nil {
		l.fail("", err)
		return nil
	}
	docs, err := documents(text)
	var tariffs []jsontext.Value
	for _, doc := range docs {
		tariffs = append(tariffs, tariffsIn(doc)...)
	}
	for i, doc := range tariffs {
		at := name
		if len(tariffs) > 1 {
			at = fmt.Sprintf("%s[%d]", name, i)
		}
		tariff, findings, err := readTariff(doc)
		if err != nil {
			l.fail(at, err)
			continue
		}
		line, err := ocpi.Marshal(l.lint(at, &tariff, findings))
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if _, err := l.out.Write(append(line, '\n')); err != nil {
			return err
		}
		l.read++
	}
	if err != nil {
		l.fail(name, err)
	}
	return nil
}

func (l *tariffLinter) fail(at string, err error) {
	l.failed++
	if at != "" {
		err = fmt.Errorf("%s: %w", at, err)
	}
	fmt.Fprintln(l.errors, "roamwerk tariff lint:", err)
}

// tariffsIn returns the tariffs of a document that is one, or holds some as a CDR does.
func tariffsIn(doc jsontext.Value) []jsontext.Value {
	shape, err := shapeOf(doc)
	if err != nil || shape.Elements != nil {
		return []jsontext.Value{doc}
	}
	if shape.CDR.Kind() == jsontext.KindBeginObject && shape.Tariff == nil && shape.Tariffs == nil {
		return tariffsIn(shape.CDR)
	}
	if found := append(itemsIn(shape.Tariffs), itemsIn(shape.Tariff)...); found != nil {
		return found
	}
	return []jsontext.Value{doc}
}

func (l *tariffLinter) lint(at string, tariff *ocpi.Tariff, read []billing.Finding) *lintedTariff {
	zone := l.zone
	if zone == nil {
		zone = billing.ZoneOf(string(tariff.CountryCode))
	}
	linted := &lintedTariff{File: at, ID: tariff.ID, Linter: lint.Version}
	if zone != nil {
		linted.TimeZone = zone.String()
	}
	for _, f := range read {
		linted.Findings = append(linted.Findings, lintedFinding{Code: f.Code, Severity: f.Severity, Path: f.Path, Message: f.Message, MessageDE: f.Message})
	}
	for _, f := range lint.Lint(*tariff, zone) {
		linted.Findings = append(linted.Findings, lintedFinding{f.Code, f.Severity, f.Path, f.Text.EN, f.Text.DE, inOrder(f.Params), newLintedWitness(f.Witness)})
	}
	return linted
}

// lintedTariff is a line of output.
type lintedTariff struct {
	File     string          `json:"file"`
	ID       ocpi.CiString   `json:"id"`
	Findings []lintedFinding `json:"findings"`
	TimeZone string          `json:"time_zone"` // empty: not known
	Linter   string          `json:"linter"`
}

type lintedFinding struct {
	Code      string           `json:"code"`
	Severity  billing.Severity `json:"severity"`
	Path      string           `json:"path"` // counts from zero
	Message   string           `json:"message"`
	MessageDE string           `json:"message_de"`
	Params    jsontext.Value   `json:"params,omitzero"` // elements count from one, as in the message
	Witness   *lintedWitness   `json:"witness,omitzero"`
}

// lintedWitness is a session and what the engine makes of it: at Moment, Element (which counts from zero; -1: none) prices
// Dimension.
type lintedWitness struct {
	Start     time.Time           `json:"start"`
	Moment    time.Time           `json:"moment"`
	Seconds   decimal.Decimal     `json:"seconds"` // from the start to the moment
	KWh       decimal.Decimal     `json:"kwh"`     // charged by then
	Lapsed    bool                `json:"lapsed"`  // a reservation that nobody used
	Legs      []lintedLeg         `json:"legs"`
	Dimension billing.Dimension   `json:"dimension"`
	Element   int                 `json:"element"`
	Price     decimal.NullDecimal `json:"price"` // per unit
	TotalCost pricedAmount        `json:"total_cost"`
	Text      string              `json:"text"`
	TextDE    string              `json:"text_de"`
}

type lintedLeg struct {
	Seconds    decimal.Decimal     `json:"seconds"`
	KWh        decimal.Decimal     `json:"kwh"`
	Parked     bool                `json:"parked"`
	Reserved   bool                `json:"reserved"`
	MinPower   decimal.NullDecimal `json:"min_power"` // kW; null: not told
	MaxPower   decimal.NullDecimal `json:"max_power"`
	MinCurrent decimal.NullDecimal `json:"min_current"` // A
	MaxCurrent decimal.NullDecimal `json:"max_current"`
}

func newLintedWitness(w *lint.Witness) *lintedWitness {
	if w == nil {
		return nil
	}
	linted := &lintedWitness{
		Start: w.Start.UTC(), Moment: w.Moment.UTC(), Seconds: secondsIn(w.Elapsed), KWh: w.KWh, Lapsed: w.Lapsed,
		Dimension: w.Dimension, Element: w.Element, Price: w.Price, TotalCost: pricedAmount(w.Total), Text: w.Text.EN, TextDE: w.Text.DE,
	}
	for _, leg := range w.Legs {
		linted.Legs = append(linted.Legs, lintedLeg{secondsIn(leg.Length), leg.KWh, leg.Parked, leg.Reserved, leg.LowPower, leg.HighPower, leg.LowCurrent, leg.HighCurrent})
	}
	return linted
}

func secondsIn(d time.Duration) decimal.Decimal { return decimal.New(d.Milliseconds(), -3) }
