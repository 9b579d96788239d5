package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// Query selects objects of a list. Zero values are not sent.
type Query struct {
	DateFrom time.Time // of last_updated, inclusive; sessions need it (PAG-20)
	DateTo   time.Time // exclusive
	Limit    int       // objects a page
}

func (q Query) values() url.Values {
	v := url.Values{}
	if !q.DateFrom.IsZero() {
		v.Set("date_from", ocpi.FormatDateTime(q.DateFrom))
	}
	if !q.DateTo.IsZero() {
		v.Set("date_to", ocpi.FormatDateTime(q.DateTo))
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// Page is one page of a list. Its objects are as the partner wrote them: one that cannot be read does not spoil the others
// (PAG-18), and a CDR is stored the way it came.
type Page struct {
	Items []jsontext.Value
	URL   string // where it was read: the address that was asked for, or an earlier one
	Next  string // the next page; "" on the last one
	Total int    // X-Total-Count, or that of the page before
}

// Visit names the page and the state of the list in which it was read. A crawl that comes to the same twice runs in a circle
// (PAG-15).
func (p Page) Visit() string { return strconv.Itoa(p.Total) + " " + p.URL }

// FirstPage returns the address of the first page of a list.
func FirstPage(endpoint string, q Query) (string, error) { return join(endpoint, q.values()) }

// Page reads one page of a list: of the CPO that the routing names, or through a hub of all behind it (RTG-12). The address is
// that of FirstPage, or the Next of the page before, verbatim (PAG-13). totalBefore is the Total of the page before, 0 on the
// first one: when it falls, objects have gone and those behind them have moved up, and so the page is read again from as many
// objects earlier (PAG-16). A page whose link cannot be followed comes with the error.
func (c *Client) Page(ctx context.Context, peer Peer, address string, totalBefore int) (Page, error) {
	for {
		a, err := c.do(ctx, request{method: http.MethodGet, url: address, auth: peer.Auth, routing: peer.Routing})
		if err != nil {
			return Page{}, err
		}
		page := Page{URL: address, Total: totalBefore}
		if err := ocpi.Unmarshal(a.data, &page.Items); err != nil {
			return Page{}, a.notOCPI(err)
		}
		if n, err := strconv.Atoi(a.header.Get(ocpi.HeaderTotalCount)); err == nil { // PAG-17
			page.Total = n
		}
		if earlier := a.stepBack(totalBefore - page.Total); earlier != "" {
			address, totalBefore = earlier, page.Total
			continue
		}
		page.Next, err = a.next()
		return page, err
	}
}

// errForeignLink refuses to take the credentials token to another host (TRN-11, PAG-14).
var errForeignLink = errors.New("the next page is on another host")

// next returns the address of the next page as the partner gives it, or "" on the last one. Some give it in the body instead
// of the header, and some who hear us over https write http.
func (a answer) next() (string, error) {
	link, err := ocpi.NextLink(a.header, a.url)
	if err == nil && link == nil {
		link, err = a.linkInBody()
	}
	if err != nil {
		return "", a.notOCPI(err)
	}
	if link == nil {
		return "", nil
	}
	if link.Host != a.url.Host || link.Scheme != a.url.Scheme && link.Scheme != "http" {
		return "", a.notOCPI(errForeignLink)
	}
	link.Scheme = a.url.Scheme
	return link.String(), nil
}

// linkInBody is what some partners write in the place of the header: an address, or nothing on the last page.
func (a answer) linkInBody() (*url.URL, error) {
	var envelope struct {
		Link string `json:"link"`
	}
	if err := ocpi.Unmarshal(a.body, &envelope); err != nil || envelope.Link == "" {
		return nil, nil // a bare list has no link
	}
	link, err := url.Parse(envelope.Link)
	if err != nil {
		return nil, err
	}
	return a.url.ResolveReference(link), nil
}

// stepBack returns the address of the same page by as many objects earlier as have gone since the page before, because what
// followed them has moved up (PAG-16); "" when nothing has gone.
func (a answer) stepBack(gone int) string {
	offset, err := strconv.Atoi(a.url.Query().Get("offset"))
	if gone <= 0 || err != nil || offset == 0 {
		return ""
	}
	query := a.url.Query()
	query.Set("offset", strconv.Itoa(max(offset-gone, 0)))
	earlier := *a.url
	earlier.RawQuery = query.Encode()
	return earlier.String()
}
