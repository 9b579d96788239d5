package pdf_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/corpus"
	"github.com/roamwerk/roamwerk/billing/einvoice"
	"github.com/roamwerk/roamwerk/billing/pdf"
)

var allCases = sync.OnceValues(corpus.Cases)

func cases(t testing.TB) []corpus.Case {
	t.Helper()
	all, err := allCases()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func invoice(t testing.TB, name string) billing.Invoice {
	t.Helper()
	all := cases(t)
	i := slices.IndexFunc(all, func(c corpus.Case) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("the corpus has no case %q", name)
	}
	return all[i].Invoice
}

// write returns an invoice as PDF, and the XML in it.
func write(t testing.TB, inv billing.Invoice) (doc, xml []byte) {
	t.Helper()
	var x, p bytes.Buffer
	if err := einvoice.Write(&x, inv, einvoice.EN16931); err != nil {
		t.Fatal(err)
	}
	if err := pdf.Write(&p, inv, x.Bytes()); err != nil {
		t.Fatal(err)
	}
	return p.Bytes(), x.Bytes()
}

// poppler runs one of the programs of poppler-utils on a document.
func poppler(t testing.TB, doc []byte, program string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%v: apt-get install poppler-utils", err)
	}
	file := filepath.Join(t.TempDir(), "invoice.pdf")
	if err := os.WriteFile(file, doc, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "FILE", file)
	}
	cmd := exec.Command(program, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("%s: %v\n%s", program, err, &errs)
	}
	return string(out)
}

func text(t testing.TB, doc []byte) string {
	return strings.ReplaceAll(poppler(t, doc, "pdftotext", "-layout", "-enc", "UTF-8", "FILE", "-"), "\u00a0", " ")
}

// inOrder fails unless the texts stand in doc one after the other.
func inOrder(t *testing.T, doc string, texts ...string) {
	t.Helper()
	rest := doc
	for _, want := range texts {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("%q is missing, or stands too early, in\n%s", want, doc)
		}
		rest = after
	}
}

func TestWriteConsumer(t *testing.T) {
	doc, _ := write(t, invoice(t, "private-one-page"))
	inOrder(t, text(t, doc),
		"LIN-2026-000101", "03.11.2026", "Stadtwerke Lindenau GmbH · Werkstraße 1 · 04177 Lindenau", "Erika Sommerfeld",
		"Rechnung LIN-2026-000101", "6 Ladevorgänge", "83,49 €",
		"01.10.2026", "4,000", "0,49 € je kWh.", "1,96", "06.10.2026", "6,56", "12,31", "10,83", "25,48", "21,36",
		"Grundpreis Tarif Lindenau Laden Plus", "1 Monat", "4,99",
		"Die Preise der einzelnen Leistungen enthalten die Umsatzsteuer.",
		"Umsatzsteuer 19 %", "70,16", "13,33", "83,49", "Zu zahlen", "83,49 €",
		"Bitte überweisen Sie 83,49 € bis zum 17.11.2026", "DE02 1203 0000 0000 2020 51", "GiroCode", "Seite 2 von 2",
	)
}

func TestWriteFitsASmallBillOnOnePage(t *testing.T) {
	doc, _ := write(t, invoice(t, "private-debit"))
	inOrder(t, text(t, doc), "Zahlung", "Mandatsreferenz", "Seite 1 von 1")
}

func TestWriteByMeansOfPayment(t *testing.T) {
	for _, c := range []struct {
		name  string
		words []string
		giro  bool
	}{
		{"private-debit", []string{"SEPA-Lastschrift am", "17.11.2026", "Wir ziehen 27,84 € am 17.11.2026 per SEPA-Lastschrift von Ihrem Konto DE02 ···· 5030 ein.", "Mandatsreferenz: LIN-100427-1. Gläubiger-Identifikationsnummer: DE98ZZZ09999999999."}, false},
		{"private-card-paid", []string{"already settled", "Already paid", "−€17.32", "Amount due", "€0.00", "has been paid already"}, false},
		{"grid-private-card-de-invoice", []string{"am 17.11.2026 von Ihrer Karte mit den Endziffern 4242"}, false},
		{"public-body", []string{"14730-AUENTAL12-47", "Bitte überweisen Sie", "GiroCode"}, true},
		{"credit-balance", []string{"Zu Ihren Gunsten", "verrechnen wir mit offenen Forderungen"}, false},
		{"grid-business-transfer-en-cancellation", []string{"Invoice correction", "we hereby correct our invoice", "of 3 Nov 2026", "Energy charged", "−", "kWh", "In your favour"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, _ := write(t, invoice(t, c.name))
			got := text(t, doc)
			inOrder(t, got, c.words...)
			if has := strings.Contains(got, "GiroCode"); has != c.giro {
				t.Errorf("GiroCode shown: %v, want %v", has, c.giro)
			}
		})
	}
}

