package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/roamwerk/roamwerk/billing"
	"github.com/roamwerk/roamwerk/billing/corpus"
	"github.com/roamwerk/roamwerk/billing/einvoice"
	"github.com/roamwerk/roamwerk/billing/html"
	"github.com/roamwerk/roamwerk/billing/pdf"
)

// invoiceCorpusCmd writes the corpus of sample documents. It needs no database.
type invoiceCorpusCmd struct {
	Out string `required:"" help:"Folder to write to." placeholder:"DIR"`
}

// corpusEntry is a line of the index.
type corpusEntry struct {
	Name      string   `json:"name"`
	Number    string   `json:"number"`
	Type      string   `json:"type"` // UNTDID 1001
	Gross     string   `json:"gross"`
	Currency  string   `json:"currency"`
	Exercises string   `json:"exercises"`
	Files     []string `json:"files"`
}

// Run writes each case as NAME.pdf (with the EN 16931 XML inside), NAME.xml (EN 16931), NAME.xrechnung.xml and NAME.html, and
// index.json over all.
func (c invoiceCorpusCmd) Run(o *outside) error {
	cases, err := corpus.Cases()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return err
	}
	index := make([]corpusEntry, len(cases))
	g, ctx := errgroup.WithContext(o.ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, sample := range cases {
		g.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			files, err := c.write(sample)
			if err != nil {
				return fmt.Errorf("%s: %w", sample.Name, err)
			}
			inv := sample.Invoice
			index[i] = corpusEntry{
				Name: sample.Name, Number: inv.Number, Type: string(inv.Type), Gross: inv.Gross.StringFixed(2), Currency: inv.Currency,
				Exercises: sample.Exercises, Files: files,
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(map[string]any{"documents": index}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.Out, "index.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return json.NewEncoder(o.stdout).Encode(map[string]any{"documents": len(index), "index": filepath.Join(c.Out, "index.json")})
}

// write writes the formats of one case and returns the names of the files.
func (c invoiceCorpusCmd) write(sample corpus.Case) ([]string, error) {
	var xml bytes.Buffer
	if err := einvoice.Write(&xml, sample.Invoice, einvoice.EN16931); err != nil {
		return nil, err
	}
	var names []string
	for _, f := range []struct {
		suffix string
		write  func(*bytes.Buffer, billing.Invoice) error
	}{
		{".xml", func(b *bytes.Buffer, _ billing.Invoice) error { _, err := b.Write(xml.Bytes()); return err }},
		{".xrechnung.xml", func(b *bytes.Buffer, inv billing.Invoice) error { return einvoice.Write(b, inv, einvoice.XRechnung) }},
		{".pdf", func(b *bytes.Buffer, inv billing.Invoice) error { return pdf.Write(b, inv, xml.Bytes()) }},
		{".html", func(b *bytes.Buffer, inv billing.Invoice) error { return html.Write(b, inv) }},
	} {
		var b bytes.Buffer
		if err := f.write(&b, sample.Invoice); err != nil {
			return nil, fmt.Errorf("%s: %w", f.suffix[1:], err)
		}
		name := sample.Name + f.suffix
		if err := os.WriteFile(filepath.Join(c.Out, name), b.Bytes(), 0o644); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}
