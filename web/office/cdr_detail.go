package office

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// cdrView is everything that is known about one CDR.
type cdrView struct {
	db.CDRDetailRow
	message  db.CDRMessageRow
	cdr      ocpi.CDR
	rating   *cdrRating // nil: not rated yet
	meter    *cdrMeter  // nil: no signed meter data
	session  *db.Session
	invoices []db.CDRInvoicesRow
	owed     []cdrOwed // by agreements
	chain    []db.CDRChainRow
	events   []db.Event

	nearby   []db.TokenTimelineRow   // sessions of the card around this one
	earlier  []db.DecisionsAtEVSERow // what was decided at the charge point
	disputes []db.DisputesOfCDRRow
	proposal *db.DropProposalsRow // nil: nobody wants to drop it
	account  *jobs.CDRExplanation // nil: there is nothing to explain
	credit   *jobs.DisputeMessage // to the partner, about a credit that cannot be applied; nil: it is none
	choices  choices
	form     decisionForm
	list     listContext
}

// cdrRating is the current rating with its frozen documents read.
type cdrRating struct {
	db.CDRRatingRow
	wholesale billing.Rating
	retail    billing.Rating
	verdict   billing.Verdict
	findings  []billing.Finding
	choice    jobs.Choice
}

func (o *office) cdrDetail(v *visit) error {
	var view cdrView
	err := v.read(func(q *db.Queries) (err error) {
		view, err = loadCDR(v, q, v.QueryParam("list"))
		return err
	})
	if err != nil {
		return err
	}
	view.form.kind = jobs.DecisionKind(v.QueryParam("do"))
	return v.render(http.StatusOK, cdrDetailPage(v, view))
}

// cdrPreview answers with a CDR in short, for the list.
func (o *office) cdrPreview(v *visit) error {
	var view cdrView
	err := v.read(func(q *db.Queries) (err error) {
		view, err = loadCDR(v, q, v.QueryParam("list"))
		return err
	})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, cdrPreview(v, view))
}

// formHref is the page of a CDR with the form of a decision open.
func (v *visit) formHref(c cdrView, kind string) string {
	values := url.Values{"do": {kind}}
	if c.list.query != "" {
		values.Set("list", c.list.query)
	}
	return v.pathOf("/cdrs/"+c.CDRState.CDRID.String(), values.Encode())
}

// loadCDR reads everything about the CDR of the address. list is the query of the list that it was opened from, if it was.
func loadCDR(v *visit, q *db.Queries, list string) (cdrView, error) {
	ctx := v.Request().Context()
	id, err := v.id()
	if err != nil {
		return cdrView{}, err
	}
	var c cdrView
	if c.CDRDetailRow, err = q.CDRDetail(ctx, db.CDRDetailParams{CDRID: id, TenantID: v.tenant}); err != nil {
		return c, err
	}
	state := c.CDRState
	if c.message, err = q.CDRMessage(ctx, db.CDRMessageParams{ID: id, ReceivedAt: state.ReceivedAt}); err != nil {
		return c, fmt.Errorf("message of CDR %s: %w", id, err)
	}
	cpo := ocpi.Party{CountryCode: ocpi.CiString(state.CountryCode), PartyID: ocpi.CiString(state.PartyID)}
	if c.cdr, err = jobs.ReadCDR(c.message.Version, c.message.Raw, cpo); err != nil {
		return c, fmt.Errorf("CDR %s: %w", id, err)
	}
	if c.rating, err = loadRating(v, q, id); err != nil {
		return c, err
	}
	if c.rating != nil {
		if c.owed, err = loadOwed(v, q, c.rating.Rating); err != nil {
			return c, err
		}
		if c.meter, err = loadMeter(v, q, c.rating.Rating.ID); err != nil {
			return c, err
		}
	}
	session, err := q.CDRSession(ctx, db.CDRSessionParams{CountryCode: state.CountryCode, PartyID: state.PartyID, SessionID: state.SessionID, TenantID: state.TenantID})
	if err == nil {
		c.session = &session
	} else if !errors.Is(err, db.ErrNotFound) {
		return c, fmt.Errorf("session of CDR %s: %w", id, err)
	}
	if c.invoices, err = q.CDRInvoices(ctx, id); err != nil {
		return c, fmt.Errorf("invoices of CDR %s: %w", id, err)
	}
	if c.chain, err = q.CDRChain(ctx, id); err != nil {
		return c, fmt.Errorf("credits of CDR %s: %w", id, err)
	}
	if c.events, err = q.EventsOf(ctx, db.EventsOfParams{Subject: "cdr", SubjectID: id}); err != nil {
		return c, fmt.Errorf("events of CDR %s: %w", id, err)
	}
	return c, c.loadReview(v, q, list)
}

