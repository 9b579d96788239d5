package server

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/jobs"
	"github.com/roamwerk/roamwerk/ocpi"
)

// maxPage is the largest page of tokens, and the one that a caller gets who does not ask for another (PAG-04).
const maxPage = 1000

// listTokens lists the tokens of the addressed utility, or of all of the connection (TOK-01, PAG-12).
func (c *call) listTokens(ctx context.Context) (answer, error) {
	page, err := readPage(c.echo.QueryParams())
	if err != nil {
		return answer{}, err
	}
	total, err := c.DB.CountTokens(ctx, db.CountTokensParams{PartnerID: c.partner.ID, TenantIDs: c.addressed(), DateFrom: page.from, DateTo: page.to})
	if err != nil {
		return answer{}, fmt.Errorf("count tokens: %w", err)
	}
	rows, err := c.DB.TokenPage(ctx, db.TokenPageParams{
		PartnerID: c.partner.ID, TenantIDs: c.addressed(), DateFrom: page.from, DateTo: page.to, SkipRows: page.offset, MaxRows: page.limit,
	})
	if err != nil {
		return answer{}, fmt.Errorf("list tokens: %w", err)
	}
	tokens := make([]ocpi.Token, len(rows))
	for i, row := range rows {
		owner := ocpi.Party{CountryCode: ocpi.CiString(row.CountryCode), PartyID: ocpi.CiString(row.PartyID)}
		tokens[i] = jobs.TokenAt(row.Token, row.ContractID, owner, row.Void, row.ChangedAt)
	}
	header := c.echo.Response().Header()
	header.Set(ocpi.HeaderTotalCount, strconv.FormatInt(total, 10))
	header.Set(ocpi.HeaderLimit, strconv.Itoa(int(page.limit)))
	if next := int64(page.offset) + int64(len(rows)); len(rows) > 0 && next < total {
		link, err := url.Parse(c.moduleURL(ocpi.ModuleTokens))
		if err != nil {
			return answer{}, fmt.Errorf("base URL: %w", err)
		}
		link.RawQuery = page.query(next).Encode()
		header.Set(ocpi.HeaderLink, ocpi.FormatNextLink(link))
	}
	return answer{data: tokens}, nil
}

// page is what a caller wants of a list (OCPI 2.2.1 § Pagination).
type page struct {
	from, to      *time.Time // of last_updated, the second exclusive
	offset, limit int32
}

func readPage(query url.Values) (page, error) {
	p := page{limit: maxPage}
	for name, into := range map[string]**time.Time{"date_from": &p.from, "date_to": &p.to} {
		if text := query.Get(name); text != "" {
			t, err := ocpi.ParseDateTime(text)
			if err != nil {
				return p, ocpi.InvalidParameter(name, "must be a DateTime such as 2026-11-23T16:20:00Z", text)
			}
			*into = &t
		}
	}
	if text := query.Get("offset"); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 0 {
			return p, ocpi.InvalidParameter("offset", "must be a number of objects", text)
		}
		p.offset = int32(n)
	}
	if text := query.Get("limit"); text != "" {
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 1 {
			return p, ocpi.InvalidParameter("limit", "must be a positive number of objects", text)
		}
		p.limit = min(int32(n), maxPage)
	}
	return p, nil
}

// query is the page at another offset: all filters, and the limit that is in force (PAG-07).
func (p page) query(offset int64) url.Values {
	q := url.Values{"offset": {strconv.FormatInt(offset, 10)}, "limit": {strconv.Itoa(int(p.limit))}}
	if p.from != nil {
		q.Set("date_from", ocpi.FormatDateTime(*p.from))
	}
	if p.to != nil {
		q.Set("date_to", ocpi.FormatDateTime(*p.to))
	}
	return q
}
