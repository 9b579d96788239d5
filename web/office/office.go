// Package office is the door for the people who run a utility's roaming: the back office.
//
// Whoever is signed in sees one utility, or all of them as an operator of the platform. Every read and every write of a
// utility's rows goes through visit.read, which enters the utility's role in the database: a query that forgot its filter
// would still find nothing of anybody else.
package office

//go:generate templ generate

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"
	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/web/ui"
)

// Options are what the back office needs.
type Options struct {
	*jobs.Ops // what people start here; its BaseURL is where browsers reach us, its Box hashes session tokens, too

	// Receive takes a message as if a partner had sent it (package ocpi/server).
	Receive func(context.Context, jobs.Inbound) (jobs.Receipt, error)

	DropDir      string // where workers put files for print services and access points; empty: they stay in the outbox
	BounceDomain string // to which undeliverable e-mails come back; empty: to their sender

	Secure  bool             // browsers reach us by https only
	Address echo.IPExtractor // of who calls, for the limit of sign-ins; nil: of who connects
}

// audience is whom a page is for.
type audience int

const (
	staff    audience = iota // everybody who works here
	everyone                 // needs no sign-in
	operator                 // who runs the platform; for others there is no such page
)

// routes is every page and every action.
var routes = []struct {
	method, path string
	handle       func(*office, *visit) error
	audience     audience
}{
	{method: "GET", path: "/signin", handle: (*office).signInPage, audience: everyone},
	{method: "POST", path: "/signin", handle: (*office).signIn, audience: everyone},
	{method: "POST", path: "/signout", handle: (*office).signOut, audience: everyone},
	{method: "POST", path: "/theme", handle: (*office).setTheme, audience: everyone},
	{method: "POST", path: "/utility", handle: (*office).setUtility},
	{method: "GET", path: "", handle: (*office).home},
	{method: "GET", path: "/overview", handle: (*office).overview},
	{method: "GET", path: "/cdrs", handle: (*office).cdrList},
	{method: "GET", path: "/cdrs.csv", handle: (*office).cdrExport},
	{method: "POST", path: "/cdrs/columns", handle: (*office).arrangeCDRs},
	{method: "GET", path: "/cdrs/decide", handle: (*office).bulkPage},
	{method: "POST", path: "/cdrs/decide", handle: (*office).previewBulk},
	{method: "GET", path: "/bulks", handle: (*office).bulkList},
	{method: "GET", path: "/bulks/:id", handle: (*office).bulkDetail},
	{method: "POST", path: "/bulks/:id/run", handle: (*office).runBulk},
	{method: "POST", path: "/bulks/:id/cancel", handle: (*office).cancelBulk},
	{method: "GET", path: "/cdrs/:id/preview", handle: (*office).cdrPreview},
	{method: "GET", path: "/cdrs/:id", handle: (*office).cdrDetail},
	{method: "POST", path: "/cdrs/:id/decide", handle: (*office).decideCDR},
	{method: "GET", path: "/cdrs/:id/explanation.json", handle: (*office).explanation},
	{method: "GET", path: "/cdrs/:id/message.json", handle: (*office).cdrMessage},
	{method: "GET", path: "/cdrs/:id/meter.xml", handle: (*office).cdrMeterFile},
	{method: "GET", path: "/disputes", handle: (*office).disputeList},
	{method: "GET", path: "/disputes/:id", handle: (*office).disputeDetail},
	{method: "GET", path: "/disputes/:id/record.json", handle: (*office).disputeRecord},
	{method: "GET", path: "/disputes/:id/cdrs.csv", handle: (*office).disputeTable},
	{method: "POST", path: "/disputes/:id/send", handle: (*office).sendDispute},
	{method: "POST", path: "/disputes/:id/answer", handle: (*office).answerDispute},
	{method: "POST", path: "/disputes/:id/close", handle: (*office).closeDispute},
	{method: "POST", path: "/disputes/:id/accept", handle: (*office).acceptInDispute},
	{method: "GET", path: "/rules", handle: (*office).ruleList},
	{method: "GET", path: "/rules/:key", handle: (*office).ruleDetail},
	{method: "POST", path: "/rules/:key", handle: (*office).saveRule},
	{method: "GET", path: "/clearing", handle: forUtility((*office).clearing)},
	{method: "POST", path: "/clearing", handle: forUtility((*office).setClearing)},
	{method: "POST", path: "/views", handle: (*office).saveView},
	{method: "POST", path: "/views/:id/delete", handle: (*office).deleteView},
	{method: "GET", path: "/invoices", handle: (*office).invoiceList},
	{method: "GET", path: "/runs", handle: (*office).runList},
	{method: "POST", path: "/runs", handle: (*office).startRun},
	{method: "GET", path: "/runs/:id", handle: (*office).runDetail},
	{method: "POST", path: "/runs/:id/refresh", handle: (*office).refreshRun},
	{method: "POST", path: "/runs/:id/approve", handle: (*office).approveRun},
	{method: "GET", path: "/numbers", handle: (*office).numberReport},
	{method: "GET", path: "/invoices/:id", handle: (*office).invoiceDetail},
	{method: "POST", path: "/invoices/:id/issue", handle: (*office).approveInvoice},
	{method: "POST", path: "/invoices/:id/retry", handle: (*office).retryInvoice},
	{method: "POST", path: "/invoices/:id/readdress", handle: (*office).readdressInvoice},
	{method: "GET", path: "/invoices/:id/correct", handle: (*office).correctForm},
	{method: "POST", path: "/invoices/:id/correct", handle: (*office).correctInvoice},
	{method: "GET", path: "/invoices/:id/credit", handle: (*office).creditForm},
	{method: "POST", path: "/invoices/:id/credit", handle: (*office).creditInvoice},
	{method: "POST", path: "/invoices/:id/drop", handle: (*office).dropCredit},
	{method: "POST", path: "/invoices/:id/object", handle: (*office).objectToInvoice},
	{method: "GET", path: "/reimbursements", handle: (*office).reimbursementList},
	{method: "POST", path: "/reimbursements", handle: (*office).addReimbursement},
	{method: "POST", path: "/reimbursements/:id/end", handle: (*office).endReimbursement},
	{method: "GET", path: "/invoices/:id/document/:format", handle: (*office).invoiceDocument},
	{method: "GET", path: "/invoices/:id/meter.xml", handle: (*office).invoiceMeterFile},
	{method: "GET", path: "/partners", handle: (*office).partnerList},
	{method: "GET", path: "/partners/new", handle: (*office).partnerForm, audience: operator},
	{method: "POST", path: "/partners/invite", handle: (*office).invitePartner, audience: operator},
	{method: "POST", path: "/partners/register", handle: (*office).registerPartner, audience: operator},
	{method: "GET", path: "/partners/:id", handle: (*office).partnerDetail},
	{method: "GET", path: "/partners/:id/handshake", handle: (*office).handshake, audience: operator},
	{method: "POST", path: "/partners/:id/invite", handle: (*office).inviteAgain, audience: operator},
	{method: "POST", path: "/partners/:id/try", handle: (*office).tryPartner, audience: operator},
	{method: "POST", path: "/partners/:id/pull", handle: (*office).pullPartner, audience: operator},
	{method: "POST", path: "/partners/:id/quirk", handle: (*office).setQuirk, audience: operator},
	{method: "POST", path: "/partners/:id/rotate", handle: (*office).rotatePartner, audience: operator},
	{method: "POST", path: "/partners/:id/end", handle: (*office).endPartner, audience: operator},
	{method: "GET", path: "/partners/:id/settings", handle: (*office).partnerSettings, audience: operator},
	{method: "POST", path: "/partners/:id/tenants", handle: (*office).setTenants, audience: operator},
	{method: "POST", path: "/partners/:id/modules", handle: (*office).setModules, audience: operator},
	{method: "POST", path: "/partners/:id/certificate", handle: (*office).setCertificate, audience: operator},
	{method: "POST", path: "/partners/:id/pin", handle: (*office).setPin, audience: operator},
	{method: "POST", path: "/partners/:id/agree", handle: (*office).agree, audience: operator},
	{method: "GET", path: "/partners/:id/claims", handle: forUtility((*office).wholesaleCheck)},
	{method: "POST", path: "/partners/:id/claims", handle: forUtility((*office).setWholesaleCheck)},
	{method: "GET", path: "/partners/:id/agreement", handle: forUtility((*office).agreement)},
	{method: "POST", path: "/partners/:id/agreement", handle: forUtility((*office).setAgreement)},
	{method: "GET", path: "/partners/:id/conformance", handle: (*office).partnerConformance, audience: operator},
	{method: "GET", path: "/partners/:id/conformance.txt", handle: (*office).partnerReport, audience: operator},
	{method: "GET", path: "/messages", handle: (*office).messageList, audience: operator},
	{method: "GET", path: "/messages/:id", handle: (*office).messageDetail, audience: operator},
	{method: "GET", path: "/quarantine", handle: (*office).quarantineList, audience: operator},
	{method: "GET", path: "/quarantine/:id", handle: (*office).quarantineDetail, audience: operator},
	{method: "POST", path: "/quarantine/:id/replay", handle: (*office).replay, audience: operator},
	{method: "POST", path: "/quarantine/:id/dismiss", handle: (*office).dismiss, audience: operator},
	{method: "GET", path: "/tariffs", handle: (*office).tariffList, audience: operator},
	{method: "GET", path: "/tariffs/show", handle: (*office).tariffDetail, audience: operator},
	{method: "GET", path: "/prices", handle: forUtility((*office).priceMatrix)},
	{method: "GET", path: "/prices/versions/:id", handle: forUtility((*office).priceVersion)},
	{method: "GET", path: "/prices/fill", handle: forUtility((*office).fillPage)},
	{method: "POST", path: "/prices/drafts", handle: forUtility((*office).addDraft)},
	{method: "GET", path: "/prices/drafts/:id", handle: forUtility((*office).draftDetail)},
	{method: "POST", path: "/prices/drafts/:id", handle: forUtility((*office).changeDraft)},
	{method: "POST", path: "/prices/drafts/:id/publish", handle: forUtility((*office).publishDraft)},
	{method: "POST", path: "/prices/drafts/:id/drop", handle: forUtility((*office).dropDraft)},
	{method: "GET", path: "/prices/drafts/:id/plan", handle: forUtility((*office).draftPlanPage)},
	{method: "POST", path: "/prices/drafts/:id/plan", handle: forUtility((*office).changeDraftPlan)},
	{method: "GET", path: "/prices/backtest", handle: forUtility((*office).backtestList)},
	{method: "POST", path: "/prices/backtest", handle: forUtility((*office).startBacktest)},
	{method: "GET", path: "/prices/backtest/:id", handle: forUtility((*office).backtestDetail)},
	{method: "GET", path: "/plans", handle: forUtility((*office).planList)},
	{method: "GET", path: "/plans/new", handle: forUtility((*office).planNew)},
	{method: "POST", path: "/plans/new", handle: forUtility((*office).planCreate)},
	{method: "POST", path: "/plans/preview", handle: forUtility((*office).planPreview)},
	{method: "GET", path: "/plans/:id/edit", handle: forUtility((*office).planEdit)},
	{method: "POST", path: "/plans/:id/edit", handle: forUtility((*office).planChange)},
	{method: "GET", path: "/plans/:id", handle: forUtility((*office).planDetail)},
	{method: "GET", path: "/vouchers", handle: forUtility((*office).voucherList)},
	{method: "GET", path: "/vouchers/new", handle: forUtility((*office).voucherNew)},
	{method: "POST", path: "/vouchers/new", handle: forUtility((*office).addVoucher)},
	{method: "GET", path: "/vouchers/:id", handle: forUtility((*office).voucherDetail)},
	{method: "POST", path: "/vouchers/:id/redeem", handle: forUtility((*office).redeemVoucher)},
	{method: "POST", path: "/vouchers/:id/end", handle: forUtility((*office).endVoucher)},
	{method: "GET", path: "/groups", handle: forUtility((*office).groupList)},
	{method: "POST", path: "/groups", handle: forUtility((*office).addGroup)},
	{method: "GET", path: "/groups/:id", handle: forUtility((*office).groupDetail)},
	{method: "POST", path: "/groups/:id", handle: forUtility((*office).moveCustomer)},
	{method: "GET", path: "/customers", handle: (*office).customerList},
	{method: "GET", path: "/customers.csv", handle: (*office).customerExport},
	{method: "GET", path: "/customers/new", handle: forUtility((*office).newCustomer)},
	{method: "POST", path: "/customers", handle: forUtility((*office).addCustomer)},
	{method: "GET", path: "/customers/:id", handle: (*office).customerDetail},
	{method: "POST", path: "/customers/:id", handle: (*office).changeCustomer},
	{method: "POST", path: "/customers/:id/mandate", handle: (*office).setMandate},
	{method: "POST", path: "/customers/:id/contract", handle: (*office).changeContract},
	{method: "POST", path: "/customers/:id/card", handle: (*office).addCard},
	{method: "POST", path: "/customers/:id/evidence", handle: (*office).setEvidence},
	{method: "POST", path: "/customers/:id/credit", handle: (*office).setCustomerCredit},
	{method: "GET", path: "/cards", handle: (*office).cardList},
	{method: "GET", path: "/cards/:id", handle: (*office).cardDetail},
	{method: "POST", path: "/cards/:id/assign", handle: (*office).assignCard},
	{method: "POST", path: "/cards/:id/block", handle: (*office).blockCard},
	{method: "POST", path: "/cards/:id/credit", handle: (*office).setCredit},
	{method: "GET", path: "/tenants", handle: (*office).tenantList, audience: operator},
	{method: "GET", path: "/tenants/:id", handle: (*office).tenantDetail, audience: operator},
	{method: "POST", path: "/tenants/:id", handle: (*office).changeTenant, audience: operator},
	{method: "POST", path: "/tenants/:id/close", handle: (*office).closeTenant, audience: operator},
	{method: "GET", path: "/settings", handle: (*office).tenantSettings},
	{method: "POST", path: "/settings", handle: (*office).setSupplier},
	{method: "POST", path: "/settings/logo", handle: (*office).setLogo},
	{method: "POST", path: "/settings/policy", handle: (*office).setPolicy},
	{method: "POST", path: "/settings/mail", handle: (*office).setMail},
	{method: "POST", path: "/settings/mail/try", handle: (*office).tryMail},
	{method: "GET", path: "/gaps", handle: (*office).gapList},
	{method: "GET", path: "/trace", handle: (*office).trace},
	{method: "GET", path: "/outbox", handle: (*office).outboxList},
	{method: "GET", path: "/outbox/:id", handle: (*office).outboxDetail},
	{method: "POST", path: "/outbox/:id/again", handle: (*office).sendAgain},
	{method: "POST", path: "/outbox/:id/back", handle: (*office).cameBack},
	{method: "GET", path: "/d/:key", handle: (*office).linkedPage, audience: everyone},
	{method: "GET", path: "/d/:key/:format", handle: (*office).linkedFile, audience: everyone},
	{method: "GET", path: "/*", handle: (*office).nothing},
}