// loadReview reads what a person looks at who decides about a CDR.
func (c *cdrView) loadReview(v *visit, q *db.Queries, list string) (err error) {
	ctx, id, tenant := v.Request().Context(), c.CDRState.CDRID, c.CDRState.TenantID
	if c.nearby, err = q.TokenTimeline(ctx, id); err != nil {
		return fmt.Errorf("sessions around CDR %s: %w", id, err)
	}
	if c.earlier, err = q.DecisionsAtEVSE(ctx, db.DecisionsAtEVSEParams{CDRID: id, MaxRows: 5}); err != nil {
		return fmt.Errorf("decisions at the charge point of CDR %s: %w", id, err)
	}
	if c.disputes, err = q.DisputesOfCDR(ctx, id); err != nil {
		return fmt.Errorf("disputes of CDR %s: %w", id, err)
	}
	proposals, err := q.DropProposals(ctx, db.DropProposalsParams{TenantID: tenant, CDRID: uuid.NullUUID{UUID: id, Valid: true}})
	if err != nil {
		return fmt.Errorf("proposals to drop CDR %s: %w", id, err)
	}
	if len(proposals) > 0 {
		c.proposal = &proposals[0]
	}
	if c.choices, err = v.loadChoices(q, tenant); err != nil {
		return err
	}
	if c.rating != nil {
		c.choices.rules = c.rating.flaggingRules()
		account, err := v.office.ExplainCDR(ctx, tenant, id)
		if err != nil {
			return fmt.Errorf("explain CDR %s: %w", id, err)
		}
		c.account = &account
	}
	if c.CDRState.CreditReference != "" && c.CDRState.State == "held" {
		m, err := v.office.CreditMessage(ctx, tenant, id, string(v.Lang))
		if err != nil {
			return fmt.Errorf("message about credit %s: %w", id, err)
		}
		c.credit = &m
	}
	c.list, err = v.neighbours(q, id, list)
	return err
}

// explanation answers with the whole account of a rating, for the auditor.
func (o *office) explanation(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	var detail db.CDRDetailRow
	err = v.read(func(q *db.Queries) (err error) {
		detail, err = q.CDRDetail(ctx, db.CDRDetailParams{CDRID: id, TenantID: v.tenant})
		return err
	})
	if err != nil {
		return err
	}
	account, err := o.ExplainCDR(ctx, detail.CDRState.TenantID, id)
	if err != nil {
		return err
	}
	doc, err := json.MarshalIndent(account, "", "  ")
	if err != nil {
		return fmt.Errorf("explanation of CDR %s: %w", id, err)
	}
	return v.download("explanation-"+id.String()+".json", "application/json", doc)
}

func loadRating(v *visit, q *db.Queries, id [16]byte) (*cdrRating, error) {
	row, err := q.CDRRating(v.Request().Context(), id)
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil //nolint:nilnil // a CDR that waits has no rating
	} else if err != nil {
		return nil, fmt.Errorf("rating: %w", err)
	}
	r := cdrRating{CDRRatingRow: row}
	err = errors.Join(
		json.Unmarshal(row.Rating.Wholesale, &r.wholesale),
		json.Unmarshal(row.Rating.Retail, &r.retail),
		json.Unmarshal(row.Rating.Verdict, &r.verdict),
		json.Unmarshal(row.Rating.Findings, &r.findings),
		json.Unmarshal(row.Rating.Choice, &r.choice),
	)
	if err != nil {
		return nil, fmt.Errorf("read rating %s: %w", row.Rating.ID, err)
	}
	return &r, nil
}

// allFindings are those of plausibility first, then what the check and the two ratings remarked, each once.
func (r *cdrRating) allFindings() []billing.Finding {
	var all []billing.Finding
	for _, f := range slices.Concat(r.findings, r.verdict.Findings, r.wholesale.Findings, r.retail.Findings) {
		if !slices.ContainsFunc(all, func(g billing.Finding) bool { return g.Code == f.Code && g.Message == f.Message && g.Path == f.Path }) {
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b billing.Finding) int { return weight(b.Severity) - weight(a.Severity) })
	return all
}