func TestWriteReverseChargeAndRates(t *testing.T) {
	doc, _ := write(t, invoice(t, "reseller-reverse-charge"))
	inOrder(t, text(t, doc), "DE822222226", "Nettopreise", "Steuerschuld beim Empfänger", "0,00", "Steuerschuldnerschaft des Leistungsempfängers.")
	doc, _ = write(t, invoice(t, "business-debit-rates"))
	inOrder(t, text(t, doc), "USt. %", "19", "Handbuch Laden im Betrieb", "7", "25,42", "Steuerfrei", "120,00", "Umsatzsteuer 0 %", "Umsatzsteuer 7 %", "1,78", "Umsatzsteuer 19 %", "Gesamtbetrag", "Steuerfrei nach § 4 Nr. 21 UStG.")
}

// TestWriteCarriesSumsForward follows the sums from page to page: each is the one before plus the amounts of its page.
func TestWriteCarriesSumsForward(t *testing.T) {
	inv := invoice(t, "two-hundred-sessions")
	doc, _ := write(t, inv)
	pages := strings.Split(strings.TrimRight(text(t, doc), "\f"), "\f")
	if len(pages) < 8 {
		t.Fatalf("200 sessions take %d pages", len(pages))
	}
	carry := regexp.MustCompile(`(?m)^\s*Übertrag\s+([\d.,]+)$`)
	last, seen := "", 0
	for i, p := range pages {
		if !strings.Contains(p, fmt.Sprintf("Seite %d von %d", i+1, len(pages))) {
			t.Errorf("page %d is not numbered", i+1)
		}
		sums := carry.FindAllStringSubmatch(p, -1)
		if last != "" && (len(sums) == 0 || sums[0][1] != last) {
			t.Errorf("page %d does not open with the sum %s of the page before", i+1, last)
		}
		if last != "" && !strings.Contains(p, "Ladepunkt") {
			t.Errorf("page %d does not repeat the heads of the columns", i+1)
		}
		last = ""
		if n := len(sums); n == 2 || n == 1 && i == 0 {
			last = sums[n-1][1]
			seen++
		}
	}
	if seen < 6 {
		t.Errorf("only %d pages close with a sum", seen)
	}
	sum := inv.Lines[0].Net
	for _, l := range inv.Lines[1:] {
		sum = sum.Add(l.Net)
	}
	if !sum.Equal(inv.Net) {
		t.Errorf("lines sum to %s, net is %s", sum, inv.Net)
	}
}

func TestWriteAttachesTheXML(t *testing.T) {
	doc, xml := write(t, invoice(t, "private-debit"))
	dir := t.TempDir()
	poppler(t, doc, "pdfdetach", "-saveall", "-o", dir, "FILE")
	got, err := os.ReadFile(filepath.Join(dir, "factur-x.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, xml) {
		t.Error("the attachment differs from the XML")
	}
}

func TestWritePreview(t *testing.T) {
	inv := invoice(t, "private-one-page")
	inv.Number = ""
	var b bytes.Buffer
	if err := pdf.Write(&b, inv, nil); err != nil {
		t.Fatal(err)
	}
	got := text(t, b.Bytes())
	inOrder(t, got, "Entwurf", "Rechnung (Entwurf)")
	if strings.Contains(got, "GiroCode") || bytes.Contains(b.Bytes(), []byte("factur-x.xml")) {
		t.Error("a draft invites to pay it")
	}
}

func TestWriteRefuses(t *testing.T) {
	inv := invoice(t, "private-debit")
	inv.Language = "fr"
	if err := pdf.Write(io.Discard, inv, nil); err == nil || !strings.Contains(err.Error(), "fr") {
		t.Errorf("a language without texts gives %v", err)
	}
	inv = invoice(t, "private-debit")
	inv.Supplier.Design.Logo = []byte("GIF89a")
	if err := pdf.Write(io.Discard, inv, nil); err == nil || !strings.Contains(err.Error(), "logo") {
		t.Errorf("a logo that is no PNG gives %v", err)
	}
}

// TestWriteIsDeterministic writes documents at the same time: fonts and logos are shared.
func TestWriteIsDeterministic(t *testing.T) {
	for _, name := range []string{"private-one-page", "long-names", "abroad"} {
		first, _ := write(t, invoice(t, name))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				again, _ := write(t, invoice(t, name))
				if !bytes.Equal(first, again) {
					t.Errorf("%s: two runs give different bytes", name)
				}
			})
		}
		wg.Wait()
	}
}

