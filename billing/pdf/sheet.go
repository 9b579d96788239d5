package pdf

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	base "github.com/boxesandglue/baseline-pdf"
)

// A4 in points.
const (
	pageWidth  = 595.276
	pageHeight = 841.89
)

// mm converts millimetres into points.
func mm(v float64) float64 { return v * 72 / 25.4 }

// element is a node of the structure tree (PDF 32000-1 §14.7.2): it has either children or one piece of content on a page.
type element struct {
	tag    string
	attrs  base.Dict
	parent *element
	kids   []*element
	page   *sheet
	mcid   int
	obj    base.Objectnumber
}

// add appends a child.
func (e *element) add(tag string) *element {
	k := &element{tag: tag, parent: e}
	e.kids = append(e.kids, k)
	return k
}

// sheet is a page under construction. Positions are in points from its upper left corner.
type sheet struct {
	number base.Objectnumber
	buf    bytes.Buffer
	marked []*element // index is the MCID
}

// mark draws the content of a leaf of the structure tree.
func (s *sheet) mark(e *element, draw func()) {
	e.page, e.mcid = s, len(s.marked)
	s.marked = append(s.marked, e)
	fmt.Fprintf(&s.buf, "/%s <</MCID %d>> BDC\n", e.tag, e.mcid)
	draw()
	s.buf.WriteString("EMC\n")
}

// artifact draws what a screen reader passes over: ornament, or what repeats on every page.
func (s *sheet) artifact(draw func()) {
	s.buf.WriteString("/Artifact BMC\n")
	draw()
	s.buf.WriteString("EMC\n")
}

// colour is red, green and blue between 0 and 1.
type colour [3]float64

var (
	black  = colour{0.09, 0.10, 0.12}
	grey   = colour{0.36, 0.38, 0.42} // 6.6:1 against white
	hair   = colour{0.84, 0.85, 0.87}
	petrol = colour{0.04, 0.30, 0.42} // for a utility without a colour of its own
)

// parseColour reads "#0b5cad".
func parseColour(s string) colour {
	v, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	if err != nil || len(s) != 7 {
		return petrol
	}
	return colour{float64(v>>16&255) / 255, float64(v>>8&255) / 255, float64(v&255) / 255}
}

// tint mixes c with white; share is that of c.
func (c colour) tint(share float64) colour {
	for i := range c {
		c[i] = 1 - (1-c[i])*share
	}
	return c
}

func (c colour) String() string { return num(c[0]) + " " + num(c[1]) + " " + num(c[2]) }

// rect fills a rectangle.
func (s *sheet) rect(c colour, x, y, w, h float64) {
	fmt.Fprintf(&s.buf, "%s rg %s %s %s %s re f\n", c, num(x), num(pageHeight-y-h), num(w), num(h))
}

// line draws a horizontal rule.
func (s *sheet) line(c colour, thickness, x, y, w float64) { s.rect(c, x, y-thickness/2, w, thickness) }

// style is how text looks.
type style struct {
	bold   bool
	size   float64
	lead   float64 // distance of baselines
	colour colour
}

var (
	body   = style{size: 9.5, lead: 13.5, colour: black}
	strong = style{bold: true, size: 9.5, lead: 13.5, colour: black}
	fine   = style{size: 7.8, lead: 10.5, colour: grey}
	label  = style{size: 8, lead: 12, colour: grey}
)

func (t style) in(c colour) style { t.colour = c; return t }

// baseline is where letters stand below the upper edge of a line.
func (t style) baseline() float64 { return (t.lead + t.size*0.72) / 2 }

// align is the side on which lines of text are flush.
type align int

const (
	left align = iota
	right
)

// paragraph is text of one style, broken into lines.
type paragraph struct {
	style style
	lines []string
}

// block is what stands in a column: paragraphs one below the other.
type block []paragraph

func (b block) height() float64 {
	h := 0.0
	for _, p := range b {
		h += float64(len(p.lines)) * p.style.lead
	}
	return h
}

// fonts are the fonts of a document.
type fonts struct{ regular, bold *font }

func (f fonts) of(t style) *font {
	if t.bold {
		return f.bold
	}
	return f.regular
}

// set breaks text into a paragraph of the given width.
func (f fonts) set(t style, width float64, text string) paragraph {
	return paragraph{t, f.of(t).wrap(t.size, width, text)}
}

// draw draws a block with its upper edge at y. Lines end with a blank, so that words do not run together when it is read.
func (s *sheet) draw(f fonts, b block, x, y, width float64, to align) {
	for _, p := range b {
		font := f.of(p.style)
		fmt.Fprintf(&s.buf, "%s rg\n", p.style.colour)
		for _, line := range p.lines {
			at := x
			if to == right {
				at = x + width - font.width(p.style.size, line)
			}
			font.show(&s.buf, p.style.size, at, pageHeight-y-p.style.baseline(), line+" ")
			y += p.style.lead
		}
	}
}

// num formats a number for a content stream.
func num(v float64) string {
	return strconv.FormatFloat(float64(int64(v*1000+sign(v)*0.5))/1000, 'f', -1, 64)
}

func sign(v float64) float64 {
	if v < 0 {
		return -1
	}
	return 1
}
