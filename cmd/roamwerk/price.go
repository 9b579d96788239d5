package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // prices by the clock need time zones on every machine

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/ocpi"
)

// priceCmd prices CDRs without a database. It is how the engine is tried out, compared with others, and asked in a dispute.
type priceCmd struct {
	Timezone string   `help:"Time zone of the charge points (default: that of the CDR's place)." placeholder:"ZONE"`
	Tariff   string   `help:"Price by this tariff, or by these if the file holds a list, instead of those in the CDRs." placeholder:"FILE" xor:"by"`
	Plan     string   `help:"Price as a customer with this retail tariff pays: with its caps, discounts, and an untouched allowance of the month for each CDR." placeholder:"FILE" xor:"by,how"`
	Policy   string   `help:"Reading of what OCPI leaves open, instead of ours: ${policies}." placeholder:"NAME"`
	Explain  bool     `help:"Account for every figure: a sentence, the rules in words, and the whole as JSON." xor:"how"`
	Replay   bool     `xor:"how" help:"The files hold what --explain has printed: compute every figure from it again."`
	Files    []string `arg:"" name:"cdrfile" help:"A CDR of OCPI 2.2.1, 2.1.1 or 2.3.0, alone or as \"cdr\" beside \"tariffs\" and \"time_zone\", a list of such, an OCPI answer with either, or a folder of such files; - is standard input."`
}

func (c *priceCmd) Help() string {
	return "Prints one JSON object a line for every CDR. Figures are exact where they end within ten decimals. " +
		"A CDR that cannot be read is reported on standard error; the others are priced all the same. " +
		"An explanation whose figures do not come out of it again is one that cannot be replayed."
}

// Run prices the files in their order.
func (c *priceCmd) Run(o *outside) error {
	p := pricer{out: o.stdout, errors: o.stderr, explain: c.Explain}
	var known bool
	if p.policy, known = billing.PolicyNamed(c.Policy); !known {
		return fmt.Errorf("--policy: %q is none of %s", c.Policy, policyNames())
	}
	if c.Replay {
		p.work = replayPrice
	} else {
		p.work = p.price
	}
	if c.Plan != "" {
		text, err := readInput(c.Plan)
		if err != nil {
			return err
		}
		plan, err := billing.ParsePlan(text)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Plan, err)
		}
		p.work = func(doc jsontext.Value) (*pricedCDR, error) { return p.priceByPlan(doc, billing.NewRetail(plan)) }
	}
	if c.Timezone != "" {
		zone, err := loadZone(c.Timezone)
		if err != nil {
			return fmt.Errorf("--timezone: %w", err)
		}
		p.zone = zone
	}
	if c.Tariff != "" {
		var err error
		if p.tariffs, p.ofTariffs, err = readTariffs(c.Tariff); err != nil {
			return err
		}
	}
	for _, file := range filesIn(c.Files, ".json") {
		if err := p.file(file); err != nil {
			return err
		}
	}
	if p.failed > 0 {
		return fmt.Errorf("%d of %d CDRs could not be priced", p.failed, p.failed+p.priced)
	}
	return nil
}

