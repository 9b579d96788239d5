package office

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
)

// conformanceDays is the time that a partner's report covers, and findingLimit how many kinds of findings it names.
const conformanceDays, findingLimit = 30, 100

// clauses are where OCPI says how a module is.
var clauses = map[string]string{
	"":                                  "OCPI 2.2.1 § Versions module",
	string(ocpi.ModuleCredentials):      "OCPI 2.2.1 § Credentials module",
	string(ocpi.ModuleLocations):        "OCPI 2.2.1 § Locations module",
	string(ocpi.ModuleSessions):         "OCPI 2.2.1 § Sessions module",
	string(ocpi.ModuleCDRs):             "OCPI 2.2.1 § CDRs module",
	string(ocpi.ModuleTariffs):          "OCPI 2.2.1 § Tariffs module",
	string(ocpi.ModuleTokens):           "OCPI 2.2.1 § Tokens module",
	string(ocpi.ModuleCommands):         "OCPI 2.2.1 § Commands module",
	string(ocpi.ModuleChargingProfiles): "OCPI 2.2.1 § ChargingProfiles module",
	string(ocpi.ModuleHubClientInfo):    "OCPI 2.2.1 § HubClientInfo module",
}

// quirkClauses are where OCPI says what a tolerance departs from.
var quirkClauses = map[ocpi.Quirk]string{
	ocpi.QuirkRawToken:           "OCPI 2.2.1 § Authorization header",
	ocpi.QuirkUnpaddedToken:      "OCPI 2.2.1 § Authorization header",
	ocpi.QuirkTokenNewline:       "OCPI 2.2.1 § Authorization header",
	ocpi.QuirkNoMessageIDs:       "OCPI 2.2.1 § Unique message IDs",
	ocpi.QuirkNoRouting:          "OCPI 2.2.1 § Message Routing",
	ocpi.QuirkForeignSender:      "OCPI 2.2.1 § Message Routing",
	ocpi.QuirkContentType:        "OCPI 2.2.1 § JSON / HTTP implementation guide",
	ocpi.QuirkUntidyPath:         "OCPI 2.2.1 § JSON / HTTP implementation guide",
	ocpi.QuirkReceiverPath:       "OCPI 2.2.1 § Version details endpoint",
	ocpi.QuirkCDRPath:            "OCPI 2.2.1 § CDRs module, Receiver Interface",
	ocpi.QuirkTokenTypeName:      "OCPI 2.2.1 § Tokens module, Sender Interface",
	ocpi.QuirkListedRestrictions: "OCPI 2.2.1 § TariffElement class",
	ocpi.QuirkTimesWithoutZone:   "OCPI 2.2.1 § DateTime type",
	ocpi.QuirkTimesWithOffset:    "OCPI 2.2.1 § DateTime type",
	ocpi.QuirkUnknownTime:        "OCPI 2.2.1 § DateTime type",
	ocpi.QuirkUndatedClientInfo:  "OCPI 2.2.1 § ClientInfo object",
	ocpi.QuirkTokenWithoutOwner:  "OCPI 2.2.1 § CdrToken class",
	ocpi.QuirkEVSEWithoutUID:     "OCPI 2.2.1 § EVSE object",
	ocpi.QuirkPlaceMissing:       "OCPI 2.2.1 § CdrLocation class",
	ocpi.QuirkRestampedCDR:       "OCPI 2.2.1 § CDRs module",
	ocpi.QuirkCoordinates:        "OCPI 2.2.1 § GeoLocation class",
	ocpi.QuirkEnergyInWh:         "OCPI 2.2.1 § CdrDimensionType enum",
	ocpi.QuirkPowerInKW:          "OCPI 2.2.1 § Connector object",
	ocpi.QuirkNoEnvelope:         "OCPI 2.2.1 § Response format",
	ocpi.QuirkNoStatusCode:       "OCPI 2.2.1 § Response format",
	ocpi.QuirkNoTimestamp:        "OCPI 2.2.1 § Response format",
	ocpi.QuirkNoTotalCount:       "OCPI 2.2.1 § Pagination",
	ocpi.QuirkLinkInBody:         "OCPI 2.2.1 § Pagination",
	ocpi.QuirkNoCommandTimeout:   "OCPI 2.2.1 § CommandResponse object",
	ocpi.QuirkNoCredentialsPut:   "OCPI 2.2.1 § Credentials module",
}

// quirkClause is where OCPI says what a tolerance departs from: of most, the types of fields.
func quirkClause(q ocpi.Quirk) string {
	if clause, ok := quirkClauses[q]; ok {
		return clause
	}
	return "OCPI 2.2.1 § Types"
}

// conformanceView is what a partner does right and wrong.
type conformanceView struct {
	db.PartnerHealthRow
	right    []checked
	wrong    []checked
	put      []checked // up with
	report   string    // all of it as a text for the partner
	messages int64
}

// checked is a line of the report.
type checked struct {
	what    string
	clause  string
	detail  string
	message string // id of an example; empty: none
}

func (o *office) partnerConformance(v *visit) error {
	c, err := v.loadConformance()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, conformancePage(v, c))
}

