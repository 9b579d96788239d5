// Package server is the door for OCPI partners: CPOs and hubs that push Locations, tariffs, sessions and CDRs to us,
// ask us for tokens and authorizations, and register.
//
// A call goes through one door (door.go): message ids, credentials token, routing. Then one handler reads, checks, saves and
// answers. Whatever goes wrong is an error that one mapper turns into an answer (answer.go).
//
// The handlers know the objects of OCPI 2.2.1 only. A call below the URL of another version is read into these (body.go) and
// answered out of them (answer.go) by the dialect of that version.
package server

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/seal"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
	"github.com/roamwerk/roamwerk/ocpi/client"
)

// Options are what the door works with. Those up to Log are needed.
type Options struct {
	DB      *db.DB
	Box     *seal.Box
	Bell    *jobs.Bell
	Client  *client.Client // calls a partner back during a handshake
	BaseURL string         // public address of the platform, in every URL that we give out (PAG-08)
	Now     func() time.Time
	Log     *slog.Logger

	Limits            Limits
	Messages          *jobs.MessageLog // nil: messages are not logged
	LateCDRs          time.Duration    // for how long CDRs of a closed utility are taken; 0: jobs.LateCDRs
	CertificateHeader string           // in which a proxy that we trust passes on client certificates; "": there is none
	Address           echo.IPExtractor // of who calls, for the log; nil: of who connects
}

type server struct {
	Options
	ops   jobs.Ops
	lanes *lanes
}

// Door is the handler of all paths below /ocpi. It has to see the path as it came: a mux in front that cleans paths would
// redirect the empty segments that some partners send (TRN-26).
type Door struct {
	server *server
	echo   *echo.Echo
}

// ServeHTTP answers a partner.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.echo.ServeHTTP(w, arrived(r))
}

// New returns the door.
func New(o Options) *Door {
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	if o.LateCDRs == 0 {
		o.LateCDRs = jobs.LateCDRs
	}
	s := &server{Options: o, lanes: newLanes(o.Limits), ops: jobs.Ops{
		DB: o.DB, Box: o.Box, Bell: o.Bell, Now: o.Now, Log: o.Log, Client: o.Client, BaseURL: o.BaseURL,
		Offer: Offer(o.BaseURL),
	}}
	e := echo.New()
	if e.IPExtractor = o.Address; e.IPExtractor == nil {
		e.IPExtractor = echo.ExtractIPDirect() // X-Forwarded-For is anybody's to write
	}
	e.HTTPErrorHandler = s.fail
	e.Use(s.door)
	e.GET(versionsPath, handle((*call).versions))
	for _, d := range jobs.Dialects {
		addRoutes(e, d)
	}
	return &Door{server: s, echo: e}
}

// addRoutes serves a version.
func addRoutes(e *echo.Echo, d *ocpi.Dialect) {
	e.GET(detailsPath(d), handle((*call).versionDetails))
	for _, m := range offered(d) {
		base := detailsPath(d) + "/" + string(m.id)
		if m.routes[0].path != "" {
			e.Any(base, handle((*call).noSuchMethod)) // published, though nothing is done with it
		}
		for _, r := range m.routes {
			e.Add(r.method, base+r.path, handle(r.handle))
		}
	}
	if d.PatchTariffs {
		e.PATCH(detailsPath(d)+"/"+string(ocpi.ModuleTariffs)+"/:country/:party/:tariff", handle((*call).patchTariff))
	}
}

const (
	ocpiPath     = "/ocpi/"
	versionsPath = ocpiPath + "versions"
)

// detailsPath is the URL of a version, below which everything of it is.
func detailsPath(d *ocpi.Dialect) string { return ocpiPath + string(d.Version) }

// module is a module of OCPI 2.2.1 with the side of it that we serve.
type module struct {
	id     ocpi.ModuleID
	role   ocpi.InterfaceRole
	routes []route
}

// route is one call of a module.
type route struct {
	method string
	path   string // below the module's URL
	handle handler
}