type office struct {
	Options
	sessions *scs.SessionManager
	throttle *throttle
	hashing  chan struct{} // holds a token for each password that may be hashed at once
	decoy    string        // hash that is checked where there is no account, so that both take the same time
}

// New makes the back office. It wants the whole host: its pages are at /de and /en, its files at /static.
func New(opt Options) http.Handler {
	decoy, err := HashPassword("nobody has this password")
	if err != nil {
		panic(err) // the parameters are constants
	}
	o := &office{
		Options:  opt,
		sessions: newSessions(opt),
		throttle: newThrottle(opt.Now),
		hashing:  make(chan struct{}, hashesAtOnce),
		decoy:    decoy,
	}
	e := echo.New()
	if e.IPExtractor = opt.Address; e.IPExtractor == nil {
		e.IPExtractor = echo.ExtractIPDirect() // X-Forwarded-For is anybody's to write
	}
	e.HTTPErrorHandler = o.fail
	e.GET(ui.StaticPath+"*", echo.WrapHandler(ui.Static()))
	e.GET("/", o.root)
	for _, r := range routes {
		handler := o.signedIn(r.handle, r.audience)
		if r.audience == everyone {
			handler = o.open(r.handle)
		}
		e.Add(r.method, "/:lang"+r.path, handler)
		if r.method == http.MethodGet {
			e.HEAD("/:lang"+r.path, handler)
		}
	}
	protection := http.NewCrossOriginProtection()
	if origin := originOf(opt.BaseURL); origin != "" {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			opt.Log.Error("base URL is no origin", "url", opt.BaseURL, "error", err)
		}
	}
	return ui.Secure(opt.Secure, protection.Handler(o.sessions.LoadAndSave(e)))
}