var (
	reference     = regexp.MustCompile(`(\d+) 0 R`)
	references    = regexp.MustCompile(`(\d+) \[([^\]]*)\]`)
	structParents = regexp.MustCompile(`/StructParents (\d+)`)
	contents      = regexp.MustCompile(`/Contents (\d+)`)
	forbidden     = regexp.MustCompile(`/(Encrypt|JavaScript|JS|Launch|CIDSet|Movie|Sound|LZWDecode)\b`)
	beginsMark    = regexp.MustCompile(`^/\w+ (<</MCID (\d+)>> BDC|BMC)$`)
)

// objectsOf finds the objects of a document. It looks for no pattern: most of a document is packed, and long.
func objectsOf(doc []byte) map[int]string {
	objs := map[int]string{}
	for rest := string(doc); ; {
		before, after, ok := strings.Cut(rest, " 0 obj\n")
		if !ok {
			return objs
		}
		n, err := strconv.Atoi(before[strings.LastIndexByte(before, '\n')+1:])
		if err != nil { // in what is packed
			rest = after
			continue
		}
		objs[n], rest, _ = strings.Cut(after, "\nendobj")
	}
}

// TestCorpusKeepsTheRulesOfArchiveAndAccess checks every document of the corpus for what PDF/A-3a (ISO 19005-3) and PDF/UA-1
// (ISO 14289-1) demand and this writer decides on.
func TestCorpusKeepsTheRulesOfArchiveAndAccess(t *testing.T) {
	for _, c := range cases(t) {
		doc, _ := write(t, c.Invoice)
		objs := objectsOf(doc)
		var catalog, parentTree string
		for _, o := range objs {
			switch dict, _, _ := strings.Cut(o, "\nstream\n"); {
			case strings.Contains(dict, "/Type /Catalog"):
				catalog = dict
			case strings.Contains(dict, "/Type /StructTreeRoot"):
				parentTree = dict
			}
		}
		lang := map[string]string{"de": "(de-DE)", "en": "(en-GB)"}[c.Invoice.Language]
		for _, want := range []string{"/Lang " + lang, "/MarkInfo <</Marked true>>", "/DisplayDocTitle true", "/StructTreeRoot", "/Metadata", "/S /GTS_PDFA1", "/AF [", "/EmbeddedFiles"} {
			if !strings.Contains(catalog, want) {
				t.Errorf("%s: the catalogue lacks %s", c.Name, want)
			}
		}
		for _, want := range []string{"/AFRelationship /Alternative", "/Subtype /text#2Fxml", "/CIDToGIDMap /Identity", "/ToUnicode", "/ID [<", "/N 3",
			"<pdfaid:part>3</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>", "<pdfuaid:part>1</pdfuaid:part>", "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>", "<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>"} {
			if !bytes.Contains(doc, []byte(want)) {
				t.Errorf("%s: the file lacks %s", c.Name, want)
			}
		}
		figures := 0
		for n, o := range objs {
			dict, _, _ := strings.Cut(o, "\nstream\n")
			if found := forbidden.FindString(dict); found != "" {
				t.Errorf("%s: object %d has %s", c.Name, n, found)
			}
			if strings.Contains(dict, "/S /Figure") {
				figures++
				if !strings.Contains(dict, "/Alt") {
					t.Errorf("%s: figure %d has no alternative text", c.Name, n)
				}
			}
			if strings.Contains(dict, "/S /TH") && !strings.Contains(dict, "/Scope") {
				t.Errorf("%s: header cell %d has no scope", c.Name, n)
			}
		}
		if len(c.Invoice.Supplier.Design.Logo) > 0 && figures == 0 {
			t.Errorf("%s: the logo is no figure", c.Name)
		}
		checkMarks(t, c.Name, objs, parentTree)
	}
}