// policyNames are those of --policy.
func policyNames() string {
	var names []string
	for _, p := range billing.Readings {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

type pricer struct {
	work           func(doc jsontext.Value) (*pricedCDR, error)
	explain        bool
	policy         billing.Policy // of --policy
	zone           *time.Location // of --timezone
	tariffs        []ocpi.Tariff  // of --tariff
	ofTariffs      []billing.Finding
	out, errors    io.Writer
	priced, failed int
}

// file prices what a file holds. The error is one of writing; what cannot be read is counted and said.
func (p *pricer) file(name string) error {
	text, err := readInput(name)
	if err != nil {
		p.fail("", err)
		return nil
	}
	docs, err := documents(text)
	for i, doc := range docs {
		at := name
		if len(docs) > 1 {
			at = fmt.Sprintf("%s[%d]", name, i)
		}
		result, err := p.work(doc)
		if err != nil {
			p.fail(at, err)
			continue
		}
		line, err := ocpi.Marshal(result)
		if err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		if _, err := p.out.Write(append(line, '\n')); err != nil {
			return err
		}
		p.priced++
	}
	if err != nil {
		p.fail(name, err)
	}
	return nil
}

func (p *pricer) fail(at string, err error) {
	p.failed++
	if at != "" {
		err = fmt.Errorf("%s: %w", at, err)
	}
	fmt.Fprintln(p.errors, "roamwerk price:", err)
}

// price rates one CDR.
func (p *pricer) price(raw jsontext.Value) (*pricedCDR, error) {
	doc, err := readPriced(raw)
	if err != nil {
		return nil, err
	}
	cdr, findings := &doc.cdr, doc.findings
	for _, f := range cdr.Validate() {
		findings = append(findings, billing.Finding{Code: "field-invalid", Severity: billing.Info, Path: f.Path, Message: f.Rule})
	}
	docs, opt := cdr.Tariffs, billing.CompileOptions{}
	if p.tariffs != nil {
		docs = p.tariffs
		findings = append(findings, p.ofTariffs...)
	} else if doc.tariffs != nil {
		docs = doc.tariffs
	}
	others := p.tariffs != nil || doc.tariffs != nil // than those in the CDR
	opt.EveryPeriod = others && len(docs) == 1 && !names(cdr, docs[0].ID)
	tariffs := make([]*billing.Tariff, len(docs))
	usesClock := false
	for i := range docs {
		var found []billing.Finding
		tariffs[i], found = billing.Compile(docs[i], opt)
		for _, f := range found {
			f.Path = fmt.Sprintf("tariffs[%d].%s", i, f.Path)
			findings = append(findings, f)
		}
		usesClock = usesClock || tariffs[i].UsesClock()
	}
	zone := cmp.Or(p.zone, doc.zone)
	if zone == nil {
		if zone = billing.ZoneAt(&cdr.CDRLocation); zone != nil && usesClock {
			findings = append(findings, billing.Finding{
				Code: "zone-assumed", Severity: billing.Info, Path: "cdr_location.country",
				Message: "prices depend on local time; that of the place is taken: " + zone.String(),
			})
		}
	}
	rating, checked := billing.Review(cdr, tariffs, zone, append([]billing.Policy{p.policy}, billing.Readings...), billing.DefaultTolerance)
	findings = append(findings, rating.Findings...)
	var verdict *billing.Verdict
	if !others || len(cdr.Tariffs) == 0 { // a price by other tariffs than its own is no contradiction of what a CDR claims
		verdict = &checked
		findings = append(findings, differences(verdict)...)
	}
	result := newPricedCDR(cdr.ID, cdr.Currency, &rating, findings)
	if p.explain {
		e := billing.Explain(doc.raw, cdr, tariffs, zone, p.policy)
		e.Verdict = verdict
		result.Explanation, err = newPricedExplanation(&e)
	}
	return result, err
}

// differences are the claims of the CDR that do not agree, and where it contradicts itself.
func differences(verdict *billing.Verdict) []billing.Finding {
	findings := slices.Clone(verdict.Findings)
	for _, d := range verdict.Differences {
		findings = append(findings, billing.Finding{
			Code: "claim-differs", Severity: billing.Flag, Path: d.Figure,
			Message: fmt.Sprintf("the CDR claims %s, computed is %s", d.Claimed, d.Computed),
			Params:  map[string]string{"claimed": d.Claimed.String(), "computed": d.Computed.String()},
		})
	}
	if !verdict.Agrees && verdict.Reading != "" {
		findings = append(findings, billing.Finding{
			Code: "claim-by-other-reading", Severity: billing.Info, Path: "total_cost",
			Message: "the claims come out in another way: " + billing.SayReading(verdict.Reading, "en"), Params: map[string]string{"reading": verdict.Reading},
		})
	}
	return findings
}

// names reports whether some period of the CDR names the tariff.
func names(cdr *ocpi.CDR, id ocpi.CiString) bool {
	return slices.ContainsFunc(cdr.ChargingPeriods, func(p ocpi.ChargingPeriod) bool { return p.TariffID.Equal(id) })
}

// pricedCDR is a line of output. Names are OCPI's where OCPI has one; currency of all amounts is Currency, energy is kWh,
// times are hours.
type pricedCDR struct {
	ID                   ocpi.CiString   `json:"id"`
	Currency             string          `json:"currency"`
	TotalCost            pricedAmount    `json:"total_cost"`
	TotalFixedCost       pricedAmount    `json:"total_fixed_cost"`
	TotalEnergy          decimal.Decimal `json:"total_energy"`
	TotalEnergyCost      pricedAmount    `json:"total_energy_cost"`
	TotalTime            decimal.Decimal `json:"total_time"`
	TotalTimeCost        pricedAmount    `json:"total_time_cost"`
	TotalParkingTime     decimal.Decimal `json:"total_parking_time"`
	TotalParkingCost     pricedAmount    `json:"total_parking_cost"`
	TotalReservationCost pricedAmount    `json:"total_reservation_cost"`
	VAT                  []pricedVAT     `json:"vat"`
	Lines                []pricedLine    `json:"lines"`
	Findings             []pricedFinding `json:"findings"`
	Tariffs              []pricedTariff  `json:"tariffs"`
	TimeZone             string          `json:"time_zone"`
	Policy               string          `json:"policy"`
	Engine               string          `json:"engine"`

	Explanation *pricedExplanation  `json:"explanation,omitzero"`
	Sentence    *pricedText[string] `json:"sentence,omitzero"` // by a plan: how the price reads for the customer
}

type pricedAmount struct {
	ExclVAT decimal.Decimal `json:"excl_vat"`
	InclVAT decimal.Decimal `json:"incl_vat"`
}

type pricedVAT struct {
	Rate    decimal.NullDecimal `json:"rate"` // percent; null: no VAT applies
	ExclVAT decimal.Decimal     `json:"excl_vat"`
	InclVAT decimal.Decimal     `json:"incl_vat"`
}

type pricedLine struct {
	Dimension    billing.Dimension   `json:"dimension"`
	Measured     decimal.Decimal     `json:"measured"`
	Quantity     decimal.Decimal     `json:"quantity"`
	Unit         billing.LineUnit    `json:"unit"`
	Price        decimal.Decimal     `json:"price"`
	VAT          decimal.NullDecimal `json:"vat"`
	ExclVAT      decimal.Decimal     `json:"excl_vat"`
	InclVAT      decimal.Decimal     `json:"incl_vat"`
	TariffID     ocpi.CiString       `json:"tariff_id"`
	TaxIncluded  bool                `json:"tax_included"`
	Element      int                 `json:"element"` // -1: a minimum or maximum price, or a reduction
	Restrictions []string            `json:"restrictions"`
	StepSize     int64               `json:"step_size"` // 0: nothing was rounded here
	From         time.Time           `json:"from,omitzero"`
	To           time.Time           `json:"to,omitzero"`
	Of           []billing.Dimension `json:"of,omitzero"`   // of a reduction by a plan: what it reduces
	Name         string              `json:"name,omitzero"` // of a reduction by a plan
}

type pricedFinding struct {
	Code     string           `json:"code"`
	Severity billing.Severity `json:"severity"`
	Path     string           `json:"path"`
	Message  string           `json:"message"`
	Params   jsontext.Value   `json:"params,omitzero"`
}

type pricedTariff struct {
	ID     ocpi.CiString `json:"id"`
	SHA256 string        `json:"sha256"`
}

func newPricedCDR(id ocpi.CiString, currency string, r *billing.Rating, findings []billing.Finding) *pricedCDR {
	priced := &pricedCDR{
		ID: id, Currency: cmp.Or(r.Currency, currency),
		TotalCost:            pricedAmount(r.Total),
		TotalFixedCost:       pricedAmount(r.Fixed),
		TotalEnergy:          r.TotalEnergy,
		TotalEnergyCost:      pricedAmount(r.Energy),
		TotalTime:            r.TotalTime,
		TotalTimeCost:        pricedAmount(r.Time),
		TotalParkingTime:     r.TotalParkingTime,
		TotalParkingCost:     pricedAmount(r.Parking),
		TotalReservationCost: pricedAmount(r.Reservation),
		TimeZone:             r.TimeZone, Policy: r.Policy, Engine: r.Engine,
	}
	for _, v := range r.VAT {
		priced.VAT = append(priced.VAT, pricedVAT{v.Rate, v.ExclVAT, v.InclVAT})
	}
	for _, l := range r.Lines {
		priced.Lines = append(priced.Lines, pricedLine{
			Dimension: l.Dimension, Measured: l.Measured, Quantity: l.Quantity, Unit: l.Unit, Price: l.Price, VAT: l.VATRate,
			ExclVAT: l.ExclVAT, InclVAT: l.InclVAT, TariffID: l.TariffID, TaxIncluded: l.TaxIncluded,
			Element: l.Element, Restrictions: l.Restrictions, StepSize: l.StepSize, From: l.From, To: l.To,
			Of: l.Of, Name: l.Name,
		})
	}
	for _, f := range findings {
		priced.Findings = append(priced.Findings, pricedFinding{f.Code, f.Severity, f.Path, f.Message, inOrder(f.Params)})
	}
	for _, t := range r.Tariffs {
		priced.Tariffs = append(priced.Tariffs, pricedTariff{t.ID, t.Hash})
	}
	return priced
}

// inOrder writes parameters in the order of their names, so that the same CDR always gives the same line.
func inOrder(params map[string]string) jsontext.Value {
	if len(params) == 0 {
		return nil
	}
	b := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(params)) {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, name) // text that is not UTF-8 is mended
		b = append(b, ':')
		b, _ = jsontext.AppendQuote(b, params[name])
	}
	return append(b, '}')
}
