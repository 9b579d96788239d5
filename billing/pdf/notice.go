package pdf

import (
	"fmt"
	"io"
	"time"

	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/wording"
)

// WriteReminder writes a reminder, with the account to pay to and its GiroCode. The bytes depend on r alone. Its errors are
// those of Write, and a level beyond the third.
func WriteReminder(w io.Writer, r billing.Reminder) error {
	t, ok := wording.Languages[r.Language]
	if !ok {
		return fmt.Errorf("reminder %s: no texts in language %q", r.Number, r.Language)
	}
	if r.Level < 1 || r.Level > len(t.Reminder) {
		return fmt.Errorf("reminder %s: there is no level %d", r.Number, r.Level)
	}
	n, err := newNotice(w, r.Letter, t, t.Reminder[r.Level-1])
	if err != nil {
		return err
	}
	n.text("P", body, t.ReminderIntro[r.Level-1], mm(2))
	n.openItems(r)
	n.heading(t.PaymentHeading, body.lead*3+giroSize)
	total := t.Money(r.Total(), r.Currency)
	n.text("P", body, fmt.Sprintf(t.ReminderPay, total, t.Day(r.PayBy)), mm(2.5))
	if err := n.account(order{r.Payment, r.Total(), r.Currency, r.Number}); err != nil {
		return fmt.Errorf("reminder %s: %w", r.Number, err)
	}
	if !r.Block.IsZero() {
		n.text("P", body, fmt.Sprintf(t.ReminderBlock, t.Day(r.Block)), mm(2))
	}
	n.text("P", body, t.ReminderCrossed, mm(2))
	return n.finish(r.Letter)
}

// WriteStatement writes a statement of account with the balance after each movement. The bytes depend on s alone. Its errors
// are those of Write.
func WriteStatement(w io.Writer, s billing.Statement) error {
	t, ok := wording.Languages[s.Language]
	if !ok {
		return fmt.Errorf("statement %s: no texts in language %q", s.Number, s.Language)
	}
	n, err := newNotice(w, s.Letter, t, t.Statement)
	if err != nil {
		return err
	}
	n.text("P", body, fmt.Sprintf(t.StatementIntro, t.Day(s.From), t.Day(s.To)), mm(2))
	columns := []column{
		{title: t.Date, width: mm(24)},
		{title: t.StatementText, width: mm(59)},
		{title: t.StatementDocument, width: mm(38)},
		{title: fmt.Sprintf(t.StatementAmount, s.Currency), width: mm(22), to: right},
		{title: fmt.Sprintf(t.StatementBalance, s.Currency), width: mm(22), to: right, last: true},
	}
	balance := s.Opening
	rows := []noticeRow{{cells: []string{t.Day(s.From), t.StatementOpening, "", "", t.Decimal(balance, 2)}, strong: true}}
	for _, e := range s.Entries {
		balance = balance.Add(e.Amount)
		rows = append(rows, noticeRow{cells: []string{t.Day(e.Date), e.Text, e.Document, t.Decimal(e.Amount, 2), t.Decimal(balance, 2)}})
	}
	rows = append(rows, noticeRow{cells: []string{t.Day(s.To), t.StatementClosing, "", "", t.Decimal(s.Closing(), 2)}, strong: true})
	n.rows(columns, rows)
	n.y += mm(2)
	n.text("P", fine, t.StatementCredit, mm(2))
	return n.finish(s.Letter)
}

// notice lays out a letter that is no invoice.
type notice struct{ *letterhead }

func newNotice(w io.Writer, l billing.Letter, t wording.Texts, title string) (*notice, error) {
	d, err := newDocument(w)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", title, l.Number, err)
	}
	facts := [][2]string{
		{t.LetterNumber, l.Number}, {t.Date, t.Day(l.Date)}, {t.CustomerNumber, l.Customer.Number},
		{t.Contact, l.Supplier.ContactPhone + "\n" + l.Supplier.ContactEmail},
	}
	n := &notice{newLetterhead(d, l.Supplier, l.Customer, t, title, facts)}
	if err := n.head(); err != nil {
		return nil, fmt.Errorf("%s %s: %w", title, l.Number, err)
	}
	n.subject()
	return n, nil
}

func (n *notice) finish(l billing.Letter) error {
	for _, note := range l.Notes {
		n.text("P", body, note, mm(2))
	}
	n.close()
	y, m, day := l.Date.Date()
	err := n.document.finish(meta{
		title: n.title + " – " + l.Supplier.Name, author: l.Supplier.Name, language: n.t.Locale, date: time.Date(y, m, day, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", n.title, l.Number, err)
	}
	return nil
}

// noticeRow is a row of a simple table.
type noticeRow struct {
	cells  []string
	strong bool
}

// rows draws a table. On each page it repeats the heads.
func (n *notice) rows(columns []column, rows []noticeRow) {
	table := n.root.add("Table")
	n.room(label.lead + body.lead + 4*rowPad)
	n.tableHead(columns, table.add("TR"))
	for _, r := range rows {
		t := body
		if r.strong {
			t = strong
		}
		cells := make([]block, len(columns))
		for i, text := range r.cells {
			cells[i] = block{n.fonts.set(t, columns[i].inner(), text)}
		}
		h := rowHeight(cells)
		if n.y+h > bottom {
			n.breakPage()
			n.tableHead(columns, nil)
		}
		tr := table.add("TR")
		x := marginLeft
		for i, c := range cells {
			n.leaf(tr, "TD", c, x, n.y+rowPad, columns[i].inner(), columns[i].to)
			x += columns[i].width
		}
		n.y += h
		n.s.artifact(func() { n.s.line(hair, 0.5, marginLeft, n.y, textWidth) })
	}
}

// openItems draws what is owed: the documents, what default costs, and the sum.
func (n *notice) openItems(r billing.Reminder) {
	n.heading(n.t.OpenItems, label.lead+body.lead+4*rowPad)
	columns := []column{
		{title: n.t.OpenDocument, width: mm(67)},
		{title: n.t.Date, width: mm(25)},
		{title: n.t.OpenDue, width: mm(25)},
		{title: fmt.Sprintf(n.t.OpenAmount, r.Currency), width: mm(24), to: right},
		{title: fmt.Sprintf(n.t.OpenRest, r.Currency), width: mm(24), to: right, last: true},
	}
	figure := func(d decimal.Decimal) string { return n.t.Decimal(d, 2) }
	var rows []noticeRow
	for _, i := range r.Items {
		rows = append(rows, noticeRow{cells: []string{i.Number, n.t.Day(i.Date), n.t.Day(i.DueDate), figure(i.Gross), figure(i.Open)}})
	}
	for _, c := range r.Charges {
		rows = append(rows, noticeRow{cells: []string{c.Text, "", "", "", figure(c.Amount)}})
	}
	n.rows(columns, append(rows, noticeRow{cells: []string{n.t.Total, "", "", "", figure(r.Total())}, strong: true}))
}
