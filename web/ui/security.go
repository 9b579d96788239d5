package ui

import (
	"net/http"
	"strings"
)

// policy is the content security policy of every page: everything from this host, nothing inline, nothing embedded.
var policy = []string{
	"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'", "connect-src 'self'",
	"form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
}

// Secure sets the headers that keep a page to itself. With https it also tells browsers to stay with https.
func Secure(https bool, next http.Handler) http.Handler {
	csp := strings.Join(policy, "; ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// AllowFrames lets a page show documents of this host in a frame.
func AllowFrames(h http.Header) {
	h.Set("Content-Security-Policy", strings.Join(policy, "; ")+"; frame-src 'self'")
}

// Framed lets a document of this host be shown in a frame of this host. It loads nothing.
func Framed(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; object-src 'self'; frame-ancestors 'self'")
}