// checkMarks follows every piece of text on every page into the structure tree and back.
func checkMarks(t *testing.T, name string, objs map[int]string, parentTree string) {
	t.Helper()
	_, nums, _ := strings.Cut(parentTree, "/Nums [")
	parents := map[string][]string{}
	for _, m := range references.FindAllStringSubmatch(nums, -1) {
		for _, r := range reference.FindAllStringSubmatch(m[2], -1) {
			parents[m[1]] = append(parents[m[1]], r[1])
		}
	}
	for n, o := range objs {
		key := structParents.FindStringSubmatch(o)
		if key == nil {
			continue
		}
		content, _ := strconv.Atoi(contents.FindStringSubmatch(o)[1])
		_, packed, _ := strings.Cut(objs[content], "\nstream\n")
		z, err := zlib.NewReader(strings.NewReader(packed))
		if err != nil {
			t.Fatalf("%s: page %d: %v", name, n, err)
		}
		plain, err := io.ReadAll(z)
		if err != nil {
			t.Fatalf("%s: page %d: %v", name, n, err)
		}
		open, marks := false, 0
		for line := range strings.SplitSeq(strings.TrimSpace(string(plain)), "\n") {
			begin := beginsMark.FindStringSubmatch(line)
			switch {
			case begin != nil && open, line == "EMC" && !open:
				t.Fatalf("%s: page %d: marks are nested at %q", name, n, line)
			case begin != nil:
				open = true
				if begin[2] == "" {
					break
				}
				if begin[2] != strconv.Itoa(marks) {
					t.Fatalf("%s: page %d: mark %s comes after %d others", name, n, begin[2], marks)
				}
				if marks >= len(parents[key[1]]) {
					t.Fatalf("%s: page %d: mark %d is not in the parent tree", name, n, marks)
				}
				owner, _ := strconv.Atoi(parents[key[1]][marks])
				if !strings.Contains(objs[owner]+"\n", fmt.Sprintf("/K %d\n", marks)) || !strings.Contains(objs[owner], fmt.Sprintf("/Pg %d 0 R", n)) {
					t.Fatalf("%s: page %d: mark %d belongs to %s", name, n, marks, objs[owner])
				}
				marks++
			case line == "EMC":
				open = false
			case !open:
				t.Fatalf("%s: page %d: %q is neither content nor artifact", name, n, line)
			case strings.Contains(line, "Tj") && strings.Contains(line, "<0000"):
				t.Fatalf("%s: page %d: a letter is missing in the font: %s", name, n, line)
			}
		}
		if open || marks != len(parents[key[1]]) {
			t.Errorf("%s: page %d has %d marks, the parent tree %d", name, n, marks, len(parents[key[1]]))
		}
	}
}

// TestWriteStructure looks at the structure as a screen reader meets it.
func TestWriteStructure(t *testing.T) {
	doc, _ := write(t, invoice(t, "private-one-page"))
	tree := poppler(t, doc, "pdfinfo", "-struct-text", "FILE")
	inOrder(t, tree, "Document", "Figure", "H1", "Rechnung LIN-2026-000101", "H2", "Ihre Ladevorgänge", "Table", "TR", "TH", "Datum, Zeit", "TR", "TD", "01.10.2026", "H2", "Summe", "Table", "H2", "Zahlung", "Figure")
	if strings.Contains(tree, "Übertrag") {
		t.Error("sums carried forward are read out")
	}
	info := poppler(t, doc, "pdfinfo", "FILE")
	inOrder(t, info, "Title:", "Rechnung LIN-2026-000101 – Stadtwerke Lindenau GmbH", "Tagged:", "yes")
	fonts := strings.Split(strings.TrimSpace(poppler(t, doc, "pdffonts", "FILE")), "\n")[2:]
	if len(fonts) != 2 {
		t.Errorf("fonts = %v, want two", fonts)
	}
	for _, f := range fonts {
		if !regexp.MustCompile(`^[A-Z]{6}\+Inter-\w+ +CID TrueType +Identity-H +yes yes yes`).MatchString(f) {
			t.Errorf("font is not embedded, subset and mapped to Unicode: %s", f)
		}
	}
}

func TestNoDocumentSaysGutschrift(t *testing.T) {
	for _, name := range []string{"private-correction", "private-cancellation", "credit-balance"} {
		doc, _ := write(t, invoice(t, name))
		if strings.Contains(strings.ToLower(text(t, doc)), "gutschrift") {
			t.Errorf("%s uses the word that § 14(2) UStG reserves for self-billing", name)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, name := range []string{"private-one-page", "two-hundred-sessions"} {
		b.Run(name, func(b *testing.B) {
			inv := invoice(b, name)
			_, xml := write(b, inv)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if err := pdf.Write(io.Discard, inv, xml); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}
