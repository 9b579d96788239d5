package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/roamwerk/roamwerk/ocpi"
)

// maxPages ends a list that does not end (PAG-15).
const maxPages = 10_000

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

// ItemError is one object of a list that cannot be read. The list goes on after it (PAG-18).
type ItemError struct {
	Raw jsontext.Value
	Err error
}

func (e *ItemError) Error() string { return "object of a list: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *ItemError) Unwrap() error { return e.Err }

// Locations lists the Locations of the CPO that the routing names, or through a hub of all (RTG-12). An *ItemError is
// followed by further objects; every other error is the end, and the list was not complete (PAG-19).
func (c *Client) Locations(ctx context.Context, peer Peer, endpoint string, q Query) iter.Seq2[ocpi.Location, error] {
	return list[ocpi.Location](ctx, c, peer, endpoint, q)
}

// Tariffs lists tariffs, as Locations does Locations.
func (c *Client) Tariffs(ctx context.Context, peer Peer, endpoint string, q Query) iter.Seq2[ocpi.Tariff, error] {
	return list[ocpi.Tariff](ctx, c, peer, endpoint, q)
}

// Sessions lists sessions, as Locations does Locations. The query needs a DateFrom.
func (c *Client) Sessions(ctx context.Context, peer Peer, endpoint string, q Query) iter.Seq2[ocpi.Session, error] {
	return list[ocpi.Session](ctx, c, peer, endpoint, q)
}

// CDRs lists CDRs, as Locations does Locations. They come as the partner wrote them, because that is what is stored.
func (c *Client) CDRs(ctx context.Context, peer Peer, endpoint string, q Query) iter.Seq2[jsontext.Value, error] {
	return list[jsontext.Value](ctx, c, peer, endpoint, q)
}

// ClientInfos lists the parties behind a hub (HUB-08).
func (c *Client) ClientInfos(ctx context.Context, auth Auth, endpoint string, q Query) iter.Seq2[ocpi.ClientInfo, error] {
	return list[ocpi.ClientInfo](ctx, c, Peer{Auth: auth}, endpoint, q)
}

// list yields the objects of all pages.
func list[T any](ctx context.Context, c *Client, peer Peer, endpoint string, q Query) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		address, err := join(endpoint, q.values())
		if err != nil {
			yield(none, err)
			return
		}
		seen := map[string]bool{}
		total := 0 // X-Total-Count of the page before
		for address != "" {
			a, items, err := c.page(ctx, peer, address)
			if err != nil {
				yield(none, err)
				return
			}
			before := total
			if n, err := strconv.Atoi(a.header.Get(ocpi.HeaderTotalCount)); err == nil { // PAG-17
				total = n
			}
			visit := strconv.Itoa(total) + " " + address
			if seen[visit] || len(seen) == maxPages {
				yield(none, fmt.Errorf("GET %s: the pages run in a circle or do not end", withoutQuery(address)))
				return
			}
			seen[visit] = true
			if earlier := a.stepBack(before - total); earlier != "" {
				address = earlier
				continue
			}
			for _, raw := range items {
				var item T
				if err := ocpi.UnmarshalLenient(raw, &item); err != nil {
					if !yield(none, &ItemError{Raw: raw, Err: err}) {
						return
					}
				} else if !yield(item, nil) {
					return
				}
			}
			if len(items) == 0 {
				return
			}
			if address, err = a.next(); err != nil {
				yield(none, err)
				return
			}
		}
	}
}

func (c *Client) page(ctx context.Context, peer Peer, address string) (answer, []jsontext.Value, error) {
	a, err := c.do(ctx, request{method: http.MethodGet, url: address, auth: peer.Auth, routing: peer.Routing})
	if err != nil {
		return answer{}, nil, err
	}
	var items []jsontext.Value
	if err := ocpi.Unmarshal(a.data, &items); err != nil {
		return answer{}, nil, a.notOCPI(err)
	}
	return a, items, nil
}

// errForeignLink refuses to take the credentials token to another host (TRN-11, PAG-14).
var errForeignLink = errors.New("the next page is on another host")

// next returns the address of the next page as the partner gives it, or "" on the last one.
func (a answer) next() (string, error) {
	link, err := ocpi.NextLink(a.header, a.url)
	if err != nil {
		return "", a.notOCPI(err)
	}
	if link == nil {
		return "", nil
	}
	if link.Scheme != a.url.Scheme || link.Host != a.url.Host {
		return "", a.notOCPI(errForeignLink)
	}
	return link.String(), nil
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