func weight(s billing.Severity) int {
	return slices.Index([]billing.Severity{billing.Info, billing.Flag, billing.Block}, s)
}

// severityTone is the colour of a finding.
func severityTone(s billing.Severity) string {
	switch s {
	case billing.Block:
		return "err"
	case billing.Flag:
		return "warn"
	}
	return "info"
}

// ruleText is what a finding of the catalogue says in the visitor's language; others have English words only.
func (v *visit) ruleText(f billing.Finding) (text string, translated bool) {
	for _, rule := range billing.Rules {
		if rule.ID != f.Code || !strings.HasPrefix(f.Message, rule.What.EN) {
			continue
		}
		if v.Lang == ui.German {
			return rule.What.DE, true
		}
		return rule.What.EN, true
	}
	return f.Message, v.Lang == ui.English
}

// param is a figure of a finding, with its unit.
func (v *visit) param(f billing.Finding, name string) string {
	d, err := decimal.NewFromString(f.Params[name])
	if err != nil {
		return f.Params[name]
	}
	return strings.TrimSpace(v.Lang.Exact(d, 0, 4) + " " + v.unit(f.Params["unit"]))
}

// unit is a unit of measure in the visitor's language.
func (v *visit) unit(unit string) string {
	if key := "unit." + unit; v.Lang.Has(key) {
		return v.Lang.T(key)
	}
	return unit
}

// figure is one number of a CDR, as it was received and as it was computed.
type figure struct {
	path     string
	key      string // of the text
	claimed  decimal.NullDecimal
	computed decimal.Decimal
	unit     string // "kWh", "h", or empty for money
	differs  bool
}

// figures compares what the CDR states with the rating by the CPO's tariff. What neither side has is left out.
func (c *cdrView) figures() []figure {
	w := c.rating.wholesale
	price := func(p *ocpi.Price) decimal.NullDecimal {
		if p == nil {
			return decimal.NullDecimal{}
		}
		return p.ExclVAT
	}
	all := []figure{
		{path: "total_cost.excl_vat", key: "figure.total", claimed: c.cdr.TotalCost.ExclVAT, computed: w.Total.ExclVAT},
		{path: "total_cost.incl_vat", key: "figure.gross", claimed: c.cdr.TotalCost.InclVAT, computed: w.Total.InclVAT},
		{path: "total_fixed_cost.excl_vat", key: "figure.fixed", claimed: price(c.cdr.TotalFixedCost), computed: w.Fixed.ExclVAT},
		{path: "total_energy_cost.excl_vat", key: "figure.energy_cost", claimed: price(c.cdr.TotalEnergyCost), computed: w.Energy.ExclVAT},
		{path: "total_time_cost.excl_vat", key: "figure.time_cost", claimed: price(c.cdr.TotalTimeCost), computed: w.Time.ExclVAT},
		{path: "total_parking_cost.excl_vat", key: "figure.parking_cost", claimed: price(c.cdr.TotalParkingCost), computed: w.Parking.ExclVAT},
		{path: "total_reservation_cost.excl_vat", key: "figure.reservation_cost", claimed: price(c.cdr.TotalReservationCost), computed: w.Reservation.ExclVAT},
		{path: "total_energy", key: "figure.energy", claimed: c.cdr.TotalEnergy, computed: w.TotalEnergy, unit: "kWh"},
		{path: "total_time", key: "figure.time", claimed: c.cdr.TotalTime, computed: w.TotalTime, unit: "h"},
		{path: "total_parking_time", key: "figure.parking_time", claimed: c.cdr.TotalParkingTime, computed: w.TotalParkingTime, unit: "h"},
	}
	var shown []figure
	for _, f := range all {
		if !f.claimed.Valid && f.computed.IsZero() {
			continue
		}
		f.differs = slices.ContainsFunc(c.rating.verdict.Differences, func(d billing.Difference) bool { return d.Figure == f.path })
		shown = append(shown, f)
	}
	return shown
}

// amount is a figure with its unit.
func (v *visit) amount(d decimal.Decimal, f figure, currency string) string {
	switch f.unit {
	case "":
		return v.Lang.Price(d, currency)
	case "kWh":
		return v.Lang.KWh(d) + "\u00a0kWh"
	}
	return v.Lang.Exact(d, 2, 4) + "\u00a0" + f.unit
}

