package server_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"github.com/roamwerk/roamwerk/ocpi"
)

func zip(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBodies(t *testing.T) { // TRN-12, TRN-31
	w := newWorld(t)
	w.addTenant("DE*SWX")
	cpo := w.registered(ocpi.RoleCPO, "DE*CPO")
	huge := strings.Replace(locationJSON, "Rathaus", strings.Repeat("x", 2<<20), 1)
	zipped := cpo.with("Content-Encoding", "gzip")
	zipped.do(http.MethodPut, locationPath, zip(t, locationJSON)).want(201, 1000)
	zipped.do(http.MethodPut, locationPath, zip(t, huge)).want(413, 2000) // a bomb
	zipped.do(http.MethodPut, locationPath, locationJSON).want(400, 2001)
	zipped.do(http.MethodPut, locationPath, zip(t, locationJSON)[:60]).want(400, 2001)
	cpo.do(http.MethodPut, locationPath, huge).want(413, 2000)
	cpo.with("Content-Encoding", "br").do(http.MethodPut, locationPath, locationJSON).want(415, 2000)
	cpo.with("Content-Type", "application/json; charset=utf-8").do(http.MethodPut, locationPath, locationJSON).want(200, 1000)
	cpo.with("Content-Type", "text/plain").do(http.MethodPut, locationPath, locationJSON).want(200, 1000)
}