// originOf is the scheme and host of a URL.
func originOf(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// root leads to the overview in the language of the browser.
func (o *office) root(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, "/"+string(ui.FromHeader(c.Request().Header.Get("Accept-Language")))+"/overview")
}

func (o *office) home(v *visit) error {
	return v.Redirect(http.StatusSeeOther, string(v.Link("/overview")))
}

// nothing is every page that does not exist, so that it has the navigation around it.
func (o *office) nothing(*visit) error { return echo.ErrNotFound }

// setTheme is for those without script.
func (o *office) setTheme(v *visit) error {
	theme := ui.Light
	if v.FormValue("theme") == string(ui.Dark) {
		theme = ui.Dark
	}
	theme.SetCookie(v.Response(), o.Secure)
	return v.Redirect(http.StatusSeeOther, v.back())
}

// open prepares a visit that needs no sign-in.
func (o *office) open(handle func(*office, *visit) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		v, err := o.visit(c)
		if err != nil {
			return err
		}
		return handle(o, v)
	}
}

// fail answers an error. It is the only place that does, and the only one that logs.
func (o *office) fail(err error, c echo.Context) {
	if c.Response().Committed {
		o.Log.ErrorContext(c.Request().Context(), "answer broke off", "path", c.Path(), "error", err)
		return
	}
	status := http.StatusInternalServerError
	var http4xx *echo.HTTPError
	switch {
	case errors.Is(err, db.ErrNotFound):
		status = http.StatusNotFound
	case errors.As(err, &http4xx):
		status = http4xx.Code
	}
	if status >= http.StatusInternalServerError {
		o.Log.ErrorContext(c.Request().Context(), "request failed", "method", c.Request().Method, "path", c.Path(), "error", err)
	}
	v, ok := c.Get(visitKey).(*visit)
	if !ok {
		v = &visit{Context: c, office: o, Page: ui.Page{Lang: ui.FromHeader(c.Request().Header.Get("Accept-Language")), Theme: ui.ThemeOf(c.Request())}}
	}
	v.Address, v.Query = "", "" // the page that failed is no place to lead to
	if err := v.render(status, errorPage(v, status)); err != nil {
		o.Log.ErrorContext(c.Request().Context(), "cannot show error page", "error", err)
	}
}

// render answers with a page or a part of one.
func (v *visit) render(status int, part templ.Component) error {
	v.Response().Header().Set("Content-Type", "text/html; charset=utf-8")
	v.Response().Header().Set("Cache-Control", "private, no-store")
	v.Response().WriteHeader(status)
	return part.Render(v.Request().Context(), v.Response())
}

// list answers with a list: the whole page, or its result for htmx, which then gets the address to show.
func (v *visit) list(l listQuery, page, result templ.Component, announcement string) error {
	v.Response().Header().Add("Vary", "HX-Request")
	if !ui.Partial(v.Request()) {
		return v.render(http.StatusOK, page)
	}
	v.Response().Header().Set("HX-Push-Url", l.href())
	return v.render(http.StatusOK, ui.Both(result, ui.Announce(announcement)))
}

// back is the page that a form was on, if it is one of ours.
func (v *visit) back() string {
	if u, err := url.Parse(v.Request().Referer()); err == nil && u.Host == v.Request().Host && strings.HasPrefix(u.Path, "/") {
		return u.RequestURI()
	}
	return string(v.Link("/overview"))
}
