package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/caarlos0/env/v11"
	"golang.org/x/term"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// prefix begins the name of every setting's environment variable.
const prefix = "ROAMWERK_"

// config is every setting of the platform. The tag show says how a secret is
// printed: "url" hides a password, "no" hides all.
type config struct {
	DatabaseURL       string        `env:"DATABASE_URL" show:"url" help:"PostgreSQL 15 or newer, as postgres://user:password@host/database; pool_max_conns=N limits the connections"`
	RedisURL          string        `env:"REDIS_URL" show:"url" help:"Redis 7 or newer with noeviction and AOF, as redis://:password@host:6379/0, rediss://, redis-socket:// or redis-sentinel://; 'dev' brings its own when empty"`
	Listen            string        `env:"LISTEN" envDefault:"127.0.0.1:8080" help:"address and port of the doors"`
	BaseURL           string        `env:"BASE_URL" help:"address under which partners and people reach the doors; when empty, http:// and what LISTEN says"`
	SecretKey         string        `env:"SECRET_KEY" show:"no" help:"32 random bytes in Base64 (openssl rand -base64 32); what is stored encrypted is lost without it; 'dev' makes its own"`
	SMTPURL           string        `env:"SMTP_URL" show:"url" help:"mail server, as smtp://user:password@host:587 (STARTTLS), smtps:// or smtp+insecure://; when empty, e-mails stay in the outbox"`
	BounceListen      string        `env:"BOUNCE_LISTEN" help:"address and port on which 'work' takes e-mails that come back, by SMTP from the mail server of BOUNCE_DOMAIN; when empty, none"`
	BounceDomain      string        `env:"BOUNCE_DOMAIN" help:"domain of the addresses to which undeliverable e-mails come back; when empty, they come back to their sender"`
	DropDir           string        `env:"DROP_DIR" help:"directory for the files of print services and Peppol access points, as PARTY/letter and PARTY/peppol; when empty, they stay in the outbox"`
	PrivatePartners   bool          `env:"PRIVATE_PARTNERS" envDefault:"false" help:"call partners on private and loopback addresses and over plain http, too: for tests, never in production; 'dev' does"`
	PartnerRate       int           `env:"PARTNER_RATE" envDefault:"5000" help:"messages per second that a partner may send in the long run, authorizations apart; beyond, HTTP 429"`
	PartnerAtOnce     int           `env:"PARTNER_AT_ONCE" envDefault:"2" help:"messages of one partner that are worked on at once, authorizations apart; further ones wait"`
	CertificateHeader string        `env:"CLIENT_CERTIFICATE_HEADER" help:"header in which the TLS proxy in front passes on client certificates, URL-escaped PEM (nginx: $ssl_client_escaped_cert); the proxy must overwrite what callers send; when empty, partners with a pinned certificate are refused"`
	MessageDays       int           `env:"MESSAGE_DAYS" envDefault:"90" help:"days that the log of OCPI messages is kept, to the month"`
	PullClientInfo    time.Duration `env:"PULL_CLIENTINFO" help:"how often a hub's list of parties is read; when empty, 1h"`
	PullTariffs       time.Duration `env:"PULL_TARIFFS" help:"how often partners are asked for tariffs that have changed; when empty, 6h. Intervals are spread by a tenth, and partners may have their own"`
	PullLocations     time.Duration `env:"PULL_LOCATIONS" help:"how often they are asked for Locations that have changed; when empty, 6h"`
	PullSessions      time.Duration `env:"PULL_SESSIONS" help:"how often they are asked for sessions that have changed; when empty, 2h"`
	PullCDRs          time.Duration `env:"PULL_CDRS" help:"how often they are asked for new CDRs; when empty, 2h"`
	PullFull          time.Duration `env:"PULL_FULL" help:"how often all tariffs and Locations are read, which finds what is no more; when empty, 24h"`
	PullSessionDays   int           `env:"PULL_SESSION_DAYS" help:"days that the first reading of a partner's sessions goes back; when empty, 30"`
	PullCDRDays       int           `env:"PULL_CDR_DAYS" help:"days that the first reading of a partner's CDRs goes back; when empty, 90"`
	LateCDRDays       int           `env:"LATE_CDR_DAYS" envDefault:"180" help:"days for which CDRs of a utility that was closed are still taken"`
	Workers           int           `env:"WORKERS" envDefault:"8" help:"jobs that one process works on at once"`
	LogLevel          slog.Level    `env:"LOG_LEVEL" envDefault:"INFO" help:"DEBUG, INFO, WARN or ERROR"`
	LogFormat         string        `env:"LOG_FORMAT" help:"text or json; when empty, text on a terminal and json elsewhere"`

	TrustedProxies []netip.Prefix `env:"TRUSTED_PROXIES" help:"networks of the proxies in front, as in 10.0.0.5/32,fd00::/64: whom they name in X-Forwarded-For is who calls; from anybody else that header counts for nothing; when empty, who connects is who calls"`
}