// partnerReport is the report as a text to be sent to the partner.
func (o *office) partnerReport(v *visit) error {
	c, err := v.loadConformance()
	if err != nil {
		return err
	}
	return v.download("ocpi-"+c.ID.String()+".txt", "text/plain; charset=utf-8", []byte(c.report))
}

func (v *visit) loadConformance() (c conformanceView, err error) {
	ctx, o := v.Request().Context(), v.office
	if c.PartnerHealthRow, err = v.partnerOfPath(); err != nil {
		return c, err
	}
	since := o.Now().AddDate(0, 0, -conformanceDays)
	modules, err := o.DB.PartnerModules(ctx, db.PartnerModulesParams{PartnerID: c.ID, Since: since})
	if err != nil {
		return c, err
	}
	findings, err := o.DB.PartnerFindings(ctx, db.PartnerFindingsParams{PartnerID: c.ID, Since: since, MaxRows: findingLimit})
	if err != nil {
		return c, err
	}
	quirks, err := v.loadQuirks(c.ID)
	if err != nil {
		return c, err
	}
	if c.State == "registered" {
		c.right = append(c.right, checked{what: v.Lang.T("conformance.registered"), clause: clauses["credentials"]})
	}
	for _, m := range modules {
		c.messages += m.Many
		if m.Clean > 0 {
			c.right = append(c.right, checked{
				what: v.Lang.T("conformance.clean", moduleName(m.Module), v.Lang.Int(m.Clean), v.Lang.Int(m.Many)), clause: clauses[m.Module],
			})
		}
	}
	for _, f := range findings {
		if f.Severity == "reject" {
			line := checked{what: moduleName(f.Module) + ": " + orNone(f.Path) + ": " + f.Rule, clause: clauses[f.Module], message: f.MessageID.String()}
			line.detail = v.Lang.T("conformance.finding", v.Lang.Int(f.Many), v.Lang.DateTime(f.LastAt), orNone(f.Value))
			c.wrong = append(c.wrong, line)
		}
	}
	for _, q := range quirks {
		if q.row.Count == 0 {
			continue
		}
		line := checked{what: v.wordsOf(q.QuirkText), clause: quirkClause(q.Name), detail: v.Lang.T("conformance.quirk", v.Lang.Int(q.row.Count), v.Lang.DateTime(*q.row.LastSeen))}
		if q.row.MessageID.Valid {
			line.message = q.row.MessageID.UUID.String()
		}
		if q.row.Mode == "off" {
			c.wrong = append(c.wrong, line)
		} else {
			c.put = append(c.put, line)
		}
	}
	if err := v.checkTariffs(&c); err != nil {
		return c, err
	}
	c.report = v.report(c, since)
	return c, nil
}

// checkTariffs adds what is wrong with the partner's current tariffs.
func (v *visit) checkTariffs(c *conformanceView) error {
	ctx, o := v.Request().Context(), v.office
	tariffs, err := o.DB.PartnerTariffs(ctx, c.ID)
	if err != nil {
		return fmt.Errorf("tariffs of partner: %w", err)
	}
	line := checked{what: v.Lang.T("conformance.tariffs.right", v.Lang.Int(tariffs.Current)), clause: clauses[string(ocpi.ModuleTariffs)]}
	if tariffs.Faulty == 0 {
		if tariffs.Current > 0 {
			c.right = append(c.right, line)
		}
		return nil
	}
	faults, err := o.DB.PartnerTariffFaults(ctx, c.ID)
	if err != nil {
		return fmt.Errorf("faults of tariffs: %w", err)
	}
	var codes []string
	for _, f := range faults {
		codes = append(codes, v.Lang.T("conformance.tariffs.fault", f.Code, v.Lang.Int(f.Many), f.Example))
	}
	line.what = v.Lang.T("conformance.tariffs.wrong", v.Lang.Int(tariffs.Faulty), v.Lang.Int(tariffs.Current))
	line.detail = strings.Join(codes, ", ")
	c.wrong = append(c.wrong, line)
	return nil
}

// report is the text for the partner.
func (v *visit) report(c conformanceView, since time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", v.Lang.T("conformance.head", c.Name, party(c.CountryCode, c.PartyID)), v.Lang.T("conformance.period", v.Lang.Date(since), v.Lang.Date(v.office.Now()), v.Lang.Int(c.messages)))
	for _, part := range []struct {
		key   string
		sign  string
		lines []checked
	}{{"conformance.wrong", "[ ]", c.wrong}, {"conformance.put", "[~]", c.put}, {"conformance.right", "[x]", c.right}} {
		fmt.Fprintf(&b, "\n%s\n", v.Lang.T(part.key))
		if len(part.lines) == 0 {
			fmt.Fprintf(&b, "    %s\n", v.Lang.T("conformance.nothing"))
		}
		for _, l := range part.lines {
			fmt.Fprintf(&b, "%s %s\n    %s\n", part.sign, l.what, l.clause)
			if l.detail != "" {
				fmt.Fprintf(&b, "    %s\n", l.detail)
			}
		}
	}
	return b.String()
}
