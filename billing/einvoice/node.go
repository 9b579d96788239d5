package einvoice

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/shopspring/decimal"
)

// node is an element of a document that is being checked. Names are without prefix: CII has no two elements of one local
// name and different namespaces in the same place.
type node struct {
	name  string
	attrs map[string]string
	text  string
	kids  []*node
}

// maxDepth is far beyond what CII nests.
const maxDepth = 64

// parse reads a document into nodes.
func parse(document []byte) (*node, error) {
	dec := xml.NewDecoder(bytes.NewReader(document))
	root := &node{}
	stack := []*node{root}
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read e-invoice: %w", err)
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local, attrs: map[string]string{}}
			for _, a := range t.Attr {
				n.attrs[a.Name.Local] = a.Value
			}
			top.kids = append(top.kids, n)
			if stack = append(stack, n); len(stack) > maxDepth {
				return nil, errors.New("read e-invoice: nested too deeply")
			}
		case xml.EndElement:
			top.text = strings.TrimSpace(top.text)
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	if len(root.kids) != 1 || root.kids[0].name != "CrossIndustryInvoice" {
		return nil, errors.New("read e-invoice: not a CrossIndustryInvoice")
	}
	return root.kids[0], nil
}

// all returns the elements at a path of names below n: "ExchangedDocument/ID". An empty path is n itself.
func (n *node) all(path string) []*node {
	found := []*node{n}
	if path == "" {
		return found
	}
	for name := range strings.SplitSeq(path, "/") {
		var next []*node
		for _, f := range found {
			for _, k := range f.kids {
				if k.name == name {
					next = append(next, k)
				}
			}
		}
		found = next
	}
	return found
}

// get is the text of the first element at path, "" if there is none.
func (n *node) get(path string) string {
	if found := n.all(path); len(found) > 0 {
		return found[0].text
	}
	return ""
}

func (n *node) has(path string) bool { return n.get(path) != "" }

// num is the number at path; ok is false if it is missing or not a plain decimal (XML Schema knows no exponent there).
func (n *node) num(path string) (d decimal.Decimal, ok bool) {
	s := n.get(path)
	if s == "" || len(s) > 40 || strings.ContainsAny(s, "eE") {
		return decimal.Zero, false
	}
	d, err := decimal.NewFromString(s)
	return d, err == nil
}

// sum adds the numbers at path; what is no number counts as zero and is reported by another rule.
func (n *node) sum(path string) decimal.Decimal {
	total := decimal.Zero
	for _, f := range n.all(path) {
		d, _ := f.num("")
		total = total.Add(d)
	}
	return total
}
