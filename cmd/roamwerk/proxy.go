package main

import (
	"net"

	"github.com/labstack/echo/v4"
)

// address finds who calls. Proxies append to X-Forwarded-For whom they were called by, so it is read from its end: whom the
// last proxy that we trust names, is who calls. What stands before was written by the caller.
func (c config) address() echo.IPExtractor {
	if len(c.TrustedProxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trusted := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range c.TrustedProxies {
		trusted = append(trusted, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	return echo.ExtractIPFromXFFHeader(trusted...)
}
