package office

import (
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/web/ui"
)

// pageSize is how many rows a list shows at once.
const pageSize = 50

// listQuery is the state of a list. All of it is in the address: filters, order ("sort=kwh", "sort=-kwh") and the row that
// the page starts behind ("after") or ends before ("before").
type listQuery struct {
	path   string // with the language
	values url.Values
}

// readList takes what a list knows from an address; the rest is dropped.
func readList(v *visit, filters ...string) listQuery {
	return listOf(v.Request().URL.Path, v.QueryParams(), filters...)
}

func listOf(path string, given url.Values, filters ...string) listQuery {
	l := listQuery{path: path, values: url.Values{}}
	for _, key := range append(filters, "q", "state", "sort", "after", "before") {
		if value := strings.TrimSpace(given.Get(key)); value != "" && len(value) <= 200 {
			l.values.Set(key, value)
		}
	}
	return l
}

func (l listQuery) get(key string) string { return l.values.Get(key) }

// href is the address of the list as it is.
func (l listQuery) href() string {
	if len(l.values) == 0 {
		return l.path
	}
	return l.path + "?" + l.values.Encode()
}

// with is the address of the list from its start with one value changed; an empty value takes it away.
func (l listQuery) with(key, value string) string {
	return l.changed(map[string]string{key: value, "after": "", "before": ""}).href()
}

func (l listQuery) changed(changes map[string]string) listQuery {
	n := listQuery{path: l.path, values: url.Values{}}
	for key := range l.values {
		n.values.Set(key, l.values.Get(key))
	}
	for key, value := range changes {
		n.values.Del(key)
		if value != "" {
			n.values.Set(key, value)
		}
	}
	return n
}

// pattern is the search text for ILIKE, empty if there is none.
func (l listQuery) pattern() string {
	q := l.get("q")
	if q == "" {
		return ""
	}
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q) + "%"
}

// order is the column that the list is sorted by and the sign that its keys get.
func (l listQuery) order(standard string) (column string, sign int32) {
	sort := l.get("sort")
	if sort == "" {
		sort = standard
	}
	if column, descending := strings.CutPrefix(sort, "-"); descending {
		return column, -1
	}
	return sort, 1
}

// head is the head of a column that sorts: the largest first, and the other way round when it is used again.
func (l listQuery) head(id, name, standard string, num bool) ui.Sort {
	s := ui.Sort{ID: id, Name: name, Num: num, State: "none"}
	next := "-" + id
	if column, sign := l.order(standard); column == id && sign < 0 {
		s.State, next = "descending", id
	} else if column == id {
		s.State = "ascending"
	}
	if next == standard {
		next = ""
	}
	s.Href = l.with("sort", next)
	return s
}

// position is the row that a page of a list starts behind.
type position struct {
	paged    bool
	backward bool // the page ends before the row
	key      decimal.Decimal
	text     string // the key of a list that is in the order of texts
	id       uuid.UUID
}

// position reads where the page is. What cannot be read is the start.
func (l listQuery) position() position {
	at, backward := l.get("after"), false
	if at == "" {
		at, backward = l.get("before"), true
	}
	key, id, _ := strings.Cut(at, "~")
	p := position{paged: true, backward: backward}
	var errKey, errID error
	p.key, errKey = decimal.NewFromString(key)
	p.id, errID = uuid.Parse(id)
	if errKey != nil || errID != nil {
		return position{}
	}
	return p
}

// textPosition is position for a list in the order of texts.
func (l listQuery) textPosition() position {
	p := position{paged: true}
	at := l.get("after")
	if at == "" {
		at, p.backward = l.get("before"), true
	}
	cut := strings.LastIndexByte(at, '~')
	if cut < 0 {
		return position{}
	}
	var err error
	if p.id, err = uuid.Parse(at[cut+1:]); err != nil {
		return position{}
	}
	p.text = at[:cut]
	return p
}

// mark names a row for position.
func mark(key decimal.Decimal, id uuid.UUID) string { return key.String() + "~" + id.String() }

// textMark names a row for textPosition.
func textMark(key string, id uuid.UUID) string { return key + "~" + id.String() }

// paged cuts what was read, one row more than a page, to the page, and leads to its neighbours.
func paged[R any](l listQuery, at position, rows []R, mark func(R) string) (shown []R, previous, next string) {
	more := len(rows) > pageSize
	rows = rows[:min(len(rows), pageSize)]
	if at.backward {
		slices.Reverse(rows)
	}
	if len(rows) == 0 {
		return rows, "", ""
	}
	before := l.changed(map[string]string{"after": "", "before": mark(rows[0])}).href()
	after := l.changed(map[string]string{"before": "", "after": mark(rows[len(rows)-1])}).href()
	if at.backward && more || !at.backward && at.paged {
		previous = before
	}
	if at.backward || more {
		next = after
	}
	return rows, previous, next
}

func queryEscape(s string) string { return url.QueryEscape(s) }