// quantity is what a line of a rating bills, with its unit.
func (v *visit) quantity(l billing.Line) string { return v.measured(l.Quantity, l.Unit) }

func (v *visit) measured(d decimal.Decimal, unit billing.LineUnit) string {
	switch unit {
	case billing.KWh:
		return v.Lang.Exact(d, 3, 4) + "\u00a0kWh"
	case billing.Hour:
		return v.Lang.Exact(d, 2, 4) + "\u00a0h"
	}
	return "1"
}

// step says how the quantity of a line was rounded up, if it was.
func (v *visit) step(l billing.Line) string {
	if l.StepSize <= 1 || l.Quantity.Equal(l.Measured) {
		return ""
	}
	if l.Unit == billing.KWh {
		return v.Lang.T("why.step", v.measured(l.Measured, l.Unit), v.Lang.Exact(decimal.New(l.StepSize, -3), 0, 3)+"\u00a0kWh")
	}
	return v.Lang.T("why.step", v.measured(l.Measured, l.Unit), v.Lang.Int(l.StepSize)+"\u00a0s")
}

// lineAmount is the side of a line that its tariff states.
func lineAmount(l billing.Line) decimal.Decimal {
	if l.TaxIncluded {
		return l.InclVAT
	}
	return l.ExclVAT
}

// totalOf is the side of a rating that its tariff states.
func totalOf(r billing.Rating) (amount decimal.Decimal, taxIncluded bool) {
	if len(r.Lines) > 0 && r.Lines[0].TaxIncluded {
		return r.Total.InclVAT, true
	}
	return r.Total.ExclVAT, false
}

// retailKPI is what the customer pays, first as it was agreed: with VAT, or without it, where VAT is due on the sum of an invoice.
func (v *visit) retailKPI(r *cdrRating) ui.KPI {
	net, gross := v.Lang.Money(r.Rating.RetailNet, r.Rating.Currency), v.Lang.Money(r.Rating.RetailGross, r.Rating.Currency)
	if _, included := totalOf(r.retail); included || len(r.retail.Lines) == 0 {
		return ui.KPI{Name: v.Lang.T("money.retail"), Value: gross, Note: v.Lang.T("money.retail.net", net)}
	}
	return ui.KPI{Name: v.Lang.T("money.retail"), Value: net, Note: v.Lang.T("money.retail.gross", gross)}
}

// pretty is a JSON document with its lines broken; what is none stays as it is.
func pretty(raw []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return string(raw)
	}
	return b.String()
}

// cdrMessage answers with the bytes that the partner sent.
func (o *office) cdrMessage(v *visit) error {
	id, err := v.id()
	if err != nil {
		return err
	}
	var message db.CDRMessageRow
	err = v.read(func(q *db.Queries) error {
		ctx := v.Request().Context()
		detail, err := q.CDRDetail(ctx, db.CDRDetailParams{CDRID: id, TenantID: v.tenant})
		if err != nil {
			return err
		}
		message, err = q.CDRMessage(ctx, db.CDRMessageParams{ID: id, ReceivedAt: detail.CDRState.ReceivedAt})
		return err
	})
	if err != nil {
		return err
	}
	return v.download("cdr-"+id.String()+".json", "application/json", message.Raw)
}

// download answers with a document to be saved.
func (v *visit) download(name, mediaType string, content []byte) error {
	h := v.Response().Header()
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	h.Set("Cache-Control", "private, no-store")
	return v.Blob(http.StatusOK, mediaType, content)
}

// cdrOwed is what the utility owes for a session, and to whom.
type cdrOwed struct {
	jobs.Owed
	payee string
}

func loadOwed(v *visit, q *db.Queries, r db.Rating) ([]cdrOwed, error) {
	owed, err := jobs.OwedBy(r, string(v.Lang))
	if err != nil {
		return nil, err
	}
	list := make([]cdrOwed, len(owed))
	for i, o := range owed {
		payee, err := q.Customer(v.Request().Context(), o.Payee)
		if err != nil {
			return nil, fmt.Errorf("payee %s: %w", o.Payee, err)
		}
		list[i] = cdrOwed{o, payee.Name}
	}
	return list, nil
}
