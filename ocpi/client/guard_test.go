package client

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestPublicAddresses(t *testing.T) { // VER-12
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1:248:1893:25c8:1946": true, "8.8.8.8": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "::1": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00:ec2::254": false, "fc00::1": false, // metadata and local
		"100.100.100.200": false, "168.63.129.16": false, "192.0.0.192": false, // metadata of other clouds
		"0.0.0.0": false, "::": false, "255.255.255.255": false, "224.0.0.1": false, "ff02::1": false, "240.0.0.1": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false, // IPv4 in IPv6
		"64:ff9b::a9fe:a9fe": false, "64:ff9b:1::7f00:1": false, "2002:7f00:1::": false, "2001:0:7f00:1::": false, // NAT64, 6to4, Teredo
		"2606:4700::1%eth0": false, "192.88.99.1": false, "198.18.0.1": false, "192.0.2.1": false, "2001:db8::1": false, "100::1": false, "fec0::1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
	for _, odd := range []string{"", "localhost:80", "127.1:80", "2130706433:80", "8.8.8.8"} {
		if refusePrivate("tcp", odd, nil) == nil {
			t.Errorf("%q is dialled", odd)
		}
	}
}

// The guard looks at the address that is dialled, not at the name: one that resolves to ourselves, at the second look or in
// one of several addresses, is not called.
func TestGuardHoldsAtTheDial(t *testing.T) {
	reached := false
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	c := New(Options{Timeout: time.Minute})
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		_, err := c.Versions(context.Background(), Auth{Token: "example-token"}, "https://"+net.JoinHostPort(strings.Trim(host, "[]"), port)+"/versions")
		if err == nil || reached {
			t.Errorf("%s was called: %v", host, err)
		}
	}
}