// loadConfig reads the settings from the environment.
func loadConfig(environ map[string]string) (config, error) {
	c, err := env.ParseAsWithOptions[config](env.Options{Prefix: prefix, Environment: environ})
	if err != nil {
		return c, fmt.Errorf("settings: %w", err)
	}
	for _, p := range c.TrustedProxies {
		if p.Bits() == 0 {
			return c, fmt.Errorf("settings: %sTRUSTED_PROXIES has %s, which is everybody", prefix, p)
		}
	}
	if (c.BounceListen == "") != (c.BounceDomain == "") {
		return c, fmt.Errorf("settings: %sBOUNCE_LISTEN and %sBOUNCE_DOMAIN go together", prefix, prefix)
	}
	if !slices.Contains([]string{"", "text", "json"}, c.LogFormat) {
		return c, fmt.Errorf("settings: %sLOG_FORMAT is %q, want text or json", prefix, c.LogFormat)
	}
	for name, every := range map[string]time.Duration{
		"CLIENTINFO": c.PullClientInfo, "TARIFFS": c.PullTariffs, "LOCATIONS": c.PullLocations, "SESSIONS": c.PullSessions, "CDRS": c.PullCDRs, "FULL": c.PullFull,
	} {
		if every != 0 && every < minPull {
			return c, fmt.Errorf("settings: %sPULL_%s is %s, want at least %s: partners push what is new", prefix, name, every, minPull)
		}
	}
	return c, nil
}

// minPull is how often lists of partners may be read at most.
const minPull = 5 * time.Minute

// rhythms are how often lists of partners are read, as far as that is set.
func (c config) rhythms() map[ocpi.ModuleID]jobs.Rhythm {
	const day = 24 * time.Hour
	return map[ocpi.ModuleID]jobs.Rhythm{
		ocpi.ModuleHubClientInfo: {Every: c.PullClientInfo, Full: c.PullClientInfo},
		ocpi.ModuleTariffs:       {Every: c.PullTariffs, Full: c.PullFull},
		ocpi.ModuleLocations:     {Every: c.PullLocations, Full: c.PullFull},
		ocpi.ModuleSessions:      {Every: c.PullSessions, Back: time.Duration(c.PullSessionDays) * day},
		ocpi.ModuleCDRs:          {Every: c.PullCDRs, Back: time.Duration(c.PullCDRDays) * day},
	}
}

// require reports the settings that a command cannot do without.
func (c config) require(names ...string) error {
	var missing []string
	for _, s := range c.settings() {
		if slices.Contains(names, s.name) && s.value == "" {
			missing = append(missing, s.name)
		}
	}
	if missing != nil {
		return fmt.Errorf("not set: %s (see: roamwerk config)", strings.Join(missing, ", "))
	}
	return nil
}

// setting is one line of "roamwerk config".
type setting struct{ name, value, standard, meaning string }

