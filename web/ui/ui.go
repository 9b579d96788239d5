// Package ui is what the portals share: the look, the languages, the formats, and the parts that pages are made of.
//
// Pages are rendered by the server (templ) and work without script; htmx swaps parts of them where it is there. Nothing is
// loaded from anywhere else. Instants are shown in German time with UTC on hover, money in the currency that comes with it.
package ui

//go:generate templ generate

import (
	"net/http"
	"net/url"

	"github.com/a-h/templ"
)

// Page is what the parts of a page need to know about the request.
type Page struct {
	Lang    Lang
	Theme   Theme
	Address string // behind the language: "/cdrs"
	Query   string // that a link to the same page in another language must carry
	Class   string // of the body
}

// Link is the address of a page in the language of this one; path may have a query.
func (p Page) Link(path string) templ.SafeURL { return templ.SafeURL("/" + string(p.Lang) + path) }

// Here is the address of this page in a language.
func (p Page) Here(in Lang) templ.SafeURL {
	u := url.URL{Path: "/" + string(in) + p.Address, RawQuery: p.Query}
	return templ.SafeURL(u.String())
}

// Theme is a choice of colours: "light", "dark", or empty to follow the device.
type Theme string

// The themes.
const (
	Light Theme = "light"
	Dark  Theme = "dark"
)

const themeCookie = "theme"

// ThemeOf reads the theme that the person has chosen on this device.
func ThemeOf(r *http.Request) Theme {
	c, err := r.Cookie(themeCookie)
	if err != nil || c.Value != string(Light) && c.Value != string(Dark) {
		return ""
	}
	return Theme(c.Value)
}

// Other is the theme that a switch leads to.
func (t Theme) Other() Theme {
	if t == Dark {
		return Light
	}
	return Dark
}

// SetCookie keeps the theme for a year.
func (t Theme) SetCookie(w http.ResponseWriter, secure bool) {
	http.SetCookie(w, &http.Cookie{Name: themeCookie, Value: string(t), Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, Secure: secure})
}

// Partial reports whether htmx asks for the part of a page only. A page that is restored from history is asked for whole.
func Partial(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-History-Restore-Request") != "true"
}

// attribute names a chosen theme; without one the style sheet follows the device.
func (t Theme) attribute() templ.Attributes {
	if t == "" {
		return nil
	}
	return templ.Attributes{"data-theme": string(t)}
}

// htmxConfig configures versions 2 and 4: no inline style, no evaluation of code, and a failed request changes nothing.
const htmxConfig = `{"includeIndicatorStyles":false,"includeIndicatorCSS":false,"allowEval":false,"noSwap":[204,304,"4xx","5xx"],` +
	`"responseHandling":[{"code":"204","swap":false},{"code":"[23]..","swap":true},{"code":"...","swap":false,"error":true}]}`
