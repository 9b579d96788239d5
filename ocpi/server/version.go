package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

func (c *call) versions(context.Context) (answer, error) {
	var list []ocpi.Version
	for _, d := range jobs.Dialects {
		list = append(list, ocpi.Version{Version: d.Version, URL: c.BaseURL + detailsPath(d)})
	}
	return answer{data: list}, nil
}

// Offer names what versions and version details list, as long as they list the same. Partners are told when it changes
// (VER-11).
func Offer(baseURL string) string {
	sum := sha256.New()
	for _, d := range jobs.Dialects {
		for _, m := range offered(d) {
			fmt.Fprintln(sum, m.id, m.role, strings.TrimRight(baseURL, "/")+detailsPath(d))
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

func (c *call) versionDetails(context.Context) (answer, error) {
	details := &ocpi.VersionDetails{Version: c.dialect.Version}
	for _, m := range offered(c.dialect) {
		if m.id != ocpi.ModuleCredentials && slices.Contains(c.partner.HiddenModules, string(m.id)) {
			continue // the partner fails on modules that it does not know
		}
		details.Endpoints = append(details.Endpoints, ocpi.Endpoint{Identifier: m.id, Role: m.role, URL: c.moduleURL(m.id)})
	}
	return answer{data: details}, nil
}

// moduleURL is where a module is, in the version of the call.
func (c *call) moduleURL(m ocpi.ModuleID) string {
	return c.BaseURL + detailsPath(c.dialect) + "/" + string(m)
}