func (c config) settings() []setting {
	var all []setting
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		value := fmt.Sprint(v.Field(i))
		if v.Field(i).Kind() == reflect.Slice {
			value = strings.ReplaceAll(strings.Trim(value, "[]"), " ", ",")
		}
		s := setting{
			name:     prefix + tag.Get("env"),
			value:    value,
			standard: tag.Get("envDefault"),
			meaning:  tag.Get("help"),
		}
		if v.Field(i).IsZero() && s.standard == "" {
			s.value = "" // as usual
		}
		if s.value != "" {
			switch tag.Get("show") {
			case "url":
				s.value = redacted(s.value)
			case "no":
				s.value = "(hidden)"
			}
		}
		all = append(all, s)
	}
	return all
}

func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Query().Has("password") {
		return "(hidden)"
	}
	return u.Redacted()
}

// unknown are the variables that look like settings and are none: misspelt ones.
func unknown(environ map[string]string) []string {
	known := config{}.settings()
	var names []string
	for name := range environ {
		if strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, prefix+"TEST_") &&
			!slices.ContainsFunc(known, func(s setting) bool { return s.name == name }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// configCmd prints the settings.
type configCmd struct{}

// Run prints them as a table.
func (configCmd) Run(o *outside) error {
	c, err := loadConfig(o.environ)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(o.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SETTING\tVALUE\tDEFAULT\tMEANING")
	for _, s := range c.settings() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.name, cmp.Or(s.value, "-"), cmp.Or(s.standard, "-"), s.meaning)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, name := range unknown(o.environ) {
		fmt.Fprintf(o.stderr, "%s is set and is no setting\n", name)
	}
	return nil
}

// newLog is the log of a program that runs for long.
func (c config) newLog(o *outside) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	var handler slog.Handler = slog.NewJSONHandler(o.stderr, options)
	if c.LogFormat == "text" || c.LogFormat == "" && isTerminal(o.stderr) {
		handler = slog.NewTextHandler(o.stderr, options)
	}
	log := slog.New(handler)
	for _, name := range unknown(o.environ) {
		log.Warn("a variable is set that is no setting", "name", name)
	}
	return log
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// localURL is the address of doors that listen there, as seen from this machine.
func localURL(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// A folder of "dev" holds
//
//	postgres/      the database
//	secret.key     SECRET_KEY, made once
//	roamwerk.json  how to reach the platform, while it runs
const (
	defaultData = ".dev"
	databaseDir = "postgres"
	secretFile  = "secret.key"
	runningFile = "roamwerk.json"
)

// running is what a platform run by "dev" tells the administration commands.
type running struct {
	PID         int    `json:"pid"`
	BaseURL     string `json:"base_url"`
	DatabaseURL string `json:"database_url"`
	RedisURL    string `json:"redis_url"`
}

// reach gives an administration command the settings of the platform it is to
// work on: the one that runs in --data, or the one of the environment, or the
// one that runs in the usual folder.
func reach(o *outside) (config, error) {
	c, err := loadConfig(o.environ)
	if err != nil {
		return c, err
	}
	if o.data == "" && c.DatabaseURL != "" {
		c.BaseURL = cmp.Or(c.BaseURL, localURL(c.Listen))
		return c, c.require(prefix+"REDIS_URL", prefix+"SECRET_KEY")
	}
	dir := cmp.Or(o.data, defaultData)
	text, err := os.ReadFile(filepath.Join(dir, runningFile))
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("no platform runs in %s: start it with roamwerk dev --data %s, or set %sDATABASE_URL for another one", dir, dir, prefix)
	}
	if err != nil {
		return c, err
	}
	var r running
	if err := json.Unmarshal(text, &r); err != nil {
		return c, fmt.Errorf("%s: %w", filepath.Join(dir, runningFile), err)
	}
	key, err := os.ReadFile(filepath.Join(dir, secretFile))
	if err != nil {
		return c, err
	}
	c.PrivatePartners = true
	c.DatabaseURL, c.RedisURL, c.BaseURL, c.SecretKey = r.DatabaseURL, r.RedisURL, r.BaseURL, strings.TrimSpace(string(key))
	return c, nil
}
