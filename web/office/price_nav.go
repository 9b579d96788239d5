package office

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/roamwerk/roamwerk/db"
)

// forUtility is a page about the prices of one utility. An operator who looks at all of them is asked to pick one.
func forUtility(handle func(*office, *visit) error) func(*office, *visit) error {
	return func(o *office, v *visit) error {
		switch {
		case v.tenant.Valid:
			return handle(o, v)
		case v.Request().Method == http.MethodGet || v.Request().Method == http.MethodHead:
			return v.render(http.StatusOK, pickUtilityPage(v))
		}
		return db.ErrNotFound
	}
}

// priceParts are the pages about prices.
var priceParts = []struct{ path, key string }{
	{"/prices", "prices.book"}, {"/plans", "prices.plans"}, {"/groups", "prices.groups"}, {"/vouchers", "prices.vouchers"}, {"/prices/backtest", "prices.backtest"},
}

// pricePart marks the tab of the page that is shown: of several addresses that it lies under, the longest.
func (v *visit) pricePart(path string) templ.Attributes {
	for _, other := range priceParts {
		if len(other.path) > len(path) && strings.HasPrefix(other.path, path) && v.at(other.path) != nil {
			return nil
		}
	}
	return v.at(path)
}
