package office

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/lint"
	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/web/ui"
)

// tariffView is one tariff with its versions.
type tariffView struct {
	key        string
	versions   []db.Tariff // the oldest first
	shown      db.Tariff
	doc        ocpi.Tariff
	zone       *time.Location // of the Locations that use it
	findings   []lint.Finding // the worst first
	elements   []tariffElement
	against    *db.Tariff // what the version is compared with; nil: nothing
	changes    []change
	use        db.TariffUseRow
	connectors []db.TariffConnectorsRow
	partner    db.PartnerHealthRow
	sample     tariffSample
}

// tariffElement is an element in words.
type tariffElement struct {
	text string
	when string
	dead string // key of the text that says that it is no use
}

// usedSince is the time in which CDRs are counted that a tariff priced, in days, and connectorLimit how many of the connectors
// that name it are listed.
const usedSince, connectorLimit = 30, 50

func (o *office) tariffDetail(v *visit) error {
	ctx := v.Request().Context()
	t := tariffView{key: v.QueryParam("of")}
	owner, id, _ := strings.Cut(t.key, "/")
	party, err := ocpi.ParseParty(owner)
	if err != nil || id == "" {
		return db.ErrNotFound
	}
	if t.versions, err = o.DB.TariffVersions(ctx, db.TariffVersionsParams{CountryCode: string(party.CountryCode), PartyID: string(party.PartyID), TariffID: id}); err != nil {
		return err
	}
	if len(t.versions) == 0 {
		return db.ErrNotFound
	}
	t.shown = t.versions[len(t.versions)-1]
	for i, version := range t.versions {
		if fmt.Sprint(version.Version) == v.QueryParam("version") {
			t.shown = t.versions[i]
		}
	}
	if t.partner, err = v.partner(t.shown.PartnerID); err != nil {
		return err
	}
	if t.doc, err = readTariff(t.shown); err != nil {
		return err
	}
	if t.against = versionBefore(t.versions, t.shown, v.QueryParam("against")); t.against != nil {
		if t.changes, err = compare(t.against.Doc, t.shown.Doc); err != nil {
			return fmt.Errorf("compare versions of tariff %s: %w", t.key, err)
		}
	}
	t.use, err = o.DB.TariffUse(ctx, db.TariffUseParams{
		CountryCode: t.shown.CountryCode, PartyID: t.shown.PartyID, TariffID: t.shown.TariffID, Since: o.Now().AddDate(0, 0, -usedSince), TenantID: v.tenant,
	})
	if err != nil {
		return fmt.Errorf("use of tariff %s: %w", t.key, err)
	}
	t.connectors, err = o.DB.TariffConnectors(ctx, db.TariffConnectorsParams{CountryCode: t.shown.CountryCode, PartyID: t.shown.PartyID, TariffID: t.shown.TariffID, MaxRows: connectorLimit})
	if err != nil {
		return fmt.Errorf("connectors of tariff %s: %w", t.key, err)
	}
	t.zone = zoneOf(t)
	t.findings = worstFirst(lint.Lint(t.doc, billing.ZoneOf(t.shown.CountryCode)))
	t.elements = v.tariffElements(t.doc, t.findings)
	t.sample = v.priceSample(t)
	return v.render(http.StatusOK, tariffDetailPage(v, t))
}

// zoneOf is the time zone of the connectors that use a tariff, as far as it is known; else that of its country, else ours.
func zoneOf(t tariffView) *time.Location {
	for _, c := range t.connectors {
		if zone, err := time.LoadLocation(c.TimeZone); err == nil && c.TimeZone != "" {
			return zone
		}
	}
	if zone := billing.ZoneOf(t.shown.CountryCode); zone != nil {
		return zone
	}
	return ui.Berlin
}

func worstFirst(findings []lint.Finding) []lint.Finding {
	order := map[billing.Severity]int{billing.Block: 0, billing.Flag: 1, billing.Info: 2}
	slices.SortStableFunc(findings, func(a, b lint.Finding) int { return order[a.Severity] - order[b.Severity] })
	return findings
}

// toneOf is the tone of a severity.
func toneOf(s billing.Severity) string {
	return map[billing.Severity]string{billing.Block: "err", billing.Flag: "warn", billing.Info: "info"}[s]
}

// said is a text in the language of the page.
func (v *visit) said(t billing.Text) string {
	if v.Lang == ui.English {
		return t.EN
	}
	return t.DE
}

// versionBefore is the version that another one is compared with: the one asked for, or the one before.
func versionBefore(versions []db.Tariff, shown db.Tariff, asked string) *db.Tariff {
	var before *db.Tariff
	for i := range versions {
		switch {
		case fmt.Sprint(versions[i].Version) == asked && versions[i].Version != shown.Version:
			return &versions[i]
		case versions[i].Version < shown.Version:
			before = &versions[i]
		}
	}
	return before
}

// deadElements are the findings after which an element, or a part of it, is no use, with the text that says so beside it.
var deadElements = map[string]string{
	"element-never-active": "tariff.never.active", "element-unreachable": "tariff.never", "component-unreachable": "tariff.never.part", "flat-too-late": "tariff.never.part",
}

// tariffElements are the elements in words.
func (v *visit) tariffElements(t ocpi.Tariff, findings []lint.Finding) []tariffElement {
	elements := make([]tariffElement, len(t.Elements))
	for i, e := range t.Elements {
		elements[i] = tariffElement{text: v.elementText(e, t.Currency), when: v.restrictionText(e.Restrictions)}
		for _, f := range findings {
			if key := deadElements[f.Code]; key != "" && strings.HasPrefix(f.Path+".", fmt.Sprintf("elements[%d].", i)) && elements[i].dead == "" {
				elements[i].dead = key
			}
		}
	}
	return elements
}

// power is a power in W as a connector states it, in kW.
func (v *visit) power(watts string) string {
	d, err := decimal.NewFromString(watts)
	if err != nil || len(watts) > 20 {
		return none
	}
	return v.Lang.Exact(d.Shift(-3), 0, 1) + "\u00a0kW"
}