// modules is all that this platform offers to partners, as far as their version of OCPI has it. GET version details lists
// exactly these (VER-04).
var modules = []module{
	{ocpi.ModuleCredentials, ocpi.Sender, []route{
		{http.MethodGet, "", (*call).getCredentials},
		{http.MethodPost, "", (*call).postCredentials},
		{http.MethodPut, "", (*call).putCredentials},
		{http.MethodDelete, "", (*call).deleteCredentials},
	}},
	{ocpi.ModuleLocations, ocpi.Receiver, []route{
		{http.MethodGet, "/:country/:party/:location", (*call).getLocation},
		{http.MethodPut, "/:country/:party/:location", (*call).putLocation},
		{http.MethodPatch, "/:country/:party/:location", (*call).patchLocation},
		{http.MethodGet, "/:country/:party/:location/:evse", (*call).getEVSE},
		{http.MethodPut, "/:country/:party/:location/:evse", (*call).putEVSE},
		{http.MethodPatch, "/:country/:party/:location/:evse", (*call).patchEVSE},
		{http.MethodGet, "/:country/:party/:location/:evse/:connector", (*call).getConnector},
		{http.MethodPut, "/:country/:party/:location/:evse/:connector", (*call).putConnector},
		{http.MethodPatch, "/:country/:party/:location/:evse/:connector", (*call).patchConnector},
	}},
	{ocpi.ModuleTariffs, ocpi.Receiver, []route{
		{http.MethodGet, "/:country/:party/:tariff", (*call).getTariff},
		{http.MethodPut, "/:country/:party/:tariff", (*call).putTariff},
		{http.MethodDelete, "/:country/:party/:tariff", (*call).deleteTariff},
	}},
	{ocpi.ModuleSessions, ocpi.Receiver, []route{
		{http.MethodGet, "/:country/:party/:session", (*call).getSession},
		{http.MethodPut, "/:country/:party/:session", (*call).putSession},
		{http.MethodPatch, "/:country/:party/:session", (*call).patchSession},
	}},
	{ocpi.ModuleCDRs, ocpi.Receiver, []route{
		{http.MethodPost, "", (*call).postCDR},
		{http.MethodGet, "/:country/:party/:cdr", (*call).getCDR},
	}},
	{ocpi.ModuleTokens, ocpi.Sender, []route{
		{http.MethodGet, "", (*call).listTokens},
		{http.MethodPost, "/:token/authorize", (*call).authorize},
	}},
	{ocpi.ModuleCommands, ocpi.Sender, []route{ // below it are the response URLs only
		{http.MethodPost, "/:command/:id", (*call).postCommandResult},
	}},
	{ocpi.ModuleChargingProfiles, ocpi.Sender, []route{
		{http.MethodPut, "/:session", (*call).putActiveProfile},
		{http.MethodPost, "/:command/:id", (*call).postProfileResult},
	}},
	{ocpi.ModuleHubClientInfo, ocpi.Receiver, []route{
		{http.MethodGet, "/:country/:party", (*call).getClientInfo},
		{http.MethodPut, "/:country/:party", (*call).putClientInfo},
	}},
}

// offered are the modules that a version has.
func offered(d *ocpi.Dialect) []module {
	return slices.DeleteFunc(slices.Clone(modules), func(m module) bool { return !d.Has(m.id) })
}

// plain is OCPI 2.2.1, which is spoken where no version is named.
var plain = &ocpi.Dialect{Version: ocpi.Version221}

// placeOf is the version and the module that a path belongs to; no module for versions and for what is nowhere.
func placeOf(path string) (*ocpi.Dialect, ocpi.ModuleID) {
	rest, _ := strings.CutPrefix(path, ocpiPath)
	version, rest, _ := strings.Cut(rest, "/")
	d, err := jobs.DialectOf(ocpi.VersionNumber(version))
	if err != nil {
		return plain, ""
	}
	name, _, _ := strings.Cut(rest, "/")
	for _, m := range offered(d) {
		if name == string(m.id) {
			return d, m.id
		}
	}
	return d, ""
}
